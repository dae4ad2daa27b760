//! `chathub-web` as Prometheus, a browser and strangers meet it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chathub::standing::{Certificate, Standing};
use chathub::wire::admin::metrics::table;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::accounts::with_password;
use crate::guard::Guard;
use crate::stage::{Client, Daemon, Deadline, HANGS, Setup, Story, UNPACED, have};

const OPEN: &str = "Accept: application/openmetrics-text;version=1.0.0\r\n";

/// A running `chathub-web`; killed when dropped.
struct Web {
    child: Child,
    addr: SocketAddr,
    story: Story,
    deadline: Deadline,
    _guard: Guard,
}

impl Web {
    /// One that asks the hub at `socket`.
    #[track_caller]
    fn start(socket: &Path, story: &Story) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chathub-web"));
        command.args(["--listen", "127.0.0.1:0", "--socket"]).arg(socket);
        command.arg("--tls-status").arg(socket.with_file_name("status.json"));
        Self::run(command, story)
    }

    #[track_caller]
    fn run(mut command: Command, story: &Story) -> Self {
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] {
            command.env_remove(name);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let told = story.clone();
        let mut line = String::new();
        let addr = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it has ended");
            told.tell("web", "|", line.as_bytes());
            if let Some(addr) = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()) {
                break addr.parse().unwrap();
            }
        };
        std::thread::spawn(move || {
            log.lines().map_while(Result::ok).for_each(|line| told.tell("web", "|", line.as_bytes()))
        });
        let (story, told) = (story.clone(), story.clone());
        Self { child, addr, story, deadline: Deadline::new(), _guard: Guard::new(HANGS, move || told.text()) }
    }

    #[track_caller]
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(self.deadline.left())).unwrap();
        stream.set_write_timeout(Some(self.deadline.left())).unwrap();
        stream
    }

    /// Sends these bytes, and returns all that comes until the connection is closed.
    #[track_caller]
    fn exchange(&self, request: &[u8]) -> String {
        self.story.tell("scraper", ">", request);
        let mut stream = self.connect();
        // It can be closed before all is sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        }
        self.story.tell("scraper", "<", &answer);
        String::from_utf8(answer).unwrap()
    }

    /// The status, the headers and the text of a page.
    #[track_caller]
    fn page(&self, path: &str, headers: &str) -> (u16, String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: hub\r\n{headers}Connection: close\r\n\r\n");
        split(&self.exchange(request.as_bytes()))
    }

    /// What is measured, by series.
    #[track_caller]
    fn metrics(&self) -> BTreeMap<String, f64> {
        let (status, _, text) = self.page("/metrics", "");
        assert_eq!(status, 200);
        values(&text)
    }

    /// Ends it by a signal, and returns its exit code.
    fn end(mut self) -> Option<i32> {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn split(answer: &str) -> (u16, String, String) {
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(answer);
    (status, head.to_owned(), text.to_owned())
}

fn values(text: &str) -> BTreeMap<String, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// A hub with a socket for monitoring, and its program beside it.
fn hub_and_web() -> (Daemon, Web) {
    beside(Setup::new())
}

fn beside(setup: Setup) -> (Daemon, Web) {
    let chat = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = UnixListener::bind(setup.path("admin.sock")).unwrap();
    let monitor = UnixListener::bind(setup.path("monitor.sock")).unwrap();
    let daemon = setup.handed(vec![chat.into(), admin.into(), monitor.into()], Some("chat:admin:monitor")).start();
    let web = Web::start(&daemon.path("monitor.sock"), &daemon.story);
    (daemon, web)
}

/// A hub that is played: each question waits until the test answers it.
struct Played {
    dir: TempDir,
    listener: UnixListener,
}

impl Played {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let listener = UnixListener::bind(dir.path().join("monitor.sock")).unwrap();
        Self { dir, listener }
    }

    /// Takes the next question.
    fn asked(&self) -> UnixStream {
        let (stream, _) = self.listener.accept().unwrap();
        let mut question = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut question).unwrap();
        let question: Value = serde_json::from_str(&question).unwrap();
        assert_eq!((&question["cmd"], &question["args"]), (&json!("metrics"), &json!({"families": true})));
        stream
    }

    fn answer(mut stream: UnixStream, clients: u64) {
        let family =
            json!({"name": "chathub_clients", "kind": "gauge", "about": "Clients.", "samples": [{"value": clients}]});
        let answer = json!({"id": 1, "ok": true, "result": {"families": [family]}});
        stream.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
}

/// As `chathub-tls` writes it that has two certificates for one name, one of which has ended.
fn standing() -> Standing {
    let certificate = |until| Certificate { name: "chat.example.org".into(), from: 1, until };
    Standing {
        written: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        serves: true,
        certificates: vec![certificate(4_102_444_800), certificate(2)],
        outcomes: [("handed_over".to_owned(), 7)].into(),
        ..Standing::default()
    }
}

#[test]
fn metrics_of_chathub_tls_come_from_its_status_file_also_without_the_hub() {
    let dir = TempDir::new().unwrap();
    let web = Web::start(&dir.path().join("monitor.sock"), &Story::default());
    let up =
        || web.metrics().into_iter().filter(|(name, _)| name.starts_with("chathub_tls_")).collect::<BTreeMap<_, _>>();
    assert_eq!(up(), BTreeMap::new(), "it was never started");
    let value = |standing: Standing| {
        standing.write(dir.path()).unwrap();
        let values = up();
        (values["chathub_tls_up"], values["chathub_tls_certificates_refused"])
    };
    assert_eq!(value(standing()), (1.0, 0.0));
    assert_eq!(value(Standing { refused: Some("key.pem: no".into()), ..standing() }), (1.0, 1.0));
    assert_eq!(value(Standing { serves: false, refused: Some("it has expired".into()), ..standing() }), (0.0, 1.0));
    // It was killed a while ago.
    let old = standing().written - 120;
    assert_eq!(value(Standing { written: old, ..standing() }), (0.0, 0.0));
    std::fs::write(dir.path().join("status.json"), "gibberish").unwrap();
    assert_eq!(up(), BTreeMap::from([("chathub_tls_up".to_owned(), 0.0)]));
    Standing::take_away(dir.path());
    assert_eq!(up(), BTreeMap::new(), "it was stopped");
    assert_eq!(web.end(), Some(0));
}

#[test]
fn what_the_table_names_is_served_and_nothing_else_in_both_formats() {
    let (daemon, web) = hub_and_web();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("hello");
    bob.expect("ann: hello");
    let addr = daemon.addr();
    standing().write(daemon.path("monitor.sock").parent().unwrap()).unwrap();
    let named: Vec<String> = table::all().flat_map(|metric| metric.series()).collect();
    let texts = ["", OPEN].map(|accept| {
        let (status, head, text) = web.page("/metrics", accept);
        assert_eq!(status, 200, "{head}");
        let bare = |line: &str| line.split(['{', ' ']).next().unwrap().to_owned();
        let served: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(bare).collect();
        for name in &named {
            assert!(served.contains(name), "{name} is not served:\n{text}");
        }
        for name in &served {
            assert!(named.contains(name), "{name} is in no table");
        }
        (head, text)
    });
    assert!(texts[0].0.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{}", texts[0].0);
    assert!(texts[1].0.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", texts[1].0);
    assert!(texts[1].1.ends_with("\n# EOF\n") && !texts[0].1.contains("EOF"));
    let values = values(&texts[0].1);
    for (series, value) in [
        ("chathub_up", 1.0),
        ("chathub_clients", 2.0),
        ("chathub_clients_by_state{state=\"guest\"}", 2.0),
        ("chathub_clients_by_state{state=\"operator\"}", 0.0),
        ("chathub_sanctions{kind=\"ban\"}", 0.0),
        (&format!("chathub_listener_connections_total{{addr=\"{addr}\",listener=\"chat\"}}"), 2.0),
        ("chathub_lines_said_total", 1.0),
        ("chathub_clients_behind", 0.0),
        ("chathub_client_behind_bytes_sum", 0.0),
        ("chathub_unread", 0.0),
        ("chathub_recording", 1.0),
        ("chathub_tls_up", 1.0),
        ("chathub_tls_certificate_expires_seconds{certificate=\"1\",name=\"chat.example.org\"}", 4_102_444_800.0),
        ("chathub_tls_certificate_expires_seconds{certificate=\"2\",name=\"chat.example.org\"}", 2.0),
        ("chathub_tls_handshakes_total{outcome=\"handed_over\"}", 7.0),
        ("chathub_tls_handshakes_total{outcome=\"failed\"}", 0.0),
        ("chathub_tls_certificates_refused", 0.0),
    ] {
        assert_eq!(values.get(series), Some(&value), "{series}:\n{}", texts[0].1);
    }
    // Bob was written ann's line, and ann that bob had come; renaming is told as well.
    assert!(values["chathub_deliveries_total"] >= 2.0, "{values:?}");
    assert!(values["chathub_bytes_read_total"] >= "hello\n".len() as f64, "{values:?}");
    assert_eq!(values["chathub_client_behind_bytes_bucket{le=\"0\"}"], values["chathub_client_behind_bytes_count"]);
    // What `chathub ctl` prints is the same, without what chathub-web adds.
    let printed = daemon.ctl(&["metrics"]).done();
    let heads =
        |text: &str| text.lines().filter(|line| line.starts_with("# HELP")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(heads(&printed), heads(&texts[1].1)[table::WEB.len() + table::TLS.len()..]);
    if have("promtool") {
        for (head, text) in &texts {
            // It reads the older format only.
            if head.contains("text/plain") {
                let mut child = Command::new("promtool")
                    .args(["check", "metrics"])
                    .stdin(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap();
                child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
                let output = child.wait_with_output().unwrap();
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success() && told.is_empty(), "{told}\n{text}");
            }
        }
    }
    assert_eq!(web.end(), Some(0));
}

#[test]
fn people_are_counted_by_what_they_are_and_sanctions_by_their_kind() {
    let (daemon, web) =
        beside(Setup::new().settings("[accounts]\nentry = 'registered'\nmemory = '64KiB'\npasses = 1\n"));
    for (name, role) in [("ann", "operator"), ("bob", "member")] {
        with_password(&daemon, &["account", "add", name, "--role", role, "--password-stdin"], "correct horse");
    }
    let people = ["/login ann correct horse", "/login bob correct horse", "/who"].map(|line| {
        let mut one = Client::connect(&daemon, daemon.addr(), "somebody");
        one.send(line);
        one
    });
    daemon.ctl(&["ban", "add", "192.0.2.7", "--for", "1h"]).done();
    daemon.ctl(&["ban", "add", "192.0.2.8", "--for", "1h"]).done();
    daemon.ctl(&["lockdown", "--for", "1h"]).done();
    let kinds = |label: &str, metrics: &BTreeMap<String, f64>| -> Vec<(String, f64)> {
        let of = metrics
            .iter()
            .filter_map(|(series, value)| Some((series.strip_prefix(label)?.split('"').nth(1)?.to_owned(), *value)));
        of.filter(|(_, value)| *value > 0.0).collect()
    };
    let named =
        |list: &[(&str, f64)]| list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<Vec<_>>();
    // Passwords are checked while others have their turn.
    let mut metrics = web.metrics();
    while kinds("chathub_clients_by_state{", &metrics) != named(&[("door", 1.0), ("member", 1.0), ("operator", 1.0)]) {
        assert!(!web.deadline.is_over(), "{metrics:#?}");
        metrics = web.metrics();
    }
    assert_eq!(metrics["chathub_accounts"], 2.0);
    // The first of them may have been measured before the last command.
    while metrics["chathub_lockdown"] != 1.0 {
        assert!(!web.deadline.is_over(), "{metrics:#?}");
        metrics = web.metrics();
    }
    assert_eq!(kinds("chathub_sanctions{", &metrics), named(&[("ban", 2.0), ("lockdown", 1.0)]));
    drop(people);
}

#[test]
fn whoever_does_not_read_is_counted_as_behind_until_they_are_gone() {
    let (daemon, web) = beside(Setup::new().settings(&format!("{UNPACED}steady = 0\n[moderation]\nrepeats = 0\n")));
    let slow = Client::connect_narrow(&daemon, "slow");
    let mut ann = daemon.client("ann");
    let mut metrics = web.metrics();
    while metrics["chathub_clients_behind"] == 0.0 {
        assert!(!web.deadline.is_over(), "{metrics:#?}");
        (0..500).for_each(|_| ann.send(&"x".repeat(800)));
        ann.sync();
        metrics = web.metrics();
    }
    assert_eq!(metrics["chathub_clients_behind"], 1.0);
    let (bucket, count) =
        (metrics["chathub_client_behind_bytes_bucket{le=\"0\"}"], metrics["chathub_client_behind_bytes_count"]);
    assert!(bucket < count && metrics["chathub_client_behind_bytes_sum"] > 0.0, "{metrics:#?}");
    assert!(metrics["chathub_sockets_full_total"] >= 1.0 && metrics["chathub_deliveries_total"] > 0.0, "{metrics:#?}");
    drop(slow);
    while metrics["chathub_clients_behind"] != 0.0 {
        assert!(!web.deadline.is_over(), "{metrics:#?}");
        metrics = web.metrics();
    }
}

#[test]
fn a_hub_that_is_away_is_told_as_a_value_and_found_again_when_it_is_back() {
    let story = Story::default();
    let hub = Played::new();
    let path = hub.dir.path().join("monitor.sock");
    drop(hub.listener);
    std::fs::remove_file(&path).unwrap();
    let web = Web::start(&path, &story);
    let metrics = web.metrics();
    assert_eq!(metrics["chathub_up"], 0.0);
    assert!(!metrics.contains_key("chathub_clients"), "{metrics:?}");
    assert_eq!(web.page("/-/healthy", "").0, 200);
    assert!(web.page("/", "").2.contains("The hub does not answer: "));
    // Who listens there and answers nonsense is no hub; neither is one of another release that refuses.
    let listener = UnixListener::bind(&path).unwrap();
    let hub = Played { dir: hub.dir, listener };
    for nonsense in [
        "{\"id\":1,\"ok\":true,\"result\":{}}\n",
        "hello\n",
        "{\"id\":1,\"ok\":false,\"error\":{\"code\":\"denied\",\"message\":\"no\"}}\n",
        "",
    ] {
        let answered = AtomicBool::new(false);
        let up = std::thread::scope(|scope| {
            // What was answered within the last second is told again.
            let asking = scope.spawn(|| {
                while !answered.load(Ordering::Relaxed) {
                    web.metrics();
                }
                web.metrics()["chathub_up"]
            });
            hub.asked().write_all(nonsense.as_bytes()).unwrap();
            answered.store(true, Ordering::Relaxed);
            // A question that follows is answered with the end of the connection.
            hub.listener.set_nonblocking(true).unwrap();
            while !asking.is_finished() {
                drop(hub.listener.accept());
                std::thread::yield_now();
            }
            hub.listener.set_nonblocking(false).unwrap();
            asking.join().unwrap()
        });
        assert_eq!(up, 0.0, "{nonsense:?}");
    }
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| while web.metrics().get("chathub_clients") != Some(&7.0) {});
        Played::answer(hub.asked(), 7);
        asking.join().unwrap();
    });
}

#[test]
fn however_many_ask_at_a_time_the_hub_is_asked_once() {
    let (story, hub) = (Story::default(), Played::new());
    let web = Web::start(&hub.dir.path().join("monitor.sock"), &story);
    let mut scrapers: Vec<_> = (0..40).map(|_| web.connect()).collect();
    for scraper in &mut scrapers {
        scraper.write_all(b"GET /metrics HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n").unwrap();
    }
    let question = hub.asked();
    // Some of those who wait go away: nobody else notices.
    scrapers.truncate(30);
    // Meanwhile the program answers what it knows by itself.
    assert_eq!(web.page("/-/healthy", "").0, 200);
    Played::answer(question, 3);
    for mut scraper in scrapers {
        let mut answer = String::new();
        scraper.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\nchathub_clients 3\n"), "{answer}");
    }
    hub.listener.set_nonblocking(true).unwrap();
    assert!(hub.listener.accept().is_err(), "the hub was asked again");
}

#[test]
fn what_is_no_request_for_a_page_is_refused_and_nothing_behind_it_is_read() {
    let (story, hub) = (Story::default(), Played::new());
    let web = Web::start(&hub.dir.path().join("monitor.sock"), &story);
    let long = "a".repeat(20_000);
    let many = "X-A: b\r\n".repeat(100);
    let behind = "GET /-/healthy HTTP/1.1\r\nHost: hub\r\n\r\n";
    let host = "Host: hub\r\n";
    let cases: Vec<(&str, String)> = vec![
        ("404", format!("GET /metrics/ HTTP/1.1\r\n{host}Connection: close\r\n\r\n")),
        ("404", format!("GET /../etc/passwd HTTP/1.1\r\n{host}Connection: close\r\n\r\n")),
        ("404", format!("GET //metrics HTTP/1.1\r\n{host}Connection: close\r\n\r\n")),
        ("404", format!("GET /%6detrics HTTP/1.1\r\n{host}Connection: close\r\n\r\n")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}{host}\r\n{behind}")),
        ("405", format!("POST /metrics HTTP/1.1\r\n{host}\r\n{behind}")),
        ("405", format!("POST /metrics HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\nhello{behind}")),
        ("405", format!("DELETE / HTTP/1.1\r\n{host}\r\n{behind}")),
        ("405", format!("OPTIONS * HTTP/1.1\r\n{host}\r\n{behind}")),
        ("405", format!("CONNECT hub:80 HTTP/1.1\r\n{host}\r\n{behind}")),
        ("405", format!("BREW /-/healthy HTTP/1.1\r\n{host}\r\n{behind}")),
        // Two programs could take different bytes for the next request.
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}Content-Length: {}\r\n\r\n{behind}", behind.len())),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{behind}")),
        (
            "400",
            format!(
                "GET /-/healthy HTTP/1.1\r\n{host}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG{behind}"
            ),
        ),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}Content-Length: 0\r\nContent-Length: 40\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}Content-Length: +1\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\nHost : hub\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}X: a\0b\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/1.1\r\n{host}X\r\n\r\n{behind}")),
        ("400", format!("GET /-/healthy HTTP/9.9\r\n{host}\r\n{behind}")),
        ("400", format!("GET  /-/healthy HTTP/1.1\r\n{host}\r\n{behind}")),
        ("400", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned()),
        ("400", "hello\r\n\r\n".to_owned()),
        ("400", "\0\0\0\0\0\0\0\0\r\n\r\n".to_owned()),
        ("431", format!("GET /-/healthy HTTP/1.1\r\n{host}X: {long}\r\n\r\n{behind}")),
        ("431", format!("GET /-/healthy HTTP/1.1\r\n{host}{many}\r\n{behind}")),
        ("4", format!("GET /{long} HTTP/1.1\r\n{host}\r\n{behind}")),
    ];
    for (status, request) in cases {
        let answer = web.exchange(request.as_bytes());
        let shown = request.chars().take(120).collect::<String>();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown:?}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{shown:?}: {answer:?}");
        assert!(!answer.contains("is healthy"), "{shown:?}: {answer:?}");
    }
    // The beginning of HTTP/2, which is not spoken here.
    assert_eq!(web.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "");
    // What is right is answered all the same, also where it is old or unusual.
    for request in [
        "GET /-/healthy HTTP/1.0\r\n\r\n",
        "GET /-/healthy?a=b HTTP/1.0\r\n\r\n",
        "GET http://hub/-/healthy HTTP/1.1\r\nhOST: hub\r\nConnection: close\r\n\r\n",
        "\r\nGET /-/healthy HTTP/1.1\r\nHost:\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ] {
        let answer = web.exchange(request.as_bytes());
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("is healthy.\n"), "{request:?}: {answer:?}");
    }
    let (status, head, text) =
        split(&web.exchange(b"HEAD /-/healthy HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"));
    assert_eq!((status, text.as_str()), (200, ""));
    assert!(head.contains("content-length: 24"), "{head}");
}

#[test]
fn pipelined_requests_are_answered_in_order_also_after_a_half_close() {
    let (story, hub) = (Story::default(), Played::new());
    let web = Web::start(&hub.dir.path().join("monitor.sock"), &story);
    let mut stream = web.connect();
    let requests: String =
        ["/-/healthy", "/nowhere"].map(|path| format!("GET {path} HTTP/1.1\r\nHost: hub\r\n\r\n")).concat().repeat(50);
    stream.write_all(requests.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let codes: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(codes, ["200", "404"].repeat(50));
    // A byte at a time is a request, too.
    let mut stream = web.connect();
    for byte in b"GET /-/healthy HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("is healthy.\n"), "{answer}");
}

/// Connections that say nothing, stop in the middle of a request, or ask for much and read nothing.
#[test]
fn whoever_holds_connections_and_does_nothing_with_them_keeps_nobody_out() {
    let (story, hub) = (Story::default(), Played::new());
    let web = Web::start(&hub.dir.path().join("monitor.sock"), &story);
    let mut idle: Vec<_> = (0..200).map(|_| web.connect()).collect();
    for (at, stream) in idle.iter_mut().enumerate() {
        // Those that have given way do not take it.
        let _ = match at % 3 {
            0 => Ok(()),
            1 => stream.write_all(b"GET /metrics HTTP/1.1\r\nHo"),
            _ => {
                stream.set_nonblocking(true).unwrap();
                let many = "GET /nowhere HTTP/1.1\r\nHost: hub\r\n\r\n".repeat(500);
                // As much as it takes: it stops reading when nobody takes its answers.
                stream.write(many.as_bytes()).map(|_| ())
            }
        };
    }
    for _ in 0..10 {
        assert_eq!(web.page("/-/healthy", "").0, 200);
    }
    let served = std::thread::scope(|scope| {
        let asking = scope.spawn(|| web.metrics());
        Played::answer(hub.asked(), 1);
        asking.join().unwrap()
    });
    assert!(served["chathub_web_connections"] <= 64.0, "{served:?}");
    assert!(served["chathub_web_gave_way_total"] >= 136.0, "{served:?}");
    drop(idle);
    assert_eq!(web.end(), Some(0));
}

#[test]
fn an_answer_that_is_under_way_is_given_at_the_end() {
    let (story, hub) = (Story::default(), Played::new());
    let web = Web::start(&hub.dir.path().join("monitor.sock"), &story);
    let mut stream = web.connect();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: hub\r\n\r\n").unwrap();
    let mut idle = web.connect();
    let question = hub.asked();
    kill(Pid::from_raw(i32::try_from(web.child.id()).unwrap()), Signal::SIGTERM).unwrap();
    // It has begun to end when it has closed a connection on which nothing was asked.
    assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0);
    Played::answer(question, 5);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\nchathub_clients 5\n"), "{answer}");
    assert_eq!(web.end(), Some(0));
}

#[test]
fn sockets_are_taken_from_systemd_by_their_name_and_command_lines_are_checked() {
    let program = env!("CARGO_BIN_EXE_chathub-web");
    for (args, code, told) in [
        (&[][..], 2, "no socket was handed over; --listen says where to listen"),
        (&["--listen", "nowhere"], 2, "an address and a port are needed"),
        (&["--listen", "192.0.2.1:9969"], 69, "cannot listen on 192.0.2.1:9969"),
        (&["--version"], 0, ""),
        (&["--help"], 0, ""),
    ] {
        let output =
            Command::new(program).args(args).env_remove("LISTEN_FDS").env_remove("JOURNAL_STREAM").output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {err}");
        assert!(err.contains(told), "{args:?}: {err}");
    }
    if !have("systemd-socket-activate") {
        return;
    }
    let activated = |name: &str| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("systemd-socket-activate");
        command.args([
            &format!("--fdname={name}"),
            "-l",
            &port.to_string(),
            program,
            "--socket",
            "/nowhere/monitor.sock",
        ]);
        (command, port)
    };
    let story = Story::default();
    let (command, addr) = activated("metrics");
    // The program starts with the first connection.
    let knocking = std::thread::spawn(move || {
        while TcpStream::connect(addr).is_err() {
            std::thread::yield_now();
        }
    });
    let web = Web::run(command, &story);
    knocking.join().unwrap();
    assert_eq!(web.addr, addr);
    assert_eq!(web.metrics()["chathub_up"], 0.0);
    // One for another program of ours is left alone, and without any other it has nothing to do.
    let (mut command, addr) = activated("web");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while TcpStream::connect(addr).is_err() {
        std::thread::yield_now();
    }
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(78), "{told}");
    assert!(told.contains("does not know its name") && told.contains("FileDescriptorName=metrics"), "{told}");
}

/// A real Prometheus, with the rules that ship.
#[test]
fn prometheus_scrapes_it() {
    if !have("prometheus") {
        return;
    }
    let (daemon, web) = hub_and_web();
    let _ann: Client = daemon.client("ann");
    let dir = TempDir::new().unwrap();
    let rules = crate::shared::generated::in_repository("packaging/prometheus/chathub.rules.yml");
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{}]\nscrape_configs:\n- job_name: chathub\n  static_configs: [{{targets: ['{}']}}]\n",
        rules.display(),
        web.addr
    );
    std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut prometheus = Command::new("prometheus")
        .arg(format!("--config.file={}", dir.path().join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()))
        .arg(format!("--web.listen-address={addr}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ask = |path: &str| -> Option<Value> {
        let mut stream = TcpStream::connect(addr).ok()?;
        stream.set_read_timeout(Some(web.deadline.left())).ok()?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: prometheus\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    };
    let value = |query: &str| {
        ask(&format!("/api/v1/query?query={query}"))?["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    let mut last = None;
    while value("chathub_clients").as_deref() != Some("1") && !web.deadline.is_over() {
        last = ask("/api/v1/targets");
        std::thread::yield_now();
    }
    let (up, clients, build) = (value("up"), value("chathub_clients"), value("chathub_build_info"));
    let (rules, types) = (ask("/api/v1/rules"), ask("/api/v1/metadata?metric=chathub_connections"));
    let _ = prometheus.kill();
    let _ = prometheus.wait();
    assert_eq!((up.as_deref(), clients.as_deref(), build.as_deref()), (Some("1"), Some("1"), Some("1")), "{last:?}");
    let rules = rules.unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() > 10 && rules.iter().all(|rule| rule["health"] != "err"), "{rules:?}");
    // It has asked for OpenMetrics, where a counter has its name without "_total".
    assert_eq!(types.unwrap()["data"]["chathub_connections"][0]["type"], "counter");
}
