//! Trying entries on a copy of their document: which are causally ready, and how much room they have.

use std::collections::BTreeSet;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::crdt::{DOCUMENT_BYTES_MAX, DocumentFault};
use granary_client_core::ids::ChangeHash;
use granary_client_core::schema::Document;

use crate::log::Cooperative;
use crate::log::keys::Entry;

/// Tries changes on a copy of a document, which must stay within its size; with `more_room` within twice its size.
pub(super) fn try_on(
    document: &Document,
    changes: &[VerifiedChange],
    more_room: bool,
) -> Result<Document, DocumentFault> {
    let most = (DOCUMENT_BYTES_MAX as u64).saturating_mul(if more_room { 2 } else { 1 });
    if document.saved_bytes().is_some_and(|bytes| bytes >= most) {
        return Err(DocumentFault::Full);
    }
    let tried = document.trial(changes)?;
    if tried.bytes() > most { Err(DocumentFault::Full) } else { Ok(tried) }
}

/// True when an entry has changes that another device than its sender wrote.
pub(super) fn gives_back(cooperative: &Cooperative, entry: &Entry, changes: &[VerifiedChange]) -> bool {
    let state = cooperative.state();
    changes
        .iter()
        .map(|change| &change.record().actor)
        .any(|actor| !actor.is_genesis() && state.devices.owner(actor).is_some_and(|owner| owner != entry.device))
}

/// Entries without a verdict, with their changes.
pub(super) type Open = Vec<(u64, Entry, Vec<VerifiedChange>)>;

/// Splits entries into those that are causally ready (each dependency is in the document or in another ready entry)
/// and the rest. Entries can depend on each other: a change that was sent again can come in a later entry than one that
/// builds on it.
pub(super) fn split_ready(document: &mut Document, entries: Open) -> (Open, Open) {
    let (mut ready, mut rest) = (entries, Vec::new());
    loop {
        let among: BTreeSet<ChangeHash> =
            ready.iter().flat_map(|(_, _, changes)| changes.iter().map(VerifiedChange::hash)).collect();
        let before = ready.len();
        let (still_ready, orphans): (Open, Open) = ready.into_iter().partition(|(_, _, changes)| {
            let mut needed = changes.iter().flat_map(|change| &change.record().dependencies);
            needed.all(|hash| among.contains(hash) || document.has(*hash))
        });
        rest.extend(orphans);
        ready = still_ready;
        if ready.len() == before {
            return (ready, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::keys::DocumentNumber;
    use granary_client_core::automerge::{ROOT, transaction::Transactable};
    use granary_client_core::ids::{ActorId, DeviceId};
    use granary_client_core::quantities::Instant;
    use granary_client_core::schema::{DocumentKey, Part};

    #[test]
    fn mutually_dependent_entries_become_ready_together() {
        let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let actor = ActorId::from_bytes(&[1; 9]).unwrap();
        let mut ahead = document.clone();
        let changes: Vec<VerifiedChange> = (0..3)
            .map(|number| ahead.edit(&actor, Instant(0), |doc| Ok(doc.put(ROOT, "n", number)?)).unwrap().1.unwrap())
            .collect();
        let entry = |number: u64, which: &[usize]| {
            let record = Entry {
                document: DocumentNumber(0),
                device: DeviceId::from_bytes([1; 8]),
                received_millis: 0,
                previous: 0,
                tag: 0,
                content: 0,
                bundle: Vec::new(),
            };
            (number, record, which.iter().map(|place| changes[*place].clone()).collect::<Vec<_>>())
        };
        let (ready, rest) = split_ready(&mut document, vec![entry(1, &[1]), entry(2, &[0, 2])]);
        assert_eq!((ready.len(), rest.len()), (2, 0));
        let (ready, rest) = split_ready(&mut document, vec![entry(1, &[1]), entry(2, &[2])]);
        assert_eq!((ready.len(), rest.len()), (0, 2));
    }
}
