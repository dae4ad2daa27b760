//! chathub: a chat hub for Linux that people reach with `telnet` or `nc`.
pub mod config;
pub mod hub;
pub mod settings;
pub mod wire;
