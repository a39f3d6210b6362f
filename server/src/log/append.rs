//! Appending what was taken, or is kept apart: an entry with its rows.

use std::collections::BTreeSet;

use granary_client_core::ids::{ChangeHash, DeviceId};
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::schema::DocumentKey;

use super::Cooperative;
use super::entry::content_of;
use super::keys::{DocumentNumber, Entry, Indexed, entry_key, quarantine_key, sequence_key, short, unadmitted_key};
use super::room::{Pays, growth};
use super::set_aside::{SetAside, Standing};
use super::writer::GroupCommit;

impl Cooperative {
    /// Appends an entry; gives its number and running checksum.
    pub(super) fn append_entry(
        &self,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        document: DocumentChanges,
        attested: &BTreeSet<ChangeHash>,
        previous: u64,
        now_millis: i64,
    ) -> (u64, u32) {
        let own = self.number();
        let number = self.number_for(group, &document.key);
        let documents = [document];
        let bundle = write_bundle(&documents);
        for document in &documents {
            self.count_entry(group, device, document, (attested, Pays::Author), bundle.len(), now_millis);
        }
        let grows = documents.iter().flat_map(|document| &document.changes).map(growth).fold(0, u64::saturating_add);
        let mut state = self.state();
        let content = content_of(&bundle);
        let (entry, tag) = state.heads.append_entry(own, group, content);
        for change in documents.iter().flat_map(|document| &document.changes) {
            let record = change.record();
            let indexed = Indexed { hash: change.hash(), entry };
            group.put_visible(sequence_key(own, number, &record.actor, record.sequence), indexed.to_bytes());
        }
        let record = Entry { document: number, device, received_millis: now_millis, previous, tag, content, bundle };
        group.put(entry_key(own, entry), write_message(&record));
        group.put(unadmitted_key(own, entry), Vec::new());
        state.queue.push(entry, number, grows);
        (entry, short(tag))
    }

    /// Appends changes of a new document that this server wrote itself, as one entry; gives its number. Nothing of them is checked:
    /// they did not come from outside. `device` is their author.
    pub(crate) fn append_own(
        &self,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        document: DocumentChanges,
        now_millis: i64,
    ) -> (u64, DocumentNumber) {
        let number = self.number_for(group, &document.key);
        let (entry, _) = self.append_entry(group, device, document, &BTreeSet::new(), 0, now_millis);
        (entry, number)
    }

    /// True when there is anything of a document, also when it is not durable yet, or was erased.
    pub(crate) fn knows(&self, key: &DocumentKey) -> bool {
        self.state().documents.number(&key.id(self.id())).is_some()
    }

    /// Appends an entry that is never admitted as it is; gives its number.
    pub(super) fn append_kept(
        &self,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        documents: &[DocumentChanges; 1],
        bundle: Vec<u8>,
        now_millis: i64,
    ) -> u64 {
        let own = self.number();
        let [document] = documents;
        let number = self.number_for(group, &document.key);
        let content = content_of(&bundle);
        let (entry, tag) = self.state().heads.append_entry(own, group, content);
        let record = Entry { document: number, device, received_millis: now_millis, previous: 0, tag, content, bundle };
        group.put(entry_key(own, entry), write_message(&record));
        entry
    }

    /// The number of a document, which gets one if it has none.
    pub(super) fn number_for(&self, group: &mut GroupCommit<'_>, key: &DocumentKey) -> DocumentNumber {
        let mut state = self.state();
        match state.documents.number(&key.id(self.id())) {
            Some(number) => number,
            None => {
                let number = state.documents.create(self.number(), self.id(), group, key);
                state.heads.add_document(number);
                number
            }
        }
    }

    /// Marks a new entry as one that a coordinator takes in, for admission.
    pub(super) fn mark_taken_in(&self, group: &mut GroupCommit<'_>, device: DeviceId, entry: u64) {
        let aside = SetAside { standing: Standing::TakenIn, ..SetAside::new(Vec::new(), AsideReason::Other, &[], 0) };
        group.put(quarantine_key(self.number(), device, entry), write_message(&aside));
    }
}
