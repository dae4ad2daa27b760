//! What comes out: medians, ratios to the limit (or to another base), a table, JSON, and the curve as a plot.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::peers::Peer;

/// The figures of one run, or the medians of several.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    values: BTreeMap<String, f64>,
    /// What was wrong with the deliveries; a run with a fault counts for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<String>,
}

impl Figures {
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.values.insert(name.to_owned(), value);
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }
}

/// A figure that a scenario is about.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) figure: &'static str,
    pub(crate) title: &'static str,
    /// Is its ratio to the base shown?
    pub(crate) ratio: Ratio,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ratio {
    Shown,
    Hidden,
}

/// All runs of one cell: `runs[peer][repetition]`, repetitions of all peers paired in time.
pub(crate) struct Outcome {
    pub(crate) label: String,
    pub(crate) clients: usize,
    /// Whom the others are compared with.
    pub(crate) base: Peer,
    pub(crate) runs: BTreeMap<Peer, Vec<Figures>>,
}

impl Outcome {
    pub(crate) fn median(&self, peer: Peer, figure: &str) -> Option<f64> {
        let runs = self.runs.get(&peer)?;
        let sound = runs.iter().filter(|run| run.faults.is_empty());
        median(sound.filter_map(|run| run.value(figure)).collect())
    }

    /// The median of the ratios of paired runs: noise that lasted a while is in both of a pair.
    fn ratio(&self, peer: Peer, figure: &str) -> Option<f64> {
        let pairs = self.runs.get(&peer)?.iter().zip(self.runs.get(&self.base)?);
        let sound = pairs.filter(|(run, base)| run.faults.is_empty() && base.faults.is_empty());
        let ratios = sound.filter_map(|(run, base)| {
            let base = base.value(figure).filter(|&base| base > 0.0)?;
            Some(run.value(figure)? / base)
        });
        median(ratios.collect())
    }

    pub(crate) fn faults(&self) -> impl Iterator<Item = (Peer, &str)> {
        self.runs
            .iter()
            .flat_map(|(&peer, runs)| runs.iter().flat_map(|run| &run.faults).map(move |fault| (peer, fault.as_str())))
    }

    /// The lines of a table, one for each server.
    pub(crate) fn table(&self, columns: &[Column]) -> Vec<Vec<String>> {
        self.runs
            .keys()
            .map(|&peer| {
                let mut row = vec![self.label.clone(), peer.name().to_owned()];
                for column in columns {
                    row.push(self.median(peer, column.figure).map_or("-".to_owned(), short));
                    if column.ratio == Ratio::Shown {
                        let ratio = self.ratio(peer, column.figure);
                        row.push(ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
                    }
                }
                row
            })
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        let servers = self.runs.iter().map(|(&peer, runs)| {
            let mut names: Vec<&String> = runs.iter().flat_map(|run| run.values.keys()).collect();
            names.sort();
            names.dedup();
            let of = |pick: &dyn Fn(&str) -> Option<f64>| -> BTreeMap<&String, f64> {
                let known = names.iter().map(|&name| Some((name, pick(name)?)));
                known.flatten().collect()
            };
            let value = json!({
                "median": of(&|name| self.median(peer, name)),
                format!("ratio_to_{}", self.base.name()): of(&|name| self.ratio(peer, name)),
                "runs": runs,
            });
            (peer.name().to_owned(), value)
        });
        json!({
            "cell": self.label,
            "clients": self.clients,
            "servers": servers.collect::<BTreeMap<_, _>>(),
        })
    }
}

pub(crate) fn headings(columns: &[Column], base: Peer) -> Vec<String> {
    let mut row = vec!["cell".to_owned(), "server".to_owned()];
    for column in columns {
        row.push(column.title.to_owned());
        if column.ratio == Ratio::Shown {
            row.push(format!("/{}", base.name()));
        }
    }
    row
}

/// Columns as wide as their widest word, figures flush right; readable as a Markdown table too.
pub(crate) fn align(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let written =
                if column < 2 { write!(text, "| {cell:<width$} ") } else { write!(text, "| {cell:>width$} ") };
            written.expect("writing into memory");
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, &width) in widths.iter().enumerate() {
                let line = "-".repeat(width + 1);
                text.push_str(&if column < 2 { format!("|{line}-") } else { format!("|{line}:") });
            }
            text.push_str("|\n");
        }
    }
    text
}

fn short(value: f64) -> String {
    match value.abs() {
        1e6.. => format!("{:.2} M", value / 1e6),
        1e4.. => format!("{:.1} k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const PLOT_WIDTH: f64 = WIDTH - LEFT - 110.0;
const PLOT_HEIGHT: f64 = HEIGHT - TOP - 50.0;

/// One panel for each column: its figure over the number of clients, both axes logarithmic.
pub(crate) fn plot(outcomes: &[Outcome], columns: &[Column]) -> String {
    let mut svg = String::new();
    let height = HEIGHT * columns.len() as f64;
    svg.push_str(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    ));
    for (index, column) in columns.iter().enumerate() {
        svg.push_str(&format!("<g transform=\"translate(0 {})\">\n", HEIGHT * index as f64));
        panel(&mut svg, outcomes, *column);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, outcomes: &[Outcome], column: Column) {
    let points = |peer: Peer| -> Vec<(f64, f64)> {
        let point = |outcome: &Outcome| Some((outcome.clients as f64, outcome.median(peer, column.figure)?));
        outcomes.iter().filter_map(point).filter(|point| point.1 > 0.0).collect()
    };
    let all: Vec<(f64, f64)> = Peer::ALL.into_iter().flat_map(points).collect();
    let span = |pick: fn(&(f64, f64)) -> f64| {
        let low = all.iter().map(pick).fold(f64::MAX, f64::min).log10().floor();
        let high = all.iter().map(pick).fold(0.0, f64::max).log10().ceil();
        (low, high.max(low + 1.0))
    };
    svg.push_str(&format!("<text x=\"{LEFT}\" y=\"24\" font-weight=\"bold\">{}</text>\n", column.title));
    if all.is_empty() {
        return;
    }
    let (x_low, x_high) = span(|point| point.0);
    let (y_low, y_high) = span(|point| point.1);
    let x = |value: f64| LEFT + (value.log10() - x_low) / (x_high - x_low) * PLOT_WIDTH;
    let y = |value: f64| TOP + (y_high - value.log10()) / (y_high - y_low) * PLOT_HEIGHT;
    let bottom = TOP + PLOT_HEIGHT;
    for power in x_low as i32..=x_high as i32 {
        let value = 10_f64.powi(power);
        let at = x(value);
        svg.push_str(&format!(
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>\n",
            bottom + 18.0
        ));
    }
    for power in y_low as i32..=y_high as i32 {
        let value = 10_f64.powi(power);
        let at = y(value);
        svg.push_str(&format!(
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>\n",
            LEFT + PLOT_WIDTH,
            LEFT - 6.0,
            at + 4.0
        ));
    }
    svg.push_str(&format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">clients</text>\n",
        LEFT + PLOT_WIDTH / 2.0,
        bottom + 36.0
    ));
    let colours = ["#888888", "#c03030", "#c08020", "#2060c0", "#208040"];
    for (peer, colour) in Peer::ALL.into_iter().zip(colours) {
        let points = points(peer);
        let Some(&(last_x, last_y)) = points.last() else {
            continue;
        };
        let places: Vec<String> = points.iter().map(|&(n, value)| format!("{:.1},{:.1}", x(n), y(value))).collect();
        svg.push_str(&format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>\n",
            places.join(" "),
            x(last_x) + 6.0,
            y(last_y) + 4.0,
            peer.name()
        ));
    }
}
