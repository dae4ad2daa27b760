//! The real program over real sockets, as people, administrators and systemd meet it.
//!
//! Each test starts a daemon of its own ([`stage::Daemon`]) on ports that the system chooses. Tests
//! wait for lines, answers, notifications and ends of streams, all under one deadline; where nothing
//! tells of what they wait for, they ask again until it is so, and none takes time for a sign. When a test fails, its whole story is printed: what everybody sent and got, and the log.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod accounts;
mod activation;
mod admin;
mod bans;
mod bounds;
mod chatting;
mod crowd;
mod doctor;
#[path = "../guard/mod.rs"]
mod guard;
mod history;
mod journal;
mod memory;
mod memos;
mod on_disk;
mod programs;
mod proxied;
mod reports;
mod screens;
mod segments;
mod settings;
#[path = "../shared/mod.rs"]
mod shared;
mod shutdown;
mod stage;
mod terminals;
mod tmux;
mod top;
mod weather;
mod web;
