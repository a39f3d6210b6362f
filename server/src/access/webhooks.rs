//! Webhooks: where a shop's program is told what happened, of which events, and the secrets that sign it.

use std::collections::BTreeSet;
use std::str::FromStr;

use granary_client_core::quantities::Instant;
use granary_client_core::words::Words;
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::api_keys::{KeyId, Scope};
use crate::error::Error;

/// Webhooks of one co-operative at most.
pub(crate) const WEBHOOKS_MAX: usize = 50;
/// For how long the secret before the last holds beside it, in milliseconds.
pub(crate) const OLD_SECRET_MILLIS: u64 = 7 * 24 * 3_600_000;

/// A webhook's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct WebhookId(pub(crate) u64);

impl std::fmt::Display for WebhookId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for WebhookId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let missing = |_| Error::NotFound { what: "webhook", name: text.chars().take(20).collect() };
        text.parse::<KeyId>().map(|KeyId(id)| Self(id)).map_err(missing)
    }
}

/// What can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum EventKind {
    /// Anything of an order changed.
    #[serde(rename = "order.changed")]
    OrderChanged,
    /// What is left of a pool changed.
    #[serde(rename = "pool.changed")]
    PoolChanged,
}

impl EventKind {
    pub(crate) const ALL: [Self; 2] = [Self::OrderChanged, Self::PoolChanged];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OrderChanged => "order.changed",
            Self::PoolChanged => "pool.changed",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a key must be able to read to be told of it.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::OrderChanged => Scope::OrdersRead,
            Self::PoolChanged => Scope::StockRead,
        }
    }
}

/// A webhook as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct WebhookRecord {
    pub(crate) url: String,
    pub(crate) events: BTreeSet<EventKind>,
    /// Of which shop's orders it is told.
    pub(crate) platform: String,
    pub(crate) shop: String,
    /// The key that made it: once that is revoked, nothing more is sent. None for one that a coordinator made.
    pub(crate) key: Option<KeyId>,
    pub(crate) secret: String,
    /// The one before, and until when it holds.
    pub(crate) old_secret: Option<(String, i64)>,
    pub(crate) made_millis: i64,
}

impl WebhookRecord {
    /// The secrets that sign now, the newest first.
    pub(crate) fn secrets(&self, now: Instant) -> impl Iterator<Item = &str> {
        let old = self.old_secret.as_ref().filter(|(_, until)| *until > now.0).map(|(secret, _)| secret.as_str());
        std::iter::once(self.secret.as_str()).chain(old)
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failed {
    #[error("no answer within 5 seconds")]
    TooSlow,
    #[error("the name leads nowhere")]
    NoAddress,
    #[error("the name leads to a private address, which the operator does not allow")]
    Private,
    #[error("without https only networks that the operator allows are written to")]
    Plain,
    #[error("the line broke: {0}")]
    Broke(String),
    #[error("answered {0}")]
    Answered(u16),
}

impl Words for Failed {
    fn chinese(&self) -> String {
        match self {
            Self::TooSlow => "5 秒内没有回应".to_owned(),
            Self::NoAddress => "找不到这个域名".to_owned(),
            Self::Private => "这个域名指向内网地址，管理员没有允许".to_owned(),
            Self::Plain => "没有 https 时，只能发到管理员允许的网络".to_owned(),
            Self::Broke(cause) => format!("线路断了：{cause}"),
            Self::Answered(status) => format!("对方回应 {status}"),
        }
    }
}

/// A delivery as the store has it, waiting or given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct DeliveryRecord {
    /// What it is about: of one subject one goes after the other.
    pub(crate) subject: String,
    /// Such as `order.changed`.
    pub(crate) kind: String,
    /// What is sent.
    #[serde(with = "serde_bytes")]
    pub(crate) body: Vec<u8>,
    /// When it was to go first.
    pub(crate) since_millis: i64,
    pub(crate) attempts: u32,
    /// When it goes next; of one that was given up, when that was.
    pub(crate) due_millis: i64,
    /// Why the last attempt failed; none before the first.
    pub(crate) fault: Option<Failed>,
}

/// How far events of orders were told to a webhook, and the number of its next delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Told {
    /// The position of the log.
    pub(crate) position: u64,
    pub(crate) next: u64,
}
