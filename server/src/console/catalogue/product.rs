//! One product: its names, its prices by grade and day with their history, and its end.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::plausibility::unusual_price;
use granary_client_core::quantities::{Day, Fen, TextField};
use granary_client_core::schema::catalogue::{self, PriceName, Product};
use maud::{Markup, html};

use super::{
    HERE, code_of, ending, ending_day, present, price_chart, price_text, seen, skus, text, today, typed_price, write,
};
use crate::console::activity;
use crate::console::asked_back::must_be_confirmed;
use crate::console::forms::{Form, moisture};
use crate::console::i18n::{Locale, decimal, money};
use crate::console::inputs::{AMOUNT, DAY, Inputs, TEXT};
use crate::console::names::Names;
use crate::console::page::Page;
use crate::console::refusal::{Refused, refused, unreadable};
use crate::console::signed_in::{SignedIn, SignedInForm};

/// Whether new lots of it are recorded.
pub(super) fn state(locale: Locale, product: &Product, today: Day) -> Markup {
    html! { @match product.ended {
        None => (locale.t("product-offered")),
        Some(day) if day > today => (locale.with("product-ends", &[("day", day.to_string())])),
        Some(day) => span.mark { (locale.with("product-ended", &[("day", day.to_string())])) },
    } }
}

fn address(code: &str) -> String {
    format!("{HERE}/{code}")
}

/// `GET /console/catalogue/{code}`
pub(in crate::console) async fn show(signed: SignedIn, Path(code): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let found = names.catalogue.products.iter().find(|product| product.code == code);
    let product = found.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let (seen, today) = (seen(&signed).await?, today());
    let words = ["end-product", "from-day", "take-up-again"];
    let main = html! {
        p { a href=(HERE) { (locale.t("part-catalogue")) } " · " (state(locale, product, today)) }
        div.columns {
            section { (form(&signed, product, &seen)) }
            section { h2 { (locale.t("price-history")) }
                @if product.price_by_grade.is_empty() { p.empty { (locale.t("no-prices")) } } @else {
                    (price_chart::draw(locale, product, today))
                    (prices(&signed, product, today))
                }
                p.small { (locale.t("end-price-help")) }
            }
        }
        (skus::section(&signed, &names, product))
        section { h2 { (locale.t("history")) } (activity::of_product(&signed, &code).await) }
        section { h2 { (locale.t("end-product")) }
            p.small { (locale.t("end-product-help")) }
            (ending(&signed, &format!("{}/end", address(&code)), &[("what", "product")], (product.ended, words))) }
    };
    Ok(Page { title: names.product(&code), part: "catalogue", main }.show(&signed))
}

fn form(signed: &SignedIn, product: &Product, seen: &str) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, HERE, &[("code", &product.code), ("new", "")]);
    html! {
        form.card method="post" action=(HERE) {
            (form.hidden()) (form.seen("seen", seen))
            label { (locale.t("name-zh")) (form.field("zh", text(product.name_zh.as_ref()), TEXT)) }
            label { (locale.t("name-en")) (form.field("en", text(product.name_en.as_ref()), TEXT)) }
            label { (locale.t("tolerance")) (form.field("tolerance", &tolerance_text(product), AMOUNT)) }
            p.small { (locale.t("tolerance-help")) }
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
            @if !product.price_by_grade.is_empty() {
                p.small { (locale.t("price-since-today")) }
                label.check { input type="checkbox" name="since" value="beginning" checked[form.is_chosen("since", "beginning", false)]; (locale.t("price-since-beginning")) }
            }
            fieldset.row {
                legend { (locale.t("another-price")) }
                label { (locale.t("grade")) (form.empty("new-grade", TEXT)) }
                label { (locale.t("from-day")) (form.empty("new-day", DAY)) }
                label { (locale.t("yuan-per-kg")) (form.empty("new-price", AMOUNT)) }
            }
            button { (form.doing("save")) }
        }
    }
}

/// The surplus that is tolerated, in percent; empty for the usual share.
fn tolerance_text(product: &Product) -> String {
    product.surplus_tolerated.map(|share| decimal(share.get(), 10)).unwrap_or_default()
}

fn price_label(locale: Locale, name: &PriceName) -> String {
    let grade = locale.with("price-of-grade", &[("grade", name.grade.clone())]);
    match name.from {
        Some(day) => format!("{grade} · {}", locale.with("price-from", &[("day", day.to_string())])),
        None => grade,
    }
}

/// All prices with the days on which they hold, and the form that ends each.
fn prices(signed: &SignedIn, product: &Product, today: Day) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/price-end", address(&product.code));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("price-history")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("grade")) } th scope="col" { (locale.t("from-day")) }
                    th.number scope="col" { (locale.t("yuan-per-kg")) } th scope="col" { (locale.t("state")) } th scope="col" { span.unseen { (locale.t("actions")) } } } }
                tbody { @for (name, fen) in &product.price_by_grade { tr {
                    td data-label=(locale.t("grade")) { (name.grade) }
                    td data-label=(locale.t("from-day")) { (name.from.map_or_else(|| locale.t("from-the-beginning"), |day| day.to_string())) }
                    td.number data-label=(locale.t("yuan-per-kg")) { (money(fen.get())) }
                    td data-label=(locale.t("state")) { (price_state(locale, product, name, today)) }
                    td { (ending(signed, &action, &[("price", &name.to_string())],
                        (product.price_until.get(name).copied(), ["end-price", "last-day", "take-up-again"]))) }
                } } }
            }
        }
    }
}

fn price_state(locale: Locale, product: &Product, name: &PriceName, today: Day) -> String {
    match product.price_until.get(name) {
        Some(_) if product.never_holds(name) => locale.t("price-called-off"),
        Some(until) => locale.with("price-until", &[("day", until.to_string())]),
        None if name.from.is_some_and(|from| from > today) => locale.t("price-upcoming"),
        None if product.price_name_on(&name.grade, today) == Some(name) => locale.t("price-holds"),
        None => locale.t("price-replaced"),
    }
}

/// `POST /console/catalogue`: adds a product, or changes one.
pub(in crate::console) async fn save(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let code = code_of(locale, &form)?;
    let catalogue = present(&signed).await?;
    let present = catalogue.products.iter().find(|product| product.code == code);
    match present {
        // A form for a new product must not rename one that is here.
        Some(_) if form.get("new") == "yes" => return Err(refused(locale, 409, "code-taken").at("code")),
        Some(product) => form.must_be_as_seen(
            locale,
            &[
                ("zh", text(product.name_zh.as_ref()).to_owned()),
                ("en", text(product.name_en.as_ref()).to_owned()),
                ("tolerance", tolerance_text(product)),
            ],
        )?,
        None => {}
    }
    let prices = typed_prices(locale, &form, present)?;
    let odd = |(field, name, price): &TypedPrice| {
        present.and_then(|product| unusual_price(product, name, *price)).map(|odd| (field.clone(), odd))
    };
    must_be_confirmed(locale, &form, &prices.iter().filter_map(odd).collect::<Vec<_>>())?;
    let name = |field: &str| form.changed(field).map(|_| form.text(locale, field, TextField::ProductName)).transpose();
    let (zh, en) = (name("zh")?, name("en")?);
    let share = |typed: &str| match typed {
        "" => Ok(None),
        typed => moisture(locale, typed).map(Some).map_err(|refused| refused.at("tolerance")),
    };
    let tolerance = form.changed("tolerance").map(share).transpose()?;
    let to = address(&code);
    write(&signed, &form, move |doc| {
        catalogue::rename_product(doc, &code, zh.as_deref(), en.as_deref())?;
        match tolerance {
            Some(Some(share)) => catalogue::tolerate_surplus(doc, &code, share)?,
            Some(None) => catalogue::tolerate_usual_surplus(doc, &code)?,
            None => {}
        }
        prices.iter().try_for_each(|(_, name, fen)| catalogue::set_price(doc, &code, name, *fen))
    })
    .await?;
    Ok(Redirect::to(&to).into_response())
}

/// A price with the field that it was typed into, which may say an earlier day.
type TypedPrice = (String, PriceName, Fen);

/// The prices that a form changes or adds.
fn typed_prices(locale: Locale, form: &Form, present: Option<&Product>) -> Result<Vec<TypedPrice>, Refused> {
    let mut prices = Vec::new();
    for (name, _) in form.beginning("price:") {
        let field = format!("price:{name}");
        if form.changed(&field).is_some() {
            let name: PriceName = name.parse().map_err(|fault| unreadable(locale, &field, &fault))?;
            let name = since_when(locale, form, present, name).map_err(|refused| refused.at(&field))?;
            let price = typed_price(locale, form, &field)?;
            prices.push((field, name, price));
        }
    }
    if !form.get("new-price").is_empty() {
        let from = if form.get("new-day").is_empty() { None } else { Some(form.day(locale, "new-day")?) };
        let grade = form.get("new-grade").to_owned();
        let name = PriceName::new(grade, from).ok_or_else(|| refused(locale, 400, "grade-wrong").at("new-grade"))?;
        if present.is_some_and(|product| product.price_by_grade.contains_key(&name)) {
            return Err(refused(locale, 409, "price-taken").at("new-grade"));
        }
        prices.push(("new-price".to_owned(), name, typed_price(locale, form, "new-price")?));
    }
    Ok(prices)
}

/// The price that a changed one becomes: one from today on, so that what was received before keeps its price. A price that is to come,
/// one with several values, or one that is put right from its beginning on purpose, is changed itself.
fn since_when(locale: Locale, form: &Form, present: Option<&Product>, name: PriceName) -> Result<PriceName, Refused> {
    let today = today();
    let Some(product) = present else { return Ok(name) };
    let has_begun = name.from.is_none_or(|from| from < today);
    if !has_begun || form.get("since") == "beginning" || product.price_conflicts.contains_key(&name) {
        return Ok(name);
    }
    let of_today =
        PriceName::new(name.grade.clone(), Some(today)).ok_or_else(|| refused(locale, 400, "grade-wrong"))?;
    // Somebody else's of today, which this form's author did not see, stays beside hers.
    let holds = product.price_name_on(&name.grade, today);
    let is_unseen = holds == Some(&of_today) && !form.has(&format!("price:{of_today}"));
    if holds == Some(&name) || is_unseen { Ok(of_today) } else { Err(refused(locale, 400, "price-is-past")) }
}

async fn product_of(signed: &SignedIn, code: &str) -> Result<Product, Refused> {
    let found = present(signed).await?.products.into_iter().find(|product| product.code == code);
    found.ok_or_else(|| refused(signed.locale, 404, "not-found"))
}

/// `POST /console/catalogue/{code}/end`: no new lots of it from a day on, or again.
pub(in crate::console) async fn end(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let product = product_of(&signed, &code).await?;
    let day = ending_day(signed.locale, &form, product.ended)?;
    let to = address(&code);
    write(&signed, &form, move |doc| catalogue::end_product(doc, &code, day)).await?;
    Ok(Redirect::to(&to).into_response())
}

/// `POST /console/catalogue/{code}/price-end`: a price holds until a day, or on.
pub(in crate::console) async fn end_price(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let product = product_of(&signed, &code).await?;
    let name: PriceName = form.parsed(locale, "price")?;
    if !product.price_by_grade.contains_key(&name) {
        return Err(refused(locale, 404, "not-found"));
    }
    let day = ending_day(locale, &form, product.price_until.get(&name).copied())?;
    let to = address(&code);
    write(&signed, &form, move |doc| catalogue::end_price(doc, &code, &name, day)).await?;
    Ok(Redirect::to(&to).into_response())
}
