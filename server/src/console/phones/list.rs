//! The list of phones: searched, filtered, sorted, paged.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::ids::DeviceId;
use granary_client_core::schema::access::Role;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Phone, table};
use crate::console::forms::query_string;
use crate::console::i18n::grouped;
use crate::console::inputs::Inputs;
use crate::console::names::Names;
use crate::console::page::{Page, paging};
use crate::console::parts::{Sorted, empty};
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;

const PER_PAGE: usize = 60;
const DAY_MILLIS: i64 = 86_400_000;
/// Days of silence that the list filters by.
const SILENT_DAYS: [u16; 4] = [2, 3, 7, 30];
const SORTS: [&str; 5] = ["whose", "silent", "unsent", "aside", "enrolled"];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct PhonesQuery {
    search: String,
    role: String,
    /// Not heard of for so many days.
    silent: String,
    /// `revoked` or `all`; those that belong where it says nothing.
    state: String,
    sort: String,
    way: String,
    page: String,
}

/// A phone with the words that it is found by.
struct Entry {
    phone: Phone,
    whose: String,
    words: String,
}

impl PhonesQuery {
    fn passes(&self, entry: &Entry, now_millis: i64) -> bool {
        let Entry { phone, words, .. } = entry;
        let in_state = match self.state.as_str() {
            "all" => true,
            "revoked" => !phone.is_active(),
            _ => phone.is_active(),
        };
        let in_role = self.role.is_empty() || phone.record.roles().contains(&self.role.as_str());
        let is_silent = self.silent.parse::<u16>().map_or(true, |days| {
            let since = now_millis.saturating_sub(i64::from(days).saturating_mul(DAY_MILLIS));
            phone.seen.as_ref().is_none_or(|seen| seen.at_millis < since)
        });
        let search = self.search.trim().to_lowercase();
        in_state && in_role && is_silent && search.split_whitespace().all(|word| words.contains(word))
    }

    fn sort(&self, entries: &mut [Entry], set_aside: &BTreeMap<DeviceId, u64>) {
        match self.sort.as_str() {
            "aside" => entries.sort_by_key(|entry| Reverse(set_aside.get(&entry.phone.id).copied())),
            // Those that were never heard of before all others.
            "silent" => entries.sort_by_key(|entry| entry.phone.seen.as_ref().map_or(0, |seen| seen.at_millis)),
            "unsent" => entries.sort_by_key(|entry| Reverse(entry.phone.seen.as_ref().map_or(0, |seen| seen.unsent))),
            "enrolled" => entries.sort_by_key(|entry| Reverse(entry.phone.record.enrolled_millis)),
            _ => entries.sort_by(|one, other| (&one.whose, one.phone.id).cmp(&(&other.whose, other.phone.id))),
        }
        if self.way == "back" {
            entries.reverse();
        }
    }

    /// The list's address with its filters, and with its order where that is asked for.
    fn address(&self, with_order: bool) -> String {
        let mut fields =
            vec![("search", &self.search), ("role", &self.role), ("silent", &self.silent), ("state", &self.state)];
        if with_order {
            fields.extend([("sort", &self.sort), ("way", &self.way)]);
        }
        let fields: Vec<(&str, &str)> = fields.into_iter().map(|(name, value)| (name, value.as_str())).collect();
        format!("/console/phones?{}", query_string(&fields))
    }
}

/// All phones, with what they are found by: their household, its village and id, their person, their own name.
fn entries(signed: &SignedIn, names: &Names) -> Vec<Entry> {
    let devices = signed.cooperative.devices().into_iter().filter(|(_, record, _)| !record.is_of_the_server());
    let phones = devices.map(|(id, record, seen)| Phone { id, record, seen });
    let entry = |phone: Phone| {
        let roles = phone.record.last_roles();
        let whose = match phone.household() {
            Some(household) => names.household_of(household),
            None => roles.iter().map(|role| names.role(role)).collect::<Vec<_>>().join(", "),
        };
        let ids = roles.iter().map(|role| match role {
            Role::Household(household) => format!("{} {household}", names.village_of_household(*household)),
            other => other.to_string(),
        });
        let person = phone.record.person.and_then(|person| signed.cooperative.device(person)).map(|record| record.name);
        let words = [whose.clone(), names.device(phone.id), phone.id.to_string(), person.unwrap_or_default()];
        let villages = phone.record.recorder.villages.iter().map(|village| names.village(village));
        let words = words.into_iter().chain(ids).chain(villages).collect::<Vec<_>>().join("\n").to_lowercase();
        Entry { phone, whose, words }
    };
    phones.map(entry).collect()
}

/// `GET /console/phones`
pub(in crate::console) async fn show(signed: SignedIn, Query(query): Query<PhonesQuery>) -> Result<Response, Refused> {
    let (locale, now) = (signed.locale, crate::environment::now());
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let set_aside = signed.work(move || granary.set_aside_by_device(number)).await?;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let mut found = entries(&signed, &names);
    let is_empty = found.is_empty();
    found.retain(|entry| query.passes(entry, now.0));
    query.sort(&mut found, &set_aside);
    let page = query.page.parse::<usize>().unwrap_or(1).clamp(1, 10_000);
    let shown = || found.iter().skip(page.saturating_sub(1).saturating_mul(PER_PAGE)).take(PER_PAGE);
    let aside: u64 = set_aside.values().fold(0, |sum, count| sum.saturating_add(*count));
    let by = SORTS.into_iter().find(|sort| *sort == query.sort).unwrap_or("whose");
    let sorted = Sorted { by, is_reversed: query.way == "back", address: query.address(false) };
    let main = html! {
        p { a href="/console/coordinators" { (locale.t("coordinators")) } " · "
            a href="/console/invitations" { (locale.t("invitations")) } " · "
            a href="/console/set-aside" { (locale.with("set-aside-link", &[("count", grouped(aside))])) } }
        (filters(&signed, &query))
        p { (locale.with("phones-found", &[("count", grouped(found.len() as u64))])) }
        @if is_empty { (empty(locale.t("no-phones"), &[("/console/households", locale.t("part-households")), ("#invite", locale.t("invite-staff"))])) }
        @else if found.is_empty() { (empty(locale.t("no-phone-fits"), &[("/console/phones", locale.t("show-all"))])) }
        @else { (table(&signed, &names, shown().map(|entry| &entry.phone), &set_aside, Some(sorted))) }
        (paging(locale, &query.address(true), page as u64, PER_PAGE as u64, found.len() as u64))
        (invite_form(&signed).await?)
    };
    Ok(Page { title: locale.t("part-phones"), part: "phones", main }.show(&signed))
}

fn filters(signed: &SignedIn, query: &PhonesQuery) -> Markup {
    let locale = signed.locale;
    html! {
        form.filters method="get" action="/console/phones" aria-label=(locale.t("filter")) {
            label { (locale.t("search")) input name="search" value=(query.search) placeholder=(locale.t("search-phones-hint")); }
            label { (locale.t("role")) select name="role" {
                option value="" { (locale.t("all")) }
                @for role in ["household", "packer", "recorder", "coordinator"] { option value=(role) selected[role == query.role] { (locale.of("role", role)) } }
            } }
            label { (locale.t("phone-silent")) select name="silent" {
                option value="" { (locale.t("all")) }
                @for days in SILENT_DAYS { option value=(days) selected[days.to_string() == query.silent] {
                    (locale.with("phone-silent-days", &[("days", days.to_string())])) } }
            } }
            label { (locale.t("state")) select name="state" {
                @for (state, word) in [("", "phones-active"), ("revoked", "phones-revoked"), ("all", "all")] {
                    option value=(state) selected[state == query.state] { (locale.t(word)) } }
            } }
            label { (locale.t("sort")) select name="sort" {
                @for sort in SORTS { option value=(sort) selected[sort == query.sort] { (locale.of("phones-sort", sort)) } }
            } }
            button { (locale.t("show")) }
        }
    }
}

async fn invite_form(signed: &SignedIn) -> Result<Markup, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let people = signed.work(move || Ok(granary.coordinators(number)?.0)).await?;
    let invite = Inputs::of(signed, "/console/phones/invite", &[]);
    let villages = Names::of(signed).await?.all_villages();
    let roles = ["packer", "recorder", "coordinator"].map(|role| (role, locale.of("role", role)));
    let active = people.iter().filter(|line| line.denied.is_none());
    let nobody = std::iter::once(("", locale.t("nobody")));
    let persons = nobody.chain(active.map(|line| (line.login.as_str(), line.name.clone())));
    Ok(html! {
        h2 #invite { (locale.t("invite-staff")) }
        form.card method="post" action="/console/phones/invite" {
            (invite.hidden())
            label { (locale.t("role")) (invite.select("role", "packer", roles)) }
            label { (locale.t("whose-phone")) (invite.select("person", "", persons)) }
            p.small { (locale.t("whose-phone-help")) }
            fieldset { legend { (locale.t("recorder-villages")) }
                @if villages.is_empty() { p.small { (locale.t("recorder-no-villages")) } }
                @for (code, name) in &villages {
                    label.check { input type="checkbox" name="village" value=(code); " " (name) } }
                p.small { (locale.t("recorder-villages-help")) } }
            button { (locale.t("invite")) }
        }
    })
}
