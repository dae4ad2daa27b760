//! Nobody notices: kill the daemon, abort it, freeze it, hand over, damage what it keeps, and look
//! whether everybody gets every line exactly once, whole, in order.
//!
//! | file | is |
//! | --- | --- |
//! | [`play`] | what people type, chosen by dice |
//! | [`check`] | whether everybody got what must arrive; pure |
//! | [`proof`] | whether the check finds what it is there to find |
//! | [`supervisor`] | the service manager's part: sockets, the store of descriptors, restarts |
//! | [`load`] | many clients over real sockets, who do what `play` says |
//! | [`kills`] | death at any time under load; how to go on for thousands |
//! | [`faults`] | death at every labelled step |
//! | [`tape`] | damage to what is kept |
//! | [`recorded`] | what stands on disk behind a death |
//! | [`sealed`] | encrypted connections, between what the other files do and the daemon |
//! | [`people`], [`lives`] | step by step: what stays, and what ends |
//! | [`slow`] | readers who miss lines, input that is held back, descriptors that just suffice |
//! | [`settings`] | what a restart applies; settings that cannot be used |
//! | [`memos`] | what is left for who is not here |
//! | [`reports`] | what people report about each other |
//! | [`weather`] | a disk that cannot be read meanwhile |
//! | [`typing`] | who types on a terminal, with our line editor |
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
