//! Speaking: how fast a client may say something, and who hears it.
//!
//! **One place decides who is heard**: `Turn::heard`. Code that carries a person's text to another
//! screen asks it first, and passes on its answer, a `Heard`, which nothing else can make.
//! `Turn::heard` knows mutes, voices, filters, pace, repetition and strikes. Ignored people are
//! filtered later, where a line is read ([`super::ignore`]).
//!
//! | to change | see |
//! | --- | --- |
//! | the ways in which text reaches others, and the rules for each | `Carrier` |
//! | what is done with text that is heard | the methods of `Turn` that take a `Heard` |
//! | what a shadow-muted client sees | [`Veil`] |

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive::Selector;
use super::inbound::Arrives;
use super::memo::Memo;
use super::message::{Done, Line, Message, Refusal, Said};
use super::ownership::{Change, Told};
use super::pace::{Kind, Verdict, Word};
use super::presence::Step;
use super::redaction::ERASED;
use super::room::Room;
use super::session::Session;
use super::strike::Offence;
use super::{By, Hub, Turn, What, command};
use crate::values::id::{AccountId, ReportId, RoomId, SanctionId, SessionId};
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::terminal::Mode;
use crate::values::text;
use crate::values::time::{Now, Wall};
use crate::values::words::Action;

/// A way in which a person's text reaches others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// A line or an emote, to the room.
    Line,
    /// The topic of the author's room.
    Topic,
    /// Another name for the author.
    Name,
    /// The name of the account to which the author has logged in.
    Login,
    /// The name of a new room.
    Room,
    /// Entering an open room. It carries no text, but others are told.
    Entering,
    /// The reason for being away.
    Away,
    /// The last words of a person who leaves.
    LastWords,
    /// A private message to this client, which is here.
    Private(SessionId),
    /// A private message that is kept for a person who is not here.
    Memo,
    /// The name of a room, to this client: it is invited there, or is given or loses a voice or a
    /// moderator's rights there.
    Invitation(SessionId),
    /// The reason for sending a person out of a room.
    Reason,
    /// The reason that an operator gives for a sanction or a kick. It may quote lines, and be the
    /// same for many people.
    Grounds,
    /// A report to the operators.
    Report,
    /// Another mode or owner of a room. It carries no words of the author, but the members are
    /// told.
    Modes,
}

/// A right that a person can be given in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// A voice, in a room where speaking takes one.
    Voice,
    /// The rights of a moderator.
    Say,
}

impl Carrier {
    /// Whether the text is all that is missing if nobody sees it; else what it is about is not done.
    fn is_said(self) -> bool {
        use Carrier::{Grounds, LastWords, Line, Memo, Private, Reason, Report};
        matches!(self, Line | Private(_) | Memo | LastWords | Reason | Grounds | Report)
    }

    /// Whether the text is shown in the room: there it may take a voice.
    fn takes_a_voice(self) -> bool {
        matches!(self, Self::Line | Self::Topic | Self::Name | Self::Login | Self::LastWords)
    }

    /// Whether the filters apply. They do not apply to private messages between clients that are
    /// here, to reports, or to operators' reasons, which may quote the words in question; entering
    /// a room carries no text. They do apply to messages kept for people who are not here: those
    /// lie on the hub's disk, and their reader cannot answer.
    fn is_filtered(self) -> bool {
        !matches!(self, Self::Private(_) | Self::Report | Self::Entering | Self::Grounds | Self::Modes)
    }

    /// Whether repeating the same text is refused. Names and rooms need no such rule, because a
    /// name in use is refused anyway.
    fn may_not_be_repeated(self) -> bool {
        matches!(
            self,
            Self::Line
                | Self::Topic
                | Self::Private(_)
                | Self::Memo
                | Self::Invitation(_)
                | Self::Reason
                | Self::Report
        )
    }

    /// Whether muted people may use it, because it carries no words of theirs, or none that other
    /// people in chat see.
    fn is_open_to_the_muted(self) -> bool {
        matches!(self, Self::Entering | Self::Report)
    }

    /// Whether the action goes on without its words if these are refused.
    fn goes_on_in_silence(self) -> bool {
        matches!(self, Self::LastWords | Self::Login)
    }
}

/// The people who hear a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    /// Everybody for whom it is meant.
    All,
    /// Only its author, who must not know that.
    Author,
}

/// Text that may be shown to others. Only [`Turn::heard`] makes one.
#[derive(Debug)]
pub(super) struct Heard {
    from: SessionId,
    text: Arc<str>,
    audience: Audience,
}

impl Heard {
    /// Whether others than the author may see it.
    pub(super) fn by_others(&self) -> bool {
        self.audience == Audience::All
    }

    /// The text as a reason.
    pub(super) fn grounds(&self) -> Grounds {
        let seen = self.for_others();
        let unseen = if seen.is_none() { Some(self.text.clone()) } else { None };
        Grounds { seen, unseen }
    }

    /// The text, if others may see it.
    fn for_others(&self) -> Option<Arc<str>> {
        self.by_others().then(|| self.text.clone())
    }
}

/// The most reasons that a shadow-muted client is shown as it gave them; the oldest go.
const UNSEEN_GROUNDS: usize = 100;

/// What a reason was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Deed {
    /// A sanction.
    Sanction(SanctionId),
    /// Closing a report.
    Closing(ReportId),
    /// Disconnecting a client.
    Departure(SessionId),
}

/// The reason for an action, as others see it and as its author alone does.
#[derive(Clone, Debug, Default)]
pub(super) struct Grounds {
    /// The reason, if others may see it.
    pub(super) seen: Option<Arc<str>>,
    /// The reason, if only its author sees it.
    unseen: Option<Arc<str>>,
}

/// What a shadow-muted client (one that is muted without being told) sees differently from
/// everybody else: the effects that it believes its commands had. See "Who is muted without being
/// told" in ARCHITECTURE.md.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Veil {
    /// The name that the person believes they bear. Nobody else gets that name meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    nick: Option<Name>,
    /// The person's reason for being away, which nobody else sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    away: Option<Arc<str>>,
    /// The topics that the person has set and nobody else sees: the room, the number of the line
    /// that had set the room's real topic at that time, and the text. There is at most one for each
    /// room. The person sees it as long as the room still has that real topic.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    topics: Vec<(RoomId, u64, Arc<str>)>,
    /// The reasons that the person has given for what they did as an operator or owner, and nobody
    /// else sees: at most [`UNSEEN_GROUNDS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grounds: Vec<(Deed, Arc<str>)>,
    /// The lines that have set these topics, by which they are redacted. A topic that was cleared has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    topic_lines: Vec<(RoomId, Arc<Line>)>,
}

impl Session {
    /// The client's name as the client itself sees it.
    #[must_use]
    pub fn own_nick(&self) -> &Name {
        self.veil.as_ref().and_then(|veil| veil.nick.as_ref()).unwrap_or(&self.nick)
    }

    /// The client's name as `viewer` sees it.
    #[must_use]
    pub fn nick_for(&self, viewer: SessionId) -> &Name {
        if viewer == self.id { self.own_nick() } else { &self.nick }
    }

    /// The client's reason for being away, as `viewer` sees it; `None` if it is not away. A viewer
    /// that ignores the client gets an empty reason.
    #[must_use]
    pub fn away_for(&self, viewer: &Self) -> Option<Arc<str>> {
        let away = self.away.clone()?;
        if viewer.id == self.id {
            return self.veil.as_ref().and_then(|veil| veil.away.clone()).or(Some(away));
        }
        Some(if viewer.ignores(self) { "".into() } else { away })
    }

    /// Removes the words of absence that the client's person alone sees, if `is_meant` selects them.
    pub(super) fn forget_unseen_away(&mut self, is_meant: impl Fn(&str) -> bool) {
        let away = self.veil.as_mut().and_then(|veil| veil.away.as_mut());
        if let Some(away) = away.filter(|away| !away.is_empty() && is_meant(away)) {
            *away = "".into();
        }
    }

    /// The reason that the client's person has given for a deed and nobody else sees.
    pub(super) fn unseen_grounds(&self, deed: Deed) -> Option<Arc<str>> {
        let known = &self.veil.as_ref()?.grounds;
        known.iter().find(|(other, _)| *other == deed).map(|(_, reason)| reason.clone())
    }

    /// Erases the reason for a deed that the client's person alone sees, if `is_meant` selects it.
    pub(super) fn forget_unseen_grounds(&mut self, deed: Deed, is_meant: impl Fn(&str) -> bool) {
        let Some(veil) = self.veil.as_mut() else { return };
        for (_, reason) in veil.grounds.iter_mut().filter(|(one, reason)| *one == deed && is_meant(reason)) {
            *reason = ERASED.into();
        }
    }

    /// Whether the client's person sees another name than all others do.
    #[must_use]
    pub fn is_renamed_unseen(&self) -> bool {
        self.veil.as_ref().is_some_and(|veil| veil.nick.is_some())
    }

    /// Whether the client is muted and must not know.
    #[must_use]
    pub fn is_muted_untold(&self, now: Now) -> bool {
        self.muted(now).is_some_and(|mute| mute.shadow)
    }

    /// The end of the client's mute as far as its person knows. `None`: not muted; `Some(None)`:
    /// muted until somebody lifts it.
    pub(super) fn muted_as_told(&self, now: Now) -> Option<Option<Wall>> {
        let mute = self.muted(now)?;
        let until = if mute.shadow { mute.open?.until } else { mute.until };
        Some(until.map(|(_, wall)| wall))
    }

    /// Whether the client's person knows of a mute.
    pub(super) fn knows_to_be_muted(&self, now: Now) -> bool {
        self.muted_as_told(now).is_some()
    }
}

impl Hub {
    /// The client that bears this name, as `viewer` sees names.
    pub(super) fn find_for(&self, viewer: SessionId, nick: &str) -> Option<SessionId> {
        let folded = name::fold(nick);
        let own = self.people.sessions.get(&viewer).filter(|own| own.is_renamed_unseen());
        if own.is_some_and(|own| own.own_nick().folded() == folded) {
            return Some(viewer);
        }
        self.people.names.find(&folded).filter(|found| own.is_none() || *found != viewer)
    }

    /// The topic of `room` as `viewer` sees it; `None` if there is none, or the viewer ignores the
    /// person who set it.
    pub(super) fn topic_for(&self, viewer: SessionId, room: &Room) -> Option<Arc<str>> {
        let viewer = self.people.sessions.get(&viewer)?;
        let set = room.topic_line.as_ref().map_or(0, |line| line.seq);
        let veil = viewer.veil.as_ref();
        let own = veil.and_then(|veil| veil.topics.iter().find(|(id, since, _)| (*id, *since) == (room.id, set)));
        if let Some((_, _, topic)) = own {
            return (!topic.is_empty()).then(|| topic.clone());
        }
        let topic = room.topic()?;
        let is_hidden = room.topic_line.as_ref().is_some_and(|line| self.blinkers(viewer).hide(line));
        (!is_hidden).then_some(topic)
    }
}

impl Turn<'_> {
    /// Judges a line of `bytes` bytes from `session`, before the caller hands it over.
    /// [`Verdict::Hold`] asks the caller to hand it over at the given time, and to read nothing
    /// more until then.
    pub(super) fn judge(&mut self, session: SessionId, bytes: u64) -> Verdict {
        let Some(sender) = self.hub.people.sessions.get_mut(&session) else { return Verdict::Pass };
        let room = self.hub.rooms.open.get_mut(&sender.room).expect("everybody is in a room");
        let is_heard = sender.at_door.is_none();
        if is_heard
            && room.crowd.is_over(self.now.mono)
            && let Some((until, word)) = sender.pace.gives_way(self.now.mono, &self.hub.settings.pace)
        {
            if word.is_some() {
                self.done(session, Done::GivesWay);
            }
            return Verdict::Hold(until);
        }
        let (verdict, word) = sender.pace.judge(bytes, self.now.mono, &self.hub.settings.pace);
        if verdict == Verdict::Pass && is_heard {
            let people = room.members.len();
            room.crowd.charge(people, self.now.mono, &self.hub.settings.pace);
        }
        if verdict == Verdict::Drop {
            sender.dropped += 1;
            self.hub.counters.lines_dropped += 1;
        }
        let done = match word {
            None => return verdict,
            Some(Word::SlowedDown) => {
                Done::SlowedDown { lines: self.hub.settings.pace.lines, bytes: self.hub.settings.pace.bytes }
            }
            Some(Word::GivesWay) => Done::GivesWay,
            Some(Word::Dropping) => Done::Dropping,
            Some(Word::Dropped(count)) => Done::Dropped(count),
        };
        self.done(session, done);
        if word == Some(Word::Dropping) {
            self.happened(What::Flood, session, None, None);
            self.strike(session, Offence::Flood);
        }
        verdict
    }

    pub(super) fn line(&mut self, id: SessionId, text: &str) {
        debug_assert!(text::is_clean(text), "lines are cleaned at the edge");
        self.lift_veil(id);
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        if session.lines == 0 {
            self.hub.people.places.speak(id, Origin::of(session.peer.ip()));
        }
        session.lines += 1;
        session.spoke = self.now.mono;
        self.hub.counters.lines_received += 1;
        if text::is_blank(text) {
            return self.hub.answers_nothing(id);
        }
        if self.hub.speaks_another_protocol(id, text) {
            return self.see_off_foreign(id);
        }
        // A space before the slash is a typing slip: nobody means to say " /msg bob ..." to
        // everybody.
        let command = text.trim_start().strip_prefix('/').filter(|rest| !rest.starts_with('/'));
        if !self.may_at_door(id, command) {
            return;
        }
        match text.trim_start().strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                self.hub.counters.commands += 1;
                self.hub.answers_nothing(id);
                self.hub.knows_where_it_is(id);
                self.command(id, rest);
            }
            _ if self.keeps_to_itself(id, text)
                || self.may_speak_another_protocol(id, text)
                || self.is_bare(id, text) => {}
            Some(escaped) => self.say(id, escaped),
            None => self.say(id, text),
        }
    }

    /// Whether the line that `id` wants to say is probably a command without its slash. If so,
    /// tells `id`, and nobody else sees the line.
    fn is_bare(&mut self, id: SessionId, text: &str) -> bool {
        let written_to = self.hub.was_just_written_to(id, self.now);
        let hub = &*self.hub;
        let is_here = |word: &str| hub.find_for(id, word.trim_end_matches([':', ','])).is_some_and(|other| other != id);
        let by = command::Author { role: hub.role(id), written_to };
        let Some(command) = command::bare(text, by, is_here) else { return false };
        self.refuse(id, command::refusal(command, text));
        true
    }

    /// Whether the text that `id` sends by `carrier` may be shown, and to whom. If nobody may see
    /// it, tells `id` why, and gives a strike if the rules say so. A shadow-muted client gets
    /// exactly the answers of a client that is heard.
    pub(super) fn heard(&mut self, id: SessionId, carrier: Carrier, text: &str) -> Option<Heard> {
        let session = self.hub.people.sessions.get(&id)?;
        let audience = if session.is_muted_untold(self.now) { Audience::Author } else { Audience::All };
        if !carrier.is_open_to_the_muted() {
            let told = session.muted_as_told(self.now);
            self.hub.counters.lines_muted += u64::from(told.is_some() || audience == Audience::Author);
            if let Some(until) = told {
                let refusal = if carrier.is_said() { Refusal::Muted(until) } else { Refusal::MutedDeed(until) };
                return self.unheard(id, carrier, refusal);
            }
            if let Some(until) = self.hub.locked_out(id) {
                return self.unheard(id, carrier, Refusal::LockedOut(until));
            }
        }
        if carrier.takes_a_voice()
            && !self.hub.is_at_door(id)
            && let Some(refusal) = self.hub.silenced(id)
        {
            return self.unheard(id, carrier, refusal);
        }
        if carrier.is_filtered() && !self.suits_the_house(id, carrier, text) {
            return None;
        }
        if let Some(kind) = self.kind(id, carrier)
            && !self.is_in_time(id, kind, carrier.goes_on_in_silence())
        {
            return None;
        }
        if carrier.may_not_be_repeated() {
            if self.says_too_much(id) {
                return None;
            }
            let repeated = match carrier {
                // To invite many people to one room is no repetition.
                Carrier::Invitation(to) => self.is_repetition(id, &format!("{to} {text}")),
                _ => self.is_repetition(id, text),
            };
            if repeated {
                return None;
            }
        }
        Some(Heard { from: id, text: text.into(), audience })
    }

    /// Tells `id` why it is not heard, unless its action goes on without the words.
    fn unheard(&mut self, id: SessionId, carrier: Carrier, refusal: Refusal) -> Option<Heard> {
        if !carrier.goes_on_in_silence() {
            self.refuse(id, refusal);
        }
        None
    }

    /// The pace that limits the carrier; `None` if none does.
    fn kind(&self, id: SessionId, carrier: Carrier) -> Option<Kind> {
        let has_written = |one: SessionId, other: SessionId| {
            self.hub.people.sessions.get(&one).is_some_and(|session| session.has_written_to(other))
        };
        match carrier {
            Carrier::Name | Carrier::Login => Some(Kind::Names),
            Carrier::Topic => Some(Kind::Topics),
            Carrier::Room | Carrier::Entering | Carrier::Modes => Some(Kind::Rooms),
            Carrier::Away => Some(Kind::Absences),
            Carrier::Invitation(_) => Some(Kind::Invitations),
            // Once either of two clients has written to the other, they may write to each other as
            // fast as they like.
            Carrier::Private(to) if has_written(id, to) || has_written(to, id) => None,
            Carrier::Private(_) | Carrier::Memo => Some(Kind::People),
            Carrier::LastWords => Some(Kind::LastWords),
            Carrier::Line | Carrier::Reason | Carrier::Grounds | Carrier::Report => None,
        }
    }

    /// Whether the filters let `text` pass. If not, tells `id`, and gives a strike if the filter
    /// says so.
    fn suits_the_house(&mut self, id: SessionId, carrier: Carrier, text: &str) -> bool {
        let configured = self.hub.moderation.filters.judge(text);
        let made = self.hub.moderation.sanctions.filter(text);
        let Some(action) = configured.max(made) else { return true };
        if carrier.goes_on_in_silence() {
            return false;
        }
        self.hub.counters.lines_filtered += 1;
        self.refuse(id, Refusal::HouseRules);
        if action == Action::Strike {
            self.strike(id, Offence::Words);
        }
        false
    }

    pub(super) fn say(&mut self, id: SessionId, text: &str) {
        if let Some(heard) = self.heard(id, Carrier::Line, text) {
            self.speak(heard, |nick, text| Said::Say { nick, text });
        }
    }

    pub(super) fn emote(&mut self, id: SessionId, text: &str) {
        if let Some(heard) = self.heard(id, Carrier::Line, text) {
            self.speak(heard, |nick, text| Said::Emote { nick, text });
        }
    }

    /// Says the text in the author's room.
    fn speak(&mut self, heard: Heard, said: fn(Arc<str>, Arc<str>) -> Said) {
        let Heard { from, text, audience } = heard;
        let session = &self.hub.people.sessions[&from];
        let room = session.room;
        match audience {
            Audience::All => drop(self.post(room, Some(from), said(session.nick.shown().into(), text))),
            Audience::Author => {
                let is_echoed = session.mode == Mode::Char;
                let said = said(session.own_nick().shown().into(), text);
                drop(self.post_unheard(room, from, said, is_echoed));
            }
        }
    }

    /// Puts a line into the history for its author alone. If `is_shown`, the author is also sent the line, as they
    /// would be if they were heard.
    fn post_unheard(&mut self, id: RoomId, author: SessionId, said: Said, is_shown: bool) -> Arc<Line> {
        let line = Arc::new(Line {
            seq: self.hub.next_line,
            at: self.now.wall,
            author: Some(author),
            said,
            borne: super::ignore::Borne::default(),
            apart: None,
            origin: None,
        });
        self.hub.next_line += 1;
        let room = self.hub.rooms.open.get_mut(&id).expect("the caller has it");
        // The line counts for the gathering of arrivals and departures, which must not depend on
        // who is heard.
        room.presence.hear(author);
        if room.kept {
            room.history.push_unheard(line.clone(), &self.hub.settings.history);
        }
        self.hear(author);
        if is_shown {
            self.tell(author, Message::Line(line.clone()));
        }
        line
    }

    /// Delivers a private message that [`Self::heard`] has let pass.
    pub(super) fn whisper(&mut self, heard: Heard, to: SessionId) {
        let id = heard.from;
        let (sender, other) = (&self.hub.people.sessions[&id], &self.hub.people.sessions[&to]);
        let nick: Arc<str> = sender.nick.shown().into();
        let (ignored, away) = (other.ignores(sender), other.away_for(sender));
        // The sender is not told that `to` ignores it.
        let arrives = if ignored { Arrives::No } else { Arrives::Yes };
        if let Err(refusal) = self.hub.reach(id, to, &heard.text, arrives, self.now.mono) {
            return self.refuse(id, refusal);
        }
        self.hub.counters.private_messages += 1;
        let text = heard.text.clone();
        let other = self.hub.people.sessions.get_mut(&to).expect("the caller has it");
        let message = Message::PrivateTo { nick: other.nick.shown().into(), text, away };
        if !ignored && let Some(text) = heard.for_others() {
            other.private_from = Some(Box::new((id, nick.clone())));
            other.asking.expect_reply(self.now);
            let ring = self.hub.people.sessions[&to].bell;
            self.tell(to, Message::PrivateFrom { nick, text, ring });
        }
        self.hub.wrote_to(id, to);
        self.tell(id, message);
    }

    /// Keeps a private message that [`Self::heard`] has let pass, for the owner of the account
    /// `to`, who is not here.
    pub(super) fn whisper_later(&mut self, heard: Heard, to: AccountId) {
        let unheard = !heard.by_others();
        let Heard { from: id, text, .. } = heard;
        let (Some(session), Some(owner)) = (self.hub.people.sessions.get(&id), self.hub.accounts.get(to)) else {
            return;
        };
        let (from, nick) = (session.account, owner.name.shown().into());
        let Some(own) = from.and_then(|from| self.hub.accounts.get(from)) else { return };
        let (number, name) = (self.hub.memos.next_id(), own.name.shown().into());
        let origin = Some(Origin::of(session.peer.ip()));
        let memo = Memo { id: number, at: self.now.wall, to, from, session: id, name, text, unheard, origin };
        self.take_memo(id, nick, memo);
    }

    /// Invites `to` to the room whose name [`Self::heard`] has let pass.
    pub(super) fn ask_in(&mut self, heard: &Heard, to: SessionId) {
        if let Some(room) = heard.for_others() {
            let from = self.hub.people.sessions[&heard.from].nick.shown().into();
            self.tell(to, Message::Invitation { from, room });
        }
    }

    /// Tells `to` what it may do from now on (`on`), or no longer, in the room whose name
    /// [`Self::heard`] has let pass. A client that ignores the author is not told, nor is one that
    /// has been sent much already: both notice when they use the right.
    pub(super) fn tell_of_rights(&mut self, heard: &Heard, to: SessionId, rights: Rights, on: bool) {
        let (Some(author), Some(other)) =
            (self.hub.people.sessions.get(&heard.from), self.hub.people.sessions.get(&to))
        else {
            return;
        };
        let arrives = if other.ignores(author) { Arrives::No } else { Arrives::Yes };
        if self.hub.reach(heard.from, to, &heard.text, arrives, self.now.mono).is_ok()
            && arrives == Arrives::Yes
            && let Some(room) = heard.for_others()
        {
            let done = match rights {
                Rights::Voice => Done::Voice { room, on },
                Rights::Say => Done::YouModerate { room, on },
            };
            self.done(to, done);
        }
    }

    /// Tells `to` that it was sent out of `room`, with the reason if others may see it and `to` does
    /// not ignore its author.
    pub(super) fn tell_of_expulsion(&mut self, heard: Option<&Heard>, to: SessionId, room: Arc<str>) {
        let sessions = &self.hub.people.sessions;
        let is_ignored = |heard: &Heard| {
            let parties = sessions.get(&to).zip(sessions.get(&heard.from));
            parties.is_some_and(|(other, author)| other.ignores(author))
        };
        let reason = heard.filter(|heard| !is_ignored(heard)).and_then(Heard::for_others);
        self.done(to, Done::Expelled { room, reason });
    }

    /// The reason for an action. If the author is not heard, the action has no reason for others.
    pub(super) fn grounds(&mut self, id: SessionId, reason: Option<Arc<str>>) -> Grounds {
        let heard = reason.and_then(|reason| self.heard(id, Carrier::Grounds, &reason));
        heard.as_ref().map(Heard::grounds).unwrap_or_default()
    }

    /// Notes the reason of `id` for a deed, if only `id` is to see it.
    pub(super) fn note_grounds(&mut self, id: SessionId, deed: Deed, grounds: &Grounds) {
        if let Some(reason) = &grounds.unseen
            && let Some(session) = self.hub.people.sessions.get_mut(&id)
        {
            let known = &mut session.veil.get_or_insert_default().grounds;
            known.retain(|(other, _)| *other != deed);
            known.drain(..(known.len() + 1).saturating_sub(UNSEEN_GROUNDS));
            known.push((deed, reason.clone()));
        }
    }

    /// Marks `id` as away, for the reason that [`Self::heard`] has let pass; `None`: without a
    /// reason.
    pub(super) fn be_away(&mut self, id: SessionId, why: Option<&Heard>) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        session.away = Some(why.and_then(Heard::for_others).unwrap_or_else(|| "".into()));
        let unseen = why.filter(|why| !why.by_others()).map(|why| why.text.clone());
        if unseen.is_some() {
            session.veil.get_or_insert_default().away = unseen;
        } else if let Some(veil) = &mut session.veil {
            veil.away = None;
        }
    }

    /// The last words, or the words that go with another action, if others may see them.
    pub(super) fn words(heard: Option<&Heard>) -> Option<Arc<str>> {
        heard.and_then(Heard::for_others)
    }

    /// Sets the topic of the author's room to the text that [`Self::heard`] has let pass. A lone
    /// dash clears the topic.
    pub(super) fn set_topic_heard(&mut self, heard: Heard) {
        let Heard { from, text, audience } = heard;
        let text: Arc<str> = if &*text == "-" { "".into() } else { text };
        let session = &self.hub.people.sessions[&from];
        let room = session.room;
        if audience == Audience::All {
            return self.set_topic(room, Some(from), text, None);
        }
        let nick = Some(session.own_nick().shown().into());
        let set = self.hub.rooms.open[&room].topic_line.as_ref().map_or(0, |line| line.seq);
        let rooms = &self.hub.rooms.open;
        if let Some(session) = self.hub.people.sessions.get_mut(&from) {
            let veil = session.veil.get_or_insert_default();
            // So the lists grow to one topic for each open room at most.
            veil.topics.retain(|(id, _, _)| *id != room && rooms.contains_key(id));
            veil.topic_lines.retain(|(id, _)| *id != room && rooms.contains_key(id));
            veil.topics.push((room, set, text.clone()));
        }
        // For a room that is kept on disk, the answer to the author waits for a record, as it would
        // for a real topic.
        self.keep_lasting(room);
        let is_cleared = text.is_empty();
        let line = self.post_unheard(room, from, Said::Topic { nick, text }, true);
        if let Some(session) = self.hub.people.sessions.get_mut(&from).filter(|_| !is_cleared) {
            session.veil.get_or_insert_default().topic_lines.push((room, line));
        }
    }

    /// Clears the topic of `room` that `id` alone sees, and tells it as a room is told whose topic is redacted.
    pub(super) fn clear_unseen_topic(&mut self, id: SessionId, room: RoomId) {
        let veil = self.hub.people.sessions.get_mut(&id).and_then(|session| session.veil.as_mut());
        let Some(veil) = veil else { return };
        veil.topic_lines.retain(|(of, _)| *of != room);
        if let Some((_, _, topic)) = veil.topics.iter_mut().find(|(of, _, _)| *of == room) {
            *topic = "".into();
        }
        self.notice_unheard(room, id, Said::Topic { nick: None, text: "".into() });
    }

    /// Changes the modes of the room as [`Self::heard`] has allowed. If others must not hear of it,
    /// the modes change, and only the author is told.
    pub(super) fn set_modes_heard(&mut self, heard: &Heard, room: RoomId, change: Change, by: Option<By>) {
        let told = if heard.by_others() { Told::All } else { Told::Only(heard.from) };
        self.set_modes(room, change, Some(heard.from), by, told);
    }

    /// Gives the room to the account `to` as [`Self::heard`] has allowed. As with modes, only the
    /// author may be told.
    pub(super) fn give_room_heard(&mut self, heard: &Heard, room: RoomId, to: AccountId, by: Option<By>) {
        let told = if heard.by_others() { Told::All } else { Told::Only(heard.from) };
        self.give_room(room, to, Some(heard.from), by, told);
    }

    /// Tells `author` alone what a room would be told by the hub. In the room's history, the author alone finds it.
    pub(super) fn notice_unheard(&mut self, id: RoomId, author: SessionId, said: Said) {
        let line = Arc::new(Line {
            seq: self.hub.next_line,
            at: self.now.wall,
            author: Some(author),
            said,
            borne: super::ignore::Borne::default(),
            apart: None,
            origin: None,
        });
        self.hub.next_line += 1;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        if room.kept {
            room.history.push_unheard(line.clone(), &self.hub.settings.history);
        }
        self.tell(author, Message::Line(line));
    }

    /// Gives the author the name that [`Self::heard`] has let pass and [`Hub::may_bear`] has
    /// allowed.
    pub(super) fn rename_heard(&mut self, heard: &Heard, nick: Name) {
        let id = heard.from;
        if heard.by_others() { self.rename(id, nick, None, true) } else { self.bear_unseen(id, nick) }
    }

    /// Gives `id` a name that only it sees as its own, and that nobody else gets.
    pub(super) fn bear_unseen(&mut self, id: SessionId, nick: Name) {
        let session = &self.hub.people.sessions[&id];
        let (from, room) = (session.own_nick().clone(), session.room);
        // Others also go on seeing the former capitals.
        let is_public_one = session.nick.shown() == nick.shown();
        self.hub.put_off_unseen_name(id);
        if !is_public_one {
            // From now on, a client that wants this name, or one that looks like it, is told that
            // it is taken.
            self.hub.people.unseen.claim(&nick, id).ok();
            if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                session.veil.get_or_insert_default().nick = Some(nick.clone());
            }
        }
        if !self.hub.is_at_door(id) {
            let step = Step::Renamed { from: from.shown().into(), aloud: false };
            self.present(room, id, &nick.shown().into(), step);
        }
    }

    /// Opens a room with the name that [`Self::heard`] has let pass.
    pub(super) fn open_heard(&mut self, heard: &Heard, name: Name) -> RoomId {
        let id = self.open(name);
        if !heard.by_others() {
            if let Some(room) = self.hub.rooms.open.get_mut(&id) {
                room.unseen_of = Some(heard.from);
            }
            if let Some(session) = self.hub.people.sessions.get_mut(&heard.from) {
                // The veil makes `lift_veil` show this room to everybody when the mute has ended.
                session.veil.get_or_insert_default();
            }
        }
        id
    }

    /// Ends the veil of a client that is heard again: now everybody sees the name, the rooms and
    /// the reason for being away that it believed to have all the time. Lines that it said
    /// meanwhile stay unsaid.
    pub(super) fn lift_veil(&mut self, id: SessionId) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        // While another mute is in force, the client must not be heard by that name either.
        if session.veil.is_none() || session.muted(self.now).is_some() {
            return;
        }
        let Some(veil) = session.veil.clone() else { return };
        if session.away.is_some() && veil.away.is_some() {
            session.away = veil.away;
        }
        if let Some(nick) = veil.nick {
            self.rename(id, nick, None, true);
        }
        if let Some(session) = self.hub.people.sessions.get_mut(&id) {
            session.veil = None;
        }
        self.show_rooms_of(id);
    }

    /// Shows everybody the rooms that `id` knows of and hardly anybody else sees.
    fn show_rooms_of(&mut self, id: SessionId) {
        let hub = &*self.hub;
        let is_its = |room: &&Room| room.is_unseen() && hub.knows_unseen(id, room);
        let hidden: Vec<RoomId> = hub.rooms().filter(is_its).map(|room| room.id).collect();
        for room in hidden {
            self.show_room_to_all(room);
        }
    }
}

impl Hub {
    /// The rooms whose topic, as `id` alone sees it, is selected.
    pub(super) fn unseen_topics(&self, id: SessionId, what: &Selector) -> Vec<RoomId> {
        let Some(veil) = self.session(id).and_then(|session| session.veil.as_ref()) else { return Vec::new() };
        let is_meant = |(id, line): &&(RoomId, Arc<Line>)| {
            self.rooms.open.get(id).is_some_and(|room| {
                // A topic that somebody has set since has taken the place of this one.
                let last = room.topic_line.as_ref().map_or(0, |line| line.seq);
                let stands = veil.topics.iter().any(|(of, set, _)| (*of, *set) == (*id, last));
                stands && what.matches(room.name.folded(), line)
            })
        };
        veil.topic_lines.iter().filter(is_meant).map(|(id, _)| *id).collect()
    }

    /// Frees the name that `id` alone sees as its own.
    pub(super) fn put_off_unseen_name(&mut self, id: SessionId) {
        let Some(session) = self.people.sessions.get_mut(&id).filter(|session| session.veil.is_some()) else { return };
        if let Some(nick) = session.veil.as_mut().and_then(|veil| veil.nick.take()) {
            self.people.unseen.release(&nick);
        }
    }
}
