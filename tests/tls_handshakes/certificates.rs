//! Certificates: which one a client gets, what is refused, what ends soon, reading again.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::{SystemTime, UNIX_EPOCH};

use chathub::standing::Standing;
use nix::sys::signal::Signal;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::client::{Client, Manner};
use crate::hub::Played;
use crate::program::{Program, Setup, made, write_pair};
use crate::shared::missing::have;

/// The certificate that somebody is shown who asks for this name.
#[track_caller]
fn shown(program: &Program, name: &'static str) -> CertificateDer<'static> {
    let mut client = Client::new(program.connect(), &Manner { name, ..Manner::default() });
    client.almost().unwrap();
    client.shown()
}

fn in_file(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let program = Setup::new()
        .pair("first", &["first.example"])
        .pair("wild", &["*.example.org"])
        .pair("chat", &["chat.example.org"])
        .start();
    for (name, file) in [
        ("first.example", "first"),
        ("www.example.org", "wild"),
        ("chat.example.org", "chat"),
        ("nobody.example", "first"),
        ("a.b.example.org", "first"),
        // Addresses are not asked for.
        ("127.0.0.1", "first"),
    ] {
        assert_eq!(shown(&program, name), in_file(&program.path(&format!("{file}.pem"))), "{name}");
    }
}

/// Starts it with these files, which it cannot use.
fn refused(setup: &Setup, certificate: &str, key: &str, check: bool) -> Output {
    let mut command = setup.command();
    command.arg("--certificate").arg(setup.path(certificate)).arg("--key").arg(setup.path(key));
    if check {
        command.arg("--check");
    } else {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.stdout(std::process::Stdio::piped()).output().unwrap()
}

#[test]
fn what_cannot_be_used_is_told_with_its_file_and_its_reason() {
    let setup = Setup::new();
    for (file, from, to) in [("good", -1, 90), ("other", -1, 90), ("old", -90, -1)] {
        write_pair(&setup.path(file), &["chat.example.org"], from, to);
    }
    let write = |name: &str, text: &str| std::fs::write(setup.path(name), text).unwrap();
    write("empty.pem", "");
    write("torn.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    write("junk.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    write("junk.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
    for (certificate, key, about, reason) in [
        ("good.pem", "other.key", "other.key", "this is not the key of the certificate in "),
        ("old.pem", "old.key", "old.pem", "the certificate has expired: it was valid until 20"),
        // Half of it is renewed: that is told first.
        ("old.pem", "good.key", "good.key", "this is not the key of the certificate in "),
        ("nowhere.pem", "good.key", "nowhere.pem", "it cannot be read: No such file"),
        ("good.pem", "nowhere.key", "nowhere.key", "it cannot be read: No such file"),
        ("empty.pem", "good.key", "empty.pem", "there is no certificate in it (PEM)"),
        ("torn.pem", "good.key", "torn.pem", "it is no PEM: "),
        ("junk.pem", "good.key", "junk.pem", "the certificate cannot be read: "),
        ("good.pem", "good.pem", "good.pem", "there is no private key in it (PEM)"),
        ("good.pem", "junk.key", "junk.key", "keys of this kind cannot be used"),
        ("good.pem", "locked.key", "locked.key", "the key has a passphrase"),
        (".", "good.key", "", "it cannot be read: Is a directory"),
    ] {
        for check in [false, true] {
            let output = refused(&setup, certificate, key, check);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(78), "{certificate} {key}: {told}");
            let about = setup.path(about).display().to_string();
            assert!(told.contains(&about) && told.contains(reason), "{certificate} {key}: {told}");
        }
    }
}

#[test]
fn command_lines_and_credentials_are_checked() {
    let setup = Setup::new();
    write_pair(&setup.path("good"), &["chat.example.org"], -1, 90);
    let good = setup.path("good.pem").display().to_string();
    let listen = ["--listen", "127.0.0.1:0"];
    let credentials = setup.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(setup.path(from), credentials.join(to)).unwrap();
    let run = |args: &[&str], with_credentials: bool| {
        let mut command = setup.command();
        if with_credentials {
            command.env("CREDENTIALS_DIRECTORY", &credentials);
        }
        let output = command.args(args).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (args, with_credentials, code, told) in [
        (&listen[..], false, 2, "no certificate is named: --certificate FILE --key FILE"),
        (
            &["--listen", "127.0.0.1:0", "--certificate", &good],
            false,
            2,
            "each --certificate needs its --key: there are 1 and 0",
        ),
        (&[], false, 2, "no socket was handed over; --listen says where to listen"),
        (&listen, true, 78, "there are no credentials cert and key"),
        (&["--listen", "nowhere"], false, 2, "an address and a port are needed"),
        (&["--listen", "192.0.2.1:6970"], false, 69, "cannot listen on 192.0.2.1:6970"),
        (&["--handshake-time", "1ms"], false, 2, "between 100ms and 10min"),
        (&["--check", "self-signed"], false, 2, ""),
        (&["--help"], false, 0, ""),
        (&["--version"], false, 0, ""),
    ] {
        let (got, err) = run(args, with_credentials);
        assert!(got == Some(code) && err.contains(told), "{args:?}: {got:?} {err}");
    }
    // As the unit has it where a file is missing.
    std::fs::write(credentials.join("cert"), "absent").unwrap();
    copy("good.key", "key");
    assert!(
        run(&listen, true)
            .1
            .contains("cert: there is no file for this credential: see LoadCredential=cert: of the unit")
    );
    std::fs::remove_file(credentials.join("key")).unwrap();
    copy("good.pem", "cert");
    assert!(run(&listen, true).1.contains("there is a credential cert and no key: LoadCredential=key:FILE"));
    copy("good.key", "key");
    copy("good.key", "key2");
    assert!(run(&listen, true).1.contains("there is a credential key2 and no cert2: LoadCredential=cert2:FILE"));
}

/// Files as openssl, and so certbot, writes them.
#[test]
fn keys_of_every_usual_kind_and_form_can_be_used() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::new();
    let openssl = |args: &[&str]| {
        let output = std::process::Command::new("openssl").args(args).current_dir(setup.dir.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for (name, kind) in [
        ("rsa", &["rsa:2048"][..]),
        ("p256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("p384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ed25519", &["ed25519"]),
    ] {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let about = ["-subj", "/CN=chat.example.org", "-addext", "subjectAltName=DNS:chat.example.org", "-days", "60"];
        let files = ["-keyout", &key, "-out", &certificate];
        openssl(&[&["req", "-x509", "-nodes", "-newkey"], kind, &about, &files].concat());
    }
    // The forms that openssl 1.0 and older wrote.
    openssl(&["rsa", "-traditional", "-in", "rsa.key", "-out", "pkcs1.key"]);
    openssl(&["ec", "-in", "p256.key", "-out", "sec1.key"]);
    for (certificate, key) in
        [("rsa", "rsa"), ("rsa", "pkcs1"), ("p256", "p256"), ("p256", "sec1"), ("p384", "p384"), ("ed25519", "ed25519")]
    {
        let own = Setup::new();
        for (from, to) in [(format!("{certificate}.pem"), "own.pem"), (format!("{key}.key"), "own.key")] {
            std::fs::copy(setup.path(&from), own.path(to)).unwrap();
        }
        let files = ["own.pem", "own.key"].map(|name| own.path(name).display().to_string());
        let program = own.args(&["--certificate", &files[0], "--key", &files[1]]).start();
        let hub = Played::at(&program.path("handover.sock"));
        Client::new(program.connect(), &Manner::default()).shake("hi\r\n").unwrap();
        assert_eq!(hub.take().hear(), "hi\r\n", "{certificate} {key}");
    }
}

fn check(setup: &Setup, args: &[&str]) -> (Option<i32>, String) {
    let mut child = setup.command().arg("--check").args(args).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code(), told)
}

#[test]
fn check_prints_names_expiry_and_fingerprints_of_certificates() {
    let setup = Setup::new().pair("good", &["chat.example.org", "*.example.org", "192.0.2.7", "2001:db8::7"]);
    let (code, told) = check(&setup, &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("  names    chat.example.org, *.example.org, 192.0.2.7, 2001:db8::7\n"), "{told}");
    assert!(!told.contains("warning"), "{told}");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &in_file(&setup.path("good.pem")));
    let digits: Vec<_> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    assert!(told.contains(&format!("  SHA-256  {}\n", digits.join(":"))), "{told}");
    for (from, to, warning) in
        [(-80, 13, "expires in 13 days: 20"), (-80, 0, "expires in less than a day: 20"), (2, 90, "is valid from 20")]
    {
        let setup = Setup::new();
        write_pair(&setup.path("soon"), &["chat.example.org"], from, to);
        let files = ["soon.pem", "soon.key"].map(|name| setup.path(name).display().to_string());
        let (code, told) = check(&setup, &["--certificate", &files[0], "--key", &files[1]]);
        assert_eq!(code, Some(8), "{told}");
        assert!(told.contains("  warning  the certificate for chat.example.org ") && told.contains(warning), "{told}");
    }
}

#[test]
fn what_ends_soon_is_told_in_the_journal_and_the_status() {
    let setup = Setup::new().pair("soon", &["chat.example.org"]);
    write_pair(&setup.path("soon"), &["chat.example.org"], -80, 10);
    let program = setup.start();
    let line = program.logged("the certificate for chat.example.org expires in 10 days: ");
    assert!(line.starts_with("WARN"), "{line}");
    program.status("the certificate for chat.example.org expires in 10 days: ");
}

#[test]
fn certificates_are_read_again_and_what_cannot_be_used_is_refused() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let (certificate, key) = (program.path("own.pem"), program.path("own.key"));
    let old = in_file(&certificate);
    // Somebody is in the middle of a handshake while all of this happens.
    let mut slow = Client::new(program.connect(), &Manner::default());
    slow.almost().unwrap();
    // Half of it is renewed.
    let (new_certificate, new_key) = made(&["chat.example.org"], -1, 60);
    std::fs::write(&certificate, &new_certificate).unwrap();
    program.signal(Signal::SIGHUP);
    let told = program.logged("new certificates are refused, and the old ones stay: ");
    assert!(
        told.starts_with("ERROR") && told.contains("own.key: this is not the key of the certificate in "),
        "{told}"
    );
    program.status("new certificates were refused, and the old ones stay: ");
    program.notified.wait("reloading", |line| line == "RELOADING=1");
    assert_eq!(shown(&program, "chat.example.org"), old);
    // And the other half.
    std::fs::write(&key, &new_key).unwrap();
    program.signal(Signal::SIGHUP);
    program.logged("the certificates were read again");
    assert_eq!(shown(&program, "chat.example.org"), in_file(&certificate));
    assert_ne!(in_file(&certificate), old);
    // One that has expired is refused as well.
    let new = in_file(&certificate);
    let (expired, its_key) = made(&["chat.example.org"], -60, -1);
    std::fs::write(&certificate, expired).unwrap();
    std::fs::write(&key, its_key).unwrap();
    program.signal(Signal::SIGHUP);
    program.logged("the certificate has expired");
    assert_eq!(shown(&program, "chat.example.org"), new);
    slow.shake("hi\r\n").unwrap();
    assert_eq!(hub.take().hear(), "hi\r\n");
}

/// What is written down for metrics and doctor. It is written before the service manager is told the same.
#[track_caller]
fn standing(directory: &Path) -> Option<Standing> {
    Standing::read(&directory.join("status.json")).unwrap()
}

#[test]
fn what_is_told_to_the_service_manager_is_written_down_for_metrics_and_doctor() {
    let setup = Setup::new().pair("soon", &["chat.example.org"]).pair("other", &["192.0.2.7"]);
    write_pair(&setup.path("soon"), &["chat.example.org"], -80, 10);
    let mut program = setup.start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    program.status("expires in 10 days: ");
    let first = standing(program.dir.path()).unwrap();
    assert!(first.serves_at(now) && first.read.abs_diff(now) < 60 && first.refused.is_none(), "{first:?}");
    let told: Vec<_> = first.certificates.iter().map(|one| (one.name.as_str(), (one.until - now) / 86_400)).collect();
    assert_eq!(told, [("chat.example.org", 10), ("192.0.2.7", 90)]);
    // What becomes of connections.
    let hub = Played::at(&program.path("handover.sock"));
    Client::new(program.connect(), &Manner::default()).shake("hi\r\n").unwrap();
    hub.take();
    program.connect().write_all(b"hello\r\n").unwrap();
    program.status("1 handed over, 1 not encrypted");
    let outcomes = standing(program.dir.path()).unwrap().outcomes;
    assert_eq!((outcomes["handed_over"], outcomes["not_encrypted"], outcomes["failed"]), (1, 1, 0));
    // Half of it is renewed.
    std::fs::write(program.path("soon.pem"), made(&["chat.example.org"], -1, 90).0).unwrap();
    program.signal(Signal::SIGHUP);
    program.status("new certificates were refused");
    let half = standing(program.dir.path()).unwrap();
    let refused = half.refused.unwrap();
    assert!(refused.contains("soon.key: this is not the key of the certificate in "), "{refused}");
    assert_eq!((half.refusals, &half.certificates, half.serves), (1, &first.certificates, true));
    // The other half: nothing is told of it any more, but for the count.
    write_pair(&program.path("soon"), &["new.example.org"], -1, 90);
    program.signal(Signal::SIGHUP);
    program.status("new.example.org until ");
    let whole = standing(program.dir.path()).unwrap();
    assert_eq!((whole.refused, whole.refusals, whole.certificates[0].name.as_str()), (None, 1, "new.example.org"));
    // Who is killed leaves it to grow old; who is asked to end takes it away.
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended(), Some(0));
    assert_eq!(standing(program.dir.path()), None);
}

#[test]
fn a_failed_start_leaves_its_reason_in_the_status_file() {
    let setup = Setup::new();
    write_pair(&setup.path("old"), &["chat.example.org"], -90, -1);
    assert_eq!(refused(&setup, "old.pem", "old.key", true).status.code(), Some(78));
    assert_eq!(standing(setup.dir.path()), None, "a look writes nothing");
    assert_eq!(refused(&setup, "old.pem", "old.key", false).status.code(), Some(78));
    let left = standing(setup.dir.path()).unwrap();
    let why = left.refused.unwrap();
    assert!(!left.serves && left.certificates.is_empty() && why.contains("the certificate has expired"), "{why}");
    // Without a directory of its own it does without.
    let mut command = setup.command();
    command.env_remove("RUNTIME_DIRECTORY").args(["--certificate", "nowhere", "--key", "nowhere"]);
    assert_eq!(command.args(["--listen", "127.0.0.1:0"]).output().unwrap().status.code(), Some(78));
}

#[test]
fn a_certificate_for_trying_out_is_made_by_one_command() {
    let setup = Setup::new();
    let directory = setup.path("etc/tls");
    let make = || {
        let mut command = setup.command();
        command.args(["self-signed", "--name", "chat.example.org", "--name", "192.0.2.7", "--days", "30"]);
        command.arg(&directory).output().unwrap()
    };
    assert_eq!(make().status.code(), Some(0));
    let mode = |name: &str| std::fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("cert.pem"), mode("key.pem")), (0o644, 0o600));
    let before = std::fs::read(directory.join("key.pem")).unwrap();
    // Nothing is overwritten.
    let output = make();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && told.contains("cert.pem is there already, and is not overwritten"),
        "{told}"
    );
    std::fs::remove_file(directory.join("cert.pem")).unwrap();
    let output = make();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("key.pem is there already"), "{told}");
    assert!(!directory.join("cert.pem").exists() && std::fs::read(directory.join("key.pem")).unwrap() == before);
    std::fs::remove_file(directory.join("key.pem")).unwrap();
    assert_eq!(make().status.code(), Some(0));
    let files = ["cert.pem", "key.pem"].map(|name| directory.join(name).display().to_string());
    let args = ["--certificate", &files[0], "--key", &files[1]];
    let (code, told) = check(&setup, &args);
    assert!(code == Some(0) && told.contains("names    chat.example.org, 192.0.2.7\n"), "{told}");
    let program = setup.args(&args).start();
    let hub = Played::at(&program.path("handover.sock"));
    Client::new(program.connect(), &Manner::default()).shake("hi\r\n").unwrap();
    assert_eq!(hub.take().hear(), "hi\r\n");
}
