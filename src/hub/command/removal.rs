//! `/redact`: removing lines that people have said.
//!
//! Operators remove lines in every room, a room's owner and moderators in that room alone.

use std::time::Duration;

use super::super::account::Role;
use super::super::archive::Selector;
use super::super::message::{Done, Refusal};
use super::super::redaction::Remover;
use super::super::{By, work};
use super::bearer::Named;
use super::{Call, clip, operator, split_word};
use crate::values::id::SessionId;
use crate::values::name;

/// Which lines of a person to remove.
enum Which {
    /// Their last lines in this room, at most this number.
    Last(usize),
    /// Their lines since this long ago.
    Since(Duration),
}

impl Call<'_, '_> {
    /// The authority by which the caller removes lines; tells the caller if it has none.
    pub(super) fn remover(&mut self) -> Option<Remover> {
        let account = self.own().account;
        if let Some(account) = account
            && self.turn.hub.role(self.id) == Role::Operator
        {
            return Some(Remover::Operator(self.id, By::Operator { session: self.id, account }));
        }
        let room = self.room();
        if self.turn.hub.owns(self.id, room) {
            return Some(Remover::Owner(self.id));
        }
        let (name, owner) = (room.name.shown().into(), self.turn.hub.owner_for(self.id, room));
        let is_nobodys = owner.is_none();
        self.refuse(if is_nobodys {
            Refusal::RoleNeeded(Role::Operator)
        } else {
            Refusal::NotYourRoom { room: name, owner }
        });
        None
    }

    /// Whether the caller may not remove lines of `who` because that is another operator who is
    /// here; tells the caller so.
    fn is_out_of_reach(&mut self, who: Option<SessionId>) -> bool {
        let is_here = |who: &SessionId| self.turn.hub.session(*who).is_some();
        let Some(who) = who.filter(is_here).filter(|who| *who != self.id && self.turn.hub.role(*who) == Role::Operator)
        else {
            return false;
        };
        let nick = self.turn.hub.people.sessions[&who].nick.shown().into();
        self.refuse(Refusal::IsOperator(nick));
        true
    }
}

/// The number behind the sign `c` or `#`; `None` if anything but digits follows.
fn number_behind(text: &str, sign: char) -> Option<u64> {
    let digits = text.strip_prefix(sign)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

pub(super) fn redact(call: &mut Call<'_, '_>, args: &str) {
    let Some(remover) = call.remover() else { return };
    if call.turn.hub.backlog().redactions().len() >= work::MOST {
        // The disk takes nothing at the moment, and every search has to look through all redactions
        // that wait.
        return call.refuse(Refusal::RedactionsWait);
    }
    let (whom, rest) = split_word(args);
    let here = call.room().name.folded().to_owned();
    let own_room_only = matches!(remover, Remover::Owner(_)).then(|| here.clone());
    if let Some(line) = number_behind(whom, '#').filter(|_| rest.is_empty()) {
        let what = Selector { room: own_room_only, from: Some(line), to: Some(line), ..Selector::default() };
        return remove(call, &what, remover, whom);
    }
    let is_number = whom.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && call.turn.hub.known_name(whom, call.turn.now).is_none() {
        return call.refuse(Refusal::LineNumber(clip(whom)));
    }
    let which = match (rest, rest.parse::<usize>()) {
        ("", _) => Which::Last(1),
        (_, Ok(count @ 1..)) => Which::Last(count.min(work::MOST)),
        _ => {
            let Some((time, rest)) = call.time(rest, false) else { return };
            let Some(time) = time.filter(|_| rest.is_empty()) else { return call.usage() };
            Which::Since(time)
        }
    };
    let client = number_behind(whom, 'c').map(SessionId);
    let whose = match client {
        Some(client) => {
            if call.is_out_of_reach(Some(client)) {
                return;
            }
            Selector { client: Some(client), ..Selector::default() }
        }
        None => {
            let folded = name::fold(whom);
            let line = call.line(args);
            let Some(named) = call.means(whom, &line) else { return };
            let mut only = None;
            if let Named::Renamed(id) | Named::Confirmed(id) = named {
                if call.is_out_of_reach(Some(id)) {
                    return;
                }
                call.turn.hub.moderation.asked.remove(&call.id);
                only = Some(id).filter(|_| named == Named::Confirmed(id));
            }
            let account = call.turn.hub.accounts.find(&folded);
            let bearer = call.turn.hub.find(whom);
            let owner = account.and_then(|account| call.turn.hub.logged_in_to(account).next());
            if call.is_out_of_reach(bearer) || call.is_out_of_reach(owner) {
                return;
            }
            Selector { client: only, nick: Some(folded), ..Selector::default() }
        }
    };
    let what = match which {
        Which::Since(time) => {
            let since = Some(call.turn.now.wall.before(time));
            Selector { room: own_room_only, since, ..whose }
        }
        Which::Last(count) => {
            let (mut places, looked_at) = call.room().history.meant(&whose, &here);
            if let Remover::Owner(id) = remover {
                // An owner counts the lines that they can see.
                let history = &call.room().history;
                places.retain(|at| history.found_only_by(history.at(*at).seq).is_none_or(|author| author == id));
            }
            let from = places.get(..count).unwrap_or(&places).last().map(|at| call.room().history.at(*at).seq);
            call.turn.hub.work.done += looked_at as u64;
            let Some(from) = from else { return call.refuse(Refusal::NothingToRemove(clip(whom))) };
            Selector { room: Some(here), from: Some(from), ..whose }
        }
    };
    remove(call, &what, remover, whom);
}

fn remove(call: &mut Call<'_, '_>, what: &Selector, remover: Remover, whom: &str) {
    let meant = call.turn.hub.meant_for(Some(call.id), what, None);
    call.turn.hub.work.done += meant.looked_at;
    let visible = meant.visible(remover);
    if visible.lines == 0 && visible.topics == 0 {
        return call.refuse(Refusal::NothingToRemove(clip(whom)));
    }
    let hub = &*call.turn.hub;
    let operator = hub.authors(&meant).find(|author| *author != call.id && hub.role(*author) == Role::Operator);
    if call.is_out_of_reach(operator) {
        return;
    }
    let (before, rooms) = (call.turn.effects.len(), meant.room_count());
    let removed = call.turn.redact(what, None, remover);
    call.turn.hub.work.done += removed.looked_at + work::SHOWN;
    operator::sign(call, before);
    let on_disk = call.turn.hub.is_recording() && visible.on_disk;
    call.done(Done::Redacted { lines: visible.lines, topics: visible.topics, rooms, on_disk });
}
