//! The search for everything: households by name, pinyin or its initials, products, lots by number, orders. Several words must
//! all fit; a household and a product together find that household's lots of it.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{LotFilter, LotRow};
use granary_client_core::schema::{LotName, OrderName};
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::encode;
use super::harvests;
use super::names::Names;
use super::page::Page;
use super::parts::{Column, Row, Table, empty};
use super::refusal::Refused;
use super::signed_in::SignedIn;
use super::spelled::{Spelled, members_of};

/// Letters of a question that are read.
const LETTERS_MAX: usize = 80;
/// Words that are read.
const WORDS_MAX: usize = 6;
/// Letters of an id's end that are enough.
const ID_END: usize = 6;
/// Shown of each kind at most.
const SHOWN: usize = 30;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SearchQuery {
    q: String,
}

/// The words of a question, in small letters.
fn words_of(question: &str) -> Vec<String> {
    let short: String = question.chars().take(LETTERS_MAX).collect();
    short.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect()
}

/// Those whose name or other texts fit every word that is left.
fn fitting<'a, T>(all: &'a [T], words: &[&str], spell: impl Fn(&T) -> Vec<Spelled>) -> Vec<&'a T> {
    if words.is_empty() {
        return Vec::new();
    }
    let fits = |one: &&T| {
        let spelled = spell(one);
        words.iter().all(|word| spelled.iter().any(|spelled| spelled.fits(word)))
    };
    all.iter().filter(fits).collect()
}

struct Found {
    households: Vec<(HouseholdId, String, String)>,
    products: Vec<(String, String)>,
    /// The lot of a number, or those of a household and a product that were both named.
    lots: Vec<LotRow>,
    orders: Vec<OrderName>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.households.is_empty() && self.products.is_empty() && self.lots.is_empty() && self.orders.is_empty()
    }
}

async fn find(signed: &SignedIn, names: &Names, question: &str) -> Result<Found, Refused> {
    let words = words_of(question);
    let products: Vec<(String, String)> =
        names.catalogue.products.iter().map(|product| (product.code.clone(), names.product(&product.code))).collect();
    let spell_product = |(code, name): &(String, String)| {
        let product = names.catalogue.products.iter().find(|product| product.code == *code);
        let others = product.into_iter().flat_map(|product| [&product.name_zh, &product.name_en]).flatten();
        others.map(|name| Spelled::of(name)).chain([Spelled::of(code), Spelled::of(name)]).collect()
    };
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    // A word that names a product may be beside one that names a household.
    let (of_products, of_people): (Vec<&str>, Vec<&str>) =
        all.iter().partition(|word| !fitting(&products, &[**word], spell_product).is_empty());
    let people = names.households();
    let villages: BTreeMap<String, String> = names.villages().clone();
    let members: BTreeMap<HouseholdId, String> =
        signed.read(|models| models.household_members()).await?.into_iter().collect();
    let spell_household = |(id, name, village): &(HouseholdId, String, String)| {
        let members = members.get(id).into_iter().flat_map(|names| members_of(names));
        let called = [name.as_str(), villages.get(village).unwrap_or(village)].into_iter().chain(members);
        called.map(Spelled::of).collect()
    };
    // The end of an id, as lists show it where two have one name.
    let ends =
        |id: &HouseholdId| matches!(all.as_slice(), [end] if end.len() >= ID_END && id.to_string().ends_with(*end));
    let by_id: Vec<_> = people.iter().filter(|(id, ..)| ends(id)).cloned().collect();
    let mut households: Vec<_> = fitting(&people, &all, spell_household).into_iter().cloned().collect();
    households.extend(by_id);
    let mut found_products: Vec<_> = fitting(&products, &all, spell_product).into_iter().cloned().collect();
    let mut wanted = Vec::new();
    if households.is_empty() && !of_people.is_empty() && !of_products.is_empty() {
        households = fitting(&people, &of_people, spell_household).into_iter().cloned().collect();
        found_products = fitting(&products, &of_products, spell_product).into_iter().cloned().collect();
        for (household, ..) in households.iter().take(SHOWN) {
            let of = |(code, _): &(String, String)| (*household, code.clone());
            wanted.extend(found_products.iter().map(of));
        }
    }
    let text = question.trim().chars().take(LETTERS_MAX).collect::<String>();
    let name = text.parse::<LotName>().ok();
    let (lots, orders) = signed
        .read(move |models| {
            let mut lots = match &name {
                Some(name) => models.lots_named(name)?,
                None => Vec::new(),
            };
            for (household, product) in wanted.into_iter().take(SHOWN) {
                let limit = u32::try_from(SHOWN).unwrap_or(30);
                let of =
                    LotFilter { household: Some(household), product: Some(product), limit, ..LotFilter::default() };
                lots.extend(models.lots(&of)?);
            }
            let orders = match text.chars().count() {
                0..3 => Vec::new(),
                _ => models.orders_numbered(&text, u32::try_from(SHOWN).unwrap_or(30))?,
            };
            Ok((lots, orders))
        })
        .await?;
    households.sort_by(|one, other| one.1.cmp(&other.1));
    Ok(Found { households, products: found_products, lots, orders })
}

/// `GET /console/search`: what alone was found is opened at once.
pub(super) async fn show(signed: SignedIn, Query(query): Query<SearchQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let found = find(&signed, &names, &query.q).await?;
    let only = (found.households.len(), found.products.len(), found.lots.len(), found.orders.len());
    match only {
        (1, 0, 0, 0) => {
            if let Some((household, ..)) = found.households.first() {
                return Ok(Redirect::to(&format!("/console/households/{household}")).into_response());
            }
        }
        (0, 0, 1, 0) => {
            if let Some(row) = found.lots.first() {
                return Ok(Redirect::to(&format!("/console/lots/{}", row.lot.in_full())).into_response());
            }
        }
        _ => {}
    }
    let main = html! {
        form.filters method="get" action="/console/search" {
            label { (locale.t("find")) input type="search" name="q" value=(query.q) autofocus; }
            button { (locale.t("show")) }
        }
        @if query.q.trim().is_empty() { p.small { (locale.t("find-help")) } }
        @else if found.is_empty() { (empty(locale.with("nothing-found", &[("question", query.q.clone())]), &[
            ("/console/households", locale.t("part-households")), ("/console/harvests", locale.t("part-harvests")), ("/console/orders", locale.t("part-orders"))])) }
        @else { (results(&signed, &names, &found)) }
    };
    Ok(Page { title: locale.t("find"), part: "search", main }.show(&signed))
}

fn results(signed: &SignedIn, names: &Names, found: &Found) -> Markup {
    let locale = signed.locale;
    html! {
        @if !found.lots.is_empty() { section { h2 { (locale.t("lots")) } (harvests::table(signed, names, &found.lots, None)) } }
        @if !found.households.is_empty() { section {
            h2 { (locale.t("part-households")) }
            @let table = Table::of(locale.t("part-households"), vec![Column::text(locale.t("household")), Column::text(locale.t("village")), Column::actions(locale.t("lots"))]);
            (table.show(found.households.iter().take(SHOWN).map(|(id, _, village)| Row::of(vec![
                html! { a href={ "/console/households/" (id) } { (names.household_of(*id)) } },
                html! { (names.village(village)) },
                html! { a href={ "/console/harvests?household=" (id) } { (locale.t("lots-of-household")) } },
            ])).collect()))
            @if found.households.len() > SHOWN { p { (locale.with("set-aside-more", &[("count", (found.households.len().saturating_sub(SHOWN)).to_string())])) } }
        } }
        @if !found.products.is_empty() { section { h2 { (locale.t("products")) }
            ul { @for (code, name) in &found.products { li {
                a href={ "/console/harvests?product=" (encode(code)) } { (name) } " · " a href="/console/catalogue" { (locale.t("part-catalogue")) } } } } } }
        @if !found.orders.is_empty() { section { h2 { (locale.t("part-orders")) }
            ul { @for order in &found.orders { li { a href=(super::orders::address(order)) { (super::streams::platform(locale, &order.platform)) " " (order.outside_id) } } } } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_bounded() {
        assert_eq!(words_of("  樊秀英  小米 "), ["樊秀英", "小米"]);
        assert_eq!(words_of(&"a ".repeat(500)).len(), WORDS_MAX);
    }
}
