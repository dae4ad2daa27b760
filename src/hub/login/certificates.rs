//! Logging in by certificate: a client that shows one, and proves to have its key, is logged in
//! when it connects.
//!
//! The hub knows a certificate by its fingerprint, which belongs to one account. Nobody can learn
//! which fingerprints are known: a client with an unknown one is a guest like others.

use std::sync::Arc;

use super::super::account::{CERTIFICATES, Certificate};
use super::super::message::{Done, Message, Refusal, ShownCertificate};
use super::super::{By, Hub, Turn, What};
use super::outcome::Proof;
use crate::values::fingerprint::Fingerprint;
use crate::values::id::{AccountId, SessionId};

impl Hub {
    /// Whether this certificate may be added to `account`.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_certify(&self, account: AccountId, certificate: &Fingerprint) -> Result<(), Refusal> {
        match self.accounts.of_certificate(certificate) {
            Some(owner) if owner == account => return Err(Refusal::CertificateKnown),
            Some(_) => return Err(Refusal::CertificateOfOther),
            None => {}
        }
        let count = self.accounts.get(account).map_or(0, |account| account.certificates.len());
        if count >= CERTIFICATES { Err(Refusal::TooManyCertificates(CERTIFICATES)) } else { Ok(()) }
    }
}

impl Turn<'_> {
    /// Logs in `id`, which has just connected with a certificate of `account` and waits at the
    /// door. Returns whether that succeeded or ended the connection; otherwise `id` was told the
    /// reason, and stays a guest.
    pub(in crate::hub) fn log_in_by_certificate(&mut self, id: SessionId, account: AccountId) -> bool {
        let done = self.let_in(id, account, Proof::Certificate);
        done.map_err(|refusal| self.refuse(id, refusal)).is_ok()
    }

    /// Lets a certificate log in to `account` from now on (`on`), or no longer. Before adding one,
    /// the caller asks [`Hub::may_certify`].
    pub(in crate::hub) fn certify(&mut self, account: AccountId, fingerprint: Fingerprint, on: bool, by: Option<By>) {
        let Some(mut account) = self.hub.accounts.get(account).cloned() else { return };
        account.certificates.retain(|one| one.fingerprint != fingerprint);
        if on {
            account.certificates.push(Certificate { fingerprint, since: self.now.wall });
        }
        let text = format!("certificate {fingerprint} {}", if on { "added" } else { "removed" });
        if by.is_some() {
            self.account_happened(What::AccountChanged, &account, by, Some(text.into()));
        }
        self.put_account(account);
    }

    /// `/certificate`: lists the certificates of the client's account.
    pub(in crate::hub) fn list_certificates(&mut self, id: SessionId) {
        let Some((account, own)) = self.certified(id) else { return };
        let Some(account) = self.hub.accounts.get(account) else { return };
        let is_own = |one: &Certificate| Some(one.fingerprint) == own;
        let shown = account.certificates.iter().map(|one| ShownCertificate {
            short: one.fingerprint.short().into(),
            since: one.since,
            is_own: is_own(one),
        });
        let can_add = own.filter(|_| !account.certificates.iter().any(is_own)).map(|own| own.short().into());
        let message = Message::Certificates { name: account.name.shown().into(), shown: shown.collect(), own: can_add };
        self.tell(id, message);
    }

    /// `/certificate add`.
    pub(in crate::hub) fn add_certificate(&mut self, id: SessionId) {
        let Some((account, own)) = self.certified(id) else { return };
        let Some(own) = own else {
            let (encrypted, at) = (self.hub.people.sessions[&id].encrypted, self.hub.encrypted_at());
            return self.refuse(id, Refusal::NoCertificate { encrypted, at });
        };
        if let Err(refusal) = self.hub.may_certify(account, &own) {
            return self.refuse(id, refusal);
        }
        self.certify(account, own, true, None);
        self.happened(What::AccountChanged, id, None, Some(format!("certificate {own} added").into()));
        let name = self.hub.names_of([account]).pop().unwrap_or_default();
        self.done_on_record(id, Done::CertificateAdded { short: own.short().into(), name });
    }

    /// `/certificate remove`: `given` is a certificate's number in the list, from 1.
    pub(in crate::hub) fn remove_certificate(&mut self, id: SessionId, given: &str, shown: Arc<str>) {
        let Some((account, _)) = self.certified(id) else { return };
        let certificates = self.hub.accounts.get(account).map(|account| account.certificates.as_slice());
        let at = given.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let Some(fingerprint) = at.and_then(|at| Some(certificates?.get(at)?.fingerprint)) else {
            return self.refuse(id, Refusal::NoSuchCertificate(shown));
        };
        self.certify(account, fingerprint, false, None);
        self.happened(What::AccountChanged, id, None, Some(format!("certificate {fingerprint} removed").into()));
        self.done_on_record(id, Done::CertificateRemoved(fingerprint.short().into()));
    }

    /// The account that `id` is logged in to, and the certificate that it has shown.
    fn certified(&self, id: SessionId) -> Option<(AccountId, Option<Fingerprint>)> {
        let session = self.hub.people.sessions.get(&id)?;
        Some((session.account?, session.certificate.as_deref().copied()))
    }
}
