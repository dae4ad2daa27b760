//! Commands of the admin socket that are about the hub, carried out on it.
//!
//! Pure: what the network alone knows of a client comes in as [`Facts`]. Commands about the process
//! (`status`, `log.level`, `reload`, `shutdown`, the stream of events) are the driver's.

mod accounts;

use crate::values::id::RoomId;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    AccountList, Ban, BanArgs, BanList, BanTest, Banned, Client, ClientList, Closed, Command, ControlError, ErrorCode,
    Event, EventKind, HistoryArgs, HistoryStats, Kicked, Line, LineKind, Muted, RedactArgs, Redacted, Renamed, Room,
    RoomHistory, RoomList, Said, SearchArgs, Text, Time, Topic, Unbanned,
};
use crate::hub::archive::{Record, Selector};
use crate::hub::message::{self, Refusal};
use crate::hub::moderation::{self, NoTarget, Target};
use crate::hub::session::{Mute, Session};
use crate::hub::{By, Effect, Happening, Hub, Input, What};
use crate::values::id::AccountId;
use crate::values::id::BanId;
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Network;
use crate::values::text;
use crate::values::time::{Now, Wall};

/// What the network knows of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether it has shown to speak telnet.
    pub telnet: bool,
    /// Bytes owed to it and not taken.
    pub behind: u64,
    /// Lines it was too slow for.
    pub missed: u64,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One result.
    One(serde_json::Value),
    /// Lines of history, to be sent one by one or together.
    Lines(Vec<InRoom>),
    /// Lines of history that are on disk, and those that are not there yet.
    Stored(Stored),
    /// How many lines of [`Stored`] there are, as [`Redacted`].
    Count(Stored),
    /// How much history is kept in memory; what is on disk is to be added.
    Stats(HistoryStats),
    /// Lines are made unreadable by the record of this number; how many, the store will tell.
    Redacting(u64),
    /// A copy of what is recorded is wanted.
    Backup,
}

/// A line of history and the name of its room: a copy that costs next to nothing. [`history_line`] makes of it
/// what is told, which costs more and needs no hub.
pub type InRoom = (Name, Arc<message::Line>);

/// Lines on disk, and those behind them that are not there yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// Those on disk.
    pub what: Selector,
    /// Only the last so many of them.
    pub last: Option<u64>,
    /// Those that are to follow.
    pub tail: Vec<InRoom>,
    /// The room's name as it was given, if no such room is open: then it must be one on disk.
    pub room: Option<String>,
}

/// Things that are told of in one step of a [`Listing`]: a fraction of a millisecond.
const SLICE: usize = 200;

/// A list that can be long, made in steps: whoever owns the hub does something else in between. Who comes or
/// goes meanwhile may be in it or not; nobody is in it twice.
#[derive(Clone, Debug)]
pub struct Listing {
    list: List,
    /// The lowest number that is still to be looked at.
    from: u64,
}

/// What is listed, so far.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(untagged)]
enum List {
    Clients {
        #[serde(skip)]
        room: Option<String>,
        #[serde(flatten)]
        list: ClientList,
    },
    Rooms(RoomList),
    Bans(BanList),
    Accounts(AccountList),
}

impl Listing {
    /// The list that `command` asks for, if it asks for one.
    #[must_use]
    pub fn of(command: &Command) -> Option<Self> {
        let list = match command {
            Command::ClientsList(args) => List::Clients {
                room: args.room.as_deref().map(str::to_owned),
                list: ClientList { clients: Vec::new(), total: 0 },
            },
            Command::RoomsList(_) => List::Rooms(RoomList { rooms: Vec::new(), total: 0 }),
            Command::BansList(_) => {
                List::Bans(BanList { bans: Vec::new(), total: 0, persistent: false, unread: false })
            }
            Command::AccountsList(_) => List::Accounts(AccountList { accounts: Vec::new(), total: 0, unread: false }),
            _ => return None,
        };
        Some(Self { list, from: 0 })
    }

    /// Takes one step. Whether there is another.
    ///
    /// # Errors
    /// If there is no such room.
    pub fn go_on(&mut self, hub: &Hub, now: Now, facts: &dyn Fn(SessionId) -> Facts) -> Result<bool, ControlError> {
        let mut looked = 0;
        let mut last = None;
        let (from, mut seen) = (self.from, |number: u64| {
            looked += 1;
            last = Some(number);
        });
        match &mut self.list {
            List::Clients { room, list } => {
                let room = room.as_deref().map(|room| find_room(hub, room)).transpose()?;
                for session in hub.sessions_from(SessionId(from)).take(SLICE) {
                    seen(session.id.0);
                    if room.is_none_or(|room| session.room == room) {
                        list.clients.push(client(hub, session, now, facts));
                    }
                }
                list.total = list.clients.len() as u64;
            }
            List::Rooms(list) => {
                for one in hub.rooms_from(RoomId(from)).take(SLICE) {
                    seen(one.id.0);
                    list.rooms.push(room(hub, one));
                }
                list.total = list.rooms.len() as u64;
            }
            List::Bans(list) => {
                for one in hub.bans().iter_from(BanId(from)).take(SLICE) {
                    seen(one.id.0);
                    if one.holds(now.wall) {
                        list.bans.push(ban(one));
                    }
                }
                list.total = list.bans.len() as u64;
                (list.persistent, list.unread) = (hub.is_recording(), hub.is_unread());
            }
            List::Accounts(list) => {
                for one in hub.accounts().iter_from(AccountId(from)).take(SLICE) {
                    seen(one.id.0);
                    list.accounts.push(accounts::shown(hub, one));
                }
                list.total = list.accounts.len() as u64;
                list.unread = hub.is_unread();
            }
        }
        self.from = last.map_or(from, |last| last + 1);
        Ok(looked == SLICE)
    }

    /// The whole list as JSON. It takes its time, and needs no hub.
    ///
    /// # Panics
    /// Never: it is plain JSON.
    #[must_use]
    pub fn result(mut self) -> serde_json::Value {
        if let List::Rooms(list) = &mut self.list {
            list.rooms.sort_by(|one, other| other.members.cmp(&one.members).then_with(|| one.name.cmp(&other.name)));
        }
        serde_json::to_value(self.list).expect("results are plain JSON")
    }
}

fn list(hub: &Hub, command: &Command, now: Now, facts: &dyn Fn(SessionId) -> Facts) -> Result<Answer, ControlError> {
    let mut listing = Listing::of(command).expect("the caller has looked");
    while listing.go_on(hub, now, facts)? {}
    Ok(Answer::One(listing.result()))
}

pub(super) fn one<T: serde::Serialize>(result: &T) -> Result<Answer, ControlError> {
    Ok(Answer::One(serde_json::to_value(result).expect("results are plain JSON")))
}

/// Carries out `command` for `by`; `None` if it is not about the hub.
pub fn answer(
    hub: &mut Hub,
    command: &Command,
    by: By,
    now: Now,
    facts: &dyn Fn(SessionId) -> Facts,
    effects: &mut Vec<Effect>,
) -> Option<Result<Answer, ControlError>> {
    Some(match command {
        Command::ClientsList(_) | Command::RoomsList(_) | Command::BansList(_) | Command::AccountsList(_) => {
            list(hub, command, now, facts)
        }
        Command::ClientsGet(args) => {
            who(hub, &args.who).and_then(|id| one(&client(hub, &hub_session(hub, id), now, facts)))
        }
        Command::ClientsKick(args) => everybody(hub, &args.who).and_then(|who| {
            let reason = line_of(args.reason.as_ref())?;
            let networks: BTreeSet<Network> = match args.ban_s {
                None => BTreeSet::new(),
                Some(_) => who.iter().map(|id| Network::around(hub_session(hub, *id).peer.ip())).collect(),
            };
            for session in &who {
                hub.handle(Input::Kick { session: *session, reason: reason.clone(), by }, now, effects);
            }
            let until = args.ban_s.map(|seconds| later(now, seconds.0));
            let mut kicked: Vec<String> = who.iter().map(SessionId::to_string).collect();
            let mut banned = Vec::new();
            for target in networks.into_iter().map(Target::Network) {
                kicked.extend(hub.hit_by(&target).map(|session| session.id.to_string()));
                let add = Input::Ban { target: target.clone(), reason: reason.clone(), until, by };
                hub.handle(add, now, effects);
                banned.extend(hub.bans().about(&target).and_then(|id| hub.bans().get(id)).map(ban));
            }
            one(&Kicked { kicked, banned })
        }),
        Command::BansAdd(args) => add_ban(hub, args, by, now, effects),
        Command::BansRemove(args) => {
            let by_id = args.which.strip_prefix('b').and_then(|number| number.parse().ok()).map(BanId);
            let found = by_id.filter(|id| hub.bans().get(*id).is_some()).or_else(|| {
                // A ban of a name that none can be any more is lifted by that name all the same.
                let name = || Name::parse(&args.which, usize::from(u8::MAX)).ok().map(Target::Name);
                hub.bans().about(&target(&args.which).ok().or_else(name)?)
            });
            match found.and_then(|id| hub.bans().get(id)).cloned() {
                Some(found) => {
                    hub.handle(Input::Unban { id: found.id, by }, now, effects);
                    one(&Unbanned { removed: ban(&found) })
                }
                None => Err(ControlError::new(ErrorCode::NotFound, format!("no ban {:?}", &*args.which))),
            }
        }
        Command::BansTest(args) => target(&args.target).and_then(|target| {
            let bans: Vec<_> = match &target {
                Target::Network(network) => hub
                    .bans()
                    .iter()
                    .filter(|ban| matches!(&ban.target, Target::Network(other) if other.covers(network)))
                    .filter(|ban| ban.holds(now.wall))
                    .map(ban)
                    .collect(),
                Target::Name(name) => hub.bans().of_name(name, now.wall).map(ban).into_iter().collect(),
            };
            one(&BanTest { bans, clients: hub.hit_by(&target).map(|session| session.id.to_string()).collect() })
        }),
        Command::ClientsMute(args) => everybody(hub, &args.who).and_then(|who| {
            let mute = match args.for_s {
                None => Some(Mute { until: None, shadow: args.shadow }),
                Some(seconds) if seconds.0 == 0 => None,
                Some(seconds) => {
                    let millis = i64::try_from(seconds.0 * 1000).unwrap_or(i64::MAX);
                    let wall = Wall(now.wall.0.saturating_add(millis));
                    Some(Mute { until: Some((now.mono.after(seconds.seconds()), wall)), shadow: args.shadow })
                }
            };
            for session in &who {
                hub.handle(Input::Mute { session: *session, mute, by }, now, effects);
            }
            let until = mute.and_then(|mute| mute.until).map(|(_, wall)| Time(wall));
            one(&Muted { muted: who.iter().map(SessionId::to_string).collect(), until })
        }),
        Command::ClientsRename(args) => who(hub, &args.who).and_then(|session| {
            let bad = |message: String| ControlError::new(ErrorCode::BadArgument, message);
            let nick = Name::parse(&args.nick, hub.settings().limits.name)
                .map_err(|invalid| bad(format!("the name {:?} {invalid}", &*args.nick)))?;
            hub.may_bear(session, &nick, now).map_err(|refusal| {
                let message = match refusal {
                    Refusal::NameTakenFor(_, what) => format!("the name {:?} could be taken for {what}", &*args.nick),
                    message::Refusal::NamesUnread => "names on disk cannot be read just now: see \"status\"".to_owned(),
                    _ => format!("the name {:?} is taken, reserved, or looks like one that is", &*args.nick),
                };
                ControlError::new(ErrorCode::Conflict, message)
            })?;
            let from = hub_session(hub, session).nick.shown().to_owned();
            let shown = nick.shown().to_owned();
            hub.handle(Input::Rename { session, nick, by }, now, effects);
            one(&Renamed { id: session.to_string(), from, nick: shown })
        }),
        Command::RoomsTopic(args) => find_room(hub, &args.room).and_then(|id| {
            if let Some(text) = &args.text {
                let text = clean_line(text)?;
                let limit = hub.settings().limits.topic;
                if text.len() > limit {
                    let message = format!("a topic has at most {limit} bytes");
                    return Err(ControlError::new(ErrorCode::BadArgument, message));
                }
                hub.handle(Input::Topic { room: id, text, by }, now, effects);
            }
            let room = hub.room(id).expect("it was found");
            one(&Topic { room: room.name.shown().into(), topic: room.topic.as_ref().into() })
        }),
        Command::RoomsClose(args) => find_room(hub, &args.room).and_then(|id| {
            if id == hub.lobby() {
                return Err(ControlError::new(ErrorCode::Conflict, "the lobby cannot be closed"));
            }
            let reason = line_of(args.reason.as_ref())?;
            let room = hub.room(id).expect("it was found");
            let closed = Closed { room: room.name.shown().into(), moved: room.members.len() as u64 };
            hub.handle(Input::CloseRoom { room: id, reason, by }, now, effects);
            one(&closed)
        }),
        Command::HistoryDump(args) => history(hub, args, None),
        Command::AccountsAdd(args) => accounts::add(hub, args, by, now, effects),
        Command::AccountsPasswd(args) => accounts::passwd(hub, args, by, now, effects),
        Command::AccountsUnlock(args) => accounts::unlock(hub, args),
        Command::AccountsRole(args) => accounts::role(hub, args, by, now, effects),
        Command::AccountsRemove(args) => accounts::remove(hub, args, by, now, effects),
        Command::AccountsErase(args) => accounts::erase(hub, args, by, now, effects),
        Command::HistoryRedact(args) => redact(hub, args, by, now, effects),
        Command::Backup(_) if hub.is_recording() => Ok(Answer::Backup),
        Command::Backup(_) => Err(ControlError::new(ErrorCode::Conflict, "nothing is recorded (history.persist)")),
        Command::HistorySearch(SearchArgs { query, room, last, since, until }) => {
            let args = HistoryArgs { room: room.clone(), last: *last, since: *since, until: *until };
            history(hub, &args, Some(query))
        }
        Command::HistoryStats(_) => {
            let rooms: Vec<_> = hub
                .rooms()
                .map(|room| RoomHistory {
                    room: room.name.shown().into(),
                    lines: room.history.len() as u64,
                    oldest: room.history.iter().next().map(|line| Time(line.at)),
                })
                .collect();
            let stats = HistoryStats {
                lines: rooms.iter().map(|room| room.lines).sum(),
                bytes: hub.rooms().map(|room| room.history.bytes() as u64).sum(),
                lines_per_room: hub.settings().history.lines as u64,
                persistent: hub.is_recording(),
                rooms,
                disk: None,
            };
            if hub.is_recording() { Ok(Answer::Stats(stats)) } else { one(&stats) }
        }
        Command::Say(args) => clean_line(&args.text).and_then(|text| {
            let room = args.room.as_deref().map(|room| find_room(hub, room)).transpose()?;
            let (rooms, clients) = match room.and_then(|room| hub.room(room)) {
                Some(room) => (1, room.members.len()),
                None => (hub.room_count(), hub.sessions().filter(|session| session.at_door.is_none()).count()),
            };
            hub.handle(Input::Announce { room, text, by }, now, effects);
            one(&Said { rooms: rooms as u64, clients: clients as u64 })
        }),
        Command::Hello(_)
        | Command::Describe(_)
        | Command::Status(_)
        | Command::Metrics(_)
        | Command::LogLevel(_)
        | Command::Reload(_)
        | Command::Shutdown(_)
        | Command::EventsSubscribe(_) => return None,
    })
}

fn hub_session(hub: &Hub, id: SessionId) -> Session {
    hub.session(id).expect("it was found").clone()
}

fn later(now: Now, seconds: u64) -> Wall {
    let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    Wall(now.wall.0.saturating_add(millis))
}

/// What a ban is to be about.
fn target(text: &str) -> Result<Target, ControlError> {
    text.parse().map_err(|why: NoTarget| ControlError::new(ErrorCode::BadArgument, why.to_string()))
}

fn ban(ban: &moderation::Ban) -> Ban {
    Ban {
        id: ban.id.to_string(),
        target: ban.target.to_string(),
        kind: match &ban.target {
            Target::Network(_) => "network",
            Target::Name(_) => "name",
        }
        .to_owned(),
        reason: ban.reason.as_deref().map(Into::into),
        by: ban.by.to_string(),
        since: Time(ban.since),
        until: ban.until.map(Time),
    }
}

fn add_ban(hub: &mut Hub, args: &BanArgs, by: By, now: Now, effects: &mut Vec<Effect>) -> Result<Answer, ControlError> {
    let target = target(&args.target)?;
    let reason = line_of(args.reason.as_ref())?;
    let disconnected: Vec<String> = hub.hit_by(&target).map(|session| session.id.to_string()).collect();
    if args.dry_run {
        return one(&Banned { ban: None, disconnected, dry_run: true });
    }
    if let Target::Network(network) = &target
        && network.is_wide()
        && !args.yes
    {
        let message = format!("{network} is a large part of the Internet: say \"yes\" if that is meant");
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    let limit = hub.settings().limits.bans;
    if hub.bans().about(&target).is_none() && hub.bans().len() >= limit {
        let message = format!("there are {limit} bans already (limits.bans)");
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    let until = args.for_s.map(|seconds| later(now, seconds.0));
    hub.handle(Input::Ban { target: target.clone(), reason, until, by }, now, effects);
    let added = hub.bans().about(&target).and_then(|id| hub.bans().get(id)).map(ban);
    one(&Banned { ban: added, disconnected, dry_run: false })
}

/// The client that an administrator means: by id, or by name.
fn who(hub: &Hub, who: &str) -> Result<SessionId, ControlError> {
    let by_id = who
        .strip_prefix('c')
        .and_then(|number| number.parse().ok())
        .map(SessionId)
        .filter(|id| hub.session(*id).is_some());
    by_id.or_else(|| hub.find(who)).ok_or_else(|| {
        let hint = if name::resembles_address(who) { "; clients are called by id or name, not by address" } else { "" };
        ControlError::new(ErrorCode::NotFound, format!("no client {who:?}{hint}"))
    })
}

/// All of them, each once, or the error about the first that is not there.
fn everybody<const MAX: usize>(hub: &Hub, names: &[Text<MAX>]) -> Result<Vec<SessionId>, ControlError> {
    if names.is_empty() {
        return Err(ControlError::new(ErrorCode::BadArgument, "\"who\" is empty"));
    }
    let mut found = Vec::new();
    for name in names {
        let id = who(hub, name)?;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(found)
}

fn find_room(hub: &Hub, name: &str) -> Result<RoomId, ControlError> {
    hub.find_room(name).ok_or_else(|| ControlError::new(ErrorCode::NotFound, format!("no room {name:?}")))
}

/// A text that is one line and can be shown as it is: an administrator's mistake is told, not mended.
fn clean_line(text: &str) -> Result<Arc<str>, ControlError> {
    if text::is_clean(text) {
        Ok(text.into())
    } else {
        let message = "the text has a line end or another character that may not reach a screen";
        Err(ControlError::new(ErrorCode::BadArgument, message))
    }
}

fn line_of<const MAX: usize>(text: Option<&Text<MAX>>) -> Result<Option<Arc<str>>, ControlError> {
    text.map(|text| clean_line(text)).transpose()
}

fn client(hub: &Hub, session: &Session, now: Now, facts: &dyn Fn(SessionId) -> Facts) -> Client {
    let known = facts(session.id);
    let account = session.account.and_then(|account| hub.accounts().get(account));
    Client {
        id: session.id.to_string(),
        nick: session.nick.shown().into(),
        addr: session.peer.ip().to_canonical().to_string(),
        port: session.peer.port(),
        room: hub.room(session.room).map_or_else(String::new, |room| room.name.shown().into()),
        since: Time(session.since),
        idle_s: session.idle(now).as_secs(),
        telnet: known.telnet,
        behind_bytes: known.behind,
        lines: session.lines,
        dropped: session.dropped,
        strikes: hub.strikes(session.id, now),
        missed: known.missed,
        away: session.away.as_deref().map(Into::into),
        account: account.map(|account| account.name.shown().to_owned()),
        role: account.map(|account| account.role.into()),
        muted: session
            .muted(now)
            .map(|mute| mute.until.map_or_else(|| "always".to_owned(), |(_, wall)| Time(wall).to_string())),
        shadow: session.muted(now).is_some_and(|mute| mute.shadow),
    }
}

fn room(hub: &Hub, room: &crate::hub::room::Room) -> Room {
    Room {
        name: room.name.shown().into(),
        topic: room.topic.as_ref().into(),
        members: room.members.len() as u64,
        since: Time(room.since),
        lines: room.lines,
        history_lines: room.history.len() as u64,
        owner: hub.owner_of(room).as_deref().map(Into::into),
        private: room.ownership.private,
        moderated: room.ownership.moderated,
    }
}

fn history(hub: &Hub, args: &HistoryArgs, query: Option<&str>) -> Result<Answer, ControlError> {
    let what = Selector {
        room: args.room.as_deref().map(name::fold),
        since: args.since.map(|since| since.0),
        until: args.until.map(|until| until.0),
        text: query.map(name::fold),
        ..Selector::default()
    };
    let last = args.last.map(|last| last.0);
    if hub.is_recording() {
        let room = args.room.as_deref().filter(|room| hub.find_room(room).is_none()).map(str::to_owned);
        return Ok(Answer::Stored(Stored { room, ..stored(hub, what, last) }));
    }
    // What is in memory is of rooms that are open.
    args.room.as_deref().map(|room| find_room(hub, room)).transpose()?;
    let mut lines: Vec<(&Name, &Arc<message::Line>)> = in_memory(hub, &what).collect();
    lines.sort_by_key(|(_, line)| line.seq);
    let last = last.map_or(usize::MAX, |last| usize::try_from(last).unwrap_or(usize::MAX));
    let skip = lines.len().saturating_sub(last);
    Ok(Answer::Lines(lines[skip..].iter().map(|(room, line)| ((*room).clone(), (*line).clone())).collect()))
}

fn in_memory<'a>(hub: &'a Hub, what: &'a Selector) -> impl Iterator<Item = (&'a Name, &'a Arc<message::Line>)> {
    hub.rooms()
        .flat_map(|room| room.history.iter().map(move |line| (room, line)))
        .filter(|(room, line)| what.matches(room.name.folded(), line))
        .map(|(room, line)| (&room.name, line))
}

/// What is meant, in its two parts: on disk up to the first line that waits, and the lines that wait.
fn stored(hub: &Hub, what: Selector, last: Option<u64>) -> Stored {
    let waiting = || {
        hub.backlog().iter().filter_map(|(_, record)| match record {
            Record::Line { name, line, .. } => Some((name, line)),
            _ => None,
        })
    };
    let first = waiting().next().map(|(_, line)| line.seq);
    let mut tail: Vec<InRoom> = waiting()
        .filter(|(name, line)| what.matches(name.folded(), line))
        .map(|(name, line)| (name.clone(), line.clone()))
        .collect();
    // Of what is said from now on, nothing.
    let to = first.map_or_else(|| hub.last_line(), |first| first - 1);
    let to = what.to.map_or(to, |wanted| wanted.min(to));
    let last = last.map(|last| {
        let skip = tail.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX));
        tail.drain(..skip);
        last - tail.len() as u64
    });
    Stored { what: Selector { to: Some(to), ..what }, last, tail, room: None }
}

pub(super) fn redact(
    hub: &mut Hub,
    args: &RedactArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
    let bad = |message: String| ControlError::new(ErrorCode::BadArgument, message);
    let client = |text: &Text<32>| {
        let number = text.strip_prefix('c').and_then(|number| number.parse().ok());
        number.map(SessionId).ok_or_else(|| bad(format!("{:?} is no client's id, such as \"c7\"", &**text)))
    };
    let what = Selector {
        room: args.room.as_deref().map(name::fold),
        client: args.client.as_ref().map(client).transpose()?,
        nick: args.nick.as_deref().map(name::fold),
        from: args.from_seq,
        to: args.to_seq,
        since: args.since.map(|since| since.0),
        until: args.until.map(|until| until.0),
        text: args.query.as_deref().map(name::fold),
    };
    if what == Selector::default() {
        return Err(bad("nothing says which lines: name a room, client, nick, number, time or text".to_owned()));
    }
    if args.dry_run {
        if hub.is_recording() {
            return Ok(Answer::Count(stored(hub, what, None)));
        }
        return one(&Redacted { lines: readable(hub, &what), dry_run: true });
    }
    let lines = readable(hub, &what);
    hub.handle(Input::Redact { what: Arc::new(what), by }, now, effects);
    match hub.backlog().iter().next_back() {
        Some((number, Record::Redact(_))) => Ok(Answer::Redacting(number)),
        _ => one(&Redacted { lines, dry_run: false }),
    }
}

fn readable(hub: &Hub, what: &Selector) -> u64 {
    in_memory(hub, what).filter(|(_, line)| line.said != message::Said::Redacted).count() as u64
}

/// A line of `room` as the protocol has it.
#[must_use]
pub fn history_line(room: &str, line: &message::Line) -> Line {
    Line {
        seq: line.seq,
        t: Time(line.at),
        room: room.into(),
        nick: line.said.nick().into(),
        kind: match &line.said {
            message::Said::Emote { .. } => LineKind::Emote,
            message::Said::Notice { .. } => LineKind::Notice,
            message::Said::Topic { .. } => LineKind::Topic,
            message::Said::Redacted => LineKind::Redacted,
            _ => LineKind::Say,
        },
        text: line.said.text().into(),
    }
}

/// What a subscriber is told of a happening.
#[must_use]
pub fn event(happening: &Happening) -> Event {
    let event = match happening.what {
        What::Arrived | What::Joined => EventKind::Join,
        What::Departed | What::Left => EventKind::Leave,
        What::Refused => EventKind::Refuse,
        What::Renamed => EventKind::Nick,
        What::RoomOpened | What::RoomClosed | What::RoomChanged => EventKind::Room,
        What::Topic => EventKind::Topic,
        What::Kicked => EventKind::Kick,
        What::Muted | What::Unmuted => EventKind::Mute,
        What::Announced => EventKind::Say,
        What::Flood => EventKind::Flood,
        What::Struck => EventKind::Strike,
        What::Reported => EventKind::Report,
        What::Banned | What::Unbanned => EventKind::Ban,
        What::Registered
        | What::LoggedIn
        | What::LoggedOut
        | What::LoginFailed
        | What::AccountChanged
        | What::AccountRemoved => EventKind::Account,
        What::Redacted | What::HistoryLost | What::HistoryResumed | What::Unread | What::Recalled => EventKind::History,
        What::Stopping => EventKind::Shutdown,
    };
    let text = match happening.what {
        What::RoomOpened => Some("opened".to_owned()),
        What::RoomClosed => Some(happening.text.as_deref().map_or("closed".into(), |why| format!("closed: {why}"))),
        What::Unmuted => Some("unmuted".to_owned()),
        What::Registered => Some("registered".to_owned()),
        What::LoggedIn => Some("logged in".to_owned()),
        What::LoggedOut => Some("logged out".to_owned()),
        What::LoginFailed => happening.text.as_deref().map(|name| format!("failed to log in as {name}")),
        What::AccountChanged => happening.text.as_deref().map(|what| format!("changed: {what}")),
        What::AccountRemoved => Some("removed".to_owned()),
        What::Unbanned => happening.text.as_deref().map(|target| format!("lifted: {target}")),
        What::Redacted => Some("lines were made unreadable".to_owned()),
        What::HistoryLost => Some("lines are said and not recorded".to_owned()),
        What::Unread => Some("bans and accounts on disk cannot be read".to_owned()),
        What::Recalled => Some("bans and accounts on disk are known again".to_owned()),
        _ => happening.text.as_deref().map(str::to_owned),
    };
    Event {
        event,
        t: Time(happening.at),
        client: happening.session.map(|session| session.to_string()),
        nick: happening.nick.as_deref().map(str::to_owned),
        room: happening.room.as_deref().map(str::to_owned),
        text,
        by: happening.by_whom(),
        lost: 0,
    }
}

/// What a subscriber is told of a line that was said in `room`; `None` for lines that are told
/// otherwise.
#[must_use]
pub fn said(room: &str, line: &message::Line) -> Option<Event> {
    let (nick, text) = match &line.said {
        message::Said::Say { nick, text } => (Some(nick), text.to_string()),
        message::Said::Emote { nick, text } => (Some(nick), format!("* {text}")),
        message::Said::Notice { text } => (None, text.to_string()),
        _ => return None,
    };
    Some(Event {
        event: EventKind::Say,
        t: Time(line.at),
        client: line.author.map(|author| author.to_string()),
        nick: nick.map(ToString::to_string),
        room: Some(room.into()),
        text: Some(text),
        by: None,
        lost: 0,
    })
}
