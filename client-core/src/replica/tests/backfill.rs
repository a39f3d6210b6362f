//! What goes back to a restored server.

use super::*;

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
