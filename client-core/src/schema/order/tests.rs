//! An order that is taken and told, and what is read of it.

mod hostile;
mod server_only;
mod taking;
mod telling;

use automerge::ScalarValue;
use proptest::prelude::*;

use super::*;
use crate::crdt::change::VerifiedChange;
use crate::ids::{ActorId, DeviceId, Incarnation};
use crate::schema::receiver::{self, Receiver};
use crate::schema::{Document, DocumentKey, OrderName};

const SERVER: DeviceId = DeviceId::from_bytes([9; 8]);
/// The first told time, in milliseconds.
const BEGIN: i64 = 1_790_000_000_000;

fn actor(device: u8) -> ActorId {
    DeviceId::from_bytes([device; 8]).actor(Incarnation::new(1))
}

fn line(id: &str) -> TakenLine {
    TakenLine {
        line_id: id.into(),
        sku: Some("XM-05".into()),
        code: Some("XM-05".into()),
        title: Some("临县小米 5斤装".into()),
        packs: 2,
        fen: Fen::new(6_000).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    }
}

fn taken(lines: &[&str]) -> TakenOrder {
    TakenOrder {
        placed_at: Instant(BEGIN - 60_000),
        paid_at: Some(Instant(BEGIN - 30_000)),
        promised_at: Some(Instant(BEGIN + 172_800_000)),
        told_at: Instant(BEGIN),
        told: ToldStatus::ToShip,
        total_fen: Some(Fen::new(12_000).unwrap()),
        freight_fen: None,
        pool: "double-eleven".into(),
        stream: "double-eleven".parse().ok(),
        lines: lines.iter().map(|id| line(id)).collect(),
    }
}

fn new_order() -> Document {
    Document::new(DocumentKey::Order(OrderName::of("douyin", "6912"))).unwrap()
}

fn edit<R>(document: &mut Document, by: u8, edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>) -> R {
    document.edit(&actor(by), Instant(BEGIN), edit).unwrap().0
}

fn order_of(lines: &[&str]) -> Document {
    let mut document = new_order();
    assert!(edit(&mut document, 9, |doc| take(doc, &taken(lines))));
    document
}

#[test]
fn where_an_order_stands_is_the_further_of_told_and_done() {
    for (told, status, state) in [
        (None, OrderStatus::Packed, OrderState::Packed),
        (Some(ToldStatus::ToShip), OrderStatus::Packed, OrderState::Packed),
        (Some(ToldStatus::PartShipped), OrderStatus::Placed, OrderState::ToPack),
        (Some(ToldStatus::Shipped), OrderStatus::Placed, OrderState::Shipped),
        (Some(ToldStatus::ToShip), OrderStatus::Shipped, OrderState::Shipped),
        (Some(ToldStatus::Closed), OrderStatus::Packed, OrderState::Closed),
        (Some(ToldStatus::Done), OrderStatus::Cancelled, OrderState::Cancelled),
    ] {
        assert_eq!(Order { told, status: Some(status), ..Order::default() }.state(), Some(state));
    }
    assert_eq!(Order::default().state(), None);
}

/// Before there were SKUs, a line named a product and a weight.
#[test]
fn order_from_before_skus_is_still_read() {
    let mut document = new_order();
    let plain =
        PlainLine { product: "millet".into(), quantity: Grams::new(2_000).unwrap(), price: Fen::new(4_560).unwrap() };
    edit(&mut document, 9, |doc| {
        place(doc, std::slice::from_ref(&plain))?;
        ship(doc, "SF1234")
    });
    let order = read(&document, SERVER);
    assert_eq!((order.damaged.as_slice(), order.state()), (&[][..], Some(OrderState::Shipped)));
    let line = &order.lines[0];
    assert_eq!(
        (line.product.as_deref(), line.grams.map(Grams::get), line.fen.get()),
        (Some("millet"), Some(2_000), 4_560)
    );
    assert_eq!((line.line_id.as_str(), line.packs, line.is_unmapped()), ("0", None, false));
    // A platform's file may tell of it too.
    assert!(edit(&mut document, 9, |doc| tell(doc, &TakenOrder { told: ToldStatus::Done, ..taken(&["x"]) })));
    assert_eq!(read(&document, SERVER).state(), Some(OrderState::Done));
}

/// I7: nothing of a receiver stands in the order.
#[test]
fn no_field_of_a_receiver_is_in_an_orders_bytes() {
    let who = Receiver {
        name: Some("测试收件人甲".into()),
        phone: Some("13812345678".into()),
        address: Some("山西省临县某村 12 号".into()),
        is_sealed: true,
        buyer_note: Some("放门口谢谢".into()),
        seller_note: Some("老客户加急".into()),
        address_changed_at: Some(Instant(BEGIN)),
        damaged: vec![],
    };
    let mut document = Document::new(DocumentKey::Receiver(OrderName::of("douyin", "6912"))).unwrap();
    assert!(edit(&mut document, 9, |doc| receiver::set(doc, &who)));
    assert_eq!(receiver::read(&document), who);
    let mut order = order_of(&["a", "b"]);
    edit(&mut order, 9, |doc| tell(doc, &TakenOrder { told_at: Instant(BEGIN + 9), ..taken(&["a"]) }));
    let (order, receiver) = (order.save(), document.save());
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for text in [&who.name, &who.phone, &who.address, &who.buyer_note, &who.seller_note].into_iter().flatten() {
        assert!(has(&receiver, text) && !has(&order, text), "{text}");
    }
}
