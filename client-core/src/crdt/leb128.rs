//! A bounded reader and a writer for the primitives of Automerge's storage format: unsigned and signed LEB128, and byte
//! strings. The reader never panics, and refuses numbers that are not in their shortest form, so that each value has one
//! encoding.
//!
//! Source: the Automerge binary format, <https://automerge.org/automerge-binary-format-spec/>.

/// Why bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// The bytes end before the value does.
    #[error("the bytes end too early")]
    Truncated,
    /// A number is longer than 64 bits or not in its shortest form.
    #[error("a number is malformed")]
    BadNumber,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    BadText,
}

/// Reads forward over borrowed bytes.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Takes the next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], ReadFault> {
        let (head, tail) = self.rest.split_at_checked(length).ok_or(ReadFault::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    /// Takes all that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Takes the next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadFault> {
        self.take(N)?.try_into().map_err(|_| ReadFault::Truncated)
    }

    /// Takes one byte.
    pub fn byte(&mut self) -> Result<u8, ReadFault> {
        let [byte] = self.array::<1>()?;
        Ok(byte)
    }

    /// Reads an unsigned LEB128 of at most 64 bits, in its shortest form.
    pub fn unsigned(&mut self) -> Result<u64, ReadFault> {
        let mut value = 0u64;
        for index in 0..10u32 {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if index == 9 && byte > 1 {
                return Err(ReadFault::BadNumber);
            }
            value |= low << (index * 7);
            if byte & 0x80 == 0 {
                if index > 0 && byte == 0 {
                    return Err(ReadFault::BadNumber);
                }
                return Ok(value);
            }
        }
        Err(ReadFault::BadNumber)
    }

    /// Reads a signed LEB128 of at most 64 bits, in its shortest form.
    pub fn signed(&mut self) -> Result<i64, ReadFault> {
        let before = self.rest;
        let mut value = 0i64;
        let mut shift = 0u32;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte != 0 && byte != 0x7f {
                return Err(ReadFault::BadNumber);
            }
            value |= i64::from(byte & 0x7f) << shift;
            shift = shift.saturating_add(7);
            if byte & 0x80 == 0 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1i64 << shift;
                }
                break;
            }
            if shift >= 70 {
                return Err(ReadFault::BadNumber);
            }
        }
        let mut shortest = Vec::with_capacity(10);
        write_signed(&mut shortest, value);
        if before.starts_with(&shortest) && before.len() == self.rest.len().saturating_add(shortest.len()) {
            Ok(value)
        } else {
            Err(ReadFault::BadNumber)
        }
    }

    /// Reads an unsigned LEB128 as a length or an index.
    pub fn size(&mut self) -> Result<usize, ReadFault> {
        usize::try_from(self.unsigned()?).map_err(|_| ReadFault::BadNumber)
    }

    /// Reads a length, then that many bytes.
    pub fn prefixed(&mut self) -> Result<&'a [u8], ReadFault> {
        let length = self.size()?;
        self.take(length)
    }

    /// Reads a length, then that many bytes of UTF-8.
    pub fn text(&mut self) -> Result<&'a str, ReadFault> {
        std::str::from_utf8(self.prefixed()?).map_err(|_| ReadFault::BadText)
    }
}

/// Appends an unsigned LEB128.
pub fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed LEB128.
pub fn write_signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a length or an index.
pub fn write_size(out: &mut Vec<u8>, value: usize) {
    write_unsigned(out, value as u64);
}

/// Appends a length, then the bytes.
pub fn write_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    write_size(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unsigned_numbers_round_trip(value: u64) {
            let mut bytes = Vec::new();
            write_unsigned(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.unsigned(), Ok(value));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn signed_numbers_round_trip(value: i64) {
            let mut bytes = Vec::new();
            write_signed(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.signed(), Ok(value));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn number_has_one_encoding(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.unsigned() {
                let mut again = Vec::new();
                write_unsigned(&mut again, value);
                prop_assert!(bytes.starts_with(&again));
                prop_assert_eq!(reader.len() + again.len(), bytes.len());
            }
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.signed() {
                let mut again = Vec::new();
                write_signed(&mut again, value);
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }
}
