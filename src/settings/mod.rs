//! Every setting, declared once.
//!
//! One declaration, `settings!` in `table`, yields the typed values that the hub and its surroundings use,
//! the defaults, and [`SETTINGS`], the table from which come the bounds with the texts that explain
//! them, the shipped configuration file, the table of the README and the manual page. Pure: files are
//! read by [`crate::config`]; nothing here knows a file, a clock or the environment.
//!
//! | to change | see |
//! | --- | --- |
//! | a setting: its name, type, default, bounds, description, whether it needs a restart | `table` |
//! | the words that a setting may be, where it is one of a few | `choices` |
//! | how a kind of value is read, checked, and written: numbers, sizes, times, lists | `rule` |
//! | which values are refused together | `conflicts` |
//! | the layout of the shipped file, of the manual page, of the README's table | `manual` |
//! | how much memory the settings allow | `memory` |
//! | what a snapshot holds of the settings | `saved` |
//! | what can be asked of any setting | `setting` |

use crate::values::name::{self, Name};

mod choices;
mod conflicts;
mod manual;
mod memory;
mod rule;
mod saved;
mod setting;
mod table;

pub use choices::{
    EditorUse, Encryption, Entry, LogLevel, Negotiate, Newcomers, Passwords, Registering, SlowPolicy, Sync,
    WhileUnread, Word,
};
pub use conflicts::Conflict;
pub use manual::{markdown_table, note, shipped};
pub use memory::{Part, shown as memory_shown};
pub(crate) use rule::{shorten, show};
pub use setting::{Applies, NotAllowed, Section, Setting};
pub use table::{
    Access, AccountSettings, FilterSettings, History, HubSettings, Limits, Listen, Log, MemoSettings, Moderation, Pace,
    Proxy, Rooms, SECTIONS, SETTINGS, Service, Settings, Shutdown, Slow, Tcp, TelnetSettings,
};

impl Settings {
    /// The settings whose values differ, in the order of their declaration.
    #[must_use]
    pub fn changes(old: &Self, new: &Self) -> Vec<&'static Setting> {
        SETTINGS.iter().filter(|setting| !setting.same(old, new)).collect()
    }
}

impl History {
    /// Whether what is said in a room of this name is kept.
    #[must_use]
    pub fn keeps(&self, room: &Name) -> bool {
        !self.off.iter().any(|off| name::fold(off) == room.folded())
    }
}

#[cfg(test)]
mod tests;
