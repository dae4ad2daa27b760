//! Confirmations: what a client is told about a command that it has given, or about something that
//! was done to it.

use super::page::Page;
use super::refusal::encrypted_at;
use super::times::{date_and_time, length, until, until_in};
use super::{article, count, mode, more_modes, notice};
use crate::hub::account::Role;
use crate::hub::message::{Asked, Done, Replaced};
use crate::values::terminal::Mode;
use crate::values::time::{Wall, in_words};

/// Appends what was done, in one notice.
pub(super) fn done(done: &Done, now: Wall, out: &mut Page<'_>) {
    match done {
        Done::Named(nick) => notice(out, &["you are ", nick, " now"]),
        Done::RenamedByAdmin(nick) => notice(out, &["an operator has named you ", nick]),
        Done::Away => notice(out, &["you are marked as away; /back ends it"]),
        Done::Back => notice(out, &["you are no longer marked as away"]),
        Done::NowCalled { name, nick } => notice(out, &[name, " is now called ", nick]),
        Done::Ignored(nick) => notice(out, &["you ignore ", nick, " now; /unignore ", nick, " ends it"]),
        Done::Unignored(nick) => notice(out, &["you no longer ignore ", nick]),
        Done::Quiet => notice(out, &["arrivals and departures are hidden now; /quiet again shows them"]),
        Done::NotQuiet => notice(out, &["arrivals and departures are shown now"]),
        Done::TimeOn(offset) => {
            notice(out, &["times are shown now, in ", &offset.to_string(), "; /time off hides them"])
        }
        Done::TimeIn { zone, offset } => {
            notice(out, &["times are shown now in ", zone, ", ", &offset.to_string(), "; /time off hides them"]);
        }
        Done::ClocksChanged { zone, offset } => {
            notice(out, &["the clocks of ", zone, " have changed: times are shown in ", &offset.to_string(), " now"]);
        }
        Done::TimeOff => notice(out, &["times are not shown now"]),
        Done::ColorsOn => notice(out, &["colours are shown now; /color off ends it"]),
        Done::ColorsOff => notice(out, &["colours are not shown now; /color on shows them"]),
        Done::BellOn => notice(out, &["your terminal rings when your name is said; /bell off ends it"]),
        Done::BellOff => notice(out, &["your terminal does not ring"]),
        Done::Holding => notice(out, &["what others say waits now until you press Enter; /hold again ends it"]),
        Done::NotHolding => notice(out, &["what others say is shown at once"]),
        Done::Mode(Mode::Char) => {
            notice(out, &["you have a line editor: Tab completes, ^R searches; /mode line ends it"]);
        }
        Done::Mode(Mode::Line) => notice(out, &["your program edits your lines now; /mode char ends it"]),
        Done::TypingShows => {
            notice(out, &["careful: your program shows what you type next; mind who sees your screen"]);
        }
        Done::PasswordReadable(at) => {
            notice(out, &["careful: your connection is not encrypted, so others on its way can read a password"]);
            encrypted_at(at.as_deref(), out);
        }
        Done::Interrupted => notice(out, &["what you had typed is gone; /quit leaves"]),
        Done::Reported { id, about, here, is_among_them, told, lines, room, is_private } => {
            let see = match (here, told) {
                (0, _) if *is_among_them => "; no other is here now".to_owned(),
                (0, _) => "; none is here now".to_owned(),
                (1, 1) => "; one of them is here".to_owned(),
                (1, _) => "; one of them is here, and not reading".to_owned(),
                (here, told) if here == told => format!("; {here} of them are here"),
                (here, 0) => format!("; {here} of them are here, and not reading"),
                (here, told) => format!("; {here} of them are here, and {told} reading"),
            };
            notice(out, &["report ", &id.to_string(), " is kept for the operators", &see]);
            let number = lines;
            let lines = match number {
                0 => format!("; no line of {about} in {room} is kept"),
                1 => format!(", and the last line of {about} in {room}"),
                more => format!(", and the last {more} lines of {about} in {room}"),
            };
            notice(out, &["they see your name and the reason", &lines]);
            if *number == 0 {
                notice(out, &["what ", about, " sends to you alone they do not see; /report can quote it"]);
            }
            if *is_private && *number > 0 {
                notice(out, &["what was said in private is shown to those of them alone who were there"]);
            }
        }
        Done::ReportedAgain { id, times } => {
            let times = count(*times as usize, "time", "times");
            notice(out, &["report ", &id.to_string(), " says that already, and is open; it counts ", &times, " now"]);
        }
        Done::ReportsOpen(1) => notice(out, &["1 report is open: /reports"]),
        Done::ReportsOpen(open) => notice(out, &[&open.to_string(), " reports are open: /reports"]),
        Done::ReportsClosed { closed, open } => {
            let what = match &closed[..] {
                [one] => format!("report {one} is closed"),
                more => format!("{} reports are closed", more.len()),
            };
            let left = match open {
                0 => "; none is open".to_owned(),
                1 => "; 1 is open: /reports".to_owned(),
                more => format!("; {more} are open: /reports"),
            };
            notice(out, &[&what, &left]);
        }
        Done::Muted { until: end, reason } => {
            let why = reason.as_deref().map_or_else(String::new, |reason| format!(", for {reason}"));
            notice(out, &["you are muted", &until(end), &why, ": nobody sees what you say"]);
        }
        Done::Unmuted => notice(out, &["you may speak again"]),
        Done::SlowedDown { lines, bytes } => {
            let lines = count(*lines as usize, "line", "lines");
            notice(
                out,
                &[&format!("slow down: your lines wait in turn, up to {lines} or {bytes} bytes a second pass")],
            );
        }
        Done::GivesWay => {
            notice(out, &["much is said here at the moment: your lines wait for room between those of others"]);
        }
        Done::Dropping => notice(out, &["too fast for too long: lines of yours are dropped until you pause"]),
        Done::Dropped(number) => {
            let number = usize::try_from(*number).unwrap_or(usize::MAX);
            notice(out, &[&count(number, "line of yours was", "lines of yours were"), " dropped: nobody saw them"]);
        }
        Done::RoomMode { room, modes } => {
            let more = if modes.private { "; what is said here is recorded nowhere" } else { "" };
            notice(out, &[room, " is ", mode(modes), " now", more, &more_modes(modes)]);
        }
        Done::RoomOf { room, owner } => notice(out, &[room, " is ", owner, "'s room now"]),
        Done::Moderator { name, room, on: true } => notice(out, &[name, " is a moderator of ", room, " now"]),
        Done::Moderator { name, room, on: false } => notice(out, &[name, " is not a moderator of ", room, " any more"]),
        Done::YouModerate { room, on: true } => {
            notice(out, &["you are a moderator of ", room, " now: /room, /topic, /invite, /voice, /expel"]);
        }
        Done::YouModerate { room, on: false } => notice(out, &["you are not a moderator of ", room, " any more"]),
        Done::Successor { room, name: Some(name) } => {
            notice(out, &[room, " is ", name, "'s when its owner's account is gone"]);
        }
        Done::Successor { room, name: None } => {
            notice(out, &["nobody is named to have ", room, " when its owner's account is gone"]);
        }
        Done::TopicLocked(room) => {
            notice(out, &["operators alone set the topic of ", room, " now; /room topic-free ends that"]);
        }
        Done::Invited { nick, room } => notice(out, &[nick, " may come into ", room]),
        Done::Uninvited { nick, room } => notice(out, &[nick, " is not invited to ", room, " any more"]),
        Done::Voice { room, on: true } => notice(out, &["you may speak in ", room, " while it is moderated"]),
        Done::Voice { room, on: false } => notice(out, &["you may not speak in ", room, " while it is moderated"]),
        Done::VoiceOf { nick, on: true } => notice(out, &[nick, " may speak here while it is moderated"]),
        Done::VoiceOf { nick, on: false } => notice(out, &[nick, " may not speak here while it is moderated"]),
        Done::Expelled { room, reason: None } => notice(out, &["you were sent out of ", room]),
        Done::Expelled { room, reason: Some(reason) } => notice(out, &["you were sent out of ", room, ": ", reason]),
        Done::ExpelledOther { nick, room, replaced } => {
            notice(out, &[nick, " may not come into ", room, " until you invite them", &instead(replaced)])
        }
        Done::IdleSoon { silent, left } => {
            let (silent, left) = (in_words(*silent), in_words(*left));
            notice(out, &["you have sent nothing for ", &silent, ": press Enter within ", &left, " to stay"]);
        }
        Done::PutAtDoor { lockdown, banned, wait } => {
            let why = match lockdown {
                _ if *banned => "this address is banned".to_owned(),
                Some(_) => format!("only registered people come in{}", until(lockdown)),
                None => "this hub is for those who are registered".to_owned(),
            };
            notice(out, &[&why, ", and you wait at the door now"]);
            notice(out, &["/login NAME lets you in again; you have ", &length(wait.as_secs())]);
        }
        Done::LockedDown(end) => {
            let end = until(&Some(*end));
            notice(out, &["from now", &end, ", newcomers speak when they have logged in: /login NAME"]);
        }
        Done::Kicked(nick) => notice(out, &["you have disconnected ", nick]),
        Done::MutedOther { nick, until: end, shadow, absent, called, replaced } => {
            let unknowing = if *shadow { ", and does not know" } else { "" };
            notice(out, &[nick, " is muted", &until_in(end, now), unknowing, " (", called, &instead(replaced), ")"]);
            if *absent {
                notice(out, &["nobody called ", nick, " is here: it holds for whoever takes the name"]);
            }
        }
        Done::UnmutedOther { nick, lifted } => {
            let lifted = if lifted.is_empty() { String::new() } else { format!("; lifted: {}", lifted.join("; ")) };
            notice(out, &[nick, " may speak again", &lifted]);
        }
        Done::Banned { whom, absent, called, hit, until: end, replaced } => {
            let hit = count(*hit, "person", "people");
            let whom = whom.as_ref().map_or_else(String::new, |whom| format!(" of {whom}"));
            let held = until_in(end, now);
            let texts = ["ban ", called, &whom, " holds", &held, &instead(replaced), "; disconnected: ", &hit];
            notice(out, &texts);
            if let Some(name) = absent {
                notice(out, &["nobody called ", name, " is here: it holds for whoever takes the name"]);
            }
        }
        Done::Filtered { text, strike, until: end, called, replaced } => {
            let strike = if *strike { ", and is a strike" } else { "" };
            let back = " is kept back here";
            notice(out, &[text, back, strike, &until_in(end, now), " (", called, &instead(replaced), ")"]);
        }
        Done::FiltersOfSettings { refuse, strike } => {
            let entries = |number: usize| count(number, "entry", "entries");
            notice(
                out,
                &[
                    "in the settings: ",
                    &entries(*refuse),
                    " of filters.refuse, ",
                    &strike.to_string(),
                    " of filters.strike",
                ],
            );
        }
        Done::NotOnDisk => {
            notice(out, &["it is not on disk yet: nothing can be written now; it is, as soon as it can"])
        }
        Done::MostLines(most) => {
            notice(out, &["no more than ", &count(*most, "line is", "lines are"), " shown at once"]);
        }
        Done::Lifted(called) => notice(out, &[called, " is lifted"]),
        Done::Strikes { nick, count: 0 } => notice(out, &["nothing counts against ", nick]),
        Done::Strikes { nick, count: strikes } => {
            notice(out, &[&count(*strikes as usize, "strike", "strikes"), " against ", nick]);
        }
        Done::Redacted { lines, topics, rooms, on_disk } => {
            let number = |number: u64, one, many| count(usize::try_from(number).unwrap_or(usize::MAX), one, many);
            let what = match (lines, topics) {
                (0, topics) => number(*topics, "topic", "topics"),
                (lines, 0) => number(*lines, "line", "lines"),
                (lines, topics) => {
                    format!("{} and {}", number(*lines, "line", "lines"), number(*topics, "topic", "topics"))
                }
            };
            let rooms = if *rooms > 1 { format!(" in {}", number(*rooms, "room", "rooms")) } else { String::new() };
            let soon = if *on_disk { ", on disk shortly" } else { "" };
            notice(out, &["removed: ", &what, &rooms, soon, "; screens keep them"]);
        }
        Done::LinesRemoved(lines) => {
            let still = if *lines == 1 { "it may still stand" } else { "they may still stand" };
            let lines = count(*lines, "line was", "lines were");
            notice(out, &[&lines, " removed by a moderator; ", still, " on your screen"]);
        }
        Done::MadeOperator(name) => notice(out, &[name, " is an operator now"]),
        Done::Asks(Asked::New { least }) => {
            let least = count(*least, "character", "characters");
            notice(out, &["type a new password of at least ", &least, "; an empty line cancels"]);
        }
        Done::Asks(Asked::Again) => notice(out, &["type it again"]),
        Done::Asks(Asked::Of(name)) => notice(out, &["type the password of ", name, "; an empty line cancels"]),
        Done::Asks(Asked::Present) => notice(out, &["type your present password; an empty line cancels"]),
        Done::AsksNoMore(Some(command)) => {
            notice(out, &["no password is asked for any more; ", command, " asks again"]);
        }
        Done::AsksNoMore(None) => notice(out, &["no password is asked for any more"]),
        Done::Cancelled => notice(out, &["cancelled"]),
        Done::Registered(name) => {
            notice(out, &[name, " is registered, and nobody else can have it; /login ", name, " next time"]);
        }
        Done::LoggedIn { name, role, by_certificate } => {
            let role = if *role == Role::Operator { ", as an operator" } else { "" };
            let how = if *by_certificate { " by your certificate" } else { "" };
            notice(out, &["welcome, ", name, ": you are logged in", how, role]);
        }
        Done::NewSince { room, lines, naming, last } => {
            let (number, last) = (count(*lines, "line was", "lines were"), date_and_time(*last));
            let naming = match naming {
                0 => String::new(),
                1 => "; 1 of them names you".to_owned(),
                many => format!("; {many} of them name you"),
            };
            notice(out, &[&number, " said in ", room, " since you left (", &last, ")", &naming, ": /history"]);
        }
        Done::LoggedOut(nick) => notice(out, &["you are logged out; you are ", nick, " now"]),
        Done::PasswordChanged => notice(out, &["your password is changed"]),
        Done::CertificatesStay(number) => {
            let (number, log) =
                (count(*number, "certificate", "certificates"), if *number == 1 { "logs" } else { "log" });
            notice(out, &[&number, " still ", log, " in to it: /certificate lists them"]);
        }
        Done::CertificateAdded { short, name } => {
            notice(out, &["certificate ", short, " logs in to ", name, " from now on, as soon as it comes"]);
        }
        Done::CertificateRemoved(short) => notice(out, &["certificate ", short, " does not log in any more"]),
        Done::Unregistered(name) => notice(out, &[name, " is not registered any more; you are a guest now"]),
        Done::AccountRemoved => notice(out, &["your account was removed by an operator; you are a guest now"]),
        Done::RoleChanged(role) => notice(out, &["your account is that of ", article(*role), " now"]),
        Done::NameReclaimed(nick) => {
            notice(out, &["the name you had is registered, and its owner is here: you are ", nick]);
        }
        Done::RoomClosed { room, reason: None } => notice(out, &[room, " was closed by an operator"]),
        Done::RoomClosed { room, reason: Some(reason) } => {
            notice(out, &[room, " was closed by an operator: ", reason]);
        }
    }
}

/// The sanction that was replaced, with its end, such as `, in place of b3 until ...`; empty if
/// none was.
fn instead(replaced: &Option<Replaced>) -> String {
    match replaced {
        None => String::new(),
        Some(Replaced { called, until: None }) => format!(", in place of {called}, which had no end"),
        Some(Replaced { called, until: end }) => format!(", in place of {called}{}", until(end)),
    }
}
