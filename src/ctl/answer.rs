//! Chooses the function that prints the result of a command. Results that come as a stream have
//! files of their own.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::Failure;
use super::print;
use super::print::screen::Screen;
use super::shutdown::warn_of_activation;
use crate::cli::ctl::CtlCommand;
use crate::cli::ctl::account::AccountCommand;
use crate::cli::ctl::ban::{BanCommand, FilterCommand, SanctionCommand};
use crate::cli::ctl::report::ReportCommand;
use crate::cli::ctl::rooms::RoomsCommand;
use crate::client::Error;
use crate::wire::admin::json;
use crate::wire::admin::value::Text;

/// Reads a result, which came from `socket`, as a value of the protocol.
pub(super) fn read<T: DeserializeOwned>(socket: &Path, result: &Value) -> Result<T, Failure> {
    let why = |error| format!("{} (--json shows it as it is)", json::in_words(&error));
    Ok(T::deserialize(result).map_err(|error| Error::Garbled { path: socket.into(), why: why(error) })?)
}

/// Prints the one result of a command, which came from `socket`.
pub(super) fn answer(socket: &Path, to: &mut Screen<'_>, given: &CtlCommand, result: &Value) -> Result<(), Failure> {
    {
        match given {
            // This command runs as a part of the unit's stop. The daemon's own lines in the journal
            // say the same.
            CtlCommand::Shutdown { if_stopping: Some(_), .. } => return Ok(()),
            CtlCommand::Shutdown { .. } => warn_of_activation(to, result),
            _ => {}
        }
        if to.json {
            return Ok(to.json(result)?);
        }
        macro_rules! show {
            ($print:path $(, $with:expr)?) => {{
                let value = read(socket, result)?;
                $print(to, $($with,)? &value)?
            }};
        }
        let names = |who: &[Text<256>]| who.iter().map(|who| who.0.clone()).collect::<Vec<_>>();
        let asked = match given {
            CtlCommand::Kick { who, .. } | CtlCommand::Mute { who, .. } | CtlCommand::Unmute { who } => names(who),
            _ => Vec::new(),
        };
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        match given {
            CtlCommand::Status => show!(print::daemon::status),
            CtlCommand::Clients { .. } => show!(print::clients::list),
            CtlCommand::Client { .. } => show!(print::clients::one),
            CtlCommand::Kick { .. } => show!(print::clients::kicked, &asked),
            CtlCommand::Sanction { action: SanctionCommand::List { .. } } => show!(print::bans::sanctions),
            CtlCommand::Sanction { action: SanctionCommand::Lift { .. } } => show!(print::bans::lifted),
            CtlCommand::Sanction { action: SanctionCommand::Test { .. } } => show!(print::bans::tested_all),
            CtlCommand::Ban { action: BanCommand::Add { .. } } => show!(print::bans::added),
            CtlCommand::Ban { action: BanCommand::List } => show!(print::bans::list),
            CtlCommand::Ban { action: BanCommand::Remove { .. } } => show!(print::bans::removed),
            CtlCommand::Ban { action: BanCommand::Test { .. } } => show!(print::bans::tested),
            CtlCommand::Filter { action: FilterCommand::Add { .. } } => show!(print::bans::filtered),
            CtlCommand::Filter { action: FilterCommand::List } => show!(print::bans::filters),
            CtlCommand::Filter { action: FilterCommand::Remove { .. } } => show!(print::bans::lifted),
            CtlCommand::Report { action: ReportCommand::List { .. } } => show!(print::reports::list),
            CtlCommand::Report { action: ReportCommand::Show { .. } } => show!(print::reports::one),
            CtlCommand::Report { action: ReportCommand::Close { .. } } => show!(print::reports::closed),
            CtlCommand::Account { action } => match action {
                AccountCommand::Add { .. } => show!(print::accounts::added),
                AccountCommand::List => show!(print::accounts::list),
                AccountCommand::Show { .. } => show!(print::accounts::one),
                AccountCommand::Certify { .. } => show!(print::accounts::certified),
                AccountCommand::Uncertify { .. } => show!(print::accounts::uncertified),
                AccountCommand::Passwd { .. } => show!(print::accounts::password),
                AccountCommand::Unlock { .. } => show!(print::accounts::unlocked),
                AccountCommand::Role { .. } => show!(print::accounts::role),
                AccountCommand::Remove { .. } => show!(print::accounts::removed),
                AccountCommand::Erase { name, .. } => show!(print::accounts::erased, name),
            },
            CtlCommand::Mute { time, .. } => show!(print::clients::muted, (&asked, *time)),
            CtlCommand::Unmute { .. } => show!(print::clients::unmuted, &asked),
            CtlCommand::Lockdown { .. } => show!(print::daemon::lockdown),
            CtlCommand::Rename { .. } => show!(print::clients::renamed),
            CtlCommand::Rooms { action: None | Some(RoomsCommand::List) } => show!(print::rooms::list),
            CtlCommand::Rooms { action: Some(RoomsCommand::Show { .. }) } => show!(print::rooms::one),
            CtlCommand::Rooms { action: Some(RoomsCommand::Set { .. }) } => show!(print::rooms::set),
            CtlCommand::Topic { text, .. } if text.is_empty() => show!(print::rooms::topic),
            CtlCommand::Topic { .. } => show!(print::rooms::topic_set),
            CtlCommand::Close { .. } => show!(print::rooms::closed),
            CtlCommand::HistoryStats => show!(print::history::stats),
            CtlCommand::Redact { .. } => show!(print::history::redacted),
            CtlCommand::Say { .. } => show!(print::rooms::said),
            CtlCommand::Metrics => show!(print::daemon::metrics),
            CtlCommand::LogLevel { level: None } => show!(print::daemon::log_level),
            CtlCommand::LogLevel { level: Some(_) } => show!(print::daemon::log_level_set),
            CtlCommand::Reload => show!(print::daemon::reloaded),
            CtlCommand::Shutdown { .. } => show!(print::daemon::stopped),
            CtlCommand::Describe { cmd: None } => show!(print::describe::commands),
            CtlCommand::Describe { cmd: Some(_) } => show!(print::describe::command),
            CtlCommand::History { .. }
            | CtlCommand::Backup { .. }
            | CtlCommand::Monitor { .. }
            | CtlCommand::Top { .. }
            | CtlCommand::Call { .. }
            | CtlCommand::Completions { .. }
            | CtlCommand::Complete { .. } => unreachable!("these are not answered by one result"),
        }
        Ok(())
    }
}
