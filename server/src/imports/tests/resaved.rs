//! Files that people opened in a spreadsheet, cut, joined and saved again before they sent them.

use super::making::{KUAISHOU, preview, refused, skipped, texts, zipped};
use crate::imports::Preview;

const DOUYIN: &str = "主订单编号,子订单编号,选购商品,商品数量,商家编码,订单应付金额,订单提交时间,订单状态,售后状态\n";

fn douyin(rows: &str) -> Preview {
    preview(format!("{DOUYIN}{rows}").as_bytes()).unwrap()
}

/// A row with these cells for the order's id, packs, money and time.
fn row(id: &str, line: u32, packs: &str, money: &str, time: &str) -> String {
    format!("{id},{line},a,{packs},XM-05,{money},{time},待发货,\n")
}

const DAY: &str = "2026-11-11 20:00";

#[test]
fn ids_that_lost_digits_are_refused_and_whole_ones_are_kept_to_the_last_digit() {
    let lost = ["6.91235E+18", "6.9E+18", "6.91235e18", "6.91235E18"];
    for id in lost {
        assert_eq!(refused(&douyin(&row(id, 1, "1", "1.00", DAY))), [(2, "id-lost-digits")], "{id}");
    }
    for id in ["6912345678901234567", "=\"6912345678901234567\"", "'6912345678901234567", "\t6912345678901234567\t"] {
        assert_eq!(douyin(&row(id, 1, "1", "1.00", DAY)).orders[0].order_id, "6912345678901234567", "{id:?}");
    }
    // In a workbook, the number itself says that it is none.
    let sheet = |id: &str| {
        let rest = texts(2, &["", "1", "9.90", "待发货", "XM-05", DAY]).replace("<row r=\"2\">", "");
        let head = texts(1, &KUAISHOU);
        super::making::workbook(
            &format!("<sheetData>{head}<row r=\"2\"><c r=\"A2\"><v>{id}</v></c>{rest}</sheetData>"),
            "",
        )
    };
    assert_eq!(refused(&preview(&sheet("6912345678901234567")).unwrap()), [(2, "id-lost-digits")]);
    assert_eq!(refused(&preview(&sheet("6.91235E+18")).unwrap()), [(2, "id-lost-digits")]);
    assert_eq!(preview(&sheet("999999999999999")).unwrap().orders[0].order_id, "999999999999999");
}

#[test]
fn money_is_read_in_the_forms_that_people_write_and_in_no_other() {
    for (text, fen) in [
        ("\"1,280.00\"", 128_000),
        ("\"12,345,678.90\"", 1_234_567_890),
        ("￥１２.５０", 1_250),
        ("¥ 12.5", 1_250),
        ("12元", 1_200),
        ("12.5000", 1_250),
        ("0", 0),
        ("0.00", 0),
    ] {
        let found = douyin(&row("1", 1, "1", text, DAY));
        assert_eq!((refused(&found), found.sums().total_fen), (vec![], fen), "{text}");
    }
    for text in [
        "-1.00",
        "－1.00",
        "(1.00)",
        "1.005",
        "\"49,90\"",
        "\"1,23.00\"",
        "一元",
        "1.2.3",
        "1e3",
        "NaN",
        "inf",
        "0x10",
        "",
    ] {
        let found = douyin(&row("1", 1, "1", text, DAY));
        assert_eq!(refused(&found), [(2, "money-bad")], "{text}");
    }
}

#[test]
fn packs_and_times_are_read_in_the_forms_that_people_write_and_in_no_other() {
    for (text, packs) in [("2", 2), ("2.0", 2), ("２", 2), ("999999", 999_999)] {
        assert_eq!(douyin(&row("1", 1, text, "1.00", DAY)).sums().packs, packs, "{text}");
    }
    for text in ["0", "-1", "1.5", "1000000", "两", "TRUE", "1e3", ""] {
        assert_eq!(refused(&douyin(&row("1", 1, text, "1.00", DAY))), [(2, "quantity-bad")], "{text}");
    }
    for time in [
        "2026/11/11 20:00:00",
        "2026.11.11 20:00",
        "2026年11月11日 20:00",
        "2026-11-11T20:00:00",
        "２０２６-11-11 20:00",
    ] {
        let found = douyin(&row("1", 1, "1", "1.00", time));
        let placed = found.orders.first().and_then(|order| order.placed_at).map(|at| at.in_china());
        assert_eq!(placed.as_deref(), Some(DAY), "{time}");
    }
    for time in ["11/11/2026", "2026-13-01", "2026-02-30 10:00", "昨天", "20:00"] {
        assert_eq!(refused(&douyin(&row("1", 1, "1", "1.00", time))), [(2, "time-bad")], "{time}");
    }
}

#[test]
fn lines_of_one_order_are_one_order_however_far_apart_they_stand() {
    let between: String = (10..900).map(|number| row(&number.to_string(), number, "1", "1.00", DAY)).collect();
    let found = douyin(&format!(
        "{}{between}{}{}",
        row("7", 1, "1", "1.00", DAY),
        row("7", 2, "3", "0.00", DAY),
        row("7", 1, "1", "1.00", DAY)
    ));
    let seven = &found.orders[0];
    let lines: Vec<_> = seven.lines.iter().map(|line| (line.line_id.as_str(), line.packs, line.is_gift)).collect();
    assert_eq!((seven.order_id.as_str(), lines), ("7", vec![("1", 1, false), ("2", 3, true)]));
    assert_eq!((found.orders.len(), skipped(&found)), (891, vec![(894, "repeated-row")]));
}

#[test]
fn gift_of_the_same_goods_is_a_line_of_its_own_where_lines_have_no_numbers() {
    let sheet = format!(
        "<sheetData>{}{}{}{}</sheetData>",
        texts(1, &KUAISHOU),
        texts(2, &["80", "1", "9.90", "待发货", "XM-05", DAY, "小米"]),
        texts(3, &["80", "1", "0.00", "待发货", "XM-05", DAY, "小米"]),
        texts(4, &["80", "1", "0.00", "待发货", "XM-05", DAY, "小米"]),
    );
    let found = preview(&super::making::workbook(&sheet, "")).unwrap();
    let gifts: Vec<bool> = found.orders[0].lines.iter().map(|line| line.is_gift).collect();
    assert_eq!((gifts, skipped(&found)), (vec![false, true], vec![(4, "repeated-row")]));
}

#[test]
fn only_the_first_sheet_that_people_see_is_read_whatever_stands_in_others() {
    let sheet = |id: &str| {
        let row = texts(2, &[id, "1", "9.90", "待发货", "XM-05", DAY]);
        format!("<worksheet><sheetData>{}{row}</sheetData></worksheet>", texts(1, &KUAISHOU))
    };
    let book = br#"<workbook><sheets><sheet name="c" state="hidden" r:id="r3"/><sheet name="a" state="visible" r:id="r1"/><sheet name="b" r:id="r2"/>
        </sheets></workbook>"#;
    let relations = br#"<R><Relationship Id="r2" Target="worksheets/sheet1.xml"/><Relationship Id="r1" Target="worksheets/sheet2.xml"/>
        <Relationship Id="r3" Target="worksheets/sheet3.xml"/></R>"#;
    let found = preview(&zipped(&[
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet("second").as_bytes()),
        ("xl/worksheets/sheet2.xml", sheet("first").as_bytes()),
        ("xl/worksheets/sheet3.xml", sheet("hidden").as_bytes()),
    ]));
    let ids: Vec<String> = found.unwrap().orders.into_iter().map(|order| order.order_id).collect();
    assert_eq!(ids, ["first"], "the first by the workbook's own order, not by the parts' names");
}

#[test]
fn encodings_without_a_mark_and_from_other_systems_are_told_apart() {
    let text = format!("{DOUYIN}{}", row("1", 1, "1", "1.00", DAY).replace(",a,", ",小米𠮷😀,"));
    let code = |bytes: &[u8]| {
        preview(bytes).map(|found| (found.encoding.unwrap().code(), found.orders[0].lines[0].title.clone()))
    };
    let title = "小米𠮷😀".to_owned();
    assert_eq!(code(&encoding_rs::GB18030.encode(&text).0), Ok(("gb18030", title.clone())));
    assert_eq!(code(text.as_bytes()), Ok(("utf-8", title.clone())));
    let units = || [0xfeffu16].into_iter().chain(text.encode_utf16());
    assert_eq!(code(&units().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()), Ok(("utf-16be", title.clone())));
    assert_eq!(code(&units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()), Ok(("utf-16le", title)));
    let unmarked: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(code(&unmarked).unwrap_err().code(), "encoding-unknown");
    // One byte that no encoding has.
    let mut broken = text.into_bytes();
    broken.extend([b'1', 0xff, b'\n']);
    assert_eq!(code(&broken).unwrap_err().code(), "encoding-unknown");
}
