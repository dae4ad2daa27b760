//! Administrators' commands that concern the hub, and the lists that administrators ask for.

use super::{Machine, Outcome, Speaker};
use crate::hub::By;
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::rising::Rising;
use crate::values::time::Now;
use crate::wire::admin::Command;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::execute::{self, Answer};
use crate::wire::admin::message::ControlError;

/// What administrators are told of a client beside what the hub knows.
fn facts<'a>(
    speakers: &'a Rising<SessionId, CopyOnWrite<Speaker>>,
    owed: &'a dyn Fn(SessionId) -> (u64, u64),
) -> impl Fn(SessionId) -> execute::Facts + 'a {
    |id| {
        let (behind, missed) = owed(id);
        let telnet = speakers.get(&id).is_some_and(|speaker| speaker.link.is_telnet());
        execute::Facts { telnet, behind, missed }
    }
}

impl Machine {
    /// Executes an administrator's command; `None` if the command does not concern the hub. `owed` gives the bytes that
    /// a client is owed, and the lines that it has missed.
    pub fn control(
        &mut self,
        command: &Command,
        by: By,
        at: Now,
        owed: &dyn Fn(SessionId) -> (u64, u64),
        out: &mut Vec<Outcome>,
    ) -> Option<Result<Answer, ControlError>> {
        let answer = {
            let facts = facts(&self.speakers, owed);
            execute::answer(&mut self.hub, command, by, at, &facts, &mut self.effects)
        };
        self.apply_effects(at, out);
        answer
    }

    /// Takes one step of a list for an administrator. Returns whether there is more. `owed` is as in [`Self::control`].
    ///
    /// # Errors
    /// Those of [`Listing::go_on`].
    pub fn list(
        &self,
        listing: &mut Listing,
        at: Now,
        owed: &dyn Fn(SessionId) -> (u64, u64),
    ) -> Result<bool, ControlError> {
        listing.go_on(&self.hub, at, &facts(&self.speakers, owed))
    }
}
