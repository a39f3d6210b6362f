//! One phone for each folder. Within a process a registry gives the phone that is open already; other processes are kept
//! out by a lock on `phone.lock`, which also says who has it. A lock of a file system may be worth nothing (some ignore it,
//! and on some systems a process does not exclude itself), so the store numbers its openings as well: see
//! [`crate::store::SqliteStore`].

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Phone;
use crate::error::Error;
use crate::store::{StoreFault, StoreKey};

/// How often a lock that another process holds is tried again.
const TRY_EVERY: Duration = Duration::from_millis(20);
/// Characters of the lock's text that are shown at most.
const TEXT_MAX: usize = 200;

/// A phone of this process.
struct Open {
    /// None while it opens or closes.
    phone: Weak<Phone>,
    key: Option<StoreKey>,
}

type Registry = HashMap<PathBuf, Open>;

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);
/// Notified when a phone has opened or closed.
static CHANGED: Condvar = Condvar::new();

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hold on a folder. Dropping it lets others have it, so a phone drops it last.
pub(super) struct Folder {
    path: PathBuf,
    key: Option<StoreKey>,
    /// None only while the lock is being waited for.
    lock: Option<File>,
}

/// A folder that this process had open, or has now.
pub(super) enum Claimed {
    /// The phone that is open there.
    Open(Arc<Phone>),
    /// Nobody has it but the caller.
    Free(Folder),
}

impl Folder {
    /// Claims a folder, which is created if need be. Waits up to `wait` while another process has it, or while it closes.
    /// `doing` is what others are told of this process.
    pub(super) fn claim(folder: &Path, key: Option<&StoreKey>, doing: &str, wait: Duration) -> Result<Claimed, Error> {
        let failed = |error: std::io::Error| Error::from(StoreFault::of_io(&error).explained(folder));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let path = folder.canonicalize().map_err(failed)?;
        let until = Instant::now().checked_add(wait);
        let left = || until.map_or(wait, |until| until.saturating_duration_since(Instant::now()));
        let mut phones = registry();
        while let Some(open) = phones.get(&path) {
            if let Some(phone) = open.phone.upgrade() {
                return match (open.key.as_ref(), key) {
                    (held, given) if held == given => Ok(Claimed::Open(phone)),
                    // It can't be encrypted while it is in use.
                    (None, Some(_)) => Err(Error::InUse { by: "this app itself, without a key".into() }),
                    _ => Err(Error::Locked),
                };
            }
            if left().is_zero() {
                return Err(Error::InUse { by: "this app itself, which is opening or closing it".into() });
            }
            phones = CHANGED.wait_timeout(phones, left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        phones.insert(path.clone(), Open { phone: Weak::new(), key: key.cloned() });
        drop(phones);
        // From here on, dropping it ends the claim.
        let mut claimed = Self { path, key: key.cloned(), lock: None };
        claimed.lock = Some(lock(&claimed.path.join("phone.lock"), doing, left)?);
        Ok(Claimed::Free(claimed))
    }

    /// Makes the phone of this folder known to later openings.
    pub(super) fn show(phone: &Arc<Phone>) {
        if let Some(folder) = &phone.folder
            && let Some(open) = registry().get_mut(&folder.path)
        {
            open.phone = Arc::downgrade(phone);
        }
        CHANGED.notify_all();
    }

    /// The key under which it was opened.
    pub(super) fn key(&self) -> Option<&StoreKey> {
        self.key.as_ref()
    }

    /// The file of the phone's store.
    pub(super) fn store(&self) -> PathBuf {
        self.path.join("phone.db")
    }

    /// The file of the lists.
    pub(super) fn lists(&self) -> PathBuf {
        self.path.join("lists.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            // Whoever finds it locked next must not read this process's name.
            let _ = lock.set_len(0);
            let _ = lock.unlock();
        }
        registry().remove(&self.path);
        CHANGED.notify_all();
    }
}

/// Locks this file, and writes who has it.
fn lock(path: &Path, doing: &str, left: impl Fn() -> Duration) -> Result<File, Error> {
    let folder = path.parent().unwrap_or(path);
    let failed = |error: std::io::Error| Error::from(StoreFault::of_io(&error).explained(folder));
    let open = || File::options().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = open().map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if left().is_zero() => return Err(Error::InUse { by: holder(&mut file) }),
            Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_EVERY.min(left())),
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                tracing::warn!(path = %path.display(), "this file system has no locks; the store's own numbers must do");
                break;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    let text: String = doing.chars().filter(|sign| !sign.is_control()).take(TEXT_MAX).collect();
    // A full disk must not keep anybody from reading the phone, so a lock without a text does too.
    let written =
        file.set_len(0).and_then(|()| file.write_all(format!("{text} (process {})\n", std::process::id()).as_bytes()));
    if let Err(error) = written {
        tracing::warn!(%error, "the lock does not say who has it");
    }
    Ok(file)
}

/// Who has the lock, as its file says.
fn holder(file: &mut File) -> String {
    let mut text = Vec::new();
    let read = file.rewind().and_then(|()| file.take(1_024).read_to_end(&mut text));
    let text: String =
        String::from_utf8_lossy(&text).chars().filter(|sign| !sign.is_control()).take(TEXT_MAX + 40).collect();
    if read.is_err() || text.trim().is_empty() { "another program".to_owned() } else { text.trim().to_owned() }
}
