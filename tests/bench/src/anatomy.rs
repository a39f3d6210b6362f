//! Where each byte of a request goes. A part's share of the compressed whole is what the whole grows by when
//! the part is in it; shares of parts that are alike do not add up to the whole.

use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, bundle_parts, write_bundle};
use granary_client_core::protocol::frame::{write_reply, write_request};
use granary_client_core::protocol::messages::{Cursor, Receipt, SyncRequest, Tags, write_message};
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::schema::harvest::{LotEdit, LotId, correct, record};
use granary_client_core::schema::{Document, DocumentKey, Season};

use crate::records::{json_lines, lots};
use crate::world::household;

const SEED: u64 = 40_961;
/// `POST /s HTTP/1.1`, the host, the length: what the transport writes.
const HTTP_BYTES: usize = "POST /s HTTP/1.1\r\nhost: localhost\r\ncontent-length: 6000\r\n\r\n".len();

fn compressed(content: &[u8]) -> usize {
    write_reply(content).len() - 2
}

fn request(bundle: Vec<u8>) -> SyncRequest {
    let tags = Tags { position: 0x1b52_7fe0, receipt: 0x93d4_0c68 };
    let cursor = Cursor { position: 1_204, receipt: Receipt::Own(977), tags, grants_version: 1, walk: None };
    SyncRequest { cursor, page_kilobytes: 16, bundle, ..SyncRequest::default() }
}

fn show(what: &str, key: &DocumentKey, changes: Vec<granary_client_core::crdt::change::VerifiedChange>) {
    let documents = [DocumentChanges { key: key.clone(), changes }];
    let parts = if documents[0].changes.is_empty() { Vec::new() } else { bundle_parts(&documents) };
    let bundle: Vec<u8> = parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(parts.is_empty() || bundle == write_bundle(&documents));
    let raw: usize = documents[0].changes.iter().map(|change| change.chunk().len()).sum();
    let message = write_message(&request(bundle.clone()));
    let frame = write_request(DeviceId::from_bytes([7; 8]), &message, |_| [0x5a; 64]);
    println!("\n{what}: {} changes, {raw} bytes as Automerge's own chunks", documents[0].changes.len());
    println!("  {:<34} {:>8} {:>12}", "", "raw", "compressed");
    println!("  {:<34} {:>8} {:>12}", "HTTP", HTTP_BYTES, HTTP_BYTES);
    println!("  {:<34} {:>8} {:>12}", "version, device, compression", 10, 10);
    println!("  {:<34} {:>8} {:>12}", "signature", 64, 64);
    let around = write_message(&request(Vec::new()));
    println!("  {:<34} {:>8} {:>12}", "message around the bundle", around.len(), compressed(&around));
    for (place, (part, bytes)) in parts.iter().enumerate() {
        let without: Vec<u8> = parts
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .flat_map(|(_, (_, bytes))| bytes.clone())
            .collect();
        let share = compressed(&bundle).saturating_sub(compressed(&without));
        println!("  {part:<34} {:>8} {share:>12}", bytes.len());
    }
    println!("  {:<34} {:>8} {:>12}", "the whole request", HTTP_BYTES + 74 + message.len(), HTTP_BYTES + frame.len());
}

pub(crate) fn run() {
    let key = DocumentKey::HarvestBook(household(1), Season::new(2025).unwrap());
    let actor = DeviceId::from_bytes([0x3b, 0xf1, 0x90, 0x27, 0xd4, 0x6e, 0xa8, 0x55]).actor(Incarnation::new(0));
    let mut book = Document::new(key.clone()).unwrap();
    let (records, bits) = lots(SEED, 1_000);
    let mut names: Vec<LotId> = Vec::new();
    let mut changes = vec![Document::first_change(&key).unwrap()];
    // A lot every half minute or so, as people record.
    for (number, draft) in records.iter().enumerate() {
        let at = Instant(1_757_000_000_000 + i64::try_from(number).unwrap() * 31_000);
        let (name, change) = book.edit(&actor, at, |doc| record(doc, draft)).unwrap();
        names.push(name);
        changes.extend(change);
    }
    let json = zstd::bulk::compress(&json_lines(&records), 19).unwrap().len();
    println!("1,000 records: entropy of the choices {:.0} bytes; zstd -19 of JSON lines {json} bytes", bits / 8.0);
    show("1,000 records", &key, changes);
    let later = |seconds: i64| Instant(1_760_000_000_000 + seconds * 1_000);
    let edits = names.iter().step_by(100).enumerate().filter_map(|(number, lot)| {
        let to = LotEdit::Quantity(Grams::new(77_000).unwrap());
        book.edit(&actor, later(i64::try_from(number).unwrap() * 20), |doc| correct(doc, lot, &to)).unwrap().1
    });
    let edits: Vec<_> = edits.collect();
    show("10 one-field edits", &key, edits);
    let (_, one) = book.edit(&actor, later(900), |doc| record(doc, &records[3])).unwrap();
    show("one new lot", &key, one.into_iter().collect());
    show("nothing to do", &key, Vec::new());
}
