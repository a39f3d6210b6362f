//! A lot's key within its book: its Automerge object id, which costs no bytes and is unique there. Lots of other books may
//! have the same one; [`super::LotId`] says which book.

use std::fmt;
use std::str::FromStr;

use automerge::ObjId;
use serde::{Deserialize, Serialize};

use crate::crdt::DocumentFault;

/// A lot's key within its book: `counter@actor`, as Automerge writes object ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LotKey(String);

impl From<LotKey> for String {
    fn from(lot: LotKey) -> Self {
        lot.0
    }
}

impl TryFrom<String> for LotKey {
    type Error = DocumentFault;

    fn try_from(text: String) -> Result<Self, DocumentFault> {
        text.parse()
    }
}

impl LotKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the lot that is this object.
    pub(super) fn of_object(object: &ObjId) -> Self {
        Self(object.to_string())
    }

    /// The lot that this operation made.
    pub(crate) fn of_operation(counter: u64, actor: &crate::ids::ActorId) -> Self {
        Self(format!("{counter}@{actor}"))
    }

    /// True when this operation made the lot.
    pub fn is_of_operation(&self, counter: u64, actor: &crate::ids::ActorId) -> bool {
        *self == Self::of_operation(counter, actor)
    }

    /// The counter in the key; it rises with each record in a book.
    pub fn counter(&self) -> u32 {
        self.0.split_once('@').and_then(|(counter, _)| counter.parse().ok()).unwrap_or(0)
    }

    /// The actor in the key, which recorded the lot.
    pub fn actor(&self) -> Option<crate::ids::ActorId> {
        let hex = self.0.split_once('@')?.1;
        let actor = automerge::ActorId::try_from(hex).ok()?;
        crate::ids::ActorId::from_bytes(actor.to_bytes())
    }
}

impl fmt::Display for LotKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for LotKey {
    type Err = DocumentFault;

    fn from_str(text: &str) -> Result<Self, DocumentFault> {
        let fault = || DocumentFault::NotFound { what: super::harvest::LOT, name: text.chars().take(80).collect() };
        let (counter, actor) = text.split_once('@').ok_or_else(fault)?;
        let right = counter.parse::<u32>().is_ok()
            && (2..=64).contains(&actor.len())
            && actor.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if right { Ok(Self(text.to_owned())) } else { Err(fault()) }
    }
}
