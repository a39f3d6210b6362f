//! One holding: how much of it lies where, what happened to it, and the forms of what a coordinator enters.

use axum::extract::Path;
use axum::response::Response;
use granary_client_core::schema::HoldingId;
use granary_client_core::trade::{self, HoldingEvent, Source, StockCase};
use maud::{Markup, html};

use super::product::{bins, marks};
use super::{Now, cases, entries, holding_name, product_address, weight};
use crate::console::i18n::Locale;
use crate::console::inputs::Inputs;
use crate::console::names::Names;
use crate::console::page::Page;
use crate::console::parts::{Column, Row, Table};
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::SignedIn;

/// `GET /console/holdings/{holding}`
pub(in crate::console) async fn show(signed: SignedIn, Path(holding): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let missing = || refused(locale, 404, "not-found");
    let id: HoldingId = holding.parse().map_err(|_| missing())?;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let now = Now::of(&signed, &names).await?;
    let holding = now.stock.holdings.get(&id).ok_or_else(missing)?;
    let events = trade::history(&now.facts, &id);
    let of_it: Vec<&StockCase> = now.stock.cases.iter().filter(|case| case.holding() == Some(&id)).collect();
    let figure = |name: &str, grams: i64| html! { div { dt { (locale.t(name)) } dd { (weight(locale, grams)) } } };
    let main = html! {
        p { a href=(product_address(&holding.product, &holding.grade)) { (names.product(&holding.product)) " " (holding.grade) }
            " · " span.code { (id.code()) }
            @if let HoldingId::Lot(lot) = &id { " · " a href={ "/console/lots/" (lot) } { (locale.t("lot-of-holding")) } }
            " " (marks(locale, holding, holding.is_expired(now.today))) }
        (now.as_of(locale))
        dl.pair {
            (figure("stock-present", holding.present())) (figure("stock-allocated", holding.allocated)) (figure("stock-on-hand", holding.on_hand()))
            @if let Some(day) = holding.received_on { div { dt { (locale.t("stock-received-on")) } dd { (day) } } }
            @if let Some(day) = holding.expiry { div { dt { (locale.t("stock-expiry")) } dd { (day) } } }
            @if !holding.by_bin.is_empty() { div { dt { (locale.t("stock-bins")) } dd { (bins(locale, holding)) } } }
        }
        (cases(locale, &of_it))
        section { h2 { (locale.t("stock-history")) } (history(&signed, &names, &id, &events)) }
        div.columns {
            section { h2 { (locale.t("stock-count")) } (entries::count_form(&signed, &id, holding)) }
            section { h2 { (locale.t("stock-loss")) } (entries::loss_form(&signed, &id, holding)) }
            section { h2 { (locale.t("stock-move")) } (entries::move_form(&signed, &id, holding)) }
            @if !holding.is_recalled { section { h2 { (locale.t("stock-recall")) } (entries::recall_form(&signed, &id)) } }
        }
    };
    Ok(Page { title: holding_name(&names, &id, Some(holding)), part: "stock", main }.show(&signed))
}

fn history(signed: &SignedIn, names: &Names, id: &HoldingId, events: &[HoldingEvent]) -> Markup {
    let locale = signed.locale;
    let columns = vec![
        Column::text(locale.t("history-what")),
        Column::number(locale.t("weight")),
        Column::text(locale.t("history-written")),
        Column::text(locale.t("history-who")),
        Column::text(locale.t("note")),
        Column::actions(locale.t("actions")),
    ];
    let rows = events.iter().map(|event| {
        let when = match (event.day, event.at) {
            (Some(day), _) => day.to_string(),
            (None, Some(at)) => locale.moment(at),
            (None, None) => String::new(),
        };
        Row::of(vec![
            html! { (source(locale, event)) @if !event.counts { " " span.mark { (locale.t("stock-counts-not")) } } },
            html! { @if event.grams != 0 || event.what == "count" { (signed_weight(locale, event.grams)) } },
            html! { (when) },
            html! { @if let Some(device) = event.by { (names.device(device)) } },
            html! { @if !event.note.is_empty() { span.note { (event.note) } } },
            html! { @if let (Some(Source::Entry(entry)), true) = (&event.source, event.counts) { (entries::take_back(signed, id, entry)) } },
        ])
        .ended(!event.counts)
    });
    Table::of(locale.t("stock-history"), columns).show(rows.collect())
}

/// What happened, with the way to what it was.
fn source(locale: Locale, event: &HoldingEvent) -> Markup {
    let word = locale.of("stock-event", event.what);
    html! {
        @match &event.source {
            Some(Source::Order(order)) => { (word) " " a href=(crate::console::orders::address(order)) { (order.outside_id) } },
            Some(Source::Flow(_, name)) => { (word) " " (name) },
            _ => (word),
        }
    }
}

/// A weight with its sign.
fn signed_weight(locale: Locale, grams: i64) -> String {
    let sign = if grams > 0 { "+" } else { "" };
    format!("{sign}{}", locale.kilograms(grams))
}

/// The field with what the page showed of a holding's weight and counts, so that a count is held against what its author saw.
pub(super) fn seen(form: &Inputs<'_>, present: i64, counts: &str) -> Markup {
    html! { (form.seen("computed", &present.to_string())) (form.seen("knew", counts)) }
}
