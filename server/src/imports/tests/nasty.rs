use granary_client_core::words::Words;

use super::making::{KUAISHOU, preview, read_as, refused, skipped, texts, workbook, zipped};
use crate::imports::{AfterSaleWord, FileFault, Profiles, TooLarge};

const DOUYIN: &str = "主订单编号,子订单编号,选购商品,商品数量,商家编码,订单应付金额,订单提交时间,订单状态,售后状态\n";

fn douyin(rows: &str) -> crate::imports::Preview {
    preview(format!("{DOUYIN}{rows}").as_bytes()).unwrap()
}

#[test]
fn a_workbooks_numbers_dates_and_merged_cells_mean_what_the_sheet_shows() {
    let head = texts(3, &KUAISHOU);
    let sheet = format!(
        r#"<dimension ref="A1:XFD1048576"/><sheetData>
        {}{head}
        <row r="4"><c r="A4"><v>263000000000001</v></c><c r="B4"><v>2</v></c><c r="C4"><v>39.800000000000004</v></c>
          <c r="D4" t="s"><v>1</v></c><c r="E4" t="s"><v>0</v></c><c r="F4" s="1"><v>46337.8341087963</v></c></row>
        <row r="5"><c r="A5"><v>2630000000000001</v></c></row>
        <row r="6"><c r="A6" t="str"><f>A4</f><v>77</v></c><c r="B6" t="b"><v>1</v></c><c r="C6"><v>1</v></c><c r="D6" t="s"><v>1</v></c><c r="F6"><v>46337</v></c></row>
        {}<row r="8"/>
        <row r="9"><c r="B9"><v>1</v></c><c r="C9"><v>5</v></c><c r="E9" t="inlineStr"><is><t>LJ-200</t></is></c></row>
        <row r="10"><c r="A10" t="inlineStr"><is><t>81</t></is></c><c r="D10" t="s"><v>1</v></c><c r="F10"><v>46337</v></c></row>
        <row r="11"><c r="B11"><v>1</v></c><c r="C11"><v>5</v></c><c r="E11" t="inlineStr"><is><t>LJ-200</t></is></c></row>
        <row r="12"><c r="A12" t="inlineStr"><is><t>合计</t></is></c><c r="C12"><v>99</v></c></row>
        </sheetData><mergeCells><mergeCell ref="A7:A9"/><mergeCell ref="D7:D9"/><mergeCell ref="F7:F9"/><mergeCell ref="C7:C9"/></mergeCells>"#,
        texts(1, &["导出时间：2026-12-01 09:00:00"]),
        texts(7, &["80", "1", "9.90", "待发货", "XM-05", "2026-11-11 20:00:00"]),
    );
    let found =
        preview(&workbook(&sheet, "<si><t>XM</t><r><t>-05</t></r><rPh><t>no</t></rPh></si><si><t>待发货</t></si>"))
            .unwrap();
    assert_eq!((found.header_record, found.records), (3, 8));
    let expected = [(5, "id-lost-digits"), (6, "quantity-bad"), (10, "quantity-bad"), (11, "id-missing")];
    assert_eq!(refused(&found), expected);
    assert_eq!(skipped(&found), [(12, "sum-row")]);
    assert_eq!(found.orders.len(), 2);
    let [first, merged] = found.orders.as_slice() else { panic!() };
    assert_eq!(
        (first.order_id.as_str(), first.lines[0].fen, first.lines[0].sku.as_deref()),
        ("263000000000001", Some(3980), Some("XM-05"))
    );
    assert_eq!(first.placed_at.unwrap().in_china(), "2026-11-11 20:01");
    assert_eq!((merged.order_id.as_str(), merged.lines.len()), ("80", 2));
    assert_eq!(found.told_at.in_china(), "2026-12-01 09:00");
}

#[test]
fn an_id_is_never_taken_from_the_row_above_without_a_merged_range() {
    let sheet = format!(
        "<sheetData>{}{}{}</sheetData>",
        texts(1, &KUAISHOU),
        texts(2, &["80", "1", "9.90", "待发货", "XM-05", "2026-11-11 20:00:00"]),
        texts(3, &["", "1", "9.90", "待发货", "LJ-200", "2026-11-11 20:00:00"]),
    );
    assert_eq!(refused(&preview(&workbook(&sheet, "")).unwrap()), [(3, "id-missing")]);
}

#[test]
fn empty_rows_without_end_cost_nothing() {
    let rows: String = (2..1_000_002).map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" s=\"1\"/></row>")).collect();
    let last = texts(1_000_002, &["80", "1", "9.90", "待发货", "XM-05", "2026-11-11 20:00:00"]);
    let found = preview(&workbook(&format!("<sheetData>{}{rows}{last}</sheetData>", texts(1, &KUAISHOU)), "")).unwrap();
    assert_eq!((found.records, found.orders.len(), found.orders[0].record), (1, 1, 1_000_002));
}

#[test]
fn whole_files_are_refused_by_their_code() {
    let fault = |bytes: &[u8]| preview(bytes).unwrap_err().code();
    let sheet = |cells: &str| workbook(&format!("<sheetData>{cells}</sheetData>"), "");
    assert_eq!(fault(b""), "file-empty");
    assert_eq!(fault(&sheet("")), "file-empty");
    assert_eq!(fault(b"\xef\xbb\xbf\r\n"), "file-empty");
    assert_eq!(fault(&vec![b','; crate::imports::BYTES_MAX + 1]), "file-too-large");
    assert_eq!(fault(&zipped(&[("a.csv", b"a,b")])), "file-kind-unknown");
    assert_eq!(fault(b"PK\x03\x04"), "file-damaged");
    assert_eq!(fault(b"a,b\nc,d"), "no-profile");
    assert_eq!(fault(format!("{}{DOUYIN}", "x,y\n".repeat(20)).as_bytes()), "no-profile");
    assert!(preview(format!("{}{DOUYIN}", "x,y\n".repeat(19)).as_bytes()).is_ok());
    let whole = sheet(&texts(1, &KUAISHOU));
    assert_eq!(fault(&whole[..whole.len() - 30]), "file-damaged");
    let cut = zipped(&[
        ("xl/workbook.xml", br#"<workbook><sheets><sheet r:id="r"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<R><Relationship Id="r" Target="s.xml"/></R>"#),
        ("xl/s.xml", b"<worksheet><sheetData><row r=\"1\"><c"),
    ]);
    assert_eq!(fault(&cut), "file-damaged");
    // A part of 100 MB and one byte; three parts of 70 MB.
    let part = vec![b' '; 100 * 1024 * 1024 + 1];
    assert_eq!(fault(&zipped(&[("xl/workbook.xml", &part)])), "file-too-large-inside");
    let part = &part[..70 * 1024 * 1024];
    assert_eq!(fault(&zipped(&[("a", part), ("b", part), ("c", part)])), "file-too-large-inside");
    // A cell far to the right, one that is too long, rows without end.
    let far = preview(&sheet(r#"<row r="1"><c r="XFD1"><v>1</v></c></row>"#));
    assert_eq!(far, Err(FileFault::TooLarge(TooLarge::Columns(1))));
    assert_eq!(fault(&sheet(&texts(1, &[&"x".repeat(8_193)]))), "file-too-large");
    let rows = "1,1,a,1,XM-05,1,2026-11-11,待发货,\n".repeat(50_001);
    assert_eq!(fault(format!("{DOUYIN}{rows}").as_bytes()), "file-too-large");
}

#[test]
fn a_locked_file_is_told_from_a_damaged_one() {
    let mut zip = zipped(&[("orders.csv", b"a,b")]);
    let central = zip.windows(4).position(|found| found == b"PK\x01\x02").unwrap();
    zip[central + 8] |= 1;
    assert_eq!(preview(&zip), Err(FileFault::Locked));
    let ole = super::ole::container(&[("EncryptionInfo", b"x"), ("EncryptedPackage", &[7; 5000])]);
    assert_eq!(preview(&ole), Err(FileFault::Locked));
    assert_eq!(preview(&super::ole::container(&[("WordDocument", b"x")])), Err(FileFault::KindUnknown));
    assert_eq!(preview(&ole[..600]), Err(FileFault::Damaged));
}

#[test]
fn a_file_that_fits_two_profiles_waits_for_a_person() {
    let mut profiles = Profiles::own();
    let copy = include_str!("../../../profiles/douyin.toml").replace("profile = \"douyin\"", "profile = \"douyin-2\"");
    profiles.add("copy.toml", &copy);
    let file = format!("{DOUYIN}1,1,a,1,XM-05,1,2026-11-11,待发货,\n");
    assert_eq!(
        read_as(&profiles, file.as_bytes()),
        Err(FileFault::ProfileUnclear(vec!["douyin".into(), "douyin-2".into()]))
    );
}

#[test]
fn joined_rows_are_split_only_where_they_can_be() {
    let found = douyin(
        "1,11;12;13,小米;面条;酱,3,XM-05;MT;LJ-200,10.00,2026-11-11 20:00,待发货,\n\
         2,21;22,小米;面条,3,XM-05;LJ-200,10.00,2026-11-11 20:00,待发货,\n\
         3,31;32,小米,2,XM-05;LJ-200,10.00,2026-11-11 20:00,待发货,\n\
         4,41;42,小米;面条,2,XM-05,10.00,2026-11-11 20:00,待发货,\n",
    );
    assert_eq!(refused(&found), [(3, "merged-lines"), (4, "merged-lines"), (5, "merged-lines")]);
    let fen: Vec<_> = found.lines().map(|line| (line.line_id.as_str(), line.packs, line.fen)).collect();
    assert_eq!(fen, [("11", 1, Some(334)), ("12", 1, Some(333)), ("13", 1, Some(333))]);
}

#[test]
fn rows_are_judged_one_by_one() {
    let found = douyin(
        "合计,,,9,,99.00,,,\n\
         ,,,,,,,,\n\
         5,51,a,1,XM-05,1.00,2026-11-11 20:00,待发货,退款成功\n\
         5,52,黄小米5斤,1,-,1.00,2026-11-11 20:00,待 发货,-\n\
         6,61,a,1,XM-05,1.00,2026-11-11 20:00,待发货,天知道\n\
         7,71,a,1,XM-05,1.00,2026-11-11 20:00,待发货\n\
         8,81,a,1,XM-05,1.00,2026-11-11 20:00,待发货,,-,\n\
         9,91,a,1,XM-05,1.00,2026-11-11 20:00,待发货,,多\n\
         5,52,黄小米5斤,1,-,1.00,2026-11-11 20:00,待 发货,-\n\
         5,52,黄小米5斤,2,-,1.00,2026-11-11 20:00,待发货,-\n\
         10,a b,a,1,XM-05,1.00,2026-11-11 20:00,待发货,\n",
    );
    let expected = [(6, "status-unknown"), (7, "row-ragged"), (9, "row-ragged"), (11, "line-conflict"), (12, "id-bad")];
    assert_eq!(refused(&found), expected);
    // Which word it was, somebody had to look up in the file.
    let why = &found.refused[0].1;
    assert_eq!(why.to_string(), "the state \"天知道\" is not known: an operator adds it to the profile");
    assert_eq!(why.chinese(), "状态“天知道”不认识：请管理员加到平台的配置里");
    assert_eq!(skipped(&found), [(2, "sum-row"), (10, "repeated-row")]);
    assert_eq!((found.records, found.orders.len(), found.sums().to_pack), (10, 2, 2));
    assert_eq!(found.orders[0].lines[0].after_sale, AfterSaleWord::Refunded);
    assert_eq!(found.orders[0].lines[1].sku.as_deref(), Some("XM-05"));
}

#[test]
fn tabs_other_encodings_and_doubled_headings_are_read() {
    let text = format!("{DOUYIN}1,11,a,２,XM-05,¥１.50,2026年11月11日,待发货,\n").replace(',', "\t");
    let utf16: Vec<u8> = [0xfeffu16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let found = preview(&utf16).unwrap();
    assert_eq!((found.encoding.unwrap().code(), found.sums().packs, found.sums().total_fen), ("utf-16le", 2, 150));
    let gbk = encoding_rs::GB18030.encode(&text).0.into_owned();
    assert_eq!(preview(&gbk).unwrap().encoding.unwrap().code(), "gb18030");
    // The first of two equal headings counts; blanks and case say nothing.
    let doubled = "主 订单编号,子订单编号\u{200b},商品数量,订单状态,商品数量,订单应付金额,订单提交时间\n1,11,1,待发货,9,1,2026-11-11\n";
    assert_eq!(preview(doubled.as_bytes()).unwrap().sums().packs, 1);
}

#[test]
fn a_table_in_html_is_read_as_a_sheet() {
    let html = format!(
        "<html><head><style>td {{ x: 'y>' }}</style></head><body><TABLE><tr>{}</tr>\
         <tr><td rowspan=2 style='mso-number-format:\"\\@\"'>80</td><td>1<td>9.90<td rowspan=2>待发货<td>XM-05<td rowspan=\"2\">2026-11-11 20:00<td>小米&nbsp;&amp;<br>面</tr>\
         <tr><td>2</td><td>1,280.00</td><td>LJ-200</td><td></td></tr>\
         <tr><td>81</td><td>1</td></tr></TABLE></body></html>",
        KUAISHOU.iter().map(|heading| format!("<th>{heading}</th>")).collect::<String>()
    );
    let found = preview(html.as_bytes()).unwrap();
    assert_eq!((found.kind.code(), found.records), ("html", 3));
    assert_eq!(refused(&found), [(4, "row-ragged")]);
    assert_eq!((found.orders.len(), found.orders[0].lines.len(), found.sums().total_fen), (1, 2, 128_990));
    assert_eq!(found.orders[0].lines[0].title, "小米\u{a0}&\n面");
}

#[test]
fn a_workbook_of_the_older_kind_is_read() {
    let found = preview(&super::ole::workbook()).unwrap();
    assert_eq!((found.kind.code(), found.records, found.orders.len()), ("xls", 3, 1));
    assert_eq!(refused(&found), [(4, "id-lost-digits")]);
    let order = &found.orders[0];
    assert_eq!(
        (order.order_id.as_str(), order.lines.len(), order.placed_at.unwrap().in_china().as_str()),
        ("80", 2, "2026-11-11 12:00")
    );
    assert_eq!(found.sums().total_fen, 990 + 1_234);
}

#[test]
fn marks_that_nobody_sees_are_taken_out_of_names_and_said() {
    let head = DOUYIN.trim_end();
    let file = format!(
        "{head},收件人\n5,51,小米\u{202e}谷\u{2066}子,1,XM-05,1.00,2026-11-11 20:00,待发货,,李\u{202e}某\n6,61,小米,1,XM-05,1.00,2026-11-11 20:00,待发货,,李某\n"
    );
    let found = preview(file.as_bytes()).unwrap();
    assert_eq!(refused(&found), []);
    assert_eq!((found.orders.len(), found.changed_rows), (2, 1));
    assert_eq!((found.orders[0].lines[0].title.as_str(), found.orders[0].receiver_name.as_str()), ("小米谷子", "李某"));
}
