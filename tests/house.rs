//! The rules of the house: what may stand where in `src`, read off the source.

use std::path::{Path, PathBuf};

/// A file of `src`, with comments, texts and test modules blanked out in `code`.
struct Source {
    /// From `src` on, as in `hub/mod.rs`.
    path: String,
    text: String,
    code: String,
}

impl Source {
    /// The first part of its path: the module it belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The lines of code that hold `word` as a word of its own, as `path:line: text`.
    fn lines_with(&self, word: &str) -> Vec<String> {
        let lines = self.code.lines().zip(self.text.lines()).enumerate();
        lines
            .filter(|(_, (code, _))| holds(code, word))
            .map(|(at, (_, text))| format!("{}:{}: {}", self.path, at + 1, text.trim()))
            .collect()
    }
}

/// Whether `word` stands in `code`, and is no part of a longer word.
fn holds(code: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let (starts, ends) = (word.starts_with(in_word), word.ends_with(in_word));
    code.match_indices(word).any(|(at, _)| {
        let goes_on_before = starts && code[..at].ends_with(in_word);
        let goes_on_behind = ends && code[at + word.len()..].starts_with(in_word);
        !goes_on_before && !goes_on_behind
    })
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort_unstable();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a source file");
            let path = path.strip_prefix(&root).expect("under src").to_str().expect("UTF-8").to_owned();
            let code = if path.ends_with("/tests.rs") { String::new() } else { without_tests(&bare(&text)) };
            Source { path, text, code }
        })
        .collect()
}

/// Rust with its comments and texts blanked out, line for line.
fn bare(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::new();
    let mut at = 0;
    let blank = |code: &mut String, from: usize, to: usize| {
        code.extend(text[from..to].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
    };
    while at < bytes.len() {
        let rest = &text[at..];
        let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let end = if rest.starts_with("//") {
            at + rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            at + rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with('"') {
            end_of_text(bytes, at + 1)
        } else if !after_word && (rest.starts_with("r\"") || rest.starts_with("r#") || rest.starts_with("br#")) {
            match raw_text(rest) {
                Some(length) => at + length,
                None => at,
            }
        } else if rest.starts_with("'\\") {
            // A quote that is escaped stands right behind the backslash.
            at + 3 + rest[3..].find('\'').map_or(0, |end| end + 1)
        } else if rest.starts_with('\'') && rest.chars().nth(2) == Some('\'') {
            at + 2 + rest.chars().nth(1).map_or(0, char::len_utf8)
        } else {
            at
        };
        if end > at {
            blank(&mut code, at, end);
            at = end;
        } else {
            let c = rest.chars().next().expect("there is a rest");
            code.push(c);
            at += c.len_utf8();
        }
    }
    code
}

fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// How long the raw text is that `rest` starts with, if it is one.
fn raw_text(rest: &str) -> Option<usize> {
    let open = rest.trim_start_matches(['b', 'r']);
    let hashes = open.len() - open.trim_start_matches('#').len();
    let body = open[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - body.len();
    Some(start + body.find(&close)? + close.len())
}

/// Blanks out what follows `#[cfg(test)]`: the tests stand at a file's end, or are one item.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let mut depth = 0_i32;
        let end = item
            .char_indices()
            .find(|(_, c)| {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                depth == 0 && matches!(c, '}' | ';')
            })
            .map_or(item.len(), |(at, c)| at + c.len_utf8());
        kept.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    kept + rest
}

/// Fails with the lines that break a rule.
#[track_caller]
fn none(rule: &str, lines: Vec<String>) {
    assert!(lines.is_empty(), "{rule}:\n{}", lines.join("\n"));
}

/// Modules whose results depend on nothing but what they are given.
const PURE: &[&str] = &["values", "hub", "wire", "machine", "settings"];

#[test]
fn pure_modules_touch_no_clock_file_socket_environment_thread_or_chance() {
    const OUTSIDE: &[&str] = &[
        "tokio",
        "mio",
        "async",
        "await",
        "Instant",
        "SystemTime::now",
        "std::fs",
        "std::net",
        "std::env",
        "std::thread",
        "std::process",
        "std::io::stdin",
        "std::io::stdout",
        "std::io::stderr",
        "std::os",
        "rand",
        "getrandom",
        "RandomState",
        "HashMap",
        "HashSet",
        "HashTable",
        "nix",
        "libc",
        "socket2",
        "listenfd",
        "sd_notify",
        "tracing",
        "Mutex",
        "RwLock",
    ];
    // Such a table's order is chance, too: nothing that is told may depend on it. The roster's have a key that it
    // is given, are asked for one name at a time, and are sorted before they are compared.
    const ALLOWED: &[(&str, &str)] = &[("values/roster.rs", "HashTable")];
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.module())) {
        for word in OUTSIDE.iter().filter(|word| !ALLOWED.contains(&(&*source.path, **word))) {
            found.extend(source.lines_with(word));
        }
    }
    none("src/{values,settings,hub,wire,machine} are pure", found);
}

#[test]
fn imports_go_one_way() {
    // Whom each may not import, from the one that knows least on.
    let above = [
        "hub", "wire", "machine", "config", "store", "net", "systemd", "logging", "exit", "cli", "client", "ctl",
        "serve", "doctor",
    ];
    let all = [
        "wire", "machine", "config", "store", "net", "systemd", "logging", "exit", "cli", "client", "ctl", "serve",
        "doctor",
    ];
    let rules: &[(&str, &[&str])] = &[
        (
            "values",
            &[
                "settings", "hub", "wire", "machine", "config", "store", "net", "systemd", "logging", "exit", "cli",
                "client", "ctl", "serve", "doctor",
            ],
        ),
        ("settings", &above),
        ("hub", &all),
        ("wire", &all[1..]),
        ("machine", &all[2..]),
        ("store", &["net", "client", "ctl", "serve", "cli", "doctor"]),
        ("net", &["client", "ctl", "serve", "cli", "doctor"]),
        // Other programs use it as well: it neither prints nor ends anything.
        (
            "client",
            &["machine", "config", "store", "net", "systemd", "logging", "exit", "cli", "ctl", "serve", "doctor"],
        ),
        ("ctl", &["net", "store", "serve", "doctor"]),
        ("config", &["hub", "wire", "machine", "store", "net", "client", "ctl", "serve", "doctor"]),
        ("systemd", &["net", "store", "client", "ctl", "serve", "doctor"]),
        // It looks at an installation from outside, and takes no part of the daemon with it but the store's reader.
        ("doctor", &["serve", "machine"]),
    ];
    let mut found = Vec::new();
    for source in sources() {
        let Some((_, forbidden)) = rules.iter().find(|(module, _)| *module == source.module()) else { continue };
        for other in *forbidden {
            found.extend(source.lines_with(&format!("crate::{other}")));
        }
    }
    none("values <- settings <- hub <- wire <- machine <- net, store, ctl <- serve, doctor <- main", found);
}

/// All paths that stand in a `use` tree.
fn paths(tree: &str, before: &[&str], into: &mut Vec<Vec<String>>) {
    let (path, inner) = match tree.split_once('{') {
        Some((path, inner)) => (path, inner.trim_end().strip_suffix('}')),
        None => (tree, None),
    };
    let names = path.split("::").map(|name| name.split_whitespace().next().unwrap_or_default());
    let path: Vec<&str> = before.iter().copied().chain(names.filter(|name| !name.is_empty())).collect();
    let Some(inner) = inner else { return into.push(path.iter().map(ToString::to_string).collect()) };
    let (mut depth, mut from) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            let tree = inner[from..at].trim();
            from = (at + 1).min(inner.len());
            if !tree.is_empty() {
                paths(tree, &path, into);
            }
        }
    }
}

/// A file's place in the tree of modules.
fn place(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(ToOwned::to_owned).collect()
}

/// Parts of `net` know each other in one direction: two that import each other, by however many steps between, are one.
#[test]
fn no_two_parts_of_net_import_each_other_in_a_circle() {
    let sources = sources();
    let files: Vec<(Vec<String>, &Source)> =
        sources.iter().filter(|source| source.module() == "net").map(|source| (place(&source.path), source)).collect();
    let mut reached: Vec<Vec<bool>> = vec![vec![false; files.len()]; files.len()];
    for (index, (module, source)) in files.iter().enumerate() {
        let mut found = Vec::new();
        for (at, _) in source.code.match_indices("use ") {
            if let Some(tree) = source.code[at + 4..].split(';').next() {
                paths(tree.trim(), &[], &mut found);
            }
        }
        for path in found {
            let supers = path.iter().take_while(|name| *name == "super").count();
            let whole: Vec<String> = match path.first().map(String::as_str) {
                Some("crate") => path[1..].to_vec(),
                Some("self") => module.iter().chain(&path[1..]).cloned().collect(),
                Some("super") => module[..module.len() - supers].iter().chain(&path[supers..]).cloned().collect(),
                _ => continue,
            };
            // The longest file name that the path begins with.
            let imported = (0..files.len()).filter(|other| whole.starts_with(&files[*other].0));
            if let Some(other) = imported.max_by_key(|other| files[*other].0.len())
                && files[other].0.len() > 1
            {
                reached[index][other] = true;
            }
        }
    }
    for by in 0..files.len() {
        for from in 0..files.len() {
            for to in 0..files.len() {
                reached[from][to] |= reached[from][by] && reached[by][to];
            }
        }
    }
    let mut circles = Vec::new();
    for (one, (module, source)) in files.iter().enumerate() {
        for (two, (other, its)) in files.iter().enumerate().skip(one) {
            if module.get(1) != other.get(1) && reached[one][two] && reached[two][one] {
                circles.push(format!("{} and {}", source.path, its.path));
            }
        }
    }
    none("no circles in src/net", circles);
    // The test itself sees what is imported.
    let index = |path: &str| files.iter().position(|(_, source)| source.path == path).expect("it is there");
    assert!(reached[index("net/accept.rs")][index("net/arrival.rs")]);
    assert!(reached[index("net/driver/mod.rs")][index("net/rounds/write.rs")]);
}

#[test]
fn nothing_is_unwrapped_outside_of_tests() {
    none("use expect(\"why this cannot fail\")", sources().iter().flat_map(|s| s.lines_with(".unwrap()")).collect());
}

/// What shows somebody's text to others, and where it may stand: where it was asked who is heard.
const CARRIERS: &[(&str, &[&str])] = &[
    // Also what another hub has let its people say, and which of both one of ours is that was heard.
    ("Said::Say", &["hub/peering/showing.rs"]),
    ("Said::Emote", &["hub/peering/showing.rs", "hub/peering/outbox.rs"]),
    ("Message::PrivateFrom", &[]),
    ("Message::Invitation", &[]),
    // What is changed of one that was heard, or read again.
    ("Memo {", &["hub/memo/mod.rs", "hub/memo/going.rs"]),
    // What is told of a report when it was heard.
    ("Message::Report {", &["hub/report/making.rs"]),
    ("Done::Voice", &[]),
    ("Done::YouModerate", &[]),
    ("Done::Expelled", &[]),
    ("Heard {", &[]),
    // Also what administrators set, or remove; what is read again; what tells of names that are taken and of who goes, when they are.
    (".set_topic(", &["hub/turn.rs", "hub/redaction.rs"]),
    ("Said::Topic", &["hub/rooms.rs", "hub/saved.rs"]),
    (".rename(", &["hub/turn.rs", "hub/login/outcome.rs"]),
    ("Said::Renamed", &["hub/presence.rs"]),
    ("Farewell::Quit(", &["hub/command/talk.rs", "hub/people.rs"]),
];

#[test]
fn one_place_decides_who_is_heard() {
    let mut found = Vec::new();
    let may_not = |source: &&Source| {
        source.module() == "hub" && source.path != "hub/speech.rs" && !source.path.starts_with("hub/message/")
    };
    for source in sources().iter().filter(may_not) {
        for (word, _) in CARRIERS.iter().filter(|(_, also)| !also.contains(&source.path.as_str())) {
            found.extend(source.lines_with(word));
        }
    }
    none("what shows a person's text to others is made of what Turn::heard answers, in hub/speech.rs", found);
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let bare: Vec<_> =
        sources().iter().filter(|source| !source.text.starts_with("//!")).map(|s| s.path.clone()).collect();
    none("a file begins with //!", bare.into_iter().filter(|path| !path.ends_with("/tests.rs")).collect());
}

/// By the file's name, or by that of the type it is named after: `copy_on_write` or `CopyOnWrite`.
#[test]
fn every_folder_says_what_each_of_its_files_is_for() {
    let sources = sources();
    let mut found = Vec::new();
    for folder in &sources {
        let Some(path) = folder.path.strip_suffix("mod.rs") else { continue };
        let head: String = folder.text.lines().take_while(|line| line.starts_with("//!")).collect();
        for source in &sources {
            let Some(inside) = source.path.strip_prefix(path) else { continue };
            let name = match inside.split_once('/') {
                Some((name, "mod.rs")) => name,
                Some(_) => continue,
                None => inside.trim_end_matches(".rs"),
            };
            let as_type: String =
                name.split('_').flat_map(|part| [part[..1].to_uppercase(), part[1..].into()]).collect();
            if !["mod", "tests"].contains(&name) && !holds(&head, name) && !holds(&head, &as_type) {
                found.push(format!("{path}mod.rs does not name {name}"));
            }
        }
    }
    none("a folder's mod.rs begins with a table that names each file", found);
}

#[test]
fn only_what_talks_to_a_terminal_prints() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !["ctl", "cli", "main"].contains(&source.module())) {
        for word in ["println!", "print!", "eprintln!", "eprint!", "dbg!"] {
            found.extend(source.lines_with(word));
        }
    }
    none("use tracing, or return the text", found);
}

#[test]
fn unsafe_code_stands_where_it_is_allowed_only() {
    /// Files that may hold unsafe code, each with its proof beside it.
    const ALLOWED: &[&str] = &["kernel.rs"];
    let found = sources().into_iter().filter(|source| !ALLOWED.contains(&source.path.as_str())).flat_map(|source| {
        let mut lines = source.lines_with("unsafe");
        lines.extend(source.lines_with("unsafe_code"));
        lines
    });
    none("no unsafe code", found.collect());
}

/// A loop that pauses at an error about one connection lets strangers slow it down; one that never pauses takes a whole
/// processor when descriptors have run out.
#[test]
fn whatever_accepts_connections_sorts_its_errors_as_all_do() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.path != "accepting.rs") {
        if !["Pauses", "waiting("].iter().any(|word| source.code.contains(word)) {
            found.extend([".accept(", ".accept4(", "peek_handed("].iter().flat_map(|word| source.lines_with(word)));
        }
    }
    // It declares the call, and nothing there is a loop.
    found.retain(|line| !line.starts_with("kernel.rs:"));
    none("what accepts connections asks accepting::Pauses, or turns away all who are waiting", found);
}

#[test]
fn programs_beside_the_hub_are_apart_from_it() {
    /// What is of their libraries alone. What no source of the hub names is not linked into it.
    const APART: &[&str] = &["hyper", "hyper_util", "http_body_util", "http", "rustls", "rcgen", "x509_cert"];
    /// The hub itself, of which they know the protocol and no more.
    const WITHIN: &[&str] = &["hub", "machine", "net", "store", "serve", "ctl", "config"];
    let mut found = Vec::new();
    for source in sources() {
        if source.module() != "bin" {
            found.extend(APART.iter().flat_map(|library| source.lines_with(&format!("{library}::"))));
        } else {
            found.extend(WITHIN.iter().flat_map(|module| source.lines_with(&format!("chathub::{module}"))));
        }
    }
    none("the hub has no HTTP and no handshakes, and programs beside it ask it as others do", found);
}

/// A path in the code, from `crate` on, and where it stands.
#[derive(Debug, PartialEq)]
struct Import {
    path: Vec<String>,
    line: usize,
}

/// All paths in `code` that begin with `crate::` or `super::`, also in lists of imports, and the modules that it
/// declares. `module` is the path of the module that the code is.
fn imports(code: &str, module: &[String]) -> Vec<Import> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for start in ["crate::", "super::", "mod "] {
        for (at, _) in code.match_indices(start) {
            // Of `super::super::` the first counts.
            if code[..at].ends_with(in_word) || code[..at].ends_with("::") {
                continue;
            }
            let mut base = if start == "crate::" { Vec::new() } else { module.to_vec() };
            let mut rest = &code[at..];
            while let Some(above) = rest.strip_prefix("super::") {
                base.pop();
                rest = above;
            }
            rest = rest.trim_start_matches("crate::");
            let mut paths = Vec::new();
            if let Some(declared) = rest.strip_prefix("mod ") {
                let name = declared.split(|c| !in_word(c)).next().unwrap_or_default();
                if declared[name.len()..].trim_start().starts_with(';') {
                    paths.push([base, vec![name.to_owned()]].concat());
                }
            } else {
                tree(&mut rest, &base, &mut paths);
            }
            let line = code[..at].lines().count().max(1);
            found.extend(paths.into_iter().map(|path| Import { path, line }));
        }
    }
    found
}

/// Takes one path off `rest`, or a list of them in braces, behind `base`.
fn tree(rest: &mut &str, base: &[String], paths: &mut Vec<Vec<String>>) {
    *rest = rest.trim_start();
    if let Some(list) = rest.strip_prefix('{') {
        *rest = list.trim_start();
        while !rest.is_empty() && !rest.starts_with('}') {
            let before = rest.len();
            tree(rest, base, paths);
            *rest = rest.trim_start().trim_start_matches(',').trim_start();
            assert!(rest.len() < before, "not a list of imports: {rest:.80}");
        }
        *rest = rest.strip_prefix('}').unwrap_or(rest);
        return;
    }
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(rest.len());
    let (name, behind) = rest.split_at(length);
    let path = if name == "self" { base.to_vec() } else { [base, &[name.to_owned()]].concat() };
    *rest = behind;
    if let Some(inner) = rest.strip_prefix("::")
        && !inner.starts_with('<')
    {
        *rest = inner;
        return tree(rest, &path, paths);
    }
    if let Some(alias) = rest.strip_prefix(" as ") {
        *rest = alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    }
    paths.push(path);
}

/// The module that a file is: `hub/mod.rs` is `hub`, `hub/name.rs` is `hub::name`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

#[test]
fn what_decides_what_inputs_lead_to_is_hashed() {
    /// Where what is hashed may reach and what is not hashed itself: each changes nothing of what inputs lead to.
    const CARRY_ONLY: &[(&str, &str)] = &[
        ("kernel.rs", "memory and sockets as the kernel has them; a hint to the processor"),
        ("net/connection.rs", "a socket, and what administrators are told of it"),
        ("net/exchange.rs", "hands work and reports over, in order"),
        ("net/keep/fault.rs", "dies where a test says; nothing in a release"),
        ("net/readiness.rs", "says when a socket takes more"),
    ];
    let hashed: Vec<_> = env!("CHATHUB_DECIDES").split(':').collect();
    for folder in ["src/values", "src/hub", "src/wire", "src/machine", "src/net/rounds", "src/settings", "Cargo.lock"] {
        assert!(hashed.contains(&folder), "{folder} decides, and stands in the list of build.rs");
    }
    let is_hashed = |path: &str| {
        let path = format!("src/{path}");
        hashed
            .iter()
            .any(|hashed| path.strip_prefix(hashed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let sources = sources();
    // A file that is there for tests alone is declared so.
    let for_tests = |path: &str| {
        let module = module_of(path);
        module.split_last().is_some_and(|(name, parent)| {
            let parent = sources.iter().find(|source| module_of(&source.path) == parent && source.path != "main.rs");
            parent.is_some_and(|parent| {
                let bare = bare(&parent.text);
                bare.split("#[cfg(test)]").skip(1).any(|item| item.trim_start().starts_with(&format!("mod {name};")))
            })
        })
    };
    let mut found = Vec::new();
    let mut reached = std::collections::BTreeSet::new();
    for source in sources.iter().filter(|source| is_hashed(&source.path) && !for_tests(&source.path)) {
        let module = module_of(&source.path);
        for Import { path, line } in imports(&source.code, &module) {
            // The longest part of it that is a file.
            let file = (0..=path.len()).rev().find_map(|length| {
                let path = if length == 0 { "lib".to_owned() } else { path[..length].join("/") };
                let files = [format!("{path}.rs"), format!("{path}/mod.rs")];
                sources.iter().map(|source| &source.path).find(|path| files.contains(path))
            });
            let file = file.expect("lib.rs is there");
            reached.insert(file.clone());
            if !is_hashed(file) && !CARRY_ONLY.iter().any(|(path, _)| path == file) {
                found.push(format!("{}:{line}: {} is in {file}", source.path, path.join("::")));
            }
        }
    }
    none("what is hashed imports what is hashed (DECIDES in build.rs), or what is named here with a reason", found);
    let unused = CARRY_ONLY.iter().filter(|(path, _)| !reached.contains(*path)).map(|(path, _)| (*path).to_owned());
    none("no longer reached from what is hashed", unused.collect());
}

#[test]
fn the_reader_of_sources_sees_code_only() {
    let text = "a; // b\nc \"d \\\" e\" f 'g' '\\'' h<'i> r#\"j\"#\n#[cfg(test)]\nmod tests { k { l } }\nm";
    let code = without_tests(&bare(text));
    for (word, is_code) in
        [("a", true), ("b", false), ("c", true), ("d", false), ("e", false), ("f", true), ("g", false)]
    {
        assert_eq!(holds(&code, word), is_code, "{word} in {code}");
    }
    for (word, is_code) in [("h", true), ("i", true), ("j", false), ("k", false), ("l", false), ("m", true)] {
        assert_eq!(holds(&code, word), is_code, "{word} in {code}");
    }
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(holds("use std::net::A;", "std::net") && !holds("core::network", "core::net"));
}

#[test]
fn the_reader_of_imports_sees_each_of_them() {
    let code = "use crate::a::{self, b::{C, d as e}, f::*};\nuse super::{g, H};\nmod i;\nmod j { }\n\
                x(super::super::k::l(), xcrate::m, crate::n::<O>);";
    let module = ["p".to_owned(), "q".to_owned()];
    let found: Vec<_> = imports(code, &module).iter().map(|import| import.path.join("::")).collect();
    assert_eq!(found, ["a", "a::b::C", "a::b::d", "a::f::*", "n", "p::g", "p::H", "k::l", "p::q::i"]);
    assert_eq!(imports(code, &module)[7].line, 5);
    for (path, module) in
        [("hub/mod.rs", "hub"), ("hub/name.rs", "hub::name"), ("settings.rs", "settings"), ("lib.rs", "")]
    {
        assert_eq!(module_of(path).join("::"), module);
    }
}
