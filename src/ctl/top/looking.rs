//! What is looked at, and how: the list, its order, who is selected, what is open above it. Pure.

use std::time::Duration;

use super::question::Question;

/// A list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    #[default]
    Clients,
    Rooms,
    /// What is dropped and refused, by cause.
    Causes,
    Sanctions,
}

impl Pane {
    pub(super) const ALL: [Self; 4] = [Self::Clients, Self::Rooms, Self::Causes, Self::Sanctions];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Clients => "Clients",
            Self::Rooms => "Rooms",
            Self::Causes => "Refusals",
            Self::Sanctions => "Sanctions",
        }
    }

    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0)
    }
}

/// A step from one row to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// The most steps that wait for the next frame.
const STEPS: usize = 1000;

/// How a list is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    /// The column by which it is sorted.
    pub(super) sort: usize,
    pub(super) reversed: bool,
    /// What tells the selected row from others.
    pub(super) selected: Option<String>,
    /// Steps since the last frame.
    pub(super) steps: Vec<Step>,
    /// The number of the first row on the screen.
    pub(super) first: usize,
    /// How wide columns have grown, and on a screen of how many columns.
    grown: (usize, Vec<usize>),
}

impl Listed {
    pub(super) fn step(&mut self, step: Step) {
        if self.steps.len() < STEPS {
            self.steps.push(step);
        }
    }

    /// How wide each of so many columns has grown on a screen of that width.
    pub(super) fn grown(&mut self, width: usize, columns: usize) -> &mut Vec<usize> {
        if self.grown.0 != width || self.grown.1.len() != columns {
            self.grown = (width, vec![0; columns]);
        }
        &mut self.grown.1
    }
}

/// What stands above the list.
#[derive(Clone, Debug)]
pub(super) enum Popup {
    Help,
    /// All about one: its title, and the lines, once they are known.
    About {
        title: String,
        lines: Option<Vec<String>>,
    },
    Question(Question),
}

/// The times between two looks among which + and - choose.
const INTERVALS: [u64; 10] = [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000];

/// What is looked at, and how.
#[derive(Clone, Debug)]
pub(super) struct Looking {
    pub(super) pane: Pane,
    pub(super) lists: [Listed; 4],
    pub(super) popup: Option<Popup>,
    /// The number of the first line of it that is shown.
    pub(super) scroll: usize,
    /// What a row must have in it.
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) typing: bool,
    pub(super) paused: bool,
    pub(super) interval: Duration,
    /// The two rows at the bottom say what keys do.
    pub(super) hints: bool,
}

impl Looking {
    pub(super) fn new(interval: Duration, hints: bool) -> Self {
        let mut lists: [Listed; 4] = Default::default();
        // The newest first.
        lists[Pane::Sanctions.index()].reversed = true;
        Self {
            pane: Pane::Clients,
            lists,
            popup: None,
            scroll: 0,
            filter: String::new(),
            typing: false,
            paused: false,
            interval,
            hints,
        }
    }

    pub(super) fn open(&mut self, popup: Popup) {
        (self.popup, self.scroll) = (Some(popup), 0);
    }

    pub(super) fn list(&mut self) -> &mut Listed {
        &mut self.lists[self.pane.index()]
    }

    /// Who or what is selected.
    pub(super) fn selected(&self) -> Option<&str> {
        self.lists[self.pane.index()].selected.as_deref()
    }

    /// The next longer time between two looks, or the next shorter one.
    pub(super) fn pace(&mut self, slower: bool) {
        let all = INTERVALS.map(Duration::from_millis);
        let next = match slower {
            true => all.into_iter().find(|one| *one > self.interval),
            false => all.into_iter().rev().find(|one| *one < self.interval),
        };
        self.interval = next.unwrap_or(self.interval);
    }
}
