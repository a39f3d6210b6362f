//! Servers that were set back to a backup.

use super::*;

fn what_a_restoration_took_is_not_forgotten_over_a_number_that_a_copy_has_used() {
    let mut world = world();
    let (author, copy) = (another_of_the_household(&mut world), is_copied(&mut world, LI));
    a_restoration_takes_the_lot(&mut world, author, LI);
    records(&mut world, LI, "of the phone");
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    ends_with(&mut world, &["of a phone that broke", "of the copy", "of the phone"]);
}

fn who_still_has_what_a_restoration_took_gets_what_has_its_number_now() {
    let mut world = world();
    let (reader, copy) = (another_of_the_household(&mut world), is_copied(&mut world, LI));
    a_restoration_takes_the_lot(&mut world, LI, reader);
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    heal(&mut world).unwrap();
    assert_eq!(world.phones[reader].notes(household(1)), ["of the copy"]);
}

fn what_two_copies_said_under_the_same_numbers_stays_apart_when_both_need_others() {
    let mut world = world();
    syncs(&mut world, LI);
    let (first, third) = (is_copied(&mut world, LI), is_copied(&mut world, LI));
    world.backs_up();
    for (phone, note) in
        [(first, "one of the first"), (first, "two of the first"), (LI, "one of the phone"), (LI, "two of the phone")]
    {
        records(&mut world, phone, note);
    }
    syncs(&mut world, first);
    syncs(&mut world, LI);
    world.breaks(first);
    world.is_restored().unwrap();
    records(&mut world, third, "of the third");
    syncs(&mut world, third);
    let all = ["of the third", "one of the first", "one of the phone", "two of the first", "two of the phone"];
    ends_with(&mut world, &all);
}

fn a_name_that_somebody_has_whom_nobody_sees_is_not_given_again() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    let copy = is_copied(&mut world, author);
    syncs(&mut world, LI);
    let rival = is_copied(&mut world, LI);
    world.backs_up();
    records(&mut world, author, "of a phone that broke");
    syncs(&mut world, author);
    records(&mut world, LI, "of both");
    let second = is_copied(&mut world, LI);
    syncs(&mut world, LI);
    records(&mut world, LI, "builds on what is lost");
    world.breaks(author);
    world.is_restored().unwrap();
    for (phone, note) in [(copy, "of the copy"), (rival, "of the rival")] {
        records(&mut world, phone, note);
        syncs(&mut world, phone);
    }
    syncs(&mut world, LI);
    records(&mut world, second, "of the second");
    syncs(&mut world, second);
    heal(&mut world).unwrap();
    let there = world.phones[COORDINATOR].notes(household(1));
    assert!(there.contains(&"of the second".to_owned()), "{there:?}");
}

fn what_a_copy_had_carried_and_waits_comes_to_a_phone_that_begins_to_read() {
    let mut world = world();
    let copy = is_copied(&mut world, COORDINATOR);
    world.backs_up();
    records(&mut world, LI, "a lot");
    syncs(&mut world, LI);
    syncs(&mut world, copy);
    records(&mut world, copy, "of the copy");
    world.carries_out(copy).unwrap();
    world.breaks(copy);
    world.is_restored().unwrap();
    world.files_are_handed_in().unwrap();
    syncs(&mut world, COORDINATOR);
    ends_with(&mut world, &["a lot", "of the copy"]);
}

fn what_a_phone_wrote_is_not_refused_with_what_it_gives_back_of_others() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    world.backs_up();
    records(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.is_restored().unwrap();
    syncs_until_the_line_breaks(&mut world, LI, 2);
    records(&mut world, LI, "of the phone");
    // This server does not know yet that it has lost something.
    world.is_restored().unwrap();
    ends_with(&mut world, &["of another", "of the phone"]);
}

fn what_is_refused_before_a_loss_is_known_is_given_back_once_it_is() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    world.backs_up();
    records(&mut world, author, "of a phone that broke");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, LI, "builds on it");
    syncs(&mut world, LI);
    world.breaks(author);
    world.is_restored().unwrap();
    records(&mut world, COORDINATOR, "of the coordinator");
    syncs(&mut world, COORDINATOR);
    syncs_until_the_line_breaks(&mut world, LI, 2);
    // What is given back reaches a server that learns by the same request that it has lost something.
    world.is_restored().unwrap();
    syncs(&mut world, LI);
    ends_with(&mut world, &["builds on it", "of a phone that broke", "of the coordinator"]);
}

fn what_was_sent_twice_is_missed_when_a_restoration_takes_it() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    syncs(&mut world, LI);
    for _ in 0..40 {
        records_at_length(&mut world, author);
        syncs(&mut world, author);
    }
    world.backs_up();
    records(&mut world, LI, "a lot");
    has_small_pages(&mut world, LI);
    assert_eq!(world.syncs(LI, |_| Line::ReplyLost).unwrap(), Synced::LineFailed);
    // It is told that the lot is there, and reads nothing of so late a place in the log.
    syncs_until_the_line_breaks(&mut world, LI, 2);
    assert_eq!(world.phones[LI].replica.unsent(), 0);
    world.is_restored().unwrap();
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
    let there = world.phones[COORDINATOR].notes(household(1));
    assert!(there.contains(&"a lot".to_owned()), "{there:?}");
}

fn what_builds_on_a_lot_follows_it_to_its_new_name() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, author, "of the author");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    syncs(&mut world, author);
    records(&mut world, LI, "builds on it");
    ends_with(&mut world, &["builds on it", "of the author", "of the copy"]);
}

fn what_was_sent_again_before_its_ground_had_a_new_name_follows_it_later() {
    let (mut world, author) = world_with_a_lot_that_builds_on_a_lost_one();
    [LI, LI, author].into_iter().for_each(|phone| syncs(&mut world, phone));
    ends_with(&mut world, &["builds on it", "of the author", "of the copy"]);
}

fn what_builds_on_a_lot_that_follows_ones_own_follows_it_too() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, author, "of the author");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, LI, "builds on it");
    [LI, author].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, author, "builds on both");
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    ends_with(&mut world, &["builds on both", "builds on it", "of the author", "of the copy"]);
}

fn what_is_followed_is_not_forgotten_while_its_document_comes_in_pages() {
    let (mut world, author) = world_with_a_lot_that_builds_on_a_lost_one();
    [LI, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    (0..6).for_each(|_| records_at_length(&mut world, author));
    syncs(&mut world, author);
    has_small_pages(&mut world, LI);
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
}

fn what_others_said_is_not_given_back_without_its_ground() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, author, "of the author");
    records(&mut world, author, "and another");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, LI, "builds on both");
    syncs(&mut world, LI);
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    ends_with(&mut world, &["and another", "builds on both", "of the author", "of the copy"]);
}

fn what_waits_does_not_keep_waiting_what_was_said_before_it() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, LI, "before it");
    records(&mut world, author, "of the author");
    [LI, author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, LI, "builds on it");
    syncs(&mut world, LI);
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    [LI, LI, author].into_iter().for_each(|phone| syncs(&mut world, phone));
    ends_with(&mut world, &["before it", "builds on it", "of the author", "of the copy"]);
}

fn what_is_put_by_is_wanted_though_a_damage_took_what_was_wanted() {
    let mut world = world();
    syncs(&mut world, LI);
    world.backs_up();
    let copy = is_copied(&mut world, LI);
    records(&mut world, copy, "of the copy");
    records(&mut world, LI, "of the phone");
    syncs(&mut world, copy);
    syncs_until_the_line_breaks(&mut world, LI, 2);
    assert!(world.phones[LI].loses(0, |key| key == b"mwanted").unwrap().is_some());
    // This server has not even heard of the document.
    world.is_restored().unwrap();
    syncs(&mut world, LI);
    ends_with(&mut world, &["of the copy", "of the phone"]);
}

fn what_nobody_else_has_used_keeps_its_name_when_it_is_refused_with_others() {
    let mut world = world();
    let (author, reader) = (another_of_the_household(&mut world), another_of_the_household(&mut world));
    let copy = is_copied(&mut world, author);
    world.backs_up();
    records(&mut world, LI, "of the phone");
    records(&mut world, author, "of the author");
    [LI, author, LI, reader].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.is_restored().unwrap();
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    syncs(&mut world, LI);
    ends_with(&mut world, &["of the author", "of the copy", "of the phone"]);
}

fn what_was_not_refused_itself_keeps_its_name_though_a_restoration_hides_what_was() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    world.backs_up();
    let of_both = format!("of both {}", at_length(&mut world));
    records(&mut world, author, &of_both);
    let copy = is_copied(&mut world, author);
    has_small_pages(&mut world, copy);
    records(&mut world, author, "of the author");
    records(&mut world, copy, "of the copy");
    syncs_until_the_line_breaks(&mut world, copy, 3);
    [author, PACKER].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.is_restored().unwrap();
    // What the copy brings last waits for what it brought before.
    syncs_until_the_line_breaks(&mut world, copy, 2);
    syncs(&mut world, author);
    ends_with(&mut world, &[of_both.as_str(), "of the author", "of the copy"]);
}

stories! {
    what_a_restoration_took_is_not_forgotten_over_a_number_that_a_copy_has_used,
    who_still_has_what_a_restoration_took_gets_what_has_its_number_now,
    what_two_copies_said_under_the_same_numbers_stays_apart_when_both_need_others,
    a_name_that_somebody_has_whom_nobody_sees_is_not_given_again,
    what_a_copy_had_carried_and_waits_comes_to_a_phone_that_begins_to_read,
    what_a_phone_wrote_is_not_refused_with_what_it_gives_back_of_others,
    what_is_refused_before_a_loss_is_known_is_given_back_once_it_is,
    what_was_sent_twice_is_missed_when_a_restoration_takes_it,
    what_builds_on_a_lot_follows_it_to_its_new_name,
    what_was_sent_again_before_its_ground_had_a_new_name_follows_it_later,
    what_builds_on_a_lot_that_follows_ones_own_follows_it_too,
    what_is_followed_is_not_forgotten_while_its_document_comes_in_pages,
    what_others_said_is_not_given_back_without_its_ground,
    what_waits_does_not_keep_waiting_what_was_said_before_it,
    what_is_put_by_is_wanted_though_a_damage_took_what_was_wanted,
    what_nobody_else_has_used_keeps_its_name_when_it_is_refused_with_others,
    what_was_not_refused_itself_keeps_its_name_though_a_restoration_hides_what_was,
}
