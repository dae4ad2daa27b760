//! Bytes to values and back. Pure, like [`crate::hub`].
//!
//! | to change | see |
//! | --- | --- |
//! | what a client's bytes mean: telnet, lines, keys; what its terminal shows of what is typed | [`terminal`] |
//! | what people read: all texts, colours, wrapping | [`render`] |
//! | what each is owed of a room's lines, and of what it alone is told | [`stream`] |
//! | the admin protocol: its commands, and how they are carried out on the hub | [`admin`] |
//!
//! Nothing here knows of sockets, nor of who is allowed what.

pub mod admin;
pub mod render;
pub mod stream;
pub mod terminal;
