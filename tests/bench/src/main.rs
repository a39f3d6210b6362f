//! `granary-bench`: measures Granary and prints a table; `--json` prints a line of JSON for each row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod line;
mod records;
mod sync;
mod table;
mod world;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "granary-bench", version, about = "Measures Granary; each figure is of one run on this machine")]
struct Arguments {
    /// A line of JSON for each row instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Round trips, bytes and time of a sync: 1,000 records up and down, edits, nothing to do.
    Sync,
}

fn main() {
    let arguments = Arguments::parse();
    let rows = match arguments.what {
        What::Sync => sync::run(),
    };
    table::print(&rows, arguments.json);
}
