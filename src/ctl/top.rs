//! `ctl top`: the busiest clients, refreshed until a key is pressed.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::failure::Failure;
use super::print::clients::notes;
use super::print::escape::escape;
use super::print::screen::Screen;
use super::print::table::{Table, cut, left, right};
use super::print::values::{bytes, count, span};
use super::session::Session;
use super::terminal::{self, AlternateScreen, Key};
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
        let mut seen = Seen::default();
        seen.look(self.sample()?);
        let mut view = View::default();
        if !terminal::is_watched() {
            let frame = seen.frame(view, self.screen);
            return Ok(frame.iter().try_for_each(|line| self.screen.line(line))?);
        }
        if !terminal::is_capable() {
            return self.top_of_plain_terminal(seen, interval);
        }
        view.hint = self.screen.legend;
        let screen = AlternateScreen::enter(self.screen)?;
        let mut next = Instant::now() + interval;
        let ended = loop {
            let frame = seen.frame(view, self.screen);
            let left = next.saturating_duration_since(Instant::now());
            let key = draw(self.screen, &frame).and_then(|()| screen.key(left));
            self.screen.terminal = terminal::size();
            match key {
                Ok(Key::None) => {}
                // What is known is shown otherwise, without being asked for again.
                Ok(Key::Other(key)) => {
                    view.turn(key);
                    continue;
                }
                Ok(Key::Quit) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
            match self.sample() {
                Ok(sample) => seen.look(sample),
                Err(failure) => break Err(failure),
            }
            next = Instant::now() + interval;
        };
        screen.leave(self.screen)?;
        ended
    }

    /// On a terminal on which nothing can be drawn over: one frame behind the other, until ^C.
    fn top_of_plain_terminal(&mut self, mut seen: Seen, interval: Duration) -> Result<(), Failure> {
        loop {
            for line in seen.frame(View::default(), self.screen) {
                self.screen.line(&line)?;
            }
            self.screen.line("")?;
            self.screen.flush()?;
            std::thread::sleep(interval);
            self.screen.terminal = terminal::size();
            seen.look(self.sample()?);
        }
    }

    /// The results of `status` and `clients.list`.
    fn ask_for_sample(&mut self) -> Result<(Value, Value), Failure> {
        // Both are sent before either is read, so that both answers are of nearly the same time.
        let status = self.client.send(&Command::Status(NoArgs {}), Answers::One)?;
        let clients = self.client.send(&Command::ClientsList(ClientsListArgs::default()), Answers::One)?;
        Ok((self.client.only_result(status)?, self.client.only_result(clients)?))
    }

    fn sample(&mut self) -> Result<Sample, Failure> {
        let (status, clients) = self.ask_for_sample()?;
        Ok(Sample { status: self.read(&status)?, clients: self.read(&clients)?, at: Instant::now() })
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

/// What stands first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    /// Most lines per second.
    #[default]
    Rate,
    /// Most lines.
    Lines,
    /// Furthest behind.
    Behind,
    /// Longest silent.
    Idle,
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default)]
struct View {
    sort: Sort,
    /// Rooms instead of clients.
    rooms: bool,
    /// The last row says what keys do.
    hint: bool,
}

impl View {
    /// What a key makes of it.
    fn turn(&mut self, key: u8) {
        match key {
            b'r' => self.rooms = !self.rooms,
            b's' => {
                self.sort = match self.sort {
                    Sort::Rate => Sort::Lines,
                    Sort::Lines => Sort::Behind,
                    Sort::Behind => Sort::Idle,
                    Sort::Idle => Sort::Rate,
                }
            }
            _ => {}
        }
    }

    fn hint(self) -> String {
        let sort = match self.sort {
            Sort::Rate => "rate",
            Sort::Lines => "lines",
            Sort::Behind => "what is behind",
            Sort::Idle => "idle time",
        };
        let other = if self.rooms { "clients" } else { "rooms" };
        format!("q quit   s sort otherwise (now by {sort})   r {other}")
    }
}

/// What is known of a client or of a room.
struct Row<'a> {
    rate: f64,
    lines: u64,
    behind: u64,
    idle: u64,
    /// Of a room, those in it.
    clients: Vec<&'a Client>,
}

/// The last sample, and lines per second of each client, by its id.
#[derive(Default)]
struct Seen {
    sample: Option<Sample>,
    rates: HashMap<String, f64>,
}

impl Seen {
    /// Takes a sample: lines per second are those since the sample before, or since the client connected.
    fn look(&mut self, sample: Sample) {
        let before: HashMap<&str, u64> = match &self.sample {
            None => HashMap::new(),
            Some(before) => before.clients.clients.iter().map(|client| (&*client.id, client.lines)).collect(),
        };
        let passed = self.sample.as_ref().map_or(Duration::ZERO, |before| sample.at - before.at);
        let now = sample.status.since.0.0.saturating_add(millis(sample.status.uptime_s));
        let rate = |client: &Client| {
            let (lines, span) = match before.get(&*client.id) {
                Some(before) => (client.lines.saturating_sub(*before), passed),
                None => {
                    let age = u64::try_from(now.saturating_sub(client.since.0.0)).unwrap_or(0);
                    (client.lines, Duration::from_millis(age.max(1000)))
                }
            };
            #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
            let rate = lines as f64 / span.as_secs_f64().max(0.001);
            rate
        };
        self.rates = sample.clients.clients.iter().map(|client| (client.id.clone(), rate(client))).collect();
        self.sample = Some(sample);
    }

    /// The clients or rooms, sorted.
    fn rows<'a>(&self, clients: &'a [Client], view: View) -> Vec<Row<'a>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        let mut of_room: HashMap<&str, usize> = HashMap::new();
        for client in clients {
            let at = if view.rooms { *of_room.entry(&client.room).or_insert(rows.len()) } else { rows.len() };
            if at == rows.len() {
                rows.push(Row { rate: 0.0, lines: 0, behind: 0, idle: u64::MAX, clients: Vec::new() });
            }
            let row = &mut rows[at];
            row.rate += self.rates.get(&client.id).copied().unwrap_or(0.0);
            row.lines = row.lines.saturating_add(client.lines);
            row.behind = row.behind.saturating_add(client.behind_bytes);
            row.idle = row.idle.min(client.idle_s);
            row.clients.push(client);
        }
        rows.sort_by(|x, y| {
            let first = match view.sort {
                Sort::Rate => y.rate.total_cmp(&x.rate),
                Sort::Lines => y.lines.cmp(&x.lines),
                Sort::Behind => y.behind.cmp(&x.behind),
                Sort::Idle => y.idle.cmp(&x.idle),
            };
            first.then(y.rate.total_cmp(&x.rate)).then(y.behind.cmp(&x.behind))
        });
        rows
    }

    /// The lines of the screen: as many, and as wide, as fit.
    fn frame(&self, view: View, screen: &Screen<'_>) -> Vec<String> {
        let Some(sample) = &self.sample else { return Vec::new() };
        let (legend, size) = (screen.legend, screen.terminal);
        let status = &sample.status;
        let rows = self.rows(&sample.clients.clients, view);
        let (rate, behind) =
            rows.iter().fold((0.0, 0_u64), |(rate, behind), row| (rate + row.rate, behind.saturating_add(row.behind)));
        let mut lines = Vec::new();
        if legend {
            let heading = format!(
                "chathub {}, {} for {}: {} of {}, {}, {rate:.1} lines/s, {} behind",
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
        let below = usize::from(view.hint);
        let fit = size.map_or(usize::MAX, |(_, rows)| rows.saturating_sub(lines.len() + usize::from(legend) + below));
        let numbers =
            |row: &Row<'_>| [format!("{:.1}", row.rate), row.lines.to_string(), bytes(row.behind), span(row.idle)];
        let table = if view.rooms {
            let mut table = Table::new([
                right("RATE"),
                right("LINES"),
                right("BEHIND"),
                right("IDLE"),
                right("MEMBERS"),
                left("ROOM"),
            ]);
            for row in rows.iter().take(fit) {
                let [rate, lines, behind, idle] = numbers(row);
                let room = row.clients.first().map_or_else(String::new, |client| client.room.clone());
                table.row([rate, lines, behind, idle, row.clients.len().to_string(), room]);
            }
            table
        } else {
            let mut table = Table::new([
                right("RATE"),
                right("LINES").spare(1),
                right("BEHIND"),
                right("IDLE").spare(2),
                left("ID"),
                left("NICK").shrinks(12),
                left("ROOM").shrinks(8),
                left("NOTES").telling(),
            ]);
            for row in rows.iter().take(fit) {
                let [rate, lines, behind, idle] = numbers(row);
                let Some(client) = row.clients.first() else { continue };
                let (id, nick, room) = (client.id.clone(), client.nick.clone(), client.room.clone());
                table.row([rate, lines, behind, idle, id, nick, room, notes(client, screen.now)]);
            }
            table
        };
        let table = table.lines(legend, size.map(|(columns, _)| columns));
        lines.extend(table.heading);
        // A client is a row here, whatever there is to tell of it: it is looked at from above.
        let of_one = |row: Vec<String>| row.into_iter().take(if size.is_some() { 1 } else { usize::MAX });
        lines.extend(table.rows.into_iter().flat_map(of_one));
        if view.hint
            && let Some((columns, rows)) = size
        {
            lines.resize(rows.saturating_sub(1).max(lines.len()), String::new());
            lines.push(cut(&view.hint(), Some(columns)));
        }
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

    fn look(seen: &mut Seen, at: Instant, lines: u64, view: View) -> Vec<String> {
        seen.look(sample(at, lines));
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out);
        screen.legend = false;
        let ids = |line: &String| line.split_whitespace().map(str::to_owned).take(2).collect::<Vec<_>>().join(" ");
        seen.frame(view, &screen).iter().map(ids).collect()
    }

    #[test]
    fn busiest_come_first_by_what_they_sent_since_the_last_look() {
        let mut seen = Seen::default();
        let start = Instant::now();
        assert_eq!(look(&mut seen, start, 20, View::default()), ["5.0 50", "2.0 20"]); // 10 s connected
        assert_eq!(look(&mut seen, start + Duration::from_secs(2), 23, View::default()), ["1.5 23", "0.0 50"]);
        let mut view = View::default();
        view.turn(b's');
        assert_eq!(look(&mut seen, start + Duration::from_secs(4), 23, view), ["0.0 50", "0.0 23"], "by lines");
        view.turn(b'r');
        assert_eq!(look(&mut seen, start + Duration::from_secs(6), 25, view), ["1.0 75"], "one room");
    }

    #[test]
    fn frame_fits_the_terminal() {
        use unicode_width::UnicodeWidthStr;
        for (columns, rows) in [(20, 4), (80, 24), (1, 1), (0, 0)] {
            let mut out = Vec::new();
            let mut screen = Screen::new(&mut out);
            screen.terminal = Some((columns, rows));
            let mut seen = Seen::default();
            seen.look(sample(Instant::now(), 1));
            let frame = seen.frame(View { hint: true, ..View::default() }, &screen);
            assert!(frame.iter().all(|line| line.width() <= columns.max(1)), "{frame:?}");
            assert!(frame.len() <= rows.max(4), "{frame:?}");
        }
    }
}
