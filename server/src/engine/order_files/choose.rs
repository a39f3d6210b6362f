//! A file that fits two profiles: it waits, and a coordinator says which of them it is, without bringing it again.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use granary_client_core::quantities::Instant;

use super::waiting::{FileId, Waiting};
use super::{Brought, ImportFault, hash_of};
use crate::access::By;
use crate::engine::Granary;
use crate::error::Error;
use crate::imports::FileFault;
use crate::log::CooperativeNumber;

impl Granary {
    /// As [`Granary::preview_import`], but a file that fits several profiles waits too, until one is chosen. Gives its id.
    pub(crate) fn bring_import(
        &self,
        by: &By,
        number: CooperativeNumber,
        brought: Brought,
        now: Instant,
    ) -> Result<String, Error> {
        let fits = match self.preview_import(by, number, brought.clone(), now) {
            Ok(import) => return Ok(import.line.id),
            Err(Error::OrderFile(FileFault::ProfileUnclear(names))) => names,
            Err(error) => return Err(error),
        };
        let file = Waiting {
            number,
            hash: hash_of(&brought.bytes),
            brought,
            by: by.id(),
            profile: String::new(),
            platform: String::new(),
            fits,
            at: now,
            is_being_taken: AtomicBool::new(false),
            done: AtomicUsize::new(0),
            of: AtomicUsize::new(0),
        };
        Ok(self.order_files.shelf.put(file, now).id().to_string())
    }

    /// The profiles of which one is to be chosen for a file that waits; empty where it is clear, or no such file waits.
    pub(crate) fn fitting_profiles(&self, by: &By, number: CooperativeNumber, id: &str, now: Instant) -> Vec<String> {
        let file = FileId::from_text(id).and_then(|id| self.order_files.shelf.get(by, number, id, now));
        file.map(|file| file.fits.clone()).unwrap_or_default()
    }

    /// Says by which profile a file that waits is read; gives the id that it has since. What can't be read by it stays as it was.
    pub(crate) fn choose_profile(
        &self,
        by: &By,
        number: CooperativeNumber,
        (id, profile): (&str, &str),
        now: Instant,
    ) -> Result<String, Error> {
        let file = FileId::from_text(id).and_then(|id| self.order_files.shelf.get(by, number, id, now));
        let file = file.ok_or(ImportFault::Gone)?;
        if !file.fits.iter().any(|fits| fits == profile) {
            return Err(ImportFault::ProfileUnknown(profile.chars().take(40).collect()).into());
        }
        let brought = Brought { profile: Some(profile.to_owned()), ..file.brought.clone() };
        let import = self.preview_import(by, number, brought, now)?;
        self.order_files.shelf.remove(&file, now);
        Ok(import.line.id)
    }
}
