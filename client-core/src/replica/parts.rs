//! Parts: a book that has grown goes on in its next part, which whoever needs it begins. Its key says all about it, so phones
//! that begin it apart begin the same document.

use super::Replica;
use super::rows::quarantine_prefix;
use crate::crdt::DocumentFault;
use crate::error::Error;
use crate::schema::{DocumentKey, Part};

impl Replica {
    /// The part of a book into which something new is written: the first that is smaller than [`crate::crdt::PART_BYTES`] and of
    /// which nothing was refused. Documents without parts are their own.
    pub fn part_to_write(&self, of: &DocumentKey) -> Result<DocumentKey, Error> {
        for part in Part::all() {
            let Some(key) = of.at(part) else { return Ok(of.clone()) };
            let id = key.id(self.cooperative);
            let has_room = self.documents.record(id).is_none_or(|record| record.bytes < self.part_bytes);
            // What would be added to refused changes could wait for them for ever.
            if has_room && self.store.scan(&quarantine_prefix(id), None, 1)?.is_empty() {
                return Ok(key);
            }
        }
        Err(DocumentFault::Full.into())
    }

    /// The parts of a book that are here, in their order.
    pub fn parts(&self, of: &DocumentKey) -> Vec<DocumentKey> {
        let mut parts: Vec<DocumentKey> = self.documents().into_iter().map(|(key, _)| key).collect();
        parts.retain(|key| of.at(key.part()).unwrap_or_else(|| of.clone()) == *key);
        parts
    }

    /// Sets the size from which a book goes on in its next part, for tests.
    pub fn set_part_bytes(&mut self, bytes: u64) {
        self.part_bytes = bytes;
    }
}
