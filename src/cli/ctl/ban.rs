//! The arguments of `ctl ban`, `ctl filter` and `ctl sanction`.

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
    /// A pattern of names means whoever has chosen such a name: they are disconnected, and nobody takes one. Not meant
    /// are operators, people of access.always, and whose account is older. In a pattern * stands for any text and ? for
    /// one character; between slashes stands a regular expression. A ban of the same is replaced.
    #[command(after_help = "\
Examples:
  chathub ctl ban add 192.0.2.0/24 --reason 'floods' --for 2h
  chathub ctl ban add 2001:db8:1:2::/64 --dry-run
  chathub ctl ban add spammer
  chathub ctl ban add 'bot-*' --for 1h --dry-run
  chathub ctl ban add '/^bot[0-9]+$/' --for 1h")]
    Add {
        /// A network such as 192.0.2.0/24 or 2001:db8::/32, an address, the id of a client that is here or has left a
        /// moment ago, a name, or a pattern of names such as bot-*.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
        /// Why; told to those it keeps out.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
        /// For how long, such as 10min, 2h or 30d. Without it, until it is lifted.
        #[arg(long = "for", value_name = "D", value_parser = ban_time, allow_hyphen_values = true)]
        time: Option<Duration>,
        /// Only tell whom it would hit.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask, neither at a terminal before several people are disconnected, or a large network or a pattern that
        /// finds many names, such as a*, is kept out, nor before a large part of the Internet is, such as 0.0.0.0/0, or a network that is another one as it is written,
        /// such as 10.1.2.3/8, nor where a name could be several people: for these, scripts have to say it as well.
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
        /// An address, a network, a name, or a pattern of names.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
    },
}

/// The commands of `chathub ctl filter`.
#[derive(Clone, Debug, Subcommand)]
pub enum FilterCommand {
    /// Keep back what has a word in it: lines, names, topics, last words; not what is said privately.
    ///
    /// A word, or several in a row, is found whatever its case and in letters that look alike; between slashes stands a
    /// regular expression, in lower case. Told is what it would have kept back of the last lines. A filter of the same
    /// is replaced.
    #[command(after_help = "\
Examples:
  chathub ctl filter add 'cheap pills' --dry-run
  chathub ctl filter add 'cheap pills' --for 1h --reason raid
  chathub ctl filter add '/https?:.*\\.example/' --strike")]
    Add {
        /// The word, words, or pattern.
        #[arg(value_name = "TEXT", value_parser = text::<200>)]
        text: Text<200>,
        /// It counts as a strike as well.
        #[arg(long)]
        strike: bool,
        /// Why; it stands in the list of filters.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
        /// For how long, such as 10min, 2h or 30d; until it is lifted without it.
        #[arg(long = "for", value_name = "D", value_parser = ban_time, allow_hyphen_values = true)]
        time: Option<Duration>,
        /// Only tell what it would have kept back.
        #[arg(long)]
        dry_run: bool,
    },

    /// List the filters, also those of the settings.
    List,

    /// Lift a filter that was made while the daemon runs.
    Remove {
        /// Its id, such as f3, or what it finds.
        #[arg(value_name = "FILTER", value_parser = text::<256>)]
        which: Text<256>,
    },
}

/// The commands of `chathub ctl sanction`.
#[derive(Clone, Debug, Subcommand)]
pub enum SanctionCommand {
    /// List the bans, mutes, expulsions and filters in force, and the lockdown.
    List {
        /// Only these: ban, mute, expulsion, filter or lockdown.
        #[arg(long, value_name = "KIND", value_parser = sanction_kind())]
        kind: Option<SanctionKind>,
    },

    /// Lift a ban, a mute, an expulsion, a filter or a lockdown.
    Lift {
        /// Its id, such as b3, m4, x5, f6 or l7.
        #[arg(value_name = "SANCTION", value_parser = text::<256>)]
        which: Text<256>,
    },

    /// Tell which sanctions are about a client, an address or a name, and whom one more would reach.
    Test {
        /// A client's id or name, an address, a network, a name, or a pattern of names.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
    },
}
