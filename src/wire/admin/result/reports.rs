//! What people report about each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::wire::admin::value::Time;

/// Somebody in a report, as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportParty {
    /// The client's name when the report was made; empty if it was erased since.
    pub nick: String,
    /// The client's id, such as `c7`.
    pub client: String,
    /// The account to which the client was logged in, if it still exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The client's present name; absent if it has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

/// That a report was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportClosed {
    /// Who closed the report, such as `uid 0`.
    pub by: String,
    /// When the report was closed.
    pub t: Time,
    /// The note of the one who closed the report; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The report's id, such as `r12`.
    pub id: String,
    /// When the report was made.
    pub t: Time,
    /// Seconds since the report was made.
    pub age_s: u64,
    /// When the same person last made the same report.
    pub last: Time,
    /// The number of times that the report was made, the first one included.
    pub times: u64,
    /// The person who made the report.
    pub by: ReportParty,
    /// Whether the person who made the report was muted without being told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// The person about whom the report is.
    pub about: ReportParty,
    /// The name of the room in which the lines in question were said; if there are none, of the one in which the report
    /// was made.
    pub room: String,
    /// The reason for the report; absent if none was given, or if it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether what was written in the report was erased.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub erased: bool,
    /// The numbers of the lines in question, as `seq` of history.
    pub lines: Vec<u64>,
    /// Who closed the report and when; absent if it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ReportClosed>,
}

/// Reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportList {
    /// The reports, the oldest first.
    pub reports: Vec<Report>,
    /// The number of reports in the list.
    pub total: u64,
    /// The number of reports that are open, listed or not.
    pub open: u64,
    /// Whether the reports outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more reports on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// What is known of a line in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportLineState {
    /// The line is kept.
    Kept,
    /// The line was made unreadable.
    Redacted,
    /// The line was said in private, and is not shown.
    Private,
    /// The line is not kept any more.
    Gone,
}

/// A line in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportLine {
    /// The number of the line in question, as `seq` of history.
    pub seq: u64,
    /// Whether the line can be shown, and if not, why.
    pub state: ReportLineState,
    /// The line itself; absent if it is not kept or not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
}

/// A report with the lines in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportShown {
    /// The report itself.
    pub report: Report,
    /// The lines about which the report is.
    pub lines: Vec<ReportLine>,
    /// Why lines that are on disk could not be read, and so are told to be gone; absent if all could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Reports that were closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportsClosed {
    /// The reports, with who closed them.
    pub closed: Vec<Report>,
    /// The number of reports that are still open.
    pub open: u64,
}
