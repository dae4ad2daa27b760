//! The arguments of `doctor`.

use std::path::PathBuf;

use clap::Args;

/// Look for what is wrong with an installation, and say what to do.
///
/// It looks at the units and what was changed in them, the ports, the sockets, the state directory and
/// the database, the settings, limits, the kernel, the clock, the journal, and asks the running daemon.
/// Nothing is changed or started by that. As root it sees most; what it could not look at is said.
/// Findings are "error" (something does not work), "warning" (something will not work when it is needed)
/// and "advice" (it works, and could be better).
///
/// It is the service of the machine that is looked at. An ordinary user who has the units of the same names under their
/// own service manager ("systemctl --user"), or a hub that was started by hand, is told of that one instead.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  sudo chathub doctor
  sudo chathub doctor --json | jq '.findings[] | select(.severity == \"error\")'
  chathub doctor --user
  chathub doctor --state-dir ./state --socket ./admin.sock --config ./chathub.toml")]
pub struct DoctorArgs {
    /// Print one JSON object: what was checked, what could not be looked at, and the findings.
    #[arg(long)]
    pub json: bool,

    /// Look at one's own hub, which one's own service manager runs.
    #[arg(long)]
    pub user: bool,

    /// Look at the service of the machine, as it is done for root without being told.
    #[arg(long, conflicts_with = "user")]
    pub system: bool,

    /// The settings file, if it is another one than the service's.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The state directory of a hub that was started by hand.
    ///
    /// With it, or with another --socket than the service's, the units are not looked at.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// The admin socket, if it is another one than the service's.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,

    /// Print nothing if there is nothing to do and everything could be looked at.
    #[arg(short, long)]
    pub quiet: bool,
}
