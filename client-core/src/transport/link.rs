//! The link of an invitation, typed or scanned: `granary://host:port/CODE#fingerprint`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A server's address, how its certificate is checked, and the code to enrol with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLink {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The invitation's code; empty once enrolled.
    pub code: String,
    /// SHA-256 of the authority's certificate; none for a server whose certificate a public authority signed.
    pub fingerprint: Option<[u8; 32]>,
}

impl FromStr for ServerLink {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::BadInvitation(why.to_owned());
        let rest = text.trim().strip_prefix("granary://").ok_or_else(|| bad("it does not begin with granary://"))?;
        let (rest, fingerprint) = match rest.split_once('#') {
            Some((rest, hex)) => (rest, Some(read_hex(hex).ok_or_else(|| bad("its fingerprint is damaged"))?)),
            None => (rest, None),
        };
        let (address, code) = rest.split_once('/').ok_or_else(|| bad("it has no code"))?;
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "443"));
        let port = port.parse().map_err(|_| bad("its port is no number"))?;
        if host.is_empty() || code.is_empty() || code.len() > 64 || host.len() > 253 {
            return Err(bad("its address or its code is missing"));
        }
        Ok(Self { host: host.to_owned(), port, code: code.to_owned(), fingerprint })
    }
}

impl fmt::Display for ServerLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "granary://{}:{}/{}", self.host, self.port, self.code)?;
        if let Some(fingerprint) = &self.fingerprint {
            formatter.write_str("#")?;
            fingerprint.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        }
        Ok(())
    }
}

fn read_hex(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let place = index.checked_mul(2)?;
        *byte = u8::from_str_radix(hex.get(place..place.checked_add(2)?)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn link_round_trips() {
        let text = format!("granary://localhost:8443/7KQ2-M9XT-4B0C#{}", "ab".repeat(32));
        let link: ServerLink = text.parse().unwrap();
        assert_eq!((link.port, link.fingerprint), (8443, Some([0xab; 32])));
        assert_eq!(link.to_string(), text);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_rejected(text in "(granary://)?.{0,60}") {
            let _ = text.parse::<ServerLink>();
        }
    }
}
