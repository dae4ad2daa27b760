//! Clients that see times in a named time zone: when the clocks of the zone change, so do their
//! times.
//!
//! A view has an offset from UTC and knows of no zone, so zones add no renderings. Few clients have
//! named a zone, so zones are kept here and not in each session.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::message::{Done, Offset, View};
use super::{AT_A_TIME, Effect, Turn};
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now};
use crate::values::zone::Zone;

/// The longest time between two looks at a zone: the wall clock may have jumped.
const AT_LEAST: Duration = Duration::from_secs(3600);

/// The zone that each client has named, and the moment of the next look at it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<(SessionId, String, Mono)>")]
pub(super) struct Zones {
    of: BTreeMap<SessionId, (Zone, Mono)>,
    due: BTreeSet<(Mono, SessionId)>,
}

impl From<Vec<(SessionId, String, Mono)>> for Zones {
    fn from(saved: Vec<(SessionId, String, Mono)>) -> Self {
        let mut this = Self::default();
        for (id, name, due) in saved {
            // A release with other zones may not know this one: then the client keeps its offset.
            if let Some(zone) = Zone::find(&name) {
                this.put(id, zone, due);
            }
        }
        this
    }
}

impl Serialize for Zones {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.of.iter().map(|(id, (zone, due))| (id, zone, due)))
    }
}

impl Zones {
    /// The zone that this client has named.
    pub(super) fn of(&self, id: SessionId) -> Option<Zone> {
        self.of.get(&id).map(|(zone, _)| *zone)
    }

    /// The moment at which the next zone is looked at.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    fn put(&mut self, id: SessionId, zone: Zone, due: Mono) {
        self.forget(id);
        self.of.insert(id, (zone, due));
        self.due.insert((due, id));
    }

    /// Notes that the client has no zone any more: it has chosen an offset or no times, or it is
    /// gone.
    pub(super) fn forget(&mut self, id: SessionId) {
        if let Some((_, due)) = self.of.remove(&id) {
            self.due.remove(&(due, id));
        }
    }

    /// A copy of all zones without the index, for a snapshot.
    pub(super) fn frozen(&self) -> Self {
        Self { of: self.of.clone(), due: BTreeSet::new() }
    }

    /// Forgets all zones, because everybody is gone.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets the clients for which `is_here` returns false.
    pub(super) fn keep(&mut self, is_here: impl Fn(SessionId) -> bool) {
        let gone: Vec<SessionId> = self.of.keys().copied().filter(|id| !is_here(*id)).collect();
        gone.into_iter().for_each(|id| self.forget(id));
    }

    /// Panics if the deadlines are not those of the zones.
    pub(super) fn check_invariants(&self) {
        let due: BTreeSet<_> = self.of.iter().map(|(id, (_, due))| (*due, *id)).collect();
        assert_eq!(due, self.due, "each zone has its deadline");
    }
}

/// The present offset of a zone, and the moment of the next look: at its next change, or after
/// `AT_LEAST`.
fn look(zone: Zone, now: Now) -> (Offset, Mono) {
    let (minutes, change) = zone.at(now.wall);
    let left = change.map_or(AT_LEAST, |change| {
        Duration::from_millis(u64::try_from(change.0.saturating_sub(now.wall.0)).unwrap_or(0))
    });
    (Offset::of_minutes(minutes), now.mono.after(left.clamp(Duration::from_millis(1), AT_LEAST)))
}

impl Turn<'_> {
    /// From now on, shows `id` times in that zone. Returns the present offset.
    pub(super) fn see_times_in(&mut self, id: SessionId, zone: Zone) -> Offset {
        let (offset, due) = look(zone, self.now);
        self.hub.zones.put(id, zone, due);
        offset
    }

    /// Changes the times of clients in whose zone the clocks have changed. Clients beyond
    /// `AT_A_TIME` stay due for the next tick.
    pub(super) fn change_clocks(&mut self) {
        for _ in 0..AT_A_TIME {
            let Some((_, id)) = self.hub.zones.due.first().copied().filter(|(at, _)| *at <= self.now.mono) else {
                return;
            };
            let Some(zone) = self.hub.zones.of(id) else { return };
            let (offset, due) = look(zone, self.now);
            self.hub.zones.put(id, zone, due);
            let Some(session) = self.hub.people.sessions.get_mut(&id) else { continue };
            if session.view.time.is_some_and(|shown| shown != offset) {
                let view = View { time: Some(offset), ..session.view };
                session.view = view;
                self.effects.push(Effect::View { session: id, view });
                self.done(id, Done::ClocksChanged { zone: zone.name(), offset });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hub, Input};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::Wall;

    /// 2027-03-28 01:00 UTC, when the clocks of Europe go forward.
    const CHANGE: i64 = 1_806_195_600_000;

    fn at(mono: Duration, wall: i64) -> Now {
        Now { mono: Mono(0).after(mono), wall: Wall(wall) }
    }

    fn text(hub: &mut Hub, session: SessionId, text: &str, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        hub.handle(Input::Line { session, text: text.to_owned() }, now, &mut effects);
        effects
    }

    /// A hub with `number` people who see times in Berlin, one second before its clocks change.
    fn berliners(number: u64) -> Hub {
        let (mut settings, mut effects) = (Settings::default(), Vec::new());
        settings.limits.clients_per_address = 1000;
        let now = at(Duration::ZERO, CHANGE - 1000);
        let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
        for id in 1..=number {
            let peer = ([192, 0, 2, 1], u16::try_from(id).expect("few")).into();
            hub.handle(
                Input::Connect { session: SessionId(id), peer, encrypted: false, certificate: None },
                now,
                &mut effects,
            );
            text(&mut hub, SessionId(id), "/time Europe/Berlin", now);
        }
        hub
    }

    fn tick(hub: &mut Hub, now: Now) -> Vec<SessionId> {
        let mut effects = Vec::new();
        hub.handle(Input::Tick, now, &mut effects);
        hub.check_invariants();
        let changed = |effect| match effect {
            Effect::View { session, view } => Some((session, view.time)),
            _ => None,
        };
        let changed: Vec<_> = effects.into_iter().filter_map(changed).collect();
        assert!(changed.iter().all(|(_, time)| *time == Some(Offset::of_minutes(120))), "{changed:?}");
        changed.into_iter().map(|(session, _)| session).collect()
    }

    #[test]
    fn the_clocks_of_many_change_in_steps_and_at_once() {
        let mut hub = berliners(100);
        assert_eq!(hub.zones.next_deadline(), Some(Mono(0).after(Duration::from_secs(1))));
        assert!(tick(&mut hub, at(Duration::from_millis(999), CHANGE - 1)).is_empty(), "not before");
        let now = at(Duration::from_secs(1), CHANGE);
        assert_eq!(tick(&mut hub, now).len(), AT_A_TIME);
        assert!(hub.next_deadline().is_some_and(|due| due <= now.mono), "the others wait for the next tick");
        assert_eq!(tick(&mut hub, now).len(), 100 - AT_A_TIME);
        assert!(tick(&mut hub, at(Duration::from_secs(2), CHANGE + 1000)).is_empty(), "once");
    }

    #[test]
    fn a_clock_that_jumps_is_noticed_within_an_hour() {
        let mut hub = berliners(1);
        // The wall clock was wrong by a month.
        let now = at(Duration::from_secs(1), CHANGE - 30 * 86_400_000);
        assert!(tick(&mut hub, now).is_empty());
        assert!(tick(&mut hub, at(Duration::from_secs(3600), CHANGE)).is_empty());
        assert_eq!(tick(&mut hub, at(Duration::from_secs(3602), CHANGE + 2000)).len(), 1);
    }

    #[test]
    fn who_leaves_or_sees_no_zone_any_more_leaves_nothing() {
        let mut hub = berliners(3);
        let now = at(Duration::ZERO, CHANGE - 1000);
        text(&mut hub, SessionId(1), "/time off", now);
        text(&mut hub, SessionId(2), "/time +02:00", now);
        text(&mut hub, SessionId(3), "/quit", now);
        assert!(hub.zones.is_empty() && hub.zones.next_deadline().is_none());
        hub.check_invariants();
    }

    #[test]
    fn a_zone_that_this_release_does_not_know_is_let_go() {
        let saved = r#"[[1,"Europe/Berlin",5],[2,"Europe/Utopia",6],[1,"Asia/Kolkata",7]]"#;
        let zones: Zones = serde_json::from_str(saved).expect("it is read");
        zones.check_invariants();
        assert_eq!(serde_json::to_string(&zones).expect("plain"), r#"[[1,"Asia/Kolkata",7]]"#);
        assert_eq!(zones.next_deadline(), Some(Mono(7)));
    }
}
