//! Requests under an idempotency key: worked on once, and answered the same for a week.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::caller::Caller;
use super::problem::{KEY_REUSED, Problem, STILL_RUNNING, TOO_OFTEN, Told};
use crate::engine::kept_answers::KeptAnswer;

const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

fn key_in(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(HEADER) else { return Ok(None) };
    let text = given.to_str().ok().map(str::trim).filter(|text| (1..=64).contains(&text.len()));
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let bad =
        || Problem::field(HEADER, "idempotency-key-bad", "an idempotency key has 1 to 64 visible ASCII characters");
    text.map(|text| Some(text.to_owned())).ok_or_else(bad)
}

fn response(status: u16, body: Vec<u8>, is_replayed: bool) -> Response {
    let told: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let told = told.as_ref().and_then(|told| told.get("type")?.as_str()?.rsplit('#').next().map(str::to_owned));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    if !status.is_success() {
        response.extensions_mut().insert(Told(told.unwrap_or_default()));
    }
    if is_replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Works on a request, once under its idempotency key where it has one. `what` is the method and address.
pub(super) async fn once<R: Serialize>(
    caller: &Caller,
    headers: &HeaderMap,
    what: &str,
    body: &[u8],
    work: impl Future<Output = Result<(StatusCode, R), Problem>>,
) -> Result<Response, Problem> {
    let answer = |done: Result<(StatusCode, R), Problem>| match done {
        Ok((status, shown)) => (status.as_u16(), serde_json::to_vec(&shown).unwrap_or_default()),
        Err(problem) => (problem.status, serde_json::to_vec(&problem).unwrap_or_default()),
    };
    let Some(name) = key_in(headers)? else {
        let (status, shown) = work.await?;
        return Ok((status, axum::Json(shown)).into_response());
    };
    let hash: [u8; 32] =
        digest(&SHA256, &[what.as_bytes(), b"\0", body].concat()).as_ref().try_into().unwrap_or([0; 32]);
    let still_running =
        || STILL_RUNNING.because("this request is still worked on; ask again in a moment").after_seconds(1);
    let _running = caller.shared.granary.run_once(caller.key.id, &name).ok_or_else(still_running)?;
    let (key, number, now, looked) = (caller.key.id, caller.key.cooperative, caller.now, name.clone());
    let kept = caller.work(move |granary| granary.kept_answer(number, key, &looked, now)).await?;
    match kept {
        Some(kept) if kept.request != hash => {
            return Err(KEY_REUSED.because("this idempotency key was used for another request; take a new one"));
        }
        Some(kept) => return Ok(response(kept.status, kept.body, true)),
        None => {}
    }
    if !caller.shared.granary.has_room_for_answers(key) {
        let detail =
            "too many answers are kept for this key; send without an idempotency key: ids make repeats harmless";
        return Err(TOO_OFTEN.because(detail).after_seconds(3600));
    }
    let done = work.await;
    if let Err(problem) = &done
        && !matches!(problem.status, 400 | 404 | 409 | 410 | 413 | 415 | 422)
    {
        // What may go better the next time is not kept.
        return done.map(|(status, shown)| (status, axum::Json(shown)).into_response());
    }
    let (status, bytes) = answer(done);
    let kept = KeptAnswer { at_millis: now.0, request: hash, status, body: bytes.clone() };
    caller.work(move |granary| granary.keep_answer(number, key, &name, kept)).await?;
    Ok(response(status, bytes, false))
}
