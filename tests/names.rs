//! Names against data: everyday names of many languages, all that Unicode knows to look alike, and what earlier releases
//! have kept.

use std::collections::BTreeSet;

use chathub::hub::account::{Account, Role};
use chathub::hub::archive::Recalled;
use chathub::hub::sanction::{Author, Kind, Order, Sanction, Target};
use chathub::hub::{Hub, Input, News};
use chathub::settings::Settings;
use chathub::values::id::{AccountId, SanctionId, SessionId};
use chathub::values::name::{InvalidName, Name, fold, is_reserved};
use chathub::values::text::is_clean;
use chathub::values::time::{Mono, Now, Wall};
use unicode_normalization::UnicodeNormalization as _;

/// The most characters that the settings allow at first.
const MAX: usize = 24;

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text, MAX).map_err(|broken| broken.to_string())
}

#[test]
fn everyday_names_are_names() {
    let (mut languages, mut names, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    let lobby = name("lobby").expect("a name");
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
        if let Ok(name) = &found {
            assert_eq!(Name::parse(name.shown(), MAX).as_ref().map(Name::shown), Ok(name.shown()), "{text}");
            assert!(is_clean(name.shown()), "{text}");
            assert!(!is_reserved(name, &lobby), "{text} is nobody's");
        }
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

#[test]
fn nobody_speaks_with_authority_in_any_language() {
    let lobby = name("lobby").expect("a name");
    let words = "админ Администратор МОДЕРАТОР админ_ админ1 система 管理员 管理員 系统 管.理.员 管理人 システム 관리자 시스템 \
        المدير مدير ادمین מנהל एडमिन सिस्टम ผู้ดูแล modérateur moderateur MODÉRATEUR Système système-1 yönetici YÖNETİCİ \
        administrador Moderadora sistema beheerder správce spravce διαχειριστής serwer адмін hệthống a.d.m.i.n";
    for text in words.split_whitespace() {
        let name = name(text).unwrap_or_else(|why| panic!("{text} {why}"));
        assert!(is_reserved(&name, &lobby), "{text} can be taken");
    }
    // Names of people and of other things.
    for text in "Musharraf مشرف modest systematic Admina servin моде 管 系 시 Operetta sistine".split_whitespace()
    {
        let name = name(text).unwrap_or_else(|why| panic!("{text} {why}"));
        assert!(!is_reserved(&name, &lobby), "{text} is refused");
    }
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
    use InvalidName::{Character, Form, Script, Unusual};
    if let Err(Character(_) | Form(..) | Script(_) | Unusual(..)) = Name::parse(&format!("a{text}"), MAX) {
        // Nor in any other place.
        return Vec::new();
    }
    let alone = name(text).ok().map(|name| (' ', name));
    let behind = BASES.chars().filter_map(|base| Some((base, name(&format!("{base}{text}")).ok()?)));
    alone.into_iter().chain(behind).collect()
}

/// What Unicode takes apart for compatibility, and names may hold: letters that are typed with one key in a language of
/// today. All others are made ordinary or refused with the reason.
#[test]
fn compatibility_letters_are_kept_made_ordinary_or_refused() {
    let mut letters = String::new();
    let mut refused = 0;
    for c in ('\u{80}'..=char::MAX).filter(|c| c.is_alphanumeric()) {
        let (composed, compatible): (String, String) = (c.to_string().nfc().collect(), c.to_string().nfkc().collect());
        if composed == compatible {
            continue;
        }
        match Name::parse(&format!("x{c}"), MAX).or_else(|_| Name::parse(&c.to_string(), MAX)) {
            Ok(name) if name.shown().ends_with(c) => letters.push(c),
            Ok(name) => {
                assert!(matches!(c, '\u{FF10}'..='\u{FFDC}'), "{c} has become {name}");
            }
            Err(InvalidName::Form(_, plain)) => {
                refused += 1;
                assert_eq!(plain, compatible);
            }
            Err(InvalidName::Unusual(..) | InvalidName::Scripts(..) | InvalidName::Direction) => refused += 1,
            Err(other) => panic!("{c} (U+{:04X}) {other}", u32::from(c)),
        }
    }
    let alone: String = ('\u{3131}'..='\u{3163}').collect();
    assert_eq!(letters, format!("\u{587}\u{E33}\u{EB3}\u{EDC}\u{EDD}{alone}"));
    assert!(refused > 2_000, "{refused}");
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
fn names_that_unicode_calls_confusable_cannot_both_be_taken() {
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

// ---------------------------------------------------------------------------------------------
// What was kept by a release that compared names otherwise, or had other rules

const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_000_000) };

fn account(id: u64, text: &str) -> Account {
    Account {
        id: AccountId(id),
        name: name(text).expect("a name"),
        hashed: None,
        role: Role::Member,
        since: Wall(1),
        seen: Wall(1),
        places: Vec::new(),
        certificates: Vec::new(),
        unheard: None,
    }
}

fn ban(id: u64, text: &str) -> Sanction {
    let target = Target::Name(name(text).expect("a name"));
    Sanction::new(SanctionId(id), Order::about(Kind::Ban, target), Author::Hub, Wall(1))
}

/// A hub with people, a room, accounts and bans.
fn hub(recalled: Recalled, people: &[&str]) -> Hub {
    let mut effects = Vec::new();
    let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
    hub.handle(News::Archive(Some(Box::new(recalled))), NOW, &mut effects);
    for (session, nick) in (1..).map(SessionId).zip(people) {
        let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 1000));
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, NOW, &mut effects);
        hub.handle(Input::Line { session, text: format!("/nick {nick}") }, NOW, &mut effects);
        hub.handle(Input::Line { session, text: format!("/join room-of-{nick}") }, NOW, &mut effects);
        assert_eq!(hub.session(session).map(|session| session.nick.shown()), Some(*nick));
    }
    hub
}

#[test]
fn people_keep_names_of_a_snapshot_that_today_look_alike_or_are_not_allowed() {
    let recalled = Recalled {
        accounts: vec![account(1, "paypal"), account(2, "zed")],
        sanctions: vec![ban(1, "mallory"), ban(2, "xerxes")],
        ..Recalled::default()
    };
    let before = hub(recalled, &["moe", "xavi", "yuri"]);
    let mut written = serde_json::to_string(&before.frozen()).expect("plain");
    for (name, other) in [("zed", "paypa1"), ("xerxes", "rnallory"), ("yuri", "ᚠᚱᛁᚦ"), ("room-of-xavi", "room-of-rnoe")]
    {
        let name = format!("\"{name}\"");
        assert!(written.contains(&name), "{name}");
        written = written.replace(&name, &format!("\"{other}\""));
    }
    written = written.replace("\"xavi\"", "\"rnoe\"");

    let mut hub: Hub = serde_json::from_str(&written).expect("a later release reads it");
    hub.check_invariants();
    for (session, nick) in [(1, "moe"), (2, "rnoe"), (3, "ᚠᚱᛁᚦ")] {
        assert_eq!(hub.find(nick), Some(SessionId(session)));
    }
    assert!(hub.find_room("room-of-moe").is_some() && hub.find_room("room-of-rnoe").is_some());
    assert_eq!((hub.accounts().len(), hub.sanctions().len()), (2, 2));
    let banned = |text| hub.sanctions().of_name(&name(text).expect("a name"), NOW).next().map(|ban| ban.id);
    assert_eq!((banned("mallory"), banned("rnallory")), (Some(SanctionId(1)), Some(SanctionId(2))));

    // Nobody else gets such a name; whose it is may have it.
    let like = name("paypaI").expect("a name");
    assert!(hub.may_bear(SessionId(1), &like, NOW).is_err());
    let own = hub.accounts().get(AccountId(2)).expect("it is kept").name.clone();
    assert_eq!(own.shown(), "paypa1");
    assert!(hub.may_bear(SessionId(1), &own, NOW).is_err());
    hub.log_in(SessionId(1), AccountId(2));
    assert_eq!(hub.may_bear(SessionId(1), &own, NOW), Ok(()));
    assert!(hub.may_bear(SessionId(1), &like, NOW).is_err(), "that is the other's");
    hub.handle(Input::Line { session: SessionId(1), text: "/nick paypa1".to_owned() }, NOW, &mut Vec::new());
    assert_eq!(hub.find("paypa1"), Some(SessionId(1)));
    hub.check_invariants();
    // What changes of such an account is kept too.
    let mut accounts = hub.accounts().clone();
    let changed = Account { seen: Wall(7), ..accounts.get(AccountId(2)).expect("it is kept").clone() };
    assert_eq!(accounts.put(changed), Ok(()));
    assert!(accounts.put(Account { id: AccountId(3), ..account(3, "PayPa1") }).is_err(), "and no third one is made");
}

#[test]
fn accounts_and_bans_on_disk_that_today_look_alike_are_all_recalled() {
    let recalled = Recalled {
        accounts: vec![
            account(1, "paypal"),
            account(2, "paypa1"),
            account(3, "lobby"),
            account(4, "10min"),
            account(5, "m1"),
            account(6, "ann"),
            account(7, "ann."),
            account(8, "0xff"),
        ],
        sanctions: vec![ban(1, "mallory"), ban(2, "rnallory")],
        ..Recalled::default()
    };
    let mut hub = hub(recalled, &["moe"]);
    assert_eq!((hub.accounts().len(), hub.sanctions().len()), (8, 2));
    // Reserved by now, or taken for something else: its owner may have it all the same.
    for (id, text) in [(3, "lobby"), (4, "10min"), (5, "m1"), (7, "ann."), (6, "ann"), (8, "0xff")] {
        let nick = name(text).expect("a name");
        assert!(hub.may_bear(SessionId(1), &nick, NOW).is_err());
        hub.log_in(SessionId(1), AccountId(id));
        assert_eq!(hub.may_bear(SessionId(1), &nick, NOW), Ok(()), "{text}");
    }
}

#[test]
fn a_lobby_may_be_called_like_a_room_that_is_open() {
    let mut hub = hub(Recalled::default(), &["moe"]);
    let mut settings = Settings::default();
    settings.rooms.lobby = "room-of-rnoe".into();
    hub.handle(News::Settings(Box::new(settings)), NOW, &mut Vec::new());
    hub.check_invariants();
    assert_eq!(hub.room(hub.lobby()).map(|room| room.name.shown()), Some("room-of-rnoe"));
}
