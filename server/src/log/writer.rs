//! The store's only writer. It collects the queued jobs into one batch, flushes once, and only then runs their
//! completions: acknowledged means flushed. On an error of the store it runs none of them and stops.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use granary_client_core::planted;
use granary_client_core::store::{Batch, Row, Store, StoreFault};

use super::flushes::Flushes;

/// Jobs in one flush at most.
pub(crate) const GROUP_COMMIT_JOBS_MAX: usize = 512;
/// Bytes in one flush after which no further job joins it.
const GROUP_COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The batch that is being collected. Its reads see the values that were put visible.
pub(crate) struct GroupCommit<'a> {
    store: &'a dyn Store,
    batch: Batch,
    fresh: BTreeMap<Vec<u8>, Vec<u8>>,
    gone: HashSet<Vec<u8>>,
    bytes: usize,
}

impl GroupCommit<'_> {
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        if self.gone.contains(key) {
            return Ok(None);
        }
        match self.fresh.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => self.store.get(key),
        }
    }

    /// All rows whose keys begin with `prefix`, by key, with the values that were put visible.
    pub(crate) fn scan_all(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreFault> {
        let is_old = |row: &Row| !self.gone.contains(&row.key) && !self.fresh.contains_key(&row.key);
        let mut rows: Vec<Row> = self.store.scan_all(prefix)?.into_iter().filter(is_old).collect();
        let fresh = self.fresh.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        rows.extend(fresh.map(|(key, value)| Row { key: key.clone(), value: Some(value.clone()) }));
        rows.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(rows)
    }

    /// The store as it was before this group.
    pub(crate) fn store(&self) -> &dyn Store {
        self.store
    }

    /// Sets a key so that reads of the same group see it.
    pub(crate) fn put_visible(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.gone.remove(&key);
        self.fresh.insert(key.clone(), value.clone());
        self.put(key, value);
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(key.len()).saturating_add(value.len());
        self.batch.put(key, value);
    }

    /// Removes a key so that reads of the same group do not see it.
    pub(crate) fn remove_visible(&mut self, key: Vec<u8>) {
        self.gone.insert(key.clone());
        self.remove(key);
    }

    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.fresh.remove(&key);
        self.batch.remove(key);
    }
}

/// Runs once the batch is durable.
pub(crate) type Completion = Box<dyn FnOnce() + Send>;
/// Adds its writes and gives the completion to run once they are durable.
pub(crate) type Job = Box<dyn FnOnce(&mut GroupCommit<'_>) -> Result<Completion, StoreFault> + Send>;

/// A handle on the writer; its thread ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: Sender<Job>,
}

impl Writer {
    /// Starts the writer's thread. `on_fault` gets the store's first error; no job runs after it.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        flushes: Flushes,
        jobs_per_flush: usize,
        on_fault: impl Fn(StoreFault) + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, receiver) = channel();
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            if let Err(fault) = run(store.as_ref(), &flushes, jobs_per_flush, &receiver) {
                on_fault(fault);
            }
        })?;
        Ok((Self { jobs }, thread))
    }

    /// Queues a job; false when the writer has stopped.
    pub(crate) fn submit(&self, job: Job) -> bool {
        self.jobs.send(job).is_ok()
    }
}

fn run(
    store: &dyn Store,
    flushes: &Flushes,
    jobs_per_flush: usize,
    receiver: &Receiver<Job>,
) -> Result<(), StoreFault> {
    while let Ok(first) = receiver.recv() {
        let mut group =
            GroupCommit { store, batch: Batch::default(), fresh: BTreeMap::new(), gone: HashSet::new(), bytes: 0 };
        let mut completions = vec![first(&mut group)?];
        while completions.len() < jobs_per_flush && group.bytes < GROUP_COMMIT_BYTES_MAX {
            let Ok(job) = receiver.try_recv() else { break };
            completions.push(job(&mut group)?);
        }
        if !group.batch.is_empty() {
            let began = Instant::now();
            store.apply(&group.batch)?;
            if !planted!("answer_before_flush") {
                store.flush()?;
            }
            flushes.flushed(began.elapsed(), completions.len());
        }
        completions.into_iter().for_each(|completion| completion());
    }
    Ok(())
}
