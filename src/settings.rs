//! Every setting, declared once.
//!
//! The declaration at [`Settings`] yields the typed values that the hub and its surroundings use, the
//! defaults, the bounds with the texts that explain them, the shipped configuration file, the table
//! of the README and the manual page. Pure: files are read by [`crate::config`]; nothing here knows
//! a file, a clock or the environment.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// With the next reload.
    Live,
    /// When the service is started again.
    Restart,
}

/// One setting: what it is called, what it means, what it may be.
pub struct Setting {
    /// Section and name, as in `limits.clients`.
    pub key: &'static str,
    /// The section alone.
    pub section: &'static str,
    /// The name within its section.
    pub name: &'static str,
    /// When a change takes effect.
    pub applies: Applies,
    doc: &'static str,
    unit: fn() -> &'static str,
    allowed: fn() -> String,
    default: fn() -> String,
    read: fn(&mut Settings, &DeValue<'_>) -> Result<(), String>,
    write: fn(&Settings) -> String,
    same: fn(&Settings, &Settings) -> bool,
}

/// A section of the settings.
#[derive(Debug)]
pub struct Section {
    /// What stands between the brackets.
    pub name: &'static str,
    doc: &'static str,
}

impl Setting {
    /// The setting with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// What it means, in sentences on one line.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// What its numbers count; empty where that goes without saying.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        (self.unit)()
    }

    /// What it may be, as in `a whole number from 1 to 1000000 (clients)`.
    #[must_use]
    pub fn allowed(&self) -> String {
        (self.allowed)()
    }

    /// Its default, as one would write it in the file.
    #[must_use]
    pub fn default(&self) -> String {
        (self.default)()
    }

    /// Its value in `settings`, as one would write it in the file.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> String {
        (self.write)(settings)
    }

    /// Gives it the value that was written in a file.
    ///
    /// # Errors
    /// Says what was written and what is allowed; `settings` is then as before.
    pub fn set(&self, settings: &mut Settings, written: &DeValue<'_>) -> Result<(), NotAllowed> {
        (self.read)(settings, written).map_err(|written| NotAllowed { written, allowed: self.allowed() })
    }

    /// Whether it has the same value in both.
    #[must_use]
    pub fn same(&self, one: &Settings, other: &Settings) -> bool {
        (self.same)(one, other)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({})", self.key)
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Setting {}

impl Section {
    /// What its settings are about, in sentences on one line.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// Its settings, in the order of their declaration.
    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        let name = self.name;
        SETTINGS.iter().filter(move |setting| setting.section == name)
    }
}

/// A value that a setting cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    /// What was written, shortened and safe to print.
    pub written: String,
    /// What may be written.
    pub allowed: String,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not allowed here; allowed: {}", self.written, self.allowed)
    }
}

impl std::error::Error for NotAllowed {}

/// Declares sections and settings: `name: type = default, rule, when it applies;`.
///
/// A rule that does not fit the type of its field does not compile.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $type:ident {
            $( $(#[doc = $doc:literal])+ $name:ident: $value:ty = $default:expr, $rule:expr, $applies:ident; )+
        }
    )+) => {
        /// The value of every setting.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Settings {
            $( $(#[doc = $section_doc])+ pub $section: $type, )+
        }

        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug, PartialEq)]
            pub struct $type {
                $( $(#[doc = $doc])+ pub $name: $value, )+
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $( $name: $default, )+ }
                }
            }
        )+

        /// The sections, in the order in which the shipped file has them.
        pub static SECTIONS: &[Section] = &[
            $( Section { name: stringify!($section), doc: concat!($($section_doc),+) }, )+
        ];

        /// The settings, by section.
        pub static SETTINGS: &[Setting] = &[
            $($( Setting {
                key: concat!(stringify!($section), ".", stringify!($name)),
                section: stringify!($section),
                name: stringify!($name),
                applies: Applies::$applies,
                doc: concat!($($doc),+),
                unit: || Rule::<$value>::unit(&$rule),
                allowed: || Rule::<$value>::allowed(&$rule),
                default: || Rule::<$value>::write(&$rule, &$default),
                read: |settings, written| {
                    settings.$section.$name = Rule::<$value>::read(&$rule, written)?;
                    Ok(())
                },
                write: |settings| Rule::<$value>::write(&$rule, &settings.$section.$name),
                same: |one, other| one.$section.$name == other.$section.$name,
            }, )+)+
        ];
    };
}

settings! {
    /// How the hub presents itself.
    hub: HubSettings {
        /// What the greeting calls this hub.
        name: String = "chathub".to_owned(), Text { min: 1, max: 32 }, Live;
        /// A further line of the greeting, for house rules or an announcement. Empty: none.
        greeting: String = String::new(), Text { min: 0, max: 200 }, Live;
    }
    /// Where the hub listens when it binds its sockets itself. Not used when systemd hands them
    /// over: then chathub.socket and chathub-admin.socket say where.
    listen: Listen {
        /// Addresses and ports for people. `--listen` on the command line replaces them.
        chat: Vec<SocketAddr> = default_chat(), Addresses, Restart;
        /// The admin socket. `--admin-socket` on the command line replaces it. Empty: admin.sock in
        /// $RUNTIME_DIRECTORY, else in $XDG_RUNTIME_DIR/chathub, else in /run/chathub.
        admin: Option<PathBuf> = None, SocketPath, Restart;
    }
    /// How much of everything there may be. What would go beyond is refused, and whoever asked is
    /// told. A limit that is lowered turns nobody out who is already there.
    limits: Limits {
        /// People connected at once.
        clients: usize = 10_000, whole(1, 1_000_000, "clients"), Live;
        /// People connected at once from one address: an IPv4 address, or a /64 network of IPv6.
        clients_per_address: usize = 64, whole(1, 1_000_000, "clients"), Live;
        /// The longest line that is accepted, without its line ending. A longer one is refused as a
        /// whole, neither cut nor split.
        line: usize = 1024, size(64, 64 * KIB, "bytes"), Live;
        /// The longest name of a person.
        name: usize = 24, whole(2, 64, "characters"), Live;
        /// The longest name of a room.
        room_name: usize = 24, whole(2, 64, "characters"), Live;
        /// The longest topic of a room.
        topic: usize = 256, size(16, 4 * KIB, "bytes"), Live;
        /// Rooms open at once.
        rooms: usize = 1000, whole(1, 1_000_000, "rooms"), Live;
        /// How many others one person can ignore.
        ignores: usize = 64, whole(1, 1000, "names"), Live;
        /// What is meant for one client alone (answers, private messages) and not yet taken by it. At
        /// the limit the client is disconnected.
        mailbox: usize = 256 * 1024, size(16 * KIB, 64 * MIB, "bytes per client"), Live;
        /// Connections to the admin socket at once.
        admin_connections: usize = 32, whole(1, 1000, "connections"), Live;
    }
    /// How fast one client may talk. Who is faster is read more slowly at first; after that, lines
    /// are dropped and counted.
    pace: Pace {
        /// Lines in the long run.
        lines: u32 = 5, whole(1, 1_000_000, "lines per second"), Live;
        /// Lines in one go, after a while of silence.
        burst_lines: u32 = 30, whole(1, 1_000_000, "lines"), Live;
        /// Bytes in the long run.
        bytes: usize = 4 * 1024, size(64, GIB, "bytes per second"), Live;
        /// Bytes in one go, after a while of silence. At least limits.line, or the longest line could
        /// never pass.
        burst_bytes: usize = 32 * 1024, size(KIB, GIB, "bytes"), Live;
        /// How long the lines of a client that is too fast are held back before they are dropped.
        patience: Duration = Duration::from_secs(30), time("1s", "1h"), Live;
    }
    /// What happens to a client that takes what it is sent too slowly.
    slow: Slow {
        /// How far a client may fall behind its room. At least four times limits.line.
        behind: usize = 1024 * 1024, size(64 * KIB, GIB, "bytes"), Live;
        /// What is done with a client that is further behind: "skip" leaves out the oldest lines and
        /// tells it how many, "close" disconnects it.
        policy: SlowPolicy = SlowPolicy::Skip, Choice, Live;
        /// A client that takes nothing at all of what it is owed for so long is disconnected.
        stall: Duration = Duration::from_secs(300), time("1s", "24h"), Live;
    }
    /// Rooms and the notices of who arrives and leaves.
    rooms: Rooms {
        /// The room that everybody is in at first.
        lobby: String = "lobby".to_owned(), Text { min: 1, max: 64 }, Restart;
        /// In a room with more people than this, arrivals and departures are not announced one by
        /// one, but as a count from time to time.
        announce_limit: usize = 100, whole(0, 1_000_000, "people"), Live;
        /// So many arrivals and departures are announced one by one before a burst of them is
        /// gathered into one line.
        announce_burst: u32 = 8, whole(1, 1000, "notices"), Live;
        /// How long a burst of arrivals and departures is gathered before it is announced.
        gather: Duration = Duration::from_secs(2), time("100ms", "1min"), Live;
        /// The same in rooms beyond announce_limit.
        gather_big: Duration = Duration::from_secs(30), time("1s", "1h"), Live;
    }
    /// What was said, kept for those who come later.
    history: History {
        /// Lines shown to somebody who enters a room. At most history.lines.
        replay: usize = 100, whole(0, 1000, "lines"), Live;
        /// Lines kept. 0 keeps none; history.replay must then be 0 as well.
        lines: usize = 1000, whole(0, 1_000_000, "lines per room"), Live;
        /// Memory that the kept lines may take; the oldest go first. At least limits.line.
        bytes: usize = 256 * 1024, size(KIB, GIB, "bytes per room"), Live;
    }
    /// Connections whose other end is gone without a word, because its machine or its network is.
    tcp: Tcp {
        /// After so long without traffic the kernel asks whether the other end is still there.
        keepalive: Option<Duration> = Some(Duration::from_secs(60)), TimeOrOff(time("5s", "2h")), Live;
        /// A client that acknowledges nothing for so long is taken for gone.
        user_timeout: Option<Duration> = Some(Duration::from_secs(120)), TimeOrOff(time("5s", "1h")), Live;
    }
    /// How the hub ends.
    shutdown: Shutdown {
        /// How long clients have to take what they are owed before they are disconnected.
        deadline: Duration = Duration::from_secs(10), time("0s", "1h"), Live;
    }
    /// The service as systemd sees it.
    service: Service {
        /// End when nobody has been connected for so long. Only with sockets that were handed over:
        /// the next connection starts the service again.
        exit_when_idle: Option<Duration> = None, TimeOrOff(time("10s", "24h")), Restart;
    }
    /// What is logged: to the journal under systemd, else to standard error. What people say is
    /// never logged.
    log: Log {
        /// The least important messages that are logged.
        level: LogLevel = LogLevel::Info, Choice, Live;
    }
}

impl Settings {
    /// The settings whose values differ, in the order of their declaration.
    #[must_use]
    pub fn changes(old: &Self, new: &Self) -> Vec<&'static Setting> {
        SETTINGS.iter().filter(|setting| !setting.same(old, new)).collect()
    }
}

fn default_chat() -> Vec<SocketAddr> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    vec![(Ipv4Addr::LOCALHOST, 6969).into(), (Ipv6Addr::LOCALHOST, 6969).into()]
}

// ---------------------------------------------------------------------------------------------
// Choices

/// A value that is one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// All of them, with their words.
    const WORDS: &'static [(Self, &'static str)];

    /// Its word.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    /// The value that `word` stands for.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

macro_rules! words {
    ($(#[$meta:meta])+ $type:ident { $( $(#[$doc:meta])+ $variant:ident = $word:literal, )+ }) => {
        $(#[$meta])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $( $(#[$doc])+ $variant, )+ }

        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$( (Self::$variant, $word), )+];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What is done with a client too far behind its room.
    SlowPolicy {
        /// It misses lines and is told how many.
        Skip = "skip",
        /// It is disconnected.
        Close = "close",
    }
}

words! {
    /// How important a message must be to be logged; each level includes those before it.
    LogLevel {
        /// An operator should look.
        Error = "error",
        /// Something works less well than it should.
        Warn = "warn",
        /// Start, stop, reload, moderation, arrivals.
        Info = "info",
        /// The rest.
        Debug = "debug",
        /// Every step.
        Trace = "trace",
    }
}

// ---------------------------------------------------------------------------------------------
// Rules: what may be written for a value of type `T`

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

trait Rule<T> {
    /// The value that was written; else that part of it which is wrong, ready to be shown.
    fn read(&self, written: &DeValue<'_>) -> Result<T, String>;
    /// As one would write it in TOML.
    fn write(&self, value: &T) -> String;
    /// What may be written, in words.
    fn allowed(&self) -> String;
    /// What a number counts.
    fn unit(&self) -> &'static str {
        ""
    }
}

/// A whole number, counting `unit`.
struct Whole {
    min: u64,
    max: u64,
    unit: &'static str,
}

const fn whole(min: u64, max: u64, unit: &'static str) -> Whole {
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
struct Size {
    min: u64,
    max: u64,
    unit: &'static str,
}

const fn size(min: u64, max: u64, unit: &'static str) -> Size {
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
        if bytes < KIB { bytes.to_string() } else { format!("\"{}\"", show_size(bytes)) }
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
struct Time {
    min: &'static str,
    max: &'static str,
}

/// Bounds in the words in which they are shown; a test parses them all.
const fn time(min: &'static str, max: &'static str) -> Time {
    Time { min, max }
}

fn parse_time(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

fn show_time(time: Duration) -> String {
    const UNITS: [(&str, u128); 5] =
        [("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)];
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
struct TimeOrOff(Time);

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

/// One line of text, so many characters long.
struct Text {
    min: usize,
    max: usize,
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

/// One of the words of `T`.
struct Choice;

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

/// Addresses to listen on.
struct Addresses;

impl Addresses {
    /// A hub that listens on more has a wrong file rather than many networks.
    const MAX: usize = 64;
}

impl Rule<Vec<SocketAddr>> for Addresses {
    fn read(&self, written: &DeValue<'_>) -> Result<Vec<SocketAddr>, String> {
        let list = written
            .as_array()
            .filter(|list| !list.is_empty() && list.len() <= Self::MAX)
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
        format!("a list of 1 to {} numeric addresses with port, like [\"0.0.0.0:6969\", \"[::]:6969\"]", Self::MAX)
    }
}

fn address_is_taken(addresses: &[SocketAddr], address: SocketAddr) -> bool {
    address.port() != 0 && addresses.contains(&address)
}

/// Where a Unix socket is, or empty.
struct SocketPath;

impl SocketPath {
    /// What the kernel's `sockaddr_un` holds, less the NUL at its end.
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

/// Yes or no.
#[cfg_attr(not(test), expect(dead_code, reason = "no setting is a plain yes or no yet; the kind is tested"))]
struct Flag;

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
            char if char.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// What was written, on one line, without control characters, shortened where it is long.
fn show(written: &DeValue<'_>) -> String {
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

    #[test]
    fn every_default_may_be_written() {
        for setting in SETTINGS {
            let mut settings = Settings::default();
            let default = setting.default();
            assert_eq!(setting.set(&mut settings, &toml(&default)), Ok(()), "{} = {default}", setting.key);
            assert_eq!(settings, Settings::default(), "{} = {default}", setting.key);
        }
    }

    #[test]
    fn a_flag_is_true_or_false_and_nothing_else() {
        assert_eq!(Flag.read(&toml("true")), Ok(true));
        assert_eq!(Flag.read(&toml("false")), Ok(false));
        assert_eq!(Flag.read(&toml("\"yes\"")), Err("\"yes\"".to_owned()));
        assert_eq!((Flag.write(&true), Flag.allowed()), ("true".to_owned(), "true or false".to_owned()));
    }
}
