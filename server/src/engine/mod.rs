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
pub(crate) mod stock_view;
pub(crate) mod subscriptions;
mod sync;
pub(crate) mod trading;
pub(crate) mod views;
pub(crate) mod webhooks;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::planted;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::{Store, StoreFault};

use self::arrivals::Arrivals;
use self::events::{Event, EventBus};
use self::own_words::OwnWords;
use self::read_models::{CooperativeReadModels, ReadModels};
use self::subscriptions::Subscriptions;
use self::trading::Trading;
use crate::access::erasures::ErasureMarks;
use crate::access::identity::Identity;
use crate::access::marks::AccessMarks;
use crate::access::second_factor::Unconfirmed;
use crate::config::{Bounds, Networks};
use crate::environment::{Environment, Rng};
use crate::error::Error;
use crate::log::admission::Admission;
use crate::log::check::Marks;
use crate::log::documents::Documents;
use crate::log::flushes::{FlushTotals, Flushes};
use crate::log::format::check_format;
use crate::log::keys::{DocumentNumber, GLOBAL, key, rest};
use crate::log::throttle::BackgroundThrottle;
use crate::log::writer::{GROUP_COMMIT_JOBS_MAX, GroupCommit, Writer};
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
    /// Opens the server's domain on a store. `keys` is the folder of the server's own key, and
    /// `read_models_folder` that of the read models (in memory when none);
    /// `on_fault` is called when the store fails, after which nothing more is acknowledged.
    pub fn open(
        store: Arc<dyn Store>,
        keys: &Path,
        read_models_folder: Option<&Path>,
        on_fault: impl Fn(StoreFault) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        Self::open_with(store, keys, read_models_folder, Environment::default(), on_fault)
    }

    /// As [`Self::open`], with the sources of non-determinism as an argument.
    pub fn open_with(
        store: Arc<dyn Store>,
        keys: &Path,
        read_models_folder: Option<&Path>,
        environment: Environment,
        on_fault: impl Fn(StoreFault) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let Environment { rng, jobs_per_flush } = environment;
        let jobs_per_flush = jobs_per_flush.unwrap_or(GROUP_COMMIT_JOBS_MAX);
        let failed = Arc::new(AtomicBool::new(false));
        let has_failed = Arc::clone(&failed);
        let on_fault = Arc::new(move |fault| {
            has_failed.store(true, Ordering::SeqCst);
            on_fault(fault);
        });
        let identity = Identity::open(keys)?;
        check_format(store.as_ref())?;
        let incarnation = Mutex::new(draw(&rng)?);
        let flushes = Flushes::default();
        let writer_fault = Arc::clone(&on_fault);
        let (writer, _) =
            Writer::start(Arc::clone(&store), flushes.clone(), jobs_per_flush, move |fault| writer_fault(fault))
                .map_err(Error::thread_start)?;
        let throttle = BackgroundThrottle::default();
        let admitted = Arc::new((Mutex::new(0u64), Condvar::new()));
        let count = Arc::clone(&admitted);
        let documents = Arc::new(Documents::new(Arc::clone(&store)));
        let events = Arc::new(EventBus::default());
        let to_pages = Arc::clone(&events);
        let read_models =
            ReadModels::start(read_models_folder, Arc::clone(&documents), throttle.clone(), move |cooperative| {
                to_pages.publish(Event::ReadModelsUpdated { cooperative: cooperative.number() });
            })?;
        let subscriptions = Subscriptions::default();
        let trading = Arc::new(Trading::default());
        let (to_listeners, to_phones, to_read_models, to_trade) =
            (Arc::clone(&events), subscriptions.clone(), Arc::clone(&read_models), Arc::clone(&trading));
        let (admission, _) = Admission::start(
            Arc::clone(&store),
            Arc::clone(&documents),
            writer.clone(),
            throttle.clone(),
            move |fault| on_fault(fault),
            move |cooperative, document| {
                to_read_models.enqueue(cooperative, document);
                if let Some(key) = cooperative.document_key(document) {
                    if matches!(key, DocumentKey::Order(_)) {
                        to_listeners.publish(Event::OrderAdmitted { cooperative: cooperative.number() });
                    }
                    to_phones.admitted(cooperative.number(), &key);
                    to_trade.admitted(cooperative, document, &key);
                    to_listeners.publish(Event::Admitted { cooperative: cooperative.number(), key });
                }
            },
            move || {
                let mut rounds = count.0.lock().unwrap_or_else(PoisonError::into_inner);
                *rounds = rounds.wrapping_add(1);
                count.1.notify_all();
            },
        )
        .map_err(Error::thread_start)?;
        let api_keys = api_keys::ApiKeys::open(store.as_ref(), keys)?;
        let kept_answers = kept_answers::KeptAnswers::open(store.as_ref())?;
        let granary = Self {
            rng,
            store,
            identity,
            incarnation,
            writer,
            admission,
            cooperatives: RwLock::default(),
            devices: RwLock::default(),
            admitted,
            throttle,
            flushes,
            subscriptions,
            documents,
            read_models,
            events,
            own_words: OwnWords::default(),
            arrivals: Arrivals::default(),
            villages: recorders::Villages::default(),
            access_marks: AccessMarks::open(keys)?,
            erasure_marks: ErasureMarks::open(keys)?,
            unconfirmed: Unconfirmed::default(),
            api_keys,
            kept_answers,
            trading,
            order_files: order_files::OrderFiles::default(),
            webhook_networks: RwLock::default(),
            bounds: Bounds::default(),
            disk: DiskFloor::default(),
            is_demo: AtomicBool::new(false),
            failed,
        };
        granary.read_all()?;
        granary.raise_to_marks()?;
        granary.erase_to_marks()?;
        granary.resume_trade()?;
        Ok(granary)
    }

    fn read_all(&self) -> Result<(), Error> {
        for row in self.store.scan_all(&key(GLOBAL, b'C', &[]))? {
            let damaged = || StoreFault::Damaged(row.key.clone());
            let number = u32::from_be_bytes(rest(&row.key).try_into().map_err(|_| damaged())?);
            let record = row.value.as_deref().and_then(|value| read_message(value).ok()).ok_or_else(damaged)?;
            self.open_cooperative(CooperativeNumber(number), record)?;
        }
        for row in self.store.scan_all(&key(GLOBAL, b'D', &[]))? {
            let damaged = || StoreFault::Damaged(row.key.clone());
            let device = DeviceId::from_bytes(rest(&row.key).try_into().map_err(|_| damaged())?);
            let number = row.value.as_deref().and_then(|value| value.try_into().ok()).ok_or_else(damaged)?;
            self.remember_device(device, CooperativeNumber(u32::from_be_bytes(number)));
        }
        Ok(())
    }

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
