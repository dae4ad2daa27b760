//! Lifting sanctions, and who may: nobody lifts a sanction about themselves, and a mute or
//! expulsion that an administrator made about an operator is for administrators to lift.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::Hub;
use super::super::message::{Done, Refusal};
use super::super::sanction::{Author, Kind, Sanction, Target};
use super::super::session::Session;
use super::sanctions::shown;
use super::{Call, clip, split_word};
use crate::values::id::SanctionId;
use crate::values::time::Now;

/// The most sanctions that the answer names where several are meant.
const SHOWN: usize = 5;

impl Hub {
    /// The mutes about a client: the open ones, or with `shadow` those of which it must not know.
    pub(in crate::hub) fn mutes_of(&self, session: &Session, shadow: bool, now: Now) -> BTreeSet<SanctionId> {
        let sanctions = &self.moderation.sanctions;
        let own = self.sanctions_of(session, now);
        let meant = own.filter(|one| one.kind == Kind::Mute { shadow }).flat_map(|one| sanctions.same_as(one.id));
        meant.filter(|id| sanctions.get(*id).is_some_and(|one| one.kind == Kind::Mute { shadow })).collect()
    }
}

impl Call<'_, '_> {
    /// The mutes about the caller: the open ones, or with `shadow` those of which the caller must
    /// not know.
    fn own_mutes(&self, shadow: bool) -> BTreeSet<SanctionId> {
        self.turn.hub.mutes_of(self.own(), shadow, self.turn.now)
    }

    /// The sanctions that are hidden from the caller, as if there were none: shadow-mutes about
    /// itself.
    pub(super) fn unseen_sanctions(&self) -> BTreeSet<SanctionId> {
        self.own_mutes(true)
    }

    /// The sanction with that label, such as `m3`, unless it is hidden from the caller.
    pub(super) fn called(&self, text: &str) -> Option<&Sanction> {
        let (letter, id) = SanctionId::parse(text)?;
        let found = self.turn.hub.moderation.sanctions.get(id)?;
        (found.kind.letter() == letter && !self.unseen_sanctions().contains(&id)).then_some(found)
    }

    /// The reason for which the caller may not lift that sanction; `None` if it may.
    fn why_not(&self, id: SanctionId) -> Option<Refusal> {
        let hub = &self.turn.hub;
        let one = hub.moderation.sanctions.get(id)?;
        let called = || one.called().into();
        if self.own_mutes(false).contains(&id) {
            return Some(Refusal::AboutYourself(called()));
        }
        let is_about_operator = || {
            let by_name = matches!(&one.target, Target::Name(name) if hub.operator_like(name).is_some());
            let mut here = hub.people.operators.iter().filter_map(|id| hub.session(*id));
            by_name || here.any(|operator| hub.sanctions_of(operator, self.turn.now).any(|other| other.id == id))
        };
        // A ban does not put out an operator who is here already, so a ban is about other people.
        let binds = matches!(one.kind, Kind::Mute { .. } | Kind::Expulsion { .. });
        let is_for_administrators = binds && matches!(one.by, Author::Uid(_)) && is_about_operator();
        is_for_administrators.then(|| Refusal::ForAdministrators(called()))
    }
}

pub(super) fn unmute(call: &mut Call<'_, '_>, args: &str) {
    let (which, _) = split_word(args);
    let Some(by) = call.by() else { return };
    let Some(named) = call.means_to_look_at(which) else { return };
    let Some(other) = named.or_else(|| call.named(which)) else {
        return lift_one(call, which, &Kind::Mute { shadow: false });
    };
    let (hub, now) = (&call.turn.hub, call.turn.now);
    let session = &hub.people.sessions[&other];
    let nick: Arc<str> = session.nick_for(call.id).shown().into();
    let unseen = call.unseen_sanctions();
    let mutes = hub.sanctions_of(session, now).filter(|one| matches!(one.kind, Kind::Mute { .. })).map(|one| one.id);
    let mutes: BTreeSet<SanctionId> = mutes.filter(|id| !unseen.contains(id)).collect();
    if mutes.is_empty() {
        return call.refuse(Refusal::NotMuted(nick));
    }
    let (mut stays, mut lifted) = (None, Vec::new());
    let of_others = mutes.iter().filter_map(|id| hub.moderation.sanctions.get(*id));
    let of_others = of_others.filter(|mute| mute.nick.is_none() && !matches!(mute.target, Target::Name(_)));
    if of_others.count() > 0 {
        let all = mutes.iter().filter_map(|id| hub.moderation.sanctions.get(*id)).map(|mute| shown(hub, call.id, mute));
        lifted.extend(
            all.map(|mute| format!("{}, the {} of {}", mute.called, mute.word, mute.name.unwrap_or_default()).into()),
        );
    }
    for mute in mutes {
        match call.why_not(mute) {
            None => call.turn.lift(mute, by),
            Some(why) => stays = Some(why),
        }
    }
    match stays {
        Some(why) => call.refuse(why),
        None => call.done(Done::UnmutedOther { nick, lifted }),
    }
}

pub(super) fn unban(call: &mut Call<'_, '_>, args: &str) {
    let (which, _) = split_word(args);
    lift_one(call, which, &Kind::Ban);
}

pub(super) fn lift(call: &mut Call<'_, '_>, args: &str) {
    let (which, _) = split_word(args);
    match call.called(which).map(|sanction| sanction.id) {
        Some(id) => lifted(call, id),
        None => call.refuse(Refusal::NoSuchBan(clip(which))),
    }
}

/// Lifts the one sanction of that kind that `which` stands for: its label, or exactly its target.
fn lift_one(call: &mut Call<'_, '_>, which: &str, kind: &Kind) {
    let unseen = call.unseen_sanctions();
    let mut found = call.turn.hub.sanctions_meant(which, kind, call.turn.now);
    found.retain(|id| !unseen.contains(id));
    match *found.as_slice() {
        [id] => lifted(call, id),
        [] => call.refuse(Refusal::NoSuchBan(clip(which))),
        _ => {
            let sanctions = &call.turn.hub.moderation.sanctions;
            let called = found.iter().take(SHOWN).filter_map(|id| sanctions.get(*id)).map(|one| one.called().into());
            let called = called.collect();
            call.refuse(Refusal::SeveralSanctions { which: clip(which), called, count: found.len() });
        }
    }
}

fn lifted(call: &mut Call<'_, '_>, id: SanctionId) {
    let Some(called) = call.turn.hub.moderation.sanctions.get(id).map(Sanction::called) else { return };
    if let Some(why) = call.why_not(id) {
        return call.refuse(why);
    }
    let Some(by) = call.by() else { return };
    call.turn.lift(id, by);
    call.turn.done_on_record(call.id, Done::Lifted(called.into()));
}
