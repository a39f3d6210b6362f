//! Plain HTTP, on loopback alone.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

fn is_of_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// Refuses requests to names of others: a site can have its own name lead to this machine.
pub(super) async fn refuse_other_names(request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let named = named.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    match named.is_some_and(is_of_this_machine) {
        true => next.run(request).await,
        false => {
            (StatusCode::MISDIRECTED_REQUEST, "this port is for this machine alone: http://localhost\n").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for own in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"] {
            assert!(is_of_this_machine(own), "{own}");
        }
        for other in ["", "localhost.example.org", "granary.example.org:8080", "[::2]:1", "127.0.0.1.example.org"] {
            assert!(!is_of_this_machine(other), "{other}");
        }
    }
}
