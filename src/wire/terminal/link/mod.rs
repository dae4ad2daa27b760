//! A link: one client's bytes become what its person means.
//!
//! Telnet is taken out first; then lines are put together, or keys edited; then each line is cleaned. Bytes that came
//! in one piece are given out one line at a time, so that the caller, who paces the client, can leave the rest for
//! later. Nothing is lost, and nothing is looked at twice.
//!
//! What the client is sent in telnet is decided here too. A client that has not shown to speak telnet is never
//! sent a byte of it (unless `telnet.negotiate` is `always`).

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::editor::{Edit, Editor};
use super::kinds;
use super::lines::{Keys, LineAssembler, LineEvent, erased};
use super::reflow::{WHERE, WHO, Width};
use super::screen::Area;
use super::sequence;
use super::telnet::{Charset, Command, Event, Mtts, Side, Switch, Telnet, TelnetOption};
use super::widths::{SAMPLE, SAMPLE_COLUMNS};
use crate::settings::{Negotiate, Settings};
use crate::values::terminal::{Colors, Mode, Terminal};
use crate::values::text;
use crate::values::time::Mono;

/// End of transmission (^D), which Debian's telnet sends as it is in line mode.
const EOT: u8 = 0x04;

/// What telnet commands begin with.
const IAC: u8 = 255;

/// What a handshake of TLS begins with: its first record, whose version begins with 3.
const TLS: &[u8] = &[0x16, 3];

/// Clears the screen.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// Cursor to the first column of its row, and clear that row.
const CLEAR_ROW: &[u8] = b"\r\x1b[K";

/// Has the terminal mark what is pasted (bracketed paste).
const MARK_PASTES: &[u8] = b"\x1b[?2004h";

/// Ends bracketed paste.
const MARK_NO_PASTES: &[u8] = b"\x1b[?2004l";

/// What is told whose paste is gone with the line editor.
const NOT_SENT: &[u8] = b"-- what you pasted is not sent\r\n";

/// `IAC EOR`: a client that has asked for it knows by this that an answer is complete (RFC 885).
const END_OF_RECORD: &[u8] = &[255, 239];

/// The settings that say what a client may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The longest line, in bytes without its end.
    pub line: usize,
    /// Which clients are asked about their terminal in telnet.
    pub negotiate: Negotiate,
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self { line: settings.limits.line, negotiate: settings.telnet.negotiate }
    }
}

/// A subnegotiation of which nothing comes for so long has ended, though its end was not marked: programs send one in
/// one piece, and whoever does not speak telnet and types `ÿú` in Latin-1 would be heard no more.
const SUBNEGOTIATION_PAUSE: Duration = Duration::from_secs(10);

/// What a client sends, read so far.
///
/// Idle, it holds no heap memory but what a telnet client has negotiated and typed. Otherwise it holds
/// an unfinished line, at most as long as the limit, and the bytes not looked at yet, which the caller
/// bounds by reading no more until they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    telnet: Telnet,
    lines: LineAssembler,
    /// Bytes that came in; those before `at` have been looked at.
    input: Vec<u8>,
    at: usize,
    /// How many bytes from `at` on are known to be data: no telnet, and not cut into lines or keys yet.
    data: usize,
    /// No more bytes come: the client has closed its side.
    ended: bool,
    /// They end where they should not: a line without an end is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    broken_off: bool,
    /// When the last byte of a subnegotiation came that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    subnegotiated: Option<Mono>,
    /// There once we have asked the client something in telnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Box<Asked>>,
}

/// What is kept of a client that was asked something in telnet; most clients are not, and need no room for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    /// The client has sent a line since, and no telnet.
    silent: bool,
    /// What is known of the terminal.
    terminal: Terminal,
    /// What was known of it when it was last told as [`Heard::Terminal`].
    told: Terminal,
    /// The client has told a terminal type; the first one tells a terminal from a program.
    named: bool,
    /// The client is a MUD client, or another program with an input line of its own.
    has_editor: bool,
    /// The mode that we want it in; it is in char mode when both options are on.
    mode: Mode,
    /// What is typed is not to be seen: it is a password.
    hidden: bool,
    /// There in char mode: each key comes as it is hit.
    editor: Option<Box<Editor>>,
    /// The terminal is asked how wide it takes characters to be, and has not answered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    measuring: bool,
    /// What the terminal has answered, of what becomes of its rows when it gets another width.
    width: Width,
    /// The prompt, such as `lobby> `; until it is known, nothing is drawn.
    prompt: Option<String>,
    /// What [`Link::area`] gave last.
    drawn: Option<Area>,
    /// What follows from telnet's options and was not given out yet: at most one of each kind, but for lines of a paste
    /// behind one that ended char mode.
    news: VecDeque<Heard>,
}

/// What a client has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// A line.
    Line {
        /// The line without its end, cleaned: no control characters but tabs.
        text: String,
        /// How many bytes it was as it came, its end counted as one.
        bytes: u64,
    },
    /// A line that was longer than [`Rules::line`]; nothing is left of it.
    TooLong {
        /// How many bytes it was, without its end.
        bytes: u64,
    },
    /// The first of all lines, and no keyboard makes such bytes: another protocol. Nothing is left of it.
    Foreign,
    /// "Are you there?" (RFC 854).
    AreYouThere,
    /// ^C: what was typed so far is gone.
    Interrupt,
    /// ^D at the start of a line, or a command of telnet to that effect: the person wants to leave.
    Leave,
    /// More is known of the terminal.
    Terminal(Terminal),
    /// The client has gone over to char mode, as it was asked to, or back to line mode of its own accord.
    Mode(Mode),
    /// The client was asked not to show what is typed, and refuses.
    Shown,
    /// Tab: the last word of this text, which is all before the cursor, is to be completed.
    Complete(String),
}

impl Link {
    /// Takes bytes that came in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(bytes);
    }

    /// Whether what was loaded from a snapshot fits together.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let fits = self.at.checked_add(self.data).is_some_and(|end| end <= self.input.len());
        fits && self.editor().is_none_or(Editor::is_sound)
    }

    /// Nothing more comes: what is left without an end is the last line.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Nothing more comes, and what is left without an end may be half of what was meant: it is no line.
    pub fn break_off(&mut self) {
        (self.ended, self.broken_off) = (true, true);
    }

    /// Whether [`Self::end`] or [`Self::break_off`] was called and everything was given out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_busy = self.editor().map_or(self.lines.is_unfinished(), Editor::is_busy);
        self.ended && self.at == self.input.len() && !is_busy
    }

    /// How many bytes are not looked at yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.input.len() - self.at
    }

    /// Whether the client is taken for telnet: it has sent a telnet command, or its first line ended in CR LF, CR
    /// NUL or CR. In the latter case it is asked, and no longer taken for telnet once it sends a line and no answer.
    #[must_use]
    pub fn is_telnet(&self) -> bool {
        self.telnet.is_telnet() || (self.lines.saw_cr() && !self.asked.as_ref().is_some_and(|asked| asked.silent))
    }

    /// Whether a line is being skipped for its length.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.lines.is_unfinished() && self.lines.partial().is_empty()
    }

    /// What is sent behind each answer: `IAC EOR` to a client that has asked for it, nothing to others.
    #[must_use]
    pub fn answer_mark(&self) -> &'static [u8] {
        let is_wanted = self.editor().is_none() && self.telnet.is_on(TelnetOption::EndOfRecord, Side::Ours);
        if is_wanted { END_OF_RECORD } else { &[] }
    }

    fn editor(&self) -> Option<&Editor> {
        self.asked.as_ref()?.editor.as_deref()
    }

    fn editor_mut(&mut self) -> Option<&mut Editor> {
        self.asked.as_mut()?.editor.as_deref_mut()
    }

    /// Asks the client about its terminal, if `negotiate` says so and it was not asked yet. To be called when it
    /// has connected; from then on [`Self::next`] does it.
    pub fn ask(&mut self, negotiate: Negotiate, replies: &mut Vec<u8>) {
        let is_time = match negotiate {
            Negotiate::Always => true,
            Negotiate::Auto => self.is_telnet(),
            Negotiate::Never => false,
        };
        if is_time && self.asked.is_none() {
            self.asked = Some(Box::default());
            self.telnet.ask(TelnetOption::TerminalType, Side::Theirs, Switch::On, replies);
            self.telnet.ask(TelnetOption::WindowSize, Side::Theirs, Switch::On, replies);
            self.telnet.want_binary(replies);
        }
    }

    /// The next thing that came; `None` if the rest has yet to come. It is looked at `at` that time. What the client is
    /// to be sent at once is appended to `replies`.
    pub fn next(&mut self, rules: Rules, at: Mono, replies: &mut Vec<u8>) -> Option<Heard> {
        loop {
            if self.asked.is_none() {
                self.ask(rules.negotiate, replies);
            }
            if let Some(heard) = self.asked.as_mut().and_then(|asked| asked.news.pop_front()) {
                return Some(heard);
            }
            if self.data > 0 || self.editor().is_some_and(Editor::is_busy) {
                if let Some(heard) = self.next_of_data(rules.line, at, replies) {
                    return Some(heard);
                }
                continue;
            }
            if self.at < self.input.len()
                && self.telnet.is_within_subnegotiation()
                && self.subnegotiated.is_some_and(|last| at.since(last) >= SUBNEGOTIATION_PAUSE)
            {
                self.telnet.give_up_subnegotiation();
            }
            // What we send must not depend on how the bytes were cut up. A client that shows to be telnet is asked
            // before anything else is answered: so until it is asked, bytes that are no data are taken one by one.
            let all = &self.input[self.at..];
            let is_plain = self.telnet.is_between() && all.first() != Some(&IAC);
            let mut rest = if self.asked.is_some() || is_plain { all } else { &all[..all.len().min(1)] };
            let len = rest.len();
            let event = self.telnet.receive(&mut rest, replies);
            if len > 0 {
                self.subnegotiated = self.telnet.is_within_subnegotiation().then_some(at);
            }
            let end = self.at + len - rest.len();
            match event {
                Some(Event::Data(run)) => {
                    self.at = end - run.len();
                    self.data = run.len();
                }
                Some(Event::Command(command)) => {
                    self.at = end;
                    if let Some(heard) = self.command(command) {
                        return Some(heard);
                    }
                }
                Some(Event::Option { option, side, now }) => {
                    self.at = end;
                    self.option(option, side, now, replies);
                }
                Some(Event::TerminalType(name)) => {
                    self.at = end;
                    self.terminal_named(&name);
                }
                Some(Event::Mtts(mtts)) => {
                    self.at = end;
                    self.terminal_can(mtts, replies);
                }
                Some(Event::WindowSize { cols, rows }) => {
                    self.at = end;
                    if let Some(asked) = &mut self.asked {
                        (asked.terminal.cols, asked.terminal.rows) = (cols.unwrap_or(0), rows.unwrap_or(0));
                    }
                }
                Some(Event::Charset(charset)) => {
                    self.at = end;
                    if let Some(asked) = &mut self.asked {
                        asked.terminal.ascii = charset != Charset::Utf8;
                    }
                }
                Some(Event::TerminalTypesEnd) => self.at = end,
                None if end < self.input.len() => self.at = end,
                None => {
                    self.input = Vec::new();
                    self.at = 0;
                    self.ask(rules.negotiate, replies);
                    return self.next_at_rest();
                }
            }
        }
    }

    /// Takes data, as lines or as keys, up to the next thing that it means.
    fn next_of_data(&mut self, max: usize, at: Mono, replies: &mut Vec<u8>) -> Option<Heard> {
        let mut run = &self.input[self.at..self.at + self.data];
        let Some(editor) = self.asked.as_mut().and_then(|asked| asked.editor.as_deref_mut()) else {
            let is_first = !self.lines.saw_end();
            let heard = self.lines.next(&mut run, max).map(|event| heard(event, is_first));
            let used = self.data - run.len();
            self.at += used;
            self.data -= used;
            if let Some(asked) = &mut self.asked
                && heard.is_some()
            {
                asked.silent = !self.telnet.is_telnet();
            }
            if heard.is_none() && self.lines.partial() == [EOT] && self.is_telnet() {
                self.lines.erase_line();
                return Some(Heard::Leave);
            }
            return heard;
        };
        let edit = editor.next(&mut run, max, at);
        let used = self.data - run.len();
        self.at += used;
        self.data -= used;
        Some(match edit? {
            Edit::Line(text) => {
                let bytes = text.len() as u64 + 1;
                Heard::Line { text: text::without_long_blanks(&text).into_owned(), bytes }
            }
            Edit::TooLong(bytes) => Heard::TooLong { bytes },
            Edit::Interrupt => Heard::Interrupt,
            Edit::Leave => Heard::Leave,
            Edit::Complete => {
                let (text, cursor) = editor.typed();
                Heard::Complete(text[..cursor].to_owned())
            }
            Edit::Redraw => {
                replies.extend_from_slice(CLEAR);
                return None;
            }
            Edit::Column(column) => {
                if let Some(asked) = &mut self.asked {
                    if std::mem::take(&mut asked.measuring) {
                        asked.terminal.usual = column == SAMPLE_COLUMNS + 1;
                    } else {
                        asked.width.told = asked.width.told.wrapping_add(1);
                        asked.width.column = column;
                    }
                    asked.width.answers = true;
                }
                return None;
            }
            Edit::Kind(reflows) => {
                if let Some(asked) = &mut self.asked {
                    (asked.width.answers, asked.width.reflows) = (true, reflows);
                }
                return None;
            }
        })
    }

    /// What remains to be told when all bytes have been looked at.
    fn next_at_rest(&mut self) -> Option<Heard> {
        if let Some(asked) = &mut self.asked {
            asked.terminal.answers = self.telnet.is_telnet();
            if asked.terminal != asked.told {
                asked.told = asked.terminal;
                return Some(Heard::Terminal(asked.terminal));
            }
        }
        // A line that is being edited by us was not sent by its person: at the end it is dropped.
        if !self.ended || self.editor().is_some() {
            return None;
        }
        let is_first = !self.lines.saw_end();
        self.lines.finish().filter(|_| !self.broken_off).map(|event| heard(event, is_first))
    }

    fn command(&mut self, command: Command) -> Option<Heard> {
        match command {
            Command::AreYouThere => return Some(Heard::AreYouThere),
            Command::Interrupt | Command::Break => {
                self.lines.erase_line();
                if let Some(editor) = self.editor_mut() {
                    editor.interrupt();
                }
                return Some(Heard::Interrupt);
            }
            Command::EraseCharacter => match self.editor_mut() {
                Some(editor) => editor.erase(),
                None => self.lines.erase_char(),
            },
            Command::EraseLine => match self.editor_mut() {
                Some(editor) => editor.interrupt(),
                None => self.lines.erase_line(),
            },
            Command::EndOfFile | Command::Suspend | Command::Abort => return Some(Heard::Leave),
            Command::AbortOutput => {}
        }
        None
    }

    // -- the terminal --------------------------------------------------------------------------

    /// The client tells a terminal type: the name of its terminal, or its own.
    fn terminal_named(&mut self, name: &str) {
        let Some(asked) = &mut self.asked else { return };
        let colors = kinds::colors(name);
        let is_terminal = colors.is_some();
        if !std::mem::replace(&mut asked.named, true) && !is_terminal {
            // It begins with its own name, as MUD clients do: it has an input line of its own.
            asked.has_editor = true;
        }
        asked.terminal.screen |= is_terminal && !asked.has_editor;
        asked.terminal.colors = asked.terminal.colors.max(colors.unwrap_or(Colors::None));
    }

    /// The client tells its abilities, as MUD clients do.
    fn terminal_can(&mut self, mtts: Mtts, replies: &mut Vec<u8>) {
        let Some(asked) = &mut self.asked else { return };
        asked.has_editor = true;
        asked.terminal.screen = false;
        asked.terminal.read_aloud = mtts.has(Mtts::SCREEN_READER);
        asked.terminal.ascii = !mtts.has(Mtts::UTF_8);
        // It lays its lines out by a table of its own, which is much like ours.
        asked.terminal.usual = mtts.has(Mtts::UTF_8);
        asked.terminal.colors = if mtts.has(Mtts::COLORS_256) {
            Colors::Many
        } else if mtts.has(Mtts::ANSI) {
            Colors::Basic
        } else {
            Colors::None
        };
        // MUD clients know these two options and do not ask for them by themselves; other clients do.
        self.telnet.ask(TelnetOption::Charset, Side::Ours, Switch::On, replies);
        self.telnet.ask(TelnetOption::EndOfRecord, Side::Ours, Switch::On, replies);
    }

    // -- modes ---------------------------------------------------------------------------------

    /// The client is to send lines, or each key as it is hit. The latter it may refuse: the outcome
    /// is heard as [`Heard::Mode`]. A client that has not answered in telnet is not asked.
    pub fn set_mode(&mut self, mode: Mode, replies: &mut Vec<u8>) {
        let Some(asked) = self.asked.as_mut().filter(|_| self.telnet.is_telnet()) else { return };
        asked.mode = mode;
        match mode {
            Mode::Char => {
                // From now on the client may begin with it as well: busybox does not follow us there a second time.
                self.telnet.welcome_keys();
                // One option without the other breaks typing in common clients: both are asked for in one piece.
                self.telnet.ask(TelnetOption::Echo, Side::Ours, Switch::On, replies);
                self.telnet.ask(TelnetOption::SuppressGoAhead, Side::Ours, Switch::On, replies);
                self.settle(replies);
            }
            Mode::Line => self.leave_char_mode(replies),
        }
    }

    /// Has the client show nothing of what is typed, or show it again. A client that has not answered in telnet is
    /// not asked; one that refuses is heard of as [`Heard::Shown`].
    pub fn hide(&mut self, hidden: bool, replies: &mut Vec<u8>) {
        let Some(asked) = self.asked.as_mut().filter(|_| self.telnet.is_telnet()) else { return };
        asked.hidden = hidden;
        if let Some(editor) = &mut asked.editor {
            editor.hide(hidden);
        } else if asked.mode == Mode::Line {
            let want = if hidden { Switch::On } else { Switch::Off };
            self.telnet.ask(TelnetOption::Echo, Side::Ours, want, replies);
            self.settle(replies);
        }
    }

    /// Sets the prompt before what is typed.
    pub fn set_prompt(&mut self, prompt: &str) {
        let Some(asked) = &mut self.asked else { return };
        let prompt = text::clean(prompt.as_bytes()).into_owned();
        if let Some(editor) = &mut asked.editor {
            editor.set_prompt(&prompt);
        }
        asked.prompt = Some(prompt);
    }

    /// In answer to [`Heard::Complete`]: completes the word that begins at byte `from`, to the first of `words`; Tab
    /// goes on to the others. The line may have `max` bytes.
    pub fn complete(&mut self, from: usize, words: Vec<String>, max: usize) {
        if let Some(editor) = self.editor_mut() {
            editor.complete(from, words, max);
        }
    }

    /// How what is typed is to be drawn, if that has changed since the last call. `Some(None)` once we no longer
    /// echo.
    pub fn area(&mut self) -> Option<Option<Area>> {
        let asked = self.asked.as_mut()?;
        let size = asked.terminal.into();
        let area = asked.editor.as_ref().filter(|_| asked.prompt.is_some()).map(|editor| {
            let area = editor.area(size);
            let width = Width { cols: area.width.cols, ..asked.width };
            Area { width, ..area }
        });
        if area == asked.drawn {
            return None;
        }
        asked.drawn.clone_from(&area);
        Some(area)
    }

    /// Appends what the client is sent last, before its connection ends: its terminal is to be as it was before.
    pub fn close(&mut self, replies: &mut Vec<u8>) {
        if let Some(asked) = &mut self.asked
            && asked.editor.take().is_some()
        {
            replies.extend_from_slice(MARK_NO_PASTES);
        }
    }

    /// An option has changed, or what we asked for was refused.
    fn option(&mut self, option: TelnetOption, side: Side, now: Switch, replies: &mut Vec<u8>) {
        if side != Side::Ours || !matches!(option, TelnetOption::Echo | TelnetOption::SuppressGoAhead) {
            return;
        }
        let Some(asked) = &mut self.asked else { return };
        if now == Switch::Off && asked.mode == Mode::Char {
            // ECHO and SUPPRESS-GO-AHEAD are on together or not at all, and the client has the last word.
            self.leave_char_mode(replies);
            self.news(Heard::Mode(Mode::Line));
        }
        let Some(asked) = &mut self.asked else { return };
        if now == Switch::On && asked.mode == Mode::Line && !asked.hidden {
            // It was not asked: its person wants to go over to char mode.
            return self.set_mode(Mode::Char, replies);
        }
        if (option, now) == (TelnetOption::Echo, Switch::Off) && asked.hidden {
            self.news(Heard::Shown);
        }
        self.settle(replies);
    }

    /// Does what follows from the present state of the options: whether we erase in line mode, and whether char mode
    /// begins.
    fn settle(&mut self, replies: &mut Vec<u8>) {
        let is_on = |option| self.telnet.is_on(option, Side::Ours);
        let echo = is_on(TelnetOption::Echo);
        let both = echo && is_on(TelnetOption::SuppressGoAhead);
        // While nothing is shown by the client, it may send each key as it is hit.
        self.lines.set_keys(if echo { Keys::Erase } else { Keys::Verbatim });
        let Some(asked) = &mut self.asked else { return };
        if asked.mode == Mode::Char && both && asked.editor.is_none() {
            let mut editor = Box::<Editor>::default();
            editor.set_prompt(asked.prompt.as_deref().unwrap_or_default());
            editor.hide(asked.hidden);
            let (line, over, after_cr) = self.lines.take();
            editor.take_over(&line, over, after_cr);
            asked.editor = Some(editor);
            replies.extend_from_slice(MARK_PASTES);
            // The row is drawn anew in any case. Where the sample might be broken by the terminal, it is not tried.
            if asked.terminal.cols > 2 * SAMPLE_COLUMNS + 4 && !asked.terminal.usual {
                asked.measuring = true;
                replies.push(b'\r');
                replies.extend_from_slice(SAMPLE.as_bytes());
                replies.extend_from_slice(WHERE);
            }
            replies.extend_from_slice(WHO);
            replies.extend_from_slice(CLEAR_ROW);
            self.news(Heard::Mode(Mode::Char));
        }
    }

    fn leave_char_mode(&mut self, replies: &mut Vec<u8>) {
        let Some(asked) = &mut self.asked else { return };
        asked.mode = Mode::Line;
        if let Some(editor) = asked.editor.take() {
            replies.extend_from_slice(MARK_NO_PASTES);
            let left = editor.leave(asked.terminal.into());
            // What was typed stays on the screen, above where it is gone on with.
            if asked.prompt.is_some() && !left.shown.is_empty() {
                replies.extend_from_slice(&left.shown);
                replies.extend_from_slice(b"\r\n");
            }
            self.lines.take_over(left.line, left.after_cr);
            if left.pasted {
                replies.extend_from_slice(NOT_SENT);
            }
            asked.news.extend(left.ready.into_iter().map(|text| Heard::Line { bytes: text.len() as u64 + 1, text }));
        }
        if !asked.hidden {
            self.telnet.ask(TelnetOption::Echo, Side::Ours, Switch::Off, replies);
        }
        self.telnet.ask(TelnetOption::SuppressGoAhead, Side::Ours, Switch::Off, replies);
        self.settle(replies);
    }

    fn news(&mut self, heard: Heard) {
        if let Some(asked) = &mut self.asked {
            // Of two modes, or two refusals, the later one holds.
            asked.news.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&heard));
            asked.news.push_back(heard);
        }
    }
}

/// What a line means; `is_first`: it is the first of all.
fn heard(event: LineEvent<'_>, is_first: bool) -> Heard {
    match event {
        LineEvent::Line { bytes, .. } if is_first && is_foreign(&bytes) => Heard::Foreign,
        LineEvent::Line { bytes, .. } => {
            let text = text::clean(&erased(sequence::without(&bytes))).into_owned();
            let text = text::without_long_blanks(&text).into_owned();
            Heard::Line { text, bytes: bytes.len() as u64 + 1 }
        }
        LineEvent::TooLong { bytes, .. } => Heard::TooLong { bytes },
    }
}

/// Whether the first line of a client is the beginning of a binary protocol: it has a NUL, which no key sends and no
/// text has, or begins as a record of TLS does.
fn is_foreign(line: &[u8]) -> bool {
    line.contains(&0) || line.starts_with(TLS)
}

#[cfg(test)]
mod tests;
