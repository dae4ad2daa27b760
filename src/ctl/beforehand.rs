//! What is asked of the daemon before whoever sits at the terminal is asked for something: nobody types a password
//! twice, or says that something is meant, only to be told that there is no such account.

use std::path::Path;
use std::time::Duration;

use super::confirm;
use super::failure::Failure;
use crate::cli::ctl::CtlCommand;
use crate::cli::ctl::account::AccountCommand;
use crate::client::{Client, Error};
use crate::wire::admin::Command;
use crate::wire::admin::args::{AccountAddArgs, AccountArgs};
use crate::wire::admin::message::ErrorCode;

/// The question whose answer says whether `command` can be carried out, if somebody is to be asked for something first.
pub(super) fn question(command: &CtlCommand) -> Option<Command> {
    let CtlCommand::Account { action } = command else { return None };
    let get = |name| Some(Command::AccountsGet(AccountArgs { name }));
    match action.clone() {
        AccountCommand::Add { name, role, password_stdin: false, no_password: false } => {
            let role = Some(role);
            Some(Command::AccountsAdd(AccountAddArgs { name, password: None, hashed: None, role, dry_run: true }))
        }
        AccountCommand::Passwd { name, password_stdin: false } => get(name),
        AccountCommand::Erase { name, yes: false } => get(name),
        _ => None,
    }
}

/// Asks it. The connection is not kept: nothing would be asked on it while somebody types, and it would have to give way
/// to others.
///
/// # Errors
/// What the daemon answers to the command in any case.
pub(super) fn ask(
    path: &Path,
    command: &CtlCommand,
    question: &Command,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    match Client::connect(path, timeout).and_then(|mut client| client.ask(question)) {
        // A daemon from before an upgrade, which knows no such argument, says what is wrong when it is too late.
        Err(Error::Refused(refused))
            if refused.code == ErrorCode::BadArgument && refused.message.contains("\"dry_run\"") =>
        {
            Ok(())
        }
        // A script that lacks --yes is told so, whether there is a daemon or not.
        Err(error) if !matches!(error, Error::Refused(_)) && lacks_yes(command) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Whether the command is refused for want of `--yes`, as nobody can be asked.
fn lacks_yes(command: &CtlCommand) -> bool {
    matches!(command, CtlCommand::Account { action: AccountCommand::Erase { yes: false, .. } })
        && !confirm::can_be_asked()
}
