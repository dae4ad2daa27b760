//! What the hub decides. Pure: no socket, clock, file, randomness or `async`.
pub mod name;
pub mod text;
pub mod time;
