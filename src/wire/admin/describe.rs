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
            args: (spec.args)(&mut generator).to_value(),
            result: (spec.result)(&mut generator).to_value(),
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
