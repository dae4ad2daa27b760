//! Leaving a memo.

use std::sync::Arc;

use super::Memo;
use crate::hub::message::{Message, Refusal};
use crate::hub::speech::Carrier;
use crate::hub::{Turn, work};
use crate::values::id::{AccountId, SessionId};

impl Turn<'_> {
    /// Leaves `text` from `id` for the owner of the account `to`, who is not here.
    pub(in crate::hub) fn leave_memo(&mut self, id: SessionId, to: AccountId, text: &str) {
        let Some(account) = self.hub.accounts.get(to) else { return };
        let nick: Arc<str> = account.name.shown().into();
        if self.hub.settings.memos.waiting == 0 || !self.hub.recording.on {
            return self.refuse(id, Refusal::NoMemos(nick));
        }
        if self.hub.people.sessions.get(&id).is_none_or(|session| session.account.is_none()) {
            return self.refuse(id, Refusal::MemosOfMembers(nick));
        }
        if let Some(heard) = self.heard(id, Carrier::Memo, text) {
            self.whisper_later(heard, to);
        }
    }

    /// Keeps `memo` if there is room for it, and tells its sender.
    pub(in crate::hub) fn take_memo(&mut self, id: SessionId, nick: Arc<str>, memo: Memo) {
        let (settings, text) = (&self.hub.settings, memo.text.clone());
        if let Some(refusal) = self.hub.memos.refuse(&memo, nick.clone(), &settings.memos, settings.limits.mailbox) {
            self.hub.counters.memos_refused += 1;
            return self.refuse(id, refusal);
        }
        if memo.unheard {
            self.hub.memos.make_room_unheard(memo.bytes(), &self.hub.settings.memos);
        }
        self.hub.counters.memos_left += 1;
        self.hub.work.done += work::SHOWN;
        self.keep_memo(memo);
        self.tell(id, Message::MemoLeft { nick, text });
        self.warn_of_disk(id);
    }
}
