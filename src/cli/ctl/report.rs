//! The arguments of `ctl report`.

use clap::Subcommand;

use super::text;
use crate::wire::admin::value::Text;

/// The commands of `chathub ctl report`.
#[derive(Clone, Debug, Subcommand)]
pub enum ReportCommand {
    /// List the reports that are open, oldest first.
    ///
    /// AGE is how long ago it was made; "(2 times)" says how often it was made again.
    List {
        /// Closed ones as well.
        #[arg(long)]
        all: bool,
    },

    /// Show a report with the lines in question.
    ///
    /// The lines come from history, so what was redacted there is not shown. Nor is what was said in private.
    Show {
        /// Its id, such as r12.
        #[arg(value_name = "REPORT", value_parser = text::<32>)]
        report: Text<32>,
    },

    /// Close reports.
    ///
    /// Either all that are named are known, or none is closed.
    #[command(after_help = "\
Examples:
  chathub ctl report close r12 --note 'banned'
  chathub ctl report close r3 r5-r9   # of a range, those that are open")]
    Close {
        /// Ids, such as r12, or ranges, such as r12-r15.
        #[arg(value_name = "REPORT", required = true, value_parser = text::<64>)]
        reports: Vec<Text<64>>,
        /// What there is to say; operators see it.
        #[arg(long, value_name = "TEXT", value_parser = text::<256>)]
        note: Option<Text<256>>,
    },
}
