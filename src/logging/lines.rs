//! Events as lines on standard error, for when the journal does not read it.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// One line for each event: level, message, fields. The time is left out: what keeps the lines
/// (systemd, a container, a pipe) adds it.
pub(super) struct Lines;

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Lines {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        struct Fields {
            message: String,
            fields: String,
        }
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                match field.name() {
                    "message" => self.message = format!("{value:?}"),
                    "message_id" => {}
                    name => {
                        let name = name.strip_prefix("chathub_").unwrap_or(name);
                        let _ = write!(self.fields, " {name}={value:?}");
                    }
                }
            }
        }
        let mut fields = Fields { message: String::new(), fields: String::new() };
        event.record(&mut fields);
        writeln!(writer, "{:<5} {}{}", event.metadata().level(), fields.message, fields.fields)
    }
}
