//! Tests of the checks: on a healthy installation they find nothing; in each scene something is
//! broken, and the right check finds it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::checks::CHECKS;
use super::facts::*;
use super::finding::{Severity, Step, Unseen};
use super::report::Report;
use super::{facts, print};
use crate::config::{Loaded, Problem};
use crate::exit::Exit;
use crate::logging::ids;
use crate::settings::{Encryption, Passwords};
use crate::standing::{Certificate, Standing};
use crate::store::Examined;
use crate::values::time::Wall;
use crate::wire::admin::result::{AdminConnection, DiskHistory, DiskRoom, Lockdown, SettingsRead, Status};
use crate::wire::admin::value::Time;

const NOW: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;
/// A day in seconds.
const DAY: u64 = 86_400;

const EXEC: &str = "{ path=/usr/bin/chathub ; argv[]=/usr/bin/chathub serve ; ignore_errors=no ; start_time=[n/a] }";
const STOP: &str = "{ path=/usr/bin/chathub ; argv[]=/usr/bin/chathub ctl shutdown --if-stopping=chathub.service ; \
                    ignore_errors=yes ; start_time=[n/a] }";
const AFTER: &str = "{ path=/usr/lib/chathub/after-stop ; argv[]=/usr/lib/chathub/after-stop ; ignore_errors=yes }";

fn unit(name: &str, properties: &[(&str, &str)]) -> (String, Unit) {
    let common = [
        ("Id", name),
        ("LoadState", "loaded"),
        ("ActiveState", "active"),
        ("UnitFileState", "enabled"),
        ("Result", "success"),
        ("NeedDaemonReload", "no"),
    ];
    let all = common.iter().chain(properties).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let path = PathBuf::from(format!("/usr/lib/systemd/system/{name}"));
    // The unit files of the package, as they are shipped.
    let text = match name {
        SERVICE => include_str!("../../systemd/chathub.service"),
        CHAT => include_str!("../../systemd/chathub.socket"),
        ADMIN => include_str!("../../systemd/chathub-admin.socket"),
        METRICS => include_str!("../../systemd/chathub-metrics.socket"),
        WEB => include_str!("../../systemd/chathub-web.service"),
        TLS_PORT => include_str!("../../systemd/chathub-tls.socket"),
        TLS => include_str!("../../systemd/chathub-tls.service"),
        HANDOVER => include_str!("../../systemd/chathub-handover.socket"),
        PROXY => include_str!("../../systemd/chathub-proxy.socket"),
        _ => include_str!("../../systemd/chathub-monitor.socket"),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).filter_map(|(at, line)| {
        let (key, value) = line.split_once('=')?;
        Some((at + 1, key.to_owned(), value.to_owned()))
    });
    let file = UnitFile { path, made: Some(Wall(NOW - 100 * HOUR)), lines: lines.collect() };
    (
        name.to_owned(),
        Unit { name: name.to_owned(), properties: all, files: vec![file], packaged: None, unread: Vec::new() },
    )
}

fn socket(name: &str, listen: &str, descriptor: &str) -> (String, Unit) {
    let service = match name {
        METRICS => WEB,
        TLS_PORT => TLS,
        _ => SERVICE,
    };
    unit(
        name,
        &[
            ("Listen", listen),
            ("Accept", "no"),
            ("FileDescriptorName", descriptor),
            ("Triggers", service),
            ("TriggerLimitBurst", "1000"),
            ("TriggerLimitIntervalUSec", "2s"),
            ("DeferAcceptUSec", "0"),
            ("Backlog", "1024"),
        ],
    )
}

fn node(path: &str, kind: Kind, mode: u32, uid: u32) -> Node {
    Node { path: path.into(), kind, mode, uid, gid: uid, size: 4096, made: Wall(NOW - 100 * HOUR), immutable: false }
}

/// The uid and gid of the service's user.
const CHATHUB: u32 = 998;
const ADMINS: u32 = 997;

fn status() -> Status {
    serde_json::from_value(json!({
        "state": "serving", "version": "1.2.3", "pid": 4711, "since": Time(Wall(NOW - HOUR)), "uptime_s": 3600,
        "clients": 3, "clients_peak": 5, "clients_max": 10_000, "rooms": 1, "rooms_max": 1000, "history_lines": 10,
        "listeners": [{"name": "chat", "addr": "[::]:6969"}, {"name": "proxy", "addr": "127.0.0.1:6972"}, {"name": "admin", "addr": "/run/chathub/admin.sock"},
                      {"name": "monitor", "addr": "/run/chathub/monitor.sock"}],
        "activated": true, "survival": "on: no restart yet", "recording": "on: /var/lib/chathub/chathub.db",
        "log_level": "info", "counters": {"history_lost": 0, "accept_pauses": 0, "unkept": 0},
        "settings": {"at": Time(Wall(NOW - HOUR)), "waiting": []},
    }))
    .expect("a status")
}

fn disk() -> DiskHistory {
    DiskHistory {
        file: "/var/lib/chathub/chathub.db".into(),
        lines: 10,
        bytes: 65536,
        indexed_to: None,
        waiting_bytes: 0,
        lost: 0,
        trouble: None,
        set_aside: None,
        rooms: vec![DiskRoom {
            room: "lobby".into(),
            lines: 10,
            oldest: Time(Wall(NOW - 2 * HOUR)),
            newest: Time(Wall(NOW - HOUR)),
        }],
    }
}

/// A machine with Debian 13 and the package, freshly installed, without a mistake.
fn healthy() -> Facts {
    let service = unit(
        SERVICE,
        &[
            ("SubState", "running"),
            ("MainPID", "4711"),
            ("NRestarts", "0"),
            ("ExecMainCode", "0"),
            ("ExecMainStatus", "0"),
            ("Type", "notify"),
            ("NotifyAccess", "main"),
            ("FileDescriptorStoreMax", "8"),
            ("FileDescriptorStorePreserve", "restart"),
            ("Restart", "on-failure"),
            ("RestartForceExitStatus", "75"),
            ("SuccessExitStatus", "75"),
            ("RestartPreventExitStatus", "2 69 78"),
            ("StartLimitIntervalUSec", "0"),
            ("KillMode", "control-group"),
            ("PrivateNetwork", "yes"),
            ("DynamicUser", "no"),
            ("User", "chathub"),
            ("Group", "chathub"),
            ("ExecStart", EXEC),
            ("ExecReload", "{ path=/usr/bin/chathub ; argv[]=/usr/bin/chathub ctl reload ; ignore_errors=no }"),
            ("ExecStop", STOP),
            ("ExecStopPost", AFTER),
            ("Requires", "chathub.socket sysinit.target system.slice chathub-admin.socket"),
            ("Environment", "STATE_DIRECTORY=/var/lib/chathub"),
            ("StateDirectory", ""),
            ("ProtectSystem", "strict"),
            ("ReadWritePaths", "-/var/lib/chathub"),
            ("LimitNOFILE", "65536"),
            ("MemoryMax", "68719476736"),
        ],
    );
    let units = [
        service,
        socket(CHAT, "[::]:6969 (Stream)", "chat"),
        socket(ADMIN, "/run/chathub/admin.sock (Stream)", "admin"),
        socket(MONITOR, "/run/chathub/monitor.sock (Stream)", "monitor"),
        socket(METRICS, "127.0.0.1:9969 (Stream)", "metrics"),
        unit(WEB, &[("UnitFileState", "static"), ("ActiveState", "inactive")]),
        socket(TLS_PORT, "[::]:6970 (Stream)", "tls"),
        unit(TLS, &[]),
        socket(HANDOVER, "/run/chathub/handover.sock (Datagram)", "handover"),
        socket(PROXY, "127.0.0.1:6972 (Stream)", "proxy"),
    ];
    let state = "/var/lib/chathub";
    let files = ["chathub.db", "chathub.db-wal", "chathub.db-shm", "lock"]
        .map(|name| (name.to_owned(), node(&format!("{state}/{name}"), Kind::File, 0o600, CHATHUB)));
    let daemon = Daemon {
        status: status(),
        disk: Ok(Some(disk())),
        reports: Ok(vec![("r1".into(), Duration::from_secs(3600))]),
    };
    Facts {
        subject: Subject::Service,
        is_root: true,
        now: Wall(NOW),
        program: Program { version: "1.2.3".into(), made: Some(Wall(NOW - 1000 * HOUR)) },
        systemd: Ok(Systemd { version: Some(257), units: units.into() }),
        listening: Ok(vec![Listening {
            addr: "[::]:6969".parse().expect("an address"),
            uid: 0,
            owner: Some(Process { pid: 1, name: "systemd".into(), line: "/sbin/init".into() }),
        }]),
        hubs: Ok(vec![hub(4711, "/usr/bin/chathub serve")]),
        admin: Place {
            path: "/run/chathub/admin.sock".into(),
            node: Ok(Node { gid: ADMINS, ..node("/run/chathub/admin.sock", Kind::Socket, 0o660, 0) }),
            dir: Ok(node("/run/chathub", Kind::Directory, 0o755, 0)),
        },
        accounts: Accounts {
            user: Some((CHATHUB, CHATHUB)),
            user_name: "chathub".into(),
            admins: Some(ADMINS),
            monitors: Some(996),
        },
        state: State {
            path: Some(state.into()),
            node: Ok(node(state, Kind::Directory, 0o700, CHATHUB)),
            target: Ok(node(state, Kind::Directory, 0o700, CHATHUB)),
            disk: Ok(Disk { free: 100 << 30, inodes: Some(1_000_000), read_only: false }),
            files: Ok(files.into()),
            database: Err(Unseen::absent("the daemon has it open")),
        },
        settings: facts::Settings {
            loaded: Ok(Loaded::default()),
            files: vec![
                node("/etc/chathub", Kind::Directory, 0o755, 0),
                node("/etc/chathub/chathub.toml", Kind::File, 0o644, 0),
                node("/etc/chathub/conf.d", Kind::Directory, 0o755, 0),
            ],
            fragments: Some("/etc/chathub/conf.d".into()),
            ignored: Vec::new(),
        },
        machine: Machine {
            wmem_max: Ok(212_992),
            rmem_max: Ok(212_992),
            somaxconn: Ok(4096),
            file_max: Ok(1 << 40),
            memory: Ok(128 << 30),
            clock_is_right: Ok(true),
        },
        scripts: Ok(vec![node("/usr/lib/chathub/after-stop", Kind::File, 0o755, 0)]),
        tls: tls(),
        journal: Ok(Journal { reachable: true, kept: true, events: Ok(Vec::new()) }),
        daemon: Ok(Ok(daemon)),
        process: Ok(Running { pid: 4711, descriptors: Ok(65536), program: Ok("/usr/bin/chathub".into()) }),
        lingers: Err(Unseen::absent("it is no user's own")),
    }
}

/// Two certificates that have been in use for some time and expire in 60 days.
fn tls() -> Tls {
    let now = u64::try_from(NOW / 1000).expect("after 1970");
    let certificate = |name: &str| Certificate { name: name.into(), from: now - 30 * DAY, until: now + 60 * DAY };
    let standing = Standing {
        written: now - 3,
        serves: true,
        read: now - 3600,
        certificates: vec![certificate("chat.example.org"), certificate("192.0.2.7")],
        ..Standing::default()
    };
    let files = ["cert.pem", "key.pem"].map(|name| node(&format!("/etc/chathub/tls/{name}"), Kind::File, 0o600, 0));
    Tls { standing: Ok(standing), files: Ok(files.into()), unusable: Ok(Vec::new()) }
}

fn standing(facts: &mut Facts) -> &mut Standing {
    facts.tls.standing.as_mut().expect("it stands")
}

/// Makes the second certificate expire in this many seconds from now; in the past if negative.
fn ends(facts: &mut Facts, seconds: i64) {
    standing(facts).certificates[1].until = u64::try_from(NOW / 1000 + seconds).expect("after 1970");
}

/// A certificate's file was written after `chathub-tls` had read it.
fn renewed(facts: &mut Facts) {
    facts.tls.files.as_mut().expect("files")[0].made = Wall(NOW - 60_000);
}

/// The certificate and the key on disk do not belong together.
fn halved(facts: &mut Facts) {
    renewed(facts);
    let problem = "/etc/chathub/tls/key.pem: this is not the key of the certificate in /etc/chathub/tls/cert.pem";
    facts.tls.unusable = Ok(vec![problem.into()]);
}

fn hub(pid: u32, line: &str) -> Process {
    Process { pid, name: "chathub".into(), line: line.into() }
}

// -- the ways to break it --------------------------------------------------------------------

fn unit_of<'a>(facts: &'a mut Facts, name: &str) -> &'a mut Unit {
    facts.systemd.as_mut().expect("systemd").units.get_mut(name).expect("a unit")
}

/// Sets a property, as a drop-in would.
fn set(facts: &mut Facts, name: &str, property: &str, value: &str) {
    unit_of(facts, name).properties.insert(property.into(), value.into());
}

/// Adds a drop-in with this directive, which systemd has not applied to the property.
fn written(facts: &mut Facts, name: &str, directive: &str, value: &str) {
    let lines = vec![(2, directive.to_owned(), value.to_owned())];
    let path = format!("/etc/systemd/system/{name}.d/a.conf").into();
    unit_of(facts, name).files.push(UnitFile { path, made: None, lines });
}

fn daemon(facts: &mut Facts) -> &mut Daemon {
    facts.daemon.as_mut().expect("asked").as_mut().expect("it answers")
}

/// Stops the service.
fn stopped(facts: &mut Facts) {
    set(facts, SERVICE, "ActiveState", "inactive");
    facts.daemon = Err(Unseen::absent("the service is inactive"));
    facts.process = Err(Unseen::absent("no daemon runs"));
    facts.hubs = Ok(Vec::new());
    facts.state.files.as_mut().expect("files").retain(|name, _| name == "chathub.db");
    facts.state.database =
        Ok(Ok(Examined { version: 9, damage: Some(Vec::new()), used: 65536, newest: Some(Wall(NOW - HOUR)) }));
}

/// It has been stopped for good, and other ways to it have been forgotten.
fn given_up(facts: &mut Facts) {
    stopped(facts);
    for name in [CHAT, ADMIN, SERVICE] {
        set(facts, name, "UnitFileState", "disabled");
        set(facts, name, "ActiveState", "inactive");
    }
}

fn failed(facts: &mut Facts, code: &str) {
    stopped(facts);
    set(facts, SERVICE, "ActiveState", "failed");
    set(facts, SERVICE, "Result", "exit-code");
    set(facts, SERVICE, "ExecMainCode", "1");
    set(facts, SERVICE, "ExecMainStatus", code);
}

/// Facts about a hub that was started by hand in `/home/ann/hub`.
fn by_hand(facts: &mut Facts) {
    facts.subject = Subject::ByHand;
    facts.systemd = Err(Unseen::absent("systemd does not run this machine"));
    facts.journal = Err(Unseen::absent("not by systemd"));
    facts.scripts = Err(Unseen::absent("not by systemd"));
    facts.accounts = Accounts { user_name: "chathub".into(), ..Accounts::default() };
    facts.admin.node = Ok(node("/home/ann/hub/admin.sock", Kind::Socket, 0o600, 1000));
    facts.admin.dir = Ok(node("/home/ann/hub", Kind::Directory, 0o755, 1000));
    facts.admin.path = "/home/ann/hub/admin.sock".into();
    let nodes = facts.state.files.as_mut().expect("files").values_mut();
    nodes.chain(facts.state.node.as_mut()).chain(facts.state.target.as_mut()).for_each(|node| node.uid = 1000);
    facts.state.path = Some("/home/ann/hub/state".into());
    daemon(facts).status.activated = false;
    daemon(facts).status.survival = "off: clients are told goodbye when the daemon stops".into();
}

/// That of the user ann, by the units that are shipped for a user's service manager.
fn own(facts: &mut Facts) {
    const RELOAD: &str = "{ path=/usr/bin/chathub ; argv[]=/usr/bin/chathub ctl --socket /run/user/1000/chathub/admin.sock \
                          reload ; ignore_errors=no }";
    facts.subject = Subject::Own;
    facts.is_root = false;
    facts.lingers = Ok(true);
    for name in UNITS {
        let unit = unit_of(facts, name);
        unit.files[0].path = format!("/usr/lib/systemd/user/{name}").into();
        if ![SERVICE, CHAT, ADMIN].contains(&name) {
            set(facts, name, "LoadState", "not-found");
        }
    }
    set(facts, CHAT, "Listen", "127.0.0.1:6971 (Stream)\n[::1]:6971 (Stream)");
    set(facts, ADMIN, "Listen", "/run/user/1000/chathub/admin.sock (Stream)");
    for (property, value) in [
        ("User", ""),
        ("Group", ""),
        ("PrivateNetwork", "no"),
        ("RestrictAddressFamilies", "AF_UNIX"),
        ("ProtectSystem", "no"),
        ("ReadWritePaths", ""),
        ("Environment", "CHATHUB_RESTARTS=/run/user/1000/chathub-restarts"),
        ("ExecReload", RELOAD),
        ("LimitNOFILE", "524288"),
    ] {
        set(facts, SERVICE, property, value);
    }
    facts.accounts = Accounts { user: Some((1000, 1000)), user_name: "ann".into(), ..Accounts::default() };
    facts.admin = Place {
        path: "/run/user/1000/chathub/admin.sock".into(),
        node: Ok(node("/run/user/1000/chathub/admin.sock", Kind::Socket, 0o600, 1000)),
        dir: Ok(node("/run/user/1000/chathub", Kind::Directory, 0o700, 1000)),
    };
    let nodes = facts.state.files.as_mut().expect("files").values_mut();
    nodes.chain(facts.state.node.as_mut()).chain(facts.state.target.as_mut()).for_each(|node| node.uid = 1000);
    facts.state.path = Some("/home/ann/.local/state/chathub".into());
    facts.settings.files = vec![
        node("/home/ann/.config/chathub", Kind::Directory, 0o700, 1000),
        node("/home/ann/.config/chathub/chathub.toml", Kind::File, 0o600, 1000),
    ];
    facts.settings.fragments = Some("/home/ann/.config/chathub/conf.d".into());
    facts.hubs = Ok(vec![hub(4711, "/usr/bin/chathub serve"), hub(99, "/usr/bin/chathub serve")]);
}

type Break = fn(&mut Facts);

/// The id of a check, the severity it must report, and a break that it must find.
const SCENES: &[(&str, Severity, Break)] = &[
    ("systemd-version", Severity::Warning, |f| f.systemd.as_mut().expect("systemd").version = Some(249)),
    ("units-installed", Severity::Error, |f| {
        for name in UNITS {
            set(f, name, "LoadState", "not-found");
        }
    }),
    ("units-installed", Severity::Error, |f| set(f, ADMIN, "LoadState", "masked")),
    ("units-installed", Severity::Error, |f| set(f, CHAT, "LoadState", "bad-setting")),
    ("units-installed", Severity::Error, |f| drop(f.systemd.as_mut().expect("systemd").units.remove(SERVICE))),
    ("units-enabled", Severity::Warning, |f| set(f, CHAT, "UnitFileState", "disabled")),
    ("units-enabled", Severity::Advice, |f| set(f, SERVICE, "UnitFileState", "disabled")),
    ("units-enabled", Severity::Advice, |f| {
        given_up(f);
        for name in [PROXY, HANDOVER] {
            set(f, name, "ActiveState", "inactive");
        }
    }),
    ("units-enabled", Severity::Warning, given_up),
    ("units-linger", Severity::Advice, |f| {
        own(f);
        f.lingers = Ok(false);
    }),
    ("units-active", Severity::Error, |f| {
        set(f, CHAT, "ActiveState", "failed");
        set(f, CHAT, "Result", "resources");
        f.listening = Ok(Vec::new());
    }),
    ("units-active", Severity::Error, |f| set(f, ADMIN, "ActiveState", "inactive")),
    ("units-reload", Severity::Warning, |f| set(f, CHAT, "NeedDaemonReload", "yes")),
    ("units-reload", Severity::Warning, |f| {
        unit_of(f, SERVICE).unread = vec!["/etc/systemd/system/chathub.service.d/first.conf".into()];
    }),
    ("units-copied", Severity::Warning, |f| copy(f, NOW - 300 * HOUR)),
    ("units-copied", Severity::Advice, |f| copy(f, NOW)),
    ("service-failed", Severity::Error, |f| failed(f, "78")),
    ("service-failed", Severity::Error, |f| failed(f, "203")),
    ("service-failed", Severity::Error, |f| failed(f, "217")),
    ("service-failed", Severity::Error, |f| failed(f, "226")),
    ("service-failed", Severity::Error, |f| failed(f, "238")),
    ("service-failed", Severity::Error, |f| failed(f, "2")),
    ("service-failed", Severity::Error, |f| failed(f, "69")),
    ("service-failed", Severity::Error, |f| failed(f, "42")),
    ("service-failed", Severity::Error, |f| {
        failed(f, "203");
        set(f, SERVICE, "ActiveState", "deactivating");
        set(f, SERVICE, "SubState", "stop-post");
    }),
    ("service-failed", Severity::Error, |f| {
        failed(f, "9");
        set(f, SERVICE, "ExecMainCode", "2");
        set(f, SERVICE, "Result", "oom-kill");
    }),
    ("service-restarts", Severity::Warning, |f| set(f, SERVICE, "NRestarts", "12")),
    ("service-type", Severity::Error, |f| set(f, SERVICE, "Type", "simple")),
    ("service-notify-access", Severity::Error, |f| set(f, SERVICE, "NotifyAccess", "none")),
    ("service-notify-access", Severity::Warning, |f| set(f, SERVICE, "NotifyAccess", "all")),
    ("service-descriptor-store", Severity::Error, |f| set(f, SERVICE, "FileDescriptorStoreMax", "0")),
    ("service-descriptor-preserve", Severity::Warning, |f| set(f, SERVICE, "FileDescriptorStorePreserve", "yes")),
    ("service-restart", Severity::Error, |f| set(f, SERVICE, "Restart", "no")),
    ("service-restart", Severity::Warning, |f| set(f, SERVICE, "Restart", "always")),
    ("service-restart", Severity::Warning, |f| set(f, SERVICE, "Restart", "on-abort")),
    ("service-restart-forced", Severity::Error, |f| set(f, SERVICE, "RestartForceExitStatus", "")),
    ("service-restart-forced", Severity::Warning, |f| set(f, SERVICE, "SuccessExitStatus", "")),
    ("service-restart-prevented", Severity::Warning, |f| set(f, SERVICE, "RestartPreventExitStatus", "2 69")),
    ("service-start-limit", Severity::Warning, |f| set(f, SERVICE, "StartLimitIntervalUSec", "10s")),
    ("service-watchdog", Severity::Warning, |f| written(f, SERVICE, "WatchdogSec", "0")),
    ("service-watchdog", Severity::Warning, |f| written(f, SERVICE, "WatchdogSec", "infinity")),
    ("service-watchdog", Severity::Warning, |f| written(f, SERVICE, "WatchdogSec", "")),
    ("service-watchdog", Severity::Warning, |f| written(f, SERVICE, "WatchdogSec", "3")),
    ("service-kill-mode", Severity::Error, |f| set(f, SERVICE, "KillMode", "none")),
    ("service-network", Severity::Warning, |f| {
        own(f);
        set(f, SERVICE, "RestrictAddressFamilies", "AF_INET AF_UNIX");
    }),
    ("service-network", Severity::Warning, |f| set(f, SERVICE, "PrivateNetwork", "no")),
    ("service-user", Severity::Warning, |f| set(f, SERVICE, "DynamicUser", "yes")),
    ("service-user", Severity::Error, |f| set(f, SERVICE, "User", "root")),
    ("service-user", Severity::Warning, |f| set(f, SERVICE, "User", "ann")),
    ("service-start", Severity::Warning, |f| {
        set(f, SERVICE, "ExecStart", "{ path=/bin/sh ; argv[]=/bin/sh -c chathub ; }")
    }),
    ("service-reload", Severity::Warning, |f| {
        set(f, SERVICE, "ExecReload", "{ path=/bin/kill ; argv[]=/bin/kill -HUP $MAINPID ; }")
    }),
    ("service-stop", Severity::Warning, |f| set(f, SERVICE, "ExecStop", "")),
    ("service-after-stop", Severity::Warning, |f| set(f, SERVICE, "ExecStopPost", "")),
    ("service-requires", Severity::Warning, |f| set(f, SERVICE, "Requires", "chathub.socket")),
    ("service-state", Severity::Error, |f| set(f, SERVICE, "Environment", "")),
    ("service-state", Severity::Warning, |f| set(f, SERVICE, "StateDirectory", "chathub")),
    ("service-state", Severity::Error, |f| set(f, SERVICE, "ReadWritePaths", "/var/lib/chathub2")),
    ("service-account", Severity::Error, |f| f.accounts.user = None),
    ("service-account", Severity::Warning, |f| f.scripts = Ok(Vec::new())),
    ("service-account", Severity::Warning, |f| f.scripts.as_mut().expect("scripts")[0].mode = 0o644),
    ("socket-accept", Severity::Error, |f| set(f, CHAT, "Accept", "yes")),
    ("socket-name", Severity::Error, |f| set(f, CHAT, "FileDescriptorName", "cat")),
    ("socket-name", Severity::Error, |f| set(f, ADMIN, "FileDescriptorName", "chathub-admin.socket")),
    ("socket-name", Severity::Error, |f| set(f, PROXY, "FileDescriptorName", "proxies")),
    ("socket-name", Severity::Error, |f| set(f, HANDOVER, "FileDescriptorName", "hand-over")),
    ("socket-name", Severity::Error, |f| set(f, METRICS, "FileDescriptorName", "chathub-metrics")),
    ("socket-name", Severity::Error, |f| set(f, TLS_PORT, "FileDescriptorName", "chat")),
    ("socket-service", Severity::Error, |f| set(f, TLS_PORT, "Triggers", SERVICE)),
    ("socket-service", Severity::Error, |f| set(f, ADMIN, "Triggers", "chathub-admin.service")),
    ("socket-trigger-limit", Severity::Warning, |f| set(f, CHAT, "TriggerLimitBurst", "20")),
    ("socket-defer", Severity::Error, |f| set(f, CHAT, "DeferAcceptUSec", "5s")),
    ("socket-monitor", Severity::Warning, |f| set(f, MONITOR, "ActiveState", "inactive")),
    ("socket-monitor", Severity::Warning, |f| drop(daemon(f).status.listeners.pop())),
    ("socket-monitor", Severity::Error, |f| f.accounts.monitors = None),
    ("socket-metrics", Severity::Error, |f| set(f, METRICS, "ActiveState", "failed")),
    ("socket-metrics", Severity::Error, |f| set(f, WEB, "ActiveState", "failed")),
    ("socket-metrics", Severity::Warning, |f| set(f, MONITOR, "UnitFileState", "disabled")),
    ("socket-tls", Severity::Error, |f| set(f, TLS_PORT, "ActiveState", "failed")),
    ("socket-tls", Severity::Error, |f| set(f, TLS, "ActiveState", "failed")),
    ("socket-tls", Severity::Warning, |f| set(f, HANDOVER, "UnitFileState", "disabled")),
    ("socket-tls", Severity::Warning, |f| set(f, HANDOVER, "ActiveState", "inactive")),
    ("socket-proxy", Severity::Error, |f| set(f, PROXY, "ActiveState", "failed")),
    ("socket-proxy", Severity::Warning, |f| {
        daemon(f).status.listeners.retain(|one| one.name != "proxy");
    }),
    ("socket-proxy", Severity::Warning, |f| {
        let networks = &mut f.settings.loaded.as_mut().expect("settings").settings.proxy.networks;
        networks.push("0.0.0.0/0".parse().expect("a network"));
    }),
    ("socket-proxy", Severity::Warning, |f| {
        f.settings.loaded.as_mut().expect("settings").settings.proxy.networks.clear();
    }),
    ("tls-certificates", Severity::Error, |f| ends(f, -1)),
    ("tls-certificates", Severity::Warning, |f| ends(f, 0)),
    ("tls-certificates", Severity::Warning, |f| ends(f, 14 * 86_400 - 1)),
    ("tls-certificates", Severity::Warning, |f| {
        ends(f, 86_400);
        renewed(f);
    }),
    ("tls-certificates", Severity::Error, |f| standing(f).certificates[0].from += 31 * DAY),
    ("tls-certificates", Severity::Warning, renewed),
    ("tls-certificates", Severity::Error, halved),
    ("tls-certificates", Severity::Error, |f| {
        halved(f);
        set(f, TLS, "ActiveState", "inactive");
        *standing(f) = Standing { written: 1, refused: Some("cert: so it was".into()), ..Standing::default() };
    }),
    ("tls-certificates", Severity::Error, |f| {
        f.tls.unusable = Err(Unseen::hidden("keys are for root"));
        standing(f).refused = Some("key.pem: this is not the key of the certificate in cert.pem".into());
    }),
    ("tls-certificates", Severity::Warning, |f| standing(f).written -= 120),
    ("port", Severity::Error, |f| {
        set(f, CHAT, "ActiveState", "failed");
        let other = Process { pid: 99, name: "nc".into(), line: "nc -l 6969".into() };
        f.listening.as_mut().expect("sockets")[0].owner = Some(other);
    }),
    ("port", Severity::Error, |f| {
        by_hand(f);
        f.daemon = Err(Unseen::absent("no socket"));
        f.process = Err(Unseen::absent("no daemon runs"));
    }),
    ("other-hubs", Severity::Advice, |f| f.hubs.as_mut().expect("hubs").push(hub(99, "./chathub serve"))),
    ("other-hubs", Severity::Error, |f| {
        f.hubs.as_mut().expect("hubs").push(hub(99, "chathub serve --state-dir /var/lib/chathub"));
    }),
    ("admin-group", Severity::Error, |f| f.accounts.admins = None),
    ("admin-socket", Severity::Error, |f| f.admin.node.as_mut().expect("a socket").mode = 0o666),
    ("admin-socket", Severity::Warning, |f| f.admin.node.as_mut().expect("a socket").mode = 0o600),
    ("admin-socket", Severity::Warning, |f| f.admin.node.as_mut().expect("a socket").gid = 0),
    ("admin-socket", Severity::Error, |f| f.admin.node.as_mut().expect("a socket").uid = 1000),
    ("admin-socket", Severity::Error, |f| f.admin.node.as_mut().expect("a socket").kind = Kind::File),
    ("admin-socket", Severity::Error, |f| f.admin.node = Err(Unseen::absent("it is not there"))),
    ("admin-socket", Severity::Warning, |f| {
        by_hand(f);
        f.admin.node.as_mut().expect("a socket").mode = 0o660;
    }),
    ("admin-directory", Severity::Warning, |f| f.admin.dir.as_mut().expect("a directory").mode = 0o777),
    ("admin-directory", Severity::Warning, |f| f.admin.dir.as_mut().expect("a directory").uid = 1000),
    ("admin-directory", Severity::Advice, |f| f.admin.dir.as_mut().expect("a directory").mode = 0o700),
    ("state-directory", Severity::Error, |f| {
        f.state.node = Err(Unseen::absent("it is not there"));
        f.state.target = Err(Unseen::absent("it is not there"));
    }),
    ("state-directory", Severity::Error, |f| f.state.node.as_mut().expect("it").kind = Kind::File),
    ("state-directory", Severity::Error, |f| {
        f.state.node.as_mut().expect("it").kind = Kind::Link;
        f.state.target = Err(Unseen::absent("it is not there"));
    }),
    ("state-directory", Severity::Warning, |f| f.state.node.as_mut().expect("it").kind = Kind::Link),
    ("state-directory", Severity::Error, |f| f.state.target.as_mut().expect("it").uid = 0),
    ("state-directory", Severity::Error, |f| f.state.target.as_mut().expect("it").mode = 0o500),
    ("state-directory", Severity::Warning, |f| f.state.target.as_mut().expect("it").mode = 0o755),
    ("state-disk", Severity::Error, |f| f.state.disk.as_mut().expect("a disk").read_only = true),
    ("state-disk", Severity::Error, |f| f.state.target.as_mut().expect("it").immutable = true),
    ("state-disk", Severity::Error, |f| file(f, "chathub.db").immutable = true),
    ("state-space", Severity::Error, |f| f.state.disk.as_mut().expect("a disk").free = 1 << 20),
    ("state-space", Severity::Error, |f| f.state.disk.as_mut().expect("a disk").inodes = Some(0)),
    ("state-space", Severity::Advice, |f| f.state.disk.as_mut().expect("a disk").free = 200 << 20),
    ("state-files", Severity::Error, |f| file(f, "chathub.db-shm").uid = 0),
    ("state-files", Severity::Warning, |f| file(f, "chathub.db").mode = 0o644),
    ("state-files", Severity::Error, |f| file(f, "chathub.db").mode = 0o400),
    ("state-remains", Severity::Advice, |f| {
        let name = "chathub.db.damaged-20270115T080000Z";
        let aside = node(&format!("/var/lib/chathub/{name}"), Kind::File, 0o600, CHATHUB);
        f.state.files.as_mut().expect("files").insert(name.into(), aside);
    }),
    ("state-remains", Severity::Error, |f| drop(f.state.files.as_mut().expect("files").remove("chathub.db"))),
    ("database", Severity::Error, |f| {
        stopped(f);
        f.state.database = Ok(Err("damaged: file is not a database".into()));
    }),
    ("database", Severity::Error, |f| {
        stopped(f);
        f.state.database = Ok(Err("schema 99 is newer than 9".into()));
    }),
    ("database", Severity::Error, |f| {
        stopped(f);
        f.state.database = Ok(Err("a database of another program".into()));
    }),
    ("database-damage", Severity::Error, |f| {
        stopped(f);
        f.state.database =
            Ok(Ok(Examined { damage: Some(vec!["row 7 missing from index".into()]), ..Examined::default() }));
    }),
    ("database-size", Severity::Warning, |f| {
        daemon(f).disk.as_mut().expect("told").as_mut().expect("recorded").bytes = 3 << 30
    }),
    ("database-size", Severity::Warning, |f| file(f, "chathub.db-wal").size = 1 << 30),
    ("descriptors", Severity::Warning, |f| set(f, SERVICE, "LimitNOFILE", "1024")),
    ("descriptors", Severity::Warning, |f| f.process.as_mut().expect("it").descriptors = Ok(1024)),
    ("descriptors", Severity::Warning, |f| f.machine.file_max = Ok(8192)),
    ("memory", Severity::Advice, |f| set(f, SERVICE, "MemoryMax", "268435456")),
    ("memory", Severity::Advice, |f| f.machine.memory = Ok(1 << 28)),
    ("kernel-buffers", Severity::Warning, |f| f.machine.wmem_max = Ok(65536)),
    ("kernel-buffers", Severity::Warning, |f| f.machine.rmem_max = Ok(4096)),
    ("kernel-backlog", Severity::Warning, |f| f.machine.somaxconn = Ok(128)),
    ("settings", Severity::Error, |f| {
        f.settings.loaded = Err(vec![Problem {
            file: "/etc/chathub/chathub.toml".into(),
            line: Some(12),
            key: Some("limits.clients"),
            message: "a whole number is needed".into(),
        }]);
    }),
    ("settings-readable", Severity::Error, |f| f.settings.files[1].mode = 0o600),
    ("settings-readable", Severity::Error, |f| f.settings.files[0].mode = 0o700),
    ("settings-ignored", Severity::Advice, |f| f.settings.ignored = vec!["/etc/chathub/conf.d/local.conf".into()]),
    ("settings-unused", Severity::Advice, |f| {
        f.settings.loaded.as_mut().expect("settings").settings.listen.chat =
            vec!["0.0.0.0:7000".parse().expect("an address")];
    }),
    ("settings-encryption", Severity::Error, |f| {
        f.settings.loaded.as_mut().expect("settings").settings.access.encryption = Encryption::Required;
        for unit in [TLS_PORT, TLS, PROXY] {
            set(f, unit, "UnitFileState", "disabled");
            set(f, unit, "ActiveState", "inactive");
        }
    }),
    ("settings-encryption", Severity::Advice, |f| {
        f.settings.loaded.as_mut().expect("settings").settings.accounts.encryption = Passwords::Required;
    }),
    ("settings-changed", Severity::Advice, |f| f.settings.files[1].made = Wall(NOW)),
    ("settings-waiting", Severity::Advice, |f| {
        daemon(f).status.settings = Some(SettingsRead { at: Time(Wall(NOW)), waiting: vec!["rooms.lobby".into()] });
    }),
    ("clock-synchronized", Severity::Advice, |f| f.machine.clock_is_right = Ok(false)),
    ("clock-plausible", Severity::Error, |f| f.now = Wall(NOW - 24 * HOUR)),
    ("clock-plausible", Severity::Error, |f| f.program.made = Some(Wall(NOW + HOUR))),
    ("journal-reachable", Severity::Warning, |f| f.journal.as_mut().expect("a journal").reachable = false),
    ("journal-kept", Severity::Advice, |f| f.journal.as_mut().expect("a journal").kept = false),
    ("daemon-answers", Severity::Error, |f| silent(f, SilenceKind::Silent)),
    ("daemon-answers", Severity::Error, |f| silent(f, SilenceKind::Busy)),
    ("daemon-answers", Severity::Error, |f| silent(f, SilenceKind::Stranger)),
    ("daemon-version", Severity::Warning, |f| daemon(f).status.version = "1.2.2".into()),
    ("daemon-program", Severity::Warning, |f| {
        f.process.as_mut().expect("it").program = Ok("/usr/bin/chathub (deleted)".into())
    }),
    ("daemon-program", Severity::Warning, |f| {
        f.process.as_mut().expect("it").program = Ok("/memfd:program (deleted)".into())
    }),
    ("daemon-turns", Severity::Advice, |f| daemon(f).status.turns.longest_us = 2_500_000),
    ("survival", Severity::Error, |f| {
        daemon(f).status.survival = "off: clients are told goodbye when the daemon stops".into()
    }),
    ("survival", Severity::Error, |f| {
        daemon(f).status.survival = "off: clients are told goodbye when the daemon stops".into();
        daemon(f).status.activated = false;
    }),
    ("survival-last", Severity::Warning, |f| happened(f, &[ids::TAKEN_OVER, ids::NOT_TAKEN_OVER])),
    ("survival-last", Severity::Warning, |f| happened(f, &[ids::NO_DESCRIPTORS, ids::TAKEN_OVER])),
    ("crashes", Severity::Warning, |f| happened(f, &[ids::POISONED])),
    ("recording", Severity::Error, |f| daemon(f).status.recording = "not since 2027-01-15: /x: disk full".into()),
    ("recording", Severity::Warning, |f| daemon(f).status.recording = "off: history ends with the daemon".into()),
    ("recording-lost", Severity::Warning, |f| drop(daemon(f).status.counters.insert("history_lost".into(), 7.into()))),
    ("recording-lost", Severity::Warning, |f| {
        daemon(f).disk.as_mut().expect("told").as_mut().expect("recorded").set_aside =
            Some("/x/chathub.db.damaged-1".into());
    }),
    ("bans-unread", Severity::Error, |f| daemon(f).status.unread = true),
    ("accepting", Severity::Warning, |f| drop(daemon(f).status.counters.insert("accept_pauses".into(), 1.into()))),
    ("accepting", Severity::Warning, |f| drop(daemon(f).status.counters.insert("unkept".into(), 1.into()))),
    ("clients-full", Severity::Warning, |f| {
        daemon(f).status.clients = 10_000;
        daemon(f).status.clients_peak = 10_000;
    }),
    ("clients-full", Severity::Advice, |f| daemon(f).status.clients_peak = 10_000),
    ("admin-connections", Severity::Warning, |f| {
        daemon(f).status.admins = vec![AdminConnection { uid: 0, pid: 1, age_s: 5, idle_s: Some(5) }; 32];
    }),
    ("lockdown", Severity::Advice, |f| {
        daemon(f).status.lockdown = Some(Lockdown { until: Some(Time(Wall(NOW + HOUR))), newcomers: None });
    }),
    ("reports", Severity::Advice, |f| daemon(f).reports = Ok(vec![("r7".into(), Duration::from_secs(8 * 86_400))])),
];

fn copy(facts: &mut Facts, made: i64) {
    let unit = unit_of(facts, SERVICE);
    let mut copy = unit.files[0].clone();
    copy.path = "/etc/systemd/system/chathub.service".into();
    copy.made = Some(Wall(made));
    unit.packaged = Some(std::mem::replace(&mut unit.files[0], copy));
}

fn file<'a>(facts: &'a mut Facts, name: &str) -> &'a mut Node {
    facts.state.files.as_mut().expect("files").get_mut(name).expect("a file")
}

fn silent(facts: &mut Facts, kind: SilenceKind) {
    facts.daemon = Ok(Err(Silence { kind, why: "no answer within 5s".into() }));
}

fn happened(facts: &mut Facts, events: &[&str]) {
    let events =
        events.iter().zip(1..).map(|(id, at)| (Wall(NOW - HOUR + at), (*id).to_owned(), "so it was".to_owned()));
    facts.journal.as_mut().expect("a journal").events = Ok(events.collect());
}

fn findings(report: &Report) -> Vec<(&'static str, Severity)> {
    report.findings.iter().map(|(id, finding)| (*id, finding.severity)).collect()
}

#[test]
fn a_healthy_installation_has_no_findings_and_no_check_is_skipped() {
    let report = Report::of(&healthy());
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.hidden().count(), 0, "{:#?}", report.skipped);
    // While the daemon runs, the database is not examined.
    let skipped: Vec<_> = report.skipped.iter().map(|(id, _)| *id).collect();
    assert_eq!(skipped, ["units-linger", "database", "database-damage"]);
    assert_eq!(report.exit(), Exit::Done);
}

#[test]
fn a_sleeping_service_and_a_hub_started_by_hand_have_no_findings() {
    let mut facts = healthy();
    stopped(&mut facts);
    let report = Report::of(&facts);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.hidden().count(), 0, "{:#?}", report.skipped);
    let mut facts = healthy();
    by_hand(&mut facts);
    let report = Report::of(&facts);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.hidden().count(), 0, "{:#?}", report.skipped);
}

#[test]
fn a_users_own_hub_beside_that_of_the_machine_has_no_findings() {
    let mut facts = healthy();
    own(&mut facts);
    let report = Report::of(&facts);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.hidden().count(), 0, "{:#?}", report.skipped);
    assert!(!print::text(&report, None, false).contains("as root"));
    stopped(&mut facts);
    let report = Report::of(&facts);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

/// Whatever is found, the user's service manager is told to mend it, and the user's hub is asked.
#[test]
fn steps_for_a_users_own_hub_ask_the_users_own_service_manager() {
    let mut said = 0;
    for (id, _, break_it) in SCENES {
        let mut facts = healthy();
        own(&mut facts);
        break_it(&mut facts);
        facts.subject = Subject::Own;
        for (found_by, finding) in Report::of(&facts).findings {
            for step in finding.steps {
                let Step::Type(command) = step else { continue };
                let scene = format!("{id}, by {found_by}: {command}");
                let words: Vec<_> = command.split(' ').collect();
                match words[..] {
                    ["systemctl", "--user", ..] => said += 1,
                    ["systemctl", ..] => {
                        assert!(!command.contains("chathub") && !command.contains("daemon-reload"), "{scene}")
                    }
                    ["journalctl", flag, ..] => assert!(flag == "--user" || flag == "--flush", "{scene}"),
                    ["chathub", "ctl", option, ..] => assert_eq!(option, "--socket", "{scene}"),
                    ["chathub", "check-config", ..] => panic!("{scene}"),
                    _ => {}
                }
            }
        }
    }
    assert!(said > 50, "{said}");
}

#[test]
fn each_check_finds_what_is_broken_and_how_bad_it_is() {
    for (at, (id, severity, break_it)) in SCENES.iter().enumerate() {
        let mut facts = healthy();
        break_it(&mut facts);
        let report = Report::of(&facts);
        let found = findings(&report);
        assert!(found.contains(&(*id, *severity)), "scene {at}: {id} {severity:?}: {found:#?}\n{:#?}", report.skipped);
    }
}

/// A socket that nobody has enabled may be called anything.
#[test]
fn a_socket_that_is_not_in_use_is_not_looked_at() {
    let mut facts = healthy();
    set(&mut facts, PROXY, "FileDescriptorName", "proxies");
    set(&mut facts, PROXY, "UnitFileState", "disabled");
    set(&mut facts, PROXY, "ActiveState", "inactive");
    let found = findings(&Report::of(&facts));
    assert!(found.iter().all(|(id, _)| *id != "socket-name"), "{found:?}");
}

#[test]
fn each_check_has_a_scene_in_which_it_fails() {
    let missing: Vec<_> =
        CHECKS.iter().map(|check| check.id).filter(|id| !SCENES.iter().any(|(known, ..)| known == id)).collect();
    assert!(missing.is_empty(), "no scene for {missing:?}");
    let unknown: Vec<_> =
        SCENES.iter().map(|(id, ..)| *id).filter(|id| !CHECKS.iter().any(|check| check.id == *id)).collect();
    assert!(unknown.is_empty(), "no check called {unknown:?}");
}

/// One broken thing must not be reported by many checks.
#[test]
fn a_scene_has_few_findings() {
    for (at, (id, severity, break_it)) in SCENES.iter().enumerate() {
        let mut facts = healthy();
        break_it(&mut facts);
        let found = findings(&Report::of(&facts));
        assert!(found.len() <= 3, "scene {at}: {id} {severity:?}: {found:#?}");
    }
}

#[test]
fn each_finding_says_in_one_line_what_it_means_and_what_to_do() {
    for (id, _, break_it) in SCENES {
        let mut facts = healthy();
        break_it(&mut facts);
        for (found_by, finding) in Report::of(&facts).findings {
            assert!(!finding.what.contains('\n') && !finding.what.ends_with('.'), "{id}: {}", finding.what);
            assert!(!finding.steps.is_empty(), "{found_by} says nothing of what to do: {}", finding.what);
            for step in &finding.steps {
                match step {
                    Step::Say(text) => assert!(text.ends_with(['.', ':']), "{found_by}: {text}"),
                    Step::Type(command) => {
                        assert!(!command.is_empty() && !command.ends_with(['.', ':']), "{found_by}: {command}");
                    }
                }
            }
        }
    }
}

#[test]
fn renewed_certificates_need_a_restart_only_and_fourteen_days_is_the_bound() {
    let told = |break_it: Break| {
        let mut facts = healthy();
        break_it(&mut facts);
        let found = Report::of(&facts).findings.into_iter().filter(|(id, _)| *id == "tls-certificates");
        found.map(|(_, finding)| (finding.what, finding.steps)).collect::<Vec<_>>()
    };
    assert!(told(|f| ends(f, 14 * 86_400)).is_empty());
    let renew = Step::Type("certbot renew".into());
    let restart = Step::Type("systemctl restart chathub-tls.service".into());
    let soon = &told(|f| ends(f, 86_400))[0];
    assert_eq!(soon.0, "the certificate for 192.0.2.7 expires in a day (2027-01-16T08:00:00Z)");
    assert!(soon.1.contains(&renew) && soon.1.contains(&restart), "{soon:?}");
    let waiting = &told(|f| {
        ends(f, 86_400);
        renewed(f);
    })[0];
    assert!(!waiting.1.contains(&renew) && waiting.1.contains(&restart), "{waiting:?}");
    // Files that `chathub-tls` has refused once, but that are right by now, are not reported any
    // more.
    assert!(told(|f| standing(f).refused = Some("key.pem: no".into())).is_empty());
    let half = told(halved);
    assert_eq!(half.len(), 1, "{half:?}");
    assert!(half[0].0.ends_with("cert.pem: the one before it is in use, up to the next start"), "{half:?}");
    // If TLS is not wanted, nothing about it is reported.
    let nobody = told(|f| {
        ends(f, -1);
        for name in [TLS, TLS_PORT] {
            set(f, name, "UnitFileState", "disabled");
            set(f, name, "ActiveState", "inactive");
        }
    });
    assert!(nobody.is_empty(), "{nobody:?}");
}

#[test]
fn a_drop_in_is_named_by_file_and_line() {
    let mut facts = healthy();
    set(&mut facts, SERVICE, "Type", "simple");
    let drop_in = UnitFile {
        path: "/etc/systemd/system/chathub.service.d/it's mine.conf".into(),
        made: None,
        lines: vec![(2, "Type".into(), "simple".into())],
    };
    unit_of(&mut facts, SERVICE).files.push(drop_in);
    let report = Report::of(&facts);
    let (_, finding) = report.findings.iter().find(|(id, _)| *id == "service-type").expect("found");
    assert!(
        finding.what.starts_with("/etc/systemd/system/chathub.service.d/it's mine.conf:2: Type=simple: "),
        "{}",
        finding.what
    );
    let editor = r"editor '/etc/systemd/system/chathub.service.d/it'\''s mine.conf'";
    assert!(finding.steps.contains(&Step::Type(editor.into())), "{:?}", finding.steps);
}

#[test]
fn a_check_that_could_not_look_is_reported_as_such_and_never_as_fine() {
    let mut facts = healthy();
    facts.is_root = false;
    facts.state.files = Err(Unseen::hidden("/var/lib/chathub: permission denied (not root)"));
    facts.journal.as_mut().expect("a journal").events = Err(Unseen::hidden("the journal is for root"));
    let report = Report::of(&facts);
    assert_eq!(report.exit(), Exit::Advised);
    assert!(!report.checked.contains(&"state-files") && !report.checked.contains(&"crashes"), "{:?}", report.checked);
    let text = print::text(&report, None, false);
    assert!(text.contains("nothing to do; could not look at "), "{text}");
    assert!(text.contains("state-files") && text.contains("permission denied (not root)"), "{text}");
    assert!(text.contains("run it as root"), "{text}");
    // Even in the form that prints only problems.
    assert!(print::text(&report, None, true).contains("could not look at"));
    assert_eq!(print::text(&Report::of(&healthy()), None, true), "");
}

#[test]
fn exit_codes_tell_errors_from_advice() {
    let of = |break_it: Break| {
        let mut facts = healthy();
        break_it(&mut facts);
        Report::of(&facts).exit()
    };
    assert_eq!(of(|_| ()), Exit::Done);
    assert_eq!(of(|f| f.journal.as_mut().expect("a journal").kept = false), Exit::Advised);
    assert_eq!(of(|f| set(f, CHAT, "UnitFileState", "disabled")), Exit::Refused);
    assert_eq!(of(|f| failed(f, "78")), Exit::Refused);
}

#[test]
fn text_has_the_worst_first_and_fits_the_screen() {
    let mut facts = healthy();
    facts.journal.as_mut().expect("a journal").kept = false;
    set(&mut facts, CHAT, "UnitFileState", "disabled");
    daemon(&mut facts).status.unread = true;
    daemon(&mut facts).status.recording = "not since 2027-01-15: \x1b[2Jred".into();
    let report = Report::of(&facts);
    let text = print::text(&report, None, false);
    assert!(text.starts_with("error    "), "{text}");
    let order: Vec<_> = text.lines().filter(|line| !line.starts_with(' ') && line.contains("  ")).collect();
    assert_eq!(order.len(), 4, "{text}");
    assert!(order[2].starts_with("warning  units-enabled") && order[3].starts_with("advice "), "{text}");
    assert!(text.contains("2 errors, 1 warning, 1 advice"), "{text}");
    assert!(!text.contains('\x1b') && text.contains("\\u{1b}[2J"), "{text}");
    for columns in [40, 60, 80, 200] {
        let text = print::text(&report, Some(columns), false);
        let is_command = |line: &str| line.starts_with("        ");
        for line in text.lines().filter(|line| !is_command(line)) {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        // Commands are not wrapped, so that they can be copied.
        assert!(text.contains("        systemd-tmpfiles --create --prefix /var/log/journal\n"), "{text}");
    }
}

#[test]
fn json_has_what_programs_need() {
    let mut facts = healthy();
    set(&mut facts, CHAT, "UnitFileState", "disabled");
    let report = Report::of(&facts);
    let value: serde_json::Value = serde_json::from_str(&print::json(&report, false)).expect("JSON");
    assert_eq!(
        value["checked"].as_array().expect("a list").len() + value["skipped"].as_array().expect("a list").len(),
        CHECKS.len()
    );
    assert_eq!(value["skipped"][1], json!({"id": "database", "why": "the daemon has it open", "applies": false}));
    assert_eq!(value["findings"][0]["id"], "units-enabled");
    assert_eq!(value["findings"][0]["severity"], "warning");
    assert_eq!(value["findings"][0]["do"], json!(["systemctl enable chathub.socket"]));
}

#[test]
fn nothing_is_guessed_about_a_machine_that_cannot_be_looked_at() {
    let hidden = || Unseen::hidden("nothing can be seen");
    let mut facts = healthy();
    facts.systemd = Err(hidden());
    facts.listening = Err(hidden());
    facts.hubs = Err(hidden());
    facts.admin.node = Err(hidden());
    facts.admin.dir = Err(hidden());
    facts.state.node = Err(hidden());
    facts.state.target = Err(hidden());
    facts.state.disk = Err(hidden());
    facts.state.files = Err(hidden());
    facts.state.database = Err(hidden());
    facts.journal = Err(hidden());
    facts.daemon = Err(hidden());
    facts.process = Err(hidden());
    facts.scripts = Err(hidden());
    facts.tls = Tls { standing: Err(hidden()), files: Err(hidden()), unusable: Err(hidden()) };
    facts.machine = Machine {
        wmem_max: Err(hidden()),
        rmem_max: Err(hidden()),
        somaxconn: Err(hidden()),
        file_max: Err(hidden()),
        memory: Err(hidden()),
        clock_is_right: Err(hidden()),
    };
    let report = Report::of(&facts);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert!(report.hidden().count() > CHECKS.len() / 2, "{:#?}", report.checked);
    assert_eq!(report.exit(), Exit::Advised);
}
