//! RFC 1143's Q method: the state of one side of one option, and its transitions.
//!
//! The RFC lists the transitions for the other side ("him") and leaves ours to symmetry; this
//! module does the same. Each value of [`Q`] combines the RFC's state with its queue bit.

use serde::{Deserialize, Serialize};

/// On or off, in a request or an answer: `WILL` and `DO` are on, `WONT` and `DONT` are off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Switch {
    /// `WILL`, `DO`.
    On,
    /// `WONT`, `DONT`.
    Off,
}

/// The answer to an offer that we have not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Agree,
    Refuse,
}

/// The six states. In those with `Opposite`, the opposite is asked for as soon as the awaited
/// answer is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Q {
    #[default]
    No,
    Yes,
    WantNo,
    WantNoOpposite,
    WantYes,
    WantYesOpposite,
}

/// A transition: the next state, and the message to send, if any.
pub(super) type Step = (Q, Option<Switch>);

impl Q {
    /// The transition for a received message: WILL, WONT, DO or DONT.
    pub(super) fn told(self, heard: Switch, policy: Policy) -> Step {
        use Switch::{Off, On};
        match (self, heard) {
            (Self::No, On) => match policy {
                Policy::Agree => (Self::Yes, Some(On)),
                Policy::Refuse => (Self::No, Some(Off)),
            },
            (Self::Yes, Off) => (Self::No, Some(Off)),
            // Nothing has changed; an answer here could begin a loop.
            (Self::No, Off) | (Self::Yes, On) => (self, None),
            // An offer in answer to our DONT breaks the protocol; RFC 1143 says how to go on.
            (Self::WantNo, On | Off) => (Self::No, None),
            (Self::WantNoOpposite, On) => (Self::Yes, None),
            (Self::WantNoOpposite, Off) => (Self::WantYes, Some(On)),
            (Self::WantYes, On) => (Self::Yes, None),
            (Self::WantYesOpposite, On) => (Self::WantNo, Some(Off)),
            (Self::WantYes | Self::WantYesOpposite, Off) => (Self::No, None),
        }
    }

    /// The transition when we want the option on or off. It changes nothing if the option is, or is
    /// asked to be, so already.
    pub(super) fn ask(self, want: Switch) -> Step {
        use Switch::{Off, On};
        match (self, want) {
            (Self::No, On) => (Self::WantYes, Some(On)),
            (Self::Yes, Off) => (Self::WantNo, Some(Off)),
            (Self::WantNo | Self::WantNoOpposite, On) => (Self::WantNoOpposite, None),
            (Self::WantNo | Self::WantNoOpposite, Off) => (Self::WantNo, None),
            (Self::WantYes | Self::WantYesOpposite, On) => (Self::WantYes, None),
            (Self::WantYes | Self::WantYesOpposite, Off) => (Self::WantYesOpposite, None),
            (Self::Yes, On) | (Self::No, Off) => (self, None),
        }
    }

    /// On or off if both ends agree; `None` while an answer is awaited.
    pub(super) fn settled(self) -> Option<Switch> {
        match self {
            Self::Yes => Some(Switch::On),
            Self::No => Some(Switch::Off),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Policy::{Agree, Refuse};
    use super::Q::{No, WantNo, WantNoOpposite, WantYes, WantYesOpposite, Yes};
    use super::Switch::{Off, On};
    use super::*;

    #[test]
    fn what_is_told_moves_the_states_as_rfc_1143_section_7_says() {
        let table: &[(Q, Switch, Policy, Q, Option<Switch>)] = &[
            // Received WILL.
            (No, On, Agree, Yes, Some(On)),
            (No, On, Refuse, No, Some(Off)),
            (Yes, On, Agree, Yes, None),
            (Yes, On, Refuse, Yes, None),
            (WantNo, On, Agree, No, None),
            (WantNo, On, Refuse, No, None),
            (WantNoOpposite, On, Agree, Yes, None),
            (WantNoOpposite, On, Refuse, Yes, None),
            (WantYes, On, Agree, Yes, None),
            (WantYes, On, Refuse, Yes, None),
            (WantYesOpposite, On, Agree, WantNo, Some(Off)),
            (WantYesOpposite, On, Refuse, WantNo, Some(Off)),
            // Received WONT.
            (No, Off, Agree, No, None),
            (No, Off, Refuse, No, None),
            (Yes, Off, Agree, No, Some(Off)),
            (Yes, Off, Refuse, No, Some(Off)),
            (WantNo, Off, Agree, No, None),
            (WantNo, Off, Refuse, No, None),
            (WantNoOpposite, Off, Agree, WantYes, Some(On)),
            (WantNoOpposite, Off, Refuse, WantYes, Some(On)),
            (WantYes, Off, Agree, No, None),
            (WantYes, Off, Refuse, No, None),
            (WantYesOpposite, Off, Agree, No, None),
            (WantYesOpposite, Off, Refuse, No, None),
        ];
        for &(from, heard, policy, to, sent) in table {
            assert_eq!(from.told(heard, policy), (to, sent), "{from:?} {heard:?} {policy:?}");
        }
    }

    #[test]
    fn what_we_ask_moves_the_states_as_rfc_1143_section_7_says() {
        let table: &[(Q, Switch, Q, Option<Switch>)] = &[
            // "If we decide to ask him to enable".
            (No, On, WantYes, Some(On)),
            (Yes, On, Yes, None),
            (WantNo, On, WantNoOpposite, None),
            (WantNoOpposite, On, WantNoOpposite, None),
            (WantYes, On, WantYes, None),
            (WantYesOpposite, On, WantYes, None),
            // "If we decide to ask him to disable".
            (No, Off, No, None),
            (Yes, Off, WantNo, Some(Off)),
            (WantNo, Off, WantNo, None),
            (WantNoOpposite, Off, WantNo, None),
            (WantYes, Off, WantYesOpposite, None),
            (WantYesOpposite, Off, WantYesOpposite, None),
        ];
        for &(from, want, to, sent) in table {
            assert_eq!(from.ask(want), (to, sent), "{from:?} {want:?}");
        }
    }
}
