//! `chathub ctl`: asks the daemon over its admin socket and prints the answers.
//!
//! A command line becomes a `Task`. A `Session` sends it, and prints what comes. A `Failure` has
//! the message to the user and the exit code. This module does not know whether a command is
//! allowed, nor what it does: the daemon decides that, and all changes are made by asking it.
//! [`crate::client`] knows how to talk to the daemon; [`crate::cli::ctl`] knows how a command line
//! is written.
//!
//! | to change | see |
//! | --- | --- |
//! | a new command: its arguments | [`crate::cli::ctl`] |
//! | a new command: its request | `task` |
//! | a new command: how its result is printed | `answer`, and a function in `print` |
//! | `history`, `backup`, `monitor`, `top`, `shutdown` | `history`, `backup`, `monitor`, `top`, `shutdown` |
//! | the daemon asked while keys are waited for, and connected to again | `asker` |
//! | whether a connection would start the service, for those who only look | `asleep` |
//! | what is told when something fails, and the exit code | `failure` |
//! | how a request is sent and its replies read; how long an answer may take | `session`; this file |
//! | tables, escaping, values | `print` |
//! | which columns of a table fit the terminal, and how wide they are | `fit` |
//! | the completions that shells offer | `complete` |
//! | the pager, `--watch` | `pager`, `watch` |
//! | how a password is asked for, and whether something is meant | `password`, `confirm` |
//! | what must be so before anybody is asked for something | `beforehand` |
//! | `--output`, and how much of a long answer has come | `file`, `progress` |
//! | the terminal's size, keys and alternate screen | `terminal` |
//! | the clean-up before Ctrl-C or a panic ends the program | `signals` |
//! | the words of `describe` for a field | [`schema`] |

mod answer;
mod asker;
mod asleep;
mod backup;
mod beforehand;
mod complete;
mod confirm;
mod failure;
mod file;
mod fit;
mod history;
mod monitor;
mod pager;
mod password;
pub(crate) mod print;
mod progress;
pub mod schema;
mod session;
mod shutdown;
mod signals;
mod task;
mod terminal;
mod top;
mod watch;

use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::cli::ctl::{CtlArgs, CtlCommand};
use crate::client::{Client, Environment};
use crate::exit::Exit;
use crate::values::time::Wall;
use failure::Failure;
use file::{Existing, NewFile};
use pager::Output;
use print::screen::Screen;
use print::stderr::{complain, note};
use progress::Progress;
use session::Session;
use shutdown::is_stopping;
use task::Task;

/// The longest wait for an answer, unless `--timeout` says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest wait for an answer in `top` and with `--watch`; they then connect to the daemon
/// again.
pub const TOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than its deadline `shutdown` waits for its answer.
pub const SHUTDOWN_MARGIN: Duration = Duration::from_secs(15);
/// The longest wait for the answer to `shutdown` without a deadline of its own (the daemon's
/// settings have one): as long as systemd waits for a stop by default.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(90);

/// Runs `chathub ctl`. Writes to standard output and standard error.
#[must_use]
pub fn run(args: &CtlArgs) -> Exit {
    let mut out = Output::new(!args.no_pager && args.watch.is_none() && pager::is_long(&args.command));
    let mut screen = Screen::new(&mut out);
    screen.terminal = terminal::size();
    screen.json = args.json;
    screen.legend = !(args.no_legend || args.quiet);
    screen.quiet = args.quiet;
    screen.full = args.full;
    screen.styled = screen.terminal.is_some() && terminal::has_style();
    screen.now = now();
    let mut done = ask_and_print(args, &mut screen);
    if let Err(error) = screen.flush()
        && done.is_ok()
    {
        done = Err(error.into());
    }
    out.end();
    let Err(failure) = done else { return Exit::Done };
    let exit = failure.exit();
    if exit != Exit::Done {
        complain(&failure.to_string());
        let environment = Environment::of_process();
        let by_name = args.socket.is_some() || environment.chathub_socket.is_some();
        for line in failure.hint(&environment, by_name) {
            note(&line);
        }
    }
    exit
}

/// The present time, to compute ages.
fn now() -> Wall {
    let passed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
}

fn ask_and_print(args: &CtlArgs, screen: &mut Screen<'_>) -> Result<(), Failure> {
    match &args.command {
        CtlCommand::Completions { shell } => return Ok(screen.verbatim(shell.script())?),
        CtlCommand::Complete { line, given } => return Ok(screen.verbatim(&complete::complete(*line, given))?),
        _ => {}
    }
    if let CtlCommand::Shutdown { if_stopping: Some(unit), .. } = &args.command
        && !is_stopping(unit)
    {
        return Ok(());
    }
    let environment = Environment::of_process();
    // 0 waits for ever. A socket takes a time-out of less than a microsecond for none.
    let wanted = args.timeout.map(|timeout| (!timeout.is_zero()).then(|| timeout.max(Duration::from_millis(1))));
    if let Some(question) = beforehand::question(&args.command) {
        // Nobody is asked for something only to be told this.
        if args.watch.is_some() {
            return Err(watch::only_looks());
        }
        let path = environment.socket(args.socket.as_deref())?;
        beforehand::ask(&path, &args.command, &question, wanted.unwrap_or(Some(TIMEOUT)))?;
    }
    let command = &confirm::confirmed(&args.command)?;
    let task = Task::of(command)?;
    if args.watch.is_some() {
        watch::watched(&task)?;
    }
    let path = environment.socket(args.socket.as_deref())?;
    let looks = args.watch.is_some() || matches!(task, Task::Top(_));
    if looks && let Some(manager) = asleep::asleep(&path) {
        return match task {
            Task::Top(interval) if top::waits(screen) => {
                let timeout = wanted.unwrap_or_else(|| default_timeout(command));
                top::run(Err(manager), path, screen, (interval, timeout))
            }
            _ => Err(Failure::Stopped(manager)),
        };
    }
    let mut client = Client::connect(&path, wanted.unwrap_or(Some(TIMEOUT)))?;
    let timeout = wanted.unwrap_or_else(|| default_timeout(command));
    client.set_answer_timeout(timeout);
    // If there are two hubs, the output must say which one it is about.
    if matches!(command, CtlCommand::Status)
        && !(args.quiet || args.json)
        && let Some(other) = environment.another(&path)
    {
        complain(&format!("this is the hub at {}; another one's socket is {}", path.display(), other.display()));
        note(&format!("To ask that one: --socket {}", other.display()));
    }
    if let Task::Top(interval) = task {
        return top::run(Ok(client), path, screen, (interval, timeout));
    }
    let mut progress = Progress::default();
    match command {
        CtlCommand::History { output: Some(file), .. } if file != Path::new("-") => {
            let mut file = NewFile::create(file, Existing::Replace)?;
            let mut out = BufWriter::new(&mut file.file);
            let mut page = screen.beside(&mut out);
            (page.terminal, page.styled) = (None, false);
            progress = Progress::new(screen.quiet);
            Session { client, screen: &mut page, progress }.run(command, task)?;
            page.flush()?;
            drop(out);
            return file.keep();
        }
        CtlCommand::Backup { .. } => progress = Progress::new(screen.quiet),
        _ => {}
    }
    let mut session = Session { client, screen, progress };
    match args.watch {
        Some(interval) => session.watch(command, &task, (interval, wanted.unwrap_or(Some(TOP_TIMEOUT)))),
        None => session.run(command, task),
    }
}

/// How long an answer to `command` may take without `--timeout`; `None` waits for ever.
fn default_timeout(command: &CtlCommand) -> Option<Duration> {
    match command {
        CtlCommand::Monitor { .. } => None,
        CtlCommand::Top { .. } => Some(TOP_TIMEOUT),
        CtlCommand::Shutdown { deadline, .. } => {
            Some(deadline.map_or(SHUTDOWN_TIMEOUT, |deadline| deadline + SHUTDOWN_MARGIN))
        }
        _ => Some(TIMEOUT),
    }
}
