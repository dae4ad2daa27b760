//! A certificate for trying out, which no authority has signed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use zeroize::Zeroizing;

/// Makes a certificate for these names, valid for this many days from `now` (since 1970), and
/// writes `cert.pem` and `key.pem` into `directory`. Returns their paths.
///
/// # Errors
/// The step that failed, in words. Nothing is overwritten, and no half of the two files is left.
pub(crate) fn make(names: &[String], days: u16, directory: &Path, now: Duration) -> Result<(PathBuf, PathBuf), String> {
    let unusable = |error: rcgen::Error| format!("a certificate for {} cannot be made: {error}", names.join(", "));
    let key = KeyPair::generate().map_err(unusable)?;
    let mut params = CertificateParams::new(names).map_err(unusable)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = names.first() {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Valid from a day earlier: the clocks of clients may be slow.
    let day = Duration::from_secs(24 * 60 * 60);
    let since_1970 = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = since_1970 + now.saturating_sub(day);
    params.not_after = since_1970 + now + day * u32::from(days);
    let certificate = params.self_signed(&key).map_err(unusable)?;
    let secret = Zeroizing::new(key.serialize_pem());

    let (certificate_file, key_file) = (directory.join("cert.pem"), directory.join("key.pem"));
    let about = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{path} is there already, and is not overwritten"),
            _ => format!("{path} cannot be written: {error}"),
        }
    };
    fs::create_dir_all(directory).map_err(about(directory))?;
    write_new(&certificate_file, 0o644, certificate.pem().as_bytes()).map_err(about(&certificate_file))?;
    if let Err(error) = write_new(&key_file, 0o600, secret.as_bytes()) {
        let _ = fs::remove_file(&certificate_file);
        return Err(about(&key_file)(error));
    }
    Ok((certificate_file, key_file))
}

/// Writes a file that was not there before. If that fails, the file is removed.
fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}
