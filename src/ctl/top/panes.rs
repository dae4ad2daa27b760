//! The rows and columns of the four lists: clients, rooms, causes of drops and refusals, sanctions.
//! Pure.
//!
//! A name can be written from right to left. The column after a name always begins with a letter,
//! so that a terminal that reorders such text does not reorder the columns too.

use std::time::Duration;

use super::columns::{Column, Fit, Order};
use super::rates::Rate;
use crate::ctl::print::clients::notes;
use crate::ctl::print::rooms::modes;
use crate::ctl::print::values::{bytes, maker, span};
use crate::values::time::Wall;
use crate::wire::admin::result::{Client, Room, Sanction};
use crate::wire::admin::value::Time;

/// A row of the list of clients.
pub(super) struct ClientRow<'a> {
    pub(super) client: &'a Client,
    pub(super) rate: Rate,
    pub(super) now: Wall,
}

/// A row of the list of rooms.
pub(super) struct RoomRow<'a> {
    pub(super) room: &'a Room,
    /// Lines and bytes a second of all the room's members together.
    pub(super) rate: Rate,
    /// Bytes queued for the members that they have not read yet.
    pub(super) behind: u64,
    pub(super) now: Wall,
}

/// A row of the list of causes.
pub(super) struct CauseRow {
    pub(super) cause: &'static Cause,
    pub(super) count: u64,
    pub(super) rate: f64,
}

/// A row of the list of sanctions.
pub(super) struct SanctionRow<'a> {
    pub(super) sanction: &'a Sanction,
    pub(super) now: Wall,
}

/// Whole seconds from `from` to `to`; 0 if `to` is earlier.
fn seconds(from: Wall, to: Wall) -> u64 {
    u64::try_from(to.0.saturating_sub(from.0) / 1000).unwrap_or(0)
}

/// A number with one decimal; negative ones as 0.0.
pub(super) fn decimal(number: f64) -> String {
    format!("{:.1}", number.max(0.0))
}

/// A number of bytes a second, rounded to whole bytes, with a unit.
pub(super) fn whole_bytes(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float takes the nearest")]
    bytes(number.round() as u64)
}

const fn right<T>(name: &'static str, fit: Fit, text: fn(&T) -> String, order: fn(&T) -> Order) -> Column<T> {
    Column { name, right: true, fit, most_first: true, text, order }
}

const fn left<T>(name: &'static str, fit: Fit, text: fn(&T) -> String, order: fn(&T) -> Order) -> Column<T> {
    Column { name, right: false, fit, most_first: false, text, order }
}

pub(super) fn clients<'a>() -> Vec<Column<ClientRow<'a>>> {
    vec![
        right("RATE", Fit::Whole, |row| decimal(row.rate.lines), |row| Order::Number(row.rate.lines)),
        right("LINES", Fit::Spare(6), |row| row.client.lines.to_string(), |row| Order::count(row.client.lines)),
        right("BYTES/S", Fit::Spare(7), |row| whole_bytes(row.rate.bytes), |row| Order::Number(row.rate.bytes)),
        right("IN", Fit::Spare(2), |row| bytes(row.client.bytes_in), |row| Order::count(row.client.bytes_in)),
        right("OUT", Fit::Spare(3), |row| bytes(row.client.bytes_out), |row| Order::count(row.client.bytes_out)),
        right("BEHIND", Fit::Whole, |row| bytes(row.client.behind_bytes), |row| Order::count(row.client.behind_bytes)),
        right("IDLE", Fit::Spare(8), |row| span(row.client.idle_s), |row| Order::count(row.client.idle_s)),
        right(
            "STRIKES",
            Fit::Spare(5),
            |row| row.client.strikes.to_string(),
            |row| Order::count(row.client.strikes.into()),
        ),
        right(
            "SINCE",
            Fit::Spare(4),
            |row| span(seconds(row.client.since.0, row.now)),
            |row| Order::count(seconds(row.client.since.0, row.now)),
        ),
        left("ADDRESS", Fit::Spare(1), |row| row.client.addr.clone(), |row| Order::text(&row.client.addr)),
        left("NAME", Fit::Shrinks(10), |row| row.client.nick.clone(), |row| Order::text(&row.client.nick)),
        left("ID", Fit::Whole, |row| row.client.id.clone(), |row| number(&row.client.id)),
        left("ROOM", Fit::SpareShrinks(9, 8), |row| row.client.room.clone(), |row| Order::text(&row.client.room)),
        left("NOTES", Fit::Telling, |row| notes(row.client, row.now), |row| Order::text(&notes(row.client, row.now))),
    ]
}

/// A key that sorts ids by their number: `c9` before `c10`.
fn number(id: &str) -> Order {
    let digits = id.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    digits.parse().map_or_else(|_| Order::text(id), Order::count)
}

pub(super) fn client_matches(row: &ClientRow<'_>, text: &str) -> bool {
    let client = row.client;
    [&client.nick, &client.room, &client.id, &client.addr].iter().any(|one| one.to_lowercase().contains(text))
}

pub(super) fn rooms<'a>() -> Vec<Column<RoomRow<'a>>> {
    vec![
        right("RATE", Fit::Whole, |row| decimal(row.rate.lines), |row| Order::Number(row.rate.lines)),
        right("MEMBERS", Fit::Whole, |row| row.room.members.to_string(), |row| Order::count(row.room.members)),
        right("LINES", Fit::Spare(5), |row| row.room.lines.to_string(), |row| Order::count(row.room.lines)),
        right(
            "KEPT",
            Fit::Spare(3),
            |row| row.room.history_lines.to_string(),
            |row| Order::count(row.room.history_lines),
        ),
        right("BYTES/S", Fit::Spare(4), |row| whole_bytes(row.rate.bytes), |row| Order::Number(row.rate.bytes)),
        right("BEHIND", Fit::Spare(6), |row| bytes(row.behind), |row| Order::count(row.behind)),
        right(
            "SINCE",
            Fit::Spare(2),
            |row| span(seconds(row.room.since.0, row.now)),
            |row| Order::count(seconds(row.room.since.0, row.now)),
        ),
        left("ROOM", Fit::Shrinks(10), |row| row.room.name.clone(), |row| Order::text(&row.room.name)),
        left("MODES", Fit::SpareShrinks(7, 6), |row| or_public(modes(row.room)), |row| Order::text(&modes(row.room))),
        left("TOPIC", Fit::Telling, |row| row.room.topic.clone(), |row| Order::text(&row.room.topic)),
    ]
}

fn or_public(modes: String) -> String {
    if modes.is_empty() { "public".to_owned() } else { modes }
}

pub(super) fn room_matches(row: &RoomRow<'_>, text: &str) -> bool {
    [&row.room.name, &row.room.topic].iter().any(|one| one.to_lowercase().contains(text))
}

pub(super) fn sanctions<'a>() -> Vec<Column<SanctionRow<'a>>> {
    vec![
        right("AGE", Fit::Spare(1), |row| span(age(row)), |row| Order::count(age(row))),
        right("LEFT", Fit::Whole, left_of, |row| {
            row.sanction.until.map_or(Order::Number(f64::MAX), |until| Order::count(seconds(row.now, until.0)))
        }),
        left("ID", Fit::Whole, |row| row.sanction.id.clone(), |row| number(&row.sanction.id)),
        left("KIND", Fit::Whole, kind, |row| Order::text(&kind(row))),
        left("TARGET", Fit::Shrinks(12), target, |row| Order::text(&target(row))),
        left("BY", Fit::SpareShrinks(2, 8), |row| maker(&row.sanction.by), |row| Order::text(&row.sanction.by)),
        left("REASON", Fit::Telling, reason, |row| Order::text(&reason(row))),
    ]
}

fn age(row: &SanctionRow<'_>) -> u64 {
    seconds(row.sanction.since.0, row.now)
}

fn left_of(row: &SanctionRow<'_>) -> String {
    row.sanction.until.map_or_else(|| "no end".to_owned(), |until: Time| span(seconds(row.now, until.0)))
}

fn kind(row: &SanctionRow<'_>) -> String {
    match &row.sanction.room {
        None => row.sanction.kind.clone(),
        Some(room) => format!("{} #{room}", row.sanction.kind),
    }
}

fn target(row: &SanctionRow<'_>) -> String {
    match &row.sanction.also {
        None => row.sanction.target.clone(),
        Some(also) => format!("{}, {also}", row.sanction.target),
    }
}

fn reason(row: &SanctionRow<'_>) -> String {
    row.sanction.reason.clone().unwrap_or_default()
}

pub(super) fn sanction_matches(row: &SanctionRow<'_>, text: &str) -> bool {
    let reason = reason(row);
    let all = [&row.sanction.id, &row.sanction.target, &row.sanction.kind, &reason];
    all.iter().any(|one| one.to_lowercase().contains(text))
}

/// A reason why something was refused, dropped or lost, and the counter of such cases.
pub(super) struct Cause {
    pub(super) counter: &'static str,
    /// What was refused, dropped or lost.
    pub(super) what: &'static str,
    pub(super) why: &'static str,
}

const fn cause(counter: &'static str, what: &'static str, why: &'static str) -> Cause {
    Cause { counter, what, why }
}

/// All causes; first those of connections.
pub(super) const CAUSES: &[Cause] = &[
    cause("refused_full", "connections refused", "the hub was full"),
    cause("refused_address", "connections refused", "too many came from one address"),
    cause("refused_banned", "connections refused", "a ban"),
    cause("refused_network", "connections refused", "their network is not allowed"),
    cause("refused_plain", "connections refused", "they were not encrypted"),
    cause("refused_unread", "connections refused", "bans on disk could not be read yet"),
    cause("refused_stopping", "connections refused", "the hub was stopping"),
    cause("held_at_door", "newcomers held", "they had to wait at the door"),
    cause("accept_pauses", "accepting paused", "no descriptors or memory were left"),
    cause("kicked", "clients disconnected", "an administrator or operator did it"),
    cause("banned", "clients disconnected", "a new ban"),
    cause("gave_way", "clients disconnected", "to make place: they had never sent a line"),
    cause("no_chat", "clients disconnected", "their program spoke another protocol"),
    cause("idled", "clients disconnected", "they had sent nothing for long"),
    cause("closed_slow", "clients disconnected", "they took nothing of what was owed to them"),
    cause("closed_mailbox", "clients disconnected", "their mailbox was full"),
    cause("lines_dropped", "lines dropped", "their client sent too fast"),
    cause("lines_missed", "lines missed", "their reader was too slow"),
    cause("lines_muted", "lines refused", "their client was muted"),
    cause("lines_filtered", "lines refused", "the filters"),
    cause("lines_too_long", "lines refused", "they were too long"),
    cause("shown_too_often", "names, topics, ... refused", "they came too often"),
    cause("private_refused", "private messages refused", "the other one was sent much, or did not read"),
    cause("memos_refused", "messages not kept", "too many wait"),
    cause("reports_refused", "reports refused", "too soon after others, or too many open"),
    cause("strikes", "strikes", "people went on beyond the pace"),
    cause("logins_failed", "logins failed", "the password was wrong"),
    cause("sockets_full", "sockets full", "clients read more slowly than others speak"),
    cause("unkept", "connections not kept", "they would not outlive the process"),
    cause("history_lost", "lines not recorded", "the disk did not keep up, or did not take them"),
    cause("history_troubles", "disk troubles", "the disk did not take what was to be recorded"),
    cause("journal_lost", "journal events lost", "the journal did not take them in time"),
];

pub(super) fn causes() -> Vec<Column<CauseRow>> {
    vec![
        right("COUNT", Fit::Whole, |row| row.count.to_string(), |row| Order::count(row.count)),
        right("RATE", Fit::Whole, |row| decimal(row.rate), |row| Order::Number(row.rate)),
        left("WHAT", Fit::Shrinks(14), |row| row.cause.what.to_owned(), |row| Order::text(row.cause.what)),
        left("BECAUSE", Fit::Telling, |row| row.cause.why.to_owned(), |row| Order::text(row.cause.why)),
    ]
}

pub(super) fn cause_matches(row: &CauseRow, text: &str) -> bool {
    [row.cause.counter, row.cause.what, row.cause.why].iter().any(|one| one.contains(text))
}

/// The details of a sanction, for the pop-up.
pub(super) fn about_sanction(sanction: &Sanction, now: Wall) -> Vec<String> {
    let row = SanctionRow { sanction, now };
    let mut lines = vec![
        format!("{} ({})", kind(&row), sanction.id),
        format!("about: {}", target(&row)),
        format!("by: {}, {} ago", maker(&sanction.by), span(age(&row))),
        match sanction.until {
            None => "until it is lifted".to_owned(),
            Some(until) => {
                format!("for {} yet", crate::values::time::in_words(Duration::from_secs(seconds(now, until.0))))
            }
        },
    ];
    lines.extend(sanction.nick.as_ref().map(|nick| format!("meant for: {nick}")));
    lines.extend(sanction.reason.as_ref().map(|reason| format!("reason: {reason}")));
    lines.push(format!("To lift it: chathub ctl sanction lift {}", sanction.id));
    lines
}
