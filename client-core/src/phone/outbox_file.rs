//! Villages without any signal: what this phone has not sent leaves it as a file, and what others' phones
//! wrote is handed in by this one.

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use super::Phone;
use crate::error::Error;
use crate::protocol::outbox_file::{OutboxFile, OutboxFileKey, write_page};
use crate::replica::{put_meta, read_meta};
use crate::store::Batch;
use crate::transport::{Route, Transport};

/// What the key is kept as.
const KEPT_AS: &str = "carrying key";
/// Bytes of bundle in one page: what a phone that hands it in sends in one request.
const PAGE_BYTES: usize = 128 * 1024;

impl Phone {
    /// What waits to be sent, as a file for whoever comes by a line: encrypted for the server and signed by this
    /// phone. The outbox stays as it is, so a file that gets lost costs nothing, and one that arrives is found
    /// to be there at the next sync.
    pub fn export_outbox(&self) -> Result<Vec<u8>, Error> {
        let inner = self.inner();
        let enrolled = inner.enrolled.as_ref().ok_or(Error::NotEnrolled)?;
        let key = self.outbox_file_key()?.ok_or(Error::SyncFirst)?;
        let bundles = enrolled.replica.outbox_to_export(PAGE_BYTES)?.ok_or(Error::SyncFirst)?;
        let random = SystemRandom::new();
        let chance = |bytes: &mut [u8]| random.fill(bytes).is_ok();
        let mut file = OutboxFile { certificate: enrolled.identity.certificate.clone(), pages: Vec::new() };
        for bundle in bundles {
            let sign = |bytes: &[u8]| enrolled.identity.sign(bytes);
            file.pages.push(write_page(enrolled.replica.device(), &bundle, &key, &chance, sign)?);
        }
        Ok(file.to_bytes()?)
    }

    /// Hands in the file of another phone of the same server; all of it is there when this returns. It can be
    /// handed in again, after an error too. What became of its records the server tells the phone that wrote
    /// them, and nobody else.
    pub fn import_outbox_file(&self, file: &[u8]) -> Result<(), Error> {
        let OutboxFile { certificate, pages } = OutboxFile::parse(file)?;
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let transport = Arc::clone(&self.inner().enrolled.as_ref().ok_or(Error::NotEnrolled)?.transport);
        // A file for each page: a line that breaks costs no more than that.
        let done = pages.into_iter().try_for_each(|page| {
            let file = OutboxFile { certificate: certificate.clone(), pages: vec![page] };
            transport.exchange(Route::OutboxFile, file.to_bytes()?).map(drop)
        });
        self.inner().status.used(transport.used());
        done
    }

    fn outbox_file_key(&self) -> Result<Option<OutboxFileKey>, Error> {
        let kept: Option<serde_bytes::ByteBuf> = read_meta(self.store.as_ref(), KEPT_AS)?;
        Ok(kept.and_then(|bytes| OutboxFileKey::from_bytes(&bytes)))
    }

    /// Asks the server for its key, when this phone has none yet.
    pub(super) fn learn_outbox_file_key(&self) -> Result<(), Error> {
        if self.outbox_file_key()?.is_some() {
            return Ok(());
        }
        let transport = Arc::clone(&self.inner().enrolled.as_ref().ok_or(Error::NotEnrolled)?.transport);
        let key = transport.exchange(Route::OutboxFileKey, Vec::new())?;
        let key = OutboxFileKey::from_bytes(&key).ok_or_else(|| Error::BadReply("this is no key".into()))?;
        let mut batch = Batch::default();
        put_meta(&mut batch, KEPT_AS, &serde_bytes::ByteBuf::from(key.to_bytes()));
        self.store.apply(&batch)?;
        Ok(self.store.flush()?)
    }
}
