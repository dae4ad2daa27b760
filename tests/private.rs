//! What is said in a private room reaches nobody who was not there: a random walk of people who come, go,
//! look back and search, while rooms become private and public again; and everything that any of them is
//! told is looked through.
//!
//! `CHATHUB_SEED=n` repeats a walk.

mod world;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;

use chathub::hub::account::Role;
use chathub::hub::archive::Record;
use chathub::hub::message::{Line, Message};
use chathub::hub::{By, Effect, Input};
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use chathub::values::name::Name;
use world::{Dice, World};

const ADMIN: By = By::Admin { uid: 0, pid: 1 };
const ROOMS: &[&str] = &["den", "tea"];
const PEOPLE: &[&str] = &["ann", "bob", "cat", "dan", "eve"];

/// What a private room is called to those who must not know its name.
const HIDDEN: &str = "a private room";

struct Walk {
    dice: Dice,
    world: World,
    people: BTreeMap<SessionId, &'static str>,
    port: u16,
    /// Lines said in private, and who was there.
    private: BTreeMap<u64, BTreeSet<SessionId>>,
    /// How many of them somebody saw again who may.
    seen_again: u64,
    story: Vec<String>,
}

impl Walk {
    fn handle(&mut self, input: Input) {
        self.story.push(format!("{input:?}"));
        let effects = self.world.handle(input);
        for effect in &effects {
            self.look(effect);
        }
        loop {
            let mut answers = self.world.found();
            answers.extend(self.world.hashed());
            if answers.is_empty() {
                break;
            }
            for answer in answers {
                for effect in &self.world.handle(answer) {
                    self.look(effect);
                }
            }
        }
        self.world.take_all();
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.story.join("\n"));
    }

    fn look(&mut self, effect: &Effect) {
        match effect {
            Effect::Post { room, line } if line.said.is_kept() => {
                let Some(room) = self.world.hub.room(*room) else { return };
                if room.ownership.private {
                    self.private.insert(line.seq, room.members.clone());
                }
            }
            Effect::Record { record: Record::Line { line, .. }, .. } if self.private.contains_key(&line.seq) => {
                self.fail(&format!("line {} is recorded", line.seq));
            }
            Effect::Tell { to, message } => self.told(*to, message),
            _ => {}
        }
    }

    fn told(&mut self, to: SessionId, message: &Message) {
        match message {
            Message::Replay { lines, .. } => {
                for line in lines.iter() {
                    self.seen(to, line);
                }
            }
            Message::Rooms { rooms, .. } => {
                for (name, _, _) in rooms {
                    self.may_know(to, name);
                }
            }
            Message::Whois { room, .. } if &**room != HIDDEN => self.may_know(to, room),
            Message::Who { room, .. } | Message::Topic { room, .. } | Message::Entered { room, .. } => {
                self.may_know(to, room);
            }
            _ => {}
        }
    }

    fn seen(&mut self, to: SessionId, line: &Line) {
        if let Some(there) = self.private.get(&line.seq) {
            if !there.contains(&to) {
                self.fail(&format!("{to} sees line {}, said among others", line.seq));
            }
            self.seen_again += 1;
        }
    }

    fn may_know(&self, to: SessionId, name: &str) {
        let hub = &self.world.hub;
        let Some(room) = hub.find_room(name).and_then(|room| hub.room(room)) else { return };
        if !hub.sees(to, room) {
            self.fail(&format!("{to} is told of {name}"));
        }
    }

    fn step(&mut self) {
        let here: Vec<SessionId> = self.people.keys().copied().collect();
        if here.len() < PEOPLE.len() {
            let missing = PEOPLE.iter().find(|name| !self.people.values().any(|here| here == *name));
            let name = missing.expect("somebody is missing");
            self.port += 1;
            let session = self.world.next_id();
            self.people.insert(session, name);
            self.handle(Input::Connect { session, peer: ([192, 0, 2, 1], self.port).into() });
            self.handle(Input::Line { session, text: format!("/login {name} tr0ub4dor") });
            return self.handle(Input::Line { session, text: format!("/nick {name}") });
        }
        let session = here[self.dice.below(here.len())];
        let (room, other) = (self.dice.of(ROOMS), self.dice.of(PEOPLE));
        let text = match self.dice.below(24) {
            0..4 => format!("/join {room}"),
            4 => "/leave".to_owned(),
            5..9 => format!("said {}", self.dice.below(1000)),
            9 => "/history".to_owned(),
            10 => "/search said".to_owned(),
            11..13 => "/room private".to_owned(),
            13 => "/room public".to_owned(),
            14 => self.dice.of(&["/room moderated", "/room free"]).to_owned(),
            15..18 => format!("/invite {other}"),
            18 => format!("/uninvite {other}"),
            19 => format!("/expel {other}"),
            20 => format!("/whois {other}"),
            21 => self.dice.of(&["/rooms", "/who den", "/who tea", "/topic"]).to_owned(),
            22 => format!("/topic about {}", self.dice.below(10)),
            _ if self.dice.below(4) == 0 => {
                self.people.remove(&session);
                "/quit".to_owned()
            }
            _ => "/me said something".to_owned(),
        };
        self.handle(Input::Line { session, text });
        self.world.now.mono = self.world.now.mono.after(std::time::Duration::from_secs(1));
    }

    /// Another process carries on with what is kept.
    fn carry_on(&mut self) {
        let kept = serde_json::to_string(&self.world.hub).expect("plain");
        self.world.hub = serde_json::from_str(&kept).expect("what was written can be read");
        self.handle(Input::Archive(Some(Box::default())));
    }
}

fn walk(seed: u64) -> (usize, u64) {
    let mut settings = Settings::default();
    settings.accounts.attempts = 1000;
    let mut world = World::new(settings);
    world.handle(Input::Archive(Some(Box::default())));
    // Some have accounts, and one is an operator; the others are guests.
    for (name, role) in [("ann", Role::Member), ("bob", Role::Member), ("eve", Role::Operator)] {
        let mut effects = Vec::new();
        let (name, hashed) = (Name::parse(name, 24).expect("a name"), Some(world::hash("tr0ub4dor")));
        world.hub.add_account(name, hashed, role, ADMIN, world.now, &mut effects).expect("it is free");
        world.carry(&effects);
    }
    let mut walk = Walk {
        dice: Dice(seed),
        world,
        people: BTreeMap::new(),
        port: 1000,
        private: BTreeMap::new(),
        seen_again: 0,
        story: Vec::new(),
    };
    for step in 0..3000 {
        walk.step();
        if step % 100 == 99 {
            walk.carry_on();
        }
        walk.world.hub.check_invariants();
    }
    (walk.private.len(), walk.seen_again)
}

#[test]
fn what_is_said_in_private_is_seen_by_those_who_were_there_and_recorded_nowhere() {
    let asked = std::env::var("CHATHUB_SEED").ok().map(|seed| vec![seed.parse().expect("a number")]);
    let seeds: Vec<u64> = asked.unwrap_or_else(|| vec![1, 2, 3, RandomState::new().hash_one(0)]);
    for seed in seeds {
        eprintln!("CHATHUB_SEED={seed}");
        let (private, seen_again) = walk(seed);
        assert!(private > 20 && seen_again > 0, "{private} lines in private, {seen_again} of them seen again");
    }
}
