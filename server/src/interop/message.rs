//! Reads a sync message of Automerge's protocol, with every count and length checked against a limit, before
//! Automerge's own decoder sees any of it. Its changes are verified one by one, as a phone's are.
//!
//! Source: <https://automerge.org/automerge/automerge/sync/struct.Message.html>, version 1: heads, needed
//! hashes, what the peer has (the last common heads and a Bloom filter), changes.

use granary_client_core::crdt::change::{ChangeFault, VerifiedChange};
use granary_client_core::crdt::leb128::{ReadFault, Reader};
use granary_client_core::protocol::limits::{BUNDLE_CHANGES_MAX, BUNDLE_OPERATIONS_MAX};

const VERSION_1: u8 = 0x42;
/// Hashes in one list.
const HASHES_MAX: usize = 20_000;
/// Automerge sends one.
const HAVES_MAX: usize = 2;
const HASH_BYTES: usize = 32;
/// Entries of a Bloom filter beyond the document's own changes: what a client may have written meanwhile.
const BLOOM_ENTRIES_BEYOND: u64 = 20_000;
/// Automerge uses 10.
const BLOOM_BITS_MAX: u64 = 16;
const BLOOM_PROBES_MAX: u64 = 32;

/// The reason to refuse a sync message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageFault {
    #[error("a sync message can't be read: {0}")]
    Unreadable(#[from] ReadFault),
    #[error("a sync message is not of version 1")]
    Version,
    #[error("a sync message has too many {0}")]
    TooMany(&'static str),
    #[error("a Bloom filter is malformed")]
    Bloom,
    #[error(transparent)]
    Change(#[from] ChangeFault),
}

/// A checked message.
pub(super) struct SyncMessage {
    /// The message without its changes, for Automerge's decoder.
    pub(super) without_changes: Vec<u8>,
    pub(super) changes: Vec<VerifiedChange>,
    /// Bytes of it that the sync's state keeps.
    pub(super) kept_bytes: usize,
}

/// Reads a message about a document of so many changes.
pub(super) fn read(bytes: &[u8], document_changes: u64) -> Result<SyncMessage, MessageFault> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != VERSION_1 {
        return Err(MessageFault::Version);
    }
    skip_hashes(&mut reader)?;
    skip_hashes(&mut reader)?;
    let haves = reader.size()?;
    if haves > HAVES_MAX {
        return Err(MessageFault::TooMany("summaries"));
    }
    for _ in 0..haves {
        skip_hashes(&mut reader)?;
        check_bloom(reader.prefixed()?, document_changes.saturating_add(BLOOM_ENTRIES_BEYOND))?;
    }
    let read = bytes.len().saturating_sub(reader.len());
    let mut without_changes = bytes.get(..read).unwrap_or_default().to_vec();
    without_changes.push(0);
    let count = reader.size()?;
    if count > BUNDLE_CHANGES_MAX {
        return Err(MessageFault::TooMany("changes"));
    }
    let mut changes = Vec::new();
    let mut operations = 0usize;
    for _ in 0..count {
        let change = VerifiedChange::from_any_chunk(reader.prefixed()?)?;
        operations = operations.saturating_add(change.record().operations.len());
        if operations > BUNDLE_OPERATIONS_MAX {
            return Err(MessageFault::TooMany("operations"));
        }
        changes.push(change);
    }
    // The rest are flags, which this server does not use.
    Ok(SyncMessage { kept_bytes: without_changes.len(), without_changes, changes })
}

fn skip_hashes(reader: &mut Reader<'_>) -> Result<(), MessageFault> {
    let count = reader.size()?;
    if count > HASHES_MAX {
        return Err(MessageFault::TooMany("hashes"));
    }
    reader.take(count.saturating_mul(HASH_BYTES))?;
    Ok(())
}

/// Checks the filter's length and probe count: Automerge divides by the one and has no bound for the other.
fn check_bloom(bytes: &[u8], entries_max: u64) -> Result<(), MessageFault> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut reader = Reader::new(bytes);
    let (entries, bits, probes) = (reader.unsigned()?, reader.unsigned()?, reader.unsigned()?);
    let is_bounded = (1..=entries_max).contains(&entries)
        && (1..=BLOOM_BITS_MAX).contains(&bits)
        && (1..=BLOOM_PROBES_MAX).contains(&probes);
    let length = u64::try_from(reader.len()).unwrap_or(u64::MAX);
    match is_bounded && entries.saturating_mul(bits).div_ceil(8) == length {
        true => Ok(()),
        false => Err(MessageFault::Bloom),
    }
}

#[cfg(test)]
mod tests {
    use granary_client_core::crdt::PeerState;
    use granary_client_core::crdt::leb128::write_unsigned;
    use granary_client_core::ids::{ActorId, HouseholdId};
    use granary_client_core::quantities::{Grams, Instant};
    use granary_client_core::schema::harvest::{self, LotDraft};
    use granary_client_core::schema::{Book, Document, DocumentKey, Season};
    use proptest::prelude::*;

    use super::*;

    fn book() -> Document {
        let key = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap()));
        let mut book = Document::new(key).unwrap();
        let lot = LotDraft::new("millet", Grams::new(5_000).unwrap(), "2026-10-03".parse().unwrap());
        let actor = ActorId::from_bytes(&[3; 16]).unwrap();
        book.edit(&actor, Instant(0), |doc| harvest::record(doc, &lot)).unwrap();
        book
    }

    /// All messages of a sync from `from` to an empty document.
    fn messages() -> Vec<Vec<u8>> {
        let (mut from, mut to) = (book(), Document::empty(book().key().clone()));
        let (mut here, mut there) = (PeerState::default(), PeerState::default());
        let mut messages = Vec::new();
        for _ in 0..6 {
            if let Some(message) = from.generate_sync_message(&mut here).unwrap() {
                let read = read(&message, 2).unwrap();
                to.apply(&read.changes).unwrap();
                to.receive_sync_message(&mut there, &read.without_changes).unwrap();
                messages.push(message);
            }
            if let Some(message) = to.generate_sync_message(&mut there).unwrap() {
                from.receive_sync_message(&mut here, &read(&message, 2).unwrap().without_changes).unwrap();
                messages.push(message);
            }
        }
        assert_eq!(from.heads(), to.heads());
        messages
    }

    #[test]
    fn sync_messages_bring_peers_together() {
        assert!(messages().len() >= 3);
    }

    #[test]
    fn filter_beyond_the_documents_own_changes_is_refused() {
        let filter = |entries: u64| {
            let mut bytes = Vec::new();
            [entries, 10, 7].into_iter().for_each(|number| write_unsigned(&mut bytes, number));
            bytes.resize(bytes.len() + usize::try_from((entries * 10).div_ceil(8)).unwrap(), 0);
            bytes
        };
        let message = |filter: &[u8]| {
            let mut bytes = vec![VERSION_1, 0, 0, 1, 0];
            write_unsigned(&mut bytes, filter.len() as u64);
            [bytes.as_slice(), filter, &[0]].concat()
        };
        assert!(read(&message(&filter(300)), 2).is_ok());
        assert_eq!(read(&message(&filter(2_000_000)), 2).err(), Some(MessageFault::Bloom));
        assert!(read(&message(&filter(100_000)), 90_000).is_ok());
    }

    proptest! {
        #[test]
        fn altered_message_is_read_or_refused(which in 0usize..3, at: prop::sample::Index, to: u8) {
            let mut message = messages().swap_remove(which);
            let place = at.index(message.len());
            message[place] = to;
            if let Ok(read) = read(&message, 2) {
                let mut peer = PeerState::default();
                let mut book = book();
                if book.receive_sync_message(&mut peer, &read.without_changes).is_ok() {
                    book.generate_sync_message(&mut peer).unwrap();
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = read(&bytes, 2);
        }
    }
}
