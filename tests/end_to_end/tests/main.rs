//! Real phones against a real server process, over real TLS. One binary, since each would be linked anew.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod addresses;
mod app;
mod bad_connections;
mod behind_a_proxy;
mod browser_store;
mod bytes;
mod clocks;
mod connection;
mod console;
mod disk_full;
mod erasing;
mod gate;
mod in_a_browser;
mod interop;
mod large_books;
mod leaving;
mod lost_pages;
mod lot_ids;
mod maintenance;
mod one_store;
mod operations;
mod outbox_file;
mod private_files;
mod questions;
mod recorder;
mod restored_stream;
mod starting;
mod terminal;
mod the_line;
mod the_main_job;
mod warehouse;
mod world;
mod wrong_requests;
