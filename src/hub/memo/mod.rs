//! Memos: private messages that are kept for people who are registered and not here.
//!
//! `/msg NAME TEXT` reaches the client that bears the name. If none does and the name is registered, the text is kept
//! for its owner, on disk as well, and shown when they log in. Only clients that are logged in can leave a memo. Nobody
//! could answer for what a stranger leaves in somebody's box, and strangers come anew as often as they like.
//!
//! A memo is delivered once. The same input shows it and removes it, so a process that takes over knows of both or of
//! neither. It is removed from the disk within a tenth of a second.
//!
//! Memos from shadow-muted senders are kept in memory alone, count for their sender alone, and are shown to nobody.
//!
//! | to change | see |
//! | --- | --- |
//! | what a memo holds; merging memos that come back from disk | [`Memo`], here |
//! | how many are kept, for whom and from whom | [`Memos`] |
//! | who may leave one; what its sender is told | `leaving` |
//! | showing memos to the people they are for | `delivering` |
//! | dropping memos: old ones, those of a removed account, those that are redacted | `going` |

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
    /// The memo's number.
    pub id: MemoId,
    /// When it was left.
    pub at: Wall,
    /// The account whose owner it is for.
    pub to: AccountId,
    /// The sender's account; `None` if that was removed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AccountId>,
    /// The sender's client.
    pub session: SessionId,
    /// The name of the sender's account.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// Whether the sender was shadow-muted: nobody is shown the memo.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unheard: bool,
    /// The origin that it came from. This is not on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Memo {
    /// What the memo counts, in bytes.
    fn bytes(&self) -> usize {
        self.text.len() + self.name.len() + AROUND
    }

    /// Whether the memo counts in answers to `sender`: that of a shadow-muted sender counts for them alone.
    fn counts_for(&self, sender: AccountId) -> bool {
        !self.unheard || self.from == Some(sender)
    }
}

impl Hub {
    /// The messages that are kept for people who are not here.
    #[must_use]
    pub fn memos(&self) -> &Memos {
        &self.memos
    }
}

impl Turn<'_> {
    /// Keeps a memo, on disk as well unless its sender was shadow-muted.
    pub(super) fn keep_memo(&mut self, memo: Memo) {
        // A record in either case: an answer that waits for the disk comes as late to who is shadow-muted.
        self.record(match memo.unheard {
            false => Record::Memo(Box::new(memo.clone())),
            true => Record::Unmemo(memo.id),
        });
        let keep = self.hub.settings.memos.keep;
        self.hub.memos.put(memo, keep, self.now);
    }

    /// Takes memos from disk that the hub does not know, except those for accounts that are gone, and shows them to
    /// people who are here. `renumbered` are the accounts whose numbers differ from those on disk.
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
                // The hub knows this memo.
                Some(known) if (known.at, known.session) == (memo.at, memo.session) => {}
                Some(known) => {
                    // It is another memo, from another file: it gets another number, and the file gets both.
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

    /// Records all memos again that will be shown: a new file has none of them.
    pub(super) fn record_memos_again(&mut self) {
        let memos: Vec<_> = self.hub.memos.iter().filter(|memo| !memo.unheard).cloned().collect();
        for memo in memos {
            self.record(Record::Memo(Box::new((*memo).clone())));
        }
    }
}
