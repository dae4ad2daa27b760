//! The metrics of `chathub-tls`, from its status file. Where that program was never started, there
//! are none.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chathub::standing::{OUTCOMES, Standing};
use chathub::wire::admin::metrics::{Sheet, table};

/// Adds the metrics of the file at `path`. If the file cannot be read, the program counts as not
/// serving.
pub(crate) fn measure(sheet: &mut Sheet, path: &Path, now: SystemTime) {
    let Some(standing) = Standing::read(path).transpose() else { return };
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let serves = standing.as_ref().is_ok_and(|standing| standing.serves_at(now));
    sheet.count(&table::TLS_UP, serves.into());
    let Ok(standing) = standing else { return };
    // Two certificates may have the same name, for different kinds of keys.
    for (number, certificate) in (1..).zip(&standing.certificates) {
        let labels = [&number.to_string(), &certificate.name];
        sheet.labelled(&table::TLS_CERTIFICATE_EXPIRES, &labels.map(String::as_str), certificate.until);
    }
    sheet.count(&table::TLS_CERTIFICATES_REFUSED, standing.refused.is_some().into());
    sheet.count(&table::TLS_CERTIFICATE_REFUSALS, standing.refusals);
    sheet.count(&table::TLS_UNDER_WAY, standing.under_way);
    for outcome in OUTCOMES {
        let count = standing.outcomes.get(outcome).copied().unwrap_or(0);
        sheet.labelled(&table::TLS_HANDSHAKES, &[outcome], count);
    }
    sheet.count(&table::TLS_PAUSES, standing.pauses);
}
