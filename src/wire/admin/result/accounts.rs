//! Registered names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::admin::value::{Role, Time};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The name of the account.
    pub name: String,
    /// The role of the account.
    pub role: Role,
    /// When the account was made.
    pub since: Time,
    /// When somebody last logged in to the account or out of it.
    pub seen: Time,
    /// The id of the client that is logged in to the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether the account has a password; without one, only its certificates log in to it.
    pub password: bool,
    /// The certificates that log in to the account, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// How many messages wait until somebody logs in to it.
    #[serde(default, skip_serializing_if = "none_wait")]
    pub memos: u64,
}

/// A certificate that logs in to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// SHA-256 of its public key, in hexadecimal digits.
    pub fingerprint: String,
    /// Since when it logs in.
    pub since: Time,
}

fn none_wait(memos: &u64) -> bool {
    *memos == 0
}

/// Accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountList {
    /// The accounts, the oldest first.
    pub accounts: Vec<Account>,
    /// The number of accounts in the list.
    pub total: u64,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// An account that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDone {
    /// The account after the change; before it, if it was removed.
    pub account: Account,
    /// True if nothing was changed, because that was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}
