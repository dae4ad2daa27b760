//! The program that writes the tape. Only the program that wrote inputs can handle them again, so
//! another program may have to execute it.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use nix::sys::stat::{FileStat, fstat};

use super::tape::Tape;
use crate::systemd;

/// The hash of this program, made by build.rs. Only the same program gets the same outcomes from
/// the same inputs.
const EPOCH: u64 = match u64::from_str_radix(env!("CHATHUB_EPOCH"), 10) {
    Ok(epoch) => epoch,
    Err(_) => panic!("set by build.rs"),
};

/// The hash of this program. In debug builds tests set another by `CHATHUB_EPOCH`.
#[must_use]
pub fn epoch() -> u64 {
    let other = if cfg!(debug_assertions) { std::env::var("CHATHUB_EPOCH").ok() } else { None };
    other.and_then(|epoch| epoch.parse().ok()).unwrap_or(EPOCH)
}

/// Executes the former program if it has left inputs on the tape. That is so after it was killed,
/// and an upgrade has put this program in its place: no other program can handle these inputs. The
/// former program then carries on. At its next restart it leaves a snapshot, which any release can
/// read.
///
/// Call it before anything else. It returns if the former program is not needed, or cannot be
/// executed.
pub fn become_former() {
    let (Some(tape), Some(program)) = (systemd::look_for("tape"), systemd::look_for(systemd::PROGRAM)) else { return };
    if std::env::var_os(FORMER).is_some() || Tape::left_by(tape).is_none_or(|by| by == epoch()) {
        return;
    }
    let bytes = |text: &std::ffi::OsStr| CString::new(text.as_encoded_bytes()).ok();
    let arguments: Vec<_> = std::env::args_os().filter_map(|argument| bytes(&argument)).collect();
    let own = |name: &str| name == FORMER || (cfg!(debug_assertions) && name == "CHATHUB_EPOCH");
    let mut environment: Vec<_> = std::env::vars_os()
        .filter(|(name, _)| !name.to_str().is_some_and(own))
        .filter_map(|(name, value)| bytes(&[name, value].join(std::ffi::OsStr::new("="))))
        .collect();
    environment.extend(CString::new(format!("{FORMER}=1")));
    // If this call returns, it has failed.
    let _ = nix::unistd::fexecve(program, &arguments, &environment);
}

/// Whether this process was executed as a former program by [`become_former`].
#[must_use]
pub fn is_former() -> bool {
    std::env::var_os(FORMER).is_some()
}

/// The environment variable that marks a former program executed by [`become_former`]. A program
/// that has it executes no other.
const FORMER: &str = "CHATHUB_FORMER";

/// After an upgrade: gives the service manager this program to keep, instead of `former`. Does
/// nothing if both are the same file.
pub(super) fn keep_instead_of(former: Option<OwnedFd>) -> io::Result<()> {
    let program = std::fs::File::open("/proc/self/exe")?;
    let file = |stat: FileStat| (stat.st_dev, stat.st_ino);
    if former.is_some_and(|former| fstat(&former).map(file) == fstat(&program).map(file)) {
        return Ok(());
    }
    systemd::forget([systemd::PROGRAM]);
    systemd::store(&[(systemd::PROGRAM, program.as_fd())])
}
