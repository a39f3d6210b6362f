//! The page that shows the description: made from it, with the console's looks and without a script.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::problem::KINDS;
use crate::console::reading_page;

/// Names that lead deeper are followed so far, so that a shape within itself ends.
const DEPTH_MAX: usize = 6;

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let all = serde_json::to_value(crate::api::description()).unwrap_or_default();
    content(&all).into_string()
});

/// `GET /v1/docs`
#[utoipa::path(
    get, path = "/v1/docs", operation_id = "readDescription", tag = "key", summary = "This description, to read", description = "",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html; charset=utf-8"))
)]
pub(super) async fn show() -> Response {
    reading_page("Granary /v1", &html! { (maud::PreEscaped(PAGE.as_str())) })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flatten()
}

/// The shape that a name stands for.
fn followed<'a>(all: &'a Value, shape: &'a Value) -> &'a Value {
    let name = text(shape, "$ref").strip_prefix('#');
    name.and_then(|name| all.pointer(name)).unwrap_or(shape)
}

/// What a value is, in a few words.
fn kind(all: &Value, shape: &Value) -> String {
    let shape = followed(all, shape);
    let choices: Vec<String> =
        list(shape, "enum").iter().filter_map(Value::as_str).map(|it| format!("“{it}”")).collect();
    if !choices.is_empty() {
        return choices.join(" | ");
    }
    let kinds = match shape.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    };
    let one_of: Vec<String> = list(shape, "oneOf")
        .iter()
        .chain(list(shape, "anyOf"))
        .filter(|shape| text(shape, "type") != "null")
        .map(|shape| kind(all, shape))
        .collect();
    let mut words = if kinds.is_empty() { one_of.join(" | ") } else { kinds.join(" | ") };
    if let Some(items) = shape.get("items") {
        words = format!("list of {}", kind(all, items));
    }
    for (bound, sign) in [
        ("minimum", "≥"),
        ("maximum", "≤"),
        ("minLength", "≥ letters"),
        ("maxLength", "≤ letters"),
        ("maxItems", "≤ items"),
    ] {
        if let Some(bound) = shape.get(bound) {
            words = format!("{words}, {sign} {bound}");
        }
    }
    match text(shape, "pattern") {
        "" => words,
        pattern => format!("{words}, {pattern}"),
    }
}

/// The fields of a shape and of those within it, each with what it says.
fn fields(all: &Value, shape: &Value, before: &str, depth: usize, found: &mut Vec<(String, String, String, bool)>) {
    let shape = followed(all, shape);
    if depth > DEPTH_MAX {
        return;
    }
    if let Some(items) = shape.get("items") {
        return fields(all, items, &format!("{before}[]"), depth.saturating_add(1), found);
    }
    for within in list(shape, "oneOf").iter().chain(list(shape, "allOf")) {
        fields(all, within, before, depth.saturating_add(1), found);
    }
    for (name, field) in entries(shape, "properties") {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let is_required = list(shape, "required").iter().any(|required| required.as_str() == Some(name));
        let says = match text(field, "description") {
            "" => text(followed(all, field), "description"),
            says => says,
        };
        found.push((path.clone(), kind(all, field), says.to_owned(), is_required));
        fields(all, field, &path, depth.saturating_add(1), found);
    }
}

fn table(all: &Value, shape: &Value) -> Markup {
    let mut found = Vec::new();
    fields(all, shape, "", 0, &mut found);
    html! {
        @if found.is_empty() { p.small { (kind(all, shape)) } } @else {
            div.scroll { table.stack {
                thead { tr { th scope="col" { "field" } th scope="col" { "is" } th scope="col" { "says" } } }
                tbody { @for (path, kind, says, is_required) in found { tr {
                    td { code { (path) } @if !is_required { " " span.small { "optional" } } }
                    td data-label="is" { (kind) }
                    td data-label="says" { (says) }
                } } }
            } }
        }
    }
}

fn body(all: &Value, value: &Value, name: &str) -> Markup {
    html! {
        @for (media, content) in entries(value, "content").filter(|(media, _)| !media.contains("problem")) {
            h4 { (name) " " code { (media) } }
            @if let Some(shape) = content.get("schema") { (table(all, shape)) }
        }
    }
}

fn operation(all: &Value, path: &str, method: &str, it: &Value) -> Markup {
    let scopes: Vec<&str> = list(it, "security")
        .iter()
        .filter_map(|one| one.get("key")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    html! {
        section.card id=(text(it, "operationId")) {
            h3 { code { (method.to_uppercase()) " " (path) } " " (text(it, "summary")) }
            @if !text(it, "description").is_empty() { p { (text(it, "description")) } }
            @if !scopes.is_empty() { p.small { "Needs the scope " (scopes.join(", ")) "." } }
            @if !list(it, "parameters").is_empty() {
                ul { @for parameter in list(it, "parameters") {
                    li { code { (text(parameter, "name")) } " (" (text(parameter, "in")) ", "
                        (kind(all, parameter.get("schema").unwrap_or(&Value::Null))) ") " (text(parameter, "description")) }
                } }
            }
            @if let Some(request) = it.get("requestBody") { (body(all, request, "Body")) }
            @for (status, answer) in entries(it, "responses").filter(|(status, _)| status.starts_with('2')) {
                p { strong { (status) } " " (text(answer, "description")) }
                (body(all, answer, "Answer"))
            }
            p.small { "Refused with: "
                @for (status, answer) in entries(it, "responses").filter(|(status, _)| !status.starts_with('2')) {
                    (status) " " (text(answer, "description")) " "
                } }
        }
    }
}

fn content(all: &Value) -> Markup {
    let mut parts: BTreeMap<&str, Vec<Markup>> = BTreeMap::new();
    for (path, methods) in entries(all, "paths") {
        for (method, it) in methods.as_object().into_iter().flatten() {
            let tag = list(it, "tags").first().and_then(Value::as_str).unwrap_or("other");
            parts.entry(tag).or_default().push(operation(all, path, method, it));
        }
    }
    // What phones call comes last: a shop's program has no use for it.
    let order = |tag: &str| matches!(tag, "phones" | "watching");
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(tag, _)| order(tag));
    html! {
        p { (text(all.get("info").unwrap_or(&Value::Null), "description")) }
        p { "For programs: " a href="/openapi.json" { "/openapi.json" } " (OpenAPI " (text(all, "openapi")) ")." }
        p { "Send " code { "Authorization: Bearer grn_…" } " with each request. Times are RFC 3339 with a zone, money is whole fen, \
            what is sold is whole packs." }
        @for (tag, operations) in parts {
            h2 id=(tag) { (tag) }
            @for operation in operations { (operation) }
        }
        h2 #problems { "Refusals" }
        p { "Each is problem+json; its " code { "type" } " leads here." }
        dl { @for kind in KINDS {
            dt id=(kind.0) { code { (kind.0) } " " (kind.status()) }
            dd { (kind.title()) }
        } }
    }
}
