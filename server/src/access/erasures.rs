//! Marks of what was erased, kept in a file beside the store, as the marks of grants are. An older store that is put in its
//! place is erased of the same at its start, so a restoration brings nothing back. A mark names a document by its key, which
//! holds ids alone.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use granary_client_core::ids::CooperativeId;
use granary_client_core::schema::DocumentKey;
use serde::{Deserialize, Serialize};

use crate::config::{file_error, read_file};
use crate::environment::{from_hex, hex};
use crate::error::Error;

/// The file's name in the server's folder.
pub(crate) const FILE: &str = "erasure-marks.jsonl";

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    cooperative: CooperativeId,
    /// The document's key, in hexadecimal.
    document: String,
    at_millis: i64,
}

/// The marks of all documents that were erased.
pub(crate) struct ErasureMarks {
    path: PathBuf,
    known: Mutex<BTreeSet<(CooperativeId, DocumentKey)>>,
}

impl ErasureMarks {
    /// Reads the marks of this folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let mut known = BTreeSet::new();
        if path.exists() {
            for line in read_file(&path)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let read = || {
                    let line: Line = serde_json::from_slice(line).ok()?;
                    Some((line.cooperative, DocumentKey::from_bytes(&from_hex(&line.document)?).ok()?))
                };
                match read() {
                    Some(mark) => _ = known.insert(mark),
                    // The last line of a power cut. Its erasure was not acknowledged.
                    None => tracing::warn!("a mark of an erasure can't be read"),
                }
            }
        }
        Ok(Self { path, known: Mutex::new(known) })
    }

    /// The documents of a co-operative that were erased.
    pub(crate) fn of(&self, cooperative: CooperativeId) -> Vec<DocumentKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter(|(of, _)| *of == cooperative).map(|(_, key)| key.clone()).collect()
    }

    /// Notes that documents are erased. Durable when it returns.
    pub(crate) fn note(&self, cooperative: CooperativeId, keys: &[DocumentKey], at_millis: i64) -> Result<(), Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&DocumentKey> =
            keys.iter().filter(|key| !known.contains(&(cooperative, (*key).clone()))).collect();
        let lines = new.iter().flat_map(|key| {
            let line = Line { cooperative, document: hex(&key.to_bytes()), at_millis };
            // A break before it too, so that one that was cut off spoils no other.
            [b"\n".as_slice(), &serde_json::to_vec(&line).unwrap_or_default(), b"\n"].concat()
        });
        let lines: Vec<u8> = lines.collect();
        if lines.is_empty() {
            return Ok(());
        }
        let append = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
            file.write_all(&lines)?;
            file.sync_all()
        };
        append().map_err(|error| file_error(&self.path, &error))?;
        known.extend(new.into_iter().map(|key| (cooperative, key.clone())));
        Ok(())
    }
}
