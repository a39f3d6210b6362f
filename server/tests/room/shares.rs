//! The shares of a device and of a household.

use super::*;

#[test]
fn device_stays_within_its_share_by_every_way_and_goes_on_the_next_day() {
    let mut world = World::bounded(bounds((600, 1_000), (9_000, 9_000)), no_disk());
    let mut phone = world.device(1, Role::Household(household(1)));
    let before = world.store_bytes();
    let mut taken = 0;
    for number in 1..=12 {
        let changes = large(&part(number), &actor(&phone), 1, 90_000);
        if number % 2 == 0 {
            let reply = world.sync(&mut phone, &[(part(number), changes)]);
            assert!(matches!(reason(&reply), None | Some(RefusalReason::DayShareUsed)), "{reply:?}");
            taken += usize::from(reply.refused.is_empty());
        } else {
            match hand_in(&world, &phone, part(number), changes) {
                Ok(()) => taken += 1,
                Err(error) => assert_eq!(kind(&error), ProblemKind::ShareUsed),
            }
        }
    }
    assert_eq!(taken, 6, "six of 90 kB fit into 600 kB");
    assert!(used(&world, &phone).0 <= 600_000 && used(&world, &phone).0 > 500_000, "{:?}", used(&world, &phone));
    // With saved documents, positions and marks.
    assert!(world.store_bytes() - before < 700_000, "{}", world.store_bytes() - before);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0, "what waits is on the phone alone");

    world.now = Instant(NOW.0 + DAY_MILLIS);
    let next = |world: &World, phone: &mut Device, number: u16| {
        let changes = large(&part(number), &actor(phone), 1, 90_000);
        reason(&world.sync(phone, &[(part(number), changes)]))
    };
    assert_eq!(next(&world, &mut phone, 13), None);
    let later: Vec<_> = (14..=24).map(|number| next(&world, &mut phone, number)).collect();
    assert_eq!(later.iter().filter(|reason| reason.is_none()).count(), 4, "{later:?}");
    assert_eq!(later.last(), Some(&Some(RefusalReason::ShareUsed)));
    assert!(used(&world, &phone).1 <= 1_000_000);

    // The counts are in the store, and a larger share is taken at a start.
    let (store, before) = (world.backup(), used(&world, &phone));
    let world = world.on_under(store, Bounds::default());
    assert_eq!(used(&world, &phone), before);
    assert_eq!(next(&world, &mut phone, 25), None);
}

// A device must not get more by asking at the same moment, or with many documents in one request.
#[test]
fn share_holds_within_one_request_and_among_requests_at_once() {
    let world = World::bounded(bounds((500, 9_000), (9_000, 9_000)), no_disk());
    let mut phone = world.device(1, Role::Household(household(1)));
    let documents: Vec<_> =
        (1..=8).map(|number| (part(number), large(&part(number), &actor(&phone), 1, 90_000))).collect();
    let reply = world.sync(&mut phone, &documents);
    assert_eq!(reply.refused.len(), 3, "{:?}", reply.refused);
    assert!(used(&world, &phone).0 <= 500_000);

    let world = World::bounded(bounds((500, 9_000), (9_000, 9_000)), no_disk());
    let phone = world.device(1, Role::Household(household(1)));
    std::thread::scope(|scope| {
        for number in 1..=8 {
            let (world, id) = (&world, phone.id);
            let actor = id.actor(Incarnation::new(u32::from(number)));
            scope.spawn(move || {
                let mut copy = Device { pair: common::key(1), id, cursor: Default::default() };
                world.send(&mut copy, &[(part(number), large(&part(number), &actor, 1, 90_000))]);
            });
        }
    });
    world.settle();
    let (today, _) = used(&world, &phone);
    assert!((400_000..=500_000).contains(&today), "{today}");
}

#[test]
fn household_has_a_share_for_all_its_phones_and_others_write_on() {
    let world = World::bounded(bounds((9_000, 9_000), (500, 9_000)), no_disk());
    let mut packer = world.device(99, Role::Packer);
    let mut other = world.device(98, Role::Household(household(2)));
    let mut taken = 0;
    for seed in 1..=9u8 {
        let mut phone = world.device(seed, Role::Household(household(1)));
        let key = part(u16::from(seed));
        let changes = large(&key, &actor(&phone), 1, 90_000);
        let reply = world.sync(&mut phone, &[(key, changes)]);
        taken += usize::from(reply.refused.is_empty());
    }
    assert_eq!(taken, 5, "phones that enrol anew bring no new share");
    let receipts = DocumentKey::ReceiptBook(Book::first(household(1), Season::new(2026).unwrap()));
    let weighed = large(&receipts, &actor(&packer), 1, 90_000);
    assert_eq!(world.sync(&mut packer, &[(receipts, weighed)]).refused, [], "the warehouse weighs on");
    let lot = one_lot(&book(2), &actor(&other), 1_000);
    assert_eq!(world.sync(&mut other, &[(book(2), lot)]).refused, []);
}

#[test]
fn what_is_given_back_after_a_restoration_is_not_of_today() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut coordinator = world.device(2, Role::Coordinator);
    let backup = world.backup();
    let catalogue = DocumentKey::Catalogue(Part::FIRST);
    let words = large(&catalogue, &actor(&coordinator), 4, 60_000);
    world.sync(&mut coordinator, &[(catalogue.clone(), words)]);
    let reply = world.sync(&mut phone, &[]);
    let documents = read_bundle(&reply.bundle).unwrap();
    let place = documents.iter().position(|document| document.key == catalogue).unwrap();
    let code = Code(reply.attestations[place * CODE_BYTES..(place + 1) * CODE_BYTES].try_into().unwrap());
    let changes = documents[place].changes.clone();
    let shown = vec![Shown { document: 0, attestation: Attestation { tips: tips(&changes), code } }];

    let world = world.on_under(backup, bounds((100, 1_000), (1_000, 1_000)));
    let given = world.sync_showing(&mut phone, &[(catalogue.clone(), changes)], shown);
    assert_eq!(given.refused, []);
    assert!(saved(&world, &catalogue) > 200_000);
    assert!(used(&world, &phone).0 < 1_000, "{:?}", used(&world, &phone));
    assert!(used(&world, &coordinator).1 > 240_000, "it counts to who wrote it");
    // What the phone wrote itself still counts, and fits.
    let own = large(&book(1), &actor(&phone), 1, 50_000);
    assert_eq!(world.sync(&mut phone, &[(book(1), own)]).refused, []);
    let more = large(&part(2), &actor(&phone), 1, 80_000);
    assert_eq!(reason(&world.sync(&mut phone, &[(part(2), more)])), Some(RefusalReason::DayShareUsed));
}
