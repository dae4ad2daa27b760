//! Moderation in chat: the same actions that administrators have on the admin socket, audited in
//! the same way.
//!
//! Operators are people among others here. So no answer to them holds an address, no operator can
//! act on another operator, and nobody can shut themselves out.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::message::{Done, Refusal};
use super::super::speech::Deed;
use super::super::{By, Effect};
use super::bearer::Named;
use super::{Call, clip, split_word, text_arg};
use crate::settings::{Newcomers, Word as _};
use crate::values::id::SessionId;
use crate::values::name;
use crate::values::time::{self, LONGEST, NoLength, Wall};

/// Adds the operator's account name to the events that a command has led to: the effects from index
/// `from` on.
pub(super) fn sign(call: &mut Call<'_, '_>, from: usize) {
    let account = call.turn.hub.people.sessions.get(&call.id).and_then(|session| session.account);
    let name = account.and_then(|account| call.turn.hub.accounts.get(account)).map(|account| account.name.shown());
    let Some(name) = name.map(Arc::<str>::from) else { return };
    for effect in &mut call.turn.effects[from..] {
        if let Effect::Happened(happening) = effect
            && matches!(happening.by, Some(By::Operator { .. }))
        {
            happening.operator = Some(name.clone());
        }
    }
}

impl Call<'_, '_> {
    pub(super) fn by(&self) -> Option<By> {
        Some(By::Operator { session: self.id, account: self.own().account? })
    }

    pub(super) fn later(&self, time: Duration) -> Wall {
        self.turn.now.wall.after(time)
    }

    /// Takes a length of time such as `10min` or `2 hours` off the front of `text`; yields it and
    /// the rest. Tells the caller if the length is no valid one: a mistyped time must not become
    /// part of a reason, which would leave the sanction without an end.
    pub(super) fn time<'t>(&mut self, text: &'t str, or_reason: bool) -> Option<(Option<Duration>, &'t str)> {
        let why = match time::take_length(text.strip_prefix("for ").unwrap_or(text)) {
            Ok(None) => return Some((None, text)),
            Ok(Some((time, rest))) => {
                let given = || text[..text.len() - rest.len()].trim().chars().take(20).collect();
                if time.is_zero() {
                    NoLength::NotPositive(given())
                } else if time > LONGEST {
                    NoLength::TooLong(given())
                } else {
                    return Some((Some(time), rest));
                }
            }
            Err(why) => why,
        };
        self.refuse(Refusal::NoLength { why, or_reason });
        None
    }

    /// The person of that name or number, if the caller may act on them.
    pub(super) fn subject(&mut self, name: &str) -> Option<SessionId> {
        if self.named(name).is_none() && name::resembles_address(name) {
            self.refuse(Refusal::NotByAddress(clip(name)));
            return None;
        }
        let found = self.person(name)?;
        self.may_act_on(found).then_some(found)
    }

    /// Whether the caller may act on `found`: not on itself, nor on an operator. Tells the caller
    /// if not.
    pub(super) fn may_act_on(&mut self, found: SessionId) -> bool {
        if found == self.id {
            self.refuse(Refusal::ToYourself);
            return false;
        }
        if self.turn.hub.role(found) == Role::Operator {
            let name = self.turn.hub.people.sessions[&found].nick.shown().into();
            self.refuse(Refusal::IsOperator(name));
            return false;
        }
        true
    }
}

pub(super) fn kick(call: &mut Call<'_, '_>, args: &str) {
    let (name, reason) = split_word(args);
    let line = call.line(args);
    let Some(named) = call.means(name, &line) else { return };
    let other = match named {
        Named::Renamed(id) | Named::Confirmed(id) => call.may_act_on(id).then_some(id),
        Named::AsEver => call.subject(name),
    };
    let (Some(other), Some(by)) = (other, call.by()) else { return };
    let nick: Arc<str> = call.turn.hub.people.sessions[&other].nick.shown().into();
    // The confirmation holds for this client alone.
    let line = format!("{line}\n{}\ntime", other.0);
    if let Ok(Some((_, rest))) = time::take_length(reason.strip_prefix("for ").unwrap_or(reason))
        && !call.is_said_again(&line)
    {
        let time = clip(reason[..reason.len() - rest.len()].trim());
        call.refuse(Refusal::NoTimeInKick { nick, time });
        return call.ask(line);
    }
    let reason = call.turn.grounds(call.id, text_arg(reason));
    call.turn.note_grounds(call.id, Deed::Departure(other), &reason);
    call.turn.kick(other, reason.seen, by);
    call.done(Done::Kicked(nick));
}

pub(super) fn lockdown(call: &mut Call<'_, '_>, args: &str) {
    let Some(by) = call.by() else { return };
    if args == "off" {
        return match call.turn.hub.lockdown() {
            Some(_) => call.turn.end_lockdown(by),
            None => call.refuse(Refusal::NoLockdown),
        };
    }
    // People in a hurry put either word first: `/lockdown registered 10min` is understood, too.
    let (word, behind) = split_word(args);
    let turned = Newcomers::from_word(word).filter(|_| !behind.is_empty()).map(|_| format!("{behind} {word}"));
    let Some((time, rest)) = call.time(turned.as_deref().unwrap_or(args), false) else { return };
    let newcomers = match (rest, Newcomers::from_word(rest)) {
        ("", _) => None,
        (_, Some(newcomers)) => Some(newcomers),
        (_, None) => return call.usage(),
    };
    // A lockdown is announced to everybody, so the caller needs no other answer.
    call.turn.begin_lockdown(newcomers, time, by);
}

pub(super) fn strikes(call: &mut Call<'_, '_>, args: &str) {
    let (name, _) = split_word(args);
    let Some(other) = call.person(name) else { return };
    let nick = call.turn.hub.people.sessions[&other].nick.shown().into();
    let count = call.turn.hub.strikes(other, call.turn.now);
    call.done(Done::Strikes { nick, count });
}

pub(super) fn op(call: &mut Call<'_, '_>, args: &str) {
    let (name, _) = split_word(args);
    let Some(account) = call.turn.hub.accounts.find(&name::fold(name)) else {
        return call.refuse(Refusal::NoSuchAccount(clip(name)));
    };
    let shown = call.turn.hub.accounts.get(account).map_or_else(|| clip(name), |account| account.name.shown().into());
    if call.turn.hub.accounts.get(account).is_some_and(|account| account.role == Role::Operator) {
        return call.refuse(Refusal::IsOperator(shown));
    }
    let by = call.by();
    call.turn.change_account(account, None, Some(Role::Operator), by);
    call.done(Done::MadeOperator(shown));
}
