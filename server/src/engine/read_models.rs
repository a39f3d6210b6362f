//! The server's read models: one SQLite file for each co-operative, written by one thread after admission. Sync never
//! waits for them. They are disposable: a deleted one is rebuilt.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use granary_client_core::projection::{LotFilter, ReadModel, Total, TotalBy};
use granary_client_core::store::StoreFault;

use crate::config::make_folder;
use crate::error::Error;
use crate::log::documents::Documents;
use crate::log::keys::DocumentNumber;
use crate::log::throttle::{BackgroundThrottle, BackgroundWork};
use crate::log::{Cooperative, CooperativeNumber};

/// Documents that are written in one transaction at most.
const TOGETHER_MAX: usize = 64;
/// Idle connections that are kept for reading.
const READERS_MAX: usize = 4;

/// One co-operative's read model.
pub(crate) struct CooperativeReadModels {
    path: Option<PathBuf>,
    writer: Mutex<ReadModel>,
    readers: Mutex<Vec<ReadModel>>,
    /// Documents whose rows are not up to date.
    behind: AtomicU64,
    /// Rises with each write.
    version: AtomicU64,
    /// The position through which each document was written since the start.
    written: Mutex<HashMap<DocumentNumber, u64>>,
    /// Totals of a version, cached for the overview.
    totals: Mutex<Option<(u64, Arc<Totals>)>>,
}

/// The weights of all lots, summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) by_product: Vec<Total>,
    pub(crate) by_village: Vec<Total>,
    pub(crate) by_day: Vec<Total>,
}

impl CooperativeReadModels {
    fn open(path: Option<PathBuf>) -> Result<Self, StoreFault> {
        let writer = match &path {
            Some(path) => ReadModel::open(path)?,
            None => ReadModel::in_memory()?,
        };
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            behind: AtomicU64::new(0),
            version: AtomicU64::new(0),
            written: Mutex::default(),
            totals: Mutex::default(),
        })
    }

    /// Reads from the read model, while it may be written to.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&ReadModel) -> Result<R, StoreFault>) -> Result<R, StoreFault> {
        let Some(path) = &self.path else {
            return read(&self.writer.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => ReadModel::reader(path)?,
        };
        let result = read(&reader);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(reader);
        }
        result
    }

    /// The weights of all lots; summed again after a write.
    pub(crate) fn totals(&self) -> Result<Arc<Totals>, StoreFault> {
        let version = self.version.load(Ordering::SeqCst);
        let mut kept = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, totals)) = kept.as_ref()
            && *of == version
        {
            return Ok(Arc::clone(totals));
        }
        let totals = self.read(|models| {
            let all = LotFilter::default();
            Ok(Arc::new(Totals {
                by_product: models.totals_by(&all, TotalBy::Product)?,
                by_village: models.totals_by(&all, TotalBy::Village)?,
                by_day: models.totals_by(&all, TotalBy::Day)?,
            }))
        })?;
        *kept = Some((version, Arc::clone(&totals)));
        Ok(totals)
    }

    /// The count of open cases.
    pub(crate) fn open_cases(&self) -> Result<u64, StoreFault> {
        self.read(|models| Ok(models.case_counts()?.open))
    }

    /// The position of the log through which a document was written since the start; 0 for none.
    pub(crate) fn written_through(&self, document: DocumentNumber) -> u64 {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).get(&document).copied().unwrap_or(0)
    }

    /// The count of documents that are enqueued and not written yet.
    pub(crate) fn behind(&self) -> u64 {
        self.behind.load(Ordering::SeqCst)
    }
}

/// The sleep after a write, in multiples of its time.
const SLEEP_TIMES: u32 = 8;

type Task = (Arc<Cooperative>, DocumentNumber);

/// The read models of all co-operatives, and the queue of their writer.
pub(crate) struct ReadModels {
    folder: Option<PathBuf>,
    of: Mutex<HashMap<CooperativeNumber, Arc<CooperativeReadModels>>>,
    tasks: Mutex<Sender<Task>>,
}

impl ReadModels {
    /// Starts the writer's thread, for files in this folder or in memory. `on_updated` is called for each co-operative
    /// after its rows were written.
    pub(crate) fn start(
        folder: Option<&Path>,
        documents: Arc<Documents>,
        throttle: BackgroundThrottle,
        on_updated: impl Fn(&Cooperative) + Send + 'static,
    ) -> Result<Arc<Self>, Error> {
        if let Some(folder) = folder {
            make_folder(folder)?;
        }
        let (tasks, receiver) = channel();
        let models =
            Arc::new(Self { folder: folder.map(Path::to_owned), of: Mutex::default(), tasks: Mutex::new(tasks) });
        let weak = Arc::downgrade(&models);
        std::thread::Builder::new()
            .name("read-models".into())
            .spawn(move || {
                while let Some(tasks) = next_batch(&receiver) {
                    let Some(models) = weak.upgrade() else { return };
                    throttle.pass(BackgroundWork::ReadModels);
                    let (began, before) = (Instant::now(), throttle.count());
                    models.write(&documents, &tasks, &on_updated);
                    throttle.pause(began, before, SLEEP_TIMES);
                }
            })
            .map_err(Error::thread_start)?;
        Ok(models)
    }

    /// The read model of a co-operative.
    pub(crate) fn of(&self, number: CooperativeNumber) -> Result<Arc<CooperativeReadModels>, StoreFault> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(models) = of.get(&number) {
            return Ok(Arc::clone(models));
        }
        let path = self.folder.as_ref().map(|folder| folder.join(format!("{}.db", number.0)));
        let models = Arc::new(CooperativeReadModels::open(path)?);
        of.insert(number, Arc::clone(&models));
        Ok(models)
    }

    /// Enqueues a document; its rows are then written again.
    pub(crate) fn enqueue(&self, cooperative: &Arc<Cooperative>, number: DocumentNumber) {
        if let Ok(models) = self.of(cooperative.number()) {
            models.behind.fetch_add(1, Ordering::SeqCst);
        }
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // A send fails only when the thread has ended, and then the server is stopping too.
        let _ = tasks.send((Arc::clone(cooperative), number));
    }

    /// Enqueues the documents that a co-operative's read model lacks, as after a restart.
    pub(crate) fn catch_up(&self, cooperative: &Arc<Cooperative>) -> Result<(), StoreFault> {
        let models = self.of(cooperative.number())?;
        let made_from: HashMap<_, _> = models.read(ReadModel::revisions)?.into_iter().collect();
        for (number, key, last) in cooperative.document_positions() {
            if last > 0 && made_from.get(&key) != Some(&last) {
                self.enqueue(cooperative, number);
            }
        }
        Ok(())
    }

    fn write(&self, documents: &Documents, tasks: &[Task], on_updated: &impl Fn(&Cooperative)) {
        let mut by_cooperative: HashMap<CooperativeNumber, (Arc<Cooperative>, BTreeSet<DocumentNumber>, u64)> =
            HashMap::new();
        for (cooperative, number) in tasks {
            let entry = by_cooperative
                .entry(cooperative.number())
                .or_insert_with(|| (Arc::clone(cooperative), BTreeSet::new(), 0));
            entry.1.insert(*number);
            entry.2 = entry.2.saturating_add(1);
        }
        for (cooperative, numbers, count) in by_cooperative.into_values() {
            if let Err(fault) = self.write_some(documents, &cooperative, &numbers) {
                tracing::error!(cooperative = cooperative.number().0, %fault, "a read model could not be written");
            }
            if let Ok(models) = self.of(cooperative.number()) {
                models.behind.fetch_sub(count, Ordering::SeqCst);
            }
            on_updated(&cooperative);
        }
    }

    fn write_some(
        &self,
        documents: &Documents,
        cooperative: &Cooperative,
        numbers: &BTreeSet<DocumentNumber>,
    ) -> Result<(), StoreFault> {
        let mut loaded = Vec::with_capacity(numbers.len());
        for number in numbers {
            let last = cooperative.last_position(*number);
            match documents.get(cooperative, *number) {
                Ok(document) => loaded.push((*number, document, last)),
                // One damaged document must not keep the others out of the read model.
                Err(fault) => {
                    tracing::error!(cooperative = cooperative.number().0, %fault, "a document is not in the read model")
                }
            }
        }
        let models = self.of(cooperative.number())?;
        let mut writer = models.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_many(loaded.iter_mut().map(|(_, document, last)| (document, *last)))?;
        let positions = loaded.iter().map(|(number, _, last)| (*number, *last));
        models.written.lock().unwrap_or_else(PoisonError::into_inner).extend(positions);
        models.version.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Takes the next tasks, at most [`TOGETHER_MAX`] more than one; none once all senders are dropped.
fn next_batch(receiver: &Receiver<Task>) -> Option<Vec<Task>> {
    let mut tasks = vec![receiver.recv().ok()?];
    tasks.extend(receiver.try_iter().take(TOGETHER_MAX));
    Some(tasks)
}
