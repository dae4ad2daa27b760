//! chathub: a chat hub for Linux that people reach with `telnet` or `nc`.
//!
//! # The map
//!
//! `hub` decides, `wire` translates, `machine` is what survives the process, `net` carries.
//!
//! | module | holds |
//! | --- | --- |
//! | [`values`] | plain values: names, moments, networks, rates, tables by number. Pure |
//! | [`hub`] | all decisions on people and rooms. Pure: inputs and time in, effects out |
//! | [`wire`] | bytes to values and back: telnet, lines, texts, the admin protocol. Pure |
//! | [`machine`] | the hub and all clients' links, as one value; its inputs are on the tape. Pure |
//! | [`net`] | sockets, threads, tasks; the tape, and taking over from a former process |
//! | [`store`] | recorded history, bans and accounts, in one SQLite file |
//! | [`serve`] | the daemon put together, from arguments to exit code |
//! | [`kernel`] | system calls that no crate wraps safely: the only module with `unsafe` code |
//! | [`accepting`] | what follows from an error of accept(2), for all programs |
//! | [`systemd`] | the sockets that the service manager hands over, and the messages to it |
//! | [`settings`], [`config`] | every setting, declared once; the files they are read from |
//! | [`logging`] | the journal |
//! | [`users`] | the names of the system's users |
//! | [`client`] | the client of the admin socket, for `ctl` and other programs |
//! | [`standing`] | the status file of `chathub-tls`: written by it, read by others |
//! | [`doctor`] | finds the mistakes in an installation, and says what to do about them |
//! | [`ctl`], [`cli`], [`exit`] | `chathub ctl`, the command line, the exit codes |
//!
//! Other programs are in `src/bin`, in a folder each. They are clients of the admin protocol, and
//! no module of the hub imports theirs.
//!
//! Imports go one way: `values` ← `settings` ← `hub` ← `wire` ← `machine` ← `net`, `store`, `ctl` ←
//! `serve`, `doctor`. `ARCHITECTURE.md` tells how a line travels from one socket to another, what
//! is deliberately absent, and where something new belongs.
pub mod accepting;
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
