//! A deterministic simulation around the real core and the real log. A seed gives one world: disks that lose unflushed
//! writes, an unreliable line, wrong clocks, and a server that crashes and is restored.
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
mod trade_events;
mod warehouse;
mod world;

pub use run::{Verdict, WorldRun, run_world, shrink};
pub use stories::{Story, stories};
pub use world::{Setting, Tally};
