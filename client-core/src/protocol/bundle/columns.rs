//! Columns of a bundle: integers and byte strings, each in the shortest of a few forms. The caller states the number of
//! rows, so no column allocates more than its shape has changes.

use super::BundleFault;
use crate::crdt::leb128::{ReadFault, Reader, write_prefixed, write_signed, write_size};

const ALL_EQUAL: u8 = 0;
const PLAIN: u8 = 1;
const DELTA: u8 = 2;
const DICTIONARY: u8 = 3;

fn deltas(rows: &[i64]) -> impl Iterator<Item = i64> {
    std::iter::once(0).chain(rows.iter().copied()).zip(rows).map(|(last, row)| row.wrapping_sub(last))
}

/// Writes integers in the shortest form. An empty column has no bytes.
pub(super) fn write_integers(rows: &[i64], out: &mut Vec<u8>) {
    let Some(first) = rows.first() else { return };
    if rows.iter().all(|row| row == first) {
        out.push(ALL_EQUAL);
        write_signed(out, *first);
        return;
    }
    let mut plain = vec![PLAIN];
    rows.iter().for_each(|row| write_signed(&mut plain, *row));
    let mut delta = vec![DELTA];
    deltas(rows).for_each(|row| write_signed(&mut delta, row));
    out.extend(if delta.len() < plain.len() { delta } else { plain });
}

/// Reads `rows` integers.
pub(super) fn read_integers(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<i64>, BundleFault> {
    if rows == 0 {
        return Ok(Vec::new());
    }
    match reader.byte()? {
        ALL_EQUAL => Ok(vec![reader.signed()?; rows]),
        PLAIN => {
            require_bytes(reader, rows)?;
            (0..rows).map(|_| Ok(reader.signed()?)).collect()
        }
        DELTA => {
            require_bytes(reader, rows)?;
            let mut last = 0i64;
            (0..rows)
                .map(|_| {
                    last = last.wrapping_add(reader.signed()?);
                    Ok(last)
                })
                .collect()
        }
        _ => Err(BundleFault::Malformed("a column's form is not known")),
    }
}

/// Checks that at least one byte is left for each row, so that memory is proportional to the input.
fn require_bytes(reader: &Reader<'_>, rows: usize) -> Result<(), BundleFault> {
    if reader.len() < rows { Err(ReadFault::Truncated.into()) } else { Ok(()) }
}

/// Writes byte strings in the shortest form. An empty column has no bytes.
pub(super) fn write_strings(rows: &[&[u8]], out: &mut Vec<u8>) {
    let Some(first) = rows.first() else { return };
    if rows.iter().all(|row| row == first) {
        out.push(ALL_EQUAL);
        write_prefixed(out, first);
        return;
    }
    let mut words: Vec<&[u8]> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let indexes: Vec<i64> = rows
        .iter()
        .map(|row| {
            *places.entry(*row).or_insert_with(|| {
                words.push(row);
                i64::try_from(words.len()).unwrap_or(i64::MAX).saturating_sub(1)
            })
        })
        .collect();
    if words.len().saturating_mul(2) <= rows.len() {
        out.push(DICTIONARY);
        write_size(out, words.len());
        words.iter().for_each(|word| write_prefixed(out, word));
        write_integers(&indexes, out);
    } else {
        out.push(PLAIN);
        let lengths: Vec<i64> = rows.iter().map(|row| i64::try_from(row.len()).unwrap_or(i64::MAX)).collect();
        write_integers(&lengths, out);
        rows.iter().for_each(|row| out.extend_from_slice(row));
    }
}

/// Reads `rows` byte strings.
pub(super) fn read_strings<'a>(reader: &mut Reader<'a>, rows: usize) -> Result<Vec<&'a [u8]>, BundleFault> {
    if rows == 0 {
        return Ok(Vec::new());
    }
    match reader.byte()? {
        ALL_EQUAL => Ok(vec![reader.prefixed()?; rows]),
        PLAIN => read_integers(reader, rows)?
            .into_iter()
            .map(|length| {
                let length = usize::try_from(length).map_err(|_| ReadFault::BadNumber)?;
                Ok(reader.take(length)?)
            })
            .collect(),
        DICTIONARY => {
            let count = reader.size()?;
            if count > rows {
                return Err(BundleFault::Malformed("a dictionary has more words than rows"));
            }
            let words = (0..count).map(|_| reader.prefixed()).collect::<Result<Vec<_>, _>>()?;
            read_integers(reader, rows)?
                .into_iter()
                .map(|index| {
                    let word = usize::try_from(index).ok().and_then(|index| words.get(index));
                    word.copied().ok_or(BundleFault::Malformed("a dictionary has no such word"))
                })
                .collect()
        }
        _ => Err(BundleFault::Malformed("a column's form is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_round_trip(rows: Vec<i64>) {
            let mut bytes = Vec::new();
            write_integers(&rows, &mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(read_integers(&mut reader, rows.len()), Ok(rows));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn strings_round_trip(rows in proptest::collection::vec("[ab]{0,2}", 0..60)) {
            let rows: Vec<&[u8]> = rows.iter().map(|row| row.as_bytes()).collect();
            let mut bytes = Vec::new();
            write_strings(&rows, &mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(read_strings(&mut reader, rows.len()), Ok(rows));
            prop_assert!(reader.is_empty());
        }
    }
}
