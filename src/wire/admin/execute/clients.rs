//! Commands about clients, carried out on the hub.

use crate::hub::Hub;
use crate::hub::session::Session;
use crate::values::id::SessionId;
use crate::values::name;
use crate::values::time::Now;
use crate::wire::admin::execute::Facts;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::Client;
use crate::wire::admin::value::{Text, Time};

pub(super) fn hub_session(hub: &Hub, id: SessionId) -> Session {
    hub.session(id).expect("it was found").clone()
}

/// The client that an administrator means: by id, or by name.
pub(super) fn who(hub: &Hub, who: &str) -> Result<SessionId, ControlError> {
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
pub(super) fn everybody<const MAX: usize>(hub: &Hub, names: &[Text<MAX>]) -> Result<Vec<SessionId>, ControlError> {
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
