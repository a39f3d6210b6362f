//! Reads and verifies bundles from outside. The limits bound the memory for any bytes.

use std::collections::BTreeSet;

use super::super::limits;
use super::actors::Actors;
use super::columns::{read_integers, read_strings};
use super::shape::{Filling, Place, Refill, Shape};
use super::write::Expected;
use super::{BundleFault, DocumentChanges, FORMAT};
use crate::crdt::change::{ChangeRecord, OperationId, VerifiedChange};
use crate::crdt::leb128::{ReadFault, Reader};
use crate::ids::{ActorId, ChangeHash};
use crate::schema::DocumentKey;

/// Reads a bundle that fills `bytes`. Every change of it is verified and written again.
pub fn read_bundle(bytes: &[u8]) -> Result<Vec<DocumentChanges>, BundleFault> {
    if bytes.len() > limits::BUNDLE_BYTES_MAX {
        return Err(BundleFault::TooLarge("bytes"));
    }
    let mut reader = Reader::new(bytes);
    let format = reader.byte()?;
    if format != FORMAT {
        return Err(BundleFault::UnknownFormat(format));
    }
    let actors = Actors::read(&mut reader)?;
    let shape_count = bounded(reader.size()?, limits::BUNDLE_CHANGES_MAX, "shapes")?;
    let mut shape_operations_left = limits::BUNDLE_OPERATIONS_MAX;
    let shapes = (0..shape_count)
        .map(|_| Shape::read(&mut reader, &mut shape_operations_left))
        .collect::<Result<Vec<_>, _>>()?;
    let documents = read_documents(&mut reader)?;
    let changes = documents.iter().map(|(_, changes)| changes).sum();

    let actor = read_integers(&mut reader, changes)?;
    let sequence = read_integers(&mut reader, changes)?;
    let start = read_integers(&mut reader, changes)?;
    let time = read_integers(&mut reader, changes)?;
    let shape_of = read_indexes(&read_integers(&mut reader, changes)?, shapes.len())?;
    let dependency_rows = bounded(reader.size()?, limits::BUNDLE_CHANGES_MAX.saturating_mul(4), "dependencies")?;
    let mut dependencies = read_integers(&mut reader, dependency_rows)?.into_iter();
    let hash_count = bounded(reader.size()?, dependency_rows, "hashes")?;
    let mut hashes =
        (0..hash_count).map(|_| reader.array().map(ChangeHash::from_bytes)).collect::<Result<Vec<_>, _>>()?.into_iter();

    let starts = absolute_starts(&documents, &shape_of, &shapes, &start)?;
    let mut places = read_all_places(&mut reader, &shapes, &shape_of, &starts, actors.len())?;
    if !reader.is_empty() {
        return Err(BundleFault::Malformed("bytes follow the bundle"));
    }

    let mut rows = actor.into_iter().zip(sequence).zip(time).zip(shape_of).zip(starts);
    let mut last_time = 0i64;
    let mut chunk_bytes_left = limits::BUNDLE_CHUNK_BYTES_MAX;
    let mut result = Vec::with_capacity(documents.len());
    for (key, count) in documents {
        let mut expected = Expected::default();
        let mut done: Vec<VerifiedChange> = Vec::with_capacity(count);
        for ((((actor, sequence), time), shape), start_operation) in rows.by_ref().take(count) {
            let actor_index = index(actor, actors.len())?;
            last_time = last_time.wrapping_add(time);
            let sequence = expected.sequence(actor_index).wrapping_add(sequence.cast_unsigned());
            let dependencies = read_dependencies(&mut dependencies, &mut hashes, &done)?;
            let shape_places = places.get_mut(shape).ok_or(ReadFault::BadNumber)?;
            let shape = shapes.get(shape).ok_or(ReadFault::BadNumber)?;
            let head = Head { dependencies, sequence, start_operation, time_seconds: last_time };
            let record = read_record(&actors, actor_index, head, shape, shape_places.next_row())?;
            expected.after(&record, actor_index);
            let change = VerifiedChange::from_record(record)?;
            chunk_bytes_left =
                chunk_bytes_left.checked_sub(change.chunk().len()).ok_or(BundleFault::TooLarge("bytes of changes"))?;
            done.push(change);
        }
        result.push(DocumentChanges { key, changes: done });
    }
    if dependencies.next().is_some() || hashes.next().is_some() {
        return Err(BundleFault::Malformed("dependencies are left over"));
    }
    Ok(result)
}

fn bounded(count: usize, most: usize, what: &'static str) -> Result<usize, BundleFault> {
    if count > most { Err(BundleFault::TooLarge(what)) } else { Ok(count) }
}

fn index(number: i64, length: usize) -> Result<usize, BundleFault> {
    usize::try_from(number)
        .ok()
        .filter(|index| *index < length)
        .ok_or(BundleFault::Malformed("an index is out of range"))
}

fn read_indexes(numbers: &[i64], length: usize) -> Result<Vec<usize>, BundleFault> {
    numbers.iter().map(|number| index(*number, length)).collect()
}

fn read_documents(reader: &mut Reader<'_>) -> Result<Vec<(DocumentKey, usize)>, BundleFault> {
    let count = bounded(reader.size()?, limits::BUNDLE_DOCUMENTS_MAX, "documents")?;
    let mut documents = Vec::new();
    let mut seen = BTreeSet::new();
    let mut changes_left = limits::BUNDLE_CHANGES_MAX;
    for _ in 0..count {
        let key = DocumentKey::from_bytes(reader.prefixed()?)?;
        let changes = reader.size()?;
        changes_left = changes_left.checked_sub(changes).ok_or(BundleFault::TooLarge("changes"))?;
        if !seen.insert(key.clone()) {
            return Err(BundleFault::Malformed("a document stands in it twice"));
        }
        documents.push((key, changes));
    }
    Ok(documents)
}

/// The first operation of each change. Checks the limits on all operations and values of the bundle.
fn absolute_starts(
    documents: &[(DocumentKey, usize)],
    shape_of: &[usize],
    shapes: &[Shape],
    differences: &[i64],
) -> Result<Vec<u64>, BundleFault> {
    let mut operations_left = limits::BUNDLE_OPERATIONS_MAX;
    let mut places_left = limits::BUNDLE_PLACES_MAX;
    let places: Vec<usize> = shapes.iter().map(|shape| shape.places().len()).collect();
    let mut starts = Vec::with_capacity(shape_of.len());
    let mut rows = shape_of.iter().zip(differences);
    for (_, count) in documents {
        let mut expected = 0u64;
        for (shape, difference) in rows.by_ref().take(*count) {
            let operations = shapes.get(*shape).map_or(0, |shape| shape.operations.len());
            operations_left = operations_left.checked_sub(operations).ok_or(BundleFault::TooLarge("operations"))?;
            let places = places.get(*shape).copied().unwrap_or(0);
            places_left = places_left.checked_sub(places).ok_or(BundleFault::TooLarge("values"))?;
            let start = expected.wrapping_add(difference.cast_unsigned());
            if start > limits::OPERATION_COUNTER_MAX {
                return Err(BundleFault::TooLarge("operations in a document"));
            }
            starts.push(start);
            expected = start.saturating_add(operations as u64);
        }
    }
    Ok(starts)
}

/// The columns of one shape, read row by row.
struct ShapePlaces<'a> {
    columns: Vec<std::vec::IntoIter<Filling<'a>>>,
}

impl<'a> ShapePlaces<'a> {
    fn next_row(&mut self) -> impl Iterator<Item = Filling<'a>> {
        self.columns.iter_mut().filter_map(Iterator::next)
    }
}

fn read_all_places<'a>(
    reader: &mut Reader<'a>,
    shapes: &[Shape],
    shape_of: &[usize],
    starts: &[u64],
    actors: usize,
) -> Result<Vec<ShapePlaces<'a>>, BundleFault> {
    let mut starts_of: Vec<Vec<u64>> = vec![Vec::new(); shapes.len()];
    for (shape, start) in shape_of.iter().zip(starts) {
        if let Some(list) = starts_of.get_mut(*shape) {
            list.push(*start);
        }
    }
    shapes
        .iter()
        .zip(&starts_of)
        .map(|(shape, starts)| {
            let columns = shape
                .places()
                .into_iter()
                .map(|place| read_place(reader, place, starts, actors).map(Vec::into_iter))
                .collect::<Result<_, _>>()?;
            Ok(ShapePlaces { columns })
        })
        .collect()
}

fn read_place<'a>(
    reader: &mut Reader<'a>,
    place: Place,
    starts: &[u64],
    actors: usize,
) -> Result<Vec<Filling<'a>>, BundleFault> {
    match place {
        Place::Integer => Ok(read_integers(reader, starts.len())?.into_iter().map(Filling::Integer).collect()),
        Place::Bytes => Ok(read_strings(reader, starts.len())?.into_iter().map(Filling::Bytes).collect()),
        Place::Reference => {
            let relative = match reader.byte()? {
                0 => false,
                1 => true,
                _ => return Err(BundleFault::Malformed("a column's form is not known")),
            };
            let counters = read_integers(reader, starts.len())?;
            let actor_numbers = read_integers(reader, starts.len())?;
            counters
                .into_iter()
                .zip(actor_numbers)
                .zip(starts)
                .map(|((counter, actor), start)| {
                    let counter =
                        if relative { start.wrapping_sub(counter.cast_unsigned()) } else { counter.cast_unsigned() };
                    let actor = index(actor, actors)?;
                    let actor = u32::try_from(actor).map_err(|_| ReadFault::BadNumber)?;
                    Ok(Filling::Reference(OperationId { counter, actor }))
                })
                .collect()
        }
    }
}

fn read_dependencies(
    column: &mut impl Iterator<Item = i64>,
    hashes: &mut impl Iterator<Item = ChangeHash>,
    done: &[VerifiedChange],
) -> Result<Vec<ChangeHash>, BundleFault> {
    const MISSING: BundleFault = BundleFault::Malformed("a dependency is missing");
    let back = |distance: usize| done.len().checked_sub(distance).and_then(|place| done.get(place));
    let count = match column.next().ok_or(MISSING)? {
        0 => return Ok(vec![back(1).ok_or(MISSING)?.hash()]),
        count => index(count, limits::CHANGE_DEPENDENCIES_MAX.saturating_add(2))?.saturating_sub(1),
    };
    (0..count)
        .map(|_| match column.next().ok_or(MISSING)? {
            0 => hashes.next().ok_or(MISSING),
            distance => {
                let distance = index(distance, usize::MAX)?;
                Ok(back(distance).ok_or(MISSING)?.hash())
            }
        })
        .collect()
}

/// The fields of a change before its operations.
struct Head {
    dependencies: Vec<ChangeHash>,
    sequence: u64,
    start_operation: u64,
    time_seconds: i64,
}

fn read_record<'a>(
    actors: &[ActorId],
    actor_index: usize,
    head: Head,
    shape: &Shape,
    fillings: impl Iterator<Item = Filling<'a>>,
) -> Result<ChangeRecord, BundleFault> {
    let fillings: Vec<Filling<'a>> = fillings.collect();
    let author = actors.get(actor_index).ok_or(ReadFault::BadNumber)?;
    // The list of other actors is derived: those that the operations use, in rising order.
    let mut used: BTreeSet<(&ActorId, u32)> = BTreeSet::new();
    for filling in &fillings {
        if let Filling::Reference(id) = filling {
            let actor = usize::try_from(id.actor).ok().and_then(|index| actors.get(index));
            let actor = actor.ok_or(ReadFault::BadNumber)?;
            if actor != author {
                used.insert((actor, id.actor));
            }
        }
    }
    let others: Vec<(&ActorId, u32)> = used.into_iter().collect();
    let localise = |filling: Filling<'a>| match filling {
        Filling::Reference(mut id) => {
            let place = others.iter().position(|(_, global)| *global == id.actor);
            id.actor = place.and_then(|place| u32::try_from(place).ok()).map_or(0, |place| place.saturating_add(1));
            Filling::Reference(id)
        }
        other => other,
    };
    let mut refill = Refill { start_operation: head.start_operation, fillings: fillings.iter().copied().map(localise) };
    let operations =
        shape.operations.iter().map(|operation| refill.operation(operation)).collect::<Result<Vec<_>, _>>()?;
    let message = if shape.has_message {
        String::from_utf8(refill.bytes()?).map_err(|_| ReadFault::BadText)?
    } else {
        String::new()
    };
    let extra = if shape.has_extra { refill.bytes()? } else { Vec::new() };
    Ok(ChangeRecord {
        dependencies: head.dependencies,
        actor: author.clone(),
        sequence: head.sequence,
        start_operation: head.start_operation,
        time_seconds: head.time_seconds,
        message,
        other_actors: others.into_iter().map(|(actor, _)| actor.clone()).collect(),
        operations,
        extra,
    })
}
