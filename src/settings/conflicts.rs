//! Values that are allowed each alone, but not together.

use std::time::Duration;

use super::rule::shorten;
use super::{Setting, Settings};
use crate::values::name::Name;

/// Values that are allowed each alone, but not together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The two settings.
    pub keys: [&'static str; 2],
    /// Both values and what is wrong with them.
    pub message: String,
}

impl Settings {
    /// Values that do not fit together. Settings are used only where there are none.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let mut at_least = |high: (&'static str, usize), factor: usize, low: (&'static str, usize), why: &str| {
            if high.1 < low.1.saturating_mul(factor) {
                let times = if factor == 1 { String::new() } else { format!("{factor} times ") };
                let shown = |key| Setting::find(key).map_or_else(String::new, |setting| setting.value(self));
                let message = format!(
                    "{} = {} is too small beside {} = {}; allowed: at least {times}{} ({why})",
                    high.0,
                    shown(high.0),
                    low.0,
                    shown(low.0),
                    low.0,
                );
                conflicts.push(Conflict { keys: [high.0, low.0], message });
            }
        };
        let line = ("limits.line", self.limits.line);
        let mailbox = ("limits.mailbox", self.limits.mailbox);
        at_least(mailbox, 4, line, "an answer must find room in it");
        let burst = ("pace.burst_bytes", self.pace.burst_bytes);
        at_least(burst, 1, line, "else the longest line could never pass");
        at_least(("slow.behind", self.slow.behind), 4, line, "else one line could be too much");
        let kept = ("history.lines", self.history.lines);
        let replay = ("history.replay", self.history.replay);
        at_least(kept, 1, replay, "only what is kept can be shown again");
        at_least(("history.bytes", self.history.bytes), 1, line, "else the longest line could not be kept");
        if let Some(after) = self.idle.after {
            let seconds = |time: Duration| usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
            let warning = ("idle.warning", seconds(self.idle.warning));
            at_least(("idle.after", seconds(after)), 2, warning, "they are warned before");
        }

        let longest = self.limits.room_name;
        if let Err(invalid) = Name::parse(&self.rooms.lobby, longest) {
            let message = format!(
                "rooms.lobby = \"{}\" {invalid}; allowed: the name of a room, as in /join, \
                 of at most limits.room_name = {longest} characters",
                shorten(&self.rooms.lobby)
            );
            conflicts.push(Conflict { keys: ["rooms.lobby", "limits.room_name"], message });
        }
        conflicts
    }
}
