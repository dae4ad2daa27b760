//! Commands about bans.

use super::{Call, line_of};
use crate::hub::moderation::{self, NoTarget, Target};
use crate::hub::{Hub, Input};
use crate::values::id::BanId;
use crate::values::name::Name;
use crate::wire::admin::args::{BanArgs, BanTestArgs, UnbanArgs};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Ban, BanTest, Banned, Unbanned};
use crate::wire::admin::value::Time;

pub(in crate::wire::admin) fn add(call: &mut Call<'_>, args: &BanArgs) -> Result<Banned, ControlError> {
    let target = target(&args.target)?;
    let reason = line_of(args.reason.as_ref())?;
    let disconnected: Vec<String> = call.hub.hit_by(&target).map(|session| session.id.to_string()).collect();
    if args.dry_run {
        return Ok(Banned { ban: None, disconnected, dry_run: true });
    }
    if let Target::Network(network) = &target
        && network.is_wide()
        && !args.yes
    {
        let message = format!("{network} is a large part of the Internet: say \"yes\" if that is meant");
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    let limit = call.hub.settings().limits.bans;
    if call.hub.bans().about(&target).is_none() && call.hub.bans().len() >= limit {
        let message = format!("there are {limit} bans already (limits.bans)");
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    let until = args.for_s.map(|seconds| call.later(seconds.0));
    call.change(Input::Ban { target: target.clone(), reason, until, by: call.by });
    Ok(Banned { ban: about(call.hub, &target), disconnected, dry_run: false })
}

pub(in crate::wire::admin) fn remove(call: &mut Call<'_>, args: &UnbanArgs) -> Result<Unbanned, ControlError> {
    let bans = call.hub.bans();
    let by_id = args.which.strip_prefix('b').and_then(|number| number.parse().ok()).map(BanId);
    let found = by_id.filter(|id| bans.get(*id).is_some()).or_else(|| {
        // A ban can be of a name that could not be taken today; it is lifted by that name.
        let name = || Name::parse(&args.which, usize::from(u8::MAX)).ok().map(Target::Name);
        bans.about(&target(&args.which).ok().or_else(name)?)
    });
    let Some(found) = found.and_then(|id| bans.get(id)).cloned() else {
        return Err(ControlError::new(ErrorCode::NotFound, format!("no ban {:?}", &*args.which)));
    };
    call.change(Input::Unban { id: found.id, by: call.by });
    Ok(Unbanned { removed: ban(&found) })
}

pub(in crate::wire::admin) fn test(call: &mut Call<'_>, args: &BanTestArgs) -> Result<BanTest, ControlError> {
    let (hub, now) = (&*call.hub, call.now);
    let target = target(&args.target)?;
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
    Ok(BanTest { bans, clients: hub.hit_by(&target).map(|session| session.id.to_string()).collect() })
}

/// The ban of `target`, if there is one.
pub(super) fn about(hub: &Hub, target: &Target) -> Option<Ban> {
    hub.bans().about(target).and_then(|id| hub.bans().get(id)).map(ban)
}

/// The target of a ban.
fn target(text: &str) -> Result<Target, ControlError> {
    text.parse().map_err(|why: NoTarget| ControlError::new(ErrorCode::BadArgument, why.to_string()))
}

pub(super) fn ban(ban: &moderation::Ban) -> Ban {
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
