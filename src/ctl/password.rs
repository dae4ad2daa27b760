//! Asking an administrator for a password.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::failure::{Failure, reason};
use crate::wire::admin::value::Password;

/// Reads the password of the account `name`: the first line of standard input, or what is typed twice at
/// the terminal, which does not show it.
pub(super) fn read(name: &str, from_stdin: bool) -> Result<Password, Failure> {
    let failed = |error: io::Error| Failure::Usage(format!("cannot read the password: {}", reason(&error)));
    if from_stdin {
        return line(&mut io::stdin().lock()).map_err(failed);
    }
    let terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| {
            Failure::Usage("there is no terminal to ask for the password: use --password-stdin".to_owned())
        })?;
    let hidden = Hidden::new(&terminal).map_err(failed)?;
    let first = ask(&terminal, &format!("Password for {name}: ")).map_err(failed)?;
    let second = ask(&terminal, "Again: ").map_err(failed)?;
    drop(hidden);
    if first == second { Ok(first) } else { Err(Failure::Usage("that was not the same twice".to_owned())) }
}

fn ask(mut terminal: &File, prompt: &str) -> io::Result<Password> {
    // What a name has in it is not the terminal's business.
    terminal.write_all(super::print::escape::escape(prompt).as_bytes())?;
    let typed = line(&mut BufReader::new(terminal));
    terminal.write_all(b"\n")?;
    typed
}

/// One line, without its end.
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

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(terminal, SetArg::TCSAFLUSH, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}
