//! Names, by example and by chance. Everyday names and all pairs of look-alikes are in
//! `tests/names.rs`.

use std::collections::HashSet;

use proptest::prelude::*;

use super::guest::{ALPHABET, LENGTH};
use super::likeness::folded_skeleton;
use super::*;

#[track_caller]
fn name(text: &str) -> Name {
    Name::parse(text, 24).unwrap_or_else(|broken| panic!("{text:?} {broken}"))
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    match Name::parse(text, 24) {
        Ok(name) => panic!("{text:?} is taken as {name:?}"),
        Err(broken) => assert_eq!(broken.to_string(), expected, "{text:?}"),
    }
}

#[test]
fn names_of_many_scripts_are_taken() {
    for text in [
        "ann",
        "Ann-Marie_2.0",
        "7of9",
        "Jürgen",
        "Зоя",
        "Ελένη",
        "דוד",
        "דוד7",
        "علي",
        "علي٣",
        "आरती",
        "สมชาย",
        "ខ្មែរ",
        "မြန်မာ",
        "የኔ",
        "日本語",
        "漢字かなカナabc",
        "コーヒー",
        "ー太",
        "佐々木",
        "ʻOkina",
        "한국",
        "한국漢字",
        "Nguyễn",
        "გიორგი",
        "Հայկ",
    ] {
        assert_eq!(name(text).shown(), text);
    }
}

#[test]
fn each_rule_is_named_by_its_refusal() {
    let plain = "; letters, digits, '-', '_' and '.' are allowed";
    let hold = "which names may not hold";
    check_refused("", "is empty");
    check_refused(&"a".repeat(25), "is longer than 24 characters");
    check_refused(&"a".repeat(100_000), "is longer than 24 characters");
    check_refused("a b", &format!("has the character space, {hold}{plain}"));
    check_refused("a!", &format!("has the character '!', {hold}{plain}"));
    check_refused("a\x1b", &format!("has the character U+001B, {hold}{plain}"));
    check_refused("a\u{202E}b", &format!("has the character U+202E, {hold}{plain}"));
    check_refused("a\u{200D}b", "has the character U+200D, which names may hold only where Indic letters are joined");
    check_refused(
        "ab\u{200C}",
        "has the character U+200C, which names may hold only between two Arabic letters, or where Indic letters would be joined",
    );
    check_refused("a·b", "has the character U+00B7, which names may hold only between two l, as in Catalan");
    check_refused("\u{1F4A9}", &format!("has the character U+1F4A9, {hold}{plain}"));
    check_refused(
        "ᚠ",
        "has the character 'ᚠ' (U+16A0) of the script Runic, which is not among those that names may be written in",
    );
    check_refused("𝐚nn", "has the character '𝐚' (U+1D41A), another form of a: write that");
    check_refused("ǆ", "has the character 'ǆ' (U+01C6), another form of dž: write that");
    check_refused("a\u{3164}", &format!("has the character U+3164, {hold}: Unicode lists it as invisible"));
    check_refused("aĸ", &format!("has the character 'ĸ' (U+0138), {hold}: Unicode lists it as obsolete"));
    check_refused("a\u{336}", &format!("has the character U+0336, {hold}: Unicode lists it as uncommon"));
    check_refused("-a", "starts with '-'; names start with a letter or a digit");
    let alone =
        |sign: &str| format!("has no letter that stands by itself: {sign} lengthens, repeats or changes others");
    for (text, sign) in [
        ("ー", "'ー' (U+30FC)"),
        ("ー.ー", "'ー' (U+30FC)"),
        // Halfwidth.
        ("\u{FF70}", "'ー' (U+30FC)"),
        ("々々", "'々' (U+3005)"),
        ("ゝ", "'ゝ' (U+309D)"),
        ("ヾ", "'ヾ' (U+30FE)"),
        ("ๆ", "'ๆ' (U+0E46)"),
        ("ๆฯ", "'ๆ' (U+0E46)"),
        ("ៗ", "'ៗ' (U+17D7)"),
        ("ʼ", "'ʼ' (U+02BC)"),
        ("ʻ_ʻ", "'ʻ' (U+02BB)"),
        ("ᐧ", "'ᐧ' (U+1427)"),
    ] {
        check_refused(text, &alone(sign));
    }
    check_refused("\u{301}a", "starts with U+0301; names start with a letter or a digit");
    check_refused("a\u{301}\u{301}", "has too many marks at U+0301; at most 6 in a row, and none twice, are allowed");
    check_refused("pаypal", "mixes the scripts Latin and Cyrillic; names are in one script");
    check_refused("日本я", "mixes the scripts Han and Cyrillic; names are in one script");
    check_refused("한かna", "mixes the scripts Hangul and Hiragana; names are in one script");
    check_refused("annדוד", "mixes the scripts Latin and Hebrew; names are in one script");
    let direction = "mixes writing directions; a name written right to left starts with a \
                     letter, ends with a letter or digit, and has digits of one kind";
    check_refused("7דוד", direction);
    check_refused("דוד-", direction);
    check_refused("علي1٣", direction);
}

#[test]
fn length_is_in_graphemes_and_bytes_are_bounded_beside_it() {
    let five = "क्षि".repeat(5); // 5 clusters, 60 bytes
    assert!(Name::parse(&five, 20).is_ok());
    assert_eq!(Name::parse(&five, 10), Err(InvalidName::TooManyBytes { max_bytes: 40 }));
    assert_eq!(Name::parse("ab", 1), Err(InvalidName::TooLong { max_chars: 1 }));
    assert_eq!(Name::parse("a", 0), Err(InvalidName::TooLong { max_chars: 0 }));
}

#[test]
fn composed_and_decomposed_spellings_are_one_name() {
    assert_eq!(name("Ju\u{308}rgen").shown(), "J\u{fc}rgen");
    assert_eq!(name("Ju\u{308}rgen"), name("jÜRGEN"));
}

#[test]
fn names_differing_only_in_case_are_equal() {
    for (one, other) in [("Ann", "aNN"), ("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος")] {
        assert_eq!(name(one), name(other));
        assert_eq!(name(one).folded(), fold(other));
        assert_eq!(name(one).skeleton(), name(other).skeleton());
    }
    assert_ne!(name("ann"), name("anna"));
}

#[test]
fn look_alikes_are_found() {
    for (one, other) in [
        ("modern", "rnodern"),
        ("B0B", "bob"),
        ("al1ce", "allce"),
        ("соса", "coca"), // Cyrillic, whole
        ("ВОВ", "BOB"),   // alike as capitals only
        ("paypaI", "paypal"),
        ("Ivan", "lvan"),
        ("ann", "ANN"),
        ("ann.", "ann"),
        ("ann-", "ann__"),
        ("B0SS_", "boss"),
        ("a1_", "al"),
        ("น้ำ_", "น้ำ"),
    ] {
        assert!(name(one).looks_like(&name(other)), "{one} {other}");
        assert!(name(other).looks_like(&name(one)), "{one} {other}");
    }
    for (one, other) in
        [("ali", "all"), ("ann", "anna"), ("вов", "bob"), ("mali", "mall"), ("mary-ann", "maryann"), ("j.d", "jd")]
    {
        assert!(!name(one).looks_like(&name(other)), "{one} {other}");
    }
}

#[track_caller]
fn check_reserved(lobby: &str, texts: &str, expected: bool) {
    for text in texts.split_whitespace() {
        assert_eq!(is_reserved(&name(text), &name(lobby)), expected, "{text}");
    }
}

#[test]
fn reserved_words_and_what_looks_like_them_are_reserved() {
    check_reserved(
        "lobby",
        "hub HUB ChatHub Server admin adrnin ADMlN root r00t RO0T you Me rne aIl op 0p notice",
        true,
    );
    check_reserved("lobby", "guest guest- Guest-x guest-bcdf GUEST-BCDF guest.abcd guest_1 guest7", true);
    check_reserved(
        "lobby",
        "ann hubert Ali ALI guests guestbook mode meg opal rooter servers systematic noticed",
        false,
    );
}

#[test]
fn punctuation_and_digits_make_no_word_another() {
    check_reserved(
        "lobby",
        "hub_ server. admin1 admin-2 Operator_7 0perator- 1root mod3 op_ you. me- nobody_ all..",
        true,
    );
    check_reserved("lobby", "ad.min s-y-s-t-e-m A.D.M.I.N", true);
    // These address nobody, so they are free.
    check_reserved("lobby", "me2 you2 all4one m-od o-p here4", false);
}

#[test]
fn the_name_of_the_lobby_is_reserved() {
    check_reserved("lobby", "lobby Lobby LOBBY l0bby Iobby lobby_ lobby.", true);
    check_reserved("lobby", "lobbyist lob hall", false);
    check_reserved("große-Halle", "GROSSE-HALLE große-halle.", true);
    check_reserved("große-Halle", "lobby Halle", false);
}

#[test]
fn names_that_could_be_read_as_something_else_are_refused() {
    use TakenFor::{Address, Id, Number, Time};
    for (text, taken) in [
        ("127.0.0.10", Address),
        ("192.168.1", Address),
        ("10.0.0.256", Address),
        ("1.2", Address),
        ("0x7f.1", Address),
        ("192.168.1.x", Address),
        ("10.0.0.", Address),
        ("42", Number),
        ("1-2", Number),
        ("٣", Number),
        ("c4", Id),
        ("C4", Id),
        ("b2", Id),
        ("a123", Id),
        ("с4", Id), // Cyrillic
        ("m1", Id),
        ("x1", Id),
        ("R2", Id),
        ("f16", Id),
        ("l2_", Id),
        ("I7", Id),
        ("х1", Id), // Cyrillic
        ("0x7f000001", Number),
        ("0xFF", Number),
        ("0X7f000001.", Address),
        ("c4.", Id),
        ("10.0.0.1-", Address),
        ("l0.0.O.1", Address),
        ("١٩٢.١٦٨.١.١", Address),
        ("10min", Time),
        ("2h", Time),
        ("1h30m", Time),
        ("10M", Time),
        ("0s", Time),
        ("3days_", Time),
    ] {
        assert_eq!(taken_for(&name(text)), Some(taken), "{text}");
    }
    for text in [
        "7of9",
        "10x",
        "1st",
        "4you",
        "Io.1.ab.c",
        "ann2",
        "c",
        "c4d",
        "abc1",
        "v2.0",
        "Ann.1",
        "x1a",
        "m",
        "r2d2",
        "helpful",
        "日本",
        "0xfog",
        "g7",
        "guest-bcdf",
    ] {
        assert_eq!(taken_for(&name(text)), None, "{text}");
    }
    // A stored name that is older than this check is read all the same.
    assert!(serde_json::from_str::<Name>("\"127.0.0.10\"").is_ok());
    for text in ["::g", "10.0.0.0/33", "127.0.0.1:80", "[::1]", "fe80::1%eth0", "192.168.*.*", "10.0.0.1-9"] {
        assert!(resembles_address(text), "{text}");
    }
}

#[test]
fn a_name_that_was_kept_is_recalled_whatever_the_rules_are_now() {
    // Nobody could take these names by today's rules.
    for text in ["ᚠᚱᛁᚦ", "Ann!", "pаypal", "-ann", "lobby", "127.0.0.1", &"b".repeat(255)] {
        assert_eq!(Name::recall(text).as_ref().map(Name::shown), Some(text));
    }
    assert_eq!(Name::recall("Straße"), Some(name("STRASSE")), "and is compared as names are");
    let long = "x".repeat(1021);
    for text in ["", "a b", "a\n", "a\x1b[2J", "a\u{202E}b", "\u{3164}", &long] {
        assert_eq!(Name::recall(text), None, "{text:?}");
        assert!(serde_json::from_str::<Name>(&serde_json::to_string(text).unwrap()).is_err(), "{text:?}");
    }
}

#[test]
fn letters_that_are_told_apart_make_two_names() {
    for (one, other) in [("ดิว", "ติว"), ("Ռուբեն", "Ոուբեն"), ("רון", "רוו"), ("ᎠᏂ", "ᏧᏂ"), ("ΣΟΦΙΑ", "ΟΣΦΙΑ")]
    {
        assert!(!name(one).looks_like(&name(other)), "{one} {other}");
    }
    // Other differences count as they do elsewhere.
    for (one, other) in [("ดิว", "คิว\u{E4D}"), ("ռ", "n"), ("ะดา1", "ะดาl")] {
        let (one, other) = (Name::recall(one).unwrap(), Name::recall(other).unwrap());
        assert_eq!(one.looks_like(&other), other.looks_like(&one), "{one} {other}");
    }
    assert!(name("ռ").looks_like(&name("n")));
}

#[test]
fn optional_and_invisible_marks_do_not_make_names_differ() {
    for (one, other) in [
        ("مُحَمَّد", "محمد"),
        ("שָׂרָה", "שרה"),
        ("\u{FB2A}רה", "שרה"), // letter and point in one, which nothing composes
        ("ප්\u{200D}රසන්න", "ප්රසන්න"),
        ("علی\u{200C}رضا", "علیرضا"),
        ("น้ำ", "น้\u{E4D}า"),
        ("น้ำ", "น\u{E4D}้า"),
        ("ㅋㅋ", "ᄏᄏ"),
        ("paypa丨", "paypal"),
        ("サー", "サ-"),
        ("أحمد", "ا\u{674}حمد"),
    ] {
        let (one, other) = (Name::recall(one).unwrap(), Name::recall(other).unwrap());
        assert!(one.looks_like(&other), "{one} {other}: {:?} {:?}", one.skeleton(), other.skeleton());
    }
    for (one, other) in [("ثریا", "پریا"), ("سارا", "ساره"), ("أحمد", "احمد"), ("دود", "דוד")]
    {
        assert!(!name(one).looks_like(&name(other)), "{one} {other}");
    }
    assert_eq!(name("ａｎｎ").shown(), "ann");
    assert_eq!(name("ﾊﾞﾊﾞ").shown(), "ババ");
}

#[test]
fn guest_names_are_names_and_grow_at_the_end() {
    let (key, addr) = ([7; 16], "192.0.2.1".parse().unwrap());
    let longest = guest(&key, addr, 4242, 8);
    assert_eq!(longest.len(), "guest-".len() + 8);
    for length in 4..=8 {
        let shorter = guest(&key, addr, 4242, length);
        assert_eq!(shorter.len(), "guest-".len() + length);
        assert!(longest.starts_with(&shorter));
        assert!(is_reserved(&name(&shorter), &name("lobby")));
    }
    assert_eq!(guest(&key, addr, 4242, 0), guest(&key, addr, 4242, 4));
    assert_eq!(guest(&key, addr, 4242, 99), longest);
}

#[test]
fn a_guest_s_name_is_as_parsing_would_make_it() {
    for port in 0..2000_u16 {
        let [_, low] = port.to_be_bytes();
        let (key, addr) = ([low; 16], "192.0.2.1".parse().unwrap());
        for length in LENGTH {
            let text = guest(&key, addr, port, length);
            let (given, parsed) = (Name::guest(&key, addr, port, length), Name::parse(&text, text.len()).unwrap());
            let spellings =
                |name: &Name| [name.shown(), name.folded(), name.skeleton(), name.sight()].map(str::to_owned);
            assert_eq!(spellings(&given), spellings(&parsed));
        }
    }
}

#[test]
fn guest_names_depend_on_key_address_and_port_and_not_on_mapping() {
    let (key, addr) = ([7; 16], "192.0.2.1".parse().unwrap());
    let base = guest(&key, addr, 1, 8);
    assert_eq!(base, guest(&key, "::ffff:192.0.2.1".parse().unwrap(), 1, 8));
    assert_ne!(base, guest(&key, "::192.0.2.1".parse().unwrap(), 1, 8));
    assert_ne!(base, guest(&key, addr, 2, 8));
    assert_ne!(base, guest(&[8; 16], addr, 1, 8));
}

#[test]
fn no_two_guest_names_share_a_skeleton() {
    // Each character is its own skeleton, so different strings have different skeletons.
    for &byte in ALPHABET {
        let text = char::from(byte).to_string();
        assert_eq!(folded_skeleton(&text), text);
    }
    assert_eq!(ALPHABET.iter().collect::<HashSet<_>>().len(), 20);
    let all: String = ALPHABET.iter().map(|&byte| char::from(byte)).collect();
    assert_eq!(folded_skeleton(&all), all);
}

#[test]
fn guest_names_spread_over_the_alphabet() {
    let addr = "2001:db8::1".parse().unwrap();
    let names: HashSet<String> = (0..10_000).map(|port| guest(&[3; 16], addr, port, 8)).collect();
    assert!(names.len() >= 9_999, "{}", names.len());
}

proptest! {
    #[test]
    fn parsing_what_is_shown_gives_the_same_name(text in namelike()) {
        if let Ok(name) = Name::parse(&text, 24) {
            let again = Name::parse(name.shown(), 24).expect("was valid");
            prop_assert_eq!(again.shown(), name.shown());
            prop_assert_eq!(again.folded(), name.folded());
            prop_assert_eq!(again.skeleton(), name.skeleton());
            prop_assert_eq!(again.sight(), name.sight());
            prop_assert_eq!(fold(name.folded()), name.folded());
            prop_assert_eq!(fold(name.shown()), name.folded());
            prop_assert!(crate::values::text::is_clean(name.shown()));
            prop_assert!(!crate::values::text::is_blank(name.shown()));
        }
    }

    #[test]
    fn composed_and_decomposed_it_is_the_same_name(text in namelike()) {
        let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
        let spellings = |text: &str| {
            Name::parse(text, 24).map(|name| [name.shown(), name.folded(), name.skeleton(), name.sight()].map(str::to_owned))
        };
        prop_assert_eq!(spellings(&composed), spellings(&text));
        // The decomposed text can be too long for `Name::parse`.
        if text.len() <= 24 {
            prop_assert_eq!(spellings(&decomposed), spellings(&text));
        }
        prop_assert_eq!(likeness::skeleton(&decomposed), likeness::skeleton(&text));
    }

    #[test]
    fn a_skeleton_s_skeleton_is_itself(text in namelike()) {
        let once = likeness::skeleton(&text);
        prop_assert_eq!(likeness::skeleton(&once), once);
    }

    #[test]
    fn a_recalled_name_looks_the_same(text in namelike()) {
        if let Ok(name) = Name::parse(&text, 255) {
            let again: Name = serde_json::from_str(&serde_json::to_string(&name).expect("plain")).expect("it was a name");
            prop_assert_eq!(again.shown(), name.shown());
            prop_assert!(again.looks_like(&name) && name.looks_like(&again));
        }
    }

    #[test]
    fn refusals_are_fit_for_a_terminal(text in any::<String>()) {
        if let Err(broken) = Name::parse(&text, 24) {
            let said = broken.to_string();
            prop_assert!(crate::values::text::is_clean(&said), "{said:?}");
        }
    }

    #[test]
    fn a_name_of_any_length_costs_no_more_than_the_longest_that_is_allowed(text in "\\PC{0,300}") {
        match Name::parse(&text, 8) {
            Ok(name) => prop_assert!(name.shown().len() <= 32),
            Err(_) if text.len() <= 128 => {}
            Err(broken) => prop_assert_eq!(broken, InvalidName::TooLong { max_chars: 8 }),
        }
    }

    #[test]
    fn folding_twice_is_folding_once(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}

/// Text that is often a name: letters of one script, digits, marks, a little else.
fn namelike() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        Just("[a-zA-Z0-9._-]{1,24}"),
        Just("[a-zA-Z\u{c0}-\u{24f}\u{300}-\u{345}]{1,12}"),
        Just("[\u{386}-\u{3ff}\u{1f00}-\u{1fff}\u{345}]{1,12}"),
        Just("[\u{400}-\u{52f}]{1,12}"),
        Just("[\u{5d0}-\u{5ea}\u{5b0}-\u{5bd}0-9-]{1,12}"),
        Just("[\u{620}-\u{669}]{1,12}"),
        Just("[\u{900}-\u{97f}]{1,12}"),
        Just("[\u{3041}-\u{30ff}\u{4e00}-\u{4e80}a-z]{1,12}"),
        Just("[\u{d80}-\u{dff}\u{200c}\u{200d}]{1,12}"),
        Just("[\u{e01}-\u{e3a}\u{e40}-\u{e4e}]{1,12}"),
        Just("[\u{13a0}-\u{13f5}\u{ab70}-\u{abbf}]{1,8}"),
        Just("[a-z\u{ff01}-\u{ffdc}\u{3131}-\u{3163}]{1,12}"),
        Just("[\u{ac00}-\u{ad00}\u{1100}-\u{11ff}]{1,8}"),
        Just("\\PC{1,12}"),
    ];
    letters.prop_flat_map(|pattern| pattern)
}
