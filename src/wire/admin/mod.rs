//! The admin protocol: newline-delimited JSON; each request is one line, and so is each reply.
//!
//! A command is one row of [`COMMANDS`]. The parser, the JSON Schemas of `describe`, the manual
//! page and `chathub ctl` all read that row, and it says which part of the daemon executes the
//! command. Both ends share the types here: the daemon parses [`Command`]s and serializes the
//! result types, `ctl` does the reverse. This module knows no socket, and not how the driver
//! executes the commands that are about the process.
//!
//! A new command needs a row with its doc comment, a function under [`execute`], its text for `ctl`
//! in [`crate::cli`], and a test. A command that the connection's task or the driver executes has a
//! variant of [`ForConnection`] or [`ForDriver`] instead of a function, and the compiler shows
//! where that variant is still missing.
//!
//! | to change | see |
//! | --- | --- |
//! | a command: its name, its executor, its level, what is audited | the table, below |
//! | the arguments of a command, its result | [`args`], [`result`] |
//! | the function that executes a command | [`execute`] |
//! | the events that are streamed | [`event`] |
//! | a value's bounds and its schema | [`value`] |
//! | requests, replies, error codes, limits | [`message`] |
//! | how JSON is read, and the errors about malformed JSON | [`json`] |
//! | how bytes are split into lines | [`frames`] |
//! | the answer to `describe` | [`describe`] |
//! | the metrics and their text formats | [`metrics`] |

pub mod args;
pub mod describe;
pub mod event;
pub mod execute;
pub mod frames;
pub mod json;
pub mod message;
pub mod metrics;
pub mod result;
pub mod value;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::admin::args::{
    AccountAddArgs, AccountArgs, AccountCertificateArgs, AccountEraseArgs, AccountPasswdArgs, AccountRoleArgs, BanArgs,
    BanTestArgs, ClientsListArgs, CloseArgs, DescribeArgs, FilterArgs, HistoryArgs, KickArgs, LiftArgs, LockdownArgs,
    LogLevelArgs, MetricsArgs, MuteArgs, NoArgs, RedactArgs, RenameArgs, ReportArgs, ReportsCloseArgs, ReportsListArgs,
    RoomArgs, RoomSetArgs, SanctionListArgs, SanctionTestArgs, SayArgs, SearchArgs, ShutdownArgs, SubscribeArgs,
    TopicArgs, UnbanArgs, UnfilterArgs, WhoArgs,
};
use crate::wire::admin::describe::Description;
use crate::wire::admin::event::Event;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::execute::{Answer, Call, accounts, clients, history, one, reports, rooms, sanctions};
use crate::wire::admin::json::Arguments;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{
    Account, AccountDone, AccountList, BackupPiece, BanList, BanTest, Banned, Client, ClientList, Closed, FilterList,
    Filtered, Hello, HistoryStats, Kicked, Lifted, Lines, Lockdown, LogLevel, Metrics, Muted, Redacted, Reloaded,
    Renamed, ReportList, ReportShown, ReportsClosed, Room, RoomList, Said, SanctionList, SanctionTest, Status, Stopped,
    Topic, Unbanned,
};

/// One row of the table: the fixed properties of a command.
#[derive(Clone, Copy)]
pub struct Spec {
    /// The name in the protocol, such as `clients.kick`.
    pub name: &'static str,
    /// A description for the manual page, in one sentence or a few.
    pub about: &'static str,
    /// The JSON Schema of `args`.
    pub args: fn(&mut SchemaGenerator) -> Schema,
    /// The JSON Schema of `result`. In a stream, the last reply has a [`Count`](result::Count)
    /// instead.
    pub result: fn(&mut SchemaGenerator) -> Schema,
    /// Whether the command answers with one reply or a stream.
    pub replies: Replies,
    /// Whether the command changes something; this decides whether it is audited, and at which
    /// [level](Spec::level) it is allowed.
    pub effect: Effect,
    /// The part of the daemon that executes the command.
    pub carrier: Carrier,
    /// Keys of `args` that are left out of the audit line: texts to people, passwords and their
    /// hashes.
    pub unaudited: &'static [&'static str],
}

/// Whether a command answers with one reply or with a stream of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// One reply; `"more": true` is refused.
    One,
    /// One reply, or a stream of them with `"more": true`.
    OneOrMore,
    /// A stream only; `"more": true` is required.
    More,
}

/// Whether a command changes something; if so, it leaves an audit line in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The command only reads, and tells how the hub is doing: no names, addresses or texts of
    /// people. It is allowed on the monitoring socket too.
    Tells,
    /// The command only reads.
    Reads,
    /// The command changes something; for some, this depends on the arguments: see
    /// [`Command::changes`].
    Changes,
}

/// What may be asked on a socket. Each level may all that the one before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// How the hub is doing, and nothing about anybody: on the socket for monitoring.
    Monitor,
    /// Everything: on the admin socket. Releases that tell of no level have this one only.
    #[default]
    Admin,
}

impl Level {
    /// The word for the level in the protocol.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Admin => "admin",
        }
    }
}

impl Spec {
    /// The lowest level at which the command is allowed.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self.effect {
            Effect::Tells => Level::Monitor,
            Effect::Reads | Effect::Changes => Level::Admin,
        }
    }
}

/// The part of the daemon that executes a command, which also decides when the answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The task of the connection on which the command came; the hub is not involved.
    Connection,
    /// The hub, in steps: the list can be long, and clients have their turns between the steps.
    Listing,
    /// The hub, at once.
    Hub,
    /// The hub selects lines of history; the connection's task reads those that are on disk.
    Reader,
    /// The hub; the answer comes when the store has made the change on disk as well.
    Writer,
    /// The driver, at once: the command is about the process.
    Driver,
    /// The driver, as its last action; the answer comes when the daemon ends.
    End,
}

/// A command that the connection's task executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForConnection<'a> {
    /// `hello`
    Hello(&'a NoArgs),
    /// `describe`
    Describe(&'a DescribeArgs),
}

/// A command that the driver executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForDriver<'a> {
    /// `status`
    Status(&'a NoArgs),
    /// `metrics`
    Metrics(&'a MetricsArgs),
    /// `log.level`
    LogLevel(&'a LogLevelArgs),
    /// `reload`
    Reload(&'a NoArgs),
    /// `shutdown`
    Shutdown(&'a ShutdownArgs),
    /// `events.subscribe`
    Subscribe(&'a SubscribeArgs),
}

/// A parsed command, sorted by the part of the daemon that executes it.
#[derive(Clone, Debug)]
pub enum Duty<'a> {
    /// For the connection's task.
    Connection(ForConnection<'a>),
    /// For the hub, in steps.
    Listing(Box<Listing>),
    /// For the hub, by [`execute::answer`].
    Hub,
    /// For the driver.
    Driver(ForDriver<'a>),
}

// The form of a row:
//
//     /// Its text.
//     "name" Variant(Arguments) -> Result, Replies, Effect,
//         Carrier(function), unaudited "key" "key";
//
// The function depends on the carrier. `Hub`:
// `fn(&mut Call, &Arguments) -> Result<Result, ControlError>`. `Reader` and `Writer`: the same with
// an `Answer`, because the result is made later. `Listing`: `fn(&Arguments) -> Listing`. The
// others: a variant of `ForConnection` or `ForDriver`. `Changes if |args| ...` marks a command that
// changes something only with certain arguments.
macro_rules! commands {
    ($(
        $(#[doc = $about:literal])+
        $name:literal $variant:ident ( $args:ty ) -> $result:ty, $replies:ident, $effect:ident $(if $when:expr)?,
        $carrier:ident ( $function:path ) $(, unaudited $($unaudited:literal)+ )?;
    )+) => {
        /// Every command of the admin protocol, parsed.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Command {
            $( $(#[doc = $about])+ $variant($args), )+
        }

        /// The table: every command, in the order in which they are documented.
        pub static COMMANDS: &[Spec] = &[
            $( Spec {
                name: $name,
                about: concat!($($about),+),
                args: |generator| <$args>::json_schema(generator),
                result: |generator| <$result>::json_schema(generator),
                replies: Replies::$replies,
                effect: Effect::$effect,
                carrier: Carrier::$carrier,
                unaudited: &[$( $($unaudited),+ )?],
            }, )+
        ];

        impl Command {
            /// The command's row in [`COMMANDS`].
            #[must_use]
            pub fn spec(&self) -> &'static Spec {
                let name = match self { $( Self::$variant(_) => $name, )+ };
                COMMANDS.iter().find(|spec| spec.name == name).expect("every variant has its row")
            }

            /// Parses the `args` of the command `name`.
            ///
            /// # Errors
            /// [`ErrorCode::UnknownCommand`] with the nearest match, or [`ErrorCode::BadArgument`].
            pub fn parse(name: &str, args: Value) -> Result<Self, ControlError> {
                match name {
                    $( $name => <$args>::deserialize(Arguments(args)).map(Self::$variant).map_err(|error| bad_argument(name, &error)), )+
                    _ => Err(unknown_command(name)),
                }
            }

            /// The `args` object of this command, as a client sends it.
            #[must_use]
            pub fn args(&self) -> Value {
                match self {
                    $( Self::$variant(args) => serde_json::to_value(args).expect("arguments are plain JSON"), )+
                }
            }

            /// Whether this command changes something with these arguments.
            #[must_use]
            pub fn changes(&self) -> bool {
                match self {
                    $( Self::$variant(_args) => Effect::$effect == Effect::Changes $(&& holds(_args, $when))?, )+
                }
            }

            /// The command, sorted by the part of the daemon that executes it.
            #[must_use]
            pub fn duty(&self) -> Duty<'_> {
                match self { $( Self::$variant(_args) => duty!(_args, $carrier($function)), )+ }
            }

            /// Executes the command on the hub; `None` if another part of the daemon executes it.
            fn on_hub(&self, call: &mut Call<'_>) -> Option<Result<Answer, ControlError>> {
                match self { $( Self::$variant(_args) => on_hub!(call, _args, $carrier($function)), )+ }
            }
        }
    };
}

/// The [`Command::duty`] of a row with this carrier.
macro_rules! duty {
    ($args:ident, Connection($variant:path)) => {
        Duty::Connection($variant($args))
    };
    ($args:ident, Listing($new:path)) => {
        Duty::Listing(Box::new($new($args)))
    };
    ($args:ident, Hub($function:path)) => {
        Duty::Hub
    };
    ($args:ident, Reader($function:path)) => {
        Duty::Hub
    };
    ($args:ident, Writer($function:path)) => {
        Duty::Hub
    };
    ($args:ident, Driver($variant:path)) => {
        Duty::Driver($variant($args))
    };
    ($args:ident, End($variant:path)) => {
        Duty::Driver($variant($args))
    };
}

/// The [`Command::on_hub`] of a row with this carrier.
macro_rules! on_hub {
    ($call:ident, $args:ident, Connection($variant:path)) => {
        None
    };
    ($call:ident, $args:ident, Listing($new:path)) => {
        Some($new($args).whole($call))
    };
    ($call:ident, $args:ident, Hub($function:path)) => {
        Some($function($call, $args).and_then(|result| one(&result)))
    };
    ($call:ident, $args:ident, Reader($function:path)) => {
        Some($function($call, $args))
    };
    ($call:ident, $args:ident, Writer($function:path)) => {
        Some($function($call, $args))
    };
    ($call:ident, $args:ident, Driver($variant:path)) => {
        None
    };
    ($call:ident, $args:ident, End($variant:path)) => {
        None
    };
}

fn holds<T>(args: &T, when: impl Fn(&T) -> bool) -> bool {
    when(args)
}

fn bad_argument(command: &str, error: &serde_json::Error) -> ControlError {
    ControlError::new(ErrorCode::BadArgument, format!("{command}: {}", json::in_words(error)))
}

fn unknown_command(name: &str) -> ControlError {
    let shown: String = name.chars().take(64).collect();
    let near = COMMANDS
        .iter()
        .map(|spec| (strsim::damerau_levenshtein(spec.name, &shown), spec.name))
        .min()
        // The distance must be small compared with the length: three changed letters of three make
        // another word.
        .filter(|(distance, name)| *distance <= 3 && distance * 3 <= shown.chars().count().min(name.len()));
    let hint =
        near.map_or_else(|| "\"describe\" lists them".to_owned(), |(_, name)| format!("did you mean \"{name}\"?"));
    ControlError::new(ErrorCode::UnknownCommand, format!("no command {shown:?}; {hint}"))
}

commands! {
    /// Says who answers: name, version and protocol.
    "hello" Hello(NoArgs) -> Hello, One, Tells, Connection(ForConnection::Hello);
    /// Lists the commands with the JSON Schemas of their arguments and results.
    "describe" Describe(DescribeArgs) -> Description, One, Tells, Connection(ForConnection::Describe);
    /// Tells how the hub is doing: uptime, clients, rooms, limits reached, listeners.
    "status" Status(NoArgs) -> Status, One, Tells, Driver(ForDriver::Status);
    /// Returns what is measured: counters, gauges and histograms, as OpenMetrics text or as values.
    "metrics" Metrics(MetricsArgs) -> Metrics, One, Tells, Driver(ForDriver::Metrics);
    /// Lists the clients, all or those of one room.
    "clients.list" ClientsList(ClientsListArgs) -> ClientList, One, Reads, Listing(Listing::clients);
    /// Tells all about one client.
    "clients.get" ClientsGet(WhoArgs) -> Client, One, Reads, Hub(clients::get);
    /// Disconnects clients after telling them why.
    "clients.kick" ClientsKick(KickArgs) -> Kicked, One, Changes, Hub(clients::kick);
    /// Keeps clients from being heard for a time, and tells them unless `shadow`. It holds for
    /// their account, or name and address, also when they come again. With `for_s` 0, mutes are
    /// lifted: all about those who are here, else the one of that id, such as `m3`, or about
    /// exactly that name, network or pattern.
    "clients.mute" ClientsMute(MuteArgs) -> Muted, One, Changes if |args| !args.dry_run, Hub(clients::mute);
    /// Gives a client another name.
    "clients.rename" ClientsRename(RenameArgs) -> Renamed, One, Changes, Hub(clients::rename);
    /// Lists the bans in force.
    "bans.list" BansList(NoArgs) -> BanList, One, Reads, Listing(Listing::bans);
    /// Keeps out whoever comes from a network, or bears a name or is logged in to its account, and
    /// disconnects those who are here. A pattern of names means whoever has chosen such a name, but
    /// for operators, those of `access.always`, and whose account is older. A ban of the same is
    /// replaced.
    "bans.add" BansAdd(BanArgs) -> Banned, One, Changes if |args| !args.dry_run, Hub(sanctions::add);
    /// Lifts a ban.
    "bans.remove" BansRemove(UnbanArgs) -> Unbanned, One, Changes, Hub(sanctions::remove);
    /// Tells which bans keep out an address or a name, and which clients a ban of that would hit.
    "bans.test" BansTest(BanTestArgs) -> BanTest, One, Reads, Hub(sanctions::test);
    /// Keeps back what is said, names and topics with a word or pattern in it, beside the filters
    /// of the settings. A filter of the same text is replaced.
    "filters.add" FiltersAdd(FilterArgs) -> Filtered, One, Changes if |args| !args.dry_run, Hub(sanctions::filter);
    /// Lists the filters: those that were made while the hub runs, and those of the settings.
    "filters.list" FiltersList(NoArgs) -> FilterList, One, Reads, Hub(sanctions::filters);
    /// Lifts a filter that was made while the hub runs.
    "filters.remove" FiltersRemove(UnfilterArgs) -> Lifted, One, Changes, Hub(sanctions::unfilter);
    /// Lists the sanctions in force: bans, mutes, expulsions, filters, a lockdown.
    "sanctions.list" SanctionsList(SanctionListArgs) -> SanctionList, One, Reads, Listing(Listing::sanctions);
    /// Lifts a sanction.
    "sanctions.lift" SanctionsLift(LiftArgs) -> Lifted, One, Changes, Hub(sanctions::lift);
    /// Tells which sanctions are about a client, an address or a name, and which clients one more
    /// would reach.
    "sanctions.test" SanctionsTest(SanctionTestArgs) -> SanctionTest, One, Reads, Hub(sanctions::test_all);
    /// Lists the reports that people have made about each other, and that are open.
    "reports.list" ReportsList(ReportsListArgs) -> ReportList, One, Reads, Listing(Listing::reports);
    /// Tells all about one report, with the lines in question as far as they are kept.
    "reports.show" ReportsShow(ReportArgs) -> ReportShown, One, Reads, Reader(reports::show);
    /// Closes reports.
    "reports.close" ReportsClose(ReportsCloseArgs) -> ReportsClosed, One, Changes, Hub(reports::close), unaudited "note";
    /// Has newcomers wait at the door, or keeps them from being heard, until they have logged in,
    /// for a time; who is here stays and speaks. One that is under way gets this time and this way.
    "lockdown" Lockdown(LockdownArgs) -> Lockdown, One, Changes, Hub(rooms::lockdown);
    /// Lists the accounts.
    "accounts.list" AccountsList(NoArgs) -> AccountList, One, Reads, Listing(Listing::accounts);
    /// Tells all about one account.
    "accounts.get" AccountsGet(AccountArgs) -> Account, One, Reads, Hub(accounts::get);
    /// Makes an account: from then on nobody else can have that name. Without a password nobody can log in
    /// to it until it has one, or a certificate.
    "accounts.add" AccountsAdd(AccountAddArgs) -> AccountDone, One, Changes if |args| !args.dry_run, Hub(accounts::add), unaudited "password" "hashed";
    /// Gives an account another password, and forgets what strangers have tried.
    "accounts.passwd" AccountsPasswd(AccountPasswdArgs) -> AccountDone, One, Changes, Hub(accounts::passwd), unaudited "password" "hashed";
    /// Forgets how often strangers have tried the password of an account, so that nobody waits
    /// because of them.
    "accounts.unlock" AccountsUnlock(AccountArgs) -> AccountDone, One, Changes, Hub(accounts::unlock);
    /// Has a certificate log in to an account from now on: a client that shows it is logged in as
    /// soon as it comes.
    "accounts.certify" AccountsCertify(AccountCertificateArgs) -> AccountDone, One, Changes, Hub(accounts::certify);
    /// Removes a certificate of an account, so that it logs nobody in any more. Who is logged in stays so.
    "accounts.uncertify" AccountsUncertify(AccountCertificateArgs) -> AccountDone, One, Changes, Hub(accounts::uncertify);
    /// Gives an account another role.
    "accounts.role" AccountsRole(AccountRoleArgs) -> AccountDone, One, Changes, Hub(accounts::role);
    /// Removes an account; what was said under its name stays.
    "accounts.remove" AccountsRemove(AccountArgs) -> AccountDone, One, Changes, Hub(accounts::remove);
    /// Removes an account, and makes all that was said under its name unreadable, its topics as
    /// well. Errors are those of "history.redact"; the account is removed all the same.
    "accounts.erase" AccountsErase(AccountEraseArgs) -> Redacted, One, Changes, Writer(accounts::erase);
    /// Lists the rooms.
    "rooms.list" RoomsList(NoArgs) -> RoomList, One, Reads, Listing(Listing::rooms);
    /// Tells all about one room.
    "rooms.get" RoomsGet(RoomArgs) -> Room, One, Reads, Hub(rooms::get);
    /// Changes who comes into a room, who speaks in it and how often, and who sets its topic; those
    /// in it are told.
    "rooms.set" RoomsSet(RoomSetArgs) -> Room, One, Changes, Hub(rooms::set);
    /// Tells a room's topic, or sets it if a text is given; an empty one clears it.
    "rooms.topic" RoomsTopic(TopicArgs) -> Topic, One, Changes if |args| args.text.is_some(), Hub(rooms::topic);
    /// Closes a room; those in it are moved to the lobby.
    "rooms.close" RoomsClose(CloseArgs) -> Closed, One, Changes, Hub(rooms::close);
    /// Returns lines of history, of one room or of all, oldest first; nothing that was said in
    /// private.
    "history.dump" HistoryDump(HistoryArgs) -> Lines, OneOrMore, Reads, Reader(history::dump);
    /// Returns the lines of history in which a text occurs, oldest first.
    "history.search" HistorySearch(SearchArgs) -> Lines, OneOrMore, Reads, Reader(history::search);
    /// Makes lines of history unreadable, in memory, on disk and for searches; a marker stays.
    /// Topics that were set by such lines are cleared. At least one argument must say which. An
    /// error of the code "conflict" says that the disk takes nothing now: what is on it is made
    /// unreadable when it does.
    "history.redact" HistoryRedact(RedactArgs) -> Redacted, One, Changes if |args| !args.dry_run, Writer(history::redact);
    /// Tells how much history is kept, room by room.
    "history.stats" HistoryStats(NoArgs) -> HistoryStats, One, Reads, Reader(history::stats);
    /// Sends a copy of the recorded history as it is now, an SQLite database, piece by piece. The copy
    /// takes space beside the database until it is sent; one is made at a time. An error of the code
    /// "busy" says that another one is being made, and for whom; "conflict" says that the disk has no
    /// room for it, or cannot be read now.
    "backup" Backup(NoArgs) -> BackupPiece, More, Reads, Reader(history::backup);
    /// Says something to everybody, or to one room, in the name of the hub.
    "say" Say(SayArgs) -> Said, One, Changes, Hub(rooms::say), unaudited "text";
    /// Tells the log level, or sets it until the next start.
    "log.level" LogLevel(LogLevelArgs) -> LogLevel, One, Changes if |args| args.level.is_some(), Driver(ForDriver::LogLevel);
    /// Reads the settings again; keeps the old ones if there is any error.
    "reload" Reload(NoArgs) -> Reloaded, One, Changes, Driver(ForDriver::Reload);
    /// Says goodbye to everybody, writes out what is owed, and ends the daemon.
    "shutdown" Shutdown(ShutdownArgs) -> Stopped, One, Changes, End(ForDriver::Shutdown);
    /// Streams what happens from now on.
    "events.subscribe" EventsSubscribe(SubscribeArgs) -> Event, More, Reads, Driver(ForDriver::Subscribe);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_command_names_the_nearest() {
        let error = Command::parse("clients.lst", json!({})).expect_err("no such command");
        assert!(error.message.contains("\"clients.list\""), "{error}");
    }

    fn properties(spec: &Spec) -> Vec<String> {
        let schema = (spec.args)(&mut SchemaGenerator::default()).to_value();
        schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    }

    /// The command of a row with a value for each required key.
    fn example(spec: &Spec) -> Command {
        let any = json!({
            "who": ["ann"], "which": "b1", "target": "ann", "name": "ann", "nick": "eve", "role": "member",
            "room": "lobby", "query": "tea", "text": "hello", "report": "r1", "reports": ["r1"],
            "fingerprint": "0123456789abcdef".repeat(4),
        });
        let schema = (spec.args)(&mut SchemaGenerator::default()).to_value();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let args: Value =
            required.iter().filter_map(Value::as_str).map(|key| (key.to_owned(), any[key].clone())).collect();
        Command::parse(spec.name, args.clone())
            .or_else(|_| {
                // This command takes one client, not several.
                let mut args = args;
                args["who"] = json!("ann");
                Command::parse(spec.name, args)
            })
            .expect(spec.name)
    }

    #[test]
    fn an_unknown_argument_is_named_and_the_known_ones_are_listed() {
        for spec in COMMANDS {
            for name in ["nonsense", "seq, expected `x`", "a`, there are no fields", "line\nend", ""] {
                let mut args = example(spec).args();
                args[name] = json!(5);
                let error = Command::parse(spec.name, args).expect_err(spec.name);
                let (told, known) = error.message.rsplit_once("; ").expect("what is known");
                let mut properties = properties(spec);
                properties.sort_unstable();
                let mut listed: Vec<&str> = known.split('"').skip(1).step_by(2).collect();
                listed.sort_unstable();
                assert_eq!(told, format!("{}: unknown argument {name:?}", spec.name));
                assert_eq!(listed, properties, "{error}");
                let begins = match properties.len() {
                    0 => "there are none",
                    1 => "known is \"",
                    _ => "known are \"",
                };
                assert!(known.starts_with(begins), "{error}");
            }
        }
    }

    #[test]
    fn each_row_is_carried_out_by_whom_it_names() {
        for spec in COMMANDS {
            let command = example(spec);
            assert_eq!(command.spec().name, spec.name);
            let fits = matches!(
                (spec.carrier, command.duty()),
                (Carrier::Connection, Duty::Connection(_))
                    | (Carrier::Listing, Duty::Listing(_))
                    | (Carrier::Hub | Carrier::Reader | Carrier::Writer, Duty::Hub)
                    | (Carrier::Driver | Carrier::End, Duty::Driver(_))
            );
            assert!(fits, "{}: {:?} and {:?}", spec.name, spec.carrier, command.duty());
            assert!(spec.about.trim().ends_with('.'), "{} has no text", spec.name);
        }
    }

    #[test]
    fn what_changes_something_is_audited_and_what_only_looks_is_not() {
        for spec in COMMANDS {
            // These two change something only with an optional argument.
            let only_looks = ["rooms.topic", "log.level"].contains(&spec.name);
            let changes = example(spec).changes();
            assert_eq!(changes, spec.effect == Effect::Changes && !only_looks, "{}", spec.name);
        }
        let topic = |text: Option<&str>| {
            Command::RoomsTopic(TopicArgs { room: "lobby".parse().expect("a name"), text: text.map(str::to_owned) })
        };
        assert!(topic(Some("")).changes() && !topic(None).changes());
    }

    #[test]
    fn the_audit_line_has_no_password_and_leaves_out_only_what_is_there() {
        for spec in COMMANDS {
            let properties = properties(spec);
            for key in spec.unaudited {
                assert!(properties.iter().any(|known| known == key), "{} has no {key:?}", spec.name);
            }
            for key in ["password", "hashed"] {
                let taken = properties.iter().any(|known| known == key);
                assert_eq!(taken, spec.unaudited.contains(&key), "{}: {key:?} in the journal", spec.name);
            }
            let password = properties.iter().any(|known| known == "password");
            assert_eq!(example(spec).secret().is_some(), password, "{}: who hashes the password?", spec.name);
        }
    }
}
