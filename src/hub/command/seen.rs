//! `/seen`: whether a person is here, or when they were last here.
//!
//! The answer holds only facts that others could have seen. It names no room that the asking person
//! cannot see and no name that only its bearer sees, and says nothing of addresses, last words or
//! why a person was sent away.

use super::super::message::{Message, Refusal, Seen};
use super::super::work;
use super::{Call, addressed, clip, split_word};
use crate::values::id::AccountId;
use crate::values::name;

pub(super) fn seen(call: &mut Call<'_, '_>, args: &str) {
    let (word, _) = split_word(args);
    let word = addressed(word);
    let name = name::fold(word);
    call.turn.hub.work.done += work::SEEN;
    let is_known = call.named(word).is_some() || call.turn.hub.accounts.find(&name).is_some();
    let renamed = if is_known { None } else { call.renamed(word) };
    let (hub, now) = (&call.turn.hub, call.turn.now);
    let account = hub.accounts.find(&name).and_then(|account| hub.accounts.get(account));
    let bearer = || account.and_then(|account| call.bearer(account.id));
    let here = call.named(word).or(renamed).or_else(bearer).and_then(|id| hub.session(id));
    // An account that its owner has removed leaves no trace.
    let remains = |account: Option<AccountId>| account.is_none_or(|account| hub.accounts.get(account).is_some());
    let left = hub.moderation.leavers.find(&name, None, now.mono).filter(|one| !one.at_door && remains(one.account));
    let found = match (here, account, left) {
        (Some(other), account, _) => {
            let own = account.filter(|own| other.account == Some(own.id) && other.nick_for(call.id) != &own.name);
            let own = own.map(|own| own.name.shown().into());
            let (name, nick) = match own {
                // A nick can say as much as a line, so the caller does not see the nick of a person
                // it ignores: the account's name stands in its place.
                Some(own) if call.own().ignores(other) => (None, own),
                own => (own, call.label(other)),
            };
            Seen::Here {
                name,
                nick,
                room: hub.room_for(call.id, &hub.rooms.open[&other.room]),
                idle: other.idle(now).as_secs(),
                away: other.away_for(call.own()),
            }
        }
        // Nobody has been seen on the account since it was made. `<=`: if the clock was set back
        // meanwhile, `seen` may lie before `since`.
        (None, Some(account), _) if account.seen <= account.since => {
            Seen::Never { name: account.name.shown().into(), since: account.since }
        }
        (None, Some(account), _) => Seen::Last {
            name: account.name.shown().into(),
            at: account.seen,
            ago: u64::try_from(now.wall.0.saturating_sub(account.seen.0) / 1000).unwrap_or(0),
        },
        (None, None, Some(leaver)) => {
            Seen::Left { nick: leaver.nick.shown().into(), ago: now.mono.since(leaver.at).as_secs() }
        }
        (None, None, None) if hub.is_unread() => return call.refuse(Refusal::NamesUnread),
        (None, None, None) => Seen::Not(clip(word)),
    };
    call.tell(Message::Seen(found));
}
