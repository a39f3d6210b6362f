//! The server's domain: co-operatives and their logs, which change when a device syncs, an operator manages, or the
//! server's own replica edits. It knows no socket.

mod accounts;
mod activity;
mod api_keys;
mod arrivals;
pub(crate) mod audit;
mod documents;
mod enrolment;
pub(crate) mod erasure;
pub(crate) mod events;
mod grants;
mod invitations;
pub(crate) mod kept_answers;
mod leaving;
mod opening;
mod order_files;
mod order_view;
mod outbox_files;
pub(crate) mod own_edits;
pub(crate) mod own_words;
pub(crate) mod pool_view;
pub(crate) mod read_models;
mod recorders;
mod room;
pub(crate) mod second_factor;
mod sessions;
pub(crate) mod set_aside;
mod sign_in;
pub(crate) mod stock_view;
pub(crate) mod subscriptions;
mod sync;
pub(crate) mod trading;
pub(crate) mod views;
pub(crate) mod webhooks;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::planted;
use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::{Store, StoreFault};

use self::arrivals::Arrivals;
use self::events::EventBus;
use self::own_words::OwnWords;
use self::read_models::{CooperativeReadModels, ReadModels};
use self::subscriptions::Subscriptions;
use self::trading::Trading;
use crate::access::erasures::ErasureMarks;
use crate::access::identity::Identity;
use crate::access::marks::AccessMarks;
use crate::access::second_factor::Unconfirmed;
use crate::config::{Bounds, Networks};
use crate::environment::Rng;
use crate::error::Error;
use crate::log::admission::Admission;
use crate::log::check::Marks;
use crate::log::documents::Documents;
use crate::log::flushes::{FlushTotals, Flushes};
use crate::log::keys::{DocumentNumber, key};
use crate::log::throttle::BackgroundThrottle;
use crate::log::writer::{GroupCommit, Writer};
use crate::log::{Cooperative, CooperativeNumber, CooperativeRecord};
use crate::store::free_disk::DiskFloor;

pub use leaving::{Names, Removal};
pub use order_files::ImportFault;
pub(crate) use order_files::{Brought, Import, ImportLine, TakenFile};
pub(crate) use order_view::OrderView;
pub use sync::Caller;

/// The server's domain, shared by all handlers.
pub struct Granary {
    rng: Rng,
    store: Arc<dyn Store>,
    identity: Identity,
    /// The incarnation of the server's own devices; drawn at the start.
    incarnation: Mutex<Incarnation>,
    writer: Writer,
    admission: Admission,
    cooperatives: RwLock<BTreeMap<CooperativeNumber, Arc<Cooperative>>>,
    devices: RwLock<HashMap<DeviceId, CooperativeNumber>>,
    admitted: Arc<(Mutex<u64>, Condvar)>,
    throttle: BackgroundThrottle,
    flushes: Flushes,
    subscriptions: Subscriptions,
    documents: Arc<Documents>,
    read_models: Arc<ReadModels>,
    events: Arc<EventBus>,
    own_words: OwnWords,
    arrivals: Arrivals,
    villages: recorders::Villages,
    access_marks: AccessMarks,
    erasure_marks: ErasureMarks,
    unconfirmed: Unconfirmed,
    api_keys: api_keys::ApiKeys,
    kept_answers: kept_answers::KeptAnswers,
    trading: Arc<Trading>,
    order_files: order_files::OrderFiles,
    webhook_networks: RwLock<Arc<Networks>>,
    bounds: Bounds,
    disk: DiskFloor,
    /// True on a server that shows itself (`granary demo`): its console can start a live-stream of a simulated shop.
    is_demo: AtomicBool,
    /// True once the store has failed; no more verdicts come then.
    failed: Arc<AtomicBool>,
}

impl Granary {
    pub(crate) fn open_cooperative(&self, number: CooperativeNumber, record: CooperativeRecord) -> Result<(), Error> {
        let cooperative = Arc::new(Cooperative::open(self.store.as_ref(), number, record)?);
        self.admission.enqueue(&cooperative);
        self.read_models.catch_up(&cooperative)?;
        self.cooperatives.write().unwrap_or_else(PoisonError::into_inner).insert(number, cooperative);
        Ok(())
    }

    pub(crate) fn remember_device(&self, device: DeviceId, number: CooperativeNumber) {
        self.devices.write().unwrap_or_else(PoisonError::into_inner).insert(device, number);
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        (self.rng)(&mut bytes)?;
        Ok(bytes)
    }

    /// The incarnation of this start.
    pub(crate) fn incarnation(&self) -> Incarnation {
        *self.incarnation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws an unused incarnation.
    pub(crate) fn new_incarnation(&self) -> Result<Incarnation, Error> {
        draw(&self.rng)
    }

    /// Changes to a new incarnation, after changes of the present one were quarantined.
    pub(crate) fn renew_incarnation(&self) -> Result<(), Error> {
        let new = self.new_incarnation()?;
        *self.incarnation.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The documents in memory.
    pub(crate) fn loaded(&self) -> &Documents {
        &self.documents
    }

    /// What trade keeps in memory.
    pub(crate) fn trading(&self) -> &Trading {
        &self.trading
    }

    /// Has these documents of a co-operative admitted to, which have entries that are durable.
    pub(crate) fn admit(&self, cooperative: &Arc<Cooperative>, documents: &[DocumentNumber]) {
        self.admission.enqueue_these(cooperative, documents);
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn access_marks(&self) -> &AccessMarks {
        &self.access_marks
    }

    pub(crate) fn flushes(&self) -> &Flushes {
        &self.flushes
    }

    /// The writer's flushes since the start.
    pub fn flush_totals(&self) -> FlushTotals {
        self.flushes.totals()
    }

    pub(crate) fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// Says that this server shows itself.
    pub(crate) fn be_a_demo(&self) {
        self.is_demo.store(true, Ordering::Relaxed);
    }

    /// True on a server that shows itself.
    pub(crate) fn is_demo(&self) -> bool {
        self.is_demo.load(Ordering::Relaxed)
    }

    /// True until the store has failed.
    pub(crate) fn is_ready(&self) -> bool {
        !self.failed.load(Ordering::SeqCst)
    }

    pub(crate) fn events(&self) -> &EventBus {
        &self.events
    }

    /// The read model of a co-operative.
    pub(crate) fn read_models(&self, number: CooperativeNumber) -> Result<Arc<CooperativeReadModels>, Error> {
        Ok(self.read_models.of(number)?)
    }

    /// The count of documents that a co-operative's read model has not indexed yet.
    pub fn read_models_behind(&self, number: CooperativeNumber) -> Result<u64, Error> {
        Ok(self.read_models(number)?.behind())
    }

    /// All co-operatives.
    pub fn cooperatives(&self) -> Vec<Arc<Cooperative>> {
        self.cooperatives.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The co-operative of this number.
    pub fn cooperative(&self, number: CooperativeNumber) -> Result<Arc<Cooperative>, Error> {
        let cooperatives = self.cooperatives.read().unwrap_or_else(PoisonError::into_inner);
        let found = cooperatives.get(&number).cloned();
        found.ok_or_else(|| Error::NotFound { what: "co-operative", name: number.0.to_string() })
    }

    /// Runs a job in the writer and returns what it gives once that is durable.
    pub(crate) fn write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut GroupCommit<'_>) -> Result<R, StoreFault> + Send + 'static,
    ) -> Result<R, Error> {
        self.throttle.count_write();
        let (done, wait) = channel();
        let cooperatives = self.cooperatives();
        let submitted = self.writer.submit(Box::new(move |group| {
            let result = job(group)?;
            Ok(Box::new(move || {
                cooperatives.iter().for_each(|cooperative| cooperative.publish());
                let _ = done.send(result);
            }))
        }));
        if !submitted {
            return Err(Error::Stopping);
        }
        wait.recv().map_err(|_| Error::Stopping)
    }

    /// The co-operative that a device belongs to.
    pub(crate) fn cooperative_of(&self, device: DeviceId) -> Option<Arc<Cooperative>> {
        let number = self.devices.read().unwrap_or_else(PoisonError::into_inner).get(&device).copied();
        self.cooperative(number?).ok()
    }

    /// Writes the last-seen rows that have changed. Called at intervals and at the stop: a row for each sync would cost
    /// a flush for phones without changes.
    pub fn write_last_seen(&self) -> Result<(), Error> {
        for cooperative in self.cooperatives() {
            let seen = cooperative.take_unsaved_seen();
            if seen.is_empty() {
                continue;
            }
            let number = cooperative.number();
            self.write(move |group| {
                for (device, seen) in seen {
                    group.put(key(number, b'y', device.as_bytes()), write_message(&seen));
                }
                Ok(())
            })?;
        }
        self.write_keys_used()
    }

    /// The high-water marks of all logs.
    pub(crate) fn marks(&self) -> Marks {
        self.cooperatives().iter().map(|cooperative| (cooperative.number().0, cooperative.mark())).collect()
    }

    /// The throttle of background work.
    pub(crate) fn throttle(&self) -> &BackgroundThrottle {
        &self.throttle
    }

    fn wait_while(&self, undecided: impl Fn() -> bool) {
        let mut rounds = self.admitted.0.lock().unwrap_or_else(PoisonError::into_inner);
        while undecided() && !self.failed.load(Ordering::SeqCst) {
            let waited = self.admitted.1.wait_timeout(rounds, std::time::Duration::from_millis(20));
            rounds = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn draw(rng: &Rng) -> Result<Incarnation, Error> {
    let mut bytes = [0; 4];
    if !planted!("server_reuses_an_actor") {
        rng(&mut bytes)?;
    }
    Ok(Incarnation::new(u32::from_be_bytes(bytes)))
}
