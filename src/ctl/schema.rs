//! Reads the JSON Schemas of the admin protocol field by field, for `ctl describe` and
//! chathub-admin(7).

use serde_json::Value;

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key of the field in the object.
    pub name: String,
    /// Its type and bounds in words, such as `integer, 1 to 3600`.
    pub kind: String,
    /// Whether the object must have this field.
    pub required: bool,
    /// The meaning of the field, from the schema's `description`; empty if it has none.
    pub about: String,
}

/// The fields of the object that `schema` describes: the required ones first, otherwise in the
/// schema's order.
#[must_use]
pub fn fields(schema: &Value) -> Vec<Field> {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let field = |(name, schema): (&String, &Value)| Field {
        name: name.clone(),
        kind: kind(schema),
        required: required(name),
        about: schema["description"].as_str().unwrap_or_default().to_owned(),
    };
    let mut fields: Vec<_> = properties.iter().map(field).collect();
    fields.sort_by_key(|field| !field.required);
    fields
}

/// The schema of the object in the field `name`, or of the objects in the array there. If the field
/// holds neither, its own schema; null if there is no such field.
#[must_use]
pub fn within<'a>(schema: &'a Value, name: &str) -> &'a Value {
    let field = &schema["properties"][name];
    if field["items"]["properties"].is_object() { &field["items"] } else { field }
}

/// The words that are allowed if `schema` is an enum; otherwise empty.
#[must_use]
pub fn words(schema: &Value) -> Vec<&str> {
    let list = |key: &str| schema[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let consts = list("oneOf").iter().filter_map(|variant| variant["const"].as_str());
    list("enum").iter().filter_map(Value::as_str).chain(consts).collect()
}

/// The type of a value in words, with its bounds.
fn kind(schema: &Value) -> String {
    // The schema of an optional field is "its type, or null".
    let nullable = schema["anyOf"].as_array().into_iter().flatten().find(|choice| choice["type"] != "null");
    if let Some(inner) = nullable {
        return kind(inner);
    }
    let words = words(schema);
    if !words.is_empty() {
        return words.join(" | ");
    }
    let named = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        other => other.as_str(),
    };
    let bound = |key: &str| schema[key].as_u64();
    match named {
        Some("array") => format!("array of {}", kind(&schema["items"])),
        Some("integer") => match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) if schema["format"].is_null() => format!("integer, {least} to {most}"),
            _ => "integer".into(),
        },
        Some("string") if schema["format"] == "date-time" => "time".into(),
        Some("string") => match (bound("minLength"), bound("maxLength")) {
            (Some(least), Some(most)) => format!("string, {least} to {most} bytes"),
            _ => "string".into(),
        },
        Some(other) => other.into(),
        None => "any".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::admin::args::DescribeArgs;
    use crate::wire::admin::describe::describe;

    fn args_of(name: &str) -> Vec<String> {
        let all = describe(&DescribeArgs::default()).expect("all");
        let command = all.commands.iter().find(|command| command.name == name).expect(name);
        fields(&command.args).iter().map(|field| format!("{} ({})", field.name, field.kind)).collect()
    }

    #[test]
    fn schemas_are_read_as_people_would_say_them() {
        assert_eq!(
            args_of("clients.kick"),
            [
                "who (array of string, 1 to 256 bytes)",
                "ban_s (integer, 1 to 3153600000)",
                "reason (string, 1 to 256 bytes)"
            ]
        );
        let history = args_of("history.dump");
        assert!(history.contains(&"last (integer, 1 to 1000000)".into()), "{history:?}");
        assert!(history.contains(&"since (time)".into()), "{history:?}");
        assert_eq!(args_of("log.level"), ["level (error | warn | info | debug | trace)"]);
        assert!(args_of("events.subscribe")[0].starts_with("kinds (array of join | leave"));
    }
}
