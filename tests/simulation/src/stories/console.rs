//! What people wrote in the console, and restorations that took it. In each of them a phone of a household is the only
//! one that still has what the server lost.

use std::collections::BTreeSet;

use granary_client_core::conflicts::duplicate_lots;
use granary_client_core::schema::harvest::lots;
use granary_client_core::schema::{Document, DocumentKey, catalogue};

use super::*;
use crate::phone::book;
use crate::world::Correction;

const WANG: usize = 0;
const ZHAO: usize = 1;

/// LI's two lots are on the server, which is backed up then.
fn world_with_a_backup() -> World {
    let mut world = world();
    ["the first lot", "the second lot"].into_iter().for_each(|note| records(&mut world, LI, note));
    syncs(&mut world, LI);
    world.backs_up();
    world
}

fn corrects(world: &mut World, person: usize, lot: usize, field: Correction) {
    assert!(world.console_corrects(person, household(1), lot, field).unwrap());
}

fn names(world: &mut World, person: usize, product: &'static str) {
    assert!(world.console_names_product(person, product, Some(700)).unwrap());
}

/// The phone has what the console wrote last; the server is set back to before that.
fn is_lost_but_for_the_phone(world: &mut World) {
    syncs(world, LI);
    world.is_restored().unwrap();
}

/// The texts of the console (`note 1`, `note 2`, …) that a document shows.
fn texts(document: &Document) -> BTreeSet<String> {
    let shown: Vec<String> = match document.key() {
        DocumentKey::Catalogue => {
            catalogue::read(document).products.into_iter().filter_map(|product| product.name_en).collect()
        }
        _ => lots(document).into_iter().flat_map(|lot| [lot.note, lot.place]).flatten().collect(),
    };
    shown.into_iter().filter_map(|text| Some(text[text.find("note ")?..].to_owned())).collect()
}

/// The phone syncs; then it and the server show all that was ever written in the console.
fn recovers_all(world: &mut World, key: &DocumentKey) {
    syncs(world, LI);
    let written: BTreeSet<String> = world.console_edits.iter().map(|edit| edit.text.clone()).collect();
    let there = texts(&world.document(0, key).unwrap().unwrap());
    assert_eq!(there, written, "on the server");
    syncs(world, LI);
    let there = texts(world.phones[LI].replica.document(key).unwrap().unwrap());
    assert_eq!(there, written, "on the phone");
    heal(world).unwrap();
    world.must_hold_once_healed().unwrap();
}

// The server writes the second correction under the number that the first had, which the phone has as another change:
// the note is gone from the server, and the phone says that nothing waits.
fn restored_server_recovers_console_edits() {
    let mut world = world_with_a_backup();
    corrects(&mut world, WANG, 0, Correction::Note);
    is_lost_but_for_the_phone(&mut world);
    corrects(&mut world, WANG, 0, Correction::Place);
    recovers_all(&mut world, &book(household(1)));
}

fn restored_server_recovers_console_edits_of_two_coordinators() {
    let mut world = world_with_a_backup();
    corrects(&mut world, WANG, 0, Correction::Note);
    corrects(&mut world, ZHAO, 1, Correction::Note);
    is_lost_but_for_the_phone(&mut world);
    corrects(&mut world, ZHAO, 0, Correction::Place);
    corrects(&mut world, WANG, 1, Correction::Place);
    recovers_all(&mut world, &book(household(1)));
}

fn twice_restored_server_recovers_console_edits() {
    let mut world = world_with_a_backup();
    corrects(&mut world, WANG, 0, Correction::Note);
    is_lost_but_for_the_phone(&mut world);
    corrects(&mut world, WANG, 0, Correction::Place);
    is_lost_but_for_the_phone(&mut world);
    corrects(&mut world, WANG, 1, Correction::Note);
    recovers_all(&mut world, &book(household(1)));
}

// No household may write the catalogue, so a phone of one must be believed what it was given.
fn restored_server_recovers_catalogue_edits() {
    let mut world = world_with_a_backup();
    names(&mut world, WANG, "millet");
    is_lost_but_for_the_phone(&mut world);
    names(&mut world, WANG, "walnut");
    recovers_all(&mut world, &DocumentKey::Catalogue);
}

fn restored_server_recovers_catalogue_edits_of_two_coordinators() {
    let mut world = world_with_a_backup();
    names(&mut world, WANG, "millet");
    is_lost_but_for_the_phone(&mut world);
    names(&mut world, ZHAO, "walnut");
    recovers_all(&mut world, &DocumentKey::Catalogue);
}

fn twice_restored_server_recovers_catalogue_edits() {
    let mut world = world_with_a_backup();
    names(&mut world, WANG, "millet");
    is_lost_but_for_the_phone(&mut world);
    names(&mut world, ZHAO, "walnut");
    is_lost_but_for_the_phone(&mut world);
    names(&mut world, WANG, "apricot");
    recovers_all(&mut world, &DocumentKey::Catalogue);
}

// A phone that is opened twice writes as two actors, and is one device still: two sacks of one day are two sacks.
fn own_lots_of_two_openings_are_no_duplicates() {
    let mut world = world();
    let now = world.now;
    assert!(world.phones[LI].records(household(1), 10_000, "one sack".into(), now));
    world.phones[LI].start_again(0).unwrap();
    assert!(world.phones[LI].records(household(1), 10_150, "another sack".into(), now));
    let lots = world.phones[LI].lots(household(1));
    assert_eq!(lots.len(), 2);
    assert_eq!(duplicate_lots(&lots), []);
    ends_with(&mut world, &["another sack", "one sack"]);
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
