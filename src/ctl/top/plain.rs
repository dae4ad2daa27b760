//! `ctl top` without cursor control: one table, or one after another until ^C. With --json, the
//! answers of the daemon.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rates::Rates;
use super::sample::{Disk, Sample};
use crate::client::{Answers, Client};
use crate::ctl::answer;
use crate::ctl::failure::Failure;
use crate::ctl::print::clients::notes;
use crate::ctl::print::escape::escape;
use crate::ctl::print::screen::Screen;
use crate::ctl::print::table::{Table, cut, left, right};
use crate::ctl::print::values::{bytes, count, span};
use crate::ctl::terminal;
use crate::wire::admin::Command;
use crate::wire::admin::args::{ClientsListArgs, NoArgs};
use crate::wire::admin::result::ClientList;

/// Asks for `status` and `clients.list`; returns the two results.
fn ask(client: &mut Client) -> Result<(Value, Value), Failure> {
    // Both requests are sent before an answer is read, so that the answers are of nearly the same
    // moment.
    let status = client.send(&Command::Status(NoArgs {}), Answers::One)?;
    let clients = client.send(&Command::ClientsList(ClientsListArgs::default()), Answers::One)?;
    Ok((client.only_result(status)?, client.only_result(clients)?))
}

fn sample(client: &mut Client) -> Result<Sample, Failure> {
    let (status, clients) = ask(client)?;
    let clients: ClientList = answer::read(client.path(), &clients)?;
    let status = answer::read(client.path(), &status)?;
    Ok(Sample {
        status,
        clients: clients.clients,
        people: true,
        rooms: None,
        disk: Disk::default(),
        at: Instant::now(),
    })
}

/// Prints both answers as one JSON object.
pub(super) fn json(client: &mut Client, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let (status, clients) = ask(client)?;
    Ok(screen.json(&json!({"status": status, "clients": clients["clients"]}))?)
}

/// Prints one table.
pub(super) fn once(client: &mut Client, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let now = sample(client)?;
    let mut rates = Rates::default();
    rates.look(None, &now);
    Ok(frame(&now, &rates, screen).iter().try_for_each(|line| screen.line(line))?)
}

/// Prints one table after another, with `interval` between them, until the program is ended.
pub(super) fn for_ever(client: &mut Client, screen: &mut Screen<'_>, interval: Duration) -> Result<(), Failure> {
    let (mut before, mut rates) = (None, Rates::default());
    loop {
        let now = sample(client)?;
        rates.look(before.as_ref(), &now);
        screen.terminal = terminal::size();
        screen.now = crate::ctl::now();
        frame(&now, &rates, screen).iter().try_for_each(|line| screen.line(line))?;
        screen.line("")?;
        screen.flush()?;
        before = Some(now);
        std::thread::sleep(interval);
    }
}

/// The lines of one table, the clients with the most lines a second first; cut to the size of the
/// screen.
fn frame(sample: &Sample, rates: &Rates, screen: &Screen<'_>) -> Vec<String> {
    let (legend, size) = (screen.legend, screen.terminal);
    let status = &sample.status;
    let rate = |id: &str| rates.client(id).lines;
    let mut clients: Vec<_> = sample.clients.iter().collect();
    clients.sort_by(|one, two| rate(&two.id).total_cmp(&rate(&one.id)).then(two.behind_bytes.cmp(&one.behind_bytes)));
    let mut lines = Vec::new();
    if legend {
        let all: f64 = clients.iter().map(|client| rate(&client.id)).fold(0.0, |all, one| all + one);
        let behind = clients.iter().fold(0_u64, |all, client| all.saturating_add(client.behind_bytes));
        let heading = format!(
            "chathub {}, {} for {}: {} of {}, {}, {all:.1} lines/s, {} behind",
            status.version,
            status.state,
            span(status.uptime_s),
            status.clients,
            count(status.clients_max, "client"),
            count(status.rooms, "room"),
            bytes(behind),
        );
        lines.push(cut(&escape(&heading), size.map(|(columns, _)| columns)));
        lines.push(String::new());
    }
    let fit = size.map_or(usize::MAX, |(_, rows)| rows.saturating_sub(lines.len() + usize::from(legend)));
    let mut table = Table::new([
        right("RATE"),
        right("LINES").spare(1),
        right("BEHIND"),
        right("IDLE").spare(2),
        left("ID"),
        left("NICK").shrinks(12).names(),
        left("ROOM").shrinks(8),
        left("NOTES").telling(),
    ]);
    for client in clients.into_iter().take(fit) {
        table.row([
            format!("{:.1}", rate(&client.id)),
            client.lines.to_string(),
            bytes(client.behind_bytes),
            span(client.idle_s),
            client.id.clone(),
            client.nick.clone(),
            client.room.clone(),
            notes(client, screen.now),
        ]);
    }
    let table = table.lines(legend, size.map(|(columns, _)| columns));
    lines.extend(table.heading);
    // Each client takes one line, even if its notes are longer: the table is for an overview.
    let of_one = |row: Vec<String>| row.into_iter().take(if size.is_some() { 1 } else { usize::MAX });
    lines.extend(table.rows.into_iter().flat_map(of_one));
    lines
}
