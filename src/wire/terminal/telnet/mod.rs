//! Telnet, as far as a chat needs it: commands taken out of the bytes (RFC 854, 1184), options settled by
//! the Q method (RFC 1143), terminal type (RFC 1091), window size (RFC 1073), character set
//! (RFC 2066).
//!
//! One parser for every connection from its first byte on: 0xFF is never UTF-8, so a client that is
//! no telnet loses nothing. It sends nothing unasked; its caller decides whether to ask.
//! Data bytes are handed on as they are: [`super::lines`] finds the ends of lines.

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

/// The lowest byte that is a command behind IAC (end of file, RFC 1184).
const FIRST_COMMAND: u8 = 236;

/// The option number of TIMING-MARK (RFC 860), which has no state.
const TIMING_MARK: u8 = 6;

const TTYPE_IS: u8 = 0;
const TTYPE_SEND: u8 = 1;

const CHARSET_REQUEST: u8 = 1;
const CHARSET_ACCEPTED: u8 = 2;
const CHARSET_REJECTED: u8 = 3;

/// The longest subnegotiation taken, in bytes with the option's own; a longer one is skipped to its
/// end. A window size needs 5, terminal types 42 (RFC 1091), a list of character sets some dozens.
pub const MAX_SUBNEGOTIATION: usize = 256;

/// How many negotiations of one connection are answered. Clients need below twenty; a client that
/// needs more is in a loop, or plays.
pub const MAX_ANSWERS: u16 = 100;

/// How often a client is asked for one more terminal type: name, terminal and features (MTTS) are
/// three; some clients begin with a fourth.
const MAX_TERMINAL_TYPES: u8 = 4;

/// The longest name of a terminal kept, in characters; RFC 1091 allows 40.
const MAX_TERMINAL_TYPE: usize = 40;

/// The telnet side of one connection: 16 bytes until the client shows that it is telnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telnet {
    state: State,
    dealings: Option<Box<Dealings>>,
}

/// Where in telnet's grammar the next byte is.
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
    /// Behind an IAC within a subnegotiation.
    SubnegotiationCommand,
}

/// The state that only clients which speak telnet need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Dealings {
    /// Whether a valid command was received.
    telnet: bool,
    /// The options by their order in [`TelnetOption`], our side and theirs.
    options: [[Q; 2]; TelnetOption::ALL.len()],
    /// The option's number and payload under way, at most [`MAX_SUBNEGOTIATION`] bytes; empty
    /// between subnegotiations.
    subnegotiation: Vec<u8>,
    /// Whether it has outgrown that.
    overflown: bool,
    /// Negotiations answered, at most [`MAX_ANSWERS`].
    answers: u16,
    /// Negotiations not answered, being more than that.
    ignored: u32,
    /// How often this round of terminal types has asked; zero when none is under way.
    terminals_asked: u8,
    /// The terminal type told last.
    terminal: String,
    /// [`Event::TerminalTypesEnd`] is to come next.
    terminals_end: bool,
    /// Whether a list of character sets is out and not answered.
    charset_asked: bool,
    /// Whether the client is to be asked for BINARY as soon as it has shown to be telnet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    binary_wanted: bool,
    /// Whether the client may have us echo and have each key sent, unasked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keys_welcome: bool,
}

/// An option that has a state here. All others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TelnetOption {
    /// 0, RFC 856. Bytes are passed as they are anyway. Theirs is asked for all the same, as Debian's telnet
    /// looks for its escape key without the high bit until then: of Н, 東, ❤ and whatever else has the byte
    /// 0x9D it makes `^]`, and what follows a command of its own.
    Binary,
    /// 1, RFC 857. Ours: we show what is typed (or hide it).
    Echo,
    /// 3, RFC 858. Ours with ECHO means a character at a time; alone it confuses clients.
    SuppressGoAhead,
    /// 24, RFC 1091. Theirs.
    TerminalType,
    /// 25, RFC 885. Ours: prompts end in IAC EOR.
    EndOfRecord,
    /// 31, RFC 1073. Theirs.
    WindowSize,
    /// 42, RFC 2066. Ours: we offer a list; theirs: they do.
    Charset,
}

/// Which end performs an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// We do: settled by our WILL and WONT, their DO and DONT.
    Ours,
    /// They do: settled by their WILL and WONT, our DO and DONT.
    Theirs,
}

/// What a client has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// Bytes that are no telnet; never none.
    Data(&'b [u8]),
    /// A command that wants something done.
    Command(Command),
    /// An option is settled: it went on or off, or what we asked for was refused (`Off`).
    Option {
        /// An option that we know; others are refused and not told.
        option: TelnetOption,
        /// The end that performs it: the client and we each have a state of our own.
        side: Side,
        /// Whether it is on now.
        now: Switch,
    },
    /// One name of the client or its terminal, printable ASCII, at most 40 characters. Up to four
    /// come after TERMINAL-TYPE went on.
    TerminalType(String),
    /// In place of a name: what the client can do.
    Mtts(Mtts),
    /// All terminal types are told.
    TerminalTypesEnd,
    /// The size of the client's window, in characters; `None` where it doesn't say (0).
    WindowSize {
        /// Columns, 1 to 500: more are taken for so many.
        cols: Option<u16>,
        /// Rows, 1 to 200: more are taken for so many.
        rows: Option<u16>,
    },
    /// The character set is settled, as far as the client can.
    Charset(Charset),
}

/// A command that wants something done. NOP, GA, DM and EOR don't and are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// End of file (236): the client's user hit ^D.
    EndOfFile,
    /// Suspend (237).
    Suspend,
    /// Abort (238).
    Abort,
    /// Break (243).
    Break,
    /// Interrupt process (244): ^C. Debian's telnet shows no more output until the TIMING-MARK
    /// it sends along is answered; that is done here.
    Interrupt,
    /// Abort output (245).
    AbortOutput,
    /// Are you there (246): wants a sign of life that is seen.
    AreYouThere,
    /// Erase character (247).
    EraseCharacter,
    /// Erase line (248).
    EraseLine,
}

/// What a client has said of its character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Charset {
    /// UTF-8, as we assume of all.
    Utf8,
    /// US-ASCII, of those we offered.
    Ascii,
    /// None of those offered.
    Refused,
}

/// The bits of the Mud Terminal Type Standard, which MUD clients tell as their third terminal type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mtts(pub u16);

impl Mtts {
    /// ANSI colours.
    pub const ANSI: Self = Self(1);
    /// UTF-8.
    pub const UTF_8: Self = Self(4);
    /// 256 colours.
    pub const COLORS_256: Self = Self(8);
    /// Read aloud: no redrawing, no ornaments.
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
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Binary,
        Self::Echo,
        Self::SuppressGoAhead,
        Self::TerminalType,
        Self::EndOfRecord,
        Self::WindowSize,
        Self::Charset,
    ];

    /// Its number on the wire.
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

    /// The option of a number, if it is one that has a state here.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.code() == code)
    }

    /// What to say when a client offers or demands it unasked.
    fn policy(self, side: Side) -> Policy {
        let agree = match side {
            // Not ECHO: nobody wants to read what they were sent. Not EOR: lines have ends.
            Side::Theirs => !matches!(self, Self::Echo | Self::EndOfRecord),
            // Not SGA or ECHO on demand: one without the other breaks typing in common clients,
            // and whether both are on is not for the client to say.
            Side::Ours => matches!(self, Self::Binary | Self::EndOfRecord | Self::Charset),
        };
        if agree { Policy::Agree } else { Policy::Refuse }
    }
}

impl Telnet {
    /// Takes bytes off `input` until there is something to tell, or until nothing is left (`None`).
    /// What has to be answered at once is appended to `replies`.
    ///
    /// Data is borrowed from the input, in runs as long as the input allows: where one ends means
    /// nothing.
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
                    // The second of two is data, and so is what follows it.
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
                    let run = take_run(input, 0);
                    self.dealings().collect(run);
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
                        self.dealings().collect(&[IAC]);
                    }
                    // No command: the client forgot to double an IAC, as with a window 255 wide.
                    ..FIRST_COMMAND => {
                        *input = rest;
                        self.state = State::Subnegotiation;
                        self.dealings().collect(&[IAC, byte]);
                    }
                    // Its end got lost. Drop it, and take this for the command that it is: so
                    // nothing of it is ever taken for data, and the stream is found again.
                    _ => {
                        self.state = State::Command;
                        self.dealings().drop_subnegotiation();
                    }
                },
            }
        }
    }

    /// Asks the client to take part in an option, or to stop, or says that we start or stop: what
    /// `side` and `want` make of it. The outcome comes as [`Event::Option`]; without one, nothing
    /// has changed. Asking for what is already so sends nothing.
    ///
    /// Character at a time is ECHO and SUPPRESS-GO-AHEAD, both ours and both in one write. For a
    /// password it is ECHO, ours, alone.
    pub fn ask(&mut self, option: TelnetOption, side: Side, want: Switch, replies: &mut Vec<u8>) {
        let dealings = self.dealings();
        let q = dealings.q(option, side);
        let (next, send) = q.ask(want);
        *q = next;
        if let Some(say) = send {
            replies.extend([IAC, verb(side, say), option.code()]);
        }
    }

    /// Has the client asked for BINARY, theirs, once it has shown to be telnet: at once, if it has.
    pub fn want_binary(&mut self, replies: &mut Vec<u8>) {
        let dealings = self.dealings();
        dealings.binary_wanted = true;
        if dealings.telnet {
            dealings.has_shown(replies);
        }
    }

    /// From now on ECHO and SUPPRESS-GO-AHEAD, ours, are agreed to also where the client begins.
    pub fn welcome_keys(&mut self) {
        self.dealings().keys_welcome = true;
    }

    /// Whether the client has sent a valid telnet command; `IAC IAC` alone is none.
    #[must_use]
    pub fn is_telnet(&self) -> bool {
        self.dealings.as_ref().is_some_and(|d| d.telnet)
    }

    /// Whether the next byte is data, unless it begins a command.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.state == State::Data
    }

    /// Whether both ends have agreed on an option.
    #[must_use]
    pub fn is_on(&self, option: TelnetOption, side: Side) -> bool {
        self.dealings.as_ref().is_some_and(|d| d.options[option as usize][side as usize] == Q::Yes)
    }

    /// Negotiations left unanswered for being more than [`MAX_ANSWERS`].
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

    fn dealings(&mut self) -> &mut Dealings {
        self.dealings.get_or_insert_default()
    }

    /// The byte behind IAC, which is not IAC. Moves on to the next state.
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
            // What is complete only with what follows, a lone SE, and what no RFC knows.
            _ => return None,
        };
        self.dealings().has_shown(replies);
        command
    }
}

impl Dealings {
    /// The client has sent a valid command.
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

    /// Whether one more negotiation may be answered; counts it either way.
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
            // DO TIMING-MARK has to be answered however often: a client that waits for it shows
            // nothing. It cannot loop, since no client answers a WONT with another DO.
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
            self.subnegotiation = Vec::new();
        } else {
            self.subnegotiation.extend_from_slice(run);
        }
    }

    fn drop_subnegotiation(&mut self) {
        self.overflown = false;
        self.subnegotiation = Vec::new();
    }

    /// A subnegotiation is complete. One for an option that is not on is none.
    fn subnegotiated(&mut self, replies: &mut Vec<u8>) -> Option<Event<'static>> {
        let payload = std::mem::take(&mut self.subnegotiation);
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

    /// A client tells another name each time it is asked, and the last one twice (RFC 1091).
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
        // What is told last is what the client goes by (RFC 1091): Windows' telnet would end as a VTNT. Who begins with a
        // terminal is one; others begin with their own name, and may tell more.
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

    /// The client lists character sets it could use, the first byte being what separates them.
    fn charset_offered(&mut self, list: &[u8], replies: &mut Vec<u8>) -> Option<Event<'static>> {
        if !self.may_answer() {
            return None;
        }
        // A client may offer to send a translation table first: a word and a version.
        let list = match list.strip_prefix(b"[TTABLE]") {
            Some(behind) => behind.get(1..).unwrap_or_default(),
            None => list,
        };
        let utf8 = list.split_first().and_then(|(separator, names)| {
            names
                .split(|byte| byte == separator)
                .find(|name| name.eq_ignore_ascii_case(b"UTF-8") || name.eq_ignore_ascii_case(b"UTF8"))
        });
        // Both have asked: the server's request stands, the client's is refused (RFC 2066).
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

    /// Whether there was a list to answer; now there is none.
    fn charset_answered(&mut self) -> bool {
        std::mem::take(&mut self.charset_asked)
    }
}

/// Takes all up to the next IAC off `input`, which is not looked for in its first `from` bytes.
fn take_run<'b>(input: &mut &'b [u8], from: usize) -> &'b [u8] {
    let end = memchr::memchr(IAC, &input[from..]).map_or(input.len(), |at| from + at);
    let (run, rest) = input.split_at(end);
    *input = rest;
    run
}

/// How `side` says on or off.
fn verb(side: Side, say: Switch) -> u8 {
    match (side, say) {
        (Side::Ours, Switch::On) => WILL,
        (Side::Ours, Switch::Off) => WONT,
        (Side::Theirs, Switch::On) => DO,
        (Side::Theirs, Switch::Off) => DONT,
    }
}

/// `payload` holds no IAC: it is ours, or a name compared with ours.
fn subnegotiate(option: TelnetOption, what: u8, payload: &[u8], replies: &mut Vec<u8>) {
    replies.extend([IAC, SB, option.code(), what]);
    replies.extend(payload);
    replies.extend([IAC, SE]);
}

#[cfg(test)]
mod tests;
