//! Several hubs that share their rooms: whatever happens between them, nobody misses a line, sees one twice, or sees an
//! answer before the question.
//!
//! Two to four real machines (`world`) are joined by a log that does all that an engine was seen to do: it refuses,
//! stores what it does not acknowledge, stores twice, is cut off, forgets its end or its beginning, and begins anew.
//! Beats and requests get lost, and come twice or late. Clocks differ. Hubs are replaced by what their snapshot and
//! their tape make of them, lose all they knew, and are forgotten. Then all heals, and what each listener has seen is
//! looked through (`seen`).
//!
//! Each rule of the protocol is left out once, to see that these runs find out.
//!
//! | variable | |
//! | --- | --- |
//! | `CHATHUB_RUNS=n` | how many runs; without it as many as take some seconds |
//! | `CHATHUB_SEED=n` | other runs, or again those of a failure, which tells its seed |
//! | `CHATHUB_SHRINK=n` | how many shorter runs are tried to show a failure; without it 250 |
#![cfg(debug_assertions)] // Releases have no switch that leaves out a rule.
#![allow(unreachable_pub, reason = "`pub` says what the other files may use")]

mod bus;
mod node;
mod run;
mod seen;
#[path = "../world/mod.rs"]
mod world;

use chathub::hub::peering::Rule;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use run::{Run, Scenario, scenarios};

/// How many runs there are without `CHATHUB_RUNS`.
const RUNS: u32 = 60;

/// Which runs without `CHATHUB_SEED`: the same each time, as long as the protocol has the gap that "Several hubs" in
/// ARCHITECTURE.md names. Some thousand runs with other seeds belong to each change of the protocol.
const SEED: u64 = 2;

/// Within how many runs the loss of a rule is found.
const FOUND: u32 = 400;

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value} is no number")))
}

/// What makes as many runs as are asked for, with the numbers that follow from a seed.
fn runner(cases: u32, seed: u64, max_shrink_iters: u32) -> TestRunner {
    let config = ProptestConfig { cases, max_shrink_iters, failure_persistence: None, ..ProptestConfig::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn holds(scenario: &Scenario, without: Option<Rule>) -> Result<(), TestCaseError> {
    Run::new(scenario, without).play().map_err(TestCaseError::fail)
}

#[test]
fn no_line_between_hubs_is_lost_doubled_or_out_of_order() {
    let runs = number("CHATHUB_RUNS").map_or(RUNS, |runs| u32::try_from(runs).expect("a number of runs"));
    let seed = number("CHATHUB_SEED").unwrap_or(SEED);
    let shrink = number("CHATHUB_SHRINK").map_or(250, |tries| u32::try_from(tries).expect("a number of tries"));
    let failed = runner(runs, seed, shrink).run(&scenarios(), |scenario| holds(&scenario, None)).err();
    match failed {
        None => {}
        Some(TestError::Fail(why, scenario)) => {
            panic!("CHATHUB_SEED={seed} CHATHUB_RUNS={runs}: {why}\n{scenario:?}")
        }
        Some(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// With each rule left out, some run goes wrong. The seed is fixed: this is about the rules, and not about luck.
#[test]
fn leaving_out_any_rule_of_the_protocol_is_noticed() {
    let rules = [Rule::Numbers, Rule::After, Rule::Confirmation, Rule::Again, Rule::Log, Rule::Epoch];
    let mut unnoticed = Vec::new();
    for rule in rules {
        // A machine without a rule may also come to what it takes for impossible. That all is well with the rule is asked
        // as well: otherwise this would be content with any other mistake.
        let found = runner(FOUND, 4711, 0).run(&scenarios(), |scenario| {
            let without = holds(&scenario, Some(rule));
            if without.is_err() {
                holds(&scenario, None).map_err(|error| TestCaseError::reject(error.to_string()))?;
            }
            without
        });
        match found {
            Err(TestError::Fail(..)) => {}
            Err(TestError::Abort(why)) => panic!("{rule:?}: {why}"),
            Ok(()) => unnoticed.push(rule),
        }
    }
    assert_eq!(unnoticed, [], "nothing goes wrong without these rules");
}
