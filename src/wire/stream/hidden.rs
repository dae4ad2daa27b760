//! Lines that are hidden from one reader: arrivals and departures, and speech of people whom it
//! ignores.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hub::ignore::Shunned;
use crate::hub::message::Line;
use crate::values::id::SessionId;

/// The kinds of lines that are hidden from one reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Whether arrivals and departures are hidden.
    pub quiet: bool,
    /// Authors whose speech is hidden, by session, in rising order.
    pub ignored: Arc<[SessionId]>,
    /// Ignored names, in rising order. Speech is hidden if its author bears one of them, or has
    /// borne it at some time since the name was ignored.
    #[serde(default, skip_serializing_if = "no_names")]
    pub names: Arc<[Shunned]>,
}

fn no_names(names: &[Shunned]) -> bool {
    names.is_empty()
}

impl Hidden {
    /// Whether nothing is hidden.
    pub(super) fn is_empty(&self) -> bool {
        !self.quiet && self.ignored.is_empty() && self.names.is_empty()
    }

    /// Whether `line` is hidden.
    pub(super) fn hides(&self, line: &Line) -> bool {
        let is_ignored = |author| self.ignored.binary_search(&author).is_ok() || line.borne.is_hidden_by(&self.names);
        (self.quiet && line.said.is_presence()) || (line.said.is_of_a_person() && line.author.is_some_and(is_ignored))
    }
}
