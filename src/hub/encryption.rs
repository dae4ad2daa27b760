//! What is asked of connections that are not encrypted: by the whole hub, by a room, for a password.
//!
//! A connection is secure if it is encrypted, or comes from a network on which nobody can listen (`access.secure`): from
//! the same machine, by default. Whoever asks for encryption asks whether a connection is secure; what is shown of it
//! (`/whois`) is whether it is encrypted.

use core::net::SocketAddr;
use std::sync::Arc;

use super::message::Refusal;
use super::session::Session;
use super::{Hub, Turn};
use crate::settings::{Encryption, Settings};

impl Hub {
    /// Whether nobody on the way can read what goes over a connection from `peer`.
    pub(super) fn is_secure_from(&self, peer: SocketAddr, encrypted: bool) -> bool {
        encrypted || self.settings.access.secure.iter().any(|network| network.has(peer.ip()))
    }

    /// Whether nobody on the way can read what goes over that client's connection.
    #[must_use]
    pub fn is_secure(&self, session: &Session) -> bool {
        self.is_secure_from(session.peer, session.encrypted)
    }

    /// Where the hub is reached encrypted, if the settings say.
    pub(super) fn encrypted_at(&self) -> Option<Arc<str>> {
        self.settings.access.encrypted_at.as_deref().map(Into::into)
    }

    /// Why a connection that is not secure is not let in; `None` if it is.
    pub(super) fn keeps_plain_out(&self) -> Option<Refusal> {
        let is_required = self.settings.access.encryption == Encryption::Required;
        is_required.then(|| Refusal::EncryptionRequired(self.encrypted_at()))
    }
}

impl Turn<'_> {
    /// Tells everybody if only encrypted connections come in from now on, where `former` settings let others in. Who is
    /// here stays, as with all settings of `access`; but who is here without encryption could not come again.
    pub(super) fn tell_of_encryption(&mut self, former: &Settings) {
        let now = self.hub.settings.access.encryption;
        if now == Encryption::Required && former.access.encryption != now {
            self.tell_everybody(&"from now on only encrypted connections come in; who is here stays".into());
        }
    }
}
