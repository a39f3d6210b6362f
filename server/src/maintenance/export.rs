//! Export and import in a format that needs no Granary: for each document a file of Automerge change chunks,
//! one after the other, which Automerge's libraries load as they are, and a line of JSON with its name and its
//! present content. The export holds the whole history.
//!
//! ```text
//! documents.jsonl    {"file", "kind", "key", "household", "season", "part", "order", "url", "content"} a line
//! 0001.automerge     change chunks, each after its dependencies
//! ```

use std::io::Write;
use std::path::Path;

use granary_client_core::automerge::AutoSerde;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::crdt::leb128::Reader;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::{DocumentKey, Part};
use serde::{Deserialize, Serialize};

use crate::config::{make_folder, read_file, write_private};
use crate::engine::Granary;
use crate::environment::{from_hex, hex};
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber, Submitter};
use crate::said::Said;

/// Changes that are ingested at once.
const TOGETHER: usize = 2_000;

/// A document's line.
#[derive(Serialize, Deserialize)]
struct Line {
    file: String,
    kind: String,
    /// The document's key, in hexadecimal; it names the document within any co-operative.
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    household: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    season: Option<u16>,
    /// The part of the book; left out for first parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<(String, String)>,
    url: String,
    #[serde(default)]
    content: serde_json::Value,
}

impl Granary {
    /// Writes all documents of a co-operative into a folder; gives how many.
    pub(crate) fn export(&self, number: CooperativeNumber, to: &Path) -> Result<u64, Error> {
        let cooperative = self.cooperative(number)?;
        make_folder(to)?;
        let failed = |error: &dyn std::fmt::Display| Error::ExportFailed { reason: error.to_string() };
        let mut lines = Vec::new();
        let mut count = 0u64;
        for key in cooperative.documents() {
            let Some(mut document) = self.document(number, &key)? else { continue };
            count = count.saturating_add(1);
            let file = format!("{count:04}.automerge");
            let chunks: Vec<u8> =
                document.changes_since(&[])?.iter().flat_map(|change| change.chunk().to_vec()).collect();
            write_private(&to.join(&file), &chunks)?;
            let (season, order) = match &key {
                DocumentKey::HarvestBook(book) | DocumentKey::ReceiptBook(book) | DocumentKey::CaseBook(book) => {
                    (Some(book.season.year()), None)
                }
                DocumentKey::Order(name) | DocumentKey::Receiver(name) => {
                    (None, Some((name.platform.clone(), name.outside_id.clone())))
                }
                _ => (None, None),
            };
            let line = Line {
                file,
                kind: key.kind().name().to_owned(),
                key: hex(&key.to_bytes()),
                household: key.household().map(|household| household.to_string()),
                season,
                part: Some(key.part()).filter(|part| *part != Part::FIRST).map(Part::number),
                order,
                url: key.id(cooperative.id()).automerge_url(),
                content: serde_json::to_value(AutoSerde::from(document.automerge())).unwrap_or_default(),
            };
            serde_json::to_writer(&mut lines, &line).map_err(|error| failed(&error))?;
            lines.write_all(b"\n").map_err(|error| failed(&error))?;
        }
        write_private(&to.join("documents.jsonl"), &lines)?;
        Ok(count)
    }

    /// Creates a co-operative from an export; gives its number and its count of documents. The documents have new URLs,
    /// and devices enrol again; authors stay the same.
    pub(crate) fn import(&self, from: &Path, name: &str, now: Instant) -> Result<(CooperativeNumber, u64), Error> {
        // The whole export is read before anything is written.
        let text = String::from_utf8(read_file(&from.join("documents.jsonl"))?)
            .map_err(|_| damaged("documents.jsonl", ("it is not UTF-8", "不是 UTF-8 文字")))?;
        let documents = text.lines().map(|line| read_document(from, line)).collect::<Result<Vec<_>, _>>()?;
        let number = self.create_cooperative(name, now)?;
        let cooperative = self.cooperative(number)?;
        let device = Cooperative::server_device(cooperative.id());
        let record = cooperative.device(device).ok_or_else(crate::error::unknown_device)?;
        let count = documents.len() as u64;
        for DocumentChanges { key, changes } in documents {
            for some in changes.chunks(TOGETHER) {
                let submitter = Submitter { chooses_actors: true, ..Submitter::new(device, record.grants_now()) };
                let bundle = vec![DocumentChanges { key: key.clone(), changes: some.to_vec() }];
                let ingested = self.ingest(&cooperative, submitter, bundle, now)?;
                if let Some(refusal) = ingested.refused.first() {
                    return Err(Error::ImportRefused { document: key.to_string(), reason: refusal.reason });
                }
            }
        }
        self.settle(&cooperative);
        Ok((number, count))
    }
}

fn damaged(file: &str, reason: impl Into<Said>) -> Error {
    Error::ImportDamaged { file: file.to_owned(), reason: reason.into() }
}

fn read_document(from: &Path, line: &str) -> Result<DocumentChanges, Error> {
    let bad = |what: Said| damaged("documents.jsonl", what);
    let line: Line = serde_json::from_str(line).map_err(|error| bad(error.to_string().into()))?;
    let key = from_hex(&line.key).and_then(|bytes| DocumentKey::from_bytes(&bytes).ok());
    let key = key.ok_or_else(|| bad(("a key can't be read", "有一个名字读不出来").into()))?;
    if line.file.contains(['/', '\\']) {
        return Err(bad(("a file lies elsewhere", "有一个文件不在这个文件夹里").into()));
    }
    let bytes = read_file(&from.join(&line.file))?;
    let mut rest = bytes.as_slice();
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let damaged = |reason: &dyn std::fmt::Display| damaged(&line.file, reason.to_string());
        let mut reader = Reader::new(rest);
        // Magic bytes, checksum, kind; then the length of what follows.
        reader.take(9).and_then(|_| reader.prefixed()).map_err(|fault| damaged(&fault))?;
        let (chunk, after) = rest.split_at(rest.len().saturating_sub(reader.len()));
        changes.push(VerifiedChange::from_any_chunk(chunk).map_err(|fault| damaged(&fault))?);
        rest = after;
    }
    Ok(DocumentChanges { key, changes })
}
