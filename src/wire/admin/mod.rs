//! The admin protocol: newline-delimited JSON, one object a line in, one a line out.
//!
//! One declaration, the `commands!` table below, feeds the parser, the JSON Schemas of `describe`, the
//! manual page and `chathub ctl`. The types here are what both ends share: the daemon parses
//! [`Command`]s and serializes the result types, `ctl` does the reverse. Nothing here knows a socket.

pub mod execute;
pub mod frames;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::settings;
use crate::values::time::Wall;

/// Longest request, in bytes without its newline.
pub const MAX_REQUEST: usize = 64 * 1024;

/// The protocol's version, as `hello` tells it. Raised only when something that worked stops working.
pub const PROTOCOL: u32 = 1;

// ---------------------------------------------------------------------------------------------
// Values with bounds

/// A whole number from `MIN` to `MAX`, checked while it is parsed and stated in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// The number as a count of things in memory.
    #[must_use]
    pub fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// The number as seconds.
    #[must_use]
    pub fn seconds(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        if (MIN..=MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(de::Error::custom(format_args!("{number} is outside {MIN} to {MAX}")))
        }
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Whole<MIN, MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("whole_{MIN}_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A string of 1 to `MAX` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> std::ops::Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.len() {
            0 => Err(de::Error::custom("a string is empty")),
            n if n > MAX => Err(de::Error::custom(format_args!("a string has {n} bytes, at most {MAX} are allowed"))),
            _ => Ok(Self(text)),
        }
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("text_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX, "description": format!("At most {MAX} bytes.")})
    }
}

/// A point in time: RFC 3339 with milliseconds and `Z`, as in `2026-11-22T10:01:02.123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Wall);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years 1970 to 9999 are what the format holds; a clock outside of them is shown at its end.
        let millis = u64::try_from(self.0.0).unwrap_or(0).min(253_402_300_799_999);
        write!(f, "{}", humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)))
    }
}

impl std::str::FromStr for Time {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let at = humantime::parse_rfc3339_weak(text)
            .map_err(|_| format!("\"{text}\" is not a time like 2026-11-22T10:01:02Z"))?;
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Self(Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

// ---------------------------------------------------------------------------------------------
// Errors

/// Why a request was not carried out. The list is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a JSON object of the form `{"id", "cmd", "args", "more"}`, or longer than 64 KiB.
    BadRequest,
    /// No command of that name.
    UnknownCommand,
    /// An argument is missing, unknown, of the wrong type or out of bounds.
    BadArgument,
    /// What was named does not exist.
    NotFound,
    /// The one who asks may not do that.
    Denied,
    /// It cannot be done in the present state, for example because a name is taken.
    Conflict,
    /// A limit of the admin socket is reached; try again.
    Busy,
    /// It took too long.
    Timeout,
    /// A fault of the daemon; its journal says more.
    Internal,
}

/// The error of a reply: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: a lowercase fragment that names the thing.
    pub message: String,
}

impl ControlError {
    /// An error with this code and message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// ---------------------------------------------------------------------------------------------
// The table

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

/// No arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// What to describe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribeArgs {
    /// Only this command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Text<64>>,
}

/// Which clients to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientsListArgs {
    /// Only those in this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text<256>>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhoArgs {
    /// Its id, such as `c7`, or its name.
    pub who: Text<256>,
}

/// Whom to disconnect. Either all of them are known and are disconnected, or none is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KickArgs {
    /// Ids or names.
    pub who: Vec<Text<256>>,
    /// Told to the one disconnected and to the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// Keep out their addresses (of IPv6, their /64 networks) for so many seconds as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban_s: Option<Whole<1, 3_153_600_000>>,
}

/// Whom to keep out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BanArgs {
    /// A network such as `192.0.2.0/24` or `2001:db8::/32`, an address, or a name.
    pub target: Text<256>,
    /// Told to those it keeps out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// For how many seconds; without it, until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<1, 3_153_600_000>>,
    /// A network of more than 2^24 IPv4 addresses, or an IPv6 one shorter than /16, is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yes: bool,
    /// Tell whom it would hit, and change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Which ban to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnbanArgs {
    /// Its id, such as `b3`, or what it is about.
    pub which: Text<256>,
}

/// What to look for among the bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BanTestArgs {
    /// An address, a network, or a name.
    pub target: Text<256>,
}

/// A password, on its way to be hashed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What everybody may who has a name of their own.
    Member,
    /// To moderate, in chat.
    Operator,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountArgs {
    /// Its name.
    pub name: Text<256>,
}

/// An account to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAddArgs {
    /// Its name.
    pub name: Text<256>,
    /// Its password. It stands in no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Instead of the password, what argon2 has made of it: `$argon2id$v=19$...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed: Option<Text<256>>,
    /// What it may do; `member` if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// An account and its new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPasswdArgs {
    /// Its name.
    pub name: Text<256>,
    /// Its password. It stands in no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Instead of the password, what argon2 has made of it: `$argon2id$v=19$...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed: Option<Text<256>>,
}

/// An account and its new role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRoleArgs {
    /// Its name.
    pub name: Text<256>,
    /// What it may do.
    pub role: Role,
}

/// An account to be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountEraseArgs {
    /// Its name.
    pub name: Text<256>,
    /// It is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yes: bool,
}

/// Whom to mute. Either all of them are known and are muted, or none is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteArgs {
    /// Ids or names.
    pub who: Vec<Text<256>>,
    /// For how many seconds; 0 lifts the mute; without it, until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<0, 31_536_000>>,
    /// They are not told, and what they say looks said to them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// Whom to rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameArgs {
    /// Its id or present name.
    pub who: Text<256>,
    /// Its name from now on.
    pub nick: Text<256>,
}

/// A room's topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicArgs {
    /// The room.
    pub room: Text<256>,
    /// The new topic; empty clears it; without it, nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Which room to close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseArgs {
    /// The room; the lobby cannot be closed.
    pub room: Text<256>,
    /// Told to those in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
}

/// Which lines of history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryArgs {
    /// Only this room's; without it, all rooms' by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text<256>>,
    /// Only the last so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Whole<1, 1_000_000>>,
    /// Only those said at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only those said before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// What to search history for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArgs {
    /// The text; upper and lower case are the same.
    pub query: Text<256>,
    /// Only in this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text<256>>,
    /// Only the last so many matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Whole<1, 1_000_000>>,
    /// Only what was said at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only what was said before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Which lines to make unreadable: those that all arguments are true of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactArgs {
    /// Only in rooms of this name, also those that are closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text<256>>,
    /// Only those of the client with this id, such as `c7`, under whatever names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Text<32>>,
    /// Only those said under this name, by whomever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<Text<256>>,
    /// Only those with this number or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_seq: Option<u64>,
    /// Only those with this number or a lower one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_seq: Option<u64>,
    /// Only those said at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only those said before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Only those with this text in them; upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Text<256>>,
    /// Count them, and change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SayArgs {
    /// The text; one line.
    pub text: Text<4096>,
    /// Only to this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text<256>>,
}

/// How much to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only what an operator should look at.
    Error,
    /// And what goes on degraded.
    Warn,
    /// And start, stop, reload, moderation, arrivals and departures.
    Info,
    /// And the rest.
    Debug,
    /// And the runtime's own.
    Trace,
}

impl From<settings::LogLevel> for Level {
    fn from(level: settings::LogLevel) -> Self {
        match level {
            settings::LogLevel::Error => Self::Error,
            settings::LogLevel::Warn => Self::Warn,
            settings::LogLevel::Info => Self::Info,
            settings::LogLevel::Debug => Self::Debug,
            settings::LogLevel::Trace => Self::Trace,
        }
    }
}

impl From<Level> for settings::LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warn => Self::Warn,
            Level::Info => Self::Info,
            Level::Debug => Self::Debug,
            Level::Trace => Self::Trace,
        }
    }
}

/// The new log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelArgs {
    /// The new level; without it, nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// How to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShutdownArgs {
    /// How many seconds to wait for slow clients; without it, the setting `shutdown.deadline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<Whole<0, 3600>>,
    /// Part of the goodbye.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text<256>>,
}

/// What to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscribeArgs {
    /// Only these; without it, all but `say`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<EventKind>>,
}

// ---------------------------------------------------------------------------------------------
// Results

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// Always `chathub`.
    pub name: String,
    /// The daemon's version.
    pub version: String,
    /// The protocol's version.
    pub protocol: u32,
    /// The daemon's process id.
    pub pid: u32,
}

/// The commands and their schemas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// The protocol's version.
    pub protocol: u32,
    /// The commands.
    pub commands: Vec<CommandDescription>,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDescription {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// Whether it changes something.
    pub changes: bool,
    /// `one`, `one_or_more` or `more`.
    pub replies: String,
    /// The JSON Schema of `args`.
    pub args: Value,
    /// The JSON Schema of `result`.
    pub result: Value,
}

/// How the hub is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// `serving` or `stopping`.
    pub state: String,
    /// The daemon's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// When it started.
    pub since: Time,
    /// Seconds since then.
    pub uptime_s: u64,
    /// Clients connected.
    pub clients: u64,
    /// Most clients at one time.
    pub clients_peak: u64,
    /// Most clients allowed.
    pub clients_max: u64,
    /// Rooms.
    pub rooms: u64,
    /// Most rooms allowed.
    pub rooms_max: u64,
    /// Lines kept in memory, over all rooms.
    pub history_lines: u64,
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// Whether the sockets were handed over by a service manager.
    pub activated: bool,
    /// Whether connections outlive the daemon, and if not, why.
    pub survival: String,
    /// Whether what is said is recorded, and if not, why.
    #[serde(default)]
    pub recording: String,
    /// Whether bans and accounts on disk cannot be read, so that not all may be known.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
    /// Who is connected to the admin socket, the oldest connection first.
    #[serde(default)]
    pub admins: Vec<AdminConnection>,
    /// How long the turns of the daemon's loop take: nobody is read meanwhile.
    #[serde(default)]
    pub turns: LoopTurns,
    /// The settings file in force, if one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The log level.
    pub log_level: Level,
    /// Events since the start, by name; the same that `metrics` tells.
    pub counters: Map<String, Value>,
}

/// A connection to the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdminConnection {
    /// The user's number.
    pub uid: u32,
    /// The process id, as far as it can be seen from the daemon; else 0.
    pub pid: i32,
    /// For how many seconds it has been there.
    pub age_s: u64,
    /// For how many seconds nothing has been under way on it; absent while something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<u64>,
}

/// How long the turns of the daemon's loop take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoopTurns {
    /// How many there were.
    pub count: u64,
    /// How long all of them took, in microseconds.
    pub total_us: u64,
    /// How long the longest one took, in microseconds.
    pub longest_us: u64,
    /// What took most of that, and how long, in microseconds.
    #[serde(default)]
    pub longest_doing: String,
    /// How long that took.
    #[serde(default)]
    pub longest_doing_us: u64,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_at: Option<Time>,
    /// How many took how long.
    pub histogram: Vec<TurnCount>,
}

/// How many turns took so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnCount {
    /// No longer than so many microseconds, and longer than the entry before says; without a number, longer than
    /// all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to_us: Option<u64>,
    /// How many.
    pub count: u64,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// What it is for: `chat` or `admin`.
    pub name: String,
    /// Its address or path.
    pub addr: String,
}

/// All counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// OpenMetrics text, with its `# EOF`.
    pub text: String,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Its id; never given to another client.
    pub id: String,
    /// Its name.
    pub nick: String,
    /// Its address.
    pub addr: String,
    /// Its port.
    pub port: u16,
    /// The room it is in.
    pub room: String,
    /// Since when it is connected.
    pub since: Time,
    /// Seconds since it last sent a line.
    pub idle_s: u64,
    /// Whether it speaks telnet.
    pub telnet: bool,
    /// Bytes written for it that it has not taken yet.
    pub behind_bytes: u64,
    /// Lines it has sent.
    pub lines: u64,
    /// Lines of it that were dropped because it sent too fast.
    pub dropped: u64,
    /// Strikes that count against its address now.
    #[serde(default)]
    pub strikes: u32,
    /// Lines of its room that it was too slow to be given.
    pub missed: u64,
    /// Why it is away, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// The account it is logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What it may do, if it is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Until when it is muted: a time, or `always` if until somebody lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<String>,
    /// Whether it does not know of the mute.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// Clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientList {
    /// By age, oldest first.
    pub clients: Vec<Client>,
    /// How many.
    pub total: u64,
}

/// Who was disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kicked {
    /// Ids, in the order of `who`, each once; behind them those whom the bans hit as well.
    pub kicked: Vec<String>,
    /// Bans that were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned: Vec<Ban>,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ban {
    /// Its id.
    pub id: String,
    /// The network or the name.
    pub target: String,
    /// `network` or `name`.
    pub kind: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made it: `uid 0`.
    pub by: String,
    /// When it was made.
    pub since: Time,
    /// When it ends; absent if when it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanList {
    /// By age, oldest first.
    pub bans: Vec<Ban>,
    /// How many.
    pub total: u64,
    /// Whether they outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// Who is kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Banned {
    /// The ban; with `dry_run`, absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<Ban>,
    /// Ids of the clients that were disconnected, or would be.
    pub disconnected: Vec<String>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// Who is no longer kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unbanned {
    /// The ban that was lifted.
    pub removed: Ban,
}

/// What was found among the bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanTest {
    /// Bans that keep it out.
    pub bans: Vec<Ban>,
    /// Ids of the clients that a ban of it would hit.
    pub clients: Vec<String>,
}

/// Who was muted, or may speak again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Muted {
    /// Ids, in the order of `who`, each once.
    pub muted: Vec<String>,
    /// Until when; absent if until it is lifted, or if it was just lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A new name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// The client's id.
    pub id: String,
    /// Its name before.
    pub from: String,
    /// Its name now.
    pub nick: String,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Room {
    /// Its name.
    pub name: String,
    /// Its topic, empty if there is none.
    pub topic: String,
    /// How many are in it.
    pub members: u64,
    /// Since when it exists.
    pub since: Time,
    /// Lines said in it since then.
    pub lines: u64,
    /// Lines of it kept in memory.
    pub history_lines: u64,
    /// Whose it is, if it is somebody's: the name of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only those who are invited come in, and what is said is recorded nowhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Only those who have a voice speak.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moderated: bool,
}

/// Rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomList {
    /// By members, most first.
    pub rooms: Vec<Room>,
    /// How many.
    pub total: u64,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topic {
    /// The room.
    pub room: String,
    /// Its topic now, empty if there is none.
    pub topic: String,
}

/// A room that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// The room.
    pub room: String,
    /// How many were moved to the lobby.
    pub moved: u64,
}

/// What kind of line history keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Said: `ann: hi`.
    Say,
    /// Done: `* ann waves`.
    Emote,
    /// Said by the hub's administrator.
    Notice,
    /// A new topic.
    Topic,
    /// Nothing any more: an administrator has made it unreadable.
    Redacted,
}

/// A line of history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Its number; unique and rising over all rooms.
    pub seq: u64,
    /// When it was said.
    pub t: Time,
    /// In which room.
    pub room: String,
    /// By whom.
    pub nick: String,
    /// What kind of line it is.
    pub kind: LineKind,
    /// The text.
    pub text: String,
}

/// Lines of history; with `"more"`, one [`Line`] a reply and then [`Count`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// Oldest first.
    pub lines: Vec<Line>,
    /// How many.
    pub count: u64,
}

/// The last reply of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// How many replies came before.
    pub count: u64,
}

/// What was made unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redacted {
    /// How many lines, or would be.
    pub lines: u64,
    /// Whether they were only counted.
    pub dry_run: bool,
}

/// A piece of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupPiece {
    /// Where in the file it belongs. Pieces come in order, without gaps.
    pub offset: u64,
    /// How many bytes the file has.
    pub total: u64,
    /// The bytes, in Base64 (RFC 4648) with padding.
    pub data: String,
}

/// How much history is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryStats {
    /// Lines in memory.
    pub lines: u64,
    /// Bytes of text in memory.
    pub bytes: u64,
    /// Lines kept for each room at most.
    pub lines_per_room: u64,
    /// Whether history outlives the daemon.
    pub persistent: bool,
    /// Room by room.
    pub rooms: Vec<RoomHistory>,
    /// What is on disk, if anything is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskHistory>,
}

/// History on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskHistory {
    /// Where it is.
    pub file: String,
    /// Lines in it.
    pub lines: u64,
    /// Bytes of it that are in use.
    pub bytes: u64,
    /// Up to when the index reaches that makes searches fast; what was said later is found as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_to: Option<Time>,
    /// Bytes of lines that wait for the disk.
    pub waiting_bytes: u64,
    /// Lines that were not recorded since the start.
    pub lost: u64,
    /// What is wrong, if the disk takes nothing now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The file that could not be read and was set aside last, since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// Room by room, also those that are closed; most lines first.
    pub rooms: Vec<DiskRoom>,
}

/// History on disk of all rooms of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskRoom {
    /// The name.
    pub room: String,
    /// Lines on disk.
    pub lines: u64,
    /// When the oldest was said.
    pub oldest: Time,
    /// When the newest was said.
    pub newest: Time,
}

/// History of one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomHistory {
    /// The room.
    pub room: String,
    /// Lines in memory.
    pub lines: u64,
    /// When the oldest of them was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Time>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when it exists.
    pub since: Time,
    /// When somebody last logged in to it, or out of it.
    pub seen: Time,
    /// The id of the client that is logged in to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether it has a password; without one, nobody can log in.
    pub password: bool,
}

/// Accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountList {
    /// By age, oldest first.
    pub accounts: Vec<Account>,
    /// How many.
    pub total: u64,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// An account that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDone {
    /// As it is now; or was, if it was removed.
    pub account: Account,
}

/// How many were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    /// In how many rooms.
    pub rooms: u64,
    /// How many clients.
    pub clients: u64,
}

/// The log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLevel {
    /// In force now.
    pub level: Level,
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reloaded {
    /// Settings that changed and are in force now.
    pub applied: Vec<String>,
    /// Settings that changed and take effect at the next start.
    pub restart: Vec<String>,
}

/// How the shutdown went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// Clients that were connected.
    pub clients: u64,
    /// Clients that had not taken all that was owed to them when the deadline came.
    pub gave_up: u64,
    /// What could surprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody connected, or came into a room.
    Join,
    /// Somebody left a room, or disconnected.
    Leave,
    /// Somebody has another name.
    Nick,
    /// Something was said in a room.
    Say,
    /// A room came into being or ceased to be.
    Room,
    /// A room has another topic.
    Topic,
    /// Somebody was disconnected by an administrator.
    Kick,
    /// Somebody was muted, or may speak again.
    Mute,
    /// A connection was refused.
    Refuse,
    /// Somebody sends too fast, or reads too slowly.
    Flood,
    /// Something counts against somebody.
    Strike,
    /// Somebody reported somebody.
    Report,
    /// Somebody is kept out, or no longer.
    Ban,
    /// An account was made, changed or removed, or somebody has logged in or out, or failed to.
    Account,
    /// Recorded history has a gap, or again none, or lines of it were made unreadable.
    History,
    /// The settings were read again.
    Reload,
    /// The hub is going to stop.
    Shutdown,
}

/// Something that happened. Fields that do not apply are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// What happened.
    pub event: EventKind,
    /// When.
    pub t: Time,
    /// The client's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The client's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The text, the reason, the topic or the former name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who did it: `uid 0`, if it was an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Events that this subscriber was too slow to be given, since the one before.
    pub lost: u64,
}

// ---------------------------------------------------------------------------------------------
// Requests and replies

/// A request as it came: its id, and either a command or what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Sent back with every reply; `null` if none came.
    pub id: Value,
    /// What to do.
    pub command: Result<Command, ControlError>,
    /// Whether a stream of replies is wanted.
    pub more: bool,
}

impl Request {
    /// Reads one line, without its newline.
    #[must_use]
    pub fn parse(line: &[u8]) -> Self {
        let mut id = Value::Null;
        let mut more = false;
        let command = Self::read(line, &mut id, &mut more);
        Self { id, command, more }
    }

    fn read(line: &[u8], id: &mut Value, more: &mut bool) -> Result<Command, ControlError> {
        let bad = |message: String| ControlError::new(ErrorCode::BadRequest, message);
        let object: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| bad(format!("not a JSON object: {error}")))?;
        // The id first, whatever else is wrong: the one who asks must be able to tell which it was.
        match object.get("id") {
            None => {}
            Some(given @ (Value::String(_) | Value::Number(_) | Value::Null)) => *id = given.clone(),
            Some(_) => return Err(bad("\"id\" is neither a string nor a number".into())),
        }
        let mut name = None;
        let mut args = Value::Object(Map::new());
        for (key, value) in object {
            match (key.as_str(), value) {
                ("id", _) => {}
                ("cmd", Value::String(cmd)) => name = Some(cmd),
                ("cmd", _) => return Err(bad("\"cmd\" is not a string".into())),
                ("args", value @ Value::Object(_)) => args = value,
                ("args", _) => return Err(bad("\"args\" is not an object".into())),
                ("more", Value::Bool(wanted)) => *more = wanted,
                ("more", _) => return Err(bad("\"more\" is neither true nor false".into())),
                (other, _) => {
                    return Err(bad(format!(
                        "unknown key {other:?}; a request has \"id\", \"cmd\", \"args\" and \"more\""
                    )));
                }
            }
        }
        let name = name.ok_or_else(|| bad("no \"cmd\"".into()))?;
        let command = Command::parse(&name, args)?;
        match (command.spec().replies, *more) {
            (Replies::One, true) => Err(bad(format!("{name} answers once: leave out \"more\""))),
            (Replies::More, false) => Err(bad(format!("{name} answers with a stream: send \"more\": true"))),
            _ => Ok(command),
        }
    }

    /// The line that asks for this, with its newline.
    #[must_use]
    pub fn line(id: &Value, command: &Command, more: bool) -> String {
        let mut object = Map::new();
        object.insert("id".into(), id.clone());
        object.insert("cmd".into(), command.spec().name.into());
        object.insert("args".into(), command.args());
        if more {
            object.insert("more".into(), true.into());
        }
        format!("{}\n", Value::Object(object))
    }
}

/// One line of an answer. A client must not mind keys that it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// That of the request.
    pub id: Value,
    /// Whether it was done.
    pub ok: bool,
    /// Whether another reply to the same request follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// What came out, if `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why not, if not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ControlError>,
}

/// Whether a reply is the last one to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// More follow.
    More,
    /// The last, or only, one.
    Last,
}

impl Reply {
    /// The line for a result, with its newline.
    #[must_use]
    pub fn done<T: Serialize>(id: &Value, place: Place, result: &T) -> String {
        let result = serde_json::to_value(result).expect("results are plain JSON");
        Self { id: id.clone(), ok: true, more: place == Place::More, result: Some(result), error: None }.line()
    }

    /// The line for an error, with its newline.
    #[must_use]
    pub fn refused(id: &Value, error: &ControlError) -> String {
        Self { id: id.clone(), ok: false, more: false, result: None, error: Some(error.clone()) }.line()
    }

    /// The only line for a result that is JSON already.
    #[must_use]
    pub fn done_with(id: &Value, result: &str) -> String {
        format!("{{\"id\":{id},\"ok\":true,\"result\":{result}}}\n")
    }

    fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("replies are plain JSON");
        line.push('\n');
        line
    }
}

/// The answer to `describe`.
///
/// # Errors
/// [`ErrorCode::NotFound`] if there is no such command.
pub fn describe(args: &DescribeArgs) -> Result<Description, ControlError> {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let commands: Vec<_> = COMMANDS
        .iter()
        .filter(|spec| args.cmd.as_ref().is_none_or(|cmd| &**cmd == spec.name))
        .map(|spec| CommandDescription {
            name: spec.name.into(),
            about: spec.about.trim().into(),
            changes: spec.effect == Effect::Changes,
            replies: match spec.replies {
                Replies::One => "one",
                Replies::OneOrMore => "one_or_more",
                Replies::More => "more",
            }
            .into(),
            args: (spec.args)(&mut generator).to_value(),
            result: (spec.result)(&mut generator).to_value(),
        })
        .collect();
    match &args.cmd {
        Some(cmd) if commands.is_empty() => {
            let error = unknown_command(cmd);
            Err(ControlError::new(ErrorCode::NotFound, error.message))
        }
        _ => Ok(Description { protocol: PROTOCOL, commands }),
    }
}

/// What [`describe`] says, as JSON: made once for each command that is asked for, and for all of them. The first
/// time takes milliseconds.
///
/// # Errors
/// As [`describe`].
pub fn described(args: &DescribeArgs) -> Result<&'static str, ControlError> {
    static ALL: OnceLock<String> = OnceLock::new();
    static EACH: [OnceLock<String>; COMMANDS.len()] = [const { OnceLock::new() }; COMMANDS.len()];
    let place = match &args.cmd {
        None => &ALL,
        Some(cmd) => match COMMANDS.iter().position(|spec| spec.name == &**cmd) {
            Some(at) => &EACH[at],
            None => return Err(ControlError::new(ErrorCode::NotFound, unknown_command(cmd).message)),
        },
    };
    if let Some(made) = place.get() {
        return Ok(made);
    }
    let value = serde_json::to_value(describe(args)?).expect("schemas are plain JSON");
    Ok(place.get_or_init(|| value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn code(line: &str) -> ErrorCode {
        Request::parse(line.as_bytes()).command.expect_err(line).code
    }

    #[test]
    fn contract_examples_are_read() {
        let request = Request::parse(br#"{"id":4,"cmd":"history.dump","args":{"room":"lobby","last":2},"more":true}"#);
        assert_eq!(request.id, json!(4));
        assert!(request.more);
        let expected = HistoryArgs { room: Some(Text("lobby".into())), last: Some(Whole(2)), ..HistoryArgs::default() };
        assert_eq!(request.command, Ok(Command::HistoryDump(expected)));
    }

    #[test]
    fn bad_requests_are_told_apart_and_keep_their_id() {
        assert_eq!(code("nonsense"), ErrorCode::BadRequest);
        assert_eq!(code("[]"), ErrorCode::BadRequest);
        assert_eq!(code("{}"), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"status","extra":1}"#), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"status","more":true}"#), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"events.subscribe"}"#), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"statsu"}"#), ErrorCode::UnknownCommand);
        assert_eq!(code(r#"{"cmd":"status","args":{"x":1}}"#), ErrorCode::BadArgument);
        assert_eq!(code(r#"{"cmd":"history.dump","args":{"last":0}}"#), ErrorCode::BadArgument);
        assert_eq!(code(r#"{"cmd":"say","args":{"text":""}}"#), ErrorCode::BadArgument);
        assert_eq!(code(r#"{"cmd":"say"}"#), ErrorCode::BadArgument);
        let request = Request::parse(br#"{"zzz":1,"id":"a7","cmd":"nope"}"#);
        assert_eq!(request.id, json!("a7"));
        assert!(request.command.is_err());
    }

    #[test]
    fn unknown_command_names_the_nearest() {
        let error = Command::parse("clients.lst", json!({})).expect_err("no such command");
        assert!(error.message.contains("\"clients.list\""), "{error}");
    }

    #[test]
    fn every_command_is_described_with_schemas_and_has_a_name_of_its_own() {
        let description = describe(&DescribeArgs::default()).expect("all");
        assert_eq!(description.commands.len(), COMMANDS.len());
        let mut names: Vec<_> = COMMANDS.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
        for command in &description.commands {
            assert_eq!(command.args["additionalProperties"], json!(false), "{} takes unknown keys", command.name);
            assert!(!command.about.is_empty());
        }
        let kick = description.commands.iter().find(|c| c.name == "clients.kick").expect("kick");
        assert_eq!(kick.args["required"], json!(["who"]));
    }

    #[test]
    fn times_keep_their_milliseconds() {
        let time: Time = "2026-11-22T10:01:02.123Z".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-11-22T10:01:02.123Z");
        assert!("yesterday".parse::<Time>().is_err());
    }

    proptest! {
        #[test]
        fn no_request_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Request::parse(&bytes);
        }
    }
}
