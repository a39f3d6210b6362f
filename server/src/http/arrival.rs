//! How a phone's request arrives: its body is read within limits, goes on where a broken line left it, and is worked on
//! outside the tasks that serve connections.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::limits::BODY_BYTES_MAX;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::protocol::signing::Channel;
use granary_client_core::protocol::transfer::{KEY_HEADER, OFFSET_HEADER, PROOF_HEADER, PartKey, read_proof};
use http_body_util::BodyExt;

use super::gate::Gate;
use super::limiter::Origin;
use super::rooms::{Held, too_much};
use super::state::Shared;
use super::transfer::Transfers;
use crate::error::Error;

/// Reads a body into `whole`, within the limits of size and memory of all bodies; how fast it must come is the connection's
/// matter. Room is counted before it is made.
async fn read_into(
    gate: &Gate,
    held: &mut Held,
    mut body: Body,
    whole: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<(), Error> {
    held.comes(true);
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = held.given_away() => return Err(too_much()),
        };
        let Some(frame) = frame else { break };
        let broken = |_| Error::refused(ProblemKind::Timeout, "the request did not come to its end; send the rest");
        let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
        let length = whole.len().saturating_add(bytes.len());
        if length > bytes_max {
            let most = format!("a request may have {bytes_max} bytes at most");
            return Err(Error::refused(ProblemKind::TooLarge, most));
        }
        if length > whole.capacity() {
            let capacity = whole.capacity().saturating_add(whole.capacity() / 2).clamp(length, bytes_max);
            gate.rooms.hold(held, capacity)?;
            whole.reserve_exact(capacity.saturating_sub(whole.len()));
        }
        whole.extend_from_slice(&bytes);
    }
    held.comes(false);
    Ok(())
}

/// Reads a whole body; dropping the second part gives its memory permit back.
pub(crate) async fn read_body(
    gate: &Gate,
    origin: Origin,
    body: Body,
    bytes_max: usize,
) -> Result<(Vec<u8>, Held), Error> {
    let (mut whole, mut held) = (Vec::new(), Held::by(origin));
    read_into(gate, &mut held, body, &mut whole, bytes_max).await?;
    Ok((whole, held))
}

/// A request that has come.
pub(super) struct Arrived {
    /// Its key, when it is resumable.
    pub(super) key: Option<PartKey>,
    pub(super) body: Vec<u8>,
    /// The connection on which it began, for which it is signed.
    pub(super) channel: Option<Channel>,
    pub(super) _held: Held,
}

/// Verifies that a resumption over this connection is of the exchange's own device.
pub(super) async fn must_prove(
    shared: &Shared,
    headers: &HeaderMap,
    device: Option<DeviceId>,
    key: PartKey,
    channel: Option<Channel>,
) -> Result<(), Error> {
    let bad = || Error::refused(ProblemKind::BadSignature, "this exchange is another phone's");
    let proof = headers.get(PROOF_HEADER).and_then(|value| value.to_str().ok()).and_then(read_proof);
    let (device, proof) = device.zip(proof).ok_or_else(bad)?;
    let granary = Arc::clone(&shared.granary);
    blocking(move || granary.authenticate_resumption(device, key, &proof, channel).map(drop)).await
}

/// Reads the body of a resumable request; when the line breaks, the received part is kept.
pub(super) async fn read_parts(
    shared: &Shared,
    headers: &HeaderMap,
    from: Origin,
    on: Option<Channel>,
    body: Body,
) -> Result<Arrived, Error> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(key) = text(KEY_HEADER).and_then(|key| key.parse::<PartKey>().ok()) else {
        let (body, held) = read_body(&shared.gate, from, body, BODY_BYTES_MAX).await?;
        return Ok(Arrived { key: None, body, channel: on, _held: held });
    };
    let again = || Error::refused(ProblemKind::Timeout, "the parts of the request are not here; send all of it again");
    let offset = text(OFFSET_HEADER).map_or(Some(0), |offset| offset.parse().ok()).ok_or_else(again)?;
    let mut held = Held::by(from);
    let (whole, channel) = match offset {
        0 => (Vec::new(), on),
        _ => {
            let device = shared.transfers.claimed(key, offset);
            must_prove(shared, headers, Some(device.ok_or_else(again)?), key, on).await?;
            shared.gate.rooms.hold(&mut held, offset)?;
            shared.transfers.resume(key, offset).ok_or_else(again)?
        }
    };
    let mut coming = Coming { transfers: &shared.transfers, key, from, whole, channel, is_settled: false };
    if let Err(error) = read_into(&shared.gate, &mut held, body, &mut coming.whole, BODY_BYTES_MAX).await {
        if matches!(error, Error::Refused { kind: ProblemKind::TooLarge, .. }) {
            coming.settle();
        }
        return Err(error);
    }
    let body = coming.settle();
    let is_whole = PartKey::of(&body) == key;
    if is_whole { Ok(Arrived { key: Some(key), body, channel, _held: held }) } else { Err(again()) }
}

/// A request that is being received. When its line breaks, the reading future is dropped; `Drop` keeps the received
/// part.
struct Coming<'a> {
    transfers: &'a Transfers,
    key: PartKey,
    from: Origin,
    whole: Vec<u8>,
    channel: Option<Channel>,
    is_settled: bool,
}

impl Coming<'_> {
    fn settle(&mut self) -> Vec<u8> {
        self.is_settled = true;
        self.transfers.request_is_whole(self.key);
        std::mem::take(&mut self.whole)
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        if !self.is_settled && !self.whole.is_empty() {
            let whole = std::mem::take(&mut self.whole);
            self.transfers.keep_request(self.key, self.from, whole, self.channel, crate::environment::now());
        }
    }
}

/// Runs blocking work on the pool for it.
pub(super) async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a request's work failed");
            Err(Error::refused(ProblemKind::Internal, "the server failed; nothing was acknowledged, try again later"))
        }
    }
}
