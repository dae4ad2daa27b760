//! What the service manager hands over and wants to be told: sockets by name (sd_listen_fds(3)),
//! readiness, reloads, status, the watchdog and the descriptor store (sd_notify(3)).
//!
//! Without a service manager all of this does nothing.

mod notify;
mod sockets;
mod store;

pub use notify::{ready, reloading, status, stopping, takes_longer, watchdog, watchdog_interval};
pub use sockets::{Sockets, WrongSocket, sockets, turn_away};
pub use store::{PROGRAM, STORED, forget, keeps_descriptors, look_for, store};
