use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::hub::account::{Account, Role};
use crate::hub::archive::{Recalled, Selector};
use crate::hub::message::{Message, Refusal};
use crate::hub::sanction::{Kind, Order, Target};
use crate::hub::{By, Effect, Input, News};
use crate::settings::Settings;
use crate::values::name::Name;
use crate::values::time::{Mono, Now};

const BY: By = By::Admin { uid: 0, pid: 1 };
const PEOPLE: [&str; 5] = ["ann", "bob", "cat", "dan", "eve"];

fn later(seconds: u64) -> Now {
    Now {
        mono: Mono(1_000_000_000).after(Duration::from_secs(seconds)),
        wall: Wall(1_000_000_000).after(Duration::from_secs(seconds)),
    }
}

fn account(id: u64, name: &str) -> Account {
    Account {
        id: AccountId(id),
        name: Name::parse(name, 24).expect("a name"),
        hashed: None,
        role: Role::Member,
        since: Wall(1),
        seen: Wall(1),
        places: Vec::new(),
        certificates: Vec::new(),
        unheard: None,
    }
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    (settings.pace.shown, settings.moderation.repeats, settings.pace.burst_lines) = (10_000, 0, 10_000);
    settings
}

/// A hub on which these people are registered, and nobody is connected.
fn hub(settings: Settings) -> Hub {
    let accounts = PEOPLE.into_iter().zip(1..).map(|(name, id)| account(id, name)).collect();
    let recalled = Recalled { accounts, ..Recalled::default() };
    let mut hub = Hub::new(settings, [7; 16], later(0), &mut Vec::new());
    hub.handle(News::Archive(Some(Box::new(recalled))), later(0), &mut Vec::new());
    hub
}

/// A client connects from the address `from` and logs in. Returns the effects of the login.
fn come(hub: &mut Hub, id: u64, account: u64, from: u64, now: Now) -> Vec<Effect> {
    let session = SessionId(id);
    let peer = format!("192.0.2.{from}:{}", 1000 + id).parse().expect("an address");
    hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut Vec::new());
    let mut effects = Vec::new();
    hub.turn(now, &mut effects).let_in_for_tests(session, AccountId(account));
    hub.check_invariants();
    effects
}

fn send(hub: &mut Hub, id: u64, text: &str, now: Now) -> Vec<Effect> {
    let mut effects = Vec::new();
    hub.handle(Input::Line { session: SessionId(id), text: text.to_owned() }, now, &mut effects);
    hub.check_invariants();
    effects
}

/// The texts of the messages that are shown, and how many are left for the next time.
fn shown(effects: &[Effect]) -> (Vec<String>, usize) {
    let memos = effects.iter().find_map(|effect| match effect {
        Effect::Tell { message: Message::Memos { memos, left, .. }, .. } => Some((memos, *left)),
        _ => None,
    });
    memos
        .map_or_else(Default::default, |(memos, left)| (memos.iter().map(|memo| memo.text.to_string()).collect(), left))
}

/// Whether the message was kept; the error says why not.
fn is_kept(effects: &[Effect]) -> Result<(), Refusal> {
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Tell { message: Message::MemoLeft { .. }, .. } => Some(Ok(())),
        Effect::Tell { message: Message::Refused(why), .. } => Some(Err(why.clone())),
        _ => None,
    });
    told.expect("its sender is told")
}

fn leave(hub: &mut Hub, id: u64, to: &str, text: &str) -> Result<(), Refusal> {
    is_kept(&send(hub, id, &format!("/msg {to} {text}"), later(10)))
}

/// The numbers of the memos on a disk that has written all records.
fn on_disk(hub: &Hub) -> Vec<u64> {
    let mut there = std::collections::BTreeSet::new();
    for (_, record) in hub.backlog().iter() {
        match record {
            Record::Memo(memo) => drop(there.insert(memo.id.0)),
            Record::Unmemo(id) => drop(there.remove(&id.0)),
            _ => {}
        }
    }
    there.into_iter().collect()
}

#[test]
fn waiting_messages_are_bounded_by_recipient_sender_address_and_in_all() {
    let mut settings = settings();
    (settings.memos.waiting, settings.memos.of_one) = (8, 3);
    let mut hub = hub(settings);
    // One sender may leave two for a person, a quarter of eight.
    come(&mut hub, 1, 1, 1, later(1));
    assert_eq!([1, 2].map(|_| leave(&mut hub, 1, "eve", "hello")), [Ok(()), Ok(())]);
    let (nick, count) = ("eve".into(), 2);
    assert_eq!(leave(&mut hub, 1, "eve", "hello"), Err(Refusal::TooManyMemosFor { nick, count }));
    assert_eq!(leave(&mut hub, 1, "dan", "hello"), Ok(()));
    assert_eq!(leave(&mut hub, 1, "cat", "hello"), Err(Refusal::TooManyMemos(3)));
    // Half of them can have come from one address.
    come(&mut hub, 2, 2, 1, later(1));
    assert_eq!([1, 2].map(|_| leave(&mut hub, 2, "eve", "hello")), [Ok(()), Ok(())]);
    come(&mut hub, 3, 3, 1, later(1));
    assert_eq!(leave(&mut hub, 3, "eve", "hello"), Err(Refusal::MemosWait("eve".into())));
    assert_eq!(leave(&mut hub, 3, "dan", "hello"), Ok(()));
    // From another address there is place for more.
    come(&mut hub, 4, 3, 2, later(2));
    assert_eq!([1, 2].map(|_| leave(&mut hub, 4, "eve", "hello")), [Ok(()), Ok(())]);
    assert_eq!((hub.memos().waiting(), hub.counters().memos_left, hub.counters().memos_refused), (8, 8, 3));
    assert_eq!(shown(&come(&mut hub, 5, 5, 3, later(3))).0.len(), 6);
    assert_eq!(hub.memos().waiting(), 2);
}

#[test]
fn waiting_messages_are_bounded_in_bytes_and_one_address_has_an_eighth() {
    let mut settings = settings();
    (settings.memos.waiting, settings.memos.of_one, settings.memos.bytes) = (1000, 1000, 64 * 1024);
    (settings.limits.mailbox, settings.limits.line) = (1 << 20, 1024);
    let mut hub = hub(settings);
    let text = "x".repeat(900);
    let mut count = 0;
    for (id, from) in (1..=12).zip(1..) {
        come(&mut hub, id, 1, from, later(id));
        let before = count;
        while leave(&mut hub, id, "eve", &text).is_ok() {
            count += 1;
        }
        assert!(count - before <= 8, "an eighth of 64 KiB holds seven");
        assert_eq!(leave(&mut hub, id, "eve", &text), Err(Refusal::MemosFull));
    }
    assert_eq!(count, 64 * 1024 / (900 + 3 + AROUND), "as many as there is room for");
    assert!(shown(&come(&mut hub, 99, 5, 99, later(99))).0.len() == count);
    assert!(leave(&mut hub, 12, "dan", &text).is_ok(), "there is room again");
}

#[test]
fn messages_beyond_a_full_mailbox_are_shown_at_the_next_login() {
    let mut settings = settings();
    settings.limits.mailbox = 64 * 1024;
    let mut hub = hub(settings.clone());
    come(&mut hub, 1, 1, 1, later(1));
    for at in 0..5 {
        assert_eq!(leave(&mut hub, 1, "eve", &format!("{at} {}", "x".repeat(900))), Ok(()));
    }
    settings.limits.mailbox = 16 * 1024;
    hub.handle(News::Settings(Box::new(settings)), later(2), &mut Vec::new());
    let first = |texts: &[String]| texts.iter().map(|text| text[..1].to_owned()).collect::<String>();
    let (texts, left) = shown(&come(&mut hub, 2, 5, 2, later(3)));
    assert_eq!((first(&texts), left), ("0".to_owned(), 4));
    assert_eq!(hub.memos().waiting(), 4);
    let (texts, left) = shown(&come(&mut hub, 3, 5, 2, later(4)));
    assert_eq!((first(&texts), left), ("1".to_owned(), 3));
}

#[test]
fn messages_are_shown_once_the_recipient_reads_again() {
    let mut hub = hub(settings());
    come(&mut hub, 1, 1, 1, later(1));
    leave(&mut hub, 1, "eve", "hello").expect("kept");
    let (session, peer) = (SessionId(2), "192.0.2.2:2".parse().expect("an address"));
    hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, later(2), &mut Vec::new());
    hub.handle(News::Crowded { session, on: true }, later(2), &mut Vec::new());
    let mut effects = Vec::new();
    hub.turn(later(2), &mut effects).let_in_for_tests(session, AccountId(5));
    assert!(shown(&effects).0.is_empty());
    hub.handle(News::Crowded { session, on: false }, later(3), &mut effects);
    assert_eq!(shown(&effects).0, ["hello"]);
}

#[test]
fn messages_of_somebody_ignored_are_dropped_unseen() {
    let mut hub = hub(settings());
    come(&mut hub, 1, 1, 1, later(1));
    come(&mut hub, 2, 2, 2, later(1));
    leave(&mut hub, 1, "eve", "of ann").expect("kept");
    leave(&mut hub, 2, "eve", "of bob").expect("kept");
    let (session, peer) = (SessionId(3), "192.0.2.3:2".parse().expect("an address"));
    hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, later(2), &mut Vec::new());
    send(&mut hub, 3, "/ignore ann", later(2));
    let mut effects = Vec::new();
    hub.turn(later(2), &mut effects).let_in_for_tests(session, AccountId(5));
    assert_eq!(shown(&effects).0, ["of bob"]);
    assert_eq!((hub.memos().waiting(), on_disk(&hub)), (0, vec![]));
}

#[test]
fn messages_of_somebody_banned_since_are_shown_to_nobody() {
    let mut hub = hub(settings());
    come(&mut hub, 1, 1, 1, later(1));
    come(&mut hub, 2, 2, 2, later(1));
    leave(&mut hub, 1, "eve", "of ann").expect("kept");
    leave(&mut hub, 2, "eve", "of bob").expect("kept");
    let ann = Target::Name(Name::parse("ann", 24).expect("a name"));
    for (kind, heard) in [(Kind::Mute { shadow: false }, 2), (Kind::Ban, 1)] {
        let order = Box::new(Order::about(kind, ann.clone()));
        hub.handle(Input::Sanction { order, by: BY }, later(2), &mut Vec::new());
        assert_eq!(hub.memos().to(AccountId(5)).filter(|memo| !hub.is_unheard_since(memo, later(2))).count(), heard);
    }
    assert_eq!(shown(&come(&mut hub, 5, 5, 3, later(3))).0, ["of bob"]);
    assert_eq!((hub.memos().waiting(), on_disk(&hub)), (0, vec![]));
}

#[test]
fn a_shadow_muted_sender_sees_no_difference_and_fills_no_mailbox() {
    let play = |is_heard: bool| {
        let mut settings = settings();
        (settings.memos.waiting, settings.memos.of_one) = (8, 5);
        settings.memos.bytes = 64 * 1024;
        let mut hub = hub(settings);
        come(&mut hub, 1, 1, 1, later(1));
        come(&mut hub, 2, 2, 2, later(1));
        if !is_heard {
            hub.people.sessions.get_mut(&SessionId(2)).expect("here").mute =
                Some(Box::new(crate::hub::session::Mute { until: None, shadow: true, open: None }));
        }
        let mut told = Vec::new();
        let mut rest = Vec::new();
        for to in ["eve", "eve", "eve", "dan", "dan", "cat", "cat", "zed", "ann"] {
            told.push(format!("{:?}", is_kept_or_told(&send(&mut hub, 2, &format!("/msg {to} psst"), later(10)))));
        }
        rest.push(leave(&mut hub, 1, "eve", "hello").is_ok());
        let seen = shown(&come(&mut hub, 3, 5, 3, later(20))).0;
        told.push(format!("{:?}", is_kept_or_told(&send(&mut hub, 2, "/msg dan psst", later(30)))));
        told.push(format!("{:?}", is_kept_or_told(&send(&mut hub, 2, "/msg cat psst", later(30)))));
        (told, rest, seen, on_disk(&hub).len(), hub)
    };
    let (heard, unheard) = (play(true), play(false));
    assert_eq!(heard.0, unheard.0);
    assert_eq!((heard.1, unheard.1), (vec![true], vec![true]));
    assert_eq!((heard.2, unheard.2), (vec!["psst".into(), "psst".into(), "hello".into()], vec!["hello".to_owned()]));
    assert!(heard.3 > 0 && unheard.3 == 0, "nothing of it is on disk");
    // All shadow-muted senders together take an eighth of the memory at most.
    let mut hub = unheard.4;
    assert!(hub.memos().iter().all(|memo| memo.unheard) && hub.memos().iter().count() > 0);
    let limits = hub.settings.memos.clone();
    hub.memos.make_room_unheard(limits.bytes / 8, &limits);
    assert_eq!(hub.memos().iter().count(), 0);
    hub.check_invariants();
}

fn is_kept_or_told(effects: &[Effect]) -> Vec<String> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Tell { to: SessionId(2), message } => Some(format!("{message:?}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn messages_expire_on_time_however_the_clock_jumps() {
    let mut settings = settings();
    settings.memos.keep = Some(Duration::from_secs(3600));
    let mut hub = hub(settings.clone());
    come(&mut hub, 1, 1, 1, later(1));
    leave(&mut hub, 1, "eve", "hello").expect("kept");
    assert!(hub.next_deadline().is_some_and(|due| due <= later(3700).mono));
    hub.handle(Input::Tick, later(3609), &mut Vec::new());
    assert_eq!(hub.memos().waiting(), 1);
    hub.handle(Input::Tick, later(3612), &mut Vec::new());
    assert_eq!((hub.memos().waiting(), on_disk(&hub)), (0, vec![]));
    // The clock jumps: nobody is shown what is too old, and it is gone after an hour at most.
    is_kept(&send(&mut hub, 1, "/msg eve two", later(4000))).expect("kept");
    let jumped = Now { wall: later(9000).wall, ..later(4001) };
    assert_eq!(shown(&come(&mut hub, 2, 5, 2, jumped)).0, Vec::<String>::new());
    assert_eq!(hub.memos().waiting(), 0);
    // The settings change, and the memo is too old at once.
    is_kept(&send(&mut hub, 1, "/msg dan three", later(4000))).expect("kept");
    settings.memos.keep = Some(Duration::from_secs(60));
    hub.handle(News::Settings(Box::new(settings)), later(4070), &mut Vec::new());
    assert_eq!(hub.memos().waiting(), 0);
    assert_eq!(hub.memos().due(), None);
}

#[test]
fn removing_an_account_removes_its_messages_and_erasing_also_those_it_left() {
    for (what, left) in [("removed", 1), ("erased", 0), ("redacted", 0), ("another", 1)] {
        let mut hub = hub(settings());
        come(&mut hub, 1, 1, 1, later(1));
        leave(&mut hub, 1, "eve", "of ann").expect("kept");
        come(&mut hub, 2, 2, 2, later(1));
        send(&mut hub, 1, "/quit", later(11));
        is_kept(&send(&mut hub, 2, "/msg ann of bob", later(12))).expect("kept");
        let (account, by) = (AccountId(1), BY);
        let redact = |nick: &str| Input::Redact {
            what: Arc::new(Selector { nick: Some(nick.to_owned()), ..Selector::default() }),
            account: None,
            by,
        };
        let inputs = match what {
            "removed" => vec![Input::RemoveAccount { account, by }],
            "erased" => vec![Input::ForgetWords { account }, Input::RemoveAccount { account, by }],
            "redacted" => vec![redact("ann"), Input::RemoveAccount { account, by }],
            _ => vec![redact("eve"), Input::RemoveAccount { account, by }],
        };
        for input in inputs {
            hub.handle(input, later(20), &mut Vec::new());
            hub.check_invariants();
        }
        let kept: Vec<_> = hub.memos().iter().map(|memo| (&*memo.text, memo.from)).collect();
        assert_eq!(kept, vec![("of ann", None); left], "{what}");
        assert_eq!(on_disk(&hub).len(), left, "{what}");
        assert_eq!(shown(&come(&mut hub, 3, 5, 3, later(30))).0.len(), left, "{what}");
    }
}

#[test]
fn messages_from_disk_are_kept_once_and_shown_to_recipients_who_are_here() {
    let memo = |id, to, text: &str| Memo {
        id: MemoId(id),
        at: later(0).wall,
        to: AccountId(to),
        from: Some(AccountId(1)),
        session: SessionId(id),
        name: "ann".into(),
        text: text.into(),
        unheard: false,
        origin: None,
    };
    let mut hub = hub(settings());
    come(&mut hub, 1, 1, 1, later(1));
    leave(&mut hub, 1, "dan", "one").expect("kept");
    come(&mut hub, 2, 5, 2, later(1));
    let accounts: Vec<_> = PEOPLE.into_iter().zip(1..).map(|(name, id)| account(id, name)).collect();
    let memos =
        vec![memo(1, 4, "another one of that number"), memo(7, 5, "for who is here"), memo(8, 77, "for nobody")];
    let recalled = Recalled { accounts, memos, ..Recalled::default() };
    let mut effects = Vec::new();
    hub.handle(News::Recalled(Box::new(recalled.clone())), later(2), &mut effects);
    hub.check_invariants();
    assert_eq!(shown(&effects).0, ["for who is here"]);
    assert_eq!(hub.memos().waiting_for(AccountId(4)), 2);
    assert_eq!(on_disk(&hub).len(), 2);
    // What was shown meanwhile is removed from the disk, or will be.
    assert_eq!(shown(&come(&mut hub, 3, 4, 3, later(3))).0, ["one", "another one of that number"]);
    let mut effects = Vec::new();
    hub.handle(News::Recalled(Box::new(recalled)), later(4), &mut effects);
    assert_eq!((shown(&effects).0, hub.memos().waiting()), (vec![], 0));
}

#[test]
fn messages_survive_a_snapshot_and_are_shown_once() {
    let mut hub = hub(settings());
    come(&mut hub, 1, 1, 1, later(1));
    leave(&mut hub, 1, "eve", "hello").expect("kept");
    hub.people.sessions.get_mut(&SessionId(1)).expect("here").mute =
        Some(Box::new(crate::hub::session::Mute { until: None, shadow: true, open: None }));
    leave(&mut hub, 1, "eve", "unheard").expect("she thinks so");
    let again = |hub: &Hub| -> Hub {
        let text = serde_json::to_string(&hub.frozen()).expect("it can be written down");
        let again: Hub = serde_json::from_str(&text).expect("and read");
        again.check_invariants();
        assert_eq!(serde_json::to_string(&again).expect("plain"), serde_json::to_string(hub).expect("plain"));
        again
    };
    let mut hub = again(&hub);
    assert_eq!((hub.memos().waiting(), hub.next_deadline().is_some()), (1, true));
    assert_eq!(shown(&come(&mut hub, 2, 5, 2, later(3))).0, ["hello"]);
    let mut hub = again(&hub);
    assert_eq!(shown(&come(&mut hub, 3, 5, 2, later(4))).0, Vec::<String>::new());
    assert_eq!((hub.memos().iter().count(), on_disk(&hub)), (0, vec![]));
}
