//! Whom a name means, where something is done to them: the caller is told where it can mean several, or somebody who
//! bears another name by now.

use std::sync::Arc;

use super::super::account::Role;
use super::super::bearers::Bearer;
use super::super::message::{Done, Refusal, ShownBearer};
use super::super::work;
use super::{Call, SAY_AGAIN, addressed, clip};
use crate::values::id::SessionId;

/// The most people of one name who are shown.
const SHOWN: usize = 20;

/// Whom a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nobody but those whom the name finds anyway.
    AsEver,
    /// This client, which bears another name by now.
    Renamed(SessionId),
    /// This client, of several, as the caller has confirmed.
    Confirmed(SessionId),
}

impl Call<'_, '_> {
    /// Whom the name can mean, as far as the caller may know. What others are called now is for operators, and for
    /// those who have seen it: who is in the same room. Oneself is not found by what one was called.
    fn bearers(&self, text: &str) -> Vec<Bearer<'_>> {
        let (hub, now) = (&*self.turn.hub, self.turn.now);
        let is_operator = hub.role(self.id) == Role::Operator;
        let own = self.own();
        let may_know = |bearer: &Bearer<'_>| match bearer {
            // In the caller's own eyes, it may bear another name.
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

    /// What the caller is told of somebody whom a name can mean.
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

    /// Those whom the name means besides who bears it: told to operators who look at that one.
    pub(super) fn others_of_that_name(&self, text: &str, but: SessionId) -> Vec<ShownBearer> {
        let others = self.bearers(text);
        others.iter().filter(|one| one.id() != but).take(SHOWN).map(|one| self.shown(one)).collect()
    }

    /// The only one whom the name can mean, if that one is here and bears another name by now. The caller is told.
    pub(super) fn renamed(&mut self, text: &str) -> Option<SessionId> {
        let found = self.bearers(text);
        let [Bearer::Renamed(session, _)] = *found.as_slice() else { return None };
        let (id, nick) = (session.id, self.label(session));
        self.done(Done::NowCalled { name: clip(addressed(text)), nick });
        Some(id)
    }

    /// What the only one is called now who bore the name of late, if they are here.
    pub(super) fn now_called(&self, text: &str) -> Option<Refusal> {
        let found = self.bearers(text);
        let here: Vec<_> = found.iter().filter(|one| one.is_here()).collect();
        let [Bearer::Renamed(session, _)] = *here.as_slice() else { return None };
        Some(Refusal::NowCalled { name: clip(addressed(text)), nick: self.label(session) })
    }

    /// Whom `text` means, where something is done to them; `None`: the caller was told what is unclear, and nothing is
    /// done. `line` is what it has typed, to be said again. Operators name one of several by number, unless one is here
    /// and the others have left. Others know no numbers: said again, a name means who bears it now, else who bore it
    /// last.
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
        // Who bears the name now may be the one who left, from another address; not the one who is here besides.
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

    /// The one that bears another name by now, if `text` means that one; `None`: it can mean several, and the caller was
    /// told so.
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

    /// Whom somebody looks at: the one that bears another name by now, if nobody bears that one. `None`: several did,
    /// and the caller was told so.
    pub(super) fn means_to_see(&mut self, text: &str) -> Option<Option<SessionId>> {
        if self.named(text).is_some() {
            return Some(None);
        }
        if self.bearers(text).iter().filter(|one| one.is_here()).count() < 2 {
            return Some(self.renamed(text));
        }
        self.means_to_look_at(text)
    }

    /// Whether the caller has given that line a moment ago, and was told that it means `who`. It is left in place: more
    /// may be asked about the same line.
    fn has_confirmed(&self, line: &str, who: SessionId) -> bool {
        let asked = self.turn.hub.moderation.asked.get(&self.id);
        asked.is_some_and(|(asked, at)| {
            let rest = asked.strip_prefix(line).and_then(|rest| rest.strip_prefix('\n'));
            let told = rest.and_then(|rest| rest.split_once('\n')).map(|(told, _)| told);
            told == Some(who.0.to_string().as_str()) && self.turn.now.mono.since(*at) <= SAY_AGAIN
        })
    }

    /// Whom `text` means of those who are here, where something is done to them. The caller is told if it is nobody, or
    /// unclear.
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

    /// The line that the caller has typed, as it is said again.
    pub(super) fn line(&self, args: &str) -> Arc<str> {
        format!("{} {args}", self.command.name).into()
    }
}
