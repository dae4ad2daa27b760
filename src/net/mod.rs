//! Sockets, threads, tasks, clocks. `net` decides nothing (`hub` does) and translates nothing (`wire` does).
//!
//! | to change | see |
//! | --- | --- |
//! | what accepting, administration and other threads hand to the driver, in one queue | [`arrival`] |
//! | how connections are accepted: a task for each listening socket | [`accept`] |
//! | how encrypted connections are taken from `chathub-tls` | [`handed`] |
//! | how connections are taken that a proxy carries on, and whose they are | [`proxied`] |
//! | the loop that owns the state machine, reads clients, and passes on what follows: one task | [`driver`] |
//! | all writes to clients, from the rooms' logs by each client's cursor: a thread, or the driver where there is little to write | [`rounds`] |
//! | the admin socket: a task for each connection; which connections there are | [`admin`] |
//! | a client's socket; which sockets have something to read, or room to write | [`connection`], [`readiness`] |
//! | what outlives the process: inputs and snapshots, sockets; taking over from a former process | [`keep`] |
//! | the threads that hash passwords | [`hashing`] |
//! | what tasks hand each other; tables by number; the time | [`exchange`], [`numbered`], [`clock`] |
//!
//! The driver never waits for a client, and neither do the rounds.

pub mod accept;
pub mod admin;
pub mod arrival;
pub mod clock;
pub mod connection;
pub mod driver;
pub mod exchange;
pub mod handed;
pub mod hashing;
pub mod keep;
pub mod numbered;
pub mod proxied;
pub mod readiness;
pub mod rounds;
