//! `cargo bench --bench hub`: chathub beside the limit, and beside Redis and ngircd where installed.
//!
//! Each run is three processes: this one starts a server, then a load generator (itself again, with
//! `--role-load`), which drives the server and measures it. Servers take turns, run after run, so that what
//! else the machine does falls on all of them alike. BENCHMARKS.md says what the scenarios mean.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "figures and counts of our own, far below any limit"
)]

mod abuse;
mod ask;
mod attack;
mod check;
mod confined;
mod front;
mod histogram;
mod limit;
mod load;
mod peers;
mod proc;
mod report;
mod sealed;
mod store;
mod strike;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use serde_json::json;

use load::{Spec, Task};
use peers::{Peer, Running};
use report::{Column, Figures, Outcome, Ratio};

const HELP: &str = "\
cargo bench --bench hub -- [SCENARIO...] [OPTION...]

Scenarios: fanout latency idle storm churn rooms abuse curve survival encryption handshakes fronts recovery pipelined
(all, if none is named)
abuse NAME... runs only these attacks:{ATTACKS}
  --quick          fewer cells, shorter, fewer repetitions: to see that it works
  --peers LIST     limit,chathub,kept,recorded,aes128,aes256,chacha,tls,haproxy,redis,ngircd or all (default:
                   limit,chathub; survival: chathub,kept,recorded). kept is chathub whose clients outlive it, with
                   the bench as its service manager; recorded also has what is said on disk, as it is installed;
                   aes128 and so on are kept with encrypted listeners; tls has chathub-tls before it, haproxy that
  --cell TEXT      only cells whose label contains TEXT
  --reps N         repetitions of each cell (default 5, quick 2)
  --secs S         measured seconds of each run (default 3, quick 1)
";

/// Descriptors that a server or the generator needs besides those of its clients.
const SPARE_DESCRIPTORS: usize = 128;

struct Options {
    scenarios: Vec<String>,
    /// Of those under abuse; all, if there are none.
    attacks: Vec<String>,
    /// As named; else each scenario has its own.
    peers: Option<Vec<Peer>>,
    cell: String,
    quick: bool,
    reps: usize,
    measure: Duration,
    most_clients: usize,
}

struct Scenario {
    name: &'static str,
    columns: &'static [Column],
    cells: Vec<Cell>,
}

impl Scenario {
    /// Whom it compares if nobody is named, the base of the ratios first.
    fn peers(&self) -> &'static [Peer] {
        match self.name {
            "survival" => &[Peer::Chathub, Peer::Kept, Peer::Recorded],
            "encryption" => &[Peer::Kept, Peer::Aes128, Peer::Aes256, Peer::Chacha],
            "pipelined" => &[Peer::Recorded],
            "recovery" => &[Peer::Kept, Peer::Aes128, Peer::Aes256, Peer::Chacha],
            "handshakes" => &[Peer::Tls],
            "fronts" => &[Peer::Kept, Peer::Tls, Peer::Haproxy],
            _ => &[Peer::Limit, Peer::Chathub],
        }
    }
}

/// One line of a scenario: what is done to every server.
struct Cell {
    label: String,
    clients: usize,
    room_size: usize,
    senders: usize,
    task: Task,
}

const fn column(figure: &'static str, title: &'static str, ratio: Ratio) -> Column {
    Column { figure, title, ratio }
}

const TALK: &[Column] = &[
    column("deliveries_per_s", "deliveries/s", Ratio::Shown),
    column("server_us_per_delivery", "CPU us/delivery", Ratio::Shown),
    column("server_busy", "server busy", Ratio::Hidden),
    column("generator_busy", "generator busy", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
    column("deliveries_per_read", "lines/read", Ratio::Hidden),
    column("reads_per_wake", "reads/wake", Ratio::Hidden),
];
const LATENCY: &[Column] = &[
    column("p50_ms", "p50 ms", Ratio::Shown),
    column("p99_ms", "p99 ms", Ratio::Shown),
    column("max_ms", "max ms", Ratio::Hidden),
    column("server_us_per_delivery", "CPU us/delivery", Ratio::Shown),
    column("generator_busy", "generator busy", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
];
const IDLE: &[Column] = &[
    column("memory_each", "PSS B/client", Ratio::Hidden),
    column("memory_empty", "PSS B empty", Ratio::Hidden),
    column("server_busy", "cores at rest", Ratio::Hidden),
];
const STORM: &[Column] = &[
    column("joins_per_s", "joins/s", Ratio::Shown),
    column("server_us_per_join", "CPU us/join", Ratio::Shown),
    column("generator_us_per_join", "generator us/join", Ratio::Shown),
    column("wakes_per_join", "generator wakes/join", Ratio::Hidden),
    column("join_bytes_each", "B received/client", Ratio::Hidden),
];
const SURVIVAL: &[Column] = &[
    column("deliveries_per_s", "deliveries/s", Ratio::Shown),
    column("server_us_per_delivery", "CPU us/delivery", Ratio::Shown),
    column("joins_per_s", "joins/s", Ratio::Shown),
    column("server_us_per_join", "CPU us/join", Ratio::Shown),
    column("unrecorded", "of lines not recorded", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
];
const CHURN: &[Column] = &[
    column("visits_per_s", "visits/s", Ratio::Shown),
    column("server_us_per_visit", "CPU us/visit", Ratio::Shown),
    column("deliveries_per_s", "deliveries/s", Ratio::Shown),
    column("server_busy", "server busy", Ratio::Hidden),
];
const ABUSE: &[Column] = &[
    column("calm_p50_ms", "p50 ms before", Ratio::Hidden),
    column("calm_p99_ms", "p99 ms before", Ratio::Hidden),
    column("onset_p50_ratio", "p50 first 5 s", Ratio::Hidden),
    column("onset_p99_ratio", "p99 first 5 s", Ratio::Hidden),
    column("held_p50_ratio", "p50 held", Ratio::Hidden),
    column("held_p99_ratio", "p99 held", Ratio::Hidden),
    column("dropping_p50_ratio", "p50 dropping", Ratio::Hidden),
    column("dropping_p99_ratio", "p99 dropping", Ratio::Hidden),
    column("memory_calm", "PSS B before", Ratio::Hidden),
    column("memory_most", "PSS B most", Ratio::Hidden),
    column("memory_each_abuser", "B/abuser", Ratio::Hidden),
    column("abusers_left", "abusers left", Ratio::Hidden),
    column("abusers_busy", "abusers busy", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
];
const ENCRYPTION: &[Column] = &[
    column("deliveries_per_s", "deliveries/s", Ratio::Shown),
    column("server_us_per_delivery", "CPU us/delivery", Ratio::Shown),
    column("generator_us_per_delivery", "generator us/delivery", Ratio::Shown),
    column("deliveries_per_read", "lines/read", Ratio::Hidden),
    column("memory_each", "PSS B/client", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
];
const HANDSHAKES: &[Column] = &[
    column("calm_p50_ms", "p50 ms before", Ratio::Hidden),
    column("calm_p99_ms", "p99 ms before", Ratio::Hidden),
    column("half_p50_ratio", "p50 half ones", Ratio::Hidden),
    column("half_p99_ratio", "p99 half ones", Ratio::Hidden),
    column("half_per_s", "half/s", Ratio::Hidden),
    column("half_us", "CPU us each", Ratio::Hidden),
    column("whole_p50_ratio", "p50 whole ones", Ratio::Hidden),
    column("whole_p99_ratio", "p99 whole ones", Ratio::Hidden),
    column("whole_per_s", "whole/s", Ratio::Hidden),
    column("whole_us", "CPU us each", Ratio::Hidden),
    column("whole_hub_us", "hub us each", Ratio::Hidden),
    column("whole_storm_us", "client us each", Ratio::Hidden),
    column("front_memory", "PSS B calm", Ratio::Hidden),
    column("whole_memory", "PSS B storm", Ratio::Hidden),
];
const FRONTS: &[Column] = &[
    column("deliveries_per_s", "deliveries/s", Ratio::Shown),
    column("p50_ms", "p50 ms", Ratio::Shown),
    column("p99_ms", "p99 ms", Ratio::Shown),
    column("server_us_per_delivery", "CPU us/delivery", Ratio::Shown),
    column("front_busy", "front busy", Ratio::Hidden),
    column("memory_each", "hub PSS B/client", Ratio::Hidden),
    column("memory_front_empty", "front PSS B empty", Ratio::Hidden),
    column("memory_front_each", "front PSS B/client", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
];
const RECOVERY: &[Column] = &[
    column("ready_s", "s until ready, longest", Ratio::Shown),
    column("first_s", "s until a line is heard", Ratio::Shown),
    column("all_s", "s until all have it", Ratio::Shown),
    column("memory_each", "PSS B/client", Ratio::Hidden),
];
const PIPELINED: &[Column] = &[
    column("calm_p50_ms", "p50 ms before", Ratio::Hidden),
    column("calm_p99_ms", "p99 ms before", Ratio::Hidden),
    column("asked_p50_ratio", "p50 asked", Ratio::Hidden),
    column("asked_p99_ratio", "p99 asked", Ratio::Hidden),
    column("asked_max_ms", "longest ms", Ratio::Hidden),
    column("answers_per_s", "answers/s", Ratio::Hidden),
    column("refused_share", "of it refused", Ratio::Hidden),
    column("turn_longest_ms", "turn ms longest", Ratio::Hidden),
    column("memory_calm", "PSS B before", Ratio::Hidden),
    column("memory_most", "PSS B asked", Ratio::Hidden),
    column("dearest_p99_ratio", "p99 dearest alone", Ratio::Hidden),
    column("server_busy", "server busy", Ratio::Hidden),
    column("abusers_busy", "askers busy", Ratio::Hidden),
    column("others_busy", "others busy", Ratio::Hidden),
];
const CURVE: &[Column] = &[
    column("server_us_per_delivery", "CPU us/delivery", Ratio::Shown),
    column("memory_each", "PSS B/client", Ratio::Hidden),
    column("join_s", "s until all are in", Ratio::Shown),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--role-limit", listen] => role(|| {
            let listen = listen.parse().map_err(std::io::Error::other)?;
            limit::serve(listen)
        }),
        ["--role-abuse", each, port] => role(|| {
            let each = each.parse().map_err(std::io::Error::other)?;
            let port = port.parse().map_err(std::io::Error::other)?;
            abuse::run(each, port)
        }),
        ["--role-ask", connections, admin] => role(|| {
            let connections = connections.parse().map_err(std::io::Error::other)?;
            ask::run(connections, Path::new(admin))
        }),
        ["--role-shake", how, port] => role(|| {
            let port = port.parse().map_err(std::io::Error::other)?;
            sealed::storm(how == "whole", port)
        }),
        ["--role-attack", name, port, admin] => role(|| {
            let port = port.parse().map_err(std::io::Error::other)?;
            strike::run(name, port, Path::new(admin))
        }),
        ["--role-load", spec, port, pid] => role(|| {
            let spec: Spec = serde_json::from_str(spec)?;
            let port = port.parse().map_err(std::io::Error::other)?;
            let pid = pid.parse().map_err(std::io::Error::other)?;
            let figures = load::run(spec, port, pid)?;
            println!("{}", serde_json::to_string(&figures)?);
            Ok(())
        }),
        _ => match options(&words) {
            Ok(options) => bench(&options),
            Err(help) => {
                eprint!("{}", help.replace("{ATTACKS}", &attack::names()));
                ExitCode::from(2)
            }
        },
    }
}

/// A child of the bench: does not outlive it.
fn role(work: impl FnOnce() -> std::io::Result<()>) -> ExitCode {
    set_pdeathsig(Signal::SIGKILL).ok();
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options(words: &[&str]) -> Result<Options, String> {
    let limit = proc::raise_descriptor_limit();
    let mut options = Options {
        scenarios: Vec::new(),
        attacks: Vec::new(),
        peers: None,
        cell: String::new(),
        quick: false,
        reps: 5,
        measure: Duration::from_secs(3),
        most_clients: (limit as usize).saturating_sub(SPARE_DESCRIPTORS),
    };
    // Without cargo's `--bench` this is `cargo test --all-targets`: the bench tests itself, in a second.
    if !words.contains(&"--bench") {
        options.quick = true;
        options.scenarios = vec!["self-test".to_owned()];
        options.peers = Some(vec![Peer::Limit]);
        options.reps = 1;
        options.measure = Duration::from_millis(200);
        return Ok(options);
    }
    if words.contains(&"--quick") {
        options.quick = true;
        options.reps = 2;
        options.measure = Duration::from_secs(1);
    }
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value\n{HELP}"));
        match word {
            "--bench" | "--quick" => {}
            "--cell" => value()?.clone_into(&mut options.cell),
            "--reps" => options.reps = value()?.parse().map_err(|_| HELP)?,
            "--secs" => {
                let seconds = value()?.parse().map_err(|_| HELP)?;
                options.measure = Duration::try_from_secs_f64(seconds).map_err(|_| HELP)?;
            }
            "--peers" => {
                options.peers = Some(match value()? {
                    "all" => Peer::ALL.to_vec(),
                    list => list
                        .split(',')
                        .map(|name| Peer::parse(name).ok_or(format!("no server {name:?}\n{HELP}")))
                        .collect::<Result<_, _>>()?,
                });
            }
            "fanout" | "latency" | "idle" | "storm" | "churn" | "rooms" | "abuse" | "curve" | "survival"
            | "encryption" | "handshakes" | "fronts" | "recovery" | "pipelined" => {
                options.scenarios.push(word.to_owned());
            }
            name if strike::ATTACKS.iter().any(|attack| attack.name == name) => options.attacks.push(name.to_owned()),
            _ => return Err(format!("what is {word:?}?\n{HELP}")),
        }
    }
    Ok(options)
}

fn scenarios(options: &Options) -> Vec<Scenario> {
    let named = |scenario: &Scenario| {
        let name = scenario.name;
        if options.scenarios.is_empty() {
            name != "self-test"
        } else {
            options.scenarios.iter().any(|wanted| wanted == name)
        }
    };
    let all = vec![
        Scenario { name: "fanout", columns: TALK, cells: fanout(options) },
        Scenario {
            name: "latency",
            columns: LATENCY,
            cells: [10, 100, 1000]
                .map(|rate| Cell::one_room(&format!("N=1000 {rate}/s"), 1_000, 10, Task::Open { rate }))
                .into(),
        },
        Scenario {
            name: "idle",
            columns: IDLE,
            cells: [10_000, 50_000]
                .map(|clients| Cell::one_room(&format!("N={clients}"), clients, 0, Task::Idle))
                .into(),
        },
        Scenario {
            name: "storm",
            columns: STORM,
            // One sender, for a probe afterwards: did everybody really get into the room?
            cells: vec![Cell::one_room("N=10000", 10_000, 1, Task::Idle)],
        },
        Scenario {
            name: "churn",
            columns: CHURN,
            cells: vec![Cell::one_room("N=1000 50 visitors", 1_000, 0, Task::Churn { slots: 50 })],
        },
        Scenario {
            name: "rooms",
            columns: TALK,
            cells: vec![
                Cell { room_size: 5, ..Cell::one_room("rooms of 5, W=1 each", 50_000, 1, Task::Closed { window: 1 }) },
                Cell::one_room("one room, N=1000 W=1", 1_000, 1, Task::Closed { window: 1 }),
            ],
        },
        Scenario {
            name: "abuse",
            columns: ABUSE,
            // Twenty senders: each stays well within the pace that the settings allow.
            cells: vec![Cell::one_room("N=1000 100/s, 400 abusers", 1_000, 20, Task::Abuse { rate: 100, each: 100 })],
        },
        Scenario {
            name: "curve",
            columns: CURVE,
            cells: [10, 30, 100, 300, 1_000, 3_000, 10_000, 20_000]
                .map(|clients| Cell::one_room(&format!("N={clients}"), clients, 1, Task::Closed { window: 10 }))
                .into(),
        },
        Scenario {
            name: "survival",
            columns: SURVIVAL,
            cells: vec![
                Cell::one_room("N=100 S=10 W=64", 100, 10, Task::Closed { window: 64 }),
                Cell::one_room("N=1000 S=10 W=64", 1_000, 10, Task::Closed { window: 64 }),
                Cell::one_room("N=1000 S=10 W=1", 1_000, 10, Task::Closed { window: 1 }),
                Cell::one_room("storm N=10000", 10_000, 1, Task::Idle),
            ],
        },
        Scenario {
            name: "encryption",
            columns: ENCRYPTION,
            cells: [1, 64, 640]
                .map(|window| Cell::one_room(&format!("N=1000 S=10 W={window}"), 1_000, 10, Task::Closed { window }))
                .into_iter()
                .chain([Cell::one_room("idle N=5000", 5_000, 0, Task::Idle)])
                .collect(),
        },
        Scenario {
            name: "handshakes",
            columns: HANDSHAKES,
            cells: vec![Cell::one_room("N=100 100/s", 100, 10, Task::Shaken { rate: 100 })],
        },
        Scenario {
            name: "fronts",
            columns: FRONTS,
            cells: vec![
                Cell::one_room("N=1000 S=10 W=64", 1_000, 10, Task::Closed { window: 64 }),
                Cell::one_room("N=1000 100/s", 1_000, 10, Task::Open { rate: 100 }),
            ],
        },
        Scenario {
            name: "recovery",
            columns: RECOVERY,
            cells: vec![Cell::one_room("N=5000, 5 kills", 5_000, 1, Task::Killed { times: 5 })],
        },
        Scenario {
            name: "pipelined",
            columns: PIPELINED,
            cells: vec![Cell {
                room_size: 100,
                ..Cell::one_room("N=10000 100/s, 30 connections", 10_000, 5, Task::Asked { rate: 100, connections: 30 })
            }],
        },
        Scenario {
            name: "self-test",
            columns: TALK,
            cells: vec![
                Cell::one_room("N=20 S=3 W=10", 20, 3, Task::Closed { window: 10 }),
                Cell { room_size: 5, ..Cell::one_room("rooms of 5", 20, 1, Task::Closed { window: 1 }) },
                Cell::one_room("N=20 100/s", 20, 3, Task::Open { rate: 100 }),
                Cell::one_room("N=20 3 visitors", 20, 0, Task::Churn { slots: 3 }),
            ],
        },
    ];
    all.into_iter().filter(named).collect()
}

fn fanout(options: &Options) -> Vec<Cell> {
    let mut cells = Vec::new();
    for clients in [100, 1_000, 5_000] {
        for senders in [1, 10] {
            // In all; with ten senders, 640 are 64 for each.
            let windows: &[_] = if senders == 1 { &[1, 10, 64] } else { &[1, 10, 64, 640] };
            for &window in windows {
                let telling = matches!((clients, senders, window), (100, 1, 64) | (1_000, 10, _) | (5_000, 10, 64));
                if telling || !options.quick {
                    let label = format!("N={clients} S={senders} W={window}");
                    cells.push(Cell::one_room(&label, clients, senders, Task::Closed { window }));
                }
            }
        }
    }
    cells
}

impl Cell {
    fn one_room(label: &str, clients: usize, senders: usize, task: Task) -> Self {
        Self { label: label.to_owned(), clients, room_size: usize::MAX, senders, task }
    }

    /// How many clients so many sockets allow. Where hearers cannot speak (Redis), senders have sockets of
    /// their own; all servers get the same number of clients.
    fn most_clients(&self, sockets: usize) -> usize {
        if self.room_size >= sockets {
            sockets.saturating_sub(self.senders)
        } else {
            sockets / (self.room_size + self.senders) * self.room_size
        }
    }
}

fn bench(options: &Options) -> ExitCode {
    let mut sound = true;
    if let Err(fault) = check::self_test() {
        eprintln!("the check of deliveries is broken: {fault}");
        return ExitCode::FAILURE;
    }
    // Who names attacks wants these alone.
    let all = scenarios(options).into_iter().filter(|scenario| scenario.name != "abuse" || options.attacks.is_empty());
    for scenario in all {
        let base = scenario.peers()[0];
        let peers = options.peers.clone().unwrap_or_else(|| scenario.peers().to_vec());
        println!("\n## {}\n", scenario.name);
        let mut outcomes = Vec::new();
        let mut remarks = Vec::new();
        let mut rows = vec![report::headings(scenario.columns, base)];
        for cell in &scenario.cells {
            if !cell.label.contains(&options.cell) {
                continue;
            }
            let outcome = run_cell(cell, options, &peers, base, &mut remarks);
            for (peer, fault) in outcome.faults() {
                sound = false;
                remarks.push(format!("FAULT: {} of {}: {fault}", outcome.label, peer.name()));
            }
            rows.extend(outcome.table(scenario.columns));
            outcomes.push(outcome);
        }
        print!("{}", report::align(&rows));
        let mut told = std::collections::BTreeSet::new();
        remarks.retain(|remark| told.insert(remark.clone()));
        for remark in &remarks {
            println!("{remark}");
        }
        if let Err(error) = keep(&scenario, &outcomes, &remarks, options) {
            eprintln!("cannot write the results: {error}");
            sound = false;
        }
    }
    let attacked = options.scenarios.is_empty() || options.scenarios.iter().any(|name| name == "abuse");
    if attacked && options.cell.is_empty() {
        sound &= attack::table(&options.attacks, if options.quick { attack::QUICK } else { attack::USUAL });
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_cell(cell: &Cell, options: &Options, peers: &[Peer], base: Peer, remarks: &mut Vec<String>) -> Outcome {
    let clients = cell.clients.min(cell.most_clients(options.most_clients));
    let mut label = cell.label.clone();
    if clients < cell.clients {
        label = format!("{label} (scaled down to {clients})");
        remarks.push(format!("SCALED DOWN: {} to {clients} clients by the descriptor limit (ulimit -Hn)", cell.label));
    }
    let mut runs: BTreeMap<Peer, Vec<Figures>> = BTreeMap::new();
    for _ in 0..options.reps {
        for &peer in peers {
            let unfit = match cell.task {
                Task::Abuse { .. } => peer != Peer::Chathub,
                Task::Shaken { .. } => peer != Peer::Tls,
                Task::Asked { .. } => matches!(peer, Peer::Limit | Peer::Redis | Peer::Ngircd),
                Task::Killed { .. } => !peer.is_kept(),
                _ => false,
            };
            if peer == Peer::Haproxy && !front::has_haproxy() {
                remarks.push("LEFT OUT: haproxy is not installed (Debian: haproxy)".to_owned());
                continue;
            }
            if unfit || clients > peer.most_clients() {
                remarks.push(format!("{} is not asked to serve {}", peer.name(), cell.label));
                continue;
            }
            let spec = Spec {
                peer,
                clients,
                room_size: cell.room_size.min(clients),
                senders: cell.senders,
                task: cell.task,
                warm: options.measure / 3,
                measure: options.measure,
                admin: None,
                front: None,
            };
            eprintln!("   {label}: {}", peer.name());
            let figures = run_once(&spec).unwrap_or_else(|fault| {
                let mut none = Figures::default();
                none.faults.push(fault);
                none
            });
            runs.entry(peer).or_default().push(figures);
        }
    }
    Outcome { label, clients, base, runs }
}

fn run_once(spec: &Spec) -> Result<Figures, String> {
    let settings = match spec.task {
        Task::Abuse { .. } => "abuse.toml",
        _ => "unlimited.toml",
    };
    let mut server = Running::start(spec.peer, settings)?;
    let spec = Spec { admin: Some(server.admin()), front: server.front(), ..spec.clone() };
    let fails = |error: std::io::Error| format!("cannot run the generator: {error}");
    let mut generator = std::env::current_exe()
        .and_then(|own| {
            Command::new(own)
                .arg("--role-load")
                .arg(serde_json::to_string(&spec)?)
                .args([server.port.to_string(), server.pid().to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::inherit())
                .spawn()
        })
        .map_err(fails)?;
    let (mut orders, mut last) = (generator.stdin.take(), String::new());
    for line in generator.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
        last = line.map_err(fails)?;
        if last == "kill it" {
            let (killed, ready) = server.kill()?;
            if let Some(orders) = &mut orders {
                writeln!(orders, "{} {killed} {ready}", server.pid()).map_err(fails)?;
            }
        }
    }
    let ended = generator.wait().map_err(fails)?;
    if !ended.success() {
        return Err(format!("the generator ended with {ended}\n{}", server.last_words()));
    }
    let mut figures: Figures =
        serde_json::from_str(&last).map_err(|error| format!("the generator said something strange: {error}"))?;
    if spec.peer.is_kept() {
        // Else something else was measured.
        let status = server.status().map_err(|error| format!("no status: {error}"))?;
        for what in ["survival", "recording"] {
            let on = status[what].as_str().is_some_and(|text| text.starts_with("on"));
            if on != (what == "survival" || spec.peer == Peer::Recorded) {
                figures.faults.push(format!("{what} is {}", status[what]));
            }
        }
        let counter = |name: &str| status["counters"][name].as_f64().unwrap_or(f64::NAN);
        if spec.peer == Peer::Recorded {
            figures.set("unrecorded", counter("history_lost") / counter("lines_said"));
        }
    }
    if !figures.faults.is_empty() {
        let words = server.last_words();
        if !words.is_empty() {
            figures.faults.push(format!("the server's last words:\n{words}"));
        }
    }
    Ok(figures)
}

/// Writes `target/bench/SCENARIO.json`, and the plot for the curve.
fn keep(scenario: &Scenario, outcomes: &[Outcome], remarks: &[String], options: &Options) -> std::io::Result<()> {
    let dir: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    fs::create_dir_all(&dir)?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let report = json!({
        "scenario": scenario.name,
        "machine": {
            "cores": std::thread::available_parallelism()?.get(),
            "kernel": kernel.trim(),
        },
        "repetitions": options.reps,
        "measured_s": options.measure.as_secs_f64(),
        "remarks": remarks,
        "cells": outcomes.iter().map(Outcome::json).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&report)?;
    fs::write(dir.join(format!("{}.json", scenario.name)), text + "\n")?;
    if scenario.name == "curve" {
        fs::write(dir.join("curve.svg"), report::plot(outcomes, scenario.columns))?;
    }
    Ok(())
}
