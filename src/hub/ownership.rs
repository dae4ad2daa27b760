//! Rooms that belong to somebody: who may come in, who may speak, and what newcomers see.
//!
//! Whoever is logged in and opens a room owns it, until it closes. The lobby, and every room that nobody owns, is the
//! operators'. Who has a room's say makes it private, moderated, slow or for the registered, locks its topic, invites,
//! gives voices, and sends people out. Whether somebody may speak in a room is decided by [`Hub::silenced`] alone.
//!
//! What is said in a private room is recorded nowhere, and nobody sees what was said before they came, also
//! when it is public again. Whoever is not invited is told the same as of a room that was never there,
//! but on trying to enter: then the name would have to be free.

use super::Turn;
use core::fmt;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::Role;
use super::archive::Record;
use super::message::{Done, Refusal, Said};
use super::room::Room;
use super::{By, Effect, Happening, Hub, What, work};
use crate::values::id::AccountId;
use crate::values::id::{RoomId, SessionId};
use crate::values::time::in_words;

/// Somebody as a room remembers them: by account, or a guest for as long as they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Guest {
    /// Whoever is logged in to it.
    Account(AccountId),
    /// That client.
    Session(SessionId),
}

/// What is special about a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ownership {
    /// Whose room it is; `None`: everybody's.
    pub owner: Option<AccountId>,
    /// Only those who are invited come in.
    pub private: bool,
    /// Only those who have a voice speak.
    pub moderated: bool,
    /// Only those who are logged in speak, and those who have a voice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Each says one line in that time, but those who have a voice; zero: it is not slow.
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub slow: Duration,
    /// Whether the topic is for those alone who have the room's say; `None`: it is where the room is somebody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_locked: Option<bool>,
    /// Those who may come into it while it is private. At most `limits.invited`.
    invited: BTreeSet<Guest>,
    /// Those who may speak while it is moderated; likewise.
    voiced: BTreeSet<Guest>,
    /// Those who were sent out, and may not come again until they are invited; likewise.
    expelled: BTreeSet<Guest>,
    /// The first line that is shown to those who come: what was said before was said among others.
    pub visible_from: u64,
}

/// How a room is: who may come in, who may speak, how often, and who sets its topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// Only those who are invited come in.
    pub private: bool,
    /// Only those who have a voice speak.
    pub moderated: bool,
    /// Only those who are logged in speak, and those who have a voice.
    pub registered: bool,
    /// Each says one line in that time; zero: it is not slow.
    pub slow: Duration,
    /// Whether the topic is locked, where that is not as in other rooms: a topic is locked where the room is somebody's.
    pub topic_locked: Option<bool>,
}

/// What is to be changed of a room's [`Modes`]; `None`: it stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Only those who are invited come in.
    pub private: Option<bool>,
    /// Only those who have a voice speak.
    pub moderated: Option<bool>,
    /// Only those who are logged in speak, and those who have a voice.
    pub registered: Option<bool>,
    /// Each says one line in that time; zero: it is not slow.
    pub slow: Option<Duration>,
    /// Only those who have the room's say set its topic.
    pub topic_locked: Option<bool>,
}

impl Change {
    /// Both changes; `None` if they are not of one mind.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        fn both<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
            match (one, other) {
                (Some(one), Some(other)) if one != other => None,
                (one, other) => Some(one.or(other)),
            }
        }
        Some(Self {
            private: both(self.private, other.private)?,
            moderated: both(self.moderated, other.moderated)?,
            registered: both(self.registered, other.registered)?,
            slow: both(self.slow, other.slow)?,
            topic_locked: both(self.topic_locked, other.topic_locked)?,
        })
    }
}

const NONE: Change = Change { private: None, moderated: None, registered: None, slow: None, topic_locked: None };

/// What each mode is called, and what it changes; but for `slow`, behind which stands a time or `off`.
pub const MODES: &[(&str, Change)] = &[
    ("private", Change { private: Some(true), ..NONE }),
    ("public", Change { private: Some(false), ..NONE }),
    ("moderated", Change { moderated: Some(true), ..NONE }),
    ("free", Change { moderated: Some(false), ..NONE }),
    ("registered", Change { registered: Some(true), ..NONE }),
    ("everyone", Change { registered: Some(false), ..NONE }),
    ("topic-locked", Change { topic_locked: Some(true), ..NONE }),
    ("topic-free", Change { topic_locked: Some(false), ..NONE }),
];

/// The shortest and the longest time in which each says one line in a slow room.
pub const SLOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// Which of a room's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roll {
    Invited,
    Voiced,
    Expelled,
}

impl Ownership {
    /// What is everybody's, and shows what was said from that line on.
    pub(super) fn of_nobody(visible_from: u64) -> Self {
        Self { visible_from, ..Self::default() }
    }

    /// Whether anything was said in private, as far as can be told.
    pub(super) fn was_private(&self) -> bool {
        self.private || self.visible_from > 0
    }

    /// How the room is.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let Self { private, moderated, registered, slow, topic_locked, .. } = *self;
        Modes { private, moderated, registered, slow, topic_locked }
    }

    /// Whether only those who have the room's say set its topic.
    #[must_use]
    pub fn is_topic_locked(&self) -> bool {
        self.topic_locked.unwrap_or(self.owner.is_some())
    }

    /// Locks the topic, or frees it.
    pub(super) fn lock_topic(&mut self, on: bool) {
        self.topic_locked = (on != self.owner.is_some()).then_some(on);
    }

    fn change(&mut self, change: Change) {
        self.private = change.private.unwrap_or(self.private);
        self.moderated = change.moderated.unwrap_or(self.moderated);
        self.registered = change.registered.unwrap_or(self.registered);
        self.slow = change.slow.unwrap_or(self.slow);
        if let Some(on) = change.topic_locked {
            self.lock_topic(on);
        }
    }

    fn roll(&mut self, roll: Roll) -> &mut BTreeSet<Guest> {
        match roll {
            Roll::Invited => &mut self.invited,
            Roll::Voiced => &mut self.voiced,
            Roll::Expelled => &mut self.expelled,
        }
    }
}

impl Hub {
    fn guest(&self, id: SessionId) -> Guest {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.map_or(Guest::Session(id), Guest::Account)
    }

    /// Whether a list has somebody: by account, or as the guest they were before they logged in.
    fn has(&self, roll: &BTreeSet<Guest>, id: SessionId) -> bool {
        !roll.is_empty() && (roll.contains(&self.guest(id)) || roll.contains(&Guest::Session(id)))
    }

    /// Whether `id` has a room's say: it is theirs, or they are an operator.
    pub(super) fn owns(&self, id: SessionId, room: &Room) -> bool {
        self.is_owner(id, room) || self.role(id) == Role::Operator
    }

    /// Whether the room is `id`'s.
    pub(super) fn is_owner(&self, id: SessionId, room: &Room) -> bool {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.is_some() && account == room.ownership.owner
    }

    /// The name of a room's owner.
    #[must_use]
    pub fn owner_of(&self, room: &Room) -> Option<Arc<str>> {
        room.ownership.owner.and_then(|owner| self.accounts.get(owner)).map(|account| account.name.shown().into())
    }

    /// Whether `id` may come into that room.
    pub(super) fn may_enter(&self, id: SessionId, room: &Room) -> bool {
        let ownership = &room.ownership;
        let is_in = room.members.contains(&id) || self.owns(id, room);
        is_in || (!self.has(&ownership.expelled, id) && (!ownership.private || self.has(&ownership.invited, id)))
    }

    /// Whether `id` may know of that room.
    #[must_use]
    pub fn sees(&self, id: SessionId, room: &Room) -> bool {
        !room.ownership.private || self.may_enter(id, room)
    }

    /// What `id` is told that room is called.
    pub(super) fn room_for(&self, id: SessionId, room: &Room) -> Arc<str> {
        if self.sees(id, room) { room.name.shown().into() } else { "a private room".into() }
    }

    /// Why `id` may not say in its room what has just come from it, if it may not. This decides for all that is said
    /// to a room. Who has the room's say, and who has a voice there, always speaks.
    pub(super) fn silenced(&self, id: SessionId) -> Option<Refusal> {
        if let Some(until) = self.locked_out(id) {
            return Some(Refusal::LockedOut(until));
        }
        let session = &self.people.sessions[&id];
        let room = &self.rooms.open[&session.room];
        let ownership = &room.ownership;
        let Modes { moderated, registered, slow, .. } = ownership.modes();
        if (!moderated && !registered && slow.is_zero()) || self.owns(id, room) || self.has(&ownership.voiced, id) {
            return None;
        }
        if moderated {
            return Some(Refusal::NoVoice(self.owner_of(room)));
        }
        if registered && session.account.is_none() {
            return Some(Refusal::OnlyRegistered);
        }
        // What is judged came when its author spoke last.
        let again = session.heard.after(slow);
        (session.spoke < again).then(|| Refusal::Slow { every: slow, left: again.since(session.spoke) })
    }

    /// Why `id` may not set the topic of its room, if it may not.
    pub(super) fn keeps_topic(&self, id: SessionId) -> Option<Refusal> {
        let room = &self.rooms.open[&self.people.sessions[&id].room];
        if !room.ownership.is_topic_locked() || self.owns(id, room) {
            return self.silenced(id);
        }
        let shown = room.name.shown().into();
        Some(match self.owner_of(room) {
            Some(owner) => Refusal::NotYourRoom { room: shown, owner: Some(owner) },
            None => Refusal::TopicLocked(shown),
        })
    }

    /// Puts somebody on one of a room's lists, or takes them off it. Whether there was place.
    pub(super) fn enroll(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
        let (guest, limit) = (self.guest(who), self.settings.limits.invited);
        let sessions = &self.people.sessions;
        let Some(room) = self.rooms.open.get_mut(&room) else { return false };
        let roll = room.ownership.roll(roll);
        if !on {
            roll.remove(&guest);
            roll.remove(&Guest::Session(who));
            return true;
        }
        if roll.len() >= limit {
            roll.retain(|guest| match guest {
                Guest::Session(session) => sessions.contains_key(session),
                Guest::Account(_) => true,
            });
        }
        roll.contains(&guest) || (roll.len() < limit && roll.insert(guest))
    }

    /// An account is no more: no room is its, and none remembers it. Whose room it was is free for all to
    /// speak in; otherwise it stays as it was, in the hands of operators.
    pub(super) fn disown(&mut self, account: AccountId) {
        for room in self.rooms.open.values_mut() {
            let ownership = &mut room.ownership;
            for roll in [Roll::Invited, Roll::Voiced, Roll::Expelled] {
                ownership.roll(roll).remove(&Guest::Account(account));
            }
            if ownership.owner == Some(account) {
                ownership.owner = None;
                ownership.moderated = false;
                ownership.topic_locked = ownership.topic_locked.filter(|locked| *locked);
            }
        }
    }
}

impl Turn<'_> {
    /// Makes a room another one than it was; whoever is in it is told. `by` is told of as who did it.
    pub(super) fn set_modes(&mut self, id: RoomId, change: Change, session: Option<SessionId>, by: Option<By>) {
        let next = self.hub.next_line;
        let lobby = self.hub.rooms.lobby;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        if change.private == Some(true) && id == lobby {
            return;
        }
        let ownership = &mut room.ownership;
        let was_private = ownership.private;
        ownership.change(change);
        let modes = ownership.modes();
        if was_private && !modes.private {
            // Those who come now were not there.
            ownership.visible_from = next;
        }
        let (name, members) = (room.name.clone(), room.members.iter().copied().collect::<Vec<_>>());
        if modes.private && !was_private && room.kept {
            // What was said while it was public is not shown to those who open one of that name later.
            self.record(Record::Closed { room: id, name: name.clone() });
        }
        let shown: Arc<str> = name.shown().into();
        let text = Some(modes.to_string().into());
        match session {
            Some(session) => self.happened(What::RoomChanged, session, by, text),
            None => {
                let room = Some(shown.clone());
                let changed = Happening { room, text, by, ..Happening::new(What::RoomChanged, self.now) };
                self.effects.push(Effect::Happened(changed));
            }
        }
        if members.len() > work::MOST {
            // A great crowd is told by one line.
            return self.post(id, None, Said::Notice { text: format!("{shown} is {modes} now").into() });
        }
        for member in members {
            self.done(member, Done::RoomMode { room: shown.clone(), modes });
        }
    }
}

/// `public and moderated, slow (10 s)`: for the journal, events and administrators.
impl fmt::Display for Modes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.private { "private" } else { "public" })?;
        f.write_str(if self.moderated { ", moderated" } else { ", free" })?;
        if self.registered {
            f.write_str(", registered")?;
        }
        if !self.slow.is_zero() {
            write!(f, ", slow {}", in_words(self.slow))?;
        }
        match self.topic_locked {
            Some(true) => f.write_str(", topic-locked"),
            Some(false) => f.write_str(", topic-free"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Input};
    use super::*;
    use crate::settings::Settings;
    use crate::values::name::Name;
    use crate::values::time::{Mono, Now, Wall};
    use proptest::prelude::*;

    /// Who somebody is to the room they are in.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Kind {
        Guest,
        VoicedGuest,
        Member,
        VoicedMember,
        Owner,
        Operator,
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        use Kind::{Guest, Member, Operator, Owner, VoicedGuest, VoicedMember};
        prop::sample::select(vec![Guest, VoicedGuest, Member, VoicedMember, Owner, Operator])
    }

    /// Who may speak, as people would say it: `since` is how long ago the room has heard them.
    fn may_speak(kind: Kind, modes: Modes, since: Duration) -> bool {
        match kind {
            Kind::Owner | Kind::Operator | Kind::VoicedGuest | Kind::VoicedMember => true,
            Kind::Guest if modes.registered => false,
            Kind::Guest | Kind::Member => !modes.moderated && since >= modes.slow,
        }
    }

    /// One of that kind in a room of those modes, which is somebody's or nobody's.
    fn stage(kind: Kind, owned: bool, modes: Modes) -> (Hub, SessionId) {
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_000) };
        let (mut effects, by) = (Vec::new(), By::Admin { uid: 0, pid: 1 });
        let mut hub = Hub::new(Settings::default(), [7; 16], now, &mut effects);
        hub.handle(Input::Archive(Some(Box::default())), now, &mut effects);
        let id = SessionId(1);
        hub.handle(Input::Connect { session: id, peer: ([192, 0, 2, 1], 1).into() }, now, &mut effects);
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
        let Modes { private, moderated, registered, slow, .. } = modes;
        (room.ownership.private, room.ownership.moderated) = (private, moderated);
        (room.ownership.registered, room.ownership.slow) = (registered, slow);
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
            let modes = Modes { private, moderated, registered, slow, topic_locked: None };
            let (mut hub, id) = stage(kind, owned, modes);
            let now = Now { mono: Mono(1_000_000_000 + since * 1_000_000), wall: Wall(2_000) };
            let mut effects = Vec::new();
            let line = |text: &str| Input::Line { session: id, text: text.into() };
            hub.handle(line("hello"), now, &mut effects);
            let is_post = |effect: &Effect| matches!(effect, Effect::Post { .. });
            let expected = may_speak(kind, modes, Duration::from_secs(since));
            prop_assert_eq!(effects.iter().any(is_post), expected, "{:?} {:?}", kind, modes);
            // And again at once: only where it is not slow, or not to them.
            effects.clear();
            hub.handle(line("hello again"), now, &mut effects);
            let at_once = if expected { Duration::ZERO } else { Duration::from_secs(since) };
            prop_assert_eq!(effects.iter().any(is_post), may_speak(kind, modes, at_once));
            // The topic is for those who have the say where the room is somebody's, else for those who speak.
            effects.clear();
            hub.handle(line("/topic tea"), now, &mut effects);
            let is_somebodys = owned || kind == Kind::Owner;
            let has_say = matches!(kind, Kind::Owner | Kind::Operator);
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
}
