//! Strikes: what counts against somebody, and what comes of too many.
//!
//! They count for an address (of IPv6, a /64 network), so that coming again does not help, and are
//! forgotten one by one. Whoever has `moderation.mute_at` of them is muted, whoever has `moderation.ban_at`
//! kept out, both for a time.

use super::Turn;
use core::fmt;
use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher13;

use super::message::{Done, Refusal};
use super::pace::Kind;
use super::sanction::{self, Order, Target};
use super::{By, Hub, What};
use crate::settings;
use crate::values::id::SessionId;
use crate::values::network::Network;
use crate::values::network::Origin;
use crate::values::rate::{self, make_room};
use crate::values::time::{Mono, Now};

/// Addresses whose strikes are remembered at once. Beyond it, the one that would be forgotten soonest is.
const REMEMBERED: usize = 4096;

/// The same line within so long is the same line again.
const REPEATED_WITHIN: Duration = Duration::from_secs(30);

/// What counts against somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// Lines of theirs were dropped, because they came too fast for too long.
    Flood,
    /// They say the same again and again.
    Repetition,
    /// They say what house rules forbid.
    Words,
    /// They send lines that are too long.
    TooLong,
    /// They show others too much else: names, topics, rooms, invitations, messages to more and more people.
    TooOften,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flood => "too many lines",
            Self::Repetition => "the same line again and again",
            Self::Words => "words against the house rules",
            Self::TooLong => "lines that are too long",
            Self::TooOften => "too many names, topics, rooms or messages",
        })
    }
}

/// What somebody has said last to others, wherever, and how often they have shown others something else.
///
/// The first three fields are of the very last line, which is all that former releases know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSaid {
    /// What tells it from others.
    hash: u64,
    /// How often, each within [`REPEATED_WITHIN`].
    times: u32,
    at: Mono,
    /// Those said before it that differ from it and each other, the last one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<(u64, u32, Mono)>,
    /// When all of a pace may be used again, of those that are in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paces: Vec<(Kind, Mono)>,
    /// How many in a row were too soon.
    #[serde(default, skip_serializing_if = "is_zero")]
    too_soon: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Lines that are known again, the last one included: who says a few in turn says the same again and again as well.
const LINES_KNOWN: usize = 8;

/// So many that come too soon, in a row, are a strike: the first is a slip, and the answer says how long to wait.
const TOO_SOON: u32 = 3;

impl LastSaid {
    /// How often that was said of late, this time included.
    fn say(&mut self, hash: u64, now: Mono) -> u32 {
        let mut known = std::mem::take(&mut self.before);
        if self.times > 0 {
            known.insert(0, (self.hash, self.times, self.at));
        }
        known.retain(|(_, _, at)| now.since(*at) <= REPEATED_WITHIN);
        let found = known.iter().position(|(one, _, _)| *one == hash).map(|at| known.remove(at));
        known.truncate(LINES_KNOWN - 1);
        (self.hash, self.times, self.at) = (hash, found.map_or(1, |(_, times, _)| times.saturating_add(1)), now);
        self.before = known;
        self.times
    }

    /// One more of that kind.
    ///
    /// # Errors
    /// How long this is too early.
    fn take(&mut self, kind: Kind, now: Mono, limits: &settings::Pace) -> Result<(), Duration> {
        let (burst, every) = kind.pace(limits);
        self.paces.retain(|(_, full)| *full > now);
        let full = self.paces.iter().find(|(one, _)| *one == kind).map_or(Mono(0), |(_, full)| *full);
        let full = rate::take_one(full, now, every, burst)?;
        self.paces.retain(|(one, _)| *one != kind);
        self.paces.push((kind, full));
        Ok(())
    }
}

/// Strikes by address: how many, at the time of the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Strikes(BTreeMap<Origin, (u32, Mono)>);

impl Strikes {
    /// How many count against that address now, where one is forgotten each `forget`.
    pub(super) fn of(&self, origin: Origin, forget: Duration, now: Mono) -> u32 {
        let Some((count, at)) = self.0.get(&origin) else { return 0 };
        let forgotten = now.since(*at).as_micros() / forget.as_micros().max(1);
        count.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    /// One more; how many there are then.
    fn add(&mut self, origin: Origin, forget: Duration, now: Mono) -> u32 {
        let count = self.of(origin, forget, now).saturating_add(1);
        if !self.0.contains_key(&origin) {
            make_room(&mut self.0, REMEMBERED, now, |(count, at)| at.after(forget.saturating_mul(*count)));
        }
        // What is forgotten in part of the next one is forgiven with it.
        self.0.insert(origin, (count, now));
        count
    }

    /// None count any more.
    fn clear(&mut self, origin: Origin) {
        self.0.remove(&origin);
    }
}

impl Serialize for Strikes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Strikes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::deserialize(from)?.into_iter().take(REMEMBERED).collect()))
    }
}

impl Hub {
    /// How many strikes count against that client.
    #[must_use]
    pub fn strikes(&self, id: SessionId, now: Now) -> u32 {
        let origin = self.people.sessions.get(&id).map(|session| Origin::of(session.peer.ip()));
        origin.map_or(0, |origin| self.moderation.strikes.of(origin, self.settings.moderation.forget, now.mono))
    }
}

impl Turn<'_> {
    /// Counts `offence` against `id`, and does what is to be done then.
    pub(super) fn strike(&mut self, id: SessionId, offence: Offence) {
        let Some(session) = self.hub.people.sessions.get(&id) else { return };
        let rules = self.hub.settings.moderation.clone();
        if rules.mute_at == 0 && rules.ban_at == 0 {
            return;
        }
        let (peer, is_muted) = (session.peer, session.knows_to_be_muted(self.now));
        let origin = Origin::of(peer.ip());
        let count = self.hub.moderation.strikes.add(origin, rules.forget, self.now.mono);
        self.hub.counters.strikes += 1;
        self.happened(What::Struck, id, Some(By::Hub), Some(format!("{offence} ({count})").into()));
        let wall = self.now.wall;
        let is_safe = self.hub.settings.access.always.iter().any(|network| network.has(peer.ip()));
        let most = self.hub.settings.limits.bans;
        let sanctions = &self.hub.moderation.sanctions;
        if rules.ban_at > 0 && count >= rules.ban_at && !is_safe && sanctions.count(&sanction::Kind::Ban) < most {
            self.hub.moderation.strikes.clear(origin);
            let reason: Arc<str> = offence.to_string().into();
            let target = Target::Network(Network::around(peer.ip()));
            let until = Some(wall.after(rules.ban_for));
            let nick = self.hub.session(id).map(|session| session.nick.shown().into());
            let order = Order { kind: sanction::Kind::Ban, target, also: None, nick, reason: Some(reason), until };
            self.sanction(order, By::Hub);
        } else if rules.mute_at > 0
            && count >= rules.mute_at
            && !is_muted
            && sanctions.count(&sanction::Kind::Mute { shadow: false }) < most
        {
            let until = wall.after(rules.mute_for);
            let now = self.now;
            if let Some(session) = self.hub.people.sessions.get_mut(&id)
                && session.is_muted_untold(now)
            {
                // Somebody who is not to know of one mute is told of this one like everybody else.
                session.mute_as_told((now.mono.after(rules.mute_for), until));
                let reason = Some(offence.to_string().into());
                return self.done(id, Done::Muted { until: Some(until), reason });
            }
            let Some(session) = self.hub.session(id) else { return };
            let order = self.hub.order(session, sanction::Kind::Mute { shadow: false });
            let order = Order { reason: Some(offence.to_string().into()), until: Some(until), ..order };
            self.sanction(order, By::Hub);
        }
    }

    /// Whether `id` may show others one more of that kind now; it is told if not, unless what it does goes on `silently`,
    /// and who goes on has a strike.
    pub(super) fn is_in_time(&mut self, id: SessionId, kind: Kind, silently: bool) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let said = session.last_said.get_or_insert_default();
        let Err(wait) = said.take(kind, self.now.mono, &self.hub.settings.pace) else {
            said.too_soon = 0;
            return true;
        };
        if silently {
            return false;
        }
        said.too_soon = (said.too_soon + 1) % TOO_SOON;
        let is_strike = said.too_soon == 0;
        self.hub.counters.shown_too_often += 1;
        self.refuse(id, Refusal::TooOften { kind, wait });
        if is_strike {
            self.strike(id, Offence::TooOften);
        }
        false
    }

    /// Whether `text` is what `id` has said to others so often of late that it is refused now.
    pub(super) fn is_repetition(&mut self, id: SessionId, text: &str) -> bool {
        let most = self.hub.settings.moderation.repeats;
        let Some(session) = self.hub.people.sessions.get_mut(&id).filter(|_| most > 0) else { return false };
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        // Every line passes here: whether it is the same is told from its bytes, but for ASCII's case.
        for part in text.as_bytes().chunks(64) {
            let mut lower = [0; 64];
            lower[..part.len()].copy_from_slice(part);
            lower.make_ascii_lowercase();
            hasher.write(&lower[..part.len()]);
        }
        let hash = hasher.finish();
        let times = session.last_said.get_or_insert_default().say(hash, self.now.mono);
        if times <= most {
            return false;
        }
        self.refuse(id, Refusal::Repeated);
        self.strike(id, Offence::Repetition);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(number: u8) -> Origin {
        Origin::of(core::net::IpAddr::from([192, 0, 2, number]))
    }

    proptest! {
        #[test]
        fn strikes_are_counted_and_forgotten_one_by_one(steps in prop::collection::vec((0..3_u8, 0..30_u64), 1..60)) {
            const FORGET: Duration = Duration::from_secs(10);
            let mut strikes = Strikes::default();
            let mut model: BTreeMap<u8, (u32, u64)> = BTreeMap::new();
            let mut now = 0;
            for (who, pass) in steps {
                now += pass;
                let at = Mono(now * 1_000_000);
                let (count, since) = model.get(&who).copied().unwrap_or_default();
                let left = count.saturating_sub(u32::try_from((now - since) / 10).expect("short"));
                prop_assert_eq!(strikes.of(origin(who), FORGET, at), left);
                prop_assert_eq!(strikes.add(origin(who), FORGET, at), left + 1);
                model.insert(who, (left + 1, now));
            }
            let again: Strikes = serde_json::from_str(&serde_json::to_string(&strikes).expect("plain")).expect("the same");
            prop_assert_eq!(again.0, strikes.0);
        }
    }

    proptest! {
        /// However much somebody says and shows, what is kept of it is little, and is read again.
        #[test]
        fn what_is_known_of_what_was_said_is_bounded(
            steps in prop::collection::vec((0..20_u64, 0..20_u64, 0..6_usize), 1..200),
        ) {
            const KINDS: [Kind; 6] =
                [Kind::Names, Kind::Topics, Kind::Rooms, Kind::Absences, Kind::Invitations, Kind::People];
            let (limits, mut said, mut now) = (settings::Pace::default(), LastSaid::default(), Mono(1));
            let mut model: Vec<(u64, u32, Mono)> = Vec::new();
            for (hash, seconds, kind) in steps {
                now = now.after(Duration::from_secs(seconds));
                let times = said.say(hash, now);
                model.retain(|(_, _, at)| now.since(*at) <= REPEATED_WITHIN);
                let known = model.iter().position(|(one, _, _)| *one == hash).map(|at| model.remove(at));
                prop_assert_eq!(times, known.map_or(1, |(_, times, _)| times + 1));
                model.insert(0, (hash, times, now));
                model.truncate(LINES_KNOWN);
                let _ = said.take(KINDS[kind], now, &limits);
                prop_assert!(said.before.len() < LINES_KNOWN && said.paces.len() <= KINDS.len());
                let again: LastSaid = serde_json::from_str(&serde_json::to_string(&said).expect("plain")).expect("it");
                prop_assert_eq!(&again, &said);
            }
        }
    }

    #[test]
    fn no_more_are_remembered_than_there_may_be() {
        let mut strikes = Strikes::default();
        for number in 0..u64::try_from(REMEMBERED).expect("few") + 10 {
            let [a, b, c, d] = u32::try_from(number).expect("few").to_be_bytes();
            strikes.add(Origin::of([a, b, c, d].into()), Duration::from_secs(60), Mono(number));
        }
        assert_eq!(strikes.0.len(), REMEMBERED);
    }
}
