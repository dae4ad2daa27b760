//! Death at every named step. `CHATHUB_LABEL=rotate.` tries only the steps whose names begin so.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use chathub::net::keep::fault::LABELS;
use nix::sys::signal::Signal;

use crate::load::{Load, Size, settings};
use crate::supervisor::{PATIENCE, Plan};

/// Small and quick, with much coming and going, so that each step is reached soon.
const TROUPE: Size =
    Size { rooms: 2, residents: 6, visitors: 5, every: Duration::from_millis(8), crowd: 0, orators: 0, idlers: 0 };

/// Dies of the fault under load. Fails if a connection is lost by it that was greeted, or each time
/// one that was not.
///
/// A connection that was accepted and is not kept yet is lost, at whatever step another thread is:
/// so one may be lost by chance, and then the same is tried again.
fn fault(label: &str, nth: usize, seed: u64) {
    let is_lost_here = label == "accept.taken";
    let tries = if is_lost_here { 1 } else { 3 };
    let is_always_lost = (0..tries).all(|again| lost_by(label, nth, seed + 1000 * again) > 0);
    assert!(!is_always_lost || is_lost_here, "{label}: connections died unseen, {tries} times");
}

/// Runs the load until the daemon dies of the fault, and on. Returns how many connections were lost
/// before they were greeted. Fails if the daemon never reaches that step.
fn lost_by(label: &str, nth: usize, seed: u64) -> usize {
    let closed = if label.starts_with("rotate.") { "40" } else { "1024" };
    let sealed = label.starts_with("take.") || label.starts_with("seal.") || label.starts_with("proxy.");
    let plan = Plan::new(&settings(), seed).env("CHATHUB_TAPE", "20000").env("CHATHUB_CLOSED", closed);
    let supervisor = plan.sealed(sealed).start();
    let mut load = Load::new(&supervisor, seed, TROUPE);
    load.play(Instant::now() + Duration::from_millis(150), |_| false);
    // The first death is at no step in particular: nobody is between being accepted and being kept.
    load.play(Instant::now() + PATIENCE, Load::everybody_is_greeted);
    supervisor.once("CHATHUB_FAULT", &format!("{label}:{nth}"));
    supervisor.signal(Signal::SIGKILL);
    let second = supervisor.started_after(1);
    if label.starts_with("handover.") {
        load.play(Instant::now() + PATIENCE, |_| supervisor.is_ready());
        supervisor.signal(Signal::SIGTERM);
    }
    let has_died = || supervisor.endings().len() > 1;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && !has_died() {
        if (label.starts_with("rotate.") || label.starts_with("merge.")) && load.everybody_is_greeted() {
            // These steps are reached after hundreds of connections, or after dozens of closed
            // ones. No faster than the daemon takes them: else a thousand would be there at once.
            load.flurry(8);
        }
        load.play(Instant::now() + Duration::from_millis(50), |_| has_died());
    }
    assert!(has_died(), "{label}:{nth} was not reached");
    let ending = supervisor.endings()[1];
    let killed = ending.status.signal() == Some(Signal::SIGKILL as i32);
    assert!(killed, "{label}:{nth} made it end with {}", ending.status);
    supervisor.ready_after(second);
    load.play(Instant::now() + Duration::from_millis(100), |_| false);
    let lost = load.lost();
    // At each listener one connection at most is between being accepted and being kept.
    assert!(lost <= if sealed { 2 } else { 1 }, "{label}: {lost} connections died unseen");
    load.finish(|| {
        supervisor.replace(Signal::SIGKILL);
    });
    supervisor.assert_whole();
    lost
}

fn every(nth: impl Fn(&str) -> Vec<usize>, part: usize, parts: usize) {
    let wanted = std::env::var("CHATHUB_LABEL").unwrap_or_default();
    let labels = LABELS.iter().enumerate().filter(|(at, label)| at % parts == part && label.starts_with(&wanted));
    for (at, label) in labels {
        for nth in nth(label) {
            // The first failure ends the test: its name is the last that is printed.
            println!("{label}:{nth}");
            fault(label, nth, at as u64 + 1);
        }
    }
}

/// The occurrences of a step at which to die. Some steps happen once in a process, or rarely. A
/// merge handles first the connections that were found, then those of this process.
fn again(label: &str) -> Vec<usize> {
    let once = ["recover.", "handover.", "rotate."];
    if once.iter().any(|kind| label.starts_with(kind)) {
        vec![]
    } else if label.starts_with("merge.") {
        vec![2]
    } else {
        vec![7]
    }
}

#[test]
fn death_at_each_labelled_step_is_survived_first_part() {
    every(|_| vec![1], 0, 2);
}

#[test]
fn death_at_each_labelled_step_is_survived_second_part() {
    every(|_| vec![1], 1, 2);
}

#[test]
fn death_at_a_later_occurrence_of_each_labelled_step_is_survived() {
    every(again, 0, 1);
}

/// Dies at one step of the recovery, and in the next recovery at another.
#[test]
fn two_deaths_in_a_row_at_any_steps_of_recovery_are_survived() {
    let steps: Vec<&str> = LABELS.iter().copied().filter(|label| label.starts_with("recover.")).collect();
    assert!(steps.len() >= 3, "{steps:?}");
    let supervisor = Plan::new(&settings(), 5).env("CHATHUB_TAPE", "20000").start();
    let mut load = Load::new(&supervisor, 5, TROUPE);
    for first in &steps {
        for second in &steps {
            load.play(Instant::now() + Duration::from_millis(30), |_| false);
            let spawns = supervisor.spawns();
            let ended = supervisor.endings().len();
            supervisor.hold();
            supervisor.signal(Signal::SIGKILL);
            supervisor.ended(ended + 1);
            supervisor.once("CHATHUB_FAULT", first);
            supervisor.release();
            supervisor.started_after(spawns);
            supervisor.once("CHATHUB_FAULT", second);
            load.play(Instant::now() + PATIENCE, |_| supervisor.endings().len() >= ended + 3);
            assert!(supervisor.endings().len() >= ended + 3, "{first}, then {second}: one was not reached");
            supervisor.ready_after(spawns + 2);
        }
    }
    load.finish(|| {
        supervisor.replace(Signal::SIGKILL);
    });
}
