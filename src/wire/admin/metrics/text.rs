//! The text formats of metrics: OpenMetrics 1.0, and Prometheus' own text format, version 0.0.4.

use std::fmt::Write as _;

use super::{Family, Histogram, Kind, Sample, table};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format, version 0.0.4.
    Prometheus,
}

impl Format {
    /// The media type, for the header `Content-Type`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Writes the metrics in a text format.
#[must_use]
pub fn text(families: &[Family], format: Format) -> String {
    let mut text = String::with_capacity(families.len() * 160);
    for family in families {
        write_family(&mut text, family, format);
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn write_family(text: &mut String, family: &Family, format: Format) {
    let (name, kind) = (&family.name, family.kind);
    // The older format names a counter like its series, with `_total`.
    let sample = if kind == Kind::Counter { format!("{name}_total") } else { name.clone() };
    let head = if format == Format::OpenMetrics { name } else { &sample };
    let _ = writeln!(text, "# TYPE {head} {}", kind.word());
    if format == Format::OpenMetrics
        && let Some(unit) = table::unit(name)
    {
        let _ = writeln!(text, "# UNIT {head} {unit}");
    }
    let _ = write!(text, "# HELP {head} ");
    // Only OpenMetrics escapes quotation marks here.
    escape(text, &family.about, format == Format::OpenMetrics);
    text.push('\n');
    for Sample { labels, value } in &family.samples {
        text.push_str(&sample);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ = write!(text, "{}{label}=\"", if at == 0 { '{' } else { ',' });
            escape(text, value, true);
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        let _ = writeln!(text, " {}", number(*value));
    }
    if let Some(histogram) = &family.histogram {
        write_histogram(text, name, histogram, format);
    }
}

fn write_histogram(text: &mut String, name: &str, histogram: &Histogram, format: Format) {
    let mut count = 0;
    for bucket in &histogram.buckets {
        count += bucket.count;
        let bound = match bucket.up_to {
            None => "+Inf".to_owned(),
            // OpenMetrics requires bounds to look like floating-point numbers.
            Some(bound) if format == Format::OpenMetrics && bound.fract() == 0.0 => format!("{bound}.0"),
            Some(bound) => number(bound),
        };
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {count}");
    }
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {count}", number(histogram.sum));
}

/// A number with the fewest digits that give the same value, never with an exponent.
fn number(value: f64) -> String {
    if value.is_finite() {
        return value.to_string();
    }
    let infinite = if value > 0.0 { "+Inf" } else { "-Inf" };
    if value.is_nan() { "NaN" } else { infinite }.to_owned()
}

fn escape(text: &mut String, value: &str, quotes: bool) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sheet, table};
    use super::*;

    fn families() -> Vec<Family> {
        let mut sheet = Sheet::default();
        sheet.count(&table::HISTORY_WAITING, 1 << 40);
        sheet.labelled(&table::LISTENER_CONNECTIONS, &["chat", "a\"b\\c\nd"], 3);
        sheet.labelled(&table::LISTENER_CONNECTIONS, &["chat", "[::]:6969"], 0);
        sheet.histogram(&table::TURNS, [0.0001, 1.0], &[5, 0, 2], 2.25);
        sheet.into_families()
    }

    #[test]
    fn both_texts_are_as_their_formats_have_them() {
        assert_eq!(
            text(&families(), Format::OpenMetrics),
            r#"# TYPE chathub_history_waiting_bytes gauge
# UNIT chathub_history_waiting_bytes bytes
# HELP chathub_history_waiting_bytes Bytes of lines that wait for the disk.
chathub_history_waiting_bytes 1099511627776
# TYPE chathub_listener_connections counter
# HELP chathub_listener_connections Connections accepted, by the socket that they came to.
chathub_listener_connections_total{addr="a\"b\\c\nd",listener="chat"} 3
chathub_listener_connections_total{addr="[::]:6969",listener="chat"} 0
# TYPE chathub_turn_seconds histogram
# UNIT chathub_turn_seconds seconds
# HELP chathub_turn_seconds Turns of the loop that decides everything: nobody is read meanwhile.
chathub_turn_seconds_bucket{le="0.0001"} 5
chathub_turn_seconds_bucket{le="1.0"} 5
chathub_turn_seconds_bucket{le="+Inf"} 7
chathub_turn_seconds_sum 2.25
chathub_turn_seconds_count 7
# EOF
"#
        );
        assert_eq!(
            text(&families()[1..], Format::Prometheus),
            r#"# TYPE chathub_listener_connections_total counter
# HELP chathub_listener_connections_total Connections accepted, by the socket that they came to.
chathub_listener_connections_total{addr="a\"b\\c\nd",listener="chat"} 3
chathub_listener_connections_total{addr="[::]:6969",listener="chat"} 0
# TYPE chathub_turn_seconds histogram
# HELP chathub_turn_seconds Turns of the loop that decides everything: nobody is read meanwhile.
chathub_turn_seconds_bucket{le="0.0001"} 5
chathub_turn_seconds_bucket{le="1"} 5
chathub_turn_seconds_bucket{le="+Inf"} 7
chathub_turn_seconds_sum 2.25
chathub_turn_seconds_count 7
"#
        );
    }

    #[test]
    fn numbers_are_never_written_with_an_exponent() {
        for (value, written) in
            [(0.0, "0"), (0.000001, "0.000001"), (9_007_199_254_740_992.0, "9007199254740992"), (f64::INFINITY, "+Inf")]
        {
            assert_eq!(number(value), written);
        }
    }
}
