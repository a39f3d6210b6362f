//! Each change that the server or a phone holds before the recovery is on the server and on every phone that may read it
//! after the recovery.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::ids::ChangeHash;
use granary_client_core::schema::{Document, DocumentKey};

use super::Property;
use super::excuses::LostTwice;
use crate::world::World;

/// Changes, with who wrote each.
type Changes = BTreeMap<ChangeHash, String>;

#[derive(Default)]
pub(super) struct Holds {
    /// For each co-operative, the changes of each document that were held before the recovery.
    held: BTreeMap<usize, BTreeMap<DocumentKey, Changes>>,
}

fn changes_of(document: &mut Document) -> Result<Changes, String> {
    let changes = document.changes_since(&[]).map_err(|fault| fault.to_string())?;
    let named = changes.iter().map(|change| {
        let record = change.record();
        (change.hash(), format!("{}#{}", record.actor, record.sequence))
    });
    Ok(named.collect())
}

/// The names of changes of `held` that are missing in `has`.
fn lacking(held: &Changes, has: &BTreeSet<ChangeHash>) -> Vec<String> {
    held.iter().filter(|(hash, _)| !has.contains(hash)).map(|(_, name)| name.clone()).collect()
}

impl Property for Holds {
    fn name(&self) -> &'static str {
        "nothing_held_is_lost"
    }

    /// Excused: changes that only phones with a changed grant hold. The server refuses what they may no longer write, and
    /// they drop what they may no longer read. Quarantined changes are in no document.
    fn before_recovery(&mut self, world: &mut World) -> Result<(), String> {
        self.held.clear();
        for coop in 0..world.setting.coops() {
            let number = world.coops[coop];
            let mut held: BTreeMap<DocumentKey, Changes> = BTreeMap::new();
            let keys = world.server()?.cooperative(number).map_err(|error| error.to_string())?.documents();
            for key in keys {
                let document = world.server()?.document(number, &key).map_err(|error| error.to_string())?;
                if let Some(mut document) = document {
                    held.entry(key).or_default().extend(changes_of(&mut document)?);
                }
            }
            for phone in world.living(coop) {
                let one = &mut world.phones[phone];
                let keys = if one.grant_was_changed { Vec::new() } else { one.replica.documents() };
                for (key, _) in keys {
                    if let Some(document) = one.replica.document(&key).map_err(|error| error.to_string())? {
                        held.entry(key).or_default().extend(changes_of(document)?);
                    }
                }
            }
            self.held.insert(coop, held);
        }
        Ok(())
    }

    /// Excused: a document of which a restoration and a damage may both have taken a change: what builds on it is held
    /// where it can't be shown to the server.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let number = world.coops[coop];
        let lost_twice = LostTwice::of(world, coop);
        for (key, held) in self.held.remove(&coop).unwrap_or_default() {
            if lost_twice.contains(world, coop, &key) {
                continue;
            }
            let document = world.server()?.document(number, &key).map_err(|error| error.to_string())?;
            let has = document.map(|mut document| changes_of(&mut document)).transpose()?.unwrap_or_default();
            let lacks = lacking(&held, &has.into_keys().collect());
            if !lacks.is_empty() {
                return Err(format!("the server lacks {lacks:?} of {key:?}, which was held before the recovery"));
            }
            for phone in world.living(coop) {
                let one = &mut world.phones[phone];
                if !one.role.may_read(&key) {
                    continue;
                }
                let document = one.replica.document(&key).map_err(|error| error.to_string())?;
                let has = document.map(changes_of).transpose()?.unwrap_or_default();
                let lacks = lacking(&held, &has.into_keys().collect());
                if !lacks.is_empty() {
                    return Err(format!(
                        "phone {phone} lacks {lacks:?} of {key:?}, which was held before the recovery"
                    ));
                }
            }
        }
        Ok(())
    }
}
