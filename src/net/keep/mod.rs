//! The state that outlives the process, and how the next process takes over. ARCHITECTURE.md tells
//! the whole story.
//!
//! | to change | see |
//! | --- | --- |
//! | what the tape keeps: inputs, snapshots, cuts (decisions that depend on timing) | [`tape`] |
//! | how clients' sockets are kept | [`queue`] |
//! | the thread that writes snapshots | [`snapshot`] |
//! | how a process starts: taking over, or afresh | [`found`] |
//! | which program the tape belongs to, and becoming that one after an upgrade | [`program`] |
//! | taking over: handling inputs again, finding sockets again | [`recovery`] |
//! | where tests kill the process | [`fault`] |
//!
//! These files do not know what is kept: [`crate::machine`] is the value that inputs change, and
//! [`super::rounds`] hold what clients are owed.

pub mod fault;
pub mod found;
pub mod program;
pub mod queue;
pub mod recovery;
pub mod snapshot;
pub mod tape;
