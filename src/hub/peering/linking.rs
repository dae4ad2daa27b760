//! The link to the log: connecting, publishing what our people say, and what the log answers.

use std::sync::Arc;
use std::time::Duration;

#[cfg(debug_assertions)]
use super::Trial;
use super::beats::Peer;
use super::entry::{Again, Epoch, Lane};
use super::incoming::Refused;
use super::{Incoming, LANES, OUTBOX, Outbox, Outgoing, Peering, Rule};
use crate::hub::archive::Selector;
use crate::hub::message::Line;
use crate::hub::retention::Horizon;
use crate::hub::{Effect, Hub, Turn};
use crate::values::CopyOnWrite;
use crate::values::id::RoomId;
use crate::values::time::Mono;

/// How long a frame waits that the log did not take.
const RETRY: Duration = Duration::from_millis(200);

impl Peering {
    /// The link has connected to the log of this name, whose last frame is at the position `last`.
    fn link(&mut self, log: Arc<str>, last: u64, out: &mut Vec<Outgoing>) {
        // A log that was made anew, or has forgotten its end, would never come to our position: what it has is read from
        // the beginning, and numbers tell what of it is known.
        let anew = (self.log != log || last < self.position) && self.keeps(Rule::Log);
        if anew {
            self.position = 0;
        }
        self.log = log;
        (self.linked, self.halted, self.renewed, self.retry) = (true, false, false, None);
        self.greets = true;
        self.own.values_mut().for_each(|outbox| outbox.rewind(anew));
        out.push(Outgoing::Read { after: self.position });
    }

    fn unlink(&mut self) {
        (self.linked, self.retry) = (false, None);
        self.own.values_mut().for_each(|outbox| outbox.rewind(false));
    }

    /// Takes a line that our people have said in the room of the lane. Returns false if the lane is not shared.
    fn say(&mut self, lane: &Lane, line: Arc<Line>) -> bool {
        if !self.own.contains_key(lane) {
            if self.own.len() >= LANES {
                self.counts.not_shared += 1;
                return false;
            }
            self.runs += 1;
            self.own.insert(lane.clone(), Outbox::new(self.runs));
        }
        let Some(outbox) = self.own.get_mut(lane) else { return false };
        let readings = self.read.get(lane).into_iter().flatten();
        let before = outbox.bytes();
        outbox.push(line, readings.filter(|(_, reading)| reading.have() > 0).map(|(hub, reading)| reading.last(hub)));
        self.bytes += outbox.bytes() - before;
        self.changed.insert(lane.clone());
        let most = if cfg!(debug_assertions) { self.trial.outbox } else { OUTBOX };
        while self.bytes > most
            && let Some(largest) = self.own.values_mut().max_by_key(|outbox| outbox.bytes())
        {
            let before = largest.bytes();
            if !largest.give_up_half() {
                break;
            }
            self.bytes = self.bytes - before + largest.bytes();
        }
        true
    }

    /// Publishes the next frame of a lane, if there is one and none is on its way.
    fn publish(&mut self, lane: &Lane, out: &mut Vec<Outgoing>) {
        if self.linked
            && !self.halted
            && let Some(outbox) = self.own.get_mut(lane)
            && let Some((frame, expect)) = outbox.next_frame(lane, &self.hub, self.epoch)
        {
            out.push(Outgoing::Publish { frame: Box::new(frame), expect });
        }
    }

    fn publish_all(&mut self, out: &mut Vec<Outgoing>) {
        for lane in self.own.keys().cloned().collect::<Vec<_>>() {
            self.publish(&lane, out);
        }
    }

    /// The log says that a frame of ours is in it.
    fn stored(&mut self, lane: &Lane, n: u64, position: u64) {
        let Some(outbox) = self.own.get_mut(lane) else { return };
        // What the log says moves only what is sent next. It does not confirm: a log can forget what it has acknowledged.
        let is_moved = outbox.stored(n, position);
        let is_alone = !self.peers.values().any(Peer::counts);
        if is_moved && (is_alone || !self.keeps(Rule::Confirmation)) {
            self.confirm();
        }
    }

    /// The log has not taken a frame of ours, or nobody knows.
    fn refused(&mut self, lane: &Lane, n: u64, why: &Refused, now: Mono, out: &mut Vec<Outgoing>) {
        let Some(outbox) = self.own.get_mut(lane) else { return };
        match *why {
            Refused::Away => {
                if outbox.refused(n, None) {
                    self.retry = Some(now.after(RETRY));
                }
            }
            Refused::Behind { position, epoch, run, n: last } => {
                outbox.refused(n, Some(position));
                self.meet_ourselves(epoch, lane, run, last, out);
            }
        }
    }

    /// Something of ours was found in the log: the entry `n` of that life and run. If we have not said it, another hub
    /// publishes under our name, such as a copy of this machine.
    pub(super) fn meet_ourselves(&mut self, epoch: Epoch, lane: &Lane, run: u64, n: u64, out: &mut Vec<Outgoing>) {
        let is_beyond = |outbox: &Outbox| outbox.run() == run && n > outbox.last();
        if epoch > self.epoch {
            self.outlive(epoch, out);
        } else if epoch == self.epoch && (run > self.runs || self.own.get(lane).is_some_and(is_beyond)) {
            self.halt(out);
        }
    }

    /// There was a life of ours that seems later, because the clock was set back since. What we say in this one would
    /// be taken for old, so another one begins. If that does not help, the other life is not over.
    pub(super) fn outlive(&mut self, later: Epoch, out: &mut Vec<Outgoing>) {
        match later.0.checked_add(1) {
            Some(next) if !self.renewed => {
                (self.epoch, self.renewed, self.greets) = (Epoch(next), true, true);
                self.peers.values_mut().for_each(|peer| peer.has.clear());
                self.own.values_mut().for_each(|outbox| outbox.rewind(false));
                self.publish_all(out);
            }
            _ => self.halt(out),
        }
    }

    fn halt(&mut self, out: &mut Vec<Outgoing>) {
        if !std::mem::replace(&mut self.halted, true) {
            out.push(Outgoing::Halt);
        }
    }

    /// Removes the words of the selected lines from what waits for other hubs. Returns how many entries were looked at.
    /// What stands in the log already stays there.
    pub(in crate::hub) fn redact(&mut self, what: &Selector) -> usize {
        let looked_at = self.own.iter_mut().map(|(lane, outbox)| outbox.redact(lane.room(), what)).sum();
        self.bytes = self.own.values().map(Outbox::bytes).sum();
        looked_at
    }

    /// Removes the words of lines that `horizon` does not keep.
    pub(in crate::hub) fn let_go(&mut self, horizon: Horizon) {
        self.own.values_mut().for_each(|outbox| outbox.let_go(horizon));
        self.bytes = self.own.values().map(Outbox::bytes).sum();
    }

    /// A hub asks for entries again.
    fn wanted(&mut self, again: &Again) {
        let keeps = self.keeps(Rule::Again);
        match self.own.get_mut(&again.lane) {
            Some(outbox) if (&again.to, again.epoch, again.run) == (&self.hub, self.epoch, outbox.run()) => {
                if keeps {
                    outbox.wanted(again.from);
                }
            }
            _ => self.counts.stale += u64::from(again.to == self.hub),
        }
    }
}

impl Hub {
    #[doc(hidden)]
    #[cfg(debug_assertions)]
    pub fn try_peering(&mut self, trial: Trial) {
        if let Some(peering) = &mut self.peering {
            peering.trial = trial;
        }
    }
}

impl Turn<'_> {
    /// Takes what the link tells.
    pub(in crate::hub) fn peering(&mut self, incoming: Incoming) {
        if let Incoming::Linked { hub, .. } = &incoming
            && self.hub.peering.as_ref().is_none_or(|peering| peering.hub != *hub)
        {
            // Under another name, the hub is another one to all others.
            self.hub.peering = Some(CopyOnWrite::new(Peering::new(hub.clone(), self.now)));
        }
        let (now, mut out) = (self.now.mono, Vec::new());
        let Some(peering) = &mut self.hub.peering else { return };
        let mut read = None;
        match incoming {
            Incoming::Linked { log, last, .. } => {
                peering.link(log, last, &mut out);
                peering.publish_all(&mut out);
            }
            Incoming::Unlinked => peering.unlink(),
            Incoming::Frame { position, frame } => {
                read = Some(frame.lane.clone());
                peering.receive(position, *frame, now, &mut out);
            }
            // Beats will tell what is missing.
            Incoming::Gone { position } => peering.position = position,
            Incoming::Beat(beat) => peering.hear(*beat, now, &mut out),
            Incoming::Again(again) => {
                peering.wanted(&again);
                peering.publish(&again.lane, &mut out);
            }
            Incoming::Stored { lane, n, position } => {
                peering.stored(&lane, n, position);
                peering.publish(&lane, &mut out);
            }
            Incoming::Refused { lane, n, why } => {
                peering.refused(&lane, n, &why, now, &mut out);
                if why != Refused::Away {
                    peering.publish(&lane, &mut out);
                }
            }
            Incoming::Forget { hub } => peering.forget(&hub),
        }
        self.say_to_link(out);
        if let Some(lane) = read {
            self.show_turns(&lane);
        }
    }

    pub(super) fn say_to_link(&mut self, out: Vec<Outgoing>) {
        self.effects.extend(out.into_iter().map(Effect::Peering));
    }

    /// Shares a line that was said here, if its room is shared.
    pub(in crate::hub) fn share(&mut self, room: RoomId, line: &Arc<Line>) {
        if self.hub.peering.is_none() {
            return;
        }
        let Some(room) = self.hub.rooms.open.get(&room).filter(|room| self.hub.is_shared(room)) else { return };
        let Some(lane) = Lane::of(&room.name) else { return };
        let mut out = Vec::new();
        if let Some(peering) = &mut self.hub.peering
            && peering.say(&lane, line.clone())
        {
            peering.publish(&lane, &mut out);
        }
        self.say_to_link(out);
    }

    /// Does what is due of the hubs' protocol.
    pub(in crate::hub) fn tick_peering(&mut self) {
        let now = self.now.mono;
        let is_due = |due: Option<Mono>| due.is_some_and(|due| due <= now);
        // Only looks: to change a value that a snapshot shares would copy it.
        let Some(peering) = self.hub.peering.as_ref().filter(|peering| is_due(peering.next_deadline())) else { return };
        for lane in peering.overdue(now) {
            self.show_turns(&lane);
        }
        let mut out = Vec::new();
        if let Some(mut peering) = self.hub.peering.take() {
            if is_due(peering.retry) {
                peering.retry = None;
                peering.publish_all(&mut out);
            }
            if is_due(peering.next_beat()) {
                out.push(peering.beat(now, |lane| self.hub.shared_room(lane).is_some()));
            }
            self.hub.peering = Some(peering);
        }
        self.say_to_link(out);
    }
}
