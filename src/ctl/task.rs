//! From a command line to what is asked of the daemon.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::failure::Failure;
use super::password;
use crate::cli::ctl::account::AccountCommand;
use crate::cli::ctl::ban::{BanCommand, FilterCommand, SanctionCommand};
use crate::cli::ctl::report::ReportCommand;
use crate::cli::ctl::rooms::RoomsCommand;
use crate::cli::ctl::{CtlCommand, Format, LinesArgs};
use crate::client::Answers;
use crate::hub::ownership::Change;
use crate::wire::admin::Command;
use crate::wire::admin::args::MetricsArgs;
use crate::wire::admin::args::{
    AccountAddArgs, AccountArgs, AccountCertificateArgs, AccountEraseArgs, AccountPasswdArgs, AccountRoleArgs, BanArgs,
    BanTestArgs, ClientsListArgs, CloseArgs, DescribeArgs, FilterArgs, HistoryArgs, KickArgs, LiftArgs, LockdownArgs,
    LogLevelArgs, MuteArgs, NoArgs, RedactArgs, RenameArgs, ReportArgs, ReportsCloseArgs, ReportsListArgs, RoomArgs,
    RoomSetArgs, SanctionListArgs, SanctionTestArgs, SayArgs, SearchArgs, ShutdownArgs, SubscribeArgs, TopicArgs,
    UnbanArgs, UnfilterArgs, WhoArgs,
};
use crate::wire::admin::value::{Text, Whole};

/// What a command line asks of the daemon, and what becomes of the answers.
pub(super) enum Task {
    /// One command, whose one result is printed as `answer` says.
    One(Command),
    /// A stream of lines of history, printed in this format.
    History(Command, Format),
    /// A stream of pieces of a copy, written to this file.
    Backup(Command, PathBuf),
    /// A stream of events.
    Monitor(Command),
    /// Status and clients, asked for again and again at this interval.
    Top(Duration),
    /// The command of this name with these arguments, as they were written.
    Call(String, Value, Answers),
}

impl Task {
    /// # Errors
    /// [`Failure::Usage`], for what the declaration of the command line cannot say. A password is asked for here.
    pub(super) fn of(command: &CtlCommand) -> Result<Self, Failure> {
        let usage = |text: String| Failure::Usage(text);
        let one = |command: Command| Ok(Self::One(command));
        let none = NoArgs {};
        match command.clone() {
            CtlCommand::Status => one(Command::Status(none)),
            CtlCommand::Clients { room } => one(Command::ClientsList(ClientsListArgs { room })),
            CtlCommand::Client { who } => one(Command::ClientsGet(WhoArgs { who })),
            CtlCommand::Kick { who, reason, ban, yes: _ } => {
                let ban_s = ban.map(|time| Whole(time.as_secs()));
                one(Command::ClientsKick(KickArgs { who, reason, ban_s }))
            }
            CtlCommand::Sanction { action } => one(match action {
                SanctionCommand::List { kind } => Command::SanctionsList(SanctionListArgs { kind }),
                SanctionCommand::Lift { which } => Command::SanctionsLift(LiftArgs { which }),
                SanctionCommand::Test { target } => Command::SanctionsTest(SanctionTestArgs { target }),
            }),
            CtlCommand::Ban { action } => one(match action {
                BanCommand::Add { target, reason, time, dry_run, yes } => {
                    let for_s = time.map(|time| Whole(time.as_secs()));
                    Command::BansAdd(BanArgs { target, reason, for_s, yes, dry_run })
                }
                BanCommand::List => Command::BansList(none),
                BanCommand::Remove { which } => Command::BansRemove(UnbanArgs { which }),
                BanCommand::Test { target } => Command::BansTest(BanTestArgs { target }),
            }),
            CtlCommand::Filter { action } => one(match action {
                FilterCommand::Add { text, strike, reason, time, dry_run } => {
                    let for_s = time.map(|time| Whole(time.as_secs()));
                    Command::FiltersAdd(FilterArgs { text, strike, reason, for_s, dry_run })
                }
                FilterCommand::List => Command::FiltersList(none),
                FilterCommand::Remove { which } => Command::FiltersRemove(UnfilterArgs { which }),
            }),
            CtlCommand::Report { action } => one(match action {
                ReportCommand::List { all } => Command::ReportsList(ReportsListArgs { all }),
                ReportCommand::Show { report } => Command::ReportsShow(ReportArgs { report }),
                ReportCommand::Close { reports, note } => Command::ReportsClose(ReportsCloseArgs { reports, note }),
            }),
            CtlCommand::Account { action } => one(match action {
                AccountCommand::Add { name, role, password_stdin, no_password } => {
                    let password = if no_password { None } else { Some(password::read(&name, password_stdin)?) };
                    Command::AccountsAdd(AccountAddArgs { name, password, hashed: None, role: Some(role) })
                }
                AccountCommand::List => Command::AccountsList(none),
                AccountCommand::Show { name } => Command::AccountsGet(AccountArgs { name }),
                AccountCommand::Certify { name, fingerprint } => {
                    Command::AccountsCertify(AccountCertificateArgs { name, fingerprint })
                }
                AccountCommand::Uncertify { name, fingerprint } => {
                    Command::AccountsUncertify(AccountCertificateArgs { name, fingerprint })
                }
                AccountCommand::Passwd { name, password_stdin } => {
                    let password = Some(password::read(&name, password_stdin)?);
                    Command::AccountsPasswd(AccountPasswdArgs { name, password, hashed: None })
                }
                AccountCommand::Unlock { name } => Command::AccountsUnlock(AccountArgs { name }),
                AccountCommand::Role { name, role } => Command::AccountsRole(AccountRoleArgs { name, role }),
                AccountCommand::Remove { name } => Command::AccountsRemove(AccountArgs { name }),
                AccountCommand::Erase { name, yes } => Command::AccountsErase(AccountEraseArgs { name, yes }),
            }),
            CtlCommand::Mute { who, time, shadow, reason, dry_run } => {
                let for_s = time.map(|time| Whole(time.as_secs()));
                one(Command::ClientsMute(MuteArgs { who, for_s, shadow, reason, dry_run }))
            }
            CtlCommand::Unmute { who } => one(Command::ClientsMute(MuteArgs {
                who,
                for_s: Some(Whole(0)),
                shadow: false,
                reason: None,
                dry_run: false,
            })),
            CtlCommand::Lockdown { time, newcomers, off } => {
                let for_s = time.map(|time| Whole(time.as_secs()));
                one(Command::Lockdown(LockdownArgs { for_s, newcomers, off }))
            }
            CtlCommand::Rename { who, nick } => one(Command::ClientsRename(RenameArgs { who, nick })),
            CtlCommand::Rooms { action: None | Some(RoomsCommand::List) } => one(Command::RoomsList(none)),
            CtlCommand::Rooms { action: Some(RoomsCommand::Show { room }) } => {
                one(Command::RoomsGet(RoomArgs { room }))
            }
            CtlCommand::Rooms { action: Some(RoomsCommand::Set { room, modes, slow, owner }) } => {
                let change = modes.into_iter().try_fold(Change { slow, ..Change::default() }, Change::and);
                let change = change.ok_or_else(|| usage("a room cannot be one thing and its opposite".into()))?;
                if change == Change::default() && owner.is_none() {
                    return Err(usage("nothing says what the room is to be: give a MODE, --slow or --owner".into()));
                }
                one(Command::RoomsSet(RoomSetArgs {
                    room,
                    private: change.private,
                    moderated: change.moderated,
                    registered: change.registered,
                    encrypted: change.encrypted,
                    topic_locked: change.topic_locked,
                    slow_s: change.slow.map(|time| Whole(time.as_secs())),
                    lasting: change.lasting,
                    owner,
                }))
            }
            CtlCommand::Topic { room, text } => {
                let text = (!text.is_empty()).then(|| text.join(" "));
                // As `/topic -` does in chat.
                let text = text.map(|text| if text == "-" { String::new() } else { text });
                one(Command::RoomsTopic(TopicArgs { room, text }))
            }
            CtlCommand::Close { room, reason } => one(Command::RoomsClose(CloseArgs { room, reason })),
            CtlCommand::History { room, last, lines, format, output: _ } => {
                let LinesArgs { since, until, search } = in_order(lines)?;
                let last = last.map(Whole);
                let command = match search {
                    None => Command::HistoryDump(HistoryArgs { room, last, since, until }),
                    Some(query) => Command::HistorySearch(SearchArgs { query, room, last, since, until }),
                };
                Ok(Self::History(command, format))
            }
            CtlCommand::HistoryStats => one(Command::HistoryStats(none)),
            CtlCommand::Redact { room, client, nick, seq, lines, yes } => {
                let LinesArgs { since, until, search } = in_order(lines)?;
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
            CtlCommand::Backup { file } => Ok(Self::Backup(Command::Backup(none), file)),
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
                Ok(Self::Monitor(Command::EventsSubscribe(SubscribeArgs { kinds })))
            }
            CtlCommand::Top { interval } => Ok(Self::Top(interval)),
            CtlCommand::Metrics => one(Command::Metrics(MetricsArgs::default())),
            CtlCommand::LogLevel { level } => one(Command::LogLevel(LogLevelArgs { level })),
            CtlCommand::Reload => one(Command::Reload(none)),
            CtlCommand::Shutdown { deadline, message, if_stopping: _ } => {
                let deadline_s = deadline.map(|deadline| Whole(deadline.as_secs()));
                one(Command::Shutdown(ShutdownArgs { deadline_s, message }))
            }
            CtlCommand::Describe { cmd } => one(Command::Describe(DescribeArgs { cmd })),
            CtlCommand::Call { cmd, args, more } => {
                let answers = if more { Answers::Stream } else { Answers::One };
                Ok(Self::Call(cmd, args.unwrap_or_else(|| json!({})), answers))
            }
            CtlCommand::Completions { .. } | CtlCommand::Complete { .. } => {
                unreachable!("they are printed without a daemon")
            }
        }
    }
}

/// The lines, if their times are in order. Otherwise there can be none, which is nothing that anybody asks for.
fn in_order(lines: LinesArgs) -> Result<LinesArgs, Failure> {
    match (&lines.since, &lines.until) {
        (Some(since), Some(until)) if since.0 > until.0 => {
            Err(Failure::Usage(format!("--since {since} is later than --until {until}: there can be no lines")))
        }
        _ => Ok(lines),
    }
}
