//! The start of a process: it takes over what a former process has left with the service manager,
//! or begins afresh. From then on everything is kept for the next process, if the service manager
//! keeps descriptors.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex};

use serde::Deserialize as _;
use tracing::{error, info, warn};

use super::fault;
use super::program::{self, epoch};
use super::queue::{Keeping, Queue};
use super::recovery::{self, Restored};
use super::tape::{self, Cuts, Tape};
use crate::hub::{self, archive::Recalled};
use crate::logging::{self, ids};
use crate::machine::{Machine, Outcome};
use crate::net::clock::now;
use crate::net::rounds::{Exchanges, Rounds};
use crate::settings::Settings;
use crate::store::Store;
use crate::systemd;
use crate::values::plain::Plain;

/// The settings of a former process, as the tape has them; `None` if there are no clients to take
/// over. They are used if the settings files cannot be read: while clients are connected, a mistake
/// in a file must not end the daemon.
pub fn left_settings(stored: &HashMap<&'static str, OwnedFd>) -> Option<Settings> {
    let tape = stored.get("tape").filter(|_| systemd::keeps_descriptors())?.try_clone().ok()?;
    let (tape, _) = Tape::open(tape).ok()??;
    let machine: Machine = serde_json::from_slice(tape.snapshots().0).ok()?;
    let (mut is_there, mut settings) = (machine.hub().session_count() > 0, machine.hub().settings().clone());
    for record in tape.records().ok()?.into_iter().filter(|record| record.kind == tape::Kind::Input) {
        let input = serde_json::from_slice(tape.content(record.content)).ok()?;
        // A client that connected and has left since counts too: that only keeps a daemon running.
        is_there |= is_connect(&input);
        if let Some(others) = settings_in(&input) {
            settings = others.ok()?;
        }
    }
    is_there.then_some(settings)
}

/// The message to the clients of a former process if the daemon cannot start.
const CANNOT_START: &str = "cannot start: please try again later";

/// Tells the clients of a former process that the hub cannot start, and closes their connections.
/// Used if a repeated start would fail as well: the service manager would close the connections
/// without a word.
pub fn let_go(stored: &HashMap<&'static str, OwnedFd>) {
    let end = |name| stored.get(name).and_then(|end: &OwnedFd| end.try_clone().ok());
    if let [_, Some(one), Some(two), Some(three), Some(four), _] = systemd::STORED.map(end) {
        let slots = end("tape").and_then(|tape| Tape::slots_of(&tape)).unwrap_or_default();
        recovery::say_goodbye(&Queue::of([one, two, three, four]), &slots, CANNOT_START);
    }
}

/// Whether an input tells of a connection. Any release may have written it.
fn is_connect(input: &serde_json::Value) -> bool {
    input.get("Connect").is_some()
}

/// The settings in an input; `None` if it holds none. Any release may have written it: before 0.2,
/// settings did not stand within [`crate::machine::Input::Hub`].
fn settings_in(input: &serde_json::Value) -> Option<serde_json::Result<Settings>> {
    let settings = input.get("Hub").unwrap_or(input).get("Settings")?;
    Some(Settings::deserialize(settings))
}

/// A state machine, new or taken over, and what the driver needs to run it.
pub struct FoundHub {
    /// The state machine.
    pub machine: Machine,
    /// What followed from making the machine, for the driver to apply.
    pub outcomes: Vec<Outcome>,
    /// The connections and the input that a former process has left. `None` if the machine is new.
    pub restored: Option<Restored>,
    /// The rounds, with all that clients are owed.
    pub rounds: Rounds,
    /// The tape, which keeps inputs.
    pub tape: Tape,
    /// The queue, which keeps sockets.
    pub queue: Keeping,
    /// The store, which records history.
    pub store: Option<Store>,
    /// What the store has read. `None` if the machine knows it already.
    pub recalled: Option<Recalled>,
}

/// Takes over what a former process has left, or begins afresh. If the service manager keeps
/// descriptors, everything is kept for the next process from then on.
///
/// `stored` are the descriptors that the service manager has kept; `keeps` says whether it goes on
/// keeping them. `exchanges` connect the driver and the rounds. `store` opens the store.
///
/// # Errors
/// Any error of `store`.
pub fn restore_or_begin<E>(
    keeps: bool,
    mut stored: HashMap<&'static str, OwnedFd>,
    settings: &Settings,
    key: [u8; 16],
    exchanges: &Exchanges,
    store: impl FnOnce() -> Result<Option<(Store, Recalled)>, E>,
) -> Result<FoundHub, E> {
    let new_rounds = |cuts| Rounds::new(exchanges.clone(), settings.into(), cuts);
    let former_program = stored.remove(systemd::PROGRAM);
    let names: Vec<_> = stored.keys().copied().chain(former_program.is_some().then_some(systemd::PROGRAM)).collect();
    if keeps && !stored.is_empty() {
        match adopt(stored, new_rounds) {
            Ok(Some((machine, restored, (rounds, tape, queue)))) => {
                let clients = machine.hub().session_count();
                info!(
                    message_id = ids::TAKEN_OVER,
                    chathub_clients = clients,
                    "carrying on with the clients of the former process"
                );
                if let Err(error) = program::keep_instead_of(former_program) {
                    warn!(chathub_error = %Plain(&error), "the service manager does not keep this program{}", logging::InWords(Plain(&error)));
                }
                let restored = Some(restored);
                // The files are opened only now. Until here the former program may still have taken
                // the place of this one, and it would need the files in the form that it knows.
                let (store, recalled) = store()
                    // This start has failed for good: a release older than the one that wrote the
                    // files cannot read them. Without a goodbye, the service manager would close
                    // all connections without a word.
                    .inspect_err(|_| recovery::say_goodbye(&queue, &tape.slots().found(), CANNOT_START))?
                    .unzip();
                let queue = Some(Arc::new(Mutex::new(queue)));
                return Ok(FoundHub { machine, outcomes: Vec::new(), restored, rounds, tape, queue, store, recalled });
            }
            Ok(None) => {}
            Err(why) => {
                error!(message_id = ids::NOT_TAKEN_OVER, chathub_error = %why, "clients of the former process cannot be carried on, and are told so{}", logging::InWords(&why));
            }
        }
    }
    systemd::forget(names);
    let mut outcomes = Vec::new();
    let mut machine = Machine::new(settings.clone(), key, now(), &mut outcomes);
    // What the store has read goes into the first snapshot.
    let (store, recalled) = store()?.unzip();
    machine.handle(hub::News::Archive(recalled.map(Box::new)).into(), now(), &mut outcomes);
    let kept = keeps.then(|| keep(&machine, &outcomes, new_rounds)).transpose().unwrap_or_else(|error| {
        warn!(chathub_error = %Plain(&error), "clients will not outlive this process{}", logging::InWords(Plain(&error)));
        None
    });
    if let Some((rounds, tape, queue)) = kept {
        let queue = Some(Arc::new(Mutex::new(queue)));
        return Ok(FoundHub {
            machine,
            outcomes: Vec::new(),
            restored: None,
            rounds,
            tape,
            queue,
            store,
            recalled: None,
        });
    }
    let (tape, cuts) = Tape::unkept();
    let rounds = new_rounds(cuts);
    Ok(FoundHub { machine, outcomes, restored: None, rounds, tape, queue: None, store, recalled: None })
}

type Kept = (Rounds, Tape, Queue);

/// Begins to keep everything for the next process: makes the tape with a first snapshot, and the
/// queue of sockets, and gives their descriptors to the service manager.
fn keep(machine: &Machine, outcomes: &[Outcome], rounds: impl FnOnce(Cuts) -> Rounds) -> io::Result<Kept> {
    let (mut tape, cuts) = Tape::new()?;
    tape.tell_of_crashes();
    let queue = Queue::new()?;
    let mut rounds = rounds(cuts);
    let owed = rounds.begin(outcomes.to_vec());
    tape.snapshot(&serde_json::to_vec(machine).expect("plain values"), &owed, epoch());
    let [one, two, three, four] = queue.ends();
    let program = std::fs::File::open("/proc/self/exe")?;
    let descriptors = [tape.file().expect("it is kept"), one, two, three, four, program.as_fd()];
    let descriptors: Vec<_> = systemd::STORED.into_iter().zip(descriptors).collect();
    systemd::store(&descriptors)?;
    Ok((rounds, tape, queue))
}

/// Takes over from a former process. `None` if that process left no clients.
///
/// # Errors
/// Why it is impossible, in words. The clients that were found have been told goodbye.
fn adopt(
    mut stored: HashMap<&'static str, OwnedFd>,
    rounds: impl FnOnce(Cuts) -> Rounds,
) -> Result<Option<(Machine, Restored, Kept)>, String> {
    let [tape, Some(one), Some(two), Some(three), Some(four), _] = systemd::STORED.map(|name| stored.remove(name))
    else {
        return Err("the service manager has lost the queue of sockets".to_owned());
    };
    let mut queue = Queue::of([one, two, three, four]);
    let slots = tape.as_ref().and_then(Tape::slots_of).unwrap_or_default();
    let attempt = open(tape).and_then(|opened| {
        let Some((mut tape, cuts)) = opened else { return Ok(None) };
        tape.tell_of_crashes();
        let found = queue.found().map_err(|error| error.to_string())?;
        fault::point("recover.adopted");
        let made = cuts.all().map_err(|unusable| unusable.to_string())?;
        let mut rounds = rounds(cuts);
        let (machine, restored) = recovery::restore(&mut tape, made, &mut rounds, &mut queue, found, now())?;
        Ok(Some((machine, restored, rounds, tape)))
    });
    match attempt {
        Ok(Some((machine, restored, rounds, tape))) => Ok(Some((machine, restored, (rounds, tape, queue)))),
        // Without a goodbye, the clients in the queue of sockets would wait for ever.
        nobody => {
            recovery::say_goodbye(&queue, &slots, "had to start afresh: please connect again");
            nobody.map(|_| None)
        }
    }
}

fn open(tape: Option<OwnedFd>) -> Result<Option<(Tape, Cuts)>, String> {
    let tape = tape.ok_or("the service manager has lost the tape")?;
    Tape::open(tape).map_err(|unusable| unusable.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Input;
    use crate::values::id::SessionId;

    #[test]
    fn settings_are_found_among_inputs_of_this_release_and_of_former_ones() {
        let mut settings = Settings::default();
        settings.limits.clients = 7;
        let input = Input::from(hub::News::Settings(Box::new(settings.clone())));
        let input = serde_json::to_value(input).expect("plain values");
        assert_eq!(settings_in(&input).expect("settings").expect("they are read"), settings);
        let former = r#"{"Settings":{"limits.clients":"7","unknown.setting":"1"}}"#;
        let former = serde_json::from_str(former).expect("JSON");
        assert_eq!(settings_in(&former).expect("settings").expect("they are read"), settings);
        for other in [Input::Tick, Input::Restarted, hub::News::BegunAnew.into()] {
            let other = serde_json::to_value(other).expect("plain values");
            assert!(settings_in(&other).is_none() && !is_connect(&other), "{other}");
        }
        let connect = Input::Connect {
            id: SessionId(3),
            cookie: 3,
            peer: ([127, 0, 0, 1], 4000).into(),
            tls: None,
            proxied: None,
        };
        let connect = serde_json::to_value(connect).expect("plain values");
        assert_eq!(connect.to_string(), r#"{"Connect":{"cookie":3,"id":3,"peer":"127.0.0.1:4000"}}"#);
        assert!(is_connect(&connect));
    }
}
