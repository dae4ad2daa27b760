//! All certificates with their keys: which files they are in, and reading them.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chathub::cli::tls::TlsArgs;
use chathub::exit::Exit;

use super::pair::{Files, Pair};

/// The files that the command line names, or else those that systemd has put into a directory of
/// credentials.
///
/// # Errors
/// The mistake in the command line or in the credentials, in words, and the exit code for it.
pub(crate) fn named(args: &TlsArgs, credentials: Option<&Path>) -> Result<Vec<Files>, (Exit, String)> {
    if args.certificate.len() != args.key.len() {
        let (certificates, keys) = (args.certificate.len(), args.key.len());
        let problem = format!("each --certificate needs its --key: there are {certificates} and {keys}");
        return Err((Exit::Usage, problem));
    }
    let pairs = args.certificate.iter().zip(&args.key);
    let files: Vec<_> =
        pairs.map(|(certificate, key)| Files { certificate: certificate.clone(), key: key.clone() }).collect();
    if !files.is_empty() {
        return Ok(files);
    }
    let Some(directory) = credentials else {
        let problem = "no certificate is named: --certificate FILE --key FILE, or LoadCredential=cert:FILE and \
                       LoadCredential=key:FILE in the unit";
        return Err((Exit::Usage, problem.to_owned()));
    };
    let mut files = Vec::new();
    for number in 1.. {
        let number = if number == 1 { String::new() } else { number.to_string() };
        let (certificate, key) = (directory.join(format!("cert{number}")), directory.join(format!("key{number}")));
        match (certificate.exists(), key.exists()) {
            (true, true) => files.push(Files { certificate, key }),
            (false, false) => break,
            (there, _) => {
                let (is, lacks) = if there { ("cert", "key") } else { ("key", "cert") };
                let problem = format!(
                    "there is a credential {is}{number} and no {lacks}{number}: LoadCredential={lacks}{number}:FILE"
                );
                return Err((Exit::Config, problem));
            }
        }
    }
    if files.is_empty() {
        let problem = "there are no credentials cert and key: LoadCredential=cert:FILE and LoadCredential=key:FILE";
        return Err((Exit::Config, problem.to_owned()));
    }
    Ok(files)
}

/// Reads all certificates with their keys.
///
/// # Errors
/// Why the first unusable pair cannot be used, in words.
pub(crate) fn read(files: &[Files]) -> Result<Vec<Pair>, String> {
    let now = now();
    files.iter().map(|files| Pair::read(files, now)).collect()
}

/// The present time, since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The warnings about certificates that expire soon, have expired, or are not valid yet.
pub(crate) fn warnings(pairs: &[Pair], now: Duration) -> Vec<String> {
    pairs.iter().filter_map(|pair| pair.warning(now)).collect()
}
