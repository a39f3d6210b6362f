//! The server's read models: one SQLite file for each co-operative, written by one thread after admission. Sync never
//! waits for them. They are disposable: a deleted one is rebuilt, and rows that could not be written are tried again until
//! they are; meanwhile they count as behind.

mod queue;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use granary_client_core::projection::{LotFilter, ReadModel, Total, TotalBy};
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::deeds::{deeds, has_deeds};
use granary_client_core::store::StoreFault;

use self::queue::{Retry, Task, next_batch};
use crate::config::make_folder;
use crate::error::Error;
use crate::log::documents::Documents;
use crate::log::keys::DocumentNumber;
use crate::log::throttle::{BackgroundThrottle, BackgroundWork};
use crate::log::{Cooperative, CooperativeNumber};

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

    /// Deletes the rows of documents that were erased, and leaves nothing of them in the file.
    pub(crate) fn forget(&self, keys: &[DocumentKey]) -> Result<(), StoreFault> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().try_for_each(|key| writer.forget(key))?;
        self.version.fetch_add(1, Ordering::SeqCst);
        writer.scrub()
    }

    /// Writes rows that are of no document.
    pub(super) fn write<R>(
        &self,
        write: impl FnOnce(&mut ReadModel) -> Result<R, StoreFault>,
    ) -> Result<R, StoreFault> {
        write(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The position of the log through which a document was written since the start; 0 for none.
    pub(crate) fn written_through(&self, document: DocumentNumber) -> u64 {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).get(&document).copied().unwrap_or(0)
    }

    /// Counts so many tasks as done.
    fn caught_up(&self, tasks: u64) {
        let less = |behind: u64| Some(behind.saturating_sub(tasks));
        let _ = self.behind.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    }

    /// The count of documents that are enqueued and not written yet.
    pub(crate) fn behind(&self) -> u64 {
        self.behind.load(Ordering::SeqCst)
    }
}

/// The sleep after a write, in multiples of its time.
const SLEEP_TIMES: u32 = 8;

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
                let mut retry = Retry::new();
                while let Some(mut tasks) = next_batch(&receiver, (!retry.tasks.is_empty()).then_some(retry.due)) {
                    let Some(models) = weak.upgrade() else { return };
                    throttle.pass(BackgroundWork::ReadModels);
                    let is_due = !retry.tasks.is_empty() && retry.due <= Instant::now();
                    if is_due {
                        tasks.append(&mut retry.tasks);
                    }
                    let (began, before) = (Instant::now(), throttle.count());
                    let failed = models.write(&documents, tasks, &on_updated);
                    retry.later(failed, is_due);
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
            let is_behind = match cooperative.is_erased(&key) {
                true => made_from.contains_key(&key),
                false => last > 0 && made_from.get(&key) != Some(&last),
            };
            if is_behind {
                self.enqueue(cooperative, number);
            }
        }
        Ok(())
    }

    /// Writes the rows of these documents. Returns those of which the rows could not be written.
    fn write(&self, documents: &Documents, tasks: Vec<Task>, on_updated: &impl Fn(&Cooperative)) -> Vec<Task> {
        let mut by_cooperative: HashMap<CooperativeNumber, (Arc<Cooperative>, BTreeMap<DocumentNumber, u64>)> =
            HashMap::new();
        for (cooperative, number) in tasks {
            let entry = by_cooperative.entry(cooperative.number()).or_insert_with(|| (cooperative, BTreeMap::new()));
            let count = entry.1.entry(number).or_default();
            *count = count.saturating_add(1);
        }
        let mut failed = Vec::new();
        for (cooperative, mut counts) in by_cooperative.into_values() {
            let numbers: Vec<DocumentNumber> = counts.keys().copied().collect();
            for number in self.write_or_each(documents, &cooperative, &numbers) {
                // One task of it goes on counting as behind.
                counts.entry(number).and_modify(|count| *count = count.saturating_sub(1));
                failed.push((Arc::clone(&cooperative), number));
            }
            if let Ok(models) = self.of(cooperative.number()) {
                models.caught_up(counts.into_values().fold(0, u64::saturating_add));
            }
            on_updated(&cooperative);
        }
        failed
    }

    /// Writes the rows of these documents in one transaction or, where that fails, each in its own, so that none keeps the
    /// others out. Returns those that failed.
    fn write_or_each(
        &self,
        documents: &Documents,
        cooperative: &Cooperative,
        numbers: &[DocumentNumber],
    ) -> Vec<DocumentNumber> {
        let report = |fault: &StoreFault| {
            tracing::error!(cooperative = cooperative.number().0, %fault, "rows of a read model could not be written; they are tried again");
        };
        let Err(fault) = self.write_some(documents, cooperative, numbers) else { return Vec::new() };
        report(&fault);
        let [_, _, ..] = numbers else { return numbers.to_vec() };
        let fails = |number: &DocumentNumber| self.write_some(documents, cooperative, &[*number]).is_err();
        numbers.iter().copied().filter(fails).collect()
    }

    fn write_some(
        &self,
        documents: &Documents,
        cooperative: &Cooperative,
        numbers: &[DocumentNumber],
    ) -> Result<(), StoreFault> {
        let (mut loaded, mut erased) = (Vec::with_capacity(numbers.len()), Vec::new());
        let is_erased = |key: &DocumentKey| cooperative.is_erased(key);
        for number in numbers {
            if let Some(key) = cooperative.document_key(*number).filter(is_erased) {
                erased.push(key);
                continue;
            }
            let last = cooperative.last_position(*number);
            match documents.get(cooperative, *number) {
                Ok(document) => loaded.push((*number, document, last)),
                // A damaged document stays so; it must not keep the others out of the read model.
                Err(fault @ StoreFault::Damaged(_)) => {
                    tracing::error!(cooperative = cooperative.number().0, %fault, "a document is not in the read model")
                }
                Err(fault) => return Err(fault),
            }
        }
        let models = self.of(cooperative.number())?;
        models.forget(&erased)?;
        let mut writer = models.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is erased meanwhile has no rows any more.
        loaded.retain(|(_, document, _)| !is_erased(document.key()));
        for (number, document, _) in &loaded {
            let key = document.key();
            if has_deeds(key) {
                let changes = documents.changes_of(cooperative, *number)?;
                let records = changes.iter().map(|(received, change)| (*received, change.record()));
                writer.write_deeds(key, &deeds(key, records))?;
            }
        }
        writer.trust(cooperative.id().server_device());
        writer.write_many(loaded.iter_mut().map(|(_, document, last)| (document, *last)))?;
        let positions = loaded.iter().map(|(number, _, last)| (*number, *last));
        models.written.lock().unwrap_or_else(PoisonError::into_inner).extend(positions);
        models.version.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use granary_client_core::ids::HouseholdId;
    use granary_client_core::quantities::{Grams, Instant};
    use granary_client_core::schema::harvest::{LotDraft, record};
    use granary_client_core::schema::{Book, DocumentKey, Season};
    use granary_client_core::store::MemoryStore;

    use super::*;
    use crate::engine::Granary;
    use crate::engine::events::Event;

    const NOW: Instant = Instant(1_790_000_000_000);

    #[test]
    fn rows_that_could_not_be_written_stay_behind_until_they_are() {
        let (folder, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let fail = |fault| panic!("{fault}");
        let granary = Granary::open(Arc::new(MemoryStore::default()), keys.path(), Some(folder.path()), fail).unwrap();
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        let models = granary.read_models(coop).unwrap();
        let mut events = granary.events().subscribe();
        let mut wait_for_write = || while !matches!(events.blocking_recv(), Ok(Event::ReadModelsUpdated { .. })) {};
        let record_for = |household: u8| {
            let key = DocumentKey::HarvestBook(Book::first(
                HouseholdId::from_bytes([household; 16]),
                Season::new(2026).unwrap(),
            ));
            let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), "2026-10-03".parse().unwrap());
            granary.edit(coop, &key, NOW, move |doc| record(doc, &draft).map(drop)).unwrap();
        };
        let lots = || models.read(|models| models.count_lots(&LotFilter::default())).unwrap();

        record_for(1);
        while lots() < 1 || models.behind() > 0 {
            wait_for_write();
        }
        let file = rusqlite::Connection::open(folder.path().join("1.db")).unwrap();
        file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON lots BEGIN SELECT RAISE(FAIL, 'full'); END").unwrap();
        record_for(2);
        wait_for_write();
        wait_for_write();
        assert_eq!((lots(), models.behind()), (1, 1), "it was tried and tried again, and is told to be behind");
        file.execute_batch("DROP TRIGGER full").unwrap();
        while lots() < 2 || models.behind() > 0 {
            wait_for_write();
        }
    }
}
