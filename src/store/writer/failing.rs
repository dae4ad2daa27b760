//! What the writer does about a disk that takes nothing, and about a damaged file.

use std::time::Instant;

use tracing::{info, warn};

use super::Writer;
use super::file::Aside;
use crate::logging::{InWords, ids};
use crate::store::health::lock;
use crate::store::meta::Meta;
use crate::store::{RETRY, RETRY_MOST, Trouble, wall};
use crate::values::time::Wall;

impl Writer {
    /// Replaces the file if it is damaged. After any other trouble, closes it, and opens it again
    /// later.
    pub(super) fn failed(&mut self, trouble: Trouble) {
        let trouble = match trouble {
            Trouble::Damaged(why) => match self.replace(&why, Aside::Damaged).and_then(|()| self.look_into()) {
                // The records that wait will be written to the new file.
                Ok(()) => return self.note(Trouble::Damaged(why)),
                Err(trouble) => trouble,
            },
            other => other,
        };
        self.trouble(trouble);
    }

    /// Closes the file until the next attempt. The time until then doubles, up to [`RETRY_MOST`].
    pub(super) fn trouble(&mut self, trouble: Trouble) {
        self.db = None;
        self.rooms.forget();
        self.retry_at = Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(RETRY_MOST);
        self.note(trouble);
    }

    /// Tells the operator of a trouble, once for each cause.
    fn note(&mut self, trouble: Trouble) {
        let text = trouble.to_string();
        let mut health = lock(&self.health);
        let same = health.trouble.as_ref().is_some_and(|(known, _)| *known == text);
        if same {
            return;
        }
        let since = health.trouble.as_ref().map_or_else(wall, |(_, since): &(String, Wall)| *since);
        health.trouble = Some((text.clone(), since));
        health.troubles += 1;
        drop(health);
        warn!(
            message_id = ids::STORE,
            chathub_file = %self.path.display(),
            chathub_error = text,
            "history cannot be recorded now; people go on talking, and recording goes on when it can{}",
            InWords(&text)
        );
    }

    /// If there was a trouble and no record waits: tries whether the disk takes something now.
    pub(super) fn probe(&mut self) -> Result<(), Trouble> {
        if lock(&self.health).trouble.is_none() {
            return Ok(());
        }
        let db = self.db.as_ref().expect("the caller has looked");
        Meta::read(db)?.write(db)?;
        self.recover()
    }

    /// Notes that the disk has taken something: a trouble is over.
    pub(super) fn recover(&mut self) -> Result<(), Trouble> {
        self.retry = RETRY;
        let over = lock(&self.health).trouble.take();
        if over.is_some() {
            info!(message_id = ids::STORE, "history is recorded again");
            self.measure()?;
        }
        Ok(())
    }
}
