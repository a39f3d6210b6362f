//! The server's key (Ed25519). It is kept outside the store, so its signatures stay valid after the store is restored
//! from an older backup. It signs the certificates of enrolled devices.

use std::collections::BTreeSet;
use std::path::Path;

use granary_client_core::ids::{CooperativeId, DeviceId};
use granary_client_core::protocol::attestation::CODE_BYTES;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::outbox_file::OpeningKey;
use granary_client_core::protocol::signing::ServerKey;
use granary_client_core::schema::access::Grants;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::config::{read_file, write_private};
use crate::error::Error;
use crate::log::{DeviceKind, DeviceRecord, RecorderRecord};

const DOMAIN: &[u8] = b"granary device certificate 1\0";
const ATTESTING: &[u8] = b"granary attestation key 1\0";
const NAMING: &[u8] = b"granary certificate name key 1\0";
const SEALING: &[u8] = b"granary sealing key 1\0";
const NONCES: &[u8] = b"granary certificate name nonce 1\0";

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Certified {
    cooperative: CooperativeId,
    #[serde(with = "serde_bytes")]
    public_key: [u8; 32],
    kind: DeviceKind,
    /// The device's name, readable by this server alone: phones keep it, and so would a finder of one.
    #[serde(with = "serde_bytes")]
    name: Vec<u8>,
    grants: Grants,
    person: Option<DeviceId>,
    /// The villages of a recorder.
    #[serde(default)]
    villages: BTreeSet<String>,
}

/// The server's key, and the keys derived from it.
pub(crate) struct Identity {
    pair: Ed25519KeyPair,
    attesting: hmac::Key,
    opening: OpeningKey,
    names: LessSafeKey,
    nonces: hmac::Key,
    cursors: LessSafeKey,
}

impl Identity {
    /// Reads the key of this folder, or creates it.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("identity.key");
        let seed: [u8; 32] = if path.exists() {
            read_file(&path)?.try_into().map_err(|_| Error::NotAKey { path: path.display().to_string() })?
        } else {
            let seed = crate::environment::random_bytes()?;
            write_private(&path, &seed)?;
            seed
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| Error::NotAKey { path: path.display().to_string() })?;
        let attesting = hmac::Key::new(hmac::HMAC_SHA256, &[ATTESTING, &seed].concat());
        let names = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &seed), NAMING);
        let names = UnboundKey::new(&CHACHA20_POLY1305, names.as_ref())
            .map_err(|_| Error::NotAKey { path: path.display().to_string() })?;
        let cursors = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &seed), SEALING);
        let cursors = UnboundKey::new(&CHACHA20_POLY1305, cursors.as_ref())
            .map_err(|_| Error::NotAKey { path: path.display().to_string() })?;
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, &[NONCES, &seed].concat());
        Ok(Self {
            pair,
            attesting,
            opening: OpeningKey::derive(&seed),
            names: LessSafeKey::new(names),
            nonces,
            cursors: LessSafeKey::new(cursors),
        })
    }

    /// The key that decrypts outbox files for this server.
    pub(crate) fn opening(&self) -> &OpeningKey {
        &self.opening
    }

    /// The public half of that key. It names this server in signatures.
    pub(crate) fn server_key(&self) -> ServerKey {
        ServerKey(self.opening.outbox_file_key().to_bytes().try_into().unwrap_or_default())
    }

    /// The HMAC code over an attestation's statement.
    pub(crate) fn attest(&self, statement: &[u8]) -> [u8; CODE_BYTES] {
        let mut code = [0; CODE_BYTES];
        code.iter_mut().zip(hmac::sign(&self.attesting, statement).as_ref()).for_each(|(to, from)| *to = *from);
        code
    }

    /// A name that only this server reads. The nonce is a code over key and name: the same name of a device is sealed the same.
    fn sealed_name(&self, public_key: &[u8; 32], name: &str) -> Vec<u8> {
        let code = hmac::sign(&self.nonces, &[public_key.as_slice(), name.as_bytes()].concat());
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(code.as_ref()).for_each(|(to, from)| *to = *from);
        let mut sealed = name.as_bytes().to_vec();
        let aad = Aad::from(public_key);
        match self.names.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed) {
            Ok(()) => [nonce.as_slice(), &sealed].concat(),
            // Of longer texts than there are.
            Err(_) => Vec::new(),
        }
    }

    fn opened_name(&self, public_key: &[u8; 32], sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let mut name = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let name = self.names.open_in_place(nonce, Aad::from(public_key), &mut name).ok()?;
        String::from_utf8(name.to_vec()).ok()
    }

    /// Bytes that only this server reads, for what `of` says alone. A nonce is never used twice.
    pub(crate) fn seal(&self, of: &[u8], content: &[u8], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let mut sealed = content.to_vec();
        let key = Nonce::assume_unique_for_key(nonce);
        match self.cursors.seal_in_place_append_tag(key, Aad::from(of), &mut sealed) {
            Ok(()) => [nonce.as_slice(), &sealed].concat(),
            // Of longer contents than there are.
            Err(_) => Vec::new(),
        }
    }

    /// What [`Self::seal`] sealed of the same; none for anything else.
    pub(crate) fn unseal(&self, of: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let mut content = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        self.cursors.open_in_place(nonce, Aad::from(of), &mut content).ok().map(|content| content.to_vec())
    }

    /// A signed certificate of this device with its present grants.
    pub(crate) fn certify(&self, cooperative: CooperativeId, device: &DeviceRecord) -> Vec<u8> {
        let content = write_message(&Certified {
            cooperative,
            public_key: device.public_key,
            kind: device.kind,
            name: self.sealed_name(&device.public_key, &device.name),
            grants: device.grants_now(),
            person: device.person,
            villages: device.recorder.villages.clone(),
        });
        let mut certificate = self.pair.sign(&[DOMAIN, &content].concat()).as_ref().to_vec();
        certificate.extend(content);
        certificate
    }

    /// The content of a certificate of this server; none for any other bytes.
    pub(crate) fn read_certificate(&self, certificate: &[u8]) -> Option<(CooperativeId, DeviceRecord)> {
        let (signature, content) = certificate.split_at_checked(64)?;
        UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref())
            .verify(&[DOMAIN, content].concat(), signature)
            .ok()?;
        let certified: Certified = read_message(content).ok()?;
        let device = DeviceRecord {
            public_key: certified.public_key,
            kind: certified.kind,
            name: self.opened_name(&certified.public_key, &certified.name)?,
            grants: vec![certified.grants],
            enrolled_millis: 0,
            revoked_millis: None,
            generation: 0,
            person: certified.person,
            recorder: RecorderRecord::of(certified.villages),
        };
        Some((certified.cooperative, device))
    }
}
