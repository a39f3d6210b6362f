//! Live-streams: planned, watched, ended.

use granary_client_core::schema::stream::{self, Served, Stream};

use super::forms::Two;
use super::page::PageForm;
use super::*;
use crate::log::Cooperative;

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

/// Writes what the server granted and counted.
fn served(two: &Two, granted: u32, accepted: u32) {
    let served = Served {
        granted,
        accepted,
        over: accepted.saturating_sub(granted),
        left: granted.saturating_sub(accepted).saturating_sub(2),
        as_of: World::now(),
    };
    let key = DocumentKey::Stream("eleven".parse().unwrap());
    let edit = move |doc: &mut granary_client_core::automerge::AutoCommit| stream::serve(doc, "XM-05", &served);
    two.world.granary.edit(two.world.coop, &key, World::now(), edit).unwrap();
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

    for (field, typed) in
        [("price", "-1"), ("wanted", "many"), ("limit", "0"), ("margin", "200"), ("lots", "nothing"), ("ends", "late")]
    {
        let answer = two.send(&two.zhang, &form.typed(&[(field, typed)])).await;
        assert!(answer.status == 400 && answer.page.contains("id=\"fault\""), "{field} {}", answer.page);
    }
    let plan = PageForm::with(&two.page(ELEVEN).await, HERE, "code", "eleven");
    let early = two.send(&two.zhang, &plan.typed(&[("ends", &at(-60))])).await;
    assert!(early.status == 400 && early.page.contains("end after it begins"), "{}", early.page);
    assert_eq!(two.world.get("/console/streams/other", &two.zhang).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_shows_what_is_left_while_the_stream_is_on() {
    let two = planned(-10).await;
    served(&two, 80, 30);
    let page = two.page(ELEVEN).await;
    assert!(page.contains("<strong class=\"left\">50</strong>") && page.contains("30 sold of 80 granted"), "{page}");
    assert!(page.contains("100 wanted, there is not enough") && page.contains("told 48 packs"), "{page}");
    // A browser without script asks again by itself; one with script puts the figures in place beside a form.
    assert!(page.contains("<noscript><meta http-equiv=\"refresh\"") && page.contains("data-part=\"desk\""), "{page}");
    served(&two, 80, 83);
    let page = two.page(ELEVEN).await;
    assert!(page.contains("sold out") && page.contains("Oversold by 3 packs"), "{page}");
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
    served(&two, 80, 30);
    let page = two.page(ELEVEN).await;
    assert!(page.contains("packs sold") && !page.contains("http-equiv=\"refresh\""));
    assert!(PageForm::all(&page, &format!("{ELEVEN}/more")).is_empty(), "{page}");
    assert!(two.page(HERE).await.contains("Past live-streams"));
    let activity = two.page("/console/activity?kind=promotion").await;
    assert!(activity.contains("packs wanted") && activity.contains("150"), "{activity}");
}
