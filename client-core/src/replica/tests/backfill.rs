//! What goes back to a restored server.

use super::*;
use crate::ids::ChangeHash;
use crate::protocol::messages::{DocumentHeads, Fetched};

/// A reply in which the device becomes a packer, who reads harvest books and writes none.
fn packer() -> SyncReply {
    SyncReply { grants: Some(Grants { version: 2, roles: [Role::Packer].into() }), ..reply() }
}

fn bundle_of(changes: &[VerifiedChange]) -> Vec<u8> {
    let documents = [crate::protocol::bundle::DocumentChanges { key: book(2026), changes: changes.to_vec() }];
    crate::protocol::bundle::write_bundle(&documents)
}

/// Three lots that the server acknowledged, with their changes: the first change and a change a lot.
fn acknowledged_lots(replica: &mut Replica) -> Vec<VerifiedChange> {
    records(replica, 2026, 3);
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    replica.receive(&page, &[], &reply()).unwrap();
    replica.document(&book(2026)).unwrap().unwrap().changes_since(&[]).unwrap()
}

/// A lot that another device wrote after what is here.
fn another_lot(replica: &mut Replica) -> VerifiedChange {
    let mut server = replica.document(&book(2026)).unwrap().unwrap().clone();
    let another = DeviceId::from_bytes([9; 8]).actor(Incarnation::new(1));
    let draft = LotDraft::new("millet", Grams::new(9_000).unwrap(), "2026-10-03".parse().unwrap());
    server.edit(&another, Instant(9), |doc| record(doc, &draft)).unwrap().1.unwrap()
}

/// A restored server has the first lot alone. What the device may write no more is lost, and its document forgotten, by the
/// same reply that goes on with its fetch: the fetch begins anew.
#[test]
fn document_that_is_forgotten_while_it_is_fetched_is_fetched_whole() {
    let (mut replica, _) = open(&MemoryStore::default());
    let changes = acknowledged_lots(&mut replica);
    let heads = vec![DocumentHeads {
        key: book(2026).to_bytes(),
        heads: vec![changes[1].hash(), ChangeHash::from_bytes([9; 32])],
    }];
    replica.receive(&OutboxPage::default(), &[], &SyncReply { reconciles: true, heads, ..reply() }).unwrap();
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    assert!(page.documents[0].backfill.is_some());
    let fetches = replica.fetches().unwrap();
    let refused = vec![Refusal { document: 0, reason: RefusalReason::MayNotWrite }];
    let fetched = vec![Fetched { through: 4, complete: false }];
    replica.receive(&page, &fetches, &SyncReply { refused, fetched, ..packer() }).unwrap();
    // The server's own code stands for the first change alone, so that is all that may go back.
    let page = OutboxPage {
        documents: vec![PageDocument {
            key: book(2026),
            numbers: Vec::new(),
            backfill: Some([changes[0].hash()].into()),
            has_unproven: false,
        }],
        ..OutboxPage::default()
    };
    let fetches = replica.fetches().unwrap();
    assert_eq!(fetches[0].through, 4);
    let fetched = vec![Fetched { through: 9, complete: true }];
    let bundle = bundle_of(&changes[..2]);
    replica.receive(&page, &fetches, &SyncReply { bundle, fetched, ..reply() }).unwrap();
    assert_eq!(replica.undelivered(), 2, "the two lots that the server lost are kept");
    assert_eq!(replica.fetches().unwrap().iter().map(|fetch| fetch.through).collect::<Vec<_>>(), [0]);
}

/// A packer's phone with a guess of a loss: of its own lots from before, the last two, and another's on them, came before
/// what they build on. With all changes, the other's last.
fn with_a_guess() -> (Replica, Vec<VerifiedChange>) {
    let (mut author, _) = open(&MemoryStore::default());
    let own = acknowledged_lots(&mut author);
    let foreign = another_lot(&mut author);
    let (mut replica, _) = open_as(&MemoryStore::default(), Incarnation::new(2));
    replica.receive(&OutboxPage::default(), &[], &packer()).unwrap();
    for changes in [[&own[2..], std::slice::from_ref(&foreign)].concat(), own[..2].to_vec()] {
        let reply = SyncReply { bundle: bundle_of(&changes), ..reply() };
        replica.receive(&OutboxPage::default(), &[], &reply).unwrap();
    }
    assert_eq!(lots_by_part(&mut replica), [4]);
    (replica, [own, vec![foreign]].concat())
}

/// Where the device may not write, a guess makes none of its changes lost: the server is asked for its heads.
#[test]
fn guess_of_a_loss_asks_the_server() {
    let (mut replica, changes) = with_a_guess();
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    assert_eq!(page.documents[0].backfill, Some([changes[4].hash()].into()), "its own may not go");
    let received = replica.receive(&page, &[], &reply()).unwrap();
    assert!(received.more && replica.is_reconciling());
    assert_eq!((replica.undelivered(), lots_by_part(&mut replica)), (0, vec![4]));
}

/// A notice takes out all that such a guess could give back.
#[test]
fn guess_that_a_notice_ends_asks_the_server() {
    let (mut replica, changes) = with_a_guess();
    let (key, reason) = (book(2026).to_bytes(), AsideReason::Full);
    let notice = Notice { number: 1, key, reason, changes: ChangeRange::covering(&changes[3..4]) };
    let received =
        replica.receive(&OutboxPage::default(), &[], &SyncReply { notices: vec![notice], ..reply() }).unwrap();
    assert!(received.more && replica.is_reconciling());
    assert_eq!(lots_by_part(&mut replica), [2], "what is left stays in view");
}

/// A notice takes one lot out of a document of which the server lacks others: they still go back.
#[test]
fn notice_leaves_what_the_server_lacks() {
    let (mut replica, _) = open(&MemoryStore::default());
    let changes = acknowledged_lots(&mut replica);
    let number = 1;
    let (key, reason) = (book(2026).to_bytes(), AsideReason::Full);
    let notice = Notice { number, key, reason, changes: ChangeRange::covering(&changes[3..]) };
    // A restored server names no document.
    let reply = SyncReply { reconciles: true, notices: vec![notice], ..reply() };
    replica.receive(&OutboxPage::default(), &[], &reply).unwrap();
    assert_eq!(replica.undelivered(), 1);
    let page = replica.outbox_page(PAGE_BYTES).unwrap();
    let sent = page.documents[0].backfill.clone().unwrap();
    assert_eq!(sent, changes[..3].iter().map(VerifiedChange::hash).collect());
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

/// A change that the phone got from another, without the server's code, goes back after a restoration; where the server
/// takes no such change, the rest goes without it.
#[test]
fn what_nothing_proves_is_given_back_and_left_out_where_the_server_refuses_it() {
    for reason in [RefusalReason::ForeignActor, RefusalReason::MayNotWrite] {
        let (mut replica, _) = open(&MemoryStore::default());
        records(&mut replica, 2026, 2);
        let page = replica.outbox_page(PAGE_BYTES).unwrap();
        replica.receive(&page, &[], &reply()).unwrap();
        let foreign = another_lot(&mut replica);
        let bundle = bundle_of(std::slice::from_ref(&foreign));
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
