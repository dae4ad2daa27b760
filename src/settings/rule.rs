//! Rules: what may be written for a value of type `T`, and how a value is written.

use core::net::SocketAddr;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::values::network::Network;
use crate::values::time::parse_length;

use super::Word;

pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;
pub(super) const GIB: u64 = 1 << 30;

/// What values of type `T` a setting may have, and how one writes them.
pub(super) trait Rule<T> {
    /// The value that was written. If it is not allowed: the part of it that is wrong, ready to be shown.
    fn read(&self, written: &DeValue<'_>) -> Result<T, String>;
    /// The value as one writes it in TOML.
    fn write(&self, value: &T) -> String;
    /// What may be written, in words.
    fn allowed(&self) -> String;
    /// What a number counts.
    fn unit(&self) -> &'static str {
        ""
    }
}

/// A whole number, counting `unit`.
pub(super) struct Whole {
    min: u64,
    max: u64,
    unit: &'static str,
}

pub(super) const fn whole(min: u64, max: u64, unit: &'static str) -> Whole {
    Whole { min, max, unit }
}

impl<T> Rule<T> for Whole
where
    T: TryFrom<u64> + Copy + fmt::Display,
{
    fn read(&self, written: &DeValue<'_>) -> Result<T, String> {
        let number = match written {
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        };
        number
            .filter(|number| (self.min..=self.max).contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| show(written))
    }
    fn write(&self, value: &T) -> String {
        value.to_string()
    }
    fn allowed(&self) -> String {
        format!("a whole number from {} to {} ({})", self.min, self.max, self.unit)
    }
    fn unit(&self) -> &'static str {
        self.unit
    }
}

/// A number of bytes: an integer, or text with a binary unit.
pub(super) struct Size {
    min: u64,
    max: u64,
    unit: &'static str,
}

pub(super) const fn size(min: u64, max: u64, unit: &'static str) -> Size {
    Size { min, max, unit }
}

/// Units of a size, the largest first.
const SIZES: [(&str, u64); 4] = [("GiB", GIB), ("MiB", MIB), ("KiB", KIB), ("B", 1)];

fn parse_size(text: &str) -> Option<u64> {
    let (number, factor) = SIZES.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let number = number.trim_ascii_end();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None; // `parse` would take a sign
    }
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn show_size(bytes: u64) -> String {
    let (unit, factor) =
        SIZES.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor)).unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / factor)
}

impl Rule<usize> for Size {
    fn read(&self, written: &DeValue<'_>) -> Result<usize, String> {
        let bytes = match written {
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            DeValue::String(text) => parse_size(text),
            _ => None,
        };
        bytes
            .filter(|bytes| (self.min..=self.max).contains(bytes))
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or_else(|| show(written))
    }
    fn write(&self, value: &usize) -> String {
        let bytes = u64::try_from(*value).unwrap_or(u64::MAX);
        if bytes >= KIB && bytes.is_multiple_of(KIB) { quote(&show_size(bytes)) } else { bytes.to_string() }
    }
    fn allowed(&self) -> String {
        let (min, max) = (show_size(self.min), show_size(self.max));
        format!("a size from {min} to {max}, written like 4096 or \"4KiB\" ({})", self.unit)
    }
    fn unit(&self) -> &'static str {
        self.unit
    }
}

/// A length of time.
pub(super) struct Time {
    min: &'static str,
    max: &'static str,
}

/// Bounds in the words in which they are shown; a test parses them all.
pub(super) const fn time(min: &'static str, max: &'static str) -> Time {
    Time { min, max }
}

fn parse_time(text: &str) -> Option<Duration> {
    parse_length(text).ok()
}

fn show_time(time: Duration) -> String {
    const UNITS: [(&str, u128); 6] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1000),
    ];
    let nanos = time.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let (unit, factor) = UNITS.iter().find(|(_, factor)| nanos.is_multiple_of(*factor)).unwrap_or(&("ns", 1));
    format!("{}{unit}", nanos / factor)
}

impl Time {
    fn parse(&self, text: &str) -> Option<Duration> {
        let (min, max) = (parse_time(self.min)?, parse_time(self.max)?);
        parse_time(text).filter(|time| (min..=max).contains(time))
    }
}

impl Rule<Duration> for Time {
    fn read(&self, written: &DeValue<'_>) -> Result<Duration, String> {
        written.as_str().and_then(|text| self.parse(text)).ok_or_else(|| show(written))
    }
    fn write(&self, value: &Duration) -> String {
        format!("\"{}\"", show_time(*value))
    }
    fn allowed(&self) -> String {
        format!("a time from {} to {}, written like \"90s\" or \"1h 30min\"", self.min, self.max)
    }
}

/// A length of time, or none: `"off"` or no time at all.
pub(super) struct TimeOrOff(pub(super) Time);

impl Rule<Option<Duration>> for TimeOrOff {
    fn read(&self, written: &DeValue<'_>) -> Result<Option<Duration>, String> {
        match written.as_str() {
            Some("off") => Ok(None),
            Some(text) if parse_time(text).is_some_and(|time| time.is_zero()) => Ok(None),
            _ => self.0.read(written).map(Some),
        }
    }
    fn write(&self, value: &Option<Duration>) -> String {
        value.map_or_else(|| "\"off\"".to_owned(), |time| self.0.write(&time))
    }
    fn allowed(&self) -> String {
        format!("{}, or \"off\"", self.0.allowed())
    }
}

/// One line of text; its length is counted in characters.
pub(super) struct Text {
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Rule<String> for Text {
    fn read(&self, written: &DeValue<'_>) -> Result<String, String> {
        written
            .as_str()
            .filter(|text| (self.min..=self.max).contains(&text.chars().count()))
            .filter(|text| !text.chars().any(char::is_control))
            .filter(|text| text.trim() == *text)
            .map(str::to_owned)
            .ok_or_else(|| show(written))
    }
    fn write(&self, value: &String) -> String {
        quote(value)
    }
    fn allowed(&self) -> String {
        let (min, max) = (self.min, self.max);
        format!("text of {min} to {max} characters, on one line, without spaces around it")
    }
}

/// A text of several rows; its length is counted in characters.
pub(super) struct Rows {
    pub(super) rows: usize,
    pub(super) max: usize,
}

impl Rule<String> for Rows {
    fn read(&self, written: &DeValue<'_>) -> Result<String, String> {
        let is_row = |row: &str| !row.chars().any(char::is_control) && row.trim_end() == row;
        written
            .as_str()
            .filter(|text| text.chars().count() <= self.max && text.lines().count() <= self.rows)
            .filter(|text| text.trim() == *text && text.lines().all(is_row))
            .map(|text| text.replace("\r\n", "\n"))
            .ok_or_else(|| show(written))
    }
    fn write(&self, value: &String) -> String {
        quote(value)
    }
    fn allowed(&self) -> String {
        let (rows, max) = (self.rows, self.max);
        format!("text of at most {max} characters in at most {rows} rows, without spaces at their ends")
    }
}

/// One of the words of `T`.
pub(super) struct Choice;

impl<T: Word> Rule<T> for Choice {
    fn read(&self, written: &DeValue<'_>) -> Result<T, String> {
        written.as_str().and_then(T::from_word).ok_or_else(|| show(written))
    }
    fn write(&self, value: &T) -> String {
        format!("\"{}\"", value.word())
    }
    fn allowed(&self) -> String {
        let words: Vec<_> = T::WORDS.iter().map(|(_, word)| format!("\"{word}\"")).collect();
        match words.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => words.concat(),
        }
    }
}

/// Addresses to listen on: at least so many.
pub(super) struct Addresses {
    pub(super) min: usize,
}

impl Addresses {
    /// A hub that listens on more has a wrong file rather than many networks.
    const MAX: usize = 64;
}

impl Rule<Vec<SocketAddr>> for Addresses {
    fn read(&self, written: &DeValue<'_>) -> Result<Vec<SocketAddr>, String> {
        let list = written
            .as_array()
            .filter(|list| (self.min..=Self::MAX).contains(&list.len()))
            .ok_or_else(|| show(written))?;
        let mut addresses = Vec::new();
        for item in list.iter() {
            let item = item.get_ref();
            let address = item.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| show(item))?;
            // Port 0 stands for a port of the kernel's choice, another one each time.
            if address_is_taken(&addresses, address) {
                return Err(format!("{} a second time", show(item)));
            }
            addresses.push(address);
        }
        Ok(addresses)
    }
    fn write(&self, value: &Vec<SocketAddr>) -> String {
        let addresses: Vec<_> = value.iter().map(|address| format!("\"{address}\"")).collect();
        format!("[{}]", addresses.join(", "))
    }
    fn allowed(&self) -> String {
        format!(
            "a list of {} to {} numeric addresses with port, like [\"0.0.0.0:6969\", \"[::]:6969\"]",
            self.min,
            Self::MAX
        )
    }
}

fn address_is_taken(addresses: &[SocketAddr], address: SocketAddr) -> bool {
    address.port() != 0 && addresses.contains(&address)
}

/// Where a Unix socket is, or empty.
pub(super) struct SocketPath;

impl SocketPath {
    /// Bytes of a path: what the kernel's `sockaddr_un` holds, less the NUL at its end.
    const MAX: usize = 107;
}

impl Rule<Option<PathBuf>> for SocketPath {
    fn read(&self, written: &DeValue<'_>) -> Result<Option<PathBuf>, String> {
        match written.as_str() {
            Some("") => Ok(None),
            Some(path) if path.starts_with('/') && path.len() <= Self::MAX && !path.contains(char::is_control) => {
                Ok(Some(path.into()))
            }
            _ => Err(show(written)),
        }
    }
    fn write(&self, value: &Option<PathBuf>) -> String {
        quote(&value.as_ref().map_or_else(String::new, |path| path.display().to_string()))
    }
    fn allowed(&self) -> String {
        format!("an absolute path of at most {} bytes, or \"\"", Self::MAX)
    }
}

/// A host and a port, as people are told them, or none.
pub(super) struct Reached;

impl Reached {
    /// Characters of a host's name (RFC 1035).
    const MAX: usize = 253;

    /// Whether it can stand behind `openssl s_client -connect` as it is.
    fn is_one(text: &str) -> bool {
        let Some((host, port)) = text.rsplit_once(':') else { return false };
        let is_v6 = |host: &str| host.parse::<core::net::Ipv6Addr>().is_ok();
        let is_name = |host: &str| {
            host.starts_with(|c: char| c.is_ascii_alphanumeric())
                && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
        };
        let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inside) => is_v6(inside),
            None => host.len() <= Self::MAX && is_name(host),
        };
        is_host && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    }
}

impl Rule<Option<String>> for Reached {
    fn read(&self, written: &DeValue<'_>) -> Result<Option<String>, String> {
        match written.as_str() {
            Some("") => Ok(None),
            Some(text) if Self::is_one(text) => Ok(Some(text.to_owned())),
            _ => Err(show(written)),
        }
    }
    fn write(&self, value: &Option<String>) -> String {
        quote(value.as_deref().unwrap_or_default())
    }
    fn allowed(&self) -> String {
        "a host and a port, like \"chat.example.org:6970\" or \"[2001:db8::1]:6970\", or \"\"".to_owned()
    }
}

/// Names of rooms.
pub(super) struct RoomNames;

impl RoomNames {
    /// Names in the list, and characters of each.
    const MAX: usize = 64;
}

impl Rule<Vec<String>> for RoomNames {
    fn read(&self, written: &DeValue<'_>) -> Result<Vec<String>, String> {
        let list = written.as_array().filter(|list| list.len() <= Self::MAX).ok_or_else(|| show(written))?;
        let name = |item: &DeValue<'_>| {
            let text = item.as_str()?;
            crate::values::name::Name::parse(text, Self::MAX).ok().map(|name| name.shown().to_owned())
        };
        list.iter().map(|item| name(item.get_ref()).ok_or_else(|| show(item.get_ref()))).collect()
    }
    fn write(&self, value: &Vec<String>) -> String {
        let names: Vec<_> = value.iter().map(|name| quote(name)).collect();
        format!("[{}]", names.join(", "))
    }
    fn allowed(&self) -> String {
        format!("a list of at most {} names of rooms, like [\"tea\", \"den\"]", Self::MAX)
    }
}

/// Networks.
pub(super) struct Networks;

impl Networks {
    /// Networks in the list.
    const MAX: usize = 1000;
}

impl Rule<Vec<Network>> for Networks {
    fn read(&self, written: &DeValue<'_>) -> Result<Vec<Network>, String> {
        let list = written.as_array().filter(|list| list.len() <= Self::MAX).ok_or_else(|| show(written))?;
        let network = |item: &DeValue<'_>| item.as_str()?.parse().ok();
        list.iter().map(|item| network(item.get_ref()).ok_or_else(|| show(item.get_ref()))).collect()
    }
    fn write(&self, value: &Vec<Network>) -> String {
        let networks: Vec<_> = value.iter().map(|network| quote(&network.to_string())).collect();
        format!("[{}]", networks.join(", "))
    }
    fn allowed(&self) -> String {
        format!("a list of at most {} networks, like [\"192.0.2.0/24\", \"2001:db8::/32\"]", Self::MAX)
    }
}

/// Words and patterns.
pub(super) struct Filters;

impl Filters {
    /// Entries in the list, and bytes of each.
    const MAX: usize = 1000;
    const LONGEST: usize = 200;
}

impl Rule<Vec<String>> for Filters {
    fn read(&self, written: &DeValue<'_>) -> Result<Vec<String>, String> {
        let list = written.as_array().filter(|list| list.len() <= Self::MAX).ok_or_else(|| show(written))?;
        let entry = |item: &DeValue<'_>| {
            let text = item.as_str().filter(|text| text.len() <= Self::LONGEST)?;
            crate::values::words::check(text).ok().map(|()| text.to_owned())
        };
        list.iter().map(|item| entry(item.get_ref()).ok_or_else(|| show(item.get_ref()))).collect()
    }
    fn write(&self, value: &Vec<String>) -> String {
        let entries: Vec<_> = value.iter().map(|entry| quote(entry)).collect();
        format!("[{}]", entries.join(", "))
    }
    fn allowed(&self) -> String {
        format!(
            "a list of at most {} words, or patterns between slashes, of at most {} bytes, like [\"spam\", \"/buy +now/\"]",
            Self::MAX,
            Self::LONGEST
        )
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Rule<bool> for Flag {
    fn read(&self, written: &DeValue<'_>) -> Result<bool, String> {
        written.as_bool().ok_or_else(|| show(written))
    }
    fn write(&self, value: &bool) -> String {
        value.to_string()
    }
    fn allowed(&self) -> String {
        "true or false".to_owned()
    }
}

// ---------------------------------------------------------------------------------------------
// Showing values

/// Text as a TOML string on one line.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            char if char.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// What was written, on one line, without control characters, shortened where it is long.
pub(crate) fn show(written: &DeValue<'_>) -> String {
    match written {
        DeValue::String(text) => format!("\"{}\"", shorten(text)),
        DeValue::Integer(integer) => shorten(&integer.to_string()),
        DeValue::Float(float) => shorten(float.as_str()),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(list) if list.is_empty() => "an empty list".to_owned(),
        DeValue::Array(list) => format!("a list of {}", list.len()),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// At most 40 characters of `text`, escaped.
pub(crate) fn shorten(text: &str) -> String {
    const MAX: usize = 40;
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(MAX).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value as it stands in a file.
    fn toml(text: &str) -> DeValue<'_> {
        DeValue::parse(text).expect(text).into_inner()
    }

    #[track_caller]
    fn takes<T: PartialEq + fmt::Debug>(rule: &impl Rule<T>, written: &str, value: T) {
        assert_eq!(rule.read(&toml(written)), Ok(value), "{written}");
    }

    #[track_caller]
    fn refuses<T: PartialEq + fmt::Debug>(rule: &impl Rule<T>, written: &[&str]) {
        for written in written {
            assert!(rule.read(&toml(written)).is_err(), "{written}");
        }
    }

    #[test]
    fn a_whole_number_is_taken_from_the_least_to_the_greatest() {
        let rule = whole(2, 64, "things");
        takes(&rule, "2", 2_usize);
        takes(&rule, "64", 64_u32);
        takes(&rule, "0x1_0", 16_u64);
        takes(&rule, "+3", 3_u64);
        for written in ["1", "65", "-2", "2.0", "'2'", "true", "[2]", "99999999999999999999999", "{}", "1979-05-27"] {
            assert!(Rule::<usize>::read(&rule, &toml(written)).is_err(), "{written}");
        }
        assert_eq!(Rule::<usize>::allowed(&rule), "a whole number from 2 to 64 (things)");
        assert_eq!(Rule::<usize>::unit(&rule), "things");
    }

    #[test]
    fn a_number_greater_than_its_type_is_refused_rather_than_cut() {
        let rule = whole(0, u64::MAX, "things");
        takes(&rule, "4294967295", u32::MAX);
        assert_eq!(Rule::<u32>::read(&rule, &toml("4294967296")), Err("4294967296".to_owned()));
    }

    #[test]
    fn a_size_is_a_number_of_bytes_or_has_a_binary_unit() {
        let rule = size(64, 64 * KIB, "bytes");
        takes(&rule, "64", 64);
        takes(&rule, "65536", 65536);
        takes(&rule, "'64B'", 64);
        takes(&rule, "'64KiB'", 65536);
        takes(&rule, "'1 KiB'", 1024);
        refuses(&rule, &["63", "65537", "'65KiB'", "'1MiB'", "-64", "64.0", "'64'", "'1kB'", "'1K'", "'1kib'"]);
        refuses(&rule, &["'KiB'", "''", "'+1KiB'", "'-1KiB'", "'1.5KiB'", "'1KiB '", "'99999999999999999GiB'"]);
        assert_eq!(rule.allowed(), "a size from 64B to 64KiB, written like 4096 or \"4KiB\" (bytes)");
    }

    #[test]
    fn a_size_is_written_in_the_largest_unit_that_fits() {
        let rule = size(0, GIB, "bytes");
        for (bytes, written) in [(0, "0"), (64, "64"), (1024, "\"1KiB\""), (1025, "1025"), (3 << 20, "\"3MiB\"")] {
            assert_eq!(rule.write(&bytes), written);
        }
        assert_eq!(rule.write(&(1 << 30)), "\"1GiB\"");
    }

    #[test]
    fn a_time_is_taken_from_the_least_to_the_greatest() {
        let rule = time("1s", "1h");
        takes(&rule, "'1s'", Duration::from_secs(1));
        takes(&rule, "'1500ms'", Duration::from_millis(1500));
        takes(&rule, "'59min 60s'", Duration::from_secs(3600));
        refuses(&rule, &["'999ms'", "'3601s'", "'0s'", "'off'", "1", "1.5", "'1'", "'-1s'", "''", "'soon'"]);
        refuses(&rule, &["'99999999999999999999s'", "'18446744073709551615years'"]);
        assert_eq!(rule.allowed(), "a time from 1s to 1h, written like \"90s\" or \"1h 30min\"");
    }

    #[test]
    fn a_time_is_written_in_the_largest_unit_that_fits() {
        for (nanos, written) in [
            (0, "0s"),
            (1, "1ns"),
            (2_000, "2us"),
            (100_000_000, "100ms"),
            (90_000_000_000, "90s"),
            (120_000_000_000, "2min"),
            (3_600_000_000_000, "1h"),
            (86_400_000_000_000, "1d"),
        ] {
            assert_eq!(show_time(Duration::from_nanos(nanos)), written);
            assert_eq!(parse_time(written), Some(Duration::from_nanos(nanos)));
        }
    }

    #[test]
    fn a_time_can_be_off_where_that_is_allowed() {
        let rule = TimeOrOff(time("5s", "1h"));
        takes(&rule, "'off'", None);
        takes(&rule, "'0s'", None);
        takes(&rule, "'5s'", Some(Duration::from_secs(5)));
        refuses(&rule, &["'4s'", "'61min'", "'none'", "''", "false", "0"]);
        assert_eq!((rule.write(&None).as_str(), rule.allowed().ends_with(", or \"off\"")), ("\"off\"", true));
    }

    #[test]
    fn text_is_counted_in_characters_and_stays_on_one_line() {
        let rule = Text { min: 1, max: 4 };
        takes(&rule, "'a'", "a".to_owned());
        takes(&rule, "'\u{e4}\u{20ac}\u{4e2d}\u{1d11e}'", "\u{e4}\u{20ac}\u{4e2d}\u{1d11e}".to_owned());
        refuses(&rule, &["''", "'abcde'", r#""a\nb""#, r#""\u001b[""#, r#""\u0085""#, "' a'", "'a '", "'  '", "1"]);
        takes(&Text { min: 0, max: 4 }, "''", String::new());
    }

    #[test]
    fn rows_are_counted_and_have_no_blanks_at_their_ends() {
        let rule = Rows { rows: 2, max: 9 };
        takes(&rule, r#""one\ntwo""#, "one\ntwo".to_owned());
        takes(&rule, r#""one\r\ntwo""#, "one\ntwo".to_owned());
        takes(&rule, "''", String::new());
        refuses(
            &rule,
            &[r#""a\nb\nc""#, r#""a \nb""#, r#""a\n""#, "' a'", r#""a\tb""#, r#""a\u001b""#, "'0123456789'", "1"],
        );
    }

    #[test]
    fn a_choice_is_one_of_its_words() {
        use crate::settings::{LogLevel, SlowPolicy};
        takes(&Choice, "'close'", SlowPolicy::Close);
        takes(&Choice, "'trace'", LogLevel::Trace);
        for written in ["'Close'", "''", "'clos'", "1", "false"] {
            assert!(Rule::<SlowPolicy>::read(&Choice, &toml(written)).is_err(), "{written}");
        }
        assert_eq!(Rule::<SlowPolicy>::allowed(&Choice), "\"skip\" or \"close\"");
    }

    #[test]
    fn addresses_are_numeric_with_a_port_and_stand_once() {
        takes(&Addresses { min: 1 }, "['[::]:1']", vec!["[::]:1".parse().unwrap()]);
        let free = "127.0.0.1:0".parse().unwrap();
        takes(&Addresses { min: 1 }, "['127.0.0.1:0', '127.0.0.1:0']", vec![free, free]);
        refuses(
            &Addresses { min: 1 },
            &["[]", "'127.0.0.1:1'", "['127.0.0.1']", "['localhost:1']", "['[::1]:65536']", "[1]"],
        );
        let wrong = Addresses { min: 1 }.read(&toml("['127.0.0.1:1', 'here']"));
        assert_eq!(wrong, Err("\"here\"".to_owned()), "the wrong one is named");
        let twice = Addresses { min: 1 }.read(&toml("['127.0.0.1:1', '127.0.0.1:1']"));
        assert_eq!(twice, Err("\"127.0.0.1:1\" a second time".to_owned()));
        let list = |count: u16| {
            let items: Vec<_> = (1..=count).map(|port| format!("'127.0.0.1:{port}'")).collect();
            format!("[{}]", items.join(","))
        };
        assert_eq!(Addresses { min: 1 }.read(&toml(&list(64))).map(|list| list.len()), Ok(64));
        refuses(&Addresses { min: 1 }, &[&list(65)]);
    }

    #[test]
    fn the_path_of_a_socket_is_absolute_and_fits_an_address() {
        let longest = format!("/{}", "x".repeat(106));
        takes(&SocketPath, "''", None);
        takes(&SocketPath, "'/run/x'", Some("/run/x".into()));
        takes(&SocketPath, &format!("'{longest}'"), Some(longest.clone().into()));
        refuses(&SocketPath, &[&format!("'{longest}x'"), "'run/x'", r#""/\u0000""#, "1", "[]"]);
        assert_eq!(SocketPath.write(&None), r#""""#);
        assert_eq!(SocketPath.write(&Some(r#"/a"b"#.into())), r#""/a\"b""#);
    }

    #[test]
    fn what_was_written_is_shown_short_and_without_control_characters() {
        for (written, shown) in [
            (r#""\u001b[2J""#, r#""\u{1b}[2J""#),
            ("0x1F", "0x1F"),
            ("1.5", "1.5"),
            ("inf", "inf"),
            ("true", "true"),
            ("1979-05-27", "1979-05-27"),
            ("[]", "an empty list"),
            ("[1, 2]", "a list of 2"),
            ("{a = 1}", "a table"),
        ] {
            assert_eq!(show(&toml(written)), shown);
        }
        assert_eq!(show(&toml(&format!("'{}'", "x".repeat(41)))), format!("\"{}...\"", "x".repeat(40)));
    }

    #[test]
    fn a_flag_is_true_or_false_and_nothing_else() {
        assert_eq!(Flag.read(&toml("true")), Ok(true));
        assert_eq!(Flag.read(&toml("false")), Ok(false));
        assert_eq!(Flag.read(&toml("\"yes\"")), Err("\"yes\"".to_owned()));
        assert_eq!((Flag.write(&true), Flag.allowed()), ("true".to_owned(), "true or false".to_owned()));
    }
}
