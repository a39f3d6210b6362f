//! The state of a document that somebody saw, so that an edit can be made at that state: what others
//! wrote meanwhile then stands beside it, and is not written over unseen.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use automerge::AutoCommit;

use super::document::{Document, DocumentFault};
use crate::ids::{ActorId, ChangeHash, DeviceId};
use crate::protocol::change::VerifiedChange;
use crate::quantities::Instant;

/// Heads in one such state at most.
const HEADS_MAX: usize = 64;
/// Edits that one device can have beside each other in one document at most.
const GENERATIONS_MAX: u8 = 250;

/// See the module. As text: the heads in hexadecimal, with dots between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    heads: Vec<ChangeHash>,
}

impl Seen {
    /// The state that a document is in.
    pub fn of(document: &mut Document) -> Self {
        Self { heads: document.heads() }
    }
}

impl fmt::Display for Seen {
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

/// A text is no state of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no state of a document")]
pub struct SeenFault;

impl FromStr for Seen {
    type Err = SeenFault;

    fn from_str(text: &str) -> Result<Self, SeenFault> {
        if text.is_empty() || text.len() > HEADS_MAX.saturating_mul(65) {
            return Err(SeenFault);
        }
        let heads = text
            .split('.')
            .map(|head| head.parse::<automerge::ChangeHash>().map(ChangeHash::from).map_err(|_| SeenFault))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { heads })
    }
}

impl Document {
    /// Makes one edit at a state that was seen, as the device's first actor that has written nothing
    /// since. Gives its change, which is part of the document then.
    pub fn edit_at(
        &mut self,
        seen: &Seen,
        device: DeviceId,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault>,
    ) -> Result<Option<VerifiedChange>, DocumentFault> {
        let known = seen.heads.iter().all(|head| self.has(*head));
        if !known || self.heads() == seen.heads {
            return Ok(self.edit(&device.actor(0), now, edit)?.1);
        }
        let since: BTreeSet<ActorId> =
            self.changes_since(&seen.heads)?.iter().map(|change| change.record().actor.clone()).collect();
        let actor =
            (0..GENERATIONS_MAX).map(|generation| device.actor(generation)).find(|actor| !since.contains(actor));
        let actor = actor.ok_or(DocumentFault::NotNow("too much was written meanwhile; load the page again"))?;
        let mut past = self.at(&seen.heads)?;
        let ((), change) = past.edit(&actor, now, edit)?;
        if let Some(change) = &change {
            self.apply(std::slice::from_ref(change))?;
        }
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::DocumentKey;
    use crate::documents::catalogue::{self, PriceName, name_product, set_price};
    use crate::quantities::Fen;

    #[test]
    fn two_who_saw_one_page_and_wrote_one_price_are_both_kept() {
        let mut document = Document::new(DocumentKey::Catalogue).unwrap();
        let devices = [[1u8; 8], [2; 8]].map(DeviceId::from_bytes);
        document.edit(&devices[0].actor(0), Instant(0), |doc| name_product(doc, "millet", "小米", "Millet")).unwrap();
        let seen: Seen = Seen::of(&mut document).to_string().parse().unwrap();
        let grade = PriceName::new("A".into(), None).unwrap();
        for (device, fen) in devices.into_iter().zip([760, 780]) {
            let price = Fen::new(fen).unwrap();
            let edit = |doc: &mut AutoCommit| set_price(doc, "millet", &grade, price);
            assert!(document.edit_at(&seen, device, Instant(1), edit).unwrap().is_some());
        }
        // The first of them again, still from the same page.
        let other = PriceName::new("B".into(), "2026-11-01".parse().ok()).unwrap();
        let price = Fen::new(640).unwrap();
        document.edit_at(&seen, devices[0], Instant(2), |doc| set_price(doc, "millet", &other, price)).unwrap();
        let product = &catalogue::read(&document).products[0];
        let beside: Vec<i64> = product.price_conflicts[&grade].iter().map(|fen| fen.get()).collect();
        assert_eq!(beside.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&760, &780]));
        assert_eq!(product.price_by_grade[&other].get(), 640);
    }
}
