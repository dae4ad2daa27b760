//! `ctl monitor`: prints the stream of events, one sentence a line.

use std::io;

use serde_json::Value;

use super::failure::Failure;
use super::print;
use super::print::escape::escape;
use super::print::stderr::{complain, note};
use super::print::values::{count, maker, time};
use super::session::Session;
use crate::client::{Answers, Error};
use crate::wire::admin::Command;
use crate::wire::admin::message::Place;
use crate::wire::admin::value::Time;

impl Session<'_, '_> {
    /// Prints events until the stream ends. If nothing happens for the time of `--timeout`,
    /// printing ends too, which is no failure.
    pub(super) fn monitor(&mut self, command: &Command) -> Result<(), Failure> {
        let id = self.client.send(command, Answers::Stream)?;
        loop {
            // The next event may be long in coming. Without this wait, only writing that event
            // would show that the reader is gone.
            if !self.client.has_next() && !self.client.wait_beside(io::stdout())? {
                return Err(Failure::Output(io::ErrorKind::BrokenPipe.into()));
            }
            let (event, place) = match self.client.next_result(id) {
                Ok(next) => next,
                Err(Error::Silent { after, .. }) => {
                    self.screen.flush()?;
                    if !self.screen.quiet {
                        note(&format!("Nothing has happened for {}.", humantime::format_duration(after)));
                    }
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            if place == Place::Last {
                return Ok(());
            }
            if self.screen.json {
                self.screen.json_line(&event)?;
            } else {
                let lost = lost(&event);
                if lost > 0 {
                    self.screen.flush()?;
                    complain(&format!("{} lost: this end reads too slowly", print::values::count(lost, "event")));
                }
                let (before, told) = line(&event);
                self.screen.hanging(&before, &told)?;
            }
            if !self.client.has_next() {
                self.screen.flush()?;
            }
        }
    }
}

/// How many events were lost before this one, because this program read too slowly.
fn lost(event: &Value) -> u64 {
    event["lost"].as_u64().unwrap_or(0)
}

/// An event in words: its time and its kind, and a sentence.
fn line(event: &Value) -> (String, String) {
    let text = |key: &str| event[key].as_str().filter(|text| !text.is_empty());
    let when = text("t").and_then(|t| t.parse::<Time>().ok()).map_or_else(|| "?".into(), |t| time(&t));
    let told = Told(event).sentence().unwrap_or_else(|| otherwise(event));
    let before = format!("{when}  {:<8}  ", escape(text("event").unwrap_or("?")));
    if told.is_empty() { (before.trim_end().to_owned(), told) } else { (before, told) }
}

/// An event for which there is no sentence, as of an unknown kind or an older daemon: its fields
/// one by one.
fn otherwise(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().filter(|text| !text.is_empty());
    let mut line = match (text("nick"), text("client")) {
        (Some(nick), Some(client)) => format!("{nick} ({client})"),
        (Some(who), None) | (None, Some(who)) => who.to_owned(),
        (None, None) => String::new(),
    };
    if let Some(room) = text("room") {
        line += &format!("{}in {room}", if line.is_empty() { "" } else { " " });
    }
    if let Some(to) = text("to") {
        line += &format!(" for {to}");
    }
    if let Some(said) = text("text") {
        line += &format!("{}{said}", if line.is_empty() { "" } else { ": " });
    }
    if let Some(by) = text("by") {
        line += &format!(" [by {}]", maker(by));
    }
    line
}

/// An event whose fields are read by name.
struct Told<'a>(&'a Value);

impl Told<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.0[key].as_str().filter(|text| !text.is_empty())
    }

    /// The client: `ann (c7)`.
    fn who(&self) -> String {
        match (self.text("nick"), self.text("client")) {
            (Some(nick), Some(client)) => format!("{nick} ({client})"),
            (Some(who), None) | (None, Some(who)) => who.to_owned(),
            (None, None) => "somebody".to_owned(),
        }
    }

    /// The target of a sanction.
    fn whom(&self) -> String {
        if self.text("nick").is_some() { self.who() } else { self.text("target").unwrap_or("somebody").to_owned() }
    }

    fn room(&self) -> &str {
        self.text("room").unwrap_or("a room")
    }

    /// The administrator, as the subject of a sentence.
    fn by(&self) -> String {
        self.text("by").map_or_else(|| "somebody".to_owned(), maker)
    }

    /// The reason in `key`, after a colon: `: why`; empty if there is none.
    fn because(&self, key: &str) -> String {
        self.text(key).map_or_else(String::new, |why| format!(": {why}"))
    }

    /// The end of a sanction, and the sanction's id.
    fn until(&self) -> String {
        let until = self.text("until").and_then(|until| until.parse::<Time>().ok());
        let until = until.map_or_else(|| "until it is lifted".to_owned(), |until| format!("until {}", time(&until)));
        match self.text("sanction") {
            Some(id) => format!("{until} ({id})"),
            None => until,
        }
    }

    /// The sanction's id after a space: ` b3`.
    fn called(&self) -> String {
        self.text("sanction").map_or_else(String::new, |id| format!(" {id}"))
    }

    /// The sentence; `None` if the event is of a kind that is not known here.
    fn sentence(&self) -> Option<String> {
        let (who, by, room) = (self.who(), self.by(), self.room());
        let or = |key: &str, other: &'static str| self.text(key).unwrap_or(other).to_owned();
        let because = self.because("text");
        Some(match (self.text("event")?, self.text("what").unwrap_or_default()) {
            ("join", "connect") => format!("{who} connected, and is in {room}"),
            ("join", "joined") => format!("{who} came into {room}"),
            ("leave", "left") => format!("{who} left {room} for {}", or("to", "another room")),
            ("leave", "disconnect") => format!("{who} left the hub; was in {room}{because}"),
            ("refuse", _) => format!("a connection was refused{because}"),
            ("nick", "rename") => match self.text("by") {
                None => format!("{} is {who} now", or("text", "somebody")),
                Some(_) => format!("{} is {who} now: {by} renamed them", or("text", "somebody")),
            },
            ("room", "opened") if self.text("nick").is_some() => format!("{who} opened {room}"),
            ("room", "opened") => format!("{room} was opened"),
            ("room", "closed") => match (self.text("by"), self.text("text")) {
                (Some(_), Some(text)) => {
                    let why = text.strip_prefix("closed").unwrap_or(text);
                    format!("{by} closed {room}{why}")
                }
                _ => format!("{room} is closed: the last one left"),
            },
            ("room", "changed") => match self.text("by").is_some() || self.text("nick").is_none() {
                true if self.text("by").is_some() => format!("{by} changed {room}{because}"),
                true => format!("{room} was changed{because}"),
                false => format!("{who} changed {room}{because}"),
            },
            ("topic", "topic") => {
                let who = if self.text("nick").is_some() { who } else { by };
                match self.text("text") {
                    Some(topic) => format!("{who} set the topic of {room}: {topic}"),
                    None => format!("{who} cleared the topic of {room}"),
                }
            }
            ("kick", "kick") => format!("{by} disconnected {who}{because}"),
            ("mute", "mute") => {
                let untold = if self.0["shadow"] == true { ", without telling them," } else { "" };
                format!("{by} muted {}{untold} {}{}", self.whom(), self.until(), self.because("reason"))
            }
            ("mute", "unmute") => format!("{by} lifted the mute{} of {}", self.called(), self.whom()),
            ("ban", "ban") => format!("{by} banned {} {}{}", self.whom(), self.until(), self.because("reason")),
            ("ban", "unban") => format!("{by} lifted the ban{} of {}", self.called(), self.whom()),
            ("expel", "expel") => {
                format!("{by} sent {} out of {room} {}{}", self.whom(), self.until(), self.because("reason"))
            }
            ("expel", "readmit") => {
                format!("{by} let {} into {room} again: the expulsion{} is lifted", self.whom(), self.called())
            }
            ("filter", "filter") => {
                format!("{by} keeps back {} {}{}", or("target", "some words"), self.until(), self.because("reason"))
            }
            ("filter", "unfilter") => {
                format!("{by} lifted the filter{} of {}", self.called(), or("target", "some words"))
            }
            ("say", "announce") => format!("{by} said something to {}", self.text("room").unwrap_or("everybody")),
            ("flood", "flood") => format!("{who} in {room} sends too fast: lines are dropped"),
            ("strike", "strike") => format!("a strike counts against {who} in {room}{because}"),
            ("report", "report") => format!("{who} made the report {}", or("text", "of somebody")),
            ("report", "close") => {
                let text = or("text", "of somebody");
                format!("{by} closed the report {}", text.strip_prefix("closed: ").unwrap_or(&text))
            }
            ("account", "register") => match self.text("by") {
                None => format!("{who} registered that name"),
                Some(_) => format!("{by} made the account {who}"),
            },
            ("account", "login") => format!("{who} logged in"),
            ("account", "logout") => format!("{who} logged out"),
            ("account", "failed") => format!("{who} {}", or("text", "failed to log in")),
            ("account", "changed") => {
                let text = self.text("text").map(|text| text.strip_prefix("changed: ").unwrap_or(text));
                format!("{by} changed the account {who}{}", text.map_or_else(String::new, |text| format!(": {text}")))
            }
            ("account", "removed") => match self.text("by") {
                None => format!("{who} gave up that name: the account is removed"),
                Some(_) => format!("{by} removed the account {who}"),
            },
            ("lockdown", "begun") => {
                // The length of the lockdown comes before the colon.
                let what = self.text("text").and_then(|text| text.split_once(": ")).map_or("", |(_, what)| what);
                let what = if what.is_empty() { String::new() } else { format!(": {what}") };
                format!("{by} began a lockdown {}{what}", self.until())
            }
            ("lockdown", "over") if self.text("by").is_some_and(|by| by != "the hub") => {
                format!("{by} ended the lockdown")
            }
            ("lockdown", "over") => "the lockdown is over".to_owned(),
            ("history", "redact") => {
                let who = if self.text("nick").is_some() { who } else { by };
                format!("{who} made lines unreadable")
            }
            ("history", "lost") => "lines are said and not recorded".to_owned(),
            ("history", "resumed") => format!("recording goes on{because}"),
            ("history", "unread") => "bans and accounts on disk cannot be read".to_owned(),
            ("history", "recalled") => "bans and accounts on disk are known again".to_owned(),
            ("reload", _) => match self.text("text") {
                None => "the settings were read again; nothing has changed".to_owned(),
                Some(changed) => {
                    let settings = changed.split(' ').count() as u64;
                    format!("the settings were read again; {} changed: {changed}", count(settings, "setting"))
                }
            },
            ("shutdown", _) => format!("the hub is going to stop{because}"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Happening, What};
    use crate::values::time::{Mono, Now, Wall};
    use crate::wire::admin::event::{Event, happened};
    use serde_json::json;

    #[test]
    fn events_read_as_sentences() {
        let t = "2026-11-22T10:01:02.123Z";
        let until = "2026-11-22T12:00:00.000Z";
        for (event, told) in [
            (
                json!({"event": "join", "what": "connect", "client": "c9", "nick": "eve", "room": "lobby", "lost": 0}),
                "join      eve (c9) connected, and is in lobby",
            ),
            (
                json!({"event": "leave", "what": "disconnect", "client": "c9", "nick": "eve", "room": "tea",
                    "text": "connection lost"}),
                "leave     eve (c9) left the hub; was in tea: connection lost",
            ),
            (
                json!({"event": "leave", "what": "left", "client": "c9", "nick": "eve", "room": "lobby", "to": "tea"}),
                "leave     eve (c9) left lobby for tea",
            ),
            (
                json!({"event": "nick", "what": "rename", "client": "c11", "nick": "Eve", "room": "lobby",
                    "text": "guest-k6x7"}),
                "nick      guest-k6x7 is Eve (c11) now",
            ),
            (
                json!({"event": "mute", "what": "mute", "client": "c2", "nick": "bob", "by": "uid 0", "shadow": true,
                    "until": until, "sanction": "m1", "text": "without being told: spam", "reason": "spam"}),
                "mute      root (0) muted bob (c2), without telling them, until 2026-11-22 12:00:00Z (m1): spam",
            ),
            (
                json!({"event": "ban", "what": "ban", "target": "192.0.2.0/24", "by": "operator ann",
                    "sanction": "b2", "text": "192.0.2.0/24"}),
                "ban       operator ann banned 192.0.2.0/24 until it is lifted (b2)",
            ),
            (
                json!({"event": "kick", "what": "kick", "client": "c9", "nick": "eve", "text": "spam", "by": "uid 0"}),
                "kick      root (0) disconnected eve (c9): spam",
            ),
            (
                json!({"event": "account", "what": "register", "nick": "zed", "text": "registered", "by": "uid 0"}),
                "account   root (0) made the account zed",
            ),
            (
                json!({"event": "lockdown", "what": "over", "sanction": "l5", "by": "operator ann"}),
                "lockdown  operator ann ended the lockdown",
            ),
            (json!({"event": "lockdown", "what": "over", "by": "the hub"}), "lockdown  the lockdown is over"),
            (
                json!({"event": "reload", "text": "hub.name limits.line"}),
                "reload    the settings were read again; 2 settings changed: hub.name limits.line",
            ),
            (
                json!({"event": "room", "what": "closed", "room": "tea", "by": "uid 0", "text": "closed: late"}),
                "room      root (0) closed tea: late",
            ),
        ] {
            let mut event = event;
            event["t"] = json!(t);
            let (before, sentence) = line(&event);
            assert_eq!(before + &sentence, format!("2026-11-22 10:01:02Z  {told}"));
        }
    }

    #[test]
    fn events_that_are_not_known_are_told_too() {
        let kick = json!({"event": "kick", "t": "2026-11-22T10:01:02.123Z", "client": "c9", "text": "spam",
            "by": "uid 0", "lost": 2});
        let told = ("2026-11-22 10:01:02Z  kick      ".to_owned(), "c9: spam [by root (0)]".to_owned());
        assert_eq!(line(&kick), told, "of an older daemon");
        assert_eq!(lost(&kick), 2);
        assert_eq!(line(&json!({"event": "wedding", "t": "soon"})), ("?  wedding".to_owned(), String::new()));
    }

    /// For every kind of event of this daemon, with each field that may be absent, the sentence has
    /// no empty slot.
    #[test]
    fn no_sentence_has_an_empty_slot() {
        let at = Now { mono: Mono(0), wall: Wall(0) };
        for what in What::ALL {
            let Event { event: kind, what: Some(word), .. } = happened(&Happening::new(what, at)) else {
                panic!("{what:?}")
            };
            {
                for known in 0..64_u32 {
                    let mut event = json!({"event": kind, "what": word, "t": "2026-11-22T10:01:02.123Z"});
                    let keys = ["nick", "client", "room", "text", "by", "target"];
                    for (bit, key) in keys.iter().enumerate() {
                        if known & (1 << bit) != 0 {
                            event[*key] = json!("thing");
                        }
                    }
                    let (_, told) = line(&event);
                    for wrong in ["  ", " ,", ": :", "()", "None"] {
                        assert!(!told.trim_start().contains(wrong), "{wrong:?} in {told:?} of {event}");
                    }
                    assert!(!told.ends_with([':', ' ', ',']), "{told:?} of {event}");
                }
            }
        }
    }
}
