//! `granary-hostile --seconds 600`: runs mutations of the corpus through every target and prints their number.

use std::time::{Duration, Instant};

use clap::Parser;
use granary_hostile::{Mutator, TARGETS, kept, make};

#[derive(Parser)]
#[command(name = "granary-hostile", version, about = "Fuzzes every decoder and the sync endpoint")]
struct Arguments {
    /// Seconds for all targets together.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The seed of the mutations.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the corpus anew, and end.
    #[arg(long)]
    make_corpus: bool,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.make_corpus {
        return make();
    }
    let each = Duration::from_secs(arguments.seconds).checked_div(TARGETS.len() as u32).unwrap_or_default();
    println!("{:<16} {:>12} {:>10}", "target", "executions", "seconds");
    for target in TARGETS {
        let corpus = kept(target.name);
        let mut mutator = Mutator::new(arguments.seed);
        let (began, mut executions) = (Instant::now(), 0u64);
        while began.elapsed() < each {
            for _ in 0..64 {
                let one = corpus.get(mutator.below(corpus.len())).map_or(&[][..], Vec::as_slice);
                let other = corpus.get(mutator.below(corpus.len())).map_or(&[][..], Vec::as_slice);
                let input = mutator.mutate(one, other);
                (target.run)(&input);
                executions = executions.saturating_add(1);
            }
        }
        println!("{:<16} {executions:>12} {:>10}", target.name, began.elapsed().as_secs());
    }
    Ok(())
}
