//! A person in a report.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hub::leavers::Leaver;
use crate::hub::ownership::Guest;
use crate::hub::session::Session;
use crate::values::id::{AccountId, SessionId};

/// A person in a report, as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The person's name then; empty if it was erased since.
    pub name: Arc<str>,
    /// The account to which the person was logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The person's client.
    pub session: SessionId,
}

impl Party {
    pub(super) fn of(session: &Session) -> Self {
        Self { name: session.nick.shown().into(), account: session.account, session: session.id }
    }

    /// A person who has left recently.
    pub(super) fn of_leaver(leaver: &Leaver) -> Self {
        Self { name: leaver.nick.shown().into(), account: leaver.account, session: leaver.id }
    }

    /// Whether both are the same person, as far as can be told.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.session == other.session || (self.account.is_some() && self.account == other.account)
    }

    /// The person's name in a list.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { "(erased)" } else { &self.name }
    }

    pub(super) fn guest(&self) -> Guest {
        self.account.map_or(Guest::Session(self.session), Guest::Account)
    }
}
