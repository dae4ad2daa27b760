//! How values are written for people: counts, times, durations, sizes, addresses.

use std::time::Duration;

use crate::users;
use crate::values::time::in_words;
use crate::wire::admin::result::Person;
use crate::wire::admin::value::Time;

/// A number and the thing counted: `1 client`, `2 clients`. `thing` is in the singular; its plural
/// takes an s.
#[must_use]
pub(in crate::ctl) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A point in time to the second, UTC: `2026-11-22 10:01:02Z`.
#[must_use]
pub(in crate::ctl) fn time(time: &Time) -> String {
    let text = time.to_string();
    format!("{} {}Z", &text[..10], &text[11..19])
}

/// A duration in its two largest units: `2h 3min`.
#[must_use]
pub(in crate::ctl) fn span(seconds: u64) -> String {
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let two = |n: u64, unit: &str, m: u64, part: &str| {
        if m == 0 { format!("{n}{unit}") } else { format!("{n}{unit} {m}{part}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => two(minutes, "min", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// A number of bytes: `512B`, `1.5K`, `2.0M`.
#[must_use]
pub(in crate::ctl) fn bytes(number: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = u128::from(number) * 10 / u128::from(unit);
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    };
    match number {
        0 => "0".into(),
        1..0x400 => format!("{number}B"),
        0x400..0x10_0000 => tenths(0x400, "K"),
        0x10_0000..0x4000_0000 => tenths(0x10_0000, "M"),
        _ => tenths(0x4000_0000, "G"),
    }
}

/// An address and a port: `192.0.2.1:50312` or `[2001:db8::7]:50312`.
#[must_use]
pub(in crate::ctl) fn address(addr: &str, port: u16) -> String {
    if addr.contains(':') { format!("[{addr}]:{port}") } else { format!("{addr}:{port}") }
}

/// People, by nickname and id: `ann (c7), bob (c9)`, the lowest number first. Only the ids if the daemon is older and sends
/// no names; `nobody` if there are none.
pub(in crate::ctl) fn people(people: &[Person], ids: &[String]) -> String {
    /// The most people who are named; a ban can disconnect thousands.
    const NAMED: usize = 50;
    let mut all: Vec<(&str, String)> = if people.len() == ids.len() {
        people.iter().map(|person| (&*person.id, format!("{} ({})", person.nick, person.id))).collect()
    } else {
        ids.iter().map(|id| (&**id, id.clone())).collect()
    };
    // As text, c10 would come before c2.
    all.sort_by_key(|(id, _)| (id.len(), *id));
    let mut all: Vec<String> = all.into_iter().map(|(_, named)| named).collect();
    if all.is_empty() {
        return "nobody".to_owned();
    }
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    all.join(", ") + &and
}

/// The person who did something. The protocol writes a local user as `uid 0`; it becomes `root (0)`
/// if that user has a name on this machine.
pub(in crate::ctl) fn maker(by: &str) -> String {
    by.strip_prefix("uid ").and_then(|uid| uid.parse().ok()).map_or_else(|| by.to_owned(), users::called)
}

/// The same for a table, where the cell may be cut: an operator's name comes first.
pub(super) fn maker_in_table(by: &str) -> String {
    by.strip_prefix("operator ").map_or_else(|| maker(by), |name| format!("{name} (operator)"))
}

/// When a mute or ban ends, and after how long. The duration is printed so that the user notices a
/// mistyped one.
pub(super) fn until(end: Option<Time>, long: Option<Duration>) -> String {
    let Some(end) = end else { return "until it is lifted".to_owned() };
    let long = long.map_or_else(String::new, |long| format!(", in {}", in_words(long)));
    format!("until {}{long}", time(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_in_the_order_of_their_numbers() {
        let ids = ["c1", "c11", "c12", "c2"].map(String::from);
        assert_eq!(people(&[], &ids), "c1, c2, c11, c12");
        let person = |id: &str| Person { id: id.into(), nick: format!("guest-{id}") };
        let known = ids.each_ref().map(|id| person(id));
        assert_eq!(people(&known, &ids), "guest-c1 (c1), guest-c2 (c2), guest-c11 (c11), guest-c12 (c12)");
        assert_eq!(people(&[], &[]), "nobody");
    }

    #[test]
    fn spans_and_sizes_are_short() {
        let spans = [0, 59, 60, 61, 3600, 7380, 86_400, 100_000].map(span);
        assert_eq!(spans, ["0s", "59s", "1min", "1min 1s", "1h", "2h 3min", "1d", "1d 3h"]);
        assert_eq!([0, 512, 1536, 3 << 20, 5 << 30].map(bytes), ["0", "512B", "1.5K", "3.0M", "5.0G"]);
        assert_eq!(bytes(u64::MAX), "17179869183.9G");
    }
}
