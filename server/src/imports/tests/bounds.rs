use super::making::{KUAISHOU, preview, texts, workbook};
use super::ole;
use crate::imports::{FileFault, workbook_texts};

/// A shared text of the largest size, which a cell names in few bytes.
fn longest() -> String {
    format!("<si><t>{}</t></si>", "粟".repeat(8_192))
}

/// A row whose cells from this column on show the shared text.
fn shared(row: u32, from: u8, count: u8) -> String {
    let cell = |column: u8| {
        let name = match column.checked_sub(26) {
            None => format!("{}", char::from(b'A' + column)),
            Some(second) => format!("{}{}", char::from(b'A' + second / 26), char::from(b'A' + second % 26)),
        };
        format!(r#"<c r="{name}{row}" t="s"><v>0</v></c>"#)
    };
    (from..from + count).map(cell).collect()
}

#[test]
fn what_later_rows_add_to_an_order_counts_as_kept() {
    let head = ["收货人姓名", "收货人电话", "收货地址", "买家留言", "订单备注", "快递公司", "快递单号"];
    let head: Vec<&str> = KUAISHOU.into_iter().chain(head).collect();
    let order = |number: u32| {
        let row = number * 2;
        let id = number.to_string();
        let cells = |code| texts(row, &[&id, "1", "9.90", "待发货", code, "2026-11-11"]);
        let second = cells("B").replace(&format!("{row}\""), &format!("{}\"", row + 1));
        cells("A") + &second.replace("</row>", &format!("{}</row>", shared(row + 1, 7, 7)))
    };
    let file = |orders: u32| {
        let rows: String = (1..=orders).map(order).collect();
        workbook(&format!("<sheetData>{}{rows}</sheetData>", texts(1, &head)), &longest())
    };
    let found = preview(&file(100)).unwrap();
    assert_eq!((found.orders.len(), found.lines().count()), (100, 200));
    assert_eq!(found.orders[99].address.chars().count(), 8_192);
    assert_eq!(preview(&file(300)), Err(FileFault::TooLargeInside));
}

#[test]
fn a_shared_text_counts_as_often_as_it_is_shown() {
    let head = texts(1, &KUAISHOU);
    let row = |row: u32| format!("<row r=\"{row}\">{}</row>", shared(row, 7, 100));
    let sheet = |rows: u32| format!("<sheetData>{head}{}</sheetData>", (2..=rows + 1).map(row).collect::<String>());
    assert_eq!(preview(&workbook(&sheet(80), &longest())).unwrap().refused.len(), 80);
    assert_eq!(preview(&workbook(&sheet(90), &longest())), Err(FileFault::TooLargeInside));
    // Once more where it is shown by merged cells.
    let rows: String = (3..=90).map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\"><v>1</v></c></row>")).collect();
    let names = (7..107u8).map(|column| shared(2, column, 1).split('"').nth(1).unwrap().to_owned());
    let merged: String = names.map(|name| format!("<mergeCell ref=\"{name}:{name}0\"/>")).collect();
    let sheet = format!("<sheetData>{head}{}{rows}</sheetData>{merged}", row(2));
    assert_eq!(preview(&workbook(&sheet, &longest())).map(|found| found.records), Ok(89));
    let sheet = sheet.replace("0\"/>", "00\"/>");
    assert_eq!(preview(&workbook(&sheet, &longest())), Err(FileFault::TooLargeInside));
}

#[test]
fn texts_that_are_kept_are_bounded() {
    let sheet = |rows: u32| {
        let row = |row: u32| format!("<row r=\"{row}\">{}</row>", shared(row, 0, 100));
        workbook(&format!("<sheetData>{}</sheetData>", (1..=rows).map(row).collect::<String>()), &longest())
    };
    assert_eq!(workbook_texts(&sheet(10)).unwrap().unwrap().len(), 10);
    assert_eq!(workbook_texts(&sheet(20)), Err(FileFault::TooLargeInside));
}

#[test]
fn a_chain_that_comes_back_to_the_sector_behind_the_end_is_damaged() {
    let put = |bytes: &mut Vec<u8>, at: usize, number: u32| bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    let mut large = ole::workbook();
    let behind = u32::try_from(large.len() / 512 - 1).unwrap();
    // The stream's first sector, in the directory's second entry; and what the table has behind that sector.
    let (first, table) = (512 + 512 + 128 + 116, 512 + 4 * usize::try_from(behind).unwrap());
    put(&mut large, first, behind);
    put(&mut large, table, behind);
    assert_eq!(preview(&large), Err(FileFault::Damaged));
    // The same among small sectors: those of the first sector, with the second one as their table.
    let mut small = ole::workbook();
    let begin = 512 * 4;
    put(&mut small, 512 + 512 + 116, 3);
    put(&mut small, 512 + 512 + 120, 512);
    put(&mut small, 512 + 4 * 3, 0xffff_fffe);
    put(&mut small, 60, 4);
    put(&mut small, 512 + 4 * 4, 0xffff_fffe);
    put(&mut small, begin + 512 + 4 * 8, 8);
    put(&mut small, first, 8);
    put(&mut small, first + 4, 100);
    assert_eq!(preview(&small), Err(FileFault::Damaged));
}
