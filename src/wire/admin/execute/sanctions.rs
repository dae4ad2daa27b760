//! Commands about sanctions: bans, mutes, expulsions, filters.

use super::clients::person;
use super::{Call, clean_line, line_of, naming};
use crate::hub::sanction::{self, Kind, NoPlace, NoTarget, Order, Target};
use crate::hub::sanctioning::Caught;
use crate::hub::{Hub, Input, whom};
use crate::values::id::{SanctionId, SessionId};
use crate::values::name;
use crate::values::network::Network;
use crate::values::time::Now;
use crate::wire::admin::args::{
    BanArgs, BanTestArgs, FilterArgs, LiftArgs, NoArgs, SanctionTestArgs, UnbanArgs, UnfilterArgs,
};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{
    Ban, BanTest, Banned, FilterList, Filtered, Lifted, Person, Sanction, SanctionTest, Unbanned,
};
use crate::wire::admin::value::Time;

pub(in crate::wire::admin) fn add(call: &mut Call<'_>, args: &BanArgs) -> Result<Banned, ControlError> {
    let order = match order_of_client(call.hub, &args.target, Kind::Ban, call.now)? {
        Some(order) => order,
        None => Order::about(Kind::Ban, target(call.hub, "target", &args.target, call.now)?),
    };
    if matches!(order.target, Target::Name(_)) && order.nick.is_none() && !args.yes && !args.dry_run {
        naming::is_clear(call.hub, &args.target, call.now)?;
    }
    let reason = line_of("reason", args.reason.as_ref())?;
    let (disconnected, people) = hit(call.hub, &order, call.now);
    if args.dry_run {
        return Ok(Banned { ban: None, disconnected, people, replaced: None, dry_run: true });
    }
    if let Target::Network(network) = &order.target
        && !args.yes
        && order.nick.is_none()
    {
        let what = match network {
            _ if network.is_wide() => Some(format!("{network} is a large part of the Internet")),
            _ if !network.is_written_so(&args.target) => Some(slip(network, &args.target)),
            _ => None,
        };
        if let Some(what) = what {
            let message = format!("{what}; it is banned only with the argument \"yes\", true");
            return Err(ControlError::new(ErrorCode::Conflict, message));
        }
    }
    has_room_for(call.hub, &order)?;
    let until = args.for_s.map(|seconds| call.later(seconds.0));
    let former = about(call.hub, &order.target);
    let target = order.target.clone();
    call.change(Input::Sanction { order: Box::new(Order { reason, until, ..order }), by: call.by });
    Ok(Banned { ban: about(call.hub, &target), disconnected, people, replaced: former, dry_run: false })
}

/// The most sanctions that an error lists.
const TOLD: usize = 8;

/// The text about a network that is not written with its own first address.
pub(super) fn slip(network: &Network, given: &str) -> String {
    format!("{given} is {network}, {}", network.size())
}

/// An error if the hub has no place for one more sanction of this kind.
pub(super) fn has_room_for(hub: &Hub, order: &Order) -> Result<(), ControlError> {
    hub.has_place(order).map_err(|why| {
        let message = match why {
            NoPlace::Sanctions(limit) => format!("there are {limit} {}s already (limits.bans)", order.kind.word()),
            NoPlace::Patterns(limit) => {
                format!("no more than {limit} patterns and filters can be in force (limits.patterns)")
            }
            NoPlace::Memory => "together with the patterns and filters in force it takes too much memory".to_owned(),
        };
        ControlError::new(ErrorCode::Conflict, message)
    })
}

pub(in crate::wire::admin) fn filter(call: &mut Call<'_>, args: &FilterArgs) -> Result<Filtered, ControlError> {
    let target = sanction::filtered(&args.text).map_err(|why| ControlError::argument("text", why))?;
    clean_line("text", &args.text)?;
    let kind = Kind::Filter { strike: args.strike };
    let reason = line_of("reason", args.reason.as_ref())?;
    let until = args.for_s.map(|seconds| call.later(seconds.0));
    let order = Order { reason, until, ..Order::about(kind.clone(), target.clone()) };
    has_room_for(call.hub, &order)?;
    // Administrators are told nothing about lines that were said in private.
    let rooms: Vec<_> = call
        .hub
        .rooms()
        .filter(|room| room.ownership.private_from == 0 && !room.ownership.private)
        .map(|room| room.id)
        .collect();
    let Caught { lines, looked_at, names, .. } = call.hub.would_be_kept_back(&target, rooms, call.now);
    let names = names.iter().map(ToString::to_string).collect();
    let (lines, looked_at) = (lines as u64, looked_at as u64);
    let made = |hub: &Hub| {
        let id = hub.sanctions().about(&kind, &target)?;
        hub.sanctions().get(id).map(shown)
    };
    let replaced = made(call.hub);
    if args.dry_run {
        return Ok(Filtered { filter: None, replaced: None, lines, looked_at, names, dry_run: true });
    }
    call.change(Input::Sanction { order: Box::new(order), by: call.by });
    Ok(Filtered { filter: made(call.hub), replaced, lines, looked_at, names, dry_run: false })
}

pub(in crate::wire::admin) fn filters(call: &mut Call<'_>, NoArgs {}: &NoArgs) -> Result<FilterList, ControlError> {
    let made = call.hub.sanctions().patterns().filter(|one| matches!(one.kind, Kind::Filter { .. }));
    let filters = made.filter(|one| one.holds(call.now)).map(shown).collect();
    let configured = &call.hub.settings().filters;
    Ok(FilterList { filters, refuse: configured.refuse.clone(), strike: configured.strike.clone() })
}

pub(in crate::wire::admin) fn unfilter(call: &mut Call<'_>, args: &UnfilterArgs) -> Result<Lifted, ControlError> {
    let kind = Kind::Filter { strike: false };
    let sanctions = call.hub.sanctions();
    let by_id = SanctionId::parse(&args.which).filter(|(letter, _)| *letter == 'f').map(|(_, id)| id);
    let id = by_id.or_else(|| sanctions.about(&kind, &Target::Text((*args.which).into())));
    let found = id.and_then(|id| sanctions.get(id)).filter(|one| one.kind.is_like(&kind)).cloned();
    let found = found.ok_or_else(|| {
        let message = format!("no filter {:?}; those of the settings are changed there", &*args.which);
        ControlError::new(ErrorCode::NotFound, message)
    })?;
    call.change(Input::Lift { id: found.id, by: call.by });
    Ok(Lifted { lifted: shown(&found) })
}

/// The people here whom a sanction would reach: their ids, and their ids with names.
fn hit(hub: &Hub, order: &Order, now: Now) -> (Vec<String>, Vec<Person>) {
    let people: Vec<Person> = hub.hit_by(order, now).into_iter().map(person).collect();
    (people.iter().map(|person| person.id.clone()).collect(), people)
}

pub(in crate::wire::admin) fn remove(call: &mut Call<'_>, args: &UnbanArgs) -> Result<Unbanned, ControlError> {
    let found =
        find(call.hub, &args.which, &Kind::Ban, call.now)?.ok_or_else(|| no_ban(call.hub, &args.which, call.now))?;
    call.change(Input::Lift { id: found.id, by: call.by });
    Ok(Unbanned { removed: ban(&found) })
}

/// The error that there is no such ban; it names the bans that cover the target, if any do.
fn no_ban(hub: &Hub, which: &str, now: Now) -> ControlError {
    let bans = which.parse::<Target>().ok().map(|target| {
        let bans = standing(hub, &target, now).filter(|one| one.kind == Kind::Ban);
        bans.map(|ban| format!("{} ({})", ban.called(), ban.target)).collect::<Vec<_>>()
    });
    let hint = match bans.as_deref() {
        None | Some([]) => String::new(),
        Some([one]) => format!("; {one} covers it"),
        Some(more) => format!("; these cover it: {}", more.join(", ")),
    };
    ControlError::new(ErrorCode::NotFound, format!("no ban {which:?}{hint}"))
}

/// The sanction of this kind that `which` means; `None` if there is none. See
/// [`Hub::sanctions_meant`].
///
/// # Errors
/// If `which` can mean several.
pub(super) fn find(hub: &Hub, which: &str, kind: &Kind, now: Now) -> Result<Option<sanction::Sanction>, ControlError> {
    let meant = hub.sanctions_meant(which, kind, now);
    let found: Vec<_> = meant.into_iter().filter_map(|id| hub.sanctions().get(id)).collect();
    if let [_, _, ..] = *found.as_slice() {
        let told: Vec<_> = found.iter().take(TOLD).map(|one| format!("{} ({})", one.called(), one.target)).collect();
        let message = format!("{which:?} could be {} of them; name one by id: {}", found.len(), told.join(", "));
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    Ok(found.first().copied().cloned())
}

/// The order for a sanction of this kind against the client with the id `text`, who is here or has
/// just left; `None` if `text` is not written like an id.
fn order_of_client(hub: &Hub, text: &str, kind: Kind, now: Now) -> Result<Option<Order>, ControlError> {
    let Some(id) = whom::client(text).filter(|_| hub.find(text).is_none()) else { return Ok(None) };
    let here = hub.session(id).map(|session| hub.order(session, kind.clone()));
    let left = || hub.leavers().iter(now.mono).find(|leaver| leaver.id == id);
    let order = here.or_else(|| left().map(|leaver| hub.order_of_leaver(leaver, kind)));
    order.map_or_else(|| known_client(text).map(|()| None), |order| Ok(Some(order)))
}

pub(in crate::wire::admin) fn test(call: &mut Call<'_>, args: &BanTestArgs) -> Result<BanTest, ControlError> {
    let target = match order_of_client(call.hub, &args.target, Kind::Ban, call.now)? {
        Some(order) => order.target,
        None => target(call.hub, "target", &args.target, call.now)?,
    };
    let bans = standing(call.hub, &target, call.now).filter(|one| one.kind == Kind::Ban).map(ban).collect();
    let (clients, people) = hit(call.hub, &Order::about(Kind::Ban, target), call.now);
    Ok(BanTest { bans, clients, people })
}

/// The sanctions in force that cover an address, a name or a whole network.
fn standing<'a>(hub: &'a Hub, target: &Target, now: Now) -> Box<dyn Iterator<Item = &'a sanction::Sanction> + 'a> {
    let sanctions = hub.sanctions();
    match target {
        Target::Name(name) => Box::new(hub.sanctions_about([name], None, now).into_iter()),
        Target::Pattern(_) | Target::Text(_) | Target::Newcomers => {
            let target = target.clone();
            Box::new(sanctions.patterns().filter(move |one| one.target == target && one.holds(now)))
        }
        Target::Network(network) => {
            let network = *network;
            let covers = move |one: &&sanction::Sanction| {
                let first = match &one.target {
                    Target::Network(other) => Some(*other),
                    _ => None,
                };
                first.into_iter().chain(one.also).any(|other| other.covers(&network))
            };
            Box::new(sanctions.iter().filter(covers).filter(move |one| one.holds(now)))
        }
    }
}

pub(in crate::wire::admin) fn lift(call: &mut Call<'_>, args: &LiftArgs) -> Result<Lifted, ControlError> {
    let found = SanctionId::parse(&args.which)
        .and_then(|(letter, id)| call.hub.sanctions().get(id).filter(|one| one.kind.letter() == letter))
        .cloned();
    let Some(found) = found else {
        let message = format!("no sanction {:?}; they are called such as b3, m4, x5, f6 or l7", &*args.which);
        return Err(ControlError::new(ErrorCode::NotFound, message));
    };
    call.change(Input::Lift { id: found.id, by: call.by });
    Ok(Lifted { lifted: shown(&found) })
}

pub(in crate::wire::admin) fn test_all(
    call: &mut Call<'_>,
    args: &SanctionTestArgs,
) -> Result<SanctionTest, ControlError> {
    let (hub, now) = (&*call.hub, call.now);
    naming::is_clear(hub, &args.target, now)?;
    let id = hub.find(&args.target).or_else(|| whom::client(&args.target));
    if let Some(session) = id.and_then(|id| hub.session(id)) {
        let mut about: Vec<_> = hub.sanctions_of(session, now).collect();
        about.sort_by_key(|one| one.id);
        about.dedup_by_key(|one| one.id);
        let order = hub.order(session, Kind::Mute { shadow: false });
        let (clients, people) = hit(hub, &order, now);
        return Ok(SanctionTest { sanctions: about.into_iter().map(shown).collect(), clients, people });
    }
    if let Some(leaver) =
        hub.leavers().find_by_any_name(&name::fold(&args.target), whom::client(&args.target), now.mono)
    {
        let sanctions = hub.sanctions_of_leaver(leaver, now).into_iter().map(shown).collect();
        let (clients, people) = hit(hub, &hub.order_of_leaver(leaver, Kind::Mute { shadow: false }), now);
        return Ok(SanctionTest { sanctions, clients, people });
    }
    if hub.target(&args.target, now).is_err() {
        known_client(&args.target)?;
    }
    let target = target(hub, "target", &args.target, now)?;
    let sanctions = standing(hub, &target, now).map(shown).collect();
    let (clients, people) = hit(hub, &Order::about(Kind::Ban, target), now);
    Ok(SanctionTest { sanctions, clients, people })
}

/// An error if a text is written like the id of a client: the caller has not found that client.
fn known_client(text: &str) -> Result<(), ControlError> {
    match whom::client(text) {
        Some(_) => Err(ControlError::new(ErrorCode::NotFound, format!("no client {text:?}"))),
        None => Ok(()),
    }
}

/// The order for a sanction of this kind against `text`, and the client if they are here. `text`
/// means a client here by id, name or account; else somebody who has just left; else an address, a
/// network or a name.
pub(super) fn order(hub: &Hub, text: &str, kind: Kind, now: Now) -> Result<(Order, Option<SessionId>), ControlError> {
    let folded = name::fold(text);
    let by_id = whom::client(text).filter(|id| hub.session(*id).is_some());
    let by_account = || hub.accounts().find(&folded).and_then(|account| hub.bearer(account));
    naming::is_clear(hub, text, now)?;
    let id = by_id.or_else(|| hub.find(text)).or_else(by_account);
    if let Some(session) = id.and_then(|id| hub.session(id)) {
        return Ok((hub.order(session, kind), Some(session.id)));
    }
    if let Some(leaver) = hub.leavers().find_by_any_name(&folded, whom::client(text), now.mono) {
        return Ok((hub.order_of_leaver(leaver, kind), None));
    }
    if hub.target(text, now).is_err() {
        known_client(text)?;
    }
    Ok((Order::about(kind, target(hub, "who", text, now)?), None))
}

/// The ban of `target`, if there is one.
pub(super) fn about(hub: &Hub, target: &Target) -> Option<Ban> {
    hub.sanctions().about(&Kind::Ban, target).and_then(|id| hub.sanctions().get(id)).map(ban)
}

/// The target of a sanction, from the text of the argument `name`.
fn target(hub: &Hub, name: &str, text: &str, now: Now) -> Result<Target, ControlError> {
    hub.target(text, now).map_err(|why: NoTarget| ControlError::argument(name, why))
}

pub(super) fn ban(ban: &sanction::Sanction) -> Ban {
    Ban {
        id: ban.called(),
        target: ban.target.to_string(),
        kind: match &ban.target {
            Target::Network(_) => "network",
            Target::Name(_) => "name",
            Target::Pattern(_) => "pattern",
            Target::Text(_) => "text",
            Target::Newcomers => "newcomers",
        }
        .to_owned(),
        also: ban.also.map(|also| also.to_string()),
        nick: ban.nick.as_deref().map(Into::into),
        reason: ban.reason.as_deref().map(Into::into),
        by: ban.maker(),
        since: Time(ban.since),
        until: ban.until.map(Time),
    }
}

pub(super) fn shown(one: &sanction::Sanction) -> Sanction {
    let room = match &one.kind {
        Kind::Expulsion { name, .. } => Some(name.shown().to_owned()),
        _ => None,
    };
    let Ban { id, target, kind: _, also, nick, reason, by, since, until } = ban(one);
    Sanction { id, kind: one.kind.word().to_owned(), room, target, also, nick, reason, by, since, until }
}
