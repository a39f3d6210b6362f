//! Orders: listed by where they stand, by shop, and by what is wrong with them ([`show`]); each with its lines, what its platform told,
//! and what it is served from ([`one`]); our own state of it ([`state`]).

mod one;
mod state;

pub(super) use one::{map_line, show as show_one};
pub(super) use state::{conflict_card, set_status, settled_card, undo};

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::projection::{OrderCounts, OrderCursor, OrderFilter, OrderRow};
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::{OrderState, OrderStatus};
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::{encode, query_string};
use super::i18n::{Locale, grouped, money};
use super::names::Names;
use super::page::Page;
use super::parts::{Column, Row, Table, empty};
use super::refusal::Refused;
use super::signed_in::SignedIn;
use super::streams;

const HERE: &str = "/console/orders";
const FILES: &str = "/console/orders/files";
/// Orders on one page.
const PER_PAGE: u32 = 60;
/// Orders whose state has several values, above the list.
const DISAGREEING_MAX: u32 = 20;
/// What can be wrong with an order, as the list is asked for it.
const WRONGS: [&str; 4] = ["over", "unmapped", "late", "after-sale"];

/// The address's query; a field that can't be parsed does not filter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrdersQuery {
    state: String,
    /// Our own state, as older addresses have it.
    status: String,
    /// Platform and shop: `douyin`, or `douyin@2`.
    shop: String,
    stream: String,
    only: String,
    search: String,
    after: String,
}

impl OrdersQuery {
    fn state(&self) -> Option<OrderState> {
        let of_status = OrderStatus::from_name(&self.status).map(|status| match status {
            OrderStatus::Placed => OrderState::ToPack,
            OrderStatus::Packed => OrderState::Packed,
            OrderStatus::Shipped => OrderState::Shipped,
            OrderStatus::Cancelled => OrderState::Cancelled,
        });
        OrderState::from_name(&self.state).or(of_status)
    }

    fn filter(&self, now: granary_client_core::quantities::Instant) -> OrderFilter {
        let some = |text: &str| Some(text.trim().chars().take(80).collect::<String>()).filter(|text| !text.is_empty());
        let (platform, shop) = match self.shop.split_once('@') {
            Some((platform, shop)) => (some(platform), Some(shop.to_owned())),
            None => (some(&self.shop), None),
        };
        OrderFilter {
            platform,
            shop,
            state: self.state(),
            stream: some(&self.stream),
            only_over: self.only == "over",
            only_unmapped: self.only == "unmapped",
            only_after_sale: self.only == "after-sale",
            late_at: (self.only == "late").then_some(now),
            search: some(&self.search),
            after: self.after.parse().ok(),
            limit: PER_PAGE,
            ..OrderFilter::default()
        }
    }

    /// The address with these filters and another state or none, at its first page.
    fn address(&self, state: &str, only: &str) -> String {
        let fields = [
            ("state", state),
            ("shop", &self.shop),
            ("stream", &self.stream),
            ("only", only),
            ("search", &self.search),
        ];
        let query = query_string(&fields);
        if query.is_empty() { HERE.to_owned() } else { format!("{HERE}?{query}") }
    }
}

/// The page of an order.
pub(super) fn address(name: &OrderName) -> String {
    format!("{HERE}/{}", encode(&name.to_string()))
}

/// Platform, shop and number, for people.
fn title(locale: Locale, name: &OrderName) -> String {
    format!("{} {}", streams::shop(locale, &name.platform, &name.shop), name.outside_id)
}

/// What is in an order, in one line.
fn goods(names: &Names, order: &OrderRow) -> String {
    let locale = names.locale();
    let one = |goods: &granary_client_core::projection::Goods| {
        let what = match (&goods.sku, &goods.product) {
            (Some(sku), _) => streams::sku_in_short(names, sku),
            (None, Some(product)) => names.product(product),
            (None, None) => {
                goods.code.clone().or_else(|| goods.title.clone()).unwrap_or_else(|| locale.t("order-unmapped"))
            }
        };
        match goods.packs {
            Some(packs) => format!("{what} × {}", grouped(u64::from(packs))),
            None => what,
        }
    };
    order.goods.iter().map(one).collect::<Vec<_>>().join(&locale.t("list-comma"))
}

/// What an order weighs, with its packs as the catalogue has them; none where that is not known of a line.
fn grams(names: &Names, order: &OrderRow) -> Option<i64> {
    let packed = order.goods.iter().filter(|goods| goods.packs.is_some()).map(|goods| {
        let sku = names.catalogue.skus.get(goods.sku.as_deref()?)?;
        Some(sku.grams_of(goods.packs.unwrap_or(0)))
    });
    packed.sum::<Option<i64>>().map(|packed| packed.saturating_add(order.grams))
}

/// `GET /console/orders`
pub(super) async fn show(signed: SignedIn, Query(query): Query<OrdersQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let now = crate::environment::now();
    let filter = query.filter(now);
    let is_first = filter.after.is_none();
    let (orders, total, counts, shops, disagreeing) = signed
        .read(move |models| {
            let disagreeing = OrderFilter { only_disagreeing: true, limit: DISAGREEING_MAX, ..OrderFilter::default() };
            Ok((
                models.order_page(&filter)?,
                models.count_order_page(&OrderFilter { after: None, ..filter })?,
                models.order_counts(now)?,
                models.order_shops()?,
                models.order_page(&disagreeing)?,
            ))
        })
        .await?;
    let state = query.state();
    let at = query.address(state.map_or("", OrderState::name), &query.only);
    let join = if at.contains('?') { '&' } else { '?' };
    let is_full = orders.len() == usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let next = orders.last().filter(|_| is_full).map(|last| encode(&OrderCursor::of(last).to_string()));
    let main = html! {
        p { a.button href=(FILES) { (locale.t("order-files-open")) } }
        nav.tabs aria-label=(locale.t("part-orders")) {
            a href=(query.address("", &query.only)) aria-current=[state.is_none().then_some("page")] { (locale.t("all")) " " (grouped(counts.all)) }
            @for one in OrderState::ALL.into_iter().filter(|one| counts.by_state.contains_key(one) || state == Some(*one)) {
                a href=(query.address(one.name(), &query.only)) aria-current=[(state == Some(one)).then_some("page")] {
                    (locale.of("order", one.name())) " " (grouped(counts.by_state.get(&one).copied().unwrap_or(0))) }
            }
        }
        (wrongs(locale, &query, state, &counts))
        (filters(locale, &query, &shops))
        @for order in &disagreeing { (conflict_card(&signed, &names, order)) }
        @if counts.all > 0 { p { (locale.with("orders-found", &[("count", grouped(total))])) } }
        @if counts.all == 0 { (empty(locale.t("no-orders-yet"), &[(FILES, locale.t("part-order-files")), ("/console/api", locale.t("part-api"))])) }
        @else if orders.is_empty() { p.empty { (locale.t("no-orders")) } }
        @else { (table(&signed, &names, &orders, now)) }
        nav.paging aria-label=(locale.t("pages")) {
            @if !is_first { a rel="prev" href=(at) { (locale.t("page-first")) } }
            @if let Some(next) = next { a rel="next" href={ (at) (join) "after=" (next) } { (locale.t("page-after")) } }
        }
    };
    Ok(Page { title: locale.t("part-orders"), part: "orders", main }.show(&signed))
}

/// What is wrong with orders, with how many there are.
fn wrongs(locale: Locale, query: &OrdersQuery, state: Option<OrderState>, counts: &OrderCounts) -> Markup {
    let state = state.map_or("", OrderState::name);
    let count = |wrong: &str| match wrong {
        "over" => counts.over,
        "unmapped" => counts.unmapped,
        "late" => counts.late,
        _ => counts.after_sale,
    };
    let shown = || WRONGS.into_iter().filter(|wrong| count(wrong) > 0 || query.only == *wrong);
    html! {
        @if shown().next().is_some() {
            nav.tabs aria-label=(locale.t("orders-wrong")) {
                @for wrong in shown() {
                    @let is_this = query.only == wrong;
                    a href=(query.address(state, if is_this { "" } else { wrong })) aria-current=[is_this.then_some("page")] {
                        (locale.of("orders", wrong)) " " (grouped(count(wrong))) }
                }
            }
        }
    }
}

fn filters(locale: Locale, query: &OrdersQuery, shops: &[(String, String)]) -> Markup {
    let mut choices: Vec<(String, String)> = Vec::new();
    for (platform, shop) in shops {
        if !choices.iter().any(|(code, _)| code == platform) {
            choices.push((platform.clone(), streams::platform(locale, platform)));
        }
        if !shop.is_empty() {
            choices.push((format!("{platform}@{shop}"), streams::shop(locale, platform, shop)));
        }
    }
    html! {
        form.filters method="get" action=(HERE) aria-label=(locale.t("filter")) {
            @for (name, value) in [("state", &query.state), ("only", &query.only), ("stream", &query.stream)] {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); } }
            label { (locale.t("order-number")) input name="search" value=(query.search) inputmode="numeric"; }
            label { (locale.t("platform"))
                select name="shop" {
                    option value="" { (locale.t("all")) }
                    @for (code, name) in &choices { option value=(code) selected[*code == query.shop] { (name) } }
                }
            }
            button { (locale.t("show")) }
        }
    }
}

/// True where the platform has told more than our own state says: the list then asks for no state of ours.
fn is_told_further(order: &OrderRow) -> bool {
    match order.state {
        Some(OrderState::Closed | OrderState::Done) => true,
        Some(OrderState::Shipped) => order.status != Some(OrderStatus::Shipped),
        _ => false,
    }
}

/// What is wrong with an order, in marks.
fn marks(locale: Locale, order: &OrderRow, now: granary_client_core::quantities::Instant) -> Markup {
    let is_here = matches!(order.state, Some(OrderState::ToPack | OrderState::Packed));
    html! {
        @if order.over > 0 { span.bad { (locale.with("order-over", &[("packs", grouped(order.over))])) } " " }
        @if order.unmapped > 0 { span.mark { (locale.t("orders-unmapped")) } " " }
        @if is_here && order.promised_at.is_some_and(|at| at < now) { span.bad { (locale.t("orders-late")) } " " }
        @if order.is_after_sale_asked { span.mark { (locale.t("orders-after-sale")) } " " }
        @if order.is_trespassed { span.mark { (locale.t("order-trespassed")) } " " }
        @if order.is_damaged { span.mark { (locale.t("damaged")) } }
    }
}

fn table(
    signed: &SignedIn,
    names: &Names,
    orders: &[OrderRow],
    now: granary_client_core::quantities::Instant,
) -> Markup {
    let locale = signed.locale;
    let columns = vec![
        Column::text(locale.t("order")),
        Column::text(locale.t("order-placed-at")),
        Column::text(locale.t("order-goods")),
        Column::number(locale.t("weight")),
        Column::number(locale.t("price")),
        Column::text(locale.t("state")),
        Column::text(locale.t("order-own-state")),
    ];
    let rows = orders.iter().map(|order| {
        Row::of(vec![
            html! { a href=(address(&order.name)) { (order.name.outside_id) } " " span.small { (streams::shop(locale, &order.name.platform, &order.name.shop)) } },
            html! { (order.placed_at.map(|at| locale.moment(at)).unwrap_or_default()) },
            html! { (goods(names, order)) },
            html! { @if let Some(grams) = grams(names, order) { (locale.kilograms(grams)) } },
            html! { (money(order.fen)) },
            html! { (order.state.map_or_else(|| locale.t("damaged"), |state| locale.of("order", state.name()))) " " (marks(locale, order, now)) },
            html! { @if !is_told_further(order) { (state::status_form(signed, order)) } @if !order.shipment.is_empty() { " " (order.shipment) } },
        ])
    });
    Table::of(locale.t("part-orders"), columns).show(rows.collect())
}
