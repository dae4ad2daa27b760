//! What a client's bytes mean, and what its terminal is sent besides lines. Pure.
//!
//! | to change | see |
//! | --- | --- |
//! | telnet's commands and options (RFC 854, RFC 1143) | [`telnet`] |
//! | how bytes become lines, where the terminal sends whole lines | [`lines`] |
//! | how keys become a line, and what is shown of it meanwhile | [`editor`] |
//! | how wide characters are; the rows below the lines | [`screen`] |
//! | all of it for one client | [`link`] |
//!
//! Nothing here knows of the hub: what a line means is decided there.

pub mod editor;
pub mod lines;
pub mod link;
pub mod screen;
pub mod telnet;
