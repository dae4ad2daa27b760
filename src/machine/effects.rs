//! What the hub's effects become: orders, and messages rendered for those who are told them.

use std::sync::Arc;

use super::{Machine, Order, Outcome};
use crate::hub::Effect;
use crate::hub::message::{Line, Message, Offset, Replay, View};
use crate::values::time::Now;
use crate::wire::render;
use crate::wire::stream::hidden::Hidden;
use crate::wire::terminal::link::Link;

/// The last replay that was rendered: most newcomers get the same.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    lines: Arc<[Arc<Line>]>,
    view: View,
    offset: Offset,
    /// Days since the epoch when it was rendered: times of other days are shown with their day.
    day: i64,
    bytes: Arc<[u8]>,
}

/// A page that has grown to more bytes than this is not kept.
const PAGE: usize = 4096;

impl Machine {
    /// Turns what the hub has decided into orders.
    pub(super) fn apply_effects(&mut self, at: Now, out: &mut Vec<Outcome>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            let order = match effect {
                Effect::Open(room) => Order::Open(room),
                Effect::Shut(room) => Order::Shut(room),
                Effect::Post { room, line } => Order::Post(room, line),
                Effect::Enter { session, room } => Order::Enter(session, room),
                Effect::Tell { to, message } => {
                    let speaker = self.speakers.get(&to);
                    let view = speaker.map_or_else(View::default, |speaker| speaker.view);
                    let mark = speaker.map_or(&[][..], |speaker| speaker.link.answer_mark());
                    let mut bytes = self.render(&message, view, at);
                    if !mark.is_empty() {
                        bytes = [&*bytes, mark].concat().into();
                    }
                    out.push(Outcome::Order(Order::Tell(to, bytes)));
                    if !matches!(message, Message::PrivateFrom { .. }) {
                        self.release(to, out);
                    }
                    continue;
                }
                Effect::View { session, view } => {
                    if let Some(speaker) = self.speakers.get_mut(&session) {
                        speaker.view = view;
                    }
                    Order::View(session, view)
                }
                Effect::Mode { session, mode } => {
                    self.with_link(session, out, |link, replies| link.set_mode(mode, replies));
                    continue;
                }
                Effect::Prompt { session, prompt } => {
                    self.with_link(session, out, |link, _| link.set_prompt(&prompt));
                    continue;
                }
                Effect::Echo { session, on } => {
                    self.with_link(session, out, |link, replies| link.hide(!on, replies));
                    continue;
                }
                Effect::Complete { session, from, words } => {
                    let max = self.hub.settings().limits.line;
                    self.with_link(session, out, |link, _| link.complete(from, words, max));
                    continue;
                }
                Effect::Hold { session, on } => Order::Hold(session, on),
                Effect::Release { session } => Order::Release(session),
                Effect::Filter { session, quiet, ignored, names } => {
                    Order::Hide(session, Hidden { quiet, ignored, names })
                }
                Effect::Close { session, .. } => {
                    self.with_link(session, out, Link::close);
                    self.forget(session);
                    Order::Close(session)
                }
                Effect::Record { number, record } => {
                    out.push(Outcome::Record(number, record));
                    continue;
                }
                Effect::Search(search) => {
                    out.push(Outcome::Search(search));
                    continue;
                }
                Effect::Hash(job) => {
                    out.push(Outcome::Hash(job));
                    continue;
                }
                Effect::SecretSpent => {
                    out.push(Outcome::SecretSpent);
                    continue;
                }
                Effect::Happened(happening) => {
                    out.push(Outcome::Happened(happening));
                    continue;
                }
            };
            out.push(Outcome::Order(order));
        }
        self.effects = effects;
    }

    fn render(&mut self, message: &Message, view: View, at: Now) -> Arc<[u8]> {
        let day = at.wall.0.div_euclid(86_400_000);
        if let Message::Replay { lines, offset, of: Replay::Last, .. } = message
            && let Some(rendered) = &self.rendered
            && Arc::ptr_eq(&rendered.lines, lines)
            && (rendered.view, rendered.offset, rendered.day) == (view, *offset, day)
        {
            return rendered.bytes.clone();
        }
        self.page.clear();
        render::message(message, view, at.wall, &mut self.page);
        let bytes: Arc<[u8]> = self.page.as_slice().into();
        if self.page.capacity() > PAGE {
            self.page = Vec::new();
        }
        if let Message::Replay { lines, offset, of: Replay::Last, .. } = message {
            self.rendered = Some(Rendered { lines: lines.clone(), view, offset: *offset, day, bytes: bytes.clone() });
        }
        bytes
    }
}
