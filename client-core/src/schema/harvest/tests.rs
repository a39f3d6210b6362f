use super::*;
use crate::ids::{ActorId, HouseholdId};
use crate::quantities::Instant;
use crate::schema::{Book, DocumentKey, Season};
use automerge::ROOT;

fn book() -> Document {
    let key = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap()));
    Document::new(key).unwrap()
}

fn draft() -> LotDraft {
    LotDraft {
        product: "millet".into(),
        quantity: Grams::new(12_500).unwrap(),
        grade: "A".into(),
        moisture: Some(Permille::new(135).unwrap()),
        day: "2026-10-03".parse().unwrap(),
        place: String::new(),
        note: " 东坡地 ".into(),
        photos: vec![],
    }
}

fn actor(number: u8) -> ActorId {
    ActorId::from_bytes(&[number; 9]).unwrap()
}

#[test]
fn recorded_lot_is_read_back() {
    let mut book = book();
    let (id, change) = book.edit(&actor(1), Instant(0), |doc| record(doc, &draft())).unwrap();
    assert!(change.is_some());
    let lots = lots(&book);
    assert_eq!(lots.len(), 1);
    assert_eq!(lots[0].key, id);
    assert_eq!(lots[0].note.as_deref(), Some("东坡地"));
    assert_eq!(id.actor(), Some(actor(1)));
    assert!(lots[0].damaged.is_empty());
}

#[test]
fn damaged_field_is_named_and_the_rest_read() {
    let mut book = book();
    let (id, _) = book.edit(&actor(1), Instant(0), |doc| record(doc, &draft())).unwrap();
    book.edit(&actor(2), Instant(0), |doc| {
        let (_, lot) = find(doc, &id)?;
        doc.put(&lot, "grams", -4)?;
        doc.put_object(&lot, "day", ObjType::Map)?;
        Ok(())
    })
    .unwrap();
    let lots = lots(&book);
    assert_eq!(lots[0].damaged, vec!["grams", "day"]);
    assert_eq!(lots[0].product.as_deref(), Some("millet"));
}

#[test]
fn text_object_reads_as_text() {
    let mut book = book();
    let (id, _) = book.edit(&actor(1), Instant(0), |doc| record(doc, &draft())).unwrap();
    book.edit(&actor(2), Instant(0), |doc| {
        let (_, lot) = find(doc, &id)?;
        let text = doc.put_object(&lot, "note", ObjType::Text)?;
        doc.splice_text(&text, 0, 0, "from JavaScript")?;
        Ok(())
    })
    .unwrap();
    assert_eq!(lots(&book)[0].note.as_deref(), Some("from JavaScript"));
}

#[test]
fn withdrawn_lot_cannot_be_corrected() {
    let mut book = book();
    let (id, _) = book.edit(&actor(1), Instant(0), |doc| record(doc, &draft())).unwrap();
    book.edit(&actor(1), Instant(0), |doc| withdraw(doc, &id)).unwrap();
    assert!(lots(&book).is_empty());
    let edit = LotEdit::Note("late".into());
    assert!(book.edit(&actor(1), Instant(0), |doc| correct(doc, &id, &edit)).is_err());
    let other: LotKey = "1@00".parse().unwrap();
    assert!(book.edit(&actor(1), Instant(0), |doc| correct(doc, &other, &edit)).is_err());
}

#[test]
fn book_without_its_list_is_empty() {
    let mut book = book();
    book.edit(&actor(1), Instant(0), |doc| Ok(doc.put(ROOT, "lots", 5)?)).unwrap();
    assert!(lots(&book).is_empty());
}

#[test]
fn lots_are_read_of_changes_alone() {
    let (mut book, actor) = (book(), actor(1));
    let mut changes = Vec::new();
    let mut edit = |book: &mut Document, edit: &mut dyn FnMut(&mut AutoCommit) -> Result<(), DocumentFault>| {
        changes.extend(book.edit(&actor, Instant(0), |doc| edit(doc)).unwrap().1);
    };
    let draft = |grams: i64| LotDraft {
        moisture: Some(Permille::new(135).unwrap()),
        grade: "A".into(),
        note: "by the river".into(),
        ..LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap())
    };
    for grams in [9_000, 10_000, 11_000] {
        edit(&mut book, &mut |doc| record(doc, &draft(grams)).map(drop));
    }
    let keys: Vec<_> = lots(&book).into_iter().map(|lot| lot.key).collect();
    edit(&mut book, &mut |doc| correct(doc, &keys[1], &LotEdit::Quantity(Grams::new(10_500).unwrap())));
    edit(&mut book, &mut |doc| withdraw(doc, &keys[2]));
    assert_eq!(lots_apart(changes.iter().map(|change| change.record())), lots(&book));
    assert_eq!(lots_apart(changes[1..].iter().map(|change| change.record())), lots(&book)[1..]);
}
