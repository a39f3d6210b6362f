//! Documents as the server holds them, and waiting until their changes are given out.

use std::time::Duration;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::crdt::{DocumentFault, PART_BYTES};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::{Document, DocumentKey, Part};

use super::Granary;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

impl Granary {
    /// A document at its last position; none when it does not exist.
    pub fn document(&self, number: CooperativeNumber, key: &DocumentKey) -> Result<Option<Document>, Error> {
        let cooperative = self.cooperative(number)?;
        match cooperative.document_number(key) {
            Some(document) => Ok(Some(self.documents.get(&cooperative, document)?)),
            None => Ok(None),
        }
    }

    /// The parts of a document that are here, in their order.
    pub fn parts(&self, number: CooperativeNumber, of: &DocumentKey) -> Result<Vec<Document>, Error> {
        let mut parts = Vec::new();
        for part in Part::all() {
            let key = of.at(part);
            match key.map(|key| self.document(number, &key)).transpose()?.flatten() {
                Some(document) => parts.push(document),
                // Parts follow each other without gaps: each is begun when the one before it is large.
                None => break,
            }
        }
        Ok(parts)
    }

    /// The part of a document into which something new is written: the first that is smaller than [`PART_BYTES`].
    pub fn part_to_write(&self, number: CooperativeNumber, of: &DocumentKey) -> Result<DocumentKey, Error> {
        for part in Part::all() {
            let Some(key) = of.at(part) else { return Ok(of.clone()) };
            if self.document(number, &key)?.is_none_or(|document| document.bytes() < PART_BYTES) {
                return Ok(key);
            }
        }
        Err(DocumentFault::Full.into())
    }

    /// All admitted changes of a document, each with its time of receipt.
    pub(crate) fn changes_of(
        &self,
        number: CooperativeNumber,
        key: &DocumentKey,
    ) -> Result<Vec<(Instant, VerifiedChange)>, Error> {
        let cooperative = self.cooperative(number)?;
        match cooperative.document_number(key) {
            Some(document) => Ok(cooperative.changes_of(self.store.as_ref(), document)?),
            None => Ok(Vec::new()),
        }
    }

    /// Returns once each entry that a co-operative has ingested so far is admitted, quarantined, or an orphan.
    pub fn settle(&self, cooperative: &Cooperative) {
        self.wait_while(|| cooperative.has_undecided());
    }

    /// As [`Self::settle`], for one document.
    pub(crate) fn settle_document(&self, cooperative: &Cooperative, key: &DocumentKey) {
        self.wait_while(|| cooperative.has_undecided_of(key));
    }

    /// Waits until all of these documents' entries are decided, at most so long; true when they are.
    pub(crate) fn settle_within(&self, cooperative: &Cooperative, keys: &[DocumentKey], most: Duration) -> bool {
        let until = std::time::Instant::now() + most;
        let undecided = || keys.iter().any(|key| cooperative.has_undecided_of(key));
        self.wait_while(|| undecided() && std::time::Instant::now() < until);
        !undecided()
    }
}
