//! Patterns that match names, to ban or mute a raid: many people at once whose names have something
//! in common.
//!
//! There are two kinds. In a plain pattern such as `bot-*`, a star stands for any text and a
//! question mark for one character; it also matches in upper or lower case and in look-alike
//! letters. A pattern between slashes is one of the `regex` crate, which takes linear time for any
//! text; it is matched against the name in lower case. No pattern matches the names that the hub
//! gives to guests.

use core::fmt;
use std::sync::Arc;

use regex::{RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};

use super::guest::is_guest;
use super::likeness::folded_skeleton;
use super::{Name, fold};

/// The most bytes in a pattern.
pub const LONGEST: usize = 100;

/// The most memory that one compiled pattern may take, and that a compiled list may take, in bytes.
const SIZE_OF_ONE: usize = 512 * 1024;
const SIZE: usize = 4 * 1024 * 1024;

/// A pattern that matches nothing.
const NOTHING: &str = "/[a&&b]/";

/// Samples of everyday names that have nothing in common. A pattern that matches more than an
/// [eighth](TOO_MANY) of them would hit anybody.
const EVERYDAY: &[&str] = &[
    "anna",
    "ben",
    "Carlos",
    "diana",
    "emre",
    "Fatima",
    "george",
    "hiroshi",
    "ivan",
    "Julia",
    "kumar",
    "li-wei",
    "maria",
    "Nina",
    "oleg",
    "paulo",
    "quentin",
    "rosa",
    "Sam",
    "tom",
    "ursula",
    "Viktor",
    "wang",
    "xenia",
    "yuki",
    "zoe",
    "Jean-Luc",
    "alice_99",
    "mark2000",
    "dr.who",
    "night-owl",
    "cat42",
    "José",
    "Jürgen",
    "Łukasz",
    "Åsa",
    "Иван",
    "мария",
    "Ольга",
    "Νίκος",
    "עדי",
    "فاطمة",
    "राम",
    "สมชาย",
    "山田",
    "小明",
    "민수",
    "გიორგი",
];

/// The most names of [`EVERYDAY`] that an acceptable pattern may match.
const TOO_MANY: usize = EVERYDAY.len() / 8;

/// A pattern that was checked when it was made. It is stored as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(Arc<str>);

/// Why a text is refused as a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidPattern {
    /// The pattern has more bytes than [`LONGEST`].
    TooLong,
    /// The pattern has this character, which no name has.
    Character(char),
    /// The pattern consists of stars and question marks alone.
    Nothing,
    /// The pattern cannot be compiled, or takes too much memory: the reason in words.
    Broken(String),
    /// The pattern is meant for the names that the hub gives to guests, which no pattern matches.
    Guests,
    /// The pattern matches everyday names of all kinds: up to three examples.
    Anybody(Vec<&'static str>),
}

impl fmt::Display for InvalidPattern {
    /// Reads as the rest of a sentence that begins with the pattern.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "is longer than {LONGEST} bytes"),
            Self::Character(c) => write!(f, "finds no name: none has the character {c:?}"),
            Self::Nothing => f.write_str("says nothing about names"),
            Self::Broken(why) => write!(f, "is no pattern: {why}"),
            Self::Guests => {
                f.write_str("is what guests are called until they take a name; a lockdown keeps them quiet")
            }
            Self::Anybody(such) => {
                write!(f, "finds names of all kinds, such as {}: it would hit anybody", such.join(", "))
            }
        }
    }
}

impl core::error::Error for InvalidPattern {}

impl Pattern {
    /// Whether a text is written like a pattern, valid or not. A text that is written like part of
    /// an address, such as `192.168.*`, is no pattern.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        expression(text).is_some()
            || (text.contains(['*', '?'])
                && !text.contains([':', '/', '[', ']', '%'])
                && !(text.contains('.') && super::resembles_address(text)))
    }

    /// Checks a pattern that somebody asks for.
    ///
    /// # Errors
    /// Why the text is no pattern, or matches too much to be meant.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        if text.len() > LONGEST {
            return Err(InvalidPattern::TooLong);
        }
        if expression(text).is_none() {
            let is_ever_in_names = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.*?".contains(c);
            if let Some(c) = text.chars().find(|c| !is_ever_in_names(*c) || c.is_whitespace() || c.is_control()) {
                return Err(InvalidPattern::Character(c));
            }
            if text.chars().all(|c| matches!(c, '*' | '?')) {
                return Err(InvalidPattern::Nothing);
            }
        }
        if expression(text).is_none()
            && is_guest(&fold(&text.replace(['*', '?'], "kkkk")).chars().take(10).collect::<String>())
        {
            return Err(InvalidPattern::Guests);
        }
        let this = Self(text.into());
        let compiled = Patterns::compile(std::slice::from_ref(&this), SIZE_OF_ONE).map_err(InvalidPattern::Broken)?;
        let found = compiled.everyday();
        if found.len() > TOO_MANY {
            return Err(InvalidPattern::Anybody(found.into_iter().take(3).collect()));
        }
        Ok(this)
    }

    /// If the pattern matches names of people who have nothing in common, though not of anybody: up to three everyday
    /// names that it matches, perhaps none. `None` if it is narrow. A plain pattern says less than three characters then,
    /// such as `a*`, or matches two everyday names; another one matches one of them.
    #[must_use]
    pub fn broad(&self) -> Option<Vec<&'static str>> {
        let found = Patterns::compile(std::slice::from_ref(self), SIZE_OF_ONE).unwrap_or_default().everyday();
        let is_broad = match expression(&self.0) {
            Some(_) => !found.is_empty(),
            None => found.len() > 1 || self.0.chars().filter(|c| !matches!(c, '*' | '?')).count() < 3,
        };
        is_broad.then(|| found.into_iter().take(3).collect())
    }

    /// The pattern that was stored as `text`. It is not checked again.
    #[must_use]
    pub fn recall(text: &str) -> Self {
        Self(text.into())
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The regular expression between the slashes; `None` for a plain pattern.
fn expression(text: &str) -> Option<&str> {
    text.strip_prefix('/')?.strip_suffix('/').filter(|expression| !expression.is_empty())
}

/// The skeleton of a folded text, in which look-alike letters are equal. The skeleton of `m` is
/// `rn`; it is turned back into `m`, so that `r*` does not match `maria`.
fn alike(folded: &str) -> String {
    folded_skeleton(folded).replace("rn", "m")
}

/// The regular expression for a plain pattern. `spell` is applied to the text between its stars and
/// question marks.
fn translated(text: &str, spell: fn(&str) -> String) -> String {
    let mut expression = String::from("^");
    for part in text.split_inclusive(['*', '?']) {
        let plain = part.trim_end_matches(['*', '?']);
        expression.push_str(&regex::escape(&spell(plain)));
        expression.push_str(match part.chars().next_back() {
            Some('*') => ".*",
            Some('?') => ".",
            _ => "",
        });
    }
    expression.push('$');
    expression
}

/// A compiled list of patterns.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// All patterns, matched against the folded name.
    folded: Option<RegexSet>,
    /// The plain patterns, matched against the skeleton of the name.
    alike: Option<RegexSet>,
    /// The places of the plain patterns in the whole list.
    places: Vec<usize>,
}

impl Patterns {
    /// Compiles a list of patterns. A stored pattern that cannot be compiled any more matches
    /// nothing. A list that takes too much memory matches nothing at all: see [`Self::fit`].
    #[must_use]
    pub fn new(patterns: &[Pattern]) -> Self {
        let sound = |pattern: &Pattern| match Self::compile(std::slice::from_ref(pattern), SIZE_OF_ONE) {
            Ok(_) => pattern.clone(),
            Err(_) => Pattern(NOTHING.into()),
        };
        Self::compile(patterns, SIZE)
            .or_else(|_| Self::compile(&patterns.iter().map(sound).collect::<Vec<_>>(), SIZE))
            .unwrap_or_default()
    }

    /// Whether these patterns can be compiled together within the memory of a list.
    #[must_use]
    pub fn fit(patterns: &[Pattern]) -> bool {
        Self::compile(patterns, SIZE).is_ok()
    }

    /// The names of [`EVERYDAY`] that any of the patterns matches.
    fn everyday(&self) -> Vec<&'static str> {
        let is_found = |name: &&&str| Name::recall(name).is_some_and(|name| self.finds(&name));
        EVERYDAY.iter().filter(is_found).copied().collect()
    }

    fn compile(patterns: &[Pattern], size: usize) -> Result<Self, String> {
        let build = |expressions: Vec<String>| {
            (!expressions.is_empty())
                .then(|| RegexSetBuilder::new(expressions).case_insensitive(true).size_limit(size).build())
                .transpose()
                .map_err(|error| match error {
                    regex::Error::CompiledTooBig(_) => "it takes too much memory".to_owned(),
                    // The last line says what is wrong; the lines before it draw where.
                    error => {
                        error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
                    }
                })
        };
        let spelled = |pattern: &Pattern| match expression(pattern.as_str()) {
            Some(expression) => expression.to_owned(),
            None => translated(pattern.as_str(), fold),
        };
        let plain = patterns.iter().enumerate().filter(|(_, pattern)| expression(pattern.as_str()).is_none());
        let (places, looks) =
            plain.map(|(place, pattern)| (place, translated(pattern.as_str(), |text| alike(&fold(text))))).unzip();
        Ok(Self { folded: build(patterns.iter().map(spelled).collect())?, alike: build(looks)?, places })
    }

    /// The places in the list of the patterns that match `name`. A plain pattern may come twice:
    /// first all places at which the folded name matches, then those at which the skeleton does.
    pub fn find(&self, name: &Name) -> impl Iterator<Item = usize> {
        let is_given = self.folded.is_none() || is_guest(name.shown());
        let found = |set: &Option<RegexSet>, text: &str| {
            set.as_ref().filter(|_| !is_given).map(|set| set.matches(text)).into_iter().flatten().collect::<Vec<_>>()
        };
        let alike = if self.alike.is_some() && !is_given { alike(name.folded()) } else { String::new() };
        let looks = found(&self.alike, &alike);
        found(&self.folded, name.folded())
            .into_iter()
            .chain(looks.into_iter().map(|at| self.places[at]).collect::<Vec<_>>())
    }

    /// Whether any pattern matches `name`.
    #[must_use]
    pub fn finds(&self, name: &Name) -> bool {
        self.find(name).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(pattern: &str, name: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern} {why}"));
        Patterns::new(&[pattern]).finds(&Name::parse(name, 40).expect("a name"))
    }

    #[test]
    fn stars_stand_for_any_text_in_whatever_case_and_look() {
        for (pattern, name) in [
            ("bot-*", "bot-1234"),
            ("bot-*", "BOT-x"),
            ("bot-*", "b0t-7"),
            // A name in Cyrillic letters.
            ("cop*", "\u{441}\u{43E}\u{440}1"),
            ("*spam*", "xspamx"),
            ("r?id", "raid"),
            ("ma*x", "marx"),
            ("/^bot-[0-9]+$/", "bot-12"),
            ("/^BOT/", "bottle"),
            ("пол*", "полина"),
        ] {
            assert!(finds(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("bot-*", "robot-1"), ("bot-*", "botany"), ("r*d", "mad"), ("/^bot-[0-9]+$/", "bot-x"), ("bot?", "bot")]
        {
            assert!(!finds(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_says_little_is_broad() {
        let broad = |text: &str| Pattern::parse(text).unwrap_or_else(|why| panic!("{text} {why}")).broad();
        assert_eq!(broad("a*"), Some(vec!["anna", "alice_99"]));
        for text in ["q*", "*z", "x?", "xa*", "?b*", "*mar*", "/^b/", "/^[aq]/"] {
            assert!(broad(text).is_some(), "{text}");
        }
        for text in ["bot-*", "maria*", "*spam*", "r?id", "bot?", "/^bot[0-9]+$/"] {
            assert_eq!(broad(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_never_match_names_that_the_hub_gives() {
        let guest = Name::guest(&[7; 16], [192, 0, 2, 1].into(), 1000, 4);
        for pattern in ["guest*", "/^guest/", "*-????"] {
            let pattern = Pattern::parse(pattern).expect("one");
            assert!(!Patterns::new(&[pattern]).finds(&guest));
        }
    }

    #[test]
    fn patterns_that_match_everybody_or_nobody_are_refused() {
        for text in ["*a*", "?*a*", "/./", "/^[a-z]/", "/^.{1,20}$/", "/a?/", "/^[^0-9]+$/", "*e*"] {
            assert!(matches!(Pattern::parse(text), Err(InvalidPattern::Anybody(_))), "{text}");
        }
        assert!(matches!(Pattern::parse("/(/"), Err(InvalidPattern::Broken(_))));
        assert_eq!(Pattern::parse("/(\\w{100}){100}/"), Err(InvalidPattern::Broken("it takes too much memory".into())));
        assert_eq!(Pattern::parse("**"), Err(InvalidPattern::Nothing));
        assert_eq!(Pattern::parse("b!*"), Err(InvalidPattern::Character('!')));
        assert_eq!(Pattern::parse(&"a*".repeat(51)), Err(InvalidPattern::TooLong));
        for text in ["10.0.0.*", "192.168.*", "2001:db8:*", "10.0.0.0/8", "bot", "//", "/"] {
            assert!(!Pattern::is_one(text), "{text}");
        }
        for text in ["bot-*", "*1234", "/x/", "b.*"] {
            assert!(Pattern::is_one(text), "{text}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_compiled_spoils_no_other() {
        let patterns = [Pattern::recall("/(/"), Pattern::recall("bot-*")];
        let patterns = Patterns::new(&patterns);
        assert!(patterns.finds(&Name::parse("bot-1", 24).expect("a name")));
        assert!(!patterns.finds(&Name::parse("ann", 24).expect("a name")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}", name in "\\PC{1,20}") {
            let _ = Pattern::is_one(&text);
            if let (Ok(pattern), Ok(name)) = (Pattern::parse(&text), Name::parse(&name, 20)) {
                let _ = Patterns::new(&[pattern]).finds(&name);
            }
        }

        /// In a list, each pattern matches the same names as it does alone.
        #[test]
        fn patterns_compiled_together_match_what_each_matches(
            texts in prop::collection::vec("[xyz]{1,3}[*?][xyz]{0,2}|/\\^[xyz]{1,3}/", 0..6), name in "[xyzq]{1,6}",
        ) {
            let patterns: Vec<_> = texts.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
            let name = Name::parse(&name, 20).expect("a name");
            let mut together: Vec<_> = Patterns::new(&patterns).find(&name).collect();
            together.sort_unstable();
            together.dedup();
            let alone = |at: &usize| Patterns::new(&patterns[*at..=*at]).finds(&name);
            prop_assert_eq!(together, (0..patterns.len()).filter(alone).collect::<Vec<_>>());
        }
    }
}
