//! The hub: all decisions. Pure: no socket, clock, file, randomness or `async`.
//!
//! [`Hub::handle`] takes an [`Input`] and the time and appends what follows from it to the
//! [`Effect`]s. The same inputs at the same times with the same key give the same effects: a failing
//! run can be run again, and the hub's state can be restored by replaying its inputs.
//!
//! | to change | see |
//! | --- | --- |
//! | the handling of one input: to which method it goes | `turn` |
//! | what reaches the hub, and what of that the daemon tells and the tape keeps; what follows | [`Input`], [`News`], [`Effect`] |
//! | who did something; what is worth a line in the journal; counters | [`By`], [`Happening`], [`Counters`] |
//! | what people can type | [`command`] |
//! | what is told, as values | [`message`] |
//! | one client; connecting and leaving; who has left a moment ago | [`session`], `people`, [`leavers`] |
//! | finding people by the beginnings of names; who makes place when all places are taken | `beginnings`, `places` |
//! | rooms: opening, entering, topics | `rooms`, [`room`] |
//! | what somebody is shown on coming into a room | `entrance` |
//! | lines kept in memory; how arrivals and departures are told | [`history`], `presence` |
//! | whose room it is, who may come in and speak; rooms that are kept while empty | [`ownership`], [`lasting`] |
//! | who is heard, and how fast one may send; what a command costs | `speech`, [`pace`], `work` |
//! | whom somebody ignores; how much others may send to one | [`ignore`], [`inbound`] |
//! | what is kept for who is not here | [`memo`] |
//! | what people report to the operators | [`report`] |
//! | sanctions: bans, mutes, expulsions, filters as values; making and lifting them | [`sanction`], [`sanctioning`] |
//! | what counts against people; words that are refused | [`strike`], [`crate::values::words`] |
//! | registered names, roles; how one logs in; who waits at the door | [`account`], [`login`], `door` |
//! | who has sent nothing for long | `idleness` |
//! | what becomes of newcomers in a raid | [`lockdown`] |
//! | who is shown a line by themselves: it has their name, or is their own | `mention` |
//! | what goes to disk and comes back, also late | `recording`, [`archive`], `recall` |
//! | how long it is kept in memory; what is removed before that | [`retention`], `redaction` |
//! | how people type: who edits, what is echoed | `typing`, `complete` |
//! | times in a zone by its name | `zones` |
//! | looking at the hub from outside | `looking` |
//! | what always holds; what a snapshot holds of the hub | `invariants`, `saved` |
//!
//! It knows nothing of bytes, screens, sockets and files: [`crate::wire`] renders what it tells, and [`crate::net`]
//! does what it asks for.

pub mod account;
pub mod archive;
mod beginnings;
mod by;
pub mod command;
mod complete;
mod counters;
mod door;
mod effect;
mod entrance;
mod happening;
pub mod history;
mod idleness;
pub mod ignore;
pub mod inbound;
mod input;
mod invariants;
pub mod lasting;
pub mod leavers;
pub mod lockdown;
pub mod login;
mod looking;
pub mod memo;
mod mention;
pub mod message;
mod news;
pub mod ownership;
pub mod pace;
mod people;
mod places;
mod presence;
mod recall;
mod recording;
pub mod redaction;
pub mod report;
pub mod retention;
pub mod room;
mod rooms;
pub mod sanction;
pub mod sanctioning;
mod saved;
pub mod session;
pub mod speech;
pub mod strike;
mod turn;
mod typing;
mod work;
mod zones;

use idleness::Idleness;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use by::By;
pub use counters::Counters;
pub use effect::Effect;
pub use happening::{Happening, What};
pub use input::Input;
pub use news::News;
use report::Reports;
pub use saved::Frozen;
use strike::Strikes;
use turn::Turn;
use work::Work;

use account::Accounts;
use archive::Backlog;
use beginnings::Beginnings;
use door::Door;
use history::History;
use ignore::{IgnoredNames, Shunned};
use leavers::Leavers;
use login::Logins;
use memo::Memos;
use message::Farewell;
use pace::Verdict;
pub use places::RESERVE as RESERVED_PLACES;
use places::{Familiar, Places};
use retention::Retention;
use room::Room;
use sanction::Sanctions;
use session::Session;
use zones::Zones;

use crate::settings::Settings;
use crate::values::CopyOnWrite;
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::rising::Rising;
use crate::values::roster::Roster;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words::Filters;

/// How many clients' numbers go on record as given in advance: a record for each newcomer would cost too much.
const GIVEN_AHEAD: u64 = 64;

/// The most clients hit by a ban that are disconnected in one tick, and the most rooms that are told of gathered
/// arrivals in it: each takes some 10 µs.
const AT_A_TIME: usize = 64;

/// The hub: everybody connected, every room.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: Settings,
    /// Makes the names of guests.
    key: [u8; 16],
    people: People,
    rooms: Rooms,
    accounts: Accounts,
    logins: Logins,
    door: Door,
    idleness: Idleness,
    moderation: Moderation,
    /// What is kept for who is not here.
    memos: Memos,
    /// Who sees times in which zone.
    zones: Zones,
    recording: Recording,
    next_line: u64,
    work: Work,
    counters: Counters,
    /// Everybody has been sent away, and nobody is let in any more.
    stopping: bool,
}

/// The clients, and what they are found by.
#[derive(Clone, Debug)]
struct People {
    sessions: Rising<SessionId, CopyOnWrite<Session>>,
    names: Roster<SessionId>,
    /// The names that somebody alone sees as their own, see [`speech::Veil`].
    unseen: Roster<SessionId>,
    beginnings: Beginnings,
    places: Places,
    familiar: Familiar,
    /// The clients that are logged in, by account.
    logged_in: BTreeSet<(AccountId, SessionId)>,
    /// The clients whose account has the role of an operator.
    operators: BTreeSet<SessionId>,
    /// The names that anybody ignores.
    ignored: IgnoredNames,
    /// The most clients there have been at one time.
    peak: usize,
    /// The empty lists of a client that ignores nobody, shared by all of them.
    no_one: Arc<[SessionId]>,
    no_name: Arc<[Shunned]>,
}

/// The rooms that are open, and what they are found by.
#[derive(Clone, Debug)]
struct Rooms {
    open: Rising<RoomId, CopyOnWrite<Room>>,
    names: Roster<RoomId>,
    lobby: RoomId,
    /// When each room tells the arrivals and departures that it has gathered.
    deadlines: BTreeSet<(Mono, RoomId)>,
    /// The number of open rooms that were opened from each origin.
    openers: BTreeMap<Origin, usize>,
    /// How many last.
    lasting: usize,
    /// When was last looked whether their owners come.
    looked: Mono,
    next: u64,
}

/// Bans, filters, and what counts against people.
#[derive(Clone, Debug, Default)]
struct Moderation {
    sanctions: Sanctions,
    strikes: Strikes,
    reports: Reports,
    filters: Filters,
    leavers: Leavers,
    /// What operators were asked about and have not said again: the command, and when.
    asked: BTreeMap<SessionId, (String, Mono)>,
    /// Those whom a ban has hit, and who are still to be disconnected.
    outgoing: VecDeque<(SessionId, Farewell)>,
    /// The latest time at which an account or a sanction began: see [`Hub::stamp`].
    latest: Wall,
}

/// What is recorded on disk, and what came from there.
#[derive(Clone, Debug)]
struct Recording {
    /// Whether what is said goes to disk.
    on: bool,
    backlog: Backlog,
    /// History of rooms from before the start that nobody has opened since, by folded name.
    dormant: CopyOnWrite<BTreeMap<Name, (RoomId, History)>>,
    /// When lines in memory are let go of, which are kept no longer.
    retention: Retention,
    next_search: u64,
    /// Clients' numbers up to this are on record as given.
    given: SessionId,
    /// When the disk last took records, or had taken all.
    progress: Mono,
    /// The disk could not be read at the start: there may be bans and accounts that are not known.
    unread: bool,
}

impl Hub {
    /// A hub with a lobby and nobody in it. `key` makes the names of guests: without it, names tell nothing about
    /// addresses.
    ///
    /// # Panics
    /// If the lobby's name is no name; the check of the settings refuses that.
    pub fn new(settings: Settings, key: [u8; 16], now: Now, effects: &mut Vec<Effect>) -> Self {
        let name = Name::parse(&settings.rooms.lobby, settings.limits.room_name).expect("the settings were checked");
        let mut hub = Self::bare(settings, key);
        hub.moderation.filters = Filters::new(&hub.settings.filters.refuse, &hub.settings.filters.strike);
        hub.rooms.lobby = hub.turn(now, effects).open(name);
        hub
    }

    /// A hub with nothing in it, not even a lobby; no words are refused.
    fn bare(settings: Settings, key: [u8; 16]) -> Self {
        Self {
            settings,
            key,
            people: People {
                sessions: Rising::default(),
                names: Roster::new(key),
                unseen: Roster::new(key),
                beginnings: Beginnings::default(),
                places: Places::default(),
                familiar: Familiar::default(),
                logged_in: BTreeSet::new(),
                operators: BTreeSet::new(),
                ignored: IgnoredNames::new(1),
                peak: 0,
                no_one: Arc::new([]),
                no_name: Arc::new([]),
            },
            rooms: Rooms {
                open: Rising::default(),
                names: Roster::new(key),
                lobby: RoomId(0),
                deadlines: BTreeSet::new(),
                openers: BTreeMap::new(),
                lasting: 0,
                looked: Mono(0),
                next: 0,
            },
            accounts: Accounts::default(),
            logins: Logins::default(),
            door: Door::default(),
            idleness: Idleness::default(),
            moderation: Moderation::default(),
            memos: Memos::default(),
            zones: Zones::default(),
            recording: Recording {
                on: false,
                backlog: Backlog::default(),
                dormant: CopyOnWrite::default(),
                retention: Retention::default(),
                next_search: 1,
                given: SessionId(0),
                progress: Mono(0),
                unread: false,
            },
            next_line: 1,
            work: Work::default(),
            counters: Counters::default(),
            stopping: false,
        }
    }

    /// Takes one input at `now` and appends what follows to `effects`. An input about a client that has left meanwhile
    /// is ignored.
    pub fn handle(&mut self, input: impl Into<Input>, now: Now, effects: &mut Vec<Effect>) {
        self.turn(now, effects).take(input.into());
        if cfg!(debug_assertions) && self.people.sessions.len() < 100 {
            self.check_invariants();
        }
    }

    fn turn<'a>(&'a mut self, now: Now, effects: &'a mut Vec<Effect>) -> Turn<'a> {
        Turn { hub: self, now, effects }
    }

    /// Judges a line of `bytes` bytes from `session`, before it is handed over as [`Input::Line`]. This is a question
    /// and no input, because its answer decides whether the line is taken: [`Verdict::Hold`] means to hand it over at
    /// that time, and to read nothing more of the client until then.
    pub fn judge(&mut self, session: SessionId, bytes: u64, now: Now, effects: &mut Vec<Effect>) -> Verdict {
        self.turn(now, effects).judge(session, bytes)
    }

    /// Charges the cost of the current input to the client `id`, which sent it.
    fn settle(&mut self, id: SessionId, now: Now) {
        let lines = u32::try_from(std::mem::take(&mut self.work.done) / work::LINE).unwrap_or(u32::MAX);
        self.work.charged = lines;
        if lines > 0
            && let Some(session) = self.people.sessions.get_mut(&id)
        {
            session.pace.charge(lines, now.mono, &self.settings.pace);
        }
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        if !self.moderation.outgoing.is_empty() {
            return Some(Mono(0));
        }
        let gathered = self.rooms.deadlines.first().map(|(at, _)| *at);
        let others = [
            self.door.next_deadline(),
            self.idleness.due(),
            self.moderation.sanctions.next_end(),
            self.recording.retention.due(),
            self.moderation.reports.due(),
            self.next_look(),
            self.memos.due(),
            self.zones.next_deadline(),
        ];
        gathered.into_iter().chain(others.into_iter().flatten()).min()
    }
}
