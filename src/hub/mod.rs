//! What the hub decides. Pure: no socket, clock, file, randomness or `async`.
//!
//! [`Hub::handle`] takes an [`Input`] and the time and appends what follows from it to the
//! [`Effect`]s. The same inputs at the same times with the same key give the same effects: a failing
//! run can be run again, and the hub's state can be had back by replaying what it was told.
//!
//! | to change | see |
//! | --- | --- |
//! | what people can type | [`command`] |
//! | what is told, as values | [`message`] |
//! | who is kept out | [`moderation`] |
//! | what counts against people; words that are refused | [`strike`], [`filter`] |
//! | registered names, roles; how one logs in; who waits at the door | [`account`], [`login`], `door` |
//! | rooms, history in memory, arrivals and departures | [`room`] |
//! | whose room it is, who may come in and speak | [`ownership`] |
//! | what goes to disk and comes back, also late | [`archive`], `recall` |
//! | names | [`name`], [`roster`] |
//! | everything that has a number | [`rising`] |
//! | how fast one may send, what a command costs | [`pace`], `work` |
//! | who comes in when all places are taken | `places` |
//! | whom somebody ignores | [`ignore`] |
//! | how much others may send to one | [`inbound`] |

pub mod account;
pub mod archive;
mod beginnings;
pub mod command;
mod complete;
mod copy_on_write;
mod door;
pub mod filter;
pub mod ignore;
pub mod inbound;
pub mod login;
pub mod message;
pub mod moderation;
pub mod name;
pub mod ownership;
pub mod pace;
mod places;
mod recall;
pub mod rising;
pub mod room;
pub mod roster;
mod saved;
pub mod session;
pub mod strike;
pub mod terminal;
pub mod text;
pub mod time;
mod work;

use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

pub use copy_on_write::CopyOnWrite;
pub use saved::Frozen;

use account::{AccountId, Accounts, Role};
use archive::{Backlog, Found, Reach, Recalled, RecalledRoom, Record, Search, Selector, Taken};
use beginnings::Beginnings;
use door::Door;
use filter::{Action, Filters};
use ignore::{IgnoredNames, Shunned};
use message::{Done, Farewell, Kept, Line, Message, Refusal, Replay, RoomId, Said, SessionId, View};
use moderation::{Author, Ban, BanId, Bans, Target};
use name::Name;
use pace::{Pace, Verdict, Word};
pub use places::RESERVE as RESERVED_PLACES;
use places::{Familiar, Places};
use rising::Rising;
use room::{History, Room, Step};
use roster::Roster;
use session::{Mute, Origin, Session};
use strike::Offence;
use terminal::{Mode, Terminal};
use time::{Mono, Now, Wall};

use crate::settings::{EditorUse, Settings, WhileUnread};

/// Something that reaches the hub.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection was accepted. The number must be higher than all before.
    Connect {
        /// The number that the connection has from now on.
        session: SessionId,
        /// Where it comes from.
        peer: SocketAddr,
    },
    /// A client sent a line, cleaned by [`text::clean`].
    Line {
        /// Who.
        session: SessionId,
        /// What.
        text: String,
    },
    /// A client has told something of its terminal.
    Terminal {
        /// Who.
        session: SessionId,
        /// All that is known now.
        terminal: Terminal,
    },
    /// A client's program has gone along with another mode, or has not.
    Mode {
        /// Whose.
        session: SessionId,
        /// Who edits now.
        mode: Mode,
    },
    /// A client was asked to show what is typed no more, and does not go along.
    Shown {
        /// Who.
        session: SessionId,
    },
    /// A client wants a word completed.
    Complete {
        /// Who.
        session: SessionId,
        /// What is typed, up to where the word ends.
        line: String,
    },
    /// A client sent a line that was longer than allowed; nothing is left of it.
    Overlong {
        /// Who.
        session: SessionId,
        /// How many bytes it had.
        bytes: u64,
    },
    /// A connection has ended, or must.
    Gone {
        /// Whose.
        session: SessionId,
        /// Why.
        why: Farewell,
    },
    /// An administrator disconnects somebody.
    Kick {
        /// Whom.
        session: SessionId,
        /// Why.
        reason: Option<Arc<str>>,
        /// Who does it.
        by: By,
    },
    /// An administrator mutes somebody, or lifts it.
    Mute {
        /// Whom.
        session: SessionId,
        /// `None` lifts it.
        mute: Option<Mute>,
        /// Who does it.
        by: By,
    },
    /// An administrator gives somebody another name, which [`Hub::may_bear`] has allowed.
    Rename {
        /// Whom.
        session: SessionId,
        /// The name.
        nick: Name,
        /// Who does it.
        by: By,
    },
    /// An administrator sets or clears a topic.
    Topic {
        /// Of which room.
        room: RoomId,
        /// Empty clears it.
        text: Arc<str>,
        /// Who does it.
        by: By,
    },
    /// An administrator closes a room that is not the lobby.
    CloseRoom {
        /// Which.
        room: RoomId,
        /// Why.
        reason: Option<Arc<str>>,
        /// Who does it.
        by: By,
    },
    /// An administrator says something in the name of the hub.
    Announce {
        /// To that room, or to all.
        room: Option<RoomId>,
        /// What.
        text: Arc<str>,
        /// Who does it.
        by: By,
    },
    /// What is said is to be recorded from now on, and here is what was recorded before; or nothing is
    /// recorded. Comes at each start, also after a crash that the hub's state has survived.
    Archive(Option<Box<Recalled>>),
    /// All records up to this number are on disk.
    Recorded {
        /// The number.
        through: u64,
    },
    /// What a search has found.
    Found {
        /// Who asked.
        session: SessionId,
        /// The number of the search.
        number: u64,
        /// What was found.
        found: Box<Found>,
    },
    /// What came of a password that was to be hashed.
    Hashed {
        /// The number of the job.
        number: u64,
        /// What came of it.
        answer: login::Answer,
    },
    /// A client takes nothing of what is meant for it alone, and much of it waits; or it does again.
    Crowded {
        /// Who.
        session: SessionId,
        /// Whether it is so.
        on: bool,
    },
    /// A client has interrupted what it was typing.
    Interrupted {
        /// Who.
        session: SessionId,
    },
    /// What is on disk was begun anew: all that is to be there must be recorded again.
    BegunAnew,
    /// What is on disk, which could not be read before, or is another file than before.
    Recalled(Box<Recalled>),
    /// An administrator makes lines of history unreadable.
    Redact {
        /// Which.
        what: Arc<Selector>,
        /// Who does it.
        by: By,
    },
    /// An administrator keeps somebody out. A ban of the same is replaced.
    Ban {
        /// Whom.
        target: Target,
        /// Why; told to them.
        reason: Option<Arc<str>>,
        /// Until when; `None`: until it is lifted.
        until: Option<Wall>,
        /// Who does it.
        by: By,
    },
    /// An administrator lifts a ban.
    Unban {
        /// Which.
        id: BanId,
        /// Who does it.
        by: By,
    },
    /// The settings have changed.
    Settings(Box<Settings>),
    /// The hub is to stop: everybody is told, and no one is taken any more.
    Stop {
        /// Part of the goodbye.
        message: Option<Arc<str>>,
    },
    /// Time has passed; see [`Hub::next_deadline`]. Early or late ticks are harmless.
    Tick,
}

/// Who did something that is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// An administrator, over the admin socket.
    Admin {
        /// The user id, as the kernel tells it (`SO_PEERCRED`).
        uid: u32,
        /// The process id, likewise.
        pid: i32,
    },
    /// Somebody in chat whose account has the role for it.
    Operator {
        /// Who.
        session: SessionId,
        /// The account.
        account: AccountId,
    },
    /// The hub itself, by its settings.
    Hub,
}

impl By {
    /// The user id, if it was an administrator over the admin socket.
    #[must_use]
    pub fn uid(self) -> Option<u32> {
        match self {
            Self::Admin { uid, .. } => Some(uid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }

    /// The process id, likewise.
    #[must_use]
    pub fn pid(self) -> Option<i32> {
        match self {
            Self::Admin { pid, .. } => Some(pid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }
}

/// Who hears what somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    /// Whoever is meant.
    All,
    /// Nobody, and its author is not to know.
    Nobody,
    /// Nobody, and its author was told.
    Refused,
}

/// Something that follows, to be carried out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A room came into being; its log starts empty.
    Open(RoomId),
    /// A room ceased to be; nobody is in it.
    Shut(RoomId),
    /// A line belongs at the end of a room's log.
    Post {
        /// Whose log.
        room: RoomId,
        /// The line.
        line: Arc<Line>,
    },
    /// A client reads that room's log from its present end on.
    Enter {
        /// Who.
        session: SessionId,
        /// Which.
        room: RoomId,
    },
    /// One client is told something, after what is in the log now and before what comes.
    Tell {
        /// Who.
        to: SessionId,
        /// What.
        message: Message,
    },
    /// From here on, one client sees lines in this way.
    View {
        /// Who.
        session: SessionId,
        /// How.
        view: View,
    },
    /// From here on, these lines are not shown to one client.
    Filter {
        /// Who.
        session: SessionId,
        /// Whether arrivals and departures are hidden.
        quiet: bool,
        /// Whose speech is hidden, in rising order.
        ignored: Arc<[SessionId]>,
        /// And that of those who bear these names, or have borne them since; in rising order.
        names: Arc<[Shunned]>,
    },
    /// A client's program is to send lines, or each key.
    Mode {
        /// Whose.
        session: SessionId,
        /// Which.
        mode: Mode,
    },
    /// What stands before what a client types, where we echo it.
    Prompt {
        /// Whose.
        session: SessionId,
        /// The text.
        prompt: Arc<str>,
    },
    /// What a client types is to be seen on its screen, or not to be, where that can be had.
    Echo {
        /// Whose.
        session: SessionId,
        /// Whether it is seen.
        on: bool,
    },
    /// A word that a client types can be completed.
    Complete {
        /// Who.
        session: SessionId,
        /// The byte at which the word begins.
        from: usize,
        /// What it can become, best first, at least one.
        words: Vec<String>,
    },
    /// From here on, lines and what one client is told wait for [`Effect::Release`], or not.
    Hold {
        /// Who.
        session: SessionId,
        /// Whether they wait.
        on: bool,
    },
    /// What waits for one client waits no more.
    Release {
        /// Who.
        session: SessionId,
    },
    /// A client gets what it is owed, and then its connection is closed. The hub has forgotten it.
    Close {
        /// Who.
        session: SessionId,
        /// Why.
        why: Farewell,
    },
    /// Something is to be written to disk. [`Input::Recorded`] is expected some time; nobody waits.
    Record {
        /// Its number, higher than those before.
        number: u64,
        /// What.
        record: Record,
    },
    /// A password is to be hashed. [`Input::Hashed`] is the answer, and there must be one. It is told
    /// again after a crash.
    Hash(Arc<login::Job>),
    /// A password that came before is of no more use: whoever keeps inputs does well to let go of it.
    SecretSpent,
    /// Somebody wants lines that are on disk. [`Input::Found`] is the answer, and there must be one.
    Search(Box<Search>),
    /// Something worth a line in the journal and in the stream of events.
    Happened(Happening),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// What.
    pub what: What,
    /// When.
    pub at: Wall,
    /// To which client.
    pub session: Option<SessionId>,
    /// Its name.
    pub nick: Option<Arc<str>>,
    /// Its address.
    pub peer: Option<SocketAddr>,
    /// In which room.
    pub room: Option<Arc<str>>,
    /// Reason, topic, former name.
    pub text: Option<Arc<str>>,
    /// By whom, if it was moderation.
    pub by: Option<By>,
    /// The name of the account, if an operator did it.
    pub operator: Option<Arc<str>>,
}

impl Happening {
    /// By whom, in words, if it was moderation.
    #[must_use]
    pub fn by_whom(&self) -> Option<String> {
        Some(match self.by? {
            By::Admin { uid, .. } => format!("uid {uid}"),
            By::Operator { account, .. } => match &self.operator {
                Some(name) => format!("operator {name}"),
                None => format!("operator {account}"),
            },
            By::Hub => "the hub".to_owned(),
        })
    }

    fn new(what: What, now: Now) -> Self {
        Self {
            what,
            at: now.wall,
            session: None,
            nick: None,
            peer: None,
            room: None,
            text: None,
            by: None,
            operator: None,
        }
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A client connected.
    Arrived,
    /// A client is gone.
    Departed,
    /// A connection was refused.
    Refused,
    /// A client came into another room.
    Joined,
    /// A client left a room for another.
    Left,
    /// A client has another name.
    Renamed,
    /// A room came into being.
    RoomOpened,
    /// A room ceased to be.
    RoomClosed,
    /// A room has become private, public, moderated or free.
    RoomChanged,
    /// A room has another topic.
    Topic,
    /// A client was disconnected by an administrator.
    Kicked,
    /// A client was muted.
    Muted,
    /// A client may speak again.
    Unmuted,
    /// An administrator said something.
    Announced,
    /// A client sends faster than it may.
    Flood,
    /// Something counts against a client.
    Struck,
    /// A client reported another one.
    Reported,
    /// Somebody is kept out.
    Banned,
    /// A ban was lifted.
    Unbanned,
    /// Lines were made unreadable.
    Redacted,
    /// Lines are left out of the recorded history: the disk does not keep up, or does not take them.
    HistoryLost,
    /// Lines are recorded again.
    HistoryResumed,
    /// Bans and accounts that are on disk cannot be read.
    Unread,
    /// They could be read now.
    Recalled,
    /// Somebody has registered a name, or an administrator has.
    Registered,
    /// Somebody has logged in.
    LoggedIn,
    /// Somebody has logged out.
    LoggedOut,
    /// A name and a password that do not go together.
    LoginFailed,
    /// An account has another role or password, by moderation.
    AccountChanged,
    /// An account is no more.
    AccountRemoved,
    /// The hub stops.
    Stopping,
}

macro_rules! counters {
    ($( $(#[doc = $about:literal])+ $name:ident; )+) => {
        /// How often what has happened since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $( $(#[doc = $about])+ pub $name: u64, )+
        }

        impl Counters {
            /// Name, meaning and value of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
                [$( (stringify!($name), concat!($($about),+), self.$name), )+].into_iter()
            }

            /// The counters with these values, by name; those not named are zero.
            pub(crate) fn of(values: &BTreeMap<String, u64>) -> Self {
                Self { $( $name: values.get(stringify!($name)).copied().unwrap_or(0), )+ }
            }
        }
    };
}

counters! {
    /// Connections taken.
    connections;
    /// Connections refused because the hub was full.
    refused_full;
    /// Connections refused because too many came from one address.
    refused_address;
    /// Connections refused because the hub was stopping.
    refused_stopping;
    /// Connections refused because of a ban.
    refused_banned;
    /// Connections refused because their network is not allowed.
    refused_network;
    /// Connections refused because bans on disk could not be read yet.
    refused_unread;
    /// Strikes counted against people.
    strikes;
    /// Clients disconnected by a new ban.
    banned;
    /// Lines received from clients.
    lines_received;
    /// Lines said in rooms.
    lines_said;
    /// Private messages.
    private_messages;
    /// Private messages, reports and invitations refused: the other one was sent much, or did not read.
    private_refused;
    /// Commands carried out or refused.
    commands;
    /// Lines refused because they were too long.
    lines_too_long;
    /// Lines dropped because their client sent too fast.
    lines_dropped;
    /// Lines refused because their client was muted.
    lines_muted;
    /// Lines, names and topics refused by the filters.
    lines_filtered;
    /// Names that people have registered.
    registrations;
    /// Times that somebody logged in.
    logins;
    /// Passwords that were wrong.
    logins_failed;
    /// Lines that were said and not recorded: the disk did not keep up, or did not take them.
    history_lost;
    /// Clients disconnected to make place, who had never sent a line.
    gave_way;
    /// Clients disconnected by an administrator.
    kicked;
    /// Clients disconnected because they took nothing of what was owed to them.
    closed_slow;
    /// Clients disconnected because their mailbox was full.
    closed_mailbox;
    /// Arrivals and departures that were gathered into one line with others.
    presence_gathered;
}

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
        let filters = Filters::new(&settings.filters);
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
            Input::Settings(settings) => {
                self.configure(*settings);
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

    /// Judges a line of `bytes` bytes from `session` that is there at `now`, before it is handed over:
    /// [`Verdict::Hold`] means to hand it over then and to read nothing more until then.
    pub fn judge(&mut self, session: SessionId, bytes: u64, now: Now, effects: &mut Vec<Effect>) -> Verdict {
        let Some(sender) = self.sessions.get_mut(&session) else { return Verdict::Pass };
        let room = self.rooms.get_mut(&sender.room).expect("everybody is in a room");
        let is_heard = sender.at_door.is_none();
        if is_heard
            && room.crowd.is_over(now.mono)
            && let Some((until, word)) = sender.pace.gives_way(now.mono, &self.settings.pace)
        {
            if word.is_some() {
                tell(session, Message::Done(Done::GivesWay), effects);
            }
            return Verdict::Hold(until);
        }
        let (verdict, word) = sender.pace.judge(bytes, now.mono, &self.settings.pace);
        if verdict == Verdict::Pass && is_heard {
            let people = room.members.len();
            room.crowd.charge(people, now.mono, &self.settings.pace);
        }
        if verdict == Verdict::Drop {
            sender.dropped += 1;
            self.counters.lines_dropped += 1;
        }
        let done = match word {
            None => return verdict,
            Some(Word::SlowedDown) => {
                Done::SlowedDown { lines: self.settings.pace.lines, bytes: self.settings.pace.bytes }
            }
            Some(Word::GivesWay) => Done::GivesWay,
            Some(Word::Dropping) => Done::Dropping,
            Some(Word::Dropped(count)) => Done::Dropped(count),
        };
        tell(session, Message::Done(done), effects);
        if word == Some(Word::Dropping) {
            self.happened(What::Flood, session, None, None, now, effects);
            self.strike(session, Offence::Flood, now, effects);
        }
        verdict
    }

    // -- looking -------------------------------------------------------------------------------

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Everybody connected, by age.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().map(|session| &**session)
    }

    /// Those connected from that one on, by age.
    pub fn sessions_from(&self, first: SessionId) -> impl Iterator<Item = &Session> {
        self.sessions.values_from(first).map(|one| &**one)
    }

    /// How many are connected.
    #[must_use]
    pub const fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// One client.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id).map(|session| &**session)
    }

    /// The client that bears this name.
    #[must_use]
    pub fn find(&self, nick: &str) -> Option<SessionId> {
        self.roster.find(&name::fold(nick))
    }

    /// All rooms, by age.
    pub fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().map(|room| &**room).filter(|room| Some(room.id) != self.door.room)
    }

    /// The rooms from that one on, by age.
    pub fn rooms_from(&self, first: RoomId) -> impl Iterator<Item = &Room> {
        self.rooms.values_from(first).map(|one| &**one).filter(|room| Some(room.id) != self.door.room)
    }

    /// How many there are.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len() - usize::from(self.door.room.is_some())
    }

    /// One room.
    #[must_use]
    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(&id).map(|room| &**room)
    }

    /// The room of this name, with or without a `#` before it.
    #[must_use]
    pub fn find_room(&self, name: &str) -> Option<RoomId> {
        let name = name.strip_prefix('#').unwrap_or(name);
        self.room_names.find(&name::fold(name))
    }

    /// The room that everybody comes into.
    #[must_use]
    pub fn lobby(&self) -> RoomId {
        self.lobby
    }

    /// What the last input of a person has cost, in lines beyond the one it was.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// How often what has happened.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Who is kept out.
    #[must_use]
    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    /// Registered names.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What that client may do.
    #[must_use]
    pub fn role(&self, id: SessionId) -> Role {
        let account = self.sessions.get(&id).and_then(|session| self.accounts.get(session.account?));
        account.map_or(Role::Guest, |account| account.role)
    }

    /// Whom a ban would hit who is here now, by age.
    pub fn hit_by(&self, target: &Target) -> impl Iterator<Item = &Session> {
        let hit: BTreeSet<SessionId> = match target {
            Target::Network(network) => {
                let here = self.places.within(network).filter_map(|id| self.session(id));
                let is_hit =
                    |session: &&Session| network.has(session.peer.ip()) && !self.is_always_let_in(session.peer);
                here.filter(is_hit).map(|session| session.id).collect()
            }
            // Of an account, whatever name its owner bears.
            Target::Name(name) => {
                let owners = self.accounts.lookalikes(name).flat_map(|account| self.logged_in_to(account));
                self.roster.lookalikes(name).chain(owners).collect()
            }
        };
        hit.into_iter().filter_map(|id| self.session(id))
    }

    fn is_always_let_in(&self, peer: SocketAddr) -> bool {
        self.settings.access.always.iter().any(|network| network.has(peer.ip()))
    }

    /// Those who are logged in to that account.
    fn logged_in_to(&self, account: AccountId) -> impl Iterator<Item = SessionId> {
        self.logged_in.range((account, SessionId(0))..=(account, SessionId(u64::MAX))).map(|(_, id)| *id)
    }

    /// `id` is logged in to that account from now on, or to none.
    fn set_account(&mut self, id: SessionId, account: Option<AccountId>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(former) = std::mem::replace(&mut session.account, account) {
            self.logged_in.remove(&(former, id));
        }
        self.logged_in.extend(account.map(|account| (account, id)));
        self.note_role(id);
    }

    /// Accounts have changed: who is an operator is looked up anew.
    fn note_roles(&mut self) {
        let members: Vec<SessionId> = self.logged_in.iter().map(|(_, id)| *id).collect();
        members.into_iter().for_each(|id| self.note_role(id));
    }

    fn note_role(&mut self, id: SessionId) {
        if self.role(id) != Role::Operator {
            self.operators.remove(&id);
        } else if self.operators.insert(id)
            && let Some(session) = self.sessions.get(&id)
        {
            self.familiar.note(Origin::of(session.peer.ip()));
        }
    }

    /// Whether what is said goes to disk.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording
    }

    /// The number of the last line that was said.
    #[must_use]
    pub fn last_line(&self) -> u64 {
        self.next_line - 1
    }

    /// What is on its way to disk.
    #[must_use]
    pub fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Most clients at one time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Whether the hub says goodbye.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether `session` may take the name `nick` at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn may_bear(&self, session: SessionId, nick: &Name, now: Now) -> Result<(), Refusal> {
        let shown: Arc<str> = nick.shown().into();
        if self.sessions.get(&session).is_some_and(|own| own.nick.shown() == nick.shown()) {
            return Err(Refusal::AlreadyNamed(shown));
        }
        if name::is_reserved(nick) {
            return Err(Refusal::NameReserved(shown));
        }
        if let Some(taken_for) = name::taken_for(nick) {
            return Err(Refusal::NameTakenFor(shown, taken_for));
        }
        if let Some(owner) = self.accounts.owner(nick)
            && self.sessions.get(&session).is_none_or(|own| own.account != Some(owner.id))
        {
            return Err(Refusal::NameRegistered(owner.name.shown().into()));
        }
        if let Some(ban) = self.bans.of_name(nick, now.wall) {
            return Err(Refusal::NameBanned { name: shown, reason: ban.reason.clone() });
        }
        match self.roster.lookalikes(nick).find(|other| *other != session) {
            Some(other) => Err(Refusal::NameTaken(self.sessions[&other].nick.shown().into())),
            None if self.unread && self.accounts.owner(nick).is_none() => Err(Refusal::NamesUnread),
            None => Ok(()),
        }
    }

    /// Panics if the hub's indexes disagree with each other. Debug builds ask after each input.
    pub fn check_invariants(&self) {
        self.roster.check_invariants();
        assert_eq!(self.roster.len(), self.sessions.len(), "everybody has one name");
        for (id, session) in self.sessions.iter() {
            assert_eq!(id, session.id);
            assert_eq!(self.roster.find(session.nick.folded()), Some(id), "the roster knows {id}");
            let room = self.rooms.get(&session.room).expect("everybody is in a room");
            assert!(room.members.contains(&id), "{id}'s room knows it");
        }
        let members: usize = self.rooms.values().map(|room| room.members.len()).sum();
        assert_eq!(members, self.sessions.len(), "everybody is in one room only");
        let places = self.sessions().map(|session| {
            let is_silent = session.lines == 0 && !self.is_always_let_in(session.peer);
            (session.id, Origin::of(session.peer.ip()), is_silent)
        });
        self.places.check_invariants(places);
        self.beginnings.check_invariants(self.sessions().map(|session| (session.nick.folded(), session.id)));
        let logged_in = self.sessions().filter_map(|session| Some((session.account?, session.id)));
        assert_eq!(logged_in.collect::<BTreeSet<_>>(), self.logged_in, "who is logged in to what is known");
        let operators = self.sessions().map(|session| session.id).filter(|id| self.role(*id) == Role::Operator);
        assert_eq!(operators.collect::<BTreeSet<_>>(), self.operators, "operators are known");
        let mut openers: BTreeMap<Origin, usize> = BTreeMap::new();
        self.rooms().filter_map(|room| room.opened_from).for_each(|from| *openers.entry(from).or_default() += 1);
        assert_eq!(openers, self.openers, "rooms are counted where they were opened from");
        self.room_names.check_invariants();
        self.check_door();
        assert_eq!(self.room_count(), self.room_names.len(), "every room has one name");
        for (id, room) in self.rooms.iter() {
            let found = self.room_names.find(room.name.folded());
            assert_eq!(found == Some(id), Some(id) != self.door.room, "a room is found by its name");
            assert!(id == self.lobby || !room.members.is_empty(), "an empty room is shut");
            assert!(room.history.len() <= self.settings.history.lines, "history is capped");
            assert!(room.history.bytes() <= self.settings.history.bytes, "history is capped");
        }
        self.backlog.check_invariants();
        self.check_ignored();
        self.bans.check_invariants();
        self.accounts.check_invariants();
        self.logins.check_invariants();
        for session in self.sessions() {
            assert!(session.account.is_none_or(|id| self.accounts.get(id).is_some()), "logged in to what there is");
        }
        assert!(self.recording || self.backlog.iter().len() == 0, "nothing waits where nothing is recorded");
        let pending: usize = self.rooms.values().filter(|room| room.presence.flush_at.is_some()).count();
        assert_eq!(pending, self.deadlines.len(), "each gathered line has its deadline");
    }

    // -- coming and going ----------------------------------------------------------------------

    fn connect(&mut self, id: SessionId, peer: SocketAddr, now: Now, effects: &mut Vec<Effect>) {
        let origin = Origin::of(peer.ip());
        if let Some(refusal) = self.may_connect(peer, origin, now, effects) {
            let text = match &refusal {
                Refusal::Banned { .. } => "banned",
                Refusal::NetworkNotAllowed => "network not allowed",
                Refusal::BansUnread => "bans not read yet",
                Refusal::Stopping => "stopping",
                Refusal::Full => "full",
                _ => "too many from this address",
            };
            let text = Some(text.into());
            let (session, peer) = (Some(id), Some(peer));
            effects.push(Effect::Happened(Happening { session, peer, text, ..Happening::new(What::Refused, now) }));
            refuse(id, refusal, effects);
            effects.push(Effect::Close { session: id, why: Farewell::Hangup });
            return;
        }
        let is_silent = !self.is_always_let_in(peer);
        self.places.come(id, origin, is_silent);
        self.counters.connections += 1;
        let nick = self.guest_name(peer, id);
        let shown: Arc<str> = nick.shown().into();
        let lobby = self.lobby;
        let at_door = self.has_door().then(|| now.mono.after(self.settings.accounts.door));
        let first = if at_door.is_some() { self.door_room(now, effects) } else { lobby };
        let session = Session {
            id,
            peer,
            nick,
            room: first,
            since: now.wall,
            spoke: now.mono,
            away: None,
            quiet: false,
            view: View::default(),
            terminal: Terminal::default(),
            colors: None,
            wants: None,
            asked: Mode::Line,
            mode: Mode::Line,
            holds: false,
            ignoring: Vec::new(),
            borne: ignore::Borne::default(),
            private_from: None,
            inbound: None,
            crowded: false,
            account: None,
            dialogue: None,
            asking: login::Asking::default(),
            at_door,
            sees_from: 0,
            mute: None,
            last_said: strike::LastSaid::default(),
            searching: None,
            pace: Pace::default(),
            lines: 0,
            dropped: 0,
        };
        self.sessions.insert(id, CopyOnWrite::new(session));
        self.peak = self.peak.max(self.sessions.len());
        self.beginnings.insert(self.sessions[&id].nick.folded(), id);
        // The same address and port give the same name again.
        self.take_up_name(id);
        if let Some(until) = at_door {
            self.door.waits(id, until);
            self.rooms.get_mut(&first).expect("it was opened").members.insert(id);
            effects.push(Effect::Enter { session: id, room: first });
            self.greet_at_door(id, effects);
            return self.happened(What::Arrived, id, None, None, now, effects);
        }
        let history = &self.settings.history;
        let room = self.rooms.get_mut(&lobby).expect("the lobby is never shut");
        let kept = match history.lines {
            _ if !room.kept => Kept::Nothing,
            _ if self.recording => Kept::OnDisk { time: history.keep, shown: command::at_once(history) },
            0 => Kept::Nothing,
            lines => Kept::Lines(lines),
        };
        room.members.insert(id);
        effects.push(Effect::Enter { session: id, room: lobby });
        let greeting = &self.settings.hub.greeting;
        let welcome = Message::Welcome {
            hub: self.settings.hub.name.as_str().into(),
            greeting: (!greeting.is_empty()).then(|| greeting.as_str().into()),
            nick: shown.clone(),
            room: room.name.shown().into(),
            members: room.members.len(),
            kept,
        };
        tell(id, welcome, effects);
        self.show_room(id, lobby, effects);
        self.happened(What::Arrived, id, None, None, now, effects);
        self.present(lobby, id, &shown, Step::Joined, now, effects);
    }

    /// Why nobody comes in from there now. Where all places are taken, somebody may have to go.
    fn may_connect(
        &mut self,
        peer: SocketAddr,
        origin: Origin,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<Refusal> {
        let has = |networks: &[moderation::Network]| networks.iter().any(|network| network.has(peer.ip()));
        let access = &self.settings.access;
        let always = has(&access.always);
        if !always && !access.networks.is_empty() && !has(&access.networks) {
            self.counters.refused_network += 1;
            return Some(Refusal::NetworkNotAllowed);
        }
        if !always
            && !self.bans.is_empty()
            && let Some(ban) = self.bans.of_address(peer.ip(), now.wall).next()
        {
            self.counters.refused_banned += 1;
            return Some(Refusal::Banned { reason: ban.reason.clone(), until: ban.until });
        }
        if self.unread && !always && access.unread == WhileUnread::Closed {
            self.counters.refused_unread += 1;
            return Some(Refusal::BansUnread);
        }
        let limits = &self.settings.limits;
        let from_here = self.places.of(origin);
        if self.stopping {
            self.counters.refused_stopping += 1;
            return Some(Refusal::Stopping);
        }
        if !always && from_here >= limits.clients_per_address {
            self.counters.refused_address += 1;
            return Some(Refusal::TooManyFromAddress(limits.clients_per_address));
        }
        let reserve = match always {
            true => places::RESERVE,
            false if self.familiar.has(origin) => places::RESERVE_OF_OPERATORS,
            false => 0,
        };
        if self.sessions.len() >= limits.clients {
            if let Some(other) = self.places.who_gives_way(origin) {
                self.counters.gave_way += 1;
                tell(other, Message::Goodbye(Farewell::GaveWay), effects);
                self.depart(other, Farewell::GaveWay, now, effects);
            } else if self.sessions.len() >= limits.clients.saturating_add(reserve) {
                self.counters.refused_full += 1;
                return Some(Refusal::Full);
            }
        }
        None
    }

    /// A name made of the address and port, which tells nothing about them.
    fn guest_name(&mut self, peer: SocketAddr, id: SessionId) -> Name {
        let mut take = |name: Name| self.roster.claim(&name, id).ok().map(|()| name);
        let key = &self.key;
        (4..=8)
            .find_map(|length| take(Name::guest(key, peer.ip(), peer.port(), length)))
            .or_else(|| {
                // The same address and port twice at a time, or five collisions: the number decides.
                let text = format!("{}-{}", name::guest(key, peer.ip(), peer.port(), 8), id.0);
                take(Name::parse(&text, text.len()).ok()?)
            })
            .expect("a name with a number that is never given twice is free")
    }

    /// Shows `id` the topic and the last lines of the room it has just come into.
    fn show_room(&mut self, id: SessionId, room: RoomId, effects: &mut Vec<Effect>) {
        let offset = self.sessions[&id].view.time.unwrap_or_default();
        let count = self.settings.history.replay;
        let room = self.rooms.get_mut(&room).expect("it is in that room");
        let name: Arc<str> = room.name.shown().into();
        if let Some(topic) = room.topic() {
            tell(id, Message::Topic { room: name.clone(), topic: Some(topic) }, effects);
        }
        if count == 0 && !room.history.is_empty() {
            // What is kept is not shown unasked.
            return;
        }
        let from = self.sessions[&id].sees_from;
        let mut lines = room.history.replay(count, self.settings.limits.mailbox / 2);
        if lines.first().is_some_and(|line| line.seq < from) {
            lines = lines.iter().filter(|line| line.seq >= from).cloned().collect();
        }
        self.work += work::SHARED * lines.len() as u64;
        let lines = self.shown_to(&self.sessions[&id], lines);
        tell(id, Message::Replay { room: name, of: Replay::Last, lines, offset }, effects);
    }

    fn depart(&mut self, id: SessionId, why: Farewell, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (room, nick, peer) = (session.room, session.nick.clone(), session.peer);
        let reason: Option<Arc<str>> = match &why {
            Farewell::Hangup | Farewell::Quit(None) | Farewell::Shutdown(_) => None,
            Farewell::Quit(Some(text)) => Some(text.clone()),
            Farewell::Lost => Some("connection lost".into()),
            Farewell::Kicked(None) => Some("kicked".into()),
            Farewell::Kicked(Some(reason)) => Some(format!("kicked: {reason}").into()),
            Farewell::Banned { reason: None, .. } => Some("banned".into()),
            Farewell::Banned { reason: Some(reason), .. } => Some(format!("banned: {reason}").into()),
            Farewell::TooSlow | Farewell::MailboxFull => Some("too slow".into()),
            Farewell::NotLoggedIn => None,
            Farewell::Elsewhere => Some("logged in from elsewhere".into()),
            Farewell::GaveWay => Some("made place for others".into()),
        };
        // What people say stays out of the journal, a last word too.
        let noted = if matches!(why, Farewell::Quit(_)) { None } else { reason.clone() };
        self.happened(What::Departed, id, None, noted, now, effects);
        effects.push(Effect::Close { session: id, why });
        if let Some(session) = self.sessions.remove(&id) {
            self.door.left(id, session.at_door);
            if session.dialogue.is_some() {
                effects.push(Effect::SecretSpent);
            }
            if let Some(account) = session.account {
                self.logged_in.remove(&(account, id));
                self.operators.remove(&id);
                self.seen(account, now, effects);
            }
            self.ignores_no_more(&session);
        }
        self.beginnings.remove(nick.folded(), id);
        self.places.go(id, Origin::of(peer.ip()));
        self.roster.release(&nick);
        self.leave(id, &nick, room, reason, now, effects);
    }

    /// `id` is in `room` no more; an empty room but the lobby is shut.
    fn leave(
        &mut self,
        id: SessionId,
        nick: &Name,
        room: RoomId,
        reason: Option<Arc<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(left) = self.rooms.get_mut(&room) else { return };
        left.members.remove(&id);
        if left.members.is_empty() && room != self.lobby {
            self.shut(room, now, effects);
        } else {
            self.present(room, id, &nick.shown().into(), Step::Left(reason), now, effects);
        }
    }

    /// Tells the room of coming or going, now or gathered with others.
    fn present(
        &mut self,
        id: RoomId,
        who: SessionId,
        nick: &Arc<str>,
        step: Step,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let room = self.rooms.get_mut(&id).expect("the caller has it");
        if room.closing {
            return;
        }
        let before = room.presence.flush_at;
        let members = room.members.len();
        let said = room.presence.note(who, nick, step, members, now, &self.settings);
        if let Some(at) = room.presence.flush_at
            && before.is_none()
        {
            self.deadlines.insert((at, id));
        }
        match said {
            Some(said) => self.post(id, Some(who), said, now, effects),
            None => self.counters.presence_gathered += 1,
        }
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

    fn kick(&mut self, id: SessionId, reason: Option<Arc<str>>, by: By, now: Now, effects: &mut Vec<Effect>) {
        if !self.sessions.contains_key(&id) {
            return;
        }
        self.counters.kicked += 1;
        self.happened(What::Kicked, id, Some(by), reason.clone(), now, effects);
        let why = Farewell::Kicked(reason);
        tell(id, Message::Goodbye(why.clone()), effects);
        self.depart(id, why, now, effects);
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

    fn configure(&mut self, settings: Settings) {
        if settings.filters != self.settings.filters {
            self.filters = Filters::new(&settings.filters);
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
    }

    // -- who is kept out -----------------------------------------------------------------------

    fn ban(
        &mut self,
        target: Target,
        reason: Option<Arc<str>>,
        until: Option<Wall>,
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.expire_bans(now, effects);
        let id = self.bans.next_id();
        let ban = Ban { id, target, reason: reason.clone(), by: self.author(by), since: now.wall, until };
        let hit: Vec<SessionId> = self.hit_by(&ban.target).map(|session| session.id).collect();
        if let Some(former) = self.bans.add(ban.clone()) {
            self.record(Record::Unban(former.id), effects);
        }
        let text = match &reason {
            None => ban.target.to_string(),
            Some(reason) => format!("{}: {reason}", ban.target),
        };
        let (by, text) = (Some(by), Some(text.into()));
        effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Banned, now) }));
        self.record(Record::Ban(Box::new(ban)), effects);
        let why = Farewell::Banned { reason, until };
        self.outgoing.extend(hit.into_iter().map(|session| (session, why.clone())));
        self.see_out(now, effects);
    }

    /// Disconnects those whom a ban has hit, some of them at a time: it may be thousands, and everybody else waits
    /// meanwhile. Nobody hears those who are left.
    fn see_out(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for _ in 0..AT_A_TIME {
            let Some((session, why)) = self.outgoing.pop_front() else { break };
            if self.sessions.contains_key(&session) {
                self.counters.banned += 1;
                tell(session, Message::Goodbye(why.clone()), effects);
                self.depart(session, why, now, effects);
            }
        }
    }

    /// Whose ban it is, as it outlives whoever made it.
    fn author(&self, by: By) -> Author {
        match by {
            By::Admin { uid, .. } => Author::Uid(uid),
            By::Operator { account, .. } => {
                let name = self.accounts.get(account).map(|account| account.name.shown().into());
                name.map_or(Author::Hub, Author::Account)
            }
            By::Hub => Author::Hub,
        }
    }

    fn unban(&mut self, id: BanId, by: By, now: Now, effects: &mut Vec<Effect>) {
        if let Some(ban) = self.bans.remove(id) {
            let (by, text) = (Some(by), Some(ban.target.to_string().into()));
            effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Unbanned, now) }));
            self.record(Record::Unban(id), effects);
        }
        self.expire_bans(now, effects);
    }

    fn expire_bans(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.bans.expire(now.wall) {
            self.record(Record::Unban(id), effects);
        }
    }

    // -- what outlives the hub -----------------------------------------------------------------

    fn archive(&mut self, recalled: Option<Recalled>, now: Now, effects: &mut Vec<Effect>) {
        // After a crash that this state has survived: nobody else will answer these.
        effects.extend(self.logins.jobs().cloned().map(Effect::Hash));
        self.number_ignored(effects);
        let was_recording = std::mem::replace(&mut self.recording, recalled.is_some());
        let Some(mut recalled) = recalled else {
            self.unread = false;
            self.backlog.clear();
            self.dormant.clear();
            // Nobody else will answer.
            for id in self.searchers() {
                self.found_in_memory(id, effects);
            }
            return;
        };
        self.recall_rooms(&mut recalled);
        if !was_recording {
            for ban in recalled.bans {
                self.bans.add(ban);
            }
            for account in recalled.accounts {
                // One that looks like an older one was put there by another hand.
                let _ = self.accounts.put(account);
            }
            self.note_roles();
            if recalled.unread {
                // Numbers that are on disk are not given a second time.
                self.bans.number_from(recalled.last_line + 1);
                self.begin_unread(now, effects);
            }
        } else if self.unread {
            // The process before could not read it.
            self.recall(recalled, now, effects);
        }
        // After a crash that this state has survived: what may not have been written, or answered.
        let again = self.backlog.iter().map(|(number, record)| Effect::Record { number, record: record.clone() });
        effects.extend(again);
        for id in self.searchers() {
            if let Some(search) = &self.sessions[&id].searching {
                effects.push(Effect::Search(search.clone()));
            }
        }
    }

    fn recall_rooms(&mut self, recalled: &mut Recalled) {
        self.next_line = self.next_line.max(recalled.last_line + 1);
        self.next_room = self.next_room.max(recalled.last_room + 1);
        for RecalledRoom { room: id, name, lines } in std::mem::take(&mut recalled.rooms) {
            let Ok(name) = Name::parse(&name, usize::from(u8::MAX)) else { continue };
            // The disk may not know yet that a room was closed.
            let closed = |(_, record): (u64, &Record)| matches!(record, Record::Closed { room, .. } if *room == id);
            if !self.settings.history.keeps(&name) || self.backlog.iter().any(closed) {
                continue;
            }
            let limits = &self.settings.history;
            if let Some(room) = self.rooms.get_mut(&id) {
                if room.name == name {
                    room.history.prepend(lines.into_iter(), limits);
                }
            } else if self.room_names.find(name.folded()).is_none() {
                let mut history = History::default();
                history.prepend(lines.into_iter(), limits);
                // The one spoken in last comes first.
                self.dormant.entry(name).or_insert((id, history));
            }
        }
    }

    fn searchers(&self) -> Vec<SessionId> {
        self.sessions.values().filter(|session| session.searching.is_some()).map(|session| session.id).collect()
    }

    fn record(&mut self, record: Record, effects: &mut Vec<Effect>) {
        if self.recording {
            let number = self.backlog.push(record.clone());
            effects.push(Effect::Record { number, record });
        }
    }

    fn record_line(&mut self, record: Record, now: Now, effects: &mut Vec<Effect>) {
        match self.backlog.push_line(record.clone(), self.settings.history.queue) {
            Taken::As(number) => {
                if let Some(lost) = self.backlog.series_ended() {
                    let text = Some(format!("{lost} lines were not recorded").into());
                    effects.push(Effect::Happened(Happening { text, ..Happening::new(What::HistoryResumed, now) }));
                }
                effects.push(Effect::Record { number, record });
            }
            Taken::FirstLost => {
                self.counters.history_lost += 1;
                effects.push(Effect::Happened(Happening::new(What::HistoryLost, now)));
            }
            Taken::Lost => self.counters.history_lost += 1,
        }
    }

    /// Makes lines unreadable, in memory now and on disk soon.
    fn redact(&mut self, what: &Arc<Selector>, by: By, now: Now, effects: &mut Vec<Effect>) {
        // Only what was said before: carried out later, or a second time, it means the same lines.
        let said = self.next_line - 1;
        let what = Selector { to: Some(what.to.map_or(said, |to| to.min(said))), ..(**what).clone() };
        for room in self.rooms.values_mut() {
            let room: &mut Room = room;
            room.history.redact(&what, room.name.folded());
        }
        for (name, (_, history)) in &mut *self.dormant {
            history.redact(&what, name.folded());
        }
        effects.push(Effect::Happened(Happening { by: Some(by), ..Happening::new(What::Redacted, now) }));
        self.record(Record::Redact(Arc::new(what)), effects);
    }

    /// Looks for what `id` wants to see: on disk if something is recorded, else in memory.
    fn search(&mut self, id: SessionId, shown: Arc<str>, query: Arc<str>, limit: usize, effects: &mut Vec<Effect>) {
        let session = self.sessions.get_mut(&id).expect("the caller has it");
        if session.searching.is_some() {
            return refuse(id, Refusal::StillSearching, effects);
        }
        let room = &self.rooms[&session.room];
        let number = self.next_search;
        self.next_search += 1;
        let (from, name) = (session.sees_from, room.name.clone());
        let origin = Some(Origin::of(session.peer.ip()));
        let search = Search { session: id, number, room: room.id, name, shown, query, limit, from, origin };
        session.searching = Some(Box::new(search.clone()));
        if self.recording && room.kept {
            effects.push(Effect::Search(Box::new(search)));
        } else {
            self.found_in_memory(id, effects);
        }
    }

    fn found_in_memory(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(number) = self.sessions[&id].searching.as_ref().map(|search| search.number) else { return };
        self.found(id, number, Found { lines: Vec::new(), through: 0, reach: Reach::All }, effects);
    }

    fn found(&mut self, id: SessionId, number: u64, found: Found, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(search) = session.searching.take_if(|search| search.number == number) else { return };
        let session = &self.sessions[&id];
        let mut blinkers = self.blinkers(session);
        let mut lines: Vec<_> = found.lines.into_iter().map(Arc::new).collect();
        let mut looked_at = lines.len();
        if let Some(room) = self.rooms.get(&search.room) {
            let matches = |line: &&Arc<Line>| name::fold(line.said.text()).contains(&*search.query);
            // What was said in private is in memory alone.
            let from = if room.ownership.was_private() { 0 } else { found.through + 1 };
            let known: BTreeSet<u64> = lines.iter().map(|line| line.seq).collect();
            let more = room.history.iter().filter(|line| line.seq >= from && !known.contains(&line.seq));
            let more = more.inspect(|_| looked_at += 1);
            lines.extend(more.filter(matches).cloned());
            lines.sort_unstable_by_key(|line| line.seq);
        }
        let shown = lines.iter().filter(|line| line.seq >= search.from && !blinkers.hide(line));
        let lines = room::newest(shown, search.limit, self.settings.limits.mailbox / 2);
        self.work += looked_at as u64 + work::REPLAYED * lines.len() as u64;
        let offset = session.view.time.unwrap_or_default();
        let of = Replay::Search { query: search.shown, reach: found.reach };
        tell(id, Message::Replay { room: search.name.shown().into(), of, lines, offset }, effects);
    }

    // -- rooms ---------------------------------------------------------------------------------

    fn open(&mut self, name: Name, now: Now, effects: &mut Vec<Effect>) -> RoomId {
        // A room that was open when the hub ended is still that room.
        let (id, history) = match self.dormant.remove(name.folded()) {
            Some((id, history)) => (id, Some(history)),
            None => (RoomId(self.next_room), None),
        };
        self.next_room = self.next_room.max(id.0 + 1);
        self.room_names.claim(&name, id).expect("the caller has asked");
        let mut room = Room::new(id, name, now.wall);
        room.kept = self.settings.history.keeps(&room.name);
        if let Some(history) = history {
            room.history = CopyOnWrite::new(history);
            room.recorded = true;
        }
        self.rooms.insert(id, CopyOnWrite::new(room));
        effects.push(Effect::Open(id));
        id
    }

    fn shut(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let Some(room) = self.rooms.remove(&id) else { return };
        if self.door.room == Some(id) {
            self.door.clear();
            return effects.push(Effect::Shut(id));
        }
        self.room_names.release(&room.name);
        if let Some(from) = room.opened_from
            && let Some(count) = self.openers.get_mut(&from)
        {
            *count -= 1;
            if *count == 0 {
                self.openers.remove(&from);
            }
        }
        if let Some(at) = room.presence.flush_at {
            self.deadlines.remove(&(at, id));
        }
        effects.push(Effect::Shut(id));
        // Of rooms of which nothing was recorded the disk need not know that they are closed: they would be a way to
        // have it written without end, without saying anything.
        if room.kept && room.recorded {
            self.record(Record::Closed { room: id, name: room.name.clone() }, effects);
        }
        let room = Some(room.name.shown().into());
        effects.push(Effect::Happened(Happening { room, ..Happening::new(What::RoomClosed, now) }));
    }

    /// Moves `id` into a room that exists, and shows it that room.
    fn enter(&mut self, id: SessionId, to: RoomId, now: Now, effects: &mut Vec<Effect>) {
        if Some(self.sessions[&id].room) != self.door.room {
            self.happened(What::Left, id, None, None, now, effects);
        }
        let session = self.sessions.get_mut(&id).expect("the caller has it");
        let from = std::mem::replace(&mut session.room, to);
        let nick = session.nick.clone();
        let room = self.rooms.get_mut(&to).expect("the caller has it");
        room.members.insert(id);
        let private = room.ownership.private;
        session.sees_from = if private { self.next_line } else { room.ownership.visible_from };
        let entered = Message::Entered { room: room.name.shown().into(), members: room.members.len() };
        effects.push(Effect::Enter { session: id, room: to });
        tell(id, entered, effects);
        if private {
            tell(id, Message::Done(Done::Private), effects);
        }
        self.prompt(id, effects);
        self.show_room(id, to, effects);
        self.leave(id, &nick, from, None, now, effects);
        self.happened(What::Joined, id, None, None, now, effects);
        self.present(to, id, &nick.shown().into(), Step::Joined, now, effects);
    }

    fn close_room(&mut self, id: RoomId, reason: Option<Arc<str>>, by: By, now: Now, effects: &mut Vec<Effect>) {
        if id == self.lobby {
            return;
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.closing = true;
        let name: Arc<str> = room.name.shown().into();
        let members: Vec<_> = room.members.iter().copied().collect();
        for member in &members {
            let done = Done::RoomClosed { room: name.clone(), reason: reason.clone() };
            tell(*member, Message::Done(done), effects);
        }
        for member in members {
            self.enter(member, self.lobby, now, effects);
        }
        // The last one to go has shut it; who asked for it is worth a line of its own.
        let room = Some(name);
        let by = Some(by);
        effects.push(Effect::Happened(Happening { room, text: reason, by, ..Happening::new(What::RoomClosed, now) }));
    }

    fn set_topic(
        &mut self,
        id: RoomId,
        author: Option<SessionId>,
        text: Arc<str>,
        by: Option<By>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let nick: Option<Arc<str>> = author.map(|id| self.sessions[&id].nick.shown().into());
        let room = self.rooms.get_mut(&id).expect("the caller has it");
        room.topic = text.clone();
        if let Some(author) = author {
            room.presence.hear(author);
        }
        effects.push(Effect::Happened(Happening {
            session: author,
            nick: nick.clone(),
            room: Some(room.name.shown().into()),
            text: Some(text.clone()),
            by,
            ..Happening::new(What::Topic, now)
        }));
        // Its author is shown it too: that is the confirmation.
        self.post(id, None, Said::Topic { nick, text }, now, effects);
    }

    fn announce(&mut self, room: Option<RoomId>, text: &Arc<str>, by: By, now: Now, effects: &mut Vec<Effect>) {
        let name = room.and_then(|room| self.rooms.get(&room)).map(|room| room.name.shown().into());
        let by = Some(by);
        effects.push(Effect::Happened(Happening { room: name, by, ..Happening::new(What::Announced, now) }));
        let rooms: Vec<RoomId> = room.map_or_else(|| self.rooms().map(|room| room.id).collect(), |room| vec![room]);
        for room in rooms {
            if self.rooms.contains_key(&room) {
                self.post(room, None, Said::Notice { text: text.clone() }, now, effects);
            }
        }
    }

    fn post(&mut self, id: RoomId, author: Option<SessionId>, said: Said, now: Now, effects: &mut Vec<Effect>) {
        debug_assert!(Some(id) != self.door.room, "nothing is said at the door");
        let room = self.rooms.get_mut(&id).expect("the caller has it");
        let kept = said.is_kept();
        let speaker = author.filter(|_| said.is_speech()).and_then(|author| self.sessions.get(&author));
        let borne = speaker.map(|speaker| speaker.borne.clone()).unwrap_or_default();
        let line = Arc::new(Line { seq: self.next_line, at: now.wall, author, said, borne });
        self.next_line += 1;
        let mut record = None;
        if kept {
            if let Some(author) = author {
                room.presence.hear(author);
            }
            self.counters.lines_said += 1;
            room.lines += 1;
            if room.kept {
                room.history.push(line.clone(), &self.settings.history);
                room.recorded |= self.recording && !room.ownership.private;
                record = (self.recording && !room.ownership.private).then(|| Record::Line {
                    room: id,
                    name: room.name.clone(),
                    line: line.clone(),
                });
            }
        }
        effects.push(Effect::Post { room: id, line });
        if let Some(record) = record {
            self.record_line(record, now, effects);
        }
    }

    // -- people --------------------------------------------------------------------------------

    fn line(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) {
        debug_assert!(text::is_clean(text), "lines are cleaned at the edge");
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.lines == 0 {
            self.places.speak(id, Origin::of(session.peer.ip()));
        }
        session.lines += 1;
        session.spoke = now.mono;
        self.counters.lines_received += 1;
        if text::is_blank(text) {
            return self.answers_nothing(id);
        }
        // A space before a command is a slip, and " /msg bob ..." nothing for everybody to hear.
        let command = text.trim_start().strip_prefix('/').filter(|rest| !rest.starts_with('/'));
        if !self.may_at_door(id, command, effects) {
            return;
        }
        match text.trim_start().strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                self.counters.commands += 1;
                self.answers_nothing(id);
                command::run(self, id, rest, now, effects);
            }
            _ if self.keeps_to_itself(id, text, now, effects) => {}
            Some(escaped) => self.say(id, escaped, now, effects),
            None => self.say(id, text, now, effects),
        }
    }

    // -- terminals -----------------------------------------------------------------------------

    /// Has `id` see lines, and type them, as suits its terminal and its wishes.
    fn suit(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        let unasked = self.settings.telnet.editor == EditorUse::Auto;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let view = session.suitable_view();
        if view != session.view {
            session.view = view;
            effects.push(Effect::View { session: id, view });
        }
        let suits = if unasked { session.terminal.suits() } else { Mode::Line };
        let mode = session.wants.unwrap_or(suits);
        if mode != session.asked {
            session.asked = mode;
            effects.push(Effect::Mode { session: id, mode });
            // No program can refuse that, so its answer is not waited for.
            if mode == Mode::Line && session.mode != mode {
                session.mode = mode;
                tell(id, Message::Done(Done::Mode(mode)), effects);
            }
        }
    }

    /// What `id` types is edited by another one now, or, in spite of being asked, by the same.
    fn edited_by(&mut self, id: SessionId, mode: Mode, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if mode != session.asked {
            // Its program has the last word, and is not asked again unless its person does.
            session.asked = mode;
            session.wants = Some(mode);
        }
        if mode != session.mode {
            session.mode = mode;
            tell(id, Message::Done(Done::Mode(mode)), effects);
            self.prompt(id, effects);
        } else if mode == Mode::Line {
            refuse(id, Refusal::NoCharMode, effects);
        }
    }

    fn prompt(&self, id: SessionId, effects: &mut Vec<Effect>) {
        let session = &self.sessions[&id];
        if session.mode == Mode::Char {
            let prompt = format!("{}> ", self.rooms[&session.room].name.shown()).into();
            effects.push(Effect::Prompt { session: id, prompt });
        }
    }

    /// From now on what `id` types is not to be seen on its screen, as for a password, or again it is.
    /// Where that cannot be had, its person is warned.
    pub fn hide_typing(&mut self, id: SessionId, hidden: bool, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get(&id) else { return };
        if hidden && !session.terminal.answers {
            tell(id, Message::Done(Done::TypingShows), effects);
        }
        effects.push(Effect::Echo { session: id, on: !hidden });
    }

    /// What waits for `id` to send a line waits no more: it has.
    fn release(&self, id: SessionId, effects: &mut Vec<Effect>) {
        if self.sessions.get(&id).is_some_and(|session| session.holds) {
            effects.push(Effect::Release { session: id });
        }
    }

    // ------------------------------------------------------------------------------------------

    /// Who hears `id` now; it is told if nobody does, unless it is not to know.
    fn hearing(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) -> Hearing {
        let Some(mute) = self.sessions[&id].muted(now) else { return Hearing::All };
        self.counters.lines_muted += 1;
        if mute.shadow {
            return Hearing::Nobody;
        }
        refuse(id, Refusal::Muted(mute.until.map(|(_, wall)| wall)), effects);
        Hearing::Refused
    }

    /// Whether `id` may show `text` to others in another way than by saying it: as a name, a topic. It is
    /// told if not. Who is not to know of a mute is told something that can happen to anybody.
    fn may_show(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) -> bool {
        match self.hearing(id, now, effects) {
            Hearing::All => self.suits_the_house(id, text, now, effects),
            Hearing::Nobody => {
                refuse(id, Refusal::NotNow, effects);
                false
            }
            Hearing::Refused => false,
        }
    }

    /// Whether the filters let `text` pass; `id` is told if not.
    fn suits_the_house(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) -> bool {
        let Some(action) = self.filters.judge(text) else { return true };
        self.counters.lines_filtered += 1;
        refuse(id, Refusal::HouseRules, effects);
        if action == Action::Strike {
            self.strike(id, Offence::Words, now, effects);
        }
        false
    }

    fn say(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) {
        let nick = self.sessions[&id].nick.shown().into();
        self.speak(id, Said::Say { nick, text: text.into() }, now, effects);
    }

    /// `id` says something to its room.
    fn speak(&mut self, id: SessionId, said: Said, now: Now, effects: &mut Vec<Effect>) {
        match self.hearing(id, now, effects) {
            Hearing::All => {
                if let Some(refusal) = self.silenced(id) {
                    refuse(id, refusal, effects);
                } else if self.suits_the_house(id, said.text(), now, effects)
                    && !self.is_repetition(id, said.text(), now, effects)
                {
                    self.post(self.sessions[&id].room, Some(id), said, now, effects);
                }
            }
            Hearing::Nobody | Hearing::Refused => {}
        }
    }

    fn mute(&mut self, id: SessionId, mute: Option<Mute>, by: By, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let former = std::mem::replace(&mut session.mute, mute.map(Box::new));
        let (what, done) = match mute {
            Some(mute) => (What::Muted, Done::Muted(mute.until.map(|(_, wall)| wall))),
            None => (What::Unmuted, Done::Unmuted),
        };
        // Who is not to know of the mute is not told of its end either.
        let hidden = mute.or(former.as_deref().copied()).is_some_and(|mute| mute.shadow);
        if !hidden {
            tell(id, Message::Done(done), effects);
        }
        let text = hidden.then(|| "without being told".into());
        self.happened(what, id, Some(by), text, now, effects);
    }

    /// Gives `id` a name that [`Self::may_bear`] has allowed, and tells its room.
    fn rename(&mut self, id: SessionId, nick: Name, by: Option<By>, now: Now, effects: &mut Vec<Effect>) {
        self.lay_down_name(id);
        let session = self.sessions.get_mut(&id).expect("the caller has it");
        let old = std::mem::replace(&mut session.nick, nick.clone());
        let room = session.room;
        self.roster.release(&old);
        self.roster.claim(&nick, id).expect("the caller has asked");
        self.beginnings.remove(old.folded(), id);
        self.beginnings.insert(nick.folded(), id);
        self.take_up_name(id);
        self.happened(What::Renamed, id, by, Some(old.shown().into()), now, effects);
        if self.is_at_door(id) {
            // Nobody sees it.
            return;
        }
        let (from, to) = (old.shown().into(), nick.shown().into());
        // Newcomers often begin with this: in a burst of them, they are told of once.
        if !self.rooms.get_mut(&room).is_some_and(|room| room.presence.rename(id, &to)) {
            self.post(room, Some(id), Said::Renamed { from, to }, now, effects);
        }
    }

    /// Something happened to `id`, where it is now.
    fn happened(
        &self,
        what: What,
        id: SessionId,
        by: Option<By>,
        text: Option<Arc<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let session = &self.sessions[&id];
        effects.push(Effect::Happened(Happening {
            session: Some(id),
            nick: Some(session.nick.shown().into()),
            peer: Some(session.peer),
            room: self.rooms.get(&session.room).map(|room| room.name.shown().into()),
            text,
            by,
            ..Happening::new(what, now)
        }));
    }
}

fn tell(to: SessionId, message: Message, effects: &mut Vec<Effect>) {
    effects.push(Effect::Tell { to, message });
}

fn refuse(to: SessionId, refusal: Refusal, effects: &mut Vec<Effect>) {
    tell(to, Message::Refused(refusal), effects);
}
