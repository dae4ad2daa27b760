//! Rooms that belong to somebody: who may come in, who may speak, and what newcomers see.
//!
//! Whoever is logged in and opens a room owns it, until it closes. The lobby, and every room that nobody owns, is the
//! operators'. Who has a room's say makes it private, moderated, slow or for the registered, locks its topic, invites,
//! gives voices, and sends people out. Whether somebody may speak in a room is decided by `Hub::silenced` alone.
//!
//! What is said in a private room is recorded nowhere, and nobody sees what was said before they came, also
//! when it is public again. Whoever is not invited is told the same as of a room that was never there,
//! but on trying to enter: then the name would have to be free.

use super::Turn;
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::Role;
use super::archive::Record;
use super::history::History;
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
    /// Each says one line in so many seconds, but those who have a voice; 0: it is not slow.
    #[serde(skip_serializing_if = "is_zero")]
    slow_s: u64,
    /// It is kept while nobody is in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lasts: bool,
    /// Who has its say beside its owner, the oldest first. At most `limits.invited`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moderators: Vec<AccountId>,
    /// Whose it is when its owner's account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<AccountId>,
    /// Whether the topic is for those alone who have the room's say; `None`: it is where the room is somebody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_locked: Option<bool>,
    /// Those who may come into it while it is private. At most `limits.invited`.
    invited: BTreeSet<Guest>,
    /// Those who may speak while it is moderated; likewise.
    voiced: BTreeSet<Guest>,
    /// Those who were sent out, as 0.1.0 kept them; expulsions are sanctions now.
    #[serde(skip_serializing)]
    pub(super) expelled: BTreeSet<Guest>,
    /// The first line that is shown to those who come: what was said before was said among others.
    pub visible_from: u64,
    /// The first line that was said in private, if any was.
    pub private_from: u64,
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
    /// It is kept while nobody is in it.
    pub lasting: bool,
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
    /// It is kept while nobody is in it. [`Hub::may_last`] is to be asked before.
    pub lasting: Option<bool>,
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
            lasting: both(self.lasting, other.lasting)?,
        })
    }
}

const NONE: Change =
    Change { private: None, moderated: None, registered: None, slow: None, topic_locked: None, lasting: None };

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
    ("lasting", Change { lasting: Some(true), ..NONE }),
    ("passing", Change { lasting: Some(false), ..NONE }),
];

/// The shortest and the longest time in which each says one line in a slow room.
pub const SLOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// Which of a room's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roll {
    Invited,
    Voiced,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
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

    /// Whether the line of that number was said in private, or, of a room that has changed to and fro, between the
    /// first time and the last. Such lines are in memory alone, and no administrator is shown them.
    #[must_use]
    pub fn is_private_line(&self, seq: u64) -> bool {
        self.was_private() && seq >= self.private_from && (self.private || seq < self.visible_from)
    }

    /// How many lines of a room's history were said in private.
    #[must_use]
    pub fn private_among(&self, history: &History) -> usize {
        if !self.was_private() {
            return 0;
        }
        let to = if self.private { history.len() } else { history.before(self.visible_from) };
        to.saturating_sub(history.before(self.private_from))
    }

    /// How the room is.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let Self { private, moderated, registered, topic_locked, lasts, .. } = *self;
        let slow = Duration::from_secs(self.slow_s);
        Modes { private, moderated, registered, slow, topic_locked, lasting: lasts }
    }

    /// As it is kept where nobody is connected: without guests.
    pub(super) fn lasting(&self) -> Self {
        let mut kept = self.clone();
        for roll in [Roll::Invited, Roll::Voiced] {
            kept.roll(roll).retain(|guest| matches!(guest, Guest::Account(_)));
        }
        kept
    }

    /// What was kept, without accounts that there are no more. Whether it still belongs to whom it did, or to somebody
    /// who follows.
    pub(super) fn recall(&mut self, is_known: impl Fn(&AccountId) -> bool) -> bool {
        for roll in [Roll::Invited, Roll::Voiced] {
            self.roll(roll).retain(|guest| matches!(guest, Guest::Account(account) if is_known(account)));
        }
        self.moderators.retain(&is_known);
        self.successor = self.successor.filter(&is_known);
        match self.owner {
            Some(owner) if !is_known(&owner) => self.succeed(),
            _ => true,
        }
    }

    /// Accounts have other numbers by now.
    pub(super) fn renumber(&mut self, renumbered: &BTreeMap<AccountId, AccountId>) {
        let now = |account: AccountId| renumbered.get(&account).copied().unwrap_or(account);
        (self.owner, self.successor) = (self.owner.map(now), self.successor.map(now));
        self.moderators.iter_mut().for_each(|moderator| *moderator = now(*moderator));
        for roll in [Roll::Invited, Roll::Voiced] {
            let roll = self.roll(roll);
            *roll = std::mem::take(roll)
                .into_iter()
                .map(|guest| match guest {
                    Guest::Account(account) => Guest::Account(now(account)),
                    Guest::Session(session) => Guest::Session(session),
                })
                .collect();
        }
    }

    /// It belongs to nobody, whatever else it is.
    pub(super) fn belongs_to_nobody(&mut self) {
        (self.owner, self.successor, self.private) = (None, None, false);
        self.moderators.clear();
        self.topic_locked = self.topic_locked.filter(|locked| *locked);
    }

    /// Its owner is no more: it belongs to the successor, else to the oldest moderator, else to nobody. Whether it
    /// belongs to somebody.
    fn succeed(&mut self) -> bool {
        let next = self.successor.take().or_else(|| self.moderators.first().copied());
        self.pass_to(next);
        next.is_some()
    }

    fn pass_to(&mut self, owner: Option<AccountId>) {
        let locked = self.topic_locked;
        self.owner = owner;
        self.moderators.retain(|moderator| Some(*moderator) != owner);
        self.successor = self.successor.filter(|successor| Some(*successor) != owner);
        self.topic_locked = locked.filter(|locked| *locked != owner.is_some());
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
        self.slow_s = change.slow.map_or(self.slow_s, |slow| slow.as_secs());
        if let Some(on) = change.topic_locked {
            self.lock_topic(on);
        }
    }

    fn roll(&mut self, roll: Roll) -> &mut BTreeSet<Guest> {
        match roll {
            Roll::Invited => &mut self.invited,
            Roll::Voiced => &mut self.voiced,
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

    /// Whether `id` has a room's say: it is theirs, or they are a moderator of it, or an operator.
    pub(super) fn owns(&self, id: SessionId, room: &Room) -> bool {
        self.rules(id, room) || self.moderates(id, room)
    }

    /// Whether `id` may also give a room away, and say who moderates it: it is theirs, or they are an operator.
    pub(super) fn rules(&self, id: SessionId, room: &Room) -> bool {
        self.is_owner(id, room) || self.role(id) == Role::Operator
    }

    /// Whether `id` is a moderator of that room.
    pub(super) fn moderates(&self, id: SessionId, room: &Room) -> bool {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.is_some_and(|account| room.ownership.moderators.contains(&account))
    }

    /// The names of accounts.
    pub fn names_of(&self, accounts: impl IntoIterator<Item = AccountId>) -> Vec<Arc<str>> {
        let names = accounts.into_iter().filter_map(|account| self.accounts.get(account));
        names.map(|account| account.name.shown().into()).collect()
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
        let is_invited = self.has(&ownership.invited, id);
        is_in || is_invited || (!ownership.private && !self.is_expelled(id, room.id))
    }

    /// Whether `id` may know of that room.
    #[must_use]
    pub fn sees(&self, id: SessionId, room: &Room) -> bool {
        let is_shown = room.unseen_of.is_none_or(|opener| opener == id) || room.members.contains(&id);
        is_shown && (!room.ownership.private || self.may_enter(id, room))
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
}

impl Turn<'_> {
    /// An account is no more, and no room remembers it. Whose room it was, has the successor, else the oldest moderator.
    /// If there is none, it is free for all to speak in, does not last, and otherwise stays as it was, in the hands of
    /// operators.
    pub(super) fn disown(&mut self, account: AccountId) {
        let (mut changed, mut passing, mut passed_on) = (Vec::new(), Vec::new(), Vec::new());
        for room in self.hub.rooms.open.values_mut() {
            let is_about = |ownership: &Ownership| {
                let guest = Guest::Account(account);
                let is_on_roll = [&ownership.invited, &ownership.voiced, &ownership.expelled];
                ownership.owner == Some(account)
                    || ownership.successor == Some(account)
                    || ownership.moderators.contains(&account)
                    || is_on_roll.iter().any(|roll| roll.contains(&guest))
            };
            if !is_about(&room.ownership) {
                continue;
            }
            let id = room.id;
            let ownership = &mut room.ownership;
            for roll in [Roll::Invited, Roll::Voiced] {
                ownership.roll(roll).remove(&Guest::Account(account));
            }
            ownership.moderators.retain(|moderator| *moderator != account);
            ownership.successor = ownership.successor.filter(|successor| *successor != account);
            if ownership.owner == Some(account) {
                if ownership.succeed() {
                    passed_on.push(id);
                } else {
                    ownership.moderated = false;
                    passing.push(id);
                }
            }
            changed.push(id);
        }
        passing.into_iter().for_each(|id| self.set_lasting(id, false));
        changed.into_iter().for_each(|id| self.keep_lasting(id));
        for id in passed_on {
            let Some(room) = self.hub.rooms.open.get(&id) else { continue };
            let (shown, owner): (Arc<str>, _) = (room.name.shown().into(), self.hub.owner_of(room).unwrap_or_default());
            let done = Done::RoomOf { room: shown.clone(), owner: owner.clone() };
            self.tell_members(id, done, || format!("{shown} is {owner}'s room now"));
        }
    }

    /// That room is somebody else's from now on; those in it are told.
    pub(super) fn give_room(&mut self, id: RoomId, to: AccountId, session: Option<SessionId>, by: Option<By>) {
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        room.ownership.pass_to(Some(to));
        let shown: Arc<str> = room.name.shown().into();
        let owner: Arc<str> = self.hub.names_of([to]).pop().unwrap_or_default();
        self.room_changed(id, Some(format!("owned by {owner}").into()), session, by);
        self.tell_members(id, Done::RoomOf { room: shown.clone(), owner: owner.clone() }, || {
            format!("{shown} is {owner}'s room now")
        });
        self.keep_lasting(id);
    }

    /// Somebody is a moderator of that room, or not any more. Whether there was place.
    pub(super) fn set_moderator(&mut self, id: RoomId, account: AccountId, on: bool) -> bool {
        let most = self.hub.settings.limits.invited;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return false };
        let moderators = &mut room.ownership.moderators;
        if !on {
            moderators.retain(|moderator| *moderator != account);
        } else if !moderators.contains(&account) {
            if moderators.len() >= most {
                return false;
            }
            moderators.push(account);
        }
        self.keep_lasting(id);
        true
    }

    /// Who has that room when its owner's account is gone.
    pub(super) fn set_successor(&mut self, id: RoomId, account: Option<AccountId>) {
        if let Some(room) = self.hub.rooms.open.get_mut(&id) {
            room.ownership.successor = account;
        }
        self.keep_lasting(id);
    }

    /// See [`Hub::enroll`].
    pub(super) fn enroll(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
        let done = self.hub.enroll(room, roll, who, on);
        self.keep_lasting(room);
        done
    }

    fn room_changed(&mut self, id: RoomId, text: Option<Arc<str>>, session: Option<SessionId>, by: Option<By>) {
        match session {
            Some(session) => self.happened(What::RoomChanged, session, by, text),
            None => {
                let room = self.hub.rooms.open.get(&id).map(|room| room.name.shown().into());
                let changed = Happening { room, text, by, ..Happening::new(What::RoomChanged, self.now) };
                self.effects.push(Effect::Happened(changed));
            }
        }
    }

    /// Tells each who is in a room; a great crowd by one line.
    fn tell_members(&mut self, id: RoomId, done: Done, line: impl FnOnce() -> String) {
        let Some(room) = self.hub.rooms.open.get(&id) else { return };
        let members: Vec<SessionId> = room.members.iter().copied().collect();
        if members.len() > work::MOST {
            self.post(id, None, Said::Notice { text: line().into() });
            return;
        }
        for member in members {
            self.done(member, done.clone());
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
        if change.private == Some(true) && !ownership.was_private() {
            ownership.private_from = next;
        }
        let was_private = ownership.private;
        ownership.change(change);
        let modes = ownership.modes();
        if was_private && !modes.private {
            // Those who come now were not there.
            ownership.visible_from = next;
        }
        let name = room.name.clone();
        if modes.private && !was_private && room.kept {
            // What was said while it was public is not shown to those who open one of that name later.
            self.record(Record::Closed { room: id, name: name.clone() });
        }
        let shown: Arc<str> = name.shown().into();
        let modes = Modes { lasting: change.lasting.unwrap_or(modes.lasting), ..modes };
        self.room_changed(id, Some(modes.to_string().into()), session, by);
        let done = Done::RoomMode { room: shown.clone(), modes };
        self.tell_members(id, done, || format!("{shown} is {modes} now"));
        self.keep_lasting(id);
        if let Some(on) = change.lasting {
            self.set_lasting(id, on);
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
            Some(true) => f.write_str(", topic-locked")?,
            Some(false) => f.write_str(", topic-free")?,
            None => {}
        }
        f.write_str(if self.lasting { ", lasting" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Input, News};
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
        Moderator,
        Owner,
        Operator,
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        use Kind::{Guest, Member, Moderator, Operator, Owner, VoicedGuest, VoicedMember};
        prop::sample::select(vec![Guest, VoicedGuest, Member, VoicedMember, Moderator, Owner, Operator])
    }

    /// Who may speak, as people would say it: `since` is how long ago the room has heard them.
    fn may_speak(kind: Kind, modes: Modes, since: Duration) -> bool {
        match kind {
            Kind::Owner | Kind::Moderator | Kind::Operator | Kind::VoicedGuest | Kind::VoicedMember => true,
            Kind::Guest if modes.registered => false,
            Kind::Guest | Kind::Member => !modes.moderated && since >= modes.slow,
        }
    }

    /// One of that kind in a room of those modes, which is somebody's or nobody's.
    fn stage(kind: Kind, owned: bool, modes: Modes) -> (Hub, SessionId) {
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_000) };
        let (mut effects, by) = (Vec::new(), By::Admin { uid: 0, pid: 1 });
        let mut hub = Hub::new(Settings::default(), [7; 16], now, &mut effects);
        hub.handle(News::Archive(Some(Box::default())), now, &mut effects);
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
            let modes = Modes { private, moderated, registered, slow, topic_locked: None, lasting: false };
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
}
