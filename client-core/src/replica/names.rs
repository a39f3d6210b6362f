//! Under which names changes are said again whose document was put by, see [`super::twin`]: decided from the changes
//! and from what the document has, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::{Document, DocumentFault};
use crate::ids::{ActorId, ChangeHash, DeviceId};
use crate::protocol::change::{Reauthor, VerifiedChange};

/// A change that was put by: its first form, and the name that it has had since.
pub(super) struct PutBy {
    pub(super) first_form: VerifiedChange,
    pub(super) named: Option<VerifiedChange>,
}

/// A change that is said again, and its first form where it has another name now.
pub(super) struct Said {
    pub(super) change: VerifiedChange,
    pub(super) original: Option<VerifiedChange>,
    /// True when the document has it: a twin said it in the same words.
    pub(super) is_there: bool,
}

/// What one change of a document is known by: its actor, and its place among that actor's changes.
pub(super) type Number = (ActorId, u64);

pub(super) fn number_in_document(change: &VerifiedChange) -> Number {
    (change.record().actor.clone(), change.record().sequence)
}

/// True for a change of this device, and for the beginning of a document, which is everyone's.
pub(super) fn may_author(device: DeviceId, change: &VerifiedChange) -> bool {
    let actor = &change.record().actor;
    device.owns(actor) || Document::is_first_actor(actor)
}

/// Which of these can't keep their names: those whose number is another's or was refused, and what builds on any of
/// them or of those that were renamed `before`. The rest a twin may send as well, and under these names it is there
/// once.
fn must_be_renamed(
    own: &[&VerifiedChange],
    used: &BTreeMap<Number, ChangeHash>,
    before: &BTreeSet<ChangeHash>,
    refused: &BTreeSet<Number>,
) -> BTreeSet<ChangeHash> {
    let mut renamed = BTreeSet::new();
    let mut claimed: BTreeMap<Number, ChangeHash> = BTreeMap::new();
    for change in own {
        let number = number_in_document(change);
        let is_anothers = match used.get(&number).or(claimed.get(&number)) {
            Some(holder) => *holder != change.hash(),
            None => refused.contains(&number),
        };
        let builds_on_one =
            change.record().dependencies.iter().any(|hash| renamed.contains(hash) || before.contains(hash));
        if is_anothers || builds_on_one {
            renamed.insert(change.hash());
        } else {
            claimed.insert(number, change.hash());
        }
    }
    renamed
}

/// Another actor of a device, which follows from a change that made it needed.
pub(super) fn fresh_actor(device: DeviceId, from: ChangeHash, salt: u8) -> ActorId {
    let generation = from.as_bytes().iter().fold(salt, |sum, byte| sum.rotate_left(3) ^ *byte);
    // 0 is what every phone begins with.
    device.actor(generation.max(1))
}

/// The names that a change may get, first the one that is taken when it is free: it goes on where what it builds
/// on has gone, or begins as an actor that follows from itself.
fn names_to_follow(
    again: &Reauthor,
    author: DeviceId,
    change: &VerifiedChange,
) -> impl Iterator<Item = Number> + use<> {
    let goes_on = again.previous(change).map(|(actor, last)| (actor, last.saturating_add(1)));
    let hash = change.hash();
    goes_on.into_iter().chain((2..=u8::MAX).map(move |salt| (fresh_actor(author, hash, salt), 1)))
}

/// What there is of a document when something is said again beside it.
pub(super) struct Beside<'a> {
    /// What the document has.
    pub(super) there: &'a [VerifiedChange],
    /// First forms, each with what everyone knows it as.
    pub(super) named: &'a [(VerifiedChange, VerifiedChange)],
    /// Names, each with the first form that everyone knows it by instead.
    pub(super) unnamed: &'a [(VerifiedChange, VerifiedChange)],
    /// What others said that this phone had put by too, in the order of what builds on what.
    pub(super) others: &'a [VerifiedChange],
    /// Numbers under which the server has something else, though nobody may ever see it.
    pub(super) refused: &'a BTreeSet<Number>,
}

/// Says changes of one device again, one after the other.
struct Speaker<'a> {
    device: DeviceId,
    again: Reauthor,
    /// What has which number in the document, by now.
    used: BTreeMap<Number, ChangeHash>,
    /// The last sequence of each new actor.
    speaks: BTreeMap<ActorId, u64>,
    /// Actors that are still to be said again.
    pending: BTreeSet<ActorId>,
    /// Numbers that only seem free.
    refused: Option<&'a BTreeSet<Number>>,
    /// Others' changes that are here under another name.
    followed: BTreeSet<ChangeHash>,
}

impl<'a> Speaker<'a> {
    /// One that has said nothing yet.
    fn beside(device: DeviceId, there: &[VerifiedChange]) -> Self {
        Self {
            device,
            again: Reauthor::default(),
            used: there.iter().map(|change| (number_in_document(change), change.hash())).collect(),
            speaks: BTreeMap::new(),
            pending: BTreeSet::new(),
            refused: None,
            followed: BTreeSet::new(),
        }
    }

    /// The change under the first name that is free, or that is its own: a twin that put by the same says it in the
    /// same words. Where the twin went on to say other things, another actor goes on here.
    fn name(&mut self, change: &VerifiedChange) -> Result<VerifiedChange, DocumentFault> {
        if let Some(said) = self.said_already(self.device, change)? {
            let (actor, sequence) = number_in_document(&said);
            let last = self.speaks.entry(actor).or_default();
            *last = sequence.max(*last);
            self.again.keep(change, &said);
            return Ok(said);
        }
        for (actor, sequence) in names_to_follow(&self.again, self.device, change) {
            let goes_on = self.speaks.get(&actor).is_some_and(|last| last.saturating_add(1) == sequence);
            let begins = sequence == 1 && !self.speaks.contains_key(&actor);
            let number = (actor, sequence);
            let is_refused = self.refused.is_some_and(|refused| refused.contains(&number));
            let is_free = !self.used.contains_key(&number) && !is_refused;
            let (actor, sequence) = number;
            if is_free && !self.pending.contains(&actor) && (goes_on || begins) {
                let named = self.again.write(change, &actor, sequence)?;
                self.speaks.insert(actor, sequence);
                self.again.keep(change, &named);
                return Ok(named);
            }
        }
        // Every actor of this device has written in this document.
        Err(DocumentFault::Damaged("document"))
    }

    /// Finds the name under which the author of a change has said it again, which everyone can tell.
    fn follow(&mut self, change: &VerifiedChange) -> Result<(), DocumentFault> {
        let Some(author) = change.record().actor.device() else { return Ok(()) };
        if let Some(said) = self.said_already(author, change)? {
            self.again.keep(change, &said);
            self.followed.insert(change.hash());
        }
        Ok(())
    }

    /// The change under another name that is there: whoever said it may have had to pass over names that are free
    /// here.
    fn said_already(&self, author: DeviceId, change: &VerifiedChange) -> Result<Option<VerifiedChange>, DocumentFault> {
        for (actor, sequence) in names_to_follow(&self.again, author, change) {
            let Some(holder) = self.used.get(&(actor.clone(), sequence)) else { continue };
            let tried = self.again.write(change, &actor, sequence)?;
            if tried.hash() == *holder {
                return Ok(Some(tried));
            }
        }
        Ok(None)
    }
}

/// True when one of the changes that wait builds on what its author has said again under another name. `others` are
/// first forms, in the order of what builds on what, and may build on what is `named` otherwise here.
pub(super) fn may_follow(
    device: DeviceId,
    waiting: &[VerifiedChange],
    others: &[VerifiedChange],
    named: &[(VerifiedChange, VerifiedChange)],
    there: &[VerifiedChange],
) -> Result<bool, DocumentFault> {
    let mut speaker = Speaker::beside(device, there);
    named.iter().for_each(|(first_form, named)| speaker.again.keep(first_form, named));
    others.iter().try_for_each(|change| speaker.follow(change))?;
    Ok(waiting.iter().any(|change| speaker.again.must_write(change)))
}

/// Says `changes` again: each under its own name or another that is free.
pub(super) fn under_free_names(
    device: DeviceId,
    changes: &[PutBy],
    beside: &Beside<'_>,
) -> Result<Vec<Said>, DocumentFault> {
    let first_forms = || changes.iter().map(|put_by| &put_by.first_form);
    let mut speaker = Speaker {
        pending: first_forms().map(|change| change.record().actor.clone()).collect(),
        refused: Some(beside.refused),
        ..Speaker::beside(device, beside.there)
    };
    for (first_form, named) in beside.named {
        speaker.again.keep(first_form, named);
        speaker.speaks.insert(named.record().actor.clone(), named.record().sequence);
    }
    beside.unnamed.iter().for_each(|(named, first_form)| speaker.again.keep(named, first_form));
    beside.others.iter().try_for_each(|change| speaker.follow(change))?;

    let own: Vec<&VerifiedChange> = first_forms().filter(|change| device.owns(&change.record().actor)).collect();
    let before: BTreeSet<ChangeHash> = beside.named.iter().map(|(first_form, _)| first_form.hash()).collect();
    let renamed = must_be_renamed(&own, &speaker.used, &before, beside.refused);
    let known: BTreeSet<ChangeHash> = beside.there.iter().map(VerifiedChange::hash).collect();
    let mut ground = known.clone();
    let mut said = Vec::new();
    for PutBy { first_form, named } in changes {
        // What others said is given back with its ground, and once: what waits keeps all that comes with it waiting.
        let is_others = !may_author(device, first_form);
        let has_ground = || first_form.record().dependencies.iter().all(|hash| ground.contains(hash));
        if is_others && (speaker.followed.contains(&first_form.hash()) || !has_ground()) {
            continue;
        }
        let builds_on_renamed = device.owns(&first_form.record().actor) && speaker.again.must_write(first_form);
        let is_renamed = renamed.contains(&first_form.hash()) || builds_on_renamed;
        let change = if is_renamed { speaker.name(first_form)? } else { first_form.clone() };
        if let Some(named) = named {
            speaker.again.keep(named, &change);
        }
        speaker.used.insert(number_in_document(&change), change.hash());
        ground.insert(change.hash());
        let original = is_renamed.then(|| first_form.clone());
        said.push(Said { is_there: known.contains(&change.hash()), change, original });
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::harvest::{LotDraft, record};
    use crate::documents::{DocumentKey, Season};
    use crate::ids::HouseholdId;
    use crate::quantities::{Grams, Instant};

    /// A lot of the device, and two that build on it by actors of which neither builds on the other.
    fn two_branches(device: DeviceId) -> (Vec<VerifiedChange>, Vec<VerifiedChange>) {
        let key = DocumentKey::HarvestBook(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        let (first, mut book) = (Document::first_change(&key).unwrap(), Document::new(key).unwrap());
        let says = |book: &mut Document, generation, grams| {
            let draft = LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap());
            book.edit(&device.actor(generation), Instant(0), |doc| record(doc, &draft)).unwrap().1.unwrap()
        };
        let lot = says(&mut book, 0, 1_000);
        let mut other = book.clone();
        (vec![first], vec![lot, says(&mut book, 0, 2_000), says(&mut other, 5, 3_000)])
    }

    #[test]
    fn no_number_is_given_again_that_was_refused_though_its_ground_has_another_name_by_now() {
        let device = DeviceId::from_bytes([9; 8]);
        let (there, changes) = two_branches(device);
        let mut refused = BTreeSet::new();
        for _ in 0..8 {
            let put_by: Vec<PutBy> =
                changes.iter().map(|first_form| PutBy { first_form: first_form.clone(), named: None }).collect();
            let beside = Beside { there: &there, named: &[], unnamed: &[], others: &[], refused: &refused.clone() };
            let said = under_free_names(device, &put_by, &beside).unwrap();
            assert_eq!(said.len(), 3);
            for Said { change, .. } in said {
                assert!(refused.insert(number_in_document(&change)), "it has that number again");
            }
        }
    }

    #[test]
    fn what_a_copy_has_said_is_not_said_once_more_though_a_name_before_that_is_free_here() {
        let device = DeviceId::from_bytes([9; 8]);
        let (mut there, changes) = two_branches(device);
        let lot = changes.into_iter().next().unwrap();
        let says = |there: &[VerifiedChange], refused: &BTreeSet<Number>| {
            let put_by = [PutBy { first_form: lot.clone(), named: None }];
            let beside = Beside { there, named: &[], unnamed: &[], others: &[], refused };
            let mut said = under_free_names(device, &put_by, &beside).unwrap();
            said.pop().map(|said| (said.change, said.is_there)).unwrap()
        };
        let mut refused = BTreeSet::from([number_in_document(&lot)]);
        let here = refused.clone();
        refused.insert(number_in_document(&says(&there, &refused).0));
        let (of_the_copy, _) = says(&there, &refused);
        there.push(of_the_copy.clone());
        let (said, is_there) = says(&there, &here);
        assert_eq!((said.hash(), is_there), (of_the_copy.hash(), true));
    }

    #[test]
    fn what_was_not_refused_keeps_its_name_beside_what_was() {
        let device = DeviceId::from_bytes([9; 8]);
        let (there, changes) = two_branches(device);
        let [lot, refused, other] = changes.as_slice() else { panic!("three changes") };
        let put_by: Vec<PutBy> =
            changes.iter().map(|first_form| PutBy { first_form: first_form.clone(), named: None }).collect();
        let numbers = BTreeSet::from([number_in_document(refused)]);
        let beside = Beside { there: &there, named: &[], unnamed: &[], others: &[], refused: &numbers };
        let said = under_free_names(device, &put_by, &beside).unwrap();
        let is_renamed = |first_form: &VerifiedChange| !said.iter().any(|said| said.change.hash() == first_form.hash());
        assert_eq!([lot, refused, other].map(is_renamed), [false, true, false]);
    }
}
