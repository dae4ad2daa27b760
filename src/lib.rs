//! chathub: a chat hub for Linux that people reach with `telnet` or `nc`.
pub mod cli;
pub mod ctl;
pub mod exit;
pub mod hub;
pub mod wire;
