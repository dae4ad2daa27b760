//! A connection to the daemon and the screen that its answers go to.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::connect::Connection;
use super::failure::Failure;
use super::print::screen::Screen;
use super::progress::Progress;
use super::request::Asked;
use crate::cli::ctl::CtlCommand;
use crate::wire::admin::Command;

/// A connection, and the screen that its answers go to.
pub(super) struct Session<'a, 'b> {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// For each answer; `None` waits for ever.
    pub(super) timeout: Option<Duration>,
    pub(super) screen: &'a mut Screen<'b>,
    pub(super) progress: Progress,
}

impl Session<'_, '_> {
    pub(super) fn run(&mut self, given: &CtlCommand, asked: Asked) -> Result<(), Failure> {
        match asked {
            Asked::One(command) => {
                let result = self.ask(&command)?;
                self.answer(given, &result)?;
                // What was only counted may have been meant.
                let counted = matches!(given, CtlCommand::Redact { yes: false, .. }) && result["lines"] != 0;
                if counted { Err(Failure::NotSure) } else { Ok(()) }
            }
            Asked::Stream(command) if matches!(given, CtlCommand::Monitor { .. }) => self.monitor(&command),
            Asked::Stream(command) => match given {
                CtlCommand::Backup { file } => self.backup(&command, file),
                CtlCommand::History { format, .. } => self.history(&command, *format),
                _ => unreachable!("these are the streams"),
            },
            Asked::Raw => self.call(given),
            Asked::Top(interval) => self.top(interval),
        }
    }

    pub(super) fn send(&mut self, command: &Command, more: bool) -> Result<u64, Failure> {
        self.connection.send(command.spec().name, &command.args(), more)
    }

    /// The next result of request `id`, and whether more follow.
    pub(super) fn result(&mut self, id: u64) -> Result<(Value, bool), Failure> {
        let reply = self.connection.reply(id, self.timeout)?;
        match (reply.result, reply.error) {
            (Some(result), _) => Ok((result, reply.more)),
            (None, error) => Err(Failure::Refused(error.expect("a reply has one of the two"))),
        }
    }

    pub(super) fn only_result(&mut self, id: u64) -> Result<Value, Failure> {
        match self.result(id)? {
            (result, false) => Ok(result),
            (_, true) => Err(self.garbled("a stream, where one answer was asked for")),
        }
    }

    pub(super) fn garbled(&self, why: impl fmt::Display) -> Failure {
        Failure::Garbled { path: self.path.clone(), why: why.to_string() }
    }

    fn ask(&mut self, command: &Command) -> Result<Value, Failure> {
        let id = self.send(command, false)?;
        self.only_result(id)
    }

    pub(super) fn read<T: DeserializeOwned>(&self, result: &Value) -> Result<T, Failure> {
        T::deserialize(result).map_err(|error| self.garbled(format_args!("{error} (--json shows it as it is)")))
    }

    fn call(&mut self, given: &CtlCommand) -> Result<(), Failure> {
        let CtlCommand::Call { cmd, args, more } = given else { unreachable!("only \"call\" is sent as it is") };
        let empty = json!({});
        let id = self.connection.send(cmd, args.as_ref().unwrap_or(&empty), *more)?;
        loop {
            let (result, follows) = self.result(id)?;
            if *more {
                self.screen.json_line(&result)?;
            } else {
                self.screen.json(&result)?;
            }
            if !follows {
                return Ok(());
            }
            self.screen.flush()?;
        }
    }
}
