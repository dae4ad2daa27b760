//! Tests that the check finds mistakes: streams of the real hub, made in memory, are right; each of
//! them with one change is wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chathub::hub::message::Farewell;
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use serde_json::json;

use crate::check::{self, End, KEPT, LONGEST, REPLAY, Record, Wrong};
use crate::play::{Act, Author, Cast, LOBBY};
use crate::shared::dice::Dice;
use crate::world::World;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.limits.line = LONGEST;
    settings.limits.mailbox = 64 << 20;
    settings.limits.clients_per_address = 1_000_000;
    settings.pace.lines = 1_000_000;
    settings.pace.burst_lines = 1_000_000;
    settings.pace.bytes = 1 << 30;
    settings.pace.burst_bytes = 1 << 30;
    settings.pace.private = 1 << 30;
    settings.pace.shown = 1_000_000;
    settings.rooms.announce_limit = 1_000_000;
    settings.rooms.announce_burst = 1000;
    settings.rooms.gather = Duration::from_millis(100);
    settings.history.replay = REPLAY;
    settings.history.lines = KEPT;
    settings.history.bytes = 16 << 20;
    settings
}

/// The hub and its clients, in memory.
struct Rehearsal {
    world: World,
    records: Vec<Record>,
    sessions: Vec<SessionId>,
    authors: Vec<Author>,
    cast: Cast,
    dice: Dice,
    notices: Vec<String>,
}

impl Rehearsal {
    fn connect(&mut self, nick: &str, listens: Option<&str>) -> usize {
        let number = u32::try_from(self.records.len()).unwrap();
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x7f00_0001 + number));
        let session = self.world.connect(SocketAddr::new(address, 4000));
        self.sessions.push(session);
        let dice = self.dice.fork();
        self.authors.push(Author::new(nick, dice));
        self.records.push(Record {
            nick: nick.to_owned(),
            acts: Vec::new(),
            bytes: Vec::new(),
            end: End::Open,
            listens: listens.map(str::to_owned),
            keys: false,
        });
        let index = self.records.len() - 1;
        self.act(index, Act::Nick(nick.to_owned()));
        if let Some(room) = listens.filter(|room| *room != LOBBY) {
            self.act(index, Act::Join(room.to_owned()));
        }
        index
    }

    fn act(&mut self, index: usize, act: Act) {
        let line = format!("{}\n", act.typed());
        if matches!(act, Act::Quit(_)) {
            self.records[index].end = End::Quit;
        }
        self.records[index].acts.push(act);
        let at = self.dice.below(line.len());
        for piece in [&line.as_bytes()[..at], &line.as_bytes()[at..]] {
            self.world.receive(self.sessions[index], piece);
        }
        self.world.pass(Duration::from_millis(1));
    }

    fn notice(&mut self, text: &str) {
        self.notices.push(text.to_owned());
        self.world.control("say", json!({"text": text})).expect("it is said");
    }

    /// Plays `acts` random acts. Returns the records of all clients, and the notices said to all
    /// rooms.
    fn play(seed: u64, acts: usize) -> (Vec<Record>, Vec<String>) {
        let names = |prefix: &str, count: usize| (0..count).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>();
        let cast = Cast {
            rooms: [LOBBY, "tea", "milk"].map(str::to_owned).to_vec(),
            residents: names("k", 6),
            bores: vec!["k0".to_owned()],
            longest: 40,
        };
        let mut stage = Self {
            world: World::new(settings()),
            records: Vec::new(),
            sessions: Vec::new(),
            authors: Vec::new(),
            cast,
            dice: Dice(seed),
            notices: Vec::new(),
        };
        for (at, room) in stage.cast.rooms.clone().iter().enumerate() {
            stage.connect(&format!("ear{at}"), Some(room));
        }
        for nick in stage.cast.residents.clone() {
            stage.connect(&nick, None);
        }
        let residents = 3..stage.records.len();
        let mut visitors: Vec<usize> = Vec::new();
        for number in 0..acts {
            let index = match stage.dice.below(10) {
                0 if visitors.len() < 4 => {
                    visitors.push(stage.connect(&format!("d{number}"), None));
                    continue;
                }
                0 => {
                    let index = visitors.swap_remove(0);
                    match stage.dice.below(3) {
                        0 => {
                            let act = stage.authors[index].quit();
                            stage.act(index, act);
                        }
                        1 => {
                            stage.records[index].end = End::HungUp;
                            stage.world.end(stage.sessions[index], Farewell::Hangup);
                        }
                        _ => {
                            stage.records[index].end = End::Cut;
                            stage.world.end(stage.sessions[index], Farewell::Lost);
                        }
                    }
                    continue;
                }
                1..3 if !visitors.is_empty() => stage.dice.of(&visitors),
                _ => stage.dice.between(residents.start, residents.end - 1),
            };
            let act = stage.authors[index].act(&stage.cast);
            stage.act(index, act);
            for session in stage.sessions.clone() {
                let most = stage.dice.of(&[0, 0, 1, 40, 300]);
                stage.world.take(session, most);
            }
            if number == acts / 2 {
                stage.notice("half of it is over");
            }
        }
        for index in residents.chain(visitors) {
            let (act, _) = stage.authors[index].sync();
            stage.act(index, act);
        }
        stage.notice("the end");
        stage.world.take_all();
        let mut records = stage.records;
        for (record, session) in records.iter_mut().zip(&stage.sessions) {
            record.bytes = check::joined(&stage.world.clients[session].out);
        }
        (records, stage.notices)
    }
}

/// The records of a play; the check must find them right.
fn right(seed: u64) -> (Vec<Record>, Vec<String>) {
    let (records, notices) = Rehearsal::play(seed, 400);
    verdict(&records, &notices).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    (records, notices)
}

fn verdict(records: &[Record], notices: &[String]) -> Result<check::Tally, Wrong> {
    check::check(records, notices)
}

#[test]
fn streams_of_the_real_hub_pass_the_check() {
    for seed in 1..=30 {
        let (records, notices) = Rehearsal::play(seed, 600);
        let tally = verdict(&records, &notices).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        assert!(tally.room_lines > 1000 && tally.privates > 20 && tally.answers > 100, "{tally:?}");
    }
}

/// Where each line of a stream begins and ends.
fn spans(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut from = 0;
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| (std::mem::replace(&mut from, at + 1), at + 1))
        .collect()
}

/// Changes one stream at a random place. Returns a description of the change, or `None` if nothing
/// would have changed.
fn damage(bytes: &mut Vec<u8>, kind: usize, dice: &mut Dice) -> Option<String> {
    let spans = spans(bytes);
    let at = dice.below(spans.len() - 1);
    let (from, to) = spans[at];
    let line = bytes[from..to].to_vec();
    let shown = String::from_utf8_lossy(&line).into_owned();
    // The check cannot know the time of a line, how many people are in other rooms, and whether
    // somebody is away at the moment of a message: changes of these are not made.
    let is_unknown = line[0] == b'[' && line[1].is_ascii_digit()
        || shown.starts_with("--   ") && shown.contains(" pe")
        || shown.contains(" is away");
    if is_unknown {
        return None;
    }
    Some(match kind {
        0 => {
            bytes.drain(from..to);
            format!("lost {shown:?}")
        }
        1 => {
            bytes.splice(to..to, line);
            format!("doubled {shown:?}")
        }
        2 => {
            let (from, to) = spans[at + 1];
            let next = bytes[from..to].to_vec();
            // Only the client itself could know whether an answer came one line earlier.
            let is_said = |line: &[u8]| line[0].is_ascii_lowercase() || line[0] == b'*';
            if next == line || !is_said(&line) || !is_said(&next) {
                return None;
            }
            bytes.drain(from..to);
            bytes.splice(spans[at].0..spans[at].0, next);
            format!("{shown:?} one later")
        }
        3 => {
            let middle = dice.between(from + 1, to - 1);
            let piece = dice.between(1, (to - from).min(20));
            let end = (middle + piece).min(bytes.len());
            bytes.drain(middle..end);
            format!("{piece} bytes lost at {middle}, in {shown:?}")
        }
        4 => {
            let piece = dice.between(1, to - from);
            let again = bytes[to - piece..to].to_vec();
            bytes.splice(to..to, again);
            format!("{piece} bytes twice behind {shown:?}")
        }
        5 => {
            let place = dice.between(from, to - 1);
            bytes[place] ^= 1 << dice.below(7);
            format!("a bit changed at {place}, in {shown:?}")
        }
        6 => {
            let (from, to) = spans[dice.below(spans.len())];
            let middle = dice.between(from + 1, to - 1);
            let other = bytes[from..to].to_vec();
            bytes.splice(middle..middle, other);
            format!("a line in the middle of itself at {middle}")
        }
        7 => {
            bytes.truncate(bytes.len() - dice.between(1, 300));
            "the end is lost".to_owned()
        }
        _ => {
            let place = dice.between(from, to - 1);
            bytes.insert(place, dice.of(b"\0\xff\r\nx"));
            format!("a byte too many at {place}, in {shown:?}")
        }
    })
}

#[test]
fn one_line_lost_doubled_torn_changed_or_moved_anywhere_is_found() {
    let (records, notices) = right(7);
    let mut dice = Dice(99);
    let mut unfound = Vec::new();
    let whole: Vec<usize> = (0..records.len()).filter(|index| records[*index].end == End::Open).collect();
    let mut tried = 0;
    for kind in 0..9 {
        for _ in 0..100 {
            let index = dice.of(&whole);
            let mut damaged = records.clone();
            // The order of two lines that only this client hears cannot be checked.
            if kind == 2 && records[index].listens.is_some() {
                continue;
            }
            let Some(done) = damage(&mut damaged[index].bytes, kind, &mut dice) else { continue };
            tried += 1;
            if verdict(&damaged, &notices).is_ok() {
                unfound.push(format!("{}: {done}", records[index].nick));
            }
        }
    }
    assert!(unfound.is_empty(), "{} of {tried} not found:\n{}", unfound.len(), unfound.join("\n"));
    assert!(tried > 300, "{tried}");
}

/// Changes all streams in the same way, as if the hub had read a typed line twice, or never.
#[test]
fn a_line_that_everybody_lacks_or_has_twice_is_found() {
    let (records, notices) = right(3);
    let said = records.iter().flat_map(|record| &record.acts).filter_map(|act| match act {
        Act::Say(text) => Some(text.clone()),
        _ => None,
    });
    let mut tried = 0;
    for text in said.step_by(7) {
        for twice in [false, true] {
            let mut damaged = records.clone();
            for record in &mut damaged {
                let spans = spans(&record.bytes);
                for (from, to) in spans.into_iter().rev() {
                    let line = record.bytes[from..to].to_vec();
                    let shown = String::from_utf8_lossy(&line).into_owned();
                    if shown.ends_with(&format!(": {text}\r\n")) {
                        if twice {
                            record.bytes.splice(to..to, line);
                        } else {
                            record.bytes.drain(from..to);
                        }
                    }
                }
            }
            if damaged.iter().zip(&records).any(|(one, other)| one.bytes != other.bytes) {
                tried += 1;
                assert!(verdict(&damaged, &notices).is_err(), "{text:?} twice: {twice}");
            }
        }
    }
    assert!(tried > 50);
}

#[test]
fn lines_in_another_order_for_one_member_are_found() {
    let (records, notices) = right(5);
    let mut tried = 0;
    for index in 0..records.len() {
        if records[index].end != End::Open {
            continue;
        }
        let spans = spans(&records[index].bytes);
        let is_said = |(from, to): &(usize, usize)| {
            let line = &records[index].bytes[*from..*to];
            line.starts_with(b"k") && line.windows(3).any(|window| window == b": k")
        };
        for pair in spans.windows(2).filter(|pair| pair.iter().all(is_said)).step_by(5) {
            let [one, other] = [pair[0], pair[1]].map(|(from, to)| records[index].bytes[from..to].to_vec());
            let mut damaged = records.clone();
            damaged[index].bytes.splice(pair[0].0..pair[1].1, [other, one].concat());
            tried += 1;
            assert!(verdict(&damaged, &notices).is_err());
        }
    }
    assert!(tried > 30, "{tried}");
}

/// A note on missed lines is right if it counts the missing lines, and wrong with any other number.
/// The test puts a note only where no hidden lines become visible: there the check cannot know from
/// which line on they are shown.
#[test]
fn a_note_counts_the_lines_in_whose_place_it_stands() {
    let (records, notices) = right(11);
    let is_steady = |record: &Record| !record.acts.iter().any(|act| matches!(act, Act::Quiet | Act::Unignore(_)));
    let (mut tried, mut dice) = (0, Dice(5));
    for (index, record) in records.iter().enumerate() {
        if record.end != End::Open || record.listens.is_some() || !is_steady(record) {
            continue;
        }
        let spans = spans(&record.bytes);
        let is_said = |(from, to): &(usize, usize)| {
            let line = &record.bytes[*from..*to];
            (line.starts_with(b"k") || line.starts_with(b"d")) && line.windows(2).any(|window| window == b": ")
        };
        for start in (0..spans.len()).step_by(7) {
            let run = spans[start..].iter().take_while(|span| is_said(span)).count();
            if run == 0 {
                continue;
            }
            let count = dice.between(1, run);
            let (from, to) = (spans[start].0, spans[start + count - 1].1);
            for told in [count, count - 1, count + 1] {
                let mut changed = records.clone();
                let note = format!("-- you missed {told} line{}\r\n", if told == 1 { "" } else { "s" });
                changed[index].bytes.splice(from..to, note.into_bytes());
                let verdict = verdict(&changed, &notices);
                assert_eq!(verdict.is_ok(), told == count, "{count} lines are left out, {told} told: {verdict:?}");
            }
            // A line that the note has counted comes all the same.
            let mut changed = records.clone();
            let note = format!("-- you missed {count} line{}\r\n", if count == 1 { "" } else { "s" });
            changed[index].bytes.splice(from..spans[start + count - 1].0, note.into_bytes());
            assert!(verdict(&changed, &notices).is_err(), "{count} lines are counted, and the last of them comes");
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

/// On a screen, the typed line is drawn and erased again; what was said remains.
#[test]
fn a_screen_shows_what_was_said_and_not_what_was_typed() {
    let stream =
        b"a: one\r\n\xff\xfb\x01\xff\xfb\x03\x1b[?2004h\r\x1b[Jlobby> \r\x1b[J\x1b[36mb\x1b[39m: two and\r\n   \
        three\r\nlobby> \r\x1b[Jlobby> x\r\x1b[J-- four\r\nlobby> ";
    assert_eq!(check::on_screen(stream), b"a: one\r\nb: two and three\r\n-- four\r\n");
    // An incomplete line is not taken for a prompt.
    assert_eq!(check::on_screen(b"a: one\r\nb: tw"), b"a: one\r\nb: tw");
}
