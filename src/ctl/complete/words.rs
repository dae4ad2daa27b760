//! Splits an unfinished line of bash into words, and removes quotes as bash does before it runs a
//! command.

/// The words of a line. The last word is the one that is being typed; it is empty after a space.
/// Nothing is expanded.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut begun = false;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.push(c),
            (_, '\\') => {
                word.extend(chars.next());
                begun = true;
            }
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                begun = true;
            }
            (None, c) if c.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            // Another command begins here.
            (None, ';' | '|' | '&') => {
                words.clear();
                word.clear();
                begun = false;
            }
            (None, c) => word.push(c),
        }
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(split("chathub ctl kick "), ["chathub", "ctl", "kick", ""]);
        assert_eq!(split("chathub ctl say 'a b' \"c 'd\" e\\ f"), ["chathub", "ctl", "say", "a b", "c 'd", "e f"]);
        assert_eq!(split("ls; chathub ctl"), ["chathub", "ctl"]);
        assert_eq!(split("chathub ctl kick --reason 'no f"), ["chathub", "ctl", "kick", "--reason", "no f"]);
        assert_eq!(split(""), [""]);
        assert_eq!(split("a '' "), ["a", "", ""]);
    }
}
