//! Attestations of the server that are kept with each document: they show that what is here was once given out or
//! taken by the server. One that later ones cover is dropped.

use std::collections::BTreeSet;

use super::rows::DocumentRecord;
use super::transaction::Transaction;
use crate::error::Error;
use crate::ids::ChangeHash;
use crate::planted;
use crate::protocol::attestation::{Attestation, CODE_BYTES, Code, TIPS_MAX};
use crate::schema::DocumentKey;

/// Attestations kept of one document at most; the oldest go first.
const ATTESTATIONS_MAX: usize = 16;

/// The codes of a reply, given out one by one. None at all when their number does not fit.
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

    /// Keeps an attestation.
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
