//! The files of this folder: what releases have left.
//!
//! Each is JSON. Machine and rounds stand in it as they stood on the tape but for line breaks, so that its check sum
//! still holds when these are taken out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use chathub::values::id::SessionId;
use chathub::values::time::{Mono, Now, Wall};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::stage::Left;

/// One file.
#[derive(Debug)]
pub struct Kept {
    /// Its name, without the folder.
    pub name: String,
    /// What was left, scene by scene.
    pub scenes: Vec<(String, Left)>,
}

pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"))
}

/// All files, the oldest release first.
pub fn all() -> Vec<Kept> {
    let entries = std::fs::read_dir(folder()).expect("the folder of this test");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|name| Kept::read(&name)).collect()
}

impl Kept {
    fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(folder().join(name)).expect(name);
        let text = compact(&text);
        let scenes = fields(&text).into_iter().map(|(scene, text)| (scene, left(text))).collect();
        Self { name: name.to_owned(), scenes }
    }

    /// The file's text.
    pub fn text(scenes: &[(&str, Left)]) -> String {
        let scenes = scenes.iter().map(|(name, left)| {
            let owed: BTreeMap<_, _> = left.owed.iter().map(|(id, bytes)| (id.0, text_or_bytes(bytes))).collect();
            let at = json!({"mono": left.at.mono.0, "wall": left.at.wall.0});
            let tape = json!({"size": left.size, "half": left.half, "words": left.words});
            let (machine, rounds, owed) = (&left.machine, &left.rounds, json!(owed));
            format!(
                "\"{name}\":{{\"at\":{at},\"tape\":{tape},\"machine\":{machine},\"rounds\":{rounds},\"owed\":{owed}}}"
            )
        });
        spread(&format!("{{{}}}", scenes.collect::<Vec<_>>().join(",")))
    }
}

fn left(text: &str) -> Left {
    let parts: BTreeMap<_, _> = fields(text).into_iter().collect();
    let value = |name: &str| -> Value { serde_json::from_str(parts[name]).expect("JSON") };
    let (at, tape, owed) = (value("at"), value("tape"), value("owed"));
    let number = |value: &Value| value.as_u64().expect("a number");
    let key = |text: &String| text.parse::<u64>().expect("a number");
    let words = tape["words"].as_object().expect("words").iter();
    let owed = owed.as_object().expect("clients").iter();
    Left {
        at: Now { mono: Mono(number(&at["mono"])), wall: Wall(at["wall"].as_i64().expect("a time")) },
        size: number(&tape["size"]),
        half: number(&tape["half"]),
        words: words.map(|(at, word)| (key(at), number(word))).collect(),
        machine: parts["machine"].to_owned(),
        rounds: parts["rounds"].to_owned(),
        owed: owed.map(|(id, owed)| (SessionId(key(id)), bytes_of(owed))).collect(),
    }
}

/// Text where it is some: telnet commands are none.
fn text_or_bytes(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| json!(bytes), |text| json!(text))
}

fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        bytes => serde_json::from_value(bytes.clone()).expect("bytes"),
    }
}

/// The fields of an object that holds no white space, each as it is spelt.
fn fields(text: &str) -> Vec<(String, &str)> {
    let mut fields = Vec::new();
    let mut rest = &text[1..];
    while !rest.starts_with('}') {
        let key = value(rest);
        let content = value(&rest[key.len() + 1..]);
        fields.push((serde_json::from_str(key).expect("a key"), content));
        rest = rest[key.len() + 1 + content.len()..].trim_start_matches(',');
    }
    fields
}

/// The JSON value at the beginning of `text`.
fn value(text: &str) -> &str {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next().expect("a value").expect("JSON");
    &text[..values.byte_offset()]
}

/// Without white space between values.
pub fn compact(text: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let mut keep = |c: char| {
        if in_text {
            in_text = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            return true;
        }
        in_text = c == '"';
        !c.is_ascii_whitespace()
    };
    text.chars().filter(|c| keep(*c)).collect()
}

/// The longest value that stands on one line, in bytes.
const LINE: usize = 110;

/// With line breaks, where there was no white space: what is short stays on one line.
fn spread(text: &str) -> String {
    let mut out = String::new();
    write(text, 0, &mut out);
    out.push('\n');
    out
}

fn write(text: &str, indent: usize, out: &mut String) {
    let is_list = text.starts_with('[');
    // Numbers are bytes mostly: nobody reads them one by one.
    let is_short = text.len() + indent <= LINE || (is_list && !text.contains(['"', '{']) && !text[1..].contains('['));
    if is_short || !text.starts_with(['[', '{']) {
        return out.push_str(text);
    }
    let mut rest = &text[1..];
    let mut before = text[..1].to_owned();
    while !rest.starts_with([']', '}']) {
        let _ = write!(out, "{before}\n{:indent$}", "", indent = indent + 1);
        if !is_list {
            let key = value(rest);
            let _ = write!(out, "{key}: ");
            rest = &rest[key.len() + 1..];
        }
        let part = value(rest);
        write(part, indent + 1, out);
        rest = rest[part.len()..].trim_start_matches(',');
        before = ",".to_owned();
    }
    let _ = write!(out, "\n{:indent$}{}", "", &text[text.len() - 1..]);
}

#[test]
fn spreading_and_compacting_a_snapshot_changes_nothing() {
    let long = "long ".repeat(40);
    let value = json!({"a": {"b": [1, 2, 3], "c": long, "d \\\" e": [], "f": {}}, "g": ["h", {"i": null, "j": long}], "k": [[1], [2]]});
    let text = value.to_string();
    let spread = spread(&text);
    assert!(spread.lines().count() > 10 && spread.lines().all(|line| line.len() < 250), "{spread}");
    assert_eq!(compact(&spread), text);
    assert_eq!(serde_json::from_str::<Value>(&spread).expect("JSON"), value);
}
