//! The names of users, for people who read: `root (0)`.
//!
//! The system may have to ask a directory service, which takes time. So the driver's thread must
//! not call these functions.

use nix::unistd::{Uid, User};

/// The user's name and number, as in `root (0)`; `user 4711` if this system has no name for the
/// number.
#[must_use]
pub fn called(uid: u32) -> String {
    match name(uid) {
        Some(name) => format!("{name} ({uid})"),
        None => format!("user {uid}"),
    }
}

/// The user's name; `None` if this system has none for the number.
#[must_use]
pub fn name(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

/// The number of the user of this name; `None` if there is no such user.
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_is_shown_by_number() {
        assert_eq!(called(0), "root (0)");
        assert_eq!(called(u32::MAX - 7), "user 4294967288");
    }
}
