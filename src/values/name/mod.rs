//! Names of people and rooms: which are allowed, which are the same, which look the same.
//!
//! A name that somebody asks for is checked once, by [`Name::parse`]; after that the type is the proof. Three
//! spellings are kept: as it is shown, folded (what "the same name" means) and as skeletons (what "a reader could
//! take it for another" means, Unicode Technical Standard 39). Only the shown one is ever written down; the others are
//! made of it again when it is read, so a release can compare names better than the one before. Which name is in use
//! is not known here (see [`super::roster`]).
//!
//! | to change | see |
//! | --- | --- |
//! | which characters a name may hold, and where; which scripts go together | `rules` |
//! | which names look alike; letters that look alike and are told apart by those who read them | `likeness` |
//! | which names nobody gets: reserved words, and what could be read as something else | `claims` |
//! | the names of guests | [`guest`] |
//! | patterns that find names | [`pattern`] |
//! | what is asked of a name that was kept by an earlier release | [`Name::recall`] |

mod claims;
mod guest;
mod likeness;
pub mod pattern;
mod rules;

use core::fmt;
use core::net::IpAddr;
use std::borrow::Cow;
use std::sync::Arc;

use caseless::Caseless;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::text;

pub use claims::{TakenFor, is_id, is_reserved, resembles_address, taken_for};
pub use guest::guest;
pub use rules::InvalidName;

/// Bytes a name may take for each character it may have.
const BYTES_PER_CHARACTER: usize = 4;

/// Bytes of the longest name that is recalled: a ban can be of a name of 255 characters.
const MOST_BYTES: usize = 255 * BYTES_PER_CHARACTER;

/// A name that obeys the rules, or did when it was taken. Two are equal when they fold to the same; whether they could
/// be mistaken for each other is another question, see [`Name::looks_like`].
///
/// A clone shares the text.
#[derive(Clone)]
pub struct Name(Arc<Spellings>);

/// All spellings in one allocation, one behind the other: shown, folded, skeleton, sight, and the last two without
/// punctuation at the ends, if there is any.
struct Spellings {
    text: Box<str>,
    folded_at: usize,
    skeleton_at: usize,
    sight_at: usize,
    bare_skeleton_at: usize,
    bare_sight_at: usize,
}

impl Name {
    /// Checks and normalizes a name of at most `max_chars` grapheme clusters and four times as many bytes. What an
    /// input method makes wide or narrow becomes the ordinary letter, and all is composed (NFC). Parsing what a name
    /// [shows](Name::shown) gives that name again.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, InvalidName> {
        let max_bytes = max_chars.saturating_mul(BYTES_PER_CHARACTER);
        // Decomposed text can be longer than its NFC, but not without bounds; nothing below
        // works on more than this.
        if text.len() > max_bytes.saturating_mul(4) {
            return Err(InvalidName::TooLong { max_chars });
        }
        let shown = normal(text);
        rules::check_characters(&shown)?;
        if shown.graphemes(true).count() > max_chars {
            return Err(InvalidName::TooLong { max_chars });
        }
        if shown.len() > max_bytes {
            return Err(InvalidName::TooManyBytes { max_bytes });
        }
        rules::check_marks(&shown)?;
        rules::check_scripts(&shown)?;
        rules::check_direction(&shown)?;
        Ok(Self(Arc::new(Spellings::of(&shown))))
    }

    /// The name that was kept as `shown`: in a snapshot, or on disk. It was checked when it was taken, and the rules
    /// of a later release do not make it nobody's; so all that is asked is that it can be shown on one line.
    #[must_use]
    pub fn recall(shown: &str) -> Option<Self> {
        let fits = shown.len() <= MOST_BYTES && !shown.contains(char::is_whitespace);
        (fits && text::is_clean(shown) && !text::is_blank(shown))
            .then(|| if guest::is_guest(shown) { Self::plain(shown) } else { Self(Arc::new(Spellings::of(shown))) })
    }

    /// The name that [`guest()`] makes. Its characters are their own folded forms and skeletons, so all four spellings
    /// are one, and no rule needs to be asked: a hub gives many of these at a time.
    #[must_use]
    pub fn guest(key: &[u8; 16], addr: IpAddr, port: u16, length: usize) -> Self {
        Self::plain(&guest(key, addr, port, length))
    }

    fn plain(shown: &str) -> Self {
        let at = shown.len();
        let text = shown.repeat(4).into_boxed_str();
        let (bare_skeleton_at, bare_sight_at) = (text.len(), text.len());
        let (folded_at, skeleton_at, sight_at) = (at, 2 * at, 3 * at);
        Self(Arc::new(Spellings { text, folded_at, skeleton_at, sight_at, bare_skeleton_at, bare_sight_at }))
    }

    /// As its holder wrote it, in NFC.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.0.text[..self.0.folded_at]
    }

    /// Whether the hub made it, for a guest.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        guest::is_guest(self.shown())
    }

    /// As it is shown, without the punctuation at its ends: what a reader takes in, who reads `help.` and `c4_`.
    #[must_use]
    pub fn word(&self) -> &str {
        claims::trimmed(self.shown())
    }

    /// As [`fold`] gives it: the key to look a name up by.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0.text[self.0.folded_at..self.0.skeleton_at]
    }

    /// The skeleton of the folded form, folded: names with equal skeletons look alike whatever their case, but for
    /// letters that are told apart. Not fit for display.
    #[must_use]
    pub fn skeleton(&self) -> &str {
        &self.0.text[self.0.skeleton_at..self.0.sight_at]
    }

    /// The skeleton of the form shown, case kept: names with equal sights look alike as they are written. It catches
    /// what folding takes away from [`Name::skeleton`]: the capital I in `paypaI`, Cyrillic capitals that spell a Latin
    /// word. Not fit for display.
    #[must_use]
    pub fn sight(&self) -> &str {
        &self.0.text[self.0.sight_at..self.0.bare_skeleton_at]
    }

    /// The [skeleton](Self::skeleton) without the punctuation at the ends of the name: `ann.` and `ann_` are ann to a
    /// reader. Not fit for display.
    #[must_use]
    pub fn bare_skeleton(&self) -> &str {
        let bare = &self.0.text[self.0.bare_skeleton_at..self.0.bare_sight_at];
        if bare.is_empty() { self.skeleton() } else { bare }
    }

    /// The [sight](Self::sight) without the punctuation at the ends of the name. Not fit for display.
    #[must_use]
    pub fn bare_sight(&self) -> &str {
        let bare = &self.0.text[self.0.bare_sight_at..];
        if bare.is_empty() { self.sight() } else { bare }
    }

    /// Whether a reader could mistake the two for each other: the names are equal, or their skeletons or sights are, or
    /// those without the punctuation at the ends; and no letters differ that readers of the script tell apart.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let (bare, bare_other) = (without_ends(self.folded()), without_ends(other.folded()));
        self == other
            || ((self.skeleton() == other.skeleton() || self.sight() == other.sight())
                && !likeness::are_told_apart(self.folded(), other.folded()))
            || ((self.bare_skeleton() == other.bare_skeleton() || self.bare_sight() == other.bare_sight())
                && !likeness::are_told_apart(bare, bare_other))
    }
}

/// Kept as it is shown.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// See [`Name::recall`].
impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shown = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::recall(&shown).ok_or_else(|| de::Error::custom(format!("{shown:?} cannot be shown as a name")))
    }
}

impl Spellings {
    fn of(shown: &str) -> Self {
        let folded = fold(shown);
        let mut text = String::from(shown);
        let folded_at = text.len();
        text.push_str(&folded);
        let skeleton_at = text.len();
        text.push_str(&likeness::folded_skeleton(&folded));
        let sight_at = text.len();
        text.push_str(&likeness::skeleton(shown));
        let bare_skeleton_at = text.len();
        let (bare, bare_folded) = (without_ends(shown), without_ends(&folded));
        let has_ends = bare != shown;
        if has_ends {
            text.push_str(&likeness::folded_skeleton(bare_folded));
        }
        let bare_sight_at = text.len();
        if has_ends {
            text.push_str(&likeness::skeleton(bare));
        }
        let text = text.into_boxed_str();
        Self { text, folded_at, skeleton_at, sight_at, bare_skeleton_at, bare_sight_at }
    }
}

/// A name without the punctuation at its ends; all of it, if it has nothing else.
fn without_ends(text: &str) -> &str {
    let word = text.trim_matches(['-', '_', '.']);
    if word.is_empty() { text } else { word }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

/// For finding a name by its folded form.
impl core::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.folded()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.shown())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.shown())
    }
}

/// The text as a name shows it: composed, with ordinary letters in place of wide and narrow ones (an input method for
/// Chinese, Japanese or Korean makes those of the same keys), and without the Tibetan mark that ends a syllable where
/// the name ends.
fn normal(text: &str) -> String {
    let is_of_other_width = |c: char| matches!(c, '\u{3000}' | '\u{FF00}'..='\u{FFEF}');
    let ordinary: Cow<'_, str> = if text.contains(is_of_other_width) {
        let ordinary = |c: char| if is_of_other_width(c) { c.to_string().nfkc().collect() } else { c.to_string() };
        text.chars().map(ordinary).collect()
    } else {
        text.into()
    };
    let mut shown: String = ordinary.nfc().collect();
    shown.truncate(shown.trim_end_matches('\u{F0B}').len());
    shown
}

/// The name of a room as it was typed, with or without a `#` before it: the one reading of it, wherever one is given.
/// `None` if no room can be called that.
#[must_use]
pub fn of_room(typed: &str) -> Option<&str> {
    let name = typed.strip_prefix('#').unwrap_or(typed);
    Name::recall(name).is_some().then_some(name)
}

/// The key that two spellings of one name share: compatibility-normalized (NFKC) and case-folded
/// (Unicode section 3.13, D146 with the result composed). Takes any text, so that what somebody
/// typed can be looked up without being a valid name.
///
/// The index of recorded lines is made of texts that are folded: should this ever fold otherwise, it has to be made
/// anew.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect()
}

#[cfg(test)]
mod tests;
