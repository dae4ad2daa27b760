//! `chathub check-config`: what the daemon would make of the settings.

use std::io::{self, Write};
use std::path::Path;

use super::{EX_CONFIG, Place};
use crate::settings::{Settings, memory_shown};

/// `chathub check-config [FILE]`: says on `out` that all is well and which settings differ from their
/// defaults, or on `complaints` what is wrong. Yields the exit status, 0 or [`EX_CONFIG`].
///
/// # Errors
/// When `out` or `complaints` cannot be written.
pub fn check(file: Option<&Path>, out: &mut impl Write, complaints: &mut impl Write) -> io::Result<u8> {
    Place::of(file).check(out, complaints)
}

impl Place<'_> {
    fn check(&self, out: &mut impl Write, complaints: &mut impl Write) -> io::Result<u8> {
        let loaded = match self.load() {
            Ok(loaded) => loaded,
            Err(problems) => {
                for problem in problems {
                    writeln!(complaints, "{problem}")?;
                }
                complaints.flush()?;
                return Ok(EX_CONFIG);
            }
        };
        for file in &loaded.files {
            writeln!(out, "{}: ok", file.display())?;
        }
        if loaded.files.is_empty() {
            writeln!(out, "{}: not there, so every setting has its default", self.file.display())?;
        }
        for setting in Settings::changes(&Settings::default(), &loaded.settings) {
            let (key, value, default) = (setting.key, setting.value(&loaded.settings), setting.default());
            writeln!(out, "{key} = {value} # default: {default}")?;
        }
        let parts = loaded.settings.memory();
        writeln!(out, "memory at most, whatever people do:")?;
        for part in &parts {
            writeln!(out, "{:>12}  {}", memory_shown(part.bytes), part.what)?;
        }
        let sum = |kernel: bool| parts.iter().filter(|part| part.kernel == kernel).map(|part| part.bytes).sum();
        writeln!(out, "{:>12}  in all, and {} in the kernel", memory_shown(sum(false)), memory_shown(sum(true)))?;
        out.flush()?;
        Ok(0)
    }
}
