//! A book that has grown goes on in its next part.

use super::*;

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
