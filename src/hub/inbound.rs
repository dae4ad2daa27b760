//! The limit on what others send to one client alone: private messages, reports, invitations.
//!
//! Messages to one client wait in its mailbox, and a full mailbox disconnects the client. So all
//! others together may send to one client no faster than `pace.private`; a sender beyond that is
//! refused, and told so. An eighth of the pace is kept for senders from origins that have sent
//! little recently, another eighth for people to whom the client has written: so a crowd cannot use
//! up everything. A client that reads nothing ([`News::Crowded`](super::News)) is sent nothing.

use serde::{Deserialize, Serialize};

use super::Hub;
use super::message::Refusal;
use super::session::Session;
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::rate;
use crate::values::time::Mono;

/// The most origins remembered for one client. A further origin replaces the one whose bytes will
/// have drained first.
const REMEMBERED: usize = 32;

/// The bytes of a message besides its text and the name before it.
const AROUND: usize = 16;

/// An origin has sent little while it stays below a sixteenth of the whole pace and burst.
const LITTLE: u64 = 16;

/// The most people remembered to whom a client has written; the latest ones are kept.
const WRITTEN_TO: usize = 8;

/// A rate limit: bytes a second in the long run (`rate`), and bytes at once (`burst`).
#[derive(Clone, Copy, Debug)]
struct Flow {
    rate: u64,
    burst: u64,
}

impl Flow {
    fn part(self, of: u64, parts: u64) -> Self {
        Self { rate: (self.rate * of / parts).max(1), burst: self.burst * of / parts }
    }

    fn time(self, bytes: u64) -> u64 {
        bytes.saturating_mul(1_000_000_000) / self.rate
    }

    /// Takes `bytes` more at `now`. `over` is the moment at which all former bytes will have
    /// drained at the rate; returns that moment afterwards, or `None` if the bytes come too soon.
    /// When all has drained, one message may exceed the burst, so that the longest line passes.
    fn take(self, over: u64, bytes: u64, now: u64) -> Option<u64> {
        let burst = if over <= now { u64::MAX } else { self.time(self.burst) };
        rate::take(over, now, self.time(bytes), burst).ok()
    }
}

/// What others have sent to one client recently. All times are in nanoseconds of [`Mono`]'s clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inbound {
    /// The moment at which the bytes in the common part, three quarters of the pace, will have
    /// drained.
    all: u64,
    /// The same moment for the eighth kept for origins that have sent little.
    kept: u64,
    /// The same moment for the eighth kept for people to whom the client has written.
    answers: u64,
    /// The clients to which this client has written, the latest at the end.
    written_to: Vec<SessionId>,
    /// For each origin, the moment at which its bytes will have drained at a sixteenth of the pace.
    from: Vec<(Origin, u64)>,
}

impl Inbound {
    /// The state after the client `from` has sent `bytes` more; `None` if that is too much.
    fn with(&self, from: SessionId, origin: Origin, bytes: u64, now: Mono, flow: Flow) -> Option<Self> {
        let now = now.0.saturating_mul(1000);
        let known = self.from.iter().find(|(known, _)| *known == origin).map_or(0, |(_, over)| *over);
        let little = flow.part(1, LITTLE);
        let mut next = self.clone();
        if let Some(all) = flow.part(3, 4).take(self.all, bytes, now) {
            next.all = all;
        } else if little.take(known, bytes, now).is_some()
            && let Some(kept) = flow.part(1, 8).take(self.kept, bytes, now)
        {
            next.kept = kept;
        } else if self.written_to.contains(&from) {
            next.answers = flow.part(1, 8).take(self.answers, bytes, now)?;
        } else {
            return None;
        }
        next.from.retain(|(known, over)| *known != origin && *over > now);
        if next.from.len() >= REMEMBERED
            && let Some(least) = next.from.iter().enumerate().min_by_key(|(_, (_, over))| *over).map(|(at, _)| at)
        {
            next.from.remove(least);
        }
        next.from.push((origin, rate::charge(known, now, little.time(bytes))));
        Some(next)
    }
}

/// Whether a message will reach the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrives {
    Yes,
    /// The message does not arrive, because its author is muted or ignored, and the author must not
    /// notice. It does not count against the pace, but is refused whenever it would have been.
    No,
}

impl Session {
    /// Whether `to` is among the people to whom this client has written last.
    pub(super) fn has_written_to(&self, to: SessionId) -> bool {
        self.inbound.as_ref().is_some_and(|inbound| inbound.written_to.contains(&to))
    }
}

impl Hub {
    /// Asks whether `from` may send `text` to `to` now. If it may, and the text arrives, it counts
    /// against the pace of `to`.
    ///
    /// # Errors
    /// The reason why not. The refusal is counted.
    pub(super) fn reach(
        &mut self,
        from: SessionId,
        to: SessionId,
        text: &str,
        arrives: Arrives,
        now: Mono,
    ) -> Result<(), Refusal> {
        let flow = Flow { rate: self.settings.pace.private as u64, burst: (self.settings.limits.mailbox / 4) as u64 };
        let (Some(sender), Some(other)) = (self.people.sessions.get(&from), self.people.sessions.get(&to)) else {
            return Ok(());
        };
        let nick = other.nick.shown().into();
        if other.crowded {
            self.counters.private_refused += 1;
            return Err(Refusal::NotReading(nick));
        }
        let bytes = (text.len() + sender.own_nick().shown().len() + AROUND) as u64;
        let origin = Origin::of(sender.peer.ip());
        let Some(next) = other.inbound.as_deref().unwrap_or(&Inbound::default()).with(from, origin, bytes, now, flow)
        else {
            self.counters.private_refused += 1;
            return Err(Refusal::SentALot(nick));
        };
        if arrives == Arrives::Yes
            && let Some(other) = self.people.sessions.get_mut(&to)
        {
            other.inbound = Some(Box::new(next));
        }
        Ok(())
    }

    /// Notes that `id` has written to `to`: an eighth of what `id` may be sent is kept for answers.
    pub(super) fn wrote_to(&mut self, id: SessionId, to: SessionId) {
        let Some(session) = self.people.sessions.get_mut(&id) else { return };
        let written_to = &mut session.inbound.get_or_insert_default().written_to;
        if written_to.last() != Some(&to) {
            written_to.retain(|other| *other != to);
            written_to.push(to);
            let over = written_to.len().saturating_sub(WRITTEN_TO);
            written_to.drain(..over);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::super::{Effect, Input, News};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::Now;
    use proptest::prelude::*;

    const FLOW: Flow = Flow { rate: 16 * 1024, burst: 64 * 1024 };

    fn origin(number: u8) -> Origin {
        Origin::of(core::net::IpAddr::from([192, 0, 2, number]))
    }

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000)
    }

    /// Sends messages of `bytes` bytes from that origin as long as it may; returns the sum of
    /// bytes.
    fn flood(inbound: &mut Inbound, from: Origin, bytes: u64, now: Mono) -> u64 {
        let mut sum = 0;
        while let Some(next) = inbound.with(SessionId(1), from, bytes, now, FLOW) {
            *inbound = next;
            sum += bytes;
        }
        sum
    }

    #[test]
    fn all_together_send_no_more_than_the_burst_and_the_pace() {
        let mut inbound = Inbound::default();
        let mut sum = 0;
        for second in 0..=60 {
            sum += (0..=255).map(|number| flood(&mut inbound, origin(number), 512, at(1 + second))).sum::<u64>();
        }
        assert!(sum <= FLOW.burst + 60 * FLOW.rate, "{sum}");
        // The crowd gets all but the eighth that is kept for people to whom the client has written.
        assert!(sum > (FLOW.burst + 60 * FLOW.rate) * 8 / 10, "{sum}");
    }

    #[test]
    fn a_crowd_keeps_nobody_else_from_being_heard() {
        let mut inbound = Inbound::default();
        for second in 1..=60 {
            flood(&mut inbound, origin(1), 512, at(second));
            assert_eq!(inbound.with(SessionId(1), origin(1), 512, at(second), FLOW), None);
            // Another person sends a message each second.
            let next = inbound.with(SessionId(2), origin(2), 200, at(second), FLOW);
            inbound = next.expect("it is heard");
        }
        // A hundred crowds do not keep out people to whom the client has written.
        inbound.written_to.push(SessionId(2));
        for second in 61..=120 {
            for number in 0..100 {
                flood(&mut inbound, origin(number), 512, at(second));
            }
            assert_eq!(inbound.with(SessionId(3), origin(200), 200, at(second), FLOW), None);
            inbound = inbound.with(SessionId(2), origin(1), 200, at(second), FLOW).expect("it is heard");
        }
    }

    #[test]
    fn one_sender_takes_a_small_share_of_what_is_kept() {
        let mut inbound = Inbound::default();
        flood(&mut inbound, origin(1), 512, at(60));
        assert!(flood(&mut inbound, origin(3), 512, at(60)) <= FLOW.burst / LITTLE);
    }

    #[test]
    fn the_longest_line_passes_where_nothing_came() {
        let flow = Flow { rate: 1024, burst: 100 };
        let inbound = Inbound::default().with(SessionId(1), origin(1), 5000, at(1), flow).expect("nothing came");
        assert_eq!(inbound.with(SessionId(1), origin(1), 1, at(2), flow), None);
        assert!(inbound.with(SessionId(1), origin(1), 5000, at(9), flow).is_some());
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_bounded_and_read_again(steps in prop::collection::vec((any::<u8>(), 1..2000_u64, 0..500_u64), 0..200)) {
            let (mut inbound, mut now) = (Inbound::default(), 1);
            for (from, bytes, pass) in steps {
                now += pass * 1000;
                if let Some(next) = inbound.with(SessionId(1), origin(from), bytes, Mono(now), FLOW) {
                    inbound = next;
                }
                prop_assert!(inbound.from.len() <= REMEMBERED);
                let kept = serde_json::to_string(&inbound).expect("plain");
                prop_assert_eq!(&serde_json::from_str::<Inbound>(&kept).expect("the same"), &inbound);
            }
        }
    }

    #[test]
    fn however_many_write_to_somebody_it_never_is_more_than_a_mailbox_holds() {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], Now::default(), &mut effects);
        let victim = SessionId(1);
        for id in 1..=300 {
            let [_, _, a, b] = u32::to_be_bytes(id);
            let (session, peer) = (SessionId(id.into()), ([10, 0, a, b], 1024).into());
            hub.handle(
                Input::Connect { session, peer, encrypted: false, certificate: None },
                Now::default(),
                &mut effects,
            );
        }
        let nick = hub.session(victim).expect("here").nick.shown().to_owned();
        let text = format!("/msg {nick} {}", "x".repeat(900));
        effects.clear();
        for _ in 0..3 {
            for id in 2..=300 {
                let line = Input::Line { session: SessionId(id), text: text.clone() };
                hub.handle(line, Now::default(), &mut effects);
            }
        }
        let told = |message: &Message| {
            effects.iter().filter(|effect| matches!(effect, Effect::Tell { message: one, .. } if std::mem::discriminant(one) == std::mem::discriminant(message))).count()
        };
        let text: std::sync::Arc<str> = "".into();
        let arrived = told(&Message::PrivateFrom { nick: text.clone(), text: text.clone(), ring: true });
        let refused = told(&Message::Refused(Refusal::SentALot(text)));
        assert_eq!(arrived + refused, 3 * 299, "who is not heard is told");
        assert!(arrived * 900 <= hub.settings().limits.mailbox / 4);
        assert_eq!(hub.counters().private_refused, refused as u64);
        // A client that does not read is sent nothing at all, even after a restart.
        hub.handle(News::Crowded { session: victim, on: true }, Now::default(), &mut effects);
        let mut hub: Hub = serde_json::from_str(&serde_json::to_string(&hub).expect("plain")).expect("the same");
        effects.clear();
        let later = Now { mono: at(1000), ..Now::default() };
        let say = Input::Line { session: SessionId(2), text: format!("/msg {nick} hi") };
        hub.handle(say.clone(), later, &mut effects);
        assert!(matches!(&*effects, [Effect::Tell { message: Message::Refused(Refusal::NotReading(_)), .. }]));
        hub.handle(News::Crowded { session: victim, on: false }, later, &mut effects);
        effects.clear();
        hub.handle(say, later, &mut effects);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell { to, .. } if *to == victim)));
    }
}
