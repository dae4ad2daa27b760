//! Which fields and variants a value is made of, as serde asks for them while it reads that value.
//!
//! A type that is read by a derived `Deserialize` names all of its fields, or variants, when it asks for one. So
//! what a snapshot has and nobody asks for comes to light, and what could be there and is nowhere set.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

/// What was asked for, and what of it was there.
#[derive(Debug, Default)]
pub struct Seen {
    /// By the name of a struct and its fields: those that had a value which is not empty.
    structs: BTreeMap<(String, Fields), BTreeSet<&'static str>>,
    /// The same for enums and their variants.
    enums: BTreeMap<(String, Fields), BTreeSet<&'static str>>,
    /// Where something stands that nobody asked for, and who was there instead.
    pub unknown: Vec<String>,
}

type Fields = &'static [&'static str];

impl Seen {
    /// What `value` is, read as the type wants it. `path` is where it stands.
    ///
    /// # Errors
    /// What cannot be read, and where it stands.
    pub fn read<T: DeserializeOwned>(&mut self, value: &Value, path: &str) -> Result<T, String> {
        let seen = RefCell::new(std::mem::take(self));
        let read = T::deserialize(Part { value, path: path.to_owned(), seen: &seen });
        *self = seen.into_inner();
        read.map_err(|trouble| trouble.to_string())
    }

    /// All that could be there and is nowhere, as `Struct.field` and `Enum::Variant`.
    pub fn missing(&self) -> BTreeSet<String> {
        let fields = self.structs.iter().flat_map(|((name, fields), seen)| {
            fields.iter().filter(|field| !seen.contains(*field)).map(move |field| format!("{name}.{field}"))
        });
        let variants = self.enums.iter().flat_map(|((name, variants), seen)| {
            variants.iter().filter(|variant| !seen.contains(*variant)).map(move |variant| format!("{name}::{variant}"))
        });
        fields.chain(variants).collect()
    }
}

/// Whether a value says more than that there is none.
pub fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// What cannot be read, and where that is.
#[derive(Debug)]
struct Trouble {
    path: Option<String>,
    what: String,
}

impl Trouble {
    /// The same; it is there, if it was not known where.
    fn at(mut self, path: &str) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.as_deref().unwrap_or("?"), self.what)
    }
}

impl std::error::Error for Trouble {}

impl de::Error for Trouble {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self { path: None, what: what.to_string() }
    }
}

/// A value, and where it stands.
#[derive(Clone)]
struct Part<'a> {
    value: &'a Value,
    path: String,
    seen: &'a RefCell<Seen>,
}

impl<'a> Part<'a> {
    fn part(&self, value: &'a Value, name: impl fmt::Display) -> Self {
        Self { value, path: format!("{}{name}", self.path), seen: self.seen }
    }

    /// Visits what this is, without being asked for a type.
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let path = self.path.clone();
        let visited = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(on) => visitor.visit_bool(*on),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(values) => {
                let mut parts = Parts { whole: &self, values: values.iter().enumerate() };
                let visited = visitor.visit_seq(&mut parts);
                match (visited, parts.values.len()) {
                    (Ok(_), left @ 1..) => {
                        Err(de::Error::custom(format_args!("{left} of {} elements are too many", values.len())))
                    }
                    (visited, _) => visited,
                }
            }
            Value::Object(fields) => visitor.visit_map(Named { whole: &self, fields: fields.iter(), value: None }),
        };
        visited.map_err(|trouble: Trouble| trouble.at(&path))
    }

    /// Notes the fields of a struct.
    fn note(&self, name: &str, fields: Fields) {
        let mut seen = self.seen.borrow_mut();
        let set = seen.structs.entry((name.to_owned(), fields)).or_default();
        let Value::Object(found) = self.value else { return };
        let mut unknown = Vec::new();
        for (key, value) in found {
            match fields.iter().find(|field| *field == key) {
                Some(field) if is_set(value) => _ = set.insert(field),
                Some(_) => {}
                None => unknown.push(format!("{}.{key}: no field of `{name}` is called `{key}`", self.path)),
            }
        }
        seen.unknown.append(&mut unknown);
    }
}

impl<'de> Deserializer<'de> for Part<'_> {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let path = self.path.clone();
        let visited = if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) };
        visited.map_err(|trouble| trouble.at(&path))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Trouble> {
        let path = self.path.clone();
        visitor.visit_newtype_struct(self).map_err(|trouble| trouble.at(&path))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: Fields,
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        self.note(name, fields);
        self.visit(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: Fields,
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        let path = self.path.clone();
        let (variant, content) = match self.value {
            Value::String(variant) => (variant, None),
            Value::Object(fields) if fields.len() == 1 => {
                let (variant, content) = fields.iter().next().expect("it has one");
                (variant, Some(self.part(content, format_args!(".{variant}"))))
            }
            _ => return Err(Trouble { path: Some(path), what: format!("no variant of `{name}`") }),
        };
        {
            let mut seen = self.seen.borrow_mut();
            let set = seen.enums.entry((name.to_owned(), variants)).or_default();
            set.extend(variants.iter().find(|known| *known == variant));
        }
        let variant = Variant { name, variant, content };
        visitor.visit_enum(variant).map_err(|trouble| trouble.at(&path))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

/// The elements of an array.
struct Parts<'a, 'b> {
    whole: &'b Part<'a>,
    values: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
}

impl<'de> SeqAccess<'de> for Parts<'_, '_> {
    type Error = Trouble;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Trouble> {
        let Some((at, value)) = self.values.next() else { return Ok(None) };
        seed.deserialize(self.whole.part(value, format_args!("[{at}]"))).map(Some)
    }
}

/// The fields of an object.
struct Named<'a, 'b> {
    whole: &'b Part<'a>,
    fields: serde_json::map::Iter<'a>,
    value: Option<Part<'a>>,
}

impl<'de> MapAccess<'de> for Named<'_, '_> {
    type Error = Trouble;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Trouble> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        let part = self.whole.part(value, format_args!(".{key}"));
        let read = seed.deserialize(Key(key)).map_err(|trouble| trouble.at(&part.path));
        self.value = Some(part);
        read.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Trouble> {
        seed.deserialize(self.value.take().expect("a key came before"))
    }
}

/// A variant of an enum, and what it holds.
struct Variant<'a> {
    name: &'static str,
    variant: &'a str,
    content: Option<Part<'a>>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Trouble;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Trouble> {
        Ok((seed.deserialize(StrDeserializer::<Trouble>::new(self.variant))?, self))
    }
}

impl Variant<'_> {
    fn nothing_in_it(&self) -> Trouble {
        de::Error::custom(format_args!("`{}::{}` holds nothing", self.name, self.variant))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Trouble;

    fn unit_variant(self) -> Result<(), Trouble> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(de::Error::custom(format_args!("`{}::{}` holds something", self.name, self.variant))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Trouble> {
        let nothing = self.nothing_in_it();
        seed.deserialize(self.content.ok_or(nothing)?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Trouble> {
        let nothing = self.nothing_in_it();
        self.content.ok_or(nothing)?.visit(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: Fields, visitor: V) -> Result<V::Value, Trouble> {
        let nothing = self.nothing_in_it();
        let content = self.content.ok_or(nothing)?;
        content.note(&format!("{}::{}", self.name, self.variant), fields);
        content.visit(visitor)
    }
}

/// The key of a map: a text, or a number that is written as one.
struct Key<'a>(&'a str);

macro_rules! numbers {
    ($($ask:ident $visit:ident)*) => {
        $(fn $ask<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_str(self.0),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_newtype_struct(self)
    }

    numbers! {
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map
        struct enum identifier ignored_any
    }
}
