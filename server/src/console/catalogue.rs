//! The catalogue: products, grades, prices by grade and day; live-stream promotions with their offers.
//! A form writes only the fields that the person changed, on the version that the person saw: concurrent edits of two
//! coordinators are both kept, and where both wrote the same price, both values are shown. Of a name or an offer, which no page
//! shows twice, the second coordinator is told what the first one wrote.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::crdt::Version;
use granary_client_core::plausibility::unusual_price;
use granary_client_core::quantities::{Fen, TextField};
use granary_client_core::schema::catalogue::{self, PriceName, Product, Promotion};
use granary_client_core::schema::{DocumentKey, Part};
use maud::{Markup, html};

use super::forms::{Form, is_code, price};
use super::i18n::{Locale, money};
use super::inputs::{AMOUNT, CODE, DAY, Inputs, REQUIRED, TEXT};
use super::names::Names;
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use super::unusual;
use crate::engine::own_edits::Edits;

const SAVE_PRODUCT: &str = "/console/catalogue/product";
const SAVE_PROMOTION: &str = "/console/catalogue/promotion";

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

fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

fn product_form(signed: &SignedIn, names: &Names, product: &Product, seen: &str) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, SAVE_PRODUCT, &[("code", &product.code), ("new", "")]);
    html! {
        form.card method="post" action=(SAVE_PRODUCT) {
            (form.hidden()) (form.seen("seen", seen))
            h3 { (names.product(&product.code)) " " span.small { (product.code) } }
            label { (locale.t("name-zh")) (form.field("zh", text(product.name_zh.as_ref()), TEXT)) }
            label { (locale.t("name-en")) (form.field("en", text(product.name_en.as_ref()), TEXT)) }
            @for (name, fen) in &product.price_by_grade {
                @let field = format!("price:{name}");
                @let others = product.price_conflicts.get(name);
                label { (price_label(locale, name))
                    @match others {
                        None => (form.field(&field, &price_text(*fen), AMOUNT)),
                        // With several values, saving the form settles it, also when the shown one is kept.
                        Some(_) => { (form.proposed(&field, &price_text(*fen), AMOUNT)) (form.was(&field, "")) },
                    } }
                @if let Some(others) = others {
                    p.mark { (locale.t("price-edited-at-once")) " "
                        @for (place, fen) in others.iter().enumerate() { @if place > 0 { " / " } (money(fen.get())) } }
                }
            }
            fieldset.row {
                legend { (locale.t("another-price")) }
                label { (locale.t("grade")) (form.empty("new-grade", TEXT)) }
                label { (locale.t("from-day")) (form.empty("new-day", DAY)) }
                label { (locale.t("yuan-per-kg")) (form.empty("new-price", AMOUNT)) }
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
    let form = Inputs::of(signed, SAVE_PRODUCT, &[("new", "yes")]);
    html! {
        form.card method="post" action=(SAVE_PRODUCT) {
            (form.hidden()) (form.seen("seen", seen))
            h3 { (locale.t("new-product")) }
            label { (locale.t("code")) (form.empty("code", CODE)) }
            label { (locale.t("name-zh")) (form.empty("zh", REQUIRED)) }
            label { (locale.t("name-en")) (form.empty("en", REQUIRED)) }
            label { (locale.t("grade")) (form.proposed("new-grade", "A", TEXT)) }
            label { (locale.t("yuan-per-kg")) (form.empty("new-price", AMOUNT)) }
            button { (locale.t("add")) }
        }
    }
}

fn promotion_form(signed: &SignedIn, names: &Names, promotion: Option<&Promotion>, seen: &str) -> Markup {
    let locale = signed.locale;
    let title = text(promotion.and_then(|promotion| promotion.title.as_ref()));
    let day = promotion.and_then(|promotion| promotion.day).map(|day| day.to_string()).unwrap_or_default();
    let form = match promotion {
        Some(promotion) => Inputs::of(signed, SAVE_PROMOTION, &[("code", &promotion.code), ("new", "")]),
        None => Inputs::of(signed, SAVE_PROMOTION, &[("new", "yes")]),
    };
    html! {
        form.card method="post" action=(SAVE_PROMOTION) {
            (form.hidden()) (form.seen("seen", seen))
            h3 { @match promotion { Some(promotion) => (promotion.title.as_deref().unwrap_or(&promotion.code)), None => (locale.t("new-promotion")) } }
            @if promotion.is_none() { label { (locale.t("code")) (form.empty("code", CODE)) } }
            label { (locale.t("promotion-title")) (form.field("title", title, REQUIRED)) }
            label { (locale.t("stream-day")) (form.field("day", &day, DAY.required())) }
            @for (code, fen) in promotion.into_iter().flat_map(|promotion| &promotion.offers) {
                label { (names.product(code)) " · " (locale.t("yuan-per-kg")) (form.field(&format!("offer:{code}"), &price_text(*fen), AMOUNT)) }
            }
            fieldset.row {
                legend { (locale.t("another-offer")) }
                label { (locale.t("product")) (form.select("new-product", "", std::iter::once(("", "—".to_owned())).chain(names.product_choices()))) }
                label { (locale.t("yuan-per-kg")) (form.empty("new-price", AMOUNT)) }
            }
            button { (locale.t("save")) }
        }
    }
}

fn code_of(locale: Locale, form: &Form) -> Result<String, Refused> {
    let code = form.get("code");
    if is_code(code) { Ok(code.to_owned()) } else { Err(refused(locale, 400, "code-wrong").at("code")) }
}

/// The price typed into a field.
fn typed_price(locale: Locale, form: &Form, field: &str) -> Result<Fen, Refused> {
    price(locale, form.get(field)).map_err(|refused| refused.at(field))
}

/// `POST /console/catalogue/product`
pub(super) async fn save_product(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let code = code_of(locale, &form)?;
    let catalogue = catalogue::read_parts(&signed.parts(DocumentKey::Catalogue(Part::FIRST)).await?);
    let present = catalogue.products.iter().find(|product| product.code == code);
    match present {
        // A form for a new product must not rename one that is here.
        Some(_) if form.get("new") == "yes" => return Err(refused(locale, 409, "code-taken").at("code")),
        Some(product) => form.must_be_as_seen(
            locale,
            &[("zh", text(product.name_zh.as_ref()).to_owned()), ("en", text(product.name_en.as_ref()).to_owned())],
        )?,
        None => {}
    }
    let mut prices = Vec::new();
    for (name, _) in form.beginning("price:") {
        let field = format!("price:{name}");
        if form.changed(&field).is_some() {
            let name: PriceName = name.parse().map_err(|_| refused(locale, 400, "form-field-wrong").at(&field))?;
            prices.push((name, typed_price(locale, &form, &field)?));
        }
    }
    if !form.get("new-price").is_empty() {
        let from = if form.get("new-day").is_empty() { None } else { Some(form.day(locale, "new-day")?) };
        let grade = form.get("new-grade").to_owned();
        let name = PriceName::new(grade, from).ok_or_else(|| refused(locale, 400, "grade-wrong").at("new-grade"))?;
        if present.is_some_and(|product| product.price_by_grade.contains_key(&name)) {
            return Err(refused(locale, 409, "price-taken").at("new-grade"));
        }
        prices.push((name, typed_price(locale, &form, "new-price")?));
    }
    if form.get("confirmed") != "yes" {
        let ask = |product: &Product| {
            prices.iter().filter_map(|(name, price)| unusual_price(product, name, *price)).collect::<Vec<_>>()
        };
        let odd = present.map(ask).unwrap_or_default();
        if !odd.is_empty() {
            return Ok(unusual::ask_back(&signed, SAVE_PRODUCT, &form, &odd));
        }
    }
    let name = |field: &str| form.changed(field).map(|_| form.text(locale, field, TextField::ProductName)).transpose();
    let (zh, en) = (name("zh")?, name("en")?);
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
    let catalogue = catalogue::read_parts(&signed.parts(DocumentKey::Catalogue(Part::FIRST)).await?);
    match catalogue.promotions.iter().find(|promotion| promotion.code == code) {
        Some(_) if form.get("new") == "yes" => return Err(refused(locale, 409, "code-taken").at("code")),
        Some(promotion) => {
            let day = promotion.day.map(|day| day.to_string()).unwrap_or_default();
            form.must_be_as_seen(locale, &[("title", text(promotion.title.as_ref()).to_owned()), ("day", day)])?;
            for (product, fen) in &promotion.offers {
                form.must_be_as_seen(locale, &[(&format!("offer:{product}"), price_text(*fen))])?;
            }
        }
        None => {}
    }
    let mut offers = Vec::new();
    for (product, _) in form.beginning("offer:") {
        let field = format!("offer:{product}");
        if form.changed(&field).is_some() {
            offers.push((product.to_owned(), typed_price(locale, &form, &field)?));
        }
    }
    if !form.get("new-product").is_empty() {
        offers.push((form.get("new-product").to_owned(), typed_price(locale, &form, "new-price")?));
    }
    let title = form.changed("title").map(|_| form.text(locale, "title", TextField::PromotionTitle)).transpose()?;
    let day = form.changed("day").map(|_| form.day(locale, "day")).transpose()?;
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
