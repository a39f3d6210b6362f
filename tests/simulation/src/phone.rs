//! A simulated phone: the real replica and session, a simulated disk, a key, and a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};
use granary_client_core::crdt::DocumentFault;
use granary_client_core::ids::{ChangeHash, CooperativeId, DeviceId, DocumentId, HouseholdId};
use granary_client_core::protocol::frame::UnsignedRequest;
use granary_client_core::protocol::limits;
use granary_client_core::protocol::messages::read_message;
use granary_client_core::protocol::outbox_file::{OutboxFile, OutboxFileKey, write_page};
use granary_client_core::protocol::signing::{Audience, Binding, Purpose};
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::replica::{Damage, Replica};
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::schema::harvest::{Lot, LotDraft, LotEdit, LotKey, correct, lots, record};
use granary_client_core::schema::receipt::{Outcome, receive};
use granary_client_core::schema::{Book, Document, DocumentKey, LotId, SCHEMA, Season};
use granary_client_core::sync::Pace;
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::dice::Dice;
use crate::disk::Disk;

/// See the module.
pub(crate) struct SimPhone {
    pub(crate) coop: usize,
    pub(crate) cooperative: CooperativeId,
    pub(crate) role: Role,
    pub(crate) disk: Disk,
    /// The seed of its key. Copies of the phone share it.
    pub(crate) seed: [u8; 32],
    pub(crate) pair: Ed25519KeyPair,
    pub(crate) audience: Audience,
    pub(crate) device: DeviceId,
    pub(crate) grants: Grants,
    pub(crate) certificate: Vec<u8>,
    pub(crate) replica: Replica,
    /// Draws the incarnation of each opening.
    pub(crate) openings: Dice,
    pub(crate) pace: Pace,
    /// True when its pages stay the smallest.
    pub(crate) has_poor_line: bool,
    pub(crate) notices_read: u64,
    /// The error of its clock.
    pub(crate) clock_offset_ms: i64,
    pub(crate) is_revoked: bool,
    /// True once the phone and its data are lost.
    pub(crate) is_broken: bool,
    /// True for a phone whose program is a version ahead: it writes fields that the others don't know.
    pub(crate) is_newer: bool,
    /// True once a record of its store was damaged.
    pub(crate) was_ever_damaged: bool,
    /// The documents that lost rows to damage.
    pub(crate) damaged: BTreeSet<DocumentId>,
    /// True from a damage until the phone has recovered.
    pub(crate) was_damaged: bool,
    /// True once its grant was changed.
    pub(crate) grant_was_changed: bool,
    /// Lots whose recording returned, by the note that no other lot has, with the household.
    pub(crate) recorded: BTreeMap<String, HouseholdId>,
    /// Those of them that the server has acknowledged.
    pub(crate) acknowledged: BTreeMap<String, HouseholdId>,
}

/// The season of all events.
pub(crate) fn season() -> Season {
    Season::new(2026).unwrap()
}

/// A household's harvest book.
pub(crate) fn book(household: HouseholdId) -> DocumentKey {
    DocumentKey::HarvestBook(Book::first(household, season()))
}

/// Separates the note that a lot was recorded with from a corrected note.
pub(crate) const CORRECTED: &str = " / ";

/// The note that a lot was recorded with, which no other lot has.
pub(crate) fn first_note(note: &str) -> String {
    note.split(CORRECTED).next().unwrap_or_default().to_owned()
}

/// A field of a lot that the present version does not know.
const NEW_FIELD: &str = "dried";

/// Writes what a newer version adds: its schema number, and a field with a map.
fn write_newer_fields(doc: &mut AutoCommit, lot: &LotKey, note: &str) -> Result<(), DocumentFault> {
    doc.put(ROOT, "schema", SCHEMA + 1)?;
    let Some((_, list)) = doc.get(ROOT, "lots")? else { return Err(DocumentFault::Damaged("lots")) };
    for place in 0..doc.length(&list) {
        if let Some((_, object)) = doc.get(&list, place)?
            && object.to_string() == lot.as_str()
        {
            let new = doc.put_object(&object, NEW_FIELD, ObjType::Map)?;
            doc.put(&new, "note", note)?;
            if note.len() > 100 {
                // More than the smallest page holds.
                doc.put(&new, "story", note.repeat(25))?;
            }
        }
    }
    Ok(())
}

/// The changes of a document, as actor and sequence.
pub(crate) fn change_names(document: &mut Document) -> BTreeSet<String> {
    let changes = document.changes_since(&[]).unwrap_or_default();
    changes.iter().map(|change| format!("{}#{}", change.record().actor, change.record().sequence)).collect()
}

/// The document key in an outbox row.
fn key_of_outbox_row(row: &[u8]) -> Option<DocumentKey> {
    let (key, _): (serde_bytes::ByteBuf, serde_bytes::ByteBuf) = read_message(row).ok()?;
    DocumentKey::from_bytes(&key).ok()
}

impl SimPhone {
    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.pair.sign(bytes).as_ref().try_into().unwrap()
    }

    /// A request as it is sent, for the phone's server and co-operative.
    pub(crate) fn signed(&self, request: &UnsignedRequest) -> Vec<u8> {
        let binding = Binding { purpose: Purpose::Sync, audience: self.audience, channel: None };
        request.sign(&binding, |bytes| self.sign(bytes))
    }

    pub(crate) fn public_key(pair: &Ed25519KeyPair) -> [u8; 32] {
        pair.public_key().as_ref().try_into().unwrap()
    }

    /// Opens the replica from the disk, as after a crash.
    pub(crate) fn open(
        disk: &Disk,
        cooperative: CooperativeId,
        device: DeviceId,
        grants: &Grants,
        openings: &mut Dice,
    ) -> Result<Replica, String> {
        let (replica, damage) = Self::open_damaged(disk, cooperative, device, grants, openings)?;
        if damage.is_empty() { Ok(replica) } else { Err(format!("a phone finds damage after a crash: {damage:?}")) }
    }

    /// As [`Self::open`], of a disk on which something was damaged.
    fn open_damaged(
        disk: &Disk,
        cooperative: CooperativeId,
        device: DeviceId,
        grants: &Grants,
        openings: &mut Dice,
    ) -> Result<(Replica, Vec<Damage>), String> {
        let opened = Replica::open(Arc::new(disk.clone()), cooperative, device, grants, openings.incarnation());
        opened.map_err(|error| format!("a phone does not open: {error}"))
    }

    pub(crate) fn restart(&mut self, kept: usize) -> Result<(), String> {
        self.disk.restart(kept);
        self.replica = Self::open(&self.disk, self.cooperative, self.device, &self.grants, &mut self.openings)?;
        Ok(())
    }

    /// Loses a row to a bit flip. The store drops such a row, and the phone recovers from the remaining rows.
    pub(crate) fn lose_any_row(&mut self, which: u64) -> Result<Option<char>, String> {
        self.lose_row(which, |_| true)
    }

    /// As [`Self::lose_any_row`], of the rows that `is_of` selects.
    pub(crate) fn lose_row(&mut self, which: u64, is_of: impl Fn(&[u8]) -> bool) -> Result<Option<char>, String> {
        self.was_damaged = true;
        self.was_ever_damaged = true;
        self.disk.keep_going();
        self.disk.make_room();
        let lost = self.disk.lose_row(which, is_of);
        let opened = Self::open_damaged(&self.disk, self.cooperative, self.device, &self.grants, &mut self.openings)?;
        self.replica = opened.0;
        self.replica.recover().map_err(|error| error.to_string())?;
        let Some((key, value)) = lost else { return Ok(None) };
        let kind = key.first().copied().unwrap_or_default();
        self.damaged.extend(match kind {
            // These rows belong to no document.
            b'm' => None,
            b'o' => key_of_outbox_row(&value).map(|key| key.id(self.cooperative)),
            _ => key.get(1..17).and_then(|id| id.try_into().ok()).map(DocumentId::from_bytes),
        });
        Ok(Some(char::from(kind)))
    }

    /// Loses every row that `is_of` selects at once.
    pub(crate) fn lose_rows(&mut self, is_of: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        while self.disk.count_of(&is_of) > 1 {
            self.disk.lose_row(0, &is_of);
        }
        self.lose_row(0, is_of).map(drop)
    }

    /// Its outbox as a file; none if it is empty or unreadable.
    pub(crate) fn export_outbox(&self, key: &OutboxFileKey, dice: Dice) -> Result<Option<OutboxFile>, String> {
        let dice = Mutex::new(dice);
        let rng = |bytes: &mut [u8]| {
            let mut dice = dice.lock().unwrap();
            bytes.iter_mut().for_each(|byte| *byte = u8::try_from(dice.roll(256)).unwrap());
            true
        };
        let Ok(Some(bundles)) = self.replica.outbox_to_export(limits::PAGE_BYTES_MIN) else { return Ok(None) };
        let pages = bundles.iter().map(|bundle| write_page(self.device, bundle, key, &rng, |bytes| self.sign(bytes)));
        let pages = pages.collect::<Result<Vec<_>, _>>().map_err(|fault| fault.to_string())?;
        Ok(Some(OutboxFile { certificate: self.certificate.clone(), pages }).filter(|file| !file.pages.is_empty()))
    }

    /// True if its data may never reach the server again.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_broken || self.is_revoked || self.grant_was_changed
    }

    pub(crate) fn now(&self, world: i64) -> Instant {
        Instant(world.saturating_add(self.clock_offset_ms).max(0))
    }

    /// Records a lot; true when it returned.
    pub(crate) fn record(&mut self, household: HouseholdId, grams: i64, note: String, now: i64) -> bool {
        let draft = LotDraft {
            note: note.clone(),
            ..LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap())
        };
        let now = self.now(now);
        let is_newer = self.is_newer;
        let edit = |doc: &mut AutoCommit| {
            let lot = record(doc, &draft)?;
            if is_newer {
                write_newer_fields(doc, &lot, &draft.note)?;
            }
            Ok(())
        };
        match self.replica.edit(&book(household), now, edit) {
            Ok(_) => {
                self.recorded.insert(note, household);
                true
            }
            Err(_) => false,
        }
    }

    /// The notes that a newer version wrote into its own field of each lot.
    pub(crate) fn new_fields(&mut self, household: HouseholdId) -> BTreeSet<String> {
        let Ok(Some(document)) = self.replica.document(&book(household)) else { return BTreeSet::new() };
        let doc = document.automerge();
        let Ok(Some((_, list))) = doc.get(ROOT, "lots") else { return BTreeSet::new() };
        let of_lot = |place| {
            let (_, lot) = doc.get(&list, place).ok()??;
            let (_, new) = doc.get(&lot, NEW_FIELD).ok()??;
            let (value, _) = doc.get(&new, "note").ok()??;
            value.into_string().ok()
        };
        (0..doc.length(&list)).filter_map(of_lot).collect()
    }

    /// Corrects the n-th lot that it sees of a household.
    pub(crate) fn correct(&mut self, household: HouseholdId, nth: usize, grams: i64, now: i64) {
        let now = self.now(now);
        let known = self.lots(household);
        let Some(lot) = known.get(nth.checked_rem(known.len()).unwrap_or(0)).cloned() else { return };
        let edit = LotEdit::Quantity(Grams::new(grams).unwrap());
        let _ = self.replica.edit(&book(household), now, |doc| correct(doc, &lot.key, &edit));
    }

    /// Sets a household's village, in a document that packers may not read.
    pub(crate) fn set_village(&mut self, household: HouseholdId, village: &str, now: i64) {
        let now = self.now(now);
        let _ =
            self.replica.edit(&DocumentKey::Household(household), now, |doc| Ok(doc.put(ROOT, "village", village)?));
    }

    /// Weighs the n-th lot that it sees of a household.
    pub(crate) fn weigh(&mut self, household: HouseholdId, nth: usize, grams: i64, now: i64) {
        let now = self.now(now);
        let known = self.lots(household);
        let Some(lot) = known.get(nth.checked_rem(known.len()).unwrap_or(0)).cloned() else { return };
        let outcome = Outcome::Received { weighed: Grams::new(grams).unwrap(), grade: String::new() };
        let key = DocumentKey::ReceiptBook(Book::first(household, season()));
        let day = "2026-10-05".parse().unwrap();
        let lot = LotId::in_book(&book(household), lot.key).unwrap();
        let _ = self.replica.edit(&key, now, |doc| receive(doc, &lot, &outcome, day));
    }

    /// The lots that it sees of a household.
    pub(crate) fn lots(&mut self, household: HouseholdId) -> Vec<Lot> {
        self.replica.document(&book(household)).ok().flatten().map(|document| lots(document)).unwrap_or_default()
    }

    /// The notes that they were recorded with.
    pub(crate) fn notes(&mut self, household: HouseholdId) -> Vec<String> {
        self.lots(household).into_iter().filter_map(|lot| lot.note).map(|note| first_note(&note)).collect()
    }

    /// True while it can still sync.
    pub(crate) fn can_sync(&self) -> bool {
        !self.is_broken && !self.is_revoked
    }

    /// The number of changes in its outbox rows.
    pub(crate) fn unsent_rows(&self) -> u64 {
        self.disk.count(b"o")
    }

    /// True while a backfill is noted.
    pub(crate) fn has_backfill(&self) -> bool {
        self.disk.count(b"b") > 0
    }

    /// The changes of a document that it has, as device and sequence.
    pub(crate) fn changes(&mut self, key: &DocumentKey) -> BTreeSet<String> {
        self.replica.document(key).ok().flatten().map(change_names).unwrap_or_default()
    }

    /// True when it has all of these changes in a document.
    pub(crate) fn has_changes(&mut self, key: &DocumentKey, changes: &BTreeSet<ChangeHash>) -> bool {
        let document = self.replica.document(key).ok().flatten();
        document.is_some_and(|document| changes.iter().all(|change| document.has(*change)))
    }

    /// The heads of every document that it has.
    pub(crate) fn heads(&mut self) -> BTreeMap<DocumentKey, Vec<ChangeHash>> {
        let keys: Vec<DocumentKey> = self.replica.documents().into_iter().map(|(key, _)| key).collect();
        keys.into_iter()
            .filter_map(|key| {
                let heads = self.replica.document(&key).ok().flatten()?.heads();
                Some((key, heads))
            })
            .collect()
    }
}
