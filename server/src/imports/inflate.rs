//! The parts of a zip, inflated under a limit that counts while inflating: what a part says of its own size is not believed.

use std::io::{BufReader, Read};

use flate2::read::DeflateDecoder;

use super::fault::FileFault;

/// All parts together.
pub(super) const INSIDE_MAX: u64 = 200 * 1024 * 1024;
/// One part.
pub(super) const PART_MAX: u64 = 100 * 1024 * 1024;
const PARTS_MAX: usize = 2_000;

/// The parts of a zip.
pub(super) struct Parts<'a> {
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    name: &'a [u8],
    is_deflated: bool,
    crc: u32,
    packed: &'a [u8],
}

/// Numbers of a fixed place, little-endian.
pub(super) fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let found = bytes.get(at..at.checked_add(width)?)?;
    Some(found.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn place(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, width)?).ok()
}

impl<'a> Parts<'a> {
    /// Reads the list of parts, and inflates each once to count.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, FileFault> {
        let parts = list(bytes)?;
        let opened = Self { parts };
        let mut inside = 0u64;
        for part in &opened.parts {
            let left = INSIDE_MAX.saturating_sub(inside);
            inside = inside.saturating_add(part.count(left.min(PART_MAX))?);
        }
        Ok(opened)
    }

    /// A part as a stream; none of that name.
    pub(super) fn part(&self, name: &str) -> Option<BufReader<Box<dyn Read + 'a>>> {
        // Some writers begin names with a slash, or write them in other case.
        let is_named = |part: &&Part<'_>| {
            let own = part.name.strip_prefix(b"/").unwrap_or(part.name);
            own.eq_ignore_ascii_case(name.as_bytes())
        };
        let part = self.parts.iter().find(is_named)?;
        Some(BufReader::with_capacity(65_536, part.stream()))
    }
}

impl<'a> Part<'a> {
    fn stream(&self) -> Box<dyn Read + 'a> {
        if self.is_deflated {
            Box::new(DeflateDecoder::new(self.packed).take(PART_MAX))
        } else {
            Box::new(self.packed.take(PART_MAX))
        }
    }

    /// Inflates it and counts; checks that it is whole.
    fn count(&self, most: u64) -> Result<u64, FileFault> {
        let mut stream: Box<dyn Read + 'a> =
            if self.is_deflated { Box::new(DeflateDecoder::new(self.packed)) } else { Box::new(self.packed) };
        let mut piece = [0; 16_384];
        let mut crc = flate2::Crc::new();
        let mut count = 0u64;
        loop {
            let length = stream.read(&mut piece).map_err(|_| FileFault::Damaged)?;
            if length == 0 {
                break;
            }
            count = count.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            if count > most {
                return Err(FileFault::TooLargeInside);
            }
            crc.update(piece.get(..length).unwrap_or_default());
        }
        if crc.sum() != self.crc {
            return Err(FileFault::Damaged);
        }
        Ok(count)
    }
}

/// The central directory: behind the parts, found from the file's end.
fn list(bytes: &[u8]) -> Result<Vec<Part<'_>>, FileFault> {
    let tail_at = bytes.len().saturating_sub(65_557);
    let tail = bytes.get(tail_at..).unwrap_or_default();
    let end = tail.windows(4).rposition(|found| found == b"PK\x05\x06").ok_or(FileFault::Damaged)?;
    let end = tail_at.saturating_add(end);
    let (count, at) = directory(bytes, end).ok_or(FileFault::Damaged)?;
    if count == 0 {
        return Err(FileFault::KindUnknown);
    }
    if count > PARTS_MAX {
        return Err(FileFault::TooLargeInside);
    }
    let mut parts = Vec::with_capacity(count);
    let mut at = at;
    for _ in 0..count {
        let (part, next) = part(bytes, at).ok_or(FileFault::Damaged)?;
        parts.push(part?);
        at = next;
    }
    Ok(parts)
}

/// How many parts there are, and where their list begins; from the record for large files where the usual one says so.
fn directory(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let (count, at) = (place(bytes, end.checked_add(10)?, 2)?, place(bytes, end.checked_add(16)?, 4)?);
    if count != 0xffff && at != 0xffff_ffff {
        return Some((count, at));
    }
    let locator = end.checked_sub(20)?;
    if bytes.get(locator..locator.checked_add(4)?)? != b"PK\x06\x07" {
        return None;
    }
    let record = place(bytes, locator.checked_add(8)?, 8)?;
    if bytes.get(record..record.checked_add(4)?)? != b"PK\x06\x06" {
        return None;
    }
    Some((place(bytes, record.checked_add(32)?, 8)?, place(bytes, record.checked_add(48)?, 8)?))
}

type Listed<'a> = (Result<Part<'a>, FileFault>, usize);

/// One part of the list, and where the next one stands.
fn part(bytes: &[u8], at: usize) -> Option<Listed<'_>> {
    let entry = bytes.get(at..)?;
    if entry.get(..4)? != b"PK\x01\x02" {
        return None;
    }
    let (flags, method) = (number(entry, 8, 2)?, number(entry, 10, 2)?);
    let crc = u32::try_from(number(entry, 16, 4)?).ok()?;
    let (name, extra, comment) = (place(entry, 28, 2)?, place(entry, 30, 2)?, place(entry, 32, 2)?);
    let name_end = name.checked_add(46)?;
    let extra_end = name_end.checked_add(extra)?;
    let next = at.checked_add(extra_end)?.checked_add(comment)?;
    let (packed, local) = sizes(entry, entry.get(name_end..extra_end)?)?;
    let name = entry.get(46..name_end)?;
    // Locked parts, by the zip's own means.
    if flags & 1 == 1 || method == 99 {
        return Some((Err(FileFault::Locked), next));
    }
    if method != 0 && method != 8 {
        return Some((Err(FileFault::KindUnknown), next));
    }
    let head = bytes.get(local..)?;
    if head.get(..4)? != b"PK\x03\x04" {
        return None;
    }
    let begin = place(head, 26, 2)?.checked_add(place(head, 28, 2)?)?.checked_add(30)?;
    let packed = head.get(begin..begin.checked_add(packed)?)?;
    Some((Ok(Part { name, is_deflated: method == 8, crc, packed }), next))
}

/// A part's packed size and where it begins; from the field for large files where the usual ones are full.
fn sizes(entry: &[u8], mut extra: &[u8]) -> Option<(usize, usize)> {
    let full = 0xffff_ffff;
    let (mut packed, unpacked, mut local) = (place(entry, 20, 4)?, place(entry, 24, 4)?, place(entry, 42, 4)?);
    if packed != full && local != full {
        return Some((packed, local));
    }
    while extra.len() >= 4 {
        let (kind, length) = (number(extra, 0, 2)?, place(extra, 2, 2)?);
        let (field, rest) = extra.get(4..)?.split_at_checked(length)?;
        if kind == 1 {
            let mut at = if unpacked == full { 8 } else { 0 };
            if packed == full {
                packed = place(field, at, 8)?;
                at = 16.min(at.saturating_add(8));
            }
            if local == full {
                local = place(field, at, 8)?;
            }
            return Some((packed, local));
        }
        extra = rest;
    }
    None
}
