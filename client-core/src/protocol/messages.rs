//! The messages of a sync, as CBOR arrays without field names. A request has the cursor and a page of the outbox. A reply has
//! the refusals, others' changes, and the new cursor. Changes that a reply does not refuse are durable on the server.

use ciborium::de::Error as CborError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::aside::AsideReason;
use super::attestation::Shown;
use crate::crdt::change::VerifiedChange;
use crate::ids::ChangeHash;
use crate::schema::access::Grants;
use crate::words::Words;

/// A message could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message does not have the expected shape")]
pub struct MessageFault;

/// Nesting of our messages at most. Deeper ones are refused.
const DEPTH_MAX: usize = 8;

/// Writes a message as CBOR.
pub fn write_message<M: Serialize>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory fails only for types that CBOR can't express, and ours are fixed.
    let written = ciborium::into_writer(message, &mut out);
    debug_assert!(written.is_ok(), "messages can be written");
    out
}

/// Reads a message that fills `bytes`.
pub fn read_message<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, MessageFault> {
    let mut rest = bytes;
    let message = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX)
        .map_err(|_: CborError<std::io::Error>| MessageFault)?;
    if rest.is_empty() { Ok(message) } else { Err(MessageFault) }
}

/// How far a phone has read the log, and which of its own changes are known to be durable. The server issues it; the phone
/// keeps it and sends it with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Cursor {
    /// Everything up to this position of the log was read.
    pub position: u64,
    /// The entry up to which this replica's changes are known to be durable.
    pub receipt: Receipt,
    /// Running checksums at both.
    pub tags: Tags,
    /// The version of this device's grants that the phone acts on.
    pub grants_version: u32,
    /// The progress of a walk over whole documents; none without one.
    pub walk: Option<Walk>,
}

/// How far a replica's changes are known to be durable. On the line one integer: 0 for none, positive for `Own`, negative
/// for `Through`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receipt {
    /// Nothing yet.
    #[default]
    None,
    /// This replica's last entry. The chain of entries behind it is all that this replica has sent.
    Own(u64),
    /// All that the replica has sent is in entries up to this one. Which of them are its own is not known.
    Through(u64),
}

impl Receipt {
    /// The entry up to which everything is durable; 0 for none.
    pub fn entry(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Own(entry) | Self::Through(entry) => entry,
        }
    }

    /// The same, of a replica that can't tell any more which entries are its own.
    pub fn without_chain(self) -> Self {
        match self {
            Self::Own(entry) => Self::Through(entry),
            other => other,
        }
    }

    /// The end of the replica's own chain; 0 where there is none.
    pub fn own(self) -> u64 {
        match self {
            Self::Own(entry) => entry,
            Self::None | Self::Through(_) => 0,
        }
    }
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = i64::try_from(self.entry()).unwrap_or(i64::MAX);
        serializer.serialize_i64(if matches!(self, Self::Through(_)) { entry.saturating_neg() } else { entry })
    }
}

impl<'de> Deserialize<'de> for Receipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Ok(match number {
            0 => Self::None,
            1.. => Self::Own(number.unsigned_abs()),
            ..0 => Self::Through(number.unsigned_abs()),
        })
    }
}

/// The running checksums of a log at a cursor; 8 bytes on the line. They differ between logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tags {
    /// The log's running checksum at the cursor's position.
    pub position: u32,
    /// The entries' running checksum at the cursor's receipt.
    pub receipt: u32,
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = [0u8; 8];
        for (place, number) in bytes.chunks_exact_mut(4).zip([self.position, self.receipt]) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [a, b, c, d, e, f, g, h] = *serde_bytes::ByteArray::<8>::deserialize(deserializer)?;
        Ok(Self { position: u32::from_be_bytes([a, b, c, d]), receipt: u32::from_be_bytes([e, f, g, h]) })
    }
}

/// A walk over all documents that a device may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Walk {
    /// What is sent of each document.
    pub mode: WalkMode,
    /// The number of the next document, which may be sent in part.
    pub document: u32,
    /// Of that document, everything up to this position of the log was sent.
    pub through: u64,
}

/// What a walk sends of each document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WalkMode {
    /// Whole documents, those that the grants of this older version did not allow.
    #[serde(rename = "g")]
    Grant(u32),
    /// The heads of every document, for head reconciliation.
    #[serde(rename = "r")]
    Reconcile,
}

/// A phone's request.
#[derive(Debug, Clone, PartialEq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct SyncRequest {
    /// The phone's cursor.
    pub cursor: Cursor,
    /// How many kilobytes (1,024 bytes) of bundle the phone wants in the reply at most.
    pub page_kilobytes: u16,
    /// How many changes are unsent after those in this request.
    pub unsent_after: u32,
    /// The number of the last notice that the phone has read.
    pub notices_read: u64,
    /// Changes of the phone, as a bundle; empty for none.
    #[serde(with = "serde_bytes")]
    pub bundle: Vec<u8>,
    /// Documents that the phone wants whole.
    pub fetch: Vec<Fetch>,
    /// Prove that the server once gave out other devices' changes of the bundle.
    pub attestations: Vec<Shown>,
    /// The version of the phone's program, with the first exchange after a start.
    pub version: Option<String>,
}

/// A document that a phone wants whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Fetch {
    /// The document's key, as bytes.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Everything up to this position of the log was sent already.
    pub through: u64,
}

/// The server's reply.
#[derive(Debug, Clone, PartialEq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct SyncReply {
    /// The phone's cursor after this reply.
    pub cursor: Cursor,
    /// True when there is more to read now.
    pub more: bool,
    /// Documents of the request that were refused; all others are durable.
    pub refused: Vec<Refusal>,
    /// The device's grants, when they are newer than those the phone acts on.
    pub grants: Option<Grants>,
    /// Changes for the phone, as a bundle; empty for none.
    #[serde(with = "serde_bytes")]
    pub bundle: Vec<u8>,
    /// The server's codes, eight bytes for each document of the bundle. Empty for coordinators, who need none.
    #[serde(with = "serde_bytes")]
    pub attestations: Vec<u8>,
    /// True while reconciling. A reconciliation may begin and end within one reply.
    pub reconciles: bool,
    /// Heads of documents, while reconciling.
    pub heads: Vec<DocumentHeads>,
    /// How far each of the request's fetches got, in the request's order.
    pub fetched: Vec<Fetched>,
    /// Changes of this device that were quarantined after they had been acknowledged.
    pub notices: Vec<Notice>,
    /// The time by the server's clock, in seconds since 1970: a phone's own clock may be years off.
    pub told_seconds: i64,
}

/// How far a fetch got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Fetched {
    /// Everything up to this position of the log was sent.
    pub through: u64,
    /// True when nothing of the document is left to send.
    pub complete: bool,
}

/// The heads of one document as the server has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct DocumentHeads {
    /// The document's key, as bytes.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Its heads.
    pub heads: Vec<ChangeHash>,
}

/// A document of the request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Refusal {
    /// The document's place in the request's bundle, from 0.
    pub document: u32,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a document's changes were refused. None of them was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum RefusalReason {
    /// The device may not write this document.
    #[serde(rename = "w")]
    #[error("this device may not write this document")]
    MayNotWrite,
    /// A change was made under the actor of another device, and nothing shows that the server ever had it.
    #[serde(rename = "a")]
    #[error("a change names another device as its author")]
    ForeignActor,
    /// The actor has used this sequence for another change: somebody tampers, or a memory image was cloned.
    #[serde(rename = "s")]
    #[error("a change takes a number that another change of this phone has")]
    SequenceReused,
    /// Too many changes of this device are orphans: the changes that they depend on have not come.
    #[serde(rename = "o")]
    #[error("too many changes of this phone wait for others that have not come")]
    TooManyOrphans,
    /// The device has written under too many actors in this document.
    #[serde(rename = "n")]
    #[error("this phone was opened too often for this document")]
    TooManyActors,
    /// The document was erased for good: what is here of it goes too.
    #[serde(rename = "e")]
    #[error("this was erased for good, as somebody asked whose it was")]
    Erased,
    /// The document is as large as a document may be.
    #[serde(rename = "f")]
    #[error("this document is full: nothing more can be written into it")]
    DocumentFull,
    /// The server has not looked yet at what was sent of this document before, and there may be no room for more.
    #[serde(rename = "l")]
    #[error("the server is still taking in what was sent of this before; the rest goes a little later")]
    StillTakingIn,
    /// The document is of a season far from today.
    #[serde(rename = "y")]
    #[error("this is of a season that is too far from today; check the date of this phone and of the record")]
    SeasonOutOfReach,
    /// The device, or its household, has sent as much as one day may hold.
    #[serde(rename = "d")]
    #[error("this phone or its household has sent more today than a day may hold; the rest goes tomorrow")]
    DayShareUsed,
    /// The device, or its household, has as much on the server as it may have.
    #[serde(rename = "b")]
    #[error("this phone or its household has as much on the server as it may have; ask a coordinator for more room")]
    ShareUsed,
    /// The server's disk is nearly full.
    #[serde(rename = "r")]
    #[error("the co-operative's server has no room for anything new; it waits on this phone until there is some")]
    NoRoom,
}

impl RefusalReason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::MayNotWrite,
        Self::ForeignActor,
        Self::SequenceReused,
        Self::TooManyOrphans,
        Self::TooManyActors,
        Self::Erased,
        Self::DocumentFull,
        Self::StillTakingIn,
        Self::SeasonOutOfReach,
        Self::DayShareUsed,
        Self::ShareUsed,
        Self::NoRoom,
    ];

    /// True when the same changes may be taken later, unaltered.
    pub fn may_pass_later(self) -> bool {
        matches!(self, Self::TooManyOrphans | Self::StillTakingIn | Self::DayShareUsed | Self::ShareUsed | Self::NoRoom)
    }

    /// True when a person should hear why the changes wait: it takes a day, or somebody else to act.
    pub fn keeps_waiting(self) -> bool {
        matches!(self, Self::DayShareUsed | Self::ShareUsed | Self::NoRoom)
    }

    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::MayNotWrite => "may-not-write",
            Self::ForeignActor => "foreign-author",
            Self::SequenceReused => "number-used-twice",
            Self::TooManyOrphans => "too-many-waiting",
            Self::TooManyActors => "opened-too-often",
            Self::Erased => "erased",
            Self::DocumentFull => "no-room-in-document",
            Self::StillTakingIn => "still-taking-in",
            Self::SeasonOutOfReach => "season-out-of-reach",
            Self::DayShareUsed => "day-share-used",
            Self::ShareUsed => "share-used",
            Self::NoRoom => "no-room",
        }
    }
}

impl Words for RefusalReason {
    fn chinese(&self) -> String {
        match self {
            Self::MayNotWrite => "不可以改这份文档",
            Self::ForeignActor => "有一个改动以别的手机为作者",
            Self::SequenceReused => "有一个改动的编号与这部手机的另一个改动相同",
            Self::TooManyOrphans => "这部手机有太多改动在等还没有到的改动",
            Self::TooManyActors => "这部手机为这份文档打开得太多次",
            Self::Erased => "应当事人的要求，这份资料已经永久删除",
            Self::DocumentFull => "这份文档满了，不能再写入",
            Self::StillTakingIn => "服务器还在收先前发来的改动，其余的稍后再发",
            Self::SeasonOutOfReach => "这个季度离今天太远；请检查手机和记录的日期",
            Self::DayShareUsed => "这部手机或这一户今天发送的超过了一天的份额，其余的明天再发",
            Self::ShareUsed => "这部手机或这一户在服务器上的份额用完了；请找协调员增加",
            Self::NoRoom => "合作社的服务器没有空间收新的记录；在有空间之前，记录都留在这部手机上",
        }
        .to_owned()
    }
}

/// Changes of one actor in one document: those with the sequences from `first` to `last`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ChangeRange {
    /// The actor.
    #[serde(with = "serde_bytes")]
    pub actor: Vec<u8>,
    /// The first sequence.
    pub first: u64,
    /// The last sequence.
    pub last: u64,
}

impl ChangeRange {
    /// The ranges that cover these changes.
    pub fn covering<'a>(changes: impl IntoIterator<Item = &'a VerifiedChange>) -> Vec<Self> {
        let mut places: Vec<(&[u8], u64)> =
            changes.into_iter().map(|change| (change.record().actor.as_bytes(), change.record().sequence)).collect();
        places.sort_unstable();
        let mut ranges: Vec<Self> = Vec::new();
        for (actor, sequence) in places {
            match ranges.last_mut() {
                Some(range) if range.actor == actor && range.last.checked_add(1) == Some(sequence) => {
                    range.last = sequence;
                }
                _ => ranges.push(Self { actor: actor.to_vec(), first: sequence, last: sequence }),
            }
        }
        ranges
    }

    /// True when the change is one of these.
    pub fn has(&self, change: &VerifiedChange) -> bool {
        let record = change.record();
        record.actor.as_bytes() == self.actor && (self.first..=self.last).contains(&record.sequence)
    }
}

/// Acknowledged changes of this device that were quarantined later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Notice {
    /// Rises with each notice. The phone sends the last one that it has read.
    pub number: u64,
    /// The document's key, as bytes.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// What was wrong.
    pub reason: AsideReason,
    /// Which changes.
    pub changes: Vec<ChangeRange>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request() -> SyncRequest {
        SyncRequest {
            cursor: Cursor {
                position: 900,
                receipt: Receipt::Own(3),
                tags: Tags { position: 7, receipt: 9 },
                grants_version: 1,
                walk: None,
            },
            page_kilobytes: 32,
            unsent_after: 0,
            notices_read: 0,
            bundle: Vec::new(),
            fetch: Vec::new(),
            attestations: Vec::new(),
            version: None,
        }
    }

    #[test]
    fn a_request_with_nothing_to_say_is_short() {
        let bytes = write_message(&request());
        assert_eq!(read_message::<SyncRequest>(&bytes), Ok(request()));
        insta::assert_snapshot!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }

    #[test]
    fn reply_round_trips() {
        let reply = SyncReply {
            cursor: Cursor {
                walk: Some(Walk { mode: WalkMode::Grant(0), document: 4, through: 9 }),
                ..Cursor::default()
            },
            more: true,
            refused: vec![Refusal { document: 1, reason: RefusalReason::ForeignActor }],
            grants: None,
            bundle: vec![1, 2, 3],
            attestations: vec![7; 8],
            reconciles: true,
            heads: vec![DocumentHeads { key: vec![1], heads: vec![ChangeHash::from_bytes([4; 32])] }],
            fetched: vec![Fetched { through: 3, complete: false }],
            notices: vec![Notice { number: 1, key: vec![2], reason: AsideReason::Harmful, changes: Vec::new() }],
            told_seconds: 1_795_000_000,
        };
        let bytes = write_message(&reply);
        assert_eq!(read_message::<SyncReply>(&bytes), Ok(reply));
    }

    #[test]
    fn receipt_is_one_integer() {
        for receipt in [Receipt::None, Receipt::Own(7), Receipt::Through(7), Receipt::Own(i64::MAX.unsigned_abs())] {
            assert_eq!(read_message(&write_message(&receipt)), Ok(receipt));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_rejected(bytes: Vec<u8>) {
            let _ = read_message::<SyncRequest>(&bytes);
            let _ = read_message::<SyncReply>(&bytes);
            let _ = read_message::<crate::protocol::enrolment::EnrolRequest>(&bytes);
            let _ = read_message::<crate::protocol::enrolment::EnrolReply>(&bytes);
        }

        #[test]
        fn changed_message_is_parsed_or_rejected(place in 0usize..40, byte: u8) {
            let mut bytes = write_message(&request());
            if let Some(target) = bytes.get_mut(place) { *target = byte; }
            let _ = read_message::<SyncRequest>(&bytes);
        }
    }
}
