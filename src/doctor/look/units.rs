//! Looks at the service manager: its version, its state of the units, and the units' files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::facts::{Kind, Manager, Systemd, UNITS, Unit, UnitFile};
use super::super::finding::{Seen, Unseen};
use super::files;
use super::program::ask;

/// Where a service manager finds units (systemd.unit(5)).
struct Places {
    /// Those of packages.
    packaged: [&'static str; 2],
    /// Those of administrators, users and programs.
    changed: Vec<PathBuf>,
}

impl Places {
    fn of(manager: Manager) -> Self {
        match manager {
            Manager::System => Self {
                packaged: ["/usr/lib/systemd/system", "/lib/systemd/system"],
                changed: ["/etc/systemd/system", "/run/systemd/system"].map(PathBuf::from).into(),
            },
            Manager::User => {
                let own = super::own_dir("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("systemd/user"));
                let now = super::variable("XDG_RUNTIME_DIR").map(|dir| dir.join("systemd/user"));
                let all = ["/etc/systemd/user", "/run/systemd/user"].map(PathBuf::from);
                Self {
                    packaged: ["/usr/lib/systemd/user", "/lib/systemd/user"],
                    changed: own.into_iter().chain(now).chain(all).collect(),
                }
            }
        }
    }
}

/// The longest unit file that is read, in bytes.
const MOST: u64 = 1024 * 1024;

pub(super) fn look(manager: Manager) -> Seen<Systemd> {
    // As sd_booted(3) has it.
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(Unseen::absent("systemd does not run this machine"));
    }
    let whose = match manager {
        Manager::System => "--system",
        Manager::User => "--user",
    };
    // With what is empty: a drop-in may have emptied it.
    let mut args = vec![whose, "show", "--no-pager", "--all"];
    args.extend(UNITS);
    let units = read(&ask("systemctl", &args)?);
    let version = ask("systemctl", &[whose, "show", "--no-pager", "--property=Version"])?;
    let places = Places::of(manager);
    let units = units
        .into_iter()
        .filter_map(|properties| {
            let name = properties.get("Id")?.clone();
            let mut unit = Unit { name: name.clone(), properties, ..Unit::default() };
            find_files(&mut unit, &places);
            Some((name, unit))
        })
        .collect();
    Ok(Systemd { version: number(&version), units })
}

/// The version in `Version=252 (252.39-1~deb12u2)`, also `252.39-1~deb12u2`.
fn number(text: &str) -> Option<u32> {
    let text = text.trim().trim_start_matches("Version=").trim_start_matches('v');
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Reads what `systemctl show` prints of several units: properties by name, with an empty line
/// between two units.
fn read(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut units = vec![BTreeMap::<String, String>::new()];
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else {
            if line.is_empty() && units.last().is_some_and(|unit| !unit.is_empty()) {
                units.push(BTreeMap::new());
            }
            continue;
        };
        let unit = units.last_mut().expect("there is always one");
        unit.entry(name.to_owned())
            .and_modify(|before| {
                before.push('\n');
                before.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    units.retain(|unit| !unit.is_empty());
    units
}

/// Reads the files that a unit consists of.
fn find_files(unit: &mut Unit, places: &Places) {
    // That of a unit that is masked is a link to /dev/null.
    if !unit.is_loaded() {
        return;
    }
    let fragment = unit.text("FragmentPath").to_owned();
    let drop_ins: Vec<PathBuf> = unit.text("DropInPaths").split_whitespace().map(PathBuf::from).collect();
    let fragment = (!fragment.is_empty()).then(|| PathBuf::from(fragment));
    unit.files = fragment.iter().chain(&drop_ins).map(|path| unit_file(path)).collect();
    unit.unread = drop_ins_of(&unit.name, places)
        .into_iter()
        // A drop-in in one directory hides one of the same name in another.
        .filter(|path| !drop_ins.iter().any(|known| known.file_name() == path.file_name()))
        .collect();
    let is_packaged = |path: &Path| places.packaged.iter().any(|dir| path.starts_with(dir));
    if let Some(fragment) = fragment.filter(|path| !is_packaged(path)) {
        let mut packaged = places.packaged.iter().map(|dir| Path::new(dir).join(&unit.name));
        let packaged = packaged.find(|path| path.exists() && *path != fragment);
        unit.packaged = packaged.map(|path| unit_file(&path));
    }
}

/// The drop-ins that are there for a unit. systemd 252 does not notice the first one that is written for it.
fn drop_ins_of(name: &str, places: &Places) -> Vec<PathBuf> {
    let dirs = places.changed.iter().cloned().chain(places.packaged.map(PathBuf::from));
    let dirs = dirs.map(|dir| dir.join(format!("{name}.d")));
    let entries = dirs.flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .filter(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")))
        .collect();
    found.sort_unstable();
    found
}

fn unit_file(path: &Path) -> UnitFile {
    let node = files::followed(path).ok();
    let text = node
        .as_ref()
        .filter(|node| node.kind == Kind::File && node.size <= MOST)
        .and_then(|_| std::fs::read_to_string(path).ok());
    let lines = text.map(|text| lines(&text)).unwrap_or_default();
    UnitFile { path: path.to_owned(), made: node.map(|node| node.made), lines }
}

/// The assignments in a unit file (systemd.syntax(7)): the line, from 1, the name, and the value.
fn lines(text: &str) -> Vec<(usize, String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (line, continued) = line.strip_suffix('\\').map_or((line, false), |line| (line, true));
        if goes_on {
            if let Some((_, _, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once('=') {
            found.push((at + 1, name.trim().to_owned(), value.trim().to_owned()));
        }
        goes_on = continued && !found.is_empty();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_shows_is_read_unit_by_unit() {
        let text =
            "Id=a.socket\nListen=[::]:1 (Stream)\nListen=/run/x (Stream)\nEnvironment=A=b\n\nId=b.service\nExecStop=\n";
        let units = read(text);
        assert_eq!(units.len(), 2);
        assert_eq!(units[0]["Listen"], "[::]:1 (Stream)\n/run/x (Stream)");
        assert_eq!((&*units[0]["Environment"], &*units[1]["ExecStop"]), ("A=b", ""));
        assert!(read("").is_empty());
    }

    #[test]
    fn the_version_of_systemd_is_the_first_number() {
        for (text, version) in [
            ("Version=252 (252.39-1~deb12u2)", Some(252)),
            ("Version=252.39-1~deb12u2\n", Some(252)),
            ("Version=v257.4", Some(257)),
            ("Version=", None),
        ] {
            assert_eq!(number(text), version, "{text}");
        }
    }

    #[test]
    fn a_unit_file_is_read_line_by_line() {
        let text = "# comment\n[Service]\nType = simple\n; another\nExecStart=/bin/a \\\n  b\nExecStop=\n";
        let found = lines(text);
        let of = |at: usize, name: &str, value: &str| (at, name.to_owned(), value.to_owned());
        assert_eq!(found, [of(3, "Type", "simple"), of(5, "ExecStart", "/bin/a b"), of(7, "ExecStop", "")]);
    }
}
