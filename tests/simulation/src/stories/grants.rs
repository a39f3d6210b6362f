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

fn regained_grant_beside_anothers_lot_leaves_nothing_unsent() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    records(&mut world, author, "of another");
    syncs(&mut world, author);
    may_write_again_when_the_beginning_is_refused(&mut world);
}

fn regained_grant_leaves_nothing_unsent() {
    may_write_again_when_the_beginning_is_refused(&mut world());
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
    regained_grant_beside_anothers_lot_leaves_nothing_unsent,
    regained_grant_leaves_nothing_unsent,
    forgotten_document_gets_back_what_the_server_took,
    orphan_comes_back_to_a_phone_that_forgot_it,
}
