//! The arguments of `chathub-web`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::serve::listen_address;
use crate::standing;

/// Where the hub's socket for monitoring is.
pub const MONITOR_SOCKET: &str = "/run/chathub/monitor.sock";

/// Serve what is measured of a chat hub over HTTP, for Prometheus and the like.
///
/// It asks the hub on its socket for monitoring whenever it is asked itself, at most once a second. Sockets that were
/// handed over by a service manager win: then --listen is not used, and it ends when nobody has connected for ten
/// minutes.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "chathub-web",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  chathub-web --listen 127.0.0.1:9969
  systemd-socket-activate -l 127.0.0.1:9969 chathub-web --socket /tmp/hub/monitor.sock"
)]
pub struct WebArgs {
    /// Listen on this address; may be repeated.
    #[arg(
        long,
        value_name = "ADDR",
        value_parser = listen_address,
        long_help = "Listen on this address; may be repeated.\n\n\
            An IPv6 address stands in brackets, as in [::1]:9969. With port 0 the system chooses one, which is logged."
    )]
    pub listen: Vec<SocketAddr>,

    /// Ask the hub on this socket: that for monitoring, or the admin socket.
    #[arg(long, value_name = "PATH", default_value = MONITOR_SOCKET)]
    pub socket: PathBuf,

    /// Where chathub-tls writes how it stands; if there is no such file, nothing is told of it.
    #[arg(long, value_name = "PATH", default_value = standing::FILE)]
    pub tls_status: PathBuf,
}

impl WebArgs {
    /// The arguments of this process.
    ///
    /// # Errors
    /// What is to be printed instead: a complaint, or the help or version that was asked for.
    pub fn of_process() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = super::slips::matches(&mut command, std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// The command line, for the manual page.
    #[must_use]
    pub fn definition() -> clap::Command {
        Self::command()
    }
}
