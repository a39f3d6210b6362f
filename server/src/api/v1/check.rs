//! Told orders as they are read from JSON: each wrong place is named, by order, line, field and code.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::quantities::{Fen, Instant, TextField};
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::{AfterSale, LINES_MAX, PACKS_MAX, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::receiver::Receiver;
use serde_json::{Map, Value};

use super::json::{Faults, Fields, Place};
use crate::access::api_keys::ApiKey;
use crate::trade::{Mode, ORDERS_MAX, ToldOrder};

/// The most fen of a line, and of an order's lines together.
const FEN_MAX: i64 = 100_000_000_000;
/// 2020-01-01.
const TIME_LEAST: i64 = 1_577_836_800_000;
const DAY_MILLIS: i64 = 24 * 3_600_000;
const BUYER_BYTES_MAX: usize = 256;

/// A request of orders that was read.
pub(super) struct Told {
    /// The orders that are right, each with its place in the request.
    pub(super) orders: Vec<(u32, ToldOrder)>,
    /// The outside ids as they were told, by place; empty where one could not be read.
    pub(super) ids: Vec<String>,
    pub(super) all_or_nothing: bool,
    /// The orders that are wrong.
    pub(super) wrong: BTreeSet<u32>,
    pub(super) faults: Faults,
}

const MODES: [(&str, Mode); 2] = [("ask", Mode::Ask), ("tell", Mode::Tell)];
const REQUEST: [&str; 4] = ["mode", "told_at", "all_or_nothing", "orders"];
const ORDER: [&str; 12] = [
    "outside_id",
    "placed_at",
    "paid_at",
    "promised_at",
    "status",
    "pool",
    "buyer_token",
    "total_fen",
    "freight_fen",
    "lines",
    "receiver",
    "told_at",
];
const LINE: [&str; 9] = ["line_id", "sku", "code", "title", "packs", "fen", "gift", "after_sale", "after_sale_at"];
const RECEIVER: [&str; 7] = ["name", "phone", "address", "sealed", "buyer_note", "seller_note", "address_changed_at"];

/// Reads a time with a zone, within what orders can have.
pub(super) fn time(fields: &mut Fields<'_>, name: &str, now: Instant) -> Option<Instant> {
    let text = fields.text(name, 40)?;
    let millis = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    match millis {
        None => {
            fields.fault(name, "time-bad", "a time is written as 2026-11-27T08:00:00Z or 2026-11-27T16:00:00+08:00")
        }
        Some(at) if !(TIME_LEAST..=now.0.saturating_add(DAY_MILLIS)).contains(&at) => {
            fields.fault(name, "time-bad", "a time lies between 2020 and a day from now");
        }
        Some(at) => return Some(Instant(at)),
    }
    None
}

fn fen(fields: &mut Fields<'_>, name: &str) -> Option<Fen> {
    fields.integer(name, (0, FEN_MAX), "money-bad").and_then(|fen| Fen::new(fen).ok())
}

/// A shop's own text: within its letters; blanks around it are not its own.
fn shop_text(fields: &mut Fields<'_>, name: &str, kind: TextField) -> Option<String> {
    let text = fields.text(name, kind.most().saturating_mul(4))?;
    match granary_client_core::quantities::checked_text(kind, &text) {
        Ok(text) => Some(text),
        Err(_) => {
            fields.fault(name, "too-long", format!("a text of 1 to {} letters", kind.most()));
            None
        }
    }
}

/// An id of an order or a line.
fn id(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    if let Some(Value::Number(_)) = fields.given(name) {
        fields.fault(name, "id-lost-digits", "an id is a text: as a number it loses digits");
        return None;
    }
    let text = fields.text(name, 64)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Some(text);
    }
    fields.fault(name, "id-bad", "an id has 1 to 64 of 0-9, A-Z, a-z, - and _");
    None
}

fn line(map: &Map<String, Value>, place: Place, mode: Mode, now: Instant, faults: &mut Faults) -> Option<TakenLine> {
    let mut fields = Fields { map, place, faults };
    fields.known(&LINE);
    let line_id = fields.required("line_id", |fields| id(fields, "line_id"));
    let sku = match mode {
        Mode::Ask => fields.required("sku", |fields| fields.text("sku", 32)),
        Mode::Tell => fields.text("sku", 32),
    };
    let code = shop_text(&mut fields, "code", TextField::ShopText);
    let title = shop_text(&mut fields, "title", TextField::ShopText);
    let packs = fields.required("packs", |fields| fields.integer("packs", (1, PACKS_MAX.into()), "quantity-bad"));
    let price = fields.required("fen", |fields| fen(fields, "fen"));
    let is_gift = fields.truth("gift");
    let after_sales = AfterSale::ALL.map(|state| (state.name(), state));
    let after_sale = fields.word("after_sale", &after_sales, "status-unknown").unwrap_or_default();
    let after_sale_at = time(&mut fields, "after_sale_at", now);
    if mode == Mode::Tell && [&sku, &code, &title].into_iter().all(Option::is_none) {
        fields.fault("sku", "missing", "say what is sold: by sku, code or title");
    }
    let (line_id, packs, fen) = (line_id?, u32::try_from(packs?).ok()?, price?);
    Some(TakenLine { line_id, sku, code, title, packs, fen, is_gift, after_sale, after_sale_at })
}

fn receiver(map: &Map<String, Value>, order: u32, now: Instant, faults: &mut Faults) -> Receiver {
    let mut fields = Fields { map, place: Place { order: Some(order), line: None, within: "receiver." }, faults };
    fields.known(&RECEIVER);
    Receiver {
        name: shop_text(&mut fields, "name", TextField::ReceiverName),
        phone: shop_text(&mut fields, "phone", TextField::ReceiverPhone),
        address: shop_text(&mut fields, "address", TextField::ReceiverAddress),
        is_sealed: fields.truth("sealed"),
        buyer_note: shop_text(&mut fields, "buyer_note", TextField::BuyerNote),
        seller_note: shop_text(&mut fields, "seller_note", TextField::SellerNote),
        address_changed_at: time(&mut fields, "address_changed_at", now),
        damaged: Vec::new(),
    }
}

/// What holds for all orders of a request.
struct Request<'a> {
    key: &'a ApiKey,
    mode: Mode,
    told_at: Instant,
    now: Instant,
}

impl Request<'_> {
    /// An order; none where something of it is wrong, which is noted.
    fn order(&self, map: &Map<String, Value>, at: u32, faults: &mut Faults) -> Option<ToldOrder> {
        let before = faults.0.len();
        let now = self.now;
        let mut fields = Fields { map, place: Place { order: Some(at), ..Place::default() }, faults };
        fields.known(&ORDER);
        let outside_id = fields.required("outside_id", |fields| id(fields, "outside_id"));
        let placed_at = fields.required("placed_at", |fields| time(fields, "placed_at", now));
        let paid_at = time(&mut fields, "paid_at", now);
        let promised_at = time(&mut fields, "promised_at", Instant(now.0.saturating_add(365 * DAY_MILLIS)));
        let told_at = time(&mut fields, "told_at", now).unwrap_or(self.told_at);
        let states: Vec<(&str, ToldStatus)> = match self.mode {
            Mode::Ask => vec![(ToldStatus::ToShip.name(), ToldStatus::ToShip)],
            Mode::Tell => ToldStatus::ALL.map(|state| (state.name(), state)).into(),
        };
        let told = match self.mode {
            Mode::Ask if fields.given("status").is_none() => Some(ToldStatus::ToShip),
            _ => fields.required("status", |fields| fields.word("status", &states, "status-unknown")),
        };
        let pool = shop_text(&mut fields, "pool", TextField::Pool).unwrap_or_else(|| self.key.platform.clone());
        let buyer_token = fields.text("buyer_token", BUYER_BYTES_MAX);
        let (total_fen, freight_fen) = (fen(&mut fields, "total_fen"), fen(&mut fields, "freight_fen"));
        let listed = fields.required("lines", |fields| Some(fields.list("lines"))).unwrap_or_default();
        if listed.is_empty() && matches!(fields.given("lines"), Some(Value::Array(_))) {
            fields.fault("lines", "no-lines", "an order has a line at least");
        }
        if listed.len() > LINES_MAX {
            fields.fault("lines", "too-many-lines", format!("an order has {LINES_MAX} lines at most"));
        }
        let to_whom = match fields.given("receiver").cloned() {
            None => None,
            Some(Value::Object(map)) => Some(receiver(&map, at, now, faults)),
            Some(_) => {
                fields.fault("receiver", "wrong-type", "this is to be an object");
                None
            }
        };
        let lines = self.lines(&listed, at, faults);
        if faults.0.len() > before {
            return None;
        }
        let ToldParts { outside_id, placed_at, told } =
            ToldParts { outside_id: outside_id?, placed_at: placed_at?, told: told? };
        Some(ToldOrder {
            name: OrderName { platform: self.key.platform.clone(), shop: self.key.shop.clone(), outside_id },
            mode: self.mode,
            order: TakenOrder {
                placed_at,
                paid_at,
                promised_at,
                told_at,
                told,
                total_fen,
                freight_fen,
                pool,
                stream: None,
                lines,
            },
            receiver: to_whom.filter(|receiver| !receiver.is_empty()),
            buyer_token,
        })
    }

    fn lines(&self, listed: &[Value], at: u32, faults: &mut Faults) -> Vec<TakenLine> {
        let (mut lines, mut ids, mut sum) = (Vec::new(), BTreeSet::new(), 0i64);
        for (number, value) in listed.iter().take(LINES_MAX).enumerate() {
            let place = Place { order: Some(at), line: u32::try_from(number).ok(), within: "" };
            let empty = Map::new();
            let Value::Object(map) = value else {
                let mut fields = Fields { map: &empty, place, faults };
                fields.fault("", "wrong-type", "a line is to be an object");
                continue;
            };
            let Some(line) = line(map, place, self.mode, self.now, faults) else { continue };
            sum = sum.saturating_add(line.fen.get());
            let mut fields = Fields { map: &empty, place, faults };
            if !ids.insert(line.line_id.clone()) {
                fields.fault("line_id", "repeated-line", "an earlier line of this order has the same id");
            }
            lines.push(line);
        }
        if sum > FEN_MAX {
            let (empty, place) = (Map::new(), Place { order: Some(at), ..Place::default() });
            let mut fields = Fields { map: &empty, place, faults };
            fields.fault("lines", "money-bad", format!("the lines of an order cost {FEN_MAX} fen at most"));
        }
        lines
    }
}

struct ToldParts {
    outside_id: String,
    placed_at: Instant,
    told: ToldStatus,
}

/// Reads a request; none of the orders where the request itself is wrong, which the faults say.
pub(super) fn read(key: &ApiKey, map: &Map<String, Value>, now: Instant) -> Result<Told, Faults> {
    let mut faults = Faults::default();
    let mut fields = Fields { map, place: Place::default(), faults: &mut faults };
    fields.known(&REQUEST);
    let mode = fields.required("mode", |fields| fields.word("mode", &MODES, "mode-unknown"));
    let told_at = match mode {
        Some(Mode::Tell) => fields.required("told_at", |fields| time(fields, "told_at", now)),
        _ if fields.given("told_at").is_none() => Some(now),
        _ => time(&mut fields, "told_at", now),
    };
    let all_or_nothing = fields.truth("all_or_nothing");
    let listed = fields.required("orders", |fields| Some(fields.list("orders"))).unwrap_or_default();
    if listed.is_empty() && matches!(fields.given("orders"), Some(Value::Array(_))) {
        fields.fault("orders", "no-orders", "a request has an order at least");
    }
    if listed.len() > ORDERS_MAX {
        fields.fault("orders", "too-many-orders", format!("a request has {ORDERS_MAX} orders at most"));
    }
    let (Some(mode), Some(told_at), true) = (mode, told_at, faults.0.is_empty()) else { return Err(faults) };
    let request = Request { key, mode, told_at, now };
    let (mut orders, mut wrong, mut ids) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (number, value) in (0u32..).zip(&listed) {
        let text = value.get("outside_id").and_then(Value::as_str).unwrap_or_default();
        ids.push(text.chars().take(64).collect());
        let told = match value {
            Value::Object(map) => request.order(map, number, &mut faults),
            _ => {
                let (empty, place) = (Map::new(), Place { order: Some(number), ..Place::default() });
                Fields { map: &empty, place, faults: &mut faults }.fault(
                    "",
                    "wrong-type",
                    "an order is to be an object",
                );
                None
            }
        };
        match told {
            Some(told) => orders.push((number, told)),
            None => drop(wrong.insert(number)),
        }
    }
    refuse_repeated(&mut orders, &mut wrong, &mut faults);
    Ok(Told { orders, ids, all_or_nothing, wrong, faults })
}

/// Two orders of one id in a request: neither is taken, since nobody knows which of the two holds.
fn refuse_repeated(orders: &mut Vec<(u32, ToldOrder)>, wrong: &mut BTreeSet<u32>, faults: &mut Faults) {
    let mut places: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (place, told) in orders.iter() {
        places.entry(told.name.outside_id.clone()).or_default().push(*place);
    }
    let repeated: BTreeSet<u32> = places.into_values().filter(|places| places.len() > 1).flatten().collect();
    let empty = Map::new();
    for place in &repeated {
        let place = Place { order: Some(*place), ..Place::default() };
        let detail = "another order of this request has the same id; neither is taken";
        Fields { map: &empty, place, faults }.fault("outside_id", "repeated-order", detail);
    }
    orders.retain(|(place, _)| !repeated.contains(place));
    wrong.extend(repeated);
}
