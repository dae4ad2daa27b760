//! One setting, one section, and what can be asked of them.

use std::fmt;

use toml::de::DeValue;

use super::{SETTINGS, Settings};

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// With the next reload.
    Live,
    /// When the service is started again.
    Restart,
}

/// One setting: what it is called, what it means, what it may be.
pub struct Setting {
    /// Section and name, as in `limits.clients`.
    pub key: &'static str,
    /// The section alone.
    pub section: &'static str,
    /// The name within its section.
    pub name: &'static str,
    /// When a change takes effect.
    pub applies: Applies,
    pub(super) doc: &'static str,
    pub(super) unit: fn() -> &'static str,
    pub(super) allowed: fn() -> String,
    pub(super) default: fn() -> String,
    pub(super) read: fn(&mut Settings, &DeValue<'_>) -> Result<(), String>,
    pub(super) write: fn(&Settings) -> String,
    pub(super) same: fn(&Settings, &Settings) -> bool,
}

/// A section of the settings.
#[derive(Debug)]
pub struct Section {
    /// What stands between the brackets.
    pub name: &'static str,
    pub(super) doc: &'static str,
}

impl Setting {
    /// The setting with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// What it means, in sentences on one line.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// What its numbers count; empty where that goes without saying.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        (self.unit)()
    }

    /// What it may be, as in `a whole number from 1 to 1000000 (clients)`.
    #[must_use]
    pub fn allowed(&self) -> String {
        (self.allowed)()
    }

    /// Its default, as one would write it in the file.
    #[must_use]
    pub fn default(&self) -> String {
        (self.default)()
    }

    /// Its value in `settings`, as one would write it in the file.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> String {
        (self.write)(settings)
    }

    /// Gives it the value that was written in a file.
    ///
    /// # Errors
    /// Says what was written and what is allowed; `settings` is then as before.
    pub fn set(&self, settings: &mut Settings, written: &DeValue<'_>) -> Result<(), NotAllowed> {
        (self.read)(settings, written).map_err(|written| NotAllowed { written, allowed: self.allowed() })
    }

    /// Whether it has the same value in both.
    #[must_use]
    pub fn same(&self, one: &Settings, other: &Settings) -> bool {
        (self.same)(one, other)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({})", self.key)
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Setting {}

impl Section {
    /// What its settings are about, in sentences on one line.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// Its settings, in the order of their declaration.
    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        let name = self.name;
        SETTINGS.iter().filter(move |setting| setting.section == name)
    }
}

/// A value that a setting cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    /// What was written, shortened and safe to print.
    pub written: String,
    /// What may be written.
    pub allowed: String,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not allowed here; allowed: {}", self.written, self.allowed)
    }
}

impl std::error::Error for NotAllowed {}
