//! Servers that were set back to a backup.

use super::*;

fn readers_lot_of_a_broken_phone_is_given_back() {
    let mut world = world();
    let (author, copy) = (another_of_the_household(&mut world), is_copied(&mut world, LI));
    a_restoration_takes_the_lot(&mut world, author, LI);
    records(&mut world, LI, "of the phone");
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    ends_with(&mut world, &["of a phone that broke", "of the copy", "of the phone"]);
}

fn orphan_of_an_outbox_file_comes_once_its_ground_is_given_back() {
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

fn backup_restored_twice_gets_everything_back() {
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

fn twice_restored_server_gets_back_what_builds_on_a_lost_lot() {
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

fn repeated_lot_is_missed_when_a_restoration_takes_it() {
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

// The packer may write no harvest; what it was given is attested, so that it can give it back all the same.
fn reader_gives_back_what_it_may_not_write() {
    let mut world = world();
    world.backs_up();
    records(&mut world, LI, "of a phone that broke");
    [LI, PACKER].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.breaks(LI);
    world.is_restored().unwrap();
    ends_with(&mut world, &["of a phone that broke"]);
}

// Each lot builds on one of another phone that broke; all are attested by the last that anyone was given.
fn long_history_is_given_back_in_small_pages() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    world.backs_up();
    for _ in 0..8 {
        records_at_length(&mut world, author);
        [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
        records_at_length(&mut world, LI);
        [LI, author].into_iter().for_each(|phone| syncs(&mut world, phone));
    }
    world.breaks(author);
    world.is_restored().unwrap();
    has_small_pages(&mut world, LI);
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
    assert_eq!(world.phones[COORDINATOR].notes(household(1)).len(), 16);
}

// The line breaks after the walk: what the server lacks is still known when the phone starts again.
fn backfill_outlives_a_restart() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    world.backs_up();
    records(&mut world, author, "of a phone that broke");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.breaks(author);
    world.is_restored().unwrap();
    syncs_until_the_line_breaks(&mut world, LI, 2);
    world.phones[LI].start_again(0).unwrap();
    assert!(world.phones[LI].replica.unsent() > 0);
    ends_with(&mut world, &["of a phone that broke"]);
}

stories! {
    readers_lot_of_a_broken_phone_is_given_back,
    orphan_of_an_outbox_file_comes_once_its_ground_is_given_back,
    backup_restored_twice_gets_everything_back,
    twice_restored_server_gets_back_what_builds_on_a_lost_lot,
    repeated_lot_is_missed_when_a_restoration_takes_it,
    reader_gives_back_what_it_may_not_write,
    long_history_is_given_back_in_small_pages,
    backfill_outlives_a_restart,
}
