//! The arguments of `ctl`: its options and its commands.
//!
//! | to change | see |
//! | --- | --- |
//! | the options of all commands; every command but those of a group | this file |
//! | the commands about accounts, bans and sanctions, reports, rooms | [`account`], [`ban`], [`report`], [`rooms`] |
//!
//! It does not know what a command does: [`crate::ctl`] turns it into requests.

pub mod account;
pub mod ban;
pub mod report;
pub mod rooms;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Args, Command, Subcommand};
use serde_json::Value;

use self::account::AccountCommand;
use self::ban::{BanCommand, FilterCommand, SanctionCommand};
use self::report::ReportCommand;
use self::rooms::RoomsCommand;
use super::length::{ban_time, deadline, duration, interval, lockdown_time, mute_time};
use super::moment::moment_now;
use super::words::{event_kind, level, newcomers};
use crate::settings::{LogLevel, Newcomers};
use crate::wire::admin::args::MOST_LINES;
use crate::wire::admin::event::EventKind;
use crate::wire::admin::json::{self, Read, given_twice};
use crate::wire::admin::value::{RoomName, Text, Time};

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

Exit codes: 0 done, 1 refused by the daemon, 2 usage, 3 cannot connect, 4 permission, 5 not found, \
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
    #[arg(long, global = true, value_name = "D", value_parser = duration, allow_hyphen_values = true, help_heading = COMMON)]
    pub timeout: Option<Duration>,

    /// Leave nothing out of tables, and cut nothing, however narrow the terminal is.
    #[arg(short = 'l', long, global = true, help_heading = COMMON)]
    pub full: bool,

    /// Do not use a pager.
    #[arg(long, global = true, help_heading = COMMON)]
    pub no_pager: bool,

    /// Show it again and again, every 2s or as often as told; for commands that only look.
    ///
    /// On a terminal in place, until q or Ctrl-C, with the time of the last answer; what does not fit is scrolled by arrows,
    /// j, k, PgUp, PgDn, Home and End. Elsewhere, and where TERM is dumb, one answer behind the other. A restart of the
    /// daemon does not end it; a service that is stopped is not started by it.
    #[arg(
        long,
        global = true,
        value_name = "D",
        value_parser = interval,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        help_heading = COMMON
    )]
    pub watch: Option<Duration>,

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

/// The heading of the options that every command has, in its help.
const COMMON: &str = "Options of every command";

/// The commands by what one wants to do: help and manual have them in this order.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Looking", &["status", "clients", "client", "rooms", "monitor", "top", "metrics"]),
    ("People", &["kick", "ban", "mute", "unmute", "filter", "sanction", "lockdown", "rename", "report"]),
    ("Accounts", &["account"]),
    ("Rooms and what is said", &["topic", "close", "say", "history", "redact", "history-stats"]),
    ("The daemon", &["reload", "log-level", "backup", "shutdown"]),
    ("The protocol, and the shell", &["describe", "call", "completions"]),
];

/// `ctl` with its commands in groups, and without the common options in the help of each command.
pub(super) fn with_help(ctl: Command) -> Command {
    let common: Vec<Arg> = ctl.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let mut groups = String::new();
    for (title, names) in GROUPS {
        groups += &format!("\n\x1b[1m\x1b[4m{title}:\x1b[0m\n");
        for name in *names {
            let about = ctl.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            groups += &format!("  \x1b[1m{name:<13}\x1b[0m  {}\n", about.unwrap_or_default());
        }
    }
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\n\x1b[1m\x1b[4m{COMMON}:\x1b[0m\n{{options}}{{after-help}}\n"
    );
    ctl.help_template(template).mut_subcommands(|command| without(command, &common))
}

/// A command whose help does not tell these options again, but where they are told.
fn without(mut command: Command, common: &[Arg]) -> Command {
    const WHERE: &str = "Options of every command, such as --json: chathub ctl --help";
    // A copy that is there already is not put there from above.
    command = command.args(common.iter().map(|arg| arg.clone().hide(true)));
    let after = command.get_after_help().map_or_else(|| WHERE.to_owned(), |help| format!("{help}\n\n{WHERE}"));
    command.after_help(after).mut_subcommands(|inner| without(inner, common))
}

/// The commands of `chathub ctl`, in the order in which they are documented.
#[derive(Clone, Debug, Subcommand)]
pub enum CtlCommand {
    /// Show how the hub is doing.
    ///
    /// State, version, clients, rooms, listeners, and every counter that is not zero.
    Status,

    /// List who is connected.
    ///
    /// Oldest first. BEHIND is what was written for a client and not taken yet. NOTES says who is an operator or
    /// registered, muted (and for how long yet; "shadow-muted" does not know), is encrypted, speaks telnet, has strikes, is away, had
    /// lines dropped (sends too fast) or missed some (reads too slowly).
    #[command(after_help = "\
Examples:
  chathub ctl clients
  chathub ctl clients --room lobby
  chathub ctl clients --json | jq -r '.clients[] | select(.idle_s > 3600) | .id'")]
    Clients {
        /// Only those in this room.
        #[arg(long, value_name = "ROOM")]
        room: Option<RoomName>,
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
        #[arg(long, value_name = "D", value_parser = ban_time, allow_hyphen_values = true)]
        ban: Option<Duration>,
        /// Do not ask at a terminal before --ban disconnects others as well.
        #[arg(long, requires = "ban")]
        yes: bool,
    },

    /// Keep people out, by network or by name.
    ///
    /// Who is kept out is told why and until when; bans outlive the daemon if history is recorded.
    Ban {
        /// What to do.
        #[command(subcommand)]
        action: BanCommand,
    },

    /// Keep back what has certain words in it, beside the filters of the settings.
    ///
    /// Filters outlive the daemon if history is recorded. Operators make them by /filter in chat.
    Filter {
        /// What to do.
        #[command(subcommand)]
        action: FilterCommand,
    },

    /// List and lift what people are kept from: bans, mutes, expulsions from rooms, filters, a lockdown.
    ///
    /// They outlive the daemon if history is recorded.
    Sanction {
        /// What to do.
        #[command(subcommand)]
        action: SanctionCommand,
    },

    /// Look through what people report about each other, by /report in chat.
    ///
    /// A report is kept until somebody closes it, here or in chat, and outlives the daemon if history is recorded.
    Report {
        /// What to do.
        #[command(subcommand)]
        action: ReportCommand,
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
    /// They are told so, unless --shadow is given. A mute holds for the account, or for a guest's name and address, and so for
    /// others there who have no account. Either all that are named are muted, or none is.
    #[command(after_help = "\
Examples:
  chathub ctl mute c7 --for 10min
  chathub ctl mute c7                 # until \"chathub ctl unmute c7\"
  chathub ctl mute troll --dry-run    # whom it would reach")]
    Mute {
        /// Ids, such as c7, names, or patterns of names such as bot-*.
        #[arg(value_name = "WHO", required = true, value_parser = text::<256>)]
        who: Vec<Text<256>>,
        /// For how long, such as 90s, 10min or 2h. Without it, until it is lifted.
        #[arg(long = "for", value_name = "D", value_parser = mute_time, allow_hyphen_values = true)]
        time: Option<Duration>,
        /// Do not tell them: what they say looks said to them, and reaches nobody.
        #[arg(long)]
        shadow: bool,
        /// Why; it stands in the list of sanctions.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        reason: Option<Text<256>>,
        /// Only tell whom it would reach.
        #[arg(long)]
        dry_run: bool,
    },

    /// Let muted clients be heard again.
    ///
    /// Of somebody who is here, all mutes are lifted that are about them, also those that others share; of somebody who is
    /// not, the one that is about that name. Either all that are named are muted, and can speak again, or nothing is
    /// changed.
    #[command(after_help = "\
Examples:
  chathub ctl unmute c7
  chathub ctl unmute eve              # here or not
  chathub ctl unmute m3 'bot-*'       # as \"chathub ctl sanction list --kind mute\" shows them")]
    Unmute {
        /// Ids, such as c7, names, or what a mute is called or about: m3, 192.0.2.0/24, bot-*.
        #[arg(value_name = "WHO", required = true, value_parser = text::<256>)]
        who: Vec<Text<256>>,
    },

    /// Keep newcomers out, or quiet, until they have logged in.
    ///
    /// For a time; who is here stays and speaks, and everybody is told. How, and for how long, the settings
    /// moderation.lockdown and moderation.lockdown_for say, unless the options do. A lockdown that is under way gets the
    /// new time.
    #[command(after_help = "\
Examples:
  chathub ctl lockdown
  chathub ctl lockdown --for 1h --newcomers registered
  chathub ctl lockdown --off")]
    Lockdown {
        /// For how long, such as 10min.
        #[arg(long = "for", value_name = "D", value_parser = lockdown_time, allow_hyphen_values = true)]
        time: Option<Duration>,
        /// What becomes of those who come and are not logged in.
        #[arg(long, value_name = "HOW", value_parser = newcomers())]
        newcomers: Option<Newcomers>,
        /// End the one that is under way.
        #[arg(long, conflicts_with_all = ["time", "newcomers"])]
        off: bool,
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

    /// List the rooms, tell of one, or change what it is.
    ///
    /// Without a command, the rooms are listed, those with most members first.
    Rooms {
        /// What to do.
        #[command(subcommand)]
        action: Option<RoomsCommand>,
    },

    /// Show a room's topic, or set it.
    #[command(after_help = "\
Examples:
  chathub ctl topic lobby
  chathub ctl topic lobby Maintenance on Sunday at 10:00 UTC
  chathub ctl topic lobby ''          # clears it")]
    Topic {
        /// The room.
        #[arg(value_name = "ROOM")]
        room: RoomName,
        /// The new topic; several words are joined by spaces, an empty one, or a hyphen as in chat, clears it.
        #[arg(value_name = "TEXT")]
        text: Vec<String>,
    },

    /// Close a room.
    ///
    /// Those in it are moved to the lobby, which cannot be closed itself.
    Close {
        /// The room.
        #[arg(value_name = "ROOM")]
        room: RoomName,
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
  chathub ctl history --search 'buy now' --json | jq -r .client      # who said it
  chathub ctl history --format csv --output history.csv")]
    History {
        /// Only this room's.
        #[arg(long, value_name = "ROOM")]
        room: Option<RoomName>,
        /// Only the last N lines.
        #[arg(long, value_name = "N", value_parser = |given: &str| number(given, 1, MOST_LINES))]
        last: Option<u64>,
        /// Which lines, by time and text.
        #[command(flatten)]
        lines: LinesArgs,
        /// How lines are printed: as text, as JSON (like --json), or as comma-separated values (RFC 4180).
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
        format: Format,
        /// Write to this file instead of standard output; a plain file takes its place when all is there. - is standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },

    /// Make lines of history unreadable.
    ///
    /// In memory, on disk and for searches, for good; who looks sees that lines were removed. Options say which lines,
    /// at least one of them; where there are several, all must be true of a line. A topic goes with the line that has
    /// set it. Without --yes the lines are counted, and whoever sits at a terminal is asked. Copies that were made
    /// before still have them. If the disk takes nothing, the reason is told; on disk they are removed when it takes
    /// something.
    #[command(after_help = "\
Examples:
  chathub ctl redact --client c7                # counts what c7 has said
  chathub ctl redact --client c7 --yes
  chathub ctl redact --room lobby --since 2h --search 'buy now' --yes
  chathub ctl redact --seq 981 --yes            # one line; numbers: chathub ctl history --json")]
    Redact {
        /// Only in rooms of this name.
        #[arg(long, value_name = "ROOM")]
        room: Option<RoomName>,
        /// Only what the client with this id has said, under whatever names.
        #[arg(long, value_name = "ID", value_parser = text::<32>)]
        client: Option<Text<32>>,
        /// Only what was said under this name, by whomever.
        #[arg(long, value_name = "NICK", value_parser = text::<256>)]
        nick: Option<Text<256>>,
        /// Only the line with this number.
        #[arg(long, value_name = "N", value_parser = |given: &str| number(given, 0, u64::MAX))]
        seq: Option<u64>,
        /// Which lines, by time and text.
        #[command(flatten)]
        lines: LinesArgs,
        /// Do it, without asking.
        #[arg(long)]
        yes: bool,
    },

    /// Show how much history is kept, room by room.
    ///
    /// In memory, and if what is said is recorded, on disk: where, how much, what waits, what is wrong.
    HistoryStats,

    /// Copy what is recorded to a file.
    ///
    /// An SQLite database as it is at that moment, while the daemon goes on. The daemon makes one copy at
    /// a time, beside its database: there must be room for it until it is sent, and somebody else who
    /// asks meanwhile is refused. A file that is there is not replaced. To restore it: stop the daemon, put it in place of chathub.db in the state directory
    /// (and remove chathub.db-wal), and give it to the user chathub.
    #[command(after_help = "\
Examples:
  chathub ctl backup chathub-$(date +%F).db")]
    Backup {
        /// The file to write; - for standard output, which is no terminal then.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },

    /// Say something in the name of the hub.
    #[command(after_help = "\
Examples:
  chathub ctl say The server restarts in five minutes
  chathub ctl say --room lobby 'Welcome, everybody'")]
    Say {
        /// Only to this room. Without it, to everybody.
        #[arg(long, value_name = "ROOM")]
        room: Option<RoomName>,
        /// The text; several words are joined by spaces.
        #[arg(value_name = "TEXT", required = true)]
        text: Vec<String>,
    },

    /// Show what happens, as it happens.
    ///
    /// One event a line, until it is interrupted or the daemon stops; with --timeout, until nothing has happened for so
    /// long. If events were lost because this end was too slow, their number is told on standard error (and stands in
    /// "lost" with --json).
    #[command(after_help = "\
Examples:
  chathub ctl monitor
  chathub ctl monitor kick mute report
  chathub ctl monitor --json say | jq -r '.nick + \": \" + .text'
  chathub ctl monitor join --timeout 1h       # until nobody has come for an hour")]
    Monitor {
        /// Only events of these kinds; all but "say" without them.
        #[arg(value_name = "KIND", value_parser = event_kind())]
        kinds: Vec<EventKind>,
    },

    /// Show the hub at a glance, again and again; with keys to look closer, and to act.
    ///
    /// How many and how fast, in and out; what is dropped and refused; the disk; turns of the loop; restarts survived,
    /// reports and sanctions. Below that a list: clients, rooms, refusals by cause, or sanctions (Tab, 1 to 4), sorted by any
    /// column (s, S), the other way round (r), filtered (/). RATE is lines per second since the last refresh (at first:
    /// since they connected), IN and OUT are bytes since the daemon started.
    ///
    /// Arrows, j, k, PgUp, PgDn, Home and End select a row, and Enter or w tells all about it. K kicks, M mutes and B bans
    /// the client that is selected, after a question that says whom it would hit. p stands still, + and - change the
    /// interval, ? shows all keys, q or Ctrl-C quits. While the daemon does not answer, it says since when, and goes on
    /// when the daemon is there. A service that is stopped is not started by it: it waits.
    ///
    /// If standard input or output is no terminal, or with --json, a table is printed once; where TERM is dumb, one behind
    /// the other until Ctrl-C.
    #[command(after_help = "\
Examples:
  chathub ctl top
  chathub ctl top --interval 10s
  chathub ctl top | head              # one table")]
    Top {
        /// How often to refresh, such as 500ms or 5s.
        #[arg(long, value_name = "D", value_parser = interval, allow_hyphen_values = true, default_value = "2s")]
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
    /// "systemctl stop 'chathub*.socket' chathub.service" keeps it stopped.
    #[command(after_help = "\
Examples:
  chathub ctl shutdown
  chathub ctl shutdown --deadline 20s --message 'back in a minute'")]
    Shutdown {
        /// How long to wait for slow clients. Without it, as the setting shutdown.deadline says.
        #[arg(long, value_name = "D", value_parser = deadline, allow_hyphen_values = true)]
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
    /// The package installs them; this is for other places. They know who is here, which rooms, bans, reports and
    /// accounts there are, and ask the daemon for it, if it runs.
    #[command(after_help = "\
Examples:
  chathub ctl completions bash > ~/.local/share/bash-completion/completions/chathub")]
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL", value_enum)]
        shell: Shell,
    },

    /// Say what can stand next on a line.
    ///
    /// For the completions of shells.
    #[command(hide = true)]
    Complete {
        /// How the line is given.
        #[arg(value_name = "HOW", value_enum)]
        line: Line,
        /// The line, or its words up to the one that is being typed.
        #[arg(value_name = "WORD", allow_hyphen_values = true, trailing_var_arg = true)]
        given: Vec<String>,
    },
}

/// A shell with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// bash(1)
    Bash,
    /// zsh(1)
    Zsh,
    /// fish(1)
    Fish,
}

impl Shell {
    /// Its script.
    #[must_use]
    pub const fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../../packaging/completions/chathub.bash"),
            Self::Zsh => include_str!("../../../packaging/completions/_chathub"),
            Self::Fish => include_str!("../../../packaging/completions/chathub.fish"),
        }
    }
}

/// How a shell gives the line that is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Line {
    /// As one text, as it was typed.
    Bash,
    /// As words.
    Words,
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

/// A text of the admin protocol: 1 to `MAX` bytes.
fn text<const MAX: usize>(given: &str) -> Result<Text<MAX>, String> {
    match given.len() {
        0 => Err("it is empty".into()),
        n if n > MAX => Err(format!("it has {n} bytes, at most {MAX} are allowed")),
        _ => Ok(Text(given.into())),
    }
}

// Which lines of history, by time and text. No doc comment: clap would take it for the help of the command.
#[derive(Clone, Debug, Args)]
#[expect(missing_docs, reason = "see above")]
pub struct LinesArgs {
    /// Only what was said at this time or later.
    #[arg(long, value_name = "T", value_parser = moment_now, allow_hyphen_values = true)]
    pub since: Option<Time>,
    /// Only what was said before this time.
    #[arg(long, value_name = "T", value_parser = moment_now, allow_hyphen_values = true)]
    pub until: Option<Time>,
    /// Only lines in which this text occurs; upper and lower case are the same.
    #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
    pub search: Option<Text<256>>,
}

/// A whole number from `least` to `most`.
fn number(given: &str, least: u64, most: u64) -> Result<u64, String> {
    let needed = || match most {
        u64::MAX => "a whole number is needed".to_owned(),
        _ => format!("a whole number from {least} to {most} is needed"),
    };
    given.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(needed)
}

/// The arguments of `ctl call`.
fn json_object(given: &str) -> Result<Value, String> {
    match json::read(given.as_bytes()) {
        Ok(Read { twice: Some(key), .. }) => Err(given_twice(&key)),
        Ok(Read { value: object @ Value::Object(_), .. }) => Ok(object),
        Ok(_) => Err("it is not a JSON object".into()),
        Err(flaw) => Err(format!("it is not a JSON object: {flaw}")),
    }
}
