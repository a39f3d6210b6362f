//! `granary-bench`: measures Granary and prints a table; `--json` prints a line of JSON for each row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod console;
mod dictionary;
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
    /// Server time of each of the console's pages, with 600 households and 50,000 lots.
    Console,
    /// Make the dictionary that messages are compressed with.
    Dictionary {
        /// The file to write.
        #[arg(default_value = "client-core/src/protocol/dictionary-1.zdict")]
        file: std::path::PathBuf,
    },
}

fn main() {
    let arguments = Arguments::parse();
    match arguments.what {
        What::Sync => table::print(&sync::run(), arguments.json),
        What::Console => console::run(),
        What::Dictionary { file } => dictionary::run(&file),
    }
}
