//! Order files of our own, small and of every kind, and the containers that they are in.

use std::io::{Cursor, Write};

use encoding_rs::GB18030;
use zip::CompressionMethod::{Deflated, Stored};
use zip::write::{SimpleFileOptions, ZipWriter};

/// Headings of an export by lines.
pub(crate) const DOUYIN: [&str; 12] = [
    "主订单编号",
    "子订单编号",
    "选购商品",
    "商品数量",
    "商家编码",
    "订单应付金额",
    "订单提交时间",
    "订单状态",
    "售后状态",
    "收件人",
    "详细地址",
    "买家留言",
];
/// A list of orders, whose lines are in [`DETAILS`].
pub(crate) const LIST: &str = "订单编号,买家实际支付金额,订单状态,收货人姓名,收货地址,联系手机,订单创建时间\n\
    \"=\"\"43001\"\"\",49.90,\"买家已付款，等待卖家发货\",李*,示例街 1 号,'100****0001,2026-11-11 20:00:01\n\
    \"=\"\"43002\"\"\",12.00,交易关闭,王*,示例街 2 号,'100****0002,2026-11-11 20:00:02\n";
/// The lines of the orders of [`LIST`].
pub(crate) const DETAILS: &str = "订单编号,标题,价格,购买数量,外部系统编号,商品属性,备注,订单状态\n\
    \"=\"\"43001\"\"\",\"小米\t5斤装\",24.95,2,XM-05,规格:默认,null,\"买家已付款，等待卖家发货\"\n\
    \"=\"\"43002\"\"\",粮食礼盒,12.00,1,LJ-200,规格:默认,null,交易关闭\n";
const LINES: &str = "6917,1,小米,2,XM-05,\"1,280.00\",2026-11-11 20:01:07,待发货,,李某,示例街 1 号,\"周末\n送\"\n\
    6917,2,粮食礼盒,1,LJ-200,¥19.90,2026年11月11日20时01分07秒,已发货,退款成功,李某,示例街 1 号,\n\
    6918,3;4,小米;粮食礼盒,2,XM-05;LJ-200,30,2026/11/11,待发货,-,##王某,$$街,\n\
    6918,3;4,小米;粮食礼盒,2,XM-05;LJ-200,30,2026/11/11,待发货,-,##王某,$$街,\n\
    合计,,,7,,1349.9,,,,,,\n6.9E+18,5,a,0,,x,昨天,天知道,,,,\n";
const YOUZAN: &str = "导出时间：2026-11-12 09:30:00\n\
    订单号\t订单状态\t全部商品名称\t订单实付金额\t订单创建时间\t收货人省份\t详细收货地址/提货地址\n\
    E2026\t待发货\t小米(1件);粮食礼盒（2件）;\t89.70\t2026-11-07 12:00:00\t山西省\t示例街 1 号\n";
const PINDUODUO: &str = "商品,订单号,订单状态,商品数量(件),用户实付金额(元),商家编码-规格维度,赠品名称,赠品数量\n\
    小米,261111-1,\"已发货，待收货\",1,42.90\t,XM-05,勺子,1\n小米,261111-2,待支付,1,42.90\t,XM-05,,\n";

/// A part of a zip: its name and bytes.
pub(crate) type Part<'a> = (&'a str, &'a [u8]);

/// A zip of these parts.
pub(crate) fn zipped(parts: &[Part<'_>], is_deflated: bool) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let options = if is_deflated {
        options.compression_method(Deflated).compression_level(Some(1))
    } else {
        options.compression_method(Stored)
    };
    for (name, bytes) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The parts of a workbook beside its sheet and its shared texts.
pub(crate) const AROUND: [Part<'static>; 2] = [
    (
        "xl/workbook.xml",
        br#"<workbook><workbookPr/><sheets><sheet name="a" sheetId="7" r:id="r3"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        br#"<Relationships><Relationship Id="r3" Type="x/worksheet" Target="worksheets/sheet7.xml"/>
        <Relationship Target="/xl/sharedStrings.xml" Id="r4" Type="x/sharedStrings"/></Relationships>"#,
    ),
];

/// The parts of a workbook.
pub(crate) fn parts_of<'a>(sheet: &'a [u8], shared: &'a [u8]) -> Vec<Part<'a>> {
    AROUND.into_iter().chain([("xl/worksheets/sheet7.xml", sheet), ("xl/sharedStrings.xml", shared)]).collect()
}

/// A workbook whose parts are not deflated.
pub(crate) fn workbook(sheet: &[u8], shared: &[u8]) -> Vec<u8> {
    zipped(&parts_of(sheet, shared), false)
}

/// A row of a sheet, with texts in its cells.
pub(crate) fn row(number: u32, cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cell =
        |text: String| if text.is_empty() { "<c/>".to_owned() } else { format!("<c t=\"str\"><v>{text}</v></c>") };
    let cells: String = cells.into_iter().map(|text| cell(text.as_ref().to_owned())).collect();
    format!("<row r=\"{number}\">{cells}</row>")
}

/// An entry of a container's directory.
pub(crate) fn entry(name: &str, kind: u8, first: u32, size: u32) -> Vec<u8> {
    let mut entry = vec![0u8; 128];
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    entry[..units.len()].copy_from_slice(&units);
    entry[64] = u8::try_from(units.len() + 2).unwrap();
    entry[66] = kind;
    entry[116..120].copy_from_slice(&first.to_le_bytes());
    entry[120..124].copy_from_slice(&size.to_le_bytes());
    entry
}

/// An OLE2 container with these streams, in sectors of 4,096 bytes.
pub(crate) fn container(streams: &[Part<'_>]) -> Vec<u8> {
    const SECTOR: usize = 4096;
    let (end, free, table) = (0xffff_fffeu32, 0xffff_ffffu32, 0xffff_fffdu32);
    // A stream of less than a sector would be a small one.
    let count = |bytes: &[u8]| bytes.len().div_ceil(SECTOR).max(1);
    let in_streams: usize = streams.iter().map(|(_, bytes)| count(bytes)).sum();
    let tables = (in_streams + 1).div_ceil(SECTOR / 4 - 1);
    let number = |place: usize| u32::try_from(place).unwrap();
    // The table first, then the directory.
    let mut fat = vec![table; tables];
    fat.push(end);
    let mut directory = entry("Root Entry", 5, end, 0);
    let mut sectors = Vec::with_capacity(in_streams * SECTOR);
    for (name, bytes) in streams {
        let (first, count) = (number(fat.len()), count(bytes));
        fat.extend((first + 1..first + number(count)).chain([end]));
        directory.extend(entry(name, 2, first, number(bytes.len().max(SECTOR))));
        sectors.extend_from_slice(bytes);
        sectors.resize(sectors.len().div_ceil(SECTOR).max(1) * SECTOR, 0);
    }
    directory.resize(SECTOR, 0);
    fat.resize(tables * SECTOR / 4, free);
    let mut header = vec![0u8; SECTOR];
    header[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    header[30] = 12;
    header[32] = 6;
    header[44..48].copy_from_slice(&number(tables).to_le_bytes());
    header[48..52].copy_from_slice(&number(tables).to_le_bytes());
    header[56..60].copy_from_slice(&4096u32.to_le_bytes());
    header[60..64].copy_from_slice(&end.to_le_bytes());
    header[68..72].copy_from_slice(&end.to_le_bytes());
    header[76..512].fill(0xff);
    for (place, at) in (0..tables).zip((76..512).step_by(4)) {
        header[at..at + 4].copy_from_slice(&number(place).to_le_bytes());
    }
    let fat: Vec<u8> = fat.iter().flat_map(|sector| sector.to_le_bytes()).collect();
    [header, fat, directory, sectors].concat()
}

/// A record of an older workbook.
pub(crate) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &u16::try_from(data.len()).unwrap().to_le_bytes(), data].concat()
}

/// An older workbook's beginning, with these records before those of its sheet, and where the sheet's begin.
pub(crate) fn legacy(before: &[u8], sheet: &[u8]) -> Vec<u8> {
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0]);
    let (globals, end) = (begin(5), record(0x000a, &[]));
    let at = u32::try_from(globals.len() + 13 + before.len() + end.len()).unwrap().to_le_bytes();
    let name = record(0x0085, &[&at[..], &[0, 0, 1, 0, b'a']].concat());
    [&globals[..], &name, before, &end, &begin(0x10), sheet, &end].concat()
}

fn legacy_seed() -> Vec<u8> {
    let wide = |text: &str| {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [&u16::try_from(units.len() / 2).unwrap().to_le_bytes()[..], &[1], &units].concat()
    };
    let texts: Vec<&str> = DOUYIN.into_iter().chain(["80", "小米", "待发货"]).collect();
    let count = u32::try_from(texts.len()).unwrap().to_le_bytes();
    let shared: Vec<u8> =
        [&count[..], &count].concat().into_iter().chain(texts.iter().flat_map(|text| wide(text))).collect();
    // A text is cut in two, and says anew how its letters are kept.
    let (first, rest) = shared.split_at(shared.len() - 4);
    let before = [record(0x00fc, first), record(0x003c, &[&[1], rest].concat())].concat();
    let cell = |row: u16, column: u16, kind: u16, data: &[u8]| {
        record(kind, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &[0, 0], data].concat())
    };
    let text = |row, column, which: u32| cell(row, column, 0x00fd, &which.to_le_bytes());
    let mut sheet: Vec<u8> = (0..12).flat_map(|column| text(0, column, u32::from(column))).collect();
    sheet.extend([text(1, 0, 12), cell(1, 1, 0x0203, &7f64.to_le_bytes()), text(1, 2, 13)].concat());
    let numbers = [(1u32 << 2) | 2, (990 << 2) | 3].map(|bits| [&[0, 0][..], &bits.to_le_bytes()].concat()).concat();
    sheet.extend(record(0x00bd, &[&[1, 0, 3, 0][..], &numbers, &[4, 0]].concat()));
    sheet.extend(cell(1, 4, 0x0006, &[0, 0, 0, 0, 0, 0, 0xff, 0xff]));
    sheet.extend(record(0x0207, &wide("XM-05")));
    sheet.extend(
        [cell(1, 5, 0x027e, &((990u32 << 2) | 3).to_le_bytes()), cell(1, 6, 0x0203, &46_337.5f64.to_le_bytes())]
            .concat(),
    );
    sheet.extend([text(1, 7, 14), cell(1, 11, 0x0205, &[1, 0]), cell(2, 1, 0x0203, &8f64.to_le_bytes())].concat());
    sheet.extend(record(0x00e5, &[1, 0, 1, 0, 2, 0, 0, 0, 0, 0]));
    legacy(&before, &sheet)
}

/// A sheet with a merged order, numbers, shared texts, a formula and rows without end.
fn sheet_seed() -> String {
    let head = row(1, DOUYIN);
    format!(
        r#"<?xml version="1.0"?><x:worksheet><dimension ref="A1:XFD1048576"/><sheetData>{head}<!-- a > b -->
        <row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2"><v>7</v></c><c t="inlineStr"><is><t>小&#31859;&amp;</t><rPh><t>x</t></rPh></is></c>
        <c r="D2"><v>2</v></c><c r="E2" t="str"><f>A1</f><v>XM-05</v></c><c r="F2"><v>39.800000000000004</v></c><c r="G2" s="1"><v>46337.83</v></c>
        <c r="H2" t="s"><v>1</v></c><c r="L2" t="str"><v>a_x000D_b</v></c></row><row r="3"/>
        <row r="4"><c r="B4"><v>8</v></c><c r="D4"><v>1</v></c><c r="F4"><v>5</v></c><c r="K4"><is><t><![CDATA[街]]></t></is></c></row>
        <row r="900"><c r="A900" t="b"><v>1</v></c></row></sheetData>
        <mergeCells><mergeCell ref="A2:A4"/><mergeCell ref="G2:G4"/><mergeCell ref='H2:H4'/></mergeCells></x:worksheet>"#
    )
}

/// Texts that the cells of a sheet name.
pub(crate) const SHARED_SEED: &str =
    "<sst count=\"3\"><si><t>80</t></si><si><r><t>待</t></r><r><t>发货</t></r><rPh><t>x</t></rPh></si><si/></sst>";

fn html_rows() -> String {
    "<td rowspan=2>80<td>1<td>小米&nbsp;<br>面<td>1<td>XM-05<td>9.90<td rowspan=2>2026-11-11<td rowspan='2'>待发货<td><td><td><td></tr>\
     <TR><td>2</td><td x:str>小米</td><td>1</td><td/><td>1,280.00</td><td colspan=\"4\">-</td></TR></table>"
        .to_owned()
}

/// Whole files, one of each kind at least.
pub(crate) fn files() -> Vec<Vec<u8>> {
    let csv = format!("{}\n{LINES}", DOUYIN.join(","));
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let headings: String = DOUYIN.iter().map(|heading| format!("<th>{heading}</th>")).collect();
    let html = format!("<html><head><style>td {{}}</style></head><table><tr>{headings}</tr><tr>{}</html>", html_rows());
    vec![
        [b"\xef\xbb\xbf", csv.as_bytes()].concat(),
        GB18030.encode(LIST).0.into_owned(),
        GB18030.encode(DETAILS).0.into_owned(),
        wide(YOUZAN, u16::to_le_bytes),
        wide(PINDUODUO, u16::to_be_bytes),
        PINDUODUO.as_bytes().to_vec(),
        html.into_bytes(),
        zipped(&parts_of(sheet_seed().as_bytes(), SHARED_SEED.as_bytes()), true),
        container(&[("Workbook", &legacy_seed())]),
    ]
}

/// Parts of files, each behind the byte that says which.
pub(crate) fn parts() -> Vec<Vec<u8>> {
    let shared: String =
        ["80", "7", "小米", "1", "XM-05", "9.90", "2026-11-11", "待发货", "", "", "街&#x20;", "_x0041_"]
            .map(|text| format!("<si><t xml:space=\"preserve\">{text}</t></si>"))
            .concat();
    let parts = [
        sheet_seed().into_bytes(),
        format!("<sst>{shared}</sst>").into_bytes(),
        legacy_seed(),
        LINES.as_bytes().to_vec(),
        html_rows().into_bytes(),
    ];
    (0u8..).zip(parts).map(|(which, part)| [&[which][..], &part].concat()).collect()
}
