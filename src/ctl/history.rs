//! `ctl history`: prints lines of history as they arrive. They are never all in memory.

use super::failure::Failure;
use super::print;
use super::session::Session;
use crate::cli::ctl::Format;
use crate::client::Answers;
use crate::wire::admin::Command;
use crate::wire::admin::message::Place;

impl Session<'_, '_> {
    /// Prints a stream of lines.
    pub(super) fn history(&mut self, command: &Command, format: Format) -> Result<(), Failure> {
        let format = if self.screen.json { Format::Json } else { format };
        let id = self.client.send(command, Answers::Stream)?;
        let (mut lines, mut left_out) = (0, false);
        loop {
            let (result, place) = self.client.next_result(id)?;
            if place == Place::Last {
                break;
            }
            if lines == 0 {
                match format {
                    Format::Text => print::history::heading(self.screen)?,
                    Format::Csv => print::history::csv_heading(self.screen)?,
                    Format::Json => {}
                }
            }
            match format {
                Format::Text => left_out |= print::history::line(self.screen, &self.read(&result)?)?,
                Format::Csv => print::history::csv_line(self.screen, &self.read(&result)?)?,
                Format::Json => self.screen.json_line(&result)?,
            }
            lines += 1;
            self.progress.lines(lines, result["t"].as_str().unwrap_or_default());
            // Everything is printed before the next wait for the daemon.
            if !self.client.has_next() {
                self.screen.flush()?;
            }
        }
        self.progress.end();
        if format == Format::Text { Ok(print::history::end(self.screen, lines, left_out)?) } else { Ok(()) }
    }
}
