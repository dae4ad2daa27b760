//! The command line of the whole program, declared once. The declaration parses, and `--help`, the manual pages and the
//! completions are made from it (`tests/manual.rs`): doc comments of arguments are what users read there.
//!
//! Deliberately not known here: what a command does. That is [`crate::ctl`], [`crate::serve`], [`crate::doctor`] and
//! [`crate::config::check`].
//!
//! | to change | see |
//! | --- | --- |
//! | which programs there are, the help of all | this file |
//! | the arguments of `serve` and `check-config` | `serve` |
//! | the arguments of `doctor` | `doctor` |
//! | the options and commands of `ctl` | [`ctl`] |
//! | the commands of `ctl account`, of `ctl ban` | [`ctl::account`], [`ctl::ban`] |
//! | the arguments of `chathub-web`, of `chathub-tls` | [`web`], [`tls`] |
//! | what a word was meant to be that is not understood | `slips` |
//! | how a length of time is written, and its bounds | `length` |
//! | how a point in time is written | `moment` |
//! | log levels, roles, kinds of events as arguments | [`words`] |

pub mod ctl;
mod doctor;
mod length;
mod moment;
mod serve;
mod slips;
pub mod tls;
pub mod web;
pub mod words;

use std::ffi::OsString;

use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::ctl::CtlArgs;
pub use self::doctor::DoctorArgs;
pub use self::serve::{CheckConfigArgs, ServeArgs};

/// A chat hub for telnet and nc.
///
/// People reach it with "telnet HOST 6969" or "nc HOST 6969"; an administrator runs it as a service
/// and looks after it with "chathub ctl".
#[derive(Debug, Parser)]
#[command(
    name = "chathub",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  chathub serve                                 # on 127.0.0.1:6969 and [::1]:6969
  chathub serve --listen 0.0.0.0:6969
  chathub check-config /etc/chathub/chathub.toml
  sudo chathub doctor
  chathub ctl status
  chathub ctl kick c7 --reason 'no advertising'

Manual pages: chathub(8), chathub-ctl(1), chathub.toml(5), chathub-admin(7)"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub program: Program,
}

/// What the one executable can be run as.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help text of each stands at its arguments, and would be replaced by one here")]
pub enum Program {
    Serve(ServeArgs),
    CheckConfig(CheckConfigArgs),
    Doctor(DoctorArgs),
    Ctl(CtlArgs),
}

/// The command line as it is parsed, and as help, manual pages and completions are made from it.
///
/// Of a command of `ctl`, the help tells its own options; those that every command has are hidden there, and stand in
/// the help of `ctl` itself.
#[must_use]
pub fn command() -> Command {
    Cli::command().mut_subcommand("ctl", ctl::with_help)
}

impl Cli {
    /// The command line of this process.
    ///
    /// # Errors
    /// If it makes no sense; and for `--help` and `--version`, whose text it is then.
    pub fn of_process() -> Result<Self, clap::Error> {
        Self::from_line(std::env::args_os())
    }

    /// The command line `line`, the program's name first.
    ///
    /// # Errors
    /// Those of [`Self::of_process`].
    pub fn from_line(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let mut command = command();
        let matches = slips::matches(&mut command, line)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declaration_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn common_options_stand_before_and_after_the_command() {
        for line in ["chathub ctl --json -q status", "chathub ctl status --json -q"] {
            let cli = Cli::from_line(line.split(' ')).expect(line);
            let Program::Ctl(args) = cli.program else { panic!("{line}") };
            assert!(args.json && args.quiet);
        }
    }
}
