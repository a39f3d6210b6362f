//! HTTP/2 by hand: frames that a good client does not send.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;

use super::stranger::{Crowd, say_and_wait, to_the_end};
use super::{ELSEWHERE, Gate};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or_default().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(content);
    bytes
}

fn begin() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// `POST https://localhost/s`, packed by RFC 7541: three entries of the static table, and two names of it with values.
fn head(stream: u32) -> Vec<u8> {
    let packed = [&[0x83, 0x87, 0x04, 2], b"/s".as_slice(), &[0x01, 9], b"localhost"].concat();
    frame(HEADERS, END_HEADERS, stream, &packed)
}

/// Numbers of a client's streams.
fn streams(count: usize) -> impl Iterator<Item = u32> {
    (1..).step_by(2).take(count)
}

pub(super) async fn pings(gate: Arc<Gate>) -> Crowd {
    let each = gate.extent.of(20_000);
    Crowd::of(50, gate.extent.longest(), |_| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(mut line) = stranger.http2(ELSEWHERE).await else { return false };
            let some = frame(PING, 0, 0, &[7; 8]).repeat(1_000);
            let pings = async {
                line.write_all(&begin()).await?;
                for _ in 0..each.div_ceil(1_000) {
                    line.write_all(&some).await?;
                }
                line.flush().await
            };
            // The answers are not read before all was asked; the server may stop listening.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(3), pings).await;
            to_the_end(&mut line).await;
            true
        }
    })
    .await
}

pub(super) async fn idle_streams(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(1_000), gate.extent.longest(), |_| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(line) = stranger.http2(ELSEWHERE).await else { return false };
            let mut words = begin();
            for stream in streams(100) {
                words.extend(head(stream));
                words.extend(frame(DATA, 0, stream, &[b'x'; 500]));
            }
            say_and_wait(line, &words).await;
            true
        }
    })
    .await
}

pub(super) async fn resets(gate: Arc<Gate>) -> Crowd {
    let each = gate.extent.of(10_000);
    Crowd::of(20, gate.extent.longest(), |_| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(line) = stranger.http2(ELSEWHERE).await else { return false };
            let mut words = begin();
            for stream in streams(each) {
                words.extend(head(stream));
                words.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
            }
            say_and_wait(line, &words).await;
            true
        }
    })
    .await
}
