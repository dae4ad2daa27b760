//! A happening of the hub as an event of the journal: its number, its words, its fields.

use std::fmt;

use tracing::{info, warn};

use super::{InWords, ids};
use crate::hub::{By, Happening, What};

/// Logs what happened.
pub(super) fn write(happening: &Happening) {
    // What people write is not logged, so no topic. The stream of events has them.
    let private = happening.what == What::Topic && happening.by.is_none();
    let reason = happening.text.as_deref().filter(|_| !private);
    macro_rules! log {
        ($id:expr, $text:literal) => {
            info!(
                message_id = $id,
                chathub_client = happening.session.map(tracing::field::display),
                chathub_nick = happening.nick.as_deref(),
                chathub_room = happening.room.as_deref(),
                chathub_addr = happening.peer.map(|peer| tracing::field::display(peer.ip().to_canonical())),
                chathub_port = happening.peer.map(|peer| peer.port()),
                chathub_reason = reason,
                chathub_admin_uid = happening.by.and_then(By::uid),
                chathub_admin_pid = happening.by.and_then(By::pid),
                "{}{}",
                $text,
                InWords(Whom { happening, reason })
            )
        };
    }
    match happening.what {
        What::Arrived => log!(ids::ARRIVED, "client arrived"),
        What::Departed => log!(ids::DEPARTED, "client left"),
        What::Refused => log!(ids::REFUSED, "connection refused"),
        What::Joined => log!(ids::MOVED, "client joined a room"),
        What::Left => log!(ids::MOVED, "client left a room"),
        What::Renamed => log!(ids::MOVED, "client changed its name"),
        What::RoomOpened => log!(ids::ROOM, "room opened"),
        What::RoomChanged => log!(ids::ROOM, "room changed"),
        What::RoomClosed => log!(ids::ROOM, "room closed"),
        What::Topic => log!(ids::ROOM, "topic changed"),
        What::Kicked => log!(ids::KICKED, "client kicked"),
        What::Muted => log!(ids::MUTED, "client muted"),
        What::Unmuted => log!(ids::MUTED, "client unmuted"),
        What::Announced => log!(ids::ADMIN, "notice sent"),
        What::Flood => log!(ids::FLOOD, "client sends too fast: its lines are dropped"),
        What::Struck => log!(ids::STRIKE, "a strike counts against a client"),
        What::Reported => log!(ids::REPORTED, "report made"),
        What::ReportClosed => log!(ids::REPORTED, "report closed"),
        What::Banned => log!(ids::BANNED, "ban added"),
        What::Unbanned => log!(ids::BANNED, "ban lifted"),
        What::Expelled => log!(ids::EXPELLED, "somebody was sent out of a room"),
        What::Readmitted => log!(ids::EXPELLED, "somebody may come into a room again"),
        What::Redacted => log!(ids::HISTORY, "lines of history made unreadable"),
        What::HistoryLost => log!(ids::HISTORY, "lines are not recorded: the disk does not keep up or takes nothing"),
        What::Unread => warn!(
            message_id = ids::RECALL,
            chathub_error = happening.text.as_deref(),
            "bans and accounts on disk cannot be read now; they are as soon as the disk allows it{}",
            InWords(happening.text.as_deref().unwrap_or_default())
        ),
        What::Recalled => log!(ids::RECALL, "bans and accounts on disk are known again"),
        What::HistoryResumed => log!(ids::HISTORY, "lines are recorded again"),
        What::Registered => log!(ids::ACCOUNT, "account made"),
        What::LoggedIn => log!(ids::LOGIN, "client logged in"),
        What::LoggedOut => log!(ids::LOGIN, "client logged out"),
        What::LoginFailed => log!(ids::LOGIN, "login failed"),
        What::AccountChanged => log!(ids::ACCOUNT, "account changed"),
        What::AccountRemoved => log!(ids::ACCOUNT, "account removed"),
        What::LockdownBegun => log!(ids::LOCKDOWN, "lockdown"),
        What::LockdownEnded => log!(ids::LOCKDOWN, "lockdown over"),
        What::Stopping => log!(ids::STOPPING, "stopping"),
    }
}

/// To whom something happened, where, by whom and why: in words.
struct Whom<'a> {
    happening: &'a Happening,
    reason: Option<&'a str>,
}

impl fmt::Display for Whom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { happening, reason } = self;
        if let Some(nick) = &happening.nick {
            write!(f, "{nick}")?;
            if let Some(session) = happening.session {
                write!(f, " ({session})")?;
            }
        }
        if let Some(room) = &happening.room {
            write!(f, "{}in {room}", if happening.nick.is_some() { " " } else { "" })?;
        }
        if let Some(peer) = happening.peer {
            write!(f, " from {}", peer.ip().to_canonical())?;
        }
        match (happening.by.and_then(By::uid), happening.by_whom()) {
            (Some(uid), _) => write!(f, ", by user {uid}")?,
            (None, Some(by)) => write!(f, ", by {by}")?,
            (None, None) => {}
        }
        if let Some(reason) = reason {
            write!(f, ", {reason}")?;
        }
        Ok(())
    }
}
