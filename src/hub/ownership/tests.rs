use super::*;
use crate::hub::account::Role;
use crate::hub::{By, Effect, Hub, Input, News};
use crate::settings::Settings;
use crate::values::name::Name;
use crate::values::time::{Mono, Now, Wall};
use proptest::prelude::*;

/// What a person is to the room that they are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Guest,
    VoicedGuest,
    Member,
    VoicedMember,
    Moderator,
    Owner,
    Operator,
}

fn kinds() -> impl Strategy<Value = Kind> {
    use Kind::{Guest, Member, Moderator, Operator, Owner, VoicedGuest, VoicedMember};
    prop::sample::select(vec![Guest, VoicedGuest, Member, VoicedMember, Moderator, Owner, Operator])
}

/// Who may speak, as a person would put it; `since` is how long ago the room has heard them.
fn may_speak(kind: Kind, modes: Modes, since: Duration) -> bool {
    match kind {
        Kind::Owner | Kind::Moderator | Kind::Operator | Kind::VoicedGuest | Kind::VoicedMember => true,
        Kind::Guest if modes.registered => false,
        Kind::Guest | Kind::Member => !modes.moderated && since >= modes.slow,
    }
}

/// A person of that kind in a room with these modes, which has an owner (`owned`) or none.
fn stage(kind: Kind, owned: bool, modes: Modes) -> (Hub, SessionId) {
    let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_000) };
    let (mut effects, by) = (Vec::new(), By::Admin { uid: 0, pid: 1 });
    let mut hub = Hub::new(Settings::default(), [7; 16], now, &mut effects);
    hub.handle(News::Archive(Some(Box::default())), now, &mut effects);
    let id = SessionId(1);
    hub.handle(
        Input::Connect { session: id, peer: ([192, 0, 2, 1], 1).into(), encrypted: false, certificate: None },
        now,
        &mut effects,
    );
    let mut account = |text: &str, role| {
        let name = Name::parse(text, 24).expect("a name");
        hub.turn(now, &mut effects).add_account(name, None, role, by).expect("it is free")
    };
    let role = if kind == Kind::Operator { Role::Operator } else { Role::Member };
    let (own, other) = (account("own", role), account("other", Role::Member));
    if !matches!(kind, Kind::Guest | Kind::VoicedGuest) {
        hub.set_account(id, Some(own));
    }
    let lobby = hub.rooms.lobby;
    let room = hub.rooms.open.get_mut(&lobby).expect("the lobby");
    room.ownership.owner = match kind {
        Kind::Owner => Some(own),
        _ => owned.then_some(other),
    };
    room.ownership.moderators.extend((kind == Kind::Moderator).then_some(own));
    let Modes { private, moderated, registered, slow, .. } = modes;
    (room.ownership.private, room.ownership.moderated) = (private, moderated);
    (room.ownership.registered, room.ownership.slow_s) = (registered, slow.as_secs());
    if matches!(kind, Kind::VoicedGuest | Kind::VoicedMember) {
        hub.enroll(lobby, Roll::Voiced, id, true);
    }
    (hub, id)
}

proptest! {
    #[test]
    fn who_speaks_follows_from_who_they_are_and_how_the_room_is(
        kind in kinds(), owned: bool, private: bool, moderated: bool, registered: bool,
        slow in prop::sample::select(vec![0_u64, 1, 10]), since in 0_u64..12,
    ) {
        let slow = Duration::from_secs(slow);
        let modes = Modes { private, moderated, registered, encrypted: false, slow, topic_locked: None, lasting: false };
        let (mut hub, id) = stage(kind, owned, modes);
        let now = Now { mono: Mono(1_000_000_000 + since * 1_000_000), wall: Wall(2_000) };
        let mut effects = Vec::new();
        let line = |text: &str| Input::Line { session: id, text: text.into() };
        hub.handle(line("hello"), now, &mut effects);
        let is_post = |effect: &Effect| matches!(effect, Effect::Post { .. });
        let expected = may_speak(kind, modes, Duration::from_secs(since));
        prop_assert_eq!(effects.iter().any(is_post), expected, "{:?} {:?}", kind, modes);
        // The next line at once: only where the room is not slow, or not for them.
        effects.clear();
        hub.handle(line("hello again"), now, &mut effects);
        let at_once = if expected { Duration::ZERO } else { Duration::from_secs(since) };
        prop_assert_eq!(effects.iter().any(is_post), may_speak(kind, modes, at_once));
        // Those with the room's say set the topic if the room has an owner; else those who may speak do.
        effects.clear();
        hub.handle(line("/topic tea"), now, &mut effects);
        let is_somebodys = owned || kind == Kind::Owner;
        let has_say = matches!(kind, Kind::Owner | Kind::Moderator | Kind::Operator);
        let sets = if is_somebodys { has_say } else { may_speak(kind, modes, at_once.min(Duration::ZERO)) };
        prop_assert_eq!(effects.iter().any(is_post), sets || (!is_somebodys && may_speak(kind, modes, at_once)));
    }
}

#[test]
fn each_mode_has_its_word_and_its_opposite() {
    for (word, change) in MODES {
        assert_eq!(change.and(*change), Some(*change), "{word}");
        assert!(MODES.iter().any(|(_, other)| change.and(*other).is_none()), "{word} can be ended");
    }
    let mut ownership = Ownership { owner: Some(AccountId(1)), ..Ownership::default() };
    ownership.lock_topic(false);
    assert_eq!(ownership.modes().topic_locked, Some(false));
    ownership.lock_topic(true);
    assert_eq!(ownership.modes().topic_locked, None);
}
