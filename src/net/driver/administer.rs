//! Administrators' commands that the driver executes itself, reading the settings again, and
//! answers of the store.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tracing::{error, info};

use super::Driver;
use super::ending::Stopping;
use crate::hub::{self, By};
use crate::logging::ids;
use crate::net::accept;
use crate::net::arrival::{Answered, Reply};
use crate::net::clock::now;
use crate::settings::{Applies, Settings};
use crate::store::Store;
use crate::values::plain::Plain;
use crate::values::time::{Mono, Now};
use crate::wire::admin::args::NoArgs;
use crate::wire::admin::event::{Event, EventKind};
use crate::wire::admin::execute::{Answer, Beside};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{LogLevel, Redacted, Reloaded, SettingsRead};
use crate::wire::admin::value::Time;
use crate::wire::admin::{Command, Duty, ForDriver};
use crate::{config, logging, store, systemd};

/// How long an answer waits until the change is on disk.
const ON_DISK: Duration = Duration::from_secs(5);

/// An answer to an administrator that waits until the change is on disk.
pub(super) struct Unwritten {
    /// The number of the last record of the change.
    through: u64,
    reply: Reply,
    value: Value,
    /// When the answer is sent all the same, with a warning.
    pub(super) until: Mono,
}

/// How long a redaction may take before the driver looks whether the disk takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// An administrator who waits for lines to be redacted on disk.
pub(super) struct Redacting {
    /// The number of the redaction's record.
    number: u64,
    beside: Beside,
    reply: Reply,
    /// When the driver looks whether the disk takes nothing.
    pub(super) look_at: Mono,
}

impl Driver {
    /// Executes an administrator's command, here or by the machine, and answers.
    pub(super) fn administer(&mut self, command: &Command, by: By, reply: Reply, at: Now) {
        let Duty::Driver(duty) = command.duty() else { return self.on_hub(command, by, reply, at) };
        let one = |value: Result<Value, serde_json::Error>| Ok(Answered::One(value.expect("results are plain JSON")));
        let answer = match duty {
            ForDriver::Status(NoArgs {}) => one(serde_json::to_value(self.status(at))),
            ForDriver::Metrics(args) => Ok(Answered::Measured(self.measured(at).into_families(), args.families)),
            ForDriver::LogLevel(args) => {
                if let Some(level) = args.level {
                    self.around.level.set(level);
                }
                one(serde_json::to_value(LogLevel { level: self.around.level.get() }))
            }
            ForDriver::Reload(NoArgs {}) => {
                let answer = self.reload(at);
                systemd::ready();
                answer.and_then(|reloaded| one(serde_json::to_value(reloaded)))
            }
            ForDriver::Shutdown(args) => {
                // The answer is sent when the hub has stopped.
                self.stop = Some(Stopping { args: args.clone(), reply: Some(reply), hand_over: false });
                return;
            }
            ForDriver::Subscribe(args) => Ok(Answered::Events(self.subscribers.add(args))),
        };
        // Nobody takes the answer if the administrator has gone.
        let _ = reply.send(answer);
    }

    /// Has the machine execute a command, and answers.
    fn on_hub(&mut self, command: &Command, by: By, reply: Reply, at: Now) {
        let next = self.state.hub().backlog().next();
        let answer = match self.state.administer(command, by, at, &self.clients.traffic()) {
            // With a tape, the change outlives the process already. Without one, the answer waits
            // until it is on disk.
            Some(Ok(Answer::One(value)))
                if !self.state.tape.is_kept() && self.store.is_some() && self.state.hub().backlog().next() > next =>
            {
                let through = self.state.hub().backlog().next() - 1;
                return self.unwritten.push_back(Unwritten { through, reply, value, until: at.mono.after(ON_DISK) });
            }
            Some(Ok(Answer::Redacting(number, beside))) => {
                return self.redacting.push(Redacting { number, beside, reply, look_at: at.mono.after(PATIENCE) });
            }
            Some(answer) => answer.and_then(|answer| self.answered(answer)),
            // The connection's own task answers such a command.
            None => Err(ControlError::new(ErrorCode::Internal, "this command is not carried out here")),
        };
        // Nobody takes the answer if the administrator has gone.
        let _ = reply.send(answer);
    }

    /// Answers the commands whose changes have waited [`ON_DISK`] for the disk, with a warning.
    pub(super) fn answer_unwritten(&mut self, now: Mono) {
        while self.unwritten.front().is_some_and(|answer| answer.until <= now)
            && let Some(answer) = self.unwritten.pop_front()
        {
            let trouble = self.store.as_ref().and_then(|store| store.health().trouble);
            let why = trouble.map_or_else(|| "the disk is slow".to_owned(), |(trouble, _)| trouble);
            let warning =
                format!("this is done, and not on disk yet: it is written as soon as the disk takes it ({why})");
            let _ = answer.reply.send(Ok(Answered::Warned(answer.value, warning)));
        }
    }

    /// The answer of the machine, together with the store's files if these have to be read for it.
    fn answered(&self, answer: Answer) -> Result<Answered, ControlError> {
        let source = || {
            let none = || ControlError::new(ErrorCode::Internal, "history is recorded nowhere");
            self.store.as_ref().map(Store::source).ok_or_else(none)
        };
        Ok(match answer {
            Answer::One(value) => Answered::One(value),
            Answer::Lines(lines) => Answered::Lines(lines),
            Answer::Stored(stored) => Answered::Stored(stored, source()?),
            Answer::Count(stored, beside) => Answered::Count(stored, beside, source()?),
            Answer::Stats(mut stats) => {
                let source = source()?;
                stats.disk = self.store.as_ref().map(|store| self.disk(&store.health(), &source));
                Answered::Stats(Box::new(stats), source)
            }
            Answer::Report(shown) => Answered::Report(shown, source()?),
            Answer::Backup => Answered::Backup(source()?),
            Answer::Redacting(..) => {
                return Err(ControlError::new(ErrorCode::Internal, "this is answered when it is done"));
            }
        })
    }

    /// Handles an answer of the store.
    pub(super) fn stored(&mut self, answer: store::Answer, at: Now) {
        let input = match answer {
            store::Answer::Recorded { through, redacted } => {
                for (number, lines) in redacted {
                    if let Some(at) = self.redacting.iter().position(|waiting| waiting.number == number) {
                        let Redacting { beside, reply, .. } = self.redacting.swap_remove(at);
                        let (lines, topics) = (lines + beside.private, beside.topics);
                        let value = serde_json::to_value(Redacted { lines, topics, dry_run: false });
                        let _ = reply.send(Ok(Answered::One(value.expect("results are plain JSON"))));
                    }
                }
                while self.unwritten.front().is_some_and(|answer| answer.through <= through)
                    && let Some(answer) = self.unwritten.pop_front()
                {
                    let _ = answer.reply.send(Ok(Answered::One(answer.value)));
                }
                self.delivery.on_disk(through);
                hub::News::Recorded { through }
            }
            store::Answer::Found { session, number, found } => hub::News::Found { session, number, found },
            store::Answer::BegunAnew => hub::News::BegunAnew,
            store::Answer::Recalled(recalled) => hub::News::Recalled(recalled),
        };
        self.state.input(input, at);
    }

    /// If the disk takes nothing, answers the administrators whose redaction waits for it: with the
    /// reason, and with what will happen later.
    pub(super) fn tell_of_a_disk_that_takes_nothing(&mut self, at: Now) {
        if self.redacting.iter().all(|waiting| waiting.look_at > at.mono) {
            return;
        }
        let trouble = self.store.as_ref().and_then(|store| store.health().trouble);
        for mut waiting in std::mem::take(&mut self.redacting) {
            let Some((why, _)) = trouble.as_ref().filter(|_| waiting.look_at <= at.mono) else {
                // The disk works. The redaction takes long because it concerns many lines.
                waiting.look_at = waiting.look_at.max(at.mono.after(PATIENCE));
                self.redacting.push(waiting);
                continue;
            };
            let Beside { memory, topics, .. } = waiting.beside;
            let topics = if topics > 0 { format!(", topics cleared: {topics}") } else { String::new() };
            let message = format!(
                "removed in memory and shown to nobody: {memory} lines{topics}; not removed on disk, which takes nothing: \
                 {why}. That is carried out as soon as the disk takes something"
            );
            let _ = waiting.reply.send(Err(ControlError::new(ErrorCode::Conflict, message)));
        }
    }

    /// Reads the settings again. No client is read meanwhile: the files are small, and no line is
    /// handled half by the old settings and half by the new ones.
    pub(super) fn reload(&mut self, at: Now) -> Result<Reloaded, ControlError> {
        systemd::reloading();
        let read_at = Time(now().wall);
        let loaded = match config::load(self.around.config.as_deref()) {
            Ok(loaded) => loaded,
            Err(problems) => {
                let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
                for problem in &text {
                    error!(message_id = ids::RELOAD_FAILED, chathub_problem = %problem, "settings refused; the old ones stay{}", logging::InWords(problem));
                }
                return Err(ControlError::new(ErrorCode::Conflict, text.join("\n")));
            }
        };
        let old = self.state.hub().settings().clone();
        let (mut applied, mut restart) = (Vec::new(), Vec::new());
        for setting in Settings::changes(&old, &loaded.settings) {
            match setting.applies {
                Applies::Live => applied.push(setting.key.to_owned()),
                Applies::Restart => restart.push(setting.key.to_owned()),
            }
        }
        let mut settings = loaded.settings;
        // A setting that needs a restart keeps its former value.
        settings.keep_what_needs_a_restart(&old);
        if let Some(store) = &self.store {
            store.configure(&settings.history);
        }
        if settings.log.level != old.log.level {
            self.around.level.set(settings.log.level);
        }
        self.around.tcp.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&settings.tcp);
        self.around.proxy.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&settings.proxy);
        for listener in &self.around.chat {
            if let Err(error) = accept::prepare(listener.get_ref(), &settings.tcp) {
                error!(chathub_error = %Plain(&error), "cannot set the options of a listening socket{}", logging::InWords(Plain(&error)));
            }
        }
        self.around.admins.set_limit(settings.limits.admin_connections);
        let clients = settings.limits.clients;
        if clients != old.limits.clients {
            // This may wait, so it runs on another thread: see `make_room`.
            let accepted = self.around.accepted.clone();
            tokio::task::spawn_blocking(move || {
                accepted.places.store(accept::make_room(clients), Ordering::Relaxed);
            });
        }
        *self.around.passwords.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            (settings.accounts.password, (&settings.accounts).into());
        self.around.files = loaded.files;
        self.around.read = SettingsRead { at: read_at, waiting: restart.clone() };
        self.state.input(hub::News::Settings(Box::new(settings)), at);
        let some = |keys: &[String]| (!keys.is_empty()).then(|| keys.join(" "));
        info!(
            message_id = ids::RELOADED,
            chathub_applied = some(&applied),
            chathub_restart = some(&restart),
            "settings read again"
        );
        let mut event = Event::new(EventKind::Reload, Time(at.wall));
        event.text = Some(applied.join(" "));
        self.subscribers.publish(&event);
        Ok(Reloaded { applied, restart })
    }
}
