//! Order files: a platform's own export is brought, looked at and taken. A file needs no idempotency key: the same one of the same shop
//! has the same id, and nothing is taken twice.

mod shown;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use granary_client_core::quantities::is_hidden;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::IntoParams;

use self::shown::{ImportShown, ImportState, ImportsShown};
use super::caller::Caller;
use super::problem::{BodyRefusals, Problem, Refusals, UNAVAILABLE, WRONG_TYPE};
use crate::access::By;
use crate::access::api_keys::Scope;
use crate::engine::{Brought, Granary, ImportFault};
use crate::error::Error;
use crate::imports::BYTES_MAX;
use crate::log::CooperativeNumber;

/// Files that are read at once for programs; each takes memory for all that it says. People's are counted apart.
static READING: Semaphore = Semaphore::const_new(2);
/// Files that programs take at once.
static TAKING: Semaphore = Semaphore::const_new(1);
/// So long a request waits for a file to be taken; then it answers how far it is.
const TAKE_WAIT: Duration = Duration::from_secs(10);
/// Files that were taken, in a list at most.
const TAKEN_MAX: usize = 100;
const NAME_LETTERS_MAX: usize = 200;
const KIND: &str = "application/octet-stream";

/// What the file is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FileAsked {
    /// What the platform called it; the time of the export is read from it where it is there.
    #[param(required = true, min_length = 1, max_length = 200, example = "orders_20261127080000.csv")]
    file_name: Option<String>,
    /// The profile to read it by, where the answer was `profile-unclear`.
    #[param(max_length = 64)]
    profile: Option<String>,
}

async fn permit(of: &'static Semaphore) -> Result<SemaphorePermit<'static>, Problem> {
    of.acquire().await.map_err(|_| UNAVAILABLE.because("the server is stopping").after_seconds(5))
}

/// What is known of a file without reading it: one that is being taken, or that waits no more.
fn known(granary: &Granary, by: &By, number: CooperativeNumber, id: &str) -> Result<Option<ImportShown>, Error> {
    match granary.import_line(by, number, id, crate::environment::now()) {
        Some(line) if line.progress.is_some() => Ok(Some(ImportShown::of_line(line))),
        Some(_) => Ok(None),
        None => match granary.taken_import(by, number, id)? {
            Some(taken) => Ok(Some(ImportShown::of_taken(taken))),
            None => Err(ImportFault::Gone.into()),
        },
    }
}

/// A file as it stands now.
async fn look(caller: &Caller, id: &str) -> Result<ImportShown, Problem> {
    let (number, by) = (caller.key.cooperative, caller.by());
    for _ in 0..2 {
        let (by_known, asked) = (by.clone(), id.to_owned());
        if let Some(shown) = caller.work(move |granary| known(granary, &by_known, number, &asked)).await? {
            return Ok(shown);
        }
        let _reads = permit(&READING).await?;
        let (by, asked) = (by.clone(), id.to_owned());
        let read = move |granary: &Granary| match granary.waiting_import(&by, number, &asked, crate::environment::now())
        {
            // It was taken meanwhile.
            Err(Error::Import(ImportFault::Gone)) => Ok(None),
            other => other.map(|import| Some(ImportShown::of(import))),
        };
        if let Some(shown) = caller.work(read).await? {
            return Ok(shown);
        }
    }
    Err(Error::from(ImportFault::Gone).into())
}

fn file_name(asked: &FileAsked) -> Result<String, Problem> {
    let name = asked.file_name.as_deref().map(str::trim).unwrap_or_default();
    let fault = |code: &str, detail: &str| Err(Problem::field("file_name", code, detail));
    match name {
        "" => fault("missing", "say what the file is called: ?file_name=orders.csv"),
        _ if name.chars().count() > NAME_LETTERS_MAX => fault("too-long", "a file's name has 200 letters at most"),
        _ if name.chars().any(is_hidden) => {
            fault("control-characters", "the name has control characters, or marks that nobody sees")
        }
        _ => Ok(name.to_owned()),
    }
}

/// `POST /v1/imports`
#[utoipa::path(
    post, path = "/v1/imports", operation_id = "bringFile", tag = "imports", summary = "Bring a platform's order file, to be looked at",
    description = "The platform's own export as it is (CSV, xlsx, xls, or a table in HTML), 20 MB at most, of this key's platform. Nothing of \
        it is taken yet: the answer says what is in it, which rows are refused and why, and which goods nobody knows. It waits for a day, in \
        memory alone: a restart of the server loses it, and it is brought again. The same file again has the same id, so a repeat is \
        harmless.",
    security(("key" = ["orders:write"])), params(FileAsked),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses(
        (status = 201, description = "It can be read; its state is `taken` where it was taken before.", body = ImportShown,
            headers(("location" = String, description = "Where it is now."))),
        Refusals, BodyRefusals
    )
)]
pub(super) async fn bring(
    caller: Caller,
    Query(asked): Query<FileAsked>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.must(Scope::OrdersWrite)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(KIND) {
        return Err(WRONG_TYPE.because("send the file itself, with `Content-Type: application/octet-stream`"));
    }
    let file_name = file_name(&asked)?;
    let (bytes, _held) = caller.body(body, BYTES_MAX).await?;
    let _reads = permit(&READING).await?;
    let (number, by, now) = (caller.key.cooperative, caller.by(), caller.now);
    let profile = asked.profile.filter(|profile| !profile.is_empty());
    let brought = Brought { file_name, bytes, shop: caller.key.shop.clone(), profile };
    let import = caller.work(move |granary| granary.preview_import(&by, number, brought, now)).await?;
    let shown = ImportShown::of(import);
    let place = HeaderValue::from_str(&format!("/v1/imports/{}", shown.id));
    let mut response = (StatusCode::CREATED, Json(shown)).into_response();
    response.headers_mut().extend(place.ok().map(|place| (header::LOCATION, place)));
    Ok(response)
}

/// `GET /v1/imports`
#[utoipa::path(
    get, path = "/v1/imports", operation_id = "listImports", tag = "imports", summary = "Files of this shop", description = "",
    security(("key" = ["orders:write"])), responses((status = 200, description = "What waits, and what was taken.", body = ImportsShown), Refusals)
)]
pub(super) async fn list(caller: Caller) -> Result<Json<ImportsShown>, Problem> {
    caller.must(Scope::OrdersWrite)?;
    let (number, by, now) = (caller.key.cooperative, caller.by(), caller.now);
    let (waiting, taken) = caller
        .work(move |granary| Ok((granary.waiting_imports(&by, number, now), granary.imports(&by, number)?)))
        .await?;
    Ok(Json(ImportsShown {
        waiting: waiting.into_iter().map(ImportShown::of_line).collect(),
        taken: taken.into_iter().take(TAKEN_MAX).map(ImportShown::of_taken).collect(),
    }))
}

/// `GET /v1/imports/{id}`
#[utoipa::path(
    get, path = "/v1/imports/{id}", operation_id = "showImport", tag = "imports", summary = "One file: what it says, how far it is, what became of it",
    description = "", security(("key" = ["orders:write"])), params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The file.", body = ImportShown),
        (status = 404, description = "There is none of this id in this shop, or it waits no more: bring it again.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn show(caller: Caller, Path(id): Path<String>) -> Result<Json<ImportShown>, Problem> {
    caller.must(Scope::OrdersWrite)?;
    look(&caller, &id).await.map(Json)
}

/// `POST /v1/imports/{id}/take`
#[utoipa::path(
    post, path = "/v1/imports/{id}/take", operation_id = "takeImport", tag = "imports", summary = "Take a file's orders",
    description = "As if each was told by `POST /v1/orders`, at the time of the export; an older export never moves an order back. Rows that \
        are refused keep no other row back. It can be called again at any time: what was taken is not taken twice.",
    security(("key" = ["orders:write"])), params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "It was taken, now or before; `outcome` says what became of its orders.", body = ImportShown),
        (status = 202, description = "It is a large one and still being taken, which goes on by itself: ask again, here or by GET.", body = ImportShown),
        (status = 404, description = "There is none of this id in this shop, or it waits no more: bring it again.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "There is nothing in it to take, or it is half of a pair.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn take(caller: Caller, Path(id): Path<String>) -> Result<(StatusCode, Json<ImportShown>), Problem> {
    caller.must(Scope::OrdersWrite)?;
    let caller = Arc::new(caller);
    let (worker, asked) = (Arc::clone(&caller), id.clone());
    // It goes on where the caller does not wait for it.
    let taking = tokio::spawn(async move {
        let (number, by, now) = (worker.key.cooperative, worker.by(), worker.now);
        let (by_known, known_of) = (by.clone(), asked.clone());
        if worker.work(move |granary| known(granary, &by_known, number, &known_of)).await?.is_some() {
            return Ok(());
        }
        let _takes = permit(&TAKING).await?;
        let take = move |granary: &Granary| match granary.take_import(&by, number, &asked, now) {
            // Somebody else took it, or takes it: what it is now says so.
            Err(Error::Import(ImportFault::Taken { .. } | ImportFault::BeingTaken | ImportFault::Gone)) => Ok(()),
            other => other.map(drop),
        };
        worker.work(take).await
    });
    tokio::select! {
        taken = taking => taken.map_err(|error| Error::WorkFailed { reason: error.to_string() })??,
        () = tokio::time::sleep(TAKE_WAIT) => {}
    }
    let shown = look(&caller, &id).await?;
    let status = if shown.state == ImportState::Taken { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(shown)))
}
