//! A client that is listened to: what it has sent, when it is its turn, and when it rests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Machine, Order, Outcome};
use crate::hub::message::{Farewell, Message, View};
use crate::hub::pace::Verdict;
use crate::hub::{self, Effect};
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now};
use crate::wire::terminal::link::{Heard, Link};

/// How long a client rests whose lines are dropped because it is too fast, after each piece of input.
const REST: Duration = Duration::from_millis(100);

/// The same within a line that is too long. Shorter, for whoever has sent ten megabytes by mistake is
/// to be told so within seconds; it is some thousandths of a processor's time all the same.
const REST_SKIPPING: Duration = Duration::from_millis(5);

/// Lines, and whatever else is heard, that are taken of one client before it is somebody else's turn: so many take
/// less than a millisecond.
const TURN: u32 = 32;

/// What a client has sent so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Speaker {
    pub(super) link: Link,
    /// How it sees what it is told.
    #[serde(default)]
    pub(super) view: View,
    /// What was heard and has to wait for its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<Heard>,
    /// The end of its input, when it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Farewell>,
    /// It has rested since it last sent something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) rested: bool,
    /// When it is listened to again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<Mono>,
    /// Its turn was over before all was taken that it had sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) more: bool,
    /// Bytes taken from it in all.
    #[serde(default)]
    pub(super) received: u64,
}

impl Machine {
    /// Whether what that client sends has to wait: for an answer to what it has sent, or until it takes its answers.
    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.hub.is_waiting(id) || self.hub.session(id).is_some_and(|session| session.crowded)
    }

    /// Hands over what a client has sent, line by line, as far as its pace allows.
    pub(super) fn listen(&mut self, id: SessionId, at: Now, out: &mut Vec<Outcome>) {
        self.apply_effects(at, out);
        let mut replies = Vec::new();
        let mut dropped = false;
        let rules = self.hub.settings().into();
        let mut left = TURN;
        while let Some(speaker) = self.speakers.get_mut(&id) {
            speaker.more = left == 0;
            let waits = self.hub.is_waiting(id) || self.hub.session(id).is_some_and(|session| session.crowded);
            if speaker.due.is_some() || waits || left == 0 {
                break;
            }
            left -= 1;
            let Some(heard) = speaker.held.take().or_else(|| speaker.link.next(rules, &mut replies)) else { break };
            let bytes = match &heard {
                Heard::Line { bytes, .. } => *bytes,
                // Reading it was slow already. Charged in full, ten megabytes by mistake would silence
                // their sender for the better part of an hour.
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
                // Whoever has gone is listened to no more.
                break;
            }
        }
        // Before what the lines led to: until ^C is answered by a timing mark, Debian's telnet shows
        // nothing.
        self.reply(id, replies, out);
        let waits = self.waits(id);
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        // What it waits for has it listened to.
        if self.hub.session(id).is_none() || waits || speaker.due.is_some() {
            speaker.more = false;
            return;
        }
        let skipping = speaker.link.is_skipping();
        if (dropped || skipping) && speaker.end.is_none() && !speaker.rested {
            let until = at.mono.after(if skipping { REST_SKIPPING } else { REST });
            speaker.due = Some(until);
            speaker.more = false;
            speaker.rested = true;
            self.due.insert((until, id));
            return;
        }
        if speaker.more {
            return out.push(Outcome::More(id));
        }
        if speaker.link.is_done()
            && let Some(why) = speaker.end.clone()
        {
            self.tell_hub(hub::Input::Gone { session: id, why }, at);
        }
    }

    fn heard(&mut self, id: SessionId, heard: Heard, at: Now) {
        let input = match heard {
            Heard::Line { text, .. } => hub::Input::Line { session: id, text },
            Heard::TooLong { bytes } => hub::Input::Overlong { session: id, bytes },
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

    /// What a client is sent at once, and how what it types looks now.
    pub(super) fn reply(&mut self, id: SessionId, replies: Vec<u8>, out: &mut Vec<Outcome>) {
        if !replies.is_empty() {
            out.push(Outcome::Order(Order::Tell(id, replies.into())));
            self.release(id, out);
        }
        if let Some(speaker) = self.speakers.get_mut(&id)
            && let Some(area) = speaker.link.area()
        {
            out.push(Outcome::Order(Order::Area(id, area)));
        }
    }

    /// What others say may wait; what a client is answered does not.
    pub(super) fn release(&self, id: SessionId, out: &mut Vec<Outcome>) {
        if self.hub.session(id).is_some_and(|session| session.holds) {
            out.push(Outcome::Order(Order::Release(id)));
        }
    }

    /// Has a client's link do something, and sends what follows.
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

    pub(super) fn forget(&mut self, id: SessionId) {
        if let Some(speaker) = self.speakers.remove(&id)
            && let Some(due) = speaker.due
        {
            self.due.remove(&(due, id));
        }
    }
}
