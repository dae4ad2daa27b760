//! What carries: sockets, tasks, clocks. It decides nothing and translates nothing.
//!
//! | module | does |
//! | --- | --- |
//! | [`arrival`] | what accepting, administration and other threads hand to the driver, in one queue |
//! | [`accept`] | one task for each listening socket: hands connections to the driver |
//! | [`driver`] | one task: owns the state machine; reads what clients send; inputs in, outcomes out |
//! | [`rounds`] | own the rooms' logs and everybody's cursors, and make all writes: a thread, or the driver where there is little to write |
//! | [`admin`] | one task for each connection to the admin socket; who holds them |
//! | [`connection`], [`readiness`] | a client's socket; which of them have something to read, or room |
//! | [`keep`] | what outlives the process: inputs and snapshots, sockets; taking over from a former process |
//! | [`hashing`] | threads that hash passwords |
//! | [`exchange`], [`numbered`], [`clock`] | what tasks hand each other; tables by number; the time |
//!
//! The driver never waits for a client, and neither do the rounds.

pub mod accept;
pub mod admin;
pub mod arrival;
pub mod clock;
pub mod connection;
pub mod driver;
pub mod exchange;
pub mod hashing;
pub mod keep;
pub mod numbered;
pub mod readiness;
pub mod rounds;
