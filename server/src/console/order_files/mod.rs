//! Order files of shops' platforms: dropped, looked at, mapped, taken ([`preview`]); and those that were taken. What a file says, and
//! what is wrong with it, the domain tells; this page shows it.

mod bring;
mod preview;

pub(super) use bring::{FORM_BYTES_MAX, bring};
pub(super) use preview::{choose, drop_file, map, refused_rows, show as show_one, take};

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::quantities::Instant;
use granary_client_core::words::Words;
use maud::{Markup, html};
use serde::Deserialize;

use super::i18n::{Locale, grouped};
use super::names::Names;
use super::page::{Page, token};
use super::parts::{Column, Row, Table};
use super::refusal::Refused;
use super::signed_in::SignedIn;
use super::streams;
use crate::engine::{ImportFault, TakenFile};

const HERE: &str = "/console/orders/files";
/// The same, for whoever comes back to a file that waits no more.
const GONE: &str = "/console/orders/files?gone=1";
/// Files that were taken, on the page at most.
const TAKEN_SHOWN: usize = 100;

/// A file that was just brought: its name, and its id where it waits, or what is wrong with it.
type BroughtFile = (String, Result<String, String>);

/// Why the page is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Came {
    /// There when a file was looked for that waits no more.
    gone: Option<String>,
}

/// `GET /console/orders/files`
pub(super) async fn show(signed: SignedIn, Query(came): Query<Came>) -> Result<Response, Refused> {
    page(&signed, &[], came.gone.is_some()).await
}

async fn page(signed: &SignedIn, brought: &[BroughtFile], is_gone: bool) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(signed).await?;
    let now = crate::environment::now();
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.by());
    let (waiting, taken, profiles) = signed
        .work(move || {
            let waiting = granary.waiting_imports(&by, number, now);
            Ok((waiting, granary.imports(&by, number)?, granary.order_profiles()))
        })
        .await?;
    let faults = profiles.faults();
    let profiles: Vec<(&str, &str)> =
        profiles.all().iter().map(|profile| (profile.name.as_str(), profile.title.as_str())).collect();
    let main = html! {
        @if is_gone { p.error role="alert" { (ImportFault::Gone.words(locale.language)) } }
        @for (name, told) in brought { (said(locale, name, told)) }
        (form(signed, &profiles))
        @if !faults.is_empty() { section { h2 { (locale.t("order-file-profiles-wrong")) }
            p.small { (locale.t("order-file-profiles-wrong-help")) }
            ul.plain { @for (file, fault) in faults { li.error { code { (file) } "：" (fault.words(locale.language)) } } } } }
        @if !waiting.is_empty() { section { h2 { (locale.t("order-files-waiting")) }
            ul.plain { @for line in &waiting { li data-item {
                a href={ (HERE) "/" (line.id) } { (line.file_name) } " " span.small { (locale.moment(line.at)) } } } }
            p.small { (locale.t("order-files-waiting-help")) } } }
        section { h2 { (locale.t("order-files-taken")) }
            @if taken.is_empty() { p.empty { (locale.t("order-files-none")) } } @else { (history(&names, &taken)) } }
    };
    Ok(Page { title: locale.t("part-order-files"), part: "orders", main }.show(signed))
}

fn said(locale: Locale, name: &str, told: &Result<String, String>) -> Markup {
    html! { @match told {
        Ok(id) => p.notice { a href={ (HERE) "/" (id) } { (locale.with("order-file-look", &[("file", name.to_owned())])) } },
        Err(fault) => p.error role="alert" { (name) "：" (fault) },
    } }
}

/// Where files are dropped or chosen. The session's token goes first: a file of somebody else is not even read.
fn form(signed: &SignedIn, profiles: &[(&str, &str)]) -> Markup {
    let locale = signed.locale;
    html! {
        form.card method="post" action={ (HERE) "/bring" } enctype="multipart/form-data" data-drop {
            (token(signed))
            p { (locale.t("order-files-drop")) }
            label { (locale.t("order-file")) input type="file" name="file" required multiple accept=".csv,.txt,.xlsx,.xls,.htm,.html"; }
            details { summary { (locale.t("order-file-more")) }
                label { (locale.t("shop")) input type="text" name="shop" maxlength="32"; }
                label { (locale.t("order-file-profile"))
                    select name="profile" {
                        option value="" { (locale.t("order-file-profile-by-itself")) }
                        @for (name, title) in profiles { option value=(name) { (title) } }
                    }
                }
            }
            button { (locale.t("order-file-bring")) }
        }
    }
}

/// What became of a taken file, in few words.
fn outcome(locale: Locale, taken: &TakenFile) -> String {
    let count = |count: usize| grouped(count as u64);
    let values = [
        ("accepted", count(taken.accepted)),
        ("updated", count(taken.updated)),
        ("known", count(taken.known)),
        ("refused", count(taken.not_taken_count)),
    ];
    locale.with("order-file-outcome", &values)
}

/// The platform of a taken file; the profile's name where that profile is not known any more.
fn platform_of(taken: &TakenFile) -> &str {
    if taken.platform.is_empty() { &taken.profile } else { &taken.platform }
}

fn history(names: &Names, taken: &[TakenFile]) -> Markup {
    let locale = names.locale();
    let columns = vec![
        Column::text(locale.t("order-file")),
        Column::text(locale.t("order-file-taken-at")),
        Column::text(locale.t("who")),
        Column::text(locale.t("platform")),
        Column::text(locale.t("order-file-became")),
        Column::text(locale.t("note")),
    ];
    let rows = taken.iter().take(TAKEN_SHOWN).map(|file| {
        Row::of(vec![
            html! { (file.file_name) },
            html! { (locale.moment(Instant(file.at_millis))) },
            html! { (names.doer_name(&file.by)) },
            html! { (streams::shop(locale, platform_of(file), &file.shop)) },
            html! { (outcome(locale, file)) },
            html! {
                @if file.over > 0 { span.bad { (locale.with("order-file-over", &[("count", grouped(file.over as u64))])) } " " }
                @if file.refused_rows > 0 { (locale.with("order-file-refused-rows", &[("count", grouped(file.refused_rows as u64))])) }
                @for (order, field, code) in file.not_taken.iter().take(5) { div.small { (order) " · " (field) " · " (code) } }
            },
        ])
    });
    Table::of(locale.t("order-files-taken"), columns).show(rows.collect())
}
