//! Copies of phones, and damaged ones.

use super::*;

fn what_two_copies_have_is_there_once_though_a_third_has_used_a_number() {
    let mut world = world();
    syncs(&mut world, LI);
    let first = is_copied(&mut world, LI);
    damage(&mut world.phones[first], b'm');
    records(&mut world, first, "of the first copy");
    records(&mut world, LI, "of both");
    damage(&mut world.phones[LI], b'c');
    let second = is_copied(&mut world, LI);
    records(&mut world, LI, "of the phone");
    for phone in [first, LI, second] {
        syncs(&mut world, phone);
    }
    ends_with(&mut world, &["of both", "of the first copy", "of the phone"]);
}

fn what_had_to_be_named_twice_is_there_once() {
    let mut world = world();
    syncs(&mut world, LI);
    let rival = is_copied(&mut world, LI);
    records(&mut world, rival, "of the rival");
    records(&mut world, LI, "of three");
    let third = is_copied(&mut world, LI);
    records(&mut world, third, "of the third");
    records(&mut world, LI, "of two");
    let second = is_copied(&mut world, LI);
    syncs(&mut world, rival);
    // It names its lots anew, and another copy takes the second of the names before they are there.
    syncs_until_the_line_breaks(&mut world, LI, 3);
    assert!(world.phones[LI].disk.count(b"p") > 0, "they have other names");
    for phone in [third, LI, second] {
        syncs(&mut world, phone);
    }
    ends_with(&mut world, &["of the rival", "of the third", "of three", "of two"]);
}

fn what_was_written_while_its_document_is_put_by_outlives_a_damaged_outbox() {
    let mut world = world_with_a_lot_put_by();
    records(&mut world, LI, "written meanwhile");
    damage(&mut world.phones[LI], b'o');
    damage(&mut world.phones[LI], b'o');
    ends_with(&mut world, &["of the copy", "of the phone", "written meanwhile"]);
}

fn what_a_damage_took_from_the_outbox_outlives_a_number_that_a_copy_has_used() {
    let mut world = world_with_a_lot_put_by();
    let second = is_copied(&mut world, LI);
    records(&mut world, second, "of the second copy");
    records(&mut world, LI, "written meanwhile");
    syncs(&mut world, second);
    // The first that waits is the document's beginning, the second the lot; the document is to come whole.
    assert!(world.phones[LI].loses(1, |key| key.first() == Some(&b'o')).unwrap().is_some());
    ends_with(&mut world, &["of the copy", "of the phone", "of the second copy", "written meanwhile"]);
}

fn what_the_server_has_just_taken_follows_what_it_builds_on() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    records(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    let copy = is_copied(&mut world, LI);
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    has_small_pages(&mut world, LI);
    (0..6).for_each(|_| records_at_length(&mut world, LI));
    // The first of them, which is another's number, is sent again before the others.
    damage(&mut world.phones[LI], b'o');
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
}

fn what_a_damage_took_from_the_outbox_is_sent_before_what_builds_on_it() {
    let mut world = world();
    syncs(&mut world, LI);
    records(&mut world, LI, "first of all");
    syncs(&mut world, LI);
    records(&mut world, LI, "of both");
    damage(&mut world.phones[LI], b'o');
    let copy = is_copied(&mut world, LI);
    has_small_pages(&mut world, copy);
    (0..6).for_each(|_| records_at_length(&mut world, copy));
    records(&mut world, LI, "of the phone");
    // What the copy said last has come, and what it builds on only if that was sent before.
    syncs_until_the_line_breaks(&mut world, copy, 3);
    syncs(&mut world, LI);
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
}

fn what_was_to_be_sent_is_there_again_though_a_damage_took_its_document() {
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
    what_two_copies_have_is_there_once_though_a_third_has_used_a_number,
    what_had_to_be_named_twice_is_there_once,
    what_was_written_while_its_document_is_put_by_outlives_a_damaged_outbox,
    what_a_damage_took_from_the_outbox_outlives_a_number_that_a_copy_has_used,
    what_the_server_has_just_taken_follows_what_it_builds_on,
    what_a_damage_took_from_the_outbox_is_sent_before_what_builds_on_it,
    what_was_to_be_sent_is_there_again_though_a_damage_took_its_document,
}
