//! The catalogue: products, grades, prices by grade and day; live-stream promotions with their offers.
//! A form writes only what the person changed, at the state of the catalogue that the person saw: what
//! two coordinators edit at once is kept of both, and where they wrote one price, both are shown.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::documents::catalogue::{self, PriceName, Product, Promotion};
use granary_client_core::documents::{DocumentKey, Seen};
use granary_client_core::quantities::{Day, Fen};
use maud::{Markup, html};

use super::forms::{Form, is_code, scaled};
use super::i18n::{Words, money};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed::{Signed, SignedForm};
use crate::engine::own_edits::Edits;

/// `GET /console/catalogue`
pub(super) async fn show(signed: Signed) -> Result<Response, Refused> {
    let words = signed.words;
    let names = Names::of(&signed).await?;
    let seen = match signed.document(DocumentKey::Catalogue).await? {
        Some(mut document) => Seen::of(&mut document).to_string(),
        None => String::new(),
    };
    let main = html! {
        h2 { (words.t("products")) }
        div.cards {
            @for product in &names.catalogue.products { (product_form(&signed, &names, product, &seen)) }
            (new_product(&signed, &seen))
        }
        h2 { (words.t("promotions")) }
        div.cards {
            @for promotion in &names.catalogue.promotions { (promotion_form(&signed, &names, Some(promotion), &seen)) }
            (promotion_form(&signed, &names, None, &seen))
        }
    };
    Ok(Page { title: words.t("part-catalogue"), part: "catalogue", main }.show(&signed))
}

fn price_text(fen: Fen) -> String {
    format!("{}.{:02}", fen.get() / 100, fen.get() % 100)
}

/// A field with the value that the person saw beside it.
fn seen_field(name: &str, value: &str) -> Markup {
    html! { input name=(name) value=(value); input type="hidden" name={ "was:" (name) } value=(value); }
}

/// A field with several values: saving the form settles it, also with the one that is shown.
fn open_field(name: &str, value: &str) -> Markup {
    html! { input name=(name) value=(value); input type="hidden" name={ "was:" (name) } value=""; }
}

fn product_form(signed: &Signed, names: &Names, product: &Product, seen: &str) -> Markup {
    let words = signed.words;
    html! {
        form.card method="post" action="/console/catalogue/product" {
            (token(signed))
            input type="hidden" name="seen" value=(seen);
            input type="hidden" name="code" value=(product.code);
            h3 { (names.product(&product.code)) " " span.small { (product.code) } }
            label { (words.t("name-zh")) (seen_field("zh", product.name_zh.as_deref().unwrap_or_default())) }
            label { (words.t("name-en")) (seen_field("en", product.name_en.as_deref().unwrap_or_default())) }
            @for (name, fen) in &product.price_by_grade {
                @let field = format!("price:{name}");
                @let others = product.price_conflicts.get(name);
                label { (price_label(words, name))
                    @match others { None => (seen_field(&field, &price_text(*fen))), Some(_) => (open_field(&field, &price_text(*fen))) } }
                @if let Some(others) = others {
                    p.mark { (words.t("price-edited-at-once")) " "
                        @for (place, fen) in others.iter().enumerate() { @if place > 0 { " / " } (money(fen.get())) } }
                }
            }
            fieldset.row {
                legend { (words.t("another-price")) }
                label { (words.t("grade")) input name="new-grade"; }
                label { (words.t("from-day")) input type="date" name="new-day"; }
                label { "¥ / kg" input name="new-price" inputmode="decimal"; }
            }
            button { (words.t("save")) }
        }
    }
}

fn price_label(words: Words, name: &PriceName) -> String {
    let grade = words.with("price-of-grade", &[("grade", name.grade.clone())]);
    match name.from {
        Some(day) => format!("{grade} · {}", words.with("price-from", &[("day", day.to_string())])),
        None => grade,
    }
}

fn new_product(signed: &Signed, seen: &str) -> Markup {
    let words = signed.words;
    html! {
        form.card method="post" action="/console/catalogue/product" {
            (token(signed))
            input type="hidden" name="seen" value=(seen);
            h3 { (words.t("new-product")) }
            label { (words.t("code")) input name="code" required pattern="[a-z0-9-]{1,40}"; }
            label { (words.t("name-zh")) input name="zh" required; }
            label { (words.t("name-en")) input name="en" required; }
            label { (words.t("grade")) input name="new-grade" value="A"; }
            label { "¥ / kg" input name="new-price" inputmode="decimal"; }
            button { (words.t("add")) }
        }
    }
}

fn promotion_form(signed: &Signed, names: &Names, promotion: Option<&Promotion>, seen: &str) -> Markup {
    let words = signed.words;
    let title = promotion.and_then(|promotion| promotion.title.clone()).unwrap_or_default();
    let day = promotion.and_then(|promotion| promotion.day).map(|day| day.to_string()).unwrap_or_default();
    html! {
        form.card method="post" action="/console/catalogue/promotion" {
            (token(signed))
            input type="hidden" name="seen" value=(seen);
            h3 { @match promotion { Some(promotion) => (promotion.title.as_deref().unwrap_or(&promotion.code)), None => (words.t("new-promotion")) } }
            @match promotion {
                Some(promotion) => { input type="hidden" name="code" value=(promotion.code); },
                None => { label { (words.t("code")) input name="code" required pattern="[a-z0-9-]{1,40}"; } },
            }
            label { (words.t("promotion-title")) (seen_field("title", &title)) }
            label { (words.t("stream-day")) input type="date" name="day" value=(day) required; input type="hidden" name="was:day" value=(day); }
            @for (code, fen) in promotion.into_iter().flat_map(|promotion| &promotion.offers) {
                label { (names.product(code)) " · ¥ / kg" (seen_field(&format!("offer:{code}"), &price_text(*fen))) }
            }
            fieldset.row {
                legend { (words.t("another-offer")) }
                label { (words.t("product")) select name="new-product" {
                    option value="" { "—" }
                    @for (code, name) in names.products() { option value=(code) { (name) } }
                } }
                label { "¥ / kg" input name="new-price" inputmode="decimal"; }
            }
            button { (words.t("save")) }
        }
    }
}

/// True when the person changed a field from what they saw.
fn changed(form: &Form, name: &str) -> bool {
    form.get(name) != form.get(&format!("was:{name}"))
}

fn fen(words: Words, text: &str) -> Result<Fen, Refused> {
    scaled(text, 2).and_then(|fen| Fen::new(fen).ok()).ok_or_else(|| refused(words, 400, "price-wrong"))
}

fn code_of(words: Words, form: &Form) -> Result<String, Refused> {
    let code = form.get("code");
    if is_code(code) { Ok(code.to_owned()) } else { Err(refused(words, 400, "code-wrong")) }
}

/// `POST /console/catalogue/product`
pub(super) async fn save_product(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let words = signed.words;
    let code = code_of(words, &form)?;
    let mut prices = Vec::new();
    for (name, text) in form.beginning("price:").filter(|(name, _)| changed(&form, &format!("price:{name}"))) {
        let name: PriceName = name.parse().map_err(|_| refused(words, 400, "form-field-wrong"))?;
        prices.push((name, fen(words, text)?));
    }
    if !form.get("new-price").is_empty() {
        let from = match form.get("new-day") {
            "" => None,
            day => Some(day.parse::<Day>().map_err(|_| refused(words, 400, "day-wrong"))?),
        };
        let grade = form.get("new-grade").to_owned();
        let name = PriceName::new(grade, from).ok_or_else(|| refused(words, 400, "grade-wrong"))?;
        prices.push((name, fen(words, form.get("new-price"))?));
    }
    let zh = changed(&form, "zh").then(|| form.get("zh").to_owned());
    let en = changed(&form, "en").then(|| form.get("en").to_owned());
    let edit = Edits {
        seen: form.get("seen").parse().ok(),
        ..Edits::one(DocumentKey::Catalogue, move |doc| {
            catalogue::rename_product(doc, &code, zh.as_deref(), en.as_deref())?;
            prices.iter().try_for_each(|(name, fen)| catalogue::set_price(doc, &code, name, *fen))
        })
    };
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to("/console/catalogue").into_response())
}

/// `POST /console/catalogue/promotion`
pub(super) async fn save_promotion(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let words = signed.words;
    let code = code_of(words, &form)?;
    let mut offers = Vec::new();
    for (product, text) in form.beginning("offer:").filter(|(name, _)| changed(&form, &format!("offer:{name}"))) {
        offers.push((product.to_owned(), fen(words, text)?));
    }
    if !form.get("new-product").is_empty() {
        offers.push((form.get("new-product").to_owned(), fen(words, form.get("new-price"))?));
    }
    let title = changed(&form, "title").then(|| form.get("title").to_owned());
    let day = match changed(&form, "day") {
        true => Some(form.get("day").parse::<Day>().map_err(|_| refused(words, 400, "day-wrong"))?),
        false => None,
    };
    let edit = Edits {
        seen: form.get("seen").parse().ok(),
        ..Edits::one(DocumentKey::Catalogue, move |doc| {
            catalogue::replan_promotion(doc, &code, title.as_deref(), day)?;
            offers.iter().try_for_each(|(product, fen)| catalogue::offer(doc, &code, product, *fen))
        })
    };
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to("/console/catalogue").into_response())
}
