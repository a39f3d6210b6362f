//! Who may act: the one place that decides it. Every way in asks here: a signature, an automerge token, a password, a
//! session, a sign-in link, a live socket, an invitation that somebody made, a certificate, each edit and each deed.
//!
//! A device acts by its own key until it is revoked. What the server issued on a person's behalf (sessions, links,
//! invitations that they made) also names the *generation* of the person's device. Whatever ends a person raises the
//! generation, so all of these end with it.

use granary_client_core::ids::DeviceId;
use granary_client_core::schema::access::Grants;
use granary_client_core::words::Words;
use serde::{Deserialize, Serialize};

use crate::log::{Cooperative, DeviceRecord};

/// What a request rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// What only the device or its person has: a key, a token, a password. It was checked before.
    Own,
    /// What the server issued when the device had this generation.
    Issued(u32),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// To read and write documents, as far as the grants go.
    Sync,
    /// To work in the console, to invite, to end others: for coordinators.
    Coordinate,
}

/// Why somebody may not act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The device was never enrolled here.
    #[error("this phone is not known here; enrol it with an invitation")]
    Unknown,
    /// The device was revoked.
    #[error("this phone was taken out of the co-operative")]
    Revoked,
    /// The credential is of an earlier generation.
    #[error("this access was ended; sign in again")]
    Ended,
    /// The deed is for coordinators.
    #[error("only coordinators may do this")]
    NotACoordinator,
}

impl Words for Denied {
    fn chinese(&self) -> String {
        match self {
            Self::Unknown => "这里没有登记过这部手机；请用邀请加入",
            Self::Revoked => "这部手机已被移出合作社",
            Self::Ended => "这次登录已经结束；请重新登录",
            Self::NotACoordinator => "只有协调员可以这样做",
        }
        .to_owned()
    }
}

/// Decides whether a device may act now. Gives its record, whose grants say how far.
pub(crate) fn may_act(
    cooperative: &Cooperative,
    device: DeviceId,
    credential: Credential,
    deed: Deed,
) -> Result<DeviceRecord, Denied> {
    let record = cooperative.device(device).ok_or(Denied::Unknown)?;
    if record.revoked_millis.is_some() {
        return Err(Denied::Revoked);
    }
    if let Credential::Issued(generation) = credential
        && generation != record.generation
    {
        return Err(Denied::Ended);
    }
    if deed == Deed::Coordinate && !record.grants.last().is_some_and(Grants::is_coordinator) {
        return Err(Denied::NotACoordinator);
    }
    Ok(record)
}

/// Who does a deed, or did it: invitations keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// The operator, at the server's own terminal.
    #[serde(rename = "o")]
    Operator,
    /// A person in the console, in a session of this generation.
    #[serde(rename = "p")]
    Person {
        /// The device by which the person edits.
        device: DeviceId,
        /// Its generation.
        generation: u32,
    },
}

impl Principal {
    /// An error when the principal may not coordinate now.
    pub(crate) fn must_coordinate(self, cooperative: &Cooperative) -> Result<(), Denied> {
        match self {
            Self::Operator => Ok(()),
            Self::Person { device, generation } => {
                may_act(cooperative, device, Credential::Issued(generation), Deed::Coordinate).map(drop)
            }
        }
    }

    /// Who it is for the audit: the person's device, or `operator`. Never a name: names can be erased, and the audit stays.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Person { device, .. } => device.to_string(),
        }
    }

    /// A name for people: the person's, or `operator`.
    pub(crate) fn name(self, cooperative: &Cooperative) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Person { device, .. } => {
                cooperative.device(device).map_or_else(|| device.to_string(), |record| record.name)
            }
        }
    }
}
