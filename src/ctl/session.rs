//! One command: what it asks the daemon for is sent, and the answers are printed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{self, answer};
use super::confirm::{self, confirm};
use super::failure::Failure;
use super::print::screen::Screen;
use super::print::stderr::complain;
use super::print::values::people;
use super::progress::Progress;
use super::task::Task;
use crate::cli::ctl::CtlCommand;
use crate::cli::ctl::ban::BanCommand;
use crate::client::{Answers, Client};
use crate::wire::admin::Command;
use crate::wire::admin::args::BanArgs;
use crate::wire::admin::message::Place;
use crate::wire::admin::result::Banned;

/// A connection to the daemon, and where its answers go.
pub(super) struct Session<'a, 'b> {
    pub(super) client: Client,
    pub(super) screen: &'a mut Screen<'b>,
    pub(super) progress: Progress,
}

impl Session<'_, '_> {
    /// Carries out the command `given`, of which `task` was made.
    pub(super) fn run(&mut self, given: &CtlCommand, task: Task) -> Result<(), Failure> {
        match task {
            Task::One(command) => {
                self.ask_before_many(given, &command)?;
                let result = self.client.ask(&command)?;
                let found_none = result["lines"] == 0 && result["topics"] == 0;
                let missing = match given {
                    CtlCommand::Redact { seq, .. } if found_none => *seq,
                    _ => None,
                };
                // The failure says so in words.
                if missing.is_none() || self.screen.json {
                    answer(self.client.path(), self.screen, given, &result)?;
                }
                self.client.take_warnings().iter().for_each(|warning| complain(warning));
                // Without --yes, lines were only counted: tell that none was removed.
                if let Some(seq) = missing {
                    return Err(Failure::NoSuchLine(seq));
                }
                let counted = matches!(given, CtlCommand::Redact { yes: false, .. }) && !found_none;
                if !counted {
                    return Ok(());
                }
                if self.screen.json || !confirm::can_be_asked() {
                    return Err(Failure::NotSure);
                }
                self.screen.flush()?;
                confirm("That cannot be taken back.")?;
                let sure = confirm::sure(given);
                self.run(&sure, Task::of(&sure)?)
            }
            Task::History(command, format) => self.history(&command, format),
            Task::Backup(command, file) => self.backup(&command, &file),
            Task::Monitor(command) => self.monitor(&command),
            Task::Top(_) => unreachable!("it is no session"),
            Task::Call(name, args, answers) => self.call(&name, &args, answers),
        }
    }

    /// Asks whoever sits at a terminal before a ban disconnects more than the one who is meant.
    fn ask_before_many(&mut self, given: &CtlCommand, command: &Command) -> Result<(), Failure> {
        let (CtlCommand::Ban { action: BanCommand::Add { yes: false, .. } }, Command::BansAdd(ban)) = (given, command)
        else {
            return Ok(());
        };
        if ban.dry_run || ban.yes || !confirm::can_be_asked() {
            return Ok(());
        }
        let tried = self.client.ask(&Command::BansAdd(BanArgs { dry_run: true, ..ban.clone() }))?;
        let hit: Banned = self.read(&tried)?;
        if hit.disconnected.len() < 2 {
            return Ok(());
        }
        let names = people(&hit.people, &hit.disconnected);
        confirm(&format!("This disconnects {} people: {names}.", hit.disconnected.len()))
    }

    /// The result as the protocol declares it.
    pub(super) fn read<T: DeserializeOwned>(&self, result: &Value) -> Result<T, Failure> {
        answer::read(self.client.path(), result)
    }

    /// `ctl call`: a command as it was written, and its results as they are.
    fn call(&mut self, name: &str, args: &Value, answers: Answers) -> Result<(), Failure> {
        let id = self.client.send_named(name, args, answers)?;
        loop {
            let (result, place) = self.client.next_result(id)?;
            match answers {
                Answers::Stream => self.screen.json_line(&result)?,
                Answers::One => self.screen.json(&result)?,
            }
            self.client.take_warnings().iter().for_each(|warning| complain(warning));
            if place == Place::Last {
                return Ok(());
            }
            self.screen.flush()?;
        }
    }
}
