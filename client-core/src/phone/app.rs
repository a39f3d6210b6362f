//! The calls by which an app records and reads. Each is one edit of one document, or one list that loads no document.

use std::collections::{BTreeMap, BTreeSet};

use super::Phone;
use crate::conflicts::{self, CaseId, Contender, FieldConflict, SETTLING, Settler};
use crate::crdt::DocumentFault;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::{ChangeHash, HouseholdId};
use crate::plausibility::{
    Arrival, Correction, Earlier, Facts, Unusual, Usual, unknown_household, unusual, unusual_arrival,
};
#[cfg(feature = "sqlite")]
use crate::projection::{CaseFilter, CaseRow};
use crate::projection::{LotFilter, LotRow, QuestionFilter, QuestionRow, Total, facts_of};
use crate::quantities::{Day, Instant, QuantityFault};
use crate::replica::{DocumentEdit, not_taken_in};
use crate::schema::access::ListedHousehold;
use crate::schema::case_book::{Decision, decide};
use crate::schema::catalogue::Catalogue;
use crate::schema::cooperative::Cooperative;
use crate::schema::harvest::{LotDraft, LotEdit};
use crate::schema::household::Household;
use crate::schema::lot_history::{LotEvent, harvest_event, question_events, receipt_event};
use crate::schema::receipt::Outcome;
use crate::schema::{
    Book, CardNumber, Document, DocumentKey, LotId, LotName, Part, QuestionId, Season, catalogue, cooperative, harvest,
    household, question, receipt,
};

/// 1 January 2026: a clock before it was never set, and says nothing of days.
const CLOCK_RIGHT_FROM: Instant = Instant(1_767_225_600_000);

impl Phone {
    /// `given`, or else the household that this phone belongs to. Fails with [`Error::WhichHousehold`] without either.
    pub fn household_or(&self, given: Option<HouseholdId>) -> Result<HouseholdId, Error> {
        self.inner().enrolled()?;
        given.or_else(|| self.household()).ok_or(Error::WhichHousehold)
    }

    /// The households that this phone may record for, by village and name: its own, those of a recorder, or all of a coordinator's.
    /// With a text, those with it in their name, or the one whose card has this number.
    pub fn people(&self, search: &str) -> Result<Vec<ListedHousehold>, Error> {
        let grants = self.grants();
        let named = self.inner().lists()?.household_names()?.into_iter();
        let listed = named.map(|(household, name, village)| ListedHousehold { household, name, village });
        let number: Option<CardNumber> = search.parse().ok();
        let found = |one: &ListedHousehold| match number {
            Some(number) => CardNumber::of(one.household) == number,
            None => one.name.contains(search.trim()),
        };
        let mut found: Vec<_> = listed.filter(|one| grants.may_record_for(one.household) && found(one)).collect();
        found.sort_by(|left, right| {
            (&left.village, &left.name, left.household).cmp(&(&right.village, &right.name, right.household))
        });
        Ok(found)
    }

    /// The household that a person names: by its name, by the number of its card, as it is typed or as the card's QR says it, or by
    /// its id. Fails with [`Error::NoSuchHousehold`] for one that this phone does not record for, and with
    /// [`Error::WhichOfHouseholds`] where the name fits several.
    pub fn find_household(&self, name: &str) -> Result<HouseholdId, Error> {
        if let Ok(household) = name.trim().parse() {
            return Ok(household);
        }
        let mut fitting = self.people(name)?;
        let is_it = |one: &ListedHousehold| one.name == name.trim();
        if fitting.iter().any(is_it) {
            fitting.retain(is_it);
        }
        match fitting.as_slice() {
            _ if name.trim().is_empty() => Err(Error::WhichHousehold),
            [] => Err(Error::NoSuchHousehold(name.trim().chars().take(80).collect())),
            [one] => Ok(one.household),
            several => {
                let shown = |one: &ListedHousehold| format!("{} {}", one.name, CardNumber::of(one.household));
                let candidates = several.iter().take(12).map(shown).collect();
                Err(Error::WhichOfHouseholds { name: name.trim().to_owned(), candidates })
            }
        }
    }

    /// The lot that a person names, by its code or in full. Fails with [`Error::LotName`] for a text that names no lot, with
    /// [`Error::NoSuchLot`] for a lot that is not on this phone, and with [`Error::Ambiguous`] where a code fits several.
    pub fn find_lot(&self, name: &str) -> Result<LotId, Error> {
        let name: LotName = name.parse()?;
        let mut fitting = self.inner().lists()?.lots_named(&name)?.into_iter().map(|row| row.lot);
        match (fitting.next(), fitting.next()) {
            (Some(lot), None) => Ok(lot),
            (Some(one), Some(other)) => {
                let candidates = [one, other].into_iter().chain(fitting).collect();
                Err(Error::Ambiguous { name: name.to_string(), candidates })
            }
            (None, _) => Err(Error::NoSuchLot(name.to_string())),
        }
    }

    /// What is unusual about a lot that is to be recorded: an unknown product or grade, a day elsewhere, a weight far from what
    /// the product and the household usually give. Ask the person back, and record what is confirmed.
    pub fn unusual(&self, household: HouseholdId, draft: &LotDraft) -> Result<Vec<Unusual>, Error> {
        let facts = Facts {
            product: &draft.product,
            quantity: Some(draft.quantity),
            grade: draft.grade.trim(),
            day: Some(draft.day),
            place: draft.place.trim(),
        };
        let mut found = Vec::new();
        // Other phones do not know all households.
        if self.grants().is_coordinator() {
            found.extend(unknown_household(household, &self.inner().lists()?.known_households()?));
        }
        let season = self.present_season()?;
        found.extend(self.with_usual(household, &facts, None, |usual| unusual(&facts, &Usual { season, ..*usual }))?);
        Ok(found)
    }

    /// What would be unusual about a lot after a correction, in the fields that it changes.
    pub fn unusual_correction(&self, lot: &LotId, edits: &[LotEdit]) -> Result<Vec<Unusual>, Error> {
        let filter = LotFilter { lot: Some(lot.clone()), with_merged: true, ..LotFilter::default() };
        let Some(row) = self.lots(&filter)?.into_iter().next() else { return Err(Error::NoSuchLot(lot.to_string())) };
        let correction = Correction::of(facts_of(&row), edits);
        let season = Season::new(row.season);
        self.with_usual(row.household, correction.facts(), Some(lot), |usual| correction.unusual(season, usual))
    }

    /// The season of which lots are recorded today, as the co-operative has named it; none where the clock can't be trusted.
    pub fn present_season(&self) -> Result<Option<Season>, Error> {
        let Some(today) = self.known_today() else { return Ok(None) };
        Ok(self.cooperative()?.unwrap_or_default().present_season(today))
    }

    pub(super) fn known_today(&self) -> Option<Day> {
        let now = self.now();
        (now >= CLOCK_RIGHT_FROM).then(|| Day::in_china(now))
    }

    /// What would be unusual about a receipt of a lot: an unknown grade, a weight far from the recorded one, a day before the
    /// harvest, long after it or to come.
    pub fn unusual_receipt(&self, lot: &LotId, outcome: &Outcome, day: Day) -> Result<Vec<Unusual>, Error> {
        let filter = LotFilter { lot: Some(lot.clone()), with_merged: true, ..LotFilter::default() };
        let Some(row) = self.lots(&filter)?.into_iter().next() else { return Err(Error::NoSuchLot(lot.to_string())) };
        let (weighed, grade) = match outcome {
            Outcome::Received { weighed, grade } => (Some(*weighed), grade.trim()),
            Outcome::Rejected { .. } => (None, ""),
        };
        let facts = facts_of(&row);
        let arrival =
            Arrival { product: facts.product, weighed, grade, day, recorded: facts.quantity, harvested: facts.day };
        self.with_usual(row.household, &facts, Some(lot), |usual| unusual_arrival(&arrival, usual))
    }

    /// Asks with what is usual for a lot of a household, which is `lot` where it is here already.
    fn with_usual<R>(
        &self,
        household: HouseholdId,
        facts: &Facts<'_>,
        lot: Option<&LotId>,
        ask: impl FnOnce(&Usual<'_>) -> R,
    ) -> Result<R, Error> {
        let catalogue = self.catalogue()?.filter(|catalogue| !catalogue.products.is_empty());
        let places = self.cooperative()?.unwrap_or_default().places;
        let lots = self.inner().lists()?.earlier_lots(household)?;
        let earlier = Earlier::of(&lots, facts.product, facts.place, lot);
        let catalogue = catalogue.as_ref();
        Ok(ask(&Usual { catalogue, places: &places, today: self.known_today(), season: None, earlier }))
    }

    /// Records a lot of a household in the season of its day. Durable when it returns.
    pub fn record_of_day(&self, household: HouseholdId, draft: &LotDraft) -> Result<LotId, Error> {
        let season = Season::of(draft.day).ok_or_else(|| QuantityFault::Day(draft.day.to_string()))?;
        self.record(household, season, draft)
    }

    /// Records a lot of a household. Durable when it returns.
    pub fn record(&self, household: HouseholdId, season: Season, draft: &LotDraft) -> Result<LotId, Error> {
        let book = self.part_to_write(&DocumentKey::HarvestBook(Book::first(household, season)))?;
        let key = self.edit(&book, |doc| harvest::record(doc, draft))?;
        LotId::in_book(&book, key).ok_or_else(|| DocumentFault::Damaged("harvest book").into())
    }

    /// Writes fields of a lot, all in one change. A value replaces all concurrent values of its field.
    pub fn correct(&self, lot: &LotId, edits: &[LotEdit]) -> Result<(), Error> {
        self.edit_lot(lot, |doc| edits.iter().try_for_each(|edit| harvest::correct(doc, lot.key(), edit)))
    }

    /// Deletes a lot from its book.
    pub fn withdraw(&self, lot: &LotId) -> Result<(), Error> {
        self.edit_lot(lot, |doc| harvest::withdraw(doc, lot.key()))
    }

    /// An edit of a lot. One that is listed here, but was set aside, can't be changed yet.
    fn edit_lot(
        &self,
        lot: &LotId,
        edit: impl FnOnce(&mut automerge::AutoCommit) -> Result<(), DocumentFault>,
    ) -> Result<(), Error> {
        let edited = self.edit(&lot.book(), edit);
        if let Err(Error::Document(DocumentFault::NotFound { what, .. })) = &edited
            && *what == harvest::LOT
            && self
                .lots(&LotFilter { lot: Some(lot.clone()), ..LotFilter::default() })?
                .iter()
                .any(|row| row.held.is_some())
        {
            return Err(not_taken_in().into());
        }
        edited
    }

    /// Records the warehouse's receipt of a lot.
    pub fn receive(&self, lot: &LotId, outcome: &Outcome, day: Day) -> Result<(), Error> {
        self.edit(&lot.receipt_book(), |doc| receipt::receive(doc, lot, outcome, day))
    }

    /// The fields of a lot with concurrent values.
    pub fn conflicts_of(&self, lot: &LotId) -> Result<Vec<FieldConflict>, Error> {
        let all = self.read(&lot.book(), conflicts::in_harvest_book)?.unwrap_or_default();
        Ok(all.into_iter().filter(|conflict| conflict.lot == *lot).collect())
    }

    /// The receipts of a lot that were written at once and disagree; the last one is shown.
    pub fn weighings_of(&self, lot: &LotId) -> Result<Vec<Contender>, Error> {
        let all = self.read(&lot.receipt_book(), conflicts::in_receipt_book)?.unwrap_or_default();
        let of_lot = all.into_iter().find(|conflict| conflict.lot == *lot);
        Ok(of_lot.map(|conflict| conflict.values).unwrap_or_default())
    }

    /// Settles a field with concurrent values, for coordinators: writes the value, and the decision into the case book, both
    /// or neither. Two concurrent settlements converge, and the case stays closed.
    pub fn settle(&self, conflict: &FieldConflict, value: &str, by: &str, note: &str) -> Result<(), Error> {
        let (book, case_book) = (conflict.lot.book(), conflict.lot.case_book());
        if !self.grants().may_write(&case_book) {
            return Err(Error::NotAllowed);
        }
        let case = CaseId::Field(conflict.lot.clone(), conflict.field.to_owned());
        let settler = Settler { by, at: self.now(), note };
        let made =
            self.read(&book, |document| conflicts::settle_field(document, &case, conflict.field, value, settler))?;
        let made = made.ok_or(DocumentFault::Damaged("harvest book"))??;
        let decision = Decision { values: conflict.values.clone(), ..made.decision };
        self.edit_together(vec![
            DocumentEdit { key: book, message: Some(SETTLING), edit: made.edit },
            DocumentEdit { key: case_book, message: None, edit: Box::new(move |doc| decide(doc, &decision)) },
        ])
    }

    /// The cases that pass the filter, most valuable first.
    #[cfg(feature = "sqlite")]
    pub fn cases(&self, filter: &CaseFilter) -> Result<Vec<CaseRow>, Error> {
        Ok(self.inner().lists()?.cases(filter)?)
    }

    /// Edits the catalogue, for coordinators.
    pub fn edit_catalogue(
        &self,
        edit: impl FnOnce(&mut automerge::AutoCommit) -> Result<(), DocumentFault>,
    ) -> Result<(), Error> {
        self.edit(&self.part_to_write(&DocumentKey::Catalogue(Part::FIRST))?, edit)
    }

    /// Names a household and its village, for its own phones and coordinators.
    pub fn name_household(&self, household: HouseholdId, name: &str, village: &str) -> Result<(), Error> {
        self.edit(&DocumentKey::Household(household), |doc| household::set_name(doc, name, village))
    }

    /// The questions about lots that are on this phone, the latest first.
    pub fn questions(&self, filter: &QuestionFilter) -> Result<Vec<QuestionRow>, Error> {
        Ok(self.inner().lists()?.questions(filter)?)
    }

    /// How many questions pass the filter, whatever its limit.
    pub fn count_questions(&self, filter: &QuestionFilter) -> Result<u64, Error> {
        Ok(self.inner().lists()?.count_questions(filter)?)
    }

    /// Asks a household about a lot, for coordinators. The same question again is one question.
    pub fn ask(&self, question: QuestionId, lot: &LotId, text: &str, by: &str) -> Result<(), Error> {
        let at = self.now();
        self.edit(&lot.receipt_book(), |doc| question::ask(doc, question, lot, text, by, at))
    }

    /// Answers a question about a lot of the household. The same answer again changes nothing; another one takes the place of those
    /// that are on this phone.
    pub fn answer(&self, question: QuestionId, text: &str) -> Result<(), Error> {
        let filter = QuestionFilter { question: Some(question), ..QuestionFilter::default() };
        let asked = self.questions(&filter)?.into_iter().next();
        let not_here = || DocumentFault::NotFound { what: question::QUESTION, name: question.to_string() };
        let lot = asked.ok_or_else(not_here)?.lot;
        self.edit(&lot.book(), |doc| question::answer(doc, question, text))
    }

    /// The lots that pass the filter, in its order.
    pub fn lots(&self, filter: &LotFilter) -> Result<Vec<LotRow>, Error> {
        Ok(self.inner().lists()?.lots(filter)?)
    }

    /// The lots of which a change still waits to be sent. All changes of every other lot that is here have reached the server,
    /// but for those that were set aside, as [`LotRow::held`] says.
    pub fn unsent_lots(&self) -> Result<BTreeSet<LotId>, Error> {
        self.inner().enrolled_mut()?.replica.unsent_lots()
    }

    /// How many lots pass the filter, whatever its limit.
    pub fn count_lots(&self, filter: &LotFilter) -> Result<u64, Error> {
        Ok(self.inner().lists()?.count_lots(filter)?)
    }

    /// What is known here of how a lot became what it is, oldest first.
    pub fn lot_history(&self, lot: &LotId) -> Result<Vec<LotEvent>, Error> {
        let changes = |key| -> Result<Vec<VerifiedChange>, Error> {
            Ok(self.read(&key, |document| document.changes_since(&[]))?.transpose()?.unwrap_or_default())
        };
        let of_harvest = changes(lot.book())?;
        let of_receipt = changes(lot.receipt_book())?;
        let harvested = of_harvest.iter().filter_map(|change| harvest_event(change.record(), lot.key()));
        let weighed = of_receipt.iter().filter_map(|change| receipt_event(change.record(), lot));
        let mut events: Vec<LotEvent> = harvested.chain(weighed).collect();
        let (receipts, harvest) = (of_receipt.iter(), of_harvest.iter());
        events.extend(question_events(receipts.map(VerifiedChange::record), harvest.map(VerifiedChange::record), lot));
        events.sort_by_key(|event| event.recorded);
        Ok(events)
    }

    /// The weights by product of the lots that pass the filter.
    pub fn totals(&self, filter: &LotFilter) -> Result<Vec<Total>, Error> {
        Ok(self.inner().lists()?.totals(filter)?)
    }

    /// The fields with concurrent values of a household's lots.
    pub fn conflicts(&self, household: HouseholdId, season: Season) -> Result<Vec<FieldConflict>, Error> {
        let mut inner = self.inner();
        let replica = &mut inner.enrolled_mut()?.replica;
        let mut found = Vec::new();
        for part in replica.parts(&DocumentKey::HarvestBook(Book::first(household, season))) {
            found.extend(replica.document(&part)?.map(conflicts::in_harvest_book).unwrap_or_default());
        }
        Ok(found)
    }

    pub(super) fn part_to_write(&self, of: &DocumentKey) -> Result<DocumentKey, Error> {
        self.inner().enrolled()?.replica.part_to_write(of)
    }

    /// Reads all parts of a document together; none when none is here.
    fn read_parts<R>(&self, of: &DocumentKey, read: impl FnOnce(&[Document]) -> R) -> Result<Option<R>, Error> {
        let mut inner = self.inner();
        let replica = &mut inner.enrolled_mut()?.replica;
        let mut parts = Vec::new();
        for part in replica.parts(of) {
            parts.extend(replica.document(&part)?.cloned());
        }
        Ok(if parts.is_empty() { None } else { Some(read(&parts)) })
    }

    pub(super) fn read<R>(&self, key: &DocumentKey, read: impl FnOnce(&mut Document) -> R) -> Result<Option<R>, Error> {
        let mut inner = self.inner();
        let enrolled = inner.enrolled_mut()?;
        Ok(enrolled.replica.document(key)?.map(read))
    }

    /// The catalogue; none before it was synced.
    pub fn catalogue(&self) -> Result<Option<Catalogue>, Error> {
        self.read_parts(&DocumentKey::Catalogue(Part::FIRST), catalogue::read_parts)
    }

    /// The co-operative; none before it was synced.
    pub fn cooperative(&self) -> Result<Option<Cooperative>, Error> {
        self.read_parts(&DocumentKey::Cooperative(Part::FIRST), cooperative::read_parts)
    }

    /// A household's particulars; none when this phone does not have them.
    pub fn household_particulars(&self, household: HouseholdId) -> Result<Option<Household>, Error> {
        self.read(&DocumentKey::Household(household), |document| household::read(document))
    }

    /// The heads of every document, for comparing replicas.
    pub fn heads(&self) -> Result<BTreeMap<DocumentKey, Vec<ChangeHash>>, Error> {
        let mut inner = self.inner();
        let enrolled = inner.enrolled_mut()?;
        let mut heads = BTreeMap::new();
        for (key, _) in enrolled.replica.documents() {
            if let Some(document) = enrolled.replica.document(&key)? {
                heads.insert(key, document.heads());
            }
        }
        Ok(heads)
    }
}
