//! How a phone becomes a device of a co-operative.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::ids::CooperativeId;
use crate::schema::access::Grants;

/// A phone asks to become a device of a co-operative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EnrolRequest {
    /// The invitation's code, as typed; case, spaces and hyphens do not matter.
    pub code: String,
    /// The phone's public key (Ed25519). The frame is signed with its private half.
    #[serde(with = "serde_bytes")]
    pub public_key: [u8; 32],
    /// What the phone is called, for people.
    pub name: String,
}

/// The phone is a device now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EnrolReply {
    /// The co-operative.
    pub cooperative: CooperativeId,
    /// Its name, in its own language.
    pub cooperative_name: String,
    /// What the device was granted. The cursor begins below this version, so that the first sync
    /// brings every document.
    pub grants: Grants,
    /// Says, signed by the server, that this key was enrolled; with it the device can come back
    /// after the server was restored from an older backup.
    #[serde(with = "serde_bytes")]
    pub certificate: Vec<u8>,
}
