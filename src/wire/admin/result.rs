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
    /// When the lockdown ends; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What becomes of those who come and are not logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomers: Option<settings::Newcomers>,
}

impl From<lockdown::Lockdown> for Lockdown {
    fn from(lockdown: lockdown::Lockdown) -> Self {
        Self { until: Some(Time(lockdown.until)), newcomers: Some(lockdown.newcomers) }
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
    /// When the daemon started.
    pub since: Time,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Clients connected.
    pub clients: u64,
    /// Most clients at one time.
    pub clients_peak: u64,
    /// Most clients allowed.
    pub clients_max: u64,
    /// Rooms that are open.
    pub rooms: u64,
    /// Most rooms allowed.
    pub rooms_max: u64,
    /// Lines kept in memory, over all rooms.
    pub history_lines: u64,
    /// Reports that are open.
    #[serde(default)]
    pub reports_open: u64,
    /// Messages that wait for people who are not here.
    #[serde(default)]
    pub memos_waiting: u64,
    /// The sockets on which the daemon listens.
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
    /// The level from which on the daemon logs.
    pub log_level: settings::LogLevel,
    /// Events since the start, by name; the same that `metrics` tells.
    pub counters: Map<String, Value>,
}

/// A connection to the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdminConnection {
    /// The user id of the process at the other end.
    pub uid: u32,
    /// The process id of the other end; 0 if the daemon cannot see that process.
    pub pid: i32,
    /// Seconds since the connection was accepted.
    pub age_s: u64,
    /// Seconds since the last request or answer; absent while one is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<u64>,
}

/// How long the turns of the daemon's loop take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoopTurns {
    /// The number of turns since the start.
    pub count: u64,
    /// The time of all turns together, in microseconds.
    pub total_us: u64,
    /// The time of the longest turn, in microseconds.
    pub longest_us: u64,
    /// The part of the longest turn that took most of it.
    #[serde(default)]
    pub longest_doing: String,
    /// The time of that part, in microseconds.
    #[serde(default)]
    pub longest_doing_us: u64,
    /// When the longest turn ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_at: Option<Time>,
    /// The number of turns by time, the shortest first.
    pub histogram: Vec<TurnCount>,
}

/// How many turns took so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnCount {
    /// The longest time counted here, in microseconds, longer than that of the entry before; absent in the last entry,
    /// which counts all longer turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to_us: Option<u64>,
    /// The number of turns counted here.
    pub count: u64,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The purpose of the socket: `chat` or `admin`.
    pub name: String,
    /// The address with its port, or the path.
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
    /// The id, such as `c7`; it is never given to another client.
    pub id: String,
    /// The client's present name.
    pub nick: String,
    /// The client's IP address.
    pub addr: String,
    /// The client's TCP port.
    pub port: u16,
    /// The name of the room in which the client is.
    pub room: String,
    /// When the client connected.
    pub since: Time,
    /// Seconds since the client last sent a line.
    pub idle_s: u64,
    /// Whether the client speaks telnet.
    pub telnet: bool,
    /// Bytes that are for the client and that its socket has not taken yet.
    pub behind_bytes: u64,
    /// Lines that the client has sent.
    pub lines: u64,
    /// Lines of the client that were dropped because it sent too fast.
    pub dropped: u64,
    /// Strikes that count against the client's address now.
    #[serde(default)]
    pub strikes: u32,
    /// Lines of its room that the client was too slow to be sent.
    pub missed: u64,
    /// Why the client is away; absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// The account to which the client is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The role of that account; absent if the client is not logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When the mute ends, or `always` if it lasts until it is lifted; absent if the client is not muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<String>,
    /// Whether the client is muted without being told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// Clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientList {
    /// The clients, the first to connect first.
    pub clients: Vec<Client>,
    /// The number of clients in the list.
    pub total: u64,
}

/// A client by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Its id.
    pub id: String,
    /// Its name.
    pub nick: String,
}

/// Who was disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kicked {
    /// Ids, in the order of `who`, each once; behind them those whom the bans hit as well.
    pub kicked: Vec<String>,
    /// The same with their names, if they are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// Bans that were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned: Vec<Ban>,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ban {
    /// The id, such as `b3`.
    pub id: String,
    /// The network, the name, or the pattern of names.
    pub target: String,
    /// `network`, `name` or `pattern`.
    pub kind: String,
    /// The address that is kept out as well, if the ban is of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The name of the person for whom the ban was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The reason that those are told who are kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made the ban: `uid 0`.
    pub by: String,
    /// When the ban was made.
    pub since: Time,
    /// When the ban ends; absent if it lasts until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanList {
    /// The bans, the oldest first.
    pub bans: Vec<Ban>,
    /// The number of bans in the list.
    pub total: u64,
    /// Whether the bans outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// Who is kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Banned {
    /// The ban; absent with `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<Ban>,
    /// Ids of the clients that were disconnected, or would be.
    pub disconnected: Vec<String>,
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// The former ban of the same target.
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
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// Something that somebody is kept from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sanction {
    /// The id: a letter for the kind and a number, such as `m4`.
    pub id: String,
    /// `ban`, `mute`, `shadow-mute`, `expulsion`, `filter`, `strike-filter` or `lockdown`.
    pub kind: String,
    /// The name of the room, of an expulsion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The network, the name or the pattern of names that it is about; what a filter finds; `newcomers`.
    pub target: String,
    /// The address that it is about as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The name of the person for whom the sanction was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The reason, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made the sanction, such as `uid 0`.
    pub by: String,
    /// When the sanction was made.
    pub since: Time,
    /// When the sanction ends; absent if it lasts until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A filter that was made, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filtered {
    /// The filter; absent after a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Sanction>,
    /// The one that it has taken the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Sanction>,
    /// In how many of the lines that were said last it finds something.
    pub lines: u64,
    /// At how many lines it looked: some of each room that is not private.
    pub looked_at: u64,
    /// Under which names those lines were said.
    pub names: Vec<String>,
    /// Nothing was changed.
    pub dry_run: bool,
}

/// The filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilterList {
    /// Those made while the hub runs, by age.
    pub filters: Vec<Sanction>,
    /// What the setting `filters.refuse` says.
    pub refuse: Vec<String>,
    /// What the setting `filters.strike` says.
    pub strike: Vec<String>,
}

/// Sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanctionList {
    /// The sanctions, the oldest first.
    pub sanctions: Vec<Sanction>,
    /// The number of sanctions in the list.
    pub total: u64,
    /// Whether the sanctions outlive the daemon.
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
    /// The sanctions that apply to the target.
    pub sanctions: Vec<Sanction>,
    /// Ids of the clients that one more about it would reach.
    pub clients: Vec<String>,
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// Somebody in a report, as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportParty {
    /// The client's name then; empty if it was erased since.
    pub nick: String,
    /// The client's id, such as `c7`.
    pub client: String,
    /// The account to which the client was logged in, if it still exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The client's present name; absent if it has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

/// That a report was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportClosed {
    /// Who closed the report: `uid 0`.
    pub by: String,
    /// When the report was closed.
    pub t: Time,
    /// The note of the one who closed it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The id, such as `r12`.
    pub id: String,
    /// When the report was made.
    pub t: Time,
    /// Seconds since the report was made.
    pub age_s: u64,
    /// When the same person last made the same report.
    pub last: Time,
    /// How often the report was made, the first time included.
    pub times: u64,
    /// The person who made the report.
    pub by: ReportParty,
    /// Whether the person who made the report was muted without being told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// The person about whom the report is.
    pub about: ReportParty,
    /// The name of the room in which the lines in question were said; if there are none, of the one in which the report
    /// was made.
    pub room: String,
    /// The reason; absent if none was given, or if it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether what was written in it was erased.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub erased: bool,
    /// The numbers of the lines in question, as `seq` of history.
    pub lines: Vec<u64>,
    /// Who closed the report and when; absent if it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ReportClosed>,
}

/// Reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportList {
    /// The reports, the oldest first.
    pub reports: Vec<Report>,
    /// The number of reports in the list.
    pub total: u64,
    /// The number of reports that are open, listed or not.
    pub open: u64,
    /// Whether the reports outlive the daemon.
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
    /// The number of the line.
    pub seq: u64,
    /// Whether the line can be shown, and if not, why.
    pub state: ReportLineState,
    /// The line, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
}

/// A report with the lines in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportShown {
    /// The report itself.
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
    /// The reports, with who closed them.
    pub closed: Vec<Report>,
    /// The number of reports that are still open.
    pub open: u64,
}

/// Who was muted, or may speak again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Muted {
    /// Ids of those who are here, in the order of `who`, each once; behind them others whom it reaches.
    pub muted: Vec<String>,
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// When the mutes end; absent if they last until they are lifted, or were just lifted.
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
    /// The client's id, such as `c7`.
    pub id: String,
    /// The client's former name.
    pub from: String,
    /// The client's new name.
    pub nick: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Room {
    /// The name of the room, without `#`.
    pub name: String,
    /// The topic; empty if there is none.
    pub topic: String,
    /// The number of people in the room.
    pub members: u64,
    /// When the room was opened.
    pub since: Time,
    /// Lines that were said in the room since then.
    pub lines: u64,
    /// Lines of the room that are kept in memory.
    pub history_lines: u64,
    /// The name of the account that owns the room; absent if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether only invited people come in; what is said is recorded nowhere then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Whether only people with a voice speak.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moderated: bool,
    /// Whether only people who are logged in, or have a voice, speak.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Whether only the owner, moderators and operators set the topic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub topic_locked: bool,
    /// Seconds between two lines of one person; 0: no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow_s: u64,
    /// Whether the room is kept while nobody is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// The names of the accounts that moderate the room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moderators: Vec<String>,
    /// The name of the account that gets the room when the owner's account is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

/// Rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomList {
    /// The rooms, the one with most people first.
    pub rooms: Vec<Room>,
    /// The number of rooms in the list.
    pub total: u64,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topic {
    /// The name of the room.
    pub room: String,
    /// The present topic; empty if there is none.
    pub topic: String,
}

/// A room that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// The name of the room that was closed.
    pub room: String,
    /// The number of people who were moved to the lobby.
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
    /// The number of the line, unique and rising over all rooms.
    pub seq: u64,
    /// When the line was said.
    pub t: Time,
    /// The name of the room in which it was said.
    pub room: String,
    /// The name of its author then; empty if that is an administrator or the hub.
    pub nick: String,
    /// What kind of line it is.
    pub kind: LineKind,
    /// What was said; empty if the line was redacted.
    pub text: String,
}

/// Lines of history; with `"more"`, one [`Line`] a reply and then [`Count`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// The lines, the oldest first.
    pub lines: Vec<Line>,
    /// The number of lines in the list.
    pub count: u64,
}

/// The last reply of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The number of replies before this one.
    pub count: u64,
}

/// What was made unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redacted {
    /// The number of lines made unreadable: on disk, and in memory alone.
    pub lines: u64,
    /// The number of topics cleared with them.
    #[serde(default)]
    pub topics: u64,
    /// Whether the lines and topics were only counted.
    pub dry_run: bool,
}

/// A piece of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupPiece {
    /// Where in the file the piece belongs, in bytes from its start. Pieces come in order, without gaps.
    pub offset: u64,
    /// The size of the whole file, in bytes.
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
    /// The rooms that are open.
    pub rooms: Vec<RoomHistory>,
    /// What is on disk, if anything is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskHistory>,
}

/// History on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskHistory {
    /// The path of the file.
    pub file: String,
    /// Lines in the file.
    pub lines: u64,
    /// Bytes of the file that are in use.
    pub bytes: u64,
    /// The time of the last line that the search index has; later lines are found as well, slower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_to: Option<Time>,
    /// Bytes of lines that wait to be written.
    pub waiting_bytes: u64,
    /// Lines since the start that were not recorded, because too much waited.
    pub lost: u64,
    /// What is wrong with the disk; absent if it takes what is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The path of the last file since the start that could not be read and was set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// The rooms with lines on disk, open or closed, the one with most lines first.
    pub rooms: Vec<DiskRoom>,
}

/// History on disk of all rooms of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskRoom {
    /// The name of the room.
    pub room: String,
    /// Lines on disk.
    pub lines: u64,
    /// When the oldest line was said.
    pub oldest: Time,
    /// When the newest line was said.
    pub newest: Time,
}

/// History of one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomHistory {
    /// The name of the room.
    pub room: String,
    /// Lines in memory, but for those said in private.
    pub lines: u64,
    /// Lines in memory that were said while the room was private.
    #[serde(default)]
    pub private: u64,
    /// When the oldest line in memory was said, of those that were not said in private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Time>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The name of the account.
    pub name: String,
    /// The role of the account.
    pub role: Role,
    /// When the account was made.
    pub since: Time,
    /// When somebody last logged in to the account or out of it.
    pub seen: Time,
    /// The id of the client that is logged in to the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether the account has a password; without one, nobody can log in to it.
    pub password: bool,
    /// How many messages wait until somebody logs in to it.
    #[serde(default, skip_serializing_if = "none_wait")]
    pub memos: u64,
}

fn none_wait(memos: &u64) -> bool {
    *memos == 0
}

/// Accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountList {
    /// The accounts, the oldest first.
    pub accounts: Vec<Account>,
    /// The number of accounts in the list.
    pub total: u64,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// An account that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDone {
    /// The account after the change; before it, if it was removed.
    pub account: Account,
}

/// How many were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    /// The number of rooms that were told.
    pub rooms: u64,
    /// The number of clients that were told.
    pub clients: u64,
}

/// The log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLevel {
    /// The level in force now.
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
    /// What an administrator may not expect, such as a socket that will start the daemon again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
