//! The replica's rows: what each key holds, and how it is read and written.
//!
//! ```text
//! m <name>               single values: cursor, grants, documents to fetch whole
//! d <document>           DocumentRecord
//! k <document>           Kept: what a lost record is made anew of
//! s <document>           the document as saved, through `saved_through`
//! c <document> <index>   a change chunk after the saved form
//! o <number>             outbox: Unsent
//! b <document>           Backfill: the server lacks changes that are here
//! w <document> <hash>    an orphan: a change whose dependencies are missing
//! h <document>           reconciled in the walk in progress
//! x <document> <hash>    Quarantined
//! ```
//!
//! `i <name>` is who the phone is (`phone/identity.rs`).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::crdt::change::VerifiedChange;
use crate::ids::{ChangeHash, DocumentId};
use crate::protocol::aside::AsideReason;
use crate::protocol::attestation::Attestation;
use crate::protocol::messages::{read_message, write_message};
use crate::schema::DocumentKey;
use crate::store::{Batch, Store, StoreFault};

pub(super) const RECORD: u8 = b'd';
pub(super) const NAME: u8 = b'k';
pub(super) const SAVED: u8 = b's';
pub(super) const CHANGE: u8 = b'c';
pub(super) const OUTBOX: u8 = b'o';
pub(super) const BACKFILL: u8 = b'b';
pub(super) const ORPHAN: u8 = b'w';
pub(super) const RECONCILED: u8 = b'h';
pub(super) const QUARANTINED: u8 = b'x';

/// What the store keeps about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct DocumentRecord {
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
    /// Changes below this index are in the saved form.
    pub(crate) saved_through: u32,
    /// The index of the next change.
    pub(crate) next: u32,
    /// Rises with every change, so that the read model knows which documents it must read.
    pub(crate) revision: u64,
    /// Its size: bytes of the saved form and of the changes after it.
    pub(crate) bytes: u64,
    /// Changes after the saved form that a damaged store has lost.
    pub(crate) holes: u32,
    /// True when a damaged store has lost the saved form.
    pub(crate) saved_lost: bool,
    /// What the server has attested of the document. It stands here, so that a damage which takes it takes the entry
    /// of the document too, and all of it comes again with new attestations.
    pub(crate) attestations: Vec<Attestation>,
}

/// What of a record follows from no other row.
#[derive(Serialize_tuple, Deserialize_tuple)]
pub(super) struct Kept {
    #[serde(with = "serde_bytes")]
    key: Vec<u8>,
    attestations: Vec<Attestation>,
}

impl Kept {
    /// The row of this record.
    pub(super) fn write(record: &DocumentRecord) -> Vec<u8> {
        write_message(&Self { key: record.key.clone(), attestations: record.attestations.clone() })
    }

    /// The document, and a record with what was kept of its own; none when the row can't be read.
    pub(super) fn read(row: &[u8]) -> Option<(DocumentKey, DocumentRecord)> {
        let Self { key, attestations } = read_message(row).ok()?;
        let key = DocumentKey::from_bytes(&key).ok()?;
        Some((key.clone(), DocumentRecord { attestations, ..DocumentRecord::new(&key) }))
    }
}

impl DocumentRecord {
    /// The record of a new document.
    pub(super) fn new(key: &DocumentKey) -> Self {
        let key = key.to_bytes();
        Self {
            key,
            saved_through: 0,
            next: 0,
            revision: 0,
            bytes: 0,
            holes: 0,
            saved_lost: false,
            attestations: Vec::new(),
        }
    }

    /// True when part of the document is missing here.
    pub(super) fn is_damaged(&self) -> bool {
        self.holes > 0 || self.saved_lost
    }
}

/// A change that the server has not acknowledged.
#[derive(Serialize_tuple, Deserialize_tuple)]
pub(super) struct Unsent {
    #[serde(with = "serde_bytes")]
    key: Vec<u8>,
    #[serde(with = "serde_bytes")]
    chunk: Vec<u8>,
}

impl Unsent {
    pub(super) fn write(key: &DocumentKey, change: &VerifiedChange) -> Vec<u8> {
        write_message(&Self { key: key.to_bytes(), chunk: change.chunk().to_vec() })
    }

    /// The document and the change in a row of the outbox; none when the row can't be read.
    pub(super) fn read(row: &[u8]) -> Option<(DocumentKey, VerifiedChange)> {
        let Self { key, chunk } = read_message(row).ok()?;
        Some((DocumentKey::from_bytes(&key).ok()?, VerifiedChange::from_chunk(&chunk).ok()?))
    }
}

/// Changes that the server lacks of a document: those after `known` that this device may send.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(super) struct Backfill {
    #[serde(with = "serde_bytes")]
    pub(super) key: Vec<u8>,
    /// The server's heads that are also here.
    pub(super) known: Vec<ChangeHash>,
    /// How many changes that is.
    pub(super) changes: u64,
    /// True once the server refused what is not proven: others' changes that it has not attested stay here.
    pub(super) proven_only: bool,
    /// True where no reconciliation showed that the server lacks them: changes that were in no document when it was asked.
    pub(super) is_guess: bool,
}

impl Backfill {
    /// What the server lacks of a document behind the heads that it has.
    pub(super) fn of(key: &DocumentKey, known: Vec<ChangeHash>) -> Self {
        Self { key: key.to_bytes(), known, changes: 0, proven_only: false, is_guess: false }
    }

    /// The document and the backfill in a row; none when the row can't be read.
    pub(super) fn read(row: &[u8]) -> Option<(DocumentKey, Self)> {
        let backfill: Self = read_message(row).ok()?;
        Some((DocumentKey::from_bytes(&backfill.key).ok()?, backfill))
    }
}

/// A change that the server or this phone refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Quarantined {
    #[serde(with = "serde_bytes")]
    pub(super) key: Vec<u8>,
    /// Why.
    pub reason: AsideReason,
    /// True when the same change may be taken once the device may write its document.
    pub needs_grant: bool,
    /// The change's chunk.
    #[serde(with = "serde_bytes")]
    pub chunk: Vec<u8>,
}

pub(crate) fn meta_key(name: &str) -> Vec<u8> {
    [b"m", name.as_bytes()].concat()
}

/// The key of this kind for a document, and the prefix of longer keys of that kind.
pub(super) fn document_key(kind: u8, id: DocumentId) -> Vec<u8> {
    [&[kind], id.as_bytes().as_slice()].concat()
}

pub(super) fn change_key(id: DocumentId, index: u32) -> Vec<u8> {
    [document_key(CHANGE, id).as_slice(), &index.to_be_bytes()].concat()
}

/// The index in the key of a change.
pub(super) fn change_index(key: &[u8]) -> Option<u32> {
    key.get(17..)?.try_into().ok().map(u32::from_be_bytes)
}

pub(super) fn orphan_key(id: DocumentId, hash: ChangeHash) -> Vec<u8> {
    [document_key(ORPHAN, id).as_slice(), hash.as_bytes()].concat()
}

/// The prefix of all quarantined changes of a document.
pub(super) fn quarantine_prefix(id: DocumentId) -> Vec<u8> {
    document_key(QUARANTINED, id)
}

pub(super) fn quarantine_key(id: DocumentId, hash: ChangeHash) -> Vec<u8> {
    [document_key(QUARANTINED, id).as_slice(), hash.as_bytes()].concat()
}

pub(super) fn outbox_key(number: u64) -> Vec<u8> {
    [[OUTBOX].as_slice(), &number.to_be_bytes()].concat()
}

/// The number in a key of the outbox.
pub(super) fn outbox_number(key: &[u8]) -> Option<u64> {
    key.get(1..)?.try_into().ok().map(u64::from_be_bytes)
}

/// The document id in a key that begins with a kind byte.
pub(super) fn document_of(key: &[u8]) -> Option<DocumentId> {
    key.get(1..17)?.try_into().ok().map(DocumentId::from_bytes)
}

/// Reads a single value. One that is damaged or can't be read is reported and counts as missing: each has a default, and
/// the next sync brings or makes it again.
pub(crate) fn read_meta<M: DeserializeOwned>(store: &dyn Store, name: &str) -> Result<Option<M>, StoreFault> {
    let bytes = match store.get(&meta_key(name)) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => Some(bytes),
        Err(StoreFault::Damaged(_)) => None,
        Err(fault) => return Err(fault),
    };
    let value = bytes.and_then(|bytes| read_message(&bytes).ok());
    if value.is_none() {
        tracing::error!(name, "a stored value can't be read; it counts as missing");
    }
    Ok(value)
}

pub(crate) fn put_meta<M: Serialize>(batch: &mut Batch, name: &str, value: &M) {
    batch.put(meta_key(name), write_message(value));
}
