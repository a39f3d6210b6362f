//! The actors of a bundle. A device is written once, with four bytes for each of its incarnations, since a phone that is
//! opened every day writes under many.
//!
//! ```text
//! 0                     the actor of first changes
//! 1 device incarnation  a device's actor (8 + 4 bytes)
//! 2 incarnation         another actor of the device before it (4 bytes)
//! 3 length bytes        any other
//! ```

use std::collections::HashMap;

use super::super::limits;
use super::BundleFault;
use super::shape::Filling;
use crate::crdt::change::ChangeRecord;
use crate::crdt::leb128::{Reader, write_prefixed, write_size};
use crate::ids::{ActorId, DeviceId};

const GENESIS: u8 = 0;
const DEVICE: u8 = 1;
const INCARNATION: u8 = 2;
const OTHER: u8 = 3;

/// The actors of a bundle without repeats. Those of one device are adjacent.
#[derive(Default)]
pub(super) struct Actors {
    list: Vec<ActorId>,
    index: HashMap<ActorId, usize>,
}

impl Actors {
    /// The actors of these changes.
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a ChangeRecord>) -> Self {
        // Groups in the order of their first use: a device's actors, or one other actor.
        let mut groups: Vec<Vec<ActorId>> = Vec::new();
        let mut group_of: HashMap<Result<DeviceId, ActorId>, usize> = HashMap::new();
        let mut index: HashMap<ActorId, usize> = HashMap::new();
        for record in records {
            for actor in std::iter::once(&record.actor).chain(&record.other_actors) {
                if index.contains_key(actor) {
                    continue;
                }
                index.insert(actor.clone(), 0);
                let group = *group_of.entry(actor.device().ok_or_else(|| actor.clone())).or_insert(groups.len());
                match groups.get_mut(group) {
                    Some(group) => group.push(actor.clone()),
                    None => groups.push(vec![actor.clone()]),
                }
            }
        }
        let list: Vec<ActorId> = groups.concat();
        let index = list.iter().cloned().zip(0..).collect();
        Self { list, index }
    }

    pub(super) fn index(&self, actor: &ActorId) -> usize {
        self.index.get(actor).copied().unwrap_or(usize::MAX)
    }

    /// Maps a reference's actor from an index of its change to one of the bundle.
    pub(super) fn globalise<'a>(&self, record: &ChangeRecord, filling: Filling<'a>) -> Filling<'a> {
        let Filling::Reference(mut id) = filling else { return filling };
        if let Some(actor) = record.actor_at(id.actor) {
            id.actor = u32::try_from(self.index(actor)).unwrap_or(u32::MAX);
        }
        Filling::Reference(id)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_size(out, self.list.len());
        let mut before = None;
        for actor in &self.list {
            let device = actor.device();
            let bytes = actor.as_bytes();
            match device {
                None if actor.is_genesis() => out.push(GENESIS),
                None => {
                    out.push(OTHER);
                    write_prefixed(out, bytes);
                }
                Some(_) if device == before => {
                    out.push(INCARNATION);
                    out.extend(bytes.iter().skip(DEVICE_BYTES));
                }
                Some(_) => {
                    out.push(DEVICE);
                    out.extend(bytes);
                }
            }
            before = device;
        }
    }

    /// Reads a list of actors.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<ActorId>, BundleFault> {
        let count = reader.size()?;
        if count > limits::BUNDLE_ACTORS_MAX {
            return Err(BundleFault::TooLarge("actors"));
        }
        let mut actors: Vec<ActorId> = Vec::new();
        let mut before: Option<DeviceId> = None;
        for _ in 0..count {
            let bytes = match reader.byte()? {
                GENESIS => ActorId::GENESIS.to_vec(),
                DEVICE => reader.array::<12>()?.to_vec(),
                INCARNATION => {
                    let device = before.ok_or(BundleFault::Malformed("an incarnation follows no device"))?;
                    [device.as_bytes().as_slice(), &reader.array::<4>()?].concat()
                }
                OTHER => reader.prefixed()?.to_vec(),
                _ => return Err(BundleFault::Malformed("an actor's kind is not known")),
            };
            let actor = ActorId::from_bytes(&bytes);
            let actor = actor.ok_or(BundleFault::Malformed("an actor id is empty or too long"))?;
            before = actor.device();
            actors.push(actor);
        }
        Ok(actors)
    }
}

/// Bytes of a device's id.
const DEVICE_BYTES: usize = 8;
