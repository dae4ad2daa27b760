//! How a client sees lines.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::terminal::Colors;

/// How one client wants a room's lines rendered. Clients with equal views share one rendering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The offset from UTC at which time stamps are shown; `None`: there are none.
    pub time: Option<Offset>,
    /// The colours of names; less important parts are dim.
    pub colors: Colors,
    /// The width before which lines are wrapped, in characters; 0: they are not wrapped.
    pub width: u16,
    /// Whether only ASCII is sent, with other characters replaced.
    pub ascii: bool,
    /// Whether the client's terminal draws characters in as many columns as most terminals do. If not known, a wrapped
    /// line leaves room for more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub usual: bool,
}

/// An offset from UTC in minutes, from -24:00 to +24:00, in steps of a quarter of an hour. There are 193 offsets, so
/// strangers cannot make more renderings than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Offset(i16);

impl Offset {
    /// Reads `+hh:mm`, `-hh:mm` or `+hh`, also after `utc` or `gmt`, and `utc` alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("utc") {
            return Some(Self(0));
        }
        let named = |name: &str| text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let offset = if named("utc") || named("gmt") { &text[3..] } else { text };
        let (sign, rest) = match offset.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let number = |digits: &str| {
            (matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| digits.parse::<i16>().ok())
                .flatten()
        };
        let total = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
        (total <= 24 * 60 && total % 15 == 0).then_some(Self(sign * total))
    }

    /// The offset for this number of minutes east of UTC, rounded down to a quarter of an hour and limited to a day.
    #[must_use]
    pub fn of_minutes(minutes: i16) -> Self {
        Self(minutes.clamp(-24 * 60, 24 * 60).div_euclid(15) * 15)
    }

    /// Minutes east of UTC.
    #[must_use]
    pub fn minutes(self) -> i16 {
        self.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("UTC");
        }
        let (sign, minutes) = if self.0 < 0 { ('-', -self.0) } else { ('+', self.0) };
        write!(f, "UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}
