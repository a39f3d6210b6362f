use proptest::prelude::*;

use super::*;
use crate::ids::{ActorId, Incarnation};
use crate::schema::{Book, Season};

const SERVER: DeviceId = DeviceId::from_bytes([9; 8]);
const BEGIN: Instant = Instant(1_790_000_000_000);

fn actor(device: u8) -> ActorId {
    DeviceId::from_bytes([device; 8]).actor(Incarnation::new(1))
}

fn edit(document: &mut Document, by: u8, edit: impl Fn(&mut AutoCommit) -> Result<(), DocumentFault>) {
    document.edit(&actor(by), BEGIN, edit).unwrap();
}

fn new_stream() -> Document {
    let mut document = Document::new(DocumentKey::Stream("eleven".parse().unwrap())).unwrap();
    let planned = StreamPlan {
        host: "小张".into(),
        platform: "douyin".into(),
        shop: String::new(),
        starts_at: BEGIN,
        ends_at: None,
    };
    edit(&mut document, 1, |doc| plan(doc, &planned));
    document
}

fn millet() -> Offer {
    let book = Book::first(crate::ids::HouseholdId::from_bytes([7; 16]), Season::new(2026).unwrap());
    let lot = LotId::in_book(&DocumentKey::HarvestBook(book), "7@0102".parse().unwrap()).unwrap();
    Offer { limit: Some(2), lots: vec![lot], ..Offer::new(Fen::new(2_990).unwrap(), 500) }
}

const SERVED: Served = Served { granted: 400, accepted: 390, over: 0, left: 2, as_of: BEGIN };

#[test]
fn stream_is_read_as_it_was_planned() {
    let mut document = new_stream();
    edit(&mut document, 1, |doc| offer(doc, "XM-05", &millet()));
    let heads = document.heads();
    edit(&mut document, 1, |doc| offer(doc, "XM-05", &millet()));
    assert_eq!(document.heads(), heads, "what stands there is not written again");
    let stream = read(&document, SERVER);
    assert_eq!((stream.damaged.as_slice(), stream.host.as_deref()), (&[][..], Some("小张")));
    assert_eq!((stream.offers["XM-05"].clone(), stream.ends_at), (millet(), None));
    edit(&mut document, 1, |doc| {
        want(doc, "XM-05", 600)?;
        end_offer(doc, "XM-05", true)?;
        end(doc, Instant(BEGIN.0 + 1))?;
        end(doc, Instant(BEGIN.0 + 2))
    });
    let stream = read(&document, SERVER);
    assert_eq!((stream.offers["XM-05"].wanted, stream.offers["XM-05"].ended), (600, true));
    assert_eq!(stream.ended_at, Some(Instant(BEGIN.0 + 1)), "it is ended once");
    assert!(document.edit(&actor(1), BEGIN, |doc| want(doc, "XM-10", 1)).is_err(), "it is not offered");
    let wrong = Offer { limit: Some(0), ..millet() };
    assert!(document.edit(&actor(1), BEGIN, |doc| offer(doc, "XM-10", &wrong)).is_err());
}

#[test]
fn margin_holds_a_pack_back_unless_it_is_none() {
    let with = |permille: i64| Offer { margin: Permille::new(permille).unwrap(), ..millet() };
    assert_eq!([0, 1, 10, 50, 51, 1_000].map(|granted| with(20).held_back(granted)), [0, 1, 1, 1, 2, 20]);
    assert_eq!([1, 1_000].map(|granted| with(0).held_back(granted)), [0, 0]);
    assert_eq!(with(1_000).held_back(u32::MAX), u32::MAX);
}

#[test]
fn two_who_plan_at_once_are_both_kept() {
    let mut one = new_stream();
    let mut two = one.clone();
    edit(&mut one, 1, |doc| offer(doc, "XM-05", &millet()));
    let other = two.edit(&actor(2), BEGIN, |doc| offer(doc, "XM-10", &millet())).unwrap().1.unwrap();
    one.apply(&[other]).unwrap();
    assert_eq!(read(&one, SERVER).offers.keys().collect::<Vec<_>>(), ["XM-05", "XM-10"]);
}

/// What was granted decides what may be sold.
#[test]
fn what_was_granted_counts_only_from_the_server() {
    let mut document = new_stream();
    edit(&mut document, 9, |doc| serve(doc, "XM-05", &SERVED));
    edit(&mut document, 3, |doc| {
        serve(doc, "XM-10", &Served { granted: 999_999, ..SERVED })?;
        keep_minutes(doc, &[1, 2]).map(drop)
    });
    let stream = read(&document, SERVER);
    assert_eq!(stream.served, [("XM-05".to_owned(), SERVED)].into());
    assert_eq!((stream.minutes.len(), stream.damaged.len()), (0, 0));
    let fields: Vec<_> = stream.trespasses.iter().map(|one| (one.field, one.actor.clone())).collect();
    assert_eq!(fields, [("served", Some(actor(3))), ("minutes", Some(actor(3)))]);

    let mut over = new_stream();
    assert!(over.edit(&actor(9), BEGIN, |doc| keep_minutes(doc, &[3; 800])).unwrap().0);
    assert!(!over.edit(&actor(9), BEGIN, |doc| keep_minutes(doc, &[1])).unwrap().0, "written once");
    assert_eq!(read(&over, SERVER).minutes, vec![3; MINUTES_MAX]);
}

#[test]
fn what_is_ready_is_told_and_says_how_long_packing_takes() {
    let mut document = new_stream();
    assert_eq!(read(&document, SERVER).ready, Ready::default());
    let ready = Ready { labels: Some(500), bags: None, hands: Some(4), packs_an_hour: Some(60) };
    edit(&mut document, 1, |doc| set_ready(doc, &ready));
    let stream = read(&document, SERVER);
    assert_eq!((stream.ready, stream.damaged.len()), (ready, 0));
    assert_eq!((ready.minutes_for(241), ready.minutes_for(0)), (Some(61), Some(0)));
    assert_eq!(Ready { hands: Some(0), ..ready }.minutes_for(1), None, "nobody packs");
    edit(&mut document, 1, |doc| set_ready(doc, &Ready::default()));
    assert_eq!(read(&document, SERVER).ready, Ready::default());
    let many = Ready { hands: Some(HANDS_MAX + 1), ..ready };
    assert!(document.edit(&actor(1), BEGIN, |doc| set_ready(doc, &many)).is_err());
    edit(&mut document, 1, |doc| Ok(doc.put(ROOT, "bags", -1)?));
    assert_eq!(read(&document, SERVER).damaged, ["bags"]);
}

#[test]
fn hostile_fields_are_damaged_and_the_rest_is_read() {
    for (field, value) in [
        ("fen", ScalarValue::Int(-1)),
        ("wanted", ScalarValue::Int(-1)),
        ("wanted", ScalarValue::Int(1_000_000)),
        ("margin", ScalarValue::Int(1_001)),
        ("limit", ScalarValue::Int(0)),
        ("begins", ScalarValue::Int(1)),
        ("lots", "no lot".into()),
        ("ended", "perhaps".into()),
    ] {
        let mut document = new_stream();
        edit(&mut document, 1, |doc| {
            offer(doc, "XM-05", &millet())?;
            offer(doc, "XM-10", &millet())?;
            let map = part(doc, "offers", ObjType::Map).unwrap();
            Ok(doc.put(&map, format!("XM-10/{field}"), value.clone())?)
        });
        let stream = read(&document, SERVER);
        assert_eq!(stream.damaged, ["offers"], "{field} {value:?}");
        assert_eq!(stream.offers.keys().collect::<Vec<_>>(), ["XM-05"]);
    }
    let mut document = new_stream();
    edit(&mut document, 9, |doc| {
        let map = part(doc, "served", ObjType::Map).unwrap();
        doc.put(&map, "XM-05", "1 2 3")?;
        doc.put(ROOT, "minutes", "1 2 -3")?;
        Ok(doc.put(ROOT, "starts", "soon")?)
    });
    assert_eq!(read(&document, SERVER).damaged, ["starts", "served", "minutes"]);
}

proptest! {
    #[test]
    fn what_the_server_says_is_read_again(granted: u32, accepted: u32, over: u32, left: u32, minutes in prop::collection::vec(any::<u32>(), 0..9)) {
        let served = Served { granted, accepted, over, left, as_of: BEGIN };
        let mut document = new_stream();
        edit(&mut document, 9, |doc| {
            serve(doc, "XM-05", &served)?;
            keep_minutes(doc, &minutes).map(drop)
        });
        let stream = read(&document, SERVER);
        prop_assert_eq!(stream.served.get("XM-05"), Some(&served));
        prop_assert_eq!(stream.minutes, minutes);
    }

    #[test]
    fn any_text_is_read_or_rejected(text in "[0-9 -]{0,40}") {
        let _ = (served_of(&text), minutes_of(&text), lots_of(&text));
    }
}
