//! Escaping: text and JSON without any character that a terminal could take for something else than
//! text.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;

/// Whether a character can have another effect on a terminal than to be shown: a control character,
/// or one that turns, hides or breaks the text around it.
fn is_unsafe(c: char) -> bool {
    c.is_control() // C0, DEL, C1
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // bidi
            | '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // unseen
            | '\u{e0000}'..='\u{e007f}') // tags
}

/// The text, with each unsafe character as an escape sequence of Rust, such as `\u{1b}`.
#[must_use]
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// On one line.
    Compact,
    /// Indented.
    Pretty,
}

/// Escapes unsafe characters in JSON, as [`escape`] does in text. A reader of the JSON gets the
/// same value.
#[must_use]
pub(crate) fn json(value: &Value, layout: Layout) -> String {
    let text = match layout {
        Layout::Compact => value.to_string(),
        Layout::Pretty => format!("{value:#}"),
    };
    let risky = |c: char| c != '\n' && is_unsafe(c); // the newlines are the layout's: those of strings are escaped
    if !text.contains(risky) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if risky(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json as object;

    #[test]
    fn nothing_that_moves_a_terminal_is_let_through() {
        assert_eq!(escape("plain \u{e9}\u{4e2d} text"), "plain \u{e9}\u{4e2d} text");
        assert_eq!(escape("\x1b[2J\x07"), "\\u{1b}[2J\\u{7}");
        assert_eq!(escape("a\u{9b}31mb\u{7f}"), "a\\u{9b}31mb\\u{7f}");
        assert_eq!(escape("x\u{202e}y\u{2066}"), "x\\u{202e}y\\u{2066}");
        assert_eq!(escape("a\tb\r\nc\u{2028}"), "a\\tb\\r\\nc\\u{2028}");
    }

    #[test]
    fn json_is_safe_and_means_the_same() {
        let value = object!({"text": "\x1b[2J \u{9b} \u{202e} \u{e0041} \n"});
        let text = json(&value, Layout::Compact);
        assert!(!text.contains(is_unsafe), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }

    proptest! {
        #[test]
        fn any_text_is_safe_either_way(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(is_unsafe));
            let value = Value::String(text);
            let shown = json(&value, Layout::Compact);
            prop_assert!(!shown.contains(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
        }
    }
}
