//! The hub makes all decisions. It is pure: no socket, clock, file, randomness or `async`.
//!
//! [`Hub::handle`] takes an [`Input`] and the time, and appends the [`Effect`]s that follow. The
//! same inputs at the same times with the same key give the same effects. So a failing run can be
//! run again, and the hub's state can be restored by replaying its inputs.
//!
//! | to change | see |
//! | --- | --- |
//! | which method handles an input | `turn` |
//! | what comes in, what of it the tape keeps, what follows | [`Input`], [`News`], [`Effect`] |
//! | authors of audited actions; events for the journal | [`By`], [`Happening`] |
//! | counters for metrics | [`Counters`] |
//! | what people can type | [`command`] |
//! | messages to people, as values | [`message`] |
//! | one client; connecting and leaving | [`session`], `people` |
//! | clients that have left recently | [`leavers`] |
//! | the people for whom a name can stand: its bearer and recent bearers | [`bearers`] |
//! | finding people by the beginnings of names | `beginnings` |
//! | which client makes way in a full hub | `places` |
//! | rooms: opening, entering, topics | `rooms`, [`room`] |
//! | what a client is shown when it comes into a room | [`entrance`] |
//! | lines kept in memory | [`history`] |
//! | how a room is told of arrivals and departures | `presence` |
//! | who owns a room, who may come in and speak | [`ownership`] |
//! | rooms that are kept while empty | [`lasting`] |
//! | who is heard; how fast a client may send; what a command costs | `speech`, [`pace`], `work` |
//! | ignoring people; how much others may send to one client | [`ignore`], [`inbound`] |
//! | messages kept for people who are not here | [`memo`] |
//! | reports that people make to the operators | [`report`] |
//! | sanctions (bans, mutes, ...) as values | [`sanction`] |
//! | making and lifting sanctions | [`sanctioning`] |
//! | how a typed text becomes the target of a sanction | [`whom`] |
//! | offences that count against people | [`strike`] |
//! | words that are refused | [`crate::values::words`] |
//! | where encryption is required | `encryption` |
//! | registered names, roles; logging in; waiting at the door | [`account`], [`login`], `door` |
//! | clients that have sent nothing for long | `idleness` |
//! | what happens to newcomers in a raid | [`lockdown`] |
//! | lines that one reader sees apart: their own, or one with their name in it | `mention` |
//! | records on their way to disk; what comes back at the start | `recording`, [`archive`] |
//! | what comes back from a disk that is read late | `recall` |
//! | how long lines are kept in memory; removing lines before that | [`retention`], `redaction` |
//! | programs that take the hub for another kind of server | [`foreign`] |
//! | how people type: who edits the line, what is echoed | `typing`, `complete` |
//! | times in a named time zone | `zones` |
//! | several hubs that share their public rooms | [`peering`] |
//! | looking at the hub from outside | `looking` |
//! | what always holds; what a snapshot holds of the hub | `invariants`, `saved` |
//!
//! The hub knows nothing of bytes, screens, sockets and files: [`crate::wire`] renders its
//! messages, and [`crate::net`] carries out its effects.

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
pub mod entrance;
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
use crate::values::rate::Allowance;
use crate::values::rising::Rising;
use crate::values::roster::Roster;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words::Filters;

/// The number of client numbers that one record on disk reserves in advance: a record for each
/// newcomer would cost too much.
const GIVEN_AHEAD: u64 = 64;

/// The most banned clients that one tick disconnects, and the most rooms to which one tick tells
/// gathered arrivals: each of these takes some 10 µs.
const AT_A_TIME: usize = 64;

/// The hub: everybody connected, and every room.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: Settings,
    /// The secret from which guests' names are made.
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
    /// The names that nobody but their bearer sees, see [`speech::Veil`].
    unseen: Roster<SessionId>,
    beginnings: Beginnings,
    /// The former names of clients, which they have given up recently.
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
    /// The moment at which each room tells the arrivals and departures that it has gathered. Rooms
    /// that have gathered nothing are not in it.
    deadlines: BTreeSet<(Mono, RoomId)>,
    /// The number of open rooms that were opened from each origin.
    openers: BTreeMap<Origin, usize>,
    /// The number of open rooms that are lasting, which means that they are kept while empty.
    lasting: usize,
    /// The moment at which the hub last looked for owners of lasting rooms who stay away.
    looked: Mono,
    next: u64,
}

/// Sanctions, filters, and offences that count against people.
#[derive(Clone, Debug, Default)]
struct Moderation {
    sanctions: Sanctions,
    strikes: Strikes,
    /// What the clients at each address have said to others together.
    said_from: Allowance<Origin>,
    reports: Reports,
    filters: Filters,
    leavers: Leavers,
    /// For each client, the last command that it has to repeat as a confirmation, and when it gave
    /// that command. Below the command stand two lines: the number of the client that it named, and
    /// the numbers of the others that it reaches. The confirmation holds for these clients alone.
    asked: BTreeMap<SessionId, (String, Mono)>,
    /// Clients that a ban has hit and that are still to be disconnected.
    outgoing: VecDeque<(SessionId, Farewell)>,
    /// The latest time that [`Hub::stamp`] has given to an account or a sanction.
    latest: Wall,
}

/// History from before the start, of a room that nobody has opened since.
#[derive(Clone, Debug)]
struct Dormant {
    /// The number that the room had, and will have.
    room: RoomId,
    history: History,
    /// The number of the first line that connections are shown that are not secure; 0: all lines are.
    plain_from: u64,
}

/// Records on their way to disk, and what was read from it.
#[derive(Clone, Debug)]
struct Recording {
    /// Whether lines go to disk.
    on: bool,
    backlog: Backlog,
    /// By folded name.
    dormant: CopyOnWrite<BTreeMap<Name, Dormant>>,
    /// When to drop lines from memory that have been kept long enough.
    retention: Retention,
    next_search: u64,
    /// The client numbers up to this one are reserved by a record on disk.
    given: SessionId,
    /// The moment at which the disk last took records, or nothing waited for it.
    progress: Mono,
    /// Whether the disk could not be read at the start: it may hold bans and accounts that the hub
    /// does not know.
    unread: bool,
}

impl Hub {
    /// Makes a hub with a lobby and nobody in it. `key` goes into the names of guests, so that
    /// these reveal nothing about addresses.
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

    /// Handles one input at `now`, and appends what follows to `effects`. An input about a client
    /// that has left meanwhile has no effect.
    pub fn handle(&mut self, input: impl Into<Input>, now: Now, effects: &mut Vec<Effect>) {
        self.turn(now, effects).take(input.into());
        if cfg!(debug_assertions) && self.people.sessions.len() < 100 {
            self.check_invariants();
        }
    }

    fn turn<'a>(&'a mut self, now: Now, effects: &'a mut Vec<Effect>) -> Turn<'a> {
        Turn { hub: self, now, effects }
    }

    /// Judges a line of `bytes` bytes from `session`, before the caller hands it over as
    /// [`Input::Line`]. This is not an input, because the answer decides whether the line becomes
    /// one. [`Verdict::Hold`] tells the caller to hand the line over at the given time, and to read
    /// nothing more from the client until then.
    pub fn judge(&mut self, session: SessionId, bytes: u64, now: Now, effects: &mut Vec<Effect>) -> Verdict {
        self.turn(now, effects).judge(session, bytes)
    }

    /// Charges the cost of the current input to the pace of `id`, the client that sent it.
    fn settle(&mut self, id: SessionId, now: Now) {
        let lines = u32::try_from(std::mem::take(&mut self.work.done) / work::LINE).unwrap_or(u32::MAX);
        self.work.charged = lines;
        if lines > 0
            && let Some(session) = self.people.sessions.get_mut(&id)
        {
            session.pace.charge(lines, now.mono, &self.settings.pace);
        }
    }

    /// The moment at which [`Input::Tick`] is due; `None` if nothing waits for a time.
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
