//! The memos that are kept, and how many there may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::Memo;
use crate::hub::message::Refusal;
use crate::settings;
use crate::values::id::{AccountId, MemoId};
use crate::values::network::Origin;
use crate::values::time::{Mono, Now, Wall};

/// One sender may have left a quarter of the memos that may wait for one person.
const OF_ONE: usize = 4;

/// One address may have left half of the memos that may wait for one person.
const FROM_ONE: usize = 2;

/// One address may take an eighth of the memory for all memos. Unheard memos may take another eighth.
const PART: usize = 8;

/// The memos that wait for one person are shown in one go, so they take at most an eighth of the person's mailbox.
const OF_MAILBOX: usize = 8;

/// The longest time between two looks for memos that are kept no longer: the wall clock may have jumped.
const AT_LEAST: Duration = Duration::from_secs(3600);

/// All memos that are kept.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "SavedMemos")]
pub struct Memos {
    next: u64,
    kept: BTreeMap<MemoId, Arc<Memo>>,
    to: BTreeMap<AccountId, BTreeSet<MemoId>>,
    from: BTreeMap<AccountId, BTreeSet<MemoId>>,
    /// The bytes of the memos that will be shown, in all and by origin.
    bytes: usize,
    from_there: BTreeMap<Origin, usize>,
    /// The memos of shadow-muted senders, which are shown to nobody, and their bytes.
    unheard: BTreeSet<MemoId>,
    unheard_bytes: usize,
    /// When to look again for memos that are kept no longer; `None`: never.
    due: Option<Mono>,
}

/// The memos, as a snapshot is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SavedMemos {
    next: u64,
    due: Option<Mono>,
    kept: Vec<Memo>,
}

impl From<SavedMemos> for Memos {
    fn from(saved: SavedMemos) -> Self {
        let mut this = Self { next: saved.next, due: saved.due, ..Self::default() };
        saved.kept.into_iter().for_each(|memo| this.insert(memo));
        this
    }
}

impl Serialize for Memos {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Saving<'a> {
            next: u64,
            due: Option<Mono>,
            kept: Vec<&'a Memo>,
        }
        let kept = self.kept.values().map(|memo| &**memo).collect();
        Saving { next: self.next, due: self.due, kept }.serialize(to)
    }
}

impl Memos {
    /// A copy of all memos without indexes, to be written down.
    pub(in crate::hub) fn frozen(&self) -> Self {
        Self { next: self.next, due: self.due, kept: self.kept.clone(), ..Self::default() }
    }

    /// The number of the next memo.
    pub(in crate::hub) fn next_id(&self) -> MemoId {
        MemoId(self.next.max(1))
    }

    /// Makes the next number at least this one.
    pub(in crate::hub) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Puts a memo in, in place of the one with its number.
    pub(super) fn put(&mut self, memo: Memo, keep: Option<Duration>, now: Now) {
        let at = memo.at;
        self.insert(memo);
        if let Some(keep) = keep {
            self.look_at(at, keep, now);
        }
    }

    /// Has the hub look again when a memo left at `at` is kept no longer, or before.
    pub(super) fn look_at(&mut self, at: Wall, keep: Duration, now: Now) {
        let left = u64::try_from(at.after(keep).0.saturating_sub(now.wall.0)).unwrap_or(0);
        let due = now.mono.after(Duration::from_millis(left.saturating_add(1)).min(AT_LEAST));
        self.due = Some(self.due.map_or(due, |known| known.min(due)));
    }

    fn insert(&mut self, memo: Memo) {
        self.remove(memo.id);
        self.number_from(memo.id.0.saturating_add(1));
        let (id, bytes) = (memo.id, memo.bytes());
        self.to.entry(memo.to).or_default().insert(id);
        if let Some(from) = memo.from {
            self.from.entry(from).or_default().insert(id);
        }
        if memo.unheard {
            self.unheard.insert(id);
            self.unheard_bytes += bytes;
        } else {
            self.bytes += bytes;
            if let Some(origin) = memo.origin {
                *self.from_there.entry(origin).or_default() += bytes;
            }
        }
        self.kept.insert(id, Arc::new(memo));
    }

    /// Removes and returns a memo.
    pub(super) fn remove(&mut self, id: MemoId) -> Option<Arc<Memo>> {
        let memo = self.kept.remove(&id)?;
        take_out(&mut self.to, memo.to, id);
        if let Some(from) = memo.from {
            take_out(&mut self.from, from, id);
        }
        if self.unheard.remove(&id) {
            self.unheard_bytes -= memo.bytes();
            return Some(memo);
        }
        self.bytes -= memo.bytes();
        if let Some(origin) = memo.origin
            && let Some(bytes) = self.from_there.get_mut(&origin)
        {
            *bytes -= memo.bytes();
            if *bytes == 0 {
                self.from_there.remove(&origin);
            }
        }
        Some(memo)
    }

    /// The memo of this number.
    #[must_use]
    pub fn get(&self, id: MemoId) -> Option<&Arc<Memo>> {
        self.kept.get(&id)
    }

    /// All memos, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Memo>> {
        self.kept.values()
    }

    /// The memos for the owner of that account, by number.
    pub(super) fn to(&self, account: AccountId) -> impl Iterator<Item = &Arc<Memo>> {
        self.to.get(&account).into_iter().flatten().map(|id| &self.kept[id])
    }

    /// The memos that the owner of that account has left, by number.
    pub(super) fn from(&self, account: AccountId) -> impl Iterator<Item = &Arc<Memo>> {
        self.from.get(&account).into_iter().flatten().map(|id| &self.kept[id])
    }

    /// How many memos wait to be shown.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.kept.len() - self.unheard.len()
    }

    /// How many memos wait to be shown to the owner of that account.
    #[must_use]
    pub fn waiting_for(&self, account: AccountId) -> usize {
        self.to(account).filter(|memo| !memo.unheard).count()
    }

    /// When to look again for memos that are kept no longer; `None`: never.
    pub(in crate::hub) fn due(&self) -> Option<Mono> {
        self.due
    }

    /// The numbers of the memos that were left before `since`, and when the oldest of the others was left. The caller
    /// has to set the next look ([`Self::look_at`]).
    pub(super) fn over(&mut self, since: Wall) -> (Vec<MemoId>, Option<Wall>) {
        self.due = None;
        let over = self.kept.values().filter(|memo| memo.at < since).map(|memo| memo.id).collect();
        let oldest = self.kept.values().map(|memo| memo.at).filter(|at| *at >= since).min();
        (over, oldest)
    }

    /// Drops the oldest memos of shadow-muted senders until there is room for `bytes` more of such memos.
    pub(super) fn make_room_unheard(&mut self, bytes: usize, limits: &settings::MemoSettings) {
        while self.unheard_bytes + bytes > limits.bytes / PART
            && let Some(first) = self.unheard.first().copied()
        {
            self.remove(first);
        }
    }

    /// Why `memo` cannot be kept; `None` if it can. `nick` is the name of the person it is for.
    pub(super) fn refuse(
        &self,
        memo: &Memo,
        nick: Arc<str>,
        limits: &settings::MemoSettings,
        mailbox: usize,
    ) -> Option<Refusal> {
        let sender = memo.from?;
        let bytes = memo.bytes();
        let own = || self.from(sender);
        if own().count() >= limits.of_one as usize {
            return Some(Refusal::TooManyMemos(own().count()));
        }
        let most = limits.waiting as usize;
        let theirs = || self.to(memo.to).filter(|other| other.counts_for(sender));
        let of_sender = theirs().filter(|other| other.from == Some(sender)).count();
        if of_sender >= (most / OF_ONE).max(1) {
            return Some(Refusal::TooManyMemosFor { nick, count: of_sender });
        }
        let is_from_there = |other: &&Arc<Memo>| other.origin.is_some() && other.origin == memo.origin;
        let their_bytes: usize = theirs().map(|other| other.bytes()).sum();
        if theirs().count() >= most
            || theirs().filter(is_from_there).count() >= (most / FROM_ONE).max(1)
            || (their_bytes > 0 && their_bytes + bytes > mailbox / OF_MAILBOX)
        {
            return Some(Refusal::MemosWait(nick));
        }
        // The memos that the sender left while shadow-muted count for the sender as if they were kept like others.
        let unheard: usize = own().filter(|other| other.unheard).map(|other| other.bytes()).sum();
        let from_there = memo.origin.and_then(|origin| self.from_there.get(&origin)).copied().unwrap_or(0);
        let is_full = self.bytes + unheard + bytes > limits.bytes || from_there + unheard + bytes > limits.bytes / PART;
        is_full.then_some(Refusal::MemosFull)
    }

    /// How many bytes of memos are shown in one go, if mailboxes hold `mailbox` bytes.
    pub(super) fn shown_at_once(mailbox: usize) -> usize {
        mailbox / OF_MAILBOX
    }

    /// Panics if the indexes do not fit the memos.
    pub(in crate::hub) fn check_invariants(&self) {
        let all = || self.kept.values();
        assert_eq!(self.to.values().map(BTreeSet::len).sum::<usize>(), self.kept.len(), "each is for somebody");
        let from_somebody = all().filter(|memo| memo.from.is_some()).count();
        assert_eq!(self.from.values().map(BTreeSet::len).sum::<usize>(), from_somebody, "each is from somebody");
        let bytes = |unheard| all().filter(|memo| memo.unheard == unheard).map(|memo| memo.bytes()).sum::<usize>();
        assert_eq!((self.bytes, self.unheard_bytes), (bytes(false), bytes(true)), "their bytes are counted");
        let mut from_there: BTreeMap<Origin, usize> = BTreeMap::new();
        for memo in all().filter(|memo| !memo.unheard) {
            if let Some(origin) = memo.origin {
                *from_there.entry(origin).or_default() += memo.bytes();
            }
        }
        assert_eq!(from_there, self.from_there, "each is counted where it came from");
        assert_eq!(all().filter(|memo| memo.unheard).count(), self.unheard.len(), "those that nobody sees are known");
        assert!(self.kept.keys().all(|id| id.0 < self.next), "numbers rise");
    }
}

fn take_out(index: &mut BTreeMap<AccountId, BTreeSet<MemoId>>, account: AccountId, id: MemoId) {
    if let Some(theirs) = index.get_mut(&account) {
        theirs.remove(&id);
        if theirs.is_empty() {
            index.remove(&account);
        }
    }
}
