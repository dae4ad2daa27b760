//! Arguments that are one of some words.

use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use schemars::JsonSchema;
use serde_json::Value;

use crate::settings::LogLevel;
use crate::wire::admin::event::EventKind;
use crate::wire::admin::value::Role;

/// The words of an enum without data, with what they mean, from the schema that the protocol has of it.
///
/// # Panics
/// If the type is no such enum, which the tests would show.
#[must_use]
pub fn of<T: JsonSchema>() -> Vec<(String, String)> {
    let schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let words = schema.get("oneOf").and_then(Value::as_array).expect("an enum whose variants are documented");
    let string = |word: &Value, key: &str| word[key].as_str().unwrap_or_default().to_owned();
    words.iter().map(|word| (string(word, "const"), string(word, "description"))).collect()
}

static KINDS: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<EventKind>);
static LEVELS: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<LogLevel>);
static ROLES: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<Role>);

fn possible(words: &'static [(String, String)]) -> PossibleValuesParser {
    words
        .iter()
        .map(|(word, about)| PossibleValue::new(word.as_str()).help(about.trim_end_matches('.')))
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn event_kind() -> impl TypedValueParser<Value = EventKind> {
    possible(&KINDS).try_map(|word| serde_json::from_value::<EventKind>(word.into()))
}

pub(super) fn level() -> impl TypedValueParser<Value = LogLevel> {
    possible(&LEVELS).try_map(|word| serde_json::from_value::<LogLevel>(word.into()))
}

pub(super) fn role() -> impl TypedValueParser<Value = Role> {
    possible(&ROLES).try_map(|word| serde_json::from_value::<Role>(word.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_from_the_protocol() {
        assert!(KINDS.iter().any(|(word, about)| word == "join" && about.starts_with("Somebody connected")));
        assert_eq!(LEVELS.first().map(|(word, _)| word.as_str()), Some("error"));
    }
}
