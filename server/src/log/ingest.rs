//! Ingests changes: checks permission, authorship and repeats, then makes new changes durable as entries. It loads no
//! document.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, ChangeHash, DeviceId};
use granary_client_core::planted;
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::attestation::covered;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::limits::DEVICE_ACTORS_MAX;
use granary_client_core::protocol::messages::{Receipt, Refusal, RefusalReason};
use granary_client_core::schema::access::Grants;
use granary_client_core::schema::{Document, DocumentKey};
use granary_client_core::store::StoreFault;

use super::Cooperative;
use super::dependencies::split_by_outside_dependencies;
use super::keys::{DocumentNumber, Indexed, actor_prefix, device_actors_prefix, key, sequence_key, short};
use super::receipts::adopt;
use super::room::Planned;
use super::writer::GroupCommit;
use crate::config::Bounds;

/// Entries that one request may make beyond one for each document. Each costs its rows and may become an orphan.
const MORE_ENTRIES_MAX: usize = 16;

/// The sender of changes, with its grants.
#[derive(Debug, Clone)]
pub(crate) struct Submitter {
    pub(crate) device: DeviceId,
    pub(crate) grants: Grants,
    /// The generation of the person's session; none for a device that acts by its own key.
    pub(crate) generation: Option<u32>,
    /// True for clients that choose their actors, as Automerge's own do: an actor without an owner becomes theirs with
    /// its first change.
    pub(crate) chooses_actors: bool,
    /// The receipt of its replica; none when another log gave it.
    pub(crate) receipt: Receipt,
    /// Attested tips, by the index of their document in the request.
    pub(crate) attested: BTreeMap<usize, Vec<ChangeHash>>,
    /// The entry that was set aside and that a coordinator takes in: the device then needs no grant for it.
    pub(crate) takes_in: Option<u64>,
    /// True when the coordinator who takes it in answers for whose changes they are.
    pub(crate) is_vouched: bool,
    /// The bounds that hold for it.
    pub(crate) bounds: Bounds,
}

impl Submitter {
    /// A device without receipt chain and attestations.
    pub(crate) fn new(device: DeviceId, grants: Grants) -> Self {
        Self {
            device,
            grants,
            generation: None,
            chooses_actors: false,
            receipt: Receipt::None,
            attested: BTreeMap::new(),
            takes_in: None,
            is_vouched: false,
            bounds: Bounds::default(),
        }
    }

    /// The reason to refuse a change, if there is one.
    fn refusal(
        &self,
        key: &DocumentKey,
        change: &VerifiedChange,
        is_attested: bool,
        owner: Option<DeviceId>,
        may_claim: bool,
    ) -> Option<RefusalReason> {
        let may_write = self.grants.may_write(key) || self.takes_in.is_some();
        let may_read = self.grants.may_read(key) || self.takes_in.is_some();
        if is_attested && self.grants.may_read(key) {
            return None;
        }
        if change.record().actor.is_genesis() {
            let is_first = Document::first_change(key).is_ok_and(|first| first.hash() == change.hash());
            return match (may_read, is_first) {
                (false, _) => Some(RefusalReason::MayNotWrite),
                (true, false) => Some(RefusalReason::ForeignActor),
                (true, true) => None,
            };
        }
        if !may_write {
            return Some(RefusalReason::MayNotWrite);
        }
        // A coordinator may write everything, so may also backfill changes of others that this store has lost.
        let may_author = self.is_vouched
            || match owner {
                Some(owner) => owner == self.device || self.grants.is_coordinator(),
                None => self.chooses_actors && may_claim,
            };
        if may_author { None } else { Some(RefusalReason::ForeignActor) }
    }
}

/// The outcome of ingesting one request.
#[derive(Debug, Default)]
pub(crate) struct Ingested {
    pub(crate) refused: Vec<Refusal>,
    /// The new receipt with its running checksum; none when the receipt does not change.
    pub(crate) receipt: Option<(Receipt, u32)>,
    /// The entries that it added.
    pub(crate) entries: Vec<u64>,
    /// True when the device has an entry that this replica does not know.
    pub(crate) forks: bool,
}

/// A document's new changes, and the entries that hold its repeated ones.
#[derive(Default)]
struct Checked {
    fresh: HashSet<ChangeHash>,
    repeated: BTreeSet<u64>,
}

impl Cooperative {
    /// Ingests the documents of one request; for jobs of the writer. A repeat adds nothing.
    pub(crate) fn ingest(
        self: &Arc<Self>,
        group: &mut GroupCommit<'_>,
        submitter: &Submitter,
        documents: Vec<DocumentChanges>,
        now_millis: i64,
    ) -> Result<Ingested, StoreFault> {
        let mut ingested = Ingested::default();
        let mut repeated = BTreeSet::new();
        let mut fresh = Vec::new();
        let mut sent = HashSet::new();
        let mut planned = Planned::default();
        for (index, mut document) in documents.into_iter().enumerate() {
            let attested = match submitter.attested.get(&index) {
                Some(tips) => covered(&document.changes, tips.iter().copied()),
                None => BTreeSet::new(),
            };
            self.keep_given_back_apart(group, submitter, &attested, &mut document, now_millis)?;
            let checked = self.check(group, submitter, &attested, &document)?.and_then(|checked| {
                let fresh: Vec<_> =
                    document.changes.iter().filter(|change| checked.fresh.contains(&change.hash())).collect();
                let by = (group.store(), submitter);
                match self.room_for(by, &mut planned, &document.key, &fresh, &attested, now_millis) {
                    None => Ok(checked),
                    Some(reason) => Err(reason),
                }
            });
            match checked {
                Err(reason) => {
                    // Somebody else writes under the device's actor.
                    ingested.forks |= reason == RefusalReason::SequenceReused;
                    let place = u32::try_from(index).unwrap_or(u32::MAX);
                    ingested.refused.push(Refusal { document: place, reason });
                    // What holds another's changes nobody could take in, and a notice of it would take the phone's own changes
                    // with it: the phone sends those again without.
                    let is_of_others = matches!(reason, RefusalReason::ForeignActor | RefusalReason::MayNotWrite)
                        && self.has_foreign(submitter, &document);
                    let is_kept = !reason.may_pass_later() && reason != RefusalReason::Erased && !is_of_others;
                    if is_kept && submitter.takes_in.is_none() {
                        let was_revoked =
                            self.device(submitter.device).is_some_and(|record| record.revoked_millis.is_some());
                        let why = if was_revoked { AsideReason::Revoked } else { AsideReason::Refused(reason) };
                        self.keep_refused(group, submitter, document, why, now_millis)?;
                    }
                }
                Ok(checked) => {
                    sent.extend(document.changes.iter().map(VerifiedChange::hash));
                    repeated.extend(checked.repeated);
                    if !checked.fresh.is_empty() {
                        fresh.push((document, checked.fresh, attested));
                    }
                }
            }
        }
        let adopted = adopt(group, self.number(), (submitter.device, submitter.receipt.own()), &repeated, &sent)?;
        let (mut tip, mut more_entries) = (adopted.tip, MORE_ENTRIES_MAX);
        if planted!("receipt_chain_skips") {
            tip = self.state().devices.last_entry(submitter.device).unwrap_or(tip);
        }
        for (document, fresh, attested) in fresh {
            let mut entries: usize = 0;
            for mut part in split_by_outside_dependencies(document, more_entries.saturating_add(1)) {
                part.changes.retain(|change| fresh.contains(&change.hash()));
                if part.changes.is_empty() {
                    continue;
                }
                if submitter.chooses_actors {
                    self.claim_actors(group, submitter.device, &part);
                }
                let (entry, tag) = self.append_entry(group, submitter.device, part, &attested, tip, now_millis);
                ingested.forks |= self.forks(submitter.device, tip, entry);
                ingested.receipt = Some((Receipt::Own(entry), tag));
                ingested.entries.push(entry);
                if submitter.takes_in.is_some() {
                    self.mark_taken_in(group, submitter.device, entry);
                }
                tip = entry;
                entries = entries.saturating_add(1);
            }
            more_entries = more_entries.saturating_sub(entries.saturating_sub(1));
        }
        if ingested.entries.is_empty() && !repeated.is_empty() && !planted!("repeat_gets_no_receipt") {
            let state = self.state();
            let heads = state.heads.written();
            // A receipt never goes back.
            ingested.receipt = match adopted.is_all && tip >= submitter.receipt.entry() {
                true => adopted.tag.map(|tag| (Receipt::Own(tip), tag)),
                // Every change that the request repeats is at or before the log's end.
                false => Some((Receipt::Through(heads.entry), short(heads.entry_tag))),
            };
        }
        Ok(ingested)
    }

    /// True when a document has changes that are not the sender's own.
    fn has_foreign(&self, submitter: &Submitter, document: &DocumentChanges) -> bool {
        let state = self.state();
        document.changes.iter().map(|change| &change.record().actor).filter(|actor| !actor.is_genesis()).any(|actor| {
            match state.devices.owner(actor) {
                Some(owner) => owner != submitter.device,
                None => !submitter.chooses_actors,
            }
        })
    }

    /// Sorts a document's changes into new and repeated ones, or gives the reason to refuse all of them.
    fn check(
        &self,
        group: &GroupCommit<'_>,
        submitter: &Submitter,
        attested: &BTreeSet<ChangeHash>,
        document: &DocumentChanges,
    ) -> Result<Result<Checked, RefusalReason>, StoreFault> {
        let DocumentChanges { key, changes } = document;
        let number = self.state().documents.number(&key.id(self.id()));
        if number.is_some_and(|number| self.state().documents.is_erased(number)) {
            return Ok(Err(RefusalReason::Erased));
        }
        let mut checked = Checked::default();
        let mut is_own = false;
        for change in changes {
            let actor = &change.record().actor;
            let is_attested = attested.contains(&change.hash());
            let refusal = {
                let state = self.state();
                let owner = state.devices.owner(actor);
                let may_claim = state.devices.may_claim(submitter.device);
                submitter.refusal(key, change, is_attested, owner, may_claim)
            };
            if let Some(reason) = refusal {
                return Ok(Err(reason));
            }
            let indexed = match number {
                Some(number) => {
                    let row = sequence_key(self.number(), number, actor, change.record().sequence);
                    group.get(&row)?.map(|bytes| Indexed::read(&row, &bytes)).transpose()?
                }
                None => None,
            };
            match indexed {
                None => {
                    is_own |= !is_attested && !actor.is_genesis();
                    checked.fresh.insert(change.hash());
                }
                // No document has the changes of an entry that was set aside.
                Some(Indexed { hash, entry }) if hash == change.hash() && submitter.takes_in == Some(entry) => {
                    checked.fresh.insert(change.hash());
                }
                Some(Indexed { hash, entry }) if hash == change.hash() => {
                    checked.repeated.insert(entry);
                }
                Some(_) => return Ok(Err(RefusalReason::SequenceReused)),
            }
        }
        // Two changes of one request that claim the same sequence.
        let mut claims = HashSet::new();
        if !changes.iter().all(|change| claims.insert((&change.record().actor, change.record().sequence))) {
            return Ok(Err(RefusalReason::SequenceReused));
        }
        if submitter.takes_in.is_some() {
            return Ok(Ok(checked));
        }
        if is_own && self.state().queue.has_too_many_orphans(submitter.device, number) {
            return Ok(Err(RefusalReason::TooManyOrphans));
        }
        if self.has_too_many_actors(group, number, changes, &checked.fresh)? {
            return Ok(Err(RefusalReason::TooManyActors));
        }
        Ok(Ok(checked))
    }

    /// True when the fresh changes would give a device more than [`DEVICE_ACTORS_MAX`] actors in a document.
    fn has_too_many_actors(
        &self,
        group: &GroupCommit<'_>,
        number: Option<DocumentNumber>,
        changes: &[VerifiedChange],
        fresh: &HashSet<ChangeHash>,
    ) -> Result<bool, StoreFault> {
        let fresh = changes.iter().filter(|change| fresh.contains(&change.hash()));
        let actors: BTreeSet<&ActorId> = fresh.map(|change| &change.record().actor).collect();
        let mut new_of: BTreeMap<DeviceId, usize> = BTreeMap::new();
        for actor in actors {
            let Some(device) = actor.device() else { continue };
            let is_known = match number {
                Some(number) => !group.store().scan(&actor_prefix(self.number(), number, actor), None, 1)?.is_empty(),
                None => false,
            };
            if !is_known {
                let new = new_of.entry(device).or_default();
                *new = new.saturating_add(1);
            }
        }
        let mut counts = Vec::new();
        for (device, new) in new_of {
            let known = match number.map(|number| (number, self.state().devices.actors_in(number, device))) {
                None => 0,
                Some((_, Some(count))) => count,
                Some((number, None)) => self.count_actors(group, number, device)?,
            };
            let count = known.saturating_add(new);
            if count > DEVICE_ACTORS_MAX {
                return Ok(true);
            }
            counts.push((device, count));
        }
        // A refused document adds no actor, so the counts are kept only here.
        if let Some(number) = number {
            let mut state = self.state();
            counts.into_iter().for_each(|(device, count)| state.devices.set_actors_in(number, device, count));
        }
        Ok(false)
    }

    /// Counts the actors of a device in a document; reads one row of each.
    fn count_actors(
        &self,
        group: &GroupCommit<'_>,
        number: DocumentNumber,
        device: DeviceId,
    ) -> Result<usize, StoreFault> {
        let prefix = device_actors_prefix(self.number(), number, device);
        let (mut count, mut after) = (0usize, None::<Vec<u8>>);
        while count < DEVICE_ACTORS_MAX {
            let Some(row) = group.store().scan(&prefix, after.as_deref(), 1)?.into_iter().next() else { break };
            count = count.saturating_add(1);
            // The next scan starts after all sequences of this actor.
            let mut last = row.key;
            last.truncate(prefix.len().saturating_add(4));
            last.extend_from_slice(&u64::MAX.to_be_bytes());
            after = Some(last);
        }
        Ok(count)
    }

    /// Gives actors without an owner to this device.
    fn claim_actors(&self, group: &mut GroupCommit<'_>, device: DeviceId, document: &DocumentChanges) {
        let mut state = self.state();
        for change in &document.changes {
            let actor = &change.record().actor;
            if !actor.is_genesis() && state.devices.owner(actor).is_none() {
                group.put(key(self.number(), b'j', actor.as_bytes()), device.as_bytes().to_vec());
                state.devices.claim(actor.clone(), device);
            }
        }
    }
}
