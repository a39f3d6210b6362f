//! What a signature holds for: one route of one server for one co-operative, and, where both sides know it, one TLS
//! connection. None of this is sent: both sides know it, so a frame that is shown anywhere else does not verify.

use std::sync::Arc;

use crate::ids::{CooperativeId, DeviceId};
use crate::protocol::transfer::PartKey;

/// Domain separation of requests' signatures.
const REQUEST_DOMAIN: &[u8] = b"granary request 1\0";
/// Domain separation of proofs for a resumption.
const RESUME_DOMAIN: &[u8] = b"granary resume 1\0";
/// The label under which TLS exports a channel's key (RFC 9266).
pub const CHANNEL_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
/// The protocol's name in a TLS handshake (RFC 7301), which a phone offers beside HTTP/1.1 and only a server of ours chooses.
/// Where a proxy ends the connection, it chooses HTTP/1.1: then the server can't know the connection's key, and the phone
/// signs for none.
pub const DIRECT: &[u8] = b"gr/1";

/// The key of a server, under which outbox files are encrypted for it. It names the server in signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServerKey(pub [u8; 32]);

/// A TLS connection's exported key (RFC 9266). Both of its ends know it, and nobody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Channel(pub [u8; 32]);

impl std::fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Channel(..)")
    }
}

/// For what a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// One exchange of a sync.
    Sync,
    /// Enrolment. The phone knows neither the server's key nor the co-operative yet, so both are zeros; the content has a
    /// code that only its server knows.
    Enrol,
    /// The nudge socket.
    Listen,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Sync => 1,
            Self::Enrol => 2,
            Self::Listen => 3,
        }
    }
}

/// Whom a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    /// The server.
    pub server: ServerKey,
    /// The co-operative.
    pub cooperative: CooperativeId,
}

impl Audience {
    /// Before enrolment.
    pub const UNKNOWN: Self = Self { server: ServerKey([0; 32]), cooperative: CooperativeId::from_bytes([0; 16]) };
}

/// All that a signature holds for, beside the bytes of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// For what.
    pub purpose: Purpose,
    /// For whom.
    pub audience: Audience,
    /// Over which connection; none where the platform exports no key, as in a browser.
    pub channel: Option<Channel>,
}

fn bound(domain: &[u8], audience: &Audience, channel: Option<Channel>) -> Vec<u8> {
    let mut bytes = domain.to_vec();
    bytes.extend_from_slice(&audience.server.0);
    bytes.extend_from_slice(audience.cooperative.as_bytes());
    bytes.push(u8::from(channel.is_some()));
    channel.iter().for_each(|channel| bytes.extend_from_slice(&channel.0));
    bytes
}

impl Binding {
    /// The bytes that a signature covers before those of the request.
    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = bound(REQUEST_DOMAIN, &self.audience, self.channel);
        bytes.push(self.purpose.byte());
        bytes
    }
}

/// The bytes that a phone signs to go on with a broken exchange: without it, whoever knows a key could fetch the reply.
pub fn resume_statement(key: PartKey, device: DeviceId, audience: &Audience, channel: Option<Channel>) -> Vec<u8> {
    let mut bytes = bound(RESUME_DOMAIN, audience, channel);
    bytes.extend_from_slice(device.as_bytes());
    bytes.extend_from_slice(&key.0.to_be_bytes());
    bytes
}

/// Signs bytes with a device's key (Ed25519).
pub type Sign = dyn Fn(&[u8]) -> [u8; 64] + Send + Sync;

/// A device that can sign, for its own server and co-operative.
#[derive(Clone)]
pub struct Signer {
    /// The device.
    pub device: DeviceId,
    /// For whom it signs.
    pub audience: Audience,
    /// How it signs.
    pub sign: Arc<Sign>,
}

impl Signer {
    /// The proof for a resumption over this connection.
    pub fn resume(&self, key: PartKey, channel: Option<Channel>) -> [u8; 64] {
        (self.sign)(&resume_statement(key, self.device, &self.audience, channel))
    }
}
