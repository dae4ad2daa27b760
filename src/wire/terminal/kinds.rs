//! Kinds of terminals, by the names that they give themselves in telnet (RFC 1091).

use crate::values::terminal::Colors;

/// How the names of terminals begin whose cursor can be moved as ECMA-48 says.
const TERMINALS: &[&str] = &[
    "xterm",
    "vt1",
    "vt2",
    "vt3",
    "vt4",
    "vt525",
    "screen",
    "tmux",
    "linux",
    "rxvt",
    "ansi",
    "putty",
    "konsole",
    "gnome",
    "vte",
    "alacritty",
    "kitty",
    "foot",
    "wezterm",
    "ghostty",
    "contour",
    "st-",
    "stterm",
    "iterm",
    "nsterm",
    "eterm",
    "mlterm",
    "cygwin",
    "mintty",
    "teraterm",
    "dtterm",
    "aixterm",
    "cons25",
];

/// What the names of terminals with 256 colours or more have in them.
const MANY_COLORS: &[&str] = &["256color", "direct", "truecolor", "kitty", "alacritty", "foot", "wezterm", "ghostty"];

/// The colours of the terminal of that name; `None` if it is the name of something else: a program, or a terminal
/// whose cursor cannot be moved as ECMA-48 says.
pub(super) fn colors(name: &str) -> Option<Colors> {
    let name = name.to_ascii_lowercase();
    // The whole name, since names of other programs begin with these two letters as well.
    if name != "st" && !TERMINALS.iter().any(|known| name.starts_with(known)) {
        return None;
    }
    // The terminals of the name "vt" and a number had none, and terminfo has "-m" for a monochrome variant.
    Some(if name.starts_with("vt") || name.ends_with("-m") || name.ends_with("-mono") {
        Colors::None
    } else if MANY_COLORS.iter().any(|word| name.contains(word)) {
        Colors::Many
    } else {
        Colors::Basic
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_terminals_are_told_from_those_of_programs() {
        for name in
            ["xterm", "XTERM-256COLOR", "vt220", "screen.xterm-256color", "tmux-256color", "linux", "st", "ANSI"]
        {
            assert!(colors(name).is_some(), "{name}");
        }
        for name in ["dumb", "unknown", "TINTIN++", "MUDLET", "vt52", "network", "", "MTTS 15", "start"] {
            assert_eq!(colors(name), None, "{name}");
        }
        assert_eq!(colors("xterm"), Some(Colors::Basic));
        assert_eq!(colors("vt100"), Some(Colors::None));
        assert_eq!(colors("foot"), Some(Colors::Many));
        assert_eq!(colors("ansi-m"), Some(Colors::None));
    }
}
