//! Code that several test programs share: each includes it by `mod shared`.
//!
//! | file | holds |
//! | --- | --- |
//! | [`dice`] | random numbers from a seed |
//! | [`difference`] | the difference of two texts |
//! | [`generated`] | generated files of the repository |
//! | [`memory`] | searching the memory of another process |
//! | [`missing`] | reports of tests that could not run |
//! | [`roff`] | manual pages |

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

pub(crate) mod dice;
pub(crate) mod difference;
pub(crate) mod generated;
pub(crate) mod memory;
pub(crate) mod missing;
pub(crate) mod roff;
