//! Plain values that all other modules are written in: names, moments, numbers, terminals. Each is pure and stands on
//! its own: nothing here knows of a hub, a setting or a client.
//!
//! | to change | see |
//! | --- | --- |
//! | the numbers of clients, rooms, accounts, sanctions, reports and memos | [`id`] |
//! | moments and lengths of time; reading a length of time | [`time`] |
//! | which names are valid; which names look alike; who bears which name | [`name`], [`roster`] |
//! | which characters from strangers are let through | [`text`] |
//! | networks and addresses; which addresses count as one | [`network`] |
//! | what a client's key is known by | [`fingerprint`] |
//! | filters: which words are refused | [`words`] |
//! | system errors as parts of sentences | [`plain`] |
//! | what a terminal can do | [`terminal`] |
//! | time zones by name, and when their clocks change | [`zone`] |
//! | how often something may happen | [`rate`] |
//! | tables by numbers that only rise; values that copies share until one changes | [`rising`], [`CopyOnWrite`] |

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
