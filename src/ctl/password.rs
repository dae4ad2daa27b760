//! Asking an administrator for a password.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};

use nix::sys::termios::{LocalFlags, SetArg};
use zeroize::Zeroizing;

use super::failure::{Failure, reason};
use super::terminal::Changed;
use crate::wire::admin::value::Password;

/// How often the password is asked for, until it was typed the same twice.
const TRIES: u32 = 3;

/// Reads the password of account `name`: the first line of standard input, or a line that is typed
/// twice at the terminal, which does not show it. If the two differ, it is asked for again.
pub(super) fn read(name: &str, from_stdin: bool) -> Result<Password, Failure> {
    let failed = |error: io::Error| Failure::Usage(format!("cannot read the password: {}", reason(&error)));
    if from_stdin {
        return line(&mut io::stdin().lock()).map_err(failed);
    }
    let terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| {
            Failure::Usage("there is no terminal to ask for the password: use --password-stdin".to_owned())
        })?;
    // What was typed before the question is thrown away (TCSAFLUSH): it was not meant as the
    // password.
    let hidden = Changed::without(&terminal, LocalFlags::ECHO, SetArg::TCSAFLUSH, "").map_err(failed)?;
    for left in (0..TRIES).rev() {
        let first = ask(&terminal, &format!("Password for {name}: ")).map_err(failed)?;
        let second = ask(&terminal, "Again: ").map_err(failed)?;
        if first == second {
            drop(hidden);
            return Ok(first);
        }
        if left > 0 {
            (&terminal).write_all(b"These two differ. Once more.\n").map_err(failed)?;
        }
    }
    drop(hidden);
    let times = format!("the password was not typed the same twice, {TRIES} times; nothing was changed");
    Err(Failure::Usage(times))
}

/// Asks for a line at the terminal.
fn ask(mut terminal: &File, prompt: &str) -> io::Result<Password> {
    // The name in the prompt may have been chosen by a stranger.
    terminal.write_all(super::print::escape::escape(prompt).as_bytes())?;
    let typed = line(&mut BufReader::new(terminal));
    terminal.write_all(b"\n")?;
    typed
}

/// Reads one line of at most 4,096 bytes, without its end.
fn line(from: &mut impl io::BufRead) -> io::Result<Password> {
    let mut line = Zeroizing::new(String::new());
    let mut some = io::Read::take(from.by_ref(), 4096);
    some.read_line(&mut line)?;
    let typed = line.trim_end_matches(['\r', '\n']);
    if typed.is_empty() {
        return Err(io::Error::other("there is none"));
    }
    Ok(Password(typed.to_owned()))
}
