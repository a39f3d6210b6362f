use super::*;
use crate::ids::ActorId;
use crate::quantities::Instant;
use crate::schema::catalogue::{name_product, read, read_parts};
use crate::schema::{Document, DocumentKey, Part};

fn actors() -> [ActorId; 2] {
    [1u8, 2].map(|number| ActorId::from_bytes(&[number; 12]).unwrap())
}

fn catalogue() -> Document {
    Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap()
}

fn millet() -> Sku {
    Sku {
        names: vec!["临县小米 5斤装".into()],
        shelf_days: Some(365),
        ..Sku::new("XM-05", "millet", "A", Grams::new(2_500).unwrap())
    }
}

fn edit(document: &mut Document, edit: impl Fn(&mut AutoCommit) -> Result<(), DocumentFault>) {
    document.edit(&actors()[0], Instant(0), edit).unwrap();
}

#[test]
fn sku_is_read_as_it_was_written_and_can_be_ended() {
    let mut document = catalogue();
    edit(&mut document, |doc| set_sku(doc, &millet()));
    assert_eq!(read(&document).skus["XM-05"], millet());
    let heads = document.heads();
    edit(&mut document, |doc| set_sku(doc, &millet()));
    assert_eq!(document.heads(), heads, "what stands there is not written again");
    edit(&mut document, |doc| {
        set_sku(doc, &Sku { shelf_days: None, certificate: Certificate::Never, ..millet() })?;
        end_sku(doc, "XM-05", true)
    });
    let ended = &read(&document).skus["XM-05"];
    assert_eq!((ended.ended, ended.shelf_days, ended.certificate), (true, None, Certificate::Never));
    assert_eq!(ended.grams_of(3), 7_500);
}

#[test]
fn names_that_two_people_map_at_once_are_both_kept() {
    let mut one = catalogue();
    edit(&mut one, |doc| set_sku(doc, &millet()));
    let mut two = one.clone();
    let [first, second] = actors();
    let a = one.edit(&first, Instant(0), |doc| map_name(doc, "XM-05", "黄小米5斤")).unwrap().1.unwrap();
    let b = two.edit(&second, Instant(0), |doc| map_code(doc, "XM-05", "6912/5")).unwrap().1.unwrap();
    one.apply(&[b]).unwrap();
    two.apply(&[a]).unwrap();
    assert_eq!(read(&one), read(&two));
    let catalogue = read(&one);
    assert_eq!(catalogue.sku_of_name("黄小米5斤").unwrap().code, "XM-05");
    assert_eq!(catalogue.sku_of_name(" 临县小米\t5斤装 ").unwrap().code, "XM-05", "blanks are one");
    assert_eq!(catalogue.sku_of_code("6912/5").unwrap().code, "XM-05");
    assert_eq!(catalogue.sku_of_code("XM-05").unwrap().code, "XM-05");
    edit(&mut one, |doc| unmap_name(doc, "XM-05", "黄小米5斤"));
    assert_eq!(read(&one).sku_of_name("黄小米5斤"), None);
}

#[test]
fn a_code_of_two_skus_is_none_and_shown() {
    let mut document = catalogue();
    let other = Sku { codes: vec!["XM-05".into()], ..Sku::new("XM-10", "millet", "A", Grams::new(5_000).unwrap()) };
    edit(&mut document, |doc| {
        set_sku(doc, &millet())?;
        set_sku(doc, &other)
    });
    let catalogue = read(&document);
    assert_eq!(catalogue.sku_of_code("XM-05"), None);
    assert_eq!(catalogue.sku_index().doubled(), [("XM-05", vec!["XM-05", "XM-10"])]);
    edit(&mut document, |doc| end_sku(doc, "XM-05", true));
    assert_eq!(read(&document).sku_of_code("XM-05").unwrap().code, "XM-10", "one of them is not sold any more");
}

#[test]
fn what_is_typed_wrong_is_refused() {
    let mut document = catalogue();
    edit(&mut document, |doc| {
        name_product(doc, "millet", "小米", "Millet")?;
        set_sku(doc, &millet())
    });
    let catalogue = read(&document);
    assert_eq!(catalogue.check_sku(&millet()), Ok(()));
    let unknown = Sku { product: "rice".into(), ..millet() };
    assert_eq!(catalogue.check_sku(&unknown).unwrap_err().code(), "product-unknown");
    let twice = Sku { code: "XM-06".into(), ..millet() };
    assert_eq!(catalogue.check_sku(&twice).unwrap_err().code(), "sku-text-taken");
    for code in ["", "XM 05", "XM/05", "XM\u{200b}05", &"X".repeat(33)] {
        let wrong = Sku { code: code.into(), ..millet() };
        assert!(document.edit(&actors()[0], Instant(0), |doc| set_sku(doc, &wrong)).is_err(), "{code:?}");
    }
    for days in [0, 20_000] {
        let wrong = Sku { shelf_days: Some(days), ..millet() };
        assert!(document.edit(&actors()[0], Instant(0), |doc| set_sku(doc, &wrong)).is_err(), "{days}");
    }
}

#[test]
fn later_part_lies_over_the_earlier_one() {
    let mut parts = [1, 2].map(|part| Document::new(DocumentKey::Catalogue(Part::new(part).unwrap())).unwrap());
    edit(&mut parts[0], |doc| set_sku(doc, &millet()));
    edit(&mut parts[1], |doc| map_name(doc, "XM-05", "黄小米5斤"));
    let skus = read_parts(&parts).skus;
    assert_eq!(skus["XM-05"].names, ["临县小米 5斤装", "黄小米5斤"]);
    assert_eq!(skus["XM-05"].grams.get(), 2_500);
}

#[test]
fn hostile_fields_are_damaged_and_others_are_still_read() {
    let mut document = catalogue();
    edit(&mut document, |doc| set_sku(doc, &millet()));
    for (sku, field, value) in [
        ("A", "grams", ScalarValue::Int(-1)),
        ("B", "grams", ScalarValue::Int(0)),
        ("C", "grams", "2500".into()),
        ("D", "product", 7.into()),
        ("E", "shelf", ScalarValue::Int(-3)),
        ("F", "certificate", "perhaps".into()),
        ("G", "grade", ScalarValue::Null),
    ] {
        edit(&mut document, |doc| {
            set_sku(doc, &Sku { code: sku.into(), names: vec![], ..millet() })?;
            doc.put(ROOT, format!("sku/{sku}/{field}"), value.clone())?;
            Ok(())
        });
    }
    edit(&mut document, |doc| {
        doc.put(ROOT, "sku/", 1)?;
        doc.put(ROOT, "sku/x", 1)?;
        doc.put(ROOT, "sku//grams", 1)?;
        doc.put_object(ROOT, "sku/XM-05/name/map", automerge::ObjType::Map)?;
        Ok(())
    });
    let catalogue = read(&document);
    assert_eq!(catalogue.skus.keys().collect::<Vec<_>>(), ["XM-05"]);
    assert_eq!(catalogue.skus["XM-05"], millet());
    assert_eq!(catalogue.skus_damaged, ["", "A", "B", "C", "D", "E", "F", "G"]);
}
