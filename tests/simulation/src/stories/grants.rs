//! Phones whose grants changed.

use super::*;

fn refused_correction_does_not_come_back_with_its_document() {
    let mut world = world();
    records(&mut world, LI, "a lot");
    syncs(&mut world, LI);
    let now = world.now;
    world.phones[LI].corrects(household(1), 0, 2_000, now);
    while world.phones[LI].loses(0, |key| key.starts_with(b"d")).unwrap().is_some() {}
    world.grants_otherwise(LI, Role::Packer).unwrap();
    ends_with(&mut world, &["a lot"]);
}

// The first lot is refused while its phone may not write; what builds on it must not go to the server once it may.
fn regained_grant_leaves_no_orphans() {
    let mut world = world();
    has_small_pages(&mut world, LI);
    world.phones[LI].is_newer = true;
    (0..3).for_each(|_| records_at_length(&mut world, LI));
    world.grants_otherwise(LI, Role::Packer).unwrap();
    // The first page holds the beginning of the document, the second the first lot.
    syncs_until_the_line_breaks(&mut world, LI, 3);
    world.grants_otherwise(LI, Role::Household(household(1))).unwrap();
    heal(&mut world).unwrap();
    world.must_hold_once_healed().unwrap();
}

fn forgotten_document_gets_back_what_the_server_took() {
    let mut world = world();
    syncs(&mut world, LI);
    records(&mut world, LI, "before the change");
    // It compares before it sends anything, and is told then that it may read other documents.
    assert!(world.phones[LI].loses(0, |key| key == b"mcursor").unwrap().is_some());
    world.grants_otherwise(LI, Role::Household(household(2))).unwrap();
    syncs_until_the_line_breaks(&mut world, LI, 2);
    world.grants_otherwise(LI, Role::Household(household(1))).unwrap();
    ends_with(&mut world, &["before the change"]);
}

fn orphan_comes_back_to_a_phone_that_forgot_it() {
    let mut world = world();
    let reader = another_of_the_household(&mut world);
    world.backs_up();
    records(&mut world, LI, "before the restoration");
    [LI, reader].into_iter().for_each(|phone| syncs(&mut world, phone));
    world.is_restored().unwrap();
    records(&mut world, LI, "after the restoration");
    // It is not told yet what the server has lost when it may write no more, and gives back what it may not.
    syncs_until_the_line_breaks(&mut world, LI, 2);
    world.grants_otherwise(LI, Role::Packer).unwrap();
    [LI, reader, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    ends_with(&mut world, &["after the restoration", "before the restoration"]);
}

stories! {
    refused_correction_does_not_come_back_with_its_document,
    regained_grant_leaves_no_orphans,
    forgotten_document_gets_back_what_the_server_took,
    orphan_comes_back_to_a_phone_that_forgot_it,
}
