//! Commands and lists of administrators that concern the hub.

use super::{Machine, Outcome, Proxied, Speaker};
use crate::hub::By;
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::rising::Rising;
use crate::values::time::Now;
use crate::wire::admin::Command;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::execute::{self, Answer, Traffic};
use crate::wire::admin::message::ControlError;
use crate::wire::admin::result::{Encryption, Proxy};
use crate::wire::tls::suite;

/// The facts about a client that administrators are shown and that the hub does not know: telnet,
/// encryption, proxy, traffic.
fn facts<'a>(
    speakers: &'a Rising<SessionId, CopyOnWrite<Speaker>>,
    traffic: &'a dyn Fn(SessionId) -> Traffic,
) -> impl Fn(SessionId) -> execute::Facts + 'a {
    |id| {
        let speaker = speakers.get(&id);
        let telnet = speaker.is_some_and(|speaker| speaker.link.is_telnet());
        let encryption = speaker.and_then(|speaker| speaker.encryption.as_ref()).map(|tls| Encryption {
            suite: tls.suite.name().to_owned(),
            group: suite::group_name(tls.group),
            fingerprint: tls.fingerprint.clone(),
        });
        let proxy = speaker.and_then(|speaker| speaker.proxied.as_deref()).map(proxy);
        execute::Facts { telnet, encryption, proxy, traffic: traffic(id) }
    }
}

/// The facts about a client's proxy that administrators are shown.
fn proxy(proxied: &Proxied) -> Proxy {
    let said = proxied.encryption.clone().unwrap_or_default();
    Proxy {
        addr: proxied.proxy.ip().to_canonical().to_string(),
        port: proxied.proxy.port(),
        encrypted: proxied.encryption.is_some(),
        version: said.version,
        suite: said.suite,
        host: said.host,
        certificate: said.certificate,
    }
}

impl Machine {
    /// Executes an administrator's command at the time `at`; `None` if the command does not concern
    /// the hub. `traffic` gives the bytes and lines that went over a client's connection.
    pub fn control(
        &mut self,
        command: &Command,
        by: By,
        at: Now,
        traffic: &dyn Fn(SessionId) -> Traffic,
        out: &mut Vec<Outcome>,
    ) -> Option<Result<Answer, ControlError>> {
        let answer = {
            let facts = facts(&self.speakers, traffic);
            execute::answer(&mut self.hub, command, by, at, &facts, &mut self.effects)
        };
        self.apply_effects(at, out);
        answer
    }

    /// Takes one step of a list for an administrator. Returns whether more steps are needed.
    /// `traffic` is as in [`Self::control`].
    ///
    /// # Errors
    /// Those of [`Listing::go_on`].
    pub fn list(
        &self,
        listing: &mut Listing,
        at: Now,
        traffic: &dyn Fn(SessionId) -> Traffic,
    ) -> Result<bool, ControlError> {
        listing.go_on(&self.hub, at, &facts(&self.speakers, traffic))
    }
}
