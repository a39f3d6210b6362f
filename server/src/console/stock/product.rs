//! The holdings of a product's grade, the oldest first: what each order is served from.

use axum::extract::{Path, Query};
use axum::response::Response;
use granary_client_core::schema::HoldingId;
use granary_client_core::trade::{Holding, StockCase};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Now, cases, holding_address, holding_name, weight};
use crate::console::i18n::{Locale, grouped};
use crate::console::names::Names;
use crate::console::page::{Page, paging};
use crate::console::parts::{Column, Row, Table};
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::SignedIn;

const PER_PAGE: usize = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct ProductQuery {
    grade: String,
    /// `all` with those that nothing is left of.
    show: String,
    page: String,
}

/// The bins of a holding, for people.
pub(super) fn bins(locale: Locale, holding: &Holding) -> String {
    let mut bins: Vec<String> = holding
        .by_bin
        .iter()
        .map(|(bin, grams)| {
            let bin = if bin.is_empty() { locale.t("stock-no-bin") } else { bin.clone() };
            format!("{bin} {}", locale.kilograms(*grams))
        })
        .collect();
    if holding.unplaced != 0 {
        bins.push(format!("{} {}", locale.t("stock-unplaced"), locale.kilograms(holding.unplaced)));
    }
    bins.join(&locale.t("list-comma"))
}

/// What is special about a holding.
pub(super) fn marks(locale: Locale, holding: &Holding, is_expired: bool) -> Markup {
    html! {
        @if holding.is_recalled { span.bad { (locale.t("stock-recalled")) } " " }
        @if is_expired { span.bad { (locale.t("stock-expired")) } " " }
        @if !holding.is_known { span.mark { (locale.t("stock-unknown")) } " " }
        @if holding.counts.len() > 1 { span.mark { (locale.t("stock-counted-twice")) } }
    }
}

/// `GET /console/stock/{product}`
pub(in crate::console) async fn show(
    signed: SignedIn,
    Path(product): Path<String>,
    Query(query): Query<ProductQuery>,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let now = Now::of(&signed, &names).await?;
    let is_of_it = |holding: &Holding| holding.product == product && holding.grade == query.grade;
    let mut all: Vec<(&HoldingId, &Holding)> =
        now.stock.holdings.iter().filter(|(_, holding)| is_of_it(holding)).collect();
    if all.is_empty() && !names.products().contains_key(&product) {
        return Err(refused(locale, 404, "not-found"));
    }
    all.sort_by(|(one, first), (other, second)| (first.received_on, one).cmp(&(second.received_on, other)));
    let empty = all.iter().filter(|(_, holding)| holding.present() == 0).count();
    let shows_all = query.show == "all";
    let shown: Vec<_> = all.into_iter().filter(|(_, holding)| shows_all || holding.present() != 0).collect();
    let page = query.page.parse::<usize>().unwrap_or(1).clamp(1, 100_000);
    let rows = shown.iter().skip(page.saturating_sub(1).saturating_mul(PER_PAGE)).take(PER_PAGE).map(|(id, holding)| {
        let is_expired = holding.is_expired(now.today);
        Row::of(vec![
            html! { a href=(holding_address(id)) { (holding_name(&names, id, Some(holding))) } " " span.small.code { (id.code()) } },
            html! { (holding.received_on.map(|day| day.to_string()).unwrap_or_default()) },
            html! { (holding.expiry.map(|day| day.to_string()).unwrap_or_default()) },
            weight(locale, holding.present()),
            html! { @if holding.allocated != 0 { (locale.kilograms(holding.allocated)) } },
            weight(locale, holding.on_hand()),
            html! { (bins(locale, holding)) },
            marks(locale, holding, is_expired),
        ])
        .ended(holding.present() == 0)
    });
    let columns = vec![
        Column::text(locale.t("holding")),
        Column::text(locale.t("stock-received-on")),
        Column::text(locale.t("stock-expiry")),
        Column::number(locale.t("stock-present")),
        Column::number(locale.t("stock-allocated")),
        Column::number(locale.t("stock-on-hand")),
        Column::text(locale.t("stock-bins")),
        Column::text(locale.t("note")),
    ];
    let sums = now.stock.products(now.today).get(&(product.clone(), query.grade.clone())).copied().unwrap_or_default();
    let reserved = now.reserved(&product, &query.grade);
    let free = sums.sellable.saturating_sub(reserved);
    let figure = |name: &str, grams: i64| html! { div { dt { (locale.t(name)) } dd { (weight(locale, grams)) } } };
    let of_it: Vec<&StockCase> = now
        .stock
        .cases
        .iter()
        .filter(|case| case.holding().and_then(|id| now.stock.holdings.get(id)).is_some_and(is_of_it))
        .collect();
    let address = super::product_address(&product, &query.grade);
    let join = if address.contains('?') { '&' } else { '?' };
    let paged = if shows_all { format!("{address}{join}show=all") } else { address.clone() };
    let table = Table::of(locale.t("stock-holdings"), columns).show(rows.collect());
    let main = html! {
        (now.as_of(locale))
        dl.pair {
            (figure("stock-present", sums.present)) (figure("stock-allocated", sums.allocated)) (figure("stock-on-hand", sums.on_hand))
            (figure("stock-reserved", reserved)) (figure("stock-free", free))
        }
        @if free < 0 { p.notice { (locale.with("stock-short", &[("weight", locale.kilograms(free.saturating_neg()))])) } }
        (cases(locale, &of_it))
        @if shown.is_empty() { p.empty { (locale.t("stock-none")) } } @else { (table) }
        (paging(locale, &paged, page as u64, PER_PAGE as u64, shown.len() as u64))
        @if empty > 0 && !shows_all { p { a href={ (address) (join) "show=all" } { (locale.with("stock-show-empty", &[("count", grouped(empty as u64))])) } } }
    };
    let title = format!("{} {}", names.product(&product), query.grade);
    Ok(Page { title: title.trim().to_owned(), part: "stock", main }.show(&signed))
}
