//! Memos: private messages that are kept for somebody who is registered and not here.
//!
//! `/msg NAME TEXT` reaches whoever bears the name. If nobody does and the name is registered, the text is kept for its
//! owner, on disk as well, and shown when they log in. Only who is logged in leaves a memo: what a stranger leaves would
//! lie in somebody's box with nobody to answer for it, and strangers come anew as often as they like.
//!
//! A memo is delivered once. That it was is one input with showing it, so a process that takes over knows of both or
//! neither; on disk it is removed within a tenth of a second.
//!
//! Memos of who is muted without being told are kept in memory alone, count for their sender alone, and are shown to
//! nobody.
//!
//! | to change | see |
//! | --- | --- |
//! | what a memo holds; what becomes of memos that come back from disk | [`Memo`], here |
//! | how many are kept, for whom and from whom | [`Memos`] |
//! | who may leave one; what its sender is told | `leaving` |
//! | showing them to whom they are for | `delivering` |
//! | letting go: of old ones, with an account, where lines are removed | `going` |

mod delivering;
mod going;
mod kept;
mod leaving;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use kept::Memos;

use super::archive::Record;
use super::{Hub, Turn};
use crate::values::id::{AccountId, MemoId, SessionId};
use crate::values::network::Origin;
use crate::values::time::Wall;

/// What a memo takes besides its text and its sender's name, in bytes: in memory, in tables, and on disk.
const AROUND: usize = 256;

/// A message that is kept for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memo {
    /// Its number.
    pub id: MemoId,
    /// When it was left.
    pub at: Wall,
    /// The account whose owner gets it.
    pub to: AccountId,
    /// The account of who has left it, unless that was removed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AccountId>,
    /// The client that has left it.
    pub session: SessionId,
    /// The name of its sender's account.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// Its sender was muted without being told: it is shown to nobody.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unheard: bool,
    /// Where it came from. It is not on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Memo {
    /// The memory that it counts for, in bytes.
    fn bytes(&self) -> usize {
        self.text.len() + self.name.len() + AROUND
    }

    /// Whether it counts for what that sender is told.
    fn counts_for(&self, sender: AccountId) -> bool {
        !self.unheard || self.from == Some(sender)
    }
}

impl Hub {
    /// The messages that are kept for those who are not here.
    #[must_use]
    pub fn memos(&self) -> &Memos {
        &self.memos
    }
}

impl Turn<'_> {
    /// Keeps a memo, on disk as well if it is to be heard.
    pub(super) fn keep_memo(&mut self, memo: Memo) {
        if !memo.unheard {
            self.record(Record::Memo(Box::new(memo.clone())));
        }
        let keep = self.hub.settings.memos.keep;
        self.hub.memos.put(memo, keep, self.now);
    }

    /// Takes the memos that stand on disk, but for those that are known or for nobody, and shows them to who is here.
    /// `renumbered` are the accounts that have other numbers than on disk.
    pub(super) fn recall_memos(&mut self, memos: Vec<Memo>, renumbered: &BTreeMap<AccountId, AccountId>) {
        let by_now = |account: AccountId| renumbered.get(&account).copied().unwrap_or(account);
        for mut memo in memos {
            (memo.to, memo.from) = (by_now(memo.to), memo.from.map(by_now));
            if self.hub.accounts.get(memo.to).is_none() {
                continue;
            }
            memo.from = memo.from.filter(|from| self.hub.accounts.get(*from).is_some());
            match self.hub.memos.get(memo.id).cloned() {
                None => {
                    let keep = self.hub.settings.memos.keep;
                    self.hub.memos.put(memo, keep, self.now);
                }
                // It is that one.
                Some(known) if (known.at, known.session) == (memo.at, memo.session) => {}
                Some(known) => {
                    // Another file's: it takes another number, and the file has both.
                    let id = MemoId(self.hub.memos.next_id().0.max(memo.id.0 + 1));
                    if known.unheard {
                        self.record(Record::Unmemo(known.id));
                    } else {
                        self.record(Record::Memo(Box::new((*known).clone())));
                    }
                    self.keep_memo(Memo { id, ..memo });
                }
            }
        }
        let here: Vec<SessionId> = self.hub.people.logged_in.iter().map(|(_, id)| *id).collect();
        here.into_iter().for_each(|id| self.deliver_memos(id));
    }

    /// Records again all that are to be heard: a new file has none of them.
    pub(super) fn record_memos_again(&mut self) {
        let memos: Vec<_> = self.hub.memos.iter().filter(|memo| !memo.unheard).cloned().collect();
        for memo in memos {
            self.record(Record::Memo(Box::new((*memo).clone())));
        }
    }
}
