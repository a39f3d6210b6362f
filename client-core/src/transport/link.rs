//! The link of an invitation, typed or scanned: `granary://host:port/CODE#fingerprint`. An IPv6 address stands in brackets:
//! `granary://[2001:db8::1]:8443/CODE#fingerprint`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::error::Error;
use crate::quantities::{SpokenCode, SpokenFault};
use crate::words::Phrase;

/// A server's address, how its certificate is checked, and the code to enrol with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLink {
    /// The host's name or address, an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The invitation's code; empty once enrolled.
    pub code: String,
    /// SHA-256 of the authority's certificate; none for a server whose certificate a public authority signed.
    pub fingerprint: Option<[u8; 32]>,
}

const NO_LINK: Phrase = Phrase::new(
    "no-link",
    "a link begins with granary://; copy it whole",
    "链接以 granary:// 开头；请把它整个复制下来",
);
const NO_ADDRESS: Phrase =
    Phrase::new("no-address", "its address is damaged; copy it whole", "地址坏了；请把链接整个复制下来");
const NO_CODE: Phrase =
    Phrase::new("no-code", "its code is missing; copy it whole", "缺了邀请码；请把链接整个复制下来");
const MISTYPED: Phrase =
    Phrase::new("mistyped", "a letter of its code is wrong; look at it again", "邀请码里有一个字母不对，请再看一遍");
/// The part of a link behind `#` is missing or too short.
pub(crate) const CUT_OFF: Phrase = Phrase::new(
    "cut-off",
    "the link is cut off: copy it whole, with the # and the 64 letters and digits behind it (in quotes, in a terminal)",
    "链接不完整：请整个复制，包括 # 和后面的 64 个字母数字（在终端里请加引号）",
);

impl FromStr for ServerLink {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = Error::BadInvitation;
        let rest = text.trim().strip_prefix("granary://").ok_or(bad(NO_LINK))?;
        let (rest, fingerprint) = match rest.split_once('#') {
            Some((rest, hex)) => (rest, Some(read_hex(hex).ok_or(bad(CUT_OFF))?)),
            None => (rest, None),
        };
        let (address, code) = rest.split_once('/').ok_or(bad(NO_CODE))?;
        let (host, port) = host_and_port(address).ok_or(bad(NO_ADDRESS))?;
        let port = port.parse().map_err(|_| bad(NO_ADDRESS))?;
        if host.is_empty() || host.len() > 253 {
            return Err(bad(NO_ADDRESS));
        }
        if code.is_empty() || code.len() > 64 {
            return Err(bad(NO_CODE));
        }
        // One that is no code of ours, such as of a newer server, is the server's to refuse.
        if code.parse::<SpokenCode>() == Err(SpokenFault::Misread) {
            return Err(bad(MISTYPED));
        }
        Ok(Self { host: host.to_owned(), port, code: code.to_owned(), fingerprint })
    }
}

/// Host and port of an address, and 443 where it names none. An IPv6 address without brackets is no host: its end could be
/// a port.
fn host_and_port(address: &str) -> Option<(&str, &str)> {
    const HTTPS: &str = "443";
    match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            Some((host, if port.is_empty() { HTTPS } else { port.strip_prefix(':')? }))
        }
        None => {
            let (host, port) = address.split_once(':').unwrap_or((address, HTTPS));
            (!port.contains(':')).then_some((host, port))
        }
    }
}

/// A host as it stands in an address beside a port: an IPv6 address in brackets.
pub fn host_in_address(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

impl fmt::Display for ServerLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "granary://{}:{}/{}", host_in_address(&self.host), self.port, self.code)?;
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
        let text = format!("granary://localhost:8443/7KQ2-M9XT-4B0F#{}", "ab".repeat(32));
        let link: ServerLink = text.parse().unwrap();
        assert_eq!((link.port, link.fingerprint), (8443, Some([0xab; 32])));
        assert_eq!(link.to_string(), text);
    }

    #[test]
    fn link_holds_an_ipv6_address_in_brackets() {
        let link: ServerLink = "granary://[2001:db8::1]:8443/7KQ2".parse().unwrap();
        assert_eq!((link.host.as_str(), link.port), ("2001:db8::1", 8443));
        assert_eq!(link.to_string(), "granary://[2001:db8::1]:8443/7KQ2");
        assert_eq!("granary://[::1]/7KQ2".parse::<ServerLink>().unwrap().port, 443);
        for wrong in
            ["2001:db8::1/7KQ2", "[2001:db8::1/7KQ2", "[::1]8443/7KQ2", "[::1]:/7KQ2", "[host]:1/7KQ2", "[]/7KQ2"]
        {
            assert!(format!("granary://{wrong}").parse::<ServerLink>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn parsed_link_prints_as_it_was(text in "granary://(\\[[0-9a-f:]{2,12}\\]|[a-z.]{1,9}|[0-9.]{1,9})(:[0-9]{1,4})?/[A-Z]{1,9}") {
            if let Ok(link) = text.parse::<ServerLink>() {
                prop_assert_eq!(link.to_string().parse::<ServerLink>(), Ok(link));
            }
        }

        #[test]
        fn any_text_is_parsed_or_rejected(text in "(granary://)?.{0,60}") {
            let _ = text.parse::<ServerLink>();
        }
    }
}
