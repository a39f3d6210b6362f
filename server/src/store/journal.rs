//! The journal: every batch since the store's last checkpoint, in one file, in order. Sled makes a batch durable by writing each leaf
//! anew that it changed, with a sync for each size of leaf: seven and more, however small the batch. The journal takes it with one
//! write behind the last one, and one sync. Sled itself is flushed once much has gathered (a checkpoint), and the journal begins again.
//!
//! ```text
//! header   "granjrn1" | run (8) | XXH3-64 of both (8)
//! record   length of body (4) | tag (8) | body
//! tag      XXH3-64 over the body, seeded with that over the length, seeded with the tag of the record before; for the first with the run
//! body     for each write: 1 | length of key (4) | key | length of value (4) | value; or 0 | length of key (4) | key
//! ```
//! All numbers are little-endian. Each run is written over the one before; what is left of that behind the last record has tags of
//! another chain, so it ends there. What is durable in sled is always durable here: a start that applies all records in order has
//! the store as it was, whether or not sled had flushed some of them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use granary_client_core::store::Batch;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const NAME: &str = "journal";
const MAGIC: [u8; 8] = *b"granjrn1";
const HEADER_BYTES: u64 = 24;
/// Of a record before its body.
const RECORD_BYTES: usize = 12;
/// The bytes from which on a checkpoint is due. A file of this size is there from the beginning, so that a sync has no sizes to write.
pub(super) const CHECKPOINT_BYTES: u64 = 4 * 1024 * 1024;

/// See the module.
pub(super) struct Journal {
    file: File,
    run: u64,
    /// That of the last record, or the run before the first.
    tag: u64,
    /// Where the next record is written.
    end: u64,
    /// Records that are not written yet.
    pending: Vec<u8>,
    /// True while something was written and not synced.
    is_unsynced: bool,
}

/// Where a record began, to take it out again.
pub(super) struct Mark {
    pending: usize,
    tag: u64,
}

impl Journal {
    /// Opens the journal of the store in this folder, or makes an empty one. Gives the batches in it, which are to be applied and
    /// flushed before [`Self::begin_again`].
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<Batch>)> {
        let path = folder.join(NAME);
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Self::create(folder, &path)?, Vec::new()));
            }
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let Some(run) = run_in(&bytes) else {
            if bytes.iter().any(|byte| *byte != 0) {
                tracing::error!(
                    "the journal of the store can't be read; the store is as it was at its last checkpoint"
                );
            }
            return Ok((Self::create(folder, &path)?, Vec::new()));
        };
        let mut batches = Vec::new();
        let (mut rest, mut tag) = (bytes.get(header_bytes()..).unwrap_or_default(), run);
        while let Some((batch, next, behind)) = read_record(rest, tag) {
            batches.push(batch);
            (tag, rest) = (next, behind);
        }
        let end = (bytes.len().saturating_sub(rest.len())) as u64;
        Ok((Self { file, run, tag, end, pending: Vec::new(), is_unsynced: false }, batches))
    }

    fn create(folder: &Path, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(&vec![0; usize::try_from(CHECKPOINT_BYTES).unwrap_or(0)], 0)?;
        let mut journal = Self { file, run: 0, tag: 0, end: 0, pending: Vec::new(), is_unsynced: true };
        journal.begin_again()?;
        journal.file.sync_all()?;
        // Its name is durable before anything rests on it.
        File::open(folder)?.sync_all()?;
        Ok(journal)
    }

    /// Takes a batch, whose writes have each key once; [`Self::sync`] makes it durable.
    pub(super) fn append<'a>(&mut self, writes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Mark {
        let mark = Mark { pending: self.pending.len(), tag: self.tag };
        self.pending.extend_from_slice(&[0; RECORD_BYTES]);
        for (key, value) in writes {
            self.pending.push(u8::from(value.is_some()));
            put_prefixed(&mut self.pending, key);
            if let Some(value) = value {
                put_prefixed(&mut self.pending, value);
            }
        }
        let body = self.pending.get(mark.pending.saturating_add(RECORD_BYTES)..).unwrap_or_default();
        let length = length_of(body);
        self.tag = tag_of(self.tag, length, body);
        let head = [length.as_slice(), &self.tag.to_le_bytes()].concat();
        if let Some(place) = self.pending.get_mut(mark.pending..mark.pending.saturating_add(RECORD_BYTES)) {
            place.copy_from_slice(&head);
        }
        mark
    }

    /// Takes the last record out again, which was not written yet.
    pub(super) fn take_back(&mut self, mark: &Mark) {
        self.pending.truncate(mark.pending);
        self.tag = mark.tag;
    }

    /// Bytes that wait to be written.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Writes what waits, without a sync.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.file.write_all_at(&self.pending, self.end)?;
            self.end = self.end.saturating_add(self.pending.len() as u64);
            self.pending.clear();
            self.is_unsynced = true;
        }
        Ok(())
    }

    /// Makes all that was appended durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.write()?;
        if self.is_unsynced {
            self.file.sync_data()?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    /// True once so much has gathered that a checkpoint is due.
    pub(super) fn is_due(&self) -> bool {
        self.end >= CHECKPOINT_BYTES
    }

    /// True where it has no records.
    pub(super) fn is_empty(&self) -> bool {
        self.end <= HEADER_BYTES && self.pending.is_empty()
    }

    /// Begins the next run over nothing but zeros, once all records are durable in sled: nothing stays of what was erased.
    pub(super) fn wipe(&mut self) -> io::Result<()> {
        self.begin_again()?;
        let behind = usize::try_from(self.file.metadata()?.len().saturating_sub(HEADER_BYTES)).unwrap_or(0);
        self.file.write_all_at(&vec![0; behind], HEADER_BYTES)?;
        self.file.sync_data()
    }

    /// Begins the next run, once all records are durable in sled.
    pub(super) fn begin_again(&mut self) -> io::Result<()> {
        let run = self.run.wrapping_add(1);
        let head = [MAGIC, run.to_le_bytes()].concat();
        let header = [head.as_slice(), &xxh3_64(&head).to_le_bytes()].concat();
        self.file.write_all_at(&header, 0)?;
        if self.end > CHECKPOINT_BYTES {
            self.file.set_len(CHECKPOINT_BYTES)?;
        }
        self.file.sync_data()?;
        (self.run, self.tag, self.end, self.is_unsynced) = (run, run, HEADER_BYTES, false);
        Ok(())
    }
}

fn header_bytes() -> usize {
    usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX)
}

/// The run that a journal's header names; none where it is no header.
fn run_in(bytes: &[u8]) -> Option<u64> {
    let (head, rest) = bytes.split_first_chunk::<16>()?;
    let (sum, _) = rest.split_first_chunk::<8>()?;
    let run = head.strip_prefix(&MAGIC)?.first_chunk::<8>()?;
    (xxh3_64(head) == u64::from_le_bytes(*sum)).then(|| u64::from_le_bytes(*run))
}

fn length_of(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

fn tag_of(before: u64, length: [u8; 4], body: &[u8]) -> u64 {
    xxh3_64_with_seed(body, xxh3_64_with_seed(&length, before))
}

fn put_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&length_of(bytes));
    out.extend_from_slice(bytes);
}

fn take_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// The first record of these bytes, with its tag and what is behind it; none where the journal ends, or the record is not whole.
fn read_record(bytes: &[u8], before: u64) -> Option<(Batch, u64, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (tag, rest) = rest.split_first_chunk::<8>()?;
    let (mut body, behind) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let tag = u64::from_le_bytes(*tag);
    if body.is_empty() || tag_of(before, *length, body) != tag {
        return None;
    }
    let mut batch = Batch::default();
    while let Some((kind, rest)) = body.split_first() {
        let (key, rest) = take_prefixed(rest)?;
        body = if *kind == 0 {
            batch.remove(key);
            rest
        } else {
            let (value, rest) = take_prefixed(rest)?;
            batch.put(key, value);
            rest
        };
    }
    Some((batch, tag, behind))
}

#[cfg(test)]
mod tests {
    use granary_client_core::store::Write;

    use super::*;

    fn put(journal: &mut Journal, key: &[u8], value: &[u8]) {
        journal.append([(key, Some(value))].into_iter());
    }

    fn keys(batches: &[Batch]) -> Vec<Vec<u8>> {
        let key = |write: &Write| match write {
            Write::Put(key, _) | Write::Remove(key) => key.clone(),
        };
        batches.iter().flat_map(|batch| batch.writes().iter().map(key)).collect()
    }

    #[test]
    fn records_come_back_in_order_and_an_older_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, none) = Journal::open(folder.path()).unwrap();
        assert!(none.is_empty() && journal.is_empty());
        for key in [b"a", b"b", b"c"] {
            put(&mut journal, key, b"value");
        }
        let mark = journal.append([(b"not".as_slice(), None)].into_iter());
        journal.take_back(&mark);
        journal.append([(b"a".as_slice(), None), (b"d".as_slice(), Some(b"".as_slice()))].into_iter());
        journal.sync().unwrap();
        let (mut journal, batches) = Journal::open(folder.path()).unwrap();
        assert_eq!(keys(&batches), [b"a", b"b", b"c", b"a", b"d"]);
        put(&mut journal, b"e", b"");
        journal.sync().unwrap();
        assert_eq!(Journal::open(folder.path()).unwrap().1.len(), 5, "it goes on where it ended");
        // The next run is written over it: the first record is as long as that of the run before, which still stands behind it.
        journal.begin_again().unwrap();
        assert!(Journal::open(folder.path()).unwrap().1.is_empty());
        put(&mut journal, b"x", b"value");
        journal.sync().unwrap();
        assert_eq!(keys(&Journal::open(folder.path()).unwrap().1), [b"x"]);
    }

    #[test]
    fn record_that_is_not_whole_ends_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        let mut ends = vec![HEADER_BYTES];
        for key in [b"a", b"b", b"c"] {
            put(&mut journal, key, b"value");
            journal.sync().unwrap();
            ends.push(journal.end);
        }
        let path = folder.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        for place in HEADER_BYTES..journal.end {
            // A byte that was not written, and one that is another.
            let place = usize::try_from(place).unwrap();
            let before = ends.iter().filter(|end| **end <= place as u64).count() - 1;
            let mut bytes = whole.clone();
            bytes[place] ^= 0x41;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(Journal::open(folder.path()).unwrap().1.len(), before, "at {place}");
            std::fs::write(&path, &whole[..place]).unwrap();
            assert_eq!(Journal::open(folder.path()).unwrap().1.len(), before, "cut at {place}");
        }
        for place in 0..usize::try_from(HEADER_BYTES).unwrap() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x41;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Journal::open(folder.path()).unwrap().1.is_empty());
        }
    }
}
