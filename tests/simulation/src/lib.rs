//! A simulated world around the real core and the real log: one seed makes one world, with a disk that
//! forgets, a line that loses, clocks that lie, and a server that is killed, restored and restarted.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    reason = "the simulator is a test: a panic of its own is a failed seed"
)]

mod dice;
mod disk;
mod events;
mod phone;
pub mod planted;
mod properties;
mod run;
mod stories;
mod world;

pub use run::{Lived, Verdict, live, shrink};
pub use stories::{Story, stories};
pub use world::{Setting, Tally};
