//! The documents of a co-operative by number, id and household, with the meta of each.

use std::collections::{BTreeSet, HashMap, HashSet};

use granary_client_core::ids::{CooperativeId, DocumentId, HouseholdId};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::store::{Store, StoreFault};

use super::keys::{CooperativeNumber, DocumentMeta, DocumentNumber, key, meta_key};
use super::rows::parse;
use super::writer::GroupCommit;

/// Numbers are dense from 0 and never change. Each document stands in `numbers` once, and in exactly one of
/// `by_household` and `of_no_household`; live-streams stand in `streams` too, of which there are few among many orders. Its meta is that of its last durable position.
#[derive(Default)]
pub(super) struct DocumentIndex {
    documents: Vec<(DocumentKey, DocumentMeta)>,
    numbers: HashMap<DocumentId, DocumentNumber>,
    by_household: HashMap<HouseholdId, Vec<DocumentNumber>>,
    of_no_household: Vec<DocumentNumber>,
    streams: Vec<DocumentNumber>,
    /// Documents of which nothing is taken any more, since they are about to be erased.
    going: HashSet<DocumentNumber>,
}

impl DocumentIndex {
    pub(super) fn load(store: &dyn Store, own: CooperativeNumber, id: CooperativeId) -> Result<Self, StoreFault> {
        let mut index = Self::default();
        for row in store.scan_all(&key(own, b'm', &[]))? {
            let meta: DocumentMeta = parse(&row.key, row.value.as_deref())?;
            let document = DocumentKey::from_bytes(&meta.key).map_err(|_| StoreFault::Damaged(row.key.clone()))?;
            index.add(id, document, meta);
        }
        Ok(index)
    }

    fn add(&mut self, cooperative: CooperativeId, key: DocumentKey, meta: DocumentMeta) -> DocumentNumber {
        let number = DocumentNumber(u32::try_from(self.documents.len()).unwrap_or(u32::MAX));
        self.numbers.insert(key.id(cooperative), number);
        match key.household() {
            Some(household) => self.by_household.entry(household).or_default().push(number),
            None => self.of_no_household.push(number),
        }
        if matches!(key, DocumentKey::Stream(_)) {
            self.streams.push(number);
        }
        self.documents.push((key, meta));
        number
    }

    /// Numbers a document that has no number yet; a job of the writer.
    pub(super) fn create(
        &mut self,
        own: CooperativeNumber,
        id: CooperativeId,
        group: &mut GroupCommit<'_>,
        key: &DocumentKey,
    ) -> DocumentNumber {
        let meta = DocumentMeta::new(key);
        let row = write_message(&meta);
        let number = self.add(id, key.clone(), meta);
        group.put(meta_key(own, number), row);
        number
    }

    pub(super) fn number(&self, id: &DocumentId) -> Option<DocumentNumber> {
        self.numbers.get(id).copied()
    }

    pub(super) fn get(&self, number: DocumentNumber) -> Option<&(DocumentKey, DocumentMeta)> {
        self.documents.get(usize::try_from(number.0).ok()?)
    }

    /// True for a document that was erased, or is about to be.
    pub(super) fn is_erased(&self, number: DocumentNumber) -> bool {
        self.going.contains(&number) || self.get(number).is_some_and(|(_, meta)| meta.is_erased)
    }

    /// Takes nothing more of a document.
    pub(super) fn begin_erasure(&mut self, number: DocumentNumber) {
        self.going.insert(number);
    }

    /// The document with this id, once something of it was admitted and until it is erased.
    pub(super) fn admitted(&self, id: &DocumentId) -> Option<(DocumentNumber, &DocumentKey)> {
        let number = self.number(id).filter(|number| !self.is_erased(*number))?;
        self.get(number).filter(|(_, meta)| meta.last > 0).map(|(key, _)| (number, key))
    }

    pub(super) fn set_meta(&mut self, number: DocumentNumber, meta: DocumentMeta) {
        let place = usize::try_from(number.0).ok();
        if let Some((_, old)) = place.and_then(|place| self.documents.get_mut(place)) {
            *old = meta;
        }
    }

    /// How large a document is as saved; none for one that is there and was not measured.
    pub(super) fn bytes(&self, number: DocumentNumber) -> Option<u64> {
        let (_, meta) = self.get(number)?;
        (meta.bytes > 0 || meta.last == 0).then_some(meta.bytes)
    }

    pub(super) fn set_bytes(&mut self, number: DocumentNumber, bytes: u64) {
        let place = usize::try_from(number.0).ok();
        if let Some((_, meta)) = place.and_then(|place| self.documents.get_mut(place)) {
            meta.bytes = bytes;
        }
    }

    /// All documents in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (DocumentNumber, &DocumentKey, &DocumentMeta)> {
        let numbers = (0u32..).map(DocumentNumber);
        numbers.zip(&self.documents).map(|(number, (key, meta))| (number, key, meta))
    }

    /// The keys of all live-streams, in the order of their numbers.
    pub(super) fn streams(&self) -> impl Iterator<Item = &DocumentKey> {
        self.streams.iter().filter_map(|number| self.get(*number)).map(|(key, _)| key)
    }

    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    /// The documents that these grants let a device read and that changed after `position`, in rising order. None for
    /// roles that read most documents: filtering the log is cheaper for them.
    pub(super) fn readable_since(&self, grants: &Grants, position: u64) -> Option<Vec<DocumentMeta>> {
        let mut numbers = BTreeSet::new();
        for role in &grants.roles {
            let household = match role {
                Role::Household(household) | Role::RecorderFor(household) => household,
                // It reads what is of no household, as every device does.
                Role::Recorder => continue,
                Role::Coordinator | Role::Packer => return None,
            };
            numbers.extend(self.by_household.get(household).into_iter().flatten().copied());
        }
        let is_readable = |number: &DocumentNumber| self.get(*number).is_some_and(|(key, _)| grants.may_read(key));
        numbers.extend(self.of_no_household.iter().copied().filter(is_readable));
        let metas = numbers.into_iter().filter_map(|number| self.get(number)).map(|(_, meta)| meta);
        Some(metas.filter(|meta| meta.last > position).cloned().collect())
    }
}
