//! Merging the disk into the hub if it could not be read at the start: bans, accounts, reports and
//! lasting rooms.
//!
//! Until the store has read the file, the hub is *unread* ([`Hub::is_unread`]): it gives nobody a
//! name that it cannot look up, and lets nobody log in to an account that it does not know. Merging
//! loses nothing of either side. Of two bans of the same target, the one that ends later stays; an
//! account stays as the hub knows it; no number is given twice.

use super::Turn;
use std::collections::{BTreeMap, BTreeSet};

use super::account::Account;
use super::archive::{Recalled, Record};
use super::message::{Done, Farewell};
use super::sanction::{Kind, Sanction};
use super::sanctioning::ends;
use super::{Effect, Happening, Hub, What};
use crate::values::id::AccountId;
use crate::values::id::SanctionId;
use crate::values::id::SessionId;
use crate::values::name::Name;

impl Hub {
    /// Whether the disk may hold bans and accounts that the hub does not know, because it could not
    /// be read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.recording.unread
    }

    fn next_sanction(&mut self, on_disk: SanctionId) -> SanctionId {
        self.moderation.sanctions.number_from(on_disk.0 + 1);
        self.moderation.sanctions.next_id()
    }
}

/// The name of the lasting room that a record is about, if it is about one.
fn lasting_name((_, record): (u64, &Record)) -> Option<&Name> {
    match record {
        Record::Lasting(room) => Some(&room.name),
        Record::Passing(name) => Some(name),
        _ => None,
    }
}

impl Turn<'_> {
    /// Notes that the disk could not be read in full.
    pub(super) fn begin_unread(&mut self) {
        self.hub.recording.unread = true;
        let known =
            format!("known are {} bans, {} accounts", self.hub.moderation.sanctions.len(), self.hub.accounts.len());
        let text = Some(known.into());
        self.effects.push(Effect::Happened(Happening { text, ..Happening::new(What::Unread, self.now) }));
    }

    /// Merges the disk's contents into the hub, which may know a part of them or all.
    pub(super) fn recall(&mut self, recalled: Recalled) {
        let was_unread = self.hub.recording.unread;
        self.hub.number_on(&recalled);
        // Changes since the start are in the backlog, and may not be on disk.
        let (mut lifted, mut removed) = (BTreeSet::new(), BTreeSet::new());
        let (mut gone, mut shown) = (BTreeSet::new(), BTreeSet::new());
        for (_, record) in self.hub.recording.backlog.iter() {
            match record {
                Record::Lifted(id) => drop(lifted.insert(*id)),
                Record::Unaccount(id) => drop(removed.insert(*id)),
                Record::Unreport(id) => drop(gone.insert(*id)),
                Record::Unmemo(id) => drop(shown.insert(*id)),
                _ => {}
            }
        }
        let before = (self.hub.moderation.sanctions.len(), self.hub.accounts.len());
        let mut renumbered = BTreeMap::new();
        for account in recalled.accounts.into_iter().filter(|account| !removed.contains(&account.id)) {
            let on_disk = account.id;
            renumbered.extend(self.recall_account(account).map(|id| (on_disk, id)));
        }
        for ban in recalled.sanctions.into_iter().filter(|ban| !lifted.contains(&ban.id)) {
            self.recall_sanction(ban);
        }
        // Rooms come after the accounts that own them. If a room has changed since the start, the
        // hub's state is the newer one.
        if !recalled.unread {
            let changed: BTreeSet<Name> = self.hub.recording.backlog.iter().filter_map(lasting_name).cloned().collect();
            let mut kept = recalled.lasting;
            kept.retain(|room| !changed.contains(&room.name));
            for room in &mut kept {
                room.ownership.renumber(&renumbered);
                if let Some(account) = room.topic_set.as_mut().and_then(|set| set.account.as_mut())
                    && let Some(id) = renumbered.get(account)
                {
                    *account = *id;
                }
            }
            self.recall_lasting(kept);
        }
        recalled
            .reports
            .into_iter()
            .filter(|report| !gone.contains(&report.id))
            .for_each(|one| self.recall_report(one));
        let mut memos = recalled.memos;
        memos.retain(|memo| !shown.contains(&memo.id) && !removed.contains(&memo.to));
        self.recall_memos(memos, &renumbered);
        self.expire_sanctions();
        self.hub.recording.unread = recalled.unread;
        if was_unread && !self.hub.recording.unread {
            let text = format!("{} bans, {} accounts", self.hub.moderation.sanctions.len(), self.hub.accounts.len());
            let text = Some(text.into());
            self.effects.push(Effect::Happened(Happening { text, ..Happening::new(What::Recalled, self.now) }));
        }
        self.hub.note_roles();
        if before != (self.hub.moderation.sanctions.len(), self.hub.accounts.len()) {
            self.apply_to_those_present();
        }
    }

    fn recall_sanction(&mut self, sanction: Sanction) {
        let sanctions = &mut self.hub.moderation.sanctions;
        let is_same = |one: &Sanction| Sanction { ends: None, ..one.clone() } == sanction;
        if sanctions.get(sanction.id).is_some_and(is_same) {
            return;
        }
        let on_disk = sanction.id;
        let same = sanctions.exactly(&sanction.kind, &sanction.target).and_then(|id| sanctions.get(id)).cloned();
        if let Some(same) = same {
            if same.end() >= sanction.end() {
                if same.id != on_disk && sanctions.get(on_disk).is_none() {
                    self.record(Record::Lifted(on_disk));
                }
                return;
            }
            sanctions.remove(same.id);
            self.record(Record::Lifted(same.id));
        }
        let known = self.hub.moderation.sanctions.get(on_disk).cloned();
        // The new number is above every number read from disk so far: they come in rising order.
        let id = if known.is_some() { self.hub.next_sanction(on_disk) } else { on_disk };
        let ends = sanction.until.map(|until| ends(until, self.now));
        let renumbered = Sanction { id, ends, ..sanction };
        self.hub.moderation.sanctions.keep(renumbered.clone());
        if let Some(known) = known {
            self.record(Record::Sanction(Box::new(known)));
            self.record(Record::Sanction(Box::new(renumbered)));
        }
    }

    /// Adds an account from disk. Returns its new number if it could not keep the one on disk.
    fn recall_account(&mut self, account: Account) -> Option<AccountId> {
        if let Some(known) = self.hub.accounts.get(account.id).cloned() {
            if known.name == account.name {
                // The hub has this account, in a newer state.
                return None;
            }
            let id = AccountId(self.hub.accounts.next_id().0.max(account.id.0 + 1));
            let renumbered = Account { id, ..account };
            if self.hub.accounts.keep(renumbered.clone()).is_ok() {
                self.record(Record::Account(Box::new(known)));
                self.record(Record::Account(Box::new(renumbered)));
            }
            // If `keep` has refused the account, none has that number.
            return Some(id);
        }
        // If an account of another number has this name, somebody has put one into the file by
        // hand: it is left out.
        let _ = self.hub.accounts.keep(account);
        None
    }

    /// Applies what was read to the connected clients: banned clients are disconnected, and a guest
    /// who bears the name of an account gets another name.
    fn apply_to_those_present(&mut self) {
        let everybody: Vec<SessionId> = self.hub.sessions().map(|session| session.id).collect();
        for id in everybody {
            self.hub.note_mute(id, self.now);
            let Some(session) = self.hub.session(id) else { continue };
            let ban = self.hub.sanctions_of(session, self.now).find(|sanction| sanction.kind == Kind::Ban);
            if let Some(Sanction { reason, until, .. }) = ban.cloned() {
                self.hub.moderation.outgoing.push_back((id, Farewell::Banned { reason, until }));
            } else if self.hub.accounts.owner(&session.nick).is_some_and(|owner| session.account != Some(owner.id)) {
                self.rename_to_guest(id, true);
                let nick = self.hub.people.sessions[&id].nick.shown().into();
                self.done(id, Done::NameReclaimed(nick));
            }
        }
        self.see_out();
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Role;
    use super::super::archive::Recalled;
    use super::super::sanction::{Author, Order, Target};
    use super::super::{By, Input, News};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::{Mono, Now, Wall};

    const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_000) };
    const BY: By = By::Admin { uid: 0, pid: 1 };

    fn name(text: &str) -> Name {
        Name::parse(text, 24).expect("a name")
    }

    fn ban(id: u64, network: &str, until: Option<i64>) -> Sanction {
        let target = Target::Network(network.parse().expect("a network"));
        let order = Order { until: until.map(Wall), ..Order::about(Kind::Ban, target) };
        Sanction::new(SanctionId(id), order, Author::Hub, Wall(1))
    }

    fn account(id: u64, text: &str) -> Account {
        Account {
            id: AccountId(id),
            name: name(text),
            hashed: None,
            role: Role::Member,
            since: Wall(1),
            seen: Wall(1),
            places: Vec::new(),
            certificates: Vec::new(),
            unheard: None,
        }
    }

    fn unread() -> Recalled {
        Recalled { last_line: 1000, last_room: 1000, last_session: 1000, unread: true, ..Recalled::default() }
    }

    /// A hub that could not read the disk, after `inputs`.
    fn hub(inputs: Vec<Input>) -> Hub {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        hub.handle(News::Archive(Some(Box::new(unread()))), NOW, &mut effects);
        inputs.into_iter().for_each(|input| hub.handle(input, NOW, &mut effects));
        hub
    }

    /// The contents of a file after all records of `hub` are written over its former contents.
    fn on_disk(hub: &Hub, recalled: &Recalled) -> Vec<(u64, String)> {
        let mut bans: std::collections::BTreeMap<u64, String> =
            recalled.sanctions.iter().map(|ban| (ban.id.0, ban.target.to_string())).collect();
        for (_, record) in hub.recording.backlog.iter() {
            match record {
                Record::Sanction(ban) => drop(bans.insert(ban.id.0, ban.target.to_string())),
                Record::Lifted(id) => drop(bans.remove(&id.0)),
                _ => {}
            }
        }
        bans.into_iter().collect()
    }

    fn known(hub: &Hub) -> Vec<(u64, String)> {
        hub.moderation.sanctions.iter().map(|ban| (ban.id.0, ban.target.to_string())).collect()
    }

    fn add(network: &str, until: Option<i64>) -> Input {
        let target = Target::Network(network.parse().expect("a network"));
        let order = Order { until: until.map(Wall), ..Order::about(Kind::Ban, target) };
        Input::Sanction { order: Box::new(order), by: BY }
    }

    #[test]
    fn recalled_bans_and_those_made_meanwhile_are_all_there_with_their_own_ids() {
        let mut hub = hub(vec![
            add("192.0.2.0/24", None),
            add("198.51.100.1", Some(5_000)),
            add("198.51.100.2", None),
            add("203.0.113.1", None),
        ]);
        let recalled = Recalled {
            sanctions: vec![
                ban(1, "10.0.0.0/8", None),
                // The ban that ends later stays.
                ban(2, "198.51.100.1", None),
                ban(3, "198.51.100.2", Some(6_000)),
                // This ban has ended meanwhile.
                ban(4, "10.1.0.0/16", Some(900)),
                // A ban that was made meanwhile has the same number, because a clock went
                // backwards.
                ban(1001, "10.2.0.0/16", None),
            ],
            ..Recalled::default()
        };
        hub.handle(News::Recalled(Box::new(recalled.clone())), NOW, &mut Vec::new());
        assert!(!hub.is_unread());
        let mut targets: Vec<_> =
            hub.moderation.sanctions.iter().map(|ban| (ban.target.to_string(), ban.until)).collect();
        targets.sort();
        let all = ["10.0.0.0/8", "10.2.0.0/16", "192.0.2.0/24", "198.51.100.1/32", "198.51.100.2/32", "203.0.113.1/32"];
        assert_eq!(targets, all.map(|target| (target.to_owned(), None)));
        assert_eq!(on_disk(&hub, &recalled), known(&hub), "and so they will be on disk");
        // Merging a second time changes nothing.
        let before = known(&hub);
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
        assert_eq!(known(&hub), before);
    }

    #[test]
    fn what_was_lifted_meanwhile_stays_lifted() {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        let bans = vec![ban(1, "10.0.0.0/8", None), ban(2, "192.0.2.0/24", None)];
        let accounts = vec![account(1, "ann"), account(2, "bob")];
        let recalled = Recalled { sanctions: bans, accounts, ..Recalled::default() };
        hub.handle(News::Archive(Some(Box::new(recalled.clone()))), NOW, &mut effects);
        hub.handle(Input::Lift { id: SanctionId(1), by: BY }, NOW, &mut effects);
        hub.turn(NOW, &mut effects).remove_account(AccountId(2), Some(BY));
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut effects);
        assert_eq!(known(&hub), [(2, "192.0.2.0/24".to_owned())]);
        assert_eq!(hub.accounts.iter().map(|account| account.name.shown()).collect::<Vec<_>>(), ["ann"]);
    }

    #[test]
    fn another_file_s_accounts_get_numbers_that_are_free_and_take_nobody_s_name() {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        hub.handle(News::Archive(Some(Box::default())), NOW, &mut effects);
        let ann = hub.turn(NOW, &mut effects).add_account(name("ann"), None, Role::Operator, BY).expect("it is free");
        let accounts = vec![account(ann.0, "bob"), account(7, "ANN"), account(8, "carl")];
        let recalled = Recalled { accounts, ..Recalled::default() };
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut effects);
        let mut names: Vec<_> = hub.accounts.iter().map(|one| (one.name.shown().to_owned(), one.role)).collect();
        names.sort();
        let member = |name: &str| (name.to_owned(), Role::Member);
        assert_eq!(names, [("ann".to_owned(), Role::Operator), member("bob"), member("carl")]);
        assert_eq!(hub.accounts.find("ann"), Some(ann), "whoever is logged in to it stays so");
        hub.check_invariants();
    }

    #[test]
    fn people_against_whom_the_recalled_speaks_are_disconnected_or_renamed() {
        let connect = |number: u64, addr: &str| Input::Connect {
            session: SessionId(number),
            peer: format!("{addr}:1000").parse().expect("an address"),
            encrypted: false,
            certificate: None,
        };
        let mut hub = hub(vec![connect(2001, "192.0.2.9"), connect(2002, "198.51.100.1")]);
        let guest = hub.people.sessions[&SessionId(2002)].nick.clone();
        let refused = hub.may_bear(SessionId(2002), &name("ann"), NOW);
        assert_eq!(refused, Err(super::super::message::Refusal::NamesUnread));
        let recalled = Recalled {
            sanctions: vec![ban(1, "192.0.2.0/24", None)],
            // As if an earlier release had let somebody take the name.
            accounts: vec![Account { name: guest.clone(), ..account(1, "x") }],
            ..Recalled::default()
        };
        let mut effects = Vec::new();
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut effects);
        let gone = |id| effects.iter().any(|effect| matches!(effect, Effect::Close { session, .. } if *session == id));
        assert!(gone(SessionId(2001)) && !gone(SessionId(2002)));
        assert_ne!(hub.people.sessions[&SessionId(2002)].nick, guest);
        assert!(hub.may_bear(SessionId(2002), &name("ann"), NOW).is_ok());
    }
}
