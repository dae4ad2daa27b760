//! The destination of answers: standard output or, on a terminal, a pager, as systemctl does.
//!
//! The pager is started by the first byte: so a command that fails before that prints its error
//! without one. `$SYSTEMD_PAGER` or `$PAGER` may name another pager than `less`; empty, or `cat`,
//! means none. If the named one does not exist, `less` is used, or else `more`. `less` quits by
//! itself if everything fits on the screen (`$SYSTEMD_LESS` sets other options), and starts no
//! other programs (`$LESSSECURE`), because an administrator by sudo must not get a shell that way.
//! Under sudo, no pager but `less` is used.

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
    /// The first byte to be written starts a pager.
    PagerWanted,
    Stdout(BufWriter<Stdout>),
    Pager(Pager),
}

struct Pager {
    input: BufWriter<ChildStdin>,
    /// Whether everything is written: then the end of the pager must not end this program.
    written: Arc<AtomicBool>,
    waits: JoinHandle<()>,
}

impl Output {
    /// Standard output; or, if `paged` and on a terminal, a pager.
    pub(super) fn new(paged: bool) -> Self {
        let stdout = io::stdout();
        let to = if paged && terminal::is_capable() && stdout.is_terminal() {
            To::PagerWanted
        } else {
            To::Stdout(BufWriter::new(stdout))
        };
        Self { to }
    }

    /// Waits until the user leaves the pager, if there is one.
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

/// Starts a pager. `None` if none is wanted, or none exists.
fn start() -> Option<Pager> {
    let by_sudo = env::var_os("SUDO_UID").is_some() || env::var_os("PKEXEC_UID").is_some();
    let wanted = ["SYSTEMD_PAGER", "PAGER"].iter().filter(|_| !by_sudo).find_map(|name| env::var(name).ok());
    if wanted.as_deref().is_some_and(|pager| matches!(pager.trim(), "" | "cat")) {
        return None;
    }
    // If the named pager does not exist, another is used. more(1) can start programs, so it is not
    // used under sudo.
    let others = ["less", "more"].into_iter().filter(|pager| !by_sudo || *pager == "less");
    let mut child = wanted.as_deref().into_iter().chain(others).find_map(spawn)?;
    let input = BufWriter::new(child.stdin.take()?);
    // ^C is for the pager: `less` quits by it, and this program ends then. Until then the pager has
    // the terminal.
    let mut interrupt = SigSet::empty();
    interrupt.add(Signal::SIGINT);
    let _ = interrupt.thread_block();
    let written = Arc::new(AtomicBool::new(false));
    let done = written.clone();
    let waits = std::thread::spawn(move || {
        let _ = child.wait();
        if !done.load(Ordering::Acquire) {
            // Nobody would read the rest, which may be long in coming.
            std::process::exit(0);
        }
    });
    Some(Pager { input, written, waits })
}

/// Starts a pager. `None` if it does not exist.
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

/// Whether the output of a command can be long.
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
