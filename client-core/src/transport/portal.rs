//! Tells a network that asks for a sign-in first. Such a network lets nothing through to the server and answers plain HTTP
//! in the server's place with a page of its own, so the server's own port 80 is asked, and nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The port where such a network answers.
pub(super) const PLAIN_PORT: u16 = 80;
/// A network that asks for a sign-in is near and answers soon.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const HEAD_BYTES_MAX: u64 = 2_048;

/// True when a network answers with a sign-in in the server's place.
pub(super) async fn asks_for_sign_in(host: &str, address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
            .await?;
        let mut head = Vec::new();
        stream.take(HEAD_BYTES_MAX).read_to_end(&mut head).await?;
        Ok::<_, std::io::Error>(head)
    };
    match tokio::time::timeout(ASK_TIMEOUT, asked).await {
        Ok(Ok(head)) => is_sign_in(host, &head),
        _ => false,
    }
}

/// True for the answer of a network that asks for a sign-in: 511 (RFC 6585), a page, or a way to another host. A server
/// that sends plain HTTP to its own HTTPS is none.
fn is_sign_in(host: &str, head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    if !words.next().is_some_and(|version| version.starts_with("HTTP/1.")) {
        return false;
    }
    let status = words.next().unwrap_or_default();
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let header = |wanted: &str| {
        let found =
            lines.iter().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    match status {
        "511" => true,
        "200" => header("content-type").is_some_and(|kind| kind.starts_with("text/html")),
        "301" | "302" | "303" | "307" | "308" => header("location").is_some_and(|to| {
            let rest = to.split_once("://").map(|(_, rest)| rest);
            // A way without a host stays with the host.
            rest.is_some_and(|rest| {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let own = host.to_ascii_lowercase();
                authority != own && authority.strip_prefix(&own).is_none_or(|port| !port.starts_with(':'))
            })
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sign_in_is_told_from_the_servers_own_answers() {
        for (answer, is) in [
            ("HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/login?to=x\r\n\r\n", true),
            ("HTTP/1.1 511 Network Authentication Required\r\n\r\n", true),
            ("HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=gbk\r\n\r\n<html>", true),
            ("HTTP/1.1 307 Temporary\r\nlocation: https://granary.example.portal.test/\r\n\r\n", true),
            ("HTTP/1.1 308 Permanent\r\nLocation: https://granary.example/health\r\n\r\n", false),
            ("HTTP/1.1 301 Moved\r\nLocation: https://GRANARY.example:8443/\r\n\r\n", false),
            ("HTTP/1.1 301 Moved\r\nLocation: /health/\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nok\n", false),
            ("HTTP/1.1 404 Not Found\r\n\r\n", false),
            ("SSH-2.0-OpenSSH_9.2\r\n", false),
            ("", false),
        ] {
            assert_eq!(is_sign_in("granary.example", answer.as_bytes()), is, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read(head: Vec<u8>) {
            let _ = is_sign_in("granary.example", &head);
        }
    }
}
