//! Order files: brought, looked at, taken. Those that wait are in memory alone (`waiting`); one that was taken is remembered (`taken`).
//! People of the console, the operator and shops' programs bring them alike, each within what they may see.

mod choose;
mod fault;
mod map;
mod take;
mod taken;
#[cfg(test)]
mod tests;
mod waiting;

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, PoisonError, RwLock};

use granary_client_core::quantities::Instant;
use granary_client_core::schema::{DocumentKey, Part, catalogue};
use ring::digest::{SHA256, digest};

pub use self::fault::ImportFault;
pub(crate) use self::taken::TakenFile;
use self::waiting::{FileId, Shelf, Waiting};
use super::Granary;
use crate::access::By;
use crate::error::Error;
use crate::imports::{self, Ask, FileFault, Preview, Profile, Profiles, SkuNames, Together};
use crate::log::CooperativeNumber;

/// A file as somebody brings it.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    /// What it is called.
    pub(crate) file_name: String,
    /// All of it.
    pub(crate) bytes: Vec<u8>,
    /// The shop whose orders these are; empty where there is one on the platform.
    pub(crate) shop: String,
    /// The profile to read it by, where it fits two.
    pub(crate) profile: Option<String>,
}

/// A file that waits, as it is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// What is known without reading it.
    pub(crate) line: ImportLine,
    /// What it says by the SKUs that are known now; of a pair, what both say together.
    pub(crate) preview: Preview,
    /// The file that it is read together with.
    pub(crate) partner: Option<String>,
    /// That file's id.
    pub(crate) partner_id: Option<String>,
    /// Set where it was taken before and holds no more than then: there is nothing to do.
    pub(crate) taken: Option<TakenFile>,
}

/// A file that waits, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportLine {
    /// Its name; the same file of the same shop has it again.
    pub(crate) id: String,
    pub(crate) file_name: String,
    pub(crate) profile: String,
    pub(crate) platform: String,
    pub(crate) shop: String,
    /// When it was brought.
    pub(crate) at: Instant,
    /// Orders that were taken of it, and of how many, while it is being taken.
    pub(crate) progress: Option<(usize, usize)>,
}

impl ImportLine {
    fn of(file: &Waiting) -> Self {
        Self {
            id: file.id().to_string(),
            file_name: file.brought.file_name.clone(),
            profile: file.profile.clone(),
            platform: file.platform.clone(),
            shop: file.brought.shop.clone(),
            at: file.at,
            progress: file.progress(),
        }
    }
}

/// Files that wait, and the profiles by which they are read.
#[derive(Default)]
pub(crate) struct OrderFiles {
    profiles: RwLock<Option<Arc<Profiles>>>,
    shelf: Shelf,
}

fn hash_of(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().first_chunk().copied().unwrap_or_default()
}

fn read(brought: &Brought, profiles: &[Profile], skus: &SkuNames, at: Instant) -> Result<Preview, FileFault> {
    let profile = brought.profile.as_deref();
    let ask = Ask { file_name: brought.file_name.clone(), profiles, profile, skus, uploaded_at: at };
    imports::read(&brought.bytes, &ask)
}

impl Granary {
    /// Reads order files by these profiles from now on.
    pub fn set_order_profiles(&self, profiles: Profiles) {
        *self.order_files.profiles.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(profiles));
    }

    /// The profiles that order files are read by.
    pub fn order_profiles(&self) -> Arc<Profiles> {
        let set = self.order_files.profiles.read().unwrap_or_else(PoisonError::into_inner).clone();
        set.unwrap_or_else(|| Arc::new(Profiles::own()))
    }

    fn sku_names(&self, number: CooperativeNumber) -> Result<SkuNames, Error> {
        let parts = self.parts(number, &DocumentKey::Catalogue(Part::FIRST))?;
        Ok(SkuNames::of_catalogue(&catalogue::read_parts(&parts)))
    }

    /// Reads a file for whoever brings it: a key by the profiles of its own platform.
    fn read_brought(&self, by: &By, brought: &Brought, skus: &SkuNames, at: Instant) -> Result<Preview, Error> {
        let profiles = self.order_profiles();
        let is_own = |profile: &&Profile| match by {
            By::Key(key) => profile.platform == key.platform,
            By::Principal(_) => true,
        };
        let own: Vec<Profile> = profiles.all().iter().filter(is_own).cloned().collect();
        if let Some(name) = &brought.profile
            && !own.iter().any(|profile| profile.name == *name)
        {
            return Err(ImportFault::ProfileUnknown(name.chars().take(40).collect()).into());
        }
        let found = read(brought, &own, skus, at);
        if let (Err(FileFault::NoProfile), By::Key(key), None) = (&found, by, &brought.profile)
            && let Ok(other) = read(brought, profiles.all(), skus, at)
        {
            let own = key.platform.clone();
            return Err(ImportFault::OtherPlatform { platform: other.platform, own }.into());
        }
        Ok(found?)
    }

    /// Reads a file that waits, by the profile that fits it.
    fn read_waiting(&self, file: &Waiting, skus: &SkuNames) -> Result<Preview, FileFault> {
        let profiles = self.order_profiles();
        let fits = profiles.all().iter().filter(|profile| profile.name == file.profile);
        read(&file.brought, &fits.cloned().collect::<Vec<_>>(), skus, file.at)
    }

    /// Takes a file in to be looked at; nothing of it is taken yet. It waits for a day. A file that can't be read is refused. The same
    /// file again waits once.
    pub(crate) fn preview_import(
        &self,
        by: &By,
        number: CooperativeNumber,
        brought: Brought,
        now: Instant,
    ) -> Result<Import, Error> {
        self.cooperative(number)?;
        let skus = self.sku_names(number)?;
        let preview = self.read_brought(by, &brought, &skus, now)?;
        let file = Waiting {
            number,
            hash: hash_of(&brought.bytes),
            brought,
            by: by.id(),
            profile: preview.profile.clone(),
            platform: preview.platform.clone(),
            fits: Vec::new(),
            at: now,
            is_being_taken: AtomicBool::new(false),
            done: AtomicUsize::new(0),
            of: AtomicUsize::new(0),
        };
        let file = self.order_files.shelf.put(file, now);
        Ok(self.look(by, &file, preview, &skus, now)?.0)
    }

    /// A file that waits, by the SKUs that are known now.
    pub(crate) fn waiting_import(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: &str,
        now: Instant,
    ) -> Result<Import, Error> {
        Ok(self.looked_at(by, number, id, now)?.0)
    }

    /// What is known of a file that waits without reading it: how far it is taken, above all.
    pub(crate) fn import_line(&self, by: &By, number: CooperativeNumber, id: &str, now: Instant) -> Option<ImportLine> {
        let file = self.order_files.shelf.get(by, number, FileId::from_text(id)?, now)?;
        Some(ImportLine::of(&file))
    }

    /// A file, and the files that are taken with it: itself, and its partner.
    fn looked_at(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: &str,
        now: Instant,
    ) -> Result<(Import, Vec<Arc<Waiting>>), Error> {
        let file = FileId::from_text(id).and_then(|id| self.order_files.shelf.get(by, number, id, now));
        let file = file.ok_or(ImportFault::Gone)?;
        let skus = self.sku_names(number)?;
        let preview = self.read_waiting(&file, &skus)?;
        self.look(by, &file, preview, &skus, now)
    }

    /// As [`Self::looked_at`], of a file that was read.
    fn look(
        &self,
        by: &By,
        file: &Arc<Waiting>,
        preview: Preview,
        skus: &SkuNames,
        now: Instant,
    ) -> Result<(Import, Vec<Arc<Waiting>>), Error> {
        let mut files = vec![Arc::clone(file)];
        let (mut shown, mut partner, mut partner_id) = (preview.clone(), None, None);
        let other_profile = preview.lines_in.as_ref().or(preview.orders_in.as_ref());
        let is_partner = |other: &Arc<Waiting>| {
            Some(&other.profile) == other_profile
                && (&other.platform, &other.brought.shop) == (&file.platform, &file.brought.shop)
        };
        for other in self.order_files.shelf.all(by, file.number, now).into_iter().filter(is_partner) {
            let Ok(read) = self.read_waiting(&other, skus) else { continue };
            if let Some(together) = Together::of(&preview, &read).or_else(|| Together::of(&read, &preview)) {
                shown = together.preview;
                partner = Some(other.brought.file_name.clone());
                partner_id = Some(other.id().to_string());
                files.push(other);
                break;
            }
        }
        let mut taken = Some(TakenFile::default());
        for file in &files {
            // More of it can be read than then, as with a state that an operator added since.
            let before = self.taken_before(file)?.filter(|before| shown.lines().count() <= before.lines);
            taken = taken.and(before);
        }
        Ok((Import { line: ImportLine::of(file), preview: shown, partner, partner_id, taken }, files))
    }

    /// Files that wait, the latest first.
    pub(crate) fn waiting_imports(&self, by: &By, number: CooperativeNumber, now: Instant) -> Vec<ImportLine> {
        self.order_files.shelf.all(by, number, now).iter().map(|file| ImportLine::of(file)).collect()
    }

    /// Drops a file that waits.
    pub(crate) fn drop_import(&self, by: &By, number: CooperativeNumber, id: &str, now: Instant) {
        let file = FileId::from_text(id).and_then(|id| self.order_files.shelf.get(by, number, id, now));
        if let Some(file) = file.filter(|file| file.progress().is_none()) {
            self.order_files.shelf.remove(&file, now);
        }
    }
}
