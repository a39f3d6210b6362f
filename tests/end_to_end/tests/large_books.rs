//! A household that records more in a season than one document holds.

use granary_client_core::crdt::PART_BYTES;
use granary_client_core::phone::Phone;
use granary_client_core::projection::LotFilter;
use granary_client_core::schema::LotId;
use granary_client_core::schema::harvest::LotDraft;

use crate::world::{World, household, household_role, lot, season, sync_until};

/// Records a lot with a long note, such as a household writes where it has much to say.
fn record_with_note(phone: &Phone, grams: i64) -> LotId {
    let draft = LotDraft {
        note: format!("{grams} 克，{}", "东坡下地收的，晒了三天，装在蓝口袋里。".repeat(4)),
        ..lot(grams)
    };
    phone.record(household(), season(), &draft).unwrap()
}

fn count(phone: &Phone) -> usize {
    phone.lots(&LotFilter { limit: u32::MAX, ..LotFilter::default() }).unwrap().len()
}

/// Two phones of a household record 1,600 lots apart. All of them arrive everywhere, over several parts, and lists and totals
/// show one book; a lot of a late part is corrected like any other.
#[test]
fn two_phones_fill_parts_apart_and_nothing_is_left_out() {
    let mut world = World::new();
    let (li, wang) = (world.phone(1, &household_role()), world.phone(1, &household_role()));
    let coordinator = world.phone(1, "coordinator");
    for grams in 1..=800 {
        record_with_note(&li, 1_000 + grams);
        record_with_note(&wang, 15_000 + grams);
    }
    let last = record_with_note(&wang, 99_999);
    assert!(last.part().number() > 1, "{} bytes a part", PART_BYTES);
    sync_until(&[&li, &wang, &coordinator], || [&li, &wang, &coordinator].iter().all(|phone| count(phone) == 1_601));
    for phone in [&li, &wang, &coordinator] {
        let status = phone.status();
        assert_eq!((status.unsent, status.undelivered, status.quarantined.len()), (0, 0, 0));
        assert_eq!(phone.totals(&LotFilter::default()).unwrap()[0].lots, 1_601);
    }
    li.correct(&last, &[granary_client_core::schema::harvest::LotEdit::Note("weighed twice".into())]).unwrap();
    sync_until(&[&li, &coordinator], || {
        let row = coordinator.lots(&LotFilter { lot: Some(last.clone()), ..LotFilter::default() }).unwrap();
        row[0].note == "weighed twice"
    });
    assert!(coordinator.conflicts(household(), season()).unwrap().is_empty());
}
