//! A certificate with its private key: reading both files, and checking them.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chathub::standing;
use jiff::Timestamp;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use zeroize::{Zeroize as _, Zeroizing};

use super::expiry::{Life, in_days, life};

/// The paths of the two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// The greatest length of a file, in bytes. A chain of certificates has some thousand.
const FILE: u64 = 1024 * 1024;

/// A certificate that can be used, with its key.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) files: Files,
    /// Both in the form for handshakes.
    pub(crate) certified: Arc<CertifiedKey>,
    /// The host names of the certificate. The first label of each may be `*`.
    pub(crate) names: Vec<String>,
    /// The addresses of the certificate.
    addresses: Vec<IpAddr>,
    /// From when until when it is valid, since 1970.
    valid: (Duration, Duration),
    /// SHA-256 of the certificate.
    fingerprint: [u8; 32],
}

impl Pair {
    /// Reads and checks both files.
    ///
    /// # Errors
    /// Which file cannot be used, and why, in words.
    pub(crate) fn read(files: &Files, now: Duration) -> Result<Self, String> {
        let about = |path: &Path, problem: &str| format!("{}: {problem}", path.display());
        let in_certificate = |problem: &str| about(&files.certificate, problem);
        let chain = chain(&read(&files.certificate)?).map_err(|problem| in_certificate(&problem))?;
        let first = chain.first().ok_or_else(|| in_certificate("there is no certificate in it (PEM)"))?;
        let own = Certificate::from_der(first)
            .map_err(|error| in_certificate(&format!("the certificate cannot be read: {error}")))?;
        let (names, addresses) = names(&own).map_err(|problem| in_certificate(&problem))?;
        let validity = own.tbs_certificate.validity;
        let valid = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
        let hash = digest(&SHA256, first);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(hash.as_ref());
        // A key that does not belong to the certificate is reported before an expiry: perhaps only
        // one of the files was renewed.
        let key = key(&read(&files.key)?).map_err(|problem| about(&files.key, &problem))?;
        let signing = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).map_err(|_| {
            about(
                &files.key,
                "keys of this kind cannot be used: RSA, ECDSA (P-256, P-384, P-521) or Ed25519 are needed",
            )
        })?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => {
                let problem = format!("this is not the key of the certificate in {}", files.certificate.display());
                return Err(about(&files.key, &problem));
            }
            Err(error) => return Err(in_certificate(&format!("the certificate cannot be used: {error}"))),
        }
        let pair = Self { files: files.clone(), certified: Arc::new(certified), names, addresses, valid, fingerprint };
        match pair.life(now) {
            Life::Over => {
                Err(in_certificate(&format!("the certificate has expired: it was valid until {}", pair.ends())))
            }
            _ => Ok(pair),
        }
    }

    /// The state of the certificate at `now`, a time since 1970.
    pub(crate) fn life(&self, now: Duration) -> Life {
        life(self.valid.0, self.valid.1, now)
    }

    /// A short name for the certificate: its first name or address, or else its path.
    pub(crate) fn name(&self) -> String {
        match (self.names.first(), self.addresses.first()) {
            (Some(name), _) => name.clone(),
            (None, Some(address)) => address.to_string(),
            (None, None) => self.files.certificate.display().to_string(),
        }
    }

    /// When it expires, in words.
    pub(crate) fn ends(&self) -> String {
        date(self.valid.1)
    }

    /// The certificate, for the status file.
    pub(crate) fn told(&self) -> standing::Certificate {
        standing::Certificate { name: self.name(), from: self.valid.0.as_secs(), until: self.valid.1.as_secs() }
    }

    /// A warning, if the certificate expires soon, has expired, or is not valid yet.
    pub(crate) fn warning(&self, now: Duration) -> Option<String> {
        let (name, ends) = (self.name(), self.ends());
        match self.life(now) {
            Life::Long => None,
            Life::NotYet => Some(format!(
                "the certificate for {name} is valid from {} on only: is the clock right?",
                date(self.valid.0)
            )),
            Life::Soon(days) => Some(format!("the certificate for {name} expires {}: {ends}", in_days(days))),
            Life::Over => Some(format!("the certificate for {name} has expired: {ends}")),
        }
    }

    /// All about the certificate, for people.
    pub(crate) fn described(&self) -> String {
        let all: Vec<_> = self.names.iter().cloned().chain(self.addresses.iter().map(ToString::to_string)).collect();
        let names = if all.is_empty() { "none: most clients refuse it".to_owned() } else { all.join(", ") };
        let digits = self.fingerprint.iter().enumerate().fold(String::new(), |mut text, (at, byte)| {
            let _ = write!(text, "{}{byte:02X}", if at == 0 { "" } else { ":" });
            text
        });
        format!(
            "{}\n  key      {}\n  names    {names}\n  valid    {} to {}\n  SHA-256  {digits}\n",
            self.files.certificate.display(),
            self.files.key.display(),
            date(self.valid.0),
            self.ends()
        )
    }
}

fn date(since_1970: Duration) -> String {
    let seconds = i64::try_from(since_1970.as_secs()).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "a time that is too far off".to_owned(), |time| time.to_string())
}

/// The content of a credential for which there is no file: the unit sets it (`SetCredential=`).
const ABSENT: &[u8] = b"absent";

/// The bytes of a file. They are wiped when they are dropped.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    use std::io::Read as _;
    let read = || {
        let file = std::fs::File::open(path)?;
        let len = file.metadata()?.len().min(FILE);
        // Room for all of it at once: if it grew, copies would stay behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1));
        file.take(FILE).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error: std::io::Error| format!("{}: it cannot be read: {error}", path.display()))?;
    if *bytes == ABSENT {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return Err(format!(
            "{}: there is no file for this credential: see LoadCredential={name}: of the unit",
            path.display()
        ));
    }
    Ok(bytes)
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| format!("it is no PEM: {error}"))
}

/// A private key that is wiped when it is dropped.
struct Key(PrivateKeyDer<'static>);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::ops::Deref for Key {
    type Target = PrivateKeyDer<'static>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn key(pem: &[u8]) -> Result<Key, String> {
    const ENCRYPTED: &[&[u8]] = &[b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if ENCRYPTED.iter().any(|mark| pem.windows(mark.len()).any(|bytes| bytes == *mark)) {
        return Err(
            "the key has a passphrase, and nobody is there to type it: \"openssl pkey\" writes it without".into()
        );
    }
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => Ok(Key(key)),
        Err(PemError::NoItemsFound) => Err("there is no private key in it (PEM)".into()),
        Err(error) => Err(format!("it is no PEM: {error}")),
    }
}

/// The host names and addresses that a certificate is for.
fn names(certificate: &Certificate) -> Result<(Vec<String>, Vec<IpAddr>), String> {
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    let extension = certificate.tbs_certificate.get::<SubjectAltName>();
    let extension = extension.map_err(|error| format!("the names of the certificate cannot be read: {error}"))?;
    for name in extension.iter().flat_map(|(_, list)| &list.0) {
        match name {
            GeneralName::DnsName(name) => names.push(name.as_str().to_ascii_lowercase()),
            GeneralName::IpAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(bytes.as_bytes()).map(IpAddr::from);
                let v6 = <[u8; 16]>::try_from(bytes.as_bytes()).map(IpAddr::from);
                addresses.extend(v4.or(v6));
            }
            _ => {}
        }
    }
    Ok((names, addresses))
}
