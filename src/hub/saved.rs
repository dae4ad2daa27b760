//! The hub's state in a snapshot, in which it outlives a process.
//!
//! A snapshot holds no indexes: these are rebuilt from the rest. Reading trusts a snapshot as
//! little as a stranger's input: if parts do not fit together, that is an error, never a panic.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::account::{Accounts, Role};
use super::archive::Backlog;
use super::history::History;
use super::idleness::Idleness;
use super::ignore::IgnoredNames;
use super::leavers::Leavers;
use super::login::Logins;
use super::memo::Memos;
use super::message::{Farewell, Line, Said};
use super::ownership::{Guest, Ownership};
use super::pace::Crowd;
use super::peering::Peering;
use super::places::Familiar;
use super::presence::Presence;
use super::report::Reports;
use super::retention::Retention;
use super::room::{Room, TopicSet};
use super::sanction::Order;
use super::sanction::{Author, Kept, Kind, Sanction, Sanctions, Target};
use super::session::Session;
use super::strike::Strikes;
use super::zones::Zones;
use super::{Counters, Dormant, Hub, Moderation, People, Recording, Rooms};
use crate::settings::Settings;
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::rate::Allowance;
use crate::values::time::{Mono, Wall};
use crate::values::words::Filters;

/// A snapshot in the form in which it is read. A field that an older release did not write gets its
/// default; a field that a newer release has added is ignored.
#[derive(Deserialize)]
struct Saved {
    settings: Settings,
    key: [u8; 16],
    sessions: Vec<Session>,
    rooms: Vec<SavedRoom>,
    lobby: RoomId,
    next_room: u64,
    next_line: u64,
    #[serde(default = "none_given")]
    given: SessionId,
    #[serde(default)]
    progress: Mono,
    #[serde(default)]
    counters: BTreeMap<String, u64>,
    #[serde(default)]
    peak: usize,
    #[serde(default = "none_kept")]
    bans: Kept<Sanction>,
    /// All sanctions that are not in `bans`. `None` in a snapshot of 0.1.0.
    sanctions: Option<Kept<Sanction>>,
    #[serde(default)]
    leavers: Leavers,
    #[serde(default)]
    asked: BTreeMap<SessionId, (String, Mono)>,
    #[serde(default)]
    accounts: Accounts,
    #[serde(default)]
    logins: Logins,
    #[serde(default)]
    strikes: Strikes,
    #[serde(default)]
    said_from: Allowance<Origin>,
    #[serde(default)]
    reports: Reports,
    #[serde(default)]
    memos: Memos,
    #[serde(default)]
    zones: Zones,
    #[serde(default)]
    door: Option<RoomId>,
    #[serde(default)]
    idleness: Idleness,
    #[serde(default)]
    unread: bool,
    #[serde(default)]
    recording: bool,
    #[serde(default)]
    backlog: Backlog,
    #[serde(default)]
    dormant: Vec<(RoomId, Name, Vec<Arc<Line>>)>,
    #[serde(default)]
    dormant_plain_from: BTreeMap<RoomId, u64>,
    #[serde(default = "Retention::at_once")]
    retention: Retention,
    #[serde(default = "first_search")]
    next_search: u64,
    #[serde(default)]
    next_moment: u64,
    #[serde(default)]
    familiar: Familiar,
    #[serde(default)]
    outgoing: VecDeque<(SessionId, Farewell)>,
    #[serde(default)]
    latest: Wall,
    /// The lasting rooms with nobody in them. They are apart from `rooms`, because older releases
    /// do not know such rooms, and ignore this field.
    #[serde(default)]
    resting: Vec<SavedRoom>,
    #[serde(default)]
    looked: Mono,
    #[serde(default)]
    peering: Option<CopyOnWrite<Peering>>,
}

/// The default of `given`: a snapshot of an older release does not tell which numbers were given.
fn none_given() -> SessionId {
    SessionId(0)
}

fn yes() -> bool {
    true
}

fn first_search() -> u64 {
    1
}

#[derive(Deserialize)]
struct SavedRoom {
    id: RoomId,
    name: Name,
    #[serde(default)]
    topic: Arc<str>,
    #[serde(default)]
    topic_set: Option<TopicSet>,
    #[serde(default)]
    topic_line: Option<Arc<Line>>,
    #[serde(default)]
    unseen_of: Option<SessionId>,
    since: Wall,
    #[serde(default)]
    lines: u64,
    #[serde(default)]
    history: Vec<Arc<Line>>,
    #[serde(default)]
    unheard: Vec<Arc<Line>>,
    #[serde(default)]
    ownership: Ownership,
    #[serde(default)]
    presence: Presence,
    #[serde(default)]
    crowd: Crowd,
    #[serde(default)]
    opened_from: Option<Origin>,
    #[serde(default = "yes")]
    recorded: bool,
}

fn none_kept() -> Kept<Sanction> {
    Kept(0, Vec::new())
}

/// A snapshot in the form in which it is written: the fields of [`Saved`], borrowed.
#[derive(Serialize)]
struct Saving<'a> {
    settings: &'a Settings,
    key: [u8; 16],
    sessions: Vec<&'a Session>,
    rooms: Vec<SavingRoom<'a>>,
    lobby: RoomId,
    next_room: u64,
    next_line: u64,
    given: SessionId,
    progress: Mono,
    counters: BTreeMap<&'static str, u64>,
    peak: usize,
    bans: Kept<&'a Sanction>,
    sanctions: Kept<&'a Sanction>,
    leavers: &'a Leavers,
    asked: &'a BTreeMap<SessionId, (String, Mono)>,
    accounts: &'a Accounts,
    logins: &'a Logins,
    strikes: &'a Strikes,
    #[serde(skip_serializing_if = "Allowance::is_empty")]
    said_from: &'a Allowance<Origin>,
    reports: &'a Reports,
    memos: &'a Memos,
    #[serde(skip_serializing_if = "Zones::is_empty")]
    zones: &'a Zones,
    door: Option<RoomId>,
    idleness: &'a Idleness,
    unread: bool,
    recording: bool,
    backlog: &'a Backlog,
    dormant: Vec<(RoomId, &'a Name, Vec<&'a Line>)>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    dormant_plain_from: BTreeMap<RoomId, u64>,
    retention: &'a Retention,
    next_search: u64,
    next_moment: u64,
    familiar: &'a Familiar,
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    outgoing: &'a VecDeque<(SessionId, Farewell)>,
    latest: Wall,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resting: Vec<SavingRoom<'a>>,
    looked: Mono,
    #[serde(skip_serializing_if = "Option::is_none")]
    peering: &'a Option<CopyOnWrite<Peering>>,
}

#[derive(Serialize)]
struct SavingRoom<'a> {
    id: RoomId,
    name: &'a Name,
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_set: &'a Option<TopicSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_line: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen_of: Option<SessionId>,
    since: Wall,
    lines: u64,
    history: Vec<&'a Line>,
    /// Unheard lines are apart from `history`, so that an older release, which does not know them,
    /// shows them to nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unheard: Vec<&'a Line>,
    ownership: &'a Ownership,
    presence: &'a Presence,
    crowd: &'a Crowd,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_from: Option<Origin>,
    recorded: bool,
}

impl<'a> SavingRoom<'a> {
    fn of(room: &'a Room) -> Self {
        Self {
            id: room.id,
            name: &room.name,
            topic: &room.topic,
            topic_set: &room.topic_set,
            topic_line: room.topic_line.as_deref(),
            unseen_of: room.unseen_of,
            since: room.since,
            lines: room.lines,
            history: room.history.iter().map(Arc::as_ref).collect(),
            unheard: room.history.unheard().map(Arc::as_ref).collect(),
            ownership: &room.ownership,
            presence: &room.presence,
            crowd: &room.crowd,
            opened_from: room.opened_from,
            recorded: room.recorded,
        }
    }
}

impl Serialize for Hub {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (resting, rooms): (Vec<_>, Vec<_>) =
            self.rooms.open.values().map(|room| &**room).partition(|room| self.rests(room));
        let (bans, sanctions) = self.moderation.sanctions.kept();
        let saving = Saving {
            settings: &self.settings,
            key: self.key,
            sessions: self.sessions().collect(),
            rooms: rooms.into_iter().map(SavingRoom::of).collect(),
            lobby: self.rooms.lobby,
            next_room: self.rooms.next,
            next_line: self.next_line,
            given: self.recording.given,
            progress: self.recording.progress,
            counters: self.counters.iter().map(|(name, _, value)| (name, value)).collect(),
            peak: self.people.peak,
            bans,
            sanctions,
            leavers: &self.moderation.leavers,
            asked: &self.moderation.asked,
            accounts: &self.accounts,
            logins: &self.logins,
            strikes: &self.moderation.strikes,
            said_from: &self.moderation.said_from,
            reports: &self.moderation.reports,
            memos: &self.memos,
            zones: &self.zones,
            door: self.door.room,
            idleness: &self.idleness,
            unread: self.recording.unread,
            recording: self.recording.on,
            backlog: &self.recording.backlog,
            dormant: self
                .recording
                .dormant
                .iter()
                .map(|(name, dormant)| (dormant.room, name, dormant.history.iter().map(Arc::as_ref).collect()))
                .collect(),
            dormant_plain_from: self
                .recording
                .dormant
                .values()
                .filter(|dormant| dormant.plain_from > 0)
                .map(|dormant| (dormant.room, dormant.plain_from))
                .collect(),
            retention: &self.recording.retention,
            next_search: self.recording.next_search,
            next_moment: self.people.ignored.next,
            familiar: &self.people.familiar,
            outgoing: &self.moderation.outgoing,
            latest: self.moderation.latest,
            resting: resting.into_iter().map(SavingRoom::of).collect(),
            looked: self.rooms.looked,
            peering: &self.peering,
        };
        saving.serialize(serializer)
    }
}

impl Hub {
    /// Makes sanctions of the mutes and expulsions that release 0.1.0 kept with clients and rooms.
    fn adopt_sanctions(&mut self) {
        let mut found = Vec::new();
        for session in self.people.sessions.values() {
            if let Some(mute) = &session.mute {
                found.push((self.order(session, Kind::Mute { shadow: mute.shadow }), mute.until, session.since));
            }
        }
        for room in self.rooms.open.values() {
            for guest in &room.ownership.expelled {
                let kind = Kind::Expulsion { room: room.id, name: room.name.clone() };
                let order = match guest {
                    Guest::Session(id) => self.session(*id).map(|session| self.order(session, kind)),
                    Guest::Account(id) => {
                        self.accounts.get(*id).map(|account| Order::about(kind, Target::Name(account.name.clone())))
                    }
                };
                found.extend(order.map(|order| (order, None, room.since)));
            }
        }
        let last = self.people.sessions.last().unwrap_or_default();
        for (Order { kind, target, also, nick, reason, .. }, until, since) in found {
            let id = self.moderation.sanctions.next_id();
            let (ends, until) = (until.map(|(ends, _)| ends), until.map(|(_, until)| until));
            let (by, after) = (Author::Hub, last);
            self.moderation.sanctions.add(Sanction {
                id,
                kind,
                target,
                also,
                nick,
                reason,
                by,
                since,
                after,
                until,
                ends,
            });
        }
        for room in self.rooms.open.values_mut() {
            if !room.ownership.expelled.is_empty() {
                room.ownership.expelled.clear();
            }
        }
    }
}

impl Hub {
    /// A copy of the hub for a snapshot, which later changes do not reach. It costs one step for
    /// each client, room, account and sanction, however much these hold. The copy has empty
    /// indexes.
    #[must_use]
    pub fn frozen(&self) -> Frozen {
        let bare = Self::bare(self.settings.clone(), self.key);
        let Self { people, rooms, moderation, recording, .. } = self;
        Frozen(Self {
            people: People {
                sessions: people.sessions.clone(),
                familiar: people.familiar.clone(),
                ignored: IgnoredNames::new(people.ignored.next),
                peak: people.peak,
                ..bare.people
            },
            rooms: Rooms {
                open: rooms.open.clone(),
                lobby: rooms.lobby,
                looked: rooms.looked,
                next: rooms.next,
                ..bare.rooms
            },
            accounts: self.accounts.frozen(),
            logins: self.logins.clone(),
            door: self.door.clone(),
            idleness: self.idleness.clone(),
            moderation: Moderation {
                sanctions: moderation.sanctions.frozen(),
                leavers: moderation.leavers.clone(),
                asked: moderation.asked.clone(),
                strikes: moderation.strikes.clone(),
                said_from: moderation.said_from.clone(),
                reports: moderation.reports.frozen(),
                filters: Filters::default(),
                outgoing: moderation.outgoing.clone(),
                latest: moderation.latest,
            },
            memos: self.memos.frozen(),
            zones: self.zones.frozen(),
            recording: recording.clone(),
            peering: self.peering.clone(),
            next_line: self.next_line,
            counters: self.counters,
            ..bare
        })
    }
}

/// A hub as it was at one moment. It can only be written to a snapshot.
#[derive(Debug)]
pub struct Frozen(Hub);

impl Serialize for Frozen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Hub {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Saved::deserialize(deserializer)?.revive().map_err(de::Error::custom)
    }
}

impl Saved {
    fn revive(self) -> Result<Hub, String> {
        let filters = Filters::new(&self.settings.filters.refuse, &self.settings.filters.strike);
        let bare = Hub::bare(self.settings, self.key);
        let is_of_0_1_0 = self.sanctions.is_none();
        let mut hub = Hub {
            people: People {
                familiar: self.familiar,
                ignored: IgnoredNames::new(self.next_moment),
                peak: self.peak,
                ..bare.people
            },
            rooms: Rooms { lobby: self.lobby, looked: self.looked, next: self.next_room, ..bare.rooms },
            accounts: self.accounts,
            logins: self.logins,
            moderation: Moderation {
                sanctions: Sanctions::revive(self.bans, self.sanctions)?,
                leavers: self.leavers,
                asked: self.asked,
                strikes: self.strikes,
                said_from: self.said_from,
                reports: self.reports,
                filters,
                outgoing: self.outgoing,
                latest: self.latest,
            },
            idleness: self.idleness,
            memos: self.memos,
            zones: self.zones,
            recording: Recording {
                on: self.recording,
                backlog: self.backlog,
                dormant: CopyOnWrite::default(),
                retention: self.retention,
                next_search: self.next_search,
                given: self.given,
                progress: self.progress,
                unread: self.unread,
            },
            peering: self.peering,
            next_line: self.next_line,
            counters: Counters::of(&self.counters),
            ..bare
        };
        // A snapshot of an older release does not hold the latest time that `Hub::stamp` has given.
        hub.note_latest();
        for saved in self.rooms.into_iter().chain(self.resting) {
            let SavedRoom {
                id,
                name,
                topic,
                topic_set,
                topic_line,
                unseen_of,
                since,
                lines,
                history,
                unheard,
                ownership,
                presence,
                crowd,
                opened_from,
                recorded,
            } = saved;
            // A snapshot of an older release does not hold who set the topic, but its history may.
            let set_by = |line: &&Arc<Line>| matches!(&line.said, Said::Topic { text, .. } if *text == topic);
            let from_history =
                || history.iter().rev().find(set_by).cloned().map(|line| TopicSet { line, account: None });
            let topic_set = topic_set.or_else(from_history).filter(|_| !topic.is_empty());
            let mut named = ownership.owner.iter().chain(&ownership.successor).chain(&ownership.moderators);
            if named.any(|account| hub.accounts.get(*account).is_none()) {
                return Err(format!("room {} belongs to no account", id.0));
            }
            if id.0 >= hub.rooms.next {
                return Err(format!("room {} is newer than the newest", id.0));
            }
            let is_door = self.door == Some(id);
            if is_door {
                hub.door.room = Some(id);
            } else {
                hub.rooms
                    .names
                    .keep(&name, id)
                    .map_err(|other| format!("rooms {} and {} have one name", id.0, other.0))?;
            }
            if let Some(at) = presence.flush_at {
                hub.rooms.deadlines.insert((at, id));
            }
            let last = [history.last(), unheard.last(), topic_line.as_ref()];
            if last.into_iter().flatten().any(|line| line.seq >= hub.next_line) {
                return Err(format!("room {} has lines newer than the newest", id.0));
            }
            let mut history = History::of(history);
            history.take_back_unheard(unheard);
            history.trim(&hub.settings.history);
            if let Some(from) = opened_from {
                *hub.rooms.openers.entry(from).or_default() += 1;
            }
            hub.rooms.lasting += usize::from(ownership.lasts);
            let members = BTreeSet::new();
            let kept = !is_door && hub.settings.history.keeps(&name);
            let closing = is_door;
            let room = Room {
                id,
                name,
                topic,
                topic_set,
                topic_line,
                unseen_of,
                members,
                since,
                opened_from,
                recorded,
                lines,
                history: CopyOnWrite::new(history),
                kept,
                ownership,
                presence,
                crowd,
                closing,
            };
            if hub.rooms.open.insert(id, CopyOnWrite::new(room)).is_some() {
                return Err(format!("room {} is there twice", id.0));
            }
        }
        for session in self.sessions {
            let id = session.id;
            let room =
                hub.rooms.open.get_mut(&session.room).ok_or_else(|| format!("{id} is in a room that is not there"))?;
            room.members.insert(id);
            if session.at_door.is_some() != (Some(session.room) == hub.door.room) {
                return Err(format!("{id} is at the door and is not"));
            }
            if let Some(until) = session.at_door {
                hub.door.waits(id, until);
            }
            hub.people.names.keep(&session.nick, id).map_err(|other| format!("{id} and {other} have one name"))?;
            if session.is_renamed_unseen() {
                // If another client has the name by now, that client keeps it.
                hub.people.unseen.keep(session.own_nick(), id).ok();
            }
            let is_silent = session.lines == 0 && !hub.is_always_let_in(session.peer);
            hub.people.places.come(id, Origin::of(session.peer.ip()), is_silent);
            hub.people.beginnings.insert(session.nick.folded(), id);
            for name in session.last_said.iter().flat_map(|said| said.all_laid_down()) {
                hub.people.former.insert(name.folded(), id);
            }
            if let Some(account) = session.account {
                hub.people.logged_in.insert((account, id));
                if hub.accounts.get(account).is_some_and(|account| account.role == Role::Operator) {
                    hub.people.operators.insert(id);
                }
            }
            for ignored in &session.ignoring {
                hub.people.ignored.revive(ignored)?;
            }
            if hub.people.sessions.insert(id, CopyOnWrite::new(session)).is_some() {
                return Err(format!("{id} is there twice"));
            }
        }
        if hub.idleness.warned().any(|id| hub.session(id).is_none()) {
            return Err("somebody is warned who is not here".to_owned());
        }
        let people = &hub.people.sessions;
        hub.zones.keep(|id| people.contains_key(&id));
        if hub.memos.iter().any(|memo| hub.accounts.get(memo.to).is_none()) {
            return Err("a message is kept for nobody".to_owned());
        }
        if is_of_0_1_0 {
            hub.adopt_sanctions();
        }
        if !hub.logins.is_sound() {
            return Err("a password is hashed that nobody has given".to_owned());
        }
        // A session that waits for a job which does not exist would wait for ever.
        let in_vain = |session: &&Session| hub.is_waiting(session.id) && !hub.logins.waits(session.id);
        if let Some(session) = hub.sessions().find(in_vain) {
            return Err(format!("{} waits for nothing", session.id));
        }
        let unknown = |session: &&Session| session.account.is_some_and(|id| hub.accounts.get(id).is_none());
        if let Some(session) = hub.sessions().find(unknown) {
            return Err(format!("{} is logged in to no account", session.id));
        }
        for (id, name, lines) in self.dormant {
            if id.0 >= hub.rooms.next || hub.rooms.open.contains_key(&id) {
                return Err(format!("room {} is not open, and there", id.0));
            }
            let mut history = History::of(lines);
            history.trim(&hub.settings.history);
            let plain_from = self.dormant_plain_from.get(&id).copied().unwrap_or_default();
            hub.recording.dormant.insert(name, Dormant { room: id, history, plain_from });
        }
        hub.recording.backlog.revive(hub.next_line)?;
        if let Some(peering) = &mut hub.peering {
            peering.revive(hub.next_line)?;
        }
        if !hub.recording.on && hub.recording.backlog.iter().len() > 0 {
            return Err("something waits for the disk, and nothing is recorded".to_owned());
        }
        if !hub.rooms.open.contains_key(&hub.rooms.lobby) {
            return Err("there is no lobby".to_owned());
        }
        if let Some(room) = hub
            .rooms
            .open
            .values()
            .find(|room| room.members.is_empty() && room.id != hub.rooms.lobby && !room.ownership.lasts)
        {
            return Err(format!("room {} is empty", room.id.0));
        }
        Ok(hub)
    }
}

impl Hub {
    /// The highest number of a connected client; `None` if nobody is connected.
    #[must_use]
    pub fn newest_session(&self) -> Option<SessionId> {
        self.people.sessions.last()
    }
}
