//! `chathub-tls`, the real program, as clients of TLS, strangers, systemd and the hub meet it.
//!
//! The hub is played ([`hub::Played`]), but in `login`: it takes what is handed over, and reads and writes records with the secrets. So
//! it is seen that they are right. Tests wait for what is told, each with a deadline.
//!
//! | file | is about |
//! | --- | --- |
//! | `handing` | what is handed over: secrets, counters, who sends it; clients' certificates |
//! | `bounds` | too many, too slow, too much, and those who speak no TLS |
//! | `refusals` | which alert, or which words, for whom |
//! | `certificates` | names, what is refused, what ends soon, reading again |
//! | `away` | a hub that is not there, that comes back, whose queue is full |
//! | `ends` | kills, SIGTERM, handed-over sockets |
//! | `login` | the real hub behind the program: logging in by a client's certificate |
//! | `program`, `hub`, `client` | the program, the hub that is played, a client |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod away;
mod bounds;
mod certificates;
mod client;
mod ends;
#[path = "../guard/mod.rs"]
mod guard;
mod handing;
mod hub;
mod login;
mod program;
mod refusals;
#[path = "../shared/mod.rs"]
mod shared;
