//! The machine in a snapshot: how it is written, read and checked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Machine, Restarts, Speaker};
use crate::hub::{self, Hub};
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::rising::Rising;
use crate::wire::tls::open::Opener;

/// The form in which a machine is read from a snapshot, before it is checked.
#[derive(Deserialize)]
pub(super) struct Saved {
    hub: Hub,
    speakers: Vec<(SessionId, Speaker)>,
    next_id: u64,
    #[serde(default)]
    restarts: Restarts,
}

impl Serialize for Machine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        saving(&self.hub, &self.speakers, self.next_id, self.restarts).serialize(serializer)
    }
}

/// The form in which a machine is written to a snapshot.
#[derive(Serialize)]
struct Saving<'a, H> {
    hub: &'a H,
    speakers: Vec<(SessionId, &'a Speaker)>,
    next_id: u64,
    restarts: Restarts,
}

fn saving<'a, H>(
    hub: &'a H,
    speakers: &'a Rising<SessionId, CopyOnWrite<Speaker>>,
    next_id: u64,
    restarts: Restarts,
) -> Saving<'a, H> {
    let speakers = speakers.iter().map(|(id, speaker)| (id, &**speaker)).collect();
    Saving { hub, speakers, next_id, restarts }
}

/// The state of a machine at one moment, to be written to a snapshot.
#[derive(Debug)]
pub struct Frozen {
    hub: hub::Frozen,
    speakers: Rising<SessionId, CopyOnWrite<Speaker>>,
    next_id: u64,
    restarts: Restarts,
}

impl Serialize for Frozen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        saving(&self.hub, &self.speakers, self.next_id, self.restarts).serialize(serializer)
    }
}

impl Machine {
    /// The present state of the machine, to be written to a snapshot; later changes are not in it.
    /// This takes time in proportion to the number of clients and rooms, however much each of them
    /// holds: see [`CopyOnWrite`].
    #[must_use]
    pub fn frozen(&self) -> Frozen {
        Frozen {
            hub: self.hub.frozen(),
            speakers: self.speakers.clone(),
            next_id: self.next_id,
            restarts: self.restarts,
        }
    }
}

impl TryFrom<Saved> for Machine {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let mut machine = Self {
            hub: saved.hub,
            speakers: Rising::default(),
            due: BTreeSet::new(),
            next_id: saved.next_id,
            restarts: saved.restarts,
            effects: Vec::new(),
            replayed: None,
            page: Vec::new(),
            opened: Vec::new(),
        };
        for (id, speaker) in saved.speakers {
            if machine.hub.session(id).is_none() || id.0 >= machine.next_id {
                return Err(format!("{id} is listened to and not there"));
            }
            if let Some(due) = speaker.due {
                machine.due.insert((due, id));
            }
            if !speaker.link.is_sound() || !speaker.tls.as_ref().is_none_or(Opener::is_sound) {
                return Err(format!("what {id} has sent does not fit together"));
            }
            if machine.speakers.insert(id, CopyOnWrite::new(speaker)).is_some() {
                return Err(format!("{id} is listened to twice"));
            }
        }
        if machine.speakers.len() != machine.hub.session_count() {
            return Err("somebody is not listened to".to_owned());
        }
        Ok(machine)
    }
}
