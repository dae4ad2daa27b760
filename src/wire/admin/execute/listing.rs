//! Long lists, made in steps.

use super::{Answer, Call, Facts, accounts, clients, reports, rooms, sanctions};
use crate::hub::Hub;
use crate::hub::sanction::Kind;
use crate::values::id::{AccountId, ReportId, RoomId, SanctionId, SessionId};
use crate::values::time::Now;
use crate::wire::admin::args::{ClientsListArgs, NoArgs, ReportsListArgs, SanctionKind, SanctionListArgs};
use crate::wire::admin::message::{ControlError, Place, Reply};
use crate::wire::admin::result::{AccountList, BanList, ClientList, ReportList, RoomList, SanctionList};

/// Entries that one step of a [`Listing`] looks at; that takes a fraction of a millisecond.
const SLICE: usize = 200;

/// A list that can be long, made in steps, between which the driver does other work. An entry that
/// appears or disappears in the meantime may be listed or not, but none is listed twice.
#[derive(Clone, Debug)]
pub struct Listing {
    list: List,
    /// The lowest number (of a client, a room, a sanction, ...) that the next step looks at.
    from: u64,
}

/// The list so far, by its kind.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(untagged)]
enum List {
    Clients {
        #[serde(skip)]
        room: Option<String>,
        #[serde(flatten)]
        list: ClientList,
    },
    Rooms(RoomList),
    Bans(BanList),
    Sanctions {
        #[serde(skip)]
        kind: Option<SanctionKind>,
        #[serde(flatten)]
        list: SanctionList,
    },
    Accounts(AccountList),
    Reports {
        #[serde(skip)]
        all: bool,
        #[serde(flatten)]
        list: ReportList,
    },
}

impl Listing {
    fn new(list: List) -> Self {
        Self { list, from: 0 }
    }

    pub(in crate::wire::admin) fn clients(args: &ClientsListArgs) -> Self {
        let list = ClientList { clients: Vec::new(), total: 0 };
        Self::new(List::Clients { room: args.room.as_deref().map(str::to_owned), list })
    }

    pub(in crate::wire::admin) fn rooms(NoArgs {}: &NoArgs) -> Self {
        Self::new(List::Rooms(RoomList { rooms: Vec::new(), total: 0 }))
    }

    pub(in crate::wire::admin) fn bans(NoArgs {}: &NoArgs) -> Self {
        Self::new(List::Bans(BanList { bans: Vec::new(), total: 0, persistent: false, unread: false }))
    }

    pub(in crate::wire::admin) fn sanctions(args: &SanctionListArgs) -> Self {
        let list = SanctionList { sanctions: Vec::new(), total: 0, persistent: false, unread: false };
        Self::new(List::Sanctions { kind: args.kind, list })
    }

    pub(in crate::wire::admin) fn accounts(NoArgs {}: &NoArgs) -> Self {
        Self::new(List::Accounts(AccountList { accounts: Vec::new(), total: 0, unread: false }))
    }

    pub(in crate::wire::admin) fn reports(args: &ReportsListArgs) -> Self {
        let list = ReportList { reports: Vec::new(), total: 0, open: 0, persistent: false, unread: false };
        Self::new(List::Reports { all: args.all, list })
    }

    /// Makes the whole list at once.
    pub(in crate::wire::admin) fn whole(mut self, call: &Call<'_>) -> Result<Answer, ControlError> {
        while self.go_on(call.hub, call.now, call.facts)? {}
        Ok(Answer::One(self.result()))
    }

    /// Takes one step. Returns whether another one is needed.
    ///
    /// # Errors
    /// If the room whose clients are listed does not exist.
    pub fn go_on(&mut self, hub: &Hub, now: Now, facts: &dyn Fn(SessionId) -> Facts) -> Result<bool, ControlError> {
        let mut looked = 0;
        let mut last = None;
        let (from, mut seen) = (self.from, |number: u64| {
            looked += 1;
            last = Some(number);
        });
        match &mut self.list {
            List::Clients { room, list } => {
                let room = room.as_deref().map(|room| rooms::find_room(hub, room)).transpose()?;
                for session in hub.sessions_from(SessionId(from)).take(SLICE) {
                    seen(session.id.0);
                    if room.is_none_or(|room| session.room == room) {
                        list.clients.push(clients::client(hub, session, now, facts));
                    }
                }
                list.total = list.clients.len() as u64;
            }
            List::Rooms(list) => {
                for one in hub.rooms_from(RoomId(from)).take(SLICE) {
                    seen(one.id.0);
                    list.rooms.push(rooms::room(hub, one));
                }
                list.total = list.rooms.len() as u64;
            }
            List::Bans(list) => {
                for one in hub.sanctions().iter_from(SanctionId(from)).take(SLICE) {
                    seen(one.id.0);
                    if one.kind == Kind::Ban && one.holds(now) {
                        list.bans.push(sanctions::ban(one));
                    }
                }
                list.total = list.bans.len() as u64;
                (list.persistent, list.unread) = (hub.is_recording(), hub.is_unread());
            }
            List::Sanctions { kind, list } => {
                for one in hub.sanctions().iter_from(SanctionId(from)).take(SLICE) {
                    seen(one.id.0);
                    let is_wanted = match kind {
                        None => true,
                        Some(SanctionKind::Ban) => one.kind == Kind::Ban,
                        Some(SanctionKind::Mute) => matches!(one.kind, Kind::Mute { .. }),
                        Some(SanctionKind::Expulsion) => matches!(one.kind, Kind::Expulsion { .. }),
                        Some(SanctionKind::Filter) => matches!(one.kind, Kind::Filter { .. }),
                        Some(SanctionKind::Lockdown) => matches!(one.kind, Kind::Lockdown { .. }),
                    };
                    if is_wanted && one.holds(now) {
                        list.sanctions.push(sanctions::shown(one));
                    }
                }
                list.total = list.sanctions.len() as u64;
                (list.persistent, list.unread) = (hub.is_recording(), hub.is_unread());
            }
            List::Accounts(list) => {
                for one in hub.accounts().iter_from(AccountId(from)).take(SLICE) {
                    seen(one.id.0);
                    list.accounts.push(accounts::shown(hub, one));
                }
                list.total = list.accounts.len() as u64;
                list.unread = hub.is_unread();
            }
            List::Reports { all, list } => {
                for one in hub.reports().iter_from(ReportId(from)).take(SLICE) {
                    seen(one.id.0);
                    if *all || one.closed.is_none() {
                        list.reports.push(reports::report(hub, one, now));
                    }
                }
                (list.total, list.open) = (list.reports.len() as u64, hub.reports().open().len() as u64);
                (list.persistent, list.unread) = (hub.is_recording(), hub.is_unread());
            }
        }
        self.from = last.map_or(from, |last| last + 1);
        Ok(looked == SLICE)
    }

    /// The finished list as JSON. This takes longer than a step, and needs no hub.
    ///
    /// # Panics
    /// Never: the list is plain JSON.
    #[must_use]
    pub fn result(self) -> serde_json::Value {
        serde_json::to_value(self.sorted()).expect("results are plain JSON")
    }

    /// The answer to the request `id`, as its line. Takes longer than a step, and needs no hub.
    #[must_use]
    pub fn answer(self, id: &serde_json::Value) -> String {
        Reply::done(id, Place::Last, &self.sorted())
    }

    fn sorted(mut self) -> List {
        if let List::Rooms(list) = &mut self.list {
            list.rooms.sort_by(|one, other| other.members.cmp(&one.members).then_with(|| one.name.cmp(&other.name)));
        }
        self.list
    }
}
