//! Where a request was made: a form of another site must not sign a browser in or out, nor do anything else here.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::cookies::locale_of;
use super::forms::discard;
use super::refusal::refused;

/// False when a browser says that another site made the request. Programs that are no browser say nothing, and have no
/// cookies that another site could use.
pub(super) fn is_from_here(uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    // HTTP/2 has no Host header; the address stands in the request itself.
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(header::HOST));
    host.is_some() && origin.strip_prefix("https://") == host
}

/// Refuses whatever another site sends to the console, whether somebody is signed in or not.
pub(super) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_from_here(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let locale = locale_of(request.headers());
    discard(request.into_body()).await;
    refused(locale, 403, "form-not-yours").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_are_from_here() {
        let asked = |uri: &str, pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            pairs.iter().for_each(|(name, value)| drop(headers.insert(*name, value.parse().unwrap())));
            is_from_here(&uri.parse().unwrap(), &headers)
        };
        assert!(asked("/x", &[("host", "g.example:443"), ("origin", "https://g.example:443")]));
        assert!(asked("https://g.example/x", &[("origin", "https://g.example")]), "HTTP/2");
        assert!(asked("/x", &[("sec-fetch-site", "same-origin")]));
        assert!(asked("/x", &[]), "no browser");
        for wrong in [
            vec![("host", "g.example"), ("origin", "https://evil.example")],
            vec![("host", "g.example"), ("origin", "http://g.example")],
            vec![("host", "g.example"), ("origin", "null")],
            vec![("origin", "https://g.example")],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
        ] {
            assert!(!asked("/x", &wrong), "{wrong:?}");
        }
    }
}
