//! Plain values that everything above is written in: names, moments, numbers, terminals. Pure, and each on its own:
//! nothing here knows of a hub, a setting or a client.
//!
//! | to change | see |
//! | --- | --- |
//! | the numbers that clients, rooms, accounts and bans are known by | [`id`] |
//! | moments and lengths of time, and how lengths are read | [`time`] |
//! | what is a name; which names look alike; who bears which name | [`name`], [`roster`] |
//! | which characters of what somebody sends are let through | [`text`] |
//! | networks and addresses; which addresses count as one | [`network`] |
//! | filters: which words are refused | [`words`] |
//! | how an error of the system is told | [`plain`] |
//! | what a terminal can do | [`terminal`] |
//! | time zones by name, and when their clocks change | [`zone`] |
//! | how often something may happen | [`rate`] |
//! | tables by numbers that only rise; values shared until they change | [`rising`], [`CopyOnWrite`] |

mod copy_on_write;
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
