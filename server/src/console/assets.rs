//! Style and script, embedded in the program and named by their content, so that browsers cache them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};

/// Tokens first: all else uses their names alone.
const STYLE: &str = concat!(
    include_str!("assets/style/tokens.css"),
    include_str!("assets/style/base.css"),
    include_str!("assets/style/frame.css"),
    include_str!("assets/style/parts.css"),
    include_str!("assets/style/print.css"),
);
const SCRIPT: &str = include_str!("assets/console.js");

fn name_of(content: &str, suffix: &str) -> String {
    let hash = digest(&SHA256, content.as_bytes());
    let short: String = hash.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{short}.{suffix}")
}

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| name_of(STYLE, "css"));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name_of(SCRIPT, "js"));

/// The path of the style.
pub(super) fn style() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// The path of the script.
pub(super) fn script() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

/// `GET /assets/{file}`
pub(super) async fn give(Path(file): Path<String>) -> Response {
    let (kind, content) = match file {
        file if file == *STYLE_NAME => ("text/css; charset=utf-8", STYLE),
        file if file == *SCRIPT_NAME => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, content).into_response()
}
