//! Lots that are unusual among those of the list, and what is usual by earlier ones.

use std::collections::HashMap;

use rusqlite::params;

use super::{LotFilter, LotRow, ReadModel};
use crate::ids::HouseholdId;
use crate::plausibility::{Facts, Unusual, Usual, UsualWeights, unusual};
use crate::quantities::{Day, Grams};
use crate::schema::Season;
use crate::schema::catalogue::Catalogue;
use crate::store::StoreFault;

/// Earlier lots that are asked for what is usual.
const EARLIER_MAX: u32 = 200;
/// Lots that are looked through at most, latest first.
const LOOKED_THROUGH_MAX: u32 = 200_000;

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

    /// The lots that are unusual, latest first, at most `limit`.
    pub fn unusual_lots(
        &self,
        catalogue: Option<&Catalogue>,
        today: Day,
        limit: usize,
    ) -> Result<Vec<(LotRow, Vec<Unusual>)>, StoreFault> {
        let rows = self.lots(&LotFilter { limit: LOOKED_THROUGH_MAX, ..LotFilter::default() })?;
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
        let mut found = Vec::new();
        for row in &rows {
            let own = of_household.get(&(row.household, row.product.as_str()));
            let weights = own.or_else(|| of_product.get(row.product.as_str())).copied().unwrap_or_default();
            let usual = Usual { catalogue, today: Some(today), season: Season::new(row.season), weights };
            let quantity = row.grams.and_then(|grams| Grams::new(grams).ok());
            let facts = Facts { product: &row.product, quantity, grade: &row.grade, day: row.day };
            let oddities = unusual(&facts, &usual);
            if !oddities.is_empty() && found.len() < limit {
                found.push((row.clone(), oddities));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;
    use crate::quantities::Instant;
    use crate::schema::harvest::{LotDraft, record};
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
        let listed = model.unusual_lots(None, "2026-11-26".parse().unwrap(), 100).unwrap();
        let listed: Vec<_> = listed.iter().map(|(row, why)| (row.grams, why[0].code())).collect();
        let expected = [(Some(25_000), "day-in-the-future"), (Some(25_000_000), "weight-far-from-usual")];
        assert_eq!(listed, expected);
        let usual = model.usual_weights(household, "millet").unwrap();
        assert_eq!(usual, model.usual_weights(HouseholdId::from_bytes([2; 16]), "millet").unwrap());
        assert_eq!(model.usual_weights(household, "dates").unwrap(), UsualWeights::default());
    }
}
