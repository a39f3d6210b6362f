//! Granary's server: it ingests changes, makes them durable, admits them, and feeds them to the devices that may read
//! them. Everything below `http` is plain code without sockets. Dependencies point from the last of these to the first:
//! config, store, log, access, engine, maintenance, http, interop, console, api, admin, cli.

pub mod access;
mod admin;
mod api;
pub mod cli;
mod config;
mod connection;
mod console;
mod demo;
mod engine;
mod environment;
mod error;
mod hooks;
mod http;
pub mod imports;
pub mod interop;
pub mod log;
mod maintenance;
mod metrics;
mod said;
mod serve;
pub mod store;
mod tls;
pub mod trade;

pub use config::{Acme, Bounds, Config, Limits, Networks, OwnCertificate, Proxies, Share};
pub use engine::erasure::{Erasable, ErasurePlan};
pub use engine::own_edits::{Edit, Edits};
pub use engine::set_aside::SetAsideChanges;
pub use engine::{Caller, Granary, ImportFault, Names, Removal};
pub use environment::{Environment, Rng};
pub use error::Error;
pub use serve::{Server, start};
