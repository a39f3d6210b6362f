//! How the server's domain is opened on a store: its threads are started, and all co-operatives and devices read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::read_message;
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::{Store, StoreFault};

use super::arrivals::Arrivals;
use super::events::{Event, EventBus};
use super::own_words::OwnWords;
use super::read_models::ReadModels;
use super::subscriptions::Subscriptions;
use super::trading::Trading;
use super::{Granary, api_keys, draw, kept_answers, order_files, recorders};
use crate::access::erasures::ErasureMarks;
use crate::access::identity::Identity;
use crate::access::marks::AccessMarks;
use crate::access::second_factor::Unconfirmed;
use crate::config::Bounds;
use crate::environment::Environment;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::admission::Admission;
use crate::log::documents::Documents;
use crate::log::flushes::Flushes;
use crate::log::format::check_format;
use crate::log::keys::{GLOBAL, key, rest};
use crate::log::throttle::BackgroundThrottle;
use crate::log::writer::{GROUP_COMMIT_JOBS_MAX, Writer};
use crate::store::free_disk::DiskFloor;

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
}
