//! One file that waits: what was found, what is refused and why, what nobody knows yet; then it is taken, which goes on by itself where
//! the file is large.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use granary_client_core::words::Words;
use maud::{Markup, html};

use super::{GONE, HERE, outcome};
use crate::console::catalogue::skus;
use crate::console::i18n::{Locale, grouped, money};
use crate::console::inputs::Inputs;
use crate::console::names::Names;
use crate::console::page::Page;
use crate::console::parts::{Column, Row, Table};
use crate::console::refusal::{Refused, refuse, refused, refused_with};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::console::streams;
use crate::engine::{Import, ImportFault};
use crate::error::Error;
use crate::imports::Preview;

/// Numbers of rows that are named of one reason; the file of refused rows has them all.
const ROWS_NAMED: usize = 30;
/// Codes and names in the form that maps them, at most.
const UNMAPPED_SHOWN: usize = 50;
/// Titles that are shown of one code.
const TITLES_NAMED: usize = 3;
/// So long a form waits for the file to be taken; then its page tells how far it is.
const TAKE_WAIT: Duration = Duration::from_secs(2);
/// Seconds after which the page of a file that is being taken is asked for again.
const EVERY_SECONDS: u32 = 2;

async fn find(signed: &SignedIn, id: &str) -> Result<Option<Import>, Refused> {
    let (granary, number, id, by) = (signed.granary.clone(), signed.cooperative.number(), id.to_owned(), signed.by());
    let look = move || granary.waiting_import(&by, number, &id, crate::environment::now());
    let looked_at = tokio::task::spawn_blocking(look).await;
    match looked_at {
        Ok(Ok(import)) => Ok(Some(import)),
        Ok(Err(Error::Import(ImportFault::Gone))) => Ok(None),
        Ok(Err(error)) => Err(refuse(signed.locale, &error)),
        Err(error) => Err(refuse(signed.locale, &Error::WorkFailed { reason: error.to_string() })),
    }
}

fn address(id: &str) -> String {
    format!("{HERE}/{id}")
}

/// `GET /console/orders/files/{id}`
pub(in crate::console) async fn show(signed: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (by, number) = (signed.by(), signed.cooperative.number());
    let line = signed.granary.import_line(&by, number, &id, crate::environment::now());
    if let Some((done, of)) = line.as_ref().and_then(|line| line.progress) {
        return Ok(being_taken(&signed, done, of));
    }
    let fitting = fitting(&signed, &id).await?;
    if !fitting.is_empty() {
        let file = line.map(|line| line.file_name).unwrap_or_default();
        return Ok(which_profile(&signed, (&id, &file), &fitting));
    }
    let Some(import) = find(&signed, &id).await? else {
        let granary = signed.granary.clone();
        let taken = signed.work(move || granary.taken_import(&by, number, &id)).await?;
        return Ok(Redirect::to(if taken.is_some() { HERE } else { GONE }).into_response());
    };
    let names = Names::of(&signed).await?;
    let preview = &import.preview;
    let main = html! {
        p { strong { (profile(&signed, preview)) } " · " (streams::shop(locale, &preview.platform, &import.line.shop))
            @if let Some(partner) = &import.partner { " · " (locale.with("order-file-with", &[("file", partner.clone())])) } }
        @if let Some(other) = preview.lines_in.as_ref().or(preview.orders_in.as_ref()).filter(|_| import.partner.is_none()) {
            p.notice { (locale.with("order-file-one-of-two", &[("other", other.clone())])) } }
        @if let Some(taken) = &import.taken {
            p.notice role="status" { (locale.with("order-file-taken", &[("time", locale.moment(Instant(taken.at_millis)))])) " " (outcome(locale, taken)) } }
        (sums(locale, preview))
        (unmapped(&signed, &names, &import))
        @if import.taken.is_none() { (take_form(&signed, &import)) }
        (reasons(locale, &import))
        (drop_form(&signed, &id, import.taken.is_some()))
    };
    // Of a pair it is the file that was opened, not the one that comes first.
    Ok(Page { title: import.line.file_name.clone(), part: "orders", main }.show(&signed))
}

/// The profiles that a file fits, where it fits several.
async fn fitting(signed: &SignedIn, id: &str) -> Result<Vec<String>, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.by());
    let id = id.to_owned();
    signed.work(move || Ok(granary.fitting_profiles(&by, number, &id, crate::environment::now()))).await
}

/// The page of a file that fits several profiles: somebody says which it is.
fn which_profile(signed: &SignedIn, (id, file): (&str, &str), fitting: &[String]) -> Response {
    let locale = signed.locale;
    let profiles = signed.granary.order_profiles();
    let action = format!("{}/profile", address(id));
    let main = html! {
        p { strong { (file) } }
        p.notice { (locale.t("order-file-unclear")) }
        @for name in fitting {
            @let title = profiles.all().iter().find(|profile| profile.name == *name).map_or(name, |profile| &profile.title);
            @let inputs = Inputs::of(signed, &action, &[("profile", name)]);
            form.card method="post" action=(action) data-item {
                (inputs.hidden()) p { strong { (title) } " " span.small { (name) } }
                button { (locale.t("order-file-is-this")) }
            }
        }
        (drop_form(signed, id, false))
    };
    Page { title: locale.t("order-file-which"), part: "orders", main }.show(signed)
}

/// `POST /console/orders/files/{id}/profile`: says which of the profiles that it fits a file is of.
pub(in crate::console) async fn choose(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.by());
    let profile = form.get("profile").to_owned();
    let choose = move || granary.choose_profile(&by, number, (&id, &profile), crate::environment::now());
    let id = signed.work(choose).await?;
    Ok(Redirect::to(&address(&id)).into_response())
}

/// What the export is called.
fn profile(signed: &SignedIn, preview: &Preview) -> String {
    let profiles = signed.granary.order_profiles();
    let found = profiles.all().iter().find(|profile| profile.name == preview.profile);
    found.map_or_else(|| preview.profile.clone(), |profile| profile.title.clone())
}

fn being_taken(signed: &SignedIn, done: usize, of: usize) -> Response {
    let locale = signed.locale;
    let values = [("done", grouped(done as u64)), ("of", grouped(of as u64))];
    let main = html! {
        div #taking data-part="taking" data-every=(EVERY_SECONDS) {
            p { (locale.with("order-file-taking", &values)) }
            progress max=(of.max(1)) value=(done) aria-label=(locale.t("order-file-taking-short")) {}
        }
        p.small { (locale.t("order-file-taking-help")) }
    };
    Page { title: locale.t("order-file-taking-short"), part: "orders", main }.show_anew(signed, Some(EVERY_SECONDS))
}

fn sums(locale: Locale, preview: &Preview) -> Markup {
    let sums = preview.sums();
    let tile =
        |name: &str, figure: String| html! { div.tile { span.name { (locale.t(name)) } span.figure { (figure) } } };
    let fen = i64::try_from(sums.total_fen).unwrap_or(i64::MAX);
    html! {
        div.figures {
            (tile("order-file-records", grouped(u64::from(preview.records))))
            (tile("part-orders", grouped(preview.orders.len() as u64)))
            (tile("order-lines", grouped(sums.lines as u64)))
            (tile("order-file-packs", grouped(sums.packs)))
            (tile("stream-fen", money(fen)))
            (tile("order-file-to-pack", grouped(sums.to_pack as u64)))
        }
        p.small { (locale.t("order-lines")) ": "
            @for (place, (state, count)) in sums.by_state.iter().enumerate() {
                @if place > 0 { " · " } (locale.of("told", &state.code().replace('_', "-"))) " " (grouped(*count as u64)) }
            @if sums.gifts > 0 { " · " (locale.t("order-gift")) " " (grouped(sums.gifts as u64)) }
            @if sums.sealed_orders > 0 { " · " (locale.with("order-file-sealed", &[("count", grouped(sums.sealed_orders as u64))])) }
            @if preview.changed_rows > 0 { " · " (locale.with("order-file-changed", &[("count", grouped(u64::from(preview.changed_rows)))])) }
        }
        p.small { (locale.with("order-file-told", &[("time", locale.moment(preview.told_at))])) }
    }
}

/// What a file says of a code or name that nobody knows.
#[derive(Default)]
struct Unmapped<'a> {
    /// What the shop calls the goods of a code, which says little by itself.
    titles: BTreeSet<&'a str>,
    rows: Vec<u32>,
}

/// The codes and names that nobody knows yet, each with the form that says which pack it is, once for all.
fn unmapped(signed: &SignedIn, names: &Names, import: &Import) -> Markup {
    let locale = signed.locale;
    let mut unknown: BTreeMap<(&str, &str), Unmapped<'_>> = BTreeMap::new();
    for line in import.preview.unmapped() {
        let name = if line.code.is_empty() { line.title.as_str() } else { "" };
        let Unmapped { titles, rows } = unknown.entry((line.code.as_str(), name)).or_default();
        titles.extend(Some(line.title.as_str()).filter(|title| !title.is_empty() && name.is_empty()));
        rows.push(line.record);
    }
    let action = format!("{}/map", address(&import.line.id));
    html! {
        @if !unknown.is_empty() {
            section #unmapped tabindex="-1" { h2 { (locale.with("order-file-unmapped", &[("count", grouped(unknown.len() as u64))])) }
                p.small { (locale.t("order-file-unmapped-help"))
                    @if import.taken.is_none() { " " (locale.t("order-file-unmapped-later")) }
                    " " a href="/console/catalogue" { (locale.t("order-file-unmapped-new")) } }
                @if names.catalogue.skus.is_empty() { p.notice { (locale.t("stream-no-skus")) " " a href="/console/catalogue" { (locale.t("part-catalogue")) } } }
                @for ((code, name), Unmapped { titles, rows }) in unknown.iter().take(UNMAPPED_SHOWN) {
                    @let form = Inputs::of(signed, &action, &[("shop-code", code), ("shop-name", name)]);
                    form.card method="post" action=(action) data-item tabindex="-1" {
                        (form.hidden())
                        p { strong { (code) (name) }
                            @for title in titles.iter().take(TITLES_NAMED) { " " (title) }
                            " " span.small { (locale.with("order-file-in-rows", &[("rows", numbers(rows))])) } }
                        label { (locale.t("sku")) (form.select("sku", "", skus::choices(names))) }
                        button data-do { (locale.t("order-map")) }
                    }
                }
            }
        }
    }
}

fn take_form(signed: &SignedIn, import: &Import) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/take", address(&import.line.id));
    let form = Inputs::of(signed, &action, &[]);
    let orders = import.preview.orders.len();
    html! {
        form.card method="post" action=(action) {
            (form.hidden())
            @if orders == 0 { p { (locale.t("order-file-nothing")) } }
            @else {
                @if !import.preview.refused.is_empty() { p.small { (locale.t("order-file-take-help")) } }
                button { (locale.with("order-file-take", &[("count", grouped(orders as u64))])) }
            }
        }
    }
}

fn drop_form(signed: &SignedIn, id: &str, was_taken: bool) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/drop", address(id));
    let form = Inputs::of(signed, &action, &[]);
    let word = if was_taken { "order-file-put-away" } else { "order-file-drop" };
    html! { form.inline method="post" action=(action) { (form.hidden()) button.quiet { (locale.t(word)) } } }
}

fn numbers(rows: &[u32]) -> String {
    let named: Vec<String> = rows.iter().take(ROWS_NAMED).map(u32::to_string).collect();
    let more = rows.len().saturating_sub(ROWS_NAMED);
    if more == 0 { named.join(", ") } else { format!("{} (+{})", named.join(", "), grouped(more as u64)) }
}

/// Rows by why they are not taken.
fn reasons(locale: Locale, import: &Import) -> Markup {
    type Reasons<'a> = BTreeMap<(&'a str, String), Vec<u32>>;
    let (mut refused, mut skipped) = (Reasons::new(), Reasons::new());
    for (record, why) in &import.preview.refused {
        refused.entry((why.code(), why.words(locale.language))).or_default().push(*record);
    }
    for (record, why) in &import.preview.skipped {
        skipped.entry((why.code(), why.words(locale.language))).or_default().push(*record);
    }
    let table = |name: &str, reasons: &Reasons<'_>| {
        let columns = vec![
            Column::text(locale.t("order-file-why")),
            Column::number(locale.t("order-file-rows")),
            Column::text(locale.t("row")),
        ];
        let rows = reasons.iter().map(|((code, words), rows)| {
            Row::of(vec![
                html! { span.note { (words) } " " span.small.code { (code) } },
                html! { (grouped(rows.len() as u64)) },
                html! { span.note { (numbers(rows)) } },
            ])
        });
        Table::of(locale.t(name), columns).show(rows.collect())
    };
    html! {
        @if !refused.is_empty() { section { h2 { (locale.with("order-file-refused", &[("count", grouped(import.preview.refused.len() as u64))])) }
            p.small { (locale.t("order-file-refused-help")) " " a href={ (address(&import.line.id)) "/refused.csv" } { (locale.t("order-file-refused-csv")) } }
            (table("order-file-refused-rows-title", &refused)) } }
        @if !skipped.is_empty() { section { h2 { (locale.with("order-file-skipped", &[("count", grouped(import.preview.skipped.len() as u64))])) }
            (table("order-file-skipped-rows-title", &skipped)) } }
    }
}

/// `GET /console/orders/files/{id}/refused.csv`
pub(in crate::console) async fn refused_rows(signed: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let import = find(&signed, &id).await?.ok_or_else(|| refuse(locale, &ImportFault::Gone.into()))?;
    let mut writer = csv::Writer::from_writer(vec![0xef, 0xbb, 0xbf]);
    let failed = || refused(locale, 500, "server-failed");
    writer.write_record([locale.t("row"), locale.t("code"), locale.t("order-file-why")]).map_err(|_| failed())?;
    for (record, why) in &import.preview.refused {
        let row = [record.to_string(), why.code().to_owned(), why.words(locale.language)];
        writer.write_record(row).map_err(|_| failed())?;
    }
    let bytes = writer.into_inner().map_err(|_| failed())?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"refused.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}

/// `POST /console/orders/files/{id}/map`: says which pack a code or a name is, once for all.
pub(in crate::console) async fn map(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let (code, name) = (form.get("shop-code").to_owned(), form.get("shop-name").to_owned());
    let sku = form.get("sku").to_owned();
    if !names.catalogue.skus.contains_key(&sku) {
        return Err(refused(locale, 400, "order-map-which").at("sku"));
    }
    let own =
        (Some(code.as_str()).filter(|code| !code.is_empty()), Some(name.as_str()).filter(|name| !name.is_empty()));
    skus::must_be_free(locale, &names.catalogue, &sku, own).map_err(|refused| refused.at("sku"))?;
    let (granary, number, person) = (signed.granary.clone(), signed.cooperative.number(), signed.session.device);
    let now = crate::environment::now();
    signed.work(move || granary.map_unmapped(number, person, (&code, &name), &sku, now)).await?;
    signed.note_written();
    Ok(Redirect::to(&format!("{}#unmapped", address(&id))).into_response())
}

/// `POST /console/orders/files/{id}/take`: a large file goes on by itself, and its page tells how far it is.
pub(in crate::console) async fn take(
    Path(id): Path<String>,
    SignedInForm(signed, _): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.by());
    let of = id.clone();
    let taking = tokio::task::spawn_blocking(move || granary.take_import(&by, number, &of, crate::environment::now()));
    let taken = tokio::select! {
        taken = taking => taken,
        () = tokio::time::sleep(TAKE_WAIT) => {
            signed.note_written();
            return Ok(Redirect::to(&address(&id)).into_response());
        }
    };
    match taken {
        Ok(Ok(_)) => {
            signed.note_written();
            Ok(Redirect::to(HERE).into_response())
        }
        Ok(Err(Error::Import(ImportFault::Taken { at }))) => {
            Err(refused_with(locale, 409, "order-file-taken", &[("time", locale.moment(at))]))
        }
        Ok(Err(error)) => Err(refuse(locale, &error)),
        Err(error) => Err(refuse(locale, &Error::WorkFailed { reason: error.to_string() })),
    }
}

/// `POST /console/orders/files/{id}/drop`: a file that waits goes; nothing of it was taken.
pub(in crate::console) async fn drop_file(
    Path(id): Path<String>,
    SignedInForm(signed, _): SignedInForm,
) -> Result<Response, Refused> {
    signed.granary.drop_import(&signed.by(), signed.cooperative.number(), &id, crate::environment::now());
    signed.note_written();
    Ok(Redirect::to(HERE).into_response())
}
