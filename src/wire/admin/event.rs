//! Events: what `events.subscribe` streams, and what becomes one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hub::{Happening, What, message};
use crate::wire::admin::value::Time;

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody connected, or came into a room.
    Join,
    /// Somebody left a room, or disconnected.
    Leave,
    /// Somebody has another name.
    Nick,
    /// Something was said in a room.
    Say,
    /// A room was opened, closed, or changed: who comes in, who speaks.
    Room,
    /// A room has another topic.
    Topic,
    /// Somebody was disconnected by an administrator or an operator.
    Kick,
    /// Somebody was muted, or may speak again.
    Mute,
    /// A connection was refused.
    Refuse,
    /// Somebody sends too fast, or reads too slowly.
    Flood,
    /// Something counts against somebody.
    Strike,
    /// Somebody reported somebody, or a report was closed.
    Report,
    /// Somebody is kept out, or no longer.
    Ban,
    /// Somebody was sent out of a room, or may come again.
    Expel,
    /// A filter was added or lifted.
    Filter,
    /// A lockdown has begun, or is over.
    Lockdown,
    /// An account was made, changed or removed, or somebody has logged in or out, or failed to.
    Account,
    /// Recorded history has a gap, or again none, or lines of it were made unreadable.
    History,
    /// The settings were read again.
    Reload,
    /// The hub is going to stop.
    Shutdown,
}

/// Something that happened. Fields that do not apply are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The kind of the event.
    pub event: EventKind,
    /// When the event happened.
    pub t: Time,
    /// The id of the client that the event is about, such as `c7`; absent if it is about none that is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The name of the client that the event is about; absent if it is about none that is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The name of the room in which it happened; absent if it happened in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The name of the room that the client has left this one for; absent if it disconnected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What was said, the reason, the topic or the former name; of a sanction, whom it is about and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who did it, such as `uid 0` for an administrator; absent if nobody in particular did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What happened, in one word, where `event` is more than one thing: `disconnect` or `left` of `leave`, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The reason alone, where `text` says more than that; absent if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the event is about, if that is nobody who is here: a network, a name, an account or a filtered text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The id of the ban, mute, expulsion, filter or lockdown that the event is about; absent if it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sanction: Option<String>,
    /// When the sanction ends; absent if it lasts until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Whether the person who is muted is not told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// The number of events before this one that the subscriber was too slow to be sent.
    pub lost: u64,
}

impl Event {
    /// One of which nothing else is known.
    #[must_use]
    pub const fn new(event: EventKind, t: Time) -> Self {
        Self {
            event,
            t,
            client: None,
            nick: None,
            room: None,
            to: None,
            text: None,
            by: None,
            what: None,
            reason: None,
            target: None,
            sanction: None,
            until: None,
            shadow: false,
            lost: 0,
        }
    }
}

/// What a subscriber is told of a happening.
#[must_use]
pub fn happened(happening: &Happening) -> Event {
    let event = kind(happening.what);
    let (to, target) = match happening.what {
        What::Left => (happening.target.as_deref(), None),
        _ => (None, happening.target.as_deref()),
    };
    let text = match happening.what {
        What::RoomOpened => Some("opened".to_owned()),
        What::RoomClosed => Some(happening.text.as_deref().map_or("closed".into(), |why| format!("closed: {why}"))),
        What::Unmuted => Some("unmuted".to_owned()),
        What::Registered => Some("registered".to_owned()),
        What::LoggedIn => Some(happening.text.as_deref().map_or("logged in".into(), |how| format!("logged in {how}"))),
        What::LoggedOut => Some("logged out".to_owned()),
        What::LoginFailed => happening.target.as_deref().map(|name| format!("failed to log in as {name}")),
        What::AccountChanged => happening.text.as_deref().map(|what| format!("changed: {what}")),
        What::AccountRemoved => Some("removed".to_owned()),
        What::ReportClosed => happening.text.as_deref().map(|what| format!("closed: {what}")),
        What::Unbanned | What::FilterLifted => whom_and_why(happening).map(|target| format!("lifted: {target}")),
        What::Banned | What::Muted | What::Expelled | What::Readmitted | What::FilterAdded => whom_and_why(happening),
        What::LockdownEnded => Some("over".to_owned()),
        What::Redacted => Some("lines were made unreadable".to_owned()),
        What::HistoryLost => Some("lines are said and not recorded".to_owned()),
        What::Unread => Some("bans and accounts on disk cannot be read".to_owned()),
        What::Recalled => Some("bans and accounts on disk are known again".to_owned()),
        _ => happening.text.as_deref().map(str::to_owned),
    };
    Event {
        event,
        t: Time(happening.at),
        client: happening.session.map(|session| session.to_string()),
        nick: happening.nick.as_deref().map(str::to_owned),
        room: happening.room.as_deref().map(str::to_owned),
        to: to.map(str::to_owned),
        text,
        by: happening.by_whom(),
        what: Some(word(happening.what).to_owned()),
        reason: is_sanction(happening.what).then(|| happening.text.as_deref().map(str::to_owned)).flatten(),
        target: target.map(str::to_owned),
        sanction: happening.called.as_deref().map(str::to_owned),
        until: happening.until.map(Time),
        shadow: happening.untold,
        lost: 0,
    }
}

const fn is_sanction(what: What) -> bool {
    use What::{Banned, Expelled, FilterAdded, FilterLifted, Muted, Readmitted, Unbanned, Unmuted};
    matches!(what, Banned | Unbanned | Muted | Unmuted | Expelled | Readmitted | FilterAdded | FilterLifted)
}

/// Whom a sanction is about, if they are not here, how, and why: in one text.
fn whom_and_why(happening: &Happening) -> Option<String> {
    let how = match (&happening.room, happening.untold) {
        (Some(room), _) => Some(format!("from {room}")),
        (None, true) => Some("without being told".to_owned()),
        (None, false) => happening.striking.then(|| "with strikes".to_owned()),
    };
    let whom: Vec<String> = happening.target.as_deref().map(str::to_owned).into_iter().chain(how).collect();
    let whom = whom.join(" ");
    match &happening.text {
        None => Some(whom).filter(|whom| !whom.is_empty()),
        Some(reason) if whom.is_empty() => Some(reason.to_string()),
        Some(reason) => Some(format!("{whom}: {reason}")),
    }
}

/// The kind of event that a happening is.
const fn kind(what: What) -> EventKind {
    match what {
        What::Arrived | What::Joined => EventKind::Join,
        What::Departed | What::Left => EventKind::Leave,
        What::Refused => EventKind::Refuse,
        What::Renamed => EventKind::Nick,
        What::RoomOpened | What::RoomClosed | What::RoomChanged => EventKind::Room,
        What::Topic => EventKind::Topic,
        What::Kicked => EventKind::Kick,
        What::Muted | What::Unmuted => EventKind::Mute,
        What::Announced => EventKind::Say,
        What::Flood => EventKind::Flood,
        What::Struck => EventKind::Strike,
        What::Reported | What::ReportClosed => EventKind::Report,
        What::Banned | What::Unbanned => EventKind::Ban,
        What::Expelled | What::Readmitted => EventKind::Expel,
        What::FilterAdded | What::FilterLifted => EventKind::Filter,
        What::Registered
        | What::LoggedIn
        | What::LoggedOut
        | What::LoginFailed
        | What::AccountChanged
        | What::AccountRemoved => EventKind::Account,
        What::Redacted | What::HistoryLost | What::HistoryResumed | What::Unread | What::Recalled => EventKind::History,
        What::LockdownBegun | What::LockdownEnded => EventKind::Lockdown,
        What::Stopping => EventKind::Shutdown,
    }
}

/// What happened, in one word.
const fn word(what: What) -> &'static str {
    match what {
        What::Arrived => "connect",
        What::Departed => "disconnect",
        What::Refused => "refuse",
        What::Joined => "joined",
        What::Left => "left",
        What::Renamed => "rename",
        What::RoomOpened => "opened",
        What::RoomClosed => "closed",
        What::RoomChanged => "changed",
        What::Topic => "topic",
        What::Kicked => "kick",
        What::Muted => "mute",
        What::Unmuted => "unmute",
        What::Announced => "announce",
        What::Flood => "flood",
        What::Struck => "strike",
        What::Reported => "report",
        What::ReportClosed => "close",
        What::Banned => "ban",
        What::Unbanned => "unban",
        What::Expelled => "expel",
        What::Readmitted => "readmit",
        What::FilterAdded => "filter",
        What::FilterLifted => "unfilter",
        What::Redacted => "redact",
        What::HistoryLost => "lost",
        What::HistoryResumed => "resumed",
        What::Unread => "unread",
        What::Recalled => "recalled",
        What::Registered => "register",
        What::LoggedIn => "login",
        What::LoggedOut => "logout",
        What::LoginFailed => "failed",
        What::AccountChanged => "changed",
        What::AccountRemoved => "removed",
        What::LockdownBegun => "begun",
        What::LockdownEnded => "over",
        What::Stopping => "stopping",
    }
}

/// What a subscriber is told of a line that was said in `room`; `None` for lines that are told
/// otherwise.
#[must_use]
pub fn said(room: &str, line: &message::Line) -> Option<Event> {
    let (nick, text) = match &line.said {
        message::Said::Say { nick, text } => (Some(nick), text.to_string()),
        message::Said::Emote { nick, text } => (Some(nick), format!("* {text}")),
        message::Said::Notice { text } => (None, text.to_string()),
        _ => return None,
    };
    Some(Event {
        client: line.author.map(|author| author.to_string()),
        nick: nick.map(ToString::to_string),
        room: Some(room.into()),
        text: Some(text),
        ..Event::new(EventKind::Say, Time(line.at))
    })
}
