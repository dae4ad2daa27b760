//! The hub as a whole, in a few rows: how many, how fast, what goes wrong. Pure.

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Sparkline, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::glyphs::put;
use super::model::{Lost, Model};
use super::panes::{decimal, whole_bytes};
use super::rates::Flow;
use super::sample::Sample;
use super::theme::Theme;
use crate::ctl::print::values::{bytes, count, time};
use crate::wire::admin::value::Time;

/// The least columns of a sparkline.
const LEAST_BARS: u16 = 6;

/// A row of it.
pub(super) enum Row<'a> {
    Text(String, Style),
    /// Flows side by side, with their sparklines.
    Flows(Vec<(String, &'a VecDeque<f64>)>),
}

/// The rows; few of them, or all.
pub(super) fn rows<'a>(model: &'a Model, theme: Theme, width: u16, all: bool) -> Vec<Row<'a>> {
    let Some(sample) = &model.sample else { return vec![Row::Text(lost(model), theme.alert())] };
    let first = match model.lost() {
        Some(_) => Row::Text(lost(model), theme.alert()),
        None => Row::Text(counts(model, sample, width), Style::new()),
    };
    let mut rows = vec![first];
    if !all {
        rows.push(Row::Text(speed(model, sample), Style::new()));
        return rows;
    }
    let flow = |flow: Flow| {
        let rate = model.rates.flow(flow).back().copied().unwrap_or(0.0);
        let number = match flow {
            Flow::BytesIn | Flow::BytesOut => whole_bytes(rate),
            Flow::LinesIn | Flow::Deliveries => decimal(rate),
        };
        (format!("{:<10} {number:>7}/s ", flow.label(sample)), model.rates.flow(flow))
    };
    // Lines and bytes each in a row; side by side where there is room.
    for pair in Flow::ALL.chunks(2) {
        rows.push(Row::Flows(pair.iter().map(|one| flow(*one)).collect()));
    }
    let (text, wrong) = causes(sample);
    rows.push(Row::Text(text, if wrong { theme.alert() } else { Style::new() }));
    rows.push(Row::Text(work(sample), Style::new()));
    rows
}

/// Since when the daemon does not answer, and why.
fn lost(model: &Model) -> String {
    let told = |lost: &Lost| format!("no answer since {}: {}", &time(&Time(lost.since))[11..], lost.why);
    model.lost().map(told).unwrap_or_default()
}

/// How many there are, from what matters most on, as much as fits.
fn counts(model: &Model, sample: &Sample, width: u16) -> String {
    let status = &sample.status;
    let behind = sample.clients.iter().fold(0_u64, |all, client| all.saturating_add(client.behind_bytes));
    let mut parts = vec![format!("{} of {}", status.clients, count(status.clients_max, "client"))];
    if status.lockdown.is_some_and(|lockdown| lockdown.until.is_some()) {
        parts.push("LOCKDOWN".to_owned());
    }
    parts.push(count(status.rooms, "room"));
    parts.push(format!("{} behind", bytes(behind)));
    if status.reports_open > 0 {
        parts.push(format!("{} open", count(status.reports_open, "report")));
    }
    if let Some(sanctions) = model.sanctions.as_ref().filter(|sanctions| !sanctions.is_empty()) {
        parts.push(count(sanctions.len() as u64, "sanction"));
    }
    parts.push(match sample.counter("restarts") {
        0 if status.survival.starts_with("off") => "no survival".to_owned(),
        restarts => format!("{} survived", count(restarts, "restart")),
    });
    parts.push(format!("{} at the busiest", status.clients_peak));
    joined(parts, width)
}

/// As many of the parts as fit, the first ones first.
fn joined(parts: Vec<String>, width: u16) -> String {
    let mut text = String::new();
    for part in parts {
        let gap = if text.is_empty() { "" } else { ", " };
        if text.width() + gap.len() + part.width() <= width.into() {
            text = format!("{text}{gap}{part}");
        }
    }
    text
}

/// The flows in one row.
fn speed(model: &Model, sample: &Sample) -> String {
    let rate = |flow: Flow| model.rates.flow(flow).back().copied().unwrap_or(0.0);
    let (lines, writes) = (decimal(rate(Flow::LinesIn)), decimal(rate(Flow::Deliveries)));
    let (r#in, out) = (whole_bytes(rate(Flow::BytesIn)), whole_bytes(rate(Flow::BytesOut)));
    format!("{lines} lines/s, {writes} {}/s, {in} in, {out} out", Flow::Deliveries.label(sample), in = r#in)
}

/// What is dropped and refused, and how the disk is; whether somebody should look.
fn causes(sample: &Sample) -> (String, bool) {
    let sum = |names: &[&str]| names.iter().fold(0_u64, |sum, name| sum.saturating_add(sample.counter(name)));
    let refused: u64 = sample
        .status
        .counters
        .iter()
        .filter(|(name, _)| name.starts_with("refused_"))
        .filter_map(|(_, value)| value.as_u64())
        .fold(0, u64::saturating_add);
    let lines = sum(&["lines_dropped", "lines_muted", "lines_filtered", "lines_too_long"]);
    let closed = sum(&["kicked", "banned", "closed_slow", "closed_mailbox", "gave_way", "idled", "no_chat"]);
    let disk = match (sample.disk.waiting, sample.disk.trouble) {
        (_, true) => "disk: TROUBLE, see status".to_owned(),
        (None, false) if sample.status.recording.starts_with("off") => "nothing is recorded".to_owned(),
        (None, false) => String::new(),
        (Some(waiting), false) => format!("disk ok, {} waiting", bytes(waiting)),
    };
    let mut text =
        format!("refused {refused}, lines dropped {lines}, missed {}, closed {closed}", sum(&["lines_missed"]));
    let lost = sample.counter("history_lost");
    if lost > 0 {
        text += &format!(", not recorded {lost}");
    }
    if !disk.is_empty() {
        text += &format!("; {disk}");
    }
    (text, sample.disk.trouble || sample.status.unread)
}

/// How long turns of the loop take.
fn work(sample: &Sample) -> String {
    let turns = &sample.status.turns;
    let millis = |micros: u64| format!("{}.{} ms", micros / 1000, micros % 1000 / 100);
    match &turns.longest_at {
        None => "no turn of the loop yet".to_owned(),
        Some(at) => {
            let mean = turns.total_us.checked_div(turns.count).unwrap_or(0);
            let (longest, doing) = (millis(turns.longest_us), &turns.longest_doing);
            format!("turns take {mean} \u{b5}s; the longest took {longest} at {} ({doing})", &time(at)[11..])
        }
    }
}

impl Row<'_> {
    pub(super) fn draw(&self, buffer: &mut Buffer, y: u16, width: u16, theme: Theme) {
        let flows = match self {
            Self::Text(text, style) => {
                put(buffer, (0, y), text, width, *style);
                return;
            }
            Self::Flows(flows) => flows,
        };
        let each = width / u16::try_from(flows.len().max(1)).unwrap_or(1);
        for (n, (label, values)) in (0_u16..).zip(flows) {
            let x = n * each;
            let taken = put(buffer, (x, y), label, each, Style::new());
            let room = each.saturating_sub(taken + 1);
            if room >= LEAST_BARS {
                // The newest is on the right.
                let missing = usize::from(room).saturating_sub(values.len());
                let newest = values.iter().skip(values.len().saturating_sub(room.into()));
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bars are rough")]
                let tenths = newest.map(|value| (value * 10.0).ceil() as u64);
                let data: Vec<u64> = std::iter::repeat_n(0, missing).chain(tenths).collect();
                let bars = Sparkline::default().data(data).bar_set(theme.levels()).style(theme.bars());
                bars.render(Rect { x: x + taken, y, width: room, height: 1 }, buffer);
            }
        }
    }
}
