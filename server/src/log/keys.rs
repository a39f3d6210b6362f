//! The store's keys. Every key begins with the co-operative's number (4 bytes; 0 for rows that belong to none), so a
//! scan of one co-operative can't reach into another.
//!
//! ```text
//! 0 F                         the store's format
//! 0 C <number>                a co-operative: CooperativeRecord
//! 0 I <SHA-256 of the code>   an invitation
//! 0 D <device>                the co-operative that a device belongs to
//! n h                         Heads: counters and running checksums
//! n e <entry>                 changes of one document, sent by one device in one request: Entry
//! n p <entry>                 the mark of an unadmitted entry
//! n a <document actor seq>    the hash of the change that has this sequence, and its entry
//! n l <position>              the log: LogRecord
//! n m <document>              DocumentMeta
//! n s <document>              the document as saved, through a position
//! n d <device>                DeviceRecord
//! 0 S <SHA-256 of the token>  a coordinator's session
//! 0 O <SHA-256 of the token>  a link that signs in once
//! n j <actor>                 the device that owns a chosen actor, one without a device id in it
//! n f                         a second factor is demanded of every coordinator
//! n o                         no entry before this one is unadmitted
//! n r                         the log was restored, and when
//! n u <line>                  the audit log: AuditRecord
//! n v <device>                the lists that a coordinator keeps: SavedView
//! n w <login>                 a coordinator's account
//! n y <device>                its last request: LastSeen
//! n x <device entry>          an entry that was set aside: SetAside
//! n i <file>                  an order file that was taken, by its hash, platform and shop: TakenFile
//! n b d <device>              what a device has used of its share of the disk: Used
//! n b h <household>           the same of a household
//! 0 K <key>                   an API key: ApiKeyRecord
//! n q …                       what is set aside, sold and known of orders: trade/rows.rs; all of it can be made anew
//! n t u <key>                 when an API key was last used
//! n g <key name>              an answer that is kept under an idempotency key: KeptAnswer
//! n t h <webhook>             a webhook: WebhookRecord
//! n t p <webhook>             how far orders were told to it, and its next delivery's number: Told
//! n t q <webhook> <delivery>  a delivery that waits: DeliveryRecord
//! n t d <webhook> <delivery>  a delivery that was given up: DeliveryRecord
//! ```

use granary_client_core::ids::{ActorId, ChangeHash, DeviceId};
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::StoreFault;
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// A co-operative's number on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CooperativeNumber(pub u32);

/// Keys that belong to no co-operative.
pub(crate) const GLOBAL: CooperativeNumber = CooperativeNumber(0);

/// A document's number within its co-operative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DocumentNumber(pub(crate) u32);

/// A key of this co-operative and kind.
pub(crate) fn key(cooperative: CooperativeNumber, kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(rest.len().saturating_add(5));
    key.extend_from_slice(&cooperative.0.to_be_bytes());
    key.push(kind);
    key.extend_from_slice(rest);
    key
}

/// The part of a key after co-operative and kind.
pub(crate) fn rest(key: &[u8]) -> &[u8] {
    key.get(5..).unwrap_or_default()
}

/// The number after a key's co-operative and kind.
pub(crate) fn rest_u64(key: &[u8]) -> Option<u64> {
    rest(key).try_into().ok().map(u64::from_be_bytes)
}

pub(crate) fn entry_key(cooperative: CooperativeNumber, entry: u64) -> Vec<u8> {
    key(cooperative, b'e', &entry.to_be_bytes())
}

pub(crate) fn unadmitted_key(cooperative: CooperativeNumber, entry: u64) -> Vec<u8> {
    key(cooperative, b'p', &entry.to_be_bytes())
}

pub(crate) fn log_key(cooperative: CooperativeNumber, position: u64) -> Vec<u8> {
    key(cooperative, b'l', &position.to_be_bytes())
}

pub(crate) fn meta_key(cooperative: CooperativeNumber, document: DocumentNumber) -> Vec<u8> {
    key(cooperative, b'm', &document.0.to_be_bytes())
}

pub(crate) fn saved_key(cooperative: CooperativeNumber, document: DocumentNumber) -> Vec<u8> {
    key(cooperative, b's', &document.0.to_be_bytes())
}

pub(crate) fn device_key(cooperative: CooperativeNumber, device: DeviceId) -> Vec<u8> {
    key(cooperative, b'd', device.as_bytes())
}

pub(crate) fn quarantine_key(cooperative: CooperativeNumber, device: DeviceId, entry: u64) -> Vec<u8> {
    let mut rest = device.as_bytes().to_vec();
    rest.extend_from_slice(&entry.to_be_bytes());
    key(cooperative, b'x', &rest)
}

/// The key of the index of repeats. A hash as key would scatter the writes, which costs the store most of its speed.
pub(crate) fn sequence_key(
    cooperative: CooperativeNumber,
    document: DocumentNumber,
    actor: &ActorId,
    sequence: u64,
) -> Vec<u8> {
    let mut rest = document.0.to_be_bytes().to_vec();
    rest.push(u8::try_from(actor.as_bytes().len()).unwrap_or(u8::MAX));
    rest.extend_from_slice(actor.as_bytes());
    rest.extend_from_slice(&sequence.to_be_bytes());
    key(cooperative, b'a', &rest)
}

/// The prefix of all keys of one actor in one document.
pub(crate) fn actor_prefix(cooperative: CooperativeNumber, document: DocumentNumber, actor: &ActorId) -> Vec<u8> {
    let mut prefix = sequence_key(cooperative, document, actor, 0);
    prefix.truncate(prefix.len().saturating_sub(8));
    prefix
}

/// The prefix of all keys of one device's actors in one document.
pub(crate) fn device_actors_prefix(
    cooperative: CooperativeNumber,
    document: DocumentNumber,
    device: DeviceId,
) -> Vec<u8> {
    let actor_bytes: u8 = 12;
    key(cooperative, b'a', &[document.0.to_be_bytes().as_slice(), &[actor_bytes], device.as_bytes()].concat())
}

/// The index's value for one sequence of one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Indexed {
    pub(crate) hash: ChangeHash,
    /// The entry that holds the change.
    pub(crate) entry: u64,
}

impl Indexed {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.hash.as_bytes().as_slice(), &self.entry.to_be_bytes()].concat()
    }

    pub(crate) fn read(key: &[u8], bytes: &[u8]) -> Result<Self, StoreFault> {
        let read = || {
            let (hash, entry) = bytes.split_first_chunk::<32>()?;
            Some(Self { hash: ChangeHash::from_bytes(*hash), entry: u64::from_be_bytes(entry.try_into().ok()?) })
        };
        read().ok_or_else(|| StoreFault::Damaged(key.to_vec()))
    }
}

/// Changes of one document that one device sent in one request.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Entry {
    pub(crate) document: DocumentNumber,
    pub(crate) device: DeviceId,
    pub(crate) received_millis: i64,
    /// The same replica's entry before this one: the receipt that the request presented, or the entry before it of the
    /// same request. 0 where the chain begins.
    pub(crate) previous: u64,
    /// The running checksum of all entries up to this one.
    pub(crate) tag: u64,
    /// The checksum of its bundle; it stays when the bundle is taken out.
    pub(crate) content: u64,
    /// Its changes; empty once they were taken out.
    #[serde(with = "serde_bytes")]
    pub(crate) bundle: Vec<u8>,
}

/// One position of the log.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct LogRecord {
    /// The running checksum of the log up to this position.
    pub(crate) tag: u64,
    pub(crate) event: LogEvent,
}

/// The event at a position of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum LogEvent {
    /// An entry was admitted. The event holds the entry's tag, so that logs with different entries of the same numbers
    /// have different running checksums. `device` is the sender.
    #[serde(rename = "e")]
    Admitted { entry: u64, document: DocumentNumber, previous: u64, device: DeviceId, tag: u64 },
    /// A document was erased for good: nothing of it is in any entry. `previous` is the document's last position.
    #[serde(rename = "x")]
    Erased { document: DocumentNumber, previous: u64 },
    /// The grants of a device have changed.
    #[serde(rename = "a")]
    Access { device: DeviceId, grants_version: u32 },
}

/// Counters and running checksums of a co-operative.
#[derive(Debug, Clone, Copy, Default, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Heads {
    /// The last entry.
    pub(crate) entry: u64,
    pub(crate) entry_tag: u64,
    /// The last position of the log.
    pub(crate) position: u64,
    pub(crate) position_tag: u64,
    /// Documents that have a number.
    pub(crate) documents: u32,
}

/// A document's state in the log, known without loading it.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct DocumentMeta {
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
    /// The last position of the log that is about it; 0 for none.
    pub(crate) last: u64,
    /// Its heads at that position.
    pub(crate) heads: Vec<ChangeHash>,
    /// The saved form holds the log up to this position; 0 for no saved form.
    pub(crate) saved_through: u64,
    /// Positions since the saved form.
    pub(crate) since_saved: u32,
    /// True once it was erased for good; its last position says so.
    pub(crate) is_erased: bool,
    /// How large it is as saved; 0 where nobody measured it since its rows were made anew.
    pub(crate) bytes: u64,
}

impl DocumentMeta {
    /// That of a document of which nothing is in the log yet.
    pub(crate) fn new(key: &DocumentKey) -> Self {
        Self {
            key: key.to_bytes(),
            last: 0,
            heads: Vec::new(),
            saved_through: 0,
            since_saved: 0,
            is_erased: false,
            bytes: 0,
        }
    }
}

/// The running checksum after `bytes`.
pub(crate) fn chain(tag: u64, bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(bytes, tag)
}

/// The part of a running checksum that the wire carries.
pub(crate) fn short(tag: u64) -> u32 {
    (tag & u64::from(u32::MAX)) as u32
}
