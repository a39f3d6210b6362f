//! One order: its lines with what is in them, what the platform told and when, what it is served from, who gets it, and our own state
//! of it. A line of which nobody knows what is in it is mapped here, once for all orders.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::projection::{OrderFilter, UnmappedLine};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::{self, AfterSale, Order, OrderLine};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::{DocumentKey, HoldingId, OrderName, Part, sku};
use maud::{Markup, html};

use super::{HERE, address, conflict_card, marks, state, title};
use crate::console::activity;
use crate::console::catalogue::skus;
use crate::console::forms::encode;
use crate::console::i18n::{Locale, grouped, money};
use crate::console::inputs::Inputs;
use crate::console::names::Names;
use crate::console::page::Page;
use crate::console::parts::{Column, Row, Table};
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::console::streams;
use crate::engine::own_edits::Edits;
use crate::log::Cooperative;

/// Orders that are mapped by one form at most; what is more waits for the next one.
const MAPPED_AT_ONCE_MAX: u32 = 200;

/// What an address names.
fn named(signed: &SignedIn, name: &str) -> Result<OrderName, Refused> {
    name.parse().map_err(|_| refused(signed.locale, 404, "not-found"))
}

async fn read(signed: &SignedIn, name: &OrderName) -> Result<Order, Refused> {
    let document = signed.document(DocumentKey::Order(name.clone())).await?;
    let document = document.ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    Ok(order::read(&document, Cooperative::server_device(signed.cooperative.id())))
}

/// `GET /console/orders/{name}`
pub(in crate::console) async fn show(signed: SignedIn, Path(name): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let name = named(&signed, &name)?;
    let order = read(&signed, &name).await?;
    let receiver =
        signed.document(DocumentKey::Receiver(name.clone())).await?.map(|document| receiver::read(&document));
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let now = crate::environment::now();
    let filter = OrderFilter {
        platform: Some(name.platform.clone()),
        shop: Some(name.shop.clone()),
        search: Some(name.outside_id.clone()),
        ..OrderFilter::default()
    };
    let rows = signed.read(move |models| models.order_page(&filter)).await?;
    let row = rows.iter().find(|row| row.name == name);
    let main = html! {
        p { @match order.state() {
                Some(state) => strong { (locale.of("order", state.name())) },
                None => span.mark { (locale.t("damaged")) },
            }
            @if let Some(row) = row { " " (marks(locale, row, now)) } }
        @if let Some(row) = row.filter(|row| !row.contenders.is_empty()) { (conflict_card(&signed, &names, row)) }
        (facts(locale, &order))
        section { h2 { (locale.t("order-lines")) } (lines(&signed, &names, &name, &order)) }
        div.columns {
            section { h2 { (locale.t("order-own-state")) }
                @match row { Some(row) => (state::status_form(&signed, row)), None => p.small { (locale.t("page-behind")) } }
                @if let Some(shipment) = &order.shipment { p { (locale.t("order-shipment")) " " (shipment) } } }
            section { h2 { (locale.t("order-receiver")) } (who(locale, &name, receiver.as_ref())) }
        }
        section { h2 { (locale.t("order-allocation")) } (allocation(&names, &order)) }
        section { h2 { (locale.t("history")) } (activity::of_order(&signed, &name).await) }
    };
    Ok(Page { title: title(locale, &name), part: "orders", main }.show(&signed))
}

/// What the platform told, and when.
fn facts(locale: Locale, order: &Order) -> Markup {
    let moment = |name: &str, at: Option<Instant>| {
        html! {
        @if let Some(at) = at { div { dt { (locale.t(name)) } dd { (locale.moment(at)) } } } }
    };
    let amount = |name: &str, fen: Option<granary_client_core::quantities::Fen>| {
        html! {
        @if let Some(fen) = fen { div { dt { (locale.t(name)) } dd { (money(fen.get())) } } } }
    };
    html! {
        dl.pair {
            @if let Some(told) = order.told { div { dt { (locale.t("order-told")) }
                dd { (locale.of("told", told.name())) @if let Some(at) = order.told_at { " " span.small { (locale.moment(at)) } } } } }
            (moment("order-placed-at", order.placed_at)) (moment("order-paid-at", order.paid_at)) (moment("order-promised-at", order.promised_at))
            div { dt { (locale.t("order-total")) } dd { (money(order.fen())) } }
            (amount("order-freight", order.freight_fen))
            @if let Some(pool) = &order.pool { div { dt { (locale.t("order-pool")) } dd { (streams::platform(locale, pool)) } } }
            @if let Some(stream) = &order.stream { div { dt { (locale.t("stream")) } dd { a href=(streams::address(stream)) { (stream) } } } }
        }
    }
}

fn lines(signed: &SignedIn, names: &Names, name: &OrderName, order: &Order) -> Markup {
    let locale = signed.locale;
    let columns = vec![
        Column::text(locale.t("order-goods")),
        Column::number(locale.t("order-file-packs")),
        Column::number(locale.t("weight")),
        Column::number(locale.t("price")),
        Column::text(locale.t("order-as-told")),
        Column::text(locale.t("note")),
    ];
    let rows = order.lines.iter().map(|line| {
        Row::of(vec![
            what(signed, names, name, line),
            html! { (line.packs.map(|packs| grouped(u64::from(packs))).unwrap_or_default()) },
            html! { (weight_of(names, line).map(|grams| locale.kilograms(grams)).unwrap_or_default()) },
            html! { (money(line.fen.get())) },
            html! { span.note { (line.title.clone().unwrap_or_default()) @if let Some(code) = &line.code { " " span.code { (code) } } } },
            html! {
                @if line.is_gift { span.mark { (locale.t("order-gift")) } " " }
                @if line.over > 0 { span.bad { (locale.with("order-over", &[("packs", grouped(u64::from(line.over)))])) } " " }
                @if line.after_sale != AfterSale::None { span.mark { (locale.of("after-sale", line.after_sale.name())) }
                    @if let Some(at) = line.after_sale_at { " " span.small { (locale.moment(at)) } } }
            },
        ])
    });
    Table::of(locale.t("order-lines"), columns).show(rows.collect())
}

fn weight_of(names: &Names, line: &OrderLine) -> Option<i64> {
    let sku = line.sku.as_deref().and_then(|sku| names.catalogue.skus.get(sku));
    line.grams.map(|grams| grams.get()).or_else(|| Some(sku?.grams_of(line.packs?)))
}

/// What is in a line, or the form that says it.
fn what(signed: &SignedIn, names: &Names, name: &OrderName, line: &OrderLine) -> Markup {
    let locale = signed.locale;
    html! {
        @match (&line.sku, &line.product) {
            (Some(sku), _) => { a href=(skus::address(sku)) { (sku) } " · " (streams::sku_words(names, sku)) },
            (None, Some(product)) => (names.product(product)),
            (None, None) => {
                span.mark { (locale.t("orders-unmapped")) } " "
                (mapping(signed, names, name, line))
            },
        }
    }
}

fn mapping(signed: &SignedIn, names: &Names, name: &OrderName, line: &OrderLine) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/map", address(name));
    let form = Inputs::of(signed, &action, &[("line", &line.line_id)]);
    html! {
        form.inline method="post" action=(action) {
            (form.hidden())
            label { span.unseen { (locale.t("sku")) } (form.select("sku", "", skus::choices(names))) }
            button { (locale.t("order-map")) }
        }
    }
}

/// Which holdings it is served from, with whose goods they are.
fn allocation(names: &Names, order: &Order) -> Markup {
    let locale = names.locale();
    let all: Vec<_> = order.allocation.0.values().flatten().collect();
    html! {
        @if all.is_empty() { p.small { (locale.t("order-not-allocated")) } }
        @else { ul { @for one in all { li {
            @match one.holding.parse::<HoldingId>() {
                Ok(HoldingId::Lot(lot)) => { a href={ "/console/lots/" (lot) } { (names.household_of(lot.household())) } " " span.small { (lot) } },
                Ok(holding) => (holding.code()),
                Err(_) => (one.holding),
            }
            " · " (locale.kilograms(one.grams.get()))
        } } } }
    }
}

/// Who gets it, as far as that is known and may be read.
fn who(locale: Locale, name: &OrderName, receiver: Option<&Receiver>) -> Markup {
    let forget = format!(
        "{HERE}/erase-buyer?platform={}&shop={}&outside={}",
        encode(&name.platform),
        encode(&name.shop),
        encode(&name.outside_id)
    );
    html! {
        @match receiver.filter(|receiver| !receiver.is_empty()) {
            None => p.small { (locale.t("order-no-receiver")) },
            Some(receiver) => {
                @if receiver.is_sealed { p.notice { (locale.with("order-sealed", &[("platform", streams::platform(locale, &name.platform))])) } }
                @else {
                    p { @for (place, text) in [&receiver.name, &receiver.phone, &receiver.address].into_iter().flatten().enumerate() {
                        @if place > 0 { br; } (text) } }
                    @if is_masked(receiver) { p.small { (locale.t("order-masked")) } }
                }
                @if let Some(note) = &receiver.buyer_note { p.note { (locale.t("order-buyer-note")) ": " (note) } }
                @if let Some(note) = &receiver.seller_note { p.note { (locale.t("order-seller-note")) ": " (note) } }
                p { a.small href=(forget) { (locale.t("erase-buyer")) } }
            }
        }
    }
}

/// True where the platform has put stars in the place of letters.
fn is_masked(receiver: &Receiver) -> bool {
    [&receiver.name, &receiver.phone, &receiver.address].into_iter().flatten().any(|text| text.contains('*'))
}

/// `POST /console/orders/{name}/map`: says which SKU a line is of. What the shop wrote is kept with the SKU, so that later orders with
/// it are understood; the line itself is mapped too.
pub(in crate::console) async fn map_line(
    Path(name): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let name = named(&signed, &name)?;
    let order = read(&signed, &name).await?;
    let line_id = form.get("line").to_owned();
    let line = order.lines.iter().find(|line| line.line_id == line_id);
    let line = line.ok_or_else(|| refused(locale, 404, "not-found"))?;
    if !line.is_unmapped() {
        return Err(refused(locale, 409, "order-mapped-meanwhile").at("sku"));
    }
    let names = Names::of(&signed).await?;
    let code = form.get("sku").to_owned();
    if !names.catalogue.skus.contains_key(&code) {
        return Err(refused(locale, 400, "order-map-which").at("sku"));
    }
    let (shop_code, shop_name) = (line.code.clone(), line.title.clone());
    skus::must_be_free(locale, &names.catalogue, &code, (shop_code.as_deref(), shop_name.as_deref()))
        .map_err(|refused| refused.at("sku"))?;
    let of = code.clone();
    let learn = move |doc: &mut AutoCommit| -> Result<(), DocumentFault> {
        match (&shop_code, &shop_name) {
            (Some(text), _) => sku::map_code(doc, &of, text),
            (None, Some(text)) => sku::map_name(doc, &of, text),
            (None, None) => Ok(()),
        }
    };
    // Other orders that wait for the same words are mapped with it.
    let (told_code, told_name) = (line.code.clone().unwrap_or_default(), line.title.clone().unwrap_or_default());
    let waiting = signed.read(|models| models.unmapped_lines(MAPPED_AT_ONCE_MAX)).await?;
    let is_same = |other: &UnmappedLine| match told_code.as_str() {
        "" => !told_name.is_empty() && other.code.is_empty() && other.title == told_name,
        code => other.code == code,
    };
    let mut edits = vec![Edits::one(DocumentKey::Catalogue(Part::FIRST), learn)];
    let this = std::iter::once((name.clone(), line_id.clone()));
    let others = waiting.into_iter().filter(is_same).map(|other| (other.order, other.line));
    for (order, line) in this.chain(others.filter(|other| *other != (name.clone(), line_id.clone()))) {
        let code = code.clone();
        edits.push(Edits::one(DocumentKey::Order(order), move |doc| order::map_line(doc, &line, &code)));
    }
    signed.edit(edits).await?;
    Ok(Redirect::to(&address(&name)).into_response())
}
