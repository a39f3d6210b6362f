//! Console edits that a restoration loses. In each story only a phone of a household still holds them.

use std::collections::BTreeSet;

use granary_client_core::conflicts::duplicate_lots;
use granary_client_core::schema::harvest::lots;
use granary_client_core::schema::{Document, DocumentKey, Part, catalogue};

use super::*;
use crate::phone::book;
use crate::world::Correction;

const WANG: usize = 0;
const ZHAO: usize = 1;

/// LI's two lots are on the server, which is backed up then.
fn world_with_a_backup() -> World {
    let mut world = world();
    ["the first lot", "the second lot"].into_iter().for_each(|note| record(&mut world, LI, note));
    sync(&mut world, LI);
    world.back_up();
    world
}

fn correct(world: &mut World, person: usize, lot: usize, field: Correction) {
    assert!(world.console_correct(person, household(1), lot, field).unwrap());
}

fn name_product(world: &mut World, person: usize, product: &'static str) {
    assert!(world.console_name_product(person, product, Some(700)).unwrap());
}

/// The phone gets the console's edits; a restoration then loses them.
fn restore_after_phone_synced(world: &mut World) {
    sync(world, LI);
    world.restore().unwrap();
}

/// The texts of the console (`note 1`, `note 2`, …) that a document shows.
fn texts(document: &Document) -> BTreeSet<String> {
    let shown: Vec<String> = match document.key() {
        DocumentKey::Catalogue(_) => {
            catalogue::read(document).products.into_iter().filter_map(|product| product.name_en).collect()
        }
        _ => lots(document).into_iter().flat_map(|lot| [lot.note, lot.place]).flatten().collect(),
    };
    shown.into_iter().filter_map(|text| Some(text[text.find("note ")?..].to_owned())).collect()
}

/// Syncs the phone, and checks that it and the server show all console edits.
fn assert_all_recovered(world: &mut World, key: &DocumentKey) {
    sync(world, LI);
    let written: BTreeSet<String> = world.console_edits.iter().map(|edit| edit.text.clone()).collect();
    let there = texts(&world.document(0, key).unwrap().unwrap());
    assert_eq!(there, written, "on the server");
    sync(world, LI);
    let there = texts(world.phones[LI].replica.document(key).unwrap().unwrap());
    assert_eq!(there, written, "on the phone");
    recover(world).unwrap();
    world.must_hold_after_recovery().unwrap();
}

// The restored server once wrote the second correction under the sequence number of the lost first one. The server then
// lacked the note for good, while the phone had nothing unsent.
fn restored_server_recovers_console_edits() {
    let mut world = world_with_a_backup();
    correct(&mut world, WANG, 0, Correction::Note);
    restore_after_phone_synced(&mut world);
    correct(&mut world, WANG, 0, Correction::Place);
    assert_all_recovered(&mut world, &book(household(1)));
}

fn restored_server_recovers_console_edits_of_two_coordinators() {
    let mut world = world_with_a_backup();
    correct(&mut world, WANG, 0, Correction::Note);
    correct(&mut world, ZHAO, 1, Correction::Note);
    restore_after_phone_synced(&mut world);
    correct(&mut world, ZHAO, 0, Correction::Place);
    correct(&mut world, WANG, 1, Correction::Place);
    assert_all_recovered(&mut world, &book(household(1)));
}

fn twice_restored_server_recovers_console_edits() {
    let mut world = world_with_a_backup();
    correct(&mut world, WANG, 0, Correction::Note);
    restore_after_phone_synced(&mut world);
    correct(&mut world, WANG, 0, Correction::Place);
    restore_after_phone_synced(&mut world);
    correct(&mut world, WANG, 1, Correction::Note);
    assert_all_recovered(&mut world, &book(household(1)));
}

// No household may write the catalogue, so an attestation must cover what the phone gives back.
fn restored_server_recovers_catalogue_edits() {
    let mut world = world_with_a_backup();
    name_product(&mut world, WANG, "millet");
    restore_after_phone_synced(&mut world);
    name_product(&mut world, WANG, "walnut");
    assert_all_recovered(&mut world, &DocumentKey::Catalogue(Part::FIRST));
}

fn restored_server_recovers_catalogue_edits_of_two_coordinators() {
    let mut world = world_with_a_backup();
    name_product(&mut world, WANG, "millet");
    restore_after_phone_synced(&mut world);
    name_product(&mut world, ZHAO, "walnut");
    assert_all_recovered(&mut world, &DocumentKey::Catalogue(Part::FIRST));
}

fn twice_restored_server_recovers_catalogue_edits() {
    let mut world = world_with_a_backup();
    name_product(&mut world, WANG, "millet");
    restore_after_phone_synced(&mut world);
    name_product(&mut world, ZHAO, "walnut");
    restore_after_phone_synced(&mut world);
    name_product(&mut world, WANG, "apricot");
    assert_all_recovered(&mut world, &DocumentKey::Catalogue(Part::FIRST));
}

// Two openings of a phone are two actors of one device. Two similar lots of one device are no duplicates.
fn own_lots_of_two_openings_are_no_duplicates() {
    let mut world = world();
    let now = world.now;
    assert!(world.phones[LI].record(household(1), 10_000, "one sack".into(), now));
    world.phones[LI].restart(0).unwrap();
    assert!(world.phones[LI].record(household(1), 10_150, "another sack".into(), now));
    let lots = world.phones[LI].lots(household(1));
    assert_eq!(lots.len(), 2);
    assert_eq!(duplicate_lots(&lots), []);
    assert_lots_after_recovery(&mut world, &["another sack", "one sack"]);
}

stories! {
    restored_server_recovers_console_edits,
    restored_server_recovers_console_edits_of_two_coordinators,
    twice_restored_server_recovers_console_edits,
    restored_server_recovers_catalogue_edits,
    restored_server_recovers_catalogue_edits_of_two_coordinators,
    twice_restored_server_recovers_catalogue_edits,
    own_lots_of_two_openings_are_no_duplicates,
}
