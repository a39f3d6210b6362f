//! I7: what is known of the person who gets an order is on the pages of orders, and nowhere else.

use std::collections::{BTreeSet, VecDeque};

use granary_client_core::automerge::{ROOT, ReadDoc};
use granary_client_core::schema::order::AfterSale;
use granary_client_core::schema::receiver::Receiver;

use super::forms::Two;
use super::told_order::told;
use super::*;
use crate::trade::ToldOrder;

/// Parts of each secret: letters of both languages, what pages escape, what a file of commas quotes.
const KINDS: [&str; 4] = ["赵秀兰", "Zhao \"Xiu\" & <Lan>", "=1+东坡路,12", "138 0000"];
/// Fields of a receiver, and the buyer's token.
const FIELDS: usize = 6;
const PAGES_MAX: usize = 600;

/// The words of a field of an order, of which no other text has the number.
fn secret(order: usize, field: usize) -> String {
    format!("{} 77{order}{field}55", KINDS[order % KINDS.len()])
}

/// What stands in every form of a secret, however it is escaped.
fn mark(order: usize, field: usize) -> String {
    format!("77{order}{field}55")
}

/// An order whose receiver has a secret in each field.
fn told_with_secrets(order: usize) -> ToldOrder {
    let text = |field| Some(secret(order, field));
    let receiver = Receiver {
        name: text(0),
        phone: text(1),
        address: text(2),
        buyer_note: text(3),
        seller_note: text(4),
        ..Receiver::default()
    };
    let told = told(&format!("order-{order}"), 1, |taken| {
        taken.pool = if order.is_multiple_of(2) { "douyin" } else { "eleven" }.into();
        taken.lines[0].after_sale = if order == 1 { AfterSale::Asked } else { AfterSale::None };
    });
    ToldOrder { receiver: Some(receiver), buyer_token: text(5), ..told }
}

/// Pages and files that coordinators pack and answer by.
fn is_of_orders(path: &str) -> bool {
    ["/console/orders", "/console/search", "/console/export/orders"].iter().any(|place| path.starts_with(place))
}

/// The addresses that a page leads to, below the console.
fn links(page: &str) -> impl Iterator<Item = String> + '_ {
    let all = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let plain = all.map(|link| link.split('#').next().unwrap_or_default().replace("&amp;", "&"));
    plain.filter(|link| link.starts_with("/console"))
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_fields_are_on_no_page_and_in_no_file_but_those_of_orders() {
    let two = Two::new().await;
    super::skus::add(&two, &[("code", "XM-05"), ("grams", "2.5"), ("grade", "A")]).await;
    let orders = (0..KINDS.len()).map(told_with_secrets).collect();
    let answers = two.world.granary.take_orders(two.world.coop, orders, World::now()).unwrap();
    assert!(answers.iter().all(|answer| answer.sequence.is_some()), "{answers:?}");
    two.shown();
    let marks: Vec<String> =
        (0..KINDS.len()).flat_map(|order| (0..FIELDS).map(move |field| mark(order, field))).collect();
    let (mut waiting, mut seen) = (VecDeque::from(["/console".to_owned()]), BTreeSet::new());
    let mut is_on_pages_of_orders = false;
    while let Some(path) = waiting.pop_front() {
        if seen.len() >= PAGES_MAX || path.contains("sign-out") || !seen.insert(path.clone()) {
            continue;
        }
        let answer = two.world.get(&path, &two.zhang).await;
        waiting.extend(links(&answer.page));
        if is_of_orders(&path) {
            is_on_pages_of_orders |= answer.page.contains(&mark(0, 0));
            continue;
        }
        for mark in &marks {
            assert!(!answer.page.contains(mark), "{path} has {mark}");
        }
    }
    assert!(is_on_pages_of_orders, "the test would find it");
    for page in ["/console/households", "/console/stock", "/console/activity", "/console/export"] {
        assert!(seen.contains(page), "{page} is not among {seen:?}");
    }
    assert!(seen.iter().any(|path| path.starts_with("/console/export/")), "files were looked at: {seen:?}");
    let cooperative = two.world.granary.cooperative(two.world.coop).unwrap();
    for key in cooperative.documents().into_iter().filter(|key| !matches!(key, DocumentKey::Receiver(_))) {
        let document = two.world.granary.document(two.world.coop, &key).unwrap().unwrap();
        let texts = format!("{:?}", document.automerge().hydrate(ROOT, None));
        assert!(marks.iter().all(|mark| !texts.contains(mark)), "{key:?}: {texts}");
    }
}
