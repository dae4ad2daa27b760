//! The first screen, as people see it at 80 columns by 24 rows: a text for each program, `screens/NAME.txt`. What differs
//! from run to run (a guest's name, times, ports) is blanked out. `UPDATE_DOCS=1` writes them anew.

use std::fmt::Write as _;

use crate::accounts::with_password;
use crate::shared::generated::{in_repository, same_as_file};
use crate::stage::{Daemon, UNPACED, have};
use crate::tmux::{Seen, Terminal};

const SIZE: (usize, usize) = (80, 24);

/// The screen without what differs from run to run, and with the place of the cursor.
fn lasting(seen: &Seen, port: u16) -> String {
    let mut text = String::new();
    for row in &seen.rows {
        let mut row = row.replace(&port.to_string(), "PORT");
        while let Some(at) = row.find("guest-").filter(|at| !row[at + 6..].starts_with('_')) {
            row.replace_range(at + 6..at + 10, "____");
        }
        if row.starts_with('[') && row.get(6..8) == Some("] ") {
            row.replace_range(1..6, "--:--");
        }
        let _ = writeln!(text, "{row}");
    }
    let (col, row) = seen.cursor;
    format!("{}\n(cursor: row {}, column {})\n", text.trim_end(), row + 1, col + 1)
}

/// What people see who come into a room with `program` while there is talk in it.
#[track_caller]
fn first_screen(name: &str, program: &str, after: impl FnOnce(&mut Terminal)) {
    let daemon = Daemon::with(&format!("{UNPACED}[hub]\ngreeting = \"Welcome. Be kind.\\nThe rules: /rules\"\n"));
    let mut people = ["ann", "bob", "zoë"].map(|name| daemon.client(name));
    for number in 1..=30 {
        let words =
            ["one", "a few words", "a line that is longer than a row of eighty columns and goes on, word by word"];
        people[number % 3].send(&format!("{number}: {}", words[number / 3 % 3]));
        people[(number + 1) % 3].expect_with(&format!(": {number}: "));
    }
    let addr = daemon.addr();
    let program = program.replace("HOST", &addr.ip().to_string()).replace("PORT", &addr.port().to_string());
    let mut terminal = Terminal::with(daemon, SIZE, &program);
    let is_there = |seen: &Seen| seen.rows.iter().any(|row| row.contains("-- You are guest-"));
    terminal.shows(|seen| (!is_there(seen)).then(|| "nobody is there".to_owned()));
    after(&mut terminal);
    let path = format!("tests/daemon/screens/{name}.txt");
    let expected = std::fs::read_to_string(in_repository(&path)).unwrap_or_default();
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        same_as_file(&path, &lasting(&terminal.seen(), addr.port()));
        return;
    }
    terminal.shows(|seen| {
        let lasting = lasting(seen, addr.port());
        (lasting != expected).then(|| format!("{path} is\n{expected}\nand what is seen is\n{lasting}"))
    });
}

#[test]
fn the_first_screen_in_nc_looks_as_recorded() {
    if have("tmux") && have("nc") {
        first_screen("nc", "nc HOST PORT", |_| {});
    }
}

#[test]
fn the_first_screen_in_debians_telnet_looks_as_recorded() {
    if have("tmux") && have("telnet") {
        first_screen("telnet", "telnet HOST PORT", |_| {});
    }
}

/// plink has PuTTY's telnet and its line discipline.
#[test]
fn the_first_screen_in_putty_looks_as_recorded() {
    if have("tmux") && have("plink") {
        first_screen("putty", "plink -telnet -P PORT HOST", |_| {});
    }
}

#[test]
fn the_first_screen_in_a_mud_client_looks_as_recorded() {
    if have("tmux") && have("tt++") {
        first_screen("tintin", "tt++ -G -e '#session hub HOST PORT'", |_| {});
    }
}

/// Once a line was sent, the program is known for what it is, and the name of the room stands before what is typed.
#[test]
fn the_screen_after_the_first_line_in_debians_telnet_looks_as_recorded() {
    if have("tmux") && have("telnet") {
        first_screen("telnet-later", "telnet HOST PORT", |terminal| {
            terminal.types("hello, bob and all");
            terminal.hits("Enter");
            let prompts = |seen: &Seen| seen.rows.iter().any(|row| row.starts_with("lobby>"));
            terminal.shows(|seen| (!prompts(seen)).then(|| "no prompt".to_owned()));
            terminal.types("and half of a li");
            let typed = |seen: &Seen| seen.rows.iter().any(|row| row.ends_with("half of a li"));
            terminal.shows(|seen| (!typed(seen)).then(|| "not what was typed".to_owned()));
        });
    }
}

/// Nobody can be told to hide anything before they are known. That is by the answer to the first line, which may be the
/// one by which a password is asked for.
#[test]
fn a_password_is_not_shown_that_the_first_line_asks_for() {
    for program in ["telnet HOST PORT", "busybox telnet HOST PORT"] {
        if !have("tmux") || !have(program.split(' ').next().unwrap()) {
            continue;
        }
        let daemon = Daemon::with(UNPACED);
        assert_eq!(
            with_password(&daemon, &["account", "add", "carol", "--password-stdin"], "correct horse").0,
            Some(0)
        );
        let addr = daemon.addr();
        let program = program.replace("HOST", &addr.ip().to_string()).replace("PORT", &addr.port().to_string());
        let mut terminal = Terminal::with(daemon, SIZE, &program);
        let has = |seen: &Seen, text: &str| seen.rows.iter().any(|row| row.contains(text));
        terminal.shows(|seen| (!has(seen, "-- You are guest-")).then(|| "nobody is there".to_owned()));
        terminal.types("/login carol");
        terminal.hits("Enter");
        terminal.shows(|seen| (!has(seen, "(not shown)")).then(|| "it is to be shown".to_owned()));
        terminal.types("secret");
        terminal.hits("Enter");
        terminal.shows(|seen| (!has(seen, "-- no such name, or not its password")).then(|| "no answer".to_owned()));
        terminal.shows(|seen| (!has(seen, "(not shown)")).then(|| "it is to be shown".to_owned()));
        terminal.types("guess");
        terminal.hits("Enter");
        let twice = |seen: &Seen| seen.rows.iter().filter(|row| row.starts_with("-- no such name")).count() == 2;
        terminal.shows(|seen| (!twice(seen)).then(|| "no second answer".to_owned()));
        let seen = terminal.seen();
        assert!(!has(&seen, "secret") && !has(&seen, "guess"), "{:?}", seen.rows);
        terminal.hits("Enter");
        terminal.shows(|seen| (!has(seen, "lobby>")).then(|| "no prompt".to_owned()));
    }
}
