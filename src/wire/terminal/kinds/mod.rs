//! Known terminals, by the names that they tell in telnet (TERMINAL-TYPE, RFC 1091).
//!
//! | to change | see |
//! | --- | --- |
//! | the list of terminals | the script `make`, which writes `names.txt` |
//! | which names mean many colours or none | `colors` |
//!
//! This module knows nothing of telnet: it looks up a name.

use crate::values::terminal::Colors;

/// The terminals of terminfo whose cursor is moved by ECMA-48, one in a line: the first word of the
/// name, and the number of colours. The script `make` beside this module writes the file.
const WORDS: &str = include_str!("names.txt");

/// A name that contains one of these belongs to a terminal with at least 256 colours.
const MANY_COLORS: &[&str] = &["256color", "direct", "truecolor"];

/// The colours of the terminal with this name. `None` if it is the name of a program, or of a
/// terminal whose cursor is not moved by ECMA-48.
pub(super) fn colors(name: &str) -> Option<Colors> {
    let name = name.to_ascii_lowercase();
    let word = name.split(['-', '.', '+', ' ']).next().unwrap_or_default();
    let colors = WORDS.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))?;
    Some(if name.ends_with("-m") || name.ends_with("-mono") {
        Colors::None
    } else if MANY_COLORS.iter().any(|word| name.contains(word)) {
        Colors::Many
    } else {
        match colors {
            "256" => Colors::Many,
            "0" => Colors::None,
            _ => Colors::Basic,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_terminals_are_told_from_those_of_programs() {
        for name in [
            "xterm",
            "XTERM-256COLOR",
            "vt220",
            "screen.xterm-256color",
            "tmux-256color",
            "linux",
            "st",
            "ANSI",
            "kterm",
            "aterm",
            "pcansi",
            "SYNCTERM",
            "Apple_Terminal",
            "VTNT",
            "xterm-ghostty",
            "rxvt-unicode",
            "DEC-VT100",
            "Eterm",
            "mintty",
            "teraterm",
            "cygwin",
            "dtterm",
            "cons25",
            "ansi-bbs",
        ] {
            assert!(colors(name).is_some(), "{name}");
        }
        let others =
            ["dumb", "unknown", "TINTIN++", "MUDLET", "vt52", "network", "", " ", "MTTS 15", "start", "256", "adm3a"];
        for name in others {
            assert_eq!(colors(name), None, "{name}");
        }
        assert_eq!(colors("xterm"), Some(Colors::Basic));
        assert_eq!(colors("vt100"), Some(Colors::None));
        assert_eq!(colors("foot"), Some(Colors::Many));
        assert_eq!(colors("ansi-m"), Some(Colors::None));
        assert_eq!(colors("xterm-direct"), Some(Colors::Many));
    }

    #[test]
    fn each_word_is_there_once_with_its_colours() {
        let lines: Vec<_> = WORDS.lines().collect();
        assert!(lines.len() > 400 && lines.is_sorted());
        for line in &lines {
            let (word, colors) = line.split_once(' ').expect("two words");
            assert!(!word.is_empty() && colors.parse::<u32>().is_ok(), "{line}");
        }
    }
}
