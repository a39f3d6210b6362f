//! Stock: products, then the holdings of one ([`product`]), then what happened to a holding ([`holding`]). All of it follows from
//! documents, as the lists have them; nothing is counted up here. What is entered goes into the stock book ([`entries`]).

pub(super) mod entries;
mod holding;
mod product;

pub(super) use holding::show as show_holding;
pub(super) use product::show as show_product;

use std::collections::BTreeMap;

use axum::response::Response;
use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::HoldingId;
use granary_client_core::trade::{self, Facts, Holding, Stock, StockCase};
use granary_client_core::words::Words;
use maud::{Markup, html};

use super::forms::{encode, query_string};
use super::i18n::{Locale, grouped};
use super::names::Names;
use super::page::Page;
use super::parts::{Column, Row, Table};
use super::refusal::Refused;
use super::signed_in::SignedIn;

/// The list.
const HERE: &str = "/console/stock";
/// Cases on the page at most.
const CASES_SHOWN: usize = 20;

/// Stock as the lists have it now.
struct Now {
    facts: Facts,
    stock: Stock,
    /// What open pools have granted and not sold, by product and grade. In grams.
    reserved: BTreeMap<(String, String), i64>,
    at: Instant,
    today: Day,
}

impl Now {
    async fn of(signed: &SignedIn, names: &Names) -> Result<Self, Refused> {
        let at = crate::environment::now();
        let skus = names.catalogue.skus.clone();
        let (facts, stock) = signed
            .read(move |models| {
                let facts = models.stock_facts(&skus)?;
                let stock = trade::derive(&facts);
                Ok((facts, stock))
            })
            .await?;
        let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
        let pools = signed.work(move || granary.pools(number)).await?;
        let mut reserved: BTreeMap<(String, String), i64> = BTreeMap::new();
        for pool in pools.iter().filter(|pool| !pool.is_closed) {
            let Some(sku) = names.catalogue.skus.get(&pool.sku) else { continue };
            let packs = i64::try_from(pool.left).unwrap_or(i64::MAX);
            let sum = reserved.entry((sku.product.clone(), sku.grade.clone())).or_default();
            *sum = sum.saturating_add(packs.saturating_mul(sku.grams.get()));
        }
        Ok(Self { facts, stock, reserved, at, today: Day::in_china(at) })
    }

    fn reserved(&self, product: &str, grade: &str) -> i64 {
        self.reserved.get(&(product.to_owned(), grade.to_owned())).copied().unwrap_or(0)
    }

    /// Says as of when the page is.
    fn as_of(&self, locale: Locale) -> Markup {
        html! { p.small { (locale.with("stock-as-of", &[("time", locale.moment(self.at))])) } }
    }
}

/// The page of a product's grade.
fn product_address(product: &str, grade: &str) -> String {
    let query = query_string(&[("grade", grade)]);
    let query = if query.is_empty() { query } else { format!("?{query}") };
    format!("{HERE}/{}{query}", encode(product))
}

/// The page of a holding.
pub(super) fn holding_address(holding: &HoldingId) -> String {
    format!("/console/holdings/{}", encode(&holding.to_string()))
}

/// What a holding is called: whose lot it is, or whom it was bought from; and its code, which is read out.
pub(super) fn holding_name(names: &Names, id: &HoldingId, holding: Option<&Holding>) -> String {
    let locale = names.locale();
    let from = || holding.map(|holding| holding.from.clone()).filter(|from| !from.is_empty());
    match id {
        HoldingId::Lot(lot) => names.household_of(lot.household()),
        HoldingId::In(_) => match from() {
            Some(from) => locale.with("holding-bought-from", &[("from", from)]),
            None => locale.t("holding-bought"),
        },
        HoldingId::Batch(name) => locale.with("holding-batch", &[("name", name.clone())]),
    }
}

/// A weight that may be below nothing, marked where it is.
fn weight(locale: Locale, grams: i64) -> Markup {
    html! { @if grams < 0 { span.bad { (locale.kilograms(grams)) } } @else { (locale.kilograms(grams)) } }
}

/// What disagrees, with the way to it.
fn cases(locale: Locale, cases: &[&StockCase]) -> Markup {
    html! {
        @if !cases.is_empty() {
            section #disagreements { h2 { (locale.t("stock-cases")) }
                ul { @for case in cases.iter().take(CASES_SHOWN) { li data-item {
                    @match case.holding() {
                        Some(holding) => { a href=(holding_address(holding)) { (case.words(locale.language)) } },
                        None => (case.words(locale.language)),
                    }
                } } }
                @if cases.len() > CASES_SHOWN { p.small { (locale.with("stock-cases-more", &[("count", grouped((cases.len().saturating_sub(CASES_SHOWN)) as u64))])) } }
            }
        }
    }
}

/// `GET /console/stock`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let now = Now::of(&signed, &names).await?;
    let columns = vec![
        Column::text(locale.t("product")),
        Column::text(locale.t("grade")),
        Column::number(locale.t("stock-present")),
        Column::number(locale.t("stock-allocated")),
        Column::number(locale.t("stock-on-hand")),
        Column::number(locale.t("stock-reserved")),
        Column::number(locale.t("stock-free")),
        Column::number(locale.t("stock-holdings")),
    ];
    let products = now.stock.products(now.today);
    let rows = products.iter().map(|((product, grade), sums)| {
        let reserved = now.reserved(product, grade);
        let name = if product.is_empty() { locale.t("stock-no-product") } else { names.product(product) };
        Row::of(vec![
            html! { a href=(product_address(product, grade)) { (name) span.narrow { " " (grade) } } },
            html! { (grade) },
            weight(locale, sums.present),
            html! { @if sums.allocated != 0 { (locale.kilograms(sums.allocated)) } },
            weight(locale, sums.on_hand),
            html! { @if reserved != 0 { (locale.kilograms(reserved)) } },
            html! { strong { (weight(locale, sums.sellable.saturating_sub(reserved))) } },
            html! { (grouped(sums.holdings)) },
        ])
        .ended(sums.present == 0)
    });
    let table = Table::of(locale.t("part-stock"), columns).show(rows.collect());
    let all: Vec<&StockCase> = now.stock.cases.iter().collect();
    let main = html! {
        (now.as_of(locale))
        p.small { (locale.t("stock-help")) }
        (cases(locale, &all))
        @if products.iter().any(|((product, grade), sums)| sums.sellable < now.reserved(product, grade)) {
            p.notice { (locale.t("stock-short-some")) } }
        @if products.is_empty() { p.empty { (locale.t("stock-none")) } } @else { (table) }
        section { h2 { (locale.t("stock-goods-in")) } (entries::goods_in_form(&signed, &names)) }
    };
    Ok(Page { title: locale.t("part-stock"), part: "stock", main }.show(&signed))
}
