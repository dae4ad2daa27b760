//! A terminal, and a program on it: a pseudo-terminal whose other end an emulated terminal reads.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::Pid;

use crate::hub::Hub;

/// How long a test may wait for all that it waits for. Far more than any needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a screen may take that is not yet what it is to be.
const HOPE: Duration = Duration::from_secs(20);

/// How a program has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Exit(i32),
    Signal(Signal),
}

/// What the program has sent, the emulated terminal that has read it, and whether that was all.
struct Screen {
    sent: Vec<u8>,
    terminal: vt100::Parser,
    over: bool,
}

/// The terminal, and the program.
pub(crate) struct Seat {
    child: Child,
    keyboard: File,
    slave: OwnedFd,
    before: Termios,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    deadline: Instant,
    host: String,
}

fn known(number: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(number).unwrap()
}

fn winsize((columns, rows): (u16, u16)) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Seat {
    /// `chathub ctl ARGS` on a terminal of so many columns and rows. What stood there before is one line of text.
    pub(crate) fn new(hub: &Hub, args: &[&str], variables: &[(&str, &str)], size: (u16, u16)) -> Self {
        let pty = openpty(Some(&winsize(size)), None).unwrap();
        let copy = |fd: &OwnedFd| fd.as_fd().try_clone_to_owned().unwrap();
        // The program keeps signals ignored that were so when it began: those of tests that run under nohup.
        let mut command = Command::new("env");
        command.args(["--default-signal", "setsid", "--ctty", env!("CARGO_BIN_EXE_chathub")]);
        command.args(["ctl", "--socket", "admin.sock"]).args(args);
        for name in ["NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "CHATHUB_SOCKET", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied()).current_dir(hub.dir());
        command.stdin(copy(&pty.slave)).stdout(copy(&pty.slave)).stderr(copy(&pty.slave));
        let before = tcgetattr(&pty.slave).unwrap();
        let mut terminal = vt100::Parser::new(known(size.1), known(size.0), 0);
        terminal.process(BEFORE.as_bytes());
        let screen = Screen { sent: Vec::new(), terminal, over: false };
        let screen = Arc::new((Mutex::new(screen), Condvar::new()));
        let child = command.spawn().unwrap();
        let (reads, mut master) = (screen.clone(), File::from(copy(&pty.master)));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let count = master.read(&mut piece).unwrap_or(0);
                let mut screen = reads.0.lock().unwrap();
                screen.sent.extend_from_slice(&piece[..count]);
                screen.terminal.process(&piece[..count]);
                screen.over = count == 0;
                reads.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let keyboard = File::from(pty.master);
        Self { child, keyboard, slave: pty.slave, before, screen, deadline: Instant::now() + PATIENCE, host }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Gives the terminal another size; its program is told by the kernel.
    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.screen.0.lock().unwrap().terminal.screen_mut().set_size(known(size.1), known(size.0));
        rustix::termios::tcsetwinsize(
            &self.keyboard,
            rustix::termios::Winsize { ws_row: size.1, ws_col: size.0, ws_xpixel: 0, ws_ypixel: 0 },
        )
        .unwrap();
    }

    /// env and setsid have become the program: it has their number.
    pub(crate) fn kill(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits until the screen is as `is_right` wants it.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is_right: impl Fn(&[String]) -> bool) {
        let mut screen = self.screen.0.lock().unwrap();
        loop {
            let rows = rows(&screen);
            if is_right(&rows) {
                return;
            }
            let text = rows.join("\n");
            assert!(!screen.over, "it has ended without showing {what}:\n{text}");
            let left = self.deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not show {what}:\n{text}");
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// The rows of the screen, without those at the end that are empty.
    pub(crate) fn rows(&self) -> Vec<String> {
        rows(&self.screen.0.lock().unwrap())
    }

    /// Waits until the screen is this text, as long as there is hope: a frame comes in pieces.
    pub(crate) fn comes_to(&self, text: &str) -> bool {
        let end = self.deadline.min(Instant::now() + HOPE);
        let mut screen = self.screen.0.lock().unwrap();
        while self.as_text(rows(&screen)) != text {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || screen.over {
                return false;
            }
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
        true
    }

    /// The screen as a file has it.
    pub(crate) fn text(&self) -> String {
        self.as_text(self.rows())
    }

    /// The name of the host does not matter, nor how far what stands behind it is from it.
    fn as_text(&self, mut rows: Vec<String>) -> String {
        if let Some(title) = rows.first_mut()
            && let Some((place, how)) = title.rsplit_once("  ").filter(|(place, _)| place.contains("sock"))
        {
            let place = place.trim_end().replace(&format!("{} ", self.host), "HOST ");
            *title = format!("{place}    {how}");
        }
        rows.iter().fold(String::new(), |text, row| text + row + "\n")
    }

    pub(crate) fn cell<T>(&self, row: usize, column: u16, look: impl FnOnce(&vt100::Cell) -> T) -> T {
        let screen = self.screen.0.lock().unwrap();
        look(screen.terminal.screen().cell(row.try_into().unwrap(), column).unwrap())
    }

    /// Everything that it has sent.
    pub(crate) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.screen.0.lock().unwrap().sent).into_owned()
    }

    /// The modes of the terminal, in words that can be compared.
    pub(crate) fn modes(&self) -> String {
        described(&tcgetattr(&self.slave).unwrap())
    }

    pub(crate) fn modes_before(&self) -> String {
        described(&self.before)
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub(crate) fn end(&mut self) -> Ended {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let signal = status.signal().and_then(|number| Signal::try_from(number).ok());
                return signal.map_or_else(|| Ended::Exit(status.code().unwrap()), Ended::Signal);
            }
            assert!(Instant::now() < self.deadline, "it does not end:\n{}", self.rows().join("\n"));
            std::thread::yield_now();
        }
    }

    /// Whether the screen is the one that was there before, with its cursor, and pasted text comes as it did.
    pub(crate) fn is_as_before(&mut self) -> bool {
        // The last of what was sent may still be on its way.
        self.until("what was there before", |rows| rows == [BEFORE]);
        let screen = self.screen.0.lock().unwrap();
        let terminal = screen.terminal.screen();
        !terminal.hide_cursor() && !terminal.bracketed_paste() && !terminal.alternate_screen()
    }
}

/// What stood on the screen before.
const BEFORE: &str = "$ what was there before";

fn rows(screen: &Screen) -> Vec<String> {
    screen.terminal.screen().contents().trim_end().lines().map(|row| row.trim_end().to_owned()).collect()
}

fn described(modes: &Termios) -> String {
    format!("{:?} {:?} {:?} {:?}", modes.input_flags, modes.output_flags, modes.control_flags, modes.local_flags)
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
