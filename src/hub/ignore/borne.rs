//! The ignored names that a session bears, or has borne.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Ignored, Shunned};

/// The most ignored names of one session that are remembered. A session that takes more loses the
/// first, so those who ignore that name see it again; by reconnecting it would gain as much.
pub(super) const REMEMBERED: usize = 16;

/// One ignored name that a session bears, or has borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bearing {
    /// The number of the name.
    pub(super) name: u64,
    /// The moment at which the session gave the name up; `None` while it bears the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<u64>,
}

impl Bearing {
    fn is_meant(self, since: u64) -> bool {
        self.until.is_none_or(|until| until > since)
    }
}

/// The ignored names that a session bears, or has borne. Every line of the session holds a clone,
/// which shares the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Borne(Option<Arc<[Bearing]>>);

impl Borne {
    /// Whether the session has borne no ignored name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn bearings(&self) -> &[Bearing] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether a line or session with these names is hidden from a reader that ignores `names`,
    /// which are in rising order.
    #[must_use]
    pub fn is_hidden_by(&self, names: &[Shunned]) -> bool {
        self.bearings().iter().any(|bearing| {
            let found = names.binary_search_by_key(&bearing.name, |shunned| shunned.name);
            found.is_ok_and(|at| bearing.is_meant(names[at].since))
        })
    }

    pub(super) fn is_meant_by(&self, ignored: &Ignored) -> bool {
        self.bearings().iter().any(|bearing| bearing.name == ignored.name && bearing.is_meant(ignored.since))
    }

    /// Adds a name that the session bears from now on. If there are more than `REMEMBERED`, names
    /// that nobody ignores any more are dropped first, then the oldest.
    pub(super) fn take_up(&mut self, name: u64, is_ignored: impl Fn(u64) -> bool) {
        let others = self.bearings().iter().copied().filter(|bearing| bearing.name != name);
        let mut all: Vec<_> = others.chain([Bearing { name, until: None }]).collect();
        if all.len() > REMEMBERED {
            all.retain(|bearing| is_ignored(bearing.name));
        }
        let over = all.len().saturating_sub(REMEMBERED);
        self.0 = Some(all.drain(over..).collect());
    }

    /// Whether the session bears an ignored name now.
    pub(super) fn still(&self) -> bool {
        self.bearings().iter().any(|bearing| bearing.until.is_none())
    }

    /// Notes that the session gives its name up at the moment `now`.
    pub(super) fn lay_down(&mut self, now: u64) {
        let ended = |bearing: &Bearing| Bearing { until: bearing.until.or(Some(now)), ..*bearing };
        self.0 = Some(self.bearings().iter().map(ended).collect());
    }
}
