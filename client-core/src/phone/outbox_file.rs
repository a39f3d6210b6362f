//! Outbox files, for places without a network: this phone exports its unsent changes as a file, and imports the files of
//! other phones to the server.

use ring::rand::{SecureRandom, SystemRandom};

use super::Phone;
use super::identity::Identity;
use super::steps::Errand;
use crate::error::Error;
use crate::protocol::outbox_file::{OutboxFile, OutboxFileKey, UnsignedPage};
use crate::replica::Replica;
use crate::transport::{Payload, Route};

/// Bytes of bundle in one page, which the importing phone sends in one request.
pub(super) const PAGE_BYTES: usize = 128 * 1024;

/// A file that its device has not signed yet.
#[derive(Debug)]
pub struct UnsignedOutboxFile {
    certificate: Vec<u8>,
    pages: Vec<UnsignedPage>,
}

impl UnsignedOutboxFile {
    /// The bytes that the device signs, page by page.
    pub fn to_sign(&self) -> Vec<Vec<u8>> {
        self.pages.iter().map(UnsignedPage::to_sign).collect()
    }

    /// The file, with the signatures of [`Self::to_sign`] in their order.
    pub fn signed_with(&self, signatures: &[[u8; 64]]) -> OutboxFile {
        let pages = self.pages.iter().zip(signatures).map(|(page, signature)| page.signed_with(signature));
        OutboxFile { certificate: self.certificate.clone(), pages: pages.collect() }
    }
}

impl Phone {
    /// The unsent changes as a file, encrypted for the server and signed by this phone. Nothing leaves the outbox: the next
    /// sync finds what the server has. Fails with [`Error::SyncFirst`] before the first sync and while reconciling.
    pub fn export_outbox(&self) -> Result<Vec<u8>, Error> {
        let file = self.begin_export_outbox()?;
        let signer = self.inner().enrolled()?.identity.signer()?;
        let signatures: Vec<_> = file.to_sign().iter().map(|bytes| (signer.sign)(bytes)).collect();
        Ok(file.signed_with(&signatures).to_bytes()?)
    }

    /// As [`Self::export_outbox`], where the platform signs.
    pub fn begin_export_outbox(&self) -> Result<UnsignedOutboxFile, Error> {
        let inner = self.inner();
        let enrolled = inner.enrolled()?;
        let replica = &enrolled.replica;
        let bundles = match inner.status.revoked {
            // It can't reconcile; a coordinator decides about its file.
            true => replica.all_undelivered_to_export(PAGE_BYTES)?,
            false => replica.outbox_to_export(PAGE_BYTES)?.ok_or(Error::SyncFirst)?,
        };
        outbox_file(&enrolled.identity, &enrolled.replica, bundles)
    }

    /// What to send for the import of another phone's file, one request for each page: a broken line costs one page at most.
    pub fn requests_of_outbox_file(file: &[u8]) -> Result<Vec<Errand>, Error> {
        let OutboxFile { certificate, pages } = OutboxFile::parse(file)?;
        let send = |page| {
            let file = OutboxFile { certificate: certificate.clone(), pages: vec![page] };
            Ok(Errand { route: Route::OutboxFile, payload: Payload::Bytes(file.to_bytes()?) })
        };
        pages.into_iter().map(send).collect()
    }
}

/// These bundles as a file of this device.
pub(super) fn outbox_file(
    identity: &Identity,
    replica: &Replica,
    bundles: Vec<Vec<u8>>,
) -> Result<UnsignedOutboxFile, Error> {
    let key = OutboxFileKey::from_bytes(&identity.server_key.0).ok_or(Error::SyncFirst)?;
    let random = SystemRandom::new();
    let fill_random = |bytes: &mut [u8]| random.fill(bytes).is_ok();
    let seal = |bundle: Vec<u8>| UnsignedPage::new(replica.device(), &bundle, &key, &fill_random);
    let pages = bundles.into_iter().map(seal).collect::<Result<_, _>>()?;
    Ok(UnsignedOutboxFile { certificate: identity.certificate.clone(), pages })
}
