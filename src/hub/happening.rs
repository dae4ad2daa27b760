//! Events for the journal and the stream of events.

use super::Turn;
use core::net::SocketAddr;
use std::sync::Arc;

use super::{By, Effect};
use crate::values::id::SessionId;
use crate::values::time::{Now, Wall};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The kind of event.
    pub what: What,
    /// When it happened.
    pub at: Wall,
    /// The client to which it happened, or which did it.
    pub session: Option<SessionId>,
    /// The client's name then.
    pub nick: Option<Arc<str>>,
    /// The client's address.
    pub peer: Option<SocketAddr>,
    /// The name of the room.
    pub room: Option<Arc<str>>,
    /// The reason, topic or former name, depending on the kind of event.
    pub text: Option<Arc<str>>,
    /// The network, name, account or filtered text that the event is about, if it is about no
    /// client that is here; or the room for which a client has left another.
    pub target: Option<Arc<str>>,
    /// The label of the sanction, such as `b3`, if it is about one.
    pub called: Option<Arc<str>>,
    /// When the sanction or lockdown ends, if it is one that has an end.
    pub until: Option<Wall>,
    /// Whether the person that the event is about is not told.
    pub untold: bool,
    /// Whether a filter also gives a strike to people who say the words.
    pub striking: bool,
    /// The person who did it, if it was moderation.
    pub by: Option<By>,
    /// The name of the account of the operator or owner who did it.
    pub operator: Option<Arc<str>>,
}

impl Happening {
    /// The author in words, if it was moderation.
    #[must_use]
    pub fn by_whom(&self) -> Option<String> {
        Some(match self.by? {
            By::Admin { uid, .. } => format!("uid {uid}"),
            // Who sends people out of a room need not be an operator.
            By::Operator { account, .. } if matches!(self.what, What::Expelled | What::Readmitted) => {
                self.operator.as_deref().map_or_else(|| account.to_string(), ToOwned::to_owned)
            }
            By::Operator { account, .. } => match &self.operator {
                Some(name) => format!("operator {name}"),
                None => format!("operator {account}"),
            },
            By::Hub => "the hub".to_owned(),
        })
    }

    /// An event with no more than its kind and time.
    #[must_use]
    pub fn new(what: What, now: Now) -> Self {
        Self {
            what,
            at: now.wall,
            session: None,
            nick: None,
            peer: None,
            room: None,
            text: None,
            target: None,
            called: None,
            until: None,
            untold: false,
            striking: false,
            by: None,
            operator: None,
        }
    }
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A client connected.
    Arrived,
    /// A client has gone.
    Departed,
    /// A connection was refused.
    Refused,
    /// A client entered another room.
    Joined,
    /// A client left a room for another.
    Left,
    /// A client has another name.
    Renamed,
    /// A room was opened.
    RoomOpened,
    /// A room was closed.
    RoomClosed,
    /// The modes of a room have changed: who may come in, speak, or set its topic.
    RoomChanged,
    /// A room has another topic.
    Topic,
    /// A client was disconnected by an administrator.
    Kicked,
    /// A client was muted.
    Muted,
    /// A client is no longer muted.
    Unmuted,
    /// An administrator said something.
    Announced,
    /// A client sends faster than it may.
    Flood,
    /// A client has got a strike.
    Struck,
    /// A client reported another one.
    Reported,
    /// A report was closed.
    ReportClosed,
    /// A ban was made.
    Banned,
    /// A ban was lifted.
    Unbanned,
    /// A client was sent out of a room and may not come in again.
    Expelled,
    /// A client may come into a room again.
    Readmitted,
    /// A filter was made: texts with certain words in them reach nobody.
    FilterAdded,
    /// A filter was lifted.
    FilterLifted,
    /// Lines were made unreadable.
    Redacted,
    /// Lines are missing from the recorded history: the disk is too slow, or takes nothing.
    HistoryLost,
    /// Lines go into the recorded history again.
    HistoryResumed,
    /// Bans and accounts on disk cannot be read.
    Unread,
    /// Bans and accounts on disk could be read after all.
    Recalled,
    /// Somebody has registered a name, or an administrator has made an account.
    Registered,
    /// Somebody has logged in.
    LoggedIn,
    /// Somebody has logged out.
    LoggedOut,
    /// Somebody gave a wrong password, or a name that is no account's.
    LoginFailed,
    /// A moderator has given an account another role or password.
    AccountChanged,
    /// An account was removed.
    AccountRemoved,
    /// A lockdown began: newcomers are kept at the door, or from speaking, until they have logged
    /// in.
    LockdownBegun,
    /// The lockdown has ended.
    LockdownEnded,
    /// The hub stops.
    Stopping,
}

impl What {
    /// All kinds of events.
    pub const ALL: [Self; 38] = [
        Self::Arrived,
        Self::Departed,
        Self::Refused,
        Self::Joined,
        Self::Left,
        Self::Renamed,
        Self::RoomOpened,
        Self::RoomClosed,
        Self::RoomChanged,
        Self::Topic,
        Self::Kicked,
        Self::Muted,
        Self::Unmuted,
        Self::Announced,
        Self::Flood,
        Self::Struck,
        Self::Reported,
        Self::ReportClosed,
        Self::Banned,
        Self::Unbanned,
        Self::Expelled,
        Self::Readmitted,
        Self::FilterAdded,
        Self::FilterLifted,
        Self::Redacted,
        Self::HistoryLost,
        Self::HistoryResumed,
        Self::Unread,
        Self::Recalled,
        Self::Registered,
        Self::LoggedIn,
        Self::LoggedOut,
        Self::LoginFailed,
        Self::AccountChanged,
        Self::AccountRemoved,
        Self::LockdownBegun,
        Self::LockdownEnded,
        Self::Stopping,
    ];
}

impl Turn<'_> {
    /// Records an event about `id`, in the room where it is now.
    pub(super) fn happened(&mut self, what: What, id: SessionId, by: Option<By>, text: Option<Arc<str>>) {
        let happening = Happening { text, by, ..self.happening_of(what, id) };
        self.effects.push(Effect::Happened(happening));
    }

    /// An event about `id`, in the room where it is now.
    pub(super) fn happening_of(&self, what: What, id: SessionId) -> Happening {
        let session = &self.hub.people.sessions[&id];
        Happening {
            session: Some(id),
            nick: Some(session.nick.shown().into()),
            peer: Some(session.peer),
            room: self.hub.rooms.open.get(&session.room).map(|room| room.name.shown().into()),
            ..Happening::new(what, self.now)
        }
    }

    /// Records the event that `id` leaves its room, for the room `to` if there is one.
    pub(super) fn left_for(&mut self, id: SessionId, to: Option<Arc<str>>) {
        let happening = Happening { target: to, ..self.happening_of(What::Left, id) };
        self.effects.push(Effect::Happened(happening));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::id::AccountId;

    #[test]
    fn who_sends_people_out_of_a_room_need_not_be_an_operator() {
        let by = |what, operator: Option<&str>| {
            let by = Some(By::Operator { session: SessionId(3), account: AccountId(1) });
            let operator = operator.map(Into::into);
            Happening { by, operator, ..Happening::new(what, Now::default()) }.by_whom()
        };
        assert_eq!(by(What::Expelled, Some("mal")).as_deref(), Some("mal"));
        assert_eq!(by(What::Readmitted, Some("mal")).as_deref(), Some("mal"));
        assert_eq!(by(What::Expelled, None).as_deref(), Some("a1"));
        assert_eq!(by(What::Muted, Some("ann")).as_deref(), Some("operator ann"));
    }

    #[test]
    fn the_list_of_kinds_of_happenings_is_complete() {
        assert!(What::ALL.iter().enumerate().all(|(number, what)| *what as usize == number));
        assert_eq!(What::ALL.last(), Some(&What::Stopping), "the last one of the enum");
    }
}
