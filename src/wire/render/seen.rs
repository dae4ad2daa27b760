//! The answer to /seen: whether a person is here, or when they were here last.

use super::page::Page;
use super::times::{date_and_time, length};
use super::{is_away, notice};
use crate::hub::message::Seen;

/// Appends the answer.
pub(super) fn seen(found: &Seen, out: &mut Page<'_>) {
    match found {
        Seen::Here { name, nick, room, idle, away } => {
            let other = name.as_deref().map_or_else(String::new, |name| format!(" ({name})"));
            notice(out, &[nick, &other, " is here, in ", room, ", idle ", &length(*idle)]);
            is_away(nick, away.as_deref(), out);
        }
        Seen::Last { name, at, ago } => {
            notice(out, &[name, " was here last ", &length(*ago), " ago, ", &date_and_time(*at)]);
        }
        Seen::Never { name, since } => {
            notice(out, &["nobody has logged in as ", name, " since it was registered, ", &date_and_time(*since)]);
        }
        Seen::Left { nick, ago } => notice(out, &[nick, " left ", &length(*ago), " ago"]),
        Seen::Not(name) => {
            notice(out, &["nobody called ", name, " is here or has left of late; the name is not registered"])
        }
    }
}
