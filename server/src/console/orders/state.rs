//! Our own state of an order: its form in the list, the cards of those whose state has several values, and what the forms do.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts::{SETTLING, UNDOING};
use granary_client_core::projection::OrderRow;
use granary_client_core::schema::order::{self, OrderStatus, StatusSettled};
use granary_client_core::schema::{DocumentKey, OrderName};
use maud::{Markup, html};

use super::{goods, title};
use crate::console::again::page_of;
use crate::console::cases::{CASES_PAGE, seen_values};
use crate::console::forms::{Form, was};
use crate::console::i18n::money;
use crate::console::inputs::Inputs;
use crate::console::names::Names;
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

const SAVE: &str = "/console/orders/status";
const UNDO: &str = "/console/orders/undo";
const STATUSES: [OrderStatus; 4] =
    [OrderStatus::Placed, OrderStatus::Packed, OrderStatus::Shipped, OrderStatus::Cancelled];

/// The form of an order's state. An order stands in the list, and as a card where its state has several values; `is_card` tells
/// them apart.
fn form_of<'a>(signed: &'a SignedIn, order: &OrderRow, is_card: bool) -> Inputs<'a> {
    let keys = [
        ("platform", order.name.platform.as_str()),
        ("shop", order.name.shop.as_str()),
        ("outside", order.name.outside_id.as_str()),
        ("card", if is_card { "yes" } else { "" }),
    ];
    Inputs::of(signed, SAVE, &keys)
}

pub(super) fn status_form(signed: &SignedIn, order: &OrderRow) -> Markup {
    let locale = signed.locale;
    let form = form_of(signed, order, false);
    let shown = order.status.map_or("", OrderStatus::name);
    let unreadable = order.status.is_none().then(|| ("", locale.t("damaged")));
    let choices = STATUSES.map(|one| (one.name(), locale.of("order", one.name())));
    html! {
        form.inline method="post" action=(SAVE) {
            (form.hidden())
            label { span.unseen { (locale.t("state")) } (form.choice("status", shown, unreadable.into_iter().chain(choices))) }
            button.quiet { (locale.t("save")) }
        }
    }
}

/// The card of an order whose state has several values.
pub(in crate::console) fn conflict_card(signed: &SignedIn, names: &Names, order: &OrderRow) -> Markup {
    let locale = signed.locale;
    let inputs = form_of(signed, order, true);
    html! {
        article.case id=(mark_of(order)) data-key=(key_of(order)) data-item tabindex="-1" {
            h3 { (title(names.locale(), &order.name)) " · " (goods(names, order)) " · " (money(order.fen)) }
            p { (locale.t("case-order")) }
            @if let Some(undone) = order.settled.as_ref().filter(|settled| settled.undone) {
                p.small { (locale.t("decision-undone")) " · " (undone.by) " · " (locale.moment(undone.at)) }
            }
            form method="post" action=(SAVE) {
                (inputs.hidden()) (inputs.was("values", &seen_values(&order.contenders)))
                fieldset.choices {
                    legend { (locale.t("choose-value")) }
                    @for (place, value) in order.contenders.iter().enumerate() {
                        label.choice {
                            input type="radio" name="status" value=(value.value) required
                                checked[inputs.is_chosen("status", &value.value, place.saturating_add(1) == order.contenders.len())];
                            strong { (locale.of("order", &value.value)) }
                            span.small { (names.author(value.author().as_ref())) " · " (locale.moment(value.at)) }
                        }
                    }
                }
                div.buttons { button data-do { (locale.t("settle-state")) } }
            }
        }
    }
}

/// The card of an order whose state was settled, with the button that undoes it.
pub(in crate::console) fn settled_card(signed: &SignedIn, names: &Names, order: &OrderRow) -> Markup {
    let locale = signed.locale;
    let keys = [
        ("platform", order.name.platform.as_str()),
        ("shop", order.name.shop.as_str()),
        ("outside", order.name.outside_id.as_str()),
    ];
    let inputs = Inputs::of(signed, UNDO, &keys);
    html! {
        @if let Some(settled) = &order.settled {
            article.case id=(mark_of(order)) data-key=(key_of(order)) data-item tabindex="-1" {
                h3 { (title(names.locale(), &order.name)) " · " (goods(names, order)) " · " (money(order.fen)) }
                p { (settled.by) " · " (locale.moment(settled.at)) " · " strong { (locale.of("order", &settled.chosen)) } }
                form method="post" action=(UNDO) {
                    (inputs.hidden()) (inputs.was("settled", &settled.at.seconds().to_string()))
                    button.quiet data-undo { (locale.t("undo")) }
                }
            }
        }
    }
}

fn key_of(order: &OrderRow) -> String {
    order.name.to_string()
}

fn mark_of(order: &OrderRow) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    format!("order-{}", key_of(order).chars().map(plain).collect::<String>())
}

fn named(form: &Form) -> DocumentKey {
    DocumentKey::Order(OrderName {
        platform: form.get("platform").to_owned(),
        shop: form.get("shop").to_owned(),
        outside_id: form.get("outside").to_owned(),
    })
}

/// `POST /console/orders/undo`: the state is the one before it was settled, and can be chosen again.
pub(in crate::console) async fn undo(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let (locale, key) = (signed.locale, named(&form));
    let document = signed.document(key.clone()).await?.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let settled =
        order::read(&document, signed.cooperative.id().server_device()).settled.filter(|settled| !settled.undone);
    let settled = settled.ok_or_else(|| refused(locale, 409, "undone-already"))?;
    if form.has(&was("settled")) && form.get(&was("settled")) != settled.at.seconds().to_string() {
        return Err(refused(locale, 409, "case-changed").seen_anew());
    }
    let (by, at) = (signed.session.name.clone(), crate::environment::now());
    let edit =
        Edits { message: Some(UNDOING), ..Edits::one(key, move |doc| order::undo_status(doc, &settled, &by, at)) };
    signed.edit(vec![edit]).await?;
    let page = page_of(&form).unwrap_or_else(|| CASES_PAGE.to_owned());
    Ok(Redirect::to(&page).into_response())
}

/// `POST /console/orders/status`: sets an order's state, which also settles a conflict of it.
pub(in crate::console) async fn set_status(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let wrong = || refused(locale, 400, "form-field-wrong").at("status");
    let key = named(&form);
    // The order must exist: a form can't create one.
    let mut document = signed.document(key.clone()).await?.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let shown =
        order::read(&document, signed.cooperative.id().server_device()).status.map_or("", OrderStatus::name).to_owned();
    form.must_be_as_seen(locale, &[("status", shown.clone())])?;
    let values = granary_client_core::conflicts::in_order(&mut document);
    if form.has(&was("values")) && form.get(&was("values")) != seen_values(&values) {
        return Err(refused(locale, 409, "case-changed").seen_anew());
    }
    if form.has(&was("status")) && form.changed("status").is_none() {
        return Ok(Redirect::to(&page_of(&form).unwrap_or_else(|| "/console/orders".to_owned())).into_response());
    }
    let status = OrderStatus::from_name(form.get("status")).ok_or_else(wrong)?;
    let edit = if values.is_empty() {
        Edits::one(key, move |doc| order::set_status(doc, status))
    } else {
        let (by, at, chosen) = (signed.session.name.clone(), crate::environment::now(), status.name().to_owned());
        let settled = StatusSettled { by, at, chosen, before: shown, values, undone: false };
        Edits { message: Some(SETTLING), ..Edits::one(key, move |doc| order::settle_status(doc, status, &settled)) }
    };
    signed.edit(vec![edit]).await?;
    let to = if form.get("card") == "yes" { "/console/cases" } else { "/console/orders" };
    Ok(Redirect::to(&page_of(&form).unwrap_or_else(|| to.to_owned())).into_response())
}
