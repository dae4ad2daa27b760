//! The arguments of `ctl ban` and `ctl sanction`.

use std::time::Duration;

use clap::Subcommand;

use super::text;
use crate::cli::length::ban_time;
use crate::cli::words::sanction_kind;
use crate::wire::admin::args::SanctionKind;
use crate::wire::admin::value::Text;

/// The commands of `chathub ctl ban`.
#[derive(Clone, Debug, Subcommand)]
pub enum BanCommand {
    /// Keep out a network, or a name and its account, and disconnect those who are here.
    ///
    /// A ban of the same is replaced.
    #[command(after_help = "\
Examples:
  chathub ctl ban add 192.0.2.0/24 --reason 'floods' --for 2h
  chathub ctl ban add 2001:db8:1:2::/64 --dry-run
  chathub ctl ban add spammer")]
    Add {
        /// A network such as 192.0.2.0/24 or 2001:db8::/32, an address, or a name.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
        /// Why; told to those it keeps out.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
        /// For how long, such as 10min, 2h or 30d. Without it, until it is lifted.
        #[arg(long = "for", value_name = "D", value_parser = ban_time)]
        time: Option<Duration>,
        /// Only tell whom it would hit.
        #[arg(long)]
        dry_run: bool,
        /// A large part of the Internet is meant, such as 0.0.0.0/0: do not ask.
        #[arg(long)]
        yes: bool,
    },

    /// List the bans in force.
    List,

    /// Lift a ban.
    Remove {
        /// Its id, such as b3, or what it is about.
        #[arg(value_name = "BAN", value_parser = text::<256>)]
        which: Text<256>,
    },

    /// Tell which bans keep out an address or a name, and whom a ban of it would hit.
    Test {
        /// An address, a network, or a name.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
    },
}

/// The commands of `chathub ctl sanction`.
#[derive(Clone, Debug, Subcommand)]
pub enum SanctionCommand {
    /// List the bans, mutes and expulsions in force.
    List {
        /// Only these: ban, mute or expulsion.
        #[arg(long, value_name = "KIND", value_parser = sanction_kind())]
        kind: Option<SanctionKind>,
    },

    /// Lift a ban, a mute or an expulsion.
    Lift {
        /// Its id, such as b3, m4 or x5.
        #[arg(value_name = "SANCTION", value_parser = text::<256>)]
        which: Text<256>,
    },

    /// Tell which sanctions are about a client, an address or a name, and whom one more would reach.
    Test {
        /// A client's id or name, an address, a network, or a name.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
    },
}
