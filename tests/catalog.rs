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
