//! System errors as plain words.

use core::fmt;

/// Displays a system error as part of a sentence: the first letter in lower case, and without
/// ` (os error 2)`.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub T);

impl<T: fmt::Display> fmt::Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        let mut chars = text.chars();
        match chars.next() {
            Some(first) => write!(f, "{}{}", first.to_lowercase(), chars.as_str()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_left_out_of_messages_for_people() {
        assert_eq!(Plain("No such file or directory (os error 2)").to_string(), "no such file or directory");
        assert_eq!((Plain("").to_string(), Plain("over").to_string()), (String::new(), "over".to_owned()));
    }
}
