//! Filling in a new document. What goes into it is written the same way into a document of Automerge and, where many documents are
//! made at once, into a change that needs no document: [`NewChange`] takes a small part of the time, and gives the same bytes.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ScalarValue};

use super::change::{
    Action, BytesKind, ChangeRecord, Key, Object, Operation, OperationId, SignedKind, Value, VerifiedChange,
};
use super::document::DocumentFault;
use crate::ids::ActorId;
use crate::quantities::Instant;

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Truth(bool),
}

impl From<&str> for Filled {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Filled {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Filled {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Filled {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<Filled> for ScalarValue {
    fn from(value: Filled) -> Self {
        match value {
            Filled::Text(text) => text.into(),
            Filled::Integer(number) => number.into(),
            Filled::Truth(truth) => truth.into(),
        }
    }
}

impl From<Filled> for Value {
    fn from(value: Filled) -> Self {
        match value {
            Filled::Text(text) => Self::Bytes(BytesKind::Text, text.into_bytes()),
            Filled::Integer(number) => Self::Signed(SignedKind::Integer, number),
            Filled::Truth(truth) => Self::Boolean(truth),
        }
    }
}

/// Where the fields of a new document go. Each field is filled once, and none that the document has.
pub trait Fill {
    /// A map of the document.
    type Map;

    /// The document's root.
    fn root(&self) -> Self::Map;

    /// Fills a field of a map.
    fn fill(&mut self, map: &Self::Map, field: &str, value: Filled) -> Result<(), DocumentFault>;

    /// Makes a map under a field of the root.
    fn fill_map(&mut self, field: &str) -> Result<Self::Map, DocumentFault>;
}

impl Fill for AutoCommit {
    type Map = ObjId;

    fn root(&self) -> ObjId {
        ROOT
    }

    fn fill(&mut self, map: &ObjId, field: &str, value: Filled) -> Result<(), DocumentFault> {
        Ok(self.put(map, field, ScalarValue::from(value))?)
    }

    fn fill_map(&mut self, field: &str) -> Result<ObjId, DocumentFault> {
        Ok(self.put_object(ROOT, field, ObjType::Map)?)
    }
}

/// A change of a new document while it is made, byte for byte as Automerge would make it.
#[derive(Debug, Clone)]
pub struct NewChange {
    record: ChangeRecord,
}

impl NewChange {
    /// The change that `actor` makes at `now` of a document that has this change last, and no other head.
    pub fn after(last: &VerifiedChange, actor: &ActorId, now: Instant) -> Self {
        let before = last.record();
        let own = if before.actor == *actor { before.sequence } else { 0 };
        Self {
            record: ChangeRecord {
                dependencies: vec![last.hash()],
                actor: actor.clone(),
                sequence: own.saturating_add(1),
                start_operation: before.next_operation(),
                time_seconds: now.seconds(),
                message: String::new(),
                other_actors: Vec::new(),
                operations: Vec::new(),
                extra: Vec::new(),
            },
        }
    }

    /// The change; none where nothing was filled.
    pub fn finish(self) -> Result<Option<VerifiedChange>, DocumentFault> {
        if self.record.operations.is_empty() {
            return Ok(None);
        }
        Ok(Some(VerifiedChange::from_record(self.record)?))
    }

    fn add(&mut self, object: Object, field: &str, action: Action, value: Value) {
        self.record.operations.push(Operation {
            object,
            key: Key::Map(field.to_owned()),
            insert: false,
            action,
            value,
            predecessors: Vec::new(),
            expand: false,
            mark_name: None,
        });
    }
}

impl Fill for NewChange {
    type Map = Object;

    fn root(&self) -> Object {
        Object::Root
    }

    fn fill(&mut self, map: &Object, field: &str, value: Filled) -> Result<(), DocumentFault> {
        self.add(*map, field, Action::Set, value.into());
        Ok(())
    }

    fn fill_map(&mut self, field: &str) -> Result<Object, DocumentFault> {
        let made = OperationId { counter: self.record.next_operation(), actor: 0 };
        self.add(Object::Root, field, Action::MakeMap, Value::Null);
        Ok(Object::Made(made))
    }
}
