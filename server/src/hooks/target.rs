//! Where a delivery may go: to addresses of the public internet over HTTPS, and to networks that the operator allows. It is the address
//! that is connected to that is looked at, not the name: a name can lead anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use granary_client_core::words::Words;
use hyper::Uri;

/// Letters of an address.
pub(crate) const URL_MAX: usize = 500;

/// A target, read from its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) is_tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port as they stand in the address.
    pub(crate) authority: String,
    pub(crate) path: String,
}

/// Why an address can't be a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetFault {
    #[error("it is longer than 500 letters")]
    TooLong,
    #[error("it is no address such as https://shop.example/granary")]
    NotAnAddress,
    #[error("it has a user name in it; the signature shows who sends")]
    UserName,
}

impl Words for TargetFault {
    fn chinese(&self) -> String {
        match self {
            Self::TooLong => "地址超过 500 个字",
            Self::NotAnAddress => "这不是地址，要写成 https://shop.example/granary 这样",
            Self::UserName => "地址里有用户名；是谁发的看签名",
        }
        .to_owned()
    }
}

impl Target {
    pub(crate) fn of(url: &str) -> Result<Self, TargetFault> {
        if url.len() > URL_MAX {
            return Err(TargetFault::TooLong);
        }
        let bad = TargetFault::NotAnAddress;
        if url.contains('#') || url.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(bad);
        }
        let uri: Uri = url.parse().map_err(|_| bad)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad),
        };
        let authority = uri.authority().ok_or(bad)?;
        if authority.as_str().contains('@') {
            return Err(TargetFault::UserName);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(bad);
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { is_tls, host, port, authority: authority.as_str().to_owned(), path })
    }
}

fn is_public_four(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_six(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let four = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        // Addresses of IPv4 in clothes: what they lead to counts.
        (0x0064, 0xff9b) if [c, d, e, f] == [0; 4] => is_public_four(four(g, h)),
        (0x2002, _) => is_public_four(four(b, c)),
        // Teredo, ORCHID and other special ones; documentation.
        (0x2001, 0..0x0200) | (0x2001, 0x0db8) => false,
        // The unicast internet is here alone.
        _ => a & 0xe000 == 0x2000,
    }
}

/// True for an address of the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => is_public_four(four),
        IpAddr::V6(six) => is_public_six(six),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_in_every_form() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2001:4860::8888",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn addresses_are_read() {
        let target = Target::of("https://shop.example/granary?x=1").unwrap();
        assert_eq!((target.is_tls, target.port, target.path.as_str()), (true, 443, "/granary?x=1"));
        let target = Target::of("http://[::1]:8080").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("::1", 8080, "/"));
        for bad in
            ["", "shop.example", "ftp://a/", "https://", "https://a b/", "https://a/#x", "file:///etc/passwd", "/x"]
        {
            assert_eq!(Target::of(bad), Err(TargetFault::NotAnAddress), "{bad}");
        }
        assert_eq!(Target::of("https://me:secret@shop.example/"), Err(TargetFault::UserName));
        assert_eq!(Target::of(&format!("https://a/{}", "x".repeat(600))), Err(TargetFault::TooLong));
    }
}
