//! How fast things may be sent: by one client, into one room, and shown to others besides lines. Each is bounded by the
//! generic cell rate algorithm (ITU-T I.371).
//!
//! | to change | see |
//! | --- | --- |
//! | how fast one client may send lines, and what it is told ([`Pace`], [`Verdict`], [`Word`]) | `client` |
//! | when a room is over its pace, so that some clients wait | [`Crowd`] |
//! | how often names, topics, rooms and the like are shown | [`Kind`] |

mod client;
mod crowd;
mod kind;
#[cfg(test)]
mod tests;

pub use client::{Pace, Verdict, Word};
pub use crowd::Crowd;
pub use kind::Kind;
