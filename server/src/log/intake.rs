//! Taking changes in: permission, authorship and repeats are checked, the rest is made durable. No
//! document is loaded here.

use std::collections::BTreeMap;
use std::sync::Arc;

use granary_client_core::documents::{Document, DocumentKey};
use granary_client_core::ids::{ChangeHash, DeviceId};
use granary_client_core::protocol::access::Grants;
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::{Refusal, RefusalReason, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::StoreFault;

use super::Cooperative;
use super::ground::by_ground;
use super::keys::{DocumentNumber, Entry, chain, entry_key, key, pending_key, sequence_key, short};
use super::writer::Gather;

/// Entries of one device that may wait in one document for what they depend on. Each round of admission to
/// that document reads them again, so few may; a phone brings the rest once what they wait for has come.
/// Its other documents do not wait with this one, whose ground may be gone for good.
const WAITING_MAX: Waiting = Waiting { entries: 64, bytes: 1024 * 1024 };
/// What may wait of one device, in all its documents.
const WAITING_IN_ALL_MAX: Waiting = Waiting { entries: 1024, bytes: 4 * 1024 * 1024 };

/// How many entries more than one for each document a request may make: each costs its rows, and may wait.
const MORE_ENTRIES_MAX: usize = 16;

/// Actors of their own choice that one device may have.
const ACTORS_MAX: usize = 20_000;

/// Who brings changes, and what they may.
#[derive(Debug, Clone)]
pub(crate) struct Bringer {
    pub(crate) device: DeviceId,
    pub(crate) grants: Grants,
    /// True for clients that choose their actors themselves, as Automerge's own do: an actor that nobody
    /// has becomes theirs with its first change.
    pub(crate) chooses_actors: bool,
}

/// Entries that wait, and the bytes of their change chunks.
#[derive(Debug, Default, Clone, Copy)]
struct Waiting {
    entries: usize,
    bytes: usize,
}

impl Waiting {
    fn is_full(self, most: Self) -> bool {
        self.entries >= most.entries || self.bytes >= most.bytes
    }
}

impl FromIterator<usize> for Waiting {
    fn from_iter<I: IntoIterator<Item = usize>>(bytes: I) -> Self {
        bytes.into_iter().fold(Self::default(), |sum, bytes| Self {
            entries: sum.entries.saturating_add(1),
            bytes: sum.bytes.saturating_add(bytes),
        })
    }
}

/// What was taken of one request.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) refused: Vec<Refusal>,
    /// The last entry, with its running checksum, when something new was taken.
    pub(crate) receipt: Option<(u64, u32)>,
    /// True when the request shows that another phone goes by the device's name.
    pub(crate) is_twin: bool,
    /// True when some of what was sent was here already.
    pub(crate) has_repeats: bool,
    /// The device's last entry before this request.
    pub(crate) last: u64,
    /// The log's last entry after it, with its running checksum: what was here already is not behind that.
    pub(crate) end: (u64, u32),
}

impl Cooperative {
    /// Takes the documents of one request in; a job of the writer. A repeat adds nothing.
    pub(crate) fn take_in(
        self: &Arc<Self>,
        gather: &mut Gather<'_>,
        bringer: &Bringer,
        documents: Vec<DocumentChanges>,
        now_millis: i64,
    ) -> Result<Taken, StoreFault> {
        let mut taken = Taken { last: self.last_entry_of(bringer.device), ..Taken::default() };
        let mut more_entries = MORE_ENTRIES_MAX;
        for (index, document) in documents.into_iter().enumerate() {
            let refusal = match self.check(gather, bringer, &document, now_millis)? {
                Err(reason) => Some(reason),
                Ok(fresh) if fresh.is_empty() => {
                    taken.has_repeats = true;
                    None
                }
                Ok(fresh) => {
                    taken.has_repeats |= fresh.len() < document.changes.len();
                    let mut kept: usize = 0;
                    for mut part in by_ground(document, more_entries.saturating_add(1)) {
                        part.changes.retain(|change| fresh.contains(&change.hash()));
                        if part.changes.is_empty() {
                            continue;
                        }
                        if bringer.chooses_actors {
                            self.claim_actors(gather, bringer.device, &part);
                        }
                        taken.receipt = Some(self.keep(gather, bringer.device, part, now_millis));
                        kept = kept.saturating_add(1);
                    }
                    more_entries = more_entries.saturating_sub(kept.saturating_sub(1));
                    None
                }
            };
            if refusal == Some(RefusalReason::SequenceReused) && !taken.is_twin {
                taken.is_twin = true;
                tracing::warn!(device = %bringer.device, "two phones go by the name of this device");
                self.twin_seen(gather, bringer.device);
            }
            if let Some(reason) = refusal {
                taken.refused.push(Refusal { document: u32::try_from(index).unwrap_or(u32::MAX), reason });
            }
        }
        let heads = &self.state().heads;
        taken.end = (heads.entry, short(heads.entry_tag));
        Ok(taken)
    }

    /// The changes that are new, or why none of the document's changes is taken.
    fn check(
        &self,
        gather: &Gather<'_>,
        bringer: &Bringer,
        document: &DocumentChanges,
        now_millis: i64,
    ) -> Result<Result<Vec<ChangeHash>, RefusalReason>, StoreFault> {
        let Bringer { device, grants, chooses_actors } = bringer;
        if !grants.may_write(&document.key) {
            return Ok(Err(RefusalReason::MayNotWrite));
        }
        let heals = self.heals(Instant(now_millis));
        let state = self.state();
        let number = state.numbers.get(&document.key.id(self.id())).copied();
        let is_full = |entries: &BTreeMap<u64, (DocumentNumber, usize)>| {
            let here = entries.values().filter(|(of, _)| Some(*of) == number);
            here.map(|(_, bytes)| *bytes).collect::<Waiting>().is_full(WAITING_MAX)
                || entries.values().map(|(_, bytes)| *bytes).collect::<Waiting>().is_full(WAITING_IN_ALL_MAX)
        };
        if state.waiting.get(device).is_some_and(is_full) {
            return Ok(Err(RefusalReason::TooManyWaiting));
        }
        let mut fresh = Vec::new();
        for change in &document.changes {
            let record = change.record();
            let may_author = if Document::is_first_actor(&record.actor) {
                is_first_change(&document.key, change.hash())
            } else {
                // A coordinator may write everything anyway; so it may give back what this store lost of
                // others, also of devices that were enrolled after the backup it was restored from.
                // So may anyone who may write the document, once it is proven that this store has lost
                // something: a phone's own changes may build on others' that only it still has.
                let gives_back = grants.is_coordinator() || heals;
                match (record.actor.device(), state.actors.get(&record.actor)) {
                    (Some(owner), _) | (None, Some(&owner)) => owner == *device || gives_back,
                    (None, None) => {
                        heals
                            || (*chooses_actors && state.actors_of.get(device).is_none_or(|count| *count < ACTORS_MAX))
                    }
                }
            };
            if !may_author {
                return Ok(Err(RefusalReason::ForeignActor));
            }
            let known = match number {
                Some(number) => gather.get(&sequence_key(self.number(), number, &record.actor, record.sequence))?,
                None => None,
            };
            match known {
                None => fresh.push(change.hash()),
                Some(hash) if hash == change.hash().as_bytes() => {}
                Some(_) => return Ok(Err(RefusalReason::SequenceReused)),
            }
        }
        // Two changes of one request that claim the same sequence.
        let mut claims: Vec<_> =
            document.changes.iter().map(|change| (&change.record().actor, change.record().sequence)).collect();
        claims.sort_unstable();
        if claims.windows(2).any(|pair| matches!(pair, [left, right] if left == right)) {
            return Ok(Err(RefusalReason::SequenceReused));
        }
        Ok(Ok(fresh))
    }

    /// Makes actors that nobody has this device's own.
    fn claim_actors(&self, gather: &mut Gather<'_>, device: DeviceId, document: &DocumentChanges) {
        let mut state = self.state();
        for change in &document.changes {
            let actor = &change.record().actor;
            if actor.device().is_none() && !Document::is_first_actor(actor) && !state.actors.contains_key(actor) {
                gather.put(key(self.number(), b'j', actor.as_bytes()), device.as_bytes().to_vec());
                state.claim(actor.clone(), device);
            }
        }
    }

    /// Adds the writes that keep an entry; gives its number and running checksum.
    fn keep(
        &self,
        gather: &mut Gather<'_>,
        device: DeviceId,
        document: DocumentChanges,
        now_millis: i64,
    ) -> (u64, u32) {
        let mut state = self.state();
        let number = state.number_of(self.id(), self.number(), &document.key, gather);
        for change in &document.changes {
            let record = change.record();
            gather.put_seen(
                sequence_key(self.number(), number, &record.actor, record.sequence),
                change.hash().as_bytes().to_vec(),
            );
        }
        let bundle = write_bundle(&[document]);
        let entry = state.heads.entry.saturating_add(1);
        let tag = chain(state.heads.entry_tag, &bundle);
        state.heads.entry = entry;
        state.heads.entry_tag = tag;
        let record = Entry { document: number, device, received_millis: now_millis, tag, bundle };
        gather.put(entry_key(self.number(), entry), write_message(&record));
        gather.put(pending_key(self.number(), entry), Vec::new());
        gather.put(key(self.number(), b'h', &[]), write_message(&state.heads));
        gather.put(key(self.number(), b'q', device.as_bytes()), write_message(&entry));
        state.last_entries.insert(device, entry);
        state.pending.insert(entry);
        state.pending_of.entry(number).or_default().push(entry);
        (entry, short(tag))
    }
}

fn is_first_change(key: &DocumentKey, hash: ChangeHash) -> bool {
    Document::first_change(key).is_ok_and(|first| first.hash() == hash)
}
