use std::time::Duration;

use super::entry::{Again, Beat, Content, Entry, EntryId, Epoch, Extent, Frame, Had, HubId, Lane, Spoken};
use super::incoming::Refused;
use super::{HUBS, Incoming, Outgoing};
use crate::hub::archive::Selector;
use crate::hub::message::{Line, Said};
use crate::hub::{By, Effect, Hub, Input};
use crate::settings::Settings;
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now, Wall};

const NOW: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_000_000_000) };
const BY: By = By::Admin { uid: 0, pid: 1 };
const ANN: SessionId = SessionId(1);
const BOB: SessionId = SessionId(2);

fn after(millis: u64) -> Now {
    let by = Duration::from_millis(millis);
    Now { mono: NOW.mono.after(by), wall: NOW.wall.after(by) }
}

fn id(text: &str) -> HubId {
    HubId::parse(text).expect("a name")
}

fn lane(room: &str) -> Lane {
    Lane::parse(room).expect("a lane")
}

fn give(hub: &mut Hub, input: impl Into<Input>, now: Now) -> Vec<Effect> {
    let mut effects = Vec::new();
    hub.handle(input, now, &mut effects);
    effects
}

fn say(hub: &mut Hub, session: SessionId, text: &str) -> Vec<Effect> {
    give(hub, Input::Line { session, text: text.to_owned() }, NOW)
}

/// A hub with ann and bob in the lobby, and no link.
fn alone() -> Hub {
    let mut settings = Settings::default();
    settings.pace.shown = 1000;
    let mut hub = Hub::new(settings, [7; 16], NOW, &mut Vec::new());
    for (session, name) in [(ANN, "ann"), (BOB, "bob")] {
        let [.., last] = session.0.to_be_bytes();
        let peer = ([10, 0, 0, last], 1024).into();
        give(&mut hub, Input::Connect { session, peer, encrypted: false, certificate: None }, NOW);
        say(&mut hub, session, &format!("/nick {name}"));
    }
    hub
}

fn link(hub: &mut Hub) -> Vec<Effect> {
    give(hub, Incoming::Linked { hub: id("a"), log: "log".into(), last: 0 }, NOW)
}

/// The same, linked as `a`.
fn linked() -> Hub {
    let mut hub = alone();
    link(&mut hub);
    hub
}

fn given(effects: Vec<Effect>) -> Vec<Outgoing> {
    let given = effects.into_iter().filter_map(|effect| match effect {
        Effect::Peering(outgoing) => Some(outgoing),
        _ => None,
    });
    given.collect()
}

fn published(effects: Vec<Effect>) -> Vec<Frame> {
    let frames = given(effects).into_iter().filter_map(|outgoing| match outgoing {
        Outgoing::Publish { frame, .. } => Some(*frame),
        _ => None,
    });
    frames.collect()
}

fn posted(effects: &[Effect]) -> Vec<&Line> {
    let posted = effects.iter().filter_map(|effect| match effect {
        Effect::Post { line, .. } => Some(&**line),
        _ => None,
    });
    posted.collect()
}

fn texts(effects: &[Effect]) -> Vec<&str> {
    posted(effects).iter().map(|line| line.said.text()).collect()
}

fn spoken(text: &str) -> Content {
    Content::Line(Spoken { who: 4, nick: "cat".into(), text: text.into(), emote: false, at: NOW.wall })
}

fn entry(n: u64, content: Content) -> Entry {
    Entry { n, after: Vec::new(), content }
}

fn frame(hub: &str, entries: Vec<Entry>) -> Incoming {
    let frame = Frame { lane: lane("lobby"), hub: id(hub), epoch: Epoch(5), run: 1, first: 1, entries };
    Incoming::Frame { position: 1, frame: Box::new(frame) }
}

fn beat(hub: &str, number: u64, have: Vec<Had>) -> Incoming {
    Incoming::Beat(Box::new(Beat { hub: id(hub), epoch: Epoch(5), number, runs: 0, whole: true, lanes: vec![], have }))
}

fn had(hub: &Hub, n: u64) -> Vec<Had> {
    let epoch = hub.peering().expect("linked").epoch();
    vec![Had { lane: lane("lobby"), entry: EntryId { hub: id("a"), epoch, run: 1, n } }]
}

#[test]
fn a_hub_that_was_never_linked_keeps_no_state_of_peering() {
    let (mut hub, mut other) = (alone(), alone());
    for hub in [&mut hub, &mut other] {
        assert_eq!(given(say(hub, ANN, "hello")), []);
    }
    for incoming in [frame("b", vec![entry(1, spoken("hi"))]), beat("b", 1, vec![]), Incoming::Unlinked] {
        assert_eq!(give(&mut hub, incoming, NOW), []);
    }
    assert!(hub.peering().is_none() && hub.next_deadline() == other.next_deadline());
    assert!(!serde_json::to_string(&hub).expect("plain").contains("peering"));
}

#[test]
fn one_frame_is_on_its_way_and_holds_all_that_was_said_meanwhile() {
    let mut hub = linked();
    assert_eq!(published(say(&mut hub, ANN, "one")).len(), 1);
    assert_eq!(published(say(&mut hub, ANN, "two")).len(), 0);
    assert_eq!(published(say(&mut hub, BOB, "/me waves")).len(), 0);
    let stored = Incoming::Stored { lane: lane("lobby"), n: 1, position: 7 };
    let outgoing = given(give(&mut hub, stored.clone(), NOW));
    let [Outgoing::Publish { frame, expect: 7 }] = &outgoing[..] else { panic!("{outgoing:?}") };
    let numbers: Vec<_> = frame.entries.iter().map(|entry| entry.n).collect();
    assert_eq!(numbers, [2, 3]);
    assert!(matches!(&frame.entries[1].content, Content::Line(Spoken { emote: true, .. })));
    assert_eq!(given(give(&mut hub, stored, NOW)), [], "what is said of another frame changes nothing");
}

#[test]
fn a_frame_that_was_not_stored_is_published_again() {
    let mut hub = linked();
    say(&mut hub, ANN, "one");
    let refused = |why| Incoming::Refused { lane: lane("lobby"), n: 1, why };
    assert_eq!(given(give(&mut hub, refused(Refused::Away), NOW)), []);
    let retried = published(give(&mut hub, Input::Tick, after(500)));
    assert_eq!(retried.len(), 1);
    let behind = Refused::Behind { position: 9, epoch: Epoch(3), run: 1, n: 4 };
    let again = given(give(&mut hub, refused(behind), NOW));
    assert!(matches!(&again[..], [Outgoing::Publish { expect: 9, .. }]), "a former life's frame: {again:?}");
}

#[test]
fn an_entry_is_kept_until_all_hubs_have_it() {
    let mut hub = linked();
    for other in ["b", "c"] {
        give(&mut hub, beat(other, 1, vec![]), NOW);
    }
    say(&mut hub, ANN, "one");
    give(&mut hub, Incoming::Stored { lane: lane("lobby"), n: 1, position: 1 }, NOW);
    let epoch = hub.peering().expect("linked").epoch();
    let again = Again { to: id("a"), epoch, lane: lane("lobby"), run: 1, from: 1 };
    let wanted = |hub: &mut Hub| {
        let frames = published(give(hub, Incoming::Again(Box::new(again.clone())), NOW));
        give(hub, Incoming::Stored { lane: lane("lobby"), n: 1, position: 2 }, NOW);
        frames[0].entries[0].content.clone()
    };
    assert!(matches!(wanted(&mut hub), Content::Line(_)));
    let has_it = had(&hub, 1);
    give(&mut hub, beat("b", 2, has_it.clone()), NOW);
    assert!(matches!(wanted(&mut hub), Content::Line(_)), "c may not have it");
    let mut forgotten = hub.clone();
    give(&mut forgotten, Incoming::Forget { hub: id("c") }, NOW);
    give(&mut hub, beat("c", 2, has_it), NOW);
    for mut hub in [hub, forgotten] {
        assert_eq!(wanted(&mut hub), Content::Gap { from: 1 }, "nobody keeps it any more");
    }
}

#[test]
fn lines_of_private_encrypted_and_unrecorded_rooms_are_not_published() {
    let mut settings = Settings::default();
    settings.history.off = vec!["attic".to_owned()];
    settings.access.secure = vec!["10.0.0.0/8".parse().expect("a network")];
    settings.pace.shown = 1000;
    let mut hub = linked();
    give(&mut hub, crate::hub::News::Settings(Box::new(settings)), NOW);
    say(&mut hub, ANN, "/join attic");
    assert_eq!(published(say(&mut hub, ANN, "it is not kept")), []);
    for mode in ["private", "encrypted"] {
        let den = format!("den-{mode}");
        say(&mut hub, ANN, &format!("/join {den}"));
        assert_eq!(published(say(&mut hub, ANN, &format!("everybody may know it, not yet {mode}"))).len(), 1);
        give(&mut hub, Incoming::Stored { lane: lane(&den), n: 1, position: 1 }, NOW);
        let room = hub.find_room(&den).expect("it is open");
        let mut change = crate::hub::ownership::Change::default();
        (change.private, change.encrypted) = (Some(mode == "private"), Some(mode == "encrypted"));
        give(&mut hub, Input::SetRoom { room, change, by: BY }, NOW);
        assert_eq!(published(say(&mut hub, ANN, &format!("it is {mode}"))), []);
        let line = Frame {
            lane: lane(&den),
            hub: id("b"),
            epoch: Epoch(5),
            run: 1,
            first: 1,
            entries: vec![entry(1, spoken("who is here"))],
        };
        assert_eq!(texts(&give(&mut hub, Incoming::Frame { position: 1, frame: Box::new(line) }, NOW)), [""; 0]);
    }
}

#[test]
fn who_is_muted_without_being_told_is_heard_nowhere() {
    let mut hub = linked();
    let mute = crate::hub::sanction::Order::about(
        crate::hub::sanction::Kind::Mute { shadow: true },
        crate::hub::sanction::Target::Name(hub.session(ANN).expect("ann").nick.clone()),
    );
    give(&mut hub, Input::Sanction { order: Box::new(mute), by: BY }, NOW);
    assert_eq!(given(say(&mut hub, ANN, "hello")), []);
    assert_eq!(published(say(&mut hub, BOB, "hello")).len(), 1);
}

#[test]
fn redacted_lines_are_published_as_removed() {
    let mut hub = linked();
    say(&mut hub, ANN, "on its way");
    say(&mut hub, ANN, "rude");
    let what = Selector { text: Some("rude".into()), ..Selector::default() };
    give(&mut hub, Input::Redact { what: what.into(), account: None, by: BY }, NOW);
    let frames = published(give(&mut hub, Incoming::Stored { lane: lane("lobby"), n: 1, position: 1 }, NOW));
    assert_eq!(frames[0].entries, [entry(2, Content::Removed)]);
    give(&mut hub, beat("b", 1, vec![]), NOW);
    assert_eq!(texts(&give(&mut hub, frame("b", vec![entry(1, Content::Removed)]), NOW)), [""; 0]);
}

#[test]
fn lines_of_others_are_shown_in_the_order_of_their_numbers() {
    let mut hub = linked();
    give(&mut hub, beat("b", 1, vec![]), NOW);
    assert_eq!(texts(&give(&mut hub, frame("b", vec![entry(1, spoken("one"))]), NOW)), ["one"]);
    assert_eq!(texts(&give(&mut hub, frame("b", vec![entry(1, spoken("one"))]), NOW)), [""; 0], "it comes twice");
    let early = give(&mut hub, frame("b", vec![entry(3, spoken("three"))]), NOW);
    assert_eq!(texts(&early), [""; 0]);
    let asked = Again { to: id("b"), epoch: Epoch(5), lane: lane("lobby"), run: 1, from: 2 };
    assert_eq!(given(early), [Outgoing::Again(Box::new(asked))]);
    let effects = give(&mut hub, frame("b", vec![entry(2, spoken("two"))]), NOW);
    assert_eq!(texts(&effects), ["two", "three"]);
    let line = posted(&effects)[0];
    assert_eq!(line.said.nick(), "cat@b");
    let author = line.author.expect("somebody");
    assert!(author.is_remote() && posted(&effects)[1].author == Some(author), "one person has one number");
    assert_eq!(line.origin.as_deref(), Some(&EntryId { hub: id("b"), epoch: Epoch(5), run: 1, n: 2 }));
    let lines = hub.room(hub.lobby()).expect("open").history.len();
    assert_eq!(lines, 3, "they are kept as other lines are");
}

#[test]
fn an_answer_waits_for_the_question_but_not_for_ever() {
    let mut hub = linked();
    let question = EntryId { hub: id("c"), epoch: Epoch(5), run: 1, n: 1 };
    let answer = Entry { n: 1, after: vec![question], content: spoken("answer") };
    assert_eq!(texts(&give(&mut hub, frame("b", vec![answer]), NOW)), [""; 0]);
    let mut patient = hub.clone();
    let both = give(&mut patient, frame("c", vec![entry(1, spoken("question"))]), after(1000));
    assert_eq!(texts(&both), ["question", "answer"]);
    assert_eq!(texts(&give(&mut hub, Input::Tick, after(1999))), [""; 0]);
    assert_eq!(texts(&give(&mut hub, Input::Tick, after(2000))), ["answer"]);
}

#[test]
fn lines_that_are_lost_for_good_are_counted_in_a_note() {
    let mut hub = linked();
    give(&mut hub, frame("b", vec![entry(1, spoken("one"))]), NOW);
    let gap = give(&mut hub, frame("b", vec![entry(4, Content::Gap { from: 1 }), entry(5, spoken("five"))]), NOW);
    assert_eq!(texts(&gap), ["3 lines from hub b did not get here", "five"], "the first one is here");
    assert!(matches!(posted(&gap)[0].said, Said::Notice { .. }));
    let gap = give(&mut hub, frame("b", vec![entry(6, Content::Gap { from: 2 })]), NOW);
    assert_eq!(texts(&gap), ["1 line from hub b did not get here"]);
}

#[test]
fn impossible_lines_of_other_hubs_are_refused_and_counted() {
    let mut hub = linked();
    let line = |nick: &str, text: &str| {
        Content::Line(Spoken { who: 4, nick: nick.into(), text: text.into(), emote: false, at: NOW.wall })
    };
    let long = "x".repeat(64 * 1024 + 1);
    let wrong = [
        ("cat", "\x1b[2J"),
        ("cat", "two\nlines"),
        ("cat", "  "),
        ("cat", "\u{202e}backwards"),
        ("cat", &long),
        ("", "hi"),
        ("c at", "hi"),
        ("cat@c", "hi"),
        ("c\u{7}at", "hi"),
    ];
    let count = wrong.len() as u64;
    let entries = (1..).zip(wrong).map(|(n, (nick, text))| entry(n, line(nick, text)));
    let entries = entries.chain([entry(count + 1, spoken("and on"))]).collect();
    assert_eq!(texts(&give(&mut hub, frame("b", entries), NOW)), ["and on"]);
    assert_eq!(hub.peering().expect("linked").counts().refused, count);
    // Numbers that do not fit together.
    for entries in [
        vec![],
        vec![entry(0, Content::Removed)],
        vec![entry(u64::MAX, Content::Removed)],
        vec![entry(11, Content::Removed), entry(13, Content::Removed)],
        vec![entry(11, Content::Gap { from: 12 })],
    ] {
        assert_eq!(give(&mut hub, frame("b", entries), NOW), []);
    }
    assert_eq!(hub.peering().expect("linked").counts().refused, count + 5);
}

#[test]
fn the_house_rules_hold_for_lines_of_others() {
    let mut hub = linked();
    let mut settings = Settings::default();
    settings.filters.refuse = vec!["pills".to_owned()];
    give(&mut hub, crate::hub::News::Settings(Box::new(settings)), NOW);
    let entries = vec![entry(1, spoken("cheap pills")), entry(2, spoken("good morning"))];
    assert_eq!(texts(&give(&mut hub, frame("b", entries), NOW)), ["good morning"]);
    assert_eq!(hub.counters().lines_filtered, 1);
}

#[test]
fn clocks_of_others_are_not_believed() {
    let mut hub = linked();
    let at = |hub: &mut Hub, n, at: Wall| {
        let line = Spoken { who: 4, nick: "cat".into(), text: "hi".into(), emote: false, at };
        posted(&give(hub, frame("b", vec![entry(n, Content::Line(line))]), NOW))[0].at
    };
    assert_eq!(at(&mut hub, 1, Wall(i64::MAX)), NOW.wall);
    assert_eq!(at(&mut hub, 2, Wall(NOW.wall.0 - 900)), NOW.wall);
    let hour_ago = Wall(NOW.wall.0 - 3_600_000);
    assert_eq!(at(&mut hub, 3, hour_ago), hour_ago, "what was said while nobody could hear it");
}

#[test]
fn after_its_clock_was_set_back_a_hub_is_not_taken_for_its_former_life() {
    let mut hub = linked();
    let later = Epoch(hub.peering().expect("linked").epoch().0 + 1000);
    let of_a_former_life = |epoch| Had { lane: lane("lobby"), entry: EntryId { hub: id("a"), epoch, run: 3, n: 9 } };
    give(&mut hub, beat("b", 1, vec![of_a_former_life(later)]), NOW);
    assert_eq!(hub.peering().expect("linked").epoch(), Epoch(later.0 + 1));
    assert_eq!(published(say(&mut hub, ANN, "hello"))[0].epoch, Epoch(later.0 + 1));
    // If there is a later one yet, it is no former life.
    let copy = give(&mut hub, beat("b", 2, vec![of_a_former_life(Epoch(later.0 + 2))]), NOW);
    assert_eq!(given(copy), [Outgoing::Halt]);
    give(&mut hub, Incoming::Stored { lane: lane("lobby"), n: 1, position: 1 }, NOW);
    assert_eq!(published(say(&mut hub, ANN, "nobody hears that")), []);
    assert_eq!(published(link(&mut hub)).len(), 1, "until the link connects anew");
}

#[test]
fn a_hub_stops_when_it_finds_lines_under_its_name_that_it_never_published() {
    let mut hub = linked();
    say(&mut hub, ANN, "hello");
    let epoch = hub.peering().expect("linked").epoch();
    let copied =
        Frame { lane: lane("lobby"), hub: id("a"), epoch, run: 1, first: 1, entries: vec![entry(2, spoken("x"))] };
    let effects = give(&mut hub, Incoming::Frame { position: 1, frame: Box::new(copied) }, NOW);
    assert_eq!(effects, [Effect::Peering(Outgoing::Halt)]);
}

#[test]
fn hubs_are_bounded_and_one_that_was_forgotten_makes_place() {
    let mut hub = linked();
    for number in 0..HUBS {
        give(&mut hub, beat(&format!("h{number}"), 1, vec![]), NOW);
    }
    give(&mut hub, beat("late", 1, vec![]), NOW);
    assert_eq!(hub.peering().expect("linked").counts().refused, 1);
    give(&mut hub, Incoming::Forget { hub: id("h3") }, NOW);
    give(&mut hub, beat("late", 2, vec![]), NOW);
    assert_eq!(hub.peering().expect("linked").counts().refused, 1);
}

#[test]
fn a_lane_whose_people_have_gone_begins_a_new_run() {
    let mut hub = linked();
    say(&mut hub, ANN, "/join den");
    let first = published(say(&mut hub, ANN, "hello"));
    assert_eq!((first[0].run, first[0].entries[0].n), (1, 1));
    give(&mut hub, Incoming::Stored { lane: lane("den"), n: 1, position: 1 }, NOW);
    say(&mut hub, ANN, "/join lobby");
    let outgoing = given(give(&mut hub, Input::Tick, after(10_000)));
    let [Outgoing::Beat(beat)] = &outgoing[..] else { panic!("{outgoing:?}") };
    assert!(beat.whole && beat.lanes.is_empty() && beat.runs == 1, "{beat:?}");
    say(&mut hub, ANN, "/join den");
    let next = published(say(&mut hub, ANN, "hello again"));
    assert_eq!((next[0].run, next[0].entries[0].n), (2, 1));
}

#[test]
fn a_new_hub_begins_with_what_others_still_keep() {
    let mut hub = linked();
    let extent = Extent { lane: lane("lobby"), run: 1, first: 8, n: 9 };
    let Incoming::Beat(told) = beat("b", 1, vec![]) else { unreachable!() };
    let told = Beat { runs: 1, lanes: vec![extent], ..*told };
    let asked = given(give(&mut hub, Incoming::Beat(Box::new(told)), NOW));
    let asked_for = Again { to: id("b"), epoch: Epoch(5), lane: lane("lobby"), run: 1, from: 8 };
    assert_eq!(asked, [Outgoing::Again(Box::new(asked_for))]);
    let entries = vec![entry(7, spoken("before")), entry(8, spoken("since then"))];
    assert_eq!(texts(&give(&mut hub, frame("b", entries), NOW)), ["since then"]);
}

#[test]
fn an_inconsistent_snapshot_of_peering_is_refused() {
    let mut hub = linked();
    say(&mut hub, ANN, "one");
    give(&mut hub, frame("b", vec![entry(1, spoken("one")), entry(2, spoken("two"))]), NOW);
    give(&mut hub, frame("b", vec![entry(5, spoken("five"))]), NOW);
    let sound = serde_json::to_value(&hub).expect("plain");
    let read = |value: &serde_json::Value| serde_json::from_value::<Hub>(value.clone());
    let again = read(&sound).expect("it is sound");
    assert_eq!(serde_json::to_value(&again).expect("plain"), sound);
    for (path, wrong) in [
        ("/peering/own/lobby/n", 5),
        ("/peering/own/lobby/sent", 9),
        ("/peering/own/lobby/run", 9),
        ("/peering/own/lobby/waiting/0/n", 0),
        ("/peering/read/lobby/b/have", 7),
        ("/peering/read/lobby/b/held/5/n", 6),
    ] {
        let mut value = sound.clone();
        *value.pointer_mut(path).unwrap_or_else(|| panic!("{path} is not there")) = wrong.into();
        assert!(read(&value).is_err(), "{path}");
    }
}
