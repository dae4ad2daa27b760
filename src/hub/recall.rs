//! What is on disk and could not be read at the start: recalled later, and merged with what was made
//! meanwhile.
//!
//! Until then the hub does not know all bans and accounts ([`Hub::is_unread`]): nobody takes a name that it
//! cannot look up, and nobody logs in to an account that it does not know. Nothing that is on disk is
//! replaced by what was made meanwhile, nor the other way round: of two bans of the same the one that ends
//! later stays, an account stays the one that the hub knows, and a number that is taken is not given twice.

use super::Turn;
use std::collections::{BTreeMap, BTreeSet};

use super::account::Account;
use super::archive::{Recalled, Record};
use super::message::{Done, Farewell};
use super::moderation::Ban;
use super::{Effect, Happening, Hub, What};
use crate::values::id::AccountId;
use crate::values::id::BanId;
use crate::values::id::SessionId;
use crate::values::name::Name;

impl Hub {
    /// Whether bans and accounts that are on disk may not be known, because the disk could not be read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.recording.unread
    }

    fn next_ban(&mut self, on_disk: BanId) -> BanId {
        self.moderation.bans.number_from(on_disk.0 + 1);
        self.moderation.bans.next_id()
    }
}

/// Of which room a record says whether it lasts.
fn lasting_name((_, record): (u64, &Record)) -> Option<&Name> {
    match record {
        Record::Lasting(room) => Some(&room.name),
        Record::Passing(name) => Some(name),
        _ => None,
    }
}

impl Turn<'_> {
    /// Not all that is on disk could be read.
    pub(super) fn begin_unread(&mut self) {
        self.hub.recording.unread = true;
        let known = format!("known are {} bans, {} accounts", self.hub.moderation.bans.len(), self.hub.accounts.len());
        let text = Some(known.into());
        self.effects.push(Effect::Happened(Happening { text, ..Happening::new(What::Unread, self.now) }));
    }

    /// Takes what stands on disk, of which some or all may be known.
    pub(super) fn recall(&mut self, recalled: Recalled) {
        let was_unread = self.hub.recording.unread;
        // What has changed meanwhile is not on disk yet.
        let (mut lifted, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for (_, record) in self.hub.recording.backlog.iter() {
            match record {
                Record::Unban(id) => drop(lifted.insert(*id)),
                Record::Unaccount(id) => drop(removed.insert(*id)),
                _ => {}
            }
        }
        let before = (self.hub.moderation.bans.len(), self.hub.accounts.len());
        let mut renumbered = BTreeMap::new();
        for account in recalled.accounts.into_iter().filter(|account| !removed.contains(&account.id)) {
            let on_disk = account.id;
            renumbered.extend(self.recall_account(account).map(|id| (on_disk, id)));
        }
        for ban in recalled.bans.into_iter().filter(|ban| !lifted.contains(&ban.id)) {
            self.recall_ban(ban);
        }
        // Their owners must be known. Of rooms that have changed meanwhile, the hub knows better.
        if !recalled.unread {
            let changed: BTreeSet<Name> = self.hub.recording.backlog.iter().filter_map(lasting_name).cloned().collect();
            let mut kept = recalled.lasting;
            kept.retain(|room| !changed.contains(&room.name));
            kept.iter_mut().for_each(|room| room.ownership.renumber(&renumbered));
            self.recall_lasting(kept);
        }
        self.expire_bans();
        self.hub.recording.unread = recalled.unread;
        if was_unread && !self.hub.recording.unread {
            let text = format!("{} bans, {} accounts", self.hub.moderation.bans.len(), self.hub.accounts.len());
            let text = Some(text.into());
            self.effects.push(Effect::Happened(Happening { text, ..Happening::new(What::Recalled, self.now) }));
        }
        self.hub.note_roles();
        if before != (self.hub.moderation.bans.len(), self.hub.accounts.len()) {
            self.apply_to_those_present();
        }
    }

    fn recall_ban(&mut self, ban: Ban) {
        if self.hub.moderation.bans.get(ban.id) == Some(&ban) {
            return;
        }
        let on_disk = ban.id;
        if let Some(same) =
            self.hub.moderation.bans.about(&ban.target).and_then(|id| self.hub.moderation.bans.get(id)).cloned()
        {
            let later = |ban: &Ban| ban.until.map_or(i64::MAX, |until| until.0);
            if later(&same) >= later(&ban) {
                if same.id != on_disk && self.hub.moderation.bans.get(on_disk).is_none() {
                    self.record(Record::Unban(on_disk));
                }
                return;
            }
            self.hub.moderation.bans.remove(same.id);
            self.record(Record::Unban(same.id));
        }
        let known = self.hub.moderation.bans.get(on_disk).cloned();
        // A higher number than any on disk, too: they come by age.
        let id = if known.is_some() { self.hub.next_ban(on_disk) } else { on_disk };
        let renumbered = Ban { id, ..ban };
        self.hub.moderation.bans.add(renumbered.clone());
        if let Some(known) = known {
            self.record(Record::Ban(Box::new(known)));
            self.record(Record::Ban(Box::new(renumbered)));
        }
    }

    /// The number that the account has by now, if that is another one than on disk.
    fn recall_account(&mut self, account: Account) -> Option<AccountId> {
        if let Some(known) = self.hub.accounts.get(account.id).cloned() {
            if known.name == account.name {
                // It is that one, as it is now.
                return None;
            }
            let id = AccountId(self.hub.accounts.next_id().0.max(account.id.0 + 1));
            let renumbered = Account { id, ..account };
            if self.hub.accounts.keep(renumbered.clone()).is_ok() {
                self.record(Record::Account(Box::new(known)));
                self.record(Record::Account(Box::new(renumbered)));
            }
            // If it could not be kept, there is none of that number.
            return Some(id);
        }
        // One with the name of one that is known was put there by another hand.
        let _ = self.hub.accounts.keep(account);
        None
    }

    /// Those who are here and would not be, had all been known: the banned are told goodbye, and who bears
    /// another's name gets one of a guest.
    fn apply_to_those_present(&mut self) {
        let everybody: Vec<SessionId> = self.hub.sessions().map(|session| session.id).collect();
        for id in everybody {
            let Some(session) = self.hub.people.sessions.get(&id) else { continue };
            let address = session.peer.ip();
            let safe = self.hub.settings.access.always.iter().any(|always| always.has(address));
            let by_address =
                if safe { None } else { self.hub.moderation.bans.of_address(address, self.now.wall).next() };
            let account = session.account.and_then(|account| self.hub.accounts.get(account));
            let name = account.map_or(&session.nick, |account| &account.name);
            let ban = by_address.or_else(|| self.hub.moderation.bans.of_name(name, self.now.wall));
            if let Some(Ban { reason, until, .. }) = ban.cloned() {
                self.hub.moderation.outgoing.push_back((id, Farewell::Banned { reason, until }));
            } else if self.hub.accounts.owner(&session.nick).is_some_and(|owner| session.account != Some(owner.id)) {
                self.rename_to_guest(id);
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
    use super::super::moderation::{Author, Target};
    use super::super::{By, Input};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::{Mono, Now, Wall};

    const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_000) };
    const BY: By = By::Admin { uid: 0, pid: 1 };

    fn name(text: &str) -> Name {
        Name::parse(text, 24).expect("a name")
    }

    fn ban(id: u64, network: &str, until: Option<i64>) -> Ban {
        let target = Target::Network(network.parse().expect("a network"));
        Ban { id: BanId(id), target, reason: None, by: Author::Hub, since: Wall(1), until: until.map(Wall) }
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
        }
    }

    fn unread() -> Recalled {
        Recalled { last_line: 1000, last_room: 1000, last_session: 1000, unread: true, ..Recalled::default() }
    }

    /// A hub that could not read what is on disk, with what follows from `inputs`.
    fn hub(inputs: Vec<Input>) -> Hub {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        hub.handle(Input::Archive(Some(Box::new(unread()))), NOW, &mut effects);
        inputs.into_iter().for_each(|input| hub.handle(input, NOW, &mut effects));
        hub
    }

    /// What a file has behind all that was recorded of `hub`, over what stood in it before.
    fn on_disk(hub: &Hub, recalled: &Recalled) -> Vec<(u64, String)> {
        let mut bans: std::collections::BTreeMap<u64, String> =
            recalled.bans.iter().map(|ban| (ban.id.0, ban.target.to_string())).collect();
        for (_, record) in hub.recording.backlog.iter() {
            match record {
                Record::Ban(ban) => drop(bans.insert(ban.id.0, ban.target.to_string())),
                Record::Unban(id) => drop(bans.remove(&id.0)),
                _ => {}
            }
        }
        bans.into_iter().collect()
    }

    fn known(hub: &Hub) -> Vec<(u64, String)> {
        hub.moderation.bans.iter().map(|ban| (ban.id.0, ban.target.to_string())).collect()
    }

    fn add(network: &str, until: Option<i64>) -> Input {
        let target = Target::Network(network.parse().expect("a network"));
        Input::Ban { target, reason: None, until: until.map(Wall), by: BY }
    }

    #[test]
    fn bans_that_are_recalled_and_those_made_meanwhile_are_all_there_under_numbers_of_their_own() {
        let mut hub = hub(vec![
            add("192.0.2.0/24", None),
            add("198.51.100.1", Some(5_000)),
            add("198.51.100.2", None),
            add("203.0.113.1", None),
        ]);
        let recalled = Recalled {
            bans: vec![
                ban(1, "10.0.0.0/8", None),
                // The one that ends later stays.
                ban(2, "198.51.100.1", None),
                ban(3, "198.51.100.2", Some(6_000)),
                // Over meanwhile.
                ban(4, "10.1.0.0/16", Some(900)),
                // Another with the number of one that was made meanwhile: a clock has gone backwards.
                ban(1001, "10.2.0.0/16", None),
            ],
            ..Recalled::default()
        };
        hub.handle(Input::Recalled(Box::new(recalled.clone())), NOW, &mut Vec::new());
        assert!(!hub.is_unread());
        let mut targets: Vec<_> = hub.moderation.bans.iter().map(|ban| (ban.target.to_string(), ban.until)).collect();
        targets.sort();
        let all = ["10.0.0.0/8", "10.2.0.0/16", "192.0.2.0/24", "198.51.100.1/32", "198.51.100.2/32", "203.0.113.1/32"];
        assert_eq!(targets, all.map(|target| (target.to_owned(), None)));
        assert_eq!(on_disk(&hub, &recalled), known(&hub), "and so they will be on disk");
        // A second time nothing changes.
        let before = known(&hub);
        hub.handle(Input::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
        assert_eq!(known(&hub), before);
    }

    #[test]
    fn what_was_lifted_meanwhile_stays_lifted() {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        let bans = vec![ban(1, "10.0.0.0/8", None), ban(2, "192.0.2.0/24", None)];
        let accounts = vec![account(1, "ann"), account(2, "bob")];
        let recalled = Recalled { bans, accounts, ..Recalled::default() };
        hub.handle(Input::Archive(Some(Box::new(recalled.clone()))), NOW, &mut effects);
        hub.handle(Input::Unban { id: BanId(1), by: BY }, NOW, &mut effects);
        hub.turn(NOW, &mut effects).remove_account(AccountId(2), Some(BY));
        hub.handle(Input::Recalled(Box::new(recalled)), NOW, &mut effects);
        assert_eq!(known(&hub), [(2, "192.0.2.0/24".to_owned())]);
        assert_eq!(hub.accounts.iter().map(|account| account.name.shown()).collect::<Vec<_>>(), ["ann"]);
    }

    #[test]
    fn another_file_s_accounts_get_numbers_that_are_free_and_take_nobody_s_name() {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        hub.handle(Input::Archive(Some(Box::default())), NOW, &mut effects);
        let ann = hub.turn(NOW, &mut effects).add_account(name("ann"), None, Role::Operator, BY).expect("it is free");
        let accounts = vec![account(ann.0, "bob"), account(7, "ANN"), account(8, "carl")];
        let recalled = Recalled { accounts, ..Recalled::default() };
        hub.handle(Input::Recalled(Box::new(recalled)), NOW, &mut effects);
        let mut names: Vec<_> = hub.accounts.iter().map(|one| (one.name.shown().to_owned(), one.role)).collect();
        names.sort();
        let member = |name: &str| (name.to_owned(), Role::Member);
        assert_eq!(names, [("ann".to_owned(), Role::Operator), member("bob"), member("carl")]);
        assert_eq!(hub.accounts.find("ann"), Some(ann), "whoever is logged in to it stays so");
        hub.check_invariants();
    }

    #[test]
    fn who_is_here_and_would_not_be_is_disconnected_or_renamed() {
        let connect = |number: u64, addr: &str| Input::Connect {
            session: SessionId(number),
            peer: format!("{addr}:1000").parse().expect("an address"),
        };
        let mut hub = hub(vec![connect(2001, "192.0.2.9"), connect(2002, "198.51.100.1")]);
        let guest = hub.people.sessions[&SessionId(2002)].nick.clone();
        let refused = hub.may_bear(SessionId(2002), &name("ann"), NOW);
        assert_eq!(refused, Err(super::super::message::Refusal::NamesUnread));
        let recalled = Recalled {
            bans: vec![ban(1, "192.0.2.0/24", None)],
            // As if a former release had let somebody take it.
            accounts: vec![Account { name: guest.clone(), ..account(1, "x") }],
            ..Recalled::default()
        };
        let mut effects = Vec::new();
        hub.handle(Input::Recalled(Box::new(recalled)), NOW, &mut effects);
        let gone = |id| effects.iter().any(|effect| matches!(effect, Effect::Close { session, .. } if *session == id));
        assert!(gone(SessionId(2001)) && !gone(SessionId(2002)));
        assert_ne!(hub.people.sessions[&SessionId(2002)].nick, guest);
        assert!(hub.may_bear(SessionId(2002), &name("ann"), NOW).is_ok());
    }
}
