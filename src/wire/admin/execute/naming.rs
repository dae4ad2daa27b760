//! Checks that a name in a command is clear. If it could mean several people, or a person who bears
//! another name by now, nothing is done, and the error tells the ids to use instead.

use crate::hub::Hub;
use crate::hub::bearers::Bearer;
use crate::values::time::{Now, in_words};
use crate::wire::admin::message::{ControlError, ErrorCode};

/// The most people whom an error lists.
const TOLD: usize = 8;

/// An error unless the name means at most one person, who bears it, owns it, or has left under it.
pub(super) fn is_clear(hub: &Hub, name: &str, now: Now) -> Result<(), ControlError> {
    if let [one @ Bearer::Renamed(..)] = *hub.bearers(name, now).as_slice() {
        let message = format!("nobody is called {name:?} now: it was {}; name them by id", told(hub, &one, now));
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    is_of_one(hub, name, now)
}

/// An error unless the name means at most one person, who may bear another name now.
pub(super) fn is_of_one(hub: &Hub, name: &str, now: Now) -> Result<(), ControlError> {
    let found = hub.bearers(name, now);
    if found.len() < 2 {
        return Ok(());
    }
    let people: Vec<_> = found.iter().take(TOLD).map(|one| told(hub, one, now)).collect();
    let more = match found.len() - people.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let message = format!("{name:?} could be {} people; name one by id: {}{more}", found.len(), people.join("; "));
    Err(ControlError::new(ErrorCode::Conflict, message))
}

fn told(hub: &Hub, one: &Bearer<'_>, now: Now) -> String {
    let (id, nick, addr) = (one.id(), one.nick().shown(), one.addr().to_canonical());
    let account = one.account().and_then(|account| hub.accounts().get(account));
    let account = account.map_or_else(String::new, |account| format!(", account {}", account.name.shown()));
    let state = match (one, one.ago(now)) {
        (Bearer::Left(_), Some(ago)) => format!("left {} ago", in_words(ago)),
        (_, Some(ago)) => format!("called so until {} ago", in_words(ago)),
        (_, None) => "here".to_owned(),
    };
    format!("{id} ({nick}, {state}, {addr}{account})")
}
