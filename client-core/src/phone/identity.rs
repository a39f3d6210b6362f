//! The identity of a phone: its private key, which never leaves it, its co-operative and its server. Its rows are under
//! `i <name>`, which a store keeps twice, since a phone without it can't send what it holds.
//!
//! A store without an identity is that of a phone which is not enrolled yet, or one of which the identity was lost. Only the
//! first has the row [`NEW`].

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::de::DeserializeOwned;
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
pub(super) fn is_new(store: &dyn Store) -> Result<bool, StoreFault> {
    Ok(read_row::<bool>(store, NEW)?.is_some())
}

/// Marks a store as that of a new phone.
pub(super) fn mark_new(batch: &mut Batch) {
    batch.put(row_of(NEW), write_message(&true));
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Kept {
    seed: serde_bytes::ByteBuf,
    server: String,
    cooperative: CooperativeId,
    cooperative_name: String,
    grants: Grants,
    certificate: serde_bytes::ByteBuf,
    server_key: serde_bytes::ByteArray<32>,
}

pub(super) struct Identity {
    seed: [u8; 32],
    pair: Arc<Ed25519KeyPair>,
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
        let seed = <[u8; 32]>::try_from(kept.seed.as_slice()).map_err(|_| damaged_key())?;
        Ok(Some(Self {
            seed,
            pair: pair_of(&seed)?,
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
        Ok(Self {
            seed,
            pair: pair_of(&seed)?,
            server,
            cooperative: CooperativeId::from_bytes([0; 16]),
            cooperative_name: String::new(),
            grants: Grants::default(),
            certificate: Vec::new(),
            server_key: ServerKey::default(),
        })
    }

    pub(super) fn keep(&self, store: &dyn Store) -> Result<(), Error> {
        let kept = Kept {
            seed: serde_bytes::ByteBuf::from(self.seed.to_vec()),
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
        self.pair.public_key().as_ref().try_into().unwrap_or([0; 32])
    }

    pub(super) fn device(&self) -> DeviceId {
        DeviceId::of_public_key(&self.public_key())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        sign(&self.pair, bytes)
    }

    /// Signs requests: before enrolment for nobody that is known.
    pub(super) fn signer(&self) -> Signer {
        let pair = Arc::clone(&self.pair);
        let audience = Audience { server: self.server_key, cooperative: self.cooperative };
        Signer { device: self.device(), audience, sign: Arc::new(move |bytes| sign(&pair, bytes)) }
    }
}

fn pair_of(seed: &[u8; 32]) -> Result<Arc<Ed25519KeyPair>, Error> {
    Ed25519KeyPair::from_seed_unchecked(seed).map(Arc::new).map_err(|_| damaged_key())
}

fn sign(pair: &Ed25519KeyPair, bytes: &[u8]) -> [u8; 64] {
    pair.sign(bytes).as_ref().try_into().unwrap_or([0; 64])
}
