//! Documents in memory: loaded on demand from the log, kept while they are used, at most so many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::schema::Document;
use granary_client_core::store::{Store, StoreFault};

use super::keys::{CooperativeNumber, DocumentNumber, meta_key, saved_key};
use super::{Cooperative, feed};

/// Loaded documents that are kept in memory at most.
const LOADED_MAX: usize = 256;

struct Loaded {
    document: Document,
    /// Everything up to this position is in it.
    through: u64,
    used: u64,
}

#[derive(Default)]
struct Shelf {
    loaded: HashMap<(CooperativeNumber, DocumentNumber), Loaded>,
    uses: u64,
}

/// See the module.
pub(crate) struct Documents {
    store: Arc<dyn Store>,
    shelf: Mutex<Shelf>,
}

impl Documents {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, shelf: Mutex::default() }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the document as the log has it.
    pub(crate) fn get(&self, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
        let last = last_position(cooperative, number);
        let name = (cooperative.number(), number);
        {
            let mut shelf = self.shelf();
            shelf.uses = shelf.uses.saturating_add(1);
            let uses = shelf.uses;
            if let Some(loaded) = shelf.loaded.get_mut(&name).filter(|loaded| loaded.through == last) {
                loaded.used = uses;
                return Ok(loaded.document.clone());
            }
        }
        let document = self.load(cooperative, number)?;
        self.put(cooperative, number, document.clone(), last);
        Ok(document)
    }

    /// Takes the document off the shelf, for whoever will put it back changed.
    pub(crate) fn take(&self, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
        let last = last_position(cooperative, number);
        let kept = self.shelf().loaded.remove(&(cooperative.number(), number));
        match kept {
            Some(loaded) if loaded.through == last => Ok(loaded.document),
            _ => self.load(cooperative, number),
        }
    }

    /// Puts a document on the shelf; everything up to `through` is in it.
    pub(crate) fn put(&self, cooperative: &Cooperative, number: DocumentNumber, document: Document, through: u64) {
        let mut shelf = self.shelf();
        shelf.uses = shelf.uses.saturating_add(1);
        while shelf.loaded.len() >= LOADED_MAX {
            let oldest = shelf.loaded.iter().min_by_key(|(_, loaded)| loaded.used).map(|(name, _)| *name);
            let Some(oldest) = oldest else { break };
            shelf.loaded.remove(&oldest);
        }
        let used = shelf.uses;
        shelf.loaded.insert((cooperative.number(), number), Loaded { document, through, used });
    }

    /// Loads a document as the log has it: its saved form, then what came after.
    pub(crate) fn load(&self, cooperative: &Cooperative, number: DocumentNumber) -> Result<Document, StoreFault> {
        let store = self.store.as_ref();
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
}

fn last_position(cooperative: &Cooperative, number: DocumentNumber) -> u64 {
    cooperative.state().documents.get(number).map_or(0, |(_, meta)| meta.last)
}
