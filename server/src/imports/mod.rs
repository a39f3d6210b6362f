//! Order files of shops' platforms. A platform is a profile (data, in `profile`); this room reads any file by it: what kind a file
//! is by its content (`kind`), its text (`text`, `separated`), its cells (`workbook`, `legacy`, `html`, over `inflate` and
//! `markup`), what the cells say (`cells`), what a row says (`rows`), what the file says (`gather`, `preview`). Nothing here knows
//! a store or a clock; everything is bounded, and what can't be read is refused with its row and why.

mod cells;
mod container;
mod fault;
mod feed;
mod gather;
mod headings;
mod html;
mod inflate;
mod kind;
mod legacy;
mod markup;
mod preview;
mod profile;
mod rows;
mod separated;
mod sheet;
mod shown;
mod skus;
#[cfg(test)]
mod tests;
mod text;
mod texts;
mod together;
mod told;
mod workbook;

pub use fault::{FileFault, Skipped, TooLarge, Why};
pub use gather::{FoundLine, FoundOrder};
pub use kind::Kind;
pub use preview::{Ask, Preview, Sums};
pub use profile::{AfterSaleWord, Profile, ProfileFault, Profiles, State};
pub use skus::{SkuNames, SkusFault};
pub use text::Encoding;
pub use texts::workbook_texts;
pub use together::{Together, pairs};

use gather::Reading;

/// A file of more bytes is refused.
pub const BYTES_MAX: usize = 20 * 1024 * 1024;
/// More rows under the headings are refused.
pub const RECORDS_MAX: u32 = 50_000;
/// A cell with text behind this column is refused.
pub const COLUMNS_MAX: usize = 200;
/// A cell with more characters is refused.
pub const CELL_LETTERS_MAX: usize = 8_192;

/// Reads a file of orders.
pub fn read(bytes: &[u8], ask: &Ask<'_>) -> Result<Preview, FileFault> {
    if bytes.len() > BYTES_MAX {
        return Err(FileFault::TooLarge(TooLarge::Bytes));
    }
    match kind::kind_of(bytes)? {
        kind::Found::Workbook => {
            let mut reading = Reading::new(ask);
            workbook::read(bytes, &mut reading)?;
            reading.finish(Kind::Xlsx, None)
        }
        kind::Found::Legacy => {
            let mut reading = Reading::new(ask);
            legacy::read(bytes, &mut reading)?;
            reading.finish(Kind::Xls, None)
        }
        kind::Found::Html(text, encoding) => {
            let mut reading = Reading::new(ask);
            html::read(&text, &mut reading)?;
            reading.finish(Kind::Html, Some(encoding))
        }
        kind::Found::Separated(text, encoding) => separated(&text, encoding, ask),
    }
}

/// Commas first: a cell of theirs may begin with a tab. Tabs where no headings stand between commas.
fn separated(text: &str, encoding: Encoding, ask: &Ask<'_>) -> Result<Preview, FileFault> {
    let mut found = Err(FileFault::NoProfile);
    for separator in [b',', b'\t'] {
        let mut reading = Reading::new(ask);
        found = separated::read(text, separator, &mut reading).and_then(|()| reading.finish(Kind::Csv, Some(encoding)));
        if !matches!(found, Err(FileFault::NoProfile)) {
            break;
        }
    }
    found
}
