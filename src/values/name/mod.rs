//! Names of people and rooms: which are valid, which count as the same, which look alike.
//!
//! A name that somebody asks for is checked once, by [`Name::parse`]; from then on its type is the
//! proof that it is valid. A [`Name`] holds three kinds of spellings: the shown form, the folded
//! form (equal for the same name), and skeletons (Unicode Technical Standard 39; equal for names
//! that a reader could take for each other). Only the shown form is stored on disk; the others are
//! computed from it when it is read, so a later release can compare names better. This module does
//! not know which names are in use (see [`super::roster`]).
//!
//! | to change | see |
//! | --- | --- |
//! | which characters a name may hold, and where; which scripts may stand in one name | `rules` |
//! | which names look alike; look-alike letters that readers tell apart | `likeness` |
//! | reserved names, and names that could be read as something else | `claims` |
//! | the names of guests | [`guest`] |
//! | patterns that match names, for bans and mutes | [`pattern`] |
//! | which checks a stored name has to pass when it is read again | [`Name::recall`] |

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

/// UTF-8 bytes that a name may take for each character of its allowed length.
const BYTES_PER_CHARACTER: usize = 4;

/// The longest stored name that is accepted, in bytes: bans can name up to 255 characters.
const MOST_BYTES: usize = 255 * BYTES_PER_CHARACTER;

/// A valid name, or one that was valid when it was taken. Two names are equal if their folded forms
/// are; whether a reader could confuse them is told by [`Name::looks_like`].
///
/// A clone shares the text with the original.
#[derive(Clone)]
pub struct Name(Arc<Spellings>);

/// All spellings in one string, one behind the other: shown, folded, skeleton, sight, bare
/// skeleton, bare sight. The two bare ones are empty if the name has no punctuation at its ends.
/// The other fields are byte offsets.
struct Spellings {
    text: Box<str>,
    folded_at: usize,
    skeleton_at: usize,
    sight_at: usize,
    bare_skeleton_at: usize,
    bare_sight_at: usize,
}

impl Name {
    /// Checks and normalizes a name of at most `max_chars` grapheme clusters and four times as many
    /// bytes. Fullwidth and halfwidth letters become ordinary ones, and the name is composed (NFC).
    /// Parsing the [shown](Name::shown) form of a name gives the same name again.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, InvalidName> {
        let max_bytes = max_chars.saturating_mul(BYTES_PER_CHARACTER);
        // Decomposed text can be longer than its NFC, but not more than this many times; so the
        // work below is bounded.
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

    /// The name that was stored as `shown`, in a snapshot or in the database. It was checked when
    /// it was taken, and stays valid under the rules of later releases. So the only conditions are
    /// that it is not too long, has no white space, shows something, and holds no character that
    /// could harm a terminal; `None` otherwise.
    #[must_use]
    pub fn recall(shown: &str) -> Option<Self> {
        let fits = shown.len() <= MOST_BYTES && !shown.contains(char::is_whitespace);
        (fits && text::is_clean(shown) && !text::is_blank(shown))
            .then(|| if guest::is_guest(shown) { Self::plain(shown) } else { Self(Arc::new(Spellings::of(shown))) })
    }

    /// The name that [`guest()`] makes. Its characters are their own folded forms and skeletons, so
    /// all spellings are equal and no rule needs to be checked. This is quick, because a hub gives
    /// many of these at a time.
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

    /// The shown form: the name as its bearer wrote it, in NFC.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.0.text[..self.0.folded_at]
    }

    /// Whether the name has the form of those that the hub gives to guests.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        guest::is_guest(self.shown())
    }

    /// The shown form without the punctuation at its ends: `help` for `help.`, `c4` for `c4_`.
    #[must_use]
    pub fn word(&self) -> &str {
        claims::trimmed(self.shown())
    }

    /// The folded form, see [`fold`]: the key by which a name is looked up.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0.text[self.0.folded_at..self.0.skeleton_at]
    }

    /// The skeleton of the folded form, folded again: names with equal skeletons look alike if
    /// upper and lower case are ignored, except for letters that readers tell apart. Not fit for
    /// display.
    #[must_use]
    pub fn skeleton(&self) -> &str {
        &self.0.text[self.0.skeleton_at..self.0.sight_at]
    }

    /// The skeleton of the shown form, in upper and lower case as written: names with equal sights
    /// look alike as they stand. It catches likenesses that [`Name::skeleton`] misses because it is
    /// folded: the capital I in `paypaI`, or Cyrillic capitals that spell a Latin word. Not fit for
    /// display.
    #[must_use]
    pub fn sight(&self) -> &str {
        &self.0.text[self.0.sight_at..self.0.bare_skeleton_at]
    }

    /// The [skeleton](Self::skeleton) of the name without the punctuation at its ends: a reader
    /// takes `ann.` and `ann_` for `ann`. Not fit for display.
    #[must_use]
    pub fn bare_skeleton(&self) -> &str {
        let bare = &self.0.text[self.0.bare_skeleton_at..self.0.bare_sight_at];
        if bare.is_empty() { self.skeleton() } else { bare }
    }

    /// The [sight](Self::sight) of the name without the punctuation at its ends. Not fit for
    /// display.
    #[must_use]
    pub fn bare_sight(&self) -> &str {
        let bare = &self.0.text[self.0.bare_sight_at..];
        if bare.is_empty() { self.sight() } else { bare }
    }

    /// Whether a reader could mistake the two names for each other: they are equal, or have the
    /// same skeleton or sight, with or without the punctuation at their ends, and do not differ in
    /// letters that readers of the script tell apart.
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

/// Serialized as the shown form.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// Read by [`Name::recall`].
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

/// A name without the hyphens, underscores and dots at its ends; the whole name if it holds nothing
/// else.
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

/// Lets maps that are keyed by names be searched by a folded form.
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

/// The shown form of a typed name: composed (NFC), with ordinary letters in place of fullwidth and
/// halfwidth ones (input methods for Chinese, Japanese and Korean make those from the same keys),
/// and without a tsheg (Tibetan, U+0F0B) at its end.
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

/// The name of a room from a typed argument, without the `#` that may stand before it. All commands
/// read names of rooms by this. `None` if no room can have that name.
#[must_use]
pub fn of_room(typed: &str) -> Option<&str> {
    let name = typed.strip_prefix('#').unwrap_or(typed);
    Name::recall(name).is_some().then_some(name)
}

/// The folded form of a text, equal for all spellings of one name: compatibility-normalized (NFKC)
/// and case-folded (Unicode section 3.13, D146, with the result composed). It takes any text, valid
/// name or not, so that whatever was typed can be looked up.
///
/// The search index of recorded lines holds folded texts: if this function ever changes, the index
/// must be rebuilt.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect()
}

#[cfg(test)]
mod tests;
