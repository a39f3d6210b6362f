//! One exchange of a sync: who asks, what is taken in, what is answered.

use std::sync::Arc;

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle};
use granary_client_core::protocol::change::VerifiedChange;
use granary_client_core::protocol::frame::SignedRequest;
use granary_client_core::protocol::messages::{Cursor, SyncReply, SyncRequest, read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;

use super::Granary;
use crate::error::Error;
use crate::log::DeviceRecord;
use crate::log::feed::Asked;
use crate::log::intake::Taken;
use crate::log::twins::Shown;
use crate::log::{Bringer, Cooperative, healing_key};

/// A device whose signature was found right.
pub struct Caller {
    /// Which device.
    pub device: DeviceId,
    /// Its co-operative.
    pub cooperative: Arc<Cooperative>,
}

impl Caller {
    /// What is known of the device now; an error once it was revoked.
    pub(crate) fn record(&self) -> Result<DeviceRecord, Error> {
        let record = self.cooperative.device(self.device).ok_or_else(crate::error::unknown_device)?;
        record.must_be_active()?;
        Ok(record)
    }
}

impl Granary {
    /// The device that signed a request, with its co-operative; checked for signature and revocation.
    pub fn authenticate(&self, request: &SignedRequest<'_>) -> Result<Caller, Error> {
        self.authenticate_by(request.device, |public_key| request.is_signed_by(public_key))
    }

    pub(crate) fn authenticate_by(
        &self,
        device: DeviceId,
        is_signed_by: impl FnOnce(&[u8; 32]) -> bool,
    ) -> Result<Caller, Error> {
        let cooperative = self.cooperative_of(device).ok_or_else(crate::error::unknown_device)?;
        let record = cooperative.device(device).ok_or_else(crate::error::unknown_device)?;
        if !is_signed_by(&record.public_key) {
            return Err(Error::refused(ProblemKind::BadSignature, "the request is not signed by this phone"));
        }
        record.must_be_active()?;
        Ok(Caller { device, cooperative })
    }

    /// One exchange of a sync: what the phone brings is durable when this returns.
    pub fn sync(&self, signed: &SignedRequest<'_>, now: Instant) -> Result<SyncReply, Error> {
        self.sync_as(&self.authenticate(signed)?, signed, now)
    }

    /// As [`Self::sync`], of a request that was found to be this caller's.
    pub(crate) fn sync_as(
        &self,
        caller: &Caller,
        signed: &SignedRequest<'_>,
        now: Instant,
    ) -> Result<SyncReply, Error> {
        let (cooperative, record) = (&caller.cooperative, caller.record()?);
        let content = signed.content().map_err(crate::error::frame_refusal)?;
        let request: SyncRequest = read_message(&content).map_err(Error::malformed)?;
        let documents = match request.bundle.as_slice() {
            [] => Vec::new(),
            bundle => read_bundle(bundle).map_err(Error::malformed)?,
        };
        let device = caller.device;
        let is_genuine = self.seal(cooperative, device, &request.cursor) == request.cursor.proof.seal;
        let said: Vec<VerifiedChange> = match request.cursor.receipt < cooperative.last_entry_of(device) {
            true => documents.iter().flat_map(|document| document.changes.clone()).collect(),
            false => Vec::new(),
        };
        let taken = if documents.is_empty() {
            Taken { last: cooperative.last_entry_of(device), ..Taken::default() }
        } else {
            let bringer = Bringer { device, grants: record.grants_now(), chooses_actors: false };
            self.keep(cooperative, bringer, documents, now)?
        };
        let admits = taken.receipt.is_some();
        let asked = Asked { device, record: &record, request: &request, taken, is_genuine, told: None };
        let reply = self.answer(cooperative, asked, &said, now);
        // After the answer, so that what it holds does not depend on when threads run.
        if admits {
            self.admission.look_at(cooperative);
        }
        reply
    }

    /// Answers what a device asked and `said`.
    fn answer(
        &self,
        cooperative: &Arc<Cooperative>,
        mut asked: Asked<'_>,
        said: &[VerifiedChange],
        now: Instant,
    ) -> Result<SyncReply, Error> {
        let Asked { device, request, is_genuine, ref taken, .. } = asked;
        if !taken.is_twin {
            match cooperative.shows(self.store.as_ref(), device, request, (taken, is_genuine), said)? {
                // What it repeats may be in an entry of others, which a restoration could take as well as its own.
                Shown::All if taken.has_repeats => asked.told = Some(taken.end),
                Shown::Through(entry) => asked.told = Some(entry),
                Shown::All | Shown::Unclear => {}
                Shown::Twin => {
                    tracing::warn!(%device, "two phones go by the name of this device, or it was set back to an older state");
                    let target = Arc::clone(cooperative);
                    self.write(move |gather| {
                        target.twin_seen(gather, device);
                        Ok(())
                    })?;
                }
            }
        }
        cooperative.heard_of(device, now.0, request.pending_after, request.version.clone());
        let seal = |cursor: &Cursor| self.seal(cooperative, device, cursor);
        let reply = cooperative.reply(self.store.as_ref(), &seal, asked, now)?;
        if let Some(until) = cooperative.take_new_healing() {
            tracing::warn!(
                cooperative = cooperative.number().0,
                "a phone shows that this store has lost what came after a backup; phones give it back"
            );
            let healing = healing_key(cooperative.number());
            self.write(move |gather| {
                gather.put(healing, write_message(&until));
                Ok(())
            })?;
        }
        Ok(reply)
    }

    /// The proof that a device was given this cursor.
    fn seal(&self, cooperative: &Cooperative, device: DeviceId, cursor: &Cursor) -> u32 {
        let mut bytes = device.as_bytes().to_vec();
        bytes.extend_from_slice(cooperative.id().as_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&cursor.position.to_be_bytes());
        bytes.extend_from_slice(&cursor.proof.position_tag.to_be_bytes());
        bytes.extend_from_slice(&cursor.receipt.to_be_bytes());
        bytes.extend_from_slice(&cursor.proof.receipt_tag.to_be_bytes());
        // Nothing for all but a few, so that their cursors stay as they are.
        match cooperative.twins_of(device) {
            0 => {}
            twins => bytes.extend_from_slice(&twins.to_be_bytes()),
        }
        self.identity.seal(&bytes)
    }

    pub(crate) fn take_in(
        &self,
        cooperative: &Arc<Cooperative>,
        bringer: Bringer,
        documents: Vec<DocumentChanges>,
        now: Instant,
    ) -> Result<Taken, Error> {
        let taken = self.keep(cooperative, bringer, documents, now)?;
        if taken.receipt.is_some() {
            self.admission.look_at(cooperative);
        }
        Ok(taken)
    }

    /// Makes durable what a device brings; it is not looked at yet.
    fn keep(
        &self,
        cooperative: &Arc<Cooperative>,
        bringer: Bringer,
        documents: Vec<DocumentChanges>,
        now: Instant,
    ) -> Result<Taken, Error> {
        let target = Arc::clone(cooperative);
        self.write(move |gather| target.take_in(gather, &bringer, documents, now.0))
    }
}
