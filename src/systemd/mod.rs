//! The service manager: the sockets it passes to the daemon, and the messages to it. Without a
//! service manager, all of this does nothing.
//!
//! This module does not know the contents of the descriptor store ([`crate::net::keep`]), nor how
//! sockets are opened without a service manager ([`crate::serve`]).
//!
//! | to change | see |
//! | --- | --- |
//! | which sockets are taken, by name and kind (sd_listen_fds(3)) | `sockets` |
//! | the same for programs beside the hub | `beside` |
//! | readiness, reload, status, watchdog, stop (sd_notify(3)) | `notify` |
//! | descriptors that outlive the process | `store` |

mod beside;
mod notify;
mod sockets;
mod store;

pub use beside::{NamedSockets, named_sockets};
pub use notify::{ready, reloading, status, stopping, takes_longer, watchdog, watchdog_interval};
pub use sockets::{Sockets, WrongSocket, sockets, turn_away};
pub use store::{PROGRAM, STORED, forget, keeps_descriptors, look_for, store};
