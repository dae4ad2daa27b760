//! Sanctions follow a person who changes their name, or logs in or out.

use std::collections::BTreeMap;

use crate::hub::archive::Record;
use crate::hub::sanction::{Kind, Order, Sanction, Target};
use crate::hub::{Hub, Turn};
use crate::values::id::{SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::time::Now;

impl Hub {
    /// The mutes and expulsions in force about a client by its names or its account. Sanctions
    /// about an address do not follow the client: they are about everybody who connects from there.
    pub(in crate::hub) fn kept_from(&self, id: SessionId, now: Now) -> Vec<Sanction> {
        let sanctions = &self.moderation.sanctions;
        if sanctions.len() == sanctions.count(&Kind::Ban) {
            return Vec::new();
        }
        let Some(session) = self.session(id) else { return Vec::new() };
        let account = session.account.and_then(|account| self.accounts.get(account));
        let names = account.map(|account| &account.name).into_iter().chain([&session.nick]);
        let by_name = names.flat_map(|name| sanctions.of_name(name, now));
        let by_pattern = self.by_pattern(session, self.called(session), now);
        let about = by_name.chain(by_pattern).filter(|one| one.kind != Kind::Ban);
        let about: BTreeMap<SanctionId, &Sanction> = about.map(|one| (one.id, one)).collect();
        about.into_values().cloned().collect()
    }
}

impl Turn<'_> {
    /// Carries over the sanctions of a client that has changed its name, or logged in or out.
    /// `before` is the result of [`Hub::kept_from`] before the change.
    ///
    /// A sanction that is no longer about the client is made anew for its present name and account.
    /// If there is one about these already, the one that ends later stays. The new sanction has the
    /// same beginning as the old one, so that lifting either lifts both, and the old one's number
    /// if that is free.
    pub(in crate::hub) fn stay_kept_from(&mut self, id: SessionId, before: Vec<Sanction>) {
        let mut gone = Vec::new();
        for sanction in before {
            let Some(session) = self.hub.session(id) else { return };
            let is_about_them = self.hub.sanctions_of(session, self.now).any(|one| one.id == sanction.id);
            // An account made after the sanction belongs to the same person, so it needs a sanction
            // of its own: otherwise logging in to it from another address would get around the
            // sanction.
            let account = session.account.and_then(|account| self.hub.accounts.get(account));
            let names_it = |name: &Name| matches!(&sanction.target, Target::Name(target) if target.looks_like(name));
            let is_another = account.is_some_and(|own| own.since >= sanction.since && !names_it(&own.name));
            if is_about_them && !is_another {
                continue;
            }
            // A pattern spares people whose account is older than the sanction, whatever name they
            // had as a guest.
            if matches!(sanction.target, Target::Pattern(_)) && self.hub.is_spared_by_patterns(session, sanction.since)
            {
                continue;
            }
            let Order { target, also, nick, .. } = self.hub.order(session, sanction.kind.clone());
            let sanctions = &self.hub.moderation.sanctions;
            let known = sanctions.exactly(&sanction.kind, &target).and_then(|known| sanctions.get(known)).cloned();
            // The known sanction stays as it is: it may also be about the former address.
            if known.as_ref().is_some_and(|known| known.end() >= sanction.end()) {
                continue;
            }
            // A sanction that was made anew for a guest at this address moves on to the new name,
            // because a guest's former name is nobody's. A sanction about an account stays, and so
            // does one with another address.
            let is_guests = |one: &&Sanction| {
                let is_guests = matches!(&one.target, Target::Name(name) if self.hub.accounts.owner(name).is_none());
                is_guests && one.also == also && (one.id != sanction.id || !is_about_them)
            };
            let same = sanctions.same_as(sanction.id).into_iter().filter_map(|same| sanctions.get(same));
            let goes_on = same.filter(is_guests).map(|one| one.id).next();
            // A quarter of the places is kept for sanctions that somebody has decided on. Otherwise
            // one person could fill all places by logging out of a muted account at many addresses.
            // A client for which no place is left is treated as somebody who comes from its address
            // for the first time.
            let most = self.hub.settings.limits.bans;
            if known.is_none() && goes_on.is_none() && sanctions.count(&sanction.kind) >= most - most / 4 {
                continue;
            }
            let number = goes_on.unwrap_or_else(|| sanctions.next_id());
            if let Some(goes_on) = goes_on {
                gone.extend(self.hub.moderation.sanctions.remove(goes_on));
                self.record(Record::Lifted(goes_on));
            }
            // A sanction that is prolonged keeps its address.
            let also = known.and_then(|known| known.also).or(also);
            let anew = Sanction { id: number, target, also, nick, ..sanction };
            if let Some(former) = self.hub.moderation.sanctions.add_beside(anew.clone()) {
                self.record(Record::Lifted(former.id));
                gone.push(former);
            }
            self.record(Record::Sanction(Box::new(anew)));
        }
        self.hub.note_mute(id, self.now);
        for sanction in gone {
            self.ended(&sanction);
        }
    }
}
