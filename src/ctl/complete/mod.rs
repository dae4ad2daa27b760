//! `chathub ctl complete`: the words that can come next on a command line, for the completions of
//! shells.
//!
//! The declaration of the command line ([`crate::cli`]) has the commands, options and words; `live`
//! asks the daemon, once and briefly, for people, rooms, sanctions, reports and accounts. So the
//! shells' scripts (`packaging/completions`) contain nothing that could go out of date, and offer
//! nothing that would be refused. This module does not know what a command does, and changes
//! nothing.
//!
//! | to change | see |
//! | --- | --- |
//! | the meaning of each word on the line so far | this file |
//! | the kinds of values | [`Kind`], below |
//! | the request to the daemon, and when there is none | `live` |
//! | splitting a line of bash into words | `words` |
//! | the scripts | `packaging/completions` |

mod live;
mod words;

use std::path::PathBuf;

use clap::{Arg, Command};

use crate::cli;
use crate::cli::ctl::Line;

/// The most values that are offered: a longer list helps nobody.
const MOST: usize = 300;

/// The values that can come at a place of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Offers {
    /// Values, each with its meaning.
    values: Vec<(String, String)>,
    /// Files or directories: the shell itself knows which there are.
    paths: Option<Paths>,
}

/// What kind of path is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paths {
    Files,
    Directories,
}

/// The kind of an argument's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A client, by nick or id.
    Who,
    /// A client, by id.
    Client,
    /// A client, by nick.
    Nick,
    Room,
    Ban,
    /// A mute, by whom it is about or by id.
    Mute,
    Sanction,
    Report,
    Account,
    /// The name of a command of the admin protocol.
    Protocol,
    /// A filter that an administrator has added while the hub runs.
    Filter,
    /// A target of bans: the nick or the address of a client.
    Target,
    /// One of these words.
    Words(&'static [&'static str]),
    Path(Paths),
    /// A text, a number, or a new name: nothing can be offered.
    Free,
}

const BAN_TIMES: &[&str] = &["10min", "1h", "1d", "7d", "30d"];
const MUTE_TIMES: &[&str] = &["5min", "10min", "1h", "1d", "7d"];
const TIMES: &[&str] = &["today", "yesterday", "10min", "1h", "1d"];

/// The kind of the value of `arg`, an argument of the command at `path` (without `chathub`). `None`
/// if this function does not say: a test finds that.
fn kind(path: &[&str], arg: &Arg) -> Option<Kind> {
    let name = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    Some(match (path, arg.get_id().as_str(), name) {
        (_, "watch", _) | (["ctl", "top"], "interval", _) => Kind::Words(&["500ms", "1s", "2s", "5s"]),
        (["ctl", "mute"], "time", _) => Kind::Words(MUTE_TIMES),
        (["ctl", "lockdown"], "time", _) => Kind::Words(&["10min", "30min", "1h", "1d"]),
        (["ctl", "ban" | "filter", "add"], "time", _) | (["ctl", "kick"], "ban", _) => Kind::Words(BAN_TIMES),
        (["ctl", "rooms", "set"], "slow", _) => Kind::Words(&["off", "5s", "10s", "30s", "1min"]),
        (_, "deadline", _) => Kind::Words(&["0s", "5s", "20s", "1min"]),
        (_, "timeout", _) => Kind::Words(&["2s", "5s", "30s", "1min", "0"]),
        (["ctl", "account", "add"], "name", _) | (["ctl", "rename"], "nick", _) => Kind::Free,
        (["ctl", "account", ..], "name", _) | (["ctl", "rooms", "set"], "owner", _) => Kind::Account,
        (["ctl", "completions"], _, _) => Kind::Words(&["bash", "zsh", "fish"]),
        (["ctl", "unmute"], "who", _) => Kind::Mute,
        (_, _, "WHO") => Kind::Who,
        (_, _, "ID") => Kind::Client,
        (_, _, "NICK") => Kind::Nick,
        (_, _, "ROOM") => Kind::Room,
        (_, _, "BAN") => Kind::Ban,
        (_, _, "SANCTION") => Kind::Sanction,
        (_, _, "FILTER") => Kind::Filter,
        (_, _, "REPORT") => Kind::Report,
        (_, _, "TARGET") => Kind::Target,
        (_, _, "CMD") => Kind::Protocol,
        (_, _, "T") => Kind::Words(TIMES),
        (_, _, "FILE" | "PATH") => Kind::Path(Paths::Files),
        (_, _, "DIR") => Kind::Path(Paths::Directories),
        (_, _, "TEXT" | "N" | "FINGERPRINT" | "JSON" | "ADDR" | "UNIT") => Kind::Free,
        _ => return None,
    })
}

/// What `chathub ctl complete` prints: one value a line, followed by a tab and its meaning; before
/// that `:files` or `:directories`, if such are meant.
#[must_use]
pub(super) fn complete(line: Line, given: &[String]) -> String {
    let words = match line {
        Line::Bash => words::split(given.first().map_or("", String::as_str)),
        Line::Words => given.to_vec(),
    };
    let offers = offers(&words, &mut live::Daemon::of(socket_in(&words)));
    let mut out = String::new();
    match offers.paths {
        Some(Paths::Files) => out += ":files\n",
        Some(Paths::Directories) => out += ":directories\n",
        None => {}
    }
    for (value, about) in offers.values.into_iter().take(MOST) {
        out += &format!("{}\t{}\n", super::print::escape::escape(&value), super::print::escape::escape(&about));
    }
    out
}

/// The socket that the command line names; `None` if it names none.
fn socket_in(words: &[String]) -> Option<PathBuf> {
    let at = words.iter().position(|word| word == "--socket" || word.starts_with("--socket="))?;
    let named = words[at].strip_prefix("--socket=").map(str::to_owned);
    named.or_else(|| words.get(at + 1).cloned()).map(PathBuf::from)
}

/// A daemon that can be asked for values.
trait Known {
    /// The values of this kind, each with its meaning; empty if the daemon cannot be asked.
    fn values(&mut self, kind: Kind) -> Vec<(String, String)>;
}

/// How far a command line was read.
struct Place<'a> {
    command: &'a Command,
    path: Vec<&'a str>,
    /// The options on the line so far.
    used: Vec<&'a Arg>,
    /// The values of positional arguments so far, in order.
    given: Vec<&'a str>,
    /// The option whose value comes next, if any.
    pending: Option<&'a Arg>,
    /// Whether `--` has come: after it nothing is an option.
    options_over: bool,
}

/// What can come in place of the last of `words`. The first word is the program.
fn offers(words: &[String], known: &mut impl Known) -> Offers {
    let mut root = cli::command();
    root.build();
    let program = |word: &String| word.rsplit('/').next() == Some("chathub");
    let start = words.iter().position(program).unwrap_or(0);
    let Some((current, before)) = words.get(start + 1..).and_then(<[String]>::split_last) else {
        return Offers::default();
    };
    let mut place = Place {
        command: &root,
        path: Vec::new(),
        used: Vec::new(),
        given: Vec::new(),
        pending: None,
        options_over: false,
    };
    for word in before {
        place.pass(word);
    }
    place.next(current, known)
}

impl<'a> Place<'a> {
    /// Reads `word`, and goes on behind it.
    fn pass(&mut self, word: &'a str) {
        if self.pending.take().is_some() {
            return;
        }
        if !self.options_over && word == "--" {
            self.options_over = true;
        } else if !self.options_over && word.starts_with('-') && word.len() > 1 {
            self.pass_option(word);
        } else if self.given.is_empty()
            && let Some(command) = self.command.find_subcommand(word)
        {
            self.command = command;
            self.path.push(command.get_name());
            // Only common options may come before the command as well as after it.
            self.used.retain(|arg| arg.is_global_set());
        } else {
            self.given.push(word);
        }
    }

    fn pass_option(&mut self, word: &'a str) {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let arg = match name.strip_prefix("--") {
            Some(long) => self.command.get_arguments().find(|arg| arg.get_long() == Some(long)),
            None => name
                .chars()
                .last()
                .and_then(|short| self.command.get_arguments().find(|arg| arg.get_short() == Some(short))),
        };
        let Some(arg) = arg else { return };
        self.used.push(arg);
        if value.is_none() && takes_word(arg) {
            self.pending = Some(arg);
        }
    }

    /// What can come here, if `current` is typed of it already.
    fn next(&self, current: &str, known: &mut impl Known) -> Offers {
        if let Some(arg) = self.pending {
            return self.value(arg, current, "", known);
        }
        if !self.options_over && current.starts_with('-') {
            if let Some((name, value)) = current.split_once('=') {
                let arg = self.command.get_arguments().find(|arg| arg.get_long() == name.strip_prefix("--"));
                return arg
                    .filter(|arg| takes_value(arg))
                    .map_or_else(Offers::default, |arg| self.value(arg, value, &format!("{name}="), known));
            }
            return self.options(current);
        }
        if self.given.is_empty() && self.command.has_subcommands() {
            let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set());
            let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
            let values = commands.map(|command| (command.get_name().to_owned(), about(command)));
            return Offers { values: beginning(values, current), paths: None };
        }
        match self.positional() {
            Some(arg) => self.value(arg, current, "", known),
            None if current.is_empty() && !self.options_over => self.options(current),
            None => Offers::default(),
        }
    }

    /// The positional argument that comes next; `None` if there is none.
    fn positional(&self) -> Option<&'a Arg> {
        let mut left = self.given.len();
        for arg in self.command.get_positionals() {
            if left == 0 || is_repeated(arg) {
                return Some(arg);
            }
            left -= 1;
        }
        None
    }

    /// The options that can be added to those on the line.
    fn options(&self, current: &str) -> Offers {
        let is_there = |arg: &Arg| self.used.iter().any(|used| used.get_id() == arg.get_id());
        let allowed = |arg: &&Arg| {
            let conflicts = self.command.get_arg_conflicts_with(arg);
            let excluded = conflicts.iter().any(|other| is_there(other))
                || self.used.iter().any(|used| {
                    self.command.get_arg_conflicts_with(used).iter().any(|other| other.get_id() == arg.get_id())
                });
            let again = is_repeated(arg) || !is_there(arg);
            // The copy of a common option is hidden in the help, but can be used.
            let shown = !arg.is_hide_set() || arg.is_global_set();
            shown && again && !excluded
        };
        let all = self.command.get_arguments().filter(|arg| !arg.is_positional()).filter(allowed);
        let (common, own): (Vec<&Arg>, Vec<&Arg>) = all.partition(|arg| arg.is_global_set());
        let offer = |arg: &&Arg| {
            let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let long = arg.get_long().map(|long| format!("--{long}"))?;
            Some((long, about))
        };
        Offers { values: beginning(own.iter().chain(&common).filter_map(offer), current), paths: None }
    }

    /// The values of `arg` that can come here, each with `prefix` before it.
    fn value(&self, arg: &Arg, current: &str, prefix: &str, known: &mut impl Known) -> Offers {
        let fixed = arg.get_possible_values();
        let values: Vec<(String, String)> = if fixed.is_empty() {
            match kind(&self.path, arg) {
                Some(Kind::Path(paths)) => return Offers { values: Vec::new(), paths: Some(paths) },
                None | Some(Kind::Free) => Vec::new(),
                Some(Kind::Words(words)) => words.iter().map(|word| ((*word).to_owned(), String::new())).collect(),
                // Ids are offered only after the beginning of one was typed.
                Some(Kind::Who) if is_id(current) => known.values(Kind::Client),
                Some(Kind::Who) => known.values(Kind::Nick),
                Some(kind) => known.values(kind),
            }
        } else {
            let visible = fixed.iter().filter(|value| !value.is_hide_set());
            let about = |help: Option<&clap::builder::StyledStr>| help.map(ToString::to_string).unwrap_or_default();
            visible.map(|value| (value.get_name().to_owned(), about(value.get_help()))).collect()
        };
        // A value that is on the line already is not offered again.
        let again = |(value, _): &(String, String)| !(arg.is_positional() && self.given.contains(&value.as_str()));
        let values = beginning(values.into_iter().filter(again), current);
        Offers {
            values: values.into_iter().map(|(value, about)| (format!("{prefix}{value}"), about)).collect(),
            paths: None,
        }
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// Whether the value of `arg` may be a word of its own, and need not follow an equals sign.
fn takes_word(arg: &Arg) -> bool {
    takes_value(arg) && !arg.is_require_equals_set()
}

fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), clap::ArgAction::Append)
}

/// Whether the word begins as a client's id does: `c7`.
fn is_id(word: &str) -> bool {
    word.strip_prefix('c').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The values that begin with `current`. Upper and lower case are the same, as in names.
fn beginning(values: impl Iterator<Item = (String, String)>, current: &str) -> Vec<(String, String)> {
    let current = current.to_lowercase();
    values.filter(|(value, _)| value.to_lowercase().starts_with(&current)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A daemon that knows a few values of each kind.
    struct Played {
        asked: Vec<Kind>,
    }

    impl Known for Played {
        fn values(&mut self, kind: Kind) -> Vec<(String, String)> {
            self.asked.push(kind);
            let all: &[&str] = match kind {
                Kind::Nick => &["ann", "bob", "Eve"],
                Kind::Client => &["c1", "c12", "c3"],
                Kind::Room => &["lobby", "tea"],
                Kind::Ban => &["b1", "192.0.2.0/24"],
                Kind::Mute => &["bob", "m2"],
                Kind::Sanction => &["b1", "m2", "x3"],
                Kind::Filter => &["f4"],
                Kind::Report => &["r1", "r2"],
                Kind::Account => &["ann"],
                Kind::Target => &["ann", "192.0.2.7", "2001:db8::7"],
                Kind::Protocol => &["hello", "clients.list"],
                _ => &[],
            };
            all.iter().map(|value| ((*value).to_owned(), "known".to_owned())).collect()
        }
    }

    fn offered(line: &str) -> Vec<String> {
        let offers = offers(&words::split(line), &mut Played { asked: Vec::new() });
        let paths = offers.paths.map(|paths| format!(":{paths:?}"));
        paths.into_iter().chain(offers.values.into_iter().map(|(value, _)| value)).collect()
    }

    #[test]
    fn commands_and_options_are_those_that_are_allowed_there() {
        assert_eq!(offered("chathub "), ["serve", "check-config", "doctor", "ctl"]);
        assert_eq!(offered("chathub ctl mut"), ["mute"]);
        assert!(!offered("chathub ctl ").contains(&"complete".to_owned()));
        assert_eq!(offered("sudo chathub ctl ban "), ["add", "list", "remove", "test"]);
        assert_eq!(offered("chathub ctl --json --quiet ban l"), ["list"]);
        let options = offered("chathub ctl mute ann -");
        assert!(
            ["--for", "--shadow", "--json", "--help"].iter().all(|one| options.contains(&(*one).to_owned())),
            "{options:?}"
        );
        assert!(!options.contains(&"--newcomers".to_owned()), "{options:?}");
        let options = offered("chathub ctl mute ann --for 10min --shadow --json -");
        assert!(!options.contains(&"--for".to_owned()) && !options.contains(&"--json".to_owned()), "{options:?}");
        assert!(!offered("chathub ctl lockdown --off -").contains(&"--for".to_owned()), "they exclude each other");
        assert_eq!(offered("chathub ctl nonsense -"), offered("chathub ctl -"));
        assert!(offered("chathub ctl kick -- -").is_empty());
    }

    #[test]
    fn values_are_words_where_words_are_known() {
        assert_eq!(offered("chathub ctl log-level "), ["error", "warn", "info", "debug", "trace"]);
        assert_eq!(offered("chathub ctl monitor jo"), ["join"]);
        assert!(!offered("chathub ctl monitor join ").contains(&"join".to_owned()));
        assert_eq!(offered("chathub ctl mute ann --for "), MUTE_TIMES);
        assert_eq!(
            offered("chathub ctl clients --watch="),
            ["--watch=500ms", "--watch=1s", "--watch=2s", "--watch=5s"]
        );
        assert_eq!(offered("chathub ctl history --since t"), ["today"]);
        assert_eq!(offered("chathub ctl history --output /tm"), [":Files"]);
        assert_eq!(offered("chathub serve --state-dir "), [":Directories"]);
        assert_eq!(offered("chathub doc"), ["doctor"]);
        assert_eq!(offered("chathub doctor --state-dir "), [":Directories"]);
        assert_eq!(offered("chathub doctor --socket "), [":Files"]);
        assert_eq!(offered("chathub ctl kick ann --reason "), [""; 0], "no files where a text is meant");
        assert_eq!(offered("chathub ctl rename ann "), [""; 0]);
        assert_eq!(offered("chathub ctl account add "), [""; 0]);
    }

    #[test]
    fn the_daemon_is_asked_for_what_it_alone_knows() {
        assert_eq!(offered("chathub ctl kick "), ["ann", "bob", "Eve"]);
        assert_eq!(offered("chathub ctl kick ann "), ["bob", "Eve"], "nobody is kicked twice");
        assert_eq!(offered("chathub ctl kick e"), ["Eve"]);
        assert_eq!(offered("chathub ctl kick c1"), ["c1", "c12"]);
        assert_eq!(offered("chathub ctl kick --reason 'no floods' b"), ["bob"]);
        assert_eq!(offered("chathub ctl history --room "), ["lobby", "tea"]);
        assert_eq!(offered("chathub ctl history --room=t"), ["--room=tea"]);
        assert_eq!(offered("chathub ctl ban remove "), ["b1", "192.0.2.0/24"]);
        assert_eq!(offered("chathub ctl ban add 2001:db8"), ["2001:db8::7"]);
        assert_eq!(offered("chathub ctl sanction lift m"), ["m2"]);
        assert_eq!(offered("chathub ctl unmute "), ["bob", "m2"], "only who is muted");
        assert_eq!(offered("chathub ctl filter remove "), ["f4"]);
        assert_eq!(offered("chathub ctl report close r1 "), ["r2"]);
        assert_eq!(offered("chathub ctl account role "), ["ann"]);
        assert_eq!(offered("chathub ctl account role ann "), ["member", "operator"]);
        assert_eq!(offered("chathub ctl describe h"), ["hello"]);
        assert_eq!(offered("chathub ctl topic "), ["lobby", "tea"]);
        assert_eq!(offered("chathub ctl topic tea "), [""; 0]);
    }

    #[test]
    fn every_argument_has_a_known_kind_of_value() {
        fn look_at(command: &Command, path: &[&str]) {
            for arg in command.get_arguments().filter(|arg| takes_value(arg)) {
                let known = !arg.get_possible_values().is_empty() || kind(path, arg).is_some();
                assert!(known || arg.get_id() == "given", "{path:?} {}", arg.get_id());
            }
            for inner in command.get_subcommands() {
                look_at(inner, &[path, &[inner.get_name()]].concat());
            }
        }
        let mut root = cli::command();
        root.build();
        look_at(&root, &[]);
    }

    #[test]
    fn times_that_are_offered_are_taken() {
        for line in [
            "chathub ctl mute ann --for",
            "chathub ctl ban add ann --for",
            "chathub ctl kick ann --ban",
            "chathub ctl lockdown --for",
            "chathub ctl rooms set tea --slow",
            "chathub ctl shutdown --deadline",
            "chathub ctl status --timeout",
            "chathub ctl top --interval",
            "chathub ctl history --since",
            "chathub ctl redact --until",
            "chathub ctl log-level",
            "chathub ctl completions",
        ] {
            let offered = offered(&format!("{line} "));
            assert!(!offered.is_empty(), "{line}");
            for value in offered {
                let line = format!("{line} {value}");
                assert!(cli::Cli::from_line(line.split(' ')).is_ok(), "{line}");
            }
        }
    }
}
