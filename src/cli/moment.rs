//! Arguments that are a point in time: a date, a date and time, a time that has passed since, or a word.

use std::time::SystemTime;

use crate::values::time::{Wall, parse_length};
use crate::wire::admin::value::Time;

/// A point in time, as told now.
pub(super) fn moment_now(given: &str) -> Result<Time, String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    moment(given, i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// The point in time that `given` means at `now`, in milliseconds since the epoch.
fn moment(given: &str, now: i64) -> Result<Time, String> {
    const DAY: i64 = 86_400_000;
    let midnight = now - now.rem_euclid(DAY);
    let word = given.trim();
    let millis = match word {
        "now" => Some(now),
        "today" => Some(midnight),
        "yesterday" => Some(midnight - DAY),
        _ => date_and_time(word).or_else(|| {
            let passed = word.strip_suffix(" ago").or_else(|| word.strip_prefix('-')).unwrap_or(word);
            let passed = parse_length(passed).ok()?;
            Some(now.saturating_sub(i64::try_from(passed.as_millis()).ok()?).max(0))
        }),
    };
    millis.map(|millis| Time(Wall(millis))).ok_or_else(|| {
        "a time is needed, as in 2026-11-22T10:30:00Z, 2026-11-22, 2h (ago), 30min, today or yesterday; UTC".into()
    })
}

/// In milliseconds since the epoch: RFC 3339 with `Z`, with an offset, or with neither, which means UTC; or a date
/// alone, which means its midnight UTC.
fn date_and_time(given: &str) -> Option<i64> {
    let read = |text: &str| text.parse::<Time>().ok().map(|time| time.0.0);
    if given.len() == 10 {
        return read(&format!("{given}T00:00:00Z"));
    }
    let offset = given.len().checked_sub(6).and_then(|at| given.split_at_checked(at));
    if let Some((local, offset)) = offset
        && local.len() > 10
        && let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = offset.as_bytes()
        && [h1, h2, m1, m2].iter().all(u8::is_ascii_digit)
    {
        let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let (hours, minutes) = (two(h1, h2), two(m1, m2));
        if hours > 23 || minutes > 59 {
            return None;
        }
        let ahead = (hours * 60 + minutes) * 60_000;
        return read(local).map(|millis| if sign == b'+' { millis - ahead } else { millis + ahead });
    }
    read(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(given: &str) -> String {
        let now = "2026-11-22T10:30:00.500Z".parse::<Time>().expect("a time").0.0;
        moment(given, now).map_or_else(|error| error, |time| time.to_string())
    }

    #[test]
    fn times_are_absolute_or_relative() {
        assert_eq!(at("2026-11-20T01:02:03Z"), "2026-11-20T01:02:03.000Z");
        assert_eq!(at("2026-11-20 01:02:03"), "2026-11-20T01:02:03.000Z");
        assert_eq!(at("2026-11-20T01:02:03+01:00"), "2026-11-20T00:02:03.000Z");
        assert_eq!(at("2026-11-20T01:02:03.250-05:30"), "2026-11-20T06:32:03.250Z");
        assert_eq!(at("2026-11-20"), "2026-11-20T00:00:00.000Z");
        assert_eq!(at("2h"), "2026-11-22T08:30:00.500Z");
        assert_eq!(at("30min"), "2026-11-22T10:00:00.500Z");
        assert_eq!(at("1h 30min ago"), "2026-11-22T09:00:00.500Z");
        assert_eq!(at("today"), "2026-11-22T00:00:00.000Z");
        assert_eq!(at("yesterday"), "2026-11-21T00:00:00.000Z");
        for wrong in
            ["10:30", "", "tomorrow", "2026-11-20T01:02:03+25:00", "2026-13-01", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"]
        {
            assert!(at(wrong).starts_with("a time is needed"), "{wrong}");
        }
    }
}
