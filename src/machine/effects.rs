//! Turns effects of the hub into outcomes, and renders messages for the one client that gets them.

use std::sync::Arc;

use super::{Machine, Order, Outcome};
use crate::hub::Effect;
use crate::hub::message::{Message, View};
use crate::values::id::SessionId;
use crate::values::time::Now;
use crate::wire::render;
use crate::wire::stream::hidden::Hidden;
use crate::wire::terminal::link::Link;

/// The largest capacity, in bytes, at which the page buffer is kept for the next message.
const PAGE: usize = 4096;

impl Machine {
    /// Turns the hub's effects into outcomes, in order.
    pub(super) fn apply_effects(&mut self, at: Now, out: &mut Vec<Outcome>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.apply(effect, at, out);
        }
        self.effects = effects;
    }

    fn apply(&mut self, effect: Effect, at: Now, out: &mut Vec<Outcome>) {
        let outcome = match effect {
            Effect::Open(room) => Order::Open(room).into(),
            Effect::Shut(room) => Order::Shut(room).into(),
            Effect::Post { room, line } => Order::Post(room, line).into(),
            Effect::Enter { session, room } => Order::Enter(session, room).into(),
            Effect::Tell { to, message } => return self.tell(to, &message, at, out),
            Effect::View { session, view } => {
                if let Some(speaker) = self.speakers.get_mut(&session) {
                    speaker.view = view;
                }
                Order::View(session, view).into()
            }
            Effect::Hide { session, quiet, ignored, names } => {
                Order::Hide(session, Hidden { quiet, ignored, names }).into()
            }
            Effect::Mode { session, mode } => {
                return self.with_link(session, out, |link, replies| link.set_mode(mode, replies));
            }
            Effect::Prompt { session, prompt } => {
                return self.with_link(session, out, |link, _| link.set_prompt(&prompt));
            }
            Effect::Echo { session, on } => {
                return self.with_link(session, out, |link, replies| link.hide(!on, replies));
            }
            Effect::Complete { session, from, words } => {
                let max = self.hub.settings().limits.line;
                return self.with_link(session, out, |link, _| link.complete(from, words, max));
            }
            Effect::Hold { session, on } => Order::Hold(session, on).into(),
            Effect::Release { session } => Order::Release(session).into(),
            Effect::Close { session, .. } => {
                self.with_link(session, out, Link::close);
                self.forget(session);
                Order::Close(session).into()
            }
            Effect::Record { number, record } => Outcome::Record(number, record),
            Effect::Search(search) => Outcome::Search(search),
            Effect::Hash(job) => Outcome::Hash(job),
            Effect::SecretSpent => Outcome::SecretSpent,
            Effect::Peering(outgoing) => Outcome::Peering(outgoing),
            Effect::Happened(happening) => Outcome::Happened(happening),
        };
        out.push(outcome);
    }

    /// Renders a message for one client, and orders it to be sent.
    fn tell(&mut self, to: SessionId, message: &Message, at: Now, out: &mut Vec<Outcome>) {
        let speaker = self.speakers.get(&to);
        let view = speaker.map_or_else(View::default, |speaker| speaker.view);
        let mark = speaker.map_or(&[][..], |speaker| speaker.link.answer_mark());
        let mut bytes = self.render(message, view, at);
        let is_line = matches!(message, Message::Line(_) | Message::Mention { .. });
        if !mark.is_empty() && !is_line {
            bytes = [&*bytes, mark].concat().into();
        }
        out.push(Order::Tell(to, bytes).into());
        if !is_line && !matches!(message, Message::PrivateFrom { .. }) {
            self.release(to, out);
        }
    }

    /// The bytes of a message in a `view`.
    fn render(&mut self, message: &Message, view: View, at: Now) -> Arc<[u8]> {
        self.page.clear();
        match message {
            Message::Entrance(shown) => {
                render::entrance(shown, view, at.wall, &mut self.replayed, &mut self.page);
            }
            _ => render::message(message, view, at.wall, &mut self.page),
        }
        let bytes: Arc<[u8]> = self.page.as_slice().into();
        if self.page.capacity() > PAGE {
            self.page = Vec::new();
        }
        bytes
    }
}
