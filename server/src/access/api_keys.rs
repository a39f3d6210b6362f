//! API keys: what a shop's program signs in with. A key belongs to one shop of one platform of one co-operative, and does what its
//! scopes say. The server keeps a hash of its secret, so a key is shown once.

use std::collections::BTreeSet;
use std::str::FromStr;

use granary_client_core::quantities::{Instant, TextField, checked_text, is_hidden};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::environment::{from_hex, hex};
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::said::Said;

/// Keys of one co-operative at most, with the revoked ones that are still listed.
pub(crate) const KEYS_MAX: usize = 200;
/// What every key begins with, so that whoever finds one knows what it is.
const MARK: &str = "grn_";
const SECRET_BYTES: usize = 24;
/// Bytes of a platform's and a shop's name.
const PLATFORM_BYTES_MAX: usize = 32;

/// One thing that a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// To bring orders, and to call them off.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// To read orders and what became of them.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// To read what is free and what is left.
    #[serde(rename = "stock:read")]
    StockRead,
    /// To read shipments.
    #[serde(rename = "ship:read")]
    ShipRead,
    /// To say how many packs a pool is wanted to have.
    #[serde(rename = "pools:write")]
    PoolsWrite,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OrdersWrite, Self::OrdersRead, Self::StockRead, Self::ShipRead, Self::PoolsWrite];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OrdersWrite => "orders:write",
            Self::OrdersRead => "orders:read",
            Self::StockRead => "stock:read",
            Self::ShipRead => "ship:read",
            Self::PoolsWrite => "pools:write",
        }
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::invalid("scope", Said::new(format!("a scope is one of {names}"), format!("权限是其中之一：{names}")))
        })
    }
}

/// A key's name, which is no secret: lists and the audit have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub(crate) u64);

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_plain = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let id = is_plain.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(Self);
        id.ok_or_else(|| {
            Error::invalid("key", ("give the key's id, as `key list` shows it", "请照 `key list` 显示的写密钥编号"))
        })
    }
}

/// What a new key is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDraft {
    /// What people call it, such as the name of the program that has it.
    pub name: String,
    /// The platform whose orders it brings, such as `douyin`; 1 to 32 bytes.
    pub platform: String,
    /// The shop on that platform; empty where a company has one alone.
    pub shop: String,
    /// What it may do; at least one thing.
    pub scopes: BTreeSet<Scope>,
}

fn name_fault(field: &'static str) -> Error {
    Error::invalid(
        field,
        (
            "a platform has 1 to 32 bytes, a shop at most 32, without blanks and marks that nobody sees",
            "平台是 1 到 32 个字节，店铺最多 32 个字节，不能有空格和看不见的符号",
        ),
    )
}

impl KeyDraft {
    /// The same within its bounds.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let is_name = |text: &str| !text.chars().any(|letter| letter.is_whitespace() || is_hidden(letter));
        if self.platform.is_empty() || self.platform.len() > PLATFORM_BYTES_MAX || !is_name(&self.platform) {
            return Err(name_fault("platform"));
        }
        if self.shop.len() > PLATFORM_BYTES_MAX || !is_name(&self.shop) {
            return Err(name_fault("shop"));
        }
        if self.scopes.is_empty() {
            return Err(Error::invalid("scope", ("a key needs a scope at least", "密钥至少要有一项权限")));
        }
        Ok(Self { name: checked_text(TextField::PersonName, &self.name)?, ..self })
    }
}

/// A key as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct ApiKeyRecord {
    pub(crate) cooperative: CooperativeNumber,
    /// SHA-256 of the whole key.
    #[serde(with = "serde_bytes")]
    pub(crate) hash: [u8; 32],
    pub(crate) name: String,
    pub(crate) platform: String,
    pub(crate) shop: String,
    pub(crate) scopes: BTreeSet<Scope>,
    pub(crate) made_millis: i64,
    /// Who made it: a device, or `operator`.
    pub(crate) by: String,
    pub(crate) revoked_millis: Option<i64>,
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyLine {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// The platform whose orders it brings.
    pub platform: String,
    /// The shop; empty where there is one alone.
    pub shop: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub made: Instant,
    /// Who made it: a device's id, or `operator`.
    pub by: String,
    /// When it was last used, to half a minute; none for never.
    pub last_used: Option<Instant>,
    /// When it was revoked.
    pub revoked: Option<Instant>,
}

/// A key that was shown, and may act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiKey {
    pub(crate) id: KeyId,
    pub(crate) cooperative: CooperativeNumber,
    pub(crate) platform: String,
    pub(crate) shop: String,
    pub(crate) scopes: BTreeSet<Scope>,
}

pub(crate) fn hash_of(key: &str) -> [u8; 32] {
    digest(&SHA256, key.as_bytes()).as_ref().try_into().unwrap_or([0; 32])
}

/// A new key's text.
pub(crate) fn new_key(id: KeyId, secret: [u8; SECRET_BYTES]) -> String {
    format!("{MARK}{id}_{}", hex(&secret))
}

/// The id in a key's text; none for any other text.
pub(crate) fn id_in(key: &str) -> Option<KeyId> {
    let (id, secret) = key.strip_prefix(MARK)?.split_once('_')?;
    let is_secret = secret.len() == SECRET_BYTES.saturating_mul(2) && from_hex(secret).is_some();
    if is_secret { id.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_back_and_nothing_else_is() {
        let key = new_key(KeyId(7), [0xab; SECRET_BYTES]);
        assert_eq!(id_in(&key), Some(KeyId(7)));
        let short = key.get(..key.len() - 1).unwrap();
        for other in ["", "grn_", "grn__", "grn_0000000000000007_", short, "grn_+000000000000007_ab", "bearer"] {
            assert_eq!(id_in(other), None, "{other}");
        }
        assert!("+00000000000000f".parse::<KeyId>().is_err());
    }

    #[test]
    fn draft_is_within_its_bounds() {
        let draft = |platform: &str, shop: &str, scopes: &[Scope]| {
            let scopes = scopes.iter().copied().collect();
            KeyDraft { name: "bridge".into(), platform: platform.into(), shop: shop.into(), scopes }.checked()
        };
        assert!(draft("douyin", "", &[Scope::OrdersRead]).is_ok());
        for (platform, shop) in [("", ""), (&"x".repeat(33)[..], ""), ("dou yin", ""), ("douyin", "a\u{202e}b")] {
            assert!(draft(platform, shop, &[Scope::OrdersRead]).is_err(), "{platform} {shop}");
        }
        assert!(draft("douyin", "east", &[]).is_err());
    }
}
