//! Live-streams: planned with their offers ([`plan`]), made ready for ([`ready`]), watched while they are on ([`desk`]), and looked back on
//! ([`after`]). One page each, which shows what its hour needs first.

mod after;
mod desk;
pub(super) mod plan;
pub(super) mod ready;

pub(super) use plan::sku_words;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::stream::{self, Stream};
use granary_client_core::schema::{DocumentKey, StreamCode};
use maud::{Markup, html};

use super::activity;
use super::i18n::{Locale, grouped};
use super::inputs::Inputs;
use super::names::Names;
use super::page::{Page, token};
use super::parts::{Column, Row, Table};
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::demo::live_stream;
use crate::http::Shared;
use crate::log::Cooperative;

/// The list, and where the form of a stream is sent to.
const HERE: &str = "/console/streams";
/// Seconds after which a running stream's page is asked for again without anything new, so that what it counts stays true.
const EVERY_SECONDS: u32 = 5;

/// Platforms whose order files are known.
const PLATFORMS: [&str; 6] = ["douyin", "kuaishou", "weixin", "pinduoduo", "taobao", "youzan"];

/// The page of a stream.
pub(super) fn address(code: &StreamCode) -> String {
    format!("{HERE}/{code}")
}

/// What hour a stream is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hour {
    Before,
    During,
    After,
}

impl Hour {
    pub(super) fn of(stream: &Stream, now: Instant) -> Self {
        let is_over = stream.ended_at.is_some() || stream.ends_at.is_some_and(|ends| ends <= now);
        match stream.starts_at {
            _ if is_over => Self::After,
            Some(starts) if starts <= now => Self::During,
            _ => Self::Before,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// A platform's name, for people.
pub(super) fn platform(locale: Locale, code: &str) -> String {
    locale.of("platform", code)
}

/// Codes and names of the platforms that are known: those of order files, the operator's own profiles among them.
pub(super) fn platforms(signed: &SignedIn) -> Vec<(String, String)> {
    let profiles = signed.granary.order_profiles();
    let mut codes: Vec<&str> = PLATFORMS.to_vec();
    for profile in profiles.all() {
        if !codes.contains(&profile.platform.as_str()) {
            codes.push(&profile.platform);
        }
    }
    codes.into_iter().map(|code| (code.to_owned(), platform(signed.locale, code))).collect()
}

/// Platform and shop.
pub(super) fn shop(locale: Locale, platform_code: &str, shop: &str) -> String {
    let name = platform(locale, platform_code);
    if shop.is_empty() { name } else { format!("{name} · {shop}") }
}

/// A SKU's product and weight, without its code where the catalogue has it.
pub(super) fn sku_in_short(names: &Names, code: &str) -> String {
    if names.catalogue.skus.contains_key(code) { sku_words(names, code) } else { code.to_owned() }
}

/// All streams, the latest first.
async fn all(signed: &SignedIn) -> Result<Vec<(StreamCode, Stream)>, Refused> {
    let (granary, cooperative) = (signed.granary.clone(), signed.cooperative.clone());
    let mut streams = signed
        .work(move || {
            let server = Cooperative::server_device(cooperative.id());
            let mut streams = Vec::new();
            for code in cooperative.streams() {
                if let Some(document) = granary.document(cooperative.number(), &DocumentKey::Stream(code.clone()))? {
                    streams.push((code, stream::read(&document, server)));
                }
            }
            Ok(streams)
        })
        .await?;
    streams.sort_by(|(one, first), (other, second)| (second.starts_at, one).cmp(&(first.starts_at, other)));
    Ok(streams)
}

/// `GET /console/streams`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let now = crate::environment::now();
    let streams = all(&signed).await?;
    let (past, now_on): (Vec<_>, Vec<_>) = streams.iter().partition(|(_, stream)| Hour::of(stream, now) == Hour::After);
    let form = Inputs::of(&signed, HERE, &[("new", "yes")]);
    let main = html! {
        p.small { (locale.t("streams-help")) }
        @if signed.granary.is_demo() { (demo_form(&signed)) }
        @if now_on.is_empty() { p.empty { (locale.t("no-streams")) } } @else { (table(locale, &now_on, now)) }
        section { h2 { (locale.t("stream-plan-new")) }
            @if names.catalogue.skus.is_empty() { p.notice { (locale.t("stream-no-skus")) " " a href="/console/catalogue" { (locale.t("part-catalogue")) } } }
            (plan::form(&signed, &form, None)) }
        @if !past.is_empty() { details open { summary { (locale.t("streams-past")) } (table(locale, &past, now)) } }
    };
    Ok(Page { title: locale.t("part-streams"), part: "streams", main }.show(&signed))
}

/// The button that starts the demo's own stream.
fn demo_form(signed: &SignedIn) -> Markup {
    let locale = signed.locale;
    html! {
        form.card method="post" action={ (HERE) "/demo" } {
            (token(signed))
            p { (locale.t("stream-demo")) }
            div.buttons {
                button name="run" value="full" { (locale.t("stream-demo-full")) }
                button.quiet name="run" value="short" { (locale.t("stream-demo-short")) }
            }
        }
    }
}

/// `POST /console/streams/demo`: starts the demo's live-stream.
pub(super) async fn start_demo(
    State(shared): State<Shared>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let run = live_stream::Run::named(form.get("run")).filter(|_| signed.granary.is_demo());
    let run = run.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let code = live_stream::begin(shared, signed.cooperative.number(), run).await;
    let code = code.map_err(|error| refuse(locale, &error))?;
    signed.note_written();
    Ok(Redirect::to(&address(&code)).into_response())
}

fn table(locale: Locale, streams: &[&(StreamCode, Stream)], now: Instant) -> Markup {
    let columns = vec![
        Column::text(locale.t("stream")),
        Column::text(locale.t("stream-host")),
        Column::text(locale.t("platform")),
        Column::text(locale.t("stream-starts")),
        Column::text(locale.t("state")),
        Column::text(locale.t("stream-offers")),
        Column::number(locale.t("stream-wanted")),
        Column::number(locale.t("stream-sold")),
    ];
    let rows = streams.iter().map(|(code, stream)| {
        let hour = Hour::of(stream, now);
        let wanted: u64 = stream.offers.values().map(|offer| u64::from(offer.wanted)).sum();
        let sold: u64 = stream.served.values().map(|served| u64::from(served.accepted)).sum();
        Row::of(vec![
            html! { a href=(address(code)) { (code) } },
            html! { (stream.host.clone().unwrap_or_default()) },
            html! { (shop(locale, stream.platform.as_deref().unwrap_or_default(), &stream.shop)) },
            html! { (stream.starts_at.map(|at| locale.moment(at)).unwrap_or_default()) },
            html! { span.mark[hour == Hour::During] { (locale.of("stream", hour.name())) } },
            html! { (stream.offers.keys().cloned().collect::<Vec<_>>().join(&locale.t("list-comma"))) },
            html! { (grouped(wanted)) },
            html! { @if sold > 0 { (grouped(sold)) } },
        ])
        .ended(hour == Hour::After)
    });
    Table::of(locale.t("part-streams"), columns).show(rows.collect())
}

/// A stream by the code in an address, as its document has it.
async fn find(signed: &SignedIn, code: &str) -> Result<(StreamCode, Stream), Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let code: StreamCode = code.parse().map_err(|_| missing())?;
    let document = signed.document(DocumentKey::Stream(code.clone())).await?.ok_or_else(missing)?;
    Ok((code, stream::read(&document, Cooperative::server_device(signed.cooperative.id()))))
}

/// `GET /console/streams/{code}`
pub(super) async fn one(signed: SignedIn, Path(code): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (code, stream) = find(&signed, &code).await?;
    let names = Names::of(&signed).await?;
    let now = crate::environment::now();
    let hour = Hour::of(&stream, now);
    let figures = desk::Figures::of(&signed, &code, (hour, now)).await?;
    let shop = shop(locale, stream.platform.as_deref().unwrap_or_default(), &stream.shop);
    let every = (hour == Hour::During).then_some(EVERY_SECONDS);
    let form = Inputs::of(&signed, HERE, &[("code", code.as_str()), ("new", "")]);
    let main = html! {
        p { (shop) " · " (stream.starts_at.map(|at| locale.moment(at)).unwrap_or_default())
            @if let Some(ends) = stream.ends_at { " – " (locale.moment(ends)) }
            " · " span.mark[hour == Hour::During] { (locale.of("stream", hour.name())) } }
        div #desk data-part="desk" data-every=[every] { (desk::show(locale, &names, (&code, &stream), &figures, (hour, now))) }
        section #offers tabindex="-1" { h2 { (locale.t("stream-offers")) }
            (plan::offers(&signed, &names, &code, &stream, hour)) }
        @if hour == Hour::Before && !stream.offers.is_empty() { (ready::form(&signed, &code, &stream)) }
        @if hour != Hour::After { (plan::end_form(&signed, &code, hour)) }
        details open[form.was_refused()] { summary { (locale.t("stream-plan-change")) } (plan::form(&signed, &form, Some((&code, &stream)))) }
        details { summary { (locale.t("history")) } (activity::of_stream(&signed, &code).await) }
    };
    let title = stream.host.clone().unwrap_or_else(|| code.to_string());
    Ok(Page { title, part: "streams", main }.show_anew(&signed, every))
}
