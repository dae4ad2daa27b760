//! A happening of the hub as an event for the journal: its number, its text, its fields.

use tracing::{info, warn};

use super::{InWords, ids};
use crate::hub::{By, Happening, What};
use crate::users;
use crate::wire::admin::value::Time;

/// Logs a happening.
pub(super) fn write(happening: &Happening) {
    let (id, text) = kind(happening.what);
    if happening.what == What::Unread {
        let known = happening.text.as_deref().unwrap_or_default();
        return warn!(message_id = id, chathub_error = known, "{text}{}", InWords(known));
    }
    let reason = reason(happening);
    info!(
        message_id = id,
        chathub_client = happening.session.map(tracing::field::display),
        chathub_nick = happening.nick.as_deref(),
        chathub_room = happening.room.as_deref(),
        chathub_addr = happening.peer.map(|peer| tracing::field::display(peer.ip().to_canonical())),
        chathub_port = happening.peer.map(|peer| peer.port()),
        chathub_target = happening.target.as_deref(),
        chathub_sanction = happening.called.as_deref(),
        chathub_until = happening.until.map(|until| tracing::field::display(Time(until))),
        chathub_reason = reason,
        chathub_admin_uid = happening.by.and_then(By::uid),
        chathub_admin_pid = happening.by.and_then(By::pid),
        chathub_by = by_whom(happening).as_deref(),
        "{text}{}",
        InWords(words(happening))
    );
}

/// The reason or text of a happening, for the journal. What people write is not logged, so a topic
/// that they set is left out.
fn reason(happening: &Happening) -> Option<&str> {
    let private = happening.what == What::Topic && happening.by.is_none();
    happening.text.as_deref().filter(|text| !private && !text.is_empty())
}

/// The event's number, and the beginning of its message.
const fn kind(what: What) -> (&'static str, &'static str) {
    match what {
        What::Arrived => (ids::ARRIVED, "client arrived"),
        What::Departed => (ids::DEPARTED, "client left"),
        What::Refused => (ids::REFUSED, "connection refused"),
        What::Joined => (ids::MOVED, "client joined a room"),
        What::Left => (ids::MOVED, "client left a room"),
        What::Renamed => (ids::MOVED, "client changed its name"),
        What::RoomOpened => (ids::ROOM, "room opened"),
        What::RoomChanged => (ids::ROOM, "room changed"),
        What::RoomClosed => (ids::ROOM, "room closed"),
        What::Topic => (ids::ROOM, "topic changed"),
        What::Kicked => (ids::KICKED, "client kicked"),
        What::Muted => (ids::MUTED, "somebody was muted"),
        What::Unmuted => (ids::MUTED, "somebody may be heard again"),
        What::Announced => (ids::ADMIN, "notice sent"),
        What::Flood => (ids::FLOOD, "client sends too fast: its lines are dropped"),
        What::Struck => (ids::STRIKE, "a strike counts against a client"),
        What::Reported => (ids::REPORTED, "report made"),
        What::ReportClosed => (ids::REPORTED, "report closed"),
        What::Banned => (ids::BANNED, "ban added"),
        What::Unbanned => (ids::BANNED, "ban lifted"),
        What::Expelled => (ids::EXPELLED, "somebody was sent out of a room"),
        What::Readmitted => (ids::EXPELLED, "somebody may come into a room again"),
        What::FilterAdded => (ids::FILTER, "filter added"),
        What::FilterLifted => (ids::FILTER, "filter lifted"),
        What::Redacted => (ids::HISTORY, "lines of history made unreadable"),
        What::HistoryLost => (ids::HISTORY, "lines are not recorded: the disk does not keep up or takes nothing"),
        What::Unread => {
            (ids::RECALL, "bans and accounts on disk cannot be read now; they are as soon as the disk allows it")
        }
        What::Recalled => (ids::RECALL, "bans and accounts on disk are known again"),
        What::HistoryResumed => (ids::HISTORY, "lines are recorded again"),
        What::Registered => (ids::ACCOUNT, "account made"),
        What::LoggedIn => (ids::LOGIN, "client logged in"),
        What::LoggedOut => (ids::LOGIN, "client logged out"),
        What::LoginFailed => (ids::LOGIN, "login failed"),
        What::AccountChanged => (ids::ACCOUNT, "account changed"),
        What::AccountRemoved => (ids::ACCOUNT, "account removed"),
        What::LockdownBegun => (ids::LOCKDOWN, "lockdown"),
        What::LockdownEnded => (ids::LOCKDOWN, "lockdown over"),
        What::Stopping => (ids::STOPPING, "stopping"),
    }
}

/// Who did it: `root (0)`, `operator ann`, `the hub`.
fn by_whom(happening: &Happening) -> Option<String> {
    happening.by.and_then(By::uid).map(users::called).or_else(|| happening.by_whom())
}

/// The rest of the message: whom it happened to, where, until when, by whom and why. What is not
/// known is left out.
fn words(happening: &Happening) -> String {
    let is_new = matches!(happening.what, What::Banned | What::Muted | What::Expelled | What::FilterAdded);
    let mut parts: Vec<String> = Vec::new();
    let who = match (&happening.nick, happening.session) {
        (Some(nick), Some(session)) => Some(format!("{nick} ({session})")),
        (Some(nick), None) => Some(nick.to_string()),
        (None, Some(session)) => Some(session.to_string()),
        (None, None) => None,
    };
    let from = happening.peer.map(|peer| peer.ip().to_canonical());
    let is_expulsion = matches!(happening.what, What::Expelled | What::Readmitted);
    let place = happening.room.as_ref().map(|room| match (is_expulsion, &who) {
        (true, _) => format!("room {room}"),
        (false, Some(_)) => format!("in {room}"),
        (false, None) => room.to_string(),
    });
    let mut first: Vec<String> = who.into_iter().collect();
    first.extend(place.iter().filter(|_| !is_expulsion).cloned());
    first.extend(from.map(|from| format!("from {from}")));
    if !first.is_empty() {
        parts.push(first.join(" "));
    }
    parts.extend(happening.target.as_deref().map(|target| match happening.what {
        What::LoginFailed => format!("as {target}"),
        What::Left => format!("for {target}"),
        _ => target.to_owned(),
    }));
    parts.extend(place.filter(|_| is_expulsion));
    if happening.untold && is_new {
        parts.push("without being told".to_owned());
    }
    if happening.striking && is_new {
        parts.push("with strikes".to_owned());
    }
    match happening.until {
        Some(until) => parts.push(format!("until {}", Time(until))),
        None if is_new => parts.push("until it is lifted".to_owned()),
        None => {}
    }
    parts.extend(by_whom(happening).map(|by| format!("by {by}")));
    parts.extend(happening.called.as_deref().map(str::to_owned));
    parts.extend(reason(happening).map(|reason| match happening.what {
        What::Renamed => format!("formerly {reason}"),
        What::Departed
        | What::Refused
        | What::Kicked
        | What::Muted
        | What::Banned
        | What::Expelled
        | What::FilterAdded => {
            format!("because: {reason}")
        }
        _ => reason.to_owned(),
    }));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::id::{AccountId, SessionId};
    use crate::values::time::{Mono, Now, Wall};

    /// A happening with the values that the bits of `known` select.
    fn happening(what: What, known: u32) -> Happening {
        let is = |bit: u32| known & (1 << bit) != 0;
        let text = |bit: u32, text: &str| is(bit).then(|| text.into());
        let by = match (known >> 8) % 4 {
            0 => None,
            1 => Some(By::Admin { uid: 0, pid: 7 }),
            2 => Some(By::Operator { session: SessionId(3), account: AccountId(4) }),
            _ => Some(By::Hub),
        };
        Happening {
            session: is(0).then_some(SessionId(7)),
            nick: text(1, "ann"),
            peer: is(2).then(|| "192.0.2.1:5".parse().expect("an address")),
            room: text(3, "tea"),
            text: if is(4) { Some(if is(5) { "spam" } else { "" }.into()) } else { None },
            target: text(5, "192.0.2.0/24"),
            called: text(6, "b3"),
            until: is(7).then_some(Wall(1_700_000_000_000)),
            untold: is(6),
            striking: is(2),
            by,
            operator: text(3, "bob"),
            ..Happening::new(what, Now { mono: Mono(0), wall: Wall(0) })
        }
    }

    #[test]
    fn no_message_has_an_empty_slot_whatever_is_absent() {
        for what in What::ALL {
            for known in 0..1 << 10 {
                let happening = happening(what, known);
                let words = words(&happening);
                let whole = format!("{}: {words}", kind(what).1);
                for wrong in
                    ["  ", " ,", ",,", ", ,", ": ,", ":,", "()", "( ", "\"\"", "None", "Some(", "user 0", "uid 0"]
                {
                    assert!(!words.contains(wrong), "{wrong:?} in {whole:?} of {happening:?}");
                }
                assert!(!words.starts_with([',', ' ', ':']), "{whole:?}");
                assert!(!words.ends_with([',', ' ', ':', '(']), "{whole:?}");
                let last = words.rsplit([' ', ',']).next().unwrap_or_default();
                assert!(!["by", "in", "from", "as", "until", "because:", "formerly"].contains(&last), "{whole:?}");
            }
        }
    }

    #[test]
    fn a_message_has_all_that_is_known_of_a_happening() {
        let said = |what, known| words(&happening(what, known));
        assert_eq!(said(What::Arrived, 0b1111), "ann (c7) in tea from 192.0.2.1");
        assert_eq!(said(What::RoomOpened, 0b1000), "tea");
        assert_eq!(
            said(What::Banned, 0b01_1111_0000),
            "192.0.2.0/24, without being told, until 2023-11-14T22:13:20.000Z, by root (0), b3, because: spam"
        );
        assert_eq!(said(What::Kicked, 0b01_0000_0111), "ann (c7) from 192.0.2.1, by root (0)");
        assert_eq!(said(What::Muted, 0b01_0000_0011), "ann (c7), until it is lifted, by root (0)");
        assert_eq!(said(What::Stopping, 0), "");
        assert_eq!(said(What::LoginFailed, 0b10_0111), "ann (c7) from 192.0.2.1, as 192.0.2.0/24");
    }

    /// The fields that this happening has in the journal.
    fn fields(happening: &Happening) -> Vec<&'static str> {
        [
            ("CHATHUB_CLIENT", happening.session.is_some()),
            ("CHATHUB_NICK", happening.nick.is_some()),
            ("CHATHUB_ADDR", happening.peer.is_some()),
            ("CHATHUB_PORT", happening.peer.is_some()),
            ("CHATHUB_REASON", reason(happening).is_some()),
            ("CHATHUB_BY", happening.by.is_some()),
            ("CHATHUB_TARGET", happening.target.is_some()),
            ("CHATHUB_SANCTION", happening.called.is_some()),
            ("CHATHUB_ERROR", happening.what == What::Unread),
        ]
        .into_iter()
        .filter_map(|(name, is_there)| is_there.then_some(name))
        .collect()
    }

    /// If a field is missing, `journalctl -x` prints its name instead. So the catalog may name only
    /// fields that every such event has.
    #[test]
    fn what_the_catalog_may_name_is_always_there() {
        for what in What::ALL {
            let always = ids::always(kind(what).0);
            // The least that `Turn::happened` knows: of the client, of a sanction, of an
            // administrator.
            let least = match what {
                What::Banned | What::Unbanned | What::Muted | What::Unmuted | What::Expelled | What::Readmitted => {
                    1 << 6 | 1 << 8
                }
                What::FilterAdded | What::FilterLifted => 1 << 5 | 1 << 6 | 1 << 8,
                What::Kicked => 0b111 | 1 << 8,
                What::Refused | What::Struck => 0b111 | 1 << 4 | 1 << 5,
                What::Announced | What::Redacted | What::LockdownBegun | What::LockdownEnded | What::ReportClosed => {
                    1 << 8
                }
                What::Arrived
                | What::Departed
                | What::Joined
                | What::Left
                | What::Renamed
                | What::Flood
                | What::LoggedIn
                | What::LoggedOut
                | What::LoginFailed => 0b111,
                What::Registered | What::AccountChanged | What::AccountRemoved => 0b10,
                _ => 0,
            };
            let known = fields(&happening(what, least));
            for field in always {
                assert!(known.contains(field), "{what:?} does not always have {field}: {known:?}");
            }
        }
    }
}
