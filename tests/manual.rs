//! The manual pages chathub(8), chathub-ctl(1), chathub-admin(7), chathub-web(8) and chathub-tls(8) equal what the
//! command line, the exit codes and the table of the admin protocol yield.
//!
//! `UPDATE_DOCS=1 cargo test --test manual` writes them anew. The prose stands here, beside what it is
//! woven with; [`Page`] knows roff.

mod shared;

use std::process::Command as Process;

use chathub::cli::ctl::GROUPS;
use chathub::cli::tls::TlsArgs;
use chathub::cli::web::WebArgs;
use chathub::cli::{self, words};
use chathub::ctl::schema::{self, Field};
use chathub::doctor::checks::CHECKS as DOCTORS;
use chathub::exit::{self, Meaning};
use chathub::wire::admin::COMMANDS;
use chathub::wire::admin::args::DescribeArgs;
use chathub::wire::admin::describe::CommandDescription;
use chathub::wire::admin::describe::describe;
use chathub::wire::admin::event::EventKind;
use chathub::wire::admin::message::{ErrorCode, MAX_REQUEST, PROTOCOL};
use chathub::wire::admin::metrics::Kind;
use chathub::wire::admin::metrics::table::{self, Metric};
use chathub::wire::admin::{Effect, Replies};
use clap::{Arg, Command};
use serde_json::Value;
use shared::generated::{in_repository, same_as_file};
use shared::missing::have;
use shared::roff::{Page, bold, italic, literal, prose};

impl Page {
    fn options<'a>(&mut self, args: impl Iterator<Item = &'a Arg>) {
        for arg in args.filter(|arg| !arg.is_hide_set() && arg.get_id() != "help" && arg.get_id() != "version") {
            let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
            let mut help = sentence(&help);
            if let [default] = arg.get_default_values()
                && value_name(arg).is_some()
            {
                help += &format!("\n\n{} without it.", default.to_string_lossy());
            }
            self.item(&term(arg), &help);
            let values = arg.get_possible_values();
            if values.iter().any(|value| value.get_help().is_some()) {
                self.hang(|page| {
                    for value in &values {
                        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                        page.item(&bold(value.get_name()), &sentence(&help));
                    }
                });
            } else if !values.is_empty() && !arg.is_positional() || arg.get_id() == "shell" {
                let names: Vec<_> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
                self.hang(|page| page.text(&format!("One of {}.", names.join(", "))));
            }
        }
    }

    fn exit_status(&mut self, list: &[Meaning]) {
        self.section("EXIT STATUS");
        for meaning in list {
            self.item(&bold(&meaning.exit.code().to_string()), meaning.about);
        }
    }
}

/// Help texts of clap have no full stop; a manual page has.
fn sentence(help: &str) -> String {
    let help = help.trim();
    if help.is_empty() || help.ends_with(['.', '!', '?']) { help.into() } else { format!("{help}.") }
}

fn value_name(arg: &Arg) -> Option<String> {
    let names = arg.get_value_names().unwrap_or_default();
    arg.get_action().takes_values().then(|| names.first().map(ToString::to_string).unwrap_or_default())
}

fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), clap::ArgAction::Append)
}

/// An option or argument as it heads its explanation.
fn term(arg: &Arg) -> String {
    let value = value_name(arg).map(|name| italic(&name));
    let more = if is_repeated(arg) && arg.is_positional() { "..." } else { "" };
    let short = arg.get_short().map(|c| bold(&format!("-{c}")));
    let long = arg.get_long().map(|name| bold(&format!("--{name}")));
    let names: Vec<_> = short.into_iter().chain(long).collect();
    match (names.is_empty(), value) {
        (true, value) => value.unwrap_or_default() + more,
        (false, None) => names.join(", "),
        (false, Some(value)) if arg.is_require_equals_set() => format!("{}[={value}]", names.join(", ")),
        (false, Some(value)) => format!("{} {value}", names.join(", ")),
    }
}

/// A command with its arguments, as in a synopsis.
fn usage(command: &Command, name: &str) -> String {
    let own = |arg: &&Arg| !arg.is_global_set() && arg.get_id() != "help" && arg.get_id() != "version";
    let mut words = vec![bold(name)];
    for arg in command.get_arguments().filter(own).filter(|arg| arg.is_positional()) {
        let word = term(arg);
        words.push(if arg.is_required_set() { word } else { format!("[{word}]") });
    }
    for arg in command.get_arguments().filter(own).filter(|arg| !arg.is_positional()) {
        words.push(format!("[{}]{}", term(arg), if is_repeated(arg) { "..." } else { "" }));
    }
    words.join(" ")
}

fn about(command: &Command) -> String {
    let text = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    sentence(&text)
}

/// The lines of "Examples:" in the help of a command, indented as [`Page::text`] wants it.
fn examples(command: &Command) -> Option<String> {
    let help = command.get_after_help()?.to_string();
    let lines = help.strip_prefix("Examples:\n")?.lines().take_while(|line| line.starts_with("  "));
    Some(lines.map(|line| format!("    {}", &line[2..])).collect::<Vec<_>>().join("\n"))
}

fn built(path: &[&str]) -> Command {
    let mut command = cli::command();
    command.build();
    for name in path {
        command = command.find_subcommand(name).expect(name).clone();
    }
    command
}

// ---------------------------------------------------------------------------------------------
// chathub-ctl(1)

fn command_item(page: &mut Page, command: &Command, name: &str) {
    page.item(&usage(command, name), &about(command));
    page.hang(|page| page.options(command.get_arguments().filter(|arg| !arg.is_global_set())));
    if let Some(lines) = examples(command) {
        page.hang(|page| page.hanging_example(&lines));
    }
}

fn ctl_page() -> String {
    let ctl = built(&["ctl"]);
    let mut page = Page::new("chathub-ctl", 1, "User commands", "look after a running chat hub");
    page.section("SYNOPSIS");
    page.0 += "\\fBchathub ctl\\fR [\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n";
    page.section("DESCRIPTION");
    page.text(
        "`chathub ctl` asks the running daemon, `chathub`(8), over its admin socket, and prints what it answers: as \
         text for people, or with --json as the daemon gave it. Answers go to standard output, complaints to \
         standard error, and the exit status tells a script which it was.

Whoever may open the admin socket may do everything: root, and the members of the group `chathub-admin`. To add
somebody, who then has to log in again:

    sudo usermod -aG chathub-admin ann

Nothing is said to a socket on which another user than `root`, `chathub` or oneself listens, wherever its path comes
from: whoever may write in a directory could put one there, and be told passwords. To look after the daemon of another
user, ask as that user: `sudo -u ann chathub ctl status`.

Everything that changes something leaves a line in the journal with the user id and process id of who asked.

The admin socket is held by systemd. Connecting to it starts the daemon if it is not running; so even
`chathub ctl status` does. To look without waking it: `systemctl status chathub.service`.",
    );
    page.section("COMMANDS");
    page.text(
        "Clients are named by id, such as `c7`, or by name. An id is never given to another client; a name may have \
         changed hands since it was looked up. Durations <D> are written with their unit: 90s, 10min, 2h, 30d.",
    );
    for (title, names) in GROUPS {
        page.subsection(title);
        for name in *names {
            let command = ctl.find_subcommand(name).expect(name);
            command_item(&mut page, command, name);
            for inner in command.get_subcommands() {
                command_item(&mut page, inner, &format!("{name} {}", inner.get_name()));
            }
        }
    }
    page.section("OPTIONS");
    page.text("They may stand before or after the command.");
    page.options(ctl.get_arguments().filter(|arg| arg.is_global_set()));
    page.item(
        "\\fB\\-h\\fR, \\fB\\-\\-help\\fR",
        "Print help, of one command after its name; --help says more than -h.",
    );
    page.section("OUTPUT");
    page.text(
        "Tables are as wide as what stands in them. On a terminal that is too narrow, names are cut, the columns that tell \
         least are left out, and the last column, which tells most, goes on in further lines; --full leaves nothing out. \
         Elsewhere a row is a line, and nothing is cut. AGE is for how long somebody or something has been there, LEFT \
         for how long it still holds. An empty cell shows as -. Headings are bold on a terminal, unless $NO_COLOR is set. \
         All times are UTC. Names and texts come from strangers: control characters, and those that turn or hide the \
         text around them, are printed as escapes such as \\u{1b}, in JSON as well; there they mean the same \
         to whoever reads it.

What can be long goes through a pager on a terminal, as with `systemctl`(1): see $SYSTEMD_PAGER below, and --no-pager.

Before something that cannot be undone, and before a ban disconnects several people, whoever sits at a terminal is asked,
unless --yes is given. Scripts are not asked: what cannot be undone, and a ban of a large part of the Internet, they have
to mean by --yes; a ban that disconnects several people is carried out.

With --json, `history` and `monitor` print one object a line and nothing after the last;
`call --more` prints the last result too, which counts the others. Keys may be added to results by later versions;
those that are there stay.",
    );
    page.section("ENVIRONMENT");
    page.item(&bold("CHATHUB_SOCKET"), "The admin socket, if --socket is not given.");
    page.item(
        &bold("XDG_RUNTIME_DIR"),
        "Where the socket of a daemon of one's own is looked for, in <chathub/admin.sock>, if there is no service.",
    );
    page.item(
        &bold("SYSTEMD_PAGER, PAGER"),
        "The pager, the first of them that is set; `less` if none is, else `more`. An empty one, or `cat`, means none.",
    );
    page.item(&bold("SYSTEMD_LESS"), "The options of `less`, FRSXMK without it. With F, it ends at once if all fits.");
    page.item(&bold("NO_COLOR"), "If it is set and not empty, nothing is bold.");
    page.0 += ".PP\n";
    page.text(
        "`less` is started with $LESSSECURE, so that it opens no shell; by `sudo`(8) no other pager is taken, whatever \
         the variables say.",
    );
    page.exit_status(exit::CTL);
    page.section("FILES");
    page.item(&italic("/run/chathub/admin.sock"), "The admin socket of the service.");
    page.item(
        &italic("/run/chathub/monitor.sock"),
        "Its socket for monitoring, if `chathub-monitor.socket` is enabled: --socket names it, and `status` and `metrics` \
         are told there.",
    );
    page.section("EXAMPLES");
    for (what, command) in [
        (
            "Who has not said anything for an hour?",
            "chathub ctl clients --json | jq -r '.clients[] | select(.idle_s > 3600) | .nick'",
        ),
        (
            "Disconnect everybody who comes from one address:",
            "chathub ctl clients --json | jq -r '.clients[] | select(.addr == \"192.0.2.1\") | .id' |\n        xargs -r chathub ctl kick --reason 'no flooding'",
        ),
        (
            "Keep yesterday's conversation of the lobby:",
            "chathub ctl history --room lobby --since yesterday --until today > lobby.log",
        ),
        (
            "Be told when somebody asks for help:",
            "chathub ctl monitor --json report | while read -r event; do notify-send \"$event\"; done",
        ),
        ("Is it alive, and quick?", "chathub ctl status --timeout 2s --quiet > /dev/null && echo yes"),
        ("Watch who is there:", "chathub ctl clients --watch=5s"),
        (
            "Stop it for good, its sockets too:",
            "systemctl disable --now chathub.socket chathub-admin.socket chathub.service",
        ),
    ] {
        page.0 += ".PP\n";
        page.0 += &prose(what);
        page.example(&format!("    {command}"));
    }
    page.see_also(&["chathub(8)", "chathub-admin(7)", "chathub.toml(5)", "systemctl(1)", "journalctl(1)", "jq(1)"]);
    page.0
}

// ---------------------------------------------------------------------------------------------
// chathub-admin(7)

/// The fields of journal entries, and what is in them.
const JOURNAL_FIELDS: &[(&str, &str)] = &[
    ("MESSAGE_ID", "The kind of event; `journalctl` -x explains it."),
    ("CHATHUB_CLIENT", "The client's id, as in `chathub ctl clients`."),
    ("CHATHUB_NICK, CHATHUB_ROOM", "Its name and its room."),
    ("CHATHUB_ADDR, CHATHUB_PORT", "Where it connects from."),
    ("CHATHUB_REASON", "Why it left, was refused or was disconnected, or why somebody was banned or muted."),
    ("CHATHUB_TARGET", "The network, the name or the account that it is about, if that is nobody who is here."),
    ("CHATHUB_SANCTION, CHATHUB_UNTIL", "What a ban, a mute or an expulsion is called, and when it ends."),
    ("CHATHUB_BY", "Who did it, in words: root (0), operator ann, the hub."),
    ("CHATHUB_ADMIN_UID, CHATHUB_ADMIN_PID", "The user and the process that asked for it over the admin socket."),
    ("CHATHUB_PROBLEM", "What is wrong with the settings."),
    ("CHATHUB_APPLIED, CHATHUB_RESTART", "Which settings have changed, and which of those wait for a restart."),
];

/// The page names fields that are written, by that name.
#[test]
fn the_fields_of_the_journal_are_those_that_are_written() {
    let mut sources = String::new();
    let mut paths = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            sources += &std::fs::read_to_string(&path).expect("a source file");
        }
    }
    for name in JOURNAL_FIELDS.iter().flat_map(|(names, _)| names.split(", ")).chain(["CHATHUB_COUNT"]) {
        let field = format!("{} = ", name.to_lowercase());
        assert!(sources.contains(&field), "nothing writes {name}");
    }
}

fn fields(page: &mut Page, schema: &Value) {
    for Field { name, kind, required, about } in schema::fields(schema) {
        let optional = if required { "" } else { ", optional" };
        page.item(&format!("{} ({}{optional})", bold(&name), literal(&kind)), &sentence(&about));
        page.hang(|page| fields(page, schema::within(schema, &name)));
    }
}

fn admin_command(page: &mut Page, command: &CommandDescription, effect: Effect, replies: Replies) {
    page.subsection(&command.name);
    page.text(&markup(&command.about));
    let effect = match effect {
        Effect::Reads => "Changes nothing.",
        Effect::Tells => "Changes nothing; for the monitoring socket, too.",
        Effect::Changes => "Leaves a line in the journal.",
    };
    let replies = match replies {
        Replies::One => "Answers once.",
        Replies::OneOrMore => "Answers once, or with `\"more\":true` by a stream of results.",
        Replies::More => "Answers with a stream; `\"more\":true` is needed.",
    };
    page.0 += &prose(&format!("{effect} {replies}"));
    for (heading, none, schema) in
        [("Arguments:", "No arguments.", &command.args), ("Result:", "The result is empty.", &command.result)]
    {
        page.0 += ".PP\n";
        if schema::fields(schema).is_empty() {
            page.0 += &prose(none);
        } else {
            page.0 += &prose(heading);
            page.hang(|page| fields(page, schema));
        }
    }
}

/// Doc comments mark code as this page does, but may hold what it takes for italics.
fn markup(text: &str) -> String {
    text.replace('<', "\u{2039}")
}

fn admin_page() -> String {
    let mut page = Page::new("chathub-admin", 7, "Protocols", "the admin protocol of the chat hub");
    page.section("DESCRIPTION");
    page.text(&format!(
        "Over its admin socket, </run/chathub/admin.sock>, the daemon `chathub`(8) is asked how it is doing and told \
         what to do. `chathub-ctl`(1) is one user of it; `nc -NU` with `jq`(1), or a few lines of any language, are \
         others.

The socket is a Unix stream socket. Who may open it may use every command: root, and the members of the group
`chathub-admin`. The daemon knows the user and process that has connected, and writes them into its journal with
everything that is changed.

This is version {PROTOCOL} of the protocol, as `hello` tells it. The number rises only when something that worked
stops working. Commands, optional arguments, keys of results, kinds of events and counters may be added without; a
program should pass over keys that it does not know.",
    ));
    page.section("FRAMING");
    page.text(&format!(
        "One JSON object a line in, one a line out, UTF-8. A line ends in LF; a CR before it, and empty lines, are \
         passed over. A request has at most {MAX_REQUEST} bytes; a longer one is refused with `bad_request` and passed \
         over up to its end. An answer may be longer.

The daemon sends nothing before it is asked. Any number of requests may be sent without waiting; they are carried
out and answered in order. When the sending side is closed, what has been asked is still answered, and then the
daemon closes the connection.

An answer that is not taken is waited for, up to twelve hours (a backup: ten minutes). Events that a subscriber does
not take meanwhile are counted, and the next one says how many were lost.

There are limits.admin_connections places, the monitoring socket's among them. One user has half of them at most; four more are kept for root and for the
daemon's own user, so that reloading and stopping the service always find one. Where there is none left, a connection
on which nothing was asked for a second, or whose answer was not taken for 30 seconds, gives way to the new one: it is
told `busy`, with no id. `status` says who holds them.

The requests of all connections have their turn one after the other, and people in between. A long list is made in
steps: who comes or goes meanwhile may be in it or not.",
    ));
    page.section("MONITORING");
    page.text(
        "On </run/chathub/monitor.sock> of `chathub-monitor.socket`, for root and the group `chathub-monitor`, the \
         commands `hello`, `describe`, `status` and `metrics` are carried out, and every other one is refused with \
         `denied`: those that change something, and those that tell of people, their names, addresses, rooms or what \
         they say, for whoever watches a service need not know who uses it. What is told are numbers, versions, states, \
         the paths of files and sockets, and which users are connected to these sockets. `hello` tells the level of the \
         connection, `monitor` or `admin`, and `describe` the least level of each command. The unit is off until it is \
         wanted; the service is handed a socket when it starts, and the socket is gone while the service is stopped:

    systemctl enable chathub-monitor.socket
    systemctl restart chathub.service
    usermod -aG chathub-monitor prometheus
    chathub ctl --socket /run/chathub/monitor.sock metrics

Over HTTP, `chathub-web`(8) serves what `metrics` tells.",
    );
    page.section("REQUESTS");
    page.text("A request has these keys; any other is refused:");
    page.item("\\fBcmd\\fR (string)", "The command.");
    page.item("\\fBargs\\fR (object, optional)", "Its arguments. An argument that is not known is refused.");
    page.item(
        "\\fBid\\fR (string or number, optional)",
        "Anything; it comes back with every answer. Null if it was left out.",
    );
    page.item(
        "\\fBmore\\fR (boolean, optional)",
        "A stream of answers is wanted. Refused by commands that answer once.",
    );
    page.section("ANSWERS");
    page.item("\\fBid\\fR", "That of the request.");
    page.item("\\fBok\\fR (boolean)", "Whether it was done.");
    page.item("\\fBresult\\fR (object)", "What came out, if it was done.");
    page.item(
        "\\fBerror\\fR (object)",
        "Why not, if it was not: `code` for programs, from the list below, and `message` for people.",
    );
    page.item(
        "\\fBmore\\fR (boolean, optional)",
        "If true, another answer to the same request follows. The last answer of a stream is without it, and its result \
         is the number of those before it, as in {\"count\":2}. An error ends a stream as well.",
    );
    page.item("\\fBwarning\\fR (string, optional)", "For people: what was done, and does not hold in every case yet.");
    page.section("ERRORS");
    for (code, about) in words::of::<ErrorCode>() {
        page.item(&bold(&code), &markup(&sentence(&about)));
    }
    page.section("TYPES");
    page.item("time", "A string as in RFC 3339, with milliseconds and in UTC: 2026-11-22T10:01:02.123Z.");
    page.item("string, 1 to 256 bytes", "The length counts bytes of UTF-8.");
    page.item("keys that end in _s", "A number of seconds.");
    page.section("COMMANDS");
    page.text("`describe` returns the same as JSON Schemas. What is not marked optional is always there.");
    let description = describe(&DescribeArgs::default()).expect("all commands");
    for (command, spec) in description.commands.iter().zip(COMMANDS) {
        admin_command(&mut page, command, spec.effect, spec.replies);
    }
    page.section("EVENTS");
    page.text("The kinds of events that `events.subscribe` streams:");
    for (kind, about) in words::of::<EventKind>() {
        page.item(&bold(&kind), &markup(&sentence(&about)));
    }
    page.0 += ".PP\n";
    page.text(
        "A subscriber that reads too slowly does not slow the hub: it loses events, and `lost` of the next one says \
         how many.",
    );
    page.section("EXAMPLES");
    page.text(
        r#"Sent lines start with > here, and received ones with < :

    > {"id":1,"cmd":"clients.list","args":{"room":"lobby"}}
    < {"id":1,"ok":true,"result":{"clients":[{"id":"c7","nick":"ann", ...}],"total":1}}
    > {"id":2,"cmd":"clients.kick","args":{"who":["c7"],"reason":"spam"}}
    < {"id":2,"ok":true,"result":{"kicked":["c7"]}}
    > {"id":3,"cmd":"clients.kick","args":{"who":["nope"]}}
    < {"id":3,"ok":false,"error":{"code":"not_found","message":"no client \"nope\""}}
    > {"id":4,"cmd":"history.dump","args":{"room":"lobby","last":2},"more":true}
    < {"id":4,"ok":true,"more":true,"result":{"seq":981,"nick":"ann","text":"hi", ...}}
    < {"id":4,"ok":true,"more":true,"result":{"seq":982,"nick":"bob","text":"hello", ...}}
    < {"id":4,"ok":true,"result":{"count":2}}

Ask once, from a shell; -N closes the sending side, so that `nc`(1) ends when the answer is there:

    echo '{"cmd":"status"}' | nc -NU /run/chathub/admin.sock | jq .result.clients

The names of those in the lobby:

    echo '{"cmd":"clients.list","args":{"room":"lobby"}}' |
        nc -NU /run/chathub/admin.sock | jq -r '.result.clients[].nick'

Two requests in one go:

    printf '%s\n' '{"id":"a","cmd":"hello"}' '{"id":"b","cmd":"rooms.list"}' |
        nc -NU /run/chathub/admin.sock

Follow who comes and goes. The sending side has to stay open here: without -N, and with an input that does not end:

    (echo '{"cmd":"events.subscribe","args":{"kinds":["join","leave"]},"more":true}'; cat) |
        nc -U /run/chathub/admin.sock | jq --unbuffered -r '.result | "\(.event) \(.nick)"'

The schema of a command's arguments:

    echo '{"cmd":"describe","args":{"cmd":"clients.kick"}}' |
        nc -NU /run/chathub/admin.sock | jq '.result.commands[0].args'"#,
    );
    page.see_also(&["chathub-ctl(1)", "chathub(8)", "nc(1)", "jq(1)", "unix(7)"]);
    page.0
}

// ---------------------------------------------------------------------------------------------
// chathub(8)

/// What `chathub doctor` looks at, and how it tells it.
fn doctor_section(page: &mut Page) {
    page.section("DOCTOR");
    page.text(
        "When something does not work, or before it stops working:

    sudo chathub doctor

What is found comes with the worst first: how bad it is, the id of the check, and what it means, on one line; below it \
         what to do, with commands to type. The last line says how much was checked, and what could not be looked at: \
         that is never counted as fine. Nothing on the machine is changed: no file is made, no lock is taken, and a hub \
         that sleeps is not woken. The database of a hub that runs is not read; what the daemon says of it counts. \
         That of one that was killed is not either, until the next start has put it in order.

It is the service of the machine that is looked at. An ordinary user who has a hub of their own (see \"Have a hub of your \
         own\"), or has started one by hand, is told of that one; --user and --system say which is meant, as with \
         `systemctl`(1). Commands to type are then for the service manager of the user.

With --json it is one object: `checked`, the ids of all checks that were made; `skipped`, objects with the `id` of one \
         that was not, `why`, and in `applies` whether there is something that could not be looked at; and `findings`, \
         objects with `id`, `severity` (`error`, `warning` or `advice`), `what`, and `do`, a list of sentences and \
         commands. The ids stay what they are. A timer that writes mail when there is something to do:

    chathub doctor --quiet

The checks:",
    );
    for check in DOCTORS {
        page.item(&bold(check.id), &sentence(&capital(check.about)));
    }
    page.0 += ".PP\n";
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    // The name of a setting stays as it is written.
    match chars.next() {
        Some(first) if !text.split([' ', ',']).next().is_some_and(|word| word.contains(['=', '.'])) => {
            first.to_uppercase().collect::<String>() + chars.as_str()
        }
        _ => text.to_owned(),
    }
}

fn daemon_page() -> String {
    let serve = built(&["serve"]);
    let check = built(&["check-config"]);
    let doctor = built(&["doctor"]);
    let mut page = Page::new("chathub", 8, "System administration", "chat hub for telnet and nc");
    page.section("SYNOPSIS");
    page.0 += &format!("{}\n.br\n{}\n", usage(&serve, "chathub serve"), usage(&check, "chathub check-config"));
    page.0 += &format!(".br\n{}\n", usage(&doctor, "chathub doctor"));
    page.0 += ".br\n\\fBchathub ctl\\fR \\fICOMMAND\\fR ...\n";
    page.section("DESCRIPTION");
    page.text(
        "`chathub` is a chat server for people who have nothing but `telnet`(1) or `nc`(1):

    telnet hub.example.org 6969

Whoever connects is given a name and the last lines of the room <lobby>, and can talk. /help lists what else can be
typed.

Debian's `telnet` takes some characters for its escape key (a Cyrillic En, a closing quotation mark, a heart, all whose
UTF-8 has the byte 0x9D) and then waits at `telnet>`. It is told not to as soon as its first line has shown what it is;
for that line too, `telnet -E` has no escape key.

As a service it is started by the first connection, and again by the next one if it was stopped: systemd holds its
sockets. It is looked after with `chathub-ctl`(1), or by programs as in `chathub-admin`(7); its settings are those of
`chathub.toml`(5).",
    );
    page.section("COMMANDS");
    page.item(&bold("chathub serve"), &about(&serve));
    page.hang(|page| page.options(serve.get_arguments()));
    if let Some(lines) = examples(&serve) {
        page.hang(|page| page.hanging_example(&lines));
    }
    page.item(&bold("chathub check-config"), &about(&check));
    page.hang(|page| page.options(check.get_arguments()));
    if let Some(lines) = examples(&check) {
        page.hang(|page| page.hanging_example(&lines));
    }
    page.item(&bold("chathub doctor"), &format!("{} See DOCTOR.", about(&doctor)));
    page.hang(|page| page.options(doctor.get_arguments()));
    if let Some(lines) = examples(&doctor) {
        page.hang(|page| page.hanging_example(&lines));
    }
    page.item(&bold("chathub ctl"), "Looks after the running daemon; see `chathub-ctl`(1).");
    page.section("SOCKETS");
    page.text(
        "The daemon takes the sockets that are handed to it as in `sd_listen_fds`(3), and knows them by name and kind:",
    );
    page.item(&bold("chat"), "TCP, for people; any number of them. A TCP socket without a name is one.");
    page.item(
        &bold("proxy"),
        "TCP, for proxies, which say by the PROXY protocol whose connections they carry on; any number of them. See \
         BEHIND A PROXY.",
    );
    page.item(
        &bold("handover"),
        "A Unix datagram socket, on which `chathub-tls`(8) hands over connections whose handshake is done.",
    );
    page.item(&bold("admin"), "A Unix stream socket, for administrators. A Unix socket without a name is one.");
    page.item(
        &bold("monitor"),
        "A Unix stream socket, for programs that watch how the hub is doing, and may do nothing else. See MONITORING of \
         `chathub-admin`(7).",
    );
    page.0 += ".PP\n";
    page.text(
        "A socket with any other name is left alone, with a warning: another release may know it. If none are handed \
         over, the daemon binds its own: see --listen and --admin-socket.

The units are `chathub.socket` (port 6969, IPv4 and IPv6), `chathub-admin.socket`
(</run/chathub/admin.sock>, for root and the group `chathub-admin`), `chathub.service`, and `chathub-monitor.socket`
(</run/chathub/monitor.sock>, for root and the group `chathub-monitor`), and `chathub-proxy.socket` (port 6972 of this machine), which are off until they are enabled. `chathub-web`(8) serves over HTTP what is told on that last one.",
    );
    page.section("BEHIND A PROXY");
    page.text(
        "People can come through a proxy, such as `haproxy`(1) or `stunnel`(8). It says by the PROXY protocol, version 1 or \
         2, whose each connection is; limits, bans, strikes and the journal then have that address, as if the person had \
         connected here. For a proxy on this machine:",
    );
    page.example(
        "systemctl enable chathub-proxy.socket
systemctl restart chathub.service",
    );
    page.text(
        "The proxy is the end of encryption, or there is none. It does not send to the port of `chathub-tls`, which takes no \
         header. In haproxy.cfg, with encryption there:",
    );
    page.example(
        "listen chat
    mode tcp
    bind :6970 ssl crt /etc/haproxy/chat.pem
    timeout connect 5s
    timeout client  1d
    timeout server  1d
    server hub 127.0.0.1:6972 send-proxy-v2-ssl-cn check check-send-proxy",
    );
    page.text("In a file of stunnel, with proxy.encrypted = true in the settings, because it cannot say so itself:");
    page.example(
        "[chat]
accept = :::6970
connect = 127.0.0.1:6972
protocol = proxy
cert = /etc/stunnel/chat.pem",
    );
    page.text(
        "Only proxies of proxy.networks are believed, for a proxy can say any address; by default those of this machine. \
         Whoever else connects there, or says nothing of the kind within proxy.wait, is told so and disconnected; \
         `chathub ctl metrics` counts them. A check by the proxy (LOCAL) is answered with one line, and nobody in the rooms \
         hears of it. `chathub ctl client` shows the proxy of a client, and what it says of the encryption.

A proxy drops everybody when it is restarted, for a new certificate say; people whose TLS is done by `chathub-tls`(8) are \
         not dropped by anything.",
    );
    page.section("SIGNALS");
    page.item(
        &bold("SIGTERM"),
        "Where the service manager keeps the clients (see RESTARTS), everybody is left to the next process, and the daemon \
         ends with 75. Where not, as with SIGINT.",
    );
    page.item(
        &bold("SIGINT"),
        "No more connections are accepted; everybody is said goodbye to and given what is owed to them, within the time of \
         shutdown.deadline in the settings; the daemon ends with 0. A second signal ends it at once.",
    );
    page.item(
        &bold("SIGHUP"),
        "The settings are read again. If anything is wrong with them, all of them stay as they were, and only the log says \
         so: better use `systemctl reload chathub` or `chathub ctl reload`, which fail and say why.",
    );
    page.section("RESTARTS");
    page.text(
        "Nobody notices a restart, an upgrade, a crash or a kill of the daemon: every connection stays open, and every line \
         is delivered once, whole and in order. What clients have and are owed is kept in memory that systemd holds while \
         the daemon is gone (FileDescriptorStoreMax= of the unit), and the next process carries on. `chathub ctl status` \
         tells of it under survival.",
    );
    page.text(
        "Everybody is told goodbye and disconnected by `systemctl stop chathub`, by `chathub ctl shutdown`, and when the \
         package is removed. So they are if the next process is of a release that cannot read what was left, or if what \
         was left is damaged. A process that is killed in the middle of its work can be carried on by the same release \
         only; one that is restarted, by others as well.",
    );
    page.text(
        "Input that the daemon crashes of is left out at the third time, and the client that had sent it is disconnected. \
         A reboot, and a daemon that was started by hand, leave nobody behind.",
    );
    page.text(
        "A daemon that was killed or has crashed is replaced at once. A start that fails again and again (the program is \
         missing, the state directory cannot be used, a sandbox is refused) is tried again after 0, 1, 2, 4, 8, 16 and \
         then every 25 seconds, for as long as it takes: the ports stay open, whoever connects waits, nobody is \
         disconnected, and what was mended heals by itself. `systemctl restart chathub` waits for the end of the \
         present delay. A service that cannot start because its settings or sockets are wrong, or because a later \
         version has written its files, waits for the next connection; those who connect are told so, after up to 5 \
         seconds if they are many, and so are those who were connected.",
    );
    page.section("ADMINISTRATION");
    page.text(
        "All that is changed in units is written with `systemctl edit`, which keeps it apart from the package's files.",
    );
    page.subsection("See who is on");
    page.text(
        "    chathub ctl status
    chathub ctl clients
    chathub ctl monitor",
    );
    page.subsection("Change the port");
    page.text(
        "The port is systemd's: the settings have no say in it. The empty line takes away the one before.

    systemctl edit chathub.socket

    [Socket]
    ListenStream=
    ListenStream=7000

    systemctl restart chathub.socket

This restarts the service as well, because a socket cannot be changed while its service runs. Nobody who is connected
notices; whoever connects meanwhile, to a port that stays, waits a moment.",
    );
    page.subsection("Listen on one address");
    page.text(
        "As above, with the address before the port. FreeBind lets the socket start before the network has that address.

    [Socket]
    ListenStream=
    ListenStream=192.0.2.10:6969
    ListenStream=[2001:db8::10]:6969
    FreeBind=yes",
    );
    page.subsection("Restrict by network");
    page.text(
        "The connections come through the socket unit, so that is where the filter belongs; on `chathub.service` it would \
         have no effect on them. Then restart as above.

    [Socket]
    IPAddressDeny=any
    IPAddressAllow=localhost 192.0.2.0/24 2001:db8::/32",
    );
    page.subsection("Behind a firewall");
    page.text(
        "One TCP port, 6969, inwards; nothing outwards, which the service cannot do anyway. With `nft`(8), for one network:

    nft add rule inet filter input ip saddr 192.0.2.0/24 tcp dport 6969 accept

What is typed travels in the clear. Over networks that are not trusted, have people come over TLS: see `chathub-tls`(8). \
         Without it, use a VPN, or an SSH tunnel:

    ssh -L 6969:localhost:6969 hub.example.org",
    );
    page.subsection("Change the settings");
    page.text(
        "    editor /etc/chathub/conf.d/local.toml
    chathub check-config
    systemctl reload chathub

If anything is wrong, the reload fails, says what, and all settings stay as they were.",
    );
    page.subsection("Get help from the journal");
    page.text(
        "Start, stop, arrivals, departures and what administrators do is there; what people say is not.

    journalctl -u chathub -e
    journalctl -u chathub -p warning -x
    journalctl -u chathub CHATHUB_CLIENT=c7
    journalctl -u chathub CHATHUB_ADMIN_UID=1000
    chathub ctl log-level debug

These fields can be asked for, together with values, as above:",
    );
    for (name, about) in JOURNAL_FIELDS {
        page.item(&bold(name), about);
    }
    page.0 += ".PP\n";
    page.text(
        "In a storm of arrivals and departures most are left out, 20 a second are written, and a line says how many were \
         not (CHATHUB_COUNT).",
    );
    page.subsection("Stop it for good");
    page.text(
        "A stopped service is started by the next connection, to the chat port or to the admin socket, as long as systemd \
         listens; so it is by whoever comes over TLS or through a proxy, where that is enabled. So stop the sockets too; \
         until the next boot:

    systemctl stop \'chathub*.socket\' chathub.service

And beyond it, with chathub-proxy.socket, chathub-tls.socket, chathub-tls.service, chathub-handover.socket, \
         chathub-metrics.socket and chathub-monitor.socket, where these are enabled:

    systemctl list-unit-files --state=enabled \'chathub*\'
    systemctl disable --now chathub.socket chathub-admin.socket chathub.service",
    );
    page.subsection("Have a hub of your own");
    page.text(
        "Every user of the machine can run one, by the service manager of the user. It listens on port 6971 of the machine \
         itself, reads </home/ann/.config/chathub/chathub.toml>, records in </home/ann/.local/state/chathub>, and drops \
         nobody at a restart either. The last line lets it go on while the user is logged out:

    systemctl --user enable --now chathub.socket chathub-admin.socket chathub.service
    chathub ctl --socket $XDG_RUNTIME_DIR/chathub/admin.sock status
    loginctl enable-linger

It has no network namespace of its own, for which a user has no privileges; it still can make no socket but \
         AF_UNIX ones. Where no hub of the whole system runs, `chathub ctl` finds it without --socket. `chathub doctor` \
         looks at it when its user asks. An upgrade of the package leaves it running as it is; the user puts the new \
         release in force, and nobody notices:

    systemctl --user daemon-reload
    systemctl --user restart chathub",
    );
    page.subsection("Upgrade, and go back");
    page.text(
        "    apt install ./chathub_VERSION_ARCH.deb

The package restarts the service, and nobody notices. To go back is to install the former package in the same way \
         (`dpkg --install`, or `apt install --allow-downgrades`). Make a copy first (see \"Back up\"): a release \
         that has another form of database brings it up to that, and an older release refuses it then. In that case the \
         copy is restored.",
    );
    page.subsection("Back up");
    page.text(
        "What there is to keep is the settings, in </etc/systemd/system> what was changed in units, and what was said. The \
         last is an SQLite database that is written all the time: have it copied, do not copy it.

    tar -czf chathub.tar.gz /etc/chathub $(find /etc/systemd/system -name 'chathub*.d')
    chathub ctl backup chathub-$(date +%F).db

To restore a copy:

    systemctl stop chathub.socket chathub-admin.socket chathub-proxy.socket chathub-handover.socket chathub.service
    rm -f /var/lib/chathub/chathub.db-wal /var/lib/chathub/chathub.db-shm
    install -o chathub -g chathub -m 600 COPY /var/lib/chathub/chathub.db
    systemctl start chathub.service

That starts the sockets as well, as far as they are enabled. A copy keeps what it holds: lines that are too old, redacted or erased today are still in the copy of yesterday. Keep \
         copies no longer than `history.keep`, or as long as you have promised. After a copy is restored, lines that \
         are too old go within a minute; what was redacted, erased or banned since the copy was made is to be done again.",
    );
    page.subsection("Move to another machine");
    page.text(
        "People have to connect again, for a connection is of one machine. Install the package there, and stop it until \
         all is in its place:

    apt install ./chathub_VERSION_ARCH.deb
    systemctl stop chathub.socket chathub-admin.socket chathub.service

On the old one, see which units are enabled, stop all of them, and have them stay so:

    systemctl list-unit-files --state=enabled \'chathub*\'
    chathub ctl say \"The hub moves; please connect to chat.example.org again in some minutes.\"
    systemctl stop \'chathub*.socket\' \'chathub*.service\'
    systemctl disable chathub.socket chathub-admin.socket chathub.service
    tar -czf chathub.tar.gz /etc/chathub /var/lib/chathub $(find /etc/systemd/system -name \'chathub*.d\')

A hub that has ended by itself leaves a database that can be copied as it is. On the new one:

    tar -C / -xzf chathub.tar.gz
    chown -R chathub:chathub /var/lib/chathub
    systemctl daemon-reload
    systemctl start chathub.service
    chathub doctor

Then enable the other units that were enabled, and have the name point to the new machine. Certificates of other programs, \
         such as those of certbot, lie elsewhere.",
    );
    page.section("NAMES");
    page.text(
        "People and rooms are called what people are called: names are letters and digits of one script, with -, _ and . \
         between and behind them, and with the marks, joiners and separators that the script is written with, as in \
         Marcel·lí. Scripts are those of Unicode that languages of today are \
         written in (UAX #31, tables 5 and 7); Latin goes with those of Chinese, Japanese and Korean. Wide and narrow \
         letters of an input method are made ordinary ones; other forms of letters are refused with what to write instead.

Case makes no name another. Nobody takes a name that looks like one in use, registered or banned (UTS #39, and \
         more): `paypaI` beside `paypal`, `ann.` or `ann_` beside `ann`, or one with other vowel points. What looks alike and is told apart by \
         everybody who reads it, such as the Thai letters do dek and to tao, makes two names.

Nobody takes a name that the hub could speak under, or that is said to all (admin, system, notice, you), the name of \
         the lobby, or one that begins as guests' do; nor any of these with punctuation around it, or with digits \
         around a word such as admin. Nor is a name what could be read as an address, a number, an id such as c4 or m1, a \
         command, or, for people, a length of time.

A name that was registered, or in use, when this was not asked stays its owner's.",
    );
    page.section("ACCOUNTS AND MODERATION");
    page.text(
        "Nobody needs an account. Who wants to keep a name registers it with a password (/register), or an \
         administrator does it: `chathub ctl account add`. Nobody else can take it then, nor a name that looks like it. \
         Accounts are kept in <chathub.db>, beside the recorded history; where nothing is recorded, there are none.

Passwords are hashed with argon2id; `accounts.memory` and `accounts.passes` say how hard. The unit needs \
         `accounts.memory` times `accounts.hashers` on top of its memory. A password is in the daemon's memory until it \
         is hashed, in what outlives the daemon for some seconds longer, and in no file, journal or event. Between the \
         person and the daemon it travels as everything else does: whoever can listen to a connection that is not encrypted \
         can read it.

Encryption (`chathub-tls`(8)) can be demanded for three things. `accounts.encryption` is about passwords: by default, \
         whoever sends one over a connection that is not encrypted is told so, where a better way is known; \"required\" \
         takes none, before one is asked for, and neither looks at nor keeps one that was sent along. `access.encryption` = \
         \"required\" lets nobody in who is not encrypted; they are told how to come, by `access.encrypted_at`. And \
         /room encrypted, or `chathub ctl rooms set ROOM encrypted`, makes it a condition for coming into one room, for \
         its owner and for operators as well. It is refused while somebody is there who is not encrypted, and names them; so \
         all who are in such a room are. After /room plain, those who come without are shown only what was said since. \
         The lobby cannot be such a room. What the settings demand is for those who come from then on: who is here stays. \
         Connections from a network of `access.secure`, which is this machine if nothing else stands there, count as \
         encrypted for all of this. Make it empty if something on this machine takes plain connections from elsewhere and \
         passes them on without the PROXY protocol.

Who has registered can log in without a password, by the certificate that a connection by TLS shows: /certificate add, on \
         such a connection, has it log in, and /certificate remove ends that. Administrators do both by `chathub ctl \
         account certify` and `uncertify`, and `chathub ctl account show` tells which there are. Whoever comes with one of \
         them is logged in at once, also where only those who are registered come in, during a lockdown, and where \
         passwords have to be encrypted; bans and mutes hold as for others. An account can have five. A certificate \
         belongs to one account, is known by SHA-256 of its public key, so that it may be renewed for the same key, and needs \
         nobody\'s signature. Another password does not end them; /unregister, and removing the account, does. How \
         `chathub-tls` is told to ask for them stands in `chathub-tls`(8).

A password that was wrong is asked for again, three times in all. What could be one is said to nobody: the \
         line behind a question that came to nothing, lines that were sent ahead of it, `login NAME PASSWORD` without \
         its slash, `my password is hunter22`, and what follows a name by which one logs in to a machine (`root`). /say \
         says it all the same.

Tries are slowed by address and by account (`accounts.attempts`, `accounts.attempt_every`). By account only \
         those are slowed who come from where nobody has logged in to it, and not from `access.always`: strangers who \
         guess do not lock its owner out at home. The last eight places are remembered, as a keyed hash, until the daemon \
         starts afresh. `chathub ctl account unlock` forgets what strangers have tried. To let in those \
         alone who are registered: `accounts.entry` = \"registered\"; others wait at the door, for `accounts.door` at \
         most, and see and hear nobody.

An account with the role operator moderates in chat: /kick, /mute, /shadowmute, /ban, /unban, /bans, /filter, /filters, /sanctions, /lift, /left, /strikes, /reports, \
         /close, /redact, /lockdown, /op. \
         What operators do stands in the journal and in the stream of events under the name of their account. They are \
         shown no address, and cannot act on each other; administrators can.

What somebody is kept from has one form: a ban keeps them out, a mute keeps what they say from others, an expulsion keeps \
         them out of one room, a filter keeps back what has certain words in it, a lockdown keeps newcomers out. Bans, \
         mutes and expulsions are about a network, or about a name, which stands for its account and for what looks \
         like it; a mute and an expulsion are about the name or account and the address, so that coming again under \
         another name does not help. Others at that address who were connected before, or had an account before, are not \
         meant. Sanctions outlive the daemon if history is recorded, end by themselves, and are listed and lifted by \
         /sanctions and /lift, or `chathub ctl sanction`. None takes the place of another one without a word.

The names of a raid mostly have something in common. `/ban bot-* 1h` (or `chathub ctl ban add \'bot-*\' --for 1h`) \
         tells whom that finds of those who are here, and said again, disconnects them; nobody takes such a name after \
         that. `/mute bot-* 1h` mutes them instead, under whatever name they go on, and whoever takes such a name later. \
         `*` stands for any text, `?` for one character, in any case and in letters that look alike; between slashes \
         stands a regular expression, tried on the name in lower case. A pattern is about names that people have chosen: \
         names that the hub gives guests are never found. Not meant are operators, people of `access.always`, and those \
         whose account is older than the pattern. One that would find names of all kinds is refused, \
         and one that finds many, such as `a*`, is asked about, whoever is here.

`/filter WORD 1h` (or `chathub ctl filter add WORD --for 1h`) keeps back lines, names, topics and last words with that \
         word in them, as `filters.refuse` does, and after /filter strike, as `filters.strike` does. What it would have \
         kept back of the last lines is told first, and it is made when it is said again. Several words stand between \
         quotation marks, a regular expression between slashes. What was said, and names and topics that are there, \
         stay: see /redact. Of patterns and filters together there are `limits.patterns` at most.

When many come at a time to make trouble, /lockdown (or `chathub ctl lockdown`) has newcomers wait at the door until \
         they have logged in, or lets them in and not be heard until then, as `moderation.lockdown` says, and keeps them \
         from registering names. Who is here stays and speaks. Everybody is told. It ends after `moderation.lockdown_for`, \
         or the time that is given, or by /lockdown off; neither restarts and kills end it, nor a cold start, if history is \
         recorded. \
         Within one room, /room registered, /room slow 10s and /room topic-locked do the same with less.

Who is logged in and opens a room owns it, until it closes: /room, /invite, /voice, /expel. Its owner gives others the \
say in it by /moderator, names who follows by /room successor, and gives it away by /transfer. The lobby, and every \
room that nobody owns, is the operators\'.

/room lasting keeps a room while nobody is in it, with its topic, modes, owner and moderators: in <chathub.db>, if \
history is recorded, so also through a cold start; of a private room, too, though not what is said there. There are \
`rooms.lasting` at most, and `rooms.lasting_per_owner` of one owner; beyond that it is refused. Such a room lasts until \
its owner has not been here for `rooms.lasting_unused`, until /room passing, or until `chathub ctl close`. When its \
owner\'s account is gone, it is the successor\'s, else the oldest moderator\'s, else it does not last.

What is said in a \
         private room is kept in memory alone, for those who were there when it was said. It is recorded nowhere, and \
         administrators are not shown it: neither by `chathub ctl history` nor by `chathub ctl monitor say`. They see \
         that there is such a room, who is in it, its topic, and how many lines of it are kept \
         (`chathub ctl history-stats`); `chathub ctl redact` removes these, too.

/redact removes lines before their time: one by its number (`/redact #981`), the last ones of somebody \
         (`/redact ann 3`), or all of some minutes (`/redact ann 10min`), by name or by client (`c4`), also of who has \
         left; /history ids shows numbers and clients. Operators remove by time what was said in any room, owners what \
         was said in theirs. Lines are gone from memory, from searches, and on disk as soon as it takes that; a mark \
         stays. A topic that was set by such a line goes with it, and so does the text of /away. Who is in the room is \
         told that lines were removed: what is on a screen stays there.

All clients at one address together say no more to others than `pace.address`; what is beyond it is refused, and does \
         not count against them. Where people from everywhere come by one address, a gateway, it belongs to \
         `access.always`, or it tells by the PROXY protocol whose connections it carries on.

Floods, lines without end (`pace.steady`), repetitions, lines that are too long, and what `filters.strike` finds count against an address, and lead to a \
         mute and to a ban for a time: see `moderation.mute_at` and `moderation.ban_at` in chathub.toml(5). Networks in \
         `access.always` are never banned by that, nor by anybody's ban.

Nobody is turned out by what others send. Of what is meant for one person alone, others may send `pace.private`;          whoever sends more, or writes to somebody who reads nothing, is told that nothing was sent          (`private_refused` counts it).

A private message to a registered name that is not here (/msg NAME TEXT) is kept until its owner logs in, and shown once. \
         Only who is logged in can leave one; filters and mutes apply to it. It is kept in <chathub.db>, with the name \
         of who has left it, until it is shown, `memos.keep` is over, or the account that it is for is removed; then \
         nothing is left of it in that file. `chathub ctl account erase` and `redact` (by name, client or text) reach \
         what somebody has left for others, too. Administrators are told how many wait (`chathub ctl status`, `chathub \
         ctl account list`), never what; neither the journal nor the events have any of it. A power cut within a tenth \
         of a second after a message was shown may have it shown again.

Anybody can ask when a registered name was here last (/seen NAME): accounts have that time, until they are removed. Of \
         others it is told for 15 minutes after they have left; that is kept in memory alone. Private rooms are named neither \
         by it nor where a room is told that somebody left it for another one (`* bob left for tea`).

What people say about each other by /report is kept until an operator (/reports, /close) or an administrator \
         (`chathub ctl report`) closes it. Operators who are there are told at once, and those who log in later how many \
         are open; none is told of reports about themselves. A report has the numbers of the last lines of the one it \
         is about, not their text: what is redacted is gone there, too, and what was said in private is shown to those \
         operators alone who were there. `moderation.reports_kept` says how many there may be; no report pushes an \
         open one out, and who makes one too many is told so. They have a pace (`moderation.reports`), and who goes on \
         beyond it gets strikes. The journal and the events have who has reported whom, and not why. \
         `chathub ctl account erase` lets go of the name, and of why, in all reports by or about that account.

What comes to an open port without being meant for it is said to nobody. A client whose first lines are HTTP, TLS, \
         SSH, SMTP or IRC is told what the hub is and disconnected, without a strike, as a page in somebody's browser \
         may have sent them (`no_chat` counts it).

Where `limits.clients` is reached, a newcomer takes the place of somebody who has never sent a line, if more come          from where that one is from than from where the newcomer is (`gave_way` counts it). Whoever has sent a line          stays. 64 places beyond `limits.clients` are kept for `access.always`, half of them also for the addresses          where operators have logged in of late.",
    );
    page.section("RECORDED HISTORY");
    page.text(
        "What is said in rooms is recorded in <chathub.db> of the state directory, unless `history.persist` is false or the \
         room is in `history.off`. Recorded are room, name, time, kind and text of a line, and the id of the client; never \
         an address, nor what is said privately (but for messages that wait for who is not here, see above), nor who came \
         and went. Those who come are told how long it is kept \
         (`history.keep`).

People never wait for the disk. Lines go to it in batches, a tenth of a second after the first of a batch. So with \
         `history.sync` = \"full\" a power cut costs at most what was said in the last tenth of a second (and what \
         was waiting for a disk that did not keep up); with \"normal\" it may be some seconds. If the daemon alone dies \
         (a crash, kill -9), what was not written yet is written by the next one where the service manager keeps what \
         the daemon knew, and is lost, at most a tenth of a second of it, where nobody does. A stop writes everything.

If the disk takes nothing (full, read-only, locked by another program), people go on talking. What is said waits, as \
         far as `history.queue` allows; beyond it lines are left out of the recorded history, counted (`history_lost`), \
         and reported in the journal. As soon as the disk takes something, recording goes on by itself. How \
         it is stands in `chathub ctl status` and `chathub ctl history-stats`.

A file whose content makes no sense is renamed to <chathub.db.damaged-TIME>, and one of no bytes, or a log without its \
         file, to <chathub.db.empty-TIME>; another one is begun, with the bans and accounts that could be read. Nothing \
         is overwritten or deleted. All files of the state directory are readable for their owner alone.

If the file can be read at the start but not written, bans and accounts are in force as ever. If it cannot be read (one \
         that another program has locked may be read in part only), the journal and `chathub ctl status` say so. Until \
         it can be read, nobody can take or register a name that cannot be looked up, whoever logs in to an account \
         that is not known is told to try again in a moment, and `access.unread` says whether newcomers are let in. \
         The daemon tries again every ten seconds or sooner, also over restarts and kills. As soon as it can, bans and \
         accounts are recalled without a restart: whoever is banned is disconnected, bans that were made meanwhile \
         stay as well, and of two bans of the same the one that ends later stays. Only where the state directory itself \
         could not be had when the daemon was started (a link to nowhere, a file in its place), its sandbox has none: \
         then `systemctl restart chathub`, once it is mended; nobody notices.

After a start, rooms that were open show what was said in them before. A room that the last one has left does not: \
         who opens one of that name finds it empty. Administrators see both, until `history.keep`, \
         `history.keep_lines` or `history.keep_bytes` lets go of them; `chathub ctl redact` removes lines before that.

A line is removed when its time is over (`history.keep`), when there are too many (`history.keep_lines`) or they take \
         too much place (`history.keep_bytes`), and when it is redacted or erased. Within a minute, no text of it is in \
         <chathub.db>, in its log <chathub.db-wal>, or in the index for searches: it is overwritten. So are bans, \
         accounts, reports and messages that are removed, and passwords that are changed. It happens by itself, also \
         when nobody says anything. It takes longer in three cases. If very many lines go at once (`history.keep` was \
         made shorter, say), it takes some minutes. If a backup is being made, or another program reads the file in a \
         transaction that it does not end, they see the file as it was at their beginning: it is tried until they are \
         done, and after a minute the journal says so, once. If the disk takes nothing, or the daemon does not run, it \
         is done as soon as it can be. Of what is recorded, lines whose time is over are neither shown nor found \
         meanwhile.

Old lines are removed with a quarter of a processor's time at most. So while some thousands of lines are said each second, \
         the database may be half as large again as `history.keep_bytes` says, and its log takes some MiB beside it.

What the daemon does not overwrite: copies of the file (\"Back up\" above, snapshots of a file system, of a virtual \
         machine); files that were set aside, as <chathub.db.damaged-TIME>, until you delete them; what somebody has \
         had written to a file or a terminal; and blocks of the disk that no file has any more, because the log or the \
         file became shorter, or because the disk or the file system (an SSD, btrfs, ZFS) writes to another place each \
         time. Against those who get hold of the disk, encrypt it.

`history.keep`, `history.keep_lines` and `history.keep_bytes` hold in memory as on disk: nobody is shown a line that is \
         older, or more of them, whoever asks and however, also where nothing is recorded.

If the disk takes nothing, `chathub ctl redact` and `chathub ctl account erase` fail and name the reason. What they \
         were to remove is shown to nobody all the same, and is removed on disk as soon as it takes something; a \
         daemon that is killed meanwhile knows of it where the service manager keeps what the daemon knew.

A database of a newer version is refused, as is a state directory that another daemon uses: the daemon does not start \
         then. One of an older version is brought up to date.",
    );
    doctor_section(&mut page);
    page.section("ENVIRONMENT");
    for (name, about) in [
        ("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "The sockets that are handed over, as in `sd_listen_fds`(3)."),
        ("NOTIFY_SOCKET, WATCHDOG_USEC", "Where the service manager is told how it goes, as in `sd_notify`(3)."),
        ("RUNTIME_DIRECTORY, XDG_RUNTIME_DIR", "Where the admin socket is made, if none is handed over."),
        (
            "STATE_DIRECTORY, XDG_STATE_HOME, HOME",
            "Where the state is kept, if --state-dir is not given; the latter has it in <chathub>.",
        ),
    ] {
        page.item(&bold(name), about);
    }
    page.section("FILES");
    for (name, about) in [
        ("/etc/chathub/chathub.toml", "The settings; see `chathub.toml`(5)."),
        ("/etc/chathub/conf.d/*.toml", "More settings, read after those."),
        (
            "/var/lib/chathub/chathub.db",
            "The recorded history, an SQLite database; beside it, its log of writes and a lock.",
        ),
        ("/run/chathub/admin.sock", "The admin socket."),
    ] {
        page.item(&italic(name), about);
    }
    page.exit_status(exit::SERVE);
    page.text("`chathub doctor` ends with:");
    for meaning in exit::DOCTOR {
        page.item(&bold(&meaning.exit.code().to_string()), meaning.about);
    }
    page.see_also(&[
        "chathub-ctl(1)",
        "chathub.toml(5)",
        "chathub-admin(7)",
        "telnet(1)",
        "nc(1)",
        "systemd.socket(5)",
        "systemd.resource-control(5)",
        "journalctl(1)",
    ]);
    page.0
}

// ---------------------------------------------------------------------------------------------
// chathub-web(8)

fn metric_item(page: &mut Page, metric: &Metric) {
    let mut term = bold(&metric.series()[0]);
    if metric.kind == Kind::Histogram {
        term = bold(&metric.full_name());
    }
    if !metric.labels.is_empty() {
        let labels: Vec<_> = metric.labels.iter().map(|label| literal(label)).collect();
        term += &format!("{{{}}}", labels.join(","));
    }
    let there = if table::DISK.contains(&metric) { " Only where history is recorded." } else { "" };
    page.item(&format!("{term} ({})", metric.kind.word()), &format!("{}{there}", metric.about.trim()));
}

fn web_page() -> String {
    let web = WebArgs::definition();
    let mut page = Page::new("chathub-web", 8, "System administration", "metrics of a chat hub over HTTP");
    page.section("SYNOPSIS");
    page.0 += &format!("{}\n", usage(&web, "chathub-web"));
    page.section("DESCRIPTION");
    page.text(
        "`chathub-web` serves what is measured of a chat hub, `chathub`(8), over HTTP, for Prometheus and other programs that \
         watch services. It is a program of its own, with a user and a sandbox of its own: the hub has no HTTP in it. It \
         asks the hub on its socket for monitoring, where nothing is told about people and nothing can be changed, and \
         keeps nothing. If it dies, what was being asked is lost, and nothing else.

It is off until it is wanted:

    systemctl enable --now chathub-metrics.socket
    systemctl restart chathub.service
    curl http://127.0.0.1:9969/metrics

The first command enables `chathub-monitor.socket` as well, which the hub is handed when it starts: hence the second one,
which disconnects nobody. `chathub-web.service` is started by the first connection, and ends by itself when nobody has
connected for ten minutes.",
    );
    page.section("OPTIONS");
    page.options(web.get_arguments());
    if let Some(lines) = examples(&web) {
        page.section("EXAMPLES");
        page.text(&lines);
    }
    page.section("PAGES");
    page.item(
        &bold("/metrics"),
        "What is measured. As OpenMetrics 1.0 if the header `Accept` asks for that, else in Prometheus' text format, \
         version 0.0.4. If the hub does not answer within some seconds, `chathub_up` is 0, what is measured of the hub is \
         not there, and the status is 200 all the same: so it is the hub that is seen to be away, and not this program. The \
         journal says why, and so does </>.",
    );
    page.item(&bold("/-/healthy"), "Whether this program answers: status 200, whatever the hub does.");
    page.item(&bold("/"), "What is here, and whether the hub answers.");
    page.0 += ".PP\n";
    page.text(
        "Everything else is 404. There is GET and HEAD; a request with a body is refused, and nothing behind it is read.

However many ask, the hub is asked one question at a time, and an answer is given to all who ask within a second. 64
connections are served at a time; one more takes the place of the one that has been idle longest. A request has 16 KiB
and 64 headers at most, and 20 seconds to come; its answer has 20 seconds to be taken. A connection on which nothing is asked for
20 seconds is closed.",
    );
    page.section("WHO MAY READ");
    page.text(
        "The socket unit listens on 127.0.0.1 alone, where every user of the machine can read it: it tells numbers, nothing \
         about people, and no name that a stranger has chosen. For a Prometheus on another machine, add its network to the \
         socket, and let nobody else in; there is no encryption here:

    systemctl edit chathub-metrics.socket
        [Socket]
        ListenStream=192.0.2.1:9969
        FreeBind=yes
        IPAddressDeny=any
        IPAddressAllow=localhost 192.0.2.7
    systemctl stop chathub-web.service
    systemctl restart chathub-metrics.socket",
    );
    page.section("PROMETHEUS AND GRAFANA");
    page.text(
        "What Prometheus is to be told stands in </usr/share/chathub/prometheus/scrape.yml>, alert rules in \
         </usr/share/chathub/prometheus/chathub.rules.yml>, and a dashboard for Grafana, to be imported, in \
         </usr/share/chathub/grafana/chathub.json>.",
    );
    page.section("METRICS");
    page.text(
        "What counts since the start begins anew when the process does that counts. Events of the hub are carried over \
         restarts under which its clients stay.",
    );
    page.subsection("Of the hub");
    for metric in table::HUB {
        metric_item(&mut page, metric);
    }
    page.subsection("Events of the hub");
    for metric in table::events() {
        metric_item(&mut page, &metric);
    }
    page.subsection("Of chathub-web itself");
    for metric in table::WEB {
        metric_item(&mut page, metric);
    }
    page.subsection("Of chathub-tls");
    page.text(
        "These are there where `chathub-tls`(8) has been started since the machine was, and was not stopped: it writes them \
         into a file.",
    );
    for metric in table::TLS {
        metric_item(&mut page, metric);
    }
    page.section("SOCKETS");
    page.text(
        "Sockets that are handed over as in `sd_listen_fds`(3) are known by their names: `metrics`, TCP, any number of them. \
         A TCP socket without a name is one, too. A socket with any other name is left alone, with a warning.",
    );
    page.section("FILES");
    page.item(
        &italic("/run/chathub/monitor.sock"),
        "The hub's socket for monitoring; see MONITORING of `chathub-admin`(7).",
    );
    page.item(&italic("/run/chathub-tls/status.json"), "What `chathub-tls`(8) has written of itself.");
    page.exit_status(exit::WEB);
    page.see_also(&[
        "chathub(8)",
        "chathub-admin(7)",
        "chathub-ctl(1)",
        "chathub-tls(8)",
        "prometheus(1)",
        "systemd.socket(5)",
    ]);
    page.0
}

// ---------------------------------------------------------------------------------------------
// chathub-tls(8)

fn tls_page() -> String {
    let mut tls = TlsArgs::definition();
    tls.build();
    let mut page = Page::new("chathub-tls", 8, "System administration", "TLS handshakes of a chat hub");
    page.section("SYNOPSIS");
    page.0 += &format!("{}\n", usage(&tls, "chathub-tls"));
    for command in tls.get_subcommands() {
        page.0 += &format!(".br\n{}\n", usage(command, &format!("chathub-tls {}", command.get_name())));
    }
    page.section("DESCRIPTION");
    page.text(
        "`chathub-tls` lets people reach a chat hub, `chathub`(8), over TLS. It has the certificates and their private keys, \
         and does the handshakes. When one is done, it hands the connection over to the hub, with the two secrets that what \
         follows is encrypted with, and has nothing more to do with it. The hub has no private key; it encrypts and decrypts \
         what is said.

It is a program of its own, with a user and a sandbox of its own. If it dies, is restarted or stopped, handshakes that \
         are under way are lost, and nobody who is in notices.

It is off until it is wanted. To try it out, with a certificate that no authority has signed:

    chathub-tls self-signed --name chat.example.org /etc/chathub/tls
    systemctl enable --now chathub-tls.service
    systemctl restart chathub.service

The last command hands the hub its socket for connections that are encrypted, and disconnects nobody. The port is 6970;
`systemctl edit chathub-tls.socket` changes it.

People connect with, for instance:

    telnet-ssl -z ssl chat.example.org 6970
    ncat --ssl chat.example.org 6970
    openssl s_client -quiet -connect chat.example.org:6970
    socat READLINE OPENSSL:chat.example.org:6970",
    );
    page.section("OPTIONS");
    page.options(tls.get_arguments());
    page.section("COMMANDS");
    for command in tls.get_subcommands() {
        command_item(&mut page, command, &format!("chathub-tls {}", command.get_name()));
    }
    if let Some(lines) = examples(&tls) {
        page.section("EXAMPLES");
        page.text(&lines);
    }
    page.section("CERTIFICATES");
    page.text(
        "The unit has two files, </etc/chathub/tls/cert.pem> and </etc/chathub/tls/key.pem>. systemd reads them as root when \
         the service starts, and gives them to it alone, in memory: they may be readable for root only. For those of \
         certbot:

    systemctl edit chathub-tls.service
        [Service]
        LoadCredential=cert:/etc/letsencrypt/live/chat.example.org/fullchain.pem
        LoadCredential=key:/etc/letsencrypt/live/chat.example.org/privkey.pem
    systemctl restart chathub-tls.service

For several, name `cert2` and `key2` as well, and so on. A client gets the first that has the name it asks for, else the \
         first that has it by a `*`, else the first of all.

What systemd has read stays as it is while the service runs. So a renewed certificate is taken by a restart, which \
         disconnects nobody. A hook that has certbot do so is shipped:

    install -m 755 /usr/share/chathub/certbot/chathub /etc/letsencrypt/renewal-hooks/deploy/

Files that are named by `--certificate` and `--key` are read again on SIGHUP (`systemctl reload`). If one cannot be used, \
         all that was stays in use; the journal and `systemctl status` say what is wrong.

A certificate that has expired, that lacks its key or has another's, or that cannot be read is not started with: the \
         journal names file and reason, and the exit code is 78. Those who connect meanwhile get an alert, `internal_error`, and the next who \
         connects has it tried again. From 14 days before the end of a certificate, the journal has a warning each day; `systemctl status`, \
         `chathub doctor` and the metrics of `chathub-web`(8) say so as well, with an alert rule for Prometheus. A \
         certificate that expires while the program runs stays in use.

`chathub doctor`, run as root, also looks at the files that the next start would read: so half of a renewed pair is seen \
         while the whole one before it is still in use. The hook looks before it restarts anything.

    chathub-tls --check --certificate FILE --key FILE

looks at certificates without using them.",
    );
    page.section("WHAT IS SPOKEN");
    page.text(
        "TLS 1.3, and no older version. The cipher suites are TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256 and \
         TLS_CHACHA20_POLY1305_SHA256; keys are exchanged by X25519MLKEM768, which is to hold against quantum computers \
         as well, X25519, P-256 or P-384; of both the client's order decides. There are no tickets, no sessions and no \
         early data. The port speaks TLS from the first byte on: there is no STARTTLS.

Who does not begin as TLS does is told in words that the port is encrypted, and where the port without encryption is. So \
         is who says nothing until the time for a handshake is over. Who speaks TLS, and cannot be served, gets an alert: \
         `protocol_version` without TLS 1.3, `handshake_failure` without a suite, group or signature in common, \
         `record_overflow` or `decode_error` for what is too long or makes no sense. A name that no certificate has, and a \
         protocol that is asked for by ALPN, are no reason to refuse anybody.

With `--client-certificates`, clients are asked for a certificate. None is needed, and any is taken: the hub is told the \
         SHA-256 of its public key. By a drop-in:

    systemctl edit chathub-tls.service
        [Service]
        ExecStart=
        ExecStart=/usr/bin/chathub-tls --client-certificates
    systemctl restart chathub-tls.service

Somebody with a registered name then makes one, and has it log in:

    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=ann -keyout ann.pem -out ann.pem
    openssl s_client -quiet -cert ann.pem -connect chat.example.org:6970
    /login ann
    /certificate add

From then on, the second of these lines is enough. See `chathub`(8), \"ACCOUNTS AND MODERATION\", also on how encryption is \
         demanded.",
    );
    page.section("BEHIND A PROXY");
    page.text(
        "`chathub-tls` takes no header of the PROXY protocol. A proxy that passes TLS on as it is (haproxy with \
         `mode tcp` and no `ssl` in `bind`) must not send one here: it is answered in words, which a client of TLS cannot \
         read, and the journal says so once. Without the header, everybody behind such a proxy comes from its address, \
         and so shares the bounds of one address below, and a ban of it. Where the real addresses are wanted, there are \
         two ways:

Let people come to `chathub-tls` directly, or have the kernel forward the port (NAT without a change of the source \
         address), as `nft`(8) does.

Or have haproxy or stunnel end TLS, with their own certificate, and send the header to `chathub-proxy.socket`: see BEHIND A \
         PROXY in `chathub`(8). `chathub-tls` has no part in that.",
    );
    page.section("BOUNDS");
    page.text(
        "256 handshakes are under way at a time (`--handshakes`), 16 of one IPv4 address or of one IPv6 network of 64 bits \
         (`--per-address`); one more takes the place of the oldest. A handshake may take ten seconds (`--handshake-time`), \
         and a client may send 64 KiB in it (`--handshake-kib`). Who is through is not counted any more.

A connection whose handshake is done waits ten seconds for the hub (`--hub-time`), as while the hub is restarted or its \
         queue is full; then its client is told to try again, under encryption. While 64 wait (`--waiting`), no more are \
         accepted: they wait in the kernel. Handshakes that were under way then may be done as well, so 320 can wait.

How often each of these has happened since the start stands in `systemctl status chathub-tls`; what has never happened is \
         left out:",
    );
    for (words, about) in [
        ("under way", "Handshakes now."),
        ("handed over", "The hub has the connection."),
        (
            "failed",
            "The client broke off, or was refused: it speaks another version of TLS, say. `--verbose` logs why.",
        ),
        (
            "not encrypted",
            "The client did not begin as TLS does, or a proxy began with a header of the PROXY protocol.",
        ),
        ("timed out", "The handshake took too long."),
        ("sent too much", "The client sent too much in it."),
        ("gave way, gave way to their address", "There were too many, in all or of one address."),
        ("not taken by the hub", "The hub did not take it in time."),
        (
            "pauses",
            "No more were accepted for a while: too many waited for the hub, or the system had not enough of something.",
        ),
    ] {
        page.item(&bold(words), about);
    }
    page.section("SECURITY");
    page.text(
        "Who takes over this program has the private keys, and can pose as the hub until the certificates are revoked; what \
         was said before stays secret, for keys are exchanged anew for each connection. Who takes over the hub has what is \
         said, and the secrets of connections that live, but no private key.

The secrets of a connection are wiped here as soon as it is handed over: memory that is given back is overwritten, and the \
         stack as well. The hub keeps them in memory that outlives its process, held by systemd, as long as the connection \
         lives, and never on disk. root can read all of it.

The hub's socket takes datagrams of the user `chathub-tls` alone.",
    );
    page.section("SIGNALS");
    page.item(&bold("SIGTERM, SIGINT"), "Accepts no more, gives handshakes that are under way ten seconds, and ends.");
    page.item(&bold("SIGHUP"), "Reads the certificates again.");
    page.section("SOCKETS");
    page.text(
        "Sockets that are handed over as in `sd_listen_fds`(3) are known by their names: `tls`, TCP, any number of them. \
         A TCP socket without a name is one, too. A socket with any other name is left alone, with a warning.",
    );
    page.section("ENVIRONMENT");
    for (name, about) in [
        ("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "The sockets that are handed over, as in `sd_listen_fds`(3)."),
        ("NOTIFY_SOCKET, WATCHDOG_USEC", "Where the service manager is told how it goes, as in `sd_notify`(3)."),
        (
            "RUNTIME_DIRECTORY",
            "Where `status.json` is written, as the unit's `RuntimeDirectory=` says; without it, it is not.",
        ),
        (
            "CREDENTIALS_DIRECTORY",
            "Where certificates and keys are, if none is named: `cert` and `key`, `cert2` and `key2`, and so on.",
        ),
    ] {
        page.item(&bold(name), about);
    }
    page.section("FILES");
    for (name, about) in [
        (
            "/etc/chathub/tls/cert.pem",
            "The certificate, and those up to the authority, if the unit is as it is shipped.",
        ),
        ("/etc/chathub/tls/key.pem", "Its private key."),
        ("/run/chathub/handover.sock", "The hub's socket for connections that are handed over."),
        (
            "/run/chathub-tls/status.json",
            "Until when the certificates in use are valid, why others were refused, and what is counted, for \
             `chathub-web`(8) and `chathub doctor`. It is written when something changes, and every 20 seconds. A stop \
             takes it away; a start that fails leaves one that says why. Everybody may read it: it tells nothing that a \
             client does not see, but for counts and paths. Its form is no interface.",
        ),
        ("/usr/share/chathub/certbot/chathub", "A deploy hook for certbot."),
    ] {
        page.item(&italic(name), about);
    }
    page.exit_status(exit::TLS);
    page.see_also(&[
        "chathub(8)",
        "chathub.toml(5)",
        "systemd.socket(5)",
        "systemd.exec(5)",
        "certbot(1)",
        "openssl-s_client(1ssl)",
    ]);
    page.0
}

// ---------------------------------------------------------------------------------------------
// The tests

fn pages() -> [(&'static str, String); 5] {
    [
        ("packaging/man/chathub-ctl.1", ctl_page()),
        ("packaging/man/chathub-admin.7", admin_page()),
        ("packaging/man/chathub.8", daemon_page()),
        ("packaging/man/chathub-web.8", web_page()),
        ("packaging/man/chathub-tls.8", tls_page()),
    ]
}

#[test]
fn manual_pages_are_what_the_tables_say() {
    for (path, page) in pages() {
        same_as_file(path, &page);
    }
}

#[test]
fn every_command_is_in_one_group_of_the_manual() {
    let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let ctl = cli::command().find_subcommand("ctl").expect("ctl").clone();
    let shown = ctl.get_subcommands().filter(|command| !command.is_hide_set());
    let mut all: Vec<_> = shown.map(Command::get_name).collect();
    grouped.sort_unstable();
    all.sort_unstable();
    assert_eq!(grouped, all);
}

#[test]
fn every_command_and_option_has_its_help() {
    fn look_at(command: &Command, path: &str) {
        assert!(command.get_about().is_some(), "{path} has no help");
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{path} {} has no help", arg.get_id());
        }
        for inner in command.get_subcommands() {
            look_at(inner, &format!("{path} {}", inner.get_name()));
        }
    }
    look_at(&built(&[]), "chathub");
    look_at(&WebArgs::definition(), "chathub-web");
    look_at(&TlsArgs::definition(), "chathub-tls");
}

#[test]
fn man_has_nothing_to_complain_of() {
    if !have("man") {
        return;
    }
    for (path, _) in pages() {
        let file = in_repository(path);
        let output = Process::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"])
            .arg(&file)
            .env("LC_ALL", "C.UTF-8")
            .env("MANROFFSEQ", "")
            .env("MANWIDTH", "80")
            .output()
            .expect("man");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{path}: {}\n{complaints}", output.status);
    }
}
