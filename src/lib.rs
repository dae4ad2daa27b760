//! chathub: a chat hub for Linux that people reach with `telnet` or `nc`.
pub mod cli;
pub mod config;
pub mod ctl;
pub mod exit;
pub mod hub;
pub mod settings;
pub mod wire;
