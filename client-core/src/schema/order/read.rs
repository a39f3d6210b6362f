//! Reads an order, whatever it holds: what can't be read, or is too much, is named among the damaged fields.

use std::collections::BTreeMap;

use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};

use super::taken::ALLOCATION_BYTES_MAX;
use super::told::{Told, told_of};
use super::{
    AfterSale, Allocation, LINES_MAX, Order, OrderLine, OrderStatus, PACKS_MAX, SETTLED_BYTES_MAX, StatusSettled,
};
use crate::ids::DeviceId;
use crate::quantities::{Fen, Grams, Instant, TextField, checked_text};
use crate::schema::Document;
use crate::schema::server_only::{Trespass, server_values};
use crate::schema::sku::checked_code;
use crate::schema::view::{Fields, maps_in_list, part, text_at};

/// Reads the order. What only the server decides counts where `server` wrote it, the server's own device
/// ([`crate::ids::CooperativeId::server_device`]).
pub fn read(document: &Document, server: DeviceId) -> Order {
    let automerge = document.automerge();
    let mut fields = Fields::new(automerge, ROOT);
    let status = fields.parsed("status", OrderStatus::from_name);
    let shipment = fields.optional_text("shipment");
    let money = |fen| Fen::new(fen).ok();
    let mut order = Order {
        status,
        shipment,
        settled: settled(automerge),
        placed_at: fields.optional_integer("placed", Instant::told),
        paid_at: fields.optional_integer("paid", Instant::told),
        promised_at: fields.optional_integer("promised", Instant::told),
        total_fen: fields.optional_integer("total", money),
        freight_fen: fields.optional_integer("freight", money),
        pool: fields.optional_parsed("pool", |text| as_it_is(TextField::Pool, text)),
        stream: fields.optional_parsed("stream", |text| text.parse().ok()),
        ..Order::default()
    };
    let (told, values) = told_of(automerge);
    if told.is_none() && values > 0 {
        fields.damage("told");
    }
    order.told_at = told.as_ref().map(|told| told.at);
    order.told = told.as_ref().map(|told| told.status);
    order.damaged = fields.damaged();
    read_plain_lines(automerge, &mut order);
    read_lines(automerge, told.as_ref(), server, &mut order);
    order.allocation = allocation(automerge, server, &mut order);
    order.damaged.dedup();
    order
}

/// How an order's status was settled last, while nobody has moved it on since.
pub(crate) fn settled(automerge: &AutoCommit) -> Option<StatusSettled> {
    let text = text_at(automerge, &ROOT, "settled").filter(|text| text.len() <= SETTLED_BYTES_MAX)?;
    serde_json::from_str(&text).ok()
}

/// A text that is as it would be kept.
fn as_it_is(field: TextField, text: &str) -> Option<String> {
    checked_text(field, text).ok().filter(|checked| checked == text)
}

/// The lines by weight, of an order from before there were SKUs.
fn read_plain_lines(automerge: &AutoCommit, order: &mut Order) {
    let list = part(automerge, "lines", ObjType::List);
    let entries = list.map(|list| maps_in_list(automerge, &list)).unwrap_or_default();
    for (place, entry) in entries.into_iter().enumerate() {
        if order.lines.len() >= LINES_MAX {
            return order.damaged.push("lines");
        }
        let mut fields = Fields::new(automerge, entry);
        let line = (
            fields.text("product"),
            fields.integer("grams", |grams| Grams::new(grams).ok()),
            fields.integer("fen", |fen| Fen::new(fen).ok()),
        );
        match line {
            (Some(product), Some(grams), Some(fen)) => order.lines.push(OrderLine {
                product: Some(product),
                grams: Some(grams),
                ..empty_line(place.to_string(), fen)
            }),
            _ => order.damaged.push("lines"),
        }
    }
}

fn empty_line(line_id: String, fen: Fen) -> OrderLine {
    OrderLine {
        line_id,
        product: None,
        sku: None,
        is_mapped_later: false,
        code: None,
        title: None,
        packs: None,
        grams: None,
        fen,
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
        over: 0,
    }
}

/// The lines of packs: the first ones by id, where there are more than an order may have.
fn read_lines(automerge: &AutoCommit, told: Option<&Told>, server: DeviceId, order: &mut Order) {
    let (mut items, mut mapped, mut over) = (Vec::new(), BTreeMap::new(), Vec::new());
    for key in automerge.keys(ROOT) {
        if let Some(line) = key.strip_prefix("item/") {
            items.push(line.to_owned());
        } else if let Some(line) = key.strip_prefix("sku/") {
            let text = text_at(automerge, &ROOT, &key);
            let sku = text.and_then(|text| checked_code(&text).ok().filter(|code| *code == text));
            mapped.insert(line.to_owned(), sku);
        } else if let Some(line) = key.strip_prefix("over/") {
            over.push((
                line.to_owned(),
                server_values(automerge, &ROOT, ("over", &key), server, &mut order.trespasses),
            ));
        }
    }
    if items.len().saturating_add(order.lines.len()) > LINES_MAX {
        order.damaged.push("lines");
    }
    items.truncate(LINES_MAX.saturating_sub(order.lines.len()));
    for id in items {
        let Some(mut line) = line(automerge, &id) else {
            order.damaged.push("lines");
            continue;
        };
        match mapped.remove(&id) {
            Some(Some(sku)) => (line.sku, line.is_mapped_later) = (Some(sku), true),
            Some(None) => order.damaged.push("sku"),
            None => {}
        }
        if let Some(told) = told {
            let (at, state) = told.line(&id);
            (line.after_sale, line.after_sale_at) = (state, Some(at));
        }
        order.lines.push(line);
    }
    for (id, values) in over {
        let line = order.lines.iter_mut().find(|line| line.line_id == id);
        // Where two of the server's own values stand beside each other, as after it was restored, none of the packs is forgotten.
        let packs = values.iter().map(packs_of).collect::<Option<Vec<_>>>().map(|packs| packs.into_iter().max());
        match (line, packs) {
            (_, Some(None)) => {}
            (Some(line), Some(Some(packs))) if line.packs.is_some_and(|all| packs <= all) => line.over = packs,
            _ => order.damaged.push("over"),
        }
    }
}

fn packs_of(value: &ScalarValue) -> Option<u32> {
    match value {
        ScalarValue::Int(packs) => u32::try_from(*packs).ok(),
        ScalarValue::Uint(packs) => u32::try_from(*packs).ok(),
        _ => None,
    }
}

fn line(automerge: &AutoCommit, id: &str) -> Option<OrderLine> {
    let line_id = as_it_is(TextField::LineId, id)?;
    let object: ObjId = match automerge.get(ROOT, format!("item/{id}")) {
        Ok(Some((automerge::Value::Object(ObjType::Map), object))) => object,
        _ => return None,
    };
    let mut fields = Fields::new(automerge, object);
    let packs = |packs| u32::try_from(packs).ok().filter(|packs| (1..=PACKS_MAX).contains(packs));
    let packs = fields.integer("packs", packs);
    let fen = fields.integer("fen", |fen| Fen::new(fen).ok());
    let shop_text = |text: &str| as_it_is(TextField::ShopText, text);
    let line = OrderLine {
        sku: fields.optional_parsed("sku", |text| checked_code(text).ok().filter(|code| code == text)),
        code: fields.optional_parsed("code", shop_text),
        title: fields.optional_parsed("title", shop_text),
        packs: Some(packs?),
        is_gift: fields.optional_truth("gift"),
        ..empty_line(line_id, fen?)
    };
    fields.damaged().is_empty().then_some(line)
}

fn allocation(automerge: &AutoCommit, server: DeviceId, order: &mut Order) -> Allocation {
    let trespasses: &mut Vec<Trespass> = &mut order.trespasses;
    let values = server_values(automerge, &ROOT, ("allocation", "allocation"), server, trespasses);
    let Some(value) = values.last() else { return Allocation::default() };
    let text = match value {
        ScalarValue::Str(text) if text.len() <= ALLOCATION_BYTES_MAX => Some(text.as_str()),
        _ => None,
    };
    text.and_then(Allocation::from_text).unwrap_or_else(|| {
        order.damaged.push("allocation");
        Allocation::default()
    })
}
