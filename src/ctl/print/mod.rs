//! Prints answers for people: tables, facts, sentences. `ctl::answer` chooses the function for each
//! answer. Nothing in here talks to the daemon.
//!
//! Text from the daemon may contain what strangers have typed. So all of it is escaped on its way
//! out: by [`screen::Screen`], by [`table::Table::row`] or, as JSON, by [`escape::json`]. A caller
//! cannot forget to.
//!
//! | to change | see |
//! | --- | --- |
//! | how clients and bans look | [`clients`], [`bans`] |
//! | how reports, accounts and rooms look | [`reports`], [`accounts`], [`rooms`] |
//! | `history` as text and as CSV, `history-stats`, `redact`, `backup` | [`history`] |
//! | `status`, `metrics`, `log-level`, `reload`, `shutdown` | [`daemon`] |
//! | `describe` | [`describe`] |
//! | tables, and lists of `key: value` | [`table`] |
//! | counts, times, lengths of time, sizes, addresses | [`values`] |
//! | the escaping of control characters | [`escape`] |
//! | headings, `--quiet`, `--json` | [`screen`] |
//! | complaints on standard error | [`stderr`] |

pub(super) mod accounts;
pub(super) mod bans;
pub(super) mod clients;
pub(super) mod daemon;
pub(super) mod describe;
pub(crate) mod escape;
pub(super) mod history;
pub(super) mod reports;
pub(super) mod rooms;
pub(super) mod screen;
pub(super) mod stderr;
pub(crate) mod table;
pub(super) mod values;

#[cfg(test)]
mod tests;

/// The note below a list of bans, reports or accounts that may be incomplete.
const UNREAD: &str = "There may be more on disk, which cannot be read now: see \"chathub ctl status\".";
