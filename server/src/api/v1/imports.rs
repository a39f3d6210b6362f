//! Order files: a platform's own export is brought, looked at and taken. A file needs no idempotency key: the same one of the same shop
//! has the same id, and nothing is taken twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use granary_client_core::quantities::{Instant, is_hidden};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::problem::{BodyRefusals, Problem, Refusals, UNAVAILABLE, WRONG_TYPE};
use crate::access::By;
use crate::access::api_keys::Scope;
use crate::engine::{Granary, Import, ImportFault, ImportLine, TakenFile};
use crate::error::Error;
use crate::imports::{BYTES_MAX, FoundLine, Preview};
use crate::log::CooperativeNumber;

/// Files that are read at once for programs; each takes memory for all that it says. People's are counted apart.
static READING: Semaphore = Semaphore::const_new(2);
/// Files that programs take at once.
static TAKING: Semaphore = Semaphore::const_new(1);
/// So long a request waits for a file to be taken; then it answers how far it is.
const TAKE_WAIT: Duration = Duration::from_secs(10);
/// Codes and names of goods that nobody knows, at most; the others are counted.
const UNMAPPED_MAX: usize = 1_000;
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

/// Where a file stands: it `waits`, it is `being-taken`, or it was `taken`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ImportState {
    Waits,
    BeingTaken,
    Taken,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportShown {
    /// Its id; the same file of the same shop has it again.
    id: String,
    state: ImportState,
    file_name: String,
    platform: String,
    /// The shop; empty where there is one alone.
    shop: String,
    /// The profile that it is read by.
    profile: String,
    /// When it was brought; none once it waits no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    brought_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<PreviewShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeShown>,
}

/// What a file says, before anything of it is taken.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewShown {
    /// `csv`, `xlsx`, `xls` or `html`.
    kind: String,
    /// Of a text: `utf-8`, `utf-8-bom` or `gb18030`.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    /// When the platform knew this.
    told_at: String,
    /// Rows under the headings.
    records: u32,
    /// Orders that can be taken.
    orders: usize,
    lines: usize,
    packs: u64,
    /// Money of all lines, refunded and closed ones included.
    total_fen: u64,
    /// Lines to be packed.
    to_pack: usize,
    /// Lines that cost nothing.
    gifts: usize,
    /// Orders whose receiver is masked or enciphered.
    sealed_orders: usize,
    /// Lines by the state that the platform tells, such as `to-ship`.
    lines_by_status: BTreeMap<String, usize>,
    refused_rows: usize,
    /// All rows that can't be taken, by why.
    refused: Vec<RowsShown>,
    skipped_rows: usize,
    /// All rows that need not be taken, by why.
    skipped: Vec<RowsShown>,
    /// Codes and names that no SKU has; a coordinator says once what each is. The file can be taken before.
    unmapped_count: usize,
    /// The first thousand of them.
    unmapped: Vec<UnmappedShown>,
    /// The file that it is taken together with.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    /// The profile of the file that must be brought too: this one is half of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<String>,
}

/// Rows of one reason.
#[derive(Debug, Serialize, ToSchema)]
struct RowsShown {
    /// Why, for programs.
    code: String,
    /// Why, for people.
    detail: String,
    /// The rows' numbers as a spreadsheet counts them, from 1.
    rows: Vec<u32>,
}

/// Goods that no SKU is found for.
#[derive(Debug, Serialize, ToSchema)]
struct UnmappedShown {
    /// The merchant's code, or the goods' name where there is no code.
    what: String,
    /// True for a code.
    is_code: bool,
    rows: Vec<u32>,
}

/// How far the taking of a file is.
#[derive(Debug, Serialize, ToSchema)]
struct ProgressShown {
    /// Orders that were taken.
    done: usize,
    /// Of how many.
    of: usize,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
struct OutcomeShown {
    taken_at: String,
    /// Orders that were new.
    accepted: usize,
    /// Of these, orders with packs above what was set aside.
    over: usize,
    /// Known orders of which it told something new.
    updated: usize,
    /// Known orders of which it told nothing new.
    known: usize,
    not_taken_count: usize,
    /// The first hundred orders that were not taken.
    not_taken: Vec<NotTaken>,
    refused_rows: usize,
}

/// An order of a file that was not taken.
#[derive(Debug, Serialize, ToSchema)]
struct NotTaken {
    outside_id: String,
    field: String,
    code: String,
}

/// The files of the key's shop.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportsShown {
    /// Those that wait or are being taken, the latest first; `GET /v1/imports/{id}` has what one says.
    waiting: Vec<ImportShown>,
    /// The last hundred that were taken, the latest first.
    taken: Vec<ImportShown>,
}

impl ImportShown {
    fn of_line(line: ImportLine) -> Self {
        Self {
            state: if line.progress.is_some() { ImportState::BeingTaken } else { ImportState::Waits },
            id: line.id,
            file_name: line.file_name,
            platform: line.platform,
            shop: line.shop,
            profile: line.profile,
            brought_at: Some(line.at.to_string()),
            preview: None,
            progress: line.progress.map(|(done, of)| ProgressShown { done, of }),
            outcome: None,
        }
    }

    fn of(import: Import) -> Self {
        let mut shown = Self::of_line(import.line);
        if let Some(taken) = &import.taken {
            shown.state = ImportState::Taken;
            shown.outcome = Some(OutcomeShown::of(taken));
        }
        shown.preview = Some(PreviewShown::of(&import.preview, import.partner));
        shown
    }

    fn of_taken(taken: TakenFile) -> Self {
        Self {
            outcome: Some(OutcomeShown::of(&taken)),
            id: taken.id,
            state: ImportState::Taken,
            file_name: taken.file_name,
            platform: taken.platform,
            shop: taken.shop,
            profile: taken.profile,
            brought_at: None,
            preview: None,
            progress: None,
        }
    }
}

impl OutcomeShown {
    fn of(taken: &TakenFile) -> Self {
        let named = taken.not_taken.iter().cloned();
        Self {
            taken_at: Instant(taken.at_millis).to_string(),
            accepted: taken.accepted,
            over: taken.over,
            updated: taken.updated,
            known: taken.known,
            not_taken_count: taken.not_taken_count,
            not_taken: named.map(|(outside_id, field, code)| NotTaken { outside_id, field, code }).collect(),
            refused_rows: taken.refused_rows,
        }
    }
}

fn by_reason(rows: impl Iterator<Item = (u32, &'static str, String)>) -> Vec<RowsShown> {
    let mut found: BTreeMap<&'static str, RowsShown> = BTreeMap::new();
    for (row, code, detail) in rows {
        let reason = found.entry(code).or_insert_with(|| RowsShown { code: code.into(), detail, rows: Vec::new() });
        reason.rows.push(row);
    }
    found.into_values().collect()
}

impl PreviewShown {
    fn of(preview: &Preview, partner: Option<String>) -> Self {
        let sums = preview.sums();
        let mut unmapped: BTreeMap<(bool, &str), Vec<u32>> = BTreeMap::new();
        for line in preview.unmapped() {
            unmapped.entry((!line.code.is_empty(), FoundLine::what(line))).or_default().push(line.record);
        }
        let other = preview.lines_in.as_ref().or(preview.orders_in.as_ref());
        Self {
            kind: preview.kind.code().to_owned(),
            encoding: preview.encoding.map(|encoding| encoding.code().to_owned()),
            told_at: preview.told_at.to_string(),
            records: preview.records,
            orders: preview.orders.len(),
            lines: sums.lines,
            packs: sums.packs,
            total_fen: sums.total_fen,
            to_pack: sums.to_pack,
            gifts: sums.gifts,
            sealed_orders: sums.sealed_orders,
            lines_by_status: sums.by_state.iter().map(|(it, count)| (it.code().replace('_', "-"), *count)).collect(),
            refused_rows: preview.refused.len(),
            refused: by_reason(preview.refused.iter().map(|(row, why)| (*row, why.code(), why.to_string()))),
            skipped_rows: preview.skipped.len(),
            skipped: by_reason(preview.skipped.iter().map(|(row, why)| (*row, why.code(), why.to_string()))),
            unmapped_count: unmapped.len(),
            unmapped: unmapped
                .into_iter()
                .take(UNMAPPED_MAX)
                .map(|((is_code, what), rows)| UnmappedShown { what: what.to_owned(), is_code, rows })
                .collect(),
            needs: other.filter(|_| partner.is_none()).cloned(),
            partner,
        }
    }
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
    let brought = crate::engine::Brought { file_name, bytes, shop: caller.key.shop.clone(), profile };
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
