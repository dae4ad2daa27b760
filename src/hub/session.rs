//! One client: its name, its room, its preferences.

use core::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::archive::Search;
use super::entrance::Left;
use super::ignore::{Borne, Ignored};
use super::inbound::Inbound;
use super::login::{Asking, Dialogue};
use super::message::View;
use super::pace::Pace;
use super::speech::Veil;
use super::strike::LastSaid;
use crate::values::fingerprint::Fingerprint;
use crate::values::id::AccountId;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::terminal::{Colors, Mode, Terminal};
use crate::values::time::{Mono, Now, Wall};

/// A connected client. There are many sessions, and most clients are quiet, so fields that few
/// clients use are boxed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The client's number. Numbers rise, and none is given twice.
    pub id: SessionId,
    /// The address from which the client connects. Only administrators are told.
    pub peer: SocketAddr,
    /// Whether the connection is encrypted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub encrypted: bool,
    /// The certificate that the client has shown, with proof of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Box<Fingerprint>>,
    /// The client's present name, as others see it.
    pub nick: Name,
    /// The room that the client is in.
    pub room: RoomId,
    /// When the client connected.
    pub since: Wall,
    /// When the client last sent a line.
    pub spoke: Mono,
    /// The reason why the client is away: `None` if it is not away, empty if it has given no
    /// reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Arc<str>>,
    /// Whether arrivals and departures are hidden from the client.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
    /// Whether the client's terminal rings when somebody says its name or writes to it in private.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bell: bool,
    /// How the client sees lines.
    #[serde(default, skip_serializing_if = "is_default")]
    pub view: View,
    /// The client's terminal, as far as its program has told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terminal: Terminal,
    /// Whether the client wants colours; `None` if its person has not chosen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub colors: Option<bool>,
    /// Who is to edit the line being typed; `None` if the person has not chosen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wants: Option<Mode>,
    /// The mode that the hub last asked the client's program for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asked: Mode,
    /// The mode in force: who edits the line being typed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// Whether lines of others wait until the client has sent a line (`/hold`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub holds: bool,
    /// The names that the client ignores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignoring: Vec<Ignored>,
    /// The ignored names that the client bears, or has borne.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
    /// The client that last sent this one a private message, and that client's name then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_from: Option<Box<(SessionId, Arc<str>)>>,
    /// What others have sent to this client recently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Box<Inbound>>,
    /// Whether much waits for this client alone, and it reads nothing of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crowded: bool,
    /// The account that the client is logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The latest moment until which the client waits at the door for its login; `None` if it is
    /// not at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_door: Option<Mono>,
    /// The question that the client is being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<Box<Dialogue>>,
    /// The state of the dialogue besides the question.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asking: Asking,
    /// The mute in force about the client, with its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Box<Mute>>,
    /// What the client said last, and how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_said: Option<Box<LastSaid>>,
    /// What a shadow-muted client sees of its own commands, and nobody else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veil: Option<Box<Veil>>,
    /// The moment at which the client last said something in its room, or came into it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub heard: Mono,
    /// The number of the first line of its room that the client may see.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sees_from: u64,
    /// The rooms that the client has left, with how far it has read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Box<Left>>,
    /// The search whose answer the client waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searching: Option<Box<Search>>,
    /// How fast the client sends.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pace: Pace,
    /// The number of lines that the client has sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lines: u64,
    /// The number of the client's lines that were dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A mute as its client's session keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// The end, by the monotonic clock and by the wall clock; `None`: it lasts until somebody lifts
    /// it.
    pub until: Option<(Mono, Wall)>,
    /// Whether the muted person must not know: to them, their lines look said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shadow: bool,
    /// The mute beside a shadow-mute, of which the person knows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open: Option<Open>,
}

/// A mute of which its person knows, beside a shadow-mute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The end, as that of a [`Mute`].
    pub until: Option<(Mono, Wall)>,
}

impl Session {
    /// The mute in force at `now`, if any. A shadow-mute comes first: the person must not be heard
    /// as one who is muted openly is, either.
    #[must_use]
    pub fn muted(&self, now: Now) -> Option<Mute> {
        let holds = |until: Option<(Mono, Wall)>| until.is_none_or(|(mono, _)| now.mono < mono);
        let mute = self.mute.as_deref()?;
        let open = mute.open.filter(|open| holds(open.until));
        if holds(mute.until) {
            return Some(Mute { open, ..*mute });
        }
        open.map(|Open { until }| Mute { until, shadow: false, open: None })
    }

    /// How the client is to see lines, by its preferences and its terminal.
    #[must_use]
    pub fn suitable_view(&self) -> View {
        let colors = match self.colors {
            Some(false) => Colors::None,
            Some(true) => self.terminal.colors.max(Colors::Basic),
            // A terminal without a size is a pipe that has a terminal's name.
            None if self.terminal.read_aloud || self.terminal.cols == 0 => Colors::None,
            None => self.terminal.colors,
        };
        let width = self.terminal.width();
        let usual = width > 0 && self.terminal.usual;
        View { time: self.view.time, colors, width, ascii: self.terminal.ascii, usual }
    }

    /// The time since the client last sent a line.
    #[must_use]
    pub fn idle(&self, now: Now) -> Duration {
        now.mono.since(self.spoke)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Together with the counters of [`CopyOnWrite`](crate::values::CopyOnWrite), this just fits a
    /// size class of malloc(3).
    #[test]
    fn a_session_takes_little_memory() {
        assert!(size_of::<Session>() <= 360, "{}", size_of::<Session>());
    }
}
