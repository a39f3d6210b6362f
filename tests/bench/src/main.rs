//! `granary-bench`: measures Granary and prints a table; `--json` prints a line of JSON for each row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod actor;
mod anatomy;
mod console;
mod desk;
mod dictionary;
mod figure;
mod granary_actor;
mod line;
mod load;
mod openings;
mod order_file;
mod orders;
mod peers;
mod phone;
mod records;
mod server;
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
    /// Round trips, bytes and time of a sync: 1,000 records up and down, edits, nothing to do; and the same of books
    /// that were written in 1, 60 and 600 openings of a phone.
    Sync {
        /// Only lines with one of these words in their names.
        only: Vec<String>,
    },
    /// The same workloads for Granary and for its peers (Node and npm are needed), on three lines.
    Peers {
        /// Only those with one of these words in their names.
        only: Vec<String>,
    },
    /// The bytes of each part of a request, also from books that were written in 1, 60 and 600 openings.
    Anatomy,
    /// Time to record, open and list on a phone, also with books that were written in 1, 60 and 600 openings.
    Phone {
        /// Lots in the book.
        #[arg(default_values_t = [100, 1_000, 5_000])]
        lots: Vec<usize>,
    },
    /// Syncs a second, idle phones, growth: `throughput`, `first-sync`, `idle`, `growth`, or all.
    Server {
        /// Only these.
        only: Vec<String>,
    },
    /// Orders accepted durably, by feeders of one order and of many in a call.
    Orders {
        /// Only these, as `FEEDERSxORDERS` in a call, such as `64x1`.
        only: Vec<String>,
    },
    /// A live-stream's desk on 100 pages that ask for it every second.
    Desk,
    /// Write an order file of a platform with so many rows, to import it.
    OrderFile {
        /// The file to write.
        file: std::path::PathBuf,
        /// Rows.
        #[arg(long, default_value_t = 50_000)]
        rows: u64,
    },
    /// One side of Granary as a process that takes commands as lines of JSON.
    #[command(hide = true)]
    Act { side: Side, folder: std::path::PathBuf },
    /// Server time of each of the console's pages, with 600 households and 50,000 lots.
    Console,
    /// Draw the slow line's rows of `peers --json` as a picture.
    Figure {
        /// JSON lines of `peers`.
        #[arg(default_value = "docs/figures/peers.json")]
        from: std::path::PathBuf,
        /// The SVG to write.
        #[arg(default_value = "docs/figures/peers.svg")]
        to: std::path::PathBuf,
    },
    /// Make the dictionary that messages are compressed with.
    Dictionary {
        /// The file to write.
        #[arg(default_value = "client-core/src/protocol/dictionary.zdict")]
        file: std::path::PathBuf,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Side {
    Server,
    LoadServer,
    Clients,
    Load,
    Phone,
}

fn main() {
    let arguments = Arguments::parse();
    match arguments.what {
        What::Sync { only } => table::print(&sync::run(&only), arguments.json),
        What::Peers { only } => table::print(&peers::run(&only), arguments.json),
        What::Act { side: Side::Server, folder } => granary_actor::server(folder, false),
        What::Act { side: Side::LoadServer, folder } => granary_actor::server(folder, true),
        What::Act { side: Side::Phone, folder } => phone::actor(&folder),
        What::Act { side: Side::Load, folder: _ } => load::actor(),
        What::Act { side: Side::Clients, folder } => granary_actor::phones(&folder),
        What::Anatomy => anatomy::run(),
        What::Orders { only } => orders::run(&only, arguments.json),
        What::Phone { lots } => phone::run(&lots),
        What::Server { only } => server::run(&only),
        What::Console => console::run(),
        What::Desk => desk::run(arguments.json),
        What::OrderFile { file, rows } => order_file::write(&file, rows).unwrap(),
        What::Figure { from, to } => figure::run(&from, &to).unwrap(),
        What::Dictionary { file } => dictionary::run(&file),
    }
}
