//! Live-streams: planned, watched, ended.

use granary_client_core::automerge::AutoCommit;
use granary_client_core::quantities::{Day, Grams};
use granary_client_core::schema::order::{AfterSale, TakenOrder, ToldStatus};
use granary_client_core::schema::stock_book::{self, Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Stream};
use granary_client_core::schema::{MAIN_WAREHOUSE, StockMonth};

use super::forms::Two;
use super::page::PageForm;
use super::told_order::told;
use super::*;
use crate::log::Cooperative;
use crate::trade::ToldOrder;

const HERE: &str = "/console/streams";
const ELEVEN: &str = "/console/streams/eleven";
const OFFER: &str = "/console/streams/eleven/offer";

fn read(two: &Two) -> Stream {
    let server = Cooperative::server_device(two.world.granary.cooperative(two.world.coop).unwrap().id());
    stream::read(&two.document(&DocumentKey::Stream("eleven".parse().unwrap())), server)
}

/// A moment as its field has it.
fn at(minutes: i64) -> String {
    super::super::forms::moment_text(Instant(World::now().0 + minutes * 60_000))
}

async fn sent(two: &Two, form: &PageForm, to: &str) {
    let answer = two.send(&two.zhang, form).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, to), "{}", answer.page);
}

/// A co-operative with a pack, and a stream that begins after so many minutes.
async fn planned(starts: i64) -> Two {
    let two = Two::new().await;
    super::skus::add(&two, &[("code", "XM-05"), ("grams", "2.5"), ("grade", "A")]).await;
    let new = PageForm::with(&two.page(HERE).await, HERE, "new", "yes");
    let form = new.typed(&[("code", "eleven"), ("host", "阿珍"), ("starts", &at(starts)), ("ends", &at(starts + 120))]);
    sent(&two, &form, ELEVEN).await;
    let new = PageForm::with(&two.page(ELEVEN).await, OFFER, "new", "yes");
    let form = new.typed(&[("sku", "XM-05"), ("price", "39.90"), ("wanted", "100"), ("limit", "5")]);
    sent(&two, &form, "/console/streams/eleven#offers").await;
    two
}

/// Buys in so many packs of 2.5 kg.
fn stocked(two: &Two, packs: i64) {
    let today = Day::in_china(World::now());
    let goods = GoodsIn {
        product: "millet".into(),
        grade: "A".into(),
        quantity: Grams::new(packs * 2_500).unwrap(),
        day: today,
        expiry: None,
        from: "Mill".into(),
        bin: String::new(),
    };
    let book = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, today).unwrap());
    let write = move |doc: &mut AutoCommit| stock_book::write(doc, &Deed::In(goods), World::now()).map(drop);
    two.world.granary.edit(two.world.coop, &book, World::now(), write).unwrap();
    two.shown();
    followed(two);
}

/// Has the server grant what is wanted and there, as it does once a second.
fn followed(two: &Two) {
    while two.world.granary.follow_trade(World::now()).unwrap() {}
    two.world.granary.tick_trade(World::now()).unwrap();
    two.shown();
}

/// A shop tells of an order of so many packs.
fn sold(two: &Two, id: &str, packs: u32) {
    tell(two, told(id, packs, |_| {}));
}

fn tell(two: &Two, order: ToldOrder) {
    let answers = two.world.granary.take_orders(two.world.coop, vec![order], World::now()).unwrap();
    assert!(answers[0].sequence.is_some(), "{answers:?}");
    two.shown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_planned_with_its_offers_and_changed() {
    let two = planned(60).await;
    let stream = read(&two);
    assert_eq!((stream.host.as_deref(), stream.platform.as_deref()), (Some("阿珍"), Some("douyin")));
    let offer = &stream.offers["XM-05"];
    assert_eq!((offer.fen.get(), offer.wanted, offer.limit, offer.margin.get()), (3_990, 100, Some(5), 20));
    let page = two.page(HERE).await;
    assert!(page.contains("to come") && page.contains("阿珍") && page.contains("XM-05"), "{page}");

    // A form writes what its author changed: the other's change stays.
    let form = PageForm::with(&two.page(ELEVEN).await, OFFER, "sku", "XM-05");
    assert_eq!(two.send(&two.wang, &form.typed(&[("price", "35")])).await.status, 303);
    sent(&two, &form.typed(&[("margin", "0"), ("lots", &two.lot.to_string())]), "/console/streams/eleven#offers").await;
    let offer = read(&two).offers["XM-05"].clone();
    assert_eq!((offer.fen.get(), offer.margin.get(), offer.lots.len()), (3_500, 0, 1));
    let refused = two.send(&two.wang, &form.typed(&[("margin", "5")])).await;
    assert!(refused.status == 409 && refused.page.contains("id=\"fault\""), "{}", refused.page);
    // What was changed is taken back by the message's button.
    let page = two.page(ELEVEN).await;
    sent(&two, &PageForm::undo(&page), "/console/streams/eleven#offers").await;
    assert_eq!(read(&two).offers["XM-05"].margin.get(), 20);

    let form = PageForm::with(&two.page(ELEVEN).await, OFFER, "sku", "XM-05");
    for (field, typed) in
        [("price", "-1"), ("wanted", "many"), ("limit", "0"), ("margin", "200"), ("lots", "nothing"), ("ends", "late")]
    {
        let answer = two.send(&two.zhang, &form.typed(&[(field, typed)])).await;
        assert!(answer.status == 400 && answer.page.contains("id=\"fault\""), "{field} {}", answer.page);
    }
    // No lot is left out without a word.
    let many = vec![two.lot.to_string(); 51].join("\n");
    let answer = two.send(&two.zhang, &form.typed(&[("lots", &many)])).await;
    assert!(answer.status >= 400 && answer.page.contains("id=\"fault\""), "{} {}", answer.status, answer.page);
    assert_eq!(read(&two).offers["XM-05"].lots.len(), 0);
    let plan = PageForm::with(&two.page(ELEVEN).await, HERE, "code", "eleven");
    let early = two.send(&two.zhang, &plan.typed(&[("ends", &at(-60))])).await;
    assert!(early.status == 400 && early.page.contains("end after it begins"), "{}", early.page);
    assert_eq!(two.world.get("/console/streams/other", &two.zhang).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_shows_what_is_left_while_the_stream_is_on() {
    let two = planned(-10).await;
    let page = two.page(ELEVEN).await;
    assert!(page.contains("Nothing is granted yet") && page.contains("None yet"), "{page}");
    stocked(&two, 80);
    sold(&two, "1", 30);
    let page = two.page(ELEVEN).await;
    assert!(page.contains("<strong>50</strong>") && page.contains("30 sold of 80 granted"), "{page}");
    assert!(page.contains("100 wanted, there is not enough") && page.contains("The platform is told"), "{page}");
    assert!(page.contains("¥1,197.00") && page.contains("s ago"), "{page}");
    // A browser without script asks again by itself; one with script puts the figures in place beside a form.
    assert!(page.contains("<noscript><meta http-equiv=\"refresh\"") && page.contains("data-part=\"desk\""), "{page}");
    sold(&two, "2", 53);
    let page = two.page(ELEVEN).await;
    assert!(page.contains("sold out") && page.contains("Oversold by 3 packs"), "{page}");
    assert!(two.page("/console/orders?only=over&stream=eleven").await.contains("3 packs oversold"));

    // One truth about when a feed is slow, and about what no offer says.
    assert!(!page.contains("for a minute"), "{page}");
    let free = told("3", 1, |order| order.lines[0].sku = Some("none".into()));
    two.world.granary.take_orders(two.world.coop, vec![free], World::now()).unwrap();
    two.shown();
    let page = two.page(ELEVEN).await;
    assert!(page.contains("1 order has goods that nobody has mapped yet"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_are_added_an_offer_and_a_stream_are_ended() {
    let two = planned(-10).await;
    let page = two.page(ELEVEN).await;
    let more = PageForm::one(&page, &format!("{ELEVEN}/more"));
    sent(&two, &more.typed(&[("more", "50")]), "/console/streams/eleven#offers").await;
    assert_eq!(read(&two).offers["XM-05"].wanted, 150);
    // The same page sent again by somebody else would add fifty more that nobody saw.
    let refused = two.send(&two.wang, &more.typed(&[("more", "50")])).await;
    assert!(refused.status == 409 && refused.page.contains("150"), "{}", refused.page);
    let end_offer = PageForm::one(&two.page(ELEVEN).await, &format!("{ELEVEN}/offer-end"));
    sent(&two, &end_offer, "/console/streams/eleven#offers").await;
    assert!(read(&two).offers["XM-05"].ended);
    let again = PageForm::one(&two.page(ELEVEN).await, &format!("{ELEVEN}/offer-end"));
    sent(&two, &again, "/console/streams/eleven#offers").await;
    assert!(!read(&two).offers["XM-05"].ended);

    let end = PageForm::one(&two.page(ELEVEN).await, &format!("{ELEVEN}/end"));
    assert_eq!(two.send(&two.zhang, &end).await.status, 400, "nobody ends it by a slip");
    sent(&two, &end.typed(&[("sure", "yes")]), ELEVEN).await;
    assert!(read(&two).ended_at.is_some());
    let page = two.page(ELEVEN).await;
    assert!(page.contains("packs sold") && !page.contains("http-equiv=\"refresh\""));
    assert!(PageForm::all(&page, &format!("{ELEVEN}/more")).is_empty(), "{page}");
    assert!(two.page(HERE).await.contains("Past live-streams"));
    let activity = two.page("/console/activity?kind=promotion").await;
    assert!(activity.contains("packs wanted") && activity.contains("150"), "{activity}");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_stream_it_is_checked_whether_all_of_it_is_ready() {
    let two = planned(60).await;
    stocked(&two, 80);
    let page = two.page(ELEVEN).await;
    assert!(
        page.contains("Is all of it ready?") && page.contains("20 missing") && page.contains("not counted"),
        "{page}"
    );
    assert!(page.contains("once somebody says how many people pack"), "{page}");
    let ready = format!("{ELEVEN}/ready");
    let form = PageForm::one(&page, &ready);
    let counted = form.typed(&[("labels", "500"), ("bags", "90"), ("hands", "2"), ("pace", "40")]);
    sent(&two, &counted, ELEVEN).await;
    let page = two.page(ELEVEN).await;
    assert!(page.contains("10 missing") && page.contains("1 h 15 min"), "{page}");
    // What is counted is not written over by who did not see it.
    assert_eq!(two.send(&two.wang, &form.typed(&[("bags", "7")])).await.status, 409);
    let form = PageForm::one(&page, &ready);
    let refused = two.send(&two.zhang, &form.typed(&[("hands", "many")])).await;
    assert!(refused.status == 400 && refused.page.contains("id=\"fault\""), "{}", refused.page);
    sent(&two, &form.typed(&[("hands", "")]), ELEVEN).await;
    assert_eq!((read(&two).ready.hands, read(&two).ready.bags), (None, Some(90)));
    // A gift and a flash sale are said on the desk.
    let offer = PageForm::with(&two.page(ELEVEN).await, OFFER, "sku", "XM-05");
    let changed = [("price", "0"), ("begins", &*at(70)), ("ends", &*at(80)), ("lots", &two.lot.to_string())];
    sent(&two, &offer.typed(&changed), "/console/streams/eleven#offers").await;
    followed(&two);
    let page = two.page(ELEVEN).await;
    assert!(
        page.contains("gift") && page.contains("flash sale") && page.contains("in the lots that are named"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_stream_returns_are_counted_on() {
    let two = planned(-10).await;
    stocked(&two, 80);
    for (id, packs) in [("1", 5), ("2", 3), ("3", 2)] {
        sold(&two, id, packs);
    }
    let end = PageForm::one(&two.page(ELEVEN).await, &format!("{ELEVEN}/end"));
    sent(&two, &end.typed(&[("sure", "yes")]), ELEVEN).await;
    let page = two.page(ELEVEN).await;
    assert!(page.contains("¥399.00") && page.contains("0 %") && page.contains("3 orders"), "{page}");
    let later = |order: &mut TakenOrder| {
        order.told_at = Instant(order.told_at.0 + 60_000);
        order.told = ToldStatus::Closed;
    };
    tell(
        &two,
        told("3", 2, |order| {
            later(order);
            order.lines[0].after_sale = AfterSale::Refunded;
        }),
    );
    tell(&two, told("2", 3, later));
    followed(&two);
    let page = two.page(ELEVEN).await;
    // ¥79.80 of ¥399.00 went back; the other one was called off.
    assert!(page.contains("20 %") && page.contains("¥79.80") && page.contains("¥119.70"), "{page}");
    assert!(page.contains("state=to-pack&amp;stream=eleven") && page.contains("1 order<"), "{page}");
    assert!(two.page("/console/orders?state=to-pack&stream=eleven").await.contains("douyin"));
}
