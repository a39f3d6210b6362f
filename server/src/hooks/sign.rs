//! The signature of a delivery: an HMAC over the time and the body, under each secret that holds.

use granary_client_core::quantities::Instant;
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::environment::hex;

/// The header that has it.
pub(crate) const HEADER: &str = "granary-signature";

/// `t=<seconds>,v1=<HMAC-SHA256(secret, t.body)>`, once more for each further secret.
pub(crate) fn signature<'a>(secrets: impl IntoIterator<Item = &'a str>, now: Instant, body: &[u8]) -> String {
    let seconds = now.seconds();
    let signed = [seconds.to_string().as_bytes(), b".", body].concat();
    let code = |secret: &str| hex(sign(&Key::new(HMAC_SHA256, secret.as_bytes()), &signed).as_ref());
    let codes: String = secrets.into_iter().map(|secret| format!(",v1={}", code(secret))).collect();
    format!("t={seconds}{codes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Computed with: printf '1700000000.{"id":"a"}' | openssl dgst -sha256 -hmac whsec_1
    #[test]
    fn signature_is_what_others_compute() {
        let signed = signature(["whsec_1"], Instant::from_seconds(1_700_000_000), br#"{"id":"a"}"#);
        let code = signed.strip_prefix("t=1700000000,v1=").unwrap();
        assert_eq!(code, EXPECTED);
        let both = signature(["whsec_2", "whsec_1"], Instant::from_seconds(1_700_000_000), br#"{"id":"a"}"#);
        assert!(both.ends_with(EXPECTED) && both.matches(",v1=").count() == 2, "{both}");
    }

    const EXPECTED: &str = "925ddbf813cd2af6df4421ae76fbb78638f191a6d5debca8015782966d4e604a";
}
