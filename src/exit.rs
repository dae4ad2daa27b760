//! The exit codes of the programs. The code, the tests and the manual pages take them from here.
//!
//! Scripts rely on them: a code never gets another meaning.

use std::process::{ExitCode, Termination};

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// The command was carried out; the daemon ended as it was asked to.
    Done = 0,
    /// The daemon refused or failed; or the system lacks something, such as threads.
    Refused = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The daemon cannot be reached, or the conversation with it broke off.
    Unreachable = 3,
    /// The user may not open the admin socket, or may not give this command; or an untrusted user
    /// listens on the socket.
    Denied = 4,
    /// The client, room, ban, report, account or command that was named does not exist.
    NotFound = 5,
    /// The daemon did not answer in time.
    TimedOut = 6,
    /// Nothing wrong was found, but there is advice, or something could not be examined.
    Advised = 8,
    /// The daemon cannot listen (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// The daemon has left its clients to the next process, which the service manager is to start
    /// (`EX_TEMPFAIL`).
    HandedOver = 75,
    /// The settings, or the sockets that were handed over, are wrong (`EX_CONFIG`).
    Config = 78,
}

/// The meaning of an exit code for one of the programs.
#[derive(Clone, Copy, Debug)]
pub struct Meaning {
    /// The code that is explained.
    pub exit: Exit,
    /// The meaning, for the manual page.
    pub about: &'static str,
}

const fn means(exit: Exit, about: &'static str) -> Meaning {
    Meaning { exit, about }
}

/// How `chathub ctl` ends.
pub static CTL: &[Meaning] = &[
    means(
        Exit::Done,
        "Done. A reader of the output that has gone away, as in \"chathub ctl history | head\", is no failure.",
    ),
    means(
        Exit::Refused,
        "The daemon refused, or failed; it says why on standard error.

Or nothing was changed because nobody has said that it is meant: whoever was asked did not say yes, or `redact` without \
         --yes has only counted the lines.",
    ),
    means(
        Exit::Usage,
        "The command line is wrong; nothing was changed. A script has to say --yes to what cannot be undone.",
    ),
    means(
        Exit::Unreachable,
        "No connection to the daemon, or it broke off, or what answers does not speak the protocol.",
    ),
    means(
        Exit::Denied,
        "The admin socket may not be opened, another user than root, chathub or oneself listens on it, or the daemon does \
         not allow this to whoever asks.",
    ),
    means(Exit::NotFound, "What was named does not exist: a client, a room, a ban, a report, an account, a command."),
    means(Exit::TimedOut, "No answer within the time of --timeout, or the daemon gave up waiting."),
];

/// How `chathub serve` and `chathub check-config` end.
pub static SERVE: &[Meaning] = &[
    means(Exit::Done, "The daemon was asked to stop, and did; the settings are right."),
    means(Exit::Refused, "The system has not enough of something, such as threads; the last log line says of what."),
    means(Exit::Usage, "The command line is wrong."),
    means(Exit::Unavailable, "An address or a path cannot be listened on."),
    means(
        Exit::HandedOver,
        "The daemon was ended by SIGTERM and has left its clients to the next process: the service manager is to start it.",
    ),
    means(
        Exit::Config,
        "The settings are wrong (file, line and key are told on standard error), or the sockets that were handed over.",
    ),
];

/// How `chathub-web` ends.
pub static WEB: &[Meaning] = &[
    means(Exit::Done, "It was asked to end, or nobody had connected for ten minutes."),
    means(Exit::Refused, "The system has not enough of something, such as threads."),
    means(Exit::Usage, "The command line is wrong, or no socket was handed over and none is to be opened."),
    means(Exit::Unavailable, "An address cannot be listened on."),
    means(Exit::Config, "The sockets that were handed over are wrong."),
];

/// How `chathub-tls` ends.
pub static TLS: &[Meaning] = &[
    means(Exit::Done, "It was asked to end, or all certificates can be used, or one was made."),
    means(Exit::Refused, "The system has not enough of something, or a file cannot be written."),
    means(
        Exit::Usage,
        "The command line is wrong; no certificate is named; or no socket was handed over and none is to be opened.",
    ),
    means(Exit::Advised, "--check: all certificates can be used, and one expires within 14 days."),
    means(Exit::Unavailable, "An address cannot be listened on."),
    means(
        Exit::Config,
        "A certificate or key cannot be read or used (file and reason are told), or the sockets that were handed over \
         are wrong.",
    ),
];

/// How `chathub doctor` ends.
pub static DOCTOR: &[Meaning] = &[
    means(Exit::Done, "Everything was looked at, and there is nothing to do."),
    means(Exit::Refused, "There are errors or warnings: something is wrong. Or the answer cannot be written."),
    means(Exit::Usage, "The command line is wrong."),
    means(
        Exit::Advised,
        "Nothing is wrong that could be seen; but there is advice, or something could not be looked at, as without the \
         rights of root.",
    ),
];

impl Exit {
    /// The number that a shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_is_sorted_and_has_no_code_twice() {
        for list in [CTL, SERVE, WEB, TLS, DOCTOR] {
            assert!(list.windows(2).all(|pair| pair[0].exit.code() < pair[1].exit.code()));
        }
    }

    #[test]
    fn codes_of_the_contract_stay() {
        let codes: Vec<_> = CTL.iter().map(|meaning| meaning.exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6]);
        let codes: Vec<_> = DOCTOR.iter().map(|meaning| meaning.exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 8]);
    }
}
