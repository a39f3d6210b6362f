//! The catalogue: products, grades, prices by grade and day; live-stream promotions with their offers.
//! A form writes only the fields that the person changed, on the version that the person saw: concurrent edits of two
//! coordinators are both kept, and where both wrote the same price, both values are shown.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::crdt::Version;
use granary_client_core::quantities::{Day, Fen};
use granary_client_core::schema::catalogue::{self, PriceName, Product, Promotion};
use granary_client_core::schema::{DocumentKey, Part};
use maud::{Markup, html};

use super::forms::{Form, is_code, price};
use super::i18n::{Locale, money};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

/// `GET /console/catalogue`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    // Edits go into the last part; those of a page that saw an earlier one are made at present.
    let seen = match signed.parts(DocumentKey::Catalogue(Part::FIRST)).await?.pop() {
        Some(mut document) => Version::of(&mut document).to_string(),
        None => String::new(),
    };
    let main = html! {
        h2 { (locale.t("products")) }
        div.cards {
            @for product in &names.catalogue.products { (product_form(&signed, &names, product, &seen)) }
            (new_product(&signed, &seen))
        }
        h2 { (locale.t("promotions")) }
        div.cards {
            @for promotion in &names.catalogue.promotions { (promotion_form(&signed, &names, Some(promotion), &seen)) }
            (promotion_form(&signed, &names, None, &seen))
        }
    };
    Ok(Page { title: locale.t("part-catalogue"), part: "catalogue", main }.show(&signed))
}

fn price_text(fen: Fen) -> String {
    format!("{}.{:02}", fen.get() / 100, fen.get() % 100)
}

/// A field, with a hidden field that holds the value shown.
fn seen_field(name: &str, value: &str) -> Markup {
    html! { input name=(name) value=(value); input type="hidden" name={ "was:" (name) } value=(value); }
}

/// A field with several values; saving the form settles it, also when the shown value is kept.
fn open_field(name: &str, value: &str) -> Markup {
    html! { input name=(name) value=(value); input type="hidden" name={ "was:" (name) } value=""; }
}

fn product_form(signed: &SignedIn, names: &Names, product: &Product, seen: &str) -> Markup {
    let locale = signed.locale;
    html! {
        form.card method="post" action="/console/catalogue/product" {
            (token(signed))
            input type="hidden" name="seen" value=(seen);
            input type="hidden" name="code" value=(product.code);
            h3 { (names.product(&product.code)) " " span.small { (product.code) } }
            label { (locale.t("name-zh")) (seen_field("zh", product.name_zh.as_deref().unwrap_or_default())) }
            label { (locale.t("name-en")) (seen_field("en", product.name_en.as_deref().unwrap_or_default())) }
            @for (name, fen) in &product.price_by_grade {
                @let field = format!("price:{name}");
                @let others = product.price_conflicts.get(name);
                label { (price_label(locale, name))
                    @match others { None => (seen_field(&field, &price_text(*fen))), Some(_) => (open_field(&field, &price_text(*fen))) } }
                @if let Some(others) = others {
                    p.mark { (locale.t("price-edited-at-once")) " "
                        @for (place, fen) in others.iter().enumerate() { @if place > 0 { " / " } (money(fen.get())) } }
                }
            }
            fieldset.row {
                legend { (locale.t("another-price")) }
                label { (locale.t("grade")) input name="new-grade"; }
                label { (locale.t("from-day")) input type="date" name="new-day"; }
                label { (locale.t("yuan-per-kg")) input name="new-price" inputmode="decimal"; }
            }
            button { (locale.t("save")) }
        }
    }
}

fn price_label(locale: Locale, name: &PriceName) -> String {
    let grade = locale.with("price-of-grade", &[("grade", name.grade.clone())]);
    match name.from {
        Some(day) => format!("{grade} · {}", locale.with("price-from", &[("day", day.to_string())])),
        None => grade,
    }
}

fn new_product(signed: &SignedIn, seen: &str) -> Markup {
    let locale = signed.locale;
    html! {
        form.card method="post" action="/console/catalogue/product" {
            (token(signed))
            input type="hidden" name="seen" value=(seen);
            h3 { (locale.t("new-product")) }
            label { (locale.t("code")) input name="code" required pattern="[a-z0-9-]{1,40}"; }
            label { (locale.t("name-zh")) input name="zh" required; }
            label { (locale.t("name-en")) input name="en" required; }
            label { (locale.t("grade")) input name="new-grade" value="A"; }
            label { (locale.t("yuan-per-kg")) input name="new-price" inputmode="decimal"; }
            button { (locale.t("add")) }
        }
    }
}

fn promotion_form(signed: &SignedIn, names: &Names, promotion: Option<&Promotion>, seen: &str) -> Markup {
    let locale = signed.locale;
    let title = promotion.and_then(|promotion| promotion.title.clone()).unwrap_or_default();
    let day = promotion.and_then(|promotion| promotion.day).map(|day| day.to_string()).unwrap_or_default();
    html! {
        form.card method="post" action="/console/catalogue/promotion" {
            (token(signed))
            input type="hidden" name="seen" value=(seen);
            h3 { @match promotion { Some(promotion) => (promotion.title.as_deref().unwrap_or(&promotion.code)), None => (locale.t("new-promotion")) } }
            @match promotion {
                Some(promotion) => { input type="hidden" name="code" value=(promotion.code); },
                None => { label { (locale.t("code")) input name="code" required pattern="[a-z0-9-]{1,40}"; } },
            }
            label { (locale.t("promotion-title")) (seen_field("title", &title)) }
            label { (locale.t("stream-day")) input type="date" name="day" value=(day) required; input type="hidden" name="was:day" value=(day); }
            @for (code, fen) in promotion.into_iter().flat_map(|promotion| &promotion.offers) {
                label { (names.product(code)) " · " (locale.t("yuan-per-kg")) (seen_field(&format!("offer:{code}"), &price_text(*fen))) }
            }
            fieldset.row {
                legend { (locale.t("another-offer")) }
                label { (locale.t("product")) select name="new-product" {
                    option value="" { "—" }
                    @for (code, name) in names.products() { option value=(code) { (name) } }
                } }
                label { (locale.t("yuan-per-kg")) input name="new-price" inputmode="decimal"; }
            }
            button { (locale.t("save")) }
        }
    }
}

/// True when the person changed a field.
fn changed(form: &Form, name: &str) -> bool {
    form.get(name) != form.get(&format!("was:{name}"))
}

fn code_of(locale: Locale, form: &Form) -> Result<String, Refused> {
    let code = form.get("code");
    if is_code(code) { Ok(code.to_owned()) } else { Err(refused(locale, 400, "code-wrong")) }
}

/// `POST /console/catalogue/product`
pub(super) async fn save_product(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let code = code_of(locale, &form)?;
    let mut prices = Vec::new();
    for (name, text) in form.beginning("price:").filter(|(name, _)| changed(&form, &format!("price:{name}"))) {
        let name: PriceName = name.parse().map_err(|_| refused(locale, 400, "form-field-wrong"))?;
        prices.push((name, price(locale, text)?));
    }
    if !form.get("new-price").is_empty() {
        let from = match form.get("new-day") {
            "" => None,
            day => Some(day.parse::<Day>().map_err(|_| refused(locale, 400, "day-wrong"))?),
        };
        let grade = form.get("new-grade").to_owned();
        let name = PriceName::new(grade, from).ok_or_else(|| refused(locale, 400, "grade-wrong"))?;
        prices.push((name, price(locale, form.get("new-price"))?));
    }
    let zh = changed(&form, "zh").then(|| form.get("zh").to_owned());
    let en = changed(&form, "en").then(|| form.get("en").to_owned());
    let edit = Edits {
        seen: form.get("seen").parse().ok(),
        ..Edits::one(DocumentKey::Catalogue(Part::FIRST), move |doc| {
            catalogue::rename_product(doc, &code, zh.as_deref(), en.as_deref())?;
            prices.iter().try_for_each(|(name, fen)| catalogue::set_price(doc, &code, name, *fen))
        })
    };
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to("/console/catalogue").into_response())
}

/// `POST /console/catalogue/promotion`
pub(super) async fn save_promotion(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let code = code_of(locale, &form)?;
    let mut offers = Vec::new();
    for (product, text) in form.beginning("offer:").filter(|(name, _)| changed(&form, &format!("offer:{name}"))) {
        offers.push((product.to_owned(), price(locale, text)?));
    }
    if !form.get("new-product").is_empty() {
        offers.push((form.get("new-product").to_owned(), price(locale, form.get("new-price"))?));
    }
    let title = changed(&form, "title").then(|| form.get("title").to_owned());
    let day = match changed(&form, "day") {
        true => Some(form.get("day").parse::<Day>().map_err(|_| refused(locale, 400, "day-wrong"))?),
        false => None,
    };
    let edit = Edits {
        seen: form.get("seen").parse().ok(),
        ..Edits::one(DocumentKey::Catalogue(Part::FIRST), move |doc| {
            catalogue::replan_promotion(doc, &code, title.as_deref(), day)?;
            offers.iter().try_for_each(|(product, fen)| catalogue::offer(doc, &code, product, *fen))
        })
    };
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to("/console/catalogue").into_response())
}
