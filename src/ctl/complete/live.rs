//! Values that only the daemon knows: who is here, and which rooms, sanctions, reports and accounts
//! there are.
//!
//! It takes one request, which may take [`PATIENCE`]. A user who may not ask, or finds no daemon,
//! gets no offers and no messages: a command line that is being typed is no place for complaints.
//! The service is never started for this, as a connection to its socket would do.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Kind, Known};
use crate::client::{Client, Environment};
use crate::ctl::asleep::asleep;
use crate::wire::admin::args::{ClientsListArgs, NoArgs, ReportsListArgs, SanctionKind, SanctionListArgs};
use crate::wire::admin::result::{AccountList, BanList, ClientList, FilterList, ReportList, RoomList, SanctionList};
use crate::wire::admin::{COMMANDS, Command};

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The daemon that the line would ask.
pub(super) struct Daemon {
    socket: Option<PathBuf>,
}

impl Daemon {
    /// The daemon behind this socket, or behind the usual one.
    pub(super) fn of(socket: Option<PathBuf>) -> Self {
        Self { socket: Environment::of_process().socket(socket.as_deref()).ok() }
    }

    fn ask<T: DeserializeOwned>(&self, command: &Command) -> Option<T> {
        let socket = self.socket.as_ref().filter(|socket| asleep(socket).is_none())?;
        let mut client = Client::connect(socket, Some(PATIENCE)).ok()?;
        let result = client.ask(command).ok()?;
        T::deserialize(result).ok()
    }
}

impl Known for Daemon {
    fn values(&mut self, kind: Kind) -> Vec<(String, String)> {
        self.asked(kind).unwrap_or_default()
    }
}

/// Sanctions, each an id, a target and a reason: by target and by id, as both lift them.
fn liftable(sanctions: Vec<(String, String, Option<String>)>) -> Vec<(String, String)> {
    let because = |reason: &Option<String>| reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let by_target = sanctions.iter().map(|(id, target, reason)| (target.clone(), format!("{id}{}", because(reason))));
    let by_id = sanctions.iter().map(|(id, target, reason)| (id.clone(), format!("{target}{}", because(reason))));
    by_target.chain(by_id).collect()
}

impl Daemon {
    fn asked(&self, kind: Kind) -> Option<Vec<(String, String)>> {
        let clients = || self.ask::<ClientList>(&Command::ClientsList(ClientsListArgs::default()));
        Some(match kind {
            Kind::Who | Kind::Nick => {
                let about = |one: crate::wire::admin::result::Client| (one.nick, format!("{} in {}", one.id, one.room));
                clients()?.clients.into_iter().map(about).collect()
            }
            Kind::Client => {
                let about = |one: crate::wire::admin::result::Client| (one.id, format!("{} in {}", one.nick, one.room));
                clients()?.clients.into_iter().map(about).collect()
            }
            Kind::Target => {
                let clients = clients()?.clients;
                let mut targets: Vec<_> =
                    clients.iter().map(|one| (one.nick.clone(), format!("{}, from {}", one.id, one.addr))).collect();
                for one in clients {
                    if targets.iter().all(|(known, _)| *known != one.addr) {
                        targets.push((one.addr, format!("{} ({}), and whoever else is there", one.nick, one.id)));
                    }
                }
                targets
            }
            Kind::Room => {
                let rooms = self.ask::<RoomList>(&Command::RoomsList(NoArgs {}))?.rooms;
                let about = |members: u64| super::super::print::values::count(members, "member");
                rooms.into_iter().map(|room| (room.name, about(room.members))).collect()
            }
            Kind::Ban => {
                let bans = self.ask::<BanList>(&Command::BansList(NoArgs {}))?.bans;
                liftable(bans.into_iter().map(|ban| (ban.id, ban.target, ban.reason)).collect())
            }
            Kind::Mute => {
                let mutes = SanctionListArgs { kind: Some(SanctionKind::Mute) };
                let mutes = self.ask::<SanctionList>(&Command::SanctionsList(mutes))?.sanctions;
                liftable(mutes.into_iter().map(|mute| (mute.id, mute.target, mute.reason)).collect())
            }
            Kind::Sanction => {
                let all = self.ask::<SanctionList>(&Command::SanctionsList(SanctionListArgs { kind: None }))?;
                all.sanctions.into_iter().map(|one| (one.id, format!("{} of {}", one.kind, one.target))).collect()
            }
            Kind::Filter => {
                let made = self.ask::<FilterList>(&Command::FiltersList(NoArgs {}))?.filters;
                made.into_iter().map(|one| (one.id, one.target)).collect()
            }
            Kind::Report => {
                let open = self.ask::<ReportList>(&Command::ReportsList(ReportsListArgs { all: false }))?.reports;
                let about = |nick: String, reason: Option<String>| match reason {
                    Some(reason) => format!("{nick}: {reason}"),
                    None => nick,
                };
                open.into_iter().map(|report| (report.id, about(report.about.nick, report.reason))).collect()
            }
            Kind::Account => {
                let accounts = self.ask::<AccountList>(&Command::AccountsList(NoArgs {}))?.accounts;
                let role = |role| crate::hub::account::Role::from(role).to_string();
                accounts.into_iter().map(|account| (account.name, role(account.role))).collect()
            }
            // This program has the same list of commands as a daemon of the same release.
            Kind::Protocol => {
                COMMANDS.iter().map(|spec| (spec.name.to_owned(), spec.about.trim().to_owned())).collect()
            }
            Kind::Words(_) | Kind::Path(_) | Kind::Free => return None,
        })
    }
}
