//! The catalogue: products, grades, prices by grade and day; live-stream promotions with their offers. A table of all, a page for
//! each ([`product`], [`promotion`]), where they are changed, ended and taken up again.
//! A form writes only the fields that the person changed, on the version that the person saw: concurrent edits of two
//! coordinators are both kept, and where both wrote the same price, both values are shown. Of a name or an offer, which no page
//! shows twice, the second coordinator is told what the first one wrote.

use axum::response::Response;
use granary_client_core::automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::crdt::Version;
use granary_client_core::quantities::{Day, Fen};
use granary_client_core::schema::catalogue::{self, Catalogue, PriceName, Product, Promotion};
use granary_client_core::schema::{DocumentKey, Part};
use maud::{Markup, html};

use super::forms::{Form, is_code, price};
use super::i18n::{Locale, money};
use super::inputs::{AMOUNT, CODE, DAY, Inputs, REQUIRED, TEXT};
use super::names::Names;
use super::page::Page;
use super::parts::empty;
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;
use crate::engine::own_edits::Edits;

mod price_chart;
pub(super) mod product;
pub(super) mod promotion;
pub(super) mod skus;

/// The table, and where the form of a product is sent to.
const HERE: &str = "/console/catalogue";
/// Where the form of a promotion is sent to.
const PROMOTIONS: &str = "/console/promotions";

fn today() -> Day {
    Day::in_china(crate::environment::now())
}

async fn present(signed: &SignedIn) -> Result<Catalogue, Refused> {
    Ok(catalogue::read_parts(&signed.parts(DocumentKey::Catalogue(Part::FIRST)).await?))
}

/// The version that a page shows. Edits go into the last part; those of a page that saw an earlier one are made at present.
async fn seen(signed: &SignedIn) -> Result<String, Refused> {
    Ok(match signed.parts(DocumentKey::Catalogue(Part::FIRST)).await?.pop() {
        Some(mut document) => Version::of(&mut document).to_string(),
        None => String::new(),
    })
}

/// Writes into the catalogue, on the version that the form's author saw.
async fn write(
    signed: &SignedIn,
    form: &Form,
    edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
) -> Result<(), Refused> {
    let seen = form.get("seen").parse().ok();
    signed.edit(vec![Edits { seen, ..Edits::one(DocumentKey::Catalogue(Part::FIRST), edit) }]).await
}

/// `GET /console/catalogue`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let (seen, today) = (seen(&signed).await?, today());
    let all = &names.catalogue;
    let (taken, ended): (Vec<&Product>, Vec<&Product>) =
        all.products.iter().partition(|product| product.is_offered_on(today));
    let (mut upcoming, mut past): (Vec<&Promotion>, Vec<&Promotion>) =
        all.promotions.iter().partition(|promotion| promotion::is_upcoming(promotion, today));
    upcoming.sort_by_key(|promotion| promotion.day);
    past.sort_by_key(|promotion| std::cmp::Reverse(promotion.day));
    let main = html! {
        section { h2 { (locale.t("products")) }
            @if all.products.is_empty() { (empty(locale.t("no-products"), &[("#new-product", locale.t("new-product"))])) }
            @else { (products(&signed, &names, &taken, today)) }
            @if !ended.is_empty() { details { summary { (locale.t("products-ended")) } (products(&signed, &names, &ended, today)) } }
            h3 #new-product { (locale.t("new-product")) }
            (new_product(&signed, &seen)) }
        section { h2 { (locale.t("promotions")) }
            @if upcoming.is_empty() { (empty(locale.t("no-promotions"), &[("#new-promotion", locale.t("new-promotion"))])) }
            @else { (promotion::table(&signed, &names, &upcoming, today)) }
            @if !past.is_empty() { details { summary { (locale.t("promotions-past")) } (promotion::table(&signed, &names, &past, today)) } }
            h3 #new-promotion { (locale.t("new-promotion")) }
            (promotion::form(&signed, &names, None, &seen)) }
    };
    Ok(Page { title: locale.t("part-catalogue"), part: "catalogue", main }.show(&signed))
}

fn products(signed: &SignedIn, names: &Names, products: &[&Product], today: Day) -> Markup {
    let locale = signed.locale;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("products")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("product")) } th scope="col" { (locale.t("code")) }
                    th scope="col" { (locale.t("price-today")) } th scope="col" { (locale.t("price-next")) }
                    th scope="col" { (locale.t("state")) } } }
                tbody { @for product in products { tr {
                    td { a href={ (HERE) "/" (product.code) } { (names.product(&product.code)) }
                        @if !product.price_conflicts.is_empty() { " " span.mark { (locale.t("edited-at-once")) } } }
                    td data-label=(locale.t("code")) { (product.code) }
                    td data-label=(locale.t("price-today")) { (prices_of(locale, product, &today_names(product, today), false)) }
                    td data-label=(locale.t("price-next")) { (prices_of(locale, product, &upcoming_names(product, today), true)) }
                    td data-label=(locale.t("state")) { (product::state(locale, product, today)) }
                } } }
            }
        }
    }
}

/// The prices that hold on a day.
fn today_names(product: &Product, day: Day) -> Vec<&PriceName> {
    product.grades_from(day).into_iter().filter_map(|grade| product.price_name_on(grade, day)).collect()
}

/// The prices that will hold after a day.
fn upcoming_names(product: &Product, day: Day) -> Vec<&PriceName> {
    let later = |name: &&PriceName| name.from.is_some_and(|from| from > day) && !product.never_holds(name);
    product.price_by_grade.keys().filter(later).collect()
}

fn prices_of(locale: Locale, product: &Product, names: &[&PriceName], with_day: bool) -> Markup {
    html! {
        @if names.is_empty() { "—" }
        @for (place, name) in names.iter().enumerate() {
            @if place > 0 { " · " }
            (name.grade) " " (product.price_by_grade.get(name).map(|fen| money(fen.get())).unwrap_or_default())
            @if let Some(from) = name.from.filter(|_| with_day) { " " span.small { (locale.with("price-from", &[("day", from.to_string())])) } }
        }
    }
}

fn new_product(signed: &SignedIn, seen: &str) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, HERE, &[("new", "yes")]);
    html! {
        form.card method="post" action=(HERE) {
            (form.hidden()) (form.seen("seen", seen))
            label { (locale.t("code")) (form.empty("code", CODE)) }
            p.small { (locale.t("code-help")) }
            label { (locale.t("name-zh")) (form.empty("zh", REQUIRED)) }
            label { (locale.t("name-en")) (form.empty("en", REQUIRED)) }
            label { (locale.t("grade")) (form.proposed("new-grade", "A", TEXT)) }
            label { (locale.t("yuan-per-kg")) (form.empty("new-price", AMOUNT)) }
            button { (locale.t("add")) }
        }
    }
}

fn price_text(fen: Fen) -> String {
    format!("{}.{:02}", fen.get() / 100, fen.get() % 100)
}

fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

fn code_of(locale: Locale, form: &Form) -> Result<String, Refused> {
    let code = form.get("code");
    if is_code(code) { Ok(code.to_owned()) } else { Err(refused(locale, 400, "code-wrong").at("code")) }
}

/// The price typed into a field.
fn typed_price(locale: Locale, form: &Form, field: &str) -> Result<Fen, Refused> {
    price(locale, form.get(field)).map_err(|refused| refused.at(field))
}

/// The form that ends something, or takes it up again: `keys` tell which. Its day is today where nothing else is typed.
fn ending(
    signed: &SignedIn,
    action: &str,
    keys: &[(&'static str, &str)],
    (ended, words): (Option<Day>, [&str; 3]),
) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, action, keys);
    let [end, day, again] = words;
    let shown = ended.map(|day| day.to_string()).unwrap_or_default();
    html! {
        form.inline method="post" action=(action) {
            (form.hidden()) (form.was("day", &shown))
            @match ended {
                Some(_) => { input type="hidden" name="day" value=""; button.quiet { (locale.t(again)) } }
                None => {
                    label { (locale.t(day)) " " (form.proposed("day", &today().to_string(), DAY.required())) }
                    button.quiet { (locale.t(end)) }
                }
            }
        }
    }
}

/// The day that an [`ending`] form says; none to take it up again. The thing must have stood as the form showed it.
fn ending_day(locale: Locale, form: &Form, ended: Option<Day>) -> Result<Option<Day>, Refused> {
    form.must_be_as_seen(locale, &[("day", ended.map(|day| day.to_string()).unwrap_or_default())])?;
    if form.get("day").is_empty() { Ok(None) } else { form.day(locale, "day").map(Some) }
}
