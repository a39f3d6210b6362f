//! Quarantine: a change that the server or this phone refuses is kept with its reason, apart from its document.

use super::rows::{Quarantined, quarantine_key};
use super::transaction::Transaction;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::planted;
use crate::protocol::messages::write_message;
use crate::schema::DocumentKey;

impl Quarantined {
    /// The document of the change; none when this version does not know its kind.
    pub fn document(&self) -> Option<DocumentKey> {
        DocumentKey::from_bytes(&self.key).ok()
    }
}

impl Transaction<'_> {
    /// Keeps a change in quarantine.
    pub(super) fn quarantine(&mut self, key: &DocumentKey, change: &VerifiedChange, reason: &str) {
        let row = Quarantined { key: key.to_bytes(), reason: reason.to_owned(), chunk: change.chunk().to_vec() };
        self.put(quarantine_key(self.id_of(key), change.hash()), write_message(&row));
    }

    /// Moves all unsent changes of a document into quarantine, since later ones depend on the refused ones.
    pub(super) fn quarantine_unsent(&mut self, key: &DocumentKey, reason: &str) -> Result<(), Error> {
        let most = if planted!("only_the_first_refused_change_is_quarantined") { 1 } else { usize::MAX };
        for (number, change) in self.unsent_of(key)?.into_iter().take(most) {
            self.quarantine(key, &change, reason);
            self.leave_outbox(number);
        }
        Ok(())
    }
}
