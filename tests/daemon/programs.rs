//! The programs that people have: nc, telnet, ncat, socat, plink, tt++. What they show on a terminal is
//! read off an emulated screen.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};

use crate::stage::{Client, Daemon, Deadline, Story, UNPACED, have, not_tested};

/// The size of every terminal here, in rows and columns.
const ROWS: u16 = 24;
const COLS: u16 = 80;

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
        let size = Winsize { ws_row: ROWS, ws_col: COLS, ws_xpixel: 0, ws_ypixel: 0 };
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

    /// Waits until its screen is as `is_right` wants it; returns the rows of it, without those at the end
    /// that are empty.
    #[track_caller]
    fn screen(&self, what: &str, is_right: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut state = self.shown.0.lock().unwrap();
        loop {
            let known = |number| std::num::NonZero::new(number).unwrap();
            let mut screen = vt100::Parser::new(known(ROWS), known(COLS), 0);
            screen.process(&state.0);
            let text = screen.screen().contents();
            let rows: Vec<_> = text.trim_end().lines().map(|row| row.trim_end().to_owned()).collect();
            if is_right(&rows) {
                return rows;
            }
            assert!(!state.1, "{} has ended without showing {what}:\n{text}", self.name);
            assert!(!self.deadline.is_over(), "{} does not show {what}:\n{text}", self.name);
            state = self.shown.1.wait_timeout(state, self.deadline.left()).unwrap().0;
        }
    }

    /// Waits until the last row of its screen is this.
    #[track_caller]
    fn prompts(&self, row: &str) -> Vec<String> {
        self.screen(row, |rows| rows.last().is_some_and(|last| last == row))
    }

    /// Waits until it has printed `text`, after `from` bytes, colours not counted; returns how many it has
    /// printed then.
    #[track_caller]
    fn shows(&self, text: &str, from: usize) -> usize {
        let mut state = self.shown.0.lock().unwrap();
        loop {
            let plain = without_colors(&state.0);
            if let Some(at) =
                plain.get(from..).and_then(|new| new.windows(text.len()).position(|window| window == text.as_bytes()))
            {
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
    fn ends(self) -> String {
        String::from_utf8_lossy(&self.ends_with_bytes()).into_owned()
    }

    /// The same, as it came.
    #[track_caller]
    fn ends_with_bytes(mut self) -> Vec<u8> {
        let mut state = self.shown.0.lock().unwrap();
        while !state.1 {
            assert!(!self.deadline.is_over(), "{} does not end", self.name);
            state = self.shown.1.wait_timeout(state, self.deadline.left()).unwrap().0;
        }
        let all = state.0.clone();
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

/// Without the sequences that say how characters look.
fn without_colors(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\x1b[") {
        plain.extend_from_slice(&rest[..at]);
        let len = rest[at + 2..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        let end = at + 2 + len;
        if rest.get(end) == Some(&b'm') {
            rest = &rest[end + 1..];
        } else {
            plain.extend_from_slice(&rest[at..end]);
            rest = &rest[end..];
        }
    }
    plain.extend_from_slice(rest);
    plain
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
    assert!(!shown.contains(['\u{fffd}', '\x1b']), "only text: {shown:?}");
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

/// Each has the byte 0x9D in it, which is Debian's telnet's escape key but for the high bit.
const LIKE_THE_ESCAPE_KEY: &str = "Н 東 ❤ ” 이 ש";

/// Types characters that have the byte 0x9D, line by line and key by key, with commands behind them that
/// would do harm if they were taken for the program's own.
#[track_caller]
fn characters_are_no_escape_keys(daemon: &Daemon, command: &[&str]) {
    let mut bob = daemon.client("bob");
    let (telnet, mut keyboard) = Program::on_terminal(daemon, command);
    let mut typed = |keys: &str| {
        telnet.note(keys.as_bytes());
        keyboard.write_all(keys.as_bytes()).unwrap();
    };
    telnet.shows("/help", 0);
    // How the first line ends shows that it is telnet; the terminal is told, and it goes over to keys.
    typed("hi\r");
    bob.expect_with(": hi");
    telnet.prompts("lobby>");
    for number in 0..3 {
        typed(&format!("{LIKE_THE_ESCAPE_KEY}quit {number}\r"));
        bob.expect_with(&format!(": {LIKE_THE_ESCAPE_KEY}quit {number}"));
    }
    for c in LIKE_THE_ESCAPE_KEY.split(' ') {
        typed(&format!("{c}\r"));
        bob.expect_with(&format!(": {c}"));
    }
    telnet.prompts("lobby>");
    typed("/mode line\r");
    telnet.screen("the end of char mode", |rows| rows.last().is_some_and(|row| row.starts_with("-- your program")));
    for number in 0..3 {
        typed(&format!("{LIKE_THE_ESCAPE_KEY}quit line {number}\r"));
        bob.expect_with(&format!(": {LIKE_THE_ESCAPE_KEY}quit line {number}"));
    }
    for c in LIKE_THE_ESCAPE_KEY.split(' ') {
        typed(&format!("{c}\r"));
        bob.expect_with(&format!(": {c}"));
    }
    // ^C and ^D are what they were.
    typed("half a line\x03");
    let shown = telnet.shows("-- what you had typed is gone", 0);
    typed("whole again\r");
    bob.expect_with(": whole again");
    typed("\x04");
    telnet.shows("-- goodbye", shown);
    bob.expect_with("left");
    let all = telnet.ends();
    assert!(!all.contains("telnet>"), "{all:?}");
}

#[test]
fn debians_telnet_takes_no_character_for_its_escape_key() {
    if have("telnet") && have("setsid") {
        let daemon = Daemon::with(UNPACED);
        let (host, port) = at(&daemon);
        characters_are_no_escape_keys(&daemon, &["telnet", &host, &port]);
    }
}

/// Letters and accents that have together every byte that UTF-8 has behind ASCII, from each plane with letters.
fn letters_of_every_byte() -> String {
    let mut seen = BTreeSet::new();
    let letters = ('\u{a1}'..='\u{3ffff}').filter(|c| c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}'));
    letters.filter(|c| c.encode_utf8(&mut [0; 4]).bytes().filter(|byte| seen.insert(*byte)).count() > 0).collect()
}

#[test]
fn debians_telnet_passes_every_byte_of_text() {
    if !have("telnet") || !have("setsid") {
        return;
    }
    let daemon = Daemon::with(UNPACED);
    let (host, port) = at(&daemon);
    let mut bob = daemon.client("bob");
    let (telnet, mut keyboard) = Program::on_terminal(&daemon, &["telnet", &host, &port]);
    telnet.shows("/help", 0);
    let letters = letters_of_every_byte();
    let bytes: BTreeSet<u8> = letters.bytes().collect();
    assert!((0x80..0xc0).chain(0xc3..0xed).all(|byte| bytes.contains(&byte)), "{letters}");
    for mode in ["/mode char", "/mode line"] {
        telnet.note(mode.as_bytes());
        keyboard.write_all(format!("{mode}\r").as_bytes()).unwrap();
        for letter in letters.chars() {
            keyboard.write_all(format!("a{letter}b\r").as_bytes()).unwrap();
            bob.expect_with(&format!(": a{letter}b"));
        }
    }
    keyboard.write_all(b"/quit\r").unwrap();
    telnet.ends();
}

#[test]
fn a_password_is_typed_again_in_debians_telnet_and_nobody_sees_it() {
    if !have("telnet") || !have("setsid") {
        return;
    }
    let daemon = Daemon::with(&format!("{UNPACED}[accounts]\nmemory = '64KiB'\npasses = 1\n"));
    let (host, port) = at(&daemon);
    let mut bob = daemon.client("bob");
    let mut carol = daemon.client("carol");
    carol.send("/register sesame-open");
    carol.expect_with("carol is registered");
    carol.send("/quit");
    bob.expect_with("carol left");
    let (telnet, mut keyboard) = Program::on_terminal(&daemon, &["telnet", &host, &port]);
    let mut typed = |keys: &str| {
        telnet.note(keys.as_bytes());
        keyboard.write_all(keys.as_bytes()).unwrap();
    };
    let mut shown = telnet.shows("/help", 0);
    typed("hi\r");
    bob.expect_with(": hi");
    telnet.prompts("lobby>");
    for mode in ["char", "line"] {
        typed(&format!("/mode {mode}\r"));
        shown = telnet.shows(if mode == "char" { "you have a line editor" } else { "your program edits" }, shown);
        typed("/login carol\r");
        shown = telnet.shows("type the password of carol", shown);
        typed("sesame-wrong\r");
        shown = telnet.shows("no such name, or not its password", shown);
        shown = telnet.shows("type the password of carol", shown);
        typed("sesame-open\r");
        shown = telnet.shows("welcome, carol", shown);
        typed(&format!("seen in {mode} mode\r"));
        bob.expect_with(&format!("carol: seen in {mode} mode"));
        typed("/logout\r");
        shown = telnet.shows("you are logged out", shown);
    }
    typed("/quit\r");
    telnet.shows("-- goodbye", shown);
    let all = telnet.ends();
    assert!(!all.contains("sesame"), "nothing of a password is on the screen: {all:?}");
    let heard = bob.sync();
    assert!(!heard.iter().any(|line| line.contains("sesame")), "{heard:#?}");
}

#[test]
fn busybox_and_putty_are_not_harmed_by_being_asked_for_binary() {
    if have("busybox") && have("setsid") {
        let daemon = Daemon::with(UNPACED);
        let (host, port) = at(&daemon);
        let mut bob = daemon.client("bob");
        let (telnet, mut keyboard) = Program::on_terminal(&daemon, &["busybox", "telnet", &host, &port]);
        telnet.shows("/help", 0);
        keyboard.write_all(b"hi\r").unwrap();
        bob.expect_with(": hi");
        telnet.prompts("lobby>");
        keyboard.write_all(format!("{LIKE_THE_ESCAPE_KEY}\r").as_bytes()).unwrap();
        bob.expect_with(&format!(": {LIKE_THE_ESCAPE_KEY}"));
    }
    if have("plink") && have("setsid") {
        let daemon = Daemon::with(UNPACED);
        let (host, port) = at(&daemon);
        let mut bob = daemon.client("bob");
        let (plink, mut keyboard) = Program::on_terminal(&daemon, &["plink", "-telnet", "-P", &port, &host]);
        plink.shows("/help", 0);
        for line in ["hi", LIKE_THE_ESCAPE_KEY, "and on"] {
            keyboard.write_all(format!("{line}\r").as_bytes()).unwrap();
            bob.expect_with(&format!(": {line}"));
        }
    }
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

/// Types on a terminal while bob talks at speed.
#[track_caller]
fn typing_is_not_torn(daemon: &Daemon, program: &Program, keyboard: &mut File) -> Client {
    let mut typed = |keys: &[u8]| {
        program.note(keys);
        keyboard.write_all(keys).unwrap();
    };
    let mut bob = daemon.client("bob");
    program.shows("/help", 0);
    typed(b"hi\r");
    bob.expect_with(": hi");
    program.prompts("lobby>");
    typed("some wörds, 日本".as_bytes());
    program.prompts("lobby> some wörds, 日本");
    for number in 0..300 {
        bob.send(&format!("line {number}"));
    }
    typed(" and more".as_bytes());
    let rows = program.screen("the last line", |rows| {
        rows.last().is_some_and(|row| row == "lobby> some wörds, 日本 and more")
            && rows.iter().any(|row| row == "bob: line 299")
    });
    let expected: Vec<_> = (300 - (rows.len() - 1)..300).map(|number| format!("bob: line {number}")).collect();
    assert_eq!(rows[..rows.len() - 1], expected, "every line is whole, and nothing else is there");
    // ^A, text, ^E, word erased, Enter: the room has it, and it stands where others see it.
    typed(b"\x01so: \x05\x17less");
    program.prompts("lobby> so: some wörds, 日本 and less");
    typed(b"\r");
    bob.expect_with(": so: some wörds, 日本 and less");
    program.screen("one's own line", |rows| {
        let [.., said, prompt] = rows else { return false };
        said.ends_with(": so: some wörds, 日本 and less") && prompt == "lobby>"
    });
    typed(b"bo\t");
    program.prompts("lobby> bob:");
    typed(b"\x03");
    program.screen("that it is gone", |rows| {
        let [.., notice, prompt] = rows else { return false };
        notice.starts_with("-- what you had typed is gone") && prompt == "lobby>"
    });
    typed(b"/mode line\r");
    program.screen("the end of char mode", |rows| rows.last().is_some_and(|row| row.starts_with("-- your program")));
    typed(b"in lines\r");
    bob.expect_with(": in lines");
    bob
}

#[track_caller]
fn char_mode_comes_back(program: &Program, keyboard: &mut File, mut bob: Client) {
    keyboard.write_all(b"/mode char\r").unwrap();
    program.prompts("lobby>");
    keyboard.write_all(b"\x04").unwrap();
    program.shows("-- goodbye", 0);
    bob.expect_with("left");
}

#[test]
fn telnet_on_a_terminal_is_never_torn() {
    if have("telnet") && have("setsid") {
        let daemon = Daemon::with(UNPACED);
        let (host, port) = at(&daemon);
        let (program, mut keyboard) = Program::on_terminal(&daemon, &["telnet", &host, &port]);
        let bob = typing_is_not_torn(&daemon, &program, &mut keyboard);
        char_mode_comes_back(&program, &mut keyboard, bob);
    }
}

#[test]
fn busybox_on_a_terminal_is_never_torn() {
    if have("busybox") && have("setsid") {
        let daemon = Daemon::with(UNPACED);
        let (host, port) = at(&daemon);
        let (program, mut keyboard) = Program::on_terminal(&daemon, &["busybox", "telnet", &host, &port]);
        let bob = typing_is_not_torn(&daemon, &program, &mut keyboard);
        // That one goes along once only, and then by its own menu.
        keyboard.write_all(b"/mode char\r").unwrap();
        program.shows("-- your program sends whole lines", 0);
        keyboard.write_all(b"\x03").unwrap();
        let shown = program.shows("go to character mode", 0);
        keyboard.write_all(b"c").unwrap();
        program.shows("-- you have a line editor", shown);
        char_mode_comes_back(&program, &mut keyboard, bob);
    }
}

#[test]
fn plink_on_a_terminal_is_never_torn() {
    if have("plink") && have("setsid") {
        let daemon = Daemon::with(UNPACED);
        let (host, port) = at(&daemon);
        let (program, mut keyboard) = Program::on_terminal(&daemon, &["plink", "-telnet", "-P", &port, &host]);
        let bob = typing_is_not_torn(&daemon, &program, &mut keyboard);
        char_mode_comes_back(&program, &mut keyboard, bob);
    }
}

#[test]
fn a_mud_client_keeps_its_input_line() {
    if !have("tt++") || !have("setsid") {
        return;
    }
    let daemon = Daemon::start();
    let (host, port) = at(&daemon);
    let mut bob = daemon.client("bob");
    let (program, mut keyboard) = Program::on_terminal(&daemon, &["tt++"]);
    program.screen("that it is there", |rows| !rows.is_empty());
    keyboard.write_all(format!("#session hub {host} {port}\r").as_bytes()).unwrap();
    let shown = program.shows("/help", 0);
    keyboard.write_all(b"hello from a mud client\r").unwrap();
    bob.expect_with(": hello from a mud client");
    bob.send("hello");
    let shown = program.shows("bob: hello", shown);
    keyboard.write_all(b"again\r").unwrap();
    bob.expect_with(": again");
    keyboard.write_all(b"/quit\r").unwrap();
    program.shows("-- goodbye", shown);
    bob.expect_with("left");
    let state = program.shown.0.lock().unwrap();
    let all = String::from_utf8_lossy(&state.0);
    assert!(!all.contains("you have a line editor") && !all.contains('\u{fffd}'), "{all:?}");
}

#[test]
fn ncat_that_ends_lines_like_telnet_is_asked_once_and_then_left_alone() {
    if !have("ncat") {
        return;
    }
    let daemon = Daemon::start();
    let (host, port) = at(&daemon);
    let mut bob = daemon.client("bob");
    let (program, mut stdin) = Program::piped(&daemon, &["ncat", "-C", &host, &port]);
    stdin.write_all(b"hi\n").unwrap();
    bob.expect_with(": hi");
    stdin.write_all(b"ho\n/who\n/mode char\n").unwrap();
    bob.expect_with(": ho");
    drop(stdin);
    let all = program.ends_with_bytes();
    let commands: Vec<_> =
        all.split(|byte| *byte == 0xff).skip(1).map(|piece| piece.get(..2).unwrap_or(piece)).collect();
    assert_eq!(commands, [b"\xfd\x18", b"\xfd\x1f"], "{}", String::from_utf8_lossy(&all));
    assert!(!all.contains(&0x1b), "{}", String::from_utf8_lossy(&all));
}
