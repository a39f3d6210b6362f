//! Tokens of clients without a key. The device's key is derived from the token, so the server stores nothing that
//! reveals a token.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::access::standing::{Credential, Deed, may_act};
use crate::engine::Granary;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber, DeviceKind, DeviceRecord};
use std::sync::Arc;

const DOMAIN: &[u8] = b"granary device token 1\0";
/// Hexadecimal digits of a token.
const TOKEN_DIGITS: usize = 64;

fn public_key(token: &str) -> Option<[u8; 32]> {
    if token.len() != TOKEN_DIGITS || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let seed = digest(&SHA256, &[DOMAIN, token.as_bytes()].concat());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
    pair.public_key().as_ref().try_into().ok()
}

impl Granary {
    /// Creates a device with a token, for clients of automerge-repo. The token is returned only here.
    pub fn make_token(
        &self,
        number: CooperativeNumber,
        role: Role,
        name: &str,
        now: Instant,
    ) -> Result<(DeviceId, String), Error> {
        let token: [u8; 32] = self.random()?;
        let token = crate::environment::hex(&token);
        let public_key = public_key(&token)
            .ok_or_else(|| Error::Secret { what: "a token", reason: "no key could be made of it".into() })?;
        let code = self.invite(number, role, 1, now)?.code;
        self.enrol_as(DeviceKind::Token, &EnrolRequest { code, public_key, name: name.to_owned() }, now)?;
        Ok((DeviceId::of_public_key(&public_key), token))
    }

    /// The device that has this token, if it may act.
    pub(super) fn device_of_token(&self, token: &str) -> Option<(Arc<Cooperative>, DeviceId, DeviceRecord)> {
        let public_key = public_key(token)?;
        let device = DeviceId::of_public_key(&public_key);
        let cooperative = self.cooperative_of(device)?;
        let record = may_act(&cooperative, device, Credential::Own, Deed::Sync).ok()?;
        (record.public_key == public_key).then_some((cooperative, device, record))
    }
}
