//! Writes a change chunk, byte for byte as Automerge writes it.

use sha2::{Digest, Sha256};

use super::super::leb128::{write_prefixed, write_signed, write_size, write_unsigned};
use super::columns::{write_booleans, write_deltas, write_runs};
use super::{Action, ChangeRecord, Key, Object, OperationId, Value};
use crate::ids::ChangeHash;

pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
pub(super) const CHUNK_CHANGE: u8 = 1;
pub(super) const CHUNK_CHANGE_DEFLATED: u8 = 2;

/// Column specifications in the order of a chunk.
pub(super) mod column {
    pub(crate) const OBJECT_ACTOR: u32 = 0x01;
    pub(crate) const OBJECT_COUNTER: u32 = 0x02;
    pub(crate) const KEY_ACTOR: u32 = 0x11;
    pub(crate) const KEY_COUNTER: u32 = 0x13;
    pub(crate) const KEY_TEXT: u32 = 0x15;
    pub(crate) const INSERT: u32 = 0x34;
    pub(crate) const ACTION: u32 = 0x42;
    pub(crate) const VALUE_META: u32 = 0x56;
    pub(crate) const VALUE: u32 = 0x57;
    pub(crate) const PREDECESSOR_COUNT: u32 = 0x70;
    pub(crate) const PREDECESSOR_ACTOR: u32 = 0x71;
    pub(crate) const PREDECESSOR_COUNTER: u32 = 0x73;
    pub(crate) const EXPAND: u32 = 0x94;
    pub(crate) const MARK_NAME: u32 = 0xa5;
}

/// Writes the chunk of a verified record. Returns its hash and bytes.
pub fn write_change(record: &ChangeRecord) -> (ChangeHash, Vec<u8>) {
    let mut body = Vec::with_capacity(record.operations.len().saturating_mul(16).saturating_add(128));
    write_size(&mut body, record.dependencies.len());
    for dependency in &record.dependencies {
        body.extend_from_slice(dependency.as_bytes());
    }
    write_prefixed(&mut body, record.actor.as_bytes());
    write_unsigned(&mut body, record.sequence);
    write_unsigned(&mut body, record.start_operation);
    write_signed(&mut body, record.time_seconds);
    write_prefixed(&mut body, record.message.as_bytes());
    write_size(&mut body, record.other_actors.len());
    for actor in &record.other_actors {
        write_prefixed(&mut body, actor.as_bytes());
    }
    let columns = write_columns(record);
    write_size(&mut body, columns.len());
    for (specification, bytes) in &columns {
        write_unsigned(&mut body, u64::from(*specification));
        write_size(&mut body, bytes.len());
    }
    for (_, bytes) in &columns {
        body.extend_from_slice(bytes);
    }
    body.extend_from_slice(&record.extra);
    seal(&body)
}

/// Prepends the header to a chunk's body. Returns the hash and the chunk.
pub(super) fn seal(body: &[u8]) -> (ChangeHash, Vec<u8>) {
    let mut hashed = Vec::with_capacity(body.len().saturating_add(11));
    hashed.push(CHUNK_CHANGE);
    write_size(&mut hashed, body.len());
    hashed.extend_from_slice(body);
    let hash = ChangeHash::from_bytes(Sha256::digest(&hashed).into());
    let mut chunk = Vec::with_capacity(hashed.len().saturating_add(8));
    chunk.extend_from_slice(&MAGIC);
    chunk.extend(hash.as_bytes().iter().take(4));
    chunk.extend_from_slice(&hashed);
    (hash, chunk)
}

fn write_columns(record: &ChangeRecord) -> Vec<(u32, Vec<u8>)> {
    let operations = &record.operations;
    let mut columns: Vec<(u32, Vec<u8>)> = Vec::with_capacity(14);
    let mut add = |specification: u32, fill: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        fill(&mut bytes);
        if !bytes.is_empty() {
            columns.push((specification, bytes));
        }
    };
    let object = |pick: fn(OperationId) -> u64| -> Vec<Option<u64>> {
        operations
            .iter()
            .map(|operation| match operation.object {
                Object::Root => None,
                Object::Made(id) => Some(pick(id)),
            })
            .collect()
    };
    add(column::OBJECT_ACTOR, &|out| write_runs(&object(|id| u64::from(id.actor)), out));
    add(column::OBJECT_COUNTER, &|out| write_runs(&object(|id| id.counter), out));
    add(column::KEY_ACTOR, &|out| {
        let rows: Vec<Option<u64>> = operations
            .iter()
            .map(|operation| match &operation.key {
                Key::Element(id) => Some(u64::from(id.actor)),
                Key::Map(_) | Key::Head => None,
            })
            .collect();
        write_runs(&rows, out);
    });
    add(column::KEY_COUNTER, &|out| {
        let rows: Vec<Option<i64>> = operations
            .iter()
            .map(|operation| match &operation.key {
                Key::Element(id) => Some(signed(id.counter)),
                Key::Head => Some(0),
                Key::Map(_) => None,
            })
            .collect();
        write_deltas(&rows, out);
    });
    add(column::KEY_TEXT, &|out| {
        let rows: Vec<Option<String>> = operations
            .iter()
            .map(|operation| match &operation.key {
                Key::Map(key) => Some(key.clone()),
                Key::Element(_) | Key::Head => None,
            })
            .collect();
        write_runs(&rows, out);
    });
    add(column::INSERT, &|out| {
        write_booleans(&operations.iter().map(|operation| operation.insert).collect::<Vec<_>>(), out);
    });
    add(column::ACTION, &|out| {
        write_runs(&operations.iter().map(|operation| Some(action_code(operation.action))).collect::<Vec<_>>(), out);
    });
    let values: Vec<(u64, Vec<u8>)> = operations.iter().map(|operation| value_bytes(&operation.value)).collect();
    add(column::VALUE_META, &|out| {
        write_runs(&values.iter().map(|(meta, _)| Some(*meta)).collect::<Vec<_>>(), out);
    });
    add(column::VALUE, &|out| {
        for (_, bytes) in &values {
            out.extend_from_slice(bytes);
        }
    });
    add(column::PREDECESSOR_COUNT, &|out| {
        write_runs(
            &operations.iter().map(|operation| Some(operation.predecessors.len() as u64)).collect::<Vec<_>>(),
            out,
        );
    });
    let predecessors: Vec<OperationId> =
        operations.iter().flat_map(|operation| operation.predecessors.iter().copied()).collect();
    add(column::PREDECESSOR_ACTOR, &|out| {
        write_runs(&predecessors.iter().map(|id| Some(u64::from(id.actor))).collect::<Vec<_>>(), out);
    });
    add(column::PREDECESSOR_COUNTER, &|out| {
        write_deltas(&predecessors.iter().map(|id| Some(signed(id.counter))).collect::<Vec<_>>(), out);
    });
    if operations.iter().any(|operation| operation.expand) {
        add(column::EXPAND, &|out| {
            write_booleans(&operations.iter().map(|operation| operation.expand).collect::<Vec<_>>(), out);
        });
    }
    add(column::MARK_NAME, &|out| {
        write_runs(&operations.iter().map(|operation| operation.mark_name.clone()).collect::<Vec<_>>(), out);
    });
    columns
}

fn action_code(action: Action) -> u64 {
    u64::from(action as u8)
}

fn signed(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

/// A value's metadata (length and type code) and its bytes.
fn value_bytes(value: &Value) -> (u64, Vec<u8>) {
    let mut bytes = Vec::new();
    match value {
        Value::Null | Value::Boolean(_) => {}
        Value::Unsigned(number) => write_unsigned(&mut bytes, *number),
        Value::Signed(_, number) => write_signed(&mut bytes, *number),
        Value::Bytes(_, content) => bytes.extend_from_slice(content),
    }
    ((bytes.len() as u64) << 4 | u64::from(value.code()), bytes)
}
