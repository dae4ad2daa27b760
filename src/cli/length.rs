//! Arguments that are a length of time, within the bounds that the admin protocol or `ctl` has for each.

use std::time::Duration;

use crate::values::time::{NoLength, in_words, parse_length};
use crate::wire::admin::args::{LONGEST_BAN, LONGEST_LOCKDOWN, LONGEST_MUTE, LONGEST_SHUTDOWN, LONGEST_SLOW};

/// Any length of time, such as `2h 30min` or `90 minutes`.
pub(super) fn duration(given: &str) -> Result<Duration, String> {
    parse_length(given).map_err(|why| why.to_string())
}

/// A time of `least` to `most` whole seconds.
fn whole_seconds(given: &str, least: u64, most: u64) -> Result<Duration, String> {
    let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
    let time = duration(given)?;
    if time.is_zero() && !least.is_zero() {
        return Err(NoLength::NotPositive(given.into()).to_string());
    }
    if time > most {
        return Err(format!("{given} is longer than {}", in_words(most)));
    }
    if time.subsec_nanos() != 0 || time < least {
        return Err(format!("{given} is not a whole number of seconds"));
    }
    Ok(time)
}

/// 1 s to 100 years.
pub(super) fn mute_time(given: &str) -> Result<Duration, String> {
    // In the protocol 0 s means "unmute", which is a command of its own here.
    whole_seconds(given, 1, LONGEST_MUTE)
}

/// 1 s to 30 days.
pub(super) fn lockdown_time(given: &str) -> Result<Duration, String> {
    whole_seconds(given, 1, LONGEST_LOCKDOWN)
}

/// 1 s to 100 years.
pub(super) fn ban_time(given: &str) -> Result<Duration, String> {
    whole_seconds(given, 1, LONGEST_BAN)
}

/// 1 s to a day, or `off`, which is none.
pub(super) fn slow_time(given: &str) -> Result<Duration, String> {
    if given == "off" { Ok(Duration::ZERO) } else { whole_seconds(given, 1, LONGEST_SLOW) }
}

/// How long a shutdown waits for slow clients: 0 s to 1 h.
pub(super) fn deadline(given: &str) -> Result<Duration, String> {
    whole_seconds(given, 0, LONGEST_SHUTDOWN)
}

/// How long `chathub-tls` waits for a client or for the hub: 100 ms to 10 min.
pub(super) fn handshake_time(given: &str) -> Result<Duration, String> {
    let time = duration(given)?;
    if (Duration::from_millis(100)..=Duration::from_secs(600)).contains(&time) {
        Ok(time)
    } else {
        Err("it must lie between 100ms and 10min".into())
    }
}

/// The time between two refreshes of `top`: 100 ms to 1 h.
pub(super) fn interval(given: &str) -> Result<Duration, String> {
    let time = duration(given)?;
    if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&time) {
        Ok(time)
    } else {
        Err("it must lie between 100ms and 1h".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_bounds() {
        assert!(duration("90").is_err_and(|why| why.contains("no unit")) && duration("10M").is_err());
        assert!(ban_time("0s").is_err_and(|why| why.contains("longer than nothing")));
        assert_eq!(duration("90 minutes"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2h 30min"), Ok(Duration::from_secs(9000)));
        assert!(mute_time("0").is_err() && mute_time("500ms").is_err() && mute_time("200y").is_err());
        assert!(deadline("0").is_ok() && deadline("2h").is_err());
        assert!(interval("10ms").is_err());
    }
}
