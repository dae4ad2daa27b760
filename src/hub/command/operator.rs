//! What operators do in chat: the same as administrators do over the admin socket, and audited alike.
//!
//! An operator is somebody among others here. So nothing that an operator is told has an address in it,
//! nobody can act on another operator, and nobody can shut themselves out.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::message::{Done, Message, Refusal, ShownBan};
use super::super::moderation::{NoTarget, Target};
use super::super::session::Mute;
use super::super::{By, Effect};
use super::{Call, LISTED, clip, split_word, text_arg};
use crate::settings::{Newcomers, Word as _};
use crate::values::id::BanId;
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Network;
use crate::values::time::{self, LONGEST, NoLength, Wall};

/// What a command of an operator led to is an operator's doing, by name.
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
    fn by(&self) -> Option<By> {
        Some(By::Operator { session: self.id, account: self.own().account? })
    }

    fn later(&self, time: Duration) -> Wall {
        self.turn.now.wall.after(time)
    }

    /// A time such as `10min` or `2 hours` before other words, and these. The caller is told if it is none: a
    /// slip must not become a reason, and what it goes with one without end.
    fn time<'t>(&mut self, text: &'t str, or_reason: bool) -> Option<(Option<Duration>, &'t str)> {
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

    /// The person of that name, if an operator may do something to them.
    fn subject(&mut self, name: &str) -> Option<SessionId> {
        if self.turn.hub.find(name).is_none() && name::resembles_address(name) {
            self.refuse(Refusal::NotByAddress(clip(name)));
            return None;
        }
        let found = self.person(name)?;
        if found == self.id {
            self.refuse(Refusal::ToYourself);
            return None;
        }
        if self.turn.hub.role(found) == Role::Operator {
            let name = self.turn.hub.people.sessions[&found].nick.shown().into();
            self.refuse(Refusal::IsOperator(name));
            return None;
        }
        Some(found)
    }
}

pub(super) fn kick(call: &mut Call<'_, '_>, args: &str) {
    let (name, reason) = split_word(args);
    let (Some(other), Some(by)) = (call.subject(name), call.by()) else { return };
    let nick = call.turn.hub.people.sessions[&other].nick.shown().into();
    call.turn.kick(other, text_arg(reason), by);
    call.done(Done::Kicked(nick));
}

pub(super) fn mute(call: &mut Call<'_, '_>, args: &str) {
    mute_somehow(call, args, false);
}

pub(super) fn shadowmute(call: &mut Call<'_, '_>, args: &str) {
    mute_somehow(call, args, true);
}

fn mute_somehow(call: &mut Call<'_, '_>, args: &str, shadow: bool) {
    let (name, rest) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let Some((time, rest)) = call.time(rest, false) else { return };
    if !rest.is_empty() {
        return call.usage();
    }
    let (Some(other), Some(by)) = (call.subject(name), call.by()) else { return };
    let until = time.map(|time| (call.turn.now.mono.after(time), call.later(time)));
    call.turn.mute(other, Some(Mute { until, shadow }), by);
    let nick = call.turn.hub.people.sessions[&other].nick.shown().into();
    call.done(Done::MutedOther { nick, until: until.map(|(_, wall)| wall), shadow });
}

pub(super) fn unmute(call: &mut Call<'_, '_>, args: &str) {
    let (name, _) = split_word(args);
    let (Some(other), Some(by)) = (call.subject(name), call.by()) else { return };
    call.turn.mute(other, None, by);
    let nick = call.turn.hub.people.sessions[&other].nick.shown().into();
    call.done(Done::UnmutedOther(nick));
}

/// What a ban is to be about: a network, the address of somebody who is here, or a name.
fn target(call: &mut Call<'_, '_>, text: &str) -> Option<Target> {
    let target = text.parse();
    // Who has had a name since before it was none is meant by its id alone.
    if !matches!(target, Ok(Target::Network(_)) | Err(NoTarget::Network(_))) && call.turn.hub.find(text).is_some() {
        let other = call.subject(text)?;
        return Some(Target::Network(Network::around(call.turn.hub.people.sessions[&other].peer.ip())));
    }
    match target {
        Ok(Target::Network(network)) if network.is_wide() => {
            call.refuse(Refusal::TooWide(clip(text)));
            None
        }
        Ok(target) => Some(target),
        Err(why) => {
            call.refuse(Refusal::NoTarget(why));
            None
        }
    }
}

pub(super) fn ban(call: &mut Call<'_, '_>, args: &str) {
    let (whom, rest) = split_word(args);
    let Some((time, reason)) = call.time(rest, true) else { return };
    let (Some(target), Some(by)) = (target(call, whom), call.by()) else { return };
    let hit: Vec<SessionId> = call.turn.hub.hit_by(&target).map(|session| session.id).collect();
    if hit.contains(&call.id) {
        return call.refuse(Refusal::HitsYourself);
    }
    if let Some(other) = hit.iter().find(|id| call.turn.hub.role(**id) == Role::Operator) {
        let name = call.turn.hub.people.sessions[other].nick.shown().into();
        return call.refuse(Refusal::IsOperator(name));
    }
    let limit = call.turn.hub.settings.limits.bans;
    if call.turn.hub.moderation.bans.about(&target).is_none() && call.turn.hub.moderation.bans.len() >= limit {
        return call.refuse(Refusal::TooManyBans(limit));
    }
    let until = time.map(|time| call.later(time));
    call.turn.ban(target.clone(), text_arg(reason), until, by);
    let Some(id) = call.turn.hub.moderation.bans.about(&target) else { return };
    call.done(Done::Banned { id, hit: hit.len(), until });
}

pub(super) fn lockdown(call: &mut Call<'_, '_>, args: &str) {
    let Some(by) = call.by() else { return };
    if args == "off" {
        return match call.turn.hub.lockdown() {
            Some(_) => call.turn.end_lockdown(by),
            None => call.refuse(Refusal::NoLockdown),
        };
    }
    let Some((time, rest)) = call.time(args, false) else { return };
    let newcomers = match (rest, Newcomers::from_word(rest)) {
        ("", _) => None,
        (_, Some(newcomers)) => Some(newcomers),
        (_, None) => return call.usage(),
    };
    // Everybody is shown it: that is the confirmation.
    call.turn.begin_lockdown(newcomers, time, by);
}

pub(super) fn unban(call: &mut Call<'_, '_>, args: &str) {
    let (which, _) = split_word(args);
    let by_id = which.strip_prefix('b').and_then(|number| number.parse().ok()).map(BanId);
    let found = by_id.filter(|id| call.turn.hub.moderation.bans.get(*id).is_some()).or_else(|| {
        // A ban of a name that none can be any more is lifted by that name all the same.
        let name = || Name::parse(which, usize::from(u8::MAX)).ok().map(Target::Name);
        call.turn.hub.moderation.bans.about(&which.parse().ok().or_else(name)?)
    });
    match (found, call.by()) {
        (Some(id), Some(by)) => {
            call.turn.unban(id, by);
            call.done(Done::Unbanned(id));
        }
        _ => call.refuse(Refusal::NoSuchBan(clip(which))),
    }
}

pub(super) fn bans(call: &mut Call<'_, '_>, _: &str) {
    let now = call.turn.now.wall;
    let held: Vec<_> = call.turn.hub.moderation.bans.iter().filter(|ban| ban.holds(now)).collect();
    let total = held.len();
    call.turn.hub.work.done += call.turn.hub.moderation.bans.len() as u64;
    let bans: Vec<ShownBan> = held
        .into_iter()
        .rev()
        .take(LISTED)
        .map(|ban| ShownBan {
            id: ban.id,
            // An address is nobody's business here, not even an operator's.
            name: match &ban.target {
                Target::Network(_) => None,
                Target::Name(name) => Some(name.shown().into()),
            },
            reason: ban.reason.clone(),
            by: ban.by.to_string().into(),
            until: ban.until,
        })
        .collect();
    call.tell(Message::Bans { bans, total });
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
