//! Files that are generated from tables equal what the tables yield.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them anew.

mod shared;

use std::path::{Path, PathBuf};

use chathub::hub::command::COMMANDS;
use chathub::settings;
use shared::difference::Difference;

#[test]
fn the_shipped_configuration_is_what_the_settings_say() {
    same_as_file("packaging/chathub.toml", &settings::shipped());
}

#[test]
fn the_manual_page_of_the_configuration_is_what_the_settings_say() {
    same_as_file("packaging/man/chathub.toml.5", &settings::roff());
}

#[test]
fn the_tables_of_the_readme_are_what_the_code_says() {
    // One after the other: both write the same file.
    same_between_markers("README.md", "settings", &settings::markdown_table());
    same_between_markers("README.md", "commands", &commands());
}

/// The first connection is there before the service can set anything.
#[test]
fn connections_have_from_the_socket_unit_what_the_settings_say_by_default() {
    let tcp = settings::Settings::default().tcp;
    let unit = std::fs::read_to_string(in_repository("systemd/chathub.socket")).expect("it is there");
    let keepalive = tcp.keepalive.expect("it is on by default").as_secs();
    for line in [
        "NoDelay=yes".to_owned(),
        "KeepAlive=yes".to_owned(),
        format!("KeepAliveTimeSec={keepalive}"),
        format!("KeepAliveIntervalSec={}", keepalive / 4),
        "KeepAliveProbes=4".to_owned(),
        format!("SendBuffer={}K", tcp.send_buffer / 1024),
        format!("ReceiveBuffer={}K", tcp.receive_buffer / 1024),
    ] {
        assert!(unit.lines().any(|found| found == line), "{line} is not in the unit:\n{unit}");
    }
}

/// The table of chat commands, for people who read.
fn commands() -> String {
    let escape = |text: &str| text.replace('|', "\\|");
    let mut table = String::from("| type | to |\n| --- | --- |\n");
    for command in COMMANDS {
        let usage = format!("/{} {}", command.name, command.usage);
        table += &format!("| `{}` | {} |\n", escape(usage.trim_end()), escape(command.about));
    }
    table + "\n`//x` says \"/x\". A command that nobody knows is answered with the nearest one, and said to nobody.\n"
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a file of the repository with the text it is to have; with `UPDATE_DOCS=1`, writes it.
#[track_caller]
fn same_as_file(path: &str, generated: &str) {
    let file = in_repository(path);
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == generated {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory).expect(path);
        }
        std::fs::write(&file, generated).expect(path);
        eprintln!("{path}: updated");
        return;
    }
    panic!(
        "{path} is out of date; run UPDATE_DOCS=1 cargo test --test docs\n{}",
        Difference::between(&found, generated).changed()
    );
}

/// The same for what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in a file.
#[track_caller]
fn same_between_markers(path: &str, name: &str, generated: &str) {
    let found = std::fs::read_to_string(in_repository(path)).expect(path);
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let Some((before, rest)) = found.split_once(&begin) else { panic!("{path} has no line {begin}") };
    let Some((_, after)) = rest.split_once(&end) else { panic!("{path} has no {end} after {begin}") };
    same_as_file(path, &format!("{before}{begin}{generated}{end}{after}"));
}

#[test]
fn a_difference_shows_the_lines_that_differ_and_no_others() {
    let changed = |old: &str, new: &str| Difference::between(old, new).changed();
    assert_eq!(changed("a\nb\nc\n", "a\nx\ny\nc\n"), "@@ from line 2 @@\n-b\n+x\n+y\n");
    assert_eq!(changed("a\n", "a\na\n"), "@@ from line 2 @@\n+a\n");
    assert_eq!(changed("", "a\n"), "@@ from line 1 @@\n+a\n");
}
