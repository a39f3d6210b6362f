//! An entry's content. It can be taken out later (what was set aside is not kept for ever); the entry itself stays, with its
//! document, number and checksums, so that the log stays dense and chained.

use granary_client_core::protocol::bundle::{BundleFault, DocumentChanges, read_bundle, write_bundle};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::StoreFault;

use super::keys::{CooperativeNumber, Entry, Indexed, chain, entry_key, sequence_key};
use super::rows::parse;
use super::writer::GroupCommit;

/// The checksum of an entry's content.
pub(crate) fn content_of(bundle: &[u8]) -> u64 {
    chain(0, bundle)
}

/// The running checksum of the entries after one with this content.
pub(crate) fn chain_entry(tag: u64, content: u64) -> u64 {
    chain(tag, &content.to_be_bytes())
}

impl Entry {
    /// True once its changes were taken out.
    pub(crate) fn is_emptied(&self) -> bool {
        content_of(&self.bundle) != self.content
    }

    /// The same entry of this document without its changes.
    pub(crate) fn emptied(self, document: &DocumentKey) -> Self {
        let nothing = DocumentChanges { key: document.clone(), changes: Vec::new() };
        Self { bundle: write_bundle(&[nothing]), ..self }
    }

    /// Its document with its changes; without any once they were taken out.
    pub(crate) fn documents(&self) -> Result<Vec<DocumentChanges>, BundleFault> {
        read_bundle(&self.bundle)
    }

    /// True when it is as it was written behind the entry with this running checksum, or was emptied since.
    pub(crate) fn follows(&self, before: u64) -> bool {
        let has_nothing = |documents: &[DocumentChanges]| documents.iter().all(|document| document.changes.is_empty());
        chain_entry(before, self.content) == self.tag
            && (!self.is_emptied() || self.documents().is_ok_and(|documents| has_nothing(&documents)))
    }
}

/// What was taken out of an entry.
pub(crate) struct Emptied {
    /// The entry as it was.
    pub(crate) entry: Entry,
    /// Its document, with its changes.
    pub(crate) document: DocumentChanges,
    /// True when the index of repeats had it.
    pub(crate) was_indexed: bool,
}

/// Takes the changes out of an entry that no document has, and its rows out of the index of repeats: a phone that sends them
/// again is asked for them. For jobs of the writer. Gives what was taken out; nothing for an entry that was emptied before.
pub(crate) fn empty_entry(
    group: &mut GroupCommit<'_>,
    cooperative: CooperativeNumber,
    number: u64,
) -> Result<Option<Emptied>, StoreFault> {
    let row = entry_key(cooperative, number);
    let entry: Entry = parse(&row, group.get(&row)?.as_deref())?;
    if entry.is_emptied() {
        return Ok(None);
    }
    let damaged = || StoreFault::Damaged(row.clone());
    let document = entry.documents().map_err(|_| damaged())?.pop().ok_or_else(damaged)?;
    let mut was_indexed = false;
    for change in &document.changes {
        let record = change.record();
        let place = sequence_key(cooperative, entry.document, &record.actor, record.sequence);
        let indexed = group.get(&place)?.map(|bytes| Indexed::read(&place, &bytes)).transpose()?;
        if indexed.is_some_and(|indexed| indexed.entry == number) {
            group.remove_visible(place);
            was_indexed = true;
        }
    }
    group.put_visible(row, write_message(&entry.clone().emptied(&document.key)));
    Ok(Some(Emptied { entry, document, was_indexed }))
}

#[cfg(test)]
mod tests {
    use granary_client_core::ids::DeviceId;
    use granary_client_core::schema::{Document, Part};

    use super::*;
    use crate::log::keys::DocumentNumber;

    #[test]
    fn emptied_entry_stays_in_its_chain_and_an_altered_one_does_not() {
        let key = DocumentKey::Catalogue(Part::FIRST);
        let changes = vec![Document::first_change(&key).unwrap()];
        let bundle = write_bundle(&[DocumentChanges { key: key.clone(), changes }]);
        let content = content_of(&bundle);
        let entry = Entry {
            document: DocumentNumber(0),
            device: DeviceId::from_bytes([1; 8]),
            received_millis: 0,
            previous: 0,
            tag: chain_entry(7, content),
            content,
            bundle,
        };
        assert!(entry.follows(7) && !entry.follows(8) && !entry.is_emptied());
        let altered = Entry { bundle: vec![1, 2, 3], ..entry.clone() };
        assert!(!altered.follows(7));
        let emptied = entry.emptied(&key);
        assert!(emptied.follows(7) && !emptied.follows(8) && emptied.is_emptied());
        assert_eq!(emptied.documents(), Ok(vec![DocumentChanges { key, changes: Vec::new() }]));
    }
}
