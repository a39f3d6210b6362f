//! Sign-ins, and names for every limiter.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stranger::{Crowd, Line, post, say_and_wait};
use super::{ELSEWHERE, Gate};

/// Each address may try twelve times.
const TRIES: usize = 12;

fn form(path: &str, body: &str, more: &str) -> Vec<u8> {
    let more = format!("content-type: application/x-www-form-urlencoded\r\n{more}");
    [post(path, body.len(), &more), body.as_bytes().to_vec()].concat()
}

pub(super) async fn sign_ins(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(400), gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            let from = 2 + u8::try_from(number / TRIES).unwrap_or_default();
            let Some(line) = stranger.http1([127, 0, 0, from]).await else { return false };
            let body = format!("coop=1&login=nobody{number}&password=millet{number}");
            say_and_wait(line, &form("/console/sign-in", &body, "connection: close\r\n")).await;
            true
        }
    })
    .await
}

/// Asks on one connection, each time when the last answer has begun. An answer's rest is left in the buffer and read then.
async fn ask_all(mut line: Line, requests: impl Iterator<Item = Vec<u8>>) {
    let mut buffer = vec![0; 64 * 1024];
    for request in requests {
        let asked = async {
            line.write_all(&request).await?;
            line.flush().await?;
            line.read(&mut buffer).await
        };
        if !matches!(asked.await, Ok(1..)) {
            return;
        }
    }
}

/// Logins of 100 kB, codes of 10 kB, links of 7 kB, in turn.
pub(super) async fn long(gate: Arc<Gate>) -> Crowd {
    let each = gate.extent.of(3_000) / 60;
    Crowd::of(60, gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            let from = 2 + u8::try_from(number).unwrap_or_default();
            let Some(line) = stranger.http1([127, 0, 0, from]).await else { return false };
            let requests = (0..each.max(1)).map(|asked| match asked % 3 {
                0 => {
                    let login = format!("{number}-{asked}-{}", "n".repeat(100_000));
                    form("/console/sign-in", &format!("coop=1&login={login}&password=millet"), "")
                }
                1 => {
                    let code = format!("{number}-{asked}-{}", "c".repeat(10_000));
                    [post("/invitation", code.len(), ""), code.into_bytes()].concat()
                }
                _ => post(&format!("/console/once/{number}{asked}{}", "l".repeat(7_000)), 0, ""),
            });
            ask_all(line, requests).await;
            true
        }
    })
    .await
}

pub(super) async fn links(gate: Arc<Gate>) -> Crowd {
    let each = gate.extent.of(3_000) / 30;
    Crowd::of(30, gate.extent.longest(), |number| {
        let stranger = gate.stranger.clone();
        async move {
            let Some(line) = stranger.http1(ELSEWHERE).await else { return false };
            let requests =
                (0..each.max(1)).map(|asked| post(&format!("/console/once/{:048x}", number * 1_000 + asked), 0, ""));
            ask_all(line, requests).await;
            true
        }
    })
    .await
}
