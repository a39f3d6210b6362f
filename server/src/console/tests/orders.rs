//! Orders: listed by what is wrong with them, each with its lines, and mapped.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::order::{self, AfterSale, PlainLine, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::{OrderName, sku};

use super::forms::Two;
use super::page::PageForm;
use super::*;

const HERE: &str = "/console/orders";
const DAY: i64 = 86_400_000;

fn line(id: &str, sku: Option<&str>, packs: u32) -> TakenLine {
    TakenLine {
        line_id: id.into(),
        sku: sku.map(str::to_owned),
        code: Some("HT-001".into()),
        title: Some("花椒 <b>500g</b>".into()),
        packs,
        fen: Fen::new(3_990).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    }
}

fn name(id: &str) -> OrderName {
    OrderName { shop: "2号店".into(), ..OrderName::of("douyin", id) }
}

/// Takes an order that was placed so many days ago and promised a day later.
fn take(two: &Two, id: &str, days: i64, lines: Vec<TakenLine>, told: ToldStatus) {
    let placed_at = Instant(World::now().0 - days * DAY);
    let taken = TakenOrder {
        placed_at,
        paid_at: Some(placed_at),
        promised_at: Some(placed_at.plus_millis(86_400_000)),
        told_at: World::now(),
        told,
        total_fen: None,
        freight_fen: None,
        pool: "douyin".into(),
        stream: None,
        lines,
    };
    let edit = move |doc: &mut granary_client_core::automerge::AutoCommit| order::take(doc, &taken).map(drop);
    two.world.granary.edit(two.world.coop, &DocumentKey::Order(name(id)), World::now(), edit).unwrap();
    two.shown();
}

async fn known() -> Two {
    let two = Two::new().await;
    super::skus::add(&two, &[("code", "XM-05"), ("grams", "2.5"), ("grade", "A")]).await;
    take(&two, "6921001", 0, vec![line("1", Some("XM-05"), 2)], ToldStatus::ToShip);
    take(&two, "6921002", 3, vec![line("1", Some("XM-05"), 1), line("2", None, 3)], ToldStatus::ToShip);
    take(&two, "6921005", 6, vec![line("7", None, 1)], ToldStatus::Done);
    take(&two, "6921003", 5, vec![line("1", Some("XM-05"), 1)], ToldStatus::Shipped);
    let over = |doc: &mut granary_client_core::automerge::AutoCommit| order::mark_over(doc, "1", 2);
    two.world.granary.edit(two.world.coop, &DocumentKey::Order(name("6921001")), World::now(), over).unwrap();
    two.shown();
    two
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_by_state_and_by_what_is_wrong_with_them() {
    let two = known().await;
    let all = two.page(HERE).await;
    for id in ["6921001", "6921002", "6921003"] {
        assert!(all.contains(id), "{id}: {all}");
    }
    assert!(all.contains("抖音") | all.contains("Douyin"));
    // What the platform has told to be shipped asks for no state of ours that says less.
    let asked = |id: &str| PageForm::all(&all, "/console/orders/status").iter().any(|form| form.get("outside") == id);
    assert!(asked("6921001") && !asked("6921003"), "{all}");
    let found = two.page("/console/search?q=6921001").await;
    assert!(found.contains("Douyin 6921001"), "{found}");
    assert!(all.contains("Millet 2.5 kg × 2") && all.contains("2 packs oversold"), "{all}");
    for (query, shown, others) in [
        ("?state=to-pack", vec!["6921001", "6921002"], vec!["6921003"]),
        ("?status=shipped", vec!["6921003"], vec!["6921001", "6921002"]),
        ("?only=over", vec!["6921001"], vec!["6921002", "6921003"]),
        ("?only=unmapped", vec!["6921002", "6921005"], vec!["6921001", "6921003"]),
        // What is on its way is not late any more.
        ("?only=late", vec!["6921002"], vec!["6921001", "6921003"]),
        ("?search=1003", vec!["6921003"], vec!["6921001", "6921002"]),
        ("?shop=douyin", vec!["6921001"], vec![]),
        ("?shop=kuaishou", vec![], vec!["6921001", "6921002", "6921003"]),
    ] {
        let page = two.page(&format!("{HERE}{query}")).await;
        let rows = page.split("<tbody>").nth(1).unwrap_or_default();
        assert!(shown.iter().all(|id| rows.contains(id)), "{query}: {page}");
        assert!(!others.iter().any(|id| rows.contains(id)), "{query}: {page}");
    }
    let overview = two.page("/console").await;
    for wrong in ["only=over", "only=unmapped", "only=late"] {
        assert!(overview.contains(wrong), "{wrong}: {overview}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_page_says_what_was_told_and_a_line_is_mapped_once_for_all() {
    let two = known().await;
    let path = "/console/orders/douyin%402%E5%8F%B7%E5%BA%97%2F6921002";
    assert!(two.page(HERE).await.contains("6921002"));
    let page = two.page(path).await;
    assert!(page.contains("Goods unknown") && page.contains("to ship") && page.contains("HT-001"), "{page}");
    assert!(page.contains("&lt;b&gt;"), "what a shop writes is data: {page}");
    let action = format!("/console/orders/{}/map", super::super::forms::encode(&name("6921002").to_string()));
    let map = PageForm::one(&page, &action);
    assert_eq!(two.send(&two.zhang, &map).await.status, 400, "a pack must be chosen");
    let answer = two.send(&two.zhang, &map.typed(&[("sku", "XM-05")])).await;
    assert_eq!(answer.status, 303, "{}", answer.page);
    assert!(!two.page(path).await.contains("Goods unknown"));
    assert!(!two.page(&format!("{HERE}?only=unmapped")).await.contains("6921005"), "and so are other orders with it");
    assert_eq!(super::skus::skus(&two)["XM-05"].codes, ["HT-001"], "later orders with it are understood");
    assert_eq!(two.send(&two.wang, &map.typed(&[("sku", "XM-05")])).await.status, 409);
    assert_eq!(two.world.get("/console/orders/douyin%2Fnothing", &two.zhang).await.status, 404);
    // A code of one pack is not given to another.
    two.world
        .granary
        .edit(two.world.coop, &DocumentKey::Catalogue(granary_client_core::schema::Part::FIRST), World::now(), |doc| {
            sku::set_sku(doc, &sku::Sku::new("XM-10", "millet", "A", Grams::new(5_000).unwrap()))
        })
        .unwrap();
    take(&two, "6921004", 0, vec![line("1", None, 1)], ToldStatus::ToShip);
    let page = two.page("/console/orders/douyin%402%E5%8F%B7%E5%BA%97%2F6921004").await;
    let action = format!("/console/orders/{}/map", super::super::forms::encode(&name("6921004").to_string()));
    let refused = two.send(&two.zhang, &PageForm::one(&page, &action).typed(&[("sku", "XM-10")])).await;
    assert!(refused.status == 409 && refused.page.contains("XM-05"), "{}", refused.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_or_masked_receiver_is_said_and_an_old_order_still_shows() {
    let two = known().await;
    let write = |id: &str, receiver: Receiver| {
        let edit = move |doc: &mut granary_client_core::automerge::AutoCommit| receiver::set(doc, &receiver).map(drop);
        two.world.granary.edit(two.world.coop, &DocumentKey::Receiver(name(id)), World::now(), edit).unwrap();
    };
    let some = |text: &str| Some(text.to_owned());
    write("6921001", Receiver { name: some("##abc"), address: some("$$xyz"), is_sealed: true, ..Receiver::default() });
    write("6921002", Receiver { name: some("张*"), phone: some("138****0001"), ..Receiver::default() });
    two.shown();
    let sealed = two.page("/console/orders/douyin%402%E5%8F%B7%E5%BA%97%2F6921001").await;
    assert!(sealed.contains("The receiver is sealed") && !sealed.contains("##abc"), "{sealed}");
    let masked = two.page("/console/orders/douyin%402%E5%8F%B7%E5%BA%97%2F6921002").await;
    assert!(masked.contains("张*") && masked.contains("has masked a part"), "{masked}");

    let old = OrderName::of("wechat", "A-1");
    let edit = |doc: &mut granary_client_core::automerge::AutoCommit| {
        let (quantity, price) = (Grams::new(2_000).unwrap(), Fen::new(4_560).unwrap());
        order::place(doc, &[PlainLine { product: "millet".into(), quantity, price }])
    };
    two.world.granary.edit(two.world.coop, &DocumentKey::Order(old), World::now(), edit).unwrap();
    two.shown();
    let page = two.page(HERE).await;
    assert!(page.contains("A-1") && page.contains("Millet"), "{page}");
    assert!(two.page("/console/orders/wechat%2FA-1").await.contains("¥45.60"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_by_someone_who_may_not_is_a_case_that_is_settled_by_taking_it_out() {
    let two = Two::new().await;
    let key = DocumentKey::Order(OrderName::of("douyin", "77"));
    let placed =
        [PlainLine { product: "millet".into(), quantity: Grams::new(5_000).unwrap(), price: Fen::new(4_000).unwrap() }];
    // A coordinator's own device, as a packer's phone would, writes what is the server's alone.
    let by = two.world.granary.coordinators(two.world.coop).unwrap().0[0].device;
    let write = move |doc: &mut granary_client_core::automerge::AutoCommit| {
        order::place(doc, &placed)?;
        order::set_allocation(doc, &order::Allocation::default())
    };
    two.world.granary.edit_as(two.world.coop, by, World::now(), vec![Edits::one(key.clone(), write)]).unwrap();
    two.shown();
    let page = two.page("/console/cases").await;
    assert!(
        page.contains("Written by someone who may not") && page.contains("which goods it is served from"),
        "{page}"
    );
    assert!(page.contains("douyin 77"), "{page}");
    let form = PageForm::one(&page, "/console/cases/reclaim");
    let answer = two.send(&two.zhang, &form).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, "/console/cases"), "{}", answer.page);
    two.shown();
    assert!(!two.page("/console/cases").await.contains("Written by someone who may not"));
    assert!(two.page("/console/activity?kind=apart").await.contains("took out what was written"));
    // A second person, who still sees the case, changes nothing.
    assert_eq!(two.send(&two.wang, &form).await.status, 303);
    assert_eq!(two.send(&two.zhang, &form.typed(&[("thing", "order:nothing")])).await.status, 404);
}
