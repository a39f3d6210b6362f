//! Keeps the read model current with the replica. What a person recorded is kept whether or not its rows could be written, so
//! a fault here fails no edit and no sync: the rows are repaired before the next list.

use std::collections::{BTreeMap, BTreeSet};

use super::Inner;
use crate::error::Error;
use crate::projection::Lists;
use crate::schema::DocumentKey;
use crate::schema::harvest::LotKey;

impl Inner {
    /// Shows an edit that is durable already.
    pub(super) fn show_edit(&mut self, key: &DocumentKey, before: Option<u64>, touched: &BTreeSet<LotKey>) {
        let written = self.refresh_touched(key, before, touched);
        self.note_rows(written);
    }

    /// Shows what has arrived of these documents, or that they are gone.
    pub(super) fn show_changed(&mut self, changed: BTreeSet<DocumentKey>) {
        let written = self.refresh_changed(changed);
        self.note_rows(written);
    }

    /// Shows the households that this phone records for under the names that the server gave them.
    pub(super) fn show_listed(&mut self) {
        let written = self.refresh_listed();
        self.note_rows(written);
    }

    /// Shows every document as it is now.
    pub(super) fn show_all(&mut self) {
        let written = self.refresh_rows();
        self.note_rows(written);
    }

    /// Remembers to repair the lists, where rows could not be written.
    pub(super) fn note_rows(&mut self, written: Result<(), Error>) {
        if let Err(fault) = written {
            tracing::warn!(%fault, "rows of the lists could not be written; they are repaired before the next list");
            self.lists_are_behind = true;
        }
    }

    /// The lists, with all that is here in them. Where their file can't be written, they are made in memory until the phone
    /// is opened again.
    pub(super) fn lists(&mut self) -> Result<&Lists, Error> {
        if self.is_lost {
            // An empty list would say that nothing was recorded.
            return Err(Error::Lost);
        }
        if self.lists_are_behind {
            if let Err(fault) = self.refresh_rows() {
                tracing::warn!(%fault, "the file of the lists can't be written; they are made in memory");
                self.read_model = Lists::in_memory()?;
                self.refresh_rows()?;
            }
            self.lists_are_behind = false;
        }
        Ok(&self.read_model)
    }

    /// Wakes the background driver, where one runs.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.on_edit {
            wake();
        }
    }

    /// Updates the rows of one document after an edit that touched these lots. Rows that were stale before are all written
    /// again.
    fn refresh_touched(
        &mut self,
        key: &DocumentKey,
        before: Option<u64>,
        touched: &BTreeSet<LotKey>,
    ) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_mut() else { return Ok(()) };
        self.read_model.trust(enrolled.identity.cooperative.server_device());
        let revision = enrolled.replica.revision(key).unwrap_or(0);
        if let Some(shown) = enrolled.replica.undelivered_in(key)? {
            return Ok(self.read_model.write_undelivered(shown, revision)?);
        }
        let rows_are_current = self.read_model.revision(key)? == before;
        if let Some(document) = enrolled.replica.document(key)? {
            match rows_are_current {
                true => self.read_model.update(document, revision, touched)?,
                false => self.read_model.write(document, revision)?,
            }
        }
        Ok(())
    }

    /// Updates the rows of these documents, or deletes them with their documents.
    fn refresh_changed(&mut self, changed: BTreeSet<DocumentKey>) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_mut() else { return Ok(()) };
        self.read_model.trust(enrolled.identity.cooperative.server_device());
        let mut has_gone = false;
        for key in changed {
            let revision = enrolled.replica.revision(&key).unwrap_or(0);
            if let Some(shown) = enrolled.replica.undelivered_in(&key)? {
                self.read_model.write_undelivered(shown, revision)?;
                continue;
            }
            match enrolled.replica.document(&key)? {
                Some(document) => self.read_model.write(document, revision)?,
                None => {
                    self.read_model.forget(&key)?;
                    has_gone = true;
                }
            }
        }
        if has_gone { Ok(self.read_model.scrub()?) } else { Ok(()) }
    }

    fn refresh_listed(&mut self) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_ref() else { return Ok(()) };
        Ok(self.read_model.write_listed(&enrolled.replica.listed()?)?)
    }

    /// Updates the rows of every document whose revision differs from that of its rows.
    pub(super) fn refresh_rows(&mut self) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_mut() else { return Ok(()) };
        self.read_model.trust(enrolled.identity.cooperative.server_device());
        let mut rows: BTreeMap<DocumentKey, u64> = self.read_model.revisions()?.into_iter().collect();
        for key in enrolled.replica.undelivered_documents()? {
            rows.remove(&key);
            let revision = enrolled.replica.revision(&key).unwrap_or(0);
            if let Some(shown) = enrolled.replica.undelivered_in(&key)? {
                self.read_model.write_undelivered(shown, revision)?;
            }
        }
        let here = enrolled.replica.documents();
        for (key, revision) in here {
            // Those with undelivered changes are written already.
            let is_written = self.read_model.revision(&key)? == Some(revision);
            if (rows.remove(&key) != Some(revision) && !is_written)
                && let Some(document) = enrolled.replica.document(&key)?
            {
                self.read_model.write(document, revision)?;
            }
        }
        let has_gone = !rows.is_empty();
        for key in rows.into_keys() {
            self.read_model.forget(&key)?;
        }
        self.refresh_listed()?;
        if !has_gone {
            return Ok(());
        }
        Ok(self.read_model.scrub()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::identity::Identity;
    use super::super::{Phone, SystemClock};
    use crate::ids::HouseholdId;
    use crate::projection::LotFilter;
    use crate::quantities::Grams;
    use crate::schema::access::{Grants, Role};
    use crate::schema::harvest::{LotDraft, LotEdit};
    use crate::store::MemoryStore;

    fn household() -> HouseholdId {
        HouseholdId::from_bytes([7; 16])
    }

    /// A coordinator's phone, as it is after enrolment.
    fn phone() -> Phone {
        let store = MemoryStore::default();
        let link = format!("granary://localhost:8443/7KQ2-M9XT-4B0F#{}", "0".repeat(64));
        let mut identity = Identity::prepare(&store, link.parse().unwrap()).unwrap();
        identity.grants = Grants { version: 1, roles: [Role::Coordinator].into() };
        identity.keep(&store).unwrap();
        Phone::in_memory(store, Arc::new(SystemClock)).unwrap()
    }

    fn draft(grams: i64) -> LotDraft {
        LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap())
    }

    fn weights(phone: &Phone) -> Vec<i64> {
        let mut weights: Vec<i64> =
            phone.lots(&LotFilter::default()).unwrap().into_iter().filter_map(|row| row.grams).collect();
        weights.sort_unstable();
        weights
    }

    #[test]
    fn record_whose_rows_fail_is_told_and_listed_once() {
        let phone = phone();
        phone.record_of_day(household(), &draft(1_000)).unwrap();
        phone.inner().read_model.refuse_writes(true);
        let lot = phone.record_of_day(household(), &draft(2_000)).unwrap();
        assert!(phone.inner().lists_are_behind);
        assert_eq!(weights(&phone), [1_000, 2_000], "made in memory");
        assert_eq!(phone.find_lot(&lot.to_string()), Ok(lot.clone()));
        phone.correct(&lot, &[LotEdit::Quantity(Grams::new(2_500).unwrap())]).unwrap();
        assert_eq!(weights(&phone), [1_000, 2_500]);
        let totals = phone.totals(&LotFilter::default()).unwrap();
        assert_eq!(totals.iter().map(|total| (total.lots, total.recorded_grams)).collect::<Vec<_>>(), [(2, 3_500)]);
    }

    #[test]
    fn rows_that_failed_are_repaired_once_they_can_be_written() {
        let phone = phone();
        phone.inner().read_model.refuse_writes(true);
        phone.record_of_day(household(), &draft(1_000)).unwrap();
        phone.inner().read_model.refuse_writes(false);
        assert_eq!(weights(&phone), [1_000]);
        assert!(!phone.inner().lists_are_behind);
    }

    #[test]
    fn what_arrives_while_rows_fail_is_listed() {
        let phone = phone();
        let lot = phone.record_of_day(household(), &draft(1_000)).unwrap();
        // As when a reply is applied and its rows fail.
        phone.inner().read_model.forget(&lot.book()).unwrap();
        phone.inner().read_model.refuse_writes(true);
        phone.inner().show_changed([lot.book()].into());
        assert_eq!(weights(&phone), [1_000]);
    }
}
