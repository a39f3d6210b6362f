//! The table of phones: on the page of phones, and on its household's.

use std::collections::BTreeMap;

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use maud::{Markup, html};

use super::Phone;
use super::actions::{VILLAGES, in_one_word};
use crate::console::i18n::grouped;
use crate::console::inputs::{Inputs, erases_name, sure};
use crate::console::names::Names;
use crate::console::page::token;
use crate::console::parts::{Column, Row, Sorted, Table};
use crate::console::signed_in::SignedIn;

/// The table of phones; `with_whose` where they are of several households.
pub(in crate::console) fn table<'a>(
    signed: &SignedIn,
    names: &Names,
    phones: impl IntoIterator<Item = &'a Phone>,
    set_aside: &BTreeMap<DeviceId, u64>,
    sorted: Option<Sorted<'_>>,
) -> Markup {
    let locale = signed.locale;
    let with_whose = sorted.is_some();
    let whose_column = with_whose.then(|| Column::text(locale.t("phone-whose")).sorts("whose", false));
    let others = [
        Column::text(locale.t("phone")),
        Column::text(locale.t("last-heard")).sorts("silent", false),
        Column::text(locale.t("version")),
        Column::number(locale.t("waiting")).sorts("unsent", true),
        Column::number(locale.t("part-set-aside")).sorts("aside", true),
        Column::actions(locale.t("actions")),
    ];
    let table = Table::of(locale.t("part-phones"), whose_column.into_iter().chain(others).collect());
    let table = match sorted {
        Some(sorted) => table.sorted(sorted),
        None => table,
    };
    let row = |phone: &Phone| {
        let whose = with_whose.then(|| whose(signed, names, phone));
        let aside = set_aside.get(&phone.id).copied().unwrap_or(0);
        let cells = whose.into_iter().chain(cells(signed, names, phone, aside)).collect();
        Row::of(cells).with_id(format!("p-{}", phone.id)).ended(!phone.is_active())
    };
    table.show(phones.into_iter().map(row).collect())
}

fn cells(signed: &SignedIn, names: &Names, phone: &Phone, set_aside: u64) -> [Markup; 6] {
    let locale = signed.locale;
    let seen = phone.seen.as_ref();
    let is_shared = signed.granary.has_used_share(&signed.cooperative, phone.id, crate::environment::now());
    [
        html! {
            (names.device(phone.id))
            @if seen.is_some_and(|seen| seen.is_forked) { " " span.mark { (locale.t("phone-forked")) } }
            @if is_shared { " " span.mark { (locale.t("phone-share-used")) } }
            @if !phone.is_active() { " " span.mark { (locale.t("revoked")) } }
            " " a.small href={ "/console/activity?thing=" (phone.id) } { (locale.t("history")) }
        },
        html! { (seen.map_or_else(|| locale.t("never-heard"), |seen| locale.moment(Instant(seen.at_millis)))) },
        html! { (seen.map(|seen| seen.version.as_str()).filter(|version| !version.is_empty()).unwrap_or("—")) },
        html! { (seen.map_or_else(|| "—".to_owned(), |seen| grouped(u64::from(seen.unsent)))) },
        html! { @if set_aside > 0 { a href="/console/set-aside" { (grouped(set_aside)) } } @else { "0" } },
        actions(signed, phone),
    ]
}

/// The household that a phone is of, or what else it is and of which person.
fn whose(signed: &SignedIn, names: &Names, phone: &Phone) -> Markup {
    let person = phone.record.person.and_then(|person| signed.cooperative.device(person));
    html! {
        @if let Some(household) = phone.household() {
            a href={ "/console/households/" (household) } { (names.household_of(household)) }
        } @else {
            @for role in phone.record.last_roles() { (names.role(&role)) " " }
            @if !phone.record.recorder.villages.is_empty() {
                span.small { (names.records_for(&phone.record.recorder.villages)) }
                @if phone.is_active() { (villages_form(signed, names, phone)) }
            }
        }
        @if let Some(person) = person { " " span.small { (signed.locale.with("phone-of", &[("name", person.name)])) } }
    }
}

/// The form with a recorder's villages.
fn villages_form(signed: &SignedIn, names: &Names, phone: &Phone) -> Markup {
    let (locale, id, own) = (signed.locale, phone.id.to_string(), &phone.record.recorder.villages);
    let form = Inputs::of(signed, VILLAGES, &[("device", &id)]);
    html! {
        details open[form.was_refused()] { summary { (locale.t("recorder-villages-change")) }
            form.inline method="post" action=(VILLAGES) {
                (form.hidden()) (form.was("villages", &in_one_word(own)))
                @for (code, name) in names.all_villages() {
                    label.check { input type="checkbox" name="village" value=(code) checked[own.contains(&code)]; " " (name) } }
                button { (locale.t("save")) }
            }
        }
    }
}

fn actions(signed: &SignedIn, phone: &Phone) -> Markup {
    let locale = signed.locale;
    html! {
        @if phone.is_active() {
            details { summary { (locale.t("revoke")) }
                form.inline method="post" action="/console/phones/revoke" {
                    (token(signed)) input type="hidden" name="device" value=(phone.id);
                    (erases_name(locale)) (sure(locale))
                    button.danger { (locale.t("revoke")) }
                }
            }
        } @else {
            details { summary { (locale.t("phone-take-back")) }
                form.inline method="post" action="/console/phones/take-back" {
                    (token(signed)) input type="hidden" name="device" value=(phone.id);
                    (sure(locale))
                    button { (locale.t("phone-take-back")) }
                }
            }
        }
    }
}
