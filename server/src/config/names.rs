//! The names by which phones reach the server. A name that none of them can reach is refused at the start, where it can
//! still be mended: later it stands in every invitation.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use granary_client_core::transport::host_in_address;
use rustls::pki_types::ServerName;

use crate::error::Error;
use crate::said::Said;

fn refused(name: &str, (english, chinese): (&str, &str)) -> Error {
    let said = Said::new(
        format!("no phone can reach the server by the name {name:?}: {english}. Give a name or an address with --name"),
        format!("没有手机能用 {name:?} 这个名字连到服务器：{chinese}。请用 --name 给出名字或地址"),
    );
    Error::invalid("names", said)
}

/// The names, IPv6 addresses without brackets. The first goes into invitations, so a phone elsewhere must reach it when the
/// server listens beyond this machine.
pub(super) fn checked(names: &[String], listens: SocketAddr) -> Result<Vec<String>, Error> {
    let checked = names.iter().map(|name| checked_name(name)).collect::<Result<Vec<_>, _>>()?;
    let first = checked.first().ok_or_else(|| refused("", ("there is none", "没有名字")))?;
    if is_loopback(first) && !listens.ip().is_loopback() {
        return Err(refused(
            first,
            (
                "it means this machine itself, and the server listens beyond it",
                "它指这台机器自己，而服务器在外面也接受连接",
            ),
        ));
    }
    Ok(checked)
}

fn checked_name(name: &str) -> Result<String, Error> {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare {
        return match bare.parse::<Ipv6Addr>() {
            Ok(address) => checked_address(name, IpAddr::V6(address)),
            Err(_) => Err(refused(name, ("only an IPv6 address stands in brackets", "方括号里只能是 IPv6 地址"))),
        };
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return checked_address(name, address);
    }
    let is_number = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = if name.trim().is_empty() {
        ("it is empty", "它是空的")
    } else if name.contains("://") || name.contains('/') {
        ("it is an address of a page; the name alone is wanted", "它是网页地址；这里只要名字")
    } else if name.contains('%') {
        ("an address with a zone means something on one machine only", "带区域的地址只在一台机器上有意义")
    } else if name.contains(':') {
        ("the port is that of --listen; the name alone is wanted", "端口由 --listen 决定；这里只要名字")
    } else if name.contains('*') {
        ("it stands for many names", "它代表很多名字")
    } else if is_number(name.rsplit('.').next().unwrap_or_default()) {
        ("it is a damaged IPv4 address", "它是写坏了的 IPv4 地址")
    } else if !name.is_ascii() {
        ("write it in the ASCII form of DNS (xn--…)", "请写成 DNS 的 ASCII 形式（xn--…）")
    } else if ServerName::try_from(name).is_err() {
        ("DNS has no such names", "DNS 里没有这样的名字")
    } else {
        return Ok(name.to_ascii_lowercase());
    };
    Err(refused(name, wrong))
}

fn checked_address(name: &str, address: IpAddr) -> Result<String, Error> {
    let address = address.to_canonical();
    let is_broadcast = matches!(address, IpAddr::V4(four) if four.is_broadcast());
    let is_link_local = matches!(address, IpAddr::V6(six) if six.is_unicast_link_local());
    if address.is_unspecified() {
        return Err(refused(
            name,
            (
                "it means every address of a machine, and is the address of none",
                "它指机器的每一个地址，自己不是任何一个地址",
            ),
        ));
    }
    if address.is_multicast() || is_broadcast {
        return Err(refused(name, ("it means many machines", "它指很多台机器")));
    }
    if is_link_local {
        return Err(refused(name, ("it means something on one line only", "它只在一条线路上有意义")));
    }
    Ok(address.to_string())
}

fn is_loopback(name: &str) -> bool {
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost") || name == "localhost.localdomain"
        }
    }
}

/// Host and port, as they stand in links.
pub(super) fn in_links(name: &str, port: u16) -> String {
    format!("{}:{port}", host_in_address(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "127.0.0.1:8443";
    const EVERYWHERE: &str = "0.0.0.0:8443";

    fn check(names: &[&str], listens: &str) -> Result<Vec<String>, Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        checked(&names, listens.parse().unwrap())
    }

    #[test]
    fn names_that_no_phone_can_reach_are_refused_with_a_sentence() {
        for name in [
            "",
            " ",
            "0.0.0.0",
            "::",
            "[::]",
            "0",
            "1.2.3",
            "256.1.1.1",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "fe80::1",
            "fe80::1%eth0",
            "[fe80::1",
            "[granary.example]",
            "https://granary.example",
            "granary.example/",
            "granary.example:8443",
            "[2001:db8::1]:8443",
            "*.granary.example",
            "gran ary",
            "合作社.example",
            "a..b",
            "::ffff:0.0.0.0",
        ] {
            for listens in [HERE, EVERYWHERE] {
                let error = check(&[name], listens).unwrap_err().to_string();
                assert!(error.contains(&format!("{name:?}")) && error.contains("--name"), "{error}");
            }
        }
        assert!(check(&[], HERE).is_err());
        for name in ["localhost", "LOCALHOST", "granary.localhost", "127.0.0.1", "127.8.0.1", "::1", "[::1]"] {
            assert!(check(&[name], EVERYWHERE).is_err(), "{name}");
            assert!(check(&[name], "[::]:8443").is_err(), "{name}");
            assert!(check(&[name], HERE).is_ok() && check(&[name], "[::1]:8443").is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_phones_can_reach_are_kept_as_certificates_hold_them() {
        let names = check(&["Granary.Example", "192.168.1.5", "[2001:DB8::1]", "localhost"], EVERYWHERE).unwrap();
        assert_eq!(names, ["granary.example", "192.168.1.5", "2001:db8::1", "localhost"]);
        assert_eq!(in_links("2001:db8::1", 443), "[2001:db8::1]:443");
        assert_eq!(in_links("granary.example", 443), "granary.example:443");
        // Behind a proxy the server listens on this machine alone, and has a name for everybody.
        assert!(check(&["granary.example"], HERE).is_ok());
    }
}
