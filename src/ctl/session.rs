//! One `ctl` command: sends its request to the daemon and prints the answers.

use std::collections::BTreeSet;

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
use crate::values::network::Network;
use crate::wire::admin::Command;
use crate::wire::admin::args::{BanArgs, KickArgs, WhoArgs};
use crate::wire::admin::message::Place;
use crate::wire::admin::result::{Banned, Client as Asked};
use crate::wire::admin::value::Text;

/// A connection to the daemon, and the screen on which its answers are printed.
pub(super) struct Session<'a, 'b> {
    pub(super) client: Client,
    pub(super) screen: &'a mut Screen<'b>,
    pub(super) progress: Progress,
}

impl Session<'_, '_> {
    /// Carries out `task`, which was made from the command line `given`.
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
                // With no such line, `Failure::NoSuchLine` below says it in words; only --json
                // prints the result too.
                if missing.is_none() || self.screen.json {
                    answer(self.client.path(), self.screen, given, &result)?;
                }
                self.client.take_warnings().iter().for_each(|warning| complain(warning));
                // Without --yes the daemon only counted the lines to be removed: ask, or fail.
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

    /// Before a ban that disconnects two or more people, asks the person at the terminal for
    /// consent.
    fn ask_before_many(&mut self, given: &CtlCommand, command: &Command) -> Result<(), Failure> {
        if let (CtlCommand::Kick { yes: false, .. }, Command::ClientsKick(kick)) = (given, command) {
            return self.ask_before_others(kick);
        }
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

    /// Before a kick with `--ban`, asks for consent if the ban of those addresses disconnects
    /// people who are not named in the command.
    fn ask_before_others(&mut self, kick: &KickArgs) -> Result<(), Failure> {
        if kick.ban_s.is_none() || !confirm::can_be_asked() {
            return Ok(());
        }
        let (mut meant, mut hit, mut known) = (Vec::new(), BTreeSet::new(), Vec::new());
        for who in &kick.who {
            let client = self.client.ask(&Command::ClientsGet(WhoArgs { who: who.clone() }))?;
            let client: Asked = self.read(&client)?;
            let Ok(addr) = client.addr.parse() else { continue };
            let target = Text(Network::around(addr).to_string());
            let ban = BanArgs { target, reason: None, for_s: kick.ban_s, yes: false, dry_run: true };
            let tried = self.client.ask(&Command::BansAdd(ban))?;
            let tried: Banned = self.read(&tried)?;
            hit.extend(tried.disconnected);
            known.extend(tried.people);
            meant.push(client.id);
        }
        hit.retain(|id| !meant.contains(id));
        if hit.is_empty() {
            return Ok(());
        }
        known.sort_by(|one, other| one.id.cmp(&other.id));
        known.dedup_by(|one, other| one.id == other.id);
        known.retain(|person| hit.contains(&person.id));
        let ids: Vec<String> = hit.into_iter().collect();
        let names = people(&known, &ids);
        confirm(&format!("The ban disconnects {} more at the same address: {names}.", ids.len()))
    }

    /// Parses a result into its type of the protocol.
    pub(super) fn read<T: DeserializeOwned>(&self, result: &Value) -> Result<T, Failure> {
        answer::read(self.client.path(), result)
    }

    /// `ctl call`: sends the command and arguments as written, and prints each result as JSON,
    /// unchanged.
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
