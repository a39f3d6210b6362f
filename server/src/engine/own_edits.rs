//! Edits by the server's own replica. Each person who edits through the server has a device, so their changes carry
//! their name and merge like any other.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use granary_client_core::automerge::AutoCommit;
use granary_client_core::crdt::{DocumentFault, Version};
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::messages::read_message;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Grants;
use granary_client_core::schema::{Document, DocumentKey};
use granary_client_core::store::StoreFault;

use super::Granary;
use super::own_words::Awaited;
use crate::error::Error;
use crate::log::keys::quarantine_key;
use crate::log::set_aside::SetAside;
use crate::log::{Cooperative, CooperativeNumber, Submitter};

/// The longest wait for the admission of an edit, which else takes milliseconds.
const ADMISSION_WAIT: Duration = Duration::from_secs(5);

/// Edits of one document.
pub struct Edits {
    /// The document.
    pub key: DocumentKey,
    /// The message of each change.
    pub message: Option<&'static str>,
    /// The version that the author saw; none for the present one.
    pub seen: Option<Version>,
    /// Edits, each of which becomes a change.
    pub edits: Vec<Edit>,
}

/// One edit.
pub type Edit = Box<dyn FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send>;

impl Edits {
    /// One edit of a document.
    pub fn one(
        key: DocumentKey,
        edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
    ) -> Self {
        Self { key, message: None, seen: None, edits: vec![Box::new(edit)] }
    }
}

impl Granary {
    /// An edit by the server itself, durable and admitted when this returns.
    pub fn edit(
        &self,
        number: CooperativeNumber,
        key: &DocumentKey,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
    ) -> Result<(), Error> {
        let device = Cooperative::server_device(self.cooperative(number)?.id());
        self.edit_as(number, device, now, vec![Edits::one(key.clone(), edit)])
    }

    /// Edits several documents by one of the server's devices. All of them or none are durable and
    /// admitted when this returns.
    pub fn edit_as(
        &self,
        number: CooperativeNumber,
        device: DeviceId,
        now: Instant,
        documents: Vec<Edits>,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let awaited = self.edit_in_session(number, (device, None), now, documents)?;
        if !awaited.is_empty() {
            self.settle(&cooperative);
        }
        Ok(())
    }

    /// As [`Self::edit_as`], by a person whose session has this generation. It waits for admission within bounds, and
    /// gives what a page must contain to show the edits.
    pub(crate) fn edit_in_session(
        &self,
        number: CooperativeNumber,
        (device, generation): (DeviceId, Option<u32>),
        now: Instant,
        documents: Vec<Edits>,
    ) -> Result<Vec<Awaited>, Error> {
        let cooperative = self.cooperative(number)?;
        let _one_at_a_time: MutexGuard<'_, ()> = cooperative.author.lock().unwrap_or_else(PoisonError::into_inner);
        let own = device.actor(self.incarnation());
        let mut bundle = Vec::with_capacity(documents.len());
        for Edits { key, message, seen, edits } in documents {
            let key = match key {
                // They have no season; each edit goes into the part that has room.
                DocumentKey::Cooperative(_) | DocumentKey::Catalogue(_) => self.part_to_write(number, &key)?,
                other => other,
            };
            // An order that was just taken is durable, but its document is read a moment later: an edit of what stands there
            // now would take the sequence that it has.
            self.settle_within(&cooperative, std::slice::from_ref(&key), ADMISSION_WAIT);
            let (mut document, mut changes) = match self.document(number, &key)? {
                Some(document) => (document, Vec::new()),
                None => (Document::new(key.clone())?, vec![Document::first_change(&key)?]),
            };
            for edit in edits {
                changes.extend(match &seen {
                    Some(seen) => {
                        let branch = device.actor(self.new_incarnation()?);
                        document.edit_at(seen, (&own, &branch), message, now, edit)?
                    }
                    None => document.edit_saying(message, &own, now, edit)?.1,
                });
            }
            if !changes.is_empty() {
                bundle.push(DocumentChanges { key, changes });
            }
        }
        if bundle.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<DocumentKey> = bundle.iter().map(|document| document.key.clone()).collect();
        let submitter = Submitter { generation, ..Submitter::new(device, Grants::default()) };
        let ingested = self.ingest(&cooperative, submitter, bundle, now)?;
        if let Some(refusal) = ingested.refused.first() {
            return Err(Error::EditRefused { reason: refusal.reason });
        }
        if !self.settle_within(&cooperative, &keys, ADMISSION_WAIT) {
            // The edit is durable; the next one must not take the sequence that this one has.
            self.renew_incarnation()?;
            return Ok(keys.into_iter().map(Awaited::of).collect());
        }
        for entry in ingested.entries {
            let quarantine_row = quarantine_key(number, device, entry);
            if let Some(bytes) = self.store().get(&quarantine_row)? {
                // The entry's sequences are used up, but no document has them: the actor can't go on.
                self.renew_incarnation()?;
                let aside: SetAside = read_message(&bytes).map_err(|_| StoreFault::Damaged(quarantine_row))?;
                return Err(Error::EditQuarantined { reason: aside.reason });
            }
        }
        Ok(keys.into_iter().map(Awaited::of).collect())
    }
}
