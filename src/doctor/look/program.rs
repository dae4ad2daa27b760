//! Runs a program that only reports something, with bounds on its time and its output.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::super::finding::{Seen, Unseen};

/// How long a program may run.
const PATIENCE: Duration = Duration::from_secs(10);

/// The greatest output that is read, in bytes.
const MOST: u64 = 4 * 1024 * 1024;

/// The result of a program.
pub(super) struct Told {
    /// Its standard output.
    pub(super) out: String,
    /// Its standard error.
    pub(super) complaint: String,
    /// Whether its exit code was 0.
    succeeded: bool,
}

/// Runs a program and returns its output, even if it has failed after printing something.
///
/// # Errors
/// [`Unseen::Absent`] if there is no such program; [`Unseen::Hidden`] if it fails, or takes too
/// long.
pub(super) fn ask(name: &str, args: &[&str]) -> Seen<String> {
    let Told { out, complaint, succeeded } = run(name, args)?;
    if out.trim().is_empty() && !succeeded && !complaint.trim().is_empty() {
        let why = complaint.lines().next().unwrap_or_default().trim();
        return Err(Unseen::hidden(format!("{name} says: {why}")));
    }
    Ok(out)
}

/// Runs a program and returns all that it printed, however it ended.
///
/// # Errors
/// [`Unseen::Absent`] if there is no such program; [`Unseen::Hidden`] if it cannot be run, or takes
/// too long.
pub(super) fn run(name: &str, args: &[&str]) -> Seen<Told> {
    let hidden = |why: String| Unseen::hidden(format!("{name} {why}"));
    let mut child = Command::new(name)
        .args(args)
        .env("LC_ALL", "C")
        .env("SYSTEMD_COLORS", "0")
        .env("SYSTEMD_PAGER", "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Unseen::absent(format!("{name} is not installed")),
            _ => hidden(format!("cannot be run: {error}")),
        })?;
    let (told, both) = channel();
    let pipes: [Option<Box<dyn std::io::Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<_>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<_>),
    ];
    for (at, pipe) in pipes.into_iter().enumerate() {
        let told = told.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                let _ = pipe.take(MOST).read_to_end(&mut bytes);
            }
            let _ = told.send((at, bytes));
        });
    }
    let mut texts = [String::new(), String::new()];
    let end = std::time::Instant::now() + PATIENCE;
    for _ in 0..2 {
        let left = end.saturating_duration_since(std::time::Instant::now());
        let Ok((at, bytes)) = both.recv_timeout(left) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(hidden(format!("took longer than {} s", PATIENCE.as_secs())));
        };
        texts[at] = String::from_utf8_lossy(&bytes).into_owned();
    }
    // Both of its outputs are closed, so the program is ending. One that closes them and goes on is
    // not waited for.
    let _ = child.kill();
    let ended = child.wait().map_err(|error| hidden(error.to_string()))?;
    let [out, complaint] = texts;
    Ok(Told { out, complaint, succeeded: ended.success() })
}
