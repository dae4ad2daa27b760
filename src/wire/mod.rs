//! Bytes to values and back. Pure, like [`crate::hub`].
mod accounts;
pub mod admin;
pub mod base64;
pub mod control;
pub mod editor;
pub mod frames;
pub mod lines;
pub mod link;
pub mod machine;
pub mod page;
pub mod render;
pub mod screen;
pub mod stream;
pub mod telnet;
