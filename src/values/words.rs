//! Word filters: words and patterns that the house rules keep out of what everybody reads.
//!
//! A filter is a list of entries. A plain entry is one word, or several in a row. It matches whole
//! words, in upper or lower case, also when they are spelled with look-alike letters (UTS 39). An
//! entry between slashes is a pattern of the `regex` crate, which takes linear time for any text;
//! it is matched against the text in lower case.
//!
//! Invisible characters do not hide a word: joiners, variation selectors and loose marks are left
//! out before the comparison (`seen`). They stay in the text that is said, because Persian, the
//! scripts of India and emoji need them.

use std::borrow::Cow;

use regex::RegexSet;

use crate::values::name;

/// The most memory that a compiled list of patterns may take, in bytes.
const SIZE: usize = 4 * 1024 * 1024;

/// The longest entry that an operator can add while the hub runs, in bytes.
pub const LONGEST: usize = 200;

/// Samples of everyday chat. An entry that matches more than a [fifth](TOO_MANY) of them would keep
/// back nearly everything.
const EVERYDAY: &[&str] = &[
    "hello everybody",
    "good morning, how are you?",
    "i am fine, thanks",
    "what do you think of the game last night?",
    "has anyone seen anna today",
    "yes",
    "no, not yet",
    "see you at 10:30!",
    "ok, brb",
    "that is so funny, lol :-)",
    "does it run on debian 12?",
    "https://www.debian.org/doc/ explains it",
    "hallo zusammen, wie geht es euch?",
    "ich komme gleich wieder",
    "bonjour \u{e0} tous, \u{e7}a va ?",
    "je ne sais pas encore",
    "hola, \u{bf}qu\u{e9} tal?",
    "nos vemos ma\u{f1}ana",
    "ol\u{e1}, tudo bem?",
    "ciao a tutti, a domani",
    "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{432}\u{441}\u{435}\u{43c}, \u{43a}\u{430}\u{43a} \u{434}\u{435}\u{43b}\u{430}?",
    "merhaba, nas\u{131}ls\u{131}n\u{131}z?",
    "\u{4f60}\u{597d}\u{ff0c}\u{5927}\u{5bb6}\u{65e9}\u{4e0a}\u{597d}",
    "\u{3053}\u{3093}\u{306b}\u{3061}\u{306f}",
    "\u{645}\u{631}\u{62d}\u{628}\u{627} \u{628}\u{627}\u{644}\u{62c}\u{645}\u{64a}\u{639}",
];

/// The most texts of [`EVERYDAY`] that an acceptable entry may match.
const TOO_MANY: usize = EVERYDAY.len() / 5;

/// What is done with a text in which a filter matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The text is refused.
    Refuse,
    /// The text is refused, and its author gets a strike.
    Strike,
}

/// A compiled list of entries.
#[derive(Clone, Debug, Default)]
struct Matcher {
    /// The plain entries, each as its [`likeness`].
    words: Vec<String>,
    patterns: Option<RegexSet>,
}

impl Matcher {
    fn new(entries: &[String]) -> Result<Self, String> {
        let mut words = Vec::new();
        let mut patterns = Vec::new();
        for entry in entries {
            match pattern(entry) {
                Some(pattern) => patterns.push(pattern.chars().filter(|char| !is_unseen(*char)).collect::<String>()),
                None => match likeness(entry) {
                    word if word.trim().is_empty() => return Err(format!("{entry:?} has no letter in it")),
                    word => words.push(word),
                },
            }
        }
        let patterns = (!patterns.is_empty())
            .then(|| regex::RegexSetBuilder::new(&patterns).size_limit(SIZE).build())
            .transpose()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "it takes too much memory".to_owned(),
                error => error.to_string(),
            })?;
        Ok(Self { words, patterns })
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.patterns.is_none()
    }

    fn finds(&self, text: &Text) -> bool {
        let is_found = |patterns: &RegexSet| {
            patterns.is_match(&text.folded) || text.seen.as_ref().is_some_and(|seen| patterns.is_match(seen))
        };
        self.words.iter().any(|word| text.like.contains(word.as_str())) || self.patterns.as_ref().is_some_and(is_found)
    }
}

/// A text in the forms in which entries are compared with it.
struct Text {
    /// The [`likeness`] of the text.
    like: String,
    /// The text folded: in lower case and composed.
    folded: String,
    /// The folded text as it is [`seen`]; `None` if that is the same.
    seen: Option<String>,
}

impl Text {
    fn of(text: &str) -> Self {
        let folded = name::fold(text);
        let seen = match seen(&folded) {
            Cow::Borrowed(_) => None,
            Cow::Owned(seen) => Some(seen),
        };
        Self { like: words_of(seen.as_deref().unwrap_or(&folded)), folded, seen }
    }
}

/// Whether the character is invisible: Default_Ignorable_Code_Point in Unicode's
/// `DerivedCoreProperties.txt`.
fn is_unseen(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character is a combining mark that fits the letters of any script. The text is
/// composed (NFC), so a mark that makes another letter (é, ñ) is part of that letter by now; a mark
/// that is left only decorates.
fn is_loose_mark(char: char) -> bool {
    matches!(char,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// The small capitals of a to z, in that order; a space for the letter that has none.
const SMALL_CAPITALS: &str = "\u{1d00}\u{299}\u{1d04}\u{1d05}\u{1d07}\u{a730}\u{262}\u{29c}\u{26a}\u{1d0a}\u{1d0b}\u{29f}\u{1d0d}\u{274}\u{1d0f}\u{1d18}\u{a7af}\u{280}\u{a731}\u{1d1b}\u{1d1c}\u{1d20}\u{1d21} \u{28f}\u{1d22}";

/// The regional indicator letters, which show as a flag when they stand in pairs.
const REGIONAL: core::ops::RangeInclusive<char> = '\u{1f1e6}'..='\u{1f1ff}';

/// A run of at most this many regional letters is a flag; a longer one spells a word.
const FLAG: usize = 2;

/// The ordinary letter in lower case that a decorated letter shows (in a circle, in a square, as a
/// small capital), where NFKC does not replace it already.
fn plain_letter(char: char) -> Option<char> {
    let nth = |first: char| {
        let place = u8::try_from(u32::from(char) - u32::from(first)).ok()?;
        Some(char::from(b'a' + place))
    };
    match char {
        '\u{1f150}'..='\u{1f169}' => nth('\u{1f150}'),
        '\u{1f170}'..='\u{1f189}' => nth('\u{1f170}'),
        char if REGIONAL.contains(&char) => nth(*REGIONAL.start()),
        ' ' => None,
        _ => SMALL_CAPITALS.chars().zip('a'..='z').find(|(small, _)| *small == char).map(|(_, letter)| letter),
    }
}

/// A folded text as people see it: without invisible characters and loose marks, and with ordinary
/// letters for those in circles, in squares and in small capitals.
fn seen(folded: &str) -> Cow<'_, str> {
    let is_other =
        |char: char| !char.is_ascii() && (is_unseen(char) || is_loose_mark(char) || plain_letter(char).is_some());
    if !folded.contains(is_other) {
        return Cow::Borrowed(folded);
    }
    let visible: Vec<char> = folded.chars().filter(|char| !is_unseen(*char) && !is_loose_mark(*char)).collect();
    let mut seen = String::with_capacity(folded.len());
    for run in visible.chunk_by(|one, other| REGIONAL.contains(one) == REGIONAL.contains(other)) {
        let is_flag = run.len() <= FLAG && REGIONAL.contains(&run[0]);
        seen.extend(run.iter().map(|char| if is_flag { *char } else { plain_letter(*char).unwrap_or(*char) }));
    }
    Cow::Owned(seen)
}

/// The look of a text: equal for texts that look the same to a reader. Invisible characters are
/// removed, a run of blanks becomes one space, blanks at the ends go, and look-alike letters become
/// one letter in lower case. Punctuation and emoji stay, because they change the meaning.
#[must_use]
pub fn look(text: &str) -> String {
    if text.is_ascii() {
        return look_of(text.chars().map(|char| char.to_ascii_lowercase()));
    }
    let folded = name::fold(text);
    look_of(unicode_security::skeleton(&seen(&folded)).flat_map(char::to_lowercase))
}

/// The [`look`] of `chars`, which must be in lower case and hold no invisible characters.
fn look_of(chars: impl Iterator<Item = char>) -> String {
    let mut look = String::new();
    let mut after_blank = true;
    for char in chars {
        // The blank Braille pattern is drawn as a space, but Unicode counts it among the symbols.
        if char.is_whitespace() || char == '\u{2800}' {
            if !after_blank {
                look.push(' ');
            }
            after_blank = true;
            continue;
        }
        after_blank = false;
        match ASCII_LOOKS.iter().find(|(one, _)| *one == char) {
            Some((_, like)) => look.push_str(like),
            None => look.push(char),
        }
    }
    look.truncate(look.trim_end().len());
    look
}

/// The ASCII characters whose skeleton (UTS 39) is not the character itself, with that skeleton in
/// lower case. Most lines are all ASCII, and this list spares them Unicode's tables.
const ASCII_LOOKS: &[(char, &str)] =
    &[('"', "''"), ('%', "\u{b0}/\u{2080}"), ('0', "o"), ('1', "l"), ('`', "'"), ('m', "rn"), ('|', "l")];

/// The pattern of an entry that is written between slashes; `None` for a plain entry.
fn pattern(entry: &str) -> Option<&str> {
    entry.strip_prefix('/')?.strip_suffix('/').filter(|pattern| !pattern.is_empty())
}

/// The likeness of a text: its words, each between spaces, with look-alike letters as one letter. A
/// plain entry matches a text if the text's likeness contains the entry's.
fn likeness(text: &str) -> String {
    words_of(&seen(&name::fold(text)))
}

/// The [`likeness`] of a text that is folded and [`seen`] already.
fn words_of(seen: &str) -> String {
    let mut like = String::with_capacity(seen.len() + 2);
    like.push(' ');
    for word in seen.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()) {
        like.extend(unicode_security::skeleton(word).flat_map(char::to_lowercase));
        like.push(' ');
    }
    like
}

/// Checks an entry of a list in the settings.
///
/// # Errors
/// The reason why the entry cannot be compiled, in words for the operator.
pub fn check(entry: &str) -> Result<(), String> {
    Matcher::new(std::slice::from_ref(&entry.to_owned())).map(drop)
}

/// Checks an entry that an operator adds while the hub runs. An entry that matches nearly
/// everything is refused: it is the slip of somebody in a hurry.
///
/// # Errors
/// The reason, as the rest of a sentence that begins with the entry.
pub fn check_hasty(entry: &str) -> Result<(), String> {
    if entry.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    let matcher = Matcher::new(std::slice::from_ref(&entry.to_owned())).map_err(|why| {
        // The last line of the regex crate's message says what is wrong; the lines before it draw
        // where.
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        if pattern(entry).is_some() { format!("is no pattern: {why}") } else { "has no letter in it".to_owned() }
    })?;
    let mut found = EVERYDAY.iter().filter(|text| matcher.finds(&Text::of(text)));
    match found.by_ref().nth(TOO_MANY) {
        None => Ok(()),
        Some(such) => Err(format!("finds what everybody says, such as \"{such}\"")),
    }
}

/// Both lists of filters, compiled: one for each [`Action`].
#[derive(Clone, Debug, Default)]
pub struct Filters {
    refuse: Matcher,
    strike: Matcher,
}

impl Filters {
    /// Compiles lists of [checked](check) entries. An entry that cannot be compiled all the same
    /// matches nothing, and a list that takes too much memory matches nothing either.
    #[must_use]
    pub fn new(refuse: &[String], strike: &[String]) -> Self {
        let sound =
            |entries: &[String]| entries.iter().filter(|entry| check(entry).is_ok()).cloned().collect::<Vec<_>>();
        let compiled =
            |entries: &[String]| Matcher::new(entries).or_else(|_| Matcher::new(&sound(entries))).unwrap_or_default();
        Self { refuse: compiled(refuse), strike: compiled(strike) }
    }

    /// Whether both lists can be compiled within their memory.
    #[must_use]
    pub fn fit(refuse: &[String], strike: &[String]) -> bool {
        Matcher::new(refuse).is_ok() && Matcher::new(strike).is_ok()
    }

    /// What to do with `text`; `None` if no filter matches. [`Action::Strike`] wins where both
    /// lists match.
    #[must_use]
    pub fn judge(&self, text: &str) -> Option<Action> {
        if self.refuse.is_empty() && self.strike.is_empty() {
            return None;
        }
        let text = Text::of(text);
        if self.strike.finds(&text) { Some(Action::Strike) } else { self.refuse.finds(&text).then_some(Action::Refuse) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filters(refuse: &[&str], strike: &[&str]) -> Filters {
        let list = |entries: &[&str]| entries.iter().map(ToString::to_string).collect::<Vec<_>>();
        Filters::new(&list(refuse), &list(strike))
    }

    #[test]
    fn words_are_found_on_their_borders_whatever_their_case_and_look() {
        let filters = filters(&["spam", "buy now"], &["/https?://[a-z.]*\\.example/"]);
        for text in ["spam", "SPAM!", "no spam, please", "s\u{440}am", "Buy   now", "buy-now", "(buy, now)"] {
            assert_eq!(filters.judge(text), Some(Action::Refuse), "{text}");
        }
        for text in ["spammer", "now buy", "buy it now", "", "antispam", "hello"] {
            assert_eq!(filters.judge(text), None, "{text}");
        }
        assert_eq!(filters.judge("see HTTP://evil.Example/x"), Some(Action::Strike));
    }

    #[test]
    fn what_nobody_sees_hides_no_word_on_either_side() {
        let unseen = [
            "\u{ad}",
            "\u{34f}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{2060}",
            "\u{fe0e}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{e0101}",
            "\u{e0061}",
            "\u{3164}",
            "\u{336}",
            "\u{20dd}",
            "\u{200d}\u{fe0f}",
        ];
        for unseen in unseen {
            let hidden = format!("s{unseen}pam");
            for (entry, text) in [("spam", &*hidden), (&*hidden, "spam"), ("/spam/", &*hidden), (&*hidden, &*hidden)] {
                assert_eq!(filters(&[entry], &[]).judge(text), Some(Action::Refuse), "{entry:?} {text:?}");
            }
        }
        let joiner = "/s\u{200d}pam/";
        assert_eq!(filters(&[joiner], &[]).judge("spam"), Some(Action::Refuse));
        assert_eq!(filters(&["/s\\x{200d}pam/"], &[]).judge("s\u{200d}pam"), Some(Action::Refuse));
        assert_eq!(filters(&["/s\\x{200d}pam/"], &[]).judge("spam"), None);
        assert!(check("\u{200d}").is_err(), "nobody sees that");
    }

    #[test]
    fn what_looks_the_same_is_the_same_line() {
        for (one, other) in [
            ("Buy Now", "buy  now"),
            ("buy now", " buy now \u{a0}\u{2800}"),
            ("buy now", "buy\u{200d} now"),
            ("buy now", "buy now\u{fe0f}"),
            ("buy now", "buy no\u{e0061}w"),
            ("buy now", "b\u{ad}uy now"),
            ("buy now", "b\u{34f}uy now"),
            ("buy now", "buy\u{3164} now"),
            ("buy now", "buy now\u{e0101}"),
            ("buy now", "b\u{336}uy now"),
            ("buy now", "buy\u{2003}now"),
            ("more money", "m\u{43e}re money"),
            ("more money", "\u{1d426}ore money"),
            ("spam", "\u{a731}\u{1d18}\u{1d00}\u{1d0d}"),
            ("\u{444}\u{44b}", "\u{424}\u{200b}\u{42b}"),
            ("", "\u{200b}\u{2800} "),
        ] {
            assert_eq!(look(one), look(other), "{one:?} {other:?}");
        }
        for (one, other) in [
            ("buy now", "buynow"),
            ("yes", "yes!"),
            ("!", "?"),
            ("\u{1f600}", "\u{1f622}"),
            ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\u{200d}\u{1f467}"),
            ("\u{1f1e9}\u{1f1ea}", "\u{1f1eb}\u{1f1f7}"),
            ("7", "8"),
        ] {
            assert_ne!(look(one), look(other), "{one:?} {other:?}");
        }
        let mut differ = Vec::new();
        for byte in 0x20..0x7f_u8 {
            let char = char::from(byte).to_ascii_lowercase().to_string();
            let skeleton: String = unicode_security::skeleton(&char).flat_map(char::to_lowercase).collect();
            differ.extend((look(&char) != skeleton.trim()).then(|| (look(&char), skeleton)));
        }
        assert_eq!(differ, [], "the short way for ASCII and the long one");
    }

    #[test]
    fn letters_in_circles_and_squares_and_small_capitals_are_letters_and_flags_are_none() {
        let spam = filters(&["spam", "de"], &["/spam/"]);
        for text in [
            "spa\u{1d0d}",
            "\u{a731}\u{1d18}\u{1d00}\u{1d0d}",
            "\u{1f182}\u{1f17f}\u{1f170}\u{1f17c}",
            "\u{1f182}\u{fe0f}\u{1f17f}\u{fe0f}\u{1f170}\u{fe0f}\u{1f17c}",
            "\u{1f162}\u{1f15f}\u{1f150}\u{1f15c}",
            "\u{1f1f8}\u{1f1f5}\u{1f1e6}\u{1f1f2}",
            "\u{1f1f8}\u{200b}\u{1f1f5}\u{200b}\u{1f1e6}\u{200b}\u{1f1f2}",
            "\u{24e2}\u{24df}\u{24d0}\u{24dc}",
            "\u{1d42c}\u{1d429}\u{1d41a}\u{1d426}",
        ] {
            assert_eq!(spam.judge(text), Some(Action::Strike), "{text}");
        }
        assert_eq!(spam.judge("\u{1f1e9}\u{1f1ea} won"), None, "a flag");
        assert_eq!(filters(&["ano"], &[]).judge("a\u{f1}o nuevo"), None, "another letter");
    }

    #[test]
    fn what_cannot_be_compiled_is_refused_where_it_is_read() {
        for wrong in ["", " ", "...", "/(/", "/(a{500}){500}/"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        for right in ["spam", "/^a+$/", "//", "a/b"] {
            assert_eq!(check(right).is_ok(), right != "//", "{right}");
        }
    }

    #[test]
    fn a_filter_that_would_match_everyday_talk_is_refused() {
        for wrong in ["/./", "/^[a-z]/", "/[aeiou]/", "/ /", "/(/", "...", "/(\\w{100}){100}/", &"a".repeat(201)] {
            assert!(check_hasty(wrong).is_err(), "{wrong}");
        }
        for right in ["spam", "the", "is", "buy now", "/https?:/", "/\\bbuy\\b.*\\bnow\\b/", "a", "/[0-9]{4}/"] {
            assert_eq!(check_hasty(right), Ok(()), "{right}");
        }
    }

    proptest! {
        #[test]
        fn words_are_found_as_looking_at_each_word_finds_them(
            text in "[ab .]{0,12}", words in prop::collection::vec("[ab]{1,3}", 0..3),
        ) {
            let list: Vec<&str> = words.iter().map(String::as_str).collect();
            let found = filters(&list, &[]).judge(&text).is_some();
            let expected = text.split([' ', '.']).any(|word| list.contains(&word));
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn no_text_and_no_entry_makes_it_panic(entry in "\\PC{0,20}", text in "\\PC{0,40}") {
            let _ = check(&entry);
            let _ = filters(&[&entry], &[]).judge(&text);
        }
    }
}
