//! Executes the commands of the admin protocol that are about the hub: one function for each row of
//! the table.
//!
//! Pure: facts about a client that only the network knows are arguments ([`Facts`]). This module
//! does not know how an answer is sent, and reads nothing from disk: it selects lines of history,
//! and the connection's task reads them.
//!
//! | to change | see |
//! | --- | --- |
//! | which function executes a command | the table in [`crate::wire::admin`] |
//! | commands about clients, sanctions | `clients`, `sanctions` |
//! | commands about reports, accounts | `reports`, `accounts` |
//! | rooms, topics, lockdowns, notices of the hub | `rooms` |
//! | names that could mean several people | `naming` |
//! | selecting lines of history | [`history`] |
//! | long lists, made in steps | [`listing`] |

pub(super) mod accounts;
pub(super) mod clients;
pub mod history;
pub mod listing;
pub(super) mod naming;
pub(super) mod reports;
pub(super) mod rooms;
pub(super) mod sanctions;

use std::sync::Arc;
use std::time::Duration;

use crate::hub::archive::Selector;
use crate::hub::{By, Effect, Hub, Input, message};
use crate::values::id::SessionId;
use crate::values::name::Name;
use crate::values::text;
use crate::values::time::{Now, Wall};
use crate::wire::admin::Command;
use crate::wire::admin::message::ControlError;
use crate::wire::admin::result::{Encryption, HistoryStats, Proxy, ReportShown};
use crate::wire::admin::value::Text;

/// Facts about a client that the hub does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the client has shown that it speaks telnet.
    pub telnet: bool,
    /// The encryption of the connection; `None` if it is not encrypted.
    pub encryption: Option<Encryption>,
    /// The proxy in front of the client; `None` if there is none.
    pub proxy: Option<Proxy>,
    /// The traffic on the connection.
    pub traffic: Traffic,
}

/// The traffic on a client's connection, and what the client is still owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that the client is owed and has not taken.
    pub behind: u64,
    /// Lines that the client has missed because it was too slow.
    pub missed: u64,
    /// Bytes that this process has read from the client.
    pub received: u64,
    /// Bytes that the client has taken from this process.
    pub taken: u64,
}

/// The answer of a command, as far as the hub can make it; the connection's task completes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One result, as JSON.
    One(serde_json::Value),
    /// Lines of history from memory alone, in `tail`, to be sent one by one or together.
    Lines(Stored),
    /// Lines of history on disk, and later ones that are not on disk yet.
    Stored(Stored),
    /// The number of lines in [`Stored`], with what comes in addition, as
    /// [`super::result::Redacted`].
    Count(Stored, Beside),
    /// The amount of history in memory; the task adds what is on disk.
    Stats(HistoryStats),
    /// A report; the task looks on disk for reported lines that are not in memory.
    Report(Box<ReportShown>),
    /// Lines are made unreadable on disk by the record with this number; the store tells how many.
    /// Lines in memory are unreadable already.
    Redacting(u64, Beside),
    /// A copy of the history file, which the task makes.
    Backup,
}

/// Lines and topics that are made unreadable in addition to lines on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Lines in memory, most of which are on disk as well.
    pub memory: u64,
    /// Lines that were said in private rooms, which are not on disk.
    pub private: u64,
    /// Topics.
    pub topics: u64,
}

/// The name of a room and one of its lines of history, shared with the hub.
/// [`history::history_line`] turns it into the result later, because that takes longer and needs no
/// hub.
pub type InRoom = (Name, Arc<message::Line>);

/// Lines of history on disk, and later ones that are not on disk yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The selection of lines on disk.
    pub what: Selector,
    /// The most lines in all, the last ones; `None` for all.
    pub last: Option<u64>,
    /// Lines that are not on disk yet; they follow the others. They were not compared with the name
    /// and the text of `what` yet: see [`Self::selected`].
    pub tail: Vec<InRoom>,
    /// The room's name as it was given, if no such room is open: then the room must be known on
    /// disk.
    pub room: Option<String>,
    /// Redactions that may not be on disk yet: lines on disk that match one count as redacted.
    pub removed: Vec<Arc<Selector>>,
}

impl Stored {
    /// Leaves those lines in `tail` that are selected, in their order, and at most `last` of them. Then
    /// `last` is the most lines to read from disk. Texts are folded for it, which takes about a
    /// microsecond each: this is for a thread that nobody waits for, and not for the hub's.
    #[must_use]
    pub fn selected(mut self) -> Self {
        let Selector { nick, text, .. } = self.what.clone();
        let what = Selector { nick, text, ..Selector::default() };
        self.tail.retain(|(name, line)| what.matches(name.folded(), line));
        self.tail.sort_by_key(|(_, line)| line.seq);
        self.last = self.last.map(|last| {
            let skip = self.tail.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX));
            self.tail.drain(..skip);
            last - self.tail.len() as u64
        });
        self
    }
}

/// The context in which a command is executed.
pub(super) struct Call<'a> {
    pub(super) hub: &'a mut Hub,
    /// The administrator who has given the command.
    pub(super) by: By,
    pub(super) now: Now,
    pub(super) facts: &'a dyn Fn(SessionId) -> Facts,
    effects: &'a mut Vec<Effect>,
}

impl Call<'_> {
    /// Changes the hub, by an input. Commands have no other way to change it.
    fn change(&mut self, input: Input) {
        self.hub.handle(input, self.now, self.effects);
    }

    /// The wall-clock time `seconds` from now.
    fn later(&self, seconds: u64) -> Wall {
        self.now.wall.after(Duration::from_secs(seconds))
    }
}

/// Executes `command` for the administrator `by`; `None` if it is not about the hub.
pub fn answer(
    hub: &mut Hub,
    command: &Command,
    by: By,
    now: Now,
    facts: &dyn Fn(SessionId) -> Facts,
    effects: &mut Vec<Effect>,
) -> Option<Result<Answer, ControlError>> {
    command.on_hub(&mut Call { hub, by, now, facts, effects })
}

pub(super) fn one<T: serde::Serialize>(result: &T) -> Result<Answer, ControlError> {
    Ok(Answer::One(serde_json::to_value(result).expect("results are plain JSON")))
}

/// Checks the text of the argument `name`: it must be one line that is clean already, and empty or
/// visible. A text with a mistake is refused, not repaired.
fn clean_line(name: &str, text: &str) -> Result<Arc<str>, ControlError> {
    let wrong = |why| Err(ControlError::argument(name, why));
    match text {
        text if !text::is_clean(text) => {
            wrong("the text has a line end or another character that may not reach a screen")
        }
        text if !text.is_empty() && text::is_blank(text) => wrong("the text shows nothing"),
        text => Ok(text.into()),
    }
}

fn line_of<const MAX: usize>(name: &str, text: Option<&Text<MAX>>) -> Result<Option<Arc<str>>, ControlError> {
    text.map(|text| clean_line(name, text)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Settings;
    use crate::values::time::Mono;
    use crate::wire::admin::message::ErrorCode;

    /// The answer of an empty hub to a command.
    fn told(cmd: &str, args: serde_json::Value) -> Result<Answer, ControlError> {
        let command = Command::parse(cmd, args)?;
        let (now, mut effects) = (Now { mono: Mono(0), wall: Wall(1_795_000_000_000) }, Vec::new());
        let mut hub = Hub::new(Settings::default(), [7; 16], now, &mut effects);
        let by = By::Admin { uid: 0, pid: 1 };
        answer(&mut hub, &command, by, now, &|_| Facts::default(), &mut effects).expect("it is about the hub")
    }

    #[test]
    fn an_invalid_argument_is_named() {
        for (argument, cmd, args) in [
            ("off", "lockdown", json!({"off": true, "for_s": 60})),
            ("target", "bans.add", json!({"target": "10.0.0.256"})),
            ("target", "bans.test", json!({"target": "10.0.0.256"})),
            ("target", "sanctions.test", json!({"target": "10.0.0.256"})),
            ("who", "clients.mute", json!({"who": ["10.0.0.256"]})),
            ("who", "clients.mute", json!({"who": ["0.0.0.0/0"]})),
            ("reason", "clients.mute", json!({"who": ["ann"], "reason": "a\nb"})),
            ("reason", "bans.add", json!({"target": "ann", "reason": "a\nb"})),
            ("text", "filters.add", json!({"text": "a\nb"})),
            ("text", "rooms.topic", json!({"room": "lobby", "text": "a".repeat(5000)})),
            ("text", "rooms.topic", json!({"room": "lobby", "text": "a\nb"})),
            ("text", "rooms.topic", json!({"room": "lobby", "text": "   "})),
            ("text", "say", json!({"text": "   "})),
            ("text", "say", json!({"text": "a\nb"})),
            ("name", "accounts.add", json!({"name": "a b"})),
            ("hashed", "accounts.add", json!({"name": "ann", "hashed": "sesame"})),
        ] {
            let error = told(cmd, args).expect_err(cmd);
            let begins = format!("{argument:?}: ");
            assert!(error.code == ErrorCode::BadArgument && error.message.starts_with(&begins), "{cmd}: {error}");
        }
        for (words, cmd, args) in [
            ("\"slow_s\"", "rooms.set", json!({"room": "lobby"})),
            ("10.0.0.256\\n.", "bans.add", json!({"target": "10.0.0.256\n."})),
            ("a\\nb", "bans.add", json!({"target": "a\nb"})),
        ] {
            let error = told(cmd, args).expect_err(cmd);
            assert!(error.message.contains(words) && !error.message.contains('\n'), "{cmd}: {error}");
        }
    }

    #[test]
    fn a_client_that_is_not_there_is_not_found() {
        for (cmd, args) in [
            ("clients.mute", json!({"who": ["c99"]})),
            ("sanctions.test", json!({"target": "c99"})),
            ("clients.kick", json!({"who": ["c99"]})),
        ] {
            let error = told(cmd, args).expect_err(cmd);
            assert_eq!((error.code, &*error.message), (ErrorCode::NotFound, "no client \"c99\""), "{cmd}");
        }
    }

    #[test]
    fn who_is_named_twice_is_muted_once() {
        let Ok(Answer::One(muted)) = told("clients.mute", json!({"who": ["anna", "anna", "ANNA", "bert"]})) else {
            panic!("it is one answer");
        };
        let targets: Vec<_> = muted["sanctions"].as_array().into_iter().flatten().map(|one| &one["target"]).collect();
        assert_eq!(targets, ["anna", "bert"]);
    }

    #[test]
    fn a_network_with_bits_behind_its_length_is_pointed_out() {
        let slip = "10.1.2.3/8 is 10.0.0.0/8, a network of 16777216 addresses";
        for (code, cmd, args) in [
            (ErrorCode::Conflict, "bans.add", json!({"target": "10.1.2.3/8"})),
            (ErrorCode::BadArgument, "clients.mute", json!({"who": ["10.1.2.3/8"]})),
        ] {
            let error = told(cmd, args).expect_err(cmd);
            assert!(error.code == code && error.message.contains(slip), "{cmd}: {error}");
        }
        for (cmd, args) in [
            ("bans.add", json!({"target": "10.1.2.3/8", "yes": true})),
            ("bans.add", json!({"target": "10.0.0.0/8"})),
            ("bans.add", json!({"target": "::ffff:10.0.0.1"})),
            ("clients.mute", json!({"who": ["2001:db8::/48"]})),
        ] {
            assert!(told(cmd, args.clone()).is_ok(), "{cmd}: {args}");
        }
    }

    #[test]
    fn wrong_ids_of_reports_are_explained() {
        for (words, report) in [("runs backwards", "r5-r2"), ("write r1", "1"), ("r1, r2", "one")] {
            let error = told("reports.close", json!({"reports": [report]})).expect_err(report);
            assert!(error.message.contains(words), "{error}");
        }
    }
}
