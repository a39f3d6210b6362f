//! Runs the kept corpus and mutations of it through every target. A panic fails the test.

use granary_hostile::{Mutator, TARGETS, kept};

const MUTATIONS_OF_DECODER: usize = 40_000;
/// Fewer, since each input makes the server flush and admit.
const MUTATIONS_OF_ENDPOINT: usize = 4_000;
/// Fewer, since each input is a whole file, which is read twice.
const MUTATIONS_OF_ORDERS: usize = 10_000;

#[test]
fn hostile_bytes_cause_no_panic() {
    for target in TARGETS {
        let corpus = kept(target.name);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        corpus.iter().for_each(|input| (target.run)(input));
        let mut mutator = Mutator::new(1);
        let count = match target.name {
            "endpoint" => MUTATIONS_OF_ENDPOINT,
            "order_file" | "order_sheet" => MUTATIONS_OF_ORDERS,
            _ => MUTATIONS_OF_DECODER,
        };
        for _ in 0..count {
            let (one, other) = (mutator.below(corpus.len()), mutator.below(corpus.len()));
            if let (Some(one), Some(other)) = (corpus.get(one), corpus.get(other)) {
                (target.run)(&mutator.mutate(one, other));
            }
        }
    }
}
