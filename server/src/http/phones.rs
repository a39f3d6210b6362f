//! The phones' endpoints: enrol, sync, resume, import outbox files, reinstate.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, write_reply};
use granary_client_core::protocol::limits::BODY_BYTES_MAX;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::outbox_file::OutboxFile;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::protocol::signing::{Audience, Binding, Purpose};
use granary_client_core::protocol::transfer::{KEY_HEADER, OFFSET_HEADER, PART_BYTES_MIN, PartKey};
use granary_client_core::quantities::Instant;

use super::arrival::{Arrived, blocking, must_prove, read_body, read_parts};
use super::described::{Octets, OkLine, Refusals};
use super::problem::answer;
use super::state::{Exported, Shared};
use super::transfer::Progress;
use super::with::With;
use crate::engine::Granary;
use crate::error::{Error, frame_refusal};

/// Bytes of a request by which a phone enrols or is reinstated.
const ENROL_BYTES_MAX: usize = 16 * 1024;

/// `POST /s`: one exchange of a sync.
#[utoipa::path(
    post, path = "/s", operation_id = "sync", tag = "phones",
    summary = "One exchange of a sync",
    description = "A signed frame with a SyncRequest up, a frame with a SyncReply down; see client-core/src/protocol/frame.rs and \
        messages.rs. What the reply does not name as refused is durable. Safe to repeat.",
    params(
        ("k" = Option<String>, Header, pattern = "^[0-9a-f]{16}$",
            description = "The request's key: the first 8 bytes of its SHA-256, in hexadecimal. With it a request whose line broke \
                goes on where it was."),
        ("o" = Option<u64>, Header, description = "How many bytes of the request came before."),
        ("p" = Option<String>, Header, pattern = "^[0-9A-Za-z_-]{86}$",
            description = "With the offset: as in /k/{key}/{have}."),
    ),
    request_body(
        content = Octets, content_type = "application/octet-stream",
        description = "A frame: version, device (8 bytes), Ed25519 signature (64), compression, content."
    ),
    responses(
        (status = 200, description = "A frame: version, compression, content.", body = Octets,
            content_type = "application/octet-stream"),
        Refusals
    )
)]
pub(super) async fn sync(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Extension(Exported(on)): Extension<Exported>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let exchange = async {
        let Arrived { key, body, channel, _held } =
            read_parts(&shared, &headers, address.ip().into(), on, body).await?;
        let bytes_up = body.len();
        let now = crate::environment::now();
        let (counts, granary) = (Arc::clone(&shared.counts), Arc::clone(&shared.granary));
        let known = Arc::clone(&shared.granary);
        // The signature is checked before the rate: else anyone who knows a device's id could use up its rate.
        let (signed, caller) = blocking(move || {
            let signed = SignedRequest::parse(body).map_err(frame_refusal)?;
            let caller = known.authenticate(&signed, Purpose::Sync, channel)?;
            Ok((signed, caller))
        })
        .await?;
        let device = caller.device;
        let _pass = shared.gate.pass(device, now).await?;
        let reply = blocking(move || {
            let reply = granary.sync_as(&caller, &signed, now)?;
            counts.metrics.refused_documents(reply.refused.len());
            Ok(write_reply(&write_message(&reply)))
        })
        .await?;
        shared.counts.metrics.synced(bytes_up, reply.len());
        answer_in_parts(&shared, key, device, reply)
    };
    match exchange.await {
        Ok(response) => response,
        Err(error) => answer(&shared.counts, &error),
    }
}

/// Answers with a resumable reply.
fn answer_in_parts(
    shared: &Shared,
    request: Option<PartKey>,
    device: DeviceId,
    reply: Vec<u8>,
) -> Result<Response, Error> {
    let held = shared.gate.reply(device, reply.len())?;
    let is_large = reply.len() >= PART_BYTES_MIN;
    let key = match (request, is_large) {
        (Some(key), _) => Some(key),
        (None, true) => crate::environment::random_bytes().ok().map(|bytes| PartKey(u64::from_be_bytes(bytes))),
        (None, false) => None,
    };
    let reply = Bytes::from(reply);
    if let Some(key) = key {
        shared.transfers.keep_reply(key, device, reply.clone(), crate::environment::now());
    }
    let mut response = Response::new(Body::new(With { body: Body::from(reply), _held: held }));
    // The phone derives the key from its own request; any other key stands in a header.
    if let (Some(key), None) = (key, request)
        && let Ok(value) = HeaderValue::from_str(&key.to_string())
    {
        response.headers_mut().insert(KEY_HEADER, value);
    }
    Ok(response)
}

/// `GET /k/{key}/{have}`: the progress of an exchange after its line broke, for its own device.
#[utoipa::path(
    get, path = "/k/{key}/{have}", operation_id = "howFar", tag = "phones",
    summary = "How far an exchange has come that a broken line ended", description = "",
    params(
        ("key" = String, Path, pattern = "^[0-9a-f]{16}$"),
        ("have" = u64, Path, maximum = 4_294_967_295_i64, description = "Bytes of the reply that came already."),
        ("p" = Option<String>, Header, pattern = "^[0-9A-Za-z_-]{86}$",
            description = "The device's signature that this is its exchange, made for this connection; base64url without padding."),
    ),
    responses(
        (status = 200, description = "The rest of the reply.", body = Octets, content_type = "application/octet-stream"),
        (status = 202, description = "The request did not come whole; the header says how many bytes did.",
            headers(("o" = u64))),
        (status = 404, description = "Nothing of it is here: send all of it again."),
        Refusals
    )
)]
pub(super) async fn progress(
    State(shared): State<Shared>,
    Extension(Exported(on)): Extension<Exported>,
    Path((key, have)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (Ok(key), Ok(have)) = (key.parse(), have.parse()) else { return StatusCode::NOT_FOUND.into_response() };
    let Some(device) = shared.transfers.device_of(key) else { return StatusCode::NOT_FOUND.into_response() };
    if let Err(error) = must_prove(&shared, &headers, Some(device), key, on).await {
        return answer(&shared.counts, &error);
    }
    match shared.transfers.progress(key, have) {
        Progress::Reply(rest) => match shared.gate.reply(device, rest.len()) {
            Ok(held) => Response::new(Body::new(With { body: Body::from(rest), _held: held })),
            Err(error) => answer(&shared.counts, &error),
        },
        Progress::Request(offset) => (StatusCode::ACCEPTED, [(OFFSET_HEADER, offset.to_string())]).into_response(),
        Progress::Nothing => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Does the work of a small request that anybody may send: for a newcomer, of whom nothing but the address is known.
async fn by_newcomer<R: Send + 'static>(
    shared: &Shared,
    from: IpAddr,
    body: Body,
    work: impl FnOnce(&Granary, Vec<u8>, Instant) -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    let now = crate::environment::now();
    shared.gate.enrol(from, now)?;
    let (body, _held) = read_body(&shared.gate, from.into(), body, ENROL_BYTES_MAX).await?;
    let granary = Arc::clone(&shared.granary);
    blocking(move || work(&granary, body, now)).await
}

/// `POST /invitation`: what the invitation of this code is for, for the person who is about to enrol.
#[utoipa::path(
    post, path = "/invitation", operation_id = "lookAtInvitation", tag = "phones",
    summary = "What an invitation is for, before a phone enrols",
    description = "The body is the invitation's code, as typed. Nothing is used up.",
    request_body(content = String, content_type = "application/octet-stream", description = "The code."),
    responses(
        (status = 200, description = "A frame with an EnrolReply.", body = Octets, content_type = "application/octet-stream"),
        Refusals
    )
)]
pub(super) async fn preview(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let work = by_newcomer(&shared, address.ip(), body, |granary, code, now| {
        let code = String::from_utf8(code).map_err(Error::malformed)?;
        granary.preview(&code, now).map(|shown| write_reply(&write_message(&shown)))
    });
    match work.await {
        Ok(reply) => Response::new(Body::from(reply)),
        Err(error) => answer(&shared.counts, &error),
    }
}

/// `POST /enrol`: enrols a phone by an invitation. The frame is signed with the new key, so nobody can enrol a key that
/// they do not hold.
#[utoipa::path(
    post, path = "/enrol", operation_id = "enrol", tag = "phones",
    summary = "A phone becomes a device, by an invitation",
    description = "A frame with an EnrolRequest, signed with the key that it brings. The same phone may ask again when the reply was \
        lost.",
    request_body(
        content = Octets, content_type = "application/octet-stream", description = "A frame with an EnrolRequest."
    ),
    responses(
        (status = 200, description = "A frame with an EnrolReply.", body = Octets, content_type = "application/octet-stream"),
        Refusals
    )
)]
pub(super) async fn enrol(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Extension(Exported(channel)): Extension<Exported>,
    body: Body,
) -> Response {
    let enrolment = by_newcomer(&shared, address.ip(), body, move |granary, body, now| {
        let signed = SignedRequest::parse(body).map_err(frame_refusal)?;
        let content = signed.content().map_err(frame_refusal)?;
        let request: EnrolRequest = read_message(&content).map_err(Error::malformed)?;
        let own = signed.device == DeviceId::of_public_key(&request.public_key);
        let binding = Binding { purpose: Purpose::Enrol, audience: Audience::UNKNOWN, channel };
        if !own || !signed.is_signed_by(&request.public_key, &binding) {
            return Err(Error::refused(ProblemKind::BadSignature, "the request is not signed by the key it brings"));
        }
        granary.enrol(&request, now).map(|reply| write_reply(&write_message(&reply)))
    });
    match enrolment.await {
        Ok(reply) => {
            shared.counts.metrics.one_enrolled();
            Response::new(Body::from(reply))
        }
        Err(error) => answer(&shared.counts, &error),
    }
}

/// `POST /carried`: imports an outbox file; anyone may send one.
#[utoipa::path(
    post, path = "/carried", operation_id = "handIn", tag = "phones",
    summary = "Hands in the outbox of a phone, from whoever carried it",
    description = "A file of client-core/src/protocol/outbox_file.rs. All its pages are durable once it is answered; safe to repeat. \
        What became of its changes is told to its phone alone.",
    request_body(content = Octets, content_type = "application/octet-stream", description = "The file, 4 MB at most."),
    responses((status = 200, description = "All of it is durable.", body = OkLine, content_type = "text/plain"), Refusals)
)]
pub(super) async fn import_outbox(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let work = async {
        let (body, _held) = read_body(&shared.gate, address.ip().into(), body, BODY_BYTES_MAX).await?;
        let _room = shared.gate.room().await?;
        let (granary, gate) = (Arc::clone(&shared.granary), Arc::clone(&shared.gate));
        blocking(move || {
            let file = OutboxFile::parse(&body).map_err(Error::malformed)?;
            let now = crate::environment::now();
            granary.import_outbox_file(&file, |device| gate.outbox_file(device, now), now)
        })
        .await
    };
    match work.await {
        Ok(()) => {
            shared.counts.metrics.outbox_file_imported();
            "ok\n".into_response()
        }
        Err(error) => answer(&shared.counts, &error),
    }
}

/// `POST /reinstate`: reinstates a device that this store has lost, by its certificate.
#[utoipa::path(
    post, path = "/reinstate", operation_id = "reinstate", tag = "phones",
    summary = "A device that this store has lost comes back by its certificate", description = "",
    request_body(
        content = Octets, content_type = "application/octet-stream",
        description = "The certificate that the device was given at its enrolment."
    ),
    responses((status = 200, description = "The device is known again.", body = OkLine, content_type = "text/plain"), Refusals)
)]
pub(super) async fn reinstate(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let work =
        by_newcomer(&shared, address.ip(), body, |granary, certificate, now| granary.reinstate(&certificate, now));
    match work.await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => answer(&shared.counts, &error),
    }
}
