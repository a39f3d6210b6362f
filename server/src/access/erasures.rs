//! Marks of what was erased, kept in a file beside the store, as the marks of grants are. An older store that is put in its
//! place is erased of the same at its start, so a restoration brings nothing back. A mark names a document by its key, which
//! holds ids alone; one of a device stands for its name, and for the account of the person who works by it.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use granary_client_core::ids::{CooperativeId, DeviceId};
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    /// The device whose name was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    at_millis: i64,
}

/// What a mark is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Erased {
    Document(DocumentKey),
    Device(DeviceId),
}

impl Line {
    fn of(cooperative: CooperativeId, erased: &Erased, at_millis: i64) -> Self {
        let (document, device) = match erased {
            Erased::Document(key) => (Some(hex(&key.to_bytes())), None),
            Erased::Device(device) => (None, Some(device.to_string())),
        };
        Self { cooperative, document, device, at_millis }
    }

    fn erased(&self) -> Option<Erased> {
        match (&self.document, &self.device) {
            (Some(document), None) => DocumentKey::from_bytes(&from_hex(document)?).ok().map(Erased::Document),
            (None, Some(device)) => device.parse().ok().map(Erased::Device),
            _ => None,
        }
    }
}

/// The marks of all that was erased.
pub(crate) struct ErasureMarks {
    path: PathBuf,
    known: Mutex<BTreeSet<(CooperativeId, Erased)>>,
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
                    line.erased().map(|erased| (line.cooperative, erased))
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
        let document = |(of, erased): &(CooperativeId, Erased)| match erased {
            Erased::Document(key) if *of == cooperative => Some(key.clone()),
            _ => None,
        };
        known.iter().filter_map(document).collect()
    }

    /// True for a device whose name was erased for itself, not with its household's.
    pub(crate) fn has_device(&self, cooperative: CooperativeId, device: DeviceId) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&(cooperative, Erased::Device(device)))
    }

    /// Notes that documents are erased. Durable when it returns.
    pub(crate) fn note(&self, cooperative: CooperativeId, keys: &[DocumentKey], at_millis: i64) -> Result<(), Error> {
        self.note_all(cooperative, keys.iter().cloned().map(Erased::Document), at_millis)
    }

    /// Notes that the names of devices are erased. Durable when it returns.
    pub(crate) fn note_devices(
        &self,
        cooperative: CooperativeId,
        devices: &[DeviceId],
        at_millis: i64,
    ) -> Result<(), Error> {
        self.note_all(cooperative, devices.iter().copied().map(Erased::Device), at_millis)
    }

    fn note_all(
        &self,
        cooperative: CooperativeId,
        erased: impl Iterator<Item = Erased>,
        at_millis: i64,
    ) -> Result<(), Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<_> = erased.map(|it| (cooperative, it)).filter(|mark| !known.contains(mark)).collect();
        let lines = new.iter().flat_map(|(_, erased)| {
            let line = Line::of(cooperative, erased, at_millis);
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
        known.extend(new);
        Ok(())
    }
}
