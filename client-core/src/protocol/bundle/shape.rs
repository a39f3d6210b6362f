//! The shape of a change: its operations without external references and values. References to operations of the same
//! change are part of the shape, as distances from its first operation.
//!
//! ```text
//! flags: 1 message, 2 extra   number of operations, then each:
//!   action | insert << 3 | expand << 4 | mark name << 5
//!   object: 0 root, 1 open, 2 + distance
//!   key: 0 text (length, bytes), 1 head, 2 open, 3 + distance
//!   value: type code
//!   predecessors: count, each 0 open, 1 + distance
//!   mark name, if any: length, bytes
//! ```

use super::super::limits;
use super::BundleFault;
use crate::crdt::change::{Action, BytesKind, ChangeRecord, Key, Object, Operation, OperationId, SignedKind, Value};
use crate::crdt::leb128::{Reader, write_prefixed, write_size};

/// An operation id in a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reference {
    /// An operation of the same change, this far from its first.
    Own(u64),
    /// An operation of another change: one counter and one actor in the columns.
    Open,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ShapeKey {
    Map(String),
    Head,
    Element(Reference),
}

/// One operation of a shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ShapeOperation {
    pub(super) object: Option<Reference>,
    pub(super) key: ShapeKey,
    pub(super) insert: bool,
    pub(super) action: Action,
    pub(super) value_code: u8,
    pub(super) predecessors: Vec<Reference>,
    pub(super) expand: bool,
    pub(super) mark_name: Option<String>,
}

/// A change without its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) has_message: bool,
    pub(super) has_extra: bool,
    pub(super) operations: Vec<ShapeOperation>,
}

/// The type of one open place of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An external operation id: a column of counters, then one of actors.
    Reference,
    /// An integer.
    Integer,
    /// A byte string.
    Bytes,
}

/// One change's value for one place of its shape.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filling<'a> {
    Reference(OperationId),
    Integer(i64),
    Bytes(&'a [u8]),
}

impl Shape {
    /// The shape of a change, and its values for the places.
    pub(super) fn of(record: &ChangeRecord) -> (Self, Vec<Filling<'_>>) {
        let mut fillings = Vec::new();
        let refer =
            |id: OperationId, fillings: &mut Vec<Filling<'_>>| match id.counter.checked_sub(record.start_operation) {
                Some(distance) if id.actor == 0 => Reference::Own(distance),
                _ => {
                    fillings.push(Filling::Reference(id));
                    Reference::Open
                }
            };
        let mut operations = Vec::with_capacity(record.operations.len());
        for operation in &record.operations {
            let object = match operation.object {
                Object::Root => None,
                Object::Made(id) => Some(refer(id, &mut fillings)),
            };
            let key = match &operation.key {
                Key::Map(text) => ShapeKey::Map(text.clone()),
                Key::Head => ShapeKey::Head,
                Key::Element(id) => ShapeKey::Element(refer(*id, &mut fillings)),
            };
            match &operation.value {
                Value::Null | Value::Boolean(_) => {}
                Value::Unsigned(number) => fillings.push(Filling::Integer(number.cast_signed())),
                Value::Signed(_, number) => fillings.push(Filling::Integer(*number)),
                Value::Bytes(_, bytes) => fillings.push(Filling::Bytes(bytes)),
            }
            let predecessors = operation.predecessors.iter().map(|id| refer(*id, &mut fillings)).collect();
            operations.push(ShapeOperation {
                object,
                key,
                insert: operation.insert,
                action: operation.action,
                value_code: operation.value.code(),
                predecessors,
                expand: operation.expand,
                mark_name: operation.mark_name.clone(),
            });
        }
        let shape = Self { has_message: !record.message.is_empty(), has_extra: !record.extra.is_empty(), operations };
        if shape.has_message {
            fillings.push(Filling::Bytes(record.message.as_bytes()));
        }
        if shape.has_extra {
            fillings.push(Filling::Bytes(&record.extra));
        }
        (shape, fillings)
    }

    /// The open places, in the order in which [`Self::of`] fills them.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for operation in &self.operations {
            if operation.object == Some(Reference::Open) {
                places.push(Place::Reference);
            }
            if operation.key == ShapeKey::Element(Reference::Open) {
                places.push(Place::Reference);
            }
            match operation.value_code {
                0..=2 => {}
                3 | 4 | 8 | 9 => places.push(Place::Integer),
                _ => places.push(Place::Bytes),
            }
            places.extend(
                operation
                    .predecessors
                    .iter()
                    .filter(|reference| **reference == Reference::Open)
                    .map(|_| Place::Reference),
            );
        }
        if self.has_message {
            places.push(Place::Bytes);
        }
        if self.has_extra {
            places.push(Place::Bytes);
        }
        places
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.has_message) | u8::from(self.has_extra) << 1);
        write_size(out, self.operations.len());
        for operation in &self.operations {
            let flags = u8::from(operation.insert) << 3
                | u8::from(operation.expand) << 4
                | u8::from(operation.mark_name.is_some()) << 5;
            out.push(operation.action as u8 | flags);
            write_reference(out, operation.object, 1);
            match &operation.key {
                ShapeKey::Map(text) => {
                    out.push(0);
                    write_prefixed(out, text.as_bytes());
                }
                ShapeKey::Head => out.push(1),
                ShapeKey::Element(reference) => write_reference(out, Some(*reference), 2),
            }
            out.push(operation.value_code);
            write_size(out, operation.predecessors.len());
            for reference in &operation.predecessors {
                write_reference(out, Some(*reference), 0);
            }
            if let Some(name) = &operation.mark_name {
                write_prefixed(out, name.as_bytes());
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, operations_left: &mut usize) -> Result<Self, BundleFault> {
        let flags = reader.byte()?;
        if flags > 3 {
            return Err(BundleFault::Malformed("a shape's flags are not known"));
        }
        let count = reader.size()?;
        if count > limits::CHANGE_OPERATIONS_MAX {
            return Err(BundleFault::TooLarge("operations in a shape"));
        }
        *operations_left = operations_left.checked_sub(count).ok_or(BundleFault::TooLarge("operations in shapes"))?;
        let operations = (0..count).map(|_| read_operation(reader)).collect::<Result<_, _>>()?;
        Ok(Self { has_message: flags & 1 != 0, has_extra: flags & 2 != 0, operations })
    }
}

fn write_reference(out: &mut Vec<u8>, reference: Option<Reference>, open: u64) {
    crate::crdt::leb128::write_unsigned(
        out,
        match reference {
            None => 0,
            Some(Reference::Open) => open,
            Some(Reference::Own(distance)) => open.saturating_add(1).saturating_add(distance),
        },
    );
}

fn read_reference(number: u64, open: u64) -> Result<Reference, BundleFault> {
    match number.checked_sub(open) {
        Some(0) => Ok(Reference::Open),
        Some(own) => Ok(Reference::Own(own.saturating_sub(1))),
        None => Err(BundleFault::Malformed("a reference is not known")),
    }
}

fn read_operation(reader: &mut Reader<'_>) -> Result<ShapeOperation, BundleFault> {
    let head = reader.byte()?;
    if head > 0x3f {
        return Err(BundleFault::Malformed("an operation's flags are not known"));
    }
    let action =
        Action::from_code(u64::from(head & 7)).ok_or(BundleFault::Malformed("an operation's action is not known"))?;
    let object = match reader.unsigned()? {
        0 => None,
        number => Some(read_reference(number, 1)?),
    };
    let key = match reader.unsigned()? {
        0 => ShapeKey::Map(reader.text()?.to_owned()),
        1 => ShapeKey::Head,
        number => ShapeKey::Element(read_reference(number, 2)?),
    };
    let value_code = reader.byte()?;
    if value_code > 9 {
        return Err(BundleFault::Malformed("a value's type is not known"));
    }
    let count = reader.size()?;
    if count > limits::OPERATION_PREDECESSORS_MAX {
        return Err(BundleFault::TooLarge("predecessors"));
    }
    let predecessors =
        (0..count).map(|_| read_reference(reader.unsigned()?, 0)).collect::<Result<Vec<_>, BundleFault>>()?;
    let mark_name = if head & 0x20 != 0 { Some(reader.text()?.to_owned()) } else { None };
    Ok(ShapeOperation {
        object,
        key,
        insert: head & 0x08 != 0,
        action,
        value_code,
        predecessors,
        expand: head & 0x10 != 0,
        mark_name,
    })
}

/// Rebuilds the operations of one change from its shape and its fillings, in order.
pub(super) struct Refill<F> {
    pub(super) start_operation: u64,
    pub(super) fillings: F,
}

impl<'a, F: Iterator<Item = Filling<'a>>> Refill<F> {
    const MISSING: BundleFault = BundleFault::Malformed("a place of a shape is not filled");

    fn reference(&mut self, reference: Reference) -> Result<OperationId, BundleFault> {
        match reference {
            Reference::Own(distance) => {
                Ok(OperationId { counter: self.start_operation.saturating_add(distance), actor: 0 })
            }
            Reference::Open => match self.fillings.next() {
                Some(Filling::Reference(id)) => Ok(id),
                _ => Err(Self::MISSING),
            },
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, BundleFault> {
        match self.fillings.next() {
            Some(Filling::Bytes(bytes)) => Ok(bytes.to_vec()),
            _ => Err(Self::MISSING),
        }
    }

    fn integer(&mut self) -> Result<i64, BundleFault> {
        match self.fillings.next() {
            Some(Filling::Integer(number)) => Ok(number),
            _ => Err(Self::MISSING),
        }
    }

    pub(super) fn operation(&mut self, shape: &ShapeOperation) -> Result<Operation, BundleFault> {
        let object = match shape.object {
            None => Object::Root,
            Some(reference) => Object::Made(self.reference(reference)?),
        };
        let key = match &shape.key {
            ShapeKey::Map(text) => Key::Map(text.clone()),
            ShapeKey::Head => Key::Head,
            ShapeKey::Element(reference) => Key::Element(self.reference(*reference)?),
        };
        let value = match shape.value_code {
            0 => Value::Null,
            1 => Value::Boolean(false),
            2 => Value::Boolean(true),
            3 => Value::Unsigned(self.integer()?.cast_unsigned()),
            4 => Value::Signed(SignedKind::Integer, self.integer()?),
            8 => Value::Signed(SignedKind::Counter, self.integer()?),
            9 => Value::Signed(SignedKind::Timestamp, self.integer()?),
            5 => Value::Bytes(BytesKind::Float, self.bytes()?),
            6 => Value::Bytes(BytesKind::Text, self.bytes()?),
            _ => Value::Bytes(BytesKind::Bytes, self.bytes()?),
        };
        let predecessors =
            shape.predecessors.iter().map(|reference| self.reference(*reference)).collect::<Result<_, _>>()?;
        Ok(Operation {
            object,
            key,
            insert: shape.insert,
            action: shape.action,
            value,
            predecessors,
            expand: shape.expand,
            mark_name: shape.mark_name.clone(),
        })
    }
}
