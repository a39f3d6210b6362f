//! The messages of a sync, as CBOR arrays without field names. A request has the cursor and a page of the outbox. A reply has
//! the refusals, others' changes, and the new cursor. Changes that a reply does not refuse are durable on the server.

use ciborium::de::Error as CborError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::aside::AsideReason;
use super::attestation::Shown;
pub use super::cursor::{Cursor, Receipt, Tags, Walk, WalkMode};
pub use super::refusal::{Refusal, RefusalReason};
use crate::crdt::change::VerifiedChange;
use crate::ids::ChangeHash;
use crate::schema::access::{Grants, ListedHousehold};

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
    /// With new grants: the households that the device records for, or weighs the lots of, by name. Whatever it knew of others is void.
    pub listed: Vec<ListedHousehold>,
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
            listed: vec![ListedHousehold {
                household: crate::ids::HouseholdId::from_bytes([5; 16]),
                name: "王家".into(),
                village: "wangjiagou".into(),
            }],
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
