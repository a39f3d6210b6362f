//! Keys of shops' programs, and the addresses to which what happens is sent: made, revoked, tried, sent again.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use granary_client_core::words::Words;
use maud::{Markup, html};

use super::forms::{Form, is_code};
use super::i18n::{Locale, grouped};
use super::inputs::{Inputs, PLATFORM, REQUIRED, TEXT, sure};
use super::page::{Page, token};
use super::parts::toast::Told;
use super::parts::{Column, Row, Table};
use super::refusal::{Refused, refuse, refused, unreadable};
use super::signed_in::{SignedIn, SignedInForm};
use super::streams;
use crate::access::By;
use crate::access::api_keys::{ApiKeyLine, KeyDraft, KeyId, Scope};
use crate::access::webhooks::{DeliveryRecord, EventKind, WebhookId, WebhookRecord};
use crate::engine::webhooks::WebhookDraft;
use crate::error::Error;
use crate::hooks::{DeliveryId, Target, forbidden};

const PAGE: &str = "/console/api";
const ADD: &str = "/console/api/keys";
const HOOK: &str = "/console/api/webhooks";
/// Deliveries that were given up and are listed at most.
const DEAD_SHOWN: usize = 50;
/// Deliveries of one webhook that wait: those that are looked at, and of them those that are listed, tests first.
const WAITING_READ: usize = 200;
const WAITING_SHOWN: usize = 5;
/// Seconds after which the list of what waits is asked for again.
const EVERY_SECONDS: u32 = 3;

type Deliveries = Vec<(DeliveryId, DeliveryRecord)>;

/// Which shop it is: a platform that is known is chosen, so that a program's orders are of the same shop as those of files and
/// live-streams. A checkout of one's own has a code of its own.
fn shop_fields(inputs: &Inputs<'_>, signed: &SignedIn) -> Markup {
    let locale = signed.locale;
    let platforms = streams::platforms(signed);
    html! {
        label { (locale.t("platform")) (inputs.select("platform", "douyin", platforms.iter().map(|(code, name)| (code.as_str(), name.clone())))) }
        label { (locale.t("api-own-platform")) (inputs.empty("own", PLATFORM)) }
        label { (locale.t("shop")) (inputs.empty("shop", TEXT.at_most(32))) }
    }
}

/// The platform that a form says.
fn platform_of(locale: Locale, form: &Form) -> Result<String, Refused> {
    match form.get("own") {
        "" => Ok(form.get("platform").to_owned()),
        own if is_code(own) => Ok(own.to_owned()),
        _ => Err(refused(locale, 400, "code-wrong").at("own")),
    }
}

/// Names of one family in words, one behind the other.
fn in_words<'a>(locale: Locale, family: &str, names: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = names.map(|name| locale.of(family, &name.replace([':', '.'], "-"))).collect();
    words.join(&locale.t("list-comma"))
}

/// `GET /console/api`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let (keys, hooks) = signed
        .work(move || {
            let by = By::Principal(by);
            let mut hooks = Vec::new();
            for (id, record) in granary.webhooks(number)? {
                let dead = granary.dead_deliveries(&by, number, id)?;
                let mut waiting = granary.first_waiting(number, id, WAITING_READ)?;
                waiting.sort_by_key(|(_, record)| record.kind != "test");
                hooks.push((id, record, waiting, dead));
            }
            Ok((granary.list_api_keys(number), hooks))
        })
        .await?;
    let new = Inputs::of(&signed, ADD, &[]);
    let hook = Inputs::of(&signed, HOOK, &[]);
    let main = html! {
        p { (locale.t("api-help")) " " a href="/v1/docs" { (locale.t("api-docs")) } }
        @if keys.is_empty() { p.empty { (locale.t("api-no-keys")) } } @else { (key_table(&signed, keys)) }
        section #add { h2 { (locale.t("api-add-key")) }
            form.card method="post" action=(ADD) {
                (new.hidden())
                label { (locale.t("api-name")) (new.empty("name", REQUIRED)) }
                (shop_fields(&new, &signed))
                fieldset { legend { (locale.t("api-scopes")) }
                    @for scope in Scope::ALL {
                        label.check { input type="checkbox" name="scope" value=(scope.name())
                            checked[new.is_chosen("scope", scope.name(), false)]; (locale.of("api-scope", &scope.name().replace(':', "-"))) }
                    }
                    (new.fault("scope"))
                }
                button { (locale.t("add")) }
            } }
        h2 { (locale.t("api-webhooks")) }
        @if hooks.is_empty() { p.empty { (locale.t("api-no-webhooks")) } }
        @for (id, record, waiting, dead) in hooks { (webhook(&signed, id, &record, &waiting, dead)) }
        section #hook { h2 { (locale.t("api-add-webhook")) }
            form.card method="post" action=(HOOK) {
                (hook.hidden())
                label { (locale.t("api-url")) (hook.empty("url", REQUIRED.at_most(500))) }
                (shop_fields(&hook, &signed))
                fieldset { legend { (locale.t("api-events")) }
                    @for event in EventKind::ALL {
                        label.check { input type="checkbox" name="event" value=(event.name())
                            checked[hook.is_chosen("event", event.name(), true)]; (locale.of("api-event", &event.name().replace('.', "-"))) }
                    }
                    (hook.fault("event"))
                }
                button { (locale.t("add")) }
            } }
    };
    Ok(Page { title: locale.t("api"), part: "api", main }.show(&signed))
}

fn key_table(signed: &SignedIn, keys: Vec<ApiKeyLine>) -> Markup {
    let locale = signed.locale;
    let heads = ["api-name", "platform", "api-scopes", "api-made", "api-used"];
    let mut columns: Vec<Column> = heads.map(|head| Column::text(locale.t(head))).into();
    columns.push(Column::actions(locale.t("actions")));
    let row = |line: ApiKeyLine| {
        let id = line.id.to_string();
        Row::of(vec![
            html! { (line.name) " " code.small { (id) } @if line.revoked.is_some() { " " span.mark { (locale.t("revoked")) } } },
            html! { (streams::shop(locale, &line.platform, &line.shop)) },
            html! { (in_words(locale, "api-scope", line.scopes.iter().map(|scope| scope.name()))) },
            html! { (locale.moment(line.made)) },
            html! { @match line.last_used { Some(at) => (locale.moment(at)), None => (locale.t("api-never-used")) } },
            html! { @if line.revoked.is_none() {
            form.inline method="post" action="/console/api/keys/revoke" {
                (token(signed)) input type="hidden" name="key" value=(id); (sure(locale))
                button.danger { (locale.t("api-revoke")) }
            } } },
        ])
        .ended(line.revoked.is_some())
    };
    Table::of(locale.t("api-keys"), columns).show(keys.into_iter().map(row).collect())
}

fn button(signed: &SignedIn, action: &str, id: WebhookId, class: &str, word: &str) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            (token(signed)) input type="hidden" name="webhook" value=(id);
            @if class == "danger" { (sure(signed.locale)) }
            button class=(class) { (signed.locale.t(word)) }
        }
    }
}

fn webhook(
    signed: &SignedIn,
    id: WebhookId,
    record: &WebhookRecord,
    waiting: &[(DeliveryId, DeliveryRecord)],
    dead: Deliveries,
) -> Markup {
    let locale = signed.locale;
    let count = dead.len();
    html! {
        section.card id=(id) data-item {
            h3 { (record.url) }
            p.small { (streams::shop(locale, &record.platform, &record.shop))
                " · " (in_words(locale, "api-event", record.events.iter().map(|event| event.name()))) " · " (locale.moment(Instant(record.made_millis)))
                @if let Some(key) = record.key { " · " (locale.t("api-of-key")) " " code { (key) }
                    @if !signed.granary.is_api_key_open(key) { " " span.mark { (locale.t("revoked")) } } } }
            div.buttons {
                (button(signed, "/console/api/webhooks/test", id, "quiet", "api-test"))
                (button(signed, "/console/api/webhooks/rotate", id, "quiet", "api-rotate"))
                (button(signed, "/console/api/webhooks/remove", id, "danger", "api-remove"))
            }
            (waiting_table(signed, id, waiting))
            @if count > 0 {
                p.notice { (locale.with("api-dead", &[("count", count.to_string())])) }
                (dead_table(signed, dead))
            }
        }
    }
}

/// What the subject of a delivery names: its kind, and which one it is.
fn thing(locale: Locale, subject: &str) -> String {
    match subject.split_once(' ') {
        Some(("order", name)) => locale.with("api-subject-order", &[("name", name.to_owned())]),
        Some(("pool", name)) => locale.with("api-subject-pool", &[("name", name.to_owned())]),
        _ => subject.to_owned(),
    }
}

/// What a delivery is about.
fn subject(locale: Locale, record: &DeliveryRecord) -> Markup {
    html! { @if record.kind == "test" { (locale.t("api-delivery-test")) }
    @else { (thing(locale, &record.subject)) " " span.small { (locale.of("api-event", &record.kind.replace('.', "-"))) } } }
}

/// What is still to be sent to a webhook, and why it could not be so far. Without forms, so that it is put in place by itself.
fn waiting_table(signed: &SignedIn, id: WebhookId, waiting: &[(DeliveryId, DeliveryRecord)]) -> Markup {
    let locale = signed.locale;
    let columns: Vec<Column> =
        ["api-what", "api-since", "api-fault", "api-next"].map(|head| Column::text(locale.t(head))).into();
    let row = |(_, record): &(DeliveryId, DeliveryRecord)| {
        Row::of(vec![
            subject(locale, record),
            html! { (locale.moment(Instant(record.since_millis))) },
            html! { (record.fault.as_ref().map_or_else(|| locale.t("api-not-tried"), |fault| fault.words(locale.language))) },
            // What was not tried goes as soon as what is before it of the same thing has gone.
            html! { @if record.fault.is_some() { (locale.moment(Instant(record.due_millis))) } },
        ])
    };
    html! {
        div id={ "waiting-" (id) } data-part="waiting" data-every=[(!waiting.is_empty()).then_some(EVERY_SECONDS)] {
            @if !waiting.is_empty() {
                p.small { (locale.t("api-waiting")) }
                (Table::of(locale.t("api-waiting-list"), columns).show(waiting.iter().take(WAITING_SHOWN).map(row).collect()))
                @if waiting.len() > WAITING_SHOWN { p.small { (locale.with("api-waiting-first", &[("count", grouped(WAITING_SHOWN as u64))])) } }
            }
        }
    }
}

fn dead_table(signed: &SignedIn, dead: Deliveries) -> Markup {
    let locale = signed.locale;
    let mut columns: Vec<Column> =
        ["api-what", "api-since", "api-fault"].map(|head| Column::text(locale.t(head))).into();
    columns.push(Column::actions(locale.t("actions")));
    let row = |(id, record): (DeliveryId, DeliveryRecord)| {
        Row::of(vec![
            subject(locale, &record),
            html! { (locale.moment(Instant(record.since_millis))) },
            html! { @if let Some(fault) = &record.fault { (fault.words(locale.language)) } },
            html! { form.inline method="post" action="/console/api/webhooks/again" {
                (token(signed)) input type="hidden" name="webhook" value=(id.webhook);
                input type="hidden" name="delivery" value=(id.number);
                button.quiet { (locale.t("api-again")) }
            } },
        ])
    };
    Table::of(locale.t("api-dead-list"), columns).show(dead.into_iter().take(DEAD_SHOWN).map(row).collect())
}

/// A secret, which is shown this once.
fn shown_once(signed: &SignedIn, title: &str, secret: &str, help: &str) -> Response {
    let locale = signed.locale;
    let main = html! {
        p.notice role="status" { (locale.t(help)) }
        div.sheet { p { strong.code { (secret) } } }
        p { a href=(PAGE) { (locale.t("api")) } }
    };
    Page { title: locale.t(title), part: "api", main }.show(signed)
}

/// `POST /console/api/keys`: makes a key, and shows it once.
pub(super) async fn add(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let scopes: Result<BTreeSet<Scope>, Error> = form.all("scope").map(str::parse).collect();
    let scopes = scopes.map_err(|error| refuse(locale, &error).at("scope"))?;
    if scopes.is_empty() {
        return Err(refused(locale, 400, "api-no-scope").at("scope"));
    }
    let text = |name: &str| form.get(name).to_owned();
    let draft = KeyDraft { name: text("name"), platform: platform_of(locale, &form)?, shop: text("shop"), scopes };
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let made = signed.work(move || granary.add_api_key(by, number, draft, crate::environment::now()));
    let (_, key) = made.await.map_err(|refused| refused.on(&form))?;
    Ok(shown_once(&signed, "api-add-key", &key, "api-key-made"))
}

/// `POST /console/api/keys/revoke`
pub(super) async fn revoke(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    if form.get("sure") != "yes" {
        return Err(refused(signed.locale, 400, "form-field-wrong"));
    }
    let key: KeyId = form.get("key").parse().map_err(|_| refused(signed.locale, 404, "not-found"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.revoke_api_key(by, number, key, crate::environment::now())).await?;
    Ok(Redirect::to(PAGE).into_response())
}

/// `POST /console/api/webhooks`: makes a webhook, and shows its secret once.
pub(super) async fn add_webhook(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let events: BTreeSet<EventKind> = form.all("event").filter_map(EventKind::of_name).collect();
    if events.is_empty() {
        return Err(refused(locale, 400, "api-no-event").at("event"));
    }
    if let Ok(target) = Target::of(form.get("url"))
        && let Some(fault) = forbidden(&target, &signed.granary.webhook_networks()).await
    {
        return Err(unreadable(locale, "url", &fault));
    }
    let text = |name: &str| form.get(name).to_owned();
    let draft = WebhookDraft { url: text("url"), events, platform: platform_of(locale, &form)?, shop: text("shop") };
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let made = signed.work(move || granary.add_webhook(By::Principal(by), number, draft, crate::environment::now()));
    let (_, record) = made.await.map_err(|refused| refused.on(&form))?;
    Ok(shown_once(&signed, "api-add-webhook", &record.secret, "api-webhook-made"))
}

fn webhook_in(signed: &SignedIn, text: &str) -> Result<WebhookId, Refused> {
    text.parse().map_err(|error| refuse(signed.locale, &error))
}

/// `POST /console/api/webhooks/rotate`
pub(super) async fn rotate(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let id = webhook_in(&signed, form.get("webhook"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let rotated =
        signed.work(move || granary.rotate_webhook(By::Principal(by), number, id, crate::environment::now())).await?;
    Ok(shown_once(&signed, "api-rotate", &rotated.secret, "api-rotated"))
}

/// Back to the webhook, whose page says that something is on its way, and where it stands if it does not arrive.
fn sent(signed: &SignedIn, id: WebhookId) -> Response {
    signed.note_written();
    let told = Told { sentence: Some(signed.locale.t("api-sent")), ..Told::default() };
    told.with(Redirect::to(&format!("{PAGE}#{id}")).into_response())
}

/// `POST /console/api/webhooks/test`
pub(super) async fn test(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let id = webhook_in(&signed, form.get("webhook"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.test_webhook(&By::Principal(by), number, id, crate::environment::now())).await?;
    Ok(sent(&signed, id))
}

/// `POST /console/api/webhooks/remove`
pub(super) async fn remove(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    if form.get("sure") != "yes" {
        return Err(refused(signed.locale, 400, "form-field-wrong"));
    }
    let id = webhook_in(&signed, form.get("webhook"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.remove_webhook(By::Principal(by), number, id, crate::environment::now())).await?;
    Ok(Redirect::to(PAGE).into_response())
}

/// `POST /console/api/webhooks/again`
pub(super) async fn again(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let webhook = webhook_in(&signed, form.get("webhook"))?;
    let delivery = form.get("delivery").parse().map_err(|_| refused(signed.locale, 404, "not-found"))?;
    let id = DeliveryId { webhook, number: delivery };
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.revive_delivery(&By::Principal(by), number, id, crate::environment::now())).await?;
    Ok(sent(&signed, webhook))
}
