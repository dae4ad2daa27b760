//! Checks of the settings files.

use super::super::facts::{Facts, Kind, Node, PROXY, Subject, TLS_PORT, Unit};
use super::super::finding::{Checked, Finding, Seen, Unseen, quoted};
use super::{FINE, one};
use crate::settings::{Encryption, Passwords, SETTINGS, Settings};
use crate::users;
use crate::values::time::Wall;
use crate::wire::admin::result::SettingsRead;

/// The most mistakes that get a finding of their own.
const MOST: usize = 20;

/// How many milliseconds a file's time may differ from the daemon's clock: file systems use a clock
/// that lags a little.
const SLACK: i64 = 20;

pub(super) fn mistakes(facts: &Facts) -> Checked {
    let Err(problems) = &facts.settings.loaded else { return FINE };
    // A running daemon goes on with the settings that it has read before.
    let now =
        if facts.daemon().is_ok() { "a reload is refused, and the next start fails" } else { "the hub does not start" };
    let mut found: Vec<Finding> = problems
        .iter()
        .take(MOST)
        .map(|problem| {
            let file = quoted(&problem.file.display().to_string());
            let line = problem.line.map_or_else(String::new, |line| format!("+{line} "));
            Finding::error(format!("{problem}: {now}"))
                .say("Correct it:")
                .run(format!("editor {line}{file}"))
                .run("chathub check-config")
        })
        .collect();
    if problems.len() > MOST {
        found.push(
            Finding::error(format!("there are {} more mistakes in the settings", problems.len() - MOST))
                .run("chathub check-config"),
        );
    }
    Ok(found)
}

/// Whether a user with this uid and gid has all of these permissions on a file (4 to read, 1 to
/// pass through).
fn may(node: &Node, (uid, gid): (u32, u32), bits: u32) -> bool {
    let shift = match node {
        node if node.uid == uid => 6,
        node if node.gid == gid => 3,
        _ => 0,
    };
    (node.mode >> shift) & bits == bits
}

pub(super) fn readable(facts: &Facts) -> Checked {
    match facts.subject {
        Subject::ByHand => return Err(Unseen::absent("this hub was not started by systemd")),
        Subject::Own => return Err(Unseen::absent("a user's own hub reads them as whoever looks does")),
        Subject::Service => {}
    }
    facts.systemd()?;
    let Some(user) = facts.accounts.user else { return Err(Unseen::hidden("the service's user is not there")) };
    let found = facts.settings.files.iter().filter_map(|node| {
        // A directory of further files must also be listed.
        let bits = match node.kind {
            Kind::Directory if Some(&node.path) == facts.settings.fragments.as_ref() => 5,
            Kind::Directory => 1,
            _ => 4,
        };
        (!may(node, user, bits)).then(|| {
            let path = quoted(&node.path.display().to_string());
            Finding::error(format!(
                "{} may not read {path} (mode {:04o}, of {}): the service does not start with it, and a reload is refused",
                facts.accounts.user_name,
                node.mode,
                users::called(node.uid)
            ))
            .run(format!("chmod {} {path}", if node.kind == Kind::Directory { "go+rx" } else { "go+r" }))
            .say("If others must not read it, let the service's group do so:")
            .run(format!("chgrp chathub {path} && chmod g+r{} {path}", if node.kind == Kind::Directory { "x" } else { "" }))
        })
    });
    Ok(found.collect())
}

pub(super) fn ignored(facts: &Facts) -> Checked {
    let files = &facts.settings.ignored;
    one(files.first().map(|first| {
        let names: Vec<_> = files.iter().take(5).map(|path| path.display().to_string()).collect();
        let to = first.with_file_name("NAME.toml");
        Finding::advice(format!(
            "not read, for their names do not end in .toml or begin with a dot: {}",
            names.join(", ")
        ))
        .say("If it is meant to count, rename it; if not, move it elsewhere:")
        .run(format!("mv {} {}", quoted(&first.display().to_string()), quoted(&to.display().to_string())))
    }))
}

pub(super) fn unused(facts: &Facts) -> Checked {
    let loaded = facts.loaded()?;
    if facts.subject == Subject::ByHand {
        return FINE;
    }
    facts.systemd()?;
    let set: Vec<String> = Settings::changes(&Settings::default(), &loaded.settings)
        .iter()
        .filter(|setting| setting.section == "listen")
        .map(|setting| match loaded.origin(setting) {
            Some((file, line)) => format!("{} ({}:{line})", setting.key, file.display()),
            None => setting.key.to_owned(),
        })
        .collect();
    one((!set.is_empty()).then(|| {
        Finding::advice(format!(
            "{} has no effect: systemd hands the sockets over, and says where they listen",
            set.join(", ")
        ))
        .say("To change the port or the address:")
        .run("systemctl edit chathub.socket")
        .run("systemctl restart chathub.socket")
    }))
}

pub(super) fn encryption(facts: &Facts) -> Checked {
    let loaded = facts.loaded()?;
    let (access, accounts) = (&loaded.settings.access, &loaded.settings.accounts);
    let demand = match (access.encryption, accounts.encryption) {
        (Encryption::Required, _) => "access.encryption",
        (_, Passwords::Required) => "accounts.encryption",
        _ => return FINE,
    };
    // Whatever carries encryption is beside the service of the machine.
    if facts.subject != Subject::Service {
        return FINE;
    }
    facts.systemd()?;
    let is_there = |name: &str| {
        let is_so = |unit: &Unit| unit.text("UnitFileState").starts_with("enabled") || unit.is("ActiveState", "active");
        facts.unit(name).is_ok_and(is_so)
    };
    if !is_there(TLS_PORT) && !is_there(PROXY) {
        let why =
            format!("{demand} demands encryption, and nobody comes encrypted: {TLS_PORT} and {PROXY} are not enabled");
        return one(Some(
            Finding::error(why)
                .say("With a certificate where chathub-tls(8) has it:")
                .run("systemctl enable --now chathub-tls.service")
                .run("systemctl restart chathub.service"),
        ));
    }
    one(access.encrypted_at.is_none().then(|| {
        Finding::advice(format!(
            "{demand} demands encryption, and access.encrypted_at does not tell people where to come"
        ))
        .say("Set it to host and port, such as \"chat.example.org:6970\":")
        .run("editor /etc/chathub/chathub.toml")
        .run("systemctl reload chathub.service")
    }))
}

fn read(facts: &Facts) -> Seen<&SettingsRead> {
    let read = facts.daemon()?.status.settings.as_ref();
    read.ok_or_else(|| Unseen::hidden("the daemon is of a version that does not tell when it read its settings"))
}

pub(super) fn changed(facts: &Facts) -> Checked {
    let at = read(facts)?.at.0;
    let is_newer = |node: &&Node| node.kind == Kind::File && node.made > Wall(at.0.saturating_add(SLACK));
    let newer: Vec<String> =
        facts.settings.files.iter().filter(is_newer).map(|node| node.path.display().to_string()).collect();
    one((!newer.is_empty()).then(|| {
        let finding = Finding::advice(format!(
            "{} was changed since the daemon read its settings: the change is not in force",
            newer.join(", ")
        ))
        .run("chathub check-config");
        match facts.subject {
            Subject::Service | Subject::Own => finding.run("systemctl reload chathub.service"),
            Subject::ByHand => {
                finding.run(format!("chathub ctl --socket {} reload", quoted(&facts.admin.path.display().to_string())))
            }
        }
    }))
}

pub(super) fn waiting(facts: &Facts) -> Checked {
    let waiting: Vec<&str> = read(facts)?
        .waiting
        .iter()
        .map(String::as_str)
        .filter(|key| SETTINGS.iter().any(|setting| setting.key == *key))
        .collect();
    one((!waiting.is_empty()).then(|| {
        let finding = Finding::advice(format!(
            "{} counts from the next start on: it was changed while the hub runs",
            waiting.join(", ")
        ));
        match facts.subject {
            Subject::Service | Subject::Own => {
                finding.run("systemctl restart chathub.service").say("Nobody who is connected notices.")
            }
            Subject::ByHand => finding.say("Start the hub again."),
        }
    }))
}
