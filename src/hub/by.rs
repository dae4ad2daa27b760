//! Who did something that is audited.

use serde::{Deserialize, Serialize};

use crate::values::id::{AccountId, SessionId};

/// The person who did something that is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// An administrator, over the admin socket.
    Admin {
        /// The user id, as the kernel tells it (`SO_PEERCRED`).
        uid: u32,
        /// The process id, by the same option.
        pid: i32,
    },
    /// A person in chat whose account has the role for it.
    Operator {
        /// The client of that person when they did it.
        session: SessionId,
        /// The account, which is still known when the client has gone.
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
