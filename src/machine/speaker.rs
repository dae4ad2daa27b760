//! A speaker: the unhandled input of one client, how much of it is handled in a turn, and when the
//! client has to pause or wait.

use core::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Machine, Order, Outcome, Proxied, Tls};
use crate::hub::message::{Farewell, Message, View};
use crate::hub::pace::Verdict;
use crate::hub::{self, Effect};
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now};
use crate::wire::terminal::link::{Heard, Link};
use crate::wire::tls::open::Opener;

/// The pause of a client that is too fast: nothing more is read from it for this time after input
/// of which lines were dropped.
const PAUSE: Duration = Duration::from_millis(100);

/// The pause of a client after each piece of an overlong line. It is shorter than [`PAUSE`], so
/// that a client that has sent ten megabytes by mistake is told so within seconds. Skipping such a
/// line costs some thousandths of a processor's time.
const PAUSE_SKIPPING: Duration = Duration::from_millis(5);

/// Lines, keys and answers of one client that are handled in its turn: 32 take less than a
/// millisecond. A command that costs the hub more counts as several.
const TURN: u32 = 32;

/// The unhandled input of a client, and when it is handled.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Speaker {
    /// Parses the client's bytes into lines, keys and telnet answers, and holds those that are not
    /// handled yet.
    pub(super) link: Link,
    /// The view in which messages for the client are rendered.
    #[serde(default)]
    pub(super) view: View,
    /// A line that was parsed and has to wait until `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<Heard>,
    /// The reason for the end of the client's input; `None` while it has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Farewell>,
    /// Whether the client has paused since it last sent something, and need not pause again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not", rename = "rested")]
    pub(super) paused: bool,
    /// The time at which the client's input is handled again; `None` if it does not wait for a
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<Mono>,
    /// Whether the client's turn ended before all of its input was handled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) more: bool,
    /// Bytes that were received from the client so far, those of the TLS handshake included.
    #[serde(default)]
    pub(super) received: u64,
    /// Decrypts the client's records; `None` if the connection is not encrypted by the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Opener>,
    /// The TLS parameters of the connection; `None` if it is not encrypted by the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) encryption: Option<Box<Tls>>,
    /// The proxy in front of the client; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proxied: Option<Box<Proxied>>,
    /// Bytes of the proxy's header that are still to be received.
    #[serde(default, skip_serializing_if = "is_none_left")]
    pub(super) header: u16,
}

fn is_none_left(header: &u16) -> bool {
    *header == 0
}

impl Speaker {
    /// The part of `bytes` behind the proxy's header. Counts the bytes that belong to the header.
    fn behind_header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let of_header = bytes.len().min(self.header.into());
        self.header -= u16::try_from(of_header).expect("no more than there were");
        &bytes[of_header..]
    }
}

impl Machine {
    /// Bytes that were received from a client so far; `None` if there is no such client.
    #[must_use]
    pub fn received(&self, id: SessionId) -> Option<u64> {
        self.speakers.get(&id).map(|speaker| speaker.received)
    }

    /// Whether the caller may read more from a client's socket now.
    #[must_use]
    pub fn listens_to(&self, id: SessionId) -> bool {
        let is_through = |speaker: &Speaker| speaker.due.is_none() && speaker.end.is_none() && !speaker.more;
        self.speakers.get(&id).is_some_and(|speaker| is_through(speaker)) && !self.waits(id)
    }

    /// Whether a client's turn ended before all of its input was handled: see [`Outcome::More`].
    #[must_use]
    pub fn has_more(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.more)
    }

    /// Whether a client has shown that it speaks telnet.
    #[must_use]
    pub fn is_telnet(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.link.is_telnet())
    }

    /// Handles a new connection: tells the hub, and asks the client by telnet what its terminal can
    /// do.
    pub(super) fn connect(
        &mut self,
        id: SessionId,
        peer: SocketAddr,
        (tls, proxied): (Option<Tls>, Option<Box<Proxied>>),
        at: Now,
        out: &mut Vec<Outcome>,
    ) {
        self.next_id = self.next_id.max(id.0 + 1);
        out.push(Order::Attach(id).into());
        // A proxy that decrypts may be unable to say so, as in version 1 of the PROXY protocol:
        // then the setting `proxy.encrypted` tells.
        let is_said = |proxied: &Proxied| proxied.encryption.is_some() || self.hub.settings().proxy.encrypted;
        let encrypted = tls.is_some() || proxied.as_deref().is_some_and(is_said);
        // Only `chathub-tls` verifies that the client has the private key; a proxy's word is not
        // taken for it.
        let certificate = tls.as_ref().and_then(|tls| tls.fingerprint.as_deref()?.parse().ok());
        self.tell_hub(hub::Input::Connect { session: id, peer, encrypted, certificate }, at);
        if self.hub.session(id).is_some() {
            let mut speaker = Speaker {
                received: tls.as_ref().map_or(0, |tls| tls.read),
                tls: tls.as_ref().map(|tls| Opener::new(tls.suite)),
                encryption: tls.map(Box::new),
                header: proxied.as_ref().map_or(0, |proxied| proxied.header),
                proxied,
                ..Speaker::default()
            };
            let mut replies = Vec::new();
            speaker.link.ask(self.hub.settings().telnet.negotiate, &mut replies);
            self.speakers.insert(id, CopyOnWrite::new(speaker));
            self.reply(id, replies, out);
        }
    }

    /// Handles the end of a client's input.
    pub(super) fn end(&mut self, id: SessionId, why: Farewell, at: Now, out: &mut Vec<Outcome>) {
        if let Some(speaker) = self.speakers.get_mut(&id) {
            // A second end changes only the reason.
            if speaker.tls.as_ref().is_none_or(Opener::is_over) {
                speaker.link.end();
            } else {
                // An encrypted client ends with a `close_notify` alert. Without it, somebody else
                // may have cut the connection in the middle of a line.
                speaker.link.break_off();
            }
            speaker.end = Some(why);
            self.listen(id, at, out);
        }
    }

    /// Takes `bytes` that were received from a client, and handles its input. Without bytes, it
    /// goes on with input that was received before: see [`Outcome::More`].
    pub fn bytes(&mut self, id: SessionId, bytes: &[u8], at: Now, out: &mut Vec<Outcome>) {
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        speaker.received += bytes.len() as u64;
        let bytes = speaker.behind_header(bytes);
        if speaker.tls.is_some() && !bytes.is_empty() {
            self.open(id, bytes, at, out);
        } else if !bytes.is_empty() {
            speaker.paused = false;
            speaker.link.push(bytes);
        }
        self.listen(id, at, out);
        self.apply_effects(at, out);
    }

    /// Whether a client's input has to wait: for the answer to an earlier line (a search, a
    /// password), or because its socket does not take what it is owed.
    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.hub.is_waiting(id) || self.hub.session(id).is_some_and(|session| session.crowded)
    }

    /// Handles a client's input line by line, as far as its pace and its turn allow.
    ///
    /// [`Hub::judge`](crate::hub::Hub::judge) decides about each line before the hub gets it. It is
    /// a call and no input of the hub, because the answer is needed at once: a line that has to
    /// wait stays with the speaker.
    pub(super) fn listen(&mut self, id: SessionId, at: Now, out: &mut Vec<Outcome>) {
        self.apply_effects(at, out);
        let mut replies = Vec::new();
        let mut dropped = false;
        let rules = self.hub.settings().into();
        let mut left = TURN;
        loop {
            let waits = self.waits(id);
            let Some(speaker) = self.speakers.get_mut(&id) else { break };
            speaker.more = left == 0;
            if speaker.due.is_some() || waits || left == 0 {
                break;
            }
            left -= 1;
            let Some(heard) = speaker.held.take().or_else(|| speaker.link.next(rules, at.mono, &mut replies)) else {
                break;
            };
            let bytes = match &heard {
                Heard::Line { bytes, .. } => *bytes,
                // The pauses while the line was skipped were slow already. Charged in full, ten
                // megabytes sent by mistake would silence their sender for the better part of an
                // hour.
                Heard::TooLong { bytes } => (*bytes).min(self.hub.settings().pace.burst_bytes as u64),
                _ => 1,
            };
            match self.hub.judge(id, bytes, at, &mut self.effects) {
                Verdict::Pass => {
                    self.heard(id, heard, at);
                    left = left.saturating_sub(self.hub.cost());
                }
                Verdict::Drop => dropped = true,
                Verdict::Hold(until) => {
                    speaker.held = Some(heard);
                    speaker.due = Some(until);
                    self.due.insert((until, id));
                }
            }
            if self.hub.session(id).is_none() {
                // The line made the client leave, such as /quit.
                break;
            }
        }
        // The link's replies go before what the lines led to: after ^C, Debian's telnet shows
        // nothing until a timing mark answers it.
        self.reply(id, replies, out);
        let waits = self.waits(id);
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        // The client's input is handled again when it no longer has to wait.
        if self.hub.session(id).is_none() || waits || speaker.due.is_some() {
            speaker.more = false;
            return;
        }
        let skipping = speaker.link.is_skipping();
        if (dropped || skipping) && speaker.end.is_none() && !speaker.paused {
            let until = at.mono.after(if skipping { PAUSE_SKIPPING } else { PAUSE });
            speaker.due = Some(until);
            speaker.more = false;
            speaker.paused = true;
            self.due.insert((until, id));
            return;
        }
        if speaker.more {
            return out.push(Outcome::More(id));
        }
        if speaker.link.is_done()
            && let Some(why) = speaker.end.clone()
        {
            self.tell_hub(hub::News::Gone { session: id, why }, at);
        }
    }

    /// Passes one thing that the link has parsed to the hub.
    fn heard(&mut self, id: SessionId, heard: Heard, at: Now) {
        let input = match heard {
            Heard::Line { text, .. } => hub::Input::Line { session: id, text },
            Heard::TooLong { bytes } => hub::Input::Overlong { session: id, bytes },
            Heard::Foreign => hub::Input::Foreign { session: id },
            Heard::Leave => hub::Input::Line { session: id, text: "/quit".to_owned() },
            Heard::Terminal(terminal) => hub::Input::Terminal { session: id, terminal },
            Heard::Mode(mode) => hub::Input::Mode { session: id, mode },
            Heard::Shown => hub::Input::Shown { session: id },
            Heard::Complete(line) => hub::Input::Complete { session: id, line },
            Heard::AreYouThere => return self.effects.push(Effect::Tell { to: id, message: Message::HereIAm }),
            Heard::Interrupt => hub::Input::Interrupted { session: id },
        };
        self.tell_hub(input, at);
    }

    /// Orders the `replies` of a client's link to be sent, and its draft to be drawn as it is now.
    pub(super) fn reply(&mut self, id: SessionId, replies: Vec<u8>, out: &mut Vec<Outcome>) {
        if !replies.is_empty() {
            out.push(Order::Tell(id, replies.into()).into());
            self.release(id, out);
        }
        if let Some(speaker) = self.speakers.get_mut(&id)
            && let Some(area) = speaker.link.area()
        {
            out.push(Order::Area(id, area).into());
        }
    }

    /// Orders what is held back for a client to be written, so that an answer to the client itself
    /// need not wait.
    pub(super) fn release(&self, id: SessionId, out: &mut Vec<Outcome>) {
        if self.hub.session(id).is_some_and(|session| session.holds) {
            out.push(Order::Release(id).into());
        }
    }

    /// Lets `act` change a client's link, and sends the client the replies.
    pub(super) fn with_link(
        &mut self,
        id: SessionId,
        out: &mut Vec<Outcome>,
        act: impl FnOnce(&mut Link, &mut Vec<u8>),
    ) {
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        let mut replies = Vec::new();
        act(&mut speaker.link, &mut replies);
        self.reply(id, replies, out);
    }

    /// Forgets a client whose connection is being closed.
    pub(super) fn forget(&mut self, id: SessionId) {
        if let Some(speaker) = self.speakers.remove(&id)
            && let Some(due) = speaker.due
        {
            self.due.remove(&(due, id));
        }
    }
}
