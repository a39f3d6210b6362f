//! Keeps the read model current with the replica.

use std::collections::{BTreeMap, BTreeSet};

use super::Inner;
use crate::error::Error;
use crate::schema::DocumentKey;
use crate::schema::harvest::LotKey;

impl Inner {
    /// Updates the rows of one document after an edit that touched these lots. Rows that were stale before are all written
    /// again.
    pub(super) fn refresh_touched(
        &mut self,
        key: &DocumentKey,
        before: Option<u64>,
        touched: &BTreeSet<LotKey>,
    ) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_mut() else { return Ok(()) };
        let revision = enrolled.replica.revision(key).unwrap_or(0);
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
    pub(super) fn refresh_changed(&mut self, changed: BTreeSet<DocumentKey>) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_mut() else { return Ok(()) };
        for key in changed {
            let revision = enrolled.replica.revision(&key).unwrap_or(0);
            match enrolled.replica.document(&key)? {
                Some(document) => self.read_model.write(document, revision)?,
                None => self.read_model.forget(&key)?,
            }
        }
        Ok(())
    }

    /// Updates the rows of every document whose revision differs from that of its rows.
    pub(super) fn refresh_rows(&mut self) -> Result<(), Error> {
        let Some(enrolled) = self.enrolled.as_mut() else { return Ok(()) };
        let mut rows: BTreeMap<DocumentKey, u64> = self.read_model.revisions()?.into_iter().collect();
        let here = enrolled.replica.documents();
        for (key, revision) in here {
            if rows.remove(&key) != Some(revision)
                && let Some(document) = enrolled.replica.document(&key)?
            {
                self.read_model.write(document, revision)?;
            }
        }
        for key in rows.into_keys() {
            self.read_model.forget(&key)?;
        }
        Ok(())
    }
}
