//! What may still be written: decided in the writer's job, before anything is durable, for every way in. It loads no document whose size is known.
//!
//! - A season is within reach of today.
//! - A document stays within its size: what it holds as saved stands in its row since its last admission, and is measured where
//!   rows were made anew; of what is not decided yet and of
//!   what comes, only the values are counted, so nothing is refused that would fit. Admission knows the exact size.
//! - A device and a household stay within their share of the disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use granary_client_core::crdt::DOCUMENT_BYTES_MAX;
use granary_client_core::crdt::change::{Key, Value, VerifiedChange};
use granary_client_core::ids::{ChangeHash, DeviceId};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, Season};
use granary_client_core::store::Store;

use super::Cooperative;
use super::documents::measured;
use super::ingest::Submitter;
use super::keys::DocumentNumber;
use super::records::DeviceKind;
use super::shares::{Holder, Used, day_of};
use super::writer::GroupCommit;

/// What a change takes on the disk beside its part of an entry: its row in the index of repeats.
const CHANGE_ROWS_BYTES: u64 = 80;
/// What an entry takes beside its content: its own row, and its position in the log.
const ENTRY_ROWS_BYTES: u64 = 200;

/// Seasons that a phone may begin before this one, and after it.
const SEASONS_BACK: u16 = 2;
const SEASONS_AHEAD: u16 = 1;
/// A server whose clock shows an earlier year was never set, and its day bounds nothing.
const FIRST_YEAR: u16 = 2026;

/// Names of map keys are counted from this length on: short ones stand in documents once for many.
const LONG_KEY_BYTES: usize = 64;

/// What a document surely grows by with a change: its values, its message, and names that are long.
pub(super) fn growth(change: &VerifiedChange) -> u64 {
    let record = change.record();
    let mut long_keys = BTreeSet::new();
    let mut bytes = record.message.len();
    for operation in &record.operations {
        if let Value::Bytes(_, value) = &operation.value {
            bytes = bytes.saturating_add(value.len());
        }
        if let Key::Map(name) = &operation.key
            && name.len() >= LONG_KEY_BYTES
            && long_keys.insert(name)
        {
            bytes = bytes.saturating_add(name.len());
        }
    }
    bytes as u64
}

/// To whom a change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pays {
    /// To whoever wrote it.
    Author,
    /// To whoever sent it: nothing shows that it was written by whom it names.
    Sender,
}

/// What changes of one author cost.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    bytes: u64,
    /// Of them, what is new today: not what was given back.
    today_bytes: u64,
    /// Of them, what the bound holds for: not what the server attested once.
    bounded_bytes: u64,
}

/// What the documents of one request that were found good so far will take, before they are durable.
#[derive(Default)]
pub(super) struct Planned {
    used: BTreeMap<Holder, (u64, u64)>,
    growth: HashMap<DocumentKey, u64>,
}

impl Cooperative {
    /// Why these new changes of a document can't be taken now or at all, if so; else they are planned. `given_back` are those
    /// that an attestation covers.
    pub(super) fn room_for(
        &self,
        (store, submitter): (&dyn Store, &Submitter),
        planned: &mut Planned,
        key: &DocumentKey,
        fresh: &[&VerifiedChange],
        given_back: &BTreeSet<ChangeHash>,
        now_millis: i64,
    ) -> Option<RefusalReason> {
        let is_of_server = self.device(submitter.device).is_some_and(|record| record.kind == DeviceKind::Server);
        if fresh.is_empty() || submitter.takes_in.is_some() || is_of_server {
            return None;
        }
        let number = self.state().documents.number(&key.id(self.id()));
        let is_new = fresh.iter().any(|change| !given_back.contains(&change.hash()));
        if is_new && !self.is_season_in_reach(submitter, number, key, now_millis) {
            return Some(RefusalReason::SeasonOutOfReach);
        }
        self.room_in_document(store, planned, number, key, fresh, given_back)
            .or_else(|| self.room_in_shares(submitter, planned, key, fresh, given_back, now_millis))
    }

    /// True unless a book of a season far from today would be begun. Coordinators may write down what is long past.
    fn is_season_in_reach(
        &self,
        submitter: &Submitter,
        number: Option<DocumentNumber>,
        key: &DocumentKey,
        now_millis: i64,
    ) -> bool {
        let (DocumentKey::HarvestBook(book) | DocumentKey::ReceiptBook(book) | DocumentKey::CaseBook(book)) = key
        else {
            return true;
        };
        let is_here = number.is_some_and(|number| self.last_position(number) > 0);
        let this_year = Season::of(Day::in_china(Instant(now_millis))).map_or(0, Season::year);
        if is_here || this_year < FIRST_YEAR {
            return true;
        }
        let is_past_allowed = submitter.grants.is_coordinator();
        book.season.year() <= this_year.saturating_add(SEASONS_AHEAD)
            && (is_past_allowed || book.season.year() >= this_year.saturating_sub(SEASONS_BACK))
    }

    fn room_in_document(
        &self,
        store: &dyn Store,
        planned: &mut Planned,
        number: Option<DocumentNumber>,
        key: &DocumentKey,
        fresh: &[&VerifiedChange],
        given_back: &BTreeSet<ChangeHash>,
    ) -> Option<RefusalReason> {
        let most = DOCUMENT_BYTES_MAX as u64;
        let (held, undecided) = match number {
            Some(number) => (measured(store, self, number), self.state().queue.undecided_growth(number)),
            None => (0, 0),
        };
        // A document that a coordinator let grow beyond is given back whole.
        let new = fresh.iter().filter(|change| !given_back.contains(&change.hash()));
        let grows = new.map(|change| growth(change)).fold(0, u64::saturating_add);
        let of_request = planned.growth.get(key).copied().unwrap_or(0).saturating_add(grows);
        let is_own =
            |change: &&&VerifiedChange| !given_back.contains(&change.hash()) && !change.record().actor.is_genesis();
        if fresh.iter().any(|change| is_own(&change)) {
            if held >= most || held.saturating_add(of_request) > most {
                return Some(RefusalReason::DocumentFull);
            }
            if held.saturating_add(undecided).saturating_add(of_request) > most {
                return Some(RefusalReason::StillTakingIn);
            }
        }
        planned.growth.insert(key.clone(), of_request);
        None
    }

    fn room_in_shares(
        &self,
        submitter: &Submitter,
        planned: &mut Planned,
        key: &DocumentKey,
        fresh: &[&VerifiedChange],
        given_back: &BTreeSet<ChangeHash>,
        now_millis: i64,
    ) -> Option<RefusalReason> {
        // A bundle takes at most what its chunks take; how much less is only worth knowing near the bound.
        let at_most = fresh.iter().map(|change| change.chunk().len() as u64).fold(0, u64::saturating_add);
        let mut costs = self.costs(submitter.device, key, fresh, given_back, at_most);
        let mut refusal = self.over_share(submitter, planned, &costs, now_millis);
        if refusal.is_some() {
            let changes = fresh.iter().map(|change| (*change).clone()).collect();
            let bundle = write_bundle(&[DocumentChanges { key: key.clone(), changes }]);
            costs = self.costs(submitter.device, key, fresh, given_back, bundle.len() as u64);
            refusal = self.over_share(submitter, planned, &costs, now_millis);
        }
        if refusal.is_none() {
            for (holder, cost) in costs {
                let (bytes, today_bytes) = planned.used.entry(holder).or_default();
                *bytes = bytes.saturating_add(cost.bytes);
                *today_bytes = today_bytes.saturating_add(cost.today_bytes);
            }
        }
        refusal
    }

    /// The reason when one of these holders would get more than its share.
    fn over_share(
        &self,
        submitter: &Submitter,
        planned: &Planned,
        costs: &BTreeMap<Holder, Cost>,
        now_millis: i64,
    ) -> Option<RefusalReason> {
        let state = self.state();
        let day = day_of(now_millis);
        let over = |all: bool| {
            costs.iter().filter(|(_, cost)| cost.bounded_bytes > 0).any(|(holder, cost)| {
                let share = match holder {
                    Holder::Device(_) => submitter.bounds.device,
                    Holder::Household(_) => submitter.bounds.household,
                };
                let used = state.shares.of(*holder);
                let (bytes, today_bytes) = planned.used.get(holder).copied().unwrap_or_default();
                match all {
                    true => used.bytes.saturating_add(bytes).saturating_add(cost.bytes) > share.bytes,
                    false => {
                        cost.today_bytes > 0
                            && used.on(day).saturating_add(today_bytes).saturating_add(cost.today_bytes)
                                > share.day_bytes
                    }
                }
            })
        };
        match (over(true), over(false)) {
            (true, _) => Some(RefusalReason::ShareUsed),
            (false, true) => Some(RefusalReason::DayShareUsed),
            (false, false) => None,
        }
    }

    /// What these changes of one document cost each holder, when their content takes so many bytes in all.
    fn costs(
        &self,
        submitter: DeviceId,
        document: &DocumentKey,
        changes: &[&VerifiedChange],
        given_back: &BTreeSet<ChangeHash>,
        content_bytes: u64,
    ) -> BTreeMap<Holder, Cost> {
        self.costs_of(submitter, document, changes, given_back, content_bytes, Pays::Author)
    }

    fn costs_of(
        &self,
        submitter: DeviceId,
        document: &DocumentKey,
        changes: &[&VerifiedChange],
        given_back: &BTreeSet<ChangeHash>,
        content_bytes: u64,
        pays: Pays,
    ) -> BTreeMap<Holder, Cost> {
        let chunks = changes.iter().map(|change| change.chunk().len() as u64).fold(0, u64::saturating_add).max(1);
        let state = self.state();
        let mut costs: BTreeMap<Holder, Cost> = BTreeMap::new();
        let mut add = |author: DeviceId, cost: Cost| {
            let household = state.devices.get(author).and_then(|record| record.grants.last()).and_then(|grants| {
                let of = document.household()?;
                grants.roles.contains(&Role::Household(of)).then_some(Holder::Household(of))
            });
            for holder in [Some(Holder::Device(author)), household].into_iter().flatten() {
                let sum = costs.entry(holder).or_default();
                sum.bytes = sum.bytes.saturating_add(cost.bytes);
                sum.today_bytes = sum.today_bytes.saturating_add(cost.today_bytes);
                sum.bounded_bytes = sum.bounded_bytes.saturating_add(cost.bounded_bytes);
            }
        };
        for change in changes {
            // Whoever writes under the name of a device that is not known here pays for it.
            let owner = match pays {
                Pays::Author => state.devices.owner(&change.record().actor),
                Pays::Sender => None,
            };
            let author = owner.filter(|owner| state.devices.get(*owner).is_some()).unwrap_or(submitter);
            let is_given_back = given_back.contains(&change.hash());
            let part = (change.chunk().len() as u64).saturating_mul(content_bytes) / chunks;
            let bytes = part.saturating_add(CHANGE_ROWS_BYTES);
            let today_bytes = if author == submitter && !is_given_back { bytes } else { 0 };
            let bounded_bytes = if is_given_back { 0 } else { bytes };
            add(author, Cost { bytes, today_bytes, bounded_bytes });
        }
        let is_own = changes.iter().any(|change| !given_back.contains(&change.hash()));
        let today_bytes = if is_own { ENTRY_ROWS_BYTES } else { 0 };
        add(submitter, Cost { bytes: ENTRY_ROWS_BYTES, today_bytes, bounded_bytes: 0 });
        costs
    }

    /// Counts a new entry, whose content takes so many bytes, to whoever wrote its changes; for jobs of the writer.
    pub(super) fn count_entry(
        &self,
        group: &mut GroupCommit<'_>,
        submitter: DeviceId,
        document: &DocumentChanges,
        (given_back, pays): (&BTreeSet<ChangeHash>, Pays),
        content_bytes: usize,
        now_millis: i64,
    ) {
        let changes: Vec<&VerifiedChange> = document.changes.iter().collect();
        let costs = self.costs_of(submitter, &document.key, &changes, given_back, content_bytes as u64, pays);
        let mut state = self.state();
        for (holder, cost) in costs {
            let used = state.shares.of(holder).and(cost.bytes, cost.today_bytes, day_of(now_millis));
            state.shares.set(self.number(), group, holder, used);
        }
    }

    /// Takes an entry's changes off the shares that they counted to, once they have left the disk; for jobs of the writer. What is
    /// erased is no part of anybody's share.
    pub(crate) fn count_as_gone(
        &self,
        group: &mut GroupCommit<'_>,
        submitter: DeviceId,
        document: &DocumentChanges,
        content_bytes: usize,
        pays: Pays,
    ) {
        let (changes, none): (Vec<&VerifiedChange>, _) = (document.changes.iter().collect(), BTreeSet::new());
        let costs = self.costs_of(submitter, &document.key, &changes, &none, content_bytes as u64, pays);
        let mut state = self.state();
        for (holder, cost) in costs {
            // The emptied entry stays.
            let bytes = match holder {
                Holder::Device(device) if device == submitter => cost.bytes.saturating_sub(ENTRY_ROWS_BYTES),
                _ => cost.bytes,
            };
            state.shares.lower(self.number(), group, holder, bytes);
        }
    }

    /// True when a device's share has room for so many bytes that are kept although they were refused.
    pub(super) fn may_keep(&self, submitter: &Submitter, bytes: u64, now_millis: i64) -> bool {
        let used = self.used_by(Holder::Device(submitter.device));
        let share = submitter.bounds.device;
        used.bytes.saturating_add(bytes) <= share.bytes
            && used.on(day_of(now_millis)).saturating_add(bytes) <= share.day_bytes
    }

    /// What a holder has used of its share.
    pub(crate) fn used_by(&self, holder: Holder) -> Used {
        self.state().shares.of(holder)
    }

    /// What every holder that has something on the disk has used of its share.
    pub(crate) fn used_shares(&self) -> Vec<(Holder, Used)> {
        self.state().shares.iter().collect()
    }
}
