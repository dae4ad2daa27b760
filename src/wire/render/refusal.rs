//! Refusals: why something is not done, and what would help.

use std::time::Duration;

use super::lists::bearers;
use super::page::Page;
use super::times::{date_and_time, until};
use super::{banned, count, notice, usage};
use crate::hub::account::Role;
use crate::hub::message::Refusal;
use crate::hub::pace::Kind;
use crate::hub::sanction::NoPlace;
use crate::values::time::in_words;

/// The hint for a text that was taken for a command and was meant to be said.
const TO_SAY_IT: &str = "/say says it";

/// The ends of two questions to an operator: whether all these people are meant, and whether a
/// filter is.
const IF_THEY: &str = "nothing is done yet: say the same again within a minute if they are meant";
const IF_THAT: &str = "nothing is done yet: say the same again within a minute if that is meant";

/// The rest behind a list of names, such as ` and 3 more`; empty if all are named.
fn and_more(all: usize, named: usize) -> String {
    match all.saturating_sub(named) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// A text such as `there is 1 room` or `there are 2 rooms`.
fn there_are(number: usize, one: &str, many: &str) -> String {
    format!("there {} {}", if number == 1 { "is" } else { "are" }, count(number, one, many))
}

/// The time left in seconds, rounded up.
fn seconds(left: Duration) -> String {
    let seconds = usize::try_from(left.as_millis().div_ceil(1000)).unwrap_or(usize::MAX);
    count(seconds, "second", "seconds")
}

/// Appends how to connect with encryption.
pub(super) fn encrypted_at(at: Option<&str>, out: &mut Page<'_>) {
    match at {
        Some(at) => notice(out, &["encrypted: openssl s_client -quiet -connect ", at]),
        None => notice(out, &["whoever runs this hub can tell at which port it is encrypted"]),
    }
}

/// Appends a refusal, in one notice.
pub(super) fn refusal(refusal: &Refusal, out: &mut Page<'_>) {
    match refusal {
        Refusal::UnknownCommand { given, nearest: Some(nearest) } => {
            notice(out, &["there is no command /", given, "; did you mean /", nearest, "? (nothing was said)"]);
        }
        Refusal::UnknownCommand { given, nearest: None } => {
            notice(out, &["there is no command /", given, "; /help lists them (nothing was said)"]);
        }
        Refusal::NoScreen => notice(out, &["your program has not said what its screen is; it clears it itself"]),
        Refusal::SeveralCommands { given, names } => {
            let names = names.iter().map(|name| format!("/{name}")).collect::<Vec<_>>().join(", ");
            notice(out, &["/", given, " could be ", &names, " (nothing was done)"]);
        }
        Refusal::Usage(command) => notice(out, &["usage: ", &usage(command), " (", command.about, ")"]),
        Refusal::NoSuchPerson(name) => notice(out, &["nobody called ", name, " is connected"]),
        Refusal::NowCalled { name, nick } => notice(out, &[name, " is now called ", nick]),
        Refusal::SeveralBore { name, people, count, first } => {
            notice(out, &[name, " could be ", &count.to_string(), " people:"]);
            bearers(people, out);
            if *count > people.len() {
                notice(out, &["and ", &(count - people.len()).to_string(), " more"]);
            }
            let by_number = people.first().and_then(|one| one.id).map(|id| format!("name one by number, as {id}"));
            let again = first.then(|| "say the same again within a minute if the first is meant".to_owned());
            let how: Vec<_> = by_number.into_iter().chain(again).collect();
            notice(out, &["nothing is done yet: ", &how.join("; or ")]);
        }
        Refusal::NobodyThere(name) => {
            notice(out, &["nobody called ", name, " is connected, or registered: nothing was sent"]);
        }
        Refusal::NoMemos(nick) => notice(out, &[nick, " is not here: nothing was sent"]),
        Refusal::MemosOfMembers(nick) => {
            notice(out, &[nick, " is not here: nothing was sent; who is logged in can leave a message"]);
        }
        Refusal::MemosWait(nick) => {
            notice(out, &[nick, " is not here, and has too many messages waiting: nothing was kept"]);
        }
        Refusal::TooManyMemosFor { nick, count: waiting } => {
            let waiting = count(*waiting, "message of yours waits", "messages of yours wait");
            notice(out, &[nick, " is not here; ", &waiting, " already, and no more may"]);
        }
        Refusal::TooManyMemos(waiting) => {
            let waiting = count(*waiting, "message of yours waits", "messages of yours wait");
            notice(out, &["nothing was kept: ", &waiting, " for others already"]);
        }
        Refusal::MemosFull => notice(out, &["nothing was kept: too many messages wait for others already"]),
        Refusal::NoSuchRoom(name) => notice(out, &["there is no room ", name, "; /rooms lists them"]),
        Refusal::RoomLooksLike(name) => {
            notice(out, &["that looks too much like the room ", name, ", which is open; /join ", name, " goes there"])
        }
        Refusal::InvalidName(why) => notice(out, &["that name ", &why.to_string()]),
        Refusal::NameTaken(name) => notice(out, &["that name is taken, or looks too much like one that is: ", name]),
        Refusal::NameReserved(name) => notice(out, &["the name ", name, " is reserved"]),
        Refusal::NameTakenFor(name, what) => {
            notice(out, &["the name ", name, " could be taken for ", &what.to_string(), "; take another one"]);
        }
        Refusal::AlreadyHere(room) => notice(out, &["you are in ", room, " already"]),
        Refusal::AlreadyNamed(name) => notice(out, &["you are ", name, " already"]),
        Refusal::TooManyRoomsFromAddress(limit) => {
            let rooms = there_are(*limit, "room", "rooms");
            notice(out, &[&rooms, " opened from your address already, and no more are allowed"]);
        }
        Refusal::TooManyRooms(limit) => {
            notice(out, &[&there_are(*limit, "room", "rooms"), " already, and no more are allowed"]);
        }
        Refusal::TooManyIgnored(limit) => {
            notice(out, &["you ignore ", &count(*limit, "name", "names"), " already, and no more are allowed"]);
        }
        Refusal::NotIgnored(name) => notice(out, &["you do not ignore ", name]),
        Refusal::NobodyToReplyTo => notice(out, &["nobody has sent you a private message yet"]),
        Refusal::ReplyGone { name, keeps } => {
            let more = if *keeps { format!("; /msg {name} TEXT leaves a message") } else { String::new() };
            notice(out, &[name, " has gone; nobody saw that", &more]);
        }
        Refusal::ToYourself => notice(out, &["that is you"]),
        Refusal::Muted(end) => notice(out, &["you are muted", &until(end), ": nobody saw that"]),
        Refusal::MutedDeed(end) => notice(out, &["you are muted", &until(end), ": nothing was done"]),
        Refusal::LineTooLong { bytes, limit } => {
            let text = format!("nobody saw that line: it has {bytes} bytes, at most {limit} are allowed");
            notice(out, &[&text]);
        }
        Refusal::Banned { reason, until: end } => banned(reason.as_deref(), end, out),
        Refusal::NameBanned { name, reason: None } => notice(out, &["nobody may be called ", name, " here"]),
        Refusal::NameBanned { name, reason: Some(reason) } => {
            notice(out, &["nobody may be called ", name, " here: ", reason]);
        }
        Refusal::StillSearching => notice(out, &["your last search is still under way"]),
        Refusal::TopicTooLong(limit) => notice(out, &[&format!("that is too long: at most {limit} bytes are allowed")]),
        Refusal::NoCharMode => {
            notice(out, &["your program sends whole lines; the line editor needs a telnet client on a terminal"]);
        }
        Refusal::KeepsLineMode => {
            notice(out, &["your program sends whole lines; in busybox, ^C and then c changes that"]);
        }
        Refusal::BadOffset { given, nearest } => match &**nearest {
            [] => notice(out, &[given, " is no time zone such as Europe/Berlin, nor an offset such as -03:30"]),
            [one] => notice(out, &["there is no time zone ", given, "; did you mean ", one, "?"]),
            [several @ .., last] => {
                notice(out, &["time zone ", given, " could be ", &several.join(", "), " or ", last]);
            }
        },
        Refusal::Full => notice(out, &["the hub is full; try again later"]),
        Refusal::TooManyFromAddress(limit) => {
            let connections = there_are(*limit, "connection", "connections");
            notice(out, &[&connections, " from your address already, and no more are allowed"]);
        }
        Refusal::RoleNeeded(Role::Operator) => notice(out, &["that is for operators"]),
        Refusal::RoleNeeded(_) => {
            notice(out, &["that is for those who have logged in: /login NAME; /register sets a password"]);
        }
        Refusal::OnlyOperators => notice(out, &["this address is banned; an operator can log in: /login NAME"]),
        Refusal::LogInFirst => notice(out, &["log in first: /login NAME (nobody saw that)"]),
        Refusal::LockedOut(end) => {
            let end = until(&Some(*end));
            notice(out, &["nobody saw that:", &end, ", newcomers speak when they have logged in; /login NAME"]);
        }
        Refusal::NotInLockdown(end) => notice(out, &["newcomers register no names", &until(&Some(*end))]),
        Refusal::NoLockdown => notice(out, &["there is no lockdown; /lockdown begins one"]),
        Refusal::NameRegistered(name) => {
            notice(out, &[name, " is registered, or looks like such a name; if it is yours: /login ", name]);
        }
        Refusal::NameAlone(name) => {
            notice(out, &["nobody saw that: ", name, " is a registered name; if it is yours: /login ", name]);
        }
        Refusal::NameFirst(name) => {
            notice(out, &[name, " cannot be registered; take a name of your own by /nick first"]);
        }
        Refusal::NoAddress(name) => {
            notice(out, &["no address is needed: /register PASSWORD registers the name you have, ", name]);
        }
        Refusal::NoLogin(name) => {
            notice(out, &[name, " is not registered; /login NAME asks for the password of NAME"]);
        }
        Refusal::LoggedIn(name) => notice(out, &["you are logged in already, as ", name, "; /logout ends that"]),
        Refusal::RegisteringClosed => notice(out, &["only operators register names here"]),
        Refusal::NoAccounts => notice(out, &["nothing is recorded here now, so no names can be registered"]),
        Refusal::NamesUnread => notice(out, &["names cannot be looked up just now; try again in a moment"]),
        Refusal::AccountsUnread => notice(out, &["accounts cannot be looked up just now; try again in a moment"]),
        Refusal::BansUnread => {
            notice(out, &["the hub cannot look up now who may come in; please try again later"]);
        }
        Refusal::TooManyAccounts(limit) => {
            notice(out, &[&there_are(*limit, "account", "accounts"), " already, and no more are allowed"]);
        }
        Refusal::PasswordPlain { at, sent } => {
            notice(out, &["passwords are taken over encrypted connections (TLS) alone, and yours is not"]);
            if *sent {
                notice(
                    out,
                    &["nobody here has looked at yours, but it has come in plain text: change it if you use it"],
                );
            }
            encrypted_at(at.as_deref(), out);
        }
        Refusal::NoCertificate { encrypted: true, .. } => {
            notice(out, &["your connection has shown no certificate; /help certificate tells how it shows one"]);
        }
        Refusal::NoCertificate { encrypted: false, at } => {
            notice(out, &["only an encrypted connection (TLS) shows a certificate, and yours is not one"]);
            encrypted_at(at.as_deref(), out);
        }
        Refusal::CertificateKnown => notice(out, &["this certificate logs you in already"]),
        Refusal::CertificateOfOther => {
            notice(out, &["this certificate logs in to another name, where it can be removed"])
        }
        Refusal::TooManyCertificates(limit) => {
            let certificates = count(*limit, "certificate", "certificates");
            notice(out, &["there are ", &certificates, " already; /certificate remove 1 makes place for another"]);
        }
        Refusal::NoSuchCertificate(given) => {
            notice(out, &["there is no certificate ", given, "; /certificate lists them by number"]);
        }
        Refusal::PasswordShort(least) => {
            let least = count(*least, "character", "characters");
            notice(out, &["a password has at least ", &least]);
        }
        Refusal::PasswordLong(most) => notice(out, &["a password has at most ", &count(*most, "byte", "bytes")]),
        Refusal::PasswordIsName => notice(out, &["a password that is the name protects nothing"]),
        Refusal::PasswordIsCommand => notice(out, &["a password that is a command could not be typed when asked for"]),
        Refusal::PasswordsDiffer => notice(out, &["that was not the same twice; nothing is changed"]),
        Refusal::WrongPassword => notice(out, &["no such name, or not its password"]),
        Refusal::NotYourPassword => notice(out, &["that is not your password"]),
        Refusal::NotReading(nick) => notice(out, &[nick, " is not reading just now: nothing was sent"]),
        Refusal::SentALot(nick) => {
            notice(out, &[nick, " is being sent a lot just now: nothing was sent; try again in a moment"]);
        }
        Refusal::CouldBePassword => {
            notice(out, &["nobody saw that, as it could be a password; if it is none, send it again"]);
        }
        Refusal::TellsPassword => notice(out, &["nobody saw that: there seems to be a password in it; ", TO_SAY_IT]),
        Refusal::ForAnotherServer => {
            notice(out, &["nobody saw that: this is a chat, no machine to log in to; ", TO_SAY_IT]);
        }
        Refusal::WithoutSlash(command) => {
            let text = ["nobody saw that: it looks like /", command.name, " without the slash; ", TO_SAY_IT];
            notice(out, &text);
        }
        Refusal::BehindPrompt(command) => {
            let text = ["nobody saw that: it looks like /", command.name, " behind a prompt; ", TO_SAY_IT];
            notice(out, &text);
        }
        Refusal::QuitOrQuery => {
            notice(out, &["nothing was done: /msg NAME TEXT is for one person, /quit TEXT leaves with a last word"]);
        }
        Refusal::NoServices => {
            notice(out, &["nothing was sent: there is no NickServ here; /login NAME logs in, /register keeps a name"]);
        }
        Refusal::TooManyAttempts(wait) => {
            notice(out, &["too often; try again in ", &seconds(*wait)]);
        }
        Refusal::RedactionsWait => notice(out, &["nothing was removed: too much waits for the disk; try again later"]),
        Refusal::TooOften { kind, wait } => {
            let seconds = usize::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(usize::MAX);
            let what = match kind {
                Kind::Names | Kind::Newcomers => "other names",
                Kind::LastWords => "last words",
                Kind::Topics => "topics",
                Kind::Rooms => "other rooms",
                Kind::Absences => "absences",
                Kind::Invitations => "invitations",
                Kind::People => "messages to other people",
            };
            let again = count(seconds, "second", "seconds");
            notice(out, &["that was not done: too many ", what, " in a short time; try again in ", &again]);
        }
        Refusal::HashingBusy => notice(out, &["too many others are logging in just now; try again in a moment"]),
        Refusal::HashingFailed => notice(out, &["your password could not be checked; please tell an operator"]),
        Refusal::RoomNotOpen(room) => notice(out, &["a room of the name ", room, " is not open to you"]),
        Refusal::NotYourRoom { room, owner: Some(owner) } => notice(out, &[room, " is ", owner, "'s room"]),
        Refusal::NotYourRoom { room, owner: None } => {
            notice(out, &[room, " is nobody's room; who is logged in and opens one by /join owns it"]);
        }
        Refusal::NoVoice(Some(owner)) => {
            notice(out, &["this room is moderated, and nobody saw that; ask ", owner, " to let you speak"]);
        }
        Refusal::NoVoice(None) => notice(out, &["this room is moderated, and nobody saw that"]),
        Refusal::OnlyRegistered => {
            notice(out, &["only registered people speak here, and nobody saw that; /register or /login first"]);
        }
        Refusal::Slow { every, left } => {
            let (every, left) = (in_words(*every), seconds(*left));
            notice(out, &["each says one line in ", &every, " here, and nobody saw that; say it again in ", &left]);
        }
        Refusal::NoSuchMode(given) => notice(out, &["a room cannot be ", given, "; /help room tells what it can be"]),
        Refusal::SlowOutside => notice(out, &["a slow room takes one line of each in 1 s at least, in 1 day at most"]),
        Refusal::TopicLocked(room) => notice(out, &["the topic of ", room, " is set by operators"]),
        Refusal::LobbyStaysPublic(room) => {
            notice(out, &[room, " is where everybody comes in, so it cannot be private; /room registered can be"]);
        }
        Refusal::LobbyStaysPlain(room) => {
            notice(out, &[room, " is where everybody comes in, so it cannot be encrypted alone; the whole hub can be"]);
        }
        Refusal::RoomEncrypted { room, at } => {
            notice(out, &["only encrypted connections (TLS) come into ", room, ", and yours is not"]);
            encrypted_at(at.as_deref(), out);
        }
        Refusal::NotEncryptedYourself(at) => {
            notice(out, &["a room is encrypted when all who are in it are, and your connection is not"]);
            encrypted_at(at.as_deref(), out);
        }
        Refusal::PlainInRoom { names, count: plain } => {
            let (people, are) = (count(*plain, "person", "people"), if *plain == 1 { "is" } else { "are" });
            let more = and_more(*plain, names.len());
            notice(out, &[&people, " here ", are, " not encrypted, and would have to go: ", &names.join(", "), &more]);
        }
        Refusal::NotOutOfLobby(room) => {
            notice(
                out,
                &["nobody is sent out of ", room, ", where everybody comes in; operators have /kick and /mute"],
            );
        }
        Refusal::OwnsRoom { nick, room } => notice(out, &[nick, " owns ", room, "; nothing was done"]),
        Refusal::NoLasting => notice(out, &["no rooms are kept here while nobody is in them"]),
        Refusal::TooManyLasting(limit) => {
            notice(out, &[&there_are(*limit, "lasting room", "lasting rooms"), " already; no more are allowed"]);
        }
        Refusal::TooManyLastingOfOne(limit) => {
            let rooms = count(*limit, "lasting room", "lasting rooms");
            notice(out, &["one owner has ", &rooms, " at most; /room passing, in one of them, makes place"]);
        }
        Refusal::TooManyLastingFromAddress(limit) => {
            notice(out, &["people at your address have ", &count(*limit, "lasting room", "lasting rooms"), " at most"]);
        }
        Refusal::LobbyIsNobodys(room) => notice(out, &[room, " belongs to nobody, and operators have its say"]),
        Refusal::NotRegistered(nick) => notice(out, &[nick, " is not logged in to a registered name"]),
        Refusal::MustBeHere(nick) => notice(out, &[nick, " has to be in this room, logged in, to be given it"]),
        Refusal::ForOwner(Some(owner)) => notice(out, &["only ", owner, ", whose room this is, does that"]),
        Refusal::ForOwner(None) => notice(out, &["this is nobody's room, and operators do that"]),
        Refusal::ModeratesRoom { nick, room } => {
            notice(out, &[nick, " is a moderator of ", room, "; its owner can end that: /unmoderator ", nick]);
        }
        Refusal::TooManyInvited(limit) => {
            notice(out, &[&there_are(*limit, "name", "names"), " on that list, and no more are allowed"]);
        }
        Refusal::IsOperator(nick) => notice(out, &[nick, " is an operator: only administrators change that"]),
        Refusal::AboutYourself(called) => notice(out, &[called, " is about you: somebody else has to lift it"]),
        Refusal::ForAdministrators(called) => {
            notice(out, &[called, " is about an operator: only an administrator lifts it"]);
        }
        Refusal::HitsYourself => notice(out, &["that would keep yourself out"]),
        Refusal::HitsOthers { names, count: others, name } => {
            let more = and_more(*others, names.len());
            let alone = match name {
                Some(name) => format!("; name={name} is the name alone"),
                None => String::new(),
            };
            let people = count(*others, "other person", "others");
            notice(out, &["that reaches ", &people, " as well: ", &names.join(", "), &more]);
            notice(out, &[IF_THEY, &alone]);
        }
        Refusal::MeansAnother { name } => {
            let name = name.as_deref().unwrap_or("that");
            notice(out, &[name, " is somebody else now than when you were asked"]);
        }
        Refusal::Doubtful { given, network } => {
            let is_so = network.split(' ').next() == Some(given);
            let as_given = if is_so { "that".to_owned() } else { given.to_string() };
            notice(out, &[&as_given, " is ", network]);
        }
        Refusal::SayAgain => notice(out, &[IF_THAT]),
        Refusal::TimeBehind(time) => {
            notice(out, &["that has no end: ", time, " is in the reason; a time stands before the reason"]);
        }
        Refusal::NoTimeInKick { nick, time } => {
            notice(
                out,
                &["a kick takes no time, and shows ", time, " to all; /ban ", nick, " ", time, " keeps them out"],
            );
        }
        Refusal::LineNumber(number) => notice(out, &["nobody is called ", number, "; the line is #", number]),
        Refusal::Backwards(range) => {
            notice(out, &[range, " runs backwards; write the first report first, as in r2-r5 (nothing was closed)"]);
        }
        Refusal::ReportNumber(number) => notice(out, &["reports are called r1, r2, ...: write r", number]),
        Refusal::ModesContradict => notice(out, &["a room cannot be one thing and its opposite"]),
        Refusal::PatternHits { names, count: hit } => {
            let people = count(*hit, "person", "people");
            notice(out, &["that finds ", &people, " here: ", &names.join(", "), &and_more(*hit, names.len())]);
            notice(out, &[IF_THEY]);
        }
        Refusal::BroadPattern { pattern, such } => {
            let such = if such.is_empty() { String::new() } else { format!(" such as {}", such.join(", ")) };
            notice(out, &[pattern, " finds many names", &such, ", of whoever comes"]);
        }
        Refusal::FilterHits { lines, looked_at, names, count: people } => {
            let lines = count(*lines, "line", "lines");
            let of = format!(" of the last {looked_at} here, by ");
            notice(
                out,
                &["that would have kept back ", &lines, &of, &names.join(", "), &and_more(*people, names.len())],
            );
            notice(out, &[IF_THAT]);
        }
        Refusal::NoFilter(why) => notice(out, &[why]),
        Refusal::NotMuted(nick) => notice(out, &[nick, " is not muted"]),
        Refusal::NoPlace(NoPlace::Sanctions(limit)) => {
            notice(out, &[&there_are(*limit, "of them", "of them"), " already, and no more are allowed"]);
        }
        Refusal::NoPlace(NoPlace::Patterns(limit)) => {
            notice(
                out,
                &["no more than ", &count(*limit, "pattern or filter", "patterns and filters"), " can be in force"],
            );
        }
        Refusal::NoPlace(NoPlace::Memory) => {
            notice(out, &["together with the patterns and filters in force that takes too much memory"]);
        }
        Refusal::NoSuchBan(which) => notice(out, &["nothing is called ", which, "; /sanctions lists what is in force"]),
        Refusal::SeveralSanctions { which, called, count } => {
            let more = and_more(*count, called.len());
            notice(out, &[which, " could be ", &called.join(", "), &more, ": say which; /sanctions tells of them"]);
        }
        Refusal::TooManyReports(limit) => {
            let open = count(*limit, "report of yours is", "reports of yours are");
            notice(out, &["nothing was reported: ", &open, " open already, and no more may be"]);
        }
        Refusal::TooManyReportsFromAddress(open) => {
            let open = count(*open, "report from your address is", "reports from your address are");
            notice(out, &["nothing was reported: ", &open, " open already, and no more may be"]);
        }
        Refusal::ReportsFull(open) => {
            let open = count(*open, "report is", "reports are");
            notice(out, &["nothing was reported: ", &open, " open already, and no more may be"]);
        }
        Refusal::NoSuchReport(which) => notice(out, &["there is no report ", which, "; /reports lists them"]),
        Refusal::ReportIsClosed { id, by, at } => {
            let (id, at) = (id.to_string(), date_and_time(*at));
            notice(out, &["report ", &id, " was closed before, by ", by, " at ", &at]);
        }
        Refusal::NoneOpen => notice(out, &["none of those reports is open; /reports all lists them"]),
        Refusal::NoTarget(why) => notice(out, &[&why.to_string()]),
        Refusal::TooWide(text) => notice(out, &[text, " is too large a part of the Internet"]),
        Refusal::NotByAddress(text) => {
            notice(out, &[text, " is written like an address; whoever is here is called by name"]);
        }
        Refusal::NoLength { why, or_reason } => {
            let more = if *or_reason { "; a reason begins with a word" } else { "" };
            notice(out, &[&why.to_string(), more]);
        }
        Refusal::NothingToRemove(what) => {
            notice(out, &[what, ": no such line is kept, and nothing is removed; see /history ids"]);
        }
        Refusal::NoSuchAccount(name) => notice(out, &[name, " is not registered"]),
        Refusal::HouseRules => notice(out, &["the house rules here do not allow that; nobody saw it"]),
        Refusal::Repeated => notice(out, &["you have said that often enough; nobody saw it again"]),
        Refusal::RepeatedFromAddress => {
            notice(out, &["that was said often enough from your address; nobody saw it again"]);
        }
        Refusal::SaidALot(wait) => {
            notice(out, &["you have said a lot for a long time, and nobody saw that; try again in ", &seconds(*wait)]);
        }
        Refusal::SaidALotFromAddress(wait) => {
            notice(out, &["a lot was said from your address, and nobody saw that; try again in ", &seconds(*wait)]);
        }
        Refusal::EncryptionRequired(at) => {
            notice(out, &["only encrypted connections (TLS) come in here, and yours is not"]);
            encrypted_at(at.as_deref(), out);
        }
        Refusal::NetworkNotAllowed => notice(out, &["this hub is not open to your network"]),
        Refusal::Stopping => notice(out, &["the hub is shutting down; try again later"]),
    }
}
