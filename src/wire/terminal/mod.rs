//! The way in from a terminal: what a client's bytes mean, and what its terminal is sent besides lines. Pure.
//!
//! | to change | see |
//! | --- | --- |
//! | telnet's commands and options (RFC 854, RFC 1143) | [`telnet`] |
//! | how bytes become lines, where the terminal sends whole lines | [`lines`] |
//! | which bytes of a terminal are one sequence, and no text | `sequence` |
//! | what keys do where we edit the line | [`editor`] |
//! | which terminals are known by name, and their colours | `kinds` |
//! | how wide characters are | [`widths`] |
//! | the rows in which what is typed is drawn | [`screen`] |
//! | how they are taken away when the terminal has another width | [`reflow`] |
//! | one client's way in: what it is asked in telnet, what follows from its answers, lines and keys | [`link`] |
//!
//! Nothing here knows of the hub: what a line means is decided there.

pub mod editor;
mod kinds;
pub mod lines;
pub mod link;
pub mod reflow;
pub mod screen;
mod sequence;
pub mod telnet;
pub mod widths;
