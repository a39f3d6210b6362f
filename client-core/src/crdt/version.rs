//! A version of a document: the state that a person saw. An edit at that version is concurrent with what others wrote since,
//! so it overwrites nothing unseen.

use std::fmt;
use std::str::FromStr;

use automerge::AutoCommit;

use super::document::{Document, DocumentFault, Schema};
use crate::crdt::change::VerifiedChange;
use crate::ids::{ActorId, ChangeHash};
use crate::planted;
use crate::quantities::Instant;

/// Heads of one version at most.
const HEADS_MAX: usize = 64;

/// See the module. As text: the heads in hexadecimal, with dots between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    heads: Vec<ChangeHash>,
}

impl Version {
    /// The current version of a document.
    pub fn of<S: Schema>(document: &mut Document<S>) -> Self {
        Self { heads: document.heads() }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, head) in self.heads.iter().enumerate() {
            if place > 0 {
                formatter.write_str(".")?;
            }
            write!(formatter, "{head}")?;
        }
        Ok(())
    }
}

/// A text is no version of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no version of a document")]
pub struct VersionFault;

impl FromStr for Version {
    type Err = VersionFault;

    fn from_str(text: &str) -> Result<Self, VersionFault> {
        if text.is_empty() || text.len() > HEADS_MAX.saturating_mul(65) {
            return Err(VersionFault);
        }
        let heads = text
            .split('.')
            .map(|head| head.parse::<automerge::ChangeHash>().map(ChangeHash::from).map_err(|_| VersionFault))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { heads })
    }
}

impl<S: Schema> Document<S> {
    /// Makes one edit at the version `seen`, and applies its change to the document. Where others wrote since, the edit
    /// branches off and its actor is `branch`, which must have written nothing yet; otherwise its actor is `own`. Returns
    /// the change; none when it changed nothing.
    pub fn edit_at(
        &mut self,
        seen: &Version,
        (own, branch): (&ActorId, &ActorId),
        message: Option<&str>,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault>,
    ) -> Result<Option<VerifiedChange>, DocumentFault> {
        let known = seen.heads.iter().all(|head| self.has(*head));
        if !known || self.heads() == seen.heads {
            return Ok(self.edit_saying(message, own, now, edit)?.1);
        }
        let branch = if planted!("branch_under_the_own_actor") { own } else { branch };
        let mut past = self.at(&seen.heads)?;
        let ((), change) = past.edit_saying(message, branch, now, edit)?;
        if let Some(change) = &change {
            self.apply(std::slice::from_ref(change))?;
        }
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ids::{DeviceId, Incarnation};
    use crate::quantities::Fen;
    use crate::schema::Document;
    use crate::schema::catalogue::{self, PriceName, name_product, set_price};
    use crate::schema::{DocumentKey, Part};

    #[test]
    fn concurrent_edits_of_one_version_are_both_kept() {
        let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let devices = [[1u8; 8], [2; 8]].map(DeviceId::from_bytes);
        let actor = |device: DeviceId, number| device.actor(Incarnation::new(number));
        let own = actor(devices[0], 0);
        document.edit(&own, Instant(0), |doc| name_product(doc, "millet", "小米", "Millet")).unwrap();
        let seen: Version = Version::of(&mut document).to_string().parse().unwrap();
        let grade = PriceName::new("A".into(), None).unwrap();
        for (device, fen) in devices.into_iter().zip([760, 780]) {
            let price = Fen::new(fen).unwrap();
            let edit = |doc: &mut AutoCommit| set_price(doc, "millet", &grade, price);
            let actors = (&actor(device, 0), &actor(device, 1));
            assert!(document.edit_at(&seen, actors, None, Instant(1), edit).unwrap().is_some());
        }
        // The first of them again, still from the same page.
        let other = PriceName::new("B".into(), "2026-11-01".parse().ok()).unwrap();
        let price = Fen::new(640).unwrap();
        let edit = |doc: &mut AutoCommit| set_price(doc, "millet", &other, price);
        document.edit_at(&seen, (&own, &actor(devices[0], 2)), None, Instant(2), edit).unwrap();
        let product = &catalogue::read(&document).products[0];
        let beside: Vec<i64> = product.price_conflicts[&grade].iter().map(|fen| fen.get()).collect();
        assert_eq!(beside.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&760, &780]));
        assert_eq!(product.price_by_grade[&other].get(), 640);
    }
}
