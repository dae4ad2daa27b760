//! A snapshot that a release has left on the tape is read by every later release: else an upgrade would disconnect
//! everybody.
//!
//! Every field and every variant that the state machine and the rounds are made of is part of the format. A field that
//! is renamed is one that the next release does not find. So each release keeps a file here: the snapshots that it
//! writes while its people are in the middle of everything that one can be in the middle of (`scenes`). All files are
//! read as the daemon reads the tape at an upgrade, compared with what comes of them, and played on from there.
//!
//! A release adds its file when its version is set in Cargo.toml:
//!
//! ```text
//! UPDATE_SNAPSHOT=1 cargo test --test snapshots
//! ```
//!
//! That writes `tests/snapshots/VERSION.json`. Between releases nothing is written: the present sources write their
//! snapshots in memory, and the same is asked of them. The file of 0.1.0 comes from the same scenes, run with the
//! sources of 0.1.0.
//!
//! What to do when a test fails here:
//! * *no field is called*, *is not there any more*, *unknown variant*: give the field or variant its former name for
//!   serde (`rename`, or `alias` where it is only read). If it is gone on purpose, name it in [`CHANGED`].
//! * *missing field*: give the new field a default.
//! * *is never set by a scene*: have a scene set it, or say in [`NEVER_SET`] why it cannot be.
//! * *was owed*: a client is sent other bytes than the release would have sent that wrote the file. Only if lines are
//!   to look different from now on, change what stands under `owed`. Nothing else in a file is ever changed.

#![allow(unreachable_pub, reason = "`pub` says what the other files may use")]

mod after;
mod fields;
mod hubs;
mod kept;
mod resume;
mod scenes;
mod stage;

use std::collections::BTreeSet;

use chathub::machine::Machine;
use chathub::net::rounds;
use serde_json::{Value, json};

use fields::{Seen, is_set};
use stage::{Left, Stage};

/// What is different when a snapshot was read and is written again: in which file, where, and why. `*` stands for any
/// number or name.
const CHANGED: &[(&str, &str, &str)] = &[
    ("0.1.0.json", "machine.hub.backlog.waiting[*][1].Ban", "bans, mutes and expulsions are Sanction"),
    ("0.1.0.json", "machine.hub.backlog.waiting[*][1].Unban", "whatever is lifted is Lifted"),
    ("0.1.0.json", "machine.hub.bans[0]", "mutes and expulsions become sanctions, and take numbers"),
    ("0.1.0.json", "machine.hub.rooms[*].ownership.expelled", "they are sanctions"),
    ("0.1.0.json", "rounds.clients[*].reader.missed", "the note on missed lines is composed when they are let go of"),
    ("0.1.0.json", "rounds.clients[*].reader.missed_at", "the note on missed lines says where it stands"),
    ("0.1.0.json", "rounds.clients[19].reader.mail", "the note on missed lines is in the mail"),
];

const ENCRYPTED: &str =
    "nobody on this stage is encrypted: `net::rounds` has a test that carries such clients over deaths";
const NO_END: &str = "an input ends by Hangup or Lost, and only Banned waits for its turn";

/// What no scene sets, and why.
const NEVER_SET: &[(&str, &str)] = &[
    ("Dealings.terminals_end", "between two steps of one input only"),
    ("Ending::Eof", "a client whose first line ends with its input is gone"),
    ("Farewell::Elsewhere", NO_END),
    ("Farewell::GaveWay", NO_END),
    ("Farewell::Idle", NO_END),
    ("Farewell::Kicked", NO_END),
    ("Farewell::MailboxFull", NO_END),
    ("Farewell::NoChat", NO_END),
    ("Farewell::NotLoggedIn", NO_END),
    ("Farewell::Quit", NO_END),
    ("Farewell::Shutdown", NO_END),
    ("Farewell::TooSlow", NO_END),
    ("Heard::Foreign", "a client's first line never waits for its pace"),
    ("Counts.not_shared", "takes thousands of rooms"),
    ("Keys::Character", "written by 0.1.0 only"),
    ("Keys::Escape", "written by 0.1.0 only"),
    ("Keys::Keypad", "written by 0.1.0 only"),
    ("Keys::Paste", "written by 0.1.0 only"),
    ("Keys::Sequence", "written by 0.1.0 only"),
    ("Kept::Gap", "takes 16 MiB of lines: tests/peering carries them over takeovers"),
    ("Kind::Ban", "what no kind stands for"),
    ("Link.broken_off", ENCRYPTED),
    ("Ownership.expelled", "written by 0.1.0 only"),
    ("Reader.missed", "written by 0.1.0 only"),
    ("Reader.missed_at", "written by 0.1.0 only"),
    ("Record::Ban", "written by 0.1.0 only"),
    ("Record::Unban", "written by 0.1.0 only"),
    ("Record::Line.encrypted", ENCRYPTED),
    ("Role::guest", "no account has this role"),
    ("Saved.lobby", "the first room, which is number 0"),
    ("SavedClient.tls", ENCRYPTED),
    ("Sequence::Between", "is written as Keys::Between"),
    ("Session.certificate", ENCRYPTED),
    ("Speaker.encryption", ENCRYPTED),
    ("Speaker.tls", ENCRYPTED),
    ("Word::Dropped", "told, and not kept"),
    ("Word::GivesWay", "told, and not kept"),
    (
        "Veil.grounds",
        "takes an operator who is shadow-muted: the transcript shadow_mutes_of_operators carries one over a snapshot",
    ),
];

/// Reads both halves of a snapshot, and notes what is in them.
fn read(file: &str, scene: &str, left: &Left, seen: &mut Seen) -> Vec<String> {
    let parsed = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let mut found = Vec::new();
    let read: Result<Machine, _> = seen.read(&parsed(&left.machine), "machine");
    found.extend(read.err());
    let read: Result<rounds::replay::Saved, _> = seen.read(&parsed(&left.rounds), "rounds");
    found.extend(read.err());
    found.append(&mut seen.unknown);
    found.into_iter().map(|found| format!("{file}, {scene}: {found}")).collect()
}

/// Appends what `old` has and `new` has not, or has otherwise: where, and what. What is new does not matter.
fn differences(old: &Value, new: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            // An empty field may be left out by now; a counter may not, also where it is zero.
            let all_count = path.ends_with(".counters");
            for (key, old) in old {
                let path = format!("{path}.{key}");
                match new.get(key) {
                    Some(new) => differences(old, new, &path, found),
                    None if is_set(old) || all_count => found.push((path, format!("`{key}` is not there any more"))),
                    None => {}
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                differences(old, new, &format!("{path}[{at}]"), found);
            }
        }
        (old, new) if old == new => {}
        (old, new) => {
            let shown = |value: &Value| value.to_string().chars().take(200).collect::<String>();
            found.push((path.to_owned(), format!("it was {} and is {}", shown(old), shown(new))));
        }
    }
}

/// Whether `pattern` means the place `path`.
fn is_meant(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, behind)) => path.strip_prefix(before).is_some_and(|rest| {
            let ends = |c: char| matches!(c, '.' | '[' | ']');
            is_meant(behind, &rest[rest.find(ends).unwrap_or(rest.len())..])
        }),
    }
}

/// With the rooms by number: they stand in the order of a table of hashes.
fn sorted(mut rounds: Value) -> Value {
    if let Some(rooms) = rounds["rooms"].as_array_mut() {
        rooms.sort_by_key(|room| room[0].as_u64());
    }
    rounds
}

/// What is different in the snapshot of a process that has read one, and has done nothing yet.
fn lost(file: &str, scene: &str, left: &Left, stage: &Stage) -> Vec<String> {
    let parsed = |text: &[u8]| -> Value { serde_json::from_slice(text).expect("JSON") };
    let mut found = Vec::new();
    let machine = serde_json::to_vec(&stage.machine).expect("plain values");
    differences(&parsed(left.machine.as_bytes()), &parsed(&machine), "machine", &mut found);
    let rounds = stage.rounds.lock().expect("one thread").saved_on_the_way();
    differences(&sorted(parsed(left.rounds.as_bytes())), &sorted(parsed(&rounds)), "rounds", &mut found);
    found.retain(|(path, _)| !CHANGED.iter().any(|(of, pattern, _)| *of == file && is_meant(pattern, path)));
    found.into_iter().map(|(path, what)| format!("{file}, {scene}: {path}: {what}")).collect()
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    let shown: Vec<_> = found.iter().take(20).map(String::as_str).collect();
    assert!(found.is_empty(), "{what} ({}):\n{}", found.len(), shown.join("\n"));
}

/// Reads snapshots, and plays on from each.
fn resumes(file: &str, scenes: &[(String, Left)]) {
    let mut found = Vec::new();
    for (scene, left) in scenes {
        found.extend(read(file, scene, left, &mut Seen::default()));
    }
    none("a snapshot cannot be read, or not all of it", &found);
    for (scene, left) in scenes {
        let mut stage = Stage::resume(left).unwrap_or_else(|why| panic!("{file}, {scene}: not taken over: {why}"));
        none("what a snapshot had is not as it was", &lost(file, scene, left, &stage));
        for (id, owed) in &left.owed {
            let got = stage.news(*id);
            let name = stage.name(*id);
            let (got, owed) = (String::from_utf8_lossy(&got), String::from_utf8_lossy(owed));
            assert!(got == owed, "{file}, {scene}: {name} was owed\n{owed}\nand got\n{got}");
        }
        stage.restart();
        after::goes_on(scene, left, &mut stage);
    }
}

#[test]
fn snapshots_of_former_releases_are_taken_over() {
    let files = kept::all();
    assert!(files.iter().any(|file| file.name == "0.1.0.json"), "the first release has left something");
    for file in files {
        resumes(&file.name, &file.scenes);
    }
}

#[test]
fn snapshots_of_this_release_are_taken_over() {
    let scenes = scenes::all().into_iter().map(|(name, stage)| (name.to_owned(), stage.leave()));
    resumes("this", &scenes.collect::<Vec<_>>());
}

/// Also writes the file, if asked to.
#[test]
fn every_field_is_set_in_some_scene() {
    let mut seen = Seen::default();
    let scenes: Vec<_> = scenes::all().into_iter().map(|(name, stage)| (name, stage.leave())).collect();
    for (name, left) in &scenes {
        none("a snapshot cannot be read", &read("this", name, left, &mut seen));
    }
    let missing = seen.missing();
    let known: BTreeSet<_> = NEVER_SET.iter().map(|(what, _)| (*what).to_owned()).collect();
    let of = |set: BTreeSet<&String>| set.into_iter().cloned().collect::<Vec<_>>();
    none(
        "is never set by a scene, so that nobody would notice if it got lost",
        &of(missing.difference(&known).collect()),
    );
    none("is set by a scene after all, or is gone", &of(known.difference(&missing).collect()));
    let settings = scenes.iter().find(|(name, _)| *name == "settings").map(|(_, left)| &left.machine);
    let settings: Value = serde_json::from_str(settings.expect("a scene")).expect("JSON");
    let missing =
        chathub::settings::SETTINGS.iter().filter(|setting| settings["hub"]["settings"].get(setting.key).is_none());
    none(
        "is a setting that the scene leaves as it is",
        &missing.map(|setting| setting.key.to_owned()).collect::<Vec<_>>(),
    );

    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        let path = kept::folder().join(concat!(env!("CARGO_PKG_VERSION"), ".json"));
        let mut file = std::fs::File::create_new(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: what a release has left is not changed", path.display()));
        std::io::Write::write_all(&mut file, kept::Kept::text(&scenes).as_bytes()).expect("it can be written");
    }
}

#[test]
fn this_version_has_its_snapshot() {
    let name = concat!(env!("CARGO_PKG_VERSION"), ".json");
    let is_there = kept::folder().join(name).exists() || std::env::var_os("UPDATE_SNAPSHOT").is_some();
    assert!(is_there, "tests/snapshots/{name} is not there: UPDATE_SNAPSHOT=1 cargo test --test snapshots writes it");
}

#[test]
fn differences_are_told_with_their_place() {
    let old = json!({"settings": {"slow.behind": "1 MiB"}, "counters": {"kicked": 0}, "rooms": [[1, {"topic": "tea"}]], "off": false});
    let new = json!({"settings": {}, "counters": {}, "rooms": [[1, {"topic": "", "more": 1}]]});
    let mut found = Vec::new();
    differences(&old, &new, "hub", &mut found);
    let found: Vec<_> = found.iter().map(|(path, what)| format!("{path}: {what}")).collect();
    assert_eq!(
        found,
        [
            "hub.counters.kicked: `kicked` is not there any more",
            "hub.rooms[0][1].topic: it was \"tea\" and is \"\"",
            "hub.settings.slow.behind: `slow.behind` is not there any more",
        ]
    );
}

#[test]
fn patterns_name_places_in_a_snapshot() {
    assert!(is_meant("a[*].b", "a[12].b") && is_meant("a.*.c", "a.b.c") && is_meant("a.b", "a.b"));
    assert!(!is_meant("a[*].b", "a[12].c") && !is_meant("a[*].b", "a[1][2].b") && !is_meant("a.b", "a.bc"));
}
