//! Outbox files: a phone without signal sends its changes to the server through another phone.

use crate::world::{World, household_role, lots, record, sync_until_lots};
use granary_client_core::error::Error;
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::protocol::outbox_file::OutboxFile;

/// A phone without signal writes its outbox to a file. A phone of another household delivers the file twice.
/// The lots arrive once, the carrier sees none of them, and a later sync of the first phone adds nothing.
#[test]
fn neighbour_delivers_outbox_file() {
    let mut world = World::new();
    let up_the_valley = world.phone(1, &household_role());
    let neighbour = world.phone(1, &format!("household:{}", HouseholdId::from_bytes([9; 16])));
    let coordinator = world.phone(1, "coordinator");
    for grams in [30_000, 31_000, 32_000] {
        record(&up_the_valley, grams);
    }
    let file = up_the_valley.export_outbox().unwrap();
    assert_eq!(up_the_valley.status().unsent, 3, "nothing leaves the outbox");
    assert!(!file.windows(6).any(|bytes| bytes == b"millet"), "the carrier can't read it");

    neighbour.import_outbox_file(&file).unwrap();
    neighbour.import_outbox_file(&file).unwrap();
    sync_until_lots(&coordinator, 3);
    neighbour.sync_now().unwrap();
    assert_eq!(lots(&neighbour).len(), 0, "carrying a harvest does not let one see it");

    // Later the phone gets a line.
    record(&up_the_valley, 33_000);
    up_the_valley.sync_now().unwrap();
    assert_eq!(up_the_valley.status().unsent, 0);
    sync_until_lots(&coordinator, 4);
    assert_eq!(up_the_valley.export_outbox().map(|file| OutboxFile::parse(&file).unwrap().pages.len()), Ok(0));
}

#[test]
fn invalid_outbox_file_is_refused() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let error = phone.import_outbox_file(b"photo of a goat").unwrap_err();
    assert_eq!(error.to_string(), "this is no file of a Granary phone, or a part of it is missing");
    record(&phone, 30_000);
    let mut file = OutboxFile::parse(&phone.export_outbox().unwrap()).unwrap();
    file.pages[0][100] ^= 1;
    assert!(matches!(phone.import_outbox_file(&file.to_bytes().unwrap()), Err(Error::Refused { .. })));
    let folder = world.phone_folder();
    assert_eq!(Phone::open(&folder).unwrap().export_outbox(), Err(Error::NotEnrolled));
}
