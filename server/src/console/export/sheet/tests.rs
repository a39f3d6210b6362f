//! Cells and sheets as CSV and workbooks have them.

use super::*;

fn sheet_of(rows: Vec<Vec<Cell>>) -> Sheet {
    Sheet { heads: vec!["名".into()], cut_mark: "……".into(), rows }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

/// The cells of a workbook's only sheet, as its XML has them.
fn xml_of(sheet: &Sheet) -> String {
    let bytes = xlsx_bytes(sheet).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"]
        .map(|name| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap())
        .concat()
}

#[test]
fn csv_escapes_formulas() {
    let cells = ["=1+1", "+1", "-1", "@x", "＝1+1", "＋1", "－1", "＠x", " =1", "\t=1", "a=1"];
    let escaped = cells.map(|cell| csv_cell(&text(cell), ""));
    assert_eq!(escaped, ["'=1+1", "'+1", "'-1", "'@x", "'＝1+1", "'＋1", "'－1", "'＠x", "' =1", "'\t=1", "a=1"]);
    let bytes = csv_bytes(&sheet_of(vec![vec![text("=1+1")], vec![Cell::Number(12.5)]])).unwrap();
    assert_eq!(bytes, "\u{feff}名\r\n'=1+1\r\n12.5\r\n".as_bytes());
}

#[test]
fn ids_and_long_numbers_stay_texts() {
    for id in ["202611260001234567", "12E5", "3-5", "007"] {
        assert_eq!(csv_cell(&Cell::Id(id.into()), ""), format!("{id}\t"));
    }
    assert_eq!(csv_cell(&Cell::Id("12@a7".into()), ""), "12@a7");
    assert_eq!(csv_cell(&text("6222020200112233445"), ""), "6222020200112233445\t");
    assert_eq!(csv_cell(&text("007"), ""), "007\t");
    assert_eq!(csv_cell(&text("12"), ""), "12");
    let xml = xml_of(&sheet_of(vec![vec![Cell::Id("202611260001234567".into())]]));
    assert!(xml.contains(r#"<c r="A2" t="s">"#) && xml.contains("<t>202611260001234567</t>"), "{xml}");
}

#[test]
fn a_text_too_long_for_a_cell_is_cut_with_a_mark() {
    let long = "米".repeat(40_000);
    let cut = fitting(&long, "……");
    assert_eq!((cut.chars().count(), cut.ends_with("米……")), (CELL_UNITS_MAX, true));
    // Each of these has two units.
    let wide = fitting(&"𠮷".repeat(20_000), "…");
    assert!(wide.encode_utf16().count() <= CELL_UNITS_MAX && wide.ends_with("𠮷…"));
    assert_eq!(fitting(&"a".repeat(CELL_UNITS_MAX), "…").len(), CELL_UNITS_MAX);
    let sheet = sheet_of(vec![vec![text(&long)], vec![text("next")]]);
    assert!(xml_of(&sheet).contains("米……</t>"));
    assert!(String::from_utf8(csv_bytes(&sheet).unwrap()).unwrap().contains("米……\r\nnext"));
}

#[test]
fn dates_are_dates() {
    let sheet = sheet_of(vec![
        vec![Cell::Day("2026-10-03".parse().unwrap())],
        vec![Cell::Moment(Instant::from_seconds(1_790_000_000))],
        vec![Cell::Day("1800-01-01".parse().unwrap())],
    ]);
    let xml = xml_of(&sheet);
    // Days since 1900, as Excel counts them, and their formats.
    assert!(xml.contains("<v>46298</v>") && xml.contains("<v>46286."), "{xml}");
    assert!(xml.contains("yyyy-mm-dd hh:mm") && xml.contains("1800-01-01"), "{xml}");
    assert_eq!(csv_cell(&sheet.rows[0][0], ""), "2026-10-03");
    assert_eq!(csv_cell(&sheet.rows[1][0], ""), "2026-09-21 22:13");
}
