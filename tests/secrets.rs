//! Passwords go nowhere but to whoever hashes them: random dialogues, and everything that follows from them
//! looked through for a password.
//!
//! `CHATHUB_SEED=n` repeats a walk.

mod shared;
mod world;

use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use chathub::hub::archive::Recalled;
use chathub::hub::login::Job;
use chathub::hub::message::Farewell;
use chathub::machine::{Order, Outcome};
use chathub::settings::{Passwords, Settings};
use chathub::values::id::SessionId;
use serde_json::json;
use shared::dice::Dice;
use world::World;

/// Nobody types these by chance, and nothing else has them in it.
const PASSWORDS: &[&str] = &["qXj-first-secret", "qXj-other-secret", "qXj-short", "qXj", "qXj-and one with spaces"];

/// What they all have in them.
const MARK: &str = "qXj";

const NAMES: &[&str] = &["ann", "bob", "eve"];

/// What is told to who will be asked for no password.
const IN_VAIN: [&str; 2] = ["no password is asked for any more", "passwords are taken over encrypted connections"];

/// A terminal tells of itself, and then goes along with sending each key: its lines are edited here, and Tab
/// completes.
const TERMINAL: [&[u8]; 2] = [
    b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\xff\xfa\x18\0XTERM\xff\xf0",
    b"\xff\xfd\x01\xff\xfd\x03",
];

/// What ^C sends.
const INTERRUPT: &[u8] = b"\xff\xf4";

struct Walk {
    dice: Dice,
    world: World,
    jobs: Vec<Arc<Job>>,
    port: u16,
    /// Those whose lines are edited here.
    terminals: BTreeSet<SessionId>,
    /// How much of what has reached the machine was looked through.
    looked: usize,
    /// Who was asked for a password in vain, and may type it once more.
    refused: Option<SessionId>,
    /// What happened, for whoever reads why it failed.
    story: Vec<String>,
    logins: u64,
    /// How often none was taken because it was not encrypted.
    plain: u64,
    /// Who is asked for a password and types it now.
    asked: Option<SessionId>,
    /// How often a terminal was shown something to type behind, or what was typed.
    drawn: u64,
}

impl Walk {
    /// Something happens, and what followed is looked through for a password.
    fn act(&mut self, what: String, act: impl FnOnce(&mut World)) {
        self.story.push(what);
        act(&mut self.world);
        self.look();
    }

    fn send(&mut self, session: SessionId, bytes: &[u8]) {
        // What is typed openly on a terminal is shown to its user, as it must be.
        let asked = self.world.hub().session(session).is_some_and(|session| session.dialogue.is_some());
        self.asked = asked.then_some(session);
        let shown = bytes.escape_ascii().to_string();
        self.act(format!("{session}: {}", &shown[..shown.len().min(200)]), |world| world.receive(session, bytes));
        self.asked = None;
    }

    fn line(&mut self, session: SessionId, text: &str) {
        self.send(session, format!("{text}\r\n").as_bytes());
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("{}\n{what}", self.story.join("\n"));
    }

    fn look(&mut self) {
        let outcomes: Vec<_> =
            self.world.taken[self.looked..].iter().flat_map(|taken| taken.outcomes.clone()).collect();
        self.looked = self.world.taken.len();
        for outcome in outcomes {
            let shown = match &outcome {
                Outcome::Order(Order::Tell(_, told)) => String::from_utf8_lossy(told).into_owned(),
                Outcome::Order(Order::Area(id, area)) => {
                    let drawn = area.as_ref().map_or(&[][..], |area| &area.draw);
                    self.drawn += u64::from(!drawn.is_empty());
                    if self.asked == Some(*id) { String::from_utf8_lossy(drawn).into_owned() } else { String::new() }
                }
                Outcome::Record(_, record) => format!("{record:?} {}", serde_json::to_string(record).expect("plain")),
                other => format!("{other:?}"),
            };
            if shown.contains(MARK) {
                self.fail(&shown);
            }
            match outcome {
                Outcome::Hash(job) => {
                    assert!(job.password.reveal().contains(MARK), "somebody's password is hashed");
                }
                Outcome::Order(Order::Tell(to, _)) if IN_VAIN.iter().any(|words| shown.contains(words)) => {
                    self.plain += u64::from(shown.contains(IN_VAIN[1]));
                    self.refused = Some(to);
                }
                _ => {}
            }
        }
        self.jobs.extend(self.world.jobs());
    }

    fn hash_some(&mut self) {
        if !self.jobs.is_empty() {
            let at = self.dice.below(self.jobs.len());
            let job = self.jobs.swap_remove(at);
            self.act(format!("a password of {:?} is hashed", job.number), |world| world.hash(&job));
        }
    }

    fn step(&mut self) {
        let here: Vec<SessionId> = self.world.hub().sessions().map(|session| session.id).collect();
        if here.len() < 3 || self.dice.below(30) == 0 {
            self.port += 1;
            let peer = ([192, 0, 2, 1], self.port).into();
            let session = self.world.machine.next_id();
            self.act(format!("{session} comes"), |world| assert_eq!(world.connect(peer), session));
            if self.dice.one_in(2) {
                self.terminals.insert(session);
                TERMINAL.into_iter().for_each(|bytes| self.send(session, bytes));
            }
            return;
        }
        if let Some(session) = self.refused.take()
            && self.world.hub().session(session).is_some_and(|session| session.dialogue.is_none())
            // What was typed openly in our editor its user can recall, so it is kept.
            && !self.terminals.contains(&session)
        {
            let text = self.dice.of(PASSWORDS);
            return self.line(session, text);
        }
        let session = here[self.dice.below(here.len())];
        if self.world.hub().is_waiting(session) {
            return self.hash_some();
        }
        if self.world.hub().session(session).is_some_and(|session| session.dialogue.is_some()) {
            let text = match self.dice.below(10) {
                0 => return self.send(session, INTERRUPT),
                1 => return self.line(session, &format!("{MARK}{}", "x".repeat(5000))),
                2 => {
                    let text = self.dice.of(PASSWORDS);
                    return self.send(session, format!("{text}\t").as_bytes());
                }
                3 => return self.act(format!("{session} goes"), |world| world.end(session, Farewell::Hangup)),
                4 => String::new(),
                5 => self.dice.of(PASSWORDS).to_owned(),
                // Mostly the same, so that dialogues come to their end.
                _ => PASSWORDS[0].to_owned(),
            };
            return self.line(session, &text);
        }
        let (name, password) =
            (self.dice.of(NAMES), if self.dice.below(3) == 0 { self.dice.of(PASSWORDS) } else { PASSWORDS[0] });
        let text = match self.dice.below(18) {
            0..3 => format!("/nick {name}"),
            3 => "/register".to_owned(),
            4 => format!("/register {password}"),
            5 => format!("/login {name}"),
            6 => format!("/login {name} {password}"),
            7 => "/passwd".to_owned(),
            8 => "/unregister".to_owned(),
            9 => "/logout".to_owned(),
            10 => format!("/whois {name}"),
            11 => return self.hash_some(),
            12 => {
                let hashed = &*world::hash(password).0;
                let args = json!({"name": name, "role": "operator", "hashed": hashed});
                return self.act(format!("{args}"), |world| drop(world.control("accounts.add", args)));
            }
            // Slips; what goes on for six words is taken for a sentence.
            13 => format!("/logn {name} {password}"),
            14 => format!("//login {name} {}", password.split(' ').next().expect("a word")),
            15 => format!("login {name} {}", password.split(' ').next().expect("a word")),
            16 => format!("register {}", password.split(' ').next().expect("a word")),
            _ => "hello".to_owned(),
        };
        self.line(session, &text);
        self.act("a second passes".to_owned(), |world| world.pass(Duration::from_secs(1)));
    }

    /// Another process carries on with what is kept.
    fn carry_on(&mut self) {
        let kept = self.world.hand_over();
        let needed = !self.jobs.is_empty() || self.world.hub().sessions().any(|session| session.dialogue.is_some());
        assert!(needed || !kept.contains(MARK), "a password is kept for nothing: {kept}");
        self.jobs.clear();
        self.act("another process".to_owned(), |world| world.archive(Recalled::default()));
        let mut settings = self.world.hub().settings().clone();
        settings.accounts.encryption = self.dice.of(&[Passwords::Optional, Passwords::Advised, Passwords::Required]);
        self.act(format!("{:?}", settings.accounts.encryption), |world| world.set(settings));
    }
}

/// How often somebody logged in, how often a terminal was drawn on, and how often no password was taken because it was
/// not encrypted.
fn walk(seed: u64) -> [u64; 3] {
    let mut settings = Settings::default();
    settings.accounts.attempts = 1000;
    settings.accounts.registrations = 1000;
    settings.limits.accounts = 3;
    settings.accounts.waiting = 3;
    let mut walk = Walk {
        dice: Dice(seed),
        world: World::new(settings),
        jobs: Vec::new(),
        port: 0,
        terminals: BTreeSet::new(),
        looked: 0,
        refused: None,
        story: Vec::new(),
        logins: 0,
        plain: 0,
        asked: None,
        drawn: 0,
    };
    walk.act("it begins".to_owned(), |world| world.archive(Recalled::default()));
    for step in 0..3000 {
        walk.step();
        if step % 50 == 49 {
            walk.carry_on();
        }
        walk.world.hub().check_invariants();
        assert!(walk.jobs.len() <= 3, "no more wait than may");
        walk.logins = walk.world.hub().counters().logins;
    }
    while !walk.jobs.is_empty() {
        walk.hash_some();
    }
    for session in walk.world.hub().sessions().map(|session| session.id).collect::<Vec<_>>() {
        walk.send(session, INTERRUPT);
    }
    walk.carry_on();
    [walk.logins, walk.drawn, walk.plain]
}

#[test]
fn a_password_is_in_nothing_that_follows_but_what_is_to_be_hashed() {
    let asked = std::env::var("CHATHUB_SEED").ok().map(|seed| vec![seed.parse().expect("a number")]);
    let seeds: Vec<u64> = asked.unwrap_or_else(|| vec![1, 2, 3, RandomState::new().hash_one(0)]);
    for seed in seeds {
        eprintln!("CHATHUB_SEED={seed}");
        let often = walk(seed);
        assert!(often.iter().all(|count| *count > 0), "logins, on a terminal, not encrypted: {often:?}");
    }
}
