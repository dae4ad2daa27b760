//! Times of day, dates and lengths of time as texts.

use std::time::Duration;

use super::page::{Page, Style};
use super::pieces;
use crate::hub::message::Offset;
use crate::values::time::{Wall, in_words};

/// The precision of a time of day.
#[derive(Clone, Copy)]
pub(super) enum Clock {
    Seconds,
    Minutes,
}

/// The time of day at `offset` from UTC, as `10:01:02` or `10:01`.
fn time_of_day(at: Wall, offset: Offset, clock: Clock) -> String {
    let seconds = local_seconds(at, offset).rem_euclid(86_400);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match clock {
        Clock::Seconds => format!("{hours:02}:{minutes:02}:{:02}", seconds % 60),
        Clock::Minutes => format!("{hours:02}:{minutes:02}"),
    }
}

/// Appends the time of day as `[10:01:02] ` or `[10:01] `.
pub(super) fn clock(at: Wall, offset: Offset, clock: Clock, out: &mut Page<'_>) {
    out.style(Style::Dim);
    pieces(out, &["[", &time_of_day(at, offset, clock), "]"]);
    out.style(Style::Plain);
    out.text(" ");
}

/// Seconds since 1970 by a clock that is `offset` from UTC.
fn local_seconds(at: Wall, offset: Offset) -> i64 {
    at.0.div_euclid(1000) + i64::from(offset.minutes()) * 60
}

/// The date of a moment at `offset` from UTC, as `2026-11-22`.
pub(super) fn day(at: Wall, offset: Offset) -> String {
    // Days since 1970 become a civil date, counted in years that begin in March.
    let days = local_seconds(at, offset).div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The date and time of a moment, as `2026-11-22 10:01 UTC`.
pub(super) fn date_and_time(at: Wall) -> String {
    let offset = Offset::default();
    format!("{} {} UTC", day(at, offset), time_of_day(at, offset, Clock::Minutes))
}

/// A length of time in its two largest units: `2 h 5 min`.
pub(super) fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A length of time in one unit, rounded up: `30 days`; at least a minute.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..7200 => (seconds.div_ceil(60).max(1), "minute"),
        7200..172_800 => (seconds.div_ceil(3600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// Like [`until`], with the time left: ` until 2026-11-22 10:01 UTC, in 30 min`. It shows a person
/// who gave a length of time how it was understood.
pub(super) fn until_in(end: &Option<Wall>, now: Wall) -> String {
    let left = end.map(|end| u64::try_from(end.0.saturating_sub(now.0)).unwrap_or(0));
    let left = left.map_or_else(String::new, |left| format!(", in {}", in_words(Duration::from_millis(left))));
    until(end) + &left
}

/// The end of something: ` until 2026-11-22 10:01 UTC`, or ` until further notice` for `None`.
pub(super) fn until(until: &Option<Wall>) -> String {
    until.map_or_else(|| " until further notice".to_owned(), |until| format!(" until {}", date_and_time(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_right_at_the_edges() {
        assert_eq!(day(Wall(0), Offset::default()), "1970-01-01");
        assert_eq!(day(Wall(-1), Offset::default()), "1969-12-31");
        assert_eq!(day(Wall(951_782_400_000), Offset::default()), "2000-02-29");
        assert_eq!(day(Wall(1_795_341_662_123), Offset::default()), "2026-11-22");
        let west = Offset::parse("-12:00").expect("an offset");
        assert_eq!(day(Wall(0), west), "1969-12-31");
        assert_eq!(date_and_time(Wall(1_795_341_662_123)), "2026-11-22 10:01 UTC");
    }
}
