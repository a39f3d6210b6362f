//! The store's records of co-operatives and devices.

use std::collections::BTreeSet;

use granary_client_core::ids::{CooperativeId, DeviceId};
use granary_client_core::schema::access::{Grants, Role};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// A co-operative of this server.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct CooperativeRecord {
    /// Its id.
    pub id: CooperativeId,
    /// Its name.
    pub name: String,
    /// When it was created, in milliseconds since 1970.
    pub created_millis: i64,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// A phone that enrolled by an invitation.
    #[serde(rename = "p")]
    Phone,
    /// A client with a token.
    #[serde(rename = "t")]
    Token,
    /// A person in the console.
    #[serde(rename = "c")]
    Console,
    /// The server's own replica.
    #[serde(rename = "s")]
    Server,
}

/// A device of a co-operative.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct DeviceRecord {
    /// Its public key (Ed25519).
    #[serde(with = "serde_bytes")]
    pub public_key: [u8; 32],
    /// What it is.
    pub kind: DeviceKind,
    /// Its name, for people.
    pub name: String,
    /// All its grants, oldest first; the last is in force.
    pub grants: Vec<Grants>,
    /// When it was enrolled, in milliseconds since 1970.
    pub enrolled_millis: i64,
    /// When it was revoked, in milliseconds since 1970.
    pub revoked_millis: Option<i64>,
    /// Rises with each ending. What was issued under an earlier one (sessions, links, invitations) is void.
    pub generation: u32,
    /// Of a coordinator's phone: the person's own device, with which it ends.
    pub person: Option<DeviceId>,
    /// Of a recorder: for which villages.
    #[serde(default)]
    pub recorder: RecorderRecord,
}

/// What makes a recorder's grants, and what a packer's or a recorder's phone knows by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct RecorderRecord {
    /// The codes of the villages; none for a device that is no recorder.
    pub villages: BTreeSet<String>,
    /// A code over the names that its phone was last told.
    pub names: u64,
}

impl RecorderRecord {
    /// Of these villages, before its households are known.
    pub(crate) fn of(villages: BTreeSet<String>) -> Self {
        Self { villages, names: 0 }
    }
}

impl DeviceKind {
    /// Its word for the operator.
    pub fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Token => "token",
            Self::Console => "console",
            Self::Server => "server",
        }
    }
}

impl DeviceRecord {
    /// The grants in force; none once it was revoked.
    pub fn grants_now(&self) -> Grants {
        match self.grants.last() {
            Some(grants) if self.revoked_millis.is_none() => grants.clone(),
            _ => Grants::default(),
        }
    }

    /// Ends whatever was issued to it so far.
    pub(crate) fn end_issued(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// True for devices that only exist on the server: its own, and those of people in the console.
    pub fn is_of_the_server(&self) -> bool {
        matches!(self.kind, DeviceKind::Console | DeviceKind::Server)
    }

    /// The names of its roles, without ids.
    pub fn roles(&self) -> Vec<&'static str> {
        let name = |role: &Role| match role {
            Role::Coordinator => "coordinator",
            Role::Packer => "packer",
            Role::Household(_) => "household",
            Role::Recorder | Role::RecorderFor(_) => "recorder",
        };
        self.last_roles().iter().map(name).collect()
    }

    /// Its roles, those that it had last where it was revoked; without those that follow from a recorder's villages.
    pub fn last_roles(&self) -> Vec<Role> {
        let roles = self.grants.last().into_iter().flat_map(|grants| grants.roles.iter().copied());
        roles.filter(|role| !role.is_derived()).collect()
    }

    /// The grants of this version; none for an unknown version.
    pub fn grants_of(&self, version: u32) -> Grants {
        self.grants.iter().find(|grants| grants.version == version).cloned().unwrap_or_default()
    }
}

/// A high-water mark: how far a co-operative's log is known to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) entry: u64,
    pub(crate) position: u64,
}
