//! Questions before a command that cannot be undone. They are asked at a terminal; elsewhere a
//! message names the option that answers them.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::failure::Failure;
use super::print::escape::escape;
use super::print::table::wrap;
use crate::cli::ctl::CtlCommand;
use crate::cli::ctl::account::AccountCommand;
use crate::cli::ctl::ban::BanCommand;
use crate::values::name::pattern::Pattern;
use crate::values::network::Network;

/// Asks at the terminal whether the command is meant.
///
/// # Errors
/// [`Failure::NotMeant`] if the answer is not yes. [`Failure::Usage`], which names `--yes`, if
/// there is no terminal.
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

/// Whether somebody at a terminal can be asked.
pub(super) fn can_be_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The command with `--yes`, for one that was confirmed.
pub(super) fn sure(command: &CtlCommand) -> CtlCommand {
    let mut command = command.clone();
    if let CtlCommand::Redact { yes, .. } = &mut command {
        *yes = true;
    }
    command
}

/// The command, with `--yes` after it was confirmed, if it needs that.
///
/// # Errors
/// Any error of [`confirm`].
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
            if Pattern::is_one(target)
                && can_be_asked()
                && let Some(such) = Pattern::parse(target).ok().and_then(|pattern| pattern.broad())
            {
                let such = if such.is_empty() { String::new() } else { format!(" such as {}", such.join(", ")) };
                confirm(&format!("{} finds many names{such}, of whoever comes.", &**target))?;
                *yes = true;
            }
        }
        _ => {}
    }
    Ok(command)
}
