//! What the user looks at: which list, in which order, with which row selected, under which pop-up.
//! Pure.

use std::time::Duration;

use super::question::Question;

/// One of the four lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    #[default]
    Clients,
    Rooms,
    /// Lines dropped and connections refused, by cause.
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

/// A move of the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// The most steps that are kept until the next frame; more are dropped.
const STEPS: usize = 1000;

/// How the user looks at one list.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    /// The index of the column by which it is sorted.
    pub(super) sort: usize,
    pub(super) reversed: bool,
    /// The identity of the selected row: an id or a name.
    pub(super) selected: Option<String>,
    /// The steps taken since the last frame.
    pub(super) steps: Vec<Step>,
    /// The index of the first row on the screen.
    pub(super) first: usize,
    /// The width of the screen, and the largest width each column has had at that width.
    grown: (usize, Vec<usize>),
}

impl Listed {
    pub(super) fn step(&mut self, step: Step) {
        if self.steps.len() < STEPS {
            self.steps.push(step);
        }
    }

    /// The largest widths of the columns so far; all 0 if the screen's `width` or the number of
    /// columns has changed.
    pub(super) fn grown(&mut self, width: usize, columns: usize) -> &mut Vec<usize> {
        if self.grown.0 != width || self.grown.1.len() != columns {
            self.grown = (width, vec![0; columns]);
        }
        &mut self.grown.1
    }
}

/// A pop-up above the list.
#[derive(Clone, Debug)]
pub(super) enum Popup {
    Help,
    /// The details of one row: a title, and the lines; `None` until the daemon has answered.
    About {
        title: String,
        lines: Option<Vec<String>>,
    },
    Question(Question),
}

/// The intervals between two samples, in milliseconds, through which + and - step.
const INTERVALS: [u64; 10] = [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000];

/// What the user looks at.
#[derive(Clone, Debug)]
pub(super) struct Looking {
    pub(super) pane: Pane,
    pub(super) lists: [Listed; 4],
    pub(super) popup: Option<Popup>,
    /// The index of the pop-up's first line on the screen.
    pub(super) scroll: usize,
    /// Only rows that contain this text are shown; empty for all rows.
    pub(super) filter: String,
    /// Whether the user is typing the filter.
    pub(super) typing: bool,
    pub(super) paused: bool,
    pub(super) interval: Duration,
    /// Whether the two rows at the bottom show the keys.
    pub(super) hints: bool,
}

impl Looking {
    pub(super) fn new(interval: Duration, hints: bool) -> Self {
        let mut lists: [Listed; 4] = Default::default();
        // Sanctions are sorted by age; reversed, the newest come first.
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

    /// The identity of the selected row of the shown list.
    pub(super) fn selected(&self) -> Option<&str> {
        self.lists[self.pane.index()].selected.as_deref()
    }

    /// Changes the interval between two samples to the next longer one, or the next shorter one;
    /// not beyond the ends of [`INTERVALS`].
    pub(super) fn pace(&mut self, slower: bool) {
        let all = INTERVALS.map(Duration::from_millis);
        let next = match slower {
            true => all.into_iter().find(|one| *one > self.interval),
            false => all.into_iter().rev().find(|one| *one < self.interval),
        };
        self.interval = next.unwrap_or(self.interval);
    }
}
