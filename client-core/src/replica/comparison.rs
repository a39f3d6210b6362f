//! Comparing: when the cursor fits no log that the server has, both say which heads they have of each document, and
//! each side gives the other what it lacks.

use std::collections::BTreeSet;

use super::outbox::Flow;
use super::receive::Taking;
use super::{Replica, document_key};
use crate::documents::DocumentKey;
use crate::error::Error;
use crate::ids::{ChangeHash, DocumentId};
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{Comparing, Cursor, Proof, WalkMode};
use crate::store::Batch;

/// A cursor that was given by nobody: it fits no log, so that the server compares heads.
pub(super) const NOBODYS: Cursor = Cursor {
    position: u64::MAX,
    receipt: 0,
    proof: Proof { seal: 0, position_tag: 0, receipt_tag: 0 },
    grants_version: 0,
    walk: None,
};

pub(super) fn is_comparing(cursor: &Cursor) -> bool {
    *cursor == NOBODYS || cursor.walk.is_some_and(|walk| walk.mode == WalkMode::Compare)
}

impl Replica {
    /// True while this phone and the server find out what each of them lacks.
    pub fn is_comparing(&self) -> bool {
        is_comparing(&self.cursor)
    }

    /// Holds documents against the heads that the server has of them: what the server lacks goes into
    /// the outbox again, what this phone lacks is wanted.
    pub(super) fn compare(&mut self, taking: &mut Taking<'_>) -> Result<(), Error> {
        let Taking { reply, batch, wanted, flow, dropped, again, .. } = taking;
        for theirs in &reply.heads {
            let Ok(key) = DocumentKey::from_bytes(&theirs.key) else { continue };
            let id = key.id(self.cooperative);
            batch.put(document_key(b'h', id), []);
            if dropped.contains(&key) {
                wanted.insert(theirs.key.clone(), 0);
                continue;
            }
            if self.is_put_by(&key)? {
                // What was written meanwhile is here, and may be missing in a damaged outbox.
                wanted.insert(theirs.key.clone(), 0);
            }
            let Some(document) = self.document(&key)? else {
                wanted.insert(theirs.key.clone(), 0);
                continue;
            };
            let mut same = theirs.heads.clone();
            same.sort_unstable();
            if document.heads() == same {
                continue;
            }
            let known: Vec<ChangeHash> = theirs.heads.iter().copied().filter(|hash| document.has(*hash)).collect();
            if known.len() < theirs.heads.len() {
                wanted.insert(theirs.key.clone(), 0);
            }
            let mut missing = document.changes_since(&known)?;
            missing.retain(|change| !again.contains(&change.hash()));
            self.give_back(batch, reply.compares, &key, missing, flow)?;
        }
        Ok(())
    }

    /// After the last document that the server has: those that it did not name it lacks altogether.
    pub(super) fn end_comparison(&mut self, taking: &mut Taking<'_>) -> Result<(), Error> {
        let Taking { reply, batch, flow, dropped, again, .. } = taking;
        let mut named: BTreeSet<DocumentId> = reply
            .heads
            .iter()
            .filter_map(|heads| Some(DocumentKey::from_bytes(&heads.key).ok()?.id(self.cooperative)))
            .collect();
        for row in self.store.scan_all(b"h")? {
            named.extend(super::document_of(&row.key));
            batch.remove(row.key);
        }
        for id in &named {
            batch.remove(document_key(b'h', *id));
        }
        for (key, _) in self.documents() {
            if !named.contains(&key.id(self.cooperative)) && !dropped.contains(&key) {
                let mut missing = match self.document(&key)? {
                    Some(document) => document.changes_since(&[])?,
                    None => Vec::new(),
                };
                missing.retain(|change| !again.contains(&change.hash()));
                self.give_back(batch, reply.compares, &key, missing, flow)?;
            }
        }
        Ok(())
    }

    /// Queues what the server lacks. A coordinator's phone gives back everyone's changes, and so does any
    /// other when the server's loss is proven; else it gives back its own. The server takes no more.
    fn give_back(
        &self,
        batch: &mut Batch,
        compares: Comparing,
        key: &DocumentKey,
        missing: Vec<VerifiedChange>,
        flow: &mut Flow,
    ) -> Result<(), Error> {
        let everyones = self.grants.is_coordinator() || compares == Comparing::Everyones;
        let may = |change: &VerifiedChange| everyones || self.may_author(change);
        let given: Vec<VerifiedChange> = missing.into_iter().filter(may).collect();
        if given.is_empty() || !self.grants.may_write(key) {
            return Ok(());
        }
        self.put_back(batch, key, given, flow)
    }
}
