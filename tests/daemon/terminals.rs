//! A walk on a real terminal: tmux, with the programs that people have in it. Somebody types in the scripts of the
//! world, moves, erases, recalls and pastes, at any width, while others talk; and the screen is read as a person
//! would: the row that is typed in is whole and there once, the cursor stands where the next key goes, and what
//! others say is not torn.
//!
//! `CHATHUB_SEED=n` repeats a walk, `CHATHUB_STEPS=n` says how long it is.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chathub::values::text;
use chathub::values::time::Mono;
use chathub::wire::terminal::editor::{Edit, Editor};
use chathub::wire::terminal::screen::{self, Size};
use chathub::wire::terminal::widths::{Widths, usual};
use serde_json::json;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::shared::dice::Dice;
use crate::stage::{Client, Daemon, UNPACED, have};
use crate::tmux::{Seen, Terminal};

/// Rows of every screen here.
const ROWS: usize = 30;

/// How long a walk goes on, unless it is told how many steps it has. It has some however long they take.
const TIME: Duration = Duration::from_secs(8);
const STEPS: u64 = 12;

/// Words and signs of many scripts, with what terminals differ in.
const WORDS: &[&str] = &[
    "hello",
    "wörld",
    "naïve",
    "e\u{301}te\u{301}",
    "Привет",
    "мир",
    "Ελλάδα",
    "αβγ",
    "שלום",
    "שָׁלוֹם",
    "مرحبا",
    "السَّلامُ",
    "می\u{200C}خواهم",
    "नमस्ते",
    "हिन्दी",
    "क्षत्रिय",
    "আমার",
    "সোনার",
    "বাংলা",
    "ভালোবাসি",
    "தமிழ்",
    "கொடு",
    "മലയാളം",
    "കേരളം",
    "ಕನ್ನಡ",
    "ಕೊಡು",
    "ଓଡ଼ିଆ",
    "ශ්\u{200D}රී",
    "สวัสดี",
    "น้ำ",
    "ភាសាខ្មែរ",
    "ស្រឡាញ់",
    "မြန်မာ",
    "བོད་སྐད",
    "日本語",
    "東京",
    "漢字",
    "ひらがな",
    "カタカナ",
    "한국어",
    "이산",
    "한글",
    "👍",
    "👍🏽",
    "👩\u{200D}👩\u{200D}👧",
    "👨🏿\u{200D}🚀",
    "🏳\u{FE0F}\u{200D}🌈",
    "👩\u{200D}❤\u{FE0F}\u{200D}👨",
    "❤\u{FE0F}",
    "1\u{FE0F}\u{20E3}",
    "🇩🇪",
    "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "☺",
    "§±×°¿",
    "“”…—",
    "①②③",
    "─│┼",
    "ﷺ",
    "ﾊﾝｶｸ",
    "Ａｂｃ",
    "\u{301}a",
];

/// Keys by tmux's names, and what tmux sends for them.
const KEYS: &[(&str, &str)] = &[
    ("Left", "\x1b[D"),
    ("Right", "\x1b[C"),
    ("Home", "\x1b[1~"),
    ("End", "\x1b[4~"),
    ("BSpace", "\x7f"),
    ("DC", "\x1b[3~"),
    ("Up", "\x1b[A"),
    ("Down", "\x1b[B"),
    ("C-w", "\x17"),
    ("C-k", "\x0b"),
    ("C-t", "\x14"),
    ("C-y", "\x19"),
    ("M-b", "\x1bb"),
    ("M-f", "\x1bf"),
    ("F5", "\x1b[15~"),
    ("M-x", "\x1bx"),
];

/// The bytes that tell of a window's size: `IAC SB NAWS`, columns and rows, `IAC SE`.
const WINDOW_SIZE: u64 = 9;

/// The most bytes of characters in one cell: tmux 3.3 leaves out what is more (`UTF8_SIZE` of its source).
const CELL: usize = 21;

/// What can be told from a screen for sure: no blanks, and nothing that tmux leaves out or that is drawn in addition.
fn told(text: &str) -> String {
    let (mut told, mut cell, mut joins) = (String::new(), 0, false);
    for c in text.chars() {
        // What follows a joiner is drawn in the same cell.
        let goes_on = joins || usual(c.encode_utf8(&mut [0; 4])) == 0;
        let is_left_out = goes_on && cell + c.len_utf8() > CELL;
        if !is_left_out {
            cell = if goes_on { cell } else { 0 } + c.len_utf8();
            if !c.is_whitespace() && !matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE0F}' | '\u{25CC}') {
                told.push(c);
            }
        }
        joins = c == '\u{200D}';
    }
    told
}

/// The beginning of a row, up to that column; `None` if terminals differ in how wide it is.
fn up_to(row: &str, col: usize) -> Option<String> {
    if row.chars().any(|c| matches!(c, '\u{200D}' | '\u{FE0F}' | '🏻'..='🏿' | '🇦'..='🇿')) {
        return None;
    }
    let mut columns = 0;
    let fits = |c: &char| {
        columns += usual(c.encode_utf8(&mut [0; 4]));
        columns <= col
    };
    Some(row.chars().take_while(fits).collect())
}

/// The most columns of a text.
fn width(text: &str) -> usize {
    text.chars().map(|c| 1 + usize::from(!c.is_ascii())).sum()
}

/// Somebody at a terminal, and what is to be seen there.
struct Walk {
    terminal: Terminal,
    bob: Client,
    dice: Dice,
    cols: usize,
    /// What keys make of the draft: the same editor as in the daemon.
    editor: Editor,
    /// What was said since the screen was cleared.
    said: Vec<String>,
    /// Words that are typed.
    typed: Vec<&'static str>,
    /// What is known of how wide characters are: where there is too little room at first, the terminal is not asked.
    widths: Widths,
    can_resize: bool,
    /// How often it was resized.
    marks: usize,
}

impl Walk {
    /// Up to where keys are edited by the daemon.
    #[track_caller]
    fn begin(program: &str, cols: usize, dice: Dice, can_resize: bool) -> Self {
        // Bob says some lines again and again, to have the screen seen to change.
        let daemon = Daemon::with(&format!("{UNPACED}[moderation]\nrepeats = 0\n"));
        let addr = daemon.addr();
        let program = program.replace("HOST", &addr.ip().to_string()).replace("PORT", &addr.port().to_string());
        let mut bob = daemon.client("bob");
        let mut terminal = Terminal::with(daemon, (cols, ROWS), &program);
        terminal.shows(|seen| (!seen.rows.concat().contains("/help")).then(|| "no greeting".to_owned()));
        // plink says at once that it speaks telnet; of the others that is known by how their first line ends.
        if !program.starts_with("plink") {
            terminal.types("hi");
            terminal.hits("Enter");
            bob.expect_with(": hi");
        }
        let widths = if cols > 24 { Widths::Usual } else { Widths::Unknown };
        // tmux 3.3 joins characters only if they come in one piece, and busybox hands on 128 bytes at a time. So they do
        // not always have the same columns there, and what is written again to move the cursor back can be shifted.
        let is_in_pieces = program.starts_with("busybox");
        let typed = WORDS.iter().copied().filter(|word| !is_in_pieces || !word.contains('\u{200D}')).collect();
        let (editor, said) = (Editor::default(), Vec::new());
        let mut walk = Self { terminal, bob, dice, cols, editor, said, typed, widths, can_resize, marks: 0 };
        walk.terminal.shows(|seen| (!seen.rows.iter().any(|row| row == "lobby>")).then(|| "no prompt".to_owned()));
        walk.clear();
        walk
    }

    /// A text of some words.
    fn text(&mut self, most: usize, words: &[&'static str]) -> String {
        let count = self.dice.between(1, most);
        let words: Vec<_> = (0..count).map(|_| self.dice.of(words)).collect();
        let text = words.join(self.dice.of(&["", " ", "  "]));
        text::clean(text.as_bytes()).into_owned()
    }

    /// The daemon's editor gets these bytes, and so does this one.
    #[track_caller]
    fn keys(&mut self, bytes: &str) {
        let mut input = bytes.as_bytes();
        while let Some(edit) = self.editor.next(&mut input, 4096, Mono::default()) {
            match edit {
                Edit::Line(text) => {
                    if !text::is_blank(&text) {
                        self.bob.expect_with(&format!(": {text}"));
                        self.said.push(text);
                    }
                }
                Edit::Redraw => self.said.clear(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Has the screen cleared; nothing else happens meanwhile.
    #[track_caller]
    fn clear(&mut self) {
        // Something is there, so that it is seen to go.
        self.bob.send("to be cleared");
        self.bob.sync();
        let is_there = |seen: &Seen| seen.rows.iter().any(|row| row == "bob: to be cleared");
        self.terminal.shows(|seen| (!is_there(seen)).then(|| "nothing is there to be cleared".to_owned()));
        self.terminal.hits("C-l");
        self.keys("\x0c");
        let is_first = |seen: &Seen| seen.rows.first().is_some_and(|row| row.starts_with("lobby>"));
        self.terminal.shows(|seen| (is_there(seen) || !is_first(seen)).then(|| "it is not cleared".to_owned()));
    }

    /// Another width, in the middle of typing. tmux reflows what it shows, and so the row that is typed in has moved:
    /// nothing that was said is gone, and it is there once all the same, unless there is something in it that terminals
    /// see differently: then some of the former rows may be left.
    #[track_caller]
    fn resize(&mut self) {
        let cols = 4 * self.dice.between(5, 50);
        if cols == self.cols / 4 * 4 {
            return;
        }
        if width(self.editor.typed().0) + 7 > 8 * (cols.min(self.cols) - 2) {
            self.empty();
        }
        if width(self.editor.typed().0) < 2 * cols && self.dice.one_in(2) {
            let text = "mañana ".repeat(self.dice.between(1, cols.min(self.cols) / 4));
            self.terminal.types(&text);
            self.keys(&text);
            for _ in 0..self.dice.below(3) {
                self.terminal.hits("M-b");
                self.keys("\x1bb");
            }
        }
        self.marks += 1;
        let mark = format!("mark {}.", self.marks);
        self.says(&mark);
        self.check();
        self.terminal.tmux(&["clear-history"]);
        self.terminal.note(&format!("{cols} columns, not {}", self.cols));
        // tmux reflows at once, and tells its program up to a quarter of a second later. What the daemon draws meanwhile
        // is for the width before, and nobody can know better: so nobody talks until it has heard.
        let heard = self.heard();
        self.reflow(cols);
        self.hears(heard + WINDOW_SIZE);
        self.is_whole_once(&mark);
        // That the daemon knows is seen by where it breaks lines.
        let (bob, mut number) = (&mut self.bob, 0);
        self.terminal.shows(|seen| {
            let row = seen.rows.iter().rev().find(|row| row.starts_with("bob: ="));
            if row.is_some_and(|row| row.len() == cols - 1) {
                return None;
            }
            number += 1;
            bob.send(&format!("{}{number}", "=".repeat(250)));
            bob.sync();
            Some("its lines are not broken where its screen ends".to_owned())
        });
        self.is_whole_once(&mark);
        self.clear();
    }

    /// How many bytes the daemon has read from whoever is at the terminal.
    #[track_caller]
    fn heard(&self) -> u64 {
        let list = self.terminal.daemon.admin().done("clients.list", &json!({}));
        let mut people = list["clients"].as_array().unwrap().iter();
        people.find(|client| client["nick"] != "bob").unwrap()["bytes_in"].as_u64().unwrap()
    }

    /// Gives the terminal another width.
    #[track_caller]
    fn reflow(&mut self, cols: usize) {
        self.cols = cols;
        self.terminal.tmux(&["resize-window", "-x", &cols.to_string(), "-y", &ROWS.to_string()]);
    }

    /// Waits until the daemon has read so many bytes from whoever is at the terminal.
    #[track_caller]
    fn hears(&self, bytes: u64) {
        while self.heard() < bytes {
            assert!(!self.terminal.daemon.deadline.is_over(), "it never heard of {} columns", self.cols);
        }
    }

    /// Every row of the draft is where it belongs, and the prompt is on the screen once, if it is sure how wide all of it
    /// is. What bob said last is there once, or above the screen: so is what tmux has no room for, even if there is room
    /// below.
    #[track_caller]
    fn is_whole_once(&self, mark: &str) {
        let (draft, cursor) = self.editor.typed();
        let size = Size { cols: u16::try_from(self.cols).unwrap(), rows: 30, widths: self.widths };
        let area = screen::area("lobby> ", draft, cursor, size);
        let is_sure = up_to(draft, 0).is_some();
        let drawn = String::from_utf8(area.draw).unwrap();
        // A blank at the beginning of a row tells where it was broken.
        let told = |row: &str| format!("{}{}", if row.starts_with(' ') { " " } else { "" }, told(row));
        let drawn = drawn.split("\r\n").map(|row| told(row.split('\r').next().unwrap().trim_end()));
        let drawn: Vec<_> = drawn.filter(|row| !row.is_empty()).collect();
        self.terminal.shows(|seen| {
            let all = self.terminal.tmux(&["capture-pane", "-p", "-S", "-5000"]);
            let prompts = seen.rows.iter().filter(|row| row.starts_with("lobby>")).count();
            let marks = all.lines().filter(|row| row.contains(mark)).count();
            let first = if is_sure { 1 } else { prompts };
            let mut prompt = 0..first;
            let before = |row: &&String| !row.starts_with("lobby>") || prompt.next().is_some_and(|at| at + 1 < first);
            let last = seen.rows.iter().skip_while(before).map(|row| told(row));
            let last: Vec<_> = last.filter(|row| !row.is_empty()).collect();
            let is_right = (prompts == 1 || (prompts > 1 && !is_sure)) && marks == 1 && last == drawn;
            let why = || format!("{prompts} prompts, {marks} of {mark:?}, {last:?} where {drawn:?} belongs, in\n{all}");
            (!is_right).then(why)
        });
    }

    /// Takes away what is typed.
    #[track_caller]
    fn empty(&mut self) {
        self.terminal.hits("End");
        self.terminal.hits("C-u");
        self.keys("\x1b[4~\x15");
    }

    #[track_caller]
    fn says(&mut self, text: &str) {
        self.terminal.note(&format!("bob says {text:?}"));
        self.bob.send(text);
        self.bob.sync();
        self.said.push(text.to_owned());
    }

    #[track_caller]
    fn step(&mut self) {
        match self.dice.below(20) {
            0..=7 => {
                let text = self.text(3, &self.typed.clone());
                self.terminal.types(&text);
                self.keys(&text);
            }
            8..=12 => {
                let (key, bytes) = self.dice.of(KEYS);
                self.terminal.hits(key);
                self.keys(bytes);
            }
            13..=15 => {
                let text = self.text(8, WORDS);
                self.says(text.trim());
            }
            16 => {
                let typed = self.typed.clone();
                let lines: Vec<_> = (0..self.dice.between(1, 3)).map(|_| self.text(3, &typed)).collect();
                let text = lines.join("\n");
                self.terminal.note(&format!("pastes {text:?}"));
                self.terminal.tmux(&["set-buffer", "-b", "paste", "--", &text]);
                self.terminal.tmux(&["paste-buffer", "-p", "-b", "paste"]);
                self.keys(&format!("\x1b[200~{}\x1b[201~", text.replace('\n', "\r")));
                if lines.len() > 1 {
                    self.terminal.hits("Enter");
                    self.keys("\r");
                }
            }
            17 if self.can_resize => self.resize(),
            _ => {
                self.terminal.hits("Enter");
                self.keys("\r");
            }
        }
        // No more than is drawn as a whole, nor than a line may have: the prompt says how much it is too long.
        let (draft, _) = self.editor.typed();
        if width(draft) + 7 > 8 * (self.cols - 2) || draft.len() > 1000 {
            self.empty();
        }
        self.check();
    }

    #[track_caller]
    fn check(&self) {
        let (draft, cursor) = self.editor.typed();
        // Within what is one character to a terminal, the cursor is before it.
        let starts = draft.grapheme_indices(true).map(|(at, _)| at);
        let starts = starts.filter(|at| !draft[..*at].ends_with('\u{200D}'));
        let cursor = starts.chain([draft.len()]).rfind(|at| *at <= cursor).unwrap_or(0);
        let prompted = |draft: &str| told(&format!("lobby> {draft}"));
        let (whole, before) = (prompted(draft), prompted(&draft[..cursor]));
        let said: Vec<_> = self.said.iter().map(|text| told(text)).collect();
        self.terminal.shows(|seen| {
            let fault = fault(seen, &whole, &before, &said)?;
            Some(format!("{fault}; the draft is {draft:?} to the editor, and the screen has {:?}", seen.rows.concat()))
        });
    }
}

/// What is wrong with a screen on which the draft, with its prompt, is to be `whole`, the cursor behind `before`, and
/// above that what was `said`, as far as there is room.
fn fault(seen: &Seen, whole: &str, before: &str, said: &[String]) -> Option<String> {
    let prompts: Vec<_> = (0..seen.rows.len()).filter(|row| seen.rows[*row].starts_with("lobby>")).collect();
    let [prompt] = prompts[..] else { return Some(format!("{} prompts", prompts.len())) };
    let draft = told(&seen.rows[prompt..].concat());
    if draft != whole {
        return Some(format!("the draft is {draft:?}, and not {whole:?}"));
    }
    let (col, row) = seen.cursor;
    if row < prompt {
        return Some("the cursor is above the prompt".into());
    }
    if let Some(beginning) = seen.rows.get(row).map_or(Some(String::new()), |row| up_to(row, col)) {
        let shown = told(&format!("{}{beginning}", seen.rows[prompt..row.min(seen.rows.len())].concat()));
        if shown != before {
            return Some(format!("the cursor is behind {shown:?}, and not {before:?}"));
        }
    }
    // Rows that go on with a line are indented.
    let mut lines: Vec<String> = Vec::new();
    for row in seen.rows[..prompt].iter().skip_while(|row| row.starts_with("  ")) {
        match lines.last_mut() {
            Some(line) if row.starts_with("  ") => line.push_str(row),
            _ => lines.push(row.clone()),
        }
    }
    let lines: Vec<_> = lines.iter().filter(|line| !line.is_empty() && !line.starts_with(['-', '*'])).collect();
    // On a narrow screen the rest of one line can be all there is room for.
    let has_more_rows = seen.rows[..prompt].iter().any(|row| row.starts_with("  "));
    if lines.len() > said.len() || (lines.is_empty() && !said.is_empty() && !has_more_rows) {
        return Some(format!("{} lines where {} were said: {lines:?}", lines.len(), said.len()));
    }
    let newest = &said[said.len() - lines.len()..];
    let torn = lines.iter().zip(newest).find(|(line, said)| !told(line).ends_with(&***said));
    torn.map(|(line, said)| format!("{line:?} is not {said:?}"))
}

fn dice(name: &str) -> (Dice, Option<u64>) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("CHATHUB_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    eprintln!("{name}: CHATHUB_SEED={seed}");
    (Dice(seed), number("CHATHUB_STEPS"))
}

#[track_caller]
fn walk(name: &str, program: &str, can_resize: bool) {
    let (mut dice, steps) = dice(name);
    let began = Instant::now();
    let cols = dice.between(20, 200);
    let mut walk = Walk::begin(program, cols, dice, can_resize);
    let mut done = 0;
    while steps.map_or(done < STEPS || began.elapsed() < TIME, |steps| done < steps) {
        walk.step();
        done += 1;
    }
    eprintln!("{name}: CHATHUB_STEPS={done}");
}

#[test]
fn screens_are_whole_on_a_random_walk_with_debians_telnet_in_tmux() {
    if have("tmux") && have("telnet") {
        walk("telnet", "telnet HOST PORT", true);
    }
}

#[test]
fn screens_are_whole_on_a_random_walk_with_busybox_telnet_in_tmux() {
    if have("tmux") && have("busybox") {
        // It tells of its width once only.
        walk("busybox", "busybox telnet HOST PORT", false);
    }
}

#[test]
fn screens_are_whole_on_a_random_walk_with_plink_in_tmux() {
    if have("tmux") && have("plink") {
        walk("plink", "plink -telnet -P PORT HOST", true);
    }
}

/// tmux tells its program of a width a quarter of a second late if it has just told of another. Lines that come
/// meanwhile are drawn for the width before, and the prompt may stay behind with each of them, but no line is gone.
#[track_caller]
fn talk_before_the_news(program: &str) {
    let mut walk = Walk::begin(program, 120, Dice(1), true);
    let text = "mañana ".repeat(13);
    walk.terminal.types(&text);
    walk.keys(&text);
    walk.says("line 0.");
    walk.check();
    let heard = walk.heard();
    walk.reflow(110);
    walk.hears(heard + WINDOW_SIZE);
    walk.reflow(40);
    for number in 1..=5 {
        let line = format!("line {number}.");
        walk.says(&line);
        walk.terminal.shows(|seen| (!seen.rows.concat().contains(&line)).then(|| format!("{line} is not there")));
    }
    walk.hears(heard + 2 * WINDOW_SIZE);
    walk.says("line 6.");
    // Now it is known, and so the draft is drawn as it is to be.
    let all = |walk: &Walk| walk.terminal.tmux(&["capture-pane", "-p", "-S", "-5000"]);
    let drawn = "bob: line 6.\n\
                 lobby> mañana mañana mañana mañana maña\n\
                 na mañana mañana mañana mañana mañana m\n\
                 añana mañana mañana";
    walk.terminal.shows(|_| {
        let all = all(&walk);
        (!all.trim_end().ends_with(drawn)).then(|| format!("it does not end as it is to:\n{all}"))
    });
    let all = all(&walk);
    let lines: Vec<_> = all.lines().filter(|row| row.starts_with("bob: line")).collect();
    assert_eq!(lines, (0..=6).map(|number| format!("bob: line {number}.")).collect::<Vec<_>>(), "{all}");
    let behind = all.lines().skip_while(|row| *row != "bob: line 0.");
    assert!(behind.filter(|row| row.starts_with("lobby>")).count() <= 6, "{all}");
}

#[test]
fn no_line_is_lost_that_comes_before_tmux_reports_a_new_width() {
    if have("tmux") && have("telnet") {
        talk_before_the_news("telnet HOST PORT");
    }
    if have("tmux") && have("plink") {
        talk_before_the_news("plink -telnet -P PORT HOST");
    }
}

/// nc has no editor, and its terminal breaks lines wherever they reach its edge.
#[test]
fn screens_are_whole_on_a_random_walk_with_nc_in_tmux() {
    if !have("tmux") || !have("nc") {
        return;
    }
    let (mut dice, steps) = dice("nc");
    let daemon = Daemon::with(UNPACED);
    let addr = daemon.addr();
    let mut bob = daemon.client("bob");
    let program = format!("nc {} {}", addr.ip(), addr.port());
    let mut terminal = Terminal::with(daemon, (dice.between(20, 200), ROWS), &program);
    let whole = |terminal: &Terminal| told(&terminal.tmux(&["capture-pane", "-p", "-J"]));
    terminal.shows(|seen| (!seen.rows.concat().contains("/help")).then(|| "no greeting".to_owned()));
    let began = Instant::now();
    let mut done = 0;
    while steps.map_or(done < STEPS || began.elapsed() < TIME / 2, |steps| done < steps) {
        let mut text = String::new();
        for _ in 0..dice.between(1, 6) {
            let _ = write!(text, "{} ", dice.of(WORDS));
        }
        // The hub leaves out what nobody sees, such as the tags of a flag.
        let text = text::clean(text.trim().as_bytes()).into_owned();
        if dice.one_in(2) {
            terminal.types(&text);
            terminal.hits("Enter");
            bob.expect_with(&format!(": {text}"));
        } else {
            bob.send(&text);
            let line = told(&format!("bob: {text}"));
            while !whole(&terminal).contains(&line) {
                assert!(!terminal.daemon.deadline.is_over(), "{line:?} is not in\n{}", whole(&terminal));
            }
        }
        done += 1;
    }
    eprintln!("nc: CHATHUB_STEPS={done}");
}
