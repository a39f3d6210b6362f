//! Lots that are unusual among those of the list, and what is usual by earlier ones.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::params;

use super::{EARLIER_MAX, LotFilter, LotRow, ReadModel, facts_of};
use crate::conflicts::unusual_name;
use crate::ids::HouseholdId;
use crate::plausibility::{Earlier, EarlierLot, Unusual, Usual, unusual};
use crate::quantities::{Day, Instant};
use crate::schema::catalogue::Catalogue;
use crate::schema::{DocumentKey, LotId, Season};
use crate::store::StoreFault;

/// Lots that one page of the list looks through.
pub const UNUSUAL_WINDOW: u32 = 5_000;

/// Unusual lots among those that one page looks through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnusualLots {
    /// The lots and what is unusual about each, latest first; not those that somebody has looked at as they are.
    pub lots: Vec<(LotRow, Vec<Unusual>)>,
    /// How many lots were looked through.
    pub looked_through: u64,
    /// True when there are earlier lots, on the next page.
    pub has_more: bool,
}

/// Who looked at an unusual lot and found it right, when, with which figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedAt {
    /// The person's name.
    pub by: String,
    /// When.
    pub at: Instant,
    /// As [`crate::plausibility::Facts::figures`] gives them.
    pub figures: String,
}

impl ReadModel {
    /// The latest lots of a household, by which [`Earlier`] tells what is usual.
    pub fn earlier_lots(&self, household: HouseholdId) -> Result<Vec<EarlierLot>, StoreFault> {
        let mut own = self.connection.prepare_cached(
            "SELECT document, lot, product, grams, place FROM lots WHERE household = ?1 AND merged IS NULL
             ORDER BY day DESC LIMIT ?2",
        )?;
        let rows = own.query_map(params![household.as_bytes(), EARLIER_MAX], |row| {
            let (document, lot): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
            let book = DocumentKey::from_bytes(&document).ok();
            let lot = book.zip(lot.parse().ok()).and_then(|(book, key)| LotId::in_book(&book, key));
            Ok(EarlierLot { lot, product: row.get(2)?, grams: row.get(3)?, place: row.get(4)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All households that are here, by their own document or by a lot, with their names as far as those are here.
    pub fn known_households(&self) -> Result<Vec<(HouseholdId, String)>, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT household, name FROM households UNION ALL
             SELECT DISTINCT household, '' FROM lots WHERE household NOT IN (SELECT household FROM households)",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?)))?;
        rows.map(|row| row.map(|(id, name)| (HouseholdId::from_bytes(id), name)).map_err(StoreFault::from)).collect()
    }

    /// Who looked at a lot last and found it right; none where nobody has.
    pub fn looked_at(&self, lot: &LotId) -> Result<Vec<LookedAt>, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT by_name, at, chosen FROM decisions WHERE document = ?1 AND case_name = ?2 ORDER BY number",
        )?;
        let looked = statement.query_map(params![lot.case_book().to_bytes(), unusual_name(lot)], |row| {
            Ok(LookedAt { by: row.get(0)?, at: Instant::from_seconds(row.get(1)?), figures: row.get(2)? })
        })?;
        Ok(looked.collect::<Result<_, _>>()?)
    }

    /// The lots that are unusual among [`UNUSUAL_WINDOW`], the latest on page 0. The work has this bound.
    pub fn unusual_lots(
        &self,
        catalogue: Option<&Catalogue>,
        places: &[(String, String)],
        today: Day,
        page: u32,
    ) -> Result<UnusualLots, StoreFault> {
        let window = LotFilter {
            limit: UNUSUAL_WINDOW.saturating_add(1),
            offset: page.saturating_mul(UNUSUAL_WINDOW),
            ..LotFilter::default()
        };
        let mut rows = self.lots(&window)?;
        let has_more = rows.len() as u64 > u64::from(UNUSUAL_WINDOW);
        rows.truncate(usize::try_from(UNUSUAL_WINDOW).unwrap_or(usize::MAX));
        let mut of_household: HashMap<HouseholdId, Vec<EarlierLot>> = HashMap::new();
        let mut found = UnusualLots { looked_through: rows.len() as u64, has_more, lots: Vec::new() };
        for row in &rows {
            let lots = match of_household.entry(row.household) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.earlier_lots(row.household)?),
            };
            let earlier = Earlier::of(lots, &row.product, &row.place, Some(&row.lot));
            // Without a catalogue nothing says that a product of a lot is unknown.
            let earlier = Earlier { has_product: true, ..earlier };
            let usual = Usual { catalogue, places, today: Some(today), season: Season::new(row.season), earlier };
            let facts = facts_of(row);
            let oddities = unusual(&facts, &usual);
            if oddities.is_empty() {
                continue;
            }
            // One that was looked at comes back when a figure of it changes.
            let last = self.looked_at(&row.lot)?.pop();
            if last.is_none_or(|last| last.figures != facts.figures()) {
                found.lots.push((row.clone(), oddities));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conflicts::{Settler, found_right};
    use crate::ids::ActorId;
    use crate::projection::CaseFilter;
    use crate::quantities::Grams;
    use crate::schema::case_book::decide;
    use crate::schema::harvest::{LotDraft, LotEdit, correct, record};
    use crate::schema::{Book, Document};

    #[test]
    fn unusual_lots_are_listed() {
        let household = HouseholdId::from_bytes([1; 16]);
        let mut book =
            Document::new(DocumentKey::HarvestBook(Book::first(household, Season::new(2026).unwrap()))).unwrap();
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        let mut put = |grams: i64, day: &str| {
            let draft = LotDraft::new("millet", Grams::new(grams).unwrap(), day.parse().unwrap());
            book.edit(&actor, Instant(0), |doc| record(doc, &draft)).unwrap();
        };
        for grams in [20_000, 21_000, 22_000, 25_000, 31_000, 40_000] {
            put(grams, "2026-10-03");
        }
        put(25_000_000, "2026-10-04");
        put(25_000, "2026-12-24");
        let mut model = ReadModel::in_memory().unwrap();
        model.write(&mut book, 1).unwrap();
        let listed = |model: &ReadModel| {
            let found = model.unusual_lots(None, &[], "2026-11-26".parse().unwrap(), 0).unwrap();
            assert_eq!((found.looked_through, found.has_more), (8, false));
            found.lots
        };
        let codes = |lots: &[(LotRow, Vec<Unusual>)]| -> Vec<_> {
            lots.iter().map(|(row, why)| (row.grams, why[0].code())).collect()
        };
        let both = listed(&model);
        let expected = [(Some(25_000), "day-in-the-future"), (Some(25_000_000), "weight-far-from-usual")];
        assert_eq!(codes(&both), expected);
        assert!(model.unusual_lots(None, &[], "2026-11-26".parse().unwrap(), 1).unwrap().lots.is_empty());

        // Somebody looks at the heavy one: it is gone, until its figure changes.
        let heavy = &both[1].0;
        let settler = Settler { by: "Zhang", at: Instant(5_000), note: "" };
        let mut cases = Document::new(heavy.lot.case_book()).unwrap();
        let decision = found_right(&heavy.lot, facts_of(heavy).figures(), settler);
        cases.edit(&actor, Instant(0), |doc| decide(doc, &decision)).unwrap();
        model.write(&mut cases, 1).unwrap();
        assert_eq!(codes(&listed(&model)), expected[..1]);
        let looked = model.looked_at(&heavy.lot).unwrap();
        assert_eq!((looked.len(), looked[0].by.as_str(), looked[0].at), (1, "Zhang", Instant(5_000)));
        assert!(model.cases(&CaseFilter::default()).unwrap().is_empty(), "it is no case");
        let more = LotEdit::Quantity(Grams::new(26_000_000).unwrap());
        book.edit(&actor, Instant(0), |doc| correct(doc, heavy.lot.key(), &more)).unwrap();
        model.write(&mut book, 2).unwrap();
        assert_eq!(codes(&listed(&model))[1], (Some(26_000_000), "weight-far-from-usual"));

        // The list and a form have one rule: what the list shows, the form asks about, with the same bounds.
        let lots = model.earlier_lots(household).unwrap();
        let earlier = |lot| Earlier::of(&lots, "millet", "", lot);
        let usual = Usual { today: "2026-11-26".parse().ok(), earlier: earlier(Some(&heavy.lot)), ..Usual::default() };
        assert_eq!(unusual(&facts_of(heavy), &usual), both[1].1);
        // A heavy lot is not among what makes it usual; a light one then is what it should be.
        assert_ne!(earlier(None), earlier(Some(&heavy.lot)));
        let others = model.earlier_lots(HouseholdId::from_bytes([2; 16])).unwrap();
        assert_eq!(others, [], "another household's lots say nothing");
    }
}
