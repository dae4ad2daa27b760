//! The table of commands: one row holds everything that is known of a command.

use super::account;
use super::lifting;
use super::look;
use super::operator;
use super::removal;
use super::report;
use super::room;
use super::sanctions;
use super::seen;
use super::talk;
use super::wishes;

use super::super::account::Role;
use super::Call;

/// A command: one row of [`COMMANDS`].
#[derive(Clone, Copy)]
pub struct Command {
    /// The name, without the slash.
    pub name: &'static str,
    /// Other words that call the command.
    pub aliases: &'static [&'static str],
    /// The arguments, as `/help` shows them.
    pub usage: &'static str,
    /// What the command does, in a few words, as `/help` lists it.
    pub about: &'static str,
    /// More explanation, in rows of a screen; may be empty.
    pub detail: &'static str,
    /// Lines charged to the caller's pace, besides the command line itself.
    pub weight: u32,
    /// The subject: `/help` lists commands of one subject side by side.
    pub group: Group,
    /// Whether it is one of the dozen commands that a newcomer needs, which `/help` explains.
    pub first: bool,
    /// The least role that may use it; people of lower roles are not shown it.
    pub role: Role,
    /// The least number of words in its arguments; with fewer, the caller is told the usage.
    pub least: usize,
    /// The kind of names to which its first argument is completed.
    pub takes: Takes,
    /// Whether people at the door can use it, before they are in.
    pub at_door: bool,
    /// Which of its arguments is a password, if one is.
    pub password: Password,
    /// Whether other people get to see its arguments.
    pub shows: bool,
    pub(super) run: fn(&mut Call<'_, '_>, &str),
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "/{}", self.name)
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Command {}

/// The subject of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Other people.
    People,
    /// Rooms, and what is said in them.
    Rooms,
    /// The person's own name and account.
    You,
    /// How lines are shown.
    Screen,
    /// The hub itself.
    Hub,
    /// Keeping order, for operators.
    Operators,
}

impl Group {
    /// All groups, in the order in which `/help` lists them.
    pub const ALL: [Self; 6] = [Self::People, Self::Rooms, Self::You, Self::Screen, Self::Hub, Self::Operators];

    /// The name of the group, as people read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Rooms => "rooms",
            Self::You => "you",
            Self::Screen => "screen",
            Self::Hub => "hub",
            Self::Operators => "operators",
        }
    }
}

/// The defaults of the fields that a row does not set.
const ROW: Command = Command {
    name: "",
    aliases: &[],
    usage: "",
    about: "",
    detail: "",
    weight: 0,
    group: Group::People,
    first: false,
    role: Role::Guest,
    least: 0,
    takes: Takes::Person,
    at_door: false,
    password: Password::No,
    shows: false,
    run: |_, _| {},
};

/// The table, in the order in which `/help` lists it.
pub static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        aliases: &["?", "h", "commands", "cmds", "man"],
        usage: "[COMMAND|all]",
        about: "list the commands, or explain one",
        group: Group::Hub,
        weight: 1,
        at_door: true,
        takes: Takes::Command,
        run: look::help,
        ..ROW
    },
    Command {
        name: "nick",
        aliases: &["name"],
        usage: "NAME",
        about: "take another name",
        group: Group::You,
        first: true,
        detail: "Letters, digits, - _ and . of one script, and unlike any name in use.",
        least: 1,
        at_door: true,
        takes: Takes::Nothing,
        run: wishes::nick,
        ..ROW
    },
    Command {
        name: "who",
        aliases: &["names", "users", "look"],
        usage: "[ROOM] [AB*]",
        about: "list who is here, or in another room",
        first: true,
        detail: "Those who are away have a star. With AB*, whose names begin with ab.",
        takes: Takes::Room,
        run: look::who,
        ..ROW
    },
    Command {
        name: "whois",
        aliases: &["finger", "whoami"],
        usage: "[NAME]",
        about: "tell where somebody is, since when, how long idle",
        detail: "Without NAME, it is about yourself.",
        run: look::whois,
        ..ROW
    },
    Command {
        name: "seen",
        aliases: &["whowas"],
        usage: "NAME",
        about: "tell whether somebody is here, or was last",
        detail: "Of registered names always, of others for 15 minutes.",
        least: 1,
        run: seen::seen,
        ..ROW
    },
    Command {
        name: "rooms",
        aliases: &["list", "channels"],
        usage: "[AB*]",
        about: "list the rooms",
        group: Group::Rooms,
        first: true,
        detail: "With AB*, those whose names begin with ab.",
        takes: Takes::Nothing,
        run: look::rooms,
        ..ROW
    },
    Command {
        name: "join",
        aliases: &["j", "go"],
        usage: "ROOM",
        about: "go to another room; it is opened if there is none",
        group: Group::Rooms,
        first: true,
        detail: "A room is closed, and what was said forgotten, when the last one leaves.",
        takes: Takes::Room,
        run: room::join,
        ..ROW
    },
    Command {
        name: "leave",
        aliases: &["part"],
        about: "go back to the lobby",
        group: Group::Rooms,
        first: true,
        takes: Takes::Nothing,
        run: room::leave,
        ..ROW
    },
    Command {
        name: "topic",
        usage: "[TEXT]",
        about: "show the topic of this room, or set it",
        group: Group::Rooms,
        detail: "/topic - clears it.",
        shows: true,
        run: room::topic,
        ..ROW
    },
    Command {
        name: "room",
        usage: "[MODE ...]",
        about: "tell what this room is, or change it",
        group: Group::Rooms,
        detail: "private or public; moderated or free; registered or everyone: who speaks;\n\
                 encrypted or plain: only encrypted connections come in, or all;\n\
                 slow 10s or slow off: one line of each in that time;\n\
                 topic-locked or topic-free; lasting or passing: kept while empty, or not;\n\
                 successor NAME: who has it when your account is gone.\n\
                 Who is logged in and opens a room owns it,\n\
                 and operators have the say in those that nobody owns.",
        takes: Takes::Mode,
        run: room::room,
        ..ROW
    },
    Command {
        name: "invite",
        usage: "NAME",
        about: "let somebody into your private room",
        group: Group::Rooms,
        role: Role::Member,
        run: room::invite,
        ..ROW
    },
    Command {
        name: "uninvite",
        usage: "NAME",
        about: "take an invitation back",
        group: Group::Rooms,
        role: Role::Member,
        run: room::uninvite,
        ..ROW
    },
    Command {
        name: "voice",
        usage: "NAME",
        about: "let somebody speak in your moderated room",
        group: Group::Rooms,
        role: Role::Member,
        run: room::voice,
        ..ROW
    },
    Command {
        name: "unvoice",
        usage: "NAME",
        about: "let somebody speak there no more",
        group: Group::Rooms,
        role: Role::Member,
        run: room::unvoice,
        ..ROW
    },
    Command {
        name: "expel",
        usage: "NAME [REASON]",
        about: "send somebody out of your room",
        group: Group::Rooms,
        detail: "They may come back when they are invited.",
        role: Role::Member,
        shows: true,
        run: room::expel,
        ..ROW
    },
    Command {
        name: "moderator",
        usage: "NAME",
        about: "give somebody the say in your room",
        group: Group::Rooms,
        detail: "They need a registered name. They cannot give the room away.",
        role: Role::Member,
        least: 1,
        run: room::moderator,
        ..ROW
    },
    Command {
        name: "unmoderator",
        usage: "NAME",
        about: "take the say in your room from somebody",
        group: Group::Rooms,
        role: Role::Member,
        least: 1,
        run: room::unmoderator,
        ..ROW
    },
    Command {
        name: "transfer",
        usage: "NAME",
        about: "make your room somebody else's",
        group: Group::Rooms,
        detail: "They have to be in it, logged in. You keep no say in it.",
        role: Role::Member,
        least: 1,
        run: room::transfer,
        ..ROW
    },
    Command {
        name: "msg",
        aliases: &["m", "w", "tell", "whisper", "pm", "dm", "query", "privmsg", "page", "message"],
        usage: "NAME TEXT",
        about: "say something to one person only",
        first: true,
        detail: "Nothing of it is kept, unless it waits for a registered name that is not here.",
        least: 2,
        shows: true,
        run: talk::msg,
        ..ROW
    },
    Command {
        name: "reply",
        aliases: &["r"],
        usage: "TEXT",
        about: "answer the last private message",
        first: true,
        least: 1,
        shows: true,
        run: talk::reply,
        ..ROW
    },
    Command {
        name: "me",
        aliases: &["emote", "action"],
        usage: "TEXT",
        about: "do something: * ann waves",
        first: true,
        least: 1,
        shows: true,
        run: talk::me,
        ..ROW
    },
    Command {
        name: "say",
        aliases: &["shout", "yell"],
        usage: "TEXT",
        about: "say what looks like a command, or begins with a slash",
        least: 1,
        shows: true,
        takes: Takes::Nothing,
        run: talk::say,
        ..ROW
    },
    Command {
        name: "away",
        aliases: &["afk", "brb"],
        usage: "[TEXT]",
        about: "say that you are away",
        group: Group::You,
        detail: "Whoever writes to you privately is told so. /back ends it.",
        shows: true,
        run: talk::away,
        ..ROW
    },
    Command { name: "back", about: "say that you are back", group: Group::You, run: talk::back, ..ROW },
    Command {
        name: "ignore",
        aliases: &["block"],
        usage: "[NAME]",
        about: "hide what somebody says, or list whom you ignore",
        first: true,
        detail: "It stays with them if they take another name.",
        run: wishes::ignore,
        ..ROW
    },
    Command {
        name: "unignore",
        aliases: &["unblock"],
        usage: "NAME",
        about: "show again what somebody says",
        least: 1,
        run: wishes::unignore,
        ..ROW
    },
    Command {
        name: "quiet",
        about: "hide arrivals and departures, or show them again",
        group: Group::Screen,
        takes: Takes::Nothing,
        run: wishes::quiet,
        ..ROW
    },
    Command {
        name: "history",
        aliases: &["replay", "recall", "review", "last"],
        usage: "[LINES]",
        about: "show the last lines said here",
        group: Group::Rooms,
        first: true,
        detail: "/history ids shows operators and the room's owner what /redact takes.",
        takes: Takes::Nothing,
        run: look::history,
        ..ROW
    },
    Command {
        name: "search",
        aliases: &["find", "grep"],
        usage: "TEXT",
        about: "show the lines said here that have a text in them",
        group: Group::Rooms,
        detail: "Upper and lower case are the same. Of many lines, the last are shown.",
        weight: 20,
        least: 1,
        run: look::search,
        ..ROW
    },
    Command {
        name: "time",
        aliases: &["tz", "timezone", "timestamp", "timestamps"],
        usage: "[on|off|+HH:MM|ZONE]",
        about: "show times, in UTC, at an offset, in a zone",
        group: Group::Screen,
        detail: "/time alone switches them on or off. West is -HH:MM. ZONE: Europe/Berlin.",
        takes: Takes::Zone,
        at_door: true,
        run: wishes::time,
        ..ROW
    },
    Command {
        name: "color",
        aliases: &["colour", "colors", "colours"],
        usage: "[on|off]",
        about: "show names in colours, or not",
        group: Group::Screen,
        detail: "They are on by themselves if your program says that it has colours.",
        at_door: true,
        takes: Takes::Nothing,
        run: wishes::color,
        ..ROW
    },
    Command {
        name: "bell",
        aliases: &["beep"],
        usage: "[on|off]",
        about: "ring when your name is said, or somebody writes to you",
        detail: "Lines that name you begin with @ all the same.",
        group: Group::Screen,
        at_door: true,
        takes: Takes::Nothing,
        run: wishes::bell,
        ..ROW
    },
    Command {
        name: "clear",
        aliases: &["cls"],
        about: "clear the screen",
        detail: "In our editor Ctrl-L does the same.",
        group: Group::Screen,
        at_door: true,
        takes: Takes::Nothing,
        run: wishes::clear,
        ..ROW
    },
    Command {
        name: "mode",
        usage: "line|char",
        about: "edit lines in your program, or with an editor of ours",
        group: Group::Screen,
        detail: "With char, what others say appears above what you type. It needs telnet.",
        at_door: true,
        takes: Takes::Nothing,
        run: wishes::mode,
        ..ROW
    },
    Command {
        name: "hold",
        about: "keep what others say back until you press Enter",
        group: Group::Screen,
        detail: "/hold again ends it. If too much piles up, the oldest lines are left out.",
        takes: Takes::Nothing,
        run: wishes::hold,
        ..ROW
    },
    Command {
        name: "register",
        aliases: &["signup"],
        usage: "[PASSWORD]",
        about: "keep your present name for yourself, by a password",
        group: Group::You,
        first: true,
        detail: "Without PASSWORD you are asked for it, and unseen if your program can.",
        weight: 2,
        at_door: true,
        password: Password::First,
        takes: Takes::Nothing,
        run: account::register,
        ..ROW
    },
    Command {
        name: "login",
        aliases: &["identify", "signin"],
        usage: "[NAME [PASSWORD]]",
        about: "get your registered name",
        group: Group::You,
        first: true,
        detail: "Whoever is logged in to it elsewhere is disconnected.",
        weight: 2,
        at_door: true,
        password: Password::Second,
        run: account::login,
        ..ROW
    },
    Command {
        name: "logout",
        aliases: &["signout"],
        about: "be a guest again",
        group: Group::You,
        role: Role::Member,
        takes: Takes::Nothing,
        run: account::logout,
        ..ROW
    },
    Command {
        name: "passwd",
        aliases: &["password"],
        about: "change your password",
        group: Group::You,
        weight: 2,
        role: Role::Member,
        password: Password::First,
        takes: Takes::Nothing,
        run: account::passwd,
        ..ROW
    },
    Command {
        name: "certificate",
        aliases: &["cert", "certfp"],
        usage: "[add|remove N]",
        about: "log in by a certificate, or list those that do",
        group: Group::You,
        detail: "A connection by TLS can show one: openssl s_client -cert FILE -key FILE ...\n\
                 add: whoever comes with this connection's is logged in to your name at once;\n\
                 remove 2: the second of the list does no longer.",
        weight: 2,
        role: Role::Member,
        takes: Takes::Nothing,
        run: account::certificate,
        ..ROW
    },
    Command {
        name: "unregister",
        about: "give your registered name up",
        group: Group::You,
        detail: "What you said stays; operators can remove it.",
        weight: 2,
        role: Role::Member,
        password: Password::Asked,
        takes: Takes::Nothing,
        run: account::unregister,
        ..ROW
    },
    Command {
        name: "report",
        usage: "NAME [WHY]",
        about: "tell the operators about somebody",
        detail: "They see your name, WHY, and what NAME said last here; no private message.",
        least: 1,
        shows: true,
        run: report::report,
        ..ROW
    },
    Command {
        name: "redact",
        usage: "WHO [N|TIME]",
        about: "remove lines said in your room",
        group: Group::Rooms,
        detail: "ann 10min, c4 3 or #981: see /history ids. Operators by TIME: all rooms.",
        role: Role::Member,
        least: 1,
        run: removal::redact,
        ..ROW
    },
    Command {
        name: "motd",
        aliases: &["welcome", "info"],
        about: "show the greeting again",
        group: Group::Hub,
        at_door: true,
        takes: Takes::Nothing,
        run: look::motd,
        ..ROW
    },
    Command {
        name: "rules",
        about: "show the house rules",
        group: Group::Hub,
        at_door: true,
        takes: Takes::Nothing,
        run: look::rules,
        ..ROW
    },
    Command {
        name: "ping",
        about: "ask whether the hub is there",
        group: Group::Hub,
        at_door: true,
        takes: Takes::Nothing,
        run: look::ping,
        ..ROW
    },
    Command {
        name: "quit",
        aliases: &["exit", "bye", "q", "logoff", "disconnect"],
        usage: "[TEXT]",
        about: "leave, with a last word",
        group: Group::Hub,
        first: true,
        at_door: true,
        shows: true,
        run: talk::quit,
        ..ROW
    },
    Command {
        name: "kick",
        usage: "NAME [REASON]",
        about: "disconnect somebody",
        group: Group::Operators,
        role: Role::Operator,
        least: 1,
        shows: true,
        run: operator::kick,
        ..ROW
    },
    Command {
        name: "mute",
        usage: "WHO [TIME] [REASON]",
        about: "keep somebody from being heard",
        group: Group::Operators,
        detail: "It holds for their account, or name and address. TIME: 10min, 2h.\n\
                 WHO can be a pattern, as bot-*: see /help ban.",
        role: Role::Operator,
        least: 1,
        run: sanctions::mute,
        ..ROW
    },
    Command {
        name: "unmute",
        usage: "WHO",
        about: "let somebody be heard again",
        group: Group::Operators,
        detail: "Also by what the mute is called, such as m4.",
        role: Role::Operator,
        least: 1,
        takes: Takes::Mute,
        run: lifting::unmute,
        ..ROW
    },
    Command {
        name: "shadowmute",
        usage: "WHO [TIME] [WHY]",
        about: "keep somebody from being heard, untold",
        group: Group::Operators,
        detail: "To them, what they say looks said. /unmute ends it.",
        role: Role::Operator,
        least: 1,
        run: sanctions::shadowmute,
        ..ROW
    },
    Command {
        name: "ban",
        usage: "WHO [TIME] [REASON]",
        about: "keep somebody out",
        group: Group::Operators,
        detail: "WHO: name or c4, of somebody here or just left; a network; name=NAME;\n\
                 a pattern of names that people take, as bot-* or /^bot[0-9]/.",
        role: Role::Operator,
        least: 1,
        shows: true,
        run: sanctions::ban,
        ..ROW
    },
    Command {
        name: "lockdown",
        usage: "[TIME] [door|registered] | off",
        about: "make newcomers log in first",
        group: Group::Operators,
        detail: "Who is here stays and speaks. It ends after TIME (else as set), or by off.",
        role: Role::Operator,
        takes: Takes::Nothing,
        run: operator::lockdown,
        ..ROW
    },
    Command {
        name: "filter",
        usage: "WORD [TIME] [REASON]",
        about: "keep back what has a word in it",
        group: Group::Operators,
        detail: "In lines, names, topics: spam, \"buy now\" or /buy.*now/. After the word\n\
                 strike it also counts against who says it. /lift f3 ends a filter.",
        role: Role::Operator,
        least: 1,
        takes: Takes::Nothing,
        run: sanctions::filter,
        ..ROW
    },
    Command {
        name: "filters",
        usage: "[PAGE]",
        about: "list the filters that operators have made",
        group: Group::Operators,
        role: Role::Operator,
        takes: Takes::Nothing,
        run: sanctions::filters,
        ..ROW
    },
    Command {
        name: "unban",
        usage: "BAN",
        about: "lift a ban",
        group: Group::Operators,
        detail: "A ban is called as /bans lists it, such as b3.",
        role: Role::Operator,
        least: 1,
        takes: Takes::Ban,
        run: lifting::unban,
        ..ROW
    },
    Command {
        name: "bans",
        usage: "[PAGE | WHO]",
        about: "list the bans",
        group: Group::Operators,
        role: Role::Operator,
        run: sanctions::bans,
        ..ROW
    },
    Command {
        name: "sanctions",
        usage: "[PAGE | WHO]",
        about: "list bans, mutes, filters and the like",
        group: Group::Operators,
        role: Role::Operator,
        run: sanctions::sanctions,
        ..ROW
    },
    Command {
        name: "lift",
        usage: "SANCTION",
        about: "lift a ban, mute, filter or the like",
        group: Group::Operators,
        detail: "As /sanctions lists it, such as b3, m4, x5 or f6.",
        role: Role::Operator,
        least: 1,
        takes: Takes::Sanction,
        run: lifting::lift,
        ..ROW
    },
    Command {
        name: "left",
        usage: "[PAGE]",
        about: "list who has left in the last 15 minutes",
        group: Group::Operators,
        detail: "They can be banned or muted by name or number. Of two who come from one\n\
                 address, the letters behind it are the same.",
        role: Role::Operator,
        run: sanctions::left,
        ..ROW
    },
    Command {
        name: "strikes",
        usage: "NAME",
        about: "tell how many strikes count against somebody",
        group: Group::Operators,
        role: Role::Operator,
        least: 1,
        run: operator::strikes,
        ..ROW
    },
    Command {
        name: "reports",
        usage: "[WHICH]",
        about: "list the reports that are open, or show one",
        group: Group::Operators,
        detail: "WHICH is a report such as r12; all, for closed ones too; or a page, as 2.",
        role: Role::Operator,
        run: report::reports,
        ..ROW
    },
    Command {
        name: "close",
        usage: "REPORT [NOTE]",
        about: "close a report",
        group: Group::Operators,
        detail: "Several: /close r3 r5-r9 NOTE. Other operators see who did it, and NOTE.",
        role: Role::Operator,
        least: 1,
        run: report::close,
        ..ROW
    },
    Command {
        name: "op",
        usage: "NAME",
        about: "make somebody with an account an operator",
        group: Group::Operators,
        detail: "Only administrators undo it.",
        role: Role::Operator,
        least: 1,
        run: operator::op,
        ..ROW
    },
];

/// The kind of names to which the first argument of a command is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The name of somebody connected.
    Person,
    /// The name of a room.
    Room,
    /// A mute, by what it is called or whom it is about.
    Mute,
    /// A ban, likewise.
    Ban,
    /// A sanction of any kind, by what it is called.
    Sanction,
    /// A mode of a room, such as `registered`.
    Mode,
    /// The name of a command.
    Command,
    /// A time zone.
    Zone,
    /// Nothing.
    Nothing,
}

/// Which argument of a command is a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// None: the command has nothing to do with passwords.
    No,
    /// None: the command asks for a password, and refuses one as an argument.
    Asked,
    /// The first argument; the command asks for it if it is missing.
    First,
    /// The second argument; the command asks for it if it is missing.
    Second,
}
