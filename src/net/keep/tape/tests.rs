use super::cuts::CUT;
use super::*;
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now, Wall};

fn at(mono: u64) -> Now {
    Now { mono: Mono(mono), wall: Wall(7) }
}

fn reopened(tape: &Tape) -> Result<Option<(Tape, Cuts)>, Unusable> {
    Tape::open(tape.file().expect("it is kept").try_clone_to_owned().expect("a descriptor"))
}

fn contents(tape: &Tape) -> Vec<(Kind, u64, Vec<u8>)> {
    let records = tape.records().expect("sound");
    records
        .iter()
        .map(|record| (record.kind, record.now.mono.0, tape.content(record.content.clone()).to_vec()))
        .collect()
}

#[test]
fn committed_records_are_found_by_the_next_process() {
    let (mut tape, mut cuts) = Tape::new().expect("a memory file");
    assert!(reopened(&tape).expect("sound").is_none(), "there is nothing before the first snapshot");
    tape.snapshot(b"machine", b"owed", 5);
    tape.append(at(1), b"{}");
    let (_, range) = tape
        .receive(SessionId(9), at(2), |place| {
            place[..5].copy_from_slice(b"hello");
            Ok(5)
        })
        .expect("it reads");
    assert_eq!(tape.content(range), b"hello");
    assert!(tape.receive(SessionId(9), at(3), |_| Err(io::ErrorKind::WouldBlock.into())).is_err());
    let cut = Cut { order: 3, id: SessionId(9), sent: 100, to: 7 };
    assert!(cuts.append(cut));

    let (mut next, next_cuts) = reopened(&tape).expect("sound").expect("something to take over");
    assert_eq!(next.snapshots(), (&b"machine"[..], &b"owed"[..]));
    assert_eq!(next.epoch(), 5);
    assert_eq!(contents(&next), [(Kind::Input, 1, b"{}".to_vec()), (Kind::Bytes, 2, b"hello".to_vec())]);
    assert_eq!(next_cuts.all(), Ok(vec![cut]));
    assert_eq!(next.receiving(), None);

    next.snapshot(b"later", b"", 6);
    next.append(at(4), b"[]");
    let (last, last_cuts) = reopened(&next).expect("sound").expect("something to take over");
    assert_eq!(last.snapshots(), (&b"later"[..], &b""[..]));
    assert_eq!(contents(&last), [(Kind::Input, 4, b"[]".to_vec())]);
    assert_eq!(last_cuts.all(), Ok(vec![]));
    last.close();
    assert!(reopened(&last).expect("sound").is_none(), "after a goodbye there is nothing to take over");
}

#[test]
fn a_record_that_was_being_received_is_found_by_the_next_process() {
    let (mut tape, _cuts) = Tape::new().expect("a memory file");
    tape.snapshot(b"", b"", 0);
    let file = tape.file().expect("kept").try_clone_to_owned().expect("a descriptor");
    let _ = tape.receive(SessionId(4), at(1), |_| {
        // As if the process died here: another one opens the tape.
        let (next, _) = Tape::open(file).expect("sound").expect("something to take over");
        assert_eq!(next.receiving(), Some(SessionId(4)));
        assert!(next.is_empty());
        Ok(0)
    });
    assert_eq!(tape.receiving(), None);
}

#[test]
fn deaths_at_a_record_are_counted_and_the_record_can_be_voided() {
    let (mut tape, _cuts) = Tape::new().expect("a memory file");
    tape.snapshot(b"", b"", 0);
    tape.append(at(1), b"good");
    let (bad, _) = tape.append(at(2), b"bad");
    for deaths in 1..=3 {
        tape.handling(bad, Mono(1));
        if deaths > 1 {
            tape.note_crash();
        }
        assert_eq!(tape.autopsy(), Some(Suspect { at: bad, deaths, crashes: deaths - 1 }));
    }
    assert_eq!(tape.autopsy(), None, "one that did not die of it clears it");
    tape.handling(bad, Mono(1));
    assert_eq!(tape.autopsy(), Some(Suspect { at: bad, deaths: 1, crashes: 0 }));
    let record = tape.records().expect("sound").pop().expect("two records");
    tape.poison(&record);
    assert_eq!(contents(&tape)[1].0, Kind::Poison);
}

#[test]
fn damage_is_found_wherever_it_is() {
    let (mut tape, mut cuts) = Tape::new().expect("a memory file");
    tape.snapshot(&[b'm'; 100], &[b'o'; 50], 1);
    for count in 0..20 {
        tape.append(at(count), format!("input {count}").as_bytes());
    }
    cuts.append(Cut { order: 1, id: SessionId(1), sent: 1, to: 1 });
    let file = tape.file().expect("kept");
    let sound = |file: BorrowedFd<'_>| -> Result<(), Unusable> {
        let (tape, cuts) = Tape::open(file.try_clone_to_owned().expect("a descriptor"))?.ok_or(Unusable::NoTape)?;
        tape.records()?;
        cuts.all().map(drop)
    };
    assert_eq!(sound(file), Ok(()));
    let end = PAGE + INPUTS + 150 + tape.len();
    let places = (PAGE + INPUTS..end).step_by(3).chain(PAGE + 2 * INPUTS + CUTS..PAGE + 2 * INPUTS + CUTS + CUT as u64);
    for place in places {
        let place = i64::try_from(place).expect("a place");
        let mut byte = [0];
        nix::sys::uio::pread(file, &mut byte, place).expect("it reads");
        nix::sys::uio::pwrite(file, &[byte[0] ^ 0x10], place).expect("it writes");
        // Only the unused word of a record, and the padding between records, may be changed
        // unnoticed.
        let found = sound(file).is_err();
        nix::sys::uio::pwrite(file, &byte, place).expect("it writes");
        let padding = byte[0] == 0;
        assert!(found || padding, "damage at {place}");
    }
    assert_eq!(sound(file), Ok(()));
}

#[test]
fn lengths_that_no_tape_has_are_damage() {
    for (machine, owed, start) in [(u64::MAX - 2, 0, u64::MAX), (u64::MAX, 1, 0), (1, 1, u64::MAX), (INPUTS, 0, INPUTS)]
    {
        let (mut tape, _cuts) = Tape::new().expect("a memory file");
        tape.snapshot(b"m", b"o", 1);
        let kept = tape.kept.as_ref().expect("it is kept");
        for (word, value) in [(word::MACHINE, machine), (word::OWED, owed), (word::START, start), (word::END, start)] {
            kept.head.set(Head::of(kept.generation, word), value);
        }
        assert_eq!(reopened(&tape).err(), Some(Unusable::Damaged("lengths")), "{machine}, {owed}, {start}");
    }
}
