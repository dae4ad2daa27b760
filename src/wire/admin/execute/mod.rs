//! Commands of the admin socket that are about the hub, carried out on it.
//!
//! Pure: what the network alone knows of a client comes in as [`Facts`]. Commands about the process
//! (`status`, `log.level`, `reload`, `shutdown`, the stream of events) are the driver's.

mod accounts;
mod bans;
mod clients;
pub mod history;
pub mod listing;
mod rooms;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::hub::Effect;
use crate::hub::archive::Selector;
use crate::hub::message::Refusal;
use crate::hub::moderation::Target;
use crate::hub::session::Mute;
use crate::hub::{By, Hub, Input, message};
use crate::values::id::{BanId, SessionId};
use crate::values::name::Name;
use crate::values::network::Network;
use crate::values::text;
use crate::values::time::{Now, Wall};
use crate::wire::admin::Command;
use crate::wire::admin::args::{HistoryArgs, SearchArgs};
use crate::wire::admin::execute::bans::add_ban;
use crate::wire::admin::execute::bans::ban;
use crate::wire::admin::execute::bans::later;
use crate::wire::admin::execute::bans::target;
use crate::wire::admin::execute::clients::client;
use crate::wire::admin::execute::clients::everybody;
use crate::wire::admin::execute::clients::hub_session;
use crate::wire::admin::execute::clients::who;
use crate::wire::admin::execute::history::history;
use crate::wire::admin::execute::history::redact;
use crate::wire::admin::execute::listing::list;
use crate::wire::admin::execute::rooms::find_room;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{
    BanTest, Closed, HistoryStats, Kicked, Muted, Renamed, RoomHistory, Said, Topic, Unbanned,
};
use crate::wire::admin::value::{Text, Time};

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
