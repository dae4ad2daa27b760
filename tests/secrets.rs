//! Passwords go nowhere but to whoever hashes them: random dialogues, and everything that follows from them
//! looked through for a password.
//!
//! `CHATHUB_SEED=n` repeats a walk.

mod world;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use chathub::hub::account::Role;
use chathub::hub::login::Job;
use chathub::hub::message::{Done, Farewell, Message};
use chathub::hub::{By, Effect, Hub, Input};
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use chathub::values::name::Name;
use world::{BEGIN, Dice, KEY};

const OPERATOR: By = By::Admin { uid: 0, pid: 1 };

/// Nobody types these by chance, and nothing else has them in it.
const PASSWORDS: &[&str] = &["qXj-first-secret", "qXj-other-secret", "qXj-short", "qXj", "qXj-and one with spaces"];

/// What they all have in them.
const MARK: &str = "qXj";

const NAMES: &[&str] = &["ann", "bob", "eve"];

struct Walk {
    dice: Dice,
    hub: Hub,
    jobs: Vec<Arc<Job>>,
    last: u64,
    /// Who was asked for a password in vain, and may type it once more.
    refused: Option<SessionId>,
    /// What happened, for whoever reads why it failed.
    story: Vec<String>,
    logins: u64,
}

impl Walk {
    fn handle(&mut self, input: Input) {
        self.story.push(format!("{input:?}"));
        let mut effects = Vec::new();
        self.hub.handle(input, BEGIN, &mut effects);
        self.look(effects);
    }

    /// Looks for a password in what followed.
    fn look(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let shown = format!("{effect:?}");
            assert!(!shown.contains(MARK), "{shown}\n{}", self.story.join("\n"));
            match effect {
                Effect::Record { record, .. } => {
                    let written = serde_json::to_string(&record).expect("plain");
                    assert!(!written.contains(MARK), "{written}\n{}", self.story.join("\n"));
                }
                Effect::Hash(job) => {
                    assert!(job.password.reveal().contains(MARK), "somebody's password is hashed");
                    self.jobs.push(job);
                }
                Effect::Complete { words, .. } => panic!("{words:?} completes a password"),
                Effect::Tell { to, message: Message::Done(Done::AsksNoMore(_)) } => self.refused = Some(to),
                _ => {}
            }
        }
    }

    fn hash_some(&mut self) {
        if !self.jobs.is_empty() {
            let at = self.dice.below(self.jobs.len());
            let job = self.jobs.swap_remove(at);
            self.handle(world::hashed(&job));
        }
    }

    fn step(&mut self) {
        let here: Vec<SessionId> = self.hub.sessions().map(|session| session.id).collect();
        if here.len() < 3 || self.dice.below(30) == 0 {
            self.last += 1;
            let port = u16::try_from(self.last % 60_000).expect("small");
            let session = SessionId(self.last);
            return self.handle(Input::Connect { session, peer: ([192, 0, 2, 1], port).into() });
        }
        if let Some(session) = self.refused.take()
            && self.hub.session(session).is_some_and(|session| session.dialogue.is_none())
        {
            let text = self.dice.of(PASSWORDS).to_owned();
            return self.handle(Input::Line { session, text });
        }
        let session = here[self.dice.below(here.len())];
        if self.hub.is_waiting(session) {
            return self.hash_some();
        }
        if self.hub.session(session).is_some_and(|session| session.dialogue.is_some()) {
            let text = match self.dice.below(10) {
                0 => return self.handle(Input::Interrupted { session }),
                1 => return self.handle(Input::Overlong { session, bytes: 5000 }),
                2 => {
                    let line = self.dice.of(PASSWORDS).to_owned();
                    return self.handle(Input::Complete { session, line });
                }
                3 => return self.handle(Input::Gone { session, why: Farewell::Hangup }),
                4 => String::new(),
                5 => self.dice.of(PASSWORDS).to_owned(),
                // Mostly the same, so that dialogues come to their end.
                _ => PASSWORDS[0].to_owned(),
            };
            return self.handle(Input::Line { session, text });
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
                let name = Name::parse(name, 24).expect("a name");
                let mut effects = Vec::new();
                let _ = self.hub.add_account(
                    name,
                    Some(world::hash(password)),
                    Role::Operator,
                    OPERATOR,
                    BEGIN,
                    &mut effects,
                );
                return self.look(effects);
            }
            // Slips; what goes on for six words is taken for a sentence.
            13 => format!("/logn {name} {password}"),
            14 => format!("//login {name} {password}"),
            15 => format!("login {name} {}", password.split(' ').next().expect("a word")),
            16 => format!("register {}", password.split(' ').next().expect("a word")),
            _ => "hello".to_owned(),
        };
        self.handle(Input::Line { session, text });
    }

    /// Another process carries on with what is kept.
    fn carry_on(&mut self) {
        let kept = serde_json::to_string(&self.hub).expect("plain");
        let needed = !self.jobs.is_empty() || self.hub.sessions().any(|session| session.dialogue.is_some());
        assert!(needed || !kept.contains(MARK), "a password is kept for nothing: {kept}");
        self.hub = serde_json::from_str(&kept).expect("what was written can be read");
        self.jobs.clear();
        self.handle(Input::Archive(Some(Box::default())));
    }
}

fn walk(seed: u64) -> u64 {
    let mut settings = Settings::default();
    settings.accounts.attempts = 1000;
    settings.accounts.registrations = 1000;
    settings.limits.accounts = 3;
    settings.accounts.waiting = 3;
    let hub = Hub::new(settings, KEY, BEGIN, &mut Vec::new());
    let mut walk =
        Walk { dice: Dice(seed), hub, jobs: Vec::new(), last: 0, refused: None, story: Vec::new(), logins: 0 };
    walk.handle(Input::Archive(Some(Box::default())));
    for step in 0..3000 {
        walk.step();
        if step % 50 == 49 {
            walk.carry_on();
        }
        walk.hub.check_invariants();
        assert!(walk.jobs.len() <= 3, "no more wait than may");
        walk.logins = walk.hub.counters().logins;
    }
    while !walk.jobs.is_empty() {
        walk.hash_some();
    }
    for session in walk.hub.sessions().map(|session| session.id).collect::<Vec<_>>() {
        walk.handle(Input::Interrupted { session });
    }
    walk.carry_on();
    walk.logins
}

#[test]
fn a_password_is_in_nothing_that_follows_but_what_is_to_be_hashed() {
    let asked = std::env::var("CHATHUB_SEED").ok().map(|seed| vec![seed.parse().expect("a number")]);
    let seeds: Vec<u64> = asked.unwrap_or_else(|| vec![1, 2, 3, RandomState::new().hash_one(0)]);
    for seed in seeds {
        eprintln!("CHATHUB_SEED={seed}");
        assert!(walk(seed) > 0, "somebody logs in on the way");
    }
}
