//! Which API keys were revoked, kept in a file beside the store, so that an older store that is put in its place gives no key back.
//! Each line is the id of one key; a line that is broken is left out.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::api_keys::KeyId;
use crate::config::{file_error, read_file};
use crate::error::Error;

/// The file's name in the server's folder.
pub(crate) const FILE: &str = "key-marks.txt";

/// See the module.
pub(crate) struct KeyMarks {
    path: PathBuf,
    revoked: Mutex<BTreeSet<KeyId>>,
}

impl KeyMarks {
    /// Reads the marks of this folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let text = if path.exists() { read_file(&path)? } else { Vec::new() };
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        let revoked = lines.filter_map(|line| line.parse().ok()).collect();
        Ok(Self { path, revoked: Mutex::new(revoked) })
    }

    pub(crate) fn has(&self, key: KeyId) -> bool {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Marks a key. Durable when it returns.
    pub(crate) fn note(&self, key: KeyId) -> Result<(), Error> {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if revoked.contains(&key) {
            return Ok(());
        }
        let append = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
            // A break before it too, so that a line that was cut off spoils no other.
            file.write_all(format!("\n{key}\n").as_bytes())?;
            file.sync_all()
        };
        append().map_err(|error| file_error(&self.path, &error))?;
        revoked.insert(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revoked_keys_are_known_again_and_a_torn_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        KeyMarks::open(folder.path()).unwrap().note(KeyId(1)).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(folder.path().join(FILE)).unwrap();
        file.write_all(b"\n00000000000").unwrap();
        KeyMarks::open(folder.path()).unwrap().note(KeyId(2)).unwrap();
        let marks = KeyMarks::open(folder.path()).unwrap();
        assert_eq!([1, 2, 3].map(|id| marks.has(KeyId(id))), [true, true, false]);
    }
}
