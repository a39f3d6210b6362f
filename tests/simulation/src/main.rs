//! `granary-sim --seeds 0..1000` runs these worlds, and ends with one line: worlds, lost, leaked.
//! `granary-sim --planted all` plants each bug, and prints which world or story catches it.

use std::ops::Range;
use std::process::ExitCode;

use clap::Parser;
use granary_client_core::planted::CAN_PLANT;
use granary_sim::planted::{PLANTED, caught};
use granary_sim::{Setting, Tally, Verdict, run_world, shrink};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "granary-sim", version, about = "Runs simulated worlds with faults and checks their properties")]
struct Arguments {
    /// The seeds.
    #[arg(long, default_value = "0..400", value_parser = seeds)]
    seeds: Range<u64>,
    /// Events in each world.
    #[arg(long, default_value_t = 120)]
    steps: usize,
    /// The setting of the worlds.
    #[arg(long, value_enum, default_value_t)]
    setting: Setting,
    /// Stop at the first failing seed, without shrinking it.
    #[arg(long)]
    first: bool,
    /// Print failing seeds without shrinking them.
    #[arg(long)]
    whole: bool,
    /// Print the story of each failing seed, in its fewest steps unless it is printed whole.
    #[arg(long)]
    story: bool,
    /// Plant the bug of this name, or each bug for `all`, and print what catches it. Runs all settings.
    #[arg(long)]
    planted: Option<String>,
}

/// Seeds as `FROM..TO`.
fn seeds(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.ok_or_else(|| "give seeds as FROM..TO, such as 0..1000".into())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_well = match &arguments.planted {
        Some(name) => plant(name, &arguments),
        None => run_all(&arguments),
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the worlds; true if all properties held.
fn run_all(arguments: &Arguments) -> bool {
    let (mut worlds, mut lost, mut leaked) = (0u64, 0u64, 0u64);
    let mut faults = Tally::new();
    for seed in arguments.seeds.clone() {
        let run = run_world(seed, arguments.steps, arguments.setting);
        worlds = worlds.saturating_add(1);
        for (fault, times) in run.faults {
            let all = faults.entry(fault).or_default();
            *all = all.saturating_add(times);
        }
        let (verdict, story) = (run.verdict, run.story);
        match &verdict {
            Verdict::Held => continue,
            Verdict::Lost(_) => lost = lost.saturating_add(1),
            Verdict::Leaked(_) => leaked = leaked.saturating_add(1),
        }
        if arguments.first || arguments.whole {
            println!("seed {seed}: {verdict:?}");
            if arguments.story {
                story.iter().for_each(|line| println!("    {line}"));
            }
            if arguments.first {
                break;
            }
            continue;
        }
        let steps = shrink(seed, arguments.steps, arguments.setting);
        println!("seed {seed}: {verdict:?}; fails from --steps {steps} on");
        if arguments.story {
            let shrunk = run_world(seed, steps, arguments.setting);
            shrunk.story.iter().for_each(|line| println!("    {line}"));
            println!("    {:?}", shrunk.verdict);
        }
    }
    println!("| fault | times |\n|---|---:|");
    faults.iter().for_each(|(fault, times)| println!("| {fault} | {times} |"));
    println!("worlds: {worlds}, lost: {lost}, leaked: {leaked}");
    lost == 0 && leaked == 0
}

/// Plants bugs; true when each was caught.
fn plant(name: &str, arguments: &Arguments) -> bool {
    if !CAN_PLANT {
        eprintln!("nothing can be planted in this build: give cargo --features planted");
        return false;
    }
    let bugs: Vec<_> = PLANTED.iter().filter(|bug| name == "all" || bug.name == name).collect();
    if bugs.is_empty() {
        eprintln!("there is no such bug; there are:");
        PLANTED.iter().for_each(|bug| eprintln!("{}: {}", bug.name, bug.what));
        return false;
    }
    // Panics of worlds and stories are caught, and their messages are printed below.
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = 0usize;
    for bug in &bugs {
        match caught(bug, arguments.seeds.clone(), arguments.steps) {
            Some(words) => println!("{}: caught by {}", bug.name, words.chars().take(200).collect::<String>()),
            None => {
                println!("{}: NOT CAUGHT in {:?} ({})", bug.name, arguments.seeds, bug.what);
                missed = missed.saturating_add(1);
            }
        }
    }
    println!("planted: {}, caught: {}", bugs.len(), bugs.len().saturating_sub(missed));
    missed == 0
}
