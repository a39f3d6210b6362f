//! The messages by which a phone becomes a device of a co-operative.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::ids::CooperativeId;
use crate::schema::access::{Grants, Role};

/// A phone asks to become a device of a co-operative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EnrolRequest {
    /// The invitation's code, as typed; case, spaces and hyphens do not matter.
    pub code: String,
    /// The phone's public key (Ed25519). The frame is signed with its private half.
    #[serde(with = "serde_bytes")]
    pub public_key: [u8; 32],
    /// The phone's name, for people.
    pub name: String,
}

/// What an invitation is for. A person sees it before the phone enrols.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct InvitationPreview {
    /// The co-operative's name, in its own language.
    pub cooperative_name: String,
    /// What the phone will be.
    pub role: Role,
    /// Whose phone: the household's or the person's name; empty where it is nobody's, or has no name yet.
    pub whose: String,
}

/// The phone is a device now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EnrolReply {
    /// The co-operative.
    pub cooperative: CooperativeId,
    /// Its name, in its own language.
    pub cooperative_name: String,
    /// The device's grants. The first cursor is below their version, so that the first sync sends every document.
    pub grants: Grants,
    /// The server's signed statement that this key was enrolled. With it, a server that was restored from an older backup
    /// reinstates the device.
    #[serde(with = "serde_bytes")]
    pub certificate: Vec<u8>,
    /// The server's key. The device's signatures are for this server, and outbox files are encrypted under it.
    #[serde(with = "serde_bytes")]
    pub server_key: [u8; 32],
    /// The time by the server's clock, in seconds since 1970.
    pub told_seconds: i64,
}
