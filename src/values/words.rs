//! Filters: words and patterns that house rules keep out of what everybody reads.
//!
//! A plain entry is a word, or several in a row. It is found between word borders, in any case, and in letters that
//! look alike (UTS 39). An entry between slashes is a pattern (of the `regex` crate, which takes linear time for any
//! text), tried on the text in lower case.

use regex::RegexSet;

use crate::values::name;

/// Bytes of memory that a compiled list of patterns may take.
const SIZE: usize = 4 * 1024 * 1024;

/// What is done with a text that a filter has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is refused.
    Refuse,
    /// It is refused, and its author gets a strike.
    Strike,
}

/// One list, compiled.
#[derive(Clone, Debug, Default)]
struct Matcher {
    /// The words, as [`likeness`] makes them.
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
            .map_err(|error| error.to_string())?;
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

/// What a text looks like: its words, each between spaces, with one letter for all that look alike.
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

/// What is wrong with an entry of a list, if anything is.
///
/// # Errors
/// In words for the operator.
pub fn check(entry: &str) -> Result<(), String> {
    Matcher::new(std::slice::from_ref(&entry.to_owned())).map(drop)
}

/// All lists, compiled.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    refuse: Matcher,
    strike: Matcher,
}

impl Filters {
    /// Compiles lists whose entries were [checked](check). A list that cannot be compiled all the same filters nothing.
    #[must_use]
    pub fn new(refuse: &[String], strike: &[String]) -> Self {
        let compiled = |entries: &[String]| Matcher::new(entries).unwrap_or_default();
        Self { refuse: compiled(refuse), strike: compiled(strike) }
    }

    /// What is done with `text`; `None` if no filter finds anything in it.
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
