//! Copied and damaged phones.

use super::*;

/// Damages the row of the first lot of LI's harvest book: what builds on it is cut off.
fn lose_the_first_lot(phone: &mut SimPhone) {
    let changes = [b"c", book(household(1)).id(phone.cooperative).as_bytes().as_slice()].concat();
    // The beginning is the first of the rows.
    assert!(phone.lose_row(1, |key| key.starts_with(&changes)).unwrap().is_some());
}

/// Loses the entry of LI's harvest book, with the row of which it would be made anew.
fn lose_the_entry_of_the_book(phone: &mut SimPhone) {
    let id = book(household(1)).id(phone.cooperative);
    let is_entry = |key: &[u8]| matches!(key.split_first(), Some((b'd' | b'k', rest)) if rest == id.as_bytes());
    assert_eq!(phone.disk.count_of(is_entry), 2);
    phone.lose_rows(is_entry).unwrap();
}

fn copies_send_shared_lot_once() {
    let mut world = world();
    sync(&mut world, LI);
    let first = copy_phone(&mut world, LI);
    record(&mut world, first, "of the first copy");
    record(&mut world, LI, "of both");
    let second = copy_phone(&mut world, LI);
    record(&mut world, LI, "of the phone");
    record(&mut world, second, "of the second copy");
    for phone in [first, LI, second] {
        sync(&mut world, phone);
    }
    assert_lots_after_recovery(&mut world, &["of both", "of the first copy", "of the phone", "of the second copy"]);
}

// The copy repeats a part of a request of its original, with the receipt that both had. It must not adopt the entry, or
// the feed would leave out the rest of it.
fn copy_that_repeats_a_part_gets_the_rest() {
    let mut world = world();
    sync(&mut world, LI);
    record(&mut world, LI, "of both");
    let copy = copy_phone(&mut world, LI);
    record(&mut world, LI, "of the phone");
    sync(&mut world, LI);
    sync(&mut world, copy);
    assert_lots_after_recovery(&mut world, &["of both", "of the phone"]);
}

// Both copies submit entries behind one receipt. Each must get the entries of the other.
fn copies_with_one_receipt_get_each_others_lots() {
    let mut world = world();
    record(&mut world, LI, "before the copy");
    sync(&mut world, LI);
    let copy = copy_phone(&mut world, LI);
    for (phone, note) in [(LI, "of the phone"), (copy, "of the copy")] {
        record(&mut world, phone, note);
        sync(&mut world, phone);
    }
    record(&mut world, copy, "of the copy again");
    [copy, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    assert_lots_after_recovery(&mut world, &["before the copy", "of the copy", "of the copy again", "of the phone"]);
}

fn change_lost_from_the_outbox_is_sent_before_what_builds_on_it() {
    let mut world = world();
    sync(&mut world, LI);
    record(&mut world, LI, "first of all");
    sync(&mut world, LI);
    record(&mut world, LI, "lost from the outbox");
    damage(&mut world.phones[LI], b'o');
    let copy = copy_phone(&mut world, LI);
    use_small_pages(&mut world, copy);
    (0..6).for_each(|_| record_at_length(&mut world, copy));
    record(&mut world, LI, "of the phone");
    sync(&mut world, copy);
    sync(&mut world, LI);
    recover(&mut world).unwrap();
    world.must_hold_after_recovery().unwrap();
}

// Damage cut a change off from its dependencies. They come back in the reply that tells the server's heads, so the phone finds
// that the restored server lacks the change.
fn cut_off_lot_is_backfilled_to_restored_server() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    record(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    world.back_up();
    record(&mut world, LI, "builds on it");
    sync(&mut world, LI);
    lose_the_first_lot(&mut world.phones[LI]);
    world.restore().unwrap();
    assert_lots_after_recovery(&mut world, &["builds on it", "of another"]);
}

// The server lost what the cut off lot builds on as well, and has it back from its author only after this phone and the
// server reconciled. Nobody else has the lot.
fn cut_off_lot_is_backfilled_once_what_it_builds_on_is_back() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    world.back_up();
    record(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    record(&mut world, LI, "builds on it");
    sync(&mut world, LI);
    lose_the_first_lot(&mut world.phones[LI]);
    world.restore().unwrap();
    [LI, author].into_iter().for_each(|phone| sync(&mut world, phone));
    assert_lots_after_recovery(&mut world, &["builds on it", "of another"]);
}

// As above, where the phone lost the entry of the document: the lot waits on the phone for the rest of the document, when the
// server loses both.
fn own_orphan_is_backfilled_once_what_it_builds_on_is_back() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    use_small_pages(&mut world, LI);
    world.back_up();
    for _ in 0..16 {
        record_at_length(&mut world, author);
        sync(&mut world, author);
    }
    sync(&mut world, LI);
    record(&mut world, LI, "builds on them");
    lose_the_entry_of_the_book(&mut world.phones[LI]);
    // The second exchange sends the lot and fetches the beginning of the document.
    sync_until_line_breaks(&mut world, LI, 3);
    let phone = &mut world.phones[LI];
    assert_eq!(phone.unsent_rows(), 0);
    assert_eq!(phone.disk.count(b"w"), 1);
    world.restore().unwrap();
    [LI, author].into_iter().for_each(|phone| sync(&mut world, phone));
    recover(&mut world).unwrap();
    world.must_hold_after_recovery().unwrap();
    let there = world.phones[COORDINATOR].notes(household(1));
    assert_eq!((there.len(), there.contains(&"builds on them".to_owned())), (17, true));
}

// A reply that fails to commit must leave no trace in memory, also in a document that was loaded to apply it.
fn failed_reply_leaves_no_trace_in_a_damaged_document() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    record(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    damage(&mut world.phones[LI], b'c');
    world.phones[LI].disk.fill_for(9);
    for _ in 0..3 {
        let _ = world.sync(LI, |_| Line::Whole).unwrap();
    }
    world.phones[LI].disk.make_room();
    record(&mut world, LI, "once there is room");
    assert_lots_after_recovery(&mut world, &["of another", "once there is room"]);
}

fn document_whose_entry_is_lost_gets_unsent_changes_back() {
    let mut world = world();
    use_small_pages(&mut world, LI);
    world.phones[LI].is_newer = true;
    (0..2).for_each(|_| record_at_length(&mut world, LI));
    // Only the beginning of the document has come to the server.
    sync_until_line_breaks(&mut world, LI, 2);
    lose_the_entry_of_the_book(&mut world.phones[LI]);
    record(&mut world, LI, "after the damage");
    recover(&mut world).unwrap();
    world.must_hold_after_recovery().unwrap();
}

stories! {
    copies_send_shared_lot_once,
    copy_that_repeats_a_part_gets_the_rest,
    copies_with_one_receipt_get_each_others_lots,
    change_lost_from_the_outbox_is_sent_before_what_builds_on_it,
    cut_off_lot_is_backfilled_to_restored_server,
    cut_off_lot_is_backfilled_once_what_it_builds_on_is_back,
    own_orphan_is_backfilled_once_what_it_builds_on_is_back,
    failed_reply_leaves_no_trace_in_a_damaged_document,
    document_whose_entry_is_lost_gets_unsent_changes_back,
}
