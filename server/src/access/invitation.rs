//! Invitations: a short code that works once, for a limited time, for one role, while whoever made it may still invite.

use std::collections::BTreeSet;

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::{Instant, SpokenCode};
use granary_client_core::schema::access::Role;
use granary_client_core::store::{Batch, Store, StoreFault};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::accounts::{ONCE, SESSION};
use super::standing::{Credential, Deed, Principal, may_act};
use crate::log::keys::{GLOBAL, key};
use crate::log::{Cooperative, CooperativeNumber};

/// The store's record of an invitation, under a hash of its code.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct InvitationRecord {
    pub(crate) cooperative: CooperativeNumber,
    pub(crate) role: Role,
    pub(crate) expires_millis: i64,
    /// Who made it. It is void once they may not invite any more.
    pub(crate) by: Principal,
    /// The person whose phone it is for; it is void once they are ended.
    pub(crate) person: Option<DeviceId>,
    pub(crate) made_millis: i64,
    pub(crate) used: Option<InvitationUse>,
    pub(crate) withdrawn_millis: Option<i64>,
    /// The villages of a recorder, by their codes.
    #[serde(default)]
    pub(crate) villages: BTreeSet<String>,
}

/// How an invitation was used.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct InvitationUse {
    /// The key that used it: the same phone may repeat its request when the reply was lost.
    pub(crate) public_key: serde_bytes::ByteBuf,
    pub(crate) at_millis: i64,
}

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It works.
    Open,
    /// A phone enrolled by it.
    Used,
    /// Somebody withdrew it.
    Withdrawn,
    /// Whoever made it, or whose phone it is for, was ended since.
    Void,
    /// Its time is over.
    Expired,
}

impl InvitationState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Withdrawn => "withdrawn",
            Self::Void => "void",
            Self::Expired => "expired",
        }
    }
}

impl InvitationRecord {
    /// What has become of it by now.
    pub(crate) fn state(&self, cooperative: &Cooperative, now: Instant) -> InvitationState {
        let person_stands = |device| may_act(cooperative, device, Credential::Own, Deed::Coordinate).is_ok();
        if self.used.is_some() {
            InvitationState::Used
        } else if self.withdrawn_millis.is_some() {
            InvitationState::Withdrawn
        } else if self.by.must_coordinate(cooperative).is_err() || !self.person.is_none_or(person_stands) {
            InvitationState::Void
        } else if self.expires_millis < now.0 {
            InvitationState::Expired
        } else {
            InvitationState::Open
        }
    }
}

/// An invitation as it is listed: without its code, which the server does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationLine {
    /// Names it: eight digits of its code's hash.
    pub id: String,
    /// What the phone may become.
    pub role: Role,
    /// The villages of a recorder, by their codes.
    pub villages: Vec<String>,
    /// The name of who made it.
    pub by: String,
    /// The name of the person whose phone it is for.
    pub person: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub made_millis: i64,
    /// When it stops working, in milliseconds since 1970.
    pub expires_millis: i64,
    /// What has become of it.
    pub state: InvitationState,
    /// The device that used it, and when, in milliseconds since 1970.
    pub used: Option<(DeviceId, i64)>,
}

/// Withdraws every open invitation, and removes every session and sign-in link: what a restored store brings back of them
/// may have been used, withdrawn or ended since. Gives how many invitations were open.
pub(crate) fn end_all_issued(store: &dyn Store, now_millis: i64) -> Result<usize, StoreFault> {
    let mut batch = Batch::default();
    let mut open = 0usize;
    for row in store.scan_all(&key(GLOBAL, b'I', &[]))? {
        let record = row.value.as_deref().and_then(|value| read_message::<InvitationRecord>(value).ok());
        let Some(mut record) = record else { return Err(StoreFault::Damaged(row.key)) };
        if record.used.is_none() && record.withdrawn_millis.is_none() {
            open = open.saturating_add(1);
            record.withdrawn_millis = Some(now_millis);
            batch.put(row.key, write_message(&record));
        }
    }
    for kind in [SESSION, ONCE] {
        store.scan_all(&key(GLOBAL, kind, &[]))?.into_iter().for_each(|row| batch.remove(row.key));
    }
    store.apply(&batch)?;
    store.flush()?;
    Ok(open)
}

/// A new invitation, to hand to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The code, such as `7KQ2-M9XT-4B0F`.
    pub code: String,
    /// When it stops working, in milliseconds since 1970.
    pub expires_millis: i64,
}

/// The link by which a phone enrols, in one line or one QR code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationLink {
    /// Host and port.
    pub address: String,
    /// The invitation's code.
    pub code: String,
    /// SHA-256 of the authority's certificate, in hexadecimal, to pin.
    pub fingerprint: String,
}

impl std::fmt::Display for InvitationLink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "granary://{}/{}", self.address, self.code)?;
        if self.fingerprint.is_empty() { Ok(()) } else { write!(formatter, "#{}", self.fingerprint) }
    }
}

/// The code of these random bytes: 55 bits, out of reach of guesses within the rate limits, and a check letter, by which a phone
/// finds a slip of the finger before it asks.
pub(crate) fn new_code(random: [u8; 8]) -> String {
    SpokenCode::of(u64::from_be_bytes(random)).to_string()
}

/// A typed code in its normal form: capitals without hyphens and spaces, misread letters corrected.
pub(crate) fn normal_code(typed: &str) -> String {
    typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_code_corrects_typed_code() {
        let code = new_code(crate::environment::random_bytes().unwrap());
        assert_eq!(code.len(), 14);
        assert_eq!(normal_code(&code.to_lowercase().replace('-', " ").replace('0', "o")), normal_code(&code));
    }
}
