//! Writes bundles. The bytes depend only on the changes and their order.

use std::collections::HashMap;

use super::actors::Actors;
use super::columns::{write_integers, write_strings};
use super::shape::{Filling, Place, Shape};
use super::{DocumentChanges, FORMAT};
use crate::crdt::change::{ChangeRecord, VerifiedChange};
use crate::crdt::leb128::{Reader, write_prefixed, write_size};
use crate::ids::ChangeHash;

/// The columns that all changes share.
#[derive(Default)]
struct Common {
    actor: Vec<i64>,
    sequence: Vec<i64>,
    start: Vec<i64>,
    time: Vec<i64>,
    dependencies: Vec<i64>,
    shape: Vec<i64>,
}

#[derive(Default)]
struct ShapeRows<'a> {
    starts: Vec<u64>,
    /// Rows of fillings, one for each change; an id's actor is an index into the bundle's actors.
    rows: Vec<Vec<Filling<'a>>>,
}

/// Writes the changes of these documents as one bundle. A change must follow those of its dependencies that are here.
pub fn write_bundle(documents: &[DocumentChanges]) -> Vec<u8> {
    write_marked(documents, |_, _| {})
}

/// The parts of a bundle in order, each with its name, for measuring sizes.
pub fn bundle_parts(documents: &[DocumentChanges]) -> Vec<(String, Vec<u8>)> {
    let mut ends: Vec<(String, usize)> = Vec::new();
    let bundle = write_marked(documents, |part, end| ends.push((part.to_owned(), end)));
    let mut rest = Reader::new(&bundle);
    let mut start = 0usize;
    ends.into_iter()
        .map(|(part, end)| {
            let bytes = rest.take(end.saturating_sub(start)).unwrap_or_default().to_vec();
            start = end;
            (part, bytes)
        })
        .collect()
}

/// As [`write_bundle`]; calls `mark` with the end of each part.
fn write_marked(documents: &[DocumentChanges], mut mark: impl FnMut(&str, usize)) -> Vec<u8> {
    let changes = || documents.iter().flat_map(|document| &document.changes);
    let actors = Actors::of(changes().map(VerifiedChange::record));
    let mut shapes: Vec<(Shape, ShapeRows<'_>)> = Vec::new();
    let mut shape_index: HashMap<Shape, usize> = HashMap::new();
    let mut common = Common::default();
    let mut hashes: Vec<u8> = Vec::new();
    let mut last_time = 0i64;

    for document in documents {
        let mut expected = Expected::default();
        let mut places: HashMap<ChangeHash, usize> = HashMap::new();
        for (index, change) in document.changes.iter().enumerate() {
            let record = change.record();
            let actor = actors.index(&record.actor);
            common.actor.push(signed(actor));
            common.sequence.push(difference(record.sequence, expected.sequence(actor)));
            common.start.push(difference(record.start_operation, expected.start));
            common.time.push(record.time_seconds.wrapping_sub(last_time));
            last_time = record.time_seconds;
            write_dependencies(change, index, &places, &mut common.dependencies, &mut hashes);
            let (shape, fillings) = Shape::of(record);
            let fillings = fillings.into_iter().map(|filling| actors.globalise(record, filling)).collect();
            let number = *shape_index.entry(shape).or_insert_with_key(|shape| {
                shapes.push((shape.clone(), ShapeRows::default()));
                shapes.len().saturating_sub(1)
            });
            common.shape.push(signed(number));
            if let Some((_, rows)) = shapes.get_mut(number) {
                rows.starts.push(record.start_operation);
                rows.rows.push(fillings);
            }
            expected.after(record, actor);
            places.insert(change.hash(), index);
        }
    }

    let mut out = vec![FORMAT];
    actors.write(&mut out);
    mark("actors", out.len());
    write_size(&mut out, shapes.len());
    shapes.iter().for_each(|(shape, _)| shape.write(&mut out));
    mark("shapes", out.len());
    write_size(&mut out, documents.len());
    for document in documents {
        write_prefixed(&mut out, &document.key.to_bytes());
        write_size(&mut out, document.changes.len());
    }
    mark("documents", out.len());
    let columns = [
        ("actor of each change", &common.actor),
        ("sequence", &common.sequence),
        ("first operation", &common.start),
        ("time", &common.time),
        ("shape of each change", &common.shape),
    ];
    for (part, column) in columns {
        write_integers(column, &mut out);
        mark(part, out.len());
    }
    write_size(&mut out, common.dependencies.len());
    write_integers(&common.dependencies, &mut out);
    mark("dependencies", out.len());
    write_size(&mut out, hashes.len() / 32);
    out.extend(hashes);
    mark("hashes", out.len());
    for (number, (shape, rows)) in shapes.iter().enumerate() {
        write_places(shape, rows, &mut out, |place, kind, end| mark(&format!("shape {number}, {kind} {place}"), end));
    }
    out
}

/// One row for each change that depends on the change before it in the bundle and nothing else: 0.
/// Otherwise the number of dependencies + 1, then for each the distance back, or 0 for a hash that is
/// spelt out.
fn write_dependencies(
    change: &VerifiedChange,
    index: usize,
    places: &HashMap<ChangeHash, usize>,
    column: &mut Vec<i64>,
    hashes: &mut Vec<u8>,
) {
    let distance = |hash: &ChangeHash| places.get(hash).map(|place| index.saturating_sub(*place));
    let dependencies = &change.record().dependencies;
    if let [only] = dependencies.as_slice()
        && distance(only) == Some(1)
    {
        column.push(0);
        return;
    }
    column.push(signed(dependencies.len().saturating_add(1)));
    for hash in dependencies {
        match distance(hash) {
            Some(distance) => column.push(signed(distance)),
            None => {
                column.push(0);
                hashes.extend_from_slice(hash.as_bytes());
            }
        }
    }
}

fn write_places(
    shape: &Shape,
    rows: &ShapeRows<'_>,
    out: &mut Vec<u8>,
    mut mark: impl FnMut(usize, &'static str, usize),
) {
    for (place, kind) in shape.places().into_iter().enumerate() {
        let column = || rows.rows.iter().filter_map(|row| row.get(place));
        match kind {
            Place::Reference => {
                let ids: Vec<_> = column()
                    .filter_map(|filling| match filling {
                        Filling::Reference(id) => Some(*id),
                        _ => None,
                    })
                    .collect();
                let mut absolute = vec![0];
                write_integers(&ids.iter().map(|id| id.counter.cast_signed()).collect::<Vec<_>>(), &mut absolute);
                let mut relative = vec![1];
                let distances: Vec<i64> =
                    ids.iter().zip(&rows.starts).map(|(id, start)| difference(*start, id.counter)).collect();
                write_integers(&distances, &mut relative);
                out.extend(if relative.len() <= absolute.len() { relative } else { absolute });
                write_integers(&ids.iter().map(|id| i64::from(id.actor)).collect::<Vec<_>>(), out);
                mark(place, "reference", out.len());
            }
            Place::Integer => {
                let numbers: Vec<i64> = column()
                    .filter_map(|filling| match filling {
                        Filling::Integer(number) => Some(*number),
                        _ => None,
                    })
                    .collect();
                write_integers(&numbers, out);
                mark(place, "integers", out.len());
            }
            Place::Bytes => {
                let strings: Vec<&[u8]> = column()
                    .filter_map(|filling| match filling {
                        Filling::Bytes(bytes) => Some(*bytes),
                        _ => None,
                    })
                    .collect();
                write_strings(&strings, out);
                mark(place, "texts", out.len());
            }
        }
    }
}

/// Predicts sequence and first operation of the next change from those before it.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) start: u64,
    sequences: HashMap<usize, u64>,
}

impl Expected {
    pub(super) fn sequence(&self, actor: usize) -> u64 {
        self.sequences.get(&actor).copied().unwrap_or(0)
    }

    pub(super) fn after(&mut self, record: &ChangeRecord, actor: usize) {
        self.start = record.next_operation();
        self.sequences.insert(actor, record.sequence.saturating_add(1));
    }
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn difference(value: u64, expected: u64) -> i64 {
    value.wrapping_sub(expected).cast_signed()
}
