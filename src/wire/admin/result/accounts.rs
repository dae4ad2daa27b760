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
    /// The id of the client that is logged in to the account; absent if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether the account has a password; without one, only its certificates log in to it.
    pub password: bool,
    /// The certificates that log in to the account, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// The number of messages that wait until somebody logs in to the account.
    #[serde(default, skip_serializing_if = "none_wait")]
    pub memos: u64,
}

/// A certificate that logs in to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// SHA-256 of the certificate's public key, in hexadecimal digits.
    pub fingerprint: String,
    /// Since when the certificate logs in to the account.
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
    /// Whether there may be more accounts on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// An account that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDone {
    /// The account as it is after the change, or as it was before it was removed.
    pub account: Account,
    /// Whether nothing was changed, because the request had `dry_run`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}
