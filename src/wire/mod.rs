//! The wire: bytes become values, and values bytes. Pure, like [`crate::hub`].
//!
//! | to change | see |
//! | --- | --- |
//! | what a client's bytes mean: telnet, lines, keys; what its terminal shows of what is typed | [`terminal`] |
//! | what people read: all texts, colours, wrapping | [`render`] |
//! | what each client is owed: lines of its room, and what it alone is told | [`stream`] |
//! | encryption: records of TLS 1.3, and how connections are handed over by `chathub-tls` | [`tls`] |
//! | whose connection it is that a proxy carries on: the header of the PROXY protocol | [`proxy`] |
//! | the admin protocol: its commands, and what each does to the hub | [`admin`] |
//!
//! Nothing here knows sockets, or decides what somebody may do.

pub mod admin;
pub mod proxy;
pub mod render;
pub mod stream;
pub mod terminal;
pub mod tls;
