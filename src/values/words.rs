//! Filters: words and patterns that house rules keep out of what everybody reads.
//!
//! A plain entry is one word, or several in a row. It is found between word borders, in any case, and in letters that
//! look alike (UTS 39). An entry between slashes is a pattern of the `regex` crate, which takes linear time for any
//! text; it is tried on the text in lower case.

use regex::RegexSet;

use crate::values::name;

/// How many bytes of memory a compiled list of patterns may take.
const SIZE: usize = 4 * 1024 * 1024;

/// The longest entry that can be made while the hub runs, in bytes.
pub const LONGEST: usize = 200;

/// What people say all day. An entry that finds more than a [fifth](TOO_MANY) of these texts would keep back nearly
/// everything.
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

/// An entry that means anything in particular finds no more of [`EVERYDAY`] than this.
const TOO_MANY: usize = EVERYDAY.len() / 5;

/// What is done with a text that a filter has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is refused.
    Refuse,
    /// It is refused, and its author gets a strike.
    Strike,
}

/// One compiled list.
#[derive(Clone, Debug, Default)]
struct Matcher {
    /// The words, in the form of [`likeness`].
    words: Vec<String>,
    patterns: Option<RegexSet>,
}

impl Matcher {
    fn new(entries: &[String]) -> Result<Self, String> {
        let mut words = Vec::new();
        let mut patterns = Vec::new();
        for entry in entries {
            match pattern(entry) {
                Some(pattern) => patterns.push(pattern),
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

    fn finds(&self, like: &str, folded: &str) -> bool {
        self.words.iter().any(|word| like.contains(word.as_str()))
            || self.patterns.as_ref().is_some_and(|patterns| patterns.is_match(folded))
    }
}

/// The pattern of an entry between slashes.
fn pattern(entry: &str) -> Option<&str> {
    entry.strip_prefix('/')?.strip_suffix('/').filter(|pattern| !pattern.is_empty())
}

/// The look of a text: its words, each between spaces, with one letter for all letters that look alike.
fn likeness(text: &str) -> String {
    let mut like = String::with_capacity(text.len() + 2);
    like.push(' ');
    let folded = name::fold(text);
    for word in folded.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()) {
        like.extend(unicode_security::skeleton(word).flat_map(char::to_lowercase));
        like.push(' ');
    }
    like
}

/// Checks an entry of a list in the settings.
///
/// # Errors
/// What is wrong with it, in words for the operator.
pub fn check(entry: &str) -> Result<(), String> {
    Matcher::new(std::slice::from_ref(&entry.to_owned())).map(drop)
}

/// Checks an entry that is made while the hub runs. An entry that finds nearly everything is refused: somebody in a
/// hurry has made a slip.
///
/// # Errors
/// What is wrong with it: the rest of a sentence that begins with the entry.
pub fn check_hasty(entry: &str) -> Result<(), String> {
    if entry.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    let matcher = Matcher::new(std::slice::from_ref(&entry.to_owned())).map_err(|why| {
        // The last line of the message says what is wrong; the lines before draw it.
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        if pattern(entry).is_some() { format!("is no pattern: {why}") } else { "has no letter in it".to_owned() }
    })?;
    let mut found = EVERYDAY.iter().filter(|text| matcher.finds(&likeness(text), &name::fold(text)));
    match found.by_ref().nth(TOO_MANY) {
        None => Ok(()),
        Some(such) => Err(format!("finds what everybody says, such as \"{such}\"")),
    }
}

/// All lists, compiled.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    refuse: Matcher,
    strike: Matcher,
}

impl Filters {
    /// Compiles lists of [checked](check) entries. An entry that still cannot be compiled finds nothing, and neither
    /// does a list that takes too much memory.
    #[must_use]
    pub fn new(refuse: &[String], strike: &[String]) -> Self {
        let sound =
            |entries: &[String]| entries.iter().filter(|entry| check(entry).is_ok()).cloned().collect::<Vec<_>>();
        let compiled =
            |entries: &[String]| Matcher::new(entries).or_else(|_| Matcher::new(&sound(entries))).unwrap_or_default();
        Self { refuse: compiled(refuse), strike: compiled(strike) }
    }

    /// Whether each of the two lists can be compiled.
    #[must_use]
    pub fn fit(refuse: &[String], strike: &[String]) -> bool {
        Matcher::new(refuse).is_ok() && Matcher::new(strike).is_ok()
    }

    /// What to do with `text`; `None` if no filter finds anything in it.
    #[must_use]
    pub fn judge(&self, text: &str) -> Option<Action> {
        if self.refuse.is_empty() && self.strike.is_empty() {
            return None;
        }
        let (like, folded) = (likeness(text), name::fold(text));
        if self.strike.finds(&like, &folded) {
            Some(Action::Strike)
        } else {
            self.refuse.finds(&like, &folded).then_some(Action::Refuse)
        }
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
    fn what_cannot_be_compiled_is_refused_where_it_is_read() {
        for wrong in ["", " ", "...", "/(/", "/(a{500}){500}/"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        for right in ["spam", "/^a+$/", "//", "a/b"] {
            assert_eq!(check(right).is_ok(), right != "//", "{right}");
        }
    }

    #[test]
    fn what_is_made_in_a_hurry_finds_not_what_everybody_says() {
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
