//! Moments and lengths of time as values, and lengths of time as people write them. The hub never
//! reads a clock: its caller passes the time.

use core::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on a clock that only goes forward, in microseconds since an arbitrary origin.
///
/// The driver reads it from `CLOCK_MONOTONIC`, which all processes share until the machine reboots,
/// so a value stays meaningful when the daemon restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// The point `by` later, in whole microseconds; saturates at `u64::MAX`.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it is in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Wall-clock time in milliseconds since the Unix epoch. It may jump forwards and backwards, so it
/// is never used to measure a length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

impl Wall {
    /// The time `by` later, in whole milliseconds; saturates at `i64::MAX`.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// The time `by` earlier, in whole milliseconds; saturates at `i64::MIN`.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time at which an input is handled, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For deadlines and rates.
    pub mono: Mono,
    /// For what people are shown and what history keeps.
    pub wall: Wall,
}

/// Why a text is no length of time; each variant holds the offending text. `Display` writes the
/// middle of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLength {
    /// A number without a unit.
    NoUnit(String),
    /// A text that does not look like a length of time.
    Unknown(String),
    /// A length whose unit may mean minutes or months, which differ too much to guess.
    MinutesOrMonths(String),
    /// A length of zero or less.
    NotPositive(String),
    /// A length too large to be meant.
    TooLong(String),
}

impl fmt::Display for NoLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const EXAMPLES: &str = "write 10min, 2h or 3 days";
        match self {
            Self::NoUnit(given) => write!(f, "{given} has no unit: {EXAMPLES}"),
            Self::Unknown(given) => write!(f, "{given} is no length of time: {EXAMPLES}"),
            Self::MinutesOrMonths(given) => {
                let number = given.trim_end_matches('M');
                write!(f, "{given} can be minutes or months: write {number}min or {number} months")
            }
            Self::NotPositive(given) => write!(f, "{given} is not longer than nothing: {EXAMPLES}"),
            Self::TooLong(given) => write!(f, "{given} is longer than 100 years"),
        }
    }
}

impl core::error::Error for NoLength {}

/// The longest mute or ban that has an end: 100 years.
pub const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Reads a length of time: `10min`, `2h`, `1h30m`, `1h 30min`, `2 hours`, `an hour`, `two weeks`,
/// or `0`. A month has 30.44 days and a year 365.25, as in [`humantime`].
///
/// # Errors
/// The reason why the text is no length of time. A number without a unit is refused, because the
/// unit would have to be guessed.
pub fn parse_length(text: &str) -> Result<Duration, NoLength> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    match take_length(text)? {
        Some((time, "")) => Ok(time),
        _ if text.is_empty() => Err(NoLength::Unknown("nothing".to_owned())),
        _ => Err(NoLength::Unknown(clipped(text))),
    }
}

/// Takes a length of time off the beginning of a text. Returns it with the rest of the text,
/// without the space between; `None` if the text does not begin with a length of time.
///
/// # Errors
/// If the beginning looks like a length of time but is none: a misspelt time must not be taken for
/// the beginning of a reason.
pub fn take_length(text: &str) -> Result<Option<(Duration, &str)>, NoLength> {
    let text = text.trim_start();
    if let Some(found) = take_in_words(text) {
        return found.map(Some);
    }
    // Digits of any script begin a length of time: nobody begins a reason with them.
    let begins = text.strip_prefix(['-', '+']).unwrap_or(text).starts_with(char::is_numeric);
    if !begins {
        return Ok(None);
    }
    let word = || clipped(text.split_whitespace().next().unwrap_or_default());
    if text.starts_with('-') {
        return Err(NoLength::NotPositive(word()));
    }
    let (mut time, mut rest) = take_part(text)?.ok_or_else(|| NoLength::Unknown(word()))?;
    loop {
        match take_part(rest) {
            Ok(Some((part, behind))) => {
                time = time.checked_add(part).ok_or_else(|| NoLength::TooLong(word()))?;
                rest = behind;
            }
            // After a whole length of time, the next word may begin with a number of its own.
            _ if rest.is_empty() || rest.starts_with(char::is_whitespace) => break,
            _ => return Err(NoLength::Unknown(word())),
        }
    }
    Ok(Some((time, rest.trim_start())))
}

/// Takes a length of time in words, such as `an hour`, off the beginning of a text. A text that
/// only looks like one, such as `until tomorrow`, is an error. `None` if the text begins with
/// something else.
fn take_in_words(text: &str) -> Option<Result<(Duration, &str), NoLength>> {
    const NUMBERS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim_start();
    let first = first.to_lowercase();
    let (second, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let number = match &*first {
        "a" | "an" => Some(1),
        "until" | "till" | "til" if !second.is_empty() => None,
        "tomorrow" | "tonight" => None,
        // `half an hour`.
        "half" if matches!(second, "a" | "an") => None,
        word => Some(1 + NUMBERS.iter().position(|number| *number == word).and_then(|at| u32::try_from(at).ok())?),
    };
    let Some(number) = number else { return Some(Err(NoLength::Unknown(clipped(text)))) };
    // Behind a number in words, a single letter is no unit: `a m` does not mean a minute.
    let unit = unit_of(second).filter(|_| second.len() > 1)?;
    Some(Ok((unit * number, behind.trim_start())))
}

/// Takes one number with its unit, such as `30min`, off the beginning of a text. Returns it with
/// the rest; `None` if the text does not begin with a digit.
fn take_part(text: &str) -> Result<Option<(Duration, &str)>, NoLength> {
    let trimmed = text.trim_start();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok(None);
    }
    let (number, behind) = trimmed.split_at(digits);
    let spaced = behind.trim_start();
    let letters = spaced.find(|c: char| !c.is_alphabetic()).unwrap_or(spaced.len());
    let (unit, rest) = spaced.split_at(letters);
    let given = || clipped(trimmed.split_whitespace().next().unwrap_or_default());
    let is_whole = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c.is_ascii_digit());
    if unit == "M" && is_whole {
        return Err(NoLength::MinutesOrMonths(format!("{}M", clipped(number))));
    }
    let each = unit_of(unit).filter(|_| is_whole);
    let Some(each) = each else {
        let is_bare = behind.is_empty() || behind.starts_with(char::is_whitespace);
        return Err(if is_bare { NoLength::NoUnit(clipped(number)) } else { NoLength::Unknown(given()) });
    };
    let nanos = number.parse::<u128>().ok().and_then(|number| number.checked_mul(each.as_nanos()));
    let part = nanos.and_then(|nanos| {
        let below = u32::try_from(nanos % 1_000_000_000).ok()?;
        Some(Duration::new(u64::try_from(nanos / 1_000_000_000).ok()?, below))
    });
    let Some(part) = part else { return Err(NoLength::TooLong(given())) };
    Ok(Some((part, rest)))
}

fn unit_of(word: &str) -> Option<Duration> {
    const SECOND: u64 = 1_000_000_000;
    let nanos = match &*word.to_lowercase() {
        "ns" | "nsec" => 1,
        "us" | "usec" | "µs" | "μs" => 1000,
        "ms" | "msec" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600 * SECOND,
        "d" | "day" | "days" => 86_400 * SECOND,
        "w" | "wk" | "wks" | "week" | "weeks" => 7 * 86_400 * SECOND,
        "month" | "months" => 2_630_016 * SECOND,
        "y" | "yr" | "yrs" | "year" | "years" => 31_557_600 * SECOND,
        _ => return None,
    };
    Some(Duration::from_nanos(nanos))
}

/// The first 20 characters of a typed text, to be shown in the answer.
fn clipped(text: &str) -> String {
    text.chars().take(20).collect()
}

/// A length of time in its two largest units, rounded to seconds and at least `1 s`, as a person
/// would type it: `2 h`, `1 h 30 min`.
#[must_use]
pub fn in_words(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = (time + Duration::from_millis(500)).as_secs().max(1);
    let first = UNITS.iter().position(|(each, _)| seconds >= *each).unwrap_or(UNITS.len() - 1);
    let mut left = seconds;
    let mut words = Vec::new();
    for (each, unit) in UNITS.iter().skip(first).take(2) {
        if left / each > 0 {
            words.push(format!("{} {unit}", left / each));
        }
        left %= each;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_day_move_by_milliseconds_and_stop_at_their_ends() {
        let micros = Duration::from_micros(1_999);
        assert_eq!((Wall(5).after(micros), Wall(5).before(micros)), (Wall(6), Wall(4)));
        assert_eq!((Wall(5).after(Duration::MAX), Wall(-5).before(Duration::MAX)), (Wall(i64::MAX), Wall(i64::MIN)));
    }

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("10min", 600),
            ("2h", 7200),
            ("2H", 7200),
            ("2 hours", 7200),
            ("90 minutes", 5400),
            ("90  Minutes", 5400),
            ("1h30m", 5400),
            ("1h 30min", 5400),
            ("1 hour 30 minutes", 5400),
            ("3 days", 259_200),
            ("1w", 604_800),
            ("2 months", 5_260_032),
            ("1y", 31_557_600),
            ("an hour", 3600),
            ("A day", 86_400),
            ("two weeks", 1_209_600),
            ("twelve hours", 43_200),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(parse_length(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_length("150ms"), Ok(Duration::from_millis(150)));
        for (text, told) in [
            ("10", "10 has no unit: write 10min, 2h or 3 days"),
            ("10 20", "10 has no unit: write 10min, 2h or 3 days"),
            ("1h 30", "1h 30 is no length of time: write 10min, 2h or 3 days"),
            ("10M", "10M can be minutes or months: write 10min or 10 months"),
            ("-5m", "-5m is not longer than nothing: write 10min, 2h or 3 days"),
            ("10x", "10x is no length of time: write 10min, 2h or 3 days"),
            ("\u{661}\u{660}min", "\u{661}\u{660}min is no length of time: write 10min, 2h or 3 days"),
            ("1.5h", "1.5h is no length of time: write 10min, 2h or 3 days"),
            ("10minn", "10minn is no length of time: write 10min, 2h or 3 days"),
            ("half an hour", "half an hour is no length of time: write 10min, 2h or 3 days"),
            ("until tomorrow", "until tomorrow is no length of time: write 10min, 2h or 3 days"),
            ("soon", "soon is no length of time: write 10min, 2h or 3 days"),
            ("", "nothing is no length of time: write 10min, 2h or 3 days"),
            ("99999999999999999999999999999999999999999999s", "99999999999999999999 is longer than 100 years"),
        ] {
            assert_eq!(parse_length(text).map_err(|why| why.to_string()), Err(told.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_length_is_told_from_what_follows_it() {
        for (text, time, rest) in [
            ("", None, ""),
            ("spam", None, ""),
            ("10m", Some(600), ""),
            ("2h spam all day", Some(7200), "spam all day"),
            ("2 hours spam", Some(7200), "spam"),
            ("2h 3 times spam", Some(7200), "3 times spam"),
            ("1 hour 30 minutes 4 letters", Some(5400), "4 letters"),
            ("an hour spam", Some(3600), "spam"),
            ("a troll", None, "a troll"),
            ("a m", None, "a m"),
            ("one of many", None, "one of many"),
            ("until", None, "until"),
        ] {
            let found = take_length(text).expect(text);
            assert_eq!(found, time.map(|time| (Duration::from_secs(time), rest)), "{text}");
        }
        for slip in [
            "10 flooding",
            "3 times is enough",
            "10x spam",
            "0.5h spam",
            "-10m",
            "10M",
            "2h,",
            "1h30 spam",
            "until tomorrow",
            "till 6 pm",
            "tomorrow",
            "half an hour spam",
        ] {
            assert!(take_length(slip).is_err(), "{slip}");
        }
    }

    #[test]
    fn lengths_are_told_in_two_units() {
        for (seconds, told) in
            [(0, "1 s"), (59, "59 s"), (60, "1 min"), (5400, "1 h 30 min"), (7200, "2 h"), (90_061, "1 d 1 h")]
        {
            assert_eq!(in_words(Duration::from_secs(seconds)), told);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}|[0-9a-zM. -]{0,30}") {
            let _ = parse_length(&text);
            if let Ok(Some((_, rest))) = take_length(&text) {
                prop_assert!(text.ends_with(rest));
            }
        }

        #[test]
        fn what_is_told_in_words_is_read_again(seconds in 1..10_000_000_u64) {
            let told = in_words(Duration::from_secs(seconds));
            let read = parse_length(&told).expect("it is one");
            // Only two units are shown: at most the minutes and seconds are lost, less than one
            // hour.
            prop_assert!(read <= Duration::from_secs(seconds) && Duration::from_secs(seconds) - read < Duration::from_secs(3600));
        }
    }
}
