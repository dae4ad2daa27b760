//! How much of the loop's time administrators' commands get: a third at most, so that whoever asks
//! without end holds nobody up who chats.

use std::time::Duration;

use crate::values::time::Mono;

/// How long commands may take before the loop rests from them.
const IN_ONE_GO: Duration = Duration::from_millis(1);

/// How many times as long as the commands took it rests from them.
const REST: u32 = 2;

/// The longest rest. A command that takes so long that this matters should be mended; no
/// administrator is to wait for that.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// The share of administrators' commands in the loop's time.
#[derive(Debug, Default)]
pub struct Share {
    /// How long commands have taken since the last rest.
    spent: Duration,
    rests_until: Option<Mono>,
}

impl Share {
    /// Counts a command that took from `from` to `to`.
    pub fn spend(&mut self, from: Mono, to: Mono) {
        self.spent += to.since(from);
        if self.spent >= IN_ONE_GO {
            self.rests_until = Some(to.after((self.spent * REST).min(LONGEST_REST)));
            self.spent = Duration::ZERO;
        }
    }

    /// When the next command may be handled, if that is after `now`.
    #[must_use]
    pub fn rests_until(&self, now: Mono) -> Option<Mono> {
        self.rests_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of one second commands of `each` microseconds get.
    fn played(each: u64) -> Duration {
        let (mut share, mut now, mut commands) = (Share::default(), Mono(0), 0);
        while now < Mono(1_000_000) {
            now = share.rests_until(now).unwrap_or(now);
            let done = now.after(Duration::from_micros(each));
            share.spend(now, done);
            now = done;
            commands += 1;
        }
        Duration::from_micros(each * commands)
    }

    #[test]
    fn commands_get_a_third_of_the_time_however_long_each_takes() {
        for each in [1, 10, 300, 1_000, 7_000] {
            let took = played(each);
            assert!((330..=345).contains(&took.as_millis()), "{each} us each: {took:?}");
        }
    }

    #[test]
    fn commands_that_come_one_by_one_do_not_wait() {
        let mut share = Share::default();
        for moment in 0..90 {
            let from = Mono(moment * 1_000);
            assert_eq!(share.rests_until(from), None);
            share.spend(from, Mono(from.0 + 10));
        }
    }

    #[test]
    fn a_command_that_takes_very_long_does_not_keep_the_next_one_waiting_for_long() {
        let mut share = Share::default();
        share.spend(Mono(0), Mono(60_000_000));
        let until = share.rests_until(Mono(60_000_000)).unwrap();
        assert_eq!(until.since(Mono(60_000_000)), LONGEST_REST);
    }
}
