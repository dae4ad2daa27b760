//! A link: turns the bytes of one client into [`Heard`] values, which say what its person does.
//!
//! First telnet commands are taken out; then lines are assembled, or keys are edited; then each
//! line is cleaned. However many bytes have come, the caller gets one line at a time, so that it
//! can pace the client and leave the rest for later. No byte is lost or parsed twice.
//!
//! The link also decides which telnet commands the client is sent. A client that has not shown that
//! it speaks telnet is never sent any (unless `telnet.negotiate` is `always`).
//!
//! | to change | see |
//! | --- | --- |
//! | when a client is asked about its terminal, and for what | [`Link::ask`] |
//! | how received bytes become results | [`Link::next`], [`Heard`] |
//! | char mode and line mode | [`Link::set_mode`] |
//! | hiding a password | [`Link::hide`] |
//! | which first lines belong to another protocol | `is_foreign` |

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

/// End of transmission (^D). In line mode, Debian's telnet sends it as this byte.
const EOT: u8 = 0x04;

/// The first byte of each telnet command.
const IAC: u8 = 255;

/// The first bytes of a TLS handshake: a handshake record whose version begins with 3.
const TLS: &[u8] = &[0x16, 3];

/// The first bytes of a job that is sent to a printer (PJL, Universal Exit Language).
const PRINTER: &[u8] = b"\x1b%-12345X";

/// Clears the screen.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// Moves the cursor to the first column of its row, and clears that row.
const CLEAR_ROW: &[u8] = b"\r\x1b[K";

/// Makes the terminal mark pasted text (bracketed paste).
const MARK_PASTES: &[u8] = b"\x1b[?2004h";

/// Ends bracketed paste.
const MARK_NO_PASTES: &[u8] = b"\x1b[?2004l";

/// Tells a person that their paste was dropped because char mode has ended.
const NOT_SENT: &[u8] = b"-- what you pasted is not sent\r\n";

/// `IAC EOR` (RFC 885): marks the end of an answer, for clients that have asked for it.
const END_OF_RECORD: &[u8] = &[255, 239];

/// The settings that a link depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The longest line, in bytes without its ending.
    pub line: usize,
    /// Which clients are asked about their terminal by telnet.
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
/// An idle link holds heap memory only for a telnet client's options and draft. Otherwise it also
/// holds an unfinished line, at most as long as the limit, and the bytes that are not parsed yet,
/// which the caller bounds by reading no more until they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    telnet: Telnet,
    lines: LineAssembler,
    /// Received bytes; those before `at` are parsed.
    input: Vec<u8>,
    at: usize,
    /// The number of bytes from `at` on that are known to be data, not telnet, and not split into
    /// lines or keys yet.
    data: usize,
    /// Whether the input has ended: no more bytes come.
    ended: bool,
    /// Whether the input was cut off: then a last line without an ending is dropped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    broken_off: bool,
    /// When the last byte of a subnegotiation came that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    subnegotiated: Option<Mono>,
    /// There once we have asked the client something in telnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Box<Asked>>,
}

/// The state of a client that was asked about its terminal by telnet. It is boxed, because most
/// clients are not asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    /// Whether the client has sent a line since, but no telnet command.
    silent: bool,
    /// What is known of the terminal.
    terminal: Terminal,
    /// The value of `terminal` in the last [`Heard::Terminal`].
    told: Terminal,
    /// Whether the client has told a terminal type. The first one shows whether it names a terminal
    /// or a program.
    named: bool,
    /// Whether the client is a program with an input line of its own, such as a MUD client.
    has_editor: bool,
    /// The mode that we want the client in. It is in char mode once ECHO and SUPPRESS-GO-AHEAD are
    /// both on.
    mode: Mode,
    /// Whether typed text must not be shown, because it is a password.
    hidden: bool,
    /// The line editor; `Some` in char mode, where each key comes at once.
    editor: Option<Box<Editor>>,
    /// Whether the terminal was asked for the widths of characters and has not answered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    measuring: bool,
    /// What the terminal's answers have told about changes of its width.
    width: Width,
    /// The prompt, such as `lobby> `; nothing is drawn while it is `None`.
    prompt: Option<String>,
    /// The draft that [`Link::area`] returned last.
    drawn: Option<Area>,
    /// Results that [`Link::next`] has to return first: those of telnet options, at most one of
    /// each kind, and the rest of a paste's lines when char mode has ended in the middle of them.
    news: VecDeque<Heard>,
}

/// An action of a client, or news about it, parsed from its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// A line.
    Line {
        /// The line without its ending, cleaned: no control characters except tabs.
        text: String,
        /// The length in bytes as it came; the ending counts as one.
        bytes: u64,
    },
    /// A line that was longer than [`Rules::line`], and was dropped.
    TooLong {
        /// The length in bytes, without the ending.
        bytes: u64,
    },
    /// The first line, if its bytes belong to another protocol, such as TLS: no keyboard makes
    /// them. The line was dropped.
    Foreign,
    /// The telnet command AYT, "Are you there?" (RFC 854): the client wants a sign of life.
    AreYouThere,
    /// ^C: the line typed so far was dropped.
    Interrupt,
    /// ^D at the start of a line, or a telnet command such as EOF: the person wants to leave.
    Leave,
    /// The client has told more about its terminal; this is all that is known now.
    Terminal(Terminal),
    /// The client has changed to char mode, or of its own accord back to line mode.
    Mode(Mode),
    /// The client refuses to hide what is typed.
    Shown,
    /// Tab: the last word of this text is to be completed; it is the draft up to the cursor.
    Complete(String),
}

impl Link {
    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(bytes);
    }

    /// Whether a value that was loaded from a snapshot is consistent.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let fits = self.at.checked_add(self.data).is_some_and(|end| end <= self.input.len());
        fits && self.editor().is_none_or(Editor::is_sound)
    }

    /// Ends the input: a rest without an ending is the last line.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Ends the input that was cut off: a rest without an ending may be half of a line, and is
    /// dropped.
    pub fn break_off(&mut self) {
        (self.ended, self.broken_off) = (true, true);
    }

    /// Whether [`Self::end`] or [`Self::break_off`] was called and all input was returned.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_busy = self.editor().map_or(self.lines.is_unfinished(), Editor::is_busy);
        self.ended && self.at == self.input.len() && !is_busy
    }

    /// The number of received bytes that are not parsed yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.input.len() - self.at
    }

    /// Whether the client counts as telnet: it has sent a telnet command, or its first line ended
    /// in CR LF, CR NUL or CR. In the second case it is asked about its terminal, and counts as
    /// telnet no longer once it sends a line without an answer.
    #[must_use]
    pub fn is_telnet(&self) -> bool {
        self.telnet.is_telnet() || (self.lines.saw_cr() && !self.asked.as_ref().is_some_and(|asked| asked.silent))
    }

    /// Whether an overlong line is being skipped.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.lines.is_unfinished() && self.lines.partial().is_empty()
    }

    /// The bytes to send behind each answer: `IAC EOR` to a client that has asked for it, none to
    /// others.
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

    /// Asks the client about its terminal, if `negotiate` says so and it was not asked yet. Call
    /// this when the client has connected; later on, [`Self::next`] asks.
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

    /// Parses up to the next thing that the client has done; `None` if more bytes are needed. `at`
    /// is the present time. Bytes that the client must be sent are appended to `replies`.
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

    /// Parses data bytes, as lines or as keys, up to the next result.
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

    /// Results that are left when all bytes are parsed: news of the terminal, and the last line at
    /// the end of the input.
    fn next_at_rest(&mut self) -> Option<Heard> {
        if let Some(asked) = &mut self.asked {
            asked.terminal.answers = self.telnet.is_telnet();
            if asked.terminal != asked.told {
                asked.told = asked.terminal;
                return Some(Heard::Terminal(asked.terminal));
            }
        }
        // In char mode, a draft that was not sent with Enter is dropped at the end of the input.
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

    /// Handles a terminal type: the name of the client's terminal, or of the client itself.
    fn terminal_named(&mut self, name: &str) {
        let Some(asked) = &mut self.asked else { return };
        let colors = kinds::colors(name);
        let is_terminal = colors.is_some();
        if !std::mem::replace(&mut asked.named, true) && !is_terminal {
            // The first name is no terminal's, so it is the client's own, as MUD clients tell it:
            // these have an input line of their own.
            asked.has_editor = true;
        }
        asked.terminal.screen |= is_terminal && !asked.has_editor;
        asked.terminal.colors = asked.terminal.colors.max(colors.unwrap_or(Colors::None));
    }

    /// Handles the abilities that MUD clients tell (MTTS).
    fn terminal_can(&mut self, mtts: Mtts, replies: &mut Vec<u8>) {
        let Some(asked) = &mut self.asked else { return };
        asked.has_editor = true;
        asked.terminal.screen = false;
        asked.terminal.read_aloud = mtts.has(Mtts::SCREEN_READER);
        asked.terminal.ascii = !mtts.has(Mtts::UTF_8);
        // A MUD client lays lines out by a table of its own, which is much like ours.
        asked.terminal.usual = mtts.has(Mtts::UTF_8);
        asked.terminal.colors = if mtts.has(Mtts::COLORS_256) {
            Colors::Many
        } else if mtts.has(Mtts::ANSI) {
            Colors::Basic
        } else {
            Colors::None
        };
        // MUD clients know these two options but do not ask for them; other clients ask themselves.
        self.telnet.ask(TelnetOption::Charset, Side::Ours, Switch::On, replies);
        self.telnet.ask(TelnetOption::EndOfRecord, Side::Ours, Switch::On, replies);
    }

    // -- modes ---------------------------------------------------------------------------------

    /// Asks the client to send whole lines, or each key at once. It may refuse to send keys;
    /// [`Heard::Mode`] tells the outcome. A client that has never answered by telnet is not asked.
    pub fn set_mode(&mut self, mode: Mode, replies: &mut Vec<u8>) {
        let Some(asked) = self.asked.as_mut().filter(|_| self.telnet.is_telnet()) else { return };
        asked.mode = mode;
        match mode {
            Mode::Char => {
                // From now on the client may also change to char mode by itself: busybox does not
                // agree to it a second time when we ask.
                self.telnet.welcome_keys();
                // One option without the other breaks typing in common clients, so both are asked
                // for at once.
                self.telnet.ask(TelnetOption::Echo, Side::Ours, Switch::On, replies);
                self.telnet.ask(TelnetOption::SuppressGoAhead, Side::Ours, Switch::On, replies);
                self.settle(replies);
            }
            Mode::Line => self.leave_char_mode(replies),
        }
    }

    /// Asks the client to hide what is typed, or to show it again. A client that has never answered
    /// by telnet is not asked; [`Heard::Shown`] tells that a client refuses.
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

    /// Sets the prompt that is drawn before the draft.
    pub fn set_prompt(&mut self, prompt: &str) {
        let Some(asked) = &mut self.asked else { return };
        let prompt = text::clean(prompt.as_bytes()).into_owned();
        if let Some(editor) = &mut asked.editor {
            editor.set_prompt(&prompt);
        }
        asked.prompt = Some(prompt);
    }

    /// Answers [`Heard::Complete`]: replaces the word that begins at byte `from` by the first of
    /// `words`; further Tabs go on to the others. The line may have at most `max` bytes.
    pub fn complete(&mut self, from: usize, words: Vec<String>, max: usize) {
        if let Some(editor) = self.editor_mut() {
            editor.complete(from, words, max);
        }
    }

    /// The draft as it is to be drawn; `None` if it has not changed since the last call,
    /// `Some(None)` if the hub no longer echoes.
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

    /// Appends the last bytes before the connection ends, which set the terminal back as it was.
    pub fn close(&mut self, replies: &mut Vec<u8>) {
        if let Some(asked) = &mut self.asked
            && asked.editor.take().is_some()
        {
            replies.extend_from_slice(MARK_NO_PASTES);
        }
    }

    /// Handles a changed option, or the refusal of one that we have asked for.
    fn option(&mut self, option: TelnetOption, side: Side, now: Switch, replies: &mut Vec<u8>) {
        if side != Side::Ours || !matches!(option, TelnetOption::Echo | TelnetOption::SuppressGoAhead) {
            return;
        }
        let Some(asked) = &mut self.asked else { return };
        if now == Switch::Off && asked.mode == Mode::Char {
            // ECHO and SUPPRESS-GO-AHEAD must be on together or not at all, and the client may
            // always refuse.
            self.leave_char_mode(replies);
            self.news(Heard::Mode(Mode::Line));
        }
        let Some(asked) = &mut self.asked else { return };
        if now == Switch::On && asked.mode == Mode::Line && !asked.hidden {
            // We have not asked for it, so the person wants char mode.
            return self.set_mode(Mode::Char, replies);
        }
        if (option, now) == (TelnetOption::Echo, Switch::Off) && asked.hidden {
            self.news(Heard::Shown);
        }
        self.settle(replies);
    }

    /// Acts on the present state of the options: sets whether erasing keys are handled in line
    /// mode, and begins char mode if both options are on.
    fn settle(&mut self, replies: &mut Vec<u8>) {
        let is_on = |option| self.telnet.is_on(option, Side::Ours);
        let echo = is_on(TelnetOption::Echo);
        let both = echo && is_on(TelnetOption::SuppressGoAhead);
        // A client that does not echo may send each key at once.
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
            // The row is drawn anew afterwards, so the sample leaves no trace. It is not sent where
            // the terminal might break it into two rows.
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
            // The draft stays on the screen, and the person goes on typing below it.
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
            // A later mode or refusal replaces an earlier one.
            asked.news.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&heard));
            asked.news.push_back(heard);
        }
    }
}

/// The value for a line. `is_first` tells whether it is the client's first line.
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

/// Whether the first line of a client belongs to a binary protocol: it has a NUL, which no key
/// sends and no text holds, or begins like a TLS record, or like a job for a printer.
fn is_foreign(line: &[u8]) -> bool {
    line.contains(&0) || line.starts_with(TLS) || line.starts_with(PRINTER)
}

#[cfg(test)]
mod tests;
