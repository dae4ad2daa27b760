//! Death at any time, under load.
//!
//! `CHATHUB_KILLS=5000 cargo test --test survival -- --nocapture kills::` runs until this number of
//! deaths; `CHATHUB_SEED=n` repeats the random choices of an earlier run. Without the variable there
//! are as many as take some seconds, with each kind of death among them. A change of what survival
//! is made of (`net::keep`, `net::rounds`, `hub::saved`) deserves some hundreds of each.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chathub::systemd::STORED;
use nix::sys::signal::Signal;

use crate::check::Tally;
use crate::load::{Load, Size, settings, skipping};
use crate::shared::dice::Dice;
use crate::supervisor::{HANDED_OVER, PATIENCE, Plan, Supervisor};

const CROWD: Size =
    Size { rooms: 3, residents: 12, visitors: 6, every: Duration::from_millis(20), crowd: 0, orators: 0, idlers: 0 };

/// Some clients talk faster than the slow readers read, so the slow readers miss lines.
const SKIPPING: Size =
    Size { rooms: 2, residents: 4, visitors: 3, every: Duration::from_millis(25), crowd: 0, orators: 3, idlers: 12 };

/// The number of deaths under one load; then a new load begins.
const CHAPTER: usize = 100;

/// A way for the daemon to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Kill,
    Abort,
    Terminate,
    /// The daemon hangs for a moment before it is killed, as before the watchdog kills it.
    Freeze,
}

impl Blow {
    fn strike(self, supervisor: &Supervisor, dice: &mut Dice) {
        match self {
            Self::Kill => drop(supervisor.signal(Signal::SIGKILL)),
            Self::Abort => drop(supervisor.signal(Signal::SIGABRT)),
            Self::Terminate => drop(supervisor.signal(Signal::SIGTERM)),
            Self::Freeze => {
                supervisor.signal(Signal::SIGSTOP);
                std::thread::sleep(Duration::from_millis(dice.below(40) as u64));
                supervisor.signal(Signal::SIGKILL);
            }
        }
    }
}

/// Sets the flag when it is dropped, also by a panic.
struct Still<'a>(&'a AtomicBool);

impl Drop for Still<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Kills the daemon `kills` times, each time at a random moment: while it starts, or later.
fn strike(supervisor: &Supervisor, mut dice: Dice, kills: usize, blows: &[Blow], late: u64, over: &AtomicBool) {
    let mut spawns = supervisor.spawns() - 1;
    for number in 0..kills {
        if over.load(Ordering::Relaxed) {
            return;
        }
        spawns = supervisor.started_after(spawns);
        // Each kind of death is played once; from then on chance decides.
        let blow = blows.get(number).copied().unwrap_or_else(|| dice.of(blows));
        // This sleep chooses the moment of the death; it does not wait for anything.
        let micros = if dice.one_in(4) {
            dice.below(8_000) as u64
        } else {
            supervisor.ready_after(spawns - 1);
            dice.roll() % (late * 1000)
        };
        std::thread::sleep(Duration::from_micros(micros));
        let ended = supervisor.endings().len();
        blow.strike(supervisor, &mut dice);
        supervisor.ended(ended + 1);
    }
}

/// One load with `kills` deaths, and the check.
fn chapter(seed: u64, kills: usize, blows: &[Blow], late: u64, size: Size, sealed: bool) -> Tally {
    let mut dice = Dice(seed);
    // The size at which a new snapshot is taken: all the time, or now and then. With the real size,
    // a debug build would need seconds to replay the tape.
    let tape = dice.of(&["10000", "30000", "80000"]);
    let (settings, tape) = match size.idlers {
        0 => (settings(), tape),
        // In such a load as much is said in a moment as otherwise in a minute.
        _ => (skipping(), dice.of(&["100000", "400000", "2000000"])),
    };
    let supervisor = Plan::new(&settings, dice.roll()).env("CHATHUB_TAPE", tape).sealed(sealed).start();
    let mut load = Load::new(&supervisor, seed, size);
    if size.idlers > 0 {
        // Before the first death some readers are far behind.
        load.play(Instant::now() + PATIENCE, |load| load.heard() > 1_000_000);
    }
    let (still, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let hand = dice.fork();
    std::thread::scope(|scope| {
        let striking = scope.spawn(|| {
            let _still = Still(&still);
            strike(&supervisor, hand, kills, blows, late, &over);
        });
        let _over = Still(&over);
        load.play(Instant::now() + Duration::from_secs(3600), |_| still.load(Ordering::Relaxed));
        if let Err(panic) = striking.join() {
            std::panic::resume_unwind(panic);
        }
    });
    supervisor.ready_after(supervisor.spawns() - 1);
    let lost = load.lost();
    assert!(lost <= 1 + kills / 20, "{lost} connections died unseen in {kills} deaths");
    let tally = load.finish(|| {
        // While slow readers still have the end before them, the daemon dies once more.
        supervisor.replace(Signal::SIGKILL);
    });
    supervisor.assert_whole();
    let ended_well = |ending: &crate::supervisor::Ending| {
        use std::os::unix::process::ExitStatusExt as _;
        let by = |signal: Signal| ending.status.signal() == Some(signal as i32);
        by(Signal::SIGKILL)
            || by(Signal::SIGABRT) && blows.contains(&Blow::Abort)
            || ending.status.code() == Some(HANDED_OVER) && blows.contains(&Blow::Terminate)
            // SIGTERM came before the daemon handled the signal.
            || by(Signal::SIGTERM) && blows.contains(&Blow::Terminate) && !ending.was_ready
    };
    for ending in supervisor.endings() {
        assert!(ended_well(&ending), "nobody made it end like this: {ending:?}");
    }
    tally
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// How many deaths a test plays: as `CHATHUB_KILLS` says, or else `few`.
pub(crate) fn deaths(few: usize) -> usize {
    number("CHATHUB_KILLS").map_or(few, |kills| usize::try_from(kills).unwrap())
}

/// Whether more than the usual deaths are asked for.
pub(crate) fn is_long() -> bool {
    number("CHATHUB_KILLS").is_some()
}

/// Runs loads until there were `kills` deaths, or as many as are asked for.
fn story(name: &str, kills: usize, blows: &[Blow], late: u64, size: Size) -> Tally {
    story_of(name, kills, blows, late, size, false)
}

/// As [`story`]; with `sealed`, every other client is encrypted.
fn story_of(name: &str, kills: usize, blows: &[Blow], late: u64, size: Size, sealed: bool) -> Tally {
    let kills = deaths(kills);
    let (mut done, mut tally, began) = (0, Tally::default(), Instant::now());
    for turn in 0.. {
        if done >= kills {
            break;
        }
        // The first load is the same in every run, the others are new each time.
        let seed = match number("CHATHUB_SEED") {
            Some(seed) => seed + turn,
            None if turn == 0 => 1,
            None => RandomState::new().hash_one(turn) >> 32,
        };
        let deaths = (kills - done).min(CHAPTER);
        eprintln!("{name}: CHATHUB_SEED={seed} CHATHUB_KILLS={deaths}");
        tally += chapter(seed, deaths, blows, late, size, sealed);
        done += deaths;
    }
    eprintln!("{name}: {done} deaths in {:?}: {tally:?}", began.elapsed());
    assert!(tally.room_lines > 10 * kills && tally.privates > kills / 2 && tally.answers > kills, "{tally:?}");
    tally
}

#[test]
fn the_load_itself_is_right_while_nobody_dies() {
    let supervisor = Plan::new(&settings(), 1).start();
    let mut load = Load::new(&supervisor, 1, CROWD);
    load.play(Instant::now() + PATIENCE, |load| load.heard() > 100_000);
    assert_eq!(load.lost(), 0);
    let tally = load.finish(|| ());
    assert!(tally.room_lines > 1000 && tally.privates > 20 && tally.answers > 100, "{tally:?}");
}

#[test]
fn nobody_notices_that_the_daemon_is_killed_at_any_time() {
    story("killed", 50, &[Blow::Kill], 120, CROWD);
}

#[test]
fn nobody_notices_that_the_daemon_aborts_hangs_hands_over_and_is_killed() {
    story("mixed", 50, &[Blow::Kill, Blow::Abort, Blow::Terminate, Blow::Terminate, Blow::Freeze], 120, CROWD);
}

#[test]
fn nobody_encrypted_or_not_notices_that_the_daemon_is_killed_at_any_time() {
    story_of("killed, encrypted", 50, &[Blow::Kill], 120, CROWD, true);
}

#[test]
fn nobody_encrypted_or_not_notices_any_kind_of_death() {
    let blows = [Blow::Kill, Blow::Abort, Blow::Terminate, Blow::Terminate, Blow::Freeze];
    story_of("mixed, encrypted", 50, &blows, 120, CROWD, true);
}

/// The deaths come so soon that the daemon is hardly ever ready.
#[test]
fn nobody_notices_that_the_daemon_dies_again_and_again_while_it_starts() {
    story("in its cradle", 30, &[Blow::Kill], 1, CROWD);
}

/// Fails if too few lines were missed for a test of missed lines.
fn missed(tally: &Tally, kills: usize) {
    assert!(tally.missed > 100 * kills, "too few lines were missed: {tally:?}");
}

#[test]
fn slow_readers_are_told_of_the_lines_they_miss_while_nobody_dies() {
    let supervisor = Plan::new(&skipping(), 1).start();
    let mut load = Load::new(&supervisor, 1, SKIPPING);
    load.play(Instant::now() + PATIENCE, |load| load.heard() > 2_000_000);
    let tally = load.finish(|| ());
    eprintln!("{tally:?}");
    missed(&tally, 1);
}

#[test]
fn slow_readers_are_told_of_the_lines_they_miss_whenever_the_daemon_is_killed() {
    let tally = story("slow readers", 30, &[Blow::Kill], 200, SKIPPING);
    missed(&tally, 1);
}

#[test]
fn slow_readers_are_told_of_the_lines_they_miss_after_any_kind_of_death() {
    let blows = [Blow::Kill, Blow::Abort, Blow::Terminate, Blow::Terminate, Blow::Freeze];
    let tally = story("slow readers, mixed", 40, &blows, 200, SKIPPING);
    missed(&tally, 1);
}

#[test]
fn slow_readers_are_told_of_the_lines_they_miss_after_deaths_at_the_start() {
    let tally = story("slow readers, in its cradle", 20, &[Blow::Kill], 1, SKIPPING);
    missed(&tally, 0);
}

/// At the first start the tape and the sockets are stored one by one. The daemon may die between
/// any two; clients that have connected by then are greeted all the same. A connection may be lost
/// if the daemon dies between accepting and keeping it, which this test aims at: that is a matter of
/// microseconds, or of longer on a busy machine that lets the daemon wait there.
#[test]
fn death_at_the_very_first_start_costs_nobody() {
    const STARTS: usize = 25;
    let mut dice = Dice(1);
    let mut cut_off = 0;
    for _ in 0..STARTS {
        let supervisor = Plan::new(&settings(), dice.roll()).begin();
        let mut early = crate::people::Person::knock(&supervisor, "early");
        early.send("/nick early");
        let mut spawns = 0;
        for _ in 0..dice.between(1, 3) {
            spawns = supervisor.started_after(spawns);
            std::thread::sleep(Duration::from_micros(dice.below(15_000) as u64));
            supervisor.signal(Signal::SIGKILL);
        }
        if early.is_reset_before_the_greeting() {
            cut_off += 1;
            println!("one was cut off between accepting and keeping");
            assert!(cut_off <= STARTS / 5, "that is no coincidence any more");
            continue;
        }
        early.greeted();
        early.expect("-- you are early now");
        supervisor.ready_after(spawns);
        supervisor.replace(Signal::SIGKILL);
        early.quiet();
        let mut names: Vec<&str> = STORED.to_vec();
        names.sort_unstable();
        assert_eq!(supervisor.store(), names, "all of it, and nothing twice");
    }
}
