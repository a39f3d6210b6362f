//! Bodies that stand still or break.

use std::sync::Arc;

use granary_client_core::protocol::limits::BODY_BYTES_MAX;
use tokio::io::AsyncWriteExt;

use super::stranger::{Crowd, post, say_and_wait};
use super::{ELSEWHERE, Gate, OF_THE_PHONE};

/// Requests whose last bytes never come. What each sends is a part of `sent`, smaller from one to the next, so that a share is
/// filled to the brim.
async fn unended(gate: &Gate, count: usize, from: [u8; 4], path: &'static str, length: usize, sent: usize) -> Crowd {
    Crowd::of(gate.extent.of(count), gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(line) = stranger.http1(from).await else { return false };
            let sent = sent >> (number % 8);
            let mut words = post(path, length, "");
            words.resize(words.len() + sent, b'x');
            say_and_wait(line, &words).await;
            true
        }
    })
    .await
}

pub(super) async fn stalled(gate: Arc<Gate>, from: [u8; 4]) -> Crowd {
    unended(&gate, 60, from, "/s", BODY_BYTES_MAX, BODY_BYTES_MAX - 1_000).await
}

pub(super) async fn small(gate: Arc<Gate>) -> Crowd {
    unended(&gate, 900, OF_THE_PHONE, "/s", 20_000, 16_000).await
}

pub(super) async fn forms(gate: Arc<Gate>) -> Crowd {
    unended(&gate, 300, ELSEWHERE, "/console/language", 310_000, 300_000).await
}

/// Requests that can be resumed and are not, each with a key of its own.
async fn given_up(gate: &Gate, count: usize, addresses: u8, length: usize, sent: usize) -> Crowd {
    Crowd::of(gate.extent.of(count), gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            let from = 2 + u8::try_from(number % usize::from(addresses)).unwrap_or_default();
            let Some(mut line) = stranger.http1([127, 0, 0, from]).await else { return false };
            let mut words = post("/s", length, &format!("k: {:016x}\r\n", number + 1));
            words.resize(words.len() + sent, b'x');
            // It may be refused before all was said.
            let _ = line.write_all(&words).await;
            let _ = line.flush().await;
            true
        }
    })
    .await
}

pub(super) async fn broken(gate: Arc<Gate>, addresses: u8) -> Crowd {
    given_up(&gate, 200, addresses, BODY_BYTES_MAX, BODY_BYTES_MAX - 1_000).await
}

pub(super) async fn crumbs(gate: Arc<Gate>) -> Crowd {
    given_up(&gate, 3_000, 1, BODY_BYTES_MAX, 100).await
}
