//! `chathub ctl top` in a real terminal (tmux) and shell, with a real daemon: somebody is kicked from the keyboard, the
//! window gets another size, ^Z and fg, the daemon starts anew, and all is left as it was.

use nix::sys::signal::Signal;

use crate::stage::{Daemon, Setup, have};
use crate::tmux::{Seen, Terminal};

/// The screen has this in it.
#[track_caller]
fn shows(terminal: &Terminal, text: &str) {
    terminal.shows(|seen| (!seen.rows.concat().contains(text)).then(|| format!("no {text:?}")));
}

/// Types a line into the shell.
fn runs(terminal: &mut Terminal, line: &str) {
    terminal.types(line);
    terminal.hits("Enter");
}

/// A shell, in which the screen says what was there before.
fn shell(daemon: &Daemon) -> Terminal {
    // Which daemon belongs to the terminal does not matter: the one that is watched starts anew.
    let socket = daemon.admin_path();
    let program = format!("env CHATHUB_SOCKET={} LC_ALL=C.UTF-8 bash --norc --noprofile -i", socket.display());
    let mut terminal = Terminal::with(Daemon::start(), (80, 24), &program);
    runs(&mut terminal, "PS1='ready: '; clear");
    shows(&terminal, "ready:");
    runs(&mut terminal, &format!("stty -g > {}", daemon.path("before").display()));
    runs(&mut terminal, "echo what was $((40 + 2)) there");
    shows(&terminal, "what was 42 there");
    terminal
}

#[test]
fn top_obeys_the_keyboard_also_after_a_restart_of_the_daemon() {
    if !(have("tmux") && have("bash")) {
        return;
    }
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let mut terminal = shell(&daemon);
    runs(&mut terminal, &format!("{} ctl top --interval 200ms", env!("CARGO_BIN_EXE_chathub")));
    shows(&terminal, "[1 Clients 2]");

    // Somebody is looked for, looked at, and disconnected.
    terminal.types("/bo");
    terminal.shows(|seen| (!seen.rows[23].starts_with("q quit")).then(|| "no hints".to_owned()));
    terminal.hits("Enter");
    terminal.hits("Down");
    terminal.hits("Enter");
    shows(&terminal, "Address: 127.0.0.1:");
    terminal.hits("Enter");
    terminal.types("K");
    shows(&terminal, "Disconnect bob (c2), who is in lobby?");
    terminal.types("y");
    shows(&terminal, "Disconnected bob (c2).");
    bob.rest();
    ann.expect_with("bob");
    terminal.hits("Escape");
    shows(&terminal, "[1 Clients 1]");

    // Another size.
    let title = |seen: &Seen, columns: usize| seen.rows[0].chars().count() == columns;
    for (columns, rows) in [(132, 40), (40, 10), (80, 24)] {
        terminal.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        terminal.shows(|seen| (!title(seen, columns)).then(|| format!("not {columns} columns")));
    }

    // ^Z, and fg.
    terminal.hits("C-z");
    shows(&terminal, "Stopped");
    shows(&terminal, "what was 42 there");
    runs(&mut terminal, "fg");
    shows(&terminal, "[1 Clients 1]");

    // The daemon starts anew.
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    shows(&terminal, "no answer since ");
    shows(&terminal, "without the daemon for ");
    let daemon = Setup::new().in_dir(dir).start();
    let _eve = daemon.client("eve");
    shows(&terminal, "serving for ");
    shows(&terminal, "eve");

    // All is left as it was.
    terminal.types("q");
    terminal.shows(|seen| seen.rows.concat().contains("eve").then(|| "top is still there".to_owned()));
    shows(&terminal, "what was 42 there");
    runs(&mut terminal, &format!("stty -g > {}; echo left $?", daemon.path("after").display()));
    shows(&terminal, "left 0");
    let modes = |name| std::fs::read_to_string(daemon.path(name)).unwrap();
    assert_eq!(modes("before"), modes("after"));
}

#[test]
fn what_is_watched_outlives_the_daemon() {
    if !(have("tmux") && have("bash")) {
        return;
    }
    let daemon = Daemon::start();
    let _ann = daemon.client("ann");
    let mut terminal = shell(&daemon);
    runs(&mut terminal, &format!("{} ctl clients --watch=200ms", env!("CARGO_BIN_EXE_chathub")));
    shows(&terminal, "answered at ");
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    shows(&terminal, "no answer since ");
    let daemon = Setup::new().in_dir(dir).start();
    let _eve = daemon.client("eve");
    shows(&terminal, "eve");
    terminal.hits("C-c");
    shows(&terminal, "what was 42 there");
}
