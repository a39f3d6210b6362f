//! The outbox: changes of this phone that the server has not acknowledged, in the order in which they were made.
//!
//! ```text
//! an edit ── enqueue ──▶ unsent ── a page is sent ───▶ acknowledged: leaves the outbox
//!                          ▲                      ├──▶ blocked: stays, and one change probes later
//!                          └── line breaks ───────┤
//!                                                 └──▶ refused: quarantined with what builds on it
//! ```

use std::collections::BTreeSet;

use super::rows::{OUTBOX, Unsent, outbox_key, outbox_number};
use super::transaction::Transaction;
use super::{Replica, State};
use crate::crdt::change::{Key, VerifiedChange};
use crate::error::Error;
use crate::schema::harvest::touched;
use crate::schema::{DocumentKey, LotId};
use crate::store::{Row, Store, StoreFault};

impl State {
    /// Counts the rows of the outbox.
    pub(super) fn count_outbox(&mut self, store: &dyn Store) -> Result<(), StoreFault> {
        let rows = store.scan_all(&[OUTBOX])?;
        self.unsent = rows.len() as u64;
        self.beginnings = rows.iter().filter(|row| row.value.as_deref().is_some_and(is_beginning)).count() as u64;
        self.outbox_next =
            rows.iter().filter_map(|row| outbox_number(&row.key)).max().map_or(0, |number| number.saturating_add(1));
        Ok(())
    }
}

/// True for a row with the first change of a document, which no person made.
fn is_beginning(row: &[u8]) -> bool {
    Unsent::read(row).is_some_and(|(_, change)| change.record().actor.is_genesis())
}

/// The number, the document and the change in a row of the outbox. A row that can't be read is reported. It stays, counts
/// as unsent, and is tried again with each page.
pub(super) fn read_unsent(row: &Row) -> Option<(u64, DocumentKey, VerifiedChange)> {
    let read = || {
        let (key, change) = Unsent::read(row.value.as_deref()?)?;
        Some((outbox_number(&row.key)?, key, change))
    };
    let read = read();
    if read.is_none() {
        tracing::error!(row = ?row.key, "a row of the outbox can't be read; it stays and counts as unsent");
    }
    read
}

impl Transaction<'_> {
    /// Appends changes to the outbox.
    pub(super) fn enqueue(&mut self, key: &DocumentKey, changes: &[VerifiedChange]) {
        for change in changes {
            self.put(outbox_key(self.state.outbox_next), Unsent::write(key, change));
            self.state.outbox_next = self.state.outbox_next.saturating_add(1);
            self.state.unsent = self.state.unsent.saturating_add(1);
            let beginnings = u64::from(change.record().actor.is_genesis());
            self.state.beginnings = self.state.beginnings.saturating_add(beginnings);
        }
    }

    /// Deletes a change from the outbox.
    pub(super) fn leave_outbox(&mut self, number: u64) -> Result<(), StoreFault> {
        let key = outbox_key(number);
        if self.state.beginnings > 0 && self.get(&key)?.as_deref().is_some_and(is_beginning) {
            self.state.beginnings = self.state.beginnings.saturating_sub(1);
        }
        self.remove(key);
        self.state.unsent = self.state.unsent.saturating_sub(1);
        Ok(())
    }

    /// The change under this number of the outbox; none when it is missing, or can't be read, which is reported.
    pub(super) fn unsent_at(&self, number: u64) -> Result<Option<VerifiedChange>, Error> {
        let key = outbox_key(number);
        let row = self.get(&key)?.map(|value| Row { key, value: Some(value) });
        Ok(row.as_ref().and_then(read_unsent).map(|(_, _, change)| change))
    }

    /// The unsent changes of a document, with their numbers.
    pub(super) fn unsent_of(&self, key: &DocumentKey) -> Result<Vec<(u64, VerifiedChange)>, Error> {
        let rows = self.scan(&[OUTBOX])?;
        let of_key = rows.iter().filter_map(read_unsent).filter(|(_, of, _)| of == key);
        Ok(of_key.map(|(number, _, change)| (number, change)).collect())
    }
}

impl Replica {
    /// How many changes the server lacks: those that it has not acknowledged, and the backfills.
    pub fn unsent(&self) -> u64 {
        self.state.unsent.saturating_add(self.state.backfill_changes)
    }

    /// As [`Self::unsent`], without the first changes of documents: what people did that the server lacks.
    pub fn unsent_deeds(&self) -> u64 {
        self.unsent().saturating_sub(self.state.beginnings)
    }

    /// The lots of which the server lacks a change: recorded, edited, withdrawn or received here and not acknowledged yet, or
    /// lost there and not yet given back. Not what was set aside, which its lot says itself.
    pub fn unsent_lots(&mut self) -> Result<BTreeSet<LotId>, Error> {
        let mut lots = BTreeSet::new();
        for (_, key, change) in self.store.scan_all(&[OUTBOX])?.iter().filter_map(read_unsent) {
            lots.extend(lots_of(&key, &change));
        }
        if self.state.backfills > 0 {
            let mut transaction = Transaction::begin(self);
            for (key, backfill) in transaction.backfills()? {
                let changes = transaction.sendable(&key, &backfill.known, backfill.proven_only)?;
                lots.extend(changes.iter().flat_map(|change| lots_of(&key, change)));
            }
        }
        Ok(lots)
    }
}

/// The lots that a change of this document is about.
fn lots_of(key: &DocumentKey, change: &VerifiedChange) -> Vec<LotId> {
    match *key {
        DocumentKey::HarvestBook(_) => {
            let touched = touched(change.record()).into_iter();
            // The first change made the list of lots, which is none.
            let lots = touched.filter(|lot| lot.actor().is_some_and(|actor| !actor.is_genesis()));
            lots.filter_map(|lot| LotId::in_book(key, lot)).collect()
        }
        DocumentKey::ReceiptBook(book) => {
            let names = change.record().operations.iter().filter_map(|operation| match &operation.key {
                Key::Map(name) => LotId::from_season_name(book.household, book.season, name),
                Key::Head | Key::Element(_) => None,
            });
            names.collect()
        }
        _ => Vec::new(),
    }
}
