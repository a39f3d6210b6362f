//! A replica with a server that the tests play.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod backfill;
mod parts;
mod set_aside;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::ids::{CooperativeId, DeviceId, HouseholdId, Incarnation};
use crate::protocol::aside::AsideReason;
use crate::protocol::frame::write_reply;
use crate::protocol::messages::{ChangeRange, Cursor, Notice, Refusal, RefusalReason, SyncReply, write_message};
use crate::quantities::{Grams, Instant};
use crate::schema::access::{Grants, Role};
use crate::schema::harvest::{LotDraft, LotEdit, correct, record};
use crate::schema::{Book, LotId, Season};
use crate::store::{Batch, MemoryStore};
use crate::sync::{Pace, Session, Step};

const PAGE_BYTES: usize = 2_048;

fn book(year: u16) -> DocumentKey {
    DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(year).unwrap()))
}

fn records(replica: &mut Replica, year: u16, lots: i64) {
    for lot in 1..=lots {
        let draft = LotDraft::new("millet", Grams::new(1_000 + lot).unwrap(), "2026-10-03".parse().unwrap());
        replica.edit(&book(year), Instant(lot), |doc| record(doc, &draft)).unwrap();
    }
}

/// Sends a page, of which this is refused. Returns how many changes it had of each year, and whether there is more.
fn sends(replica: &mut Replica, refused: Option<u16>) -> (BTreeMap<u16, usize>, bool) {
    let (years, more, _) = sends_for(replica, refused, RefusalReason::TooManyOrphans);
    (years, more)
}

/// As [`sends`], refused for this reason; also returns why the server holds back what waits.
fn sends_for(
    replica: &mut Replica,
    refused: Option<u16>,
    reason: RefusalReason,
) -> (BTreeMap<u16, usize>, bool, Option<RefusalReason>) {
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    let position = |year| page.documents.iter().position(|document| document.key == book(year));
    let refusal = |document: usize| Refusal { document: u32::try_from(document).unwrap(), reason };
    let reply = SyncReply {
        cursor: Cursor::default(),
        more: false,
        refused: refused.and_then(position).map(refusal).into_iter().collect(),
        grants: None,
        listed: Vec::new(),
        bundle: Vec::new(),
        attestations: Vec::new(),
        reconciles: false,
        heads: Vec::new(),
        fetched: Vec::new(),
        notices: Vec::new(),
        told_seconds: 0,
    };
    let received = replica.receive(&page, &[], &reply).unwrap();
    assert_eq!((received.quarantined.len(), replica.undelivered()), (0, 0));
    let years = [2026, 2027].into_iter().filter_map(|year| Some((year, page.documents[position(year)?].numbers.len())));
    (years.collect(), received.more, received.held_back)
}

fn open(store: &MemoryStore) -> (Replica, Vec<Damage>) {
    open_as(store, Incarnation::new(1))
}

fn open_as(store: &MemoryStore, incarnation: Incarnation) -> (Replica, Vec<Damage>) {
    let roles = [Role::Household(HouseholdId::from_bytes([1; 16]))].into();
    let (cooperative, device) = (CooperativeId::from_bytes([2; 16]), DeviceId::from_bytes([3; 8]));
    let grants = Grants { version: 1, roles };
    Replica::open(Arc::new(store.clone()), cooperative, device, &grants, incarnation).unwrap()
}

/// The lots of all parts of the household's book of 2026, by part.
fn lots_by_part(replica: &mut Replica) -> Vec<usize> {
    let parts = replica.parts(&book(2026));
    parts.iter().map(|part| crate::schema::harvest::lots(replica.document(part).unwrap().unwrap()).len()).collect()
}

fn reply() -> SyncReply {
    SyncReply { cursor: Cursor::default(), ..SyncReply::default() }
}

#[test]
fn what_the_server_holds_back_waits_whole_and_says_why() {
    for reason in [RefusalReason::DayShareUsed, RefusalReason::ShareUsed, RefusalReason::NoRoom] {
        let (mut replica, _) = open(&MemoryStore::default());
        records(&mut replica, 2026, 5);
        let unsent = replica.unsent();
        let (_, more, held_back) = sends_for(&mut replica, Some(2026), reason);
        assert_eq!((more, held_back, replica.unsent()), (false, Some(reason), unsent));
        records(&mut replica, 2026, 1);
        assert_eq!(replica.unsent(), unsent + 1, "it goes on recording");
        // One change asks whether there is room again; then all goes out.
        let (asks, more, held_back) = sends_for(&mut replica, None, reason);
        assert_eq!((asks.get(&2026), more, held_back), (Some(&1), true, None));
        sends(&mut replica, None);
        assert_eq!(replica.unsent(), 0);
    }
}

#[test]
fn a_lot_waits_until_all_its_changes_are_acknowledged() {
    let store = MemoryStore::default();
    let (mut replica, _) = open(&store);
    assert!(replica.unsent_lots().unwrap().is_empty());
    records(&mut replica, 2026, 2);
    let waiting = replica.unsent_lots().unwrap();
    assert_eq!(waiting.len(), 2, "the book's list is no lot");
    let document = replica.document(&book(2026)).unwrap().unwrap();
    let listed = crate::schema::harvest::lots(document).into_iter();
    let listed: BTreeSet<_> = listed.map(|lot| LotId::in_book(&book(2026), lot.key).unwrap()).collect();
    assert_eq!(waiting, listed);
    while sends(&mut replica, None).1 {}
    assert!(replica.unsent_lots().unwrap().is_empty());

    let lot = waiting.into_iter().next().unwrap();
    let note = LotEdit::Note("wet".to_owned());
    replica.edit(&book(2026), Instant(9), |doc| correct(doc, lot.key(), &note)).unwrap();
    assert_eq!(replica.unsent_lots().unwrap(), BTreeSet::from([lot.clone()]), "an edit waits as the lot did");
    let held_back = sends_for(&mut replica, Some(2026), RefusalReason::NoRoom).2;
    assert_eq!(
        (held_back.is_some(), replica.unsent_lots().unwrap().len()),
        (true, 1),
        "it waits while it is held back"
    );

    let grants = Grants { version: 1, roles: [Role::Coordinator].into() };
    let (cooperative, device) = (CooperativeId::from_bytes([2; 16]), DeviceId::from_bytes([4; 8]));
    let store = Arc::new(MemoryStore::default());
    let (mut packer, _) = Replica::open(store, cooperative, device, &grants, Incarnation::new(7)).unwrap();
    let outcome = crate::schema::receipt::Outcome::Rejected { reason: "wet".to_owned() };
    let day = "2026-10-03".parse().unwrap();
    packer
        .edit(&lot.receipt_book(), Instant(9), |doc| crate::schema::receipt::receive(doc, &lot, &outcome, day))
        .unwrap();
    assert_eq!(packer.unsent_lots().unwrap(), BTreeSet::from([lot]), "a receipt waits too");
}

#[test]
fn edits_that_are_made_together_are_all_made_or_none() {
    let store = MemoryStore::default();
    let (mut replica, _) = open(&store);
    let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), "2026-10-03".parse().unwrap());
    let recorded =
        |year| DocumentEdit { key: book(year), message: None, edit: Box::new(|doc| record(doc, &draft).map(drop)) };
    let fails = DocumentEdit { key: book(2027), message: None, edit: Box::new(|_| Err(DocumentFault::Full)) };
    assert!(replica.edit_together(Instant(1), vec![recorded(2026), fails]).is_err());
    let household = HouseholdId::from_bytes([1; 16]);
    let receipts = DocumentKey::ReceiptBook(Book::first(household, Season::new(2026).unwrap()));
    let not_allowed = DocumentEdit { key: receipts, message: None, edit: Box::new(|_| Ok(())) };
    assert_eq!(replica.edit_together(Instant(1), vec![recorded(2026), not_allowed]), Err(Error::NotAllowed));
    assert_eq!((replica.unsent(), replica.documents()), (0, Vec::new()));
    replica.edit_together(Instant(1), vec![recorded(2026), recorded(2027)]).unwrap();
    assert_eq!((replica.unsent(), replica.documents().len()), (4, 2), "two books, each with its beginning and a lot");
    assert_eq!(open(&store).0.documents(), replica.documents());
}

#[test]
fn blocked_document_lets_others_pass() {
    let (mut replica, _) = open(&MemoryStore::default());
    records(&mut replica, 2026, 400);
    let (first, more) = sends(&mut replica, Some(2026));
    assert!(first[&2026] > 1 && first[&2026] < 400, "a page of them");
    assert!(!more, "nothing else is unsent");
    records(&mut replica, 2027, 3);
    assert_eq!(sends(&mut replica, Some(2026)), ([(2026, 1), (2027, 4)].into(), false));
    let (_, more) = sends(&mut replica, None);
    assert!(more, "it is not blocked any more");
    let (again, _) = sends(&mut replica, None);
    assert!(again[&2026] > 1);
}

/// A server that always says that there is more, and gives nothing. While it acknowledges something, the sync goes on.
#[test]
fn sync_that_makes_no_progress_ends() {
    let (mut replica, _) = open(&MemoryStore::default());
    let reply = SyncReply {
        cursor: Cursor::default(),
        more: true,
        refused: Vec::new(),
        grants: None,
        listed: Vec::new(),
        bundle: Vec::new(),
        attestations: Vec::new(),
        reconciles: false,
        heads: Vec::new(),
        fetched: Vec::new(),
        notices: Vec::new(),
        told_seconds: 0,
    };
    let body = write_reply(&write_message(&reply));
    let pace = Pace::default();
    let (mut session, _) = Session::begin(&mut replica, pace, 0, None).unwrap();
    for round in 1..=20 {
        records(&mut replica, 2026, round);
        assert!(matches!(session.take_reply(&mut replica, pace, &body), Ok(Step::Send(_))), "{round}");
    }
    let last = (1..20).find_map(|round| Some((round, session.take_reply(&mut replica, pace, &body).err()?)));
    let (round, error) = last.unwrap();
    assert_eq!(error, Error::NoProgress);
    assert!(round < 10, "{round} rounds");
}

/// What another store of the same device holds comes back: documents, and what waits to be sent. A repeat changes nothing.
#[test]
fn store_that_was_set_aside_is_taken_back() {
    let (old, new) = (MemoryStore::default(), MemoryStore::default());
    let mut other = open(&old).0;
    records(&mut other, 2026, 3);
    sends(&mut other, None);
    records(&mut other, 2026, 2);
    let mut replica = open_as(&new, Incarnation::new(2)).0;
    records(&mut replica, 2026, 1);
    let waiting = replica.unsent();
    let taken = replica.take_back(&mut other).unwrap();
    // The book's first change is the same everywhere.
    assert_eq!(taken, TakenBack { changes: 5, unsent: 2 });
    assert_eq!(replica.unsent(), waiting + 2);
    assert!(replica.is_reconciling());
    let lots =
        |replica: &mut Replica| crate::schema::harvest::lots(replica.document(&book(2026)).unwrap().unwrap()).len();
    assert_eq!(lots(&mut replica), 6);
    assert_eq!(replica.take_back(&mut other).unwrap(), TakenBack::default());
    assert_eq!(lots(&mut open(&new).0), 6, "it is durable");
}
