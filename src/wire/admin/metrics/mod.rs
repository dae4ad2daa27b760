//! What is measured of the hub: one table of names, kinds and meanings, the values, and the two texts in which
//! Prometheus and others read them.
//!
//! The daemon fills in a [`Sheet`] for `metrics`; `chathub-web` adds what it knows of itself and writes the text. The
//! manual page, and the tests of the dashboard and of the alert rules, have the names from the same table.
//!
//! | to change | see |
//! | --- | --- |
//! | what there is: names, kinds, meanings, labels | [`table`], and for events of the hub [`crate::hub::Counters`] |
//! | how it is written: OpenMetrics, Prometheus' own text | [`text`] |
//! | values on their way over the admin protocol | this file |

pub mod table;
pub mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::table::Metric;

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A number that only rises while the process that counts runs, and begins anew with the next process.
    Counter,
    /// The present value, which rises and falls.
    Gauge,
    /// Observations by size, since the start.
    Histogram,
}

impl Kind {
    /// As both texts call it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric with its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Family {
    /// The name of the metric, without the `_total` of a counter.
    pub name: String,
    /// The kind of the metric: `counter`, `gauge` or `histogram`.
    pub kind: Kind,
    /// What the metric means.
    pub about: String,
    /// The values of a counter or gauge, one for each set of labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The observations of a histogram; absent if the metric is another kind of number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
}

/// A value of a counter or gauge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The values of the labels, by the names of the labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The value of the metric with these labels.
    pub value: f64,
}

/// Observations by size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// The number of observations by size, the smallest first; none is in two of them.
    pub buckets: Vec<Bucket>,
    /// The sum of all that was observed.
    pub sum: f64,
}

/// How many observations were of that size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// The greatest size counted here, greater than that of the entry before; absent in the last entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<f64>,
    /// The number of observations counted here.
    pub count: u64,
}

/// The values of metrics, in the order in which they were put down.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    families: Vec<Family>,
}

/// As floating-point numbers go: Prometheus keeps no others. Exact up to 2^53.
#[allow(clippy::cast_precision_loss, reason = "it is what all readers of these numbers do")]
const fn number(value: u64) -> f64 {
    value as f64
}

/// Microseconds as seconds.
#[must_use]
pub fn seconds(micros: u64) -> f64 {
    number(micros) / 1_000_000.0
}

impl Sheet {
    /// Puts down a number of things or bytes.
    pub fn count(&mut self, metric: &Metric, value: u64) {
        self.value(metric, &[], number(value));
    }

    /// Puts down a value under these labels, of which the metric's row has the names. Those of one metric follow each
    /// other.
    ///
    /// # Panics
    /// In debug builds, if the labels are others than the row's.
    pub fn value(&mut self, metric: &Metric, labels: &[&str], value: f64) {
        debug_assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
        let labels = metric.labels.iter().zip(labels).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sample = Sample { labels: labels.collect(), value };
        let name = metric.full_name();
        match self.families.last_mut().filter(|last| last.name == name) {
            Some(family) => family.samples.push(sample),
            None => self.families.push(Family { samples: vec![sample], ..metric.family() }),
        }
    }

    /// Puts down a number of things under labels.
    pub fn labelled(&mut self, metric: &Metric, labels: &[&str], count: u64) {
        self.value(metric, labels, number(count));
    }

    /// Puts down observations: how many were up to each of `bounds`, the last count for those beyond, and their sum.
    pub fn histogram(&mut self, metric: &Metric, bounds: impl IntoIterator<Item = f64>, counts: &[u64], sum: f64) {
        let bounds = bounds.into_iter().map(Some).chain([None]);
        let buckets = bounds.zip(counts).map(|(up_to, count)| Bucket { up_to, count: *count }).collect();
        self.families.push(Family { histogram: Some(Histogram { buckets, sum }), ..metric.family() });
    }

    /// Counters without labels, by their short names: what `status` tells of them.
    pub fn counters(&self) -> impl Iterator<Item = (&str, f64)> {
        self.families.iter().filter(|family| family.kind == Kind::Counter).filter_map(|family| {
            let sample = family.samples.first().filter(|sample| sample.labels.is_empty())?;
            Some((family.name.strip_prefix(table::PREFIX)?, sample.value))
        })
    }

    /// All of it.
    #[must_use]
    pub fn into_families(self) -> Vec<Family> {
        self.families
    }
}
