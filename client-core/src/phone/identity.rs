//! The identity of a phone: its private key, which never leaves it, its co-operative and its server. Its rows are under
//! `i <name>`, which a store keeps twice, since a phone without it can't send what it holds.
//!
//! A store without an identity is that of a phone which is not enrolled yet, or one of which the identity was lost. Only the
//! first has the row [`NEW`].

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::error::Error;
use crate::ids::{CooperativeId, DeviceId};
use crate::protocol::messages::{read_message, write_message};
use crate::protocol::signing::{Audience, ServerKey, Signer};
use crate::schema::access::Grants;
use crate::store::{Batch, Store, StoreFault};
use crate::transport::ServerLink;

/// Its rows, apart from those of the replica.
const KIND: u8 = b'i';
/// Who the phone is, once it is enrolled.
const IDENTITY: &str = "identity";
/// The private key, from the first try to enrol.
const SEED: &str = "seed";
/// This phone is a new one, and nothing of it is lost.
const NEW: &str = "new";

fn row_of(name: &str) -> Vec<u8> {
    [&[KIND], name.as_bytes()].concat()
}

/// Reads a row; one that can't be read counts as missing.
fn read_row<M: DeserializeOwned>(store: &dyn Store, name: &str) -> Result<Option<M>, StoreFault> {
    match store.get(&row_of(name)) {
        Ok(bytes) => Ok(bytes.and_then(|bytes| read_message(&bytes).ok())),
        Err(StoreFault::Damaged(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// True for the store of a phone that is not enrolled and has lost nothing.
#[cfg(feature = "sqlite")]
pub(super) fn is_new(store: &dyn Store) -> Result<bool, StoreFault> {
    Ok(read_row::<bool>(store, NEW)?.is_some())
}

/// Marks a store as that of a new phone.
pub(super) fn mark_new(batch: &mut Batch) {
    batch.put(row_of(NEW), write_message(&true));
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Kept {
    key: KeptKey,
    server: String,
    cooperative: CooperativeId,
    cooperative_name: String,
    grants: Grants,
    certificate: serde_bytes::ByteBuf,
    server_key: serde_bytes::ByteArray<32>,
}

/// The device's key as its row has it.
#[derive(Serialize, Deserialize)]
enum KeptKey {
    /// The private key.
    #[serde(rename = "s")]
    Seed(serde_bytes::ByteArray<32>),
    /// The public key of one that the platform keeps.
    #[serde(rename = "p")]
    Elsewhere(serde_bytes::ByteArray<32>),
}

/// The device's key.
enum Key {
    /// It is here, and signs here.
    Here { seed: [u8; 32], pair: Arc<Ed25519KeyPair> },
    /// The platform keeps it, never gives it out, and signs: a browser. This is the public key.
    Elsewhere([u8; 32]),
}

impl Key {
    fn of_seed(seed: [u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map(Arc::new).map_err(|_| damaged_key())?;
        Ok(Self::Here { seed, pair })
    }

    fn public_key(&self) -> [u8; 32] {
        match self {
            Self::Here { pair, .. } => pair.public_key().as_ref().try_into().unwrap_or([0; 32]),
            Self::Elsewhere(public_key) => *public_key,
        }
    }
}

pub(super) struct Identity {
    key: Key,
    pub(super) server: ServerLink,
    pub(super) cooperative: CooperativeId,
    pub(super) cooperative_name: String,
    pub(super) grants: Grants,
    pub(super) certificate: Vec<u8>,
    pub(super) server_key: ServerKey,
}

fn damaged_key() -> Error {
    StoreFault::Failed("its key is damaged".into()).into()
}

/// Ends what [`mark_new`] says.
pub(super) fn mark_no_longer_new(batch: &mut Batch) {
    batch.remove(row_of(NEW));
}

impl Identity {
    /// The identity of an enrolled phone; none before enrolment, or where it was lost.
    pub(super) fn read(store: &dyn Store) -> Result<Option<Self>, Error> {
        let Some(kept) = read_row::<Kept>(store, IDENTITY)? else { return Ok(None) };
        let key = match kept.key {
            KeptKey::Seed(seed) => Key::of_seed(seed.into_array())?,
            KeptKey::Elsewhere(public_key) => Key::Elsewhere(public_key.into_array()),
        };
        Ok(Some(Self {
            key,
            server: kept.server.parse()?,
            cooperative: kept.cooperative,
            cooperative_name: kept.cooperative_name,
            grants: kept.grants,
            certificate: kept.certificate.into_vec(),
            server_key: ServerKey(kept.server_key.into_array()),
        }))
    }

    /// An identity to enrol with, under the same key at each try.
    pub(super) fn prepare(store: &dyn Store, server: ServerLink) -> Result<Self, Error> {
        let kept: Option<serde_bytes::ByteBuf> = read_row(store, SEED)?;
        let seed = match kept.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok()) {
            Some(seed) => seed,
            None => {
                let mut seed = [0u8; 32];
                SystemRandom::new().fill(&mut seed).map_err(|_| Error::System("there are no random numbers".into()))?;
                let mut batch = Batch::default();
                batch.put(row_of(SEED), write_message(&serde_bytes::ByteBuf::from(seed.to_vec())));
                store.apply(&batch)?;
                store.flush()?;
                seed
            }
        };
        Ok(Self::before_enrolment(Key::of_seed(seed)?, server))
    }

    /// An identity to enrol with, whose key the platform keeps and never gives out.
    pub(super) fn elsewhere(public_key: [u8; 32], server: ServerLink) -> Self {
        Self::before_enrolment(Key::Elsewhere(public_key), server)
    }

    fn before_enrolment(key: Key, server: ServerLink) -> Self {
        Self {
            key,
            server,
            cooperative: CooperativeId::from_bytes([0; 16]),
            cooperative_name: String::new(),
            grants: Grants::default(),
            certificate: Vec::new(),
            server_key: ServerKey::default(),
        }
    }

    pub(super) fn keep(&self, store: &dyn Store) -> Result<(), Error> {
        let key = match &self.key {
            Key::Here { seed, .. } => KeptKey::Seed(serde_bytes::ByteArray::new(*seed)),
            Key::Elsewhere(public_key) => KeptKey::Elsewhere(serde_bytes::ByteArray::new(*public_key)),
        };
        let kept = Kept {
            key,
            server: self.server.to_string(),
            cooperative: self.cooperative,
            cooperative_name: self.cooperative_name.clone(),
            grants: self.grants.clone(),
            certificate: serde_bytes::ByteBuf::from(self.certificate.clone()),
            server_key: serde_bytes::ByteArray::new(self.server_key.0),
        };
        let mut batch = Batch::default();
        batch.put(row_of(IDENTITY), write_message(&kept));
        mark_no_longer_new(&mut batch);
        store.apply(&batch)?;
        Ok(store.flush()?)
    }

    pub(super) fn public_key(&self) -> [u8; 32] {
        self.key.public_key()
    }

    pub(super) fn device(&self) -> DeviceId {
        DeviceId::of_public_key(&self.public_key())
    }

    /// Whom its signatures are for: before enrolment nobody that is known.
    pub(super) fn audience(&self) -> Audience {
        Audience { server: self.server_key, cooperative: self.cooperative }
    }

    /// Signs for [`Self::audience`]. Fails where the platform keeps the key.
    pub(super) fn signer(&self) -> Result<Signer, Error> {
        let Key::Here { pair, .. } = &self.key else {
            return Err(Error::System("the key of this phone is not in its files".into()));
        };
        let pair = Arc::clone(pair);
        let sign = move |bytes: &[u8]| pair.sign(bytes).as_ref().try_into().unwrap_or([0; 64]);
        Ok(Signer { device: self.device(), audience: self.audience(), sign: Arc::new(sign) })
    }
}
