//! Answers that are kept for a week under the idempotency keys of requests, and which requests are worked on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::{Row, Store};
use ring::digest::{SHA256, digest};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::Granary;
use crate::access::api_keys::KeyId;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::{key, rest};
use crate::log::rows::{cooperatives, each_row};

/// For how long an answer is kept, in milliseconds.
const KEPT_MILLIS: u64 = 7 * 24 * 3_600_000;
/// Bytes of answers that are kept for one API key.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What a row takes beside its answer.
const ROW_BYTES: u64 = 120;
const KIND: u8 = b'g';
/// Rows that one job of the writer drops.
const TOGETHER: usize = 512;

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct KeptAnswer {
    pub(crate) at_millis: i64,
    /// SHA-256 of the request.
    #[serde(with = "serde_bytes")]
    pub(crate) request: [u8; 32],
    pub(crate) status: u16,
    #[serde(with = "serde_bytes")]
    pub(crate) body: Vec<u8>,
}

impl KeptAnswer {
    fn bytes(&self) -> u64 {
        (self.body.len() as u64).saturating_add(ROW_BYTES)
    }

    fn is_over(&self, now: Instant) -> bool {
        now.millis_since(Instant(self.at_millis)) > KEPT_MILLIS
    }
}

/// What is kept in memory.
#[derive(Default)]
pub(super) struct KeptAnswers {
    running: Mutex<BTreeSet<(KeyId, String)>>,
    used: Mutex<BTreeMap<KeyId, u64>>,
}

impl KeptAnswers {
    /// Counts what the store has.
    pub(super) fn open(store: &dyn Store) -> Result<Self, Error> {
        let mut used: BTreeMap<KeyId, u64> = BTreeMap::new();
        for number in cooperatives(store)? {
            each_row(store, &key(number, KIND, &[]), |row| {
                if let Some((id, kept)) = read(&row) {
                    let bytes = used.entry(id).or_default();
                    *bytes = bytes.saturating_add(kept.bytes());
                }
                Ok(())
            })?;
        }
        Ok(Self { running: Mutex::default(), used: Mutex::new(used) })
    }
}

fn row_key(number: CooperativeNumber, id: KeyId, name: &str) -> Vec<u8> {
    let hash = digest(&SHA256, name.as_bytes());
    key(number, KIND, &[id.0.to_be_bytes().as_slice(), hash.as_ref().get(..16).unwrap_or_default()].concat())
}

fn read(row: &Row) -> Option<(KeyId, KeptAnswer)> {
    let id = KeyId(u64::from_be_bytes(*rest(&row.key).first_chunk::<8>()?));
    Some((id, read_message(row.value.as_deref()?).ok()?))
}

/// A request while it is worked on.
pub(crate) struct Running<'a> {
    all: &'a Mutex<BTreeSet<(KeyId, String)>>,
    name: (KeyId, String),
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl Granary {
    /// Begins to work on a request of this name; none while another one of it is worked on.
    pub(crate) fn run_once(&self, id: KeyId, name: &str) -> Option<Running<'_>> {
        let (all, name) = (&self.kept_answers.running, (id, name.to_owned()));
        let is_first = all.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_first.then_some(Running { all, name })
    }

    /// True while an API key may have more answers kept.
    pub(crate) fn has_room_for_answers(&self, id: KeyId) -> bool {
        let used = self.kept_answers.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.get(&id).is_none_or(|bytes| *bytes < BYTES_MAX)
    }

    /// The answer to the request of this name, while it is kept.
    pub(crate) fn kept_answer(
        &self,
        number: CooperativeNumber,
        id: KeyId,
        name: &str,
        now: Instant,
    ) -> Result<Option<KeptAnswer>, Error> {
        let row = self.store().get(&row_key(number, id, name))?;
        let kept: Option<KeptAnswer> = row.and_then(|bytes| read_message(&bytes).ok());
        Ok(kept.filter(|kept| !kept.is_over(now)))
    }

    /// Keeps an answer. Durable when it returns.
    pub(crate) fn keep_answer(
        &self,
        number: CooperativeNumber,
        id: KeyId,
        name: &str,
        kept: KeptAnswer,
    ) -> Result<(), Error> {
        let (row, bytes) = (row_key(number, id, name), kept.bytes());
        self.write(move |group| {
            group.put_visible(row, write_message(&kept));
            Ok(())
        })?;
        let mut used = self.kept_answers.used.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = used.entry(id).or_default();
        *sum = sum.saturating_add(bytes);
        Ok(())
    }

    /// Drops the answers whose time is over.
    pub(crate) fn drop_old_answers(&self, now: Instant) -> Result<(), Error> {
        for cooperative in self.cooperatives() {
            let mut due: Vec<(Vec<u8>, KeyId, u64)> = Vec::new();
            each_row(self.store(), &key(cooperative.number(), KIND, &[]), |row| {
                if let Some((id, kept)) = read(&row).filter(|(_, kept)| kept.is_over(now)) {
                    due.push((row.key, id, kept.bytes()));
                }
                Ok(())
            })?;
            for some in due.chunks(TOGETHER) {
                let keys: Vec<Vec<u8>> = some.iter().map(|(key, ..)| key.clone()).collect();
                self.write(move |group| {
                    keys.into_iter().for_each(|key| group.remove_visible(key));
                    Ok(())
                })?;
                let mut used = self.kept_answers.used.lock().unwrap_or_else(PoisonError::into_inner);
                for (_, id, bytes) in some {
                    used.entry(*id).and_modify(|sum| *sum = sum.saturating_sub(*bytes));
                }
            }
        }
        Ok(())
    }
}
