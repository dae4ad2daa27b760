//! What the hub decides. Pure: no socket, clock, file, randomness or `async`.
//!
//! [`Hub::handle`] takes an [`Input`] and the time and appends what follows from it to the
//! [`Effect`]s. The same inputs at the same times with the same key give the same effects: a failing
//! run can be run again, and the hub's state can be had back by replaying what it was told.
//!
//! | to change | see |
//! | --- | --- |
//! | what reaches the hub and what follows, as values; what is worth a line in the journal; counters | `event`, `happening`, `counters` |
//! | what people can type | [`command`] |
//! | what is told, as values | [`message`] |
//! | who comes in, under which name; who goes | `people`, `places` |
//! | rooms: opening, entering, topics; history in memory, arrivals and departures | `rooms`, [`room`] |
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
mod recall;
mod recording;
pub mod room;
mod rooms;
mod saved;
pub mod session;
mod speech;
pub mod strike;
mod typing;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use zeroize::Zeroize as _;

pub use counters::Counters;
pub use event::{By, Effect, Input};
pub use happening::{Happening, What};
pub use saved::Frozen;
use speech::Hearing;

use account::Accounts;
use archive::Backlog;
use beginnings::Beginnings;
use door::Door;
use ignore::{IgnoredNames, Shunned};
use message::{Done, Farewell, Message, Refusal, Said};
use moderation::Bans;
pub use places::RESERVE as RESERVED_PLACES;
use places::{Familiar, Places};
use room::{History, Room};
use session::Session;
use strike::Offence;

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
    key: [u8; 16],
    sessions: Rising<SessionId, CopyOnWrite<Session>>,
    roster: Roster<SessionId>,
    beginnings: Beginnings,
    places: Places,
    familiar: Familiar,
    /// Who is logged in to which account.
    logged_in: BTreeSet<(AccountId, SessionId)>,
    /// Those whose account has the role of an operator.
    operators: BTreeSet<SessionId>,
    /// How many rooms are open that somebody from there has opened.
    openers: BTreeMap<Origin, usize>,
    /// The names that anybody ignores.
    ignored: IgnoredNames,
    rooms: Rising<RoomId, CopyOnWrite<Room>>,
    room_names: Roster<RoomId>,
    lobby: RoomId,
    deadlines: BTreeSet<(Mono, RoomId)>,
    bans: Bans,
    accounts: Accounts,
    logins: login::Logins,
    strikes: strike::Strikes,
    reports: strike::Reports,
    filters: Filters,
    /// What is on disk could not be read at the start: there may be accounts that are not known.
    unread: bool,
    door: Door,
    /// Whether what is said goes to disk.
    recording: bool,
    backlog: Backlog,
    /// What was said before the start in rooms that nobody has opened since, by folded name.
    dormant: CopyOnWrite<BTreeMap<Name, (RoomId, History)>>,
    next_search: u64,
    /// Clients' numbers up to this are on record as given.
    given: SessionId,
    next_room: u64,
    next_line: u64,
    counters: Counters,
    peak: usize,
    stopping: bool,
    /// Those whom a ban has hit, and who are still to be disconnected.
    outgoing: VecDeque<(SessionId, Farewell)>,
    /// What the present input has cost so far, see [`work`].
    work: u64,
    /// What the last one has cost its person, in lines beyond the one it was.
    cost: u32,
    no_one: Arc<[SessionId]>,
    no_name: Arc<[Shunned]>,
}

impl Hub {
    /// A hub with nobody in it but a lobby. `key` makes the names of guests: whoever does not know it
    /// learns nothing about an address from a name, nor from two.
    ///
    /// # Panics
    /// If the lobby's name is no name; the check of the settings refuses that.
    pub fn new(settings: Settings, key: [u8; 16], now: Now, effects: &mut Vec<Effect>) -> Self {
        let name = Name::parse(&settings.rooms.lobby, settings.limits.room_name).expect("the settings were checked");
        let filters = Filters::new(&settings.filters.refuse, &settings.filters.strike);
        let mut hub = Self { filters, ..Self::bare(settings, key) };
        hub.lobby = hub.open(name, now, effects);
        hub
    }

    /// A hub with nothing in it, not even a lobby; no words are refused.
    fn bare(settings: Settings, key: [u8; 16]) -> Self {
        Self {
            settings,
            key,
            sessions: Rising::default(),
            roster: Roster::new(key),
            beginnings: Beginnings::default(),
            places: Places::default(),
            familiar: Familiar::default(),
            logged_in: BTreeSet::new(),
            operators: BTreeSet::new(),
            openers: BTreeMap::new(),
            ignored: IgnoredNames::new(1),
            rooms: Rising::default(),
            room_names: Roster::new(key),
            lobby: RoomId(0),
            deadlines: BTreeSet::new(),
            bans: Bans::default(),
            accounts: Accounts::default(),
            logins: login::Logins::default(),
            strikes: strike::Strikes::default(),
            reports: strike::Reports::default(),
            filters: Filters::default(),
            unread: false,
            door: Door::default(),
            recording: false,
            backlog: Backlog::default(),
            dormant: CopyOnWrite::default(),
            next_search: 1,
            given: SessionId(0),
            next_room: 0,
            next_line: 1,
            counters: Counters::default(),
            peak: 0,
            stopping: false,
            outgoing: VecDeque::new(),
            work: 0,
            cost: 0,
            no_one: Arc::new([]),
            no_name: Arc::new([]),
        }
    }

    /// Takes one input at `now` and appends what follows to `effects`. An input that names a client
    /// who has gone meanwhile is ignored.
    pub fn handle(&mut self, input: Input, now: Now, effects: &mut Vec<Effect>) {
        // What nobody was charged for is nobody's.
        (self.work, self.cost) = (0, 0);
        match input {
            Input::Connect { session, peer } => self.connect(session, peer, now, effects),
            Input::Line { session, .. } if self.outgoing.iter().any(|(one, _)| *one == session) => {}
            Input::Line { session, mut text } => {
                if self.sessions.get(&session).is_some_and(|session| session.dialogue.is_some()) {
                    self.answered(session, text, now, effects);
                } else {
                    let said = self.counters.lines_said;
                    self.line(session, &text, now, effects);
                    if said == self.counters.lines_said {
                        // There may be a password in it.
                        text.zeroize();
                    }
                }
                self.settle(session, now);
                self.release(session, effects);
            }
            Input::Terminal { session, terminal } => {
                if let Some(own) = self.sessions.get_mut(&session) {
                    own.terminal = terminal;
                    self.suit(session, effects);
                }
            }
            Input::Mode { session, mode } => self.edited_by(session, mode, effects),
            Input::Shown { session } => {
                if self.sessions.contains_key(&session) {
                    tell(session, Message::Done(Done::TypingShows), effects);
                }
            }
            Input::Complete { session, line } => {
                if self.sessions.get(&session).is_some_and(|session| session.dialogue.is_none()) {
                    let (from, words, work) = complete::complete(self, session, &line);
                    self.work += work;
                    self.settle(session, now);
                    if !words.is_empty() {
                        effects.push(Effect::Complete { session, from, words });
                    }
                }
            }
            Input::Overlong { session, bytes } => {
                if let Some(sender) = self.sessions.get_mut(&session) {
                    self.counters.lines_received += 1;
                    self.counters.lines_too_long += 1;
                    self.places.speak(session, Origin::of(sender.peer.ip()));
                    sender.lines += 1;
                    sender.spoke = now.mono;
                    let limit = self.settings.limits.line;
                    refuse(session, Refusal::LineTooLong { bytes, limit }, effects);
                    self.strike(session, Offence::TooLong, now, effects);
                    self.release(session, effects);
                }
            }
            Input::Gone { session, why } => {
                if self.sessions.contains_key(&session) {
                    match why {
                        Farewell::TooSlow => self.counters.closed_slow += 1,
                        Farewell::MailboxFull => self.counters.closed_mailbox += 1,
                        _ => {}
                    }
                    self.depart(session, why, now, effects);
                }
            }
            Input::Kick { session, reason, by } => self.kick(session, reason, by, now, effects),
            Input::Mute { session, mute, by } => self.mute(session, mute, by, now, effects),
            Input::Rename { session, nick, by } => {
                if self.sessions.contains_key(&session) && self.may_bear(session, &nick, now).is_ok() {
                    tell(session, Message::Done(Done::RenamedByAdmin(nick.shown().into())), effects);
                    self.rename(session, nick, Some(by), now, effects);
                }
            }
            Input::Topic { room, text, by } => {
                if self.rooms.contains_key(&room) {
                    self.set_topic(room, None, text, Some(by), now, effects);
                }
            }
            Input::CloseRoom { room, reason, by } => self.close_room(room, reason, by, now, effects),
            Input::Announce { room, text, by } => self.announce(room, &text, by, now, effects),
            Input::Archive(recalled) => self.archive(recalled.map(|recalled| *recalled), now, effects),
            Input::Recalled(recalled) => {
                let mut recalled = *recalled;
                self.recall_rooms(&mut recalled);
                self.recall(recalled, now, effects);
            }
            Input::Recorded { through } => self.backlog.done(through),
            Input::Found { session, number, found } => {
                self.found(session, number, *found, effects);
                self.settle(session, now);
            }
            Input::Hashed { number, answer } => self.hashed(number, answer, now, effects),
            Input::Crowded { session, on } => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.crowded = on;
                }
            }
            Input::Interrupted { session } => {
                if self.sessions.contains_key(&session) && !self.cancel(session, effects) {
                    tell(session, Message::Done(Done::Interrupted), effects);
                }
            }
            Input::BegunAnew => self.record_again(effects),
            Input::Redact { what, by } => {
                self.redact(&what, by, now, effects);
            }
            Input::Ban { target, reason, until, by } => self.ban(target, reason, until, by, now, effects),
            Input::Unban { id, by } => self.unban(id, by, now, effects),
            Input::AddAccount { name, hashed, role, by } => {
                // What cannot be was refused before, by `may_add_account`.
                let _ = self.add_account(name, hashed, role, by, now, effects);
            }
            Input::ChangeAccount { account, hashed, role, by } => {
                self.change_account(account, hashed, role, Some(by), now, effects);
            }
            Input::UnlockAccount { account } => {
                self.unlock_account(account);
            }
            Input::RemoveAccount { account, by } => {
                self.remove_account(account, Some(by), now, effects);
            }
            Input::Settings(settings) => {
                self.configure(*settings, now, effects);
                self.open_door(now, effects);
            }
            Input::Stop { message } => self.stop(message, now, effects),
            Input::Tick => self.tick(now, effects),
        }
        // What nobody is charged for: coming, and what administrators do.
        self.work = 0;
        if cfg!(debug_assertions) && self.sessions.len() < 100 {
            self.check_invariants();
        }
    }

    /// Charges what an input has cost to whoever sent it.
    fn settle(&mut self, id: SessionId, now: Now) {
        let lines = u32::try_from(std::mem::take(&mut self.work) / work::LINE).unwrap_or(u32::MAX);
        self.cost = lines;
        if lines > 0
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.pace.charge(lines, now.mono, &self.settings.pace);
        }
    }

    /// When the hub wants to be told that time has passed.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        if !self.outgoing.is_empty() {
            return Some(Mono(0));
        }
        let gathered = self.deadlines.first().map(|(at, _)| *at);
        gathered.into_iter().chain(self.door.next_deadline()).min()
    }

    fn tick(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.see_out(now, effects);
        self.close_door(now, effects);
        // Those that are left are due still, and the next tick is for them.
        for _ in 0..AT_A_TIME {
            let Some((_, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now.mono) else { break };
            self.deadlines.pop_first();
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            let members = room.members.len();
            if let Some((author, said)) = room.presence.flush(members)
                && members > 0
            {
                self.post(id, author, said, now, effects);
            }
        }
    }

    fn stop(&mut self, message: Option<Arc<str>>, now: Now, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.stopping, true) {
            return;
        }
        effects.push(Effect::Happened(Happening { text: message.clone(), ..Happening::new(What::Stopping, now) }));
        let why = Farewell::Shutdown(message);
        for (id, _) in std::mem::take(&mut self.sessions).iter() {
            tell(id, Message::Goodbye(why.clone()), effects);
            effects.push(Effect::Close { session: id, why: why.clone() });
        }
        // Nobody is left to be told that everybody leaves.
        self.roster = Roster::new(self.key);
        self.places.clear();
        self.beginnings.clear();
        self.logged_in.clear();
        self.operators.clear();
        self.openers.clear();
        self.ignored.clear();
        self.deadlines.clear();
        let lobby = self.lobby;
        self.rooms.retain(|id, room| {
            room.members.clear();
            room.presence = room::Presence::default();
            if *id != lobby {
                if Some(*id) != self.door.room {
                    self.room_names.release(&room.name);
                }
                effects.push(Effect::Shut(*id));
            }
            *id == lobby
        });
        self.door.clear();
    }

    fn configure(&mut self, settings: Settings, now: Now, effects: &mut Vec<Effect>) {
        if settings.filters != self.settings.filters {
            self.filters = Filters::new(&settings.filters.refuse, &settings.filters.strike);
        }
        let always_changed = settings.access.always != self.settings.access.always;
        self.settings = settings;
        if always_changed {
            self.places.clear();
            for session in self.sessions.values() {
                let is_silent = session.lines == 0 && !self.is_always_let_in(session.peer);
                self.places.come(session.id, Origin::of(session.peer.ip()), is_silent);
            }
        }
        let limits = &self.settings.history;
        for room in self.rooms.values_mut() {
            room.kept = Some(room.id) != self.door.room && limits.keeps(&room.name);
            if !room.kept {
                room.history = CopyOnWrite::default();
            }
            room.history.trim(limits);
        }
        for (_, history) in self.dormant.values_mut() {
            history.trim(limits);
        }
        self.move_lobby(now, effects);
    }
}

fn tell(to: SessionId, message: Message, effects: &mut Vec<Effect>) {
    effects.push(Effect::Tell { to, message });
}

fn refuse(to: SessionId, refusal: Refusal, effects: &mut Vec<Effect>) {
    tell(to, Message::Refused(refusal), effects);
}
