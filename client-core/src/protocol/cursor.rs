//! How far a phone has read the log, and which of its own changes are durable.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// How far a phone has read the log, and which of its own changes are known to be durable. The server issues it; the phone
/// keeps it and sends it with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Cursor {
    /// Everything up to this position of the log was read.
    pub position: u64,
    /// The entry up to which this replica's changes are known to be durable.
    pub receipt: Receipt,
    /// Running checksums at both.
    pub tags: Tags,
    /// The version of this device's grants that the phone acts on.
    pub grants_version: u32,
    /// The progress of a walk over whole documents; none without one.
    pub walk: Option<Walk>,
}

/// How far a replica's changes are known to be durable. On the line one integer: 0 for none, positive for `Own`, negative
/// for `Through`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receipt {
    /// Nothing yet.
    #[default]
    None,
    /// This replica's last entry. The chain of entries behind it is all that this replica has sent.
    Own(u64),
    /// All that the replica has sent is in entries up to this one. Which of them are its own is not known.
    Through(u64),
}

impl Receipt {
    /// The entry up to which everything is durable; 0 for none.
    pub fn entry(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Own(entry) | Self::Through(entry) => entry,
        }
    }

    /// The same, of a replica that can't tell any more which entries are its own.
    pub fn without_chain(self) -> Self {
        match self {
            Self::Own(entry) => Self::Through(entry),
            other => other,
        }
    }

    /// The end of the replica's own chain; 0 where there is none.
    pub fn own(self) -> u64 {
        match self {
            Self::Own(entry) => entry,
            Self::None | Self::Through(_) => 0,
        }
    }
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = i64::try_from(self.entry()).unwrap_or(i64::MAX);
        serializer.serialize_i64(if matches!(self, Self::Through(_)) { entry.saturating_neg() } else { entry })
    }
}

impl<'de> Deserialize<'de> for Receipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Ok(match number {
            0 => Self::None,
            1.. => Self::Own(number.unsigned_abs()),
            ..0 => Self::Through(number.unsigned_abs()),
        })
    }
}

/// The running checksums of a log at a cursor; 8 bytes on the line. They differ between logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tags {
    /// The log's running checksum at the cursor's position.
    pub position: u32,
    /// The entries' running checksum at the cursor's receipt.
    pub receipt: u32,
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = [0u8; 8];
        for (place, number) in bytes.chunks_exact_mut(4).zip([self.position, self.receipt]) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [a, b, c, d, e, f, g, h] = *serde_bytes::ByteArray::<8>::deserialize(deserializer)?;
        Ok(Self { position: u32::from_be_bytes([a, b, c, d]), receipt: u32::from_be_bytes([e, f, g, h]) })
    }
}

/// A walk over all documents that a device may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Walk {
    /// What is sent of each document.
    pub mode: WalkMode,
    /// The number of the next document, which may be sent in part.
    pub document: u32,
    /// Of that document, everything up to this position of the log was sent.
    pub through: u64,
}

/// What a walk sends of each document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WalkMode {
    /// Whole documents, those that the grants of this older version did not allow.
    #[serde(rename = "g")]
    Grant(u32),
    /// The heads of every document, for head reconciliation.
    #[serde(rename = "r")]
    Reconcile,
}
