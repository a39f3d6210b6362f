//! A disk that is nearly full, and what goes from it.

use super::*;

/// A disk whose free bytes a test sets.
fn disk(free: &Arc<AtomicU64>) -> DiskProbe {
    let free = Arc::clone(free);
    Arc::new(move || Some(DiskRoom { free_bytes: free.load(Ordering::SeqCst), total_bytes: 1 << 40 }))
}

#[test]
fn below_the_floor_nothing_new_is_taken_and_all_else_goes_on() {
    let free = Arc::new(AtomicU64::new(1 << 30));
    let world = World::bounded(Bounds::default(), disk(&free));
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut coordinator = world.device(2, Role::Coordinator);
    let first = one_lot(&book(1), &actor(&phone), 1_000);
    world.sync(&mut phone, &[(book(1), first.clone())]);

    free.store(Bounds::default().disk_floor_bytes - 1, Ordering::SeqCst);
    assert!(!world.granary.has_room());
    let (rows, more) = (world.store_bytes(), one_lot(&part(2), &actor(&phone), 2_000));
    let reply = world.sync(&mut phone, &[(part(2), more.clone())]);
    assert_eq!(reason(&reply), Some(RefusalReason::NoRoom));
    let refused = hand_in(&world, &phone, part(2), more.clone()).unwrap_err();
    assert_eq!((kind(&refused), refused.problem().status), (ProblemKind::NoRoom, 503));
    assert_eq!(world.store_bytes(), rows, "nothing was written");
    let read = world.sync(&mut coordinator, &[]);
    assert!(received(&read).contains(&book(1)), "reading goes on");
    world.granary.revoke(Principal::Operator, world.coop, coordinator.id, NOW).unwrap();
    assert!(world.try_sync(&mut coordinator, &[]).is_err(), "revoking works");

    free.store(1 << 30, Ordering::SeqCst);
    assert_eq!(world.sync(&mut phone, &[(part(2), more)]).refused, []);
    let documents = world.granary.cooperative(world.coop).unwrap().documents();
    assert!(documents.contains(&part(2)));
}

#[test]
fn what_was_set_aside_goes_when_it_was_refused_and_read_or_after_thirty_days() {
    let mut world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let lot = |grams: i64| one_lot(&book(2), &phone.id.actor(Incarnation::new(u32::try_from(grams).unwrap())), grams);
    let (first, second, third) = (lot(1), lot(2), lot(3));
    for lot in [&first, &second, &third] {
        world.sync(&mut phone, &[(book(2), lot.clone())]);
    }
    let all = world.granary.set_aside(world.coop).unwrap();
    assert_eq!(all[0].until, Some(Instant(NOW.0 + 30 * DAY_MILLIS)), "coordinators see when it goes");
    let (before, used_before) = (world.store_bytes(), used(&world, &phone).1);
    world.granary.refuse_set_aside(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW).unwrap();
    world.granary.take_in(Principal::Operator, world.coop, (all[2].device, all[2].entry), NOW).unwrap();
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 0, "the phone has not read its notice");
    let notices = world.sync(&mut phone, &[]).notices;
    assert_eq!(notices.len(), 2);
    world.sync_having_read(&mut phone, notices.last().unwrap().number);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 1, "the refused one");
    assert!(used(&world, &phone).1 < used_before + 300, "{:?}", used(&world, &phone));
    assert_eq!(world.granary.set_aside(world.coop).unwrap().len(), 1, "the open one stays");

    world.now = Instant(NOW.0 + 30 * DAY_MILLIS - 1);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 0);
    world.now = Instant(NOW.0 + 30 * DAY_MILLIS);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 2, "the open one, and what was taken in as another");
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 0);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    assert!(world.store_bytes() < before + 2_000, "{} {before}", world.store_bytes());
    let gone = world.granary.take_in(Principal::Operator, world.coop, (all[1].device, all[1].entry), NOW);
    assert!(gone.unwrap_err().to_string().starts_with("the time to decide about this is over"));
    let lines = world.granary.audit_log(world.coop, 100).unwrap();
    assert_eq!(lines.iter().filter(|line| line.action.name() == "dropped").count(), 3);

    // A phone that was set back still hears that these are not delivered.
    let again = world.sync_having_read(&mut phone, 0).notices;
    assert_eq!(again.len(), 2);
    // What comes again is not called durable: it is looked at anew, and set aside anew.
    let reply = world.sync(&mut phone, &[(book(2), second)]);
    assert_eq!(reason(&reply), Some(RefusalReason::MayNotWrite));
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
    // The log is whole without them.
    let store = world.backup();
    let world = world.on_under(store, Bounds::default());
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
}

// Quarantined at admission, after it was acknowledged: a repeat of what was dropped must not be acknowledged as a repeat.
#[test]
fn dropped_changes_that_come_again_are_taken_as_new() {
    let mut world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut document = Document::new(book(1)).unwrap();
    let first = large(&book(1), &actor(&phone), 16, 60_000);
    document.apply(&first).unwrap();
    for change in first {
        world.send(&mut phone, &[(book(1), vec![change])]);
    }
    world.settle();
    // Numbers under short names: their room is only known at admission.
    let edit = |doc: &mut automerge::AutoCommit| {
        for number in 0..6_000 {
            doc.put(ROOT, text(number, 30), number as i64)?;
        }
        Ok(())
    };
    let last = document.edit(&phone.id.actor(Incarnation::new(2)), NOW, edit).unwrap().1.unwrap();
    let reply = world.sync(&mut phone, &[(book(1), vec![last.clone()])]);
    assert_eq!(reply.refused, []);
    let aside = world.granary.set_aside(world.coop).unwrap();
    assert_eq!(aside.len(), 1, "acknowledged, then set aside");
    world.now = Instant(NOW.0 + DAY_MILLIS);
    world.granary.drop_what_is_due(world.now).unwrap();
    world.now = Instant(NOW.0 + 31 * DAY_MILLIS);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 1);
    assert_eq!(world.granary.set_aside(world.coop).unwrap().len(), 0);
    world.sync(&mut phone, &[(book(1), vec![last])]);
    assert_eq!(world.granary.set_aside(world.coop).unwrap().len(), 1, "it is looked at anew, not called durable");
}
