//! The programs that people have: nc, telnet, ncat, socat.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};

use crate::stage::{Daemon, Deadline, Story, have, not_tested};

/// What a program has printed, and whether that was all.
type Shown = (Mutex<(Vec<u8>, bool)>, Condvar);

/// A program under way, and what it has printed; killed when dropped.
struct Program {
    child: Child,
    shown: Arc<Shown>,
    name: String,
    deadline: Deadline,
    story: Story,
}

impl Program {
    fn on(daemon: &Daemon, mut command: Command, mut from: impl std::io::Read + Send + 'static) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().unwrap();
        // It holds this process' copies of the program's streams.
        drop(command);
        let shown = Arc::new((Mutex::new((Vec::new(), false)), Condvar::new()));
        let (to, story, who) = (shown.clone(), daemon.story.clone(), name.clone());
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                // A terminal ends with an error (EIO), a pipe with nothing.
                let count = from.read(&mut chunk).unwrap_or(0);
                story.tell(&who, "<", &chunk[..count]);
                let mut state = to.0.lock().unwrap();
                state.0.extend_from_slice(&chunk[..count]);
                state.1 |= count == 0;
                to.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, shown, name, deadline: daemon.deadline, story: daemon.story.clone() }
    }

    /// With pipes, as in a script.
    fn piped(daemon: &Daemon, command: &[&str]) -> (Self, ChildStdin) {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut program = Command::new(command[0]);
        program.args(&command[1..]).stdin(Stdio::piped()).stdout(writer).stderr(Stdio::null());
        let mut program = Self::on(daemon, program, reader);
        let stdin = program.child.stdin.take().unwrap();
        (program, stdin)
    }

    /// On a terminal, as a person has it; ^C typed there interrupts.
    fn on_terminal(daemon: &Daemon, command: &[&str]) -> (Self, File) {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).unwrap();
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let copy = |fd: &std::os::fd::OwnedFd| fd.as_fd().try_clone_to_owned().unwrap();
        let mut program = Command::new("setsid");
        program.arg("--ctty").args(command).env("TERM", "xterm-256color");
        program.stdin(copy(&pty.slave)).stdout(copy(&pty.slave)).stderr(pty.slave);
        let keyboard = File::from(copy(&pty.master));
        let mut program = Self::on(daemon, program, File::from(pty.master));
        program.name = command[0].into();
        (program, keyboard)
    }

    /// Waits until it has printed `text`, after `from` bytes; returns how many it has printed then.
    #[track_caller]
    fn shows(&self, text: &str, from: usize) -> usize {
        let mut state = self.shown.0.lock().unwrap();
        loop {
            if let Some(at) = state.0[from..].windows(text.len()).position(|window| window == text.as_bytes()) {
                return from + at + text.len();
            }
            let all = String::from_utf8_lossy(&state.0);
            assert!(!state.1, "{} has ended without showing {text:?}: {all:?}", self.name);
            assert!(!self.deadline.is_over(), "{} does not show {text:?}: {all:?}", self.name);
            state = self.shown.1.wait_timeout(state, self.deadline.left()).unwrap().0;
        }
    }

    /// Waits for its end; returns all it has printed.
    #[track_caller]
    fn ends(mut self) -> String {
        let mut state = self.shown.0.lock().unwrap();
        while !state.1 {
            assert!(!self.deadline.is_over(), "{} does not end", self.name);
            state = self.shown.1.wait_timeout(state, self.deadline.left()).unwrap().0;
        }
        let all = String::from_utf8_lossy(&state.0).into_owned();
        drop(state);
        self.child.wait().unwrap();
        all
    }

    fn note(&self, typed: &[u8]) {
        self.story.tell(&self.name, ">", typed);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn at(daemon: &Daemon) -> (String, String) {
    let addr: SocketAddr = daemon.addr();
    (addr.ip().to_string(), addr.port().to_string())
}

/// Says two lines by a program that is given them and then the end of its input.
#[track_caller]
fn says_from_a_pipe(daemon: &Daemon, command: &[&str]) -> String {
    let mut bob = daemon.client("bob");
    let (program, mut stdin) = Program::piped(daemon, command);
    stdin.write_all(b"hi\nfrom a pipe\n").unwrap();
    drop(stdin);
    bob.expect_with(": hi");
    bob.expect_with(": from a pipe");
    let shown = program.ends();
    assert!(shown.starts_with("-- Welcome to "), "{shown}");
    assert!(!shown.contains('\u{fffd}'), "only text: {shown:?}");
    shown
}

/// Whether `nc` is the one of OpenBSD, whose options are meant here.
fn have_openbsd_nc() -> bool {
    if !have("nc") {
        return false;
    }
    let help = Command::new("nc").arg("-h").output().unwrap();
    let ours = [help.stdout, help.stderr].iter().any(|out| String::from_utf8_lossy(out).contains("OpenBSD"));
    if !ours {
        not_tested("nc is not the one of OpenBSD (Debian: netcat-openbsd)");
    }
    ours
}

#[test]
fn nc_that_waits_a_second_says_what_it_is_given() {
    if have_openbsd_nc() {
        let daemon = Daemon::start();
        let (host, port) = at(&daemon);
        says_from_a_pipe(&daemon, &["nc", "-q1", &host, &port]);
    }
}

#[test]
fn nc_that_closes_its_side_says_what_it_is_given_and_ends() {
    if have_openbsd_nc() {
        let daemon = Daemon::start();
        let (host, port) = at(&daemon);
        says_from_a_pipe(&daemon, &["nc", "-N", &host, &port]);
    }
}

#[test]
fn ncat_says_what_it_is_given() {
    if have("ncat") {
        let daemon = Daemon::start();
        let (host, port) = at(&daemon);
        says_from_a_pipe(&daemon, &["ncat", &host, &port]);
    }
}

#[test]
fn socat_says_what_it_is_given() {
    if have("socat") {
        let daemon = Daemon::start();
        let (host, port) = at(&daemon);
        says_from_a_pipe(&daemon, &["socat", "-", &format!("TCP:{host}:{port}")]);
    }
}

#[test]
fn bash_alone_is_enough_to_chat() {
    if have("bash") {
        let daemon = Daemon::start();
        let (host, port) = at(&daemon);
        let script = format!("exec 3<>/dev/tcp/{host}/{port}; cat >&3; printf '/quit\\n' >&3; cat <&3");
        says_from_a_pipe(&daemon, &["bash", "-c", &script]);
    }
}

#[test]
fn nc_on_a_terminal_shows_what_others_say_as_they_say_it() {
    if have_openbsd_nc() && have("setsid") {
        let daemon = Daemon::start();
        let (host, port) = at(&daemon);
        let mut bob = daemon.client("bob");
        let (nc, mut keyboard) = Program::on_terminal(&daemon, &["nc", &host, &port]);
        let greeted = nc.shows("/help", 0);
        keyboard.write_all(b"hello\r").unwrap();
        bob.expect_with(": hello");
        bob.send("hello yourself");
        let shown = nc.shows("bob: hello yourself", greeted);
        keyboard.write_all(b"/quit\r").unwrap();
        nc.shows("-- goodbye", shown);
        bob.expect_with("left");
    }
}

#[test]
fn telnet_talks_survives_control_c_and_leaves_by_control_d() {
    if !have("telnet") || !have("setsid") {
        return;
    }
    let daemon = Daemon::start();
    let (host, port) = at(&daemon);
    let mut bob = daemon.client("bob");
    let (telnet, mut keyboard) = Program::on_terminal(&daemon, &["telnet", &host, &port]);
    let mut shown = telnet.shows("/help", 0);
    let mut typed = |keys: &[u8]| {
        telnet.note(keys);
        keyboard.write_all(keys).unwrap();
    };
    typed(b"hello from a terminal\r");
    bob.expect_with(": hello from a terminal");
    bob.send("hello telnet");
    shown = telnet.shows("bob: hello telnet", shown);
    // ^C must not black the session out: Debian's telnet shows nothing more until it is answered.
    typed(b"half a line\x03");
    shown = telnet.shows("-- what you had typed is gone", shown);
    bob.send("do you see this?");
    shown = telnet.shows("bob: do you see this?", shown);
    typed(b"yes\r");
    bob.expect_with(": yes");
    typed(b"\x04");
    telnet.shows("-- goodbye", shown);
    bob.expect_with("left");
    let all = telnet.ends();
    assert!(!all.contains('\u{fffd}'), "only text: {all:?}");
}

#[test]
fn busybox_telnet_talks_too() {
    if !have("busybox") || !have("setsid") {
        return;
    }
    let daemon = Daemon::start();
    let (host, port) = at(&daemon);
    let mut bob = daemon.client("bob");
    let (telnet, mut keyboard) = Program::on_terminal(&daemon, &["busybox", "telnet", &host, &port]);
    let shown = telnet.shows("/help", 0);
    keyboard.write_all(b"hello from a small one\r").unwrap();
    bob.expect_with(": hello from a small one");
    bob.send("hello small one");
    let shown = telnet.shows("bob: hello small one", shown);
    keyboard.write_all(b"/quit\r").unwrap();
    telnet.shows("-- goodbye", shown);
    bob.expect_with("left");
}
