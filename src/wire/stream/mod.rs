//! A room is a log, a reader is a cursor. Pure.
//!
//! A [`log::Log`] holds what was said in a room, rendered once for each view in use, as contiguous
//! bytes with an index of lines. A [`reader::Reader`] is one client's place in it: the next line it is owed,
//! and the mail that is meant for it alone and belongs before certain lines. What a reader is owed
//! is never copied for each reader: [`reader::Reader::gather`] borrows it from the log, in as few pieces as its gaps
//! allow, and [`reader::Reader::advance`] moves the cursor by what the socket took.
//!
//! A cursor is always at the start of a line. When a socket takes part of a line, the rest becomes mail that goes
//! first. So a log can drop lines without asking which reader is in the middle of one, and no line is torn.
//!
//! | to change | see |
//! | --- | --- |
//! | which lines are held, how often each is rendered, what that may take in memory | [`log`] |
//! | what one client is owed, in which order | [`reader`] |
//! | which lines are hidden from it | [`hidden`] |
//! | what it alone is told; what is held back; the note on missed lines | [`mail`] |
//! | how lines and what is typed share a terminal that we echo to | [`typing`] |
//!
//! Nothing here knows of sockets, nor of rooms and people: the caller says which log a reader reads, when it is
//! too far behind, and how much a socket took.

pub mod hidden;
pub mod log;
pub mod mail;
pub mod reader;
pub mod typing;

#[cfg(test)]
mod tests;
