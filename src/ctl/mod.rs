//! `chathub ctl`: asks the daemon over its admin socket and prints the answer.
//!
//! [`run`] is all that `main` needs. What can go wrong is one enum, `Failure`, and one place turns it
//! into what people read and what the shell sees. Nothing in here changes anything by itself: the daemon
//! decides, this asks.

mod answer;
mod backup;
mod failure;
mod file;
mod history;
mod monitor;
mod password;
mod print;
mod progress;
mod request;
pub mod schema;
mod session;
mod shutdown;
mod terminal;
mod top;

use std::io::{self, BufWriter};
use std::time::Duration;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::ctl::{CtlArgs, CtlCommand};
use crate::client::{Client, Environment};
use crate::exit::Exit;
use failure::Failure;
use file::{Existing, NewFile};
use print::screen::Screen;
use print::stderr::{complain, note};
use progress::Progress;
use request::Asked;
use session::Session;
use shutdown::is_stopping;

/// How long an answer may take, unless `--timeout` says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The same for `top`, which cannot be quit meanwhile.
pub const TOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than its deadline a shutdown may take.
pub const SHUTDOWN_MARGIN: Duration = Duration::from_secs(15);
/// How long a shutdown may take whose deadline is the daemon's setting: what systemd allows by default.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(90);

/// Runs `chathub ctl`. Writes to standard output and standard error.
#[must_use]
pub fn run(args: &CtlArgs) -> Exit {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut screen = Screen::new(&mut out);
    screen.terminal = terminal::size();
    screen.json = args.json;
    screen.legend = !(args.no_legend || args.quiet);
    screen.quiet = args.quiet;
    let mut done = carry_out(args, &mut screen);
    if let Err(error) = screen.flush()
        && done.is_ok()
    {
        done = Err(error.into());
    }
    let Err(failure) = done else { return Exit::Done };
    let exit = failure.exit();
    if exit != Exit::Done {
        complain(&failure.to_string());
        for line in failure.hint() {
            note(&line);
        }
    }
    exit
}

fn carry_out(args: &CtlArgs, screen: &mut Screen<'_>) -> Result<(), Failure> {
    if let CtlCommand::Completions { shell } = args.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "chathub", &mut script);
        return Ok(screen.verbatim(&String::from_utf8_lossy(&script))?);
    }
    if let CtlCommand::Shutdown { if_stopping: Some(unit), .. } = &args.command
        && !is_stopping(unit)
    {
        return Ok(());
    }
    let asked = Asked::from(&args.command)?;
    let path = Environment::of_process().socket(args.socket.as_deref())?;
    // 0 waits for ever. A socket takes a time-out of less than a microsecond for none.
    let wanted = args.timeout.map(|timeout| (!timeout.is_zero()).then(|| timeout.max(Duration::from_millis(1))));
    let mut client = Client::connect(&path, wanted.unwrap_or(Some(TIMEOUT)))?;
    client.set_answer_timeout(wanted.unwrap_or_else(|| default_timeout(&args.command)));
    let mut progress = Progress::default();
    match &args.command {
        CtlCommand::History { output: Some(file), .. } => {
            let mut file = NewFile::create(file, Existing::Replace)?;
            let mut out = BufWriter::new(&mut file.file);
            let mut page = Screen::new(&mut out);
            (page.json, page.legend, page.quiet) = (screen.json, screen.legend, screen.quiet);
            progress = Progress::new(screen.quiet);
            Session { client, screen: &mut page, progress }.run(&args.command, asked)?;
            page.flush()?;
            drop(out);
            return file.keep();
        }
        CtlCommand::Backup { .. } => progress = Progress::new(screen.quiet),
        _ => {}
    }
    Session { client, screen, progress }.run(&args.command, asked)
}

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
