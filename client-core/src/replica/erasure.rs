//! A document that was erased for good goes from the phone too: its changes, what is unsent of it, what was quarantined. A
//! reply says so by a document without changes, and by a refusal of what the phone sends of it.

use super::rows::quarantine_prefix;
use super::transaction::Transaction;
use super::{Replica, read_meta};
use crate::error::Error;
use crate::schema::DocumentKey;
use crate::store::{Batch, StoreFault};

/// Set while removed rows may still lie in free places of the store's file.
const TO_SCRUB: &str = "to scrub";

impl Transaction<'_> {
    /// Has the store written anew once this is committed, so that its free places hold nothing of what is deleted now.
    pub(super) fn leave_nothing_of_what_goes(&mut self) {
        self.put_meta(TO_SCRUB, &true);
    }

    /// Deletes all that is here of a document. True when something of it was the phone's own and not delivered.
    pub(super) fn erase(&mut self, key: &DocumentKey) -> Result<bool, Error> {
        let mut was_own = false;
        for (number, _) in self.unsent_of(key)? {
            self.leave_outbox(number)?;
            was_own = true;
        }
        let undelivered = self.state.undelivered;
        for row in self.scan(&quarantine_prefix(self.id_of(key)))? {
            self.remove_quarantined(&row);
        }
        was_own |= self.state.undelivered < undelivered;
        self.forget(key)?;
        self.leave_nothing_of_what_goes();
        Ok(was_own)
    }
}

impl Replica {
    /// Leaves nothing of what was erased in free places of the store's file. Where that fails, as on a full disk, the next
    /// opening tries again.
    pub(super) fn scrub(&self) {
        let scrub = || -> Result<(), StoreFault> {
            if read_meta::<bool>(self.store.as_ref(), TO_SCRUB)?.is_none() {
                return Ok(());
            }
            self.store.scrub()?;
            let mut batch = Batch::default();
            batch.remove(super::rows::meta_key(TO_SCRUB));
            self.store.apply(&batch)?;
            self.store.flush()
        };
        if let Err(fault) = scrub() {
            tracing::warn!(%fault, "what was erased may still lie in free places of the store; the next opening tries again");
        }
    }
}
