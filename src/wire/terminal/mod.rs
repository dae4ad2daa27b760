//! Input from clients: parsing telnet, lines and keys; and the draft, the line being typed that is
//! drawn on terminals where the hub echoes. Pure (no I/O, no clock).
//!
//! | to change | see |
//! | --- | --- |
//! | telnet's commands and options (RFC 854, RFC 1143) | [`telnet`] |
//! | how bytes become lines, for clients that send whole lines | [`lines`] |
//! | which bytes form one escape sequence | `sequence` |
//! | what keys do, for clients whose line the hub edits | [`editor`] |
//! | which names of terminals are known, and their colours | `kinds` |
//! | how many columns characters take | [`widths`] |
//! | how the draft is drawn | [`screen`] |
//! | how the draft is erased after the terminal's width has changed | [`reflow`] |
//! | what a client is asked in telnet; how its answers, lines and keys are combined | [`link`] |
//!
//! Nothing here knows sockets or the state of the hub; what a line means is decided there.

pub mod editor;
mod kinds;
pub mod lines;
pub mod link;
pub mod reflow;
pub mod screen;
mod sequence;
pub mod telnet;
pub mod widths;
