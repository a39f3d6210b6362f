//! What is not taken, by the server or by this phone, is kept aside with its reason; it never spoils the rest.

use super::rows::{Quarantined, quarantine_key};
use super::transaction::Transaction;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::planted;
use crate::protocol::messages::write_message;
use crate::schema::DocumentKey;

impl Quarantined {
    /// The document that the change is about; none for one that this version does not know.
    pub fn document(&self) -> Option<DocumentKey> {
        DocumentKey::from_bytes(&self.key).ok()
    }
}

impl Transaction<'_> {
    /// Keeps a change aside.
    pub(super) fn quarantine(&mut self, key: &DocumentKey, change: &VerifiedChange, reason: &str) {
        let row = Quarantined { key: key.to_bytes(), reason: reason.to_owned(), chunk: change.chunk().to_vec() };
        self.put(quarantine_key(self.id_of(key), change.hash()), write_message(&row));
    }

    /// Takes everything that is unsent of a document out of the outbox and keeps it aside: later changes build on
    /// those that were refused.
    pub(super) fn quarantine_unsent(&mut self, key: &DocumentKey, reason: &str) -> Result<(), Error> {
        let most = if planted!("only_the_first_refused_change_is_quarantined") { 1 } else { usize::MAX };
        for (number, change) in self.unsent_of(key)?.into_iter().take(most) {
            self.quarantine(key, &change, reason);
            self.leave_outbox(number);
        }
        Ok(())
    }
}
