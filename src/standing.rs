//! The status of `chathub-tls`, which it writes into a file for `chathub-web` and `chathub doctor`.
//!
//! It is a file because that program has a sandbox and answers nobody but clients. So a reader
//! needs neither the program nor the hub to run. The file is replaced as a whole whenever something
//! changes, and at least every [`EVERY`]: so an old file means that the program hangs or was
//! killed. A program that was asked to end removes the file; one that could not start leaves a file
//! with the reason. All that is in it a client of the port could see too, except counts and the
//! paths of certificates.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use crate::values::plain::Plain;

/// The path of the file under the unit (`RuntimeDirectory=`).
pub const FILE: &str = "/run/chathub-tls/status.json";

/// The name of the file in that directory.
const NAME: &str = "status.json";

/// The longest time between two writes of the file.
pub const EVERY: Duration = Duration::from_secs(20);

/// The age in seconds beyond which a file means that the program hangs or is gone.
const STALE: u64 = 60;

/// A certificate that expires within this time deserves a warning.
pub const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The most bytes that are read.
const LONGEST: u64 = 64 * 1024;

/// The most certificates in the file.
const CERTIFICATES: usize = 64;

/// The most bytes of a name or a reason.
const TEXT: usize = 512;

/// The outcomes of connections that are counted.
pub const OUTCOMES: [&str; 8] = [
    "handed_over",
    "failed",
    "not_encrypted",
    "timed_out",
    "sent_too_much",
    "gave_way",
    "gave_way_to_address",
    "not_taken_by_hub",
];

/// The status of `chathub-tls`. Times are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// When the file was written.
    pub written: u64,
    /// Whether the program takes connections.
    pub serves: bool,
    /// When the certificates in use were read.
    pub read: u64,
    /// The certificates in use.
    pub certificates: Vec<Certificate>,
    /// If the certificates that were read last are not in use: why.
    pub refused: Option<String>,
    /// How often certificates that were read again were refused.
    pub refusals: u64,
    /// Handshakes under way.
    pub under_way: u64,
    /// Connections since the start, by outcome: see [`OUTCOMES`].
    pub outcomes: BTreeMap<String, u64>,
    /// How often accepting was paused.
    pub pauses: u64,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// Its first name or address.
    pub name: String,
    /// The first second at which it is valid.
    pub from: u64,
    /// The last second at which it is valid.
    pub until: u64,
}

impl Standing {
    /// Whether the program takes connections at `now`, as far as the file tells.
    #[must_use]
    pub const fn serves_at(&self, now: u64) -> bool {
        self.serves && now.saturating_sub(self.written) <= STALE
    }

    /// Replaces the file in this directory. Every user may read it, whatever the umask is.
    ///
    /// # Errors
    /// Any error of the system. The former file then stays.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(&self.bounded())?;
        let beside = directory.join(format!("{NAME}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(&bytes)?;
        fs::rename(beside, directory.join(NAME))
    }

    /// Removes the file from this directory.
    pub fn take_away(directory: &Path) {
        // If it cannot be removed, it grows old, which means the same.
        let _ = fs::remove_file(directory.join(NAME));
    }

    /// Reads a status file; `None` if there is none. The user of `chathub-tls` could put anything
    /// there: so no symbolic link is followed, nothing is waited for, and the length is bounded.
    ///
    /// # Errors
    /// Why the file cannot be read, in words.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let about = |why: String| format!("{}: {why}", path.display());
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(about(Plain(&error).to_string())),
        };
        let mut bytes = Vec::new();
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let read = if is_file { file.take(LONGEST + 1).read_to_end(&mut bytes) } else { Ok(0) };
        if let Err(error) = read {
            return Err(about(Plain(&error).to_string()));
        }
        let fits = is_file && bytes.len() as u64 <= LONGEST;
        let said = serde_json::from_slice::<Self>(&bytes).ok().filter(|_| fits);
        said.map(|said| Some(said.bounded())).ok_or_else(|| about("it is not what chathub-tls writes".to_owned()))
    }

    /// The same status, cut down to the bounds.
    fn bounded(&self) -> Self {
        let mut this = self.clone();
        this.certificates.truncate(CERTIFICATES);
        let texts = this.certificates.iter_mut().map(|certificate| &mut certificate.name).chain(&mut this.refused);
        for text in texts {
            let end = (0..=TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
        this.outcomes.retain(|outcome, _| OUTCOMES.contains(&outcome.as_str()));
        this
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        let certificate = Certificate { name: "chat.example.org".into(), from: 1, until: 2 };
        Standing {
            written: 1000,
            serves: true,
            certificates: vec![certificate],
            refused: Some("key.pem: no".into()),
            outcomes: BTreeMap::from([("failed".to_owned(), 3)]),
            ..Standing::default()
        }
    }

    #[test]
    fn a_status_file_can_be_read_by_everybody_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(NAME);
        assert_eq!(Standing::read(&path), Ok(None));
        assert_eq!(Standing::read(&path.join("below")), Ok(None));
        for pauses in 0..2 {
            let standing = Standing { pauses, ..standing() };
            standing.write(directory.path()).expect("written");
            assert_eq!(Standing::read(&path), Ok(Some(standing)));
        }
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1);
        Standing::take_away(directory.path());
        assert_eq!(Standing::read(&path), Ok(None));
        // A file of another release: unknown fields are passed over, and missing ones have their
        // defaults.
        fs::write(&path, r#"{"serves": true, "colour": "red", "outcomes": {"of_a_stranger": 1}}"#).expect("written");
        assert_eq!(Standing::read(&path), Ok(Some(Standing { serves: true, ..Standing::default() })));
    }

    #[test]
    fn a_file_that_is_no_status_file_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        standing().write(directory.path()).expect("written");
        std::os::unix::fs::symlink(path(NAME), path("link")).expect("a link");
        fs::write(path("text"), "root:x:0:0").expect("written");
        let long = format!("{{\"serves\": true, \"refused\": \"{}\"}}", "x".repeat(70_000));
        fs::write(path("long"), long).expect("written");
        for name in ["pipe", "link", "text", "long", "."] {
            let refused = Standing::read(&path(name)).expect_err(name);
            assert!(!refused.contains("root"), "{refused}");
        }
    }

    #[test]
    fn a_status_file_is_bounded() {
        let directory = tempfile::tempdir().expect("a directory");
        let certificate = Certificate { name: "ü".repeat(1000), from: 1, until: 2 };
        let standing = Standing {
            certificates: vec![certificate; 1000],
            refused: Some("x".repeat(100_000)),
            outcomes: (0..1000).map(|number| (number.to_string(), number)).collect(),
            ..Standing::default()
        };
        standing.write(directory.path()).expect("written");
        let read = Standing::read(&directory.path().join(NAME)).expect("read").expect("there");
        assert_eq!((read.certificates.len(), read.certificates[0].name.len()), (CERTIFICATES, TEXT));
        assert_eq!((read.refused.map(|text| text.len()), read.outcomes.len()), (Some(TEXT), 0));
    }

    #[test]
    fn an_old_status_file_means_that_the_program_is_gone() {
        let standing = standing();
        assert!(standing.serves_at(1000) && standing.serves_at(1060) && standing.serves_at(0));
        assert!(!standing.serves_at(1061));
        assert!(!Standing { serves: false, ..standing }.serves_at(1000));
    }
}
