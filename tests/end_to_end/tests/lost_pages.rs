//! Pages of a phone's file are lost, with delivered and undelivered lots: all are on the phone and on the server after a sync.

use granary_client_core::phone::Phone;

use crate::world::{World, household_role, lots, record, sync_until};

const PAGE: usize = 4096;

#[test]
fn lost_page_costs_no_lot_once_the_phone_has_synced() {
    let mut world = World::new();
    let coordinator = world.phone(1, "coordinator");
    let folder = world.phone_folder();
    let phone = Phone::open(&folder).unwrap();
    phone.enrol(&world.invitation(1, &household_role()), "li").unwrap();
    let device = phone.device();
    let mut count = 0;
    let mut record_some = |phone: &Phone, many: usize| {
        for _ in 0..many {
            count += 1;
            record(phone, i64::try_from(count).unwrap());
        }
        count
    };
    record_some(&phone, 150);
    phone.sync_now().unwrap();
    let mut all = record_some(&phone, 150);
    drop(phone);
    // The page of the definitions, the roots, those that follow, and some on the way to the last.
    for nth in [0, 1, 2, 3, 4, 5, 7, 11, 17, 23, usize::MAX] {
        let path = folder.join("phone.db");
        let mut bytes = std::fs::read(&path).unwrap();
        let page = nth.min(bytes.len() / PAGE - 1);
        bytes[page * PAGE..(page + 1) * PAGE].fill(if page % 2 == 0 { 0 } else { 0xa5 });
        std::fs::write(&path, bytes).unwrap();
        let phone = Phone::open(&folder).unwrap();
        assert_eq!(phone.device(), device, "page {page}");
        sync_until(&[&phone, &coordinator], || lots(&phone).len() == all && lots(&coordinator).len() == all);
        all = record_some(&phone, 5);
    }
}
