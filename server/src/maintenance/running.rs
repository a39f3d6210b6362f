//! What can be done while the server serves.

use std::path::Path;

use granary_client_core::quantities::Instant;

use super::backup::{BackedUp, back_up};
use super::verify::{Survey, survey};
use crate::engine::Granary;
use crate::error::Error;

impl Granary {
    /// Adds to the backup in this folder what is new.
    pub(crate) fn back_up(&self, folder: &Path, to: &Path, now: Instant) -> Result<BackedUp, Error> {
        let done = back_up(self.store(), folder, to, &now.to_string())?;
        tracing::info!(file = done.file, rows = done.rows, bytes = done.bytes, "backed up");
        Ok(done)
    }

    /// Looks at the whole store, while it is served.
    pub(crate) fn verify(&self) -> Result<Survey, Error> {
        Ok(survey(self.store(), self.loaded())?)
    }
}
