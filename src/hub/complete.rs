//! Completion: the words that the word before the cursor can become.

use super::command::Takes;
use super::ownership::MODES;
use super::sanction::{Kind, Sanction, Target};
use super::{Hub, command, work};
use crate::values::id::SessionId;
use crate::values::name;
use crate::values::time::Now;
use crate::values::zone::Zone;

/// The most words that one answer offers.
const OFFERED: usize = 20;

/// The words that the last word of `line` can become, best first; with the byte at which that word
/// begins, and the number of people and rooms looked at (see [`super::work`]).
pub(super) fn complete(hub: &Hub, id: SessionId, line: &str, now: Now) -> (usize, Vec<String>, u64) {
    let mut looked_at = 0;
    let (from, words) = find(hub, id, line, now, &mut looked_at);
    (from, words, looked_at)
}

fn find(hub: &Hub, id: SessionId, line: &str, now: Now, looked_at: &mut u64) -> (usize, Vec<String>) {
    let from = line.rfind(char::is_whitespace).map_or(0, |at| at + line[at..].chars().next().map_or(0, char::len_utf8));
    let word = &line[from..];
    let before = line[..from].trim();
    let command = before.strip_prefix('/').map(|rest| rest.split_whitespace().next().unwrap_or_default());
    let outside = hub.is_at_door(id);
    let words = match (before, word.strip_prefix('/'), command) {
        ("", Some(command), _) => commands(hub, id, command),
        // At the door, nobody learns the names of people inside.
        _ if outside => Vec::new(),
        ("", None, _) if word.is_empty() => Vec::new(),
        ("", None, _) => people(hub, id, word, Reach::Room, ": ", looked_at),
        (_, _, Some(command)) if first_argument(before) && takes(command, Takes::Room) => {
            rooms(hub, id, word, looked_at)
        }
        (_, _, Some(command)) if first_argument(before) && takes(command, Takes::Command) => {
            let (slash, word) = word.strip_prefix('/').map_or(("", word), |rest| ("/", rest));
            commands(hub, id, word).iter().map(|name| format!("{slash}{}", &name[1..])).collect()
        }
        (_, _, Some(command)) if first_argument(before) && takes(command, Takes::Mode) => modes(word),
        (_, _, Some(command)) if first_argument(before) && takes(command, Takes::Zone) => zones(word, looked_at),
        (_, _, Some(command)) if lifts(command).is_some() => match command::find(command) {
            Some(command) if first_argument(before) && command.role <= hub.role(id) => {
                sanctions(hub, id, word, command.takes, now, looked_at)
            }
            _ => Vec::new(),
        },
        (_, _, Some(command)) if takes(command, Takes::Nothing) => Vec::new(),
        (_, _, Some(_)) if first_argument(before) => people(hub, id, word, Reach::Hub, " ", looked_at),
        _ if word.is_empty() => Vec::new(),
        _ => people(hub, id, word, Reach::Room, " ", looked_at),
    };
    (from, words)
}

/// Whether exactly one command, without arguments, stands before the word.
fn first_argument(before: &str) -> bool {
    !before.contains(char::is_whitespace)
}

fn takes(word: &str, what: Takes) -> bool {
    command::find(word).is_some_and(|command| command.takes == what)
}

/// What kind of sanction the command lifts, if it lifts any.
fn lifts(word: &str) -> Option<Takes> {
    let takes = command::find(word)?.takes;
    matches!(takes, Takes::Mute | Takes::Ban | Takes::Sanction).then_some(takes)
}

/// The sanctions in force that the word means, by whom they are about and by what they are called.
/// The newest come first.
fn sanctions(hub: &Hub, id: SessionId, word: &str, takes: Takes, now: Now, looked_at: &mut u64) -> Vec<String> {
    let word = name::fold(word);
    let Some(own) = hub.session(id) else { return Vec::new() };
    let unseen = hub.mutes_of(own, true, now);
    let is_meant = |one: &&Sanction| match takes {
        Takes::Mute => matches!(one.kind, Kind::Mute { .. }),
        Takes::Ban => one.kind == Kind::Ban,
        _ => true,
    };
    let all = hub.sanctions().iter().rev().take(work::MOST).inspect(|_| *looked_at += 1);
    let found: Vec<_> = all.filter(is_meant).filter(|one| one.holds(now) && !unseen.contains(&one.id)).collect();
    // Operators are not shown addresses.
    let whom = |one: &&Sanction| match &one.target {
        Target::Network(_) => one.nick.as_deref().map(ToOwned::to_owned),
        target => Some(target.to_string()),
    };
    let by_target = found.iter().filter(|_| takes != Takes::Sanction).filter_map(whom);
    let mut words: Vec<String> = Vec::new();
    for one in by_target.chain(found.iter().map(|one| one.called())) {
        if name::fold(&one).starts_with(&*word) && !words.contains(&one) && words.len() < OFFERED {
            words.push(one);
        }
    }
    words.iter().map(|word| format!("{word} ")).collect()
}

/// The time zones that begin so. A region ends in a slash and gets no space behind it, because a
/// place follows.
fn zones(word: &str, looked_at: &mut u64) -> Vec<String> {
    *looked_at += work::ZONES;
    let whole = |name: &str| format!("{name}{}", if name.ends_with('/') { "" } else { " " });
    Zone::beginning_with(word).take(OFFERED).map(whole).collect()
}

/// The modes that a room can have.
fn modes(word: &str) -> Vec<String> {
    let word = word.to_lowercase();
    let modes = MODES.iter().map(|(mode, _)| *mode).chain(["slow", "successor"]);
    modes.filter(|mode| mode.starts_with(&word)).map(|mode| format!("{mode} ")).collect()
}

fn commands(hub: &Hub, id: SessionId, word: &str) -> Vec<String> {
    let role = hub.role(id);
    let word = word.to_lowercase();
    let names = command::COMMANDS
        .iter()
        .filter(|command| command.role <= role)
        .map(|command| command.name)
        .filter(|name| name.starts_with(&word));
    names.map(|name| format!("/{name} ")).collect()
}

fn rooms(hub: &Hub, id: SessionId, word: &str, looked_at: &mut u64) -> Vec<String> {
    let (sign, word) = word.strip_prefix('#').map_or(("", word), |rest| ("#", rest));
    let word = name::fold(word);
    let mut rooms: Vec<_> = hub
        .rooms()
        .take(work::MOST)
        .inspect(|_| *looked_at += 1)
        .filter(|room| room.name.folded().starts_with(&*word) && hub.sees(id, room))
        .collect();
    rooms.sort_unstable_by(|one, other| {
        other.members.len().cmp(&one.members.len()).then_with(|| one.name.folded().cmp(other.name.folded()))
    });
    rooms.iter().take(OFFERED).map(|room| format!("{sign}{} ", room.name.shown())).collect()
}

/// People whom the word means, with what follows a name; whoever is called by `@ann` is addressed already.
fn people(hub: &Hub, id: SessionId, word: &str, reach: Reach, behind: &str, looked_at: &mut u64) -> Vec<String> {
    let (sign, word, behind) = word.strip_prefix('@').map_or(("", word, behind), |rest| ("@", rest, " "));
    names(hub, id, word, reach, looked_at).iter().map(|name| format!("{sign}{name}{behind}")).collect()
}

/// Which people's names are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Room,
    /// All people's names, if no name in the room begins so.
    Hub,
}

/// The names of other people that begin with `word`; the person who spoke last comes first.
fn names<'a>(hub: &'a Hub, id: SessionId, word: &str, reach: Reach, looked_at: &mut u64) -> Vec<&'a str> {
    let word = name::fold(word);
    let Some(own) = hub.session(id) else { return Vec::new() };
    let Some(room) = hub.room(own.room) else { return Vec::new() };
    let mut others = |room| {
        let look = hub.look_for(room, &word);
        *looked_at += look.looked_at;
        look.found.into_iter().filter(|session| session.id != id).collect::<Vec<_>>()
    };
    let mut found = others(Some(room));
    if reach == Reach::Hub && found.is_empty() {
        found = others(None);
    }
    found.sort_unstable_by(|one, other| other.spoke.cmp(&one.spoke).then_with(|| one.id.cmp(&other.id)));
    found.truncate(OFFERED);
    found.iter().map(|session| session.nick.shown()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::account::{Account, Role};
    use super::super::archive::Recalled;
    use super::super::sanction::Order;
    use super::super::{By, Effect, Input, News};
    use super::*;
    use crate::settings::Settings;
    use crate::values::id::AccountId;

    /// A hub with these people, each in the room that follows the slash. Returns the client of the
    /// first one too.
    fn hub(people: &[&str]) -> (Hub, SessionId) {
        let mut effects: Vec<Effect> = Vec::new();
        let mut hub = Hub::new(Settings::default(), [0; 16], Now::default(), &mut effects);
        for (number, person) in people.iter().enumerate() {
            let (nick, room) = person.split_once('/').unwrap_or((person, ""));
            let session = SessionId(number as u64 + 1);
            let peer = ([192, 0, 2, 1], u16::try_from(number).expect("few")).into();
            hub.handle(
                Input::Connect { session, peer, encrypted: false, certificate: None },
                Now::default(),
                &mut effects,
            );
            for line in [format!("/nick {nick}"), format!("/join {room}")] {
                hub.handle(Input::Line { session, text: line }, Now::default(), &mut effects);
            }
        }
        (hub, SessionId(1))
    }

    #[track_caller]
    fn check(line: &str, from: usize, words: &[&str]) {
        let (hub, id) = hub(&["me", "Ann", "anna", "bob/tea", "bea/Teapot", "émile"]);
        let (begins, offered, _) = complete(&hub, id, line, Now::default());
        assert_eq!((begins, offered), (from, words.iter().map(ToString::to_string).collect()), "{line:?}");
    }

    /// What can be lifted is offered, to operators alone and without addresses.
    #[test]
    fn what_can_be_lifted_is_completed() {
        let mut effects = Vec::new();
        let (mut hub, me) = hub(&["mia", "eve", "bob"]);
        let network = |text: &str| Target::Network(text.parse().expect("a network"));
        let name = |text: &str| Target::Name(name::Name::parse(text, 24).expect("a name"));
        for order in [
            Order::about(Kind::Mute { shadow: false }, name("eve")),
            Order { nick: Some("Zoe".into()), ..Order::about(Kind::Ban, network("192.0.2.7/32")) },
            Order::about(Kind::Ban, network("198.51.100.0/24")),
            Order::about(Kind::Mute { shadow: true }, name("mia")),
        ] {
            let by = By::Admin { uid: 0, pid: 1 };
            hub.handle(Input::Sanction { order: Box::new(order), by }, Now::default(), &mut effects);
        }
        let offered = |hub: &Hub, line: &str| complete(hub, me, line, Now::default()).1;
        assert!(offered(&hub, "/unmute ").is_empty(), "guests are told nothing");
        let olga = Account {
            id: AccountId(1),
            name: name::Name::parse("olga", 24).expect("a name"),
            hashed: None,
            role: Role::Operator,
            since: Now::default().wall,
            seen: Now::default().wall,
            places: Vec::new(),
            certificates: Vec::new(),
            unheard: None,
        };
        let recalled = Recalled { accounts: vec![olga], ..Recalled::default() };
        hub.handle(News::Archive(Some(Box::new(recalled))), Now::default(), &mut effects);
        hub.log_in(me, AccountId(1));
        assert_eq!(offered(&hub, "/unmute "), ["eve ", "m1 "]);
        assert_eq!(offered(&hub, "/unmute m"), ["m1 "]);
        assert_eq!(offered(&hub, "/unmute b"), [""; 0], "who is here and not muted");
        assert_eq!(offered(&hub, "/unban "), ["Zoe ", "b3 ", "b2 "]);
        assert_eq!(offered(&hub, "/lift "), ["b3 ", "b2 ", "m1 "]);
        assert_eq!(offered(&hub, "/unmute eve "), [""; 0]);
    }

    #[test]
    fn completed_names_keep_their_case() {
        check("an", 0, &["Ann: ", "anna: "]);
        check("AN", 0, &["Ann: ", "anna: "]);
        check("hi ann", 3, &["Ann ", "anna "]);
        check("hi @ann", 3, &["@Ann ", "@anna "]);
        check("@an", 0, &["@Ann ", "@anna "]);
        check("/msg @bo", 5, &["@bob "]);
        check("É", 0, &["émile: "]);
        check("m", 0, &[]);
        check("", 0, &[]);
        check("bo", 0, &[]);
    }

    #[test]
    fn commands_and_their_arguments_are_completed() {
        check("/qu", 0, &["/quiet ", "/quit "]);
        let for_all = command::COMMANDS.iter().filter(|command| command.role == super::super::account::Role::Guest);
        let all: Vec<_> = for_all.map(|command| format!("/{} ", command.name)).collect();
        check("/", 0, &all.iter().map(String::as_str).collect::<Vec<_>>());
        check("/msg an", 5, &["Ann ", "anna "]);
        check("/m b", 3, &["bob ", "bea "]);
        check("/msg ann an", 9, &["Ann ", "anna "]);
        check("/join t", 6, &["tea ", "Teapot "]);
        check("/j #t", 3, &["#tea ", "#Teapot "]);
        check("/join  lo", 7, &["lobby "]);
        check("//qu", 0, &[]);
        check("/room s", 6, &["slow ", "successor "]);
        check("/room m", 6, &["moderated "]);
        check("/time europe/berl", 6, &["Europe/Berlin "]);
        check("/time eur", 6, &["Europe/"]);
        check("/tz kolk", 4, &["Asia/Kolkata "]);
        check("/help qu", 6, &["quiet ", "quit "]);
        check("/? /qu", 3, &["/quiet ", "/quit "]);
        check("/nick an", 6, &[]);
        check("/register an", 10, &[]);
    }
}
