//! What somebody wrote who may not: into an order or a live-stream, where only the server writes. It counts for nothing; here it is seen
//! among the cases, and taken out.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts;
use granary_client_core::projection::OrderFilter;
use granary_client_core::schema::{DocumentKey, OrderName, StreamCode, Trespass, reclaim};
use maud::{Markup, html};

use super::cases::CASES_PAGE;
use super::i18n::Locale;
use super::inputs::Inputs;
use super::names::Names;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::AuditAction;
use crate::engine::own_edits::Edits;
use crate::log::Cooperative;

const RECLAIM: &str = "/console/cases/reclaim";
/// Orders that are shown at most.
const ORDERS_MAX: u32 = 50;

/// A document with such fields.
pub(super) struct Found {
    /// As a form names it: `order:PLATFORM/ID`, `stream:CODE`.
    thing: String,
    trespasses: Vec<Trespass>,
}

/// Orders and streams that have some, at most [`ORDERS_MAX`] of each.
pub(super) async fn found(signed: &SignedIn) -> Result<Vec<Found>, Refused> {
    let filter = OrderFilter { only_trespassed: true, limit: ORDERS_MAX, ..OrderFilter::default() };
    let orders = signed.read(move |models| models.order_page(&filter)).await?;
    let (granary, cooperative) = (signed.granary.clone(), signed.cooperative.clone());
    signed
        .work(move || {
            let server = Cooperative::server_device(cooperative.id());
            let context = granary.trade_context(&cooperative)?;
            let of_streams = context.streams.iter().filter(|(_, stream)| !stream.trespasses.is_empty());
            let mut found: Vec<Found> = of_streams
                .take(usize::try_from(ORDERS_MAX).unwrap_or(usize::MAX))
                .map(|(code, stream)| Found { thing: format!("stream:{code}"), trespasses: stream.trespasses.clone() })
                .collect();
            for order in orders {
                let key = DocumentKey::Order(order.name.clone());
                let Some(document) = granary.document(cooperative.number(), &key)? else { continue };
                let trespasses = conflicts::trespasses(&document, server);
                if !trespasses.is_empty() {
                    found.push(Found { thing: format!("order:{}", order.name), trespasses });
                }
            }
            Ok(found)
        })
        .await
}

/// One of them, with what takes it out.
pub(super) fn card(signed: &SignedIn, names: &Names, found: &Found) -> Markup {
    let locale = signed.locale;
    let (thing, address) = names.thing(&found.thing);
    let inputs = Inputs::of(signed, RECLAIM, &[("thing", &found.thing)]);
    html! {
        article.case data-key=(found.thing) data-item tabindex="-1" {
            h3 { @match address { Some(address) => a href=(address) { (thing) }, None => (thing) } " · " (locale.t("trespass-case")) }
            ul.plain { @for trespass in &found.trespasses { li { (said(locale, names, trespass)) } } }
            p.small { (locale.t("trespass-help")) }
            form method="post" action=(RECLAIM) { (inputs.hidden()) button { (locale.t("trespass-take-out")) } }
        }
    }
}

fn said(locale: Locale, names: &Names, trespass: &Trespass) -> String {
    let device = trespass.actor.as_ref().and_then(|actor| actor.device());
    let who = device.map_or_else(|| locale.t("trespass-nobody"), |device| names.device(device));
    locale.with("trespass-by", &[("fields", locale.of("trespass-field", trespass.field)), ("who", who)])
}

/// `POST /console/cases/reclaim`: takes it out. There is no way back, since nobody but the server may write there.
pub(super) async fn take_out(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let thing = form.get("thing").to_owned();
    let key = match thing.split_once(':') {
        Some(("order", name)) => name.parse::<OrderName>().ok().map(DocumentKey::Order),
        Some(("stream", code)) => code.parse::<StreamCode>().ok().map(DocumentKey::Stream),
        _ => None,
    };
    let key = key.ok_or_else(|| refused(locale, 404, "not-found"))?;
    signed.document(key.clone()).await?.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let server = Cooperative::server_device(signed.cooperative.id());
    signed
        .work(move || {
            let now = crate::environment::now();
            let kind = key.kind();
            let edits = Edits::one(key, move |automerge| reclaim(automerge, kind, server).map(drop));
            granary.edit_as(number, server, now, vec![edits])?;
            granary.audit(number, now, by, AuditAction::Reclaimed, &thing)
        })
        .await?;
    signed.note_written();
    Ok(Redirect::to(CASES_PAGE).into_response())
}
