//! Verifies a whole store: every row's checksum, both logs from first to last record, the index of repeats, and every
//! document, loaded and compared with its meta.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::protocol::messages::read_message;
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::{Store, StoreFault};
use granary_client_core::trade::{FactsOfDocuments, StockCase, differing};

use crate::log::Cooperative;
use crate::log::CooperativeNumber;
use crate::log::documents::Documents;
use crate::log::format::format_of;
use crate::log::keys::{Entry, Indexed, LogRecord, chain, entry_key, key, log_key, sequence_key};
use crate::log::rows::{cooperatives, each_row, heads_of};
use crate::log::set_aside::place_of;

/// Findings that are listed; further ones are only counted.
const NAMED_MAX: usize = 200;

/// Counts and findings of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VerifyReport {
    /// Rows by kind.
    pub(crate) rows: BTreeMap<&'static str, u64>,
    pub(crate) documents: u64,
    pub(crate) format: u32,
    pub(crate) findings: Vec<String>,
    pub(crate) more_findings: u64,
    /// Balances at the beginning of a month that are not what the documents say: nothing is damaged, and the server writes them
    /// again.
    pub(crate) openings: Vec<StockCase>,
}

impl VerifyReport {
    fn find(&mut self, finding: String) {
        if self.findings.len() < NAMED_MAX {
            self.findings.push(finding);
        } else {
            self.more_findings = self.more_findings.saturating_add(1);
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The name of a kind of row, for operators.
fn kind_of(row_key: &[u8]) -> &'static str {
    match row_key.get(4) {
        Some(b'F') => "format",
        Some(b'C') => "co-operative",
        Some(b'I') => "invitation",
        Some(b'D') => "place of a device",
        Some(b'S') => "session",
        Some(b'O') => "sign-in link",
        Some(b'h') => "counters",
        Some(b'e') => "entry",
        Some(b'p') => "mark of a pending entry",
        Some(b'a') => "index of repeats",
        Some(b'l') => "position of the log",
        Some(b'm') => "what is known of a document",
        Some(b's') => "saved document",
        Some(b'd') => "device",
        Some(b'j') => "owner of an actor",
        Some(b'o') => "where the pending entries begin",
        Some(b'u') => "line of the audit log",
        Some(b'w') => "account",
        Some(b'y') => "what was last seen of a device",
        Some(b'x') => "entry set aside",
        Some(b'v') => "views of a person",
        Some(b'b') => "share of the disk",
        Some(b'K') => "API key",
        Some(b'g') => "answer under an idempotency key",
        Some(b'i') => "order file that was taken",
        Some(b'q') => "what is set aside and sold",
        Some(b't') => "row of API keys and webhooks",
        _ => "unknown",
    }
}

/// The name of a row, for operators.
pub(crate) fn name_of(row_key: &[u8]) -> String {
    let cooperative = row_key.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let rest: String = row_key.iter().skip(5).map(|byte| format!("{byte:02x}")).collect();
    let number = crate::log::keys::rest_u64(row_key).map_or(rest, |number| number.to_string());
    match cooperative {
        0 => format!("{} {number}", kind_of(row_key)),
        _ => format!("{} {number} of co-operative {cooperative}", kind_of(row_key)),
    }
}

/// Verifies a store, which may be served meanwhile: rows that are written after the start are not checked.
pub(crate) fn verify(store: &dyn Store, documents: &Documents) -> Result<VerifyReport, StoreFault> {
    let mut report = VerifyReport { format: format_of(store).unwrap_or(0), ..VerifyReport::default() };
    each_row(store, &[], |row| {
        let count = report.rows.entry(kind_of(&row.key)).or_default();
        *count = count.saturating_add(1);
        if row.value.is_none() {
            report.find(format!("damaged: {}", name_of(&row.key)));
        }
        Ok(())
    })?;
    for number in cooperatives(store)? {
        if let Err(StoreFault::Damaged(row)) = verify_logs(store, number, &mut report) {
            report.find(format!("damaged: {}", name_of(&row)));
        }
        let record = store.get(&key(crate::log::keys::GLOBAL, b'C', &number.0.to_be_bytes()))?;
        let record = record.and_then(|bytes| read_message(&bytes).ok());
        let opened = record.map(|record| Cooperative::open(store, number, record)).transpose();
        match opened {
            Ok(Some(cooperative)) => verify_documents(&cooperative, documents, &mut report),
            Ok(None) => report.find(format!("the record of co-operative {} can't be read", number.0)),
            Err(StoreFault::Damaged(row)) => {
                report.find(format!("co-operative {} can't be opened: {}", number.0, name_of(&row)));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(report)
}

fn verify_logs(store: &dyn Store, number: CooperativeNumber, report: &mut VerifyReport) -> Result<(), StoreFault> {
    let heads = heads_of(store, number)?;
    // What was set aside is in the log, and is no part of its document: the index need not have it.
    let set_aside: BTreeSet<u64> =
        store.scan_all(&key(number, b'x', &[]))?.iter().filter_map(|row| Some(place_of(&row.key)?.1)).collect();
    let mut tag = Some(0u64);
    for entry in 1..=heads.entry {
        let bytes = store.get(&entry_key(number, entry)).unwrap_or(None);
        let Some(record) = bytes.and_then(|bytes| read_message::<Entry>(&bytes).ok()) else {
            report.find(format!("entry {entry} of co-operative {} is missing or can't be read", number.0));
            tag = None;
            continue;
        };
        if tag.is_some_and(|tag| !record.follows(tag)) {
            report.find(format!("entry {entry} of co-operative {} does not follow from the one before", number.0));
        }
        tag = Some(record.tag);
        let Ok(documents) = record.documents() else {
            report.find(format!("the changes of entry {entry} of co-operative {} can't be read", number.0));
            continue;
        };
        for change in documents.iter().flat_map(|document| &document.changes) {
            let record_of = change.record();
            let index = sequence_key(number, record.document, &record_of.actor, record_of.sequence);
            let indexed = store.get(&index).unwrap_or(None).and_then(|bytes| Indexed::read(&index, &bytes).ok());
            let is_missing = indexed.is_none_or(|indexed| indexed.hash != change.hash());
            if is_missing && !set_aside.contains(&entry) {
                report.find(format!("a change of entry {entry} of co-operative {} is not in the index", number.0));
            }
        }
    }
    let mut tag = Some(0u64);
    for position in 1..=heads.position {
        let bytes = store.get(&log_key(number, position)).unwrap_or(None);
        let Some(record) = bytes.and_then(|bytes| read_message::<LogRecord>(&bytes).ok()) else {
            report.find(format!("position {position} of co-operative {} is missing or can't be read", number.0));
            tag = None;
            continue;
        };
        let follows = granary_client_core::protocol::messages::write_message(&record.event);
        if tag.is_some_and(|tag| chain(tag, &follows) != record.tag) {
            report
                .find(format!("position {position} of co-operative {} does not follow from the one before", number.0));
        }
        tag = Some(record.tag);
    }
    Ok(())
}

fn verify_documents(cooperative: &Cooperative, documents: &Documents, report: &mut VerifyReport) {
    let mut goods = FactsOfDocuments::new(cooperative.id().server_device());
    for (number, document_key, _) in cooperative.document_positions() {
        report.documents = report.documents.saturating_add(1);
        let name: &DocumentKey = &document_key;
        match documents.load(cooperative, number) {
            Ok(mut document) => {
                goods.add(&document);
                let mut known = cooperative.heads_of(number);
                known.sort_unstable();
                if document.heads() != known {
                    report.find(format!(
                        "{name} of co-operative {} has other heads than are known",
                        cooperative.number().0
                    ));
                }
            }
            Err(fault) => {
                let why = match fault {
                    StoreFault::Damaged(row) => name_of(&row),
                    other => other.to_string(),
                };
                report.find(format!("{name} of co-operative {} can't be loaded: {why}", cooperative.number().0));
            }
        }
    }
    // Stock from the beginning; what is in a pack is in no balance.
    report.openings.extend(differing(&goods.facts(&BTreeMap::new())));
}
