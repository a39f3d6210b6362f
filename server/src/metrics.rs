//! The server's metrics, in the text format of Prometheus (OpenMetrics 1.0). docs/OPERATIONS.md explains each; a test
//! compares the two lists.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::engine::Granary;
use crate::log::flushes::Flushes;
use crate::store::probe::bytes_in;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCooperative {
    cooperative: u32,
}

/// All metrics of a server.
pub(crate) struct Metrics {
    registry: Registry,
    store: PathBuf,
    syncs: Counter,
    enrolled: Counter,
    outbox_files: Counter,
    bytes_up: Counter,
    bytes_down: Counter,
    refused: Family<Cause, Counter>,
    refused_documents: Counter,
    api_answered: Family<Answered, Counter>,
    webhook_attempts: Family<Cause, Counter>,
    webhooks_waiting: Family<OfCooperative, Gauge>,
    webhooks_given_up: Family<OfCooperative, Gauge>,
    live: Gauge,
    interop: Gauge,
    documents: Family<OfCooperative, Gauge>,
    positions: Family<OfCooperative, Gauge>,
    pending: Family<OfCooperative, Gauge>,
    set_aside: Family<OfCooperative, Gauge>,
    devices: Family<OfCooperative, Gauge>,
    conflicts: Family<OfCooperative, Gauge>,
    lists_behind: Family<OfCooperative, Gauge>,
    store_bytes: Gauge,
    shares_used: Family<OfCooperative, Gauge>,
    disk_free_bytes: Gauge,
    has_room: Gauge,
}

/// Counts a connection until it is dropped.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Metrics at zero. `store` is the store's folder.
    pub(crate) fn new(store: &Path, flushes: &Flushes) -> Self {
        let mut registry = Registry::with_prefix("granary");
        macro_rules! registered {
            ($name:literal, $help:literal) => {{
                let metric = Default::default();
                registry.register($name, $help, Clone::clone(&metric));
                metric
            }};
        }
        registry.register("flush_seconds", "Time that a flush of the store takes", flushes.seconds.clone());
        registry.register("flush_jobs", "Requests that one flush serves", flushes.jobs.clone());
        Self {
            syncs: registered!("syncs", "Exchanges of phones that were answered"),
            enrolled: registered!("enrolled", "Phones that were enrolled"),
            outbox_files: registered!("carried", "Files with outboxes of phones that were handed in"),
            bytes_up: registered!("sync_bytes_up", "Bytes of sync requests, as they came above HTTP"),
            bytes_down: registered!("sync_bytes_down", "Bytes of sync replies, as they went above HTTP"),
            refused: registered!("refused", "Refused requests, by cause"),
            refused_documents: registered!("refused_documents", "Documents of accepted requests that were refused"),
            api_answered: registered!("api_requests", "Requests of shops' programs, by the status of their answers"),
            webhook_attempts: registered!("webhook_attempts", "Attempts to send to webhooks, by what became of them"),
            webhooks_waiting: registered!("webhooks_waiting", "Deliveries to webhooks that wait"),
            webhooks_given_up: registered!("webhooks_given_up", "Deliveries to webhooks that were given up"),
            live: registered!("live_connections", "Phones that are connected for nudges"),
            interop: registered!("automerge_connections", "Clients of automerge-repo that are connected"),
            documents: registered!("documents", "Documents"),
            positions: registered!("log_positions", "Positions of the log"),
            pending: registered!("pending_entries", "Entries that are durable and not admitted yet"),
            set_aside: registered!("set_aside_entries", "Entries that were set aside and wait for a coordinator"),
            devices: registered!("devices", "Devices that were not revoked"),
            conflicts: registered!("open_cases", "Disagreements that wait for a coordinator"),
            lists_behind: registered!("lists_behind", "Documents by which the lists are behind"),
            store_bytes: registered!("store_bytes", "Size of the store on disk"),
            shares_used: registered!("shares_used", "Devices and households that have used their share of the disk"),
            disk_free_bytes: registered!("disk_free_bytes", "What is free of the store's disk"),
            has_room: registered!(
                "has_room",
                "1 while the disk has more room than its floor, 0 when nothing new is taken"
            ),
            store: store.to_owned(),
            registry,
        }
    }

    pub(crate) fn synced(&self, bytes_up: usize, bytes_down: usize) {
        self.syncs.inc();
        self.bytes_up.inc_by(bytes_up as u64);
        self.bytes_down.inc_by(bytes_down as u64);
    }

    pub(crate) fn one_enrolled(&self) {
        self.enrolled.inc();
    }

    pub(crate) fn outbox_file_imported(&self) {
        self.outbox_files.inc();
    }

    pub(crate) fn refused(&self, cause: &str) {
        self.refused.get_or_create(&Cause { cause: cause.to_owned() }).inc();
    }

    pub(crate) fn api_answered(&self, status: u16) {
        self.api_answered.get_or_create(&Answered { status: status.into() }).inc();
    }

    pub(crate) fn webhook_attempted(&self, became: &str) {
        self.webhook_attempts.get_or_create(&Cause { cause: became.to_owned() }).inc();
    }

    pub(crate) fn refused_documents(&self, count: usize) {
        self.refused_documents.inc_by(count as u64);
    }

    pub(crate) fn live(&self) -> Connected {
        self.live.inc();
        Connected(self.live.clone())
    }

    pub(crate) fn interop(&self) -> Connected {
        self.interop.inc();
        Connected(self.interop.clone())
    }

    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.syncs.get(), self.enrolled.get(), self.refused_documents.get())
    }

    /// All metrics as text, at their present values.
    pub(crate) fn text(&self, granary: &Arc<Granary>) -> String {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for cooperative in granary.cooperatives() {
            let of = OfCooperative { cooperative: cooperative.number().0 };
            let statistics = cooperative.statistics();
            let set = |family: &Family<OfCooperative, Gauge>, count: u64| {
                family.get_or_create(&of).set(number(count));
            };
            set(&self.documents, statistics.documents);
            set(&self.positions, statistics.positions);
            set(&self.pending, statistics.pending);
            set(&self.set_aside, granary.count_set_aside(cooperative.number()).unwrap_or(0));
            set(&self.devices, statistics.devices);
            set(&self.shares_used, granary.count_used_shares(&cooperative, crate::environment::now()));
            set(&self.lists_behind, granary.read_models_behind(cooperative.number()).unwrap_or(0));
            let cases = granary.read_models(cooperative.number()).ok().and_then(|models| models.open_cases().ok());
            let (waiting, given_up) = granary.count_deliveries(cooperative.number()).unwrap_or_default();
            set(&self.webhooks_waiting, waiting);
            set(&self.webhooks_given_up, given_up);
            set(&self.conflicts, cases.unwrap_or(0));
        }
        self.store_bytes.set(number(bytes_in(&self.store)));
        self.disk_free_bytes.set(number(granary.disk_room().map_or(0, |room| room.free_bytes)));
        self.has_room.set(i64::from(granary.has_room()));
        let mut out = String::new();
        // Writing into a string can't fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_match_documentation() {
        let keys = tempfile::tempdir().unwrap();
        let store = granary_client_core::store::MemoryStore::default();
        let granary = Granary::open(Arc::new(store), keys.path(), None, |fault| panic!("{fault}")).unwrap();
        granary.create_cooperative("Linxian", granary_client_core::quantities::Instant(0)).unwrap();
        let granary = Arc::new(granary);
        let metrics = Metrics::new(keys.path(), granary.flushes());
        metrics.refused("busy");
        metrics.api_answered(200);
        metrics.webhook_attempted("made");
        let text = metrics.text(&granary);
        let page = include_str!("../../docs/OPERATIONS.md");
        let mut names: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
        assert_eq!(names.len(), 26, "{names:?}");
        names.retain(|name| !page.contains(&format!("`{name}")));
        assert_eq!(names, Vec::<&str>::new(), "docs/OPERATIONS.md does not list these");
    }
}
