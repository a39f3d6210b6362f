//! Attestations: the server's proof that it once gave out certain changes of a document and all of their dependencies. A
//! change's hash covers its dependencies, so the tips name the whole history. By an attestation, a server that was restored
//! from a backup accepts changes again, whoever made or sends them.
//!
//! The server attests only changes that it gives out. These were admitted, so it had their dependencies too. A phone's own
//! request may name dependencies that the server never had.
//!
//! The code is a truncated HMAC under a key outside the server's store: eight bytes for each document of a reply. The tips
//! are not sent, since both sides compute them from the changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::crdt::change::VerifiedChange;
use crate::ids::{ChangeHash, CooperativeId, DocumentId};

/// Bytes of a code.
pub const CODE_BYTES: usize = 8;
/// Tips of one attestation at most.
pub const TIPS_MAX: usize = 4_096;
/// Domain separation of codes.
const DOMAIN: &[u8] = b"granary attestation 1\0";

/// The server's code over a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(#[serde(with = "serde_bytes")] pub [u8; CODE_BYTES]);

/// An attestation as a phone keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Attestation {
    /// The changes on which no other of the same reply depends, in rising order.
    pub tips: Vec<ChangeHash>,
    /// The server's code.
    pub code: Code,
}

/// An attestation in a request, for one document of its bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Shown {
    /// The document's place in the request's bundle, from 0.
    pub document: u32,
    /// The attestation.
    pub attestation: Attestation,
}

/// The changes on which no other of `changes` depends, in rising order.
pub fn tips(changes: &[VerifiedChange]) -> Vec<ChangeHash> {
    let inner: BTreeSet<&ChangeHash> = changes.iter().flat_map(|change| &change.record().dependencies).collect();
    let mut tips: Vec<ChangeHash> = changes.iter().map(VerifiedChange::hash).collect();
    tips.retain(|hash| !inner.contains(hash));
    tips.sort_unstable();
    tips.dedup();
    tips
}

/// The bytes under the server's code.
pub fn statement(cooperative: CooperativeId, document: DocumentId, tips: &[ChangeHash]) -> Vec<u8> {
    let mut bytes = [DOMAIN, cooperative.as_bytes(), document.as_bytes()].concat();
    tips.iter().for_each(|tip| bytes.extend_from_slice(tip.as_bytes()));
    bytes
}

/// The hashes of those of `changes` that `tips` cover: the tips and all of their dependencies among the changes.
pub fn covered(changes: &[VerifiedChange], tips: impl IntoIterator<Item = ChangeHash>) -> BTreeSet<ChangeHash> {
    let by_hash: BTreeMap<ChangeHash, &VerifiedChange> = changes.iter().map(|change| (change.hash(), change)).collect();
    let mut covered = BTreeSet::new();
    let mut open: Vec<ChangeHash> = tips.into_iter().collect();
    while let Some(hash) = open.pop() {
        if let Some(change) = by_hash.get(&hash)
            && covered.insert(hash)
        {
            open.extend(&change.record().dependencies);
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceId, Incarnation};
    use crate::quantities::Instant;
    use crate::schema::{Document, DocumentKey, Part};
    use automerge::{ROOT, transaction::Transactable};

    #[test]
    fn tips_cover_their_dependencies_only() {
        let mut here = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let mut there = here.clone();
        let says = |document: &mut Document, device: u8, what: i64| {
            let actor = DeviceId::from_bytes([device; 8]).actor(Incarnation::new(1));
            document.edit(&actor, Instant(0), |doc| Ok(doc.put(ROOT, "n", what)?)).unwrap().1.unwrap()
        };
        let (first, second, beside) = (says(&mut here, 1, 1), says(&mut here, 1, 2), says(&mut there, 2, 3));
        let all = [first.clone(), second.clone(), beside.clone()];
        assert_eq!(BTreeSet::from_iter(tips(&all)), BTreeSet::from([second.hash(), beside.hash()]));
        assert_eq!(covered(&all, [second.hash()]), BTreeSet::from([first.hash(), second.hash()]));
        assert_eq!(covered(&all, [ChangeHash::from_bytes([9; 32])]), BTreeSet::new());
    }
}
