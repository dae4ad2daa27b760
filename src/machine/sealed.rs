//! Encrypted clients: what they send is decrypted here, and then handled like the input of other
//! clients.

use super::{Machine, Order, Outcome};
use crate::hub::message::Farewell;
use crate::values::id::SessionId;
use crate::values::time::Now;
use crate::wire::tls::open::{Brought, End};
use crate::wire::tls::suite::Secret;

/// The largest capacity, in bytes, at which the buffer for decrypted content is kept.
const OPENED: usize = 32 * 1024;

impl Machine {
    /// Whether a client's connection is encrypted.
    #[must_use]
    pub fn is_sealed(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.tls.is_some())
    }

    /// Gives an encrypted client its traffic secret. `find` is asked for it by the number of times
    /// that the client has updated its keys. Call this before any bytes of the client are handled:
    /// after it has connected, and after the machine was read from a snapshot. Returns whether the
    /// client has its secret now.
    pub fn unlock(&mut self, id: SessionId, find: impl FnOnce(u64) -> Option<Secret>) -> bool {
        let Some(opener) = self.speakers.get_mut(&id).and_then(|speaker| speaker.tls.as_mut()) else { return false };
        if let Some(secret) = find(opener.secret().0) {
            opener.unlock(secret);
        }
        opener.is_unlocked()
    }

    /// All encrypted clients that have their secret: the client, how often it has updated its keys,
    /// and its present secret.
    pub fn secrets(&self) -> impl Iterator<Item = (SessionId, u64, &Secret)> {
        self.speakers.iter().filter_map(|(id, speaker)| {
            let (updates, secret) = speaker.tls.as_ref()?.secret();
            Some((id, updates, secret?))
        })
    }

    /// Decrypts bytes of an encrypted client, and pushes the content into the client's link.
    pub(super) fn open(&mut self, id: SessionId, bytes: &[u8], at: Now, out: &mut Vec<Outcome>) {
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        let Some(opener) = &mut speaker.tls else { return };
        self.opened.clear();
        let Brought { update_requested, end } = opener.push(bytes, &mut self.opened);
        if !self.opened.is_empty() {
            speaker.paused = false;
            speaker.link.push(&self.opened);
        }
        // The buffer may hold a password.
        zeroize::Zeroize::zeroize(&mut self.opened[..]);
        if self.opened.capacity() > OPENED {
            self.opened = Vec::new();
        }
        if update_requested {
            out.push(Order::Rekey(id).into());
        }
        match end {
            None => {}
            Some(End::Closed) => self.end(id, Farewell::Hangup, at, out),
            Some(End::GaveUp(_)) => self.break_off(id, at, out),
            Some(End::Broken(alert)) => {
                out.push(Order::Alert(id, alert).into());
                self.break_off(id, at, out);
            }
        }
    }

    /// Ends an encrypted client's input without a `close_notify` alert: whole lines are still
    /// handled, a line that was cut off is not.
    fn break_off(&mut self, id: SessionId, at: Now, out: &mut Vec<Outcome>) {
        if let Some(speaker) = self.speakers.get_mut(&id) {
            speaker.link.break_off();
            speaker.end = Some(Farewell::Lost);
            self.listen(id, at, out);
        }
    }
}
