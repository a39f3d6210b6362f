//! Webhooks: where a shop's program is told what happened.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use granary_client_core::quantities::Instant;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Caller;
use super::json::{Faults, Fields, Place, Read, read};
use super::problem::{BodyRefusals, NOT_FOUND, NOTHING, Problem, Refusals};
use crate::access::webhooks::{DeliveryRecord, EventKind, WebhookId, WebhookRecord};
use crate::engine::webhooks::WebhookDraft;
use crate::hooks::{DeliveryId, Target, forbidden};

/// Bytes of a body that sets a webhook.
const BYTES_MAX: usize = 16 * 1024;

/// A webhook that is to be.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description; the fields are read one by one")]
pub(super) struct WebhookSet {
    /// Where to: https, or http in a network that the operator allows.
    #[schema(max_length = 500, example = "https://shop.example/granary")]
    url: String,
    /// Of what: `order.changed` needs the scope `orders:read`, `pool.changed` needs `stock:read`.
    #[schema(min_items = 1, example = json!(["order.changed"]))]
    events: Vec<EventWord>,
}

/// What can be told of.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the description")]
enum EventWord {
    #[schema(rename = "order.changed")]
    OrderChanged,
    #[schema(rename = "pool.changed")]
    PoolChanged,
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookShown {
    /// Its id.
    id: String,
    /// Where it leads.
    url: String,
    /// Of what it tells.
    events: Vec<&'static str>,
    /// The secret that signs, shown when it is made and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Until when the secret before it signs too; none where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_until: Option<String>,
    /// When it was made.
    made_at: String,
}

/// The webhooks of the key's shop.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhooksShown {
    webhooks: Vec<WebhookShown>,
}

/// A delivery that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadShown {
    /// Its number, for `…/dead/{number}/again`.
    number: u64,
    /// Such as `order.changed`.
    r#type: String,
    /// When it was to go first.
    since: String,
    /// When it was given up.
    given_up_at: String,
    /// How often it was tried.
    attempts: u32,
    /// Why the last attempt failed.
    fault: String,
    /// What is sent.
    body: Value,
}

/// What was given up, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadList {
    dead: Vec<DeadShown>,
}

impl WebhookShown {
    fn of(id: WebhookId, record: &WebhookRecord, shows_secret: bool, now: Instant) -> Self {
        let old = record.old_secret.as_ref().map(|(_, until)| Instant(*until)).filter(|until| *until > now);
        Self {
            id: id.to_string(),
            url: record.url.clone(),
            events: record.events.iter().map(|kind| kind.name()).collect(),
            secret: shows_secret.then(|| record.secret.clone()),
            old_secret_until: old.map(|until| until.to_string()),
            made_at: Instant(record.made_millis).to_string(),
        }
    }
}

impl Caller {
    /// Webhooks are read and set by a key that may read at least what they tell.
    fn must_read(&self, events: &BTreeSet<EventKind>) -> Result<(), Problem> {
        events.iter().try_for_each(|kind| self.must(kind.scope()))
    }

    /// For calls that name no event: any of the scopes will do.
    fn must_read_something(&self) -> Result<(), Problem> {
        let one = EventKind::ALL.into_iter().find(|kind| self.key.scopes.contains(&kind.scope()));
        self.must(one.unwrap_or(EventKind::OrderChanged).scope())
    }
}

fn webhook_id(text: &str) -> Result<WebhookId, Problem> {
    text.parse().map_err(|_| NOT_FOUND.because(NOTHING))
}

async fn draft(caller: &Caller, body: &Read) -> Result<(String, BTreeSet<EventKind>), Problem> {
    let mut faults = Faults::default();
    let mut fields = Fields { map: &body.fields, place: Place::default(), faults: &mut faults };
    fields.known(&["url", "events"]);
    let url = fields.required("url", |fields| fields.text("url", crate::hooks::URL_MAX));
    let listed = fields.required("events", |fields| Some(fields.list("events"))).unwrap_or_default();
    let mut events = BTreeSet::new();
    for event in &listed {
        match event.as_str().and_then(EventKind::of_name) {
            Some(kind) => drop(events.insert(kind)),
            None => fields.fault("events", "event-unknown", "events are order.changed and pool.changed"),
        }
    }
    match url.as_deref().map(Target::of) {
        Some(Err(fault)) => fields.fault("url", "url-bad", fault.to_string()),
        Some(Ok(target)) => {
            if let Some(fault) = forbidden(&target, &caller.shared.granary.webhook_networks()).await {
                fields.fault("url", "url-forbidden", fault.to_string());
            }
        }
        None => {}
    }
    if listed.is_empty() {
        fields.fault("events", "missing", "name an event at least");
    }
    faults.none()?;
    Ok((url.unwrap_or_default(), events))
}

/// `GET /v1/webhooks`
#[utoipa::path(
    get, path = "/v1/webhooks", operation_id = "listWebhooks", tag = "webhooks", summary = "The webhooks of this shop", description = "",
    security(("key" = [])), responses((status = 200, description = "All of them.", body = WebhooksShown), Refusals)
)]
pub(super) async fn list(caller: Caller) -> Result<Json<WebhooksShown>, Problem> {
    caller.must_read_something()?;
    let (number, by) = (caller.key.cooperative, caller.by());
    let found = caller
        .work(move |granary| {
            let all = granary.webhooks(number)?;
            Ok(all.into_iter().filter(|(_, record)| by.may(&record.platform, &record.shop)).collect::<Vec<_>>())
        })
        .await?;
    let shown = found.iter().map(|(id, record)| WebhookShown::of(*id, record, false, caller.now)).collect();
    Ok(Json(WebhooksShown { webhooks: shown }))
}

/// `POST /v1/webhooks`
#[utoipa::path(
    post, path = "/v1/webhooks", operation_id = "addWebhook", tag = "webhooks", summary = "Make a webhook",
    description = "It is told what happens to this shop's orders and pools from now on, as {id, type, at, data}, signed in the header \
        Granary-Signature: t=…,v1=HMAC-SHA256(secret, t.body). Its answer is to be 2xx within 5 seconds; else it goes again after a \
        minute, then after twice as long, for 24 hours. It ends with the key that made it.",
    security(("key" = ["orders:read"])), request_body(content = WebhookSet, description = "Where to, and of what."),
    responses((status = 201, description = "It is made; this is the only time that its secret is shown.", body = WebhookShown), Refusals, BodyRefusals)
)]
pub(super) async fn add(
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<WebhookShown>), Problem> {
    caller.must_read_something()?;
    let (url, events) = draft(&caller, &read(&caller, &headers, body, BYTES_MAX).await?).await?;
    caller.must_read(&events)?;
    let (number, by, now) = (caller.key.cooperative, caller.by(), caller.now);
    let (platform, shop) = (caller.key.platform.clone(), caller.key.shop.clone());
    let draft = WebhookDraft { url, events, platform, shop };
    let (id, record) = caller.work(move |granary| granary.add_webhook(by, number, draft, now)).await?;
    Ok((StatusCode::CREATED, Json(WebhookShown::of(id, &record, true, now))))
}

/// `PUT /v1/webhooks/{id}`
#[utoipa::path(
    put, path = "/v1/webhooks/{id}", operation_id = "changeWebhook", tag = "webhooks", summary = "Change a webhook",
    description = "Its secret stays.", security(("key" = ["orders:read"])),
    params(("id" = String, Path, description = "Its id.")), request_body(content = WebhookSet, description = "Where to, and of what."),
    responses(
        (status = 200, description = "It is changed.", body = WebhookShown),
        (status = 404, description = "There is none of this id.", body = Problem, content_type = "application/problem+json"),
        Refusals, BodyRefusals
    )
)]
pub(super) async fn change(
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<WebhookShown>, Problem> {
    caller.must_read_something()?;
    let (id, change) = (webhook_id(&id)?, draft(&caller, &read(&caller, &headers, body, BYTES_MAX).await?).await?);
    caller.must_read(&change.1)?;
    let (number, by, now) = (caller.key.cooperative, caller.by(), caller.now);
    let record = caller.work(move |granary| granary.change_webhook(by, number, id, change, now)).await?;
    Ok(Json(WebhookShown::of(id, &record, false, now)))
}

/// `DELETE /v1/webhooks/{id}`
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", operation_id = "removeWebhook", tag = "webhooks", summary = "Remove a webhook",
    description = "What waits for it goes too.", security(("key" = [])), params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is none of this id.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn remove(caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    caller.must_read_something()?;
    let (number, by, now, id) = (caller.key.cooperative, caller.by(), caller.now, webhook_id(&id)?);
    caller.work(move |granary| granary.remove_webhook(by, number, id, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/webhooks/{id}/rotate`
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/rotate", operation_id = "rotateWebhook", tag = "webhooks", summary = "Another secret",
    description = "The one before signs beside it for a week.", security(("key" = [])),
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The new secret, shown this once.", body = WebhookShown),
        (status = 404, description = "There is none of this id.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn rotate(caller: Caller, Path(id): Path<String>) -> Result<Json<WebhookShown>, Problem> {
    caller.must_read_something()?;
    let (number, by, now, id) = (caller.key.cooperative, caller.by(), caller.now, webhook_id(&id)?);
    let record = caller.work(move |granary| granary.rotate_webhook(by, number, id, now)).await?;
    Ok(Json(WebhookShown::of(id, &record, true, now)))
}

/// `POST /v1/webhooks/{id}/test`
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", operation_id = "testWebhook", tag = "webhooks", summary = "Send something to try it",
    description = "Its type is `test`.", security(("key" = [])), params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 202, description = "It is on its way."),
        (status = 404, description = "There is none of this id.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn test(caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    caller.must_read_something()?;
    let (number, by, now, id) = (caller.key.cooperative, caller.by(), caller.now, webhook_id(&id)?);
    caller.work(move |granary| granary.test_webhook(&by, number, id, now)).await?;
    Ok(StatusCode::ACCEPTED)
}

fn dead_shown((id, record): (DeliveryId, DeliveryRecord)) -> DeadShown {
    DeadShown {
        number: id.number,
        r#type: record.kind,
        since: Instant(record.since_millis).to_string(),
        given_up_at: Instant(record.due_millis).to_string(),
        attempts: record.attempts,
        fault: record.fault.map(|fault| fault.to_string()).unwrap_or_default(),
        body: serde_json::from_slice(&record.body).unwrap_or_default(),
    }
}

/// `GET /v1/webhooks/{id}/dead`
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/dead", operation_id = "listDead", tag = "webhooks", summary = "What was given up",
    description = "The newest 1,000.", security(("key" = [])), params(("id" = String, Path, description = "The webhook's id.")),
    responses(
        (status = 200, description = "The newest first.", body = DeadList),
        (status = 404, description = "There is none of this id.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn dead(caller: Caller, Path(id): Path<String>) -> Result<Json<DeadList>, Problem> {
    caller.must_read_something()?;
    let (number, by, id) = (caller.key.cooperative, caller.by(), webhook_id(&id)?);
    let found = caller.work(move |granary| granary.dead_deliveries(&by, number, id)).await?;
    Ok(Json(DeadList { dead: found.into_iter().map(dead_shown).collect() }))
}

/// `POST /v1/webhooks/{id}/dead/{number}/again`
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/dead/{number}/again", operation_id = "sendAgain", tag = "webhooks",
    summary = "Send again what was given up", description = "", security(("key" = [])),
    params(("id" = String, Path, description = "The webhook's id."), ("number" = u64, Path, description = "The delivery's number.")),
    responses(
        (status = 202, description = "It is on its way."),
        (status = 404, description = "There is none of this id.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn again(caller: Caller, Path((id, delivery)): Path<(String, u64)>) -> Result<StatusCode, Problem> {
    caller.must_read_something()?;
    let (number, by, now) = (caller.key.cooperative, caller.by(), caller.now);
    let id = DeliveryId { webhook: webhook_id(&id)?, number: delivery };
    caller.work(move |granary| granary.revive_delivery(&by, number, id, now)).await?;
    Ok(StatusCode::ACCEPTED)
}
