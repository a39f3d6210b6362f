//! A cache of documents: loaded on demand from the log, the least recently used evicted first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::Document;
use granary_client_core::store::{Store, StoreFault};

use super::keys::{CooperativeNumber, DocumentNumber, meta_key, saved_key};
use super::{Cooperative, feed};

/// Loaded documents that are kept in memory at most.
const LOADED_MAX: usize = 256;

struct Loaded {
    document: Document,
    /// The document holds the log up to this position.
    through: u64,
    used: u64,
}

#[derive(Default)]
struct Cache {
    loaded: HashMap<(CooperativeNumber, DocumentNumber), Loaded>,
    uses: u64,
}

/// The cache of all co-operatives.
pub(crate) struct Documents {
    store: Arc<dyn Store>,
    cache: Mutex<Cache>,
}

impl Documents {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, cache: Mutex::default() }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All admitted changes of a document, each with the time at which it was received.
    pub(crate) fn changes_of(
        &self,
        cooperative: &Cooperative,
        number: DocumentNumber,
    ) -> Result<Vec<(Instant, VerifiedChange)>, StoreFault> {
        cooperative.changes_of(self.store.as_ref(), number)
    }

    /// A copy of the document at its last position.
    pub(crate) fn get(&self, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
        let last = last_position(cooperative, number);
        let name = (cooperative.number(), number);
        {
            let mut cache = self.cache();
            cache.uses = cache.uses.saturating_add(1);
            let uses = cache.uses;
            if let Some(loaded) = cache.loaded.get_mut(&name).filter(|loaded| loaded.through == last) {
                loaded.used = uses;
                return Ok(loaded.document.clone());
            }
        }
        let document = self.load(cooperative, number)?;
        self.put(cooperative, number, document.clone(), last);
        Ok(document)
    }

    /// Takes the document out of the cache; the caller puts it back changed.
    pub(crate) fn take(&self, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
        let last = last_position(cooperative, number);
        let kept = self.cache().loaded.remove(&(cooperative.number(), number));
        match kept {
            Some(loaded) if loaded.through == last => Ok(loaded.document),
            _ => self.load(cooperative, number),
        }
    }

    /// Puts a document into the cache; it holds the log up to `through`.
    pub(crate) fn put(&self, cooperative: &Cooperative, number: DocumentNumber, document: Document, through: u64) {
        let mut cache = self.cache();
        cache.uses = cache.uses.saturating_add(1);
        while cache.loaded.len() >= LOADED_MAX {
            let oldest = cache.loaded.iter().min_by_key(|(_, loaded)| loaded.used).map(|(name, _)| *name);
            let Some(oldest) = oldest else { break };
            cache.loaded.remove(&oldest);
        }
        let used = cache.uses;
        cache.loaded.insert((cooperative.number(), number), Loaded { document, through, used });
    }

    /// Drops a document that was erased.
    pub(crate) fn drop_erased(&self, cooperative: &Cooperative, number: DocumentNumber) {
        self.cache().loaded.remove(&(cooperative.number(), number));
    }

    /// Loads a document from the log, past the cache.
    pub(crate) fn load(&self, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
        load(self.store.as_ref(), cooperative, number)
    }
}

/// Loads a document from the log: its saved form, then the entries after it.
fn load(store: &dyn Store, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
    let meta_key = meta_key(cooperative.number(), number);
    let (key, meta) = cooperative.state().documents.get(number).cloned().ok_or(StoreFault::Damaged(meta_key))?;
    let saved_key = saved_key(cooperative.number(), number);
    let mut document = match store.get(&saved_key)? {
        Some(saved) => Document::load(key.clone(), &saved).map_err(|_| StoreFault::Damaged(saved_key))?,
        None => Document::empty(key.clone()),
    };
    let positions = feed::positions_of(store, cooperative.number(), &meta, meta.saved_through)?;
    let changes: Vec<VerifiedChange> = feed::read_positions(store, cooperative.number(), &positions)?
        .into_iter()
        .flat_map(|DocumentChanges { changes, .. }| changes)
        .filter(|change| !document.has(change.hash()))
        .collect();
    document.apply(&changes).map_err(|fault| StoreFault::Failed(fault.to_string()))?;
    Ok(document)
}

/// How large a document is as saved, once it was measured; it is measured here where its rows were made anew, as after a
/// restoration. 0 for one that can't be read until it is repaired.
pub(super) fn measured(store: &dyn Store, cooperative: &Cooperative, number: DocumentNumber) -> u64 {
    if let Some(bytes) = cooperative.state().documents.bytes(number) {
        return bytes;
    }
    match load(store, cooperative, number) {
        Ok(mut document) => {
            let bytes = document.save().len() as u64;
            cooperative.state().documents.set_bytes(number, bytes);
            bytes
        }
        Err(fault) => {
            tracing::warn!(%fault, "a document could not be measured");
            0
        }
    }
}

fn last_position(cooperative: &Cooperative, number: DocumentNumber) -> u64 {
    cooperative.state().documents.get(number).map_or(0, |(_, meta)| meta.last)
}
