//! Arguments that are one of a fixed set of words. Words and help come from the schemas of the admin protocol, so that
//! none stands here a second time.

use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::settings::{LogLevel, Newcomers};
use crate::wire::admin::args::SanctionKind;
use crate::wire::admin::describe::folded;
use crate::wire::admin::event::EventKind;
use crate::wire::admin::value::Role;

/// The words of an enum without data, each with what it means, from its schema.
///
/// # Panics
/// If `T` is no such enum or has a variant without documentation. Each use is run by a test.
#[must_use]
pub fn of<T: JsonSchema>() -> Vec<(String, String)> {
    let schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let schema = folded(schema.to_value());
    let words = schema.get("oneOf").and_then(Value::as_array).expect("an enum whose variants are documented");
    let string = |word: &Value, key: &str| word[key].as_str().unwrap_or_default().to_owned();
    words.iter().map(|word| (string(word, "const"), string(word, "description"))).collect()
}

static KINDS: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<EventKind>);
static LEVELS: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<LogLevel>);
static SANCTIONS: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<SanctionKind>);
static NEWCOMERS: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<Newcomers>);
static ROLES: LazyLock<Vec<(String, String)>> = LazyLock::new(of::<Role>);

/// Parses one of `words`, which are those of `T`.
fn one_of<T>(words: &'static [(String, String)]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    let value =
        |(word, about): &'static (String, String)| PossibleValue::new(word.as_str()).help(about.trim_end_matches('.'));
    PossibleValuesParser::new(words.iter().map(value)).try_map(|word| serde_json::from_value::<T>(word.into()))
}

pub(super) fn event_kind() -> impl TypedValueParser<Value = EventKind> {
    one_of(&KINDS)
}

pub(super) fn level() -> impl TypedValueParser<Value = LogLevel> {
    one_of(&LEVELS)
}

pub(super) fn sanction_kind() -> impl TypedValueParser<Value = SanctionKind> {
    one_of(&SANCTIONS)
}

pub(super) fn newcomers() -> impl TypedValueParser<Value = Newcomers> {
    one_of(&NEWCOMERS)
}

pub(super) fn role() -> impl TypedValueParser<Value = Role> {
    one_of(&ROLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_options_are_those_of_the_protocol() {
        assert!(KINDS.iter().any(|(word, about)| word == "join" && about.starts_with("Somebody connected")));
        assert_eq!(LEVELS.first().map(|(word, _)| word.as_str()), Some("error"));
    }
}
