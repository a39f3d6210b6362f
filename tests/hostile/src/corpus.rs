//! The kept corpus: small inputs as phones send them, one file each. An input that once broke something is added by
//! hand, under a number from 900, and stays.

use std::path::{Path, PathBuf};

use granary_client_core::crdt::PeerState;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{DeviceId, HouseholdId, Incarnation};
use granary_client_core::protocol::attestation::{Attestation, Code, Shown, tips};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{UnsignedRequest, write_reply};
use granary_client_core::protocol::messages::{Fetch, SyncReply, SyncRequest, write_message};
use granary_client_core::protocol::outbox_file::{OpeningKey, OutboxFile, write_page};
use granary_client_core::protocol::signing::{Audience, Binding, Purpose};
use granary_client_core::quantities::{Fen, Grams, Instant, Permille};
use granary_client_core::schema::harvest::{LotDraft, LotEdit, correct, record, withdraw};
use granary_client_core::schema::{Book, Document, DocumentKey, Part, Season, household};

use crate::endpoint::{attested_request, author, device, household as own};
use crate::made;

/// The folder of a target's corpus.
fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The kept inputs of a target, in the order of their names.
pub fn kept(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = match std::fs::read_dir(folder(target)) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A harvest book and a household document as a phone writes them.
pub(crate) fn documents(device: DeviceId) -> Vec<DocumentChanges> {
    let actor = device.actor(Incarnation::new(0));
    let now = Instant(1_790_000_000_000);
    let book = DocumentKey::HarvestBook(Book::first(own(), Season::new(2026).unwrap()));
    let mut changes = vec![Document::first_change(&book).unwrap()];
    let mut document = Document::new(book.clone()).unwrap();
    for grams in [1_000, 25_500, 3] {
        let mut draft = LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap());
        draft.note = "东坡地, 第二次".into();
        draft.moisture = Some(Permille::new(125).unwrap());
        draft.photos = vec!["photo-1".into()];
        let (lot, made) = document.edit(&actor, now, |doc| record(doc, &draft)).unwrap();
        changes.extend(made);
        let edit = LotEdit::Quantity(Grams::new(grams + 1).unwrap());
        changes.extend(document.edit(&actor, now, |doc| correct(doc, &lot, &edit)).unwrap().1);
        if grams == 3 {
            changes.extend(document.edit(&actor, now, |doc| withdraw(doc, &lot)).unwrap().1);
        }
    }
    let home = DocumentKey::Household(own());
    let mut document = Document::new(home.clone()).unwrap();
    let mut of_home = vec![Document::first_change(&home).unwrap()];
    let day = "2026-09-01".parse().unwrap();
    let advance = document.edit(&actor, now, |doc| household::add_advance(doc, day, Fen::new(12_300).unwrap()));
    of_home.extend(advance.unwrap().1);
    vec![DocumentChanges { key: book, changes }, DocumentChanges { key: home, changes: of_home }]
}

/// The messages of Automerge's own sync protocol between a peer with the book and an empty one.
fn peer_messages(book: &DocumentChanges) -> Vec<Vec<u8>> {
    let (mut from, mut to) = (Document::empty(book.key.clone()), Document::empty(book.key.clone()));
    from.apply(&book.changes).unwrap();
    let (mut here, mut there) = (PeerState::default(), PeerState::default());
    let mut messages = Vec::new();
    for _ in 0..3 {
        if let Some(message) = to.generate_sync_message(&mut there).unwrap() {
            from.receive_sync_message(&mut here, &message).unwrap();
            messages.push(message);
        }
        messages.extend(from.generate_sync_message(&mut here).unwrap());
    }
    messages
}

/// Writes the corpus anew. Inputs that were added by hand stay.
pub fn make() -> std::io::Result<()> {
    let documents = documents(device());
    let write = |target: &str, number: usize, bytes: &[u8]| {
        std::fs::create_dir_all(folder(target))?;
        std::fs::write(folder(target).join(format!("{number:03}")), bytes)
    };
    let chunks: Vec<&[u8]> =
        documents.iter().flat_map(|document| &document.changes).map(VerifiedChange::chunk).collect();
    for (number, chunk) in chunks.iter().enumerate() {
        write("change", number, chunk)?;
        write("foreign_change", number, chunk)?;
    }
    let bundle = write_bundle(&documents);
    let key = documents.iter().map(|document| document.key.to_bytes()).next().unwrap();
    let attestation = Attestation { tips: tips(&documents[0].changes), code: Code([7; 8]) };
    let request = SyncRequest {
        page_kilobytes: 16,
        unsent_after: 3,
        bundle: bundle.clone(),
        fetch: vec![Fetch { key, through: 0 }],
        attestations: vec![Shown { document: 0, attestation }],
        version: Some("0.1.0".into()),
        ..SyncRequest::default()
    };
    let reply = SyncReply { bundle: bundle.clone(), attestations: vec![7; 16], ..SyncReply::default() };
    let enrol = EnrolRequest { code: "ABCD-EFGH-JKLM".into(), public_key: [1; 32], name: "李家".into() };
    for (number, one) in
        [bundle.clone(), write_bundle(&documents[..1]), write_bundle(&documents[1..])].iter().enumerate()
    {
        write("bundle", number, one)?;
    }
    let binding = Binding { purpose: Purpose::Sync, audience: Audience::UNKNOWN, channel: None };
    let messages = [write_message(&request), write_message(&reply), write_message(&enrol)];
    for (number, message) in messages.iter().enumerate() {
        write("message", number, message)?;
        write("frame", number, &write_reply(message))?;
        write("frame", number + 20, &UnsignedRequest::new(device(), message).sign(&binding, |_| [0; 64]))?;
    }
    let server = OpeningKey::derive(b"server");
    let page = |bundle: &[u8]| write_page(device(), bundle, server.outbox_file_key(), &|_| true, |_| [0; 64]).unwrap();
    let file = OutboxFile { certificate: vec![1; 90], pages: vec![page(&bundle), page(b"short")] };
    write("outbox_file", 0, &page(&bundle))?;
    write("outbox_file", 1, &page(b"short"))?;
    write("outbox_file", 2, &file.to_bytes().unwrap())?;
    for (number, message) in peer_messages(&documents[0]).iter().enumerate() {
        write("interop", number, message)?;
    }
    write("endpoint", 0, &messages[0])?;
    write("endpoint", 1, &bundle)?;
    write("endpoint", 2, &write_bundle(&self::documents(author())))?;
    write("endpoint", 3, &attested_request())?;
    let keys = documents.iter().map(|document| document.key.to_bytes()).chain([
        DocumentKey::Catalogue(Part::FIRST).to_bytes(),
        DocumentKey::Cooperative(Part::FIRST).to_bytes(),
        DocumentKey::ReceiptBook(Book::first(HouseholdId::from_bytes([3; 16]), Season::new(2025).unwrap())).to_bytes(),
    ]);
    for (number, key) in keys.enumerate() {
        write("names", number, &key)?;
    }
    for (number, file) in made::files().iter().enumerate() {
        write("order_file", number, file)?;
    }
    for (number, part) in made::parts().iter().enumerate() {
        write("order_sheet", number, part)?;
    }
    write("names", 100, b"granary://127.0.0.1:7400/ABCD-EFGH-JKLM#sha256=00112233445566778899aabbccddeeff")
}
