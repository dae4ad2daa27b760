//! The arguments of `serve` and `check-config`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Run the daemon, in the foreground.
///
/// Sockets that were handed over by a service manager win: then --listen and --admin-socket are not
/// used. It ends on SIGINT and "chathub ctl shutdown" after a goodbye to everybody; on SIGTERM it leaves
/// its clients to the next process, where systemd keeps them. It reads its settings again on SIGHUP.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  chathub serve
  chathub serve --listen 0.0.0.0:6969 --listen '[::]:6969'
  chathub serve --listen 127.0.0.1:0 --admin-socket /tmp/hub.sock
  systemd-socket-activate -l 6969 chathub serve")]
pub struct ServeArgs {
    /// Read the settings from this file alone; it must exist.
    ///
    /// Without it, /etc/chathub/chathub.toml and /etc/chathub/conf.d/*.toml are read if they exist; in the directory
    /// $CONFIGURATION_DIRECTORY instead, where that is set, as for a service of a user.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Listen on this address for people who chat; may be repeated.
    #[arg(
        long,
        value_name = "ADDR",
        value_parser = listen_address,
        long_help = "Listen on this address for people who chat; may be repeated.\n\n\
            An IPv6 address stands in brackets, as in [::1]:6969. With port 0 the system chooses one, which is \
            logged. Without it the settings decide, and without those 127.0.0.1:6969 and [::1]:6969."
    )]
    pub listen: Vec<SocketAddr>,

    /// Listen on this path for "chathub ctl".
    ///
    /// Without it: admin.sock in $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/chathub/admin.sock, else
    /// /run/chathub/admin.sock.
    #[arg(long, value_name = "PATH")]
    pub admin_socket: Option<PathBuf>,

    /// Keep what outlives the daemon in this directory: the recorded history.
    ///
    /// It is made if it is not there. One daemon uses it at a time. Without it: $STATE_DIRECTORY, else
    /// $XDG_STATE_HOME/chathub, else ~/.local/state/chathub.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// Check the settings, as the daemon would when it starts.
///
/// What is wrong is told with file, line, key and what is allowed. Nothing is started or changed.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  chathub check-config
  chathub check-config ./chathub.toml && systemctl reload chathub")]
pub struct CheckConfigArgs {
    /// The file to check; what the daemon would read by default without it.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

pub(super) fn listen_address(given: &str) -> Result<SocketAddr, String> {
    given.parse().map_err(|_| "an address and a port are needed, as in 127.0.0.1:6969 or [::1]:6969".into())
}
