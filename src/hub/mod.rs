//! What the hub decides. Pure: no socket, clock, file, randomness or `async`.
//!
//! [`Hub::handle`] takes an [`Input`] and the time and appends what follows from it to the
//! [`Effect`]s. The same inputs at the same times with the same key give the same effects: a failing
//! run can be run again, and the hub's state can be had back by replaying what it was told.
//!
//! | to change | see |
//! | --- | --- |
//! | the handling of one input: to which method it goes | `turn` |
//! | what reaches the hub and what follows, as values; what is worth a line in the journal; counters | `event`, `happening`, `counters` |
//! | what people can type | [`command`] |
//! | what is told, as values | [`message`] |
//! | who comes in, under which name; who goes | `people`, `places` |
//! | rooms: opening, entering, topics | `rooms`, [`room`] |
//! | what is kept in memory; arrivals and departures | [`history`], `presence` |
//! | whose room it is, who may come in and speak | [`ownership`] |
//! | who is heard, and how fast one may send; what a command costs | `speech`, [`pace`], `work` |
//! | whom somebody ignores; how much others may send to one | [`ignore`], [`inbound`] |
//! | who is kept out; what counts against people; words that are refused | `keep_out`, [`moderation`], [`strike`], [`crate::values::words`] |
//! | registered names, roles; how one logs in; who waits at the door | [`account`], [`login`], `door` |
//! | what goes to disk and comes back, also late | `recording`, [`archive`], `recall` |
//! | how people type: who edits, what is echoed | `typing`, `complete` |
//! | what others may look at | `looking` |
//! | what always holds; what of the hub outlives the process | `invariants`, `saved` |
//!
//! It knows nothing of bytes, screens, sockets and files: [`crate::wire`] renders what it tells, [`crate::net`] carries
//! out what it wants.

pub mod account;
pub mod archive;
mod beginnings;
pub mod command;
mod complete;
mod counters;
mod door;
mod event;
mod happening;
pub mod history;
pub mod ignore;
pub mod inbound;
mod invariants;
mod keep_out;
pub mod login;
mod looking;
pub mod message;
pub mod moderation;
pub mod ownership;
pub mod pace;
mod people;
mod places;
mod presence;
mod recall;
mod recording;
pub mod room;
mod rooms;
mod saved;
pub mod session;
pub mod speech;
pub mod strike;
mod turn;
mod typing;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use counters::Counters;
pub use event::{By, Effect, Input};
pub use happening::{Happening, What};
pub use saved::Frozen;
use strike::{Reports, Strikes};
use turn::Turn;
use work::Work;

use account::Accounts;
use archive::Backlog;
use beginnings::Beginnings;
use door::Door;
use history::History;
use ignore::{IgnoredNames, Shunned};
use login::Logins;
use message::{Farewell, Message};
use moderation::Bans;
use pace::Verdict;
pub use places::RESERVE as RESERVED_PLACES;
use places::{Familiar, Places};
use room::Room;
use session::Session;

use crate::settings::Settings;
use crate::values::CopyOnWrite;
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::rising::Rising;
use crate::values::roster::Roster;
use crate::values::time::{Mono, Now};
use crate::values::words::Filters;

/// For how many clients in advance their numbers go on record as given: each that comes is not worth a write.
const GIVEN_AHEAD: u64 = 64;

/// How many are disconnected in one go, of those whom a ban has hit, or rooms told of who has come and gone: each
/// takes some 10 us.
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
    moderation: Moderation,
    recording: Recording,
    next_line: u64,
    work: Work,
    counters: Counters,
    /// Everybody has been sent away, and nobody is let in any more.
    stopping: bool,
}

/// Who is connected, and what they are found by.
#[derive(Clone, Debug)]
struct People {
    sessions: Rising<SessionId, CopyOnWrite<Session>>,
    names: Roster<SessionId>,
    /// The names that somebody alone sees as their own, see [`speech::Veil`].
    unseen: Roster<SessionId>,
    beginnings: Beginnings,
    places: Places,
    familiar: Familiar,
    /// Who is logged in to which account.
    logged_in: BTreeSet<(AccountId, SessionId)>,
    /// Those whose account has the role of an operator.
    operators: BTreeSet<SessionId>,
    /// The names that anybody ignores.
    ignored: IgnoredNames,
    /// The most there have been at a time.
    peak: usize,
    /// What is hidden from a client that ignores nobody.
    no_one: Arc<[SessionId]>,
    no_name: Arc<[Shunned]>,
}

/// The rooms that are open, and what they are found by.
#[derive(Clone, Debug)]
struct Rooms {
    open: Rising<RoomId, CopyOnWrite<Room>>,
    names: Roster<RoomId>,
    lobby: RoomId,
    /// When the arrivals and departures that a room has gathered are told.
    deadlines: BTreeSet<(Mono, RoomId)>,
    /// How many rooms are open that somebody from there has opened.
    openers: BTreeMap<Origin, usize>,
    next: u64,
}

/// What keeps people out, and what counts against them.
#[derive(Clone, Debug, Default)]
struct Moderation {
    bans: Bans,
    strikes: Strikes,
    reports: Reports,
    filters: Filters,
    /// Those whom a ban has hit, and who are still to be disconnected.
    outgoing: VecDeque<(SessionId, Farewell)>,
}

/// What goes to disk and comes from there.
#[derive(Clone, Debug)]
struct Recording {
    /// Whether what is said goes to disk.
    on: bool,
    backlog: Backlog,
    /// What was said before the start in rooms that nobody has opened since, by folded name.
    dormant: CopyOnWrite<BTreeMap<Name, (RoomId, History)>>,
    next_search: u64,
    /// Clients' numbers up to this are on record as given.
    given: SessionId,
    /// What is on disk could not be read at the start: there may be accounts that are not known.
    unread: bool,
}

impl Hub {
    /// A hub with nobody in it but a lobby. `key` makes the names of guests: whoever does not know it
    /// learns nothing about an address from a name, nor from two.
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
                next: 0,
            },
            accounts: Accounts::default(),
            logins: Logins::default(),
            door: Door::default(),
            moderation: Moderation::default(),
            recording: Recording {
                on: false,
                backlog: Backlog::default(),
                dormant: CopyOnWrite::default(),
                next_search: 1,
                given: SessionId(0),
                unread: false,
            },
            next_line: 1,
            work: Work::default(),
            counters: Counters::default(),
            stopping: false,
        }
    }

    /// Takes one input at `now` and appends what follows to `effects`. An input that names a client
    /// who has gone meanwhile is ignored.
    pub fn handle(&mut self, input: Input, now: Now, effects: &mut Vec<Effect>) {
        self.turn(now, effects).take(input);
        if cfg!(debug_assertions) && self.people.sessions.len() < 100 {
            self.check_invariants();
        }
    }

    fn turn<'a>(&'a mut self, now: Now, effects: &'a mut Vec<Effect>) -> Turn<'a> {
        Turn { hub: self, now, effects }
    }

    /// Judges a line of `bytes` bytes from `session` that is there at `now`, before it is handed over as
    /// [`Input::Line`]. This is a question and no input, because its answer decides whether the line is taken at
    /// all: [`Verdict::Hold`] means to hand it over at that time and to read nothing more until then.
    pub fn judge(&mut self, session: SessionId, bytes: u64, now: Now, effects: &mut Vec<Effect>) -> Verdict {
        self.turn(now, effects).judge(session, bytes)
    }

    /// Charges what an input has cost to whoever sent it.
    fn settle(&mut self, id: SessionId, now: Now) {
        let lines = u32::try_from(std::mem::take(&mut self.work.done) / work::LINE).unwrap_or(u32::MAX);
        self.work.charged = lines;
        if lines > 0
            && let Some(session) = self.people.sessions.get_mut(&id)
        {
            session.pace.charge(lines, now.mono, &self.settings.pace);
        }
    }

    /// When the hub wants to be told that time has passed.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        if !self.moderation.outgoing.is_empty() {
            return Some(Mono(0));
        }
        let gathered = self.rooms.deadlines.first().map(|(at, _)| *at);
        gathered.into_iter().chain(self.door.next_deadline()).min()
    }
}
