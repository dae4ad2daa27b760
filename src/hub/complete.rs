//! What the word that somebody is typing can become.

use super::message::SessionId;
use super::{Hub, command, name};

/// The most words that are offered; whoever wants another one types on.
const OFFERED: usize = 20;

/// Commands whose first argument is a room.
const OF_ROOMS: [&str; 2] = ["join", "who"];

/// The words that the last word of `line` can become, best first, and the byte at which it begins.
pub(super) fn complete(hub: &Hub, id: SessionId, line: &str) -> (usize, Vec<String>) {
    let from = line.rfind(char::is_whitespace).map_or(0, |at| at + line[at..].chars().next().map_or(0, char::len_utf8));
    let word = &line[from..];
    let before = line[..from].trim();
    let command = before.strip_prefix('/').map(|rest| rest.split_whitespace().next().unwrap_or_default());
    let words = match (before, word.strip_prefix('/'), command) {
        ("", Some(command), _) => commands(command),
        ("", None, _) if word.is_empty() => Vec::new(),
        ("", None, _) => names(hub, id, word, Reach::Room).iter().map(|name| format!("{name}: ")).collect(),
        (_, _, Some(command)) if first_argument(before) && is_of_rooms(command) => rooms(hub, word),
        (_, _, Some(_)) if first_argument(before) => {
            names(hub, id, word, Reach::Hub).iter().map(|name| format!("{name} ")).collect()
        }
        _ if word.is_empty() => Vec::new(),
        _ => names(hub, id, word, Reach::Room).iter().map(|name| format!("{name} ")).collect(),
    };
    (from, words)
}

/// Whether what stands before the word is a command and nothing else.
fn first_argument(before: &str) -> bool {
    !before.contains(char::is_whitespace)
}

fn is_of_rooms(word: &str) -> bool {
    command::find(word).is_some_and(|command| OF_ROOMS.contains(&command.name))
}

fn commands(word: &str) -> Vec<String> {
    let word = word.to_lowercase();
    let names = command::COMMANDS.iter().map(|command| command.name).filter(|name| name.starts_with(&word));
    names.map(|name| format!("/{name} ")).collect()
}

fn rooms(hub: &Hub, word: &str) -> Vec<String> {
    let (sign, word) = word.strip_prefix('#').map_or(("", word), |rest| ("#", rest));
    let word = name::fold(word);
    let mut rooms: Vec<_> = hub.rooms().filter(|room| room.name.folded().starts_with(&*word)).collect();
    rooms.sort_unstable_by(|one, other| {
        other.members.len().cmp(&one.members.len()).then_with(|| one.name.folded().cmp(other.name.folded()))
    });
    rooms.iter().take(OFFERED).map(|room| format!("{sign}{} ", room.name.shown())).collect()
}

/// Whose names are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Room,
    /// Everybody's, those of the room first.
    Hub,
}

/// Others' names that begin with `word`: first of those who have spoken last.
fn names<'a>(hub: &'a Hub, id: SessionId, word: &str, reach: Reach) -> Vec<&'a str> {
    let word = name::fold(word);
    let Some(own) = hub.session(id) else { return Vec::new() };
    let Some(room) = hub.room(own.room) else { return Vec::new() };
    let here = room.members.iter().filter_map(|id| hub.session(*id));
    let fits = |session: &&super::Session| session.id != id && session.nick.folded().starts_with(&*word);
    let mut found: Vec<_> = here.filter(fits).collect();
    if reach == Reach::Hub && found.is_empty() {
        found = hub.sessions().filter(fits).collect();
    }
    found.sort_unstable_by(|one, other| other.spoke.cmp(&one.spoke).then_with(|| one.id.cmp(&other.id)));
    found.truncate(OFFERED);
    found.iter().map(|session| session.nick.shown()).collect()
}
