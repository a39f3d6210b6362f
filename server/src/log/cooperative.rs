//! One co-operative in memory. One mutex guards all of it, since the writer's jobs change several parts at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use granary_client_core::ids::{ActorId, ChangeHash, CooperativeId, DeviceId, DocumentId};
use granary_client_core::schema::{DocumentKey, StreamCode};
use granary_client_core::store::{Store, StoreFault};

use super::admission_queue::AdmissionQueue;
use super::devices::{Devices, Heard, LastSeen};
use super::document_index::DocumentIndex;
use super::heads::LogHeads;
use super::keys::{CooperativeNumber, DocumentNumber, LogEvent, key, rest_u64};
use super::records::{CooperativeRecord, DeviceRecord, Mark};
use super::restored::was_restored;
use super::shares::Shares;
use super::writer::GroupCommit;

/// The state behind the mutex; each part keeps its own invariant.
pub(super) struct State {
    pub(super) heads: LogHeads,
    pub(super) documents: DocumentIndex,
    pub(super) queue: AdmissionQueue,
    pub(super) devices: Devices,
    pub(super) shares: Shares,
    /// Lines of the audit log.
    audit_lines: u64,
}

/// A co-operative that is open: its record, and its state behind the mutex.
pub struct Cooperative {
    number: CooperativeNumber,
    record: CooperativeRecord,
    /// True once its log was restored.
    was_restored: bool,
    state: Mutex<State>,
    /// Held while the server's own replica edits: one edit at a time takes its actor's next sequence.
    pub(crate) author: Mutex<()>,
}

/// Counts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Documents.
    pub documents: u64,
    /// Positions of the log.
    pub positions: u64,
    /// Entries that are durable and not admitted yet.
    pub pending: u64,
    /// Devices that were not revoked.
    pub devices: u64,
}

impl Cooperative {
    /// Reads what the store has of a co-operative.
    pub(crate) fn open(
        store: &dyn Store,
        number: CooperativeNumber,
        record: CooperativeRecord,
    ) -> Result<Self, StoreFault> {
        let heads = LogHeads::load(store, number)?;
        let documents = DocumentIndex::load(store, number, record.id)?;
        let queue = AdmissionQueue::load(store, number)?;
        let devices = Devices::load(store, number)?;
        let shares = Shares::load(store, number)?;
        let last_line = store.scan_all(&key(number, b'u', &[]))?.last().and_then(|row| rest_u64(&row.key));
        let state = State { heads, documents, queue, devices, shares, audit_lines: last_line.unwrap_or(0) };
        let was_restored = was_restored(store, number)?;
        Ok(Self { number, record, was_restored, state: Mutex::new(state), author: Mutex::new(()) })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True once its log was restored: it may lack what it once had.
    pub(super) fn was_restored(&self) -> bool {
        self.was_restored
    }

    /// The device id of the server's own replica.
    pub fn server_device(id: CooperativeId) -> DeviceId {
        id.server_device()
    }

    /// Its number on this server.
    pub fn number(&self) -> CooperativeNumber {
        self.number
    }

    /// Its id.
    pub fn id(&self) -> CooperativeId {
        self.record.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// A device, if it was ever enrolled.
    pub fn device(&self, device: DeviceId) -> Option<DeviceRecord> {
        self.state().devices.get(device).cloned()
    }

    /// All devices, each with its last request.
    pub fn devices(&self) -> Vec<(DeviceId, DeviceRecord, Option<LastSeen>)> {
        self.state().devices.list()
    }

    pub(crate) fn set_device(&self, device: DeviceId, record: DeviceRecord) {
        self.state().devices.set(device, record);
    }

    /// Notes a request of a device.
    pub(crate) fn saw(&self, device: DeviceId, heard: Heard<'_>) {
        if heard.forks {
            tracing::warn!(%device, "two replicas send under the name of this device: it was copied, set back, or its key was stolen");
        }
        self.state().devices.saw(device, heard);
    }

    /// True when a device has read the notice of this number.
    pub(super) fn has_read_notice(&self, device: DeviceId, number: u64) -> bool {
        self.state().devices.notices_read(device) >= number
    }

    /// Last requests that the store does not have yet; the caller writes them.
    pub(crate) fn take_unsaved_seen(&self) -> Vec<(DeviceId, LastSeen)> {
        self.state().devices.take_unsaved_seen()
    }

    /// Counts for people.
    pub fn statistics(&self) -> Statistics {
        let state = self.state();
        Statistics {
            documents: state.documents.len() as u64,
            positions: state.heads.visible().position,
            pending: state.queue.len() as u64,
            devices: state.devices.count_active() as u64,
        }
    }

    /// The log's durable end, as a high-water mark.
    pub(crate) fn mark(&self) -> Mark {
        let visible = self.state().heads.visible();
        Mark { entry: visible.entry, position: visible.position }
    }

    /// The keys of all documents.
    pub fn documents(&self) -> Vec<DocumentKey> {
        self.state().documents.iter().map(|(_, key, _)| key.clone()).collect()
    }

    /// The codes of all live-streams.
    pub(crate) fn streams(&self) -> Vec<StreamCode> {
        let code = |key: &DocumentKey| match key {
            DocumentKey::Stream(code) => Some(code.clone()),
            _ => None,
        };
        self.state().documents.streams().filter_map(code).collect()
    }

    pub(crate) fn document_number(&self, key: &DocumentKey) -> Option<DocumentNumber> {
        self.state().documents.admitted(&key.id(self.id())).map(|(number, _)| number)
    }

    /// True for a document that was erased, or is about to be.
    pub(crate) fn is_erased(&self, key: &DocumentKey) -> bool {
        let state = self.state();
        state.documents.number(&key.id(self.id())).is_some_and(|number| state.documents.is_erased(number))
    }

    /// The last position of the log that is about a document; 0 for none.
    pub(crate) fn last_position(&self, number: DocumentNumber) -> u64 {
        self.state().documents.get(number).map_or(0, |(_, meta)| meta.last)
    }

    /// The heads of a document at its last position.
    pub(crate) fn heads_of(&self, number: DocumentNumber) -> Vec<ChangeHash> {
        self.state().documents.get(number).map(|(_, meta)| meta.heads.clone()).unwrap_or_default()
    }

    /// All documents, with the last position of the log that is about each.
    pub(crate) fn document_positions(&self) -> Vec<(DocumentNumber, DocumentKey, u64)> {
        self.state().documents.iter().map(|(number, key, meta)| (number, key.clone(), meta.last)).collect()
    }

    /// The key of a document.
    pub(crate) fn document_key(&self, number: DocumentNumber) -> Option<DocumentKey> {
        self.state().documents.get(number).map(|(key, _)| key.clone())
    }

    /// The key of the document with this id.
    pub(crate) fn document_of_id(&self, id: DocumentId) -> Option<DocumentKey> {
        self.state().documents.admitted(&id).map(|(_, key)| key.clone())
    }

    /// The device that an actor belongs to.
    pub(crate) fn device_of(&self, actor: &ActorId) -> Option<DeviceId> {
        self.state().devices.owner(actor)
    }

    /// True while admission has not read all entries of this document.
    pub(crate) fn has_undecided_of(&self, key: &DocumentKey) -> bool {
        let state = self.state();
        state.documents.number(&key.id(self.id())).is_some_and(|number| state.queue.has_undecided_of(number))
    }

    /// True while admission has not read all entries.
    pub(crate) fn has_undecided(&self) -> bool {
        self.state().queue.has_undecided()
    }

    /// The number of the next line of the audit log; for jobs of the writer.
    pub(crate) fn next_audit_line(&self) -> u64 {
        let mut state = self.state();
        state.audit_lines = state.audit_lines.saturating_add(1);
        state.audit_lines
    }

    /// The number of the last line of the audit log, which may not be durable yet; 0 for none.
    pub(crate) fn last_audit_line(&self) -> u64 {
        self.state().audit_lines
    }

    /// Makes the written log visible after a flush; for the writer's completions.
    pub(crate) fn publish(&self) {
        self.state().heads.publish();
    }

    /// Adds an event to the log; for jobs of the writer. Gives its position.
    pub(crate) fn append_event(&self, group: &mut GroupCommit<'_>, event: LogEvent) -> u64 {
        self.state().heads.append_event(self.number, group, event)
    }
}
