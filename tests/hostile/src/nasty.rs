//! Whole files of about twenty megabytes, or that unfold to more, each of which asks for memory or time in another way. What
//! they are answered with is known, and how much memory that may take.

use std::fmt::Write;

use encoding_rs::GB18030;

use crate::made::{DOUYIN, container, entry, legacy, parts_of, record, row, zipped};

/// A file, and the answer to it.
pub struct Nasty {
    /// What is in it.
    pub name: &'static str,
    /// Makes it.
    pub make: fn() -> Vec<u8>,
    /// What the reader says.
    pub answer: &'static str,
}

const MB: usize = 1024 * 1024;
/// Nearly the most that a file may have.
const LARGE: usize = 20 * MB - 65_536;
/// Rows and letters at the reader's limits.
const ROWS: u32 = 50_000;
const LETTERS: usize = 8_192;

const fn file(name: &'static str, answer: &'static str, make: fn() -> Vec<u8>) -> Nasty {
    Nasty { name, make, answer }
}

const TOO_LARGE: &str = "file-too-large";
const INSIDE: &str = "file-too-large-inside";

/// All of them.
pub const NASTY: [Nasty; 31] = [
    file("zip: a part of 101 MB, packed", INSIDE, || sheet(&" ".repeat(101 * MB), "")),
    file("zip: 60,000 parts", INSIDE, || many_parts(60_000, b"")),
    file("zip: 1,900 parts of 100 KB, packed", "file-kind-unknown", || many_parts(1_900, &[b' '; 100 * 1024])),
    file("xlsx: 33 million tags, nested", "file-empty", || sheet(&"<a>".repeat(33 * MB), "</worksheet>")),
    file("xlsx: 1,990,000 shared texts", "1 orders", || shared(&"<si><t>粟</t></si>".repeat(1_989_998))),
    file("xlsx: shared texts of 60 MB", INSIDE, || {
        shared(&format!("<si><t>{}</t></si>", "粟".repeat(6_600)).repeat(3_200))
    }),
    file("xlsx: one shared text of 90 MB in one piece", INSIDE, || {
        shared(&format!("<si><t>{}</t></si>", "x".repeat(90 * MB)))
    }),
    file("xlsx: one shared text of 90 MB in pieces", "1 orders", || {
        shared(&format!("<si>{}</si>", format!("<t>{}</t>", "x".repeat(MB - 16)).repeat(90)))
    }),
    file("xlsx: 90 MB of entities without an end", "1 orders", || {
        shared(&format!("<si><t>{}</t></si>", "&".repeat(MB - 16)).repeat(90))
    }),
    file("xlsx: a shared text in four million cells", INSIDE, || {
        let cells = "<c t=\"s\"><v>2</v></c>".repeat(190);
        let rows = format!("<row>{cells}</row>").repeat(23_000);
        orders(&rows, &format!("<si><t>{}</t></si>", "粟".repeat(LETTERS)), "")
    }),
    file("xlsx: rows that complete 25,000 orders with long texts", INSIDE, completed),
    file("xlsx: 200,000 merged ranges", "1 orders", || merged(200_000)),
    file("xlsx: 1,500,000 merged ranges", INSIDE, || merged(1_500_000)),
    file("xlsx: a cell in the last column", TOO_LARGE, || {
        orders("<row r=\"9\"><c r=\"XFD9\"><v>1</v></c></row>", "", "")
    }),
    file("xlsx: 2,000,000 empty rows", "1 orders", || {
        orders(&"<row><c s=\"1\"/><c s=\"1\"/><c/></row>".repeat(2_000_000), "", "")
    }),
    file("xlsx: one attribute of 19 MB", INSIDE, || stored(&format!("<a b=\"{}\"/>", "x".repeat(LARGE - MB)))),
    file("xlsx: a comment that never closes", "file-damaged", || {
        stored(&format!("<!--{}", "x> ".repeat((LARGE - MB) / 3)))
    }),
    file("xlsx: 50,000 orders, and all limits nearly reached", "50000 orders", all_limits),
    file("csv: one line of one cell", TOO_LARGE, || format!("a,{}", "x".repeat(LARGE)).into_bytes()),
    file("csv: one line of commas", TOO_LARGE, || ",".repeat(LARGE).replacen(',', "a,", 1).into_bytes()),
    file("csv: ten million tiny cells", "0 orders", || csv(&format!("{}\n", "1,".repeat(190)).repeat(50_000))),
    file("csv: blank lines", "1 orders", || csv(&format!("{}{}", "\r\n".repeat(LARGE / 2 - 9_000), line(1, "")))),
    file("csv: a quote that never closes, 60 MB once decoded", TOO_LARGE, || {
        let begin = GB18030.encode(&format!("{}\n1,\"", DOUYIN.join(","))).0.into_owned();
        begin.into_iter().chain(std::iter::repeat_n(0x80, LARGE)).collect()
    }),
    file("csv: quotes alone", TOO_LARGE, || csv(&format!("1,{}", "\"".repeat(LARGE)))),
    file("csv: 50,000 orders in GB18030", "50000 orders", || GB18030.encode(&long_orders(160)).0.into_owned()),
    file("csv: 50,000 orders in UTF-16", "50000 orders", || {
        [0xfeff].into_iter().chain(long_orders(150).encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }),
    file("html: a quote that never closes", INSIDE, || {
        format!("<table><td a=\"{}", "x>".repeat(LARGE / 2)).into_bytes()
    }),
    file("html: 600,000 cells of two rows", INSIDE, || {
        let headings = DOUYIN.map(|heading| format!("<td>{heading}")).concat();
        format!("<table><tr>{headings}<tr>{}", ("<td rowspan=2>1".repeat(12) + "<tr>").repeat(50_000)).into_bytes()
    }),
    file("xls: two lists of 1,400,000 shared texts", "file-empty", || {
        let list = shared_records(1_400_000);
        container(&[("Workbook", &legacy(&[&list[..], &list].concat(), &[]))])
    }),
    file("xls: four million records that continue one text", "file-damaged", continued),
    file("xls: the whole file as a directory of streams", "file-kind-unknown", whole_directory),
];

/// A packed workbook whose sheet is this.
fn sheet(begin: &str, end: &str) -> Vec<u8> {
    zipped(&parts_of(format!("<worksheet>{begin}{end}").as_bytes(), b"<sst/>"), true)
}

/// A workbook with headings, one order and these rows behind it, these shared texts behind two others.
fn orders(rows: &str, shared: &str, behind: &str) -> Vec<u8> {
    let first = row(2, ["1", "1", "小米", "1", "XM-05", "9.90", "2026-11-11", "待发货"]);
    let sheet = format!("<worksheet><sheetData>{}{first}{rows}</sheetData>{behind}</worksheet>", row(1, DOUYIN));
    let shared = format!("<sst><si><t>a</t></si><si><t>b</t></si>{shared}</sst>");
    zipped(&parts_of(sheet.as_bytes(), shared.as_bytes()), true)
}

fn shared(texts: &str) -> Vec<u8> {
    orders("", texts, "")
}

fn merged(count: usize) -> Vec<u8> {
    let mut ranges = String::new();
    for range in 0..count {
        let first = range + 3;
        write!(ranges, "<mergeCell ref=\"A{first}:A{}\"/>", first + 1).unwrap();
    }
    orders("", "", &ranges)
}

/// A workbook that is not packed, with this in its sheet.
fn stored(piece: &str) -> Vec<u8> {
    let sheet = format!("<worksheet>{piece}</worksheet>");
    zipped(&parts_of(sheet.as_bytes(), b"<sst/>"), false)
}

/// Two rows for each order: the second has texts of the largest size where the first has none.
fn completed() -> Vec<u8> {
    let mut rows = String::new();
    for order in 2..25_000 {
        rows.push_str(&row(
            order * 2,
            [&order.to_string(), &format!("a{order}"), "小米", "1", "", "1", "2026-11-11", "待发货"],
        ));
        let second = row(
            order * 2 + 1,
            [&order.to_string(), &format!("b{order}"), "小米", "1", "", "1", "2026-11-11", "待发货"],
        );
        let long = "<c/><c t=\"s\"><v>2</v></c><c t=\"s\"><v>2</v></c><c t=\"s\"><v>2</v></c></row>";
        rows.push_str(&second.replace("</row>", long));
    }
    orders(&rows, &format!("<si><t>{}</t></si>", "粟".repeat(LETTERS)), "")
}

/// As many rows, shared texts and kept texts as may be, and bytes that are not looked at.
fn all_limits() -> Vec<u8> {
    let long = 1_500;
    let (mut texts, mut rows) = (String::new(), row(1, DOUYIN));
    for text in 0..long {
        write!(texts, "<si><t>{text}{}</t></si>", "粟".repeat(LETTERS - 4)).unwrap();
    }
    texts.push_str(&"<si/>".repeat(1_990_000));
    for order in 0..ROWS {
        let id = order.to_string();
        let cells = row(order + 2, [&id, &id, "小米", "1", "XM-05", "9.90", "2026-11-11", "待发货", "", "李某"]);
        let address = if order < long { format!("<c t=\"s\"><v>{order}</v></c></row>") } else { "</row>".to_owned() };
        rows.push_str(&cells.replace("</row>", &address));
    }
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let texts = format!("<sst>{texts}</sst>");
    let filling = noise(17 * MB);
    let parts = parts_of(sheet.as_bytes(), texts.as_bytes()).into_iter().chain([("xl/media/a.png", &filling[..])]);
    zipped(&parts.collect::<Vec<_>>(), true)
}

/// Bytes that can't be packed.
fn noise(length: usize) -> Vec<u8> {
    let mut mutator = crate::Mutator::new(7);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(mutator.next().to_le_bytes());
    }
    bytes
}

fn many_parts(count: usize, bytes: &[u8]) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|number| format!("a{number}")).collect();
    zipped(&names.iter().map(|name| (name.as_str(), bytes)).collect::<Vec<_>>(), true)
}

fn csv(rows: &str) -> Vec<u8> {
    format!("{}\n{rows}", DOUYIN.join(",")).into_bytes().into_iter().take(20 * MB).collect()
}

fn line(order: u32, note: &str) -> String {
    format!("{order},{order},小米,1,XM-05,9.90,2026-11-11,待发货,,李某,示例街,{note}\n")
}

/// As many orders as may be, each with a note of so many letters.
fn long_orders(letters: usize) -> String {
    let note = "粟".repeat(letters);
    let lines: String = (0..ROWS).map(|order| line(order, &note)).collect();
    format!("{}\n{lines}", DOUYIN.join(","))
}

/// Records with this many shared texts of one letter.
fn shared_records(count: u32) -> Vec<u8> {
    const IN_RECORD: u32 = 2_000;
    let texts = [1, 0, 0, b'x'].repeat(IN_RECORD as usize);
    let first = [&count.to_le_bytes()[..], &count.to_le_bytes(), &texts].concat();
    [record(0x00fc, &first), record(0x003c, &texts).repeat((count / IN_RECORD - 1) as usize)].concat()
}

fn continued() -> Vec<u8> {
    let text = record(0x00fc, &[1, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
    container(&[("Workbook", &legacy(&[text, record(0x003c, &[]).repeat(4 * MB)].concat(), &[]))])
}

/// All sectors are the directory, the table of small sectors and the small streams.
fn whole_directory() -> Vec<u8> {
    let name = "x".repeat(31);
    let mut entries = entry(&name, 2, 0, 0).repeat(19 * MB / 128);
    let sector = 6u32;
    entries.splice(..128, entry("Root Entry", 5, sector, u32::try_from(entries.len()).unwrap()));
    let mut file = container(&[("x", &entries)]);
    assert_eq!(file[48..52], (sector - 1).to_le_bytes(), "the stream is behind the directory");
    for place in [48, 60] {
        file[place..place + 4].copy_from_slice(&sector.to_le_bytes());
    }
    file
}
