//! Telnet, as far as a chat needs it: taking commands out of the bytes (RFC 854, 1184), negotiating
//! options by the Q method (RFC 1143), terminal type (RFC 1091), window size (RFC 1073), character
//! set (RFC 2066).
//!
//! Every connection goes through this parser from its first byte on: 0xFF (IAC) never occurs in
//! UTF-8, so a client without telnet loses nothing. The parser only answers; its caller decides
//! whether to ask for an option. Data bytes are passed on unchanged: [`super::lines`] finds the
//! ends of lines.
//!
//! | to change | see |
//! | --- | --- |
//! | the states of an option on one side (RFC 1143) | `q` |
//! | which options we know, and which we agree to unasked | [`TelnetOption`] |
//! | which commands are passed on | [`Command`] |
//! | terminal types, window sizes, character sets | [`Event`] |
//! | bounds on what one client can make us send or keep | [`MAX_ANSWERS`], [`MAX_SUBNEGOTIATION`] |

mod q;

use serde::{Deserialize, Serialize};

use super::kinds;
pub use q::Switch;
use q::{Policy, Q};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// The lowest byte that is a command behind IAC: EOF (RFC 1184).
const FIRST_COMMAND: u8 = 236;

/// The option number of TIMING-MARK (RFC 860), which has no state.
const TIMING_MARK: u8 = 6;

const TTYPE_IS: u8 = 0;
const TTYPE_SEND: u8 = 1;

const CHARSET_REQUEST: u8 = 1;
const CHARSET_ACCEPTED: u8 = 2;
const CHARSET_REJECTED: u8 = 3;

/// The longest subnegotiation that is kept, in bytes including the option's number; a longer one is
/// skipped to its end, or for [`MAX_SKIPPED`] bytes. A window size needs 5, a terminal type 42 (RFC 1091), a list of character
/// sets some dozens.
pub const MAX_SUBNEGOTIATION: usize = 256;

/// The most bytes that are skipped of a subnegotiation that is too long. It was none then, or its end got lost: what
/// comes is data again. Without this, two bytes (`\u{FF}\u{FA}`, which are letters in Latin-1) could silence somebody
/// for as long as they go on typing.
pub const MAX_SKIPPED: u32 = 4096;

/// The most negotiations that are answered on one connection. Real clients need fewer than twenty;
/// a client that sends more is in a loop, or malicious.
pub const MAX_ANSWERS: u16 = 100;

/// The most terminal types that a client is asked for: its name, its terminal and its features
/// (MTTS) are three; some clients tell a fourth first.
const MAX_TERMINAL_TYPES: u8 = 4;

/// The most characters that are kept of a terminal's name; RFC 1091 allows 40.
const MAX_TERMINAL_TYPE: usize = 40;

/// The telnet state of one connection. It takes 16 bytes until the client sends telnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telnet {
    state: State,
    dealings: Option<Box<Dealings>>,
}

/// The state of the parser: the place of the next byte in telnet's grammar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[default]
    Data,
    /// Behind IAC.
    Command,
    /// Behind IAC and DO, DONT, WILL or WONT; the option follows.
    Option(Side, Switch),
    /// Behind IAC SB.
    Subnegotiation,
    /// Behind an IAC inside a subnegotiation.
    SubnegotiationCommand,
}

/// The state that is needed only for clients that speak telnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Dealings {
    /// Whether a valid command was received.
    telnet: bool,
    /// The options in the order of [`TelnetOption`]; for each, our side and theirs.
    options: [[Q; 2]; TelnetOption::ALL.len()],
    /// The unfinished subnegotiation: the option's number and the payload so far, at most
    /// [`MAX_SUBNEGOTIATION`] bytes; empty between subnegotiations.
    subnegotiation: Vec<u8>,
    /// Whether the unfinished subnegotiation is too long, and is skipped.
    overflown: bool,
    /// How many bytes of it were skipped, at most [`MAX_SKIPPED`].
    #[serde(default, skip_serializing_if = "is_zero")]
    skipped: u32,
    /// The number of answered negotiations, at most [`MAX_ANSWERS`].
    answers: u16,
    /// The number of negotiations that were not answered because of [`MAX_ANSWERS`].
    ignored: u32,
    /// The number of questions in this round of terminal types; 0 between rounds.
    terminals_asked: u8,
    /// The terminal type told last.
    terminal: String,
    /// Whether [`Event::TerminalTypesEnd`] is the next event.
    terminals_end: bool,
    /// Whether we have sent a list of character sets and await the answer.
    charset_asked: bool,
    /// Whether to ask the client for BINARY as soon as it has shown that it is telnet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    binary_wanted: bool,
    /// Whether ECHO and SUPPRESS-GO-AHEAD, ours, are agreed to if the client begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keys_welcome: bool,
}

/// An option that we know. All others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TelnetOption {
    /// BINARY: 0, RFC 856. We pass bytes unchanged with or without it. We ask for the client's side
    /// because of Debian's telnet: without BINARY it ignores the high bit when it looks for its
    /// escape key `^]`, so it takes the byte 0x9D in Н, 東 or ❤ for that key.
    Binary,
    /// ECHO: 1, RFC 857. Our side: we echo typed text, or hide it.
    Echo,
    /// SUPPRESS-GO-AHEAD: 3, RFC 858. Our side together with ECHO means a character at a time;
    /// alone it confuses clients.
    SuppressGoAhead,
    /// TERMINAL-TYPE: 24, RFC 1091. Their side.
    TerminalType,
    /// END-OF-RECORD: 25, RFC 885. Our side: answers end in IAC EOR.
    EndOfRecord,
    /// NAWS, the window size: 31, RFC 1073. Their side.
    WindowSize,
    /// CHARSET: 42, RFC 2066. Our side: we send a list of character sets; their side: they do.
    Charset,
}

/// The end of the connection that performs an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Our end: negotiated by our WILL and WONT, and their DO and DONT.
    Ours,
    /// The client's end: negotiated by their WILL and WONT, and our DO and DONT.
    Theirs,
}

/// A unit of what a client has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// Data bytes, at least one.
    Data(&'b [u8]),
    /// A command that requires an action.
    Command(Command),
    /// The result of a negotiation: an option went on or off, or our request was refused (`Off`).
    Option {
        /// The option; unknown options are refused without an event.
        option: TelnetOption,
        /// The end that performs it; each end has a state of its own.
        side: Side,
        /// The state of the option now.
        now: Switch,
    },
    /// A name of the client or its terminal: printable ASCII, at most 40 characters. Up to four
    /// names come after TERMINAL-TYPE went on.
    TerminalType(String),
    /// In place of a terminal type: the abilities of the client.
    Mtts(Mtts),
    /// No more terminal types follow.
    TerminalTypesEnd,
    /// The size of the client's window; `None` for a number that the client leaves open (0).
    WindowSize {
        /// Columns, clamped to 1 to 500.
        cols: Option<u16>,
        /// Rows, clamped to 1 to 200.
        rows: Option<u16>,
    },
    /// The result of the negotiation of a character set.
    Charset(Charset),
}

/// A command that requires an action. NOP, GA, DM and EOR require none and are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// End of file (236): the person hit ^D.
    EndOfFile,
    /// Suspend (237).
    Suspend,
    /// Abort (238).
    Abort,
    /// Break (243).
    Break,
    /// Interrupt process (244): ^C. Debian's telnet sends a TIMING-MARK along, and shows no more
    /// output until it is answered; this module answers it.
    Interrupt,
    /// Abort output (245).
    AbortOutput,
    /// Are you there (246): the person wants a visible sign of life.
    AreYouThere,
    /// Erase character (247).
    EraseCharacter,
    /// Erase line (248).
    EraseLine,
}

/// The result of negotiating the character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Charset {
    /// UTF-8, which we also assume without a negotiation.
    Utf8,
    /// US-ASCII, from the list that we have sent.
    Ascii,
    /// No character set of the list was accepted.
    Refused,
}

/// The abilities of a client, as the bits of the Mud Terminal Type Standard (MTTS), which MUD
/// clients tell as their third terminal type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mtts(pub u16);

impl Mtts {
    /// ANSI colours.
    pub const ANSI: Self = Self(1);
    /// UTF-8.
    pub const UTF_8: Self = Self(4);
    /// 256 colours.
    pub const COLORS_256: Self = Self(8);
    /// A screen reader reads the output aloud: no redrawing, no ornaments.
    pub const SCREEN_READER: Self = Self(64);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn parse(terminal: &str) -> Option<Self> {
        terminal.strip_prefix("MTTS ")?.trim().parse().ok().map(Self)
    }
}

impl TelnetOption {
    /// All options, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Binary,
        Self::Echo,
        Self::SuppressGoAhead,
        Self::TerminalType,
        Self::EndOfRecord,
        Self::WindowSize,
        Self::Charset,
    ];

    /// The option's number in telnet.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Binary => 0,
            Self::Echo => 1,
            Self::SuppressGoAhead => 3,
            Self::TerminalType => 24,
            Self::EndOfRecord => 25,
            Self::WindowSize => 31,
            Self::Charset => 42,
        }
    }

    /// The option with this number; `None` if we do not know it.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.code() == code)
    }

    /// The answer when a client offers or demands the option unasked.
    fn policy(self, side: Side) -> Policy {
        let agree = match side {
            // Not ECHO: a client must not send our output back. Not EOR: a client's lines have
            // endings.
            Side::Theirs => !matches!(self, Self::Echo | Self::EndOfRecord),
            // Not SGA or ECHO on demand: one without the other breaks typing in common clients, and
            // we decide when both are on.
            Side::Ours => matches!(self, Self::Binary | Self::EndOfRecord | Self::Charset),
        };
        if agree { Policy::Agree } else { Policy::Refuse }
    }
}

impl Telnet {
    /// Takes bytes off `input` up to the next event; `None` if `input` is empty before one. Answers
    /// to the client are appended to `replies`.
    ///
    /// Data is borrowed from the input in runs that are as long as possible; the borders of runs
    /// have no meaning.
    pub fn receive<'b>(&mut self, input: &mut &'b [u8], replies: &mut Vec<u8>) -> Option<Event<'b>> {
        loop {
            if let Some(dealings) = &mut self.dealings
                && std::mem::take(&mut dealings.terminals_end)
            {
                return Some(Event::TerminalTypesEnd);
            }
            let (&byte, rest) = input.split_first()?;
            match self.state {
                State::Data if byte != IAC => return Some(Event::Data(take_run(input, 0))),
                State::Data => {
                    self.state = State::Command;
                    *input = rest;
                }
                State::Command if byte == IAC => {
                    // The second IAC of two is a data byte, and begins a run of data.
                    self.state = State::Data;
                    return Some(Event::Data(take_run(input, 1)));
                }
                State::Command => {
                    *input = rest;
                    if let Some(command) = self.command(byte, replies) {
                        return Some(Event::Command(command));
                    }
                }
                State::Option(side, heard) => {
                    *input = rest;
                    self.state = State::Data;
                    let dealings = self.dealings();
                    let event = dealings.negotiate(byte, side, heard, replies);
                    dealings.has_shown(replies);
                    if let Some(event) = event {
                        return Some(event);
                    }
                }
                State::Subnegotiation if byte != IAC => {
                    // No byte is taken behind the most that are skipped, however the bytes were cut up.
                    let room = self.dealings().left_to_skip();
                    let run = take_run(&mut &input[..input.len().min(room)], 0);
                    *input = &input[run.len()..];
                    self.collect(run);
                }
                State::Subnegotiation => {
                    self.state = State::SubnegotiationCommand;
                    *input = rest;
                }
                State::SubnegotiationCommand => match byte {
                    SE => {
                        *input = rest;
                        self.state = State::Data;
                        let dealings = self.dealings();
                        let event = dealings.subnegotiated(replies);
                        dealings.has_shown(replies);
                        if let Some(event) = event {
                            return Some(event);
                        }
                    }
                    IAC => {
                        *input = rest;
                        self.state = State::Subnegotiation;
                        self.collect(&[IAC]);
                    }
                    // This byte is no command: the client has not doubled an IAC, as for a window
                    // of 255 columns.
                    ..FIRST_COMMAND => {
                        *input = rest;
                        self.state = State::Subnegotiation;
                        self.collect(&[IAC, byte]);
                    }
                    // The end of the subnegotiation was lost. Drop the subnegotiation, and handle
                    // this command: so none of its bytes is taken for data, and parsing finds its
                    // way again.
                    _ => {
                        self.state = State::Command;
                        self.dealings().drop_subnegotiation();
                    }
                },
            }
        }
    }

    /// Asks to turn an option on or off, for the client's end (DO, DONT) or ours (WILL, WONT). The
    /// outcome comes as [`Event::Option`]; without that event, nothing has changed. If the option
    /// is so already, nothing is sent.
    ///
    /// A character at a time means ECHO and SUPPRESS-GO-AHEAD, both on our side, asked for in one
    /// write. A password needs only ECHO on our side.
    pub fn ask(&mut self, option: TelnetOption, side: Side, want: Switch, replies: &mut Vec<u8>) {
        let dealings = self.dealings();
        let q = dealings.q(option, side);
        let (next, send) = q.ask(want);
        *q = next;
        if let Some(say) = send {
            replies.extend([IAC, verb(side, say), option.code()]);
        }
    }

    /// Asks the client for BINARY on its side as soon as it has shown that it is telnet; at once if
    /// it has.
    pub fn want_binary(&mut self, replies: &mut Vec<u8>) {
        let dealings = self.dealings();
        dealings.binary_wanted = true;
        if dealings.telnet {
            dealings.has_shown(replies);
        }
    }

    /// From now on, agrees to ECHO and SUPPRESS-GO-AHEAD on our side also if the client begins.
    pub fn welcome_keys(&mut self) {
        self.dealings().keys_welcome = true;
    }

    /// Whether the client has sent a valid telnet command; `IAC IAC` does not count.
    #[must_use]
    pub fn is_telnet(&self) -> bool {
        self.dealings.as_ref().is_some_and(|d| d.telnet)
    }

    /// Whether the parser is between commands: the next byte is data or an IAC.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.state == State::Data
    }

    /// Whether both ends have agreed on an option.
    #[must_use]
    pub fn is_on(&self, option: TelnetOption, side: Side) -> bool {
        self.dealings.as_ref().is_some_and(|d| d.options[option as usize][side as usize] == Q::Yes)
    }

    /// The number of negotiations that were not answered because of [`MAX_ANSWERS`].
    #[must_use]
    pub fn ignored(&self) -> u32 {
        self.dealings.as_ref().map_or(0, |d| d.ignored)
    }

    /// Whether the next byte is one of a subnegotiation.
    #[must_use]
    pub fn is_within_subnegotiation(&self) -> bool {
        matches!(self.state, State::Subnegotiation | State::SubnegotiationCommand)
    }

    /// Gives up the subnegotiation that is under way: its end got lost, or it was none. What comes is data again.
    pub fn give_up_subnegotiation(&mut self) {
        self.state = State::Data;
        self.dealings().drop_subnegotiation();
    }

    /// Takes more of the subnegotiation that is under way. Gives it up if too much of it was skipped.
    fn collect(&mut self, run: &[u8]) {
        let dealings = self.dealings();
        dealings.collect(run);
        if dealings.left_to_skip() == 0 {
            self.give_up_subnegotiation();
        }
    }

    fn dealings(&mut self) -> &mut Dealings {
        self.dealings.get_or_insert_default()
    }

    /// Handles the byte behind IAC, which is not IAC itself, and sets the next state.
    fn command(&mut self, byte: u8, replies: &mut Vec<u8>) -> Option<Command> {
        self.state = match byte {
            WILL => State::Option(Side::Theirs, Switch::On),
            WONT => State::Option(Side::Theirs, Switch::Off),
            DO => State::Option(Side::Ours, Switch::On),
            DONT => State::Option(Side::Ours, Switch::Off),
            SB => State::Subnegotiation,
            _ => State::Data,
        };
        let command = match byte {
            236 => Some(Command::EndOfFile),
            237 => Some(Command::Suspend),
            238 => Some(Command::Abort),
            239 | 241 | 242 | 249 => None, // EOR, NOP, DM, GA
            243 => Some(Command::Break),
            244 => Some(Command::Interrupt),
            245 => Some(Command::AbortOutput),
            246 => Some(Command::AreYouThere),
            247 => Some(Command::EraseCharacter),
            248 => Some(Command::EraseLine),
            // Commands that are not complete yet, a lone SE, and bytes that no RFC defines.
            _ => return None,
        };
        self.dealings().has_shown(replies);
        command
    }
}

impl Dealings {
    /// Notes that the client has sent a valid command, and asks for BINARY if that is wanted.
    fn has_shown(&mut self, replies: &mut Vec<u8>) {
        self.telnet = true;
        if std::mem::take(&mut self.binary_wanted) && self.may_answer() {
            let q = self.q(TelnetOption::Binary, Side::Theirs);
            let (next, send) = q.ask(Switch::On);
            *q = next;
            if send.is_some() {
                replies.extend([IAC, DO, TelnetOption::Binary.code()]);
            }
        }
    }

    fn q(&mut self, option: TelnetOption, side: Side) -> &mut Q {
        &mut self.options[option as usize][side as usize]
    }

    /// Whether one more negotiation may be answered; counts it as answered or ignored.
    fn may_answer(&mut self) -> bool {
        if self.answers < MAX_ANSWERS {
            self.answers += 1;
            return true;
        }
        self.ignored = self.ignored.saturating_add(1);
        false
    }

    fn negotiate(&mut self, code: u8, side: Side, heard: Switch, replies: &mut Vec<u8>) -> Option<Event<'static>> {
        let Some(option) = TelnetOption::of_code(code) else {
            // DO TIMING-MARK is always answered, beyond [`MAX_ANSWERS`] too: a client that waits
            // for the answer shows nothing. This cannot loop, since no client answers a WONT with
            // another DO.
            let always = (code, side) == (TIMING_MARK, Side::Ours);
            if heard == Switch::On && (always || self.may_answer()) {
                replies.extend([IAC, verb(side, Switch::Off), code]);
            }
            return None;
        };
        let is_key = matches!(option, TelnetOption::Echo | TelnetOption::SuppressGoAhead) && side == Side::Ours;
        let policy = if is_key && self.keys_welcome { Policy::Agree } else { option.policy(side) };
        let before = *self.q(option, side);
        let (next, send) = before.told(heard, policy);
        if let Some(say) = send {
            if !self.may_answer() {
                return None;
            }
            replies.extend([IAC, verb(side, say), code]);
        }
        *self.q(option, side) = next;
        let now = next.settled()?;
        if before == next {
            return None;
        }
        match (option, side) {
            (TelnetOption::TerminalType, Side::Theirs) => {
                self.terminal = String::new();
                self.terminals_asked = 0;
                if now == Switch::On {
                    self.ask_terminal(replies);
                }
            }
            (TelnetOption::Charset, Side::Ours) => {
                self.charset_asked = now == Switch::On;
                if self.charset_asked {
                    subnegotiate(option, CHARSET_REQUEST, b";UTF-8;US-ASCII", replies);
                }
            }
            _ => {}
        }
        Some(Event::Option { option, side, now })
    }

    fn collect(&mut self, run: &[u8]) {
        let room = MAX_SUBNEGOTIATION.saturating_sub(self.subnegotiation.len());
        if self.overflown || run.len() > room {
            self.overflown = true;
            self.skipped += u32::try_from(self.subnegotiation.len() + run.len()).unwrap_or(MAX_SKIPPED);
            self.subnegotiation = Vec::new();
        } else {
            self.subnegotiation.extend_from_slice(run);
        }
    }

    /// How many more bytes of the unfinished subnegotiation may come.
    fn left_to_skip(&self) -> usize {
        (MAX_SKIPPED as usize).saturating_sub(self.skipped as usize + self.subnegotiation.len())
    }

    fn drop_subnegotiation(&mut self) {
        self.overflown = false;
        self.skipped = 0;
        self.subnegotiation = Vec::new();
    }

    /// Handles a complete subnegotiation; it is ignored if its option is not on.
    fn subnegotiated(&mut self, replies: &mut Vec<u8>) -> Option<Event<'static>> {
        let payload = std::mem::take(&mut self.subnegotiation);
        self.skipped = 0;
        if std::mem::take(&mut self.overflown) {
            return None;
        }
        let (&code, payload) = payload.split_first()?;
        let option = TelnetOption::of_code(code)?;
        let is_on = |side: Side| self.options[option as usize][side as usize] == Q::Yes;
        match (option, payload) {
            (TelnetOption::WindowSize, &[c1, c0, r1, r0]) if is_on(Side::Theirs) => {
                let clamped = |size: [u8; 2], max| {
                    Some(u16::from_be_bytes(size)).filter(|&size| size > 0).map(|size| size.min(max))
                };
                Some(Event::WindowSize { cols: clamped([c1, c0], 500), rows: clamped([r1, r0], 200) })
            }
            (TelnetOption::TerminalType, [TTYPE_IS, name @ ..]) if is_on(Side::Theirs) => {
                self.terminal_told(name, replies)
            }
            (TelnetOption::Charset, [CHARSET_REQUEST, list @ ..]) if is_on(Side::Theirs) => {
                self.charset_offered(list, replies)
            }
            (TelnetOption::Charset, [CHARSET_ACCEPTED, name @ ..]) => self.charset_answered().then(|| {
                if name.eq_ignore_ascii_case(b"US-ASCII") {
                    Event::Charset(Charset::Ascii)
                } else {
                    Event::Charset(Charset::Utf8)
                }
            }),
            (TelnetOption::Charset, [CHARSET_REJECTED, ..]) => {
                self.charset_answered().then_some(Event::Charset(Charset::Refused))
            }
            _ => None,
        }
    }

    fn ask_terminal(&mut self, replies: &mut Vec<u8>) {
        self.terminals_asked += 1;
        subnegotiate(TelnetOption::TerminalType, TTYPE_SEND, &[], replies);
    }

    /// Handles a terminal type. A client tells another one each time it is asked, and the last one
    /// twice (RFC 1091).
    fn terminal_told(&mut self, name: &[u8], replies: &mut Vec<u8>) -> Option<Event<'static>> {
        if self.terminals_asked == 0 {
            return None; // nobody has asked
        }
        let name: String = name
            .iter()
            .filter(|byte| matches!(byte, b' '..=b'~'))
            .take(MAX_TERMINAL_TYPE)
            .map(|&byte| char::from(byte))
            .collect();
        if name.is_empty() || name == self.terminal {
            self.terminals_asked = 0;
            self.terminal = String::new();
            return Some(Event::TerminalTypesEnd);
        }
        let event = match Mtts::parse(&name) {
            Some(mtts) => Event::Mtts(mtts),
            None => Event::TerminalType(name.clone()),
        };
        // By RFC 1091 a client behaves as the terminal that it told last, so Windows' telnet, asked
        // again, would become a VTNT. A client that begins with a terminal's name is asked no more;
        // others begin with their own name, and are asked for more.
        let is_enough = self.terminals_asked == 1 && kinds::colors(&name).is_some();
        if self.terminals_asked < MAX_TERMINAL_TYPES && !is_enough {
            self.terminal = name;
            self.ask_terminal(replies);
        } else {
            self.terminals_asked = 0;
            self.terminal = String::new();
            self.terminals_end = true;
        }
        Some(event)
    }

    /// Handles the client's list of character sets. The first byte of the list is the separator.
    fn charset_offered(&mut self, list: &[u8], replies: &mut Vec<u8>) -> Option<Event<'static>> {
        if !self.may_answer() {
            return None;
        }
        // A client may offer a translation table first: `[TTABLE]` and a version byte.
        let list = match list.strip_prefix(b"[TTABLE]") {
            Some(behind) => behind.get(1..).unwrap_or_default(),
            None => list,
        };
        let utf8 = list.split_first().and_then(|(separator, names)| {
            names
                .split(|byte| byte == separator)
                .find(|name| name.eq_ignore_ascii_case(b"UTF-8") || name.eq_ignore_ascii_case(b"UTF8"))
        });
        // If both ends have asked, the server's request stands and the client's is refused (RFC
        // 2066).
        match utf8.filter(|_| !self.charset_asked) {
            Some(name) => {
                subnegotiate(TelnetOption::Charset, CHARSET_ACCEPTED, name, replies);
                Some(Event::Charset(Charset::Utf8))
            }
            None => {
                subnegotiate(TelnetOption::Charset, CHARSET_REJECTED, &[], replies);
                (!self.charset_asked).then_some(Event::Charset(Charset::Refused))
            }
        }
    }

    /// Whether a list of ours was awaiting an answer; afterwards none is.
    fn charset_answered(&mut self) -> bool {
        std::mem::take(&mut self.charset_asked)
    }
}

/// Takes the bytes up to the next IAC off `input`; the first `from` bytes are taken in any case.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn take_run<'b>(input: &mut &'b [u8], from: usize) -> &'b [u8] {
    let end = memchr::memchr(IAC, &input[from..]).map_or(input.len(), |at| from + at);
    let (run, rest) = input.split_at(end);
    *input = rest;
    run
}

/// The command byte that turns an option of `side` on or off.
fn verb(side: Side, say: Switch) -> u8 {
    match (side, say) {
        (Side::Ours, Switch::On) => WILL,
        (Side::Ours, Switch::Off) => WONT,
        (Side::Theirs, Switch::On) => DO,
        (Side::Theirs, Switch::Off) => DONT,
    }
}

/// Appends a subnegotiation. `payload` holds no IAC to be doubled: it is ours, or a name that
/// equals one of ours.
fn subnegotiate(option: TelnetOption, what: u8, payload: &[u8], replies: &mut Vec<u8>) {
    replies.extend([IAC, SB, option.code(), what]);
    replies.extend(payload);
    replies.extend([IAC, SE]);
}

#[cfg(test)]
mod tests;
