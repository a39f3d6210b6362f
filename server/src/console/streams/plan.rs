//! Planning a live-stream: who hosts it, when and where, and what is offered: price, limit, packs wanted, margin, lots. A form writes
//! what its author changed; what the server grants is its own.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::{Instant, TextField};
use granary_client_core::schema::stream::{self, Offer, Stream, StreamPlan};
use granary_client_core::schema::{DocumentKey, LotId, StreamCode};
use maud::{Markup, html};

use super::{HERE, Hour, address, find, platforms};
use crate::console::catalogue::skus::pack;
use crate::console::forms::{Form, moisture, moment_text, was};
use crate::console::i18n::{decimal, money};
use crate::console::inputs::{AMOUNT, COUNT, Inputs, MOMENT, REQUIRED, TEXT, sure};
use crate::console::names::Names;
use crate::console::refusal::{Refused, refused, refused_with};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;
use crate::log::Cooperative;

/// Packs of an offer at most.
pub(super) const PACKS_MAX: u32 = 999_999;
/// Lots that an offer names at most.
const LOTS_MAX: usize = 50;

fn server(signed: &SignedIn) -> DeviceId {
    Cooperative::server_device(signed.cooperative.id())
}

pub(super) async fn write(
    signed: &SignedIn,
    code: &StreamCode,
    edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
) -> Result<(), Refused> {
    signed.edit(vec![Edits::one(DocumentKey::Stream(code.clone()), edit)]).await
}

/// Writes something of what a stream offers, and leads back to its offers.
async fn write_offer(
    signed: &SignedIn,
    code: &StreamCode,
    edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
) -> Result<Response, Refused> {
    write(signed, code, edit).await?;
    Ok(Redirect::to(&format!("{}#offers", address(code))).into_response())
}

/// A field of the plan as the form shows it.
fn shown(stream: &Stream, field: &str) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match field {
        "host" => text(&stream.host),
        "platform" => text(&stream.platform),
        "shop" => stream.shop.clone(),
        "starts" => stream.starts_at.map(moment_text).unwrap_or_default(),
        "ends" => stream.ends_at.map(moment_text).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The form of the plan, of a new stream or of one that is here.
pub(super) fn form(signed: &SignedIn, form: &Inputs<'_>, known: Option<(&StreamCode, &Stream)>) -> Markup {
    let locale = signed.locale;
    let now = crate::environment::now();
    let known_platforms = platforms(signed);
    let platforms = || known_platforms.iter().map(|(code, name)| (code.as_str(), name.clone()));
    let value = |field: &str| known.map(|(_, stream)| shown(stream, field)).unwrap_or_default();
    html! {
        form.card method="post" action=(HERE) {
            (form.hidden())
            @match known {
                None => {
                    label { (locale.t("code")) (form.empty("code", crate::console::inputs::CODE)) }
                    p.small { (locale.t("stream-code-help")) }
                    label { (locale.t("stream-host")) (form.empty("host", REQUIRED)) }
                    label { (locale.t("platform")) (form.select("platform", "douyin", platforms())) }
                    label { (locale.t("shop")) (form.empty("shop", TEXT)) }
                    label { (locale.t("stream-starts")) (form.proposed("starts", &moment_text(now), MOMENT.required())) }
                    label { (locale.t("stream-ends")) (form.empty("ends", MOMENT)) }
                }
                Some(_) => {
                    label { (locale.t("stream-host")) (form.field("host", &value("host"), REQUIRED)) }
                    label { (locale.t("platform")) (form.choice("platform", &value("platform"), platforms())) }
                    label { (locale.t("shop")) (form.field("shop", &value("shop"), TEXT)) }
                    label { (locale.t("stream-starts")) (form.field("starts", &value("starts"), MOMENT.required())) }
                    label { (locale.t("stream-ends")) (form.field("ends", &value("ends"), MOMENT)) }
                }
            }
            button { (locale.t(if known.is_some() { "save" } else { "add" })) }
        }
    }
}

/// `POST /console/streams`: plans one, or changes its plan.
pub(in crate::console) async fn save(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let is_new = form.get("new") == "yes";
    let code: StreamCode = form.parsed(locale, "code")?;
    let known = signed
        .document(DocumentKey::Stream(code.clone()))
        .await?
        .map(|document| stream::read(&document, server(&signed)));
    match &known {
        Some(_) if is_new => return Err(refused(locale, 409, "code-taken").at("code")),
        None if !is_new => return Err(refused(locale, 404, "not-found")),
        Some(stream) => {
            let now = ["host", "platform", "shop", "starts", "ends"].map(|field| (field, shown(stream, field)));
            form.must_be_as_seen(locale, &now)?;
        }
        None => {}
    }
    let given = |field: &str| is_new || form.changed(field).is_some();
    let before = known.unwrap_or_default();
    let text = |field: &str, kind: TextField, before: Option<String>| match (given(field), before) {
        (false, Some(text)) => Ok(text),
        _ => form.text(locale, field, kind),
    };
    let plan = StreamPlan {
        host: text("host", TextField::Host, before.host)?,
        platform: text("platform", TextField::Pool, before.platform)?,
        shop: if given("shop") { form.optional_text(locale, "shop", TextField::Pool)? } else { before.shop },
        starts_at: match before.starts_at.filter(|_| !given("starts")) {
            Some(starts) => starts,
            None => form.moment(locale, "starts")?,
        },
        ends_at: match (given("ends"), form.get("ends")) {
            (false, _) => before.ends_at,
            (true, "") => None,
            (true, _) => Some(form.moment(locale, "ends")?),
        },
    };
    if plan.ends_at.is_some_and(|ends| ends <= plan.starts_at) {
        return Err(refused(locale, 400, "stream-ends-early").at("ends"));
    }
    let to = address(&code);
    write(&signed, &code, move |doc| stream::plan(doc, &plan)).await?;
    Ok(Redirect::to(&to).into_response())
}

/// A field of an offer as its form shows it.
fn offered(offer: &Offer, field: &str) -> String {
    let moment = |at: Option<Instant>| at.map(moment_text).unwrap_or_default();
    match field {
        "price" => decimal(offer.fen.get(), 100),
        "limit" => offer.limit.map(|limit| limit.to_string()).unwrap_or_default(),
        "wanted" => offer.wanted.to_string(),
        "margin" => decimal(offer.margin.get(), 10),
        "lots" => offer.lots.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        "begins" => moment(offer.begins_at),
        "ends" => moment(offer.ends_at),
        _ => String::new(),
    }
}

const OFFER_FIELDS: [&str; 7] = ["price", "limit", "wanted", "margin", "lots", "begins", "ends"];

/// The offers with their forms, and the form of another one.
pub(super) fn offers(signed: &SignedIn, names: &Names, code: &StreamCode, stream: &Stream, hour: Hour) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/offer", address(code));
    let free = names.catalogue.skus.values().filter(|sku| !sku.ended && !stream.offers.contains_key(&sku.code));
    let choices: Vec<(&str, String)> = free
        .map(|sku| {
            (sku.code.as_str(), format!("{} · {} · {}", sku.code, names.product(&sku.product), pack(locale, sku)))
        })
        .collect();
    let new = Inputs::of(signed, &action, &[("new", "yes")]);
    html! {
        @if stream.offers.is_empty() { p.empty { (locale.t("stream-no-offers")) } }
        @for (sku, offer) in &stream.offers { (offer_card(signed, names, code, (sku, offer), hour)) }
        @if hour != Hour::After && !choices.is_empty() {
            details open[stream.offers.is_empty() || new.was_refused()] { summary { (locale.t("stream-offer-new")) }
                form.card method="post" action=(action) {
                    (new.hidden())
                    label { (locale.t("sku")) (new.select("sku", "", std::iter::once(("", "—".to_owned())).chain(choices))) }
                    label { (locale.t("stream-price")) (new.empty("price", AMOUNT.required())) }
                    p.small { (locale.t("stream-price-help")) }
                    label { (locale.t("stream-wanted-packs")) (new.empty("wanted", COUNT.required())) }
                    label { (locale.t("stream-limit")) (new.empty("limit", COUNT)) }
                    label { (locale.t("stream-margin")) (new.proposed("margin", &decimal(stream::USUAL_MARGIN, 10), AMOUNT)) }
                    p.small { (locale.t("stream-margin-help")) }
                    button { (locale.t("add")) }
                }
            }
        }
    }
}

fn offer_card(signed: &SignedIn, names: &Names, code: &StreamCode, (sku, offer): (&str, &Offer), hour: Hour) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/offer", address(code));
    let more = format!("{}/more", address(code));
    let end = format!("{}/offer-end", address(code));
    let form = Inputs::of(signed, &action, &[("sku", sku), ("new", "")]);
    let adding = Inputs::of(signed, &more, &[("sku", sku)]);
    let ending = Inputs::of(signed, &end, &[("sku", sku)]);
    let has_ended = offer.ended;
    html! {
        article.card data-item {
            h3 { a href=(crate::console::catalogue::skus::address(sku)) { (sku) } " · " (sku_words(names, sku))
                " · " (money(offer.fen.get()))
                @if has_ended { " " span.mark { (locale.t("stream-offer-ended")) } } }
            @if hour != Hour::After {
                div.buttons {
                    form.inline method="post" action=(more) {
                        (adding.hidden()) (adding.was("wanted", &offer.wanted.to_string()))
                        label { span.unseen { (locale.t("stream-more")) } (adding.proposed("more", "50", COUNT.required())) }
                        button data-do { (locale.t("stream-more")) }
                    }
                    form.inline method="post" action=(end) {
                        (ending.hidden()) (ending.was("ended", if has_ended { "yes" } else { "no" }))
                        input type="hidden" name="ended" value=(if has_ended { "no" } else { "yes" });
                        button.quiet { (locale.t(if has_ended { "take-up-again" } else { "stream-offer-end" })) }
                    }
                }
            }
            details open[form.was_refused()] { summary { (locale.t("stream-offer-change")) }
                form.card method="post" action=(action) {
                    (form.hidden())
                    label { (locale.t("stream-price")) (form.field("price", &offered(offer, "price"), AMOUNT.required())) }
                    label { (locale.t("stream-wanted-packs")) (form.field("wanted", &offered(offer, "wanted"), COUNT.required())) }
                    label { (locale.t("stream-limit")) (form.field("limit", &offered(offer, "limit"), COUNT)) }
                    label { (locale.t("stream-margin")) (form.field("margin", &offered(offer, "margin"), AMOUNT)) }
                    p.small { (locale.t("stream-margin-help")) }
                    label { (locale.t("stream-lots")) (form.lines("lots", &offered(offer, "lots"))) }
                    p.small { (locale.t("stream-lots-help")) }
                    label { (locale.t("stream-offer-begins")) (form.field("begins", &offered(offer, "begins"), MOMENT)) }
                    label { (locale.t("stream-offer-ends")) (form.field("ends", &offered(offer, "ends"), MOMENT)) }
                    button { (locale.t("save")) }
                }
            }
        }
    }
}

/// The product and the weight of a pack.
pub(in crate::console) fn sku_words(names: &Names, code: &str) -> String {
    match names.catalogue.skus.get(code) {
        Some(sku) => format!("{} {}", names.product(&sku.product), pack(names.locale(), sku)),
        None => names.locale().t("sku-unknown"),
    }
}

/// `POST /console/streams/{code}/offer`: offers a pack, or changes how it is offered.
pub(in crate::console) async fn save_offer(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (code, stream) = find(&signed, &code).await?;
    let sku = form.get("sku").to_owned();
    let is_new = form.get("new") == "yes";
    let before = stream.offers.get(&sku);
    let offer = match before {
        Some(_) if is_new => return Err(refused(locale, 409, "offer-taken").at("sku")),
        Some(offer) => {
            form.must_be_as_seen(locale, &OFFER_FIELDS.map(|field| (field, offered(offer, field))))?;
            changed_offer(&signed, &form, offer.clone(), false).await?
        }
        None if !is_new => return Err(refused(locale, 404, "not-found")),
        None => {
            let names = Names::of(&signed).await?;
            if names.catalogue.skus.get(&sku).is_none_or(|sku| sku.ended) {
                return Err(refused(locale, 400, "stream-sku-missing").at("sku"));
            }
            let fen = form.money(locale, "price")?;
            let wanted = form.whole(locale, "wanted", 0, PACKS_MAX)?;
            changed_offer(&signed, &form, Offer::new(fen, wanted), true).await?
        }
    };
    write_offer(&signed, &code, move |doc| stream::offer(doc, &sku, &offer)).await
}

/// The offer with what the form says of it.
async fn changed_offer(signed: &SignedIn, form: &Form, offer: Offer, is_new: bool) -> Result<Offer, Refused> {
    let locale = signed.locale;
    let given = |field: &str| if is_new { form.has(field) } else { form.changed(field).is_some() };
    let mut offer = offer;
    if given("price") {
        offer.fen = form.money(locale, "price")?;
    }
    if given("wanted") {
        offer.wanted = form.whole(locale, "wanted", 0, PACKS_MAX)?;
    }
    if given("limit") {
        offer.limit = match form.get("limit") {
            "" => None,
            _ => Some(form.whole(locale, "limit", 1, PACKS_MAX)?),
        };
    }
    if given("margin") {
        offer.margin = match form.get("margin") {
            "" => Offer::new(offer.fen, 0).margin,
            typed => moisture(locale, typed).map_err(|_| refused(locale, 400, "stream-margin-wrong").at("margin"))?,
        };
    }
    if given("lots") {
        offer.lots = lots(signed, form.get("lots")).await?;
    }
    for (field, place) in [("begins", &mut offer.begins_at), ("ends", &mut offer.ends_at)] {
        if given(field) {
            *place = if form.get(field).is_empty() { None } else { Some(form.moment(locale, field)?) };
        }
    }
    if offer.ends_at.is_some_and(|ends| offer.begins_at.is_some_and(|begins| ends <= begins)) {
        return Err(refused(locale, 400, "stream-ends-early").at("ends"));
    }
    Ok(offer)
}

/// The lots that are named, one in each line, by the number that stands on their page. One more than an offer may have is read, so
/// that it is refused rather than left out.
async fn lots(signed: &SignedIn, typed: &str) -> Result<Vec<LotId>, Refused> {
    let mut lots = Vec::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()).take(LOTS_MAX.saturating_add(1)) {
        let found = crate::console::lot::named(signed, line).await;
        lots.push(found.map_err(|_| {
            let values = [("lot", line.to_owned())];
            refused_with(signed.locale, 400, "stream-lot-unknown", &values).at("lots")
        })?);
    }
    Ok(lots)
}

/// `POST /console/streams/{code}/more`: wants so many packs more of an offer.
pub(in crate::console) async fn more(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (code, stream) = find(&signed, &code).await?;
    let sku = form.get("sku").to_owned();
    let offer = stream.offers.get(&sku).ok_or_else(|| refused(locale, 404, "not-found"))?;
    // Two people who each add fifty see that they did: the second is told of the first.
    let seen = form.get(&was("wanted"));
    if !seen.is_empty() && seen != offer.wanted.to_string() {
        let values = [("now", offer.wanted.to_string())];
        return Err(refused_with(locale, 409, "changed-meanwhile", &values).at("more").seen_anew());
    }
    let more = form.whole(locale, "more", 1, PACKS_MAX.saturating_sub(offer.wanted).max(1))?;
    let wanted = offer.wanted.saturating_add(more).min(PACKS_MAX);
    write_offer(&signed, &code, move |doc| stream::want(doc, &sku, wanted)).await
}

/// `POST /console/streams/{code}/offer-end`: ends an offer now, or takes it up again.
pub(in crate::console) async fn end_offer(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (code, stream) = find(&signed, &code).await?;
    let sku = form.get("sku").to_owned();
    let offer = stream.offers.get(&sku).ok_or_else(|| refused(locale, 404, "not-found"))?;
    form.must_be_as_seen(locale, &[("ended", if offer.ended { "yes" } else { "no" }.to_owned())])?;
    let ended = form.get("ended") == "yes";
    write_offer(&signed, &code, move |doc| stream::end_offer(doc, &sku, ended)).await
}

/// The form that ends a stream: what was not sold goes back.
pub(super) fn end_form(signed: &SignedIn, code: &StreamCode, hour: Hour) -> Markup {
    let locale = signed.locale;
    let action = format!("{}/end", address(code));
    let form = Inputs::of(signed, &action, &[]);
    html! {
        section { h2 { (locale.t(if hour == Hour::Before { "stream-call-off" } else { "stream-end" })) }
            p.small { (locale.t("stream-end-help")) }
            form.card method="post" action=(action) {
                (form.hidden()) (sure(locale))
                button.danger { (locale.t(if hour == Hour::Before { "stream-call-off" } else { "stream-end" })) }
            } }
    }
}

/// `POST /console/streams/{code}/end`
pub(in crate::console) async fn end(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (code, stream) = find(&signed, &code).await?;
    if form.get("sure") != "yes" {
        return Err(refused(locale, 400, "not-sure"));
    }
    let to = address(&code);
    if stream.ended_at.is_none() {
        let now = crate::environment::now();
        write(&signed, &code, move |doc| stream::end(doc, now)).await?;
    }
    Ok(Redirect::to(&to).into_response())
}
