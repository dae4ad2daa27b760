//! The hub makes all decisions. It is pure: no socket, clock, file, randomness or `async`.
//!
//! [`Hub::handle`] takes an [`Input`] and the time, and appends the [`Effect`]s that follow. The same inputs at the
//! same times with the same key give the same effects. So a failing run can be run again, and the hub's state can be
//! restored by replaying its inputs.
//!
//! | to change | see |
//! | --- | --- |
//! | which method handles an input | `turn` |
//! | what reaches the hub; what of that the tape keeps; what follows | [`Input`], [`News`], [`Effect`] |
//! | who did something; what is worth a line in the journal; counters | [`By`], [`Happening`], [`Counters`] |
//! | what people can type | [`command`] |
//! | messages to people, as values | [`message`] |
//! | one client; connecting and leaving; clients that have left a moment ago | [`session`], `people`, [`leavers`] |
//! | whom a name can mean: who bears it, and who bore it a moment ago | [`bearers`] |
//! | finding people by the beginnings of names; which client makes way in a full hub | `beginnings`, `places` |
//! | rooms: opening, entering, topics | `rooms`, [`room`] |
//! | what a client is shown when it comes into a room | `entrance` |
//! | lines kept in memory; how a room is told of arrivals and departures | [`history`], `presence` |
//! | who owns a room, who may come in and speak; rooms that are kept while empty | [`ownership`], [`lasting`] |
//! | who is heard, and how fast a client may send; what a command costs | `speech`, [`pace`], `work` |
//! | whom a client ignores; how much others may send to one client | [`ignore`], [`inbound`] |
//! | messages kept for people who are not here | [`memo`] |
//! | what people report to the operators | [`report`] |
//! | sanctions (bans, mutes, ...) as values; making and lifting them | [`sanction`], [`sanctioning`] |
//! | whom a text means that names somebody for a sanction | [`whom`] |
//! | offences that count against people; words that are refused | [`strike`], [`crate::values::words`] |
//! | what is asked of connections that are not encrypted | `encryption` |
//! | registered names, roles; logging in; waiting at the door | [`account`], [`login`], `door` |
//! | clients that have sent nothing for long | `idleness` |
//! | what happens to newcomers in a raid | [`lockdown`] |
//! | lines that are rendered for one reader apart: their own, or one with their name in it | `mention` |
//! | what goes to disk, and what comes back from it, at the start or later | `recording`, [`archive`], `recall` |
//! | how long lines are kept in memory; lines removed before that | [`retention`], `redaction` |
//! | programs that take the hub for a web server or the like | [`foreign`] |
//! | how people type: who edits the line, what is echoed | `typing`, `complete` |
//! | times in a named time zone | `zones` |
//! | several hubs that share their public rooms | [`peering`] |
//! | looking at the hub from outside | `looking` |
//! | what always holds; what a snapshot holds of the hub | `invariants`, `saved` |
//!
//! The hub knows nothing of bytes, screens, sockets and files: [`crate::wire`] renders its messages, and [`crate::net`]
//! carries out its effects.

pub mod account;
pub mod archive;
pub mod bearers;
mod beginnings;
mod by;
pub mod command;
mod complete;
mod counters;
mod door;
mod effect;
mod encryption;
mod entrance;
pub mod foreign;
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
pub mod peering;
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
pub mod whom;
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
use peering::Peering;
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

/// How many client numbers one record on disk reserves in advance: one record for each newcomer would cost too much.
const GIVEN_AHEAD: u64 = 64;

/// The most banned clients that one tick disconnects, and the most rooms that one tick tells of gathered arrivals: each
/// takes some 10 µs.
const AT_A_TIME: usize = 64;

/// The hub: everybody connected, and every room.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: Settings,
    /// The secret that guests' names are made with.
    key: [u8; 16],
    people: People,
    rooms: Rooms,
    accounts: Accounts,
    logins: Logins,
    door: Door,
    idleness: Idleness,
    moderation: Moderation,
    /// Messages kept for people who are not here.
    memos: Memos,
    /// The clients that see times in a named zone.
    zones: Zones,
    recording: Recording,
    /// What is known of other hubs that share their rooms; `None` where no link has ever connected.
    peering: Option<CopyOnWrite<Peering>>,
    next_line: u64,
    work: Work,
    counters: Counters,
    /// Whether the hub is stopping: everybody has been sent away, and nobody is let in any more.
    stopping: bool,
}

/// The clients, and the indexes that find them.
#[derive(Clone, Debug)]
struct People {
    sessions: Rising<SessionId, CopyOnWrite<Session>>,
    names: Roster<SessionId>,
    /// The names that only their bearer sees, see [`speech::Veil`].
    unseen: Roster<SessionId>,
    beginnings: Beginnings,
    /// The names that clients have laid down.
    former: Beginnings,
    places: Places,
    familiar: Familiar,
    /// The logged-in clients, by account.
    logged_in: BTreeSet<(AccountId, SessionId)>,
    /// The clients whose account has the role of an operator.
    operators: BTreeSet<SessionId>,
    /// The names that any client ignores.
    ignored: IgnoredNames,
    /// The most clients that were connected at one time.
    peak: usize,
    /// The empty lists that all clients share that ignore nobody.
    no_one: Arc<[SessionId]>,
    no_name: Arc<[Shunned]>,
}

/// The open rooms, and the indexes that find them.
#[derive(Clone, Debug)]
struct Rooms {
    open: Rising<RoomId, CopyOnWrite<Room>>,
    names: Roster<RoomId>,
    lobby: RoomId,
    /// When each room tells the arrivals and departures that it has gathered; rooms with nothing gathered are not in
    /// it.
    deadlines: BTreeSet<(Mono, RoomId)>,
    /// How many open rooms were opened from each origin.
    openers: BTreeMap<Origin, usize>,
    /// How many open rooms last, which means that they are kept while empty.
    lasting: usize,
    /// When the hub last checked whether the owners of lasting rooms still come.
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
    /// The last command of each client that waits for its confirmation (its person says it again), and when it was said. Behind the command, on lines of their own, stand the numbers of the client that it named and of those that
    /// it reaches as well: it is confirmed for these alone.
    asked: BTreeMap<SessionId, (String, Mono)>,
    /// Clients that a ban has hit and that are still to be disconnected.
    outgoing: VecDeque<(SessionId, Farewell)>,
    /// The latest time that [`Hub::stamp`] has given to an account or a sanction.
    latest: Wall,
}

/// What is recorded on disk, and what was read from it.
#[derive(Clone, Debug)]
struct Recording {
    /// Whether lines go to disk.
    on: bool,
    backlog: Backlog,
    /// History from before the start, of rooms that nobody has opened since, by folded name.
    dormant: CopyOnWrite<BTreeMap<Name, (RoomId, History)>>,
    /// When to remove lines from memory that have been kept long enough.
    retention: Retention,
    next_search: u64,
    /// The client numbers up to this one are reserved by a record on disk.
    given: SessionId,
    /// When the disk last took records, or last had none to take.
    progress: Mono,
    /// Whether the disk could not be read at the start: there may be bans and accounts that the hub does not know.
    unread: bool,
}

impl Hub {
    /// Makes a hub with a lobby and nobody in it. `key` goes into the names of guests, so that those reveal nothing
    /// about addresses.
    ///
    /// # Panics
    /// If the name of the lobby is not valid; the check of the settings refuses such a name.
    pub fn new(settings: Settings, key: [u8; 16], now: Now, effects: &mut Vec<Effect>) -> Self {
        let name = Name::parse(&settings.rooms.lobby, settings.limits.room_name).expect("the settings were checked");
        let mut hub = Self::bare(settings, key);
        hub.moderation.filters = Filters::new(&hub.settings.filters.refuse, &hub.settings.filters.strike);
        hub.rooms.lobby = hub.turn(now, effects).open(name);
        hub
    }

    /// A hub without rooms, not even a lobby, and without filters.
    fn bare(settings: Settings, key: [u8; 16]) -> Self {
        Self {
            settings,
            key,
            people: People {
                sessions: Rising::default(),
                names: Roster::new(key),
                unseen: Roster::new(key),
                beginnings: Beginnings::default(),
                former: Beginnings::default(),
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
            peering: None,
            next_line: 1,
            work: Work::default(),
            counters: Counters::default(),
            stopping: false,
        }
    }

    /// Handles one input at `now` and appends what follows to `effects`. The hub ignores an input about a client that
    /// has left meanwhile.
    pub fn handle(&mut self, input: impl Into<Input>, now: Now, effects: &mut Vec<Effect>) {
        self.turn(now, effects).take(input.into());
        if cfg!(debug_assertions) && self.people.sessions.len() < 100 {
            self.check_invariants();
        }
    }

    fn turn<'a>(&'a mut self, now: Now, effects: &'a mut Vec<Effect>) -> Turn<'a> {
        Turn { hub: self, now, effects }
    }

    /// Judges a line of `bytes` bytes from `session`, before the caller hands it over as [`Input::Line`]. This is not
    /// an input, because the answer decides whether the line becomes one. [`Verdict::Hold`] tells the caller to hand
    /// the line over at the given time, and to read nothing more from the client until then.
    pub fn judge(&mut self, session: SessionId, bytes: u64, now: Now, effects: &mut Vec<Effect>) -> Verdict {
        self.turn(now, effects).judge(session, bytes)
    }

    /// Charges the cost of the current input to `id`, the client that sent it.
    fn settle(&mut self, id: SessionId, now: Now) {
        let lines = u32::try_from(std::mem::take(&mut self.work.done) / work::LINE).unwrap_or(u32::MAX);
        self.work.charged = lines;
        if lines > 0
            && let Some(session) = self.people.sessions.get_mut(&id)
        {
            session.pace.charge(lines, now.mono, &self.settings.pace);
        }
    }

    /// When [`Input::Tick`] is due; `None` if nothing waits for a time.
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
            self.peering.as_ref().and_then(|peering| peering.next_deadline()),
        ];
        gathered.into_iter().chain(others.into_iter().flatten()).min()
    }
}
