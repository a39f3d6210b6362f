//! Outbox files, for places without a network: this phone exports its unsent changes as a file, and imports the files of
//! other phones to the server.

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use super::Phone;
use super::identity::Identity;
use crate::error::Error;
use crate::protocol::outbox_file::{OutboxFile, OutboxFileKey, write_page};
use crate::replica::Replica;
use crate::transport::{Outgoing, Route, Transport};

/// Bytes of bundle in one page, which the importing phone sends in one request.
pub(super) const PAGE_BYTES: usize = 128 * 1024;

impl Phone {
    /// The unsent changes as a file, encrypted for the server and signed by this phone. Nothing leaves the outbox: the next
    /// sync finds what the server has. Fails with [`Error::SyncFirst`] before the first sync and while reconciling.
    pub fn export_outbox(&self) -> Result<Vec<u8>, Error> {
        let inner = self.inner();
        let enrolled = inner.enrolled()?;
        let replica = &enrolled.replica;
        let bundles = match inner.status.revoked {
            // It can't reconcile; a coordinator decides about its file.
            true => replica.all_undelivered_to_export(PAGE_BYTES)?,
            false => replica.outbox_to_export(PAGE_BYTES)?.ok_or(Error::SyncFirst)?,
        };
        Ok(outbox_file(&enrolled.identity, &enrolled.replica, bundles)?.to_bytes()?)
    }

    /// Imports the file of another phone to the same server. All of it is durable there when this returns. A repeat is
    /// idempotent, also after an error. The server tells only the phone that wrote the changes what became of them.
    pub fn import_outbox_file(&self, file: &[u8]) -> Result<(), Error> {
        let OutboxFile { certificate, pages } = OutboxFile::parse(file)?;
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let transport = Arc::clone(&self.inner().enrolled()?.transport);
        // One request for each page: a broken line costs one page at most.
        let done = pages.into_iter().try_for_each(|page| {
            let file = OutboxFile { certificate: certificate.clone(), pages: vec![page] };
            transport.exchange(Route::OutboxFile, Outgoing::Bytes(file.to_bytes()?)).map(drop)
        });
        self.inner().status.used(transport.used());
        done
    }
}

/// These bundles as a file of this device.
pub(super) fn outbox_file(identity: &Identity, replica: &Replica, bundles: Vec<Vec<u8>>) -> Result<OutboxFile, Error> {
    let key = OutboxFileKey::from_bytes(&identity.server_key.0).ok_or(Error::SyncFirst)?;
    let random = SystemRandom::new();
    let fill_random = |bytes: &mut [u8]| random.fill(bytes).is_ok();
    let mut file = OutboxFile { certificate: identity.certificate.clone(), pages: Vec::new() };
    for bundle in bundles {
        let sign = |bytes: &[u8]| identity.sign(bytes);
        file.pages.push(write_page(replica.device(), &bundle, &key, &fill_random, sign)?);
    }
    Ok(file)
}
