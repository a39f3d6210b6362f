//! One co-operative in memory: counters, devices, and of each document what can be known without
//! loading it. `heads` is where the writer stands; `visible` is what is durable and may be given out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use granary_client_core::ids::{ActorId, ChangeHash, CooperativeId, DeviceId, DocumentId, HouseholdId};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::Grants;
use granary_client_core::store::{Store, StoreFault};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::keys::{
    CooperativeNumber, DocumentMeta, DocumentNumber, Entry, Heads, LogEvent, LogRecord, chain, entry_key, key, log_key,
    meta_key, pending_key, rest, rest_u64,
};
use super::records::{CooperativeRecord, DeviceRecord, Mark};
use super::rows::parse;
use super::writer::GroupCommit;

#[derive(Default)]
pub(super) struct State {
    pub(super) heads: Heads,
    pub(super) visible: Heads,
    pub(super) numbers: HashMap<DocumentId, DocumentNumber>,
    pub(super) documents: Vec<(DocumentKey, DocumentMeta)>,
    pub(super) by_household: HashMap<HouseholdId, Vec<DocumentNumber>>,
    pub(super) of_no_household: Vec<DocumentNumber>,
    pub(super) devices: HashMap<DeviceId, DeviceRecord>,
    /// Entries that were not admitted yet, with their document and device.
    pub(super) pending: BTreeSet<u64>,
    /// Below this entry nothing is pending, as it was last written down: to look through the marks of all
    /// entries that ever were, all of them gone, would make each start as long as the log.
    pub(super) pending_from: u64,
    pub(super) pending_of: BTreeMap<DocumentNumber, Vec<u64>>,
    /// Entries whose dependencies have not come, by device; each with its document and its bytes.
    pub(super) orphans: HashMap<DeviceId, BTreeMap<u64, (DocumentNumber, usize)>>,
    /// Lines of the audit log.
    pub(super) audit_lines: u64,
    /// The last entry at the start: which of those before it were orphans is not known.
    pub(super) last_at_start: u64,
    /// Entries of documents that can't be read.
    pub(super) stuck: BTreeSet<u64>,
    /// The devices of actors that no device id tells.
    pub(super) actors: HashMap<ActorId, DeviceId>,
    /// How many such actors each device has.
    pub(super) actors_of: HashMap<DeviceId, usize>,
    /// How many actors each device has in a document, where that was counted since the start.
    pub(super) actors_in: HashMap<(DocumentNumber, DeviceId), usize>,
    /// The last entry of each device since the start.
    pub(super) last_entries: HashMap<DeviceId, u64>,
    /// What was last seen of each device.
    pub(super) last_seen: HashMap<DeviceId, LastSeen>,
    /// Devices that were seen since that was last written down.
    pub(super) seen_lately: BTreeSet<DeviceId>,
}

/// What was last seen of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct LastSeen {
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// Changes that were unsent on it then.
    pub unsent: u32,
    /// The version of its program; empty when it never said.
    pub version: String,
    /// True once two replicas have sent under its name that do not know of each other: the phone was copied or set
    /// back, or its key was stolen.
    pub is_forked: bool,
}

/// See the module.
pub struct Cooperative {
    number: CooperativeNumber,
    record: CooperativeRecord,
    state: Mutex<State>,
    /// Held while the server's own replica edits, so that its sequence has one user.
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
        let mut state = State::default();
        if let Some(bytes) = store.get(&key(number, b'h', &[]))? {
            state.heads = parse(&key(number, b'h', &[]), Some(&bytes))?;
        }
        for row in store.scan_all(&key(number, b'm', &[]))? {
            let meta: DocumentMeta = parse(&row.key, row.value.as_deref())?;
            let document = DocumentKey::from_bytes(&meta.key).map_err(|_| StoreFault::Damaged(row.key.clone()))?;
            state.add_document(record.id, document, meta);
        }
        for row in store.scan_all(&key(number, b'd', &[]))? {
            let device: DeviceRecord = parse(&row.key, row.value.as_deref())?;
            let id = <[u8; 8]>::try_from(rest(&row.key)).map_err(|_| StoreFault::Damaged(row.key.clone()))?;
            state.devices.insert(DeviceId::from_bytes(id), device);
        }
        if let Some(bytes) = store.get(&key(number, b'o', &[]))? {
            state.pending_from = parse(&key(number, b'o', &[]), Some(&bytes))?;
        }
        state.last_at_start = state.heads.entry;
        let before = pending_key(number, state.pending_from.saturating_sub(1));
        for row in store.scan(&key(number, b'p', &[]), Some(&before), usize::MAX)? {
            let entry = rest_u64(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            let entry_bytes = store.get(&entry_key(number, entry))?;
            let parsed: Entry = parse(&entry_key(number, entry), entry_bytes.as_deref())?;
            state.pending.insert(entry);
            state.pending_of.entry(parsed.document).or_default().push(entry);
        }
        for row in store.scan_all(&key(number, b'y', &[]))? {
            let id = <[u8; 8]>::try_from(rest(&row.key)).ok().map(DeviceId::from_bytes);
            if let (Some(id), Ok(seen)) = (id, parse(&row.key, row.value.as_deref())) {
                state.last_seen.insert(id, seen);
            }
        }
        for row in store.scan_all(&key(number, b'j', &[]))? {
            let damaged = || StoreFault::Damaged(row.key.clone());
            let actor = ActorId::from_bytes(rest(&row.key)).ok_or_else(damaged)?;
            let device = row.value.as_deref().and_then(|value| <[u8; 8]>::try_from(value).ok()).ok_or_else(damaged)?;
            state.claim(actor, DeviceId::from_bytes(device));
        }
        let last_line = store.scan_all(&key(number, b'u', &[]))?.last().and_then(|row| rest_u64(&row.key));
        state.audit_lines = last_line.unwrap_or(0);
        state.visible = state.heads;
        Ok(Self { number, record, state: Mutex::new(state), author: Mutex::new(()) })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device id of the server's own replica.
    pub fn server_device(id: CooperativeId) -> DeviceId {
        let mut seed = [0u8; 32];
        for (place, byte) in seed.iter_mut().zip(id.as_bytes()) {
            *place = *byte;
        }
        DeviceId::of_public_key(&seed)
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
        self.state().devices.get(&device).cloned()
    }

    /// All devices, with what was last seen of each.
    pub fn devices(&self) -> Vec<(DeviceId, DeviceRecord, Option<LastSeen>)> {
        let state = self.state();
        let mut devices: Vec<_> =
            state.devices.iter().map(|(id, record)| (*id, record.clone(), state.last_seen.get(id).cloned())).collect();
        devices.sort_by_key(|(id, record, _)| (record.enrolled_millis, *id));
        devices
    }

    pub(crate) fn set_device(&self, device: DeviceId, record: DeviceRecord) {
        self.state().devices.insert(device, record);
    }

    /// Notes that a device was here.
    pub(crate) fn saw(&self, device: DeviceId, now_millis: i64, unsent: u32, version: Option<String>, forks: bool) {
        let mut state = self.state();
        if forks {
            tracing::warn!(%device, "two replicas send under the name of this device: it was copied, set back, or its key was stolen");
        }
        let seen = state.last_seen.entry(device).or_default();
        (seen.at_millis, seen.unsent) = (now_millis, unsent);
        seen.is_forked |= forks;
        if let Some(version) = version {
            seen.version = version.chars().filter(|char| !char.is_control()).take(24).collect();
        }
        state.seen_lately.insert(device);
    }

    /// What was seen of devices since this was last asked, to be written down.
    pub(crate) fn take_seen(&self) -> Vec<(DeviceId, LastSeen)> {
        let mut state = self.state();
        let lately = std::mem::take(&mut state.seen_lately);
        lately.into_iter().filter_map(|device| Some((device, state.last_seen.get(&device)?.clone()))).collect()
    }

    /// Counts for people.
    pub fn statistics(&self) -> Statistics {
        let state = self.state();
        Statistics {
            documents: state.documents.len() as u64,
            positions: state.visible.position,
            pending: state.pending.len() as u64,
            devices: state.devices.values().filter(|device| device.revoked_millis.is_none()).count() as u64,
        }
    }

    /// How far the log reaches, durably.
    pub(crate) fn mark(&self) -> Mark {
        let state = self.state();
        Mark { entry: state.visible.entry, position: state.visible.position }
    }

    /// The keys of all documents.
    pub fn documents(&self) -> Vec<DocumentKey> {
        self.state().documents.iter().map(|(key, _)| key.clone()).collect()
    }

    pub(crate) fn document_number(&self, key: &DocumentKey) -> Option<DocumentNumber> {
        let state = self.state();
        let number = *state.numbers.get(&key.id(self.id()))?;
        state.document(number).filter(|(_, meta)| meta.last > 0).map(|_| number)
    }

    /// The last position of the log that is about a document; 0 for none.
    pub(crate) fn last_position(&self, number: DocumentNumber) -> u64 {
        self.state().document(number).map_or(0, |(_, meta)| meta.last)
    }

    /// The heads of a document at its last position.
    pub(crate) fn heads_of(&self, number: DocumentNumber) -> Vec<ChangeHash> {
        self.state().document(number).map(|(_, meta)| meta.heads.clone()).unwrap_or_default()
    }

    /// All documents, with the last position of the log that is about each.
    pub(crate) fn document_positions(&self) -> Vec<(DocumentNumber, DocumentKey, u64)> {
        let state = self.state();
        let numbers = (0u32..).map(DocumentNumber);
        numbers.zip(&state.documents).map(|(number, (key, meta))| (number, key.clone(), meta.last)).collect()
    }

    /// The key of a document.
    pub(crate) fn document_key(&self, number: DocumentNumber) -> Option<DocumentKey> {
        self.state().document(number).map(|(key, _)| key.clone())
    }

    /// The key of the document with this id.
    pub(crate) fn document_of_id(&self, id: DocumentId) -> Option<DocumentKey> {
        let state = self.state();
        let number = *state.numbers.get(&id)?;
        state.document(number).filter(|(_, meta)| meta.last > 0).map(|(key, _)| key.clone())
    }

    /// The device whose actor this is.
    pub(crate) fn device_of(&self, actor: &ActorId) -> Option<DeviceId> {
        actor.device().or_else(|| self.state().actors.get(actor).copied())
    }

    /// True while something was taken in for this document that nobody has looked at yet.
    pub(crate) fn has_undecided_of(&self, key: &DocumentKey) -> bool {
        let state = self.state();
        let Some(pending) = state.numbers.get(&key.id(self.id())).and_then(|number| state.pending_of.get(number))
        else {
            return false;
        };
        let is_orphan = |entry: &u64| state.orphans.values().any(|entries| entries.contains_key(entry));
        pending.iter().any(|entry| !state.stuck.contains(entry) && !is_orphan(entry))
    }

    /// True while something was taken in that nobody has looked at yet.
    pub(crate) fn has_undecided(&self) -> bool {
        let state = self.state();
        let orphans: usize = state.orphans.values().map(BTreeMap::len).sum();
        state.pending.len() > orphans.saturating_add(state.stuck.len())
    }

    /// The number of the next line of the audit log; for jobs of the writer.
    pub(crate) fn next_audit_line(&self) -> u64 {
        let mut state = self.state();
        state.audit_lines = state.audit_lines.saturating_add(1);
        state.audit_lines
    }

    /// Lets everyone see what the writer has made durable. For the writer's thread.
    pub(crate) fn publish(&self) {
        let mut state = self.state();
        state.visible = state.heads;
    }

    /// Adds an event to the log; for jobs of the writer. Gives its position.
    pub(crate) fn append_event(&self, group: &mut GroupCommit<'_>, event: LogEvent) -> u64 {
        let mut state = self.state();
        append_event(self.number, &mut state.heads, group, event)
    }
}

/// Adds an event to the log of a co-operative whose state is held already.
pub(super) fn append_event(
    number: CooperativeNumber,
    heads: &mut Heads,
    group: &mut GroupCommit<'_>,
    event: LogEvent,
) -> u64 {
    heads.position = heads.position.saturating_add(1);
    heads.position_tag = chain(heads.position_tag, &write_message(&event));
    let record = LogRecord { tag: heads.position_tag, event };
    group.put(log_key(number, heads.position), write_message(&record));
    group.put(key(number, b'h', &[]), write_message(heads));
    heads.position
}

impl State {
    /// From now on this actor is this device's.
    pub(super) fn claim(&mut self, actor: ActorId, device: DeviceId) {
        let count = self.actors_of.entry(device).or_default();
        *count = count.saturating_add(1);
        self.actors.insert(actor, device);
    }

    pub(super) fn add_document(&mut self, cooperative: CooperativeId, key: DocumentKey, meta: DocumentMeta) {
        let number = DocumentNumber(u32::try_from(self.documents.len()).unwrap_or(u32::MAX));
        self.numbers.insert(key.id(cooperative), number);
        match key.household() {
            Some(household) => self.by_household.entry(household).or_default().push(number),
            None => self.of_no_household.push(number),
        }
        self.documents.push((key, meta));
    }

    pub(super) fn document(&self, number: DocumentNumber) -> Option<&(DocumentKey, DocumentMeta)> {
        self.documents.get(usize::try_from(number.0).ok()?)
    }

    pub(super) fn document_mut(&mut self, number: DocumentNumber) -> Option<&mut (DocumentKey, DocumentMeta)> {
        self.documents.get_mut(usize::try_from(number.0).ok()?)
    }

    /// The number of a document, given to it now when it has none. For jobs of the writer.
    pub(super) fn number_of(
        &mut self,
        cooperative: CooperativeId,
        own: CooperativeNumber,
        document: &DocumentKey,
        group: &mut GroupCommit<'_>,
    ) -> DocumentNumber {
        if let Some(number) = self.numbers.get(&document.id(cooperative)) {
            return *number;
        }
        let number = DocumentNumber(u32::try_from(self.documents.len()).unwrap_or(u32::MAX));
        let meta =
            DocumentMeta { key: document.to_bytes(), last: 0, heads: Vec::new(), saved_through: 0, since_saved: 0 };
        group.put(meta_key(own, number), write_message(&meta));
        self.add_document(cooperative, document.clone(), meta);
        self.heads.documents = number.0.saturating_add(1);
        number
    }

    /// The documents that these grants let a device read, in rising order, for devices that may read
    /// few. None for those that may read most: they filter the log itself.
    pub(super) fn few_readable(&self, grants: &Grants) -> Option<Vec<DocumentNumber>> {
        use granary_client_core::schema::access::Role;
        let mut numbers = BTreeSet::new();
        for role in &grants.roles {
            let Role::Household(household) = role else { return None };
            numbers.extend(self.by_household.get(household).into_iter().flatten().copied());
        }
        numbers.extend(
            self.of_no_household
                .iter()
                .copied()
                .filter(|number| self.document(*number).is_some_and(|(key, _)| grants.may_read(key))),
        );
        Some(numbers.into_iter().collect())
    }
}
