//! What carries: sockets, tasks, clocks. It decides nothing and translates nothing.
//!
//! | module | does |
//! | --- | --- |
//! | [`accept`] | one task for each listening socket: hands connections to the driver |
//! | [`driver`] | one task: owns the state machine; reads what clients send; inputs in, outcomes out |
//! | [`rounds`] | own the rooms' logs and everybody's cursors, and make all writes: a thread, or the driver where there is little to write |
//! | [`control`], [`admins`] | one task for each connection to the admin socket; who holds them |
//! | [`connection`], [`readiness`] | a client's socket; which of them have something to read, or room |
//! | [`tape`], [`queue`] | what outlives the process: inputs and snapshots; sockets |
//! | [`snapshot`] | the thread that writes snapshots of a frozen state |
//! | [`turns`], [`times`] | whose turn it is to be read, by address; how long the driver's turns take |
//! | [`hashing`] | threads that hash passwords |
//! | [`exchange`], [`numbered`] | what tasks hand each other; tables by number |
//! | [`recovery`] | taking over from a former process |
//!
//! The driver never waits for a client, and neither do the rounds.

pub mod accept;
pub mod admins;
pub mod connection;
pub mod control;
pub mod driver;
pub mod exchange;
pub mod fault;
pub mod hashing;
pub mod numbered;
pub mod queue;
pub mod readiness;
pub mod recovery;
pub mod rounds;
pub mod snapshot;
pub mod tape;
pub mod times;
pub mod turns;
