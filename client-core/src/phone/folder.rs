//! One phone for each folder. Within a process a registry gives the phone that is open already; other processes are kept
//! out by a lock on `phone.lock`, and `phone.lock.txt` says who has it. The lock is SQLite's, since Rust's own locks of files
//! are missing on Android. A lock of a file system may be worth nothing (some ignore it, and a process does not exclude
//! itself), so the store numbers its openings as well: see [`crate::store::SqliteStore`].

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Phone;
use crate::error::{Error, ITSELF_OPENING, ITSELF_WITHOUT_A_KEY};
use crate::store::{SetAside, StoreFault, StoreKey};

/// Locked while the phone is open. Nothing but SQLite may open this file: closing it elsewhere would end the lock.
const LOCK: &str = "phone.lock";
/// Says who has the lock. It is first written once a phone was made, so that it says too that one was.
const HOLDER: &str = "phone.lock.txt";
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
    lock: Mutex<Option<Connection>>,
    /// What others are told of this process.
    doing: String,
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
        make_private(folder).map_err(failed)?;
        let path = folder.canonicalize().map_err(failed)?;
        let until = Instant::now().checked_add(wait);
        let left = || until.map_or(wait, |until| until.saturating_duration_since(Instant::now()));
        let mut phones = registry();
        while let Some(open) = phones.get(&path) {
            if let Some(phone) = open.phone.upgrade() {
                return match (open.key.as_ref(), key) {
                    (held, given) if held == given => Ok(Claimed::Open(phone)),
                    // It can't be encrypted while it is in use.
                    (None, Some(_)) => Err(Error::InUse { by: ITSELF_WITHOUT_A_KEY.english.into() }),
                    _ => Err(Error::Locked),
                };
            }
            if left().is_zero() {
                return Err(Error::InUse { by: ITSELF_OPENING.english.into() });
            }
            phones = CHANGED.wait_timeout(phones, left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        phones.insert(path.clone(), Open { phone: Weak::new(), key: key.cloned() });
        drop(phones);
        // From here on, dropping it ends the claim.
        let doing = doing.chars().filter(|sign| !sign.is_control()).take(TEXT_MAX).collect();
        let claimed = Self { path, key: key.cloned(), lock: Mutex::new(None), doing };
        let taken = lock(&claimed.path, left())?;
        if claimed.path.join(HOLDER).exists() {
            claimed.say_who();
        }
        *claimed.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Ok(Claimed::Free(claimed))
    }

    /// Makes the phone of this folder known to later openings.
    pub(super) fn show(phone: &Arc<Phone>) {
        if let Some(folder) = &phone.folder {
            folder.say_who();
            if let Some(open) = registry().get_mut(&folder.path) {
                open.phone = Arc::downgrade(phone);
            }
        }
        CHANGED.notify_all();
    }

    /// Writes who has the lock. A full disk must not keep anybody from reading the phone, so a lock without a text does too.
    fn say_who(&self) {
        let text = format!("{} (process {})\n", self.doing, std::process::id());
        if let Err(error) = std::fs::write(self.path.join(HOLDER), text) {
            tracing::warn!(%error, "the lock does not say who has it");
        }
    }

    /// True when files here are those of a phone that was made before.
    pub(super) fn has_traces(&self) -> Result<bool, StoreFault> {
        let store = self.store();
        let journal = self.path.join("phone.db-wal");
        let is_cut_off = std::fs::metadata(&journal).is_ok_and(|data| data.len() > 0) && !store.exists();
        Ok(is_cut_off || self.lists().exists() || self.path.join(HOLDER).exists() || SetAside::has_any(&store)?)
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
        if let Some(lock) = self.lock.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever finds it locked next must not read this process's name.
            let _ = std::fs::write(self.path.join(HOLDER), "");
            drop(lock);
        }
        registry().remove(&self.path);
        CHANGED.notify_all();
    }
}

/// Makes the folder, if it is not there, so that only its owner may enter it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Locks the folder.
fn lock(folder: &Path, left: Duration) -> Result<Connection, Error> {
    let path = folder.join(LOCK);
    let take = || -> Result<Connection, StoreFault> {
        let connection = Connection::open(&path)?;
        connection.busy_timeout(left)?;
        // Nothing is ever written, so it needs no space, and no journal.
        connection.pragma_update(None, "journal_mode", "MEMORY")?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(connection)
    };
    let taken = take().or_else(|fault| match fault {
        // Nobody can hold a file that is no database.
        StoreFault::Corrupt(_) => {
            std::fs::remove_file(&path).map_err(|error| StoreFault::of_io(&error))?;
            take()
        }
        other => Err(other),
    });
    let connection = taken.map_err(|fault| match fault {
        StoreFault::Busy => Error::InUse { by: holder(folder) },
        other => other.explained(folder).into(),
    })?;
    Ok(connection)
}

/// Who has the lock, as the file beside it says.
fn holder(folder: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(folder.join(HOLDER)).and_then(|file| file.take(1_024).read_to_end(&mut text));
    let text: String =
        String::from_utf8_lossy(&text).chars().filter(|sign| !sign.is_control()).take(TEXT_MAX + 40).collect();
    if read.is_err() || text.trim().is_empty() { "another program".to_owned() } else { text.trim().to_owned() }
}
