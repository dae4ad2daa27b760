//! Showing memos to the people they are for.

use std::sync::Arc;

use super::{Memo, Memos};
use crate::hub::archive::Record;
use crate::hub::message::Message;
use crate::hub::sanction::Kind;
use crate::hub::session::Session;
use crate::hub::{Hub, Turn};
use crate::values::id::{AccountId, MemoId, SessionId};
use crate::values::name;
use crate::values::time::Now;

impl Hub {
    /// The client that is logged in to `account`, if there is one.
    #[must_use]
    pub fn bearer(&self, account: AccountId) -> Option<SessionId> {
        self.logged_in_to(account).next()
    }

    /// Whether nobody is shown the memo because its sender's account is now banned or shadow-muted.
    pub(super) fn is_unheard_since(&self, memo: &Memo, now: Now) -> bool {
        let account = memo.from.and_then(|from| self.accounts.get(from));
        let mut kept_from =
            account.into_iter().flat_map(|account| self.moderation.sanctions.of_name(&account.name, now));
        kept_from.any(|one| matches!(one.kind, Kind::Ban | Kind::Mute { shadow: true }))
    }

    /// Whether `session` ignores the sender of the memo, by anything that it ignores them by.
    fn ignores_memo(&self, session: &Session, memo: &Memo) -> bool {
        let name = name::fold(&memo.name);
        let sender = memo.from.and_then(|from| self.bearer(from)).and_then(|id| self.people.sessions.get(&id));
        session.ignoring.iter().any(|ignored| *ignored.folded == *name || ignored.sessions.contains(&memo.session))
            || sender.is_some_and(|sender| session.ignores(sender))
    }
}

impl Turn<'_> {
    /// Shows `id` the memos that wait for it, if it is logged in and reads, and drops them.
    pub(in crate::hub) fn deliver_memos(&mut self, id: SessionId) {
        let Some(session) = self.hub.people.sessions.get(&id) else { return };
        let Some(account) = session.account.filter(|_| session.at_door.is_none() && !session.crowded) else { return };
        let waiting: Vec<Arc<Memo>> = self.hub.memos.to(account).cloned().collect();
        if waiting.is_empty() {
            return;
        }
        let (at_once, since) = (Memos::shown_at_once(self.hub.settings.limits.mailbox), self.hub.memos_since(self.now));
        let (mut shown, mut bytes, mut left) = (Vec::new(), 0, 0);
        for memo in waiting {
            let is_seen = !memo.unheard
                && since.is_none_or(|since| memo.at >= since)
                && !self.hub.is_unheard_since(&memo, self.now)
                && !self.hub.ignores_memo(&self.hub.people.sessions[&id], &memo);
            if is_seen && !shown.is_empty() && bytes + memo.bytes() > at_once {
                // The mailbox has become smaller by the settings since the memos were left.
                left += 1;
                continue;
            }
            self.drop_memo(memo.id);
            if is_seen {
                bytes += memo.bytes();
                shown.push(memo);
            }
        }
        let Some(last) = shown.last() else { return };
        self.hub.counters.memos_delivered += shown.len() as u64;
        let from = last.from.and_then(|from| self.hub.bearer(from)).unwrap_or(last.session);
        let nick =
            self.hub.people.sessions.get(&from).map_or_else(|| last.name.clone(), |from| from.nick.shown().into());
        let session = self.hub.people.sessions.get_mut(&id).expect("it is here");
        session.private_from = Some(Box::new((from, nick)));
        session.asking.expect_reply(self.now);
        let offset = session.view.time.unwrap_or_default();
        self.tell(id, Message::Memos { memos: shown, left, offset });
    }

    /// Drops a memo, on disk as well.
    pub(super) fn drop_memo(&mut self, id: MemoId) {
        if self.hub.memos.remove(id).is_some_and(|memo| !memo.unheard) {
            self.record(Record::Unmemo(id));
        }
    }
}
