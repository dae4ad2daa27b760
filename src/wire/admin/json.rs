//! Reading JSON for the admin protocol. It adds two things to serde_json: a key that stands twice
//! in one object is an error, and errors are worded by us and name the argument that they are
//! about.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::StringDeserializer,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value, error::Category, map};

/// A parsed text of JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The value. A key that stands twice in an object has the value null, because nobody knows
    /// which one is meant.
    pub value: Value,
    /// The first key that stands twice in one object, at any depth; `None` if there is none.
    pub twice: Option<String>,
}

/// Parses a text of JSON.
///
/// # Errors
/// The reason why the text is not JSON, in words for people.
pub fn read(text: &[u8]) -> Result<Read, String> {
    let mut twice = None;
    let mut from = serde_json::Deserializer::from_slice(text);
    let value = Once { twice: &mut twice }.deserialize(&mut from).and_then(|value| from.end().map(|()| value));
    value.map(|value| Read { value, twice }).map_err(|error| flaw(&error))
}

/// The error text about a key that stands twice.
#[must_use]
pub fn given_twice(key: &str) -> String {
    let shown: String = key.chars().take(64).collect();
    format!("{shown:?} is given twice")
}

/// The reason why a text is not JSON, in words for people.
fn flaw(error: &Error) -> String {
    if error.classify() == Category::Eof {
        return "it ends too early".into();
    }
    let text = error.to_string();
    let text = match text.split(" at line").next().unwrap_or_default() {
        "expected value" | "expected ident" => "there is no value",
        "key must be a string" => "a key stands in double quotes",
        "trailing characters" => "something follows it",
        "trailing comma" => "nothing follows a comma",
        "recursion limit exceeded" => "it is nested too deeply",
        other => other,
    };
    format!("{text}, at byte {}", error.column())
}

/// Deserializes a value, and notes the first key that stands twice in one object.
struct Once<'a> {
    twice: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = from.next_element_seed(Once { twice: &mut *self.twice })? {
            values.push(value);
        }
        Ok(values.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            let mut value = from.next_value_seed(Once { twice: &mut *self.twice })?;
            if object.contains_key(&key) {
                value = Value::Null;
                self.twice.get_or_insert_with(|| key.clone());
            }
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

/// The arguments of a command as a deserializer: an error in a value names its argument.
pub(super) struct Arguments(pub(super) Value);

impl<'de> Deserializer<'de> for Arguments {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(object) => visitor.visit_map(Entries { left: object.into_iter(), entry: None }),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The arguments that are not deserialized yet.
struct Entries {
    left: map::IntoIter,
    entry: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.entry = self.left.next();
        let Some((key, _)) = &self.entry else { return Ok(None) };
        let key: StringDeserializer<Error> = key.clone().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, value) = self.entry.take().unwrap_or_default();
        seed.deserialize(value).map_err(|error| Error::custom(format_args!("{key:?}: {}", in_words(&error))))
    }
}

/// Turns serde's list of known fields into words: `are "a", "b"` or `is "a"`.
fn of_known(listed: &str) -> String {
    let listed = listed.trim_start_matches("one of ").replace('`', "\"");
    if listed.contains([',', ' ']) { format!("are {listed}") } else { format!("is {listed}") }
}

/// An error of serde_json in words for people: about a text of JSON, about arguments, or about the
/// value of one.
#[must_use]
pub fn in_words(error: &Error) -> String {
    if error.is_eof() || error.is_syntax() {
        return flaw(error);
    }
    let text = error.to_string();
    // For a text of JSON, the error ends with its place.
    let text = match text.rsplit_once(" at line ") {
        Some((text, _)) if error.line() > 0 => text.to_owned(),
        _ => text,
    };
    let quoted = |text: &str| text.trim_matches('`').to_owned();
    if let Some(name) = text.strip_prefix("missing field ") {
        return format!("{:?} is missing", quoted(name));
    }
    // The list of expected names stands last and is our own text. The unknown name before it comes
    // from the client and can hold anything, so it is split off from the right.
    if let Some(rest) = text.strip_prefix("unknown field ") {
        let (name, known) = match rest.strip_suffix(", there are no fields") {
            Some(name) => (name, "there are none".to_owned()),
            None => {
                let (name, known) = rest.rsplit_once(", expected ").unwrap_or((rest, "nothing"));
                (name, format!("known {}", of_known(known)))
            }
        };
        // Remove only the outer quotation marks: the name may contain some itself.
        let name = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')).unwrap_or(name);
        let name: String = name.chars().take(64).collect();
        return format!("unknown argument {name:?}; {known}");
    }
    if let Some((word, known)) = text.strip_prefix("unknown variant ").and_then(|text| text.rsplit_once(", expected "))
    {
        let known = known.trim_start_matches("one of ").replace('`', "\"");
        return format!("{:?} is not {known}", quoted(word));
    }
    let wrong = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    let Some((given, needed)) = wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) else { return text };
    let given = match given.split_once(" `") {
        Some((_, number)) => quoted(number),
        None => match given {
            "map" => "an object".to_owned(),
            "sequence" => "a list".to_owned(),
            other => other.trim_start_matches("string ").to_owned(),
        },
    };
    let needed = match needed {
        "u64" | "u32" | "u16" | "u8" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct") => "an object",
        other => other,
    };
    format!("{needed} is needed, not {given}")
}
