//! The state that all handlers share: phones', console's and automerge-repo's.

use std::sync::Arc;

use granary_client_core::protocol::signing::Channel;

use super::gate::Gate;
use super::limiter::Origin;
use super::places::Place;
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

/// The key that a request's TLS connection exports, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exported(pub(crate) Option<Channel>);

/// A place among all connections, in the extensions of its requests. A socket that outlives its request keeps it.
#[derive(Clone)]
pub(crate) struct Occupied {
    pub(crate) place: Arc<Place<Origin>>,
}

impl Occupied {
    pub(crate) fn by(place: Place<Origin>) -> Self {
        Self { place: Arc::new(place) }
    }
}

/// The server's address in invitations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicAddress {
    /// Host and port.
    pub(crate) address: String,
    /// SHA-256 of the authority's certificate; empty where phones see one that everybody trusts.
    pub(crate) fingerprint: String,
}

/// Refusals since the start, by kind, and the metrics.
pub(crate) struct Counts {
    pub(crate) metrics: Metrics,
    pub(crate) refused: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

impl Counts {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, refused: std::sync::Mutex::default() }
    }
}
