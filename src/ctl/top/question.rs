//! Questions before somebody is disconnected, muted or banned: in plain words, with whom it would hit. Pure.
//!
//! Everything is done by the client's id, which is never given to another: if they leave while the question is open,
//! nobody else is hit.

use super::model::Model;
use crate::ctl::print::values::{count, people};
use crate::ctl::terminal::Key;
use crate::values::network::Network;
use crate::values::time::in_words;
use crate::wire::admin::Command;
use crate::wire::admin::args::{BanArgs, KickArgs, MuteArgs};
use crate::wire::admin::result::{Client, Person};
use crate::wire::admin::value::{Text, Whole};
use std::time::Duration;

/// What is to be done to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Kick,
    Mute,
    Ban,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// For how long mutes can be, in seconds; 0: until they are lifted.
const MUTES: [u64; 6] = [5 * MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY, 0];
/// For how long bans can be.
const BANS: [u64; 7] = [10 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY, 100 * 365 * DAY];

/// The longest reason, in bytes.
const REASON: usize = 256;

/// Whom it would hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hits {
    /// Nobody else than who is meant.
    OnlyThem,
    /// The daemon was asked.
    Asked,
    Known(Vec<Person>),
    /// Why the daemon does not tell.
    Unknown(String),
}

/// A question that is open.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) act: Act,
    pub(super) id: String,
    /// What they were called when it was asked.
    pub(super) nick: String,
    addr: String,
    room: String,
    /// For how long, as an index of [`MUTES`] or [`BANS`].
    time: usize,
    pub(super) reason: String,
    /// The reason is being typed.
    pub(super) typing: bool,
    pub(super) hits: Hits,
}

/// What a key makes of a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// It stays open.
    Open,
    /// It is closed, and nothing is done.
    No,
    /// This is done.
    Yes(Command),
}

impl Question {
    pub(super) fn about(act: Act, client: &Client) -> Self {
        Self {
            act,
            id: client.id.clone(),
            nick: client.nick.clone(),
            addr: client.addr.clone(),
            room: client.room.clone(),
            time: 1,
            reason: String::new(),
            typing: false,
            hits: if act == Act::Kick { Hits::OnlyThem } else { Hits::Asked },
        }
    }

    /// What tells whom it would hit; nothing is changed by it.
    pub(super) fn trial(&self) -> Option<Command> {
        match self.act {
            Act::Kick => None,
            Act::Mute => Some(Command::ClientsMute(MuteArgs {
                who: vec![Text(self.id.clone())],
                for_s: None,
                shadow: false,
                reason: None,
                dry_run: true,
            })),
            Act::Ban => Some(Command::BansAdd(BanArgs {
                target: Text(self.network()?.to_string()),
                reason: None,
                for_s: None,
                yes: true,
                dry_run: true,
            })),
        }
    }

    /// What a ban of them is about: their address, or their /64 network.
    fn network(&self) -> Option<Network> {
        Some(Network::around(self.addr.parse().ok()?))
    }

    /// What does it.
    fn command(&self) -> Command {
        let who = vec![Text(self.id.clone())];
        let reason = (!self.reason.is_empty()).then(|| Text(self.reason.clone()));
        match self.act {
            Act::Kick => Command::ClientsKick(KickArgs { who, reason, ban_s: None }),
            Act::Ban => Command::ClientsKick(KickArgs { who, reason, ban_s: Some(Whole(self.seconds())) }),
            Act::Mute => {
                let for_s = (self.seconds() > 0).then(|| Whole(self.seconds()));
                Command::ClientsMute(MuteArgs { who, for_s, shadow: false, reason, dry_run: false })
            }
        }
    }

    fn times(&self) -> &'static [u64] {
        match self.act {
            Act::Kick => &[],
            Act::Mute => &MUTES,
            Act::Ban => &BANS,
        }
    }

    fn seconds(&self) -> u64 {
        self.times().get(self.time).copied().unwrap_or(0)
    }

    /// `for 10min`.
    fn length(&self) -> String {
        match self.seconds() {
            0 => "until it is lifted".to_owned(),
            seconds if seconds == 100 * 365 * DAY => "for 100 years".to_owned(),
            seconds => format!("for {}", in_words(Duration::from_secs(seconds))),
        }
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: &Key, model: &Model) -> Reply {
        if self.typing {
            match key {
                Key::Char(c) => self.add(*c),
                Key::Pasted(text) => text.chars().filter(|c| !c.is_control()).for_each(|c| self.add(c)),
                Key::Backspace => drop(self.reason.pop()),
                Key::Ctrl('u') => self.reason.clear(),
                Key::Enter | Key::Escape => self.typing = false,
                _ => {}
            }
            return Reply::Open;
        }
        match key {
            Key::Char('y' | 'Y') if self.can_be_answered(model) => return Reply::Yes(self.command()),
            Key::Char('n' | 'N' | 'q') | Key::Escape => return Reply::No,
            Key::Char('r') => self.typing = true,
            Key::Left | Key::Char('-') => self.time = self.time.saturating_sub(1),
            Key::Right | Key::Char('+') => self.time = (self.time + 1).min(self.times().len().saturating_sub(1)),
            _ => {}
        }
        Reply::Open
    }

    fn add(&mut self, c: char) {
        if self.reason.len() + c.len_utf8() <= REASON {
            self.reason.push(c);
        }
    }

    /// Whether yes means anything: they are still here, and it is known whom it hits.
    fn can_be_answered(&self, model: &Model) -> bool {
        model.client(&self.id).is_some() && self.hits != Hits::Asked && model.lost().is_none()
    }

    /// `ann (c7)`, or `ann, now eve (c7)`.
    fn who(&self, model: &Model) -> String {
        match model.client(&self.id).map(|client| &client.nick).filter(|nick| **nick != self.nick) {
            Some(now) => format!("{}, now {now} ({})", self.nick, self.id),
            None => format!("{} ({})", self.nick, self.id),
        }
    }

    /// What it asks, none of it escaped; and what keys answer it.
    pub(super) fn words(&self, model: &Model) -> (Vec<String>, &'static str) {
        let who = self.who(model);
        let Some(client) = model.client(&self.id) else {
            return (vec![format!("{who} has left: nothing is done.")], "Esc closes this");
        };
        let room = if client.room.is_empty() { &self.room } else { &client.room };
        let question = match self.act {
            Act::Kick => format!("Disconnect {who}, who is in {room}? They can come back at once."),
            Act::Mute => format!("Mute {who}, who is in {room}, {}? They are told.", self.length()),
            Act::Ban => {
                let network = self.network().map_or_else(|| self.addr.clone(), |network| network.to_string());
                let network = network.strip_suffix("/32").unwrap_or(&network);
                format!("Disconnect {who} and keep {network} out {}?", self.length())
            }
        };
        let hits = match &self.hits {
            Hits::OnlyThem => None,
            Hits::Asked => Some("Asking whom it would hit ...".to_owned()),
            Hits::Unknown(why) => Some(format!("The hub does not say whom it would hit: {why}.")),
            Hits::Known(hit) => Some(self.hit(hit)),
        };
        let told = if self.act == Act::Mute { "in the list of sanctions" } else { "told to them and the room" };
        let reason = match (self.typing, self.reason.is_empty()) {
            (true, _) => format!("Reason ({told}): {}_", self.reason),
            (false, true) => "Reason: none".to_owned(),
            (false, false) => format!("Reason ({told}): {}", self.reason),
        };
        let keys = match (self.typing, self.times().is_empty()) {
            (true, _) => "Enter ends the reason",
            (false, true) => "y yes  n no  r reason",
            (false, false) => "y yes  n no  \u{2190}\u{2192} time  r reason",
        };
        let lost = model.lost().map(|_| "The daemon does not answer now: nothing can be done.".to_owned());
        // The names can be many, and come last.
        let words = [question, reason].into_iter().chain(lost).chain(hits);
        (words.collect(), keys)
    }

    fn hit(&self, hit: &[Person]) -> String {
        let others: Vec<Person> = hit.iter().filter(|person| person.id != self.id).cloned().collect();
        let verb = if self.act == Act::Mute { "be muted" } else { "be disconnected" };
        match others.len() {
            0 => format!("Nobody else would {verb}."),
            more => {
                let ids: Vec<String> = others.iter().map(|person| person.id.clone()).collect();
                let others = people(&others, &ids);
                format!("{} would {verb} as well: {others}.", count(more as u64, "other"))
            }
        }
    }
}
