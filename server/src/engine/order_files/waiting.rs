//! Files that wait to be taken, within bounds and for a day. They are in memory alone: a file names buyers, and what was never on the
//! disk need not be erased there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use granary_client_core::quantities::Instant;
use ring::digest::{Context, SHA256};

use super::Brought;
use crate::access::By;
use crate::environment::{from_hex, hex};
use crate::log::CooperativeNumber;

/// Files that wait, all together.
const BYTES_MAX: usize = 80 * 1024 * 1024;
pub(super) const FILES_MAX: usize = 100;
pub(super) const KEPT_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// A file's name: it follows from the file, its platform and its shop, so the same file brought again is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FileId(pub(super) [u8; 16]);

impl FileId {
    pub(super) fn of(hash: &[u8; 32], platform: &str, shop: &str) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [hash.as_slice(), platform.as_bytes(), b"\0", shop.as_bytes()] {
            context.update(part);
        }
        Self(context.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let id = from_hex(text)?.try_into().ok().map(Self)?;
        // One name has one spelling.
        Some(id).filter(|id| id.to_string() == text)
    }
}

impl std::fmt::Display for FileId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

/// A file that waits.
pub(super) struct Waiting {
    pub(super) number: CooperativeNumber,
    pub(super) brought: Brought,
    /// Who brought it, for the room that it takes.
    pub(super) by: String,
    pub(super) hash: [u8; 32],
    /// The profile that fits it, and that profile's platform.
    pub(super) profile: String,
    pub(super) platform: String,
    /// The profiles of which one is to be chosen first; empty where it is clear.
    pub(super) fits: Vec<String>,
    pub(super) at: Instant,
    pub(super) is_being_taken: AtomicBool,
    pub(super) done: AtomicUsize,
    pub(super) of: AtomicUsize,
}

impl Waiting {
    pub(super) fn id(&self) -> FileId {
        FileId::of(&self.hash, &self.platform, &self.brought.shop)
    }

    /// Orders that were taken of it, and of how many, while it is being taken.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        let is_being_taken = self.is_being_taken.load(Ordering::SeqCst);
        is_being_taken.then(|| (self.done.load(Ordering::SeqCst), self.of.load(Ordering::SeqCst)))
    }

    fn may_see(&self, by: &By) -> bool {
        by.may(&self.platform, &self.brought.shop)
    }
}

type Files = HashMap<(CooperativeNumber, FileId), Arc<Waiting>>;

/// All files that wait.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Files>);

impl Shelf {
    fn files(&self, now: Instant) -> MutexGuard<'_, Files> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, file| file.progress().is_some() || now.0.saturating_sub(file.at.0) < KEPT_MILLIS);
        files
    }

    /// Lays a file down in place of the same one; gives the one that waits now, which is the earlier one while that is being taken.
    pub(super) fn put(&self, file: Waiting, now: Instant) -> Arc<Waiting> {
        let key = (file.number, file.id());
        let mut files = self.files(now);
        if let Some(earlier) = files.get(&key).filter(|earlier| earlier.progress().is_some()) {
            return Arc::clone(earlier);
        }
        let file = Arc::new(file);
        files.insert(key, Arc::clone(&file));
        make_room(&mut files, &file);
        file
    }

    /// The file of this name, where it waits and may be seen.
    pub(super) fn get(&self, by: &By, number: CooperativeNumber, id: FileId, now: Instant) -> Option<Arc<Waiting>> {
        self.files(now).get(&(number, id)).filter(|file| file.may_see(by)).cloned()
    }

    /// Those of a co-operative that may be seen, the latest first.
    pub(super) fn all(&self, by: &By, number: CooperativeNumber, now: Instant) -> Vec<Arc<Waiting>> {
        let files = self.files(now);
        let mut found: Vec<_> =
            files.values().filter(|file| file.number == number && file.may_see(by)).cloned().collect();
        found.sort_by_key(|file| (std::cmp::Reverse(file.at), file.id()));
        found
    }

    /// True while it is this very file that waits.
    pub(super) fn has(&self, file: &Arc<Waiting>, now: Instant) -> bool {
        self.files(now).get(&(file.number, file.id())).is_some_and(|other| Arc::ptr_eq(other, file))
    }

    pub(super) fn remove(&self, file: &Waiting, now: Instant) {
        self.files(now).remove(&(file.number, file.id()));
    }
}

/// Where there is too much, whoever has the most loses the oldest; one that is being taken, and this one, stay.
fn make_room(files: &mut Files, keep: &Arc<Waiting>) {
    loop {
        let bytes: usize = files.values().map(|file| file.brought.bytes.len()).sum();
        if bytes <= BYTES_MAX && files.len() <= FILES_MAX {
            return;
        }
        // A small file takes a place all the same.
        let weight = |file: &Waiting| file.brought.bytes.len().saturating_add(BYTES_MAX / FILES_MAX);
        let mut shares: HashMap<(CooperativeNumber, &str), usize> = HashMap::new();
        for file in files.values() {
            let share = shares.entry((file.number, file.by.as_str())).or_default();
            *share = share.saturating_add(weight(file));
        }
        let share = |file: &Waiting| shares.get(&(file.number, file.by.as_str())).copied().unwrap_or_default();
        let can_go = |file: &Arc<Waiting>| !Arc::ptr_eq(file, keep) && file.progress().is_none();
        let first = files
            .iter()
            .filter(|(_, file)| can_go(file))
            .max_by_key(|(_, file)| (share(file), std::cmp::Reverse(file.at)));
        let Some(first) = first.map(|(key, _)| *key) else { return };
        files.remove(&first);
    }
}
