//! Ids of documents, devices, actors, changes and households. Each is a type of its own, with one checked way in from bytes
//! or text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::words::Words;

/// Bytes of an actor id.
pub const ACTOR_BYTES_MAX: usize = 32;

/// A text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a valid {kind} id")]
pub struct IdFault {
    /// What was expected.
    pub kind: &'static str,
    /// What came.
    pub text: String,
}

impl Words for IdFault {
    fn chinese(&self) -> String {
        let kind = match self.kind {
            "co-operative" => "合作社",
            "household" => "农户",
            "device" => "手机",
            "document" => "文档",
            other => other,
        };
        format!("“{}”不是{kind}的编号", self.text)
    }
}

fn fault(kind: &'static str, text: &str) -> IdFault {
    IdFault { kind, text: text.chars().take(80).collect() }
}

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident, $kind:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "serde_bytes")] [u8; 16]);

        impl $name {
            /// The id of these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// A new id (UUID v7) from a time in milliseconds since 1970 and ten random bytes.
            pub fn generate(unix_millis: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid().into_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                Uuid::from_bytes(self.0).fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdFault;

            fn from_str(text: &str) -> Result<Self, IdFault> {
                Uuid::parse_str(text).map(|uuid| Self(uuid.into_bytes())).map_err(|_| fault($kind, text))
            }
        }
    };
}

uuid_id!(
    /// A co-operative. Its documents are isolated from those of all others.
    CooperativeId,
    "co-operative"
);
uuid_id!(
    /// A household of a co-operative.
    HouseholdId,
    "household"
);
uuid_id!(
    /// A document, derived from its [`crate::schema::DocumentKey`].
    DocumentId,
    "document"
);

impl CooperativeId {
    /// The device id of the server's own replica, under which no phone can write. What only the server decides counts where this
    /// device wrote it.
    pub fn server_device(self) -> DeviceId {
        let mut seed = [0u8; 32];
        for (place, byte) in seed.iter_mut().zip(self.0) {
            *place = byte;
        }
        DeviceId::of_public_key(&seed)
    }
}

impl DocumentId {
    /// The id in Automerge's own URL form: `automerge:` and bs58check.
    pub fn automerge_url(&self) -> String {
        format!("automerge:{}", bs58::encode(self.as_bytes()).with_check().into_string())
    }

    /// Reads Automerge's own URL form.
    pub fn from_automerge_url(url: &str) -> Result<Self, IdFault> {
        let body = url.strip_prefix("automerge:").ok_or_else(|| fault("document", url))?;
        if body.len() > 64 {
            return Err(fault("document", url));
        }
        let bytes = bs58::decode(body).with_check(None).into_vec().map_err(|_| fault("document", url))?;
        bytes.try_into().map(Self::from_bytes).map_err(|_| fault("document", url))
    }
}

/// One opening of one store, drawn at random by the edge and given as an argument. Copies of a device's files never
/// share one, so (actor, sequence) names one change for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(u32);

impl Incarnation {
    /// The incarnation of this random number.
    pub const fn new(random: u32) -> Self {
        Self(random)
    }

    /// The next incarnation, after `refused` has shown that another writer uses this one. Two memory images of one process
    /// get different ones, since their refused changes differ.
    pub fn after(self, refused: ChangeHash) -> Self {
        let [a, b, c, d, ..] = *refused.as_bytes();
        Self(self.0.wrapping_add(1) ^ u32::from_be_bytes([a, b, c, d]))
    }
}

/// A device: the first 8 bytes of SHA-256 over its Ed25519 public key. The server takes no second
/// device with the same id. All its actor ids begin with these bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(#[serde(with = "serde_bytes")] [u8; 8]);

impl DeviceId {
    /// No device: where nobody is trusted, what only the server decides counts from nobody.
    pub const NOBODY: Self = Self([0; 8]);

    /// The device that holds this public key.
    pub fn of_public_key(public_key: &[u8; 32]) -> Self {
        let digest: [u8; 32] = Sha256::digest(public_key).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self([a, b, c, d, e, f, g, h])
    }

    /// The id of these 8 bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its 8 bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The actor under which this device edits in one opening of its store: 8 + 4 bytes.
    pub fn actor(&self, of: Incarnation) -> ActorId {
        ActorId([self.0.as_slice(), &of.0.to_be_bytes()].concat())
    }

    /// True when `actor` is one of this device's.
    pub fn owns(&self, actor: &ActorId) -> bool {
        actor.device() == Some(*self)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for DeviceId {
    type Err = IdFault;

    fn from_str(text: &str) -> Result<Self, IdFault> {
        let number = u64::from_str_radix(text, 16).map_err(|_| fault("device", text))?;
        if text.len() == 16 { Ok(Self(number.to_be_bytes())) } else { Err(fault("device", text)) }
    }
}

/// An Automerge actor id: 1 to 32 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActorId(Vec<u8>);

impl ActorId {
    /// The actor of documents' first changes; no device has it.
    pub const GENESIS: &'static [u8] = b"genesis";

    /// True for the actor of documents' first changes.
    pub fn is_genesis(&self) -> bool {
        self.0 == Self::GENESIS
    }

    /// The actor id of these bytes; none when they are too few or too many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty() && bytes.len() <= ACTOR_BYTES_MAX).then(|| Self(bytes.to_vec()))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The device whose actor this is; none for actors that no device has.
    pub fn device(&self) -> Option<DeviceId> {
        match *self.0.as_slice() {
            [a, b, c, d, e, f, g, h, _, _, _, _] => Some(DeviceId([a, b, c, d, e, f, g, h])),
            _ => None,
        }
    }

    /// The same id as Automerge's type.
    pub fn to_automerge(&self) -> automerge::ActorId {
        automerge::ActorId::from(self.0.as_slice())
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A change's name: SHA-256 over its chunk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeHash(#[serde(with = "serde_bytes")] [u8; 32]);

impl ChangeHash {
    /// The hash of these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same hash as Automerge's type.
    pub fn to_automerge(self) -> automerge::ChangeHash {
        automerge::ChangeHash(self.0)
    }
}

impl From<automerge::ChangeHash> for ChangeHash {
    fn from(hash: automerge::ChangeHash) -> Self {
        Self(hash.0)
    }
}

impl fmt::Display for ChangeHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ChangeHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_id_round_trips_through_url() {
        let id = DocumentId::from_bytes([7; 16]);
        assert_eq!(DocumentId::from_automerge_url(&id.automerge_url()), Ok(id));
        assert!(DocumentId::from_automerge_url("automerge:nonsense").is_err());
    }

    #[test]
    fn actor_begins_with_its_device() {
        let device = DeviceId::of_public_key(&[3; 32]);
        assert!(device.owns(&device.actor(Incarnation::new(7))));
        assert_ne!(device.actor(Incarnation::new(7)), device.actor(Incarnation::new(8)));
        assert!(!device.owns(&ActorId::from_bytes(b"genesis").unwrap()));
        assert_eq!(device.to_string().parse(), Ok(device));
    }
}
