//! Plain value types that all other modules build on: names, moments, numbers, terminals. Each is
//! pure (no clock, no I/O) and stands on its own: this folder deliberately knows no hub, no setting
//! and no connected client.
//!
//! | to change | see |
//! | --- | --- |
//! | the number types of clients, rooms, accounts, sanctions, reports and memos | [`id`] |
//! | moments and lengths of time; reading a length of time | [`time`] |
//! | which names are valid; which names look alike; who bears which name | [`name`], [`roster`] |
//! | which characters from strangers are let through | [`text`] |
//! | networks and addresses; which addresses count as one | [`network`] |
//! | fingerprints of clients' certificates | [`fingerprint`] |
//! | filters: which words are refused | [`words`] |
//! | system errors as parts of sentences | [`plain`] |
//! | what a client's terminal can do | [`terminal`] |
//! | time zones by name, and when their clocks change | [`zone`] |
//! | how often something may happen | [`rate`] |
//! | the map whose keys only rise | [`rising`] |
//! | values that copies share until one of them changes | [`CopyOnWrite`] |

mod copy_on_write;
pub mod fingerprint;
pub mod id;
pub mod name;
pub mod network;
pub mod plain;
pub mod rate;
pub mod rising;
pub mod roster;
pub mod terminal;
pub mod text;
pub mod time;
pub mod words;
pub mod zone;

pub use copy_on_write::CopyOnWrite;
