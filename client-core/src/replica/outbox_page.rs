//! Pages of the outbox: the changes that go into one request. Backfills go first, each document whole, since unsent changes
//! may depend on them.

use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use super::outbox::read_unsent;
use super::rows::{OUTBOX, outbox_key};
use super::transaction::Transaction;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::ChangeHash;
use crate::protocol::attestation::Shown;
use crate::protocol::bundle::{DocumentChanges, write_bundle};
use crate::protocol::limits;
use crate::schema::DocumentKey;

/// One document of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageDocument {
    /// Which document.
    pub key: DocumentKey,
    /// The outbox numbers of its changes.
    pub numbers: Vec<u64>,
    /// The document's backfill, where these changes are it.
    pub backfill: Option<BTreeSet<ChangeHash>>,
    /// True when others' changes are among them that nothing proves.
    pub has_unproven: bool,
}

/// The changes of one request.
#[derive(Debug, Default)]
pub struct OutboxPage {
    /// The bundle; empty for none.
    pub bundle: Vec<u8>,
    /// The documents of the bundle, in its order.
    pub documents: Vec<PageDocument>,
    /// Prove that the server once gave out others' changes of the bundle.
    pub attestations: Vec<Shown>,
    /// How many changes are unsent after this page.
    pub unsent_after: u64,
}

/// Which rows of the outbox go into a page.
struct Selection<'a> {
    /// Rows after this number.
    after: Option<u64>,
    /// Bytes of bundle, about; at least one change is taken.
    page_bytes: usize,
    /// Of these documents only the first change, as a probe.
    blocked: &'a BTreeSet<DocumentKey>,
}

/// The changes of one document with their outbox numbers.
struct Rows {
    key: DocumentKey,
    changes: Vec<VerifiedChange>,
    numbers: Vec<u64>,
    has_unproven: bool,
}

impl OutboxPage {
    fn of(rows: Vec<Rows>, is_backfill: bool, unsent: u64) -> Self {
        let mut documents = Vec::with_capacity(rows.len());
        let mut bundles = Vec::with_capacity(rows.len());
        let mut unsent_after = unsent;
        for Rows { key, changes, numbers, has_unproven } in rows {
            let backfill = is_backfill.then(|| changes.iter().map(VerifiedChange::hash).collect());
            unsent_after = unsent_after.saturating_sub(numbers.len() as u64);
            documents.push(PageDocument { key: key.clone(), numbers, backfill, has_unproven });
            bundles.push(DocumentChanges { key, changes });
        }
        let bundle = if bundles.is_empty() { Vec::new() } else { write_bundle(&bundles) };
        Self { bundle, documents, attestations: Vec::new(), unsent_after }
    }

    fn count(&self) -> usize {
        self.documents.iter().map(|document| document.numbers.len()).sum()
    }
}

impl Replica {
    /// The next changes to send: about `page_bytes` of bundle, at least one change, empty when nothing is unsent.
    pub fn outbox_page(&mut self, page_bytes: usize) -> Result<OutboxPage, Error> {
        if self.state.backfills > 0 {
            // Blocked ones go last.
            let may_go = self.has_unblocked_backfill()?;
            if may_go || !self.has_unblocked_unsent()? {
                let blocked = self.blocked.clone();
                let page = self.backfill_page(page_bytes, |key| !may_go || !blocked.contains(key))?;
                if !page.documents.is_empty() {
                    return Ok(page);
                }
            }
        }
        let blocked = std::mem::take(&mut self.blocked);
        let page = self.page(&Selection { after: None, page_bytes, blocked: &blocked });
        self.blocked = blocked;
        page
    }

    /// The whole outbox as bundles of about `page_bytes`, for a file; none while the server may lack changes that it depends
    /// on.
    pub fn outbox_to_export(&self, page_bytes: usize) -> Result<Option<Vec<Vec<u8>>>, Error> {
        if self.is_reconciling() || self.state.backfills > 0 {
            return Ok(None);
        }
        self.outbox_bundles(page_bytes).map(Some)
    }

    /// The whole outbox as bundles of about `page_bytes`, also while the server may lack changes that it depends on.
    pub fn outbox_bundles(&self, page_bytes: usize) -> Result<Vec<Vec<u8>>, Error> {
        let (mut bundles, mut after) = (Vec::new(), None);
        loop {
            let page = self.page(&Selection { after, page_bytes, blocked: &BTreeSet::new() })?;
            let last = page.documents.iter().flat_map(|document| &document.numbers).max();
            let Some(last) = last else { return Ok(bundles) };
            after = Some(*last);
            bundles.push(page.bundle);
        }
    }

    /// As [`Self::outbox_to_export`], of a phone that can't sync any more, with all that was set aside.
    pub fn all_undelivered_to_export(&self, page_bytes: usize) -> Result<Vec<Vec<u8>>, Error> {
        let mut bundles = self.outbox_bundles(page_bytes)?;
        for (key, changes) in self.undelivered_changes()? {
            bundles.push(write_bundle(&[DocumentChanges { key, changes }]));
        }
        Ok(bundles)
    }

    /// The backfills of as many documents as fit, at least one.
    fn backfill_page(&mut self, page_bytes: usize, may_go: impl Fn(&DocumentKey) -> bool) -> Result<OutboxPage, Error> {
        let mut transaction = Transaction::begin(self);
        let (mut rows, mut chunk_bytes) = (Vec::new(), 0usize);
        let mut attestations = Vec::new();
        let outbox = transaction.scan(&[OUTBOX])?;
        let mut unsent: BTreeMap<DocumentKey, Vec<(u64, ChangeHash)>> = BTreeMap::new();
        for (number, key, change) in outbox.iter().filter_map(read_unsent) {
            unsent.entry(key).or_default().push((number, change.hash()));
        }
        for (key, backfill) in transaction.backfills()?.into_iter().filter(|(key, _)| may_go(key)) {
            let changes = transaction.sendable(&key, &backfill.known, backfill.proven_only)?;
            let bytes: usize = changes.iter().map(|change| change.chunk().len()).sum();
            // Compressed in a bundle, changes take about an eighth of their chunks.
            if !rows.is_empty() && chunk_bytes.saturating_add(bytes) / 8 > page_bytes {
                break;
            }
            chunk_bytes = chunk_bytes.saturating_add(bytes);
            let hashes: BTreeSet<ChangeHash> = changes.iter().map(VerifiedChange::hash).collect();
            for attestation in transaction.attestations(&key) {
                if attestation.tips.iter().any(|tip| hashes.contains(tip)) {
                    attestations.push(Shown { document: u32::try_from(rows.len()).unwrap_or(u32::MAX), attestation });
                }
            }
            let of_document = unsent.remove(&key).unwrap_or_default().into_iter();
            let numbers = of_document.filter(|(_, hash)| hashes.contains(hash)).map(|(number, _)| number).collect();
            let has_unproven = transaction.has_unproven(&key, &changes);
            rows.push(Rows { key, numbers, changes, has_unproven });
        }
        let page = OutboxPage::of(rows, true, transaction.state.unsent);
        Ok(OutboxPage { attestations, ..page })
    }

    fn page(&self, selection: &Selection<'_>) -> Result<OutboxPage, Error> {
        // How far a bundle compresses is known only once it is written, so a large one is tried and cut.
        let mut most = limits::BUNDLE_CHANGES_MAX / 2;
        loop {
            let page = self.first_rows(selection, most)?;
            let taken = page.count();
            if page.bundle.len() <= selection.page_bytes || taken <= 1 {
                return Ok(page);
            }
            let fitting = taken.saturating_mul(selection.page_bytes) / page.bundle.len();
            most = fitting.saturating_mul(9) / 10;
            most = most.clamp(1, taken.saturating_sub(1));
        }
    }

    fn first_rows(&self, selection: &Selection<'_>, most: usize) -> Result<OutboxPage, Error> {
        let Selection { after, page_bytes, blocked } = selection;
        let mut documents: Vec<Rows> = Vec::new();
        let (mut taken, mut operations, mut chunk_bytes) = (0usize, 0usize, 0usize);
        // The rows of blocked documents that are skipped do not count.
        let rows = if blocked.is_empty() { most } else { usize::MAX };
        for row in self.store.scan(&[OUTBOX], after.map(outbox_key).as_deref(), rows)? {
            let Some((number, key, change)) = read_unsent(&row) else { continue };
            let of_document = documents.iter_mut().find(|document| document.key == key);
            if of_document.is_some() && blocked.contains(&key) {
                continue;
            }
            operations = operations.saturating_add(change.record().operations.len());
            chunk_bytes = chunk_bytes.saturating_add(change.chunk().len());
            let is_full = operations > limits::BUNDLE_OPERATIONS_MAX / 2
                || chunk_bytes > limits::BUNDLE_CHUNK_BYTES_MAX / 2
                || chunk_bytes / 40 > *page_bytes;
            if taken > 0 && (is_full || taken >= most) {
                break;
            }
            taken = taken.saturating_add(1);
            match of_document {
                Some(document) => {
                    document.changes.push(change);
                    document.numbers.push(number);
                }
                None => documents.push(Rows { key, changes: vec![change], numbers: vec![number], has_unproven: false }),
            }
        }
        Ok(OutboxPage::of(documents, false, self.unsent()))
    }

    fn has_unblocked_backfill(&mut self) -> Result<bool, Error> {
        let backfills = Transaction::begin(self).backfills()?;
        Ok(backfills.iter().any(|(key, _)| !self.blocked.contains(key)))
    }

    fn has_unblocked_unsent(&self) -> Result<bool, Error> {
        if self.blocked.is_empty() {
            return Ok(self.state.unsent > 0);
        }
        let rows = self.store.scan_all(&[OUTBOX])?;
        Ok(rows.iter().filter_map(read_unsent).any(|(_, key, _)| !self.blocked.contains(&key)))
    }

    /// True when there is something to send that is not blocked.
    pub(super) fn has_more_to_send(&mut self) -> bool {
        // On a fault the next page is asked for, and reports it.
        let has_backfill = self.state.backfills > 0 && self.has_unblocked_backfill().unwrap_or(true);
        has_backfill || self.has_unblocked_unsent().unwrap_or(true)
    }
}
