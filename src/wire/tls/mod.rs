//! TLS 1.3 behind the handshake: records, keys and their updates, alerts (RFC 8446, sections 4.6.3, 5 and 6).
//!
//! The handshake is done by another program, `chathub-tls`, which has the certificate and its private key. It hands the
//! connection over with the two traffic secrets. From then on what is here reads and writes the records.
//!
//! Nothing here has randomness: a record is a function of its secret, its sequence number and its content. A process
//! that takes over makes the same record again.
//!
//! | to change | see |
//! | --- | --- |
//! | the cipher suites; secrets | [`suite`] |
//! | what we write: content becomes records; updating our keys | [`seal`] |
//! | what clients write: records become content; what ends a connection | [`open`] |
//! | the form of records; alerts | [`record`] |
//! | keys of a secret | `keys` |
//! | how `chathub-tls` hands a connection over | [`handover`] |

pub mod handover;
mod keys;
pub mod open;
pub mod record;
pub mod seal;
pub mod suite;
#[cfg(test)]
mod tests;
