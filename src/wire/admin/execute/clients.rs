//! Commands about clients.

use std::collections::BTreeSet;

use super::{Call, bans, line_of};
use crate::hub::message::Refusal;
use crate::hub::moderation::Target;
use crate::hub::session::{Mute, Session};
use crate::hub::{Hub, Input};
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Network;
use crate::values::time::Now;
use crate::wire::admin::args::{KickArgs, MuteArgs, RenameArgs, WhoArgs};
use crate::wire::admin::execute::Facts;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Client, Kicked, Muted, Renamed};
use crate::wire::admin::value::{Text, Time};

pub(in crate::wire::admin) fn get(call: &mut Call<'_>, args: &WhoArgs) -> Result<Client, ControlError> {
    let id = who(call.hub, &args.who)?;
    Ok(client(call.hub, &session(call.hub, id), call.now, call.facts))
}

pub(in crate::wire::admin) fn kick(call: &mut Call<'_>, args: &KickArgs) -> Result<Kicked, ControlError> {
    let (by, who) = (call.by, everybody(call.hub, &args.who)?);
    let reason = line_of(args.reason.as_ref())?;
    let networks: BTreeSet<Network> = match args.ban_s {
        None => BTreeSet::new(),
        Some(_) => who.iter().map(|id| Network::around(session(call.hub, *id).peer.ip())).collect(),
    };
    for session in &who {
        call.change(Input::Kick { session: *session, reason: reason.clone(), by });
    }
    let until = args.ban_s.map(|seconds| call.later(seconds.0));
    let mut kicked: Vec<String> = who.iter().map(SessionId::to_string).collect();
    let mut banned = Vec::new();
    for target in networks.into_iter().map(Target::Network) {
        kicked.extend(call.hub.hit_by(&target).map(|session| session.id.to_string()));
        call.change(Input::Ban { target: target.clone(), reason: reason.clone(), until, by });
        banned.extend(bans::about(call.hub, &target));
    }
    Ok(Kicked { kicked, banned })
}

pub(in crate::wire::admin) fn mute(call: &mut Call<'_>, args: &MuteArgs) -> Result<Muted, ControlError> {
    let who = everybody(call.hub, &args.who)?;
    let mute = match args.for_s {
        None => Some(Mute { until: None, shadow: args.shadow }),
        Some(seconds) if seconds.0 == 0 => None,
        Some(seconds) => {
            let until = (call.now.mono.after(seconds.seconds()), call.later(seconds.0));
            Some(Mute { until: Some(until), shadow: args.shadow })
        }
    };
    for session in &who {
        call.change(Input::Mute { session: *session, mute, by: call.by });
    }
    let until = mute.and_then(|mute| mute.until).map(|(_, wall)| Time(wall));
    Ok(Muted { muted: who.iter().map(SessionId::to_string).collect(), until })
}

pub(in crate::wire::admin) fn rename(call: &mut Call<'_>, args: &RenameArgs) -> Result<Renamed, ControlError> {
    let id = who(call.hub, &args.who)?;
    let nick = Name::parse(&args.nick, call.hub.settings().limits.name).map_err(|invalid| {
        ControlError::new(ErrorCode::BadArgument, format!("the name {:?} {invalid}", &*args.nick))
    })?;
    call.hub.may_bear(id, &nick, call.now).map_err(|refusal| match refusal {
        Refusal::NameTakenFor(..) | Refusal::NamesUnread => refusal.into(),
        _ => {
            let message = format!("the name {:?} is taken, reserved, or looks like one that is", &*args.nick);
            ControlError::new(ErrorCode::Conflict, message)
        }
    })?;
    let from = session(call.hub, id).nick.shown().to_owned();
    let shown = nick.shown().to_owned();
    call.change(Input::Rename { session: id, nick, by: call.by });
    Ok(Renamed { id: id.to_string(), from, nick: shown })
}

fn session(hub: &Hub, id: SessionId) -> Session {
    hub.session(id).expect("it was found").clone()
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

pub(super) fn client(hub: &Hub, session: &Session, now: Now, facts: &dyn Fn(SessionId) -> Facts) -> Client {
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
