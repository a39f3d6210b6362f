//! `granary-hostile --seconds 600`: runs mutations of the corpus through every target and prints their number.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use granary_hostile::{Mutator, TARGETS, Target, answer, kept, make};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    name = "granary-hostile",
    version,
    about = "Fuzzes every decoder, the reader of order files and the sync endpoint"
)]
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
    /// These targets alone.
    #[arg(long)]
    target: Vec<String>,
    /// Read this order file in place of all that, and print the answer and the most memory that was resident, in KB.
    #[arg(long, hide = true)]
    read_order_file: Option<PathBuf>,
}

/// The most memory that this process has had, in KB, as Linux counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let digits = |line: &str| line.chars().filter(char::is_ascii_digit).collect();
    status.lines().find(|line| line.starts_with("VmHWM")).map(digits).unwrap_or_default()
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.make_corpus {
        return make();
    }
    if let Some(path) = arguments.read_order_file {
        let answer = answer(&std::fs::read(path)?);
        println!("{} {answer}", peak());
        return Ok(());
    }
    let is_asked =
        |target: &Target| arguments.target.is_empty() || arguments.target.iter().any(|name| name == target.name);
    let targets: Vec<Target> = TARGETS.into_iter().filter(is_asked).collect();
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let each = Duration::from_secs(arguments.seconds).checked_div(count).unwrap_or_default();
    println!("{:<16} {:>12} {:>10}", "target", "executions", "seconds");
    for target in targets {
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
