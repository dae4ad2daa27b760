//! A speaker: what one client has sent, how much of it is taken in a turn, and when the client has to pause or wait.

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

/// How long a client that is too fast is not listened to, after a piece of input of which lines were dropped.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a client is not listened to after a piece of a line that is too long. It is shorter than [`PAUSE`], so that
/// a client that has sent ten megabytes by mistake is told so within seconds. Skipping costs some thousandths of a
/// processor's time.
const PAUSE_SKIPPING: Duration = Duration::from_millis(5);

/// How many lines, keys and answers are taken of one client before the next has its turn: 32 take less than a
/// millisecond. A command that costs the hub more counts for several.
const TURN: u32 = 32;

/// What a client has sent, and when it is listened to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Speaker {
    /// The client's bytes, which become lines, keys and answers to telnet.
    pub(super) link: Link,
    /// The view in which the client is told things.
    #[serde(default)]
    pub(super) view: View,
    /// A line that was read and has to wait until `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<Heard>,
    /// Why the client's input has ended; `None` until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Farewell>,
    /// Whether the client has had its pause since it last sent something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not", rename = "rested")]
    pub(super) paused: bool,
    /// When the client is listened to again; `None` if it does not wait for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<Mono>,
    /// Whether the client's turn ended before all that it had sent was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) more: bool,
    /// How many bytes the client has sent so far, for a handshake as well.
    #[serde(default)]
    pub(super) received: u64,
    /// If the connection is encrypted: what reads its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Opener>,
    /// What is known of that encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) encryption: Option<Box<Tls>>,
    /// The proxy through which the connection comes, if it comes through one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proxied: Option<Box<Proxied>>,
    /// How many bytes of the proxy's header are still to be read.
    #[serde(default, skip_serializing_if = "is_none_left")]
    pub(super) header: u16,
}

fn is_none_left(header: &u16) -> bool {
    *header == 0
}

impl Speaker {
    /// What of `bytes` comes behind the proxy's header.
    fn behind_header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let of_header = bytes.len().min(self.header.into());
        self.header -= u16::try_from(of_header).expect("no more than there were");
        &bytes[of_header..]
    }
}

impl Machine {
    /// How many bytes a client has sent so far; `None` if there is no such client.
    #[must_use]
    pub fn received(&self, id: SessionId) -> Option<u64> {
        self.speakers.get(&id).map(|speaker| speaker.received)
    }

    /// Whether more of what a client sends may be read now.
    #[must_use]
    pub fn listens_to(&self, id: SessionId) -> bool {
        let is_through = |speaker: &Speaker| speaker.due.is_none() && speaker.end.is_none() && !speaker.more;
        self.speakers.get(&id).is_some_and(|speaker| is_through(speaker)) && !self.waits(id)
    }

    /// Whether a client's turn ended before all that it had sent was taken: see [`Outcome::More`].
    #[must_use]
    pub fn has_more(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.more)
    }

    /// Whether a client has shown to speak telnet.
    #[must_use]
    pub fn is_telnet(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.link.is_telnet())
    }

    /// Handles a new connection: the hub is told, and the client is asked for what it can do.
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
        // A proxy that takes encryption off may not be able to say so: version 1 of its protocol cannot.
        let is_said = |proxied: &Proxied| proxied.encryption.is_some() || self.hub.settings().proxy.encrypted;
        let encrypted = tls.is_some() || proxied.as_deref().is_some_and(is_said);
        // Only the program that does handshakes sees who has the key.
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
            // A second end changes nothing but the reason.
            if speaker.tls.as_ref().is_none_or(Opener::is_over) {
                speaker.link.end();
            } else {
                // An encrypted client says that it ends. Without that, somebody else may have cut the connection off in
                // the middle of a line.
                speaker.link.break_off();
            }
            speaker.end = Some(why);
            self.listen(id, at, out);
        }
    }

    /// Takes `bytes` that a client has sent, and listens to the client. Without bytes, listens to what it has sent
    /// before: see [`Outcome::More`].
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

    /// Whether what a client sends has to wait: for an answer to what it has sent, or until it takes what it is owed.
    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.hub.is_waiting(id) || self.hub.session(id).is_some_and(|session| session.crowded)
    }

    /// Handles what a client has sent, line by line, as far as its pace and its turn allow.
    ///
    /// [`Hub::judge`](crate::hub::Hub::judge) is asked before each line. That is no input of the hub, because the
    /// answer is needed at once: a line that has to wait stays with the speaker, and the hub does not have it yet.
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
                // Skipping the line was slow already. If ten megabytes sent by mistake were charged in full, their
                // sender would be silenced for the better part of an hour.
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
                // The client has left by what it said.
                break;
            }
        }
        // The replies go before what the lines led to: until ^C is answered by a timing mark, Debian's telnet shows
        // nothing.
        self.reply(id, replies, out);
        let waits = self.waits(id);
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        // The client is listened to again when it no longer waits.
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

    /// Tells the hub what a client has sent.
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

    /// Sends a client the `replies` of its link, and how its draft looks now.
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

    /// Has what is held back for a client written, before it is answered: what others say may wait, an answer does not.
    pub(super) fn release(&self, id: SessionId, out: &mut Vec<Outcome>) {
        if self.hub.session(id).is_some_and(|session| session.holds) {
            out.push(Order::Release(id).into());
        }
    }

    /// Has `act` change a client's link, and sends the client what follows.
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
