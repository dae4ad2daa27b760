//! The line that `systemctl status` shows.

use std::time::Duration;

use super::pair::Pair;
use super::pairs;

/// What is told: of the certificates, of a reading that was refused, of what was counted.
pub(crate) fn line(pairs: &[Pair], refused: Option<&str>, under_way: usize, counted: &str, now: Duration) -> String {
    let mut parts = pairs::warnings(pairs, now);
    if let Some(problem) = refused {
        parts.push(format!("new certificates were refused, and the old ones stay: {problem}"));
    }
    if parts.is_empty() {
        let certificates: Vec<_> = pairs.iter().map(|pair| format!("{} until {}", pair.name(), pair.ends())).collect();
        parts.push(certificates.join(", "));
    }
    parts.push(format!("{under_way} under way, {counted}"));
    parts.join("; ")
}
