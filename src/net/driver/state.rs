//! The state machine and its tape: each input is written to the tape, then handled.
//!
//! Everything that changes the machine goes through [`State::handle`]. While an input is handled,
//! the tape names it: if the process dies of it, the next process knows which one it was.

use std::collections::VecDeque;
use std::ops::Range;

use crate::hub::{By, Hub};
use crate::machine::{Input, Machine, Outcome};
use crate::net::keep::fault;
use crate::net::keep::tape::Tape;
use crate::values::id::SessionId;
use crate::values::time::Now;
use crate::wire::admin::Command;
use crate::wire::admin::execute::{Answer, Traffic};
use crate::wire::admin::message::ControlError;
use crate::wire::tls::suite::Secret;

/// The state machine, the tape of its inputs, and the outcomes that are not applied yet.
pub(super) struct State {
    machine: Machine,
    pub(super) tape: Tape,
    /// What followed from the inputs so far and is not applied yet.
    pub(super) outcomes: Vec<Outcome>,
    /// Where no tape is kept: what clients have done that would be lost with the process, because
    /// it is not on disk yet.
    pub(super) deeds: VecDeque<Deed>,
}

impl State {
    /// `outcomes` are what followed from making `machine`.
    pub(super) const fn new(machine: Machine, tape: Tape, outcomes: Vec<Outcome>) -> Self {
        Self { machine, tape, outcomes, deeds: VecDeque::new() }
    }

    /// The machine, read-only.
    #[inline]
    pub(super) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine's hub, read-only.
    #[inline]
    pub(super) fn hub(&self) -> &Hub {
        self.machine.hub()
    }

    /// Writes an input to the tape, then handles it.
    pub(super) fn input(&mut self, input: impl Into<Input>, at: Now) {
        let input = input.into();
        let kept = self.keep(&input, at);
        self.handle(kept, at, |machine, _, outcomes| machine.handle(input, at, outcomes));
    }

    /// Gives the machine the secret of an encrypted client's input: see [`Machine::unlock`].
    pub(super) fn unlock(&mut self, id: SessionId, find: impl FnOnce(u64) -> Option<Secret>) {
        self.machine.unlock(id, find);
    }

    /// Handles bytes of a client that are on the tape already.
    pub(super) fn bytes(&mut self, id: SessionId, place: u64, range: Range<usize>, at: Now) {
        let kept = Kept { place, content: range };
        let first = self.outcomes.len();
        self.handle(kept, at, |machine, bytes, outcomes| {
            machine.bytes(id, bytes, at, outcomes);
            fault::point("input.handled");
        });
        if !self.tape.is_kept() {
            let record = self.outcomes[first..].iter().rev().find_map(|outcome| match outcome {
                Outcome::Record(number, record) if record.is_of_a_deed() => Some(*number),
                _ => None,
            });
            self.deeds.extend(record.map(|record| Deed { first, by: id, record }));
        }
    }

    /// Has the machine execute an administrator's command. If the command changes something, it is
    /// written to the tape first. `None` if it is not for the machine. `traffic` returns how many
    /// bytes went over a client's connection.
    pub(super) fn administer(
        &mut self,
        command: &Command,
        by: By,
        at: Now,
        traffic: &dyn Fn(SessionId) -> Traffic,
    ) -> Option<Result<Answer, ControlError>> {
        if !command.changes() {
            // A command that changes nothing is not written to the tape, which does not name it
            // either.
            return self.machine.control(command, by, at, traffic, &mut self.outcomes);
        }
        let kept = match self.tape.is_kept() {
            true => {
                let name = command.spec().name.to_owned();
                self.keep(&Input::Control { command: name, args: command.args(), by }, at)
            }
            false => Kept::NOT,
        };
        self.handle(kept, at, |machine, _, outcomes| machine.control(command, by, at, traffic, outcomes))
    }

    /// Writes an input to the tape, if there is one.
    fn keep(&mut self, input: &Input, at: Now) -> Kept {
        if !self.tape.is_kept() {
            return Kept::NOT;
        }
        let (place, content) = self.tape.append(at, &serde_json::to_vec(input).expect("plain values"));
        Kept { place, content }
    }

    /// Has `change` change the machine; it is given the content of `kept`. Meanwhile the tape names
    /// `kept` as being handled.
    #[inline]
    fn handle<T>(
        &mut self,
        kept: Kept,
        at: Now,
        change: impl FnOnce(&mut Machine, &[u8], &mut Vec<Outcome>) -> T,
    ) -> T {
        self.tape.handling(kept.place, at.mono);
        let content = self.tape.content(kept.content);
        fault::poison(content);
        let done = change(&mut self.machine, content, &mut self.outcomes);
        self.tape.handled();
        done
    }
}

/// Something that a client has done and that is recorded.
pub(super) struct Deed {
    /// The index in [`State::outcomes`] of the first outcome of it.
    pub(super) first: usize,
    /// The client.
    pub(super) by: SessionId,
    /// The number of its last record.
    pub(super) record: u64,
}

/// Where an input is on the tape.
struct Kept {
    place: u64,
    content: Range<usize>,
}

impl Kept {
    /// The place of an input that is not on a tape.
    const NOT: Self = Self { place: 0, content: 0..0 };
}
