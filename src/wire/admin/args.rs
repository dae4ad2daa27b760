//! What the commands of the admin protocol take: one struct for the `args` of each. Unknown keys are refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hub::ownership::SLOW;
use crate::settings;
use crate::values::time::LONGEST;
use crate::wire::admin::Command;
use crate::wire::admin::event::EventKind;
use crate::wire::admin::value::{Password, Role, RoomName, Text, Time, Whole, not_empty, some_whole};

/// The longest ban or expulsion that has an end, in seconds: 100 years.
pub const LONGEST_BAN: u64 = LONGEST.as_secs();

/// The longest mute that has an end, in seconds: 100 years, as in chat.
pub const LONGEST_MUTE: u64 = LONGEST.as_secs();

/// The longest time between two lines of one person in a slow room, in seconds: a day.
pub const LONGEST_SLOW: u64 = SLOW.1.as_secs();

/// The longest lockdown, in seconds: 30 days.
pub const LONGEST_LOCKDOWN: u64 = 30 * 86_400;

/// The longest time that a shutdown waits for slow clients, in seconds: an hour.
pub const LONGEST_SHUTDOWN: u64 = 3600;

/// The most lines of history that are asked for by number.
pub const MOST_LINES: u64 = 1_000_000;

/// No arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// What to describe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribeArgs {
    /// The name of the only command to describe; without it, all commands are described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Text<64>>,
}

/// How to tell what is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsArgs {
    /// Whether to tell the metrics as values instead of text; false without it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub families: bool,
}

/// Which clients to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientsListArgs {
    /// The name of the room whose clients to list; without it, those of all rooms are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhoArgs {
    /// The client's id, such as `c7`, or its name.
    pub who: Text<256>,
}

/// Whom to disconnect. Either all of them are known and are disconnected, or none is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KickArgs {
    /// The clients to disconnect, by ids such as `c7` or by names; at least one.
    #[serde(deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    pub who: Vec<Text<256>>,
    /// The reason, told to those who are disconnected and to their rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// The length in seconds of a ban of their addresses (of IPv6, their /64 networks), 100 years at most; without it,
    /// their addresses are not banned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban_s: Option<Whole<1, LONGEST_BAN>>,
}

/// Whom to keep out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BanArgs {
    /// A network such as `192.0.2.0/24` or `2001:db8::/32`, an address, the id of a client that is here or has left a
    /// moment ago, a name, or a pattern of names such as `bot-*` or `/^bot[0-9]/`.
    pub target: Text<256>,
    /// The reason, told to those who are kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// The length of the ban in seconds, 100 years at most; without it, the ban lasts until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<1, LONGEST_BAN>>,
    /// Whether to ban what is refused without it: a network of more than 2^24 IPv4 addresses, or an IPv6 network
    /// shorter than /16; a network that is written with bits behind its length, such as `10.1.2.3/8` for `10.0.0.0/8`;
    /// a name that several have borne of late, or that somebody has borne who bears another one now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yes: bool,
    /// Whether to ban nobody, and only tell which clients the ban would disconnect; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Which ban to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnbanArgs {
    /// The ban to lift, by its id, such as `b3`, or by the network or name that it is about.
    pub which: Text<256>,
}

/// What is to be kept back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterArgs {
    /// What the filter finds: a word, several words in a row, or a pattern between slashes, as an entry of the setting
    /// `filters.refuse`.
    pub text: Text<200>,
    /// Whether each line that the filter keeps back counts as a strike against the person as well; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strike: bool,
    /// The reason for the filter, which stands in the list of filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// The length of time in seconds for which the filter holds, 100 years at most; without it, the filter holds until
    /// it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<1, 3_153_600_000>>,
    /// Whether to make no filter, and only tell what it would have kept back of what was said last; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Which filter to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnfilterArgs {
    /// The filter to lift, by its id, such as `f3`, or by what it finds.
    pub which: Text<256>,
}

/// What to look for among the bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BanTestArgs {
    /// What to look for among the bans: an address, a network, a name, or a pattern of names.
    pub target: Text<256>,
}

/// Which sanctions to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SanctionListArgs {
    /// The kind of sanctions to list; without it, sanctions of all kinds are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SanctionKind>,
}

/// A kind of sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SanctionKind {
    /// Somebody does not come in.
    Ban,
    /// Nobody is shown what somebody says, whether they are told so or not.
    Mute,
    /// Somebody does not come into a room.
    Expulsion,
    /// What has certain words in it reaches nobody.
    Filter,
    /// Newcomers do not come in, or are not heard, until they have logged in.
    Lockdown,
}

/// Which sanction to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftArgs {
    /// The id of the sanction to lift, such as `b3`, `m4`, `x5`, `f6` or `l7`.
    pub which: Text<256>,
}

/// What to look for among the sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SanctionTestArgs {
    /// What to look for among the sanctions: a client's id or name, an address, a network, a name, or a pattern of
    /// names.
    pub target: Text<256>,
}

/// Which reports to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportsListArgs {
    /// Whether to list closed reports as well as those that are open; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportArgs {
    /// The report's id, such as `r12`.
    pub report: Text<32>,
}

/// Which reports to close. Either all that are named are known, or none is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportsCloseArgs {
    /// The reports to close, by ids such as `r12` and ranges such as `r12-r15`; at least one. Of a range, the reports
    /// are closed that are open.
    #[serde(deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    pub reports: Vec<Text<64>>,
    /// A note on why the reports are closed, which operators see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<256>>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountArgs {
    /// The name of the account.
    pub name: Text<256>,
}

/// An account to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAddArgs {
    /// The name of the new account.
    pub name: Text<256>,
    /// The password of the new account, which stands in no log; without it and `hashed`, nobody can log in by a
    /// password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Instead of the password, what argon2 has made of it: `$argon2id$v=19$...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed: Option<Text<256>>,
    /// The role of the new account; `member` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether to make no account, and only tell whether it could be made, and what it would be; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// An account and its new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPasswdArgs {
    /// The name of the account.
    pub name: Text<256>,
    /// The new password of the account, which stands in no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Instead of the password, what argon2 has made of it: `$argon2id$v=19$...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed: Option<Text<256>>,
}

/// An account, and a certificate that is to log in to it, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountCertificateArgs {
    /// The name of the account.
    pub name: Text<256>,
    /// The certificate, by the SHA-256 of its public key: 64 hexadecimal digits, with or without colons.
    pub fingerprint: Text<95>,
}

/// An account and its new role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRoleArgs {
    /// The name of the account.
    pub name: Text<256>,
    /// The new role of the account.
    pub role: Role,
}

/// An account to be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountEraseArgs {
    /// The name of the account.
    pub name: Text<256>,
    /// Whether it is meant: the command is refused unless this is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yes: bool,
}

/// Whom to mute. Either all of them can be muted and are, or none is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteArgs {
    /// Whom to mute: ids or names of clients that are here or have left a moment ago; names, patterns of names,
    /// addresses or networks of others; at least one.
    #[serde(deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    pub who: Vec<Text<256>>,
    /// The length of the mute in seconds, 100 years at most; 0 lifts mutes; without it, the mute lasts until it is
    /// lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<0, LONGEST_MUTE>>,
    /// Whether the people who are muted are not told, so that to them what they say looks said; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// The reason for the mute, which stands in the list of sanctions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// Whether to mute nobody, and only tell which clients the mute would reach; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Whom to rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameArgs {
    /// The client's id or present name.
    pub who: Text<256>,
    /// The client's new name.
    pub nick: Text<256>,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomArgs {
    /// The name of the room.
    pub room: RoomName,
}

/// What is to be changed of a room; what is not named stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomSetArgs {
    /// The name of the room.
    pub room: RoomName,
    /// Whether only invited people come into the room; without it, that stays as it is. The lobby cannot be private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Whether only people with a voice speak in the room; without it, that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderated: Option<bool>,
    /// Whether only people who are logged in, or have a voice, speak in the room; without it, that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
    /// Whether only people come into the room whose connections are encrypted, or come from a network of
    /// `access.secure`; without it, that stays as it is. Not for the lobby, nor while anybody else is in the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// Whether only the owner, moderators and operators set the room's topic; without it, that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_locked: Option<bool>,
    /// The least time in seconds between two lines of one person in the room, a day at most; 0 ends that; without it,
    /// it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_s: Option<Whole<0, LONGEST_SLOW>>,
    /// Whether the room is kept while nobody is in it, also on disk; without it, that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<bool>,
    /// The name of the account that gets the room; without it, the owner stays. The lobby has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text<256>>,
}

/// A room's topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicArgs {
    /// The name of the room.
    pub room: RoomName,
    /// The new topic of the room; an empty one clears the topic; without it, the topic stays and is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Which room to close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseArgs {
    /// The name of the room to close, which cannot be the lobby.
    pub room: RoomName,
    /// The reason for closing the room, told to those in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
}

/// Which lines of history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryArgs {
    /// The name of the room whose lines are wanted; without it, the lines of all rooms are, by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// The most lines that are wanted, the newest of them, 1,000,000 at most; without it, there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Whole<1, MOST_LINES>>,
    /// Only lines said at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only lines said before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// What to search history for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArgs {
    /// The text to search history for; upper and lower case are the same.
    pub query: Text<256>,
    /// The name of the room to search; without it, all rooms are searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// The most matching lines that are wanted, the newest of them, 1,000,000 at most; without it, there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Whole<1, MOST_LINES>>,
    /// Only lines said at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only lines said before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Which lines to make unreadable: those that all arguments are true of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactArgs {
    /// Only lines of rooms of this name, open or closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// Only lines of the client with this id, such as `c7`, under whatever names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Text<32>>,
    /// Only lines said under this name, by whatever client; where several people have borne it of late, name `client`
    /// as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<Text<256>>,
    /// Only lines with this number or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_whole")]
    pub from_seq: Option<u64>,
    /// Only lines with this number or a lower one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_whole")]
    pub to_seq: Option<u64>,
    /// Only lines said at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only lines said before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Only lines with this text in them; upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Text<256>>,
    /// Whether to change nothing, and only count the lines; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SayArgs {
    /// The text to say: one line.
    pub text: Text<4096>,
    /// The name of the only room to tell; without it, all rooms are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
}

/// What becomes of newcomers, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockdownArgs {
    /// The length of the lockdown in seconds, 30 days at most; without it, that of the setting
    /// `moderation.lockdown_for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<1, LONGEST_LOCKDOWN>>,
    /// What becomes of newcomers who are not logged in; without it, what the setting `moderation.lockdown` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomers: Option<settings::Newcomers>,
    /// Whether to end the lockdown that is under way instead of beginning one; false without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// The new log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelArgs {
    /// The new log level; without it, the level stays and is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<settings::LogLevel>,
}

/// How to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShutdownArgs {
    /// The time in seconds that slow clients have to take what they are owed, an hour at most; without it, that of the
    /// setting `shutdown.deadline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<Whole<0, LONGEST_SHUTDOWN>>,
    /// A message to everybody, as a part of the goodbye.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text<256>>,
}

/// What to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscribeArgs {
    /// The kinds of events that are wanted; without it, all kinds but `say` are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<EventKind>>,
}

/// A password that comes with a command. It is hashed before anybody else has the command: neither the tape nor the
/// journal is to have it.
#[derive(Debug)]
pub struct Secret<'a> {
    /// The name of the account.
    pub name: &'a str,
    /// What is to be hashed.
    pub password: &'a mut Option<Password>,
    /// Where its hash goes.
    pub hashed: &'a mut Option<Text<256>>,
}

impl Command {
    /// The password that this command comes with, or could.
    pub fn secret(&mut self) -> Option<Secret<'_>> {
        match self {
            Self::AccountsAdd(AccountAddArgs { name, password, hashed, .. })
            | Self::AccountsPasswd(AccountPasswdArgs { name, password, hashed }) => {
                Some(Secret { name, password, hashed })
            }
            _ => None,
        }
    }
}
