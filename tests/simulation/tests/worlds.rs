//! Some thousand worlds, in the test command; any number by `cargo run --release -p granary-sim`.
#![allow(clippy::panic)]

use granary_sim::{Setting, Verdict, live, shrink};

/// In each of the tests.
const WORLDS: u64 = 1_000;
const STEPS: usize = 120;

fn lives(seeds: std::ops::Range<u64>, setting: Setting) {
    for seed in seeds {
        let verdict = live(seed, STEPS, setting).verdict;
        if verdict != Verdict::Held {
            let steps = shrink(seed, STEPS, setting);
            let story = live(seed, steps, setting).story.join("\n  ");
            panic!("seed {seed} with {steps} steps: {verdict:?}\n  {story}");
        }
    }
}

#[test]
fn nothing_is_lost_and_nobody_gets_what_is_not_theirs() {
    lives(0..WORLDS, Setting::County);
}

#[test]
fn nothing_is_lost_in_as_many_other_worlds() {
    lives(WORLDS..2 * WORLDS, Setting::County);
}

#[test]
fn nothing_is_lost_among_phones_that_write_in_one_document() {
    lives(0..WORLDS, Setting::Household);
}

#[test]
fn one_seed_makes_one_world() {
    let live = || live(7, STEPS, Setting::County);
    assert_eq!(live().story, live().story);
}
