//! The bytes of each part of a request. A part's share of the compressed whole is the difference that leaving it out
//! makes; shares of similar parts do not add up to the whole.

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, DeviceId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, bundle_parts, write_bundle};
use granary_client_core::protocol::frame::{UnsignedRequest, write_reply};
use granary_client_core::protocol::messages::{Cursor, Receipt, SyncRequest, Tags, write_message};
use granary_client_core::protocol::signing::{Audience, Binding, Purpose};
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::schema::harvest::{LotDraft, LotEdit, LotKey, correct, record};
use granary_client_core::schema::{Document, DocumentKey, Season};

use crate::openings::{OPENINGS, parts};
use crate::records::{Dice, json_lines, lots};
use crate::world::household;

const SEED: u64 = 40_961;
/// The head that the transport writes.
const HTTP_BYTES: usize = "POST /s HTTP/1.1\r\nhost: localhost\r\ncontent-length: 6000\r\n\r\n".len();

fn compressed(content: &[u8]) -> usize {
    write_reply(content).len() - 2
}

fn request(bundle: Vec<u8>) -> SyncRequest {
    let tags = Tags { position: 0x1b52_7fe0, receipt: 0x93d4_0c68 };
    let cursor = Cursor { position: 1_204, receipt: Receipt::Own(977), tags, grants_version: 1, walk: None };
    SyncRequest { cursor, page_kilobytes: 16, bundle, ..SyncRequest::default() }
}

fn show(what: &str, key: &DocumentKey, changes: Vec<VerifiedChange>) {
    let documents = [DocumentChanges { key: key.clone(), changes }];
    let parts = if documents[0].changes.is_empty() { Vec::new() } else { bundle_parts(&documents) };
    let bundle: Vec<u8> = parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(parts.is_empty() || bundle == write_bundle(&documents));
    let raw: usize = documents[0].changes.iter().map(|change| change.chunk().len()).sum();
    let message = write_message(&request(bundle.clone()));
    let binding = Binding { purpose: Purpose::Sync, audience: Audience::UNKNOWN, channel: None };
    let frame = UnsignedRequest::new(DeviceId::from_bytes([7; 8]), &message).sign(&binding, |_| [0x5a; 64]);
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

/// A book of 1,000 lots that one phone wrote in so many openings.
struct Book {
    document: Document,
    device: DeviceId,
    /// Draws the incarnations.
    dice: Dice,
    actor: ActorId,
    names: Vec<LotKey>,
    changes: Vec<VerifiedChange>,
}

impl Book {
    fn new(key: &DocumentKey, records: &[LotDraft], openings: usize) -> Self {
        let device = DeviceId::from_bytes([0x3b, 0xf1, 0x90, 0x27, 0xd4, 0x6e, 0xa8, 0x55]);
        let mut book = Self {
            document: Document::new(key.clone()).unwrap(),
            device,
            dice: Dice::new(SEED),
            actor: device.actor(Incarnation::new(0)),
            names: Vec::new(),
            changes: vec![Document::first_change(key).unwrap()],
        };
        let mut number = 0;
        for part in parts(records, openings) {
            book.open();
            for draft in part {
                // A lot every half minute or so, as people record.
                let (name, change) = book.record(Instant(1_757_000_000_000 + number * 31_000), draft);
                book.names.push(name);
                book.changes.push(change);
                number += 1;
            }
        }
        book
    }

    /// The app starts: what it writes from now on is of a new actor.
    fn open(&mut self) {
        let incarnation = u32::try_from(self.dice.roll(1 << 32)).unwrap();
        self.actor = self.device.actor(Incarnation::new(incarnation));
    }

    fn record(&mut self, at: Instant, draft: &LotDraft) -> (LotKey, VerifiedChange) {
        let (name, change) = self.document.edit(&self.actor, at, |doc| record(doc, draft)).unwrap();
        (name, change.unwrap())
    }

    fn correct(&mut self, at: Instant, lot: &LotKey, to: &LotEdit) -> VerifiedChange {
        self.document.edit(&self.actor, at, |doc| correct(doc, lot, to)).unwrap().1.unwrap()
    }
}

pub(crate) fn run() {
    let key =
        DocumentKey::HarvestBook(granary_client_core::schema::Book::first(household(1), Season::new(2025).unwrap()));
    let (records, bits) = lots(SEED, 1_000);
    let json = zstd::bulk::compress(&json_lines(&records), 19).unwrap().len();
    println!("1,000 records: entropy of the choices {:.0} bytes; zstd -19 of JSON lines {json} bytes", bits / 8.0);
    for openings in OPENINGS {
        let mut book = Book::new(&key, &records, openings);
        let named = |what: &str| format!("{what}, openings: {openings}");
        let later = |seconds: i64| Instant(1_760_000_000_000 + seconds * 1_000);
        show(&named("1,000 records"), &key, std::mem::take(&mut book.changes));
        let edited: Vec<LotKey> = book.names.iter().step_by(100).cloned().collect();
        let to = LotEdit::Quantity(Grams::new(77_000).unwrap());
        let edits = (0..).zip(&edited).map(|(number, lot)| book.correct(later(number * 20), lot, &to)).collect();
        show(&named("10 one-field edits"), &key, edits);
        let (_, lot) = book.record(later(900), &records[3]);
        show(&named("one new lot"), &key, vec![lot]);
        book.open();
        let (_, lot) = book.record(later(1_800), &records[4]);
        show(&named("wake, one new lot"), &key, vec![lot]);
        book.open();
        let more =
            (0..).zip(&records).map(|(number, draft)| book.record(later(3_600 + number * 31), draft).1).collect();
        show(&named("1,000 more records of one opening"), &key, more);
    }
    show("nothing to do, any number of openings", &key, Vec::new());
}
