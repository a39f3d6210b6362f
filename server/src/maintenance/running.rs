//! Maintenance of a store that is being served.

use std::path::Path;

use granary_client_core::quantities::Instant;

use super::backup::{BackedUp, back_up};
use super::verify::{VerifyReport, verify};
use crate::engine::Granary;
use crate::error::Error;

impl Granary {
    /// Adds the new rows to the backup in this folder.
    pub(crate) fn back_up(&self, folder: &Path, to: &Path, now: Instant) -> Result<BackedUp, Error> {
        let done = back_up(self.store(), folder, to, &now.to_string())?;
        tracing::info!(file = done.file, rows = done.rows, bytes = done.bytes, "backed up");
        Ok(done)
    }

    /// Verifies the whole store while it is served.
    pub(crate) fn verify(&self) -> Result<VerifyReport, Error> {
        Ok(verify(self.store(), self.loaded())?)
    }
}
