//! The `chathub` binary: arguments, handed-over sockets, runtime, exit code.
fn main() {}
