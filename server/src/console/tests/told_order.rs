//! An order as a shop's program tells it.

use granary_client_core::quantities::Fen;
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::{AfterSale, TakenLine, TakenOrder, ToldStatus};

use super::*;
use crate::trade::{Mode, ToldOrder};

/// What a shop tells of an order of so many packs.
pub(super) fn told(id: &str, packs: u32, change: impl FnOnce(&mut TakenOrder)) -> ToldOrder {
    let now = World::now();
    let line = TakenLine {
        line_id: "1".into(),
        sku: Some("XM-05".into()),
        code: None,
        title: None,
        packs,
        fen: Fen::new(3_990 * i64::from(packs)).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    };
    let mut order = TakenOrder {
        placed_at: now,
        paid_at: None,
        promised_at: None,
        told_at: now,
        told: ToldStatus::ToShip,
        total_fen: None,
        freight_fen: None,
        pool: "eleven".into(),
        stream: None,
        lines: vec![line],
    };
    change(&mut order);
    ToldOrder { name: OrderName::of("douyin", id), mode: Mode::Tell, order, receiver: None, buyer_token: None }
}
