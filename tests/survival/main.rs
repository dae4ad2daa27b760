//! Nobody notices a restart: kill the daemon, abort it, freeze it, hand over, damage its tape, and
//! check that everybody gets every line exactly once, whole and in order.
//!
//! | file | holds |
//! | --- | --- |
//! | [`play`] | the acts that people type, chosen at random |
//! | [`check`] | whether everybody got the lines they must get; pure |
//! | [`proof`] | tests that the check finds mistakes |
//! | [`supervisor`] | the service manager's part: sockets, the descriptor store, restarts |
//! | [`load`] | many clients over real sockets, who do what `play` chooses |
//! | [`kills`] | death at any time under load; how to run for thousands of deaths |
//! | [`faults`] | death at every labelled step |
//! | [`tape`] | a damaged tape |
//! | [`recorded`] | the record on disk after a death |
//! | [`sealed`] | encrypts connections between the clients of the other files and the daemon |
//! | [`people`], [`lives`] | step by step: what survives, and what ends |
//! | [`slow`] | readers who miss lines, input that is held back, descriptors that just suffice |
//! | [`settings`] | settings that a restart applies; settings that cannot be used |
//! | [`memos`] | messages for people who are not here |
//! | [`reports`] | reports of people about each other |
//! | [`weather`] | a disk that cannot be read for a while |
//! | [`typing`] | people who type on a terminal, with our line editor |
//! | [`outside`] | the load for a service in a container: see `tests/system` |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod check;
mod faults;
#[path = "../guard/mod.rs"]
mod guard;
mod kills;
mod lives;
mod load;
mod memos;
mod moderation;
mod outside;
mod passwords;
mod people;
mod play;
mod proof;
mod recorded;
mod reports;
mod sealed;
mod settings;
#[path = "../shared/mod.rs"]
mod shared;
mod slow;
mod supervisor;
mod tape;
mod typing;
mod weather;
#[path = "../world/mod.rs"]
mod world;
