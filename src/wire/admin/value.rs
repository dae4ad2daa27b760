//! Values of the admin protocol, with their bounds: checked while they are parsed, and stated in the schemas.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hub::account;
use crate::values::name;
use crate::values::time::Wall;

/// A whole number from `MIN` to `MAX`, checked while it is parsed and stated in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// The number as a count of things in memory.
    #[must_use]
    pub fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// The number as seconds.
    #[must_use]
    pub fn seconds(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        if (MIN..=MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(de::Error::custom(format_args!("{number} is outside {MIN} to {MAX}")))
        }
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Whole<MIN, MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("whole_{MIN}_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A string of 1 to `MAX` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> std::ops::Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.len() {
            0 => Err(de::Error::custom("a string is empty")),
            n if n > MAX => Err(de::Error::custom(format_args!("a string has {n} bytes, at most {MAX} are allowed"))),
            _ => Ok(Self(text)),
        }
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("text_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX, "description": format!("At most {MAX} bytes.")})
    }
}

/// The name of a room. It is read with or without a `#` before it, and written without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// The longest text that is read as one, in bytes.
    const MAX: usize = 256;
}

impl std::ops::Deref for RoomName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for RoomName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > Self::MAX {
            return Err(format!("a string has {} bytes, at most {} are allowed", text.len(), Self::MAX));
        }
        name::of_room(text).map(|name| Self(name.to_owned())).ok_or_else(|| format!("no room can be called {text:?}"))
    }
}

impl<'de> Deserialize<'de> for RoomName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for RoomName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl JsonSchema for RoomName {
    fn schema_name() -> Cow<'static, str> {
        "room_name".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let max = Self::MAX;
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": max,
            "description": format!("With or without a # before it; at most {max} bytes."),
        })
    }
}

/// A point in time: RFC 3339 with milliseconds and `Z`, as in `2026-11-22T10:01:02.123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Wall);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years 1970 to 9999 are what the format holds; a clock outside of them is shown at its end.
        let millis = u64::try_from(self.0.0).unwrap_or(0).min(253_402_300_799_999);
        write!(f, "{}", humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)))
    }
}

impl std::str::FromStr for Time {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let at = humantime::parse_rfc3339_weak(text)
            .map_err(|_| format!("\"{text}\" is not a time like 2026-11-22T10:01:02Z"))?;
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Self(Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A password, on its way to be hashed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What everybody may who has a name of their own.
    Member,
    /// To moderate, in chat.
    Operator,
}

impl From<Role> for account::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Operator => Self::Operator,
        }
    }
}

impl From<account::Role> for Role {
    fn from(role: account::Role) -> Self {
        match role {
            account::Role::Operator => Self::Operator,
            account::Role::Member | account::Role::Guest => Self::Member,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_read_with_a_sign_and_without() {
        for (typed, name) in [("lobby", "lobby"), ("#lobby", "lobby"), ("#Café", "Café")] {
            assert_eq!(typed.parse::<RoomName>().as_deref(), Ok(name));
        }
        for typed in ["", "#", "a room", "# lobby", " lobby", "tea\n"] {
            assert!(typed.parse::<RoomName>().is_err(), "{typed:?}");
        }
        assert!("a".repeat(257).parse::<RoomName>().is_err());
        assert_eq!(serde_json::to_value("#tea".parse::<RoomName>().expect("one")).expect("JSON"), "tea");
    }

    #[test]
    fn times_keep_their_milliseconds() {
        let time: Time = "2026-11-22T10:01:02.123Z".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-11-22T10:01:02.123Z");
        assert!("yesterday".parse::<Time>().is_err());
    }
}
