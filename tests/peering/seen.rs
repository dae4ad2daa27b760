//! What a listener has seen in one room, and whether it is what it should be.

use std::collections::BTreeMap;
use std::time::Duration;

/// A line that was said: at which hub, in which of its lives, and the how manieth in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub hub: usize,
    pub life: usize,
    pub n: u64,
}

/// What one line on a screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Said(Id),
    /// So many lines of a hub did not get here.
    Missing {
        hub: usize,
        lines: u64,
    },
}

/// Reads a line on a screen; `None` if it is something else.
pub fn read(line: &str, hubs: &[&str]) -> Option<Sight> {
    let place = |name: &str| hubs.iter().position(|hub| *hub == name);
    if let Some(rest) = line.strip_prefix("-- notice: ") {
        let (lines, rest) = rest.split_once(" line")?;
        let hub = rest.trim_start_matches('s').strip_prefix(" from hub ")?.strip_suffix(" did not get here")?;
        return Some(Sight::Missing { hub: place(hub)?, lines: lines.parse().ok()? });
    }
    let (nick, text) = line.split_once(": ")?;
    let [hub, life, _room, n] = text.split(' ').collect::<Vec<_>>()[..] else { return None };
    let hub = place(hub)?;
    let at = nick.split_once('@').map(|(_, at)| at);
    assert!(at.is_none_or(|at| place(at) == Some(hub)), "a line of another hub bears that hub's name: {line}");
    Some(Sight::Said(Id { hub, life: life.parse().ok()?, n: n.parse().ok()? }))
}

/// All that one listener has seen since their hub's state began, and when.
#[derive(Debug, Default)]
pub struct View {
    pub hub: usize,
    pub life: usize,
    pub room: usize,
    pub sights: Vec<(Sight, Duration)>,
}

/// The last line of each hub and life.
pub type Last = BTreeMap<(usize, usize), u64>;

impl View {
    fn said(&self) -> impl Iterator<Item = (Id, Duration)> {
        self.sights.iter().filter_map(|(sight, at)| match sight {
            Sight::Said(id) => Some((*id, *at)),
            Sight::Missing { .. } => None,
        })
    }

    pub fn last(&self) -> Last {
        self.said().map(|(id, _)| ((id.hub, id.life), id.n)).collect()
    }

    /// How many lines of a hub they were told are missing.
    pub fn told(&self, hub: usize) -> u64 {
        let of = |sight: &Sight| match sight {
            Sight::Missing { hub: other, lines } if *other == hub => *lines,
            _ => 0,
        };
        self.sights.iter().map(|(sight, _)| of(sight)).sum()
    }

    /// The lines of a hub's life that they have seen.
    pub fn of(&self, hub: usize, life: usize) -> Vec<u64> {
        self.said().map(|(id, _)| id).filter(|id| (id.hub, id.life) == (hub, life)).map(|id| id.n).collect()
    }

    /// Each line of a hub's life was seen once, and in the order in which it was said.
    pub fn is_in_order(&self) -> Result<(), String> {
        let mut last = Last::new();
        for (id, _) in self.said() {
            let before = last.insert((id.hub, id.life), id.n);
            if before >= Some(id.n) {
                return Err(format!("{id:?} is seen behind {before:?}"));
            }
        }
        Ok(())
    }

    /// No line was seen before those that its author's hub had shown when it was said (`after`), unless it has waited
    /// for them long enough since it was given to the hub (`given`). What comes behind such a line in its lane does not
    /// wait for the same once more. A hub that has lost its state begins in the middle of lanes: what an entry before
    /// that has come after, it was not told.
    pub fn is_causal(
        &self,
        after: impl Fn(Id) -> Last,
        given: impl Fn(Id) -> Option<Duration>,
        patience: Duration,
    ) -> Result<(), String> {
        let places: BTreeMap<Id, usize> = self.said().enumerate().map(|(place, (id, _))| (id, place)).collect();
        // By lane: up to which line of each other one nobody waits any more.
        let mut given_up: BTreeMap<(usize, usize), Last> = BTreeMap::new();
        for (place, (id, at)) in self.said().enumerate() {
            let given_up = given_up
                .entry((id.hub, id.life))
                .or_insert_with(|| if self.life > 0 { after(id) } else { Last::new() });
            for ((hub, life), n) in after(id) {
                let earlier = Id { hub, life, n };
                if places.get(&earlier).is_none_or(|other| *other < place) || given_up.get(&(hub, life)) >= Some(&n) {
                    continue;
                }
                if given(id).is_none_or(|given| at.saturating_sub(given) < patience) {
                    return Err(format!("{id:?} is seen before {earlier:?}"));
                }
                given_up.insert((hub, life), n);
            }
        }
        Ok(())
    }
}
