//! What operators do in chat: the same as administrators do over the admin socket, and audited alike.
//!
//! An operator is somebody among others here. So nothing that an operator is told has an address in it,
//! nobody can act on another operator, and nobody can shut themselves out.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::message::{Done, Message, Refusal, SessionId, ShownBan};
use super::super::moderation::{BanId, Network, Target};
use super::super::name::{self, Name};
use super::super::session::Mute;
use super::super::time::Wall;
use super::super::{By, Effect};
use super::{Call, LISTED, clip, split_word, text_arg};

/// The longest time that somebody is muted or kept out for, if not for good.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What a command of an operator led to is an operator's doing, by name.
pub(super) fn sign(call: &mut Call<'_>, from: usize) {
    let account = call.hub.sessions.get(&call.id).and_then(|session| session.account);
    let name = account.and_then(|account| call.hub.accounts.get(account)).map(|account| account.name.shown());
    let Some(name) = name.map(Arc::<str>::from) else { return };
    for effect in &mut call.effects[from..] {
        if let Effect::Happened(happening) = effect
            && matches!(happening.by, Some(By::Operator { .. }))
        {
            happening.operator = Some(name.clone());
        }
    }
}

/// A time such as `10m` or `2h30m` before other words, and these.
fn split_time(text: &str) -> (Option<Duration>, &str) {
    let (word, rest) = split_word(text);
    let time = word.starts_with(|first: char| first.is_ascii_digit()).then(|| humantime::parse_duration(word).ok());
    match time.flatten() {
        Some(time) if !time.is_zero() => (Some(time.min(LONGEST)), rest),
        _ => (None, text),
    }
}

impl Call<'_> {
    fn by(&self) -> Option<By> {
        Some(By::Operator { session: self.id, account: self.own().account? })
    }

    fn later(&self, time: Duration) -> Wall {
        Wall(self.now.wall.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The person of that name, if an operator may do something to them.
    fn subject(&mut self, name: &str) -> Option<SessionId> {
        let found = self.person(name)?;
        if found == self.id {
            self.refuse(Refusal::ToYourself);
            return None;
        }
        if self.hub.role(found) == Role::Operator {
            let name = self.hub.sessions[&found].nick.shown().into();
            self.refuse(Refusal::IsOperator(name));
            return None;
        }
        Some(found)
    }
}

pub(super) fn kick(call: &mut Call<'_>, args: &str) {
    let (name, reason) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let (Some(other), Some(by)) = (call.subject(name), call.by()) else { return };
    let nick = call.hub.sessions[&other].nick.shown().into();
    call.hub.kick(other, text_arg(reason), by, call.now, call.effects);
    call.done(Done::Kicked(nick));
}

pub(super) fn mute(call: &mut Call<'_>, args: &str) {
    mute_somehow(call, args, false);
}

pub(super) fn shadowmute(call: &mut Call<'_>, args: &str) {
    mute_somehow(call, args, true);
}

fn mute_somehow(call: &mut Call<'_>, args: &str, shadow: bool) {
    let (name, rest) = split_word(args);
    let (time, rest) = split_time(rest);
    if name.is_empty() || !rest.is_empty() {
        return call.usage();
    }
    let (Some(other), Some(by)) = (call.subject(name), call.by()) else { return };
    let until = time.map(|time| (call.now.mono.after(time), call.later(time)));
    call.hub.mute(other, Some(Mute { until, shadow }), by, call.now, call.effects);
    let nick = call.hub.sessions[&other].nick.shown().into();
    call.done(Done::MutedOther { nick, until: until.map(|(_, wall)| wall), shadow });
}

pub(super) fn unmute(call: &mut Call<'_>, args: &str) {
    let (name, _) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let (Some(other), Some(by)) = (call.subject(name), call.by()) else { return };
    call.hub.mute(other, None, by, call.now, call.effects);
    let nick = call.hub.sessions[&other].nick.shown().into();
    call.done(Done::UnmutedOther(nick));
}

/// What a ban is to be about: a network, the address of somebody who is here, or a name.
fn target(call: &mut Call<'_>, text: &str) -> Option<Target> {
    if text.contains(['/', ':']) || text.parse::<core::net::IpAddr>().is_ok() {
        let network = text.parse::<Network>().ok().filter(|network| !network.is_wide());
        if network.is_none() {
            call.refuse(Refusal::NoNetwork(clip(text)));
        }
        return network.map(Target::Network);
    }
    if call.hub.find(text).is_some() {
        let other = call.subject(text)?;
        return Some(Target::Network(Network::around(call.hub.sessions[&other].peer.ip())));
    }
    match Name::parse(text, usize::from(u8::MAX)) {
        Ok(name) => Some(Target::Name(name)),
        Err(invalid) => {
            call.refuse(Refusal::InvalidName(invalid));
            None
        }
    }
}

pub(super) fn ban(call: &mut Call<'_>, args: &str) {
    let (whom, rest) = split_word(args);
    if whom.is_empty() {
        return call.usage();
    }
    let (time, reason) = split_time(rest);
    let (Some(target), Some(by)) = (target(call, whom), call.by()) else { return };
    let hit: Vec<SessionId> = call.hub.hit_by(&target).map(|session| session.id).collect();
    if hit.contains(&call.id) {
        return call.refuse(Refusal::HitsYourself);
    }
    if let Some(other) = hit.iter().find(|id| call.hub.role(**id) == Role::Operator) {
        let name = call.hub.sessions[other].nick.shown().into();
        return call.refuse(Refusal::IsOperator(name));
    }
    let limit = call.hub.settings.limits.bans;
    if call.hub.bans.about(&target).is_none() && call.hub.bans.len() >= limit {
        return call.refuse(Refusal::TooManyBans(limit));
    }
    let until = time.map(|time| call.later(time));
    call.hub.ban(target.clone(), text_arg(reason), until, by, call.now, call.effects);
    let Some(id) = call.hub.bans.about(&target) else { return };
    call.done(Done::Banned { id, hit: hit.len(), until });
}

pub(super) fn unban(call: &mut Call<'_>, args: &str) {
    let (which, _) = split_word(args);
    let by_id = which.strip_prefix('b').and_then(|number| number.parse().ok()).map(BanId);
    let found = by_id.filter(|id| call.hub.bans.get(*id).is_some()).or_else(|| {
        let name = Name::parse(which, usize::from(u8::MAX)).ok().map(Target::Name);
        let target = which.parse::<Network>().ok().map(Target::Network).or(name)?;
        call.hub.bans.about(&target)
    });
    match (found, call.by()) {
        (None, _) if which.is_empty() => call.usage(),
        (Some(id), Some(by)) => {
            call.hub.unban(id, by, call.now, call.effects);
            call.done(Done::Unbanned(id));
        }
        _ => call.refuse(Refusal::NoSuchBan(clip(which))),
    }
}

pub(super) fn bans(call: &mut Call<'_>, _: &str) {
    let now = call.now.wall;
    let held: Vec<_> = call.hub.bans.iter().filter(|ban| ban.holds(now)).collect();
    let total = held.len();
    call.hub.work += call.hub.bans.len() as u64;
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

pub(super) fn strikes(call: &mut Call<'_>, args: &str) {
    let (name, _) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let Some(other) = call.person(name) else { return };
    let nick = call.hub.sessions[&other].nick.shown().into();
    let count = call.hub.strikes(other, call.now);
    call.done(Done::Strikes { nick, count });
}

pub(super) fn op(call: &mut Call<'_>, args: &str) {
    let (name, _) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let Some(account) = call.hub.accounts.find(&name::fold(name)) else {
        return call.refuse(Refusal::NoSuchAccount(clip(name)));
    };
    let shown = call.hub.accounts.get(account).map_or_else(|| clip(name), |account| account.name.shown().into());
    if call.hub.accounts.get(account).is_some_and(|account| account.role == Role::Operator) {
        return call.refuse(Refusal::IsOperator(shown));
    }
    let by = call.by();
    call.hub.change_account(account, None, Some(Role::Operator), by, call.now, call.effects);
    call.done(Done::MadeOperator(shown));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_told_from_a_reason() {
        for (text, time, rest) in [
            ("", None, ""),
            ("10m", Some(600), ""),
            ("2h spam all day", Some(7200), "spam all day"),
            ("1h30m", Some(5400), ""),
            ("spam", None, "spam"),
            ("3 times is enough", None, "3 times is enough"),
            ("0s now", None, "0s now"),
            ("99999y", Some(LONGEST.as_secs()), ""),
        ] {
            assert_eq!(split_time(text), (time.map(Duration::from_secs), rest), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}|[0-9a-z ]{0,30}") {
            let (time, _) = split_time(&text);
            prop_assert!(time.is_none_or(|time| time <= LONGEST));
        }
    }
}
