//! Lots that are unusual among those of the list, and what is usual by earlier ones.

use std::collections::HashMap;

use rusqlite::params;

use super::{LotFilter, LotRow, ReadModel};
use crate::conflicts::unusual_name;
use crate::ids::HouseholdId;
use crate::plausibility::{Facts, Unusual, Usual, UsualWeights, unusual};
use crate::quantities::{Day, Grams, Instant};
use crate::schema::catalogue::Catalogue;
use crate::schema::{LotId, Season};
use crate::store::StoreFault;

/// Earlier lots that are asked for what is usual.
const EARLIER_MAX: u32 = 200;
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
    /// As [`Facts::figures`] gives them.
    pub figures: String,
}

/// The facts of a lot in a list.
pub fn facts_of(row: &LotRow) -> Facts<'_> {
    let quantity = row.grams.and_then(|grams| Grams::new(grams).ok());
    Facts { product: &row.product, quantity, grade: &row.grade, day: row.day }
}

impl ReadModel {
    /// The weights that are usual for a household's lots of a product: by its own latest lots, or else by everybody's. Where
    /// those are too few, roughly by the household's lots of any product, or else by everybody's.
    pub fn usual_weights(&self, household: HouseholdId, product: &str) -> Result<UsualWeights, StoreFault> {
        let mut own = self.connection.prepare_cached(
            "SELECT grams FROM lots WHERE household = ?1 AND product = ?2 AND merged IS NULL AND grams IS NOT NULL
             ORDER BY day DESC LIMIT ?3",
        )?;
        let owner = household.as_bytes();
        let weights = own.query_map(params![owner, product, EARLIER_MAX], |row| row.get(0))?;
        if let Some(usual) = UsualWeights::after(weights.collect::<Result<_, _>>()?) {
            return Ok(usual);
        }
        let mut all = self.connection.prepare_cached(
            "SELECT grams FROM lots WHERE product = ?1 AND merged IS NULL AND grams IS NOT NULL ORDER BY day DESC LIMIT ?2",
        )?;
        let weights = all.query_map(params![product, EARLIER_MAX], |row| row.get(0))?;
        if let Some(usual) = UsualWeights::after(weights.collect::<Result<_, _>>()?) {
            return Ok(usual);
        }
        let mut any = self.connection.prepare_cached(
            "SELECT grams FROM lots WHERE (?1 IS NULL OR household = ?1) AND merged IS NULL AND grams IS NOT NULL
             ORDER BY day DESC LIMIT ?2",
        )?;
        for of in [Some(owner), None] {
            let weights = any.query_map(params![of, EARLIER_MAX], |row| row.get(0))?;
            if let Some(usual) = UsualWeights::roughly_after(&weights.collect::<Result<Vec<i64>, _>>()?) {
                return Ok(usual);
            }
        }
        Ok(UsualWeights::default())
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

    /// The lots that are unusual among [`UNUSUAL_WINDOW`], the latest on page 0. The work has this bound; what is usual is
    /// told by the lots of the same page.
    pub fn unusual_lots(
        &self,
        catalogue: Option<&Catalogue>,
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
        let mut of_product: HashMap<&str, Vec<i64>> = HashMap::new();
        let mut of_household: HashMap<(HouseholdId, &str), Vec<i64>> = HashMap::new();
        for row in &rows {
            if let Some(grams) = row.grams {
                of_product.entry(&row.product).or_default().push(grams);
                of_household.entry((row.household, &row.product)).or_default().push(grams);
            }
        }
        let of_product: HashMap<&str, UsualWeights> =
            of_product.into_iter().filter_map(|(name, weights)| Some((name, UsualWeights::after(weights)?))).collect();
        let of_household: HashMap<(HouseholdId, &str), UsualWeights> = of_household
            .into_iter()
            .filter_map(|(name, weights)| Some((name, UsualWeights::after(weights)?)))
            .collect();
        let mut found = UnusualLots { looked_through: rows.len() as u64, has_more, lots: Vec::new() };
        for row in &rows {
            let own = of_household.get(&(row.household, row.product.as_str()));
            let weights = own.or_else(|| of_product.get(row.product.as_str())).copied().unwrap_or_default();
            let usual = Usual { catalogue, today: Some(today), season: Season::new(row.season), weights };
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
    use crate::schema::case_book::decide;
    use crate::schema::harvest::{LotDraft, LotEdit, correct, record};
    use crate::schema::{Book, Document, DocumentKey};

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
            let found = model.unusual_lots(None, "2026-11-26".parse().unwrap(), 0).unwrap();
            assert_eq!((found.looked_through, found.has_more), (8, false));
            found.lots
        };
        let codes = |lots: &[(LotRow, Vec<Unusual>)]| -> Vec<_> {
            lots.iter().map(|(row, why)| (row.grams, why[0].code())).collect()
        };
        let both = listed(&model);
        let expected = [(Some(25_000), "day-in-the-future"), (Some(25_000_000), "weight-far-from-usual")];
        assert_eq!(codes(&both), expected);
        assert!(model.unusual_lots(None, "2026-11-26".parse().unwrap(), 1).unwrap().lots.is_empty());

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
        let usual = model.usual_weights(household, "millet").unwrap();
        assert_eq!(usual, model.usual_weights(HouseholdId::from_bytes([2; 16]), "millet").unwrap());
        assert_eq!(model.usual_weights(household, "dates").unwrap(), UsualWeights::default());
    }
}
