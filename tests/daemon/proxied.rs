//! People who come through a proxy, which says whose connections they are.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use proxy_header::{ProxiedAddress, ProxyHeader, SslInfo, Tlv};
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Client, Daemon, Setup, have, not_tested};

/// A daemon that listens for proxies, with more settings.
fn start(settings: &str) -> Daemon {
    Setup::new().settings(&format!("listen.proxy = ['127.0.0.1:0']\n{settings}")).start()
}

/// Where it listens for proxies.
fn at(daemon: &Daemon) -> SocketAddr {
    let status = daemon.admin().done("status", &json!({}));
    let listeners = status["listeners"].as_array().unwrap();
    let proxy = listeners.iter().find(|listener| listener["name"] == "proxy").expect("it listens for proxies");
    proxy["addr"].as_str().unwrap().parse().unwrap()
}

/// How many are connected.
fn clients(daemon: &Daemon) -> u64 {
    daemon.admin().done("status", &json!({}))["clients"].as_u64().unwrap()
}

/// A connection whose header says that it is of `peer`.
fn through(daemon: &Daemon, peer: &str, name: &str) -> Client {
    let mut client = Client::connect(daemon, at(daemon), name);
    let version = if peer.starts_with('[') { "TCP6" } else { "TCP4" };
    let peer: SocketAddr = peer.parse().unwrap();
    let ours = if peer.is_ipv6() { "::1" } else { "127.0.0.1" };
    client.write(format!("PROXY {version} {} {ours} {} 6972\r\n", peer.ip(), peer.port()).as_bytes());
    client
}

fn header(peer: &str) -> ProxyHeader<'static> {
    let peer: SocketAddr = peer.parse().unwrap();
    let ours = if peer.is_ipv6() { "[::1]:6972" } else { "127.0.0.1:6972" };
    ProxyHeader::with_address(ProxiedAddress::stream(peer, ours.parse().unwrap()))
}

fn v2(header: &ProxyHeader<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.encode_v2(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_proxy_says_whose_a_connection_is_and_what_comes_behind_is_the_persons() {
    let daemon = start("");
    let mut ann = daemon.client("ann");
    let proxy = at(&daemon);
    let mut first = Client::connect(&daemon, proxy, "first");
    // All at once: header, a name, a line.
    first.write(b"PROXY TCP4 198.51.100.7 127.0.0.1 50007 6972\r\n/nick first\nhello\n");
    ann.expect_with("is now first");
    ann.expect("first: hello");
    // Byte by byte; and the header of version 2 has a line break in it, which is none of the person's.
    let mut second = Client::connect(&daemon, proxy, "second");
    for byte in v2(&header("[2001:db8::7]:50008")) {
        second.write(&[byte]);
    }
    second.greeted();
    second.rename("second");
    second.send("good morning");
    ann.expect("second: good morning");
    let mut admin = daemon.admin();
    let about = admin.about("first");
    assert_eq!((&about["addr"], &about["port"]), (&json!("198.51.100.7"), &json!(50_007)), "{about:#}");
    assert_eq!((&about["proxy"]["addr"], &about["proxy"]["encrypted"]), (&json!("127.0.0.1"), &json!(null)));
    assert_eq!(admin.about("second")["addr"], "2001:db8::7");
    assert_eq!(admin.about("ann")["proxy"], json!(null));
    let shown = daemon.ctl(&["client", "first"]).done();
    assert!(shown.contains("198.51.100.7:50007") && shown.contains("in plain text as far as there"), "{shown}");
    // To others the address is masked, as anybody's.
    let told = ann.sync().concat();
    assert!(!told.contains("198.51.100.7"), "{told}");
}

#[test]
fn bans_and_limits_are_for_the_address_that_the_proxy_says() {
    let daemon = start("limits.clients_per_address = 1");
    let mut one = through(&daemon, "198.51.100.7:1", "one");
    one.greeted();
    let told = through(&daemon, "198.51.100.7:2", "two").rest().concat();
    assert!(told.contains("from your address already"), "{told}");
    let mut other = through(&daemon, "198.51.100.8:1", "other");
    other.greeted();
    daemon.ctl(&["ban", "add", "198.51.100.7", "--reason", "floods"]).done();
    assert!(one.rest().concat().contains("you are banned"));
    assert!(through(&daemon, "198.51.100.7:3", "again").rest().concat().contains("you are banned"));
    // An IPv4 address in an IPv6 one is the same address.
    assert!(through(&daemon, "[::ffff:198.51.100.7]:4", "mapped").rest().concat().contains("you are banned"));
    other.sync();
}

/// All that is told on a connection that has sent this.
fn told(daemon: &Daemon, bytes: &[u8]) -> String {
    let mut client = Client::connect(daemon, at(daemon), "stranger");
    client.write(bytes);
    client.rest().join("\n")
}

#[test]
fn a_connection_without_a_proxy_header_is_told_so_in_words() {
    let daemon = start("proxy.wait = '1s'");
    let mut ann = daemon.client("ann");
    for bytes in [&b"hello\r\n"[..], b"\r\nhello\r\n", b"\xff\xfb\x18", b"GET / HTTP/1.1\r\n\r\n", b"P\xc3\xa4ul\n"] {
        let told = told(&daemon, bytes);
        assert!(told.starts_with("-- this port is for a proxy in front of the hub, people use another one."), "{told}");
        assert!(told.ends_with("it does not begin with a header of the PROXY protocol"), "{told}");
    }
    let malformed = told(&daemon, b"PROXY TCP4 198.51.100.700 127.0.0.1 1 2\r\nhello\r\n");
    assert!(malformed.ends_with("malformed"), "{malformed}");
    let unknown = told(&daemon, b"PROXY UNKNOWN\r\nhello\r\n");
    assert!(unknown.ends_with("does not say whose connection it is"), "{unknown}");
    let mut long = v2(&header("198.51.100.7:1"));
    long[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
    assert!(told(&daemon, &long).ends_with("too long"));
    // Nothing, or too little, in time.
    for bytes in [&b""[..], b"PROXY TCP4 198.51"] {
        let told = told(&daemon, bytes);
        assert!(told.ends_with("no header of the PROXY protocol came within 1s"), "{told}");
    }
    // A connection that ends in the middle of a header keeps nobody else waiting.
    for bytes in [&b"P"[..], b"PROXY TCP4 198.51", &v2(&header("198.51.100.7:1"))[..15]] {
        let mut half = TcpStream::connect(at(&daemon)).unwrap();
        half.write_all(bytes).unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        assert_eq!(half.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
    ann.sync();
    // Who ends before that is nobody's business.
    let gone = TcpStream::connect(at(&daemon)).unwrap();
    gone.shutdown(Shutdown::Both).unwrap();
    let metrics = daemon.ctl(&["metrics"]).done();
    let count = |cause: &str| {
        let line = metrics.lines().find(|line| line.contains(&format!("proxy_refused_total{{cause=\"{cause}\"}}")));
        line.unwrap_or_else(|| panic!("{metrics}")).rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!((count("header"), count("late"), count("stranger")), ("8".into(), "2".into(), "0".into()));
    // Logged once a minute, however many come.
    assert_eq!(daemon.log().matches("is refused, from").count(), 1, "{}", daemon.log());
    let heard = ann.sync();
    assert!(heard.is_empty(), "{heard:?}");
}

#[test]
fn only_proxies_that_are_named_are_believed_and_a_reload_names_others() {
    let daemon = start("proxy.networks = ['192.0.2.0/24']");
    let refused = through(&daemon, "198.51.100.7:1", "stranger").rest().concat();
    assert!(refused.contains("you do not come from one: people use another port"), "{refused}");
    daemon.logged("it does not come from a proxy of proxy.networks");
    let settings = "listen.proxy = ['127.0.0.1:0']\nproxy.networks = ['192.0.2.0/24', '127.0.0.0/8']\n";
    std::fs::write(daemon.path("chathub.toml"), settings).unwrap();
    daemon.ctl(&["reload"]).done();
    through(&daemon, "198.51.100.7:1", "one").greeted();
}

#[test]
fn a_health_check_of_a_proxy_is_answered_and_becomes_no_client() {
    let daemon = start("");
    let mut ann = daemon.client("ann");
    assert_eq!(told(&daemon, &v2(&ProxyHeader::with_local())), "-- the hub is here");
    daemon.admin().counter_reaches("proxy_checks", 1);
    assert_eq!((ann.sync(), clients(&daemon)), (vec![], 1));
}

/// The bound of `chathub::net::proxied::WAITING`.
#[test]
fn connections_that_say_nothing_keep_others_waiting_no_longer_than_they_are_there() {
    let daemon = start("proxy.wait = '1min'");
    let proxy = at(&daemon);
    let mut silent: Vec<TcpStream> =
        (0..chathub::net::proxied::WAITING).map(|_| TcpStream::connect(proxy).unwrap()).collect();
    let mut ann = through(&daemon, "198.51.100.7:1", "ann");
    let other = daemon.client("other");
    assert_eq!(clients(&daemon), 1, "whoever comes in front is not kept waiting");
    drop(silent.pop());
    ann.greeted();
    drop(other);
}

#[test]
fn what_the_proxy_says_of_encryption_is_shown() {
    let daemon = start("");
    let mut ssl = SslInfo::new(true, true, false, 0);
    ssl.append_tlv(Tlv::SslVersion("TLSv1.3".into()));
    ssl.append_tlv(Tlv::SslCipher("TLS_AES_256_GCM_SHA384".into()));
    ssl.append_tlv(Tlv::SslCn("ann".into()));
    let mut header = header("198.51.100.7:1");
    header.append_tlv(Tlv::Authority("chat.example.org".into()));
    header.append_tlv(Tlv::Ssl(ssl));
    let mut ann = Client::connect(&daemon, at(&daemon), "ann");
    ann.write(&v2(&header));
    ann.greeted();
    ann.rename("ann");
    ann.send("/whois ann");
    ann.expect_with("is encrypted");
    let shown = daemon.ctl(&["client", "ann"]).done();
    let expected =
        "encrypted as far as there: TLSv1.3, TLS_AES_256_GCM_SHA384, for chat.example.org, certificate of ann";
    assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(expected), "{shown}");
    assert!(daemon.ctl(&["clients"]).done().contains("encrypted"));
    // Where the proxy cannot say so, the administrator does.
    let mut bob = through(&daemon, "198.51.100.8:1", "bob");
    bob.rename("bob");
    ann.send("/whois bob");
    assert!(!ann.sync().concat().contains("is encrypted"));
    std::fs::write(daemon.path("chathub.toml"), "listen.proxy = ['127.0.0.1:0']\nproxy.encrypted = true\n").unwrap();
    daemon.ctl(&["reload"]).done();
    let mut eve = through(&daemon, "198.51.100.9:1", "eve");
    eve.rename("eve");
    ann.send("/whois eve");
    ann.expect_with("is encrypted");
    let shown = daemon.ctl(&["client", "eve"]).done();
    assert!(shown.contains("(proxy.encrypted)"), "{shown}");
}

/// A program that is ended with the test, and the directory of its configuration.
struct Running {
    child: Child,
    _dir: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts `command` with `config` in a file, and waits until it listens at `addr`.
#[track_caller]
fn run(command: &[&str], config: &str, addr: SocketAddr) -> Running {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while TcpStream::connect(addr).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "{command:?} has ended");
        assert!(std::time::Instant::now() < end, "{command:?} does not listen");
        std::thread::yield_now();
    }
    Running { child, _dir: dir }
}

/// A certificate and its key, in one file.
fn certificate(dir: &TempDir) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_chathub-tls"))
        .args(["self-signed", "--name", "localhost"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut both = String::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "pem") {
            both += &std::fs::read_to_string(path).unwrap();
        }
    }
    let path = dir.path().join("both");
    std::fs::write(&path, both).unwrap();
    path.display().to_string()
}

/// A client that speaks TLS to `addr`, by openssl.
struct Encrypted(Child);

impl Encrypted {
    fn connect(addr: SocketAddr) -> Self {
        Self(
            Command::new("openssl")
                .args(["s_client", "-quiet", "-servername", "localhost", "-connect", &addr.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn send(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn people_come_through_haproxy_with_and_without_encryption() {
    if !have("haproxy") || !have("openssl") {
        return not_tested("people behind haproxy");
    }
    let daemon = start("");
    let mut ann = daemon.client("ann");
    let (plain, one, encrypted) = (free(), free(), free());
    let dir = TempDir::new().unwrap();
    let pair = certificate(&dir);
    let config = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n\
         listen two\n  bind {plain}\n  server hub {hub} send-proxy-v2 check check-send-proxy inter 100ms\n\
         listen one\n  bind {one}\n  server hub {hub} send-proxy\n\
         listen tls\n  bind {encrypted} ssl crt {pair}\n  server hub {hub} send-proxy-v2-ssl-cn proxy-v2-options crc32c,unique-id,authority,ssl\n  unique-id-format %ID\n",
        hub = at(&daemon),
    );
    let _haproxy = run(&["haproxy", "-q", "-db", "-f"], &config, one);
    let mut there = Vec::new();
    for (addr, name) in [(plain, "two"), (one, "one")] {
        let mut client = Client::connect(&daemon, addr, name);
        client.greeted();
        client.rename(name);
        client.send("through haproxy");
        ann.expect(&format!("{name}: through haproxy"));
        let about = daemon.admin().about(name);
        assert_eq!(about["port"], client.addr().port(), "{about:#}");
        assert_ne!(about["proxy"]["port"], about["port"]);
        there.push(client);
    }
    let mut tls = Encrypted::connect(encrypted);
    tls.send("/nick tls");
    tls.send("through haproxy");
    ann.expect("tls: through haproxy");
    let about = daemon.admin().about("tls");
    assert_eq!(
        (&about["proxy"]["encrypted"], &about["proxy"]["version"]),
        (&json!(true), &json!("TLSv1.3")),
        "{about:#}"
    );
    assert_eq!(about["proxy"]["host"], "localhost", "{about:#}");
    // Its checks are answered, and nobody hears of them.
    daemon.admin().counter_reaches("proxy_checks", 3);
    assert_eq!(clients(&daemon), 4);
    assert!(!ann.sync().concat().contains("left"));
}

#[test]
fn people_come_through_stunnel() {
    if !have("stunnel") || !have("openssl") {
        return not_tested("people behind stunnel");
    }
    let daemon = start("proxy.encrypted = true");
    let mut ann = daemon.client("ann");
    let addr = free();
    let dir = TempDir::new().unwrap();
    let pair = certificate(&dir);
    let config = format!(
        "foreground = quiet\npid =\n[hub]\naccept = {addr}\nconnect = {}\nprotocol = proxy\ncert = {pair}\n",
        at(&daemon)
    );
    let _stunnel = run(&["stunnel"], &config, addr);
    let mut tls = Encrypted::connect(addr);
    tls.send("/nick tls");
    tls.send("through stunnel");
    ann.expect("tls: through stunnel");
    let about = daemon.admin().about("tls");
    assert_eq!((&about["proxy"]["encrypted"], &about["addr"]), (&json!(true), &json!("127.0.0.1")), "{about:#}");
    ann.send("/whois tls");
    ann.expect_with("is encrypted");
}
