//! Commands about clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Call, line_of, naming, sanctions};
use crate::hub::message::Refusal;
use crate::hub::sanction::Order;
use crate::hub::sanction::{Kind, Sanction, Target};
use crate::hub::session::Session;
use crate::hub::{Hub, Input};
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Network;
use crate::values::time::Now;
use crate::wire::admin::args::{KickArgs, MuteArgs, RenameArgs, WhoArgs};
use crate::wire::admin::execute::Facts;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Client, Kicked, Muted, Person, Proxy, Renamed};
use crate::wire::admin::value::{Text, Time};

pub(in crate::wire::admin) fn get(call: &mut Call<'_>, args: &WhoArgs) -> Result<Client, ControlError> {
    let id = who(call.hub, &args.who)?;
    Ok(client(call.hub, &session(call.hub, id), call.now, call.facts))
}

pub(in crate::wire::admin) fn kick(call: &mut Call<'_>, args: &KickArgs) -> Result<Kicked, ControlError> {
    let (by, who) = (call.by, everybody(call.hub, &args.who, call.now)?);
    let reason = line_of("reason", args.reason.as_ref())?;
    let mut people = people(call.hub, &who);
    let networks: BTreeMap<Network, Arc<str>> = match args.ban_s {
        None => BTreeMap::new(),
        Some(_) => who
            .iter()
            .map(|id| session(call.hub, *id))
            .map(|session| (Network::around(session.peer.ip()), session.nick.shown().into()))
            .collect(),
    };
    let networks = networks.into_iter().map(|(network, nick)| (Target::Network(network), nick));
    for session in &who {
        call.change(Input::Kick { session: *session, reason: reason.clone(), by });
    }
    let until = args.ban_s.map(|seconds| call.later(seconds.0));
    let mut kicked: Vec<String> = who.iter().map(SessionId::to_string).collect();
    let mut banned = Vec::new();
    for (target, nick) in networks {
        let order =
            Order { nick: Some(nick), reason: reason.clone(), until, ..Order::about(Kind::Ban, target.clone()) };
        let hit = call.hub.hit_by(&order, call.now);
        people.extend(hit.iter().map(|session| person(session)));
        kicked.extend(hit.into_iter().map(|session| session.id.to_string()));
        call.change(Input::Sanction { order: Box::new(order), by });
        banned.extend(sanctions::about(call.hub, &target));
    }
    // For a single client, the administrator knows the name.
    let people = if kicked.len() > 1 { people } else { Vec::new() };
    Ok(Kicked { kicked, people, banned })
}

pub(in crate::wire::admin) fn mute(call: &mut Call<'_>, args: &MuteArgs) -> Result<Muted, ControlError> {
    if args.for_s.is_some_and(|seconds| seconds.0 == 0) {
        return unmute(call, args);
    }
    let reason = line_of("reason", args.reason.as_ref())?;
    let kind = Kind::Mute { shadow: args.shadow };
    let until = args.for_s.map(|seconds| call.later(seconds.0));
    let (mut orders, mut muted) = (Vec::new(), Vec::new());
    let mut others: BTreeSet<SessionId> = BTreeSet::new();
    for who in &args.who {
        let (order, session) = sanctions::order(call.hub, who, kind.clone(), call.now)?;
        if let Target::Network(network) = &order.target
            && network.is_wide()
        {
            return Err(ControlError::argument("who", format_args!("{network} is too large a part of the Internet")));
        }
        if let Target::Network(network) = &order.target
            && !network.is_written_so(who)
        {
            let why = format!("{}; write it so", sanctions::slip(network, who));
            return Err(ControlError::argument("who", why));
        }
        sanctions::has_room_for(call.hub, &order)?;
        others.extend(call.hub.hit_by(&order, call.now).into_iter().map(|session| session.id));
        muted.extend(session.filter(|session| !muted.contains(session)));
        // A client that is named twice is muted once.
        if orders.iter().all(|other: &Order| other.target != order.target) {
            orders.push(Order { reason: reason.clone(), until, ..order });
        }
    }
    muted.extend(others.into_iter().filter(|other| !muted.contains(other)).collect::<Vec<_>>());
    let (mut made, mut replaced) = (Vec::new(), Vec::new());
    if !args.dry_run {
        for order in orders {
            let target = order.target.clone();
            let former = call.hub.sanctions().about(&kind, &target).and_then(|id| call.hub.sanctions().get(id));
            replaced.extend(former.filter(|former| former.holds(call.now)).map(sanctions::shown));
            call.change(Input::Sanction { order: Box::new(order), by: call.by });
            let id = call.hub.sanctions().about(&kind, &target);
            made.extend(id.and_then(|id| call.hub.sanctions().get(id)).map(sanctions::shown));
        }
    }
    let people = people(call.hub, &muted);
    let muted = muted.iter().map(SessionId::to_string).collect();
    Ok(Muted { muted, people, until: until.map(Time), sanctions: made, replaced, dry_run: args.dry_run })
}

/// Lifts mutes. Each entry of `args.who` is a client here, by id or name, whose mutes are all
/// lifted; else a mute's id, such as `m3`, or the exact target of a mute, as for `/unmute` in chat.
/// Either all entries are found and lifted, or none is.
fn unmute(call: &mut Call<'_>, args: &MuteArgs) -> Result<Muted, ControlError> {
    let (now, by) = (call.now, call.by);
    let is_muted = |hub: &Hub, id: &SessionId| hub.session(*id).is_some_and(|session| session.muted(now).is_some());
    let (mut muted, mut mutes): (Vec<SessionId>, Vec<Sanction>) = (Vec::new(), Vec::new());
    for which in &args.who {
        naming::is_clear(call.hub, which, now)?;
        let found: Vec<Sanction> = if let Ok(id) = who(call.hub, which) {
            let session = session(call.hub, id);
            let about = call.hub.sanctions_of(&session, call.now).filter(|one| matches!(one.kind, Kind::Mute { .. }));
            let about: Vec<_> = about.cloned().collect();
            if about.is_empty() {
                let Person { id, nick } = person(&session);
                return Err(ControlError::new(ErrorCode::NotFound, format!("{nick} ({id}) is not muted")));
            }
            muted.extend((!muted.contains(&id)).then_some(id));
            about
        } else {
            let mute = sanctions::find(call.hub, which, &Kind::Mute { shadow: false }, now)?;
            let none = || format!("no mute {:?}, and nobody here who is called so", &**which);
            vec![mute.ok_or_else(|| ControlError::new(ErrorCode::NotFound, none()))?]
        };
        mutes.extend(found.into_iter().filter(|one| mutes.iter().all(|other| other.id != one.id)).collect::<Vec<_>>());
    }
    // The mutes may also reach others, who may speak again unless another sanction mutes them.
    for one in &mutes {
        let order = Order { also: one.also, ..Order::about(one.kind.clone(), one.target.clone()) };
        let hit = call.hub.hit_by(&order, call.now).into_iter().map(|session| session.id);
        muted.extend(hit.filter(|id| !muted.contains(id) && is_muted(call.hub, id)).collect::<Vec<_>>());
    }
    if !args.dry_run {
        mutes.iter().for_each(|one| call.change(Input::Lift { id: one.id, by }));
        muted.retain(|id| !is_muted(call.hub, id));
    }
    let people = people(call.hub, &muted);
    let muted = muted.iter().map(SessionId::to_string).collect();
    let sanctions = mutes.iter().map(sanctions::shown).collect();
    Ok(Muted { muted, people, until: None, sanctions, replaced: Vec::new(), dry_run: args.dry_run })
}

pub(in crate::wire::admin) fn rename(call: &mut Call<'_>, args: &RenameArgs) -> Result<Renamed, ControlError> {
    naming::is_clear(call.hub, &args.who, call.now)?;
    let id = who(call.hub, &args.who)?;
    let nick = Name::parse(&args.nick, call.hub.settings().limits.name)
        .map_err(|invalid| ControlError::argument("nick", format_args!("the name {:?} {invalid}", &*args.nick)))?;
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

/// The client that an administrator means, by id or by name.
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

/// The clients among `ids` who are here, with id and name.
fn people(hub: &Hub, ids: &[SessionId]) -> Vec<Person> {
    ids.iter().filter_map(|id| hub.session(*id)).map(person).collect()
}

pub(super) fn person(session: &Session) -> Person {
    Person { id: session.id.to_string(), nick: session.nick.shown().into() }
}

/// The clients with these ids or names, each once; an error about the first that is not here.
fn everybody<const MAX: usize>(hub: &Hub, names: &[Text<MAX>], now: Now) -> Result<Vec<SessionId>, ControlError> {
    let mut found = Vec::new();
    for name in names {
        naming::is_clear(hub, name, now)?;
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
        encryption: known.encryption,
        proxy: known.proxy.map(|proxy| Proxy { encrypted: session.encrypted, ..proxy }),
        behind_bytes: known.traffic.behind,
        bytes_in: known.traffic.received,
        bytes_out: known.traffic.taken,
        lines: session.lines,
        dropped: session.dropped,
        strikes: hub.strikes(session.id, now),
        missed: known.traffic.missed,
        away: session.away.as_deref().map(Into::into),
        account: account.map(|account| account.name.shown().to_owned()),
        role: account.map(|account| account.role.into()),
        muted: session
            .muted(now)
            .map(|mute| mute.until.map_or_else(|| "always".to_owned(), |(_, wall)| Time(wall).to_string())),
        shadow: session.muted(now).is_some_and(|mute| mute.shadow),
    }
}
