//! What phones call: enrolling, syncing, coming back after a restoration.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::access::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, write_reply};
use granary_client_core::protocol::limits::BODY_BYTES_MAX;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::refusal::{answer, frame_refusal};
use super::{Gate, Shared};
use crate::error::Error;

/// Reads a body whole, within the limits of size and time.
async fn read_body(gate: &Gate, body: Body) -> Result<Vec<u8>, Error> {
    let limited = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(gate.limits.body_timeout, limited).await {
        Err(_) => Err(Error::refused(ProblemKind::Timeout, "the request took too long to come")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Error::refused(ProblemKind::TooLarge, format!("a request may have {BODY_BYTES_MAX} bytes at most")))
        }
        Ok(Err(_)) => Err(Error::refused(ProblemKind::Malformed, "the request ended before its end")),
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
    }
}

/// Runs work that reads the store or waits for it where it does not hold up others.
async fn blocking<R: Send + 'static>(work: impl FnOnce() -> Result<R, Error> + Send + 'static) -> Result<R, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a request's work failed");
            Err(Error::refused(ProblemKind::Internal, "the server failed; nothing was acknowledged, try again later"))
        }
    }
}

/// `POST /s`: one exchange of a sync.
pub(super) async fn sync(State(shared): State<Shared>, body: Body) -> Response {
    let exchange = async {
        let body = read_body(&shared.gate, body).await?;
        let device = SignedRequest::parse(&body).map_err(frame_refusal)?.device;
        let now = crate::now();
        let _pass = shared.gate.pass(device, now).await?;
        let counts = Arc::clone(&shared.counts);
        let granary = Arc::clone(&shared.granary);
        blocking(move || {
            let signed = SignedRequest::parse(&body).map_err(frame_refusal)?;
            let reply = granary.sync(&signed, now)?;
            counts.refused_documents.fetch_add(reply.refused.len() as u64, Ordering::Relaxed);
            Ok(write_reply(&write_message(&reply)))
        })
        .await
    };
    match exchange.await {
        Ok(reply) => {
            shared.counts.syncs.fetch_add(1, Ordering::Relaxed);
            Response::new(Body::from(reply))
        }
        Err(error) => answer(&shared.counts, &error),
    }
}

/// `POST /enrol`: a phone becomes a device by an invitation. The frame is signed with the key that the
/// phone brings, so nobody can enrol a key that they do not hold.
pub(super) async fn enrol(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let enrolment = async {
        let now = crate::now();
        shared.gate.enrol(address.ip(), now)?;
        let body = read_body(&shared.gate, body).await?;
        let granary = Arc::clone(&shared.granary);
        blocking(move || {
            let signed = SignedRequest::parse(&body).map_err(frame_refusal)?;
            let content = signed.content().map_err(frame_refusal)?;
            let request: EnrolRequest =
                read_message(&content).map_err(|fault| Error::refused(ProblemKind::Malformed, fault.to_string()))?;
            let own = signed.device == DeviceId::of_public_key(&request.public_key);
            if !own || !signed.is_signed_by(&request.public_key) {
                return Err(Error::refused(
                    ProblemKind::BadSignature,
                    "the request is not signed by the key it brings",
                ));
            }
            granary.enrol(&request, now).map(|reply| write_reply(&write_message(&reply)))
        })
        .await
    };
    match enrolment.await {
        Ok(reply) => {
            shared.counts.enrolled.fetch_add(1, Ordering::Relaxed);
            Response::new(Body::from(reply))
        }
        Err(error) => answer(&shared.counts, &error),
    }
}

/// `POST /reinstate`: a device that this store has lost comes back by its certificate.
pub(super) async fn reinstate(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let work = async {
        let now = crate::now();
        shared.gate.enrol(address.ip(), now)?;
        let certificate = read_body(&shared.gate, body).await?;
        let granary = Arc::clone(&shared.granary);
        blocking(move || granary.reinstate(&certificate, now)).await
    };
    match work.await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => answer(&shared.counts, &error),
    }
}
