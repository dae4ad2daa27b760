//! Completion: the words that the word before the cursor can become.

use super::command::Takes;
use super::ownership::MODES;
use super::{Hub, command, work};
use crate::values::id::SessionId;
use crate::values::name;
use crate::values::zone::Zone;

/// The most words that one answer offers.
const OFFERED: usize = 20;

/// The words that the last word of `line` can become, best first; with the byte at which that word
/// begins, and the number of people and rooms looked at (see [`super::work`]).
pub(super) fn complete(hub: &Hub, id: SessionId, line: &str) -> (usize, Vec<String>, u64) {
    let mut looked_at = 0;
    let (from, words) = find(hub, id, line, &mut looked_at);
    (from, words, looked_at)
}

fn find(hub: &Hub, id: SessionId, line: &str, looked_at: &mut u64) -> (usize, Vec<String>) {
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
    use super::super::{Effect, Input};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::Now;

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
        let (begins, offered, _) = complete(&hub, id, line);
        assert_eq!((begins, offered), (from, words.iter().map(ToString::to_string).collect()), "{line:?}");
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
