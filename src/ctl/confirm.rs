//! Questions before what cannot be undone: asked at a terminal; elsewhere, the option that answers them is named.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::failure::Failure;
use super::print::escape::escape;
use super::print::table::wrap;
use crate::cli::ctl::CtlCommand;
use crate::cli::ctl::account::AccountCommand;
use crate::cli::ctl::ban::BanCommand;
use crate::values::network::Network;

/// Whether it is meant; at a terminal, whoever sits there is asked.
///
/// # Errors
/// [`Failure::NotMeant`] if it is not; [`Failure::Usage`] that names `--yes` where nobody can be asked.
pub(super) fn confirm(what: &str) -> Result<(), Failure> {
    if !can_be_asked() {
        return Err(Failure::Usage(format!("{what} If that is meant, say so with --yes.")));
    }
    let mut typed = String::new();
    let columns = terminal_size::terminal_size_of(io::stderr()).map_or(79, |(columns, _)| usize::from(columns.0));
    let what = wrap(&escape(what), columns.clamp(24, 79)).join("\n");
    let asked = write!(io::stderr(), "{what}\nIs that meant? [y/N] ")
        .and_then(|()| io::stderr().flush())
        .and_then(|()| io::stdin().lock().read_line(&mut typed));
    match asked {
        Ok(1..) if matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
        _ => Err(Failure::NotMeant),
    }
}

/// Whether somebody sits at a terminal.
pub(super) fn can_be_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A command that was asked about, with `--yes`.
pub(super) fn sure(command: &CtlCommand) -> CtlCommand {
    let mut command = command.clone();
    if let CtlCommand::Redact { yes, .. } = &mut command {
        *yes = true;
    }
    command
}

/// The command, with `--yes` if it needs that and whoever was asked has said so.
///
/// # Errors
/// Those of [`confirm`].
pub(super) fn confirmed(command: &CtlCommand) -> Result<CtlCommand, Failure> {
    let mut command = command.clone();
    match &mut command {
        CtlCommand::Account { action: AccountCommand::Erase { name, yes } } if !*yes => {
            confirm(&format!(
                "This removes the account {}, and makes all that was said under its name unreadable, for good.",
                &**name
            ))?;
            *yes = true;
        }
        CtlCommand::Ban { action: BanCommand::Add { target, yes, dry_run: false, .. } }
            if !*yes && target.parse::<Network>().is_ok_and(|network| network.is_wide()) =>
        {
            confirm(&format!("{} is a large part of the Internet.", &**target))?;
            *yes = true;
        }
        CtlCommand::Ban { action: BanCommand::Add { target, yes, dry_run: false, .. } } if !*yes => {
            if let Ok(network) = target.parse::<Network>()
                && (!network.is_written_so(target) || (network.is_broad() && can_be_asked()))
            {
                confirm(&format!("{} is {network}, {}.", &**target, network.size()))?;
                *yes = true;
            }
        }
        _ => {}
    }
    Ok(command)
}
