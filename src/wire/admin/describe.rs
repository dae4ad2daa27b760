//! The answer to `describe`: the table with its JSON Schemas.

use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::admin::args::DescribeArgs;
use crate::wire::admin::message::{ControlError, ErrorCode, PROTOCOL};
use crate::wire::admin::{COMMANDS, Effect, Level, Replies, unknown_command};

/// The commands and their schemas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// The version of the admin protocol.
    pub protocol: u32,
    /// The commands that the daemon carries out, or the one that was asked for.
    pub commands: Vec<CommandDescription>,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDescription {
    /// The name of the command, such as `clients.kick`.
    pub name: String,
    /// What the command does.
    pub about: String,
    /// The least level at which the command is carried out: `monitor` on each socket, `admin` on the admin socket only.
    #[serde(default)]
    pub level: Level,
    /// Whether the command changes something.
    pub changes: bool,
    /// How many replies the command has: `one`, `one_or_more` or `more`.
    pub replies: String,
    /// The JSON Schema of the `args` of a request.
    pub args: Value,
    /// The JSON Schema of the `result` of a reply.
    pub result: Value,
}

/// The answer to `describe`.
///
/// # Errors
/// [`ErrorCode::NotFound`] if there is no such command.
pub fn describe(args: &DescribeArgs) -> Result<Description, ControlError> {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let commands: Vec<_> = COMMANDS
        .iter()
        .filter(|spec| args.cmd.as_ref().is_none_or(|cmd| &**cmd == spec.name))
        .map(|spec| CommandDescription {
            name: spec.name.into(),
            about: spec.about.trim().into(),
            level: spec.level(),
            changes: spec.effect == Effect::Changes,
            replies: match spec.replies {
                Replies::One => "one",
                Replies::OneOrMore => "one_or_more",
                Replies::More => "more",
            }
            .into(),
            args: folded((spec.args)(&mut generator).to_value()),
            result: folded((spec.result)(&mut generator).to_value()),
        })
        .collect();
    match &args.cmd {
        Some(cmd) if commands.is_empty() => {
            let error = unknown_command(cmd);
            Err(ControlError::new(ErrorCode::NotFound, error.message))
        }
        _ => Ok(Description { protocol: PROTOCOL, commands }),
    }
}

/// The schema with each of its descriptions as one line a paragraph. They come from the documentation in the source,
/// with the ends of its lines, which mean nothing to whoever reads the schema.
#[must_use]
pub fn folded(mut schema: Value) -> Value {
    fold(&mut schema);
    schema
}

fn fold(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            for (key, value) in keys {
                // A field of that name has an object here: its schema.
                match value {
                    Value::String(text) if key == "description" && text.contains('\n') => {
                        let paragraphs =
                            text.split("\n\n").map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
                        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
                    }
                    _ => fold(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(fold),
        _ => {}
    }
}

/// What [`describe`] says, as JSON: made once for each command that is asked for, and for all of them. The first
/// time takes milliseconds.
///
/// # Errors
/// As [`describe`].
pub fn described(args: &DescribeArgs) -> Result<&'static str, ControlError> {
    static ALL: OnceLock<String> = OnceLock::new();
    static EACH: [OnceLock<String>; COMMANDS.len()] = [const { OnceLock::new() }; COMMANDS.len()];
    let place = match &args.cmd {
        None => &ALL,
        Some(cmd) => match COMMANDS.iter().position(|spec| spec.name == &**cmd) {
            Some(at) => &EACH[at],
            None => return Err(ControlError::new(ErrorCode::NotFound, unknown_command(cmd).message)),
        },
    };
    if let Some(made) = place.get() {
        return Ok(made);
    }
    let value = serde_json::to_value(describe(args)?).expect("schemas are plain JSON");
    Ok(place.get_or_init(|| value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The descriptions in a schema.
    fn descriptions(schema: &Value) -> Vec<&str> {
        match schema {
            Value::Object(keys) => {
                let own = keys.get("description").and_then(Value::as_str);
                own.into_iter().chain(keys.values().flat_map(descriptions)).collect()
            }
            Value::Array(values) => values.iter().flat_map(descriptions).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn no_line_of_a_description_ends_within_a_sentence() {
        let said = json!({"description": "One line,\nand another.\n\nA paragraph.",
            "properties": {"description": {"description": "Why,\n  if known."}}, "oneOf": [{"description": "a\nb"}]});
        let folded = json!({"description": "One line, and another.\n\nA paragraph.",
            "properties": {"description": {"description": "Why, if known."}}, "oneOf": [{"description": "a b"}]});
        assert_eq!(super::folded(said), folded);
        for command in describe(&DescribeArgs::default()).expect("all").commands {
            for text in descriptions(&command.args).into_iter().chain(descriptions(&command.result)) {
                assert!(!text.replace("\n\n", "").contains('\n'), "{}: {text:?}", command.name);
            }
            assert!(!command.about.contains(['\n']), "{}: {:?}", command.name, command.about);
        }
    }

    #[test]
    fn every_command_is_described_with_schemas_and_has_a_name_of_its_own() {
        let description = describe(&DescribeArgs::default()).expect("all");
        assert_eq!(description.commands.len(), COMMANDS.len());
        let mut names: Vec<_> = COMMANDS.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
        for command in &description.commands {
            assert_eq!(command.args["additionalProperties"], json!(false), "{} takes unknown keys", command.name);
            assert!(!command.about.is_empty());
        }
        let kick = description.commands.iter().find(|c| c.name == "clients.kick").expect("kick");
        assert_eq!(kick.args["required"], json!(["who"]));
    }
}
