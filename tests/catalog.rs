//! The message catalog explains every `MESSAGE_ID` that the daemon logs, and no other.

use std::collections::BTreeSet;

use chathub::logging::ids;

const CATALOG: &str = include_str!("../systemd/chathub.catalog");

#[test]
fn catalog_explains_each_message_id_once_and_no_other() {
    let explained: Vec<&str> = CATALOG.lines().filter_map(|line| line.strip_prefix("-- ")).collect();
    let known: BTreeSet<&str> = ids::ALL.iter().map(|(_, id)| *id).collect();
    assert_eq!(explained.len(), known.len(), "an explanation is missing, or there twice");
    assert_eq!(explained.into_iter().collect::<BTreeSet<_>>(), known);
}

#[test]
fn each_explanation_has_a_subject_and_a_manual_page() {
    for entry in CATALOG.split("\n-- ").skip(1) {
        let (head, text) = entry.split_once("\n\n").expect("a head, an empty line, a text");
        let (id, keys) = head.split_once('\n').expect("an id, then keys");
        for key in ["Subject: ", "Defined-By: chathub", "Documentation: man:"] {
            assert!(keys.lines().any(|line| line.starts_with(key)), "{id} has no {key}");
        }
        assert!(!text.trim().is_empty(), "{id} explains nothing");
    }
}

/// The fields that an explanation names, between at signs.
fn named(entry: &str) -> BTreeSet<&str> {
    let words = entry.split('@').skip(1).step_by(2);
    words.inspect(|word| assert!(word.starts_with("CHATHUB_") && !word.contains(' '), "{word:?} in\n{entry}")).collect()
}

/// `journalctl -x` prints the name of a field that is not there, as if it were its value. The fields of a number that are
/// always there are declared with it; that they are is looked at below, and for what happens in the hub beside it.
#[test]
fn explanations_name_only_fields_that_are_always_there() {
    for entry in CATALOG.split("\n-- ").skip(1) {
        let (id, text) = entry.split_once('\n').expect("an id, then keys");
        for field in named(text) {
            let always = ids::always(id);
            assert!(always.contains(&field), "{field} is not always there:\n-- {entry}");
        }
        for pair in text.split('@').collect::<Vec<_>>().windows(2) {
            assert!(!pair[1].is_empty(), "{entry}");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 79, "{line}");
        }
    }
}

/// Every place that logs an event of a number with fields has them.
#[test]
fn events_have_the_fields_that_they_always_have() {
    let mut paths = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        if path.ends_with("logging/happening.rs") {
            continue; // what it always has depends on what has happened; its own test looks at it
        }
        let source = std::fs::read_to_string(&path).expect("a source file");
        for place in source.split("message_id = ids::").skip(1) {
            let name: String = place.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            let event = place.split(");").next().unwrap_or_default();
            let id = ids::ALL.iter().find(|(known, _)| *known == name).map(|(_, id)| *id).expect(&name);
            for field in ids::always(id) {
                let field = field.to_lowercase();
                assert!(event.contains(&format!("{field} =")), "{}: {name} has no {field}", path.display());
            }
            seen.insert(name);
        }
    }
    assert!(seen.contains("STOPPED") && seen.len() > 10, "{seen:?}");
}
