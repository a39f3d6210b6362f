//! Incremental backups while the server serves: each run adds one file to a folder. Rows of the log never change, so a
//! run writes only those since the last run. Rows that change (devices, accounts, invitations) are few and written
//! whole each time. Derived rows are left out and rebuilt by a restoration; sessions are left out.
//!
//! ```text
//! manifest.json            which files, with their checksums, and how far each log was saved
//! segment-0001.granary     zstd over: "granary backup 1\n", then rows: length of key, length of value
//!                          (4 bytes each, little-endian), key, value
//! erasure-marks.jsonl      what was erased, by ids; there once something was
//! keys/                    the server's identity and authority: as secret as the server itself
//! ```

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;

use granary_client_core::protocol::messages::read_message;
use granary_client_core::store::{Row, Store, StoreFault};
use granary_client_core::words::counted;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::access::erasures::FILE as ERASURES;
use crate::config::{make_folder, read_file, write_private};
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::{DocumentMeta, Entry, GLOBAL, LogRecord, entry_key, key, log_key, rest_u64};
use crate::log::rows::{cooperatives, each_row, each_row_after, heads_of, parse};
use crate::said::Said;

pub(super) const MAGIC: &[u8] = b"granary backup 1\n";
/// Kinds of rows that change: of no co-operative, and of each.
const GLOBAL_KINDS: [u8; 5] = *b"CIDEK";
const KINDS: [u8; 11] = *b"bdwxjkyzrft";
pub(super) const KEY_FILES: [&str; 3] = ["identity.key", "authority.key", "authority.pem"];
const ZSTD_LEVEL: i32 = 9;

/// The end of a co-operative's backed-up rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Reached {
    entry: u64,
    entry_tag: u64,
    position: u64,
    position_tag: u64,
    audit_line: u64,
    /// Documents that were erased: after another one a whole file is begun, since files before it have it.
    #[serde(default)]
    erased: u64,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    pub(super) file: String,
    pub(super) sha256: String,
    /// When it was made, an ISO instant.
    made: String,
    /// True for a file that needs none before it.
    pub(super) is_whole: bool,
    reached: BTreeMap<u32, Reached>,
}

/// The content of a backup's folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) segments: Vec<Segment>,
}

impl Manifest {
    /// The manifest of this folder; an empty one when it is missing.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("manifest.json");
        if !path.exists() {
            return Ok(Self::default());
        }
        serde_json::from_slice(&read_file(&path)?).map_err(|error| Error::BackupDamaged {
            path: path.display().to_string(),
            reason: error.to_string().into(),
        })
    }

    /// The segments of this run and of those before it that it needs: from the last whole one on.
    pub(super) fn needed_through(&self, last: usize) -> &[Segment] {
        let through = self.segments.get(..=last).unwrap_or(&self.segments);
        let first = through.iter().rposition(|segment| segment.is_whole).unwrap_or(0);
        through.get(first..).unwrap_or_default()
    }

    /// The place of the run that made this file; of the last run when none is named.
    pub(super) fn place_of(&self, file: Option<&str>) -> Option<usize> {
        match file {
            Some(file) => self.segments.iter().position(|segment| segment.file == file),
            None => self.segments.len().checked_sub(1),
        }
    }

    fn needs_whole(&self, keep: Option<NonZeroU32>) -> bool {
        let runs = self.needed_through(self.segments.len().saturating_sub(1)).len();
        keep.is_some_and(|keep| runs >= usize::try_from(keep.get()).unwrap_or(usize::MAX))
    }

    /// One more than the number of the last file: numbers do not come again when files are dropped.
    fn next_number(&self) -> u64 {
        let number = |segment: &Segment| segment.file.chars().filter(char::is_ascii_digit).collect::<String>().parse();
        let last = self.segments.last().and_then(|segment| number(segment).ok()).unwrap_or(0u64);
        last.saturating_add(1)
    }

    /// Takes out the segments that none of the last `keep` runs needs.
    fn drop_unneeded(&mut self, keep: Option<NonZeroU32>) -> Vec<Segment> {
        let Some(keep) = keep.and_then(|keep| usize::try_from(keep.get()).ok()) else { return Vec::new() };
        let oldest_kept = self.segments.len().saturating_sub(keep);
        let needed = self.needed_through(oldest_kept).len();
        let unneeded = oldest_kept.saturating_add(1).saturating_sub(needed);
        self.segments.drain(..unneeded).collect()
    }
}

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackedUp {
    pub(crate) file: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) is_whole: bool,
    /// Files that no kept run needs any more, and that are gone.
    pub(crate) dropped: usize,
}

impl BackedUp {
    /// The result, for an operator. `to` is the backup's folder.
    pub(crate) fn sentence(&self, to: &Path) -> Said {
        let how = if self.is_whole { ("whole", "完整备份") } else { ("what is new", "新的部分") };
        let dropped = match self.dropped {
            0 => (String::new(), String::new()),
            count => (format!("; {count} older files were dropped"), format!("；淘汰了 {count} 个旧文件")),
        };
        let (rows, bytes, file) = (self.rows, self.bytes, to.join(&self.file));
        let file = file.display();
        Said::new(
            format!("{}: {}, {bytes} bytes, as {file}{}", how.0, counted(rows, "row", "rows"), dropped.0),
            format!("{}：{rows} 行，{bytes} 字节，存为 {file}{}", how.1, dropped.1),
        )
    }
}

struct Sink {
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
    rows: u64,
}

impl Sink {
    fn put(&mut self, row: &Row) -> Result<(), StoreFault> {
        // A damaged row is not backed up; a check names it.
        let Some(value) = row.value.as_deref() else { return Err(StoreFault::Damaged(row.key.clone())) };
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let written = [&length(&row.key)[..], &length(value), &row.key, value]
            .into_iter()
            .try_for_each(|part| self.encoder.write_all(part));
        self.rows = self.rows.saturating_add(1);
        written.map_err(|error| StoreFault::Failed(error.to_string()))
    }
}

/// Adds this store's new rows to the backup in `to`. `folder` is the server's. With `keep`, a whole file is begun after
/// so many runs, and files are dropped that none of the last so many runs needs.
pub(crate) fn back_up(
    store: &dyn Store,
    folder: &Path,
    to: &Path,
    made: &str,
    keep: Option<NonZeroU32>,
) -> Result<BackedUp, Error> {
    make_folder(&to.join("keys"))?;
    for name in KEY_FILES {
        write_private(&to.join("keys").join(name), &read_file(&folder.join(name))?)?;
    }
    if folder.join(ERASURES).exists() {
        // They hold ids alone. An earlier run that is restored is erased of the same.
        write_private(&to.join(ERASURES), &read_file(&folder.join(ERASURES))?)?;
    }
    let mut manifest = Manifest::read(to)?;
    let last = manifest.segments.last().map(|segment| segment.reached.clone());
    let goes_on = match &last {
        Some(reached) => !manifest.needs_whole(keep) && is_of_this_log(store, reached)?,
        None => false,
    };
    let since = last.filter(|_| goes_on).unwrap_or_default();
    let file_error = |error: std::io::Error| Error::BackupNotWritten { reason: error.to_string() };
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(file_error)?;
    encoder.write_all(MAGIC).map_err(file_error)?;
    let mut sink = Sink { encoder, rows: 0 };
    let mut reached = BTreeMap::new();
    // The log's end is read first, so the changing rows are as new as the log or newer.
    for number in cooperatives(store)? {
        let before = since.get(&number.0).copied().unwrap_or_default();
        reached.insert(number.0, save_log(store, number, before, &mut sink)?);
        for kind in KINDS {
            each_row(store, &key(number, kind, &[]), |row| sink.put(&row))?;
        }
    }
    for kind in GLOBAL_KINDS {
        each_row(store, &key(GLOBAL, kind, &[]), |row| sink.put(&row))?;
    }
    let rows = sink.rows;
    let bytes = sink.encoder.finish().map_err(file_error)?;
    let file = format!("segment-{:04}.granary", manifest.next_number());
    write_private(&to.join(&file), &bytes)?;
    manifest.segments.push(Segment {
        file: file.clone(),
        sha256: sha256(&bytes),
        made: made.to_owned(),
        is_whole: !goes_on,
        reached,
    });
    let dropped = manifest.drop_unneeded(keep);
    write_private(&to.join("manifest.json"), &serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
    // Only now: until then the manifest on disk names them.
    for segment in &dropped {
        std::fs::remove_file(to.join(&segment.file)).map_err(file_error)?;
    }
    Ok(BackedUp { file, rows, bytes: bytes.len() as u64, is_whole: !goes_on, dropped: dropped.len() })
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    crate::environment::hex(digest(&SHA256, bytes).as_ref())
}

/// True when the store continues the backup: it was not restored from elsewhere since, and nothing was erased.
fn is_of_this_log(store: &dyn Store, reached: &BTreeMap<u32, Reached>) -> Result<bool, StoreFault> {
    for (number, reached) in reached {
        let number = CooperativeNumber(*number);
        let is_other =
            tags_at(store, number, reached.entry, reached.position)? != (reached.entry_tag, reached.position_tag);
        if is_other || count_erased(store, number)? != reached.erased {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many documents were erased.
fn count_erased(store: &dyn Store, number: CooperativeNumber) -> Result<u64, StoreFault> {
    let mut count = 0u64;
    each_row(store, &key(number, b'm', &[]), |row| {
        let meta: DocumentMeta = parse(&row.key, row.value.as_deref())?;
        count = count.saturating_add(u64::from(meta.is_erased));
        Ok(())
    })?;
    Ok(count)
}

fn tags_at(store: &dyn Store, number: CooperativeNumber, entry: u64, position: u64) -> Result<(u64, u64), StoreFault> {
    let entry: Option<Entry> = store.get(&entry_key(number, entry))?.and_then(|bytes| read_message(&bytes).ok());
    let record: Option<LogRecord> = store.get(&log_key(number, position))?.and_then(|bytes| read_message(&bytes).ok());
    Ok((entry.map_or(0, |entry| entry.tag), record.map_or(0, |record| record.tag)))
}

fn save_log(
    store: &dyn Store,
    number: CooperativeNumber,
    before: Reached,
    sink: &mut Sink,
) -> Result<Reached, StoreFault> {
    let heads = heads_of(store, number)?;
    let mut audit_line = before.audit_line;
    let parts = [(b'e', before.entry, heads.entry), (b'l', before.position, heads.position)];
    for (kind, from, through) in parts {
        let mut each = |row: Row| match rest_u64(&row.key) {
            Some(at) if at <= through => sink.put(&row),
            _ => Ok(()),
        };
        each_row_after(store, &key(number, kind, &[]), Some(key(number, kind, &from.to_be_bytes())), &mut each)?;
    }
    let after = (before.audit_line > 0).then(|| key(number, b'u', &before.audit_line.to_be_bytes()));
    each_row_after(store, &key(number, b'u', &[]), after, &mut |row| {
        audit_line = rest_u64(&row.key).unwrap_or(audit_line);
        sink.put(&row)
    })?;
    let (entry_tag, position_tag) = tags_at(store, number, heads.entry, heads.position)?;
    Ok(Reached {
        entry: heads.entry,
        entry_tag,
        position: heads.position,
        position_tag,
        audit_line,
        erased: count_erased(store, number)?,
    })
}
