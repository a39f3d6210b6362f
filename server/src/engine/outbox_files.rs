//! Imports outbox files. Each page is handled as a request whose reply is lost: the device learns of it at its next
//! sync, and the bearer of the file learns nothing of its content. What a phone may not write is set aside for a coordinator.

use granary_client_core::ids::DeviceId;
use granary_client_core::planted;
use granary_client_core::protocol::bundle::read_bundle;
use granary_client_core::protocol::outbox_file::{OutboxFile, OutboxFileKey, OutboxFilePage};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Grants;

use super::Granary;
use crate::access::Denied;
use crate::error::Error;
use crate::log::Submitter;

impl Granary {
    /// The key under which phones encrypt outbox files for this server.
    pub fn outbox_file_key(&self) -> &OutboxFileKey {
        self.identity().opening().outbox_file_key()
    }

    /// Imports a file page by page. All pages are durable when this returns; when it fails, those before the refused
    /// page are. `allows` is called for each device after its signature was verified.
    pub fn import_outbox_file(
        &self,
        file: &OutboxFile,
        allows: impl Fn(DeviceId) -> Result<(), Error>,
        now: Instant,
    ) -> Result<(), Error> {
        for bytes in &file.pages {
            let page = OutboxFilePage::parse(bytes).map_err(Error::malformed)?;
            match self.import_page(&page, &allows, now) {
                Err(Error::Denied(Denied::Unknown)) => {
                    self.reinstate(&file.certificate, now)?;
                    self.import_page(&page, &allows, now)?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn import_page(
        &self,
        page: &OutboxFilePage<'_>,
        allows: &impl Fn(DeviceId) -> Result<(), Error>,
        now: Instant,
    ) -> Result<(), Error> {
        // What a revoked phone recorded is set aside for a coordinator, since it has no grants.
        let caller = self.authenticate_any(page.device, |_, public_key| page.is_signed_by(public_key))?;
        allows(page.device)?;
        let bundle = page.open(self.identity().opening()).map_err(Error::malformed)?;
        let documents = read_bundle(&bundle).map_err(Error::malformed)?;
        if planted!("outbox_file_is_not_kept") {
            return Ok(());
        }
        let submitter = Submitter::new(page.device, Grants::default());
        self.ingest_handed_in(&caller.cooperative, submitter, documents, now)
    }
}
