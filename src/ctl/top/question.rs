//! The question before a client is disconnected, muted or banned. It names everybody whom the act
//! would hit. Pure.
//!
//! The command names the client by its id. An id is never used again, so if the client leaves while
//! the question is open, nobody else is hit.

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

/// An act against a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Kick,
    Mute,
    Ban,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The lengths of a mute to choose from, in seconds; 0 for no end.
const MUTES: [u64; 6] = [5 * MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY, 0];
/// The lengths of a ban to choose from, in seconds.
const BANS: [u64; 7] = [10 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY, 100 * 365 * DAY];

/// The longest reason, in bytes.
const REASON: usize = 256;

/// The people whom the act would hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hits {
    /// Only the selected client.
    OnlyThem,
    /// Not known yet: the daemon was asked.
    Asked,
    Known(Vec<Person>),
    /// Not known: the daemon has not said it, for this reason.
    Unknown(String),
}

/// An open question.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) act: Act,
    pub(super) id: String,
    /// The client's nickname when the question was opened.
    pub(super) nick: String,
    addr: String,
    room: String,
    /// The length, as an index into [`MUTES`] or [`BANS`].
    time: usize,
    pub(super) reason: String,
    /// Whether the user is typing the reason.
    pub(super) typing: bool,
    pub(super) hits: Hits,
}

/// The effect of a key on a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// The question stays open.
    Open,
    /// The question is closed and nothing is done.
    No,
    /// The question is closed and this command is sent.
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

    /// The dry run that asks the daemon whom the act would hit; `None` for a kick, which hits only
    /// the client.
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

    /// The network that a ban would name: the client's IPv4 address, or the /64 of its IPv6
    /// address.
    fn network(&self) -> Option<Network> {
        Some(Network::around(self.addr.parse().ok()?))
    }

    /// The command that carries the act out.
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

    /// The lengths to choose from, in seconds; none for a kick.
    fn times(&self) -> &'static [u64] {
        match self.act {
            Act::Kick => &[],
            Act::Mute => &MUTES,
            Act::Ban => &BANS,
        }
    }

    /// The chosen length in seconds; 0 for no end, and for a kick.
    fn seconds(&self) -> u64 {
        self.times().get(self.time).copied().unwrap_or(0)
    }

    /// The chosen length in words: `for 10min`.
    fn length(&self) -> String {
        match self.seconds() {
            0 => "until it is lifted".to_owned(),
            seconds if seconds == 100 * 365 * DAY => "for 100 years".to_owned(),
            seconds => format!("for {}", in_words(Duration::from_secs(seconds))),
        }
    }

    /// Handles a key.
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

    /// Adds a character to the reason, if there is room.
    fn add(&mut self, c: char) {
        if self.reason.len() + c.len_utf8() <= REASON {
            self.reason.push(c);
        }
    }

    /// Whether "yes" is accepted: the client is still here, the daemon answers, and it has been
    /// asked whom the act would hit.
    fn can_be_answered(&self, model: &Model) -> bool {
        model.client(&self.id).is_some() && self.hits != Hits::Asked && model.lost().is_none()
    }

    /// The client: `ann (c7)`, or `ann, now eve (c7)` if the nickname has changed since.
    fn who(&self, model: &Model) -> String {
        match model.client(&self.id).map(|client| &client.nick).filter(|nick| **nick != self.nick) {
            Some(now) => format!("{}, now {now} ({})", self.nick, self.id),
            None => format!("{} ({})", self.nick, self.id),
        }
    }

    /// The lines of the question, not escaped; and the keys that answer it.
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
        // The names come last, as there can be many.
        let words = [question, reason].into_iter().chain(lost).chain(hits);
        (words.collect(), keys)
    }

    /// A sentence about the other people whom the act would hit.
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
