//! What the commands of the admin protocol take: one struct for the `args` of each. Unknown keys are refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hub::ownership::SLOW;
use crate::settings;
use crate::values::time::LONGEST;
use crate::wire::admin::Command;
use crate::wire::admin::event::EventKind;
use crate::wire::admin::value::{Password, Role, RoomName, Text, Time, Whole};

/// The longest ban or expulsion that has an end, in seconds: 100 years.
pub const LONGEST_BAN: u64 = LONGEST.as_secs();

/// The longest mute that has an end, in seconds: a year.
pub const LONGEST_MUTE: u64 = 365 * 86_400;

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
    pub room: Option<RoomName>,
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
    pub ban_s: Option<Whole<1, LONGEST_BAN>>,
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
    pub for_s: Option<Whole<1, LONGEST_BAN>>,
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

/// Which sanctions to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SanctionListArgs {
    /// Only these; all of them without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SanctionKind>,
}

/// A kind of sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SanctionKind {
    /// Somebody does not come in.
    Ban,
    /// What somebody says reaches nobody, known to them or not.
    Mute,
    /// Somebody does not come into a room.
    Expulsion,
}

/// Which sanction to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftArgs {
    /// Its id, such as `b3`, `m4` or `x5`.
    pub which: Text<256>,
}

/// What to look for among the sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SanctionTestArgs {
    /// A client's id or name, an address, a network, or a name.
    pub target: Text<256>,
}

/// Which reports to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportsListArgs {
    /// Closed ones as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportArgs {
    /// Its id, such as `r12`.
    pub report: Text<32>,
}

/// Which reports to close. Either all that are named are known, or none is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportsCloseArgs {
    /// Ids such as `r12`, and ranges such as `r12-r15`, of which those are meant that are open.
    pub reports: Vec<Text<64>>,
    /// What there is to say; operators see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<256>>,
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

/// Whom to mute. Either all of them can be muted and are, or none is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteArgs {
    /// Ids or names of clients that are here or have left a moment ago; names, addresses or networks of others.
    pub who: Vec<Text<256>>,
    /// For how many seconds; 0 lifts the mutes; without it, until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<0, LONGEST_MUTE>>,
    /// They are not told, and what they say looks said to them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// Why; it stands in the list of sanctions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<256>>,
    /// Tell whom it would reach, and change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
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

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomArgs {
    /// Its name.
    pub room: RoomName,
}

/// What is to be changed of a room; what is not named stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomSetArgs {
    /// Its name.
    pub room: RoomName,
    /// Only those who are invited come in; the lobby cannot be so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Only those who have a voice speak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderated: Option<bool>,
    /// Only those who are logged in speak, and those who have a voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
    /// Only those who have the room's say set its topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_locked: Option<bool>,
    /// Each says one line in so many seconds; 0: as many as they like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_s: Option<Whole<0, LONGEST_SLOW>>,
    /// It is kept while nobody is in it, also on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<bool>,
    /// The account that it is to belong to; not the lobby.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text<256>>,
}

/// A room's topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicArgs {
    /// The room.
    pub room: RoomName,
    /// The new topic; empty clears it; without it, nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Which room to close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseArgs {
    /// The room; the lobby cannot be closed.
    pub room: RoomName,
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
    pub room: Option<RoomName>,
    /// Only the last so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Whole<1, MOST_LINES>>,
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
    pub room: Option<RoomName>,
    /// Only the last so many matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Whole<1, MOST_LINES>>,
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
    pub room: Option<RoomName>,
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
    pub room: Option<RoomName>,
}

/// What becomes of newcomers, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockdownArgs {
    /// For how many seconds; without it, the setting `moderation.lockdown_for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<Whole<1, LONGEST_LOCKDOWN>>,
    /// What becomes of those who come and are not logged in; without it, the setting `moderation.lockdown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomers: Option<settings::Newcomers>,
    /// End the one that is under way instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// The new log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelArgs {
    /// The new level; without it, nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<settings::LogLevel>,
}

/// How to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShutdownArgs {
    /// How many seconds to wait for slow clients; without it, the setting `shutdown.deadline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<Whole<0, LONGEST_SHUTDOWN>>,
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

/// A password that comes with a command. It is hashed before anybody else has the command: neither the tape nor the
/// journal is to have it.
#[derive(Debug)]
pub struct Secret<'a> {
    /// Whose.
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
