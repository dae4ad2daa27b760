//! TLS 1.3 after the handshake: records, keys and their updates, alerts (RFC 8446, sections 4.6.3,
//! 5 and 6).
//!
//! Another program, `chathub-tls`, does the handshake: it has the certificate and the private key.
//! It hands each connection over together with the two traffic secrets. From then on this module
//! reads and writes the connection's records.
//!
//! This module knows no sockets, certificates or private keys. It uses no randomness: a record is a
//! function of its secret, its sequence number and its content, so a process that takes over makes
//! the same record again.
//!
//! | to change | see |
//! | --- | --- |
//! | the cipher suites; traffic secrets | [`suite`] |
//! | encrypting what we write; updating our keys | [`seal`] |
//! | decrypting what clients write; which records end a connection | [`open`] |
//! | the layout of records; alerts | [`record`] |
//! | deriving keys from a secret | `keys` |
//! | the datagram by which `chathub-tls` hands a connection over | [`handover`] |

pub mod handover;
mod keys;
pub mod open;
pub mod record;
pub mod seal;
pub mod suite;
#[cfg(test)]
mod tests;
