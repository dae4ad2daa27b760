//! Dropping memos: those that are kept no longer, those of a removed account, and those that are redacted.

use std::sync::Arc;

use super::Memo;
use crate::hub::archive::Selector;
use crate::hub::{Hub, Turn};
use crate::values::id::{AccountId, MemoId};
use crate::values::name;
use crate::values::time::{Now, Wall};

impl Memo {
    /// Whether `what` selects the memo, as if its sender had said it outside of all rooms.
    fn is_meant(&self, what: &Selector) -> bool {
        // A redaction of everything from some time or some room does not mean private messages.
        let is_about_somebody = what.client.is_some() || what.nick.is_some() || what.text.is_some();
        is_about_somebody
            && what.room.is_none()
            && what.from.is_none()
            && what.to.is_none()
            && what.client.is_none_or(|client| self.session == client)
            && what.nick.as_deref().is_none_or(|nick| name::fold(&self.name) == nick)
            && what.since.is_none_or(|since| self.at >= since)
            && what.until.is_none_or(|until| self.at < until)
            && what.text.as_deref().is_none_or(|text| name::fold(&self.text).contains(text))
    }
}

impl Hub {
    /// The time before which memos must have been left to be kept no longer; `None`: they are kept without end.
    pub(super) fn memos_since(&self, now: Now) -> Option<Wall> {
        self.settings.memos.keep.map(|keep| now.wall.before(keep))
    }
}

impl Turn<'_> {
    /// Drops the memos that are kept no longer, if it is time to look.
    pub(in crate::hub) fn expire_memos(&mut self) {
        if self.hub.memos.due().is_some_and(|due| due <= self.now.mono) {
            self.look_through_memos();
        }
    }

    /// Drops the memos that are kept no longer, and notes when to look again.
    pub(in crate::hub) fn look_through_memos(&mut self) {
        let (keep, since) = (self.hub.settings.memos.keep, self.hub.memos_since(self.now));
        let (over, oldest) = self.hub.memos.over(since.unwrap_or(Wall(i64::MIN)));
        over.into_iter().for_each(|id| self.drop_memo(id));
        if let Some((oldest, keep)) = oldest.zip(keep) {
            self.hub.memos.look_at(oldest, keep, self.now);
        }
    }

    /// An account was removed: drops the memos that waited for its owner. The memos that its owner has left stay,
    /// without a sender's account.
    pub(in crate::hub) fn orphan_memos(&mut self, account: AccountId) {
        let theirs: Vec<MemoId> = self.hub.memos.to(account).map(|memo| memo.id).collect();
        theirs.into_iter().for_each(|id| self.drop_memo(id));
        let left: Vec<Arc<Memo>> = self.hub.memos.from(account).cloned().collect();
        for memo in left {
            self.keep_memo(Memo { from: None, ..(*memo).clone() });
        }
    }

    /// Drops the memos that the owner of an account has left for others.
    pub(in crate::hub) fn erase_memos(&mut self, account: AccountId) {
        let name = self.hub.accounts.get(account).map(|account| account.name.folded().to_owned());
        let is_theirs = |memo: &&Arc<Memo>| {
            memo.from == Some(account) || name.as_deref().is_some_and(|theirs| name::fold(&memo.name) == theirs)
        };
        let theirs: Vec<MemoId> = self.hub.memos.iter().filter(is_theirs).map(|memo| memo.id).collect();
        theirs.into_iter().for_each(|id| self.drop_memo(id));
    }

    /// Drops the memos that `what` selects.
    pub(in crate::hub) fn redact_memos(&mut self, what: &Selector) {
        let meant: Vec<MemoId> = self.hub.memos.iter().filter(|memo| memo.is_meant(what)).map(|memo| memo.id).collect();
        for id in meant {
            self.drop_memo(id);
        }
    }
}
