//! Strikes: offences are counted, and too many of them bring a mute or a ban.
//!
//! Strikes are counted for each address (for IPv6: each /64 network), so that reconnecting does not
//! help, and are forgotten one by one. At `moderation.mute_at` strikes, the client is muted for a
//! time; at `moderation.ban_at`, its address is banned for a time.

use super::Turn;
use core::fmt;
use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher13;

use super::account::Role;
use super::message::Refusal;
use super::pace::Kind;
use super::sanction::{self, Order, Target};
use super::{By, Hub, What};
use crate::settings;
use crate::values::id::SessionId;
use crate::values::name::Name;
use crate::values::network::Network;
use crate::values::network::Origin;
use crate::values::rate::{self, make_room};
use crate::values::time::{Mono, Now};
use crate::values::words;

/// The most addresses with strikes. A further address replaces the one whose strikes would be
/// forgotten soonest.
const REMEMBERED: usize = 4096;

/// The longest time between two equal lines of which the second counts as a repetition.
const REPEATED_WITHIN: Duration = Duration::from_secs(30);

/// An offence, which counts as one strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// Lines were dropped or refused because they came too fast for too long.
    Flood,
    /// The same line was repeated more than `moderation.repeats` times.
    Repetition,
    /// A word was said that `filters.strike` forbids.
    Words,
    /// A line was longer than `limits.line`.
    TooLong,
    /// Names, topics, rooms, invitations or first messages were shown to others faster than
    /// `pace.shown` allows.
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

/// What a client has said to others recently, in any room or in private, and how much else it has
/// shown them.
///
/// The first three fields are about the last line. Earlier releases kept only these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSaid {
    /// A hash of the line.
    hash: u64,
    /// How often the line was said, each time within [`REPEATED_WITHIN`] of the last.
    times: u32,
    at: Mono,
    /// The different lines before the last one, the newest first. With the last one, there are at
    /// most `LINES_KNOWN`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<(u64, u32, Mono)>,
    /// For each kind in use, the moment at which its whole burst may be used again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paces: Vec<(Kind, Mono)>,
    /// The number of actions in a row, of any kind, that came too soon.
    #[serde(default, skip_serializing_if = "is_zero")]
    too_soon: u32,
    /// The moment at which the whole burst of lines in the long run (`pace.steady`) may be used
    /// again.
    #[serde(default)]
    steady: Mono,
    /// The number of lines beyond that pace since its whole burst was last available.
    #[serde(default, skip_serializing_if = "is_zero")]
    beyond: u32,
    /// The names that the client has given up, each with the moment, the latest at the end: at most
    /// `NAMES_KNOWN`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<(Name, Mono)>,
}

/// The text with each run of one character cut to a single one, so that "buy!!!!" repeats "buy!!".
/// Digits stay: 11 is not 1.
fn without_runs(text: &str) -> String {
    let mut last = None;
    text.chars().filter(|char| last.replace(*char) != Some(*char) || char.is_ascii_digit()).collect()
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The number of different lines that are remembered, so that saying a few lines in turn counts as
/// repeating.
const LINES_KNOWN: usize = 8;

/// A text shorter than this, in bytes, is said by many people at the same moment: "hi all", "yes".
/// From one address, it may be said [`OF_SHORT`] times as often as a longer one.
const SAID_BY_MANY: usize = 16;
const OF_SHORT: u32 = 3;

/// The number of clients at one address, the latest ones, whose lines are looked at.
const NEIGHBOURS: usize = 64;
/// The number of former names that are remembered of a client; a further one replaces the oldest.
/// `pace.shown` limits how fast names are taken.
const NAMES_KNOWN: usize = 8;

/// The number of actions in a row that have to come too soon for a strike. A single one is a slip,
/// and the answer tells how long to wait.
const TOO_SOON: u32 = 3;

/// The number of lines beyond the pace of the long run that make a strike.
const BEYOND: u32 = 10;

const MINUTE: Duration = Duration::from_secs(60);

/// Of what an address may say in one go, this part is for clients there that are no more than [`LITTLE`] lines beyond
/// their pace: somebody who floods does not keep others at their address from saying something.
const FOR_THE_CALM: u32 = 4;
const LITTLE: u32 = 3;

/// How many times as much as one client all clients at an address may say in one go.
const CLIENTS_OF_AN_ADDRESS: u32 = 3;

/// How many lines one client may say in one go: as many as its pace lets pass before lines are dropped.
fn in_one_go(limits: &settings::Pace) -> u32 {
    let most = u64::from(limits.lines).saturating_mul(limits.patience.as_secs().max(1));
    u32::try_from(most).unwrap_or(u32::MAX).max(limits.burst_lines)
}

impl LastSaid {
    /// The part that also holds for the next client from the same address, who may be another
    /// person: lines that were repeated, things shown too often, and lines in the long run. That
    /// does not harm another person, who can still say as much as anybody types. The number of
    /// names taken does not hold, because each newcomer takes one; but the sum over clients that
    /// came one after another does ([`Kind::Newcomers`]).
    pub(super) fn of_an_address(&self) -> Self {
        let mut this = Self { beyond: 0, too_soon: 0, names: Vec::new(), ..self.clone() };
        this.paces.retain(|(kind, _)| *kind != Kind::Names);
        this
    }

    /// Remembers a name that the client gives up.
    pub(super) fn lays_down(&mut self, name: &Name, now: Mono) {
        self.names.retain(|(other, _)| other != name);
        if self.names.len() >= NAMES_KNOWN {
            self.names.remove(0);
        }
        self.names.push((name.clone(), now));
    }

    /// The names that the client has given up at most `within` ago, each with the moment, the
    /// latest first.
    pub(super) fn laid_down(&self, within: Duration, now: Mono) -> impl Iterator<Item = (&Name, Mono)> {
        self.names.iter().rev().map(|(name, at)| (name, *at)).filter(move |(_, at)| now.since(*at) <= within)
    }

    /// All former names that are remembered.
    pub(super) fn all_laid_down(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().map(|(name, _)| name)
    }

    /// Counts one more line that is said to others against the pace of the long run
    /// (`pace.steady`).
    ///
    /// # Errors
    /// The time by which the line comes too early.
    fn go_on(&mut self, now: Mono, limits: &settings::Pace) -> Result<(), Duration> {
        if limits.steady == 0 {
            return Ok(());
        }
        if self.steady <= now {
            self.beyond = 0;
        }
        let taken = rate::take_one(self.steady, now, MINUTE / limits.steady, in_one_go(limits));
        taken.map(|steady| self.steady = steady).inspect_err(|_| self.beyond = self.beyond.saturating_add(1))
    }

    /// Whether the client has said no more than a few lines beyond its pace of the long run.
    fn has_said_little(&self, now: Mono, limits: &settings::Pace) -> bool {
        limits.steady > 0 && self.steady.since(now) <= MINUTE / limits.steady * LITTLE
    }

    /// Counts a line, given its hash. Returns how often it was said recently, this time included.
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

    /// How often the line with that hash was said recently.
    fn times(&self, hash: u64, now: Mono) -> u32 {
        let all = self.before.iter().copied().chain([(self.hash, self.times, self.at)]);
        let of_late = all.filter(|(one, _, at)| *one == hash && now.since(*at) <= REPEATED_WITHIN);
        of_late.map(|(_, times, _)| times).sum()
    }

    /// Counts one action of that kind.
    ///
    /// # Errors
    /// The time until one may be taken.
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

/// Strikes by address: their number at the last one, and the moment of that one.
#[derive(Clone, Debug, Default)]
pub(super) struct Strikes(BTreeMap<Origin, (u32, Mono)>);

impl Strikes {
    /// The strikes of an address at `now`. One is forgotten for each `forget` since the newest
    /// strike.
    pub(super) fn of(&self, origin: Origin, forget: Duration, now: Mono) -> u32 {
        let Some((count, at)) = self.0.get(&origin) else { return 0 };
        let forgotten = now.since(*at).as_micros() / forget.as_micros().max(1);
        count.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    /// Adds a strike. Returns the number of strikes then.
    fn add(&mut self, origin: Origin, forget: Duration, now: Mono) -> u32 {
        let count = self.of(origin, forget, now).saturating_add(1);
        if !self.0.contains_key(&origin) {
            make_room(&mut self.0, REMEMBERED, now, |(count, at)| at.after(forget.saturating_mul(*count)));
        }
        // The newest strike starts the time until one is forgotten over again.
        self.0.insert(origin, (count, now));
        count
    }

    /// Forgets the strikes of an address.
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
    /// The strikes that count against the address of a client.
    #[must_use]
    pub fn strikes(&self, id: SessionId, now: Now) -> u32 {
        let origin = self.people.sessions.get(&id).map(|session| Origin::of(session.peer.ip()));
        origin.map_or(0, |origin| self.moderation.strikes.of(origin, self.settings.moderation.forget, now.mono))
    }
}

impl Turn<'_> {
    /// Counts an offence of `id`, and tells the journal. If its address has enough strikes by now,
    /// bans the address or mutes the client.
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
            let Some(session) = self.hub.session(id) else { return };
            let order = self.hub.order(session, sanction::Kind::Mute { shadow: false });
            let order = Order { reason: Some(offence.to_string().into()), until: Some(until), ..order };
            self.sanction(order, By::Hub);
        }
    }

    /// Whether `id` may show others one more thing of that kind now. If not, tells `id`, unless
    /// `silently`; a client that goes on gets a strike.
    pub(super) fn is_in_time(&mut self, id: SessionId, kind: Kind, silently: bool) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let said = session.last_said.get_or_insert_default();
        let (now, limits) = (self.now.mono, &self.hub.settings.pace);
        let taken = said.take(kind, now, limits).and_then(|()| match kind {
            Kind::Names => said.take(Kind::Newcomers, now, limits),
            _ => Ok(()),
        });
        let Err(wait) = taken else {
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

    /// Whether `id` has said more to others, over a long time, than anybody reads. If so, tells
    /// `id`, and gives strikes if it goes on. Different lines are no repetition, and lines at the
    /// pace of one client are no flood: without this bound, each client could fill a room with ten
    /// lines a second for ever.
    pub(super) fn says_too_much(&mut self, id: SessionId) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let said = session.last_said.get_or_insert_default();
        let Err(wait) = said.go_on(self.now.mono, &self.hub.settings.pace) else {
            return self.says_too_much_from_its_address(id);
        };
        let is_strike = said.beyond % BEYOND == 0;
        self.refuse(id, Refusal::SaidALot(wait));
        if is_strike {
            self.strike(id, Offence::Flood);
        }
        true
    }

    /// Whether the clients at the address of `id` together have said more to others than `pace.address` allows. If so,
    /// tells `id`. Otherwise whoever opens twenty connections could say twenty bursts at once. There is no strike, because
    /// this client may be another person.
    fn says_too_much_from_its_address(&mut self, id: SessionId) -> bool {
        let limits = &self.hub.settings.pace;
        let Some(session) = self.hub.people.sessions.get(&id).filter(|_| limits.address > 0) else { return false };
        if self.hub.is_always_let_in(session.peer) || self.hub.role(id) == Role::Operator {
            return false;
        }
        let most = in_one_go(limits).saturating_mul(CLIENTS_OF_AN_ADDRESS).max(limits.address);
        let is_calm = session.last_said.as_ref().is_some_and(|said| said.has_said_little(self.now.mono, limits));
        let most = if is_calm { most } else { most - most / FOR_THE_CALM };
        let (origin, every) = (Origin::of(session.peer.ip()), MINUTE / limits.address);
        let Err(wait) = self.hub.moderation.said_from.take(origin, most, every, self.now.mono) else { return false };
        self.refuse(id, Refusal::SaidALotFromAddress(wait));
        true
    }

    /// Whether `id` has said `text` to others so often recently that it is refused now.
    pub(super) fn is_repetition(&mut self, id: SessionId, text: &str) -> bool {
        let most = self.hub.settings.moderation.repeats;
        let Some(session) = self.hub.people.sessions.get_mut(&id).filter(|_| most > 0) else { return false };
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        hasher.write(words::look(&without_runs(text)).as_bytes());
        let hash = hasher.finish();
        let times = session.last_said.get_or_insert_default().say(hash, self.now.mono);
        let peer = session.peer;
        if times > most {
            self.refuse(id, Refusal::Repeated);
            self.strike(id, Offence::Repetition);
            return true;
        }
        // The same text from many connections at one address is refused as well, because one person
        // may have them all. There is no strike, because this client may be another person.
        if self.hub.is_always_let_in(peer) {
            return false;
        }
        let most = if text.len() < SAID_BY_MANY { most.saturating_mul(OF_SHORT) } else { most };
        let network = Network::around(peer.ip());
        let there = self.hub.people.places.within(&network);
        let there = there.rev().take(NEIGHBOURS).filter_map(|id| self.hub.people.sessions.get(&id));
        let said = there.filter_map(|other| other.last_said.as_deref()).map(|said| said.times(hash, self.now.mono));
        let times = said.fold(0, u32::saturating_add);
        if times > most {
            self.refuse(id, Refusal::RepeatedFromAddress);
        }
        times > most
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
        /// However much a client says and shows, the hub keeps little of it, and a snapshot keeps
        /// the same.
        #[test]
        fn repetitions_are_known_from_a_bounded_memory_of_lines(
            steps in prop::collection::vec((0..20_u64, 0..20_u64, 0..8_usize), 1..200),
        ) {
            const KINDS: [Kind; 8] = [
                Kind::Names,
                Kind::Newcomers,
                Kind::LastWords,
                Kind::Topics,
                Kind::Rooms,
                Kind::Absences,
                Kind::Invitations,
                Kind::People,
            ];
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
    fn repeated_characters_count_as_one_except_digits() {
        let cases =
            [("buy!!!!", "buy!"), ("aabb", "ab"), ("11 11", "11 11"), ("a1a", "a1a"), ("a11a", "a11a"), ("", "")];
        for (text, expected) in cases {
            assert_eq!(without_runs(text), expected, "{text}");
        }
    }

    #[test]
    fn remembered_addresses_are_bounded() {
        let mut strikes = Strikes::default();
        for number in 0..u64::try_from(REMEMBERED).expect("few") + 10 {
            let [a, b, c, d] = u32::try_from(number).expect("few").to_be_bytes();
            strikes.add(Origin::of([a, b, c, d].into()), Duration::from_secs(60), Mono(number));
        }
        assert_eq!(strikes.0.len(), REMEMBERED);
    }
}
