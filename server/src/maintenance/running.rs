//! Maintenance of a store that is being served.

use std::num::NonZeroU32;
use std::path::Path;

use granary_client_core::quantities::Instant;

use super::backup::{BackedUp, back_up};
use super::verify::{VerifyReport, verify};
use crate::engine::Granary;
use crate::error::Error;

impl Granary {
    /// Adds the new rows to the backup in this folder.
    pub(crate) fn back_up(
        &self,
        folder: &Path,
        to: &Path,
        keep: Option<NonZeroU32>,
        now: Instant,
    ) -> Result<BackedUp, Error> {
        let done = back_up(self.store(), folder, to, &now.to_string(), keep).map_err(|error| match error {
            // This process writes it, in whatever its unit lets it see: say so to whoever typed the command elsewhere.
            Error::File { path, cause } => Error::BackupNotWritten {
                reason: format!(
                    "{path}: {cause}. The running server writes the backup: its user must be able to write there, and \
                     under systemd its unit must allow it (StateDirectory= or ReadWritePaths=)"
                ),
            },
            other => other,
        })?;
        tracing::info!(file = done.file, rows = done.rows, bytes = done.bytes, "backed up");
        Ok(done)
    }

    /// What is wrong with the store, one sentence each, for an operator.
    pub fn findings(&self) -> Result<Vec<String>, Error> {
        Ok(self.verify()?.findings)
    }

    /// Verifies the whole store while it is served.
    pub(crate) fn verify(&self) -> Result<VerifyReport, Error> {
        Ok(verify(self.store(), self.loaded())?)
    }
}
