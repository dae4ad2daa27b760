//! Bytes to values and back. Pure, like [`crate::hub`].
pub mod lines;
pub mod telnet;
