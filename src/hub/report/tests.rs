use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::queue::OF_ADDRESS;
use super::*;
use crate::hub::account::{Account, Role};
use crate::hub::archive::{Found, Reach, Recalled, Selector};
use crate::hub::ignore::Borne;
use crate::hub::message::{Line, Message, Said, ShownLine};
use crate::hub::{By, Effect, Input, News};
use crate::values::id::{AccountId, SessionId};
use crate::values::name::Name;
use crate::values::time::{Mono, Now};

const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_000) };

/// A hub with these reports on disk, in which olga is an operator.
fn hub(reports: Vec<Report>) -> (Hub, SessionId) {
    let mut effects = Vec::new();
    let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
    let olga = Account {
        id: AccountId(1),
        name: Name::parse("olga", 24).expect("a name"),
        hashed: None,
        role: Role::Operator,
        since: Wall(1),
        seen: Wall(1),
        places: Vec::new(),
        certificates: Vec::new(),
        unheard: None,
    };
    let recalled = Recalled { accounts: vec![olga], reports, last_line: 50, ..Recalled::default() };
    hub.handle(News::Archive(Some(Box::new(recalled))), NOW, &mut effects);
    let session = SessionId(2001);
    let peer = ([192, 0, 2, 1], 1024).into();
    hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, NOW, &mut effects);
    hub.log_in(session, AccountId(1));
    (hub, session)
}

#[test]
fn reported_lines_are_read_from_disk_and_a_disk_that_cannot_be_read_is_named() {
    let line = Line {
        seq: 3,
        at: Wall(5),
        author: Some(SessionId(999)),
        said: Said::Say { nick: "bob".into(), text: "you fool".into() },
        borne: Borne::default(),
        apart: None,
        origin: None,
    };
    let shown_of = |found: Vec<Line>, reach| {
        let (mut hub, olga) = hub(vec![Report { lines: vec![3], room: RoomId(7), ..report(4, 1, 1, None) }]);
        let mut effects = Vec::new();
        hub.handle(Input::Line { session: olga, text: "/reports r4".into() }, NOW, &mut effects);
        let search = effects.iter().find_map(|effect| match effect {
            Effect::Search(search) => Some(search.clone()),
            _ => None,
        });
        let number = search.expect("it is looked for").number;
        let found = Box::new(Found { lines: found, through: 50, reach });
        effects.clear();
        hub.handle(News::Found { session: olga, number, found }, NOW, &mut effects);
        let shown = effects.into_iter().find_map(|effect| match effect {
            Effect::Tell { message: Message::ReportShown(shown), .. } => Some(shown.lines),
            _ => None,
        });
        shown.expect("it is shown")
    };
    assert_eq!(shown_of(vec![line.clone()], Reach::All), [(3, ShownLine::Line(Arc::new(line)))]);
    assert_eq!(shown_of(Vec::new(), Reach::All), [(3, ShownLine::Gone)]);
    assert_eq!(shown_of(Vec::new(), Reach::Memory), [(3, ShownLine::Unread)]);
}

#[test]
fn another_file_s_reports_get_numbers_that_are_free() {
    let (mut hub, _) = hub(vec![report(4, 1, 1, None)]);
    let known = hub.reports().get(ReportId(4)).cloned().expect("it was recalled");
    let other = Report { at: Wall(77), ..report(4, 2, 1, Some(80)) };
    let same = Report { reason: "as it was".into(), ..(*known).clone() };
    let recalled = Recalled { reports: vec![same, report(3, 5, 1, None)], ..Recalled::default() };
    hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
    assert_eq!(hub.reports().get(ReportId(4)), Some(&known), "what the hub knows is newer");
    let recalled = Recalled { reports: vec![other], ..Recalled::default() };
    hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
    let all: Vec<_> = hub.reports().iter().map(|report| (report.id.0, report.by.session.0)).collect();
    assert_eq!(all, [(3, 5), (4, 1), (5, 2)]);
    hub.check_invariants();
}

#[test]
fn reasons_are_redacted_by_author_and_text_but_not_by_time_alone() {
    let (hub, _) = hub(vec![
        Report { reason: "she lives in Elm Street".into(), ..report(1, 10, 1, None) },
        report(2, 11, 1, None),
    ]);
    let left = |what: Selector| {
        let (mut hub, mut effects) = (hub.clone(), Vec::new());
        let by = By::Admin { uid: 0, pid: 1 };
        hub.handle(Input::Redact { what: Arc::new(what), account: None, by }, NOW, &mut effects);
        hub.reports().iter().filter(|report| !report.erased).map(|report| report.id.0).collect::<Vec<_>>()
    };
    let all = Selector { since: Some(Wall(0)), room: Some("lobby".into()), ..Selector::default() };
    assert_eq!(left(all), [1, 2]);
    assert_eq!(left(Selector { client: Some(SessionId(11)), ..Selector::default() }), [1]);
    assert_eq!(left(Selector { text: Some("elm street".into()), ..Selector::default() }), [2]);
    assert_eq!(left(Selector { nick: Some("ann".into()), ..Selector::default() }), [] as [u64; 0]);
    assert_eq!(left(Selector { nick: Some("bob".into()), ..Selector::default() }), [1, 2], "it is about him");
}

fn report(id: u64, by: u64, origin: u8, closed: Option<i64>) -> Report {
    let party = |session| Party { name: "ann".into(), account: None, session: SessionId(session) };
    Report {
        id: ReportId(id),
        at: Wall(0),
        last: Wall(0),
        times: 1,
        by: party(by),
        shadow: false,
        about: party(999),
        room: RoomId(0),
        room_name: "lobby".into(),
        reason: "why".into(),
        erased: false,
        lines: Vec::new(),
        origin: Some(Origin::of([192, 0, 2, origin].into())),
        closed: closed.map(|at| Closed { by: Author::Hub, at: Wall(at), note: None }),
    }
}

#[test]
fn fifty_trolls_leave_place_for_a_report_from_elsewhere_and_push_none_out() {
    const MOST: usize = 200;
    let mut reports = Reports::default();
    reports.put(report(1, 1, 1, None));
    // Fifty people behind four addresses make reports, each under as many names as they like.
    for number in 0..10_000_u64 {
        let (by, low) = (100 + number % 500, 10 + u8::try_from(number % 4).expect("small"));
        let next = report(reports.next_id().0, by, low, None);
        if reports.refuse(&next.by, next.origin.expect("it has one"), MOST).is_none() {
            reports.put(next);
        }
    }
    assert_eq!(reports.open().len(), 1 + 4 * MOST / OF_ADDRESS);
    assert!(reports.get(ReportId(1)).is_some(), "it is there still");
    // Reports from more and more addresses: in the last quarter, each address has one place.
    for low in 20..40 {
        for _ in 0..MOST {
            let next = report(reports.next_id().0, u64::from(low), low, None);
            if reports.refuse(&next.by, next.origin.expect("it has one"), MOST).is_none() {
                reports.put(next);
            }
        }
    }
    assert!(reports.open().len() < MOST, "{}", reports.open().len());
    let (by, origin) = (report(9, 9, 99, None).by, Origin::of([198, 51, 100, 1].into()));
    assert_eq!(reports.refuse(&by, origin, MOST), None, "there is place for somebody else");
    reports.check_invariants();
}

#[test]
fn numbers_and_ranges_of_reports_are_read() {
    let one = |number| Some(ReportId(number)..=ReportId(number));
    assert_eq!((ReportId::parse_range("r12"), ReportId::parse_range("R1")), (one(12), one(1)));
    let some = Some(ReportId(3)..=ReportId(9));
    assert_eq!((ReportId::parse_range("r3-r9"), ReportId::parse_range("r3-9")), (some.clone(), some));
    for wrong in ["", "r", "12", "r-1", "r+1", "r1-", "r9-r3", "rude", "r1-r2-r3", "r99999999999999999999"] {
        assert_eq!(ReportId::parse_range(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn the_table_of_reports_keeps_what_a_plain_list_would(
        steps in prop::collection::vec((1..12_u64, 0..4_u64, 0..3_u8, prop::option::of(0..5_i64), 0..6_u8), 0..60),
    ) {
        let mut reports = Reports::default();
        let mut model: BTreeMap<u64, Report> = BTreeMap::new();
        for (id, by, low, closed, what) in steps {
            match what {
                0 => {
                    reports.remove(ReportId(id));
                    model.remove(&id);
                }
                1 => {
                    let gone = reports.trim(2, closed.map(Wall));
                    for id in &gone {
                        model.remove(&id.0);
                    }
                    let left: Vec<_> = model.values().filter_map(|report| report.closed.as_ref()).collect();
                    prop_assert!(left.len() <= 2 && left.iter().all(|one| closed.is_none_or(|at| one.at.0 >= at)));
                }
                _ => {
                    reports.put(report(id, by, low, closed));
                    model.insert(id, report(id, by, low, closed));
                }
            }
            reports.check_invariants();
            prop_assert!(reports.iter().map(|report| &**report).eq(model.values()));
        }
        let again: Reports = serde_json::from_str(&serde_json::to_string(&reports).expect("plain")).expect("the same");
        again.check_invariants();
        prop_assert!(again.iter().eq(reports.iter()));
        prop_assert_eq!(again.next_id(), reports.next_id());
    }
}
