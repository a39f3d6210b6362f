//! Products, prices and promotions, edited at once and ended.

use automerge::AutoCommit;

use super::*;
use crate::crdt::DocumentFault;
use crate::ids::ActorId;
use crate::quantities::Instant;
use crate::schema::{Document, DocumentKey, Part};

#[test]
fn product_added_concurrently_keeps_both_edits() {
    let mut one = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
    let mut two = one.clone();
    let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 9]).unwrap());
    let grade = |grade: &str| PriceName::new(grade.into(), None).unwrap();
    let fen = |fen| Fen::new(fen).unwrap();
    let ((), first) = one.edit(&actors[0], Instant(0), |doc| set_price(doc, "millet", &grade("A"), fen(760))).unwrap();
    let ((), second) = two.edit(&actors[1], Instant(0), |doc| name_product(doc, "millet", "小米", "Millet")).unwrap();
    one.apply(&[second.unwrap()]).unwrap();
    two.apply(&[first.unwrap()]).unwrap();
    assert_eq!(read(&one), read(&two));
    let product = &read(&one).products[0];
    assert_eq!((product.name_en.as_deref(), product.price_by_grade[&grade("A")]), (Some("Millet"), fen(760)));
    assert!(product.damaged.is_empty());
}

#[test]
fn latest_valid_price_counts() {
    let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
    let actor = ActorId::from_bytes(&[1; 9]).unwrap();
    for (name, fen) in [("A", 700), ("A@2026-10-10", 760), ("A@2026-11-01", 800), ("B", 500)] {
        let (name, fen) = (name.parse().unwrap(), Fen::new(fen).unwrap());
        document.edit(&actor, Instant(0), |doc| set_price(doc, "millet", &name, fen)).unwrap();
    }
    let product = &read(&document).products[0];
    let on = |day: &str| product.price_on("A", day.parse().unwrap()).map(Fen::get);
    assert_eq!([on("2026-09-30"), on("2026-10-10"), on("2026-12-01")], [Some(700), Some(760), Some(800)]);
    assert_eq!(product.price_on("C", "2026-10-01".parse().unwrap()), None);
}

#[test]
fn what_is_ended_holds_until_its_day_and_can_be_taken_up_again() {
    let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
    let actor = ActorId::from_bytes(&[1; 9]).unwrap();
    let day = |text: &str| text.parse::<Day>().unwrap();
    let (first, second): (PriceName, PriceName) = ("A".parse().unwrap(), "A@2026-11-01".parse().unwrap());
    let edit = |document: &mut Document, edit: &dyn Fn(&mut AutoCommit) -> Result<(), DocumentFault>| {
        document.edit(&actor, Instant(0), |doc| edit(doc)).unwrap();
    };
    edit(&mut document, &|doc| {
        name_product(doc, "millet", "小米", "Millet")?;
        set_price(doc, "millet", &first, Fen::new(620)?)?;
        set_price(doc, "millet", &second, Fen::new(650)?)?;
        plan_promotion(doc, "eleven", "Double Eleven", day("2026-11-11"))?;
        offer(doc, "eleven", "millet", Fen::new(900)?)
    });
    let millet = |document: &Document| read(document).products.remove(0);
    let price = |document: &Document, on| millet(document).price_on("A", day(on)).map(Fen::get);

    edit(&mut document, &|doc| end_price(doc, "millet", &second, Some(day("2026-11-20"))));
    assert_eq!([price(&document, "2026-11-20"), price(&document, "2026-11-21")], [Some(650), None]);
    assert!(millet(&document).grades_from(day("2026-11-21")).is_empty());
    edit(&mut document, &|doc| end_price(doc, "millet", &second, Some(day("2026-10-31"))));
    assert_eq!(price(&document, "2026-11-21"), Some(620), "one that was called off leaves the one before it");
    edit(&mut document, &|doc| end_price(doc, "millet", &second, None));
    assert_eq!(price(&document, "2026-11-21"), Some(650), "taken up again");

    edit(&mut document, &|doc| {
        end_product(doc, "millet", Some(day("2026-12-01")))?;
        end_offer(doc, "eleven", "millet", Some(day("2026-11-02")))?;
        end_promotion(doc, "eleven", Some(day("2026-11-03")))
    });
    let ended = millet(&document);
    assert_eq!([day("2026-11-30"), day("2026-12-01")].map(|day| ended.is_offered_on(day)), [true, false]);
    assert_eq!(ended.name_zh.as_deref(), Some("小米"), "old lots keep its name");
    let promotion = read(&document).promotions.remove(0);
    assert_eq!((promotion.offers_ended["millet"], promotion.ended), (day("2026-11-02"), Some(day("2026-11-03"))));
    edit(&mut document, &|doc| end_product(doc, "millet", None));
    assert_eq!(millet(&document).ended, None);
}
