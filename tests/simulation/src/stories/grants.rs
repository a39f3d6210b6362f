//! Phones whose grants change.

use super::*;

fn refused_correction_does_not_come_back_with_its_document() {
    let mut world = world();
    record(&mut world, LI, "a lot");
    sync(&mut world, LI);
    let now = world.now;
    world.phones[LI].correct(household(1), 0, 2_000, now);
    // With the rows of which they would be made anew.
    world.phones[LI].lose_rows(|key| key.starts_with(b"d") || key.starts_with(b"k")).unwrap();
    world.change_grant(LI, Role::Packer).unwrap();
    assert_lots_after_recovery(&mut world, &["a lot"]);
}

// The first lot is refused while its phone may not write; what builds on it must not go to the server once it may.
fn regained_grant_leaves_no_orphans() {
    let mut world = world();
    use_small_pages(&mut world, LI);
    world.phones[LI].is_newer = true;
    (0..3).for_each(|_| record_at_length(&mut world, LI));
    world.change_grant(LI, Role::Packer).unwrap();
    // The first page holds the beginning of the document, the second the first lot.
    sync_until_line_breaks(&mut world, LI, 3);
    world.change_grant(LI, Role::Household(household(1))).unwrap();
    recover(&mut world).unwrap();
    world.must_hold_after_recovery().unwrap();
}

fn forgotten_document_gets_back_what_the_server_took() {
    let mut world = world();
    sync(&mut world, LI);
    record(&mut world, LI, "before the change");
    // The phone reconciles before it sends, and learns of its new grant in that exchange.
    assert!(world.phones[LI].lose_row(0, |key| key == b"mcursor").unwrap().is_some());
    world.change_grant(LI, Role::Household(household(2))).unwrap();
    sync_until_line_breaks(&mut world, LI, 2);
    world.change_grant(LI, Role::Household(household(1))).unwrap();
    assert_lots_after_recovery(&mut world, &["before the change"]);
}

fn orphan_comes_back_to_a_phone_that_forgot_it() {
    let mut world = world();
    let reader = enrol_another_of_household(&mut world);
    world.back_up();
    record(&mut world, LI, "before the restoration");
    [LI, reader].into_iter().for_each(|phone| sync(&mut world, phone));
    world.restore().unwrap();
    record(&mut world, LI, "after the restoration");
    // The grant ends before the phone knows what the server lost. The phone then backfills what it may no longer write.
    sync_until_line_breaks(&mut world, LI, 2);
    world.change_grant(LI, Role::Packer).unwrap();
    [LI, reader, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    assert_lots_after_recovery(&mut world, &["after the restoration", "before the restoration"]);
}

// The phone's lot waits on the restored server for what it builds on. Meanwhile the phone's grant ends, and it forgets the
// book; the grant is given again, and only then the lot is admitted. The feed must not leave it out as the phone's own.
fn orphan_comes_back_to_a_phone_that_forgot_its_document() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    world.back_up();
    record(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    world.restore().unwrap();
    record(&mut world, LI, "builds on it");
    // The lot is sent before the phone knows what the server lost, and nothing after it.
    sync_until_line_breaks(&mut world, LI, 2);
    assert_eq!(world.phones[LI].unsent_rows(), 0);
    for role in [household(2), household(1)] {
        world.change_grant(LI, Role::Household(role)).unwrap();
        sync(&mut world, LI);
        assert_eq!(world.phones[LI].notes(household(1)), Vec::<String>::new());
    }
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    let mut there = world.phones[LI].notes(household(1));
    there.sort();
    assert_eq!(there, ["builds on it", "of another"]);
    assert_lots_after_recovery(&mut world, &["builds on it", "of another"]);
}

// The grant ends before two lots are sent: both are set aside with the first refusal, and the one that builds on the other does
// not go out alone.
fn what_builds_on_a_refused_lot_is_set_aside_with_it() {
    let mut world = world();
    ["one", "two"].into_iter().for_each(|note| record(&mut world, LI, note));
    world.change_grant(LI, Role::Packer).unwrap();
    sync_until_line_breaks(&mut world, LI, 2);
    let phone = &world.phones[LI];
    assert_eq!((phone.unsent_rows(), phone.replica.undelivered()), (0, 2));
    world.change_grant(LI, Role::Household(household(1))).unwrap();
    assert_lots_after_recovery(&mut world, &["one", "two"]);
}

stories! {
    what_builds_on_a_refused_lot_is_set_aside_with_it,
    refused_correction_does_not_come_back_with_its_document,
    regained_grant_leaves_no_orphans,
    forgotten_document_gets_back_what_the_server_took,
    orphan_comes_back_to_a_phone_that_forgot_it,
    orphan_comes_back_to_a_phone_that_forgot_its_document,
}
