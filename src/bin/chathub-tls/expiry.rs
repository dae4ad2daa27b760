//! How long a certificate is still valid. Knows no clock.

use std::time::Duration;

use chathub::standing;

/// A certificate that expires within this many seconds deserves a warning each day.
const SOON: u64 = standing::SOON.as_secs();

const DAY: u64 = 24 * 60 * 60;

/// The state of a certificate at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The certificate is not valid yet. Perhaps this machine's clock is wrong.
    NotYet,
    /// The certificate is valid for longer than [`SOON`].
    Long,
    /// The certificate expires in this many whole days.
    Soon(u64),
    /// The certificate has expired.
    Over,
}

/// The state, at `now`, of a certificate that is valid from `from` to `to`. All are times since
/// 1970.
pub(crate) fn life(from: Duration, to: Duration, now: Duration) -> Life {
    // A certificate is valid during its last second too (RFC 5280, section 4.1.2.5).
    let left = to.as_secs().checked_sub(now.as_secs());
    match left {
        None => Life::Over,
        Some(left) if left < SOON => Life::Soon(left / DAY),
        Some(_) if now < from => Life::NotYet,
        Some(_) => Life::Long,
    }
}

/// A number of whole days from now, in words.
pub(crate) fn in_days(days: u64) -> String {
    match days {
        0 => "in less than a day".to_owned(),
        1 => "in a day".to_owned(),
        _ => format!("in {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_counts_and_warnings_begin_fourteen_days_before() {
        let (from, to) = (Duration::from_secs(1_000), Duration::from_secs(1_000 + 90 * DAY));
        let at = |before: u64| life(from, to, to - Duration::from_secs(before));
        assert_eq!(at(0), Life::Soon(0));
        assert_eq!(life(from, to, to + Duration::from_millis(999)), Life::Soon(0));
        assert_eq!(life(from, to, to + Duration::from_secs(1)), Life::Over);
        assert_eq!(
            (at(DAY - 1), at(DAY), at(SOON - 1), at(SOON)),
            (Life::Soon(0), Life::Soon(1), Life::Soon(13), Life::Long)
        );
        assert_eq!(at(90 * DAY), Life::Long);
        assert_eq!(at(90 * DAY + 1), Life::NotYet);
        // A certificate that is valid for some days only is not yet valid here, which comes first.
        assert_eq!(life(to, to, Duration::ZERO), Life::NotYet);
        assert_eq!(
            (in_days(0), in_days(1), in_days(13)),
            ("in less than a day".into(), "in a day".into(), "in 13 days".into())
        );
    }
}
