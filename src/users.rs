//! What the system calls the user of a number, for people who read: `root (0)`.
//!
//! The system may ask a directory service for it, which takes its time: not for the driver's thread.

use nix::unistd::{Uid, User};

/// `root (0)`; `user 4711` if the number has no name here.
#[must_use]
pub fn called(uid: u32) -> String {
    match name(uid) {
        Some(name) => format!("{name} ({uid})"),
        None => format!("user {uid}"),
    }
}

/// The name of the user, if there is one.
#[must_use]
pub fn name(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

/// The number of the user of that name, if there is one.
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_name_is_told_all_the_same() {
        assert_eq!(called(0), "root (0)");
        assert_eq!(called(u32::MAX - 7), "user 4294967288");
    }
}
