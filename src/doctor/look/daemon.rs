//! The daemon's answers on its admin socket. The caller has made sure that to connect starts no
//! service.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::super::facts::{Daemon, Silence, SilenceKind};
use super::super::finding::{Seen, Unseen};
use crate::client::{Client, Error};
use crate::values::plain::Plain;
use crate::wire::admin::Command;
use crate::wire::admin::args::{NoArgs, ReportsListArgs};
use crate::wire::admin::message::ErrorCode;
use crate::wire::admin::result::{HistoryStats, ReportList, Status};

/// How long to connect may take, and each answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn look(socket: &Path) -> Seen<Result<Daemon, Silence>> {
    if let Err(Unseen::Absent(why)) = super::files::node(socket) {
        return Err(Unseen::Absent(why));
    }
    let mut client = match Client::connect(socket, Some(PATIENCE)) {
        Ok(client) => client,
        Err(error) => return silent(&error),
    };
    let status: Status = match ask(&mut client, &Command::Status(NoArgs {})) {
        Ok(status) => status,
        Err(error) => return silent(&error),
    };
    let hidden = |error: Error| Unseen::hidden(format!("the daemon does not tell: {}", text(&error)));
    let disk = ask::<HistoryStats>(&mut client, &Command::HistoryStats(NoArgs {})).map(|stats| stats.disk);
    let reports = ask::<ReportList>(&mut client, &Command::ReportsList(ReportsListArgs { all: false }));
    let reports = reports
        .map(|list| list.reports.into_iter().map(|report| (report.id, Duration::from_secs(report.age_s))).collect());
    Ok(Ok(Daemon { status, disk: disk.map_err(hidden), reports: reports.map_err(hidden) }))
}

fn ask<T: DeserializeOwned>(client: &mut Client, command: &Command) -> Result<T, Error> {
    let answer = client.ask(command)?;
    serde_json::from_value(answer).map_err(|error| client.garbled(error))
}

fn silent(error: &Error) -> Seen<Result<Daemon, Silence>> {
    let kind = match error {
        Error::NoSocket { .. } => return Err(Unseen::absent(text(error))),
        Error::Permission { .. } => {
            return Err(Unseen::hidden(format!("{} (neither root nor in the group chathub-admin)", text(error))));
        }
        Error::Stranger { .. } => SilenceKind::Stranger,
        Error::Refused(refused) if refused.code == ErrorCode::Busy => SilenceKind::Busy,
        _ => SilenceKind::Silent,
    };
    Ok(Err(Silence { kind, why: text(error) }))
}

/// The error in words, with that of the system.
fn text(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {}", Plain(source)),
        None => error.to_string(),
    }
}
