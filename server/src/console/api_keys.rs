//! Keys of shops' programs, and the addresses to which what happens is sent: made, revoked, tried, sent again.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use maud::{Markup, html};

use super::inputs::{Inputs, REQUIRED, TEXT, sure};
use super::page::{Page, token};
use super::parts::{Column, Row, Table};
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::By;
use crate::access::api_keys::{ApiKeyLine, KeyDraft, KeyId, Scope};
use crate::access::webhooks::{DeliveryRecord, EventKind, WebhookId, WebhookRecord};
use crate::engine::webhooks::WebhookDraft;
use crate::error::Error;
use crate::hooks::DeliveryId;

const PAGE: &str = "/console/api";
const ADD: &str = "/console/api/keys";
const HOOK: &str = "/console/api/webhooks";
/// Deliveries that were given up and are listed at most.
const DEAD_SHOWN: usize = 50;

type Dead = Vec<(DeliveryId, DeliveryRecord)>;

fn shop_of(platform: &str, shop: &str) -> String {
    if shop.is_empty() { platform.to_owned() } else { format!("{platform} / {shop}") }
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
                hooks.push((id, record, dead));
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
                label { (locale.t("api-platform")) (new.empty("platform", REQUIRED.at_most(32))) }
                label { (locale.t("api-shop")) (new.empty("shop", TEXT.at_most(32))) }
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
        @for (id, record, dead) in hooks { (webhook(&signed, id, &record, dead)) }
        section #hook { h2 { (locale.t("api-add-webhook")) }
            form.card method="post" action=(HOOK) {
                (hook.hidden())
                label { (locale.t("api-url")) (hook.empty("url", REQUIRED.at_most(500))) }
                label { (locale.t("api-platform")) (hook.empty("platform", REQUIRED.at_most(32))) }
                label { (locale.t("api-shop")) (hook.empty("shop", TEXT.at_most(32))) }
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
    let heads = ["api-name", "api-platform", "api-scopes", "api-made", "api-used"];
    let mut columns: Vec<Column> = heads.map(|head| Column::text(locale.t(head))).into();
    columns.push(Column::actions(locale.t("actions")));
    let row = |line: ApiKeyLine| {
        let id = line.id.to_string();
        let scopes: Vec<&str> = line.scopes.iter().map(|scope| scope.name()).collect();
        Row::of(vec![
            html! { (line.name) " " code.small { (id) } @if line.revoked.is_some() { " " span.mark { (locale.t("revoked")) } } },
            html! { (shop_of(&line.platform, &line.shop)) },
            html! { (scopes.join(" ")) },
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

fn webhook(signed: &SignedIn, id: WebhookId, record: &WebhookRecord, dead: Dead) -> Markup {
    let locale = signed.locale;
    let events: Vec<&str> = record.events.iter().map(|event| event.name()).collect();
    let count = dead.len();
    html! {
        section.card id=(id) data-item {
            h3 { (record.url) }
            p.small { (shop_of(&record.platform, &record.shop)) " · " (events.join(" ")) " · " (locale.moment(Instant(record.made_millis)))
                @if let Some(key) = record.key { " · " (locale.t("api-of-key")) " " code { (key) }
                    @if !signed.granary.is_api_key_open(key) { " " span.mark { (locale.t("revoked")) } } } }
            (button(signed, "/console/api/webhooks/test", id, "quiet", "api-test"))
            (button(signed, "/console/api/webhooks/rotate", id, "quiet", "api-rotate"))
            (button(signed, "/console/api/webhooks/remove", id, "danger", "api-remove"))
            @if count > 0 {
                p.notice { (locale.with("api-dead", &[("count", count.to_string())])) }
                (dead_table(signed, dead))
            }
        }
    }
}

fn dead_table(signed: &SignedIn, dead: Dead) -> Markup {
    let locale = signed.locale;
    let mut columns: Vec<Column> =
        ["api-what", "api-since", "api-fault"].map(|head| Column::text(locale.t(head))).into();
    columns.push(Column::actions(locale.t("actions")));
    let row = |(id, record): (DeliveryId, DeliveryRecord)| {
        Row::of(vec![
            html! { (record.subject) " " span.small { (record.kind) } },
            html! { (locale.moment(Instant(record.since_millis))) },
            html! { (record.fault) },
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
    let text = |name: &str| form.get(name).to_owned();
    let draft = KeyDraft { name: text("name"), platform: text("platform"), shop: text("shop"), scopes };
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
    let text = |name: &str| form.get(name).to_owned();
    let draft = WebhookDraft { url: text("url"), events, platform: text("platform"), shop: text("shop") };
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

/// `POST /console/api/webhooks/test`
pub(super) async fn test(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let id = webhook_in(&signed, form.get("webhook"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.test_webhook(&By::Principal(by), number, id, crate::environment::now())).await?;
    Ok(Redirect::to(&format!("{PAGE}#{id}")).into_response())
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
    Ok(Redirect::to(&format!("{PAGE}#{webhook}")).into_response())
}
