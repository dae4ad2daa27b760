//! `ctl backup`: writes the pieces of a copy of the recorded history to a file.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use base64ct::{Base64, Encoding as _};

use super::failure::Failure;
use super::file::{Existing, NewFile};
use super::print;
use super::session::Session;
use crate::client::Answers;
use crate::wire::admin::Command;
use crate::wire::admin::message::Place;
use crate::wire::admin::result::BackupPiece;

impl Session<'_, '_> {
    /// Writes all pieces to a file, which must not exist, or to standard output. Fails if a piece
    /// is missing or out of order.
    pub(super) fn backup(&mut self, command: &Command, path: &Path) -> Result<(), Failure> {
        let is_output = path == Path::new("-");
        if is_output && std::io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "a backup is nothing to be read: name a file, or another program behind |".into(),
            ));
        }
        let mut file = if is_output { None } else { Some(NewFile::create(path, Existing::Refuse)?) };
        let id = self.client.send(command, Answers::Stream)?;
        let (mut written, mut total) = (0, 0);
        loop {
            let (result, place) = self.client.next_result(id)?;
            if place == Place::Last {
                break;
            }
            let piece: BackupPiece = self.read(&result)?;
            let bytes =
                Base64::decode_vec(&piece.data).map_err(|_| self.client.garbled("a piece that is not Base64"))?;
            if piece.offset != written {
                return Err(self.client.garbled("pieces that do not follow each other").into());
            }
            let done = match &mut file {
                Some(file) => file.file.write_all(&bytes),
                None => std::io::stdout().write_all(&bytes),
            };
            done.map_err(|source| Failure::File { path: path.to_owned(), source })?;
            written += bytes.len() as u64;
            total = piece.total;
            self.progress.bytes(written, total);
        }
        self.progress.end();
        if written != total {
            return Err(self.client.garbled(format_args!("{written} bytes of {total}")).into());
        }
        let Some(file) = file else {
            // Standard output gets the copy and nothing else.
            let flushed = std::io::stdout().flush();
            return flushed.map_err(|source| Failure::File { path: path.to_owned(), source });
        };
        file.keep()?;
        Ok(print::history::backed_up(self.screen, &path.display().to_string(), written)?)
    }
}
