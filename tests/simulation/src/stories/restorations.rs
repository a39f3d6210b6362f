//! Servers that are restored from a backup.

use super::*;

fn lot_of_broken_phone_is_backfilled_by_reader() {
    let mut world = world();
    let (author, copy) = (enrol_another_of_household(&mut world), copy_phone(&mut world, LI));
    restoration_loses_lot(&mut world, author, LI);
    record(&mut world, LI, "of the phone");
    record(&mut world, copy, "of the copy");
    sync(&mut world, copy);
    assert_lots_after_recovery(&mut world, &["of a phone that broke", "of the copy", "of the phone"]);
}

fn orphan_of_outbox_file_is_admitted_after_backfill() {
    let mut world = world();
    let copy = copy_phone(&mut world, COORDINATOR);
    world.back_up();
    record(&mut world, LI, "a lot");
    sync(&mut world, LI);
    sync(&mut world, copy);
    record(&mut world, copy, "of the copy");
    world.export_outbox(copy).unwrap();
    world.break_phone(copy);
    world.restore().unwrap();
    world.import_outbox_files().unwrap();
    sync(&mut world, COORDINATOR);
    assert_lots_after_recovery(&mut world, &["a lot", "of the copy"]);
}

fn twice_restored_backup_recovers_everything() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    world.back_up();
    record(&mut world, author, "of another");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    world.restore().unwrap();
    sync_until_line_breaks(&mut world, LI, 2);
    record(&mut world, LI, "of the phone");
    // No request has told this server yet that it lost something.
    world.restore().unwrap();
    assert_lots_after_recovery(&mut world, &["of another", "of the phone"]);
}

fn twice_restored_server_recovers_lot_on_lost_lot() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    world.back_up();
    record(&mut world, author, "of a phone that broke");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    record(&mut world, LI, "builds on it");
    sync(&mut world, LI);
    world.break_phone(author);
    world.restore().unwrap();
    record(&mut world, COORDINATOR, "of the coordinator");
    sync(&mut world, COORDINATOR);
    sync_until_line_breaks(&mut world, LI, 2);
    // The backfill reaches a server that learns from the same request that it lost something.
    world.restore().unwrap();
    sync(&mut world, LI);
    assert_lots_after_recovery(&mut world, &["builds on it", "of a phone that broke", "of the coordinator"]);
}

fn repeated_lot_is_backfilled_after_restoration() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    sync(&mut world, LI);
    for _ in 0..40 {
        record_at_length(&mut world, author);
        sync(&mut world, author);
    }
    world.back_up();
    record(&mut world, LI, "a lot");
    use_small_pages(&mut world, LI);
    assert_eq!(world.sync(LI, |_| Line::ReplyLost).unwrap(), Synced::LineFailed);
    // The retry is acknowledged; its page ends long before the lot's position in the log.
    sync_until_line_breaks(&mut world, LI, 2);
    assert_eq!(world.phones[LI].replica.unsent(), 0);
    world.restore().unwrap();
    recover(&mut world).unwrap();
    world.must_hold_after_recovery().unwrap();
    let there = world.phones[COORDINATOR].notes(household(1));
    assert!(there.contains(&"a lot".to_owned()), "{there:?}");
}

// The packer may not write harvests. An attestation lets it give back what it was given.
fn reader_backfills_what_it_may_not_write() {
    let mut world = world();
    world.back_up();
    record(&mut world, LI, "of a phone that broke");
    [LI, PACKER].into_iter().for_each(|phone| sync(&mut world, phone));
    world.break_phone(LI);
    world.restore().unwrap();
    assert_lots_after_recovery(&mut world, &["of a phone that broke"]);
}

// Each lot builds on one of a phone that broke. The last attestation covers all of them.
fn long_history_is_backfilled_in_small_pages() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    world.back_up();
    for _ in 0..8 {
        record_at_length(&mut world, author);
        [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
        record_at_length(&mut world, LI);
        [LI, author].into_iter().for_each(|phone| sync(&mut world, phone));
    }
    world.break_phone(author);
    world.restore().unwrap();
    use_small_pages(&mut world, LI);
    recover(&mut world).unwrap();
    world.must_hold_after_recovery().unwrap();
    assert_eq!(world.phones[COORDINATOR].notes(household(1)).len(), 16);
}

// The line breaks after the reconciling walk. The noted backfill survives a restart.
fn backfill_outlives_a_restart() {
    let mut world = world();
    let author = enrol_another_of_household(&mut world);
    world.back_up();
    record(&mut world, author, "of a phone that broke");
    [author, LI].into_iter().for_each(|phone| sync(&mut world, phone));
    world.break_phone(author);
    world.restore().unwrap();
    sync_until_line_breaks(&mut world, LI, 2);
    world.phones[LI].restart(0).unwrap();
    assert!(world.phones[LI].replica.unsent() > 0);
    assert_lots_after_recovery(&mut world, &["of a phone that broke"]);
}

stories! {
    lot_of_broken_phone_is_backfilled_by_reader,
    orphan_of_outbox_file_is_admitted_after_backfill,
    twice_restored_backup_recovers_everything,
    twice_restored_server_recovers_lot_on_lost_lot,
    repeated_lot_is_backfilled_after_restoration,
    reader_backfills_what_it_may_not_write,
    long_history_is_backfilled_in_small_pages,
    backfill_outlives_a_restart,
}
