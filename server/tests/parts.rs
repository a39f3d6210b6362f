//! A book goes on in parts. What phones recorded apart is all taken, and lists, totals and access treat all parts alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

mod common;

use common::{NOW, World, household, received};
use granary_client_core::crdt::PART_BYTES;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, Incarnation};
use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::catalogue::{self, PriceName, name_product, set_price};
use granary_client_core::schema::harvest::{LotDraft, lots, record};
use granary_client_core::schema::{Book, Document, DocumentKey, Part, Season};

fn part(number: u16) -> DocumentKey {
    let book = Book::first(household(1), Season::new(2026).unwrap());
    DocumentKey::HarvestBook(book.at(Part::new(number).unwrap()))
}

/// Fills a part as a phone does that hears of nobody else.
fn filled(key: &DocumentKey, actor: &ActorId) -> Vec<VerifiedChange> {
    let mut document = Document::new(key.clone()).unwrap();
    let mut changes = vec![Document::first_change(key).unwrap()];
    let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), "2026-10-03".parse().unwrap());
    while document.bytes() < PART_BYTES {
        changes.extend(document.edit(actor, NOW, |doc| record(doc, &draft)).unwrap().1);
    }
    changes
}

#[test]
fn all_that_phones_recorded_apart_is_taken_and_listed() {
    let world = World::new();
    let mut packer = world.device(9, Role::Packer);
    let mut neighbour = world.device(10, Role::Household(household(2)));
    let mut all = 0;
    for seed in 1..=4 {
        let mut phone = world.device(seed, Role::Household(household(1)));
        let actor = phone.id.actor(Incarnation::new(0));
        for key in [part(1), part(2)] {
            let changes = filled(&key, &actor);
            all += changes.len() as u64 - 1;
            let reply = world.sync(&mut phone, &[(key, changes)]);
            assert_eq!(reply.refused, []);
        }
        assert_eq!(world.sync(&mut phone, &[]).notices, [], "nothing is set aside");
    }
    let parts = world.granary.parts(world.coop, &part(1)).unwrap();
    assert_eq!(parts.iter().map(|part| lots(part).len() as u64).collect::<Vec<_>>(), [all / 2, all / 2]);
    let mut read = Vec::new();
    for _ in 0..100 {
        let reply = world.sync(&mut packer, &[]);
        read.extend(received(&reply));
        if !reply.more {
            break;
        }
    }
    assert!(read.contains(&part(1)) && read.contains(&part(2)), "packers read every part");
    let read = received(&world.sync(&mut neighbour, &[]));
    assert!(!read.contains(&part(1)) && !read.contains(&part(2)), "neighbours read none");
}

#[test]
fn catalogue_with_years_of_prices_goes_on() {
    let world = World::new();
    let first = DocumentKey::Catalogue(Part::FIRST);
    world.granary.edit(world.coop, &first, NOW, |doc| name_product(doc, "millet", "小米", "millet")).unwrap();
    for year in 2000..2020 {
        world
            .granary
            .edit(world.coop, &first, NOW, move |doc| {
                for day in 1..=28 {
                    for month in 1..=12 {
                        let from = format!("{year}-{month:02}-{day:02}").parse().unwrap();
                        let name = PriceName::new("A".into(), Some(from)).unwrap();
                        set_price(doc, "millet", &name, Fen::new(year * 10 + day).unwrap())?;
                    }
                }
                Ok(())
            })
            .unwrap();
    }
    let rename =
        |doc: &mut automerge::AutoCommit| catalogue::rename_product(doc, "millet", None, Some("foxtail millet"));
    world.granary.edit(world.coop, &first, NOW, rename).unwrap();
    let parts = world.granary.parts(world.coop, &first).unwrap();
    assert!(parts.len() > 1, "it has gone on");
    let catalogue = catalogue::read_parts(&parts);
    let millet = &catalogue.products[0];
    assert_eq!(millet.price_by_grade.len(), 20 * 12 * 28, "no price is lost");
    assert_eq!(millet.name_en.as_deref(), Some("foxtail millet"), "the later part counts");
    assert_eq!(millet.name_zh.as_deref(), Some("小米"), "what later parts do not say stays");
    assert!(millet.damaged.is_empty());
}
