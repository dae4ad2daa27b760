//! What carries: sockets, tasks, clocks. It decides nothing and translates nothing.
//!
//! | task | does |
//! | --- | --- |
//! | [`accept`] | one for each listening socket: hands connections to the driver |
//! | [`connection`] | one for each client: reads what comes, hands it to the driver, waits for it to be taken |
//! | [`driver`] | one: owns the hub; inputs in, effects out |
//! | [`rounds`] | one: owns the rooms' logs and everybody's cursors, and makes all writes |
//! | [`control`] | one for each connection to the admin socket |
//!
//! The driver never waits for a client, and neither do the rounds.

pub mod accept;
pub mod connection;
pub mod control;
pub mod driver;
pub mod exchange;
pub mod rounds;
