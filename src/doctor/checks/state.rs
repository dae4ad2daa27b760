//! Checks of the state directory, the files in it, and the database.

use super::super::facts::{Facts, Kind, Node, Subject};
use super::super::finding::{Checked, Finding, Seen, Unseen, quoted};
use super::{FINE, bytes, one};
use crate::store::FILE;
use crate::users;

/// With less free space than this, in bytes, the hub will soon record nothing.
const LITTLE: u64 = 64 << 20;

/// How many files must still fit on the disk: the log, its index, a copy.
const FEW: u64 = 16;

/// A log larger than this, in bytes, is not written back as it should be: usually that happens at a
/// few MiB.
const LOG: u64 = 256 << 20;

/// Whether the settings ask for a record.
fn is_wanted(facts: &Facts) -> Seen<()> {
    match facts.loaded() {
        Ok(loaded) if !loaded.settings.history.persist => Err(Unseen::absent("history.persist is false")),
        _ => Ok(()),
    }
}

/// The path of the state directory, quoted for a shell.
fn path(facts: &Facts) -> Seen<String> {
    let path = facts
        .state
        .path
        .as_ref()
        .ok_or_else(|| Unseen::absent("nothing says where the state directory is (--state-dir)"))?;
    Ok(quoted(&path.display().to_string()))
}

/// Adds how to make the directory as it should be.
fn made(finding: Finding, facts: &Facts, path: &str) -> Finding {
    match facts.subject {
        Subject::Service if path == "/var/lib/chathub" => {
            finding.run("systemd-tmpfiles --create chathub.conf").run("systemctl restart chathub.service")
        }
        Subject::Service => finding
            .run(format!("install -d -o chathub -g chathub -m 0700 {path}"))
            .run("systemctl restart chathub.service"),
        Subject::Own => finding.run(format!("install -d -m 0700 {path}")).run("systemctl restart chathub.service"),
        Subject::ByHand => finding.run(format!("install -d -m 0700 {path}")),
    }
}

/// The uid that should own the files.
fn owner(facts: &Facts) -> Option<u32> {
    match facts.subject {
        Subject::Service | Subject::Own => facts.accounts.user.map(|(uid, _)| uid),
        // Whose the hub is, as far as that can be told: the owner of the directory.
        Subject::ByHand => facts.state.target.as_ref().ok().map(|dir| dir.uid),
    }
}

pub(super) fn directory(facts: &Facts) -> Checked {
    is_wanted(facts)?;
    let path = path(facts)?;
    let node = match &facts.state.node {
        Ok(node) => node,
        Err(Unseen::Absent(_)) => {
            let finding = Finding::error(format!("the state directory {path} is not there: nothing is recorded"));
            // But for the package's, a hub makes it when it starts.
            let finding = if facts.subject != Subject::Service && facts.daemon().is_err() {
                Finding::advice(finding.what)
            } else {
                finding
            };
            return one(Some(made(finding, facts, &path)));
        }
        Err(why) => return Err(why.clone()),
    };
    if node.kind != Kind::Link && node.kind != Kind::Directory {
        let finding = Finding::error(format!("{path} is no directory: nothing is recorded"))
            .say("Move it away, and make the directory:")
            .run(format!("mv {path} {path}.away"));
        return one(Some(made(finding, facts, &path)));
    }
    let target = match &facts.state.target {
        Ok(target) if target.kind == Kind::Directory => target,
        Ok(_) | Err(Unseen::Absent(_)) => {
            let finding =
                Finding::error(format!("the state directory {path} is a link to nowhere: nothing is recorded"))
                    .say("Put back what it leads to, or take the link away and make the directory:")
                    .run(format!("rm {path}"));
            return one(Some(made(finding, facts, &path)));
        }
        Err(why) => return Err(why.clone()),
    };
    let mut found = Vec::new();
    if node.kind == Kind::Link && facts.subject == Subject::Service {
        found.push(
            Finding::warning(format!("the state directory {path} is a link: the service's sandbox lets it write to the path alone, and not to where the link leads"))
                .say("Mount the other place there instead (mount --bind, or a .mount unit), or name it in a drop-in, as ReadWritePaths= and Environment=STATE_DIRECTORY=:")
                .run("systemctl edit chathub.service"),
        );
    }
    if let Some(owner) = owner(facts)
        && target.uid != owner
    {
        let (is, wanted) = (users::called(target.uid), users::called(owner));
        found.push(
            Finding::error(format!(
                "the state directory {path} is of {is}, and the hub runs as {wanted}: it cannot write there"
            ))
            .run(format!("chown -R {owner} {path}"))
            .run("systemctl restart chathub.service"),
        );
    }
    if target.mode & 0o700 != 0o700 {
        found.push(
            Finding::error(format!(
                "the state directory {path} has mode {:04o}: the hub cannot write there",
                target.mode
            ))
            .run(format!("chmod 0700 {path}")),
        );
    } else if target.mode & 0o077 != 0 {
        let severity_is_high = target.mode & 0o022 != 0;
        let what = format!(
            "others than the hub may {} the state directory {path} (mode {:04o}): what was said in private waits there, and hashes of passwords",
            if severity_is_high { "write in" } else { "look into" },
            target.mode
        );
        found.push(Finding::warning(what).run(format!("chmod 0700 {path}")));
    }
    Ok(found)
}

pub(super) fn disk(facts: &Facts) -> Checked {
    is_wanted(facts)?;
    let path = path(facts)?;
    let disk = facts.state.disk.as_ref().map_err(Clone::clone)?;
    let mut found = Vec::new();
    if disk.read_only {
        found.push(
            Finding::error(format!("the file system of {path} is read-only: nothing is recorded"))
                .say(
                    "See why (a fault of the disk, most often), and make it writable again; the hub goes on by itself:",
                )
                .run("dmesg -l err,warn | tail -n 20")
                .run(format!("mount -o remount,rw \"$(findmnt -no TARGET -T {path})\"")),
        );
    }
    let nodes = facts.state.target.iter().chain(facts.state.files.iter().flat_map(|files| files.values()));
    for node in nodes.filter(|node| node.immutable) {
        let path = quoted(&node.path.display().to_string());
        found.push(
            Finding::error(format!("{path} is immutable: nothing can be recorded there, not even by root"))
                .run(format!("chattr -i {path}")),
        );
    }
    Ok(found)
}

pub(super) fn space(facts: &Facts) -> Checked {
    is_wanted(facts)?;
    let path = path(facts)?;
    let disk = facts.state.disk.as_ref().map_err(Clone::clone)?;
    let mut found = Vec::new();
    if disk.inodes.is_some_and(|inodes| inodes < FEW) {
        found.push(
            Finding::error(format!("no more files can be made on the disk of {path} (inodes): recording stops"))
                .say("Remove files there that nobody wants; the hub goes on by itself. This counts them:")
                .run(format!("df -i {path}")),
        );
    }
    let used: u64 = facts
        .state
        .files
        .iter()
        .flat_map(|files| files.values())
        .filter(|node| is_database(node))
        .map(|node| node.size)
        .sum();
    let most = facts.loaded().map_or(0, |loaded| loaded.settings.history.keep_bytes as u64);
    let grows = most.saturating_sub(used);
    let free = disk.free;
    let see = |finding: Finding| {
        finding
            .say("Make room; what waits for the disk is then recorded by itself. Or keep less (history.keep_bytes, history.keep):")
            .run(format!("df -h {path}"))
    };
    if free < LITTLE {
        found.push(see(Finding::error(format!(
            "{} are free on the disk of {path}: recording stops, or has stopped",
            bytes(free)
        ))));
    } else if free < grows {
        found.push(see(Finding::advice(format!(
            "{} are free on the disk of {path}, and the history may still grow by {} (history.keep_bytes)",
            bytes(free),
            bytes(grows)
        ))));
    }
    Ok(found)
}

fn is_database(node: &Node) -> bool {
    node.path.file_name().is_some_and(|name| ["", "-wal", "-shm"].iter().any(|part| name == &*format!("{FILE}{part}")))
}

pub(super) fn files(facts: &Facts) -> Checked {
    let files = facts.state.files.as_ref().map_err(Clone::clone)?;
    let owner = owner(facts);
    let ours = files.values().filter(|node| is_database(node) || node.path.ends_with("lock"));
    let mut found = Vec::new();
    for node in ours {
        let path = quoted(&node.path.display().to_string());
        if let Some(owner) = owner.filter(|owner| *owner != node.uid) {
            found.push(
                Finding::error(format!(
                    "{path} is of {}, and the hub runs as {}: it cannot write there",
                    users::called(node.uid),
                    users::called(owner)
                ))
                .say("Another program has had the database open as that user, or a copy was put there:")
                .run(format!("chown {owner} {path}")),
            );
        }
        if node.mode & 0o077 != 0 && is_database(node) {
            found.push(
                Finding::warning(format!(
                    "others than the hub may read {path} (mode {:04o}), if they get into its directory",
                    node.mode
                ))
                .run(format!("chmod 0600 {path}")),
            );
        }
        if node.mode & 0o600 != 0o600 {
            found.push(
                Finding::error(format!("{path} has mode {:04o}: the hub cannot write to it", node.mode))
                    .run(format!("chmod 0600 {path}")),
            );
        }
    }
    Ok(found)
}

pub(super) fn remains(facts: &Facts) -> Checked {
    let files = facts.state.files.as_ref().map_err(Clone::clone)?;
    let mut found = Vec::new();
    // A file that was set aside is named after the database, with a reason and a time.
    let is_aside = |name: &str| {
        name.strip_prefix(FILE)
            .is_some_and(|rest| rest.starts_with('.') && !rest.starts_with(".copy-") && !rest.starts_with(".read"))
    };
    let aside: Vec<&Node> = files.iter().filter(|(name, _)| is_aside(name)).map(|(_, node)| node).collect();
    if let Some(first) = aside.first() {
        let size: u64 = aside.iter().map(|node| node.size).sum();
        let path = quoted(&first.path.display().to_string());
        found.push(
            Finding::advice(format!(
                "{} file(s) that could not be read were set aside, with {} of what was said, such as {path}",
                aside.len(),
                bytes(size)
            ))
            .say("This gets out what can be read; delete them when nobody needs that any more:")
            .run(format!("sqlite3 {path} .recover > recovered.sql"))
            .run(format!("rm {path}")),
        );
    }
    let has = |part: &str| files.contains_key(&format!("{FILE}{part}"));
    if has("-wal") && !has("") {
        found.push(
            Finding::error(format!("the database {FILE} is gone, and its log {FILE}-wal is there: bans and accounts are in neither alone"))
                .say("Put the database back from a backup before the next start; without it, the hub saves what the log has:")
                .run("systemctl stop chathub.service"),
        );
    }
    Ok(found)
}

pub(super) fn database(facts: &Facts) -> Checked {
    match facts.state.database.as_ref().map_err(Clone::clone)? {
        Ok(_) => FINE,
        Err(why) => {
            let path = path(facts)?;
            let db = format!("{path}/{FILE}");
            let finding = Finding::error(format!("the database {db} cannot be used: {why}"));
            let finding = if why.contains("newer") {
                finding
                    .say("Install the version of chathub again that wrote it, or begin a new history:")
                    .run(format!("mv {db} {db}.newer"))
            } else if why.contains("another program") {
                finding.say("Move it away; the hub begins a new one:").run(format!("mv {db} {db}.other"))
            } else {
                finding
                    .say("The hub sets it aside at its next start, saves what it can, and begins a new one. To put back a backup instead, while the hub is stopped:")
                    .run(format!("cp BACKUP {db}"))
                    .run(format!("chown --reference={path} {db}"))
            };
            one(Some(finding))
        }
    }
}

pub(super) fn damage(facts: &Facts) -> Checked {
    let Ok(seen) = facts.state.database.as_ref().map_err(Clone::clone)? else {
        return Err(Unseen::hidden("the database cannot be used"));
    };
    let Some(damage) = &seen.damage else {
        return Err(Unseen::hidden(
            "the database is too large to be looked through in a minute; \"sqlite3 FILE 'PRAGMA quick_check'\" takes as long as it needs",
        ));
    };
    let db = format!("{}/{FILE}", path(facts)?);
    one(damage.first().map(|first| {
        Finding::error(format!("the database {db} is damaged: {first}"))
            .say("Keep a copy, put back a backup, or get out what can be read, while the hub is stopped:")
            .run(format!("cp -a {db} {db}.copy"))
            .run(format!("sqlite3 {db} .recover | sqlite3 recovered.db"))
            .say("See whether the disk is at its end:")
            .run("dmesg -l err,warn | tail -n 20")
    }))
}

pub(super) fn size(facts: &Facts) -> Checked {
    let files = facts.state.files.as_ref().map_err(Clone::clone)?;
    let most = facts.loaded()?.settings.history.keep_bytes as u64;
    let of = |part: &str| files.get(&format!("{FILE}{part}")).map_or(0, |node| node.size);
    let used = match (facts.daemon(), &facts.state.database) {
        (Ok(daemon), _) => daemon.disk.as_ref().ok().and_then(|disk| Some(disk.as_ref()?.bytes)),
        (_, Ok(Ok(seen))) => Some(seen.used),
        _ => None,
    };
    let mut found = Vec::new();
    // history.keep_bytes does not count bans, accounts and messages; and a cut takes about a
    // minute.
    if let Some(used) = used.filter(|used| *used > most.saturating_add(most / 2).saturating_add(LITTLE)) {
        found.push(
            Finding::warning(format!("the history takes {} of the disk, and may take {} (history.keep_bytes)", bytes(used), bytes(most)))
                .say("The hub cuts it by itself while it runs, unless the disk takes nothing, or another program reads the file in a transaction that does not end:")
                .run("chathub ctl history-stats"),
        );
    }
    if of("-wal") > LOG {
        let db = format!("{}/{FILE}", path(facts)?);
        found.push(
            Finding::warning(format!(
                "the log of the database has {}: something keeps it from being written back",
                bytes(of("-wal"))
            ))
            .say("A backup, or another program that has the file open; see which:")
            .run(format!("fuser -v {db} {db}-wal")),
        );
    }
    Ok(found)
}
