//! Restores a backup into a new server's folder. Phones notice at their next sync that the log is another one, and give
//! back the changes that the backup does not have.

use std::io::Read;
use std::path::Path;

use granary_client_core::store::Store;
use granary_client_core::words::because;

use super::backup::{KEY_FILES, MAGIC, Manifest, Segment, sha256};
use super::rebuild::{Rebuilt, rebuild};
use crate::access::end_all_issued;
use crate::access::erasures::FILE as ERASURES;
use crate::access::key_marks::FILE as KEY_MARKS;
use crate::access::marks::FILE;
use crate::config::{make_folder, read_file, write_private};
use crate::error::Error;
use crate::log::mark_restored;
use crate::log::rows::Writes;
use crate::said::Said;
use crate::store::SledStore;

/// The longest key and value that a backup holds, in bytes.
const KEY_MAX: u32 = 4 * 1024;
const VALUE_MAX: u32 = 64 * 1024 * 1024;

/// Restores the backup in `from` into `folder`, which must not have a store: through the run that made the file
/// `through`, or the last one.
/// `marks` is a folder whose marks of grants and revocations hold, besides those that are in `folder` already.
pub(crate) fn restore(
    from: &Path,
    through: Option<&str>,
    folder: &Path,
    marks: Option<&Path>,
) -> Result<Rebuilt, Error> {
    let store_folder = folder.join("store");
    if store_folder.exists() {
        return Err(Error::StoreExists { folder: folder.display().to_string() });
    }
    let manifest = Manifest::read(from)?;
    if manifest.segments.is_empty() {
        return Err(Error::NoBackup { folder: from.display().to_string() });
    }
    // The whole backup is checked before anything is written.
    let missing = || Error::NotFound { what: "file of the backup", name: through.unwrap_or_default().to_owned() };
    let last = manifest.place_of(through).ok_or_else(missing)?;
    each_segment(from, manifest.needed_through(last), |_, _| Ok(()))?;
    make_folder(folder)?;
    for name in KEY_FILES {
        write_private(&folder.join(name), &read_file(&from.join("keys").join(name))?)?;
    }
    if let Some(marks) = marks {
        add_marks(&marks.join(FILE), &folder.join(FILE))?;
        if marks.join(KEY_MARKS).exists() {
            add_marks(&marks.join(KEY_MARKS), &folder.join(KEY_MARKS))?;
        }
    }
    // A server that erased nothing has no marks of it.
    for there in marks.into_iter().chain([from]).map(|there| there.join(ERASURES)).filter(|there| there.exists()) {
        add_marks(&there, &folder.join(ERASURES))?;
    }
    let store = SledStore::open(&store_folder).map_err(|fault| crate::store::probe::unusable(&store_folder, fault))?;
    read_runs_into(from, manifest.needed_through(last), &store)?;
    end_all_issued(&store, crate::environment::now().0)?;
    mark_restored(&store, crate::environment::now().0)?;
    Ok(rebuild(&store)?)
}

/// Adds the marks in one file to those in another.
fn add_marks(there: &Path, here: &Path) -> Result<(), Error> {
    let before = if here.exists() { read_file(here)? } else { Vec::new() };
    write_private(here, &[before, read_file(there)?].concat())
}

/// Writes all rows of a backup into a store; later ones overwrite earlier ones.
pub(super) fn read_into(from: &Path, store: &dyn Store) -> Result<(), Error> {
    let manifest = Manifest::read(from)?;
    read_runs_into(from, manifest.needed_through(manifest.segments.len().saturating_sub(1)), store)
}

fn read_runs_into(from: &Path, segments: &[Segment], store: &dyn Store) -> Result<(), Error> {
    let mut writes = Writes::new(store);
    each_segment(from, segments, |path, content| {
        each_row(path, content, |key, value| Ok(writes.put(key.to_vec(), value.to_vec())?))
    })?;
    Ok(writes.finish()?)
}

/// The content of each of these files, checked against the manifest.
fn each_segment(
    from: &Path,
    segments: &[Segment],
    mut each: impl FnMut(&Path, &mut dyn Read) -> Result<(), Error>,
) -> Result<(), Error> {
    for segment in segments {
        let path = from.join(&segment.file);
        let damaged = |reason: Said| Error::BackupDamaged { path: path.display().to_string(), reason };
        let bytes = read_file(&path)?;
        if sha256(&bytes) != segment.sha256 {
            return Err(damaged(("its checksum is another one", "校验和对不上").into()));
        }
        let mut content =
            zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(|error| damaged(error.to_string().into()))?;
        let mut magic = [0; MAGIC.len()];
        content.read_exact(&mut magic).map_err(|error| damaged(error.to_string().into()))?;
        if magic != MAGIC {
            return Err(damaged(("it is no backup of this version", "不是这个版本的备份").into()));
        }
        each(&path, &mut content)?;
    }
    Ok(())
}

fn each_row(
    path: &Path,
    content: &mut dyn Read,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let damaged = |reason: Said| Error::BackupDamaged { path: path.display().to_string(), reason };
    let broken = |error: std::io::Error| {
        let chinese = error.to_string();
        damaged(Said::new(format!("it ends too early: {error}"), format!("没有写完{}", because(&chinese))))
    };
    loop {
        let mut length = [0; 4];
        match content.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(broken(error)),
        }
        let key_length = u32::from_le_bytes(length);
        content.read_exact(&mut length).map_err(broken)?;
        let value_length = u32::from_le_bytes(length);
        if key_length > KEY_MAX || value_length > VALUE_MAX {
            return Err(damaged(("it holds a row that is too long", "里面有一行太长").into()));
        }
        let mut take = |length: u32| -> Result<Vec<u8>, Error> {
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
            content.read_exact(&mut bytes).map_err(broken)?;
            Ok(bytes)
        };
        let (key, value) = (take(key_length)?, take(value_length)?);
        each(&key, &value)?;
    }
}
