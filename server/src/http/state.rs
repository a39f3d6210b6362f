//! What every handler shares, here and in the console and for automerge-repo's clients.

use std::sync::Arc;

use super::gate::Gate;
use super::transfer::Transfers;
use crate::engine::Granary;
use crate::metrics::Metrics;

/// Handles that every handler shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) granary: Arc<Granary>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) transfers: Arc<Transfers>,
    pub(crate) public_address: Arc<PublicAddress>,
}

/// How phones reach this server, for invitations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicAddress {
    /// Host and port.
    pub(crate) address: String,
    /// SHA-256 of the authority's certificate.
    pub(crate) fingerprint: String,
}

/// What was refused since the start, by kind, and everything that is measured.
pub(crate) struct Counts {
    pub(crate) metrics: Metrics,
    pub(crate) refused: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

impl Counts {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, refused: std::sync::Mutex::default() }
    }
}
