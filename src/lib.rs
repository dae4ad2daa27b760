//! chathub: a chat hub for Linux that people reach with `telnet` or `nc`.
//!
//! # The map
//!
//! `hub` decides, `wire` translates, `net` carries.
//!
//! | module | is |
//! | --- | --- |
//! | [`values`] | names, moments, numbers, networks: what everything is written in. Pure |
//! | [`hub`] | what is decided: people, rooms, names, commands, limits. Pure: inputs and time in, effects out |
//! | [`wire`] | bytes to values and back: telnet, lines, a room's log and its cursors, all texts, the admin protocol. Pure |
//! | [`machine`] | the hub with every client's link, as one value: what survives the process |
//! | [`net`] | what carries: sockets and tasks |
//! | [`store`] | what outlives the daemon: recorded history, in one SQLite file |
//! | [`serve`] | the daemon put together, from arguments to exit code |
//! | [`kernel`] | what the kernel offers and no crate wraps safely: the one module with `unsafe` code |
//! | [`systemd`] | what the service manager hands over and is told |
//! | [`settings`], [`config`] | every setting, declared once; the files they are read from |
//! | [`logging`] | the journal |
//! | [`client`] | the client of the admin socket, for `ctl` and other programs |
//! | [`ctl`], [`cli`], [`exit`] | `chathub ctl`, the command line, the exit codes |
//!
//! Imports go one way: `values` ← `settings` ← `hub` ← `wire` ← `machine` ← `net`, `store` ← `serve`. How a line travels from one socket to another,
//! and what is deliberately absent, stands in `ARCHITECTURE.md`.
pub mod cli;
pub mod client;
pub mod config;
pub mod ctl;
pub mod exit;
pub mod hub;
pub mod kernel;
pub mod logging;
pub mod machine;
pub mod net;
pub mod serve;
pub mod settings;
pub mod store;
pub mod systemd;
pub mod values;
pub mod wire;
