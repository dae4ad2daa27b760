//! What only the daemon knows: who is here, which rooms, sanctions, reports and accounts there are.
//!
//! One request, for which nobody waits longer than [`PATIENCE`]. Who may not ask, or finds no daemon, is offered
//! nothing, without a word: a shell is no place for complaints. The service is not started by it: systemd would, if
//! somebody connected to its socket.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Kind, Known};
use crate::client::{Client, Environment};
use crate::ctl::asleep::asleep;
use crate::wire::admin::args::{ClientsListArgs, NoArgs, ReportsListArgs, SanctionListArgs};
use crate::wire::admin::result::{AccountList, BanList, ClientList, FilterList, ReportList, RoomList, SanctionList};
use crate::wire::admin::{COMMANDS, Command};

/// As long is waited for the daemon.
const PATIENCE: Duration = Duration::from_millis(500);

/// The daemon that the line would ask.
pub(super) struct Daemon {
    socket: Option<PathBuf>,
}

impl Daemon {
    /// The one behind this socket, or the usual one.
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
                let about = |target: String, reason: Option<String>| match reason {
                    Some(reason) => format!("{target}: {reason}"),
                    None => target,
                };
                bans.into_iter().map(|ban| (ban.id, about(ban.target, ban.reason))).collect()
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
            // The daemon knows its commands as this program does, if they are of one release.
            Kind::Protocol => {
                COMMANDS.iter().map(|spec| (spec.name.to_owned(), spec.about.trim().to_owned())).collect()
            }
            Kind::Words(_) | Kind::Path(_) | Kind::Free => return None,
        })
    }
}
