//! The phone in the browser: its files below `/app/`. A browser that takes brotli gets them as they are kept.

mod files;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::state::{Exported, Shared};
use files::File;
pub(crate) use files::WebApp;

/// Nothing from elsewhere, nothing inline; the core is WebAssembly.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

const INDEX: &str = "index.html";
const NOT_BUILT: &str = include_str!("not_built.html");
const NOT_TRUSTED: &str = include_str!("not_trusted.html");

/// The routes of the app.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/app", get(|| async { Redirect::permanent("/app/") }))
        .route("/app/", get(begin))
        .route("/app/{*path}", get(give))
        .layer(from_fn(with_headers))
}

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        ("content-security-policy", CONTENT_POLICY),
        ("permissions-policy", "camera=(self)"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `GET /app/`: the app's first page; where browsers do not trust the certificate, a page that says what to do, since nothing
/// would be kept for the next start without a line.
async fn begin(
    state: State<Shared>,
    Extension(Exported(channel)): Extension<Exported>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    if channel.is_some() && !state.public_address.is_trusted_by_browsers() && state.web_app.is_there() {
        return page(StatusCode::OK, NOT_TRUSTED);
    }
    give(state, Path(INDEX.to_owned()), query, headers).await
}

/// `GET /app/{path}`
async fn give(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let app = Arc::clone(&shared.web_app);
    let found = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || app.file(&path)).await.ok().flatten()
    };
    match found {
        Some(file) => answer(&path, &file, query.as_deref(), &headers),
        None if !shared.web_app.is_there() => page(StatusCode::NOT_FOUND, NOT_BUILT),
        None => (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-cache")], "there is nothing at this address\n")
            .into_response(),
    }
}

fn page(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text)
        .into_response()
}

fn answer(path: &str, file: &File, query: Option<&str>, headers: &HeaderMap) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let packed = file.packed.as_ref().filter(|_| takes_brotli(text(header::ACCEPT_ENCODING)));
    let tag = format!("\"{}{}\"", file.hash, if packed.is_some() { "-br" } else { "" });
    // These name the others, so a browser must always ask whether they are the same.
    let is_entry = matches!(path, INDEX | "sw.js") || path.starts_with("manifest");
    let is_final = !is_entry && file.never_changes_at(query);
    let mut answer = match has_tag(text(header::IF_NONE_MATCH), &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => (StatusCode::OK, packed.unwrap_or(&file.plain).clone()).into_response(),
    };
    let is_whole = answer.status() == StatusCode::OK;
    let out = answer.headers_mut();
    out.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if is_final { "public, max-age=31536000, immutable" } else { "no-cache" }),
    );
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if is_whole {
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
        if packed.is_some() {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
    }
    answer
}

/// True where a list of encodings has brotli, and not to be left out.
fn takes_brotli(accepted: &str) -> bool {
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let is_refused =
            parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.bytes().all(|it| matches!(it, b'0' | b'.')));
        is_it && !is_refused
    })
}

fn has_tag(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_given_to_who_takes_it() {
        for takes in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5, BR;q=0.1"] {
            assert!(takes_brotli(takes), "{takes}");
        }
        for not in ["", "gzip", "br;q=0", "br; q=0.0, gzip", "abr"] {
            assert!(!takes_brotli(not), "{not}");
        }
    }

    #[test]
    fn known_tags_are_found_in_a_list() {
        for known in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(has_tag(known, "\"a\""), "{known}");
        }
        assert!(!has_tag("", "\"a\"") && !has_tag("\"ab\"", "\"a\""));
    }
}
