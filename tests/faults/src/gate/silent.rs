//! Connections that say little, or read nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::stranger::{Crowd, say_and_wait, to_the_end};
use super::{ELSEWHERE, Gate};

pub(super) async fn after_tcp(gate: Arc<Gate>, from: [u8; 4]) -> Crowd {
    Crowd::of(gate.extent.of(1_500), gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            // More at a time than the system queues would never reach the server.
            tokio::time::sleep(Duration::from_millis(u64::try_from(number).unwrap_or_default())).await;
            let Some(mut line) = stranger.tcp(from).await else { return false };
            to_the_end(&mut line).await;
            true
        }
    })
    .await
}

/// The beginning of the longest handshake that TLS knows.
pub(super) async fn half_hello(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(1_000), gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(u64::try_from(number).unwrap_or_default())).await;
            let Some(line) = stranger.tcp(ELSEWHERE).await else { return false };
            // A handshake message of 65,000 bytes in records of 16,384.
            let mut words = Vec::new();
            for record in 0..3u8 {
                words.extend([0x16, 3, 1, 0x40, 0]);
                let begins = words.len();
                words.resize(begins + 0x4000, 0);
                if record == 0 {
                    words[begins..begins + 6].copy_from_slice(&[1, 0, 0xfd, 0xe8, 3, 3]);
                }
            }
            say_and_wait(line, &words).await;
            true
        }
    })
    .await
}

pub(super) async fn after_tls(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(1_500), gate.extent.longest(), |_| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(mut line) = stranger.http2(ELSEWHERE).await else { return false };
            to_the_end(&mut line).await;
            true
        }
    })
    .await
}

/// As much of a head as the server may keep, then a byte now and then.
pub(super) async fn slow_heads(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(1_000), gate.extent.longest(), |_| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(line) = stranger.http1(ELSEWHERE).await else { return false };
            let (mut read, mut write) = tokio::io::split(line);
            let drips = async {
                let mut head = b"POST /s HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec();
                head.resize(15 * 1_024, b'x');
                let mut said = write.write_all(&head).await;
                while said.is_ok() {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    said = async {
                        write.write_all(b"x").await?;
                        write.flush().await
                    }
                    .await;
                }
            };
            tokio::select! { () = drips => {}, () = to_the_end(&mut read) => {} }
            true
        }
    })
    .await
}

/// Asks again and again for a long answer and reads nothing.
pub(super) async fn unread(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(500), gate.extent.longest(), |_| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(mut line) = stranger.narrow(ELSEWHERE).await else { return false };
            let ask = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
            loop {
                let asked = async {
                    line.write_all(ask).await?;
                    line.flush().await
                };
                if asked.await.is_err() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    })
    .await
}
