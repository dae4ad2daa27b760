//! Where answers go: standard output, or a pager on a terminal, as systemctl does.
//!
//! The pager is started with the first byte, so what fails before is told without one. `$SYSTEMD_PAGER` and `$PAGER`
//! name another than `less`; an empty one, or `cat`, means none; where what is named is not there, `less` is taken, or
//! `more`. `less` quits by itself if all fits on the screen (`$SYSTEMD_LESS` has other options), and starts no other
//! programs (`$LESSSECURE`): whoever administers by sudo is not meant to have a shell. By sudo, no other pager than that
//! is taken.

use std::env;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use nix::sys::signal::{SigSet, Signal};

use super::terminal;
use crate::cli::ctl::CtlCommand;
use crate::cli::ctl::account::AccountCommand;
use crate::cli::ctl::ban::{BanCommand, SanctionCommand};
use crate::cli::ctl::report::ReportCommand;
use crate::cli::ctl::rooms::RoomsCommand;
use crate::kernel;

/// Standard output, or a pager.
pub(super) struct Output {
    to: To,
}

enum To {
    /// The first byte will start a pager.
    PagerWanted,
    Stdout(BufWriter<Stdout>),
    Pager(Pager),
}

struct Pager {
    input: BufWriter<ChildStdin>,
    /// All is written: when the pager ends, so does this program, but in its own way.
    written: Arc<AtomicBool>,
    waits: JoinHandle<()>,
}

impl Output {
    /// Standard output; with `paged`, by a pager if it is a terminal.
    pub(super) fn new(paged: bool) -> Self {
        let stdout = io::stdout();
        let to = if paged && terminal::is_capable() && stdout.is_terminal() {
            To::PagerWanted
        } else {
            To::Stdout(BufWriter::new(stdout))
        };
        Self { to }
    }

    /// Waits until the pager is left, if there is one.
    pub(super) fn end(self) {
        if let To::Pager(Pager { input, written, waits }) = self.to {
            written.store(true, Ordering::Release);
            drop(input);
            let _ = waits.join();
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        if matches!(self.to, To::PagerWanted) {
            self.to = match start() {
                Some(pager) => To::Pager(pager),
                None => To::Stdout(BufWriter::new(io::stdout())),
            };
        }
        match &mut self.to {
            To::PagerWanted => unreachable!("it was started"),
            To::Stdout(out) => out,
            To::Pager(pager) => &mut pager.input,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        kernel::has_output()?;
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::PagerWanted => Ok(()),
            To::Stdout(out) => out.flush(),
            To::Pager(pager) => pager.input.flush(),
        }
    }
}

/// Starts a pager; `None` if none is wanted or there is none.
fn start() -> Option<Pager> {
    let by_sudo = env::var_os("SUDO_UID").is_some() || env::var_os("PKEXEC_UID").is_some();
    let wanted = ["SYSTEMD_PAGER", "PAGER"].iter().filter(|_| !by_sudo).find_map(|name| env::var(name).ok());
    if wanted.as_deref().is_some_and(|pager| matches!(pager.trim(), "" | "cat")) {
        return None;
    }
    // One that is not there is no reason to have none; more(1) starts programs, and so is not for sudo.
    let others = ["less", "more"].into_iter().filter(|pager| !by_sudo || *pager == "less");
    let mut child = wanted.as_deref().into_iter().chain(others).find_map(spawn)?;
    let input = BufWriter::new(child.stdin.take()?);
    // ^C is the pager's: less leaves it, and this program with it. Until then the terminal is in its hands.
    let mut interrupt = SigSet::empty();
    interrupt.add(Signal::SIGINT);
    let _ = interrupt.thread_block();
    let written = Arc::new(AtomicBool::new(false));
    let done = written.clone();
    let waits = std::thread::spawn(move || {
        let _ = child.wait();
        if !done.load(Ordering::Acquire) {
            // Nobody reads what is still to come, which may be long in coming.
            std::process::exit(0);
        }
    });
    Some(Pager { input, written, waits })
}

/// Starts a pager, if it is there.
fn spawn(pager: &str) -> Option<Child> {
    let mut words = pager.split_whitespace();
    let mut command = Command::new(words.next()?);
    let options = env::var("SYSTEMD_LESS").unwrap_or_else(|_| "FRSXMK".to_owned());
    command.args(words).env("LESS", options).env("LESSSECURE", "1").stdin(Stdio::piped());
    if let Ok(charset) = env::var("SYSTEMD_LESSCHARSET") {
        command.env("LESSCHARSET", charset);
    }
    command.spawn().ok()
}

/// Whether what a command prints can be long.
pub(super) fn is_long(command: &CtlCommand) -> bool {
    matches!(
        command,
        CtlCommand::Status
            | CtlCommand::Clients { .. }
            | CtlCommand::Client { .. }
            | CtlCommand::Ban { action: BanCommand::List | BanCommand::Test { .. } }
            | CtlCommand::Sanction { action: SanctionCommand::List { .. } | SanctionCommand::Test { .. } }
            | CtlCommand::Report { action: ReportCommand::List { .. } | ReportCommand::Show { .. } }
            | CtlCommand::Account { action: AccountCommand::List }
            | CtlCommand::Rooms { action: None | Some(RoomsCommand::List | RoomsCommand::Show { .. }) }
            | CtlCommand::History { output: None, .. }
            | CtlCommand::HistoryStats
            | CtlCommand::Metrics
            | CtlCommand::Describe { .. }
    )
}
