//! Creates a new store from the readable rows of a damaged one, of a backup and of a store that was set aside by an earlier
//! repair, where there is one. The damaged store is kept beside it. Phones give back changes that none of them had, at their
//! next sync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use granary_client_core::store::{Row, Store, StoreFault};

use super::backup::Manifest;
use super::rebuild::{Rebuilt, rebuild};
use super::restore::read_into;
use crate::error::Error;
use crate::log::check::read_marks;
use crate::log::keys::{GLOBAL, key};
use crate::log::rows::{Writes, cooperatives, heads_of};
use crate::log::{CooperativeNumber, mark_restored};
use crate::store::SledStore;
use crate::store::probe::unusable;

/// Kinds of rows that are copied: all but derived ones.
const GLOBAL_KINDS: [u8; 6] = *b"CIDSOK";
const KINDS: [u8; 8] = *b"dwxjyuft";
/// Numbers that are tried beyond the last known one.
const BEYOND: u64 = 512;
const CHUNK: usize = 64;

/// The result of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repaired {
    pub(crate) rebuilt: Rebuilt,
    /// Rows that could not be read.
    pub(crate) unreadable: u64,
    /// The folder of the damaged store.
    pub(crate) kept: PathBuf,
}

/// Repairs the store of this server's folder; the server must not run. `stamp` goes into the damaged store's new name. A
/// backup and a store that was set aside earlier fill gaps. On a fault that is no damage, such as a full disk, the store is
/// left as it was.
pub(crate) fn repair(
    folder: &Path,
    backup: Option<&Path>,
    set_aside: Option<&Path>,
    stamp: &str,
) -> Result<Repaired, Error> {
    let (old_folder, new_folder) = (folder.join("store"), folder.join("store.repaired"));
    if new_folder.exists() {
        std::fs::remove_dir_all(&new_folder).map_err(|error| file_error(&new_folder, &error))?;
    }
    let new = SledStore::open(&new_folder).map_err(|fault| unusable(&new_folder, fault))?;
    if let Some(set_aside) = set_aside {
        let old = SledStore::open(set_aside).map_err(|fault| unusable(set_aside, fault))?;
        copy_readable(&old, &new, folder)?;
    }
    if let Some(backup) = backup {
        if Manifest::read(backup)?.segments.is_empty() {
            return Err(Error::NoBackup { folder: backup.display().to_string() });
        }
        // The backup first: the damaged store's rows are newer and overwrite it.
        read_into(backup, &new)?;
    }
    let unreadable = {
        let old = SledStore::open(&old_folder).map_err(|fault| unusable(&old_folder, fault))?;
        copy_readable(&old, &new, folder)?
    };
    let rebuilt = rebuild(&new)?;
    mark_restored(&new, crate::environment::now().0)?;
    drop(new);
    let kept = free_name(folder, &format!("store.damaged-{stamp}"));
    std::fs::rename(&old_folder, &kept).map_err(|error| file_error(&kept, &error))?;
    std::fs::rename(&new_folder, &old_folder).map_err(|error| file_error(&old_folder, &error))?;
    // The read models are rebuilt from the documents.
    let lists = folder.join("lists");
    if lists.exists() {
        std::fs::remove_dir_all(&lists).map_err(|error| file_error(&lists, &error))?;
    }
    Ok(Repaired { rebuilt, unreadable, kept })
}

/// A free name.
fn free_name(folder: &Path, name: &str) -> PathBuf {
    let names = std::iter::once(name.to_owned()).chain((2u32..).map(|number| format!("{name}-{number}")));
    names.map(|name| folder.join(name)).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), cause: error.into() }
}

/// Reads; none for what is damaged or what a worn disk does not give. A panic of the engine over damaged bytes counts as
/// damage. Any other fault passes, so nothing is left out for it.
fn carefully<R>(read: impl FnOnce() -> Result<R, StoreFault>) -> Result<Option<R>, StoreFault> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(found)) => Ok(Some(found)),
        Ok(Err(StoreFault::Corrupt(_) | StoreFault::Damaged(_) | StoreFault::Io(_) | StoreFault::Failed(_)))
        | Err(_) => Ok(None),
        Ok(Err(fault)) => Err(fault),
    }
}

/// Copies every row that can be read; gives how many could not.
fn copy_readable(old: &dyn Store, new: &dyn Store, folder: &Path) -> Result<u64, Error> {
    let mut writes = Writes::new(new);
    let mut unreadable = 0u64;
    for kind in GLOBAL_KINDS {
        unreadable = unreadable.saturating_add(copy_kind(old, &mut writes, &key(GLOBAL, kind, &[]))?);
    }
    let marks = read_marks(&folder.join("high-water.json"));
    let mut numbers = carefully(|| cooperatives(old))?.unwrap_or_default();
    numbers.extend(cooperatives(new)?);
    numbers.extend(marks.keys().copied().map(CooperativeNumber));
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        for kind in KINDS {
            unreadable = unreadable.saturating_add(copy_kind(old, &mut writes, &key(number, kind, &[]))?);
        }
        // Entries and positions are numbered without gaps, so each is read by its key: a damaged page hides
        // no more than what is in it.
        let heads = carefully(|| heads_of(old, number))?.unwrap_or_default();
        let mark = marks.get(&number.0);
        let last_entry = heads.entry.max(mark.map_or(0, |mark| mark.entry));
        let last_position = heads.position.max(mark.map_or(0, |mark| mark.position));
        for (kind, last) in [(b'e', last_entry), (b'l', last_position)] {
            for at in 1..=last.saturating_add(BEYOND) {
                let row = key(number, kind, &at.to_be_bytes());
                match carefully(|| old.get(&row))? {
                    Some(Some(value)) => writes.put(row, value)?,
                    Some(None) if at > last => {}
                    _ => unreadable = unreadable.saturating_add(1),
                }
            }
        }
    }
    writes.finish()?;
    Ok(unreadable)
}

/// Copies the rows of one kind, as far as the engine gives them.
fn copy_kind(old: &dyn Store, writes: &mut Writes<'_>, prefix: &[u8]) -> Result<u64, Error> {
    let mut unreadable = 0u64;
    let mut after: Option<Vec<u8>> = None;
    let mut limit = CHUNK;
    loop {
        let Some(rows) = carefully(|| old.scan(prefix, after.as_deref(), limit))? else {
            if limit == 1 {
                // Rows after an unreadable page come from the backup.
                return Ok(unreadable.saturating_add(1));
            }
            limit = 1;
            continue;
        };
        let Some(last) = rows.last() else { return Ok(unreadable) };
        after = Some(last.key.clone());
        for Row { key, value } in rows {
            match value {
                Some(value) => writes.put(key, value)?,
                None => unreadable = unreadable.saturating_add(1),
            }
        }
    }
}
