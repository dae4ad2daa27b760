//! The writer's file: opening it, setting it aside, replacing it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tracing::{error, warn};

use super::Writer;
use crate::hub::archive::Recalled;
use crate::logging::{InWords, ids};
use crate::store::health::lock;
use crate::store::meta::Meta;
use crate::store::recall::{Rescued, recall, rescue};
use crate::store::schema::Readable;
use crate::store::{Answer, Trouble, accounts, dir, lasting, memos, reports, sanctions, schema, step, traces, wall};

impl Writer {
    /// Opens the file, and reads the state that a hub needs at its start.
    pub(super) fn begin(&mut self) -> Result<Recalled, Trouble> {
        // When the directory is locked, nobody else makes copies there, and nobody here before there
        // is a store: so any copies were left by a crash. They go before anything is opened, because
        // they may be what has filled the disk.
        self.dir.lock().map_err(|why| Trouble::Unavailable(why.to_string()))?;
        dir::remove_remains(&self.path);
        self.connect()?;
        let db = self.db.as_ref().expect("it was opened");
        let recalled = recall(db, &self.settings, wall())?;
        self.file = identity(&self.path);
        self.measure()?;
        Ok(recalled)
    }

    /// Reads what can be read of a file that cannot be written now.
    pub(super) fn recall_in_need(&mut self) -> Recalled {
        self.file = identity(&self.path);
        let read = schema::open_in_need(&self.path)
            .and_then(|(db, readable)| recall(&db, &self.settings, wall()).map(|recalled| (recalled, readable)));
        match read {
            Ok((recalled, Readable::All)) => recalled,
            read => {
                // The hub's next numbers begin at the number of milliseconds since 1970. All
                // numbers on disk are lower, because no hub says a line a millisecond on average.
                let floor = u64::try_from(wall().0).unwrap_or(0);
                let read = match read {
                    Ok((recalled, _)) => recalled,
                    Err(_) => {
                        let rescued = schema::open_in_need(&self.path).map(|(db, _)| rescue(&db));
                        let Rescued { sanctions, accounts, reports, memos, lasting, .. } = rescued.unwrap_or_default();
                        Recalled { sanctions, accounts, reports, memos, lasting, ..Recalled::default() }
                    }
                };
                Recalled { last_line: floor, last_room: floor, last_session: floor, unread: true, ..read }
            }
        }
    }

    pub(super) fn connect(&mut self) -> Result<(), Trouble> {
        self.db = None;
        self.rooms.forget();
        self.dir.lock().map_err(|why| Trouble::Unavailable(why.to_string()))?;
        self.look_for_remains()?;
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), Trouble> {
        let db = schema::open(&self.path, self.settings.sync)?;
        // Automatic checkpoints are off. The writer decides when to checkpoint: see `log`.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        self.sweep = (!Meta::read(&db)?.swept).then_some(1);
        self.log.can_erase = traces::can_be_erased(&db)?;
        if !self.log.can_erase && !std::mem::replace(&mut self.log.is_warned, true) {
            warn!(
                message_id = ids::STORE,
                "this SQLite was built without sqlite_dbpage: traces of removed text may stay in the recorded history"
            );
        }
        (self.log.seen, self.log.tried) = Default::default();
        self.db = Some(db);
        // After a crash the log may still have deleted content.
        self.deleted();
        Ok(())
    }

    /// Looks for what a crash has left, before SQLite opens the file. SQLite would take a file of 0
    /// bytes for a new one, and throw away the log beside it.
    fn look_for_remains(&mut self) -> Result<(), Trouble> {
        let length = |part| std::fs::symlink_metadata(dir::beside(&self.path, part)).map(|found| found.len());
        let is_missing = |part| length(part).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        let next = self.next();
        if !is_missing("") || length("-wal").is_ok() {
            // The `.next` file is not needed, or will be made again.
            let _ = std::fs::remove_file(next);
        } else if next.exists() {
            // A crash in the middle of `replace` has left it.
            std::fs::rename(next, &self.path).map_err(|error| self.cannot("replace", &error))?;
        }
        match (length(""), length("-wal")) {
            (Ok(0), _) => self.replace("it has no bytes", Aside::Empty),
            (Err(error), Ok(1..)) if error.kind() == ErrorKind::NotFound => {
                self.replace("it is gone, and its log is there", Aside::Empty)
            }
            _ => Ok(()),
        }
    }

    /// Where `replace` makes the new file, before it takes the place of the damaged one.
    fn next(&self) -> PathBuf {
        dir::beside(&self.path, ".next")
    }

    fn cannot(&self, what: &str, error: &std::io::Error) -> Trouble {
        Trouble::Unavailable(format!("cannot {what} {}: {error}", self.path.display()))
    }

    /// Sets a damaged file aside, and puts a new one in its place, with all that could be read
    /// except lines. Lines are lost, but bans stay in force, and nobody loses a name or a room.
    pub(super) fn replace(&mut self, why: &str, kind: Aside) -> Result<(), Trouble> {
        self.db = None;
        self.rooms.forget();
        self.redacting = None;
        let rescued = match kind {
            Aside::Damaged => schema::open_in_need(&self.path).map(|(db, _)| rescue(&db)).unwrap_or_default(),
            Aside::Empty => rescue_from_log(&self.path)?,
        };
        let Rescued { sanctions: bans, accounts, reports, memos, lasting, meta, whole } = rescued;
        // Numbers go on above all that this writer has seen; if it has seen none, above all that
        // can have been given.
        let floor = if self.last_line > 0 { self.last_line } else { u64::try_from(wall().0).unwrap_or(0) };
        let known = meta.unwrap_or_default();
        let meta = Meta {
            last_line: floor.max(known.last_line),
            last_room: floor.max(known.last_room),
            last_session: floor.max(known.last_session),
            lines: 0,
            indexed: 0,
            swept: true,
            last_sanction: bans.iter().map(|one| one.id.0).fold(known.last_sanction, u64::max),
            last_account: accounts.iter().map(|one| one.id.0).fold(known.last_account, u64::max),
            last_report: reports.iter().map(|one| one.id.0).fold(known.last_report, u64::max),
            last_memo: memos.iter().map(|one| one.id.0).fold(known.last_memo, u64::max),
        };
        // The new file is whole before the old one is moved: a file that is set aside is never read
        // again.
        let next = self.next();
        let _ = std::fs::remove_file(&next);
        schema::make(&next, |db| {
            let batch = db.transaction()?;
            meta.write(&batch)?;
            bans.iter().try_for_each(|ban| sanctions::put(&batch, ban))?;
            accounts.iter().try_for_each(|account| accounts::put(&batch, account))?;
            reports.iter().try_for_each(|report| reports::put(&batch, report))?;
            memos.iter().try_for_each(|memo| memos::put(&batch, memo))?;
            lasting.iter().try_for_each(|room| lasting::put(&batch, room))?;
            Ok(batch.commit()?)
        })?;
        step::reached("before a damaged file is set aside");
        let aside =
            dir::set_aside(&self.path, kind.word(), wall()).map_err(|error| self.cannot("set aside", &error))?;
        step::reached("before a damaged file is replaced");
        std::fs::rename(next, &self.path).map_err(|error| self.cannot("replace", &error))?;
        error!(
            message_id = ids::STORE,
            chathub_file = %aside.display(),
            chathub_error = why,
            chathub_bans = bans.len(),
            chathub_accounts = accounts.len(),
            "the recorded history cannot be read and was set aside; a new one is begun{}",
            InWords(format_args!(
                "{} ({why}); bans that could be read: {}, accounts: {}{}",
                aside.display(),
                bans.len(),
                accounts.len(),
                if whole { "" } else { "; there may have been more" }
            ))
        );
        let mut health = lock(&self.health);
        health.set_aside = Some(aside);
        health.sets_aside += 1;
        health.generation += 1;
        drop(health);
        self.reopen()
    }

    /// Reads the file for the hub, if the hub does not have all of it, or if it is another file
    /// than before.
    pub(super) fn look_into(&mut self) -> Result<(), Trouble> {
        let found = identity(&self.path);
        let is_another = self.file.is_some_and(|known| Some(known) != found);
        self.file = found;
        if !is_another && !self.unread {
            return Ok(());
        }
        let db = self.db.as_ref().expect("the caller has opened it");
        let recalled = recall(db, &self.settings, wall())?;
        self.last_line = self.last_line.max(recalled.last_line);
        self.unread = false;
        (self.tell)(Answer::Recalled(Box::new(recalled)));
        if is_another {
            lock(&self.health).generation += 1;
            (self.tell)(Answer::BegunAnew);
        }
        self.measure()
    }
}

/// Why a file is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// The content makes no sense.
    Damaged,
    /// The file has 0 bytes, or only its log is there.
    Empty,
}

impl Aside {
    /// The word for it in the new name of the file.
    fn word(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Empty => "empty",
        }
    }
}

/// Device and inode of the file at `path`; `None` if there is none.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Reads what can be read of a log whose database is gone.
fn rescue_from_log(path: &Path) -> Result<Rescued, Trouble> {
    let scratch = dir::beside(path, ".read");
    let clear = || {
        for part in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(dir::beside(&scratch, part));
        }
    };
    clear();
    let rescued =
        schema::open_log(&dir::beside(path, "-wal"), &scratch).map(|db| db.map(|db| rescue(&db)).unwrap_or_default());
    clear();
    rescued
}
