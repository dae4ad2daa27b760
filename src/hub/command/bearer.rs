//! Finding the person that a typed name stands for, before a command acts on them. If several
//! people bore the name, or its bearer has another name now, the caller is told so and asked.

use std::sync::Arc;

use super::super::account::Role;
use super::super::bearers::Bearer;
use super::super::message::{Done, Refusal, ShownBearer};
use super::super::work;
use super::{Call, SAY_AGAIN, addressed, clip};
use crate::values::id::SessionId;

/// The most people that are shown for one name.
const SHOWN: usize = 20;

/// The person that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nobody special: look the name up as always.
    AsEver,
    /// This client; it bears another name now.
    Renamed(SessionId),
    /// This client, one of several; the caller has confirmed it.
    Confirmed(SessionId),
}

impl Call<'_, '_> {
    /// The people that the name can stand for, as far as the caller may know. Who bears another
    /// name now is known to operators, and to those who saw the change because they are in the same
    /// room. Callers are not found by their own former names.
    fn bearers(&self, text: &str) -> Vec<Bearer<'_>> {
        let (hub, now) = (&*self.turn.hub, self.turn.now);
        let is_operator = hub.role(self.id) == Role::Operator;
        let own = self.own();
        let may_know = |bearer: &Bearer<'_>| match bearer {
            // To the caller, that person may appear under another name.
            Bearer::Here(session) => self.named(text) == Some(session.id),
            Bearer::Owner(session) => {
                session.id != self.id && session.at_door.is_none() && !session.is_renamed_unseen() && is_operator
            }
            Bearer::Renamed(session, _) => {
                let has_seen = is_operator || (session.room == own.room && !own.ignores(session));
                session.id != self.id && session.at_door.is_none() && has_seen
            }
            Bearer::Left(leaver) => is_operator || !leaver.at_door,
        };
        hub.bearers(addressed(text), now).into_iter().filter(may_know).collect()
    }

    /// What the caller is shown of a person that a name can stand for.
    fn shown(&self, bearer: &Bearer<'_>) -> ShownBearer {
        let hub = &*self.turn.hub;
        let is_operator = hub.role(self.id) == Role::Operator;
        ShownBearer {
            id: is_operator.then(|| bearer.id()),
            nick: bearer.nick().shown().into(),
            is_here: bearer.is_here(),
            ago: bearer.ago(self.turn.now),
            from: is_operator.then(|| hub.told_apart(bearer.account(), bearer.addr())),
        }
    }

    /// The other people that the name can stand for, besides `but`. Operators are shown them when
    /// they look at one person.
    pub(super) fn others_of_that_name(&self, text: &str, but: SessionId) -> Vec<ShownBearer> {
        let others = self.bearers(text);
        others.iter().filter(|one| one.id() != but).take(SHOWN).map(|one| self.shown(one)).collect()
    }

    /// The person who bears another name now, if the name can stand for nobody else. Tells the
    /// caller the present name.
    pub(super) fn renamed(&mut self, text: &str) -> Option<SessionId> {
        let found = self.bearers(text);
        let [Bearer::Renamed(session, _)] = *found.as_slice() else { return None };
        let (id, nick) = (session.id, self.label(session));
        self.done(Done::NowCalled { name: clip(addressed(text)), nick });
        Some(id)
    }

    /// The present name of the only person here who bore that name recently.
    pub(super) fn now_called(&self, text: &str) -> Option<Refusal> {
        let found = self.bearers(text);
        let here: Vec<_> = found.iter().filter(|one| one.is_here()).collect();
        let [Bearer::Renamed(session, _)] = *here.as_slice() else { return None };
        Some(Refusal::NowCalled { name: clip(addressed(text)), nick: self.label(session) })
    }

    /// The person that `text` stands for, before a command acts on them. `None`: the caller was
    /// told what is unclear, and nothing is done.
    ///
    /// `line` is what the caller typed; to confirm, it repeats that line. Where several people bore
    /// the name, an operator has to give a client number, unless the present bearer is the only one
    /// still here. Other callers know no numbers: if they repeat the line, the name stands for its
    /// present bearer, else its last one.
    pub(super) fn means(&mut self, text: &str, line: &str) -> Option<Named> {
        let name = clip(addressed(text));
        self.turn.hub.work.done += work::SEEN;
        let found = self.bearers(text);
        let (one, several) = match found.as_slice() {
            [] | [Bearer::Here(_) | Bearer::Owner(_) | Bearer::Left(_)] => return Some(Named::AsEver),
            [one] => (*one, false),
            [first, ..] => (*first, true),
        };
        let id = one.id();
        let is_operator = self.turn.hub.role(self.id) == Role::Operator;
        // The present bearer may be the person who left, back from another address; if a former
        // bearer is here as well, they are two people.
        let has_come_back = matches!(one, Bearer::Here(_)) && found[1..].iter().all(|one| !one.is_here());
        let may_confirm = !several || !is_operator || has_come_back;
        if may_confirm && self.has_confirmed(line, id) {
            return Some(if several { Named::Confirmed(id) } else { Named::Renamed(id) });
        }
        let refusal = if several {
            let people: Vec<_> = found.iter().take(SHOWN).map(|one| self.shown(one)).collect();
            Refusal::SeveralBore { name, people, count: found.len(), first: may_confirm }
        } else {
            let Bearer::Renamed(session, _) = one else { return Some(Named::AsEver) };
            Refusal::NowCalled { name, nick: self.label(session) }
        };
        self.refuse(refusal);
        if may_confirm {
            if !several {
                self.refuse(Refusal::SayAgain);
            }
            let now = self.turn.now.mono;
            self.turn.hub.moderation.asked.insert(self.id, (format!("{line}\n{}\n", id.0), now));
        }
        None
    }

    /// The client that `text` stands for, if it bears another name now. `None`: the name can stand
    /// for several people, and the caller was told so.
    pub(super) fn means_to_look_at(&mut self, text: &str) -> Option<Option<SessionId>> {
        let found = self.bearers(text);
        if found.len() < 2 {
            return Some(self.renamed(text));
        }
        let people = found.iter().take(SHOWN).map(|one| self.shown(one)).collect();
        let (name, count) = (clip(addressed(text)), found.len());
        self.refuse(Refusal::SeveralBore { name, people, count, first: false });
        None
    }

    /// The client that `text` stands for in a command that only shows something, if nobody bears
    /// the name and a person here bore it. `None`: several people here did, and the caller was told
    /// so.
    pub(super) fn means_to_see(&mut self, text: &str) -> Option<Option<SessionId>> {
        if self.named(text).is_some() {
            return Some(None);
        }
        if self.bearers(text).iter().filter(|one| one.is_here()).count() < 2 {
            return Some(self.renamed(text));
        }
        self.means_to_look_at(text)
    }

    /// Whether the caller gave this line at most [`SAY_AGAIN`] ago, and was told that it means
    /// `who`. The question is kept: another check may ask about the same line.
    fn has_confirmed(&self, line: &str, who: SessionId) -> bool {
        let asked = self.turn.hub.moderation.asked.get(&self.id);
        asked.is_some_and(|(asked, at)| {
            let rest = asked.strip_prefix(line).and_then(|rest| rest.strip_prefix('\n'));
            let told = rest.and_then(|rest| rest.split_once('\n')).map(|(told, _)| told);
            told == Some(who.0.to_string().as_str()) && self.turn.now.mono.since(*at) <= SAY_AGAIN
        })
    }

    /// The person here that `text` stands for, before a command acts on them. Tells the caller if
    /// there is nobody, or if it is unclear.
    pub(super) fn person_meant(&mut self, text: &str, line: &str) -> Option<SessionId> {
        match self.means(text, line)? {
            Named::AsEver => self.person(text),
            Named::Renamed(id) | Named::Confirmed(id) if self.turn.hub.session(id).is_some() => {
                self.turn.hub.moderation.asked.remove(&self.id);
                Some(id)
            }
            Named::Renamed(_) | Named::Confirmed(_) => self.person(text),
        }
    }

    /// The line that the caller has typed, in the form in which a repetition is recognised.
    pub(super) fn line(&self, args: &str) -> Arc<str> {
        format!("{} {args}", self.command.name).into()
    }
}
