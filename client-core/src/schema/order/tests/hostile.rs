//! Fields and texts that anybody may have written.

use super::*;

#[test]
fn hostile_fields_are_damaged_and_the_rest_is_read() {
    let hostile: [(&str, ScalarValue, &str); 13] = [
        ("told", "1790000000000".into(), "told"),
        ("told", "1 shipped".into(), "told"),
        ("told", ScalarValue::Int(7), "told"),
        ("placed", ScalarValue::Int(-1), "placed"),
        ("placed", "yesterday".into(), "placed"),
        ("total", ScalarValue::Int(-1), "total"),
        ("freight", ScalarValue::Int(i64::MAX), "freight"),
        ("pool", ScalarValue::Boolean(true), "pool"),
        ("stream", "NOT A CODE".into(), "stream"),
        ("item/x", "no map".into(), "lines"),
        ("sku/a", ScalarValue::Int(3), "sku"),
        ("over/a", ScalarValue::Int(-3), "over"),
        ("over/a", ScalarValue::Int(3), "over"),
    ];
    for (field, value, damaged) in hostile {
        let mut document = order_of(&["a"]);
        edit(&mut document, 9, |doc| Ok(doc.put(ROOT, field, value.clone())?));
        let order = read(&document, SERVER);
        assert_eq!(order.damaged, [damaged], "{field} {value:?}");
        assert_eq!(order.lines.len(), 1);
    }
    for (field, value) in [
        ("packs", ScalarValue::Int(0)),
        ("packs", ScalarValue::Int(-5)),
        ("packs", ScalarValue::Uint(u64::MAX)),
        ("fen", ScalarValue::Int(-1)),
        ("fen", ScalarValue::F64(1.5)),
        ("sku", ScalarValue::Null),
        ("title", "a\u{202e}b".into()),
        ("gift", "yes".into()),
    ] {
        let mut document = order_of(&["a", "b"]);
        edit(&mut document, 3, |doc| {
            let (_, item) = doc.get(ROOT, "item/a")?.unwrap();
            Ok(doc.put(&item, field, value.clone())?)
        });
        let order = read(&document, SERVER);
        assert_eq!((order.damaged.as_slice(), order.lines.len()), (&["lines"][..], 1), "{field} {value:?}");
    }
    let mut crowded = order_of(&["a"]);
    edit(&mut crowded, 3, |doc| (0..300).try_for_each(|id| super::taken::fill_line(doc, &line(&format!("b{id}")))));
    let order = read(&crowded, SERVER);
    assert_eq!((order.damaged.as_slice(), order.lines.len()), (&["lines"][..], LINES_MAX));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_as_told_or_rejected(text in "([0-9]{1,14} [a-z-]{1,9}\n?){0,3}|\\PC{0,40}") {
        if let Ok(told) = text.parse::<super::told::Told>() {
            prop_assert_eq!(told.to_string().parse::<super::told::Told>(), Ok(told));
        }
    }

    #[test]
    fn any_text_is_read_as_an_allocation_or_rejected(text in "[\\[\\]{}\":,a0-9-]{0,30}|\\PC{0,30}") {
        if let Some(read) = Allocation::from_text(&text) {
            prop_assert_eq!(Allocation::from_text(&read.to_text()), Some(read));
        }
    }
}
