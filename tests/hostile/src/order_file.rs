//! The reader of order files, and what is made of a file that it read: the sums, the rows for programs, the text for a person.

use std::collections::HashSet;
use std::sync::LazyLock;

use granary_client_core::quantities::Instant;
use granary_client_core::words::Language;
use granary_server::imports::{Ask, FileFault, Preview, Profiles, SkuNames, pairs, read, workbook_texts};

use crate::made::{DETAILS, DOUYIN, LIST, SHARED_SEED, container, row, workbook};

const LINES_MAX: usize = 100;
const SKUS: &[u8] =
    r#"{"skus": [{"sku": "XM-05", "names": ["小米"], "codes": ["430"]}, {"sku": "LJ-200"}]}"#.as_bytes();

/// Our own profiles, and codes of goods; the two files of a pair.
struct Shop {
    profiles: Profiles,
    skus: SkuNames,
}

static SHOP: LazyLock<Shop> =
    LazyLock::new(|| Shop { profiles: Profiles::own(), skus: SkuNames::from_json(SKUS).unwrap() });
static PAIR: LazyLock<[Preview; 2]> =
    LazyLock::new(|| [LIST, DETAILS].map(|file| preview(file.as_bytes(), None).unwrap()));

fn preview(bytes: &[u8], profile: Option<&str>) -> Result<Preview, FileFault> {
    let ask = Ask {
        file_name: "订单 2026-11-12 09_30.csv".to_owned(),
        profiles: SHOP.profiles.all(),
        profile,
        skus: &SHOP.skus,
        uploaded_at: Instant(1_800_000_000_000),
    };
    read(bytes, &ask)
}

/// What the reader says of a file, in a word or two; its texts are read once more, as for other imports.
pub fn answer(bytes: &[u8]) -> String {
    let answer = match preview(bytes, None) {
        Ok(found) => format!("{} orders", found.orders.len()),
        Err(fault) => fault.code().to_owned(),
    };
    let _ = workbook_texts(bytes);
    answer
}

/// A file as an operator drops it. What is told of it adds up, and does not depend on how the profile was found.
pub fn order_file(bytes: &[u8]) {
    let found = preview(bytes, None);
    let _ = workbook_texts(bytes);
    match found {
        Ok(found) => {
            let again = preview(bytes, Some(&found.profile));
            assert_eq!(again.as_ref(), Ok(&found), "a file says the same once more");
            adds_up(&found);
            join(&found);
        }
        Err(fault) => {
            let _ = (fault.code(), fault.to_string());
        }
    }
}

/// Each row is told once: as refused, as passed over, or in an order.
fn adds_up(found: &Preview) {
    let orders: HashSet<&str> = found.orders.iter().map(|order| order.order_id.as_str()).collect();
    assert_eq!(orders.len(), found.orders.len(), "an order stands once");
    let of_lines = found.lines().map(|line| line.record);
    let rows: HashSet<u32> = found.orders.iter().map(|order| order.record).chain(of_lines).collect();
    let aside = found.refused.iter().map(|(row, _)| *row).chain(found.skipped.iter().map(|(row, _)| *row));
    let aside: Vec<u32> = aside.collect();
    assert!(aside.iter().all(|row| !rows.contains(row)), "a row is taken or not");
    let all: HashSet<u32> = aside.iter().copied().chain(rows.iter().copied()).collect();
    assert_eq!(all.len(), rows.len() + aside.len(), "a row is put aside once");
    assert_eq!(u32::try_from(all.len()), Ok(found.records), "no row is lost");
    assert!(all.iter().all(|row| *row > found.header_record), "rows stand under the headings");
    assert!(found.orders.iter().all(|order| order.lines.len() <= LINES_MAX));
    let sums = found.sums();
    assert_eq!(sums.lines, found.lines().count());
    assert_eq!(sums.by_state.values().sum::<usize>(), sums.lines);
    assert!(sums.to_pack <= sums.lines && found.unmapped().len() <= sums.lines);
    let told = found.json();
    assert_eq!(told["lines"], sums.lines);
    for language in [Language::English, Language::Chinese] {
        assert!(found.shown(language).contains(&found.profile));
    }
}

/// A list of orders or one of lines is joined with the other half of a pair.
fn join(found: &Preview) {
    for other in &*PAIR {
        for pair in pairs(&[found, other]) {
            let orders = pair.preview.orders.len() + pair.without_lines.len();
            assert!(orders == found.orders.len() || orders == other.orders.len(), "an order is joined or named");
            let _ = (pair.json(), pair.shown(Language::English));
        }
    }
}

/// A part of a file, in a whole file around it: its checksums and tables are right, so that what lies behind them is reached. The
/// first byte says which part it is.
pub fn order_sheet(bytes: &[u8]) {
    let Some((which, part)) = bytes.split_first() else { return };
    let headings = row(1, DOUYIN);
    match which % 5 {
        0 => order_file(&workbook(part, SHARED_SEED.as_bytes())),
        1 => {
            let texts: String = (0..DOUYIN.len()).map(|text| format!("<c t=\"s\"><v>{text}</v></c>")).collect();
            let sheet = format!("<worksheet><sheetData>{headings}<row>{texts}</row></sheetData></worksheet>");
            order_file(&workbook(sheet.as_bytes(), part));
        }
        2 => order_file(&container(&[("Workbook", part)])),
        3 => order_file(&[DOUYIN.join(",").as_bytes(), b"\n", part].concat()),
        _ => {
            let headings: String = DOUYIN.iter().map(|heading| format!("<td>{heading}")).collect();
            order_file(&[format!("<table><tr>{headings}<tr>").as_bytes(), part].concat());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn every_kept_file_is_read_to_its_orders() {
        for (number, file) in made::files().iter().enumerate() {
            let found = preview(file, None).unwrap();
            assert!(!found.orders.is_empty(), "{number}: {:?}", found.refused);
        }
    }
}
