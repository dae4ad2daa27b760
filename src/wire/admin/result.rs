//! What the commands of the admin protocol answer: one struct for the `result` of each.
//!
//! The daemon fills them in and `chathub ctl` prints them; a client must not mind keys that it does not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hub::lockdown;
use crate::settings;
use crate::wire::admin::value::{Role, Time};

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

/// The lockdown that is under way, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lockdown {
    /// Until when; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What becomes of those who come and are not logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomers: Option<settings::Newcomers>,
}

impl From<lockdown::Lockdown> for Lockdown {
    fn from(lockdown: lockdown::Lockdown) -> Self {
        Self { until: Some(Time(lockdown.until.1)), newcomers: Some(lockdown.newcomers) }
    }
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
    /// Reports that are open.
    #[serde(default)]
    pub reports_open: u64,
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
    /// The lockdown that is under way, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockdown: Option<Lockdown>,
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
    pub log_level: settings::LogLevel,
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
    /// The address that it is about as well, if it is about an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// What the person was called that it was meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
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
    /// The ban of the same that it has taken the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Ban>,
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

/// Something that somebody is kept from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sanction {
    /// Its id: a letter for its kind, and a number.
    pub id: String,
    /// `ban`, `mute`, `shadow-mute` or `expulsion`.
    pub kind: String,
    /// The room that it is an expulsion from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The network or the name that it is about.
    pub target: String,
    /// The address that it is about as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// What the person was called that it was meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made it, such as `uid 0`.
    pub by: String,
    /// When it was made.
    pub since: Time,
    /// When it ends; absent if when it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanctionList {
    /// By age, oldest first.
    pub sanctions: Vec<Sanction>,
    /// How many.
    pub total: u64,
    /// Whether they outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// What was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lifted {
    /// The sanction as it was.
    pub lifted: Sanction,
}

/// What was found among the sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanctionTest {
    /// Those about it.
    pub sanctions: Vec<Sanction>,
    /// Ids of the clients that one more about it would reach.
    pub clients: Vec<String>,
}

/// Somebody in a report, as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportParty {
    /// The name; empty if it was erased since.
    pub nick: String,
    /// The client's id.
    pub client: String,
    /// The account that they were logged in to, if it is there still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The client's present name; absent if it has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

/// That a report was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportClosed {
    /// By whom: `uid 0`.
    pub by: String,
    /// When.
    pub t: Time,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub t: Time,
    /// How many seconds ago that was.
    pub age_s: u64,
    /// When the same was reported last.
    pub last: Time,
    /// How often, the first time included.
    pub times: u64,
    /// Who made it.
    pub by: ReportParty,
    /// Who made it was muted without being told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// About whom.
    pub about: ReportParty,
    /// The room in which the lines were said, or where who made it was.
    pub room: String,
    /// Why; absent if nothing was said, or if it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether what was written in it was erased.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub erased: bool,
    /// The numbers of the lines in question.
    pub lines: Vec<u64>,
    /// That it was closed; absent if it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ReportClosed>,
}

/// Reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportList {
    /// By age, oldest first.
    pub reports: Vec<Report>,
    /// How many.
    pub total: u64,
    /// How many are open.
    pub open: u64,
    /// Whether they outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// What is known of a line in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportLineState {
    /// It is kept.
    Kept,
    /// It was made unreadable.
    Redacted,
    /// It was said in private, and is not shown.
    Private,
    /// It is not kept any more.
    Gone,
}

/// A line in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportLine {
    /// Its number.
    pub seq: u64,
    /// What is known of it.
    pub state: ReportLineState,
    /// The line, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
}

/// A report with the lines in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportShown {
    /// The report.
    pub report: Report,
    /// The lines in question.
    pub lines: Vec<ReportLine>,
    /// Why lines that are on disk could not be read, if so: they are told to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Reports that were closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportsClosed {
    /// As they are now.
    pub closed: Vec<Report>,
    /// How many are open still.
    pub open: u64,
}

/// Who was muted, or may speak again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Muted {
    /// Ids of those who are here, in the order of `who`, each once; behind them others whom it reaches.
    pub muted: Vec<String>,
    /// Until when; absent if until it is lifted, or if it was just lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The mutes that were made, or lifted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanctions: Vec<Sanction>,
    /// Whether nothing was changed.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub dry_run: bool,
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

fn is_zero(number: &u64) -> bool {
    *number == 0
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
    /// Only those who are logged in speak, and those who have a voice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Only those who have the room's say set its topic, as it is where a room is somebody's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub topic_locked: bool,
    /// Each says one line in so many seconds; 0: as many as they like.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow_s: u64,
    /// It is kept while nobody is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// The accounts that have its say beside its owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moderators: Vec<String>,
    /// The account that it belongs to when its owner's is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
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
    /// How many lines, or would be: on disk, and those that are in memory alone.
    pub lines: u64,
    /// How many topics were cleared with them, or would be.
    #[serde(default)]
    pub topics: u64,
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
    /// Lines in memory, but for those said in private.
    pub lines: u64,
    /// Lines said in private rooms: they are in memory alone, and administrators are not shown them.
    #[serde(default)]
    pub private: u64,
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
    /// Lines in memory, but for those said in private.
    pub lines: u64,
    /// Lines said in private.
    #[serde(default)]
    pub private: u64,
    /// When the oldest of those was said that were not.
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
    pub level: settings::LogLevel,
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
