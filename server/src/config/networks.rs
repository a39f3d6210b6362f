//! Networks by their addresses, as settings name them.

use std::net::IpAddr;

use crate::error::Error;
use crate::said::Said;

/// A network: its first address, and how many bits of it count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    bits: u32,
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        let same = |own: u128, other: u128, width: u32| {
            let away = width.saturating_sub(self.bits);
            away >= width || own >> away == other >> away
        };
        match (self.first, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

/// Some networks; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Reads addresses and networks, such as `127.0.0.1` and `10.4.0.0/16`; `setting` is what they stand in.
    pub fn of(setting: &'static str, texts: &[String]) -> Result<Self, Error> {
        let refused = |text: &str| {
            let said = Said::new(
                format!("{text:?} is neither an address nor a network such as 10.4.0.0/16"),
                format!("{text:?} 既不是地址，也不是像 10.4.0.0/16 这样的网段"),
            );
            Error::invalid(setting, said)
        };
        let network = |text: &String| {
            let (address, bits) = text.split_once('/').map_or((text.as_str(), None), |(it, bits)| (it, Some(bits)));
            let first = address.parse::<IpAddr>().map_err(|_| refused(text))?.to_canonical();
            let width = if first.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(width), str::parse).map_err(|_| refused(text))?;
            if bits > width { Err(refused(text)) } else { Ok(Network { first, bits }) }
        };
        texts.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True for an address in one of them.
    pub(crate) fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.holds(address))
    }
}
