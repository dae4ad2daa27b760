//! Value types of the admin protocol with bounds, which are checked while they are parsed and
//! stated in the JSON Schemas.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hub::account;
use crate::values::name;
use crate::values::time::Wall;
use crate::wire::admin::message::EXACT;

/// A whole number from `MIN` to `MAX`, both included.
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
        let number = whole(from)?;
        if (MIN..=MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(de::Error::custom(format_args!("{number} is outside {MIN} to {MAX}")))
        }
    }
}

/// Deserializes a whole number that is not negative. `60.0` is accepted, because it is an integer
/// for JSON Schema.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    struct Number;
    impl de::Visitor<'_> for Number {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }
        fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
            Ok(number)
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
            u64::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
        }
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<u64, E> {
            // A larger float may differ from the number that was written.
            if number.fract() == 0.0 && (0.0..=EXACT).contains(&number) {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it is a whole number in range"
                )]
                return Ok(number as u64);
            }
            Err(E::invalid_value(de::Unexpected::Float(number), &self))
        }
    }
    from.deserialize_any(Number)
}

/// Deserializes a whole number that may be left out.
pub(super) fn some_whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    struct Given(u64);
    impl<'de> Deserialize<'de> for Given {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            whole(from).map(Self)
        }
    }
    Option::<Given>::deserialize(from).map(|given| given.map(|given| given.0))
}

/// Deserializes a list with at least one entry.
pub(super) fn not_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(from)?;
    if list.is_empty() { Err(de::Error::custom("a list is empty")) } else { Ok(list) }
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

/// The name of a room. It is parsed with or without a `#` before it, and written without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// The longest text that is accepted, in bytes.
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
        // The format holds the years 1970 to 9999; times outside are shown as the nearest one.
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

impl Time {
    /// Parses strict RFC 3339: with `T`, and with `Z` or an offset from UTC; `None` for other
    /// texts.
    fn strict(text: &str) -> Option<Self> {
        let given = text.to_ascii_uppercase();
        if given.as_bytes().get(10) != Some(&b'T') {
            return None;
        }
        if given.ends_with('Z') {
            return given.parse().ok();
        }
        let (local, offset) = given.split_at_checked(given.len().checked_sub(6)?)?;
        let (sign, offset) = (offset.get(..1)?, offset.get(1..)?);
        let (hours, minutes) = offset.split_once(':')?;
        let two =
            |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?;
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let ahead = match sign {
            "+" if hours < 24 && minutes < 60 => (hours * 60 + minutes) * 60_000,
            "-" if hours < 24 && minutes < 60 => -(hours * 60 + minutes) * 60_000,
            _ => return None,
        };
        if !local.ends_with(|last: char| last.is_ascii_digit()) {
            return None;
        }
        let Self(Wall(millis)) = format!("{local}Z").parse().ok()?;
        Some(Self(Wall(millis.saturating_sub(ahead))))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::strict(&text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            de::Error::custom(format_args!(
                "{shown:?} is no time like 2026-11-22T10:01:02Z or 2026-11-22T12:01:02+02:00"
            ))
        })
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

    #[test]
    fn what_a_schema_allows_is_read_and_what_it_forbids_is_not() {
        let time = |text: &str| serde_json::from_value::<Time>(text.into()).map(|time| time.to_string());
        for text in [
            "2026-11-22T10:01:02Z",
            "2026-11-22t10:01:02.000z",
            "2026-11-22T12:31:02+02:30",
            "2026-11-22T05:01:02-05:00",
        ] {
            assert_eq!(time(text).as_deref().ok(), Some("2026-11-22T10:01:02.000Z"), "{text}");
        }
        for text in [
            "2026-11-22T10:01:02",
            "2026-11-22 10:01:02Z",
            "2026-11-22",
            "2026-11-22T10:01:02+2:30",
            "2026-11-22T10:01:02+24:00",
            "2026-11-22T10:01:02Z+01:00",
            "é026-11-22T10:01:02+é:00",
            "",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
        let whole = |text: &str| serde_json::from_str::<Whole<1, 100>>(text).map(|number| number.0).ok();
        for (text, number) in [("60", Some(60)), ("60.0", Some(60)), ("6e1", Some(60)), ("60.5", None), ("-60", None)] {
            assert_eq!(whole(text), number, "{text}");
        }
        for text in ["1e30", "101.0", "0.0", "\"60\"", "true"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
