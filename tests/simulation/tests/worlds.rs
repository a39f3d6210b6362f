//! Some thousand worlds, in the test command; any number by `cargo run --release -p granary-sim`.
#![allow(clippy::panic)]

use granary_sim::{Verdict, live, shrink};

const WORLDS: u64 = 3_000;
const STEPS: usize = 120;

fn lives(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let verdict = live(seed, STEPS).verdict;
        if verdict != Verdict::Held {
            let steps = shrink(seed, STEPS);
            let story = live(seed, steps).story.join("\n  ");
            panic!("seed {seed} with {steps} steps: {verdict:?}\n  {story}");
        }
    }
}

#[test]
fn nothing_is_lost_and_nobody_gets_what_is_not_theirs() {
    lives(0..WORLDS / 2);
}

#[test]
fn nothing_is_lost_in_as_many_other_worlds() {
    lives(WORLDS / 2..WORLDS);
}

#[test]
fn one_seed_makes_one_world() {
    assert_eq!(live(7, STEPS).story, live(7, STEPS).story);
}
