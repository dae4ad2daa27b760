//! The cost of commands beyond that of a plain line.
//!
//! The cost is counted in things that are looked at or shown, never in time, so a replay of the
//! same inputs costs the same. The hub charges the cost of an input to its sender's pace, in lines
//! ([`super::pace`]). No command looks at more than [`MOST`] of anything: a longer list says that
//! there are more, and how to see a part of them.

/// The cost of the current input.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    /// The cost so far: people or rooms looked at, and other things in proportion.
    pub done: u64,
    /// The lines that the sender of the last input was charged for it, besides the line itself.
    pub charged: u32,
}

/// The cost of a plain line, which takes 3 to 5 µs. One person or room that is looked at, or shown
/// in a list, costs 1, and takes 0.1 µs or less.
pub(super) const LINE: u64 = 50;

/// The cost of showing one line of history that is rendered for one client alone.
pub(super) const REPLAYED: u64 = 4;

/// The cost of showing one line of history that is rendered once for all who enter the room before
/// the next line.
pub(super) const SHARED: u64 = 1;

/// The cost of showing something else than a line to others: another name, a topic, an arrival, an
/// invitation.
pub(super) const SHOWN: u64 = 3 * LINE;

/// The cost of seeing a room in another view: lines that wait for the client may have to be
/// rendered anew.
pub(super) const SEEN_ANEW: u64 = 5 * LINE;

/// The cost of looking for a name among clients that have left: up to a thousand names are
/// compared.
pub(super) const SEEN: u64 = 2 * LINE;

/// The cost of looking for a time zone by a part of its name, or by a misspelt name.
pub(super) const ZONES: u64 = 4 * LINE;

/// The most people or rooms that one command looks at.
pub(super) const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::super::account::{Account, Role};
    use super::super::message::Message;
    use super::super::ownership::{Change, Told};
    use super::super::{Effect, Hub, Input, command};
    use super::*;
    use crate::settings::Settings;
    use crate::values::id::AccountId;
    use crate::values::id::SessionId;
    use crate::values::name::Name;
    use crate::values::time::{Mono, Now, Wall};

    const ANN: SessionId = SessionId(1);

    fn later(seconds: u64) -> Now {
        Now { mono: Mono(1_000_000_000 + seconds * 1_000_000), wall: Wall(0) }
    }

    /// A hub with `rooms` open rooms, where Ann, an operator, is in the lobby with `people` others.
    fn hub(people: u64, rooms: u64) -> Hub {
        let mut settings = Settings::default();
        settings.limits.rooms = 10_000;
        settings.limits.rooms_per_address = 10_000;
        let mut effects = Vec::new();
        let mut hub = Hub::new(settings, [7; 16], later(0), &mut effects);
        for id in 1..=people + rooms + 1 {
            let [_, _, a, b] = u32::try_from(id).expect("few people").to_be_bytes();
            let (session, peer) = (SessionId(id), ([10, 0, a, b], 1024).into());
            hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, later(0), &mut effects);
            if id > people + 1 {
                let text = format!("/join room{id}");
                hub.handle(Input::Line { session, text }, later(0), &mut effects);
            }
            effects.clear();
        }
        let name = Name::parse("ann", 24).expect("a name");
        let account = Account {
            id: AccountId(1),
            name,
            hashed: None,
            role: Role::Operator,
            since: Wall(0),
            seen: Wall(0),
            places: Vec::new(),
            certificates: Vec::new(),
            unheard: None,
        };
        hub.accounts.put(account).expect("the first");
        hub.log_in(ANN, AccountId(1));
        hub
    }

    /// The cost of Ann's line beyond a plain line, and the effects.
    fn cost(hub: &mut Hub, line: &str) -> (u64, Vec<Effect>) {
        let mut effects = Vec::new();
        hub.work.done = 0;
        hub.turn(later(100), &mut effects).command(ANN, line);
        (std::mem::take(&mut hub.work.done), effects)
    }

    #[test]
    fn in_a_hub_of_any_size_no_command_costs_more_than_some_dozens_of_lines() {
        let mut hub = hub(2500, 1500);
        let bounded = (2 * MOST as u64 + 1000) / LINE;
        for command in command::COMMANDS.iter().filter(|command| command.name != "quit") {
            for args in ["", "guest", "lobby", "g*", "lobby g*", "lobby *", "on", "text of some kind", "192.0.2.0/24"] {
                let (work, _) = cost(&mut hub, &format!("{} {args}", command.name));
                assert!(work / LINE <= bounded, "{command:?} {args}: {work}");
                hub.people.sessions.get_mut(&ANN).expect("she is here").searching = None;
            }
        }
        for line in ["g", "/msg g", "/join r", "hi *", "/who ", "/msg "] {
            hub.handle(Input::Complete { session: ANN, line: line.to_owned() }, later(100), &mut Vec::new());
            let (_, _, work) = super::super::complete::complete(&hub, ANN, line, later(100));
            assert!(work <= 2 * MOST as u64, "{line}: {work}");
        }
    }

    #[test]
    fn a_list_shows_so_many_and_how_many_there_are() {
        let mut hub = hub(2500, 1500);
        let (work, told) = cost(&mut hub, "who");
        let Some(Effect::Tell { message: Message::Who { people, total, is_part: false, .. }, .. }) = told.last() else {
            panic!("{told:?}");
        };
        assert_eq!((people.len(), *total), (200, 2501));
        assert!(people.is_sorted(), "in order");
        assert_eq!(work, 400);
        let (work, told) = cost(&mut hub, "who lobby guest-b*");
        let Some(Effect::Tell { message: Message::Who { people, total, .. }, .. }) = told.last() else {
            panic!("{told:?}");
        };
        let begin: Vec<_> = hub.sessions().filter(|session| session.nick.folded().starts_with("guest-b")).collect();
        let here = begin.iter().filter(|session| session.room == hub.lobby()).count();
        assert_eq!((*total, people.len()), (here, here.min(200)));
        assert!(
            (people.len() as u64) < work && work <= (begin.len() + people.len()) as u64,
            "nobody else is looked at"
        );
        let (_, told) = cost(&mut hub, "rooms");
        let Some(Effect::Tell { message: Message::Rooms { rooms, total, is_part, .. }, .. }) = told.last() else {
            panic!("{told:?}");
        };
        assert_eq!((rooms.len(), *total, *is_part), (200, MOST, true));
        assert_eq!(&*rooms[0].name, "lobby", "the largest first");
    }

    #[test]
    fn what_people_do_now_and_then_costs_next_to_nothing() {
        let mut hub = hub(50, 10);
        for (line, lines) in [("who", 2), ("rooms", 0), ("whois ann", 0), ("topic", 0), ("ignore", 0), ("help", 0)] {
            assert_eq!(cost(&mut hub, line).0 / LINE, lines, "{line}");
        }
        for line in ["nick anna", "topic tea", "join tea", "away for tea"] {
            assert!((3..10).contains(&(cost(&mut hub, line).0 / LINE)), "{line} is shown to others");
        }
    }

    #[test]
    fn a_great_crowd_is_told_of_a_room_s_change_by_one_line() {
        let mut hub = hub(MOST as u64, 0);
        let (mut effects, lobby) = (Vec::new(), hub.lobby());
        let change = Change { moderated: Some(true), ..Change::default() };
        hub.turn(later(100), &mut effects).set_modes(lobby, change, Some(ANN), None, Told::All);
        let posts = effects.iter().filter(|effect| matches!(effect, Effect::Post { .. })).count();
        let told = effects.iter().filter(|effect| matches!(effect, Effect::Tell { .. })).count();
        assert_eq!((posts, told), (1, 0));
    }

    #[test]
    fn nobody_is_charged_for_what_others_do() {
        let mut hub = hub(5, 0);
        let mut effects = Vec::new();
        for text in (0..100).map(|number| format!("line {number}")) {
            hub.handle(Input::Line { session: SessionId(2), text }, later(100), &mut effects);
        }
        // A newcomer's greeting and lines.
        let (session, peer) = (SessionId(99), ([10, 1, 0, 1], 1024).into());
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, later(100), &mut effects);
        let pace = hub.session(ANN).expect("she is here").pace.clone();
        hub.handle(Input::Line { session: ANN, text: "hi".to_owned() }, later(100), &mut effects);
        assert_eq!(hub.session(ANN).expect("she is here").pace, pace);
    }

    #[test]
    fn what_was_charged_beyond_the_burst_is_waited_for() {
        let mut hub = hub(900, 0);
        let mut effects = Vec::new();
        let mut sent = 0;
        while hub.judge(ANN, 4, later(100), &mut effects) == super::super::pace::Verdict::Pass {
            hub.handle(Input::Line { session: ANN, text: "/who".to_owned() }, later(100), &mut effects);
            sent += 1;
        }
        let each = 1 + (901 + 200) / LINE;
        assert_eq!(sent, u64::from(hub.settings().pace.burst_lines).div_ceil(each));
        assert!(matches!(hub.judge(ANN, 4, later(200), &mut effects), super::super::pace::Verdict::Pass));
    }
}
