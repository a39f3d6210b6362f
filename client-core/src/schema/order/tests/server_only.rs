//! What only the server decides: from anybody else it counts for nothing.

use super::*;

/// `over` and `allocation` decide what is sent to whom: anybody who may write the order could write them.
#[test]
fn what_only_the_server_decides_counts_from_nobody_else() {
    let mut document = order_of(&["a"]);
    let allocation = Allocation(
        [("a".to_owned(), vec![Allocated { holding: "in:7@09".into(), grams: Grams::new(5_000).unwrap() }])].into(),
    );
    edit(&mut document, 3, |doc| {
        mark_over(doc, "a", 1)?;
        set_allocation(doc, &allocation)
    });
    let order = read(&document, SERVER);
    assert_eq!((order.over(), &order.allocation), (0, &Allocation::default()));
    let named = [("allocation", actor(3)), ("over", actor(3))];
    let mut found: Vec<_> = order.trespasses.into_iter().map(|one| (one.field, one.actor.unwrap())).collect();
    found.sort();
    assert_eq!(found, named);
    assert_eq!(crate::conflicts::trespasses(&document, SERVER).len(), 2);

    // Beside what the server wrote at once, somebody else's value is ignored too.
    let mut one = order_of(&["a"]);
    let mut two = one.clone();
    edit(&mut one, 9, |doc| mark_over(doc, "a", 2));
    let other = two.edit(&actor(3), Instant(0), |doc| mark_over(doc, "a", 1)).unwrap().1.unwrap();
    one.apply(&[other]).unwrap();
    let order = read(&one, SERVER);
    assert_eq!((order.over(), order.trespasses.len()), (2, 1));
}

#[test]
fn what_others_wrote_in_the_servers_place_is_taken_out_and_its_own_value_stays() {
    use crate::schema::{DocumentKind, reclaim};
    let mut document = order_of(&["a"]);
    let mut other = document.clone();
    edit(&mut document, 9, |doc| mark_over(doc, "a", 2));
    let foreign = other.edit(&actor(3), Instant(0), |doc| {
        doc.put(ROOT, "allocation", "{}")?;
        mark_over(doc, "a", 1)
    });
    document.apply(&[foreign.unwrap().1.unwrap()]).unwrap();
    assert_eq!(read(&document, SERVER).trespasses.len(), 2);
    let mut take_out =
        || document.edit(&actor(9), Instant(0), |doc| reclaim(doc, DocumentKind::Order, SERVER)).unwrap().0;
    assert!(take_out() && !take_out(), "then there is nothing left to take out");
    let order = read(&document, SERVER);
    assert_eq!((order.trespasses.as_slice(), order.over()), (&[][..], 2));
}
