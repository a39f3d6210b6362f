//! Copies of phones, and damaged ones.

use super::*;

fn copies_bring_a_shared_lot_once() {
    let mut world = world();
    syncs(&mut world, LI);
    let first = is_copied(&mut world, LI);
    records(&mut world, first, "of the first copy");
    records(&mut world, LI, "of both");
    let second = is_copied(&mut world, LI);
    records(&mut world, LI, "of the phone");
    records(&mut world, second, "of the second copy");
    for phone in [first, LI, second] {
        syncs(&mut world, phone);
    }
    ends_with(&mut world, &["of both", "of the first copy", "of the phone", "of the second copy"]);
}

// The copy repeats a part of what its original sent in one request, with the receipt that both had. It must not count
// the rest as its own, or it would never get it.
fn copy_that_repeats_a_part_gets_the_rest() {
    let mut world = world();
    syncs(&mut world, LI);
    records(&mut world, LI, "of both");
    let copy = is_copied(&mut world, LI);
    records(&mut world, LI, "of the phone");
    syncs(&mut world, LI);
    syncs(&mut world, copy);
    ends_with(&mut world, &["of both", "of the phone"]);
}

// Both sent something behind one receipt; each must get the other's.
fn copies_with_one_receipt_get_each_others_lots() {
    let mut world = world();
    records(&mut world, LI, "before the copy");
    syncs(&mut world, LI);
    let copy = is_copied(&mut world, LI);
    for (phone, note) in [(LI, "of the phone"), (copy, "of the copy")] {
        records(&mut world, phone, note);
        syncs(&mut world, phone);
    }
    records(&mut world, copy, "of the copy again");
    [copy, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    ends_with(&mut world, &["before the copy", "of the copy", "of the copy again", "of the phone"]);
}

fn change_lost_from_the_outbox_is_sent_before_what_builds_on_it() {
    let mut world = world();
    syncs(&mut world, LI);
    records(&mut world, LI, "first of all");
    syncs(&mut world, LI);
    records(&mut world, LI, "lost from the outbox");
    damage(&mut world.phones[LI], b'o');
    let copy = is_copied(&mut world, LI);
    has_small_pages(&mut world, copy);
    (0..6).for_each(|_| records_at_length(&mut world, copy));
    records(&mut world, LI, "of the phone");
    syncs(&mut world, copy);
    syncs(&mut world, LI);
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
}

// What a damage had cut off was in no reconciliation, since the document did not show it: only once the rest has come
// again the phone can tell that the restored server lacks it.
fn cut_off_lot_is_given_back_to_a_restored_server() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    records(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.backs_up();
    records(&mut world, LI, "builds on it");
    syncs(&mut world, LI);
    let phone = &mut world.phones[LI];
    let changes = [b"c", book(household(1)).id(phone.cooperative).as_bytes().as_slice()].concat();
    // The beginning is the first of the rows, the other's lot the second.
    assert!(phone.loses(1, |key| key.starts_with(&changes)).unwrap().is_some());
    world.is_restored().unwrap();
    ends_with(&mut world, &["builds on it", "of another"]);
}

// A reply that could not be kept must leave nothing in memory of a document that was read while it was applied.
fn failed_reply_leaves_no_trace_in_a_damaged_document() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    records(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    damage(&mut world.phones[LI], b'c');
    world.phones[LI].disk.fill_for(9);
    for _ in 0..3 {
        let _ = world.syncs(LI, |_| Line::Whole).unwrap();
    }
    world.phones[LI].disk.make_room();
    records(&mut world, LI, "once there is room");
    ends_with(&mut world, &["of another", "once there is room"]);
}

fn document_whose_entry_is_lost_gets_unsent_changes_back() {
    let mut world = world();
    has_small_pages(&mut world, LI);
    world.phones[LI].is_newer = true;
    (0..2).for_each(|_| records_at_length(&mut world, LI));
    // Only the beginning of the document has come to the server.
    syncs_until_the_line_breaks(&mut world, LI, 2);
    let phone = &mut world.phones[LI];
    let entry = [b"d", book(household(1)).id(phone.cooperative).as_bytes().as_slice()].concat();
    assert!(phone.loses(0, |key| key == entry).unwrap().is_some());
    records(&mut world, LI, "after the damage");
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
}

stories! {
    copies_bring_a_shared_lot_once,
    copy_that_repeats_a_part_gets_the_rest,
    copies_with_one_receipt_get_each_others_lots,
    change_lost_from_the_outbox_is_sent_before_what_builds_on_it,
    cut_off_lot_is_given_back_to_a_restored_server,
    failed_reply_leaves_no_trace_in_a_damaged_document,
    document_whose_entry_is_lost_gets_unsent_changes_back,
}
