//! The frame of a message: a version byte, in requests the device and its signature, a byte for the compression, and the
//! content.
//!
//! ```text
//! request   version | device (8) | signature (64) | compression | content
//! reply     version | compression | content
//! ```
//!
//! Another dictionary means another version.
//!
//! The signature (Ed25519) covers its [`Binding`], version, device, compression and content. It has no time and no counter:
//! phones' clocks are unreliable, and copies of a phone share a key. The connection in its binding makes a recorded request
//! worthless on another one.

use std::cell::RefCell;
use std::io::{BufRead, Read};
use std::sync::LazyLock;

use zstd::bulk::Compressor;
use zstd::dict::DecoderDictionary;
use zstd::stream::raw::CParameter;
use zstd::stream::read::Decoder;

use super::limits::{BODY_BYTES_MAX, MESSAGE_BYTES_MAX};
use super::signing::{Binding, Channel, Purpose, Signer};
use crate::crdt::leb128::Reader;
use crate::ids::DeviceId;

/// The version of frames and messages.
pub const VERSION: u8 = 1;
/// Where the signature begins in a request.
const SIGNATURE_AT: usize = 9;

const STORED: u8 = 0;
/// zstd with our dictionary, without the four bytes that every zstd frame begins with.
const ZSTD: u8 = 1;
const ZSTD_MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// Trained on generated documents by `granary-bench -- dictionary`.
const DICTIONARY: &[u8] = include_bytes!("dictionary.zdict");
/// zstd's level: its best that a cheap phone computes in well under the time the bytes take to send.
const ZSTD_LEVEL: i32 = 19;

/// Why a frame was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The message is of a version that this code does not speak.
    #[error("the message has version {0}; this side speaks version {VERSION}")]
    UnknownVersion(u8),
    /// The bytes end too early.
    #[error("the message ends too early")]
    Truncated,
    /// The compression is not known or its bytes are damaged.
    #[error("the message can't be decompressed")]
    Compression,
    /// The message is larger than this side takes, as sent or once decompressed.
    #[error("the message is larger than {MESSAGE_BYTES_MAX} bytes")]
    TooLarge,
}

/// A parsed request that is not authenticated yet.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    /// The device that it claims to come from.
    pub device: DeviceId,
    signature: [u8; 64],
    compression: u8,
    body: Vec<u8>,
    content_at: usize,
}

impl SignedRequest {
    /// Parses a request, whose bytes it owns.
    pub fn parse(body: Vec<u8>) -> Result<Self, FrameFault> {
        if body.len() > BODY_BYTES_MAX {
            return Err(FrameFault::TooLarge);
        }
        let mut reader = Reader::new(&body);
        read_version(&mut reader)?;
        let device = DeviceId::from_bytes(reader.array().map_err(|_| FrameFault::Truncated)?);
        let signature = reader.array().map_err(|_| FrameFault::Truncated)?;
        let compression = reader.byte().map_err(|_| FrameFault::Truncated)?;
        let content_at = body.len().saturating_sub(reader.len());
        Ok(Self { device, signature, compression, body, content_at })
    }

    fn packed(&self) -> &[u8] {
        self.body.get(self.content_at..).unwrap_or_default()
    }

    /// True when the holder of `public_key` signed it for this binding. Where the binding has a channel, a signature without
    /// one is accepted too: a browser exports none.
    pub fn is_signed_by(&self, public_key: &[u8; 32], binding: &Binding) -> bool {
        let unbound = Binding { channel: None, ..*binding };
        self.verifies(public_key, binding) || (binding.channel.is_some() && self.verifies(public_key, &unbound))
    }

    fn verifies(&self, public_key: &[u8; 32], binding: &Binding) -> bool {
        let signed = signed_bytes(binding, self.device, self.compression, self.packed());
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public_key)
            .verify(&signed, &self.signature)
            .is_ok()
    }

    /// The content, decompressed within the limit. Call it only after [`Self::is_signed_by`].
    pub fn content(&self) -> Result<Vec<u8>, FrameFault> {
        decompress(self.compression, self.packed())
    }
}

fn read_version(reader: &mut Reader<'_>) -> Result<(), FrameFault> {
    match reader.byte() {
        Ok(VERSION) => Ok(()),
        Ok(other) => Err(FrameFault::UnknownVersion(other)),
        Err(_) => Err(FrameFault::Truncated),
    }
}

fn signed_bytes(binding: &Binding, device: DeviceId, compression: u8, content: &[u8]) -> Vec<u8> {
    let mut signed = binding.signed_bytes();
    signed.push(VERSION);
    signed.extend_from_slice(device.as_bytes());
    signed.push(compression);
    signed.extend_from_slice(content);
    signed
}

/// A framed request without its signature, which is made once the connection is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedRequest {
    device: DeviceId,
    compression: u8,
    content: Vec<u8>,
}

impl UnsignedRequest {
    /// Frames a request.
    pub fn new(device: DeviceId, content: &[u8]) -> Self {
        let (compression, content) = compress(content);
        Self { device, compression, content }
    }

    /// Its length in bytes, once signed.
    pub fn length(&self) -> usize {
        SIGNATURE_AT.saturating_add(65).saturating_add(self.content.len())
    }

    /// The device that sends it.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The bytes that the device signs, for one binding.
    pub fn to_sign(&self, binding: &Binding) -> Vec<u8> {
        signed_bytes(binding, self.device, self.compression, &self.content)
    }

    /// The request as it is sent, with the signature of [`Self::to_sign`].
    pub fn signed_with(&self, signature: &[u8; 64]) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.length());
        body.push(VERSION);
        body.extend_from_slice(self.device.as_bytes());
        body.extend_from_slice(signature);
        body.push(self.compression);
        body.extend_from_slice(&self.content);
        body
    }

    /// The request as it is sent, signed for one binding.
    pub fn sign(&self, binding: &Binding, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
        self.signed_with(&sign(&self.to_sign(binding)))
    }

    /// As [`Self::sign`], for a purpose over a connection.
    pub fn signed_by(&self, signer: &Signer, purpose: Purpose, channel: Option<Channel>) -> Vec<u8> {
        self.sign(&Binding { purpose, audience: signer.audience, channel }, |bytes| (signer.sign)(bytes))
    }
}

/// The device that the beginning of a request claims to come from.
pub fn claimed_device(beginning: &[u8]) -> Option<DeviceId> {
    let device = beginning.get(1..SIGNATURE_AT)?;
    <[u8; 8]>::try_from(device).ok().map(DeviceId::from_bytes)
}

/// Frames a reply.
pub fn write_reply(content: &[u8]) -> Vec<u8> {
    let (compression, content) = compress(content);
    let mut body = vec![VERSION, compression];
    body.extend(content);
    body
}

/// The content of a reply, decompressed within the limit.
pub fn read_reply(body: &[u8]) -> Result<Vec<u8>, FrameFault> {
    let mut reader = Reader::new(body);
    read_version(&mut reader)?;
    let compression = reader.byte().map_err(|_| FrameFault::Truncated)?;
    decompress(compression, reader.take_rest())
}

/// Prepared once, since its tables cost more than most messages.
static DECODING: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    /// One for each thread, since preparing its dictionary is slow.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn new_compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_dictionary(ZSTD_LEVEL, DICTIONARY)?;
    // Both sides know the dictionary and the length, and TLS checks integrity, so these are not written.
    for parameter in
        [CParameter::DictIdFlag(false), CParameter::ContentSizeFlag(false), CParameter::ChecksumFlag(false)]
    {
        compressor.set_parameter(parameter)?;
    }
    Ok(compressor)
}

/// The content with our dictionary, without zstd's magic bytes.
fn compress_with_dictionary(content: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(new_compressor()?),
        };
        let mut packed = compressor.compress(content)?;
        Ok(packed.split_off(ZSTD_MAGIC.len().min(packed.len())))
    })
}

/// The byte for the compression, and the content so compressed.
pub(super) fn compress(content: &[u8]) -> (u8, Vec<u8>) {
    match compress_with_dictionary(content) {
        Ok(smaller) if smaller.len() < content.len() => (ZSTD, smaller),
        _ => (STORED, content.to_vec()),
    }
}

pub(super) fn decompress(compression: u8, content: &[u8]) -> Result<Vec<u8>, FrameFault> {
    match compression {
        STORED if content.len() <= MESSAGE_BYTES_MAX => Ok(content.to_vec()),
        STORED => Err(FrameFault::TooLarge),
        ZSTD => {
            let whole = ZSTD_MAGIC.as_slice().chain(content);
            read_bounded(Decoder::with_prepared_dictionary(whole, &DECODING).map_err(|_| FrameFault::Compression)?)
        }
        _ => Err(FrameFault::Compression),
    }
}

fn read_bounded<R: BufRead>(mut decoder: Decoder<'_, R>) -> Result<Vec<u8>, FrameFault> {
    // 2^24 bytes is the longest window that a message within the limit can need.
    decoder.window_log_max(24).map_err(|_| FrameFault::Compression)?;
    let mut out = Vec::new();
    let most = (MESSAGE_BYTES_MAX as u64).saturating_add(1);
    decoder.take(most).read_to_end(&mut out).map_err(|_| FrameFault::Compression)?;
    if out.len() > MESSAGE_BYTES_MAX { Err(FrameFault::TooLarge) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use crate::ids::CooperativeId;
    use crate::protocol::signing::{Audience, ServerKey};

    fn key() -> (Ed25519KeyPair, [u8; 32]) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        (pair, public)
    }

    fn binding() -> Binding {
        let audience = Audience { server: ServerKey([3; 32]), cooperative: CooperativeId::from_bytes([4; 16]) };
        Binding { purpose: Purpose::Sync, audience, channel: Some(Channel([5; 32])) }
    }

    fn signed_for(binding: &Binding, content: &[u8]) -> Vec<u8> {
        let (pair, public) = key();
        let request = UnsignedRequest::new(DeviceId::of_public_key(&public), content);
        let body = request.sign(binding, |bytes| pair.sign(bytes).as_ref().try_into().unwrap());
        assert_eq!(body.len(), request.length());
        body
    }

    fn signed(content: &[u8]) -> Vec<u8> {
        signed_for(&binding(), content)
    }

    #[test]
    fn signature_holds_for_one_purpose_server_cooperative_and_connection() {
        let request = |binding: &Binding| SignedRequest::parse(signed_for(binding, b"ten kilograms")).unwrap();
        let (public, here) = (key().1, binding());
        assert!(request(&here).is_signed_by(&public, &here));
        let mut others = vec![here; 4];
        others[0].purpose = Purpose::Listen;
        others[1].audience.server = ServerKey([9; 32]);
        others[2].audience.cooperative = CooperativeId::from_bytes([9; 16]);
        others[3].channel = Some(Channel([9; 32]));
        for other in others {
            assert!(!request(&here).is_signed_by(&public, &other), "{other:?}");
        }
        let unbound = Binding { channel: None, ..here };
        assert!(request(&unbound).is_signed_by(&public, &here), "a browser exports no key");
        assert!(
            !request(&here).is_signed_by(&public, &unbound),
            "a recorded request is worthless without its connection"
        );
    }

    #[test]
    fn signed_request_round_trips() {
        let body = signed(&[42; 5000]);
        assert!(body.len() < 200);
        let request = SignedRequest::parse(body).unwrap();
        assert!(request.is_signed_by(&key().1, &binding()));
        assert_eq!(request.content().unwrap(), vec![42; 5000]);
    }

    #[test]
    fn a_reply_comes_back() {
        let content = b"ten kilograms of millet, ten kilograms of millet".repeat(20);
        let reply = write_reply(&content);
        assert_eq!(reply[..2], [VERSION, ZSTD]);
        assert_eq!(read_reply(&reply).unwrap(), content);
        let newer = [vec![VERSION + 1], reply].concat();
        assert_eq!(read_reply(&newer), Err(FrameFault::UnknownVersion(VERSION + 1)));
    }

    #[test]
    fn any_changed_byte_spoils_the_signature() {
        let body = signed(b"ten kilograms of millet");
        for place in 0..body.len() {
            let mut changed = body.clone();
            changed[place] ^= 1;
            let believed = SignedRequest::parse(changed).is_ok_and(|request| {
                request.is_signed_by(&key().1, &binding()) && request.device == DeviceId::of_public_key(&key().1)
            });
            assert!(!believed, "byte {place}");
        }
    }

    #[test]
    fn a_small_body_that_becomes_gigabytes_is_refused() {
        let mut bomb = zstd::stream::write::Encoder::new(Vec::new(), 19).unwrap();
        for _ in 0..2048 {
            std::io::Write::write_all(&mut bomb, &[0; 1 << 20]).unwrap();
        }
        let bomb = bomb.finish().unwrap();
        assert!(bomb.len() < 300_000);
        let mut body = vec![VERSION, ZSTD];
        body.extend(&bomb[ZSTD_MAGIC.len()..]);
        assert_eq!(read_reply(&body), Err(FrameFault::TooLarge));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body: Vec<u8>) {
            let _ = read_reply(&body);
            if let Ok(request) = SignedRequest::parse(body) {
                prop_assert!(!request.is_signed_by(&key().1, &binding()));
                let _ = request.content();
            }
        }
    }
}
