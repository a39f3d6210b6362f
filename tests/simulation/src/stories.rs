//! Stories that seeds have told, each in its fewest steps: what was lost in them, or was there twice.

use granary_client_core::protocol::access::Role;

use crate::phone::{SimPhone, book};
use crate::run::{check, heal};
use crate::world::{Line, Synced, World, household};

const COORDINATOR: usize = 0;
/// Reads what it may not write.
const PACKER: usize = 1;
/// A phone of the first household.
const LI: usize = 2;

fn world() -> World {
    World::new(2).unwrap()
}

fn records(world: &mut World, phone: usize, note: &str) {
    let now = world.now;
    assert!(world.phones[phone].records(household(1), 1_000, note.into(), now));
}

/// Six lots like this are more than a small page holds.
fn records_at_length(world: &mut World, phone: usize) {
    let note = at_length(world);
    records(world, phone, &note);
}

fn at_length(world: &mut World) -> String {
    std::iter::repeat_with(|| world.dice.roll(u64::MAX).to_string()).take(20).collect()
}

fn has_small_pages(world: &mut World, phone: usize) {
    world.phones[phone].has_poor_line = true;
    (0..8).for_each(|_| world.phones[phone].pace.failed());
}

fn syncs(world: &mut World, phone: usize) {
    assert_eq!(world.syncs(phone, |_| Line::Whole).unwrap(), Synced::Done);
}

/// The line breaks in the last of so many exchanges.
fn syncs_until_the_line_breaks(world: &mut World, phone: usize, mut exchanges: u32) {
    let ended = world.syncs(phone, |_| {
        exchanges -= 1;
        if exchanges == 0 { Line::RequestLost } else { Line::Whole }
    });
    assert_eq!(ended.unwrap(), Synced::LineFailed);
}

fn is_copied(world: &mut World, phone: usize) -> usize {
    world.is_copied(phone).unwrap();
    world.phones.len() - 1
}

fn another_of_the_household(world: &mut World) -> usize {
    world.enrols(0, Role::Household(household(1))).unwrap();
    world.phones.len() - 1
}

/// A phone of the household, and its copy; the server is backed up before either of them says anything.
fn world_with_a_copied_author() -> (World, usize, usize) {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    let copy = is_copied(&mut world, author);
    world.backs_up();
    (world, author, copy)
}

/// A restoration takes what was said, and a copy uses a number of it.
fn a_copy_says_something_else_after_a_restoration(world: &mut World, copy: usize) {
    world.is_restored().unwrap();
    records(world, copy, "of the copy");
    syncs(world, copy);
}

fn damage(phone: &mut SimPhone, kind: u8) {
    assert!(phone.loses(0, |key| key.first() == Some(&kind)).unwrap().is_some());
}

/// A world in which a copy of a phone has used the number of a lot, which is now put by on the phone.
fn world_with_a_lot_put_by() -> World {
    let mut world = world();
    syncs(&mut world, LI);
    let copy = is_copied(&mut world, LI);
    records(&mut world, copy, "of the copy");
    records(&mut world, LI, "of the phone");
    syncs(&mut world, copy);
    syncs_until_the_line_breaks(&mut world, LI, 2);
    assert!(world.phones[LI].disk.count(b"r") > 0, "it is put by");
    world
}

fn may_write_again_when_the_beginning_is_refused(world: &mut World) {
    has_small_pages(world, LI);
    world.phones[LI].is_newer = true;
    (0..2).for_each(|_| records_at_length(world, LI));
    world.grants_otherwise(LI, Role::Packer).unwrap();
    // The first page is refused: the beginning of the document, for what a version ahead writes fills a page.
    syncs_until_the_line_breaks(world, LI, 2);
    world.grants_otherwise(LI, Role::Household(household(1))).unwrap();
    heal(world).unwrap();
    check(world).unwrap();
}

/// What one phone recorded and another has read is then lost with a restoration, and the first of them breaks.
fn a_restoration_takes_the_lot(world: &mut World, author: usize, reader: usize) {
    world.backs_up();
    records(world, author, "of a phone that broke");
    syncs(world, author);
    syncs(world, reader);
    world.breaks(author);
    world.is_restored().unwrap();
}

/// Everything heals, everything holds, and the coordinator has these lots, each once.
fn ends_with(world: &mut World, notes: &[&str]) {
    heal(world).unwrap();
    check(world).unwrap();
    let mut there = world.phones[COORDINATOR].notes(household(1));
    there.sort();
    assert_eq!(there, notes);
}

#[test]
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

#[test]
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

#[test]
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

#[test]
fn what_is_put_by_does_not_stay_where_it_may_not_be_read() {
    let mut world = world_with_a_lot_put_by();
    world.grants_otherwise(LI, Role::Household(household(2))).unwrap();
    syncs(&mut world, LI);
    world.must_hold(LI).unwrap();
    ends_with(&mut world, &["of the copy"]);
}

#[test]
fn what_was_written_while_its_document_is_put_by_outlives_a_damaged_outbox() {
    let mut world = world_with_a_lot_put_by();
    records(&mut world, LI, "written meanwhile");
    damage(&mut world.phones[LI], b'o');
    damage(&mut world.phones[LI], b'o');
    ends_with(&mut world, &["of the copy", "of the phone", "written meanwhile"]);
}

#[test]
fn what_a_restoration_took_is_not_forgotten_over_a_number_that_a_copy_has_used() {
    let mut world = world();
    let (author, copy) = (another_of_the_household(&mut world), is_copied(&mut world, LI));
    a_restoration_takes_the_lot(&mut world, author, LI);
    records(&mut world, LI, "of the phone");
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    ends_with(&mut world, &["of a phone that broke", "of the copy", "of the phone"]);
}

#[test]
fn who_still_has_what_a_restoration_took_gets_what_has_its_number_now() {
    let mut world = world();
    let (reader, copy) = (another_of_the_household(&mut world), is_copied(&mut world, LI));
    a_restoration_takes_the_lot(&mut world, LI, reader);
    records(&mut world, copy, "of the copy");
    syncs(&mut world, copy);
    heal(&mut world).unwrap();
    assert_eq!(world.phones[reader].notes(household(1)), ["of the copy"]);
}

#[test]
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

#[test]
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

#[test]
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

#[test]
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

#[test]
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

#[test]
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

#[test]
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
    assert_eq!(world.phones[LI].replica.pending(), 0);
    world.is_restored().unwrap();
    heal(&mut world).unwrap();
    check(&mut world).unwrap();
    let there = world.phones[COORDINATOR].notes(household(1));
    assert!(there.contains(&"a lot".to_owned()), "{there:?}");
}

#[test]
fn what_builds_on_a_lot_follows_it_to_its_new_name() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, author, "of the author");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    syncs(&mut world, author);
    records(&mut world, LI, "builds on it");
    ends_with(&mut world, &["builds on it", "of the author", "of the copy"]);
}

#[test]
fn what_was_sent_again_before_its_ground_had_a_new_name_follows_it_later() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, author, "of the author");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, LI, "builds on it");
    syncs(&mut world, LI);
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    [LI, LI, author].into_iter().for_each(|phone| syncs(&mut world, phone));
    ends_with(&mut world, &["builds on it", "of the author", "of the copy"]);
}

#[test]
fn what_is_followed_is_not_forgotten_while_its_document_comes_in_pages() {
    let (mut world, author, copy) = world_with_a_copied_author();
    records(&mut world, author, "of the author");
    [author, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    records(&mut world, LI, "builds on it");
    syncs(&mut world, LI);
    a_copy_says_something_else_after_a_restoration(&mut world, copy);
    [LI, LI].into_iter().for_each(|phone| syncs(&mut world, phone));
    (0..6).for_each(|_| records_at_length(&mut world, author));
    syncs(&mut world, author);
    has_small_pages(&mut world, LI);
    heal(&mut world).unwrap();
    check(&mut world).unwrap();
}

#[test]
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

#[test]
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

#[test]
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

#[test]
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

#[test]
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
    // The first of them is sent last, and is then found to be another's number.
    damage(&mut world.phones[LI], b'o');
    heal(&mut world).unwrap();
    check(&mut world).unwrap();
}

#[test]
fn what_may_be_written_again_before_it_is_refused_stays_where_it_was_recorded() {
    let mut world = world();
    let author = another_of_the_household(&mut world);
    records(&mut world, author, "of another");
    syncs(&mut world, author);
    may_write_again_when_the_beginning_is_refused(&mut world);
}

#[test]
fn what_may_be_written_again_does_not_wait_for_a_beginning_that_was_refused() {
    may_write_again_when_the_beginning_is_refused(&mut world());
}

#[test]
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
    check(&mut world).unwrap();
}

#[test]
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
    check(&mut world).unwrap();
}

#[test]
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

#[test]
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

#[test]
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
