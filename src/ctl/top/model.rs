//! What is known of the hub: the last sample, the rates, since when the daemon does not answer, the
//! last message. Pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::columns::{Laid, List};
use super::looking::{Looking, Pane};
use super::panes::{self, CAUSES, CauseRow, ClientRow, RoomRow, SanctionRow};
use super::rates::{Rate, Rates};
use super::sample::Sample;
use crate::values::time::Wall;
use crate::wire::admin::result::{Client, Room, Sanction};

/// How long a message about an action or a failure is shown.
const TOLD: Duration = Duration::from_secs(15);

/// A message about an action or a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) wrong: bool,
    at: Instant,
}

/// Since when the daemon does not answer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) since: Wall,
    pub(super) why: String,
}

/// What is known of the hub.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The host and the socket of this hub.
    pub(super) place: String,
    pub(super) sample: Option<Sample>,
    pub(super) rates: Rates,
    pub(super) sanctions: Option<Vec<Sanction>>,
    /// When the daemon answered with them.
    pub(super) sanctions_at: Option<Instant>,
    lost: Option<Lost>,
    told: Option<Told>,
    /// This machine's clock when the frame is drawn.
    pub(super) now: Wall,
}

impl Model {
    pub(super) fn new(place: String) -> Self {
        Self { place, ..Self::default() }
    }

    /// Takes a sample, and the sanctions if they were asked for.
    pub(super) fn look(&mut self, sample: Sample, sanctions: Option<Vec<Sanction>>) {
        self.lost = None;
        self.rates.look(self.sample.as_ref(), &sample);
        if sanctions.is_some() {
            (self.sanctions, self.sanctions_at) = (sanctions, Some(sample.at));
        }
        self.sample = Some(sample);
    }

    /// Notes that the daemon does not answer. If it did not before, the earlier time stays.
    pub(super) fn lose(&mut self, since: Wall, why: String) {
        let since = self.lost.as_ref().map_or(since, |lost| lost.since);
        self.lost = Some(Lost { since, why });
    }

    pub(super) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// Sets the message, in place of the one before.
    pub(super) fn tell(&mut self, text: String, wrong: bool, at: Instant) {
        self.told = Some(Told { text, wrong, at });
    }

    /// The last message, unless it is too old to be shown.
    pub(super) fn told(&self, now: Instant) -> Option<&Told> {
        self.told.as_ref().filter(|told| now.saturating_duration_since(told.at) < TOLD)
    }

    pub(super) fn clients(&self) -> &[Client] {
        self.sample.as_ref().map_or(&[], |sample| &sample.clients)
    }

    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients().iter().find(|client| client.id == id)
    }

    pub(super) fn sanction(&self, id: &str) -> Option<&Sanction> {
        self.sanctions.iter().flatten().find(|sanction| sanction.id == id)
    }

    /// The number of rows of a list; `None` if it is not known yet.
    pub(super) fn count(&self, pane: Pane) -> Option<u64> {
        let sample = self.sample.as_ref()?;
        match pane {
            Pane::Clients => Some(sample.status.clients),
            Pane::Rooms => sample.rooms.as_ref().map(|rooms| rooms.len() as u64),
            Pane::Causes => Some(CAUSES.iter().filter(|cause| sample.counter(cause.counter) > 0).count() as u64),
            Pane::Sanctions => self.sanctions.as_ref().map(|sanctions| sanctions.len() as u64),
        }
    }

    /// Lays out the shown list on a screen of these columns and rows.
    pub(super) fn lay(&self, looking: &mut Looking, size: (usize, usize)) -> Laid {
        let Some(sample) = &self.sample else { return Laid::default() };
        let (pane, filter) = (looking.pane, looking.filter.clone());
        let (listed, now) = (looking.list(), sample.now());
        match pane {
            Pane::Clients => {
                let rate = |client: &Client| self.rates.client(&client.id);
                let rows = sample.clients.iter().map(|client| ClientRow { client, rate: rate(client), now });
                let (columns, key) = (&panes::clients(), |row: &ClientRow<'_>| row.client.id.clone());
                List { columns, rows: rows.collect(), key, matches: panes::client_matches }.lay(listed, &filter, size)
            }
            Pane::Rooms => {
                let mut of: HashMap<&str, (Rate, u64)> = HashMap::new();
                for client in &sample.clients {
                    let (rate, behind) = of.entry(&client.room).or_default();
                    let one = self.rates.client(&client.id);
                    *rate = Rate { lines: rate.lines + one.lines, bytes: rate.bytes + one.bytes };
                    *behind = behind.saturating_add(client.behind_bytes);
                }
                let of = |room: &Room| of.get(&*room.name).copied().unwrap_or_default();
                let with = |(room, (rate, behind))| RoomRow { room, rate, behind, now };
                let rows = sample.rooms.iter().flatten().map(|room| with((room, of(room)))).collect();
                let (columns, key) = (&panes::rooms(), |row: &RoomRow<'_>| row.room.name.clone());
                List { columns, rows, key, matches: panes::room_matches }.lay(listed, &filter, size)
            }
            Pane::Causes => {
                let row = |cause: &'static panes::Cause| {
                    let (count, rate) = (sample.counter(cause.counter), self.rates.counter(cause.counter));
                    CauseRow { cause, count, rate }
                };
                let (columns, key) = (&panes::causes(), |row: &CauseRow| row.cause.counter.to_owned());
                let rows = CAUSES.iter().map(row).collect();
                List { columns, rows, key, matches: panes::cause_matches }.lay(listed, &filter, size)
            }
            Pane::Sanctions => {
                let rows = self.sanctions.iter().flatten().map(|sanction| SanctionRow { sanction, now }).collect();
                let (columns, key) = (&panes::sanctions(), |row: &SanctionRow<'_>| row.sanction.id.clone());
                List { columns, rows, key, matches: panes::sanction_matches }.lay(listed, &filter, size)
            }
        }
    }
}
