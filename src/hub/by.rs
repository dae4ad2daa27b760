//! The author of an audited action.

use serde::{Deserialize, Serialize};

use crate::values::id::{AccountId, SessionId};

/// The author of an audited action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// An administrator, over the admin socket.
    Admin {
        /// The user id, as the kernel tells it (`SO_PEERCRED`).
        uid: u32,
        /// The process id, from the same source.
        pid: i32,
    },
    /// A person in chat whose account has the role that the action needs.
    Operator {
        /// The client of that person at the time.
        session: SessionId,
        /// The account, which still has its name when the client has left.
        account: AccountId,
    },
    /// The hub itself, by its settings.
    Hub,
}

impl By {
    /// The user id, if it was an administrator over the admin socket.
    #[must_use]
    pub fn uid(self) -> Option<u32> {
        match self {
            Self::Admin { uid, .. } => Some(uid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }

    /// The process id, if it was an administrator over the admin socket.
    #[must_use]
    pub fn pid(self) -> Option<i32> {
        match self {
            Self::Admin { pid, .. } => Some(pid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }
}
