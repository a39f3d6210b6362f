//! Phones whose grants changed.

use super::*;

fn what_may_no_longer_be_written_does_not_come_back_with_its_ground() {
    let mut world = world();
    records(&mut world, LI, "a lot");
    syncs(&mut world, LI);
    let now = world.now;
    world.phones[LI].corrects(household(1), 0, 2_000, now);
    while world.phones[LI].loses(0, |key| key.starts_with(b"d")).unwrap().is_some() {}
    world.grants_otherwise(LI, Role::Packer).unwrap();
    ends_with(&mut world, &["a lot"]);
}

fn what_is_put_by_does_not_stay_where_it_may_not_be_read() {
    let mut world = world_with_a_lot_put_by();
    world.grants_otherwise(LI, Role::Household(household(2))).unwrap();
    syncs(&mut world, LI);
    world.must_hold(LI).unwrap();
    ends_with(&mut world, &["of the copy"]);
}

fn what_may_be_written_again_before_it_is_refused_stays_where_it_was_recorded() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    records(&mut world, author, "of another");
    syncs(&mut world, author);
    may_write_again_when_the_beginning_is_refused(&mut world);
}

fn what_may_be_written_again_does_not_wait_for_a_beginning_that_was_refused() {
    may_write_again_when_the_beginning_is_refused(&mut world());
}

fn what_is_taken_once_it_may_be_written_again_is_there_again() {
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

fn what_waited_comes_to_its_phone_too_which_has_forgotten_it_meanwhile() {
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
    what_may_no_longer_be_written_does_not_come_back_with_its_ground,
    what_is_put_by_does_not_stay_where_it_may_not_be_read,
    what_may_be_written_again_before_it_is_refused_stays_where_it_was_recorded,
    what_may_be_written_again_does_not_wait_for_a_beginning_that_was_refused,
    what_is_taken_once_it_may_be_written_again_is_there_again,
    what_waited_comes_to_its_phone_too_which_has_forgotten_it_meanwhile,
}
