//! What a command line was meant to be in which a word is not understood: the complaint says the right form in its first
//! line. It is the same for all programs and all their commands, and made from their declarations.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};

use crate::values::text::clean;

/// Words of other programs, and the commands that do here what they mean there.
const ELSEWHERE: &[(&str, &str)] = &[
    ("announce", "chathub ctl say"),
    ("audit", "journalctl -u chathub"),
    ("broadcast", "chathub ctl say"),
    ("config", "chathub check-config"),
    ("configtest", "chathub check-config"),
    ("disconnect", "chathub ctl kick"),
    ("info", "chathub ctl status"),
    ("list", "chathub ctl clients"),
    ("logs", "journalctl -u chathub"),
    ("ls", "chathub ctl clients"),
    ("people", "chathub ctl clients"),
    ("restart", "systemctl restart chathub"),
    ("sessions", "chathub ctl clients"),
    ("start", "systemctl start chathub"),
    ("stop", "chathub ctl shutdown"),
    ("unban", "chathub ctl ban remove"),
    ("unlock", "chathub ctl account unlock"),
    ("users", "chathub ctl clients"),
    ("validate", "chathub check-config"),
    ("warn", "chathub ctl say"),
    ("who", "chathub ctl clients"),
];

/// The arguments of a line by `command`, the program's name first.
///
/// # Errors
/// What is to be printed instead.
pub(super) fn matches(
    command: &mut Command,
    line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<ArgMatches, clap::Error> {
    let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
    command.try_get_matches_from_mut(&line).map_err(|error| explained(error, command, &line))
}

/// The error with the right form in its first line, if it is about a word that is not understood.
fn explained(error: clap::Error, command: &mut Command, line: &[OsString]) -> clap::Error {
    let context = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return error,
    };
    let Some(ContextValue::String(word)) = error.get(context) else { return error };
    // It is shown on a terminal.
    let word = clean(word.as_bytes()).into_owned();
    let path = path(command, line);
    let form = right_form(command, &path, &word);
    let mut at = command;
    for name in &path {
        at = at.find_subcommand_mut(name).expect("the line has led there");
    }
    at.error(error.kind(), format!("\"{word}\" is not understood here; {form}"))
}

/// The commands within commands that the line names, up to the first word that is none.
fn path(command: &Command, line: &[OsString]) -> Vec<String> {
    let (mut at, mut path) = (command, Vec::new());
    let mut words = line.iter().skip(1).filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix('-') {
            let takes = |arg: &&Arg| {
                let is_it = match option.strip_prefix('-') {
                    Some(long) => arg.get_long() == Some(long),
                    None => arg.get_short().is_some_and(|short| option == short.to_string()),
                };
                is_it && arg.get_action().takes_values() && !arg.is_require_equals_set()
            };
            if at.get_arguments().find(takes).is_some() {
                words.next();
            }
            continue;
        }
        let Some(next) = at.find_subcommand(word) else { break };
        at = next;
        path.push(next.get_name().to_owned());
    }
    path
}

/// What may have been meant by `word`, behind the commands of `path`.
fn right_form(root: &Command, path: &[String], word: &str) -> String {
    let at = path.iter().fold(root, |at, name| at.find_subcommand(name).unwrap_or(at));
    let here = path.iter().fold(root.get_name().to_owned(), |here, name| format!("{here} {name}"));
    let own =
        || at.get_arguments().filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version"));
    if word.starts_with('-') {
        let long = word.trim_start_matches('-').split('=').next().unwrap_or_default();
        let all: Vec<&str> = at.get_arguments().filter_map(Arg::get_long).collect();
        let near = nearest(long, all.iter().copied());
        let options: Vec<String> = own().filter_map(option).collect();
        return match (near, options.is_empty()) {
            (Some(near), _) => format!("did you mean --{near}?"),
            (None, true) => format!("{here} has no options of its own"),
            (None, false) => format!("{here} has {}", options.join(", ")),
        };
    }
    if matches!(word, "help" | "?" | "h" | "man") {
        return format!("write: {here} --help");
    }
    if let Some(option) = at.get_arguments().find(|arg| arg.get_long() == Some(word)).and_then(option) {
        return format!("write: {here} {option}");
    }
    if root.get_name() == "chathub"
        && path.len() < 2
        && at.has_subcommands()
        && let Some((_, whole)) = ELSEWHERE.iter().find(|(other, _)| *other == word)
    {
        return format!("write: {whole}");
    }
    let within: Vec<&str> = shown(at).map(Command::get_name).collect();
    if let Some(near) = nearest(word, within.iter().copied()) {
        return format!("did you mean {here} {near}?");
    }
    let mut everywhere = Vec::new();
    gather(root, root.get_name(), &mut everywhere);
    // A command of that name at another place, but not one that a group has for its own things.
    let is_of_a_group =
        |name: &str| matches!(name, "add" | "list" | "show" | "remove" | "set" | "test" | "lift" | "close");
    let named = everywhere.iter().find(|(name, _)| *name == word && !is_of_a_group(name));
    if let Some((_, whole)) = named {
        return format!("write: {whole}");
    }
    // The things of a group, in the plural.
    let singular = word.strip_suffix('s').unwrap_or(word);
    if let Some((_, whole)) =
        everywhere.iter().find(|(name, whole)| *name == "list" && whole.ends_with(&format!(" {singular} list")))
    {
        return format!("write: {whole}");
    }
    // A group is given what one of its commands is about.
    let takes_one = |name: &str| at.find_subcommand(name).filter(|inner| inner.get_positionals().next().is_some());
    if let Some(inner) = ["show", "add"].into_iter().find_map(takes_one) {
        let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:#/@".contains(c));
        let word = if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) };
        return format!("write: {here} {} {word}", inner.get_name());
    }
    let away = nearest(word, everywhere.iter().map(|(name, _)| *name).filter(|name| !is_of_a_group(name)));
    if let Some((_, whole)) = everywhere.iter().find(|(name, _)| Some(*name) == away) {
        return format!("did you mean {whole}?");
    }
    if !within.is_empty() {
        return format!("{here} takes {}", within.join(", "));
    }
    let takes: Vec<String> = at.get_positionals().map(|arg| arg.get_id().to_string().to_uppercase()).collect();
    match takes.is_empty() {
        true => format!("no word stands behind {here}"),
        false => format!("behind {here} stands {} alone", takes.join(", ")),
    }
}

/// The commands within a command that its help shows.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set())
}

/// Appends all commands within a command: the name of each, and how it is written from the program on.
fn gather<'a>(command: &'a Command, before: &str, all: &mut Vec<(&'a str, String)>) {
    for inner in shown(command) {
        let whole = format!("{before} {}", inner.get_name());
        all.push((inner.get_name(), whole.clone()));
        gather(inner, &whole, all);
    }
}

/// An option as it is written, such as `--for D`.
fn option(arg: &Arg) -> Option<String> {
    let value = arg.get_value_names().filter(|_| arg.get_action().takes_values() && !arg.is_require_equals_set());
    let value: String = value.into_iter().flatten().map(|name| format!(" {name}")).collect();
    arg.get_long().map(|long| format!("--{long}{value}"))
}

/// The candidate that `word` is misspelt for, or the beginning of, if one is near enough.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let word: String = word.chars().take(32).flat_map(char::to_lowercase).collect();
    let mut begin = candidates.clone().filter(|name| word.len() > 2 && name.starts_with(&word));
    if let (Some(one), None) = (begin.next(), begin.next()) {
        return Some(one);
    }
    let distance = |name: &str| strsim::damerau_levenshtein(name, &word);
    let most = |name: &str| if name.len().min(word.len()) < 5 { 1 } else { 2 };
    candidates.filter(|name| distance(name) <= most(name)).min_by_key(|name| distance(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::cli::tls::TlsArgs;
    use crate::cli::web::WebArgs;

    /// The first line of the complaint about a command line.
    #[track_caller]
    fn complaint(line: &str) -> String {
        let error = Cli::from_line(line.split(' ')).expect_err(line);
        assert!(error.use_stderr(), "{line}");
        error.to_string().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_word_that_is_not_understood_is_answered_with_the_right_form() {
        for (line, form) in [
            ("chathub ctl lockdown off", "write: chathub ctl lockdown --off"),
            ("chathub ctl lockdown for 10min", "write: chathub ctl lockdown --for D"),
            ("chathub ctl rooms tea", "write: chathub ctl rooms show tea"),
            ("chathub ctl --socket ctl rooms tea", "write: chathub ctl rooms show tea"),
            ("chathub ctl rooms #tea", "write: chathub ctl rooms show #tea"),
            ("chathub ctl check-config", "write: chathub check-config"),
            ("chathub ctl doctor", "write: chathub doctor"),
            ("chathub status", "write: chathub ctl status"),
            ("chathub clients --json", "write: chathub ctl clients"),
            ("chathub ctl help", "write: chathub ctl --help"),
            ("chathub help", "write: chathub --help"),
            ("chathub ctl ban help", "write: chathub ctl ban --help"),
            ("chathub ctl staus", "did you mean chathub ctl status?"),
            ("chathub ctl log", "did you mean chathub ctl log-level?"),
            ("chathub ctl ban 192.0.2.1", "write: chathub ctl ban add 192.0.2.1"),
            ("chathub ctl ban bot-*", "write: chathub ctl ban add 'bot-*'"),
            ("chathub ctl account bob", "write: chathub ctl account show bob"),
            ("chathub ctl report r3", "write: chathub ctl report show r3"),
            ("chathub ctl bans", "did you mean chathub ctl ban?"),
            ("chathub ctl unban bob", "write: chathub ctl ban remove"),
            ("chathub ctl users", "write: chathub ctl clients"),
            ("chathub ctl stop", "write: chathub ctl shutdown"),
            ("chathub ctl status now", "no word stands behind chathub ctl status"),
            ("chathub ctl client bob eve", "behind chathub ctl client stands WHO alone"),
            ("chathub ctl kick bob --reson x", "did you mean --reason?"),
            ("chathub ctl status --zzqq", "chathub ctl status has no options of its own"),
            ("chathub ctl lockdown --zzqq", "chathub ctl lockdown has --for D, --newcomers HOW, --off"),
            ("chathub ctl filter zzqq", "write: chathub ctl filter add zzqq"),
            ("chathub ctl sanction zzqq", "chathub ctl sanction takes list, lift, test"),
        ] {
            let told = complaint(line);
            assert!(told.ends_with(&format!("; {form}")), "{line}: {told}");
        }
    }

    /// No command has a complaint of clap's own.
    #[test]
    fn every_command_says_what_it_takes() {
        let mut all = Vec::new();
        let command = crate::cli::command();
        gather(&command, "chathub", &mut all);
        for (_, whole) in &all {
            for line in [format!("{whole} --zzqq"), format!("{whole} zzqq zzqq zzqq zzqq")] {
                let Err(error) = Cli::from_line(line.split(' ')) else { continue };
                if matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand) {
                    let told = error.to_string();
                    assert!(
                        told.starts_with("error: \"") && told.contains(" is not understood here; "),
                        "{line}: {told}"
                    );
                    assert!(told.contains(whole.as_str()), "{line}: {told}");
                }
            }
        }
    }

    #[test]
    fn the_other_programs_say_it_as_well() {
        for mut command in [WebArgs::definition(), TlsArgs::definition()] {
            let error = matches(&mut command, ["it", "--zzqq"]).expect_err("no such option");
            assert!(error.to_string().contains(" is not understood here; "), "{error}");
        }
    }
}
