//! `ctl backup`: the pieces of a copy of the recorded history, written to a file.

use std::io::Write as _;
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
    /// Writes the pieces to a file, which must not exist. They have to follow each other and be all there.
    pub(super) fn backup(&mut self, command: &Command, path: &Path) -> Result<(), Failure> {
        let mut file = NewFile::create(path, Existing::Refuse)?;
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
            let done = file.file.write_all(&bytes);
            done.map_err(|source| Failure::File { path: path.to_owned(), source })?;
            written += bytes.len() as u64;
            total = piece.total;
            self.progress.bytes(written, total);
        }
        self.progress.end();
        if written != total {
            return Err(self.client.garbled(format_args!("{written} bytes of {total}")).into());
        }
        file.keep()?;
        Ok(print::history::backed_up(self.screen, &path.display().to_string(), written)?)
    }
}
