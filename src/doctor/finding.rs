//! The results of a check: findings, each with its meaning and with what to do about it.

use serde::Serialize;

use super::facts::Facts;

/// How bad something is. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// It works, but will fail when it is needed.
    Warning,
    /// It works, and could be better.
    Advice,
}

impl Severity {
    /// The word for it in the output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

/// One step of what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An explanation, in words.
    Say(String),
    /// A command to type.
    Type(String),
}

/// One finding of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The fact that was found and its consequence, on one line.
    pub what: String,
    /// What to do about it, in this order.
    pub steps: Vec<Step>,
}

impl Finding {
    /// A finding without steps.
    #[must_use]
    pub fn new(severity: Severity, what: impl Into<String>) -> Self {
        Self { severity, what: what.into(), steps: Vec::new() }
    }

    /// A finding that something does not work.
    #[must_use]
    pub fn error(what: impl Into<String>) -> Self {
        Self::new(Severity::Error, what)
    }

    /// A finding that something will fail when it is needed.
    #[must_use]
    pub fn warning(what: impl Into<String>) -> Self {
        Self::new(Severity::Warning, what)
    }

    /// A finding that something could be better.
    #[must_use]
    pub fn advice(what: impl Into<String>) -> Self {
        Self::new(Severity::Advice, what)
    }

    /// Adds a step in words.
    #[must_use]
    pub fn say(mut self, text: impl Into<String>) -> Self {
        self.steps.push(Step::Say(text.into()));
        self
    }

    /// The same about a user's own hub: commands are for that user's service manager, and for that hub.
    #[must_use]
    pub(super) fn of_own(mut self, facts: &Facts) -> Self {
        let socket = quoted(&facts.admin.path.display().to_string());
        let settings = facts.settings.fragments.as_deref().and_then(std::path::Path::parent);
        let settings = settings.map(|dir| quoted(&dir.display().to_string()));
        for step in &mut self.steps {
            let Step::Type(command) = step else { continue };
            if let Some(rest) = command.strip_prefix("chathub ctl ").filter(|rest| !rest.starts_with("--socket ")) {
                *command = format!("chathub ctl --socket {socket} {rest}");
            } else if let Some(settings) = settings.as_ref().filter(|_| command.starts_with("chathub check-config")) {
                *command = format!("CONFIGURATION_DIRECTORY={settings} {command}");
            } else if command.starts_with("journalctl -u ") {
                *command = command.replacen("journalctl -u ", "journalctl --user -u ", 1);
            } else if command.starts_with("systemd-analyze verify ") {
                *command = command.replacen("systemd-analyze ", "systemd-analyze --user ", 1);
            } else if command.starts_with("systemctl ")
                && (command.contains("chathub") || command.ends_with(" daemon-reload"))
            {
                *command = command.replacen("systemctl ", "systemctl --user ", 1);
            }
        }
        self
    }

    /// To be done, as a command.
    #[must_use]
    pub fn run(mut self, command: impl Into<String>) -> Self {
        self.steps.push(Step::Type(command.into()));
        self
    }
}

/// Why a fact is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// There is no such thing here, so nothing can be wrong with it.
    Absent(String),
    /// It could not be seen, so something may be wrong with it.
    Hidden(String),
}

impl Unseen {
    /// There is no such thing here.
    pub fn absent(why: impl Into<String>) -> Self {
        Self::Absent(why.into())
    }

    /// It could not be seen.
    pub fn hidden(why: impl Into<String>) -> Self {
        Self::Hidden(why.into())
    }

    /// The reason, in words.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Absent(why) | Self::Hidden(why) => why,
        }
    }
}

/// A fact, or why it is missing.
pub type Seen<T> = Result<T, Unseen>;

/// The findings of a check, or why it could not be made.
pub type Checked = Seen<Vec<Finding>>;

/// A word of a command, quoted for a shell if it needs that.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_is_one_word_to_a_shell() {
        assert_eq!(quoted("/var/lib/chathub/chathub.db-wal"), "/var/lib/chathub/chathub.db-wal");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_worst_finding_comes_first() {
        assert!(Severity::Error < Severity::Warning && Severity::Warning < Severity::Advice);
    }
}
