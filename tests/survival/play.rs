//! The acts of people under load: each is one typed line, chosen by a seeded random generator.

use std::collections::BTreeSet;

use crate::shared::dice::Dice;

/// The room into which everybody comes first.
pub(crate) const LOBBY: &str = "lobby";

/// One typed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Say(String),
    Me(String),
    Topic(String),
    Msg {
        to: String,
        text: String,
    },
    Nick(String),
    Join(String),
    Leave,
    Who,
    Rooms,
    Help,
    HelpOn(&'static str),
    History(usize),
    Search(String),
    /// `on`, `off`, or an offset from UTC.
    Time(&'static str),
    Quiet,
    Ignore(String),
    Unignore(String),
    Away(String),
    Back,
    Color(bool),
    Unknown(String),
    /// A line of this many bytes, more than allowed.
    Overlong(usize),
    /// A question: its answer shows that all earlier lines were handled.
    Sync(u64),
    Quit(String),
}

impl Act {
    /// The typed text, without a line end.
    pub(crate) fn typed(&self) -> String {
        match self {
            Self::Say(text) => text.clone(),
            Self::Me(text) => format!("/me {text}"),
            Self::Topic(text) => format!("/topic {text}"),
            Self::Msg { to, text } => format!("/msg {to} {text}"),
            Self::Nick(name) => format!("/nick {name}"),
            Self::Join(room) => format!("/join {room}"),
            Self::Leave => "/leave".to_owned(),
            Self::Who => "/who".to_owned(),
            Self::Rooms => "/rooms".to_owned(),
            Self::Help => "/help".to_owned(),
            Self::HelpOn(command) => format!("/help {command}"),
            Self::History(lines) => format!("/history {lines}"),
            Self::Search(query) => format!("/search {query}"),
            Self::Time(what) => format!("/time {what}"),
            Self::Quiet => "/quiet".to_owned(),
            Self::Ignore(name) => format!("/ignore {name}"),
            Self::Unignore(name) => format!("/unignore {name}"),
            Self::Away(text) => format!("/away {text}"),
            Self::Back => "/back".to_owned(),
            Self::Color(on) => format!("/color {}", if *on { "on" } else { "off" }),
            Self::Unknown(word) => format!("/{word}"),
            Self::Overlong(bytes) => "x".repeat(*bytes),
            Self::Sync(number) => format!("/whois sync-{number}"),
            Self::Quit(text) => format!("/quit {text}"),
        }
    }
}

/// The people who are here all the time, so that others may mention them.
pub(crate) struct Cast {
    /// Rooms in which one client listens from the opening on, so that all that is said there is
    /// known.
    pub(crate) rooms: Vec<String>,
    /// They get private messages, keep their names, stay, and ignore nobody but bores.
    pub(crate) residents: Vec<String>,
    /// Others ignore them now and then; they send no private messages.
    pub(crate) bores: Vec<String>,
    /// The most pieces of which a text is made.
    pub(crate) longest: usize,
}

/// A person who chooses what to do next.
pub(crate) struct Author {
    pub(crate) nick: String,
    dice: Dice,
    room: String,
    seq: u64,
    syncs: u64,
    times: bool,
    ignoring: BTreeSet<String>,
    colors: bool,
    /// Whether the person has the second of its two names now: see [`other_name`].
    other: bool,
    pub(crate) manner: Manner,
}

/// The kind of acts that a person chooses from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// All acts, except those that only the other kinds do.
    #[default]
    Usual,
    /// Only lines that cause no reaction: for people who react to something else.
    Plain,
    /// Only talk.
    Orator,
    /// Changes its display settings and its room. Asks nothing whose answer depends on who is
    /// there.
    Idler {
        /// Whether it takes two names in turn; if so, it gets no private messages.
        renames: bool,
    },
}

/// The second name of a person with two names.
pub(crate) fn other_name(nick: &str) -> String {
    format!("{nick}x")
}

const FILLERS: &[&str] = &[
    "",
    " and",
    " the quick brown fox",
    " straße",
    " 日本語",
    " 👩‍👧",
    " //x",
    " a:b",
    " -- x",
    " * y",
    " s1,",
    " (k1)",
];

impl Author {
    pub(crate) fn new(nick: &str, dice: Dice) -> Self {
        Self {
            nick: nick.to_owned(),
            dice,
            room: LOBBY.to_owned(),
            seq: 0,
            syncs: 0,
            times: false,
            ignoring: BTreeSet::new(),
            colors: false,
            other: false,
            manner: Manner::Usual,
        }
    }

    /// A text that nobody else says, and this person only once.
    pub(crate) fn text(&mut self) -> String {
        let pieces = self.dice.below(4);
        self.text_of(pieces)
    }

    fn text_of(&mut self, pieces: usize) -> String {
        self.seq += 1;
        let mut text = format!("{}.{}", self.nick, self.seq);
        for _ in 0..pieces {
            text.push_str(self.dice.of(FILLERS));
        }
        // The end is marked, so that one text is never the beginning of another: `k1.1` would begin
        // with `k1.`.
        text.push_str(" .");
        text
    }

    pub(crate) fn sync(&mut self) -> (Act, u64) {
        self.syncs += 1;
        (Act::Sync(self.syncs), self.syncs)
    }

    /// Chooses the next act.
    pub(crate) fn act(&mut self, cast: &Cast) -> Act {
        match self.manner {
            Manner::Usual => {}
            Manner::Plain if self.dice.one_in(8) => return self.private(cast),
            Manner::Plain => return Act::Say(self.text()),
            Manner::Orator if self.dice.one_in(30) => return Act::Me(self.text_of(cast.longest)),
            Manner::Orator => return Act::Say(self.text_of(cast.longest)),
            Manner::Idler { renames } => return self.idle(cast, renames),
        }
        match self.dice.below(100) {
            0..3 => Act::Say(self.text_of(cast.longest)),
            3..58 => Act::Say(self.text()),
            58..62 => Act::Me(self.text()),
            62..74 => self.private(cast),
            74..77 => Act::Who,
            77..79 => Act::History(self.dice.between(1, 25)),
            79 => Act::Help,
            80..82 => Act::HelpOn(self.dice.of(&["nick", "who", "history", "join"])),
            82 => Act::Search(format!("{}.{}", self.nick, self.dice.between(1, 9))),
            83 => Act::Rooms,
            84 => Act::Overlong(self.dice.between(1025, 3000)),
            85 => Act::Unknown("nonsense".to_owned()),
            86..89 => self.time(),
            89..91 => Act::Quiet,
            91..93 => self.ignore(cast),
            93 => Act::Topic(self.text()),
            94 => Act::Away(self.text()),
            95 => Act::Back,
            _ => self.go(cast),
        }
    }

    fn idle(&mut self, cast: &Cast, renames: bool) -> Act {
        match self.dice.below(100) {
            0..15 => Act::Quiet,
            15..30 => self.ignore(cast),
            30..42 => self.time(),
            42..54 => {
                self.colors = !self.colors;
                Act::Color(self.colors)
            }
            54..68 if renames => {
                self.other = !self.other;
                Act::Nick(if self.other { other_name(&self.nick) } else { self.nick.clone() })
            }
            68..78 => self.go(cast),
            78..84 => Act::Unknown("nonsense".to_owned()),
            _ => Act::Say(self.text()),
        }
    }

    fn private(&mut self, cast: &Cast) -> Act {
        let others: Vec<&String> = cast.residents.iter().filter(|nick| **nick != self.nick).collect();
        if others.is_empty() || cast.bores.contains(&self.nick) {
            return Act::Say(self.text());
        }
        let to = self.dice.of(&others).clone();
        Act::Msg { to, text: self.text() }
    }

    fn time(&mut self) -> Act {
        self.times = !self.times;
        Act::Time(if self.times { self.dice.of(&["on", "+05:30", "-03:00"]) } else { "off" })
    }

    fn ignore(&mut self, cast: &Cast) -> Act {
        let Some(bore) = cast.bores.iter().find(|bore| **bore != self.nick) else { return Act::Say(self.text()) };
        if self.ignoring.remove(bore) {
            Act::Unignore(bore.clone())
        } else {
            self.ignoring.insert(bore.clone());
            Act::Ignore(bore.clone())
        }
    }

    fn go(&mut self, cast: &Cast) -> Act {
        let mut to = self.dice.of(&cast.rooms);
        if self.dice.one_in(5) {
            // A room that nobody else ever enters.
            self.seq += 1;
            to = format!("solo-{}-{}", self.nick, self.seq);
        }
        if to == self.room {
            return Act::Say(self.text());
        }
        self.room.clone_from(&to);
        if to == LOBBY && self.dice.one_in(2) { Act::Leave } else { Act::Join(to) }
    }

    /// The last act.
    pub(crate) fn quit(&mut self) -> Act {
        Act::Quit(self.text())
    }
}
