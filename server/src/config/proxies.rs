//! The proxies that may say where a request is from. Of anybody else such a word is a lie that moves limits to another address.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use super::networks::Networks;
use crate::error::Error;

/// The header that a proxy adds the address of its other side to.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Networks);

impl Proxies {
    /// Reads addresses and networks, such as `127.0.0.1` and `10.4.0.0/16`.
    pub fn of(texts: &[String]) -> Result<Self, Error> {
        Networks::of("trusted-proxies", texts).map(Self)
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True for the address of a proxy.
    pub(crate) fn are_at(&self, address: IpAddr) -> bool {
        self.0.hold(address)
    }

    /// Where a request is from: the other side of the connection, or what the outermost trusted proxy says of its own other
    /// side. What stands before that in the header was sent by a stranger.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut client = peer;
        let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.are_at(client.ip()) {
                break;
            }
            let Some(address) = hop_address(hop.trim()) else { break };
            client = SocketAddr::new(address, 0);
        }
        client
    }
}

/// The address of a hop, which some proxies write with its port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = hop.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|it| it.ip())).or_else(bare);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let trusted: Vec<String> = trusted.iter().map(|text| (*text).to_owned()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 50_000);
        Proxies::of(&trusted).unwrap().client(peer, &headers).ip().to_string()
    }

    #[test]
    fn only_trusted_proxy_says_where_a_request_is_from() {
        assert_eq!(client(&[], "127.0.0.1", &["203.0.113.9"]), "127.0.0.1", "no proxy is trusted");
        assert_eq!(client(&["10.0.0.1"], "198.51.100.7", &["203.0.113.9"]), "198.51.100.7", "a stranger says it");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&["::1"], "::1", &["2001:db8::5"]), "2001:db8::5");
    }

    #[test]
    fn what_the_client_wrote_itself_is_passed_over() {
        assert_eq!(client(&["10.0.0.1"], "10.0.0.1", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.1"], "10.0.0.1", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9", "two lines");
        let two = ["10.0.0.1", "10.0.0.2"];
        assert_eq!(client(&two, "10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]), "203.0.113.9", "two proxies");
    }

    #[test]
    fn hops_are_read_as_proxies_write_them() {
        for (hop, address) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::5]:4711", "2001:db8::5"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("unknown", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client(&["10.0.0.1"], "10.0.0.1", &[hop]), address, "{hop}");
        }
    }

    #[test]
    fn networks_are_bounded() {
        for wrong in ["10.0.0.0/33", "::/129", "proxy.example", "10.0.0.0/", ""] {
            assert!(Proxies::of(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
        assert_eq!(client(&["0.0.0.0/0"], "10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&["192.168.0.0/23"], "192.168.2.1", &["203.0.113.9"]), "192.168.2.1", "outside");
    }
}
