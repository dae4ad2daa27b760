//! How people type: whether their program or the hub edits the line, the prompt before it, whether
//! typing is shown, and lines that wait meanwhile.

use super::Effect;
use super::Turn;
use super::message::{Done, Refusal};
use crate::settings::EditorUse;
use crate::values::id::SessionId;
use crate::values::terminal::Mode;

impl Turn<'_> {
    /// Chooses how `id` sees lines, and who edits its typing, by its terminal and its preferences.
    pub(super) fn suit(&mut self, id: SessionId) {
        let unasked = self.hub.settings.telnet.editor == EditorUse::Auto;
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        let view = session.suitable_view();
        if view != session.view {
            session.view = view;
            self.effects.push(Effect::View { session: id, view });
        }
        let suits = if unasked { session.terminal.suits() } else { Mode::Line };
        let mode = session.wants.unwrap_or(suits);
        if mode != session.asked {
            session.asked = mode;
            self.effects.push(Effect::Mode { session: id, mode });
            // Every program can send whole lines, so the hub does not wait for its answer.
            if mode == Mode::Line && session.mode != mode {
                session.mode = mode;
                self.done(id, Done::Mode(mode));
            }
        }
    }

    /// Notes that the program of `id` has accepted or refused another mode; `mode` is the one in
    /// force now.
    pub(super) fn edited_by(&mut self, id: SessionId, mode: Mode) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        if mode != session.asked {
            // The program has the last word. The hub asks it again only when its person asks for
            // it.
            session.asked = mode;
            session.wants = Some(mode);
        }
        if mode != session.mode {
            session.mode = mode;
            self.done(id, Done::Mode(mode));
            self.prompt(id);
        } else if mode == Mode::Line {
            self.refuse(id, Refusal::KeepsLineMode);
        }
    }

    pub(super) fn prompt(&mut self, id: SessionId) {
        let session = &self.hub.people.sessions[&id];
        if session.mode == Mode::Char {
            let prompt = format!("{}> ", self.hub.rooms.open[&session.room].name.shown()).into();
            self.effects.push(Effect::Prompt { session: id, prompt });
        }
    }

    /// Hides the typing of `id` on its screen, as for a password, or shows it again. If its program
    /// is not known to hide typing, the person is warned.
    pub(super) fn hide_typing(&mut self, id: SessionId, hidden: bool) {
        let Some(session) = self.hub.people.sessions.get(&id) else { return };
        if hidden && !session.terminal.answers {
            self.done(id, Done::TypingShows);
        }
        self.effects.push(Effect::Echo { session: id, on: !hidden });
    }

    /// Notes that `id` has sent a line: lines that have waited for that (`/hold`) are written now.
    pub(super) fn release(&mut self, id: SessionId) {
        if self.hub.people.sessions.get(&id).is_some_and(|session| session.holds) {
            self.effects.push(Effect::Release { session: id });
        }
    }
}
