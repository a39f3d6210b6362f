//! What kind of file it is, by its content; its name says nothing.

use std::borrow::Cow;

use super::fault::FileFault;
use super::text::{Encoding, decode};

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Text with commas or tabs.
    #[default]
    Csv,
    /// A workbook in a zip.
    Xlsx,
    /// A workbook of the older kind, in an OLE2 container.
    Xls,
    /// A table in HTML, as many platforms write their "xls".
    Html,
}

impl Kind {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
            Self::Html => "html",
        }
    }
}

pub(super) enum Found<'a> {
    Workbook,
    Legacy,
    Html(Cow<'a, str>, Encoding),
    Separated(Cow<'a, str>, Encoding),
}

/// Beginnings of files that are something else.
const FOREIGN: [&[u8]; 9] =
    [b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"\x7fELF", b"BZh"];

pub(super) fn kind_of(bytes: &[u8]) -> Result<Found<'_>, FileFault> {
    if bytes.is_empty() {
        return Err(FileFault::Empty);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Ok(Found::Workbook);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Ok(Found::Legacy);
    }
    if FOREIGN.iter().any(|beginning| bytes.starts_with(beginning)) {
        return Err(FileFault::KindUnknown);
    }
    let has_mark = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if !has_mark && bytes.contains(&0) {
        // UTF-16 that does not say so has its zeros on every other byte, all but those of a few letters.
        let (even, odd) = zeros(bytes);
        return Err(if even.min(odd).saturating_mul(20) <= even.max(odd) {
            FileFault::EncodingUnknown
        } else {
            FileFault::KindUnknown
        });
    }
    let (text, encoding) = decode(bytes)?;
    if text.contains('\0') {
        return Err(FileFault::KindUnknown);
    }
    let begun = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    if begun.is_empty() {
        return Err(FileFault::Empty);
    }
    if begun.starts_with('<') && is_html(begun) {
        return Ok(Found::Html(text, encoding));
    }
    if !text.contains([',', '\t']) {
        return Err(FileFault::KindUnknown);
    }
    Ok(Found::Separated(text, encoding))
}

fn zeros(bytes: &[u8]) -> (usize, usize) {
    let count = |first| bytes.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    (count(0), count(1))
}

/// True where `<html` or `<table` begins within the first 64 KB. In a workbook of XML a table is another thing.
fn is_html(text: &str) -> bool {
    let begun = text.as_bytes().get(..65_536).unwrap_or(text.as_bytes());
    let has = |tag: &[u8]| begun.windows(tag.len()).any(|found| found.eq_ignore_ascii_case(tag));
    has(b"<html") || has(b"<table") && !has(b"<workbook")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> Option<FileFault> {
        kind_of(bytes).err()
    }

    #[test]
    fn kinds_are_told_by_content() {
        assert!(matches!(kind_of(b"PK\x03\x04"), Ok(Found::Workbook)));
        assert!(matches!(kind_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Ok(Found::Legacy)));
        assert!(matches!(kind_of(b"\xef\xbb\xbf \n<HTML><body>"), Ok(Found::Html(_, Encoding::Utf8Bom))));
        assert!(matches!(kind_of("<!-- 导出 -->\n<Table>".as_bytes()), Ok(Found::Html(..))));
        assert!(matches!(kind_of(b"a,<table>"), Ok(Found::Separated(..))));
        assert!(matches!(kind_of(b"a\tb"), Ok(Found::Separated(..))));
        assert_eq!(fault(b""), Some(FileFault::Empty));
        assert_eq!(fault(b"\xef\xbb\xbf\r\n \t"), Some(FileFault::Empty));
        assert_eq!(fault(b"%PDF-1.7, \t"), Some(FileFault::KindUnknown));
        assert_eq!(fault("只有字".as_bytes()), Some(FileFault::KindUnknown));
        assert_eq!(fault(b"<?xml version=\"1.0\"?><Workbook/>"), Some(FileFault::KindUnknown));
        let workbook = b"<?xml version=\"1.0\"?><Workbook><Worksheet><Table><Row/></Table></Worksheet></Workbook>";
        assert_eq!(fault(workbook), Some(FileFault::KindUnknown));
        assert_eq!(fault(b"a,b\0\0\0c"), Some(FileFault::KindUnknown));
        assert_eq!(fault(b"a\0,\0b\0"), Some(FileFault::EncodingUnknown));
        assert_eq!(fault(b"a,\xff\xff,b"), Some(FileFault::EncodingUnknown));
    }
}
