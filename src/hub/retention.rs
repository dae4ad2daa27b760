//! How long lines are kept in memory: as long as on disk, by `history.keep`, `history.keep_lines`
//! and `history.keep_bytes`.
//!
//! A line beyond the [`Horizon`] is shown to nobody: every look-up checks that. Dropping such lines
//! only frees memory. A pass over the rooms does it when the oldest line is due, some rooms at a
//! time; an idle hub with nothing to drop does nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::history::weight;
use super::message::Line;
use super::{AT_A_TIME, Dormant, Hub, Turn};
use crate::settings;
use crate::values::id::RoomId;
use crate::values::time::{Mono, Now, Wall};

/// The most lines that one tick drops: each takes some 50 ns.
const LINES: usize = 5000;

/// The number of parts in which lines are counted. Each part has an equal share of the limit of
/// lines or bytes, and lines beyond a limit are dropped part by part.
const PARTS: u64 = 1024;

/// The longest time between two passes over all rooms, while any line can become due: the wall
/// clock may have jumped.
const AT_LEAST: Duration = Duration::from_secs(3600);

/// The bound of the lines that are kept, by time and by number: a line is kept if both allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Lines said before this time are not kept; `None`: age does not matter.
    pub since: Option<Wall>,
    /// Lines with a lower number are not kept.
    pub from: u64,
}

impl Horizon {
    /// Whether `line` is kept.
    #[must_use]
    pub fn keeps(&self, line: &Line) -> bool {
        line.seq >= self.from && self.since.is_none_or(|since| line.at >= since)
    }
}

/// A run of lines with rising numbers, from all rooms together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    /// The number of the first line.
    from: u64,
    lines: u64,
    /// The weight of the lines together, in bytes.
    bytes: u64,
}

/// The state of dropping lines: which ones, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Retention {
    /// The moment at which the next pass over the rooms begins, or the present one goes on.
    due: Option<Mono>,
    /// For a pass under way: the room where it continues, and the time of the oldest line in the
    /// rooms before.
    next: Option<RoomId>,
    oldest: Option<Wall>,
    /// The newest lines, in parts; together they are within `history.keep_lines` and
    /// `history.keep_bytes`.
    parts: VecDeque<Part>,
    lines: u64,
    bytes: u64,
    /// Lines with a lower number are beyond one of these limits.
    from: u64,
}

impl Retention {
    /// A state in which the first tick begins a pass: for a snapshot of an earlier release, which
    /// dropped nothing.
    pub(super) fn at_once() -> Self {
        Self { due: Some(Mono(0)), ..Self::default() }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        self.due
    }

    /// Notes a new line. `counts` tells whether it counts against the limits over all rooms.
    pub(super) fn note(&mut self, line: &Line, counts: bool, now: Mono, limits: &settings::History) {
        if let Some(keep) = limits.keep
            && self.due.is_none()
        {
            self.due = Some(now.after(keep.min(AT_LEAST)));
        }
        if counts {
            self.count(line.seq, weight(line) as u64, now, limits);
        }
    }

    fn count(&mut self, seq: u64, bytes: u64, now: Mono, limits: &settings::History) {
        let most_lines = if limits.keep_lines == 0 { u64::MAX } else { limits.keep_lines };
        let most_bytes = limits.keep_bytes as u64;
        let fits = |part: &&mut Part| part.lines < most_lines / PARTS && part.bytes + bytes <= most_bytes / PARTS;
        match self.parts.back_mut().filter(fits) {
            Some(part) => (part.lines, part.bytes) = (part.lines + 1, part.bytes + bytes),
            None => self.parts.push_back(Part { from: seq, lines: 1, bytes }),
        }
        (self.lines, self.bytes) = (self.lines + 1, self.bytes + bytes);
        while (self.lines > most_lines || self.bytes > most_bytes)
            && let Some(part) = self.parts.pop_front()
        {
            (self.lines, self.bytes) = (self.lines - part.lines, self.bytes - part.bytes);
            self.from = self.parts.front().map_or(seq + 1, |next| next.from);
            let soon = now.after(grain(limits));
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }
}

/// The precision with which memory is freed: a sixtieth of `history.keep`, from a second to an
/// hour.
fn grain(limits: &settings::History) -> Duration {
    let keep = limits.keep.unwrap_or(AT_LEAST);
    (keep / 60).clamp(Duration::from_secs(1), AT_LEAST)
}

impl Hub {
    /// The bound of the lines that are kept at `now`.
    #[must_use]
    pub fn horizon(&self, now: Now) -> Horizon {
        Horizon {
            since: self.settings.history.keep.map(|keep| now.wall.before(keep)),
            from: self.recording.retention.from,
        }
    }

    /// Counts all lines in memory anew, after a start or when a limit has changed.
    pub(super) fn count_kept(&mut self, now: Now) {
        let from = self.recording.retention.from;
        let mut lines: Vec<(u64, u64)> = Vec::new();
        let counted = |line: &Arc<Line>| (line.seq, weight(line) as u64);
        for room in self.rooms.open.values() {
            let public = room.history.iter().filter(|line| !room.ownership.is_private_line(line.seq));
            lines.extend(public.map(counted));
        }
        lines.extend(self.recording.dormant.values().flat_map(|dormant| dormant.history.iter().map(counted)));
        lines.sort_unstable();
        self.recording.retention = Retention { due: Some(now.mono), from, ..Retention::default() };
        for (seq, bytes) in lines.into_iter().filter(|(seq, _)| *seq >= from) {
            self.recording.retention.count(seq, bytes, now.mono, &self.settings.history);
        }
    }
}

impl Turn<'_> {
    /// If it is time, drops lines that are no longer kept: from a few rooms, or a few lines of one
    /// room.
    pub(super) fn let_go(&mut self) {
        if self.hub.recording.retention.due.is_none_or(|due| due > self.now.mono) {
            return;
        }
        let horizon = self.hub.horizon(self.now);
        self.hub.recording.backlog.let_go(horizon, LINES);
        if let Some(peering) = &mut self.hub.peering {
            peering.let_go(horizon);
        }
        let mut passed = std::mem::take(&mut self.hub.recording.retention);
        let from = passed.next.unwrap_or(RoomId(0));
        let rooms: Vec<RoomId> =
            self.hub.rooms.open.values_from(from).map(|room| room.id).take(AT_A_TIME + 1).collect();
        passed.next = None;
        for (at, id) in rooms.into_iter().enumerate() {
            if at == AT_A_TIME {
                passed.next = Some(id);
                break;
            }
            // `is_due` only reads; `get_mut` would copy a room that a snapshot shares.
            if self.hub.rooms.open[&id].history.is_due(horizon)
                && let Some(room) = self.hub.rooms.open.get_mut(&id)
            {
                room.history.let_go(horizon, LINES);
                if room.history.is_due(horizon) {
                    passed.next = Some(id);
                    break;
                }
            }
            let oldest = self.hub.rooms.open[&id].history.oldest();
            passed.oldest = passed.oldest.into_iter().chain(oldest).min();
        }
        if passed.next.is_none() {
            // Few rooms are dormant, so one tick looks through all of them.
            if self.hub.recording.dormant.values().any(|dormant| dormant.history.is_due(horizon)) {
                self.hub.recording.dormant.retain(|_, Dormant { history, .. }| {
                    history.let_go(horizon, usize::MAX);
                    !history.is_empty()
                });
            }
            let dormant = self.hub.recording.dormant.values().filter_map(|dormant| dormant.history.oldest());
            let oldest = passed.oldest.take().into_iter().chain(dormant).min();
            let limits = &self.hub.settings.history;
            passed.due = oldest.zip(limits.keep).map(|(oldest, keep)| {
                let left = oldest.after(keep).0.saturating_sub(self.now.wall.0);
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).saturating_add(1));
                self.now.mono.after(left.clamp(grain(limits), AT_LEAST))
            });
        }
        self.hub.recording.retention = passed;
    }
}

#[cfg(test)]
mod tests {
    use super::super::archive::{Found, Reach, Recalled, RecalledRoom, Record};
    use super::super::message::{Message, Said};
    use super::super::sanction::{Kind, Order, Target};
    use super::super::{By, Effect, Input, News};
    use super::*;
    use crate::settings::Settings;
    use crate::values::id::SessionId;

    const ANN: SessionId = SessionId(1);
    const KEEP: Duration = Duration::from_secs(60);

    fn later(seconds: u64) -> Now {
        Now {
            mono: Mono(1_000_000).after(Duration::from_secs(seconds)),
            wall: Wall(1_000_000).after(Duration::from_secs(seconds)),
        }
    }

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.history.keep = Some(KEEP);
        settings.limits.rooms = 10_000;
        settings.limits.rooms_per_address = 10_000;
        settings
    }

    fn hub(settings: Settings) -> Hub {
        let mut hub = Hub::new(settings, [7; 16], later(0), &mut Vec::new());
        come(&mut hub, ANN, later(0));
        hub
    }

    fn come(hub: &mut Hub, session: SessionId, now: Now) -> Vec<Effect> {
        let [_, _, a, b] = u32::try_from(session.0).expect("few people").to_be_bytes();
        let mut effects = Vec::new();
        hub.handle(
            Input::Connect { session, peer: ([10, 0, a, b], 1024).into(), encrypted: false, certificate: None },
            now,
            &mut effects,
        );
        effects
    }

    fn send(hub: &mut Hub, session: SessionId, text: &str, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        hub.handle(Input::Line { session, text: text.to_owned() }, now, &mut effects);
        effects
    }

    /// The texts of the lines that the last replay in `effects` shows.
    fn replayed(effects: &[Effect]) -> Vec<&str> {
        let replay = effects.iter().rev().find_map(|effect| match effect {
            Effect::Tell { message: Message::Replay { lines, .. }, .. } => Some(lines),
            Effect::Tell { message: Message::Entrance(shown), .. } => Some(&shown.lines),
            _ => None,
        });
        replay.expect("something is shown").iter().map(|line| line.said.text()).collect()
    }

    fn in_memory(hub: &Hub) -> usize {
        let dormant = hub.recording.dormant.values().map(|dormant| dormant.history.len()).sum::<usize>();
        hub.rooms().map(|room| room.history.len()).sum::<usize>() + dormant
    }

    /// Lets time pass until then, with ticks as the driver sends them. Returns the number of ticks.
    fn idle(hub: &mut Hub, until: Now) -> u32 {
        let mut ticks = 0;
        while let Some(due) = hub.next_deadline().filter(|due| *due <= until.mono) {
            let now = Now { mono: due, wall: until.wall.before(until.mono.since(due)) };
            hub.handle(Input::Tick, now, &mut Vec::new());
            ticks += 1;
            assert!(ticks < 10_000, "it goes on for ever");
        }
        ticks
    }

    #[test]
    fn an_idle_hub_lets_go_of_lines_on_time_and_then_does_nothing() {
        let mut hub = hub(settings());
        idle(&mut hub, later(100));
        assert_eq!(hub.next_deadline(), None, "nothing is kept");
        send(&mut hub, ANN, "one", later(100));
        send(&mut hub, ANN, "two", later(130));
        idle(&mut hub, later(159));
        assert_eq!(in_memory(&hub), 2);
        idle(&mut hub, later(162));
        assert_eq!(in_memory(&hub), 1);
        let ticks = idle(&mut hub, later(192));
        assert_eq!(in_memory(&hub), 0);
        assert!(ticks <= 3, "only when something is due: {ticks}");
        assert_eq!(hub.next_deadline(), None);
        // A client that asks before the line is dropped is not shown it either.
        send(&mut hub, ANN, "three", later(200));
        let late = Now { wall: later(261).wall, ..later(201) };
        assert_eq!(in_memory(&hub), 1);
        assert!(replayed(&send(&mut hub, ANN, "/history", late)).is_empty());
        assert!(replayed(&send(&mut hub, ANN, "/search three", late)).is_empty());
        assert!(replayed(&come(&mut hub, SessionId(2), late)).is_empty());
    }

    #[test]
    fn a_line_is_judged_by_its_time_however_the_clock_jumps() {
        let mut hub = hub(settings());
        let in_a_year = Now { wall: Wall(31_536_000_000), ..later(10) };
        send(&mut hub, ANN, "from the future", in_a_year);
        send(&mut hub, ANN, "one", later(20));
        send(&mut hub, ANN, "two", later(50));
        let shown = |hub: &mut Hub, now| {
            replayed(&send(hub, ANN, "/history", now)).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(shown(&mut hub, later(85)), ["from the future", "two"]);
        idle(&mut hub, later(200));
        assert_eq!(shown(&mut hub, later(200)), ["from the future"]);
        assert_eq!(in_memory(&hub), 1);
        // The clock jumps: nobody is shown the line for longer than a minute, and it is gone after
        // an hour at most.
        let then = Now { mono: later(300).mono, wall: in_a_year.wall.after(KEEP * 2) };
        assert!(shown(&mut hub, then).is_empty());
        idle(&mut hub, Now { mono: then.mono.after(AT_LEAST), wall: then.wall.after(AT_LEAST) });
        assert_eq!(in_memory(&hub), 0);
    }

    #[test]
    fn of_many_rooms_some_are_looked_through_at_a_time() {
        let mut hub = hub(settings());
        for id in 2..=1000 {
            come(&mut hub, SessionId(id), later(0));
            send(&mut hub, SessionId(id), &format!("/join den{id}"), later(1));
            send(&mut hub, SessionId(id), "hello", later(1));
        }
        idle(&mut hub, later(60));
        assert_eq!(in_memory(&hub), 999);
        let now = later(70);
        hub.handle(Input::Tick, now, &mut Vec::new());
        assert_eq!(in_memory(&hub), 999 - AT_A_TIME + 1, "the lobby is one of them");
        let mut ticks = 1;
        while hub.next_deadline().is_some_and(|due| due <= now.mono) {
            hub.handle(Input::Tick, now, &mut Vec::new());
            ticks += 1;
        }
        assert_eq!((in_memory(&hub), ticks), (0, 16));
        assert_eq!(hub.next_deadline(), None);
    }

    #[test]
    fn lines_of_all_rooms_are_bounded_in_number_closed_rooms_included() {
        for keep_lines in [10, 5000] {
            let mut settings = settings();
            (settings.history.keep, settings.history.keep_lines) = (None, keep_lines);
            (settings.history.lines, settings.history.bytes) = (100_000, 100_000_000);
            let mut hub = hub(settings);
            let step = keep_lines.div_ceil(PARTS);
            for at in 0..keep_lines / 2 {
                send(&mut hub, ANN, &format!("in the lobby {at}"), later(at));
            }
            come(&mut hub, SessionId(2), later(0));
            send(&mut hub, SessionId(2), "/join den", later(0));
            for at in 0..keep_lines {
                send(&mut hub, SessionId(2), &format!("in the den {at}"), later(at));
            }
            let shown = |hub: &Hub| {
                let horizon = hub.horizon(later(keep_lines));
                hub.rooms().flat_map(|room| room.history.iter()).filter(|line| horizon.keeps(line)).count() as u64
            };
            assert!((keep_lines - step..=keep_lines).contains(&shown(&hub)), "{}", shown(&hub));
            send(&mut hub, SessionId(2), "/leave", later(0));
            assert_eq!(shown(&hub), 0, "what is kept was said in the den");
            idle(&mut hub, later(2 * keep_lines + 10));
            assert_eq!(in_memory(&hub), 0);
            // The hub is the same after a snapshot.
            let text = serde_json::to_string(&hub).expect("it can be written down");
            let again: Hub = serde_json::from_str(&text).expect("and read");
            assert_eq!(again.recording.retention, hub.recording.retention);
        }
    }

    #[test]
    fn lines_of_all_rooms_are_bounded_in_bytes() {
        const MIB: usize = 1024 * 1024;
        let mut settings = settings();
        settings.history.keep = None;
        (settings.history.keep_bytes, settings.history.bytes) = (MIB, 10 * MIB);
        (settings.history.lines, settings.limits.line) = (100_000, 4096);
        (settings.pace.steady, settings.pace.address) = (0, 0);
        let mut hub = hub(settings);
        for at in 0..4000 {
            send(&mut hub, ANN, &format!("{at} {}", "x".repeat(at % 1000)), later(0));
        }
        idle(&mut hub, later(100));
        let bytes = hub.rooms().map(|room| room.history.bytes()).sum::<usize>();
        assert!((MIB - 4096..=MIB).contains(&bytes), "{bytes}");
        assert!(hub.recording.retention.parts.len() <= 2 * 1024, "{}", hub.recording.retention.parts.len());
    }

    #[test]
    fn what_waits_for_the_disk_does_not_wait_for_longer_than_it_is_kept() {
        let mut hub = hub(settings());
        hub.handle(News::Archive(Some(Box::default())), later(0), &mut Vec::new());
        let target = Target::Network("192.0.2.0/24".parse().expect("a network"));
        let by = By::Admin { uid: 0, pid: 1 };
        send(&mut hub, ANN, "one", later(1));
        let order = Box::new(Order::about(Kind::Ban, target));
        hub.handle(Input::Sanction { order, by }, later(2), &mut Vec::new());
        send(&mut hub, ANN, "two", later(3));
        send(&mut hub, ANN, "three", later(50));
        idle(&mut hub, later(70));
        let (mut lines, mut bans) = (Vec::new(), 0);
        for (_, record) in hub.backlog().iter() {
            match record {
                Record::Line { line, .. } => lines.push(line.said.text().to_owned()),
                Record::Sanction(_) => bans += 1,
                _ => {}
            }
        }
        assert_eq!((lines, bans), (vec!["three".to_owned()], 1));
        hub.check_invariants();
    }

    #[test]
    fn what_comes_back_from_disk_is_shown_no_longer_than_it_is_kept() {
        let line = |seq, seconds, text: &str| Line {
            seq,
            at: later(seconds).wall,
            author: None,
            said: Said::Say { nick: "bob".into(), text: text.into() },
            borne: super::super::ignore::Borne::default(),
            apart: None,
            origin: None,
        };
        let room =
            |room, name: &str, lines| RecalledRoom { room: RoomId(room), name: name.to_owned(), lines, plain_from: 0 };
        let rooms = vec![
            room(0, "lobby", vec![line(1, 10, "old"), line(2, 60, "new")]),
            room(7, "den", vec![line(3, 60, "in the den")]),
        ];
        let recalled = Recalled { last_line: 3, last_room: 7, rooms, ..Recalled::default() };
        let mut hub = Hub::new(settings(), [7; 16], later(80), &mut Vec::new());
        hub.handle(News::Archive(Some(Box::new(recalled))), later(80), &mut Vec::new());
        assert_eq!(replayed(&come(&mut hub, ANN, later(90))), ["new"]);
        assert_eq!(in_memory(&hub), 2);
        // Nobody is in the den, and its lines are dropped all the same.
        idle(&mut hub, later(125));
        assert_eq!((in_memory(&hub), hub.recording.dormant.len()), (0, 0));
        // A slow disk still finds lines that are no longer kept.
        send(&mut hub, ANN, "/search o", later(130));
        let number = hub.people.sessions[&ANN].searching.as_ref().expect("she waits").number;
        let found = Box::new(Found { lines: vec![line(1, 10, "old")], through: 3, reach: Reach::All });
        let mut effects = Vec::new();
        hub.handle(News::Found { session: ANN, number, found }, later(130), &mut effects);
        assert!(replayed(&effects).is_empty());
    }
}
