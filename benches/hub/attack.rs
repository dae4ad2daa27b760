//! What strangers can do to the hub, and what an innocent pair notices of it: one attack, one row.
//!
//! For each attack a chathub is started as it is installed, with no more memory than `check-config` prints, and a tenth
//! ([`confined`](crate::confined)). The pair talks in a room of its own, from an
//! address of its own, within the pace of two people; so does whoever asks for `status`. The attackers are a
//! process of their own ([`strike`]). Everything is sent when it is due and not when the line before has come,
//! so a standstill is measured for every line that fell into it, and what never comes counts as well.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::confined::{Confined, Held};
use crate::histogram::Histogram;
use crate::peers::{Peer, Running};
use crate::proc::{now, pss_of};
use crate::report;
use crate::strike::{ATTACKS, Attack};

/// How long the pair talks undisturbed, how long an attack lasts once all attackers are in place, and how long
/// they may take for that.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    calm: Duration,
    attack: Duration,
    muster: Duration,
    /// From the end of the attack until memory is looked at again.
    after: Duration,
}

pub(crate) const USUAL: Times = Times {
    calm: Duration::from_secs(3),
    attack: Duration::from_secs(15),
    muster: Duration::from_secs(20),
    after: Duration::from_secs(6),
};
pub(crate) const QUICK: Times = Times {
    calm: Duration::from_secs(1),
    attack: Duration::from_secs(3),
    muster: Duration::from_secs(10),
    after: Duration::from_secs(3),
};

/// What the hub that is attacked has for settings.
const SETTINGS: &str = "attacks.toml";

/// Between two lines of the pair: half of what two people may say in the long run.
const EVERY: Duration = Duration::from_millis(100);
/// What is still under way so long after the last line counts as lost.
const LATE: Duration = Duration::from_secs(10);
/// How often memory is looked at, and `status` asked for.
const LOOK: Duration = Duration::from_millis(200);
const ASK: Duration = Duration::from_millis(500);
/// How long an answer to `status` may take, and a newcomer's greeting.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pair's address, and those of newcomers.
const PAIR: Ipv4Addr = Ipv4Addr::new(127, 200, 0, 1);
const NEWCOMER: Ipv4Addr = Ipv4Addr::new(127, 201, 0, 1);

/// Runs the attacks whose names are given, or all, and prints one table. Whether all could be run.
pub(crate) fn table(names: &[String], times: Times) -> bool {
    let wanted = |attack: &&Attack| names.is_empty() || names.iter().any(|name| name == attack.name);
    let mut rows = vec![TITLES.iter().map(ToString::to_string).collect()];
    let (mut remarks, mut sound, mut kept) = (Vec::new(), true, Vec::new());
    for attack in ATTACKS.iter().filter(wanted) {
        eprintln!("   {}", attack.name);
        match run(attack, times) {
            Ok(figures) => {
                rows.push(row(attack, &figures));
                remarks.extend(figures.remarks.iter().map(|remark| format!("{}: {remark}", attack.name)));
                kept.push(json!({"attack": attack.name, "figures": figures.values, "remarks": figures.remarks}));
            }
            Err(why) => {
                sound = false;
                remarks.push(format!("FAULT: {}: {why}", attack.name));
            }
        }
    }
    println!("\n## attacks\n");
    print!("{}", report::align(&rows));
    for remark in &remarks {
        println!("{remark}");
    }
    let path: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    let text = serde_json::to_string_pretty(&kept).expect("plain");
    if let Err(error) = fs::create_dir_all(&path).and_then(|()| fs::write(path.join("attacks.json"), text + "\n")) {
        eprintln!("cannot write the results: {error}");
        sound = false;
    }
    sound
}

const TITLES: &[&str] = &[
    "attack",
    "by",
    "p50 ms before",
    "p99",
    "longest",
    "p50 ms under attack",
    "p99",
    "longest",
    "lines lost",
    "RSS MB before",
    "most",
    "after",
    "PSS MB before",
    "after",
    "kernel MB most",
    "status ms longest",
    "turn ms longest",
    "limit MB",
    "of it most",
    "kernel limit MB",
    "of it most",
    "times met",
];

#[derive(Default)]
struct Found {
    values: BTreeMap<&'static str, f64>,
    remarks: Vec<String>,
}

fn row(attack: &Attack, found: &Found) -> Vec<String> {
    let names = [
        "calm_p50_ms",
        "calm_p99_ms",
        "calm_longest_ms",
        "p50_ms",
        "p99_ms",
        "longest_ms",
        "lost",
        "rss_before",
        "rss_most",
        "rss_after",
        "pss_before",
        "pss_after",
        "kernel_most",
        "status_ms",
        "turn_ms",
        "limit",
        "limited_most",
        "kernel_limit",
        "kernel_limited_most",
        "limit_met",
    ];
    let shown = |name: &str| match found.values.get(name) {
        None => "-".to_owned(),
        Some(value) if value.is_infinite() => "none".to_owned(),
        Some(value) if *value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.1}"),
    };
    let mut row = vec![attack.name.to_owned(), attack.by.to_owned()];
    row.extend(names.iter().map(|name| shown(name)));
    row
}

fn run(attack: &Attack, times: Times) -> Result<Found, String> {
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(SETTINGS);
    let confined = Confined::to_sum_of(&settings)?;
    let mut server = Running::start_in(Peer::Recorded, SETTINGS, Some(confined))?;
    let mut found = Found::default();
    let watch = Watch::begin(server.pid(), server.admin());
    let outcome = under(attack, times, &server, &watch, &mut found);
    if let Some(held) = server.held() {
        within(&held, &mut found);
    }
    if let Some(status) = server.ended() {
        found.remarks.push(format!("the server DIED: {status}"));
    }
    if outcome.is_err() {
        found.remarks.push(format!("the server's last words: {}", server.last_words()));
    }
    watch.end(&mut found);
    outcome.map(|()| found)
}

/// What the limit has come to.
fn within(held: &Held, found: &mut Found) {
    let values = [
        ("limit", Some(held.limit)),
        ("limited_most", held.most),
        ("kernel_limit", held.kernel_limit),
        ("kernel_limited_most", held.kernel_most),
    ];
    for (name, value) in values {
        if let Some(bytes) = value {
            found.values.insert(name, megabytes(bytes));
        }
    }
    if let Some(failures) = held.failures {
        found.values.insert("limit_met", failures as f64);
    }
    found.remarks.push(format!("memory was limited by {}", held.by));
}

fn under(attack: &Attack, times: Times, server: &Running, watch: &Watch, found: &mut Found) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let room = attack.room.unwrap_or("innocent");
    let pair = Pair::come(server.port, room).map_err(text)?;
    pair.talk_for(times.calm);
    pair.tell("calm_p50_ms", "calm_p99_ms", "calm_longest_ms", found);
    let (rss, pss) = (rss_of(server.pid()), pss_of(server.pid()));
    found.values.insert("rss_before", megabytes(rss));
    found.values.insert("pss_before", megabytes(pss));
    watch.reset();
    let mut attackers = Attackers::start(attack, server).map_err(text)?;
    let begun = Instant::now();
    let mut mustered = None;
    loop {
        pair.talk_for(Duration::from_millis(500));
        if mustered.is_none() && attackers.is_in_place() {
            mustered = Some(Instant::now());
        }
        let since = mustered.unwrap_or(begun + times.muster);
        if Instant::now() > since + times.attack {
            break;
        }
    }
    match mustered {
        Some(at) => drop(found.values.insert("muster_s", (at - begun).as_secs_f64())),
        None => found.remarks.push("the attackers did not get into their places".to_owned()),
    }
    if attack.newcomer {
        let remark = match greeted(server.port) {
            Ok(took) => format!("a newcomer was greeted within {:.0} ms", took.as_secs_f64() * 1e3),
            Err(why) => format!("a newcomer was not greeted: {why}"),
        };
        found.remarks.push(remark);
    }
    let told = attackers.stop();
    found.remarks.extend(told);
    pair.tell("p50_ms", "p99_ms", "longest_ms", found);
    found.values.insert("lost", pair.lost() as f64);
    if let Some(why) = pair.broken() {
        found.remarks.push(format!("the pair was disconnected: {why}"));
    }
    watch.tell(found);
    pair.go();
    thread::sleep(times.after);
    found.values.insert("rss_after", megabytes(rss_of(server.pid())));
    found.values.insert("pss_after", megabytes(pss_of(server.pid())));
    if let Ok(status) = server.status() {
        turns(&status, found);
    }
    Ok(())
}

/// What `status` tells of the turns of the daemon's loop, where it does.
fn turns(status: &Value, found: &mut Found) {
    let Some(turns) = status.get("turns").filter(|turns| !turns.is_null()) else { return };
    if let Some(longest) = turns["longest_us"].as_f64() {
        found.values.insert("turn_ms", longest / 1e3);
    }
    let doing = turns["longest_doing"].as_str().unwrap_or_default();
    found.remarks.push(format!("the longest turn was {doing}; turns: {}", turns["histogram"]));
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Resident memory, in bytes.
fn rss_of(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// What the kernel holds for all TCP sockets of the machine, in bytes.
fn kernel() -> u64 {
    let stat = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = stat.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem").skip(1);
    words.next().and_then(|word| word.parse::<u64>().ok()).map_or(0, |pages| pages * 4096)
}

// ---------------------------------------------------------------------------------------------
// What is watched meanwhile

#[derive(Default)]
struct Seen {
    rss: AtomicU64,
    kernel: AtomicU64,
    /// The longest that an answer to `status` took, in nanoseconds; `u64::MAX` if one did not come.
    status: AtomicU64,
    over: AtomicBool,
}

/// Looks at the daemon's memory and asks for its status, all the while.
struct Watch {
    seen: Arc<Seen>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Watch {
    fn begin(pid: i32, admin: PathBuf) -> Self {
        let seen = Arc::new(Seen::default());
        let (looks, asks) = (seen.clone(), seen.clone());
        let looking = thread::spawn(move || {
            while !looks.over.load(Ordering::Relaxed) {
                looks.rss.fetch_max(rss_of(pid), Ordering::Relaxed);
                looks.kernel.fetch_max(kernel(), Ordering::Relaxed);
                thread::sleep(LOOK);
            }
        });
        let asking = thread::spawn(move || {
            while !asks.over.load(Ordering::Relaxed) {
                let begun = now();
                let took =
                    if ask(&admin, &json!({"id": 1, "cmd": "status"})).is_ok() { now() - begun } else { u64::MAX };
                asks.status.fetch_max(took, Ordering::Relaxed);
                thread::sleep(ASK);
            }
        });
        Self { seen, threads: vec![looking, asking] }
    }

    fn reset(&self) {
        for most in [&self.seen.rss, &self.seen.kernel, &self.seen.status] {
            most.store(0, Ordering::Relaxed);
        }
    }

    fn tell(&self, found: &mut Found) {
        found.values.insert("rss_most", megabytes(self.seen.rss.load(Ordering::Relaxed)));
        found.values.insert("kernel_most", megabytes(self.seen.kernel.load(Ordering::Relaxed)));
        let status = self.seen.status.load(Ordering::Relaxed);
        found.values.insert("status_ms", if status == u64::MAX { f64::INFINITY } else { status as f64 / 1e6 });
    }

    fn end(self, found: &mut Found) {
        self.seen.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                found.remarks.push("nobody watched to the end".to_owned());
            }
        }
    }
}

/// One request on chathub's admin socket.
pub(crate) fn ask(admin: &Path, request: &Value) -> io::Result<Value> {
    let mut stream = UnixStream::connect(admin)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    serde_json::from_str(&answer).map_err(io::Error::other)
}

// ---------------------------------------------------------------------------------------------
// The innocent

pub(crate) fn connect(from: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The port is chosen when it is known where to: one address has as many for each other end.
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into(), PATIENCE)?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// How long it takes until somebody who comes now is greeted.
fn greeted(port: u16) -> io::Result<Duration> {
    let begun = Instant::now();
    let stream = connect(NEWCOMER, port)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.contains("Welcome to ") { Ok(begun.elapsed()) } else { Err(io::Error::other(format!("{line:?}"))) }
}

/// When each line was said that was not heard yet, by number; and how long the others took.
struct Heard {
    under_way: HashMap<u64, u64>,
    took: Histogram,
    broken: Option<String>,
}

/// Two who talk with each other.
struct Pair {
    streams: [TcpStream; 2],
    heard: Arc<Mutex<Heard>>,
    said: AtomicU64,
}

impl Pair {
    fn come(port: u16, room: &str) -> io::Result<Self> {
        let heard = Heard { under_way: HashMap::new(), took: Histogram::new(), broken: None };
        let heard = Arc::new(Mutex::new(heard));
        let mut streams = Vec::new();
        for _ in 0..2 {
            let mut stream = connect(PAIR, port)?;
            if room != "lobby" {
                stream.write_all(format!("/join {room}\n").as_bytes())?;
            }
            let (reading, heard) = (stream.try_clone()?, heard.clone());
            thread::spawn(move || listen(reading, &heard));
            streams.push(stream);
        }
        let pair = Self { streams: streams.try_into().expect("two"), heard, said: AtomicU64::new(0) };
        // What is heard of the first lines shows that both are there.
        let deadline = Instant::now() + PATIENCE;
        while pair.heard().took.most() == 0 {
            pair.talk_for(EVERY);
            if Instant::now() > deadline {
                return Err(io::Error::other("the pair does not hear each other"));
            }
        }
        let mut heard = pair.heard();
        heard.under_way.clear();
        heard.took = Histogram::new();
        drop(heard);
        Ok(pair)
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is due for so long.
    fn talk_for(&self, span: Duration) {
        let begun = Instant::now();
        let mut due = begun;
        while due < begun + span {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let number = self.said.fetch_add(1, Ordering::Relaxed);
            self.heard().under_way.insert(number, now());
            let mut stream = &self.streams[number as usize % 2];
            if let Err(error) = stream.write_all(format!("innocent {number}\n").as_bytes()) {
                self.heard().broken.get_or_insert(error.to_string());
            }
            due += EVERY;
        }
        // Not a line more, however often this is called.
        thread::sleep((begun + span).saturating_duration_since(Instant::now()));
    }

    /// Waits for what is under way, notes how long it all took, and begins anew.
    fn tell(&self, p50: &'static str, p99: &'static str, longest: &'static str, found: &mut Found) {
        let deadline = Instant::now() + LATE;
        while !self.heard().under_way.is_empty() && Instant::now() < deadline && self.heard().broken.is_none() {
            thread::sleep(Duration::from_millis(10));
        }
        let mut heard = self.heard();
        let at = now();
        let waiting: Vec<u64> = heard.under_way.values().map(|said| at - said).collect();
        waiting.into_iter().for_each(|waited| heard.took.record(waited));
        let took = std::mem::replace(&mut heard.took, Histogram::new());
        found.values.insert(p50, took.quantile(0.5) as f64 / 1e6);
        found.values.insert(p99, took.quantile(0.99) as f64 / 1e6);
        found.values.insert(longest, took.most() as f64 / 1e6);
    }

    fn lost(&self) -> usize {
        self.heard().under_way.len()
    }

    fn broken(&self) -> Option<String> {
        self.heard().broken.clone()
    }

    fn go(self) {
        for stream in &self.streams {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn listen(stream: TcpStream, heard: &Mutex<Heard>) {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    let why = loop {
        line.clear();
        match lines.read_line(&mut line) {
            Ok(0) => break "end of stream".to_owned(),
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
        let number = line.split_once("innocent ").and_then(|(_, number)| number.trim_end().parse::<u64>().ok());
        let at = now();
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(said) = number.and_then(|number| heard.under_way.remove(&number)) {
            heard.took.record(at - said);
        }
    };
    heard.lock().unwrap_or_else(PoisonError::into_inner).broken.get_or_insert(why);
}

// ---------------------------------------------------------------------------------------------
// The attackers' process

struct Attackers {
    child: Child,
    stdin: Option<ChildStdin>,
    told: mpsc::Receiver<String>,
    /// What they have said so far, but that they are in place.
    remarks: Vec<String>,
    in_place: bool,
}

impl Attackers {
    fn start(attack: &Attack, server: &Running) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--role-attack", attack.name, &server.port.to_string()])
            .arg(server.admin())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let (tells, told) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| tells.send(line))
        });
        Ok(Self { child, stdin, told, remarks: Vec::new(), in_place: false })
    }

    fn take(&mut self, line: String) {
        if line == IN_PLACE {
            self.in_place = true;
        } else {
            self.remarks.push(line);
        }
    }

    /// Whether they are all where they want to be.
    fn is_in_place(&mut self) -> bool {
        while let Ok(line) = self.told.try_recv() {
            self.take(line);
        }
        self.in_place
    }

    /// Ends the attack. What its process has to tell.
    fn stop(&mut self) -> Vec<String> {
        drop(self.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(3);
        while let Ok(line) = self.told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.take(line);
        }
        self.child.kill().ok();
        self.child.wait().ok();
        std::mem::take(&mut self.remarks)
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What the attackers say when they are all where they want to be.
pub(crate) const IN_PLACE: &str = "in place";

/// All names, for the help.
pub(crate) fn names() -> String {
    ATTACKS.iter().fold(String::new(), |mut text, attack| {
        let _ = write!(text, " {}", attack.name);
        text
    })
}

/// Whether a read or write that failed may succeed later.
pub(crate) fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Discards what there is to read. Whether the connection is still there.
pub(crate) fn drain(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    match stream.read(buffer) {
        Ok(count) => count > 0,
        Err(error) => is_later(&error),
    }
}
