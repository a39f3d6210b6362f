//! `granary-faults kills|openers|crowd|gate|clock|feeders`: injects faults into real servers and phones, and prints what it tried and what was
//! lost. The same program runs as the server and as the phones, in their own processes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a panic of the tool is a failed run"
)]

mod clock;
mod crowd;
mod feeders;
mod gate;
mod kills;
mod openers;
mod phone;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The role of this process; none for the tool itself.
const AS: &str = "GRANARY_FAULTS_AS";

#[derive(Parser)]
#[command(name = "granary-faults", version, about = "Does to real servers and phones what happens to them")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kills the server and phones under load, and counts missing lots.
    Kills {
        /// How often the server is killed.
        #[arg(long, default_value_t = 50)]
        rounds: u32,
        /// Phones that record meanwhile.
        #[arg(long, default_value_t = 4)]
        phones: usize,
    },
    /// Kills processes that open one phone's folder together, and counts missing lots.
    Openers {
        /// How often one is killed.
        #[arg(long, default_value_t = 200)]
        rounds: u32,
        /// Processes.
        #[arg(long, default_value_t = 4)]
        processes: usize,
    },
    /// Opens hostile connections, and syncs a phone among them.
    Crowd {
        /// Connections: a third silent, a third that send a byte each second, a third idle behind TLS.
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Syncs of the phone among them.
        #[arg(long, default_value_t = 100)]
        syncs: u32,
    },
    /// Floods the server from one address or with one device after the other; fails when one takes too much memory or slows
    /// a phone's syncs. About three minutes.
    Gate {
        /// The server's deadlines are this many times shorter than by default.
        #[arg(long, default_value_t = 18)]
        hurry: u32,
        /// Of a hundred of each flood's connections, so many.
        #[arg(long, default_value_t = 100)]
        percent: usize,
        /// Do not judge how long syncs took: the machine does other work too.
        #[arg(long)]
        untimed: bool,
        /// Only floods whose names have this in them.
        #[arg(long)]
        only: Option<String>,
    },
    /// Has many feeders ask and tell orders over HTTPS, kills the server between them once, and counts packs: what was accepted is
    /// what was granted, and each pack above it is marked.
    Feeders {
        /// How often all of it is done.
        #[arg(long, default_value_t = 100)]
        rounds: u32,
        /// Feeders at once.
        #[arg(long, default_value_t = 200)]
        feeders: usize,
        /// Orders of each.
        #[arg(long, default_value_t = 10)]
        orders: usize,
    },
    /// Makes the server's clock jump by years while phones sync (needs libfaketime).
    Clock {
        /// How often it jumps.
        #[arg(long, default_value_t = 20)]
        jumps: u32,
    },
}

fn main() -> ExitCode {
    match std::env::var(AS).as_deref() {
        Ok("server") => return granary_server::cli::main(),
        Ok("phone") => return phone::main(),
        Ok("opener") => return openers::main(),
        Ok("gate-server") => return gate::server(),
        _ => {}
    }
    let held = match Arguments::parse().command {
        Command::Kills { rounds, phones } => kills::run(rounds, phones),
        Command::Openers { rounds, processes } => openers::run(rounds, processes),
        Command::Crowd { connections, syncs } => crowd::run(connections, syncs),
        Command::Gate { hurry, percent, untimed, only } => {
            gate::run(gate::Extent { hurry: hurry.max(1), percent, is_untimed: untimed }, only.as_deref())
        }
        Command::Feeders { rounds, feeders, orders } => feeders::run(rounds, feeders, orders),
        Command::Clock { jumps } => clock::run(jumps),
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A random number below `end`.
fn any(end: u64) -> u64 {
    let seed = std::collections::hash_map::RandomState::new();
    std::hash::BuildHasher::hash_one(&seed, 0u8) % end.max(1)
}

/// One line of the table.
fn row(what: &str, times: impl std::fmt::Display, lost: usize) {
    let lost = if lost == 0 { "nothing".to_owned() } else { lost.to_string() };
    println!("| {what} | {times} | {lost} |");
}

fn head() {
    println!("| what | times | lost |\n|---|---:|---|");
}
