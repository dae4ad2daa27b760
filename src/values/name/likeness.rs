//! Which texts look alike: the skeletons of Unicode Technical Standard 39 (UTS 39), with our own
//! additions to its data, and the letters that have one skeleton although readers of their script
//! tell them apart.
//!
//! Skeletons are never stored: an addition to these tables holds for all names from the next start
//! on.

use unicode_normalization::UnicodeNormalization;

use super::fold;

/// Additions to the data of UTS 39, as pairs of skeletons: a text, and the text that it looks like.
/// The second text of a pair is not the first of another one.
const ALSO_ALIKE: &[(&str, &str)] = &[
    // Arabic high hamza, which stands beside its letter, and hamza above.
    ("\u{674}", "\u{654}"),
    // Beh with hamza above, whose skeleton lacks the dots: it looks like yeh with hamza above.
    ("\u{8A8}", "\u{649}\u{654}"),
    // Variants of one ideograph, as Chinese, Japanese and Korean fonts draw them: 郞 and 郎, 隸 and 隷.
    ("\u{90DE}", "\u{90CE}"),
    ("\u{96B8}", "\u{96B7}"),
    // Two Canadian syllabics: the Lisu letter gha looks like both.
    ("\u{15FA}", "\u{1660}"),
    // The vertical stroke (Han, and a Korean vowel) and the horizontal one (Han, and the Japanese
    // mark of a long vowel): all of them may stand among Latin letters.
    ("\u{4E28}", "l"),
    ("\u{30FC}", "-"),
    // ȧ and å, ǵ and ģ, ѝ and й.
    ("\u{307}", "\u{30A}"),
    ("g\u{301}", "g\u{326}"),
    ("\u{1D0E}\u{300}", "\u{1D0E}\u{306}"),
    ("\u{418}\u{300}", "\u{418}\u{306}"),
    ("\u{418}\u{326}\u{300}", "\u{418}\u{326}\u{306}"),
];

/// Groups of letters that have the same skeleton although readers of their script never confuse
/// them: the languages, and the letters. Letters that readers of another language would confuse are
/// not here: Turkish has i and ı, but a reader of English would take `admın` for `admin`.
const TOLD_APART: &[(&str, &str)] = &[
    ("Arabic, Persian, Urdu", "ثپ"),
    ("Armenian", "ոռ"),
    ("Armenian", "գզ"),
    ("Cherokee", "ᎠᏧ"),
    ("Cherokee", "ᏀᏳ"),
    ("Cherokee", "ᎻᏂ"),
    ("Cherokee", "ᎾᏫ"),
    ("Cherokee", "ᎡᏒ"),
    ("Cherokee", "ᏏᏴ"),
    ("Cherokee", "ᏕᏚ"),
    ("Cherokee", "ᎳᏔ"),
    ("Cherokee", "ᎩᎽ"),
    ("Cherokee", "ᎨᎰ"),
    ("Chinese, Japanese", "土士"),
    ("Chinese, Japanese", "未末"),
    ("Chinese", "鹂鹃"),
    ("Greek", "οσ"),
    ("Hebrew", "ון"),
    ("Javanese", "ꦝꦣ"),
    ("Khmer", "ដត"),
    ("Lisu", "ꓒꓓ"),
    ("Lisu", "ꓡꓲ"),
    ("Malayalam", "രറ"),
    ("Malayalam", "\u{D3F}\u{D40}"),
    ("Malayalam", "\u{D41}\u{D42}\u{D43}"),
    ("Sinhala", "එඵ"),
    ("Sinhala", "ඔඹ"),
    ("Sinhala", "ඛබ"),
    ("Sinhala", "චව"),
    ("Sinhala", "භහ"),
    ("Tamazight", "ⵊⵏ"),
    ("Thai", "คดต"),
    ("Thai", "ฆม"),
    ("Thai", "ชซ"),
    ("Thai", "ฎฏ"),
    ("Thai", "ฑท"),
];

/// The skeleton of `text` (UTS 39): equal for texts that look alike, in whatever scripts they are
/// written. Not fit for display.
pub(super) fn skeleton(text: &str) -> String {
    if text.is_ascii() {
        return unicode_security::skeleton(text).collect();
    }
    let text: String = text.nfd().collect();
    let mut seen: String = unicode_security::skeleton(&text).collect();
    for (one, like) in ALSO_ALIKE {
        if seen.contains(one) {
            seen = seen.replace(one, like).nfd().collect();
        }
    }
    if text.contains(has_points) || seen.contains(has_points) {
        seen.retain(|c| !is_point(c));
    }
    seen
}

/// Whether a letter belongs to a script whose vowel points may be written or left out, which makes
/// no difference to its readers: Hebrew and Arabic.
fn has_points(c: char) -> bool {
    matches!(c,
        '\u{5D0}'..='\u{5F2}' // Hebrew
        | '\u{620}'..='\u{64A}' | '\u{66E}' | '\u{66F}' | '\u{671}'..='\u{6D3}' // Arabic
        | '\u{750}'..='\u{77F}' | '\u{8A0}'..='\u{8C9}'
    )
}

/// Whether a mark in a skeleton is a vowel point of Hebrew or Arabic, or a mark that looks like
/// one.
fn is_point(c: char) -> bool {
    matches!(c,
        '\u{5B0}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}' | '\u{5C2}' | '\u{5C7}'..='\u{5C9}' // Hebrew
        | '\u{64B}'..='\u{652}' | '\u{10D27}' // Arabic
        | '\u{301}' | '\u{30A}' | '\u{313}' | '\u{323}'
    )
}

/// The [`skeleton`] of a folded text, folded again: a skeleton can contain capitals, for example O
/// for 0.
pub(super) fn folded_skeleton(folded: &str) -> String {
    fold(&skeleton(folded))
}

/// Whether readers can tell apart two folded texts that have the same skeleton: at some place, the
/// two have different letters that are [`TOLD_APART`].
pub(super) fn are_told_apart(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !super::rules::is_joiner(*c)).collect::<Vec<_>>();
    let (one, other) = (letters(one), letters(other));
    one.len() == other.len() && one.iter().zip(&other).any(|(one, other)| is_told_apart(*one, *other))
}

fn is_told_apart(one: char, other: char) -> bool {
    one != other && TOLD_APART.iter().any(|(_, letters)| letters.contains(one) && letters.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_lookalikes_have_no_redundant_entry() {
        for (language, letters) in TOLD_APART {
            let seen: std::collections::BTreeSet<_> =
                letters.chars().map(|letter| folded_skeleton(&fold(&letter.to_string()))).collect();
            assert_eq!(seen.len(), 1, "{language}: {letters} have skeletons of their own");
            assert_eq!(fold(letters), **letters, "{language}: {letters} are compared folded");
        }
        for (one, like) in ALSO_ALIKE {
            assert_eq!(skeleton(one), skeleton(like), "{one} {like}");
            let known: String = unicode_security::skeleton(one).collect();
            assert_ne!(known, unicode_security::skeleton(like).collect::<String>(), "{one} {like} is known already");
        }
    }
}
