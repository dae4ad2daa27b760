//! Configuration files: which settings are accepted, and how each mistake is reported.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::problem::explain;
use super::read::{MAX_FILE, MAX_PROBLEMS};
use super::*;
use crate::exit::Exit;
use crate::settings::{SECTIONS, SETTINGS, SlowPolicy, shipped};

/// The settings in a file with this text, or its mistakes.
fn read(text: &str) -> Result<Loaded, Vec<Problem>> {
    let mut reader = Reader::default();
    let file = Path::new("FILE");
    reader.loaded.files.push(file.to_owned());
    reader.text(file, text);
    reader.finish()
}

#[track_caller]
fn settings(text: &str) -> Settings {
    read(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}")).settings
}

/// The mistakes in a file with this text, as they are printed.
#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    read(text).expect_err(text).iter().map(Problem::to_string).collect()
}

/// A directory of files, which is removed at the end of the test.
struct Directory(TempDir);

impl Directory {
    #[track_caller]
    fn with(files: &[(&str, &[u8])]) -> Self {
        let directory = Self(TempDir::new().unwrap());
        fs::create_dir_all(directory.fragments()).unwrap();
        for (name, content) in files {
            fs::write(directory.0.path().join(name), content).unwrap();
        }
        directory
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("chathub.toml")
    }

    fn fragments(&self) -> PathBuf {
        self.0.path().join("conf.d")
    }

    /// Loads the files as if this directory were /etc/chathub.
    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        Files::within(self.0.path(), None).load()
    }

    /// The mistakes as they are printed, with `DIR` in place of the directory's path.
    #[track_caller]
    fn mistakes(&self) -> Vec<String> {
        let directory = self.0.path().display().to_string();
        self.load().expect_err("mistakes").iter().map(|it| it.to_string().replace(&directory, "DIR")).collect()
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    for text in ["", "\n", "# nothing\n", "[limits]\n", "\u{feff}[limits]\r\n"] {
        assert_eq!(settings(text), Settings::default(), "{text:?}");
    }
}

#[test]
fn the_shipped_file_means_the_defaults() {
    assert_eq!(settings(&shipped()), Settings::default());
}

#[test]
fn the_shipped_file_means_the_defaults_with_every_setting_uncommented() {
    let mut count = 0;
    let text: String = shipped()
        .lines()
        .map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                rest.split_once(" = ").is_some_and(|(name, _)| SETTINGS.iter().any(|setting| setting.name == name))
            });
            count += usize::from(setting.is_some());
            format!("{}\n", setting.unwrap_or(line))
        })
        .collect();
    assert_eq!(count, SETTINGS.len());
    let loaded = read(&text).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    for setting in SETTINGS {
        assert!(loaded.origin(setting).is_some(), "{} is not in the shipped file", setting.key);
    }
}

#[test]
fn sections_and_dotted_keys_mean_the_same() {
    let section = settings("[limits]\nclients = 7\n[slow]\npolicy = \"close\"\n");
    assert_eq!((section.limits.clients, section.slow.policy), (7, SlowPolicy::Close));
    assert_eq!(section, settings("limits.clients = 7\nslow = { policy = 'close' }\n"));
}

#[test]
fn times_are_read_in_the_words_people_use() {
    for (text, seconds) in [("90s", 90), ("5min", 300), ("5m", 300), ("1h 30min", 5400), ("2 hours", 7200)] {
        let stall = settings(&format!("slow.stall = \"{text}\"")).slow.stall;
        assert_eq!(stall, Duration::from_secs(seconds), "{text}");
    }
}

#[test]
fn a_wrong_value_is_named_with_file_line_setting_and_what_is_allowed() {
    assert_eq!(
        mistakes("# one\n[limits]\nclients = \"many\"\n"),
        ["FILE:3: limits.clients: \"many\" is not allowed here; \
          allowed: a whole number from 1 to 1000000 (clients)"]
    );
}

#[test]
fn every_mistake_is_named_in_the_order_of_the_lines() {
    let text = "[slow]\npolicy = \"open\"\nbehnid = 1\n[limits]\nline = 1\n[tcp]\nkeepalive = 60\n";
    assert_eq!(
        mistakes(text),
        [
            "FILE:2: slow.policy: \"open\" is not allowed here; allowed: \"skip\" or \"close\"",
            "FILE:3: unknown setting slow.behnid; did you mean slow.behind?",
            "FILE:5: limits.line: 1 is not allowed here; \
             allowed: a size from 64B to 64KiB, written like 4096 or \"4KiB\" (bytes)",
            "FILE:7: tcp.keepalive: 60 is not allowed here; \
             allowed: a time from 5s to 2h, written like \"90s\" or \"1h 30min\", or \"off\"",
        ]
    );
}

#[test]
fn an_unknown_setting_or_section_comes_with_the_nearest_one() {
    for (text, mistake) in [
        ("limits.client = 1", "FILE:1: unknown setting limits.client; did you mean limits.clients?"),
        (
            "limits.clients-per-address = 1",
            "FILE:1: unknown setting limits.clients-per-address; did you mean limits.clients_per_address?",
        ),
        ("clients = 1", "FILE:1: unknown setting clients; did you mean limits.clients?"),
        ("hub.level = 1", "FILE:1: unknown setting hub.level; did you mean log.level?"),
        ("hub.frobnicate = 1", "FILE:1: unknown setting hub.frobnicate"),
        ("[limit]\nclients = 0", "FILE:1: unknown section limit; did you mean limits?"),
        ("[plugins]\na = 1", "FILE:1: unknown section plugins"),
        ("[hub.extra]\na = 1", "FILE:1: unknown setting hub.extra"),
        ("\"\\u001b[2J\" = 1", "FILE:1: unknown setting \\u{1b}[2J"),
    ] {
        assert_eq!(mistakes(text), [mistake], "{text}");
    }
}

#[test]
fn a_section_that_is_none_is_refused() {
    for text in ["limits = 5", "[[limits]]\nclients = 7"] {
        let mistake = mistakes(text).concat();
        assert!(mistake.starts_with("FILE:1: limits is a section; allowed: [limits], or limits.NAME"), "{mistake}");
    }
}

#[test]
fn what_stands_twice_in_a_file_is_refused_and_the_rest_still_judged() {
    for (text, expected) in [
        (
            "[limits]\nclients = 1\nclients = 2\nrooms = 0\n",
            [
                "FILE:3: limits.clients: set twice in this file",
                "FILE:4: limits.rooms: 0 is not allowed here; allowed: a whole number from 1 to 1000000 (rooms)",
            ],
        ),
        (
            "[hub]\n[limits]\n[hub]\nnam = \"x\"\n",
            ["FILE:3: [hub] stands twice in this file", "FILE:4: unknown setting hub.nam; did you mean hub.name?"],
        ),
    ] {
        assert_eq!(mistakes(text), expected, "{text}");
    }
}

#[test]
fn a_syntax_error_has_its_line() {
    let found = mistakes("[limits]\nclients = \n\n[hub\nname = \"x\"\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("FILE:2: not TOML: "), "{found:?}");
    assert!(found[1].starts_with("FILE:4: not TOML: "), "{found:?}");
}

#[test]
fn values_that_do_not_fit_together_are_refused_where_they_were_written() {
    for (text, expected) in [
        (
            "[history]\nlines = 50\n",
            "FILE:2: history.lines: history.lines = 50 is too small beside history.replay = 100; \
             allowed: at least history.replay (only what is kept can be shown again)",
        ),
        (
            "[limits]\nline = \"64KiB\"\n[pace]\nburst_bytes = \"32KiB\"\n",
            "FILE:4: pace.burst_bytes: pace.burst_bytes = \"32KiB\" is too small beside limits.line = \"64KiB\"; \
             allowed: at least limits.line (else the longest line could never pass)",
        ),
        (
            "[slow]\nbehind = \"64KiB\"\n[limits]\nline = 20000\n",
            "FILE:2: slow.behind: slow.behind = \"64KiB\" is too small beside limits.line = 20000; \
             allowed: at least 4 times limits.line (else one line could be too much)",
        ),
        (
            "[limits]\nline = 8192\nmailbox = \"16KiB\"\n",
            "FILE:3: limits.mailbox: limits.mailbox = \"16KiB\" is too small beside limits.line = \"8KiB\"; \
             allowed: at least 4 times limits.line (an answer must find room in it)",
        ),
        (
            "[rooms]\nlobby = \"hall\"\n[limits]\nroom_name = 3\n",
            "FILE:2: rooms.lobby: rooms.lobby = \"hall\" is longer than 3 characters; \
             allowed: the name of a room, as in /join, of at most limits.room_name = 3 characters",
        ),
        (
            "[rooms]\nlobby = \"two words\"\n",
            "FILE:2: rooms.lobby: rooms.lobby = \"two words\" has the character space, which names may not hold; letters, digits, '-', '_' and '.' are allowed; \
             allowed: the name of a room, as in /join, of at most limits.room_name = 24 characters",
        ),
    ] {
        assert_eq!(mistakes(text), [expected], "{text}");
    }
    assert!(read("[history]\nlines = 0\nreplay = 0\n").is_ok());
}

#[test]
fn a_refused_value_is_not_also_called_a_conflict() {
    // The value of history.lines is refused. So the default must not be compared with
    // history.replay: whoever wrote "x" did not mean the default.
    assert_eq!(mistakes("[history]\nreplay = 1000\nlines = \"x\"\n[slow]\nbehind = \"64KiB\"\n").len(), 1);
}

#[test]
fn no_file_at_all_means_the_defaults() {
    let directory = Directory::with(&[]);
    assert_eq!(directory.load(), Ok(Loaded::default()));
    fs::remove_dir_all(directory.0.path()).unwrap();
    assert_eq!(directory.load(), Ok(Loaded::default()));
}

#[test]
fn later_files_win_setting_by_setting() {
    let directory = Directory::with(&[
        ("chathub.toml", b"[limits]\nclients = 1\nrooms = 1\nignores = 1\n"),
        ("conf.d/20-b.toml", b"[limits]\nclients = 20\n"),
        ("conf.d/10-a.toml", b"\n[limits]\nclients = 10\nrooms = 10\n"),
        ("conf.d/.hidden.toml", b"["),
        ("conf.d/30.toml.dpkg-dist", b"["),
        ("conf.d/README", b"["),
    ]);
    let loaded = directory.load().unwrap();
    let limits = &loaded.settings.limits;
    assert_eq!((limits.clients, limits.rooms, limits.ignores), (20, 10, 1));
    let fragments = directory.fragments();
    let (a, b) = (fragments.join("10-a.toml"), fragments.join("20-b.toml"));
    assert_eq!(loaded.files, [directory.file(), a.clone(), b]);
    let rooms = Setting::find("limits.rooms").unwrap();
    assert_eq!(loaded.origin(rooms), Some((a.as_path(), 4)));
}

#[test]
fn mistakes_of_all_files_are_named_and_a_conflict_where_the_value_came_from() {
    let directory = Directory::with(&[
        ("chathub.toml", b"[limits]\nline = \"64KiB\"\nrooms = 0\n"),
        ("conf.d/10.toml", b"[pace]\nburst_bytes = \"4KiB\"\nline = 1\n"),
    ]);
    assert_eq!(
        directory.mistakes(),
        [
            "DIR/chathub.toml:3: limits.rooms: 0 is not allowed here; \
             allowed: a whole number from 1 to 1000000 (rooms)",
            "DIR/conf.d/10.toml:2: pace.burst_bytes: pace.burst_bytes = \"4KiB\" is too small beside \
             limits.line = \"64KiB\"; allowed: at least limits.line (else the longest line could never pass)",
            "DIR/conf.d/10.toml:3: unknown setting pace.line; did you mean limits.line?",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_explained() {
    let directory = Directory::with(&[("conf.d/20.toml", b"a\nb\n\xff"), ("conf.d/30.toml", b"")]);
    fs::create_dir(directory.file()).unwrap();
    symlink("nowhere", directory.fragments().join("10.toml")).unwrap();
    let large = File::create(directory.fragments().join("30.toml")).unwrap();
    large.set_len(MAX_FILE + 1).unwrap();
    assert_eq!(
        directory.mistakes(),
        [
            "DIR/chathub.toml: cannot read: it is a directory",
            "DIR/conf.d/10.toml: cannot read: it is a symbolic link to nowhere, which does not exist",
            "DIR/conf.d/20.toml:3: not UTF-8: byte 0xff",
            "DIR/conf.d/30.toml: larger than 1 MiB",
        ]
    );
}

#[test]
fn a_file_of_the_largest_size_is_read() {
    let text = "#".repeat(usize::try_from(MAX_FILE).unwrap());
    let directory = Directory::with(&[("chathub.toml", text.as_bytes())]);
    assert_eq!(directory.load().unwrap().settings, Settings::default());
}

#[test]
fn a_main_file_that_is_a_dangling_link_is_a_mistake() {
    let directory = Directory::with(&[]);
    symlink("/nonexistent/x", directory.file()).unwrap();
    assert_eq!(
        directory.mistakes(),
        ["DIR/chathub.toml: cannot read: it is a symbolic link to /nonexistent/x, which does not exist"]
    );
}

#[test]
fn permission_denied_names_who_was_denied() {
    // Not with a real file, because root may run the tests and may read every file.
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let message = explain(Path::new("/x"), &denied);
    assert!(message.starts_with(&format!("permission denied for user id {}", nix::unistd::geteuid())), "{message}");
}

#[test]
fn a_file_that_was_asked_for_is_read_alone_and_must_exist() {
    let directory = Directory::with(&[("chathub.toml", b"hub.name = 'a'"), ("conf.d/a.toml", b"hub.name = 'b'")]);
    let loaded = load(Some(&directory.file())).unwrap();
    assert_eq!((loaded.settings.hub.name.as_str(), loaded.files), ("a", vec![directory.file()]));

    let missing = directory.0.path().join("missing.toml");
    let problems = load(Some(&missing)).unwrap_err();
    assert_eq!(problems[0].to_string(), format!("{}: cannot read: no such file", missing.display()));
    let problems = load(Some(Path::new("/nonexistent/chathub.toml"))).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "/nonexistent/chathub.toml: cannot read: the directory /nonexistent does not exist"
    );
}

#[test]
fn the_default_file_brings_its_directory_even_when_it_was_asked_for() {
    let directory = Path::new(DIRECTORY);
    let files = Files::within(directory, Some(&directory.join(FILE)));
    assert!(files.must_exist && files.fragments == Some(directory.join(FRAGMENTS)));
    assert!(!Files::within(directory, None).must_exist);
    let other = Files::within(directory, Some(Path::new(FILE)));
    assert!(other.must_exist && other.fragments.is_none(), "one of the same name elsewhere stands alone");
}

#[test]
fn check_prints_what_differs_from_the_defaults() {
    let directory = Directory::with(&[("chathub.toml", b"[limits]\nclients = 7\nrooms = 1000\n")]);
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    assert_eq!(check(Some(&directory.file()), &mut out, &mut complaints).unwrap(), Exit::Done);
    let expected = format!("{}: ok\nlimits.clients = 7 # default: 10000\n", directory.file().display());
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with(&expected) && complaints.is_empty(), "{out}");
    let memory = &out[expected.len()..];
    assert!(memory.starts_with("memory at most, whatever people do:\n"), "{memory}");
    assert!(memory.contains("       1 MiB  people: limits.clients\n"), "{memory}");
    assert!(memory.contains("     250 MiB  history: limits.rooms x history.bytes\n"), "{memory}");
    assert!(memory.ends_with(" in all, and 3 MiB in the kernel\n"), "{memory}");
}

#[test]
fn check_prints_mistakes_as_complaints_and_yields_the_exit_status_of_sysexits() {
    let directory = Directory::with(&[("chathub.toml", b"[limits]\nclients = 0\nroms = 1\n")]);
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    assert_eq!(check(Some(&directory.file()), &mut out, &mut complaints).unwrap(), Exit::Config);
    assert_eq!((out.len(), complaints.iter().filter(|byte| **byte == b'\n').count()), (0, 2));
}

#[test]
fn a_file_that_is_no_configuration_at_all_is_refused_quickly_and_with_few_words() {
    let many: String = (0..60_000).map(|number| format!("not_a_setting_{number} = 1\n")).collect();
    let mistakes = mistakes(&many);
    assert_eq!(mistakes.len(), MAX_PROBLEMS + 1);
    assert_eq!(mistakes[MAX_PROBLEMS], "FILE: too many mistakes; any further ones are left out");
    let large = 500_000;
    for text in ["a=[", "[", "a.", "a={b=", "[a.", "\"", "'''", "[[a]]\n", "a=1\n", "=\n"] {
        assert!(read(&text.repeat(large / text.len())).is_err(), "{text}");
    }
    assert!(read(&format!("[{}]", vec!["a"; large].join("."))).is_err());
    assert!(read(&format!("{} = 1", vec!["a"; large].join("."))).is_err());
    assert!(read(&format!("hub.name = {}{}", "[".repeat(large), "]".repeat(large))).is_err());
}

/// A text that resembles a configuration file.
fn nearly() -> impl Strategy<Value = String> {
    let keys: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
    let names: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    let sections: Vec<_> = SECTIONS.iter().map(|section| format!("\n[{}]\n", section.name)).collect();
    const MARKS: [&str; 15] = ["=", "\n", " = ", ".", "[", "]", "[[", "]]", "{", "}", ",", "\"", "'", "#", "\r\n"];
    let piece = prop_oneof![
        prop::sample::select(keys).prop_map(str::to_owned),
        prop::sample::select(names).prop_map(str::to_owned),
        prop::sample::select(sections),
        prop::sample::select(&MARKS[..]).prop_map(str::to_owned),
        "-?[0-9_]{1,30}",
        "\"[0-9]{0,20} ?(s|min|h|ms|KiB|GiB|B|months|y|off)\"",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A value that is often valid.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,22}",
        "\"[0-9]{1,20}(s|min|h|ms|us|d|KiB|MiB|B)\"",
        "\"[0-9]{1,4}\\.?[0-9]{0,3} ?(s|min|h|ms|us|d|KiB|MiB|B)\"",
        "\"[^\"]{0,40}\"",
        "'(/\\PC{0,110}|skip|close|off|debug)'",
        "\\[(\"(127.0.0.1|\\[::1\\]|\\[fe80::1%2\\]):[0-9]{1,5}\",?){0,3}\\]",
        ".{0,20}",
    ]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![nearly(), "\\PC*", ".*"]) {
        if let Ok(loaded) = read(&text) {
            prop_assert_eq!(loaded.settings.conflicts(), vec![]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let directory = Directory::with(&[("chathub.toml", &bytes)]);
        let _ = directory.load();
    }

    #[test]
    fn no_value_makes_a_setting_panic_and_what_is_taken_can_be_written_again(
        which in 0..SETTINGS.len(),
        value in value(),
    ) {
        let setting = &SETTINGS[which];
        if let Ok(loaded) = read(&format!("{} = {value}", setting.key)) {
            let written = format!("{} = {}", setting.key, setting.value(&loaded.settings));
            prop_assert_eq!(settings(&written), loaded.settings);
        }
    }
}
