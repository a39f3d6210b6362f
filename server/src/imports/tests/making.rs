//! Files made in tests.

use std::io::Write;

use granary_client_core::quantities::Instant;
use zip::write::SimpleFileOptions;

use crate::imports::{Ask, FileFault, Preview, Profiles, SkuNames, Why, read};

pub(super) const SKUS: &str = r#"{"skus": [{"sku": "XM-05", "names": ["黄小米5斤"]}, {"sku": "LJ-200"}]}"#;

pub(super) fn read_as(profiles: &Profiles, bytes: &[u8]) -> Result<Preview, FileFault> {
    let skus = SkuNames::from_json(SKUS.as_bytes()).unwrap();
    let ask = Ask {
        file_name: "file".into(),
        profiles: profiles.all(),
        profile: None,
        skus: &skus,
        uploaded_at: Instant::from_seconds(1_800_000_000),
    };
    read(bytes, &ask)
}

pub(super) fn preview(bytes: &[u8]) -> Result<Preview, FileFault> {
    read_as(&Profiles::own(), bytes)
}

pub(super) fn refused(preview: &Preview) -> Vec<(u32, &'static str)> {
    preview.refused.iter().map(|(record, why): &(u32, Why)| (*record, why.code())).collect()
}

pub(super) fn skipped(preview: &Preview) -> Vec<(u32, &'static str)> {
    preview.skipped.iter().map(|(record, why)| (*record, why.code())).collect()
}

pub(super) fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated))
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook with this first sheet and these shared texts.
pub(super) fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
    let book =
        r#"<workbook xmlns:r="r"><workbookPr/><sheets><sheet name="a" sheetId="7" r:id="rId3"/></sheets></workbook>"#;
    let relations = r#"<Relationships><Relationship Id="rId3" Type="x/worksheet" Target="worksheets/sheet7.xml"/>
        <Relationship Target="/xl/sharedStrings.xml" Id="rId4" Type="x/sharedStrings"/></Relationships>"#;
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/worksheets/sheet7.xml", format!("<worksheet>{sheet}</worksheet>").as_bytes()),
        ("xl/sharedStrings.xml", format!("<sst>{shared}</sst>").as_bytes()),
    ])
}

pub(super) const KUAISHOU: [&str; 7] =
    ["订单号", "成交数量", "实付款", "订单状态", "SKU编码", "订单创建时间", "商品名称"];

/// A row of texts.
pub(super) fn texts(row: u32, cells: &[&str]) -> String {
    let cell = |(column, text): (usize, &&str)| {
        let letter = char::from(b'A' + u8::try_from(column).unwrap());
        format!(r#"<c r="{letter}{row}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    let cells: String = cells.iter().enumerate().filter(|(_, text)| !text.is_empty()).map(cell).collect();
    format!(r#"<row r="{row}">{cells}</row>"#)
}
