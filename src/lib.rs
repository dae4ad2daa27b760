//! chathub: a chat hub for Linux that people reach with `telnet` or `nc`.
//!
//! # The map
//!
//! `hub` decides, `wire` translates, `machine` is what survives the process, `net` carries.
//!
//! | module | is |
//! | --- | --- |
//! | [`values`] | plain values: names, moments, networks, rates, tables by number. Pure |
//! | [`hub`] | all decisions about people, rooms, names, commands, limits. Pure: inputs and time in, effects out |
//! | [`wire`] | bytes to values and back: telnet, lines, a room's log and its cursors, all texts, the admin protocol. Pure |
//! | [`machine`] | the hub with every client's link, as one value; what reaches it is on the tape. Pure |
//! | [`net`] | sockets, threads, tasks; the tape, and taking over from a former process |
//! | [`store`] | recorded history, bans and accounts, in one SQLite file |
//! | [`serve`] | the daemon put together, from arguments to exit code |
//! | [`kernel`] | what the kernel offers and no crate wraps safely: the one module with `unsafe` code |
//! | [`systemd`] | what the service manager hands over, and what it is told |
//! | [`settings`], [`config`] | every setting, declared once; the files they are read from |
//! | [`logging`] | the journal |
//! | [`users`] | what the system calls a user |
//! | [`client`] | the client of the admin socket, for `ctl` and other programs |
//! | [`standing`] | how `chathub-tls` stands, as it writes it down and others read it |
//! | [`doctor`] | what is wrong with an installation, and what to do about it |
//! | [`ctl`], [`cli`], [`exit`] | `chathub ctl`, the command line, the exit codes |
//!
//! Other programs are in `src/bin`, in a folder each. They are clients of the admin protocol, and
//! no module of the hub imports theirs.
//!
//! Imports go one way: `values` ← `settings` ← `hub` ← `wire` ← `machine` ← `net`, `store`, `ctl` ←
//! `serve`, `doctor`. `ARCHITECTURE.md` tells how a line travels from one socket to another, what
//! is deliberately absent, and where something new belongs.
pub mod cli;
pub mod client;
pub mod config;
pub mod ctl;
pub mod doctor;
pub mod exit;
pub mod hub;
pub mod kernel;
pub mod logging;
pub mod machine;
pub mod net;
pub mod serve;
pub mod settings;
pub mod standing;
pub mod store;
pub mod systemd;
pub mod users;
pub mod values;
pub mod wire;
