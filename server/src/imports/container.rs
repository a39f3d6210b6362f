//! Streams of an OLE2 container: a file system in a file, as workbooks of the older kind are, and those with a password.

use super::inflate::number;

/// Sectors behind the header: 20 MB of the smallest ones.
const SECTORS_MAX: usize = 50_000;
const NO_SECTOR: u32 = 0xffff_fff0;

/// A container.
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    /// Bytes of a sector.
    sector: usize,
    /// By sector: the one behind it.
    next: Vec<u32>,
    /// By small sector: the one behind it.
    next_small: Vec<u32>,
    /// Small streams, one behind the other.
    small: Vec<u8>,
    entries: Vec<Entry>,
    /// Streams of fewer bytes are small.
    small_below: u64,
}

struct Entry {
    name: String,
    is_root: bool,
    first: u32,
    size: u64,
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    u32::try_from(number(bytes, at, 4)?).ok()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|four| four.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// A sector, of which the last one may be cut off. One right behind the end is none: a chain that comes back to it would grow by
/// nothing, and never end.
fn within(bytes: &[u8], begin: usize, length: usize) -> Option<&[u8]> {
    bytes.get(begin..begin.checked_add(length)?.min(bytes.len())).filter(|sector| !sector.is_empty())
}

impl<'a> Container<'a> {
    /// Reads what is where; none for a damaged container.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector = match number(bytes, 30, 2)? {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let small_below = number(bytes, 56, 4)?;
        let mut container = Self {
            bytes,
            sector,
            next: Vec::new(),
            next_small: Vec::new(),
            small: Vec::new(),
            entries: Vec::new(),
            small_below,
        };
        container.next = container.table()?;
        let directory = container.chain(number32(bytes, 48)?, usize::MAX)?;
        container.entries = directory.chunks_exact(128).filter_map(|entry| entry_of(entry, sector)).collect();
        container.next_small = numbers(&container.chain(number32(bytes, 60)?, usize::MAX)?).collect();
        if let Some(root) = container.entries.iter().find(|entry| entry.is_root) {
            container.small = container.chain(root.first, usize::try_from(root.size).ok()?)?;
        }
        Some(container)
    }

    fn sector_at(&self, sector: u32) -> Option<&'a [u8]> {
        let begin = usize::try_from(sector).ok()?.checked_add(1)?.checked_mul(self.sector)?;
        within(self.bytes, begin, self.sector)
    }

    /// The table of sectors: its own sectors are listed in the header and behind.
    fn table(&self) -> Option<Vec<u32>> {
        let mut listed: Vec<u32> = numbers(self.bytes.get(76..512)?).collect();
        let mut more = number32(self.bytes, 68)?;
        let mut left = SECTORS_MAX;
        while more < NO_SECTOR {
            left = left.checked_sub(1)?;
            let (last, these) = self.sector_at(more)?.split_last_chunk::<4>().map(|(these, last)| (last, these))?;
            listed.extend(numbers(these));
            if listed.len() > SECTORS_MAX {
                return None;
            }
            more = u32::from_le_bytes(*last);
        }
        let mut table = Vec::new();
        for sector in listed.into_iter().filter(|sector| *sector < NO_SECTOR) {
            table.extend(numbers(self.sector_at(sector)?));
            // One entry for a sector that the file can have.
            if table.len() > self.bytes.len() / self.sector + 2 * self.sector {
                break;
            }
        }
        Some(table)
    }

    /// The bytes of a chain of sectors, up to `size`.
    fn chain(&self, first: u32, size: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut sector = first;
        while sector < NO_SECTOR && bytes.len() < size {
            bytes.extend_from_slice(self.sector_at(sector)?);
            // A chain that comes back to itself has more than the file.
            if bytes.len() > self.bytes.len() {
                return None;
            }
            sector = *self.next.get(usize::try_from(sector).ok()?)?;
        }
        bytes.truncate(size);
        Some(bytes)
    }

    fn small_chain(&self, first: u32, size: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut sector = first;
        while sector < NO_SECTOR && bytes.len() < size {
            let begin = usize::try_from(sector).ok()?.checked_mul(64)?;
            bytes.extend_from_slice(within(&self.small, begin, 64)?);
            if bytes.len() > self.small.len() {
                return None;
            }
            sector = *self.next_small.get(usize::try_from(sector).ok()?)?;
        }
        bytes.truncate(size);
        Some(bytes)
    }

    /// True where there is a stream of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// A stream; none where there is none of this name, or where it is damaged.
    pub(super) fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))?;
        let size = usize::try_from(entry.size).ok()?;
        let bytes = if entry.size < self.small_below {
            self.small_chain(entry.first, size)?
        } else {
            self.chain(entry.first, size)?
        };
        (bytes.len() == size).then_some(bytes)
    }
}

fn entry_of(entry: &[u8], sector: usize) -> Option<Entry> {
    let kind = *entry.get(66)?;
    if !matches!(kind, 2 | 5) {
        return None;
    }
    let length = usize::try_from(number(entry, 64, 2)?).ok()?.saturating_sub(2).min(62);
    let units: Vec<u16> = entry
        .get(..length)?
        .chunks_exact(2)
        .map(|two| two.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
        .collect();
    // Containers with small sectors leave the upper half of a size undefined.
    let size = number(entry, 120, if sector == 512 { 4 } else { 8 })?;
    Some(Entry { name: String::from_utf16_lossy(&units), is_root: kind == 5, first: number32(entry, 116)?, size })
}
