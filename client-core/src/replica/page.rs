//! Pages of the outbox: what of it goes into one request.

use std::collections::BTreeSet;

use super::Replica;
use super::outbox::{Waiting, number_of, outbox_key};
use crate::documents::DocumentKey;
use crate::error::Error;
use crate::protocol::bundle::{DocumentChanges, write_bundle};
use crate::protocol::limits;
use crate::protocol::messages::RefusalReason;

/// What of the outbox goes into one request.
#[derive(Debug, Default)]
pub struct OutboxPage {
    /// The bundle; empty for none.
    pub bundle: Vec<u8>,
    /// For each document of the bundle, its key and the outbox numbers of its changes.
    pub documents: Vec<(DocumentKey, Vec<u64>)>,
    /// Changes that wait after these.
    pub pending_after: u64,
}

impl Replica {
    /// The next changes to send, as many as fit about `page_bytes` of bundle; at least one.
    pub fn outbox_page(&self, page_bytes: usize) -> Result<OutboxPage, Error> {
        self.outbox_page_after(None, page_bytes, &self.held_back)
    }

    /// The whole outbox as bundles of about `page_bytes`, for a file that is carried to the server; none while
    /// it is not known what else the server lacks, since they may build on that.
    pub fn outbox_to_carry(&self, page_bytes: usize) -> Result<Option<Vec<Vec<u8>>>, Error> {
        if self.is_comparing() {
            return Ok(None);
        }
        let (mut bundles, mut after) = (Vec::new(), None);
        loop {
            let page = self.outbox_page_after(after, page_bytes, &BTreeSet::new())?;
            let last = page.documents.iter().flat_map(|(_, numbers)| numbers).max();
            let Some(last) = last else { return Ok(Some(bundles)) };
            after = Some(*last);
            bundles.push(page.bundle);
        }
    }

    /// Of documents that are held back the first change alone, which asks whether that has ended.
    fn outbox_page_after(
        &self,
        after: Option<u64>,
        page_bytes: usize,
        held_back: &BTreeSet<DocumentKey>,
    ) -> Result<OutboxPage, Error> {
        // A change takes at most its chunk; like ones take far less, so more are tried and cut.
        let mut most = limits::BUNDLE_CHANGES_MAX / 2;
        loop {
            let page = self.outbox_first(after, most, page_bytes, held_back)?;
            let taken: usize = page.documents.iter().map(|(_, numbers)| numbers.len()).sum();
            if page.bundle.len() <= page_bytes || taken <= 1 {
                return Ok(page);
            }
            let fitting = taken.saturating_mul(page_bytes) / page.bundle.len();
            most = fitting.saturating_mul(9) / 10;
            most = most.clamp(1, taken.saturating_sub(1));
        }
    }

    fn outbox_first(
        &self,
        after: Option<u64>,
        most: usize,
        page_bytes: usize,
        held_back: &BTreeSet<DocumentKey>,
    ) -> Result<OutboxPage, Error> {
        let mut documents: Vec<(DocumentChanges, Vec<u64>)> = Vec::new();
        let (mut taken, mut operations, mut chunk_bytes) = (0u64, 0usize, 0usize);
        let after = after.map(outbox_key);
        let apart = self.sent_apart()?;
        // Rows that are passed over don't count.
        let rows = if held_back.is_empty() { most } else { usize::MAX };
        for row in self.store.scan(b"o", after.as_deref(), rows)? {
            let parsed = row.value.as_deref().and_then(Waiting::read);
            let (Some((key, change)), Some(number)) = (parsed, number_of(&row.key)) else { continue };
            let of_document = documents.iter_mut().find(|(document, _)| document.key == key);
            if of_document.is_some() && held_back.contains(&key) {
                continue;
            }
            operations = operations.saturating_add(change.record().operations.len());
            chunk_bytes = chunk_bytes.saturating_add(change.chunk().len());
            let full = operations > limits::BUNDLE_OPERATIONS_MAX / 2
                || chunk_bytes > limits::BUNDLE_CHUNK_BYTES_MAX / 2
                || chunk_bytes / 40 > page_bytes;
            let through = apart.get(&key.id(self.cooperative)).copied().unwrap_or(0);
            let is_apart = of_document.as_ref().is_some_and(|(_, numbers)| numbers.iter().any(|sent| *sent < through));
            if taken > 0 && (full || is_apart || taken >= most as u64) {
                break;
            }
            taken = taken.saturating_add(1);
            match of_document {
                Some((document, numbers)) => {
                    document.changes.push(change);
                    numbers.push(number);
                }
                None => documents.push((DocumentChanges { key, changes: vec![change] }, vec![number])),
            }
        }
        let (bundles, numbers): (Vec<_>, Vec<_>) = documents.into_iter().unzip();
        let bundle = if bundles.is_empty() { Vec::new() } else { write_bundle(&bundles) };
        let keys = bundles.into_iter().map(|document| document.key);
        Ok(OutboxPage {
            bundle,
            documents: keys.zip(numbers).collect(),
            pending_after: self.pending.saturating_sub(taken),
        })
    }

    /// Keeps in mind of which documents the server takes no more for now.
    pub(super) fn note_held_back(&mut self, page: &OutboxPage, refused: &[(usize, RefusalReason)]) {
        for (index, (key, _)) in page.documents.iter().enumerate() {
            match refused.iter().any(|(document, reason)| *document == index && reason.may_pass_later()) {
                true => self.held_back.insert(key.clone()),
                false => self.held_back.remove(key),
            };
        }
    }

    /// True when something waits that the server may take now.
    pub(super) fn has_more_to_send(&self) -> bool {
        if self.held_back.is_empty() {
            return self.pending > 0;
        }
        // What can't be read now is asked for again.
        let Ok(rows) = self.store.scan_all(b"o") else { return true };
        let mut keys = rows.into_iter().filter_map(|row| Waiting::read(&row.value?)).map(|(key, _)| key);
        keys.any(|key| !self.held_back.contains(&key))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::documents::Season;
    use crate::documents::harvest::{LotDraft, record};
    use crate::ids::{CooperativeId, DeviceId, HouseholdId};
    use crate::protocol::access::{Grants, Role};
    use crate::protocol::messages::{Comparing, Cursor, Refusal, SyncReply};
    use crate::quantities::{Grams, Instant};
    use crate::store::MemoryStore;

    const PAGE_BYTES: usize = 2_048;

    fn book(year: u16) -> DocumentKey {
        DocumentKey::HarvestBook(HouseholdId::from_bytes([1; 16]), Season::new(year).unwrap())
    }

    fn records(replica: &mut Replica, year: u16, lots: i64) {
        for lot in 1..=lots {
            let draft = LotDraft::new("millet", Grams::new(1_000 + lot).unwrap(), "2026-10-03".parse().unwrap());
            replica.edit(&book(year), Instant(lot), |doc| record(doc, &draft)).unwrap();
        }
    }

    /// Sends a page, of which this is refused; gives how many changes it had of each year, and whether there is more.
    fn sends(replica: &mut Replica, refused: Option<u16>) -> (BTreeMap<u16, usize>, bool) {
        let page = replica.outbox_page(PAGE_BYTES).unwrap();
        let position = |year| page.documents.iter().position(|(key, _)| *key == book(year));
        let refusal = |document: usize| Refusal {
            document: u32::try_from(document).unwrap(),
            reason: RefusalReason::TooManyWaiting,
        };
        let reply = SyncReply {
            cursor: Cursor::default(),
            more: false,
            refused: refused.and_then(position).map(refusal).into_iter().collect(),
            grants: None,
            bundle: Vec::new(),
            compares: Comparing::No,
            heads: Vec::new(),
            fetched: Vec::new(),
            notices: Vec::new(),
        };
        let more = replica.receive(&page, &[], &reply).unwrap().more;
        let years = [2026, 2027].into_iter().filter_map(|year| Some((year, page.documents[position(year)?].1.len())));
        (years.collect(), more)
    }

    #[test]
    fn a_document_that_is_held_back_lets_the_others_pass() {
        let roles = [Role::Household(HouseholdId::from_bytes([1; 16]))].into();
        let (cooperative, device) = (CooperativeId::from_bytes([2; 16]), DeviceId::from_bytes([3; 8]));
        let grants = Grants { version: 1, roles };
        let (mut replica, _) = Replica::open(Arc::new(MemoryStore::default()), cooperative, device, &grants).unwrap();
        records(&mut replica, 2026, 400);
        let (first, more) = sends(&mut replica, Some(2026));
        assert!(first[&2026] > 1 && first[&2026] < 400, "a page of them");
        assert!(!more, "nothing else waits");
        records(&mut replica, 2027, 3);
        assert_eq!(sends(&mut replica, Some(2026)), ([(2026, 1), (2027, 4)].into(), false));
        let (_, more) = sends(&mut replica, None);
        assert!(more, "it is not held back any more");
        let (again, _) = sends(&mut replica, None);
        assert!(again[&2026] > 1);
    }
}
