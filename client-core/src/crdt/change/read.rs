//! Reads a change chunk into a [`ChangeRecord`], with every count and length checked against a limit
//! first. [`super::verify`] then checks the record against the rules of the format.

use sha2::{Digest, Sha256};

use super::super::leb128::{ReadFault, Reader};
use super::super::limits;
use super::columns::{BooleanReader, DeltaReader, RunReader};
use super::write::{CHUNK_CHANGE, CHUNK_CHANGE_DEFLATED, MAGIC, column};
use super::{Action, BytesKind, ChangeFault, ChangeRecord, Key, Object, Operation, OperationId, SignedKind, Value};
use crate::ids::{ActorId, ChangeHash};

/// Reads one change chunk that fills `chunk` to its last byte.
pub fn read_change(chunk: &[u8]) -> Result<ChangeRecord, ChangeFault> {
    if chunk.len() > limits::CHANGE_BYTES_MAX {
        return Err(ChangeFault::TooLarge("bytes"));
    }
    let mut reader = Reader::new(chunk);
    if reader.array::<4>()? != MAGIC {
        return Err(ChangeFault::NotAChange);
    }
    let checksum = reader.array::<4>()?;
    let hash = Sha256::digest(reader.clone().take_rest());
    if hash.iter().take(4).ne(checksum.iter()) {
        return Err(ChangeFault::Checksum);
    }
    match reader.byte()? {
        CHUNK_CHANGE => {}
        CHUNK_CHANGE_DEFLATED => return Err(ChangeFault::NotCanonical),
        _ => return Err(ChangeFault::NotAChange),
    }
    let body = reader.prefixed()?;
    if !reader.is_empty() {
        return Err(ChangeFault::Malformed("bytes follow the change"));
    }
    read_body(&mut Reader::new(body))
}

fn read_body(reader: &mut Reader<'_>) -> Result<ChangeRecord, ChangeFault> {
    let dependency_count = bounded(reader.size()?, limits::CHANGE_DEPENDENCIES_MAX, "dependencies")?;
    let mut dependencies = Vec::with_capacity(dependency_count);
    for _ in 0..dependency_count {
        dependencies.push(ChangeHash::from_bytes(reader.array()?));
    }
    let actor = read_actor(reader)?;
    let sequence = reader.unsigned()?;
    let start_operation = reader.unsigned()?;
    let time_seconds = reader.signed()?;
    let message = reader.text()?.to_owned();
    let actor_count = bounded(reader.size()?, limits::CHANGE_ACTORS_MAX, "actors")?;
    let mut other_actors = Vec::with_capacity(actor_count);
    for _ in 0..actor_count {
        other_actors.push(read_actor(reader)?);
    }
    let columns = read_column_table(reader)?;
    let operations = read_operations(&columns)?;
    let extra = reader.take_rest().to_vec();
    Ok(ChangeRecord {
        dependencies,
        actor,
        sequence,
        start_operation,
        time_seconds,
        message,
        other_actors,
        operations,
        extra,
    })
}

fn bounded(count: usize, most: usize, what: &'static str) -> Result<usize, ChangeFault> {
    if count > most { Err(ChangeFault::TooLarge(what)) } else { Ok(count) }
}

fn read_actor(reader: &mut Reader<'_>) -> Result<ActorId, ChangeFault> {
    ActorId::from_bytes(reader.prefixed()?).ok_or(ChangeFault::Malformed("an actor id is empty or too long"))
}

/// The bytes of each known column. A missing column is empty.
#[derive(Default)]
struct Columns<'a> {
    object_actor: &'a [u8],
    object_counter: &'a [u8],
    key_actor: &'a [u8],
    key_counter: &'a [u8],
    key_text: &'a [u8],
    insert: &'a [u8],
    action: &'a [u8],
    value_meta: &'a [u8],
    value: &'a [u8],
    predecessor_count: &'a [u8],
    predecessor_actor: &'a [u8],
    predecessor_counter: &'a [u8],
    expand: &'a [u8],
    mark_name: &'a [u8],
}

fn read_column_table<'a>(reader: &mut Reader<'a>) -> Result<Columns<'a>, ChangeFault> {
    let count = bounded(reader.size()?, 14, "columns")?;
    let mut table = Vec::with_capacity(count);
    let mut last = None;
    for _ in 0..count {
        let specification =
            u32::try_from(reader.unsigned()?).map_err(|_| ChangeFault::Malformed("a column's number is too large"))?;
        if last.is_some_and(|last| specification <= last) {
            return Err(ChangeFault::Malformed("columns are out of order"));
        }
        last = Some(specification);
        table.push((specification, reader.size()?));
    }
    let mut columns = Columns::default();
    for (specification, length) in table {
        let bytes = reader.take(length)?;
        let place = match specification {
            column::OBJECT_ACTOR => &mut columns.object_actor,
            column::OBJECT_COUNTER => &mut columns.object_counter,
            column::KEY_ACTOR => &mut columns.key_actor,
            column::KEY_COUNTER => &mut columns.key_counter,
            column::KEY_TEXT => &mut columns.key_text,
            column::INSERT => &mut columns.insert,
            column::ACTION => &mut columns.action,
            column::VALUE_META => &mut columns.value_meta,
            column::VALUE => &mut columns.value,
            column::PREDECESSOR_COUNT => &mut columns.predecessor_count,
            column::PREDECESSOR_ACTOR => &mut columns.predecessor_actor,
            column::PREDECESSOR_COUNTER => &mut columns.predecessor_counter,
            column::EXPAND => &mut columns.expand,
            column::MARK_NAME => &mut columns.mark_name,
            _ => return Err(ChangeFault::Malformed("a column is not known")),
        };
        *place = bytes;
    }
    Ok(columns)
}

fn read_operations(columns: &Columns<'_>) -> Result<Vec<Operation>, ChangeFault> {
    let mut object_actor = RunReader::<u64>::new(columns.object_actor);
    let mut object_counter = RunReader::<u64>::new(columns.object_counter);
    let mut key_actor = RunReader::<u64>::new(columns.key_actor);
    let mut key_counter = DeltaReader::new(columns.key_counter);
    let mut key_text = RunReader::<String>::new(columns.key_text);
    let mut insert = BooleanReader::new(columns.insert);
    let mut action = RunReader::<u64>::new(columns.action);
    let mut value_meta = RunReader::<u64>::new(columns.value_meta);
    let mut value = Reader::new(columns.value);
    let mut predecessor_count = RunReader::<u64>::new(columns.predecessor_count);
    let mut predecessor_actor = RunReader::<u64>::new(columns.predecessor_actor);
    let mut predecessor_counter = DeltaReader::new(columns.predecessor_counter);
    let mut expand = BooleanReader::new(columns.expand);
    let mut mark_name = RunReader::<String>::new(columns.mark_name);

    let mut operations = Vec::new();
    while !action.is_done() {
        if operations.len() >= limits::CHANGE_OPERATIONS_MAX {
            return Err(ChangeFault::TooLarge("operations"));
        }
        let object = match (object_actor.next()?, object_counter.next()?) {
            (None, None) => Object::Root,
            (Some(actor), Some(counter)) => Object::Made(operation_id(counter, actor)?),
            _ => return Err(ChangeFault::Malformed("an object id is half there")),
        };
        let key = match (key_actor.next()?, key_counter.next()?, key_text.next()?) {
            (None, None, Some(text)) => Key::Map(text),
            (None, Some(0), None) => Key::Head,
            (Some(actor), Some(counter), None) => Key::Element(operation_id(
                u64::try_from(counter).map_err(|_| ChangeFault::Malformed("a key's counter is negative"))?,
                actor,
            )?),
            _ => return Err(ChangeFault::Malformed("a key is half there")),
        };
        let insert = insert.next()?;
        let action =
            action.next()?.and_then(Action::from_code).ok_or(ChangeFault::Malformed("an action is not known"))?;
        let meta = value_meta.next()?.ok_or(ChangeFault::Malformed("a value is missing"))?;
        let value = read_value(meta, &mut value)?;
        let count = predecessor_count.next()?.ok_or(ChangeFault::Malformed("a predecessor count is missing"))?;
        if count > limits::OPERATION_PREDECESSORS_MAX as u64 {
            return Err(ChangeFault::TooLarge("predecessors"));
        }
        let mut predecessors = Vec::new();
        for _ in 0..count {
            match (predecessor_actor.next()?, predecessor_counter.next()?) {
                (Some(actor), Some(counter)) => predecessors.push(operation_id(
                    u64::try_from(counter)
                        .map_err(|_| ChangeFault::Malformed("a predecessor's counter is negative"))?,
                    actor,
                )?),
                _ => return Err(ChangeFault::Malformed("a predecessor is half there")),
            }
        }
        operations.push(Operation {
            object,
            key,
            insert,
            action,
            value,
            predecessors,
            expand: expand.next()?,
            mark_name: mark_name.next()?,
        });
    }
    let all_read = object_actor.is_done()
        && object_counter.is_done()
        && key_actor.is_done()
        && key_counter.is_done()
        && key_text.is_done()
        && insert.is_done()
        && value_meta.is_done()
        && value.is_empty()
        && predecessor_count.is_done()
        && predecessor_actor.is_done()
        && predecessor_counter.is_done()
        && expand.is_done()
        && mark_name.is_done();
    if all_read { Ok(operations) } else { Err(ChangeFault::Malformed("columns differ in length")) }
}

fn operation_id(counter: u64, actor: u64) -> Result<OperationId, ChangeFault> {
    let actor = u32::try_from(actor).map_err(|_| ChangeFault::Malformed("an actor index is too large"))?;
    Ok(OperationId { counter, actor })
}

fn read_value(meta: u64, reader: &mut Reader<'_>) -> Result<Value, ChangeFault> {
    let length = usize::try_from(meta >> 4).map_err(|_| ChangeFault::TooLarge("bytes"))?;
    let bytes = reader.take(length)?;
    let mut inside = Reader::new(bytes);
    let value = match meta & 0x0f {
        0 => Value::Null,
        1 => Value::Boolean(false),
        2 => Value::Boolean(true),
        3 => Value::Unsigned(inside.unsigned()?),
        4 => Value::Signed(SignedKind::Integer, inside.signed()?),
        5 => Value::Bytes(BytesKind::Float, inside.array::<8>()?.to_vec()),
        6 => {
            let text = std::str::from_utf8(inside.take_rest()).map_err(|_| ReadFault::BadText)?;
            Value::Bytes(BytesKind::Text, text.as_bytes().to_vec())
        }
        7 => Value::Bytes(BytesKind::Bytes, inside.take_rest().to_vec()),
        8 => Value::Signed(SignedKind::Counter, inside.signed()?),
        9 => Value::Signed(SignedKind::Timestamp, inside.signed()?),
        _ => return Err(ChangeFault::Malformed("a value's type is not known")),
    };
    if inside.is_empty() { Ok(value) } else { Err(ChangeFault::Malformed("a value is longer than its type")) }
}
