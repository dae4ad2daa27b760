//! Commands that show people, rooms, history and help.

use std::sync::Arc;

use super::super::account::Role;
use super::super::history::newest;
use super::super::message::{Done, Message, Refusal, Replay, ShownRoom};
use super::super::room::Room;
use super::super::session::Session;
use super::super::work;
use super::{Call, LISTED, Meant, clip, clip_word, meant, split_word};
use crate::settings;
use crate::values::name::{self};

pub(super) fn help(call: &mut Call<'_, '_>, args: &str) {
    let (word, _) = split_word(args);
    let word = word.strip_prefix('/').unwrap_or(word);
    let role = call.turn.hub.role(call.id);
    if word.is_empty() || word.eq_ignore_ascii_case("all") {
        return call.tell(Message::Help { role, all: !word.is_empty() });
    }
    match meant(word, role) {
        Meant::One(command) if role < command.role => {
            // What a guest could do once they are logged in is told, with how one logs in; what operators do is not.
            if command.role < Role::Operator {
                call.tell(Message::HelpOn(command));
            }
            call.refuse(Refusal::RoleNeeded(command.role));
        }
        Meant::One(command) => call.tell(Message::HelpOn(command)),
        Meant::Several(names) => call.refuse(Refusal::SeveralCommands { given: clip_word(word), names }),
        Meant::Nothing(nearest) => call.refuse(Refusal::UnknownCommand { given: clip_word(word), nearest }),
    }
}

pub(super) fn motd(call: &mut Call<'_, '_>, _: &str) {
    let hub = &call.turn.hub.settings.hub;
    let (name, text) = (hub.name.as_str().into(), hub.greeting.as_str().into());
    call.tell(Message::Greeting { hub: name, text });
}

pub(super) fn rules(call: &mut Call<'_, '_>, _: &str) {
    let text = call.turn.hub.settings.hub.rules.as_str().into();
    call.tell(Message::Rules(text));
}

pub(super) fn ping(call: &mut Call<'_, '_>, _: &str) {
    call.tell(Message::HereIAm);
}

pub(super) fn who(call: &mut Call<'_, '_>, args: &str) {
    let (first, rest) = split_word(args);
    let (room, wanted) = match (beginning(first), beginning(rest)) {
        (Some(wanted), _) if rest.is_empty() => ("", Some(wanted)),
        (None, Some(wanted)) => (first, Some(wanted)),
        _ => (args, None),
    };
    // Every name begins with the empty text, so `*` alone filters nothing.
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let found = if room.is_empty() { Some(call.own().room) } else { call.turn.hub.find_room(room) };
    let seen = found.map(|room| &call.turn.hub.rooms.open[&room]).filter(|room| call.turn.hub.sees(call.id, room));
    let Some(room) = seen else { return call.refuse(Refusal::NoSuchRoom(clip(room))) };
    let (mut people, total, looked_at, is_part) = match &wanted {
        // In a room too large to look through, the members who came first.
        None if room.members.len() > work::MOST => {
            let first = room.members.iter().take(LISTED).filter_map(|id| call.turn.hub.session(*id)).collect();
            (first, room.members.len(), LISTED as u64, false)
        }
        _ => {
            let look = call.turn.hub.look_for(Some(room), wanted.as_deref().unwrap_or_default());
            let total = look.found.len();
            (look.found, total, look.looked_at, !look.is_whole)
        }
    };
    let (id, mut total) = (call.id, total);
    if call.own().is_renamed_unseen() && room.members.len() <= work::MOST {
        // A caller whose rename nobody else sees is listed under the name that the caller believes
        // to have.
        let own = call.turn.hub.session(id).filter(|own| own.room == room.id);
        let before = people.len();
        people.retain(|session| session.id != id);
        total -= before - people.len();
        let fits = |own: &&Session| wanted.as_deref().is_none_or(|wanted| own.own_nick().folded().starts_with(wanted));
        if let Some(own) = own.filter(fits) {
            people.push(own);
            total += 1;
        }
    }
    people.sort_unstable_by_key(|session| session.nick_for(id).shown());
    people.truncate(LISTED);
    let people: Vec<(Arc<str>, bool)> =
        people.iter().map(|session| (call.label(session), session.away.is_some())).collect();
    let (room, beginning) = (room.name.shown().into(), wanted.map(|wanted| clip(&wanted)));
    call.turn.hub.work.done += looked_at + people.len() as u64;
    call.tell(Message::Who { room, people, total, beginning, is_part });
}

/// The folded beginning in a word such as `ab*`, by which a list of names is filtered.
pub(super) fn beginning(word: &str) -> Option<String> {
    word.strip_suffix('*').map(name::fold)
}

pub(super) fn whois(call: &mut Call<'_, '_>, args: &str) {
    let (name, _) = split_word(args);
    let (other, others) = if name.is_empty() {
        (call.id, Vec::new())
    } else {
        let Some(named) = call.means_to_see(name) else { return };
        let Some(other) = named.or_else(|| call.person(name)) else { return };
        (other, call.others_of_that_name(name, other))
    };
    let other = &call.turn.hub.people.sessions[&other];
    let message = Message::Whois {
        nick: call.label(other),
        room: call.turn.hub.room_for(call.id, &call.turn.hub.rooms.open[&other.room]),
        since: other.since,
        idle: other.idle(call.turn.now).as_secs(),
        away: other.away_for(call.own()),
        account: other
            .account
            // An account that they made after an unseen rename is as hidden from others as the new
            // name.
            .filter(|_| other.id == call.id || !other.is_renamed_unseen())
            .and_then(|account| call.turn.hub.accounts.get(account))
            .map(|account| (account.name.shown().into(), account.role)),
        encrypted: other.encrypted,
    };
    call.tell(message);
    if !others.is_empty() && call.turn.hub.role(call.id) == Role::Operator {
        call.tell(Message::Bearers(others));
    }
}

pub(super) fn rooms(call: &mut Call<'_, '_>, args: &str) {
    let wanted = beginning(args);
    if wanted.is_none() && !args.is_empty() {
        return call.usage();
    }
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let fits = |room: &&Room| wanted.as_deref().is_none_or(|wanted| room.name.folded().starts_with(wanted));
    let (mut all, mut looked_at) = (call.turn.hub.rooms(), 0);
    // Where there are too many rooms, only the oldest are looked through.
    let looked = all.by_ref().take(work::MOST).inspect(|_| looked_at += 1);
    let mut rooms: Vec<_> = looked.filter(fits).filter(|room| call.turn.hub.sees(call.id, room)).collect();
    let is_part = all.next().is_some();
    drop(all);
    rooms.sort_unstable_by(|one, other| {
        other.members.len().cmp(&one.members.len()).then_with(|| one.name.shown().cmp(other.name.shown()))
    });
    let total = rooms.len();
    rooms.truncate(LISTED);
    let shown = |room: &&Room| ShownRoom {
        name: room.name.shown().into(),
        members: room.members.len(),
        topic: call.turn.hub.topic_for(call.id, room),
        owner: call.turn.hub.owner_for(call.id, room),
        modes: room.ownership.modes(),
    };
    let rooms: Vec<ShownRoom> = rooms.iter().map(shown).collect();
    let beginning = wanted.map(|wanted| clip(&wanted));
    call.turn.hub.work.done += looked_at + rooms.len() as u64;
    call.tell(Message::Rooms { rooms, total, beginning, is_part });
}

pub(super) fn history(call: &mut Call<'_, '_>, args: &str) {
    let most = at_once(&call.turn.hub.settings.history);
    let (of, args) = match args.strip_prefix("ids") {
        Some(rest) if rest.is_empty() || rest.starts_with(' ') => (Replay::Numbered, rest.trim_start()),
        _ => (Replay::Last, args),
    };
    let asked = match (args, args.parse::<usize>()) {
        ("", _) => most,
        (_, Ok(count @ 1..)) => count,
        _ => return call.usage(),
    };
    let count = asked.min(most);
    if of == Replay::Numbered && call.remover().is_none() {
        return;
    }
    let own = call.own();
    let horizon = call.turn.hub.horizon(call.turn.now);
    let (mut blinkers, mut looked_at) = (call.turn.hub.blinkers(own), 0);
    let all = call.room().history.iter_for(call.id).inspect(|_| looked_at += 1);
    let shown = all.filter(|line| line.seq >= own.sees_from && horizon.keeps(line) && !blinkers.hide(line));
    let lines = newest(shown, count, call.turn.hub.settings.limits.mailbox / 2);
    call.turn.hub.work.done += looked_at + work::REPLAYED * lines.len() as u64;
    let offset = call.own().view.time.unwrap_or_default();
    let room = call.room().name.shown().into();
    let is_capped = asked > most && lines.len() == most;
    call.tell(Message::Replay { room, of, lines, offset });
    if is_capped {
        call.done(Done::MostLines(most));
    }
}

/// The most lines of history in one answer. `/history` shows some even if newcomers are shown none.
pub(in crate::hub) fn at_once(history: &settings::History) -> usize {
    let most = match history.keep_lines {
        0 => usize::MAX,
        most => usize::try_from(most).unwrap_or(usize::MAX),
    };
    match history.replay {
        0 => settings::History::default().replay.min(most),
        replay => replay.min(most),
    }
}

pub(super) fn search(call: &mut Call<'_, '_>, args: &str) {
    let query = name::fold(args).into();
    let limit = at_once(&call.turn.hub.settings.history);
    call.turn.search(call.id, clip(args), query, limit);
}

#[cfg(test)]
mod tests {
    use super::super::super::{Effect, Hub, Input};
    use super::*;
    use crate::settings::Settings;
    use crate::values::id::SessionId;
    use crate::values::time::Now;

    #[test]
    fn who_asks_for_more_lines_than_are_shown_at_once_is_told_so() {
        let mut settings = Settings::default();
        settings.history.replay = 2;
        let (session, now) = (SessionId(1), Now::default());
        let mut hub = Hub::new(settings, [0; 16], now, &mut Vec::new());
        let peer = ([192, 0, 2, 1], 1024).into();
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut Vec::new());
        let mut told = |text: &str| {
            let mut effects = Vec::new();
            hub.handle(Input::Line { session, text: text.to_owned() }, now, &mut effects);
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::Tell { message: Message::Done(Done::MostLines(2)), .. }))
        };
        assert!(!told("one") && !told("/history 99999"), "that was all");
        assert!(!told("two") && !told("three"));
        assert!(!told("/history") && !told("/history 2"));
        assert!(told("/history 99999"));
    }
}
