//! What several of the test programs need, once: each has it by `mod shared`.
//!
//! | file | is |
//! | --- | --- |
//! | [`dice`] | chance that can be had again |
//! | [`difference`] | two texts, and where they part |
//! | [`generated`] | files of the repository that are generated |
//! | [`memory`] | the memory of another process |
//! | [`missing`] | what is not tested, because a program is missing |
//! | [`roff`] | manual pages |

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

pub(crate) mod dice;
pub(crate) mod difference;
pub(crate) mod generated;
pub(crate) mod memory;
pub(crate) mod missing;
pub(crate) mod roff;
