//! `ctl top`: the busiest clients, refreshed until a key is pressed.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::failure::Failure;
use super::print::clients::notes;
use super::print::escape::escape;
use super::print::screen::Screen;
use super::print::table::{Side, Table, cut};
use super::print::values::{bytes, count, span};
use super::session::Session;
use super::terminal::{self, AlternateScreen};
use crate::client::Answers;
use crate::wire::admin::Command;
use crate::wire::admin::args::{ClientsListArgs, NoArgs};
use crate::wire::admin::result::{Client, ClientList, Status};

impl Session<'_, '_> {
    pub(super) fn top(&mut self, interval: Duration) -> Result<(), Failure> {
        if self.screen.json {
            let (status, clients) = self.ask_for_sample()?;
            return Ok(self.screen.json(&json!({"status": status, "clients": clients["clients"]}))?);
        }
        let mut before = Before::default();
        let mut frame = self.frame(&mut before)?;
        if !terminal::is_watched() {
            return Ok(frame.iter().try_for_each(|line| self.screen.line(line))?);
        }
        let screen = AlternateScreen::enter(self.screen)?;
        let ended = loop {
            let drawn = draw(self.screen, &frame).and_then(|()| screen.quits(interval));
            match drawn {
                Ok(false) => {}
                Ok(true) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
            self.screen.terminal = terminal::size();
            match self.frame(&mut before) {
                Ok(next) => frame = next,
                Err(failure) => break Err(failure),
            }
        };
        screen.leave(self.screen)?;
        ended
    }

    /// The results of `status` and `clients.list`.
    fn ask_for_sample(&mut self) -> Result<(Value, Value), Failure> {
        // Both are sent before either is read, so that both answers are of nearly the same time.
        let status = self.client.send(&Command::Status(NoArgs {}), Answers::One)?;
        let clients = self.client.send(&Command::ClientsList(ClientsListArgs::default()), Answers::One)?;
        Ok((self.client.only_result(status)?, self.client.only_result(clients)?))
    }

    /// Asks, and composes the lines of the screen.
    fn frame(&mut self, before: &mut Before) -> Result<Vec<String>, Failure> {
        let (status, clients) = self.ask_for_sample()?;
        let sample = Sample { status: self.read(&status)?, clients: self.read(&clients)?, at: Instant::now() };
        Ok(before.frame(&sample, self.screen.legend, self.screen.terminal))
    }
}

/// Seconds as milliseconds, at most as many as the type holds.
fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// What the daemon has answered at one time.
struct Sample {
    status: Status,
    clients: ClientList,
    at: Instant,
}

/// The sample before: its time, and how many lines each client had sent, by its id.
#[derive(Default)]
struct Before {
    at: Option<Instant>,
    lines: HashMap<String, u64>,
}

impl Before {
    /// Lines per second of each client since the sample before, or since it connected; busiest first.
    fn rates<'a>(&mut self, sample: &'a Sample) -> Vec<(f64, &'a Client)> {
        let now = sample.status.since.0.0.saturating_add(millis(sample.status.uptime_s));
        let rate = |client: &Client| {
            let known = self.at.zip(self.lines.get(&client.id).copied());
            let (lines, span) = match known {
                Some((at, before)) => (client.lines.saturating_sub(before), sample.at - at),
                None => {
                    let age = u64::try_from(now.saturating_sub(client.since.0.0)).unwrap_or(0);
                    (client.lines, Duration::from_millis(age.max(1000)))
                }
            };
            #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
            let rate = lines as f64 / span.as_secs_f64().max(0.001);
            rate
        };
        let mut rates: Vec<_> = sample.clients.clients.iter().map(|client| (rate(client), client)).collect();
        rates.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(y.behind_bytes.cmp(&x.behind_bytes)));
        self.at = Some(sample.at);
        self.lines = sample.clients.clients.iter().map(|client| (client.id.clone(), client.lines)).collect();
        rates
    }

    /// The lines of the screen: as many, and as wide, as fit into `size`, columns and rows.
    fn frame(&mut self, sample: &Sample, legend: bool, size: Option<(usize, usize)>) -> Vec<String> {
        let status = &sample.status;
        let rates = self.rates(sample);
        let total: f64 = rates.iter().map(|(rate, _)| rate).sum();
        let behind = rates.iter().fold(0_u64, |sum, (_, client)| sum.saturating_add(client.behind_bytes));
        let mut lines = Vec::new();
        if legend {
            let heading = format!(
                "chathub {}, {} for {}: {} of {}, {}, {total:.1} lines/s, {} behind",
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
        let mut table = Table::new(&[
            ("RATE", Side::Right),
            ("LINES", Side::Right),
            ("BEHIND", Side::Right),
            ("IDLE", Side::Right),
            ("ID", Side::Left),
            ("NICK", Side::Left),
            ("ROOM", Side::Left),
            ("NOTES", Side::Left),
        ]);
        let heading = usize::from(legend);
        let fit = size.map_or(usize::MAX, |(_, rows)| rows.saturating_sub(lines.len() + heading));
        for (rate, client) in rates.iter().take(fit) {
            table.row([
                format!("{rate:.1}"),
                client.lines.to_string(),
                bytes(client.behind_bytes),
                span(client.idle_s),
                client.id.clone(),
                client.nick.clone(),
                client.room.clone(),
                notes(client),
            ]);
        }
        lines.extend(table.lines(legend, size.map(|(columns, _)| columns)));
        lines
    }
}

/// Draws the lines over those drawn before. Nothing is erased first, which would flicker.
fn draw(to: &mut Screen<'_>, frame: &[String]) -> io::Result<()> {
    to.verbatim("\x1b[H")?;
    for (n, line) in frame.iter().enumerate() {
        if n > 0 {
            to.verbatim("\n")?; // output is as ever: the terminal makes CR LF of it
        }
        to.verbatim(&escape(line))?;
        to.verbatim("\x1b[K")?;
    }
    to.verbatim("\x1b[J")?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: Instant, lines: u64) -> Sample {
        let t = "2026-11-22T10:00:00Z";
        let status = json!({"state": "serving", "version": "0.1.0", "pid": 1, "since": t, "uptime_s": 20, "clients": 2,
            "clients_peak": 2, "clients_max": 9, "rooms": 1, "rooms_max": 9, "history_lines": 0, "listeners": [],
            "activated": false, "survival": "", "log_level": "info", "counters": {}});
        let client = |id: &str, lines: u64| {
            json!({"id": id, "nick": id, "addr": "::1", "port": 1, "room": "lobby", "since": "2026-11-22T10:00:10Z",
                "idle_s": 0, "telnet": false, "behind_bytes": 0, "lines": lines, "dropped": 0, "missed": 0})
        };
        let clients = json!({"clients": [client("c1", 50), client("c2", lines)], "total": 2});
        let read = "what the protocol says";
        Sample {
            status: serde_json::from_value(status).expect(read),
            clients: serde_json::from_value(clients).expect(read),
            at,
        }
    }

    #[test]
    fn busiest_come_first_by_what_they_sent_since_the_last_look() {
        let mut before = Before::default();
        let start = Instant::now();
        let mut look = |at, lines| {
            let frame = before.frame(&sample(at, lines), false, None);
            let ids = |line: &String| line.split_whitespace().map(str::to_owned).take(2).collect::<Vec<_>>().join(" ");
            frame.iter().map(ids).collect::<Vec<_>>()
        };
        assert_eq!(look(start, 20), ["5.0 50", "2.0 20"]); // 10 s connected
        assert_eq!(look(start + Duration::from_secs(2), 23), ["1.5 23", "0.0 50"]);
    }

    #[test]
    fn frame_fits_the_terminal() {
        use unicode_width::UnicodeWidthStr;
        for (columns, rows) in [(20, 4), (80, 24), (1, 1), (0, 0)] {
            let frame = Before::default().frame(&sample(Instant::now(), 1), true, Some((columns, rows)));
            assert!(frame.iter().all(|line| line.width() <= columns.max(1)), "{frame:?}");
            assert!(frame.len() <= rows.max(3), "{frame:?}");
        }
    }
}
