//! `chathub check-config`: whether the daemon would start with these settings, and what they amount
//! to.

use std::io::{self, Write};
use std::path::Path;

use super::{Files, Loaded};
use crate::exit::Exit;
use crate::settings::{Settings, memory_shown};

/// Runs `chathub check-config [FILE]`. Writes to `out` the files that were read, the settings that
/// differ from their defaults, and the bounds on memory; writes the mistakes to `complaints`, one a
/// line. Returns [`Exit::Done`] or [`Exit::Config`].
///
/// # Errors
/// `out` or `complaints` cannot be written.
pub fn check(file: Option<&Path>, out: &mut impl Write, complaints: &mut impl Write) -> io::Result<Exit> {
    let files = Files::of(file);
    match files.load() {
        Ok(loaded) => {
            report(&loaded, &files, out)?;
            Ok(Exit::Done)
        }
        Err(problems) => {
            problems.iter().try_for_each(|problem| writeln!(complaints, "{problem}"))?;
            complaints.flush()?;
            Ok(Exit::Config)
        }
    }
}

fn report(loaded: &Loaded, files: &Files, out: &mut impl Write) -> io::Result<()> {
    for file in &loaded.files {
        writeln!(out, "{}: ok", file.display())?;
    }
    if loaded.files.is_empty() {
        writeln!(out, "{}: not there, so every setting has its default", files.file.display())?;
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
    out.flush()
}
