//! Some hundred worlds, in the test command; any number by `cargo run --release -p granary-sim`.
#![allow(clippy::panic)]

use granary_sim::{Verdict, live, shrink};

const WORLDS: u64 = 150;
const STEPS: usize = 120;

#[test]
fn nothing_is_lost_and_nobody_gets_what_is_not_theirs() {
    for seed in 0..WORLDS {
        let (verdict, _) = live(seed, STEPS);
        if verdict != Verdict::Held {
            let steps = shrink(seed, STEPS);
            let story = live(seed, steps).1.join("\n  ");
            panic!("seed {seed} with {steps} steps: {verdict:?}\n  {story}");
        }
    }
}

#[test]
fn one_seed_makes_one_world() {
    assert_eq!(live(7, STEPS).1, live(7, STEPS).1);
}
