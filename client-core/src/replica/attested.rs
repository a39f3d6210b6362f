//! The server's attestations, kept with each document. They prove that the server once gave out the changes that they
//! cover. One that later ones cover is deleted.

use std::collections::BTreeSet;

use super::rows::DocumentRecord;
use super::transaction::Transaction;
use crate::error::Error;
use crate::ids::ChangeHash;
use crate::planted;
use crate::protocol::attestation::{Attestation, CODE_BYTES, Code, TIPS_MAX};
use crate::schema::DocumentKey;

/// Attestations of one document at most. The oldest are deleted first.
const ATTESTATIONS_MAX: usize = 16;

/// The codes of a reply, in the order of its documents; none when there is not one for each.
pub(super) struct Codes<'a>(std::slice::ChunksExact<'a, u8>);

impl<'a> Codes<'a> {
    pub(super) fn of(bytes: &'a [u8], expected: usize) -> Self {
        let fits = bytes.len() == expected.saturating_mul(CODE_BYTES);
        Self(if fits { bytes } else { &[] }.chunks_exact(CODE_BYTES))
    }

    pub(super) fn next(&mut self) -> Option<Code> {
        self.0.next().and_then(|bytes| bytes.try_into().ok()).map(Code)
    }
}

impl Transaction<'_> {
    /// What the server has attested of a document.
    pub(super) fn attestations(&self, key: &DocumentKey) -> Vec<Attestation> {
        self.record(self.id_of(key)).map(|record| record.attestations.clone()).unwrap_or_default()
    }

    /// Keeps an attestation, and deletes those that it covers.
    pub(super) fn attest(&mut self, key: &DocumentKey, tips: Vec<ChangeHash>, code: Option<Code>) -> Result<(), Error> {
        let is_kept = !tips.is_empty() && tips.len() <= TIPS_MAX && !planted!("attestations_are_not_kept");
        let Some(code) = code.filter(|_| is_kept) else { return Ok(()) };
        let id = self.id_of(key);
        let mut kept = self.attestations(key);
        if !kept.is_empty()
            && let Some(document) = self.document(key)?
            && tips.iter().all(|tip| document.has(*tip))
        {
            let uncovered: BTreeSet<ChangeHash> = document.hashes_since(&tips).into_iter().collect();
            kept.retain(|old| old.tips.iter().any(|tip| uncovered.contains(tip) || !document.has(*tip)));
        }
        let surplus = kept.len().saturating_add(1).saturating_sub(ATTESTATIONS_MAX);
        kept.drain(..surplus.min(kept.len()));
        kept.push(Attestation { tips, code });
        if let Some(record) = self.record(id).cloned() {
            self.set_record(id, DocumentRecord { attestations: kept, ..record });
        }
        Ok(())
    }
}
