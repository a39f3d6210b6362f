//! Text as files have it: its encoding, what stands around a cell's content, and forms of one letter that people read as the same.

use std::borrow::Cow;

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
use granary_client_core::quantities::is_hidden;

use super::fault::FileFault;

/// An encoding that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 that says so.
    Utf8Bom,
    /// UTF-8.
    Utf8,
    /// GB18030, which holds GBK and GB2312.
    Gb18030,
    /// Little-endian UTF-16 that says so, as Excel's "Unicode text".
    Utf16Le,
    /// Big-endian UTF-16 that says so.
    Utf16Be,
}

impl Encoding {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Utf8Bom => "utf-8-bom",
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

/// Decodes a file: by its mark; else as strict UTF-8; else as strict GB18030.
pub(super) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), FileFault> {
    let strict = |encoding: &'static encoding_rs::Encoding, bytes| {
        encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or(FileFault::EncodingUnknown)
    };
    let utf8 = |bytes| std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| FileFault::EncodingUnknown);
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Ok((utf8(rest)?, Encoding::Utf8Bom));
    }
    // UTF-32 begins as UTF-16 does.
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err(FileFault::EncodingUnknown);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return Ok((strict(UTF_16LE, rest)?, Encoding::Utf16Le));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return Ok((strict(UTF_16BE, rest)?, Encoding::Utf16Be));
    }
    match utf8(bytes) {
        Ok(text) => Ok((text, Encoding::Utf8)),
        Err(_) => Ok((strict(GB18030, bytes)?, Encoding::Gb18030)),
    }
}

/// True for what is trimmed around a cell's content: blanks of any width, none included, tabs, control characters.
fn is_around(letter: char) -> bool {
    letter.is_whitespace() || is_hidden(letter)
}

/// A cell's content: without what stands around it, out of `="…"`, without one leading `'`.
pub(super) fn clean(text: &str) -> &str {
    let mut text = text.trim_matches(is_around);
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        text = inner.trim_matches(is_around);
    }
    text.strip_prefix('\'').map_or(text, |rest| rest.trim_start_matches(is_around))
}

/// Letters of full width in their usual form.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    let is_wide = |letter: char| matches!(letter, '\u{ff01}'..='\u{ff5e}' | '\u{3000}');
    if !text.contains(is_wide) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(narrow).collect())
}

fn narrow(letter: char) -> char {
    match letter {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter),
        _ => letter,
    }
}

/// By which headings and words of states are compared: without blanks of any width, full width as usual width, 帐 as 账, without case.
pub(super) fn key(text: &str) -> String {
    let letters = clean(text).chars().filter(|letter| !is_around(*letter)).map(narrow);
    letters.map(|letter| if letter == '帐' { '账' } else { letter }).flat_map(char::to_lowercase).collect()
}

/// A text for people, without what is hidden in it; line breaks stay. True when something was taken out.
pub(super) fn shown(text: &str) -> (String, bool) {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    // Of the text's own length: a text that grows as it is filled takes up to twice as much, and many are kept.
    let mut kept = String::with_capacity(lines.len());
    let letters = lines.chars().map(|letter| if letter == '\t' { ' ' } else { letter });
    kept.extend(letters.filter(|letter| *letter == '\n' || !is_hidden(*letter)));
    let is_changed = kept.chars().count() != lines.chars().count();
    (kept, is_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_by_mark_then_by_strict_reading() {
        let gbk = GB18030.encode("订单编号,标题").0;
        assert_eq!(decode(&gbk).unwrap(), ("订单编号,标题".into(), Encoding::Gb18030));
        assert_eq!(decode("订单".as_bytes()).unwrap().1, Encoding::Utf8);
        assert_eq!(decode(b"\xef\xbb\xbfab").unwrap(), ("ab".into(), Encoding::Utf8Bom));
        assert_eq!(decode(b"\xff\xfea\0,\0").unwrap(), ("a,".into(), Encoding::Utf16Le));
        assert_eq!(decode(b"\xfe\xff\0a\0,").unwrap(), ("a,".into(), Encoding::Utf16Be));
        // A mark binds: what follows must be what it says.
        for bad in
            [&b"\xef\xbb\xbf\xff\xff"[..], b"\xff\xfea", b"\xff\xfe\0\xd8a\0", b"\xff\xfe\0\0a\0\0\0", b"a,\xff\xff"]
        {
            assert_eq!(decode(bad), Err(FileFault::EncodingUnknown), "{bad:?}");
        }
        // A four-byte letter, which GBK lacks.
        assert_eq!(decode(&GB18030.encode("😀,\u{20000}").0).unwrap().0, "😀,\u{20000}");
    }

    #[test]
    fn what_stands_around_a_cell_is_no_content() {
        for (cell, content) in [
            ("\t6917", "6917"),
            (" \u{a0}\u{3000}\u{200b}\u{feff}a b\u{200d}\t", "a b"),
            ("=\"430\"", "430"),
            ("\t=\" 430\t\"", "430"),
            ("'100****0005", "100****0005"),
            ("' 1", "1"),
            ("''1", "'1"),
            ("=\"\"", ""),
            ("=\"'7\"", "7"),
            ("=HYPERLINK(\"x\")", "=HYPERLINK(\"x\")"),
            ("'", ""),
            ("=\"", "=\""),
        ] {
            assert_eq!(clean(cell), content, "{cell:?}");
        }
    }

    #[test]
    fn headings_are_compared_as_people_read_them() {
        assert_eq!(key(" 商品 数量（件）\u{200b}"), key("商品数量(件)"));
        assert_eq!(key("挂帐主体"), key("挂账主体"));
        assert_eq!(key("商品ＩＤ"), key("商品id"));
        assert_eq!(key("SKU编码\n(自定义)"), key("sku编码（自定义）"));
        assert_eq!(key("\u{feff}订单号"), "订单号");
        assert_eq!(key("已发货,待收货"), key("已发货，待收货"));
    }

    #[test]
    fn hidden_letters_are_taken_out_of_texts() {
        assert_eq!(shown("周末\r\n勿送\u{202e}gnp"), ("周末\n勿送gnp".to_owned(), true));
        assert_eq!(shown("大袋\t两个"), ("大袋 两个".to_owned(), false));
    }
}
