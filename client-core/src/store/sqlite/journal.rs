//! Reads a write-ahead log (<https://sqlite.org/walformat.html>) by itself, past a damaged frame too. SQLite stops at the
//! first frame that does not fit and takes it for the torn end of a last write; but each write is flushed before the next
//! begins, so where another one follows, what does not fit was written whole and is damaged.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::pages::PAGE_BYTES;
use crate::store::StoreFault;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const FRAME_BYTES: usize = FRAME_HEADER_BYTES + PAGE_BYTES;

/// See the module.
#[derive(Default)]
pub(super) struct Journal {
    file: Option<File>,
    /// Where the latest whole version of each page begins.
    pages: HashMap<u32, u64>,
    /// True where whole writes follow a frame that does not fit.
    pub(super) is_damaged: bool,
}

fn number(bytes: &[u8], place: usize) -> Option<u32> {
    let end = place.checked_add(4)?;
    Some(u32::from_be_bytes(bytes.get(place..end)?.try_into().ok()?))
}

/// The checksum of `bytes` that goes on from `seed`; `is_big` is the byte order of the numbers that are summed.
fn sum(seed: [u32; 2], bytes: &[u8], is_big: bool) -> [u32; 2] {
    let [mut one, mut two] = seed;
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    for [first, second] in pairs {
        let read = |word: &[u8; 4]| if is_big { u32::from_be_bytes(*word) } else { u32::from_le_bytes(*word) };
        one = one.wrapping_add(read(first)).wrapping_add(two);
        two = two.wrapping_add(read(second)).wrapping_add(one);
    }
    [one, two]
}

/// Frames of one write, until its last one says that it is whole.
#[derive(Default)]
struct Open {
    frames: Vec<(u32, u64)>,
    has_gap: bool,
}

impl Journal {
    /// Reads the journal of this path; one without content is empty.
    pub(super) fn read(path: &Path) -> Result<Self, StoreFault> {
        let mut journal = Self::default();
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(journal),
            opened => opened.map_err(|error| StoreFault::of_io(&error))?,
        };
        let mut header = [0; HEADER_BYTES];
        if !fill(&mut file, &mut header)? {
            return Ok(journal);
        }
        let is_big = match number(&header, 0) {
            Some(0x377f_0682) => false,
            Some(0x377f_0683) => true,
            _ => return Ok(journal),
        };
        let salts = header.get(16..24).unwrap_or_default().to_vec();
        let mut seed = sum([0, 0], header.get(..24).unwrap_or_default(), is_big);
        if [number(&header, 24), number(&header, 28)] != seed.map(Some) {
            return Ok(journal);
        }
        let (mut place, mut open) = (HEADER_BYTES as u64, Open::default());
        // A write with a frame that does not fit, which counts once anything whole follows it.
        let mut doubtful: Option<Open> = None;
        let mut is_chain_lost = false;
        let mut frame = vec![0; FRAME_BYTES];
        while fill(&mut file, &mut frame)? {
            let (head, page) = frame.split_at(FRAME_HEADER_BYTES);
            let fits_log = head.get(8..16) == Some(salts.as_slice());
            let computed = sum(sum(seed, head.get(..8).unwrap_or_default(), is_big), page, is_big);
            let stored = [number(head, 16), number(head, 20)];
            let is_whole = fits_log && stored == computed.map(Some);
            if is_whole && let Some(before) = doubtful.take() {
                journal.is_damaged = true;
                journal.pages.extend(before.frames);
            }
            // Behind a frame whose head is lost, nothing tells whether this one is whole; its rows have seals of their own.
            let is_taken = is_whole || (fits_log && is_chain_lost);
            is_chain_lost = !fits_log;
            if let ([Some(one), Some(two)], true) = (stored, fits_log) {
                seed = [one, two];
            }
            open.has_gap |= !is_whole;
            if let (true, Some(page)) = (is_taken, number(head, 0)) {
                // One write has each page once, so another has ended in what does not fit.
                if open.has_gap && open.frames.iter().any(|(before, _)| *before == page) {
                    journal.is_damaged = true;
                    journal.pages.extend(std::mem::take(&mut open).frames);
                }
                open.frames.push((page, place.saturating_add(FRAME_HEADER_BYTES as u64)));
            }
            if is_whole && number(head, 4).is_some_and(|pages| pages > 0) {
                let write = std::mem::take(&mut open);
                match write.has_gap {
                    false => journal.pages.extend(write.frames),
                    true => doubtful = Some(write),
                }
            }
            place = place.saturating_add(FRAME_BYTES as u64);
        }
        journal.file = Some(file);
        Ok(journal)
    }

    /// The numbers of the pages that it holds.
    pub(super) fn pages(&self) -> impl Iterator<Item = u32> {
        self.pages.keys().copied()
    }

    /// The latest whole version of a page.
    pub(super) fn page(&mut self, number: u32) -> Result<Option<Vec<u8>>, StoreFault> {
        let (Some(place), Some(file)) = (self.pages.get(&number), self.file.as_mut()) else { return Ok(None) };
        let mut page = vec![0; PAGE_BYTES];
        file.seek(SeekFrom::Start(*place)).map_err(|error| StoreFault::of_io(&error))?;
        Ok(fill(file, &mut page)?.then_some(page))
    }
}

/// Fills the buffer; false at the end of the file.
pub(super) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> Result<bool, StoreFault> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(StoreFault::of_io(&error)),
    }
}
