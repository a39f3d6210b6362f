//! The outbox file: a phone's unsent changes, for a place without a network. Anyone who reaches the server may import it.
//! Each page has the changes of one request. It is encrypted for the server (HPKE, RFC 9180: X25519, HKDF-SHA256,
//! ChaCha20-Poly1305), so that nobody on the way can read it, and signed by its device. Imports may repeat, come in any
//! order, or never happen: the phone keeps its outbox until the server acknowledges it.
//!
//! ```text
//! file   "granary" | version | length (2) | certificate | (length (4) | page)*
//! page   version | device (8) | signature (64) | encapsulated key (32) | encrypted(compression | bundle)
//! ```

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::frame::{FrameFault, compress, decompress};
use super::limits::BODY_BYTES_MAX;
use crate::crdt::leb128::Reader;
use crate::ids::DeviceId;
use crate::words::Words;

/// The version of files and pages.
const VERSION: u8 = 1;
const FILE_MAGIC: &[u8; 7] = b"granary";
/// Domain separation of signatures and encryption.
const DOMAIN: &[u8] = b"granary carried 1\0";
/// The largest file that is read, in bytes: about a season's records of a village.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

type Agreement = X25519HkdfSha256;

/// Why an outbox file was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboxFileFault {
    /// The bytes are no outbox file, or no page of one.
    #[error("this is no file of a Granary phone, or a part of it is missing")]
    Shape,
    /// Its version is not known here.
    #[error("this file was written by a newer phone (version {0}); this side knows version {VERSION}")]
    UnknownVersion(u8),
    /// It is larger than [`FILE_BYTES_MAX`].
    #[error("this file is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It was encrypted for another server.
    #[error("this file is for another server")]
    OtherServer,
    /// Its content can't be read.
    #[error(transparent)]
    Content(#[from] FrameFault),
    /// The system gave no random numbers.
    #[error("there are no random numbers")]
    NoRandomness,
}

impl Words for OutboxFileFault {
    fn chinese(&self) -> String {
        match self {
            Self::Shape => "这不是手机存出的文件，或者缺了一部分".into(),
            Self::UnknownVersion(_) => "这个文件是较新的手机写的：请更新这一边".into(),
            Self::TooLarge => "这个文件太大".into(),
            Self::OtherServer => "这个文件是给另一个服务器的".into(),
            Self::Content(_) => "这个文件的内容读不出来".into(),
            Self::NoRandomness => "系统没有随机数".into(),
        }
    }
}

/// The key under which phones encrypt for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxFileKey(<Agreement as Kem>::PublicKey);

impl OutboxFileKey {
    /// The key of these bytes; none when they are no key.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        <Agreement as Kem>::PublicKey::from_bytes(bytes).ok().map(Self)
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }
}

/// The server's private half of the key.
pub struct OpeningKey {
    private: <Agreement as Kem>::PrivateKey,
    public: OutboxFileKey,
}

impl OpeningKey {
    /// Derives the key from a secret of the server.
    pub fn derive(secret: &[u8]) -> Self {
        let (private, public) = Agreement::derive_keypair(&[DOMAIN, secret].concat());
        Self { private, public: OutboxFileKey(public) }
    }

    /// The public half, for phones.
    pub fn outbox_file_key(&self) -> &OutboxFileKey {
        &self.public
    }
}

/// An rng for HPKE, whose trait admits no failure: it remembers one instead.
struct FallibleRng<'a> {
    fill: &'a dyn Fn(&mut [u8]) -> bool,
    has_failed: bool,
}

impl TryRng for FallibleRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.has_failed |= !(self.fill)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for FallibleRng<'_> {}

fn signed_bytes(device: DeviceId, encrypted: &[&[u8]]) -> Vec<u8> {
    let mut signed = DOMAIN.to_vec();
    signed.push(VERSION);
    signed.extend_from_slice(device.as_bytes());
    encrypted.iter().for_each(|part| signed.extend_from_slice(part));
    signed
}

/// A page that its device has not signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedPage {
    device: DeviceId,
    key: Vec<u8>,
    encrypted: Vec<u8>,
}

impl UnsignedPage {
    /// Encrypts a bundle for a server. `fill_random` fills bytes with random ones, and returns false when it can't.
    pub fn new(
        device: DeviceId,
        bundle: &[u8],
        server: &OutboxFileKey,
        fill_random: &dyn Fn(&mut [u8]) -> bool,
    ) -> Result<Self, OutboxFileFault> {
        let (compression, content) = compress(bundle);
        let plain = [&[compression], content.as_slice()].concat();
        let mut rng = FallibleRng { fill: fill_random, has_failed: false };
        let sealed = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Agreement>(
            &OpModeS::Base,
            &server.0,
            DOMAIN,
            &plain,
            device.as_bytes(),
            &mut rng,
        );
        let (key, encrypted) = sealed.map_err(|_| OutboxFileFault::OtherServer)?;
        if rng.has_failed {
            return Err(OutboxFileFault::NoRandomness);
        }
        Ok(Self { device, key: key.to_bytes().to_vec(), encrypted })
    }

    /// The bytes that the device signs.
    pub fn to_sign(&self) -> Vec<u8> {
        signed_bytes(self.device, &[&self.key, &self.encrypted])
    }

    /// The page, with the signature of [`Self::to_sign`].
    pub fn signed_with(&self, signature: &[u8; 64]) -> Vec<u8> {
        [&[VERSION], self.device.as_bytes().as_slice(), signature, &self.key, &self.encrypted].concat()
    }
}

/// Encrypts a bundle for a server, and has `sign` sign it. See [`UnsignedPage::new`].
pub fn write_page(
    device: DeviceId,
    bundle: &[u8],
    server: &OutboxFileKey,
    fill_random: &dyn Fn(&mut [u8]) -> bool,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Result<Vec<u8>, OutboxFileFault> {
    let page = UnsignedPage::new(device, bundle, server, fill_random)?;
    Ok(page.signed_with(&sign(&page.to_sign())))
}

/// A parsed page that is not authenticated yet.
#[derive(Debug, Clone, Copy)]
pub struct OutboxFilePage<'a> {
    /// The device that it claims to come from.
    pub device: DeviceId,
    signature: [u8; 64],
    key: [u8; 32],
    encrypted: &'a [u8],
}

impl<'a> OutboxFilePage<'a> {
    /// Parses a page.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OutboxFileFault> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(OutboxFileFault::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        read_version(&mut reader)?;
        let device = DeviceId::from_bytes(reader.array().map_err(|_| OutboxFileFault::Shape)?);
        let signature = reader.array().map_err(|_| OutboxFileFault::Shape)?;
        let key = reader.array().map_err(|_| OutboxFileFault::Shape)?;
        Ok(Self { device, signature, key, encrypted: reader.take_rest() })
    }

    /// True when the holder of `public_key` signed it.
    pub fn is_signed_by(&self, public_key: &[u8; 32]) -> bool {
        let signed = signed_bytes(self.device, &[&self.key, self.encrypted]);
        UnparsedPublicKey::new(&ED25519, public_key).verify(&signed, &self.signature).is_ok()
    }

    /// Decrypts the bundle. Call it only after [`Self::is_signed_by`].
    pub fn open(&self, own: &OpeningKey) -> Result<Vec<u8>, OutboxFileFault> {
        let key = <Agreement as Kem>::EncappedKey::from_bytes(&self.key).map_err(|_| OutboxFileFault::OtherServer)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Agreement>(
            &OpModeR::Base,
            &own.private,
            &key,
            DOMAIN,
            self.encrypted,
            self.device.as_bytes(),
        )
        .map_err(|_| OutboxFileFault::OtherServer)?;
        let (compression, content) = plain.split_first().ok_or(OutboxFileFault::Shape)?;
        Ok(decompress(*compression, content)?)
    }
}

fn read_version(reader: &mut Reader<'_>) -> Result<(), OutboxFileFault> {
    match reader.byte() {
        Ok(VERSION) => Ok(()),
        Ok(other) => Err(OutboxFileFault::UnknownVersion(other)),
        Err(_) => Err(OutboxFileFault::Shape),
    }
}

/// A file: the pages of one outbox, in order, and the certificate by which a restored server recognises the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxFile {
    /// The certificate of the device's enrolment.
    pub certificate: Vec<u8>,
    /// The pages.
    pub pages: Vec<Vec<u8>>,
}

impl OutboxFile {
    /// Writes the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OutboxFileFault> {
        let length = u16::try_from(self.certificate.len()).map_err(|_| OutboxFileFault::TooLarge)?;
        let mut file = [FILE_MAGIC.as_slice(), &[VERSION], &length.to_be_bytes(), &self.certificate].concat();
        for page in &self.pages {
            let length = u32::try_from(page.len()).map_err(|_| OutboxFileFault::TooLarge)?;
            file.extend_from_slice(&length.to_be_bytes());
            file.extend_from_slice(page);
        }
        if file.len() > FILE_BYTES_MAX { Err(OutboxFileFault::TooLarge) } else { Ok(file) }
    }

    /// Parses a file. Its pages are not authenticated yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, OutboxFileFault> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(OutboxFileFault::TooLarge);
        }
        let shape = |_| OutboxFileFault::Shape;
        let mut reader = Reader::new(bytes);
        if reader.array().map_err(shape)? != *FILE_MAGIC {
            return Err(OutboxFileFault::Shape);
        }
        read_version(&mut reader)?;
        let length = u16::from_be_bytes(reader.array().map_err(shape)?);
        let certificate = reader.take(usize::from(length)).map_err(shape)?.to_vec();
        let mut pages = Vec::new();
        while !reader.is_empty() {
            let length = u32::from_be_bytes(reader.array().map_err(shape)?);
            let length = usize::try_from(length).map_err(|_| OutboxFileFault::Shape)?;
            pages.push(reader.take(length).map_err(shape)?.to_vec());
        }
        Ok(Self { certificate, pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn device() -> (Ed25519KeyPair, [u8; 32], DeviceId) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
        let public: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let device = DeviceId::of_public_key(&public);
        (pair, public, device)
    }

    fn fill_random(bytes: &mut [u8]) -> bool {
        bytes.fill(9);
        true
    }

    fn page(bundle: &[u8], server: &OpeningKey) -> Vec<u8> {
        let (pair, _, device) = device();
        let sign = |bytes: &[u8]| pair.sign(bytes).as_ref().try_into().unwrap();
        write_page(device, bundle, server.outbox_file_key(), &fill_random, sign).unwrap()
    }

    #[test]
    fn page_opens_only_at_its_server() {
        let server = OpeningKey::derive(b"server");
        let bytes = page(&[42; 5000], &server);
        assert!(bytes.len() < 200, "{} bytes", bytes.len());
        let read = OutboxFilePage::parse(&bytes).unwrap();
        assert!(read.is_signed_by(&device().1));
        assert_eq!(read.open(&server).unwrap(), vec![42; 5000]);
        assert_eq!(read.open(&OpeningKey::derive(b"another")), Err(OutboxFileFault::OtherServer));
        let known = OutboxFileKey::from_bytes(&server.outbox_file_key().to_bytes()).unwrap();
        assert_eq!(&known, OpeningKey::derive(b"server").outbox_file_key());
    }

    #[test]
    fn page_with_changed_byte_is_rejected() {
        let server = OpeningKey::derive(b"server");
        let bytes = page("谷子 30 kg".as_bytes(), &server);
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let believed = OutboxFilePage::parse(&changed)
                .is_ok_and(|page| page.is_signed_by(&device().1) && page.device == device().2);
            assert!(!believed, "byte {place}");
        }
    }

    #[test]
    fn nothing_is_written_without_randomness() {
        let (pair, _, device) = device();
        let sign = |bytes: &[u8]| pair.sign(bytes).as_ref().try_into().unwrap();
        let server = OpeningKey::derive(b"server");
        let written = write_page(device, b"bundle", server.outbox_file_key(), &|_| false, sign);
        assert_eq!(written, Err(OutboxFileFault::NoRandomness));
    }

    #[test]
    fn truncated_file_is_rejected_or_ends_at_a_page() {
        let server = OpeningKey::derive(b"server");
        let file = OutboxFile { certificate: vec![7; 90], pages: vec![page(b"one", &server), page(b"two", &server)] };
        let bytes = file.to_bytes().unwrap();
        assert_eq!(OutboxFile::parse(&bytes), Ok(file.clone()));
        for length in 0..bytes.len() {
            if let Ok(cut) = OutboxFile::parse(&bytes[..length]) {
                assert!(file.pages.starts_with(&cut.pages) && cut.pages.len() < file.pages.len());
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_rejected(bytes: Vec<u8>) {
            let _ = OutboxFile::parse(&bytes);
            let behind_magic = [FILE_MAGIC.as_slice(), &[VERSION], &bytes].concat();
            let _ = OutboxFile::parse(&behind_magic);
            if let Ok(page) = OutboxFilePage::parse(&[&[VERSION], bytes.as_slice()].concat()) {
                prop_assert!(!page.is_signed_by(&device().1));
                prop_assert!(page.open(&OpeningKey::derive(b"server")).is_err());
            }
        }
    }
}
