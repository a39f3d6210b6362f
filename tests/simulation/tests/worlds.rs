//! Simulated worlds from fixed seeds. `cargo run --release -p granary-sim` runs any others.
//!
//! Four tests of equal cost keep two cores busy.
#![allow(clippy::panic)]

use std::ops::Range;

use granary_sim::{Setting, Verdict, run_world, shrink};

/// Worlds of each setting in each test. Chosen so that the whole file takes 3 minutes at most on two cores.
const WORLDS: u64 = 120;
/// Worlds of trade in each of two tests: 20 seconds on two cores.
const WORLDS_THAT_SELL: u64 = 40;
const STEPS: usize = 120;

fn worlds_hold(seeds: Range<u64>, setting: Setting) {
    for seed in seeds {
        let verdict = run_world(seed, STEPS, setting).verdict;
        if verdict != Verdict::Held {
            let steps = shrink(seed, STEPS, setting);
            let story = run_world(seed, steps, setting).story.join("\n  ");
            panic!("seed {seed} of {setting:?} with {steps} steps: {verdict:?}\n  {story}");
        }
    }
}

/// Each test runs its quarter of the seeds in both settings.
fn quarter_holds(quarter: u64) {
    let seeds = quarter * WORLDS..(quarter + 1) * WORLDS;
    worlds_hold(seeds.clone(), Setting::County);
    worlds_hold(seeds, Setting::Household);
}

#[test]
fn worlds_of_the_first_quarter_hold() {
    quarter_holds(0);
}

#[test]
fn worlds_of_the_second_quarter_hold() {
    quarter_holds(1);
}

#[test]
fn worlds_of_the_third_quarter_hold() {
    quarter_holds(2);
}

#[test]
fn worlds_of_the_fourth_quarter_hold() {
    quarter_holds(3);
}

#[test]
fn worlds_that_sell_hold() {
    worlds_hold(0..WORLDS_THAT_SELL, Setting::Trade);
}

#[test]
fn more_worlds_that_sell_hold() {
    worlds_hold(WORLDS_THAT_SELL..2 * WORLDS_THAT_SELL, Setting::Trade);
}

#[test]
fn same_seed_makes_same_world() {
    // Not a world that sells: the server's lists are written by a thread of their own, and what is granted is read from them.
    let run = || run_world(7, STEPS, Setting::County).story;
    assert_eq!(run(), run());
}
