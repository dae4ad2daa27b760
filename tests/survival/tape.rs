//! The tape may be damaged, lost in part, or of an unknown version: then connected clients get a
//! goodbye, and the hub starts afresh. The daemon never crashes because of it. `CHATHUB_KILLS=n` damages
//! that many, where chance says how.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use chathub::systemd::STORED;
use nix::sys::signal::Signal;
use rustix::fs::{MemfdFlags, SealFlags, SeekFrom, fcntl_add_seals, ftruncate, memfd_create, seek};

use crate::kills::deaths;
use crate::load::settings;
use crate::people::Person;
use crate::shared::dice::Dice;
use crate::supervisor::{Plan, Supervisor};

/// Clients, and what they say before the daemon dies.
fn company(supervisor: &Supervisor) -> Vec<Person> {
    let mut people =
        vec![Person::come(supervisor, "ann"), Person::come(supervisor, "bob"), Person::come(supervisor, "eve")];
    people[2].send("/join tea");
    people[2].sync();
    for number in 0..20 {
        people[0].send(&format!("line {number} of ann"));
        people[1].send(&format!("/msg eve line {number} of bob"));
    }
    people[1].write(b"half a li");
    for person in &mut people[..1] {
        person.sync();
    }
    people[2].sync();
    people
}

/// A part of the tape that is not a hole: its offset and its content.
type Stretch = (u64, Vec<u8>);

/// All parts of the tape that are not holes; most of the tape is a hole.
fn contents(file: &File) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut at = 0;
    while let Ok(from) = seek(file, SeekFrom::Data(at)) {
        let to = seek(file, SeekFrom::Hole(from)).unwrap();
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        file.read_exact_at(&mut bytes, from).unwrap();
        stretches.push((from, bytes));
        at = to;
    }
    stretches
}

/// Random offsets on the tape: of bytes that are not 0, or a few bytes after one.
fn places(file: &File, dice: &mut Dice, count: usize) -> Vec<u64> {
    let stretches = contents(file);
    let written: Vec<u64> = stretches
        .iter()
        .flat_map(|(from, bytes)| (*from..).zip(bytes).filter(|(_, byte)| **byte != 0).map(|(at, _)| at))
        .collect();
    (0..count).map(|_| dice.of(&written) + dice.of(&[0, 0, 0, 1, 4, 8])).collect()
}

fn change(file: &File, at: u64, to: impl FnOnce(u8) -> u8) {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[to(byte[0])], at).unwrap();
}

/// A file of this length, sealed or not, with as much of the tape's content as fits.
fn copy(tape: &File, length: u64, sealed: bool) -> OwnedFd {
    let file = memfd_create("tape", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&file, length).unwrap();
    if sealed {
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).unwrap();
    }
    let file = File::from(file);
    for (from, bytes) in contents(tape) {
        let room = usize::try_from(length.saturating_sub(from)).unwrap().min(bytes.len());
        file.write_all_at(&bytes[..room], from).unwrap();
    }
    file.into()
}

/// Whether the clients were carried on (`true`) or got a goodbye (`false`). Anything else fails the
/// test.
fn outcome(supervisor: &Supervisor, people: &mut [Person], what: &str) -> bool {
    let mut carried = Vec::new();
    for person in people.iter_mut() {
        person.try_send("\n/whois nobody-at-all\n");
        let mut said_goodbye = false;
        let mut is_carried = false;
        while let Some(line) = person.line_or_reset() {
            if line == "-- nobody called nobody-at-all is connected" {
                is_carried = true;
                break;
            }
            assert!(!said_goodbye, "{what}: {line:?} behind the goodbye");
            said_goodbye = line.starts_with("-- ");
        }
        assert!(is_carried || said_goodbye, "{what}: an end without a word");
        carried.push(is_carried);
    }
    assert!(
        carried.iter().all(|one| *one == carried[0]),
        "{what}: some were carried on and some were not: {carried:?}"
    );
    // In either case the daemon serves new clients.
    Person::come(supervisor, "new").leave();
    carried[0]
}

/// Damages the tape of a stopped daemon, starts the next one, and returns the [`outcome`]. `damage`
/// may return another tape to put in its place.
fn damaged(seed: u64, what: &str, damage: impl FnOnce(&File, &Supervisor) -> Option<OwnedFd>) -> bool {
    let supervisor = Plan::new(&settings(), seed).env("CHATHUB_TAPE", "10000").start();
    let mut people = company(&supervisor);
    supervisor.hold();
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended(1);
    let tape = File::from(supervisor.stored("tape").expect("a tape in the store"));
    supervisor.note(what);
    if let Some(other) = damage(&tape, &supervisor) {
        supervisor.exchange("tape", Some(other));
    }
    drop(tape);
    supervisor.release();
    supervisor.ready_after(1);
    let spawns = supervisor.spawns();
    assert!(spawns <= 4, "{what}: it took {} starts", spawns - 1);
    let carried = outcome(&supervisor, &mut people, what);
    // From then on its own tape is sound.
    let mut zoe = Person::come(&supervisor, "zoe");
    assert_eq!(supervisor.spawns(), spawns, "{what}: it died later on");
    supervisor.replace(Signal::SIGKILL);
    zoe.sync();
    carried
}

#[test]
fn a_copy_is_as_good_as_the_tape_itself() {
    assert!(damaged(1, "nothing", |_, _| None));
    assert!(damaged(2, "a copy", |tape, _| Some(copy(tape, tape.metadata().unwrap().len(), true))));
}

#[test]
fn a_flipped_bit_of_the_tape_costs_a_goodbye_at_most() {
    let (turns, mut dice) = (deaths(24) as u64, Dice(3));
    let mut refused = 0;
    for turn in 0..turns {
        let mut roll = dice.fork();
        let carried = damaged(turn, &format!("turn {turn}"), |tape, supervisor| {
            // Many of the bits are in the first words of the tape, the others anywhere in its
            // content.
            let at = if turn < turns / 3 { roll.below(512) as u64 } else { places(tape, &mut roll, 1)[0] };
            let bit = roll.below(8);
            change(tape, at, |byte| byte ^ (1 << bit));
            supervisor.note(&format!("bit {bit} of byte {at}"));
            None
        });
        refused += u64::from(!carried);
    }
    assert!(refused > turns / 6, "only {refused} were noticed");
}

#[test]
fn changed_words_of_the_tape_cost_a_goodbye_at_most() {
    let mut dice = Dice(5);
    // Numbers at which additions, multiplications or allocations may fail.
    let numbers =
        [0, 1, 2, 63, 1 << 16, 1 << 31, 1 << 32, (1 << 34) - 1, 1 << 34, 1 << 62, 1 << 63, u64::MAX - 7, u64::MAX];
    for turn in 0..48 {
        let number = dice.of(&numbers);
        damaged(turn, &format!("word {turn} is {number}"), |tape, _| {
            tape.write_all_at(&number.to_le_bytes(), turn * 8).unwrap();
            None
        });
    }
}

#[test]
fn a_garbled_stretch_of_the_tape_costs_a_goodbye_at_most() {
    let mut dice = Dice(4);
    for turn in 0..deaths(12) as u64 {
        let mut roll = dice.fork();
        damaged(turn, &format!("turn {turn}"), |tape, supervisor| {
            let from = places(tape, &mut roll, 1)[0];
            let length = roll.between(2, 4096);
            let fill = roll.of(&[None, Some(0_u8), Some(0xff)]);
            for at in from..from + length as u64 {
                let other = roll.roll().to_le_bytes()[0];
                change(tape, at, |_| fill.unwrap_or(other));
            }
            supervisor.note(&format!("{length} bytes from {from} on become {fill:?}"));
            None
        });
    }
}

#[test]
fn a_tape_cut_short_or_made_long_costs_a_goodbye() {
    for (turn, length) in [0, 1, 7, 8, 16, 64, 100, 4096, 65_536, 65_537, 1 << 20, 1 << 30].into_iter().enumerate() {
        for sealed in [false, true] {
            let what = format!("{length} bytes of it, sealed: {sealed}");
            assert!(!damaged(turn as u64, &what, |tape, _| Some(copy(tape, length, sealed))));
        }
    }
    damaged(1, "not sealed", |tape, _| Some(copy(tape, tape.metadata().unwrap().len(), false)));
    damaged(2, "longer", |tape, _| Some(copy(tape, 2 * tape.metadata().unwrap().len(), true)));
}

/// A newer or older version: its number is in one of the first words of the tape.
#[test]
fn a_tape_of_an_unknown_version_is_refused_with_a_goodbye() {
    for at in [0, 8] {
        for change_to in [0, 2, 255] {
            let what = format!("byte {at} is {change_to}");
            assert!(!damaged(1, &what, |tape, _| {
                change(tape, at, |_| change_to);
                None
            }));
        }
    }
}

/// Another file is stored in place of the tape.
#[test]
fn a_file_that_is_no_tape_is_refused_with_a_goodbye() {
    for turn in 0..3 {
        let supervisor = Plan::new(&settings(), turn).start();
        let mut people = company(&supervisor);
        supervisor.hold();
        supervisor.signal(Signal::SIGKILL);
        supervisor.ended(1);
        let other: OwnedFd = match turn {
            0 => File::open("/dev/null").unwrap().into(),
            1 => std::os::unix::net::UnixDatagram::unbound().unwrap().into(),
            _ => File::open("/").unwrap().into(),
        };
        supervisor.exchange("tape", Some(other));
        supervisor.release();
        supervisor.ready_after(1);
        outcome(&supervisor, &mut people, "no tape");
        supervisor.replace(Signal::SIGKILL);
    }
}

#[test]
fn a_daemon_whose_store_lost_a_descriptor_serves_again() {
    for name in STORED {
        let supervisor = Plan::new(&settings(), 1).start();
        let mut people = company(&supervisor);
        supervisor.hold();
        supervisor.signal(Signal::SIGKILL);
        supervisor.ended(1);
        supervisor.exchange(name, None);
        supervisor.note(&format!("without {name}"));
        supervisor.release();
        supervisor.ready_after(1);
        for person in &mut people {
            // A client whose socket is lost with the tape sees the end of its stream; the others
            // get the goodbye.
            person.try_send("\n/whois nobody-at-all\n");
            while person.line_or_reset().is_some_and(|line| line != "-- nobody called nobody-at-all is connected") {}
        }
        Person::come(&supervisor, "new").leave();
        supervisor.replace(Signal::SIGKILL);
        assert_eq!(supervisor.spawns(), 3, "without {name} it died on its own");
        assert_eq!(supervisor.store().len(), STORED.len(), "without {name}: {:?}", supervisor.store());
    }
}

/// A store that takes nothing, as with `FileDescriptorStoreMax=0`: the daemon serves as it did
/// before survival existed.
#[test]
fn a_daemon_whose_store_takes_nothing_serves() {
    let supervisor = Plan::new(&settings(), 1).store(0).start();
    let mut ann = Person::come(&supervisor, "ann");
    ann.sync();
    supervisor.signal(Signal::SIGKILL);
    supervisor.ready_after(1);
    Person::come(&supervisor, "bob").sync();
}

#[test]
fn a_daemon_whose_store_is_too_small_serves() {
    for most in 1..STORED.len() {
        let supervisor = Plan::new(&settings(), 1).store(most).start();
        Person::come(&supervisor, "ann").sync();
        supervisor.replace(Signal::SIGKILL);
        Person::come(&supervisor, "bob").sync();
        supervisor.replace(Signal::SIGKILL);
        Person::come(&supervisor, "eve").sync();
        assert_eq!(supervisor.spawns(), 3);
    }
}

/// A tape that is older than the output of some clients: they are disconnected, because it is not
/// known what they are owed, rather than sent text from the middle of a line. The others are
/// carried on.
#[test]
fn only_a_client_that_took_more_than_the_tape_knows_of_is_disconnected() {
    let supervisor = Plan::new(&settings(), 1).start();
    let mut people = company(&supervisor);
    // Bob has typed half a line.
    [0, 2].iter().for_each(|at| drop(people[*at].sync()));
    let tape = File::from(supervisor.stored("tape").unwrap());
    let early = copy(&tape, tape.metadata().unwrap().len(), true);
    // Ann is sent lines that the copy of the tape does not know.
    for number in 0..5 {
        people[1].send(&format!("unknown {number}"));
        people[0].until("a line", |line| line.ends_with(&format!("unknown {number}")));
    }
    supervisor.hold();
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended(1);
    supervisor.exchange("tape", Some(early));
    supervisor.release();
    supervisor.ready_after(1);
    people[2].quiet();
    let mut rest = Vec::new();
    while let Some(line) = people[0].line_or_reset() {
        rest.push(line);
    }
    assert!(rest.iter().all(|line| line.starts_with("-- ")), "she was told nothing but that it is over: {rest:#?}");
}
