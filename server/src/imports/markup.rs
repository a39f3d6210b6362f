//! Tags and text of XML and HTML, one after the other from a stream, without a tree: what is nested deep or long costs nothing.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use super::fault::FileFault;

/// The longest tag, and the longest text between two tags.
const PIECE_MAX: u64 = 1024 * 1024;

/// Longer names of entities stay as they are.
const ENTITY_MAX: usize = 8;

/// What was read.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// A tag; [`Markup::name`] and [`Markup::attribute`] say which. `is_whole` is true for `<a/>`.
    Open { is_whole: bool },
    /// A closing tag.
    Close,
    /// Text, by [`Markup::text`].
    Text,
    /// The stream ended.
    End,
}

/// Reads pieces.
pub(super) struct Markup<R> {
    input: R,
    piece: Vec<u8>,
    /// True once `<` was read.
    is_in_tag: bool,
    /// Text of `<![CDATA[…]]>`, which has no entities.
    is_plain: bool,
}

impl<R: BufRead> Markup<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, piece: Vec::new(), is_in_tag: false, is_plain: false }
    }

    /// The next piece; the one before is gone.
    pub(super) fn next(&mut self) -> Result<Piece, FileFault> {
        loop {
            self.piece.clear();
            self.is_plain = false;
            if !self.is_in_tag {
                self.is_in_tag = self.read_until(b'<')?;
                if !self.piece.is_empty() {
                    return Ok(Piece::Text);
                }
                if !self.is_in_tag {
                    return Ok(Piece::End);
                }
            }
            self.is_in_tag = false;
            if let Some(piece) = self.tag()? {
                return Ok(piece);
            }
        }
    }

    /// Reads behind `<`. None for what says nothing, such as a comment.
    fn tag(&mut self) -> Result<Option<Piece>, FileFault> {
        self.end_of_tag()?;
        if self.piece.starts_with(b"!--") {
            while !self.piece.ends_with(b"--") || self.piece.len() < 5 {
                self.more_until_gt()?;
                self.keep_ends();
            }
            return Ok(None);
        }
        if self.piece.starts_with(b"![CDATA[") {
            while !self.piece.ends_with(b"]]") {
                self.more_until_gt()?;
            }
            self.piece.drain(..8);
            self.piece.truncate(self.piece.len().saturating_sub(2));
            self.is_plain = true;
            return Ok(if self.piece.is_empty() { None } else { Some(Piece::Text) });
        }
        match self.piece.first() {
            None | Some(b'!' | b'?') => Ok(None),
            Some(b'/') => {
                self.piece.remove(0);
                Ok(Some(Piece::Close))
            }
            Some(_) => {
                let is_whole = self.piece.ends_with(b"/");
                if is_whole {
                    self.piece.pop();
                }
                Ok(Some(Piece::Open { is_whole }))
            }
        }
    }

    /// Reads to the `>` that is in no attribute's quotes.
    fn end_of_tag(&mut self) -> Result<(), FileFault> {
        let mut quotes = Quotes::default();
        let mut seen = 0;
        loop {
            self.more_until_gt()?;
            if self.piece.starts_with(b"!") {
                return Ok(());
            }
            quotes.follow(self.piece.get(seen..).unwrap_or_default());
            if quotes.open.is_none() {
                return Ok(());
            }
            seen = self.piece.len();
        }
    }

    fn more_until_gt(&mut self) -> Result<(), FileFault> {
        if !self.piece.is_empty() {
            self.piece.push(b'>');
        }
        if self.read_until(b'>')? { Ok(()) } else { Err(FileFault::Damaged) }
    }

    /// Of a comment nothing is kept but how it begins and ends.
    fn keep_ends(&mut self) {
        if let Some(cut) = self.piece.len().checked_sub(16) {
            self.piece.drain(3..cut.max(3));
        }
    }

    /// Reads to this byte, which is dropped; false at the end of the stream.
    fn read_until(&mut self, byte: u8) -> Result<bool, FileFault> {
        let length = u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
        let left = PIECE_MAX.saturating_sub(length);
        let mut limited = Read::take(&mut self.input, left);
        let read = limited.read_until(byte, &mut self.piece).map_err(|_| FileFault::Damaged)?;
        // What was there before may end with the byte, too.
        if read > 0 && self.piece.last() == Some(&byte) {
            self.piece.pop();
            return Ok(true);
        }
        if u64::try_from(self.piece.len()).unwrap_or(u64::MAX) >= PIECE_MAX {
            Err(FileFault::TooLargeInside)
        } else {
            Ok(false)
        }
    }

    /// The tag's name without its prefix.
    pub(super) fn name(&self) -> &[u8] {
        let end =
            self.piece.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(self.piece.len());
        let name = self.piece.get(..end).unwrap_or_default();
        name.iter().position(|byte| *byte == b':').and_then(|colon| name.get(colon.saturating_add(1)..)).unwrap_or(name)
    }

    /// An attribute of the tag, by its name without prefix.
    pub(super) fn attribute(&self, name: &[u8]) -> Option<&[u8]> {
        let mut rest = self.piece.as_slice();
        rest = rest.get(rest.iter().position(u8::is_ascii_whitespace)?..)?;
        loop {
            rest = rest.trim_ascii_start();
            let end = rest.iter().position(|byte| *byte == b'=' || byte.is_ascii_whitespace())?;
            let found = rest.get(..end)?;
            rest = rest.get(end..)?.trim_ascii_start();
            let Some(behind) = rest.strip_prefix(b"=") else { continue };
            rest = behind.trim_ascii_start();
            let quote = rest.first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
            let value = match quote {
                Some(quote) => {
                    let inner = rest.get(1..)?;
                    let end = inner.iter().position(|byte| *byte == quote)?;
                    rest = inner.get(end.saturating_add(1)..)?;
                    inner.get(..end)?
                }
                None => {
                    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                    let (value, behind) = rest.split_at_checked(end)?;
                    rest = behind;
                    value
                }
            };
            let own = found.rsplit(|byte| *byte == b':').next().unwrap_or(found);
            if own.eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
    }

    /// The text, with its entities resolved.
    pub(super) fn text(&self) -> Result<Cow<'_, str>, FileFault> {
        let text = std::str::from_utf8(&self.piece).map_err(|_| FileFault::Damaged)?;
        Ok(if self.is_plain { Cow::Borrowed(text) } else { resolved(text) })
    }
}

/// Whether a tag's quotes are open, followed as it is read.
#[derive(Default)]
struct Quotes {
    open: Option<u8>,
    /// The last byte that is no blank.
    before: u8,
}

impl Quotes {
    fn follow(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.open {
                // A quote begins a value only behind `=`.
                None if matches!(byte, b'"' | b'\'') && self.before == b'=' => self.open = Some(*byte),
                Some(quote) if quote == *byte => self.open = None,
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                self.before = *byte;
            }
        }
    }
}

/// Resolves entities by name and number; others stay as they are.
pub(super) fn resolved(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        // Looked for nearby alone: text of nothing but `&` would be searched to its end for each.
        let end = behind.bytes().take(ENTITY_MAX + 1).position(|byte| byte == b';');
        let found = end.and_then(|end| {
            let (name, after) = behind.split_at_checked(end)?;
            Some((entity(name)?, after.get(1..)?))
        });
        rest = match found {
            Some((letter, after)) => {
                out.push(letter);
                after
            }
            None => {
                out.push('&');
                behind
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "yen" => Some('¥'),
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Result<Vec<String>, FileFault> {
        let mut markup = Markup::new(text.as_bytes());
        let mut found = Vec::new();
        loop {
            let piece = markup.next()?;
            let name = String::from_utf8_lossy(markup.name()).into_owned();
            found.push(match piece {
                Piece::Open { is_whole } => format!("<{name}{}", if is_whole { "/" } else { "" }),
                Piece::Close => format!("</{name}"),
                Piece::Text => markup.text()?.into_owned(),
                Piece::End => return Ok(found),
            });
        }
    }

    #[test]
    fn tags_and_texts_come_one_after_the_other() {
        let text = "<?xml version=\"1.0\"?><!-- <a> > --><x:a b='1>2' c>t&amp;&#x4e2d;&#20013;&nope;</x:a><d/><![CDATA[<&>]]><!---->";
        let found = pieces(text).unwrap();
        assert_eq!(found, ["<a", "t&中中&nope;", "</a", "<d/", "<&>"]);
        assert_eq!(pieces("<a"), Err(FileFault::Damaged));
        assert_eq!(pieces("<!-- a"), Err(FileFault::Damaged));
        for cut_off in ["<!-- a>", "<!-- a > b", "<![CDATA[a>", "<a b='c>", "<a b='c> d"] {
            assert_eq!(pieces(cut_off), Err(FileFault::Damaged), "{cut_off}");
        }
        assert_eq!(pieces("a < b > c").unwrap().first().map(String::as_str), Some("a "));
        assert_eq!(pieces(&"x".repeat(2 * 1024 * 1024)), Err(FileFault::TooLargeInside));
        assert_eq!(pieces(&format!("<!--{}-->t", "x>".repeat(2 * 1024 * 1024))).unwrap(), ["t"]);
        // Half a million of entities without an end: searched to the end for each, this takes minutes.
        let open = "&#x4e2d".repeat(80_000) + &"&".repeat(400_000);
        assert_eq!(pieces(&open).unwrap(), [open]);
        assert_eq!(pieces("&#x004e2d;&#x0004e2d;&;").unwrap(), ["中&#x0004e2d;&;"]);
    }

    #[test]
    fn attributes_are_found_in_any_quotes() {
        let mut markup = Markup::new(&b"<td  x:num = '5' nowrap rowspan=2 class=\"a b\" r:id=\"rId1\">"[..]);
        markup.next().unwrap();
        let text = |name: &[u8]| markup.attribute(name).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(text(b"num").as_deref(), Some("5"));
        assert_eq!(text(b"ROWSPAN").as_deref(), Some("2"));
        assert_eq!(text(b"class").as_deref(), Some("a b"));
        assert_eq!(text(b"id").as_deref(), Some("rId1"));
        assert_eq!(text(b"colspan"), None);
        assert_eq!(text(b"nowrap"), None);
    }
}
