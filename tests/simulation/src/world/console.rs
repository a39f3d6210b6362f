//! People of the co-operative who edit in the console, through the engine's function that its pages call, and a ledger
//! of acknowledged edits.

use std::collections::BTreeSet;

use granary_client_core::conflicts::{
    CaseId, SETTLING, Settlement, Settler, duplicate_lots, in_harvest_book, merge, settle_field,
};
use granary_client_core::crdt::{DocumentFault, Version};
use granary_client_core::ids::{ChangeHash, DeviceId, HouseholdId};
use granary_client_core::quantities::{Fen, Grams, Instant};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::case_book::decide;
use granary_client_core::schema::catalogue::{PriceName, rename_product, set_price};
use granary_client_core::schema::harvest::{Lot, LotEdit, correct, lots};
use granary_client_core::schema::receipt::{Outcome, receive};
use granary_client_core::schema::{Book, Document, DocumentKey, LotId, Part};
use granary_server::{Edits, Error};

use super::{World, settle};
use crate::phone::{CORRECTED, book, first_note, season};

/// People of each co-operative who edit in the console.
const PEOPLE: usize = 2;

/// Somebody who edits in the console.
pub(crate) struct Person {
    coop: usize,
    pub(super) device: DeviceId,
    name: &'static str,
}

/// An edit of one document that the console has acknowledged.
pub(crate) struct ConsoleEdit {
    pub(crate) coop: usize,
    pub(crate) key: DocumentKey,
    /// Its changes.
    pub(crate) changes: BTreeSet<ChangeHash>,
    /// The text that it wrote.
    pub(crate) text: String,
    /// For each restoration that lost it: the phones that held it then.
    pub(crate) holders: Vec<Vec<usize>>,
}

/// Which field of a lot a person corrects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    Note,
    Place,
}

fn receipts(household: HouseholdId) -> DocumentKey {
    DocumentKey::ReceiptBook(Book::first(household, season()))
}

impl World {
    /// Adds the people of a co-operative. They are enrolled as phones are: accounts would share one device, and hashing
    /// a password takes longer than a whole world.
    pub(super) fn add_people(&mut self, coop: usize) -> Result<(), String> {
        for name in ["Wang", "Zhao"].into_iter().take(PEOPLE) {
            // The key takes no random number, so that console edits leave the other events of a seed as they are.
            let words = format!("{name} of {coop}");
            let key: [u8; 32] = std::array::from_fn(|place| words.as_bytes().get(place).copied().unwrap_or_default());
            let (_, device, _) = self.enrol_device(coop, Role::Coordinator, name, &key)?;
            self.people.push(Person { coop, device, name });
        }
        Ok(())
    }

    /// One of the people of a co-operative.
    pub(crate) fn person(&self, coop: usize, nth: usize) -> usize {
        coop * PEOPLE + nth % PEOPLE
    }

    /// A document as the server has it.
    pub(crate) fn document(&mut self, coop: usize, key: &DocumentKey) -> Result<Option<Document>, String> {
        let number = self.coops[coop];
        self.server()?.document(number, key).map_err(|error| error.to_string())
    }

    /// The lot of this number that the server has of a household.
    fn lot(&mut self, coop: usize, household: HouseholdId, nth: usize) -> Result<Option<Lot>, String> {
        let Some(document) = self.document(coop, &book(household))? else { return Ok(None) };
        let mut lots = lots(&document);
        let place = nth.checked_rem(lots.len());
        Ok(place.map(|place| lots.swap_remove(place)))
    }

    /// Opens a page of a document. A later edit from this page branches from this version.
    pub(crate) fn open_page(&mut self, person: usize, key: DocumentKey) -> Result<(), String> {
        if let Some(mut document) = self.document(self.people[person].coop, &key)? {
            self.pages.insert((person, key), Version::of(&mut document));
        }
        Ok(())
    }

    /// The version of the page that the person opened last; none for the newest version.
    fn seen(&mut self, person: usize, key: &DocumentKey) -> Option<Version> {
        self.pages.remove(&(person, key.clone()))
    }

    /// Corrects a lot.
    pub(crate) fn console_correct(
        &mut self,
        person: usize,
        household: HouseholdId,
        nth: usize,
        field: Correction,
    ) -> Result<bool, String> {
        let Some(lot) = self.lot(self.people[person].coop, household, nth)? else { return Ok(false) };
        let text = self.new_note();
        let edit = match field {
            Correction::Place => LotEdit::Place(text.clone()),
            Correction::Note => {
                let first = first_note(lot.note.as_deref().unwrap_or_default());
                LotEdit::Note(format!("{first}{CORRECTED}{text}"))
            }
        };
        let (key, lot) = (book(household), lot.key);
        let seen = self.seen(person, &key);
        let edits = Edits { seen, ..Edits::one(key, move |doc| correct(doc, &lot, &edit)) };
        self.console_edit(person, vec![edits], text)
    }

    /// Records the receipt of a lot.
    pub(crate) fn console_receive(
        &mut self,
        person: usize,
        household: HouseholdId,
        nth: usize,
        weighed: Option<i64>,
    ) -> Result<bool, String> {
        let Some(lot) = self.lot(self.people[person].coop, household, nth)? else { return Ok(false) };
        let text = self.new_note();
        let outcome = match weighed {
            Some(grams) => Outcome::Received { weighed: Grams::new(grams).unwrap(), grade: text.clone() },
            None => Outcome::Rejected { reason: text.clone() },
        };
        let lot = LotId::in_book(&book(household), lot.key).ok_or("no harvest book")?;
        let (key, day) = (receipts(household), "2026-10-06".parse().unwrap());
        let seen = self.seen(person, &key);
        let edits = Edits { seen, ..Edits::one(key, move |doc| receive(doc, &lot, &outcome, day)) };
        self.console_edit(person, vec![edits], text)
    }

    /// Names a product in the catalogue, and sets its price if one is given.
    pub(crate) fn console_name_product(
        &mut self,
        person: usize,
        code: &'static str,
        fen: Option<i64>,
    ) -> Result<bool, String> {
        let text = self.new_note();
        let (name, grade) = (text.clone(), PriceName::new("A".into(), None).unwrap());
        let seen = self.seen(person, &DocumentKey::Catalogue(Part::FIRST));
        let edits = Edits {
            seen,
            ..Edits::one(DocumentKey::Catalogue(Part::FIRST), move |doc| {
                rename_product(doc, code, None, Some(&name))?;
                fen.map_or(Ok(()), |fen| set_price(doc, code, &grade, Fen::new(fen)?))
            })
        };
        self.console_edit(person, vec![edits], text)
    }

    /// Settles a case of a household: an edit of its harvest book, and a line in its case book.
    pub(crate) fn console_settle(&mut self, person: usize, household: HouseholdId, nth: usize) -> Result<bool, String> {
        let Some(mut harvest) = self.document(self.people[person].coop, &book(household))? else { return Ok(false) };
        let (text, now) = (self.new_note(), Instant(self.now));
        let settler = Settler { by: self.people[person].name, at: now, note: &text };
        let Some(settlement) = settlement(&mut harvest, nth, settler) else { return Ok(false) };
        let Settlement { edit, decision } = settlement.map_err(|fault| fault.to_string())?;
        let of_book = Edits { key: book(household), message: Some(SETTLING), seen: None, edits: vec![edit] };
        let line =
            Edits::one(DocumentKey::CaseBook(Book::first(household, season())), move |doc| decide(doc, &decision));
        self.console_edit(person, vec![of_book, line], text)
    }

    /// Submits one form of the console. True if it was acknowledged.
    fn console_edit(&mut self, person: usize, edits: Vec<Edits>, text: String) -> Result<bool, String> {
        let noted = self.console_edits.len();
        let is_done = self.console_write(person, edits, text.clone())?;
        match self.console_edits.get(noted..) {
            Some(edits) if is_done && edits.iter().any(|edit| edit.changes.is_empty()) => {
                Err(format!("the console has acknowledged {text}, and a document of it is as before"))
            }
            _ => Ok(is_done),
        }
    }

    /// As [`Self::console_edit`], where all of it may stand there already.
    pub(crate) fn console_write(&mut self, person: usize, edits: Vec<Edits>, text: String) -> Result<bool, String> {
        let Person { coop, device, .. } = self.people[person];
        let keys: Vec<DocumentKey> = edits.iter().map(|edits| edits.key.clone()).collect();
        if edits.iter().any(|edits| edits.seen.is_some()) {
            self.count("console edit from an older page");
        }
        let mut before = Vec::new();
        for key in &keys {
            before.push(self.written_by(coop, device, key)?);
        }
        let (number, now, coops) = (self.coops[coop], Instant(self.now), self.coops.clone());
        let server = self.server()?;
        let edited = server.edit_as(number, device, now, edits);
        settle(server, &coops);
        let is_faulty = self.disk.has_stopped() || self.disk.was_full();
        if is_faulty {
            self.crash_server();
        }
        match edited {
            Ok(()) => {}
            Err(_) if is_faulty => return Ok(false),
            // The version of the page may lack the lot.
            Err(Error::Document(DocumentFault::NotFound { .. } | DocumentFault::NotNow(_))) => return Ok(false),
            Err(error) => return Err(format!("an edit in the console was refused: {error}")),
        }
        self.count("console edit");
        for (key, before) in keys.into_iter().zip(before) {
            let mut changes = self.written_by(coop, device, &key)?;
            changes.retain(|change| !before.contains(change));
            self.console_edits.push(ConsoleEdit { coop, key, changes, text: text.clone(), holders: Vec::new() });
        }
        Ok(true)
    }

    /// The changes of a document on the server that a device wrote.
    fn written_by(&mut self, coop: usize, device: DeviceId, key: &DocumentKey) -> Result<BTreeSet<ChangeHash>, String> {
        let Some(mut document) = self.document(coop, key)? else { return Ok(BTreeSet::new()) };
        let changes = document.changes_since(&[]).map_err(|fault| fault.to_string())?;
        let own = changes.iter().filter(|change| change.record().actor.device() == Some(device));
        Ok(own.map(|change| change.hash()).collect())
    }

    /// After a restoration: notes for each lost console edit which phones hold it.
    pub(super) fn find_holders_of_console_edits(&mut self) -> Result<(), String> {
        let mut edits = std::mem::take(&mut self.console_edits);
        for edit in &mut edits {
            if !self.server_has(edit.coop, &edit.key, &edit.changes)? {
                let mut holders = Vec::new();
                for (phone, one) in self.phones.iter_mut().enumerate() {
                    if one.coop == edit.coop && one.can_sync() && one.has_changes(&edit.key, &edit.changes) {
                        holders.push(phone);
                    }
                }
                edit.holders.push(holders);
            }
        }
        self.console_edits = edits;
        Ok(())
    }

    /// True when the server has all of these changes.
    pub(crate) fn server_has(
        &mut self,
        coop: usize,
        key: &DocumentKey,
        changes: &BTreeSet<ChangeHash>,
    ) -> Result<bool, String> {
        let document = self.document(coop, key)?;
        Ok(document.is_some_and(|mut document| changes.iter().all(|change| document.has(*change))))
    }
}

/// Settles a conflict of a field by one of its values, or duplicate lots by merging them.
fn settlement(book: &mut Document, nth: usize, settler: Settler<'_>) -> Option<Result<Settlement, DocumentFault>> {
    let (fields, pairs) = (in_harvest_book(book), duplicate_lots(&lots(book)));
    let place = nth.checked_rem(fields.len() + pairs.len())?;
    Some(match fields.get(place) {
        Some(conflict) => {
            let case = CaseId::Field(conflict.lot.clone(), conflict.field.into());
            let value = &conflict.values[nth % conflict.values.len()].value;
            settle_field(book, &case, conflict.field, value, settler)
        }
        None => {
            let pair = &pairs[place - fields.len()];
            let [keep, other] = [&pair.first, &pair.second].map(|key| LotId::in_book(book.key(), key.clone()).unwrap());
            merge(book, &CaseId::Twice(keep.clone(), other.clone()), &keep, &other, None, settler)
        }
    })
}
