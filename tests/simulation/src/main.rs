//! `granary-sim --seeds 0..1000`: lives these worlds and ends with one line: worlds, lost, leaked.

use clap::Parser;
use granary_sim::{Setting, Tally, Verdict, live, shrink};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "granary-sim", version, about = "Lives worlds with faults and looks at what must hold")]
struct Arguments {
    /// Which seeds, such as `0..1000`.
    #[arg(long)]
    seeds: String,
    /// How many things happen in each world.
    #[arg(long, default_value_t = 120)]
    steps: usize,
    /// Who is in it.
    #[arg(long, value_enum, default_value_t)]
    setting: Setting,
    /// End at the first seed that fails, as it is.
    #[arg(long)]
    first: bool,
    /// Say which seeds fail, without looking for the fewest steps.
    #[arg(long)]
    whole: bool,
    /// Tell the story of each failing seed.
    #[arg(long)]
    story: bool,
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let range = arguments.seeds.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    let Some((from, to)): Option<(u64, u64)> = range else {
        eprintln!("give seeds as FROM..TO, such as 0..1000");
        return std::process::ExitCode::FAILURE;
    };
    let (mut lost, mut leaked) = (0u64, 0u64);
    let mut faults = Tally::new();
    for seed in from..to {
        let lived = live(seed, arguments.steps, arguments.setting);
        for (fault, times) in lived.faults {
            let all = faults.entry(fault).or_default();
            *all = all.saturating_add(times);
        }
        let verdict = lived.verdict;
        match &verdict {
            Verdict::Held => continue,
            Verdict::Lost(_) => lost = lost.saturating_add(1),
            Verdict::Leaked(_) => leaked = leaked.saturating_add(1),
        }
        if arguments.first {
            println!("seed {seed}: {verdict:?}");
            break;
        }
        if arguments.whole {
            println!("seed {seed}: {verdict:?}");
            continue;
        }
        let steps = shrink(seed, arguments.steps, arguments.setting);
        println!("seed {seed}: {verdict:?}; fails from --steps {steps} on");
        if arguments.story {
            let shrunk = live(seed, steps, arguments.setting);
            shrunk.story.iter().for_each(|line| println!("    {line}"));
            println!("    {:?}", shrunk.verdict);
        }
    }
    println!("| fault | times |\n|---|---:|");
    faults.iter().for_each(|(fault, times)| println!("| {fault} | {times} |"));
    println!("worlds: {}, lost: {lost}, leaked: {leaked}", to.saturating_sub(from));
    if lost == 0 && leaked == 0 { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
