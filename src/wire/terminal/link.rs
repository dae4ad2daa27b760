//! One connection's way in: bytes to what its person means.
//!
//! Telnet is taken out first; then lines are put together, or keys edited; then each line is cleaned.
//! Bytes that came in one piece are given out one line at a time, so that whoever paces the client can
//! leave the rest lying; nothing is lost and nothing is looked at twice.
//!
//! What is said to the client in telnet is decided here too. Who has not shown to speak it is never
//! sent a byte of it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::editor::{Edit, Editor};
use super::lines::{Keys, LineAssembler, LineEvent};
use super::screen::{Area, Size};
use super::telnet::{Charset, Command, Event, Mtts, Side, Switch, Telnet, TelnetOption};
use crate::settings::{Negotiate, Settings};
use crate::values::terminal::{Colors, Mode, Terminal};
use crate::values::text;

/// End of transmission (^D), which Debian's telnet sends as it is in line mode.
const EOT: u8 = 0x04;

/// What telnet commands begin with.
const IAC: u8 = 255;

/// Clears the screen.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// The terminal marks what is pasted, or no more (bracketed paste).
const MARK_PASTES: &[u8] = b"\x1b[?2004h";
const MARK_NO_PASTES: &[u8] = b"\x1b[?2004l";

/// `IAC EOR`: a client that has asked for it knows by this that an answer is complete (RFC 885).
const END_OF_RECORD: &[u8] = &[255, 239];

/// What is expected of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The longest line, in bytes.
    pub line: usize,
    /// Who is asked in telnet.
    pub negotiate: Negotiate,
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self { line: settings.limits.line, negotiate: settings.telnet.negotiate }
    }
}

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
    /// Bytes that came in; those before `at` are done with.
    input: Vec<u8>,
    at: usize,
    /// How many bytes from `at` on are known to be data.
    data: usize,
    ended: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Box<Asked>>,
}

/// What only those need room for who were asked something in telnet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    /// It has gone on without an answer.
    silent: bool,
    /// The terminal, and what was told of it last.
    terminal: Terminal,
    told: Terminal,
    /// The first of the names that it gives itself has come.
    named: bool,
    /// It is a MUD client, or another program with an input line of its own.
    has_editor: bool,
    /// Who is to edit.
    mode: Mode,
    /// What is typed is not to be seen.
    hidden: bool,
    /// There if each key comes as it is hit.
    editor: Option<Box<Editor>>,
    /// What stands before what is typed; until it is known, nothing is drawn.
    prompt: Option<String>,
    /// How it was drawn last.
    drawn: Option<Area>,
    /// What came and was not given out yet: at most one of each kind at a time.
    news: VecDeque<Heard>,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// A line.
    Line {
        /// Cleaned.
        text: String,
        /// How many bytes it was, with its end.
        bytes: u64,
    },
    /// A line that was longer than allowed; nothing is left of it.
    TooLong {
        /// How many bytes it was.
        bytes: u64,
    },
    /// "Are you there?" (RFC 854).
    AreYouThere,
    /// ^C: what was typed so far is gone.
    Interrupt,
    /// ^D at the start of a line, or the like: the person wants to leave.
    Leave,
    /// More is known of the terminal.
    Terminal(Terminal),
    /// From here on each key comes, as it was asked to; or lines, though it was not.
    Mode(Mode),
    /// It was asked not to show what is typed, and does not go along.
    Shown,
    /// Tab: the last word of this is to be completed.
    Complete(String),
}

impl Link {
    /// Takes bytes that came in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(bytes);
    }

    /// Whether what was read from elsewhere fits together.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let fits = self.at.checked_add(self.data).is_some_and(|end| end <= self.input.len());
        fits && self.editor().is_none_or(Editor::is_sound)
    }

    /// Nothing more comes: what is left without an end is the last line.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether [`Self::end`] was called and everything was given out.
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

    /// Whether the client has shown to be telnet: by a command, or by how its first line ended, unless it
    /// has left unanswered what it was asked then.
    #[must_use]
    pub fn is_telnet(&self) -> bool {
        self.telnet.is_telnet() || (self.lines.saw_crlf() && !self.asked.as_ref().is_some_and(|asked| asked.silent))
    }

    /// Whether a line is being skipped for its length.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.lines.is_unfinished() && self.lines.partial().is_empty()
    }

    /// What a client that has asked for it is sent behind each answer; empty for others.
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

    /// Asks the client of its terminal, if it is to be asked and was not. To be called when it has
    /// connected; [`Self::next`] does it from then on.
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

    /// The next thing that came; `None` if the rest has yet to come. What the client is to be sent at
    /// once is appended to `replies`.
    pub fn next(&mut self, rules: Rules, replies: &mut Vec<u8>) -> Option<Heard> {
        loop {
            if self.asked.is_none() {
                self.ask(rules.negotiate, replies);
            }
            if let Some(heard) = self.asked.as_mut().and_then(|asked| asked.news.pop_front()) {
                return Some(heard);
            }
            if self.data > 0 || self.editor().is_some_and(Editor::is_busy) {
                if let Some(heard) = self.next_of_data(rules.line, replies) {
                    return Some(heard);
                }
                continue;
            }
            // Whoever shows to be telnet is asked before anything else is answered, however the bytes were
            // cut up: so they are looked at one by one until then, but for data.
            let all = &self.input[self.at..];
            let is_plain = self.telnet.is_between() && all.first() != Some(&IAC);
            let mut rest = if self.asked.is_some() || is_plain { all } else { &all[..all.len().min(1)] };
            let len = rest.len();
            let event = self.telnet.receive(&mut rest, replies);
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

    /// Data: lines, or keys.
    fn next_of_data(&mut self, max: usize, replies: &mut Vec<u8>) -> Option<Heard> {
        let mut run = &self.input[self.at..self.at + self.data];
        let Some(editor) = self.asked.as_mut().and_then(|asked| asked.editor.as_deref_mut()) else {
            let heard = self.lines.next(&mut run, max).map(heard);
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
        let edit = editor.next(&mut run, max);
        let used = self.data - run.len();
        self.at += used;
        self.data -= used;
        Some(match edit? {
            Edit::Line(text) => Heard::Line { bytes: text.len() as u64 + 1, text },
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
        })
    }

    /// Everything that has come was looked at.
    fn next_at_rest(&mut self) -> Option<Heard> {
        if let Some(asked) = &mut self.asked {
            asked.terminal.answers = self.telnet.is_telnet();
            if asked.terminal != asked.told {
                asked.told = asked.terminal;
                return Some(Heard::Terminal(asked.terminal));
            }
        }
        // What was being typed with our editor was not sent.
        if self.ended && self.editor().is_none() { self.lines.finish().map(heard) } else { None }
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

    /// One of the names that a program gives itself or its terminal.
    fn terminal_named(&mut self, name: &str) {
        let Some(asked) = &mut self.asked else { return };
        let (is_terminal, colors) = kind(name);
        if !std::mem::replace(&mut asked.named, true) && !is_terminal {
            // It begins with its own name, as MUD clients do: it has an input line of its own.
            asked.has_editor = true;
        }
        asked.terminal.screen = is_terminal && !asked.has_editor;
        asked.terminal.colors = asked.terminal.colors.max(colors);
    }

    /// What a MUD client says that it can do.
    fn terminal_can(&mut self, mtts: Mtts, replies: &mut Vec<u8>) {
        let Some(asked) = &mut self.asked else { return };
        asked.has_editor = true;
        asked.terminal.screen = false;
        asked.terminal.read_aloud = mtts.has(Mtts::SCREEN_READER);
        asked.terminal.ascii = !mtts.has(Mtts::UTF_8);
        asked.terminal.colors = if mtts.has(Mtts::COLORS_256) {
            Colors::Many
        } else if mtts.has(Mtts::ANSI) {
            Colors::Basic
        } else {
            Colors::None
        };
        // Such programs know these two, and others would have asked for them.
        self.telnet.ask(TelnetOption::Charset, Side::Ours, Switch::On, replies);
        self.telnet.ask(TelnetOption::EndOfRecord, Side::Ours, Switch::On, replies);
    }

    // -- modes ---------------------------------------------------------------------------------

    /// The client is to send lines, or each key as it is hit. The latter it may refuse: what comes of it
    /// is heard as [`Heard::Mode`]. Whoever has not answered in telnet is not asked.
    pub fn set_mode(&mut self, mode: Mode, replies: &mut Vec<u8>) {
        let Some(asked) = self.asked.as_mut().filter(|_| self.telnet.is_telnet()) else { return };
        asked.mode = mode;
        match mode {
            Mode::Char => {
                // One without the other breaks typing in common clients: both in one piece.
                self.telnet.ask(TelnetOption::Echo, Side::Ours, Switch::On, replies);
                self.telnet.ask(TelnetOption::SuppressGoAhead, Side::Ours, Switch::On, replies);
                self.settle(replies);
            }
            Mode::Line => self.leave_char_mode(replies),
        }
    }

    /// What is typed next is not to be seen, or again it is. Whoever has not answered in telnet is not
    /// asked; whoever refuses is heard of as [`Heard::Shown`].
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

    /// What stands before what is typed.
    pub fn set_prompt(&mut self, prompt: &str) {
        let Some(asked) = &mut self.asked else { return };
        let prompt = text::clean(prompt.as_bytes()).into_owned();
        if let Some(editor) = &mut asked.editor {
            editor.set_prompt(&prompt);
        }
        asked.prompt = Some(prompt);
    }

    /// Completes the word that begins at byte `from`, in answer to [`Heard::Complete`].
    pub fn complete(&mut self, from: usize, words: Vec<String>, max: usize) {
        if let Some(editor) = self.editor_mut() {
            editor.complete(from, words, max);
        }
    }

    /// How what is typed looks, if that has changed since this was asked last: `None` within if it is
    /// none of our business any more.
    pub fn area(&mut self) -> Option<Option<Area>> {
        let asked = self.asked.as_mut()?;
        let size = |told: u16, usual| if told > 0 { told } else { usual };
        let size = Size { cols: size(asked.terminal.cols, 80), rows: size(asked.terminal.rows, 24) };
        let area = asked.editor.as_ref().filter(|_| asked.prompt.is_some()).map(|editor| editor.area(size));
        if area == asked.drawn {
            return None;
        }
        asked.drawn.clone_from(&area);
        Some(area)
    }

    /// What the client is sent last, before its connection ends: its terminal is as it was.
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
            // Both or neither, and its program has the last word.
            self.leave_char_mode(replies);
            self.news(Heard::Mode(Mode::Line));
        }
        let Some(asked) = &mut self.asked else { return };
        if (option, now) == (TelnetOption::Echo, Switch::Off) && asked.hidden {
            self.news(Heard::Shown);
        }
        self.settle(replies);
    }

    /// Does what follows from how the options are now.
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
            asked.editor = Some(editor);
            self.lines.erase_line();
            replies.extend_from_slice(MARK_PASTES);
            self.news(Heard::Mode(Mode::Char));
        }
    }

    fn leave_char_mode(&mut self, replies: &mut Vec<u8>) {
        let Some(asked) = &mut self.asked else { return };
        asked.mode = Mode::Line;
        if asked.editor.take().is_some() {
            replies.extend_from_slice(MARK_NO_PASTES);
        }
        if !asked.hidden {
            self.telnet.ask(TelnetOption::Echo, Side::Ours, Switch::Off, replies);
        }
        self.telnet.ask(TelnetOption::SuppressGoAhead, Side::Ours, Switch::Off, replies);
        self.settle(replies);
    }

    fn news(&mut self, heard: Heard) {
        if let Some(asked) = &mut self.asked {
            // Of two modes, or two refusals, the later one is true.
            asked.news.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&heard));
            asked.news.push_back(heard);
        }
    }
}

/// Whether a name is one of a terminal whose cursor can be moved as ECMA-48 says, and its colours.
fn kind(name: &str) -> (bool, Colors) {
    const TERMINALS: [&str; 33] = [
        "xterm",
        "vt1",
        "vt2",
        "vt3",
        "vt4",
        "vt525",
        "screen",
        "tmux",
        "linux",
        "rxvt",
        "ansi",
        "putty",
        "konsole",
        "gnome",
        "vte",
        "alacritty",
        "kitty",
        "foot",
        "wezterm",
        "ghostty",
        "contour",
        "st-",
        "stterm",
        "iterm",
        "nsterm",
        "eterm",
        "mlterm",
        "cygwin",
        "mintty",
        "teraterm",
        "dtterm",
        "aixterm",
        "cons25",
    ];
    const MANY: [&str; 8] = ["256color", "direct", "truecolor", "kitty", "alacritty", "foot", "wezterm", "ghostty"];
    let name = name.to_ascii_lowercase();
    let is_terminal = name == "st" || TERMINALS.iter().any(|known| name.starts_with(known));
    let colors = if !is_terminal || name.starts_with("vt") || name.ends_with("-m") || name.ends_with("-mono") {
        Colors::None
    } else if MANY.iter().any(|word| name.contains(word)) {
        Colors::Many
    } else {
        Colors::Basic
    };
    (is_terminal, colors)
}

fn heard(event: LineEvent<'_>) -> Heard {
    match event {
        LineEvent::Line { bytes, .. } => {
            Heard::Line { text: text::clean(&bytes).into_owned(), bytes: bytes.len() as u64 + 1 }
        }
        LineEvent::TooLong { bytes, .. } => Heard::TooLong { bytes },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules { line: 32, negotiate: Negotiate::Never };

    fn listen(pieces: &[&[u8]]) -> (Vec<Heard>, Vec<u8>) {
        let (mut link, mut out, mut replies) = (Link::default(), Vec::new(), Vec::new());
        for piece in pieces {
            link.push(piece);
            // Half of the time the caller leaves the rest lying and comes back with more.
            while let Some(heard) = link.next(RULES, &mut replies) {
                out.push(heard);
            }
        }
        link.end();
        while let Some(heard) = link.next(RULES, &mut replies) {
            out.push(heard);
        }
        assert!(link.is_done());
        (out, replies)
    }

    fn line(text: &str) -> Heard {
        Heard::Line { text: text.into(), bytes: text.len() as u64 + 1 }
    }

    #[test]
    fn lines_come_one_at_a_time_and_the_last_needs_no_end() {
        let (heard, replies) = listen(&[b"one\ntwo\r", b"\nthree\r\0fo", b"ur"]);
        assert_eq!(heard, vec![line("one"), line("two"), line("three"), line("four")]);
        assert!(replies.is_empty(), "not one byte of telnet to a client that has sent none");
    }

    #[test]
    fn control_c_of_debians_telnet_clears_the_line_and_is_answered() {
        let (heard, replies) = listen(&[b"abc\xff\xf4\xff\xfd\x06def\r\n"]);
        assert_eq!(heard, vec![Heard::Interrupt, line("def")]);
        assert_eq!(replies, b"\xff\xfc\x06");
    }

    #[test]
    fn control_d_leaves_for_telnet_and_is_nothing_for_others() {
        let (heard, _) = listen(&[b"hi\r\n", b"\x04"]);
        assert_eq!(heard, vec![line("hi"), Heard::Leave]);
        let (heard, _) = listen(&[b"hi\n", b"\x04"]);
        assert_eq!(heard.len(), 2);
        assert!(matches!(&heard[1], Heard::Line { text, .. } if text.is_empty()));
    }

    #[test]
    fn over_long_line_is_one_word_about_it() {
        let long = [b'x'; 1000];
        let (heard, _) = listen(&[&long, b"\nok\n"]);
        assert_eq!(heard, vec![Heard::TooLong { bytes: 1000 }, line("ok")]);
    }

    /// A client's end: what it sends is written down, and so is what it is sent.
    struct Far {
        link: Link,
        rules: Rules,
    }

    impl Far {
        fn new(negotiate: Negotiate) -> Self {
            Self { link: Link::default(), rules: Rules { line: 64, negotiate } }
        }

        /// What is heard of these bytes, and what the client is sent.
        fn sends(&mut self, bytes: impl AsRef<[u8]>) -> (Vec<Heard>, Vec<u8>) {
            let (mut heard, mut replies) = (Vec::new(), Vec::new());
            self.link.push(bytes.as_ref());
            while let Some(one) = self.link.next(self.rules, &mut replies) {
                heard.push(one);
            }
            (heard, replies)
        }

        /// As Debian's telnet on a terminal of 80 by 24, up to where each key comes.
        fn on_a_terminal() -> Self {
            let mut far = Self::new(Negotiate::Auto);
            assert_eq!(far.sends("hi\r\n"), (vec![line("hi")], b"\xff\xfd\x18\xff\xfd\x1f".to_vec()));
            far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
            far.sends(b"\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
            let (heard, _) = far.sends(b"\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
            assert_eq!(heard, vec![]);
            let mut replies = Vec::new();
            far.link.set_mode(Mode::Char, &mut replies);
            assert_eq!(replies, b"\xff\xfb\x01\xff\xfb\x03");
            let (heard, replies) = far.sends(b"\xff\xfd\x01\xff\xfd\x03");
            assert_eq!(heard, vec![Heard::Mode(Mode::Char)]);
            assert_eq!(replies, MARK_PASTES);
            far.link.set_prompt("> ");
            far
        }

        fn shown(&mut self) -> Option<String> {
            let area = self.link.area()??;
            Some(String::from_utf8(area.draw).unwrap())
        }
    }

    const TERMINAL: Terminal = Terminal {
        cols: 80,
        rows: 24,
        answers: true,
        screen: true,
        read_aloud: false,
        ascii: false,
        colors: Colors::Many,
    };

    #[test]
    fn who_sends_no_telnet_is_sent_none() {
        for bytes in [&b"hi\nho\n"[..], b"hi\rho\r", b"hi\nho\r\n", b"\xc3\xa9\x1b[A\x04\n"] {
            let mut far = Far::new(Negotiate::Auto);
            assert_eq!(far.sends(bytes).1, b"");
            let mut replies = Vec::new();
            far.link.set_mode(Mode::Char, &mut replies);
            far.link.hide(true, &mut replies);
            far.link.close(&mut replies);
            assert_eq!((replies, far.link.area()), (vec![], None));
        }
    }

    #[test]
    fn who_has_shown_to_be_telnet_is_asked_once() {
        let ask = b"\xff\xfd\x18\xff\xfd\x1f";
        let mut far = Far::new(Negotiate::Auto);
        assert_eq!(far.sends("hi\r").1, b"");
        assert_eq!(far.sends("\nho\r\n").1, ask);
        assert_eq!(far.sends("he\r\n").1, b"");
        let mut far = Far::new(Negotiate::Auto);
        assert_eq!(far.sends(b"\xff\xf1").1, [ask, BINARY].concat());
        assert_eq!(far.sends(b"\xff\xf1hi\r\n").1, b"");
        let mut far = Far::new(Negotiate::Never);
        assert_eq!(far.sends(b"\xff\xf1hi\r\n").1, b"");
        let (mut far, mut replies) = (Far::new(Negotiate::Always), Vec::new());
        far.link.ask(Negotiate::Always, &mut replies);
        assert_eq!(replies, ask);
        assert_eq!(far.sends("hi\n").1, b"");
    }

    /// What keeps Debian's telnet from taking characters for its escape key.
    const BINARY: &[u8] = b"\xff\xfd\x00";

    #[test]
    fn binary_is_asked_for_when_a_client_has_shown_to_be_telnet_for_sure() {
        // By how its first line ended it has not yet.
        for answer in [&b"\xff\xfb\x18"[..], b"\xff\xfc\x18", b"\xff\xfb\x1f", b"\xff\xf4"] {
            let mut far = Far::new(Negotiate::Auto);
            assert!(!far.sends("hi\r\n").1.ends_with(BINARY));
            assert!(far.sends(answer).1.windows(3).any(|three| three == BINARY), "{answer:?}");
            // Whether it goes along or not: once.
            for more in [&b"\xff\xfc\x00"[..], b"\xff\xf1", b"\xff\xfc\x1f"] {
                assert!(!far.sends(more).1.windows(3).any(|three| three == BINARY), "{answer:?} {more:?}");
            }
            assert!(far.sends("Н 東\n").0.contains(&line("Н 東")));
        }
        // Who offers it is told yes, once.
        let mut far = Far::new(Negotiate::Auto);
        assert_eq!(far.sends(b"\xff\xfb\x00").1, [BINARY, b"\xff\xfd\x18\xff\xfd\x1f"].concat());
        assert_eq!(far.sends(b"\xff\xfb\x00\xff\xf1").1, b"");
        // Where nobody is to be asked, nobody is; an offer is answered.
        let mut far = Far::new(Negotiate::Never);
        assert_eq!(far.sends(b"\xff\xf1\xff\xf4hi\r\n").1, b"");
        assert_eq!(far.sends(b"\xff\xfb\x00").1, BINARY);
        let (mut far, mut replies) = (Far::new(Negotiate::Always), Vec::new());
        far.link.ask(Negotiate::Always, &mut replies);
        assert!(!replies.ends_with(BINARY));
        assert_eq!(far.sends("hi\n").1, b"");
        assert!(far.sends(b"\xff\xfc\x18").1.ends_with(BINARY));
        // Then Enter is LF while lines come, and CR where each key does.
        let mut far = Far::on_a_terminal();
        assert_eq!(far.sends("one\rtwo\r").0, [line("one"), line("two")]);
    }

    #[test]
    fn who_does_not_answer_is_left_alone_again() {
        let mut far = Far::new(Negotiate::Auto);
        far.sends("hi\r\n");
        assert!(far.link.is_telnet());
        assert_eq!(far.sends("ho\r\n"), (vec![line("ho")], vec![]));
        assert!(!far.link.is_telnet());
        let mut replies = Vec::new();
        far.link.hide(true, &mut replies);
        far.link.set_mode(Mode::Char, &mut replies);
        assert_eq!(replies, b"");
    }

    #[test]
    fn a_terminal_is_known_by_its_name_and_size() {
        let mut far = Far::new(Negotiate::Auto);
        far.sends("hi\r\n");
        let (heard, replies) = far.sends(b"\xff\xfb\x1f\xff\xfb\x18");
        assert_eq!(heard, [Heard::Terminal(Terminal { answers: true, ..Terminal::default() })]);
        let names = b"\xff\xfa\x18\x01\xff\xf0";
        assert_eq!(replies, [BINARY, names].concat(), "it is telnet for sure, and is asked for its names");
        let (heard, _) = far.sends(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
        assert_eq!(heard, [Heard::Terminal(TERMINAL)]);
        let (heard, replies) = far.sends(b"\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
        assert_eq!((heard, replies), (vec![], vec![]));
    }

    #[test]
    fn a_mud_client_keeps_its_own_input_line_and_is_told_where_answers_end() {
        let mut far = Far::new(Negotiate::Auto);
        far.sends("hi\r\n");
        far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
        far.sends(b"\xff\xfa\x18\x00TINTIN++\xff\xf0\xff\xfa\x18\x00xterm-256color\xff\xf0");
        let (heard, replies) = far.sends(b"\xff\xfa\x18\x00MTTS 79\xff\xf0");
        let expected = Terminal { screen: false, read_aloud: true, ..TERMINAL };
        assert_eq!(heard, [Heard::Terminal(expected)]);
        assert_eq!(expected.suits(), Mode::Line);
        assert!(replies.ends_with(b"\xff\xfb\x2a\xff\xfb\x19"), "{replies:?}");
        assert_eq!(far.link.answer_mark(), b"");
        far.sends(b"\xff\xfd\x19");
        assert_eq!(far.link.answer_mark(), b"\xff\xef");
        // It has CHARSET too, and knows none of ours.
        let (_, replies) = far.sends(b"\xff\xfd\x2a");
        assert!(replies.ends_with(b";UTF-8;US-ASCII\xff\xf0"));
        let (heard, _) = far.sends(b"\xff\xfa\x2a\x03\xff\xf0");
        assert_eq!(heard, [Heard::Terminal(Terminal { ascii: true, ..expected })]);
    }

    #[test]
    fn in_char_mode_keys_are_edited_and_what_is_typed_is_drawn() {
        let mut far = Far::on_a_terminal();
        assert_eq!(far.shown().unwrap(), "> ");
        assert_eq!(far.sends("ab\x02x"), (vec![], vec![]));
        assert_eq!(far.shown().unwrap(), "> axb\r> ax");
        assert_eq!(far.shown(), None, "it has not changed since");
        let (heard, replies) = far.sends("\t\x0c\r\0\x04");
        assert_eq!(heard, [Heard::Complete("ax".into()), line("axb"), Heard::Leave]);
        assert_eq!(replies, CLEAR);
        assert_eq!(far.shown().unwrap(), "> ");
        // IP: what Debian's telnet makes of ^C where its user has it so.
        assert_eq!(far.sends(b"abc\xff\xf4\xff\xfd\x06").0, [Heard::Interrupt]);
        assert_eq!(far.shown(), None);
        // The window is made narrower.
        far.sends("some words that need two rows");
        let (heard, _) = far.sends(b"\xff\xfa\x1f\x00\x14\x00\x18\xff\xf0");
        assert_eq!(heard, [Heard::Terminal(Terminal { cols: 20, ..TERMINAL })]);
        assert_eq!(far.shown().unwrap(), "> some words that n\r\need two rows");
    }

    #[test]
    fn char_mode_ends_when_either_side_wants_it_and_both_options_go() {
        let mut far = Far::on_a_terminal();
        far.sends("half");
        assert!(far.link.area().unwrap().is_some());
        let mut replies = Vec::new();
        far.link.set_mode(Mode::Line, &mut replies);
        assert_eq!(replies, [MARK_NO_PASTES, b"\xff\xfc\x01\xff\xfc\x03"].concat());
        assert_eq!(far.link.area(), Some(None));
        assert_eq!(far.sends(b"\xff\xfe\x01\xff\xfe\x03hello\r\n"), (vec![line("hello")], vec![]));
        let mut far = Far::on_a_terminal();
        let (heard, replies) = far.sends(b"\xff\xfe\x01");
        assert_eq!(heard, [Heard::Mode(Mode::Line)]);
        assert_eq!(replies, [b"\xff\xfc\x01", MARK_NO_PASTES, b"\xff\xfc\x03"].concat());
    }

    #[test]
    fn who_refuses_one_half_of_char_mode_is_left_in_line_mode() {
        let mut far = Far::on_a_terminal();
        let mut replies = Vec::new();
        far.link.set_mode(Mode::Line, &mut replies);
        far.sends(b"\xff\xfe\x01\xff\xfe\x03");
        replies.clear();
        far.link.set_mode(Mode::Char, &mut replies);
        assert_eq!(replies, b"\xff\xfb\x01\xff\xfb\x03");
        let (heard, replies) = far.sends(b"\xff\xfd\x01\xff\xfe\x03");
        assert_eq!(heard, [Heard::Mode(Mode::Line)]);
        assert_eq!(replies, b"\xff\xfc\x01");
        assert_eq!(far.link.area(), None);
    }

    #[test]
    fn a_password_is_hidden_in_both_modes_and_refusal_is_heard_of() {
        let mut far = Far::on_a_terminal();
        far.sends("half");
        let mut replies = Vec::new();
        far.link.hide(true, &mut replies);
        assert_eq!(far.sends("sesame\r\0").0, [line("sesame")]);
        assert_eq!(far.shown().unwrap(), "(not shown) ");
        far.link.hide(false, &mut replies);
        assert_eq!(far.shown().unwrap(), "> half");
        assert_eq!(replies, b"", "we echo anyway");
        far.link.set_mode(Mode::Line, &mut replies);
        far.sends(b"\xff\xfe\x01\xff\xfe\x03");
        replies.clear();
        // In line mode by ECHO alone; a client may send each key then, and erasing is ours.
        far.link.hide(true, &mut replies);
        assert_eq!(replies, b"\xff\xfb\x01");
        assert_eq!(far.sends(b"\xff\xfd\x01sesamy\x7fe\r\n").0, [line("sesame")]);
        replies.clear();
        far.link.hide(false, &mut replies);
        assert_eq!(replies, b"\xff\xfc\x01");
        assert_eq!(far.sends(b"\xff\xfe\x01a\x7f\r\n").0, [Heard::Line { text: "a".into(), bytes: 3 }]);
        far.link.hide(true, &mut replies);
        assert_eq!(far.sends(b"\xff\xfe\x01").0, [Heard::Shown]);
    }

    #[test]
    fn names_of_terminals_are_told_from_those_of_programs() {
        for name in
            ["xterm", "XTERM-256COLOR", "vt220", "screen.xterm-256color", "tmux-256color", "linux", "st", "ANSI"]
        {
            assert!(kind(name).0, "{name}");
        }
        for name in ["dumb", "unknown", "TINTIN++", "MUDLET", "vt52", "network", "", "MTTS 15", "start"] {
            assert!(!kind(name).0, "{name}");
        }
        assert_eq!(kind("xterm").1, Colors::Basic);
        assert_eq!(kind("vt100").1, Colors::None);
        assert_eq!(kind("foot").1, Colors::Many);
    }

    /// What a client of some kind may send in telnet.
    fn telnet() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => prop::sample::select(&b"ab\t\r\n\x00\x01\x02\x03\x0c\x12\x1b[\x7f"[..]).prop_map(|byte| vec![byte]),
            3 => (251_u8..255, prop::sample::select(&[0_u8, 1, 3, 6, 24, 25, 31, 34, 42][..]))
                .prop_map(|(verb, option)| vec![255, verb, option]),
            1 => Just(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0".to_vec()),
            1 => Just(b"\xff\xfa\x18\x00xterm\xff\xf0".to_vec()),
            1 => Just(b"\xff\xfa\x18\x00MTTS 15\xff\xf0".to_vec()),
            1 => (236_u8..=255).prop_map(|command| vec![255, command]),
            1 => Just(b"\x1b[200~a\nb\x1b[201~\r".to_vec()),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// However the bytes are cut up, the same is heard, and the same is sent: but what is told of the
        /// terminal, which is told when all that has come was looked at.
        #[test]
        fn any_chunking_of_a_telnet_client_is_heard_alike(
            bytes in telnet(), size in 1_usize..20, char in any::<bool>(), saved in any::<bool>(),
        ) {
            let run = |size: usize| {
                let mut far = if char { Far::on_a_terminal() } else { Far::new(Negotiate::Auto) };
                let (mut heard, mut replies) = (Vec::new(), Vec::new());
                for chunk in bytes.chunks(size) {
                    let (some, sent) = far.sends(chunk);
                    heard.extend(some.into_iter().filter(|heard| !matches!(heard, Heard::Terminal(_))));
                    replies.extend(sent);
                    if saved {
                        let text = serde_json::to_string(&far.link).unwrap();
                        far.link = serde_json::from_str(&text).unwrap();
                    }
                }
                let terminal = far.link.asked.as_ref().map(|asked| asked.terminal);
                (heard, replies, terminal, far.shown())
            };
            // Where ^D stands alone at a read's end only chunking can tell.
            prop_assert_eq!(run(usize::MAX), run(size));
        }

        #[test]
        fn any_chunking_is_heard_alike(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(0xff_u8), Just(0xfd), Just(6), Just(4), any::<u8>()], 0..300),
            size in 1_usize..40,
        ) {
            let pieces: Vec<_> = bytes.chunks(size).collect();
            let (whole, cut) = (listen(&[&bytes]), listen(&pieces));
            prop_assert_eq!(whole.1, cut.1);
            // Where ^D stands alone at a read's end only chunking can tell; all else is alike.
            if !bytes.contains(&EOT) {
                prop_assert_eq!(whole.0, cut.0);
            }
        }
    }
}
