//! Logs of rooms, and readers: each room has one log, and each client has a cursor in it. Pure (no
//! I/O, no clock).
//!
//! A [`log::Log`] holds the lines of a room, rendered once for each view in use, as contiguous
//! bytes with an index of lines. A [`reader::Reader`] is one client's place in the log: the number
//! of the next line that it is owed, and its mail, which are messages for this client alone that go
//! out before certain lines. Lines are not copied for each reader: [`reader::Reader::gather`]
//! borrows what a reader is owed from the log, in as few slices as hidden lines and mail allow.
//! [`reader::Reader::advance`] moves the cursor by the bytes that the socket took.
//!
//! A cursor is always at the start of a line. When a socket takes part of a line, the rest of that
//! line becomes mail that goes first. So a log can drop lines at any time, and no line is torn.
//!
//! | to change | see |
//! | --- | --- |
//! | which lines a log holds, how often each is rendered, how much memory that may take | [`log`] |
//! | what one client is owed, and in which order | [`reader`] |
//! | which lines are hidden from a client | [`hidden`] |
//! | messages for one client; holding them back; the note on missed lines | [`mail`] |
//! | how lines are written around the draft, on terminals that the hub echoes to | [`typing`] |
//!
//! These modules deliberately know no sockets, rooms or people: the caller says which log a reader
//! reads, when it is too far behind, and how many bytes a socket took.

pub mod hidden;
pub mod log;
pub mod mail;
pub mod reader;
pub mod typing;

#[cfg(test)]
mod tests;
