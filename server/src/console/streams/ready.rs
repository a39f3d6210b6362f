//! Before a live-stream: whether there is enough of what it takes. Goods are held against what is free; labels, bags and hands against
//! what somebody counted, since nothing else here knows of them.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::schema::StreamCode;
use granary_client_core::schema::stream::{self, HANDS_MAX, Ready, Stream};
use maud::{Markup, html};

use super::plan::{PACKS_MAX, sku_words, write};
use super::{address, find};
use crate::console::i18n::{Locale, grouped};
use crate::console::inputs::{COUNT, Inputs};
use crate::console::names::Names;
use crate::console::parts::{Column, Row, Table};
use crate::console::refusal::Refused;
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::trade::OfferStock;

/// The fields of the form: their names, their words, the most.
const FIELDS: [(&str, &str, u32); 4] = [
    ("labels", "ready-labels", PACKS_MAX),
    ("bags", "ready-bags", PACKS_MAX),
    ("hands", "ready-hands", HANDS_MAX),
    ("pace", "ready-pace", PACKS_MAX),
];

fn value(ready: &Ready, field: &str) -> Option<u32> {
    match field {
        "labels" => ready.labels,
        "bags" => ready.bags,
        "hands" => ready.hands,
        _ => ready.packs_an_hour,
    }
}

fn shown(ready: &Ready, field: &str) -> String {
    value(ready, field).map(|count| count.to_string()).unwrap_or_default()
}

/// What is checked, what it takes and what is there.
pub(super) fn checks(locale: Locale, names: &Names, stream: &Stream, stock: &[OfferStock]) -> Markup {
    if stock.is_empty() {
        return html! {};
    }
    let packs = stock.iter().map(|offer| offer.wanted).fold(0, u64::saturating_add);
    let columns = vec![
        Column::text(locale.t("ready-what")),
        Column::number(locale.t("ready-needed")),
        Column::number(locale.t("ready-there")),
        Column::text(locale.t("state")),
    ];
    let row = |what: String, needed: u64, there: Option<u64>| {
        let missing = there.map(|there| needed.saturating_sub(there));
        Row::of(vec![
            html! { (what) },
            html! { (grouped(needed)) },
            html! { (there.map_or_else(|| "—".to_owned(), grouped)) },
            html! { @match missing {
                None => span.mark { (locale.t("ready-unknown")) },
                Some(0) => span.good { (locale.t("ready-enough")) },
                Some(missing) => span.bad { (locale.with("ready-missing", &[("count", grouped(missing))])) },
            } },
        ])
    };
    let mut rows = Vec::new();
    for offer in stock {
        let goods = sku_words(names, &offer.sku);
        rows.push(row(goods.clone(), offer.wanted, Some(offer.there)));
        if let Some(in_lots) = offer.in_lots {
            rows.push(row(locale.with("ready-in-lots", &[("goods", goods)]), offer.wanted, Some(in_lots)));
        }
    }
    for (name, count) in [("ready-labels", stream.ready.labels), ("ready-bags", stream.ready.bags)] {
        rows.push(row(locale.t(name), packs, count.map(u64::from)));
    }
    html! {
        section { h2 { (locale.t("ready")) }
            (Table::of(locale.t("ready"), columns).show(rows))
            p { @match stream.ready.minutes_for(packs) {
                Some(minutes) => (locale.with("ready-hours", &[("packs", grouped(packs)), ("hours", grouped(minutes / 60)), ("minutes", (minutes % 60).to_string())])),
                None => (locale.t("ready-no-hands")),
            } }
        }
    }
}

/// The form of what was counted.
pub(super) fn form(signed: &SignedIn, code: &StreamCode, stream: &Stream) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/ready", address(code));
    let form = Inputs::of(signed, &action, &[]);
    html! {
        details open[form.was_refused() || stream.ready == Ready::default()] { summary { (locale.t("ready-count")) }
            form.card method="post" action=(action) {
                (form.hidden())
                p.small { (locale.t("ready-help")) }
                @for (field, name, _) in FIELDS {
                    label { (locale.t(name)) (form.field(field, &shown(&stream.ready, field), COUNT)) }
                }
                button { (locale.t("save")) }
            }
        }
    }
}

/// `POST /console/streams/{code}/ready`
pub(in crate::console) async fn save(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (code, stream) = find(&signed, &code).await?;
    let now = FIELDS.map(|(field, ..)| (field, shown(&stream.ready, field)));
    form.must_be_as_seen(locale, &now)?;
    let mut counts = [None; 4];
    for (count, (field, _, most)) in counts.iter_mut().zip(FIELDS) {
        *count = match (form.changed(field).is_some(), form.get(field)) {
            (false, _) => value(&stream.ready, field),
            (true, "") => None,
            (true, _) => Some(form.whole(locale, field, 0, most)?),
        };
    }
    let [labels, bags, hands, packs_an_hour] = counts;
    let ready = Ready { labels, bags, hands, packs_an_hour };
    let to = address(&code);
    write(&signed, &code, move |doc| stream::set_ready(doc, &ready)).await?;
    Ok(Redirect::to(&to).into_response())
}
