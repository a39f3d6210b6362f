//! A replica with a server that the tests play.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

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

fn open(store: &MemoryStore) -> (Replica, Vec<Damage>) {
    open_as(store, Incarnation::new(1))
}

fn open_as(store: &MemoryStore, incarnation: Incarnation) -> (Replica, Vec<Damage>) {
    let roles = [Role::Household(HouseholdId::from_bytes([1; 16]))].into();
    let (cooperative, device) = (CooperativeId::from_bytes([2; 16]), DeviceId::from_bytes([3; 8]));
    let grants = Grants { version: 1, roles };
    Replica::open(Arc::new(store.clone()), cooperative, device, &grants, incarnation).unwrap()
}

#[test]
fn unreadable_backfill_is_reported_and_reconciled_again() {
    let store = MemoryStore::default();
    let mut batch = Batch::default();
    batch.put([b"b".as_slice(), &[7; 16]].concat(), b"no backfill".as_slice());
    store.apply(&batch).unwrap();
    let (mut replica, damage) = open(&store);
    assert_eq!(damage.len(), 1);
    assert!(replica.is_reconciling());
    assert_eq!(replica.unsent(), 0);
    assert!(replica.outbox_page(PAGE_BYTES).unwrap().documents.is_empty());
    let (replica, damage) = open(&store);
    assert_eq!(damage, [], "it is reported once");
    assert!(replica.is_reconciling());
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

/// The lots of all parts of the household's book of 2026, by part.
fn lots_by_part(replica: &mut Replica) -> Vec<usize> {
    let parts = replica.parts(&book(2026));
    parts.iter().map(|part| crate::schema::harvest::lots(replica.document(part).unwrap().unwrap()).len()).collect()
}

/// Records lots, each in the part that has room.
fn records_in_parts(replica: &mut Replica, lots: i64) {
    for lot in 1..=lots {
        let draft = LotDraft::new("millet", Grams::new(1_000 + lot).unwrap(), "2026-10-03".parse().unwrap());
        let part = replica.part_to_write(&book(2026)).unwrap();
        replica.edit(&part, Instant(lot), |doc| record(doc, &draft)).unwrap();
    }
}

#[test]
fn book_goes_on_in_parts() {
    let store = MemoryStore::default();
    let (mut replica, _) = open(&store);
    replica.set_part_bytes(16 * 1024);
    records_in_parts(&mut replica, 400);
    let parts = lots_by_part(&mut replica);
    assert!(parts.len() > 3, "{parts:?}");
    assert_eq!(parts.iter().sum::<usize>(), 400, "{parts:?}");
    // What a phone knows of its parts outlasts its end.
    let (mut again, _) = open(&store);
    again.set_part_bytes(16 * 1024);
    let last = again.part_to_write(&book(2026)).unwrap().part();
    assert!(usize::from(last.number()) >= parts.len());
    assert_eq!(lots_by_part(&mut again), parts);
}

#[test]
fn part_that_eight_phones_fill_apart_stays_within_a_document() {
    let mut document = Document::new(book(2026)).unwrap();
    for phone in 1..=8u8 {
        let grants = Grants { version: 1, roles: [Role::Household(HouseholdId::from_bytes([1; 16]))].into() };
        let (cooperative, device) = (CooperativeId::from_bytes([2; 16]), DeviceId::from_bytes([phone; 8]));
        let store = Arc::new(MemoryStore::default());
        let (mut replica, _) = Replica::open(store, cooperative, device, &grants, Incarnation::new(1)).unwrap();
        let mut lots = 0;
        while replica.part_to_write(&book(2026)).unwrap() == book(2026) {
            records_in_parts(&mut replica, 20);
            lots += 20;
        }
        assert!(lots > 300, "{lots} lots");
        assert!(!document.is_full(), "phone {phone}");
        let changes = replica.document(&book(2026)).unwrap().unwrap().changes_since(&[]).unwrap();
        let fresh: Vec<_> = changes.into_iter().filter(|change| !document.has(change.hash())).collect();
        document.apply(&fresh).unwrap();
        document.save();
    }
    assert!(!document.is_full(), "{} bytes", document.bytes());
}

#[test]
fn part_of_which_something_was_refused_is_not_written_further() {
    let (mut replica, _) = open(&MemoryStore::default());
    records_in_parts(&mut replica, 3);
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    let refused = [Refusal { document: 0, reason: RefusalReason::TooManyActors }];
    let reply = SyncReply { refused: refused.into(), ..SyncReply::default() };
    replica.receive(&page, &[], &reply).unwrap();
    assert_eq!(replica.part_to_write(&book(2026)).unwrap().part().number(), 2);
}

fn reply() -> SyncReply {
    SyncReply { cursor: Cursor::default(), ..SyncReply::default() }
}

/// Records three lots, has them acknowledged, and is told that the server set the last two aside.
fn set_aside_two_of_three(replica: &mut Replica) {
    records(replica, 2026, 3);
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    replica.receive(&page, &[], &reply()).unwrap();
    assert_eq!((replica.unsent(), replica.undelivered()), (0, 0));
    let changes = replica.document(&book(2026)).unwrap().unwrap().changes_since(&[]).unwrap();
    let notice = Notice {
        number: 1,
        key: book(2026).to_bytes(),
        reason: AsideReason::Full,
        changes: ChangeRange::covering(&changes[2..3]),
    };
    let received =
        replica.receive(&OutboxPage::default(), &[], &SyncReply { notices: vec![notice], ..reply() }).unwrap();
    assert!(received.changed.contains(&book(2026)));
    assert_eq!(received.quarantined.len(), 1);
}

#[test]
fn what_the_server_sets_aside_counts_as_undelivered_and_its_lots_are_marked() {
    let store = MemoryStore::default();
    let (mut replica, _) = open(&store);
    let actor = replica.actor();
    set_aside_two_of_three(&mut replica);
    // The third lot builds on the second.
    assert_eq!((replica.unsent(), replica.undelivered()), (0, 2));
    let shown = replica.undelivered_in(&book(2026)).unwrap().unwrap();
    assert_eq!(shown.lots.values().collect::<Vec<_>>(), [&AsideReason::Full, &AsideReason::Full]);
    assert_eq!(replica.fetches().unwrap().len(), 1, "the document comes as others have it");
    // Numbers of changes that may still be taken in are not used again.
    assert_ne!(replica.actor(), actor);
    let (again, _) = open(&store);
    assert_eq!(again.undelivered(), 2, "also after a restart");
}

#[test]
fn what_was_set_aside_and_comes_back_is_delivered() {
    let (mut replica, _) = open(&MemoryStore::default());
    let mut server = Document::new(book(2026)).unwrap();
    records(&mut replica, 2026, 3);
    let changes = replica.document(&book(2026)).unwrap().unwrap().changes_since(&[]).unwrap();
    server.apply(&changes[1..]).unwrap();
    drop(replica);
    let (mut replica, _) = open(&MemoryStore::default());
    set_aside_two_of_three(&mut replica);
    let key = book(2026);
    let changes = server.changes_since(&[]).unwrap();
    let bundle = crate::protocol::bundle::write_bundle(&[crate::protocol::bundle::DocumentChanges { key, changes }]);
    let received = replica.receive(&OutboxPage::default(), &[], &SyncReply { bundle, ..reply() }).unwrap();
    assert!(received.changed.contains(&book(2026)));
    assert_eq!(replica.undelivered(), 0);
    assert!(replica.undelivered_in(&book(2026)).unwrap().is_none());
}

#[test]
fn what_a_grant_refused_goes_out_again_with_the_next_grant() {
    let (mut replica, _) = open(&MemoryStore::default());
    records(&mut replica, 2026, 3);
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    let refused = vec![Refusal { document: 0, reason: RefusalReason::MayNotWrite }];
    let none = Some(Grants { version: 2, roles: [].into() });
    replica.receive(&page, &[], &SyncReply { refused, grants: none, ..reply() }).unwrap();
    assert_eq!((replica.unsent(), replica.undelivered()), (0, 3));
    let again = Grants { version: 3, roles: [Role::Household(HouseholdId::from_bytes([1; 16]))].into() };
    replica.receive(&OutboxPage::default(), &[], &SyncReply { grants: Some(again), ..reply() }).unwrap();
    assert_eq!((replica.unsent(), replica.undelivered()), (4, 0));
    assert_eq!(lots_by_part(&mut replica), [3]);
}

/// A change that the phone got from another, without the server's code, goes back after a restoration; where the server
/// takes no such change, the rest goes without it.
#[test]
fn what_nothing_proves_is_given_back_and_left_out_where_the_server_refuses_it() {
    for reason in [RefusalReason::ForeignActor, RefusalReason::MayNotWrite] {
        let (mut replica, _) = open(&MemoryStore::default());
        records(&mut replica, 2026, 2);
        let page = replica.outbox_page(PAGE_BYTES).unwrap();
        replica.receive(&page, &[], &reply()).unwrap();
        let mut server = replica.document(&book(2026)).unwrap().unwrap().clone();
        let another = DeviceId::from_bytes([9; 8]).actor(Incarnation::new(1));
        let draft = LotDraft::new("millet", Grams::new(9_000).unwrap(), "2026-10-03".parse().unwrap());
        let foreign = server.edit(&another, Instant(9), |doc| record(doc, &draft)).unwrap().1.unwrap();
        let documents = [crate::protocol::bundle::DocumentChanges { key: book(2026), changes: vec![foreign.clone()] }];
        let bundle = crate::protocol::bundle::write_bundle(&documents);
        replica.receive(&OutboxPage::default(), &[], &SyncReply { bundle, ..reply() }).unwrap();
        // A restored server names no document.
        replica.receive(&OutboxPage::default(), &[], &SyncReply { reconciles: true, ..reply() }).unwrap();
        let sent = |page: &OutboxPage| page.documents[0].backfill.clone().unwrap();
        let page = replica.outbox_page(PAGE_BYTES).unwrap();
        assert!(sent(&page).contains(&foreign.hash()) && page.documents[0].has_unproven);
        let refused = vec![Refusal { document: 0, reason }];
        let received = replica.receive(&page, &[], &SyncReply { refused, ..reply() }).unwrap();
        assert!(received.more && received.quarantined.is_empty(), "{received:?}");
        let page = replica.outbox_page(PAGE_BYTES).unwrap();
        assert_eq!(sent(&page).len(), 3, "the first change and two lots");
        assert!(!sent(&page).contains(&foreign.hash()) && !page.documents[0].has_unproven);
        let received = replica.receive(&page, &[], &reply()).unwrap();
        assert!(!received.more && replica.outbox_page(PAGE_BYTES).unwrap().documents.is_empty());
    }
}

/// A document without changes in a reply says that it was erased: the phone deletes it, with what was unsent and quarantined.
#[test]
fn erased_document_goes_with_all_that_was_unsent_of_it() {
    let store = MemoryStore::default();
    let (mut replica, _) = open(&store);
    set_aside_two_of_three(&mut replica);
    records(&mut replica, 2027, 1);
    records(&mut replica, 2026, 1);
    assert!(replica.unsent() > 2 && replica.undelivered() > 0);
    let documents = [crate::protocol::bundle::DocumentChanges { key: book(2026), changes: Vec::new() }];
    let bundle = crate::protocol::bundle::write_bundle(&documents);
    let received = replica.receive(&OutboxPage::default(), &[], &SyncReply { bundle, ..reply() }).unwrap();
    assert_eq!(received.forgotten, [book(2026)].into());
    assert_eq!(received.erased, received.forgotten, "the person is told that nobody has it any more");
    assert_eq!(received.quarantined.len(), 1, "the person is told that something of theirs went");
    assert_eq!((replica.unsent(), replica.undelivered()), (2, 0), "the other book waits");
    assert_eq!(replica.documents().len(), 1);
    assert!(replica.fetches().unwrap().is_empty());
    let id = book(2026).id(CooperativeId::from_bytes([2; 16]));
    let is_of_it = |row: &crate::store::Row| row.key.windows(16).any(|part| part == id.as_bytes());
    assert!(!store.scan_all(&[]).unwrap().iter().any(is_of_it));
    // Written anew, the server refuses it.
    records(&mut replica, 2026, 1);
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    let document = page.documents.iter().position(|document| document.key == book(2026)).unwrap();
    let refused = vec![Refusal { document: u32::try_from(document).unwrap(), reason: RefusalReason::Erased }];
    let received = replica.receive(&page, &[], &SyncReply { refused, ..reply() }).unwrap();
    assert_eq!(received.quarantined.len(), 1);
    assert_eq!((replica.unsent(), replica.undelivered(), replica.documents().len()), (0, 0, 1));
}
