//! Finding a text in another one, in upper or lower case and however both are composed in Unicode.

use std::ops::Range;

use crate::values::name;

/// The places of `wanted`, which must be folded, in `text`: ranges of bytes in rising order that do
/// not overlap.
pub(super) fn hits(text: &str, wanted: &str) -> Vec<Range<usize>> {
    if wanted.is_empty() {
        return Vec::new();
    }
    // The folded text, and for each of its bytes the character of `text` that it comes from.
    let (mut folded, mut from) = (String::new(), Vec::new());
    let mut letter = [0; 4];
    for (at, c) in text.char_indices() {
        let part = if c.is_ascii() {
            c.to_ascii_lowercase().encode_utf8(&mut letter).to_owned()
        } else {
            name::fold(c.encode_utf8(&mut letter))
        };
        folded.push_str(&part);
        from.resize(folded.len(), at..at + c.len_utf8());
    }
    let found = folded.match_indices(wanted).map(|(at, _)| from[at].start..from[at + wanted.len() - 1].end);
    let mut hits: Vec<Range<usize>> = Vec::new();
    for hit in found {
        // Folding may turn a character into several; places that share such a character are joined.
        match hits.last_mut().filter(|last| last.end > hit.start) {
            Some(last) => last.end = hit.end,
            None => hits.push(hit),
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found<'a>(text: &'a str, wanted: &str) -> Vec<&'a str> {
        hits(text, &name::fold(wanted)).into_iter().map(|hit| &text[hit]).collect()
    }

    #[test]
    fn case_does_not_matter_and_hits_are_told_in_the_text_as_it_stands() {
        assert_eq!(found("Bob and BOB, bobby", "bob"), ["Bob", "BOB", "bob"]);
        assert_eq!(found("Straße und STRASSE", "strasse"), ["Straße", "STRASSE"]);
        assert_eq!(found("ΣΊΣΥΦΟΣ", "σίσυφος"), ["ΣΊΣΥΦΟΣ"]);
        assert_eq!(found("aaaa", "aa"), ["aa", "aa"]);
        assert_eq!(found("nothing", "x"), [""; 0]);
        assert_eq!(found("nothing", ""), [""; 0]);
    }

    proptest! {
        #[test]
        fn hits_are_in_order_and_on_characters(text in "\\PC{0,40}", wanted in "\\PC{1,4}") {
            let mut at = 0;
            for hit in hits(&text, &name::fold(&wanted)) {
                prop_assert!(at <= hit.start && hit.start < hit.end && text.get(hit.clone()).is_some());
                at = hit.end;
            }
        }
    }
}
