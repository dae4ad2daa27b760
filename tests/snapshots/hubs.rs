//! A hub that shares its rooms with others, in the middle of everything: frames on their way, entries that came too
//! early, a hub that publishes under its name.

use std::time::Duration;

use chathub::hub::peering::entry::{
    Again, Beat, Content, Entry, EntryId, Epoch, Extent, Frame, Had, HubId, Lane, Spoken,
};
use chathub::hub::peering::incoming::Refused;
use chathub::hub::peering::{Incoming, Outgoing};
use chathub::machine::Outcome;
use chathub::settings::Settings;
use serde_json::json;

use super::stage::{BEGIN, Stage};

fn id(hub: &str) -> HubId {
    HubId::parse(hub).expect("a name")
}

fn lane(room: &str) -> Lane {
    Lane::parse(room).expect("a lane")
}

fn spoken(text: &str) -> Content {
    let (nick, text) = ("cat".into(), text.into());
    Content::Line(Spoken { who: 4, nick, text, emote: true, at: BEGIN.wall })
}

fn of(hub: &str, n: u64) -> EntryId {
    EntryId { hub: id(hub), epoch: Epoch(5), run: 1, n }
}

fn frame(hub: &str, entries: Vec<Entry>) -> Incoming {
    let frame = Frame { lane: lane("lobby"), hub: id(hub), epoch: Epoch(5), run: 1, first: 1, entries };
    Incoming::Frame { position: 12, frame: Box::new(frame) }
}

/// The link connects, as the driver would tell it.
fn link(stage: &mut Stage) {
    stage.input(Incoming::Linked { hub: id("a"), log: "log".into(), last: 12 });
}

pub fn scene() -> Stage {
    let mut stage = Stage::new(Settings::default());
    let s = &mut stage;
    let (ann, dan) = (s.connect(false), s.connect(false));
    for (who, line) in [(ann, "/nick ann"), (dan, "/nick dan"), (dan, "/join den")] {
        s.line(who, line);
    }
    link(s);
    s.pass(Duration::from_secs(1));
    let entry = |n, content| Entry { n, after: Vec::new(), content };
    s.line(ann, "one");
    s.input(Incoming::Stored { lane: lane("lobby"), n: 1, position: 11 });
    let epoch = s.machine.hub().peering().expect("it was linked").epoch();
    let ours = |n| EntryId { hub: id("a"), epoch, run: 1, n };
    let beat = |number, have| {
        let lanes = vec![Extent { lane: lane("lobby"), run: 1, first: 1, n: 6 }];
        let have = vec![Had { lane: lane("lobby"), entry: have }];
        Incoming::Beat(Box::new(Beat { hub: id("b"), epoch: Epoch(5), number, runs: 1, whole: true, lanes, have }))
    };
    s.input(beat(1, ours(0)));
    s.input(frame("b", vec![entry(1, spoken("waves"))]));
    // The next ones come before what they answer, or before the one before them.
    let early = Entry { after: vec![of("c", 3)], ..entry(2, spoken("answers")) };
    s.input(frame("b", vec![early, entry(3, Content::Removed), entry(4, Content::Gap { from: 4 })]));
    s.input(frame("b", vec![entry(6, spoken("comes too early"))]));
    s.input(frame("b", vec![]));
    // Behind what was seen of b: two that are on their way, and one that was removed.
    for line in ["two", "rude", "four"] {
        s.line(ann, line);
    }
    s.control("history.redact", json!({"query": "rude"}));
    // What the log did not take is tried again.
    s.line(dan, "nobody is here yet");
    s.input(Incoming::Refused { lane: lane("den"), n: 1, why: Refused::Away });
    // Twice, a life of this hub is heard of that seems later: it is another hub of that name.
    for number in [2, 3] {
        s.input(beat(number, EntryId { epoch: Epoch(epoch.0 + 1000 * number), ..ours(9) }));
    }
    s.input(beat(1, ours(1)));
    let epoch = s.machine.hub().peering().expect("it was linked").epoch();
    s.input(beat(4, EntryId { epoch, ..ours(1) }));
    s.input(Incoming::Again(Box::new(Again { to: id("a"), epoch, lane: lane("lobby"), run: 1, from: 2 })));
    stage
}

/// What the hub has given the link to do since it was asked last.
fn given(stage: &mut Stage) -> Vec<Outgoing> {
    let told = stage.told.extract_if(.., |outcome| matches!(outcome, Outcome::Peering(_)));
    let given = told.filter_map(|outcome| if let Outcome::Peering(outgoing) = outcome { Some(outgoing) } else { None });
    given.collect()
}

/// The link connects again, and everything goes on from where it was.
pub fn goes_on(stage: &mut Stage) {
    stage.pass(Duration::from_secs(60));
    assert_eq!(given(stage), [], "there is no link");
    link(stage);
    let given = given(stage);
    assert!(given.contains(&Outgoing::Read { after: 12 }), "{given:?}");
    let frames = given.iter().filter_map(|outgoing| match outgoing {
        Outgoing::Publish { frame, .. } => Some((frame.lane.room(), frame.entries.len())),
        _ => None,
    });
    assert_eq!(frames.collect::<Vec<_>>(), [("den", 1), ("lobby", 3)], "all that b may not have is sent again");
    let five = Entry { n: 5, after: Vec::new(), content: spoken("fills the gap") };
    let seen = stage.sees("ann", |stage| stage.input(frame("b", vec![five])));
    assert_eq!(seen, "* cat@b fills the gap\r\n* cat@b comes too early\r\n");
}
