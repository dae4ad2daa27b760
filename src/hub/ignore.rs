//! Ignoring people by name: those who bear an ignored name, and those who have borne it since it was ignored.
//!
//! Each ignored name has a number. A session that takes such a name bears its number from then on, and so do the lines
//! it says; a line is hidden from a reader that ignores one of its numbers. So a name is taken with one look-up,
//! however many people ignore it, and a reader's filter changes only when its own person changes it.

use super::Turn;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::{Line, Refusal};
use super::session::Session;
use super::{Effect, Hub};
use crate::values::id::SessionId;
use crate::values::name;

/// The most ignored names that a session is known to have borne. Taking more of them drops the first, which hides no
/// more than connecting again would.
const REMEMBERED: usize = 16;

/// An ignored person in a client's list: a name, and the sessions that bore it when it was ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ignored {
    /// The name, folded.
    pub folded: Box<str>,
    /// The name, as its bearer spelt it.
    pub shown: Arc<str>,
    /// The sessions that bore it when it was ignored; those that have ended are removed from time to time.
    pub sessions: BTreeSet<SessionId>,
    /// The number of the name; 0 in a snapshot of a release that gave names no numbers.
    #[serde(default)]
    pub name: u64,
    /// The moment at which it was ignored: a session that gave the name up before is not meant.
    #[serde(default)]
    pub since: u64,
}

/// An ignored name, in a reader's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shunned {
    /// The number of the name.
    pub name: u64,
    /// The moment at which it was ignored.
    pub since: u64,
}

/// An ignored name that a session bears or has borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bearing {
    name: u64,
    /// The moment at which the session gave it up; `None` while it bears the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl Bearing {
    fn is_meant(self, since: u64) -> bool {
        self.until.is_none_or(|until| until > since)
    }
}

/// The ignored names that a session bears or has borne. Each of its lines has a clone, which shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Borne(Option<Arc<[Bearing]>>);

impl Borne {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn bearings(&self) -> &[Bearing] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether a reader that ignores `names`, in rising order, is not to see it.
    #[must_use]
    pub fn is_hidden_by(&self, names: &[Shunned]) -> bool {
        self.bearings().iter().any(|bearing| {
            let found = names.binary_search_by_key(&bearing.name, |shunned| shunned.name);
            found.is_ok_and(|at| bearing.is_meant(names[at].since))
        })
    }

    fn is_meant_by(&self, ignored: &Ignored) -> bool {
        self.bearings().iter().any(|bearing| bearing.name == ignored.name && bearing.is_meant(ignored.since))
    }

    /// Adds a name that the session bears from now on. If there are too many, names that nobody ignores any more go
    /// first.
    fn take_up(&mut self, name: u64, is_ignored: impl Fn(u64) -> bool) {
        let others = self.bearings().iter().copied().filter(|bearing| bearing.name != name);
        let mut all: Vec<_> = others.chain([Bearing { name, until: None }]).collect();
        if all.len() > REMEMBERED {
            all.retain(|bearing| is_ignored(bearing.name));
        }
        let over = all.len().saturating_sub(REMEMBERED);
        self.0 = Some(all.drain(over..).collect());
    }

    fn still(&self) -> bool {
        self.bearings().iter().any(|bearing| bearing.until.is_none())
    }

    /// The session gives its name up at the moment `now`.
    fn lay_down(&mut self, now: u64) {
        let ended = |bearing: &Bearing| Bearing { until: bearing.until.or(Some(now)), ..*bearing };
        self.0 = Some(self.bearings().iter().map(ended).collect());
    }
}

/// The names that anybody ignores: at most as many as all lists of all people have together.
#[derive(Clone, Debug)]
pub(super) struct IgnoredNames {
    /// By the folded name: its number, and how many ignore it.
    names: BTreeMap<Box<str>, (u64, usize)>,
    numbers: BTreeSet<u64>,
    /// The next number of a name, or moment: each is given once.
    pub(super) next: u64,
}

impl IgnoredNames {
    pub(super) fn new(next: u64) -> Self {
        Self { names: BTreeMap::new(), numbers: BTreeSet::new(), next: next.max(1) }
    }

    fn moment(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn number(&self, folded: &str) -> Option<u64> {
        self.names.get(folded).map(|(number, _)| *number)
    }

    /// One more person ignores that name. Returns its number.
    fn add(&mut self, folded: &str) -> u64 {
        if let Some((number, count)) = self.names.get_mut(folded) {
            *count += 1;
            return *number;
        }
        let number = self.moment();
        self.names.insert(folded.into(), (number, 1));
        self.numbers.insert(number);
        number
    }

    /// One person fewer ignores that name.
    fn remove(&mut self, ignored: &Ignored) {
        if let Some((number, count)) = self.names.get_mut(&ignored.folded)
            && *number == ignored.name
        {
            *count -= 1;
            if *count == 0 {
                self.names.remove(&ignored.folded);
                self.numbers.remove(&ignored.name);
            }
        }
    }

    /// Counts an ignored name that was read from a snapshot.
    ///
    /// # Errors
    /// If its number does not fit to the others.
    pub(super) fn revive(&mut self, ignored: &Ignored) -> Result<(), String> {
        if ignored.name == 0 {
            return Ok(());
        }
        if ignored.name >= self.next || ignored.since >= self.next {
            return Err(format!("a name is ignored by number {}, which is yet to come", ignored.name));
        }
        let (number, count) = self.names.entry(ignored.folded.clone()).or_insert((ignored.name, 0));
        *count += 1;
        self.numbers.insert(ignored.name);
        if *number == ignored.name { Ok(()) } else { Err("an ignored name has two numbers".to_owned()) }
    }

    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.numbers.clear();
    }
}

impl Session {
    /// Whether it ignores the session `other`.
    #[must_use]
    pub fn ignores(&self, other: &Self) -> bool {
        self.ignoring.iter().any(|ignored| ignored.sessions.contains(&other.id) || other.borne.is_meant_by(ignored))
    }

    fn shunned(&self) -> Vec<Shunned> {
        let numbered = self.ignoring.iter().filter(|ignored| ignored.name > 0);
        let mut names: Vec<_> = numbered.map(|ignored| Shunned { name: ignored.name, since: ignored.since }).collect();
        names.sort_unstable();
        names
    }
}

/// Says which lines of history are hidden from one client; their authors may have left since, or bear other names. Made
/// once for all lines of an answer.
pub(super) struct Blinkers<'a> {
    hub: &'a Hub,
    reader: &'a Session,
    names: Vec<Shunned>,
    /// Whether an author's lines under a name are hidden, as far as that was found out.
    known: BTreeMap<(Option<SessionId>, &'a str), bool>,
}

impl<'a> Blinkers<'a> {
    /// Whether that line is hidden.
    pub(super) fn hide(&mut self, line: &'a Line) -> bool {
        if self.reader.ignoring.is_empty() || !line.said.is_of_a_person() {
            return false;
        }
        if line.borne.is_hidden_by(&self.names) {
            return true;
        }
        let nick = line.said.nick();
        *self.known.entry((line.author, nick)).or_insert_with(|| {
            let folded = name::fold(nick);
            let author = line.author;
            let is_ignored = |ignored: &Ignored| {
                *ignored.folded == *folded || author.is_some_and(|author| ignored.sessions.contains(&author))
            };
            let author = author.and_then(|author| self.hub.session(author));
            self.reader.ignoring.iter().any(is_ignored)
                || author.is_some_and(|author| author.borne.is_hidden_by(&self.names))
        })
    }
}

impl Hub {
    /// Says which lines of history are hidden from `reader`.
    pub(super) fn blinkers<'a>(&'a self, reader: &'a Session) -> Blinkers<'a> {
        Blinkers { hub: self, reader, names: reader.shunned(), known: BTreeMap::new() }
    }

    /// The `lines` of history that are not hidden from `reader`.
    pub(super) fn shown_to(&self, reader: &Session, lines: Arc<[Arc<Line>]>) -> Arc<[Arc<Line>]> {
        let mut blinkers = self.blinkers(reader);
        let hidden: Vec<bool> = lines.iter().map(|line| blinkers.hide(line)).collect();
        if !hidden.contains(&true) {
            // What all are shown is rendered once.
            return lines;
        }
        lines.iter().zip(hidden).filter(|(_, hidden)| !hidden).map(|(line, _)| line.clone()).collect()
    }

    /// `id` has taken a name: if it is ignored, `id` bears its number.
    pub(super) fn take_up_name(&mut self, id: SessionId) {
        let Some(session) = self.people.sessions.get_mut(&id) else { return };
        if let Some(number) = self.people.ignored.number(session.nick.folded()) {
            session.borne.take_up(number, |number| self.people.ignored.numbers.contains(&number));
        }
    }

    /// `id` gives up its name.
    pub(super) fn lay_down_name(&mut self, id: SessionId) {
        if let Some(session) = self.people.sessions.get_mut(&id)
            && session.borne.still()
        {
            session.borne.lay_down(self.people.ignored.moment());
        }
    }

    /// `session` has ended: it ignores nobody any more.
    pub(super) fn ignores_no_more(&mut self, session: &Session) {
        for ignored in &session.ignoring {
            self.people.ignored.remove(ignored);
        }
    }

    /// Panics if the names do not fit to the lists.
    pub(super) fn check_ignored(&self) {
        let mut counted: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
        for ignored in self.sessions().flat_map(|session| &session.ignoring).filter(|ignored| ignored.name > 0) {
            let (number, count) = counted.entry(&ignored.folded).or_insert((ignored.name, 0));
            assert_eq!(*number, ignored.name, "a name has one number");
            *count += 1;
        }
        assert_eq!(counted.len(), self.people.ignored.names.len(), "what nobody ignores has no number");
        assert!(counted.values().all(|(number, _)| self.people.ignored.numbers.contains(number)));
        assert_eq!(counted.len(), self.people.ignored.numbers.len(), "each name has its own number");
        for (folded, counted) in counted {
            assert_eq!(self.people.ignored.names.get(folded), Some(&counted), "those who ignore {folded} are counted");
            if let Some(bearer) = self.find(folded) {
                let borne = &self.people.sessions[&bearer].borne;
                let is_known = |bearing: &Bearing| bearing.name == counted.0 && bearing.until.is_none();
                assert!(borne.bearings().iter().any(is_known), "who bears {folded} bears its number");
            }
        }
        for session in self.sessions() {
            assert!(session.borne.bearings().len() <= REMEMBERED, "names that were borne are bounded");
        }
    }
}

impl Turn<'_> {
    /// `id` ignores `other` from now on, by the name that it bears.
    pub(super) fn ignore(&mut self, id: SessionId, other: SessionId) -> Result<(), Refusal> {
        let nick = self.hub.people.sessions[&other].nick.clone();
        let limit = self.hub.settings.limits.ignores;
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return Ok(()) };
        if session.ignoring.iter().any(|ignored| *ignored.folded == *nick.folded()) {
            // The name is ignored already.
            return Ok(());
        }
        if session.ignoring.len() >= limit {
            return Err(Refusal::TooManyIgnored(limit));
        }
        let name = self.hub.people.ignored.add(nick.folded());
        let since = self.hub.people.ignored.moment();
        let sessions = BTreeSet::from([other]);
        session.ignoring.push(Ignored {
            folded: nick.folded().into(),
            shown: nick.shown().into(),
            sessions,
            name,
            since,
        });
        self.hub.take_up_name(other);
        self.hide(id);
        Ok(())
    }

    /// `id` no longer ignores `text`: an ignored name, or the present name of an ignored person. Returns whether it
    /// ignored that.
    pub(super) fn unignore(&mut self, id: SessionId, text: &str) -> bool {
        let folded = name::fold(text);
        let bearer = self.hub.find(text);
        let borne = bearer.map(|bearer| self.hub.people.sessions[&bearer].borne.clone()).unwrap_or_default();
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let mut ignoring = std::mem::take(&mut session.ignoring);
        let mut found = false;
        ignoring.retain_mut(|ignored| {
            let by_name = *ignored.folded == *folded;
            // An ignored person is also found by the name they have now. The ignored name itself is kept for as long as
            // somebody else is meant by it.
            let by_bearer = bearer.is_some_and(|bearer| ignored.sessions.remove(&bearer)) || borne.is_meant_by(ignored);
            found |= by_name || by_bearer;
            if !by_name && by_bearer {
                ignored.sessions.retain(|session| self.hub.people.sessions.contains_key(session));
                ignored.sessions.extend(self.hub.people.names.find(&ignored.folded).filter(|other| *other != id));
                if !ignored.sessions.is_empty() {
                    ignored.since = self.hub.people.ignored.moment();
                    return true;
                }
            }
            if by_name || by_bearer {
                self.hub.people.ignored.remove(ignored);
            }
            !(by_name || by_bearer)
        });
        if let Some(session) = self.hub.people.sessions.get_mut(&id) {
            session.ignoring = ignoring;
        }
        if found {
            self.hide(id);
        }
        found
    }

    /// Sends the filter of `id` to the rounds: what is hidden from it.
    pub(super) fn hide(&mut self, id: SessionId) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        let quiet = session.quiet;
        if session.ignoring.is_empty() {
            let (ignored, names) = (self.hub.people.no_one.clone(), self.hub.people.no_name.clone());
            return self.effects.push(Effect::Hide { session: id, quiet, ignored, names });
        }
        let mut ignoring = std::mem::take(&mut session.ignoring);
        let mut hidden = BTreeSet::new();
        for ignored in &mut ignoring {
            // Sessions that have ended are removed, so nobody can make the list grow by coming and going.
            ignored.sessions.retain(|session| self.hub.people.sessions.contains_key(session));
            hidden.extend(ignored.sessions.iter().copied());
        }
        let session = self.hub.people.sessions.get_mut(&id).expect("it was there");
        session.ignoring = ignoring;
        let (ignored, names) = (hidden.into_iter().collect(), session.shunned().into());
        self.effects.push(Effect::Hide { session: id, quiet, ignored, names });
    }

    /// Gives numbers to ignored names in a snapshot of a release that gave them none.
    pub(super) fn number_ignored(&mut self) {
        let unnumbered = |session: &&Session| session.ignoring.iter().any(|ignored| ignored.name == 0);
        let ids: Vec<_> = self.hub.sessions().filter(unnumbered).map(|session| session.id).collect();
        for id in ids {
            let Some(session) = self.hub.people.sessions.get_mut(&id) else { continue };
            let mut ignoring = std::mem::take(&mut session.ignoring);
            for ignored in ignoring.iter_mut().filter(|ignored| ignored.name == 0) {
                ignored.name = self.hub.people.ignored.add(&ignored.folded);
                ignored.since = self.hub.people.ignored.moment();
                if let Some(bearer) = self.hub.people.names.find(&ignored.folded) {
                    self.hub.take_up_name(bearer);
                }
            }
            if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                session.ignoring = ignoring;
            }
            self.hide(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, News, message::Message, message::Said};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::Now;

    struct Stage {
        hub: Hub,
        next: u64,
    }

    impl Stage {
        fn new() -> Self {
            let hub = Hub::new(Settings::default(), [7; 16], Now::default(), &mut Vec::new());
            Self { hub, next: 1 }
        }

        fn comes(&mut self, nick: &str) -> SessionId {
            let session = SessionId(self.next);
            self.next += 1;
            let port = u16::try_from(session.0).expect("few");
            let peer = ([192, 0, 2, 1], port).into();
            self.hub.handle(Input::Connect { session, peer }, Now::default(), &mut Vec::new());
            self.says(session, &format!("/nick {nick}"));
            session
        }

        fn says(&mut self, session: SessionId, text: &str) -> Vec<Effect> {
            let mut effects = Vec::new();
            self.hub.handle(Input::Line { session, text: text.to_owned() }, Now::default(), &mut effects);
            effects
        }

        /// Whether a line that `author` says now is hidden from `reader`: by what the carrier was told, by a
        /// replay, and for what is private.
        #[track_caller]
        fn hides(&mut self, reader: SessionId, author: SessionId) -> bool {
            let spoken = self.says(author, "hi there");
            let line = spoken.iter().find_map(|effect| match effect {
                Effect::Post { line, .. } if matches!(line.said, Said::Say { .. }) => Some(line.clone()),
                _ => None,
            });
            let line = line.expect("it is said");
            let mut effects = Vec::new();
            self.hub.turn(Now::default(), &mut effects).hide(reader);
            let Some(Effect::Hide { ignored, names, .. }) = effects.pop() else { panic!("people are hidden") };
            let by_carrier = ignored.contains(&author) || line.borne.is_hidden_by(&names);
            let reader = &self.hub.people.sessions[&reader];
            assert_eq!(self.hub.blinkers(reader).hide(&line), by_carrier, "a replay shows what was shown");
            assert_eq!(reader.ignores(&self.hub.people.sessions[&author]), by_carrier, "and so it is in private");
            by_carrier
        }
    }

    #[test]
    fn who_bears_the_name_is_hidden_and_whoever_bore_it_since() {
        let mut stage = Stage::new();
        let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
        stage.says(ann, "/ignore bob");
        assert!(stage.hides(ann, bob) && !stage.hides(ann, eve));
        stage.says(bob, "/nick rob");
        assert!(stage.hides(ann, bob), "another name does not help");
        stage.says(eve, "/nick Bob");
        assert!(stage.hides(ann, eve), "who takes it is meant");
        stage.says(eve, "/nick eve");
        assert!(stage.hides(ann, eve), "and stays so");
        let later = stage.comes("bob");
        assert!(stage.hides(ann, later));
        assert!(!stage.hides(eve, later), "by those who have said so");
        stage.hub.check_invariants();
    }

    #[test]
    fn who_bore_the_name_before_it_was_ignored_is_not_meant() {
        let mut stage = Stage::new();
        let [ann, bob, eve, zoe] = ["ann", "bob", "eve", "zoe"].map(|nick| stage.comes(nick));
        // Somebody else ignores it, so that its number is there.
        stage.says(zoe, "/ignore bob");
        stage.says(bob, "/nick rob");
        stage.says(eve, "/nick bob");
        stage.says(ann, "/ignore bob");
        assert!(stage.hides(ann, eve));
        assert!(!stage.hides(ann, bob) && stage.hides(zoe, bob));
    }

    #[test]
    fn who_is_let_off_by_another_name_is_and_others_are_not() {
        let mut stage = Stage::new();
        let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
        stage.says(ann, "/ignore bob");
        stage.says(bob, "/nick rob");
        stage.says(eve, "/nick bob");
        stage.says(ann, "/unignore rob");
        assert!(!stage.hides(ann, bob) && stage.hides(ann, eve));
        stage.says(eve, "/nick eve");
        assert!(stage.hides(ann, eve));
        stage.says(ann, "/unignore eve");
        assert!(!stage.hides(ann, eve));
        assert!(stage.hub.people.sessions[&ann].ignoring.is_empty(), "the last to bear a name takes it along");
        assert!(stage.hub.people.ignored.names.is_empty());
        stage.hub.check_invariants();
    }

    #[test]
    fn what_follows_from_a_name_does_not_depend_on_who_ignores_it() {
        let effects_with = |ignorers: usize| {
            let mut stage = Stage::new();
            let [bob, eve] = ["bob", "eve"].map(|nick| stage.comes(nick));
            for at in 0..ignorers {
                let ignorer = stage.comes(&format!("crowd{at}"));
                for name in ["bob", "eve"] {
                    stage.says(ignorer, &format!("/ignore {name}"));
                }
                // They are elsewhere, where they hear nothing of it.
                stage.says(ignorer, "/join elsewhere");
            }
            let mut counts = vec![stage.says(bob, "/nick rob").len(), stage.says(eve, "/nick bob").len()];
            counts.push(stage.says(eve, "hi").len());
            let mut effects = Vec::new();
            let (session, peer) = (SessionId(stage.next), ([192, 0, 2, 2], 1).into());
            stage.hub.handle(Input::Connect { session, peer }, Now::default(), &mut effects);
            counts.push(effects.len());
            stage.hub.check_invariants();
            counts
        };
        // Of their coming, the lobby is told once in both.
        assert_eq!(effects_with(30), effects_with(60));
    }

    #[test]
    fn names_that_were_borne_are_bounded_and_the_present_one_is_kept() {
        let mut stage = Stage::new();
        let [ann, bob] = ["ann", "name0"].map(|nick| stage.comes(nick));
        stage.hub.settings.pace.shown = 100;
        for at in 1..=REMEMBERED + 3 {
            stage.says(ann, &format!("/ignore name{}", at - 1));
            stage.says(bob, &format!("/nick name{at}"));
        }
        stage.says(ann, &format!("/ignore name{}", REMEMBERED + 3));
        let borne = &stage.hub.people.sessions[&bob].borne;
        assert_eq!(borne.bearings().len(), REMEMBERED);
        assert!(borne.still());
        assert!(stage.hides(ann, bob));
        stage.hub.check_invariants();
    }

    #[test]
    fn what_a_release_without_numbers_has_kept_goes_on() {
        let mut stage = Stage::new();
        let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
        stage.says(ann, "/ignore bob");
        stage.says(bob, "/nick rob");
        let mut kept = serde_json::to_value(&stage.hub).expect("plain");
        kept.as_object_mut().expect("fields").remove("next_moment");
        for session in kept["sessions"].as_array_mut().expect("a list") {
            session.as_object_mut().expect("fields").remove("borne");
            for ignored in session.get_mut("ignoring").and_then(|list| list.as_array_mut()).into_iter().flatten() {
                ignored.as_object_mut().expect("fields").retain(|key, _| key != "name" && key != "since");
            }
        }
        stage.hub = serde_json::from_value(kept).expect("it is read");
        let mut effects = Vec::new();
        stage.hub.handle(News::Archive(None), Now::default(), &mut effects);
        assert!(matches!(&*effects, [Effect::Hide { session, names, .. }] if *session == ann && names.len() == 1));
        assert!(stage.hides(ann, bob) && !stage.hides(ann, eve));
        stage.says(eve, "/nick bob");
        assert!(stage.hides(ann, eve));
        // And what this one keeps.
        let kept = serde_json::to_string(&stage.hub).expect("plain");
        stage.hub = serde_json::from_str(&kept).expect("it is read");
        effects.clear();
        stage.hub.handle(News::Archive(None), Now::default(), &mut effects);
        assert!(effects.is_empty());
        assert!(stage.hides(ann, eve));
        stage.says(eve, "/nick eve");
        assert!(stage.hides(ann, eve));
        stage.hub.check_invariants();
    }

    #[test]
    fn a_list_in_which_numbers_do_not_fit_is_not_believed() {
        let mut stage = Stage::new();
        let [ann, _, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
        stage.says(ann, "/ignore bob");
        stage.says(eve, "/ignore bob");
        let kept = serde_json::to_value(&stage.hub).expect("plain");
        for (field, value) in [("name", 9_999_u64), ("since", 9_999), ("name", 2)] {
            let mut wrong = kept.clone();
            wrong["sessions"][0]["ignoring"][0][field] = value.into();
            assert!(serde_json::from_value::<Hub>(wrong).is_err(), "{field} {value}");
        }
    }

    #[test]
    fn who_ignores_is_told_nothing_in_private_either() {
        let mut stage = Stage::new();
        let [ann, bob] = ["ann", "bob"].map(|nick| stage.comes(nick));
        stage.says(ann, "/ignore bob");
        stage.says(bob, "/nick rob");
        let told = stage.says(bob, "/msg ann psst");
        assert!(told.iter().any(|effect| matches!(effect, Effect::Tell { message: Message::PrivateTo { .. }, .. })));
        assert!(!told.iter().any(|effect| matches!(effect, Effect::Tell { to, .. } if *to == ann)));
    }
}
