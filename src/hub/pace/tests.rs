use std::time::Duration;

use super::client::CALM;
use super::{Crowd, Pace, Verdict, Word};
use crate::settings;
use crate::values::time::Mono;

#[test]
fn a_room_at_its_pace_lets_the_calm_pass_and_the_others_have_what_is_left() {
    let limits = settings::Pace::default();
    let (mut crowd, mut flooder, mut calm) = (Crowd::default(), Pace::default(), Pace::default());
    let start = Mono(1_000_000);
    let mut said = 0;
    // The room has a thousand people; many flooders use their bursts at once.
    while !crowd.is_over(start) {
        flooder.judge(64, start, &limits);
        crowd.charge(1000, start, &limits);
        said += 1;
    }
    assert_eq!(said, limits.crowd / 2000 + 1, "half a second's worth, and the one that goes over");
    assert_eq!(calm.gives_way(start, &limits), None);
    let (until, word) = flooder.gives_way(start, &limits).expect("it has said much");
    assert_eq!((until, word), (start.after(Duration::from_millis(100)), None));
    assert!(!crowd.is_over(until), "and then there is room for more");
    let later = start.after(Duration::from_secs(60));
    assert_eq!(flooder.gives_way(later, &limits), None, "who falls silent is calm again");
}

/// The calm need all of the room's pace.
#[test]
fn whoever_goes_on_and_on_does_not_count_as_calm_by_the_pace_of_its_lines() {
    let limits = settings::Pace::default();
    let (mut flooder, mut calm) = (Pace::default(), Pace::default());
    let (mut passed, mut told, mut now) = (0, 0, Mono(1_000_000));
    let end = now.after(Duration::from_secs(60));
    let mut next_calm = now;
    while now < end {
        match flooder.gives_way(now, &limits) {
            None => {
                assert_eq!(flooder.judge(64, now, &limits).0, Verdict::Pass);
                passed += 1;
            }
            Some((until, word)) => {
                now = until;
                told += usize::from(word == Some(Word::GivesWay));
            }
        }
        if next_calm <= now {
            assert_eq!(calm.gives_way(now, &limits), None, "five lines a second are no flood");
            assert_eq!(calm.judge(64, now, &limits).0, Verdict::Pass);
            next_calm = now.after(Duration::from_millis(200));
        }
    }
    assert_eq!(told, 1);
    assert_eq!(passed, CALM + 29, "its first lines, and one every two seconds");
}

#[test]
fn where_the_pace_of_one_client_is_lifted_nobody_gives_way_for_long() {
    let limits = settings::Pace { lines: 1_000_000, burst_lines: 1_000_000, ..settings::Pace::default() };
    let (mut pace, start) = (Pace::default(), Mono(1_000_000));
    let mut now = start;
    for _ in 0..1000 {
        while let Some((until, word)) = pace.gives_way(now, &limits) {
            assert_eq!(word, None);
            now = until;
        }
        assert_eq!(pace.judge(64, now, &limits).0, Verdict::Pass);
    }
    assert!(now.since(start) < Duration::from_millis(25), "{:?}", now.since(start));
}

#[test]
fn in_a_small_room_a_pasted_text_never_waits() {
    let limits = settings::Pace::default();
    let (mut crowd, at) = (Crowd::default(), Mono(1_000_000));
    for _ in 0..limits.burst_lines {
        assert!(!crowd.is_over(at));
        crowd.charge(100, at, &limits);
    }
}
