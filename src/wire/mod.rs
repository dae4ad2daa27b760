//! Bytes to values and back. Pure, like [`crate::hub`].
pub mod control;
pub mod lines;
pub mod telnet;
