//! The same load and check for a service that runs elsewhere: `tests/system` starts this test
//! beside a container, and kills, upgrades or freezes the service in it meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::load::{Load, Service, Size, settings, told};
use crate::supervisor::PATIENCE;

/// The service, as the environment variables describe it.
struct Elsewhere {
    addr: SocketAddr,
    admin: PathBuf,
    began: Instant,
}

impl Service for Elsewhere {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn note(&self, text: &str) {
        eprintln!("{:9.4} {text}", self.began.elapsed().as_secs_f64());
    }

    fn say(&self, text: &str) -> usize {
        let mut stream = UnixStream::connect(&self.admin).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{}\n", json!({"id": 1, "cmd": "say", "args": {"text": text}})).as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
        told(&answer["result"])
    }

    fn deaths(&self) -> String {
        "see the journal of the container".to_owned()
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// If `CHATHUB_OUTSIDE_SETTINGS` is set, writes the settings that the load needs to that file.
/// Otherwise runs the load at `CHATHUB_OUTSIDE_ADDR` until standard input ends, then checks
/// everything.
#[test]
#[ignore = "is started by tests/system, beside a container"]
fn a_service_elsewhere_is_survived() {
    if let Some(path) = variable("CHATHUB_OUTSIDE_SETTINGS") {
        return std::fs::write(path, settings()).unwrap();
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let number = |name: &str, default: usize| variable(name).map_or(default, |text| text.parse().unwrap());
    let service = Elsewhere {
        addr: variable("CHATHUB_OUTSIDE_ADDR").expect("CHATHUB_OUTSIDE_ADDR").parse().unwrap(),
        admin: variable("CHATHUB_OUTSIDE_ADMIN").expect("CHATHUB_OUTSIDE_ADMIN").into(),
        began: Instant::now(),
    };
    let size = Size {
        rooms: 3,
        residents: 24,
        visitors: 8,
        every: Duration::from_millis(25),
        crowd: number("CHATHUB_OUTSIDE_CROWD", 0),
        orators: 0,
        idlers: 0,
    };
    let mut load = Load::new(&service, number("CHATHUB_SEED", 1) as u64, size);
    // Not by `eprintln!`: the test harness would capture it.
    writeln!(std::io::stderr(), "playing").unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
            over.store(true, Ordering::Relaxed);
        });
        load.play(Instant::now() + Duration::from_secs(3600), |_| over.load(Ordering::Relaxed));
    });
    let lost = load.lost();
    let tally = load.finish(|| ());
    writeln!(std::io::stderr(), "right: {tally:?}, {lost} died unseen").unwrap();
}
