//! The admin protocol: newline-delimited JSON, one object a line in, one a line out.
//!
//! One declaration, the `commands!` table below, feeds the parser, the JSON Schemas of `describe`, the
//! manual page and `chathub ctl`. The types here are what both ends share: the daemon parses
//! [`Command`]s and serializes the result types, `ctl` does the reverse. Nothing here knows a socket.

pub mod args;
pub mod describe;
pub mod event;
pub mod execute;
pub mod frames;
pub mod message;
pub mod result;
pub mod value;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::wire::admin::args::{
    AccountAddArgs, AccountArgs, AccountEraseArgs, AccountPasswdArgs, AccountRoleArgs, BanArgs, BanTestArgs,
    ClientsListArgs, CloseArgs, DescribeArgs, HistoryArgs, KickArgs, LogLevelArgs, MuteArgs, NoArgs, RedactArgs,
    RenameArgs, SayArgs, SearchArgs, ShutdownArgs, SubscribeArgs, TopicArgs, UnbanArgs, WhoArgs,
};
use crate::wire::admin::describe::Description;
use crate::wire::admin::event::Event;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{
    AccountDone, AccountList, BackupPiece, BanList, BanTest, Banned, Client, ClientList, Closed, Hello, HistoryStats,
    Kicked, Lines, LogLevel, Metrics, Muted, Redacted, Reloaded, Renamed, RoomList, Said, Status, Stopped, Topic,
    Unbanned,
};

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
    /// It only looks.
    Reads,
    /// It changes something.
    Changes,
}

impl Command {
    /// Whether this one changes something: a command that can also only look does not always.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::RoomsTopic(args) => args.text.is_some(),
            Self::LogLevel(args) => args.level.is_some(),
            Self::HistoryRedact(args) => !args.dry_run,
            Self::BansAdd(args) => !args.dry_run,
            other => other.spec().effect == Effect::Changes,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Its name on the wire, such as `clients.kick`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Whether it changes something.
    pub effect: Effect,
    /// How it answers.
    pub replies: Replies,
    /// The JSON Schema of `args`.
    pub args: fn(&mut SchemaGenerator) -> Schema,
    /// The JSON Schema of `result`; for a stream, that of the last one is [`Count`].
    pub result: fn(&mut SchemaGenerator) -> Schema,
}

macro_rules! commands {
    ($( $(#[doc = $about:literal])+ $name:literal $variant:ident ( $args:ty ) -> $result:ty, $effect:ident, $replies:ident; )+) => {
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
                effect: Effect::$effect,
                replies: Replies::$replies,
                args: |generator| <$args>::json_schema(generator),
                result: |generator| <$result>::json_schema(generator),
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
                    $( $name => serde_json::from_value::<$args>(args).map(Self::$variant).map_err(|error| bad_argument(name, &error)), )+
                    _ => Err(unknown_command(name)),
                }
            }

            /// The `args` object of this command, for whoever sends it.
            #[must_use]
            pub fn args(&self) -> Value {
                match self {
                    $( Self::$variant(args) => serde_json::to_value(args).expect("arguments are plain JSON"), )+
                }
            }
        }
    };
}

fn bad_argument(command: &str, error: &serde_json::Error) -> ControlError {
    ControlError::new(ErrorCode::BadArgument, format!("{command}: {error}"))
}

fn unknown_command(name: &str) -> ControlError {
    let shown: String = name.chars().take(64).collect();
    let near = COMMANDS
        .iter()
        .map(|spec| (strsim::damerau_levenshtein(spec.name, &shown), spec.name))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    let hint =
        near.map_or_else(|| "\"describe\" lists them".to_owned(), |(_, name)| format!("did you mean \"{name}\"?"));
    ControlError::new(ErrorCode::UnknownCommand, format!("no command {shown:?}; {hint}"))
}

commands! {
    /// Says who answers: name, version and protocol.
    "hello" Hello(NoArgs) -> Hello, Reads, One;
    /// Lists the commands with the JSON Schemas of their arguments and results.
    "describe" Describe(DescribeArgs) -> Description, Reads, One;
    /// Tells how the hub is doing: uptime, clients, rooms, limits reached, listeners.
    "status" Status(NoArgs) -> Status, Reads, One;
    /// Returns all counters as OpenMetrics text.
    "metrics" Metrics(NoArgs) -> Metrics, Reads, One;
    /// Lists the clients, all or those of one room.
    "clients.list" ClientsList(ClientsListArgs) -> ClientList, Reads, One;
    /// Tells all about one client.
    "clients.get" ClientsGet(WhoArgs) -> Client, Reads, One;
    /// Disconnects clients after telling them why.
    "clients.kick" ClientsKick(KickArgs) -> Kicked, Changes, One;
    /// Keeps clients from being heard for a time, and tells them unless `shadow`; `for_s` 0 lifts it.
    "clients.mute" ClientsMute(MuteArgs) -> Muted, Changes, One;
    /// Gives a client another name.
    "clients.rename" ClientsRename(RenameArgs) -> Renamed, Changes, One;
    /// Lists the bans in force.
    "bans.list" BansList(NoArgs) -> BanList, Reads, One;
    /// Keeps out whoever comes from a network, or bears a name or is logged in to its account, and disconnects
    /// those who are here. A ban of the same is replaced.
    "bans.add" BansAdd(BanArgs) -> Banned, Changes, One;
    /// Lifts a ban.
    "bans.remove" BansRemove(UnbanArgs) -> Unbanned, Changes, One;
    /// Tells which bans keep out an address or a name, and which clients a ban of that would hit.
    "bans.test" BansTest(BanTestArgs) -> BanTest, Reads, One;
    /// Lists the accounts.
    "accounts.list" AccountsList(NoArgs) -> AccountList, Reads, One;
    /// Makes an account: from then on nobody else can have that name. Without a password nobody can log in
    /// to it until there is one.
    "accounts.add" AccountsAdd(AccountAddArgs) -> AccountDone, Changes, One;
    /// Gives an account another password, and forgets what strangers have tried.
    "accounts.passwd" AccountsPasswd(AccountPasswdArgs) -> AccountDone, Changes, One;
    /// Forgets how often strangers have tried the password of an account, so that nobody waits because of them.
    "accounts.unlock" AccountsUnlock(AccountArgs) -> AccountDone, Changes, One;
    /// Gives an account another role.
    "accounts.role" AccountsRole(AccountRoleArgs) -> AccountDone, Changes, One;
    /// Removes an account; what was said under its name stays.
    "accounts.remove" AccountsRemove(AccountArgs) -> AccountDone, Changes, One;
    /// Removes an account, and makes all that was said under its name unreadable.
    "accounts.erase" AccountsErase(AccountEraseArgs) -> Redacted, Changes, One;
    /// Lists the rooms.
    "rooms.list" RoomsList(NoArgs) -> RoomList, Reads, One;
    /// Tells a room's topic, or sets it if a text is given; an empty one clears it.
    "rooms.topic" RoomsTopic(TopicArgs) -> Topic, Changes, One;
    /// Closes a room; those in it are moved to the lobby.
    "rooms.close" RoomsClose(CloseArgs) -> Closed, Changes, One;
    /// Returns lines of history, of one room or of all, oldest first.
    "history.dump" HistoryDump(HistoryArgs) -> Lines, Reads, OneOrMore;
    /// Returns the lines of history in which a text occurs, oldest first.
    "history.search" HistorySearch(SearchArgs) -> Lines, Reads, OneOrMore;
    /// Makes lines of history unreadable, in memory, on disk and for searches; a marker stays. At least one
    /// argument must say which.
    "history.redact" HistoryRedact(RedactArgs) -> Redacted, Changes, One;
    /// Tells how much history is kept, room by room.
    "history.stats" HistoryStats(NoArgs) -> HistoryStats, Reads, One;
    /// Sends a copy of the recorded history as it is now, an SQLite database, piece by piece.
    "backup" Backup(NoArgs) -> BackupPiece, Reads, More;
    /// Says something to everybody, or to one room, in the name of the hub.
    "say" Say(SayArgs) -> Said, Changes, One;
    /// Tells the log level, or sets it until the next start.
    "log.level" LogLevel(LogLevelArgs) -> LogLevel, Changes, One;
    /// Reads the settings again; keeps the old ones if there is any error.
    "reload" Reload(NoArgs) -> Reloaded, Changes, One;
    /// Says goodbye to everybody, writes out what is owed, and ends the daemon.
    "shutdown" Shutdown(ShutdownArgs) -> Stopped, Changes, One;
    /// Streams what happens from now on.
    "events.subscribe" EventsSubscribe(SubscribeArgs) -> Event, Reads, More;
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
}
