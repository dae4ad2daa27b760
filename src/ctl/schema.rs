//! JSON Schemas of the admin protocol, read field by field for `ctl describe` and chathub-admin(7).

use serde_json::Value;

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key in the object.
    pub name: String,
    /// Its type and bounds, such as `integer, 1 to 3600`.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, from the schema's description.
    pub about: String,
}

/// The fields of the object that `schema` describes; those that are required come first.
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

/// The object that the field `name` of `schema` is, or is an array of; null if it is neither.
#[must_use]
pub fn within<'a>(schema: &'a Value, name: &str) -> &'a Value {
    let field = &schema["properties"][name];
    if field["items"]["properties"].is_object() { &field["items"] } else { field }
}

/// The words of an enum, if `schema` is one.
#[must_use]
pub fn words(schema: &Value) -> Vec<&str> {
    let list = |key: &str| schema[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let consts = list("oneOf").iter().filter_map(|variant| variant["const"].as_str());
    list("enum").iter().filter_map(Value::as_str).chain(consts).collect()
}

/// The type that a schema describes, in words, with its bounds.
fn kind(schema: &Value) -> String {
    // An optional field has the schema "of its type, or null".
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
