//! What the server refused, set aside or erased after it was sent.

use super::*;

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
