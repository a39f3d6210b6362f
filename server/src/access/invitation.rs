//! Invitations: a short code that works once, for a limited time, for one role.

use granary_client_core::schema::access::Role;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::log::CooperativeNumber;

/// Letters of a code: digits and capitals without I, L, O and U, which are misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters in a code: 60 bits, out of reach of guesses within the rate limits.
const CODE_LETTERS: usize = 12;

/// The store's record of an invitation, under a hash of its code.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct InvitationRecord {
    pub(crate) cooperative: CooperativeNumber,
    pub(crate) role: Role,
    pub(crate) expires_millis: i64,
    /// The public key that used it: the same phone may repeat its request when the reply was lost.
    pub(crate) used_by: Option<serde_bytes::ByteBuf>,
}

/// A new invitation, to hand to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The code, such as `7KQ2-M9XT-4B0C`.
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

/// The code of these random bytes.
pub(crate) fn new_code(random: [u8; CODE_LETTERS]) -> String {
    let letters: Vec<char> = random
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)).map(|letter| char::from(*letter)))
        .collect();
    letters.chunks(4).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
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
