//! One exchange of a sync: authenticate, ingest, reply.

use std::collections::BTreeMap;
use std::sync::Arc;

use granary_client_core::ids::{ChangeHash, DeviceId, DocumentId};
use granary_client_core::protocol::attestation::{Code, Shown, TIPS_MAX, statement};
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle};
use granary_client_core::protocol::frame::SignedRequest;
use granary_client_core::protocol::messages::{Receipt, RefusalReason, SyncReply, SyncRequest, read_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::protocol::signing::{Audience, Binding, Channel, Purpose, resume_statement};
use granary_client_core::protocol::transfer::PartKey;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Grants;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::Granary;
use super::room::refused;
use crate::access::Denied;
use crate::access::standing::{Credential, Deed, may_act};
use crate::error::Error;
use crate::log::feed::FeedRequest;
use crate::log::ingest::{Ingested, Submitter};
use crate::log::{Cooperative, DeviceRecord, Heard};

/// Attestations of one request that are checked.
const SHOWN_MAX: usize = 8_192;

/// A device whose signature was verified.
pub struct Caller {
    /// Which device.
    pub device: DeviceId,
    /// Its co-operative.
    pub cooperative: Arc<Cooperative>,
}

impl Caller {
    /// The device's record as it is now; an error once the device may not act.
    pub(crate) fn record(&self) -> Result<DeviceRecord, Error> {
        Ok(may_act(&self.cooperative, self.device, Credential::Own, Deed::Sync)?)
    }
}

impl Granary {
    /// Whom the requests of a co-operative's devices must be signed for.
    pub fn audience(&self, cooperative: &Cooperative) -> Audience {
        Audience { server: self.identity.server_key(), cooperative: cooperative.id() }
    }

    /// The device that signed a request for this purpose, over the connection of this channel, after its signature was
    /// verified.
    pub fn authenticate(
        &self,
        request: &SignedRequest,
        purpose: Purpose,
        channel: Option<Channel>,
    ) -> Result<Caller, Error> {
        self.authenticate_by(request.device, |cooperative, public_key| {
            let binding = Binding { purpose, audience: self.audience(cooperative), channel };
            request.is_signed_by(public_key, &binding)
        })
    }

    /// The device of a broken exchange, after its proof for the resumption over this connection was verified. A browser
    /// knows no channel, so a proof without one is accepted too.
    pub(crate) fn authenticate_resumption(
        &self,
        device: DeviceId,
        key: PartKey,
        proof: &[u8; 64],
        channel: Option<Channel>,
    ) -> Result<Caller, Error> {
        self.authenticate_by(device, |cooperative, public_key| {
            let verifies = |channel| {
                let statement = resume_statement(key, device, &self.audience(cooperative), channel);
                UnparsedPublicKey::new(&ED25519, public_key).verify(&statement, proof).is_ok()
            };
            verifies(channel) || (channel.is_some() && verifies(None))
        })
    }

    pub(crate) fn authenticate_by(
        &self,
        device: DeviceId,
        is_signed_by: impl FnOnce(&Cooperative, &[u8; 32]) -> bool,
    ) -> Result<Caller, Error> {
        let caller = self.authenticate_any(device, is_signed_by)?;
        caller.record()?;
        Ok(caller)
    }

    /// As [`Self::authenticate_by`], also for a device that was revoked.
    pub(crate) fn authenticate_any(
        &self,
        device: DeviceId,
        is_signed_by: impl FnOnce(&Cooperative, &[u8; 32]) -> bool,
    ) -> Result<Caller, Error> {
        let cooperative = self.cooperative_of(device).ok_or_else(crate::error::unknown_device)?;
        let record = cooperative.device(device).ok_or_else(crate::error::unknown_device)?;
        if !is_signed_by(&cooperative, &record.public_key) {
            return Err(Error::refused(ProblemKind::BadSignature, "the request is not signed by this phone"));
        }
        Ok(Caller { device, cooperative })
    }

    /// One exchange of a sync, signed for no connection; the request's changes are durable when this returns.
    pub fn sync(&self, signed: &SignedRequest, now: Instant) -> Result<SyncReply, Error> {
        self.sync_as(&self.authenticate(signed, Purpose::Sync, None)?, signed, now)
    }

    /// As [`Self::sync`], for an authenticated caller.
    pub(crate) fn sync_as(&self, caller: &Caller, signed: &SignedRequest, now: Instant) -> Result<SyncReply, Error> {
        self.renew_listed(&caller.cooperative, caller.device, now)?;
        let (cooperative, grants) = (&caller.cooperative, caller.record()?.grants_now());
        let content = signed.content().map_err(crate::error::frame_refusal)?;
        let request: SyncRequest = read_message(&content).map_err(Error::malformed)?;
        let documents = match request.bundle.as_slice() {
            [] => Vec::new(),
            bundle => read_bundle(bundle).map_err(Error::malformed)?,
        };
        let device = caller.device;
        let fits = cooperative.fits(self.store.as_ref(), &request.cursor)?;
        let ingested = if documents.is_empty() {
            Ingested::default()
        } else {
            let submitter = Submitter {
                receipt: if fits { request.cursor.receipt } else { Receipt::None },
                attested: self.attested(cooperative, &documents, &request),
                ..Submitter::new(device, grants)
            };
            self.keep(cooperative, submitter, documents, now)?
        };
        // Read again: what it may read is decided after what it sent was kept.
        let record = caller.record()?;
        let (is_new, forks) = (!ingested.entries.is_empty(), ingested.forks);
        let (at_millis, unsent, notices_read) = (now.0, request.unsent_after, request.notices_read);
        let heard = Heard { at_millis, unsent, notices_read, version: request.version.as_deref(), forks };
        cooperative.saw(device, heard);
        let attest = |document: DocumentId, tips: &[ChangeHash]| self.attest(cooperative, document, tips);
        // Not older than the grants that it comes with.
        let listed = || self.listed_for(cooperative, &record);
        let feed_request =
            FeedRequest { device, record: &record, request: &request, ingested, fits, now, listed: &listed };
        let reply = cooperative.reply(self.store.as_ref(), &attest, feed_request)?;
        // After the reply was made, so that its content does not depend on thread timing.
        if is_new {
            self.admission.enqueue(cooperative);
        }
        Ok(reply)
    }

    fn attest(&self, cooperative: &Cooperative, document: DocumentId, tips: &[ChangeHash]) -> Code {
        Code(self.identity.attest(&statement(cooperative.id(), document, tips)))
    }

    /// The attested tips of a request whose codes verify, by the index of their document.
    fn attested(
        &self,
        cooperative: &Cooperative,
        documents: &[DocumentChanges],
        request: &SyncRequest,
    ) -> BTreeMap<usize, Vec<ChangeHash>> {
        let mut attested: BTreeMap<usize, Vec<ChangeHash>> = BTreeMap::new();
        for Shown { document, attestation } in request.attestations.iter().take(SHOWN_MAX) {
            let Ok(place) = usize::try_from(*document) else { continue };
            let Some(id) = documents.get(place).map(|document| document.key.id(cooperative.id())) else { continue };
            if attestation.tips.len() <= TIPS_MAX && self.attest(cooperative, id, &attestation.tips) == attestation.code
            {
                attested.entry(place).or_default().extend(&attestation.tips);
            }
        }
        attested
    }

    pub(crate) fn ingest(
        &self,
        cooperative: &Arc<Cooperative>,
        submitter: Submitter,
        documents: Vec<DocumentChanges>,
        now: Instant,
    ) -> Result<Ingested, Error> {
        let ingested = self.keep(cooperative, submitter, documents, now)?;
        if !ingested.entries.is_empty() {
            self.admission.enqueue(cooperative);
        }
        Ok(ingested)
    }

    /// As [`Self::ingest`], for what was handed in as a file: of a device that was revoked all is set aside for a coordinator.
    pub(super) fn ingest_handed_in(
        &self,
        cooperative: &Arc<Cooperative>,
        mut submitter: Submitter,
        documents: Vec<DocumentChanges>,
        now: Instant,
    ) -> Result<(), Error> {
        if !self.has_room() {
            return Err(refused(RefusalReason::NoRoom));
        }
        self.renew_listed(cooperative, submitter.device, now)?;
        let target = Arc::clone(cooperative);
        submitter.bounds = self.bounds();
        let ingested = self.write(move |group| {
            submitter.grants = match may_act(&target, submitter.device, Credential::Own, Deed::Sync) {
                Ok(record) => record.grants_now(),
                // It may write nowhere, so all of it is refused, and kept.
                Err(Denied::Revoked) => Grants::default(),
                Err(denied) => return Ok(Err(denied)),
            };
            target.ingest(group, &submitter, documents, now.0).map(Ok)
        })??;
        if !ingested.entries.is_empty() {
            self.admission.enqueue(cooperative);
        }
        // What waits is not durable here, so its bearer must keep the file.
        match ingested.refused.iter().find(|refusal| refusal.reason.may_pass_later()) {
            Some(refusal) => Err(refused(refusal.reason)),
            None => Ok(()),
        }
    }

    /// Makes a device's changes durable as unadmitted entries, if it may act at that moment and as far as its grants go.
    fn keep(
        &self,
        cooperative: &Arc<Cooperative>,
        mut submitter: Submitter,
        documents: Vec<DocumentChanges>,
        now: Instant,
    ) -> Result<Ingested, Error> {
        if !self.has_room() {
            return Ok(Self::without_room(&documents));
        }
        let target = Arc::clone(cooperative);
        submitter.bounds = self.bounds();
        let credential = submitter.generation.map_or(Credential::Own, Credential::Issued);
        let ingested = self.write(move |group| {
            // In the writer's job, so that nothing comes after what ended it.
            match may_act(&target, submitter.device, credential, Deed::Sync) {
                Ok(record) => submitter.grants = record.grants_now(),
                Err(denied) => return Ok(Err(denied)),
            }
            target.ingest(group, &submitter, documents, now.0).map(Ok)
        })?;
        Ok(ingested?)
    }
}
