//! One client: its name, its room, its wishes.

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
use crate::values::id::AccountId;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::terminal::{Colors, Mode, Terminal};
use crate::values::time::{Mono, Now, Wall};

/// A client that is connected. There are as many of these as clients, most of which are quiet: what few have is
/// boxed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The client's number, unique and rising.
    pub id: SessionId,
    /// Where it comes from. Told to administrators only.
    pub peer: SocketAddr,
    /// The client's present name.
    pub nick: Name,
    /// The room it is in.
    pub room: RoomId,
    /// Since when it is connected.
    pub since: Wall,
    /// When it last sent a line.
    pub spoke: Mono,
    /// Why it is away, if it is; empty if it has not said why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Arc<str>>,
    /// Whether arrivals and departures are hidden from it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
    /// Whether it is rung when its name is said, or somebody writes to it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bell: bool,
    /// How it sees lines.
    #[serde(default, skip_serializing_if = "is_default")]
    pub view: View,
    /// Its terminal, as far as it has told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terminal: Terminal,
    /// Whether it wants colours; `None` if it has not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub colors: Option<bool>,
    /// Who is to edit what it types; `None` if it has not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wants: Option<Mode>,
    /// What its program was asked for last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asked: Mode,
    /// Who edits what it types.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// Whether what others say waits until it has sent a line.
    #[serde(default, skip_serializing_if = "is_default")]
    pub holds: bool,
    /// Whom it ignores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignoring: Vec<Ignored>,
    /// The ignored names that it bears or has borne.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
    /// Who sent it a private message last, and under which name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_from: Option<Box<(SessionId, Arc<str>)>>,
    /// What others have sent to it of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Box<Inbound>>,
    /// It takes nothing of what is meant for it alone, and much of it waits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crowded: bool,
    /// The account that it is logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// It waits at the door until it has logged in, and until when at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_door: Option<Mono>,
    /// What it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<Box<Dialogue>>,
    /// How it stands with that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asking: Asking,
    /// Whether it may not be heard, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Box<Mute>>,
    /// What it said last, and how fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_said: Option<Box<LastSaid>>,
    /// What it alone sees of what it has done while nobody was to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veil: Option<Box<Veil>>,
    /// When its room last heard it, or when it came into that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub heard: Mono,
    /// The first line of its room that it may see.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sees_from: u64,
    /// The rooms that it has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Box<Left>>,
    /// The search it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searching: Option<Box<Search>>,
    /// How fast it sends.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pace: Pace,
    /// Lines it has sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lines: u64,
    /// Lines of it that were dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A mute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// When it ends: for the clock, and for people. `None`: when it is lifted.
    pub until: Option<(Mono, Wall)>,
    /// It is not to be known to whom it is about: what they say looks said to them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shadow: bool,
}

impl Session {
    /// The mute in force at `now`, if any.
    #[must_use]
    pub fn muted(&self, now: Now) -> Option<Mute> {
        self.mute.as_deref().copied().filter(|mute| mute.until.is_none_or(|(mono, _)| now.mono < mono))
    }

    /// How it is to see lines, after its wishes and its terminal.
    #[must_use]
    pub fn suitable_view(&self) -> View {
        let colors = match self.colors {
            Some(false) => Colors::None,
            Some(true) => self.terminal.colors.max(Colors::Basic),
            // Where there is no size there is no terminal, but a pipe with a terminal's name.
            None if self.terminal.read_aloud || self.terminal.cols == 0 => Colors::None,
            None => self.terminal.colors,
        };
        let width = self.terminal.width();
        let usual = width > 0 && self.terminal.usual;
        View { time: self.view.time, colors, width, ascii: self.terminal.ascii, usual }
    }

    /// How long it has not sent a line.
    #[must_use]
    pub fn idle(&self, now: Now) -> Duration {
        now.mono.since(self.spoke)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the counters of [`CopyOnWrite`](crate::values::CopyOnWrite), as much as malloc(3) gives without a step more.
    #[test]
    fn a_session_takes_little() {
        assert!(size_of::<Session>() <= 360, "{}", size_of::<Session>());
    }
}
