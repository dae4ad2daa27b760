//! `ctl monitor`: the stream of events, one a line.

use serde_json::Value;

use super::failure::Failure;
use super::print;
use super::print::escape::escape;
use super::print::stderr::complain;
use super::print::values::time;
use super::session::Session;
use crate::client::Answers;
use crate::wire::admin::Command;
use crate::wire::admin::message::Place;
use crate::wire::admin::value::Time;

impl Session<'_, '_> {
    /// Prints a stream of events until it ends.
    pub(super) fn monitor(&mut self, command: &Command) -> Result<(), Failure> {
        let id = self.client.send(command, Answers::Stream)?;
        loop {
            let (event, place) = self.client.next_result(id)?;
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
                self.screen.line(&sentence(&event))?;
            }
            if !self.client.has_next() {
                self.screen.flush()?;
            }
        }
    }
}

/// How many events were lost before this one, because it was not read in time.
fn lost(event: &Value) -> u64 {
    event["lost"].as_u64().unwrap_or(0)
}

/// An event as people read it. Its keys are looked up one by one, so that one of a kind that only a newer daemon knows
/// is told as well.
fn sentence(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().filter(|text| !text.is_empty());
    let when = text("t").and_then(|t| t.parse::<Time>().ok()).map_or_else(|| "?".into(), |t| time(&t));
    let mut line = format!("{when}  {:<8} ", escape(text("event").unwrap_or("?")));
    match (text("nick"), text("client")) {
        (Some(nick), Some(client)) => line += &format!(" {nick} ({client})"),
        (Some(who), None) | (None, Some(who)) => line += &format!(" {who}"),
        (None, None) => {}
    }
    if let Some(room) = text("room") {
        line += &format!(" in {room}");
    }
    if let Some(said) = text("text") {
        let colon = if line.ends_with(' ') { " " } else { ": " };
        line += colon;
        line += said;
    }
    if let Some(by) = text("by") {
        line += &format!(" [by {by}]");
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_read_as_sentences_and_unknown_kinds_do_too() {
        let t = "2026-11-22T10:01:02.123Z";
        let join = json!({"event": "join", "t": t, "client": "c9", "nick": "eve", "room": "lobby", "lost": 0});
        assert_eq!(sentence(&join), "2026-11-22 10:01:02Z  join      eve (c9) in lobby");
        let kick = json!({"event": "kick", "t": t, "client": "c9", "text": "spam", "by": "uid 0", "lost": 2});
        assert_eq!(sentence(&kick), "2026-11-22 10:01:02Z  kick      c9: spam [by uid 0]");
        assert_eq!(lost(&kick), 2);
        let reload = json!({"event": "reload", "t": t, "by": "uid 0"});
        assert_eq!(sentence(&reload), "2026-11-22 10:01:02Z  reload    [by uid 0]");
        let refuse = json!({"event": "refuse", "t": t, "text": "too many from 192.0.2.0"});
        assert_eq!(sentence(&refuse), "2026-11-22 10:01:02Z  refuse    too many from 192.0.2.0");
        assert_eq!(sentence(&json!({"event": "wedding", "t": "soon"})), "?  wedding");
    }
}
