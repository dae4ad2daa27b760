//! Commands about bans, carried out on the hub.

use crate::hub::Effect;
use crate::hub::moderation::{NoTarget, Target};
use crate::hub::{By, Hub, Input, moderation};
use crate::values::time::{Now, Wall};
use crate::wire::admin::args::BanArgs;
use crate::wire::admin::execute::Answer;
use crate::wire::admin::execute::line_of;
use crate::wire::admin::execute::one;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Ban, Banned};
use crate::wire::admin::value::Time;

pub(super) fn later(now: Now, seconds: u64) -> Wall {
    let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    Wall(now.wall.0.saturating_add(millis))
}

/// What a ban is to be about.
pub(super) fn target(text: &str) -> Result<Target, ControlError> {
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

pub(super) fn add_ban(
    hub: &mut Hub,
    args: &BanArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
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
