//! `chathub ctl`: asks the daemon over its admin socket and prints the answer.
//!
//! [`run`] is all that `main` needs. What can go wrong is one enum, `Failure`, and one place turns it
//! into what people read and what the shell sees. Nothing in here changes anything by itself: the daemon
//! decides, this asks.

pub mod connect;
mod file;
mod monitor;
mod password;
mod print;
pub mod schema;
mod top;

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use clap::CommandFactory;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::cli::ctl::account::AccountCommand;
use crate::cli::ctl::ban::BanCommand;
use crate::cli::ctl::{CtlArgs, CtlCommand, Format};
use crate::exit::Exit;
use crate::wire::admin::Command;
use crate::wire::admin::args::{
    AccountAddArgs, AccountArgs, AccountEraseArgs, AccountPasswdArgs, AccountRoleArgs, BanArgs, BanTestArgs,
    ClientsListArgs, CloseArgs, DescribeArgs, HistoryArgs, KickArgs, LogLevelArgs, MuteArgs, NoArgs, RedactArgs,
    RenameArgs, SayArgs, SearchArgs, ShutdownArgs, SubscribeArgs, TopicArgs, UnbanArgs, WhoArgs,
};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{BackupPiece, Stopped};
use crate::wire::admin::value::{Text, Whole};
use connect::{Connection, Places};
use file::{Existing, NewFile, Progress};
use print::escape::escape;
use print::screen::Screen;

/// How long an answer may take, unless `--timeout` says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The same for `top`, which cannot be quit meanwhile.
pub const TOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than its deadline a shutdown may take.
pub const SHUTDOWN_MARGIN: Duration = Duration::from_secs(15);
/// How long a shutdown may take whose deadline is the daemon's setting: what systemd allows by default.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(90);

/// Why it was not done.
#[derive(Debug)]
enum Failure {
    /// What was asked makes no sense, whatever the daemon thinks.
    Usage(String),
    /// There is no admin socket where one is expected.
    NoSocket { tried: Vec<PathBuf> },
    /// The socket does not take connections.
    Connect { path: PathBuf, source: io::Error },
    /// The socket may not be opened.
    Permission { path: PathBuf },
    /// The connection ended before the answer was whole.
    Broken { path: PathBuf, source: Option<io::Error> },
    /// What came back is not the protocol.
    Garbled { path: PathBuf, why: String },
    /// Nothing came back in time.
    Silent { path: PathBuf, after: Duration },
    /// The daemon said no.
    Refused(ControlError),
    /// It would be done only if it was meant.
    NotSure,
    /// The file could not be written.
    File { path: PathBuf, source: io::Error },
    /// The answer could not be written out.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NoSocket { .. } | Self::Connect { .. } | Self::Broken { .. } | Self::Garbled { .. } => {
                Exit::Unreachable
            }
            Self::Permission { .. } => Exit::Denied,
            Self::Silent { .. } => Exit::TimedOut,
            Self::Refused(error) => match error.code {
                ErrorCode::NotFound => Exit::NotFound,
                ErrorCode::Denied => Exit::Denied,
                ErrorCode::Timeout => Exit::TimedOut,
                _ => Exit::Refused,
            },
            // Whoever read the output has seen enough.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) | Self::NotSure | Self::File { .. } => Exit::Refused,
        }
    }

    /// What helps, line by line.
    fn hint(&self) -> Vec<String> {
        const BY_HAND: &str =
            "For a daemon that was started by hand, name its socket: --socket PATH or $CHATHUB_SOCKET.";
        const UNITS: &str = "    systemctl status chathub.socket chathub-admin.socket chathub.service";
        match self {
            Self::NoSocket { .. } => {
                vec!["Is the service running? See:".into(), UNITS.into(), BY_HAND.into()]
            }
            Self::Connect { source, .. } if source.kind() == ErrorKind::ConnectionRefused => {
                vec!["The socket is there, but nobody listens on it: the daemon is down. See:".into(), UNITS.into()]
            }
            Self::Connect { .. } => vec!["Is the service running? See:".into(), UNITS.into(), BY_HAND.into()],
            Self::Permission { .. } => {
                let uid = nix::unistd::getuid();
                let user =
                    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| "USER".into(), |user| user.name);
                vec![
                    "root and the members of the group chathub-admin may. To join it, then log in again:".into(),
                    format!("    sudo usermod -aG chathub-admin {user}"),
                ]
            }
            Self::Broken { .. } => vec!["Why it closed the connection may stand in: journalctl -u chathub -e".into()],
            Self::Garbled { .. } => {
                vec!["Is that the admin socket of chathub? Of this version? See: chathub ctl call hello".into()]
            }
            Self::Silent { .. } => {
                vec!["It may be starting, or busy: journalctl -u chathub -e. --timeout D waits longer.".into()]
            }
            Self::Refused(error) if error.code == ErrorCode::Internal => {
                vec!["Its journal says more: journalctl -u chathub -e".into()]
            }
            Self::Usage(_) | Self::Refused(_) | Self::Output(_) | Self::NotSure | Self::File { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) => f.write_str(why),
            Self::NoSocket { tried } => {
                let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
                write!(f, "cannot connect to chathub: there is no {}", tried.join(" and no "))
            }
            Self::Connect { path, source } => write!(f, "cannot connect to {}: {}", path.display(), reason(source)),
            Self::Permission { path } => write!(f, "cannot connect to {}: permission denied", path.display()),
            Self::Broken { path, source: None } => {
                write!(f, "the daemon at {} closed the connection before its answer was whole", path.display())
            }
            Self::Broken { path, source: Some(source) } => {
                write!(f, "the connection to {} broke: {}", path.display(), reason(source))
            }
            Self::Garbled { path, why } => write!(f, "the answer from {} makes no sense: {why}", path.display()),
            Self::Silent { path, after } => {
                write!(f, "no answer from {} within {}", path.display(), humantime::format_duration(*after))
            }
            Self::Refused(error) => write!(f, "{error}"),
            Self::NotSure => f.write_str("nothing was changed; --yes does it"),
            Self::File { path, source } => write!(f, "cannot write {}: {}", path.display(), reason(source)),
            Self::Output(error) => write!(f, "cannot write the answer: {}", reason(error)),
        }
    }
}

/// What an error of the system says, as part of a sentence.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Runs `chathub ctl`. Writes to standard output and standard error.
#[must_use]
pub fn run(args: &CtlArgs) -> Exit {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut screen = Screen::new(&mut out);
    screen.terminal = top::size();
    screen.json = args.json;
    screen.legend = !(args.no_legend || args.quiet);
    screen.quiet = args.quiet;
    let mut done = carry_out(args, &mut screen);
    if let Err(error) = screen.flush()
        && done.is_ok()
    {
        done = Err(error.into());
    }
    let Err(failure) = done else { return Exit::Done };
    let exit = failure.exit();
    if exit != Exit::Done {
        complain(&failure.to_string());
        for line in failure.hint() {
            note(&line);
        }
    }
    exit
}

// Standard error may be closed as well; there is nobody left to tell then.

/// More lines than one, as of a configuration with several mistakes, are notes to the first.
fn complain(text: &str) {
    let mut lines = text.lines();
    let _ = writeln!(io::stderr(), "chathub ctl: {}", escape(lines.next().unwrap_or_default()));
    lines.for_each(note);
}

fn note(text: &str) {
    let _ = writeln!(io::stderr(), "  {}", escape(text));
}

fn carry_out(args: &CtlArgs, screen: &mut Screen<'_>) -> Result<(), Failure> {
    if let CtlCommand::Completions { shell } = args.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "chathub", &mut script);
        return Ok(screen.verbatim(&String::from_utf8_lossy(&script))?);
    }
    if let CtlCommand::Shutdown { if_stopping: Some(unit), .. } = &args.command
        && !is_stopping(unit)
    {
        return Ok(());
    }
    let asked = Asked::from(&args.command)?;
    let path = Places::from_env().find(args.socket.as_deref())?;
    // Not below what a socket's own time-outs can tell from none.
    let wanted = args.timeout.map(|timeout| (!timeout.is_zero()).then(|| timeout.max(Duration::from_millis(1))));
    let connection = Connection::open(&path, wanted.unwrap_or(Some(TIMEOUT)))?;
    let timeout = wanted.unwrap_or_else(|| default_timeout(&args.command));
    let mut progress = Progress::default();
    match &args.command {
        CtlCommand::History { output: Some(file), .. } => {
            let mut file = NewFile::create(file, Existing::Replace)?;
            let mut out = BufWriter::new(&mut file.file);
            let mut page = Screen::new(&mut out);
            (page.json, page.legend, page.quiet) = (screen.json, screen.legend, screen.quiet);
            progress = Progress::new(screen.quiet);
            Session { connection, path, timeout, screen: &mut page, progress }.run(&args.command, asked)?;
            page.flush()?;
            drop(out);
            return file.keep();
        }
        CtlCommand::Backup { .. } => progress = Progress::new(screen.quiet),
        _ => {}
    }
    Session { connection, path, timeout, screen, progress }.run(&args.command, asked)
}

/// Whether systemd has a job to stop `unit`. It has one of another kind while it restarts it, and none
/// when the daemon has ended by itself.
fn is_stopping(unit: &str) -> bool {
    let jobs = std::process::Command::new("systemctl").args(["list-jobs", "--no-legend", "--plain", "--full"]).output();
    let jobs = jobs.map(|output| output.stdout).unwrap_or_default();
    // JOB UNIT TYPE STATE
    String::from_utf8_lossy(&jobs).lines().any(|job| {
        let mut words = job.split_whitespace().skip(1);
        words.next() == Some(unit) && words.next() == Some("stop")
    })
}

fn default_timeout(command: &CtlCommand) -> Option<Duration> {
    match command {
        CtlCommand::Monitor { .. } => None,
        CtlCommand::Top { .. } => Some(TOP_TIMEOUT),
        CtlCommand::Shutdown { deadline, .. } => {
            Some(deadline.map_or(SHUTDOWN_TIMEOUT, |deadline| deadline + SHUTDOWN_MARGIN))
        }
        _ => Some(TIMEOUT),
    }
}

/// What a command line asks the daemon for.
enum Asked {
    /// One answer.
    One(Command),
    /// A stream of them.
    Stream(Command),
    /// Whatever the user wrote.
    Raw,
    /// Both that `top` shows, again and again.
    Top(Duration),
}

impl Asked {
    fn from(command: &CtlCommand) -> Result<Self, Failure> {
        let usage = |text: String| Failure::Usage(text);
        let one = |command: Command| Ok(Self::One(command));
        let none = NoArgs {};
        match command.clone() {
            CtlCommand::Status => one(Command::Status(none)),
            CtlCommand::Clients { room } => one(Command::ClientsList(ClientsListArgs { room })),
            CtlCommand::Client { who } => one(Command::ClientsGet(WhoArgs { who })),
            CtlCommand::Kick { who, reason, ban } => {
                let ban_s = ban.map(|time| Whole(time.as_secs()));
                one(Command::ClientsKick(KickArgs { who, reason, ban_s }))
            }
            CtlCommand::Ban { action } => one(match action {
                BanCommand::Add { target, reason, time, dry_run, yes } => {
                    let for_s = time.map(|time| Whole(time.as_secs()));
                    Command::BansAdd(BanArgs { target, reason, for_s, yes, dry_run })
                }
                BanCommand::List => Command::BansList(none),
                BanCommand::Remove { which } => Command::BansRemove(UnbanArgs { which }),
                BanCommand::Test { target } => Command::BansTest(BanTestArgs { target }),
            }),
            CtlCommand::Account { action } => one(match action {
                AccountCommand::Add { name, role, password_stdin, no_password } => {
                    let password = if no_password { None } else { Some(password::read(&name, password_stdin)?) };
                    Command::AccountsAdd(AccountAddArgs { name, password, hashed: None, role: Some(role) })
                }
                AccountCommand::List => Command::AccountsList(none),
                AccountCommand::Passwd { name, password_stdin } => {
                    let password = Some(password::read(&name, password_stdin)?);
                    Command::AccountsPasswd(AccountPasswdArgs { name, password, hashed: None })
                }
                AccountCommand::Unlock { name } => Command::AccountsUnlock(AccountArgs { name }),
                AccountCommand::Role { name, role } => Command::AccountsRole(AccountRoleArgs { name, role }),
                AccountCommand::Remove { name } => Command::AccountsRemove(AccountArgs { name }),
                AccountCommand::Erase { name, yes } => Command::AccountsErase(AccountEraseArgs { name, yes }),
            }),
            CtlCommand::Mute { who, time, shadow } => {
                one(Command::ClientsMute(MuteArgs { who, for_s: time.map(|time| Whole(time.as_secs())), shadow }))
            }
            CtlCommand::Unmute { who } => {
                one(Command::ClientsMute(MuteArgs { who, for_s: Some(Whole(0)), shadow: false }))
            }
            CtlCommand::Rename { who, nick } => one(Command::ClientsRename(RenameArgs { who, nick })),
            CtlCommand::Rooms => one(Command::RoomsList(none)),
            CtlCommand::Topic { room, text } => {
                let text = (!text.is_empty()).then(|| text.join(" "));
                one(Command::RoomsTopic(TopicArgs { room, text }))
            }
            CtlCommand::Close { room, reason } => one(Command::RoomsClose(CloseArgs { room, reason })),
            CtlCommand::History { room, last, since, until, search, .. } => {
                let last = last.map(Whole);
                Ok(Self::Stream(match search {
                    None => Command::HistoryDump(HistoryArgs { room, last, since, until }),
                    Some(query) => Command::HistorySearch(SearchArgs { query, room, last, since, until }),
                }))
            }
            CtlCommand::HistoryStats => one(Command::HistoryStats(none)),
            CtlCommand::Redact { room, client, nick, seq, since, until, search, yes } => {
                let which = RedactArgs {
                    room,
                    client,
                    nick,
                    from_seq: seq,
                    to_seq: seq,
                    since,
                    until,
                    query: search,
                    dry_run: false,
                };
                if which == RedactArgs::default() {
                    return Err(usage("nothing says which lines; see chathub ctl redact --help".into()));
                }
                one(Command::HistoryRedact(RedactArgs { dry_run: !yes, ..which }))
            }
            CtlCommand::Backup { .. } => Ok(Self::Stream(Command::Backup(none))),
            CtlCommand::Say { room, text } => {
                let text = text.join(" ");
                if text.trim().is_empty() {
                    return Err(usage("there is nothing to say: the text is empty".into()));
                }
                if text.len() > 4096 {
                    return Err(usage(format!("the text has {} bytes, at most 4096 are allowed", text.len())));
                }
                one(Command::Say(SayArgs { text: Text(text), room }))
            }
            CtlCommand::Monitor { kinds } => {
                let kinds = (!kinds.is_empty()).then_some(kinds);
                Ok(Self::Stream(Command::EventsSubscribe(SubscribeArgs { kinds })))
            }
            CtlCommand::Top { interval } => Ok(Self::Top(interval)),
            CtlCommand::Metrics => one(Command::Metrics(none)),
            CtlCommand::LogLevel { level } => one(Command::LogLevel(LogLevelArgs { level })),
            CtlCommand::Reload => one(Command::Reload(none)),
            CtlCommand::Shutdown { deadline, message, if_stopping: _ } => {
                let deadline_s = deadline.map(|deadline| Whole(deadline.as_secs()));
                one(Command::Shutdown(ShutdownArgs { deadline_s, message }))
            }
            CtlCommand::Describe { cmd } => one(Command::Describe(DescribeArgs { cmd })),
            CtlCommand::Call { .. } | CtlCommand::Completions { .. } => Ok(Self::Raw),
        }
    }
}

/// A connection, and the screen that its answers go to.
struct Session<'a, 'b> {
    connection: Connection,
    path: PathBuf,
    /// For each answer; `None` waits for ever.
    timeout: Option<Duration>,
    screen: &'a mut Screen<'b>,
    progress: Progress,
}

impl Session<'_, '_> {
    fn run(&mut self, given: &CtlCommand, asked: Asked) -> Result<(), Failure> {
        match asked {
            Asked::One(command) => {
                let result = self.ask(&command)?;
                self.answer(given, &result)?;
                // What was only counted may have been meant.
                let counted = matches!(given, CtlCommand::Redact { yes: false, .. }) && result["lines"] != 0;
                if counted { Err(Failure::NotSure) } else { Ok(()) }
            }
            Asked::Stream(command) if matches!(given, CtlCommand::Monitor { .. }) => self.monitor(&command),
            Asked::Stream(command) => match given {
                CtlCommand::Backup { file } => self.backup(&command, file),
                CtlCommand::History { format, .. } => self.history(&command, *format),
                _ => unreachable!("these are the streams"),
            },
            Asked::Raw => self.call(given),
            Asked::Top(interval) => self.top(interval),
        }
    }

    fn send(&mut self, command: &Command, more: bool) -> Result<u64, Failure> {
        self.connection.send(command.spec().name, &command.args(), more)
    }

    /// The next result of request `id`, and whether more follow.
    fn result(&mut self, id: u64) -> Result<(Value, bool), Failure> {
        let reply = self.connection.reply(id, self.timeout)?;
        match (reply.result, reply.error) {
            (Some(result), _) => Ok((result, reply.more)),
            (None, error) => Err(Failure::Refused(error.expect("a reply has one of the two"))),
        }
    }

    fn only_result(&mut self, id: u64) -> Result<Value, Failure> {
        match self.result(id)? {
            (result, false) => Ok(result),
            (_, true) => Err(self.garbled("a stream, where one answer was asked for")),
        }
    }

    fn garbled(&self, why: impl fmt::Display) -> Failure {
        Failure::Garbled { path: self.path.clone(), why: why.to_string() }
    }

    fn ask(&mut self, command: &Command) -> Result<Value, Failure> {
        let id = self.send(command, false)?;
        self.only_result(id)
    }

    fn read<T: DeserializeOwned>(&self, result: &Value) -> Result<T, Failure> {
        T::deserialize(result).map_err(|error| self.garbled(format_args!("{error} (--json shows it as it is)")))
    }

    /// Prints the one answer to a command.
    fn answer(&mut self, given: &CtlCommand, result: &Value) -> Result<(), Failure> {
        match given {
            // What it would say is in the journal already, by the daemon.
            CtlCommand::Shutdown { if_stopping: Some(_), .. } => return Ok(()),
            CtlCommand::Shutdown { .. } => self.warn_of_activation(result),
            _ => {}
        }
        if self.screen.json {
            return Ok(self.screen.json(result)?);
        }
        macro_rules! show {
            ($print:path $(, $with:expr)?) => {{
                let value = self.read(result)?;
                $print(self.screen, $($with,)? &value)?
            }};
        }
        let names = |who: &[Text<256>]| who.iter().map(|who| who.0.clone()).collect::<Vec<_>>();
        let asked = match given {
            CtlCommand::Kick { who, .. } | CtlCommand::Mute { who, .. } | CtlCommand::Unmute { who } => names(who),
            _ => Vec::new(),
        };
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        match given {
            CtlCommand::Status => show!(print::daemon::status),
            CtlCommand::Clients { .. } => show!(print::clients::list),
            CtlCommand::Client { .. } => show!(print::clients::one),
            CtlCommand::Kick { .. } => show!(print::clients::kicked, &asked),
            CtlCommand::Ban { action: BanCommand::Add { .. } } => show!(print::bans::added),
            CtlCommand::Ban { action: BanCommand::List } => show!(print::bans::list),
            CtlCommand::Ban { action: BanCommand::Remove { .. } } => show!(print::bans::removed),
            CtlCommand::Ban { action: BanCommand::Test { .. } } => show!(print::bans::tested),
            CtlCommand::Account { action } => match action {
                AccountCommand::Add { .. } => show!(print::accounts::added),
                AccountCommand::List => show!(print::accounts::list),
                AccountCommand::Passwd { .. } => show!(print::accounts::password),
                AccountCommand::Unlock { .. } => show!(print::accounts::unlocked),
                AccountCommand::Role { .. } => show!(print::accounts::role),
                AccountCommand::Remove { .. } => show!(print::accounts::removed),
                AccountCommand::Erase { .. } => show!(print::history::redacted),
            },
            CtlCommand::Mute { time, .. } => show!(print::clients::muted, (&asked, *time)),
            CtlCommand::Unmute { .. } => show!(print::clients::unmuted, &asked),
            CtlCommand::Rename { .. } => show!(print::clients::renamed),
            CtlCommand::Rooms => show!(print::rooms::list),
            CtlCommand::Topic { text, .. } if text.is_empty() => show!(print::rooms::topic),
            CtlCommand::Topic { .. } => show!(print::rooms::topic_set),
            CtlCommand::Close { .. } => show!(print::rooms::closed),
            CtlCommand::HistoryStats => show!(print::history::stats),
            CtlCommand::Redact { .. } => show!(print::history::redacted),
            CtlCommand::Say { .. } => show!(print::rooms::said),
            CtlCommand::Metrics => show!(print::daemon::metrics),
            CtlCommand::LogLevel { level: None } => show!(print::daemon::log_level),
            CtlCommand::LogLevel { level: Some(_) } => show!(print::daemon::log_level_set),
            CtlCommand::Reload => show!(print::daemon::reloaded),
            CtlCommand::Shutdown { .. } => show!(print::daemon::stopped),
            CtlCommand::Describe { cmd: None } => show!(print::describe::commands),
            CtlCommand::Describe { cmd: Some(_) } => show!(print::describe::command),
            CtlCommand::History { .. }
            | CtlCommand::Backup { .. }
            | CtlCommand::Monitor { .. }
            | CtlCommand::Top { .. }
            | CtlCommand::Call { .. }
            | CtlCommand::Completions { .. } => unreachable!("these are not answered by one result"),
        }
        Ok(())
    }

    /// A daemon that was stopped and comes back by itself surprises: say so, as systemctl does.
    fn warn_of_activation(&self, result: &Value) {
        let warning = Stopped::deserialize(result).ok().and_then(|stopped| stopped.warning);
        if let Some(warning) = warning
            && !self.screen.quiet
        {
            complain(&format!("warning: {warning}"));
            note("To keep it stopped: systemctl stop chathub.socket chathub-admin.socket chathub.service");
        }
    }

    /// Writes the pieces of a copy to a file.
    fn backup(&mut self, command: &Command, path: &Path) -> Result<(), Failure> {
        let mut file = NewFile::create(path, Existing::Refuse)?;
        let id = self.send(command, true)?;
        let (mut written, mut total) = (0, 0);
        loop {
            let (result, more) = self.result(id)?;
            if !more {
                break;
            }
            let piece: BackupPiece = self.read(&result)?;
            let bytes = Base64::decode_vec(&piece.data).map_err(|_| self.garbled("a piece that is not Base64"))?;
            if piece.offset != written {
                return Err(self.garbled("pieces that do not follow each other"));
            }
            let done = file.file.write_all(&bytes);
            done.map_err(|source| Failure::File { path: path.to_owned(), source })?;
            written += bytes.len() as u64;
            total = piece.total;
            self.progress.bytes(written, total);
        }
        self.progress.end();
        if written != total {
            return Err(self.garbled(format_args!("{written} bytes of {total}")));
        }
        file.keep()?;
        Ok(print::history::backed_up(self.screen, &path.display().to_string(), written)?)
    }

    fn history(&mut self, command: &Command, format: Format) -> Result<(), Failure> {
        let format = if self.screen.json { Format::Json } else { format };
        let id = self.send(command, true)?;
        let mut lines = 0;
        loop {
            let (result, more) = self.result(id)?;
            if !more {
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
                Format::Text => print::history::line(self.screen, &self.read(&result)?)?,
                Format::Csv => print::history::csv_line(self.screen, &self.read(&result)?)?,
                Format::Json => self.screen.json_line(&result)?,
            }
            lines += 1;
            self.progress.lines(lines, result["t"].as_str().unwrap_or_default());
            // Output waits to be gathered only while there is more to gather.
            if !self.connection.has_line() {
                self.screen.flush()?;
            }
        }
        self.progress.end();
        if format == Format::Text { Ok(print::history::end(self.screen, lines)?) } else { Ok(()) }
    }

    fn monitor(&mut self, command: &Command) -> Result<(), Failure> {
        let id = self.send(command, true)?;
        loop {
            let (event, more) = self.result(id)?;
            if !more {
                return Ok(());
            }
            if self.screen.json {
                self.screen.json_line(&event)?;
            } else {
                let lost = monitor::lost(&event);
                if lost > 0 {
                    self.screen.flush()?;
                    complain(&format!("{} lost: this end reads too slowly", print::values::count(lost, "event")));
                }
                monitor::event(self.screen, &event)?;
            }
            if !self.connection.has_line() {
                self.screen.flush()?;
            }
        }
    }

    fn call(&mut self, given: &CtlCommand) -> Result<(), Failure> {
        let CtlCommand::Call { cmd, args, more } = given else { unreachable!("only \"call\" is sent as it is") };
        let empty = json!({});
        let id = self.connection.send(cmd, args.as_ref().unwrap_or(&empty), *more)?;
        loop {
            let (result, follows) = self.result(id)?;
            if *more {
                self.screen.json_line(&result)?;
            } else {
                self.screen.json(&result)?;
            }
            if !follows {
                return Ok(());
            }
            self.screen.flush()?;
        }
    }

    fn sample(&mut self) -> Result<(Value, Value), Failure> {
        // Both in one go, so that they tell of the same moment.
        let status = self.send(&Command::Status(NoArgs {}), false)?;
        let clients = self.send(&Command::ClientsList(ClientsListArgs::default()), false)?;
        Ok((self.only_result(status)?, self.only_result(clients)?))
    }

    fn frame(&mut self, before: &mut top::Before) -> Result<Vec<String>, Failure> {
        let (status, clients) = self.sample()?;
        let sample = top::Sample { status: self.read(&status)?, clients: self.read(&clients)?, at: Instant::now() };
        Ok(before.frame(&sample, self.screen.legend, self.screen.terminal))
    }

    fn top(&mut self, interval: Duration) -> Result<(), Failure> {
        if self.screen.json {
            let (status, clients) = self.sample()?;
            return Ok(self.screen.json(&json!({"status": status, "clients": clients["clients"]}))?);
        }
        let mut before = top::Before::default();
        let mut frame = self.frame(&mut before)?;
        if !top::is_watched() {
            return Ok(frame.iter().try_for_each(|line| self.screen.line(line))?);
        }
        let raw = top::Raw::enter(self.screen)?;
        let ended = loop {
            let drawn = top::draw(self.screen, &frame).and_then(|()| raw.quits(interval));
            match drawn {
                Ok(false) => {}
                Ok(true) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
            self.screen.terminal = top::size();
            match self.frame(&mut before) {
                Ok(next) => frame = next,
                Err(failure) => break Err(failure),
            }
        };
        raw.leave(self.screen)?;
        ended
    }
}
