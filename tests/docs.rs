//! Files that are generated from tables equal what the tables yield.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them anew.

mod shared;
mod world;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use chathub::hub::command::COMMANDS;
use chathub::settings::{self, Settings};
use chathub::values::id::SessionId;
use shared::difference::Difference;
use shared::generated::{in_repository, same_as_file};
use shared::roff;
use world::World;

#[test]
fn the_shipped_configuration_is_what_the_settings_say() {
    same_as_file("packaging/chathub.toml", &settings::shipped());
}

#[test]
fn the_manual_page_of_the_configuration_is_what_the_settings_say() {
    same_as_file("packaging/man/chathub.toml.5", &settings_page());
}

#[test]
fn the_readme_is_what_the_code_says() {
    // One after the other: all write the same file.
    same_between_markers("README.md", "transcript", &first_minutes());
    same_between_markers("README.md", "settings", &settings::markdown_table());
    same_between_markers("README.md", "commands", &commands());
}

/// The targets that `ARCHITECTURE.md` lists are those of the folder, and cargo-fuzz finds each.
#[test]
fn every_fuzz_target_is_listed() {
    let read = |path: &str| std::fs::read_to_string(in_repository(path)).expect("it is there");
    let architecture = read("ARCHITECTURE.md");
    let table = architecture.split("| in `fuzz/fuzz_targets/` |").nth(1).expect("a table of them");
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<String> = rows.map(str::to_owned).collect();
    let folder = std::fs::read_dir(in_repository("fuzz/fuzz_targets")).expect("it is there");
    let names = folder.map(|file| file.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into());
    assert_eq!(listed, names.collect::<BTreeSet<String>>());
    let manifest = read("fuzz/Cargo.toml");
    for name in &listed {
        let bin = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "fuzz/Cargo.toml does not name {name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), listed.len());
}

/// The first connection is there before the service can set anything.
#[test]
fn connections_have_from_the_socket_unit_what_the_settings_say_by_default() {
    let tcp = settings::Settings::default().tcp;
    let units = ["systemd/chathub.socket", "systemd/chathub-tls.socket"]
        .map(|path| std::fs::read_to_string(in_repository(path)).expect("it is there"));
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
        for unit in &units {
            assert!(unit.lines().any(|found| found == line), "{line} is not in the unit:\n{unit}");
        }
    }
}

/// The manual page chathub.toml(5): the settings as their table has them, between texts of its own.
fn settings_page() -> String {
    // A sentence may begin with a value, which is a number or has quotation marks: straight ones, as in the file.
    let prose = |text: &str| {
        text.split_inclusive(". ").map(|sentence| roff::prose(sentence).replace('"', "\\(dq")).collect::<String>()
    };
    let mut page = roff::Page(BEFORE_SETTINGS.to_owned());
    for section in settings::SECTIONS {
        page.subsection(&format!("[{}]", section.name));
        page.0 += &prose(section.doc());
        for setting in section.settings() {
            let (key, default) = (roff::bold(setting.key), roff::literal(&setting.default()).replace('"', "\\(dq"));
            let (doc, note) = (prose(setting.doc()), prose(&settings::note(setting)));
            page.0 += &format!(".TP\n{key} = {default}\n{doc}.br\n{note}");
        }
    }
    page.0 + AFTER_SETTINGS
}

const BEFORE_SETTINGS: &str = r#".\" Generated from the table in src/settings/table.rs; see tests/docs.rs.
.TH CHATHUB.TOML 5 "" chathub "File formats"
.\" Names of settings must not be broken, nor lines spread out.
.nh
.ad l
.SH NAME
chathub.toml \- configuration of the chat hub
.SH SYNOPSIS
.I /etc/chathub/chathub.toml
.br
.I /etc/chathub/conf.d/*.toml
.SH DESCRIPTION
.BR chathub (8)
reads its settings from
.IR /etc/chathub/chathub.toml ,
and then from the files in
.I /etc/chathub/conf.d
whose names end in
.IR .toml ,
in the order of their names; hidden files are left out.
When several files give a value to a setting, the last one wins.
No file is needed: every setting has a default.
With
.B \-\-config
.IR FILE ,
that file is read alone, and it must exist;
the files in
.I conf.d
are added only if
.I FILE
is
.I /etc/chathub/chathub.toml
itself.
.PP
The files are TOML, in UTF\-8, and at most 1 MiB each.
Settings stand in sections, as in
.PP
.RS
.nf
[limits]
clients = 20000
.fi
.RE
.PP
An unknown section, an unknown setting, a setting that stands twice in one file,
and a value that is not allowed are mistakes.
.B chathub check\-config
.RI [ FILE ]
finds them all, and names for each the file, the line, the setting, and what is allowed.
With a mistake the service does not start.
.PP
.B systemctl reload chathub
and
.B chathub ctl reload
read the files again.
With any mistake, all settings stay as they were.
Settings marked
.I needs a restart
take effect when the service is started again.
.SS Values
.TP
number
A whole number, as in
.BR 1000 .
.TP
size
A number of bytes, as in
.BR 4096 ,
or text with one of the units B, KiB, MiB and GiB, as in
.BR \(dq4KiB\(dq .
.TP
time
Text with numbers and units, as in
.BR \(dq90s\(dq ,
.B \(dq5min\(dq
or
.BR "\(dq1h 30min\(dq" ;
units are ms, s, min, h and some more.
Where a time may be switched off,
.B \(dqoff\(dq
or
.B \(dq0s\(dq
does it.
.TP
text
In quotation marks, on one line.
.SH SETTINGS
"#;

const AFTER_SETTINGS: &str = r".SH FILES
.TP
.I /etc/chathub/chathub.toml
The main file. As installed, it has every setting with its default, commented out.
.TP
.I /etc/chathub/conf.d/*.toml
Further files, read after the main file. An upgrade of the package never touches them.
.SH EXAMPLES
A hub for a workshop of 200 people who share one address, in
.IR /etc/chathub/conf.d/workshop.toml :
.PP
.RS
.nf
[hub]
name = \(dqworkshop\(dq
greeting = \(dqThe schedule is in /topic.\(dq

[limits]
clients_per_address = 200
.fi
.RE
.PP
Disconnect whoever cannot keep up, and notice machines that are gone sooner:
.PP
.RS
.nf
[slow]
behind = \(dq256KiB\(dq
policy = \(dqclose\(dq

[tcp]
keepalive = \(dq20s\(dq
user_timeout = \(dq30s\(dq
.fi
.RE
.PP
Check the files, and apply them without disturbing anybody:
.PP
.RS
.nf
chathub check\-config && systemctl reload chathub
.fi
.RE
.SH SEE ALSO
.BR chathub (8),
.BR systemctl (1),
.BR systemd.socket (5)
.PP
TOML: https://toml.io/
";
/// What somebody sees who comes by `nc` to a hub with the settings that it has by default, and what they type.
fn first_minutes() -> String {
    let peer = |last: u8| SocketAddr::from(([192, 0, 2, last], 50_000));
    let mut world = World::new(Settings::default());
    let ann = world.connect(peer(1));
    for line in ["/nick ann", "hello there", "/me waves"] {
        world.receive(ann, format!("{line}\n").as_bytes());
    }
    world.pass(Duration::from_secs(180));
    let bob = world.connect(peer(2));
    let mut screen = String::from("```\n$ nc chat.example.org 6969\n");
    see(&mut world, bob, &mut screen);
    // Who types, and what; what bob types stands on his screen as well.
    for (is_bob, line) in [
        (true, "/nick bob"),
        (true, "hi all"),
        (false, "hi bob"),
        (false, "/msg bob welcome!"),
        (true, "/reply thanks"),
        (true, "/join tea"),
    ] {
        if is_bob {
            screen += &format!("{line}\n");
        }
        world.receive(if is_bob { bob } else { ann }, format!("{line}\n").as_bytes());
        see(&mut world, bob, &mut screen);
        world.pass(Duration::from_secs(5));
        see(&mut world, bob, &mut screen);
    }
    screen + "```\n"
}

/// What has been written to a client, byte for byte but for the ends of lines.
fn see(world: &mut World, client: SessionId, screen: &mut String) {
    world.take_all();
    let out = std::mem::take(&mut world.clients.get_mut(&client).expect("a client").out);
    *screen += &String::from_utf8(out).expect("UTF-8").replace("\r\n", "\n");
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
