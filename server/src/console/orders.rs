//! Orders: to pack, on their way, and those with a state conflict.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::projection::OrderRow;
use granary_client_core::schema::order::{self, OrderStatus};
use granary_client_core::schema::{DocumentKey, OrderName};
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::encode;
use super::i18n::money;
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

const MOST: u32 = 200;
const STATUSES: [OrderStatus; 4] =
    [OrderStatus::Placed, OrderStatus::Packed, OrderStatus::Shipped, OrderStatus::Cancelled];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrdersQuery {
    status: String,
}

/// `GET /console/orders`
pub(super) async fn show(signed: SignedIn, Query(query): Query<OrdersQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let status = OrderStatus::from_name(&query.status);
    let (orders, disagreeing) = signed
        .read(move |models| Ok((models.orders(status, false, MOST, 0)?, models.orders(None, true, MOST, 0)?)))
        .await?;
    let main = html! {
        nav.tabs aria-label=(locale.t("part-orders")) {
            a href="/console/orders" aria-current=[status.is_none().then_some("page")] { (locale.t("all")) }
            @for one in STATUSES {
                a href={ "/console/orders?status=" (one.name()) } aria-current=[(status == Some(one)).then_some("page")] { (locale.of("order", one.name())) }
            }
        }
        @for order in &disagreeing { (conflict_card(&signed, &names, order)) }
        @if orders.is_empty() { p.empty { (locale.t("no-orders")) } } @else { (table(&signed, &names, &orders)) }
    };
    Ok(Page { title: locale.t("part-orders"), part: "orders", main }.show(&signed))
}

fn products(names: &Names, codes: &str) -> String {
    codes.split(", ").map(|code| names.product(code)).collect::<Vec<_>>().join(", ")
}

fn table(signed: &SignedIn, names: &Names, orders: &[OrderRow]) -> Markup {
    let locale = signed.locale;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("part-orders")) {
            table {
                thead { tr {
                    th scope="col" { (locale.t("order")) } th scope="col" { (locale.t("buyer")) } th scope="col" { (locale.t("product")) }
                    th.number scope="col" { (locale.t("weight")) } th.number scope="col" { (locale.t("price")) } th scope="col" { (locale.t("state")) }
                } }
                tbody { @for order in orders { tr {
                    td { (order.name.platform) " " (order.name.outside_id) }
                    td { (order.buyer) @if !order.buyer.is_empty() { " "
                        a.small href={ "/console/orders/erase-buyer?platform=" (encode(&order.name.platform))
                            "&outside=" (encode(&order.name.outside_id)) } { (locale.t("erase-buyer")) } } }
                    td { (products(names, &order.products)) }
                    td.number { (locale.kilograms(order.grams)) }
                    td.number { (money(order.fen)) }
                    td {
                        form.inline method="post" action="/console/orders/status" {
                            (token(signed))
                            (hidden_name(order))
                            select name="status" aria-label=(locale.t("state")) {
                                @if order.status.is_none() { option value="" selected { (locale.t("damaged")) } }
                                @for one in STATUSES { option value=(one.name()) selected[order.status == Some(one)] { (locale.of("order", one.name())) } }
                            }
                            button.quiet { (locale.t("save")) }
                        }
                        @if !order.shipment.is_empty() { " " (order.shipment) }
                    }
                } } }
            }
        }
    }
}

fn hidden_name(order: &OrderRow) -> Markup {
    html! {
        input type="hidden" name="platform" value=(order.name.platform);
        input type="hidden" name="outside" value=(order.name.outside_id);
    }
}

/// The card of an order whose state has several values.
pub(super) fn conflict_card(signed: &SignedIn, names: &Names, order: &OrderRow) -> Markup {
    let locale = signed.locale;
    html! {
        article.case {
            h3 { (order.name.platform) " " (order.name.outside_id) " · " (products(names, &order.products)) " · " (money(order.fen)) }
            p { (locale.t("case-order")) }
            form method="post" action="/console/orders/status" {
                (token(signed))
                (hidden_name(order))
                fieldset.choices {
                    legend { (locale.t("choose-value")) }
                    @for (place, value) in order.contenders.iter().enumerate() {
                        label.choice {
                            input type="radio" name="status" value=(value.value) required checked[place.saturating_add(1) == order.contenders.len()];
                            strong { (locale.of("order", &value.value)) }
                            span.small { (names.author(value.author().as_ref())) " · " (locale.moment(value.at)) }
                        }
                    }
                }
                div.buttons { button { (locale.t("settle")) } }
            }
        }
    }
}

/// `POST /console/orders/status`: sets an order's state, which also settles a conflict of it.
pub(super) async fn set_status(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let wrong = || refused(signed.locale, 400, "form-field-wrong");
    let status = OrderStatus::from_name(form.get("status")).ok_or_else(wrong)?;
    let name = OrderName { platform: form.get("platform").to_owned(), outside_id: form.get("outside").to_owned() };
    let key = DocumentKey::Order(name);
    // The order must exist: a form can't create one.
    signed.document(key.clone()).await?.ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let edit = Edits {
        message: Some(granary_client_core::conflicts::SETTLING),
        ..Edits::one(key, move |doc| order::set_status(doc, status))
    };
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to("/console/orders").into_response())
}
