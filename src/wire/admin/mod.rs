//! The admin protocol: newline-delimited JSON, one object a line in, one a line out.
//!
//! A command is one row of [`COMMANDS`]. The row feeds the parser, the JSON Schemas of `describe`, the manual page and
//! `chathub ctl`, and says which part of the daemon executes the command. The types here are what both ends share: the
//! daemon parses [`Command`]s and serializes the result types, `ctl` does the reverse. Nothing here knows a socket, nor
//! what the driver does for the commands that are about the process.
//!
//! A new command is its row, its function under [`execute`], its text (the row's doc comment; `ctl` has its own in
//! [`crate::cli`]) and its test. A command that the connection's task or the driver executes has a variant of
//! [`ForConnection`] or [`ForDriver`] instead of a function, and the compiler shows where it is missing.
//!
//! | to change | see |
//! | --- | --- |
//! | a command: its name, which part of the daemon executes it, at which level, what is audited | the table, below |
//! | what a command takes, what it answers | [`args`], [`result`] |
//! | what a command does to the hub | [`execute`] |
//! | what is streamed as an event | [`event`] |
//! | a value's bounds and its schema | [`value`] |
//! | requests, replies, error codes, limits | [`message`] |
//! | how JSON is read, and what is said of what is none | [`json`] |
//! | how bytes become lines | [`frames`] |
//! | what `describe` says | [`describe`] |
//! | what is measured, and its texts | [`metrics`] |

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

/// One row of the table: all that is fixed about a command.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Its name on the wire, such as `clients.kick`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// The JSON Schema of `args`.
    pub args: fn(&mut SchemaGenerator) -> Schema,
    /// The JSON Schema of `result`; for a stream, that of the last one is [`Count`](result::Count).
    pub result: fn(&mut SchemaGenerator) -> Schema,
    /// Whether it answers with one reply or a stream.
    pub replies: Replies,
    /// Whether it changes something, and so is audited; and so who may ask for it: see [`Spec::level`].
    pub effect: Effect,
    /// The part of the daemon that executes it.
    pub carrier: Carrier,
    /// Keys of `args` that the audit line leaves out: texts to people, passwords and their hashes.
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

/// Whether a command changes something, and so leaves an audit line in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only looks, and tells how the hub is doing, by numbers: no names, addresses or texts of people. It is for the
    /// socket for monitoring, too.
    Tells,
    /// It only looks.
    Reads,
    /// It changes something; see [`Command::changes`] for those that can also only look.
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
    /// As the protocol writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Admin => "admin",
        }
    }
}

impl Spec {
    /// The least level at which the command is carried out.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self.effect {
            Effect::Tells => Level::Monitor,
            Effect::Reads | Effect::Changes => Level::Admin,
        }
    }
}

/// The part of the daemon that executes a command, and so when it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The task of the connection that it came on, alone.
    Connection,
    /// The hub, a slice at a time: the list can be long, and people have their turn in between.
    Listing,
    /// The hub, at once.
    Hub,
    /// The hub says which lines of history are meant; the connection's task reads those that are on disk.
    Reader,
    /// The hub; answered when the store has carried it out on disk as well.
    Writer,
    /// The driver, at once, because it is about the process.
    Driver,
    /// The driver, as the last thing that it does: answered when the daemon ends.
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

/// A command, for the part of the daemon that executes it.
#[derive(Clone, Debug)]
pub enum Duty<'a> {
    /// For the connection's task.
    Connection(ForConnection<'a>),
    /// For the hub, a slice at a time.
    Listing(Box<Listing>),
    /// For the hub, by [`execute::answer`].
    Hub,
    /// For the driver.
    Driver(ForDriver<'a>),
}

// One row:
//
//     /// Its text.
//     "name" Variant(Arguments) -> Result, Replies, Effect, Carrier(function), unaudited "key" "key";
//
// The functions: `Hub` takes `fn(&mut Call, &Arguments) -> Result<Result, ControlError>`; `Reader` and `Writer` the
// same with an `Answer`, because the result is made later; `Listing` `fn(&Arguments) -> Listing`; the rest the variant
// of `ForConnection` or `ForDriver`. `Changes if |args| ...` is for a command that can also only look.
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
            /// Its row in [`COMMANDS`].
            #[must_use]
            pub fn spec(&self) -> &'static Spec {
                let name = match self { $( Self::$variant(_) => $name, )+ };
                COMMANDS.iter().find(|spec| spec.name == name).expect("every variant has its row")
            }

            /// Reads `args` for the command called `name`.
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

            /// Whether this command, with its arguments, changes something.
            #[must_use]
            pub fn changes(&self) -> bool {
                match self {
                    $( Self::$variant(_args) => Effect::$effect == Effect::Changes $(&& holds(_args, $when))?, )+
                }
            }

            /// What is to be done, for the part of the daemon that does it.
            #[must_use]
            pub fn duty(&self) -> Duty<'_> {
                match self { $( Self::$variant(_args) => duty!(_args, $carrier($function)), )+ }
            }

            /// Executes it on the hub; `None` if it is not about the hub.
            fn on_hub(&self, call: &mut Call<'_>) -> Option<Result<Answer, ControlError>> {
                match self { $( Self::$variant(_args) => on_hub!(call, _args, $carrier($function)), )+ }
            }
        }
    };
}

/// What [`Command::duty`] gives for a row of this carrier.
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

/// What [`Command::on_hub`] does for a row of this carrier.
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
        // Three of three letters make another word.
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
    /// Keeps clients from being heard for a time, and tells them unless `shadow`. It holds for their account, or
    /// name and address, also when they come again. With `for_s` 0, mutes are lifted: all about those who are here, else
    /// the one of that id, such as `m3`, or about exactly that name, network or pattern.
    "clients.mute" ClientsMute(MuteArgs) -> Muted, One, Changes if |args| !args.dry_run, Hub(clients::mute);
    /// Gives a client another name.
    "clients.rename" ClientsRename(RenameArgs) -> Renamed, One, Changes, Hub(clients::rename);
    /// Lists the bans in force.
    "bans.list" BansList(NoArgs) -> BanList, One, Reads, Listing(Listing::bans);
    /// Keeps out whoever comes from a network, or bears a name or is logged in to its account, and disconnects
    /// those who are here. A pattern of names means whoever has chosen such a name, but for operators, those of
    /// `access.always`, and whose account is older. A ban of the same is replaced.
    "bans.add" BansAdd(BanArgs) -> Banned, One, Changes if |args| !args.dry_run, Hub(sanctions::add);
    /// Lifts a ban.
    "bans.remove" BansRemove(UnbanArgs) -> Unbanned, One, Changes, Hub(sanctions::remove);
    /// Tells which bans keep out an address or a name, and which clients a ban of that would hit.
    "bans.test" BansTest(BanTestArgs) -> BanTest, One, Reads, Hub(sanctions::test);
    /// Keeps back what is said, names and topics with a word or pattern in it, beside the filters of the settings. One of
    /// the same is replaced.
    "filters.add" FiltersAdd(FilterArgs) -> Filtered, One, Changes if |args| !args.dry_run, Hub(sanctions::filter);
    /// Lists the filters: those that were made while the hub runs, and those of the settings.
    "filters.list" FiltersList(NoArgs) -> FilterList, One, Reads, Hub(sanctions::filters);
    /// Lifts a filter that was made while the hub runs.
    "filters.remove" FiltersRemove(UnfilterArgs) -> Lifted, One, Changes, Hub(sanctions::unfilter);
    /// Lists the sanctions in force: bans, mutes, expulsions, filters, a lockdown.
    "sanctions.list" SanctionsList(SanctionListArgs) -> SanctionList, One, Reads, Listing(Listing::sanctions);
    /// Lifts a sanction.
    "sanctions.lift" SanctionsLift(LiftArgs) -> Lifted, One, Changes, Hub(sanctions::lift);
    /// Tells which sanctions are about a client, an address or a name, and which clients one more would reach.
    "sanctions.test" SanctionsTest(SanctionTestArgs) -> SanctionTest, One, Reads, Hub(sanctions::test_all);
    /// Lists the reports that people have made about each other, and that are open.
    "reports.list" ReportsList(ReportsListArgs) -> ReportList, One, Reads, Listing(Listing::reports);
    /// Tells all about one report, with the lines in question as far as they are kept.
    "reports.show" ReportsShow(ReportArgs) -> ReportShown, One, Reads, Reader(reports::show);
    /// Closes reports.
    "reports.close" ReportsClose(ReportsCloseArgs) -> ReportsClosed, One, Changes, Hub(reports::close), unaudited "note";
    /// Has newcomers wait at the door, or keeps them from being heard, until they have logged in, for a time; who is here
    /// stays and speaks. One that is under way gets this time and this way.
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
    /// Forgets how often strangers have tried the password of an account, so that nobody waits because of them.
    "accounts.unlock" AccountsUnlock(AccountArgs) -> AccountDone, One, Changes, Hub(accounts::unlock);
    /// Has a certificate log in to an account from now on: a client that shows it is logged in as soon as it comes.
    "accounts.certify" AccountsCertify(AccountCertificateArgs) -> AccountDone, One, Changes, Hub(accounts::certify);
    /// Has a certificate of an account log in no longer; who is logged in stays.
    "accounts.uncertify" AccountsUncertify(AccountCertificateArgs) -> AccountDone, One, Changes, Hub(accounts::uncertify);
    /// Gives an account another role.
    "accounts.role" AccountsRole(AccountRoleArgs) -> AccountDone, One, Changes, Hub(accounts::role);
    /// Removes an account; what was said under its name stays.
    "accounts.remove" AccountsRemove(AccountArgs) -> AccountDone, One, Changes, Hub(accounts::remove);
    /// Removes an account, and makes all that was said under its name unreadable, its topics as well. Errors are
    /// those of "history.redact"; the account is removed all the same.
    "accounts.erase" AccountsErase(AccountEraseArgs) -> Redacted, One, Changes, Writer(accounts::erase);
    /// Lists the rooms.
    "rooms.list" RoomsList(NoArgs) -> RoomList, One, Reads, Listing(Listing::rooms);
    /// Tells all about one room.
    "rooms.get" RoomsGet(RoomArgs) -> Room, One, Reads, Hub(rooms::get);
    /// Changes who comes into a room, who speaks in it and how often, and who sets its topic; those in it are told.
    "rooms.set" RoomsSet(RoomSetArgs) -> Room, One, Changes, Hub(rooms::set);
    /// Tells a room's topic, or sets it if a text is given; an empty one clears it.
    "rooms.topic" RoomsTopic(TopicArgs) -> Topic, One, Changes if |args| args.text.is_some(), Hub(rooms::topic);
    /// Closes a room; those in it are moved to the lobby.
    "rooms.close" RoomsClose(CloseArgs) -> Closed, One, Changes, Hub(rooms::close);
    /// Returns lines of history, of one room or of all, oldest first; nothing that was said in private.
    "history.dump" HistoryDump(HistoryArgs) -> Lines, OneOrMore, Reads, Reader(history::dump);
    /// Returns the lines of history in which a text occurs, oldest first.
    "history.search" HistorySearch(SearchArgs) -> Lines, OneOrMore, Reads, Reader(history::search);
    /// Makes lines of history unreadable, in memory, on disk and for searches; a marker stays. Topics that were set by
    /// such lines are cleared. At least one argument must say which. An error of the code "conflict" says that the
    /// disk takes nothing now: what is on it is made unreadable when it does.
    "history.redact" HistoryRedact(RedactArgs) -> Redacted, One, Changes if |args| !args.dry_run, Writer(history::redact);
    /// Tells how much history is kept, room by room.
    "history.stats" HistoryStats(NoArgs) -> HistoryStats, One, Reads, Reader(history::stats);
    /// Sends a copy of the recorded history as it is now, an SQLite database, piece by piece.
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

    /// A value for each key that some command requires.
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
                // One client, not several.
                let mut args = args;
                args["who"] = json!("ann");
                Command::parse(spec.name, args)
            })
            .expect(spec.name)
    }

    #[test]
    fn an_unknown_argument_is_named_whatever_it_is_called_and_those_that_are_known_are_listed() {
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
            // What can also only look does that when it is told least.
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
