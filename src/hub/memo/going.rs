//! Letting go of memos: of those that are kept no longer, with an account, and where lines are removed.

use std::sync::Arc;

use super::Memo;
use crate::hub::archive::Selector;
use crate::hub::{Hub, Turn};
use crate::values::id::{AccountId, MemoId};
use crate::values::name;
use crate::values::time::{Now, Wall};

impl Memo {
    /// Whether it is among the lines that are meant: as if its sender had said it, in no room.
    fn is_meant(&self, what: &Selector) -> bool {
        // Who has everything removed that was said at some time, or in some room, does not mean what is for one alone.
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
    /// The moment before which memos that were left are kept no longer.
    pub(super) fn memos_since(&self, now: Now) -> Option<Wall> {
        self.settings.memos.keep.map(|keep| now.wall.before(keep))
    }
}

impl Turn<'_> {
    /// Lets go of those that are kept no longer, if it is time to look.
    pub(in crate::hub) fn expire_memos(&mut self) {
        if self.hub.memos.due().is_some_and(|due| due <= self.now.mono) {
            self.look_through_memos();
        }
    }

    /// Lets go of those that are kept no longer, and notes when to look again.
    pub(in crate::hub) fn look_through_memos(&mut self) {
        let (keep, since) = (self.hub.settings.memos.keep, self.hub.memos_since(self.now));
        let (over, oldest) = self.hub.memos.over(since.unwrap_or(Wall(i64::MIN)));
        over.into_iter().for_each(|id| self.drop_memo(id));
        if let Some((oldest, keep)) = oldest.zip(keep) {
            self.hub.memos.look_at(oldest, keep, self.now);
        }
    }

    /// An account is no more: what waited for it goes, and what its owner has left is from nobody who could be found.
    pub(in crate::hub) fn orphan_memos(&mut self, account: AccountId) {
        let theirs: Vec<MemoId> = self.hub.memos.to(account).map(|memo| memo.id).collect();
        theirs.into_iter().for_each(|id| self.drop_memo(id));
        let left: Vec<Arc<Memo>> = self.hub.memos.from(account).cloned().collect();
        for memo in left {
            self.keep_memo(Memo { from: None, ..(*memo).clone() });
        }
    }

    /// Lets go of what the owner of an account has left for others.
    pub(in crate::hub) fn erase_memos(&mut self, account: AccountId) {
        let name = self.hub.accounts.get(account).map(|account| account.name.folded().to_owned());
        let is_theirs = |memo: &&Arc<Memo>| {
            memo.from == Some(account) || name.as_deref().is_some_and(|theirs| name::fold(&memo.name) == theirs)
        };
        let theirs: Vec<MemoId> = self.hub.memos.iter().filter(is_theirs).map(|memo| memo.id).collect();
        theirs.into_iter().for_each(|id| self.drop_memo(id));
    }

    /// Lets go of those that are among the lines that are meant.
    pub(in crate::hub) fn redact_memos(&mut self, what: &Selector) {
        let meant: Vec<MemoId> = self.hub.memos.iter().filter(|memo| memo.is_meant(what)).map(|memo| memo.id).collect();
        for id in meant {
            self.drop_memo(id);
        }
    }
}
