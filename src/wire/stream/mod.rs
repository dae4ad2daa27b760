//! A room is a log, a client's place in it is a cursor. Pure.
//!
//! A [`log::Log`] holds what was said in a room, rendered once for each view in use, as contiguous bytes with an index
//! of lines. A [`reader::Reader`] is one client's place in it: the next line that it is owed, and the mail that is for
//! it alone and goes before certain lines. Lines are not copied for each reader: [`reader::Reader::gather`] borrows
//! what a reader is owed from the log, in as few pieces as hidden lines and mail allow. [`reader::Reader::advance`]
//! moves the cursor by what the socket took.
//!
//! A cursor is always at the start of a line. When a socket takes part of a line, the rest becomes mail that goes
//! first. So a log can drop lines without asking which reader is in the middle of one, and no line is torn.
//!
//! | to change | see |
//! | --- | --- |
//! | which lines are held, how often each is rendered, how much memory that may take | [`log`] |
//! | what one client is owed, in which order | [`reader`] |
//! | which lines are hidden from a client | [`hidden`] |
//! | what a client alone is told; what is held back; the note on missed lines | [`mail`] |
//! | how lines and the draft share a terminal that we echo to | [`typing`] |
//!
//! These modules know nothing of sockets, rooms and people: the caller says which log a reader reads, when it is too
//! far behind, and how much a socket took.

pub mod hidden;
pub mod log;
pub mod mail;
pub mod reader;
pub mod typing;

#[cfg(test)]
mod tests;
