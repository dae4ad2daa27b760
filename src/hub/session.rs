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

/// A connected client. There is one session for each client, and most clients are quiet: fields that few of them use
/// are boxed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The client's number. Numbers rise, and none is given twice.
    pub id: SessionId,
    /// The address that the client connects from. Only administrators are told.
    pub peer: SocketAddr,
    /// Whether the connection is encrypted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub encrypted: bool,
    /// The certificate that the client has shown.
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
    /// Why the client is away: `None` if it is not away, empty if it has given no reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Arc<str>>,
    /// Whether the client is not shown arrivals and departures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
    /// Whether the client's terminal rings when somebody says its name or writes to it in private.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bell: bool,
    /// How the client sees lines.
    #[serde(default, skip_serializing_if = "is_default")]
    pub view: View,
    /// The client's terminal, as far as the client has told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terminal: Terminal,
    /// Whether the client wants colours; `None` if it has not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub colors: Option<bool>,
    /// Who is to edit what the client types; `None` if it has not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wants: Option<Mode>,
    /// The mode that the client's program was last asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asked: Mode,
    /// The mode in force: who edits what the client types.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// Whether what others say waits until the client has sent a line (`/hold`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub holds: bool,
    /// Whom the client ignores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignoring: Vec<Ignored>,
    /// The ignored names that the client bears or has borne.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
    /// The client that last sent this one a private message, and its name then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_from: Option<Box<(SessionId, Arc<str>)>>,
    /// What others have sent to this client of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Box<Inbound>>,
    /// Whether much waits for this client alone because it reads none of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crowded: bool,
    /// The account that the client is logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Until when at most the client waits at the door for its login; `None` if it is not at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_door: Option<Mono>,
    /// The questions that the client is being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<Box<Dialogue>>,
    /// How far the client is with these questions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asking: Asking,
    /// The mute that is about the client, with its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Box<Mute>>,
    /// What the client said last, and how fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_said: Option<Box<LastSaid>>,
    /// What a shadow-muted client sees of its own doings, and nobody else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veil: Option<Box<Veil>>,
    /// When the client last said something in its room, or came into it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub heard: Mono,
    /// The number of the first line of its room that the client may see.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sees_from: u64,
    /// The rooms that the client has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Box<Left>>,
    /// The search that the client waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searching: Option<Box<Search>>,
    /// How fast the client sends.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pace: Pace,
    /// How many lines the client has sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lines: u64,
    /// How many of the client's lines were dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A mute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// When the mute ends, by the monotonic clock and by the wall clock. `None`: when somebody lifts it.
    pub until: Option<(Mono, Wall)>,
    /// Whether the muted person is not to know: to them, what they say looks said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shadow: bool,
}

impl Session {
    /// The mute in force at `now`, if any.
    #[must_use]
    pub fn muted(&self, now: Now) -> Option<Mute> {
        self.mute.as_deref().copied().filter(|mute| mute.until.is_none_or(|(mono, _)| now.mono < mono))
    }

    /// How the client is to see lines, by its preferences and its terminal.
    #[must_use]
    pub fn suitable_view(&self) -> View {
        let colors = match self.colors {
            Some(false) => Colors::None,
            Some(true) => self.terminal.colors.max(Colors::Basic),
            // A terminal without a size is none: it is a pipe that has a terminal's name.
            None if self.terminal.read_aloud || self.terminal.cols == 0 => Colors::None,
            None => self.terminal.colors,
        };
        let width = self.terminal.width();
        let usual = width > 0 && self.terminal.usual;
        View { time: self.view.time, colors, width, ascii: self.terminal.ascii, usual }
    }

    /// How long ago the client last sent a line.
    #[must_use]
    pub fn idle(&self, now: Now) -> Duration {
        now.mono.since(self.spoke)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Together with the counters of [`CopyOnWrite`](crate::values::CopyOnWrite), this is the most that fits
    /// malloc(3)'s size class.
    #[test]
    fn a_session_takes_little() {
        assert!(size_of::<Session>() <= 360, "{}", size_of::<Session>());
    }
}
