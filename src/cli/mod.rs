//! The command line of the whole program, declared once: it parses, and it is where `--help`, the
//! manual pages and the completions come from (see `tests/manual.rs`).
//!
//! Deliberately knows nothing of what a command does: [`crate::ctl`] and the daemon do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use schemars::JsonSchema;
use serde_json::Value;

use crate::settings::LogLevel;
use crate::values::time::{LONGEST, NoLength, Wall, in_words, parse_length};
use crate::wire::admin::event::EventKind;
use crate::wire::admin::value::{Role, Text, Time};

/// A chat hub for telnet and nc.
///
/// People reach it with "telnet HOST 6969" or "nc HOST 6969"; an administrator runs it as a service
/// and looks after it with "chathub ctl".
#[derive(Debug, Parser)]
#[command(
    name = "chathub",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  chathub serve                                 # on 127.0.0.1:6969 and [::1]:6969
  chathub serve --listen 0.0.0.0:6969
  chathub check-config /etc/chathub/chathub.toml
  chathub ctl status
  chathub ctl kick c7 --reason 'no advertising'

Manual pages: chathub(8), chathub-ctl(1), chathub.toml(5), chathub-admin(7)"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub program: Program,
}

/// The programs in the program.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help text of each stands at its arguments, and would be replaced by one here")]
pub enum Program {
    Serve(ServeArgs),
    CheckConfig(CheckConfigArgs),
    Ctl(CtlArgs),
}

/// Run the daemon, in the foreground.
///
/// Sockets that were handed over by a service manager win: then --listen and --admin-socket are not
/// used. It ends on SIGINT and "chathub ctl shutdown" after a goodbye to everybody; on SIGTERM it leaves
/// its clients to the next process, where systemd keeps them. It reads its settings again on SIGHUP.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  chathub serve
  chathub serve --listen 0.0.0.0:6969 --listen '[::]:6969'
  chathub serve --listen 127.0.0.1:0 --admin-socket /tmp/hub.sock
  systemd-socket-activate -l 6969 chathub serve")]
pub struct ServeArgs {
    /// Read the settings from this file alone; it must exist.
    ///
    /// Without it, /etc/chathub/chathub.toml and /etc/chathub/conf.d/*.toml are read if they exist.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Listen on this address for people who chat; may be repeated.
    #[arg(
        long,
        value_name = "ADDR",
        value_parser = listen_address,
        long_help = "Listen on this address for people who chat; may be repeated.\n\n\
            An IPv6 address stands in brackets, as in [::1]:6969. With port 0 the system chooses one, which is \
            logged. Without it the settings decide, and without those 127.0.0.1:6969 and [::1]:6969."
    )]
    pub listen: Vec<SocketAddr>,

    /// Listen on this path for "chathub ctl".
    ///
    /// Without it: admin.sock in $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/chathub/admin.sock, else
    /// /run/chathub/admin.sock.
    #[arg(long, value_name = "PATH")]
    pub admin_socket: Option<PathBuf>,

    /// Keep what outlives the daemon in this directory: the recorded history.
    ///
    /// It is made if it is not there. One daemon uses it at a time. Without it: $STATE_DIRECTORY, else
    /// $XDG_STATE_HOME/chathub, else ~/.local/state/chathub.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// Check the settings, as the daemon would when it starts.
///
/// What is wrong is told with file, line, key and what is allowed. Nothing is started or changed.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  chathub check-config
  chathub check-config ./chathub.toml && systemctl reload chathub")]
pub struct CheckConfigArgs {
    /// The file to check; what the daemon would read by default without it.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Look after the running daemon.
///
/// Asks the daemon over its admin socket and prints the answer: as text for people, or with --json as
/// the daemon gave it. Answers go to standard output, complaints to standard error.
#[derive(Clone, Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  chathub ctl clients --room lobby
  chathub ctl mute guest-7f3k --for 10min
  chathub ctl history --room lobby --since today --json | jq -r .text
  chathub ctl monitor join leave
  chathub ctl shutdown --deadline 20s --message 'back in a minute'

Exit codes: 0 done, 1 refused by the daemon, 2 usage, 3 cannot connect, 4 permission, 5 not found,
6 time-out. Manual page: chathub-ctl(1)"
)]
pub struct CtlArgs {
    /// The daemon's admin socket.
    ///
    /// Without it: $CHATHUB_SOCKET, else /run/chathub/admin.sock if that exists, else
    /// $XDG_RUNTIME_DIR/chathub/admin.sock.
    #[arg(long, global = true, value_name = "PATH", help_heading = COMMON)]
    pub socket: Option<PathBuf>,

    /// Print what the daemon answers as JSON.
    ///
    /// Indented on a terminal, on one line otherwise; a stream prints one object a line.
    #[arg(long, global = true, help_heading = COMMON)]
    pub json: bool,

    /// Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever.
    ///
    /// 30s without it. The time counts for each answer, not for a stream of them as a whole. "monitor"
    /// waits for ever, "top" 5s; "shutdown" waits 15s longer than its deadline, or 90s if none is given.
    #[arg(long, global = true, value_name = "D", value_parser = duration, help_heading = COMMON)]
    pub timeout: Option<Duration>,

    /// Leave out column headings and the count at the end.
    #[arg(long, global = true, help_heading = COMMON)]
    pub no_legend: bool,

    /// Do not say that something was done, nor warn.
    #[arg(short, long, global = true, help_heading = COMMON)]
    pub quiet: bool,

    /// The command.
    #[command(subcommand)]
    pub command: CtlCommand,
}

const COMMON: &str = "Options of every ctl command";

/// The commands of `chathub ctl`, in the order in which they are documented.
#[derive(Clone, Debug, Subcommand)]
pub enum CtlCommand {
    /// Show how the hub is doing.
    ///
    /// State, version, clients, rooms, listeners, and every counter that is not zero.
    Status,

    /// List who is connected.
    ///
    /// Oldest first. BEHIND is what was written for a client and not taken yet; NOTES says who speaks
    /// telnet, is away, muted, had lines dropped (sends too fast) or missed some (reads too slowly).
    #[command(after_help = "\
Examples:
  chathub ctl clients
  chathub ctl clients --room lobby
  chathub ctl clients --json | jq -r '.clients[] | select(.idle_s > 3600) | .id'")]
    Clients {
        /// Only those in this room.
        #[arg(long, value_name = "ROOM", value_parser = text::<256>)]
        room: Option<Text<256>>,
    },

    /// Tell all about one client.
    Client {
        /// Its id, such as c7, or its name.
        #[arg(value_name = "WHO", value_parser = text::<256>)]
        who: Text<256>,
    },

    /// Disconnect clients after telling them why.
    ///
    /// Either all that are named are known and are disconnected, or none is. The room sees them leave.
    #[command(after_help = "\
Examples:
  chathub ctl kick c7
  chathub ctl kick c7 c9 guest-7f3k --reason 'no advertising'
  chathub ctl kick c7 --ban 1h        # and keep the address out")]
    Kick {
        /// Ids, such as c7, or names.
        #[arg(value_name = "WHO", required = true, value_parser = text::<256>)]
        who: Vec<Text<256>>,
        /// Why; told to them and to the room.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
        /// Keep their addresses out for so long; of IPv6, their /64 networks. Others there are disconnected too.
        #[arg(long, value_name = "D", value_parser = ban_time)]
        ban: Option<Duration>,
    },

    /// Keep people out, by network or by name.
    ///
    /// Who is kept out is told why and until when; bans outlive the daemon if history is recorded.
    Ban {
        /// What to do.
        #[command(subcommand)]
        action: BanCommand,
    },

    /// Manage registered names.
    ///
    /// An account keeps a name for who has its password; operators moderate in chat. Accounts are kept with
    /// the recorded history, and there are none where nothing is recorded.
    Account {
        /// What to do.
        #[command(subcommand)]
        action: AccountCommand,
    },

    /// Keep clients from being heard.
    ///
    /// They are told, but with --shadow. Either all that are named are known and are muted, or none is.
    #[command(after_help = "\
Examples:
  chathub ctl mute c7 --for 10min
  chathub ctl mute c7                 # until \"chathub ctl unmute c7\"")]
    Mute {
        /// Ids, such as c7, or names.
        #[arg(value_name = "WHO", required = true, value_parser = text::<256>)]
        who: Vec<Text<256>>,
        /// For how long, such as 90s, 10min, 2h; until it is lifted without it.
        #[arg(long = "for", value_name = "D", value_parser = mute_time)]
        time: Option<Duration>,
        /// Do not tell them: what they say looks said to them, and reaches nobody.
        #[arg(long)]
        shadow: bool,
    },

    /// Let muted clients be heard again.
    Unmute {
        /// Ids, such as c7, or names.
        #[arg(value_name = "WHO", required = true, value_parser = text::<256>)]
        who: Vec<Text<256>>,
    },

    /// Give a client another name.
    Rename {
        /// Its id, such as c7, or present name.
        #[arg(value_name = "WHO", value_parser = text::<256>)]
        who: Text<256>,
        /// Its name from now on.
        #[arg(value_name = "NICK", value_parser = text::<256>)]
        nick: Text<256>,
    },

    /// List the rooms.
    ///
    /// Those with most members first.
    Rooms,

    /// Show a room's topic, or set it.
    #[command(after_help = "\
Examples:
  chathub ctl topic lobby
  chathub ctl topic lobby Maintenance on Sunday at 10:00 UTC
  chathub ctl topic lobby ''          # clears it")]
    Topic {
        /// The room.
        #[arg(value_name = "ROOM", value_parser = text::<256>)]
        room: Text<256>,
        /// The new topic; several words are joined by spaces, an empty one clears it.
        #[arg(value_name = "TEXT")]
        text: Vec<String>,
    },

    /// Close a room.
    ///
    /// Those in it are moved to the lobby, which cannot be closed itself.
    Close {
        /// The room.
        #[arg(value_name = "ROOM", value_parser = text::<256>)]
        room: Text<256>,
        /// Why; told to those in it.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
    },

    /// Print what was said.
    ///
    /// Oldest first, of all rooms unless one is named, also of those that are closed if what is said is
    /// recorded; times are UTC. It comes as a stream: however much there is, little of it is in memory. A time T is given as
    /// 2026-11-22T10:30:00Z (or with an offset such as +01:00), as 2026-11-22 (its midnight UTC), as a time
    /// that has passed since, such as 2h or 30min, or as now, today or yesterday (UTC).
    #[command(after_help = "\
Examples:
  chathub ctl history --room lobby --last 20
  chathub ctl history --since 2h
  chathub ctl history --since yesterday --until today --json
  chathub ctl history --search 'release party'
  chathub ctl history --format csv --output history.csv")]
    History {
        /// Only this room's.
        #[arg(long, value_name = "ROOM", value_parser = text::<256>)]
        room: Option<Text<256>>,
        /// Only the last N lines.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        last: Option<u64>,
        /// Only what was said at this time or later.
        #[arg(long, value_name = "T", value_parser = moment_now)]
        since: Option<Time>,
        /// Only what was said before this time.
        #[arg(long, value_name = "T", value_parser = moment_now)]
        until: Option<Time>,
        /// Only lines in which this text occurs; upper and lower case are the same.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        search: Option<Text<256>>,
        /// How lines are printed: as text, as JSON (like --json), or as comma-separated values (RFC 4180).
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
        format: Format,
        /// Write to this file instead of standard output; it takes its place when all is there.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },

    /// Make lines of history unreadable.
    ///
    /// In memory, on disk and for searches, for good; who looks sees that lines were removed. Those are meant
    /// that all options are true of, and at least one option must say which. Without --yes they are only
    /// counted. Copies that were made before still have them.
    #[command(after_help = "\
Examples:
  chathub ctl redact --client c7                # counts what c7 has said
  chathub ctl redact --client c7 --yes
  chathub ctl redact --room lobby --since 2h --search 'buy now' --yes
  chathub ctl redact --seq 981 --yes            # one line; numbers: chathub ctl history --json")]
    Redact {
        /// Only in rooms of this name.
        #[arg(long, value_name = "ROOM", value_parser = text::<256>)]
        room: Option<Text<256>>,
        /// Only what the client with this id has said, under whatever names.
        #[arg(long, value_name = "ID", value_parser = text::<32>)]
        client: Option<Text<32>>,
        /// Only what was said under this name, by whomever.
        #[arg(long, value_name = "NICK", value_parser = text::<256>)]
        nick: Option<Text<256>>,
        /// Only the line with this number.
        #[arg(long, value_name = "N")]
        seq: Option<u64>,
        /// Only what was said at this time or later.
        #[arg(long, value_name = "T", value_parser = moment_now)]
        since: Option<Time>,
        /// Only what was said before this time.
        #[arg(long, value_name = "T", value_parser = moment_now)]
        until: Option<Time>,
        /// Only lines in which this text occurs; upper and lower case are the same.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        search: Option<Text<256>>,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },

    /// Show how much history is kept, room by room.
    ///
    /// In memory, and if what is said is recorded, on disk: where, how much, what waits, what is wrong.
    HistoryStats,

    /// Copy what is recorded to a file.
    ///
    /// An SQLite database as it is at that moment, while the daemon goes on. A file that is there is not
    /// replaced. To restore it: stop the daemon, put it in place of chathub.db in the state directory
    /// (and remove chathub.db-wal), and give it to the user chathub.
    #[command(after_help = "\
Examples:
  chathub ctl backup chathub-$(date +%F).db")]
    Backup {
        /// The file to write.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },

    /// Say something in the name of the hub.
    #[command(after_help = "\
Examples:
  chathub ctl say The server restarts in five minutes
  chathub ctl say --room lobby 'Welcome, everybody'")]
    Say {
        /// Only to this room; to everybody without it.
        #[arg(long, value_name = "ROOM", value_parser = text::<256>)]
        room: Option<Text<256>>,
        /// The text; several words are joined by spaces.
        #[arg(value_name = "TEXT", required = true)]
        text: Vec<String>,
    },

    /// Show what happens, as it happens.
    ///
    /// One event a line, until it is interrupted or the daemon stops. If events were lost because this
    /// end was too slow, their number is told on standard error (and stands in "lost" with --json).
    #[command(after_help = "\
Examples:
  chathub ctl monitor
  chathub ctl monitor kick mute report
  chathub ctl monitor --json say | jq -r '.nick + \": \" + .text'
  chathub ctl monitor join --timeout 1min     # exit code 6 if nobody comes")]
    Monitor {
        /// Only events of these kinds; all but "say" without them.
        #[arg(value_name = "KIND", value_parser = event_kind())]
        kinds: Vec<EventKind>,
    },

    /// Show the busiest clients, again and again.
    ///
    /// RATE is lines per second since the last refresh (at first: since they connected). q or Ctrl-C
    /// quits. If standard input or output is no terminal, or with --json, it is printed once.
    Top {
        /// How often to refresh, such as 500ms or 5s.
        #[arg(long, value_name = "D", value_parser = interval, default_value = "2s")]
        interval: Duration,
    },

    /// Print all counters as OpenMetrics text.
    Metrics,

    /// Show the log level, or set it until the next start.
    LogLevel {
        /// The new level.
        #[arg(value_name = "LEVEL", value_parser = level())]
        level: Option<LogLevel>,
    },

    /// Read the settings again.
    ///
    /// Prints which settings changed, and which of them need a restart. If there is any error, the old
    /// settings stay in force, the error is told, and the exit code is 1.
    Reload,

    /// Say goodbye to everybody and end the daemon.
    ///
    /// Returns when it is done, and says how many clients were told and how many had not taken what was
    /// owed to them. Sockets held by systemd go on listening: the next connection starts the daemon again.
    /// "systemctl stop chathub.socket chathub-admin.socket chathub.service" keeps it stopped.
    #[command(after_help = "\
Examples:
  chathub ctl shutdown
  chathub ctl shutdown --deadline 20s --message 'back in a minute'")]
    Shutdown {
        /// How long to wait for slow clients; a setting decides without it.
        #[arg(long, value_name = "D", value_parser = deadline)]
        deadline: Option<Duration>,
        /// Part of the goodbye.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        message: Option<Text<256>>,
        /// Only if systemd is stopping this unit, and not restarting it; else do nothing.
        ///
        /// For ExecStop= of the unit: a restart leaves everybody to the next process.
        #[arg(long, value_name = "UNIT")]
        if_stopping: Option<String>,
    },

    /// List the commands of the admin protocol, or explain one.
    ///
    /// With --json, the JSON Schemas of arguments and results.
    Describe {
        /// The command, such as clients.kick.
        #[arg(value_name = "CMD", value_parser = text::<64>)]
        cmd: Option<Text<64>>,
    },

    /// Send a command of the admin protocol as it is, and print the results as JSON.
    ///
    /// For what this program has no command for. See chathub-admin(7) for the protocol.
    #[command(after_help = "\
Examples:
  chathub ctl call hello
  chathub ctl call clients.list '{\"room\":\"lobby\"}'
  chathub ctl call history.dump '{\"last\":2}' --more")]
    Call {
        /// The command, such as clients.list.
        #[arg(value_name = "CMD")]
        cmd: String,
        /// Its arguments, a JSON object; none without it.
        #[arg(value_name = "JSON", value_parser = json_object)]
        args: Option<Value>,
        /// Ask for a stream of results, and print one a line.
        #[arg(long)]
        more: bool,
    },

    /// Print the completions of a shell.
    ///
    /// The package installs those of bash, zsh and fish; this is for other places.
    #[command(after_help = "\
Examples:
  chathub ctl completions bash > ~/.local/share/bash-completion/completions/chathub")]
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
}

/// The commands of `chathub ctl account`.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account.
    ///
    /// Its password is asked for, unless one of the options says otherwise.
    #[command(after_help = "\
Examples:
  chathub ctl account add ann --role operator
  pwgen 16 1 | tee ann.password | chathub ctl account add ann --password-stdin")]
    Add {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// What it may do.
        #[arg(long, value_name = "ROLE", value_parser = role(), default_value = "member")]
        role: Role,
        /// Read the password from the first line of standard input.
        #[arg(long, conflicts_with = "no_password")]
        password_stdin: bool,
        /// Nobody can log in until it has a password; the name is kept all the same.
        #[arg(long)]
        no_password: bool,
    },

    /// List the accounts.
    List,

    /// Give an account another password.
    Passwd {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },

    /// Let an account be tried again at once.
    ///
    /// Strangers who guess its password slow each other, and its owner where nobody has logged in to it before.
    /// This forgets what they have tried; so does another password.
    Unlock {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
    },

    /// Give an account another role.
    Role {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// What it may do.
        #[arg(value_name = "ROLE", value_parser = role())]
        role: Role,
    },

    /// Remove an account.
    ///
    /// What was said under its name stays; who is logged in to it is a guest from then on.
    Remove {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
    },

    /// Remove an account and all that was said under its name.
    ///
    /// In memory, on disk and for searches, for good. Copies that were made before still have it.
    Erase {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
}

/// The commands of `chathub ctl ban`.
#[derive(Clone, Debug, Subcommand)]
pub enum BanCommand {
    /// Keep out a network, or a name and its account, and disconnect those who are here.
    ///
    /// A ban of the same is replaced.
    #[command(after_help = "\
Examples:
  chathub ctl ban add 192.0.2.0/24 --reason 'floods' --for 2h
  chathub ctl ban add 2001:db8:1:2::/64 --dry-run
  chathub ctl ban add spammer")]
    Add {
        /// A network such as 192.0.2.0/24 or 2001:db8::/32, an address, or a name.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
        /// Why; told to those it keeps out.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
        /// For how long, such as 10min, 2h or 30d; until it is lifted without it.
        #[arg(long = "for", value_name = "D", value_parser = ban_time)]
        time: Option<Duration>,
        /// Only tell whom it would hit.
        #[arg(long)]
        dry_run: bool,
        /// A large part of the Internet is meant, such as 0.0.0.0/0.
        #[arg(long)]
        yes: bool,
    },

    /// List the bans in force.
    List,

    /// Lift a ban.
    Remove {
        /// Its id, such as b3, or what it is about.
        #[arg(value_name = "BAN", value_parser = text::<256>)]
        which: Text<256>,
    },

    /// Tell which bans keep out an address or a name, and whom a ban of it would hit.
    Test {
        /// An address, a network, or a name.
        #[arg(value_name = "TARGET", value_parser = text::<256>)]
        target: Text<256>,
    },
}

/// How lines of history are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// As one would read it.
    Text,
    /// One object a line.
    Json,
    /// Comma-separated values, with a heading.
    Csv,
}

// ---------------------------------------------------------------------------------------------
// Values

/// The words of an enum without data, with what they mean, from the schema that the protocol has of it.
///
/// # Panics
/// If the type is no such enum, which the tests would show.
#[must_use]
pub fn words<T: JsonSchema>() -> Vec<(String, String)> {
    let schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let words = schema.get("oneOf").and_then(Value::as_array).expect("an enum whose variants are documented");
    let string = |word: &Value, key: &str| word[key].as_str().unwrap_or_default().to_owned();
    words.iter().map(|word| (string(word, "const"), string(word, "description"))).collect()
}

static KINDS: LazyLock<Vec<(String, String)>> = LazyLock::new(words::<EventKind>);
static LEVELS: LazyLock<Vec<(String, String)>> = LazyLock::new(words::<LogLevel>);
static ROLES: LazyLock<Vec<(String, String)>> = LazyLock::new(words::<Role>);

fn possible(words: &'static [(String, String)]) -> PossibleValuesParser {
    words
        .iter()
        .map(|(word, about)| PossibleValue::new(word.as_str()).help(about.trim_end_matches('.')))
        .collect::<Vec<_>>()
        .into()
}

fn event_kind() -> impl TypedValueParser<Value = EventKind> {
    possible(&KINDS).try_map(|word| serde_json::from_value::<EventKind>(word.into()))
}

fn level() -> impl TypedValueParser<Value = LogLevel> {
    possible(&LEVELS).try_map(|word| serde_json::from_value::<LogLevel>(word.into()))
}

fn role() -> impl TypedValueParser<Value = Role> {
    possible(&ROLES).try_map(|word| serde_json::from_value::<Role>(word.into()))
}

/// A text of the protocol, within its bounds.
fn text<const MAX: usize>(given: &str) -> Result<Text<MAX>, String> {
    match given.len() {
        0 => Err("it is empty".into()),
        n if n > MAX => Err(format!("it has {n} bytes, at most {MAX} are allowed")),
        _ => Ok(Text(given.into())),
    }
}

fn listen_address(given: &str) -> Result<SocketAddr, String> {
    given.parse().map_err(|_| "an address and a port are needed, as in 127.0.0.1:6969 or [::1]:6969".into())
}

fn json_object(given: &str) -> Result<Value, String> {
    match serde_json::from_str(given) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err("it is not a JSON object".into()),
        Err(error) => Err(format!("it is not a JSON object: {error}")),
    }
}

/// A length of time, such as `2h 30min` or `90 minutes`.
fn duration(given: &str) -> Result<Duration, String> {
    parse_length(given).map_err(|why| why.to_string())
}

fn whole_seconds(given: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let time = duration(given)?;
    if time.is_zero() && !least.is_zero() {
        return Err(NoLength::NotPositive(given.into()).to_string());
    }
    if time.subsec_nanos() != 0 || time < least || time > most {
        return Err(format!("whole seconds are needed, and at most {}", in_words(most)));
    }
    Ok(time)
}

fn mute_time(given: &str) -> Result<Duration, String> {
    whole_seconds(given, Duration::from_secs(1), Duration::from_secs(31_536_000)) // 0 is how the protocol says "unmute", which is a command here
}

fn ban_time(given: &str) -> Result<Duration, String> {
    whole_seconds(given, Duration::from_secs(1), LONGEST)
}

fn deadline(given: &str) -> Result<Duration, String> {
    whole_seconds(given, Duration::ZERO, Duration::from_secs(3600))
}

fn interval(given: &str) -> Result<Duration, String> {
    let time = duration(given)?;
    if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&time) {
        Ok(time)
    } else {
        Err("it must lie between 100ms and 1h".into())
    }
}

fn moment_now(given: &str) -> Result<Time, String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    moment(given, i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// The point in time that somebody means who says it at `now` (milliseconds since the epoch).
fn moment(given: &str, now: i64) -> Result<Time, String> {
    const DAY: i64 = 86_400_000;
    let midnight = now - now.rem_euclid(DAY);
    let word = given.trim();
    let millis = match word {
        "now" => Some(now),
        "today" => Some(midnight),
        "yesterday" => Some(midnight - DAY),
        _ => date_and_time(word).or_else(|| {
            let passed = word.strip_suffix(" ago").or_else(|| word.strip_prefix('-')).unwrap_or(word);
            let passed = parse_length(passed).ok()?;
            Some(now.saturating_sub(i64::try_from(passed.as_millis()).ok()?).max(0))
        }),
    };
    millis.map(|millis| Time(Wall(millis))).ok_or_else(|| {
        "a time is needed, as in 2026-11-22T10:30:00Z, 2026-11-22, 2h (ago), 30min, today or yesterday; UTC".into()
    })
}

/// RFC 3339 with `Z`, an offset, or (meaning UTC) neither; or a date alone.
fn date_and_time(given: &str) -> Option<i64> {
    let read = |text: &str| text.parse::<Time>().ok().map(|time| time.0.0);
    if given.len() == 10 {
        return read(&format!("{given}T00:00:00Z"));
    }
    let offset = given.len().checked_sub(6).and_then(|at| given.split_at_checked(at));
    if let Some((local, offset)) = offset
        && local.len() > 10
        && let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = offset.as_bytes()
        && [h1, h2, m1, m2].iter().all(u8::is_ascii_digit)
    {
        let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let (hours, minutes) = (two(h1, h2), two(m1, m2));
        if hours > 23 || minutes > 59 {
            return None;
        }
        let ahead = (hours * 60 + minutes) * 60_000;
        return read(local).map(|millis| if sign == b'+' { millis - ahead } else { millis + ahead });
    }
    read(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn at(given: &str) -> String {
        let now = "2026-11-22T10:30:00.500Z".parse::<Time>().expect("a time").0.0;
        moment(given, now).map_or_else(|error| error, |time| time.to_string())
    }

    #[test]
    fn declaration_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_absolute_or_relative() {
        assert_eq!(at("2026-11-20T01:02:03Z"), "2026-11-20T01:02:03.000Z");
        assert_eq!(at("2026-11-20 01:02:03"), "2026-11-20T01:02:03.000Z");
        assert_eq!(at("2026-11-20T01:02:03+01:00"), "2026-11-20T00:02:03.000Z");
        assert_eq!(at("2026-11-20T01:02:03.250-05:30"), "2026-11-20T06:32:03.250Z");
        assert_eq!(at("2026-11-20"), "2026-11-20T00:00:00.000Z");
        assert_eq!(at("2h"), "2026-11-22T08:30:00.500Z");
        assert_eq!(at("30min"), "2026-11-22T10:00:00.500Z");
        assert_eq!(at("1h 30min ago"), "2026-11-22T09:00:00.500Z");
        assert_eq!(at("today"), "2026-11-22T00:00:00.000Z");
        assert_eq!(at("yesterday"), "2026-11-21T00:00:00.000Z");
        for wrong in
            ["10:30", "", "tomorrow", "2026-11-20T01:02:03+25:00", "2026-13-01", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"]
        {
            assert!(at(wrong).starts_with("a time is needed"), "{wrong}");
        }
    }

    #[test]
    fn lengths_of_time_have_bounds() {
        assert!(duration("90").is_err_and(|why| why.contains("no unit")) && duration("10M").is_err());
        assert!(ban_time("0s").is_err_and(|why| why.contains("longer than nothing")));
        assert_eq!(duration("90 minutes"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2h 30min"), Ok(Duration::from_secs(9000)));
        assert!(mute_time("0").is_err() && mute_time("500ms").is_err() && mute_time("2y").is_err());
        assert!(deadline("0").is_ok() && deadline("2h").is_err());
        assert!(interval("10ms").is_err());
    }

    #[test]
    fn words_come_from_the_protocol() {
        assert!(KINDS.iter().any(|(word, about)| word == "join" && about.starts_with("Somebody connected")));
        assert_eq!(LEVELS.first().map(|(word, _)| word.as_str()), Some("error"));
    }

    #[test]
    fn common_options_stand_before_and_after_the_command() {
        for line in ["chathub ctl --json -q status", "chathub ctl status --json -q"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            let Program::Ctl(args) = cli.program else { panic!("{line}") };
            assert!(args.json && args.quiet);
        }
    }
}
