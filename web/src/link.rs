//! What a person typed, scanned or followed as an invitation, as the link of this page's own server. A browser speaks with
//! that one alone.

use granary_client_core::error::Error;
use granary_client_core::transport::ServerLink;
use granary_client_core::words::Phrase;

const OTHER_SERVER: Phrase = Phrase::new(
    "other-server",
    "it is for another server; open the link that came with it",
    "它是另一个服务器的；请打开随它一起来的链接",
);
const NO_ORIGIN: Phrase = Phrase::new("no-origin", "this page has no address", "这个页面没有地址");

/// Host and port of an address such as `https://host:8443/app/`.
fn address(text: &str) -> Option<(String, u16)> {
    let (rest, port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, 443),
        (_, Some(rest)) => (rest, 80),
        _ => return None,
    };
    let authority = rest.split(['/', '#', '?']).next().unwrap_or_default();
    // The core reads hosts and ports; what is missing here is the code alone.
    let authority = if authority.rsplit(']').next().is_some_and(|end| end.contains(':')) {
        authority.to_owned()
    } else {
        format!("{authority}:{port}")
    };
    let link: ServerLink = format!("granary://{authority}/-").parse().ok()?;
    Some((link.host.to_ascii_lowercase(), link.port))
}

/// The link of an invitation at the server of this page's `origin`. `text` is a code such as `7KQ2-M9XT-4B0F`, a link of the
/// app with the code behind its `#`, or a `granary://` link. Fails with [`Error::BadInvitation`] for a link of another server.
pub(crate) fn of_invitation(text: &str, origin: &str) -> Result<ServerLink, Error> {
    let (host, port) = address(origin).ok_or(Error::BadInvitation(NO_ORIGIN))?;
    let text = text.trim();
    if text.starts_with("granary://") {
        let link: ServerLink = text.parse()?;
        // Its port may be the one for phones that pin the server's own authority.
        return match link.host.eq_ignore_ascii_case(&host) {
            true => Ok(ServerLink { host, port, code: link.code, fingerprint: None }),
            false => Err(Error::BadInvitation(OTHER_SERVER)),
        };
    }
    let code = match address(text) {
        Some(other) if other != (host.clone(), port) => return Err(Error::BadInvitation(OTHER_SERVER)),
        Some(_) => text.split_once('#').map_or("", |(_, code)| code),
        None => text,
    };
    let code: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    let link = format!("granary://{}:{port}/{code}", granary_client_core::transport::host_in_address(&host));
    link.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://granary.example:8443";

    fn code(text: &str) -> Result<String, Error> {
        of_invitation(text, ORIGIN).map(|link| {
            assert_eq!((link.host.as_str(), link.port, link.fingerprint), ("granary.example", 8443, None));
            link.code
        })
    }

    #[test]
    fn code_and_both_links_name_the_invitation() {
        let own = format!("granary://granary.example:8443/7KQ2-M9XT-4B0F#{}", "ab".repeat(32));
        for text in [
            "7KQ2-M9XT-4B0F",
            " 7KQ2 - M9XT - 4B0F ",
            "https://granary.example:8443/app/#7KQ2-M9XT-4B0F",
            "HTTPS://granary.example:8443/app/#7KQ2-M9XT-4B0F"
                .to_lowercase()
                .replace("7kq2-m9xt-4b0f", "7KQ2-M9XT-4B0F")
                .as_str(),
            own.as_str(),
        ] {
            assert_eq!(code(text).as_deref(), Ok("7KQ2-M9XT-4B0F"), "{text}");
        }
    }

    #[test]
    fn other_servers_link_is_refused() {
        let own = format!("granary://other.example:8443/7KQ2-M9XT-4B0F#{}", "ab".repeat(32));
        for text in ["https://other.example/app/#7KQ2-M9XT-4B0F", own.as_str()] {
            assert_eq!(code(text), Err(Error::BadInvitation(OTHER_SERVER)), "{text}");
        }
        assert!(code("").is_err() && code("https://granary.example:8443/app/").is_err());
        // A slip of the finger is told before anybody is asked.
        for text in ["7KQ2-M9XT-4B0G", "7KQ2-M9XT-B40F"] {
            assert!(code(text).unwrap_err().to_string().contains("a letter of its code is wrong"), "{text}");
        }
    }

    #[test]
    fn page_on_loopback_has_its_port() {
        let link = of_invitation("7KQ2-M9XT-4B0F", "http://localhost:18080").unwrap();
        assert_eq!((link.host.as_str(), link.port), ("localhost", 18080));
        let link = of_invitation("7KQ2-M9XT-4B0F", "https://[2001:db8::1]").unwrap();
        assert_eq!((link.host.as_str(), link.port), ("2001:db8::1", 443));
    }
}
