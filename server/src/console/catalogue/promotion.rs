//! One promotion: its title and day, the offers that it makes, and its end.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::{Day, TextField};
use granary_client_core::schema::catalogue::{self, Promotion};
use maud::{Markup, html};

use super::{
    HERE, PROMOTIONS, code_of, ending, ending_day, present, price_text, seen, text, today, typed_price, write,
};
use crate::console::activity;
use crate::console::i18n::{Locale, money};
use crate::console::inputs::{AMOUNT, CODE, DAY, Inputs, REQUIRED};
use crate::console::names::Names;
use crate::console::page::Page;
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::{SignedIn, SignedInForm};

/// True for one that is still to come, or today, and stands.
pub(super) fn is_upcoming(promotion: &Promotion, today: Day) -> bool {
    promotion.stands_on(today) && promotion.day.is_none_or(|day| day >= today)
}

fn address(code: &str) -> String {
    format!("{PROMOTIONS}/{code}")
}

fn title(promotion: &Promotion) -> &str {
    promotion.title.as_deref().unwrap_or(&promotion.code)
}

fn state(locale: Locale, promotion: &Promotion, today: Day) -> Markup {
    html! { @match promotion.ended {
        Some(day) => span.mark { (locale.with("promotion-ended", &[("day", day.to_string())])) },
        None if is_upcoming(promotion, today) => (locale.t("promotion-upcoming")),
        None => (locale.t("promotion-over")),
    } }
}

/// A row for each.
pub(super) fn table(signed: &SignedIn, names: &Names, promotions: &[&Promotion], today: Day) -> Markup {
    let locale = signed.locale;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("promotions")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("promotion-title")) } th scope="col" { (locale.t("stream-day")) }
                    th scope="col" { (locale.t("offers")) } th scope="col" { (locale.t("state")) } } }
                tbody { @for promotion in promotions { tr {
                    td { a href=(address(&promotion.code)) { (title(promotion)) } }
                    td data-label=(locale.t("stream-day")) { (promotion.day.map(|day| day.to_string()).unwrap_or_default()) }
                    td data-label=(locale.t("offers")) { (offers(names, promotion, today)) }
                    td data-label=(locale.t("state")) { (state(locale, promotion, today)) }
                } } }
            }
        }
    }
}

fn offers(names: &Names, promotion: &Promotion, today: Day) -> String {
    let stands = |(code, _): &(&String, _)| promotion.offers_ended.get(*code).is_none_or(|ended| *ended > today);
    let offers = promotion.offers.iter().filter(stands);
    let offers: Vec<String> =
        offers.map(|(code, fen)| format!("{} {}", names.product(code), money(fen.get()))).collect();
    if offers.is_empty() { "—".to_owned() } else { offers.join(" · ") }
}

/// `GET /console/promotions/{code}`
pub(in crate::console) async fn show(signed: SignedIn, Path(code): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let found = names.catalogue.promotions.iter().find(|promotion| promotion.code == code);
    let promotion = found.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let (seen, today) = (seen(&signed).await?, today());
    let main = html! {
        p { a href=(HERE) { (locale.t("part-catalogue")) } " · " (state(locale, promotion, today)) }
        div.columns {
            section { (form(&signed, &names, Some(promotion), &seen)) }
            section { h2 { (locale.t("offers")) }
                @if promotion.offers.is_empty() { p.empty { (locale.t("no-offers")) } }
                @for product in promotion.offers.keys() {
                    @let ended = promotion.offers_ended.get(product).copied();
                    div.card {
                        p { (names.product(product))
                            @if let Some(day) = ended { " " span.mark { (locale.with("offer-ended", &[("day", day.to_string())])) } } }
                        (ending(&signed, &format!("{}/offer-end", address(&code)), &[("product", product)],
                            (ended, ["end-offer", "from-day", "take-up-again"])))
                    }
                }
            }
        }
        section { h2 { (locale.t("history")) } (activity::of_promotion(&signed, &code).await) }
        section { h2 { (locale.t("end-promotion")) }
            p.small { (locale.t("end-promotion-help")) }
            (ending(&signed, &format!("{}/end", address(&code)), &[("what", "promotion")],
                (promotion.ended, ["end-promotion", "from-day", "take-up-again"]))) }
    };
    Ok(Page { title: title(promotion).to_owned(), part: "catalogue", main }.show(&signed))
}

/// The form of one, or of a new one.
pub(super) fn form(signed: &SignedIn, names: &Names, promotion: Option<&Promotion>, seen: &str) -> Markup {
    let locale = signed.locale;
    let title = text(promotion.and_then(|promotion| promotion.title.as_ref()));
    let day = promotion.and_then(|promotion| promotion.day).map(|day| day.to_string()).unwrap_or_default();
    let form = match promotion {
        Some(promotion) => Inputs::of(signed, PROMOTIONS, &[("code", &promotion.code), ("new", "")]),
        None => Inputs::of(signed, PROMOTIONS, &[("new", "yes")]),
    };
    let today = today();
    let products = names.catalogue.products.iter().filter(|product| product.is_offered_on(today));
    let products = products.map(|product| (product.code.as_str(), names.product(&product.code)));
    html! {
        form.card method="post" action=(PROMOTIONS) {
            (form.hidden()) (form.seen("seen", seen))
            @if promotion.is_none() { label { (locale.t("code")) (form.empty("code", CODE)) } p.small { (locale.t("code-help")) } }
            label { (locale.t("promotion-title")) (form.field("title", title, REQUIRED)) }
            label { (locale.t("stream-day")) (form.field("day", &day, DAY.required())) }
            @for (code, fen) in promotion.into_iter().flat_map(|promotion| &promotion.offers) {
                label { (names.product(code)) " · " (locale.t("yuan-per-kg")) (form.field(&format!("offer:{code}"), &price_text(*fen), AMOUNT)) }
            }
            fieldset.row {
                legend { (locale.t("another-offer")) }
                label { (locale.t("product")) (form.select("new-product", "", std::iter::once(("", "—".to_owned())).chain(products))) }
                label { (locale.t("yuan-per-kg")) (form.empty("new-price", AMOUNT)) }
            }
            button { (locale.t(if promotion.is_some() { "save" } else { "add" })) }
        }
    }
}

/// `POST /console/promotions`: plans one, or changes one.
pub(in crate::console) async fn save(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let code = code_of(locale, &form)?;
    let catalogue = present(&signed).await?;
    let present = catalogue.promotions.iter().find(|promotion| promotion.code == code);
    match present {
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
    let new = form.get("new-product");
    // An offer that was taken back is made again by offering the product anew.
    let again = present.is_some_and(|promotion| promotion.offers_ended.contains_key(new)).then(|| new.to_owned());
    if !new.is_empty() {
        if again.is_none() && present.is_some_and(|promotion| promotion.offers.contains_key(new)) {
            return Err(refused(locale, 409, "offer-taken").at("new-product"));
        }
        offers.push((new.to_owned(), typed_price(locale, &form, "new-price")?));
    }
    let title = form.changed("title").map(|_| form.text(locale, "title", TextField::PromotionTitle)).transpose()?;
    let day = form.changed("day").map(|_| form.day(locale, "day")).transpose()?;
    let to = address(&code);
    write(&signed, &form, move |doc| {
        catalogue::replan_promotion(doc, &code, title.as_deref(), day)?;
        again.iter().try_for_each(|product| catalogue::end_offer(doc, &code, product, None))?;
        offers.iter().try_for_each(|(product, fen)| catalogue::offer(doc, &code, product, *fen))
    })
    .await?;
    Ok(Redirect::to(&to).into_response())
}

async fn promotion_of(signed: &SignedIn, code: &str) -> Result<Promotion, Refused> {
    let found = present(signed).await?.promotions.into_iter().find(|promotion| promotion.code == code);
    found.ok_or_else(|| refused(signed.locale, 404, "not-found"))
}

/// `POST /console/promotions/{code}/end`: calls it off, or lets it stand again.
pub(in crate::console) async fn end(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let promotion = promotion_of(&signed, &code).await?;
    let day = ending_day(signed.locale, &form, promotion.ended)?;
    let to = address(&code);
    write(&signed, &form, move |doc| catalogue::end_promotion(doc, &code, day)).await?;
    Ok(Redirect::to(&to).into_response())
}

/// `POST /console/promotions/{code}/offer-end`: takes an offer back, or makes it again.
pub(in crate::console) async fn end_offer(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let promotion = promotion_of(&signed, &code).await?;
    let product = form.get("product").to_owned();
    if !promotion.offers.contains_key(&product) {
        return Err(refused(locale, 404, "not-found"));
    }
    let day = ending_day(locale, &form, promotion.offers_ended.get(&product).copied())?;
    let to = address(&code);
    write(&signed, &form, move |doc| catalogue::end_offer(doc, &code, &product, day)).await?;
    Ok(Redirect::to(&to).into_response())
}
