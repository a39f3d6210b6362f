//! What phones brought since a moment: lots that are new to the server, whenever they were harvested. The log is walked back from
//! its end once a day; afterwards only what is new since the last look is read. In memory alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use granary_client_core::ids::HouseholdId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::lot_history::recorded_in;

use super::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::feed::admitted_at;

/// Positions of the log that are walked at most: a harvest day of six hundred households many times over.
const POSITIONS_MAX: u64 = 30_000;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// New lots.
    pub(crate) lots: u64,
    /// What they were recorded with, in grams.
    pub(crate) grams: i64,
    /// The households that they are of.
    pub(crate) households: BTreeSet<HouseholdId>,
}

/// New lots and their weight by the book that they stand in: a book that is erased later counts no more.
type ByBook = BTreeMap<DocumentKey, (u64, i64)>;

/// What was counted before, for each co-operative: since when, and through which position.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<BTreeMap<CooperativeNumber, (Instant, u64, ByBook)>>);

impl Granary {
    /// What phones brought since this moment.
    pub(crate) fn arrived_since(&self, number: CooperativeNumber, since: Instant) -> Result<Arrived, Error> {
        let cooperative = self.cooperative(number)?;
        let last = cooperative.statistics().positions;
        let mut kept = self.arrivals.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.get(&number).filter(|(of, through, _)| *of == since && *through <= last).cloned();
        let (mut through, mut books): (u64, ByBook) =
            before.map_or_else(Default::default, |(_, through, books)| (through, books));
        through = through.max(last.saturating_sub(POSITIONS_MAX));
        for position in (through.saturating_add(1)..=last).rev() {
            let Some((received, documents)) = admitted_at(self.store.as_ref(), number, position)? else { continue };
            if received < since {
                break;
            }
            for document in documents {
                if !matches!(document.key, DocumentKey::HarvestBook(_)) {
                    continue;
                }
                for change in &document.changes {
                    let recorded = recorded_in(change.record());
                    if recorded.is_empty() {
                        continue;
                    }
                    let (lots, grams) = books.entry(document.key.clone()).or_default();
                    *lots = lots.saturating_add(u64::try_from(recorded.len()).unwrap_or(0));
                    *grams = recorded.into_iter().flatten().fold(*grams, i64::saturating_add);
                }
            }
        }
        books.retain(|key, _| !cooperative.is_erased(key));
        let mut arrived = Arrived::default();
        for (key, (lots, grams)) in &books {
            if let DocumentKey::HarvestBook(book) = key {
                arrived.households.insert(book.household);
            }
            arrived.lots = arrived.lots.saturating_add(*lots);
            arrived.grams = arrived.grams.saturating_add(*grams);
        }
        kept.insert(number, (since, last, books));
        Ok(arrived)
    }
}
