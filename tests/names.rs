//! Names against data: everyday names of many languages, and all that Unicode knows to look alike.

use std::collections::BTreeSet;

use chathub::values::name::{Name, fold};

/// The most characters that the settings allow at first.
const MAX: usize = 24;

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text, MAX).map_err(|broken| broken.to_string())
}

#[test]
fn everyday_names_are_names() {
    let (mut languages, mut names, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    let mut language = "";
    for line in include_str!("names/everyday.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix('[') {
            language = title.trim_end_matches(']');
            assert!(languages.insert(language), "{language} is there twice");
            continue;
        }
        names += 1;
        let (text, expected) = line.split_once(" = ").map_or((line, None), |(text, why)| (text, Some(why)));
        let found = name(text);
        let is_right = match (&found, expected) {
            (Ok(name), None) => fold(name.shown()) == fold(text.trim_end_matches('\u{F0B}')),
            (Err(why), Some(expected)) => why == expected,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{language}: {text} is {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(names >= 250 && languages.len() >= 50, "{names} names in {} languages", languages.len());
}

/// The pairs of `names/confusables.txt`: a character, and the text that it looks like.
fn pairs() -> Vec<(String, String)> {
    let text = |codes: &str| -> String {
        let code = |code| u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a character");
        codes.split_whitespace().map(code).collect()
    };
    let lines = include_str!("names/confusables.txt").lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.flat_map(|line| {
        let (like, characters) = line.split_once(": ").expect("two sides");
        characters.split_whitespace().map(move |character| (text(character), text(like)))
    });
    pairs.collect()
}

/// Letters for a mark to stand on, one of each script in which names are.
const BASES: &str = "aαаաאاܐދߊगগਗગଗகగಗഗගกກགကგግកᎠᐊⴰꕙꚠꦱᬫᮃᯅꨌᰛᤛꯆᱵᥓᦀᨶꆈꓡあア中가";

/// Names that differ in one text alone: it by itself, and in each script.
fn names_with(text: &str) -> Vec<(char, Name)> {
    let alone = name(text).ok().map(|name| (' ', name));
    let behind = BASES.chars().filter_map(|base| Some((base, name(&format!("{base}{text}")).ok()?)));
    alone.into_iter().chain(behind).collect()
}

/// Pairs of characters that Unicode takes for look-alikes, and that names may hold both without looking alike: they
/// are told apart by all who read them, see `TOLD_APART` in `src/values/name/likeness.rs`.
const TOLD_APART: &[(&str, &str)] = &[
    ("Hungarian", "ŐÖ"),
    ("Malayalam", "റര"),
    ("Malayalam", "\u{D42}\u{D41}"),
    ("Malayalam", "\u{D43}\u{D41}"),
    ("Sinhala", "ඵඑ"),
    ("Sinhala", "බඛ"),
    ("Sinhala", "ඹඔ"),
    ("Sinhala", "වච"),
    ("Sinhala", "හභ"),
    ("Thai", "ซช"),
    ("Thai", "ฏฎ"),
    ("Thai", "ดค"),
    ("Thai", "ตค"),
    ("Thai", "ทฑ"),
    ("Thai", "มฆ"),
    ("Khmer", "តដ"),
    ("Chinese, Japanese", "士土"),
    ("Chinese", "鹃鹂"),
    ("Javanese", "ꦣꦝ"),
];

#[test]
fn what_unicode_takes_for_look_alikes_is_not_to_be_had_twice() {
    let pairs = pairs();
    assert_eq!(pairs.len(), 6_565);
    let (mut compared, mut apart) = (0, BTreeSet::new());
    for (one, other) in &pairs {
        let others = names_with(other);
        if others.is_empty() {
            continue;
        }
        for (base, name) in names_with(one) {
            for (_, like) in others.iter().filter(|(of, _)| *of == base) {
                compared += 1;
                assert_eq!(name.looks_like(like), like.looks_like(&name), "{one} {other}");
                if !name.looks_like(like) {
                    apart.insert(format!("{one}{other}"));
                }
            }
        }
    }
    let expected: BTreeSet<String> = TOLD_APART.iter().map(|(_, pair)| (*pair).to_owned()).collect();
    assert_eq!(apart, expected);
    assert!(compared > 1_000, "{compared} pairs of names were compared");
}
