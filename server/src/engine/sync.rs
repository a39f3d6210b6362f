//! One exchange of a sync: who asks, what is taken in, what is answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use granary_client_core::ids::{ChangeHash, DeviceId, DocumentId};
use granary_client_core::protocol::attestation::{Code, Shown, TIPS_MAX, statement};
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle};
use granary_client_core::protocol::frame::SignedRequest;
use granary_client_core::protocol::messages::{Receipt, SyncReply, SyncRequest, read_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;

use super::Granary;
use crate::error::Error;
use crate::log::feed::FeedRequest;
use crate::log::ingest::{Ingested, Submitter};
use crate::log::{Cooperative, DeviceRecord};

/// Attestations of one request that are looked at.
const SHOWN_MAX: usize = 8_192;

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
    pub fn authenticate(&self, request: &SignedRequest) -> Result<Caller, Error> {
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
    pub fn sync(&self, signed: &SignedRequest, now: Instant) -> Result<SyncReply, Error> {
        self.sync_as(&self.authenticate(signed)?, signed, now)
    }

    /// As [`Self::sync`], of a request that was found to be this caller's.
    pub(crate) fn sync_as(&self, caller: &Caller, signed: &SignedRequest, now: Instant) -> Result<SyncReply, Error> {
        let (cooperative, record) = (&caller.cooperative, caller.record()?);
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
                ..Submitter::new(device, record.grants_now())
            };
            self.keep(cooperative, submitter, documents, now)?
        };
        let (is_new, forks) = (!ingested.entries.is_empty(), ingested.forks);
        cooperative.saw(device, now.0, request.unsent_after, request.version.as_deref(), forks);
        let attest = |document: DocumentId, tips: &[ChangeHash]| self.attest(cooperative, document, tips);
        let asked = FeedRequest { device, record: &record, request: &request, ingested, fits };
        let reply = cooperative.reply(self.store.as_ref(), &attest, asked)?;
        // After the answer, so that what it holds does not depend on when threads run.
        if is_new {
            self.admission.look_at(cooperative);
        }
        Ok(reply)
    }

    fn attest(&self, cooperative: &Cooperative, document: DocumentId, tips: &[ChangeHash]) -> Code {
        Code(self.identity.attest(&statement(cooperative.id(), document, tips)))
    }

    /// The tips that a request rightly says this server gave out, by the place of their document.
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
            self.admission.look_at(cooperative);
        }
        Ok(ingested)
    }

    /// Makes durable what a device submits; it is not admitted yet.
    fn keep(
        &self,
        cooperative: &Arc<Cooperative>,
        submitter: Submitter,
        documents: Vec<DocumentChanges>,
        now: Instant,
    ) -> Result<Ingested, Error> {
        let target = Arc::clone(cooperative);
        self.write(move |group| target.ingest(group, &submitter, documents, now.0))
    }
}
