//! One Automerge change, read by our own bounded reader and written by our own writer.
//!
//! Automerge's decoders panic or loop on chunks with a right checksum and wrong content, so no bytes from outside reach
//! them. A change from outside is parsed into a [`ChangeRecord`], verified, and written again; Automerge reads the bytes
//! that *we* wrote. The format has one encoding for each change, so the hash equals the author's, or the change is refused.
//!
//! Source: <https://automerge.org/automerge-binary-format-spec/>, change chunks.

mod columns;
mod inflate;
mod read;
mod verify;
mod write;

pub use read::read_change;
pub use verify::verify;
pub use write::write_change;

use super::leb128::ReadFault;
use crate::ids::{ActorId, ChangeHash};

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeFault {
    /// The bytes do not have the shape of a change chunk.
    #[error("a change cannot be read: {0}")]
    Unreadable(#[from] ReadFault),
    /// The first bytes are not those of an Automerge change chunk.
    #[error("a change does not begin as an Automerge change does")]
    NotAChange,
    /// The checksum does not match.
    #[error("a change's checksum does not fit its bytes")]
    Checksum,
    /// A count or length is over its limit.
    #[error("a change has too many {0}")]
    TooLarge(&'static str),
    /// The change breaks a rule of the format.
    #[error("a change breaks the format: {0}")]
    Malformed(&'static str),
    /// The change is readable, but not encoded as Automerge encodes it.
    #[error("a change is not in its canonical form")]
    NotCanonical,
}

/// An operation's id: a counter that rises within a document, and the actor, as an index into
/// [`ChangeRecord::actor_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId {
    /// The counter; at least 1.
    pub counter: u64,
    /// 0 is the change's own actor, 1 the first of `other_actors`, and so on.
    pub actor: u32,
}

/// The object that an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// The document's root map.
    Root,
    /// The object that this operation made.
    Made(OperationId),
}

/// Where in its object an operation applies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A key of a map.
    Map(String),
    /// Before the first element of a list.
    Head,
    /// The element of a list that this operation inserted.
    Element(OperationId),
}

/// A scalar value, with integers decoded and all else as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Null; also the value of operations that have none.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer, a counter or a timestamp in milliseconds.
    Signed(SignedKind, i64),
    /// A text, a byte string or a float's 8 bytes.
    Bytes(BytesKind, Vec<u8>),
}

/// The meaning of a signed integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignedKind {
    /// A plain integer.
    Integer,
    /// A counter's start or step.
    Counter,
    /// Milliseconds since 1970, UTC.
    Timestamp,
}

/// The meaning of a byte string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BytesKind {
    /// A 64-bit float, little endian.
    Float,
    /// UTF-8.
    Text,
    /// Anything.
    Bytes,
}

impl Value {
    /// The value for a history: empty for null, and no more of bytes than that there are some.
    pub fn told(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Signed(_, number) => number.to_string(),
            Self::Bytes(BytesKind::Text, bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Bytes(..) => "…".to_owned(),
        }
    }

    /// The format's type code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean(false) => 1,
            Self::Boolean(true) => 2,
            Self::Unsigned(_) => 3,
            Self::Signed(SignedKind::Integer, _) => 4,
            Self::Bytes(BytesKind::Float, _) => 5,
            Self::Bytes(BytesKind::Text, _) => 6,
            Self::Bytes(BytesKind::Bytes, _) => 7,
            Self::Signed(SignedKind::Counter, _) => 8,
            Self::Signed(SignedKind::Timestamp, _) => 9,
        }
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// Makes a map.
    MakeMap = 0,
    /// Sets a scalar.
    Set = 1,
    /// Makes a list.
    MakeList = 2,
    /// Deletes.
    Delete = 3,
    /// Makes a text.
    MakeText = 4,
    /// Adds to a counter.
    Increment = 5,
    /// Makes a table (old documents).
    MakeTable = 6,
    /// Begins or ends a mark on a text.
    Mark = 7,
}

impl Action {
    /// The action of this code, if it is known.
    pub fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::MakeMap,
            1 => Self::Set,
            2 => Self::MakeList,
            3 => Self::Delete,
            4 => Self::MakeText,
            5 => Self::Increment,
            6 => Self::MakeTable,
            7 => Self::Mark,
            _ => return None,
        })
    }

    /// True when the operation makes an object.
    pub fn makes(self) -> bool {
        matches!(self, Self::MakeMap | Self::MakeList | Self::MakeText | Self::MakeTable)
    }
}

/// One operation of a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The object it is about.
    pub object: Object,
    /// Where in the object.
    pub key: Key,
    /// True when it inserts a new list element after `key`.
    pub insert: bool,
    /// What it does.
    pub action: Action,
    /// Its scalar.
    pub value: Value,
    /// The operations it replaces, in rising order.
    pub predecessors: Vec<OperationId>,
    /// Whether a mark grows at its edges.
    pub expand: bool,
    /// A mark's name.
    pub mark_name: Option<String>,
}

/// A change, field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Its dependencies, in its order.
    pub dependencies: Vec<ChangeHash>,
    /// Who made it.
    pub actor: ActorId,
    /// The actor's own count of its changes in this document, from 1.
    pub sequence: u64,
    /// The counter of its first operation.
    pub start_operation: u64,
    /// When it was made, in seconds since 1970, by its author's clock.
    pub time_seconds: i64,
    /// Its message; empty for none.
    pub message: String,
    /// The other actors that its operations name, in rising order.
    pub other_actors: Vec<ActorId>,
    /// What it does.
    pub operations: Vec<Operation>,
    /// Bytes that a newer format may have put behind the columns.
    pub extra: Vec<u8>,
}

impl ChangeRecord {
    /// The actor of this index, as operation ids use it.
    pub fn actor_at(&self, index: u32) -> Option<&ActorId> {
        match index.checked_sub(1) {
            None => Some(&self.actor),
            Some(other) => self.other_actors.get(usize::try_from(other).ok()?),
        }
    }

    /// The first operation counter that is free after this change.
    pub fn next_operation(&self) -> u64 {
        self.start_operation.saturating_add(self.operations.len() as u64)
    }
}

/// A verified change, with the chunk that we wrote for it and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChange {
    hash: ChangeHash,
    chunk: Vec<u8>,
    record: ChangeRecord,
}

impl VerifiedChange {
    /// Verifies a record and writes its chunk.
    pub fn from_record(record: ChangeRecord) -> Result<Self, ChangeFault> {
        verify(&record)?;
        let (hash, chunk) = write_change(&record);
        if chunk.len() > super::limits::CHANGE_BYTES_MAX {
            return Err(ChangeFault::TooLarge("bytes"));
        }
        Ok(Self { hash, chunk, record })
    }

    /// Reads and verifies a chunk, and checks that it is encoded as Automerge encodes it.
    pub fn from_chunk(chunk: &[u8]) -> Result<Self, ChangeFault> {
        let record = read_change(chunk)?;
        let verified = Self::from_record(record)?;
        if verified.chunk == chunk { Ok(verified) } else { Err(ChangeFault::NotCanonical) }
    }

    /// The change's name: SHA-256 over its chunk, as the format defines it.
    pub fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// The chunk, uncompressed.
    pub fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// The change, field by field.
    pub fn record(&self) -> &ChangeRecord {
        &self.record
    }
}
