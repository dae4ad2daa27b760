//! What can be wrong with the file, and why the daemon must not start with it.

use std::fmt;
use std::path::PathBuf;

use super::schema;

/// Why the daemon must not start with this state directory.
#[derive(Debug)]
pub enum OpenError {
    /// Another daemon uses the directory.
    InUse {
        /// The path of the directory.
        dir: PathBuf,
        /// The process id of that daemon, if it could be read.
        pid: Option<u32>,
    },
    /// A newer version wrote the file.
    Newer {
        /// The path of the file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
    },
    /// Another program wrote the file.
    Foreign {
        /// The path of the file.
        path: PathBuf,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { dir, pid } => {
                write!(f, "another chathub uses the state directory {}", dir.display())?;
                if let Some(pid) = pid {
                    write!(f, " (process {pid})")?;
                }
                f.write_str("; stop it, or give this one another --state-dir")
            }
            Self::Newer { path, found } => write!(
                f,
                "{} was written by a newer chathub (schema {found}, this version knows up to {}); install that version \
                 again, or move the file away to start with an empty history",
                path.display(),
                schema::VERSION
            ),
            Self::Foreign { path } => {
                write!(f, "{} is a database of another program; move it away", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// What went wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The content makes no sense.
    Damaged(String),
    /// A newer version wrote it.
    Newer(i64),
    /// Another program wrote it.
    Foreign,
    /// The file cannot be read or written now: the disk is full, the file is read-only, locked, or
    /// gone.
    Unavailable(String),
}

impl Trouble {
    /// Whether another program has the file locked.
    pub(super) fn is_lock(&self) -> bool {
        matches!(self, Self::Unavailable(why) if why.contains("locked"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "damaged: {why}"),
            Self::Newer(found) => write!(f, "schema {found} is newer than {}", schema::VERSION),
            Self::Foreign => f.write_str("a database of another program"),
            Self::Unavailable(why) => f.write_str(why),
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(text),
            // A table or a column is missing, or a value has another type: somebody else has
            // changed the file.
            Some(rusqlite::ErrorCode::Unknown) if text.contains("no such") => Self::Damaged(text),
            None if !matches!(error, rusqlite::Error::QueryReturnedNoRows) => Self::Damaged(text),
            _ => Self::Unavailable(text),
        }
    }
}
